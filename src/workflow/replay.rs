//! Holds what the workflow asks for against what the history remembers.

use crate::error::{Code, Error, Result};
use crate::wire::Step;
use crate::workflow::step::StepRequest;

/// The place up to which the workflow has asked for steps, over the remembered ones.
#[derive(Debug)]
pub(crate) struct Replay {
    steps: Vec<Step>,
    asked: u32,
}

/// What is to be done about a group of steps that the workflow asked for together.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// All are remembered: their results, in the order of the group.
    Recall(Vec<Step>),
    /// Run this member and submit its result.
    Execute {
        /// Its index in the group.
        member: usize,
        /// Its place in the run.
        step_id: u32,
    },
    /// Announce every member, the first at this place.
    Plan {
        /// The place of the first member.
        first: u32,
    },
    /// Another delivery of the same group carries the run on.
    Discard,
}

impl Replay {
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps, asked: 0 }
    }

    /// Decides about the next group.
    ///
    /// [`Code::StepMismatch`] if the history remembers something else at this place,
    /// [`Code::HistoryGap`] if it goes on behind the group without holding the group.
    pub fn resolve(&mut self, group: &[StepRequest]) -> Result<Verdict> {
        let first = self.asked + 1;
        let size = u32::try_from(group.len()).map_err(|_| Error::new(Code::Internal, "a group of over 2^32 steps"))?;
        self.asked += size;
        let remembered = self.steps.iter().filter(|step| step.place() >= first);
        let Some(earliest) = remembered.clone().min_by_key(|step| step.place()) else {
            return Ok(if size == 1 {
                Verdict::Execute { member: 0, step_id: first }
            } else {
                Verdict::Plan { first }
            });
        };
        if earliest.place() < first + size && earliest.concurrent != size {
            return Err(mismatch(first, &size_of(earliest.concurrent, Some(earliest)), &size_of(size, None)));
        }
        let in_group = || remembered.clone().filter(|step| step.place() < first + size);
        let results: Vec<&Step> =
            (first..first + size).filter_map(|id| in_group().find(|step| step.step_id == id)).collect();
        for step in in_group() {
            check(&group[(step.place() - first) as usize], step)?;
        }
        if results.len() == group.len() {
            return Ok(Verdict::Recall(results.into_iter().cloned().collect()));
        }
        if let Some(later) = remembered.clone().find(|step| step.place() >= first + size) {
            return Err(Error::new(
                Code::HistoryGap,
                format!(
                    "the history lacks a part of step {first} ('{}'), though step {} ('{}') is there",
                    group[0].name,
                    later.place(),
                    later.step_name
                ),
            ));
        }
        match self.steps.last() {
            Some(plan) if plan.is_plan() && (first..first + size).contains(&plan.place()) => {
                Ok(Verdict::Execute { member: (plan.place() - first) as usize, step_id: plan.place() })
            }
            _ => Ok(Verdict::Discard),
        }
    }
}

fn check(asked: &StepRequest, remembered: &Step) -> Result<()> {
    let kind = asked.kind.step_type();
    if asked.name == remembered.step_name && kind == remembered.step_type {
        return Ok(());
    }
    let found = format!("{} '{}'", remembered.step_type.as_str(), remembered.step_name);
    Err(mismatch(remembered.place(), &found, &format!("{} '{}'", kind.as_str(), asked.name)))
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
             The run is kept: deploy the former code to let it go on, or cancel it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use crate::workflow::step::StepKind;

    use super::*;

    fn run(name: &str) -> StepRequest {
        StepRequest { name: name.into(), kind: StepKind::Run }
    }

    fn result(name: &str, id: u32, size: u32) -> Step {
        run(name).result(id, size, None)
    }

    fn resolve(steps: Vec<Step>, groups: &[&[&str]]) -> Result<Verdict> {
        let mut replay = Replay::new(steps);
        let mut verdict = Ok(Verdict::Discard);
        for group in groups {
            verdict = replay.resolve(&group.iter().map(|name| run(name)).collect::<Vec<_>>());
        }
        verdict
    }

    #[test]
    fn the_four_states_of_a_group() {
        let (plan_a, plan_b) = (run("a").plan(1, 2), run("b").plan(2, 2));
        let (result_a, result_b) = (result("a", 1, 2), result("b", 2, 2));
        let state =
            |steps: &[&Step]| resolve(steps.iter().map(|step| (*step).clone()).collect(), &[&["a", "b"]]).unwrap();
        assert!(matches!(state(&[]), Verdict::Plan { first: 1 }));
        assert!(matches!(state(&[&plan_a]), Verdict::Execute { member: 0, step_id: 1 }));
        assert!(matches!(state(&[&plan_a, &plan_b]), Verdict::Execute { member: 1, step_id: 2 }));
        assert!(matches!(state(&[&plan_a, &plan_b, &result_b]), Verdict::Discard));
        assert!(matches!(state(&[&plan_a, &result_a, &plan_b]), Verdict::Execute { member: 1, step_id: 2 }));
        assert!(
            matches!(state(&[&plan_a, &plan_b, &result_b, &result_a]), Verdict::Recall(steps) if steps[0].step_name == "a")
        );
    }

    #[test]
    fn a_mismatch_names_place_found_and_asked() {
        for (steps, groups, expected) in [
            (
                vec![result("a", 1, 1)],
                &[&["b"] as &[&str]] as &[&[&str]],
                "step 1: the history holds Run 'a', the workflow asked for Run 'b'",
            ),
            (
                vec![result("a", 1, 1)],
                &[&["a", "b"]],
                "the history holds a step of its own ('a'), the workflow asked for a parallel group of 2",
            ),
            (
                vec![run("a").plan(1, 2)],
                &[&["a"]],
                "the history holds a parallel group of 2 ('a'), the workflow asked for a step of its own",
            ),
            (
                vec![result("a", 1, 1), run("b").plan(2, 2)],
                &[&["a"], &["c", "b"]],
                "step 2: the history holds Run 'b', the workflow asked for Run 'c'",
            ),
        ] {
            let error = resolve(steps, groups).unwrap_err();
            assert_eq!(error.code(), Code::StepMismatch);
            assert!(error.message().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_group_left_behind_is_a_gap() {
        let steps = vec![run("a").plan(1, 2), run("b").plan(2, 2), result("a", 1, 2), result("c", 3, 1)];
        assert_eq!(resolve(steps, &[&["a", "b"]]).unwrap_err().code(), Code::HistoryGap);
    }
}
