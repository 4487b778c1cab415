//! `/v2/queues` and `/v2/enqueue/{queue}/{destination}`: messages that are delivered in order.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, messages};
use crate::broker::publication::{PLAIN, is_plain};
use crate::broker::store::gate::Gate;
use crate::broker::store::queue::{self, Queue};
use crate::broker::store::{Sql, gate as held, message};
use crate::broker::{Scope, gate, recovery};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Response, header};

/// Publishes to a queue, which is made if there is none with this name.
pub fn enqueue<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let (name, destination) = call.parameter.split_once('/').unwrap_or((&call.parameter, ""));
    let (destination, mut headers) = messages::addressed(scope.settings, call, destination);
    headers.set(header::QUEUE_NAME, name);
    messages::publish_to(scope, call, &destination, &headers)
}

/// What a request says about a queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    queue_name: String,
    #[serde(default)]
    parallelism: Option<u32>,
    #[serde(default)]
    paused: Option<bool>,
}

/// Makes a queue or changes it. What the request leaves out stays as it is.
pub fn put<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let settings: Settings = serde_json::from_slice(&call.request.body).map_err(|error| {
        Error::new(
            Code::InvalidRequest,
            format!("the body is not the settings of a queue, {{queueName, parallelism, paused}}: {error}"),
        )
    })?;
    let name = checked(&settings.queue_name)?;
    if settings.parallelism.is_some_and(|parallelism| !(1..=MOST_PARALLEL).contains(&parallelism)) {
        return Err(Error::new(
            Code::InvalidRequest,
            format!("the parallelism of a queue must be from 1 to {MOST_PARALLEL}"),
        ));
    }
    scope.transaction(|scope| {
        change(scope, name, |queue| {
            queue.parallelism = settings.parallelism.unwrap_or(queue.parallelism);
            queue.paused = settings.paused.unwrap_or(queue.paused);
        })
    })?;
    Ok(Response::new(200))
}

/// More than this would be no queue.
const MOST_PARALLEL: u32 = 10_000;

/// Stops or resumes a queue. One that does not exist yet is made, so that its first message can be held back.
pub fn set_paused<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>, paused: bool) -> Result<Response> {
    let name = checked(&call.parameter)?;
    scope.transaction(|scope| change(scope, name, |queue| queue.paused = paused))?;
    Ok(Response::new(200))
}

fn change<S: Sql>(scope: &mut Scope<'_, S>, name: &str, change: impl FnOnce(&mut Queue)) -> Result<()> {
    let mut queue = gate::made(scope, name)?;
    change(&mut queue);
    queue.updated_at = scope.at;
    queue::put(scope.sql, &queue)?;
    gate::open_queue(scope, &queue)
}

/// Lists the queues by name.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    call.query.refuse_unknown(&["qstash_token"])?;
    let views = queue::all(scope.sql)?.iter().map(|queue| view(scope, queue)).collect::<Result<_>>()?;
    Ok(Response::json(200, &Value::Array(views)))
}

/// Shows a queue.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let queue = found(scope, &call.parameter)?;
    Ok(Response::json(200, &view(scope, &queue)?))
}

/// Deletes a queue and cancels what waits in it. A delivery under way is not called back, its outcome is ignored.
pub fn remove<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let queue = found(scope, &call.parameter)?;
    // A part in each transaction: should the process die, the rest still waits, and the request can be repeated.
    while scope.transaction(|scope| {
        let messages = message::of_queue(scope.sql, &queue.name, CANCELLED_AT_ONCE)?;
        messages.iter().try_for_each(|message| recovery::cancel(scope, message))?;
        Ok(!messages.is_empty())
    })? {}
    scope.transaction(|scope| {
        // Callbacks of what was delivered go on without it.
        message::leave_queue(scope.sql, &queue.name)?;
        held::wake(scope.sql, Gate::Queue(&queue.name), gate::ALL)?;
        queue::remove(scope.sql, &queue.name)
    })?;
    Ok(Response::new(200))
}

/// So many messages are read at once: their bodies take memory.
const CANCELLED_AT_ONCE: u64 = 200;

fn view<S: Sql>(scope: &Scope<'_, S>, queue: &Queue) -> Result<Value> {
    Ok(json!({
        "name": queue.name,
        "createdAt": queue.created_at.millis(),
        "updatedAt": queue.updated_at.millis(),
        "parallelism": queue.parallelism,
        "paused": queue.paused,
        "lag": queue::lag(scope.sql, &queue.name)?,
    }))
}

fn found<S: Sql>(scope: &Scope<'_, S>, name: &str) -> Result<Queue> {
    queue::find(scope.sql, checked(name)?)?
        .ok_or_else(|| Error::new(Code::NotFound, format!("no queue has the name '{}'", shown(name))))
}

fn checked(name: &str) -> Result<&str> {
    if is_plain(name) {
        return Ok(name);
    }
    Err(Error::new(Code::InvalidRequest, format!("the name of a queue must be {PLAIN}")))
}
