//! The HTTP API: one table of routes, and one file for each resource.

mod batch;
mod dead_letters;
mod events;
mod failed_runs;
mod filter;
mod flow_control;
mod hooks;
mod messages;
mod metrics;
mod notifications;
mod queues;
mod run_logs;
mod runs;
mod schedules;
mod tokens;
mod topics;
mod triggers;
mod trim;
mod views;
mod waits;

use self::dead_letters::Kind;
use crate::broker::accept::is_step;
use crate::broker::query::{Query, decode, split};
use crate::broker::recovery::Mode;
use crate::broker::store::message::Message;
use crate::broker::store::{Sql, flow_key};
use crate::broker::{Scope, Settings, access, changes, keys};
use crate::error::{Code, Error, Result};
use crate::wire::{FlowLimits, Method, Request, Response, header};

pub(super) use batch::{bytes as batch_body, names_a_run as batch_names_a_run};

/// The header by which a shard tells the cursor of each entry of a page.
pub(super) const POSITIONS: &str = "x-broker-positions";

/// A request on its way to its handler.
struct Call<'a> {
    request: &'a Request,
    /// The query as it was written.
    raw_query: &'a str,
    query: Query,
    /// The decoded segment, or the raw rest of the path, that the route's pattern leaves open.
    parameter: String,
}

/// What a route leads to.
#[derive(Clone, Copy)]
enum Endpoint {
    Publish,
    Enqueue,
    Batch,
    Message,
    CancelMessage,
    CancelMessages,
    Changes,
    Queues,
    Queue,
    PutQueue,
    RemoveQueue,
    PauseQueue,
    ResumeQueue,
    FlowKeys,
    FlowKey,
    ActOnFlowKey,
    GlobalParallelism,
    DeadLetters,
    DeadLetter,
    RemoveDeadLetter,
    RemoveDeadLetters(Kind),
    Retry,
    RetryMany,
    Events,
    Logs,
    Keys,
    RotateKeys,
    RunSteps,
    EndRun,
    CancelRuns,
    RunLogs,
    FailedRuns,
    FailedRun,
    RemoveFailedRun,
    TakeUp(Mode),
    TakeUpMany(Mode),
    TellFailureAgain,
    CancelFailureTold,
    Wait,
    Waiters,
    Notify,
    Schedules,
    Schedule,
    CreateSchedule,
    RemoveSchedule,
    PauseSchedule,
    ResumeSchedule,
    Metrics,
    ChatCompletions,
    Trigger,
    TriggerMany,
    UrlGroups,
    UrlGroup,
    SetUrlGroup,
    RemoveUrlGroup,
    AddEndpoints,
    RemoveEndpoints,
}

