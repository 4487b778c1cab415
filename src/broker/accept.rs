//! Accepting a message: deduplication, the run that it starts or continues, what is stored.

use sha2::{Digest, Sha256};

use crate::broker::publication::{Deduplication, Publication, flag};
use crate::broker::store::event::{self, Detail, State};
use crate::broker::store::message::{self, Message, Role};
use crate::broker::store::run::{self, Config, NewRun, Run};
use crate::broker::store::step::{self, Entry};
use crate::broker::store::{Sql, Value};
use crate::broker::{Scope, invalid_header};
use crate::error::{Code, Error, Result};
use crate::wire::{CallType, Headers, MessageId, Step, StepType, Timestamp, base64, header};

/// What became of a publication.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The message; an older one if this was a duplicate.
    pub message_id: String,
    /// Whether it was a duplicate.
    pub deduplicated: bool,
    /// The id and the creation time of the run that it starts.
    pub run: Option<(String, Timestamp)>,
}

/// The publication's place in the workflow protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// None.
    Message,
    /// It starts the run.
    Start(String),
    /// It submits a step of the run.
    Step(String),
    /// It is a `context.call` of the run.
    Call(String),
}

impl Part {
    /// Reads the headers of the workflow protocol.
    pub fn of(publication: &Publication) -> Result<Self> {
        let headers = &publication.workflow;
        let Some(init) = flag(headers, header::WORKFLOW_INIT)? else {
            if headers.contains(header::WORKFLOW_RUN_ID) {
                return Err(invalid_header(header::WORKFLOW_INIT, "true or false on a message that names a run"));
            }
            return Ok(Part::Message);
        };
        let id = headers.get(header::WORKFLOW_RUN_ID).unwrap_or_default();
        let readable = |byte: u8| byte.is_ascii_graphic() && !b"/?#%,".contains(&byte);
        if id.is_empty() || id.len() > MAX_ID_LENGTH || !id.bytes().all(readable) {
            return Err(invalid_header(
                header::WORKFLOW_RUN_ID,
                "the id of a run, at most 256 visible ASCII characters other than / ? # % and the comma",
            ));
        }
        match (init, headers.get(header::WORKFLOW_CALL_TYPE)) {
            (true, _) => Ok(Part::Start(id.to_owned())),
            (false, None) => Ok(Part::Step(id.to_owned())),
            (false, Some("toCallback")) => Ok(Part::Call(id.to_owned())),
            (false, Some(_)) => {
                Err(invalid_header(header::WORKFLOW_CALL_TYPE, "toCallback, or no such header on a step"))
            }
        }
    }
}

const MAX_ID_LENGTH: usize = 256;

/// Whether a header that a run remembers is meant for invocations with a history only.
pub fn is_only_for_history(name: &str) -> bool {
    name.eq_ignore_ascii_case(header::WORKFLOW_SDK_VERSION) || name.eq_ignore_ascii_case(header::CONTENT_TYPE)
}

/// Accepts a publication; must run inside a transaction.
pub fn accept<S: Sql>(scope: &mut Scope<'_, S>, publication: Publication, caller_ip: Option<&str>) -> Result<Accepted> {
    match Part::of(&publication)? {
        Part::Message => {
            deduplicated(scope, publication, |scope, publication| accept_message(scope, publication, caller_ip))
        }
        Part::Start(id) => {
            deduplicated(scope, publication, |scope, publication| accept_start(scope, &id, publication, caller_ip))
        }
        Part::Step(id) => accept_step(scope, &id, publication, caller_ip),
        Part::Call(id) => accept_call(scope, &id, publication, caller_ip),
    }
}

