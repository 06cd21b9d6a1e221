//! The shape of the code: functions, handlers, queues, error types, folders and names. Each list of exceptions holds what is
//! there today and only gets shorter.

use std::collections::BTreeMap;
use std::path::Path;

use super::{ratchet, sources, without_comments};
use crate::support::components::root;

/// The most lines of a function, from its signature to its end.
const FUNCTION_LINES_MAX: usize = 70;
const LONG_FUNCTIONS: [(&str, usize); 1] = [("tests/conformance/oracle.rs intake", 72)];

/// The most lines of a handler: it translates, and the use case is elsewhere.
const HANDLER_LINES_MAX: usize = 15;
const LONG_HANDLERS: [(&str, usize); 2] =
    [("host/src/api/admin/config.rs apps", 20), ("host/src/api/tables.rs read", 21)];

/// Files that name a channel without a bound, and how often.
const UNBOUNDED: [(&str, usize); 3] = [
    ("host/src/author/watch.rs", 1),
    ("host/src/rules/live/watch/lanes.rs", 3),
    ("host/src/rules/live/watch/mod.rs", 2),
];

/// Files with variants of errors that carry a sentence where a type should stand, and how many.
const SENTENCES: [(&str, usize); 5] = [
    ("host/src/app/replay/verdict.rs", 4),
    ("host/src/author/build/cut.rs", 2),
    ("host/src/author/sandbox.rs", 1),
    ("host/src/rules/load/compile.rs", 1),
    ("host/src/rules/package.rs", 3),
];

/// The most entries of a folder: more is not seen at one look.
const ENTRIES_MAX: usize = 12;
const FULL_FOLDERS: [(&str, usize); 10] = [
    ("example-rules/60-decision-table/src", 22),
    ("host/src/app", 15),
    ("host/src/author", 18),
    ("host/src/author/new", 15),
    ("host/src/cli", 13),
    ("host/src/config", 20),
    ("sdk/src", 18),
    ("tests", 20),
    ("tests/api", 14),
    ("tests/store", 14),
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "data", "misc", "common", "stuff"];

/// Where our Rust is.
const FOLDERS: [&str; 5] = ["host/src", "host/benches", "sdk/src", "example-rules", "tests"];

struct Function<'a> {
    name: &'a str,
    lines: usize,
    /// Whether the interface's document has it.
    is_handler: bool,
}

/// The functions of a text that rustfmt has formatted: each ends with a brace as far to the right as it begins.
fn functions(text: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut found, mut is_handler) = (Vec::new(), false);
    for (at, line) in lines.iter().enumerate() {
        is_handler |= line.starts_with("#[utoipa::path(");
        let Some(name) = named(line.trim_start()) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &&str| {
            let rest = line.strip_prefix(indent).unwrap_or_default();
            rest == "}" || (rest.starts_with(')') && rest.ends_with(';'))
        };
        let in_one_line = line.ends_with(['}', ';']);
        let more = if in_one_line { 0 } else { lines[at..].iter().position(ends).unwrap() };
        found.push(Function { name, lines: more + 1, is_handler: std::mem::take(&mut is_handler) });
    }
    found
}

/// The name of the function that begins in a line, if one does.
fn named(code: &str) -> Option<&str> {
    let (before, rest) = code.split_once("fn ")?;
    let only = |word: &str| word.starts_with("pub") || ["const", "async", "unsafe", "extern", "\"C\""].contains(&word);
    let name = rest.split(['(', '<']).next()?;
    (before.split_whitespace().all(only) && !name.is_empty()).then_some(name)
}

