//! What a delivery says about itself, before its body is looked at.

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Entropy, Headers, Request, RunId, header};

/// One request from the broker, or from a client that starts a run by calling the endpoint itself.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The run; a fresh id on a first invocation.
    pub run_id: RunId,
    /// The URL that the run's steps are submitted for.
    pub url: String,
    /// The caller's headers, without those of the wire and of platforms on the way.
    pub headers: Headers,
    /// The run's labels, joined by commas.
    pub label: Option<String>,
    /// How many tries of this delivery came before.
    pub retried: u32,
    /// How deep the run is nested by `invoke`.
    pub invoke_count: u32,
    /// When the run was created; Unix milliseconds.
    pub created_at: Option<u64>,
    pub(crate) message_id: Option<String>,
    pub(crate) kind: DeliveryKind,
    /// The headers of the wire, where the body alone does not say what a callback is about.
    pub(crate) wire_headers: Headers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryKind {
    /// A request that starts a run.
    First,
    /// The broker started the run and asks the SDK to submit the first message.
    FirstOfUnknownSdk,
    /// A run goes on.
    Resume,
    /// A third party has answered a call.
    Callback,
    /// A run failed.
    Failure,
}

impl Delivery {
    /// Reads the headers. The order of the checks is the official SDK's.
    ///
    /// [`Code::ProtocolVersion`] or [`Code::RunIdMissing`] if it can't be told what is asked.
    pub(crate) fn read(request: &Request, url: String, entropy: &mut dyn Entropy) -> Result<Self> {
        let headers = &request.headers;
        let run_id = |kind: &str| {
            headers.get(header::WORKFLOW_RUN_ID).and_then(RunId::new).ok_or_else(|| {
                Error::new(Code::RunIdMissing, format!("expected header {} on {kind}", header::WORKFLOW_RUN_ID))
            })
        };
        let (kind, run_id) = if headers.contains(header::WORKFLOW_UNKNOWN_SDK) {
            (DeliveryKind::FirstOfUnknownSdk, run_id("a run that the broker started")?)
        } else if headers.contains(header::WORKFLOW_FAILURE_CALLBACK)
            || headers.get(header::WORKFLOW_IS_FAILURE) == Some("true")
        {
            (DeliveryKind::Failure, run_id("a failure callback")?)
        } else if headers.contains(header::WORKFLOW_CALLBACK) {
            (DeliveryKind::Callback, run_id("the callback of a call")?)
        } else {
            match headers.get(header::WORKFLOW_SDK_VERSION) {
                None => (DeliveryKind::First, RunId::generate(entropy)),
                Some(header::PROTOCOL_VERSION) => (DeliveryKind::Resume, run_id("the delivery of a step")?),
                Some(other) => {
                    return Err(Error::new(
                        Code::ProtocolVersion,
                        format!(
                            "expected version {} of the workflow protocol in header {}, got '{}'",
                            header::PROTOCOL_VERSION,
                            header::WORKFLOW_SDK_VERSION,
                            shown(other)
                        ),
                    ));
                }
            }
        };
        let number = |name| headers.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Self {
            run_id,
            url,
            headers: user_headers(headers),
            label: headers.get(header::LABEL).map(str::to_owned),
            retried: number(header::RETRIED),
            invoke_count: number(header::WORKFLOW_INVOKE_COUNT),
            created_at: headers.get(header::WORKFLOW_CREATED_AT).and_then(|text| text.parse().ok()),
            message_id: headers.get(header::MESSAGE_ID).map(str::to_owned),
            kind,
            wire_headers: if kind == DeliveryKind::Callback { headers.clone() } else { Headers::new() },
        })
    }

    /// Whether the function runs only up to its first step, which is then left to the next invocation.
    pub(crate) fn is_first(&self) -> bool {
        matches!(self.kind, DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk)
    }
}

/// Prefixes of headers that the wire or a platform on the way has added.
const FOREIGN_PREFIXES: [&str; 3] = ["upstash-workflow-", "x-vercel-", "x-forwarded-"];
/// Headers that the wire or a platform on the way has added.
const FOREIGN: [&str; 6] =
    ["upstash-region", "cf-connecting-ip", "cdn-loop", "cf-ew-via", "cf-ray", "render-proxy-ttl"];

fn user_headers(headers: &Headers) -> Headers {
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.to_ascii_lowercase();
            !FOREIGN.contains(&name.as_str()) && !FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect()
}
