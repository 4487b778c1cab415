//! Whoever watches the broker is told of what changed, and of nothing else.

use std::time::Duration;

use crate::support::world::World;
use orchestration::broker::changes::{READY, stays_open};
use orchestration::wire::{Method, Response};

#[test]
fn the_stream_begins_with_ready_for_whoever_may_read() {
    let mut settings = crate::support::world::settings();
    settings.read_only_token = Some("reader".to_owned());
    let world = World::with(settings);
    for token in [crate::support::world::TOKEN, "reader"] {
        let request = world.request_as(token, Method::Get, "/v2/changes");
        let answer = world.send(&request);
        assert_eq!((answer.status(), answer.0.headers.get("content-type")), (200, Some("text/event-stream")));
        assert_eq!(answer.0.body, READY.as_bytes());
        assert!(stays_open(&request, &answer.0));
    }
    let stranger = world.request_as("guess", Method::Get, "/v2/changes");
    let refused = world.send(&stranger);
    assert_eq!(refused.status(), 401);
    assert!(!stays_open(&stranger, &refused.0));
    let posted = world.request(Method::Post, "/v2/changes");
    let refused = world.send(&posted);
    assert_eq!(refused.status(), 405);
    assert!(!stays_open(&posted, &refused.0));
}

#[test]
fn every_change_moves_the_revision_and_reading_does_not() {
    let world = World::new();
    world.answers("https://app.test", [Response::new(200)]);
    let revision = || world.broker().revision();
    let reads = || {
        for path in ["/v2/events", "/v2/messages/msg_1", "/v2/queues", "/v2/dlq", "/v2/workflows/logs", "/v2/changes"] {
            world.get(path);
        }
        world.take(10);
        revision()
    };
    world.take(10);
    let before = reads();
    assert_eq!(reads(), before, "reading");

    world.publish("https://app.test/later", &[("Upstash-Delay", "10s")], "");
    let published = revision();
    assert_ne!(published, before, "a request");
    assert_eq!(reads(), published, "reading while something waits");

    world.advance(Duration::from_secs(10));
    let delivery = world.take(10).remove(0);
    let taken = revision();
    assert_ne!(taken, published, "a timer");
    world.tell(&delivery, world.deliver(&delivery));
    let delivered = revision();
    assert_ne!(delivered, taken, "a delivery");
    assert_eq!(reads(), delivered);

    world.publish("not a destination", &[], "");
    assert_eq!(revision(), delivered, "a request that is refused");
}
