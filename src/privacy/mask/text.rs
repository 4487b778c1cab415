//! Secrets in texts, told by their form.

use crate::privacy::mask::assignment::assignment;
use crate::privacy::mask::card::card_number;
use crate::privacy::mask::credential::{credentials, json_web_token, private_key};
use crate::privacy::mask::key::service_key;
use crate::privacy::mask::url::{email, password_in_url, webhook};

/// The text with its secrets masked; `None` if there is none.
///
/// Private keys in PEM, JSON web tokens, `Bearer` and `Basic` credentials, keys of well-known services, webhook
/// addresses, passwords in URLs and connection strings, values of secret names (`token=…`, `"password": "…"`,
/// `Cookie: …`, `--token …`), card numbers that pass Luhn's check, e-mail addresses. Takes time linear in the length of
/// the text.
///
/// ```
/// use orchestration::privacy::mask::mask_text;
///
/// let masked = mask_text("connecting to postgres://app:s3cret@db.test/orders");
/// assert_eq!(masked.as_deref(), Some("connecting to postgres://app:[masked password]@db.test/orders"));
/// assert_eq!(mask_text("run wfr_1 has 3 steps"), None);
/// ```
pub fn mask_text(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut kept = 0;
    let mut at = 0;
    let last_sign = text.rfind('@').unwrap_or(0);
    while at < text.len() {
        match find(text, at, at < last_sign) {
            Some(found) => {
                masked.push_str(&text[kept..found.begin]);
                masked.push_str("[masked ");
                masked.push_str(found.kind);
                masked.push(']');
                at = found.end.max(at + 1);
                kept = at;
            }
            // Patterns begin where a word begins, so the rest of this one is skipped.
            None => at = next_word(text, at),
        }
    }
    if masked.is_empty() {
        return None;
    }
    masked.push_str(&text[kept..]);
    Some(masked)
}

/// A place in a text where a pattern may begin.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub before: &'a str,
    pub rest: &'a str,
}

/// A secret, and what stands for it.
struct Found {
    begin: usize,
    end: usize,
    kind: &'static str,
}

/// Where, counted from the place, the secret lies that a pattern finds there.
type Pattern = fn(Place) -> Option<(usize, usize)>;

/// Every pattern that begins with a word, and its name; the first that fits counts. Behind the last `@`, the last two
/// fit nowhere.
const PATTERNS: [(Pattern, &str); 8] = [
    (json_web_token, "jwt"),
    (credentials, "credentials"),
    (service_key, "key"),
    (webhook, "webhook"),
    (assignment, "value"),
    (card_number, "card"),
    (password_in_url, "password"),
    EMAIL,
];

const WITHOUT_SIGN: usize = PATTERNS.len() - 2;

const PRIVATE_KEY: (Pattern, &str) = (private_key, "private key");
const EMAIL: (Pattern, &str) = (email, "email");

fn find(text: &str, at: usize, before_sign: bool) -> Option<Found> {
    let (before, rest) = text.split_at(at);
    let patterns = match rest.as_bytes().first()? {
        byte if is_word(*byte) && before_sign => &PATTERNS[..],
        byte if is_word(*byte) => &PATTERNS[..WITHOUT_SIGN],
        b'-' => &[PRIVATE_KEY],
        byte if byte.is_ascii() || !before_sign => &[],
        _ => &[EMAIL],
    };
    patterns.iter().find_map(|(pattern, kind)| {
        let (begin, end) = pattern(Place { before, rest })?;
        Some(Found { begin: at + begin, end: at + end, kind })
    })
}

/// Where the next word begins: behind this one, or behind what stands between.
fn next_word(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let word = length(rest, is_word);
    if word > 0 {
        return at + word;
    }
    at + rest.chars().next().map_or(1, char::len_utf8)
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes at the beginning are of a kind; kinds are of ASCII only.
pub(super) fn length(text: &str, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !kind(byte)).unwrap_or(text.len())
}

/// The same, up to `most`: words begin again within what a pattern has looked at in vain, so that has to be bounded.
pub(super) fn length_up_to(text: &str, most: usize, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().take(most).position(|byte| !kind(byte)).unwrap_or(text.len().min(most))
}

/// Whether letters and digits look as if no human had put them together: digits among them, or capitals among small
/// letters.
pub(super) fn looks_made(text: &str) -> bool {
    let capital = |rest: &str| rest.bytes().any(|byte| byte.is_ascii_uppercase());
    text.bytes().any(|byte| byte.is_ascii_digit())
        || text.bytes().any(|byte| byte.is_ascii_lowercase()) && text.get(1..).is_some_and(capital)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let card = "4111 1111 1111 1111";
        for (text, expected) in [
            ("Authorization: Bearer abcdef123456", "Authorization: [masked value]"),
            ("got Bearer abc.DEF-123 from", "got Bearer [masked credentials] from"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_x, ok", "[masked jwt], ok"),
            ("key sk-proj-Abcdefghijklmnop1234 used", "key [masked key] used"),
            ("AKIAIOSFODNN7EXAMPLE", "[masked key]"),
            ("postgres://app:s3cret@db.test:5432/x", "postgres://app:[masked password]@db.test:5432/x"),
            ("redis://:pw@h", "redis://:[masked password]@h"),
            ("https://a.test/?token=abc&x=1", "https://a.test/?token=[masked value]&x=1"),
            (r#"{"password":"a b\"c","x":1}"#, r#"{"password":"[masked value]","x":1}"#),
            (r#"{\"apiKey\":\"abc\"}"#, r#"{\"apiKey\":\"[masked value]\"}"#),
            ("PASSWORD='a b'; x", "PASSWORD='[masked value]'; x"),
            ("Server=x;Password=pw;Port=1", "Server=x;Password=[masked value];Port=1"),
            ("Cookie: a=b; c=d\nHost: x", "Cookie: [masked value]\nHost: x"),
            ("api_key: Abc123", "api_key: [masked value]"),
            (card, "[masked card]"),
            ("card 5500-0000-0000-0004.", "card [masked card]."),
            ("mail jane.doe+x@mail.example.com!", "mail [masked email]!"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nrest", "[masked private key]\nrest"),
            ("x -----BEGIN PRIVATE KEY-----\nMII", "x [masked private key]"),
            ("a@b.de and sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r", "[masked email] and [masked key]"),
        ] {
            assert_eq!(mask_text(text).as_deref(), Some(expected), "{text}");
            assert_eq!(mask_text(expected), None, "masked again: {expected}");
        }
    }

    #[test]
    fn harmless_texts_are_kept() {
        for text in [
            "",
            "hello",
            "the password: it has to be long",
            "a token is a word, basic authentication is a phrase",
            "order 1234567890123 at 1700000000000",
            "4111111111111112",
            "41111111111111111111111",
            "https://a.test:8080/x@y?z=1",
            "user@localhost",
            "@repo/orchestration",
            "re_calculate_the_totals_of_everything",
            "wfr_V1StGXR8_Z5jdHi6B-myT",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "maxTokens=100&nextPageToken=abc",
            "password: null, token=undefined",
            "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
            "eyJ is not a token",
            "日本語 текст",
            "token=",
        ] {
            assert_eq!(mask_text(text), None, "{text}");
        }
    }
}
