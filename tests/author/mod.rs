//! The tools of rule authors, as an author uses them: the real program, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::components::{PROGRAM, root, scratch};

pub mod blocks;
mod cases;
mod check;
mod elsewhere;
mod learn;
mod locked;
mod readme;
mod rust;
mod watch;

/// The folder of Cargo's that all builds of this repository have: most of what a rule in Rust depends on has been compiled there
/// for the example rules.
fn target() -> PathBuf {
    scratch().parent().unwrap().to_owned()
}

/// The tool, with a cache and a compiler's folder that all tests share.
fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .arg("rule")
        .args(arguments)
        .env("RULEDESK_CACHE", scratch().join("author-cache"))
        .env("CARGO_TARGET_DIR", target())
        .env_remove("CI")
        .env_remove("DATABASE_URL");
    command
}

/// Runs the tool to its end.
fn ran(arguments: &[&str]) -> Output {
    tool(arguments).output().unwrap()
}

/// What a run that must succeed has printed.
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", out(output), err(output));
    out(output)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A new rule in Rust. It takes the versions of its dependencies from this repository, so that none is looked for.
fn new_in_rust(parent: &Path, name: &str, stages: &str) -> PathBuf {
    let parent_text = parent.to_str().unwrap();
    printed(&ran(&["new", name, "--lang", "rust", "--stage", stages, "--in", parent_text]));
    let folder = parent.join(name);
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    folder
}

/// A folder with nothing but what a desk has of an example rule: manifest and component.
fn shipped(rule: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["rule.toml", "rule.wasm"] {
        let from = crate::support::components::example_rules().join(rule).join(file);
        std::fs::copy(from, folder.path().join(file)).unwrap();
    }
    folder
}
