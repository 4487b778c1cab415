//! The API's edges: access, bad input, batches, filters, and what is not offered.

use crate::support::world::{TOKEN, World, ok, settings};
use orchestration::wire::{Method, Request};
use serde_json::{Value, json};

const URL: &str = "https://app.test/hook";

#[test]
fn only_who_knows_the_token_is_let_in() {
    let world = World::new();
    let ask = |url: &str, authorization: Option<&str>| {
        let request = Request::new(Method::Get, format!("http://broker.test{url}"));
        let request = authorization.into_iter().fold(request, |request, value| request.header("Authorization", value));
        world.send(&request)
    };
    assert_eq!(
        ask("/v2/keys", Some(&format!("Bearer {TOKEN}"))).ok(),
        json!({ "current": "sig_current", "next": "sig_next" })
    );
    ask(&format!("/v2/keys?qstash_token={TOKEN}"), None).ok();
    for (url, authorization) in [
        ("/v2/keys", None),
        ("/v2/keys", Some("Bearer wrong")),
        ("/v2/keys", Some("Bearer ")),
        ("/v2/keys", Some("Basic test-token")),
        ("/v2/keys", Some("test-token")),
        ("/v2/keys?qstash_token=wrong", None),
        ("/nowhere", None),
    ] {
        let error = ask(url, authorization).error(401);
        assert!(!error.contains("wrong") && !error.contains(TOKEN), "{error}");
    }
}

#[test]
fn the_token_in_the_query_does_not_reach_the_destination() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let url = format!("http://broker.test/v2/publish/{URL}?a=1&qstash_token={TOKEN}&upstash-retries=0&b=%20");
    world.send(&Request::new(Method::Post, url)).ok();
    world.settle();
    assert_eq!(world.received(URL)[0].url, "https://app.test/hook?a=1&b=%20");
}

#[test]
fn destinations_arrive_encoded_or_cleaned_up_by_proxies() {
    let world = World::new();
    world.answers("https://", [ok()]);
    world.publish("https:/app.test/a", &[], "").ok();
    world.publish("https%3A%2F%2Fapp.test%2Fb%3Fc%3Dd", &[], "").ok();
    world.settle();
    let urls: Vec<String> = world.received("https://").into_iter().map(|request| request.url).collect();
    assert_eq!(urls, ["https://app.test/a", "https://app.test/b?c=d"]);
}

#[test]
fn bad_input_is_refused_and_nothing_is_stored() {
    let world = World::new();
    let long = "x".repeat(20_000);
    for (destination, header, value, status, expected) in [
        ("ftp://a.test", "x", "", 400, "http:// or https://"),
        ("https://u:p@a.test", "x", "", 400, "user name or password"),
        (URL, "Upstash-Delay", "soon", 400, "Upstash-Delay"),
        (URL, "Upstash-Delay", "5y", 400, "at most 366 days"),
        (URL, "Upstash-Not-Before", "tomorrow", 400, "Upstash-Not-Before"),
        (URL, "Upstash-Retries", "-1", 400, "Upstash-Retries"),
        (URL, "Upstash-Retries", "many", 400, "Upstash-Retries"),
        (URL, "Upstash-Retry-Delay", "sin(1)", 400, "unknown name 'sin'"),
        (URL, "Upstash-Timeout", "0s", 400, "Upstash-Timeout"),
        (URL, "Upstash-Method", "FETCH", 400, "Upstash-Method"),
        (URL, "Upstash-Label", "a b", 400, "Upstash-Label"),
        (URL, "Upstash-Deduplication-Id", "a:b", 400, "Upstash-Deduplication-Id"),
        (URL, "Upstash-Content-Based-Deduplication", "maybe", 400, "true or false"),
        (URL, "Upstash-Callback", "nonsense:", 400, "Upstash-Callback"),
        (URL, "Upstash-Forward-X", "a\r\nb", 400, "control characters"),
        (URL, "Upstash-Forward-X", "步", 400, "Latin-1"),
        (URL, "Upstash-Forward-X", &long, 413, "16384"),
        (URL, "Upstash-Workflow-Init", "perhaps", 400, "true or false"),
        (URL, "Upstash-Workflow-Init", "true", 400, "Upstash-Workflow-RunId"),
        (URL, "Upstash-Workflow-RunId", "wfr_1", 400, "Upstash-Workflow-Init"),
        (URL, "Upstash-Flow-Control-Key", "a b", 400, "Upstash-Flow-Control-Key"),
        (URL, "Upstash-Flow-Control-Value", "rate=1", 400, "Upstash-Flow-Control-Key beside it"),
        (URL, "Upstash-Flow-Control-Value", "rate=0", 400, "parallelism=5, rate=10, period=1m"),
        (URL, "Upstash-Cron", "* * * * *", 400, "POST /v2/schedules/{destination}"),
        (URL, "Upstash-Schedule-Id", "nightly", 400, "POST /v2/schedules/{destination}"),
        (URL, "Upstash-Redact-Fields", "bodies", 400, "header[Name]"),
        (URL, "Upstash-Queue-Name", "a/b", 400, "Upstash-Queue-Name"),
        (URL, "Upstash-Workflow-Invoke", "true", 400, "Upstash-Workflow-Init"),
        ("my-group", "x", "", 404, "'my-group'"),
        ("api/llm", "x", "", 400, "api/llm"),
    ] {
        let error = world.publish(destination, &[(header, value)], "").error(status);
        assert!(error.contains(expected), "{destination} {header}: {value}: {error}");
    }
    let error =
        world.publish(URL, &[("Upstash-Callback", URL), ("Upstash-Callback-Flow-Control-Key", "")], "").error(400);
    assert!(error.contains("in the settings of Upstash-Callback"), "{error}");
    assert!(world.publish(URL, &[], &"x".repeat(1024 * 1024 + 1)).error(413).contains("1048576"));
    assert_eq!((world.sql.count("messages"), world.sql.count("events"), world.sql.count("runs")), (0, 0, 0));
}

