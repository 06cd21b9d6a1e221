//! The two ways to write rows: a table each, or columns and rows as in a spreadsheet. Both come out as tables.

use crate::nearest::listed;
use crate::problems::Problems;
use crate::tree::Tree;

/// A cell that asks nothing.
const ANY: &str = "*";

/// The rows as tables.
pub fn rows(tree: &Tree, problems: &mut Problems) -> Vec<Tree> {
    let written = match tree.get("row") {
        None => Vec::new(),
        Some(Tree::List(rows)) => rows.clone(),
        Some(_) => {
            problems.add("row", "write `[[settings.row]]` with two brackets, so that there can be several");
            Vec::new()
        }
    };
    let (columns, cells) = match (tree.get("columns"), tree.get("rows")) {
        (None, None) => return written,
        (Some(columns), Some(Tree::List(cells))) => (columns.texts(), cells),
        _ => {
            problems.add("columns", "`columns` and `rows` need each other, and both are lists");
            return written;
        }
    };
    if !written.is_empty() {
        problems.add("rows", "write the rows either as `[[settings.row]]` or below `columns`, not both");
        return written;
    }
    let Some(columns) = columns.filter(|columns| !columns.is_empty()) else {
        problems.add("columns", "it needs a list of names, such as [\"so-far.category\", \"then.team\", \"reason\"]");
        return written;
    };
    if columns.iter().enumerate().any(|(index, column)| columns.iter().take(index).any(|before| before == column)) {
        problems.add("columns", "the same column stands there twice");
    }
    if !columns.iter().any(|column| *column == "then" || column.starts_with("then.")) {
        problems.add(
            "columns",
            &format!("none of {} is an answer: name one `then.` and the part", listed(columns.iter().copied())),
        );
        return Vec::new();
    }
    let mut made = Vec::new();
    for (index, row) in cells.iter().enumerate() {
        match row {
            Tree::List(row) if row.len() == columns.len() => made.push(from_cells(&columns, row)),
            Tree::List(row) => {
                let message = format!("it has {} cells, and there are {} columns", row.len(), columns.len());
                wrong_row(index, &message, problems);
            }
            other => wrong_row(index, &format!("it needs a list of cells, and this is {}", other.kind()), problems),
        }
    }
    made
}

fn wrong_row(index: usize, message: &str, problems: &mut Problems) {
    problems.enter(&format!("row {}", index + 1));
    problems.add("", message);
    problems.enter("");
}

fn from_cells(columns: &[&str], cells: &[Tree]) -> Tree {
    let (mut row, mut when, mut then) = (Vec::new(), Vec::new(), Vec::new());
    for (column, cell) in columns.iter().zip(cells) {
        if cell.text().is_some_and(|text| text == ANY) {
            continue;
        }
        let cell = cell.clone();
        match column.strip_prefix("then.") {
            Some(part) => then.push((part.to_owned(), cell)),
            None if matches!(*column, "name" | "reason" | "then") => row.push(((*column).to_owned(), cell)),
            None => when.push((column.strip_prefix("when.").unwrap_or(column).to_owned(), cell)),
        }
    }
    if !when.is_empty() {
        row.push(("when".to_owned(), Tree::Table(when)));
    }
    if !then.is_empty() {
        row.push(("then".to_owned(), Tree::Table(then)));
    }
    Tree::Table(row)
}
