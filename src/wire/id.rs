//! Ids of runs and messages, made from the host's entropy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A source of random bytes. Hosts hand in a cryptographic one: a run id also protects the run's webhooks.
pub trait Entropy {
    /// Fills `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Entropy for F {
    fn fill(&mut self, bytes: &mut [u8]) {
        self(bytes);
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// What every generated id starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id: the prefix and 21 random characters of `[A-Za-z0-9_-]` (126 bits).
            pub fn generate(entropy: &mut dyn Entropy) -> Self {
                Self(format!(concat!($prefix, "{}"), random_text::<21>(entropy)))
            }

            /// An id that came over the wire; `None` if it is empty.
            pub fn new(id: impl Into<String>) -> Option<Self> {
                let id = id.into();
                (!id.is_empty()).then_some(Self(id))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// The id of a run: `wfr_…`.
    RunId,
    "wfr_"
);
id!(
    /// The id of a message: `msg_…`.
    MessageId,
    "msg_"
);

/// `N` random characters of `[A-Za-z0-9_-]`, six bits each, without bias.
pub fn random_text<const N: usize>(entropy: &mut dyn Entropy) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_of_the_wire() {
        let mut next = 0u8;
        let mut entropy = |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next = next.wrapping_add(37);
                next
            });
        };
        let first = RunId::generate(&mut entropy);
        assert!(first.as_str().starts_with("wfr_") && first.as_str().len() == 25, "{first}");
        assert_ne!(first, RunId::generate(&mut entropy));
        assert!(RunId::new("").is_none());
    }
}
