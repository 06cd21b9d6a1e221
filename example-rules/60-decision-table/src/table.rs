//! The table as decisions use it: rows, and which of them count. It knows nothing of how they are written.

use crate::answer::Then;
use crate::condition::Condition;
use crate::stage::{Facts, Stage};
use crate::template::Template;

/// What holds for the whole table.
#[derive(Debug)]
pub struct Settings {
    pub stage: Stage,
    pub hit: Hit,
    /// Priority: the most urgent first; may be empty where the first row counts.
    pub levels: Vec<String>,
    /// Access: who approves where there is no manager or owner.
    pub stand_in: Option<String>,
}

/// Which of the rows that fit count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// The first.
    First,
    /// All, united.
    Collect,
    /// The one with the highest level, or the strictest.
    Highest,
}

#[derive(Debug)]
pub struct Table {
    pub settings: Settings,
    pub rows: Vec<Row>,
    /// What is answered where no row fits; `None` if some row always fits.
    pub otherwise: Option<Row>,
}

#[derive(Debug)]
pub struct Row {
    /// What messages call it, such as `row 3 (night shift)`.
    pub label: String,
    pub when: Condition,
    pub then: Then,
    pub reason: Template,
}

/// The rows that count for one decision, at least one.
pub struct Chosen<'a> {
    rows: Vec<&'a Row>,
    pub hit: Hit,
}

impl Table {
    /// Finds the rows that count.
    ///
    /// # Errors
    ///
    /// The table is for another stage.
    pub fn choose(&self, stage: Stage, facts: &Facts<'_>) -> Result<Chosen<'_>, String> {
        let (own, asked) = (self.settings.stage.name(), stage.name());
        if self.settings.stage != stage {
            return Err(format!(
                "this table is for {own} and was asked at {asked}: write `stages = [\"{own}\"]` into the manifest"
            ));
        }
        let mut fitting = self.rows.iter().filter(|row| row.when.holds(facts));
        let mut rows: Vec<&Row> = match self.settings.hit {
            Hit::First => fitting.next().into_iter().collect(),
            Hit::Collect | Hit::Highest => fitting.collect(),
        };
        if rows.is_empty() {
            rows.extend(&self.otherwise);
        }
        if rows.iter().any(|row| row.then != Then::Pass) {
            rows.retain(|row| row.then != Then::Pass);
        }
        Ok(Chosen { rows, hit: self.settings.hit })
    }
}

impl<'a> Chosen<'a> {
    pub fn rows(&self) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().copied()
    }

    /// The reasons of all rows, each once.
    pub fn reason(&self, facts: &Facts<'_>) -> String {
        if let [row] = self.rows.as_slice() {
            return row.reason.fill(facts);
        }
        let mut reasons: Vec<String> = Vec::new();
        for row in &self.rows {
            let reason = row.reason.fill(facts);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons.join("; ")
    }
}
