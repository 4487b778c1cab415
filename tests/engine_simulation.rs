//! The engine on the broker: random workflows, a network that loses requests and answers, deliveries that are lost,
//! repeated and out of order, a process that dies. Whatever happens, every invocation of a run sees the same decisions,
//! and the run ends with what they lead to.
//!
//! `SIMULATION_SEEDS` sets how many seeds are tried, `SIMULATION_SEED` replays a single one.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use futures_util::future::{join_all, select_all};
use orchestration::broker::{Delivery, Outcome};
use orchestration::client::Client;
use orchestration::signature::Keys;
use orchestration::wire::{RawStep, Request, Response, Timestamp, base64};
use orchestration::workflow::{Call, Context, Endpoint, Failure, Host, serve};
use serde_json::{Value, json};
use support::Seeded;
use support::workflow::{WORKFLOW, trigger};
use support::world::{CURRENT_KEY, NEXT_KEY, Network, TOKEN, World};

const SEEDS: u64 = 80;
const ACTIONS: u64 = 250;
const THIRD: &str = "https://third.test";

/// What a workflow does.
#[derive(Debug)]
enum Program {
    /// Computes something; fails so many times before, told by the run's own retries.
    Run(String, u32),
    /// The same, by retries of its own.
    Policy(String, u32),
    Sleep(String, u64),
    Call(String),
    Wait(String, u64),
    /// A step that asks for the time before.
    Timed(String),
    Sequence(Vec<Program>),
    All(Vec<Program>),
    Race(String, Vec<Program>),
}

/// What all invocations of a run did.
#[derive(Default)]
struct Ledger {
    computed: BTreeMap<String, u32>,
    /// Which branch won a race, what time it was, …: by the place in the program.
    decided: BTreeMap<String, String>,
    returned: Vec<Value>,
    complaints: Vec<String>,
}

impl Ledger {
    fn decide(&mut self, what: &str, decision: &str) {
        let before = self.decided.entry(what.to_owned()).or_insert_with(|| decision.to_owned());
        if *before != decision {
            self.complaints.push(format!("{what}: {before} before, {decision} now"));
        }
    }
}

type Shared = Rc<RefCell<Ledger>>;

impl Program {
    /// Without names; see [`Program::named`].
    fn random(dice: &mut Seeded, depth: u32) -> Self {
        let name = String::new();
        let children = |dice: &mut Seeded, most: u64| -> Vec<Self> {
            (0..2 + dice.below(most)).map(|_| Self::random(dice, depth - 1)).collect()
        };
        match dice.below(if depth == 0 { 8 } else { 14 }) {
            0..3 => Self::Run(name, u32::try_from(dice.below(2)).unwrap()),
            3 => Self::Policy(name, u32::try_from(dice.below(3)).unwrap()),
            4 => Self::Sleep(name, dice.below(100)),
            5 => Self::Call(name),
            6 => Self::Wait(name, 1 + dice.below(50)),
            7 => Self::Timed(name),
            8..10 => Self::Sequence(children(dice, 3)),
            10..12 => Self::All(children(dice, 3)),
            _ => Self::Race(name, children(dice, 2)),
        }
    }

    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        ledger: &'a Shared,
    ) -> Pin<Box<dyn Future<Output = Result<Value, Failure>> + 'a>> {
        Box::pin(async move {
            Ok(match self {
                Self::Run(name, fails) => ctx.run(name, async || compute(ledger, name, *fails)).await?,
                Self::Policy(name, fails) => {
                    ctx.step(name).retries(5).retry_delay("2s").run(async || compute(ledger, name, *fails)).await?
                }
                Self::Sleep(name, seconds) => {
                    ctx.sleep(name, Duration::from_secs(*seconds)).await?;
                    json!(name)
                }
                Self::Call(name) => {
                    let response = ctx.call(name, Call { retries: 1, ..Call::new(THIRD) }).await?;
                    ledger.borrow_mut().decide(&format!("call {name}"), &response.status.to_string());
                    json!(name)
                }
                Self::Wait(name, seconds) => {
                    let event: Option<Value> = ctx.wait_for_event(name, name, Duration::from_secs(*seconds)).await?;
                    ledger.borrow_mut().decide(&format!("event {name}"), &format!("{event:?}"));
                    json!(name)
                }
                Self::Timed(name) => {
                    let now = ctx.now().millis().to_string();
                    let result = ctx.run(name, async || compute(ledger, name, 0)).await?;
                    // Only now: what was told is remembered with the step.
                    ledger.borrow_mut().decide(&format!("time {name}"), &now);
                    result
                }
                Self::Sequence(parts) => {
                    let mut results = Vec::new();
                    for part in parts {
                        results.push(part.run(ctx, ledger).await?);
                    }
                    Value::from(results)
                }
                Self::All(parts) => {
                    let results = join_all(parts.iter().map(|part| part.run(ctx, ledger))).await;
                    Value::from(results.into_iter().collect::<Result<Vec<_>, _>>()?)
                }
                Self::Race(name, parts) => {
                    let (result, winner, _) = select_all(parts.iter().map(|part| part.run(ctx, ledger))).await;
                    ledger.borrow_mut().decide(&format!("race {name}"), &winner.to_string());
                    json!({ "won": result? })
                }
            })
        })
    }
}

