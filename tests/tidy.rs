//! The rules of the house that a program can check: which room may name which, how a file begins and ends, the shape of the
//! code, its words, and the twin migrations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::components::root;

mod circles;
mod migrations;
mod shape;
mod words;

/// A room and the rooms that it may name besides itself.
const ARROWS: [(&str, &[&str]); 17] = [
    ("desk", &[]),
    // A connector may be a component of the customer's own, which only `rules` runs.
    ("connectors", &["desk", "rules", "signing"]),
    // What came in by mail, read and judged; what becomes of it is `app`'s.
    ("mail", &["desk"]),
    ("messages", &["desk"]),
    ("rows", &[]),
    ("rules", &[]),
    // What goes out signed and what comes in signed are the business of two rooms, which share the secrets.
    ("signing", &[]),
    ("telemetry", &[]),
    ("author", &["rules"]),
    ("import", &["desk", "rows"]),
    ("config", &["desk", "messages", "rows"]),
    ("store", &["desk"]),
    ("app", &["desk", "mail", "messages", "rules", "signing", "store", "config", "telemetry"]),
    ("api", &["app", "desk", "telemetry"]),
    // Pages call the same use cases as the interface, and know nothing of it: no page can do more than it.
    ("web", &["app", "desk"]),
    ("jobs", &["app", "connectors", "desk", "telemetry"]),
    (
        "cli",
        &[
            "api",
            "app",
            "author",
            "config",
            "connectors",
            "desk",
            "import",
            "jobs",
            "messages",
            "rows",
            "rules",
            "telemetry",
            "web",
        ],
    ),
];

/// A file and a room that it alone of its own room may name: the one command file that opens the store.
const EXCEPTIONS: [(&str, &str); 1] = [("cli/desk/mod.rs", "store")];

/// A package and the rooms that may name it.
const PACKAGES: [(&str, &[&str]); 12] = [
    ("sqlx", &["store"]),
    ("reqwest", &["connectors"]),
    ("axum", &["api", "cli", "web"]),
    ("askama", &["web"]),
    ("wasmtime", &["rules"]),
    ("lettre", &["connectors"]),
    ("mail_parser", &["mail"]),
    ("ring", &["connectors"]),
    ("minijinja", &["messages"]),
    ("serde", &["messages", "rules", "store", "app", "api", "web", "config", "connectors", "import", "cli", "author"]),
    ("utoipa", &["api"]),
    ("opentelemetry", &["telemetry"]),
];

/// The most lines that a file may have before it is two files.
const LINES_MAX: usize = 500;

pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file of a room: its name for people, and its text without comments.
fn files(room: &str) -> Vec<(String, String)> {
    let source = root().join("host/src");
    sources(&source.join(room))
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&source).unwrap().display().to_string(), without_comments(&text))
        })
        .collect()
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Compares what goes beyond a limit with the exceptions of today: nothing joins them, none grows, and one that has shrunk
/// says so here.
fn ratchet(what: &str, found: &BTreeMap<String, usize>, exceptions: &[(&str, usize)]) {
    let listed: BTreeMap<String, usize> = exceptions.iter().map(|(name, most)| ((*name).to_owned(), *most)).collect();
    for (name, count) in found {
        let most = listed.get(name).copied().unwrap_or_default();
        assert!(*count <= most, "{what}: {name} has {count}, more than it may ({most} as an exception)");
    }
    for (name, most) in &listed {
        let count = found.get(name).copied().unwrap_or_default();
        assert_eq!(count, *most, "{what}: {name} is better than its exception: lower it, or take it out");
    }
}

/// The rooms that a text names by `crate::ROOM`.
fn named(code: &str) -> Vec<&str> {
    let ends = |rest: &str| rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
    code.split("crate::").skip(1).map(|rest| &rest[..ends(rest)]).filter(|room| !room.is_empty()).collect()
}

#[test]
fn imports_point_one_way() {
    for (room, may_name) in ARROWS {
        for (file, code) in files(room) {
            for other in named(&code).into_iter().filter(|other| *other != room) {
                let excepted = EXCEPTIONS.contains(&(file.as_str(), other));
                assert!(excepted || may_name.contains(&other), "host/src/{file} names `{other}`, and `{room}` may not");
            }
        }
    }
    assert_eq!(named("use crate::store::db; crate::desk::id"), ["store", "desk"]);
}

#[test]
fn packages_stay_in_their_rooms() {
    for (package, rooms) in PACKAGES {
        for (room, _) in ARROWS.into_iter().filter(|(room, _)| !rooms.contains(room)) {
            for (file, code) in files(room) {
                let names = code.contains(&format!("use {package}::")) || code.contains(&format!(" {package}::"));
                assert!(!names, "host/src/{file} names `{package}`, which belongs to {rooms:?}");
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_no_longer_than_it_should_be() {
    let root = root();
    for folder in ["host/src", "host/benches", "sdk/src", "example-rules", "tests"] {
        for path in sources(&root.join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&root).unwrap().display();
            assert!(text.starts_with("//!"), "{name} does not begin with `//!`");
            let lines = text.lines().count();
            assert!(lines <= LINES_MAX, "{name} has {lines} lines: at most {LINES_MAX}");
        }
    }
}

#[test]
fn routes_are_in_one_place() {
    for (file, code) in files("api") {
        let routes = [".route(", ".routes("].iter().any(|call| code.contains(call));
        assert!(file == "api/mod.rs" || !routes, "host/src/{file} has a route of its own");
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| {
        let folder = root().join("migrations").join(database);
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
