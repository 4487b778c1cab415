//! Schedules: what publishes a message by cron, on virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use crate::support::world::{Answer, START, World, ok, settings};
use orchestration::broker::Outcome;
use orchestration::wire::callback::CallbackBody;
use orchestration::wire::{Method, Request, Response, Timestamp};
use serde_json::{Value, json};

const URL: &str = "https://app.test/hook";
const MINUTE: Duration = Duration::from_mins(1);

/// The clock starts at 22:13:20 UTC; so many milliseconds later the next minute begins.
const FIRST: u64 = 40_000;

fn status(status: u16) -> Response {
    Response::new(status)
}

fn request(world: &World, destination: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let request = world.request(Method::Post, &format!("/v2/schedules/{destination}")).body(body);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

fn create(world: &World, destination: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    world.send(&request(world, destination, headers, body))
}

/// The id of a schedule that must be accepted.
#[track_caller]
fn every(world: &World, cron: &str, headers: &[(&str, &str)]) -> String {
    let headers: Vec<_> = [("Upstash-Cron", cron)].into_iter().chain(headers.iter().copied()).collect();
    create(world, URL, &headers, "tick").ok()["scheduleId"].as_str().unwrap().to_owned()
}

fn shown(world: &World, id: &str) -> Value {
    world.get(&format!("/v2/schedules/{id}")).ok()
}

fn act(world: &World, method: Method, id: &str, action: &str) -> Answer {
    world.send(&world.request(method, &format!("/v2/schedules/{id}/{action}")))
}

/// Delivers what is due until `end`, from wake to wake; returns how many wakes that took.
fn run_until(world: &World, end: Timestamp) -> usize {
    let mut wakes = 0;
    loop {
        world.settle();
        match world.next_wake().filter(|at| *at <= end) {
            Some(at) => world.advance(at - world.now()),
            None => break,
        }
        wakes += 1;
    }
    world.advance(end - world.now());
    wakes
}

fn times(world: &World) -> Vec<u64> {
    world.received_at(URL).iter().map(|(at, _)| *at).collect()
}

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_millis(u64::try_from(moment.as_millisecond()).unwrap())
}