fn compute(ledger: &Shared, name: &str, fails: u32) -> Result<Value, Failure> {
    let mut ledger = ledger.borrow_mut();
    let times = ledger.computed.entry(name.to_owned()).or_insert(0);
    *times += 1;
    if *times <= fails { Err(Failure::new("Error", "not yet")) } else { Ok(json!(name)) }
}

/// The engine's way to the world.
struct Wire<'a>(&'a World, RefCell<Seeded>);

impl Host for Wire<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.1.borrow_mut().next().to_le_bytes()[0]);
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }

    async fn send(&self, request: Request) -> Result<Response, String> {
        match self.0.send(&request).0 {
            Response { status: 599, .. } => Err("no route to the broker".to_owned()),
            response => Ok(response),
        }
    }
}

/// The steps that a delivery carries.
fn history(request: &Request) -> Vec<String> {
    let history: Vec<RawStep> = serde_json::from_slice(&request.body).unwrap_or_default();
    history
        .iter()
        .map(|step| format!("{} {}", step.message_id, String::from_utf8_lossy(&base64::decode(&step.body).unwrap())))
        .collect()
}

fn serve_program(world: &World, program: Rc<Program>, ledger: &Shared) {
    let client = Client::new("http://broker.test", TOKEN).unwrap();
    let endpoint =
        Arc::new(Endpoint::new(client).keys(Keys::new(CURRENT_KEY, Some(NEXT_KEY)).unwrap()).authorized(true));
    let ledger = Rc::clone(ledger);
    world.endpoint(WORKFLOW, move |world, request| {
        let wire = Wire(world, RefCell::new(Seeded(world.now().millis())));
        let served = serve(&endpoint, request, &wire, async |ctx: Context| {
            let result = program.run(&ctx, &ledger).await?;
            ledger.borrow_mut().returned.push(result.clone());
            Ok(result)
        });
        let mut served = pin!(served);
        for _ in 0..100 {
            if let Poll::Ready(response) = served.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
                if std::env::var("SIMULATION_SEED").is_ok() {
                    println!("-> {} {}", response.status, String::from_utf8_lossy(&response.body));
                }
                return Outcome::Answered(response);
            }
        }
        panic!("the engine waits for nothing: {program:#?} {:#?}", history(request))
    });
}

