//! The schema, as a list of migrations. A database tells its version in the table `meta`.

use crate::broker::store::sql::{Sql, params};
use crate::error::{Code, Error, Result};

/// Every version's statements; the version of a database is the number of entries that it has seen.
/// Entries are never changed once released: a change is a new entry.
const MIGRATIONS: &[&[&str]] = &[VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6, VERSION_7];

const VERSION_1: &[&str] = &[
    "CREATE TABLE messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        run INTEGER,
        position INTEGER,
        url TEXT NOT NULL,
        method TEXT NOT NULL,
        headers TEXT NOT NULL,
        body BLOB,
        created_at INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        max_retries INTEGER NOT NULL,
        retry_delay TEXT,
        timeout INTEGER NOT NULL,
        lease TEXT,
        leased_at INTEGER,
        label TEXT,
        caller_ip TEXT,
        callback TEXT,
        failure_callback TEXT
    )",
    "CREATE INDEX messages_due ON messages (due_at, seq)",
    "CREATE INDEX messages_lease ON messages (lease) WHERE lease IS NOT NULL",
    "CREATE INDEX messages_run ON messages (run) WHERE run IS NOT NULL",
    // Bodies over the inline size, in parts: a Durable Object's row holds at most 2 MB.
    "CREATE TABLE parts (
        owner TEXT NOT NULL,
        part INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (owner, part)
    )",
    "CREATE TABLE deduplications (
        key TEXT PRIMARY KEY,
        message_id TEXT NOT NULL,
        ends_at INTEGER NOT NULL
    )",
    "CREATE INDEX deduplications_end ON deduplications (ends_at)",
    "CREATE TABLE runs (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        url TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        ended_at INTEGER,
        config TEXT NOT NULL,
        label TEXT,
        caller_ip TEXT,
        result BLOB,
        error TEXT,
        failed_message TEXT,
        dlq_id TEXT,
        failure_message TEXT
    )",
    "CREATE INDEX runs_id ON runs (id, key)",
    "CREATE INDEX runs_end ON runs (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE TABLE steps (
        run INTEGER NOT NULL,
        position INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        call_type TEXT NOT NULL,
        is_plan INTEGER NOT NULL,
        place INTEGER NOT NULL,
        group_end INTEGER NOT NULL,
        concurrent INTEGER NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        body BLOB,
        created_at INTEGER NOT NULL,
        started_at INTEGER,
        attempts INTEGER,
        PRIMARY KEY (run, position)
    )",
    "CREATE TABLE dlq (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        message_id TEXT NOT NULL,
        role TEXT NOT NULL,
        run INTEGER,
        run_id TEXT,
        run_created_at INTEGER,
        url TEXT NOT NULL,
        method TEXT NOT NULL,
        headers TEXT NOT NULL,
        body BLOB,
        created_at INTEGER NOT NULL,
        failed_at INTEGER NOT NULL,
        max_retries INTEGER NOT NULL,
        retry_delay TEXT,
        label TEXT,
        caller_ip TEXT,
        callback TEXT,
        failure_callback TEXT,
        status INTEGER NOT NULL,
        error TEXT,
        response_headers TEXT NOT NULL,
        response_body BLOB
    )",
    "CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        run INTEGER,
        run_id TEXT,
        state TEXT NOT NULL,
        url TEXT NOT NULL,
        method TEXT NOT NULL,
        label TEXT,
        attempt INTEGER NOT NULL,
        max_retries INTEGER NOT NULL,
        status INTEGER,
        error TEXT,
        next_delivery INTEGER,
        response_headers TEXT,
        response_body BLOB
    )",
    "CREATE INDEX events_message ON events (message_id, seq)",
    "CREATE INDEX events_run ON events (run, seq) WHERE run IS NOT NULL",
    "CREATE INDEX events_time ON events (time)",
];

/// Steps that wait for something: events, webhooks, the end of other runs.
const VERSION_2: &[&str] = &[
    "CREATE TABLE waiters (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL,
        place INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        step TEXT NOT NULL,
        target TEXT NOT NULL,
        timeout_target TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        deadline INTEGER NOT NULL,
        UNIQUE (run, place)
    )",
    "CREATE INDEX waiters_event ON waiters (event_id, key)",
    "CREATE INDEX waiters_deadline ON waiters (deadline)",
    "CREATE TABLE kept_events (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        from_webhook INTEGER NOT NULL,
        data BLOB,
        ends_at INTEGER NOT NULL
    )",
    "CREATE INDEX kept_events_run ON kept_events (run, event_id, key)",
    "CREATE INDEX kept_events_end ON kept_events (ends_at)",
    "CREATE TABLE webhooks (
        run INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        PRIMARY KEY (run, event_id)
    )",
    "CREATE TABLE invocations (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        parent INTEGER NOT NULL,
        child INTEGER NOT NULL,
        step TEXT NOT NULL,
        target TEXT NOT NULL,
        created_at INTEGER NOT NULL
    )",
    "CREATE INDEX invocations_parent ON invocations (parent)",
    "CREATE INDEX invocations_child ON invocations (child)",
    "ALTER TABLE runs ADD COLUMN invoker TEXT",
];