#[test]
fn what_is_not_there_says_so() {
    let world = World::new();
    for path in ["/", "/v2", "/v2/nothing", "/v2/messages/a/b", "/v2/publish/"] {
        world.get(path).error(404);
    }
    let answer = world.get("/v2/batch");
    assert!(answer.error(405).contains("POST"));
    assert_eq!(answer.0.headers.get("allow"), Some("POST"));
}

#[test]
fn a_batch_keeps_its_order_and_each_message_its_own_error() {
    let world = World::new();
    world.answers("https://", [ok()]);
    let answer = world
        .batch(&json!([
            { "destination": "https://a.test", "body": "1", "headers": { "upstash-forward-x": "y" } },
            { "destination": "not a url", "body": "2" },
            { "destination": "https://b.test", "queue": "a queue" },
            { "destination": "https://c.test" },
        ]))
        .ok();
    let results = answer.as_array().unwrap();
    assert_eq!(results.len(), 4);
    assert!(results[0]["messageId"].is_string() && results[3]["messageId"].is_string());
    assert!(results[1]["error"].as_str().unwrap().contains("destination"), "{answer}");
    assert!(results[2]["error"].as_str().unwrap().contains("Upstash-Queue-Name"), "{answer}");
    world.settle();
    assert_eq!(world.received("https://a.test")[0].headers.get("x"), Some("y"));
    assert_eq!(world.received("https://").len(), 2);
}

#[test]
fn a_batch_that_can_not_be_accepted_is_refused_as_a_whole() {
    let mut settings = settings();
    settings.limits.batch_messages = 2;
    let world = World::with(settings);
    let run = json!({ "upstash-workflow-init": "true", "upstash-workflow-runid": "wfr_1" });
    for (batch, status) in [
        (json!({}), 400),
        (json!([]), 400),
        (json!([{ "body": "no destination" }]), 400),
        (json!([{ "destination": { "an": "object" } }]), 400),
        (json!([{ "destination": "https://a.test", "headers": { "x": null } }]), 400),
        (json!([{ "destination": "nonsense:" }]), 400),
        (
            json!([{ "destination": "https://a.test" }, { "destination": "https://a.test" }, { "destination": "https://a.test" }]),
            400,
        ),
        // A run's message in it is bad: the good one is not kept either.
        (json!([{ "destination": "https://a.test" }, { "destination": "nonsense:", "headers": run }]), 400),
        (
            json!([{ "destination": "https://a.test", "headers": run }, { "destination": "https://a.test", "headers": { "upstash-workflow-init": "maybe", "upstash-workflow-runid": "wfr_2" } }]),
            400,
        ),
    ] {
        let error = world.batch(&batch).error(status);
        assert!(!error.is_empty(), "{batch}");
        assert_eq!(
            (world.sql.count("messages"), world.sql.count("runs"), world.sql.count("events")),
            (0, 0, 0),
            "{batch}"
        );
    }
}

