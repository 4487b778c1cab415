//! API destinations: `api/llm` and `api/email`, deprecated by QStash in favour of the providers' own URLs.

use crate::broker::settings::Apis;
use crate::broker::{invalid_header, target};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, header};

/// An API that messages can go to by its name.
struct Api {
    name: &'static str,
    path: &'static str,
    base: fn(&Apis) -> Option<&String>,
    /// What a Worker and Node call the setting.
    settings: &'static str,
}

const APIS: [Api; 2] = [
    Api {
        name: "llm",
        path: "/v1/chat/completions",
        base: |apis| apis.llm.as_ref(),
        settings: "BROKER_LLM_URL in a Worker, apis.llm on Node",
    },
    Api {
        name: "email",
        path: "/emails",
        base: |apis| apis.email.as_ref(),
        settings: "BROKER_EMAIL_URL in a Worker, apis.email on Node",
    },
];

/// The URL of the API with this name. A provider's token comes with the message, as `Upstash-Forward-Authorization`.
///
/// [`Code::InvalidRequest`] for an API that is not known or has no address in the settings, [`Code::InvalidHeader`] for
/// a language model without a callback for its answer.
pub fn url(name: &str, headers: &Headers, apis: &Apis) -> Result<String> {
    let api = APIS.iter().find(|api| api.name == name).ok_or_else(|| {
        Error::new(
            Code::InvalidRequest,
            format!("there is no API 'api/{}': expected api/llm or api/email", shown(name)),
        )
    })?;
    let base = (api.base)(apis).ok_or_else(|| {
        Error::new(
            Code::InvalidRequest,
            format!(
                "api/{name} is not set up: set its address ({}), or publish to the provider's own URL",
                api.settings
            ),
        )
    })?;
    if api.name == "llm" && !headers.contains(header::CALLBACK) {
        return Err(invalid_header(header::CALLBACK, "the URL that gets the answer of the language model"));
    }
    target::url(&format!("{}{}", base.trim_end_matches('/'), api.path)).map_err(|error| {
        Error::new(Code::InvalidConfiguration, format!("the address of api/{name}: {}", error.message()))
    })
}
