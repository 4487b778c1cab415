//! What the broker keeps: one schema, and the queries over it, one file a table.

pub mod body;
pub mod counted;
pub mod dead_letter;
pub mod directory;
pub mod event;
pub mod flow_key;
pub mod gate;
pub mod invocation;
pub mod kept_event;
pub mod logged;
pub mod message;
pub mod metrics;
pub mod parked;
pub mod queue;
pub mod relay;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod signing_key;
pub mod sql;
pub mod step;
pub mod ticket;
pub mod url_group;
pub mod waiter;
pub mod watcher;
pub mod webhook;

pub use sql::{Row, Sql, Value};
