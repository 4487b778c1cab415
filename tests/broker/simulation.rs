//! A deterministic simulation: lost, late and repeated outcomes, a network that loses requests and answers, and a
//! process that dies between any two statements. Whatever happens, what was accepted ends, and ends once.
//!
//! `SIMULATION_SEEDS` sets how many seeds are tried, `SIMULATION_SEED` replays a single one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::workflow::{SharedLedger, Stage, WORKFLOW, serve, serve_at, trigger};
use crate::support::world::{Network, World};
use crate::support::{Seeded, simulate};
use orchestration::broker::{Delivery, Outcome};
use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

const SEEDS: u64 = 80;
const ACTIONS: u64 = 600;
const RUNS: u64 = 4;
const MESSAGES: u64 = 6;
const CHILD: &str = "https://flow.test/child";

#[test]
fn whatever_happens_what_was_accepted_ends_once() {
    let expected = [
        "crashes",
        "broken transactions",
        "lost",
        "told twice",
        "late",
        "failed runs",
        "finished runs",
        "events",
        "kept events",
        "invoked runs",
        "runs taken up",
    ];
    simulate(SEEDS, &expected, |seed| Simulation::new(seed).run());
}

struct Simulation {
    world: World,
    ledger: SharedLedger,
    dice: Seeded,
    /// Whether requests may reach the endpoint after their lease has ended.
    late: bool,
    /// Handed out, not sent yet.
    taken: Vec<Delivery>,
    /// Answered, not told yet.
    answered: Vec<(Delivery, Outcome)>,
    /// Sent by clients until the broker confirms.
    unconfirmed: Vec<Client>,
    /// Messages that bring a confirmed event.
    resumptions: Vec<String>,
    /// Runs that go on with failed ones.
    taken_up: Vec<String>,
    /// Confirmed messages.
    messages: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
}

