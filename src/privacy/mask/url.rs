//! Secrets in addresses: passwords, webhooks, and addresses of people.

use crate::privacy::mask::text::{Place, length, length_up_to};

/// `scheme://user:password@host`: the password.
pub(super) fn password_in_url(Place { rest, .. }: Place) -> Option<(usize, usize)> {
    let scheme = length_up_to(rest, 32, |byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority_begin = scheme + 3;
    if scheme == 0 || !rest[scheme..].starts_with("://") {
        return None;
    }
    let ends = |letter: char| letter.is_whitespace() || "\"'<>`".contains(letter);
    let all = &rest[authority_begin..];
    let all = &all
        [..all.char_indices().take(LONGEST).take_while(|(_, letter)| !ends(*letter)).map(|(_, l)| l.len_utf8()).sum()];
    let authority = &all[..all.find(['/', '?', '#']).unwrap_or(all.len())];
    let user = if let Some((user, _)) = authority.rsplit_once('@') {
        user
    } else {
        // A password that should have been encoded has a slash: what follows the colon is no port.
        let (host, port) = authority.split_once(':')?;
        if host.starts_with('[') || port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        all.rsplit_once('@')?.0
    };
    let colon = user.find(':')?;
    let password = &user[colon + 1..];
    let is_masked = password.starts_with("[masked ");
    (!password.is_empty() && !is_masked).then_some((authority_begin + colon + 1, authority_begin + user.len()))
}

/// Letters of what stands before a host.
const LONGEST: usize = 1024;

/// Addresses that whoever knows may post to, up to what is secret of them.
const WEBHOOKS: [&str; 8] = [
    "hooks.slack.com/services/",
    "hooks.slack.com/workflows/",
    "hooks.slack.com/triggers/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "hooks.zapier.com/hooks/catch/",
    "outlook.office.com/webhook/",
    "outlook.office365.com/webhook/",
];

pub(super) fn webhook(Place { rest, .. }: Place) -> Option<(usize, usize)> {
    let begin = WEBHOOKS.iter().find(|address| rest.starts_with(**address))?.len();
    let secret = length(&rest[begin..], |byte| byte.is_ascii_alphanumeric() || b"/-_@%".contains(&byte));
    (secret >= 8).then_some((begin, begin + secret))
}

pub(super) fn email(Place { before, rest }: Place) -> Option<(usize, usize)> {
    // The user of an address is no secret without a password.
    if before.ends_with("://") {
        return None;
    }
    let local = rest
        .char_indices()
        .take(65)
        .find(|(_, letter)| !is_of_local_part(*letter))
        .map_or(rest.len(), |(place, _)| place);
    let domain = rest[local..].strip_prefix('@')?;
    let of_domain = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '.';
    let domain = &domain[..domain.find(|letter| !of_domain(letter)).unwrap_or(domain.len())];
    let domain = domain.trim_end_matches(['.', '-']);
    let (_, top) = domain.rsplit_once('.')?;
    let is_name = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    // `git@github.com:…` is nobody's address, `logo@2x.png` is a file.
    let plausible = is_name && local > 0 && &rest[..local] != "git" && !FILES.contains(&top);
    plausible.then_some((0, local + 1 + domain.len()))
}

fn is_of_local_part(letter: char) -> bool {
    // What else is allowed stands around addresses more often than in them. Letters of the Latin scripts only: others
    // are written without blanks between words.
    letter.is_ascii_alphanumeric() || ".!#$%'*+^_~-".contains(letter) || (letter < '\u{250}' && letter.is_alphabetic())
}

/// What names of files end with, and no domain does.
const FILES: [&str; 18] = [
    "cjs", "css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "jsx", "log", "mjs", "png", "svg", "ts", "tsx",
    "webp", "xml",
];
