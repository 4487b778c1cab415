//! A circuit breaker: calls to something that keeps failing are refused at once for a while
//! (Nygard, *Release It!*, "Circuit Breaker").

use std::collections::VecDeque;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// When a breaker opens and when it tries again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// It opens if at least this share of the calls in the window failed; above 0, at most 1.
    pub error_rate: f64,
    /// Fewer calls than this in the window say nothing.
    pub volume_threshold: u32,
    /// How far back calls count.
    pub window: Duration,
    /// How long it stays open before it lets calls try.
    pub reset_timeout: Duration,
    /// So many calls try at once while it is half open, and so many have to succeed for it to close. A call that has not
    /// ended after `reset_timeout` makes room for another.
    pub half_open_calls: u32,
}

impl Default for Options {
    /// Opens when half of at least ten calls of the last 10 s failed, for 30 s.
    fn default() -> Self {
        Self {
            error_rate: 0.5,
            volume_threshold: 10,
            window: Duration::from_secs(10),
            reset_timeout: Duration::from_secs(30),
            half_open_calls: 1,
        }
    }
}

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Lets all pass.
    Closed,
    /// Refuses all.
    Open,
    /// Lets a few pass, to see how they go.
    HalfOpen,
}

impl State {
    /// The name in events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half-open",
        }
    }
}

/// What a call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Go on, and tell how it went with this ticket.
    Pass(Ticket),
    /// Don't: trying makes sense from this moment on.
    Refuse(Timestamp),
}

/// A call that was let pass. The outcome of one from before the breaker last changed its state counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u32);

impl Ticket {
    /// A ticket that a host kept as a number.
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// The ticket as a number.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    options: Options,
    state: State,
    /// The newest ticket. Each state has its own: one while it is closed, and one for each call while it is half open.
    newest: u32,
    /// The first ticket of this state.
    first: u32,
    opened_at: Timestamp,
    /// Half open: calls under way and when they began, and how many succeeded.
    trying: Vec<(Ticket, Timestamp)>,
    succeeded: u32,
    slices: VecDeque<Slice>,
}

/// The calls of a part of the window.
#[derive(Clone, Copy, Debug)]
struct Slice {
    begin: Timestamp,
    calls: u32,
    failures: u32,
}

/// The window moves on in so many steps.
const SLICES: u32 = 10;

impl CircuitBreaker {
    /// A closed breaker. [`Code::InvalidConfiguration`] for options that could never open or close it.
    pub fn new(options: Options) -> Result<Self> {
        let invalid = |text: &str| Err(Error::new(Code::InvalidConfiguration, text));
        if !(options.error_rate > 0.0 && options.error_rate <= 1.0) {
            return invalid("errorRate must be above 0 and at most 1");
        }
        if options.volume_threshold == 0 || options.half_open_calls == 0 {
            return invalid("volumeThreshold and halfOpenCalls must be at least 1");
        }
        if options.window < Duration::from_millis(u64::from(SLICES)) || options.reset_timeout.is_zero() {
            return invalid("the window must be at least 10 ms and the reset timeout at least 1 ms");
        }
        Ok(Self {
            options,
            state: State::Closed,
            newest: 0,
            first: 0,
            opened_at: Timestamp::default(),
            trying: Vec::new(),
            succeeded: 0,
            slices: VecDeque::new(),
        })
    }

    /// What the breaker does with a call at `at`.
    pub fn state(&self, at: Timestamp) -> State {
        if self.state == State::Open && at >= self.retry_at() { State::HalfOpen } else { self.state }
    }

    /// Asks whether a call may be made.
    pub fn admit(&mut self, at: Timestamp) -> Admission {
        if self.state == State::Open && at >= self.retry_at() {
            self.change(State::HalfOpen);
        }
        match self.state {
            State::Closed => Admission::Pass(Ticket(self.newest)),
            State::Open => Admission::Refuse(self.retry_at()),
            State::HalfOpen => self.admit_try(at),
        }
    }

