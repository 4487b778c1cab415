//! No token and no key leaves the broker, whatever it is asked: not in answers, not in what it stores, not in deliveries.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::routes;
use crate::support::workflow::{invoke_request, step_item, trigger_item, wait_request};
use crate::support::world::{Answer, World, ok};
use orchestration::broker::{Settings, Sql};
use orchestration::wire::{Method, Request};
use serde_json::{Value, json};

const URL: &str = "https://app.test/hook";
const TOKEN: &str = "secret-token-of-the-publisher";
const READER: &str = "secret-token-of-the-reader";
const KEYS: (&str, &str) = ("sig_secretCurrentKey", "sig_secretNextKey");

fn world() -> World {
    let mut settings = Settings::new(TOKEN, KEYS.0, KEYS.1);
    settings.read_only_token = Some(READER.to_owned());
    World::with(settings)
}

/// Everything that must stay inside.
fn secrets(world: &World) -> Vec<String> {
    let keys = world.broker().signing_keys();
    [TOKEN, READER, KEYS.0, KEYS.1].map(str::to_owned).into_iter().chain([keys.0, keys.1]).collect()
}

#[track_caller]
fn tells_nothing(world: &World, what: &str, text: &str) {
    for secret in secrets(world) {
        assert!(!text.contains(&secret), "{what} tells {secret}: {text}");
    }
}

/// Looks at an answer: no secret, and a sentence if it is an error.
#[track_caller]
fn look(world: &World, what: &str, Answer(answer): &Answer) {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    tells_nothing(world, what, &format!("{:?} {body}", answer.headers));
    if answer.status >= 400 {
        let json: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{what}: {body}"));
        let sentence = json["error"].as_str().unwrap_or_default();
        assert!(json.as_object().unwrap().len() == 1 && sentence.len() > 10, "{what}: {body}");
    }
}

fn says_keys(path: &str) -> bool {
    path.starts_with("/v2/keys")
}

#[test]
fn no_answer_tells_a_secret() {
    let world = world();
    world.answers("https://", [ok()]);
    let bodies: [&[u8]; 5] = [b"", b"{", b"[]", b"{\"endpoints\":[{\"url\":7}]}", &[0xff, 0x00]];
    let queries = ["", "count=-1&cursor=%zz", "state=NONE&dlqIds=,&messageIds=&fromDate=never"];
    for (method, path) in routes(URL) {
        for body in bodies {
            for query in queries {
                let ask = |token: Option<&str>, carried: Option<&str>| {
                    let query: Vec<String> = [query.to_owned()]
                        .into_iter()
                        .chain(carried.map(|token| format!("qstash_token={token}")))
                        .filter(|part| !part.is_empty())
                        .collect();
                    let url = format!("http://broker.test{path}?{}", query.join("&"));
                    let request = Request::new(method, url).body(body);
                    let headers = token.map(|token| ("Authorization", format!("Bearer {token}")));
                    let request =
                        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
                    (format!("{} {path}?{query:?}", method.as_str()), world.send(&request))
                };
                for (token, carried, refused) in [
                    (None, None, Some(401)),
                    (Some("wrong"), None, Some(401)),
                    (None, Some("wrong"), Some(401)),
                    (Some(&TOKEN[1..]), None, Some(401)),
                    (Some(READER), None, None),
                    (None, Some(READER), None),
                    (None, Some(TOKEN), None),
                    (Some(TOKEN), None, None),
                ] {
                    let (what, answer) = ask(token, carried);
                    if refused.is_none() && says_keys(&path) && answer.status() == 200 {
                        continue;
                    }
                    look(&world, &what, &answer);
                    if let Some(status) = refused {
                        assert_eq!(answer.status(), status, "{what}");
                    }
                }
            }
        }
    }
    world.settle();
    stays_inside(&world);
}