/// Accepts a publication unless it repeats one of the deduplication window, and remembers it for the next.
fn deduplicated<'a, S: Sql>(
    scope: &mut Scope<'a, S>,
    publication: Publication,
    accept: impl FnOnce(&mut Scope<'a, S>, Publication) -> Result<Accepted>,
) -> Result<Accepted> {
    let Some(rule) = &publication.deduplication else { return accept(scope, publication) };
    let key = deduplication_key(rule, &publication);
    if let Some(message_id) = message::find_duplicate(scope.sql, &key, scope.at)? {
        return Ok(Accepted { message_id, deduplicated: true, run: None });
    }
    let accepted = accept(scope, publication)?;
    if !accepted.deduplicated {
        message::remember(scope.sql, &key, &accepted.message_id, scope.at + scope.settings.deduplication_window)?;
    }
    Ok(accepted)
}

/// Stores a message and logs that it was created.
pub fn store<S: Sql>(scope: &mut Scope<'_, S>, message: &Message) -> Result<()> {
    message::insert(scope.sql, message)?;
    let detail = Detail { next_delivery: Some(message.due_at), ..Detail::default() };
    event::insert(scope.sql, scope.at, State::Created, message, &detail)
}

/// The message that a publication asks for. What it does not say itself, its run remembers.
pub fn message<S: Sql>(
    scope: &mut Scope<'_, S>,
    role: Role,
    publication: Publication,
    run: Option<&Run>,
    caller_ip: Option<&str>,
) -> Message {
    let remembered = run.filter(|_| role != Role::Call).map(|run| &run.config);
    let defaults = &scope.settings.defaults;
    let mut headers = publication.headers;
    if let Some(content_type) = publication.content_type.filter(|_| !headers.contains(header::CONTENT_TYPE)) {
        headers.append(header::CONTENT_TYPE, content_type);
    }
    Message {
        id: MessageId::generate(scope.entropy).to_string(),
        role,
        run: run.map(|run| run.key),
        position: None,
        url: publication.url,
        method: publication.method,
        headers,
        body: publication.body,
        created_at: scope.at,
        not_before: publication.not_before,
        due_at: publication.not_before,
        attempt: 0,
        max_retries: publication
            .retries
            .unwrap_or_else(|| remembered.map_or(defaults.retries, |config| config.retries)),
        retry_delay: publication.retry_delay.or_else(|| remembered.and_then(|config| config.retry_delay.clone())),
        timeout: publication.timeout.unwrap_or_else(|| remembered.map_or(defaults.timeout, |config| config.timeout)),
        lease: None,
        leased_at: None,
        label: publication.label.or_else(|| run.and_then(|run| run.label.clone())),
        caller_ip: caller_ip.map(str::to_owned).or_else(|| run.and_then(|run| run.caller_ip.clone())),
        callback: publication.callback,
        failure_callback: publication.failure_callback,
    }
}

fn accept_message<S: Sql>(
    scope: &mut Scope<'_, S>,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    let message = message(scope, Role::Plain, publication, None, caller_ip);
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: None })
}

fn accept_start<S: Sql>(
    scope: &mut Scope<'_, S>,
    id: &str,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    // A trigger is repeated when its answer was lost, perhaps after a quick run has ended.
    let recent = |run: &Run| run.is_active() || run.created_at + scope.settings.deduplication_window > scope.at;
    if let Some(run) = run::find_by_id(scope.sql, id)?.filter(recent) {
        return Ok(Accepted { message_id: run.message_id, deduplicated: true, run: Some((run.id, run.created_at)) });
    }
    let defaults = &scope.settings.defaults;
    let config = Config {
        headers: publication.headers.clone(),
        retries: publication.retries.unwrap_or(defaults.retries),
        retry_delay: publication.retry_delay.clone(),
        timeout: publication.timeout.unwrap_or(defaults.timeout),
        failure_callback: publication.failure_callback.clone(),
        features: publication.features.clone(),
    };
    let publication = Publication { content_type: None, headers: Headers::new(), ..publication };
    let mut message = message(scope, Role::Start, publication, None, caller_ip);
    let payload = std::mem::take(&mut message.body);
    let run = run::insert(
        scope.sql,
        &NewRun {
            id,
            message_id: &message.id,
            url: &message.url,
            created_at: scope.at,
            config: &config,
            label: message.label.as_deref(),
            caller_ip,
        },
    )?;
    step::append(
        scope.sql,
        &Entry {
            run,
            position: 0,
            message_id: message.id.clone(),
            call_type: CallType::Step,
            is_plan: false,
            place: 0,
            group_end: 0,
            concurrent: 1,
            name: "init".to_owned(),
            step_type: StepType::Initial.as_str().to_owned(),
            body: payload,
            created_at: scope.at,
            started_at: None,
            attempts: None,
        },
    )?;
    let message = Message { run: Some(run), position: Some(0), failure_callback: None, ..message };
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: Some((id.to_owned(), scope.at)) })
}

