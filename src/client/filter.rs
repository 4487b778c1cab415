//! Which messages a list shows, or a bulk request changes.
//!
//! A broker takes a bulk request without a filter for one about everything. So nothing here can be empty by mistake:
//! everything is asked for by [`Bulk::all`] alone.

use crate::client::query::Query;
use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;
use crate::wire::duration::shown;

/// What a bulk request changes without [`Bulk::count`].
const DEFAULT_BULK_COUNT: u32 = 100;

/// Conditions on messages. Values of one field are alternatives; all fields must hold.
///
/// ```
/// use orchestration::client::{Field, Filter};
///
/// let filter = Filter::new().with(Field::Label, "nightly").with(Field::Label, "eu").with(Field::Queue, "orders");
/// assert!(!filter.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<(Field, String)>);

impl Filter {
    /// No condition yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a value of a field.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.0.push((field, value.into()));
        self
    }

    /// Nothing before this moment.
    #[must_use]
    pub fn from(self, moment: Timestamp) -> Self {
        self.with(Field::FromDate, moment.millis().to_string())
    }

    /// Nothing after this moment.
    #[must_use]
    pub fn to(self, moment: Timestamp) -> Self {
        self.with(Field::ToDate, moment.millis().to_string())
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn write(&self, query: &mut Query, kind: Kind) -> Result<()> {
        for (field, value) in &self.0 {
            if !field.kinds().contains(&kind) {
                return Err(Error::new(
                    Code::InvalidRequest,
                    format!("{} can't be filtered by {}", kind.plural(), field.name()),
                ));
            }
            if value.is_empty() {
                return Err(Error::new(Code::InvalidRequest, format!("the filter {} is empty", field.name())));
            }
            if kind != Kind::Runs || !field.is_workflow_url() {
                query.push(field.name(), value);
            }
        }
        if kind == Kind::Runs { self.write_workflow_urls(query) } else { Ok(()) }
    }

    /// Runs are cancelled by the beginning of their URL, or by the whole of it if the query says so.
    fn write_workflow_urls(&self, query: &mut Query) -> Result<()> {
        let urls = |field: Field| self.0.iter().filter(move |(known, _)| *known == field).map(|(_, url)| url);
        let mut exact = false;
        for field in [Field::WorkflowUrlStartingWith, Field::WorkflowUrl] {
            for url in urls(field) {
                query.push(Field::WorkflowUrl.name(), url);
                exact = field == Field::WorkflowUrl;
            }
        }
        if !exact {
            return Ok(());
        }
        if urls(Field::WorkflowUrlStartingWith).next().is_some() {
            return Err(Error::new(
                Code::InvalidRequest,
                "workflowUrl (the whole URL) and workflowUrlStartingWith (its beginning) can't be combined",
            ));
        }
        query.push("workflowUrlExactMatch", "true");
        Ok(())
    }
}

/// What a filter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Messages that are waiting.
    Messages,
    /// Messages that failed.
    DeadLetters,
    /// Entries of the log.
    Logs,
    /// Runs that go on.
    Runs,
    /// Runs that failed.
    RunDeadLetters,
    /// Runs, whatever became of them.
    RunLogs,
}

impl Kind {
    fn plural(self) -> &'static str {
        match self {
            Kind::Messages => "messages",
            Kind::DeadLetters => "dead letters",
            Kind::Logs => "logs",
            Kind::Runs | Kind::RunLogs => "runs",
            Kind::RunDeadLetters => "failed runs",
        }
    }

    /// The query parameter that lists ids.
    pub(super) fn ids(self) -> &'static str {
        match self {
            Kind::Messages | Kind::Logs => "messageIds",
            Kind::DeadLetters | Kind::RunDeadLetters => "dlqIds",
            Kind::Runs | Kind::RunLogs => "workflowRunIds",
        }
    }
}

macro_rules! fields {
    ($( $(#[$doc:meta])+ $name:ident $wire:literal [$($kind:ident),+], )+) => {
        /// What a filter can look at; not every list knows every field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Field { $( $(#[$doc])+ $name, )+ }

        impl Field {
            /// The name of the query parameter.
            pub const fn name(self) -> &'static str {
                match self { $( Field::$name => $wire, )+ }
            }

            /// The field with this name; besides the wire's names `urlGroup`, as the SDKs call `topicName`.
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    "urlGroup" => Some(Field::UrlGroup),
                    $( $wire => Some(Field::$name), )+
                    _ => None,
                }
            }

            const fn is_workflow_url(self) -> bool {
                matches!(self, Field::WorkflowUrl | Field::WorkflowUrlStartingWith)
            }

            const fn kinds(self) -> &'static [Kind] {
                match self { $( Field::$name => &[$( Kind::$kind ),+], )+ }
            }
        }
    };
}

