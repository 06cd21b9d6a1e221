//! A new rule in C.

use super::{File, Project};

/// What to install, and how to test without WebAssembly.
pub const README: &str = include_str!("c/README.md.in");

/// The files of the language.
pub fn files(project: &Project) -> Vec<File> {
    vec![
        File { path: "Makefile", text: project.fill(include_str!("c/Makefile.in")) },
        File { path: "src/rule.c", text: project.fill(include_str!("c/rule.c.in")) },
        File { path: "tests/rule_test.c", text: project.fill(include_str!("c/rule_test.c.in")) },
    ]
}
