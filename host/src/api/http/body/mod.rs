//! Bodies: of requests, as values and as they come in; of answers, as long as they are being sent.

pub(crate) mod file;
pub(crate) mod held;
pub(crate) mod incoming;
pub(crate) mod json;
pub(crate) mod upload;
