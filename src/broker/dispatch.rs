//! What a request to publish makes: a message to a URL, or one to each endpoint of a URL group.

use serde_json::{Value, json};

use crate::broker::accept::{Accepted, Part, STEP_FACTOR, accept, is_step};
use crate::broker::forwarding::explicit;
use crate::broker::publication::{Publication, check_size};
use crate::broker::store::message::Source;
use crate::broker::store::{Sql, url_group};
use crate::broker::target::{self, Target};
use crate::broker::{Scope, provider, refused_step};
use crate::error::{Code, Error, Result};
use crate::wire::Headers;
use crate::wire::duration::shown;

/// What became of a request to publish.
#[derive(Clone, Debug)]
pub enum Published {
    /// The message to a URL.
    Message(Accepted),
    /// The messages to the endpoints of a URL group, with their URLs.
    Group(Vec<(String, Accepted)>),
}

impl Published {
    /// Whether nothing new was accepted.
    pub fn is_duplicate(&self) -> bool {
        match self {
            Self::Message(accepted) => accepted.deduplicated,
            Self::Group(messages) => messages.iter().all(|(_, accepted)| accepted.deduplicated),
        }
    }

    /// What a publisher is told: an object, or a list for a URL group.
    pub fn answer(&self) -> Value {
        match self {
            Self::Message(accepted) => accepted.answer(),
            Self::Group(messages) => messages
                .iter()
                .map(|(url, accepted)| {
                    let mut answer = accepted.answer();
                    answer["url"] = json!(url);
                    answer
                })
                .collect(),
        }
    }
}

/// Accepts what a request to publish asks for; must run inside a transaction.
///
/// [`Code::NotFound`] for a URL group that does not exist.
pub fn publish<S: Sql>(
    scope: &mut Scope<'_, S>,
    destination: &str,
    headers: &Headers,
    body: Vec<u8>,
    caller_ip: Option<&str>,
    source: &Source,
) -> Result<Published> {
    let of_step = is_step(headers);
    let published = match target::parse(destination) {
        Ok(Target::Url(url)) => publish_to(scope, &url, headers, body, caller_ip, source).map(Published::Message),
        Ok(Target::Group(name)) => fan_out(scope, &name, headers, &body, caller_ip, source).map(Published::Group),
        Ok(Target::Api(name)) => publish_to_api(scope, &name, headers, body, caller_ip, source).map(Published::Message),
        Err(error) => Err(error),
    };
    if of_step { published.map_err(refused_step) } else { published }
}

fn publish_to<S: Sql>(
    scope: &mut Scope<'_, S>,
    url: &str,
    headers: &Headers,
    body: Vec<u8>,
    caller_ip: Option<&str>,
    source: &Source,
) -> Result<Accepted> {
    let mut limits = scope.settings.limits.clone();
    if is_step(headers) {
        // A step holds bodies that were within the limit, as JSON within JSON.
        limits.body_bytes = limits.body_bytes.saturating_mul(STEP_FACTOR);
    }
    let publication = Publication::read(url, &*explicit(headers)?, body, &limits, scope.at)?;
    accept(scope, Publication { source: source.clone(), ..publication }, caller_ip)
}

fn publish_to_api<S: Sql>(
    scope: &mut Scope<'_, S>,
    name: &str,
    headers: &Headers,
    body: Vec<u8>,
    caller_ip: Option<&str>,
    source: &Source,
) -> Result<Accepted> {
    let publication = to_api(scope, name, headers, body, source)?;
    accept(scope, publication, caller_ip)
}

fn to_api<S: Sql>(
    scope: &Scope<'_, S>,
    name: &str,
    headers: &Headers,
    body: Vec<u8>,
    source: &Source,
) -> Result<Publication> {
    let url = provider::url(name, headers, &scope.settings.apis)?;
    let publication = Publication::read(&url, &*explicit(headers)?, body, &scope.settings.limits, scope.at)?;
    if !matches!(Part::of(&publication)?, Part::Message | Part::Call(_)) {
        return Err(Error::new(Code::InvalidRequest, format!("api/{name} serves no workflow")));
    }
    let source = Source { api: Some(name.to_owned()), ..source.clone() };
    Ok(Publication { source, ..publication })
}

/// A message for each endpoint of a URL group, with the endpoint's URL.
fn fan_out<S: Sql>(
    scope: &mut Scope<'_, S>,
    name: &str,
    headers: &Headers,
    body: &[u8],
    caller_ip: Option<&str>,
    source: &Source,
) -> Result<Vec<(String, Accepted)>> {
    publications(scope, name, headers, body.len(), source)?
        .into_iter()
        .map(|publication| {
            let url = publication.url.clone();
            Ok((url, accept(scope, Publication { body: body.to_vec(), ..publication }, caller_ip)?))
        })
        .collect()
}

/// What a message to a URL group asks for at each endpoint, without its body.
fn publications<S: Sql>(
    scope: &Scope<'_, S>,
    name: &str,
    headers: &Headers,
    body_bytes: usize,
    source: &Source,
) -> Result<Vec<Publication>> {
    let group = url_group::find(scope.sql, name)?.ok_or_else(|| no_group(name))?;
    let mut headers = headers.clone();
    for (name, value) in group.headers.iter().filter(|(name, _)| !headers.contains(name)).collect::<Vec<_>>() {
        headers.append(name, value);
    }
    let headers = explicit(&headers)?;
    let limits = &scope.settings.limits;
    check_size(&headers, body_bytes, limits)?;
    let mut publications = Vec::with_capacity(group.endpoints.len());
    for endpoint in group.endpoints {
        let publication = Publication::read(&endpoint.url, &headers, Vec::new(), limits, scope.at)?;
        if Part::of(&publication)? != Part::Message {
            return Err(Error::new(
                Code::InvalidRequest,
                format!("'{name}' is a URL group: a run and its steps need one URL, that of the workflow"),
            ));
        }
        let source = Source { url_group: Some(name.to_owned()), endpoint: endpoint.name, ..source.clone() };
        publications.push(Publication { source, ..publication });
    }
    Ok(publications)
}

/// Whether [`publish`] would accept a message that belongs to no run, with a body of so many bytes; nothing is stored.
/// Returns the destination as a browser would write it.
pub fn check<S: Sql>(scope: &Scope<'_, S>, destination: &str, headers: &Headers, body_bytes: usize) -> Result<String> {
    let limits = &scope.settings.limits;
    match target::parse(destination)? {
        Target::Url(url) => {
            check_size(headers, body_bytes, limits)?;
            match Part::of(&Publication::read(&url, &*explicit(headers)?, Vec::new(), limits, scope.at)?)? {
                Part::Message => Ok(url),
                _ => Err(Error::new(
                    Code::InvalidRequest,
                    "a schedule can't name a run: published to its URL, a workflow begins a new one each time",
                )),
            }
        }
        Target::Group(name) => {
            publications(scope, &name, headers, body_bytes, &Source::default())?;
            Ok(name)
        }
        Target::Api(name) => {
            check_size(headers, body_bytes, limits)?;
            to_api(scope, &name, headers, Vec::new(), &Source::default())?;
            Ok(format!("api/{name}"))
        }
    }
}

/// The error for a URL group that does not exist.
pub fn no_group(name: &str) -> Error {
    Error::new(
        Code::NotFound,
        format!("no URL group has the name '{}'; a URL would begin with http:// or https://", shown(name)),
    )
}