fields! {
    /// The id of one message.
    MessageId "messageId" [DeadLetters, Logs, RunLogs],
    /// The destination.
    Url "url" [Messages, DeadLetters, Logs, RunDeadLetters],
    /// The destination's host.
    Host "host" [Messages, Logs, Runs, RunLogs],
    /// The destination's path.
    Path "path" [Messages, Logs, Runs, RunLogs],
    /// The URL group that the message was published to.
    UrlGroup "topicName" [Messages, DeadLetters, Logs],
    /// The schedule that published the message.
    Schedule "scheduleId" [Messages, DeadLetters, Logs],
    /// The queue that the message went through.
    Queue "queueName" [Messages, DeadLetters, Logs],
    /// The flow-control key.
    FlowControlKey "flowControlKey" [Messages, DeadLetters, Logs, Runs, RunDeadLetters, RunLogs],
    /// A label.
    Label "label" [Messages, DeadLetters, Logs, Runs, RunDeadLetters, RunLogs],
    /// The address of whoever published the message.
    CallerIp "callerIp" [Messages, DeadLetters, Logs, Runs, RunDeadLetters, RunLogs],
    /// Not before this moment; Unix milliseconds.
    FromDate "fromDate" [Messages, DeadLetters, Logs, Runs, RunDeadLetters, RunLogs],
    /// Not after this moment; Unix milliseconds.
    ToDate "toDate" [Messages, DeadLetters, Logs, Runs, RunDeadLetters, RunLogs],
    /// The status of the destination's last answer.
    ResponseStatus "responseStatus" [DeadLetters, RunDeadLetters],
    /// The state that the entry tells of, such as `DELIVERED`, or that the run is in, such as `RUN_FAILED`.
    State "state" [Logs, RunLogs],
    /// The endpoint of a run.
    WorkflowUrl "workflowUrl" [Runs, RunDeadLetters, RunLogs],
    /// The beginning of a run's endpoint.
    WorkflowUrlStartingWith "workflowUrlStartingWith" [Runs],
    /// The id of a run.
    WorkflowRunId "workflowRunId" [RunDeadLetters, RunLogs],
    /// When a run was created; Unix milliseconds. Tells runs with the same id apart.
    WorkflowCreatedAt "workflowCreatedAt" [RunDeadLetters, RunLogs],
    /// What became of telling that a run failed, such as `CALLBACK_FAIL`.
    FailureFunctionState "failureFunctionState" [RunDeadLetters],
}

/// What a bulk request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulk {
    selection: Selection,
    pub(super) count: Option<u32>,
    pub(super) cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Selection {
    Ids(Vec<String>),
    Matching(Filter),
    All,
}

impl Bulk {
    /// Those with these ids.
    pub fn ids<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::new(Selection::Ids(ids.into_iter().map(Into::into).collect()))
    }

    /// Those that a filter selects.
    pub fn matching(filter: Filter) -> Self {
        Self::new(Selection::Matching(filter))
    }

    /// Everything.
    pub fn all() -> Self {
        Self::new(Selection::All)
    }

    /// The most that one request changes. The default is 100; not for ids.
    #[must_use]
    pub fn count(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Goes on where an earlier request stopped; not for ids.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    fn new(selection: Selection) -> Self {
        Self { selection, count: None, cursor: None }
    }

    /// [`Code::EmptyArray`] for no ids and for an empty filter, [`Code::InvalidRequest`] for a field that the list doesn't know.
    pub(super) fn query(&self, kind: Kind) -> Result<Query> {
        let mut query = Query::default();
        match &self.selection {
            Selection::Ids(ids) => {
                write_ids(&mut query, kind, ids)?;
                if self.count.is_some() || self.cursor.is_some() {
                    return Err(Error::new(
                        Code::InvalidRequest,
                        format!("{} says what to change; count and cursor are for filters", kind.ids()),
                    ));
                }
                return Ok(query);
            }
            Selection::Matching(filter) if filter.is_empty() => {
                return Err(Error::new(
                    Code::EmptyArray,
                    format!("the filter is empty; ask for all {} if you mean them all", kind.plural()),
                ));
            }
            Selection::Matching(filter) => filter.write(&mut query, kind)?,
            Selection::All => {}
        }
        query.push_some("count", Some(self.count.unwrap_or(DEFAULT_BULK_COUNT)));
        query.push_some("cursor", self.cursor.as_deref());
        Ok(query)
    }
}

