//! Who the token belongs to: the webhooks of a run are in the user's name.

use serde::Deserialize;

use crate::client::Client;
use crate::error::{Code, Error, Result};
use crate::wire::base64;

impl Client {
    /// The user's id: the field `UserID` of the token, which is base64 of JSON.
    ///
    /// [`Code::InvalidConfiguration`] for a token of another make.
    pub(crate) fn user_id(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Token {
            #[serde(rename = "UserID")]
            user_id: String,
        }
        base64::decode(&self.token)
            .and_then(|json| serde_json::from_slice::<Token>(&json).ok())
            .map(|token| token.user_id)
            .filter(|user_id| !user_id.is_empty())
            .ok_or_else(|| {
                Error::new(
                    Code::InvalidConfiguration,
                    "a webhook's URL needs the user's id: expected a token that is base64 of JSON with a field UserID",
                )
            })
    }
}
