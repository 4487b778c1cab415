//! Publishing, delivering, retrying: a message from its acceptance to its end.

#![cfg(not(target_arch = "wasm32"))]
#![allow(dead_code)] // the rest of `support` is for what is still to be tested
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unused_self)]

mod support;

use orchestration::wire::Method;
use support::world::{World, ok};

const URL: &str = "https://app.test/hook";

#[test]
fn a_message_is_delivered_as_it_was_published() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let id = world
        .publish(
            &format!("{URL}?a=1"),
            &[
                ("Content-Type", "text/csv"),
                ("Upstash-Method", "put"),
                ("Upstash-Forward-X-Tenant", "7"),
                ("Upstash-Forward-Host", "evil.test"),
                ("Upstash-Label", "blue, green"),
                ("Upstash-Caller-Ip", "10.0.0.7"),
            ],
            "a;b\n",
        )
        .message_id();
    assert_eq!(world.settle(), 1);
    let [request] = &world.received(URL)[..] else { panic!("one delivery") };
    assert_eq!((request.method, request.url.as_str()), (Method::Put, "https://app.test/hook?a=1"));
    assert_eq!(request.body, b"a;b\n");
    for (name, value) in [
        ("content-type", Some("text/csv")),
        ("x-tenant", Some("7")),
        ("host", None),
        ("user-agent", Some("Upstash-QStash")),
        ("upstash-message-id", Some(id.as_str())),
        ("upstash-retried", Some("0")),
        ("upstash-label", Some("blue,green")),
        ("upstash-caller-ip", Some("10.0.0.7")),
        ("upstash-method", None),
        ("authorization", None),
    ] {
        assert_eq!(request.headers.get(name), value, "{name}");
    }
    assert_eq!(world.states(&id), ["CREATED", "ACTIVE", "DELIVERED"]);
    assert_eq!(world.next_wake(), None);
}
