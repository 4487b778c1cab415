//! `/v2/wait/{eventId}` and `/v2/waiters/{eventId}`: steps that wait for events.

use serde_json::json;

use super::{Call, tokens, views};
use crate::broker::store::Sql;
use crate::broker::{Scope, event as events};
use crate::error::Result;
use crate::wire::Response;

/// Lets a step wait.
pub fn wait<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let request = call.request;
    let message_id =
        scope.transaction(|scope| events::wait(scope, &call.parameter, &request.headers, &request.body))?;
    Ok(Response::json(200, &json!({ "messageId": message_id })))
}

/// Lists who waits for an event, oldest first.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    call.query.refuse_unknown(&["qstash_token"])?;
    let waiters = events::waiters(scope, &call.parameter)?;
    let mut views = waiters.iter().map(views::waiter).collect();
    tokens::hide(scope.settings, &mut views);
    Ok(Response::json(200, &views))
}