/// Each of our Rust files: its name from the repository's root, and its text.
fn texts() -> Vec<(String, String)> {
    let root = root();
    let paths = FOLDERS.iter().flat_map(|folder| sources(&root.join(folder)));
    paths
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

#[test]
fn functions_fit_on_a_screen_and_handlers_only_translate() {
    let (mut long, mut long_handlers) = (BTreeMap::new(), BTreeMap::new());
    for (file, text) in texts() {
        for function in functions(&text) {
            let name = format!("{file} {}", function.name);
            if function.lines > FUNCTION_LINES_MAX {
                long.insert(name.clone(), function.lines);
            }
            if function.is_handler && file.starts_with("host/src/api/") && function.lines > HANDLER_LINES_MAX {
                long_handlers.insert(name, function.lines);
            }
        }
    }
    ratchet("lines of a function", &long, &LONG_FUNCTIONS);
    ratchet("lines of a handler", &long_handlers, &LONG_HANDLERS);
}

#[test]
fn functions_are_found() {
    let text = "#[utoipa::path(\n    get\n)]\npub async fn read(\n    a: A,\n) -> B {\n    x\n}\n\nfn one() {}\n\nimpl X {\n    pub(crate) const fn two<T>(\n        self,\n    ) {\n    }\n}\ntrait Y {\n    fn three(\n        &self,\n    );\n}\n";
    let found: Vec<_> = functions(text).iter().map(|f| (f.name, f.lines, f.is_handler)).collect();
    assert_eq!(found, [("read", 5, true), ("one", 1, false), ("two", 4, false), ("three", 3, false)]);
}

/// How often something is found in each file of the program, where it is at all.
fn in_each_file(count: impl Fn(&str) -> usize) -> BTreeMap<String, usize> {
    let ours = texts().into_iter().filter(|(file, _)| file.starts_with("host/src/"));
    let counts = ours.map(|(file, text)| (file, count(&without_comments(&text))));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn every_queue_has_a_bound() {
    let unbounded = |code: &str| {
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        // The standard library's takes nothing; all others say how many may wait, but for the one that takes one answer.
        let of_std = code.matches("channel()").count() - code.matches("oneshot::channel()").count();
        words.filter(|word| word.starts_with("unbounded")).count() + of_std
    };
    ratchet("unbounded queues", &in_each_file(unbounded), &UNBOUNDED);
}

/// A caller can do nothing with a sentence. What a variant names, such as a rule or a column, has a field's name.
#[test]
fn errors_are_types_and_not_sentences() {
    let sentences = |code: &str| {
        let enums = code.split("thiserror::Error").skip(1).filter_map(|rest| rest.split("\n}").next());
        enums.flat_map(str::lines).filter(|line| line.starts_with("    ") && line.ends_with("String),")).count()
    };
    ratchet("sentences in errors", &in_each_file(sentences), &SENTENCES);
}

fn folders(folder: &Path, see: &mut impl FnMut(&Path, usize)) {
    let entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    see(folder, entries.len());
    entries.iter().filter(|entry| entry.is_dir()).for_each(|entry| folders(entry, see));
}

#[test]
fn folders_are_seen_at_one_look_and_names_say_something() {
    let root = root();
    let (mut full, mut empty_names) = (BTreeMap::new(), Vec::new());
    let mut see = |folder: &Path, entries: usize| {
        let name = folder.strip_prefix(&root).unwrap().display().to_string();
        // The rooms themselves are listed in `ARROWS`.
        if name == "host/src" {
            return;
        }
        if entries > ENTRIES_MAX && (name.ends_with("src") || !name.starts_with("example-rules")) {
            full.insert(name, entries);
        }
    };
    FOLDERS.iter().for_each(|folder| folders(&root.join(folder), &mut see));
    ratchet("entries of a folder", &full, &FULL_FOLDERS);
    for (file, _) in texts() {
        let parts = Path::new(&file).components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        empty_names
            .extend(parts.filter(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs"))).map(|_| file.clone()));
    }
    assert_eq!(empty_names, [""; 0], "a name says what is inside");
}

/// Two types of one name are one schema in the interface's document, and one of them would be described as the other.
#[test]
fn no_two_types_of_the_interface_s_document_have_one_name() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in super::files("api") {
        for derived in text.split("#[derive(").skip(1).filter(|rest| {
            rest.split_once(")]").is_some_and(|(traits, _)| traits.split(", ").any(|name| name == "ToSchema"))
        }) {
            let is_type = |line: &&str| line.split_whitespace().any(|word| word == "struct" || word == "enum");
            let line = derived.lines().find(is_type).unwrap();
            let own = line.split_whitespace().skip_while(|word| *word != "struct" && *word != "enum").nth(1).unwrap();
            let attributes = derived.split_once(line).unwrap().0;
            let renamed = attributes.split_once("schema(as = ").and_then(|(_, rest)| rest.split([')', ',']).next());
            let name = renamed.unwrap_or(own).trim_end_matches(['{', ';', '(']).to_owned();
            let other = seen.insert(name.clone(), file.clone());
            assert_eq!(other, None, "{name} is a type of {file}, too: give one of them a name of its own");
        }
    }
    assert!(seen.len() > 50, "{seen:?}");
}
