//! Reference tables that rules may look things up in, from CSV or TOML. The first column is the key.
//!
//! A column may have a type, written behind its name: `cost:number`. Whatever the type, a rule sees texts; a type fixes
//! what is allowed and how it is written, so that equal values are equal texts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::files::Files;
use super::problem::Problem;
use super::wrong::Wrong;
use crate::desk::text::{is_blank, normal};
use crate::rows::{self, Written};

mod cell;
mod toml;

pub use cell::Kind;

/// The most rows of a table: every employee of a large company, held in memory several times while it changes.
pub const ROWS_MAX: usize = 200_000;
/// The most columns: a look-up hands over all of them.
pub const COLUMNS_MAX: usize = 64;
/// The longest cell, in bytes: a look-up is no way to hand over documents.
pub const CELL_BYTES_MAX: usize = 4096;
/// The most bytes of the columns' names, each counted with every row: rules are given each row with them, so that they are in memory as
/// often.
const NAMES_BYTES_MAX: usize = 512 << 20;

/// A column of a reference table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

impl Column {
    /// A column from its heading: `name` or `name:type`.
    fn parse(heading: &str) -> Result<Column, Wrong> {
        // It comes again with each row that is shown.
        if heading.len() > CELL_BYTES_MAX {
            return Err(Wrong::CellTooLong { bytes_max: CELL_BYTES_MAX });
        }
        // PostgreSQL has no zero character in a text.
        if heading.contains('\0') {
            return Err(Wrong::ZeroCharacter);
        }
        let (name, kind) = match heading.split_once(':') {
            Some((name, kind)) => (name.trim(), Kind::parse(kind.trim())?),
            None => (heading.trim(), Kind::Text),
        };
        Ok(Column { name: name.to_owned(), kind })
    }

    fn heading(&self) -> String {
        match self.kind {
            Kind::Text => self.name.clone(),
            kind => format!("{}:{}", self.name, kind.code()),
        }
    }
}

/// A reference table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The first is the key's.
    pub columns: Vec<Column>,
    /// The rows by key; each has one cell a column, the key included, in the canonical text of the column's type.
    pub rows: BTreeMap<String, Vec<String>>,
}

/// Where something is wrong within a text: the line, the column's name or nothing, and what.
type Note<'a> = &'a mut dyn FnMut(usize, &str, Wrong);

impl Table {
    /// The row with that key, each cell with its column's name.
    pub fn row(&self, key: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
        self.rows.get(key).map(|cells| self.named(cells))
    }

    /// A row's cells with their columns' names.
    pub fn named<'a>(&'a self, cells: &'a [String]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.columns.iter().map(|column| column.name.as_str()).zip(cells.iter().map(String::as_str))
    }

    /// Reads a table from CSV; the first line names the columns.
    ///
    /// # Errors
    ///
    /// Everything that is wrong; `file` is named in it.
    pub fn from_csv(file: &str, text: &str) -> Result<Table, Vec<Problem>> {
        gathered(file, |note| parse(&normal(text), note))
    }

    /// Reads a table from TOML: `columns`, a list of headings, and a `[[row]]` for each row.
    ///
    /// # Errors
    ///
    /// Everything that is wrong; `file` is named in it.
    pub fn from_toml(file: &str, text: &str) -> Result<Table, Vec<Problem>> {
        gathered(file, |note| toml::parse(&normal(text), note))
    }

    /// The table as CSV in one form only, the rows by key: equal tables are equal texts.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail, and rows are as long as the first line.
        let _ = writer.write_record(self.columns.iter().map(Column::heading));
        for row in self.rows.values() {
            let _ = writer.write_record(row);
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
    }

    /// Takes the headings; what is wrong with one is noted.
    fn take_columns<'a>(&mut self, headings: impl Iterator<Item = &'a str>, line: usize, note: Note<'_>) {
        let mut headings = headings.enumerate();
        // Of more than there may be, each would be compared with all before it.
        for (index, heading) in headings.by_ref().take(COLUMNS_MAX) {
            let column = Column::parse(heading).unwrap_or_else(|wrong| {
                note(line, heading, wrong);
                Column { name: heading.to_owned(), kind: Kind::Text }
            });
            if column.name.is_empty() {
                note(line, "", Wrong::UnnamedColumn { column: index + 1 });
            } else if self.columns.iter().any(|earlier| earlier.name == column.name) {
                note(line, "", Wrong::Repeated { text: column.name.clone(), line });
            }
            self.columns.push(column);
        }
        let more = headings.count();
        if more > 0 {
            note(line, "", Wrong::TooMany { found: self.columns.len() + more, max: COLUMNS_MAX });
        }
    }

    /// Takes a row of as many cells as there are columns; what is wrong with it is noted. `lines` has where each key was.
    fn take_row(&mut self, cells: &[&str], line: usize, lines: &mut BTreeMap<String, usize>, note: Note<'_>) {
        let mut row = Vec::with_capacity(cells.len());
        for (column, cell) in self.columns.iter().zip(cells) {
            match column.kind.canonical(cell.trim()) {
                Ok(cell) => row.push(cell),
                Err(wrong) => note(line, &column.name, wrong),
            }
        }
        if row.len() != self.columns.len() {
            return;
        }
        let Some(key) = row.first().cloned() else { return };
        if is_blank(&key) {
            note(line, "", Wrong::Blank);
        } else if let Some(earlier) = lines.get(&key) {
            note(line, "", Wrong::Repeated { text: key, line: *earlier });
        } else if lines.len() == ROWS_MAX {
            note(line, "", Wrong::TooMany { found: ROWS_MAX + 1, max: ROWS_MAX });
        } else if self.columns.iter().map(|column| column.name.len()).sum::<usize>() * lines.len() > NAMES_BYTES_MAX {
            note(line, "", Wrong::NamesTooLong { mib_max: NAMES_BYTES_MAX >> 20 });
        } else {
            lines.insert(key.clone(), line);
            self.rows.insert(key, row);
        }
    }
}

