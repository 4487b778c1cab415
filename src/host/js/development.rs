//! The broker on this machine, for development.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::connection::environment;
use super::error::thrown;
use crate::client::fields::Fields;
use crate::error::Result;
use crate::wire::development::{CURRENT_SIGNING_KEY, NEXT_SIGNING_KEY, TOKEN, url};

/// Where the broker of development is, and what it is known by: address, token, current and next signing key.
/// `undefined` if development mode is off. Takes `devMode` and `environment` of `ClientSettings` as JSON; throws if the
/// mode can't be on.
#[wasm_bindgen(
    js_name = developmentServer,
    unchecked_return_type = "[url: string, token: string, currentSigningKey: string, nextSigningKey: string] | undefined"
)]
pub fn development_server(settings: &str) -> std::result::Result<JsValue, JsValue> {
    let found = found(settings).map_err(|error| thrown(&error))?;
    let texts = |url: String| [url.as_str(), TOKEN, CURRENT_SIGNING_KEY, NEXT_SIGNING_KEY].map(JsValue::from_str);
    Ok(found.map_or(JsValue::UNDEFINED, |url| texts(url).into_iter().collect::<Array>().into()))
}

fn found(settings: &str) -> Result<Option<String>> {
    let mut settings = Fields::read(settings)?;
    let explicit = settings.choice("devMode")?;
    let environment = environment(&mut settings)?;
    Ok(environment.is_development(explicit)?.then(|| url(&environment)))
}
