//! The limit that a request exceeded.

/// What a broker's answer with status 429 tells. The values are the broker's own texts: `reset` is Unix seconds for
/// QStash's limits and a duration such as `6m0s` for those of a language model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// Requests in a short time (`Burst-RateLimit-*`). Every value is `None` if the answer has no headers about it.
    Burst(Limit),
    /// Messages of a day (`RateLimit-*`).
    Daily(Limit),
    /// Use of a language model (`x-ratelimit-*`).
    Chat {
        /// Requests.
        requests: Limit,
        /// Tokens.
        tokens: Limit,
    },
}

/// One limit, as the broker words it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// How much is allowed.
    pub limit: Option<String>,
    /// How much of it is left.
    pub remaining: Option<String>,
    /// When it is allowed again.
    pub reset: Option<String>,
}
