//! One request to the broker: which shards are asked for it, and the answer that theirs make.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::batch::{self, Part};
use super::bulk::Progress;
use super::list::{self, Field};
use super::notice;
use super::place::{Name, Shard};
use super::query::{ids_of_shard, with};
use super::routes::{self, Bulk, Kind, List, Rule};
use crate::broker::metrics::Metrics;
use crate::broker::query::{Query, decode, pairs, split};
use crate::error::{Code, Error, Result};
use crate::wire::{Entropy, Method, Request, Response, header};

/// A request for a shard.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The index of the shard.
    pub shard: u32,
    /// What it is asked.
    pub task: Task,
}

/// What a shard is asked.
#[derive(Clone, Debug)]
pub enum Task {
    /// To answer a request: [`Broker::handle_request`](crate::broker::Broker::handle_request).
    Answer(Request),
    /// To tell what is global: [`Broker::directory`](crate::broker::Broker::directory) with status 200.
    Directory,
    /// To take what is global: [`Broker::handle_directory`](crate::broker::Broker::handle_directory), any status.
    TakeDirectory(Vec<u8>),
}

/// Query parameters and what replaces them.
type Changes = Vec<(&'static str, Option<String>)>;

/// What the host does next.
#[derive(Clone, Debug)]
pub enum Duty {
    /// Send all of these, in any order or at once, and give the answers to [`Exchange::take`].
    Send(Vec<Errand>),
    /// Answer the client.
    Answer(Response),
}

/// A request on its way through the shards. Begin with [`Exchange::begin`] and do its [`Duty`]; after each
/// [`Duty::Send`], [`Exchange::take`] tells the next one.
#[derive(Debug)]
pub struct Exchange {
    shards: Shard,
    request: Request,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The answer of one shard is the answer.
    One,
    Batch(Vec<Part>),
    List {
        rule: List,
        count: usize,
        fields: Vec<Field>,
        asked: Vec<u32>,
    },
    Whole {
        order: &'static str,
    },
    Sum,
    Metrics,
    Bulk {
        rule: Bulk,
        progress: Progress,
        asked: u32,
        waiting: Vec<u32>,
    },
    /// The shard of the run that the path may name was asked.
    Notice {
        run: String,
        asked: u32,
    },
    /// The directory was asked, for a change.
    Change,
    /// The change was made, and this is the answer; the directory is asked what is global now.
    Changed(Response),
    /// The others are told that.
    Spread(Response),
    /// The others are asked; what the first told.
    Notices(Option<Response>),
}

impl Exchange {
    /// Begins with a request to a broker that is spread over `shards` (the index of which doesn't matter).
    pub fn begin(shards: Shard, request: Request, entropy: &mut dyn Entropy) -> (Self, Duty) {
        let mut exchange = Self { shards, request, state: State::One };
        let duty = exchange.start(entropy).unwrap_or_else(|error| Duty::Answer(refusal(&error)));
        (exchange, duty)
    }

    /// Takes the answers, in the order of the errands. What no shard could be asked, the host answers with an error.
    pub fn take(&mut self, answers: Vec<Response>) -> Duty {
        self.proceed(answers).unwrap_or_else(|error| Duty::Answer(refusal(&error)))
    }

    fn start(&mut self, entropy: &mut dyn Entropy) -> Result<Duty> {
        if self.shards.is_single() {
            return Ok(self.one(0));
        }
        let (path, raw_query) = split(&self.request.url);
        let (rule, open) = routes::rule(self.request.method, path);
        let shards = self.shards;
        Ok(match rule {
            Rule::Publish => {
                let headers = publish_headers(&self.request, raw_query);
                self.one(shards.of_publication(open, &headers, &self.request.body, entropy))
            }
            Rule::Enqueue => {
                let queue = open.split('/').next().unwrap_or_default();
                self.one(shards.home(Name::Queue(queue)))
            }
            Rule::NewSchedule => match publish_headers(&self.request, raw_query).get(header::SCHEDULE_ID) {
                Some(id) if !id.is_empty() => self.one(shards.home(Name::Schedule(id))),
                _ => self.one(shards.any(entropy)),
            },
            Rule::Batch => match batch::split(shards, &self.request, path == "/v2/batch", entropy) {
                Some(parts) if parts.len() > 1 => {
                    let errands = parts
                        .iter()
                        .map(|(part, request)| Errand { shard: part.shard, task: Task::Answer(request.clone()) });
                    let errands = errands.collect();
                    self.state = State::Batch(parts.into_iter().map(|(part, _)| part).collect());
                    Duty::Send(errands)
                }
                Some(parts) => self.one(parts.first().map_or(0, |(part, _)| part.shard)),
                None => self.one(0),
            },
            Rule::One(kind) => {
                let shard = self.of(kind, open);
                self.one(shard)
            }
            Rule::QueueSettings => {
                self.one(named_queue(&self.request.body).map_or(0, |name| shards.home(Name::Queue(&name))))
            }
            Rule::OfRun => {
                let run = self.request.headers.get(header::WORKFLOW_RUN_ID).unwrap_or_default();
                self.one(shards.home(Name::Run(run)))
            }
            Rule::Notify => match notice::run(open) {
                Some((run, true)) => self.one(shards.home(Name::Run(&run))),
                Some((run, false)) => {
                    let asked = shards.home(Name::Run(&run));
                    let duty = self.one(asked);
                    self.state = State::Notice { run, asked };
                    duty
                }
                None => {
                    self.state = State::Notices(None);
                    self.every(None)
                }
            },
            Rule::List(rule) => self.list(rule, &Query::parse(raw_query))?,
            Rule::Whole { order } => {
                self.state = State::Whole { order };
                self.every(None)
            }
            Rule::Sum => {
                self.state = State::Sum;
                self.every(None)
            }
            Rule::Metrics => {
                self.state = State::Metrics;
                self.every(None)
            }
            Rule::Bulk(rule) => {
                let mut query = Query::parse(raw_query);
                if let Some((name, _)) = rule.ids.first().filter(|_| !self.request.body.is_empty()) {
                    // Each shard gets its own.
                    query.take_ids(name, &self.request.body)?;
                    self.request = with(&self.request, &[(name, Some(query.all(name).join(",")))]);
                    self.request.body.clear();
                }
                self.bulk(rule, &query)?
            }
            Rule::Directory => {
                if self.request.method != Method::Get {
                    self.state = State::Change;
                }
                self.one(0)
            }
        })
    }

    fn proceed(&mut self, answers: Vec<Response>) -> Result<Duty> {
        let done = |mut answers: Vec<Response>| Duty::Answer(answers.pop().unwrap_or_else(|| Response::new(500)));
        match std::mem::replace(&mut self.state, State::One) {
            State::One => Ok(done(answers)),
            State::Change => match answers.into_iter().next() {
                Some(answer) if answer.is_success() => {
                    self.state = State::Changed(answer);
                    Ok(Duty::Send(vec![Errand { shard: 0, task: Task::Directory }]))
                }
                answer => Ok(done(answer.into_iter().collect())),
            },
            State::Changed(changed) => match answers.into_iter().next() {
                Some(answer) if answer.is_success() => {
                    self.state = State::Spread(changed);
                    let task = Task::TakeDirectory(answer.body);
                    let others = 1..self.shards.count();
                    Ok(Duty::Send(others.map(|shard| Errand { shard, task: task.clone() }).collect()))
                }
                // They hear of it a little later.
                _ => Ok(Duty::Answer(changed)),
            },
            State::Spread(changed) => Ok(Duty::Answer(changed)),
            State::Batch(parts) => Ok(Duty::Answer(batch::merge(&parts, &answers))),
            State::Notice { run, asked } => match answers.into_iter().next() {
                Some(answer) if !notice::named_a_run(&run, &answer) => {
                    self.state = State::Notices(Some(answer));
                    Ok(self.every(Some(asked)))
                }
                answer => Ok(done(answer.into_iter().collect())),
            },
            State::Bulk { rule, progress, asked, waiting } => self.go_on(rule, progress, asked, waiting, answers),
            state => {
                if let Some(error) = answers.iter().find(|answer| !answer.is_success()) {
                    return Ok(Duty::Answer(error.clone()));
                }
                merged(state, &answers).map(Duty::Answer)
            }
        }
    }

    fn one(&self, shard: u32) -> Duty {
        Duty::Send(vec![Errand { shard, task: Task::Answer(self.request.clone()) }])
    }

    fn every(&self, but: Option<u32>) -> Duty {
        let shards = (0..self.shards.count()).filter(|shard| Some(*shard) != but);
        Duty::Send(shards.map(|shard| Errand { shard, task: Task::Answer(self.request.clone()) }).collect())
    }

    fn of(&self, kind: Kind, open: &str) -> u32 {
        let segment = |number: usize| decode(open.split('/').nth(number).unwrap_or_default(), false);
        match kind {
            Kind::Webhook => self.of_id(Kind::Run, &segment(1)),
            kind => self.of_id(kind, &segment(0)),
        }
    }

    fn of_id(&self, kind: Kind, id: &str) -> u32 {
        match kind {
            Kind::Message => self.shards.of_message(id),
            Kind::DeadLetter => self.shards.of_dead_letter(id),
            Kind::Run | Kind::Webhook => self.shards.home(Name::Run(id)),
            Kind::Queue => self.shards.home(Name::Queue(id)),
            Kind::FlowKey => self.shards.home(Name::FlowKey(id)),
            Kind::Schedule => self.shards.home(Name::Schedule(id)),
        }
    }

    /// The shards that may have what a query names, with the ids that each of them may have.
    fn concerned(&self, query: &Query, ids: &'static [(&'static str, Kind)]) -> Vec<(u32, Changes)> {
        let given: Vec<(&str, Kind, Vec<String>)> = ids
            .iter()
            .map(|(name, kind)| (*name, *kind, query.all(name)))
            .filter(|(_, _, values)| !values.is_empty())
            .collect();
        let changes = |shard: u32| -> Option<Changes> {
            given
                .iter()
                .map(|(name, kind, values)| {
                    let name = ids.iter().find(|(known, _)| known == name).map(|(known, _)| *known)?;
                    Some((name, Some(ids_of_shard(values, shard, |id| self.of_id(*kind, id))?)))
                })
                .collect()
        };
        let found: Vec<_> = (0..self.shards.count()).filter_map(|shard| Some((shard, changes(shard)?))).collect();
        // Ids that fit together nowhere select nothing, which any shard tells.
        if found.is_empty() { vec![(0, Vec::new())] } else { found }
    }

    fn list(&mut self, rule: List, query: &Query) -> Result<Duty> {
        let shards = usize::try_from(self.shards.count()).unwrap_or(1);
        let mut fields = list::fields(query.first("cursor"), shards)?;
        let count = query.number("count")?.map_or(rule.count, |count| usize::try_from(count).unwrap_or(usize::MAX));
        let mut errands = Vec::new();
        let concerned = self.concerned(query, rule.ids);
        for (shard, field) in (0_u32..).zip(fields.iter_mut()) {
            let Some((_, ids)) = concerned.iter().find(|(known, _)| *known == shard) else {
                *field = Field::End;
                continue;
            };
            let cursor = match field {
                Field::End => continue,
                Field::New => None,
                Field::At(cursor) => Some(cursor.clone()),
            };
            let mut changes = ids.clone();
            changes.push(("cursor", cursor));
            errands.push(Errand { shard, task: Task::Answer(with(&self.request, &changes)) });
        }
        let asked: Vec<u32> = errands.iter().map(|errand| errand.shard).collect();
        self.state = State::List { rule, count, fields, asked };
        if errands.is_empty() {
            return Ok(Duty::Answer(Response::json(200, &json!({ rule.member: [] }))));
        }
        Ok(Duty::Send(errands))
    }

    fn bulk(&mut self, rule: Bulk, query: &Query) -> Result<Duty> {
        let shards = usize::try_from(self.shards.count()).unwrap_or(1);
        let mut fields = list::fields(query.first("cursor"), shards)?;
        let concerned: Vec<u32> = self.concerned(query, rule.ids).into_iter().map(|(shard, _)| shard).collect();
        let mut waiting = Vec::new();
        for (shard, field) in (0_u32..).zip(fields.iter_mut()) {
            match field {
                Field::End => {}
                _ if concerned.contains(&shard) => waiting.push(shard),
                _ => *field = Field::End,
            }
        }
        waiting.reverse();
        let progress = Progress::new(rule, query.number("count")?.unwrap_or(rule.count), fields);
        match waiting.pop() {
            Some(shard) => Ok(self.next(rule, progress, shard, waiting)),
            None => Ok(Duty::Answer(progress.answer())),
        }
    }

    fn next(&mut self, rule: Bulk, progress: Progress, shard: u32, waiting: Vec<u32>) -> Duty {
        let (_, raw_query) = split(&self.request.url);
        let query = Query::parse(raw_query);
        let concerned = self.concerned(&query, rule.ids);
        let mut changes =
            concerned.into_iter().find(|(known, _)| *known == shard).map(|(_, ids)| ids).unwrap_or_default();
        if query.first("count").is_some() || progress.left < rule.count {
            changes.push(("count", Some(progress.left.to_string())));
        }
        let field = usize::try_from(shard).ok().and_then(|shard| progress.fields.get(shard));
        changes.push((
            "cursor",
            match field {
                Some(Field::At(cursor)) => Some(cursor.clone()),
                _ => None,
            },
        ));
        let request = with(&self.request, &changes);
        self.state = State::Bulk { rule, progress, asked: shard, waiting };
        Duty::Send(vec![Errand { shard, task: Task::Answer(request) }])
    }

    fn go_on(
        &mut self,
        rule: Bulk,
        mut progress: Progress,
        asked: u32,
        mut waiting: Vec<u32>,
        answers: Vec<Response>,
    ) -> Result<Duty> {
        let answer = answers.into_iter().next().ok_or_else(unreadable)?;
        if !answer.is_success() {
            return Ok(Duty::Answer(answer));
        }
        progress.add(asked, &answer)?;
        match waiting.pop() {
            Some(shard) if progress.left > 0 => Ok(self.next(rule, progress, shard, waiting)),
            _ => Ok(Duty::Answer(progress.answer())),
        }
    }
}

