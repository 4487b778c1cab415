//! A cache that cannot grow without bound: the entry used longest ago makes room, and none outlives its time.

use std::borrow::Borrow;
use std::hash::Hash;
use std::time::Duration;

use lru::LruCache;

use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// How much is kept, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Never more entries.
    pub max_size: usize,
    /// How long an entry counts after it was written; `None` for as long as there is room.
    pub ttl: Option<Duration>,
}

impl Default for Options {
    /// A thousand entries, for as long as there is room.
    fn default() -> Self {
        Self { max_size: 1000, ttl: None }
    }
}

/// What a cache was asked, and what became of its entries; counted from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// [`BoundedCache::get`] that found an entry.
    pub hits: u64,
    /// [`BoundedCache::get`] that found none, or one whose time had passed.
    pub misses: u64,
    /// Entries that made room for others.
    pub evictions: u64,
    /// Entries that were dropped because their time had passed.
    pub expired: u64,
    /// Entries that are held now; some may have outlived their time without anybody having asked since.
    pub size: usize,
}

/// A cache of at most so many entries. Every operation but [`BoundedCache::purge`] and [`BoundedCache::clear`] takes
/// the same time however many there are.
///
/// ```
/// use std::time::Duration;
/// use orchestration::resilience::cache::{BoundedCache, Options};
/// use orchestration::wire::Timestamp;
///
/// let mut cache = BoundedCache::new(Options { max_size: 2, ttl: Some(Duration::from_secs(300)) })?;
/// let now = Timestamp::from_seconds(1_700_000_000);
/// cache.insert("a", 1, now);
/// cache.insert("b", 2, now);
/// assert_eq!(cache.get("a", now), Some(&1));
/// cache.insert("c", 3, now); // "b" was used longest ago
/// assert_eq!(cache.get("b", now), None);
/// assert_eq!(cache.get("a", now + Duration::from_secs(300)), None);
/// let stats = cache.stats();
/// assert_eq!((stats.hits, stats.misses, stats.evictions, stats.expired, stats.size), (1, 2, 1, 1, 1));
/// # Ok::<_, orchestration::Error>(())
/// ```
#[derive(Debug)]
pub struct BoundedCache<K: Hash + Eq, V> {
    options: Options,
    entries: LruCache<K, Entry<V>>,
    stats: Stats,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    /// The first moment at which it does not count any more.
    end: Option<Timestamp>,
}

impl<V> Entry<V> {
    fn is_over(&self, at: Timestamp) -> bool {
        self.end.is_some_and(|end| at >= end)
    }
}

impl<K: Hash + Eq, V> BoundedCache<K, V> {
    /// [`Code::InvalidConfiguration`] for a size or a time of 0.
    pub fn new(options: Options) -> Result<Self> {
        if options.max_size == 0 || options.ttl.is_some_and(|ttl| ttl.is_zero()) {
            let message = "the size of a cache must be at least 1, and its ttl longer than 0";
            return Err(Error::new(Code::InvalidConfiguration, message));
        }
        // With the bound here and not in the map, memory is taken as entries come.
        Ok(Self { options, entries: LruCache::unbounded(), stats: Stats::default() })
    }

    /// The value of a key; it counts as used.
    pub fn get<Q>(&mut self, key: &Q, at: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.entries.peek(key).is_some_and(|entry| entry.is_over(at)) {
            self.entries.pop(key);
            self.stats.expired += 1;
        }
        let value = self.entries.get(key).map(|entry| &entry.value);
        match value {
            Some(_) => self.stats.hits += 1,
            None => self.stats.misses += 1,
        }
        value
    }

    /// The value of a key; nothing is counted, and it does not count as used.
    pub fn peek<Q>(&self, key: &Q, at: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.entries.peek(key).filter(|entry| !entry.is_over(at)).map(|entry| &entry.value)
    }

    /// Writes the value of a key, for as long as the options say; it counts as used. Gives the value of before.
    pub fn insert(&mut self, key: K, value: V, at: Timestamp) -> Option<V> {
        self.write(key, value, self.options.ttl.map(|ttl| at + ttl), at)
    }

    /// [`insert`](Self::insert), for another time than the options say.
    pub fn insert_for(&mut self, key: K, value: V, ttl: Duration, at: Timestamp) -> Option<V> {
        self.write(key, value, Some(at + ttl), at)
    }

    /// Drops the value of a key, and gives it if it still counted.
    pub fn remove<Q>(&mut self, key: &Q, at: Timestamp) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.entries.pop(key)?;
        self.live(entry, at)
    }

    /// Drops all entries whose time has passed, and tells how many. Takes time in proportion to all entries.
    pub fn purge(&mut self, at: Timestamp) -> usize
    where
        K: Clone,
    {
        let over = self.entries.iter().filter(|(_, entry)| entry.is_over(at)).map(|(key, _)| key.clone());
        let over: Vec<K> = over.collect();
        for key in &over {
            self.entries.pop(key);
        }
        self.stats.expired += over.len() as u64;
        over.len()
    }

    /// Drops all entries. What was counted stays.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// What was counted, and how many entries there are.
    pub fn stats(&self) -> Stats {
        Stats { size: self.entries.len(), ..self.stats }
    }

    fn write(&mut self, key: K, value: V, end: Option<Timestamp>, at: Timestamp) -> Option<V> {
        let before = self.entries.put(key, Entry { value, end });
        if self.entries.len() > self.options.max_size
            && let Some((_, oldest)) = self.entries.pop_lru()
        {
            let count = if oldest.is_over(at) { &mut self.stats.expired } else { &mut self.stats.evictions };
            *count += 1;
        }
        before.and_then(|entry| self.live(entry, at))
    }

    fn live(&mut self, entry: Entry<V>, at: Timestamp) -> Option<V> {
        if entry.is_over(at) {
            self.stats.expired += 1;
            return None;
        }
        Some(entry.value)
    }
}
