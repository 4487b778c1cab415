//! What happens in an invocation, told to hosts that have somebody to tell: middlewares, a log.
//!
//! The events and their sentences are those of the official SDK's middlewares.

use serde::Deserialize;

use crate::wire::{Response, RunId};
use crate::workflow::invocation::Ticket;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The run's first invocation begins.
    RunStarted,
    /// The step of this name is about to be executed.
    BeforeExecution(String),
    /// The step that the last invocation submitted is about to be settled.
    AfterExecution(Ticket),
    /// The function has returned, and the run is about to end.
    RunCompleted,
    /// For those who follow what happens.
    Info(String),
    /// For those who look for mistakes.
    Warning(String),
}

/// What happened and was not told yet.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    wanted: bool,
    kept: Vec<Note>,
    awaited: Option<Awaited>,
}

/// What is to be told once the broker has accepted.
#[derive(Debug)]
pub(crate) enum Awaited {
    Trigger { run_id: RunId, url: String },
    Step(String),
    Plan(usize),
    CallResult(String),
    Finish(RunId),
}

impl Notes {
    pub fn new(wanted: bool) -> Self {
        Self { wanted, ..Self::default() }
    }

    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub fn add(&mut self, note: impl FnOnce() -> Note) {
        if self.wanted {
            self.kept.push(note());
        }
    }

    pub fn extend(&mut self, notes: impl IntoIterator<Item = Note>) {
        self.kept.extend(notes);
    }

    pub fn info(&mut self, text: impl FnOnce() -> String) {
        self.add(|| Note::Info(text()));
    }

    pub fn warn(&mut self, text: impl FnOnce() -> String) {
        self.add(|| Note::Warning(text()));
    }

    pub fn take(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.kept)
    }

    /// `awaited` is to be told when the broker has accepted what is about to be sent.
    pub fn expect(&mut self, awaited: impl FnOnce() -> Awaited) {
        self.awaited = self.wanted.then(awaited);
    }

    /// What is about to be sent has no message of its own.
    pub fn expect_nothing(&mut self) {
        self.awaited = None;
    }

    /// The broker has accepted.
    pub fn accepted(&mut self, response: &Response) {
        let Some(awaited) = self.awaited.take() else { return };
        let messages = Accepted::read(&response.body);
        match awaited {
            Awaited::Trigger { run_id, url } => {
                if messages.iter().any(|message| message.deduplicated) {
                    self.warn(|| format!("Workflow run {run_id} already exists. A new one isn't created."));
                } else {
                    self.info(|| format!("Workflow run started successfully with URL {url}."));
                }
            }
            Awaited::Step(name) => {
                if let Some(Accepted { message_id, .. }) = messages.first() {
                    self.info(|| format!("Submitted step \"{name}\" with messageId: {message_id}."));
                }
            }
            Awaited::Plan(steps) => {
                let ids: Vec<_> = messages.iter().map(|message| message.message_id.as_str()).collect();
                if !ids.is_empty() {
                    self.info(|| format!("Submitted {steps} parallel steps. messageIds: {}.", ids.join(", ")));
                }
            }
            Awaited::CallResult(step) => {
                self.info(|| format!("Third party call result submitted successfully, step {step}."));
            }
            Awaited::Finish(run_id) => {
                self.info(|| format!("Workflow run {run_id} deleted from QStash successfully."));
            }
        }
    }
}

/// What the broker says of a message that it has accepted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Accepted {
    message_id: String,
    deduplicated: bool,
}

impl Accepted {
    /// One or several; none if it says something else.
    fn read(body: &[u8]) -> Vec<Self> {
        serde_json::from_slice(body).or_else(|_| serde_json::from_slice(body).map(|one| vec![one])).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_that_nobody_wants() {
        let mut notes = Notes::new(false);
        notes.info(|| unreachable!("the sentence is not even made"));
        notes.expect(|| unreachable!());
        notes.accepted(&Response::new(200));
        assert_eq!(notes.take(), []);
    }

    #[test]
    fn what_the_broker_accepted_is_told_by_its_ids() {
        let mut notes = Notes::new(true);
        for (body, expected) in [
            (r#"[{"messageId":"m1"}]"#, Some("m1")),
            (r#"{"messageId":"m2"}"#, Some("m2")),
            ("[]", None),
            ("accepted", None),
        ] {
            notes.expect(|| Awaited::Step("a".into()));
            notes.accepted(&Response::new(200).body(body));
            let text = expected.map(|id| Note::Info(format!("Submitted step \"a\" with messageId: {id}.")));
            assert_eq!(notes.take(), Vec::from_iter(text), "{body}");
        }
    }
}
