//! Every call of the official client by name, with its options as JSON: one door for bindings of other languages.

use crate::client::fields::{Fields, Json};
use crate::client::filter::Kind;
use crate::client::options::{bulk, endpoints, flow_control, listing, message, schedule};
use crate::client::query::check_id;
use crate::client::{Bulk, Client, Ending, Event, Pin, Resumption};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Request, RunId};

/// What an operation is told besides its name.
#[derive(Clone, Copy)]
enum Operation {
    /// Nothing.
    Plain(fn(&Client) -> Request),
    /// An id, as a JSON string.
    Of(fn(&Client, &str) -> Result<Request>),
    /// Options, as a JSON object.
    With(fn(&Client, Fields) -> Result<Request>),
    /// An array of options.
    WithMany(fn(&Client, Vec<Fields>) -> Result<Request>),
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("publish", Operation::With(|client, options| client.publish(&message(options)?))),
    ("batch", Operation::WithMany(batch)),
    ("queues.upsert", Operation::With(upsert_queue)),
    ("queues.get", Operation::Of(Client::queue)),
    ("queues.list", Operation::Plain(Client::queues)),
    ("queues.delete", Operation::Of(Client::delete_queue)),
    ("queues.pause", Operation::Of(Client::pause_queue)),
    ("queues.resume", Operation::Of(Client::resume_queue)),
    ("urlGroups.addEndpoints", Operation::With(add_endpoints)),
    ("urlGroups.removeEndpoints", Operation::With(remove_endpoints)),
    ("urlGroups.get", Operation::Of(Client::url_group)),
    ("urlGroups.list", Operation::Plain(Client::url_groups)),
    ("urlGroups.delete", Operation::Of(Client::delete_url_group)),
    ("schedules.create", Operation::With(|client, options| client.create_schedule(&schedule(options)?))),
    ("schedules.get", Operation::Of(Client::schedule)),
    ("schedules.list", Operation::Plain(Client::schedules)),
    ("schedules.delete", Operation::Of(Client::delete_schedule)),
    ("schedules.pause", Operation::Of(Client::pause_schedule)),
    ("schedules.resume", Operation::Of(Client::resume_schedule)),
    ("messages.get", Operation::Of(Client::message)),
    ("messages.cancel", Operation::Of(Client::cancel_message)),
    ("messages.cancelMany", Operation::With(|client, options| client.cancel_messages(&bulk(options, Kind::Messages)?))),
    ("dlq.list", Operation::With(|client, options| client.dead_letters(&listing(options, Kind::DeadLetters)?))),
    ("dlq.get", Operation::Of(Client::dead_letter)),
    ("dlq.delete", Operation::Of(Client::delete_dead_letter)),
    (
        "dlq.deleteMany",
        Operation::With(|client, options| client.delete_dead_letters(&bulk(options, Kind::DeadLetters)?)),
    ),
    ("dlq.retry", Operation::With(|client, options| client.retry_dead_letters(&bulk(options, Kind::DeadLetters)?))),
    ("logs", Operation::With(|client, options| client.logs(&listing(options, Kind::Logs)?))),
    ("flowControl.get", Operation::Of(Client::flow_control)),
    ("flowControl.list", Operation::With(list_flow_controls)),
    ("flowControl.pause", Operation::Of(Client::pause_flow_control)),
    ("flowControl.resume", Operation::Of(Client::resume_flow_control)),
    ("flowControl.pin", Operation::With(pin)),
    ("flowControl.unpin", Operation::With(unpin)),
    ("flowControl.resetRate", Operation::Of(Client::reset_flow_control_rate)),
    ("flowControl.reset", Operation::Of(Client::reset_flow_control)),
    ("flowControl.globalParallelism", Operation::Plain(Client::global_parallelism)),
    ("keys.get", Operation::Plain(Client::signing_keys)),
    ("keys.rotate", Operation::Plain(Client::rotate_signing_keys)),
    ("workflow.cancel", Operation::Of(cancel_run)),
    ("runs.cancel", Operation::With(|client, options| client.cancel_runs(&bulk(options, Kind::Runs)?))),
    ("runs.notify", Operation::With(notify)),
    ("runs.waiters", Operation::Of(Client::waiters)),
    ("runs.logs", Operation::With(|client, options| client.run_logs(&listing(options, Kind::RunLogs)?))),
    (
        "runs.dlq.list",
        Operation::With(|client, options| client.run_dead_letters(&listing(options, Kind::RunDeadLetters)?)),
    ),
    ("runs.dlq.resume", Operation::With(|client, options| revive(client, options, Client::resume_runs))),
    ("runs.dlq.restart", Operation::With(|client, options| revive(client, options, Client::restart_runs))),
    ("runs.dlq.retryFailureFunction", Operation::Of(Client::retry_failure_function)),
    (
        "runs.dlq.delete",
        Operation::With(|client, options| client.delete_run_dead_letters(&bulk(options, Kind::RunDeadLetters)?)),
    ),
];

