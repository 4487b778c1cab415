//! Holds what the workflow asks for against what the history remembers.
//!
//! The history is a sequence of events: a plan announces a step, a result settles one. They are given to the workflow one
//! by one, in the order in which the broker took them, and the workflow runs on in between. So it is told the same in
//! every invocation, whatever it makes of it: `join!` waits for all branches, `select!` and `Promise.race` go on with the
//! one that was first.
//!
//! The last event is what caused the delivery. The delivery is in charge of the steps that the workflow asks for because
//! of it, or of the branch that it announces, and of nothing else: what was asked for before has its own delivery.

use std::collections::HashMap;

use crate::error::{Code, Error, Result};
use crate::wire::{Step, StepType};
use crate::workflow::invocation::Ticket;
use crate::workflow::retry;
use crate::workflow::step::{StepKind, StepRequest};

/// The place up to which the history has been told, and what the workflow has asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    events: Vec<Step>,
    told: usize,
    /// By place: the first has place 1.
    asked: Vec<Asked>,
    /// What was told of a patch, by its step's name: it holds for the whole run.
    patches: HashMap<String, bool>,
}

/// A step that the workflow asked for, at its place.
#[derive(Debug)]
struct Asked {
    ticket: Ticket,
    request: StepRequest,
    /// The first place of its group, and the group's size.
    group: (u32, u32),
    /// How many events had been told.
    since: usize,
    /// How many tries failed before, by the step's own policy.
    retried: u32,
    state: Progress,
    /// Nobody waits for it any more.
    dropped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    New,
    Planned,
    Settled,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Give this result to the workflow and let it run on.
    Settle {
        ticket: Ticket,
        request: StepRequest,
        step: Step,
        /// Whether other steps are still without result: the workflow may not react to this one.
        others: bool,
    },
    /// A patch that is decided without a step: this run was past it before the code asked, or has asked before.
    Skip { ticket: Ticket, taken: bool },
    /// Run this step and submit its result.
    Execute(Place),
    /// Announce the members of a group, the first at this place.
    Plan { first: u32, requests: Vec<StepRequest>, beside: bool },
    /// Another delivery carries the run on.
    Discard,
    /// The workflow is not waiting for a step.
    Await,
}

/// A step that is to run, and its place.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub ticket: Ticket,
    pub request: StepRequest,
    pub step_id: u32,
    pub concurrent: u32,
    pub retried: u32,
    /// Whether it was announced before.
    pub is_planned: bool,
    /// Whether other branches go on beside the one that asks. Then its place does not tell what it follows.
    pub beside: bool,
}

impl Replay {
    pub fn new(events: Vec<Step>) -> Self {
        Self { events, ..Self::default() }
    }

    /// The workflow asks for a group of steps. They get the next places.
    ///
    /// [`Code::InvalidRequest`] for a patch that is a member of a group: its answer decides what follows.
    pub fn ask(&mut self, group: Vec<(Ticket, StepRequest)>) -> Result<Option<Next>> {
        let first = self.next_place()?;
        let size = u32::try_from(group.len()).map_err(|_| too_many())?;
        if let Some((ticket, patch)) = group.iter().find(|(_, request)| request.kind == StepKind::Patch) {
            if size > 1 {
                let message =
                    format!("await '{}' before asking for other steps: what it says decides about them", patch.name);
                return Err(Error::new(Code::InvalidRequest, message));
            }
            if !self.patches.contains_key(&patch.name) && self.is_past(first, &patch.name) {
                self.patches.insert(patch.name.clone(), false);
            }
            if let Some(&taken) = self.patches.get(&patch.name) {
                return Ok(Some(Next::Skip { ticket: *ticket, taken }));
            }
        }
        for (ticket, request) in group {
            self.push(ticket, request, (first, size), 0);
        }
        Ok(None)
    }

    /// Tells the next event, or at the end of the history what this delivery is in charge of.
    ///
    /// [`Code::StepMismatch`] if the history remembers something else than the workflow asked for,
    /// [`Code::HistoryGap`] if it goes on with a step that the workflow did not ask for.
    pub fn next(&mut self) -> Result<Next> {
        while let Some(event) = self.events.get(self.told) {
            let place = event.place();
            let Some(index) = place.checked_sub(1).map(|index| index as usize).filter(|i| *i < self.asked.len()) else {
                return match (1..).zip(&self.asked).find(|(_, asked)| asked.is_awaited()) {
                    Some((place, asked)) => Err(gap(place, &asked.request.name, event)),
                    None => Ok(Next::Await),
                };
            };
            self.told += 1;
            if let Some(next) = self.tell(index)? {
                return Ok(next);
            }
        }
        Ok(self.at_the_end())
    }

