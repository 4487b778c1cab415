//! Options as they come from JavaScript: read by name, so that every mistake can be told by name.
//!
//! One reader for all options instead of one derived reader each: the wasm of the npm package is a sixth smaller.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::parse_duration;

/// Names and values of one object. What is taken must be all there is: see [`Fields::end`].
pub(crate) struct Fields {
    fields: Vec<(String, Json)>,
    known: Vec<&'static str>,
}

/// A value, with an object's fields in their order.
pub(crate) enum Json {
    Null,
    Flag(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// [`Code::InvalidRequest`] for a text that is no JSON.
    pub fn read(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|error| Error::new(Code::InvalidRequest, format!("the options: {error}")))
    }

    /// [`Code::InvalidRequest`] for anything but an object.
    pub fn fields(self) -> Result<Fields> {
        match self {
            Json::Object(fields) => Ok(Fields { fields, known: Vec::new() }),
            _ => Err(Error::new(Code::InvalidRequest, "expected an object with options")),
        }
    }

    /// [`Code::InvalidRequest`] for anything but an array of objects.
    pub fn list(self) -> Result<Vec<Fields>> {
        match self {
            Json::List(items) => items.into_iter().map(Json::fields).collect(),
            _ => Err(Error::new(Code::InvalidRequest, "expected an array of objects with options")),
        }
    }

    /// A text, or a number as JavaScript shows it.
    pub fn shown(self) -> Option<String> {
        match self {
            Json::Text(text) => Some(text),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

impl Fields {
    /// The fields of a JSON object.
    pub fn read(json: &str) -> Result<Self> {
        Json::read(json)?.fields()
    }

    /// A field, whatever it is; `null` counts as absent.
    pub fn take(&mut self, name: &'static str) -> Option<Json> {
        self.known.push(name);
        let index = self.fields.iter().position(|(known, _)| known == name)?;
        match self.fields.remove(index).1 {
            Json::Null => None,
            value => Some(value),
        }
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(mistaken(name, "a text")),
        }
    }

    /// A text that can't be left out.
    pub fn required(&mut self, name: &'static str) -> Result<String> {
        self.text(name)?.ok_or_else(|| Error::new(Code::InvalidRequest, format!("expected the option {name}")))
    }

    /// `true` or `false`; absent counts as `false`.
    pub fn flag(&mut self, name: &'static str) -> Result<bool> {
        Ok(self.choice(name)?.unwrap_or(false))
    }

    /// A whole number from 0 on.
    pub fn count(&mut self, name: &'static str) -> Result<Option<u32>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let count = match &value {
            Json::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            _ => None,
        };
        count.map(Some).ok_or_else(|| mistaken(name, "a whole number from 0 to 4294967295"))
    }

    /// A number; absent counts as none, and so does an endless one, which JSON writes as `null`.
    pub fn number(&mut self, name: &'static str) -> Result<Option<f64>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = match &value {
            Json::Number(number) => number.as_f64(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| mistaken(name, "a number"))
    }

    /// `true` or `false`, if it is there.
    pub fn choice(&mut self, name: &'static str) -> Result<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Flag(flag)) => Ok(Some(flag)),
            Some(_) => Err(mistaken(name, "true or false")),
        }
    }

