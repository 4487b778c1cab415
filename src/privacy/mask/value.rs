//! Secrets in JSON values. The rules are those of `maskSensitiveData` in JavaScript.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::privacy::mask::MASKED;
use crate::privacy::mask::name::is_secret_name;
use crate::privacy::mask::text::mask_text;

/// Objects and arrays within one another, and texts in JSON within texts; what lies deeper is left out.
pub const MAX_DEPTH: usize = 100;

/// What stands for an object or array that lies too deep.
const TOO_DEEP: &str = "[too deep]";

/// Masks the secrets of a value where they stand: all texts and numbers under a [secret name](super::is_secret_name), and
/// the [secrets in texts](mask_text), names of members and texts in JSON included. Objects and arrays keep their shape;
/// `null` and booleans tell nothing, so they stay. Lists of names and values (`[["token", "…"]]`,
/// `{"name": "token", "value": "…"}`) are understood.
///
/// ```
/// use orchestration::privacy::mask::mask_value;
/// use serde_json::json;
///
/// let mut user = json!({"name": "ann", "apiKey": "k1", "log": ["sent Bearer abcdef123456"], "maxTokens": 5});
/// mask_value(&mut user);
/// assert_eq!(
///     user,
///     json!({"name": "ann", "apiKey": "[masked]", "log": ["sent Bearer [masked credentials]"], "maxTokens": 5}),
/// );
/// ```
pub fn mask_value(value: &mut Value) {
    mask(value, false, 0);
}

/// [`mask_value`], of a copy.
#[must_use]
pub fn masked(value: &Value) -> Value {
    let mut value = value.clone();
    mask_value(&mut value);
    value
}

/// Masks a value that may stand under a secret name. Gives whether there was something to mask.
fn mask(value: &mut Value, secret: bool, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => {
            let masked = if secret { Some(MASKED.to_owned()) } else { mask_text(&number.to_string()) };
            replace(value, masked)
        }
        Value::String(text) if secret => {
            let stays = text.is_empty() || is_masked(text);
            replace(value, (!stays).then(|| MASKED.to_owned()))
        }
        Value::String(text) => {
            let masked = json(text, depth).unwrap_or_else(|NotJson| mask_text(text));
            replace(value, masked)
        }
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => replace(value, Some(TOO_DEEP.to_owned())),
        Value::Array(items) => {
            if let (false, [Value::String(name), value]) = (secret, items.as_mut_slice())
                && is_header(name, value)
            {
                return mask(value, true, depth + 1);
            }
            let pairs = !secret && items.iter().all(is_pair);
            let items = items.iter_mut();
            items.fold(false, |found, item| {
                let secret = secret || pairs && name_of_pair(item).is_some_and(is_secret_name);
                match item {
                    Value::Array(pair) if pairs => {
                        let mut pair = pair.iter_mut();
                        let name = pair.next().is_some_and(|name| mask(name, false, depth + 2));
                        pair.fold(found | name, |found, value| mask(value, secret, depth + 2) | found)
                    }
                    item => mask(item, secret, depth + 1) | found,
                }
            })
        }
        Value::Object(members) => object(members, secret, depth),
    }
}

fn object(members: &mut Map<String, Value>, secret: bool, depth: usize) -> bool {
    let label = ["name", "key"].iter().filter_map(|label| members.get(*label)?.as_str());
    let labelled = label.filter(|label| is_secret_name(label)).count() > 0;
    let mut found = false;
    for (name, member) in members.iter_mut() {
        let secret = secret || is_secret_name(name) || name == "value" && labelled;
        found |= mask(member, secret, depth + 1);
    }
    let renamed = |name: &String| mask_text(name).map(|masked| (name.clone(), masked));
    let renamed: Vec<_> = members.keys().filter_map(renamed).collect();
    let mut numbers = BTreeMap::new();
    for (name, masked) in renamed {
        if let Some(member) = members.remove(&name) {
            members.insert(unused(members, &masked, &mut numbers), member);
            found = true;
        }
    }
    found
}

