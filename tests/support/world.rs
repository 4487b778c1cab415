//! A broker, a clock that only tests advance, and endpoints that follow a script.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use orchestration::Result;
use orchestration::broker::shard::{Duty, Exchange, Piece, Shard, Task};
use orchestration::broker::{Broker, Delivery, Outcome, Settings};
use orchestration::wire::{Method, Request, Response, Timestamp};
use serde_json::Value;

use super::Seeded;
use super::sqlite::Sqlite;

pub const TOKEN: &str = "test-token";
pub const CURRENT_KEY: &str = "sig_current";
pub const NEXT_KEY: &str = "sig_next";
pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub fn settings() -> Settings {
    Settings::new(TOKEN, CURRENT_KEY, NEXT_KEY)
}

/// How an endpoint treats a delivery: it may call the broker before it answers.
type Script = Box<dyn FnMut(&World, &Request) -> Outcome>;

pub struct World {
    pub sql: Sqlite,
    settings: Settings,
    broker: RefCell<Rc<Broker<Sqlite>>>,
    /// The shards after the first.
    others: Vec<(Sqlite, RefCell<Rc<Broker<Sqlite>>>)>,
    now: RefCell<Timestamp>,
    entropy: RefCell<Seeded>,
    scripts: RefCell<Vec<(String, Rc<RefCell<Script>>)>>,
    /// Every request that an endpoint got, with the time.
    received: RefCell<Vec<(Timestamp, Request)>>,
    file: Option<PathBuf>,
    network: Cell<Network>,
}

/// The way to the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    #[default]
    Works,
    LosesRequest,
    LosesAnswer,
}

