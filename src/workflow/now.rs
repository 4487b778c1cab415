//! Time and randomness that are the same in every invocation of a run.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::wire::{RunId, Step, Timestamp};

/// What the workflow has drawn and asked in this invocation.
#[derive(Debug, Default)]
pub(crate) struct Repeatable {
    drawn: u64,
    asked: u32,
    told: BTreeMap<u32, u64>,
    /// What was told in this invocation and is not remembered yet.
    fresh: Vec<(u32, u64)>,
}

impl Repeatable {
    pub fn new(steps: &[Step]) -> Self {
        let mut told = BTreeMap::new();
        for (question, millis) in steps.iter().flat_map(|step| &step.now) {
            told.entry(*question).or_insert(*millis);
        }
        Self { told, ..Self::default() }
    }

    /// The next 32 bytes that follow from the run's id. They are not secret: whoever knows the id can compute them.
    pub fn bytes(&mut self, run_id: &RunId) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"orchestration:random\0");
        hash.update(run_id.as_str());
        hash.update(self.drawn.to_be_bytes());
        self.drawn += 1;
        hash.finalize().into()
    }

    /// The answer to the next question for the time: the remembered one, or `now`.
    pub fn now(&mut self, now: Timestamp) -> Timestamp {
        let question = self.asked;
        self.asked += 1;
        if let Some(millis) = self.told.get(&question) {
            return Timestamp::from_millis(*millis);
        }
        self.fresh.push((question, now.millis()));
        now
    }

    /// What the next message has to carry.
    pub fn fresh(&self) -> &[(u32, u64)] {
        &self.fresh
    }
}

/// As a header carries them.
pub(crate) fn write(told: &[(u32, u64)]) -> String {
    told.iter().map(|(question, millis)| format!("{question}:{millis}")).collect::<Vec<_>>().join(",")
}

/// What [`write`] wrote; what can't be read is left out.
pub(crate) fn read(text: &str) -> Vec<(u32, u64)> {
    let pair = |pair: &str| pair.split_once(':').and_then(|(q, millis)| Some((q.parse().ok()?, millis.parse().ok()?)));
    text.split(',').filter_map(pair).collect()
}

/// A number in [0, 1) that follows from the run and a place in its history; it takes nothing from the workflow's draws.
pub(crate) fn chance(run_id: &RunId, place: u32) -> f64 {
    let mut hash = Sha256::new();
    hash.update(b"orchestration:chance\0");
    hash.update(place.to_be_bytes());
    hash.update(run_id.as_str());
    unit(hash.finalize().into())
}

/// A number in [0, 1) with 53 random bits.
#[allow(clippy::cast_precision_loss)] // 53 bits fit.
pub(crate) fn unit(bytes: [u8; 32]) -> f64 {
    let bits = bytes[..8].iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte)) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

/// A UUID of version 4 (RFC 9562 §5.4).
pub(crate) fn uuid(bytes: [u8; 32]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes[..16].iter().enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_from_the_run() {
        let run = |id: &str| {
            let (mut repeatable, id) = (Repeatable::default(), RunId::new(id).unwrap());
            [repeatable.bytes(&id), repeatable.bytes(&id)]
        };
        assert_eq!(run("wfr_1"), run("wfr_1"));
        assert_ne!(run("wfr_1"), run("wfr_2"));
        assert_ne!(run("wfr_1")[0], run("wfr_1")[1]);
        assert!((0.0..1.0).contains(&unit([0; 32])) && (0.99..1.0).contains(&unit([0xff; 32])));
        assert_eq!(uuid([0xff; 32]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn moments_travel_in_a_header() {
        let told = vec![(0, 1_700_000_000_000), (3, 5)];
        assert_eq!(read(&write(&told)), told);
        assert_eq!(read("x,1:y,2:3"), [(2, 3)]);
    }
}
