//! The broker: a QStash-compatible server as a state machine over SQL.
//!
//! It accepts messages over the HTTP API, hands out deliveries, and takes their outcomes. It owns every decision and
//! keeps every fact in the database; a host owns the socket, the clock, entropy and the database itself.
//!
//! # The calling order
//!
//! 1. [`Broker::open`], once for a database. If a former process may have died: [`Broker::handle_restart`].
//! 2. [`Broker::handle_request`] for each HTTP request; send the answer. What it accepted is committed by then.
//! 3. After each request and each outcome, and at [`Broker::next_wake`]: [`Broker::take_deliveries`]. Send each
//!    request, give up after its timeout, don't follow redirects, and tell [`Broker::handle_outcome`].
//!
//! A delivery is a lease. Whoever holds it tells its outcome; if nobody does, the message is due again when the lease
//! ends. An outcome that comes after that is ignored, a step that was submitted meanwhile is not: the message that it
//! answers counts as delivered instead of being sent again.

mod accept;
mod access;
mod api;
mod backoff;
mod callback;
pub mod changes;
mod cron;
pub mod dashboard;
mod deduplication;
mod delivery;
mod dispatch;
mod event;
mod forwarding;
mod gate;
mod history;
mod invoke;
mod keys;
mod metrics;
mod outcome;
mod private;
mod provider;
mod publication;
mod query;
mod recovery;
pub mod redaction;
mod retention;
mod run;
mod schedule;
mod settings;
pub mod shard;
mod target;

pub mod store;

use core::net::IpAddr;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::error::{Code, Error, Result};
use crate::wire::{Entropy, Request, Response, Timestamp};
use shard::{Piece, Shard};

use self::keys::SigningKeys;
use self::store::counted::Counted;
pub use api::{body_limit, is_webhook};
pub use cron::Cron;
pub use delivery::{Delivery, LeaseId};
pub use outcome::Outcome;
pub use private::is_private;
pub use settings::{Apis, Defaults, Limits, PrivateDestinations, Retention, Settings};
pub use store::{Row, Sql, Value};

/// A broker over a database. See the module for the calling order.
pub struct Broker<S> {
    sql: Counted<S>,
    settings: RefCell<Rc<Settings>>,
    keys: RefCell<SigningKeys>,
    next_sweep: Cell<Timestamp>,
    shard: Cell<Shard>,
}

impl<S: Sql> Broker<S> {
    /// Opens a database: creates the schema, or brings it to the newest version.
    ///
    /// The signing keys are those of the settings, or what rotations of exactly those have made of them.
    ///
    /// [`Code::InvalidConfiguration`] if the database is newer than this build or a setting can't be used,
    /// [`Code::EmptyKeySet`] if a signing key is empty.
    pub fn open(sql: S, settings: Settings) -> Result<Self> {
        settings.check()?;
        let sql = Counted::new(sql);
        store::schema::migrate(&sql)?;
        let shard = Cell::new(shard::layout::read(&sql)?);
        let keys = RefCell::new(SigningKeys::open(&sql, &settings)?);
        let settings = RefCell::new(Rc::new(settings));
        Ok(Self { sql, settings, keys, next_sweep: Cell::new(Timestamp::default()), shard })
    }

    /// Which shard of a broker this one is.
    pub fn shard(&self) -> Shard {
        self.shard.get()
    }

    /// A number that is another one after everything that changed something. Two that are equal say that nothing did.
    pub fn revision(&self) -> u64 {
        self.sql.writes()
    }

    /// Fails if this shard holds something that would not be found any more with `count` shards.
    ///
    /// [`Code::InvalidConfiguration`] says what that is.
    pub fn check_vacant(&self, count: u32) -> Result<()> {
        shard::layout::check_vacant(&self.sql, self.shard.get(), count)
    }

    /// Makes it another shard, as the host's settings say. The database remembers it; a new one is the only shard.
    ///
    /// [`Code::InvalidConfiguration`] if it holds something that would not be found any more.
    pub fn handle_layout(&self, shard: Shard) -> Result<()> {
        let from = self.shard.get();
        if from != shard {
            self.sql.transaction(|| shard::layout::change(&self.sql, from, shard))?;
            self.shard.set(shard);
        }
        Ok(())
    }

