//! Headers that several routes understand: preconditions, keys of idempotency, and what an answer may be.

pub(crate) mod accept;
pub(crate) mod condition;
pub(crate) mod key;
