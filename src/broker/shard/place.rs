//! Where things are: a hash of a name, or a mark in an id.

use sha2::{Digest, Sha256};

use crate::broker::publication::flag;
use crate::error::{Code, Error, Result};
use crate::wire::{Entropy, Headers, MessageId, RunId, header};

/// One of a broker's shards. The default is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Default for Shard {
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

/// What has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// The id of a run.
    Run(&'a str),
    /// The name of a queue.
    Queue(&'a str),
    /// A flow-control key.
    FlowKey(&'a str),
    /// The id of a schedule.
    Schedule(&'a str),
    /// The id, or a digest of the content, by which a message may be a duplicate.
    Deduplication(&'a str),
}

impl Shard {
    /// So many shards a broker may have. Every list asks all of them, and an invocation of a Worker may make 50
    /// requests on Cloudflare's free plan.
    pub const MOST: u32 = 32;

    /// The shard `index` of `count`; [`Code::InvalidConfiguration`] if there is none.
    pub fn new(index: u32, count: u32) -> Result<Self> {
        if !(1..=Self::MOST).contains(&count) || index >= count {
            return Err(Error::new(
                Code::InvalidConfiguration,
                format!("a broker has from 1 to {} shards: there is no shard {index} of {count}", Self::MOST),
            ));
        }
        Ok(Self { index, count })
    }

    /// Which one it is, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Another one of the same broker.
    pub(in crate::broker) fn with_index(self, index: u32) -> Self {
        Self { index, ..self }
    }

    /// Whether it is the only one.
    pub fn is_single(self) -> bool {
        self.count == 1
    }

    /// Whether something has its place here.
    pub(in crate::broker) fn has(self, name: Name<'_>) -> bool {
        self.home(name) == self.index
    }

    /// The shard where something has its place. The same in every build: data is found by it.
    pub(in crate::broker) fn home(self, name: Name<'_>) -> u32 {
        if self.count == 1 {
            return 0;
        }
        let (kind, name) = match name {
            Name::Run(id) => ("run", id),
            Name::Queue(name) => ("queue", name),
            Name::FlowKey(key) => ("key", key),
            Name::Schedule(id) => ("schedule", id),
            Name::Deduplication(id) => ("deduplication", id),
        };
        let hash = Sha256::new().chain_update(kind).chain_update(b":").chain_update(name).finalize();
        let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        u32::try_from(number % u64::from(self.count)).unwrap_or(0)
    }

    /// A new id for a message that lives here. Those of shard 0 are as those of a broker without shards.
    pub(in crate::broker) fn message_id(self, entropy: &mut dyn Entropy) -> String {
        let id = MessageId::generate(entropy).to_string();
        match (self.index, id.strip_prefix(MessageId::PREFIX)) {
            (1.., Some(random)) => format!("{}{}{random}", MessageId::PREFIX, mark(self.index)),
            _ => id,
        }
    }

    /// A new id for a run that lives here.
    pub(in crate::broker) fn run_id(self, entropy: &mut dyn Entropy) -> String {
        self.id_here(|| RunId::generate(entropy).to_string(), |id| Name::Run(id))
    }

    /// The first of the ids that `generate` makes that has its place here.
    pub(in crate::broker) fn id_here(
        self,
        mut generate: impl FnMut() -> String,
        name: impl for<'a> Fn(&'a str) -> Name<'a>,
    ) -> String {
        // One of `count` ids fits, so this ends for any entropy but a broken one.
        for _ in 0..10_000 {
            let id = generate();
            if self.has(name(&id)) {
                return id;
            }
        }
        generate()
    }

    /// Where a message lives, by its id. What is no id of ours is nowhere, so shard 0 says so.
    pub(in crate::broker) fn of_message(self, id: &str) -> u32 {
        let marked = id.strip_prefix(MessageId::PREFIX).filter(|rest| rest.len() == MARKED_LENGTH);
        self.known(marked.and_then(|rest| index(rest.chars().next()?)))
    }

    /// Where a dead letter lives, by its id.
    pub(in crate::broker) fn of_dead_letter(self, id: &str) -> u32 {
        let number = id.split_once('-').map(|(_, number)| number);
        let marked = number.filter(|number| number.len() > 3).and_then(|number| number.strip_prefix('0'));
        self.known(marked.and_then(|marked| marked.get(..2)?.parse().ok()))
    }

    fn known(self, index: Option<u32>) -> u32 {
        index.filter(|index| *index < self.count).unwrap_or(0)
    }

    /// Any shard.
    pub(in crate::broker) fn any(self, entropy: &mut dyn Entropy) -> u32 {
        if self.count == 1 {
            return 0;
        }
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        u32::from_le_bytes(bytes) % self.count
    }

    /// Where a message with these publish headers lives.
    pub(in crate::broker) fn of_publication(
        self,
        destination: &str,
        headers: &Headers,
        body: &[u8],
        entropy: &mut dyn Entropy,
    ) -> u32 {
        let get = |name: &str| headers.get(name).map(str::trim).filter(|value| !value.is_empty());
        if let Some(run_id) = get(header::WORKFLOW_RUN_ID) {
            // The run that invokes another one waits for it, so it has to be asked.
            let invokes = flag(headers, header::WORKFLOW_INVOKE).ok().flatten().unwrap_or(false);
            let parent = if invokes { parent(body) } else { None };
            return self.home(Name::Run(parent.as_deref().unwrap_or(run_id)));
        }
        if let Some(name) = get(header::QUEUE_NAME) {
            return self.home(Name::Queue(name));
        }
        if let Some(key) = get(header::FLOW_CONTROL_KEY) {
            return self.home(Name::FlowKey(key));
        }
        if let Some(id) = get(header::DEDUPLICATION_ID) {
            return self.home(Name::Deduplication(id));
        }
        if flag(headers, header::CONTENT_BASED_DEDUPLICATION).ok().flatten().unwrap_or(false) {
            let digest = Sha256::new().chain_update(destination).chain_update([0]).chain_update(body).finalize();
            return self.home(Name::Deduplication(&crate::wire::base64::encode(digest)));
        }
        self.any(entropy)
    }
}

/// What the number in the id of a message's dead letter begins with: nothing in shard 0, elsewhere a zero, with which no
/// other number of more than one digit begins, and the shard in two digits.
pub(in crate::broker) fn dead_letter_mark(message_id: &str) -> String {
    let marked = message_id.strip_prefix(MessageId::PREFIX).filter(|rest| rest.len() == MARKED_LENGTH);
    match marked.and_then(|rest| index(rest.chars().next()?)) {
        Some(shard) => format!("0{shard:02}"),
        None => String::new(),
    }
}

/// The run that the envelope of an invocation names.
fn parent(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope {
        workflow_run_id: String,
    }
    serde_json::from_slice::<Envelope>(body).ok().map(|envelope| envelope.workflow_run_id)
}

/// A mark and 21 random characters.
const MARKED_LENGTH: usize = 22;
/// One character for each shard.
const MARKS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

fn mark(index: u32) -> char {
    let index = usize::try_from(index).unwrap_or(0);
    MARKS.get(index).map_or('0', |byte| char::from(*byte))
}

fn index(mark: char) -> Option<u32> {
    MARKS.iter().position(|byte| char::from(*byte) == mark).and_then(|index| u32::try_from(index).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy() -> impl FnMut(&mut [u8]) {
        let mut state = 1_u64;
        move |bytes: &mut [u8]| {
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = state.to_be_bytes()[0];
            }
        }
    }

    #[test]
    fn ids_tell_their_shard_and_those_of_old_data_are_in_shard_0() {
        let mut entropy = entropy();
        for index in 0..4 {
            let shard = Shard::new(index, 4).unwrap();
            for _ in 0..50 {
                let id = shard.message_id(&mut entropy);
                assert_eq!(shard.of_message(&id), index, "{id}");
                let run = shard.run_id(&mut entropy);
                assert!(shard.has(Name::Run(&run)), "{run}");
            }
        }
        let old = MessageId::generate(&mut entropy).to_string();
        let shard = Shard::new(3, 4).unwrap();
        assert_eq!((shard.of_message(&old), shard.of_message("nonsense"), shard.of_message("msg_")), (0, 0, 0));
        for (id, index) in [
            ("1700000000000-0", 0),
            ("1700000000000-0020", 2),
            ("1700000000000-01912", 0),
            ("1700000000000-1012", 0),
            ("x", 0),
        ] {
            assert_eq!(shard.of_dead_letter(id), index, "{id}");
        }
    }

    #[test]
    fn places_are_the_same_in_every_build() {
        let shard = Shard::new(0, 8).unwrap();
        let places = [Name::Run("wfr_1"), Name::Queue("wfr_1"), Name::FlowKey("k"), Name::Schedule("s")];
        assert_eq!(places.map(|name| shard.home(name)), KNOWN);
    }

    /// Computed once with another program: the first 8 bytes of SHA-256, big-endian, modulo 8.
    const KNOWN: [u32; 4] = [4, 2, 3, 5];

    #[test]
    fn the_first_of_run_queue_key_and_deduplication_id_counts() {
        let shard = Shard::new(0, 32).unwrap();
        let all = [
            (header::WORKFLOW_RUN_ID, "wfr_1", Name::Run("wfr_1")),
            (header::QUEUE_NAME, "q", Name::Queue("q")),
            (header::FLOW_CONTROL_KEY, "k", Name::FlowKey("k")),
            (header::DEDUPLICATION_ID, "d", Name::Deduplication("d")),
        ];
        for first in 0..all.len() {
            let headers: Headers = all[first..].iter().map(|(name, value, _)| (*name, *value)).collect();
            let place = shard.of_publication("https://a.b", &headers, b"", &mut entropy());
            assert_eq!(place, shard.home(all[first].2));
        }
    }

    #[test]
    fn refuses_shards_that_do_not_exist() {
        for (index, count) in [(0, 0), (1, 1), (0, 33)] {
            assert!(Shard::new(index, count).is_err(), "{index}/{count}");
        }
    }
}
