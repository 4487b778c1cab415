#![doc = include_str!("../../../docs/edge.md")]

mod bell;
mod changes;
mod connection;
mod courier;
mod dashboard;
mod host;
mod http;
mod object;
mod objects;
mod origins;
mod router;
pub mod settings;
mod sql;

#[cfg(feature = "standalone")]
mod samples;
#[cfg(feature = "standalone")]
mod standalone;

pub use connection::connect;
pub use dashboard::dashboard;
pub use host::{EdgeHost, PlatformEntropy};
pub use http::{read_request, read_response, write_response};
pub use object::BrokerObject;
pub use objects::BrokerObjects;
pub use router::Router;
