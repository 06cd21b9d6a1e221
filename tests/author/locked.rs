//! Builds take what is locked: packages by their hashes, and crates by the lock file. Programs in the place of pip and Cargo write down
//! what they are asked for.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use super::{new_in_rust, printed, ran, tool};
use crate::support::components::root;

/// Python with pip, as a shell script: it logs, makes environments, and "installs" a tool that does nothing.
const PYTHON: &str = r#"#!/bin/sh
echo "$@" >> "$ASKED"
case "$1 $2 $3" in
    --version*) echo "Python 3.12.1" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip install") printf '#!/bin/sh\nexit 0\n' > "${0%/*}/componentize-py" && chmod 755 "${0%/*}/componentize-py" ;;
esac
"#;

/// Cargo: it logs, knows where the project is, and builds nothing.
const CARGO: &str = r#"#!/bin/sh
echo "$@" >> "$ASKED"
case "$1" in
    locate-project) for last; do :; done; echo "$last" ;;
    *) exit 1 ;;
esac
"#;

/// Builds a project with a program in the place of another; how it ended, and what was asked for, a line each.
fn built(folder: &Path, name: &str, script: &str, continuous: bool) -> (Output, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let (program, asked) = (dir.path().join(name), dir.path().join("asked"));
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = dir.path().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut build = tool(&["build", folder.to_str().unwrap()]);
    build.env("PATH", path).env("ASKED", &asked);
    if continuous {
        build.env("CI", "true");
    }
    let output = build.output().unwrap();
    let asked = std::fs::read_to_string(&asked).unwrap_or_default();
    (output, asked.lines().map(str::to_owned).collect())
}

#[test]
fn pip_installs_nothing_whose_hash_is_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let parent = dir.path().to_str().unwrap();
    printed(&ran(&["new", "hashed", "--lang", "python", "--stage", "priority", "--in", parent]));
    let folder = dir.path().join("hashed");
    let project = folder.join("pyproject.toml");
    let text = std::fs::read_to_string(&project).unwrap();
    assert!(text.contains("dependencies = []"), "{text}");
    std::fs::write(&project, text.replace("dependencies = []", "dependencies = [\"a-package==1.0\"]")).unwrap();
    let locked = format!("a-package==1.0 --hash=sha256:{}\n", "0".repeat(64));
    std::fs::write(folder.join("requirements.txt"), locked).unwrap();

    let (_, asked) = built(&folder, "python3", PYTHON, false);
    let installs: Vec<&String> = asked.iter().filter(|line| line.starts_with("-m pip install")).collect();
    let [tool, packages] = installs.as_slice() else { panic!("{asked:?}") };
    for option in ["--require-hashes", "--no-deps", "--only-binary=:all:", "-r .ruledesk/tool.txt"] {
        assert!(tool.contains(option), "{option}: {tool}");
    }
    assert!(packages.contains("--require-hashes -r requirements.txt"), "{packages}");
    let list = std::fs::read_to_string(folder.join(".ruledesk/tool.txt")).unwrap();
    let mut words = list.split_whitespace();
    assert!(words.next().unwrap().starts_with("componentize-py=="), "{list}");
    let hashes: Vec<&str> = words.map(|word| word.strip_prefix("--hash=sha256:").expect("a hash")).collect();
    let is_hash = |hash: &&str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(!hashes.is_empty() && hashes.iter().all(is_hash), "{list}");
}

#[test]
fn in_continuous_integration_the_lock_file_is_what_is_built() {
    let dir = tempfile::tempdir().unwrap();
    let folder = new_in_rust(dir.path(), "locked", "priority");
    let is_locked = |continuous: bool| {
        let (output, asked) = built(&folder, "cargo", CARGO, continuous);
        assert!(!output.status.success());
        let build = asked.iter().find(|line| line.starts_with("build ")).unwrap_or_else(|| panic!("{asked:?}"));
        build.split(' ').any(|word| word == "--locked")
    };
    assert!(is_locked(true));
    assert!(!is_locked(false), "at a desk, Cargo may add what the author has just named");
    std::fs::remove_file(folder.join("Cargo.lock")).unwrap();
    assert!(!is_locked(true), "what is not locked yet cannot be built so");
}

#[test]
fn every_build_of_this_repository_is_locked() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let is_build = |line: &&str| {
        ["build", "test", "clippy", "bench", "run"].iter().any(|verb| line.contains(&format!("cargo {verb}")))
    };
    let builds: Vec<&str> = makefile.lines().filter(is_build).collect();
    assert!(builds.len() >= 4, "{builds:?}");
    let open: Vec<&&str> = builds.iter().filter(|line| !line.contains("--locked")).collect();
    assert!(open.is_empty(), "{open:?}");
    assert!(root().join("Cargo.lock").is_file());
}
