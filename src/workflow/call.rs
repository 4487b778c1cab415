//! `context.call`: the broker makes an HTTP request, and brings the answer back as a callback.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::client::{FlowControl, Message, engine_headers};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, RunId, Step, StepType, base64, header};
use crate::workflow::delivery::Delivery;
use crate::workflow::now;
use crate::workflow::step::not_json;

/// A request that the broker makes for the workflow, while nothing of the workflow is running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Where the request goes.
    pub url: String,
    /// The method. GET unless said otherwise.
    pub method: Method,
    /// The body. Bytes that are not UTF-8 text travel in a request of their own.
    pub body: Option<Vec<u8>>,
    /// The headers.
    pub headers: Headers,
    /// How many tries may follow the first.
    pub retries: u32,
    /// An expression that gives the delay before a retry in milliseconds.
    pub retry_delay: Option<String>,
    /// How long one try may take: seconds, or a duration.
    pub timeout: Option<String>,
    /// Limits shared by all requests of a key.
    pub flow_control: Option<FlowControl>,
}

impl Call {
    /// A GET of `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: Method::Get,
            body: None,
            headers: Headers::new(),
            retries: 0,
            retry_delay: None,
            timeout: None,
            flow_control: None,
        }
    }

    /// The message to the third party, with everything by which its answer finds back.
    pub(crate) fn message(
        &self,
        name: &str,
        step_id: u32,
        concurrent: u32,
        delivery: &Delivery,
        told: &[(u32, u64)],
    ) -> Message {
        let mut headers = Headers::new();
        engine_headers(&mut headers, &delivery.run_id, &delivery.url, false, delivery.invoke_count);
        headers.remove(&format!("{}{}", header::FORWARD_PREFIX, header::WORKFLOW_SDK_VERSION));
        headers.set(header::FEATURE_SET, header::CALL_FEATURES);
        headers.set(header::WORKFLOW_CALL_TYPE, "toCallback");
        let content_type = self.headers.get(header::CONTENT_TYPE).unwrap_or("application/json");
        headers.set(header::CONTENT_TYPE, content_type);
        if let Some(timeout) = &self.timeout {
            headers.set(header::TIMEOUT, timeout);
        }
        for (name, value) in self.headers.iter() {
            headers.set(format!("{}{name}", header::FORWARD_PREFIX), value);
        }
        let prefix = header::CALLBACK_PREFIX;
        let mut callback = |name: &str, value: &str| headers.set(format!("{prefix}{name}"), value);
        callback("Workflow-RunId", delivery.run_id.as_str());
        callback("Workflow-CallType", "fromCallback");
        callback("Workflow-Init", "false");
        callback("Workflow-Url", &delivery.url);
        callback("Feature-Set", header::STEP_FEATURES);
        let mut forward = |name: &str, value: &str| callback(&format!("Forward-{name}"), value);
        forward(header::WORKFLOW_CALLBACK, "true");
        forward(header::WORKFLOW_STEP_ID, &step_id.to_string());
        forward(header::WORKFLOW_STEP_NAME, name);
        forward(header::WORKFLOW_STEP_TYPE, StepType::Call.as_str());
        forward(header::WORKFLOW_CONCURRENT, &concurrent.to_string());
        forward(header::WORKFLOW_CONTENT_TYPE, content_type);
        if delivery.invoke_count != 0 {
            forward(header::WORKFLOW_INVOKE_COUNT, &delivery.invoke_count.to_string());
        }
        if !told.is_empty() {
            forward(header::WORKFLOW_NOW, &now::write(told));
        }
        Message {
            destination: self.url.clone(),
            body: self.body.clone(),
            headers,
            method: Some(self.method),
            retries: Some(self.retries),
            retry_delay: self.retry_delay.clone().filter(|expression| !expression.is_empty()),
            callback: Some(delivery.url.clone()),
            flow_control: self.flow_control.clone(),
            ..Message::default()
        }
    }
}

/// What a third party answered to a `context.call`, as its callback tells.
#[derive(Debug)]
pub(crate) enum Callback {
    /// It failed, and the broker tries again.
    WillRetry { status: String, retried: String, max_retries: u64 },
    /// The result of the step.
    Done { run_id: RunId, step: Box<Step> },
}

