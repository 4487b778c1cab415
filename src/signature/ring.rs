//! Which keys a receiver accepts, from its configuration and its environment.

use super::{Keys, SigningKey};
use crate::error::{Code, Error, Result};
use crate::wire::{Environment, Region, development};

/// The keys of a receiver: those that it uses by default, and those of each region that it has some for.
///
/// There is always at least one key.
#[derive(Clone, Debug)]
pub struct KeyRing {
    default: Option<Keys>,
    regions: Vec<(Region, Keys)>,
}

/// What a receiver was told besides its environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnKeys<'a> {
    /// The key that the broker signs with.
    pub current: Option<&'a str>,
    /// The key that comes after it.
    pub next: Option<&'a str>,
    /// Whether to accept the keys of the QStash development server, and no other; `None` follows `QSTASH_DEV`.
    pub development: Option<bool>,
}

impl KeyRing {
    /// Every setting that [`from_settings`](Self::from_settings) looks at, for hosts that read settings by name.
    pub const SETTINGS: [&str; 9] = [
        CURRENT,
        NEXT,
        "EU_CENTRAL_1_QSTASH_CURRENT_SIGNING_KEY",
        "EU_CENTRAL_1_QSTASH_NEXT_SIGNING_KEY",
        "US_EAST_1_QSTASH_CURRENT_SIGNING_KEY",
        "US_EAST_1_QSTASH_NEXT_SIGNING_KEY",
        "QSTASH_REGION",
        "QSTASH_DEV",
        "NODE_ENV",
    ];

    /// The keys that `own` and `environment` say together; `None` if neither names one.
    ///
    /// In development mode, those of the development server. Else those in `own`; a next key that `own` lacks comes
    /// from `QSTASH_NEXT_SIGNING_KEY`. Else `QSTASH_CURRENT_SIGNING_KEY` and `QSTASH_NEXT_SIGNING_KEY`; and if
    /// `QSTASH_REGION` is set, also `EU_CENTRAL_1_QSTASH_CURRENT_SIGNING_KEY` and so on. One key of a pair is enough.
    ///
    /// Errors as in [`SigningKey::new`](super::SigningKey::new), [`Environment::region`] and
    /// [`Environment::is_development`].
    pub fn from_settings(own: OwnKeys<'_>, environment: &Environment) -> Result<Option<Self>> {
        if environment.is_development(own.development)? {
            let keys = Keys::new(development::CURRENT_SIGNING_KEY, Some(development::NEXT_SIGNING_KEY))?;
            return Ok(Some(keys.into()));
        }
        let next = own.next.or(environment.get(NEXT));
        if own.current.is_some() {
            return Ok(pair(own.current, next)?.map(Self::from));
        }
        let default = pair(environment.get(CURRENT), next)?;
        let mut regions = Vec::new();
        if environment.region()?.is_some() {
            for region in Region::ALL {
                let [current, next] = [CURRENT, NEXT].map(|name| environment.of_region(region, name));
                regions.extend(pair(current, next)?.map(|keys| (region, keys)));
            }
        }
        Ok((default.is_some() || !regions.is_empty()).then_some(Self { default, regions }))
    }

    /// The keys for a request with this value of `Upstash-Region`, which nobody has signed: it chooses among keys that
    /// are all believed. A region without keys of its own, and a value that is none, have the default ones.
    ///
    /// [`Code::InvalidConfiguration`] if there are none.
    pub fn keys_for(&self, region: Option<&str>) -> Result<&Keys> {
        let region = region.and_then(Region::parse);
        let of_region = self.regions.iter().find(|(known, _)| Some(*known) == region).map(|(_, keys)| keys);
        of_region.or(self.default.as_ref()).ok_or_else(|| {
            Error::new(
                Code::InvalidConfiguration,
                format!(
                    "there are signing keys for regions only, and none for {}; set {CURRENT} and {NEXT} too",
                    region.map_or("a request that names no region", Region::name),
                ),
            )
        })
    }
}

impl From<Keys> for KeyRing {
    fn from(keys: Keys) -> Self {
        Self { default: Some(keys), regions: Vec::new() }
    }
}

const CURRENT: &str = "QSTASH_CURRENT_SIGNING_KEY";
const NEXT: &str = "QSTASH_NEXT_SIGNING_KEY";

fn pair(current: Option<&str>, next: Option<&str>) -> Result<Option<Keys>> {
    let keys = [current, next].map(|key| key.map(SigningKey::new).transpose());
    let [current, next] = keys;
    Ok(match (current?, next?) {
        (Some(current), next) => Some(Keys { current, next }),
        (None, Some(current)) => Some(Keys { current, next: None }),
        (None, None) => None,
    })
}
