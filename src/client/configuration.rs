//! All that an application is configured with, checked as a whole.
//!
//! Client and receiver read what they need of an [`Environment`] when they need it. An application that would rather know
//! at its start what is missing reads everything at once, and is told of everything that is wrong.

use std::fmt;

use crate::error::{Code, Error};
use crate::wire::{Environment, Region, development, url};

use super::region::{Credentials, QSTASH_TOKEN, QSTASH_URL, Sought, credentials};

/// What the settings of an environment come to.
///
/// ```
/// use orchestration::client::Configuration;
/// use orchestration::wire::Environment;
///
/// let development = Configuration::read(&Environment::from_iter([("QSTASH_DEV", "true")])).unwrap();
/// assert_eq!(development.broker.base_url, "http://127.0.0.1:8080");
///
/// let problems = Configuration::read(&Environment::default()).unwrap_err();
/// assert_eq!(problems.iter().map(|problem| problem.name.as_str()).collect::<Vec<_>>(), [
///     "QSTASH_URL",
///     "QSTASH_TOKEN",
///     "QSTASH_CURRENT_SIGNING_KEY",
///     "QSTASH_NEXT_SIGNING_KEY",
/// ]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Whether the broker is the one on this machine, whose token and keys are public.
    pub development: bool,
    /// Where that broker listens.
    pub development_port: u16,
    /// Where the broker is, and its token.
    pub broker: Credentials,
    /// The key that the broker signs with.
    pub current_signing_key: String,
    /// The one that it will sign with next.
    pub next_signing_key: String,
    /// Scheme and authority at which the broker reaches this application.
    pub workflow_url: Option<String>,
    /// Where state is shared.
    pub redis: Option<Redis>,
}

/// A database of Upstash Redis, over REST.
#[derive(Clone, PartialEq, Eq)]
pub struct Redis {
    /// Its address.
    pub url: String,
    /// Its token.
    pub token: String,
}

/// A setting that is missing, or can't be what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name.
    pub name: String,
    /// What is wrong with it.
    pub kind: ProblemKind,
    /// What was expected, and what to do. Never the value: values are secrets.
    pub message: String,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// It is absent or empty.
    Missing,
    /// It has a value that can't be right.
    Malformed,
}

impl ProblemKind {
    /// The name as hosts show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
        }
    }
}

/// Everything that is wrong with an environment; at least one thing. As text, all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// In the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment can't be used as it is:")?;
        for problem in &self.0 {
            write!(f, "\n- {}", problem.message)?;
        }
        let lacks_broker = |problem: &Problem| problem.kind == ProblemKind::Missing && problem.name.contains("QSTASH_");
        if self.0.iter().any(lacks_broker) {
            f.write_str("\nFor development, QSTASH_DEV=true takes the place of the settings of QStash.")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::new(Code::InvalidConfiguration, problems.to_string())
    }
}

impl Configuration {
    /// Every setting that [`read`](Self::read) looks at beside those of client and receiver.
    pub const SETTINGS: [&str; 3] = [WORKFLOW_URL.name, REDIS_URL.name, REDIS_TOKEN.name];

    /// Reads all settings. A setting that is an empty text counts as absent.
    ///
    /// Address and token of the broker and both signing keys have to be there, for the region if `QSTASH_REGION` names
    /// one, unless development mode is on. Address and token of Redis have to be there both or not at all.
    pub fn read(environment: &Environment) -> Result<Self, Problems> {
        let mut check = Check { environment, problems: Vec::new() };
        let (development, is_required) = check.development();
        let development_port = check.development_port();
        let broker = check.broker(development, is_required);
        let [current_signing_key, next_signing_key] = check.signing_keys(development, is_required);
        let workflow_url = check.optional(&WORKFLOW_URL);
        let redis = check.redis();
        if !check.problems.is_empty() {
            return Err(Problems(check.problems));
        }
        Ok(Self { development, development_port, broker, current_signing_key, next_signing_key, workflow_url, redis })
    }
}

/// Without what is secret.
impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("development", &self.development)
            .field("development_port", &self.development_port)
            .field("broker", &self.broker)
            .field("workflow_url", &self.workflow_url)
            .field("redis", &self.redis)
            .finish_non_exhaustive()
    }
}

/// Without the token.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A setting, and what people are told about it.
struct Setting {
    name: &'static str,
    form: Form,
    expected: &'static str,
}

/// How a value has to look.
#[derive(Clone, Copy)]
enum Form {
    /// [`url::is_address`].
    Address,
    /// Travels in a header: visible ASCII.
    Token,
    /// Any text without white space or quotes around it.
    Key,
}

