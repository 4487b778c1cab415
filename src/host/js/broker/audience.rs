//! Those who listen to the changes of one broker, and hear the same.

use std::cell::Cell;

use wasm_bindgen::JsValue;

use crate::broker::changes::{Changes, LISTENERS, News};
use crate::wire::Timestamp;

/// How many listen, and what they have heard.
#[derive(Default)]
pub struct Audience {
    number: Cell<usize>,
    changes: Cell<Option<Changes>>,
}

impl Audience {
    /// Whether there was a place for one more.
    pub fn join(&self, revision: u64, at: Timestamp) -> bool {
        let number = self.number.get();
        if number == 0 {
            self.changes.set(Some(Changes::since(revision, at)));
        }
        if number < LISTENERS {
            self.number.set(number + 1);
        }
        number < LISTENERS
    }

    /// One has gone.
    pub fn leave(&self) {
        self.number.set(self.number.get().saturating_sub(1));
    }

    /// A text that all of them are sent, or a number of milliseconds to wait for it.
    #[allow(clippy::cast_precision_loss)] // seconds
    pub fn news(&self, revision: u64, at: Timestamp) -> JsValue {
        let mut changes = self.changes.get().unwrap_or_else(|| Changes::since(revision, at));
        let news = changes.poll(revision, at);
        self.changes.set(Some(changes));
        match news {
            News::Send(text) => text.into(),
            News::WaitUntil(moment) => ((moment - at).as_millis() as f64).into(),
        }
    }
}