/// What failed runs need to be resumed.
const VERSION_3: &[&str] = &[
    "CREATE TABLE parked (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL,
        item TEXT NOT NULL,
        body BLOB
    )",
    "CREATE INDEX parked_run ON parked (run)",
    "CREATE INDEX dlq_run ON dlq (run) WHERE run IS NOT NULL",
    "ALTER TABLE webhooks ADD COLUMN run_id TEXT",
    "UPDATE webhooks SET run_id = (SELECT id FROM runs WHERE key = webhooks.run)",
    "CREATE INDEX webhooks_address ON webhooks (run_id, event_id)",
    "ALTER TABLE runs ADD COLUMN failure_state TEXT",
    "UPDATE runs SET failure_state = CASE
        WHEN failure_message IN (SELECT id FROM messages) THEN 'CALLBACK_INPROGRESS'
        WHEN failure_message IN (SELECT message_id FROM dlq) THEN 'CALLBACK_FAIL'
        ELSE 'CALLBACK_SUCCESS' END
     WHERE failure_message IS NOT NULL",
];

/// Branches that go on beside each other.
const VERSION_4: &[&str] = &["ALTER TABLE steps ADD COLUMN cause TEXT"];

/// What dead letters need to be retried.
const VERSION_5: &[&str] = &["ALTER TABLE dlq ADD COLUMN message TEXT"];

/// What bounds deliveries: queues and flow-control keys; where messages come from; what the log tells of them.
const VERSION_6: &[&str] = &[
    "ALTER TABLE messages ADD COLUMN queue TEXT",
    "ALTER TABLE messages ADD COLUMN slot TEXT",
    "ALTER TABLE messages ADD COLUMN flow_key TEXT",
    "ALTER TABLE messages ADD COLUMN blocked_on TEXT",
    "ALTER TABLE messages ADD COLUMN source TEXT",
    "ALTER TABLE messages ADD COLUMN redaction TEXT",
    "DROP INDEX messages_due",
    "CREATE INDEX messages_due ON messages (due_at, seq) WHERE blocked_on IS NULL",
    "CREATE INDEX messages_blocked ON messages (blocked_on, slot) WHERE blocked_on IS NOT NULL",
    "CREATE INDEX messages_queue ON messages (queue, slot) WHERE queue IS NOT NULL",
    "CREATE INDEX messages_line ON messages (queue)
        WHERE slot IS NULL AND role = 'plain' AND not_before <= created_at",
    "CREATE INDEX messages_late ON messages (queue, due_at)
        WHERE slot IS NULL AND role = 'plain' AND not_before > created_at",
    "CREATE INDEX messages_flow_key ON messages (flow_key) WHERE flow_key IS NOT NULL",
    "CREATE INDEX messages_open ON messages (flow_key) WHERE lease IS NOT NULL",
    "CREATE TABLE queues (
        name TEXT PRIMARY KEY,
        parallelism INTEGER NOT NULL,
        paused INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    )",
    "CREATE TABLE flow_keys (
        key TEXT PRIMARY KEY,
        parallelism INTEGER,
        rate INTEGER,
        period INTEGER NOT NULL,
        pinned_parallelism INTEGER NOT NULL,
        pinned_rate INTEGER NOT NULL,
        paused INTEGER NOT NULL,
        window_start INTEGER NOT NULL,
        window_count INTEGER NOT NULL,
        wake_at INTEGER,
        used_at INTEGER NOT NULL
    )",
    "CREATE INDEX flow_keys_wake ON flow_keys (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE TABLE schedules (
        id TEXT PRIMARY KEY,
        cron TEXT NOT NULL,
        destination TEXT NOT NULL,
        headers TEXT NOT NULL,
        body BLOB,
        caller_ip TEXT,
        created_at INTEGER NOT NULL,
        paused INTEGER NOT NULL,
        next_at INTEGER,
        last_at INTEGER,
        last_messages TEXT,
        last_error TEXT
    )",
    "CREATE INDEX schedules_next ON schedules (next_at) WHERE next_at IS NOT NULL",
    "CREATE TABLE url_groups (
        name TEXT PRIMARY KEY,
        headers TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    )",
    "CREATE TABLE url_group_endpoints (
        url_group TEXT NOT NULL,
        position INTEGER NOT NULL,
        url TEXT NOT NULL,
        name TEXT,
        PRIMARY KEY (url_group, position)
    )",
    // What one shard has to tell another, in order, and how far others have told it.
    "CREATE TABLE relays (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        shard INTEGER NOT NULL,
        item BLOB
    )",
    "CREATE INDEX relays_shard ON relays (shard, seq)",
    "CREATE TABLE channels (
        shard INTEGER PRIMARY KEY,
        due_at INTEGER NOT NULL,
        attempt INTEGER NOT NULL
    )",
    "CREATE TABLE relayed (
        shard INTEGER PRIMARY KEY,
        seq INTEGER NOT NULL
    )",
    // Runs of other shards that wait for the end of a run.
    "CREATE TABLE watchers (
        child INTEGER NOT NULL,
        shard INTEGER NOT NULL,
        parent INTEGER NOT NULL,
        place INTEGER NOT NULL,
        PRIMARY KEY (child, shard, parent, place)
    )",
    "ALTER TABLE invocations ADD COLUMN child_id TEXT",
    // What messages have asked the shards of their flow-control keys for.
    "CREATE TABLE tickets (
        message_id TEXT PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        shard INTEGER NOT NULL,
        ends_at INTEGER,
        used INTEGER NOT NULL
    )",
    // What the log tells of a message beyond its events; it goes with the last of them.
    "CREATE TABLE logged (
        message_id TEXT PRIMARY KEY,
        message TEXT NOT NULL,
        body BLOB
    )",
    // What the log is asked for; the filters name the same expressions.
    "CREATE INDEX logged_url_group ON logged (json_extract(message, '$.source.urlGroup'))
        WHERE json_extract(message, '$.source.urlGroup') IS NOT NULL",
    "CREATE INDEX logged_schedule ON logged (json_extract(message, '$.source.schedule'))
        WHERE json_extract(message, '$.source.schedule') IS NOT NULL",
    "CREATE INDEX logged_queue ON logged (json_extract(message, '$.queue'))
        WHERE json_extract(message, '$.queue') IS NOT NULL",
    "CREATE INDEX logged_flow_key ON logged (json_extract(message, '$.flow_key'))
        WHERE json_extract(message, '$.flow_key') IS NOT NULL",
    "CREATE INDEX logged_caller_ip ON logged (json_extract(message, '$.caller_ip'))
        WHERE json_extract(message, '$.caller_ip') IS NOT NULL",
    "CREATE INDEX dlq_failed ON dlq (failed_at)",
    "CREATE INDEX dlq_message ON dlq (message_id)",
    "UPDATE events SET state = 'CANCELED' WHERE state = 'CANCELLED'",
    // The signing keys once they were rotated; `configured` names the pair of the settings that they came from.
    "CREATE TABLE signing_keys (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        current TEXT NOT NULL,
        next TEXT NOT NULL,
        configured TEXT NOT NULL,
        rotated_at INTEGER NOT NULL
    )",
    "ALTER TABLE messages ADD COLUMN lost_leases INTEGER NOT NULL DEFAULT 0",
];

