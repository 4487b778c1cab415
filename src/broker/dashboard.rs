//! The dashboard beside the API: which of its files answers a request, and the headers that go with it.
//!
//! The files are those of a static build: `runs.html` is the page at `/runs`, what stands in `_next/static/` has names that
//! change with the content. A host has the folder, and asks here for everything that belongs to no path of its own.

use crate::broker::query::{decode, split};
use crate::wire::{Headers, Method, Request};

/// A file that may answer a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the folder: segments and slashes; no segment begins with a dot.
    pub name: String,
    /// The status that it is sent with.
    pub status: u16,
    /// The headers that it is sent with.
    pub headers: Headers,
}

/// The files that may answer a request. The first that is there does; if none is, the host's own answer stands.
pub fn files(request: &Request) -> Vec<File> {
    if !matches!(request.method, Method::Get | Method::Head) {
        return Vec::new();
    }
    let path = split(&request.url).0;
    let accept = request.headers.get("accept").unwrap_or_default();
    let is_browser = accept.contains(HTML);
    let wants_index = path == "/" && accept.contains("application/json") && !is_browser;
    let found = name(path).filter(|_| !wants_index).map(|name| file(name, 200));
    let missing = is_browser.then(|| file(NOT_FOUND.to_owned(), 404));
    found.into_iter().chain(missing).collect()
}

/// The page that browsers see where nothing is.
const NOT_FOUND: &str = "404.html";
const HTML: &str = "text/html";
/// Names in here are made of what is in the files.
const HASHED: &str = "_next/static/";

/// Content types by the end of a name.
const TYPES: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    // What pages load of other pages: Next.js takes it as text.
    ("txt", "text/plain; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
];

/// What every file is sent with. Which scripts may run, each page says itself; it can't say who may frame it.
const SAFETY: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    // An address may hold ids, and for a moment a token.
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "frame-ancestors 'none'"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The file that a path names; `None` for what leads out of the folder, or into what is hidden.
fn name(path: &str) -> Option<String> {
    let path = decode(path, false);
    let name = path.strip_prefix('/')?;
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_empty() {
        return Some("index.html".to_owned());
    }
    let is_plain = |segment: &str| !segment.is_empty() && !segment.starts_with('.');
    if name.len() > 1024 || name.contains(|c: char| c.is_control() || "\\:\u{fffd}".contains(c)) {
        return None;
    }
    if !name.split('/').all(is_plain) {
        return None;
    }
    let has_end = name.rsplit('/').next().is_some_and(|last| last.contains('.'));
    Some(if has_end { name.to_owned() } else { format!("{name}.html") })
}

fn file(name: String, status: u16) -> File {
    let end = name.rsplit('.').next().unwrap_or_default();
    let content_type =
        TYPES.iter().find(|(known, _)| *known == end).map_or("application/octet-stream", |(_, name)| name);
    let is_hashed = name.starts_with(HASHED);
    let caching = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut headers: Headers = SAFETY.iter().copied().collect();
    headers.set("content-type", content_type);
    headers.set("cache-control", caching);
    if !is_hashed {
        // Where a page is for browsers, others get JSON.
        headers.set("vary", "accept");
    }
    File { name, status, headers }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, path: &str, accept: &str) -> Vec<(String, u16)> {
        let request = Request::new(method, format!("https://broker.test{path}")).header("Accept", accept);
        files(&request).into_iter().map(|file| (file.name, file.status)).collect()
    }

    fn named(path: &str) -> Option<String> {
        asked(Method::Get, path, "*/*").pop().map(|(name, _)| name)
    }

    #[test]
    fn pages_are_files_without_their_end() {
        for (path, name) in [
            ("/", "index.html"),
            ("/?id=1", "index.html"),
            ("/runs", "runs.html"),
            ("/runs/", "runs.html"),
            ("/runs.txt?_rsc=1", "runs.txt"),
            ("/runs/__next._tree.txt", "runs/__next._tree.txt"),
            ("/_next/static/chunks/a%5Bb%5D-1.js", "_next/static/chunks/a[b]-1.js"),
        ] {
            assert_eq!(named(path).as_deref(), Some(name), "{path}");
        }
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for path in [
            "/../secret",
            "/..",
            "/%2e%2e/secret",
            "/a/%2E%2e/secret",
            "/..%2fsecret",
            "/%2e%2e%5csecret",
            "/a%5c..%5csecret",
            "//etc/passwd",
            "/a//b",
            "/.git/config",
            "/a/.env",
            "/C:/secret.txt",
            "/a%00.html",
            "/%ff",
        ] {
            assert_eq!(named(path), None, "{path}");
        }
        // Decoded once.
        assert_eq!(named("/%252e%252e/secret").as_deref(), Some("%2e%2e/secret.html"));
    }

    #[test]
    fn browsers_get_pages_and_programs_get_json() {
        const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(asked(Method::Get, "/", "application/json"), []);
        assert_eq!(asked(Method::Post, "/runs", BROWSER), []);
        let page = |name: &str, status| (name.to_owned(), status);
        assert_eq!(asked(Method::Get, "/", BROWSER), [page("index.html", 200), page("404.html", 404)]);
        assert_eq!(asked(Method::Head, "/nowhere", BROWSER), [page("nowhere.html", 200), page("404.html", 404)]);
        assert_eq!(asked(Method::Get, "/..", BROWSER), [page("404.html", 404)]);
        assert_eq!(asked(Method::Get, "/runs", "*/*"), [page("runs.html", 200)]);
    }

    #[test]
    fn files_have_headers() {
        let headers = |path: &str| {
            let request = Request::new(Method::Get, format!("https://broker.test{path}"));
            files(&request).remove(0).headers
        };
        let script = headers("/_next/static/chunks/a-1.js");
        assert_eq!(script.get("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(script.get("cache-control"), Some("public, max-age=31536000, immutable"));
        let page = headers("/runs");
        assert_eq!(page.get("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.get("cache-control"), Some("no-cache"));
        for headers in [script, page] {
            assert_eq!(headers.get("x-content-type-options"), Some("nosniff"));
            assert_eq!(headers.get("referrer-policy"), Some("no-referrer"));
            assert_eq!(headers.get("content-security-policy"), Some("frame-ancestors 'none'"));
        }
        assert_eq!(headers("/thing.unknown").get("content-type"), Some("application/octet-stream"));
    }
}
