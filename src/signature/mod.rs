//! The signature that a broker puts on every delivery, and its verification.
//!
//! A signature is a JWT (RFC 7519) in compact form, made with HMAC-SHA-256 (`HS256`, RFC 7518 §3.2), in the header
//! `Upstash-Signature`. Its claims say who sent the delivery (`iss`), to which URL (`sub`), when it is good
//! (`nbf`, `exp`) and for which body (`body`, the base64url SHA-256 of the raw bytes).
//! Rule and field names: `qstash/features/security.mdx` of Upstash's documentation.
//!
//! [`sign`] and [`verify`] share one path: the same function computes the MAC for both. [`explain`] asks the same
//! questions and goes on after the first that fails, for people.
//! No message of this module contains a key, a token or a part of one.
//!
//! ```
//! use orchestration::signature::{BodyHash, Claims, Expect, Keys, sign, verify};
//! use orchestration::wire::Timestamp;
//! use std::time::Duration;
//!
//! let keys = Keys::new("sig_current", Some("sig_next"))?;
//! let now = Timestamp::from_seconds(1_700_000_000);
//! let body = BodyHash::of(b"raw bytes, never parsed and printed again");
//!
//! let token = sign(&Claims::of_delivery("https://example.com/hook", body, now, "jwt_1"), &keys.current);
//!
//! let expect = Expect { url: Some("https://example.com/hook"), now, tolerance: Duration::ZERO };
//! let claims = verify(&token, &body, &keys, &expect)?;
//! assert_eq!(claims.token_id.as_deref(), Some("jwt_1"));
//! # Ok::<(), orchestration::Error>(())
//! ```

mod body;
mod claims;
mod explain;
mod key;
mod replay;
mod rewritten;
mod ring;
mod token;
mod verify;

pub use body::BodyHash;
pub use claims::{Claims, ISSUER, LIFETIME};
pub use explain::{Check, Explanation, Finding, Outcome, Signer, explain};
pub use key::{Keys, SigningKey};
pub use replay::{ReplayStore, SeenTokens, Ticket, accept_once, replayed};
pub use ring::{KeyRing, OwnKeys};
pub use token::MAX_TOKEN_BYTES;
pub use verify::{Expect, sign, verify, verify_bytes};
