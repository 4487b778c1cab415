//! A deterministic simulation of a broker on several shards that tell each other things over a network that loses,
//! repeats and delays, and that die between any two statements. Limits hold for messages wherever they live, queues keep
//! their order, runs that invoke runs of other shards go on, nothing is lost and nothing happens twice.
//!
//! `SIMULATION_SEEDS` sets how many seeds are tried, `SIMULATION_SEED` replays a single one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::support::sqlite::Sqlite;
use crate::support::workflow::{SharedLedger, Stage, WORKFLOW, serve, serve_at, trigger};
use crate::support::world::{Network, World, settings};
use crate::support::{Seeded, simulate};
use orchestration::broker::shard::Piece;
use orchestration::broker::{Delivery, Outcome, Row, Sql};
use orchestration::wire::{Method, Response, Timestamp};
use serde_json::{Value, json};

const SEEDS: u64 = 20;
const ACTIONS: u64 = 1000;
const SHARDS: u32 = 3;
const RUNS: u64 = 6;
const CHILD: &str = "https://flow.test/child";
const PLAIN: &str = "https://plain.test/";
const QUEUE: &str = "https://queue.test/";

/// A lease lasts for the message's timeout and the broker's margin.
const LEASE: Duration = Duration::from_secs(8 + 10);
const GRACE: Duration = Duration::from_secs(5);

/// The keys and their limits: parallelism, starts, period in seconds.
const KEYS: [(&str, usize, usize, u64); 3] =
    [("open", 2, usize::MAX, 0), ("rate", usize::MAX, 3, 20), ("both", 1, 4, 30)];

#[test]
fn shards_keep_every_promise_whatever_happens_between_them() {
    let expected = [
        "crashes",
        "broken transactions",
        "lost",
        "pieces lost",
        "pieces told twice",
        "full",
        "rate used up",
        "under a ticket",
        "finished runs",
        "failed runs",
        "invoked elsewhere",
        "runs taken up",
    ];
    simulate(SEEDS, &expected, |seed| Simulation::new(seed).run());
}

struct Simulation {
    world: World,
    ledger: SharedLedger,
    dice: Seeded,
    /// Handed out, with their shard.
    taken: Vec<(usize, Delivery)>,
    answered: Vec<(usize, Delivery, Outcome)>,
    /// On their way between shards.
    pieces: Vec<(u32, Piece)>,
    unconfirmed: Vec<Client>,
    /// By key: deliveries that hold a slot, their shard, and when that ends by itself.
    open: HashMap<&'static str, HashMap<String, (usize, Timestamp)>>,
    /// By key: when deliveries were started.
    starts: HashMap<&'static str, Vec<Timestamp>>,
    counts: BTreeMap<&'static str, u64>,
}

/// What a client repeats until it is confirmed.
#[derive(Clone)]
enum Client {
    Trigger(u64),
    Publish(u64),
    Enqueue(u64),
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut dice = Seeded(seed);
        let world = World::sharded(SHARDS, settings());
        world.reseed(seed);
        let stages = vec![
            Stage::Run("validate"),
            Stage::Parallel(vec![
                Stage::Run("left"),
                Stage::Invoke("one", CHILD),
                Stage::Call("quote", "https://third.test"),
            ]),
            Stage::Sleep("rest", 5),
            Stage::Invoke("two", CHILD),
            Stage::Run("ship"),
        ];
        let ledger = serve(&world, stages);
        let child = serve_at(&world, CHILD, vec![Stage::Run("part"), Stage::Sleep("nap", 3)]);
        child.borrow_mut().failing.insert("part".to_owned(), u32::try_from(dice.below(4)).unwrap());
        ledger.borrow_mut().failing.insert("left".to_owned(), u32::try_from(dice.below(3)).unwrap());
        for prefix in ["https://third.test", PLAIN, QUEUE] {
            let mut dice = Seeded(dice.next());
            world.endpoint(prefix, move |_, _| match dice.below(5) {
                0 => Outcome::TimedOut,
                1 => Outcome::Answered(Response::new(503)),
                _ => Outcome::Answered(Response::new(200)),
            });
        }
        let unconfirmed =
            (0..RUNS).map(Client::Trigger).chain((0..8).map(Client::Publish)).chain((0..8).map(Client::Enqueue));
        Self {
            world,
            ledger,
            dice,
            taken: Vec::new(),
            answered: Vec::new(),
            pieces: Vec::new(),
            unconfirmed: unconfirmed.collect(),
            open: HashMap::new(),
            starts: HashMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn run(mut self) -> BTreeMap<&'static str, u64> {
        for _ in 0..ACTIONS {
            self.act();
        }
        // Then everything works again.
        self.break_after(None);
        self.world.network(Network::Works);
        while let Some(client) = self.unconfirmed.pop() {
            self.send(client);
        }
        self.finish();
        self.take_up("resume?count=100");
        self.finish();
        self.check();
        self.counts
    }

