//! The broker for its process on Node, which owns sockets, clock and database.
//!
//! Calls throw what the database refuses; answers to requests are never thrown, they are answers. Moments are
//! milliseconds, as `Date.now()` gives them.

mod audience;
mod front;
mod settings;
mod sql;

use std::net::IpAddr;

use js_sys::Array;
use wasm_bindgen::prelude::*;

use self::audience::Audience;
use self::front::Answer;
use self::settings::BrokerSettings;
use self::sql::{Database, DatabaseSql};
use super::error::thrown;
use super::text::{SystemEntropy, headers_of, text_of, timestamp};
use crate::broker::changes::{self, stays_open};
use crate::broker::dashboard::File;
use crate::broker::{self, LeaseId, Outcome, Settings, is_webhook};
use crate::error::{Error, Result};
use crate::wire::{Headers, Method, Request, Response, development, header};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/**
 * An answer. Headers are a line for each name and each value, in Latin-1: a character for each byte. If it stays open, it goes
 * on with what `Broker.news` says, once `Broker.listen` has a place for it.
 */
export type AnswerTuple = [
  status: number,
  headers: string,
  body: Uint8Array<ArrayBuffer>,
  staysOpen: boolean,
  files: FileTuple[],
];

/** A file of the dashboard. The first that is there is sent in place of the answer. */
export type FileTuple = [name: string, status: number, headers: string];

/** A request that has to be sent now; after `timeout` milliseconds it is given up. */
export type DeliveryTuple = [
  lease: string,
  messageId: string,
  method: string,
  url: string,
  headers: string,
  body: Uint8Array<ArrayBuffer>,
  timeout: number,
];
";

/// A broker over a database. See [`crate::broker`] for the calling order.
#[wasm_bindgen]
pub struct Broker {
    inner: broker::Broker<DatabaseSql>,
    response_bytes: usize,
    token: String,
    audience: Audience,
}

#[wasm_bindgen]
impl Broker {
    /// Opens the database of a process that has it alone.
    #[wasm_bindgen(constructor)]
    pub fn new(database: Database, settings: BrokerSettings, now: f64) -> std::result::Result<Broker, JsValue> {
        open(database, settings.0, now).map_err(|error| thrown(&error))
    }

    /// How many bytes of a request's body matter, by its head; one more is enough to see that there are too many.
    #[wasm_bindgen(js_name = bodyLimit)]
    pub fn body_limit(&self, method: &str, url: String, headers: &str) -> usize {
        Method::parse(method).map_or(0, |method| {
            self.inner.body_limit(&Request { method, url, headers: headers_of(headers), body: Vec::new() })
        })
    }

    /// The most bytes of a destination's answer that have to be read.
    #[wasm_bindgen(getter, js_name = responseBytes)]
    pub fn response_bytes(&self) -> usize {
        self.response_bytes
    }

    /// Why a delivery must not go to an IP address; `undefined` if it may.
    pub fn refusal(&self, address: &str) -> Option<String> {
        let Ok(address) = address.parse() else { return Some(format!("'{address}' is no IP address")) };
        self.inner.check_address(address).err().map(|error| error.message().to_owned())
    }

    /// Token, current and next signing key.
    #[wasm_bindgen(
        getter,
        unchecked_return_type = "[token: string, currentSigningKey: string, nextSigningKey: string]"
    )]
    pub fn identity(&self) -> Array {
        let (current, next) = self.inner.signing_keys();
        [&self.token, &current, &next].into_iter().map(|text| JsValue::from_str(text)).collect()
    }

    /// Answers a request. What it accepted is in the database by then. `url` is absolute, its path as it came in; `caller`
    /// is the address of the peer.
    #[wasm_bindgen(unchecked_return_type = "AnswerTuple")]
    pub fn request(&self, method: &str, url: String, headers: &str, body: Vec<u8>, caller: &str, now: f64) -> Array {
        let mut entropy = SystemEntropy::default();
        let answer = Method::parse(method).map(|asked| {
            // What has no body in the answer is asked for like what has one; a webhook is told the method.
            let method = if asked == Method::Head && !is_webhook(&url) { Method::Get } else { asked };
            let mut request = Request { method, url, headers: headers_of(headers), body };
            name_caller(&mut request.headers, caller);
            if let Some(Answer { response, files }) = front::answer(&request, &self.token) {
                return answer_tuple(response, false, files);
            }
            let response = self.inner.handle_request(&request, timestamp(now), &mut entropy);
            let stays_open = asked == method && stays_open(&request, &response);
            answer_tuple(response, stays_open, Vec::new())
        });
        // An id that can be guessed would be worse than no answer.
        let answer = answer.and_then(|answer| entropy.check().map(|()| answer));
        answer.unwrap_or_else(|error| answer_tuple(error_answer(&error), false, Vec::new()))
    }

    /// Takes a place for a listener to changes; `leave` gives it back. If none is free, the answer that says so.
    #[wasm_bindgen(unchecked_return_type = "AnswerTuple | undefined")]
    pub fn listen(&self, now: f64) -> Option<Array> {
        let has_place = self.audience.join(self.inner.revision(), timestamp(now));
        (!has_place).then(|| answer_tuple(changes::full(), false, Vec::new()))
    }

    /// A listener's connection has ended.
    pub fn leave(&self) {
        self.audience.leave();
    }

    /// What every listener hears now, or in how many milliseconds to ask again. To be asked, too, when something may have
    /// changed. `now` is that of the machine, for intervals pass on its clock.
    #[wasm_bindgen(unchecked_return_type = "string | number")]
    pub fn news(&self, now: f64) -> JsValue {
        self.audience.news(self.inner.revision(), timestamp(now))
    }

    /// Up to `limit` deliveries that are due; the outcome of each has to be told.
    #[wasm_bindgen(unchecked_return_type = "DeliveryTuple[]")]
    pub fn take(&self, limit: usize, now: f64) -> std::result::Result<Array, JsValue> {
        let mut entropy = SystemEntropy::default();
        let deliveries = self.inner.take_deliveries(limit, timestamp(now), &mut entropy);
        let deliveries = deliveries.and_then(|deliveries| entropy.check().map(|()| deliveries));
        Ok(deliveries.map_err(|error| thrown(&error))?.into_iter().map(delivery_tuple).collect())
    }

    /// The destination answered, whatever the status.
    pub fn answered(
        &self,
        lease: &str,
        status: u16,
        headers: &str,
        body: Vec<u8>,
        now: f64,
    ) -> std::result::Result<(), JsValue> {
        let response = Response { status, headers: headers_of(headers), body };
        self.tell(lease, Outcome::Answered(response), now)
    }

    /// There was no answer: no connection, or it broke.
    pub fn unreachable(&self, lease: &str, error: String, now: f64) -> std::result::Result<(), JsValue> {
        self.tell(lease, Outcome::Unreachable { error }, now)
    }

    /// It was not sent: its name leads to an address that `refusal` refuses.
    pub fn refused(&self, lease: &str, error: String, now: f64) -> std::result::Result<(), JsValue> {
        self.tell(lease, Outcome::Refused { error }, now)
    }

    /// There was no answer in time.
    #[wasm_bindgen(js_name = timedOut)]
    pub fn timed_out(&self, lease: &str, now: f64) -> std::result::Result<(), JsValue> {
        self.tell(lease, Outcome::TimedOut, now)
    }

    /// When there is something to take; `undefined`: not before the next request.
    #[wasm_bindgen(js_name = nextWake)]
    #[allow(clippy::cast_precision_loss)] // a moment, far below 2^53
    pub fn next_wake(&self) -> std::result::Result<Option<f64>, JsValue> {
        let wake = self.inner.next_wake().map_err(|error| thrown(&error))?;
        let sweep = self.inner.next_sweep().map_err(|error| thrown(&error))?;
        let wake = wake.into_iter().chain(sweep).min();
        Ok(wake.map(|at| at.millis() as f64))
    }
}

