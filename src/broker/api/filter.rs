//! Filters of lists: several values of one parameter are alternatives, several parameters must all hold.

use serde_json::Value as Json;

use super::POSITIONS;
use crate::broker::query::Query;
use crate::broker::shard::Shard;
use crate::broker::store::Value;
use crate::error::{Code, Error, Result};
use crate::wire::Response;

/// A condition in SQL and its parameters.
pub struct Filter {
    conditions: Vec<String>,
    params: Vec<Value>,
}

/// A Durable Object's SQL takes 100 parameters a statement.
const MOST_VALUES: usize = 90;

impl Filter {
    /// Selects everything.
    pub fn new() -> Self {
        Self { conditions: Vec::new(), params: Vec::new() }
    }

    /// The column has one of the values of the query parameter, if that is given.
    pub fn one_of(&mut self, query: &Query, name: &str, column: &str) -> Result<()> {
        self.any(query, name, &format!("{column} = ?"))
    }

    /// The column has one of the values, if there are any.
    pub fn among(&mut self, column: &str, values: Vec<&str>) -> Result<()> {
        self.any_of(values.into_iter().map(Value::from).collect(), &format!("{column} = ?"))
    }

    /// The comma separated list in the column holds one of the values of the query parameter, if that is given.
    pub fn holds(&mut self, query: &Query, name: &str, column: &str) -> Result<()> {
        self.any(query, name, &format!("instr(',' || {column} || ',', ',' || ? || ',') > 0"))
    }

    /// The text in the column begins with one of the values of the query parameter, if that is given.
    pub fn begins(&mut self, query: &Query, name: &str, column: &str) -> Result<()> {
        self.any(query, name, &format!("instr({column}, ?) = 1"))
    }

    /// The URL in the column has one of the hosts (with port) and one of the paths of the query parameters `host` and
    /// `path`, if they are given.
    pub fn located(&mut self, query: &Query, column: &str) -> Result<()> {
        let rest = format!("substr({column}, instr({column}, '://') + 3) || '/'");
        self.any(query, "host", &format!("substr({rest}, 1, instr({rest}, '/') - 1) = ?"))?;
        let path = format!("substr({column}, instr({column}, '://') + 2 + instr({rest}, '/')) || '?'");
        self.any(query, "path", &format!("substr({path}, 1, instr({path}, '?') - 1) = ?"))
    }

    /// The moment in the column lies between the query parameters `fromDate` and `toDate`, if they are given.
    pub fn between(&mut self, query: &Query, column: &str) -> Result<()> {
        if let Some(from) = query.timestamp("fromDate")? {
            self.and(format!("{column} >= ?"), Value::from(from));
        }
        if let Some(to) = query.timestamp("toDate")? {
            self.and(format!("{column} <= ?"), Value::from(to));
        }
        Ok(())
    }

    /// Also holds a condition with one parameter.
    pub fn and(&mut self, condition: impl Into<String>, param: Value) {
        self.conditions.push(condition.into());
        self.params.push(param);
    }

    /// Also holds the cursor: what follows an earlier page, newest first.
    pub fn after(&mut self, query: &Query, column: &str) -> Result<()> {
        self.beyond(query, &format!("{column} < ?"))
    }

    /// Also holds the cursor: what follows an earlier page, oldest first.
    pub fn before(&mut self, query: &Query, column: &str) -> Result<()> {
        self.beyond(query, &format!("{column} > ?"))
    }

    fn beyond(&mut self, query: &Query, condition: &str) -> Result<()> {
        let Some(cursor) = query.first("cursor") else { return Ok(()) };
        let number: i64 = cursor.parse().map_err(|_| {
            Error::new(Code::InvalidRequest, "the query parameter cursor is not one that an earlier answer gave")
        })?;
        self.and(condition, Value::from(number));
        Ok(())
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The newest `count` entries: condition, order and limit, with their parameters.
    pub fn newest(self, column: &str, count: u64) -> (String, Vec<Value>) {
        self.ordered(&format!("{column} DESC"), count)
    }

    /// The oldest `count` entries, in the same form.
    pub fn oldest(self, column: &str, count: u64) -> (String, Vec<Value>) {
        self.ordered(column, count)
    }

    fn ordered(mut self, order: &str, count: u64) -> (String, Vec<Value>) {
        self.params.push(Value::from(count));
        let conditions = if self.conditions.is_empty() { "1 = 1".to_owned() } else { self.conditions.join(" AND ") };
        (format!("{conditions} ORDER BY {order} LIMIT ?"), self.params)
    }

    /// The condition, which has one parameter, holds for one of the values of the query parameter, if that is given.
    pub fn any(&mut self, query: &Query, name: &str, condition: &str) -> Result<()> {
        self.any_of(query.all(name).into_iter().map(Value::from).collect(), condition)
    }

    fn any_of(&mut self, values: Vec<Value>, condition: &str) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        if self.params.len() + values.len() > MOST_VALUES {
            return Err(Error::new(Code::InvalidRequest, format!("the filters hold more than {MOST_VALUES} values")));
        }
        self.conditions.push(format!("({})", vec![condition; values.len()].join(" OR ")));
        self.params.extend(values);
        Ok(())
    }
}

/// A page ends early once its bodies have so many bytes: an isolate of Workers has 128 MB for all that it does.
pub const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// About how many bytes a view has as JSON.
pub fn size(view: &Json) -> usize {
    match view {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(members) => members.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => size_of::<u64>(),
    }
}

/// The cursor of the next page: the last entry's number if the page is full.
pub fn cursor(numbers: impl ExactSizeIterator<Item = i64>, count: u64) -> Option<String> {
    let full = u64::try_from(numbers.len()).is_ok_and(|length| length >= count);
    numbers.last().filter(|_| full).map(|number| number.to_string())
}

/// Tells the numbers of a page's entries to whoever makes one page of those of several shards.
pub fn numbered(response: Response, shard: Shard, numbers: impl Iterator<Item = i64>) -> Response {
    if shard.is_single() {
        return response;
    }
    response.header(POSITIONS, numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(","))
}
