//! Between the platform's requests and responses and those of the [wire](crate::wire).
//!
//! Bodies are raw bytes and are always read: workerd's proxies fail when a handler leaves a body unread.

use futures_util::{Stream, StreamExt};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use worker::web_sys;
use worker::{ByteStream, ResponseBuilder};

use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Request, Response};

/// Above the limit of a body this much more is read and dropped before the sender is cut off.
const DRAIN_BYTES: usize = 16 * 1024 * 1024;

/// The platform's request as a value, with at most `limit` + 1 bytes of its body: whoever enforces `limit` sees
/// that there was more, and memory stays bounded.
///
/// [`Code::InvalidRequest`] if the method is none of the wire's or the body breaks off.
pub async fn read_request(request: worker::Request, limit: usize) -> Result<Request> {
    read_request_within(request, |_| limit).await
}

/// The same with a limit that depends on the request's head.
pub async fn read_request_within(
    mut request: worker::Request,
    limit: impl FnOnce(&Request) -> usize,
) -> Result<Request> {
    let (method, url) = (Method::parse(request.method().as_ref()), request.inner().url());
    let mut head = Request::new(*method.as_ref().unwrap_or(&Method::Get), url);
    head.headers = read_headers(request.headers());
    if request.inner().body().is_some() {
        let limit = if method.is_ok() { limit(&head) } else { 0 };
        let broken = |error| Error::new(Code::InvalidRequest, format!("the request's body can't be read: {error}"));
        head.body = read_body(request.stream(), limit).await.map_err(broken)?;
    }
    method.map(|_| head)
}

/// The platform's request without its body; the method is one of the wire's.
pub fn read_head(request: &worker::Request) -> Result<Request> {
    let mut head = Request::new(Method::parse(request.method().as_ref())?, request.inner().url());
    head.headers = read_headers(request.headers());
    Ok(head)
}

/// The platform's response as a value, with at most `limit` bytes of its body.
pub async fn read_response(mut response: worker::Response, limit: usize) -> Result<Response, String> {
    let status = response.status_code();
    let headers = read_headers(response.headers());
    let body = match response.body() {
        worker::ResponseBody::Empty => Vec::new(),
        worker::ResponseBody::Body(body) => body.clone(),
        worker::ResponseBody::Stream(_) => {
            let mut body = read_body(response.stream(), limit).await.map_err(|error| shown(&error))?;
            body.truncate(limit);
            body
        }
    };
    Ok(Response { status, headers, body })
}

/// A value as a response of the platform.
pub fn write_response(response: Response) -> worker::Result<worker::Response> {
    let builder = head(&response)?;
    Ok(if response.body.is_empty() { builder.empty() } else { builder.fixed(response.body) })
}

/// A response whose body is a stream, with status and headers of a value.
pub fn write_stream(
    response: &Response,
    body: impl Stream<Item = worker::Result<Vec<u8>>> + 'static,
) -> worker::Result<worker::Response> {
    head(response)?.from_stream(body)
}

/// A value as a request of the platform. It does not follow redirects, and ends with `signal`.
///
/// `Err` says in a sentence what can't be sent: a header that is none, a body with `GET`.
pub fn write_request(request: &Request, signal: Option<&worker::AbortSignal>) -> Result<web_sys::Request, String> {
    let headers = worker::Headers::new();
    for (name, value) in request.headers.iter() {
        headers.append(name, value).map_err(|_| format!("the header '{name}' can't be sent"))?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_headers(&headers.0);
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_signal(signal.map(std::ops::Deref::deref));
    if !request.body.is_empty() {
        if matches!(request.method, Method::Get | Method::Head) {
            return Err(format!("a {} request can't carry a body on Workers", request.method.as_str()));
        }
        init.set_body(&Uint8Array::from(request.body.as_slice()));
    }
    web_sys::Request::new_with_str_and_init(&request.url, &init)
        .map_err(|error| format!("the request can't be made: {}", shown_js(&error)))
}

/// Sends over the network, or through `service` if there is one; reads at most `limit` bytes of the answer.
pub async fn exchange(
    request: &Request,
    service: Option<&worker::Fetcher>,
    signal: Option<&worker::AbortSignal>,
    limit: usize,
) -> Result<Response, String> {
    let request = worker::Request::from(write_request(request, signal)?);
    let answer = match service {
        Some(service) => service.fetch_request(request).await,
        None => worker::Fetch::Request(request).send().await,
    };
    read_response(answer.map_err(|error| shown(&error))?, limit).await
}

/// An error as `{"error": …}` with the status of its code.
pub fn error_response(error: &Error) -> Response {
    Response::json(error.code().status(), &serde_json::json!({ "error": error.to_string() }))
}

/// One sentence about an error of the platform.
pub fn shown(error: &worker::Error) -> String {
    match error {
        worker::Error::Internal(value) => shown_js(value),
        other => other.to_string(),
    }
}

fn shown_js(value: &JsValue) -> String {
    let message = js_sys::Reflect::get(value, &JsValue::from_str("message")).ok();
    message.and_then(|message| message.as_string()).unwrap_or_else(|| format!("{value:?}"))
}

/// Status and headers of a response.
pub fn head(response: &Response) -> worker::Result<ResponseBuilder> {
    let headers = worker::Headers::new();
    for (name, value) in response.headers.iter() {
        headers.append(name, value)?;
    }
    Ok(ResponseBuilder::new().with_status(response.status).with_headers(headers))
}

fn read_headers(headers: &worker::Headers) -> Headers {
    headers.entries().collect()
}

/// Reads at most `limit` + 1 bytes, and drops up to [`DRAIN_BYTES`] of what follows.
async fn read_body(stream: worker::Result<ByteStream>, limit: usize) -> worker::Result<Vec<u8>> {
    let mut stream = stream?;
    let mut body = Vec::new();
    let mut dropped = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let room = (limit + 1).saturating_sub(body.len()).min(chunk.len());
        body.extend_from_slice(&chunk[..room]);
        dropped += chunk.len() - room;
        if dropped > DRAIN_BYTES {
            break;
        }
    }
    Ok(body)
}
