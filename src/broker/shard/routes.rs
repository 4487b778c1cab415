//! Which shards a request concerns, by its path.

use crate::broker::api::fit;
use crate::wire::Method;

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// A message that is published: its headers tell where.
    Publish,
    /// The same, with the queue before the destination.
    Enqueue,
    /// Many messages that are published.
    Batch,
    /// A new schedule, or one that is replaced.
    NewSchedule,
    /// Something with an id or a name in the path.
    One(Kind),
    /// The queue that the body names.
    QueueSettings,
    /// The run that the headers name.
    OfRun,
    /// An event for a run or for all who wait for it.
    Notify,
    /// A page of a list, newest first.
    List(List),
    /// A list without pages.
    Whole {
        /// The member of each entry that gives the order; in reverse for times.
        order: &'static str,
    },
    /// Changes many things at once.
    Bulk(Bulk),
    /// Numbers to be added up.
    Sum,
    /// The numbers of a dashboard.
    Metrics,
    /// What only the directory knows.
    Directory,
}

/// What an id or a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Message,
    DeadLetter,
    Run,
    /// The run in the second segment.
    Webhook,
    Queue,
    /// The key in the first segment.
    FlowKey,
    /// The schedule in the first segment.
    Schedule,
}

/// A list, and how the pages of several shards make one.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// The member with the entries.
    pub member: &'static str,
    /// The member of an entry with its time.
    pub time: &'static str,
    /// How many entries a page has if the request does not say it.
    pub count: usize,
    /// The query parameters that name entries.
    pub ids: &'static [(&'static str, Kind)],
}

/// A change of many things.
#[derive(Clone, Copy, Debug)]
pub struct Bulk {
    /// The member with what was done: a number, or a list.
    pub member: &'static str,
    /// How many are changed at most if the request does not say it.
    pub count: u64,
    /// The query parameters that name what is to be changed.
    pub ids: &'static [(&'static str, Kind)],
}

const EVENTS: &[(&str, Kind)] =
    &[("messageIds", Kind::Message), ("messageId", Kind::Message), ("workflowRunId", Kind::Run)];
const LETTERS: &[(&str, Kind)] = &[("dlqIds", Kind::DeadLetter), ("messageId", Kind::Message)];
const RUNS: &[(&str, Kind)] = &[("workflowRunIds", Kind::Run), ("workflowRunId", Kind::Run)];

const fn events(member: &'static str) -> Rule {
    Rule::List(List { member, time: "time", count: 100, ids: EVENTS })
}
const DEAD_LETTERS: Rule = Rule::List(List { member: "messages", time: "failedAt", count: 100, ids: LETTERS });
const RUN_LOGS: Rule = Rule::List(List { member: "runs", time: "workflowRunCreatedAt", count: 10, ids: RUNS });

const fn bulk(member: &'static str, count: u64, ids: &'static [(&'static str, Kind)]) -> Rule {
    Rule::Bulk(Bulk { member, count, ids })
}

/// Every path; `None` stands for any method. What fits nothing is answered by the directory, with an error.
const RULES: &[(Option<Method>, &str, Rule)] = &[
    (None, "/v2/publish/**", Rule::Publish),
    (None, "/v2/trigger/**", Rule::Publish),
    (None, "/v2/enqueue/**", Rule::Enqueue),
    (None, "/v2/batch", Rule::Batch),
    (None, "/v2/batch/trigger", Rule::Batch),
    (None, "/v2/messages/*", Rule::One(Kind::Message)),
    // One request cancels all that fit, so there is no count to keep.
    (Some(Method::Delete), "/v2/messages", Rule::Sum),
    (Some(Method::Get), "/v2/dlq", DEAD_LETTERS),
    (Some(Method::Delete), "/v2/dlq", bulk("deleted", 100, LETTERS)),
    (Some(Method::Post), "/v2/dlq/retry", bulk("responses", 100, LETTERS)),
    (None, "/v2/dlq/retry/*", Rule::One(Kind::DeadLetter)),
    (None, "/v2/dlq/*", Rule::One(Kind::DeadLetter)),
    (Some(Method::Get), "/v2/events", events("events")),
    (Some(Method::Get), "/v2/logs", events("logs")),
    (None, "/v2/workflows/hooks/**", Rule::One(Kind::Webhook)),
    (None, "/v2/workflows/runs/*", Rule::One(Kind::Run)),
    (Some(Method::Delete), "/v2/workflows/runs", bulk("cancelled", 100, RUNS)),
    (Some(Method::Get), "/v2/workflows/logs", RUN_LOGS),
    (Some(Method::Get), "/v2/workflows/events", RUN_LOGS),
    (Some(Method::Get), "/v2/workflows/dlq", DEAD_LETTERS),
    (Some(Method::Delete), "/v2/workflows/dlq", bulk("deleted", 100, LETTERS)),
    (Some(Method::Post), "/v2/workflows/dlq/resume", bulk("workflowRuns", 100, LETTERS)),
    (Some(Method::Post), "/v2/workflows/dlq/restart", bulk("workflowRuns", 100, LETTERS)),
    (None, "/v2/workflows/dlq/resume/*", Rule::One(Kind::DeadLetter)),
    (None, "/v2/workflows/dlq/restart/*", Rule::One(Kind::DeadLetter)),
    (None, "/v2/workflows/dlq/callback/*", Rule::One(Kind::DeadLetter)),
    (None, "/v2/workflows/dlq/*", Rule::One(Kind::DeadLetter)),
    (None, "/v2/wait/**", Rule::OfRun),
    (None, "/v2/notify/**", Rule::Notify),
    (Some(Method::Get), "/v2/waiters/**", Rule::Whole { order: "deadline" }),
    (Some(Method::Get), "/v2/queues", Rule::Whole { order: "name" }),
    (Some(Method::Post), "/v2/queues", Rule::QueueSettings),
    (None, "/v2/queues/*", Rule::One(Kind::Queue)),
    (None, "/v2/queues/*/pause", Rule::One(Kind::Queue)),
    (None, "/v2/queues/*/resume", Rule::One(Kind::Queue)),
    (Some(Method::Get), "/v2/schedules", Rule::Whole { order: "createdAt" }),
    (Some(Method::Post), "/v2/schedules/*/pause", Rule::One(Kind::Schedule)),
    (Some(Method::Post), "/v2/schedules/*/resume", Rule::One(Kind::Schedule)),
    (Some(Method::Post), "/v2/schedules/**", Rule::NewSchedule),
    (None, "/v2/schedules/**", Rule::One(Kind::Schedule)),
    (Some(Method::Get), "/v2/flowControl", Rule::Whole { order: "flowControlKey" }),
    (None, "/v2/flowControl/**", Rule::One(Kind::FlowKey)),
    (Some(Method::Get), "/v2/globalParallelism", Rule::Sum),
    (Some(Method::Get), "/v2/metrics", Rule::Metrics),
];

/// What a request is about, and what its path leaves open.
pub fn rule(method: Method, path: &str) -> (Rule, &str) {
    RULES
        .iter()
        .filter(|(known, ..)| known.is_none_or(|known| known == method))
        .find_map(|(_, pattern, rule)| Some((*rule, fit(pattern, path)?)))
        .unwrap_or((Rule::Directory, ""))
}
