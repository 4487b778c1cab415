//! Workflows in Rust, on the engine of this crate, on the broker of this crate: every kind of step, and branches that go
//! on beside each other while deliveries are lost.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use crate::support::Seeded;
use crate::support::workflow::{WORKFLOW, trigger};
use crate::support::world::{CURRENT_KEY, NEXT_KEY, TOKEN, World};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, join};
use orchestration::broker::Outcome;
use orchestration::client::Client;
use orchestration::signature::Keys;
use orchestration::wire::{Entropy, Method, Request, Response, Timestamp, base64};
use orchestration::workflow::{Call, Context, Endpoint, Failure, Host, Invoke, serve};
use serde::Serialize;
use serde_json::{Value, json};

const RUN: &str = "wfr_1";

/// How often each step was computed.
type Computed = Rc<RefCell<BTreeMap<String, u32>>>;

/// The endpoint's host: the broker is at hand.
struct Near<'a> {
    world: &'a World,
    entropy: RefCell<Seeded>,
}

impl Host for Near<'_> {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.entropy.borrow_mut().fill(bytes);
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }

    async fn send(&self, request: Request) -> Result<Response, String> {
        Ok(self.world.send(&request).0)
    }
}

/// Serves a workflow at `url`.
fn flow<T: Serialize>(world: &World, url: &str, workflow: impl AsyncFn(Context) -> Result<T, Failure> + 'static) {
    let client = Client::new("http://broker.test", TOKEN).unwrap();
    let keys = Keys::new(CURRENT_KEY, Some(NEXT_KEY)).unwrap();
    let endpoint = Arc::new(Endpoint::new(client).keys(keys));
    let mut seed = 1000;
    world.endpoint(url, move |world, request| {
        seed += 1;
        let near = Near { world, entropy: RefCell::new(Seeded(seed)) };
        let served = serve(&endpoint, request, &near, async |ctx| workflow(ctx).await);
        let mut served = pin!(served);
        for _ in 0..1000 {
            if let Poll::Ready(response) = served.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
                return Outcome::Answered(response);
            }
        }
        panic!("the engine waits for nothing");
    });
}

fn result(world: &World, run: &str) -> Value {
    let log = world.run_log(run);
    assert_eq!(log["workflowState"], json!("RUN_SUCCESS"), "{log}");
    serde_json::from_str(log["workflowRunResponse"].as_str().unwrap()).unwrap()
}

async fn count(ctx: &Context, computed: &Computed, name: &str) -> Result<String, Failure> {
    let computed = Rc::clone(computed);
    ctx.run(name, async move || {
        *computed.borrow_mut().entry(name.to_owned()).or_default() += 1;
        Ok::<_, Failure>(name.to_owned())
    })
    .await
}

#[test]
fn every_kind_of_step_runs_alone_and_side_by_side() {
    let world = World::new();
    world.answers(
        "https://third.test",
        [Response::new(500), Response::new(201).header("Content-Type", "text/plain").body("hi")],
    );
    flow(&world, "https://flow.test/child", async |ctx: Context| {
        let payload: Value = ctx.payload()?;
        ctx.sleep("nap", Duration::from_secs(30)).await?;
        ctx.run("work", async || Ok::<_, Failure>(payload["n"].as_u64().unwrap() * 2)).await
    });
    flow(&world, WORKFLOW, async |ctx: Context| {
        let child = |n: u32| Invoke {
            workflow_id: "child".into(),
            body: Some(json!({ "n": n }).to_string()),
            ..Invoke::default()
        };
        let call = || Call { retries: 1, ..Call::new("https://third.test/x") };
        let alone = (
            ctx.call("call", call()).await?.text(),
            ctx.invoke::<u64>("invoke", child(1)).await?.body,
            ctx.wait_for_event::<Value>("wait", "go", Duration::from_hours(1)).await?,
            ctx.wait_for_event::<Value>("late", "never", Duration::from_secs(5)).await?,
            ctx.notify("tell", "nobody", &1).await?,
        );
        let (called, invoked, event, late, slept, ran) = join!(
            ctx.call("call too", call()),
            ctx.invoke::<u64>("invoke too", child(5)),
            ctx.wait_for_event::<u32>("wait too", "again", Duration::from_hours(1)),
            ctx.wait_for_event::<u32>("late too", "never", Duration::from_secs(5)),
            ctx.sleep("sleep", Duration::from_secs(3)),
            ctx.run("run", async || Ok::<_, Failure>(7)),
        );
        slept?;
        Ok((alone, called?.text(), invoked?.body, event?, late?, ran?))
    });
    trigger(&world, RUN, &json!({})).ok();
    let notify = |path: &str, data: &str| {
        world.send(&world.request(Method::Post, &format!("/v2/notify/{path}")).body(data)).json()
    };
    while world.get("/v2/waiters/go").ok() == json!([]) {
        world.settle();
        world.advance(Duration::from_secs(1));
    }
    assert_eq!(notify("go", "{\"now\":true}").as_array().unwrap().len(), 1);
    notify("wfr_1/again", "5");
    world.run();
    assert_eq!(result(&world, RUN), json!([["hi", 2, { "now": true }, null, []], "hi", 10, 5, null, 7]));
}

