//! Gathering items into batches: how many together, how long the first one waits, how many batches at once.

use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// How items are gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// A batch never has more items.
    pub max_size: usize,
    /// No item waits longer for others to come.
    pub max_wait: Duration,
    /// So many batches are worked on at once.
    pub concurrency: usize,
    /// More waiting items than this are not taken.
    pub max_pending: usize,
}

impl Default for Options {
    /// A hundred items, 100 ms, one batch at once, 10,000 waiting.
    fn default() -> Self {
        Self { max_size: 100, max_wait: Duration::from_millis(100), concurrency: 1, max_pending: 10_000 }
    }
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It waits for its batch.
    Taken,
    /// Too many wait: come again when a batch has been taken.
    Full,
    /// No items are taken any more.
    Closed,
}

/// Gathers items. It knows how many there are; the host keeps them, in their order.
///
/// Calling order: [`Batcher::offer`] for each item; after each offer and each [`Batcher::finish`], and at
/// [`Batcher::next_wake`]: [`Batcher::take`] until it is `None`.
#[derive(Clone, Debug)]
pub struct Batcher {
    options: Options,
    pending: usize,
    /// When the oldest waiting item came; those behind it are younger by an unknown time, so it counts for all.
    oldest: Option<Timestamp>,
    running: usize,
    /// Items that don't wait for others any more, counted from the front.
    flushed: usize,
    closed: bool,
}

impl Batcher {
    /// [`Code::InvalidConfiguration`] for a size, concurrency or number of waiting items of 0.
    pub fn new(options: Options) -> Result<Self> {
        if options.max_size == 0 || options.concurrency == 0 || options.max_pending == 0 {
            return Err(Error::new(
                Code::InvalidConfiguration,
                "the size, the concurrency and the number of waiting items of a batch must be at least 1",
            ));
        }
        Ok(Self { options, pending: 0, oldest: None, running: 0, flushed: 0, closed: false })
    }

    /// Asks whether an item may be added behind the others.
    pub fn offer(&mut self, at: Timestamp) -> Offer {
        if self.closed {
            return Offer::Closed;
        }
        if self.pending >= self.options.max_pending {
            return Offer::Full;
        }
        self.pending += 1;
        self.oldest.get_or_insert(at);
        Offer::Taken
    }

    /// How many items, from the front, make a batch that is to be worked on now; tell its end by [`Batcher::finish`].
    pub fn take(&mut self, at: Timestamp) -> Option<usize> {
        let waited = self.oldest.is_some_and(|oldest| oldest + self.options.max_wait <= at);
        let ready = self.pending >= self.options.max_size || self.flushed > 0 || (waited && self.pending > 0);
        if !ready || self.running >= self.options.concurrency {
            return None;
        }
        let size = self.pending.min(self.options.max_size);
        self.pending -= size;
        self.flushed = self.flushed.saturating_sub(size).min(self.pending);
        if waited {
            // Whoever came with the oldest has waited as long; they go with the next batches.
            self.flushed = self.pending;
        }
        self.oldest = (self.pending > 0).then_some(at);
        self.running += 1;
        Some(size)
    }

    /// Tells that a batch has been worked on.
    pub fn finish(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Lets what waits go without waiting for others.
    pub fn flush(&mut self) {
        self.flushed = self.pending;
    }

    /// Takes no more items, and lets what waits go.
    pub fn close(&mut self) {
        self.closed = true;
        self.flush();
    }

    /// When [`Batcher::take`] has something to give although nothing happens before; `None`: never.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let waits = self.oldest.filter(|_| self.pending > 0 && self.running < self.options.concurrency)?;
        Some(waits + self.options.max_wait)
    }

    /// How many items wait.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// How many batches are worked on.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Whether nothing waits and nothing is worked on.
    pub fn is_idle(&self) -> bool {
        self.pending == 0 && self.running == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn batcher() -> Batcher {
        Batcher::new(Options { max_size: 3, concurrency: 2, max_pending: 8, ..Options::default() }).unwrap()
    }

    #[test]
    fn a_batch_goes_when_it_is_full_or_has_waited() {
        let mut batcher = batcher();
        batcher.offer(at(0));
        batcher.offer(at(50));
        assert_eq!((batcher.take(at(99)), batcher.next_wake()), (None, Some(at(100))));
        assert_eq!(batcher.take(at(100)), Some(2));
        for now in [101, 102, 103, 104] {
            assert_eq!(batcher.offer(at(now)), Offer::Taken);
        }
        assert_eq!((batcher.take(at(104)), batcher.take(at(104))), (Some(3), None));
    }

    #[test]
    fn only_so_many_run_at_once_and_only_so_many_wait() {
        let mut batcher = batcher();
        let offers: Vec<Offer> = (0..9).map(|_| batcher.offer(at(0))).collect();
        assert_eq!(offers.iter().filter(|offer| **offer == Offer::Taken).count(), 8);
        assert_eq!(offers[8], Offer::Full);
        assert_eq!([batcher.take(at(0)), batcher.take(at(0)), batcher.take(at(0))], [Some(3), Some(3), None]);
        assert_eq!(batcher.next_wake(), None, "nothing happens before a batch has ended");
        batcher.finish();
        assert_eq!(batcher.take(at(0)), None, "two wait for others");
        assert_eq!(batcher.take(at(100)), Some(2));
        batcher.finish();
        batcher.finish();
        assert!(batcher.is_idle());
    }

    #[test]
    fn what_is_flushed_or_has_waited_goes_whole() {
        let mut batcher = batcher();
        (0..5).for_each(|_| assert_eq!(batcher.offer(at(0)), Offer::Taken));
        batcher.flush();
        assert_eq!([batcher.take(at(1)), batcher.take(at(1))], [Some(3), Some(2)]);
        batcher.finish();
        batcher.finish();
        (0..5).for_each(|_| assert_eq!(batcher.offer(at(2)), Offer::Taken));
        assert_eq!([batcher.take(at(200)), batcher.take(at(200))], [Some(3), Some(2)]);
        batcher.close();
        assert_eq!(batcher.offer(at(201)), Offer::Closed);
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for options in [
            Options { max_size: 0, ..Options::default() },
            Options { concurrency: 0, ..Options::default() },
            Options { max_pending: 0, ..Options::default() },
        ] {
            assert!(Batcher::new(options).is_err());
        }
    }
}
