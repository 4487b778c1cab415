//! What the process answers beside the API: an index, and whether it is well.

use serde_json::json;

use super::error_answer;
use crate::broker::is_webhook;
use crate::error::{Code, Error};
use crate::wire::{Method, Request, Response, development};

/// `None` for what belongs to the API. `token` is that of the broker.
pub fn answer(request: &Request, token: &str) -> Option<Response> {
    if is_forged(request) {
        let text = "a page of another site can't use the broker: its token is for servers";
        return Some(error_answer(&Error::new(Code::Forbidden, text)));
    }
    if token == development::TOKEN && !is_local(host(&request.url)) && !is_webhook(&request.url) {
        let text = "a broker whose token everybody knows is reached by an address or a local name only; start it with a \
                    token of your own to reach it by a public name";
        return Some(error_answer(&Error::new(Code::Forbidden, text)));
    }
    let path = path(&request.url);
    if ["/v2/", "/llm/"].iter().any(|prefix| path.starts_with(prefix)) {
        return None;
    }
    let answer = match path {
        "/" => index(),
        "/health" => Response::json(200, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })),
        _ => return Some(error_answer(&Error::new(Code::NotFound, "there is nothing here; see / for what is there"))),
    };
    if request.method == Method::Get {
        return Some(answer);
    }
    let body = json!({ "error": format!("{path} does not take {}; expected GET", request.method.as_str()) });
    Some(Response::json(Code::MethodNotAllowed.status(), &body).header("allow", "GET"))
}

/// Whether a browser says that a page of another site sends this. On a developer's machine such a page could publish
/// with the token that everybody knows. What only shows, and webhooks, are for everyone.
fn is_forged(request: &Request) -> bool {
    let is_safe = matches!(request.method, Method::Get | Method::Head | Method::Options);
    !is_safe && request.headers.get("sec-fetch-site") == Some("cross-site") && !is_webhook(&request.url)
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

/// The host of an absolute URL, without its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn index() -> Response {
    let body = json!({
        "name": "orchestration",
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
