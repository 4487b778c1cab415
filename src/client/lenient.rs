//! What brokers write in more than one way.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// `null` counts as absent: a server in Go writes a list without members so.
pub(super) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Headers by name, with one value or a list of them.
pub(super) fn header_lists<'de, D>(deserializer: D) -> Result<BTreeMap<String, Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Values {
        One(String),
        Many(Vec<String>),
    }
    let headers: BTreeMap<String, Values> = or_default(deserializer)?;
    let lists = headers.into_iter().map(|(name, values)| match values {
        Values::One(value) => (name, vec![value]),
        Values::Many(values) => (name, values),
    });
    Ok(lists.collect())
}
