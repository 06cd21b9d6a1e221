//! From settings to a table, with all that is wrong with them at once. It knows nothing of decisions.

use crate::answer::Then;
use crate::condition::Condition;
use crate::field::Scope;
use crate::implies::{contradiction, implies};
use crate::nearest::{hint, listed};
use crate::problems::Problems;
use crate::shape::rows;
use crate::stage::Stage;
use crate::table::{Hit, Row, Settings, Table};
use crate::template::Template;
use crate::tree::Tree;
use crate::when;

/// Rows of a table at most: each is compared with those before it.
const ROWS_MAX: usize = 500;

const SETTINGS: [&str; 9] =
    ["stage", "hit", "row", "columns", "rows", "otherwise", "otherwise-reason", "levels", "stand-in"];
const ROW: [&str; 4] = ["name", "when", "then", "reason"];
const HITS: [&str; 3] = ["first", "collect", "highest"];

/// Reads a table.
///
/// # Errors
///
/// One sentence for each thing that is wrong.
pub fn load(tree: &Tree) -> Result<Table, Vec<String>> {
    let mut problems = Problems::default();
    let table = table(tree, &mut problems);
    match table {
        Some(table) if problems.count() == 0 => Ok(table),
        _ => Err(problems.into_sentences()),
    }
}

fn table(tree: &Tree, problems: &mut Problems) -> Option<Table> {
    known_keys(tree, &SETTINGS, "setting", problems);
    let settings = settings(tree, problems)?;
    let written = rows(tree, problems);
    if written.len() > ROWS_MAX {
        problems.add("row", "a table has at most 500 rows: make two tables of it, one after the other");
        return None;
    }
    let mut read: Vec<(Row, bool)> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let before = problems.count();
        let row = row(&settings, written, index + 1, problems);
        let sound = problems.count() == before;
        if sound {
            check_reached(&settings, &read, &row, problems);
        }
        read.push((row, sound));
    }
    problems.enter("");
    let otherwise = otherwise(&settings, tree, problems);
    let always = read
        .iter()
        .zip(&written)
        .any(|((row, sound), written)| if *sound { row.when.is_always() } else { written.get("when").is_none() });
    check_gap(tree, always, &read, problems);
    Some(Table { settings, rows: read.into_iter().map(|(row, _)| row).collect(), otherwise })
}

fn known_keys(tree: &Tree, known: &[&str], what: &str, problems: &mut Problems) {
    if let Tree::Table(entries) = tree {
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            problems.add(key, &format!("there is no such {what}{}", hint(key, known.iter().copied())));
        }
    }
}

fn settings(tree: &Tree, problems: &mut Problems) -> Option<Settings> {
    let names = Stage::ALL.map(Stage::name);
    let written = tree.get("stage").and_then(Tree::text).unwrap_or_default();
    let stage = Stage::ALL.into_iter().find(|stage| stage.name() == written);
    if stage.is_none() {
        let message = match written {
            "" => format!("say which stage the table is for: one of {}", listed(names)),
            other => format!("there is no stage `{other}`{}", hint(other, names)),
        };
        problems.add("stage", &message);
    }
    let hit = match tree.get("hit").map(|hit| hit.text().unwrap_or_default()) {
        None | Some("first") => Hit::First,
        Some("collect") => Hit::Collect,
        Some("highest") => Hit::Highest,
        Some(other) => {
            problems.add("hit", &format!("there is no hit policy `{other}`{}", hint(other, HITS)));
            Hit::First
        }
    };
    let levels = tree.get("levels").map(Tree::texts);
    let stand_in = tree.get("stand-in").map(|name| name.text().filter(|name| !name.is_empty() && !name.contains(' ')));
    if levels.as_ref().is_some_and(|levels| levels.as_ref().is_none_or(|levels| levels.is_empty())) {
        problems.add("levels", "it needs a list of the priority levels, the most urgent first");
    }
    if stand_in.is_some_and(|name| name.is_none()) {
        problems.add("stand-in", "it needs the id of a person or \"group:NAME\"");
    }
    let stage = stage?;
    if hit == Hit::Highest && !matches!(stage, Stage::Priority | Stage::Access) {
        let message = "`highest` is for priority and access, where answers have an order: use `first` or `collect`";
        problems.add("hit", message);
    }
    if hit != Hit::First && stage == Stage::Priority && levels.is_none() {
        problems.add("levels", "to find the highest, list the priority levels, the most urgent first");
    }
    if levels.is_some() && stage != Stage::Priority {
        problems.add("levels", "it is for tables of priority only");
    }
    if stand_in.is_some() && stage != Stage::Access {
        problems.add("stand-in", "it is for tables of access only");
    }
    let levels = levels.flatten().unwrap_or_default().into_iter().map(str::to_owned).collect();
    Some(Settings { stage, hit, levels, stand_in: stand_in.flatten().map(str::to_owned) })
}

