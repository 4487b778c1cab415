//! Errors cross as real `Error` objects with `code` and `retryable`.

use js_sys::{Array, Reflect};
use wasm_bindgen::JsValue;

#[cfg(feature = "js")]
use crate::error::Code;
use crate::error::{Error, Limit, RateLimit};

pub(super) fn thrown(error: &Error) -> JsValue {
    let value = js_sys::Error::new(error.message());
    for (name, property) in [
        ("code", JsValue::from_str(error.code().name())),
        ("retryable", JsValue::from_bool(error.code().is_retryable())),
        ("status", error.broker_status().into()),
        ("rateLimit", error.rate_limit().map(limit_texts).into()),
    ] {
        // Fails for frozen objects only.
        let _ = Reflect::set(&value, &name.into(), &property);
    }
    value.into()
}

/// Limit, remaining and reset, in turn for each limit; `null` for what the answer does not tell.
fn limit_texts(limit: &RateLimit) -> Array {
    let limits = match limit {
        RateLimit::Burst(limit) | RateLimit::Daily(limit) => vec![limit],
        RateLimit::Chat { requests, tokens } => vec![requests, tokens],
    };
    let texts = limits.into_iter().flat_map(|Limit { limit, remaining, reset }| [limit, remaining, reset]);
    texts.map(|text| text.as_deref().map_or(JsValue::NULL, JsValue::from_str)).collect()
}

/// The entry of the table with this name; [`Code::Internal`] for any other text.
#[cfg(feature = "js")]
pub(super) fn code_of(name: &str) -> Code {
    Code::ALL.iter().copied().find(|code| code.name() == name).unwrap_or(Code::Internal)
}
