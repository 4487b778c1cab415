//! Recognises a body that was parsed and written again before it was verified, to say so in the error.

use super::BodyHash;

/// How `body`, which has not the hash `signed`, came to differ from the signed one; `None` if that can't be told.
///
/// Looks at what frameworks do to bodies, each at the cost of one hash at most. Only for errors: nothing that is found here
/// is accepted.
pub(super) fn cause(body: &[u8], signed: &BodyHash) -> Option<&'static str> {
    if body.is_empty() {
        return Some("it is empty, although the signed one was not: something has read it already");
    }
    if matches!(body, b"[object Object]" | b"undefined" | b"null" | b"{}") {
        return Some("it is what becomes of a parsed or consumed body that is made a text");
    }
    let is_signed = |candidate: &[u8]| BodyHash::of(candidate) == *signed;
    if let Ok(text) = serde_json::from_slice::<String>(body)
        && is_signed(text.as_bytes())
    {
        return Some("the raw text was written as JSON once more ('JSON.stringify' of a text)");
    }
    let trimmed = body.trim_ascii();
    if trimmed.len() < body.len() && is_signed(trimmed) {
        return Some("white space was added around it");
    }
    let compact = without_blanks(body);
    if compact.len() < body.len() && is_signed(&compact) {
        return Some("the signed JSON has no blanks between its parts, and this one has");
    }
    let with_line_end = [body, b"\n"].concat();
    is_signed(&with_line_end).then_some("the line end after it was taken away")
}

/// JSON without white space outside of its texts. Other bytes give other bytes, which have no hash that matters.
fn without_blanks(json: &[u8]) -> Vec<u8> {
    let mut compact = Vec::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for &byte in json {
        if in_text || !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            compact.push(byte);
        }
        (in_text, escaped) = match byte {
            _ if escaped => (in_text, false),
            b'\\' if in_text => (true, true),
            b'"' => (!in_text, false),
            _ => (in_text, false),
        };
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frameworks_do_is_recognised() {
        for (signed, given, told) in [
            (r#"{"a":1}"#, "", "read it already"),
            (r#"{"a":1}"#, "[object Object]", "made a text"),
            (r#"{"a":1}"#, r#""{\"a\":1}""#, "once more"),
            (r#"{"a":"b \" c"}"#, "{\n  \"a\": \"b \\\" c\"\n}", "no blanks"),
            ("text", " text\n", "white space"),
            ("{}\n", "{} ", ""),
            ("line\n", "line", "line end"),
        ] {
            let cause = cause(given.as_bytes(), &BodyHash::of(signed.as_bytes()));
            assert_eq!(cause.is_some(), !told.is_empty(), "{given}: {cause:?}");
            assert!(cause.unwrap_or_default().contains(told), "{given}: {cause:?}");
        }
    }

    #[test]
    fn another_body_is_just_another_body() {
        assert_eq!(cause(br#"{"amount":900}"#, &BodyHash::of(br#"{"amount":100}"#)), None);
    }
}
