//! Errors cross as real `Error` objects with `code` and `retryable`.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use crate::error::{Code, Error};

pub(super) fn thrown(error: &Error) -> JsValue {
    let value = js_sys::Error::new(error.message());
    for (name, property) in [
        ("code", JsValue::from_str(error.code().name())),
        ("retryable", JsValue::from_bool(error.code().is_retryable())),
    ] {
        // Fails for frozen objects only.
        let _ = Reflect::set(&value, &name.into(), &property);
    }
    value.into()
}

/// The entry of the table with this name; [`Code::Internal`] for any other text.
pub(super) fn code_of(name: &str) -> Code {
    Code::ALL.iter().copied().find(|code| code.name() == name).unwrap_or(Code::Internal)
}