#[test]
fn a_schedule_publishes_at_its_times_with_everything_that_was_asked_for() {
    let world = World::new();
    world.answers("https://", [ok()]);
    let headers = [
        ("Upstash-Cron", "*/5 * * * *"),
        ("Upstash-Method", "PUT"),
        ("Upstash-Forward-X-Own", "1"),
        ("Content-Type", "text/plain"),
        ("Upstash-Delay", "30s"),
        ("Upstash-Label", "nightly"),
        ("Upstash-Callback", "https://back.test"),
    ];
    let id = create(&world, URL, &headers, "tick").ok()["scheduleId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("scd_") && id.len() > 20, "{id}");
    run_until(&world, START + Duration::from_mins(12));
    let expected: Vec<u64> = [100_000, 400_000, 700_000].map(|at| at + 30_000).to_vec();
    assert_eq!(times(&world)[..2], expected[..2]);
    let first = &world.received(URL)[0];
    assert_eq!((first.method, first.body.as_slice()), (Method::Put, &b"tick"[..]));
    for (name, value) in [
        ("x-own", "1"),
        ("content-type", "text/plain"),
        ("upstash-schedule-id", id.as_str()),
        ("upstash-label", "nightly"),
        ("upstash-retried", "0"),
    ] {
        assert_eq!(first.headers.get(name), Some(value), "{name}");
    }
    assert!(!first.headers.contains("upstash-cron") && !first.headers.contains("authorization"));
    assert!(first.headers.contains("upstash-signature"));
    let told: CallbackBody = serde_json::from_slice(&world.received("https://back.test")[0].body).unwrap();
    assert_eq!(told.schedule_id.as_deref(), Some(id.as_str()));
    // Each time is a message of its own.
    let ids: Vec<_> =
        world.received(URL).iter().map(|r| r.headers.get("upstash-message-id").unwrap().to_owned()).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(world.states(&ids[0]), ["CREATED", "ACTIVE", "DELIVERED"]);
}

#[test]
fn a_schedule_tells_what_it_is_and_what_came_of_it() {
    let world = World::new();
    let id = "nightly.A_1-x";
    let headers = [
        ("Upstash-Cron", " CRON_TZ=America/New_York 30 4 * * * "),
        ("Upstash-Schedule-Id", id),
        ("Upstash-Forward-X-Own", "1"),
        ("Content-Type", "text/plain"),
        ("Upstash-Retries", "5"),
        ("Upstash-Retry-Delay", "1000 * pow(2, retried)"),
        ("Upstash-Delay", "1m"),
        ("Upstash-Timeout", "30s"),
        ("Upstash-Callback", "https://back.test/a"),
        ("Upstash-Failure-Callback", "https://back.test/b"),
        ("Upstash-Label", "a,b"),
        ("Upstash-Queue-Name", "cron"),
        ("Upstash-Flow-Control-Key", "key"),
        ("Upstash-Flow-Control-Value", "parallelism=2, rate=3, period=1m"),
        ("Upstash-Caller-Ip", "not looked at"),
    ];
    assert_eq!(create(&world, URL, &headers, "tick").ok(), json!({ "scheduleId": id }));
    let view = shown(&world, id);
    assert_eq!(
        view,
        json!({
            "scheduleId": id, "cron": "CRON_TZ=America/New_York 30 4 * * *", "createdAt": START.millis(),
            "destination": URL, "method": "POST", "header": { "X-Own": ["1"], "Content-Type": ["text/plain"] },
            "body": "tick", "retries": 5, "retryDelayExpression": "1000 * pow(2, retried)", "delay": 60, "timeout": 30,
            "callback": "https://back.test/a", "failureCallback": "https://back.test/b", "isPaused": false,
            "queueName": "cron", "flowControlKey": "key", "parallelism": 2, "rate": 3, "period": 60,
            "label": "a", "labels": ["a", "b"], "nextScheduleTime": at("2023-11-15T09:30:00Z").millis(),
        })
    );
    assert_eq!(world.get("/v2/schedules").ok(), json!([view]));

    world.answers(URL, [ok(), status(500)]);
    for (plan, expected) in [("0", "SUCCESS"), ("0", "FAIL"), ("1", "IN_PROGRESS")] {
        let id = every(&world, "0 * * * *", &[("Upstash-Schedule-Id", "states"), ("Upstash-Retries", plan)]);
        world.advance(Duration::from_hours(1));
        world.settle();
        let view = shown(&world, &id);
        let states: Vec<_> = view["lastScheduleStates"].as_object().unwrap().values().cloned().collect();
        assert_eq!(states, [json!(expected)]);
        assert_eq!(view["lastScheduleTime"], json!(world.now().millis()));
        assert_eq!(view["lastScheduleError"], Value::Null);
    }
}

#[test]
fn what_is_to_be_hidden_is_delivered_but_not_shown() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let headers = [("Upstash-Redact-Fields", "body,header[X-Own]"), ("Upstash-Forward-X-Own", "secret")];
    let id = every(&world, "* * * * *", &headers);
    let view = shown(&world, &id);
    for hidden in [&view["body"], &view["header"]["X-Own"][0]] {
        assert!(hidden.as_str().unwrap().starts_with("REDACTED:"), "{view}");
    }
    assert!(!world.get("/v2/schedules").ok().to_string().contains("secret"));
    world.advance(MINUTE);
    world.settle();
    let fired = &world.received(URL)[0];
    assert_eq!((fired.body.as_slice(), fired.headers.get("x-own")), (&b"tick"[..], Some("secret")));
}

#[test]
fn bodies_of_any_size_and_kind_are_kept() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let headers = [("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", "s")];
    for _ in 0..2 {
        create(&world, URL, &headers, &"x".repeat(1024 * 1024)).ok();
    }
    assert_eq!(world.sql.count("parts"), 1);
    let id = every(&world, "* * * * *", &[]);
    world.delete(&format!("/v2/schedules/{id}")).ok_empty();
    world.advance(MINUTE);
    world.settle();
    assert_eq!(world.received(URL)[0].body.len(), 1024 * 1024);
    let request = Request { body: vec![0xff, 0], ..request(&world, URL, &headers, "") };
    world.send(&request).ok();
    assert_eq!(world.sql.count("parts"), 0);
    assert_eq!(shown(&world, "s")["bodyBase64"], json!("/wA="));
    assert_eq!(create(&world, URL, &headers, &"x".repeat(1024 * 1024 + 1)).status(), 413);
}

