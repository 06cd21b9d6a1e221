//! The ways out: clients of the systems that the desk writes to. They know no use case and no store; jobs call them.

pub mod apps;
pub mod clamd;
pub mod http;
pub mod mail;
pub mod oidc;
pub mod webhook;
