//! A decision table as a grid: the rows of a manifest's `[settings]`, a column for each thing that any row says, and back.
//!
//! A cell is a value of TOML. A plain text stands without its quotes, unless it would be taken for something else: `infinity` and
//! `nan` are words, and `0049` is a code.

use toml::{Table, Value};

/// The key of a manifest that says which part a version takes by itself.
const MODE: &str = "mode";

/// A column: the keys that lead to its value in a row, with dots between them.
pub type Column = String;

/// A decision table as a grid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<String>>,
}

/// Why a grid is no decision table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotATable {
    #[error("row {row}, `{column}`: {source}")]
    Cell { row: usize, column: Column, source: NotAValue },
    #[error("the manifest cannot be read: {0}")]
    Manifest(#[from] toml::de::Error),
    #[error("the manifest cannot be written: {0}")]
    Unwritable(#[from] toml::ser::Error),
}

/// Why a cell is no value of TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAValue {
    #[error("{}", .0.message())]
    Toml(toml::de::Error),
    #[error("it is no value")]
    Empty,
    #[error("`{key}` is a value already")]
    Taken { key: String },
}

/// The first columns, where there are any of them; then conditions, then answers.
fn rank(column: &str) -> (usize, &str) {
    let place = match column.split('.').next() {
        _ if column == "name" => 0,
        Some("when") => 1,
        Some("then") => 2,
        _ if column == "reason" => 4,
        _ => 3,
    };
    (place, column)
}

/// Whether a manifest's settings have rows.
pub fn has_rows(manifest: &str) -> bool {
    manifest.contains("[[settings.row]]")
}

fn flatten(prefix: &str, value: &Value, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (key, value) in table {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, value, into);
            }
        }
        other => into.push((prefix.to_owned(), other.clone())),
    }
}

/// A value as a cell.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if read(text).is_ok_and(|read| read == *value) => text.clone(),
        Value::Float(number) if number.is_nan() => "+nan".to_owned(),
        Value::Float(number) if number.is_infinite() && number.is_sign_positive() => "+inf".to_owned(),
        other => other.to_string(),
    }
}

/// Whether a cell is meant as a number. Those that are not finite have a sign, since without it they are words; digits behind a zero
/// are a code, which no number of TOML is.
fn is_number(cell: &str) -> bool {
    let plain = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    if matches!(plain, "inf" | "nan") {
        return plain.len() < cell.len();
    }
    let is_code = plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|byte| byte.is_ascii_digit());
    let has_digit = plain.contains(|c: char| c.is_ascii_digit());
    has_digit && !is_code && cell.parse::<f64>().is_ok()
}

/// A cell as a value.
fn read(cell: &str) -> Result<Value, NotAValue> {
    let cell = cell.trim();
    let looks = cell.starts_with(['[', '{', '"', '\'']) || matches!(cell, "true" | "false") || is_number(cell);
    if !looks {
        return Ok(Value::String(cell.to_owned()));
    }
    let mut table: Table = toml::from_str(&format!("v = {cell}")).map_err(NotAValue::Toml)?;
    table.remove("v").ok_or(NotAValue::Empty)
}