    /// A text or several.
    pub fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>> {
        let one_or_many = || mistaken(name, "a text, or an array of texts");
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(vec![text])),
            Some(Json::List(items)) => {
                let texts = items.into_iter().map(|item| match item {
                    Json::Text(text) => Ok(text),
                    _ => Err(one_or_many()),
                });
                texts.collect::<Result<_>>().map(Some)
            }
            Some(_) => Err(one_or_many()),
        }
    }

    /// Pairs of texts, such as headers; none if absent.
    pub fn pairs<T: FromIterator<(String, String)>>(&mut self, name: &'static str) -> Result<T> {
        let refuse = || mistaken(name, "an array of names with their values");
        let items = match self.take(name) {
            None => Vec::new(),
            Some(Json::List(items)) => items,
            Some(_) => return Err(refuse()),
        };
        let pairs = items.into_iter().map(|item| match item {
            Json::List(pair) => match <[Json; 2]>::try_from(pair) {
                Ok([Json::Text(name), Json::Text(value)]) => Ok((name, value)),
                _ => Err(refuse()),
            },
            _ => Err(refuse()),
        });
        pairs.collect()
    }

    /// An object.
    pub fn object(&mut self, name: &'static str) -> Result<Option<Fields>> {
        self.take(name).map(Json::fields).transpose().map_err(|_| mistaken(name, "an object"))
    }

    /// A duration as a header carries it: a number counts as seconds, rounded.
    pub fn duration(&mut self, name: &'static str) -> Result<Option<String>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let value = match value {
            Json::Text(text) => return parse_duration(&text).map(|_| Some(text)),
            Json::Number(number) => number.as_f64(),
            _ => None,
        };
        match value.filter(|seconds| *seconds >= 0.0) {
            Some(seconds) => Ok(Some(format!("{}s", rounded(seconds)))),
            None => Err(Error::new(
                Code::InvalidDuration,
                format!("the option {name} must be a number of seconds from 0 on, or a duration such as '10s'"),
            )),
        }
    }

    /// A moment in Unix seconds, rounded.
    pub fn moment(&mut self, name: &'static str) -> Result<Option<u64>> {
        let Some(seconds) = self.number(name)? else { return Ok(None) };
        if seconds < 0.0 {
            return Err(Error::new(
                Code::InvalidDuration,
                format!("the option {name} must be a moment in Unix seconds, from 0 on"),
            ));
        }
        Ok(Some(rounded(seconds)))
    }

    /// The fields that nobody took, in their order.
    pub fn rest(self) -> Vec<(String, Json)> {
        self.fields
    }

    /// [`Code::InvalidRequest`] if a field was not taken: a misspelt option must not be left out silently.
    pub fn end(self) -> Result<()> {
        let Some((name, _)) = self.fields.iter().find(|(_, value)| !matches!(value, Json::Null)) else {
            return Ok(());
        };
        Err(Error::new(
            Code::InvalidRequest,
            format!("there is no option '{}'; there are {}", shown(name), self.known.join(", ")),
        ))
    }
}

/// As JavaScript's `toFixed(0)` rounds; and no formatting of floats in the wasm.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The cast saturates.
fn rounded(seconds: f64) -> u64 {
    (seconds + 0.5) as u64
}

/// A value of another kind.
pub(crate) fn mistaken(name: &str, expected: &str) -> Error {
    Error::new(Code::InvalidRequest, format!("the option {name} must be {expected}"))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
                Ok(Json::Flag(flag))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
                Ok(Json::Number(number.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
                Ok(Json::Number(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
                Ok(serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Json::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = entries.next_entry()? {
                    fields.push(field);
                }
                Ok(Json::Object(fields))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::read(json).unwrap()
    }

    #[test]
    fn a_mistake_is_told_by_name() {
        for (json, take) in [
            (r#"{"x": 1}"#, (|f| f.text("x").map(drop)) as fn(&mut Fields) -> Result<()>),
            ("{}", |f| f.required("x").map(drop)),
            (r#"{"x": "true"}"#, |f| f.flag("x").map(drop)),
            (r#"{"x": 1.5}"#, |f| f.count("x").map(drop)),
            (r#"{"x": -1}"#, |f| f.count("x").map(drop)),
            (r#"{"x": 4294967296}"#, |f| f.count("x").map(drop)),
            (r#"{"x": ["a", 1]}"#, |f| f.texts("x").map(drop)),
            (r#"{"x": [["a"]]}"#, |f| f.pairs::<Vec<_>>("x").map(drop)),
            (r#"{"x": {"a": "b"}}"#, |f| f.pairs::<Vec<_>>("x").map(drop)),
            (r#"{"x": []}"#, |f| f.object("x").map(drop)),
            (r#"{"x": -0.5}"#, |f| f.duration("x").map(drop)),
            (r#"{"x": true}"#, |f| f.moment("x").map(drop)),
        ] {
            let error = take(&mut fields(json)).unwrap_err();
            assert!(error.message().contains("option x"), "{json}: {error}");
        }
        assert!(Fields::read("[]").is_err() && Fields::read("{").is_err());
    }

    #[test]
    fn what_was_not_taken_is_an_error() {
        let mut options = fields(r#"{"known": 1, "absent": null, "knwon": 2}"#);
        assert_eq!(options.count("known"), Ok(Some(1)));
        let error = options.end().unwrap_err();
        assert_eq!(error.message(), "there is no option 'knwon'; there are known");
        assert_eq!(fields(r#"{"absent": null}"#).end(), Ok(()));
    }

    #[test]
    fn durations_and_moments_are_rounded() {
        let mut options = fields(r#"{"a": 1.5, "b": "1d10h", "c": 1800000000.5, "d": 0}"#);
        assert_eq!(options.duration("a"), Ok(Some("2s".into())));
        assert_eq!(options.duration("b"), Ok(Some("1d10h".into())));
        assert_eq!(options.moment("c"), Ok(Some(1_800_000_001)));
        assert_eq!(options.duration("d"), Ok(Some("0s".into())));
        assert_eq!(options.end(), Ok(()));
    }
}
