//! Settings from a Worker's variables and secrets, under the names that QStash's users know.

use worker::Env;

use crate::broker::shard::Shard;
use crate::broker::{self, PrivateDestinations};
use crate::client::region::SETTINGS;
use crate::error::{Code, Error, Result};
use crate::signature::{KeyRing, Keys, OwnKeys};
use crate::wire::Environment;

/// Where the broker is; if unset, the broker in this Worker, or else hosted QStash.
pub const QSTASH_URL: &str = "QSTASH_URL";
/// The token that the broker wants.
pub const QSTASH_TOKEN: &str = "QSTASH_TOKEN";
/// A token that may read everything but the signing keys, and change nothing.
pub const QSTASH_READONLY_TOKEN: &str = "QSTASH_READONLY_TOKEN";
/// The key that deliveries are signed with.
pub const QSTASH_CURRENT_SIGNING_KEY: &str = "QSTASH_CURRENT_SIGNING_KEY";
/// The key that replaces it at the next rotation.
pub const QSTASH_NEXT_SIGNING_KEY: &str = "QSTASH_NEXT_SIGNING_KEY";
/// Scheme and authority of the Worker's public address, if it differs from that of the requests that arrive.
pub const UPSTASH_WORKFLOW_URL: &str = "UPSTASH_WORKFLOW_URL";
/// How many deliveries the broker has under way at once; see [`DEFAULT_CONNECTIONS`].
pub const BROKER_CONNECTIONS: &str = "BROKER_CONNECTIONS";
/// How many objects the broker is spread over; 1 if unset.
pub const BROKER_SHARDS: &str = "BROKER_SHARDS";
/// `allow` or `refuse`, what becomes of destinations that are not on the public internet; refused if unset.
pub const BROKER_PRIVATE_DESTINATIONS: &str = "BROKER_PRIVATE_DESTINATIONS";
/// Where `api/llm` goes: the address of an API of `OpenAI`'s form.
pub const BROKER_LLM_URL: &str = "BROKER_LLM_URL";
/// Where `api/email` goes; Resend if unset.
pub const BROKER_EMAIL_URL: &str = "BROKER_EMAIL_URL";
/// The binding of the broker's Durable Object.
pub const BROKER: &str = "BROKER";
/// The binding of the Worker to itself.
pub const SELF: &str = "SELF";

/// The binding of the dashboard's files.
pub const ASSETS: &str = "ASSETS";

/// Cloudflare lets an invocation wait for six connections at once.
pub const DEFAULT_CONNECTIONS: usize = 6;

/// A variable or secret; `None` if it is unset or empty.
pub fn optional(env: &Env, name: &str) -> Option<String> {
    // Secrets and variables are read alike.
    env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty())
}

/// The variables and secrets that say which broker to talk to.
pub fn environment(env: &Env) -> Environment {
    SETTINGS.iter().filter_map(|name| Some((*name, optional(env, name)?))).collect()
}

/// A variable or secret that must be there; [`Code::InvalidConfiguration`] says how to set it.
pub fn required(env: &Env, name: &str) -> Result<String> {
    optional(env, name).ok_or_else(|| {
        Error::new(
            Code::InvalidConfiguration,
            format!("{name} is not set; set it with `wrangler secret put {name}`, or for development in .dev.vars"),
        )
    })
}

/// The keys that deliveries are verified with, those of regions included.
pub fn keys(env: &Env) -> Result<KeyRing> {
    let environment = KeyRing::SETTINGS.iter().filter_map(|name| Some((*name, optional(env, name)?))).collect();
    if let Some(keys) = KeyRing::from_settings(OwnKeys::default(), &environment)? {
        return Ok(keys);
    }
    required(env, QSTASH_CURRENT_SIGNING_KEY).and_then(|current| Keys::new(&current, None)).map(KeyRing::from)
}

/// The settings of the broker in this Worker.
pub fn broker(env: &Env) -> Result<broker::Settings> {
    let mut settings = broker::Settings::new(
        required(env, QSTASH_TOKEN)?,
        required(env, QSTASH_CURRENT_SIGNING_KEY)?,
        required(env, QSTASH_NEXT_SIGNING_KEY)?,
    );
    settings.apis.llm = optional(env, BROKER_LLM_URL);
    if let Some(url) = optional(env, BROKER_EMAIL_URL) {
        settings.apis.email = Some(url);
    }
    settings.parallelism = u32::try_from(connections(env)?).unwrap_or(u32::MAX);
    settings.read_only_token = optional(env, QSTASH_READONLY_TOKEN);
    settings.limits.private_destinations = match optional(env, BROKER_PRIVATE_DESTINATIONS).as_deref() {
        None | Some("refuse") => PrivateDestinations::Refused,
        Some("allow") => PrivateDestinations::Allowed,
        Some(_) => {
            let text = format!("{BROKER_PRIVATE_DESTINATIONS} must be allow or refuse");
            return Err(Error::new(Code::InvalidConfiguration, text));
        }
    };
    Ok(settings)
}

/// How many deliveries may be under way at once.
pub fn connections(env: &Env) -> Result<usize> {
    let Some(text) = optional(env, BROKER_CONNECTIONS) else { return Ok(DEFAULT_CONNECTIONS) };
    text.parse().ok().filter(|number| (1..=1000).contains(number)).ok_or_else(|| {
        Error::new(Code::InvalidConfiguration, format!("{BROKER_CONNECTIONS} must be a number from 1 to 1000"))
    })
}

/// The first of the broker's shards: how many there are.
pub fn shards(env: &Env) -> Result<Shard> {
    let Some(text) = optional(env, BROKER_SHARDS) else { return Ok(Shard::default()) };
    text.parse().ok().and_then(|count| Shard::new(0, count).ok()).ok_or_else(|| {
        Error::new(Code::InvalidConfiguration, format!("{BROKER_SHARDS} must be a number from 1 to {}", Shard::MOST))
    })
}
