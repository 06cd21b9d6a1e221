//! `tables/*.csv`: reference tables that rules may look things up in. The first column is the key.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::files::Files;
use super::problem::Problem;
use super::wrong::Wrong;

/// A reference table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns; the first is the key's.
    pub columns: Vec<String>,
    /// The rows by key; each has one cell a column, the key included.
    pub rows: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// The row with that key, each cell with its column's name.
    pub fn row(&self, key: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
        let cells = self.rows.get(key)?;
        Some(self.columns.iter().map(String::as_str).zip(cells.iter().map(String::as_str)))
    }
}

/// Reads every reference table.
pub fn read(files: &Files, problems: &RefCell<Vec<Problem>>) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for (file, name, text) in files.tables() {
        let mut note = |line, column, wrong| {
            let problem = Problem { file: file.to_owned(), line, column, key: String::new(), wrong };
            problems.borrow_mut().push(problem);
        };
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(plain) {
            note(0, 0, Wrong::NotATableName { text: name.to_owned() });
        }
        tables.insert(name.to_owned(), parse(text, &mut note));
    }
    tables
}

fn parse(text: &str, note: &mut impl FnMut(usize, usize, Wrong)) -> Table {
    // The reader counts lines at `\n` only, and the last row then ends like any other.
    let text = text.replace("\r\n", "\n") + "\n";
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut table = Table::default();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                note(0, 0, Wrong::Syntax { message: error.to_string() });
                break;
            }
        }
        let line = first_line(&reader, &record);
        let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        if table.columns.is_empty() {
            check_columns(&cells, line, note);
            table.columns = cells;
        } else if let Some(wrong) = row_problem(&cells, &table, &lines) {
            note(line, 0, wrong);
        } else if let Some(key) = cells.first() {
            lines.insert(key.clone(), line);
            table.rows.insert(key.clone(), cells);
        }
    }
    if table.columns.is_empty() {
        note(0, 0, Wrong::NoColumns);
    }
    table
}

/// The line on which the record starts that was read last.
fn first_line<R: std::io::Read>(reader: &csv::Reader<R>, record: &csv::StringRecord) -> usize {
    // The record's own position is taken before the empty lines above it are skipped, so count back from its end.
    let within = record.iter().flat_map(str::bytes).filter(|byte| *byte == b'\n').count() as u64;
    let counted = reader.position().line().saturating_sub(within + 1);
    // A quote that is never closed has no end to count from.
    let line = record.position().map_or(counted, |start| start.line().max(counted));
    usize::try_from(line).unwrap_or(usize::MAX)
}

fn check_columns(columns: &[String], line: usize, note: &mut impl FnMut(usize, usize, Wrong)) {
    for (index, name) in columns.iter().enumerate() {
        if name.is_empty() {
            note(line, 0, Wrong::UnnamedColumn { column: index + 1 });
        } else if columns.iter().take(index).any(|earlier| earlier == name) {
            note(line, 0, Wrong::Repeated { text: name.clone(), line });
        }
    }
}

fn row_problem(cells: &[String], table: &Table, lines: &BTreeMap<String, usize>) -> Option<Wrong> {
    if cells.len() != table.columns.len() {
        return Some(Wrong::Ragged { found: cells.len(), wanted: table.columns.len() });
    }
    let key = cells.first()?;
    if key.is_empty() {
        return Some(Wrong::Blank);
    }
    lines.get(key).map(|line| Wrong::Repeated { text: key.clone(), line: *line })
}