#[test]
fn what_could_not_be_published_is_refused_at_once() {
    let world = World::new();
    let cron = ("Upstash-Cron", "* * * * *");
    for (destination, headers, status, expected) in [
        (URL, vec![], 400, "Upstash-Cron"),
        (URL, vec![("Upstash-Cron", "every minute")], 400, "five fields"),
        (URL, vec![("Upstash-Cron", "CRON_TZ=Mars/Base 0 0 * * *")], 400, "Mars/Base"),
        (URL, vec![cron, ("Upstash-Schedule-Id", "a b")], 400, "Upstash-Schedule-Id"),
        (URL, vec![cron, ("Upstash-Schedule-Id", "")], 400, "Upstash-Schedule-Id"),
        (URL, vec![cron, ("Upstash-Retries", "many")], 400, "Upstash-Retries"),
        (URL, vec![cron, ("Upstash-Delay", "soon")], 400, "Upstash-Delay"),
        (URL, vec![cron, ("Upstash-Not-Before", "1700000000")], 400, "Upstash-Not-Before"),
        (URL, vec![cron, ("Upstash-Deduplication-Id", "1")], 400, "Upstash-Deduplication-Id"),
        (URL, vec![cron, ("Upstash-Content-Based-Deduplication", "true")], 400, "Content-Based"),
        (URL, vec![cron, ("Upstash-Callback", "nonsense:")], 400, "Upstash-Callback"),
        (URL, vec![cron, ("Upstash-Queue-Name", "a/b")], 400, "Upstash-Queue-Name"),
        (
            URL,
            vec![cron, ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", "wfr_1")],
            400,
            "can't name a run",
        ),
        ("ftp://a.test", vec![cron], 400, "http://"),
        ("no-group", vec![cron], 404, "'no-group'"),
        ("api/llm", vec![cron], 400, "api/llm"),
    ] {
        let error = create(&world, destination, &headers, "").error(status);
        assert!(error.contains(expected), "{destination} {headers:?}: {error}");
    }
    assert_eq!(world.sql.count("schedules"), 0);
    for (method, path) in [
        (Method::Get, "/v2/schedules/unknown"),
        (Method::Patch, "/v2/schedules/unknown/pause"),
        (Method::Post, "/v2/schedules/unknown/resume"),
    ] {
        assert!(world.send(&world.request(method, path)).error(404).contains("'unknown'"), "{path}");
    }
}

#[test]
fn there_is_a_limit_of_schedules_that_does_not_count_changes() {
    let mut settings = settings();
    settings.limits.schedules = 2;
    let world = World::with(settings);
    every(&world, "* * * * *", &[("Upstash-Schedule-Id", "a")]);
    every(&world, "* * * * *", &[]);
    let headers = [("Upstash-Cron", "* * * * *")];
    assert!(create(&world, URL, &headers, "").error(412).contains("2 schedules"));
    every(&world, "0 * * * *", &[("Upstash-Schedule-Id", "a")]);
    world.delete("/v2/schedules/a").ok_empty();
    every(&world, "* * * * *", &[]);
}

#[test]
fn a_change_keeps_the_age_and_the_pause_of_a_schedule() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let id = every(&world, "* * * * *", &[("Upstash-Schedule-Id", "s")]);
    act(&world, Method::Patch, &id, "pause").ok_empty();
    world.advance(MINUTE);
    every(&world, "0 * * * *", &[("Upstash-Schedule-Id", "s")]);
    let view = shown(&world, &id);
    assert_eq!((&view["isPaused"], &view["createdAt"]), (&json!(true), &json!(START.millis())));
    assert_eq!((&view["nextScheduleTime"], &view["cron"]), (&Value::Null, &json!("0 * * * *")));
    act(&world, Method::Post, &id, "resume").ok_empty();
    assert_eq!(shown(&world, &id)["nextScheduleTime"], json!(at("2023-11-14T23:00:00Z").millis()));
    // A time that has come, but was not seen to yet, comes with the new settings.
    world.advance(Duration::from_hours(1));
    every(&world, "0 * * * *", &[("Upstash-Schedule-Id", "s"), ("Upstash-Forward-X-New", "1")]);
    assert_eq!(world.settle(), 1);
    assert_eq!(world.received(URL)[0].headers.get("x-new"), Some("1"));
    // That of an expression that no longer holds does not.
    world.advance(Duration::from_hours(1));
    every(&world, "30 * * * *", &[("Upstash-Schedule-Id", "s")]);
    assert_eq!(world.settle(), 0);
}

