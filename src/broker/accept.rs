//! Accepting a message: deduplication, the run that it starts or continues, what is stored.

use serde_json::{Value, json};

use crate::broker::history::{self, Group, Submitted};
use crate::broker::publication::{Publication, flag};
use crate::broker::shard::place::Name;
use crate::broker::shard::relay::{self, Relay};
use crate::broker::store::event::{self, Detail, State};
use crate::broker::store::message::{self, Message, Role};
use crate::broker::store::run::{self, Config, NewRun, Run};
use crate::broker::store::step::{self, Entry};
use crate::broker::store::{Sql, logged, webhook};
use crate::broker::{Scope, deduplication, gate, invalid_header, invoke};
use crate::error::{Code, Error, Result};
use crate::wire::{CallType, Headers, Step, StepType, Timestamp, header};

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

impl Accepted {
    /// What a publisher is told about its message.
    pub fn answer(&self) -> Value {
        let mut answer = json!({ "messageId": self.message_id });
        if self.deduplicated {
            answer["deduplicated"] = json!(true);
        }
        if let Some((id, created_at)) = &self.run {
            answer["workflowRunId"] = json!(id);
            answer["workflowCreatedAt"] = json!(created_at.millis());
        }
        answer
    }
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
    /// It starts the run for another run, which waits for its end.
    Invoke(String),
}

impl Part {
    /// Reads the headers of the workflow protocol.
    pub fn of(publication: &Publication) -> Result<Self> {
        let headers = &publication.workflow;
        let Some(init) = flag(headers, header::WORKFLOW_INIT)? else {
            if headers.contains(header::WORKFLOW_RUN_ID) || headers.contains(header::WORKFLOW_INVOKE) {
                return Err(invalid_header(
                    header::WORKFLOW_INIT,
                    "true or false on a message that names or invokes a run",
                ));
            }
            return Ok(Part::Message);
        };
        let id = headers.get(header::WORKFLOW_RUN_ID).unwrap_or_default();
        check_run_id(id)?;
        let invokes = flag(headers, header::WORKFLOW_INVOKE)?.unwrap_or(false);
        match (init, headers.get(header::WORKFLOW_CALL_TYPE)) {
            (true, _) if invokes => Ok(Part::Invoke(id.to_owned())),
            (true, _) => Ok(Part::Start(id.to_owned())),
            (false, _) if invokes => {
                Err(invalid_header(header::WORKFLOW_INIT, "true on the message that invokes a run"))
            }
            (false, None | Some("step")) => Ok(Part::Step(id.to_owned())),
            (false, Some("toCallback")) => Ok(Part::Call(id.to_owned())),
            (false, Some(_)) => {
                Err(invalid_header(header::WORKFLOW_CALL_TYPE, "step or toCallback, or no such header on a step"))
            }
        }
    }
}

/// Whether a request comes from a run's function, whose SDK takes status 400 for the end of the run.
pub fn is_step(headers: &Headers) -> bool {
    headers.contains(header::WORKFLOW_RUN_ID)
        && (headers.get(header::WORKFLOW_INIT).is_some_and(|init| init.trim().eq_ignore_ascii_case("false"))
            || headers.contains(header::WORKFLOW_INVOKE))
}

/// An id that can stand in a path and in a list.
pub fn check_run_id(id: &str) -> Result<&str> {
    let readable = |byte: u8| byte.is_ascii_graphic() && !b"/?#%,".contains(&byte);
    if id.is_empty() || id.len() > MAX_ID_LENGTH || !id.bytes().all(readable) {
        return Err(invalid_header(
            header::WORKFLOW_RUN_ID,
            "the id of a run, at most 256 visible ASCII characters other than / ? # % and the comma",
        ));
    }
    Ok(id)
}

const MAX_ID_LENGTH: usize = 256;

/// Whether a header that a run remembers is meant for invocations with a history only.
pub fn is_only_for_history(name: &str) -> bool {
    name.eq_ignore_ascii_case(header::WORKFLOW_SDK_VERSION) || name.eq_ignore_ascii_case(header::CONTENT_TYPE)
}

