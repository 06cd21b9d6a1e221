//! The tools of a rule's author: from source to a component, in every language.
//!
//! Knows compilers, folders and the rules' own sandbox; nothing of the desk, its database or HTTP. `cli` prints what this
//! room returns.

pub mod accept;
pub mod bench;
pub mod build;
pub mod case;
pub mod check;
mod embed;
pub mod language;
pub mod new;
pub mod report;
pub mod sandbox;
pub mod ship;
pub mod sign;
pub mod sources;
pub mod trial;
pub mod watch;

/// Names as a TOML or JSON list has them, without the brackets.
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