/// What a client repeats until it is confirmed.
#[derive(Clone)]
enum Client {
    Trigger(String, u32),
    Publish(String),
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut dice = Seeded(seed);
        let world = World::seeded(seed);
        let stages = vec![
            Stage::Run("validate"),
            Stage::Parallel(vec![
                Stage::Run("left"),
                Stage::Wait("approval", "approved", 90),
                Stage::Run("right"),
                Stage::Call("quote", "https://third.test"),
            ]),
            Stage::Wait("pickup", "picked", 30),
            Stage::Sleep("rest", 5),
            Stage::Parallel(vec![
                Stage::Sleep("pause", 40),
                Stage::Invoke("sub", CHILD),
                Stage::Webhook("hook", "evt_1", 60),
            ]),
            Stage::Call("ask", "https://third.test"),
            Stage::Run("ship"),
        ];
        let ledger = serve(&world, stages);
        let child = serve_at(&world, CHILD, vec![Stage::CreateWebhook("hook", "evt_2"), Stage::Run("part")]);
        child.borrow_mut().failing.insert("part".to_owned(), u32::try_from(dice.below(3)).unwrap());
        for name in ["validate", "left", "ship"] {
            ledger.borrow_mut().failing.insert(name.to_owned(), u32::try_from(dice.below(3)).unwrap());
        }
        for prefix in ["https://third.test", "https://plain.test", "https://back.test"] {
            let mut dice = dice.clone();
            dice.0 ^= u64::try_from(prefix.len()).unwrap();
            world.endpoint(prefix, move |_, _| match dice.below(4) {
                0 => Outcome::TimedOut,
                1 => Outcome::Answered(Response::new(503)),
                _ => Outcome::Answered(Response::new(200)),
            });
        }
        // Half of the runs can't fail for good, so that they have to finish.
        let triggers = (0..RUNS).map(|n| Client::Trigger(format!("wfr_{n}"), if n % 2 == 0 { 1000 } else { 1 }));
        let publishes = (0..MESSAGES).map(|n| Client::Publish(format!("m{n}")));
        let unconfirmed = triggers.chain(publishes).collect();
        Self {
            world,
            ledger,
            late: dice.chance(50),
            dice,
            taken: Vec::new(),
            answered: Vec::new(),
            unconfirmed,
            resumptions: Vec::new(),
            taken_up: Vec::new(),
            messages: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn run(mut self) -> BTreeMap<&'static str, u64> {
        for _ in 0..ACTIONS {
            self.act();
        }
        // Then everything works again.
        self.world.sql.break_after(None);
        self.world.network(Network::Works);
        while let Some(client) = self.unconfirmed.pop() {
            self.send(client);
        }
        self.world.run();
        self.take_up("resume?count=100");
        self.world.run();
        self.check();
        self.counts
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    fn act(&mut self) {
        let network = [Network::LosesRequest, Network::LosesAnswer, Network::Works, Network::Works, Network::Works];
        let index = self.index(network.len());
        self.world.network(network[index]);
        let breaks = self.dice.chance(15);
        let after = self.dice.below(25);
        self.world.sql.break_after(breaks.then_some(after));
        match self.dice.below(113) {
            100..110 => self.notify(),
            110..112 => self.take_up("resume?count=1"),
            112..113 => self.take_up("restart?count=1"),
            0..10 => {
                if let Some(client) = self.pick(|simulation| &mut simulation.unconfirmed) {
                    self.send(client);
                }
            }
            10..35 => {
                let limit = self.index(4) + 1;
                match self.world.try_take(limit) {
                    Ok(taken) => self.taken.extend(taken),
                    Err(_) => self.count("broken transactions"),
                }
            }
            35..60 => {
                if let Some(delivery) = self.pick(|simulation| &mut simulation.taken) {
                    let outcome = self.world.deliver(&delivery);
                    self.answered.push((delivery, outcome));
                }
            }
            60..80 => {
                if let Some((delivery, outcome)) = self.pick(|simulation| &mut simulation.answered) {
                    if self.world.try_tell(&delivery, outcome.clone()).is_err() {
                        self.count("broken transactions");
                    }
                    if self.dice.chance(20) {
                        self.answered.push((delivery, outcome));
                        self.count("told twice");
                    }
                }
            }
            80..86 => {
                let lost = self.pick(|simulation| &mut simulation.taken).is_some()
                    | self.pick(|simulation| &mut simulation.answered).is_some();
                if lost {
                    self.count("lost");
                }
            }
            86..90 => self.crash(),
            _ => self.advance(),
        }
        self.world.sql.break_after(None);
    }

    fn notify(&mut self) {
        let run = format!("wfr_{}", self.dice.below(RUNS));
        let event = if self.dice.chance(50) { "approved" } else { "picked" };
        let path = if self.dice.chance(20) { format!("{run}/{event}") } else { event.to_owned() };
        let answer = self.world.send(&self.world.request(Method::Post, &format!("/v2/notify/{path}")).body("now"));
        if answer.status() == 201 {
            for told in answer.json().as_array().unwrap() {
                match told["messageId"].as_str().unwrap() {
                    "" => self.count("kept events"),
                    message => {
                        self.resumptions.push(message.to_owned());
                        self.count("events");
                    }
                }
            }
        }
    }

    /// Resumes or restarts failed runs; what is confirmed is there.
    fn take_up(&mut self, how: &str) {
        let answer = self.world.send(&self.world.request(Method::Post, &format!("/v2/workflows/dlq/{how}")));
        if answer.status() == 200 {
            for run in answer.json()["workflowRuns"].as_array().unwrap() {
                self.taken_up.push(run["workflowRunId"].as_str().unwrap().to_owned());
                self.count("runs taken up");
            }
        }
    }

    fn crash(&mut self) {
        self.world.sql.break_after(None);
        self.count("crashes");
        if self.dice.chance(50) {
            self.world.restart();
        } else {
            self.world.crash();
        }
        self.taken.clear();
        if !self.late {
            self.answered.clear();
        }
    }

    fn advance(&mut self) {
        self.world.sql.break_after(None);
        let now = self.world.now();
        let step = match self.world.next_wake() {
            Some(at) if self.dice.chance(70) => at - now,
            _ => Duration::from_millis(self.dice.below(60_000)),
        };
        self.world.advance(step);
        // A host gives up at the timeout, which comes before the end of the lease.
        if self.late {
            self.count("late");
        } else {
            self.taken.clear();
        }
    }

    fn send(&mut self, client: Client) {
        let answer = match &client {
            Client::Trigger(run, retries) => {
                let rules = json!({ "upstash-retries": retries.to_string(), "upstash-retry-delay": "2000" });
                trigger(&self.world, run, &rules)
            }
            Client::Publish(id) => {
                let headers = [
                    ("Upstash-Deduplication-Id", id.as_str()),
                    ("Upstash-Callback", "https://back.test"),
                    ("Upstash-Failure-Callback", "https://back.test"),
                    ("Upstash-Retries", "2"),
                ];
                self.world.publish("https://plain.test", &headers, id)
            }
        };
        match (answer.status(), client) {
            (200 | 202, Client::Publish(_)) => {
                self.messages.push(answer.json()["messageId"].as_str().unwrap().to_owned());
            }
            (200 | 202, Client::Trigger(..)) => {}
            (_, client) => self.unconfirmed.push(client),
        }
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.dice.below(u64::try_from(length).unwrap())).unwrap()
    }