/// Sets a value in a row, along its keys.
fn set(row: &mut Table, path: &str, value: Value) -> Result<(), NotAValue> {
    match path.split_once('.') {
        None => {
            row.insert(path.to_owned(), value);
            Ok(())
        }
        Some((first, rest)) => {
            let below = row.entry(first.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            match below {
                Value::Table(below) => set(below, rest, value),
                _ => Err(NotAValue::Taken { key: first.to_owned() }),
            }
        }
    }
}

impl Grid {
    /// The grid of a manifest.
    ///
    /// # Errors
    ///
    /// [`NotATable::Manifest`].
    pub fn of(manifest: &str) -> Result<Grid, NotATable> {
        let manifest: Table = toml::from_str(manifest)?;
        let rows = manifest.get("settings").and_then(|settings| settings.get("row")).and_then(Value::as_array);
        let rows: Vec<Vec<(String, Value)>> = rows
            .into_iter()
            .flatten()
            .map(|row| {
                let mut cells = Vec::new();
                flatten("", row, &mut cells);
                cells
            })
            .collect();
        let mut columns: Vec<Column> = rows.iter().flatten().map(|(column, _)| column.clone()).collect();
        columns.sort_by(|one, other| rank(one).cmp(&rank(other)));
        columns.dedup();
        let cell = |row: &Vec<(String, Value)>, column: &Column| {
            row.iter().find(|(known, _)| known == column).map(|(_, value)| shown(value)).unwrap_or_default()
        };
        let rows = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect();
        Ok(Grid { columns, rows })
    }

    /// A manifest with these rows and this version, all else as it was, but for a part that it would take by itself.
    ///
    /// # Errors
    ///
    /// A cell that is no value, or a manifest that cannot be read.
    pub fn into_manifest(self, manifest: &str, version: &str) -> Result<String, NotATable> {
        let mut manifest: Table = toml::from_str(manifest)?;
        let mut rows = Vec::new();
        for (number, cells) in self.rows.iter().enumerate() {
            let mut row = Table::new();
            for (column, cell) in self.columns.iter().zip(cells).filter(|(_, cell)| !cell.trim().is_empty()) {
                let wrong = |source| NotATable::Cell { row: number + 1, column: column.clone(), source };
                let value = read(cell).map_err(wrong)?;
                set(&mut row, column, value).map_err(wrong)?;
            }
            if !row.is_empty() {
                rows.push(Value::Table(row));
            }
        }
        if let Some(Value::Table(settings)) = manifest.get_mut("settings") {
            settings.insert("row".to_owned(), Value::Array(rows));
        }
        if !version.trim().is_empty() {
            manifest.insert("version".to_owned(), Value::String(version.trim().to_owned()));
        }
        manifest.remove(MODE);
        Ok(toml::to_string(&manifest)?)
    }
}

/// A manifest as it is kept as a new version: without effect until a person lets it have one.
///
/// # Errors
///
/// [`NotATable::Manifest`].
pub fn in_shadow(manifest: &str) -> Result<String, NotATable> {
    let mut manifest: Table = toml::from_str(manifest)?;
    manifest.insert(MODE.to_owned(), Value::String("shadow".to_owned()));
    Ok(toml::to_string(&manifest)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
name = "decision-table"
version = "1.0.0"

[settings]
stage = "routing"

[[settings.row]]
name = "compliance"
when.so-far.tags = "compliance"
then.team = "security"

[[settings.row]]
name = "many"
when.ticket.fields.people-affected = { at-least = 10 }
when.ticket.text.mentions = ["vpn", "gateway"]
then = { team = "network", skills = ["vpn"] }
reason = "10"
"#;

    #[test]
    fn a_decision_table_becomes_a_grid_and_the_same_table_again() {
        let grid = Grid::of(MANIFEST).unwrap();
        assert_eq!(
            grid.columns,
            [
                "name",
                "when.so-far.tags",
                "when.ticket.fields.people-affected.at-least",
                "when.ticket.text.mentions",
                "then.skills",
                "then.team",
                "reason"
            ]
        );
        assert_eq!(grid.rows[1], ["many", "", "10", "[\"vpn\", \"gateway\"]", "[\"vpn\"]", "network", "\"10\""]);
        let written = grid.clone().into_manifest(MANIFEST, "1.1.0").unwrap();
        assert_eq!(Grid::of(&written).unwrap(), grid);
        let (before, mut after): (Table, Table) =
            (toml::from_str(MANIFEST).unwrap(), toml::from_str(&written).unwrap());
        assert_eq!(after.insert("version".to_owned(), "1.0.0".into()), Some("1.1.0".into()));
        assert_eq!(before, after, "and nothing else of it changes");
        let kept = in_shadow(&written).unwrap();
        assert!(kept.contains("mode = \"shadow\""), "{kept}");
        let tried: Table = toml::from_str(&grid.into_manifest(&kept, "1.0.0").unwrap()).unwrap();
        assert_eq!(tried, before, "it is tried as if it counted");
    }

    #[test]
    fn words_and_codes_that_look_like_numbers_need_no_quotes() {
        for word in ["infinity", "Infinity", "inf", "INF", "nan", "NaN", "0049", "-007", "1e", "e5", "+", "10:30"] {
            assert_eq!(read(word), Ok(Value::String(word.to_owned())), "{word}");
            assert_eq!(shown(&Value::String(word.to_owned())), word);
        }
        for (cell, number) in [("10", Value::Integer(10)), ("-3", Value::Integer(-3)), ("1.5", Value::Float(1.5))] {
            assert_eq!(read(cell), Ok(number.clone()));
            assert_eq!(shown(&number), cell);
            assert_eq!(shown(&Value::String(cell.to_owned())), format!("\"{cell}\""), "as a text it has quotes");
        }
        for (cell, number) in [("+inf", f64::INFINITY), ("-inf", f64::NEG_INFINITY)] {
            assert_eq!(read(cell), Ok(Value::Float(number)));
            assert_eq!(shown(&Value::Float(number)), cell);
            assert_eq!(shown(&Value::String(cell.to_owned())), format!("\"{cell}\""));
        }
        assert_eq!(shown(&Value::Float(f64::NAN)), "+nan");
        assert!(read(".5").is_err(), "a number that is not written as one is said to be wrong");
    }

    #[test]
    fn a_cell_that_is_no_value_says_where_it_stands() {
        let mut grid = Grid::of(MANIFEST).unwrap();
        grid.rows[1][3] = "[\"vpn\"".to_owned();
        let error = grid.into_manifest(MANIFEST, "").unwrap_err().to_string();
        assert!(error.starts_with("row 2, `when.ticket.text.mentions`:"), "{error}");
    }
}
