//! What the process answers beside the API: the dashboard, an index, and whether it is well.

use serde_json::json;

use super::error_answer;
use crate::broker::dashboard::{File, files};
use crate::broker::is_webhook;
use crate::error::{Code, Error};
use crate::wire::{Method, Request, Response, development};

/// What the process is, so that it is known for a broker without a token.
const NAME: &str = "orchestration";

/// An answer, and the files of the dashboard that are sent in its place if they are there.
pub struct Answer {
    pub response: Response,
    pub files: Vec<File>,
}

/// `None` for what belongs to the API. `token` is that of the broker.
pub fn answer(request: &Request, token: &str) -> Option<Answer> {
    let alone = |response| Some(Answer { response, files: Vec::new() });
    if is_forged(request) {
        let text = "a page of another site can't change anything at the broker: its token is for servers";
        return alone(error_answer(&Error::new(Code::Forbidden, text)));
    }
    if token == development::TOKEN && !is_local(host(&request.url)) && !is_webhook(&request.url) {
        let text = "a broker whose token everybody knows is reached by an address or a local name only; start it with a \
                    token of your own to reach it by a public name";
        return alone(error_answer(&Error::new(Code::Forbidden, text)));
    }
    let path = path(&request.url);
    if ["/v2/", "/llm/"].iter().any(|prefix| path.starts_with(prefix)) {
        return None;
    }
    let response = match path {
        "/" => index(),
        "/health" => {
            Response::json(200, &json!({ "status": "ok", "name": NAME, "version": env!("CARGO_PKG_VERSION") }))
        }
        _ => error_answer(&Error::new(Code::NotFound, "there is nothing here; see / for what is there")),
    };
    if response.is_success() && request.method != Method::Get {
        let body = json!({ "error": format!("{path} does not take {}; expected GET", request.method.as_str()) });
        return alone(Response::json(Code::MethodNotAllowed.status(), &body).header("allow", "GET"));
    }
    let files = if path == "/health" { Vec::new() } else { files(request) };
    Some(Answer { response, files })
}

/// Whether a browser says that a page of another site or port sends this. On a developer's machine such a page could
/// publish with the token that everybody knows. What only shows, and webhooks, are for everyone. Browsers tell the origin
/// of whatever changes something, but the site only to https and this machine's own addresses; servers tell neither.
fn is_forged(request: &Request) -> bool {
    let is_safe = matches!(request.method, Method::Get | Method::Head | Method::Options);
    let is_cross_site = request.headers.get("sec-fetch-site") == Some("cross-site");
    let is_foreign =
        |origin: &str| !origin.contains("://") || !authority(origin).eq_ignore_ascii_case(authority(&request.url));
    !is_safe && (is_cross_site || request.headers.get("origin").is_some_and(is_foreign)) && !is_webhook(&request.url)
}

/// Whether a host can't be the name of somebody's site. A site can let its name lead to this machine, and to the browser
/// its pages then belong to the broker.
fn is_local(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name.starts_with('[')
        || name.parse::<std::net::Ipv4Addr>().is_ok()
        || !name.contains('.')
        || [".localhost", ".local", ".internal", ".test"].iter().any(|end| name.ends_with(end))
}

/// Host and port of an absolute URL, as they stand there.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// The host of an absolute URL, without its port.
fn host(url: &str) -> &str {
    let authority = authority(url);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn index() -> Response {
    let body = json!({
        "name": NAME,
        "version": env!("CARGO_PKG_VERSION"),
        "paths": {
            "/v2/": "the broker's API, as QStash has it",
            "/health": "whether the broker is there",
        },
    });
    Response::json(200, &body)
}

/// The path of an absolute URL, without its query.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |start| &rest[start..]);
    path.split(['?', '#']).next().unwrap_or(path)
}
