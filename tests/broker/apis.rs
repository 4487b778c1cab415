//! API destinations: `api/llm` and `api/email`.
#![allow(clippy::unwrap_used)]

use crate::support::world::{World, ok, settings};
use orchestration::wire::Method;
use serde_json::{Value, json};

const BACK: (&str, &str) = ("Upstash-Callback", "https://back.test");

/// A broker whose models are at an address of its own.
fn with_models() -> World {
    let mut settings = settings();
    settings.apis.llm = Some("https://models.test/gateway/".to_owned());
    World::with(settings)
}

#[test]
fn a_message_to_a_model_goes_where_the_settings_say() {
    let world = with_models();
    world.answers("https://", [ok()]);
    let headers =
        [BACK, ("Content-Type", "application/json"), ("Upstash-Forward-Authorization", "Bearer of-the-provider")];
    let id = world.publish("api/llm", &headers, "{\"model\":\"m\"}").message_id();
    assert_eq!(world.get(&format!("/v2/messages/{id}")).ok()["api"], json!("llm"));
    let batch = world.batch(&json!([{ "destination": "api/llm", "headers": { BACK.0: BACK.1 }, "body": {} }]));
    batch.ok();
    let enqueue = world.request(Method::Post, "/v2/enqueue/line/api/llm").header(BACK.0, BACK.1);
    world.send(&enqueue).ok();
    world.settle();
    let received = world.received("https://models.test");
    assert!(received.iter().all(|request| request.url == "https://models.test/gateway/v1/chat/completions"));
    assert_eq!(received.len(), 3);
    assert_eq!(received[0].headers.get("authorization"), Some("Bearer of-the-provider"));
    assert_eq!(received[0].body, b"{\"model\":\"m\"}");
    assert_eq!(world.received("https://back.test").len(), 3);
    assert_eq!(world.events(&id)[0]["api"], json!("llm"));
}

#[test]
fn mails_go_to_resend_unless_the_settings_say_otherwise() {
    for (setting, expected) in
        [(None, "https://api.resend.com/emails"), (Some("https://mail.test"), "https://mail.test/emails")]
    {
        let mut settings = settings();
        if let Some(url) = setting {
            settings.apis.email = Some(url.to_owned());
        }
        let world = World::with(settings);
        let id = world.publish("api/email", &[], "{}").message_id();
        assert_eq!(world.get(&format!("/v2/messages/{id}")).ok()["url"], json!(expected));
    }
}

#[test]
fn what_can_not_be_answered_is_refused() {
    let world = World::new();
    let error = world.publish("api/llm", &[BACK], "{}").error(400);
    assert!(error.contains("BROKER_LLM_URL") && error.contains("apis.llm"), "{error}");
    assert!(world.publish("api/fax", &[], "").error(400).contains("api/llm or api/email"));
    let chat = world.request(Method::Post, "/llm/v1/chat/completions").body(json!({ "messages": [] }).to_string());
    assert!(world.send(&chat).error(400).contains("provider"));
    let world = with_models();
    assert!(world.publish("api/llm", &[], "{}").error(400).contains("Upstash-Callback"));
    let start = [BACK, ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", "wfr_1")];
    assert!(world.publish("api/llm", &start, "{}").error(400).contains("no workflow"));
    let schedule = world.request(Method::Post, "/v2/schedules/api/llm").header("Upstash-Cron", "* * * * *");
    assert!(world.send(&schedule).error(400).contains("Upstash-Callback"));
    let schedule = world.send(&schedule.header(BACK.0, BACK.1)).ok();
    let path = format!("/v2/schedules/{}", schedule["scheduleId"].as_str().unwrap());
    assert_eq!(world.get(&path).ok()["destination"], json!("api/llm"));
    assert_eq!(world.get("/v2/logs").ok()["logs"], Value::Array(Vec::new()));
    // An address that is none is a mistake of whoever runs the broker.
    let mut settings = settings();
    settings.apis.email = Some("mail.test".to_owned());
    assert!(World::with(settings).publish("api/email", &[], "").error(500).contains("api/email"));
}
