//! The table of error codes.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::error::Code;

/// Every code with the HTTP status that a server answers with, and whether trying again can help.
#[wasm_bindgen(
    js_name = errorTable,
    unchecked_return_type = "[code: string, status: number, retryable: boolean][]"
)]
pub fn error_table() -> Array {
    let entry = |code: &Code| -> Array {
        let cells: [JsValue; 3] = [code.name().into(), code.status().into(), code.is_retryable().into()];
        cells.into_iter().collect()
    };
    Code::ALL.iter().map(entry).collect()
}
