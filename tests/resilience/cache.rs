//! The cache against a list of entries in the order of their use.

use std::time::Duration;

use orchestration::resilience::cache::{BoundedCache, Options, Stats};
use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::{prop_assert_eq, prop_oneof};

use crate::at;

#[derive(Clone, Debug)]
enum Action {
    Get(u8),
    Peek(u8),
    Insert(u8, u32),
    InsertFor(u8, u32, u64),
    Remove(u8),
    Purge,
    Clear,
    Pass(u64),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let key = || 0..12_u8;
    let action = prop_oneof![
        6 => key().prop_map(Action::Get),
        1 => key().prop_map(Action::Peek),
        6 => (key(), any::<u32>()).prop_map(|(key, value)| Action::Insert(key, value)),
        1 => (key(), any::<u32>(), 0..80_u64).prop_map(|(key, value, ttl)| Action::InsertFor(key, value, ttl)),
        1 => key().prop_map(Action::Remove),
        1 => Just(Action::Purge),
        1 => Just(Action::Clear),
        4 => (0..30_u64).prop_map(Action::Pass),
    ];
    proptest::collection::vec(action, 0..200)
}

/// Entries from the one used longest ago to the one used last.
#[derive(Default)]
struct Model {
    entries: Vec<(u8, u32, Option<u64>)>,
    stats: Stats,
}

impl Model {
    fn take(&mut self, key: u8) -> Option<(u8, u32, Option<u64>)> {
        let place = self.entries.iter().position(|entry| entry.0 == key)?;
        Some(self.entries.remove(place))
    }

    fn live(&mut self, entry: Option<(u8, u32, Option<u64>)>, now: u64) -> Option<(u8, u32, Option<u64>)> {
        let (.., end) = entry?;
        if end.is_some_and(|end| end <= now) {
            self.stats.expired += 1;
            return None;
        }
        entry
    }

    fn get(&mut self, key: u8, now: u64) -> Option<u32> {
        let taken = self.take(key);
        let found = self.live(taken, now);
        match found {
            Some(entry) => {
                self.stats.hits += 1;
                self.entries.push(entry);
            }
            None => self.stats.misses += 1,
        }
        found.map(|(_, value, _)| value)
    }

    fn insert(&mut self, size: usize, entry: (u8, u32, Option<u64>), now: u64) -> Option<u32> {
        let taken = self.take(entry.0);
        let before = self.live(taken, now);
        self.entries.push(entry);
        if self.entries.len() > size {
            let oldest = Some(self.entries.remove(0));
            if self.live(oldest, now).is_some() {
                self.stats.evictions += 1;
            }
        }
        before.map(|(_, value, _)| value)
    }
}

proptest! {
    #[test]
    fn it_does_what_the_list_does(size in 1..9_usize, ttl in proptest::option::of(1..60_u64), actions in actions()) {
        let mut cache = BoundedCache::new(Options { max_size: size, ttl: ttl.map(Duration::from_millis) }).unwrap();
        let (mut model, mut now) = (Model::default(), 1_000);
        for action in actions {
            match action {
                Action::Get(key) => prop_assert_eq!(cache.get(&key, at(now)).copied(), model.get(key, now)),
                Action::Peek(key) => {
                    let live = model.entries.iter().find(|(other, _, end)| *other == key && end.is_none_or(|end| now < end));
                    prop_assert_eq!(cache.peek(&key, at(now)), live.map(|(_, value, _)| value));
                }
                Action::Insert(key, value) => {
                    let expected = model.insert(size, (key, value, ttl.map(|ttl| now + ttl)), now);
                    prop_assert_eq!(cache.insert(key, value, at(now)), expected);
                }
                Action::InsertFor(key, value, ttl) => {
                    let expected = model.insert(size, (key, value, Some(now + ttl)), now);
                    prop_assert_eq!(cache.insert_for(key, value, Duration::from_millis(ttl), at(now)), expected);
                }
                Action::Remove(key) => {
                    let taken = model.take(key);
                    prop_assert_eq!(cache.remove(&key, at(now)), model.live(taken, now).map(|(_, value, _)| value));
                }
                Action::Purge => {
                    let before = model.entries.len();
                    model.entries.retain(|(.., end)| end.is_none_or(|end| now < end));
                    let gone = before - model.entries.len();
                    model.stats.expired += gone as u64;
                    prop_assert_eq!(cache.purge(at(now)), gone);
                }
                Action::Clear => {
                    cache.clear();
                    model.entries.clear();
                }
                Action::Pass(millis) => now += millis,
            }
            prop_assert_eq!(cache.stats(), Stats { size: model.entries.len(), ..model.stats });
            prop_assert_eq!(model.entries.len().min(size), model.entries.len());
        }
    }
}

#[test]
fn a_cache_that_could_hold_nothing_is_refused() {
    for options in [Options { max_size: 0, ttl: None }, Options { max_size: 1, ttl: Some(Duration::ZERO) }] {
        assert!(BoundedCache::<u8, u8>::new(options).is_err(), "{options:?}");
    }
}