/// How much larger a step may be than other messages.
pub const STEP_FACTOR: usize = 8;

/// Accepts a publication; must run inside a transaction.
pub fn accept<S: Sql>(scope: &mut Scope<'_, S>, publication: Publication, caller_ip: Option<&str>) -> Result<Accepted> {
    match Part::of(&publication)? {
        Part::Message => {
            deduplication::once(scope, publication, |scope, publication| accept_message(scope, publication, caller_ip))
        }
        Part::Start(id) => deduplication::once(scope, publication, |scope, publication| {
            accept_start(scope, &id, publication, caller_ip)
        }),
        Part::Step(id) => accept_step(scope, &id, publication, caller_ip),
        Part::Call(id) => accept_call(scope, &id, publication, caller_ip),
        Part::Invoke(id) => invoke::accept(scope, &id, publication, caller_ip),
    }
}

/// Stores a message and logs that it was created.
pub fn store<S: Sql>(scope: &mut Scope<'_, S>, message: &Message) -> Result<()> {
    message::insert(scope.sql, message)?;
    logged::insert(scope.sql, message)?;
    let detail = Detail { next_delivery: Some(message.due_at), ..Detail::default() };
    event::insert(scope.sql, scope.at, State::Created, message, &detail)
}

/// Refuses a queue for what belongs to a run: it would hold the run up, or be held up by it.
pub fn check_unqueued(publication: &Publication) -> Result<()> {
    match publication.queue {
        None => Ok(()),
        Some(_) => {
            Err(invalid_header(header::QUEUE_NAME, "no queue for what belongs to a run: runs go on by themselves"))
        }
    }
}

/// The message that a publication asks for, and what it says about its queue and its flow-control key. What it does not
/// say itself, its run remembers.
pub fn message<S: Sql>(
    scope: &mut Scope<'_, S>,
    role: Role,
    publication: Publication,
    run: Option<&Run>,
    caller_ip: Option<&str>,
) -> Result<Message> {
    if role != Role::Plain {
        check_unqueued(&publication)?;
    }
    let remembered = run.filter(|_| role != Role::Call).map(|run| &run.config);
    let flow_key = match publication.flow_control {
        Some((key, limits)) => {
            gate::limit(scope, &key, limits)?;
            Some(key)
        }
        None => remembered.filter(|_| role.is_invocation()).and_then(|config| config.flow_key.clone()),
    };
    if let Some(name) = &publication.queue {
        gate::made(scope, name)?;
    }
    let defaults = &scope.settings.defaults;
    let mut headers = publication.headers;
    if let Some(content_type) = publication.content_type.filter(|_| !headers.contains(header::CONTENT_TYPE)) {
        headers.append(header::CONTENT_TYPE, content_type);
    }
    Ok(Message {
        id: publication.id.unwrap_or_else(|| scope.message_id()),
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
        queue: publication.queue,
        slot: None,
        flow_key,
        source: publication.source,
        redaction: publication.redaction.or_else(|| run.and_then(|run| run.config.redaction.clone())),
    })
}

fn accept_message<S: Sql>(
    scope: &mut Scope<'_, S>,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    let queue = publication.queue.clone();
    if let Some(home) = queue.as_deref().and_then(|queue| elsewhere(scope, Name::Queue(queue))) {
        return hand_over(scope, home, publication, caller_ip, None);
    }
    let message = message(scope, Role::Plain, publication, None, caller_ip)?;
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: None })
}

/// The shard where something has its place, if that is another one.
fn elsewhere<S>(scope: &Scope<'_, S>, name: Name<'_>) -> Option<u32> {
    let home = scope.shard.home(name);
    (home != scope.shard.index()).then_some(home)
}