    /// Whether all of the history has been told.
    pub fn is_told(&self) -> bool {
        self.told == self.events.len()
    }

    /// Whether a step among `tickets` has no result yet.
    pub fn lacks(&self, mut is_one: impl FnMut(Ticket, &StepRequest) -> bool) -> bool {
        self.asked.iter().any(|asked| asked.state != Progress::Settled && is_one(asked.ticket, &asked.request))
    }

    /// Whether the history goes on, after all that the workflow has asked for, with a step of such a name.
    pub fn goes_on_with(&self, prefix: &str) -> bool {
        let asked = self.asked.len();
        let untold = &self.events[self.told.min(self.events.len())..];
        untold.iter().any(|event| event.place() as usize > asked && event.step_name.starts_with(prefix))
    }

    /// The workflow does not wait for a step any more.
    pub fn drop_step(&mut self, ticket: Ticket) {
        for asked in self.asked.iter_mut().filter(|asked| asked.ticket == ticket) {
            asked.dropped = true;
        }
    }

    fn tell(&mut self, index: usize) -> Result<Option<Next>> {
        let event = self.events[self.told - 1].clone();
        self.match_group(index, &event)?;
        let asked = &mut self.asked[index];
        check(&asked.request, &event)?;
        if event.is_plan() {
            // What is announced when nobody waits for it any more never runs.
            let next = if asked.dropped { Progress::Settled } else { Progress::Planned };
            asked.state = if asked.state == Progress::New { next } else { asked.state };
            return Ok(None);
        }
        asked.state = Progress::Settled;
        let (ticket, request, retried) = (asked.ticket, asked.request.clone(), asked.retried);
        if is_failed_try(&request, &event) {
            if asked.dropped {
                return Ok(None);
            }
            let first = self.next_place()?;
            self.push(ticket, request, (first, 1), retried + 1);
            return Ok(None);
        }
        if request.kind == StepKind::Patch {
            self.patches.insert(request.name.clone(), true);
        }
        let others = self.asked.iter().any(Asked::is_awaited);
        Ok(Some(Next::Settle { ticket, request, step: event, others }))
    }

    fn at_the_end(&self) -> Next {
        let end = self.events.len();
        if let Some(plan) = self.events.last().filter(|event| event.is_plan()) {
            let asked = self.asked.get(plan.place() as usize - 1).filter(|asked| asked.state != Progress::Settled);
            return asked.map_or(Next::Discard, |asked| Next::Execute(asked.place(plan.place(), false)));
        }
        let is_new = |asked: &&Asked| asked.since == end && asked.state == Progress::New;
        let new: Vec<_> = (1..).zip(&self.asked).filter(|(_, asked)| is_new(asked)).collect();
        match new[..] {
            [] if self.asked.iter().any(Asked::is_awaited) => Next::Discard,
            [] => Next::Await,
            [(place, asked)] => Next::Execute(asked.place(place, self.is_beside(place))),
            [(first, _), ..] => Next::Plan {
                first,
                requests: new.iter().map(|(_, asked)| asked.request.clone()).collect(),
                beside: self.is_beside(first),
            },
        }
    }

    /// Whether what is asked for at `place` does not simply follow the group of the last event.
    fn is_beside(&self, place: u32) -> bool {
        let before = &self.asked[..place as usize - 1];
        let follows = match self.events.last() {
            Some(event) => {
                let (first, size) = self.asked.get(event.place() as usize - 1).map_or((0, 0), |asked| asked.group);
                first + size == place
            }
            None => true,
        };
        !follows || before.iter().any(|asked| asked.state != Progress::Settled)
    }

    /// The group that the workflow asked for must have the recorded size.
    ///
    /// The official SDK closes a group only when all its branches are done, and then asks for what follows them together:
    /// groups that follow each other here are one there, and a run that began there goes on.
    fn match_group(&mut self, index: usize, event: &Step) -> Result<()> {
        let (mut first, mut size) = self.asked[index].group;
        if size == event.concurrent {
            return Ok(());
        }
        let asked_size = size;
        while size < event.concurrent {
            let Some(following) = self.asked.get((first + size - 1) as usize).map(|asked| asked.group.1) else { break };
            size += following;
        }
        while size < event.concurrent && first > 1 {
            let before = self.asked[first as usize - 2].group;
            first = before.0;
            size += before.1;
        }
        let members = first as usize - 1..(first + size) as usize - 1;
        if size != event.concurrent || self.asked[members.clone()].iter().any(|asked| asked.state != Progress::New) {
            return Err(mismatch(event.place(), &size_of(event.concurrent, Some(event)), &size_of(asked_size, None)));
        }
        for asked in &mut self.asked[members] {
            asked.group = (first, size);
        }
        Ok(())
    }

