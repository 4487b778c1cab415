//! Views don't show the broker's tokens: who may read could do everything with them.

use serde_json::Value;

use crate::broker::{Settings, access};

/// Hides every text of a view that is a token of the broker, alone or as `Bearer <token>`, also where it stands in a body
/// of JSON. Messages that call the broker itself carry it in a header, which the destination gets; callbacks tell the
/// headers of their message in the body.
pub fn hide(settings: &Settings, view: &mut Value) {
    hide_each(settings, &quoted(settings), view);
}

/// Hides the same in a body, or in the beginning of one.
pub fn hide_in_body(settings: &Settings, body: &mut Vec<u8>) {
    let end = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
    if let Ok(text) = std::str::from_utf8(&body[..end])
        && let Some(mut shown) = without(&quoted(settings), text).map(String::into_bytes)
    {
        shown.extend_from_slice(&body[end..]);
        *body = shown;
    }
}

const HIDDEN: &str = "REDACTED";

fn hide_each(settings: &Settings, quoted: &[String], view: &mut Value) {
    match view {
        Value::String(text) if is_token(settings, text) => HIDDEN.clone_into(text),
        Value::String(text) => {
            if let Some(shown) = without(quoted, text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_each(settings, quoted, item)),
        Value::Object(members) => members.values_mut().for_each(|member| hide_each(settings, quoted, member)),
        _ => {}
    }
}

fn is_token(settings: &Settings, text: &str) -> bool {
    let text = text.trim();
    let token = access::bearer(text).unwrap_or(text);
    let read_only = settings.read_only_token.as_ref();
    // Spares most texts the digest that the comparison takes.
    let fits = token.len() == settings.token.len() || read_only.is_some_and(|known| known.len() == token.len());
    fits && access::is_token(settings, token)
}

/// The tokens as texts of JSON.
fn quoted(settings: &Settings) -> Vec<String> {
    let tokens = std::iter::once(&settings.token).chain(&settings.read_only_token);
    tokens
        .flat_map(|token| ["", "Bearer ", "bearer "].map(|scheme| Value::from(format!("{scheme}{token}")).to_string()))
        .collect()
}

/// The text without what is quoted; `None` if it holds nothing of that.
fn without(quoted: &[String], text: &str) -> Option<String> {
    if !quoted.iter().any(|token| text.contains(token)) {
        return None;
    }
    let hidden = format!("\"{HIDDEN}\"");
    Some(quoted.iter().fold(text.to_owned(), |text, token| text.replace(token, &hidden)))
}