#[test]
fn a_webhook_is_called_while_its_run_does_something_else() {
    let mut settings = crate::support::world::settings();
    settings.token = base64::encode(br#"{"UserID":"me"}"#);
    let token = settings.token.clone();
    let world = World::with(settings);
    let url = Rc::new(RefCell::new(String::new()));
    let told = Rc::clone(&url);
    let client = Client::new("http://broker.test", &token).unwrap();
    let endpoint = Arc::new(Endpoint::new(client.clone()));
    world.endpoint(WORKFLOW, move |world, request| {
        let near = Near { world, entropy: RefCell::new(Seeded(7)) };
        let told = Rc::clone(&told);
        let served = serve(&endpoint, request, &near, async |ctx: Context| {
            let hook = ctx.create_webhook("make").await?;
            let address = hook.webhook_url.clone();
            ctx.run("tell", async || {
                *told.borrow_mut() = address;
                Ok::<_, Failure>(())
            })
            .await?;
            let call = ctx.wait_for_webhook("call", &hook, Duration::from_hours(1)).await?.unwrap();
            Ok((call.method.as_str().to_owned(), call.url, String::from_utf8(call.body).unwrap()))
        });
        Outcome::Answered(served.now_or_never().unwrap())
    });
    let item = crate::support::workflow::trigger_item(RUN, "", &json!({}));
    let request = Request::new(Method::Post, "http://broker.test/v2/batch").body(json!([item]).to_string());
    world.send(&request.header("Authorization", format!("Bearer {token}"))).ok();
    world.settle();
    let address = url.borrow().clone();
    assert!(address.starts_with("http://broker.test/v2/workflows/hooks/me/wfr_1/evt_"), "{address}");
    assert_eq!(world.send(&Request::new(Method::Patch, format!("{address}?a=1")).body("body")).status(), 200);
    world.run();
    let finished = world.sql.count("runs WHERE state = 'RUN_SUCCESS'");
    assert_eq!(finished, 1);
}

/// Two chains side by side, a race, and a join; no step is to be computed twice, whatever is lost.
async fn braid(ctx: Context, computed: Computed) -> Result<Vec<String>, Failure> {
    let left = async {
        count(&ctx, &computed, "a1").await?;
        ctx.sleep("a2", Duration::from_secs(20)).await?;
        count(&ctx, &computed, "a3").await?;
        count(&ctx, &computed, "a4").await
    };
    let right = async {
        count(&ctx, &computed, "b1").await?;
        ctx.wait_for_event::<u32>("b2", "go", Duration::from_secs(10)).await?;
        let (x, y) = join!(count(&ctx, &computed, "b3"), count(&ctx, &computed, "b4"));
        x.and(y)
    };
    let third = async {
        ctx.call("c1", Call::new("https://third.test")).await?;
        count(&ctx, &computed, "c2").await
    };
    let (left, right, third) = join!(left, right, third);
    let (slow, quick) = (pin!(ctx.sleep("slow", Duration::from_mins(1))), pin!(count(&ctx, &computed, "quick")));
    let first = match select(slow, quick).await {
        Either::Left(_) => "slow".to_owned(),
        Either::Right((quick, _)) => quick?,
    };
    let last = count(&ctx, &computed, "last").await?;
    Ok(vec![left?, right?, third?, first, last])
}

#[test]
fn branches_of_their_own_pace_survive_lost_outcomes_and_compute_no_step_twice() {
    for seed in 0..40 {
        let mut world = World::on_file(&format!("braid-{seed}"));
        world.answers("https://third.test", [Response::new(200).body("ok")]);
        let computed = Computed::default();
        let shared = Rc::clone(&computed);
        flow(&world, WORKFLOW, async move |ctx| braid(ctx, Rc::clone(&shared)).await);
        trigger(&world, RUN, &json!({ "upstash-retries": "1000", "upstash-retry-delay": "1000" })).ok();
        let mut dice = Seeded(seed);
        let mut lost = 0;
        loop {
            let mut taken = world.take(4);
            while !taken.is_empty() {
                let delivery =
                    taken.swap_remove(usize::try_from(dice.below(u64::try_from(taken.len()).unwrap())).unwrap());
                match dice.below(10) {
                    // It never arrives.
                    0 => lost += 1,
                    // Its answer never arrives.
                    1..3 => {
                        let _lost = world.deliver(&delivery);
                        lost += 1;
                    }
                    // What it answers is an error, though what it submitted was accepted.
                    3 => {
                        let _lost = world.deliver(&delivery);
                        world.tell(&delivery, Outcome::Answered(Response::new(500)));
                        lost += 1;
                    }
                    _ => {
                        let outcome = world.deliver(&delivery);
                        world.tell(&delivery, outcome);
                    }
                }
                if dice.chance(3) {
                    taken.clear();
                    world.restart();
                }
            }
            match world.next_wake() {
                None => break,
                Some(at) if at > world.now() => world.advance(at - world.now()),
                Some(_) => {}
            }
            assert!(lost < 10_000, "seed {seed}: the run never ends");
        }
        let result = result(&world, RUN);
        // A lost delivery is made again when its lease ends: by then the slow branch may have won.
        let first = result[3].as_str().unwrap();
        assert!(matches!(first, "quick" | "slow"), "seed {seed}: {result}");
        assert_eq!(result, json!(["a4", "b4", "c2", first, "last"]), "seed {seed}");
        let computed = computed.borrow();
        for step in ["a1", "a3", "a4", "b1", "b3", "b4", "c2", "last"] {
            assert_eq!(computed[step], 1, "seed {seed}: {step}");
        }
        assert!(computed.get("quick").is_none_or(|times| *times == 1), "seed {seed}: quick");
    }
}
