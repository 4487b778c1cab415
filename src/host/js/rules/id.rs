//! Ids that nobody guesses.

use wasm_bindgen::prelude::*;

use super::super::error::thrown;
use super::super::text::{SystemEntropy, timestamp};
use crate::error::Result;
use crate::privacy::id;
use crate::wire::{Entropy, RunId};

/// A random UUID of version 4.
#[wasm_bindgen(js_name = uuidV4)]
pub fn uuid_v4() -> std::result::Result<String, JsValue> {
    drawn(|entropy| Ok(id::uuid_v4(entropy)))
}

/// A UUID of version 7, which begins with the moment `now`.
#[wasm_bindgen(js_name = uuidV7)]
pub fn uuid_v7(now: f64) -> std::result::Result<String, JsValue> {
    drawn(|entropy| Ok(id::uuid_v7(timestamp(now), entropy)))
}

/// `length` characters of `alphabet`, or of nanoid's if there is none.
#[wasm_bindgen(js_name = randomText)]
pub fn random_text(length: usize, alphabet: Option<String>) -> std::result::Result<String, JsValue> {
    drawn(|entropy| id::text(length, alphabet.as_deref().unwrap_or(id::URL_ALPHABET), entropy))
}

/// The id of a run: `wfr_` and random characters.
#[wasm_bindgen(js_name = runId)]
pub fn run_id() -> std::result::Result<String, JsValue> {
    drawn(|entropy| Ok(RunId::generate(entropy).as_str().to_owned()))
}

fn drawn(make: impl FnOnce(&mut dyn Entropy) -> Result<String>) -> std::result::Result<String, JsValue> {
    let mut entropy = SystemEntropy::default();
    let text = make(&mut entropy);
    entropy.check().and(text).map_err(|error| thrown(&error))
}
