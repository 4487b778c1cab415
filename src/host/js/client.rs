//! Requests to the broker, from options as JSON. The package sends them.

use wasm_bindgen::prelude::*;

use super::connection::ClientSettings;
use super::duty::request_tuple;
use super::error::thrown;
use super::text::SystemEntropy;
use crate::client::fields::{Fields, Json};
use crate::client::options::{flow_control, redact};
use crate::client::{self, Trigger};
use crate::error::{Code, Error, Result};
use crate::wire::RunId;

/// Makes requests to one broker.
#[wasm_bindgen]
pub struct Client(client::Client);

#[wasm_bindgen]
impl Client {
    /// A client from `ClientSettings` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Result<Client, JsValue> {
        let settings = Fields::read(settings).and_then(|mut settings| ClientSettings::take(&mut settings));
        let client = settings.and_then(|settings| settings.read());
        client.map(Self).map_err(|error| thrown(&error))
    }

    /// The request for one of the operations in `src/client/operation.rs`. `options` are JSON; the body of a message that
    /// does not travel in a batch is for the package to add.
    #[wasm_bindgen(unchecked_return_type = "RequestTuple")]
    pub fn request(&self, operation: &str, options: &str) -> Result<JsValue, JsValue> {
        let request = self.0.operation(operation, options);
        request.map(|request| request_tuple(&request).into()).map_err(|error| thrown(&error))
    }

    /// The request that starts runs, followed by their ids.
    #[wasm_bindgen(unchecked_return_type = "[request: RequestTuple, ...runIds: string[]]")]
    pub fn trigger(&self, runs: &str) -> Result<JsValue, JsValue> {
        let triggers = Json::read(runs).and_then(Json::list).and_then(|runs| {
            let mut entropy = SystemEntropy::default();
            let triggers =
                runs.into_iter().map(|options| trigger(options, &mut entropy)).collect::<Result<Vec<_>>>()?;
            entropy.check()?;
            let run_ids: Vec<_> = triggers.iter().map(|trigger| trigger.run_id.clone()).collect();
            Ok((self.0.trigger(triggers)?, run_ids))
        });
        let (request, run_ids) = triggers.map_err(|error| thrown(&error))?;
        let tuple = js_sys::Array::of1(&request_tuple(&request));
        for run_id in run_ids {
            tuple.push(&run_id.as_str().into());
        }
        Ok(tuple.into())
    }
}

/// A run's start, from the official SDK's options.
fn trigger(mut options: Fields, entropy: &mut SystemEntropy) -> Result<Trigger> {
    let url = options.required("url")?;
    let run_id = match options.text("workflowRunId")? {
        Some(id) => RunId::new(format!("{}{id}", RunId::PREFIX)),
        None => None,
    };
    let mut trigger = Trigger::new(&url, run_id.unwrap_or_else(|| RunId::generate(entropy)));
    trigger.body = options.text("body")?;
    trigger.headers = options.pairs("headers")?;
    trigger.retries = options.count("retries")?;
    trigger.retry_delay = options.text("retryDelay")?;
    trigger.delay = options.duration("delay")?;
    trigger.not_before = options.moment("notBefore")?;
    trigger.labels = match options.texts("label")? {
        Some(labels) if labels.is_empty() => {
            return Err(Error::new(Code::InvalidRequest, "the option label must not be an empty array"));
        }
        labels => labels.unwrap_or_default(),
    };
    trigger.redact = options.object("redact")?.map(redact).transpose()?.unwrap_or_default();
    trigger.flow_control = options.object("flowControl")?.map(flow_control).transpose()?;
    // A workflow's endpoint hears of its own failures unless somebody else shall.
    trigger.failure_url = Some(options.text("failureUrl")?.unwrap_or(url));
    // There is none: accepted for callers of the official SDK.
    options.take("disableTelemetry");
    options.end()?;
    Ok(trigger)
}