    /// Whether the run has taken place `place` with something else than the patch.
    fn is_past(&self, place: u32, patch: &str) -> bool {
        let mut later = self.events[self.told.min(self.events.len())..].iter().filter(|event| event.place() >= place);
        match later.clone().find(|event| event.place() == place) {
            Some(event) => event.step_name != patch,
            None => later.next().is_some(),
        }
    }

    fn push(&mut self, ticket: Ticket, request: StepRequest, group: (u32, u32), retried: u32) {
        let since = self.told;
        self.asked.push(Asked { ticket, request, group, since, retried, state: Progress::New, dropped: false });
    }

    fn next_place(&self) -> Result<u32> {
        u32::try_from(self.asked.len() + 1).map_err(|_| too_many())
    }
}

impl Asked {
    fn is_awaited(&self) -> bool {
        self.state != Progress::Settled && !self.dropped
    }

    fn place(&self, step_id: u32, beside: bool) -> Place {
        let (ticket, request, is_planned) = (self.ticket, self.request.clone(), self.state == Progress::Planned);
        Place { ticket, request, step_id, concurrent: self.group.1, retried: self.retried, is_planned, beside }
    }
}

/// Whether the event is a failed try of a step that has its own retries.
fn is_failed_try(asked: &StepRequest, event: &Step) -> bool {
    matches!(asked.kind, StepKind::Run(_)) && event.step_type == StepType::SleepFor
}

fn check(asked: &StepRequest, event: &Step) -> Result<()> {
    let kind = asked.kind.step_type();
    let fits = kind == event.step_type || is_failed_try(asked, event) && is_failure(event);
    if fits && asked.name == event.step_name {
        return Ok(());
    }
    let found = format!("{} '{}'", event.step_type.as_str(), event.step_name);
    Err(mismatch(event.place(), &found, &format!("{} '{}'", kind.as_str(), asked.name)))
}

/// Whether the event carries a recorded failure.
fn is_failure(event: &Step) -> bool {
    let text = event.out.as_ref().and_then(|out| serde_json::from_str::<String>(out.get()).ok());
    text.is_some_and(|text| matches!(retry::recorded(&text), Ok(Some(_))))
}

fn size_of(size: u32, first: Option<&Step>) -> String {
    let of = first.map(|step| format!(" ('{}')", step.step_name)).unwrap_or_default();
    if size == 1 { format!("a step of its own{of}") } else { format!("a parallel group of {size}{of}") }
}

fn mismatch(place: u32, found: &str, asked: &str) -> Error {
    Error::new(
        Code::StepMismatch,
        format!(
            "step {place}: the history holds {found}, the workflow asked for {asked}. Either its code changed while this run was under way, \
             or it depends on something that differs between invocations (time, randomness, I/O) outside of a step. \
             The run is kept: deploy the former code to let it go on, let runs that began before take the old way \
             with patch(\"…\"), or cancel it"
        ),
    )
}

fn gap(place: u32, name: &str, event: &Step) -> Error {
    Error::new(
        Code::HistoryGap,
        format!(
            "the history lacks the result of step {place} ('{name}'), though step {} ('{}') is there",
            event.place(),
            event.step_name
        ),
    )
}

fn too_many() -> Error {
    Error::new(Code::Internal, "a run of over 2^32 steps")
}

#[cfg(test)]
mod tests {
    use crate::workflow::step::RunOptions;

    use super::*;

    fn run(name: &str) -> StepRequest {
        StepRequest::new(name, StepKind::Run(RunOptions::default())).unwrap()
    }

    fn result(name: &str, id: u32, size: u32) -> Step {
        run(name).result(id, size, Some("1".into())).unwrap()
    }

    fn plan(name: &str, target: u32, size: u32) -> Step {
        run(name).plan(target, size)
    }

