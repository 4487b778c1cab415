//! What steps give to a workflow written in Rust.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Request, base64};
use crate::workflow::failure::Failure;

/// What a third party answered to [`Context::call`](crate::workflow::Context::call).
#[derive(Debug)]
pub struct CallResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    name: String,
    body: Option<Box<RawValue>>,
}

impl CallResponse {
    pub(crate) fn read(name: &str, text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Told {
            #[serde(default)]
            status: u16,
            #[serde(default)]
            header: Option<serde_json::Map<String, serde_json::Value>>,
            #[serde(default)]
            body: Option<Box<RawValue>>,
        }
        let Told { status, header, body } = read(name, text)?;
        Ok(Self { status, headers: headers_of(header.unwrap_or_default()), name: name.to_owned(), body })
    }

    /// The answer, if its status is 2xx. Otherwise a failure that is not tried again: it is remembered.
    pub fn expect_success(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let message = format!("call '{}' was answered with status {}, expected 2xx", self.name, self.status);
        Err(Failure { name: "WorkflowCallError".to_owned(), ..Failure::non_retryable(message) })
    }

    /// The body, read as JSON. A textual body that is not JSON can be read as a `String`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body = self.body.as_deref().map_or("null", RawValue::get);
        read(&self.name, body).map_err(|error| Failure::of(&error))
    }

    /// The body as text: as it came if it is textual, else one character per byte.
    pub fn text(&self) -> String {
        match self.body.as_deref().map(RawValue::get) {
            Some(body) => serde_json::from_str(body).unwrap_or_else(|_| body.to_owned()),
            None => String::new(),
        }
    }

    /// The bytes of a body whose content type is not textual.
    pub fn bytes(&self) -> Vec<u8> {
        self.text().chars().map(|c| u32::from(c).to_le_bytes()[0]).collect()
    }
}

/// How an invoked run ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: DeserializeOwned")]
pub struct Invoked<T> {
    /// What the run returned; `None` if it did not come to that.
    #[serde(default = "Option::default")]
    pub body: Option<T>,
    /// Whether it failed.
    #[serde(default)]
    pub is_failed: bool,
    /// Whether it was cancelled.
    #[serde(default)]
    pub is_canceled: bool,
}

/// A public URL whose next caller is an event of this run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The URL to hand out. Whoever knows it can call it.
    pub webhook_url: String,
    /// The event that a call is.
    pub event_id: String,
}

/// The data of an event; `None` if the wait timed out.
pub(crate) fn event<T: DeserializeOwned>(name: &str, text: &str) -> Result<Option<T>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        #[serde(default)]
        event_data: Option<Box<RawValue>>,
        timeout: bool,
    }
    let Told { event_data, timeout } = read(name, text)?;
    if timeout {
        return Ok(None);
    }
    read(name, event_data.as_deref().map_or("null", RawValue::get)).map(Some)
}

/// The request that came to a webhook; `None` if the wait timed out.
pub(crate) fn webhook_request(name: &str, text: &str) -> Result<Option<Request>> {
    #[derive(Deserialize)]
    struct Told {
        webhook: Option<Called>,
    }
    #[derive(Deserialize)]
    struct Called {
        method: String,
        #[serde(default)]
        header: serde_json::Map<String, serde_json::Value>,
        #[serde(default)]
        body: Option<String>,
        proto: String,
        host: String,
        url: String,
    }
    let Told { webhook } = read(name, text)?;
    let Some(called) = webhook else { return Ok(None) };
    let body = base64::decode(called.body.unwrap_or_default())
        .ok_or_else(|| Error::new(Code::HistoryMalformed, format!("the body of webhook '{name}' is not base64")))?;
    let url = format!("{}://{}{}", called.proto, called.host, called.url);
    let method = Method::parse(&called.method.to_ascii_uppercase())?;
    Ok(Some(Request { method, url, headers: headers_of(called.header), body }))
}

/// Reads a remembered result. [`Code::ResultMismatch`] if it has another shape.
pub(crate) fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(
            Code::ResultMismatch,
            format!("the remembered result of step '{name}' has another shape than the workflow expects: {error}"),
        )
    })
}

fn headers_of(object: serde_json::Map<String, serde_json::Value>) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in object {
        match value {
            serde_json::Value::String(value) => headers.append(name, value),
            serde_json::Value::Array(values) => {
                for value in values.iter().filter_map(serde_json::Value::as_str) {
                    headers.append(name.as_str(), value);
                }
            }
            _ => {}
        }
    }
    headers
}