fn merged(state: State, answers: &[Response]) -> Result<Response> {
    match state {
        State::List { rule, count, fields, asked } => {
            list::merge(rule.member, rule.time, count, fields, &asked, answers)
        }
        State::Whole { order } => {
            let mut entries = arrays(answers)?;
            entries.sort_by_key(|entry| match &entry[order] {
                Value::Number(number) => (number.as_u64().unwrap_or(0), String::new()),
                other => (0, other.as_str().unwrap_or_default().to_owned()),
            });
            Ok(Response::json(200, &Value::Array(entries)))
        }
        State::Notices(first) => {
            let all: Vec<Response> = first.into_iter().chain(answers.iter().cloned()).collect();
            let status = all.first().map_or(201, |answer| answer.status);
            Ok(Response::json(status, &Value::Array(arrays(&all)?)))
        }
        State::Sum => sum(answers),
        State::Metrics => metrics(answers),
        _ => Err(unreadable()),
    }
}

/// The publish headers of a request, which may also stand in its query.
fn publish_headers(request: &Request, raw_query: &str) -> crate::wire::Headers {
    let mut headers = request.headers.clone();
    for (_, name, value) in pairs(raw_query) {
        if name.to_ascii_lowercase().starts_with("upstash-") {
            headers.set(name, value);
        }
    }
    headers
}

