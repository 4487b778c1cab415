//! What a broker answers, as the documents and the official SDKs' types show it, read into types.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic)]

use orchestration::client::{
    Cancelled, DeadLetters, Deleted, FlowControlKey, GlobalParallelism, Logs, Published, Queue, Retried, ScheduleId,
    SigningKeys, StoredMessage, StoredSchedule, UrlGroup, read,
};
use orchestration::error::Code;
use orchestration::wire::{Method, Response, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn answer<T: DeserializeOwned>(body: &Value) -> T {
    read(&Response::json(200, body)).unwrap()
}

fn message() -> Value {
    json!({
        "messageId": "msg_1", "topicName": "group", "endpointName": "a", "url": "https://a.test", "method": "PUT",
        "header": { "X-User": ["u", "v"] }, "body": "é", "maxRetries": 3, "retryDelayExpression": "1000", "notBefore": 7,
        "createdAt": 5, "callback": "https://a.test/c", "failureCallback": "https://a.test/f", "queueName": "orders",
        "scheduleId": "scd_1", "callerIp": "::1", "flowControlKey": "k", "parallelism": 1, "rate": 2, "period": 60,
        "label": "one", "labels": ["one", "two"], "somethingNew": { "a": [1] },
    })
}

#[test]
fn messages() {
    let stored: StoredMessage = answer(&message());
    assert_eq!((stored.message_id.as_str(), stored.method), ("msg_1", Some(Method::Put)));
    assert_eq!(stored.header["X-User"], ["u", "v"]);
    assert_eq!((stored.created_at, stored.not_before), (Timestamp::from_millis(5), Some(Timestamp::from_millis(7))));
    assert_eq!((stored.rate, stored.period, stored.labels.len()), (Some(2), Some(60), 2));
    let bare: StoredMessage = answer(&json!({ "messageId": "msg_1", "header": null, "labels": null }));
    assert!(bare.header.is_empty() && bare.labels.is_empty() && bare.body.is_none());
    assert_eq!(answer::<Cancelled>(&json!({ "cancelled": 3 })).cancelled, 3);
}

#[test]
fn accepted_messages() {
    let to_group: Vec<Published> =
        answer(&json!([{ "messageId": "a", "url": "https://a.test" }, { "messageId": "b", "deduplicated": true }]));
    assert_eq!((to_group[0].url.as_deref(), to_group[1].deduplicated), (Some("https://a.test"), true));
    let refused: Vec<Published> = answer(&json!([{ "error": "no" }]));
    assert_eq!(refused[0].error.as_deref(), Some("no"));
}

#[test]
fn dead_letters() {
    let mut letter = message();
    letter["dlqId"] = json!("1725323658779-0");
    letter["responseStatus"] = json!(500);
    letter["responseHeader"] = json!({ "a": ["b"], "c": "d" });
    letter["responseBodyBase64"] = json!("/w==");
    let page: DeadLetters = answer(&json!({ "cursor": "c", "messages": [letter] }));
    let [letter] = &page.messages[..] else { panic!("expected one letter, got {page:?}") };
    assert_eq!((letter.dlq_id.as_str(), letter.message.message_id.as_str()), ("1725323658779-0", "msg_1"));
    assert_eq!((letter.response_status, letter.response_header["c"].as_slice()), (Some(500), &["d".to_owned()][..]));
    assert_eq!(page.cursor.as_deref(), Some("c"));
    assert_eq!(answer::<DeadLetters>(&json!({ "cursor": "", "messages": null })).messages, []);
    assert_eq!(answer::<Deleted>(&json!({ "deleted": 2 })).deleted, 2);
    assert_eq!(answer::<Retried>(&json!({ "responses": [{ "messageId": "m" }] })).responses[0].message_id, "m");
}

#[test]
fn the_log_under_both_names() {
    let entry = json!({
        "time": 9, "state": "FAILED", "messageId": "msg_1", "url": "https://a.test", "error": "no", "nextDeliveryTime": 10,
        "header": { "X-User": "u" }, "responseStatus": 503,
    });
    for key in ["events", "logs"] {
        let page: Logs = answer(&json!({ key: [entry], "cursor": "c" }));
        assert_eq!((page.events[0].state.as_str(), page.events[0].time), ("FAILED", Timestamp::from_millis(9)));
        assert_eq!(page.events[0].header["X-User"], ["u"]);
    }
}

#[test]
fn queues_groups_schedules_and_limits() {
    let queues: Vec<Queue> =
        answer(&json!([{ "name": "q", "parallelism": 2, "lag": 4, "paused": true, "createdAt": 1, "updatedAt": 2 }]));
    assert!(queues[0].paused && queues[0].lag == 4);
    let group: UrlGroup = answer(
        &json!({ "name": "g", "createdAt": 1, "updatedAt": 2, "endpoints": [{ "name": "a", "url": "https://a.test" }] }),
    );
    assert_eq!((group.endpoints[0].url.as_str(), group.endpoints[0].name.as_deref()), ("https://a.test", Some("a")));
    let schedule: StoredSchedule = answer(&json!({
        "scheduleId": "scd_1", "cron": "CRON_TZ=UTC * * * * *", "createdAt": 1, "destination": "g", "method": "POST",
        "header": { "a": ["b"] }, "retries": 3, "delay": 5, "isPaused": true, "nextScheduleTime": 60_000,
        "lastScheduleStates": { "msg_1": "SUCCESS" },
    }));
    assert!(schedule.is_paused && schedule.next_schedule_time == Some(Timestamp::from_millis(60_000)));
    assert_eq!(answer::<ScheduleId>(&json!({ "scheduleId": "scd_1" })).schedule_id, "scd_1");
    for name in ["waitListSize", "waitlistSize"] {
        assert_eq!(answer::<FlowControlKey>(&json!({ "flowControlKey": "k", name: 7 })).wait_list_size, 7);
    }
    assert_eq!(answer::<GlobalParallelism>(&json!({})), GlobalParallelism::default());
}

#[test]
fn signing_keys_are_not_shown() {
    let keys: SigningKeys = answer(&json!({ "current": "sig_a", "next": "sig_b" }));
    assert_eq!((keys.current.as_str(), keys.next.as_str()), ("sig_a", "sig_b"));
    assert!(!format!("{keys:?}").contains("sig_a"));
}

#[test]
fn another_shape_is_the_brokers_mistake() {
    let answer = Response::json(200, &json!([]));
    assert_eq!(read::<StoredSchedule>(&answer).map(|_| ()).map_err(|error| error.code()), Err(Code::BrokerAnswer));
}
