//! The entry points of the Worker that this repository deploys.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use worker::{Context, Env, Request, Response, ScheduleContext, ScheduledEvent, event};

use crate::error::{Code, Error};
use crate::host::edge::http::{self, error_response, write_response};
use crate::host::edge::{Router, object, samples, settings};
use crate::wire;

/// Whether this isolate has woken the broker.
static WOKEN: AtomicBool = AtomicBool::new(false);

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// `/v2/…` is the broker's API, `/samples/…` are workflows, `/health` tells whether the settings are complete.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    if !WOKEN.swap(true, Ordering::Relaxed) {
        let env = env.clone();
        context.wait_until(async move { object::wake(&env).await });
    }
    let path = request.path();
    if path.starts_with("/v2/") {
        let broker = match object::stub(&env) {
            Ok(broker) => broker,
            Err(error) => return write_response(error_response(&error)),
        };
        return broker.fetch_with_request(request).await.or_else(|error| {
            let reason = format!("the broker's object did not answer: {}", http::shown(&error));
            write_response(error_response(&Error::new(Code::BrokerUnreachable, reason)))
        });
    }
    let router = Router::new().workflow("/samples/order", samples::order);
    if router.serves(&path) {
        return router.run(request, env, context).await;
    }
    // Read, so that the connection stays usable; see `http`.
    if let Err(error) = http::read_request(request, 0).await {
        return write_response(error_response(&error));
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
    object::wake(&env).await;
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
    let complete = settings::broker(env).and_then(|_| settings::connections(env)).and_then(|_| object::stub(env));
    match complete {
        Ok(_) => wire::Response::json(200, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })),
        Err(error) => error_response(&error),
    }
}
