//! Keys of services, told by how they begin or by their shape.

use crate::privacy::mask::text::{Place, is_word, length, length_up_to, looks_made};

/// A key of a well-known service.
pub(super) fn service_key(Place { rest, .. }: Place) -> Option<(usize, usize)> {
    // Most words are shorter than any key.
    if length_up_to(rest, SHORTEST, |byte| is_word(byte) || b"-.:/~+=".contains(&byte)) < SHORTEST {
        return None;
    }
    let end = encoded(rest).or_else(|| prefixed(rest)).or_else(|| SHAPES.iter().find_map(|shape| shape(rest)))?;
    Some((0, end))
}

/// Letters of a key.
const SHORTEST: usize = 10;

/// How keys begin, and the least length of what follows; sorted by bytes.
const PREFIXES: [(&str, usize); 146] = [
    ("1//0", 30),
    ("AGE-SECRET-KEY-1", 30),
    ("AIza", 30),
    ("AKCp", 50),
    ("AKIA", 16),
    ("ASIA", 16),
    ("ATATT3", 50),
    ("ATBB", 20),
    ("ATCTT3", 50),
    ("CCIPAT_", 20),
    ("CFPAT-", 30),
    ("CLOJARS_", 50),
    ("EAAA", 50),
    ("EAAC", 50),
    ("EZAK", 50),
    ("EZTK", 50),
    ("FLWSECK", 20),
    ("GOCSPX-", 16),
    ("HRKU-", 30),
    ("LTAI", 16),
    ("NRAK-", 20),
    ("NRII-", 20),
    ("PMAK-", 30),
    ("SG.", 20),
    ("access-development-", 30),
    ("access-production-", 30),
    ("access-sandbox-", 30),
    ("aio_", 26),
    ("bkua_", 30),
    ("csk-", 30),
    ("dckr_oat_", 20),
    ("dckr_pat_", 20),
    ("doo_v1_", 20),
    ("dop_v1_", 20),
    ("dor_v1_", 20),
    ("dp.ct.", 30),
    ("dp.pt.", 30),
    ("dp.sa.", 30),
    ("dp.st.", 30),
    ("dt0c01.", 60),
    ("dt0s01.", 60),
    ("e2b_", 30),
    ("figd_", 30),
    ("fio-u-", 50),
    ("fo1_", 30),
    ("fw_", 20),
    ("gho_", 20),
    ("ghp_", 20),
    ("ghr_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glagent-", 16),
    ("glc_", 30),
    ("glcbt-", 16),
    ("gldt-", 16),
    ("glft-", 16),
    ("glimt-", 16),
    ("gloas-", 16),
    ("glpat-", 16),
    ("glptt-", 16),
    ("glrt-", 16),
    ("glsa_", 30),
    ("glsoat-", 16),
    ("gsk_", 20),
    ("hf_", 20),
    ("hvb.", 20),
    ("hvr.", 20),
    ("hvs.", 20),
    ("jina_", 30),
    ("lin_api_", 16),
    ("lin_oauth_", 16),
    ("lsv2_pt_", 30),
    ("lsv2_sk_", 30),
    ("mdb_sa_sk_", 30),
    ("napi_", 40),
    ("nfp_", 30),
    ("npm_", 30),
    ("ntn_", 30),
    ("nvapi-", 30),
    ("pat-eu1-", 30),
    ("pat-na1-", 30),
    ("pcsk_", 30),
    ("phx_", 30),
    ("pk_live_", 8),
    ("pnu_", 30),
    ("polar_oat_", 30),
    ("polar_whs_", 30),
    ("pplx-", 30),
    ("pscale_oauth_", 20),
    ("pscale_pw_", 20),
    ("pscale_tkn_", 20),
    ("pul-", 40),
    ("pypi-", 30),
    ("r8_", 30),
    ("rdme_", 30),
    ("rk_live_", 8),
    ("rk_test_", 8),
    ("rnd_", 20),
    ("rubygems_", 40),
    ("sb_secret_", 16),
    ("sbp_", 16),
    ("secret_", 24),
    ("sgp_", 30),
    ("sha256~", 40),
    ("shippo_live_", 30),
    ("shippo_test_", 30),
    ("shpat_", 16),
    ("shpca_", 16),
    ("shppa_", 16),
    ("shpss_", 16),
    ("sig_", 16),
    ("signkey-", 30),
    ("sk-", 16),
    ("sk.eyJ", 30),
    ("sk_", 30),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("sl.", 60),
    ("sntrys_", 30),
    ("sntryu_", 30),
    ("sq0atp-", 20),
    ("sq0csp-", 20),
    ("tfp_", 30),
    ("tr_dev_", 16),
    ("tr_pat_", 16),
    ("tr_prod_", 16),
    ("tr_stg_", 16),
    ("tskey-", 20),
    ("tvly-", 16),
    ("v1.0-", 100),
    ("vercel_", 20),
    ("whsec_", 16),
    ("xai-", 20),
    ("xapp-", 10),
    ("xkeysib-", 60),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxd-", 10),
    ("xoxe-", 10),
    ("xoxe.", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xsmtpsib-", 60),
    ("ya29.", 20),
];

/// Beginnings that nothing else has: whatever follows is a key, or stands for one.
const UNMISTAKABLE: [&str; 14] = [
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
];

/// How keys in base64 begin: a user's id in JSON, as QStash's token; Grafana's, `Fly.io`'s, Bedrock's, 1Password's and
/// Sentry's.
const ENCODED: [&str; 8] = ["eyJVc2VySUQi", "eyJrIjoi", "fm1a_", "fm1r_", "fm2_", "ABSK", "ops_eyJ", "sntrys_eyJ"];

/// A key by its shape; gives its end.
type Shape = fn(&str) -> Option<usize>;

const SHAPES: [Shape; 6] = [hexadecimal, resend, telegram, discord, terraform, client_secret];

fn prefixed(rest: &str) -> Option<usize> {
    let first = *rest.as_bytes().first()?;
    let from = PREFIXES.partition_point(|(prefix, _)| prefix.as_bytes()[0] < first);
    let beginning = PREFIXES[from..].iter().take_while(|(prefix, _)| prefix.as_bytes()[0] == first);
    beginning.filter(|(prefix, _)| rest.starts_with(prefix)).find_map(|(prefix, least)| {
        let key = &rest[prefix.len()..];
        let of_key = |byte: u8| is_word(byte) || byte == b'-' || byte == b'.';
        let begin = &key[..length_up_to(key, 128, of_key)];
        // Names such as `re_calculate_the_totals` and `sk-circle-fade-2` are made of words.
        let has_random = begin.split(['-', '_', '.']).any(|part| part.len() >= 8 && looks_made(part));
        let is_key = begin.len() >= *least && has_random || UNMISTAKABLE.contains(prefix) && begin.len() >= 6;
        is_key.then(|| {
            let length = length(key, |byte| of_key(byte) || byte == b'=');
            prefix.len() + key[..length].trim_end_matches(['.', '-']).len()
        })
    })
}

fn encoded(rest: &str) -> Option<usize> {
    let prefix = ENCODED.iter().find(|prefix| rest.starts_with(**prefix))?;
    let length = length(rest, |byte| byte.is_ascii_alphanumeric() || b"-_+/=".contains(&byte));
    // A token of three parts is more than its first.
    (length >= prefix.len() + 20 && !rest[length..].starts_with('.')).then_some(length)
}

/// 32 hexadecimal digits after a word: Twilio, Mailgun, Databricks, Firecrawl; or before one: Mailchimp.
fn hexadecimal(rest: &str) -> Option<usize> {
    let digits = |text: &str| length_up_to(text, 33, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) == 32;
    if let Some(prefix) = ["SK", "key-", "dapi", "fc-"].iter().find(|prefix| rest.starts_with(**prefix)) {
        let end = prefix.len() + 32;
        return (digits(&rest[prefix.len()..]) && !rest[end..].bytes().next().is_some_and(is_word)).then_some(end);
    }
    let center = rest.get(32..)?.strip_prefix("-us")?;
    let number = length_up_to(center, 3, |byte| byte.is_ascii_digit());
    (digits(rest) && (1..=2).contains(&number)).then_some(32 + "-us".len() + number)
}

/// `re_`, 8 and 24 letters and digits. Ids of Stripe's refunds begin so too, and have no second part.
fn resend(rest: &str) -> Option<usize> {
    let key = rest.strip_prefix("re_")?;
    let first = length_up_to(key, 16, |byte| byte.is_ascii_alphanumeric());
    let second = key[first..].strip_prefix('_')?;
    let second = &second[..length_up_to(second, 64, |byte| byte.is_ascii_alphanumeric())];
    let end = "re_".len() + first + 1 + second.len();
    (first >= 6 && second.len() >= 16 && looks_made(second)).then_some(end)
}

/// A bot's id, a colon and 35 letters, digits and dashes.
fn telegram(rest: &str) -> Option<usize> {
    let begin = if rest.starts_with("bot") { 3 } else { 0 };
    let id = length_up_to(&rest[begin..], 11, |byte| byte.is_ascii_digit());
    let key = rest[begin + id..].strip_prefix(':')?;
    let length = length_up_to(key, 36, |byte| is_word(byte) || byte == b'-');
    ((8..=10).contains(&id) && length == 35 && looks_made(&key[..length])).then_some(begin + id + 1 + length)
}

/// A bot's id in base64, a moment and a signature.
fn discord(rest: &str) -> Option<usize> {
    if !rest.starts_with(['M', 'N', 'O']) {
        return None;
    }
    let part = |text: &str, most| length_up_to(text, most, |byte| is_word(byte) || byte == b'-');
    let first = part(rest, 29);
    let rest = rest[first..].strip_prefix('.')?;
    let second = part(rest, 8);
    let third = part(rest[second..].strip_prefix('.')?, 64);
    ((23..=28).contains(&first) && (6..=7).contains(&second) && third >= 27).then_some(first + second + third + 2)
}

/// 14 letters and digits, the version's name, and the rest.
fn terraform(rest: &str) -> Option<usize> {
    let begin = length_up_to(rest, 15, |byte| byte.is_ascii_alphanumeric());
    let key = rest[begin..].strip_prefix(".atlasv1.")?;
    let length = length(key, |byte| is_word(byte) || byte == b'-');
    (begin == 14 && length >= 40).then_some(begin + ".atlasv1.".len() + length)
}

/// What lets a browser go on with one payment: `pi_…_secret_…`.
fn client_secret(rest: &str) -> Option<usize> {
    let word = &rest[..length_up_to(rest, 200, is_word)];
    let secret = if word.len() > 24 { word.split_once("_secret_")?.1 } else { return None };
    (secret.len() >= 16 && looks_made(secret)).then_some(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_sorted() {
        assert!(PREFIXES.is_sorted_by(|(one, _), (other, _)| one < other));
        assert!(PREFIXES.iter().all(|(prefix, _)| !prefix.is_empty()));
    }
}
