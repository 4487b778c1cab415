//! What a user's function failed with.

use wasm_bindgen::prelude::*;

use super::error::code_of;
use crate::error::Error;
use crate::workflow;

/// A failure of a workflow, a step or a failure function.
#[wasm_bindgen]
pub struct Failure(pub(super) workflow::Failure);

#[wasm_bindgen]
impl Failure {
    /// A failure that is tried again.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str, message: &str, stack: Option<String>) -> Self {
        Self(workflow::Failure { stack, ..workflow::Failure::new(name, message) })
    }

    /// A failure with an error of this package; its code tells whether it is tried again.
    #[wasm_bindgen(js_name = ofCode)]
    pub fn of_code(code: &str, message: &str, stack: Option<String>) -> Self {
        Self(workflow::Failure { stack, ..workflow::Failure::of(&Error::new(code_of(code), message)) })
    }

    /// The end of a run by its own wish.
    pub fn cancel() -> Self {
        Self(workflow::Failure::cancel())
    }

    /// The same failure, not tried again.
    pub fn never(self) -> Self {
        Self(workflow::Failure { recovery: workflow::Recovery::Fail, ..self.0 })
    }

    /// The same failure, tried again after `delay`: seconds, or a duration such as `2m`.
    pub fn after(self, delay: &str) -> Self {
        Self(workflow::Failure { recovery: workflow::Recovery::RetryAfter(delay.to_owned()), ..self.0 })
    }
}
