//! One page of what the pages of all shards hold, newest first.
//!
//! The cursor of such a page has a field for each shard: the number of the last entry that was shown, `n` if none was
//! yet, `x` if there is no more.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use crate::broker::api::POSITIONS;
use crate::error::{Code, Error, Result};
use crate::wire::Response;

/// How far a shard's entries have been shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Not at all.
    New,
    /// To the entry with this cursor.
    At(String),
    /// There is no more.
    End,
}

/// Reads a cursor; without one nothing was shown.
pub fn fields(cursor: Option<&str>, shards: usize) -> Result<Vec<Field>> {
    let Some(cursor) = cursor else { return Ok(vec![Field::New; shards]) };
    let invalid =
        || Error::new(Code::InvalidRequest, "the query parameter cursor is not one that an earlier answer gave");
    let read = |field: &str| match field {
        "n" => Ok(Field::New),
        "x" => Ok(Field::End),
        number if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Field::At(number.to_owned()))
        }
        _ => Err(invalid()),
    };
    let fields = cursor.split('.').map(read).collect::<Result<Vec<_>>>()?;
    if fields.len() == shards { Ok(fields) } else { Err(invalid()) }
}

/// Writes a cursor; `None` if no shard has more.
pub fn cursor(fields: &[Field]) -> Option<String> {
    let text = |field: &Field| match field {
        Field::New => "n".to_owned(),
        Field::End => "x".to_owned(),
        Field::At(number) => number.clone(),
    };
    let more = fields.iter().any(|field| *field != Field::End);
    more.then(|| fields.iter().map(text).collect::<Vec<_>>().join("."))
}

/// A shard's page.
struct Page {
    shard: usize,
    entries: Vec<Value>,
    /// The cursor of each entry.
    positions: Vec<u64>,
    /// Whether more may follow.
    full: bool,
    shown: usize,
}

impl Page {
    fn read(shard: usize, response: &Response, member: &str) -> Result<Self> {
        let unreadable = || Error::new(Code::Internal, "a shard answered with a page that can't be read");
        let mut body: Map<String, Value> = serde_json::from_slice(&response.body).map_err(|_| unreadable())?;
        let Some(Value::Array(entries)) = body.remove(member) else { return Err(unreadable()) };
        let positions = response.headers.get(POSITIONS).unwrap_or_default();
        let positions = positions.split(',').filter(|text| !text.is_empty()).map(str::parse);
        let positions: Vec<u64> = positions.collect::<Result<_, _>>().map_err(|_| unreadable())?;
        if positions.len() != entries.len() {
            return Err(unreadable());
        }
        Ok(Self { shard, entries, positions, full: body.contains_key("cursor"), shown: 0 })
    }

    fn time(&self, member: &str) -> Option<u64> {
        self.entries.get(self.shown).map(|entry| entry.get(member).and_then(Value::as_u64).unwrap_or(0))
    }
}

/// Makes one page of `count` entries at most; `answers` are those of the shards in `asked`, `fields` tells what was
/// shown before.
pub fn merge(
    member: &str,
    time: &str,
    count: usize,
    mut fields: Vec<Field>,
    asked: &[u32],
    answers: &[Response],
) -> Result<Response> {
    let mut pages = asked
        .iter()
        .zip(answers)
        .map(|(shard, answer)| Page::read(usize::try_from(*shard).unwrap_or(0), answer, member))
        .collect::<Result<Vec<_>>>()?;
    let mut entries = Vec::new();
    // What follows on a page that ended early may be newer than the rest.
    while entries.len() < count && !pages.iter().any(|page| page.full && page.shown == page.entries.len()) {
        let newest = pages
            .iter_mut()
            .filter(|page| page.shown < page.entries.len())
            .max_by_key(|page| (page.time(time), Reverse(page.shard)));
        let Some(page) = newest else { break };
        entries.push(page.entries[page.shown].take());
        page.shown += 1;
    }
    for page in pages {
        let Some(field) = fields.get_mut(page.shard) else { continue };
        if page.shown == page.entries.len() && !page.full {
            *field = Field::End;
        } else if let Some(last) = page.shown.checked_sub(1).and_then(|last| page.positions.get(last)) {
            *field = Field::At(last.to_string());
        } else if let Some(first) = page.positions.first().filter(|_| *field == Field::New) {
            // What comes meanwhile belongs to no later page.
            *field = Field::At((first + 1).to_string());
        }
    }
    let mut body = Map::new();
    if let Some(cursor) = cursor(&fields) {
        body.insert("cursor".to_owned(), json!(cursor));
    }
    body.insert(member.to_owned(), Value::Array(entries));
    Ok(Response::json(200, &Value::Object(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(times: &[u64], full: bool) -> Response {
        let entries: Vec<Value> = times.iter().map(|time| json!({ "time": time })).collect();
        let mut body = json!({ "events": entries });
        if full {
            body["cursor"] = json!("0");
        }
        let positions: Vec<String> = times.iter().map(|time| (time * 10).to_string()).collect();
        Response::json(200, &body).header(POSITIONS, positions.join(","))
    }

    fn shown(response: &Response) -> (Vec<u64>, Option<String>) {
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let times = body["events"].as_array().unwrap().iter().map(|event| event["time"].as_u64().unwrap()).collect();
        (times, body.get("cursor").map(|cursor| cursor.as_str().unwrap().to_owned()))
    }

    #[test]
    fn the_newest_of_all_shards_come_first_and_the_cursor_tells_what_was_shown() {
        let answers = [page(&[9, 7, 5], true), page(&[8, 6], false), page(&[], false)];
        let fields = fields(None, 3).unwrap();
        let merged = merge("events", "time", 3, fields.clone(), &[0, 1, 2], &answers).unwrap();
        assert_eq!(shown(&merged), (vec![9, 8, 7], Some("70.80.x".to_owned())));
        let merged = merge("events", "time", 1, fields.clone(), &[0, 1, 2], &answers).unwrap();
        assert_eq!(shown(&merged), (vec![9], Some("90.81.x".to_owned())));
        let merged = merge("events", "time", 10, fields.clone(), &[0, 1, 2], &answers).unwrap();
        assert_eq!(shown(&merged), (vec![9, 8, 7, 6, 5], Some("50.x.x".to_owned())));
        let early = [page(&[9, 7], true), page(&[8, 6, 4], false), page(&[], false)];
        let merged = merge("events", "time", 10, fields, &[0, 1, 2], &early).unwrap();
        assert_eq!(shown(&merged), (vec![9, 8, 7], Some("70.80.x".to_owned())));
    }

    #[test]
    fn a_cursor_of_another_number_of_shards_is_refused() {
        assert_eq!(fields(Some("12.n.x"), 3).unwrap(), [Field::At("12".to_owned()), Field::New, Field::End]);
        for text in ["12", "12.n", "12.n.y", "..", ""] {
            assert!(fields(Some(text), 3).is_err(), "{text}");
        }
    }
}
