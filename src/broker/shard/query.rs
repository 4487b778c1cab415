//! Changing the query of a request on its way to a shard.

use url::form_urlencoded::byte_serialize;

use crate::broker::query::{pairs, split};
use crate::wire::Request;

/// The request with the parameters in `changes` replaced by a value, or removed.
pub fn with(request: &Request, changes: &[(&str, Option<String>)]) -> Request {
    let (_, query) = split(&request.url);
    let kept = pairs(query).filter(|(_, name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let mut query: Vec<String> = kept.map(|(raw, ..)| raw.to_owned()).collect();
    for (name, value) in changes {
        if let Some(value) = value {
            query.push(format!("{name}={}", byte_serialize(value.as_bytes()).collect::<String>()));
        }
    }
    let url = request.url.split(['?', '#']).next().unwrap_or_default();
    let url = if query.is_empty() { url.to_owned() } else { format!("{url}?{}", query.join("&")) };
    Request { url, ..request.clone() }
}

/// The values of ids in a query, by the shard that each one tells.
pub fn ids_of_shard(ids: &[String], shard: u32, of: impl Fn(&str) -> u32) -> Option<String> {
    let mine: Vec<&str> = ids.iter().map(String::as_str).filter(|id| of(id) == shard).collect();
    (!mine.is_empty()).then(|| mine.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Method;

    #[test]
    fn replaces_parameters_and_keeps_the_others_as_they_were_written() {
        let request = Request::new(Method::Get, "http://b/v2/events?a=%20x&cursor=1&cursor=2&b");
        let changed = with(&request, &[("cursor", Some("3 4".to_owned())), ("count", None)]);
        assert_eq!(changed.url, "http://b/v2/events?a=%20x&b&cursor=3+4");
        assert_eq!(with(&Request::new(Method::Get, "http://b/x?cursor=1"), &[("cursor", None)]).url, "http://b/x");
    }
}