fn accept_step<S: Sql>(
    scope: &mut Scope<'_, S>,
    id: &str,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    let run = active_run(scope, id)?;
    let submitted = read_step(&publication.body)?;
    let place = submitted.place();
    let group = if submitted.is_plan() {
        Group::Plan
    } else if submitted.concurrent > 1 {
        Group::Member
    } else {
        Group::None
    };
    let publication = Publication { content_type: None, ..publication };
    let mut message = message(scope, Role::Step, publication, Some(&run), caller_ip);
    let body = std::mem::take(&mut message.body);
    let entry = Submitted {
        message_id: &message.id,
        call_type: CallType::Step,
        group,
        place,
        concurrent: submitted.concurrent,
        name: submitted.step_name,
        step_type: submitted.step_type.as_str().to_owned(),
        body,
    };
    message.position = Some(append(scope, &run, entry)?);
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: None })
}

fn accept_call<S: Sql>(
    scope: &mut Scope<'_, S>,
    id: &str,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    let run = active_run(scope, id)?;
    let callback = publication
        .callback
        .as_ref()
        .ok_or_else(|| invalid_header(header::CALLBACK, "the URL of the workflow that made the call"))?;
    let told = |name: &str| {
        let name = format!("{}{}{name}", header::FORWARD_PREFIX, header::WORKFLOW_PREFIX);
        callback.headers.get(&name).ok_or_else(|| {
            invalid_header(&name.replacen("Upstash-", header::CALLBACK_PREFIX, 1), "the step that made the call")
        })
    };
    let number = |name: &str| -> Result<u32> {
        told(name)?.parse().map_err(|_| invalid_header(&format!("{}{name}", header::WORKFLOW_PREFIX), "a whole number"))
    };
    let (place, concurrent) = (number("StepId")?, number("Concurrent")?);
    let (name, step_type) = (told("StepName")?.to_owned(), told("StepType")?.to_owned());
    let mut message = message(scope, Role::Call, publication, Some(&run), caller_ip);
    let entry = Submitted {
        message_id: &message.id,
        call_type: CallType::ToCallback,
        group: if concurrent > 1 { Group::Member } else { Group::None },
        place,
        concurrent,
        name,
        step_type,
        body: Vec::new(),
    };
    message.position = Some(append(scope, &run, entry)?);
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: None })
}

/// The run with `id`, if it goes on. The SDK takes 400 for "the run has ended" and stops quietly.
fn active_run<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<Run> {
    run::find_by_id(scope.sql, id)?.filter(Run::is_active).ok_or_else(|| {
        Error::new(
            Code::InvalidRequest,
            format!("the run '{id}' takes no step: it has ended, was cancelled or never began"),
        )
    })
}

fn read_step(body: &[u8]) -> Result<Step> {
    let step: Step = serde_json::from_slice(body)
        .map_err(|error| Error::new(Code::InvalidRequest, format!("the body is not a step: {error}")))?;
    if step.place() == 0 || step.concurrent == 0 {
        return Err(Error::new(
            Code::InvalidRequest,
            "the body is not a step: stepId (or targetStep of a plan) and concurrent count from 1",
        ));
    }
    Ok(step)
}

