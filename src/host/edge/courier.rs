//! Carries deliveries: sends what the broker hands out, tells it the outcomes, and sets the alarm for what comes next.
//!
//! Deliveries start in the alarm's event, never in that of a request. An alarm is durable and tried again by the
//! platform; it begins a chain of calls of its own, which Workers limit in length; and an object with an event under
//! way is not evicted while an endpoint takes its time. Nothing here has to be remembered: the broker's leases do that.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::{AbortController, Delay, Env, Fetcher, ScheduledTime, State, console_error};

use crate::broker::{Broker, Delivery, Outcome};
use crate::error::Result;
use crate::host::edge::bell::Bell;
use crate::host::edge::changes::Listeners;
use crate::host::edge::host::{PlatformEntropy, now};
use crate::host::edge::http;
use crate::host::edge::objects::BrokerObjects;
use crate::host::edge::origins::OwnOrigins;
use crate::host::edge::settings::{self, SELF};
use crate::host::edge::sql::ObjectSql;
use crate::wire::Timestamp;

/// After this the event ends and a new alarm takes over; the platform ends an alarm's event after 15 minutes.
const EVENT_LIMIT: Duration = Duration::from_mins(10);
/// So many deliveries are started in one event; the platform lets an event make 50 requests on its free plan.
const EVENT_DELIVERIES: usize = 45;
/// While an event runs, the alarm behind it is this far away.
const SAFETY_NET: Duration = Duration::from_secs(30);
/// While every connection is taken, what needs none is seen to so often.
const WHILE_BUSY: Duration = Duration::from_secs(1);
/// How long to wait after the storage failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Carries the deliveries of one broker.
pub struct Courier {
    broker: Broker<ObjectSql>,
    state: State,
    objects: BrokerObjects,
    own_service: Option<Fetcher>,
    own_origins: OwnOrigins,
    connections: usize,
    response_limit: usize,
    under_way: Cell<usize>,
    relaying: Cell<usize>,
    running: Cell<bool>,
    armed: Cell<Option<Timestamp>>,
    bell: Bell,
    listeners: Listeners,
}

impl Courier {
    /// A courier for the object of `state`. Reads at most `response_limit` bytes of an endpoint's answer.
    pub fn new(
        broker: Broker<ObjectSql>,
        own_origins: OwnOrigins,
        state: State,
        env: &Env,
        response_limit: usize,
    ) -> Result<Rc<Self>> {
        let own_service = env.service(SELF).ok();
        if own_service.is_some() {
            own_origins.iter().for_each(|origin| broker.add_own_origin(&origin));
        }
        Ok(Rc::new(Self {
            broker,
            state,
            objects: BrokerObjects::new(env)?,
            own_service,
            own_origins,
            connections: settings::connections(env)?,
            response_limit,
            under_way: Cell::new(0),
            relaying: Cell::new(0),
            running: Cell::new(false),
            armed: Cell::new(None),
            bell: Bell::default(),
            listeners: Listeners::default(),
        }))
    }

    /// The broker.
    pub fn broker(&self) -> &Broker<ObjectSql> {
        &self.broker
    }

    /// Who listens to changes.
    pub fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// To be called when something may have changed: sets the alarm for what has become due, or tells the event under way;
    /// and tells the listeners.
    pub async fn handle_change(&self) -> worker::Result<()> {
        self.listeners.handle_revision(self.broker.revision());
        if self.running.get() {
            self.bell.ring();
        }
        match self.next_call() {
            Ok(None) => Ok(()),
            Ok(Some(wake)) => self.arm(wake).await,
            Err(error) => {
                console_error!("{}", error.to_string());
                self.arm(now() + AFTER_FAILURE).await
            }
        }
    }

    /// Looks for work at once, whatever is believed about the alarm.
    pub async fn wake(&self) -> worker::Result<()> {
        self.armed.set(None);
        match self.next_call() {
            Ok(None) => Ok(()),
            _ => self.arm(now()).await,
        }
    }

    /// The alarm's event: delivers until nothing is due or under way, then sets the next alarm.
    pub async fn run(self: &Rc<Self>) -> worker::Result<()> {
        self.armed.set(None);
        self.running.set(true);
        let worked = self.work().await;
        self.running.set(false);
        if let Err(error) = worked {
            console_error!("{}", error.to_string());
            return self.arm(now() + AFTER_FAILURE).await;
        }
        if self.under_way.get() > 0 {
            // The next event takes over what this one leaves open.
            return self.arm(now()).await;
        }
        self.handle_change().await
    }

    /// When the broker has something to do next: deliver, or forget.
    fn next_call(&self) -> Result<Option<Timestamp>> {
        Ok(self.broker.next_wake()?.into_iter().chain(self.broker.next_sweep()?).min())
    }