/// Lets another shard accept a message. Publishers come to the right one by themselves, schedules and URL groups don't.
fn hand_over<S: Sql>(
    scope: &mut Scope<'_, S>,
    home: u32,
    publication: Publication,
    caller_ip: Option<&str>,
    run: Option<&str>,
) -> Result<Accepted> {
    let message_id = scope.shard.with_index(home).message_id(scope.entropy);
    let publication = Publication { id: Some(message_id.clone()), deduplication: None, ..publication };
    relay::push(scope.sql, home, &Relay::publish(publication, caller_ip))?;
    Ok(Accepted { message_id, deduplicated: false, run: run.map(|id| (id.to_owned(), scope.at)) })
}

/// Starts a run, unless it repeats a trigger.
pub fn accept_start<S: Sql>(
    scope: &mut Scope<'_, S>,
    id: &str,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    if let Some(home) = elsewhere(scope, Name::Run(id)) {
        return hand_over(scope, home, publication, caller_ip, Some(id));
    }
    // A trigger is repeated when its answer was lost, perhaps after a quick run has ended.
    let recent = |run: &Run| run.is_active() || run.created_at + scope.settings.deduplication_window > scope.at;
    if let Some(run) = run::find_by_id(scope.sql, id)?.filter(recent) {
        if run.is_active() && flag(&publication.workflow, header::WORKFLOW_TRIGGER_BY_SDK)?.unwrap_or(false) {
            return configure(scope, &run, publication, caller_ip);
        }
        return Ok(Accepted { message_id: run.message_id, deduplicated: true, run: Some((run.id, run.created_at)) });
    }
    let config = config(scope, &publication)?;
    let publication = Publication { content_type: None, headers: Headers::new(), ..publication };
    let mut message = message(scope, Role::Start, publication, None, caller_ip)?;
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
            cause: None,
        },
    )?;
    let message = Message { run: Some(run), position: Some(0), failure_callback: None, ..message };
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: Some((id.to_owned(), scope.at)) })
}

/// What a run remembers of the publication that starts it.
fn config<S: Sql>(scope: &Scope<'_, S>, publication: &Publication) -> Result<Config> {
    let defaults = &scope.settings.defaults;
    let mut headers = publication.headers.clone();
    // It says something about the first delivery only, also where it came as a header to forward.
    let unknown_sdk = flag(&publication.workflow, header::WORKFLOW_UNKNOWN_SDK)?.unwrap_or(false)
        || flag(&headers, header::WORKFLOW_UNKNOWN_SDK)?.unwrap_or(false);
    headers.remove(header::WORKFLOW_UNKNOWN_SDK);
    Ok(Config {
        headers,
        unknown_sdk,
        retries: publication.retries.unwrap_or(defaults.retries),
        retry_delay: publication.retry_delay.clone(),
        timeout: publication.timeout.unwrap_or(defaults.timeout),
        failure_callback: publication.failure_callback.clone(),
        features: publication.features.clone(),
        flow_key: publication.flow_control.as_ref().map(|(key, _)| key.clone()),
        redaction: publication.redaction.clone(),
    })
}

/// Takes the headers of a run from the SDK that serves it: the trigger came from somebody who did not know its
/// protocol (`Upstash-Workflow-Unknown-Sdk`), so the first delivery is answered with a trigger of the same run. What
/// that one leaves out stays as it was. Once the run has a step, it changes nothing.
fn configure<S: Sql>(
    scope: &mut Scope<'_, S>,
    run: &Run,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    let known = Some((run.id.clone(), run.created_at));
    if step::history(scope.sql, run.key, None)?.len() > 1 {
        return Ok(Accepted { message_id: run.message_id.clone(), deduplicated: true, run: known });
    }
    let told = config(scope, &publication)?;
    let config = Config {
        retries: publication.retries.unwrap_or(run.config.retries),
        retry_delay: told.retry_delay.or_else(|| run.config.retry_delay.clone()),
        timeout: publication.timeout.unwrap_or(run.config.timeout),
        failure_callback: told.failure_callback.or_else(|| run.config.failure_callback.clone()),
        flow_key: told.flow_key.or_else(|| run.config.flow_key.clone()),
        redaction: told.redaction.or_else(|| run.config.redaction.clone()),
        unknown_sdk: false,
        ..told
    };
    run::set_config(scope.sql, run.key, &config)?;
    let publication = Publication { content_type: None, headers: Headers::new(), body: Vec::new(), ..publication };
    let message = message(scope, Role::Start, publication, Some(run), caller_ip)?;
    let message = Message { position: Some(0), failure_callback: None, ..message };
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: known })
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
    let group = if submitted.is_plan() { Group::Plan } else { Group::of_result(submitted.concurrent) };
    if submitted.step_type == StepType::CreateWebhook
        && let Some(event_id) = created_webhook(&submitted)
    {
        webhook::insert(scope.sql, run.key, &run.id, &event_id)?;
    }
    let cause = cause(&publication);
    let publication = Publication { content_type: None, ..publication };
    let mut message = message(scope, Role::Step, publication, Some(&run), caller_ip)?;
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
        cause: cause.as_deref(),
    };
    message.position = Some(history::append(scope, &run, entry)?);
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: None })
}

