//! What the broker's tests share: SQLite as a port, seeded entropy, and a world of endpoints with a clock of its own.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::unused_self,
    clippy::needless_pass_by_value
)]

pub mod protocol;
pub mod sqlite;
pub mod workflow;
pub mod world;

use std::collections::BTreeMap;

use orchestration::wire::{Entropy, Method};

/// `SplitMix64`: the same seed gives the same bytes on every machine.
#[derive(Clone)]
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next().to_le_bytes()[0]);
    }
}

/// Every route of the API, read from the table itself, with `destination` or a name where it leaves a place open.
pub fn routes(destination: &str) -> Vec<(Method, String)> {
    let source = include_str!("../../src/broker/api/mod.rs");
    let table = source.split_once("const ROUTES").unwrap().1.split_once("\n];").unwrap().0;
    let routes: Vec<(Method, String)> = table
        .split("Method::")
        .skip(1)
        .filter_map(|entry| {
            let (method, rest) = entry.split_once(',')?;
            let path = rest.trim_start().strip_prefix('"')?.split_once('"')?.0;
            Some((Method::parse(method).unwrap(), path.replace("**", destination).replace('*', "some-name")))
        })
        .collect();
    assert!(routes.len() > 50, "the table of routes is written differently now");
    routes
}

/// Plays a simulation with each seed and sums what happened in them. `SIMULATION_SEEDS` sets how many seeds are tried, else
/// `seeds`; `SIMULATION_SEED` replays a single one. What is `expected` has to happen more than 20 times: a simulation in
/// which nothing goes wrong proves nothing.
pub fn simulate(seeds: u64, expected: &[&str], play: impl Fn(u64) -> BTreeMap<&'static str, u64>) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let single = number("SIMULATION_SEED");
    let range = match single {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(seeds),
    };
    let mut total: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in range {
        println!("seed {seed}");
        for (what, count) in play(seed) {
            *total.entry(what).or_insert(0) += count;
        }
    }
    println!("{total:?}");
    if single.is_none() {
        for what in expected {
            assert!(total.get(what).is_some_and(|count| *count > 20), "{what}: {total:?}");
        }
    }
}
