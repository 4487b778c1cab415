//! The paths that a Rust source names. It reads tokens, so comments and texts don't count, and bodies of macros do.

use std::str::FromStr;

use proc_macro2::{Delimiter, LexError, Spacing, TokenStream, TokenTree};

/// A path such as `["crate", "wire", "Step"]`; `use` trees are spelled out, a glob is `*`.
#[derive(Debug)]
pub struct Found {
    pub path: Vec<String>,
    pub line: usize,
    /// How many inline modules (`mod tests { … }`) are around it.
    pub depth: usize,
}

/// Every path with a `::`, every name after `use` or `extern crate`, and every name of a macro that is called.
pub fn paths(source: &str) -> Result<Vec<Found>, LexError> {
    let mut found = Vec::new();
    walk(&tokens(TokenStream::from_str(source)?), 0, &mut found);
    Ok(found)
}

fn walk(tokens: &[TokenTree], depth: usize, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < tokens.len() {
        at = match &tokens[at..] {
            [TokenTree::Ident(word), rest @ ..] if word == "use" => {
                let start = at + if is_colons(rest) { 3 } else { 1 };
                tree(tokens, start, &[], depth, found)
            }
            [TokenTree::Ident(word), TokenTree::Ident(after), TokenTree::Ident(name), ..]
                if word == "extern" && after == "crate" =>
            {
                let name = if name == "self" { "crate".to_owned() } else { name.to_string() };
                found.push(Found { path: vec![name], line: word.span().start().line, depth });
                at + 3
            }
            [TokenTree::Ident(word), TokenTree::Ident(_), TokenTree::Group(body), ..] if word == "mod" => {
                walk(&self::tokens(body.stream()), depth + 1, found);
                at + 3
            }
            [TokenTree::Ident(_), rest @ ..] if is_path(rest) => tree(tokens, at, &[], depth, found),
            [TokenTree::Group(group), ..] => {
                walk(&self::tokens(group.stream()), depth, found);
                at + 1
            }
            _ => at + 1,
        };
    }
}

/// Reads one path or `use` tree that starts at `at`; answers where it ends.
fn tree(tokens: &[TokenTree], mut at: usize, before: &[String], depth: usize, found: &mut Vec<Found>) -> usize {
    let mut path = before.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.span().start().line);
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(name)) => path.push(name.to_string()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => path.push("*".into()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                branches(group.stream(), &path, depth, found);
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        if !is_colons(&tokens[at..]) {
            break;
        }
        at += 2;
    }
    found.push(Found { path, line, depth });
    at
}

/// The branches of a `use` tree: what stands between the commas of its braces.
fn branches(group: TokenStream, before: &[String], depth: usize, found: &mut Vec<Found>) {
    let tokens = tokens(group);
    for branch in tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',')) {
        let start = if is_colons(branch) { 2 } else { 0 };
        if branch.len() > start {
            tree(branch, start, before, depth, found);
        }
    }
}

fn tokens(stream: TokenStream) -> Vec<TokenTree> {
    stream.into_iter().collect()
}

/// Whether what follows a name makes it a path, or the call of a macro.
fn is_path(rest: &[TokenTree]) -> bool {
    let is_call = matches!(rest, [TokenTree::Punct(bang), TokenTree::Group(_), ..] if bang.as_char() == '!');
    is_call || is_colons(rest)
}

fn is_colons(rest: &[TokenTree]) -> bool {
    matches!(rest, [TokenTree::Punct(first), TokenTree::Punct(second), ..]
        if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':')
}