fn replace(value: &mut Value, masked: Option<String>) -> bool {
    let found = masked.is_some();
    if let Some(masked) = masked {
        *value = Value::String(masked);
    }
    found
}

/// A text is no object, array or text in JSON.
struct NotJson;

/// A text in JSON, masked: in its own spelling if that is possible; `None` if there is nothing to mask.
fn json(text: &str, depth: usize) -> Result<Option<String>, NotJson> {
    let trimmed = text.trim();
    let is_likely = [('{', '}'), ('[', ']'), ('"', '"')]
        .iter()
        .any(|(begin, end)| trimmed.len() > 1 && trimmed.starts_with(*begin) && trimmed.ends_with(*end));
    if !is_likely || depth >= MAX_DEPTH {
        return Err(NotJson);
    }
    let mut walked: Value = serde_json::from_str(trimmed).map_err(|_| NotJson)?;
    if !mask(&mut walked, false, depth + 1) {
        return Ok(None);
    }
    // In texts within texts, marks of quotes are easily taken for what they quote.
    let says_the_same = |spelt: &String| {
        serde_json::from_str::<Value>(spelt.trim()).is_ok_and(|mut left| {
            !mask(&mut left, false, depth + 1) && without_kinds(&left.to_string()) == without_kinds(&walked.to_string())
        })
    };
    Ok(Some(mask_text(text).filter(says_the_same).unwrap_or_else(|| walked.to_string())))
}

/// The text with `[masked]` for `[masked jwt]` and its like.
fn without_kinds(text: &str) -> String {
    let mut parts = text.split("[masked ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str("[masked");
        plain.push_str(part.find(']').map_or(part, |end| &part[end..]));
    }
    plain
}

fn is_masked(text: &str) -> bool {
    let inner = text.strip_prefix("[masked").and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte == b' ' || byte.is_ascii_lowercase()))
}

/// Whether this is an entry of headers by itself: `["authorization", "Basic …"]`, and no list of names.
fn is_header(name: &str, value: &Value) -> bool {
    let named = name.to_ascii_lowercase();
    let is_name = named.contains('-') || named.ends_with("authorization") || named.ends_with("cookie");
    let lists = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    is_name && value.as_str().is_some_and(|text| !lists(text)) && is_secret_name(name)
}

fn is_pair(item: &Value) -> bool {
    name_of_pair(item).is_some()
}

fn name_of_pair(item: &Value) -> Option<&str> {
    match item.as_array().map(Vec::as_slice) {
        Some([name, _]) => name.as_str(),
        _ => None,
    }
}

/// The name, or the first of `name 2`, `name 3`, … that no other member has. `numbers` tells which is to be tried next:
/// thousands of names may be masked alike.
fn unused(members: &Map<String, Value>, name: &str, numbers: &mut BTreeMap<String, u64>) -> String {
    let mut place = name.to_owned();
    let number = numbers.entry(name.to_owned()).or_insert(1);
    if *number > 1 {
        place = format!("{name} {number}");
    }
    while members.contains_key(&place) {
        *number += 1;
        place = format!("{name} {number}");
    }
    place
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_copy_is_masked_and_stays_as_it_is_when_it_is_masked_again() {
        let value = json!({"auth": {"password": {"old": "a", "on": true}}, "log": "{\"token\":\"abc\"}"});
        let copy = masked(&value);
        let expected =
            json!({"auth": {"password": {"old": "[masked]", "on": true}}, "log": "{\"token\":\"[masked value]\"}"});
        assert_eq!(copy, expected);
        assert_eq!(masked(&copy), copy);
        assert_eq!(value["auth"]["password"]["old"], "a");
    }

    #[test]
    fn what_lies_too_deep_is_not_told() {
        let nested = (0..MAX_DEPTH + 10).fold(json!("secret-free"), |value, _| json!([value]));
        let masked = masked(&nested);
        let (mut seen, mut depth) = (&masked, 0);
        while let Some(inner) = seen.get(0) {
            (seen, depth) = (inner, depth + 1);
        }
        assert_eq!((seen, depth), (&json!(TOO_DEEP), MAX_DEPTH));
    }
}