    /// Tells an address of the host's own: what goes to the origin of `url` never leaves the host, which takes it there
    /// by a way of its own. So it is not private, whatever [`Limits::private_destinations`] says.
    ///
    /// Only for hosts that have such a way, and for the addresses of requests that [`Broker::knows`].
    pub fn add_own_origin(&self, url: &str) {
        if let Some(origin) = private::origin(url) {
            Rc::make_mut(&mut self.settings.borrow_mut()).limits.own_origins.insert(origin);
        }
    }

    /// Whether a request carries the token that may do everything. The body does not matter.
    pub fn knows(&self, request: &Request) -> bool {
        let (_, query) = query::split(&request.url);
        access::check(&self.settings(), &request.headers, &query::Query::parse(query)) == Ok(access::Access::Full)
    }

    /// Refuses an address that a destination's name leads to, if it is private and [`Limits::private_destinations`] says so:
    /// [`Code::PrivateDestination`]. For hosts that resolve names themselves: they ask about every address that they find,
    /// connect to the one that they asked about, and tell [`Outcome::Refused`] otherwise.
    pub fn check_address(&self, address: IpAddr) -> Result<()> {
        let is_refused = self.settings().limits.private_destinations == PrivateDestinations::Refused;
        if is_refused && is_private(address) { Err(private::refusal(&address.to_string())) } else { Ok(()) }
    }

    /// The signing keys that count, current and next, as `GET /v2/keys` tells them.
    pub fn signing_keys(&self) -> (String, String) {
        self.keys.borrow().pair()
    }

    /// The most bytes of a request's body that [`Broker::handle_request`] would look at, for a host that has read the
    /// head of a request only: one byte more is enough to see that it has too many. 0 if the token is not known.
    pub fn body_limit(&self, head: &Request) -> usize {
        body_limit(&self.settings(), head)
    }

    /// Tells that every delivery handed out before belongs to a process that is gone.
    ///
    /// Their leases end after [`Settings::restart_grace`] instead of their message's timeout. Only for hosts that know
    /// there is no other process on the same database.
    pub fn handle_restart(&self, at: Timestamp) -> Result<()> {
        let ends_at = at + self.settings().restart_grace;
        self.sql.transaction(|| {
            store::relay::wake(&self.sql, at)?;
            schedule::realign(&self.sql, at)?;
            store::message::shorten_leases(&self.sql, ends_at)
        })
    }

    /// Answers a request to the HTTP API. Errors are answers too: `{"error": …}` with the status of their code.
    ///
    /// `request.url` is the absolute URL as it came in, not normalised: a destination may stand in its path.
    pub fn handle_request(&self, request: &Request, at: Timestamp, entropy: &mut dyn Entropy) -> Response {
        let settings = self.settings();
        let mut scope = self.scope(&settings, at, entropy);
        let response = api::respond(&mut scope, request);
        if response.is_success() && !scope.shard.is_single() && shard::changes_directory(request) {
            // If this fails, the next sweep makes up for it.
            let _ = scope.transaction(shard::directory::announce);
        }
        response
    }

    /// Hands out up to `limit` deliveries that are due at `at`; each is leased until its timeout and a margin.
    pub fn take_deliveries(&self, limit: usize, at: Timestamp, entropy: &mut dyn Entropy) -> Result<Vec<Delivery>> {
        let settings = self.settings();
        if at >= self.next_sweep.get() {
            let mut scope = self.scope(&settings, at, entropy);
            let more = retention::sweep(&mut scope)?;
            scope.transaction(shard::directory::announce)?;
            // What is left is forgotten in the calls that follow, a part in each.
            self.next_sweep.set(if more { at } else { at + settings.retention.sweep_interval });
        }
        delivery::take(&mut self.scope(&settings, at, entropy), limit)
    }

    /// Takes the outcome of a delivery. If its lease has ended the outcome is ignored: the message is due again.
    pub fn handle_outcome(
        &self,
        lease: &LeaseId,
        outcome: Outcome,
        at: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        outcome::handle(&mut self.scope(&self.settings(), at, entropy), lease, outcome)
    }

    /// What is to be sent to other shards; nothing if this is the only one. Send each piece to
    /// [`Broker::handle_relay`] of its shard and tell [`Broker::handle_relayed`] whether that succeeded. To be called
    /// whenever [`Broker::take_deliveries`] is.
    pub fn take_relays(&self, at: Timestamp) -> Result<Vec<Piece>> {
        if self.shard.get().is_single() {
            return Ok(Vec::new());
        }
        self.sql.transaction(|| shard::relay::take(&self.sql, self.shard.get(), at))
    }