impl Broker {
    fn tell(&self, lease: &str, outcome: Outcome, now: f64) -> std::result::Result<(), JsValue> {
        let mut entropy = SystemEntropy::default();
        let told = self.inner.handle_outcome(&LeaseId::new(lease), outcome, timestamp(now), &mut entropy);
        told.and_then(|()| entropy.check()).map_err(|error| thrown(&error))
    }
}

/// Where a broker for development listens if nobody says otherwise; `port` is the setting `QSTASH_DEV_PORT`.
#[wasm_bindgen(js_name = developmentUrl)]
pub fn development_url(port: Option<String>) -> String {
    development::url(&port.into_iter().map(|port| ("QSTASH_DEV_PORT", port)).collect())
}

/// Token, current and next signing key of a broker for development, which everybody knows.
#[wasm_bindgen(
    js_name = publicIdentity,
    unchecked_return_type = "[token: string, currentSigningKey: string, nextSigningKey: string]"
)]
pub fn public_identity() -> Array {
    [development::TOKEN, development::CURRENT_SIGNING_KEY, development::NEXT_SIGNING_KEY]
        .map(JsValue::from_str)
        .into_iter()
        .collect()
}

fn open(database: Database, settings: Settings, now: f64) -> Result<Broker> {
    let (response_bytes, token) = (settings.response_bytes, settings.token.clone());
    let inner = broker::Broker::open(DatabaseSql::new(database), settings)?;
    inner.handle_restart(timestamp(now))?;
    Ok(Broker { inner, response_bytes, token, audience: Audience::default() })
}

/// Tells the broker who calls, as the socket saw it; what the caller says of itself doesn't count.
fn name_caller(headers: &mut Headers, caller: &str) {
    headers.remove(header::CALLER_IP);
    if let Ok(address) = caller.parse::<IpAddr>() {
        // A socket for both versions tells the older one as `::ffff:127.0.0.1`.
        headers.set(header::CALLER_IP, address.to_canonical().to_string());
    }
}

fn answer_tuple(answer: Response, stays_open: bool, files: Vec<File>) -> Array {
    let body = js_sys::Uint8Array::from(answer.body.as_slice());
    let files: Array = files.into_iter().map(file_tuple).collect();
    Array::of5(&answer.status.into(), &text_of(&answer.headers).into(), &body.into(), &stays_open.into(), &files.into())
}

fn file_tuple(File { name, status, headers }: File) -> JsValue {
    Array::of3(&name.into(), &status.into(), &text_of(&headers).into()).into()
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn delivery_tuple(delivery: broker::Delivery) -> JsValue {
    let broker::Delivery { lease, message_id, request, timeout } = delivery;
    let body = js_sys::Uint8Array::from(request.body.as_slice());
    [
        lease.as_str().into(),
        message_id.into(),
        request.method.as_str().into(),
        request.url.into(),
        text_of(&request.headers).into(),
        body.into(),
        JsValue::from_f64(timeout.as_secs_f64() * 1000.0),
    ]
    .into_iter()
    .collect::<Array>()
    .into()
}

fn error_answer(error: &Error) -> Response {
    Response::json(error.code().status(), &serde_json::json!({ "error": error.message() }))
}
