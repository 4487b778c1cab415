//! The Durable Object that hosts a broker.

#![allow(missing_docs)] // of what `durable_object` makes; what stands here is documented

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use worker::{DurableObject, Env, State, Stub, console_error, durable_object};

use crate::broker::{Broker, is_webhook};
use crate::error::{Code, Error, Result};
use crate::host::edge::courier::Courier;
use crate::host::edge::host::{PlatformEntropy, now};
use crate::host::edge::http::{self, error_response, write_response};
use crate::host::edge::origins::OwnOrigins;
use crate::host::edge::settings::{self, BROKER};
use crate::host::edge::sql::{ObjectSql, ObjectStorage};
use crate::wire::{Headers, header};

/// A Durable Object with a broker on its SQLite storage.
///
/// `wrangler.toml` names it as `class_name` of the binding `BROKER` and among `new_sqlite_classes`; a Worker's crate
/// re-exports it: `pub use orchestration::host::edge::BrokerObject;`.
///
/// Requests to the object are requests to the broker's API, `/v2/…`; `/wake` only wakes it.
#[durable_object]
pub struct BrokerObject {
    broker: Result<Hosted>,
}

struct Hosted {
    courier: Rc<Courier>,
    body_limit: usize,
}

/// A request to the object with this path makes it look for work, should its alarm have been lost.
pub const WAKE_PATH: &str = "/wake";

/// The object's name in its namespace: one object has all messages.
const NAME: &str = "broker";

/// The broker's object; [`Code::InvalidConfiguration`] if the Worker has no binding `BROKER`.
pub fn stub(env: &Env) -> Result<Stub> {
    env.durable_object(BROKER).and_then(|namespace| namespace.get_by_name(NAME)).map_err(|error| {
        let reason = http::shown(&error);
        Error::new(
            Code::InvalidConfiguration,
            format!("the Worker needs a binding {BROKER} to the Durable Object BrokerObject: {reason}"),
        )
    })
}

/// Makes the broker look for work; what fails is logged.
pub async fn wake(env: &Env) {
    let woken = match stub(env) {
        Ok(stub) => {
            stub.fetch_with_str(&format!("https://broker{WAKE_PATH}")).await.map_err(|error| http::shown(&error))
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = woken {
        console_error!("the broker can't be woken: {}", error);
    }
}

impl DurableObject for BrokerObject {
    fn new(state: State, env: Env) -> Self {
        console_error_panic_hook::set_once();
        let broker = open(state, &env);
        if let Err(error) = &broker {
            console_error!("the broker can't be opened: {}", error.to_string());
        }
        Self { broker }
    }

    async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        let hosted = match &self.broker {
            Ok(hosted) => hosted,
            Err(error) => return write_response(error_response(error)),
        };
        if request.path() == WAKE_PATH {
            hosted.courier.wake().await?;
            return worker::Response::empty();
        }
        let mut request = match http::read_request(request, hosted.body_limit).await {
            Ok(request) => request,
            Err(error) => return write_response(error_response(&error)),
        };
        name_caller(&mut request.headers);
        let response = hosted.courier.broker().handle_request(&request, now(), &mut PlatformEntropy);
        // Webhooks are called without a token, so what they call this Worker is not believed.
        if response.is_success() && !is_webhook(&request.url) {
            hosted.courier.note_own_url(&request.url);
        }
        // Before the answer: the platform holds it back until the message and the alarm are both on disk.
        match hosted.courier.handle_change().await {
            Ok(()) => write_response(response),
            Err(error) => {
                let reason = format!("the broker can't be woken for what it holds: {}", http::shown(&error));
                write_response(error_response(&Error::new(Code::Storage, reason)))
            }
        }
    }

    /// Fails only if the next alarm can't be set, for then the platform has to try again.
    async fn alarm(&self) -> worker::Result<worker::Response> {
        if let Ok(hosted) = &self.broker {
            hosted.courier.run().await?;
        }
        worker::Response::empty()
    }
}

/// Tells the broker who calls, as the platform saw it; what the caller says of itself doesn't count.
fn name_caller(headers: &mut Headers) {
    let address = headers.get("cf-connecting-ip").map(str::to_owned);
    match address {
        Some(address) => headers.set(header::CALLER_IP, address),
        None => headers.remove(header::CALLER_IP),
    }
}

fn open(state: State, env: &Env) -> Result<Hosted> {
    let state = state._inner();
    let storage: JsValue = state.storage().map_err(|_| Error::new(Code::Storage, "the object has no storage"))?.into();
    let broker_settings = settings::broker(env)?;
    let (body_limit, response_limit) = (broker_settings.request_bytes(), broker_settings.response_bytes);
    let storage: ObjectStorage = storage.unchecked_into();
    let sql = ObjectSql::new(&storage);
    let broker = Broker::open(ObjectSql::new(&storage), broker_settings)?;
    // An object is never constructed while another instance of it runs.
    broker.handle_restart(now())?;
    let courier = Courier::new(broker, OwnOrigins::open(sql)?, State::from(state), env, response_limit)?;
    Ok(Hosted { courier, body_limit })
}
