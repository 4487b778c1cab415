//! Whatever JSON a binding hands over, an operation makes a request or says what is wrong: no panic, and no bulk request
//! about everything that did not ask for it.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use orchestration::client::Client;
use orchestration::wire::Method;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const OPERATIONS: &[&str] = &[
    "publish",
    "batch",
    "queues.upsert",
    "queues.get",
    "queues.list",
    "queues.delete",
    "urlGroups.addEndpoints",
    "urlGroups.removeEndpoints",
    "schedules.create",
    "schedules.pause",
    "messages.get",
    "messages.cancelMany",
    "dlq.list",
    "dlq.deleteMany",
    "dlq.retry",
    "logs",
    "flowControl.list",
    "flowControl.pin",
    "flowControl.unpin",
    "keys.rotate",
    "workflow.cancel",
];

/// Names that the operations know, so that the values behind them are reached.
const NAMES: &[&str] = &[
    "url",
    "urlGroup",
    "destination",
    "api",
    "name",
    "provider",
    "owner",
    "token",
    "queueName",
    "body",
    "headers",
    "method",
    "delay",
    "notBefore",
    "retries",
    "retryDelay",
    "timeout",
    "callback",
    "deduplicationId",
    "label",
    "flowControl",
    "key",
    "rate",
    "period",
    "redact",
    "header",
    "cron",
    "timezone",
    "scheduleId",
    "endpoints",
    "filter",
    "messageIds",
    "dlqIds",
    "all",
    "count",
    "cursor",
    "fromDate",
    "responseStatus",
    "parallelism",
    "search",
    "paused",
];

const BULK: &[&str] = &["messages.cancelMany", "dlq.deleteMany", "dlq.retry"];

fn client() -> Client {
    Client::new("https://q.test", "token").unwrap()
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["https://a.test/b", "* * * * *", "10s", "POST", "llm", "openai", "a", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let name = prop_oneof![4 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => ".{0,8}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn options_of_any_shape_are_read_or_refused(operation in prop::sample::select(OPERATIONS), options in value()) {
        if let Ok(request) = client().operation(operation, &options.to_string()) {
            prop_assert!(request.url.starts_with("https://q.test/v2/"), "{}", request.url);
            prop_assert!(request.headers.iter().all(|(_, value)| !value.contains(['\r', '\n', '\0'])));
            let everything = request.url.split_once('?').is_none_or(|(_, query)| query.starts_with("count="));
            if BULK.contains(&operation) && everything {
                prop_assert_eq!(options.get("all"), Some(&Value::Bool(true)));
            }
        }
    }

    #[test]
    fn texts_of_any_shape_are_read_or_refused(operation in prop::sample::select(OPERATIONS), options in ".{0,80}") {
        let _ = client().operation(operation, &options);
    }

    #[test]
    fn an_id_of_any_shape_stays_in_its_place(id in ".{1,20}") {
        let Ok(request) = client().operation("queues.pause", &Value::from(id.as_str()).to_string()) else { return Ok(()) };
        let url = url::Url::parse(&request.url).unwrap();
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 4, "{}", url);
        prop_assert_eq!((segments[0], segments[1], segments[3]), ("v2", "queues", "pause"));
        prop_assert_eq!((url.query(), url.fragment()), (None, None));
    }

    #[test]
    fn a_filter_of_any_shape_selects_something(fields in prop::collection::vec((prop::sample::select(NAMES), value()), 0..4)) {
        let filter: Map<String, Value> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let options = json!({ "filter": filter }).to_string();
        for operation in BULK {
            if let Ok(request) = client().operation(operation, &options) {
                prop_assert!(matches!(request.method, Method::Delete | Method::Post));
                prop_assert!(!request.url.contains("?count="), "{} {}", operation, request.url);
            }
        }
    }
}
