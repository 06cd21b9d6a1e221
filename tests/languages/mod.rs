//! Rules in every language: from an empty folder to an answer in the sandbox.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ruledesk::rules::load::compile::CompileLimits;
use ruledesk::rules::run::call::{Called, ask};
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::Stage;
use ruledesk::rules::tables::Tables;
use ruledesk::rules::{Options, Rules};

use crate::support::components::{PROGRAM, options, scratch};

mod blocks;
mod c;
mod clients;
mod dataclasses;
mod desk;
mod go;
mod go_bindings;
mod javascript;
mod python;
mod typescript;

/// A new project, made by the program under test.
fn new_project(name: &str, language: &str, stages: &str) -> PathBuf {
    let parent = scratch().join("languages");
    let _ = std::fs::remove_dir_all(parent.join(name));
    std::fs::create_dir_all(&parent).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["rule", "new", name, "--lang", language, "--stage", stages, "--in"]).arg(&parent);
    let made = command.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let manifest = parent.join(name).join("rule.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    // The clock is for what fuel does not count: on a busy machine an interpreter that is asked a hundred times must not come to it.
    std::fs::write(manifest, text + "\n[limits]\ndeadline-ms = 2000\n").unwrap();
    parent.join(name)
}

/// Builds projects into a rules directory of their own; what an earlier run of the tests has built of the same source, by
/// the same program, is good still.
pub fn build(name: &str, projects: &[PathBuf]) -> PathBuf {
    let out = scratch().join("languages").join(name);
    let program = std::fs::metadata(PROGRAM).unwrap();
    let mut of = format!("{} {:?}\n", program.len(), program.modified().unwrap());
    projects.iter().for_each(|project| sources(project, &mut of));
    let stamp = out.with_extension("stamp");
    if std::fs::read_to_string(&stamp).is_ok_and(|before| before == of) {
        return out;
    }
    let _ = std::fs::remove_dir_all(&out);
    let built = Command::new(PROGRAM).args(["rule", "build", "--out"]).arg(&out).args(projects).output().unwrap();
    assert!(built.status.success(), "{}", said(&built));
    std::fs::write(stamp, of).unwrap();
    out
}

/// All that an author has written in a folder.
fn sources(folder: &Path, into: &mut String) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let made = [".ruledesk", "node_modules", "__pycache__", "rule.wasm"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !made {
            sources(&path, into);
        } else if !made {
            *into += &std::fs::read_to_string(&path).unwrap();
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The rules of a directory, running; each has passed its examples.
fn open(rules_dir: &Path) -> Rules {
    let options = Options {
        component_bytes_max: 64 << 20,
        compile_limits: CompileLimits { timeout_s: 300, memory_mib: 4096 },
        poll: Duration::from_secs(60),
        ..options(rules_dir)
    };
    let rules = Rules::open(&options, Tables::default()).unwrap();
    for status in rules.catalog().folders().values() {
        assert!(status.error.is_none(), "{}", status.error.as_ref().unwrap().message);
    }
    rules
}

/// What a rule says to a sparse input.
fn asked(rules: &Rules, name: &str, stage: Stage, input: &str) -> Called {
    let generation = rules.generation();
    let rule = generation.rules().iter().find(|rule| rule.manifest.name.to_string() == name).expect(name);
    assert!(rule.configure_each_call.is_none(), "{name} starts with its settings in its memory");
    let input = fill_in(stage, &toml::from_str(input).unwrap()).unwrap();
    ask(rule, &input, &rules.tables())
}

/// Puts a tool's folder, which is installed once for all runs, where a project looks for its own.
fn lend(tools: &Path, project: &Path, name: &str) {
    std::os::unix::fs::symlink(tools, project.join(name)).unwrap();
}

/// A copy of a project under another name, with the tools that it needs at hand. Each has a folder of its own: tests run
/// beside each other, and two of them may build the same project.
pub fn with_tools(project: &Path, name: &str) -> PathBuf {
    static COPIES: AtomicUsize = AtomicUsize::new(0);
    let number = COPIES.fetch_add(1, Ordering::Relaxed).to_string();
    let copy = scratch().join("languages/projects").join(number).join(name);
    let parent = copy.parent().unwrap();
    let _ = std::fs::remove_dir_all(parent);
    std::fs::create_dir_all(parent).unwrap();
    run(Command::new("cp").arg("-r").arg(project).arg(&copy));
    for made in ["node_modules", ".ruledesk", "__pycache__"] {
        let _ = std::fs::remove_dir_all(copy.join(made));
    }
    if copy.join("package.json").exists() {
        lend(javascript::packages(), &copy, "node_modules");
    }
    if copy.join("pyproject.toml").exists() {
        std::fs::create_dir(copy.join(".ruledesk")).unwrap();
        lend(python::environment(), &copy, ".ruledesk/venv");
    }
    copy
}

/// A command that has to work.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    said(&output)
}

/// What `ruledesk rule build` says on a machine without any tool.
fn build_without_tools(project: &Path) -> String {
    let nothing = scratch().join("languages/nothing");
    std::fs::create_dir_all(&nothing).unwrap();
    let output = Command::new(PROGRAM).args(["rule", "build"]).arg(project).env("PATH", nothing).output().unwrap();
    assert!(!output.status.success());
    said(&output)
}