impl Callback {
    /// Reads a callback: its headers say which step asked, its body what came.
    ///
    /// [`Code::HistoryMalformed`] names what is missing.
    pub fn read(headers: &Headers, body: &[u8]) -> Result<Self> {
        let answer: Answer<'_> = serde_json::from_slice(body)
            .map_err(|error| malformed(&format!("the body is not that of a callback: {error}")))?;
        let succeeded =
            answer.status.as_ref().is_some_and(|status| (200.0..300.0).contains(&status.as_f64().unwrap_or(0.0)));
        let retries = answer.max_retries.unwrap_or(0);
        if !succeeded && retries != 0 && answer.retried != Some(retries) {
            let told = |number: Option<String>| number.unwrap_or_else(|| "undefined".to_owned());
            let status = told(answer.status.map(|status| status.to_string()));
            let tried = told(answer.retried.map(|retried| retried.to_string()));
            return Ok(Self::WillRetry { status, retried: tried, max_retries: retries });
        }
        let field = |name: &str| headers.get(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(name));
        let number = |name: &str| {
            field(name)?
                .parse::<u32>()
                .map_err(|_| malformed(&format!("header {name} of the callback is not a number")))
        };
        let run_id = RunId::new(field(header::WORKFLOW_RUN_ID)?).ok_or_else(|| missing(header::WORKFLOW_RUN_ID))?;
        let (step_id, concurrent) = (number(header::WORKFLOW_STEP_ID)?, number(header::WORKFLOW_CONCURRENT)?);
        let step_name = field(header::WORKFLOW_STEP_NAME)?.to_owned();
        let step_type = serde_json::from_value(field(header::WORKFLOW_STEP_TYPE)?.into())
            .map_err(|_| malformed(&format!("header {} names no type of step", header::WORKFLOW_STEP_TYPE)))?;
        field(header::WORKFLOW_CONTENT_TYPE)?;
        let now = headers.get(header::WORKFLOW_NOW).map(now::read).unwrap_or_default();
        let out = serde_json::value::to_raw_value(&answer.out()?).map_err(not_json)?;
        let step = Step {
            step_id,
            step_name,
            step_type,
            out: Some(out),
            sleep_for: None,
            sleep_until: None,
            wait_event_id: None,
            timeout: None,
            concurrent,
            target_step: None,
            wait_timeout: None,
            now,
        };
        Ok(Self::Done { run_id, step: Box::new(step) })
    }
}

/// The members of a callback's body that count here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status: Option<serde_json::Number>,
    #[serde(default)]
    body: Option<String>,
    #[serde(borrow, default)]
    header: Option<Pairs<'a>>,
    #[serde(default)]
    max_retries: Option<u64>,
    #[serde(default)]
    retried: Option<u64>,
}

impl Answer<'_> {
    /// The result of the step as JSON text. The body's bytes become characters, one each, as `atob` gives them.
    fn out(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Out<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<&'a serde_json::Number>,
            body: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            header: Option<&'a Pairs<'a>>,
        }
        let bytes = base64::decode(self.body.as_deref().unwrap_or_default())
            .ok_or_else(|| malformed("field 'body' of the callback is not standard base64"))?;
        let body = bytes.into_iter().map(char::from).collect();
        serde_json::to_string(&Out { status: self.status.as_ref(), body, header: self.header.as_ref() })
            .map_err(not_json)
    }
}

/// The result of a call for the workflow: `{"status", "header", "body"}`. A textual body is read as UTF-8, and as JSON
/// if it is JSON; any other stays a text of one character per byte.
pub(crate) fn result(out: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Out<'a> {
        #[serde(borrow, default)]
        status: Option<&'a RawValue>,
        #[serde(borrow, default)]
        header: Option<&'a RawValue>,
        #[serde(default)]
        body: Option<serde_json::Value>,
    }
    let Out { status, header, body } = serde_json::from_str(out)
        .map_err(|error| malformed(&format!("the remembered answer of a call can't be read: {error}")))?;
    let is_text = header
        .and_then(|header| serde_json::from_str::<Pairs<'_>>(header.get()).ok())
        .and_then(|header| header.text("content-type"))
        .is_some_and(|content_type| is_text(&content_type));
    let body = match body {
        Some(serde_json::Value::String(body)) if is_text => Some(parsed(&decoded(&body))?),
        Some(body) => Some(serde_json::value::to_raw_value(&body).map_err(not_json)?),
        None => None,
    };
    // The order of the members is the official SDK's.
    let (status, header) = (("status", status), ("header", header));
    let (first, second) = if is_text { (status, header) } else { (header, status) };
    serde_json::to_string(&Told([first, second, ("body", body.as_deref())])).map_err(not_json)
}