impl World {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: Settings) -> Self {
        Self::on(Sqlite::in_memory(), settings, None)
    }

    /// With entropy of its own.
    pub fn seeded(seed: u64) -> Self {
        let world = Self::new();
        world.entropy.borrow_mut().0 = seed;
        world
    }

    /// On a database file, so that the broker can crash.
    pub fn on_file(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("orchestration-{}-{name}.sqlite", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self::on(Sqlite::file(&path), settings(), Some(path))
    }

    fn on(sql: Sqlite, settings: Settings, file: Option<PathBuf>) -> Self {
        let broker = Broker::open(sql.clone(), settings.clone()).unwrap();
        Self {
            sql,
            settings,
            broker: RefCell::new(Rc::new(broker)),
            others: Vec::new(),
            now: RefCell::new(START),
            entropy: RefCell::new(Seeded(1)),
            scripts: RefCell::default(),
            received: RefCell::default(),
            file,
            network: Cell::default(),
        }
    }

    /// A broker that is spread over so many databases in memory.
    pub fn sharded(count: u32, settings: Settings) -> Self {
        let mut world = Self::with(settings);
        for _ in 1..count {
            let sql = Sqlite::in_memory();
            let broker = Broker::open(sql.clone(), world.settings.clone()).unwrap();
            world.others.push((sql, RefCell::new(Rc::new(broker))));
        }
        for (index, broker) in (0..).zip(world.brokers()) {
            broker.handle_layout(Shard::new(index, count).unwrap()).unwrap();
        }
        world
    }

    pub fn broker(&self) -> Rc<Broker<Sqlite>> {
        Rc::clone(&self.broker.borrow())
    }

    /// Gives it entropy of its own.
    pub fn reseed(&self, seed: u64) {
        self.entropy.borrow_mut().0 = seed;
    }

    /// The brokers of all shards.
    pub fn brokers(&self) -> Vec<Rc<Broker<Sqlite>>> {
        let others = self.others.iter().map(|(_, broker)| Rc::clone(&broker.borrow()));
        std::iter::once(self.broker()).chain(others).collect()
    }

    /// The databases of all shards.
    pub fn databases(&self) -> Vec<Sqlite> {
        std::iter::once(self.sql.clone()).chain(self.others.iter().map(|(sql, _)| sql.clone())).collect()
    }

    /// The number of rows of a table in all shards.
    pub fn count(&self, table: &str) -> u64 {
        self.databases().iter().map(|sql| sql.count(table)).sum()
    }

    pub fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    pub fn advance(&self, duration: Duration) {
        let now = self.now() + duration;
        *self.now.borrow_mut() = now;
    }

    /// The host's clock is corrected.
    pub fn set_back(&self, duration: Duration) {
        let now = START + (self.now() - START).saturating_sub(duration);
        *self.now.borrow_mut() = now;
    }

    /// The process of one shard dies and another one starts on the same database; it may know of that.
    pub fn crash_shard(&self, index: usize, knows: bool) {
        let broker = Rc::new(Broker::open(self.databases()[index].clone(), self.settings.clone()).unwrap());
        if knows {
            broker.handle_restart(self.now()).unwrap();
        }
        match index.checked_sub(1) {
            None => *self.broker.borrow_mut() = broker,
            Some(index) => *self.others[index].1.borrow_mut() = broker,
        }
    }

    /// The process dies and another one starts on the same database.
    pub fn crash(&mut self) {
        if let Some(path) = &self.file {
            self.sql = Sqlite::file(path);
        }
        *self.broker.borrow_mut() = Rc::new(Broker::open(self.sql.clone(), self.settings.clone()).unwrap());
    }

    /// The process ends, and another one starts on the same database with other settings.
    pub fn reopen(&mut self, settings: Settings) {
        self.settings = settings;
        self.crash();
    }

    pub fn restart(&mut self) {
        self.crash();
        self.broker().handle_restart(self.now()).unwrap();
    }

    // What a client does.

    /// A request with the token; the path begins with `/`.
    pub fn request(&self, method: Method, path: &str) -> Request {
        self.request_as(TOKEN, method, path)
    }

    /// A request with another token.
    pub fn request_as(&self, token: &str, method: Method, path: &str) -> Request {
        Request::new(method, format!("http://broker.test{path}")).header("Authorization", format!("Bearer {token}"))
    }

    pub fn send(&self, request: &Request) -> Answer {
        let lost = Answer(Response::new(599));
        match self.network.get() {
            Network::LosesRequest => return lost,
            Network::LosesAnswer | Network::Works => {}
        }
        let response = self.answer(request);
        if self.network.get() == Network::LosesAnswer { lost } else { Answer(response) }
    }

    fn perform(&self, shard: u32, task: Task) -> Response {
        let broker = self.brokers().swap_remove(usize::try_from(shard).unwrap());
        let entropy = &mut *self.entropy.borrow_mut();
        match task {
            Task::Answer(request) => broker.handle_request(&request, self.now(), entropy),
            Task::Directory => broker.directory().map_or(Response::new(500), |known| ok().body(known)),
            Task::TakeDirectory(directory) => match broker.handle_directory(&directory, self.now(), entropy) {
                Ok(()) => ok(),
                Err(_) => Response::new(500),
            },
        }
    }

    fn answer(&self, request: &Request) -> Response {
        if self.others.is_empty() {
            return self.perform(0, Task::Answer(request.clone()));
        }
        let shards = self.broker().shard();
        let (mut exchange, mut duty) = Exchange::begin(shards, request.clone(), &mut *self.entropy.borrow_mut());
        loop {
            match duty {
                Duty::Answer(response) => return response,
                Duty::Send(errands) => {
                    duty = exchange
                        .take(errands.into_iter().map(|errand| self.perform(errand.shard, errand.task)).collect());
                }
            }
        }
    }

    /// What the way to the broker does from now on; a lost answer looks like status 599.
    pub fn network(&self, network: Network) {
        self.network.set(network);
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&self.request(Method::Get, path))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send(&self.request(Method::Delete, path))
    }

    /// Publishes with headers; returns the answer.
    pub fn publish(&self, destination: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let request = self.request(Method::Post, &format!("/v2/publish/{destination}")).body(body);
        self.send(&headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    }

    pub fn batch(&self, items: &Value) -> Answer {
        self.send(&self.request(Method::Post, "/v2/batch").body(items.to_string()))
    }

    // What endpoints and the host do.

    /// Every delivery to a URL that begins with `prefix` is treated by `script`; the newest script counts.
    pub fn endpoint(&self, prefix: &str, script: impl FnMut(&World, &Request) -> Outcome + 'static) {
        self.scripts.borrow_mut().insert(0, (prefix.to_owned(), Rc::new(RefCell::new(Box::new(script)))));
    }

    /// An endpoint that answers with these, one after the other, then always with the last.
    pub fn answers(&self, prefix: &str, answers: impl IntoIterator<Item = Response>) {
        let mut answers: VecDeque<Response> = answers.into_iter().collect();
        self.endpoint(prefix, move |_, _| {
            let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            Outcome::Answered(answer.unwrap())
        });
    }

    pub fn take(&self, limit: usize) -> Vec<Delivery> {
        self.try_take(limit).unwrap()
    }

    pub fn try_take(&self, limit: usize) -> Result<Vec<Delivery>> {
        let mut deliveries = Vec::new();
        for broker in self.brokers() {
            let limit = limit - deliveries.len();
            deliveries.extend(broker.take_deliveries(limit, self.now(), &mut *self.entropy.borrow_mut())?);
        }
        Ok(deliveries)
    }

    /// The deliveries of one shard.
    pub fn try_take_of(&self, shard: usize, limit: usize) -> Result<Vec<Delivery>> {
        let broker = self.brokers().swap_remove(shard);
        broker.take_deliveries(limit, self.now(), &mut *self.entropy.borrow_mut())
    }

    /// What the endpoint does with a delivery. The outcome is not told yet.
    pub fn deliver(&self, delivery: &Delivery) -> Outcome {
        self.received.borrow_mut().push((self.now(), delivery.request.clone()));
        let script = self
            .scripts
            .borrow()
            .iter()
            .find(|(prefix, _)| delivery.request.url.starts_with(prefix))
            .map(|(_, script)| Rc::clone(script));
        match script {
            Some(script) => (script.borrow_mut())(self, &delivery.request),
            None => Outcome::Unreachable { error: format!("nobody listens at {}", delivery.request.url) },
        }
    }

    pub fn tell(&self, delivery: &Delivery, outcome: Outcome) {
        self.try_tell(delivery, outcome).unwrap();
    }

    pub fn try_tell(&self, delivery: &Delivery, outcome: Outcome) -> Result<()> {
        // Leases of other shards are unknown, so their outcomes are ignored.
        let mut brokers = self.brokers();
        let first = brokers.remove(0);
        for broker in brokers {
            broker.handle_outcome(&delivery.lease, outcome.clone(), self.now(), &mut *self.entropy.borrow_mut())?;
        }
        first.handle_outcome(&delivery.lease, outcome, self.now(), &mut *self.entropy.borrow_mut())
    }

    /// What the shards have to tell each other now, with the one that tells it.
    pub fn take_pieces(&self) -> Vec<(u32, Piece)> {
        let mut pieces = Vec::new();
        for (index, broker) in (0..).zip(self.brokers()) {
            let taken = broker.take_relays(self.now()).unwrap_or_default();
            pieces.extend(taken.into_iter().map(|piece| (index, piece)));
        }
        pieces
    }

    /// Brings a piece to its shard; whether it was taken.
    pub fn bring(&self, piece: &Piece) -> bool {
        let broker = self.brokers().swap_remove(usize::try_from(piece.shard).unwrap());
        broker.handle_relay(&piece.body, self.now(), &mut *self.entropy.borrow_mut()).is_ok()
    }

    /// Tells a shard what became of its piece.
    pub fn confirm(&self, from: u32, piece: &Piece, arrived: bool) -> bool {
        let broker = self.brokers().swap_remove(usize::try_from(from).unwrap());
        broker.handle_relayed(piece, arrived, self.now()).is_ok()
    }

    /// Lets the shards tell each other what they have to; whether there was anything.
    fn relay(&self) -> bool {
        let pieces = self.take_pieces();
        for (from, piece) in &pieces {
            let arrived = self.bring(piece);
            self.confirm(*from, piece, arrived);
        }
        !pieces.is_empty()
    }

    /// Tells the shard that handed it out.
    pub fn try_tell_of(&self, shard: usize, delivery: &Delivery, outcome: Outcome) -> Result<()> {
        let broker = self.brokers().swap_remove(shard);
        broker.handle_outcome(&delivery.lease, outcome, self.now(), &mut *self.entropy.borrow_mut())
    }

    /// Delivers what is due now, until nothing is; returns how many deliveries that were.
    pub fn settle(&self) -> usize {
        let mut count = 0;
        loop {
            let deliveries = self.take(10);
            let told = self.relay();
            if deliveries.is_empty() && !told {
                return count;
            }
            for delivery in deliveries {
                let outcome = self.deliver(&delivery);
                self.tell(&delivery, outcome);
                count += 1;
                assert!(count < 100_000, "the broker never comes to rest");
            }
        }
    }

    pub fn next_wake(&self) -> Option<Timestamp> {
        self.brokers().iter().filter_map(|broker| broker.next_wake().unwrap()).min()
    }

    /// Delivers and advances the clock to each next wake until nothing waits.
    pub fn run(&self) {
        loop {
            self.settle();
            match self.next_wake() {
                None => return,
                Some(at) => self.advance(at - self.now()),
            }
        }
    }

    /// The requests that endpoints got at URLs that begin with `prefix`.
    pub fn received(&self, prefix: &str) -> Vec<Request> {
        self.received_at(prefix).into_iter().map(|(_, request)| request).collect()
    }

    /// The same with milliseconds since [`START`].
    pub fn received_at(&self, prefix: &str) -> Vec<(u64, Request)> {
        let received = self.received.borrow();
        let at = |at: &Timestamp| at.millis() - START.millis();
        received
            .iter()
            .filter(|(_, request)| request.url.starts_with(prefix))
            .map(|(time, request)| (at(time), request.clone()))
            .collect()
    }

    // What the log tells.

    /// The states of a message, oldest first.
    pub fn states(&self, message: &str) -> Vec<String> {
        self.events(message).iter().map(|event| event["state"].as_str().unwrap().to_owned()).collect()
    }

    /// The events of a message, oldest first.
    pub fn events(&self, message: &str) -> Vec<Value> {
        let answer = self.get(&format!("/v2/events?messageId={message}&count=1000")).ok();
        let mut events = answer["events"].as_array().unwrap().clone();
        events.reverse();
        events
    }

    /// Whether the history of a run holds the result of a step; read past the API, which may be down.
    pub fn has_result(&self, run: &str, place: u32) -> bool {
        let condition = format!(
            "runs JOIN steps ON steps.run = runs.key WHERE id = '{run}' AND is_plan = 0 AND call_type = 'step' \
             AND place = {place}"
        );
        self.count(&condition) > 0
    }

    /// The log of a run.
    pub fn run_log(&self, id: &str) -> Value {
        self.get(&format!("/v2/workflows/logs?workflowRunId={id}")).ok()["runs"][0].clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(path) = &self.file {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// An answer of the API.
pub struct Answer(pub Response);

impl Answer {
    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.0.body)))
    }

    /// The JSON of an answer that must be 200.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status(), 200, "{}", String::from_utf8_lossy(&self.0.body));
        self.json()
    }

    /// For an answer that must be 200 and say nothing.
    #[track_caller]
    pub fn ok_empty(&self) {
        assert_eq!(self.status(), 200, "{}", String::from_utf8_lossy(&self.0.body));
        assert!(self.0.body.is_empty());
    }

    /// The sentence of an answer that must be an error of this status.
    #[track_caller]
    pub fn error(&self, status: u16) -> String {
        assert_eq!(self.status(), status, "{}", String::from_utf8_lossy(&self.0.body));
        let json = self.json();
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(1), "{json}");
        json["error"].as_str().unwrap().to_owned()
    }

    /// The id of the first message of a batch that must have been accepted.
    #[track_caller]
    pub fn message_in_batch(&self) -> String {
        self.ok()[0]["messageId"].as_str().unwrap().to_owned()
    }

    /// The message id of an answer that must be 200.
    #[track_caller]
    pub fn message_id(&self) -> String {
        self.ok()["messageId"].as_str().unwrap().to_owned()
    }
}

pub fn ok() -> Response {
    Response::new(200)
}
