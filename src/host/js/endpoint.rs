//! The settings of an endpoint, as the package hands them over.

use std::sync::Arc;
use std::time::Duration;

use wasm_bindgen::prelude::*;

use super::connection::ClientSettings;
use super::error::thrown;
use super::receiver::{SigningSettings, misconfigured};
use crate::client::fields::Fields;
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
  observed?: boolean | undefined;
  failureUrl?: string | undefined;
  retries?: number | undefined;
  retryDelay?: string | undefined;
  flowControl?: object | undefined;
}
";

/// The settings of one workflow endpoint, checked once. Wrong ones are told in the answer to every request.
#[wasm_bindgen]
pub struct Endpoint(pub(super) Result<Arc<workflow::Endpoint>>);

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
    let mistaken = |error: Error| misconfigured("endpoint", &error);
    let mut settings = Fields::read(settings).map_err(mistaken)?;
    let client = ClientSettings::take(&mut settings).map_err(mistaken)?;
    let mut endpoint = workflow::Endpoint::new(client.read()?);
    if let Some(mut signing) = settings.object("signing").map_err(mistaken)? {
        let required = signing.flag("required").map_err(mistaken)?;
        let signing = SigningSettings::take(&mut signing).map_err(mistaken)?;
        let keys = if required { Some(signing.read_required()?) } else { signing.read()? };
        if let Some(keys) = keys {
            endpoint = endpoint.keys(keys);
        }
    }
    let tolerance = settings.number("clockTolerance").map_err(mistaken)?.map(tolerance).transpose()?;
    configured(endpoint, &mut settings, tolerance).map_err(mistaken)
}

fn configured(
    mut endpoint: workflow::Endpoint,
    settings: &mut Fields,
    tolerance: Option<Duration>,
) -> Result<workflow::Endpoint> {
    if let Some(url) = settings.text("url")? {
        endpoint = endpoint.url(url);
    }
    if let Some(base_url) = settings.text("workflowBaseUrl")? {
        endpoint = endpoint.base_url(base_url);
    }
    if let Some(tolerance) = tolerance {
        endpoint = endpoint.clock_tolerance(tolerance);
    }
    if let Some(check) = settings.choice("checkSubject")? {
        endpoint = endpoint.check_subject(check);
    }
    Ok(endpoint
        .has_failure_function(settings.flag("hasFailureFunction")?)
        .json_content(settings.flag("useJsonContent")?)
        .authorized(settings.flag("authorized")?)
        .observed(settings.flag("observed")?)
        .failure_url(settings.text("failureUrl")?)
        .retries(settings.count("retries")?)
        .retry_delay(settings.text("retryDelay")?)
        .flow_control(settings.object("flowControl")?.map(flow_control).transpose()?))
}

/// [`Code::InvalidConfiguration`] for a negative or endless tolerance.
pub(super) fn tolerance(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        Error::new(Code::InvalidConfiguration, "the clock tolerance must be a number of seconds, 0 or more")
    })
}