impl Client {
    /// The request for a call of the official client, such as `queues.pause`, with the call's options as JSON: an id as a
    /// string, options under the official names (headers as an array of pairs), or nothing where there are none.
    ///
    /// ```
    /// use orchestration::client::Client;
    ///
    /// let client = Client::new("https://qstash.upstash.io", "token")?;
    /// let request = client.operation("messages.cancelMany", r#"{"filter": {"label": ["nightly", "eu"]}}"#)?;
    /// assert_eq!(request.url, "https://qstash.upstash.io/v2/messages?label=nightly&label=eu&count=100");
    /// # Ok::<(), orchestration::Error>(())
    /// ```
    ///
    /// [`Code::InvalidRequest`] for an unknown operation, and for options that are unknown, missing or of another type.
    pub fn operation(&self, name: &str, options: &str) -> Result<Request> {
        let Some((_, operation)) = OPERATIONS.iter().find(|(known, _)| *known == name) else {
            return Err(Error::new(Code::InvalidRequest, format!("there is no operation '{}'", shown(name))));
        };
        match operation {
            Operation::Plain(request) => Ok(request(self)),
            Operation::Of(request) => match Json::read(options)? {
                Json::Text(id) => request(self, &id),
                Json::Null => request(self, ""),
                _ => Err(Error::new(Code::InvalidRequest, "expected an id as a text")),
            },
            Operation::With(request) => request(self, Fields::read(options)?),
            Operation::WithMany(request) => request(self, Json::read(options)?.list()?),
        }
    }
}

fn batch(client: &Client, messages: Vec<Fields>) -> Result<Request> {
    let items = messages.into_iter().map(|options| message(options)?.into_batch_item());
    Ok(client.batch(&items.collect::<Result<Vec<_>>>()?))
}

fn upsert_queue(client: &Client, mut options: Fields) -> Result<Request> {
    let name = options.required("queueName")?;
    let (parallelism, paused) = (options.count("parallelism")?.unwrap_or(1), options.flag("paused")?);
    options.end()?;
    client.upsert_queue(&name, parallelism, paused)
}

fn add_endpoints(client: &Client, options: Fields) -> Result<Request> {
    let (group, endpoints) = endpoints(options)?;
    client.add_endpoints(&group, &endpoints)
}

fn remove_endpoints(client: &Client, options: Fields) -> Result<Request> {
    let (group, endpoints) = endpoints(options)?;
    client.remove_endpoints(&group, &endpoints)
}

fn list_flow_controls(client: &Client, mut options: Fields) -> Result<Request> {
    let search = options.text("search")?;
    options.end()?;
    Ok(client.flow_controls(search.as_deref()))
}

fn pin(client: &Client, mut options: Fields) -> Result<Request> {
    let key = options.required("key")?;
    let pin = Pin {
        parallelism: options.count("parallelism")?,
        rate: options.count("rate")?,
        period: options.count("period")?,
    };
    options.end()?;
    client.pin_flow_control(&key, &pin)
}

fn unpin(client: &Client, mut options: Fields) -> Result<Request> {
    let key = options.required("key")?;
    let (parallelism, rate) = (options.flag("parallelism")?, options.flag("rate")?);
    options.end()?;
    client.unpin_flow_control(&key, parallelism, rate)
}