/// The event that calls of a new webhook cause; the SDK makes it up and tells it in the step's result.
fn created_webhook(step: &Step) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Webhook {
        event_id: String,
    }
    let out: String = serde_json::from_str(step.out.as_ref()?.get()).ok()?;
    serde_json::from_str::<Webhook>(&out).ok().map(|webhook| webhook.event_id)
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
    let cause = cause(&publication);
    let mut message = message(scope, Role::Call, publication, Some(&run), caller_ip)?;
    let entry = Submitted {
        message_id: &message.id,
        call_type: CallType::ToCallback,
        group: Group::of_result(concurrent),
        place,
        concurrent,
        name,
        step_type,
        body: json!({ "callUrl": message.url, "callMethod": message.method.as_str() }).to_string().into_bytes(),
        cause: cause.as_deref(),
    };
    message.position = Some(history::append(scope, &run, entry)?);
    store(scope, &message)?;
    Ok(Accepted { message_id: message.id, deduplicated: false, run: None })
}

/// The message whose delivery makes a submission, where the SDK says so.
pub fn cause(publication: &Publication) -> Option<String> {
    publication.workflow.get(header::WORKFLOW_CAUSE).map(str::to_owned)
}

/// The run with `id`, if it goes on. The SDK takes 400 for "the run has ended" and stops quietly.
pub fn active_run<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<Run> {
    run::find_by_id(scope.sql, id)?.filter(Run::is_active).ok_or_else(|| {
        Error::new(Code::RunEnded, format!("the run '{id}' takes no step: it has ended, was cancelled or never began"))
    })
}

fn read_step(body: &[u8]) -> Result<Step> {
    let step: Step = serde_json::from_slice(body)
        .map_err(|error| Error::new(Code::InvalidRequest, format!("the body is not a step: {error}")))?;
    check_step(&step)?;
    Ok(step)
}

/// The longest name of a step; a row of the database holds it.
const MOST_NAME_BYTES: usize = 16 * 1024;

/// A step that has no result yet, as it is kept until it has one: in one row of the database.
pub fn check_pending(step: &Step) -> Result<()> {
    check_step(step)?;
    let bytes = serde_json::to_string(step).map_or(0, |text| text.len());
    if bytes > MOST_PENDING_BYTES {
        return Err(Error::new(
            Code::InvalidRequest,
            format!(
                "a step that waits has {bytes} bytes, over the limit of {MOST_PENDING_BYTES}: it has no result yet"
            ),
        ));
    }
    Ok(())
}

const MOST_PENDING_BYTES: usize = 256 * 1024;

/// A step has a place and belongs to a group of one at least.
pub fn check_step(step: &Step) -> Result<()> {
    if step.place() == 0 || step.concurrent == 0 {
        return Err(Error::new(
            Code::InvalidRequest,
            "the body is not a step: stepId (or targetStep of a plan) and concurrent count from 1",
        ));
    }
    if step.step_name.len() > MOST_NAME_BYTES {
        return Err(Error::new(
            Code::InvalidRequest,
            format!("the step's name is longer than {MOST_NAME_BYTES} bytes; results belong into its out"),
        ));
    }
    Ok(())
}
