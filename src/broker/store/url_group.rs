//! The tables of URL groups: a name for several endpoints (`qstash/features/url-groups.mdx`).

use crate::broker::store::gate::count;
use crate::broker::store::sql::{Row, Sql, params};
use crate::error::Result;
use crate::wire::{Headers, Timestamp};

/// A URL group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlGroup {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Publish headers of every message to the group that does not set them itself.
    pub headers: Headers,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// Who gets its messages, in the order in which they were added; a stored group has one at least.
    pub endpoints: Vec<Endpoint>,
}

/// A member of a URL group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The absolute URL; no two of a group are the same.
    pub url: String,
    /// A name; no two of a group are the same.
    pub name: Option<String>,
}

impl UrlGroup {
    /// A group without endpoints.
    pub fn new(name: &str, at: Timestamp) -> Self {
        Self { name: name.to_owned(), headers: Headers::new(), created_at: at, updated_at: at, endpoints: Vec::new() }
    }

    /// Adds an endpoint. One with the same URL gets its name, one with the same name its URL.
    pub fn upsert(&mut self, endpoint: Endpoint) {
        let named = |known: &Endpoint| known.name.is_some() && known.name == endpoint.name;
        let Some(index) = self.endpoints.iter().position(|known| known.url == endpoint.url || named(known)) else {
            self.endpoints.push(endpoint);
            return;
        };
        let endpoint =
            Endpoint { name: endpoint.name.or_else(|| self.endpoints[index].name.clone()), url: endpoint.url };
        let mut position = 0;
        self.endpoints.retain(|known| {
            position += 1;
            let same = known.url == endpoint.url || (known.name.is_some() && known.name == endpoint.name);
            position - 1 == index || !same
        });
        self.endpoints[index] = endpoint;
    }
}

/// Adds a group, or changes it.
pub fn put<S: Sql>(sql: &S, group: &UrlGroup) -> Result<()> {
    sql.execute(
        "INSERT OR REPLACE INTO url_groups (name, headers, created_at, updated_at) VALUES (?, ?, ?, ?)",
        params![&group.name, &group.headers, group.created_at, group.updated_at],
    )?;
    sql.execute("DELETE FROM url_group_endpoints WHERE url_group = ?", params![&group.name])?;
    for (position, endpoint) in group.endpoints.iter().enumerate() {
        sql.execute(
            "INSERT INTO url_group_endpoints (url_group, position, url, name) VALUES (?, ?, ?, ?)",
            params![&group.name, position, &endpoint.url, endpoint.name.as_ref()],
        )?;
    }
    Ok(())
}

/// The group with a name.
pub fn find<S: Sql>(sql: &S, name: &str) -> Result<Option<UrlGroup>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM url_groups WHERE name = ?"), params![name])?;
    rows.first().map(|row| read(sql, row)).transpose()
}

/// All groups, by name.
pub fn all<S: Sql>(sql: &S) -> Result<Vec<UrlGroup>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM url_groups ORDER BY name"), &[])?;
    rows.iter().map(|row| read(sql, row)).collect()
}

/// How many groups there are.
pub fn number<S: Sql>(sql: &S) -> Result<u64> {
    count(sql, "SELECT count(*) FROM url_groups WHERE name <> ?", "")
}

/// Forgets a group; messages that were published to it are delivered all the same.
pub fn remove<S: Sql>(sql: &S, name: &str) -> Result<()> {
    sql.execute("DELETE FROM url_group_endpoints WHERE url_group = ?", params![name])?;
    sql.execute("DELETE FROM url_groups WHERE name = ?", params![name])?;
    Ok(())
}

const COLUMNS: &str = "name, headers, created_at, updated_at";

fn read<S: Sql>(sql: &S, row: &Row) -> Result<UrlGroup> {
    let name = row.text(0)?;
    let endpoints =
        sql.query("SELECT url, name FROM url_group_endpoints WHERE url_group = ? ORDER BY position", params![&name])?;
    let endpoint = |row: &Row| Ok(Endpoint { url: row.text(0)?, name: row.optional(1, Row::text)? });
    Ok(UrlGroup {
        headers: row.headers(1)?,
        created_at: row.timestamp(2)?,
        updated_at: row.timestamp(3)?,
        endpoints: endpoints.iter().map(endpoint).collect::<Result<_>>()?,
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, name: Option<&str>) -> Endpoint {
        Endpoint { url: url.to_owned(), name: name.map(str::to_owned) }
    }

    #[test]
    fn an_endpoint_is_known_by_its_url_and_by_its_name() {
        let mut group = UrlGroup::new("g", Timestamp::default());
        for (added, expected) in [
            (endpoint("a", None), vec![endpoint("a", None)]),
            (endpoint("b", Some("2")), vec![endpoint("a", None), endpoint("b", Some("2"))]),
            (endpoint("a", Some("1")), vec![endpoint("a", Some("1")), endpoint("b", Some("2"))]),
            (endpoint("b", None), vec![endpoint("a", Some("1")), endpoint("b", Some("2"))]),
            (endpoint("c", Some("2")), vec![endpoint("a", Some("1")), endpoint("c", Some("2"))]),
            (endpoint("c", Some("1")), vec![endpoint("c", Some("1"))]),
        ] {
            group.upsert(added);
            assert_eq!(group.endpoints, expected);
        }
    }
}