/// The former way to cancel a run; `workflows` has a client of its own.
fn cancel_run(client: &Client, id: &str) -> Result<Request> {
    const RUN: &str = "the id of a run";
    check_id(RUN, id)?;
    let run_id = RunId::new(id)
        .filter(|id| id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)));
    let run_id =
        run_id.ok_or_else(|| Error::new(Code::InvalidRequest, format!("expected {RUN}, got '{}'", shown(id))))?;
    Ok(client.end_run(&run_id, Ending::Cancelled))
}

fn notify(client: &Client, mut options: Fields) -> Result<Request> {
    let mut event = Event::new(options.required("eventId")?);
    if let Some(data) = options.text("eventData")? {
        event = event.text(data);
    }
    if let Some(run_id) = options.text("workflowRunId")? {
        event = event.for_run(run_id);
    }
    options.end()?;
    client.notify(&event)
}

type Revive = fn(&Client, &Bulk, &Resumption) -> Result<Request>;

fn revive(client: &Client, mut options: Fields, revive: Revive) -> Result<Request> {
    let with = Resumption {
        flow_control: options.object("flowControl")?.map(flow_control).transpose()?,
        retries: options.count("retries")?,
    };
    revive(client, &bulk(options, Kind::RunDeadLetters)?, &with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new("https://q.test", "secret-token").unwrap()
    }

    fn line(operation: &str, options: &str) -> Result<String, Code> {
        let request = client().operation(operation, options).map_err(|error| error.code())?;
        let path = request.url.strip_prefix("https://q.test").unwrap().to_owned();
        let body = String::from_utf8(request.body).unwrap();
        Ok(format!("{} {path} {body}", request.method.as_str()).trim_end().to_owned())
    }

    #[test]
    fn each_operation_makes_its_request() {
        let requests = [
            ("publish", r#"{"url": "https://a.test/b?c"}"#, "POST /v2/publish/https://a.test/b?c"),
            ("publish", r#"{"urlGroup": "g", "queueName": "q"}"#, "POST /v2/enqueue/q/g"),
            (
                "queues.upsert",
                r#"{"queueName": "q"}"#,
                r#"POST /v2/queues {"queueName":"q","parallelism":1,"paused":false}"#,
            ),
            ("queues.get", r#""q""#, "GET /v2/queues/q"),
            ("queues.list", "", "GET /v2/queues"),
            ("queues.delete", r#""q""#, "DELETE /v2/queues/q"),
            ("queues.pause", r#""q""#, "POST /v2/queues/q/pause"),
            ("queues.resume", r#""q""#, "POST /v2/queues/q/resume"),
            (
                "urlGroups.addEndpoints",
                r#"{"name": "g", "endpoints": [{"url": "https://a.test", "name": "a"}]}"#,
                r#"POST /v2/topics/g/endpoints {"endpoints":[{"url":"https://a.test","name":"a"}]}"#,
            ),
            (
                "urlGroups.removeEndpoints",
                r#"{"name": "g", "endpoints": [{"name": "a"}]}"#,
                r#"DELETE /v2/topics/g/endpoints {"endpoints":[{"name":"a"}]}"#,
            ),
            ("urlGroups.get", r#""g""#, "GET /v2/topics/g"),
            ("urlGroups.list", "", "GET /v2/topics"),
            ("urlGroups.delete", r#""g""#, "DELETE /v2/topics/g"),
            (
                "schedules.create",
                r#"{"destination": "https://a.test", "cron": "* * * * *"}"#,
                "POST /v2/schedules/https://a.test",
            ),
            ("schedules.get", r#""s""#, "GET /v2/schedules/s"),
            ("schedules.list", "", "GET /v2/schedules"),
            ("schedules.delete", r#""s""#, "DELETE /v2/schedules/s"),
            ("schedules.pause", r#""s""#, "PATCH /v2/schedules/s/pause"),
            ("schedules.resume", r#""s""#, "PATCH /v2/schedules/s/resume"),
            ("messages.get", r#""m""#, "GET /v2/messages/m"),
            ("messages.cancel", r#""m""#, "DELETE /v2/messages/m"),
            ("messages.cancelMany", r#"{"messageIds": ["a", "b"]}"#, "DELETE /v2/messages?messageIds=a&messageIds=b"),
            ("messages.cancelMany", r#"{"all": true}"#, "DELETE /v2/messages?count=100"),
            ("dlq.list", "{}", "GET /v2/dlq"),
            ("dlq.get", r#""d""#, "GET /v2/dlq/d"),
            ("dlq.delete", r#""d""#, "DELETE /v2/dlq/d"),
            ("dlq.deleteMany", r#"{"dlqIds": "d"}"#, "DELETE /v2/dlq?dlqIds=d"),
            (
                "dlq.retry",
                r#"{"filter": {"urlGroup": "g", "responseStatus": [500, 502]}, "count": 5, "cursor": "c"}"#,
                "POST /v2/dlq/retry?topicName=g&responseStatus=500&responseStatus=502&count=5&cursor=c",
            ),
            (
                "logs",
                r#"{"filter": {"state": "FAILED", "count": 3}, "cursor": 7}"#,
                "GET /v2/events?count=3&state=FAILED&cursor=7",
            ),
            ("flowControl.get", r#""k""#, "GET /v2/flowControl/k"),
            ("flowControl.list", r#"{"search": "k"}"#, "GET /v2/flowControl?search=k"),
            ("flowControl.pause", r#""k""#, "POST /v2/flowControl/k/pause"),
            ("flowControl.resume", r#""k""#, "POST /v2/flowControl/k/resume"),
            (
                "flowControl.pin",
                r#"{"key": "k", "rate": 2, "period": 60}"#,
                "POST /v2/flowControl/k/pin?rate=2&period=60",
            ),
            ("flowControl.unpin", r#"{"key": "k", "rate": true}"#, "POST /v2/flowControl/k/unpin?rate=true"),
            ("flowControl.resetRate", r#""k""#, "POST /v2/flowControl/k/resetRate"),
            ("flowControl.reset", r#""k""#, "POST /v2/flowControl/k/reset"),
            ("flowControl.globalParallelism", "", "GET /v2/globalParallelism"),
            ("keys.get", "", "GET /v2/keys"),
            ("keys.rotate", "", "POST /v2/keys/rotate"),
            ("workflow.cancel", r#""wfr_1""#, "DELETE /v2/workflows/runs/wfr_1?cancel=true"),
            ("runs.cancel", r#"{"all": true}"#, "DELETE /v2/workflows/runs?count=100"),
            ("runs.cancel", r#"{"workflowRunIds": ["a"]}"#, "DELETE /v2/workflows/runs?workflowRunIds=a"),
            (
                "runs.cancel",
                r#"{"filter": {"workflowUrlStartingWith": "https://a.test", "label": "x"}, "count": 2}"#,
                "DELETE /v2/workflows/runs?label=x&workflowUrl=https%3A%2F%2Fa.test&count=2",
            ),
            ("runs.notify", r#"{"eventId": "paid", "eventData": "{}"}"#, "POST /v2/notify/paid {}"),
            ("runs.notify", r#"{"eventId": "a/b", "workflowRunId": "wfr_1"}"#, "POST /v2/notify/wfr_1/a/b"),
            ("runs.waiters", r#""paid""#, "GET /v2/waiters/paid"),
            ("runs.logs", "{}", "GET /v2/workflows/events?groupBy=workflowRunId"),
            (
                "runs.dlq.list",
                r#"{"cursor": "c", "count": 2, "filter": {"failureFunctionState": "CALLBACK_FAIL"}}"#,
                "GET /v2/dlq?cursor=c&count=2&failureFunctionState=CALLBACK_FAIL&source=workflow",
            ),
            ("runs.dlq.resume", r#"{"dlqIds": "d"}"#, "POST /v2/workflows/dlq/resume?dlqIds=d"),
            ("runs.dlq.restart", r#"{"all": true, "retries": 1}"#, "POST /v2/workflows/dlq/restart?count=100"),
            ("runs.dlq.retryFailureFunction", r#""d""#, "POST /v2/workflows/dlq/callback/d"),
            ("runs.dlq.delete", r#"{"filter": {"label": "x"}}"#, "DELETE /v2/workflows/dlq?label=x&count=100"),
            ("batch", "[]", "POST /v2/batch []"),
        ];
        for (operation, options, expected) in requests {
            assert_eq!(line(operation, options).as_deref(), Ok(expected), "{operation}");
        }
        for (operation, _) in OPERATIONS {
            assert!(requests.iter().any(|(tested, ..)| tested == operation), "{operation} is not tested");
        }
    }

    #[test]
    fn no_mistake_reaches_the_broker() {
        for (operation, options, code) in [
            ("queues.explode", "", Code::InvalidRequest),
            ("queues.get", r#""""#, Code::InvalidRequest),
            ("queues.get", "null", Code::InvalidRequest),
            ("queues.get", "7", Code::InvalidRequest),
            ("queues.upsert", r#"{"queueName": "", "parallelism": 1}"#, Code::InvalidRequest),
            ("queues.upsert", r#"{"queueName": "q", "paralelism": 1}"#, Code::InvalidRequest),
            ("publish", "{}", Code::InvalidRequest),
            ("publish", r#"{"url": ""}"#, Code::InvalidUrl),
            ("publish", r#"{"url": "https://a.test", "dely": 1}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "delay": "soon"}"#, Code::InvalidDuration),
            ("publish", r#"{"url": "https://a.test", "delay": -1}"#, Code::InvalidDuration),
            ("publish", r#"{"url": "https://a.test", "timeout": "1.5s"}"#, Code::InvalidDuration),
            ("publish", r#"{"url": "https://a.test", "retries": -1}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "retries": 1.5}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "method": "BREW"}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "deduplicationId": "a:b"}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "deduplicationId": ""}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "queueName": ""}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "cron": "* * * * *"}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "flowControl": {"key": "k"}}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "flowControl": {"key": "", "rate": 1}}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "redact": {"header": "x"}}"#, Code::InvalidRequest),
            ("publish", r#"{"url": "https://a.test", "headers": [["a b", "c"]]}"#, Code::InvalidHeader),
            ("publish", r#"{"api": {"name": "llm"}, "callback": "https://a.test"}"#, Code::Unsupported),
            (
                "publish",
                r#"{"api": {"name": "llm", "provider": {"owner": "openai", "token": "t"}}}"#,
                Code::InvalidRequest,
            ),
            (
                "publish",
                r#"{"api": {"name": "llm", "provider": {"owner": "resend", "token": "t"}}, "callback": "x"}"#,
                Code::InvalidRequest,
            ),
            (
                "publish",
                r#"{"api": {"name": "email", "provider": {"owner": "resend", "token": ""}}}"#,
                Code::InvalidConfiguration,
            ),
            ("schedules.create", r#"{"destination": "https://a.test"}"#, Code::InvalidRequest),
            ("schedules.create", r#"{"destination": "https://a.test", "cron": " "}"#, Code::InvalidRequest),
            (
                "schedules.create",
                r#"{"destination": "https://a.test", "cron": "* * * * *", "notBefore": 5}"#,
                Code::InvalidRequest,
            ),
            (
                "schedules.create",
                r#"{"destination": "https://a.test", "cron": "CRON_TZ=UTC * * * * *", "timezone": "UTC"}"#,
                Code::InvalidRequest,
            ),
            (
                "schedules.create",
                r#"{"destination": "https://a.test", "cron": "* * * * *", "scheduleId": ""}"#,
                Code::InvalidRequest,
            ),
            ("urlGroups.addEndpoints", r#"{"name": "g", "endpoints": []}"#, Code::InvalidRequest),
            ("urlGroups.addEndpoints", r#"{"name": "g", "endpoints": [{"name": "a"}]}"#, Code::InvalidRequest),
            ("urlGroups.removeEndpoints", r#"{"name": "g", "endpoints": [{}]}"#, Code::InvalidRequest),
            (
                "urlGroups.addEndpoints",
                r#"{"name": "", "endpoints": [{"url": "https://a.test"}]}"#,
                Code::InvalidRequest,
            ),
            ("messages.cancelMany", "{}", Code::InvalidRequest),
            ("messages.cancelMany", r#"{"all": false}"#, Code::InvalidRequest),
            ("messages.cancelMany", r#"{"filter": {}}"#, Code::EmptyArray),
            ("messages.cancelMany", r#"{"filter": {"label": []}}"#, Code::EmptyArray),
            ("messages.cancelMany", r#"{"messageIds": []}"#, Code::EmptyArray),
            ("messages.cancelMany", r#"{"dlqIds": ["a"]}"#, Code::InvalidRequest),
            ("messages.cancelMany", r#"{"filter": {"labels": "x"}}"#, Code::InvalidRequest),
            ("messages.cancelMany", r#"{"filter": {"label": null}}"#, Code::InvalidRequest),
            ("messages.cancelMany", r#"{"filter": {"api": "llm"}}"#, Code::InvalidRequest),
            ("messages.cancelMany", r#"{"filter": {"label": "x"}, "all": true}"#, Code::InvalidRequest),
            ("dlq.deleteMany", r#"{"filter": {"host": "a.test"}}"#, Code::InvalidRequest),
            ("dlq.list", r#"{"all": true}"#, Code::InvalidRequest),
            ("logs", r#"{"messageIds": []}"#, Code::EmptyArray),
            ("flowControl.pin", r#"{"key": "k"}"#, Code::InvalidRequest),
            ("flowControl.unpin", r#"{"key": "k", "rate": false}"#, Code::InvalidRequest),
            ("workflow.cancel", r#""a/b""#, Code::InvalidRequest),
        ] {
            assert_eq!(line(operation, options), Err(code), "{operation} {options}");
        }
    }

    #[test]
    fn no_mistake_about_runs_reaches_the_broker() {
        for (operation, options, code) in [
            ("runs.cancel", "{}", Code::InvalidRequest),
            ("runs.cancel", r#"{"workflowRunIds": []}"#, Code::EmptyArray),
            ("runs.cancel", r#"{"workflowRunIds": [""]}"#, Code::InvalidRequest),
            ("runs.cancel", r#"{"filter": {}}"#, Code::EmptyArray),
            ("runs.cancel", r#"{"filter": {"url": "https://a.test"}}"#, Code::InvalidRequest),
            (
                "runs.cancel",
                r#"{"filter": {"workflowUrl": "https://a.test", "workflowUrlStartingWith": "https://a"}}"#,
                Code::InvalidRequest,
            ),
            ("runs.notify", r#"{"eventId": " "}"#, Code::InvalidRequest),
            ("runs.notify", r#"{"eventId": "../keys/rotate"}"#, Code::InvalidRequest),
            ("runs.notify", r#"{"eventId": "a?b"}"#, Code::InvalidRequest),
            ("runs.notify", r#"{"eventId": "a", "workflowRunId": ""}"#, Code::InvalidRequest),
            ("runs.notify", r#"{"eventId": "a", "workflowRunId": "b/c"}"#, Code::InvalidRequest),
            ("runs.waiters", r#""""#, Code::InvalidRequest),
            ("runs.dlq.resume", r#"{"dlqIds": []}"#, Code::EmptyArray),
            ("runs.dlq.resume", r#"{"dlqIds": [""]}"#, Code::InvalidRequest),
            ("runs.dlq.restart", r#"{"all": true, "flowControl": {"key": "k"}}"#, Code::InvalidRequest),
            ("runs.dlq.retryFailureFunction", r#""""#, Code::InvalidRequest),
            ("runs.dlq.delete", r#"{"filter": {"host": "a.test"}}"#, Code::InvalidRequest),
        ] {
            assert_eq!(line(operation, options), Err(code), "{operation} {options}");
        }
    }

    #[test]
    fn messages_name_the_option_and_no_secret() {
        let error = client().operation("publish", r#"{"url": "https://a.test", "dely": 1}"#).unwrap_err();
        assert!(error.message().contains("dely") && error.message().contains("delay"), "{error}");
        let error = client()
            .operation("publish", r#"{"api": {"name": "email", "provider": {"owner": "openai", "token": "sk-1"}}}"#)
            .unwrap_err();
        assert!(!error.message().contains("sk-1") && !error.message().contains("secret-token"), "{error}");
    }
}
