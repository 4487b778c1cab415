//! The Durable Object that hosts a broker.

#![allow(missing_docs)] // of what `durable_object` makes; what stands here is documented

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use worker::{DurableObject, Env, State, console_error, durable_object};

use crate::broker::Broker;
use crate::broker::changes::stays_open;
use crate::broker::shard::Shard;
use crate::error::{Code, Error, Result};
use crate::host::edge::changes;
use crate::host::edge::courier::Courier;
use crate::host::edge::host::{PlatformEntropy, now};
use crate::host::edge::http::{self, error_response, write_response};
use crate::host::edge::objects::{ANSWER_BYTES, DIRECTORY, LAYOUT, ORIGINS, RELAY, VACANT, WAKE, out_of_shard};
use crate::host::edge::origins::OwnOrigins;
use crate::host::edge::settings;
use crate::host::edge::sql::{ObjectSql, ObjectStorage};
use crate::wire::{Headers, Method, Request, Response, header};

/// A Durable Object with a broker on its SQLite storage.
///
/// `wrangler.toml` names it as `class_name` of the binding `BROKER` and among `new_sqlite_classes`; a Worker's crate
/// re-exports it: `pub use orchestration::host::edge::BrokerObject;`.
///
/// Requests to the object are requests to the broker's API, `/v2/…`; those that [`BrokerObjects`] makes on its own have
/// other paths, which no client reaches.
///
/// [`BrokerObjects`]: super::BrokerObjects
#[durable_object]
pub struct BrokerObject {
    broker: Result<Hosted>,
}

struct Hosted {
    courier: Rc<Courier>,
}

impl Hosted {
    /// Answers what the Worker itself asks.
    async fn answer_shard(&self, path: &str, request: &Request) -> worker::Result<worker::Response> {
        let broker = self.courier.broker();
        let (at, entropy) = (now(), &mut PlatformEntropy);
        let done = match path {
            RELAY => {
                for origin in request.headers.get(ORIGINS).unwrap_or_default().split(',') {
                    self.courier.note_own_url(origin);
                }
                broker.handle_relay(&request.body, at, entropy).map(|()| Vec::new())
            }
            DIRECTORY if request.method == Method::Get => broker.directory(),
            DIRECTORY => broker.handle_directory(&request.body, at, entropy).map(|()| Vec::new()),
            _ => Err(Error::new(Code::NotFound, "the Worker asks for what this build does not know")),
        };
        self.courier.handle_change().await?;
        write_response(match done {
            Ok(body) => Response::new(200).body(body),
            Err(error) => error_response(&error),
        })
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
        let broker = hosted.courier.broker();
        let signal = changes::signal_of(&request);
        let limit = |head: &Request| match out_of_shard(&head.url) {
            Some((_, url)) if url.starts_with("https://broker/") => ANSWER_BYTES,
            Some((_, url)) => broker.body_limit(&Request { url, ..head.clone() }),
            None => broker.body_limit(head),
        };
        let mut request = match http::read_request_within(request, limit).await {
            Ok(request) => request,
            Err(error) => return write_response(error_response(&error)),
        };
        let (shard, internal) = match out_of_shard(&request.url) {
            Some((shard, url)) => {
                request.url = url;
                (shard, request.url.strip_prefix("https://broker/").map(|path| format!("/{path}")))
            }
            None => (Shard::default(), None),
        };
        match internal.as_deref() {
            Some(LAYOUT) => return write_response(Response::new(200).body(broker.shard().count().to_string())),
            Some(VACANT) => {
                return write_response(match broker.check_vacant(shard.count()) {
                    Ok(()) => Response::new(204),
                    Err(error) => error_response(&error),
                });
            }
            _ => {}
        }
        if internal.as_deref() == Some(WAKE) {
            hosted.courier.wake().await?;
            return worker::Response::empty();
        }
        if let Err(error) = broker.handle_layout(shard) {
            return write_response(error_response(&error));
        }
        if let Some(internal) = internal {
            return hosted.answer_shard(&internal, &request).await;
        }
        name_caller(&mut request.headers);
        // What others call this Worker is not believed.
        if broker.knows(&request) {
            hosted.courier.note_own_url(&request.url);
        }
        let response = broker.handle_request(&request, now(), &mut PlatformEntropy);
        // Before the answer: the platform holds it back until the message and the alarm are both on disk.
        match hosted.courier.handle_change().await {
            Ok(()) if stays_open(&request, &response) => changes::answer(&hosted.courier, &response, signal),
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
    let response_limit = broker_settings.response_bytes;
    let storage: ObjectStorage = storage.unchecked_into();
    let sql = ObjectSql::new(&storage);
    let broker = Broker::open(ObjectSql::new(&storage), broker_settings)?;
    // An object is never constructed while another instance of it runs.
    broker.handle_restart(now())?;
    let courier = Courier::new(broker, OwnOrigins::open(sql)?, State::from(state), env, response_limit)?;
    Ok(Hosted { courier })
}