    fn admit_try(&mut self, at: Timestamp) -> Admission {
        // One that never ends would keep the breaker half open for ever.
        self.trying.retain(|(_, begun)| *begun + self.options.reset_timeout > at);
        let tries = u32::try_from(self.trying.len()).unwrap_or(u32::MAX);
        if tries.saturating_add(self.succeeded) >= self.options.half_open_calls {
            return Admission::Refuse(at);
        }
        self.newest = self.newest.wrapping_add(1);
        let ticket = Ticket(self.newest);
        self.trying.push((ticket, at));
        Admission::Pass(ticket)
    }

    /// Tells how a call went. Returns whether the breaker changed its state.
    pub fn record(&mut self, ticket: Ticket, success: bool, at: Timestamp) -> bool {
        if !self.is_current(ticket) {
            return false;
        }
        match self.state {
            State::Closed => {
                self.count(success, at);
                let (calls, failures) = self.counts(at);
                let opens = calls >= self.options.volume_threshold
                    && f64::from(failures) >= self.options.error_rate * f64::from(calls);
                if opens && !success {
                    self.open(at);
                }
                opens && !success
            }
            State::HalfOpen if success => {
                self.release(ticket);
                self.succeeded += 1;
                let closes = self.succeeded >= self.options.half_open_calls;
                if closes {
                    self.change(State::Closed);
                }
                closes
            }
            State::HalfOpen => {
                self.open(at);
                true
            }
            State::Open => false,
        }
    }

    /// Tells that a call was given up by its caller and says nothing about the other side.
    pub fn release(&mut self, ticket: Ticket) {
        self.trying.retain(|(trying, _)| *trying != ticket);
    }

    /// Opens the breaker whatever the counts say.
    pub fn open(&mut self, at: Timestamp) {
        self.change(State::Open);
        self.opened_at = at;
    }

    /// Closes the breaker whatever the counts say.
    pub fn close(&mut self) {
        self.change(State::Closed);
    }

    /// The calls in the window and how many of them failed.
    pub fn counts(&self, at: Timestamp) -> (u32, u32) {
        self.slices
            .iter()
            .filter(|slice| slice.begin + self.options.window > at)
            .fold((0, 0), |(calls, failures), slice| (calls + slice.calls, failures + slice.failures))
    }

    fn retry_at(&self) -> Timestamp {
        self.opened_at + self.options.reset_timeout
    }

    /// Whether a call was let pass in this state.
    fn is_current(&self, ticket: Ticket) -> bool {
        ticket.0.wrapping_sub(self.first) <= self.newest.wrapping_sub(self.first)
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.newest = self.newest.wrapping_add(1);
        self.first = self.newest;
        self.trying.clear();
        self.succeeded = 0;
        self.slices.clear();
    }

