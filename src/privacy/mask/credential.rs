//! What proves who somebody is: private keys, JSON web tokens, `Bearer` and `Basic`.

use crate::privacy::mask::text::{Place, length, length_up_to, looks_made};

/// `-----BEGIN … PRIVATE KEY-----` up to its end, or that of the text.
pub(super) fn private_key(Place { rest, .. }: Place) -> Option<(usize, usize)> {
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

/// Parts of base64url, the first of which is a JSON object: three of a signed token, five of an encrypted one
/// (RFC 7519, RFC 7516).
pub(super) fn json_web_token(Place { rest, .. }: Place) -> Option<(usize, usize)> {
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !rest.starts_with("eyJ") {
        return None;
    }
    let header = length_up_to(rest, 2048, base64url);
    if header < 10 {
        return None;
    }
    let mut end = header;
    for _ in 0..4 {
        let Some(part) = rest[end..].strip_prefix('.') else { break };
        end += 1 + length(part, base64url);
    }
    (end >= header + 3).then_some((0, end))
}

/// `Bearer …`, `Basic …` and what `curl -u` is given, without the words themselves.
pub(super) fn credentials(place: Place) -> Option<(usize, usize)> {
    let Place { rest, .. } = place;
    // Most words are neither of these.
    if !rest.starts_with(['b', 'B', 'u', 'p']) {
        return None;
    }
    let begin = ["bearer ", "basic ", "bearer%20", "basic%20"].iter().find_map(|scheme| {
        let begins = rest.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
        begins.then_some(scheme.len())
    });
    let Some(begin) = begin else { return user_of_curl(place) };
    let token = &rest[begin..];
    let token_length = length(token, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=:%".contains(&byte));
    // Prose goes on with a word: "a bearer of", "Basic Authentication", "bearer token-based".
    let word = &token[..token_length];
    // As headers write it, it is followed by a token; prose begins so only at the start of a sentence.
    let is_header =
        rest.starts_with("Bearer ") && (shouts(word) || word.contains('_') || token_length >= 14 && word.contains('-'));
    let is_made = looks_made(word) || word.ends_with('=') || is_header || rest.starts_with('b') && shouts(word);
    (token_length >= 8 && (is_made || token_length > 24)).then_some((begin, begin + token_length))
}

/// Whether all letters are capitals.
fn shouts(word: &str) -> bool {
    word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// `curl … -u user:password`, `--user user:password`: the password.
fn user_of_curl(Place { before, rest }: Place) -> Option<(usize, usize)> {
    let begin = ["u ", "user ", "proxy-user "].iter().find(|option| rest.starts_with(**option))?.len();
    let line = before.strip_suffix('-')?;
    // Far enough back for any command line that a log holds.
    let from = (0..=line.len()).rev().take(512).filter(|at| line.is_char_boundary(*at)).last()?;
    let line = &line[from..];
    if !line[line.rfind('\n').map_or(0, |end| end + 1)..].contains("curl") {
        return None;
    }
    let quotes = length_up_to(&rest[begin..], 1, |byte| byte == b'\'' || byte == b'"');
    let user = &rest[begin + quotes..];
    let user = &user[..length_up_to(user, 512, |byte| !byte.is_ascii_whitespace() && !b"'\"[".contains(&byte))];
    let colon = user.find(':')?;
    (colon + 1 < user.len()).then_some((begin + quotes + colon + 1, begin + quotes + user.len()))
}