#[test]
fn events_are_filtered_and_paged() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let blue = world.publish(URL, &[("Upstash-Label", "sky,blue")], "").message_id();
    let red = world.publish(URL, &[("Upstash-Label", "red")], "").message_id();
    world.settle();
    let count = |query: &str| world.get(&format!("/v2/events?{query}")).ok()["events"].as_array().unwrap().len();
    assert_eq!(count(""), 6);
    assert_eq!(count("state=CREATED,DELIVERED"), 4);
    assert_eq!(count("state=CREATED&label=blue"), 1);
    assert_eq!(count(&format!("messageId={blue}&messageId={red}&state=ACTIVE")), 2);
    assert_eq!(count("label=bl"), 0);
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("/v2/logs?count=4&cursor={cursor}")).ok();
        seen += page["logs"].as_array().unwrap().len();
        match page["cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen, 6);
    for query in ["stat=CREATED", "state=LOST", "cursor=abc", "count=0", "count=many", "fromDate=today"] {
        world.get(&format!("/v2/events?{query}")).error(400);
    }
}

#[test]
fn messages_are_cancelled_by_filter() {
    let world = World::new();
    let publish = |url: &str, headers: &[(&str, &str)]| {
        let mut headers = headers.to_vec();
        headers.push(("Upstash-Delay", "1h"));
        world.publish(url, &headers, "").message_id()
    };
    let cancel = |filter: &str| world.delete(&format!("/v2/messages{filter}")).ok()["cancelled"].as_u64().unwrap();
    let first = publish("https://a.test/x?y=1", &[("Upstash-Label", "blue,green")]);
    publish("https://a.test/x?y=2", &[("Upstash-Flow-Control-Key", "k")]);
    publish("https://b.test/x", &[("Upstash-Queue-Name", "q"), ("Upstash-Caller-Ip", "10.0.0.1")]);
    let run = publish(URL, &[("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", "wfr_1")]);
    for (filter, status) in [("?url=x&cuont=1", 400), ("?count=all", 400)] {
        world.delete(&format!("/v2/messages{filter}")).error(status);
    }
    for filter in ["?url=https://none.test", "?label=blu", "?topicName=g", "?scheduleId=s", "?callerIp=10.0.0.2"] {
        assert_eq!(cancel(filter), 0, "{filter}");
    }
    assert_eq!(cancel(&format!("?messageIds={first}&messageIds=msg_unknown")), 1);
    assert_eq!(world.states(&first), ["CREATED", "CANCEL_REQUESTED", "CANCELED"]);
    assert_eq!(cancel("?queueName=q&callerIp=10.0.0.1&host=b.test&path=/x"), 1);
    assert_eq!(cancel("?flowControlKey=k&url=https://a.test/x?y=2&fromDate=1&label="), 1);
    let named = |body: &str| world.send(&world.request(Method::Delete, "/v2/messages").body(body));
    let second = publish(URL, &[]);
    publish(URL, &[]);
    for body in ["[]", "{}", r#"{"messageIds":[]}"#, r#"{"dlqIds":["1"]}"#, "nonsense"] {
        assert!(named(body).error(400).contains("messageIds"), "{body}");
    }
    assert_eq!(named(&json!({ "messageIds": [second] }).to_string()).ok()["cancelled"], json!(1));
    let item = json!({ "destination": URL, "headers": { "Upstash-Delay": "1h" } });
    for _ in 0..3 {
        world.batch(&Value::Array(vec![item.clone(); 400])).ok();
    }
    assert_eq!((cancel("?count=100"), cancel("")), (1201, 0), "one call is enough for all");
    assert_eq!(world.get(&format!("/v2/messages/{run}")).status(), 200, "a run's message is left alone");
}
