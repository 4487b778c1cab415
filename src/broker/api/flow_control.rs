//! `/v2/flowControl` and `/v2/globalParallelism`: limits that all messages of one key share.

use serde_json::{Value as Json, json};

use super::Call;
use crate::broker::publication::{PLAIN, is_plain};
use crate::broker::shard::place::Name;
use crate::broker::store::flow_key::{self, FlowKey};
use crate::broker::store::gate::{Gate, waiting};
use crate::broker::store::{Sql, Value, message};
use crate::broker::{Scope, gate};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::flow_control::{DEFAULT_PERIOD, parse_count, parse_period};
use crate::wire::{Rate, Response};

/// Lists the keys, or those that the query parameter `search` occurs in.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    call.query.refuse_unknown(&["search", "qstash_token"])?;
    let search = call.query.first("search").unwrap_or_default();
    let keys = flow_key::select(scope.sql, "instr(key, ?) > 0 ORDER BY key", &[Value::from(search)])?;
    // Other shards tell the state of theirs.
    let own = keys.iter().filter(|key| scope.shard.has(Name::FlowKey(&key.key)));
    let views = own.map(|key| view(scope, key)).collect::<Result<_>>()?;
    Ok(Response::json(200, &Json::Array(views)))
}

/// Shows a key.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let key = flow_key::find(scope.sql, checked(&call.parameter)?)?.ok_or_else(|| {
        let text = format!("no message has named the flow-control key '{}'", shown(&call.parameter));
        Error::new(Code::NotFound, text)
    })?;
    Ok(Response::json(200, &view(scope, &key)?))
}

/// What can be asked of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Hold its messages back.
    Pause,
    /// Deliver them again.
    Resume,
    /// Let limits hold whatever messages ask for.
    Pin,
    /// Let messages change the limits again; until one does they stay.
    Unpin,
    /// Begin a new period now.
    ResetRate,
}

impl Action {
    const TABLE: [(&'static str, Action); 6] = [
        ("pause", Action::Pause),
        ("resume", Action::Resume),
        ("pin", Action::Pin),
        ("unpin", Action::Unpin),
        ("resetRate", Action::ResetRate),
        ("reset", Action::ResetRate),
    ];
}

/// Acts on the key of a path such as `my-key/pause`. A key that no message has named yet is made.
pub fn act<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let (name, action) = call.parameter.rsplit_once('/').unwrap_or((&call.parameter, ""));
    let action =
        Action::TABLE.iter().find(|(name, _)| *name == action).map(|(_, action)| *action).ok_or_else(|| {
            let names: Vec<&str> = Action::TABLE.iter().map(|(name, _)| *name).collect();
            Error::new(
                Code::NotFound,
                format!("a flow-control key has no '{}'; expected {}", shown(action), names.join(", ")),
            )
        })?;
    let name = checked(name)?;
    scope.transaction(|scope| {
        let mut key = flow_key::find(scope.sql, name)?.unwrap_or_else(|| FlowKey::new(name, scope.at));
        match action {
            Action::Pause => key.paused = true,
            Action::Resume => key.paused = false,
            Action::Pin => pin(&mut key, call)?,
            Action::Unpin => unpin(&mut key, call)?,
            Action::ResetRate => {
                key.window_start = scope.at;
                key.window_count = 0;
            }
        }
        gate::open_key(scope, &mut key)
    })?;
    Ok(Response::new(200))
}

fn pin(key: &mut FlowKey, call: &Call<'_>) -> Result<()> {
    call.query.refuse_unknown(&["parallelism", "rate", "period", "qstash_token"])?;
    let invalid = |_| {
        Error::new(
            Code::InvalidRequest,
            "a pin needs a query parameter parallelism or rate of at least 1; period is from 1 s to 7 days",
        )
    };
    let count = |name: &str| call.query.first(name).map(parse_count).transpose().map_err(invalid);
    let (parallelism, rate) = (count("parallelism")?, count("rate")?);
    let period = call.query.first("period").map(parse_period).transpose().map_err(invalid)?;
    if parallelism.is_none() && rate.is_none() {
        return Err(invalid(Error::new(Code::InvalidRequest, "")));
    }
    if parallelism.is_some() {
        key.limits.parallelism = parallelism;
        key.pinned_parallelism = true;
    }
    if let Some(count) = rate {
        key.limits.rate = Some(Rate { count, period: period.unwrap_or(DEFAULT_PERIOD) });
        key.pinned_rate = true;
    }
    Ok(())
}

fn unpin(key: &mut FlowKey, call: &Call<'_>) -> Result<()> {
    call.query.refuse_unknown(&["parallelism", "rate", "qstash_token"])?;
    let flag = |name: &str| match call.query.first(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Error::new(Code::InvalidRequest, format!("the query parameter {name} must be true or false"))),
    };
    let (parallelism, rate) = (flag("parallelism")?, flag("rate")?);
    if !parallelism && !rate {
        return Err(Error::new(
            Code::InvalidRequest,
            "the request unpins nothing: expected the query parameter parallelism=true or rate=true",
        ));
    }
    key.pinned_parallelism &= !parallelism;
    key.pinned_rate &= !rate;
    Ok(())
}

/// How many deliveries are open, and how many may be.
pub fn global<S: Sql>(scope: &Scope<'_, S>) -> Result<Response> {
    Ok(Response::json(
        200,
        &json!({
            "parallelismMax": scope.settings.parallelism,
            "parallelismCount": message::open(scope.sql)?,
        }),
    ))
}

/// The two APIs spell the number of waiting messages differently; both names are there.
fn view<S: Sql>(scope: &Scope<'_, S>, key: &FlowKey) -> Result<Json> {
    let waiting = waiting(scope.sql, Gate::FlowKey(&key.key))?;
    let rate = key.limits.rate;
    let runs = rate.is_some_and(|rate| key.window_start + rate.period > scope.at);
    Ok(json!({
        "flowControlKey": key.key,
        "waitListSize": waiting,
        "waitlistSize": waiting,
        "parallelismMax": key.limits.parallelism.unwrap_or(0),
        "parallelismCount": flow_key::open(scope.sql, &key.key)?,
        "rateMax": rate.map_or(0, |rate| rate.count),
        "rateCount": if runs { key.window_count } else { 0 },
        "ratePeriod": rate.map_or(0, |rate| rate.period.as_secs()),
        "ratePeriodStart": key.window_start.seconds(),
        "isPinnedParallelism": key.pinned_parallelism,
        "isPinnedRate": key.pinned_rate,
        "isPaused": key.paused,
    }))
}

fn checked(key: &str) -> Result<&str> {
    if is_plain(key) {
        return Ok(key);
    }
    Err(Error::new(Code::InvalidRequest, format!("a flow-control key must be {PLAIN}")))
}
