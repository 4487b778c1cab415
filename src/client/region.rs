//! Which broker a client talks to: from what the caller says, and the settings of its environment.

use crate::error::Result;
use crate::wire::{Environment, Region, development};

/// QStash's own address, in the European region.
pub const DEFAULT_BASE_URL: &str = "https://qstash.upstash.io";

/// Where the broker is.
pub const QSTASH_URL: &str = "QSTASH_URL";
/// The token that the broker wants.
pub const QSTASH_TOKEN: &str = "QSTASH_TOKEN";

/// Every setting that [`credentials`] looks at, for hosts that read settings by name.
pub const SETTINGS: [&str; 10] = [
    QSTASH_URL,
    QSTASH_TOKEN,
    "QSTASH_REGION",
    "EU_CENTRAL_1_QSTASH_URL",
    "EU_CENTRAL_1_QSTASH_TOKEN",
    "US_EAST_1_QSTASH_URL",
    "US_EAST_1_QSTASH_TOKEN",
    "QSTASH_DEV",
    "QSTASH_DEV_PORT",
    "NODE_ENV",
];

/// What the caller says; what is absent comes from the environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sought<'a> {
    /// The broker's address.
    pub base_url: Option<&'a str>,
    /// The broker's token.
    pub token: Option<&'a str>,
    /// Whether to use the broker on this machine. `None`: `QSTASH_DEV` decides.
    pub development: Option<bool>,
    /// The header `Upstash-Region` of the delivery that is being answered: its region comes before that of
    /// `QSTASH_REGION`, if that is set.
    pub delivered_from: Option<&'a str>,
}

/// A broker's address and token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The address, without a slash at its end.
    pub base_url: String,
    /// The token; empty if there is none.
    pub token: String,
    /// The region whose settings these are.
    pub region: Option<Region>,
    /// What is odd about the settings, a sentence each, for the host's log.
    pub warnings: Vec<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("base_url", &self.base_url)
            .field("token", &"[redacted]")
            .field("region", &self.region)
            .field("warnings", &self.warnings)
            .finish()
    }
}

/// The broker to talk to. In this order: the one on this machine in development mode; address and token that the caller
/// gives both; those of the region; what the caller gives, else `QSTASH_URL` and `QSTASH_TOKEN`, else
/// [`DEFAULT_BASE_URL`]. A setting that is an empty text counts as absent.
///
/// Errors are those of [`Environment::is_development`] and [`Environment::region`].
pub fn credentials(environment: &Environment, sought: &Sought<'_>) -> Result<Credentials> {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let mut warnings = Vec::new();
    if environment.is_development(sought.development)? {
        if sought.base_url.or(sought.token).is_some() {
            warnings.push(
                "development mode is on: the client's own baseUrl and token are not used; to use them, set devMode: \
                 false or unset QSTASH_DEV"
                    .to_owned(),
            );
        }
        let base_url = development::url(environment);
        return Ok(Credentials { base_url, token: development::TOKEN.to_owned(), region: None, warnings });
    }
    let (own_url, own_token) = (given(sought.base_url), given(sought.token));
    let complete = own_url.is_some() && own_token.is_some();
    if !complete && let Some(region) = region(environment, sought.delivered_from, &mut warnings)? {
        let of_region = |name: &str| given(environment.of_region(region, name));
        if let (Some(base_url), Some(token)) = (of_region(QSTASH_URL), of_region(QSTASH_TOKEN)) {
            return Ok(Credentials { base_url: trimmed(&base_url), token, region: Some(region), warnings });
        }
        let name = region.name();
        warnings.push(format!(
            "the region is {name}, but {name}_{QSTASH_URL} and {name}_{QSTASH_TOKEN} are not both set; using \
             {QSTASH_URL} and {QSTASH_TOKEN}"
        ));
    }
    let setting = |name: &str| given(environment.get(name));
    let base_url = own_url.or_else(|| setting(QSTASH_URL)).unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
    let token = own_token.or_else(|| setting(QSTASH_TOKEN)).unwrap_or_default();
    Ok(Credentials { base_url: trimmed(&base_url), token, region: None, warnings })
}

/// The region of the delivery, else of `QSTASH_REGION`; `None` if that is not set.
fn region(
    environment: &Environment,
    delivered_from: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Option<Region>> {
    let Some(default) = environment.region()? else { return Ok(None) };
    let Some(header) = delivered_from else { return Ok(Some(default)) };
    let delivered = Region::parse(header);
    if delivered.is_none() {
        warnings.push(format!(
            "the header Upstash-Region names no region that is known; using {} of QSTASH_REGION",
            default.name()
        ));
    }
    Ok(delivered.or(Some(default)))
}

/// Without the slash at the end, and without the path that former versions of the official SDK asked for.
fn trimmed(base_url: &str) -> String {
    let base_url = base_url.strip_suffix('/').unwrap_or(base_url);
    base_url.strip_suffix("/v2/publish").filter(|url| *url == DEFAULT_BASE_URL).unwrap_or(base_url).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_a_region_is_listed() {
        for region in Region::ALL {
            for name in [QSTASH_URL, QSTASH_TOKEN] {
                let name = format!("{}_{name}", region.name());
                assert!(SETTINGS.contains(&name.as_str()), "{name}");
            }
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let environment = Environment::from_iter([(QSTASH_TOKEN, "t0k")]);
        let found = credentials(&environment, &Sought::default()).unwrap();
        assert_eq!(found.token, "t0k");
        assert!(!format!("{found:?}").contains("t0k"));
    }
}
