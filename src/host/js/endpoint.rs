//! The settings of an endpoint, as the package hands them over.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::connection::ClientSettings;
use super::error::thrown;
use super::receiver::SigningSettings;
use crate::client::fields::Json;
use crate::client::options::flow_control;
use crate::error::{Code, Error, Result};
use crate::workflow;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/**
 * The settings of an `Endpoint`, as JSON. Without `signing` signatures are not checked; with it they are if it has keys,
 * and it has to have some if they are `required`.
 */
export interface EndpointSettings extends ClientSettings {
  signing?: (SigningSettings & { required?: boolean | undefined }) | undefined;
  url?: string | undefined;
  workflowBaseUrl?: string | undefined;
  clockTolerance?: number | undefined;
  checkSubject?: boolean | undefined;
  useJsonContent?: boolean | undefined;
  hasFailureFunction?: boolean | undefined;
  authorized?: boolean | undefined;
  failureUrl?: string | undefined;
  retries?: number | undefined;
  retryDelay?: string | undefined;
  flowControl?: object | undefined;
}
";

/// The settings of one workflow endpoint, checked once. Wrong ones are told in the answer to every request.
#[wasm_bindgen]
pub struct Endpoint(pub(super) Result<Arc<workflow::Endpoint>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(flatten)]
    client: ClientSettings,
    signing: Option<Signing>,
    url: Option<String>,
    workflow_base_url: Option<String>,
    clock_tolerance: Option<f64>,
    check_subject: Option<bool>,
    use_json_content: Option<bool>,
    has_failure_function: Option<bool>,
    authorized: Option<bool>,
    failure_url: Option<String>,
    retries: Option<u32>,
    retry_delay: Option<String>,
    flow_control: Option<Json>,
}

#[derive(Deserialize)]
struct Signing {
    #[serde(flatten)]
    settings: SigningSettings,
    #[serde(default)]
    required: bool,
}

#[wasm_bindgen]
impl Endpoint {
    /// An endpoint from `EndpointSettings` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Self {
        Self(read(settings).map(Arc::new))
    }

    /// The URL that the signature of a request to `url` must have been made for; `undefined` if any will do.
    pub fn subject(&self, url: &str) -> Result<Option<String>, JsValue> {
        let subject = self.0.clone().and_then(|endpoint| endpoint.subject(url));
        subject.map_err(|error| thrown(&error))
    }
}

fn read(settings: &str) -> Result<workflow::Endpoint> {
    let settings: Settings = serde_json::from_str(settings)
        .map_err(|error| Error::new(Code::InvalidConfiguration, format!("the settings of the endpoint: {error}")))?;
    let mut endpoint = workflow::Endpoint::new(settings.client.read()?);
    if let Some(Signing { settings, required }) = settings.signing {
        let keys = if required { Some(settings.read_required()?) } else { settings.read()? };
        if let Some(keys) = keys {
            endpoint = endpoint.keys(keys);
        }
    }
    if let Some(url) = settings.url {
        endpoint = endpoint.url(url);
    }
    if let Some(base_url) = settings.workflow_base_url {
        endpoint = endpoint.base_url(base_url);
    }
    if let Some(seconds) = settings.clock_tolerance {
        endpoint = endpoint.clock_tolerance(tolerance(seconds)?);
    }
    if let Some(check) = settings.check_subject {
        endpoint = endpoint.check_subject(check);
    }
    Ok(endpoint
        .has_failure_function(settings.has_failure_function.unwrap_or(false))
        .json_content(settings.use_json_content.unwrap_or(false))
        .authorized(settings.authorized.unwrap_or(false))
        .failure_url(settings.failure_url)
        .retries(settings.retries)
        .retry_delay(settings.retry_delay)
        .flow_control(settings.flow_control.map(Json::fields).transpose()?.map(flow_control).transpose()?))
}

/// [`Code::InvalidConfiguration`] for a negative or endless tolerance.
pub(super) fn tolerance(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        Error::new(Code::InvalidConfiguration, "the clock tolerance must be a number of seconds, 0 or more")
    })
}