/// What a list shows: a page of what a filter selects, or what some ids name.
///
/// ```
/// use orchestration::client::{Field, Filter, Listing};
///
/// let first = Listing { count: Some(10), ..Listing::matching(Filter::new().with(Field::State, "FAILED")) };
/// let next = Listing { cursor: Some("1700000000000".into()), ..first };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Which to show; all if it is empty.
    pub filter: Filter,
    /// Show those with these ids instead.
    pub ids: Option<Vec<String>>,
    /// The most on one page.
    pub count: Option<u32>,
    /// Where the page before stopped.
    pub cursor: Option<String>,
}

impl Listing {
    /// The first page of what a filter selects.
    pub fn matching(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// Those with these ids.
    pub fn ids<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self { ids: Some(ids.into_iter().map(Into::into).collect()), ..Self::default() }
    }

    pub(super) fn query(&self, kind: Kind) -> Result<Query> {
        let mut query = Query::default();
        query.push_some("count", self.count);
        match &self.ids {
            Some(ids) => {
                write_ids(&mut query, kind, ids)?;
                if !self.filter.is_empty() || self.cursor.is_some() {
                    return Err(Error::new(
                        Code::InvalidRequest,
                        format!("{} says what to show; filter and cursor are for pages", kind.ids()),
                    ));
                }
            }
            None => self.filter.write(&mut query, kind)?,
        }
        query.push_some("cursor", self.cursor.as_deref());
        Ok(query)
    }

    /// Cursor and count come first where runs are listed, as in the official SDK.
    pub(super) fn page_first(&self, kind: Kind) -> Result<Query> {
        let mut query = Query::default();
        if self.ids.is_some() {
            return Err(Error::new(Code::InvalidRequest, format!("{} are listed by a filter", kind.plural())));
        }
        query.push_some("cursor", self.cursor.as_deref());
        query.push_some("count", self.count);
        self.filter.write(&mut query, kind)?;
        Ok(query)
    }
}

fn write_ids(query: &mut Query, kind: Kind, ids: &[String]) -> Result<()> {
    let name = kind.ids();
    if ids.is_empty() {
        return Err(Error::new(
            Code::EmptyArray,
            format!("{name} is empty; ask for all {} if you mean them all", kind.plural()),
        ));
    }
    for id in ids {
        if id.is_empty() {
            return Err(Error::new(Code::InvalidRequest, format!("{name} holds an empty id, '{}'", shown(id))));
        }
        query.push(name, id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(bulk: &Bulk) -> Result<String, Code> {
        bulk.query(Kind::DeadLetters).map(|query| query.after("")).map_err(|error| error.code())
    }

    #[test]
    fn everything_is_only_meant_when_said() {
        assert_eq!(bulk(&Bulk::all()).as_deref(), Ok("?count=100"));
        assert_eq!(bulk(&Bulk::matching(Filter::new())), Err(Code::EmptyArray));
        assert_eq!(bulk(&Bulk::ids::<String>([])), Err(Code::EmptyArray));
        assert_eq!(bulk(&Bulk::ids(["a", ""])), Err(Code::InvalidRequest));
        assert_eq!(bulk(&Bulk::matching(Filter::new().with(Field::Label, ""))), Err(Code::InvalidRequest));
    }

    #[test]
    fn a_filter_keeps_its_order_and_precedes_count_and_cursor() {
        let filter = Filter::new()
            .with(Field::Url, "https://a.test/?b")
            .with(Field::Label, "x")
            .with(Field::Label, "y")
            .from(Timestamp::from_millis(5));
        let asked = Bulk::matching(filter).count(7).after("c d");
        assert_eq!(
            bulk(&asked).as_deref(),
            Ok("?url=https%3A%2F%2Fa.test%2F%3Fb&label=x&label=y&fromDate=5&count=7&cursor=c+d")
        );
    }

    #[test]
    fn ids_go_alone() {
        assert_eq!(bulk(&Bulk::ids(["a", "b"])).as_deref(), Ok("?dlqIds=a&dlqIds=b"));
        assert_eq!(bulk(&Bulk::ids(["a"]).count(1)), Err(Code::InvalidRequest));
        let listing = Listing { cursor: Some("c".into()), ..Listing::ids(["a"]) };
        assert_eq!(listing.query(Kind::Logs).map(|_| ()).map_err(|e| e.code()), Err(Code::InvalidRequest));
    }

    #[test]
    fn a_field_that_the_list_does_not_know_is_refused() {
        let hosts = Filter::new().with(Field::Host, "a.test");
        assert!(Listing::matching(hosts.clone()).query(Kind::Logs).is_ok());
        let error = Listing::matching(hosts).query(Kind::DeadLetters).map(|_| ()).unwrap_err();
        assert_eq!(error.message(), "dead letters can't be filtered by host");
    }
}
