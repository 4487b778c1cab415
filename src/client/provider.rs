//! Messages to the API of a language model or of a mail service: address and headers as each wants them.

use std::fmt;

use crate::client::Message;
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, header};

const ANTHROPIC_VERSION: &str = "2023-06-01";
const HELICONE_GATEWAY: &str = "https://gateway.helicone.ai";

/// An API that a message can be sent to.
///
/// ```
/// use orchestration::client::Provider;
///
/// let mut message = Provider::openai("sk-…").message()?;
/// message.body = Some(br#"{"model": "gpt-4o", "messages": []}"#.to_vec());
/// // The answer of a model comes to a callback.
/// message.callback = Some("https://app.test/answered".into());
/// assert_eq!(message.destination, "https://api.openai.com/v1/chat/completions");
/// # Ok::<(), orchestration::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    api: Api,
    base_url: String,
    token: String,
    organization: Option<String>,
    helicone: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    OpenAi,
    Anthropic,
    Custom,
    Resend { batch: bool },
}

impl Provider {
    /// `OpenAI`'s chat completions.
    pub fn openai(token: impl Into<String>) -> Self {
        Self::new(Api::OpenAi, "https://api.openai.com", token)
    }

    /// Anthropic's messages.
    pub fn anthropic(token: impl Into<String>) -> Self {
        Self::new(Api::Anthropic, "https://api.anthropic.com", token)
    }

    /// Chat completions of another provider that speaks `OpenAI`'s API below `base_url`.
    pub fn custom(base_url: &str, token: impl Into<String>) -> Self {
        let trimmed = base_url
            .strip_suffix("/chat/completions")
            .map_or(base_url, |start| start.strip_suffix("/v1").unwrap_or(start));
        Self::new(Api::Custom, trimmed, token)
    }

    /// Resend's mails; in a batch, the body is an array of mails.
    pub fn resend(token: impl Into<String>, batch: bool) -> Self {
        Self::new(Api::Resend { batch }, "https://api.resend.com", token)
    }

    /// The organization that an `OpenAI` request counts for.
    #[must_use]
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// Sends a model's requests through Helicone, which keeps statistics.
    #[must_use]
    pub fn through_helicone(mut self, token: impl Into<String>) -> Self {
        self.helicone = Some(token.into());
        self
    }

    /// A message with the destination, method and headers that the API wants; body and callback are left to set.
    ///
    /// [`Code::InvalidConfiguration`] without a token or address.
    pub fn message(&self) -> Result<Message> {
        for (name, value) in [("token", &self.token), ("baseUrl", &self.base_url)] {
            if value.is_empty() {
                return Err(Error::new(Code::InvalidConfiguration, format!("the provider's {name} is empty")));
            }
        }
        let base_url = if self.helicone.is_some() { HELICONE_GATEWAY } else { &self.base_url };
        let mut message = Message::new(format!("{base_url}/{}", self.api.route()));
        message.method = Some(Method::Post);
        message.headers = self.headers();
        Ok(message)
    }

    pub(super) fn is_model(&self) -> bool {
        self.api.is_model()
    }

    fn new(api: Api, base_url: &str, token: impl Into<String>) -> Self {
        Self { api, base_url: base_url.to_owned(), token: token.into(), organization: None, helicone: None }
    }

    fn headers(&self) -> Headers {
        let mut headers = Headers::new();
        if self.api == Api::Anthropic {
            headers.set("x-api-key", &self.token);
            headers.set("anthropic-version", ANTHROPIC_VERSION);
        } else {
            headers.set("authorization", format!("Bearer {}", self.token));
        }
        if self.api.is_model() {
            headers.set(header::CONTENT_TYPE, "application/json");
        }
        if let (Api::OpenAi, Some(organization)) = (self.api, &self.organization) {
            headers.set("OpenAI-Organization", organization);
        }
        if let Some(token) = &self.helicone {
            headers.set("Helicone-Auth", format!("Bearer {token}"));
            headers.set("Helicone-Target-Url", &self.base_url);
        }
        headers
    }
}

impl Api {
    fn is_model(self) -> bool {
        !matches!(self, Api::Resend { .. })
    }

    fn route(self) -> &'static str {
        match self {
            Api::OpenAi | Api::Custom => "v1/chat/completions",
            Api::Anthropic => "v1/messages",
            Api::Resend { batch: false } => "emails",
            Api::Resend { batch: true } => "emails/batch",
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("api", &self.api)
            .field("base_url", &self.base_url)
            .field("token", &"[redacted]")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_has_its_own_address_and_headers() {
        for (provider, destination, headers) in [
            (
                Provider::openai("t").organization("o"),
                "https://api.openai.com/v1/chat/completions",
                vec![("authorization", "Bearer t"), ("Content-Type", "application/json"), ("OpenAI-Organization", "o")],
            ),
            (
                Provider::anthropic("t"),
                "https://api.anthropic.com/v1/messages",
                vec![("x-api-key", "t"), ("anthropic-version", "2023-06-01"), ("Content-Type", "application/json")],
            ),
            (
                Provider::custom("https://llm.test/v1/chat/completions", "t").through_helicone("h"),
                "https://gateway.helicone.ai/v1/chat/completions",
                vec![
                    ("authorization", "Bearer t"),
                    ("Content-Type", "application/json"),
                    ("Helicone-Auth", "Bearer h"),
                    ("Helicone-Target-Url", "https://llm.test"),
                ],
            ),
            (Provider::resend("t", true), "https://api.resend.com/emails/batch", vec![("authorization", "Bearer t")]),
        ] {
            let message = provider.message().unwrap();
            assert_eq!(message.destination, destination);
            assert_eq!(message.headers.iter().collect::<Vec<_>>(), headers);
        }
    }

    #[test]
    fn a_token_is_needed_and_not_shown() {
        assert_eq!(Provider::openai("").message().map_err(|e| e.code()), Err(Code::InvalidConfiguration));
        assert!(!format!("{:?}", Provider::openai("secret")).contains("secret"));
    }
}