    fn count(&mut self, success: bool, at: Timestamp) {
        while self.slices.front().is_some_and(|slice| slice.begin + self.options.window <= at) {
            self.slices.pop_front();
        }
        let width = self.options.window / SLICES;
        // A clock that is set back adds to the newest slice.
        if self.slices.back().is_none_or(|slice| slice.begin + width <= at) {
            self.slices.push_back(Slice { begin: at, calls: 0, failures: 0 });
        }
        if let Some(slice) = self.slices.back_mut() {
            slice.calls = slice.calls.saturating_add(1);
            slice.failures = slice.failures.saturating_add(u32::from(!success));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn breaker() -> CircuitBreaker {
        CircuitBreaker::new(Options { volume_threshold: 4, half_open_calls: 2, ..Options::default() }).unwrap()
    }

    fn call(breaker: &mut CircuitBreaker, success: bool, now: u64) -> bool {
        match breaker.admit(at(now)) {
            Admission::Pass(ticket) => {
                breaker.record(ticket, success, at(now));
                true
            }
            Admission::Refuse(_) => false,
        }
    }

    #[test]
    fn it_opens_when_enough_of_enough_calls_fail() {
        let mut breaker = breaker();
        for success in [false, false, false] {
            assert!(call(&mut breaker, success, 0));
        }
        assert_eq!(breaker.state(at(0)), State::Closed, "three calls say nothing");
        assert!(call(&mut breaker, false, 1));
        assert_eq!(breaker.admit(at(2)), Admission::Refuse(at(30_001)));
    }

    #[test]
    fn a_success_never_opens_it_and_old_calls_are_forgotten() {
        let mut breaker = breaker();
        for success in [false, false, true, true] {
            call(&mut breaker, success, 0);
        }
        assert_eq!(breaker.state(at(0)), State::Closed, "half failed, but the last call succeeded");
        for now in [12_000, 12_001, 12_002] {
            call(&mut breaker, false, now);
        }
        assert_eq!((breaker.state(at(12_002)), breaker.counts(at(12_002))), (State::Closed, (3, 3)));
    }

    #[test]
    fn half_open_it_lets_a_few_try_and_closes_when_all_succeed() {
        let mut breaker = breaker();
        breaker.open(at(0));
        assert_eq!(breaker.state(at(29_999)), State::Open);
        let tickets: Vec<Admission> = (0..3).map(|_| breaker.admit(at(30_000))).collect();
        assert!(matches!(tickets[..], [Admission::Pass(_), Admission::Pass(_), Admission::Refuse(_)]));
        let [Admission::Pass(first), Admission::Pass(second), _] = tickets[..] else { return };
        assert!(!breaker.record(first, true, at(30_001)));
        assert!(breaker.record(second, true, at(30_002)));
        assert_eq!(breaker.state(at(30_002)), State::Closed);
        assert!(!breaker.record(second, false, at(30_003)), "an outcome of before counts for nothing");
        assert_eq!(breaker.counts(at(30_003)), (0, 0));
    }

    #[test]
    fn a_failed_try_opens_it_again_and_a_released_one_makes_room() {
        let mut breaker = breaker();
        breaker.open(at(0));
        let passed = |admission| match admission {
            Admission::Pass(ticket) => Some(ticket),
            Admission::Refuse(_) => None,
        };
        let [first, second, refused] = std::array::from_fn(|_| passed(breaker.admit(at(30_000))));
        assert!(second.is_some() && refused.is_none());
        breaker.release(first.unwrap());
        let third = passed(breaker.admit(at(30_000))).unwrap();
        assert!(breaker.record(third, false, at(30_005)));
        assert_eq!(breaker.admit(at(60_004)), Admission::Refuse(at(60_005)));
    }

    #[test]
    fn a_try_that_never_ends_makes_room_and_still_counts_if_it_does() {
        let options = Options { half_open_calls: 1, ..Options::default() };
        for success in [true, false] {
            let mut breaker = CircuitBreaker::new(options).unwrap();
            breaker.open(at(0));
            let Admission::Pass(first) = breaker.admit(at(30_000)) else { panic!("refused") };
            assert_eq!(breaker.admit(at(59_999)), Admission::Refuse(at(59_999)));
            let Admission::Pass(second) = breaker.admit(at(60_000)) else { panic!("refused") };
            assert_eq!(breaker.admit(at(60_001)), Admission::Refuse(at(60_001)), "one at a time");
            assert!(breaker.record(first, success, at(60_002)));
            let state = if success { State::Closed } else { State::Open };
            assert_eq!(breaker.state(at(60_003)), state);
            assert!(!breaker.record(second, !success, at(60_004)), "of before");
        }
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        for options in [
            Options { error_rate: 0.0, ..Options::default() },
            Options { error_rate: f64::NAN, ..Options::default() },
            Options { volume_threshold: 0, ..Options::default() },
            Options { half_open_calls: 0, ..Options::default() },
            Options { window: Duration::ZERO, ..Options::default() },
            Options { reset_timeout: Duration::ZERO, ..Options::default() },
        ] {
            assert!(CircuitBreaker::new(options).is_err(), "{options:?}");
        }
    }
}
