//! Wakes a task that waits.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_util::future::select;
use worker::Delay;

use crate::host::edge::host::now;
use crate::wire::Timestamp;

/// Wakes the one who waits; one ring is enough for all that happened before it looks.
#[derive(Default)]
pub struct Bell {
    rung: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Bell {
    /// To be called when something happened.
    pub fn ring(&self) {
        self.rung.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Returns when the bell rings or has rung, or at `moment`.
    pub async fn wait_until(&self, moment: Timestamp) {
        let ring = poll_fn(|context| {
            if self.rung.take() {
                return Poll::Ready(());
            }
            self.waker.replace(Some(context.waker().clone()));
            Poll::Pending
        });
        // A millisecond at least, so that a clock that stands still can't make the event spin.
        let delay = (moment - now()).max(Duration::from_millis(1));
        select(pin!(ring), pin!(Delay::from(delay))).await;
    }
}
