//! A deterministic simulation of queues and flow control: lost and repeated outcomes, timeouts, cancellations, pauses,
//! and a process that dies between any two statements. Order holds, no limit is ever exceeded, nothing waits for ever.
//!
//! `SIMULATION_SEEDS` sets how many seeds are tried, `SIMULATION_SEED` replays a single one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::support::world::{Network, World};
use crate::support::{Seeded, simulate};
use orchestration::broker::{Delivery, Outcome, Row, Sql};
use orchestration::wire::{Method, Response, Timestamp, header};
use serde_json::Value;

const SEEDS: u64 = 60;
const ACTIONS: u64 = 900;
const URL: &str = "https://app.test/";
const TOLD: &str = "https://told.test/";

/// A lease lasts for the message's timeout and the broker's margin.
const LEASE: Duration = Duration::from_secs(8 + 10);
const GRACE: Duration = Duration::from_secs(5);

/// The keys and their limits: parallelism, starts, period in seconds.
const KEYS: [(&str, usize, usize, u64); 3] =
    [("open", 2, usize::MAX, 0), ("rate", usize::MAX, 3, 20), ("both", 1, 2, 30)];
/// The queues and how many turns they have.
const QUEUES: [(&str, usize); 2] = [("single", 1), ("triple", 3)];

#[test]
fn order_and_limits_hold_whatever_happens() {
    let expected =
        ["crashes", "broken transactions", "lost", "cancelled", "full", "rate used up", "queued", "callbacks"];
    simulate(SEEDS, &expected, |seed| Simulation::new(seed).run());
}

