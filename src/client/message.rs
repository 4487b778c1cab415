//! `POST /v2/publish`: one message, with everything that can be asked for it.

use crate::client::query::{check_id, push_segment};
use crate::client::{BatchItem, Client, FlowControl};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Method, Request, header};

/// A message to publish. Start from [`Message::new`], then set what differs from the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// A URL, or the name of a URL group.
    pub destination: String,
    /// The body; its bytes reach the destination untouched.
    pub body: Option<Vec<u8>>,
    /// Headers for the destination. `Content-Type` describes the body; names that start with `Upstash-` are settings
    /// and go to the broker as they are.
    pub headers: Headers,
    /// The method of the delivery. The broker's default is POST.
    pub method: Option<Method>,
    /// Wait before the first try, as a duration such as `10s`.
    pub delay: Option<String>,
    /// Wait until a moment before the first try. Wins over `delay`.
    pub not_before: Option<NotBefore>,
    /// How many tries may follow the first. The broker's default is 3.
    pub retries: Option<u32>,
    /// An expression that gives the delay before a retry in milliseconds.
    pub retry_delay: Option<String>,
    /// How long the destination may take, as a duration such as `30s`.
    pub timeout: Option<String>,
    /// Where every answer of the destination is sent.
    pub callback: Option<String>,
    /// Where the last answer is sent once the retries are used up.
    pub failure_callback: Option<String>,
    /// A second message with this id is not delivered. No `:` in it.
    pub deduplication_id: Option<String>,
    /// Derive that id from destination, body and headers.
    pub content_based_deduplication: bool,
    /// Labels for logs and filters.
    pub labels: Vec<String>,
    /// Limits shared by all messages of a key.
    pub flow_control: Option<FlowControl>,
    /// What the broker's logs hide.
    pub redact: Redact,
    /// The queue that the message goes through.
    pub queue: Option<String>,
}

/// What the broker's logs hide of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redact {
    /// Its body.
    pub body: bool,
    /// Its headers.
    pub headers: RedactedHeaders,
}

/// Which headers the broker's logs hide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RedactedHeaders {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those with these names.
    Named(Vec<String>),
}

/// A moment in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBefore(pub u64);

impl Message {
    /// A message to `destination` without a body.
    pub fn new(destination: impl Into<String>) -> Self {
        Self { destination: destination.into(), ..Self::default() }
    }

    /// The headers by which the wire carries everything but destination and body.
    ///
    /// [`Code::InvalidRequest`] if a setting contradicts itself.
    pub fn wire_headers(&self) -> Result<Headers> {
        if self.deduplication_id.as_deref().is_some_and(|id| id.is_empty() || id.contains(':')) {
            return Err(Error::new(
                Code::InvalidRequest,
                "expected a deduplicationId that is not empty and has no ':'",
            ));
        }
        if let Some(queue) = &self.queue {
            check_id("the name of a queue", queue)?;
        }
        let mut headers = destination_headers(&self.headers)?;
        let mut set = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                headers.set(name, value);
            }
        };
        set(header::METHOD, self.method.map(|method| method.as_str().to_owned()));
        set(header::DELAY, self.delay.clone());
        set(header::NOT_BEFORE, self.not_before.map(|NotBefore(seconds)| seconds.to_string()));
        set(header::RETRIES, self.retries.map(|retries| retries.to_string()));
        set(header::RETRY_DELAY, self.retry_delay.clone());
        set(header::TIMEOUT, self.timeout.clone());
        set(header::CALLBACK, self.callback.clone());
        set(header::FAILURE_CALLBACK, self.failure_callback.clone());
        set(header::DEDUPLICATION_ID, self.deduplication_id.clone());
        set(header::CONTENT_BASED_DEDUPLICATION, self.content_based_deduplication.then(|| "true".to_owned()));
        set(header::LABEL, (!self.labels.is_empty()).then(|| self.labels.join(",")));
        if let Some(flow) = &self.flow_control {
            set(header::FLOW_CONTROL_KEY, Some(flow.key.clone()));
            set(header::FLOW_CONTROL_VALUE, Some(flow.value()?));
        }
        set(header::REDACT_FIELDS, self.redact.value()?);
        for (name, value) in headers.iter() {
            check_header(name, value)?;
        }
        Ok(headers)
    }

    /// The message as an item of a batch.
    ///
    /// [`Code::InvalidRequest`] if the body is not UTF-8 text: a batch is JSON, so send bytes with [`Client::publish`].
    pub fn into_batch_item(self) -> Result<BatchItem> {
        let headers = self.wire_headers()?;
        let body = self.body.map(String::from_utf8).transpose().map_err(|_| {
            Error::new(Code::InvalidRequest, "a batch carries text only; publish a binary body on its own")
        })?;
        check_destination(&self.destination)?;
        Ok(BatchItem { destination: self.destination, headers, body, queue: self.queue })
    }
}

