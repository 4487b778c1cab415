//! What the engine asks of its host, on Workers.

use std::time::Duration;

use worker::Delay;

use crate::client::{Retry, Transport, send};
use crate::host::edge::{BrokerObjects, http};
use crate::wire::{Entropy, Request, Response, Timestamp};
use crate::workflow::Host;

/// The most bytes of a broker's answer that the engine reads; a history may be fetched this way.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Sends with `fetch`, reads the platform's clock and its cryptographic randomness.
///
/// Requests to a broker in the same Worker go to its Durable Object: a Worker can't fetch its own address.
#[derive(Debug, Default)]
pub struct EdgeHost {
    embedded: Option<Embedded>,
}

#[derive(Debug)]
struct Embedded {
    base_url: String,
    objects: BrokerObjects,
}

impl EdgeHost {
    /// A host that sends everything over the network.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests to `base_url` (scheme and authority) go to `objects`.
    #[must_use]
    pub fn embedded_broker(mut self, base_url: impl Into<String>, objects: BrokerObjects) -> Self {
        self.embedded = Some(Embedded { base_url: base_url.into(), objects });
        self
    }
}

impl Host for EdgeHost {
    fn now(&self) -> Timestamp {
        now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        PlatformEntropy.fill(bytes);
    }

    async fn sleep(&self, duration: Duration) {
        Delay::from(duration).await;
    }

    /// Sends again as [`retry`](crate::client::retry) says, five times at most.
    async fn send(&self, request: Request) -> Result<Response, String> {
        send(self, &Retry::default(), &request).await
    }
}

impl Transport for EdgeHost {
    fn now(&self) -> Timestamp {
        now()
    }

    async fn wait(&self, duration: Duration) {
        Delay::from(duration).await;
    }

    async fn exchange(&self, request: &Request) -> Result<Response, String> {
        let embedded = self
            .embedded
            .as_ref()
            .filter(|embedded| request.url.strip_prefix(&embedded.base_url).is_some_and(|path| path.starts_with('/')));
        match embedded {
            None => http::exchange(request, None, None, ANSWER_BYTES).await,
            Some(embedded) => {
                let mut answer = embedded.objects.answer(request.clone()).await;
                answer.body.truncate(ANSWER_BYTES);
                Ok(answer)
            }
        }
    }
}

/// The platform's clock. It stands still between I/O, by the platform's design.
pub fn now() -> Timestamp {
    Timestamp::from_millis(worker::Date::now().as_millis())
}

/// The platform's cryptographic randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlatformEntropy;

impl Entropy for PlatformEntropy {
    /// Ends the invocation if there is no randomness: an id that can be guessed would be worse.
    fn fill(&mut self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            wasm_bindgen::throw_str("this runtime has no source of randomness");
        }
    }
}