/// Every route. `*` leaves one segment open, `**` at the end the rest of the path; the first that fits counts.
const ROUTES: &[(Method, &str, Endpoint)] = &[
    (Method::Post, "/v2/publish/**", Endpoint::Publish),
    (Method::Post, "/v2/batch", Endpoint::Batch),
    (Method::Get, "/v2/messages/*", Endpoint::Message),
    (Method::Delete, "/v2/messages/*", Endpoint::CancelMessage),
    (Method::Delete, "/v2/messages", Endpoint::CancelMessages),
    (Method::Get, "/v2/dlq", Endpoint::DeadLetters),
    (Method::Get, "/v2/dlq/*", Endpoint::DeadLetter),
    (Method::Delete, "/v2/dlq/*", Endpoint::RemoveDeadLetter),
    (Method::Delete, "/v2/dlq", Endpoint::RemoveDeadLetters(Kind::All)),
    (Method::Post, "/v2/dlq/retry", Endpoint::RetryMany),
    (Method::Post, "/v2/dlq/retry/*", Endpoint::Retry),
    (Method::Get, changes::PATH, Endpoint::Changes),
    (Method::Get, "/v2/events", Endpoint::Events),
    (Method::Get, "/v2/logs", Endpoint::Logs),
    (Method::Get, "/v2/keys", Endpoint::Keys),
    (Method::Post, "/v2/keys/rotate", Endpoint::RotateKeys),
    (Method::Get, "/v2/workflows/runs/*", Endpoint::RunSteps),
    (Method::Delete, "/v2/workflows/runs/*", Endpoint::EndRun),
    (Method::Delete, "/v2/workflows/runs", Endpoint::CancelRuns),
    (Method::Get, "/v2/workflows/logs", Endpoint::RunLogs),
    (Method::Get, "/v2/workflows/events", Endpoint::RunLogs),
    (Method::Get, "/v2/workflows/dlq", Endpoint::FailedRuns),
    (Method::Delete, "/v2/workflows/dlq", Endpoint::RemoveDeadLetters(Kind::FailedRuns)),
    (Method::Post, "/v2/workflows/dlq/resume", Endpoint::TakeUpMany(Mode::Resume)),
    (Method::Post, "/v2/workflows/dlq/resume/*", Endpoint::TakeUp(Mode::Resume)),
    (Method::Post, "/v2/workflows/dlq/restart", Endpoint::TakeUpMany(Mode::Restart)),
    (Method::Post, "/v2/workflows/dlq/restart/*", Endpoint::TakeUp(Mode::Restart)),
    (Method::Post, "/v2/workflows/dlq/callback/*", Endpoint::TellFailureAgain),
    (Method::Delete, "/v2/workflows/dlq/callback/*", Endpoint::CancelFailureTold),
    (Method::Get, "/v2/workflows/dlq/*", Endpoint::FailedRun),
    (Method::Delete, "/v2/workflows/dlq/*", Endpoint::RemoveFailedRun),
    (Method::Post, "/v2/trigger/**", Endpoint::Trigger),
    (Method::Post, "/v2/batch/trigger", Endpoint::TriggerMany),
    (Method::Post, "/v2/wait/**", Endpoint::Wait),
    (Method::Post, "/v2/notify/**", Endpoint::Notify),
    (Method::Get, "/v2/waiters/**", Endpoint::Waiters),
    (Method::Post, "/v2/enqueue/**", Endpoint::Enqueue),
    (Method::Get, "/v2/queues", Endpoint::Queues),
    (Method::Post, "/v2/queues", Endpoint::PutQueue),
    (Method::Get, "/v2/queues/*", Endpoint::Queue),
    (Method::Delete, "/v2/queues/*", Endpoint::RemoveQueue),
    (Method::Post, "/v2/queues/*/pause", Endpoint::PauseQueue),
    (Method::Post, "/v2/queues/*/resume", Endpoint::ResumeQueue),
    (Method::Get, "/v2/schedules", Endpoint::Schedules),
    (Method::Get, "/v2/schedules/*", Endpoint::Schedule),
    (Method::Delete, "/v2/schedules/*", Endpoint::RemoveSchedule),
    // The specification says POST, the official SDKs send PATCH.
    (Method::Patch, "/v2/schedules/*/pause", Endpoint::PauseSchedule),
    (Method::Post, "/v2/schedules/*/pause", Endpoint::PauseSchedule),
    (Method::Patch, "/v2/schedules/*/resume", Endpoint::ResumeSchedule),
    (Method::Post, "/v2/schedules/*/resume", Endpoint::ResumeSchedule),
    (Method::Post, "/v2/schedules/**", Endpoint::CreateSchedule),
    (Method::Get, "/v2/topics", Endpoint::UrlGroups),
    (Method::Get, "/v2/topics/*", Endpoint::UrlGroup),
    (Method::Patch, "/v2/topics/*", Endpoint::SetUrlGroup),
    (Method::Delete, "/v2/topics/*", Endpoint::RemoveUrlGroup),
    (Method::Post, "/v2/topics/*/endpoints", Endpoint::AddEndpoints),
    (Method::Delete, "/v2/topics/*/endpoints", Endpoint::RemoveEndpoints),
    (Method::Get, "/v2/flowControl", Endpoint::FlowKeys),
    (Method::Get, "/v2/flowControl/*", Endpoint::FlowKey),
    (Method::Post, "/v2/flowControl/**", Endpoint::ActOnFlowKey),
    (Method::Get, "/v2/globalParallelism", Endpoint::GlobalParallelism),
    (Method::Get, "/v2/metrics", Endpoint::Metrics),
    (Method::Post, "/llm/v1/chat/completions", Endpoint::ChatCompletions),
];

/// Answers a request; an error is an answer too.
pub(super) fn respond<S: Sql>(scope: &mut Scope<'_, S>, request: &Request) -> Response {
    route(scope, request)
        .unwrap_or_else(|error| Response::json(error.code().status(), &serde_json::json!({ "error": error.message() })))
}

