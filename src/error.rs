//! One error type for the whole crate.
//!
//! A [`Code`] is stable: programs match on it, people read [`Error::message`]. Codes are grouped by
//! [`Blame`]: who has to change something for the call to succeed. The table below is the only place
//! where a code meets its name, its blame, its HTTP status and whether trying again can help.

mod rate_limit;

pub use rate_limit::{Limit, RateLimit};

use std::fmt;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong: a stable [`Code`] and a sentence that says what was expected, what came, and what to do.
///
/// The message never contains a key, a token or a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
    refusal: Option<Box<Refusal>>,
}

/// What a broker's answer said besides its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    status: u16,
    rate_limit: Option<RateLimit>,
}

impl Error {
    /// An error with `code` and a sentence for people.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), refusal: None }
    }

    /// The error of a broker's answer with `status`, and the limit that it tells of.
    pub(crate) fn refused(mut self, status: u16, rate_limit: Option<RateLimit>) -> Self {
        self.refusal = Some(Box::new(Refusal { status, rate_limit }));
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for people, without the code.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The status of the broker's answer; `None` for an error that is not about one.
    pub fn broker_status(&self) -> Option<u16> {
        self.refusal.as_ref().map(|refusal| refusal.status)
    }

    /// The limit that was exceeded, for [`Code::RateLimited`], [`Code::ChatRateLimited`] and [`Code::DailyRateLimited`].
    pub fn rate_limit(&self) -> Option<&RateLimit> {
        self.refusal.as_ref()?.rate_limit.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Error {}

/// Who has to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The code that called us: configuration, a workflow function, an API request.
    Caller,
    /// The other end of the wire: a forged delivery, a damaged history, a broker that is down.
    Peer,
    /// This crate.
    Bug,
}

macro_rules! codes {
    ($( $(#[$doc:meta])+ $name:ident: $blame:ident, $status:literal, $retryable:literal; )+) => {
        /// Stable error codes. The name is what hosts show (`error.code` in JavaScript).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $( $(#[$doc])+ $name, )+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$( Code::$name, )+];

            /// The stable name, such as `StepMismatch`.
            pub const fn name(self) -> &'static str {
                match self { $( Code::$name => stringify!($name), )+ }
            }

            /// Who has to change something.
            pub const fn blame(self) -> Blame {
                match self { $( Code::$name => Blame::$blame, )+ }
            }

            /// The HTTP status that a server answers with for this code.
            pub const fn status(self) -> u16 {
                match self { $( Code::$name => $status, )+ }
            }

            /// Whether the same call may succeed later without a change.
            pub const fn is_retryable(self) -> bool {
                match self { $( Code::$name => $retryable, )+ }
            }
        }
    };
}

codes! {
    /// A setting is missing or contradicts another.
    InvalidConfiguration: Caller, 500, false;
    /// No signing key was given; a receiver without keys would accept everything.
    EmptyKeySet: Caller, 500, false;
    /// A URL can't be used: not absolute, not http(s), or not valid.
    InvalidUrl: Caller, 400, false;
    /// A header's value is not of the form its name asks for.
    InvalidHeader: Caller, 400, false;
    /// A duration such as `1d10h30m` can't be read.
    InvalidDuration: Caller, 400, false;
    /// A retry-delay expression can't be read.
    InvalidExpression: Caller, 400, false;
    /// A list of ids or of a filter's values is empty: the request would concern everything.
    EmptyArray: Caller, 400, false;
    /// A request's path, query or body is not what its endpoint expects.
    InvalidRequest: Caller, 400, false;
    /// The request's body is larger than the limit.
    PayloadTooLarge: Caller, 413, false;
    /// The bearer token is missing or wrong.
    Unauthorized: Caller, 401, false;
    /// The token is known, but may not do this.
    Forbidden: Caller, 403, false;
    /// A destination is not on the public internet, and the broker sends nowhere else.
    PrivateDestination: Caller, 400, false;
    /// What the path names does not exist.
    NotFound: Caller, 404, false;
    /// The path exists, with another method.
    MethodNotAllowed: Caller, 405, false;
    /// The run has ended, was cancelled or never began: it takes no step. SDKs take the status for that and stop quietly.
    RunEnded: Caller, 400, false;
    /// A step of a run that goes on can't be accepted as it is; without it the run can't go on.
    StepRefused: Caller, 412, false;
    /// A number of things, such as queues or schedules, has reached the limit of the broker.
    LimitReached: Caller, 412, false;
    /// A documented feature of the wire that this version does not offer.
    Unsupported: Caller, 501, false;
    /// A step's result or a workflow's result can't be written as JSON.
    NotSerializable: Caller, 489, false;
    /// A label or a flow-control key holds a character that it must not hold.
    InvalidName: Caller, 489, false;
    /// A step was requested while another step's function was running.
    NestedStep: Caller, 489, false;
    /// The workflow asked for another step than the one that was recorded at this place.
    StepMismatch: Caller, 500, false;
    /// A recorded result can't be read as the type that the workflow asks for.
    ResultMismatch: Caller, 500, false;
    /// A step's function failed; the broker decides whether it is tried again.
    StepFailed: Caller, 500, true;
    /// A step took longer than its timeout allows.
    StepTimeout: Caller, 504, true;
    /// The workflow's function failed outside a step.
    WorkflowFailed: Caller, 500, true;
    /// The workflow returned before its first step: it refused the request.
    Refused: Caller, 400, false;
    /// A value does not fit the schema that it was checked with.
    ValidationFailed: Caller, 400, false;
    /// Who asked does not wait for the answer any more.
    Aborted: Caller, 499, false;
    /// A batch has no room: items come in faster than they are worked off.
    BatchFull: Caller, 429, true;
    /// What was asked has been shut down and takes nothing more.
    Closed: Caller, 503, false;

    /// Another program listens on the port of the broker.
    PortTaken: Caller, 500, false;
    /// Another broker has the database open.
    DatabaseInUse: Caller, 500, false;
    /// The broker at the address of development mode has another identity.
    BrokerMismatch: Caller, 500, false;

    /// The request carries no signature.
    SignatureMissing: Peer, 401, false;
    /// The signature is not a JWT of three base64url parts with JSON inside.
    SignatureMalformed: Peer, 401, false;
    /// The signature's algorithm is not HS256.
    SignatureAlgorithm: Peer, 403, false;
    /// No signing key made this signature.
    SignatureInvalid: Peer, 403, false;
    /// A claim is missing or of the wrong form, or `iss` has the wrong value.
    SignatureClaim: Peer, 403, false;
    /// The signature's `sub` is another URL.
    SignatureSubject: Peer, 403, false;
    /// The signature has expired.
    SignatureExpired: Peer, 403, false;
    /// The signature is not valid yet.
    SignatureNotYetValid: Peer, 403, false;
    /// The body is not the one that was signed.
    SignatureBody: Peer, 403, false;
    /// The signature was accepted before.
    SignatureReplayed: Peer, 403, false;

    /// The delivery speaks another version of the workflow protocol.
    ProtocolVersion: Peer, 500, true;
    /// The delivery does not name its run.
    RunIdMissing: Peer, 500, true;
    /// The history can't be read; the message names the field.
    HistoryMalformed: Peer, 500, true;
    /// The history lacks a step.
    HistoryGap: Peer, 500, true;
    /// The broker refused a request.
    BrokerRefused: Peer, 500, true;
    /// Too many requests in a short time: the broker or a rate limiter refused one.
    RateLimited: Peer, 429, true;
    /// The broker refused a request to a language model: too many requests or tokens.
    ChatRateLimited: Peer, 429, true;
    /// The broker refused a request: the day's messages are used up.
    DailyRateLimited: Peer, 429, true;
    /// The broker can't be reached.
    BrokerUnreachable: Peer, 500, true;
    /// The broker's answer can't be read.
    BrokerAnswer: Peer, 500, true;
    /// A call was answered with what it does not expect.
    CallFailed: Peer, 502, false;
    /// A circuit breaker is open: what it guards has failed too often, and is left alone for a while.
    CircuitOpen: Peer, 503, true;
    /// A provider of an engine can't take or answer a request.
    ProviderUnavailable: Peer, 503, true;

    /// The store failed.
    Storage: Bug, 500, true;
    /// An invariant of this crate does not hold; please report it.
    Internal: Bug, 500, true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert!(Code::ALL[..index].iter().all(|other| other.name() != code.name()), "{}", code.name());
        }
    }

    #[test]
    fn display_starts_with_the_code() {
        let error = Error::new(Code::NotFound, "no run has this id");
        assert_eq!(error.to_string(), "NotFound: no run has this id");
    }
}
