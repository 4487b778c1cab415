//! Ids that nobody guesses, from the host's cryptographic randomness.

use std::fmt::Write;

use crate::error::{Code, Error, Result};
use crate::wire::{Entropy, Timestamp};

/// A random UUID (RFC 9562 §5.4): 122 random bits.
pub fn uuid_v4(entropy: &mut dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    uuid(bytes, 4)
}

/// A UUID that begins with the moment, so that later ones sort behind (RFC 9562 §5.7): 74 random bits.
pub fn uuid_v7(at: Timestamp, entropy: &mut dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes[..6].copy_from_slice(&at.millis().to_be_bytes()[2..]);
    uuid(bytes, 7)
}

/// `length` random characters of `alphabet`, without bias, as nanoid makes them.
///
/// [`Code::InvalidConfiguration`] unless the length is from 1 to 1024 and the alphabet has 2 to 256 characters of
/// ASCII, each once.
pub fn text(length: usize, alphabet: &str, entropy: &mut dyn Entropy) -> Result<String> {
    let letters = alphabet.as_bytes();
    let once = letters.iter().enumerate().all(|(place, letter)| !letters[..place].contains(letter));
    if !(1..=MOST).contains(&length) || letters.len() < 2 || !alphabet.is_ascii() || !once {
        return Err(Error::new(
            Code::InvalidConfiguration,
            format!(
                "an id needs a length from 1 to {MOST} and an alphabet of at least 2 characters of ASCII, each once"
            ),
        ));
    }
    // The smallest mask that covers the alphabet; what lies beyond it is drawn again.
    let mask = u8::try_from(letters.len().next_power_of_two() - 1).unwrap_or(u8::MAX);
    let mut id = String::with_capacity(length);
    let mut bytes = [0; 64];
    while id.len() < length {
        entropy.fill(&mut bytes);
        let drawn = bytes.iter().filter_map(|byte| letters.get(usize::from(byte & mask)));
        id.extend(drawn.take(length - id.len()).map(|letter| char::from(*letter)));
    }
    Ok(id)
}

/// The characters of nanoid's ids, which can stand in a URL.
pub const URL_ALPHABET: &str = "useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict";

/// The longest id.
const MOST: usize = 1024;

fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 0_u8;
        move |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next = next.wrapping_add(41);
                next
            });
        }
    }

    #[test]
    fn uuids_have_their_version_and_variant() {
        let mut all_ones = |bytes: &mut [u8]| bytes.fill(0xff);
        assert_eq!(uuid_v4(&mut all_ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        // The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z.
        let at = Timestamp::from_millis(0x017f_22e2_79b0);
        assert_eq!(uuid_v7(at, &mut all_ones), "017f22e2-79b0-7fff-bfff-ffffffffffff");
    }

    #[test]
    fn later_uuids_sort_behind() {
        let mut entropy = counting();
        let ids: Vec<String> =
            (0..100).map(|millis| uuid_v7(Timestamp::from_millis(millis * 7), &mut entropy)).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn every_letter_comes_up_and_no_other() {
        for alphabet in ["ab", "abc", "0123456789", URL_ALPHABET] {
            let id = text(1000, alphabet, &mut counting()).unwrap();
            assert_eq!(id.len(), 1000);
            assert!(alphabet.chars().all(|letter| id.contains(letter)), "{alphabet}");
            assert!(id.chars().all(|letter| alphabet.contains(letter)), "{alphabet}");
        }
    }

    #[test]
    fn ids_that_can_be_guessed_are_refused() {
        for (length, alphabet) in [(0, "ab"), (1025, "ab"), (8, ""), (8, "a"), (8, "aa"), (8, "ä")] {
            assert!(text(length, alphabet, &mut counting()).is_err(), "{length} {alphabet}");
        }
    }
}