/// An object of those members that there are.
struct Told<'a>([(&'static str, Option<&'a RawValue>); 3]);

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter_map(|(name, value)| Some((name, (*value)?))))
    }
}

/// A text as the JSON that it is, or as a JSON string.
pub(crate) fn parsed(text: &str) -> Result<Box<RawValue>> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => Ok(json.to_owned()),
        Err(_) => serde_json::value::to_raw_value(text).map_err(not_json),
    }
}

/// A text of one character per byte, read as UTF-8.
fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = text.chars().map(|c| u32::from(c).to_le_bytes()[0]).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_text(content_type: &str) -> bool {
    const TEXTUAL: [&str; 8] = [
        "application/json",
        "application/xml",
        "application/javascript",
        "application/x-www-form-urlencoded",
        "application/xhtml+xml",
        "application/ld+json",
        "application/rss+xml",
        "application/atom+xml",
    ];
    content_type.starts_with("text/") || TEXTUAL.iter().any(|part| content_type.contains(part))
}

/// A JSON object whose members keep their order.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl Pairs<'_> {
    /// The value of a header: a text, or an array of texts that is joined.
    fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        match serde_json::from_str(value.get()).ok()? {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Array(texts) => {
                Some(texts.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(","))
            }
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Self)
    }
}

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            // Read and written again, as JavaScript would: without blanks, without needless escapes.
            let value: serde_json::Value = serde_json::from_str(value.get()).map_err(serde::ser::Error::custom)?;
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

fn missing(name: &str) -> Error {
    malformed(&format!("expected header {name} on the callback of a call"))
}

fn malformed(message: &str) -> Error {
    Error::new(Code::HistoryMalformed, printable(message))
}

/// Foreign text inside, so no control characters.
fn printable(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(header: &str, body: &str) -> serde_json::Value {
        let out = serde_json::json!({"status": 200, "header": {"Content-Type": [header]}, "body": body});
        serde_json::from_str(&result(&out.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn a_textual_body_is_read_and_any_other_kept() {
        for (content_type, body, expected) in [
            ("application/json", r#"{"a":1}"#, serde_json::json!({"a": 1})),
            ("application/json; charset=utf-8", "not json", "not json".into()),
            ("text/plain", "123", 123.into()),
            ("text/plain", "\u{c3}\u{a9}", "é".into()),
            ("image/png", "123", "123".into()),
            ("application/octet-stream", "\u{c3}\u{a9}", "\u{c3}\u{a9}".into()),
        ] {
            assert_eq!(told(content_type, body)["body"], expected, "{content_type} {body}");
        }
    }

    #[test]
    fn a_callback_that_will_come_again_is_told_apart() {
        let headers = Headers::new();
        for (body, again) in [
            (r#"{"status":500,"maxRetries":3,"retried":1}"#, true),
            (r#"{"status":500,"maxRetries":3}"#, true),
            (r#"{"status":500,"maxRetries":3,"retried":3}"#, false),
            (r#"{"status":500}"#, false),
            (r#"{"status":200,"maxRetries":3}"#, false),
        ] {
            let read = Callback::read(&headers, body.as_bytes());
            assert_eq!(matches!(read, Ok(Callback::WillRetry { .. })), again, "{body}");
            assert_eq!(read.is_err(), !again, "without headers the step is unknown: {body}");
        }
    }

    #[test]
    fn bytes_become_characters() {
        let answer: Answer<'_> =
            serde_json::from_str(r#"{"status":200,"body":"w6kA","header":{"b":["1"],"a":["\u003c"]}}"#).unwrap();
        assert_eq!(
            answer.out().unwrap(),
            "{\"status\":200,\"body\":\"Ã©\\u0000\",\"header\":{\"b\":[\"1\"],\"a\":[\"<\"]}}"
        );
    }
}