    /// Plays a workflow that asks for `first`, and then for what `reaction` says when a step is settled.
    fn play(events: &[Step], first: &[&str], reaction: impl Fn(&str) -> &'static [&'static str]) -> Result<String> {
        let mut replay = Replay::new(events.to_vec());
        let mut ticket = 0;
        let mut group = |replay: &mut Replay, names: &[&str]| {
            let group = names.iter().map(|name| {
                ticket += 1;
                (ticket, run(name))
            });
            let group: Vec<_> = group.collect();
            if group.is_empty() { Ok(None) } else { replay.ask(group) }
        };
        group(&mut replay, first)?;
        loop {
            match replay.next()? {
                Next::Settle { request, .. } => {
                    group(&mut replay, reaction(&request.name))?;
                }
                Next::Execute(place) => {
                    return Ok(format!("{} at {}/{}", place.request.name, place.step_id, place.concurrent));
                }
                Next::Plan { first, requests, .. } => return Ok(format!("plan {} from {first}", requests.len())),
                Next::Discard => return Ok("discard".into()),
                Next::Await => return Ok("await".into()),
                Next::Skip { .. } => return Ok("skip".into()),
            }
        }
    }

    #[test]
    fn what_follows_all_that_was_asked_for_is_known_by_its_name() {
        for (events, expected) in [
            (vec![result("a", 1, 1)], false),
            (vec![result("a", 1, 1), result("undo a", 2, 1)], true),
            (vec![result("a", 1, 1), result("b", 2, 1)], false),
            (vec![result("undo a", 1, 1)], false),
        ] {
            let mut replay = Replay::new(events);
            replay.ask(vec![(0, run("a"))]).unwrap();
            assert_eq!(replay.goes_on_with("undo "), expected);
        }
    }

    /// `join!(a, b)`, then c.
    fn joined(events: &[Step]) -> String {
        let done = std::cell::Cell::new(0);
        play(events, &["a", "b"], |name| {
            done.set(done.get() + 1);
            if done.get() == 2 && name != "c" { &["c"] } else { &[] }
        })
        .unwrap()
    }

    #[test]
    fn the_states_of_a_group_that_is_joined() {
        let (plan_a, plan_b) = (plan("a", 1, 2), plan("b", 2, 2));
        let (a, b) = (result("a", 1, 2), result("b", 2, 2));
        for (events, expected) in [
            (vec![], "plan 2 from 1"),
            (vec![&plan_a], "a at 1/2"),
            (vec![&plan_a, &plan_b], "b at 2/2"),
            (vec![&plan_a, &plan_b, &b], "discard"),
            (vec![&plan_a, &a, &plan_b], "b at 2/2"),
            (vec![&plan_a, &plan_b, &b, &a], "c at 3/1"),
            (vec![&plan_a, &plan_b, &a, &b], "c at 3/1"),
        ] {
            assert_eq!(joined(&events.into_iter().cloned().collect::<Vec<_>>()), expected);
        }
    }

    #[test]
    fn a_race_goes_on_with_the_first_and_the_rest_changes_nothing() {
        let raced = |tail: &[Step]| {
            let events: Vec<_> = [plan("a", 1, 2), plan("b", 2, 2)].into_iter().chain(tail.iter().cloned()).collect();
            let won = std::cell::Cell::new(false);
            play(&events, &["a", "b"], |name| match name {
                "a" | "b" if !won.replace(true) => {
                    if name == "a" {
                        &["after a"]
                    } else {
                        &["after b"]
                    }
                }
                "after b" => &["end"],
                _ => &[],
            })
            .unwrap()
        };
        let (a, b, after) = (result("a", 1, 2), result("b", 2, 2), result("after b", 3, 1));
        assert_eq!(raced(std::slice::from_ref(&a)), "after a at 3/1");
        assert_eq!(raced(std::slice::from_ref(&b)), "after b at 3/1");
        assert_eq!(raced(&[b.clone(), a.clone()]), "discard", "the winner's delivery goes on, not the loser's");
        assert_eq!(raced(&[b.clone(), a.clone(), after.clone()]), "end at 4/1");
        assert_eq!(raced(&[b, after, a]), "discard");
    }

    #[test]
    fn branches_go_on_each_for_itself() {
        let chains = |events: &[Step]| {
            play(events, &["a", "b"], |name| match name {
                "a" => &["c"],
                "b" => &["d"],
                _ => &[],
            })
            .unwrap()
        };
        let plans = [plan("a", 1, 2), plan("b", 2, 2)];
        let with = |tail: &[Step]| chains(&[&plans, tail].concat());
        let (a, b, c, d) = (result("a", 1, 2), result("b", 2, 2), result("c", 3, 1), result("d", 4, 1));
        assert_eq!(with(std::slice::from_ref(&a)), "c at 3/1");
        assert_eq!(with(&[a.clone(), b.clone()]), "d at 4/1");
        assert_eq!(with(&[a.clone(), b.clone(), d.clone()]), "discard");
        assert_eq!(with(&[a.clone(), b.clone(), d, c]), "await");
        // As the official SDK records it: c and d are a group of their own, asked for when a and b are both there.
        let official = [plan("c", 3, 2), plan("d", 4, 2)];
        assert_eq!(with(&[&[a.clone(), b.clone()], &official[..1]].concat()), "c at 3/2");
        assert_eq!(with(&[&[a, b], &official[..], &[result("d", 4, 2)]].concat()), "discard");
    }

    #[test]
    fn a_mismatch_names_place_found_and_asked() {
        for (events, first, expected) in [
            (
                vec![result("a", 1, 1)],
                &["b"] as &[&str],
                "step 1: the history holds Run 'a', the workflow asked for Run 'b'",
            ),
            (
                vec![result("a", 1, 1)],
                &["a", "b"],
                "the history holds a step of its own ('a'), the workflow asked for a parallel group of 2",
            ),
            (
                vec![plan("a", 1, 2)],
                &["a"],
                "the history holds a parallel group of 2 ('a'), the workflow asked for a step of its own",
            ),
        ] {
            let error = play(&events, first, |_| &[]).unwrap_err();
            assert_eq!(error.code(), Code::StepMismatch);
            assert!(error.message().contains(expected) && error.message().contains("patch"), "{error}");
        }
    }

    #[test]
    fn a_group_left_behind_is_a_gap() {
        let events = [plan("a", 1, 2), plan("b", 2, 2), result("a", 1, 2), result("c", 3, 1)];
        assert_eq!(play(&events, &["a", "b"], |_| &[]).unwrap_err().code(), Code::HistoryGap);
    }

    #[test]
    fn a_patch_lets_old_runs_pass() {
        let patch = || StepRequest::new("x", StepKind::Patch).unwrap();
        let ask = |events: Vec<Step>| {
            let mut replay = Replay::new(events);
            let skipped = replay.ask(vec![(0, patch())]).unwrap();
            (skipped.is_some(), skipped.is_none().then(|| replay.next().unwrap()))
        };
        assert!(ask(vec![result("old", 1, 1)]).0);
        assert!(matches!(ask(vec![]), (false, Some(Next::Execute(_)))));
        assert!(matches!(
            ask(vec![patch().result(1, 1, Some("true".into())).unwrap()]),
            (false, Some(Next::Settle { .. }))
        ));
        let error = Replay::new(vec![]).ask(vec![(0, patch()), (1, run("a"))]).unwrap_err();
        assert_eq!(error.code(), Code::InvalidRequest);
    }

    #[test]
    fn a_patch_says_the_same_for_the_whole_run() {
        let patch = || vec![(0, StepRequest::new("x", StepKind::Patch).unwrap())];
        let taken = |next: Option<Next>| match next {
            Some(Next::Skip { taken, .. }) => Some(taken),
            _ => None,
        };

        let mut old = Replay::new(vec![result("a", 1, 1)]);
        assert_eq!(taken(old.ask(patch()).unwrap()), Some(false));
        old.ask(vec![(1, run("a"))]).unwrap();
        assert!(matches!(old.next().unwrap(), Next::Settle { .. }));
        assert_eq!(taken(old.ask(patch()).unwrap()), Some(false), "also at the end of its history");

        let recorded = patch()[0].1.result(1, 1, Some("true".into())).unwrap();
        let mut new = Replay::new(vec![recorded, result("a", 2, 1)]);
        assert_eq!(taken(new.ask(patch()).unwrap()), None);
        assert!(matches!(new.next().unwrap(), Next::Settle { .. }));
        assert_eq!(taken(new.ask(patch()).unwrap()), Some(true), "without another step");
        new.ask(vec![(1, run("a"))]).unwrap();
        assert!(matches!(new.next().unwrap(), Next::Settle { .. }));
    }

    #[test]
    fn a_failed_try_is_followed_by_another_at_the_next_place() {
        let failure = retry::record(&crate::workflow::Failure::new("Error", "no")).unwrap();
        let failed = run("a").failed_try(1, 1, crate::wire::Number::Number(1.into()), failure).unwrap();
        assert_eq!(play(std::slice::from_ref(&failed), &["a"], |_| &[]).unwrap(), "a at 2/1");
        assert_eq!(
            play(&[failed.clone(), result("a", 2, 1)], &["a"], |name| if name == "a" { &["b"] } else { &[] }).unwrap(),
            "b at 3/1"
        );
        let sleep = Step { out: None, ..failed };
        assert_eq!(play(&[sleep], &["a"], |_| &[]).unwrap_err().code(), Code::StepMismatch);
    }
}
