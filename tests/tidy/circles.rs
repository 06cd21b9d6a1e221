//! No circle between the folders of a room: of two folders side by side, at most one names the other, also by way of others.

use std::collections::{BTreeMap, BTreeSet};

use super::{sources, without_comments};
use crate::support::components::root;

/// Arrows that close a circle today, each from the folder that should not name the other.
const BACK: [(&str, &str); 10] = [
    // A change carries tickets, access cases and grants as they are afterwards; the verbs of those make it.
    ("desk/change", "desk/access"),
    ("desk/change", "desk/ticket"),
    // The table of permissions looks at tickets and access cases, and its permits carry them; what changes those asks for a
    // permit.
    ("desk/permission", "desk/access"),
    ("desk/permission", "desk/ticket"),
    // A ticket may ask for access, and a verdict about access names what it is about.
    ("desk/ticket", "desk/access"),
    ("desk/verdict", "desk/access"),
    ("store/chain", "store/access"),
    ("store/chain", "store/rules"),
    ("store/rules", "store/commit"),
    // Files of tickets are kept as segments of records are, in a directory or a bucket.
    ("store/tickets", "store/rules"),
];

/// The paths with which a text begins, and what follows them: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn paths(mut text: &str) -> (Vec<Vec<&str>>, &str) {
    let mut head = Vec::new();
    loop {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        head.extend(Some(&text[..end]).filter(|name| !name.is_empty()));
        let rest = &text[end..];
        let Some(next) = rest.strip_prefix("::") else { return (vec![head], rest) };
        let Some(list) = next.strip_prefix('{') else {
            text = next;
            continue;
        };
        let (mut all, mut rest) = (Vec::new(), list);
        loop {
            rest = rest.trim_start_matches([' ', '\n', ',']);
            if rest.is_empty() || rest.starts_with('}') {
                return (all, rest.strip_prefix('}').unwrap_or(rest));
            }
            let (tails, after) = paths(rest);
            all.extend(tails.into_iter().map(|tail| [head.clone(), tail].concat()));
            // Another name (`as x`), or all of a module (`*`).
            rest = after.trim_start_matches(|c| c != ',' && c != '}');
        }
    }
}

/// The paths from the crate's root that the code of a module names. `super` counts from the module that the file is.
fn named<'a>(module: &[&'a str], code: &'a str) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    for (base, word) in [(0, "crate::"), (module.len().saturating_sub(1), "super::")] {
        for (at, _) in code.match_indices(word) {
            if code[..at].ends_with("::") || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let (mut rest, mut base) = (&code[at + word.len()..], base);
            while let Some(above) = rest.strip_prefix("super::") {
                (rest, base) = (above, base.saturating_sub(1));
            }
            found.extend(paths(rest).0.into_iter().map(|path| [&module[..base], &path[..]].concat()));
        }
    }
    found
}

/// Every arrow between two folders side by side, with a file that draws it.
fn arrows() -> BTreeMap<(String, String), String> {
    let source = root().join("host/src");
    let mut arrows = BTreeMap::new();
    for path in sources(&source) {
        let file = path.strip_prefix(&source).unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let module: Vec<&str> = file.trim_end_matches("/mod").split('/').collect();
        let folder: Vec<&str> =
            file.rsplit_once('/').map(|(folder, _)| folder.split('/').collect()).unwrap_or_default();
        let code = without_comments(&std::fs::read_to_string(&path).unwrap());
        for target in named(&module, &code) {
            let same = folder.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if same == 0 || same >= folder.len() || same >= target.len() {
                continue;
            }
            let (from, to) = (folder[..=same].join("/"), target[..=same].join("/"));
            if source.join(&to).is_dir() {
                arrows.insert((from, to), file.clone());
            }
        }
    }
    arrows
}

#[test]
fn folders_of_a_room_name_each_other_one_way() {
    let mut left = arrows();
    for (from, to) in BACK {
        let there = left.remove(&(from.to_owned(), to.to_owned()));
        assert!(there.is_some(), "`{from}` does not name `{to}` any more: take it out of the exceptions");
    }
    // A folder that names none of those that are left is in no circle.
    loop {
        let from: BTreeSet<String> = left.keys().map(|(from, _)| from.clone()).collect();
        let before = left.len();
        left.retain(|(_, to), _| from.contains(to));
        if left.len() == before {
            break;
        }
    }
    assert_eq!(left, BTreeMap::new(), "these folders name each other in a circle; the file draws the arrow");
}

#[test]
fn paths_are_read_with_their_braces() {
    let (found, rest) = paths("a::{b, c::{d as x, self}, e::*}; more");
    assert_eq!(found, [vec!["a", "b"], vec!["a", "c", "d"], vec!["a", "c", "self"], vec!["a", "e"]]);
    assert_eq!(rest, "; more");
    let code = "use super::super::x::Y;\nuse super::z;\nlet a = crate::q::r(1);";
    let module = ["app", "b", "c"];
    assert_eq!(named(&module, code), [vec!["q", "r"], vec!["app", "x", "Y"], vec!["app", "b", "z"]]);
}
