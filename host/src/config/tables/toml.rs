//! Reference tables in TOML: `columns = ["system", "cost:number"]`, and a `[[row]]` for each row.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Note, Table};
use crate::config::read::place;
use crate::config::wrong::Wrong;
use crate::desk::organisation::form::INTEGER_MAX;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    columns: Spanned<Vec<String>>,
    #[serde(default, rename = "row")]
    rows: Vec<Spanned<BTreeMap<String, Value>>>,
}

pub fn parse(text: &str, note: Note<'_>) -> Table {
    let mut table = Table::default();
    let written: Written = match toml::from_str(text) {
        Ok(written) => written,
        Err(error) => {
            let line = place(text, error.span().map_or(0, |span| span.start)).0;
            note(line, "", Wrong::Syntax { message: error.message().to_owned() });
            return table;
        }
    };
    let line = place(text, written.columns.span().start).0;
    table.take_columns(written.columns.get_ref().iter().map(String::as_str), line, note);
    if table.columns.is_empty() {
        note(line, "", Wrong::NoColumns);
    }
    let mut lines = BTreeMap::new();
    // Lines are counted from row to row: from the beginning for each, they would take the square of the text's length.
    let (mut line, mut counted) = (1, 0);
    for row in written.rows {
        let start = row.span().start;
        line += text.get(counted..start).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count();
        counted = counted.max(start);
        let row = row.into_inner();
        if let Some(unknown) = row.keys().find(|key| !table.columns.iter().any(|column| column.name == **key)) {
            note(line, unknown, Wrong::NoSuchColumn);
            continue;
        }
        // What is left out is empty.
        let cells: Result<Vec<String>, Wrong> =
            table.columns.iter().map(|column| row.get(&column.name).map_or(Ok(String::new()), cell)).collect();
        match cells {
            Ok(cells) => {
                let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
                table.take_row(&cells, line, &mut lines, note);
            }
            Err(wrong) => note(line, "", wrong),
        }
    }
    table
}

/// A value as the text that a CSV file would have.
fn cell(value: &Value) -> Result<String, Wrong> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        // A float beyond that may be another number than the one that was written.
        Value::Float(number) if number.abs() > INTEGER_MAX as f64 => Err(Wrong::NotExact { text: number.to_string() }),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(flag) => Ok(flag.to_string()),
        Value::Datetime(date) => Ok(date.to_string()),
        Value::Array(_) => Err(Wrong::WrongType { wanted: "a text, a number, a flag or a day", found: "a list" }),
        Value::Table(_) => Err(Wrong::WrongType { wanted: "a text, a number, a flag or a day", found: "a table" }),
    }
}
