//! The settings of one workflow endpoint, checked once.

use std::time::Duration;

use crate::client::{Client, FlowControl};
use crate::error::{Code, Error, Result};
use crate::signature::KeyRing;
use crate::wire::duration::shown;
use crate::wire::url::is_http;

/// What an endpoint needs to serve a workflow.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Switches that have nothing to do with each other.
pub struct Endpoint {
    pub(crate) client: Client,
    pub(crate) keys: Option<KeyRing>,
    pub(crate) url: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) clock_tolerance: Duration,
    pub(crate) check_subject: bool,
    pub(crate) has_failure_function: bool,
    pub(crate) json_content: bool,
    pub(crate) authorized: bool,
    pub(crate) observed: bool,
    pub(crate) failure_url: Option<String>,
    pub(crate) retries: Option<u32>,
    pub(crate) retry_delay: Option<String>,
    pub(crate) flow_control: Option<FlowControl>,
}

/// Clocks of serverless hosts run apart by about this much.
pub(crate) const DEFAULT_CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

impl Endpoint {
    /// An endpoint that submits its steps through `client` and accepts unsigned deliveries.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            keys: None,
            url: None,
            base_url: None,
            clock_tolerance: DEFAULT_CLOCK_TOLERANCE,
            check_subject: true,
            has_failure_function: false,
            json_content: false,
            authorized: false,
            observed: false,
            failure_url: None,
            retries: None,
            retry_delay: None,
            flow_control: None,
        }
    }

    /// Accepts only deliveries signed with one of `keys`: one [`Keys`](crate::signature::Keys), or a ring with those of
    /// several regions.
    #[must_use]
    pub fn keys(mut self, keys: impl Into<KeyRing>) -> Self {
        self.keys = Some(keys.into());
        self
    }

    /// The endpoint's public URL, when it differs from the URL of the requests that arrive.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Scheme and authority that replace those of the URL, for endpoints behind a tunnel or proxy.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// How far the broker's clock may be off.
    #[must_use]
    pub fn clock_tolerance(mut self, tolerance: Duration) -> Self {
        self.clock_tolerance = tolerance;
        self
    }

    /// Whether a signature must have been made for this endpoint's URL. On by default.
    #[must_use]
    pub fn check_subject(mut self, check: bool) -> Self {
        self.check_subject = check;
        self
    }

    /// Whether the host has a function to call when a run fails.
    #[must_use]
    pub fn has_failure_function(mut self, has: bool) -> Self {
        self.has_failure_function = has;
        self
    }

    /// Whether the payload of a run that is started by calling the endpoint is JSON, whatever the call's `Content-Type` says.
    #[must_use]
    pub fn json_content(mut self, json: bool) -> Self {
        self.json_content = json;
        self
    }

    /// Whether the host asks on its own who may start and resume runs. Then a workflow may return before its first step,
    /// or have none; without it, that refuses the request, as with the official SDK.
    #[must_use]
    pub fn authorized(mut self, authorized: bool) -> Self {
        self.authorized = authorized;
        self
    }

    /// Whether the host takes notes of what happens: [`Invocation::take_notes`](crate::workflow::Invocation::take_notes).
    #[must_use]
    pub fn observed(mut self, observed: bool) -> Self {
        self.observed = observed;
        self
    }

    /// Who is told when a run fails that was started by calling the endpoint. Nobody if `None`.
    #[must_use]
    pub fn failure_url(mut self, url: Option<String>) -> Self {
        self.failure_url = url;
        self
    }

    /// How many tries of a delivery may follow the first, in runs that are started by calling the endpoint.
    ///
    /// It also says how often a failure outside of steps is tried again before compensations run; without it, they run at
    /// once. Runs that are triggered with fewer retries would end uncompensated.
    #[must_use]
    pub fn retries(mut self, retries: Option<u32>) -> Self {
        self.retries = retries;
        self
    }

    /// An expression for the delay before a retry, in runs that are started by calling the endpoint.
    #[must_use]
    pub fn retry_delay(mut self, expression: Option<String>) -> Self {
        self.retry_delay = expression;
        self
    }

    /// Limits for the deliveries of runs that are started by calling the endpoint.
    #[must_use]
    pub fn flow_control(mut self, flow_control: Option<FlowControl>) -> Self {
        self.flow_control = flow_control;
        self
    }

    /// The URL that a signature must have been made for, given the URL of the request; `None` if any will do.
    ///
    /// [`Code::InvalidConfiguration`] as for the URL of a workflow.
    pub fn subject(&self, request_url: &str) -> Result<Option<String>> {
        if self.check_subject { self.workflow_url(request_url).map(Some) } else { Ok(None) }
    }

    /// The URL that steps are submitted for, given the URL of the request.
    ///
    /// [`Code::InvalidConfiguration`] unless it starts with `http://` or `https://`.
    pub(crate) fn workflow_url(&self, request_url: &str) -> Result<String> {
        let initial = self.url.as_deref().unwrap_or(request_url);
        let url = match (&self.base_url, path_of(initial)) {
            (Some(base), Some(path)) => format!("{base}{path}"),
            _ => initial.to_owned(),
        };
        if is_http(&url) {
            return Ok(url);
        }
        Err(Error::new(
            Code::InvalidConfiguration,
            format!("the workflow's URL must start with http:// or https://, got '{}'", shown(&url)),
        ))
    }
}

/// What follows scheme and authority; `None` if `url` has none.
fn path_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    if rest.is_empty() || rest.starts_with('/') {
        return None;
    }
    Some(rest.find('/').map_or("", |slash| &rest[slash..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_replaces_scheme_and_authority() {
        let endpoint = Endpoint::new(Client::new("http://127.0.0.1:8080", "t").unwrap());
        assert_eq!(endpoint.workflow_url("http://a.test/b?c").unwrap(), "http://a.test/b?c");
        let endpoint = endpoint.base_url("https://tunnel.test");
        assert_eq!(endpoint.workflow_url("http://a.test/b?c").unwrap(), "https://tunnel.test/b?c");
        assert_eq!(endpoint.workflow_url("http://a.test").unwrap(), "https://tunnel.test");
        assert_eq!(endpoint.workflow_url("ftp://a.test").map_err(|e| e.code()), Err(Code::InvalidConfiguration));
    }
}
