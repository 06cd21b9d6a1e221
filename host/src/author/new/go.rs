//! A new rule in Go.

use super::{File, Project};

/// What to install, and how to test without WebAssembly.
pub const README: &str = include_str!("go/README.md.in");

/// The files of the language.
pub fn files(project: &Project) -> Vec<File> {
    vec![
        File { path: "go.mod", text: project.fill(include_str!("go/go.mod.in")) },
        File { path: "rule.go", text: project.fill(include_str!("go/rule.go.in")) },
        File { path: "rule_test.go", text: project.fill(include_str!("go/rule_test.go.in")) },
    ]
}
