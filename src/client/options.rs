//! The official SDK's options as JSON: what bindings for other languages hand over.

use crate::client::fields::{Fields, Json, mistaken};
use crate::client::filter::Kind;
use crate::client::message::{Message, NotBefore, Redact, RedactedHeaders};
use crate::client::{Bulk, Endpoint, Field, Filter, FlowControl, Listing, Provider, Schedule};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Method, header};

/// A message.
pub(super) fn message(mut options: Fields) -> Result<Message> {
    let mut message = described(&mut options, &["url", "urlGroup", "topic"])?;
    message.not_before = options.moment("notBefore")?.map(NotBefore);
    message.deduplication_id = options.text("deduplicationId")?;
    message.content_based_deduplication = options.flag("contentBasedDeduplication")?;
    message.method.get_or_insert(Method::Post);
    options.end()?;
    Ok(message)
}

/// A schedule.
pub(super) fn schedule(mut options: Fields) -> Result<Schedule> {
    let message = described(&mut options, &["destination"])?;
    let schedule = Schedule {
        cron: options.required("cron")?,
        timezone: options.text("timezone")?,
        id: options.text("scheduleId")?,
        message,
    };
    options.end()?;
    Ok(schedule)
}

/// What a message and a schedule have in common. `destinations`: the options that say where to, the first wins.
fn described(options: &mut Fields, destinations: &[&'static str]) -> Result<Message> {
    let callback = options.text("callback")?;
    let mut destination = None;
    for name in destinations {
        let text = options.text(name)?;
        destination = destination.or(text);
    }
    let mut message = match (options.object("api")?, destination) {
        (Some(api), _) => provider_message(api, callback.is_some())?,
        (None, Some(destination)) => Message::new(destination),
        (None, None) => {
            return Err(Error::new(
                Code::InvalidRequest,
                format!("expected one of the options {}: where the message goes", destinations.join(", ")),
            ));
        }
    };
    let mut headers: Headers = options.pairs("headers")?;
    for (name, value) in message.headers.iter() {
        // What describes the body is the caller's to say, what the provider asks for is not.
        if !(name.eq_ignore_ascii_case(header::CONTENT_TYPE) && headers.contains(name)) {
            headers.set(name, value);
        }
    }
    message.headers = headers;
    if let Some(method) = options.text("method")? {
        message.method = Some(Method::parse(&method)?);
    }
    message.body = options.text("body")?.map(String::into_bytes);
    message.callback = callback;
    message.failure_callback = options.text("failureCallback")?;
    message.delay = options.duration("delay")?;
    message.retries = options.count("retries")?;
    message.retry_delay = options.text("retryDelay")?;
    message.timeout = options.duration("timeout")?;
    message.labels = options.texts("label")?.unwrap_or_default();
    message.flow_control = options.object("flowControl")?.map(flow_control).transpose()?;
    message.redact = options.object("redact")?.map(redact).transpose()?.unwrap_or_default();
    message.queue = options.text("queueName")?;
    Ok(message)
}

/// Limits that all messages of one key share.
pub(crate) fn flow_control(mut options: Fields) -> Result<FlowControl> {
    let flow_control = FlowControl {
        key: options.required("key")?,
        parallelism: options.count("parallelism")?,
        rate: options.count("rate")?.or(options.count("ratePerSecond")?),
        period: options.duration("period")?,
    };
    options.end()?;
    Ok(flow_control)
}

/// What the broker's logs hide.
pub(crate) fn redact(mut options: Fields) -> Result<Redact> {
    let refused = || mistaken("redact.header", "true, or an array of names");
    let headers = match options.take("header") {
        None | Some(Json::Flag(false)) => RedactedHeaders::None,
        Some(Json::Flag(true)) => RedactedHeaders::All,
        Some(Json::List(names)) => {
            let names = names.into_iter().map(|name| match name {
                Json::Text(name) => Ok(name),
                _ => Err(refused()),
            });
            RedactedHeaders::Named(names.collect::<Result<_>>()?)
        }
        Some(_) => return Err(refused()),
    };
    let redact = Redact { body: options.flag("body")?, headers };
    options.end()?;
    Ok(redact)
}

/// A message to a provider's API, as the official SDK's `openai()` and its like describe it.
fn provider_message(mut options: Fields, has_callback: bool) -> Result<Message> {
    let refuse = |message: &str| Err(Error::new(Code::InvalidRequest, message));
    let name = options.required("name")?;
    let Some(mut given) = options.object("provider")? else {
        return Err(withdrawn());
    };
    let mut provider = provider(&mut given)?;
    let model = provider.is_model();
    if name != if model { "llm" } else { "email" } {
        return refuse(
            "api.name must be 'llm' for a language model and 'email' for a mail service; the provider is of the other kind",
        );
    }
    if model && !has_callback {
        return refuse("expected the option callback: the model's answer has nowhere else to go");
    }
    if let Some(mut analytics) = options.object("analytics")? {
        if analytics.required("name")? != "helicone" || !model {
            return refuse("api.analytics is for language models, and its name is 'helicone'");
        }
        provider = provider.through_helicone(analytics.required("token")?);
        analytics.end()?;
    }
    options.end()?;
    provider.message()
}

/// A provider, as the official SDK's `openai()` and its like describe it; what else they tell is not looked at.
pub(crate) fn provider(given: &mut Fields) -> Result<Provider> {
    let token = given.text("token")?.unwrap_or_default();
    let provider = match given.required("owner")?.as_str() {
        "openai" => Provider::openai(token),
        "anthropic" => Provider::anthropic(token),
        "custom" => Provider::custom(&given.text("baseUrl")?.unwrap_or_default(), token),
        "resend" => Provider::resend(token, given.flag("batch")?),
        "upstash" => return Err(withdrawn()),
        _ => {
            let message = "expected one of the providers openai(), anthropic(), custom() and resend()";
            return Err(Error::new(Code::InvalidRequest, message));
        }
    };
    Ok(match given.text("organization")? {
        Some(organization) => provider.organization(organization),
        None => provider,
    })
}

fn withdrawn() -> Error {
    Error::new(
        Code::Unsupported,
        "QStash no longer runs language models itself; set api.provider to openai(), anthropic() or custom()",
    )
}

/// A URL group's name and endpoints.
pub(super) fn endpoints(mut options: Fields) -> Result<(String, Vec<Endpoint>)> {
    let name = options.required("name")?;
    let given = match options.take("endpoints") {
        Some(list) => list.list().map_err(|_| mistaken("endpoints", "an array of objects"))?,
        None => Vec::new(),
    };
    options.end()?;
    let endpoints = given.into_iter().map(|mut endpoint| {
        let (url, name) = (endpoint.text("url")?.unwrap_or_default(), endpoint.text("name")?);
        endpoint.end()?;
        Ok(Endpoint { url, name })
    });
    Ok((name, endpoints.collect::<Result<_>>()?))
}

/// What a list shows.
pub(super) fn listing(mut options: Fields, kind: Kind) -> Result<Listing> {
    let (filter, filter_count) = filter(&mut options, kind)?.unwrap_or_default();
    let listing = Listing {
        filter,
        ids: options.texts(kind.ids())?,
        count: options.count("count")?,
        cursor: options.take("cursor").map(cursor).transpose()?,
    };
    options.end()?;
    Ok(Listing { count: filter_count.or(listing.count), ..listing })
}

/// What a bulk request changes.
pub(super) fn bulk(mut options: Fields, kind: Kind) -> Result<Bulk> {
    let (filter, ids, all) = (filter(&mut options, kind)?, options.texts(kind.ids())?, options.flag("all")?);
    let mut bulk = match (ids, filter, all) {
        (Some(ids), None, false) => Bulk::ids(ids),
        (None, Some((filter, _)), false) => Bulk::matching(filter),
        (None, None, true) => Bulk::all(),
        _ => {
            return Err(Error::new(
                Code::InvalidRequest,
                format!("expected one of the options {}, filter and all: true", kind.ids()),
            ));
        }
    };
    bulk.count = options.count("count")?;
    bulk.cursor = options.take("cursor").map(cursor).transpose()?;
    options.end()?;
    Ok(bulk)
}

fn cursor(cursor: Json) -> Result<String> {
    cursor.shown().ok_or_else(|| mistaken("cursor", "what an earlier page gave"))
}

/// The filter, and the number of entries that the log's filter may ask for besides.
fn filter(options: &mut Fields, kind: Kind) -> Result<Option<(Filter, Option<u32>)>> {
    let Some(mut fields) = options.object("filter")? else { return Ok(None) };
    let count = if kind == Kind::Logs { fields.count("count")? } else { None };
    let mut filter = Filter::new();
    for (name, value) in fields.rest() {
        let field = Field::parse(&name)
            .ok_or_else(|| Error::new(Code::InvalidRequest, format!("there is no filter '{}'", shown(&name))))?;
        let values = match value {
            Json::List(values) if values.is_empty() => {
                return Err(Error::new(
                    Code::EmptyArray,
                    format!("the filter {name} holds no value: it would not filter"),
                ));
            }
            Json::List(values) => values,
            value => vec![value],
        };
        for value in values {
            let value = value.shown().ok_or_else(|| {
                Error::new(
                    Code::InvalidRequest,
                    format!("the filter {name} takes a text, a number, or an array of them"),
                )
            })?;
            filter = filter.with(field, value);
        }
    }
    Ok(Some((filter, count)))
}
