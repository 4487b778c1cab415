//! The breaker against the list of all calls.

use std::time::Duration;

use orchestration::resilience::circuit_breaker::{Options, Ticket};
use orchestration::resilience::{Admission, CircuitBreaker, State};
use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use crate::at;

#[derive(Clone, Copy, Debug)]
enum Action {
    Begin,
    /// The call under way at this place, counted round.
    End(usize, bool),
    Release(usize),
    Pass(u64),
    Open,
    Close,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        8 => Just(Action::Begin),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(call, success)| Action::End(call, success)),
        1 => any::<usize>().prop_map(Action::Release),
        4 => (0..300_u64).prop_map(Action::Pass),
        1 => prop_oneof![Just(Action::Open), Just(Action::Close)],
    ];
    proptest::collection::vec(action, 0..250)
}

/// Everything that ever happened since the state last changed.
struct Model {
    options: Options,
    state: State,
    changed_at: u64,
    /// When calls ended, from when on they are forgotten, and how they went.
    ended: Vec<(u64, u64, bool)>,
    /// Half open.
    /// Calls that hold a place, by their number, and when they began.
    tries: Vec<(usize, u64)>,
    tries_done: usize,
    changes: usize,
}

impl Model {
    fn millis(duration: Duration) -> u64 {
        u64::try_from(duration.as_millis()).unwrap()
    }

    fn change(&mut self, state: State, now: u64) {
        (self.state, self.changed_at) = (state, now);
        self.ended.clear();
        self.tries.clear();
        self.tries_done = 0;
        self.changes += 1;
    }

    /// The state as somebody sees it who asks now.
    fn seen(&self, now: u64) -> State {
        let over = now >= self.changed_at + Self::millis(self.options.reset_timeout);
        if self.state == State::Open && over { State::HalfOpen } else { self.state }
    }

    fn begin(&mut self, call: usize, now: u64) -> bool {
        if self.seen(now) != self.state {
            self.change(State::HalfOpen, now);
        }
        match self.state {
            State::Closed => true,
            State::Open => false,
            State::HalfOpen => {
                let longest = Self::millis(self.options.reset_timeout);
                self.tries.retain(|(_, begun)| now - begun < longest);
                let room = self.tries.len() + self.tries_done < self.options.half_open_calls as usize;
                if room {
                    self.tries.push((call, now));
                }
                room
            }
        }
    }

    fn release(&mut self, call: usize) {
        self.tries.retain(|(other, _)| *other != call);
    }

    fn end(&mut self, call: usize, success: bool, now: u64) {
        if self.state == State::HalfOpen {
            self.release(call);
            self.tries_done += 1;
            match success {
                false => self.change(State::Open, now),
                true if self.tries_done >= self.options.half_open_calls as usize => self.change(State::Closed, now),
                true => {}
            }
            return;
        }
        let window = Self::millis(self.options.window);
        // The window moves on by tenths: calls of one tenth are forgotten together, with the first of them.
        let end = match self.ended.last() {
            Some((_, end, _)) if now < end - window + window / 10 => *end,
            _ => now + window,
        };
        self.ended.push((now, end, success));
        let (calls, failures) = self.counts(now);
        let enough = calls >= self.options.volume_threshold;
        if enough && !success && f64::from(failures) / f64::from(calls) >= self.options.error_rate {
            self.change(State::Open, now);
        }
    }

    fn counts(&self, now: u64) -> (u32, u32) {
        let known = || self.ended.iter().filter(|(_, end, _)| now < *end);
        let failed = known().filter(|(.., success)| !success).count();
        (u32::try_from(known().count()).unwrap(), u32::try_from(failed).unwrap())
    }

    /// How many calls ended within this time.
    fn ended_within(&self, time: u64, now: u64) -> usize {
        self.ended.iter().filter(|(moment, ..)| moment + time > now).count()
    }
}

proptest! {
    #[test]
    fn it_does_what_the_list_does(
        error_rate in proptest::sample::select(&[0.1, 0.25, 0.5, 0.75, 1.0][..]),
        volume_threshold in 1..7_u32,
        half_open_calls in 1..4_u32,
        window in 10..1500_u64,
        reset_timeout in 1..900_u64,
        actions in actions(),
    ) {
        let (window, reset_timeout) = (Duration::from_millis(window), Duration::from_millis(reset_timeout));
        let options = Options { error_rate, volume_threshold, window, reset_timeout, half_open_calls };
        let mut breaker = CircuitBreaker::new(options).unwrap();
        let (changes, ended) = (0, Vec::new());
        let mut model =
            Model { options, state: State::Closed, changed_at: 0, ended, tries: Vec::new(), tries_done: 0, changes };
        // Calls under way, their numbers, and how often the state had changed when they began.
        let mut calls: Vec<(Ticket, usize, usize)> = Vec::new();
        let mut begun = 0;
        let mut now = 10_000;
        for action in actions {
            let place = |call: usize| if calls.is_empty() { None } else { Some(call % calls.len()) };
            match action {
                Action::Begin => {
                    begun += 1;
                    let passes = model.begin(begun, now);
                    match breaker.admit(at(now)) {
                        Admission::Pass(ticket) => {
                            prop_assert!(passes);
                            calls.push((ticket, begun, model.changes));
                        }
                        Admission::Refuse(retry_at) => {
                            prop_assert!(!passes);
                            let expected = match model.state {
                                State::Open => model.changed_at + Model::millis(reset_timeout),
                                _ => now,
                            };
                            prop_assert_eq!(retry_at, at(expected));
                        }
                    }
                }
                Action::End(call, success) => {
                    let Some(place) = place(call) else { continue };
                    let (ticket, call, began) = calls.remove(place);
                    let before = model.changes;
                    if began == before {
                        model.end(call, success, now);
                    }
                    prop_assert_eq!(breaker.record(ticket, success, at(now)), model.changes > before);
                }
                Action::Release(call) => {
                    let Some(place) = place(call) else { continue };
                    let (ticket, call, _) = calls.remove(place);
                    model.release(call);
                    breaker.release(ticket);
                }
                Action::Pass(millis) => now += millis,
                Action::Open => {
                    breaker.open(at(now));
                    model.change(State::Open, now);
                }
                Action::Close => {
                    breaker.close();
                    model.change(State::Closed, now);
                }
            }
            prop_assert_eq!(breaker.state(at(now)), model.seen(now));
            let counts = breaker.counts(at(now));
            prop_assert_eq!(counts, model.counts(now));
            let window = Model::millis(window);
            let surely = model.ended_within(window - window / 10, now);
            prop_assert!((surely..=model.ended_within(window, now)).contains(&(counts.0 as usize)));
        }
    }
}
