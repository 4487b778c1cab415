//! `/v2/topics`: URL groups. A message to a group goes to each of its endpoints.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, tokens};
use crate::broker::dispatch::no_group;
use crate::broker::forwarding::explicit;
use crate::broker::publication::{PLAIN, Publication, is_plain, json_headers};
use crate::broker::store::Sql;
use crate::broker::store::url_group::{self, Endpoint, UrlGroup};
use crate::broker::{Limits, Scope, private, target};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Response};

/// What a request says about endpoints.
#[derive(Deserialize)]
struct Endpoints {
    endpoints: Vec<Named>,
}

/// An endpoint, or what it is known by.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl Named {
    /// Whether everything that it says holds for an endpoint.
    fn means(&self, endpoint: &Endpoint) -> bool {
        // Endpoints are kept with their URL as a browser would write it.
        let url = self.url.as_deref().map(|url| target::url(url).unwrap_or_else(|_| url.to_owned()));
        url.is_none_or(|url| url == endpoint.url)
            && self.name.as_ref().is_none_or(|name| endpoint.name.as_ref() == Some(name))
    }
}

/// Adds endpoints to a group, which is made if there is none with this name.
///
/// [`Code::LimitReached`] if there would be more groups, or endpoints in the group, than the settings allow.
pub fn add_endpoints<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let name = checked(&call.parameter)?;
    let limits = &scope.settings.limits;
    let named = read(&call.request.body)?.into_iter();
    let added = named.map(|named| checked_endpoint(named, limits)).collect::<Result<Vec<_>>>()?;
    scope.transaction(|scope| {
        let limits = &scope.settings.limits;
        let mut group = match url_group::find(scope.sql, name)? {
            Some(group) => group,
            None if url_group::number(scope.sql)? >= limits.url_groups => {
                return Err(reached(&format!("{} URL groups", limits.url_groups)));
            }
            None => UrlGroup::new(name, scope.at),
        };
        for endpoint in added {
            group.upsert(endpoint);
        }
        if group.endpoints.len() > limits.url_group_endpoints {
            return Err(reached(&format!("{} endpoints in a URL group", limits.url_group_endpoints)));
        }
        url_group::put(scope.sql, &UrlGroup { updated_at: scope.at, ..group })
    })?;
    Ok(Response::new(200))
}

/// Removes endpoints from a group, and with the last one the group. What is not in the group is as good as removed.
pub fn remove_endpoints<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let removed = read(&call.request.body)?;
    if removed.iter().any(|endpoint| endpoint.url.is_none() && endpoint.name.is_none()) {
        return Err(Error::new(Code::InvalidRequest, "an endpoint to remove needs its url or its name"));
    }
    scope.transaction(|scope| {
        let mut group = found(scope, &call.parameter)?;
        group.endpoints.retain(|endpoint| !removed.iter().any(|named| named.means(endpoint)));
        if group.endpoints.is_empty() {
            return url_group::remove(scope.sql, &group.name);
        }
        url_group::put(scope.sql, &UrlGroup { updated_at: scope.at, ..group })
    })?;
    Ok(Response::new(200))
}

/// Sets the publish headers that hold for messages to a group which don't say otherwise
/// (`qstash/howto/webhook.mdx`). They replace those that were set before.
pub fn set_headers<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Defaults {
        headers: Map<String, Value>,
    }
    let defaults: Defaults = serde_json::from_slice(&call.request.body)
        .map_err(|error| Error::new(Code::InvalidRequest, format!("the body is not {{headers: {{…}}}}: {error}")))?;
    let headers = json_headers(&defaults.headers)?;
    scope.transaction(|scope| {
        let group = found(scope, &call.parameter)?;
        check_headers(scope, &group, &headers)?;
        url_group::put(scope.sql, &UrlGroup { headers, updated_at: scope.at, ..group })
    })?;
    Ok(Response::new(200))
}

/// What could not be published with these headers is refused now, not at each message.
fn check_headers<S: Sql>(scope: &Scope<'_, S>, group: &UrlGroup, headers: &Headers) -> Result<()> {
    let Some(endpoint) = group.endpoints.first() else { return Ok(()) };
    Publication::read(&endpoint.url, &*explicit(headers)?, Vec::new(), &scope.settings.limits, scope.at).map(drop)
}

/// Lists the groups by name.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    call.query.refuse_unknown(&["qstash_token"])?;
    let groups = url_group::all(scope.sql)?;
    Ok(answer(scope, groups.iter().map(view).collect()))
}

/// Shows one group.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    Ok(answer(scope, view(&found(scope, &call.parameter)?)))
}

/// Removes a group, if there is one; what was published to it before is delivered all the same.
pub fn remove<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    scope.transaction(|scope| url_group::remove(scope.sql, &call.parameter))?;
    Ok(Response::new(200))
}

fn answer<S>(scope: &Scope<'_, S>, mut view: Value) -> Response {
    tokens::hide(scope.settings, &mut view);
    Response::json(200, &view)
}

fn view(group: &UrlGroup) -> Value {
    let endpoints: Vec<Value> = group
        .endpoints
        .iter()
        .map(|endpoint| match &endpoint.name {
            Some(name) => json!({ "name": name, "url": endpoint.url }),
            None => json!({ "url": endpoint.url }),
        })
        .collect();
    let mut view = json!({
        "name": group.name,
        "createdAt": group.created_at.millis(),
        "updatedAt": group.updated_at.millis(),
        "endpoints": endpoints,
    });
    if !group.headers.is_empty() {
        view["headers"] = json!(crate::broker::callback::map(&group.headers));
    }
    view
}

fn found<S: Sql>(scope: &Scope<'_, S>, name: &str) -> Result<UrlGroup> {
    url_group::find(scope.sql, name)?.ok_or_else(|| no_group(name))
}

fn read(body: &[u8]) -> Result<Vec<Named>> {
    let Endpoints { mut endpoints } = serde_json::from_slice(body).map_err(|error| {
        Error::new(
            Code::InvalidRequest,
            format!("the body is not a list of endpoints, {{endpoints: [{{url, name}}]}}: {error}"),
        )
    })?;
    if endpoints.is_empty() {
        return Err(Error::new(Code::InvalidRequest, "the list of endpoints is empty: expected one at least"));
    }
    // SDKs of other languages write what is not given as an empty text.
    for endpoint in &mut endpoints {
        endpoint.url = endpoint.url.take().filter(|url| !url.is_empty());
        endpoint.name = endpoint.name.take().filter(|name| !name.is_empty());
    }
    Ok(endpoints)
}

fn checked(name: &str) -> Result<&str> {
    if is_plain(name) {
        return Ok(name);
    }
    Err(Error::new(
        Code::InvalidRequest,
        format!("'{}' can't be the name of a URL group: expected {PLAIN}", shown(name)),
    ))
}

fn checked_endpoint(named: Named, limits: &Limits) -> Result<Endpoint> {
    let url = named.url.ok_or_else(|| Error::new(Code::InvalidRequest, "an endpoint needs a url"))?;
    if let Some(name) = named.name.as_ref().filter(|name| !is_plain(name)) {
        let text = format!("'{}' can't be the name of an endpoint: expected {PLAIN}", shown(name));
        return Err(Error::new(Code::InvalidRequest, text));
    }
    let url = target::url(&url)?;
    private::check(&url, limits)?;
    Ok(Endpoint { url, name: named.name })
}

fn reached(limit: &str) -> Error {
    Error::new(Code::LimitReached, format!("the limit of {limit} is reached"))
}
