//! `GET /v2/changes`: the stream of one object, and those of several objects as one.
//!
//! A stream makes its next event when the client's side asks for it, so a slow client costs no memory. The platform sees that
//! a client has gone when something is sent to it. It then cancels the stream, or tells the request's signal, if the Worker
//! has the compatibility flag `enable_request_signal`; if it does neither, the place of a client that has not asked for more
//! in [`LOST`] is given to another one. When no place is free, all listeners are sent a comment, so that it is seen at once
//! which of them have gone.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{self, SelectAll, Stream, StreamExt};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use worker::ByteStream;
use worker::web_sys::AbortSignal;

use crate::broker::changes::{Changes, KEEP_ALIVE, LISTENERS, News, READY, begin, full};
use crate::host::edge::bell::Bell;
use crate::host::edge::courier::Courier;
use crate::host::edge::host::now;
use crate::host::edge::http::{write_response, write_stream};
use crate::wire::{Response, Timestamp};

/// A client that is there asks for the next event as soon as it has the one before.
const LOST: Duration = Duration::from_secs(30);
/// Listeners are sent a comment to see whether they are there at most once in this time.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// Who listens to one object.
#[derive(Default)]
pub struct Listeners {
    all: Rc<RefCell<Vec<Rc<Listener>>>>,
    revision: Cell<u64>,
    probed_at: Cell<Timestamp>,
}

#[derive(Default)]
struct Listener {
    bell: Bell,
    is_gone: Cell<bool>,
    is_probed: Cell<bool>,
    /// When it was given an event after which it has not asked for the next one.
    told_at: Cell<Option<Timestamp>>,
}

impl Listener {
    fn probe(&self) {
        self.is_probed.set(true);
        self.bell.ring();
    }

    fn end(&self) {
        self.is_gone.set(true);
        self.bell.ring();
    }
}

impl Listeners {
    /// Wakes them if the broker's revision is a new one.
    pub fn handle_revision(&self, revision: u64) {
        if self.revision.replace(revision) != revision {
            self.all.borrow().iter().for_each(|listener| listener.bell.ring());
        }
    }

    /// A place for one more; `None` if there are too many.
    fn place(&self, signal: Option<AbortSignal>) -> Option<Place> {
        let now = now();
        let mut all = self.all.borrow_mut();
        all.retain(|listener| listener.told_at.get().is_none_or(|told_at| now - told_at < LOST));
        if all.len() >= LISTENERS {
            if now - self.probed_at.get() >= PROBE_INTERVAL {
                self.probed_at.set(now);
                all.iter().for_each(|listener| listener.probe());
            }
            return None;
        }
        let listener = Rc::new(Listener::default());
        all.push(Rc::clone(&listener));
        let departure = Departure::new(signal, {
            let (listener, all) = (Rc::clone(&listener), Rc::clone(&self.all));
            move || {
                remove(&all, &listener);
                listener.end();
            }
        });
        Some(Place { listener, all: Rc::clone(&self.all), _departure: departure })
    }
}

/// A listener's place, free again when this is dropped.
struct Place {
    listener: Rc<Listener>,
    all: Rc<RefCell<Vec<Rc<Listener>>>>,
    _departure: Departure,
}

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.all, &self.listener);
    }
}

fn remove(all: &RefCell<Vec<Rc<Listener>>>, listener: &Rc<Listener>) {
    all.borrow_mut().retain(|known| !Rc::ptr_eq(known, listener));
}

/// Hears of it when a client has gone, until it is dropped.
struct Departure {
    signal: Option<AbortSignal>,
    _tell: Closure<dyn Fn()>,
}

impl Departure {
    fn new(signal: Option<AbortSignal>, tell: impl Fn() + 'static) -> Self {
        let tell = Closure::<dyn Fn()>::new(tell);
        if let Some(signal) = &signal {
            signal.set_onabort(Some(tell.as_ref().unchecked_ref()));
        }
        Self { signal, _tell: tell }
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        if let Some(signal) = &self.signal {
            signal.set_onabort(None);
        }
    }
}

/// What tells that the client of a request has gone.
pub fn signal_of(request: &worker::Request) -> Option<AbortSignal> {
    // Runtimes may leave it out.
    Some(request.inner().signal()).filter(|signal| signal.is_object())
}

/// Goes on with `beginning`, the broker's own answer, until `signal` says that the client has gone.
pub fn answer(
    courier: &Rc<Courier>,
    beginning: &Response,
    signal: Option<AbortSignal>,
) -> worker::Result<worker::Response> {
    let Some(place) = courier.listeners().place(signal) else { return write_response(full()) };
    let mut changes = Changes::since(courier.broker().revision(), now());
    let courier = Rc::clone(courier);
    let next = async move || {
        let listener = &place.listener;
        listener.told_at.set(None);
        while !listener.is_gone.get() {
            let text = match changes.poll(courier.broker().revision(), now()) {
                News::Send(text) => text,
                News::WaitUntil(_) if listener.is_probed.take() => KEEP_ALIVE,
                News::WaitUntil(moment) => {
                    listener.bell.wait_until(moment).await;
                    continue;
                }
            };
            listener.told_at.set(Some(now()));
            return Some(text);
        }
        None
    };
    write_stream(beginning, events(next))
}

/// The streams of all objects as one, until `signal` says that the client has gone. It ends with the first of them: the
/// client comes back, and finds all of them.
pub fn joined(streams: Vec<ByteStream>, signal: Option<AbortSignal>) -> worker::Result<worker::Response> {
    let ending = |stream: ByteStream| stream.map(Result::ok).chain(stream::iter([None]));
    let mut inputs: SelectAll<_> = streams.into_iter().map(|stream| Box::pin(ending(stream))).collect();
    let listener = Rc::new(Listener::default());
    let departure = Departure::new(signal, {
        let listener = Rc::clone(&listener);
        move || listener.end()
    });
    let mut revision = 0;
    let mut changes = Changes::since(revision, now());
    let next = async move || {
        let _departure = &departure;
        while !listener.is_gone.get() {
            let moment = match changes.poll(revision, now()) {
                News::Send(text) => return Some(text),
                News::WaitUntil(moment) => moment,
            };
            match select(inputs.next(), pin!(listener.bell.wait_until(moment))).await {
                Either::Left((Some(Some(chunk)), _)) if chunk == READY.as_bytes() => {}
                Either::Left((Some(Some(chunk)), _)) if chunk == KEEP_ALIVE.as_bytes() => return Some(KEEP_ALIVE),
                // However events are cut into chunks, none is missed.
                Either::Left((Some(Some(_)), _)) => revision += 1,
                Either::Left(_) => return None,
                Either::Right(_) => {}
            }
        }
        None
    };
    write_stream(&begin(), events(next))
}

/// [`READY`], and what `next` gives until it ends.
fn events(
    next: impl AsyncFnMut() -> Option<&'static str> + 'static,
) -> impl Stream<Item = worker::Result<Vec<u8>>> + 'static {
    let ready = stream::iter([Ok(READY.as_bytes().to_vec())]);
    ready.chain(stream::unfold(next, async |mut next| {
        let text = next().await?;
        Some((Ok(text.as_bytes().to_vec()), next))
    }))
}
