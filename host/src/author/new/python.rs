//! A new rule in Python.

use super::{File, Project};

/// What to install, and how to test without WebAssembly.
pub const README: &str = include_str!("python/README.md.in");

/// The files of the language.
pub fn files(project: &Project) -> Vec<File> {
    vec![
        File { path: "pyproject.toml", text: project.fill(include_str!("python/pyproject.toml.in")) },
        File { path: "src/rule.py", text: project.fill(include_str!("python/rule.py.in")) },
        File { path: "tests/__init__.py", text: include_str!("python/tests_init.py.in").to_owned() },
        File { path: "tests/test_rule.py", text: project.fill(include_str!("python/test_rule.py.in")) },
    ]
}