fn route<S: Sql>(scope: &mut Scope<'_, S>, request: &Request) -> Result<Response> {
    let (path, raw_query) = split(&request.url);
    if let Some(webhook) = fit(hooks::PATTERN, path) {
        return hooks::call(scope, request, webhook, raw_query);
    }
    let query = Query::parse(raw_query);
    let access = access::check(scope.settings, &request.headers, &query)?;
    access.allow(request.method)?;
    let limit = route_limit(scope.settings, path, request);
    if request.body.len() > limit {
        return Err(Error::new(
            Code::PayloadTooLarge,
            format!("the request's body has {} bytes, over the limit of {limit} bytes", request.body.len()),
        ));
    }
    let fitting =
        || ROUTES.iter().filter_map(|(method, pattern, endpoint)| Some((*method, *endpoint, fit(pattern, path)?)));
    let Some((_, endpoint, parameter)) = fitting().find(|(method, ..)| *method == request.method) else {
        let allowed: Vec<&str> = fitting().map(|(method, ..)| method.as_str()).collect();
        return no_route(path, request.method, &allowed);
    };
    // A destination keeps its form; where event ids stand, a slash and an encoded one are told apart first.
    let raw = matches!(
        endpoint,
        Endpoint::Publish | Endpoint::Enqueue | Endpoint::Trigger | Endpoint::CreateSchedule | Endpoint::Notify
    );
    let parameter = if raw { parameter.to_owned() } else { decode(parameter, false) };
    let call = Call { request, raw_query, query, parameter };
    match endpoint {
        Endpoint::Publish => messages::publish(scope, &call),
        Endpoint::Batch => batch::publish(scope, &call),
        Endpoint::Message => messages::show(scope, &call),
        Endpoint::CancelMessage => messages::cancel(scope, &call),
        Endpoint::CancelMessages => messages::cancel_many(scope, &call),
        Endpoint::Changes => Ok(changes::begin()),
        Endpoint::Enqueue => queues::enqueue(scope, &call),
        Endpoint::Queues => queues::list(scope, &call),
        Endpoint::Queue => queues::show(scope, &call),
        Endpoint::PutQueue => queues::put(scope, &call),
        Endpoint::RemoveQueue => queues::remove(scope, &call),
        Endpoint::PauseQueue => queues::set_paused(scope, &call, true),
        Endpoint::ResumeQueue => queues::set_paused(scope, &call, false),
        Endpoint::Schedules => schedules::list(scope, &call),
        Endpoint::Schedule => schedules::show(scope, &call),
        Endpoint::CreateSchedule => schedules::create(scope, &call),
        Endpoint::RemoveSchedule => schedules::remove(scope, &call),
        Endpoint::PauseSchedule => schedules::set_paused(scope, &call, true),
        Endpoint::ResumeSchedule => schedules::set_paused(scope, &call, false),
        Endpoint::FlowKeys => flow_control::list(scope, &call),
        Endpoint::FlowKey => flow_control::show(scope, &call),
        Endpoint::ActOnFlowKey => flow_control::act(scope, &call),
        Endpoint::GlobalParallelism => flow_control::global(scope),
        Endpoint::DeadLetters => dead_letters::list(scope, &call),
        Endpoint::DeadLetter => dead_letters::show(scope, &call),
        Endpoint::RemoveDeadLetter => dead_letters::remove(scope, &call),
        Endpoint::RemoveDeadLetters(kind) => dead_letters::remove_many(scope, &call, kind),
        Endpoint::Retry => dead_letters::retry(scope, &call),
        Endpoint::RetryMany => dead_letters::retry_many(scope, &call),
        Endpoint::Events => events::list(scope, &call, "events"),
        Endpoint::Logs => events::list(scope, &call, "logs"),
        Endpoint::Keys => access.allow_secrets().map(|()| scope.keys.borrow().answer()),
        Endpoint::RotateKeys => keys::rotate(scope),
        Endpoint::RunSteps => runs::steps(scope, &call),
        Endpoint::EndRun => runs::end(scope, &call),
        Endpoint::CancelRuns => runs::cancel_many(scope, &call),
        Endpoint::RunLogs => run_logs::list(scope, &call),
        Endpoint::FailedRuns => failed_runs::list(scope, &call),
        Endpoint::FailedRun => failed_runs::show(scope, &call),
        Endpoint::RemoveFailedRun => failed_runs::remove(scope, &call),
        Endpoint::TakeUp(mode) => failed_runs::take_up(scope, &call, mode),
        Endpoint::TakeUpMany(mode) => failed_runs::take_up_many(scope, &call, mode),
        Endpoint::TellFailureAgain => failed_runs::tell_again(scope, &call),
        Endpoint::CancelFailureTold => failed_runs::cancel_told(scope, &call),
        Endpoint::Wait => waits::wait(scope, &call),
        Endpoint::Waiters => waits::list(scope, &call),
        Endpoint::Notify => notifications::notify(scope, &call),
        Endpoint::Metrics => metrics::show(scope, &call),
        Endpoint::ChatCompletions => Err(Error::new(
            Code::InvalidRequest,
            "QStash no longer runs language models, nor does this broker: call a provider's own URL, or publish to it \
             with a callback for the answer",
        )),
        Endpoint::Trigger => triggers::trigger(scope, &call),
        Endpoint::TriggerMany => triggers::trigger_many(scope, &call),
        Endpoint::UrlGroups => topics::list(scope, &call),
        Endpoint::UrlGroup => topics::show(scope, &call),
        Endpoint::SetUrlGroup => topics::set_headers(scope, &call),
        Endpoint::RemoveUrlGroup => topics::remove(scope, &call),
        Endpoint::AddEndpoints => topics::add_endpoints(scope, &call),
        Endpoint::RemoveEndpoints => topics::remove_endpoints(scope, &call),
    }
}

