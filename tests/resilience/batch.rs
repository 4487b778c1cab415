//! The batcher, with a host that keeps the items in a queue.

use std::collections::VecDeque;
use std::time::Duration;

use orchestration::resilience::batch::Options;
use orchestration::resilience::{Batcher, Offer};
use proptest::prelude::{Just, Strategy, proptest};
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use crate::at;

#[derive(Clone, Copy, Debug)]
enum Action {
    Offer,
    Finish,
    Flush,
    Pass(u64),
    /// As long as the batcher says that nothing happens.
    PassToWake,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        12 => Just(Action::Offer),
        4 => Just(Action::Finish),
        1 => Just(Action::Flush),
        4 => (0..60_u64).prop_map(Action::Pass),
        2 => Just(Action::PassToWake),
    ];
    proptest::collection::vec(action, 0..250)
}

/// What is to be seen of a batcher from outside.
struct Host {
    options: Options,
    batcher: Batcher,
    /// The items that wait: their number, and when they came.
    queue: VecDeque<(u32, u64)>,
    offered: u32,
    /// The items that were in batches, in the order of these.
    done: Vec<u32>,
    running: usize,
    /// How many items, from the front, need not wait.
    flushed: usize,
    /// When the items that wait began to wait for others: not before the last batch was taken.
    taken_at: u64,
    now: u64,
}

impl Host {
    fn max_wait(&self) -> u64 {
        u64::try_from(self.options.max_wait.as_millis()).unwrap()
    }

    /// When the oldest item has waited long enough.
    fn due(&self) -> Option<u64> {
        self.queue.front().map(|(_, came)| (*came).max(self.taken_at) + self.max_wait())
    }

    /// Takes batches until there is none.
    fn take_all(&mut self) {
        let mut due = self.due().is_some_and(|due| due <= self.now);
        while let Some(size) = self.batcher.take(at(self.now)) {
            assert!((1..=self.options.max_size).contains(&size), "a batch of {size}");
            assert!(self.running < self.options.concurrency, "too many batches at once");
            assert!(size == self.options.max_size || self.flushed > 0 || due, "a batch of {size} without a reason");
            if due {
                // Whoever came with the oldest has waited as long.
                (due, self.flushed) = (false, self.queue.len());
            }
            self.flushed = self.flushed.saturating_sub(size);
            self.done.extend(self.queue.drain(..size).map(|(item, _)| item));
            self.running += 1;
            self.taken_at = self.now;
        }
        if self.running < self.options.concurrency {
            assert!(self.queue.len() < self.options.max_size, "a full batch waits");
            assert!(self.due().is_none_or(|due| self.now < due), "an item waits for too long");
            assert_eq!(self.batcher.next_wake(), self.due().map(at));
        } else {
            assert_eq!(self.batcher.next_wake(), None, "nothing happens before a batch has ended");
        }
        assert_eq!((self.batcher.pending(), self.batcher.running()), (self.queue.len(), self.running));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_the_order_is_kept(
        max_size in 1..6_usize,
        concurrency in 1..4_usize,
        max_pending in 1..20_usize,
        max_wait in 0..100_u64,
        actions in actions(),
    ) {
        let options = Options { max_size, max_wait: Duration::from_millis(max_wait), concurrency, max_pending };
        let batcher = Batcher::new(options).unwrap();
        let (queue, done) = (VecDeque::new(), Vec::new());
        let mut host = Host { options, batcher, queue, offered: 0, done, running: 0, flushed: 0, taken_at: 0, now: 1_000 };
        for action in actions {
            match action {
                Action::Offer => {
                    let full = host.queue.len() >= max_pending;
                    let offer = host.batcher.offer(at(host.now));
                    prop_assert_eq!(offer, if full { Offer::Full } else { Offer::Taken });
                    if !full {
                        host.queue.push_back((host.offered, host.now));
                        host.offered += 1;
                    }
                }
                Action::Finish if host.running > 0 => {
                    host.batcher.finish();
                    host.running -= 1;
                }
                Action::Finish => {}
                Action::Flush => {
                    host.batcher.flush();
                    host.flushed = host.queue.len();
                }
                Action::Pass(millis) => host.now += millis,
                Action::PassToWake => {
                    if let Some(wake) = host.batcher.next_wake() {
                        prop_assert!(wake.millis() > host.now, "the past is over");
                        host.now = wake.millis();
                        let before = host.done.len();
                        host.take_all();
                        prop_assert!(host.done.len() > before, "a wake without a reason");
                    }
                }
            }
            host.take_all();
        }
        host.batcher.close();
        host.flushed = host.queue.len();
        prop_assert_eq!(host.batcher.offer(at(host.now)), Offer::Closed);
        loop {
            host.take_all();
            if host.running == 0 {
                break;
            }
            host.batcher.finish();
            host.running -= 1;
        }
        prop_assert!(host.batcher.is_idle() && host.queue.is_empty());
        prop_assert_eq!(host.done, (0..host.offered).collect::<Vec<_>>());
    }
}
