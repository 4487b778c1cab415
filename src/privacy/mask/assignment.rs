//! Values of secret names.

use crate::privacy::mask::name::is_secret_name;
use crate::privacy::mask::text::{Place, is_word, length, length_up_to};

/// `name=value`, `name: value`, `"name": "value"`, `<name>value<`, `--name value` with a secret name: the value.
pub(super) fn assignment(Place { before, rest }: Place) -> Option<(usize, usize)> {
    let name_length = length_up_to(rest, LONGEST_NAME, is_of_name);
    let name = &rest[..name_length];
    if name.is_empty() {
        return None;
    }
    let behind_name = &rest[name_length..];
    if !separates(behind_name, before) {
        return None;
    }
    let is_signature = behind_name.starts_with('=') && is_signature(name);
    if !is_signature && !is_secret_name(name) && name != "_auth" || is_within_name(before) {
        return None;
    }
    if behind_name.starts_with('>') && before.ends_with(['<', ':']) {
        let begin = name_length + 1;
        let length = rest[begin..].find('<')?;
        return value(&rest[begin..begin + length]).then_some((begin, begin + length));
    }
    if behind_name.starts_with(' ') && before.ends_with("--") && !behind_name.starts_with(" -") {
        let begin = name_length + 1 + length_up_to(&behind_name[1..], 1, |byte| b"\"'".contains(&byte));
        let end = rest[begin..].find(|letter: char| letter.is_whitespace() || "\"'".contains(letter));
        let length = end.unwrap_or(rest.len() - begin);
        return value(&rest[begin..begin + length]).then_some((begin, begin + length));
    }
    let mut at = name_length;
    let quoted_name = behind_name.starts_with(['"', '\'']) || behind_name.starts_with("\\\"");
    at += length(&rest[at..], |byte| b"\"'\\".contains(&byte));
    let blanks = length(&rest[at..], |byte| byte == b' ');
    let separator = rest[at + blanks..].chars().next().filter(|letter| *letter == '=' || *letter == ':')?;
    at += blanks + 1;
    // `name => value`, `name := value`, `name == value`
    at += length_up_to(&rest[at..], 1, |byte| byte == b'>' || byte == b'=');
    let after = length(&rest[at..], |byte| byte == b' ');
    at += after;
    let quotes = length(&rest[at..], |byte| b"\"'\\`".contains(&byte));
    let (escapes, quote) = rest[at..at + quotes].split_at(quotes.saturating_sub(1));
    let quote = quote.chars().next();
    at += quotes;
    let rest = &rest[at..];
    if rest.starts_with("[masked") {
        return None;
    }
    if quote.is_none() && rest.starts_with(['{', '[']) {
        let length = if quoted_name { structure(rest)? } else { return None };
        return Some((at, at + length));
    }
    let in_query = separator == '=' && before.ends_with(['?', '&', '#']);
    let whole_line =
        !in_query && ["authorization", "cookie"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    if separator == ':' && after > 0 && quote.is_none() && !quoted_name && !whole_line && is_prose(before, rest) {
        return None;
    }
    let length = match quote {
        Some(quote) => quoted(rest, escapes, quote),
        None if whole_line => line(rest),
        None => unquoted(rest, in_query),
    };
    let found = &rest[..length];
    // `password= token=x`: the first is empty.
    if separator == '=' && blanks == 0 && after > 0 && quote.is_none() && found.contains('=') {
        return None;
    }
    (value(found) && (!is_signature || length >= 20)).then_some((at, at + length))
}

/// Whether a value can follow. Few words have one, and this is seen at once.
fn separates(behind_name: &str, before: &str) -> bool {
    let behind = behind_name.trim_start_matches(['"', '\'', '\\']);
    match behind.as_bytes().first() {
        Some(b'=' | b':') => true,
        Some(b'>') => before.ends_with(['<', ':']),
        Some(b' ') => before.ends_with("--") || behind.trim_start_matches(' ').starts_with(['=', ':']),
        _ => false,
    }
}

const LONGEST_NAME: usize = 128;

fn is_of_name(byte: u8) -> bool {
    is_word(byte) || byte == b'-' || byte == b'.'
}

/// Whether a name began before and was looked at as a whole: `next-page-token` is none, whatever `token` is.
fn is_within_name(before: &str) -> bool {
    let begun = before.bytes().rev().take(LONGEST_NAME).take_while(|byte| is_of_name(*byte));
    begun.clone().any(is_word) && begun.count() < LONGEST_NAME
}

/// Names of what proves that an address was handed out by its owner, if it is long: Azure, AWS, Google Cloud.
fn is_signature(name: &str) -> bool {
    let names = ["sig", "signature", "x-amz-signature", "x-goog-signature"];
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the text is a value, and does not just say that there is one, of what type it is, or where it comes from.
fn value(text: &str) -> bool {
    let says_nothing = NOTHING.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_hidden = text.bytes().all(|byte| b"*.xX?-_#".contains(&byte)) || text.starts_with("[masked");
    // `${TOKEN}`, `{{ token }}`, `process.env.TOKEN`
    let is_reference = text.starts_with("${")
        || text.starts_with("{{")
        || text.starts_with('$') && text[1..].bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        || SOURCES.iter().any(|source| text.starts_with(source));
    !says_nothing && !is_hidden && !is_reference
}

const NOTHING: [&str; 16] = [
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "string",
    "number",
    "boolean",
    "unknown",
    "any",
    "required",
    "missing",
    "invalid",
    "expired",
    "redacted",
];

const SOURCES: [&str; 6] = ["process.env.", "process.env[", "import.meta.env.", "Deno.env.", "os.environ", "env."];

/// `the password: it has to be long`, `invalid token: expired`: a word of small letters, with others around it.
fn is_prose(before: &str, rest: &str) -> bool {
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let word = length(line, |byte| byte.is_ascii_alphabetic() || b"'.,!?".contains(&byte));
    let first = line[..word].trim_end_matches(['.', ',', '!', '?']);
    let is_word = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'');
    let is_followed = line[word..].starts_with(' ') && line[word..].bytes().any(|byte| byte.is_ascii_alphanumeric());
    let ends = line[word..].trim_end().is_empty();
    // Far enough back to see whether a line begins here.
    let mut letters = before.chars().rev().take(80).take_while(|letter| *letter != '\n').skip_while(|l| *l == ' ');
    let is_preceded = letters.next().is_some_and(char::is_alphabetic);
    is_word && (is_followed || ends && is_preceded)
}

/// The length of a value without quotes. `&` ends it in a query or a form only: passwords have such letters.
fn unquoted(text: &str, in_query: bool) -> usize {
    let ends = |(place, letter): &(usize, char)| match letter {
        '&' => in_query || is_field(&text[place + 1..]),
        letter => letter.is_whitespace() || ";,\"'<>)}]".contains(*letter),
    };
    text.char_indices().find(ends).map_or(text.len(), |(place, _)| place)
}

/// Whether a field of a form begins here: `name=`.
fn is_field(text: &str) -> bool {
    let name = length_up_to(text, LONGEST_NAME, |byte| is_of_name(byte) || b"[]%".contains(&byte));
    name > 0 && text[name..].starts_with('=')
}

/// The length of a line. A header may be an argument: then it ends with its quote.
fn line(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    let quote = text[..line].find(['"', '\'']);
    // `Digest username="ann", response="…"`
    quote.filter(|quote| !text[..*quote].ends_with('=')).unwrap_or(line)
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

/// The length of an object or array in JSON; `None` if it does not end within reach, or if no text or number in it is
/// left to be masked.
fn structure(text: &str) -> Option<usize> {
    let (mut depth, mut skip, mut open, mut tells) = (0_usize, false, None, false);
    for (place, byte) in text.bytes().enumerate().take(LONGEST_STRUCTURE) {
        match (byte, open) {
            _ if skip => skip = false,
            (b'\\', _) => skip = true,
            (b'"', None) => open = Some(place + 1),
            (b'"', Some(begin)) => {
                let is_name = text[place + 1..].trim_start_matches(' ').starts_with(':');
                tells |= !is_name && place > begin && value(&text[begin..place]);
                open = None;
            }
            (_, Some(_)) => {}
            (b'{' | b'[', None) => depth += 1,
            (b'}' | b']', None) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return tells.then_some(place + 1);
                }
            }
            _ => tells |= byte.is_ascii_digit(),
        }
    }
    None
}

const LONGEST_STRUCTURE: usize = 2048;
