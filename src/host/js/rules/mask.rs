//! Secrets in texts and names. Walking objects is JavaScript's part.

use wasm_bindgen::prelude::*;

use crate::privacy::mask;

/// The text with its secrets masked; `undefined` if there is none.
#[wasm_bindgen(js_name = maskText)]
pub fn mask_text(text: &str) -> Option<String> {
    mask::mask_text(text)
}

/// Whether what has this name is a secret.
#[wasm_bindgen(js_name = isSecretName)]
pub fn is_secret_name(name: &str) -> bool {
    mask::is_secret_name(name)
}

/// What stands for a secret.
#[wasm_bindgen]
pub fn masked() -> String {
    mask::MASKED.to_owned()
}