#[test]
fn a_paused_schedule_publishes_nothing_and_makes_nothing_up() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let id = every(&world, "* * * * *", &[]);
    for method in [Method::Patch, Method::Post] {
        act(&world, method, &id, "pause").ok_empty();
        act(&world, method, &id, "pause").ok_empty();
        assert_eq!(shown(&world, &id)["isPaused"], json!(true));
        assert_eq!(world.next_wake(), None);
        world.advance(Duration::from_mins(10));
        assert_eq!(world.settle(), 0);
        act(&world, method, &id, "resume").ok_empty();
        act(&world, method, &id, "resume").ok_empty();
        assert_eq!(world.settle(), 0);
    }
    world.advance(MINUTE);
    assert_eq!(world.settle(), 1);
    world.delete(&format!("/v2/schedules/{id}")).ok_empty();
    assert_eq!(world.next_wake(), None);
    world.get(&format!("/v2/schedules/{id}")).error(404);
    world.delete(&format!("/v2/schedules/{id}")).ok_empty();
}

#[test]
fn a_removed_schedule_lets_go_what_it_has_published() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let id = every(&world, "* * * * *", &[("Upstash-Delay", "1h")]);
    world.advance(MINUTE);
    assert_eq!(world.settle(), 0);
    world.delete(&format!("/v2/schedules/{id}")).ok_empty();
    world.run();
    assert_eq!(world.received(URL)[0].headers.get("upstash-schedule-id"), Some(id.as_str()));
}

#[test]
fn each_time_comes_once_whatever_dies_when() {
    let mut world = World::on_file("schedules");
    world.answers(URL, [ok()]);
    every(&world, "* * * * *", &[]);
    // The process dies with the delivery in its hands: the lease ends, the time does not come again.
    world.advance(MINUTE);
    assert_eq!(world.take(10).len(), 1);
    world.restart();
    world.advance(Duration::from_secs(5));
    assert_eq!(world.settle(), 1);
    assert_eq!(world.sql.count("messages"), 0);
    // It dies while it publishes: nothing has happened, or all of it.
    for writes in 0.. {
        world.advance(MINUTE);
        let before = world.received(URL).len();
        world.sql.break_after(Some(writes));
        let failed = world.try_take(10).is_err();
        world.sql.break_after(None);
        world.restart();
        world.advance(Duration::from_secs(5));
        world.settle();
        assert_eq!(world.received(URL).len(), before + 1, "after {writes} writes");
        if !failed {
            assert!(writes > 3, "{writes}");
            break;
        }
    }
}

#[test]
fn after_a_time_without_a_broker_a_schedule_publishes_once_and_goes_on() {
    let mut world = World::on_file("downtime");
    world.answers(URL, [ok()]);
    every(&world, "*/10 * * * *", &[]);
    world.advance(Duration::from_hours(24 * 3));
    world.restart();
    assert_eq!(world.settle(), 1);
    let next = world.next_wake().unwrap();
    assert_eq!(next, at("2023-11-17T22:20:00Z"));
    run_until(&world, next);
    assert_eq!(world.received(URL).len(), 2);
}

#[test]
fn a_clock_that_is_set_back_does_not_repeat_a_time() {
    let world = World::new();
    world.answers(URL, [ok()]);
    every(&world, "* * * * *", &[]);
    run_until(&world, START + Duration::from_millis(FIRST));
    world.set_back(Duration::from_secs(30));
    assert_eq!(world.settle(), 0);
    run_until(&world, START + Duration::from_millis(FIRST) + MINUTE);
    assert_eq!(times(&world), [FIRST, FIRST + 60_000]);
}

#[test]
fn years_pass_with_a_wake_for_each_time() {
    let world = World::new();
    world.answers(URL, [ok()]);
    every(&world, "CRON_TZ=Europe/Berlin 0 4 1 * *", &[]);
    every(&world, "0 0 29 2 *", &[]);
    let wakes = run_until(&world, at("2033-11-15T00:00:00Z"));
    // Ten years of months, and three leap days; in July Berlin is two hours ahead, in December one.
    assert_eq!(world.received(URL).len(), 120 + 3);
    assert!(wakes <= 120 + 3, "{wakes}");
    let hours: Vec<u64> = times(&world).iter().map(|at| (START.seconds() + at / 1000) / 3600 % 24).collect();
    assert_eq!(hours.iter().filter(|hour| **hour == 2).count(), 70);
    assert_eq!(hours.iter().filter(|hour| **hour == 3).count(), 50);
}