fn named_queue(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        queue_name: String,
    }
    serde_json::from_slice::<Named>(body).ok().map(|named| named.queue_name)
}

fn arrays(answers: &[Response]) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for answer in answers {
        let mut entries: Vec<Value> = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        all.append(&mut entries);
    }
    Ok(all)
}

fn sum(answers: &[Response]) -> Result<Response> {
    let mut sums = Map::new();
    for answer in answers {
        let body: Map<String, Value> = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        for (name, value) in body {
            let sum = sums.get(&name).and_then(Value::as_u64).unwrap_or(0) + value.as_u64().unwrap_or(0);
            sums.insert(name, json!(sum));
        }
    }
    Ok(Response::json(200, &Value::Object(sums)))
}

fn metrics(answers: &[Response]) -> Result<Response> {
    let read = |answer: &Response| serde_json::from_slice(&answer.body).map_err(|_| unreadable());
    let shards = answers.iter().map(read).collect::<Result<Vec<Metrics>>>()?;
    Metrics::sum(shards).ok_or_else(unreadable)?.answer()
}

fn unreadable() -> Error {
    Error::new(Code::Internal, "the answers of the shards make no answer")
}

fn refusal(error: &Error) -> Response {
    Response::json(error.code().status(), &json!({ "error": error.message() }))
}
