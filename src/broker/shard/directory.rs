//! What is global: decided by shard 0, the directory, and known to all, so that no delivery has to ask for it.
//!
//! A change is made there and announced to the others; what was not announced, because the process died in between, is
//! found by the next sweep. The exchange that brought the change also gives it to the others before it is answered; what
//! gets lost on that way comes by the announcement.

use sha2::{Digest, Sha256};

use super::relay::{Relay, push};
use crate::broker::Scope;
use crate::broker::store::Sql;
use crate::broker::store::directory::{self, Snapshot};
use crate::broker::store::sql::params;
use crate::error::{Code, Error, Result};

/// Announces what has changed since the last announcement; must run inside a transaction. Nothing has: nothing.
pub fn announce<S: Sql>(scope: &mut Scope<'_, S>) -> Result<()> {
    if scope.shard.is_single() || scope.shard.index() != 0 {
        return Ok(());
    }
    let known = directory::read(scope.sql)?;
    let digest = digest(&known)?;
    let rows = scope.sql.query("SELECT value FROM meta WHERE key = ?", params![DIGEST])?;
    let announced = rows.first().map(|row| row.integer(0)).transpose()?;
    if announced == Some(digest) {
        return Ok(());
    }
    let snapshot = Snapshot { number: known.number + 1, ..known };
    directory::set_number(scope.sql, snapshot.number)?;
    scope.sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", params![DIGEST, digest])?;
    for shard in 1..scope.shard.count() {
        push(scope.sql, shard, &Relay::Directory { snapshot: snapshot.clone() })?;
    }
    Ok(())
}

/// Takes what the directory says, unless something newer is known; must run inside a transaction. Returns whether it
/// was taken.
pub fn take<S: Sql>(scope: &Scope<'_, S>, snapshot: &Snapshot) -> Result<bool> {
    let newer = scope.shard.index() != 0 && snapshot.number > directory::number(scope.sql)?;
    if newer {
        directory::write(scope.sql, snapshot)?;
    }
    Ok(newer)
}

/// What tells two states apart, within the whole numbers of every host.
fn digest(snapshot: &Snapshot) -> Result<i64> {
    let text = serde_json::to_vec(&Snapshot { number: 0, ..snapshot.clone() })
        .map_err(|_| Error::new(Code::Internal, "the directory can't be written as JSON"))?;
    Ok(Sha256::digest(text).iter().take(6).fold(0, |number, byte| number << 8 | i64::from(*byte)))
}

const DIGEST: &str = "announced";
