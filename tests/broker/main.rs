//! The broker from outside: through its API and what it sends, in virtual time. All in one program, for each program of
//! its own would be linked anew.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod api;
mod apis;
mod changes;
mod cron;
mod destinations;
mod engine;
mod events;
mod flow_control;
mod gates_simulation;
mod groups;
mod invoke;
mod leases;
mod limits;
mod log;
mod metrics;
mod protocol;
mod publish;
mod queues;
mod recovery;
mod rows;
mod runs;
mod schedules;
mod schemas;
mod secrets;
mod shards;
mod shards_simulation;
mod simulation;
mod trigger;
mod webhooks;
mod workflow_schemas;
