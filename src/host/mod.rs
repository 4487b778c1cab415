//! The code that owns I/O: one module per kind of host.

#[cfg(feature = "edge")]
pub mod edge;
#[cfg(any(feature = "js", feature = "rules", feature = "server"))]
pub mod js;