/// Whether an entry belongs to a parallel group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    None,
    Plan,
    Member,
}

struct Submitted<'a> {
    message_id: &'a str,
    call_type: CallType,
    group: Group,
    place: u32,
    concurrent: u32,
    name: String,
    step_type: String,
    body: Vec<u8>,
}

/// Appends to the run's history; returns the position.
fn append<S: Sql>(scope: &mut Scope<'_, S>, run: &Run, submitted: Submitted<'_>) -> Result<i64> {
    let position = step::next_position(scope.sql, run.key)?;
    if usize::try_from(position).unwrap_or(usize::MAX) >= scope.settings.limits.history_entries {
        return Err(Error::new(
            Code::PayloadTooLarge,
            format!("the run '{}' has reached the limit of {position} entries in its history", run.id),
        ));
    }
    let place = submitted.place;
    let plan = if submitted.group == Group::Member { step::plan_of(scope.sql, run.key, place)? } else { None };
    let group_end = match (submitted.group, &plan) {
        (Group::Plan, _) => plan_group_end(scope, run.key, position, place, submitted.concurrent)?,
        (Group::Member, Some((group_end, _))) => *group_end,
        _ => place,
    };
    let invocation = invocation(scope, run.key, plan.as_ref().map(|(_, message)| message.as_str()))?;
    step::append(
        scope.sql,
        &Entry {
            run: run.key,
            position,
            message_id: submitted.message_id.to_owned(),
            call_type: submitted.call_type,
            is_plan: submitted.group == Group::Plan,
            place,
            group_end,
            concurrent: submitted.concurrent,
            name: submitted.name,
            step_type: submitted.step_type,
            body: submitted.body,
            created_at: scope.at,
            started_at: invocation.map(|(started_at, _)| started_at),
            attempts: invocation.map(|(_, attempts)| attempts),
        },
    )?;
    Ok(position)
}

/// The last place of a plan's group. The plans of a group are submitted together and in order.
fn plan_group_end<S: Sql>(scope: &Scope<'_, S>, run: i64, position: i64, place: u32, concurrent: u32) -> Result<u32> {
    let before = step::find(scope.sql, run, position - 1)?;
    Ok(match before {
        Some(before) if before.is_plan && before.place.checked_add(1) == Some(place) && before.group_end >= place => {
            before.group_end
        }
        _ => place.saturating_add(concurrent - 1),
    })
}

/// When the invocation began that is submitting a step now, and which try it is: that of the step's plan,
/// or the one that is furthest in the history.
fn invocation<S: Sql>(scope: &Scope<'_, S>, run: i64, plan: Option<&str>) -> Result<Option<(Timestamp, u32)>> {
    let rows = scope.sql.query(
        "SELECT leased_at, attempt FROM messages WHERE run = ? AND lease IS NOT NULL AND role <> 'call'
         ORDER BY id = ? DESC, position DESC LIMIT 1",
        &[Value::from(run), Value::from(plan.unwrap_or_default())],
    )?;
    rows.first().map(|row| Ok((row.timestamp(0)?, row.count(1)?.saturating_add(1)))).transpose()
}

fn deduplication_key(rule: &Deduplication, publication: &Publication) -> String {
    match rule {
        Deduplication::Id(id) => format!("id:{id}"),
        Deduplication::Content => {
            let mut hash = Sha256::new();
            let mut add = |part: &[u8]| {
                hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
                hash.update(part);
            };
            add(publication.url.as_bytes());
            add(publication.method.as_str().as_bytes());
            add(publication.content_type.as_deref().unwrap_or_default().as_bytes());
            let mut headers: Vec<(String, &str)> =
                publication.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
            headers.sort();
            for (name, value) in headers {
                add(name.as_bytes());
                add(value.as_bytes());
            }
            add(&publication.body);
            format!("content:{}", base64::encode_url(hash.finalize()))
        }
    }
}
