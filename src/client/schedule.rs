//! Schedules: a message that is published again and again (`/v2/schedules`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::lenient::{header_lists, or_default};
use crate::client::message::check_destination;
use crate::client::query::Resource;
use crate::client::{Client, Message};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Method, Request, Timestamp, header};

const SCHEDULES: Resource = Resource { path: "/v2/schedules", id: "the id of a schedule" };
const TIMEZONE: &str = "CRON_TZ=";

/// A message that a cron expression publishes.
///
/// ```
/// use orchestration::client::{Client, Message, Schedule};
///
/// let mut schedule = Schedule::new("0 4 * * *", Message::new("https://app.test/nightly"));
/// schedule.timezone = Some("Europe/Berlin".into());
/// schedule.id = Some("nightly".into());
///
/// let request = Client::new("https://qstash.upstash.io", "token")?.create_schedule(&schedule)?;
/// assert_eq!(request.headers.get("Upstash-Cron"), Some("CRON_TZ=Europe/Berlin 0 4 * * *"));
/// # Ok::<(), orchestration::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// When to publish: five fields, in UTC unless a time zone is given here or as a prefix `CRON_TZ=…`.
    pub cron: String,
    /// The IANA name of the time zone of `cron`.
    pub timezone: Option<String>,
    /// Replaces the schedule with this id; the broker chooses an id if there is none.
    pub id: Option<String>,
    /// What to publish. `not_before` and deduplication make no sense here and are refused.
    pub message: Message,
}

impl Schedule {
    /// A schedule in UTC, with an id that the broker chooses.
    pub fn new(cron: impl Into<String>, message: Message) -> Self {
        Self { cron: cron.into(), message, ..Self::default() }
    }

    fn wire_headers(&self) -> Result<Headers> {
        let message = &self.message;
        let refused = [
            ("notBefore", message.not_before.is_some()),
            ("deduplicationId", message.deduplication_id.is_some()),
            ("contentBasedDeduplication", message.content_based_deduplication),
        ];
        if let Some((name, _)) = refused.iter().find(|(_, set)| *set) {
            return Err(Error::new(Code::InvalidRequest, format!("a schedule has no {name}: it publishes many times")));
        }
        let mut headers = message.wire_headers()?;
        if !headers.contains(header::CONTENT_TYPE) {
            headers.set(header::CONTENT_TYPE, "application/json");
        }
        headers.set(header::CRON, self.expression()?);
        if let Some(id) = &self.id {
            crate::client::query::check_id(SCHEDULES.id, id)?;
            headers.set(header::SCHEDULE_ID, id);
        }
        if let Some(queue) = &message.queue {
            headers.set(header::QUEUE_NAME, queue);
        }
        Ok(headers)
    }

    fn expression(&self) -> Result<String> {
        let refuse = |cron: &str| {
            Err(Error::new(
                Code::InvalidRequest,
                format!(
                    "expected a cron expression of five fields such as '0 4 * * *', after 'CRON_TZ=<time zone> ' if not in UTC, got '{}'",
                    shown(cron)
                ),
            ))
        };
        let cron = self.cron.trim();
        if cron.is_empty() || cron.chars().any(char::is_control) {
            return refuse(cron);
        }
        match self.timezone.as_deref() {
            None => Ok(cron.to_owned()),
            Some(zone) if zone.is_empty() || zone.contains(char::is_whitespace) || cron.starts_with(TIMEZONE) => {
                refuse(&format!("{TIMEZONE}{zone} {cron}"))
            }
            Some(zone) => Ok(format!("{TIMEZONE}{zone} {cron}")),
        }
    }
}

/// A schedule, as the broker shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSchedule {
    /// The id.
    pub schedule_id: String,
    /// When it publishes, with its time zone.
    pub cron: String,
    /// A URL, or the name of a URL group.
    pub destination: String,
    /// The method of the deliveries.
    pub method: Option<Method>,
    /// The headers for the destination.
    #[serde(default, deserialize_with = "header_lists")]
    pub header: BTreeMap<String, Vec<String>>,
    /// The body, if it is UTF-8.
    pub body: Option<String>,
    /// The body in base64, if it is not.
    pub body_base64: Option<String>,
    /// How many tries may follow the first.
    pub retries: Option<u32>,
    /// The expression that gives the delay before a retry in milliseconds.
    pub retry_delay_expression: Option<String>,
    /// Seconds between the moment of the expression and the first try.
    pub delay: Option<u64>,
    /// Where every answer of the destination is sent.
    pub callback: Option<String>,
    /// Where the last answer is sent once the retries are used up.
    pub failure_callback: Option<String>,
    /// The queue that its messages go through.
    pub queue_name: Option<String>,
    /// The flow-control key of its messages.
    pub flow_control_key: Option<String>,
    /// The labels of its messages.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Vec<String>,
    /// Whether it publishes nothing for now.
    #[serde(default)]
    pub is_paused: bool,
    /// When it was made.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When it published last.
    pub last_schedule_time: Option<Timestamp>,
    /// When it publishes next.
    pub next_schedule_time: Option<Timestamp>,
}

/// The id of a schedule that was made or replaced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleId {
    /// The id.
    pub schedule_id: String,
}

impl Client {
    /// Makes a schedule, or replaces the one with its id: answers with [`ScheduleId`].
    pub fn create_schedule(&self, schedule: &Schedule) -> Result<Request> {
        check_destination(&schedule.message.destination)?;
        let mut request = self.request(Method::Post, &format!("{}/{}", SCHEDULES.path, schedule.message.destination));
        for (name, value) in self.with_own_headers(&schedule.wire_headers()?).iter() {
            request.headers.set(name, value);
        }
        request.body = schedule.message.body.clone().unwrap_or_default();
        Ok(request)
    }

    /// Asks for a [`StoredSchedule`].
    pub fn schedule(&self, id: &str) -> Result<Request> {
        Ok(self.request(Method::Get, &SCHEDULES.at(id)?))
    }

    /// Asks for all schedules: `Vec<`[`StoredSchedule`]`>`.
    pub fn schedules(&self) -> Request {
        self.request(Method::Get, SCHEDULES.path)
    }

    /// Deletes a schedule. What it has published is delivered all the same.
    pub fn delete_schedule(&self, id: &str) -> Result<Request> {
        Ok(self.request(Method::Delete, &SCHEDULES.at(id)?))
    }

    /// Lets a schedule publish nothing until [`Client::resume_schedule`].
    pub fn pause_schedule(&self, id: &str) -> Result<Request> {
        // The documents say POST, the official SDKs send PATCH.
        Ok(self.request(Method::Patch, &(SCHEDULES.at(id)? + "/pause")))
    }

    /// Lets a paused schedule publish again.
    pub fn resume_schedule(&self, id: &str) -> Result<Request> {
        Ok(self.request(Method::Patch, &(SCHEDULES.at(id)? + "/resume")))
    }
}
