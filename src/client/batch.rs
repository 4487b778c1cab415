//! `POST /v2/batch`: many messages in one request, accepted or refused one by one.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::client::{Client, Message};
use crate::error::Result;
use crate::wire::{Headers, Method, Request, header};

/// One message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchItem {
    /// A URL or the name of a URL group.
    pub destination: String,
    /// The `Upstash-*` headers and the content type.
    pub headers: Headers,
    /// The body, as text: JSON can't carry bytes. Left out if `None`.
    pub body: Option<String>,
    /// The queue to put the message into.
    pub queue: Option<String>,
}

impl BatchItem {
    /// The item as a message of its own.
    pub(crate) fn into_message(self) -> Message {
        let body = self.body.map(String::into_bytes);
        Message { destination: self.destination, headers: self.headers, body, ..Message::default() }
    }
}

impl Client {
    /// The request that sends one message: as a batch of one, as the official SDK does; on its own if its body is not
    /// text, which a batch can't carry.
    pub(crate) fn send_alone(&self, message: Message) -> Result<Request> {
        match &message.body {
            Some(body) if std::str::from_utf8(body).is_err() => self.publish(&message),
            _ => Ok(self.batch(&[message.into_batch_item()?])),
        }
    }

    /// The request that sends `items`.
    pub fn batch(&self, items: &[BatchItem]) -> Request {
        // A slice of strings always serialises.
        let body = if self.headers.is_empty() {
            serde_json::to_vec(items).unwrap_or_default()
        } else {
            let with_own =
                |item: &BatchItem| BatchItem { headers: self.with_own_headers(&item.headers), ..item.clone() };
            serde_json::to_vec(&items.iter().map(with_own).collect::<Vec<_>>()).unwrap_or_default()
        };
        self.request(Method::Post, "/v2/batch").header(header::CONTENT_TYPE, "application/json").body(body)
    }
}

/// Field order and header order (by name, lower case) are the official SDK's.
impl Serialize for BatchItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut item = serializer.serialize_struct("BatchItem", 4)?;
        item.serialize_field("destination", &self.destination)?;
        item.serialize_field("headers", &Sorted(&self.headers))?;
        match &self.body {
            Some(body) => item.serialize_field("body", body)?,
            None => item.skip_field("body")?,
        }
        match &self.queue {
            Some(queue) => item.serialize_field("queue", queue)?,
            None => item.skip_field("queue")?,
        }
        item.end()
    }
}

struct Sorted<'a>(&'a Headers);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut headers: Vec<_> = self.0.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        headers.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut map = serializer.serialize_map(Some(headers.len()))?;
        for (name, value) in headers {
            map.serialize_entry(&name, value)?;
        }
        map.end()
    }
}
