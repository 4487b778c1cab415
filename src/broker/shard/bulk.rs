//! Changing many things: shard after shard, as many as the request allows in sum.

use serde_json::{Map, Value, json};

use super::list::{Field, cursor};
use super::routes::Bulk;
use crate::error::{Code, Error, Result};
use crate::wire::Response;

/// What is left to be done, and what was done.
#[derive(Clone, Debug)]
pub struct Progress {
    rule: Bulk,
    /// How many may still be changed.
    pub left: u64,
    status: u16,
    number: u64,
    entries: Vec<Value>,
    /// Where each shard goes on.
    pub fields: Vec<Field>,
}

impl Progress {
    /// Nothing was done yet.
    pub fn new(rule: Bulk, count: u64, fields: Vec<Field>) -> Self {
        Self { rule, left: count, status: 200, number: 0, entries: Vec::new(), fields }
    }

    /// Adds what `shard` did.
    pub fn add(&mut self, shard: u32, answer: &Response) -> Result<()> {
        let unreadable = || Error::new(Code::Internal, "a shard's answer to a bulk request can't be read");
        let mut body: Map<String, Value> = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let done = match body.remove(self.rule.member) {
            Some(Value::Array(mut entries)) => {
                let done = u64::try_from(entries.len()).unwrap_or(u64::MAX);
                self.entries.append(&mut entries);
                done
            }
            Some(Value::Number(number)) => number.as_u64().ok_or_else(unreadable)?,
            _ => return Err(unreadable()),
        };
        self.status = answer.status;
        self.number += done;
        self.left = self.left.saturating_sub(done);
        if let Some(field) = usize::try_from(shard).ok().and_then(|shard| self.fields.get_mut(shard)) {
            *field = match body.get("cursor").and_then(Value::as_str) {
                Some(cursor) => Field::At(cursor.to_owned()),
                None => Field::End,
            };
        }
        Ok(())
    }

    /// The answer of all. `counts` tells whether the shards gave cursors or only numbers.
    pub fn answer(self) -> Response {
        let lists = matches!(self.rule.member, "responses" | "workflowRuns");
        let mut body = Map::new();
        if let Some(cursor) = cursor(&self.fields).filter(|_| self.rule.member != "cancelled") {
            body.insert("cursor".to_owned(), json!(cursor));
        }
        let done = if lists { Value::Array(self.entries) } else { json!(self.number) };
        body.insert(self.rule.member.to_owned(), done);
        Response::json(self.status, &Value::Object(body))
    }
}