    async fn work(self: &Rc<Self>) -> Result<()> {
        let end = now() + EVENT_LIMIT;
        let mut started = 0;
        while started < EVENT_DELIVERIES && now() < end {
            let free = self.connections.saturating_sub(self.under_way.get()).min(EVENT_DELIVERIES - started);
            // Without a free connection too: what needs none is seen to.
            let deliveries = self.broker.take_deliveries(free, now(), &mut PlatformEntropy)?;
            started += deliveries.len();
            for delivery in deliveries {
                self.start(delivery);
            }
            started += self.relay()?;
            self.listeners.handle_revision(self.broker.revision());
            if self.under_way.get() == 0 && self.relaying.get() == 0 {
                return Ok(());
            }
            let next = if free > 0 { self.broker.next_wake()? } else { Some(now() + WHILE_BUSY) };
            self.bell.wait_until(next.map_or(end, |next| next.min(end))).await;
        }
        Ok(())
    }

    /// Sends what other shards have to know, each piece on its own; returns how many requests that takes. They are calls
    /// within Cloudflare's network, which wait for no endpoint, so they don't count as [connections](Self::connections).
    fn relay(self: &Rc<Self>) -> Result<usize> {
        let pieces = self.broker.take_relays(now())?;
        let number = pieces.len();
        for piece in pieces {
            self.relaying.set(self.relaying.get() + 1);
            let courier = Rc::clone(self);
            self.state.wait_until(async move {
                let sent = courier
                    .objects
                    .relay(courier.broker.shard(), &piece, &courier.own_origins.iter().collect::<Vec<_>>().join(","))
                    .await;
                if let Err(reason) = &sent {
                    console_error!("shard {} has not heard what it has to know: {}", piece.shard, reason);
                }
                let told = courier.broker.handle_relayed(&piece, sent.is_ok(), now());
                courier.relaying.set(courier.relaying.get() - 1);
                if let Err(error) = told {
                    console_error!("{}", error.to_string());
                }
                if let Err(error) = courier.handle_change().await {
                    console_error!("the alarm can't be set: {}", http::shown(&error));
                }
            });
        }
        Ok(number)
    }

    /// Sends a delivery on its own: it goes on when the event that started it ends.
    fn start(self: &Rc<Self>, delivery: Delivery) {
        self.under_way.set(self.under_way.get() + 1);
        let courier = Rc::clone(self);
        self.state.wait_until(async move {
            let outcome = courier.send(&delivery).await;
            let taken = courier.broker.handle_outcome(&delivery.lease, outcome, now(), &mut PlatformEntropy);
            courier.under_way.set(courier.under_way.get() - 1);
            if let Err(error) = taken {
                // The message is due again when its lease ends.
                console_error!("the outcome of {} is lost: {}", delivery.message_id, error.to_string());
            }
            if let Err(error) = courier.handle_change().await {
                console_error!("the alarm can't be set: {}", http::shown(&error));
            }
        });
    }

    async fn send(&self, delivery: &Delivery) -> Outcome {
        let service = self.own_service.as_ref().filter(|_| self.own_origins.contains(&delivery.request.url));
        let controller = AbortController::default();
        let signal = controller.signal();
        let exchange = pin!(http::exchange(&delivery.request, service, Some(&signal), self.response_limit));
        match select(exchange, pin!(Delay::from(delivery.timeout))).await {
            Either::Left((Ok(response), _)) => Outcome::Answered(response),
            Either::Left((Err(error), _)) => Outcome::Unreachable { error },
            Either::Right(_) => {
                controller.abort();
                Outcome::TimedOut
            }
        }
    }

    /// Sets the alarm, unless an earlier one is set. One that comes too early does no harm.
    async fn arm(&self, wake: Timestamp) -> worker::Result<()> {
        let now = now();
        let wake = if self.running.get() { wake.max(now + SAFETY_NET) } else { wake.max(now) };
        if self.armed.get().is_some_and(|armed| armed <= wake) {
            return Ok(());
        }
        self.armed.set(Some(wake));
        #[allow(clippy::cast_precision_loss)] // a moment, far below 2^53
        let date = js_sys::Date::new(&(wake.millis() as f64).into());
        let set = self.state.storage().set_alarm(ScheduledTime::new(date)).await;
        if set.is_err() {
            self.armed.set(None);
        }
        set
    }

    /// Remembers the address by which an authorised request reached this Worker.
    pub fn note_own_url(&self, url: &str) {
        match self.own_origins.insert(url) {
            Err(error) => console_error!("{}", error.to_string()),
            Ok(()) if self.own_service.is_some() && self.own_origins.contains(url) => self.broker.add_own_origin(url),
            Ok(()) => {}
        }
    }
}
