//! Whole runs of Rust workflows with every kind of step, against a QStash that keeps a history and nothing else.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/player.rs"]
mod player;

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use futures_util::join;
use orchestration::resilience::{Backoff, Jitter};
use orchestration::wire::{Method, base64};
use orchestration::workflow::{Call, Context, Failure, Invoke, Pipeline};
use player::{Player, Seen};
use serde_json::{Value, json};

/// What functions did, in order.
type Log = Rc<RefCell<Vec<String>>>;

/// What a step's function gives.
type Done = Result<String, Failure>;

fn note(log: &Log, what: &str) {
    log.borrow_mut().push(what.to_owned());
}

#[test]
fn a_call_is_made_by_the_broker_and_its_answer_read() {
    let mut player = Player::default();
    player.third_party(|call| {
        assert_eq!((call.method, call.url.as_str()), (Method::Put, "https://api.test/items?x=1"));
        assert_eq!((call.headers.get("X-Key"), call.body.as_slice()), (Some("k"), b"{}".as_slice()));
        (201, vec![("Content-Type", "application/json")], br#"{"id":"\u00e9"}"#.to_vec())
    });
    let workflow = async |ctx: Context| {
        let mut call =
            Call { method: Method::Put, body: Some(b"{}".to_vec()), ..Call::new("https://api.test/items?x=1") };
        call.headers.set("X-Key", "k");
        let response = ctx.call("create", call).await?.expect_success()?;
        let id: Value = response.json()?;
        Ok((response.status, response.headers.get("content-type").unwrap().to_owned(), id))
    };
    assert_eq!(player.play(workflow), json!([201, "application/json", {"id": "é"}]));
}

#[test]
fn binary_bodies_go_out_and_come_back_as_they_are() {
    let mut player = Player::default();
    let bytes: Vec<u8> = (0..=255).collect();
    let expected = bytes.clone();
    player.third_party(move |call| {
        assert_eq!(call.body, expected);
        (200, vec![("content-type", "application/octet-stream")], call.body.clone())
    });
    let workflow = async |ctx: Context| {
        let call = Call { method: Method::Post, body: Some(bytes.clone()), ..Call::new("https://api.test") };
        Ok(ctx.call("echo", call).await?.bytes() == bytes)
    };
    assert_eq!(player.play(workflow), true);
}

#[test]
fn a_refused_call_is_a_failure_only_if_asked_for() {
    let answer = || {
        let mut player = Player::default();
        player.third_party(|_| (404, vec![("content-type", "text/plain")], b"no such thing".to_vec()));
        player
    };
    let taken = answer().play(async |ctx: Context| {
        let response = ctx.call("get", Call::new("https://api.test")).await?;
        Ok((response.status, response.text()))
    });
    assert_eq!(taken, json!([404, "no such thing"]));
    let caught = answer().play(async |ctx: Context| {
        match ctx.call("get", Call::new("https://api.test")).await?.expect_success() {
            Ok(_) => Ok("success".to_owned()),
            Err(failure) => Ok(failure.message),
        }
    });
    assert_eq!(caught, "call 'get' was answered with status 404, expected 2xx");
    let seen = answer().end(async |ctx: Context| {
        ctx.call("get", Call::new("https://api.test")).await?.expect_success()?;
        Ok(())
    });
    assert_eq!(seen, Seen::Failed(489, "WorkflowCallError".into()));
}

#[test]
fn events_are_waited_for_and_told() {
    let mut player = Player::default();
    player.event("approved", Some(r#"{"by":"ann"}"#));
    player.event("never", None);
    let workflow = async |ctx: Context| {
        let approved: Option<Value> = ctx.wait_for_event("approval", "approved", Duration::from_mins(1)).await?;
        let never: Option<Value> = ctx.wait_for_event("nobody", "never", Duration::from_mins(1)).await?;
        let heard = ctx.notify("tell", "other", &json!({"n": 1})).await?;
        Ok((approved, never, heard))
    };
    assert_eq!(player.play(workflow), json!([{"by": "ann"}, null, [{"messageId": "msg_notify"}]]));
    let notified = player.sent.iter().find(|request| request.url.ends_with("/v2/notify/other")).unwrap();
    assert_eq!(notified.body, br#"{"n":1}"#);
}

#[test]
fn a_webhook_is_made_and_its_call_read() {
    let mut player = Player::default();
    let call = json!({
        "method": "post", "header": {"X-A": ["1", "2"]}, "body": base64::encode([0, 255]),
        "proto": "https", "host": "broker.test", "url": "/hook?a=1",
    });
    player.event("", Some(&call.to_string()));
    let workflow = async |ctx: Context| {
        let webhook = ctx.create_webhook("hook").await?;
        let request = ctx.wait_for_webhook("call", &webhook, Duration::from_mins(1)).await?.unwrap();
        let values: Vec<_> = request.headers.get_all("x-a").map(str::to_owned).collect();
        Ok((webhook.webhook_url, request.method.as_str(), request.url, values, request.body))
    };
    let result = player.play(workflow);
    let url = result[0].as_str().unwrap();
    assert!(url.starts_with("https://broker.test/v2/workflows/hooks/user/wfr_") && url.contains("/evt_"), "{url}");
    assert_eq!(url.rsplit('/').next().unwrap().len(), "evt_".len() + 15);
    assert_eq!(
        result.as_array().unwrap()[1..],
        [json!("POST"), json!("https://broker.test/hook?a=1"), json!(["1", "2"]), json!([0, 255])]
    );
}

#[test]
fn an_invoked_run_gives_what_it_returned() {
    let mut player = Player::default();
    player.invoked = Some(json!({"body": "{\"total\":7}", "isFailed": false, "isCanceled": false}));
    let workflow = async |ctx: Context| {
        let invoke = Invoke { workflow_id: "ship".into(), body: Some("{\"n\":1}".into()), ..Invoke::default() };
        let shipped = ctx.invoke::<Value>("ship it", invoke).await?;
        Ok((shipped.body, shipped.is_failed))
    };
    assert_eq!(player.play(workflow), json!([{"total": 7}, false]));
    let published = player.sent.iter().find(|request| request.url.contains("/v2/publish/")).unwrap();
    assert_eq!(published.url, "https://broker.test/v2/publish/https://app.test/api/ship");
    assert_eq!(published.headers.get("Upstash-Forward-Upstash-Workflow-Invoke-Count"), Some("1"));
    let envelope: Value = serde_json::from_slice(&published.body).unwrap();
    assert_eq!(
        (&envelope["body"], &envelope["workflowUrl"]),
        (&json!("{\"n\":1}"), &json!("https://app.test/api/order"))
    );
}

#[test]
fn branches_of_every_kind_run_in_parallel() {
    let mut player = Player::default();
    player.third_party(|_| (200, vec![("content-type", "text/plain")], b"hi".to_vec()));
    player.event("e", Some("5"));
    player.invoked = Some(json!({"body": "1"}));
    let workflow = async |ctx: Context| {
        let (run, sleep, call, event, invoked, heard, hook) = join!(
            ctx.run("run", async || Ok::<_, Failure>(1)),
            ctx.sleep("sleep", Duration::from_secs(5)),
            ctx.call("call", Call::new("https://api.test")),
            ctx.wait_for_event::<u32>("wait", "e", Duration::from_mins(1)),
            ctx.invoke::<u32>("invoke", Invoke { workflow_id: "x".into(), ..Invoke::default() }),
            ctx.notify("notify", "n", &()),
            ctx.create_webhook("hook"),
        );
        sleep?;
        heard?;
        let after: String = ctx.run("after", async || Ok::<_, Failure>("after".to_owned())).await?;
        Ok((run?, call?.text(), event?, invoked?.body, hook?.event_id.len(), after))
    };
    assert_eq!(player.play(workflow), json!([1, "hi", 5, 1, 19, "after"]));
}

#[test]
fn a_future_that_polls_only_what_was_woken_is_served_too() {
    let workflow = async |ctx: Context| {
        let steps = (0..40).map(|n| {
            let ctx = ctx.clone();
            async move { ctx.run(&format!("step {n}"), async || Ok::<_, Failure>(n)).await }
        });
        join_all(steps).await.into_iter().sum::<Result<i32, _>>()
    };
    assert_eq!(Player::default().play(workflow), 780);
}

#[test]
fn a_race_is_decided_once() {
    for (order, expected) in [([1, 2], "a then c"), ([2, 1], "b then d")] {
        let log = Log::default();
        let mut player = Player::default();
        player.order = order.to_vec();
        let result = player.play(async |ctx: Context| {
            let (a, b) = (
                pin!(ctx.run("a", async || Done::Ok("a".to_owned()))),
                pin!(ctx.run("b", async || Done::Ok("b".to_owned()))),
            );
            let (first, next) = match select(a, b).await {
                Either::Left((a, _)) => (a?, "c"),
                Either::Right((b, _)) => (b?, "d"),
            };
            let log = Rc::clone(&log);
            let next: String = ctx
                .run(next, async || {
                    note(&log, next);
                    Ok::<_, Failure>(next.to_owned())
                })
                .await?;
            Ok(format!("{first} then {next}"))
        });
        assert_eq!(result, expected);
        assert_eq!(log.borrow().len(), 1, "the loser's delivery must not run what follows the winner: {log:?}");
    }
}

#[test]
fn a_step_is_tried_again_by_its_own_policy_and_its_failure_can_be_caught() {
    let log = Log::default();
    let mut player = Player::default();
    let result = player.play(async |ctx: Context| {
        let attempt = Rc::clone(&log);
        let paid = ctx
            .step("pay")
            .retries(2)
            .retry_delay("30s")
            .run(async || {
                note(&attempt, "try");
                Err::<(), _>(Failure::new("CardError", "declined"))
            })
            .await;
        let failure = paid.unwrap_err();
        ctx.run("tell", async || Ok::<_, Failure>(format!("{}: {}", failure.name, failure.message))).await
    });
    assert_eq!(result, "CardError: declined");
    assert_eq!(log.borrow().len(), 3);
    assert_eq!(player.delays(), ["30s", "30s"]);
}

#[test]
fn a_step_is_told_which_try_it_is_and_says_how_long_it_waits() {
    let log = Log::default();
    let mut player = Player::default();
    let result = player.play(async |ctx: Context| {
        let before: u32 = ctx.step("before").retries(1).run_with(async |tools| Ok::<_, Failure>(tools.attempt)).await?;
        let paced = ctx.step("paced").retries(3).retry_delay("30s").run_with(async |tools| {
            note(&log, &format!("try {}", tools.attempt));
            match tools.attempt {
                0 => Err(Failure::retry_after("slowly", "7")),
                1 => Err(Failure::new("Busy", "not yet")),
                2 => Err(Failure::retry_after("slowly", "2m")),
                attempt => Ok(attempt),
            }
        });
        let paced = paced.await?;
        let after = ctx.step("after").timeout(Duration::from_secs(1));
        let after: u32 = after.run_with(async |tools| Ok::<_, Failure>(tools.attempt)).await?;
        Ok((before, paced, after))
    });
    assert_eq!(result, json!([0, 3, 0]));
    assert_eq!(*log.borrow(), ["try 0", "try 1", "try 2", "try 3"]);
    assert_eq!(player.delays(), ["7s", "30s", "2m"]);
}

#[test]
fn a_backoff_spaces_the_tries_of_a_step() {
    let play = |jitter, failures: u32| {
        let mut player = Player::default();
        let backoff = Backoff { max_attempts: 4, first: Duration::from_secs(40), jitter, ..Backoff::default() };
        let seen = player.end(async |ctx: Context| {
            let step = ctx.step("flaky").backoff(backoff);
            let result = step.run_with(async |tools| match tools.attempt {
                attempt if attempt < failures => Err(Failure::new("Busy", "not yet")),
                attempt => Ok(attempt),
            });
            let result = result.await.map_err(|failure| failure.name);
            ctx.run("after", async || Ok::<_, Failure>(())).await?;
            Ok((result, ctx.uuid()))
        });
        (seen, player.delays())
    };
    let uuid = Player::default().play(async |ctx: Context| {
        ctx.run("any", async || Ok::<_, Failure>(())).await?;
        Ok(ctx.uuid())
    });
    // What is left to chance takes nothing from the workflow's own draws.
    let done = |result: Value| Seen::Finished(json!([result, uuid]));
    let delays = |seconds: &[&str]| seconds.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(play(Jitter::None, 0), (done(json!({"Ok": 0})), delays(&[])));
    assert_eq!(play(Jitter::None, 3), (done(json!({"Ok": 3})), delays(&["40s", "80s", "160s"])));
    assert_eq!(play(Jitter::None, 9), (done(json!({"Err": "Busy"})), delays(&["40s", "80s", "160s"])));
    let (_, jittered) = play(Jitter::Full, 9);
    let seconds: Vec<u32> = jittered.iter().map(|delay| delay.trim_end_matches('s').parse().unwrap()).collect();
    assert!(seconds.iter().zip([40, 80, 160]).all(|(seconds, most)| *seconds <= most), "{seconds:?}");
    assert_ne!(seconds, [40, 80, 160]);
    assert_eq!(play(Jitter::Full, 9).1, jittered, "it follows from the run");
    let none = Backoff { max_attempts: 0, ..Backoff::default() };
    let seen = Player::default().end(async |ctx: Context| {
        let failure = ctx.step("none").backoff(none).run(async || Ok::<_, Failure>(())).await.unwrap_err();
        ctx.run("tell", async || Ok::<_, Failure>(failure.name)).await
    });
    assert_eq!(seen, Seen::Finished(json!("InvalidConfiguration")));
}

#[test]
fn a_pipeline_runs_each_step_once_and_pipes_its_output_on() {
    let log = Log::default();
    let mut player = Player::default();
    let result = player.play(async |ctx: Context| {
        let logged = |name: &'static str| note(&log, name);
        let words = Pipeline::new().step("split", async |text: String| {
            logged("split");
            Ok::<_, Failure>(text.split(' ').map(str::to_owned).collect::<Vec<_>>())
        });
        let count = Pipeline::new().step_with(
            "count",
            |step| step.retries(1).retry_delay("5s"),
            async |words: Vec<String>| {
                logged("count");
                if log.borrow().len() < 3 { Err(Failure::new("Busy", "not yet")) } else { Ok(words.len()) }
            },
        );
        words
            .then(count)
            .step("double", async |count: usize| Ok::<_, Failure>(count * 2))
            .run(&ctx, "a b c".into())
            .await
    });
    assert_eq!(result, 6);
    assert_eq!(*log.borrow(), ["split", "count", "count"]);
    assert_eq!(player.delays(), ["5s"]);
}

#[test]
fn a_pipeline_ends_with_the_first_step_that_fails_for_good() {
    let log = Log::default();
    let result = Player::default().play(async |ctx: Context| {
        let done: Result<(), Failure> = Pipeline::new()
            .step_with("one", |step| step.retries(0), async |n: u32| Err::<u32, _>(Failure::new("Odd", n.to_string())))
            .step("two", async |_| {
                note(&log, "two");
                Ok::<_, Failure>(())
            })
            .run(&ctx, 7)
            .await;
        let failure = done.unwrap_err();
        ctx.run("tell", async || Ok::<_, Failure>((failure.name, failure.message))).await
    });
    assert_eq!(result, json!(["Odd", "7"]));
    assert!(log.borrow().is_empty());
}

#[test]
fn branches_are_told_of_their_own_tries() {
    let mut player = Player::default();
    let result = player.play(async |ctx: Context| {
        let branch = |name: &str, fails: u32| {
            ctx.step(name).retries(5).retry_delay("1s").run_with(async move |tools| match tools.attempt {
                attempt if attempt < fails => Err(Failure::new("Busy", "not yet")),
                attempt => Ok(attempt),
            })
        };
        let (none, two, one) = join!(branch("none", 0), branch("two", 2), branch("one", 1));
        Ok((none?, two?, one?))
    });
    assert_eq!(result, json!([0, 2, 1]));
}

#[test]
fn a_failure_that_forbids_retries_ends_a_step_with_its_own_and_not_the_run() {
    for retries in [0, 5] {
        let log = Log::default();
        let mut player = Player::default();
        let result = player.play(async |ctx: Context| {
            let step = ctx.step("never").retries(retries);
            let failure = step.run(async || {
                note(&log, "try");
                Err::<(), _>(Failure::non_retryable("never"))
            });
            let failure = failure.await.unwrap_err();
            ctx.run("tell", async || Ok::<_, Failure>((failure.name, failure.message))).await
        });
        assert_eq!(result, json!(["WorkflowNonRetryableError", "never"]));
        assert_eq!((log.borrow().len(), player.delays().len()), (1, 0));
    }
}

#[test]
fn a_try_that_takes_too_long_has_failed() {
    let workflow = async |ctx: Context| {
        let slow = ctx.step("slow").retries(0).timeout(Duration::from_millis(5));
        match slow.run(async || std::future::pending::<Result<(), Failure>>().await).await {
            Ok(()) => Ok("done".to_owned()),
            Err(failure) => Ok(failure.name),
        }
    };
    assert_eq!(Player::default().play(workflow), "StepTimeoutError");
}

/// Books a flight and a hotel, and then ends as told.
async fn trip(ctx: Context, log: &Log, end: Result<(), Failure>) -> Result<(), Failure> {
    for name in ["flight", "hotel"] {
        let (done, undone) = (Rc::clone(log), Rc::clone(log));
        let booked: String = ctx
            .step(name)
            .compensate(async move |booking: String| {
                note(&undone, &format!("undo {booking}"));
                Ok::<_, Failure>(())
            })
            .run(async || {
                note(&done, name);
                Ok::<_, Failure>(format!("{name}#1"))
            })
            .await?;
        assert_eq!(booked, format!("{name}#1"));
    }
    ctx.run("end", async || end).await
}

#[test]
fn what_was_done_is_made_up_for_last_first() {
    for (end, seen) in [
        (Failure::non_retryable("no seat"), Seen::Failed(489, "WorkflowNonRetryableError".into())),
        (Failure::cancel(), Seen::Cancelled),
    ] {
        let log = Log::default();
        let mut player = Player::default();
        assert_eq!(player.end(async |ctx: Context| trip(ctx, &log, Err(end.clone())).await), seen);
        assert_eq!(*log.borrow(), ["flight", "hotel", "undo hotel#1", "undo flight#1"]);
    }
    let log = Log::default();
    assert_eq!(Player::default().play(async |ctx: Context| trip(ctx, &log, Ok(())).await), Value::Null);
    assert_eq!(*log.borrow(), ["flight", "hotel"]);
}

#[test]
fn a_compensation_that_fails_for_good_does_not_keep_the_others_from_running() {
    let log = Log::default();
    let mut player = Player::default();
    let seen = player.end(async |ctx: Context| {
        for name in ["flight", "hotel"] {
            let undone = Rc::clone(&log);
            ctx.step(name)
                .compensate(async move |(): ()| {
                    note(&undone, name);
                    if name == "hotel" { Err(Failure::new("Closed", "the hotel is closed")) } else { Ok(()) }
                })
                .run(async || Ok::<_, Failure>(()))
                .await?;
        }
        Err::<(), _>(Failure::non_retryable("no seat"))
    });
    assert_eq!(seen, Seen::Failed(489, "WorkflowNonRetryableError".into()));
    assert_eq!(*log.borrow(), ["hotel", "hotel", "hotel", "hotel", "flight"]);
}

#[test]
fn a_failure_of_the_workflow_is_made_up_for_though_there_is_no_other_try() {
    let log = Log::default();
    let mut player = Player::default();
    let seen = player.end(async |ctx: Context| {
        trip(ctx, &log, Ok(())).await?;
        Err::<(), _>(Failure::new("Bug", "outside of a step"))
    });
    assert_eq!(seen, Seen::Failed(489, "Bug".into()));
    assert_eq!(*log.borrow(), ["flight", "hotel", "undo hotel#1", "undo flight#1"]);
}

#[test]
fn a_compensated_branch_that_ends_after_the_failure_is_made_up_for_too() {
    let log = Log::default();
    // The failing branch is done first.
    let mut player = Player::default();
    player.order = vec![2, 1];
    let seen = player.end(async |ctx: Context| {
        let (undone, ctx) = (Rc::clone(&log), &ctx);
        let slow = ctx
            .step("slow")
            .compensate(async move |_: u32| {
                note(&undone, "undo slow");
                Ok::<_, Failure>(())
            })
            .run(async || Ok::<_, Failure>(1));
        let bad = ctx.run("bad", async || Err::<u32, _>(Failure::non_retryable("no")));
        futures_util::try_join!(slow, bad)?;
        Ok(())
    });
    assert_eq!(seen, Seen::Failed(489, "WorkflowNonRetryableError".into()));
    assert_eq!(*log.borrow(), ["undo slow"]);
}

#[test]
fn time_and_randomness_are_the_same_in_every_invocation() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mut player = Player::default();
    player.event("e", None);
    player.third_party(|_| (200, Vec::new(), Vec::new()));
    player.play(async |ctx: Context| {
        let drawn = (ctx.random().to_bits(), ctx.uuid(), ctx.now());
        ctx.run("a", async || Ok::<_, Failure>(())).await?;
        let after_run = ctx.now();
        ctx.wait_for_event::<()>("wait", "e", Duration::from_secs(1)).await?;
        let after_wait = ctx.now();
        ctx.call("call", Call::new("https://api.test")).await?;
        seen.borrow_mut().push((drawn, after_run, after_wait));
        ctx.sleep("nap", Duration::from_secs(1)).await?;
        ctx.run("end", async || Ok::<_, Failure>(())).await
    });
    let seen = seen.borrow();
    assert!(seen.len() >= 3 && seen.iter().all(|moment| *moment == seen[0]), "{seen:?}");
    let (drawn, after_run, after_wait) = &seen[0];
    assert!(drawn.2 < *after_run && after_run < after_wait, "time goes on: {seen:?}");
}

#[test]
fn a_patch_takes_new_runs_the_new_way_and_old_ones_the_old() {
    let new = async |ctx: Context| {
        let taxed = ctx.patch("tax").await?;
        let tax = if taxed { ctx.run("tax", async || Ok::<_, Failure>(19)).await? } else { 0 };
        let ship: u32 = ctx.run("ship", async || Ok::<_, Failure>(100)).await?;
        Ok(ship + tax)
    };
    assert_eq!(Player::default().play(new), 119);
    // A run that was past the place when the new code came.
    let mut player = Player::default();
    let old = async |ctx: Context| {
        let ship: u32 = ctx.run("ship", async || Ok::<_, Failure>(100)).await?;
        ctx.sleep("nap", Duration::from_secs(1)).await?;
        Ok(ship)
    };
    player.step_through(2, old);
    assert_eq!(
        player.play(async |ctx: Context| {
            let taxed = ctx.patch("tax").await?;
            let tax = if taxed { ctx.run("tax", async || Ok::<_, Failure>(19)).await? } else { 0 };
            let ship: u32 = ctx.run("ship", async || Ok::<_, Failure>(100)).await?;
            ctx.sleep("nap", Duration::from_secs(1)).await?;
            Ok(ship + tax)
        }),
        100
    );
}

#[test]
fn a_run_without_steps_needs_an_endpoint_that_authorizes() {
    let mut refused = Player::default();
    assert_eq!(refused.end(async |_: Context| Ok(1)), Seen::Refused(400));
    let mut player = Player::default();
    player.authorized = true;
    assert_eq!(player.play(async |_: Context| Ok("done")), "done");
}
