//! An example of a manifest: a sparse input, the rows that it finds in tables, and a sparse answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::rules::contract::Attribute;
use crate::rules::run::examples::{at_instant, fill_in_json};
use crate::rules::run::manifest::Manifest;
use crate::rules::run::stage::{Input, Stage};
use crate::rules::tables::{Table, Tables};

/// The answers that a rule must give before it goes live.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Example {
    pub name: String,
    pub stage: Stage,
    /// The instant that it is asked at, with the offset of the desk's time zone; a Monday at noon where it names none.
    #[serde(default)]
    pub at: Option<toml::Value>,
    /// A sparse input: what it leaves out is filled in.
    #[serde(default)]
    pub input: toml::Table,
    /// The rows that it finds in reference tables, by table and key. Where it has some, it finds no others, so that what the desk's
    /// tables hold has no say in whether it passes.
    #[serde(default)]
    pub tables: Option<OwnTables>,
    /// A sparse answer: what it leaves out is not compared.
    pub expect: toml::Table,
}

/// Rows by table and key, each with its cells by column.
pub type OwnTables = BTreeMap<String, BTreeMap<String, BTreeMap<String, toml::Value>>>;

impl Example {
    /// Its input as it is written, with the clock of its instant.
    ///
    /// # Errors
    ///
    /// Where `at` is no instant.
    pub fn sparse(&self) -> Result<serde_json::Value, String> {
        let sparse = serde_json::to_value(&self.input).map_err(|e| e.to_string())?;
        match &self.at {
            None => Ok(sparse),
            Some(toml::Value::String(at)) => at_instant(sparse, at),
            Some(at) => at_instant(sparse, &at.to_string()),
        }
    }

    /// Its whole input.
    ///
    /// # Errors
    ///
    /// Names what the contract has no place for.
    pub fn whole(&self) -> Result<Input, String> {
        fill_in_json(self.stage, self.sparse()?)
    }

    /// The tables that it is asked with: its own, or else the desk's.
    pub fn asked_with(&self, manifest: &Manifest, of_desk: &Arc<Tables>) -> Arc<Tables> {
        let Some(own) = &self.tables else { return Arc::clone(of_desk) };
        let cell = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let columns = |row: &BTreeMap<String, toml::Value>| {
            row.iter().map(|(name, value)| Attribute { name: name.clone(), value: cell(value) }).collect()
        };
        let rows = |name: &String| own.get(name).into_iter().flatten().map(|(key, row)| (key.clone(), columns(row)));
        Arc::new(manifest.tables.iter().map(|name| (name.clone(), rows(name).collect::<Table>())).collect())
    }

    /// How many values its input, its rows and its answer have.
    pub fn values(&self) -> usize {
        let tables = self.tables.iter().flat_map(BTreeMap::values).flat_map(BTreeMap::values);
        let cells = tables.map(BTreeMap::len).sum::<usize>();
        let of = |table: &toml::Table| table.values().map(values).sum::<usize>();
        of(&self.input) + of(&self.expect) + cells + 1
    }
}

fn values(value: &toml::Value) -> usize {
    1 + match value {
        toml::Value::Array(items) => items.iter().map(values).sum(),
        toml::Value::Table(table) => table.values().map(values).sum::<usize>(),
        _ => 0,
    }
}