    fn pick<T>(&mut self, list: impl Fn(&mut Self) -> &mut Vec<T>) -> Option<T> {
        let length = list(self).len();
        (length > 0).then(|| {
            let index = self.index(length);
            list(self).swap_remove(index)
        })
    }

    fn check(&mut self) {
        assert_eq!(self.world.sql.count("messages"), 0, "nothing waits");
        for message in &self.messages {
            let states = self.world.states(message);
            let ends = states.iter().filter(|state| matches!(state.as_str(), "DELIVERED" | "FAILED")).count();
            assert_eq!(ends, 1, "{message}: {states:?}");
            assert_eq!(states.iter().filter(|state| *state == "CREATED").count(), 1, "{message}: {states:?}");
        }
        assert_eq!(self.messages.len(), usize::try_from(MESSAGES).unwrap());
        let runs = self.world.get("/v2/workflows/logs?count=100").ok()["runs"].as_array().unwrap().clone();
        // A run id counts once within the window; a trigger whose answer was lost may be repeated after it.
        assert!(runs.len() >= usize::try_from(RUNS).unwrap());
        let (children, own): (Vec<Value>, Vec<Value>) =
            runs.into_iter().partition(|run| run["workflowUrl"] == json!(CHILD));
        for run in &own {
            self.check_run(run);
        }
        for child in &children {
            assert_ne!(child["workflowState"], json!("RUN_STARTED"), "{child}");
            let same = |other: &&Value| other["invoker"] == child["invoker"];
            assert_eq!(children.iter().filter(same).count(), 1, "one step invoked two runs: {child}");
            self.count("invoked runs");
        }
        for table in ["waiters", "invocations"] {
            assert_eq!(self.world.sql.count(table), 0, "{table}");
        }
        for table in ["kept_events", "webhooks", "parked"] {
            // Only what can be resumed keeps something for that.
            let left = format!("{table} WHERE run NOT IN (SELECT run FROM dlq WHERE role <> 'failureCallback')");
            assert_eq!(self.world.sql.count(&left), 0, "{table}");
        }
        for id in &self.taken_up {
            assert!(own.iter().chain(&children).any(|run| run["workflowRunId"] == json!(id)), "{id} is lost");
        }
        for message in &self.resumptions {
            let states = self.world.states(message);
            let ends = |state: &&String| matches!(state.as_str(), "DELIVERED" | "FAILED" | "CANCELED");
            assert_eq!(states.iter().filter(ends).count(), 1, "{message}: {states:?}");
        }
        let ledger = self.ledger.borrow();
        if !self.late {
            assert_eq!(ledger.repeated, [], "a step was computed although its result was known");
        }
        for (run, place) in &ledger.accepted {
            assert!(self.world.has_result(run, *place), "the result of step {place} of {run} is lost");
        }
    }

    fn check_run(&mut self, run: &Value) {
        let id = run["workflowRunId"].as_str().unwrap();
        assert_eq!(run["workflowUrl"], json!(WORKFLOW));
        match run["workflowState"].as_str().unwrap() {
            "RUN_SUCCESS" => {
                assert_eq!(run["workflowRunResponse"], json!("\"done\""));
                for place in 1..=12 {
                    assert!(self.world.has_result(id, place), "{id} ended without step {place}");
                }
                self.count("finished runs");
            }
            "RUN_FAILED" => {
                assert!(!matches!(id, "wfr_0" | "wfr_2"), "{id} had retries left: {run}");
                assert!(run["dlqId"].is_string() && run["failureFunction"]["messageId"].is_string(), "{run}");
                self.count("failed runs");
            }
            other => panic!("{id} is {other}: {run}"),
        }
    }
}
