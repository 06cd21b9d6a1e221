//! Whether what a rule says in its examples, and what its table would say, names only what exists in an organisation: so that a
//! rule is refused before it is live, and not each of its answers afterwards.
//!
//! People are left out. Who works here, and where, changes from day to day, and an example has people of its own.

use std::sync::Arc;

use serde_json::Value;

use super::translate;
use crate::desk::organisation::Organisation;
use crate::desk::verdict::Unfit;
use crate::desk::verdict::check::{self, RawClassification, RawDestination, RawRating};
use crate::rules::contract::intake::Decision;
use crate::rules::run::examples::{Judge, Said};
use crate::rules::run::manifest::Manifest;
use crate::rules::run::stage::Answer;

/// The names of an organisation, as a judge of the names that rules use.
pub fn judge(organisation: Arc<Organisation>) -> Judge {
    Judge::new(move |said| match said {
        Said::Answer(answer) => of_answer(&organisation, answer).map_err(|unfit| unfit.to_string()),
        Said::Manifest(manifest) => of_table(&organisation, manifest),
    })
}

fn of_answer(organisation: &Organisation, answer: Answer) -> Result<(), Unfit> {
    match answer {
        Answer::Intake(answer) => match answer.decision {
            Decision::Accept(changes) => tags(organisation, changes.tags),
            Decision::Reject(_) => Ok(()),
        },
        Answer::Categorization(answer) => {
            check::classification(organisation, translate::classification(answer.decision)).map(drop)
        }
        Answer::Priority(answer) => match translate::rating(answer.decision) {
            Some(rating) => check::rating(organisation, rating).map(drop),
            None => Ok(()),
        },
        Answer::Routing(answer) => match translate::destination(answer.decision) {
            Some(destination) => places(organisation, destination),
            None => Ok(()),
        },
        // Tiers and groups are of the application that is asked for, which an example makes up.
        Answer::Access(_) => Ok(()),
        // It names nothing.
        Answer::Closing(_) => Ok(()),
    }
}

fn tags(organisation: &Organisation, tags: Vec<String>) -> Result<(), Unfit> {
    check::classification(organisation, RawClassification { tags, ..RawClassification::default() }).map(drop)
}

fn places(organisation: &Organisation, destination: RawDestination) -> Result<(), Unfit> {
    let destination = RawDestination { assignee: None, ..destination };
    let names_something = destination.team.is_some() || !destination.skills.is_empty();
    if names_something { check::destination(organisation, destination).map(drop) } else { Ok(()) }
}

/// The rows of a decision table, as far as the settings are one: each with what it says then.
fn of_table(organisation: &Organisation, manifest: &Manifest) -> Result<(), String> {
    let Ok(settings) = serde_json::from_str::<Value>(&manifest.settings) else { return Ok(()) };
    let stage = settings.get("stage").and_then(Value::as_str).unwrap_or_default();
    let rows = settings.get("row").and_then(Value::as_array).into_iter().flatten();
    for (number, row) in rows.enumerate() {
        let then = |key: &str| row.get("then").and_then(|then| then.get(key));
        of_row(organisation, stage, &then).map_err(|why| {
            let name = row.get("name").and_then(Value::as_str).unwrap_or("no name");
            format!("row {} ({name}): {why}", number + 1)
        })?;
    }
    let columns: Vec<&str> =
        settings.get("columns").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let rows = settings.get("rows").and_then(Value::as_array).into_iter().flatten();
    for (number, row) in rows.enumerate() {
        let then = |key: &str| {
            let at = columns.iter().position(|column| column.strip_prefix("then.") == Some(key))?;
            row.get(at)
        };
        of_row(organisation, stage, &then).map_err(|why| format!("row {}: {why}", number + 1))?;
    }
    Ok(())
}

fn of_row<'a>(organisation: &Organisation, stage: &str, then: &dyn Fn(&str) -> Option<&'a Value>) -> Result<(), Unfit> {
    // What is filled in from the question is known only then.
    let text = |key: &str| then(key).and_then(Value::as_str).filter(|text| !text.contains('{')).map(str::to_owned);
    let list = |key: &str| match then(key) {
        Some(Value::String(one)) if !one.contains('{') && !one.is_empty() => vec![one.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    match stage {
        "intake" => tags(organisation, list("tags")),
        "categorization" => {
            let raw = RawClassification { category: text("category"), tags: list("tags"), kind: text("kind") };
            check::classification(organisation, raw).map(drop)
        }
        "priority" => match text("level") {
            Some(level) => {
                let raw = RawRating { impact: text("impact"), urgency: text("urgency"), level };
                check::rating(organisation, raw).map(drop)
            }
            None => Ok(()),
        },
        "routing" => {
            let (team, skills, strategy) = (text("team"), list("skills"), text("strategy"));
            places(organisation, RawDestination { team, skills, strategy, ..RawDestination::default() })
        }
        _ => Ok(()),
    }
}
