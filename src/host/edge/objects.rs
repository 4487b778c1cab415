//! The objects that the broker is spread over, as one broker.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use worker::web_sys::AbortSignal;
use worker::{Env, ObjectNamespace, Stub, console_error};

use crate::broker::changes::is_stream;
use crate::broker::shard::{Duty, Errand, Exchange, Piece, Shard, Task};
use crate::broker::{Settings, body_limit};
use crate::error::{Code, Error, Result};
use crate::host::edge::changes::{joined, signal_of};
use crate::host::edge::host::PlatformEntropy;
use crate::host::edge::http::{self, error_response, read_request, read_request_within, write_request, write_response};
use crate::host::edge::settings::{self, BROKER};
use crate::wire::{Method, Request, Response};

/// The name of the first object, which is the only one by default; the others have a number behind it.
const NAME: &str = "broker";
/// The most bytes of a shard's answer, for a page of a list may hold a hundred large messages, and of what one shard
/// tells another, which may start a run with a large payload.
pub const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The number of shards that this isolate has found to fit what the objects hold.
static FITTING: AtomicU32 = AtomicU32::new(0);

/// The broker's objects. Requests to `/v2/…` are answered by [`BrokerObjects::fetch`].
#[derive(Clone, Debug)]
pub struct BrokerObjects {
    namespace: ObjectNamespace,
    shards: Shard,
    settings: Option<Rc<Settings>>,
}

impl BrokerObjects {
    /// Those of the Worker with this environment; [`Code::InvalidConfiguration`] if it has no binding `BROKER`, or
    /// [`settings::BROKER_SHARDS`] is no number of shards.
    pub fn new(env: &Env) -> Result<Self> {
        let namespace = env.durable_object(BROKER).map_err(|error| unbound(&error))?;
        // Without complete settings the objects answer with what is missing.
        let settings = settings::broker(env).ok().map(Rc::new);
        Ok(Self { namespace, shards: settings::shards(env)?, settings })
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.shards.count()
    }

    /// Answers a request to the broker's API.
    pub async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        if request.path().starts_with(PREFIX) {
            return write_response(error_response(&Error::new(Code::NotFound, "the broker's API begins with /v2/")));
        }
        if self.shards.is_single() {
            if let Err(refusal) = self.check().await {
                // Read, so that the connection stays usable.
                let _ = read_request(request, 0).await;
                return write_response(refusal);
            }
            return match self.stub(0) {
                Ok(stub) => stub
                    .fetch_with_request(request)
                    .await
                    .or_else(|error| write_response(error_response(&unreachable(0, &http::shown(&error))))),
                Err(error) => write_response(error_response(&error)),
            };
        }
        let signal = signal_of(&request);
        let limit = |head: &Request| self.settings.as_ref().map_or(0, |settings| body_limit(settings, head));
        match read_request_within(request, limit).await {
            Ok(request) if is_stream(&request) => self.changes(request, signal).await,
            Ok(request) => write_response(self.answer(request).await),
            Err(error) => write_response(error_response(&error)),
        }
    }

    /// The same with values.
    pub async fn answer(&self, request: Request) -> Response {
        if let Err(refusal) = self.check().await {
            return refusal;
        }
        let (mut exchange, mut duty) = Exchange::begin(self.shards, request, &mut PlatformEntropy);
        loop {
            match duty {
                Duty::Answer(response) => return response,
                Duty::Send(errands) => {
                    let answers = join_all(errands.into_iter().map(|errand| self.run(errand))).await;
                    duty = exchange.take(answers);
                }
            }
        }
    }

    /// The changes of all objects as one stream; each of them sees to it that the client may read them.
    async fn changes(&self, request: Request, signal: Option<AbortSignal>) -> worker::Result<worker::Response> {
        if let Err(refusal) = self.check().await {
            return write_response(refusal);
        }
        let answers = join_all((0..self.count()).map(|shard| self.open(shard, &request))).await;
        let (mut streams, mut refusal) = (Vec::new(), None);
        for answer in answers {
            match answer {
                Ok(mut answer) if answer.status_code() == 200 => streams.push(answer.stream()?),
                Ok(answer) => refusal = Some(answer),
                Err(error) => refusal = Some(write_response(error_response(&error))?),
            }
        }
        // Those that are open are closed with this.
        refusal.map_or_else(|| joined(streams, signal), Ok)
    }

    async fn open(&self, shard: u32, request: &Request) -> Result<worker::Response> {
        let url = in_shard(&request.url, shard, self.count());
        let request = write_request(&Request { url, ..request.clone() }, None);
        let request = request.map_err(|reason| unreachable(shard, &reason))?;
        let answer = self.stub(shard)?.fetch_with_request(worker::Request::from(request)).await;
        answer.map_err(|error| unreachable(shard, &http::shown(&error)))
    }

    /// Wakes every object, should its alarm have been lost; what fails is logged.
    pub async fn wake(&self) {
        let woken = join_all((0..self.count()).map(|shard| self.internal(shard, Method::Post, WAKE))).await;
        for answer in woken.iter().filter(|answer| !answer.is_success()) {
            console_error!("the broker can't be woken: {}", String::from_utf8_lossy(&answer.body));
        }
    }

    /// Whether the objects can be so many shards; asked once in the life of an isolate. If they were laid out for another
    /// number, none of them may hold anything that would be looked for elsewhere.
    async fn check(&self) -> Result<(), Response> {
        let count = self.count();
        if FITTING.load(Ordering::Relaxed) == count {
            return Ok(());
        }
        let first = self.internal(0, Method::Get, LAYOUT).await;
        let known = std::str::from_utf8(&first.body).ok().and_then(|text| text.parse::<u32>().ok());
        let Some(known) = known.filter(|_| first.is_success()) else { return Err(first) };
        if known != count {
            let all = join_all((0..known.max(count)).map(|shard| self.internal(shard, Method::Get, VACANT)));
            if let Some(refusal) = all.await.into_iter().find(|answer| !answer.is_success()) {
                return Err(refusal);
            }
        }
        FITTING.store(count, Ordering::Relaxed);
        Ok(())
    }

    async fn run(&self, errand: Errand) -> Response {
        let request = match errand.task {
            Task::Answer(request) => request,
            Task::Directory => Request::new(Method::Get, internal(DIRECTORY)),
            Task::TakeDirectory(directory) => Request::new(Method::Post, internal(DIRECTORY)).body(directory),
        };
        let url = in_shard(&request.url, errand.shard, self.count());
        self.send(errand.shard, Request { url, ..request }).await
    }

    /// A request that only the Worker itself makes; `what` is one of the paths of this module.
    async fn internal(&self, shard: u32, method: Method, what: &str) -> Response {
        let request = Request::new(method, in_shard(&internal(what), shard, self.count()));
        self.send(shard, request).await
    }

    /// Brings what the shard `from` has to tell to another one, with the addresses by which it knows this Worker; the
    /// error says why that one has not taken it.
    pub async fn relay(&self, from: Shard, piece: &Piece, origins: &str) -> Result<(), String> {
        let url = in_shard(&internal(RELAY), piece.shard, from.count());
        let request = Request::new(Method::Post, url).header(ORIGINS, origins).body(piece.body.clone());
        let answer = self.send(piece.shard, request).await;
        if answer.is_success() { Ok(()) } else { Err(String::from_utf8_lossy(&answer.body).into_owned()) }
    }

    async fn send(&self, shard: u32, request: Request) -> Response {
        let answer = async {
            let stub = self.stub(shard).map_err(|error| error.to_string())?;
            let request = worker::Request::from(write_request(&request, None)?);
            let answer = stub.fetch_with_request(request).await.map_err(|error| http::shown(&error))?;
            http::read_response(answer, ANSWER_BYTES).await
        };
        answer.await.unwrap_or_else(|reason| error_response(&unreachable(shard, &reason)))
    }

    fn stub(&self, shard: u32) -> Result<Stub> {
        let name = if shard == 0 { NAME.to_owned() } else { format!("{NAME}-{shard}") };
        self.namespace.get_by_name(&name).map_err(|error| unbound(&error))
    }
}