    fn finish(&mut self) {
        for _ in 0..200_000 {
            let pieces = self.world.take_pieces();
            for (from, piece) in &pieces {
                let arrived = self.world.bring(piece);
                assert!(arrived);
                self.world.confirm(*from, piece, arrived);
            }
            self.take(3);
            let idle = self.taken.is_empty() && pieces.is_empty();
            for (shard, delivery) in std::mem::take(&mut self.taken) {
                let outcome = self.world.deliver(&delivery);
                self.tell(shard, &delivery, outcome);
            }
            if idle {
                match self.world.next_wake() {
                    None => return,
                    Some(at) => self.world.advance(at - self.world.now()),
                }
            }
        }
        panic!("the shards never come to rest");
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    fn break_after(&mut self, statements: Option<u64>) {
        let databases = self.world.databases();
        for sql in &databases {
            sql.break_after(None);
        }
        let index = index(&mut self.dice, databases.len());
        databases[index].break_after(statements);
    }

    fn act(&mut self) {
        let network = [Network::LosesRequest, Network::LosesAnswer, Network::Works, Network::Works, Network::Works];
        let chosen = index(&mut self.dice, network.len());
        self.world.network(network[chosen]);
        let breaks = self.dice.chance(15);
        let after = self.dice.below(25);
        self.break_after(breaks.then_some(after));
        match self.dice.below(100) {
            0..8 => {
                if let Some(client) = pick(&mut self.dice, &mut self.unconfirmed) {
                    self.send(client);
                }
            }
            8..30 => {
                let limit = index(&mut self.dice, 4) + 1;
                self.take(limit);
            }
            30..50 => {
                if let Some((shard, delivery)) = pick(&mut self.dice, &mut self.taken) {
                    let outcome = self.world.deliver(&delivery);
                    self.answered.push((shard, delivery, outcome));
                }
            }
            50..64 => {
                if let Some((shard, delivery, outcome)) = pick(&mut self.dice, &mut self.answered) {
                    self.tell(shard, &delivery, outcome.clone());
                    if self.dice.chance(20) {
                        self.answered.push((shard, delivery, outcome));
                    }
                }
            }
            64..67 => {
                if pick(&mut self.dice, &mut self.taken).is_some() {
                    self.count("lost");
                }
            }
            67..75 => {
                let pieces = self.world.take_pieces();
                self.pieces.extend(pieces);
            }
            75..86 => self.carry(),
            86..89 => self.crash(),
            89..90 => self.take_up("resume?count=1"),
            90..91 => self.take_up("restart?count=1"),
            _ => {
                self.break_after(None);
                let now = self.world.now();
                let step = match self.world.next_wake() {
                    Some(at) if self.dice.chance(30) => at - now,
                    _ => Duration::from_millis(self.dice.below(9_000)),
                };
                self.world.advance(step);
            }
        }
        self.break_after(None);
    }

    /// Brings a piece to its shard, or not, once or twice, and tells that, or not.
    fn carry(&mut self) {
        let Some((from, piece)) = pick(&mut self.dice, &mut self.pieces) else { return };
        if self.dice.chance(15) {
            self.count("pieces lost");
            if self.dice.chance(50) {
                self.world.confirm(from, &piece, false);
            }
            return;
        }
        let arrived = self.world.bring(&piece);
        match self.dice.below(10) {
            0 => self.count("pieces lost"),
            1 => {
                self.count("pieces told twice");
                self.pieces.push((from, piece));
            }
            2 => {
                self.world.confirm(from, &piece, false);
            }
            _ => {
                self.world.confirm(from, &piece, arrived);
            }
        }
    }

    fn send(&mut self, client: Client) {
        let limits = |key: usize| {
            let (name, parallelism, rate, period) = KEYS[key];
            let mut limits = Vec::new();
            if parallelism < usize::MAX {
                limits.push(format!("parallelism={parallelism}"));
            }
            if rate < usize::MAX {
                limits.push(format!("rate={rate}, period={period}"));
            }
            (name, limits.join(", "))
        };
        let rules = |key: (&str, String), retries: &str, id: &str| {
            json!({
                "Upstash-Flow-Control-Key": key.0,
                "Upstash-Flow-Control-Value": key.1,
                "Upstash-Timeout": "8s",
                "Upstash-Retries": retries,
                "Upstash-Retry-Delay": "2000",
                "Upstash-Deduplication-Id": id,
            })
        };
        let answer = match &client {
            Client::Trigger(n) => {
                let key = limits(usize::try_from(*n).unwrap() % 3);
                let mut rules = rules(key, if n % 2 == 0 { "1000" } else { "0" }, "");
                rules.as_object_mut().unwrap().remove("Upstash-Deduplication-Id");
                trigger(&self.world, &format!("wfr_{n}"), &rules)
            }
            Client::Publish(n) => {
                let rules = rules(limits(usize::try_from(*n).unwrap() % 3), "2", &format!("p{n}"));
                self.world.batch(&json!([{ "destination": format!("{PLAIN}{n}"), "headers": rules }]))
            }
            Client::Enqueue(n) => {
                let mut rules = rules(limits(usize::try_from(*n).unwrap() % 2 * 2), "2", &format!("q{n}"));
                rules["Upstash-Queue-Name"] = json!(format!("queue-{}", n % 2));
                self.world.batch(&json!([{ "destination": format!("{QUEUE}{}", n % 2), "headers": rules }]))
            }
        };
        if !(200..300).contains(&answer.status()) {
            self.unconfirmed.push(client);
        }
    }

    fn take(&mut self, limit: usize) {
        let now = self.world.now();
        for shard in 0..self.world.brokers().len() {
            let Ok(deliveries) = self.world.try_take_of(shard, limit) else {
                self.count("broken transactions");
                continue;
            };
            let sql = &self.world.databases()[shard];
            sql.break_after(None);
            for delivery in deliveries {
                let lease = [delivery.lease.as_str().into()];
                let rows = sql.query("SELECT flow_key FROM messages WHERE lease = ?", &lease).unwrap();
                if let Some(key) = rows[0].optional(0, Row::text).unwrap() {
                    self.begin(shard, &delivery, &key, now);
                }
                self.taken.push((shard, delivery));
            }
        }
    }

    /// Counts a delivery under a key, and whether it may have begun.
    fn begin(&mut self, shard: usize, delivery: &Delivery, key: &str, now: Timestamp) {
        let (key, parallelism, rate, period) = KEYS.into_iter().find(|(name, ..)| *name == key).unwrap();
        let open = self.open.entry(key).or_default();
        open.retain(|_, (_, end)| *end > now);
        open.insert(delivery.message_id.clone(), (shard, now + LEASE));
        assert!(open.len() <= parallelism, "{} open deliveries of '{key}': {open:?}", open.len());
        let full = open.len() == parallelism;
        let starts = self.starts.entry(key).or_default();
        starts.push(now);
        // The key's shard counts; others only remember the limits.
        let params = [key.into()];
        let starts_of = |sql: &Sqlite| {
            sql.break_after(None);
            let rows = sql.query("SELECT window_start FROM flow_keys WHERE key = ?", &params).unwrap();
            rows.first().map_or(Timestamp::default(), |row| row.timestamp(0).unwrap())
        };
        let began = self.world.databases().iter().map(starts_of).max().unwrap();
        let used = starts.iter().filter(|start| **start >= began).count();
        if rate < usize::MAX {
            assert!(now < began + Duration::from_secs(period), "a start of '{key}' in no period");
            assert!(used <= rate, "{used} starts of '{key}' in one period");
        }
        let message = [delivery.message_id.as_str().into()];
        let ticket = self.world.databases()[shard].query("SELECT 1 FROM tickets WHERE message_id = ?", &message);
        if !ticket.unwrap().is_empty() {
            self.count("under a ticket");
        }
        if full {
            self.count("full");
        }
        if used == rate {
            self.count("rate used up");
        }
    }

    fn tell(&mut self, shard: usize, delivery: &Delivery, outcome: Outcome) {
        if self.world.try_tell_of(shard, delivery, outcome).is_err() {
            self.count("broken transactions");
        } else {
            self.open.values_mut().for_each(|open| {
                open.remove(&delivery.message_id);
            });
        }
    }

    fn crash(&mut self) {
        self.break_after(None);
        self.count("crashes");
        let shard = index(&mut self.dice, self.world.brokers().len());
        let knows = self.dice.chance(50);
        self.world.crash_shard(shard, knows);
        self.taken.retain(|(of, _)| *of != shard);
        self.answered.retain(|(of, ..)| *of != shard);
        self.pieces.retain(|(of, _)| usize::try_from(*of).unwrap() != shard);
        if knows {
            let end = self.world.now() + GRACE;
            for (of, until) in self.open.values_mut().flat_map(HashMap::values_mut) {
                if *of == shard {
                    *until = (*until).min(end);
                }
            }
        }
    }

    fn take_up(&mut self, how: &str) {
        let answer = self.world.send(&self.world.request(Method::Post, &format!("/v2/workflows/dlq/{how}")));
        if answer.status() == 200 {
            for _ in answer.json()["workflowRuns"].as_array().unwrap() {
                self.count("runs taken up");
            }
        }
    }

    fn check(&mut self) {
        for table in ["messages", "tickets", "relays", "channels", "watchers", "invocations", "waiters"] {
            assert_eq!(self.world.count(table), 0, "{table}");
        }
        let runs = self.world.get("/v2/workflows/logs?count=100").ok()["runs"].as_array().unwrap().clone();
        let (children, own): (Vec<Value>, Vec<Value>) =
            runs.into_iter().partition(|run| run["workflowUrl"] == json!(CHILD));
        assert!(own.len() >= usize::try_from(RUNS).unwrap());
        for run in &own {
            assert_eq!(run["workflowUrl"], json!(WORKFLOW));
            let id = run["workflowRunId"].as_str().unwrap();
            match run["workflowState"].as_str().unwrap() {
                "RUN_SUCCESS" => {
                    for place in 1..=7 {
                        assert!(self.world.has_result(id, place), "{id} ended without step {place}");
                    }
                    self.count("finished runs");
                }
                "RUN_FAILED" => {
                    let patient = ["wfr_0", "wfr_2", "wfr_4"].contains(&id);
                    assert!(!patient, "{id} had retries left: {run}");
                    self.count("failed runs");
                }
                other => panic!("{id} is {other}: {run}"),
            }
        }
        assert!(children.iter().all(|child| child["workflowState"] != json!("RUN_STARTED")));
        // Those that were taken up have no invoker.
        let children: Vec<&Value> = children.iter().filter(|child| child["invoker"].is_object()).collect();
        for child in &children {
            let parent = child["invoker"]["workflowRunId"].as_str().unwrap();
            // The id names its parent and the step: each step invokes one run.
            let id = child["workflowRunId"].as_str().unwrap();
            let step = id.rsplit_once('-').unwrap().0;
            let same = |other: &&&Value| other["workflowRunId"].as_str().unwrap().rsplit_once('-').unwrap().0 == step;
            assert_eq!(children.iter().filter(same).count(), 1, "one step of {parent} invoked two runs: {child}");
            let place = |run: &str| {
                self.world.databases().iter().position(|sql| sql.count(&format!("runs WHERE id = '{run}'")) > 0)
            };
            if place(id) != place(parent) {
                self.count("invoked elsewhere");
            }
        }
        self.check_messages();
        let ledger = self.ledger.borrow();
        for (run, place) in &ledger.accepted {
            assert!(self.world.has_result(run, *place), "the result of step {place} of {run} is lost");
        }
    }

    /// Each plain message ended once, those of a queue one after the other.
    fn check_messages(&self) {
        let mut urls = BTreeMap::new();
        for sql in self.world.databases() {
            let query = "SELECT message_id, url, group_concat(state) FROM (SELECT * FROM events ORDER BY seq) \
                 WHERE url LIKE 'https://plain%' OR url LIKE 'https://queue%' GROUP BY message_id ORDER BY min(seq)";
            for row in sql.query(query, &[]).unwrap() {
                let states = row.text(2).unwrap();
                let ends = states.split(',').filter(|state| matches!(*state, "DELIVERED" | "FAILED")).count();
                assert_eq!(ends, 1, "{}: {states}", row.text(0).unwrap());
                *urls.entry(row.text(1).unwrap()).or_insert(0) += 1;
            }
            let query = "SELECT url, message_id, state FROM events WHERE url LIKE 'https://queue%' ORDER BY seq";
            let mut under_way: BTreeMap<String, String> = BTreeMap::new();
            for row in sql.query(query, &[]).unwrap() {
                let (url, id, state) = (row.text(0).unwrap(), row.text(1).unwrap(), row.text(2).unwrap());
                match state.as_str() {
                    "ACTIVE" => {
                        let first = under_way.entry(url).or_insert_with(|| id.clone());
                        assert_eq!(*first, id, "another message of the queue has not ended");
                    }
                    "DELIVERED" | "FAILED" => {
                        under_way.remove(&url);
                    }
                    _ => {}
                }
            }
        }
        assert!(urls.iter().filter(|(url, _)| url.starts_with(PLAIN)).count() == 8, "{urls:?}");
        assert!(
            urls.iter().filter(|(url, _)| url.starts_with(QUEUE)).map(|(_, count)| count).sum::<i32>() >= 8,
            "{urls:?}"
        );
    }
}

fn index(dice: &mut Seeded, length: usize) -> usize {
    usize::try_from(dice.below(u64::try_from(length).unwrap())).unwrap()
}

fn pick<T>(dice: &mut Seeded, list: &mut Vec<T>) -> Option<T> {
    (!list.is_empty()).then(|| {
        let index = index(dice, list.len());
        list.swap_remove(index)
    })
}