/// The most problems that are told of one table: a thousand alike help nobody.
const PROBLEMS_MAX: usize = 50;

fn gathered(file: &str, parse: impl FnOnce(Note<'_>) -> Table) -> Result<Table, Vec<Problem>> {
    let mut problems = Vec::new();
    let table = parse(&mut |line, key, wrong| {
        if problems.len() < PROBLEMS_MAX {
            problems.push(Problem { file: file.to_owned(), line, column: 0, key: key.to_owned(), wrong });
        }
    });
    if problems.is_empty() { Ok(table) } else { Err(problems) }
}

/// Whether a text can name a table: `desk.` names are the desk's own.
pub fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
}

/// Reads every reference table.
pub fn read(files: &Files, problems: &RefCell<Vec<Problem>>) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for (file, name, text) in files.tables() {
        let whole = |wrong| Problem { file: file.to_owned(), line: 0, column: 0, key: String::new(), wrong };
        if !is_name(name) {
            problems.borrow_mut().push(whole(Wrong::NotATableName { text: name.to_owned() }));
        }
        let table = if file.ends_with(".toml") { Table::from_toml(file, text) } else { Table::from_csv(file, text) };
        let table = table.unwrap_or_else(|found| {
            problems.borrow_mut().extend(found);
            Table::default()
        });
        if tables.insert(name.to_owned(), table).is_some() {
            problems.borrow_mut().push(whole(Wrong::TwoTables { text: name.to_owned() }));
        }
    }
    tables
}

fn parse(text: &str, note: Note<'_>) -> Table {
    let mut table = Table::default();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut records = match rows::open(text.as_bytes(), Written::default(), &[]) {
        Ok(records) => records,
        Err(error) => {
            note(0, "", Wrong::Syntax { message: error.to_string() });
            return table;
        }
    };
    let mut wanted = 0;
    loop {
        let record = match records.next_record() {
            Ok(Some(Ok(record))) => record,
            Ok(Some(Err((line, wrong)))) => {
                note(number(line), "", Wrong::Syntax { message: wrong.to_string() });
                continue;
            }
            Ok(None) => break,
            Err(error) => {
                note(0, "", Wrong::Syntax { message: error.to_string() });
                break;
            }
        };
        let line = number(record.line);
        // The text is UTF-8 throughout, and a record is cut at ASCII characters only.
        let cells: Vec<&str> = record.cells.iter().map(|cell| std::str::from_utf8(cell).unwrap_or_default()).collect();
        if table.columns.is_empty() {
            wanted = cells.len();
            table.take_columns(cells.iter().copied(), line, note);
        } else if cells.len() == wanted {
            table.take_row(&cells, line, &mut lines, note);
        } else {
            note(line, "", Wrong::Ragged { found: cells.len(), wanted });
            if record.lines > 1 {
                // The rows below are read by themselves: a forgotten quote may have taken them in.
                records.back_to_second_line();
            }
        }
    }
    if table.columns.is_empty() {
        note(0, "", Wrong::NoColumns);
    }
    table
}

/// A line's number as problems have it.
fn number(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}