    /// Takes what became of a piece. If nobody tells, it is sent again after a while.
    pub fn handle_relayed(&self, piece: &Piece, arrived: bool, at: Timestamp) -> Result<()> {
        self.sql.transaction(|| shard::relay::confirm(&self.sql, piece, arrived, at))
    }

    /// What is the same for all shards: URL groups and the like. For [`Broker::handle_directory`] of another one.
    pub fn directory(&self) -> Result<Vec<u8>> {
        let snapshot = self.sql.transaction(|| store::directory::read(&self.sql))?;
        serde_json::to_vec(&snapshot).map_err(|_| Error::new(Code::Internal, "the directory can't be written as JSON"))
    }

    /// Takes what is the same for all shards from shard 0, unless something newer is known.
    ///
    /// [`Code::InvalidRequest`] if it can't be read.
    pub fn handle_directory(&self, directory: &[u8], at: Timestamp, entropy: &mut dyn Entropy) -> Result<()> {
        let snapshot = serde_json::from_slice(directory)
            .map_err(|error| Error::new(Code::InvalidRequest, format!("the directory can't be read: {error}")))?;
        let settings = self.settings();
        let mut scope = self.scope(&settings, at, entropy);
        scope.transaction(|scope| shard::directory::take(scope, &snapshot))?;
        keys::reload(&scope)
    }

    /// Takes what another shard has sent.
    pub fn handle_relay(&self, body: &[u8], at: Timestamp, entropy: &mut dyn Entropy) -> Result<()> {
        shard::relay::follow(&mut self.scope(&self.settings(), at, entropy), body)
    }

    /// When [`Broker::take_deliveries`] has something to do next, which may be in the past. `None`: after a request.
    pub fn next_wake(&self) -> Result<Option<Timestamp>> {
        let due = store::message::next_due(&self.sql)?;
        let deadline = store::waiter::next_deadline(&self.sql)?;
        let renewal = store::flow_key::next_wake(&self.sql)?;
        let schedule = store::schedule::next_due(&self.sql)?;
        let relay = store::relay::next_due(&self.sql)?;
        Ok(due.into_iter().chain(deadline).chain(renewal).chain(schedule).chain(relay).min())
    }

    /// When [`Broker::take_deliveries`] has something to forget, which may be in the past. A host calls it then, too, should
    /// nothing else have made it do so.
    pub fn next_sweep(&self) -> Result<Option<Timestamp>> {
        let expiry = retention::next_expiry(&self.sql, &self.settings().retention)?;
        Ok(expiry.map(|expiry| expiry.max(self.next_sweep.get())))
    }

    fn settings(&self) -> Rc<Settings> {
        Rc::clone(&self.settings.borrow())
    }

    fn scope<'a>(
        &'a self,
        settings: &'a Settings,
        at: Timestamp,
        entropy: &'a mut dyn Entropy,
    ) -> Scope<'a, Counted<S>> {
        Scope { sql: &self.sql, settings, keys: &self.keys, shard: self.shard.get(), at, entropy }
    }
}

/// What every decision can look at: the database, the settings, the moment, entropy.
struct Scope<'a, S> {
    sql: &'a S,
    settings: &'a Settings,
    keys: &'a RefCell<SigningKeys>,
    shard: Shard,
    at: Timestamp,
    entropy: &'a mut dyn Entropy,
}

impl<S: Sql> Scope<'_, S> {
    /// Runs `body` so that all of its writes are kept, or none.
    fn transaction<T>(&mut self, body: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let sql = self.sql;
        sql.transaction(|| body(self))
    }

    /// An id for a new message.
    fn message_id(&mut self) -> String {
        self.shard.message_id(self.entropy)
    }

    /// An id for a new run.
    fn run_id(&mut self) -> String {
        self.shard.run_id(self.entropy)
    }
}

/// The error for a step that a run can't submit as it is. A workflow's SDK takes status 400 for "the run has ended" and
/// stops quietly, and the run would hang; with 412 it fails.
fn refused_step(error: Error) -> Error {
    match error.code() {
        Code::RunEnded => error,
        code if code.status() == 400 => Error::new(Code::StepRefused, error.message()),
        _ => error,
    }
}

fn invalid_header(name: &str, expected: &str) -> Error {
    Error::new(Code::InvalidHeader, format!("the header {name} is not valid: expected {expected}"))
}
