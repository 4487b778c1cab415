//! Paths and queries, written so that no value can leave its place.

use url::form_urlencoded::Serializer;

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;

/// A kind of thing that the broker keeps, and the path below which it is found.
pub(super) struct Resource {
    /// Such as `/v2/queues`.
    pub path: &'static str,
    /// What an error calls the id: `the name of a queue`.
    pub id: &'static str,
}

impl Resource {
    /// The path of the one with `id`, which becomes a single segment whatever it holds.
    ///
    /// [`Code::InvalidRequest`] for an empty id, and for `.` and `..`, which would name another resource.
    pub fn at(&self, id: &str) -> Result<String> {
        check_id(self.id, id)?;
        let mut path = format!("{}/", self.path);
        push_segment(&mut path, id);
        Ok(path)
    }
}

/// Names and values of a query, in order.
#[derive(Default)]
pub(super) struct Query(String);

impl Query {
    /// Adds a value.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0 = Serializer::for_suffix(std::mem::take(&mut self.0), 0).append_pair(name, value).finish();
    }

    /// Adds a value if there is one.
    pub fn push_some(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.push(name, &value.to_string());
        }
    }

    /// `path` with this query.
    pub fn after(self, path: &str) -> String {
        if self.0.is_empty() { path.to_owned() } else { format!("{path}?{}", self.0) }
    }
}

/// [`Code::InvalidRequest`] for an id that is empty or would leave its place in a path.
pub(super) fn check_id(what: &str, id: &str) -> Result<()> {
    if id.is_empty() || id == "." || id == ".." {
        return Err(Error::new(Code::InvalidRequest, format!("expected {what}, got '{}'", shown(id))));
    }
    Ok(())
}

/// What RFC 3986 lets stand in a segment stays as it is, as in the URLs of the official SDK.
pub(super) fn push_segment(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,;=".contains(&byte) {
            path.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            path.push('%');
            path.push(char::from(HEX[usize::from(byte >> 4)]));
            path.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THINGS: Resource = Resource { path: "/v2/things", id: "the id of a thing" };

    #[test]
    fn an_id_is_one_segment() {
        for (id, path) in [
            ("msg_1-2.3~", "/v2/things/msg_1-2.3~"),
            ("../keys/rotate?x#y", "/v2/things/..%2Fkeys%2Frotate%3Fx%23y"),
            ("a b%2Fé", "/v2/things/a%20b%252F%C3%A9"),
        ] {
            assert_eq!(THINGS.at(id).as_deref(), Ok(path));
        }
        for id in ["", ".", ".."] {
            let error = THINGS.at(id).unwrap_err();
            assert_eq!(error.code(), Code::InvalidRequest);
            assert!(error.message().contains("the id of a thing"), "{error}");
        }
    }

    #[test]
    fn a_query_is_written_as_url_search_params_write_it() {
        let mut query = Query::default();
        query.push("a", "x y&z=é*-._~");
        query.push_some("b", Some(1));
        query.push_some("c", None::<u32>);
        assert_eq!(query.after("/p"), "/p?a=x+y%26z%3D%C3%A9*-._%7E&b=1");
        assert_eq!(Query::default().after("/p"), "/p");
    }
}