struct Simulation {
    world: World,
    dice: Seeded,
    taken: Vec<Delivery>,
    answered: Vec<(Delivery, Outcome)>,
    /// By key: deliveries that hold a slot, and when that ends by itself.
    open: HashMap<&'static str, HashMap<String, Timestamp>>,
    /// By key: when deliveries were started.
    starts: HashMap<&'static str, Vec<Timestamp>>,
    /// The key of each message that has one.
    keys: HashMap<String, &'static str>,
    counts: BTreeMap<&'static str, u64>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut dice = Seeded(seed);
        let world = World::seeded(seed);
        for prefix in [URL, TOLD] {
            let mut dice = Seeded(dice.next());
            world.endpoint(prefix, move |_, _| match dice.below(5) {
                0 => Outcome::TimedOut,
                1 => Outcome::Answered(Response::new(503)),
                _ => Outcome::Answered(Response::new(200)),
            });
        }
        let triple = world.request(Method::Post, "/v2/queues").body(r#"{"queueName":"triple","parallelism":3}"#);
        world.send(&triple).ok_empty();
        Self {
            world,
            dice,
            taken: Vec::new(),
            answered: Vec::new(),
            open: HashMap::new(),
            starts: HashMap::new(),
            keys: HashMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn run(mut self) -> BTreeMap<&'static str, u64> {
        for _ in 0..ACTIONS {
            self.act();
        }
        self.world.sql.break_after(None);
        self.world.network(Network::Works);
        for (name, ..) in KEYS {
            self.world.send(&self.world.request(Method::Post, &format!("/v2/flowControl/{name}/resume")));
        }
        for (name, _) in QUEUES {
            self.world.send(&self.world.request(Method::Post, &format!("/v2/queues/{name}/resume")));
        }
        loop {
            self.take(3);
            while let Some(delivery) = self.taken.pop() {
                let outcome = self.world.deliver(&delivery);
                self.tell(&delivery, outcome);
            }
            match self.world.next_wake() {
                None => break,
                Some(at) => self.world.advance(at - self.world.now()),
            }
        }
        self.check();
        self.counts
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    fn act(&mut self) {
        self.world.network(if self.dice.chance(10) { Network::LosesAnswer } else { Network::Works });
        let breaks = self.dice.chance(15);
        let after = self.dice.below(25);
        self.world.sql.break_after(breaks.then_some(after));
        match self.dice.below(100) {
            0..16 => self.publish(),
            16..45 => {
                let limit = usize::try_from(self.dice.below(4)).unwrap() + 1;
                self.take(limit);
            }
            45..65 => {
                if let Some(delivery) = pick(&mut self.dice, &mut self.taken) {
                    let outcome = self.world.deliver(&delivery);
                    self.answered.push((delivery, outcome));
                }
            }
            65..80 => {
                if let Some((delivery, outcome)) = pick(&mut self.dice, &mut self.answered) {
                    self.tell(&delivery, outcome);
                }
            }
            80..83 => {
                if pick(&mut self.dice, &mut self.taken).is_some() {
                    self.count("lost");
                }
            }
            83..86 => self.crash(),
            86..88 => self.cancel(),
            88..90 => self.pause(),
            _ => {
                let millis = self.dice.below(9_000);
                self.world.advance(Duration::from_millis(millis));
            }
        }
        self.world.sql.break_after(None);
    }

    fn publish(&mut self) {
        let queued = self.dice.chance(50);
        let mut request = if queued {
            let (queue, _) = QUEUES[index(&mut self.dice, QUEUES.len())];
            self.world.request(Method::Post, &format!("/v2/enqueue/{queue}/{URL}{queue}"))
        } else {
            let (key, parallelism, rate, period) = KEYS[index(&mut self.dice, KEYS.len())];
            let mut limits = Vec::new();
            if parallelism < usize::MAX {
                limits.push(format!("parallelism={parallelism}"));
            }
            if rate < usize::MAX {
                limits.push(format!("rate={rate}"));
                limits.push(format!("period={period}"));
            }
            self.world
                .request(Method::Post, &format!("/v2/publish/{URL}{key}"))
                .header("Upstash-Flow-Control-Key", key)
                .header("Upstash-Flow-Control-Value", limits.join(", "))
        };
        for (name, value) in [("Upstash-Timeout", "8s"), ("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "3000")] {
            request = request.header(name, value);
        }
        if queued && self.dice.chance(50) {
            request = request.header("Upstash-Callback", TOLD).header("Upstash-Callback-Retry-Delay", "2000");
        }
        let answer = self.world.send(&request);
        if queued && answer.status() == 200 {
            self.count("queued");
        }
    }

    fn take(&mut self, limit: usize) {
        let Ok(deliveries) = self.world.try_take(limit) else {
            self.count("broken transactions");
            return;
        };
        let now = self.world.now();
        for delivery in deliveries {
            let url = delivery.request.url.clone();
            if let Some((key, parallelism, rate, period)) = KEYS.iter().find(|(key, ..)| url == format!("{URL}{key}")) {
                self.keys.insert(delivery.message_id.clone(), key);
                let open = self.open.entry(key).or_default();
                open.retain(|_, end| *end > now);
                // One that is delivered again has lost the lease of before.
                open.insert(delivery.message_id.clone(), now + LEASE);
                assert!(open.len() <= *parallelism, "{} open deliveries of '{key}'", open.len());
                let full = open.len() == *parallelism;
                let starts = self.starts.entry(key).or_default();
                starts.push(now);
                let used_up = in_window(starts, Duration::from_secs(*period));
                assert!(used_up <= *rate, "{used_up} starts of '{key}' in one period");
                if full {
                    self.count("full");
                }
                if used_up == *rate {
                    self.count("rate used up");
                }
            }
            if url == TOLD {
                self.count("callbacks");
            }
            self.taken.push(delivery);
        }
    }

    fn tell(&mut self, delivery: &Delivery, outcome: Outcome) {
        if self.world.try_tell(delivery, outcome).is_err() {
            self.count("broken transactions");
        } else if let Some(key) = self.keys.get(&delivery.message_id) {
            self.open.entry(key).or_default().remove(&delivery.message_id);
        }
    }

    fn crash(&mut self) {
        self.world.sql.break_after(None);
        self.count("crashes");
        self.taken.clear();
        self.answered.clear();
        if self.dice.chance(50) {
            self.world.restart();
            let end = self.world.now() + GRACE;
            self.open.values_mut().flat_map(HashMap::values_mut).for_each(|until| *until = (*until).min(end));
        } else {
            self.world.crash();
        }
    }

    fn cancel(&mut self) {
        let answer = self.world.delete("/v2/messages?count=1");
        if answer.status() == 200 && answer.json()["cancelled"] == 1 {
            self.count("cancelled");
        }
        // Which one it was, if any, the answer does not tell, should it have come at all.
        self.world.sql.break_after(None);
        let rows = self.world.sql.query("SELECT id FROM messages WHERE lease IS NOT NULL", &[]).unwrap();
        let leased: Vec<String> = rows.iter().map(|row| row.text(0).unwrap()).collect();
        self.open.values_mut().for_each(|open| open.retain(|id, _| leased.contains(id)));
    }

    fn pause(&mut self) {
        let what = if self.dice.chance(30) { "pause" } else { "resume" };
        let path = if self.dice.chance(50) {
            format!("/v2/flowControl/{}/{what}", KEYS[index(&mut self.dice, KEYS.len())].0)
        } else {
            format!("/v2/queues/{}/{what}", QUEUES[index(&mut self.dice, QUEUES.len())].0)
        };
        self.world.send(&self.world.request(Method::Post, &path));
    }

    fn check(&self) {
        assert_eq!(self.world.sql.count("messages"), 0, "nothing waits");
        let rows = self.world.sql.query("SELECT seq, message_id, state, url FROM events ORDER BY seq", &[]).unwrap();
        let mut lives: BTreeMap<String, Life> = BTreeMap::new();
        for row in &rows {
            let life = lives.entry(row.text(1).unwrap()).or_default();
            life.see(row);
        }
        for (id, life) in &lives {
            assert_eq!(life.ends, 1, "{id} ended {} times", life.ends);
        }
        for request in self.world.received(TOLD) {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let callback = lives[request.headers.get(header::MESSAGE_ID).unwrap()].ended;
            let source = lives.get_mut(body["sourceMessageId"].as_str().unwrap()).unwrap();
            source.told = source.told.max(callback);
        }
        for (queue, turns) in QUEUES {
            let url = format!("{URL}{queue}");
            let mut queued: Vec<&Life> = lives.values().filter(|life| life.url == url).collect();
            queued.sort_by_key(|life| life.created);
            queued.retain(|life| life.begun > 0);
            for (place, life) in queued.iter().enumerate() {
                let before = &queued[..place];
                assert!(before.iter().all(|other| other.begun < life.begun), "'{queue}' is out of order");
                let under_way = before.iter().filter(|other| other.ended.max(other.told) > life.begun).count();
                assert!(under_way < turns, "'{queue}' has {turns} turns, one more has begun");
            }
        }
    }
}

/// What the log tells of a message, as numbers of its entries.
#[derive(Default)]
struct Life {
    url: String,
    created: i64,
    begun: i64,
    ended: i64,
    ends: u32,
    /// When the last of its callbacks ended.
    told: i64,
}

impl Life {
    fn see(&mut self, row: &Row) {
        let seq = row.integer(0).unwrap();
        self.url = row.text(3).unwrap();
        match row.text(2).unwrap().as_str() {
            "CREATED" => self.created = seq,
            "ACTIVE" if self.begun == 0 => self.begun = seq,
            "DELIVERED" | "FAILED" | "CANCELED" => {
                self.ended = seq;
                self.ends += 1;
            }
            _ => {}
        }
    }
}

/// How many of the starts fall into the period of the last one; a period begins with the first start after the one
/// before.
fn in_window(starts: &[Timestamp], period: Duration) -> usize {
    let mut begin = Timestamp::default();
    let mut count = 0;
    for start in starts {
        if begin + period <= *start {
            begin = *start;
            count = 0;
        }
        count += 1;
    }
    count
}

fn index(dice: &mut Seeded, length: usize) -> usize {
    usize::try_from(dice.below(u64::try_from(length).unwrap())).unwrap()
}

fn pick<T>(dice: &mut Seeded, from: &mut Vec<T>) -> Option<T> {
    (!from.is_empty()).then(|| index(dice, from.len())).map(|place| from.remove(place))
}