/// The publisher's token came with all of these, in the header or in the query.
#[test]
fn what_is_published_carries_no_secret_of_the_broker() {
    let world = world();
    world.answers("https://", [ok()]);
    let post = |path: &str| world.request_as(TOKEN, Method::Post, path);
    let send = |request: &Request| {
        let with_token = request.headers.iter().map(|(name, value)| match name {
            "Authorization" => (name.to_owned(), format!("Bearer {TOKEN}")),
            _ => (name.to_owned(), value.to_owned()),
        });
        let answer = world.send(&Request { headers: with_token.collect(), ..request.clone() });
        assert!(answer.status() < 300, "{}", String::from_utf8_lossy(&answer.0.body));
        look(&world, &request.url, &answer);
    };
    let own = ("Upstash-Forward-Authorization", "Bearer the-users-own");
    send(&post(&format!("/v2/publish/{URL}")).header(own.0, own.1));
    send(&post(&format!("/v2/publish/{URL}")).header("Upstash-Header-Forward", "true").header("X-Own", "kept"));
    send(&Request::new(Method::Post, format!("http://broker.test/v2/publish/{URL}?a=1&qstash_token={TOKEN}")));
    send(
        &Request::new(Method::Post, format!("http://broker.test/v2/publish/{URL}?qstash_token={TOKEN}"))
            .header("Upstash-Header-Forward", "true"),
    );
    send(&post(&format!("/v2/enqueue/q/{URL}")).header("Upstash-Callback", URL));
    send(&post(&format!("/v2/schedules/{URL}")).header("Upstash-Cron", "* * * * *"));
    let endpoints = json!({ "endpoints": [{ "url": URL, "name": "one" }] }).to_string();
    send(&post("/v2/topics/group/endpoints").body(endpoints));
    send(&post("/v2/publish/group"));
    let item = json!({ "destination": URL, "headers": { "authorization": format!("Bearer {TOKEN}") }, "body": "x" });
    send(&post("/v2/batch").body(json!([item]).to_string()));
    let failing = post("/v2/publish/https://down.test/x").header("Upstash-Retries", "0");
    send(&failing.header("Upstash-Failure-Callback", URL));
    world.answers("https://down.test", [orchestration::wire::Response::new(500)]);

    send(&post("/v2/batch").body(json!([trigger_item("wfr_1", "", &json!({}))]).to_string()));
    send(&post(&format!("/v2/trigger/{URL}")));
    let step = |id: u32, kind: &str| json!({ "stepId": id, "stepName": "s", "stepType": kind, "concurrent": 1 });
    send(&wait_request(&world, "wfr_1", "event", &json!("1h"), &step(1, "Wait")));
    send(&invoke_request(&world, "wfr_1", "wfr_2", URL, &step(2, "Invoke"), 1));
    let webhook = json!({ "webhookUrl": "x", "eventId": "hook" }).to_string();
    let mut made = step(3, "CreateWebhook");
    made["out"] = json!(webhook);
    send(&post("/v2/batch").body(json!([step_item("wfr_1", &made, &json!({}))]).to_string()));
    send(&wait_request(&world, "wfr_1", "hook", &json!("1h"), &step(4, "WaitForWebhook")));
    let hook = format!("http://broker.test/v2/workflows/hooks/u/wfr_1/hook?qstash_token={TOKEN}&x=1");
    send(&Request::new(Method::Post, hook).header("Authorization", format!("Bearer {TOKEN}")));
    send(&post("/v2/notify/event").body("data"));
    world.settle();

    let received = world.received("https://");
    assert!(received.len() > 12, "{}", received.len());
    for request in &received {
        tells_nothing(&world, &request.url, &format!("{} {:?}", request.url, request.headers));
        tells_nothing(&world, &request.url, &decoded(&request.body));
    }
    assert!(received.iter().any(|request| request.headers.get("authorization") == Some("Bearer the-users-own")));
    for path in
        ["events", "logs", "dlq", "queues", "schedules", "topics", "workflows/logs", "workflows/dlq", "waiters/event"]
    {
        let answer = world.send(&world.request_as(READER, Method::Get, &format!("/v2/{path}")));
        assert_eq!(answer.status(), 200, "{path}");
        look(&world, path, &answer);
    }
    stays_inside(&world);
}

/// A body as text, and what base64 in it says.
fn decoded(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    let inner: Vec<String> = text
        .split('"')
        .filter_map(orchestration::wire::base64::decode)
        .filter(|bytes| !bytes.is_empty() && bytes.len() < body.len())
        .map(|bytes| decoded(&bytes))
        .collect();
    format!("{text} {}", inner.join(" "))
}

/// The database holds no secret but the rotated keys in their own table.
fn stays_inside(world: &World) {
    let tables = world.sql.query("SELECT name FROM sqlite_master WHERE type = 'table'", &[]).unwrap();
    let names: Vec<String> = tables.iter().map(|row| row.text(0).unwrap()).collect();
    assert!(names.len() > 15, "{names:?}");
    for table in names.iter().filter(|table| *table != "signing_keys") {
        for row in world.sql.query(&format!("SELECT * FROM {table}"), &[]).unwrap() {
            for value in &row.0 {
                let text = match value {
                    orchestration::broker::Value::Text(text) => decoded(text.as_bytes()),
                    orchestration::broker::Value::Blob(bytes) => decoded(bytes),
                    _ => continue,
                };
                tells_nothing(world, table, &text);
            }
        }
    }
}
