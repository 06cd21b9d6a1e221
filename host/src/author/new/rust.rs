//! A new rule in Rust.

use super::{File, Project};

/// What to install, and how to test without WebAssembly.
pub const README: &str = include_str!("rust/README.md.in");

/// The files of the language.
pub fn files(project: &Project) -> Vec<File> {
    vec![
        File { path: "Cargo.toml", text: project.fill(include_str!("rust/Cargo.toml.in")) },
        File { path: "src/lib.rs", text: project.fill(include_str!("rust/lib.rs.in")) },
    ]
}
