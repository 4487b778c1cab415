//! The entry points of the Worker that this repository deploys.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use worker::{Context, Env, Request, Response, ScheduleContext, ScheduledEvent, console_error, event};

use crate::error::{Code, Error};
use crate::host::edge::http::{self, error_response, write_response};
use crate::host::edge::{BrokerObjects, Router, dashboard, samples, settings};
use crate::wire;

/// Whether this isolate has woken the broker.
static WOKEN: AtomicBool = AtomicBool::new(false);

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// `/v2/…` is the broker's API, `/samples/…` are workflows, `/health` tells whether the settings are complete; everything else
/// is the dashboard.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    if !WOKEN.swap(true, Ordering::Relaxed) {
        let env = env.clone();
        context.wait_until(async move { wake(&env).await });
    }
    let path = request.path();
    if path.starts_with("/v2/") || path.starts_with("/llm/") {
        return match BrokerObjects::new(&env) {
            Ok(objects) => objects.fetch(request).await,
            Err(error) => write_response(error_response(&error)),
        };
    }
    let router = Router::new().workflow("/samples/order", samples::order);
    if router.serves(&path) {
        return router.run(request, env, context).await;
    }
    let page = if path == "/health" { None } else { dashboard(&request, &env).await? };
    // Read, so that the connection stays usable; see `http`.
    if let Err(error) = http::read_request(request, 0).await {
        return write_response(error_response(&error));
    }
    if let Some(page) = page {
        return Ok(page);
    }
    write_response(match path.as_str() {
        "/" => index(),
        "/health" => health(&env),
        _ => {
            error_response(&Error::new(Code::NotFound, format!("there is nothing at {path}; see / for what is there")))
        }
    })
}

/// Each minute, should an alarm have been lost.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    wake(&env).await;
}

async fn wake(env: &Env) {
    match BrokerObjects::new(env) {
        Ok(objects) => objects.wake().await,
        Err(error) => console_error!("the broker can't be woken: {}", error.to_string()),
    }
}

fn index() -> wire::Response {
    wire::Response::json(
        200,
        &json!({
            "name": "orchestration",
            "version": env!("CARGO_PKG_VERSION"),
            "paths": {
                "/v2/": "the broker's API, as QStash has it",
                "/samples/order": "a sample workflow in Rust",
                "/health": "whether the settings are complete",
            },
        }),
    )
}

fn health(env: &Env) -> wire::Response {
    let complete = settings::broker(env).and_then(|_| settings::connections(env)).and_then(|_| BrokerObjects::new(env));
    match complete {
        Ok(_) => wire::Response::json(200, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })),
        Err(error) => error_response(&error),
    }
}