struct Simulation {
    world: World,
    program: Rc<Program>,
    ledger: Shared,
    dice: Seeded,
    taken: Vec<Delivery>,
    answered: Vec<(Delivery, Outcome)>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut dice = Seeded(seed);
        let world = World::seeded(seed);
        let parts = (0..=dice.below(3)).map(|_| Program::random(&mut dice, 3)).collect();
        let program = Rc::new(Program::named(Program::Sequence(parts)));
        let ledger = Shared::default();
        serve_program(&world, Rc::clone(&program), &ledger);
        world.endpoint(THIRD, move |_, _| Outcome::Answered(Response::new(200)));
        Self { world, program, ledger, dice, taken: Vec::new(), answered: Vec::new() }
    }

    fn trigger(&self) {
        let rules = json!({ "upstash-retries": "1000", "upstash-retry-delay": "2000" });
        assert_eq!(trigger(&self.world, "wfr_1", &rules).status(), 200);
    }

    fn act(&mut self) {
        let network = [Network::LosesRequest, Network::LosesAnswer, Network::Works, Network::Works, Network::Works];
        let index = self.index(network.len());
        self.world.network(network[index]);
        match self.dice.below(100) {
            0..30 => {
                let limit = self.index(4) + 1;
                self.taken.extend(self.world.take(limit));
            }
            30..60 if !self.taken.is_empty() => {
                let index = self.index(self.taken.len());
                let delivery = self.taken.swap_remove(index);
                let outcome = self.world.deliver(&delivery);
                if self.dice.chance(15) {
                    // As if a proxy had sent it twice.
                    self.world.deliver(&delivery);
                }
                self.answered.push((delivery, outcome));
            }
            60..80 if !self.answered.is_empty() => {
                let index = self.index(self.answered.len());
                let (delivery, outcome) = self.answered.swap_remove(index);
                self.world.tell(&delivery, outcome);
            }
            80..84 if !self.answered.is_empty() => {
                let index = self.index(self.answered.len());
                self.answered.swap_remove(index);
            }
            84..88 => {
                self.world.crash();
                self.taken.clear();
                self.answered.clear();
            }
            88.. => {
                let now = self.world.now();
                let step = self.world.next_wake().map_or(Duration::from_secs(5), |at| at - now);
                self.world.advance(step);
                self.taken.clear();
            }
            _ => {}
        }
    }

    fn check(&self) {
        let ledger = self.ledger.borrow();
        assert_eq!(ledger.complaints, Vec::<String>::new(), "{:#?}", self.program);
        let log = self.world.run_log("wfr_1");
        if std::env::var("SIMULATION_SEED").is_ok() {
            for (at, request) in self.world.received_at(WORKFLOW) {
                let message = request.headers.get("Upstash-Message-Id").unwrap_or_default().to_owned();
                println!("{at} delivers {message}:\n    {}", history(&request).join("\n    "));
            }
        }
        assert_eq!(log["workflowState"], json!("RUN_SUCCESS"), "{log:#}\n{:#?}", self.program);
        assert!(!ledger.returned.is_empty());
        assert!(ledger.returned.iter().all(|result| *result == ledger.returned[0]), "{:?}", ledger.returned);
        assert_eq!(self.world.sql.count("messages"), 0, "nothing waits");
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.dice.below(u64::try_from(length).unwrap())).unwrap()
    }
}

impl Program {
    /// Gives every part a name of its own.
    fn named(mut program: Self) -> Self {
        fn visit(program: &mut Program, count: &mut u32) {
            *count += 1;
            match program {
                Program::Run(name, _)
                | Program::Policy(name, _)
                | Program::Sleep(name, _)
                | Program::Call(name)
                | Program::Wait(name, _)
                | Program::Timed(name) => *name = format!("n{count}"),
                Program::Race(name, parts) => {
                    *name = format!("n{count}");
                    for part in parts {
                        visit(part, count);
                    }
                }
                Program::Sequence(parts) | Program::All(parts) => {
                    for part in parts {
                        visit(part, count);
                    }
                }
            }
        }
        visit(&mut program, &mut 0);
        program
    }

    fn has_race(&self) -> bool {
        match self {
            Self::Race(..) => true,
            Self::Sequence(parts) | Self::All(parts) => parts.iter().any(Self::has_race),
            _ => false,
        }
    }

    /// How often each function runs if nothing goes wrong.
    fn computations(&self, into: &mut BTreeMap<String, u32>) {
        match self {
            Self::Run(name, fails) | Self::Policy(name, fails) => drop(into.insert(name.clone(), fails + 1)),
            Self::Timed(name) => drop(into.insert(name.clone(), 1)),
            Self::Sequence(parts) | Self::All(parts) | Self::Race(_, parts) => {
                for part in parts {
                    part.computations(into);
                }
            }
            Self::Sleep(..) | Self::Call(_) | Self::Wait(..) => {}
        }
    }
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn when_nothing_goes_wrong_every_function_runs_as_often_as_it_has_to() {
    let mut races = 0;
    for seed in seeds() {
        println!("seed {seed}");
        let simulation = Simulation::new(seed);
        simulation.trigger();
        simulation.world.run();
        simulation.check();
        let mut expected = BTreeMap::new();
        simulation.program.computations(&mut expected);
        let computed = &simulation.ledger.borrow().computed;
        if simulation.program.has_race() {
            races += 1;
            // The run may end while those who lost are still under way.
            for (name, times) in computed {
                assert!(*times <= expected[name], "{name} ran {times} times: {:#?}", simulation.program);
            }
        } else {
            assert_eq!(*computed, expected, "{:#?}", simulation.program);
        }
    }
    assert!(races > 0 || std::env::var("SIMULATION_SEED").is_ok(), "no program had a race");
}

#[test]
fn whatever_goes_wrong_all_invocations_agree_and_the_run_ends() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut simulation = Simulation::new(seed);
        simulation.trigger();
        for _ in 0..ACTIONS {
            simulation.act();
        }
        simulation.world.network(Network::Works);
        simulation.world.run();
        simulation.check();
    }
}