/// What metrics count: how long tries took, and since when what has ended had been there, in an index that is enough to
/// count them; the runs that go on, oldest first.
const VERSION_7: &[&str] = &[
    "ALTER TABLE events ADD COLUMN took INTEGER",
    // Of the event that ends a message: when the message was accepted.
    "ALTER TABLE events ADD COLUMN accepted_at INTEGER",
    "UPDATE events SET accepted_at = (SELECT time FROM events AS first
            WHERE first.message_id = events.message_id AND first.state = 'CREATED' ORDER BY seq LIMIT 1)
        WHERE state IN ('DELIVERED', 'FAILED', 'CANCELED')",
    "DROP INDEX events_time",
    "CREATE INDEX events_time ON events (time, state, took, accepted_at)",
    "CREATE INDEX runs_active ON runs (created_at) WHERE ended_at IS NULL",
];

/// Brings the database to the newest version.
///
/// [`Code::InvalidConfiguration`] if a newer build wrote it.
pub fn migrate<S: Sql>(sql: &S) -> Result<()> {
    sql.transaction(|| {
        sql.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL)", &[])?;
        let rows = sql.query("SELECT value FROM meta WHERE key = 'schema'", &[])?;
        let version = rows.first().map_or(Ok(0), |row| row.integer(0))?;
        let version = usize::try_from(version).unwrap_or(0);
        if version > MIGRATIONS.len() {
            return Err(Error::new(
                Code::InvalidConfiguration,
                format!(
                    "the database has schema version {version}, this build knows versions up to {}: use a newer build",
                    MIGRATIONS.len()
                ),
            ));
        }
        for statement in MIGRATIONS[version..].iter().copied().flatten() {
            sql.execute(statement, &[])?;
        }
        if version < MIGRATIONS.len() {
            sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)", params![MIGRATIONS.len()])?;
        }
        Ok(())
    })
}