fn row(settings: &Settings, written: &Tree, number: usize, problems: &mut Problems) -> Row {
    let name = written.get("name").and_then(Tree::text).unwrap_or_default();
    let label = if name.is_empty() { format!("row {number}") } else { format!("row {number} ({name})") };
    problems.enter(&label);
    if !matches!(written, Tree::Table(_)) {
        problems.add("", &format!("it needs a table with `when` and `then`, and this is {}", written.kind()));
    }
    known_keys(written, &ROW, "part of a row", problems);
    let scope = Scope { stage: settings.stage, element: None };
    let when = match written.get("when") {
        Some(when) => when::block(scope, when, "when", problems),
        None => Condition::All(Vec::new()),
    };
    if contradiction(&when) {
        problems.add("when", "it can never be so: two of its conditions exclude each other");
    }
    let before = problems.count();
    let then = match written.get("then") {
        Some(then) => Then::read(settings, then, "then", problems),
        None => {
            problems.add("then", "it is missing: say what the row answers");
            Then::Pass
        }
    };
    if problems.count() == before {
        check_destination(settings, &then, problems);
    }
    let usual = if name.is_empty() { format!("{label} of the table fits") } else { name.to_owned() };
    let reason = reason(settings, written.get("reason"), "reason", &usual, problems);
    Row { label, when, then, reason }
}

fn check_destination(settings: &Settings, then: &Then, problems: &mut Problems) {
    if settings.hit == Hit::First && matches!(then, Then::Routing(then) if !then.is_destination()) {
        problems.add("then", "an answer at routing needs a `team`, an `assignee` or `skills`");
    }
}

fn reason(settings: &Settings, tree: Option<&Tree>, key: &str, usual: &str, problems: &mut Problems) -> Template {
    let scope = Scope { stage: settings.stage, element: None };
    match tree {
        None => Template::text(usual),
        Some(Tree::Text(text)) => Template::read(scope, text).unwrap_or_else(|message| {
            problems.add(key, &message);
            Template::text(usual)
        }),
        Some(other) => {
            problems.add(key, &format!("it needs a text, and this is {}", other.kind()));
            Template::text(usual)
        }
    }
}

fn otherwise(settings: &Settings, tree: &Tree, problems: &mut Problems) -> Option<Row> {
    let usual = "no row of the table fits";
    let reason = reason(settings, tree.get("otherwise-reason"), "otherwise-reason", usual, problems);
    let then = Then::read(settings, tree.get("otherwise")?, "otherwise", problems);
    check_destination(settings, &then, problems);
    Some(Row { label: "`otherwise`".to_owned(), when: Condition::All(Vec::new()), then, reason })
}

/// Only where the first row counts can one row take all from another.
fn check_reached(settings: &Settings, before: &[(Row, bool)], row: &Row, problems: &mut Problems) {
    if settings.hit != Hit::First {
        return;
    }
    let earlier = before.iter().find(|(earlier, sound)| *sound && implies(&row.when, &earlier.when));
    if let Some((earlier, _)) = earlier {
        let why = if earlier.when.is_always() {
            format!("{} has no conditions, so it always comes first", earlier.label)
        } else {
            format!("{} fits whenever this one does", earlier.label)
        };
        problems.add("", &format!("it is never reached: {why}; move it up or take it out"));
    }
}

fn check_gap(tree: &Tree, always: bool, read: &[(Row, bool)], problems: &mut Problems) {
    let otherwise = tree.get("otherwise").is_some();
    if read.is_empty() && problems.count() == 0 {
        problems.add("row", "the table has no rows: add a `[[settings.row]]`");
    } else if always && otherwise {
        let message = "it is never used, because a row without conditions always fits: take one of them out";
        problems.add("otherwise", message);
    } else if !always && !otherwise && !read.is_empty() {
        let message = "it is missing: say what is answered where no row fits, such as `otherwise = \"pass\"`, or add a last row without `when`";
        problems.add("otherwise", message);
    }
}
