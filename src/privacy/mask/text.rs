//! Secrets in texts, told by their form.

use crate::privacy::mask::name::is_secret_name;

/// The text with its secrets masked; `None` if there is none.
///
/// Private keys in PEM, JSON web tokens, `Bearer` and `Basic` credentials, keys with the prefixes of well-known
/// services, passwords in URLs and connection strings, values of secret names (`token=…`, `"password": "…"`,
/// `Cookie: …`), card numbers that pass Luhn's check, e-mail addresses. Takes time linear in the length of the text.
pub fn mask_text(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut kept = 0;
    let mut at = 0;
    while at < text.len() {
        match find(text, at) {
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

/// A secret, and what stands for it.
struct Found {
    begin: usize,
    end: usize,
    kind: &'static str,
}

/// A pattern that begins where the text `rest` begins: where its secret lies in it.
type Pattern = fn(&str) -> Option<(usize, usize)>;

/// Every pattern and its name; the first that fits counts.
const PATTERNS: [(Pattern, &str); 8] = [
    (private_key, "private key"),
    (json_web_token, "jwt"),
    (credentials, "credentials"),
    (service_key, "key"),
    (password_in_url, "password"),
    (assignment, "value"),
    (card_number, "card"),
    (email, "email"),
];

fn find(text: &str, at: usize) -> Option<Found> {
    let rest = &text[at..];
    PATTERNS.iter().find_map(|(pattern, kind)| {
        let (begin, end) = pattern(rest)?;
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

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The same, up to `most`: words begin again within what a pattern has looked at in vain, so that has to be bounded.
fn length_up_to(text: &str, most: usize, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().take(most).position(|byte| !kind(byte)).unwrap_or(text.len().min(most))
}

/// How many bytes at the beginning are of a kind; kinds are of ASCII only.
fn length(text: &str, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !kind(byte)).unwrap_or(text.len())
}

/// `-----BEGIN … PRIVATE KEY-----` up to its end, or that of the text.
fn private_key(rest: &str) -> Option<(usize, usize)> {
    let label = rest.strip_prefix("-----BEGIN ")?;
    let line = label.get(..length(label, |byte| byte.is_ascii_alphanumeric() || byte == b' '))?;
    if !line.ends_with("PRIVATE KEY") && !line.ends_with("PRIVATE KEY BLOCK") {
        return None;
    }
    let end = rest.find("-----END ").map_or(rest.len(), |end| {
        let tail = &rest[end + "-----END ".len()..];
        rest.len() - tail.len() + tail.find("-----").map_or(tail.len(), |dashes| dashes + 5)
    });
    Some((0, end))
}

/// Three parts of base64url, the first of which is a JSON object.
fn json_web_token(rest: &str) -> Option<(usize, usize)> {
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !rest.starts_with("eyJ") {
        return None;
    }
    let header = length_up_to(rest, 1024, base64url);
    let payload = rest[header..].strip_prefix('.')?;
    let payload_length = length(payload, base64url);
    if header < 10 || payload_length < 2 {
        return None;
    }
    let signature = payload[payload_length..].strip_prefix('.').map_or(0, |signature| 1 + length(signature, base64url));
    Some((0, header + 1 + payload_length + signature))
}

/// `Bearer …` and `Basic …`, without the word itself.
fn credentials(rest: &str) -> Option<(usize, usize)> {
    let begin = ["bearer ", "basic "].iter().find_map(|scheme| {
        let begins = rest.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
        begins.then_some(scheme.len())
    })?;
    let token = &rest[begin..];
    let token_length = length(token, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=:".contains(&byte));
    // Prose goes on with a short word of letters: "a bearer of", "basic authentication".
    let looks_made = token[..token_length].bytes().any(|byte| !byte.is_ascii_lowercase()) || token_length > 24;
    (token_length >= 8 && looks_made).then_some((begin, begin + token_length))
}

/// The prefixes of keys of well-known services, and the least length of what follows.
const PREFIXES: [(&str, usize); 40] = [
    ("sk-", 16),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("rk_test_", 8),
    ("pk_live_", 8),
    ("whsec_", 16),
    ("sig_", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("npm_", 30),
    ("pypi-", 30),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ya29.", 20),
    ("GOCSPX-", 16),
    ("SG.", 20),
    ("hf_", 20),
    ("re_", 16),
    ("dop_v1_", 20),
    ("shpat_", 16),
    ("shpss_", 16),
    ("sbp_", 16),
    ("vercel_", 20),
    ("lin_api_", 16),
    ("secret_", 24),
    ("gsk_", 20),
    ("xai-", 20),
];

fn service_key(rest: &str) -> Option<(usize, usize)> {
    let (prefix, least) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix))?;
    let key = &rest[prefix.len()..];
    let of_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let begin = &key[..length_up_to(key, 64, of_key)];
    // A name such as `re_calculate_the_totals` has no digit and no capital.
    let looks_made = begin.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (begin.len() >= *least && looks_made).then(|| (0, prefix.len() + length(key, of_key)))
}

/// `scheme://user:password@host`: the password.
fn password_in_url(rest: &str) -> Option<(usize, usize)> {
    let scheme = length_up_to(rest, 32, |byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority_begin = scheme + 3;
    if scheme == 0 || !rest[scheme..].starts_with("://") {
        return None;
    }
    let authority = &rest[authority_begin..];
    let end = authority.find(|letter: char| letter.is_whitespace() || "/?#\"'<>`".contains(letter));
    let authority = &authority[..end.unwrap_or(authority.len())];
    let (user, _) = authority.rsplit_once('@')?;
    let colon = user.find(':')?;
    (colon + 1 < user.len()).then_some((authority_begin + colon + 1, authority_begin + user.len()))
}

/// `name=value`, `name: value`, `"name": "value"` with a secret name: the value.
fn assignment(rest: &str) -> Option<(usize, usize)> {
    let name_length = length_up_to(rest, 128, |byte| is_word(byte) || byte == b'-' || byte == b'.');
    let name = &rest[..name_length];
    if name.is_empty() {
        return None;
    }
    let mut at = name_length;
    let quoted_name = rest[at..].starts_with(['"', '\'']) || rest[at..].starts_with("\\\"");
    at += length(&rest[at..], |byte| b"\"'\\".contains(&byte));
    let blanks = length(&rest[at..], |byte| byte == b' ');
    let separator = rest[at + blanks..].chars().next().filter(|letter| *letter == '=' || *letter == ':')?;
    if !is_secret_name(name) {
        return None;
    }
    at += blanks + 1;
    let after = length(&rest[at..], |byte| byte == b' ');
    at += after;
    let quotes = length(&rest[at..], |byte| b"\"'\\".contains(&byte));
    let (escapes, quote) = rest[at..at + quotes].split_at(quotes.saturating_sub(1));
    let quote = quote.chars().next();
    at += quotes;
    let value = &rest[at..];
    // A value that is masked already.
    if value.starts_with('[') {
        return None;
    }
    let whole_line = ["authorization", "cookie"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    // Prose: "the password: it has to be long".
    if separator == ':' && after > 0 && quote.is_none() && !quoted_name && !whole_line && value.contains(' ') {
        let first = &value[..length(value, |byte| byte != b' ' && byte != b'\n')];
        if first.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
    }
    let length = match quote {
        Some(quote) => quoted(value, escapes, quote),
        None if whole_line => value.find(['\n', '"', '\'']).unwrap_or(value.len()),
        None => {
            value.find(|letter: char| letter.is_whitespace() || "&;,\"'<>)}]".contains(letter)).unwrap_or(value.len())
        }
    };
    let value = &value[..length];
    let says_nothing = value.is_empty() || ["null", "undefined", "true", "false"].contains(&value);
    (!says_nothing).then_some((at, at + value.len()))
}

/// The length of a quoted value. Within a text that is quoted itself the quotes have backslashes; else what follows a
/// backslash belongs to the value.
fn quoted(value: &str, escapes: &str, quote: char) -> usize {
    if escapes.ends_with('\\') {
        return value.find(&format!("{escapes}{quote}")).unwrap_or(value.len());
    }
    let mut skip = false;
    let end = value.find(|letter| {
        let ends = letter == '\n' || (letter == quote && !skip);
        skip = letter == '\\' && !skip;
        ends
    });
    end.unwrap_or(value.len())
}

/// 13 to 19 digits, perhaps in groups, that pass Luhn's check and begin as cards do.
fn card_number(rest: &str) -> Option<(usize, usize)> {
    if !rest.starts_with(|letter| ('2'..='6').contains(&letter)) {
        return None;
    }
    let mut digits = Vec::with_capacity(20);
    let mut end = 0;
    for (place, byte) in rest.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits.push(u32::from(byte - b'0'));
                end = place + 1;
                if digits.len() > 19 {
                    return None;
                }
            }
            b' ' | b'-' if place == end && digits.len() >= 4 => {}
            _ => break,
        }
    }
    let follows = rest[end..].bytes().next().is_some_and(is_word);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    ((13..=19).contains(&digits.len()) && !follows && sum.is_multiple_of(10)).then_some((0, end))
}

fn email(rest: &str) -> Option<(usize, usize)> {
    let local = length_up_to(rest, 65, |byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    let domain = rest[local..].strip_prefix('@')?;
    let domain = &domain[..length(domain, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')];
    let domain = domain.trim_end_matches(['.', '-']);
    let (_, top) = domain.rsplit_once('.')?;
    let plausible = local > 0 && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    plausible.then_some((0, local + 1 + domain.len()))
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

    #[test]
    fn long_texts_take_time_in_proportion() {
        for piece in
            ["eyJ-", "a.", "sk-", "token=[", "bearer ", "-----BEGIN ", "4 ", "a://", "token: a ", "\"", "é", "a@"]
        {
            let text = piece.repeat(60_000 / piece.len());
            let _ = mask_text(&text);
        }
    }
}
