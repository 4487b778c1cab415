//! A JWT in compact form (RFC 7515 §3.1): three base64url parts with dots between them.

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, Mac};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use sha2::Sha256;

use super::SigningKey;
use crate::error::{Code, Error, Result};
use crate::wire::base64;

/// The longest token that is looked at. A signature of QStash has some 400 bytes; its `sub` may be a long URL.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

const ALGORITHM: &str = "HS256";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Writes a token with `payload`, a JSON object, and the MAC of `key`.
pub(super) fn write(payload: &str, key: &SigningKey) -> String {
    let header = base64::encode_url(HEADER);
    let payload = base64::encode_url(payload);
    let mac = base64::encode_url(mac(key, &header, &payload).finalize().into_bytes());
    format!("{header}.{payload}.{mac}")
}

/// A token whose shape and algorithm are right. Whether its MAC is, [`Token::is_made_by`] tells.
pub(super) struct Token<'a> {
    header: &'a str,
    payload: &'a str,
    mac: Vec<u8>,
    header_members: Members,
    members: Members,
}

impl<'a> Token<'a> {
    /// Checks shape, then algorithm.
    pub(super) fn read(token: &'a str) -> Result<Self> {
        let token = Self::parse(token)?;
        token.check_header()?;
        Ok(token)
    }

    /// Checks the shape alone.
    pub(super) fn parse(token: &'a str) -> Result<Self> {
        if token.is_empty() {
            return Err(Error::new(Code::SignatureMissing, "the request carries no signature in 'Upstash-Signature'"));
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(malformed(format_args!("it has {} bytes, more than {MAX_TOKEN_BYTES}", token.len())));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(mac), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let count = token.split('.').count();
            return Err(malformed(format_args!("expected three parts with dots between them, got {count}")));
        };
        let header_members = Members::read(header, "header")?;
        let members = Members::read(payload, "payload")?;
        let mac = base64::decode_url(mac)
            .ok_or_else(|| malformed(format_args!("the third part is not base64url without padding")))?;
        Ok(Self { header, payload, mac, header_members, members })
    }

    /// The algorithm is `HS256` in exactly this spelling; extensions that have to be understood are refused, for none is.
    pub(super) fn check_header(&self) -> Result<()> {
        let header = &self.header_members;
        match header.get("alg") {
            Some(Value::String(algorithm)) if algorithm == ALGORITHM => {}
            Some(Value::String(_)) => {
                return Err(Error::new(
                    Code::SignatureAlgorithm,
                    format!("expected the signature's algorithm to be {ALGORITHM}, got another; no other is accepted"),
                ));
            }
            _ => return Err(malformed(format_args!("its header does not name an algorithm"))),
        }
        if header.get("crit").is_some() {
            return Err(malformed(format_args!("its header asks for extensions ('crit'), and none is known here")));
        }
        match header.get("typ") {
            None => Ok(()),
            Some(Value::String(kind)) if kind.eq_ignore_ascii_case("JWT") => Ok(()),
            Some(_) => Err(malformed(format_args!("its header says that it is something else than a JWT ('typ')"))),
        }
    }

    /// Whether `key` made the MAC; compares in constant time.
    #[inline(never)] // One copy of the hash is enough.
    pub(super) fn is_made_by(&self, key: &SigningKey) -> bool {
        mac(key, self.header, self.payload).verify_slice(&self.mac).is_ok()
    }

    /// The payload, which nobody should believe before [`Token::is_made_by`].
    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    /// Header and payload as JSON texts, as they were written.
    pub(super) fn texts(&self) -> [String; 2] {
        // They were read as JSON before, so they are UTF-8.
        [self.header, self.payload]
            .map(|part| base64::decode_url(part).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default())
    }
}

/// The MAC over the signing input (RFC 7515 §5.1): header and payload as they are written, a dot between them.
fn mac(key: &SigningKey, header: &str, payload: &str) -> Hmac<Sha256> {
    key.mac().chain_update(header).chain_update(".").chain_update(payload)
}

/// The members of a JSON object, each name once.
///
/// RFC 7515 §4 and RFC 7519 §4 let a reader refuse a name that comes twice; two readers that disagree about which
/// one counts would be a hole.
pub(super) struct Members(BTreeMap<String, Value>);

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn read(part: &str, what: &str) -> Result<Self> {
        let bytes = base64::decode_url(part)
            .ok_or_else(|| malformed(format_args!("its {what} is not base64url without padding")))?;
        // The parser's own message would quote the token.
        serde_json::from_slice(&bytes)
            .map_err(|_| malformed(format_args!("its {what} is not a JSON object with each name once")))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name comes twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

fn malformed(message: fmt::Arguments<'_>) -> Error {
    Error::new(Code::SignatureMalformed, format!("the signature is not a JWT that can be read: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7515, appendix A.1: a key that is no text, a header and a payload with line breaks.
    #[test]
    fn the_mac_is_that_of_rfc_7515() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = SigningKey::from_bytes(&base64::decode_url(key).unwrap()).unwrap();
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
            .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
            .dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let token = Token::read(token).ok().unwrap();
        assert!(token.is_made_by(&key));
        assert!(!token.is_made_by(&SigningKey::new("another").unwrap()));
        assert_eq!(token.members().get("iss"), Some(&Value::from("joe")));
    }
}