#[test]
fn clocks_that_change_neither_lose_nor_double_a_daily_message() {
    let world = World::new();
    world.answers(URL, [ok()]);
    world.advance(at("2024-03-08T12:00:00Z") - START);
    every(&world, "CRON_TZ=America/New_York 30 2 * * *", &[]);
    let hours = |world: &World| -> Vec<String> {
        times(world).iter().map(|at| START + Duration::from_millis(*at)).map(utc).collect()
    };
    run_until(&world, at("2024-03-11T12:00:00Z"));
    assert_eq!(hours(&world), ["2024-03-09T07:30:00Z", "2024-03-10T07:00:00Z", "2024-03-11T06:30:00Z"]);
    world.delete(&format!("/v2/schedules/{}", world.get("/v2/schedules").ok()[0]["scheduleId"].as_str().unwrap()));

    let world = World::new();
    world.answers(URL, [ok()]);
    world.advance(at("2024-11-02T12:00:00Z") - START);
    every(&world, "CRON_TZ=America/New_York 30 1 * * *", &[]);
    run_until(&world, at("2024-11-04T12:00:00Z"));
    assert_eq!(hours(&world), ["2024-11-03T05:30:00Z", "2024-11-04T06:30:00Z"]);
}

fn utc(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(i64::try_from(moment.millis()).unwrap()).unwrap().to_string()
}

#[test]
fn a_group_is_looked_up_at_each_time_and_one_that_is_gone_holds_nothing_up() {
    let world = World::new();
    world.answers("https://", [ok()]);
    let add = |url: &str| {
        let body = json!({ "endpoints": [{ "url": url }] }).to_string();
        world.send(&world.request(Method::Post, "/v2/topics/group/endpoints").body(body));
    };
    add("https://one.test/");
    let headers = [("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", "a-group"), ("Upstash-Retries", "0")];
    create(&world, "group", &headers, "").ok();
    every(&world, "* * * * *", &[("Upstash-Schedule-Id", "b")]);
    world.advance(MINUTE);
    assert_eq!(world.settle(), 2);
    add("https://two.test/");
    world.advance(MINUTE);
    assert_eq!(world.settle(), 3);
    let view = shown(&world, "a-group");
    assert_eq!(view["destination"], json!("group"));
    assert_eq!(view["lastScheduleStates"].as_object().unwrap().len(), 2);
    let fired = &world.received("https://two.test/")[0];
    assert_eq!(fired.headers.get("upstash-topic-name"), Some("group"));
    assert_eq!(fired.headers.get("upstash-schedule-id"), Some("a-group"));

    world.delete("/v2/topics/group").ok_empty();
    world.advance(MINUTE);
    assert_eq!(world.settle(), 1);
    let view = shown(&world, "a-group");
    assert!(view["lastScheduleError"].as_str().unwrap().contains("'group'"), "{view}");
    assert_eq!(view["lastScheduleTime"], json!(world.now().millis()));
    assert_eq!(view["lastScheduleStates"], json!({}));
    add("https://three.test/");
    world.advance(MINUTE);
    assert_eq!(world.settle(), 2);
    assert_eq!(shown(&world, "a-group")["lastScheduleError"], Value::Null);
}

#[test]
fn messages_of_a_schedule_keep_to_their_queue_and_their_limits() {
    let world = World::new();
    world.answers(URL, [ok()]);
    every(&world, "* * * * *", &[("Upstash-Queue-Name", "line")]);
    every(&world, "* * * * *", &[("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1")]);
    for _ in 0..3 {
        world.advance(MINUTE);
        world.take(0);
    }
    world.advance(MINUTE);
    // Four of each, one of each at a time.
    let under_way = world.take(10);
    assert_eq!(under_way.len(), 2);
    assert_eq!(world.sql.count("messages"), 2 * 4);
    assert_eq!(world.get("/v2/queues/line").ok()["lag"], json!(4));
    for delivery in under_way {
        world.tell(&delivery, Outcome::Answered(ok()));
    }
    assert_eq!(world.settle(), 2 * 3);
}