/// The answer where nothing is, or where other methods are.
fn no_route(path: &str, method: Method, allowed: &[&str]) -> Result<Response> {
    if allowed.is_empty() {
        return Err(Error::new(
            Code::NotFound,
            format!("no endpoint has the path {}", crate::wire::duration::shown(path)),
        ));
    }
    let text = format!("{path} does not take {}; expected {}", method.as_str(), allowed.join(" or "));
    let body = serde_json::json!({ "error": text });
    Ok(Response::json(Code::MethodNotAllowed.status(), &body).header("allow", allowed.join(", ")))
}

/// The most bytes of a request's body that a broker with these settings would look at; its head is enough to tell. 0 if the
/// token is not known.
pub fn body_limit(settings: &Settings, head: &Request) -> usize {
    let (path, query) = split(&head.url);
    if fit(hooks::PATTERN, path).is_some() {
        return settings.limits.body_bytes;
    }
    match access::check(settings, &head.headers, &Query::parse(query)) {
        Ok(access) if access.allow(head.method).is_ok() => route_limit(settings, path, head),
        _ => 0,
    }
}

fn route_limit(settings: &Settings, path: &str, head: &Request) -> usize {
    // The bodies of a batch are JSON texts within JSON, and many.
    let many = path == "/v2/batch" || path == "/v2/batch/trigger" || is_step(&head.headers);
    if many { settings.request_bytes() } else { settings.limits.body_bytes }
}

/// Whether a request goes to a webhook of a run, which needs no token.
pub fn is_webhook(url: &str) -> bool {
    fit(hooks::PATTERN, split(url).0).is_some()
}

/// What a path leaves of a pattern; `None` if it does not fit.
pub(super) fn fit<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let one = |rest: &&str| !rest.is_empty() && !rest.contains('/');
    if let Some(prefix) = pattern.strip_suffix("**") {
        return path.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    }
    if let Some(prefix) = pattern.strip_suffix('*') {
        return path.strip_prefix(prefix).filter(one);
    }
    if let Some((prefix, suffix)) = pattern.split_once("*/") {
        let rest = path.strip_prefix(prefix)?.strip_suffix(suffix)?.strip_suffix('/');
        return rest.filter(one);
    }
    (path.strip_suffix('/').unwrap_or(path) == pattern).then_some("")
}

/// The limits of a message's flow-control key as they are now.
fn limits<S: Sql>(scope: &Scope<'_, S>, message: &Message) -> Result<Option<FlowLimits>> {
    let Some(key) = &message.flow_key else { return Ok(None) };
    Ok(flow_key::find(scope.sql, key)?.map(|key| key.limits))
}

/// The address of the publisher, if the host knows it. A host sets this header itself and drops one that came in.
fn caller_ip(request: &Request) -> Option<&str> {
    request.headers.get(header::CALLER_IP).filter(|address| {
        address.len() <= 45 && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b".:".contains(&byte))
    })
}
