//! # decision-table
//!
//! A rule without code: it answers any one stage but `closing` by the table in its settings. The admin's guide, with every
//! operator and every message, is the `README.md` next to it.
//!
//! | setting | meaning |
//! |---|---|
//! | `stage` | the stage that the table answers |
//! | `hit` | which of the rows that fit count: `first` (the default), `collect`, `highest` |
//! | `row` | the rows: `when`, `then`, `reason`, `name` |
//! | `columns`, `rows` | the same as a spreadsheet |
//! | `otherwise`, `otherwise-reason` | what is answered where no row fits |
//! | `levels` | priority: the levels, the most urgent first |
//! | `stand-in` | access: who approves where there is no manager or owner |
//!
//! The settings arrive as a [`tree`]; [`load`] makes a [`table`] of it, once; a decision reads the input by
//! [`field`]s, evaluates [`condition`]s and fills the [`answer`] of the rows that count.

mod answer;
mod compare;
mod condition;
mod field;
mod implies;
mod load;
mod moments;
mod nearest;
mod operators;
mod problems;
mod schema;
mod shape;
mod stage;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod tree;
mod values;
mod when;

use ruledesk_sdk::{access, categorization, export, intake, priority, routing};
use serde::Deserialize;

use stage::{Facts, Record, Stage};
use table::Table;
use tree::Tree;

#[derive(Deserialize)]
#[serde(transparent)]
struct DecisionTable {
    written: Tree,
    #[serde(skip)]
    table: Option<Table>,
}

impl DecisionTable {
    /// Reads the table. Each stage asks for it, so only the first has work.
    fn load(&mut self) -> Result<(), Vec<String>> {
        if self.table.is_none() {
            self.table = Some(load::load(&self.written)?);
        }
        Ok(())
    }

    fn table(&self) -> Result<&Table, String> {
        self.table.as_ref().ok_or_else(|| "the table was asked before it was read".to_owned())
    }
}

impl intake::Rule for DecisionTable {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        self.load()
    }

    fn decide(&self, input: &intake::Input) -> Result<intake::Answer, String> {
        let facts = Facts {
            now: &input.now,
            ticket: &input.ticket,
            requester: &input.requester,
            so_far: None,
            input: Record::Intake(input),
            element: Record::None,
        };
        Ok(answer::intake::decide(&self.table()?.choose(Stage::Intake, &facts)?, &facts))
    }
}

/// The stages that see the same, and only their answers differ.
macro_rules! stage {
    ($stage:ident, $case:ident) => {
        impl $stage::Rule for DecisionTable {
            fn prepare(&mut self) -> Result<(), Vec<String>> {
                self.load()
            }

            fn decide(&self, input: &$stage::Input) -> Result<$stage::Answer, String> {
                let facts = Facts {
                    now: &input.now,
                    ticket: &input.ticket,
                    requester: &input.requester,
                    so_far: Some(&input.so_far),
                    input: Record::None,
                    element: Record::None,
                };
                Ok(answer::$stage::decide(&self.table()?.choose(Stage::$case, &facts)?, &facts))
            }
        }
    };
}

stage!(categorization, Categorization);
stage!(priority, Priority);
stage!(routing, Routing);

impl access::Rule for DecisionTable {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        self.load()
    }

    fn decide(&self, input: &access::Input) -> Result<access::Answer, String> {
        let facts = Facts {
            now: &input.now,
            ticket: &input.ticket,
            requester: &input.requester,
            so_far: Some(&input.so_far),
            input: Record::Access(input),
            element: Record::None,
        };
        let table = self.table()?;
        answer::access::decide(table, &table.choose(Stage::Access, &facts)?, &facts, input)
    }
}

export!(DecisionTable: intake, categorization, priority, routing, access);
