//! The addresses of this Worker itself, learnt from the requests that reached it.

use std::cell::RefCell;
use std::collections::HashSet;

use worker::Url;

use crate::broker::{Sql, Value};
use crate::error::Result;
use crate::host::edge::sql::ObjectSql;

/// More than this are not remembered; a Worker has one address, or a few.
const MAXIMUM: usize = 64;

/// Scheme and authority of each address by which an authorised request reached this Worker.
///
/// A Worker can't fetch its own address, so what goes there goes through a service binding. The addresses are stored,
/// for the object may be woken by its alarm before any request has told them.
pub struct OwnOrigins {
    sql: ObjectSql,
    known: RefCell<HashSet<String>>,
}

impl OwnOrigins {
    /// Reads the addresses that are stored.
    pub fn open(sql: ObjectSql) -> Result<Self> {
        sql.execute("CREATE TABLE IF NOT EXISTS edge_own_origins (origin TEXT PRIMARY KEY)", &[])?;
        let rows = sql.query("SELECT origin FROM edge_own_origins", &[])?;
        let known = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
        Ok(Self { sql, known: RefCell::new(known) })
    }

    /// Remembers the address in `url`.
    pub fn insert(&self, url: &str) -> Result<()> {
        let Some(origin) = origin(url) else { return Ok(()) };
        if self.known.borrow().len() >= MAXIMUM || self.known.borrow().contains(&origin) {
            return Ok(());
        }
        let values = [Value::from(origin.as_str())];
        self.sql.execute("INSERT OR IGNORE INTO edge_own_origins (origin) VALUES (?)", &values)?;
        self.known.borrow_mut().insert(origin);
        Ok(())
    }

    /// The addresses.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.known.borrow().clone().into_iter()
    }

    /// Whether `url` is an address of this Worker.
    pub fn contains(&self, url: &str) -> bool {
        origin(url).is_some_and(|origin| self.known.borrow().contains(&origin))
    }
}

fn origin(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}
