//! Test cases of a rule: one JSON file with one case or a list of them.
//!
//! ```json
//! {
//!   "name": "a jammed printer is urgent",
//!   "stage": "priority",
//!   "settings": { "words": ["printer"], "level": "high" },
//!   "tables": { "vips": { "amara": { "since": "2020" } } },
//!   "input": { "ticket": { "subject": "The printer is jammed" } },
//!   "expect": { "decision": "rate", "level": "high" }
//! }
//! ```
//!
//! `settings` stands for the manifest's, `tables` for whole reference tables, `at` is when; all may be left out. `input` and
//! `expect` are sparse as in a manifest's examples, or whole as in a decision's record. `{ "fault": "rule-error" }`
//! expects the rule to fail.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::rules::contract::Attribute;
use crate::rules::run::examples::{at_instant, fill_in_json};
use crate::rules::run::manifest::Example;
use crate::rules::run::stage::{Input, Stage};
use crate::rules::tables::{Table, Tables};

/// One case.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub stage: Stage,
    /// Stand for the manifest's.
    #[serde(default)]
    pub settings: Option<serde_json::Map<String, Value>>,
    /// By table and key; a row is written as columns by name, or as the contract's list of attributes, or is absent.
    #[serde(default)]
    pub tables: BTreeMap<String, BTreeMap<String, Option<Row>>>,
    /// The instant that it is asked at (RFC 3339), with the offset of the desk's time zone, as an example's.
    #[serde(default)]
    pub at: Option<String>,
    #[serde(default)]
    pub input: Value,
    #[serde(default)]
    pub expect: Value,
}

/// A row of a reference table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Row {
    InOrder(Vec<Attribute>),
    ByName(BTreeMap<String, String>),
}

/// Why cases cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("{file} cannot be read: {source}", file = file.display())]
    File { file: PathBuf, source: io::Error },
    #[error("{file}: {path}{message}", file = file.display())]
    Shape { file: PathBuf, path: String, message: String },
}

/// The cases in a folder's JSON files, by file, in the order of their names; none where there is no such folder.
///
/// # Errors
///
/// The first file that cannot be read as cases.
pub fn in_folder(folder: &Path) -> Result<Vec<(PathBuf, Vec<Case>)>, CaseError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(CaseError::File { file: folder.to_owned(), source }),
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files.into_iter().map(|file| Ok((file.clone(), read(&file)?))).collect()
}

/// The cases of one file.
///
/// # Errors
///
/// Where it is not JSON, or names what a case does not have.
pub fn read(file: &Path) -> Result<Vec<Case>, CaseError> {
    let text = fs::read_to_string(file).map_err(|source| CaseError::File { file: file.to_owned(), source })?;
    parse(file, &text)
}

/// The cases of a text; `file` is named in errors.
///
/// # Errors
///
/// As [`read`].
pub fn parse(file: &Path, text: &str) -> Result<Vec<Case>, CaseError> {
    if text.trim_start().starts_with('[') { typed(file, text) } else { typed(file, text).map(|case: Case| vec![case]) }
}

/// JSON as a value of some type, or the place where it is none.
///
/// # Errors
///
/// Names the file, the place in it, and what was expected there.
pub fn typed<'a, T: Deserialize<'a>>(file: &Path, text: &'a str) -> Result<T, CaseError> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|error| {
        let at = error.path().to_string();
        let path = if at == "." { String::new() } else { format!("`{at}`: ") };
        CaseError::Shape { file: file.to_owned(), path, message: error.inner().to_string() }
    })
}

impl Case {
    /// An input alone, of which nothing is expected.
    pub fn of_input(name: &str, stage: Stage, input: Value) -> Self {
        let (settings, tables, at, expect) = (None, BTreeMap::new(), None, Value::Null);
        Self { name: name.to_owned(), stage, settings, tables, at, input, expect }
    }

    /// An example of a manifest, but for the rows of tables that it brings: [`Example::asked_with`] has those.
    pub fn of(example: &Example) -> Self {
        let input = serde_json::to_value(&example.input).unwrap_or_default();
        Self {
            at: example.at.as_ref().map(|at| at.as_str().map_or_else(|| at.to_string(), str::to_owned)),
            expect: serde_json::to_value(&example.expect).unwrap_or_default(),
            ..Self::of_input(&example.name, example.stage, input)
        }
    }

    /// Its whole input, at its instant.
    ///
    /// # Errors
    ///
    /// Names what the contract has no place for; where `at` is no instant.
    pub fn asked(&self) -> Result<Input, String> {
        let input = if self.input.is_null() { Value::Object(serde_json::Map::new()) } else { self.input.clone() };
        match &self.at {
            None => fill_in_json(self.stage, input),
            Some(at) => fill_in_json(self.stage, at_instant(input, at)?),
        }
    }

    /// The settings that the case asks under, as JSON, if it has its own.
    pub fn settings_text(&self) -> Option<String> {
        self.settings.as_ref().map(|settings| Value::Object(settings.clone()).to_string())
    }

    /// The tables with the case's own rows; a table that it names has no others.
    pub fn tables(&self, others: &Arc<Tables>) -> Arc<Tables> {
        if self.tables.is_empty() {
            return Arc::clone(others);
        }
        let own = self.tables.iter().map(|(name, rows)| {
            let rows = rows.iter().filter_map(|(key, row)| Some((key.clone(), row.as_ref()?.columns())));
            (name.clone(), rows.collect::<Table>())
        });
        let given = others.names().into_iter().filter_map(|name| Some((name.to_owned(), others.get(name)?.clone())));
        Arc::new(given.chain(own).collect())
    }
}

impl Row {
    fn columns(&self) -> Vec<Attribute> {
        match self {
            Row::InOrder(columns) => columns.clone(),
            Row::ByName(columns) => {
                columns.iter().map(|(name, value)| Attribute { name: name.clone(), value: value.clone() }).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_case_or_a_list() {
        let one = r#"{ "name": "a", "stage": "intake", "expect": { "decision": "accept" } }"#;
        let file = Path::new("x.json");
        assert_eq!(parse(file, one).unwrap().len(), 1);
        assert_eq!(parse(file, &format!("[{one}, {one}]")).unwrap().len(), 2);
        let error = parse(file, r#"[{ "name": "a", "stage": "lunch" }]"#).unwrap_err().to_string();
        assert!(error.starts_with("x.json: `[0].stage`: unknown variant `lunch`"), "{error}");
        let error = parse(file, r#"{ "name": "a", "stage": "intake", "expected": {} }"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `expected`"), "{error}");
    }

    #[test]
    fn a_cases_tables_are_its_own() {
        let case = r#"{ "name": "a", "stage": "intake", "tables": { "t": { "k": { "c": "1" },
            "l": [{ "name": "b", "value": "2" }, { "name": "a", "value": "3" }], "gone": null } } }"#;
        let case = parse(Path::new("x.json"), case).unwrap().remove(0);
        let tables = case.tables(&Arc::default());
        let table = tables.get("t").unwrap();
        assert_eq!(table.row("l").unwrap()[0].name, "b");
        assert_eq!(table.row("k").unwrap()[0].value, "1");
        assert!(table.row("gone").is_none());
    }
}