const URL: Setting = Setting {
    name: QSTASH_URL,
    form: Form::Address,
    expected: "the broker's address, such as https://qstash.upstash.io",
};
const TOKEN: Setting = Setting {
    name: QSTASH_TOKEN,
    form: Form::Token,
    expected: "the broker's token; QStash shows it at https://console.upstash.com/qstash",
};
const SIGNING_KEYS: [Setting; 2] = [
    Setting {
        name: "QSTASH_CURRENT_SIGNING_KEY",
        form: Form::Key,
        expected: "the key that the broker signs with, such as sig_…, shown beside the token",
    },
    Setting {
        name: "QSTASH_NEXT_SIGNING_KEY",
        form: Form::Key,
        expected: "the key that the broker will sign with next, such as sig_…, shown beside the token",
    },
];
const WORKFLOW_URL: Setting = Setting {
    name: "UPSTASH_WORKFLOW_URL",
    form: Form::Address,
    expected: "where the broker reaches this application, such as https://example.com",
};
const REDIS_URL: Setting = Setting {
    name: "UPSTASH_REDIS_REST_URL",
    form: Form::Address,
    expected: "the REST address of the database, such as https://name.upstash.io",
};
const REDIS_TOKEN: Setting =
    Setting { name: "UPSTASH_REDIS_REST_TOKEN", form: Form::Token, expected: "the REST token of the database" };

/// Reads on after a problem, so that all of them are found.
struct Check<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    /// Whether development mode is on, and whether the settings of the broker have to be there.
    fn development(&mut self) -> (bool, bool) {
        match self.environment.is_development(None) {
            Ok(on) => (on, !on),
            Err(error) => {
                self.add("QSTASH_DEV", ProblemKind::Malformed, error.message().to_owned());
                // In production they have to, whatever was meant.
                (false, self.environment.is_development(Some(true)).is_err())
            }
        }
    }

    fn development_port(&mut self) -> u16 {
        development::port(self.environment).unwrap_or_else(|error| {
            self.add("QSTASH_DEV_PORT", ProblemKind::Malformed, error.message().to_owned());
            0
        })
    }

    fn broker(&mut self, development: bool, is_required: bool) -> Credentials {
        let sought = Sought { development: Some(development), ..Sought::default() };
        let found = credentials(self.environment, &sought).unwrap_or_else(|error| {
            self.add("QSTASH_REGION", ProblemKind::Malformed, error.message().to_owned());
            Credentials { base_url: String::new(), token: String::new(), region: None, warnings: Vec::new() }
        });
        if !development {
            for setting in [URL, TOKEN] {
                self.text(&setting, found.region, is_required);
            }
        }
        found
    }

    fn signing_keys(&mut self, development: bool, is_required: bool) -> [String; 2] {
        if development {
            return [development::CURRENT_SIGNING_KEY, development::NEXT_SIGNING_KEY].map(str::to_owned);
        }
        let region = self.environment.region().ok().flatten();
        let [current, _] = &SIGNING_KEYS;
        let own = region.filter(|region| self.given(&named(current.name, Some(*region))).is_some());
        SIGNING_KEYS.map(|setting| self.text(&setting, own, is_required).unwrap_or_default().to_owned())
    }

    fn redis(&mut self) -> Option<Redis> {
        let [url, token] = [&REDIS_URL, &REDIS_TOKEN].map(|setting| self.optional(setting));
        for (setting, other) in [(&REDIS_URL, &REDIS_TOKEN), (&REDIS_TOKEN, &REDIS_URL)] {
            if self.given(setting.name).is_none() && self.given(other.name).is_some() {
                let Setting { name, expected, .. } = setting;
                let message = format!("{name} is missing beside {}: set it to {expected}, or unset both", other.name);
                self.add(name, ProblemKind::Missing, message);
            }
        }
        Some(Redis { url: url?, token: token? })
    }

    fn optional(&mut self, setting: &Setting) -> Option<String> {
        self.text(setting, None, false).map(str::to_owned)
    }

    /// The value of a setting, or of the one that a region has in its place.
    fn text(&mut self, setting: &Setting, region: Option<Region>, is_required: bool) -> Option<&'a str> {
        let name = named(setting.name, region);
        let Some(value) = self.given(&name) else {
            if is_required {
                let message = format!("{name} is missing: set it to {}", setting.expected);
                self.add(&name, ProblemKind::Missing, message);
            }
            return None;
        };
        if let Err(rule) = setting.form.check(value) {
            let message = format!("{name} can't be right: it has to be {}, {rule}", setting.expected);
            self.add(&name, ProblemKind::Malformed, message);
        }
        Some(value)
    }

    fn given(&self, name: &str) -> Option<&'a str> {
        self.environment.get(name).filter(|value| !value.is_empty())
    }

    fn add(&mut self, name: &str, kind: ProblemKind, message: String) {
        self.problems.push(Problem { name: name.to_owned(), kind, message });
    }
}

impl Form {
    /// The rule that a value breaks.
    fn check(self, value: &str) -> Result<(), &'static str> {
        let is_quote = |c: char| matches!(c, '"' | '\'' | '`');
        let is_bare = value.trim() == value && !value.starts_with(is_quote) && !value.ends_with(is_quote);
        let (is_right, rule) = match self {
            Self::Address => (
                url::is_address(value),
                "beginning with https:// or http://, without quotes, white space, a user or a query",
            ),
            Self::Token => (
                is_bare && value.bytes().all(|byte| byte.is_ascii_graphic()),
                "of visible ASCII characters, without quotes around it",
            ),
            Self::Key => (is_bare, "without quotes or white space around it"),
        };
        if is_right { Ok(()) } else { Err(rule) }
    }
}

fn named(name: &str, region: Option<Region>) -> String {
    region.map_or_else(|| name.to_owned(), |region| format!("{}_{name}", region.name()))
}
