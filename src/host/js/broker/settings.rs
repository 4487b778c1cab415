//! What the process says of its broker: the options in `pkg/src/server/options.ts` that are not the process's own.

use std::net::IpAddr;
use std::time::Duration;

use wasm_bindgen::prelude::*;

use crate::broker::{PrivateDestinations, Settings};
use crate::client::fields::{Fields, mistaken};
use crate::error::{Code, Error, Result};
use crate::host::js::error::thrown;
use crate::wire::{development, parse_duration};

/// The settings of a broker, read before its database is touched.
#[wasm_bindgen]
pub struct BrokerSettings(pub(super) Settings);

#[wasm_bindgen]
impl BrokerSettings {
    /// Takes those of `BrokerOptions` as JSON that the process does not use itself; what is absent is that of development.
    /// [`Code::InvalidConfiguration`] names the option that can't be used.
    #[wasm_bindgen(constructor)]
    pub fn new(json: &str) -> std::result::Result<BrokerSettings, JsValue> {
        read(json).map(Self).map_err(|error| {
            let text = format!("the settings of the broker: {}", error.message());
            thrown(&Error::new(Code::InvalidConfiguration, text))
        })
    }
}

fn read(json: &str) -> Result<Settings> {
    let mut options = Fields::read(json)?;
    let mut text = |name, default: &str| Ok::<_, Error>(options.text(name)?.unwrap_or_else(|| default.to_owned()));
    let token = text("token", development::TOKEN)?;
    let current = text("currentSigningKey", development::CURRENT_SIGNING_KEY)?;
    let next = text("nextSigningKey", development::NEXT_SIGNING_KEY)?;
    let mut settings = Settings::new(token, current, next);
    settings.read_only_token = options.text("readOnlyToken")?;
    settings.limits.private_destinations = private_destinations(&mut options)?;
    if let Some(limits) = options.object("limits")? {
        limit(&mut settings, limits)?;
    }
    if let Some(connections) = options.count("connections")? {
        settings.parallelism = connections;
    }
    if let Some(mut apis) = options.object("apis")? {
        for (name, place) in [("llm", &mut settings.apis.llm), ("email", &mut settings.apis.email)] {
            if let Some(url) = apis.text(name)? {
                *place = Some(url);
            }
        }
        apis.end()?;
    }
    options.end()?;
    Ok(settings)
}

/// Endpoints under development are on the same machine; who listens for others too has to say so.
fn private_destinations(options: &mut Fields) -> Result<PrivateDestinations> {
    let host = options.text("host")?.unwrap_or_default();
    let is_local = host.parse::<IpAddr>().map_or(host == "localhost", |address| address.is_loopback());
    match options.text("privateDestinations")?.as_deref() {
        None if is_local => Ok(PrivateDestinations::Allowed),
        None | Some("refuse") => Ok(PrivateDestinations::Refused),
        Some("allow") => Ok(PrivateDestinations::Allowed),
        Some(_) => Err(mistaken("privateDestinations", "'allow' or 'refuse'")),
    }
}

fn limit(settings: &mut Settings, mut options: Fields) -> Result<()> {
    let Settings { limits, defaults, retention, .. } = settings;
    for (name, place) in [
        ("bodyBytes", &mut limits.body_bytes),
        ("headerValueBytes", &mut limits.header_value_bytes),
        ("headerBytes", &mut limits.header_bytes),
        ("batchMessages", &mut limits.batch_messages),
        ("historyEntries", &mut limits.history_entries),
        ("keptEvents", &mut limits.kept_events),
        ("urlGroupEndpoints", &mut limits.url_group_endpoints),
        ("responseBytes", &mut settings.response_bytes),
    ] {
        if let Some(count) = options.count(name)? {
            *place = usize::try_from(count).unwrap_or(usize::MAX);
        }
    }
    for (name, place) in [
        ("queues", &mut limits.queues),
        ("schedules", &mut limits.schedules),
        ("urlGroups", &mut limits.url_groups),
        ("loggedEvents", &mut retention.events),
        ("endedRuns", &mut retention.runs),
        ("deadLetters", &mut retention.dead_letters),
    ] {
        if let Some(count) = options.count(name)? {
            *place = u64::from(count);
        }
    }
    for (name, place) in [("retries", &mut limits.retries), ("defaultRetries", &mut defaults.retries)] {
        if let Some(count) = options.count(name)? {
            *place = count;
        }
    }
    for (name, place) in [
        ("delay", &mut limits.delay),
        ("timeout", &mut limits.timeout),
        ("defaultTimeout", &mut defaults.timeout),
        ("deduplicationWindow", &mut settings.deduplication_window),
        ("restartGrace", &mut settings.restart_grace),
        ("eventLifetime", &mut settings.event_lifetime),
    ] {
        if let Some(duration) = duration(&mut options, name)? {
            *place = duration;
        }
    }
    if let Some(age) = duration(&mut options, "retention")? {
        (retention.event_age, retention.run_age, retention.dead_letter_age) = (age, age, age);
    }
    for (name, place) in [
        ("eventRetention", &mut retention.event_age),
        ("runRetention", &mut retention.run_age),
        ("deadLetterRetention", &mut retention.dead_letter_age),
    ] {
        if let Some(age) = duration(&mut options, name)? {
            *place = age;
        }
    }
    options.end()
}

fn duration(options: &mut Fields, name: &'static str) -> Result<Option<Duration>> {
    options.duration(name)?.map(|text| parse_duration(&text)).transpose()
}
