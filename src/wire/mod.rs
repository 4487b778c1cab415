//! The words of the wire: what QStash and its SDKs say to each other, as types.
//!
//! Everything here is a value. Hosts turn their own requests into [`Request`] and back.

pub mod base64;
pub mod callback;
pub mod duration;
pub mod environment;
pub mod expression;
pub mod flow_control;
pub mod header;
pub mod http;
pub mod id;
pub mod step;
pub mod time;
pub mod url;
pub mod wait;

pub use duration::parse_duration;
pub use environment::{Environment, Region, development};
pub use expression::Expression;
pub use flow_control::{FlowLimits, Rate};
pub use http::{Headers, Method, Request, Response};
pub use id::{Entropy, MessageId, RunId};
pub use step::{CallType, Number, RawStep, Step, StepType};
pub use time::Timestamp;
