//! The dashboard's files, which the platform keeps beside the Worker.

use worker::{Env, Fetcher, ResponseBody, ResponseBuilder, Url, console_error};

use crate::broker::dashboard::{File, files};
use crate::host::edge::http::{self, head, read_head};
use crate::host::edge::settings::ASSETS;
use crate::wire::{Request, Response};

/// The page or file of the dashboard that answers a request, for what belongs to no other path of a Worker; `None` if there
/// is none, or the Worker has no binding `ASSETS`.
///
/// The binding's files are the dashboard's static build, and are asked for by their names: `html_handling` and
/// `not_found_handling` are `none`, and `run_worker_first` is `true`.
pub async fn dashboard(request: &worker::Request, env: &Env) -> worker::Result<Option<worker::Response>> {
    let Ok(assets) = env.assets(ASSETS) else { return Ok(None) };
    let Ok(request) = read_head(request) else { return Ok(None) };
    for file in files(&request) {
        if let Some(response) = fetch(&assets, &request, file).await? {
            return Ok(Some(response));
        }
    }
    Ok(None)
}

async fn fetch(assets: &Fetcher, request: &Request, file: File) -> worker::Result<Option<worker::Response>> {
    let mut url = Url::parse("https://assets.invalid").map_err(|error| worker::Error::RustError(error.to_string()))?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(file.name.split('/'));
    }
    let mut asked = Request::new(request.method, url);
    if let Some(known) = request.headers.get("if-none-match") {
        asked = asked.header("if-none-match", known);
    }
    let asked = http::write_request(&asked, None).map_err(worker::Error::RustError)?;
    let answer = match assets.fetch_request(worker::Request::from(asked)).await {
        Ok(answer) => answer,
        Err(error) => {
            console_error!("the dashboard's file {} can't be read: {}", file.name, http::shown(&error));
            return Ok(None);
        }
    };
    // A page that says that nothing is there is not taken from a cache.
    let status = match answer.status_code() {
        200 => file.status,
        304 if file.status == 200 => 304,
        _ => return Ok(None),
    };
    let mut response = Response { status, headers: file.headers, body: Vec::new() };
    if let Some(tag) = answer.headers().get("etag")?.filter(|_| file.status == 200) {
        response.headers.set("etag", tag);
    }
    let builder: ResponseBuilder = head(&response)?;
    Ok(Some(match answer.body() {
        ResponseBody::Stream(body) if status != 304 => builder.stream(body.clone()),
        ResponseBody::Body(body) if status != 304 => builder.fixed(body.clone()),
        _ => builder.empty(),
    }))
}