impl Redact {
    /// As the wire writes it: `body,header[Authorization]`.
    fn value(&self) -> Result<Option<String>> {
        let mut parts = Vec::new();
        if self.body {
            parts.push("body".to_owned());
        }
        match &self.headers {
            RedactedHeaders::None => {}
            RedactedHeaders::All => parts.push("header".to_owned()),
            RedactedHeaders::Named(names) => {
                for name in names {
                    check_header(name, "")?;
                    parts.push(format!("header[{name}]"));
                }
            }
        }
        Ok((!parts.is_empty()).then(|| parts.join(",")))
    }
}

impl Client {
    /// The request that publishes `message`, through its queue if it has one: answers with
    /// [`Published`](crate::client::Published), with an array of these for a URL group.
    pub fn publish(&self, message: &Message) -> Result<Request> {
        check_destination(&message.destination)?;
        let mut path = "/v2/publish/".to_owned();
        if let Some(queue) = &message.queue {
            "/v2/enqueue/".clone_into(&mut path);
            push_segment(&mut path, queue);
            path.push('/');
        }
        let mut request = self.request(Method::Post, &(path + &message.destination));
        for (name, value) in self.with_own_headers(&message.wire_headers()?).iter() {
            request.headers.set(name, value);
        }
        request.body = message.body.clone().unwrap_or_default();
        Ok(request)
    }
}

/// A message's headers for its destination, in the words of the wire: prefixed, unless they speak to the broker itself.
pub(crate) fn destination_headers(headers: &Headers) -> Result<Headers> {
    let mut prefixed = Headers::new();
    for (name, value) in headers.iter() {
        check_header(name, value)?;
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("content-type") || lower.starts_with("upstash-") {
            prefixed.set(name, value);
        } else {
            prefixed.set(format!("{}{name}", header::FORWARD_PREFIX), value);
        }
    }
    Ok(prefixed)
}

pub(super) fn check_destination(destination: &str) -> Result<()> {
    if destination.is_empty() || destination.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Error::new(
            Code::InvalidUrl,
            format!("expected a URL or the name of a URL group, got '{}'", shown(destination)),
        ));
    }
    Ok(())
}

/// Header names are tokens (RFC 9110 §5.1); values are what `fetch` accepts: Latin-1 without line breaks or NUL.
pub(crate) fn check_header(name: &str, value: &str) -> Result<()> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(Error::new(Code::InvalidHeader, format!("'{}' is not a header name", shown(name))));
    }
    if value.chars().any(|c| matches!(c, '\r' | '\n' | '\0') || u32::from(c) > 0xff) {
        return Err(Error::new(
            Code::InvalidHeader,
            format!(
                "the value of header '{name}' holds a character that headers can't carry (Latin-1 without line breaks)"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_headers_are_forwarded_and_settings_are_not() {
        let mut message = Message::new("https://a.test/b?c=d");
        message.headers =
            [("X-User", "u"), ("Content-Type", "text/plain"), ("Upstash-Label", "raw")].into_iter().collect();
        message.delay = Some("10s".into());
        message.labels = vec!["a".into(), "b".into()];
        message.flow_control =
            Some(FlowControl { key: "k".into(), parallelism: Some(1), rate: Some(2), period: Some("3s".into()) });
        let headers = message.wire_headers().unwrap();
        assert_eq!(
            headers.iter().collect::<Vec<_>>(),
            [
                ("Upstash-Forward-X-User", "u"),
                ("Content-Type", "text/plain"),
                ("Upstash-Label", "a,b"),
                ("Upstash-Delay", "10s"),
                ("Upstash-Flow-Control-Key", "k"),
                ("Upstash-Flow-Control-Value", "parallelism=1, rate=2, period=3s"),
            ]
        );
    }

    #[test]
    fn a_queue_is_part_of_the_path() {
        let client = Client::new("https://q.test", "t").unwrap();
        let mut message = Message::new("https://a.test/b?c");
        message.queue = Some("orders/..".into());
        assert_eq!(client.publish(&message).unwrap().url, "https://q.test/v2/enqueue/orders%2F../https://a.test/b?c");
        message.queue = Some(String::new());
        assert_eq!(client.publish(&message).map_err(|e| e.code()), Err(Code::InvalidRequest));
    }

    #[test]
    fn what_the_broker_would_refuse_is_refused_here() {
        let mut message = Message::new("group");
        message.deduplication_id = Some("a:b".into());
        assert_eq!(message.wire_headers().map_err(|e| e.code()), Err(Code::InvalidRequest));
        message.deduplication_id = None;
        message.redact.headers = RedactedHeaders::Named(vec!["a],body".into()]);
        assert_eq!(message.wire_headers().map_err(|e| e.code()), Err(Code::InvalidHeader));
    }

    #[test]
    fn a_header_cannot_be_smuggled() {
        let mut message = Message::new("https://a.test");
        message.headers.append("X", "a\r\nUpstash-Retries: 0");
        assert_eq!(message.wire_headers().map_err(|e| e.code()), Err(Code::InvalidHeader));
    }
}
