//! What every handler shares: who asks, bodies, problems, pages, spans.

pub(crate) mod address;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod error;
pub(crate) mod fair;
pub(crate) mod headers;
pub(crate) mod observe;
pub mod page;
pub mod problem;
pub mod server;
pub(crate) mod spans;

pub(crate) use body::{json, upload};
