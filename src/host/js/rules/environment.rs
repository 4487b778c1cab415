//! Settings, all at once.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;

use super::super::error::thrown;
use crate::client::Configuration;
use crate::client::configuration::Problems;
use crate::wire::{Environment, Region};

/// What the settings come to: name and value of each that there is. Takes names and values in turn.
///
/// Throws `InvalidConfiguration`, with `problems`: name, kind and message of each in turn.
#[wasm_bindgen(
    js_name = readEnvironment,
    unchecked_return_type = "[name: string, value: string | number | boolean][]"
)]
pub fn read_environment(settings: Vec<String>) -> Result<Array, JsValue> {
    let (pairs, _) = settings.as_chunks::<2>();
    let environment: Environment = pairs.iter().map(|[name, value]| (name.as_str(), value.as_str())).collect();
    let found = Configuration::read(&environment).map_err(told)?;
    let [redis_url, redis_token] = match found.redis {
        Some(redis) => [Some(redis.url), Some(redis.token)],
        None => [None, None],
    };
    let entries: [(&str, JsValue); 10] = [
        ("QSTASH_URL", found.broker.base_url.into()),
        ("QSTASH_TOKEN", found.broker.token.into()),
        ("QSTASH_CURRENT_SIGNING_KEY", found.current_signing_key.into()),
        ("QSTASH_NEXT_SIGNING_KEY", found.next_signing_key.into()),
        ("QSTASH_REGION", found.broker.region.map(Region::name).into()),
        ("QSTASH_DEV", found.development.into()),
        ("QSTASH_DEV_PORT", found.development_port.into()),
        ("UPSTASH_WORKFLOW_URL", found.workflow_url.into()),
        ("UPSTASH_REDIS_REST_URL", redis_url.into()),
        ("UPSTASH_REDIS_REST_TOKEN", redis_token.into()),
    ];
    let entries = entries.into_iter().filter(|(_, value)| !value.is_undefined());
    Ok(entries.map(|(name, value)| [JsValue::from_str(name), value].into_iter().collect::<Array>()).collect())
}

fn told(problems: Problems) -> JsValue {
    let texts = problems.iter().flat_map(|problem| [problem.name.as_str(), problem.kind.name(), &problem.message]);
    let texts: Array = texts.map(JsValue::from_str).collect();
    let error = thrown(&problems.into());
    // Fails for frozen objects only.
    let _ = Reflect::set(&error, &"problems".into(), &texts);
    error
}
