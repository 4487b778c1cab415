//! `/v2/workflows/hooks/{userId}/{runId}/{eventId}`: the webhooks that workflows make. Whoever knows the address may
//! call it, by any method; the run's id and the event's id are the secret.

use serde_json::{Value, json};

use crate::broker::callback::map;
use crate::broker::query::{decode, pairs};
use crate::broker::store::Sql;
use crate::broker::{Scope, Settings, access, event as events};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Request, Response, base64};

/// The paths of webhooks.
pub const PATTERN: &str = "/v2/workflows/hooks/**";

/// Takes a call, as an event for the run that made the webhook.
pub fn call<S: Sql>(scope: &mut Scope<'_, S>, request: &Request, path: &str, raw_query: &str) -> Result<Response> {
    let [user_id, run_id, event_id] =
        path.split('/').map(|part| decode(part, false)).collect::<Vec<_>>().try_into().map_err(|_| {
            Error::new(Code::NotFound, "the path of a webhook is /v2/workflows/hooks/{user}/{run}/{event}")
        })?;
    if user_of(&scope.settings.token).is_some_and(|user| user != user_id) {
        return Err(Error::new(Code::NotFound, "there is no such webhook, or its run has ended"));
    }
    check_size(scope, request)?;
    let data = describe(scope.settings, request, path, raw_query).to_string();
    scope.transaction(|scope| events::call_webhook(scope, &run_id, &event_id, data.as_bytes()))?;
    Ok(Response::json(200, &json!({})))
}

/// The user that a token of QStash's form names: base64 of JSON with the member `UserID`.
fn user_of(token: &str) -> Option<String> {
    let token: Value = serde_json::from_slice(&base64::decode(token)?).ok()?;
    token.get("UserID")?.as_str().map(str::to_owned)
}

fn check_size<S: Sql>(scope: &Scope<'_, S>, request: &Request) -> Result<()> {
    let limits = &scope.settings.limits;
    let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    for (what, size, limit) in
        [("body", request.body.len(), limits.body_bytes), ("headers", headers, limits.header_bytes)]
    {
        if size > limit {
            let text = format!("the {what} of the call has {size} bytes, over the limit of {limit} bytes");
            return Err(Error::new(Code::PayloadTooLarge, text));
        }
    }
    Ok(())
}

/// The call as `waitForWebhook` expects it; `url` is path and query. Should a token of the broker come with it, which
/// webhooks need not, the workflow does not get to see it.
fn describe(settings: &Settings, request: &Request, path: &str, raw_query: &str) -> Value {
    let (proto, rest) = request.url.split_once("://").unwrap_or(("https", ""));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = request.headers.get("host").filter(|_| host.is_empty()).unwrap_or(host);
    let mut url = format!("{}{path}", PATTERN.trim_end_matches('*'));
    let kept = pairs(raw_query).filter(|(_, _, value)| !access::is_token(settings, value));
    let query: Vec<&str> = kept.map(|(written, ..)| written).collect();
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query.join("&"));
    }
    let carries_token = |value: &str| access::bearer(value).is_some_and(|token| access::is_token(settings, token));
    let headers: Headers = request
        .headers
        .iter()
        .filter(|(_, value)| !carries_token(value))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    json!({
        "method": request.method.as_str(),
        "header": map(&headers),
        "body": base64::encode(&request.body),
        "proto": proto,
        "host": host,
        "url": url,
    })
}