/// Makes the object look for work.
pub const WAKE: &str = "/wake";
/// Tells the number of shards that the object was laid out for.
pub const LAYOUT: &str = "/layout";
/// Tells what is global, or takes it.
pub const DIRECTORY: &str = "/directory";
/// Takes what another shard has to tell.
pub const RELAY: &str = "/relay";
/// Fails if the object holds what keeps it in its place.
pub const VACANT: &str = "/vacant";

/// The header in which a shard tells the addresses of this Worker that it knows, joined by commas.
pub const ORIGINS: &str = "x-broker-origins";

/// Where requests come to that only the Worker makes: clients reach `/v2/…`.
pub const PREFIX: &str = "/shard/";

fn internal(what: &str) -> String {
    format!("https://broker{what}")
}

/// The address of a request on its way to a shard, which so learns which one it is.
fn in_shard(url: &str, shard: u32, count: u32) -> String {
    let start = url.find("://").map_or(0, |index| index + 3);
    let path = url[start..].find(['/', '?', '#']).map_or(url.len(), |index| start + index);
    format!("{}{PREFIX}{shard}/{count}{}", &url[..path], &url[path..])
}

/// The shard that a request names, and the request as it came from the client.
pub fn out_of_shard(url: &str) -> Option<(Shard, String)> {
    let start = url.find("://")? + 3;
    let path = start + url[start..].find('/')?;
    let (index, rest) = url[path..].strip_prefix(PREFIX)?.split_once('/')?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let shard = Shard::new(index.parse().ok()?, rest[..end].parse().ok()?).ok()?;
    Some((shard, format!("{}{}", &url[..path], &rest[end..])))
}

fn unbound(error: &worker::Error) -> Error {
    let reason = http::shown(error);
    Error::new(
        Code::InvalidConfiguration,
        format!("the Worker needs a binding {BROKER} to the Durable Object BrokerObject: {reason}"),
    )
}

fn unreachable(shard: u32, reason: &str) -> Error {
    let which = if shard == 0 { String::new() } else { format!(" {shard}") };
    Error::new(Code::BrokerUnreachable, format!("the broker's object{which} did not answer: {reason}"))
}
