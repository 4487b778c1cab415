//! Paths and queries of requests, taken apart without being normalised.

use std::collections::BTreeMap;

use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// The path and the query of an absolute URL, as they were written, without the fragment.
pub fn split(url: &str) -> (&str, &str) {
    let after_scheme = url.find("://").map_or(url, |index| &url[index + 3..]);
    let path = after_scheme.find(['/', '?', '#']).map_or("/", |index| &after_scheme[index..]);
    let path = path.split('#').next().unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    (if path.is_empty() { "/" } else { path }, query)
}

/// The parameters of a query, decoded, in order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`.
    pub fn parse(text: &str) -> Self {
        Self(pairs(text).map(|(_, name, value)| (name, value)).collect())
    }

    /// Takes the ids that a request names in its body, `{"<name>": [ids]}`, as the parameter `name`: the official
    /// Python client writes them there.
    pub fn take_ids(&mut self, name: &str, body: &[u8]) -> Result<()> {
        if body.is_empty() {
            return Ok(());
        }
        let lists: BTreeMap<String, Vec<String>> = serde_json::from_slice(body).unwrap_or_default();
        let ids = lists.get(name).filter(|ids| lists.len() == 1 && !ids.is_empty()).ok_or_else(|| {
            Error::new(
                Code::InvalidRequest,
                format!("the body must be empty or {{\"{name}\": [ids]}} with an id at least"),
            )
        })?;
        self.0.extend(ids.iter().map(|id| (name.to_owned(), id.clone())));
        Ok(())
    }

    /// The names of the parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of `name`.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Every value of `name`; one parameter may hold several, separated by commas.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A moment in Unix milliseconds.
    pub fn timestamp(&self, name: &str) -> Result<Option<Timestamp>> {
        self.number(name).map(|number| number.map(Timestamp::from_millis))
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Result<Option<u64>> {
        self.first(name)
            .map(|value| {
                value.parse().map_err(|_| {
                    Error::new(Code::InvalidRequest, format!("the query parameter {name} must be a whole number"))
                })
            })
            .transpose()
    }

    /// How many entries a list may have: `count`, at most `most`.
    pub fn count(&self, default: u64, most: u64) -> Result<u64> {
        match self.number("count")? {
            None => Ok(default.min(most)),
            Some(count) if (1..=most).contains(&count) => Ok(count),
            Some(_) => {
                Err(Error::new(Code::InvalidRequest, format!("the query parameter count must be from 1 to {most}")))
            }
        }
    }

    /// Refuses parameters that are not in `known`: a misspelt filter must not select everything.
    pub fn refuse_unknown(&self, known: &[&str]) -> Result<()> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => Err(Error::new(
                Code::InvalidRequest,
                format!(
                    "the query parameter '{}' is not known here; expected one of {}",
                    crate::wire::duration::shown(name),
                    known.join(", ")
                ),
            )),
        }
    }
}

/// The parameters of a query: as written, and name and value decoded.
pub fn pairs(text: &str) -> impl Iterator<Item = (&str, String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (pair, decode(name, true), decode(value, true))
    })
}

/// Decodes `%41`, and `+` as a blank in a query. What is not UTF-8 becomes U+FFFD.
pub fn decode(text: &str, plus_is_blank: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                rest = after;
                continue;
            }
            (b'+', _) if plus_is_blank => bytes.push(b' '),
            _ => bytes.push(first),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_without_touching_the_path() {
        for (url, expected) in [
            ("http://b/v2/publish/https://a.b/c?d=e#f", ("/v2/publish/https://a.b/c", "d=e")),
            ("http://b", ("/", "")),
            ("http://b?x=1", ("/", "x=1")),
            ("/v2/keys", ("/v2/keys", "")),
        ] {
            assert_eq!(split(url), expected, "{url}");
        }
    }

    #[test]
    fn decodes_parameters() {
        let query = Query::parse("a=1,2&a=3&b=x%20y+z&c&d=%zz%4");
        assert_eq!(query.all("a"), ["1", "2", "3"]);
        assert_eq!(query.first("b"), Some("x y z"));
        assert_eq!(query.first("c"), None);
        assert_eq!(query.first("d"), Some("%zz%4"));
        assert!(query.refuse_unknown(&["a", "b", "c"]).is_err());
    }
}
