//! What somebody who writes rules needs: from source to a component, in every language.
//!
//! Knows compilers, folders and the rules' own sandbox; nothing of the desk, its database or HTTP. `cli` prints what this
//! room returns.

pub mod build;
mod embed;
pub mod language;
pub mod new;