#[test]
fn a_failed_message_names_its_schedule() {
    let world = World::new();
    world.answers(URL, [status(500)]);
    world.answers("https://back.test", [ok()]);
    let headers = [("Upstash-Retries", "0"), ("Upstash-Failure-Callback", "https://back.test")];
    let id = every(&world, "* * * * *", &headers);
    world.advance(MINUTE);
    world.settle();
    let told: CallbackBody = serde_json::from_slice(&world.received("https://back.test")[0].body).unwrap();
    assert_eq!(told.schedule_id.as_ref(), Some(&id));
    let entry = world.get(&format!("/v2/dlq/{}", told.dlq_id.unwrap())).ok();
    assert_eq!((&entry["responseStatus"], &entry["scheduleId"]), (&json!(500), &json!(told.schedule_id)));
    for (list, member) in [("dlq", "messages"), ("logs", "logs")] {
        let of = |id: &str| {
            let answer = world.get(&format!("/v2/{list}?scheduleId={id}")).ok();
            answer[member].as_array().unwrap().len()
        };
        assert!(of(&id) > 0 && of("another") == 0, "{list}");
    }
}

#[test]
fn many_schedules_that_are_due_at_once_all_publish() {
    let world = World::new();
    world.answers(URL, [ok()]);
    for _ in 0..250 {
        every(&world, "* * * * *", &[]);
    }
    world.advance(MINUTE);
    assert_eq!(world.settle(), 250);
    assert!(world.next_wake().unwrap() > world.now());
}

#[test]
fn schedules_are_spread_over_shards_and_their_messages_find_queues_groups_and_limits() {
    let world = World::sharded(4, settings());
    world.answers("https://", [ok()]);
    let body = json!({ "endpoints": [{ "url": "https://one.test/" }, { "url": "https://two.test/" }] }).to_string();
    world.send(&world.request(Method::Post, "/v2/topics/group/endpoints").body(body)).ok_empty();
    world.settle();
    let mut ids: Vec<String> = (0..16).map(|_| every(&world, "* * * * *", &[])).collect();
    for n in 0..8 {
        let id = format!("own-{n}");
        let limits = [("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1")];
        let own = ("Upstash-Schedule-Id", id.as_str());
        let headers =
            if n % 2 == 0 { vec![own, ("Upstash-Queue-Name", "line")] } else { vec![own, limits[0], limits[1]] };
        ids.push(every(&world, "* * * * *", &headers));
    }
    let group = [("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", "to-group")];
    create(&world, "group", &group, "").ok();
    assert!(world.databases().iter().all(|sql| sql.count("schedules") > 1));
    assert_eq!(world.get("/v2/schedules").ok().as_array().unwrap().len(), 25);
    run_until(&world, START + Duration::from_millis(FIRST) + Duration::from_secs(30));
    assert_eq!(world.received(URL).len(), 24);
    let fired: Vec<_> =
        world.received(URL).iter().map(|r| r.headers.get("upstash-schedule-id").unwrap().to_owned()).collect();
    for id in &ids {
        assert_eq!(fired.iter().filter(|fired| *fired == id).count(), 1, "{id}");
        let states = shown(&world, id)["lastScheduleStates"].clone();
        let states: Vec<_> = states.as_object().unwrap().values().collect();
        // What went to a queue elsewhere is not known here.
        let queued = shown(&world, id)["queueName"].is_string();
        assert!(states == [&json!("SUCCESS")] || queued && states.is_empty(), "{id}: {states:?}");
    }
    assert_eq!((world.received("https://one.test/").len(), world.received("https://two.test/").len()), (1, 1));
    act(&world, Method::Patch, "own-3", "pause").ok_empty();
    for id in &ids {
        world.delete(&format!("/v2/schedules/{id}")).ok_empty();
    }
    assert_eq!(world.count("schedules"), 1);
}

#[test]
fn a_clock_that_was_ahead_is_made_up_for_at_the_next_start() {
    let mut world = World::on_file("schedule-clock");
    world.answers(URL, [ok()]);
    world.advance(Duration::from_hours(24 * 365));
    let id = every(&world, "* * * * *", &[]);
    world.set_back(Duration::from_hours(24 * 365));
    world.restart();
    let next = shown(&world, &id)["nextScheduleTime"].as_u64().unwrap();
    assert_eq!(next, START.millis() + FIRST);
}
