//! Recognising a message that was accepted before (`qstash/features/deduplication.mdx`).

use sha2::{Digest, Sha256};

use crate::broker::Scope;
use crate::broker::accept::Accepted;
use crate::broker::publication::{Deduplication, Publication};
use crate::broker::store::{Sql, message};
use crate::error::Result;
use crate::wire::base64;

/// Accepts a publication unless it repeats one of the deduplication window, and remembers it for the next.
pub fn once<'a, S: Sql>(
    scope: &mut Scope<'a, S>,
    publication: Publication,
    accept: impl FnOnce(&mut Scope<'a, S>, Publication) -> Result<Accepted>,
) -> Result<Accepted> {
    let Some(rule) = &publication.deduplication else { return accept(scope, publication) };
    let key = key(rule, &publication);
    if let Some(message_id) = message::find_duplicate(scope.sql, &key, scope.at)? {
        return Ok(Accepted { message_id, deduplicated: true, run: None });
    }
    let accepted = accept(scope, publication)?;
    if !accepted.deduplicated {
        message::remember(scope.sql, &key, &accepted.message_id, scope.at + scope.settings.deduplication_window)?;
    }
    Ok(accepted)
}

/// One id makes a message for each endpoint of a URL group. The content of a message to a group is another than that of
/// a message to one of its endpoints: the destination counts.
fn key(rule: &Deduplication, publication: &Publication) -> String {
    let group = publication.source.url_group.as_deref();
    match (rule, group) {
        (Deduplication::Id(id), None) => format!("id:{id}"),
        // Neither an id nor a group's name holds a colon.
        (Deduplication::Id(id), Some(group)) => format!("id:{id}:{group}:{}", publication.url),
        (Deduplication::Content, _) => {
            let mut hash = Sha256::new();
            let mut add = |part: &[u8]| {
                hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
                hash.update(part);
            };
            add(publication.url.as_bytes());
            add(publication.method.as_str().as_bytes());
            add(publication.content_type.as_deref().unwrap_or_default().as_bytes());
            let mut headers: Vec<(String, &str)> =
                publication.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
            headers.sort();
            for (name, value) in headers {
                add(name.as_bytes());
                add(value.as_bytes());
            }
            add(&publication.body);
            if let Some(group) = group {
                add(group.as_bytes());
            }
            format!("content:{}", base64::encode_url(hash.finalize()))
        }
    }
}
