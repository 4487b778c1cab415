//! What the wire asks of a URL, and when two URLs mean the same.

/// Whether `url` begins as an http(s) URL does, in lower case, as the official SDKs ask.
pub fn is_http(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// Whether a text is an address that a path can be added to: an http(s) URL with a host, without quotes, white space, a
/// user, a query or a fragment.
pub fn is_address(text: &str) -> bool {
    let is_foreign = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>\\@?#".contains(c);
    is_http(text) && !text.contains(is_foreign) && parts(text).is_some()
}

/// Whether two http(s) URLs name the same resource although one of them has passed through a URL parser:
/// scheme and host in any case, the scheme's own port or none, no path or `/`, any fragment (RFC 3986 §6.2.2.1, §6.2.3).
///
/// Anything that is not an http(s) URL is the same only as itself.
pub fn is_same(a: &str, b: &str) -> bool {
    a == b || matches!((parts(a), parts(b)), (Some(a), Some(b)) if a == b)
}

#[derive(PartialEq)]
struct Parts<'a> {
    tls: bool,
    user: &'a str,
    host: String,
    port: u16,
    path: &'a str,
    query: Option<&'a str>,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let (tls, own_port) = if scheme.eq_ignore_ascii_case("https") {
        (true, 443)
    } else if scheme.eq_ignore_ascii_case("http") {
        (false, 80)
    } else {
        return None;
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, authority) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, "")) => (host, own_port),
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port.parse().ok()?),
        Some((_, port)) if !port.contains(']') => return None,
        _ => (authority, own_port),
    };
    let path = if path.is_empty() { "/" } else { path };
    (!host.is_empty()).then(|| Parts { tls, user, host: host.to_ascii_lowercase(), port, path, query })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_be_extended() {
        for text in ["https://qstash.upstash.io", "http://127.0.0.1:8080/", "https://a.test/v1", "http://[::1]:80"] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "a.test",
            "redis://a.test:6379",
            "https://",
            "https:///path",
            "\"https://a.test\"",
            " https://a.test",
            "https://a.test\n",
            "https://u:p@a.test",
            "https://a.test/?q",
            "https://a.test#f",
            "https://a.test:port",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn what_a_parser_changes_makes_no_difference() {
        for (a, b) in [
            ("https://a.test", "https://a.test/"),
            ("HTTPS://A.test:443/b?c=D#e", "https://a.test/b?c=D"),
            ("https://a.test?c", "https://a.test:/?c"),
            ("http://[::1]:80/x", "http://[::1]/x"),
            ("not a url", "not a url"),
        ] {
            assert!(is_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn everything_else_does() {
        for (a, b) in [
            ("https://a.test", "http://a.test"),
            ("https://a.test/b", "https://a.test/B"),
            ("https://a.test/b", "https://a.test/b/"),
            ("https://a.test/b?c", "https://a.test/b"),
            ("https://a.test:8443", "https://a.test"),
            ("https://a.test/?", "https://a.test/"),
            ("https://u@a.test", "https://a.test"),
            ("https://u@a.test", "https://U@a.test"),
            ("https://a.test:+443", "https://a.test"),
            ("http://[::1]/", "http://[::2]/"),
            ("https://a.test:port/", "https://a.test:port"),
            ("ftp://a.test", "ftp://a.test/"),
        ] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }
}
