//! The signing keys that count: those of the settings until they are rotated.

use std::fmt;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::broker::store::signing_key::{self, Rotated};
use crate::broker::{Scope, Settings, Sql};
use crate::error::Result;
use crate::signature::SigningKey;
use crate::wire::{Entropy, Response, base64};

/// The pair of keys that counts, and the signer made of the current one.
pub struct SigningKeys {
    current: String,
    next: String,
    signer: SigningKey,
}

impl SigningKeys {
    /// The keys that rotations have made of those in the settings, or those in the settings.
    ///
    /// Rotated keys whose beginning is no longer in the settings are forgotten: whoever changes the settings means it.
    pub fn open<S: Sql>(sql: &S, settings: &Settings) -> Result<Self> {
        let keys = Self::read(sql, settings)?;
        if signing_key::find(sql)?.is_some_and(|rotated| rotated.configured != configured(settings)) {
            sql.transaction(|| signing_key::remove(sql))?;
        }
        Ok(keys)
    }

    fn read<S: Sql>(sql: &S, settings: &Settings) -> Result<Self> {
        match signing_key::find(sql)?.filter(|rotated| rotated.configured == configured(settings)) {
            Some(rotated) => Self::new(rotated.current, rotated.next),
            None => Self::new(settings.current_signing_key.clone(), settings.next_signing_key.clone()),
        }
    }

    fn new(current: String, next: String) -> Result<Self> {
        let signer = SigningKey::new(&current)?;
        Ok(Self { current, next, signer })
    }

    /// The key that signs.
    pub fn signer(&self) -> &SigningKey {
        &self.signer
    }

    /// Current and next.
    pub fn pair(&self) -> (String, String) {
        (self.current.clone(), self.next.clone())
    }

    /// The pair as the API tells it.
    pub fn answer(&self) -> Response {
        Response::json(200, &json!({ "current": self.current, "next": self.next }))
    }
}

/// Hides the keys.
impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys([redacted])")
    }
}

/// Makes the next key the current one, and a new one the next. Whatever is signed from now on is signed with it.
///
/// A receiver that knows both keys goes on working over one rotation; two in a row leave it with none that counts.
pub fn rotate<S: Sql>(scope: &mut Scope<'_, S>) -> Result<Response> {
    let keys = SigningKeys::new(scope.keys.borrow().next.clone(), generate(scope.entropy))?;
    let configured = configured(scope.settings);
    scope.transaction(|scope| {
        let rotated = Rotated { current: keys.current.clone(), next: keys.next.clone(), configured };
        signing_key::replace(scope.sql, &rotated, scope.at)
    })?;
    let answer = keys.answer();
    scope.keys.replace(keys);
    Ok(answer)
}

/// Takes the keys that the database has now, after another shard has told them.
pub fn reload<S: Sql>(scope: &Scope<'_, S>) -> Result<()> {
    let keys = SigningKeys::read(scope.sql, scope.settings)?;
    scope.keys.replace(keys);
    Ok(())
}

/// Names the pair in the settings without telling it.
fn configured(settings: &Settings) -> String {
    let mut hash = Sha256::new();
    for key in [&settings.current_signing_key, &settings.next_signing_key] {
        hash.update(Sha256::digest(key.as_bytes()));
    }
    base64::encode_url(hash.finalize())
}

/// A key of QStash's form: `sig_` and 28 characters of base58, 164 bits.
fn generate(entropy: &mut dyn Entropy) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let character = |_| {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        // The bias of the remainder is below 2^-58.
        let index = usize::try_from(u64::from_le_bytes(bytes) % 58).unwrap_or(0);
        char::from(ALPHABET[index])
    };
    std::iter::once("sig_".to_owned()).chain((0..28).map(character).map(String::from)).collect()
}
