//! The settings of client and receiver that an environment holds, under the names that the official SDKs read.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Code, Error, Result};

/// Names and values of settings, as a process's environment or a Worker's bindings hold them. The host reads them.
///
/// With `QSTASH_REGION`, a setting such as `QSTASH_TOKEN` may also be given for each region, as
/// `US_EAST_1_QSTASH_TOKEN` (`qstash/howto/multi-region.mdx` of Upstash's documentation).
///
/// ```
/// use orchestration::wire::{Environment, Region};
///
/// let environment = Environment::from_iter([("QSTASH_REGION", "eu-central-1"), ("EU_CENTRAL_1_QSTASH_TOKEN", "t")]);
/// let region = environment.region()?;
/// assert_eq!(region, Some(Region::EuCentral1));
/// assert_eq!(environment.of_region(Region::EuCentral1, "QSTASH_TOKEN"), Some("t"));
/// # Ok::<(), orchestration::Error>(())
/// ```
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The value of a setting. A text that is empty is a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a setting for one region: that of `US_EAST_1_QSTASH_URL` for `QSTASH_URL`.
    pub fn of_region(&self, region: Region, name: &str) -> Option<&str> {
        self.get(&format!("{}_{name}", region.name()))
    }

    /// The region that `QSTASH_REGION` names; `None` if it is absent or empty.
    ///
    /// [`Code::InvalidConfiguration`] for a region that there is not.
    pub fn region(&self) -> Result<Option<Region>> {
        match self.get("QSTASH_REGION") {
            None | Some("") => Ok(None),
            Some(text) => Region::parse(text).map(Some).ok_or_else(|| {
                let known: Vec<_> = Region::ALL.iter().map(|region| region.name()).collect();
                let text = format!("expected QSTASH_REGION to be one of {}, or to be absent", known.join(" and "));
                Error::new(Code::InvalidConfiguration, text)
            }),
        }
    }

    /// Whether client and receiver use [`development`]: what `explicit` says, else `QSTASH_DEV`.
    ///
    /// [`Code::InvalidConfiguration`] unless `QSTASH_DEV` is absent, empty, `true`, `1`, `false` or `0`; and for
    /// development while `NODE_ENV` is `production`: everybody knows that server's token and keys.
    pub fn is_development(&self, explicit: Option<bool>) -> Result<bool> {
        let on = match (explicit, self.get("QSTASH_DEV")) {
            (Some(explicit), _) => explicit,
            (None, None | Some("" | "false" | "0")) => false,
            (None, Some("true" | "1")) => true,
            (None, Some(_)) => {
                let text = "expected QSTASH_DEV to be true, 1, false or 0, or to be absent";
                return Err(Error::new(Code::InvalidConfiguration, text));
            }
        };
        if on && self.get("NODE_ENV") == Some("production") {
            return Err(Error::new(
                Code::InvalidConfiguration,
                "development mode is on (QSTASH_DEV or devMode) while NODE_ENV is production; turn it off, and set \
                 QSTASH_TOKEN and the signing keys",
            ));
        }
        Ok(on)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(settings: I) -> Self {
        let mut values = BTreeMap::new();
        // Not `collect`, which brings a sort of 5 KB into the wasm of the rules.
        for (name, value) in settings {
            values.insert(name.into(), value.into());
        }
        Self(values)
    }
}

/// Names only: values are secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A region of hosted QStash, in the header `Upstash-Region` of its deliveries and in `QSTASH_REGION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// `EU_CENTRAL_1`, the default of hosted QStash.
    EuCentral1,
    /// `US_EAST_1`.
    UsEast1,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::EuCentral1, Self::UsEast1];

    /// The name as settings begin with it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EuCentral1 => "EU_CENTRAL_1",
            Self::UsEast1 => "US_EAST_1",
        }
    }

    /// Reads a name in any case, with `-` or `_`: `us-east-1` is `US_EAST_1`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.replace('-', "_");
        Self::ALL.into_iter().find(|region| region.name().eq_ignore_ascii_case(&name))
    }
}

/// What the QStash development server is reached and believed with. Public knowledge, the same for everybody.
pub mod development {
    use super::Environment;
    use crate::error::{Code, Error, Result};

    /// The token of its one user.
    pub const TOKEN: &str = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";
    /// The key that it signs with.
    pub const CURRENT_SIGNING_KEY: &str = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
    /// Its next key.
    pub const NEXT_SIGNING_KEY: &str = "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs";

    const PORT: u16 = 8080;

    /// Its address: loopback, at [`port`] or 8080.
    pub fn url(environment: &Environment) -> String {
        format!("http://127.0.0.1:{}", port(environment).unwrap_or(PORT))
    }

    /// Where it listens: `QSTASH_DEV_PORT`, or 8080 if that is absent or empty.
    ///
    /// [`Code::InvalidConfiguration`] if it is no port.
    pub fn port(environment: &Environment) -> Result<u16> {
        let Some(text) = environment.get("QSTASH_DEV_PORT").filter(|text| !text.is_empty()) else { return Ok(PORT) };
        text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            Error::new(Code::InvalidConfiguration, "expected QSTASH_DEV_PORT to be a number from 1 to 65535")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Environment {
        Environment::from_iter([(name, value)])
    }

    #[test]
    fn regions_are_read_in_any_spelling_and_no_other_is() {
        for text in ["US_EAST_1", "us-east-1", "Us-East_1"] {
            assert_eq!(with("QSTASH_REGION", text).region(), Ok(Some(Region::UsEast1)), "{text}");
        }
        assert_eq!(Environment::default().region(), Ok(None));
        assert_eq!(with("QSTASH_REGION", "").region(), Ok(None));
        for text in ["EU", "us-east-2", "US_EAST_1 "] {
            assert_eq!(with("QSTASH_REGION", text).region().unwrap_err().code(), Code::InvalidConfiguration, "{text}");
        }
    }

    #[test]
    fn development_is_what_the_caller_says_else_the_setting() {
        for (explicit, text, expected) in [
            (None, "1", true),
            (None, "true", true),
            (None, "0", false),
            (None, "", false),
            (Some(false), "true", false),
            (Some(true), "false", true),
            (Some(true), "rubbish", true),
        ] {
            assert_eq!(with("QSTASH_DEV", text).is_development(explicit), Ok(expected), "{explicit:?} {text}");
        }
        for (name, explicit) in [("QSTASH_DEV", None), ("OTHER", Some(true))] {
            let environment = Environment::from_iter([("NODE_ENV", "production"), (name, "1")]);
            assert_eq!(environment.is_development(explicit).unwrap_err().code(), Code::InvalidConfiguration, "{name}");
            assert_eq!(environment.is_development(Some(false)), Ok(false));
        }
        assert_eq!(with("QSTASH_DEV", "yes").is_development(None).unwrap_err().code(), Code::InvalidConfiguration);
    }

    #[test]
    fn the_development_server_is_on_loopback() {
        for (port, expected) in [("9090", 9090), ("0", 8080), ("x", 8080)] {
            assert_eq!(development::url(&with("QSTASH_DEV_PORT", port)), format!("http://127.0.0.1:{expected}"));
        }
    }

    #[test]
    fn values_are_not_shown() {
        assert_eq!(format!("{:?}", with("QSTASH_TOKEN", "secret")), r#"{"QSTASH_TOKEN"}"#);
    }
}
