//! `ruledesk rule case`.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Failure, desk};
use crate::app::record::read::Recorded;
use crate::cli::Place;
use crate::cli::desk::Shell;
use crate::desk::id::TicketNumber;
use crate::rules::run::examples::flat;
use crate::rules::run::stage::Stage;
use crate::rules::text::in_json;

mod anonymous;

/// Prints a recorded decision as a test case, which `ruledesk rule test` takes.
#[derive(Debug, Args)]
pub struct Case {
    /// The ticket, such as IT-1042.
    ticket: TicketNumber,
    /// The stage that decided.
    #[arg(long)]
    stage: Stage,
    /// The rule, where several were asked.
    #[arg(long)]
    rule: Option<String>,
    /// Leaves out the settings that the rule had: the case then asks under those of the manifest it is tried with.
    #[arg(long)]
    without_settings: bool,
    /// Keeps names, addresses and texts as they were. Without it, people and what they wrote are made unrecognisable: a case that
    /// hangs on such a word has to be written over by hand.
    #[arg(long)]
    keep_people: bool,
    #[command(flatten)]
    place: Place,
}

/// Reads the record and prints the case.
pub async fn run(case: Case) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&case.place, None).await?;
    let found = office.recorded_decision(&actor, case.ticket, case.stage, case.rule.as_deref()).await;
    let organisation = office.organisation();
    office.close().await;
    let found = found?;
    let mut written = serde_json::to_value(written(&case, &found)?)?;
    if !case.keep_people {
        anonymous::make(&mut written, &organisation.people);
        eprintln!("people and their words are replaced: read the case over, or keep them with --keep-people");
    }
    println!("{}", in_json(&serde_json::to_string_pretty(&Ordered::of(written))?));
    Ok(())
}

/// A case in the order in which it is read best.
#[derive(Serialize)]
struct Ordered {
    name: Value,
    stage: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    settings: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    tables: Value,
    input: Value,
    expect: Value,
}

impl Ordered {
    fn of(mut case: Value) -> Self {
        let mut part = |name: &str| case.get_mut(name).map(Value::take).unwrap_or_default();
        Self {
            name: part("name"),
            stage: part("stage"),
            settings: part("settings"),
            tables: part("tables"),
            input: part("input"),
            expect: part("expect"),
        }
    }
}

/// The parts of a case.
#[derive(Serialize)]
struct Written<'a> {
    name: String,
    stage: Stage,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tables: BTreeMap<String, BTreeMap<String, Value>>,
    input: &'a Value,
    expect: Value,
}

fn written<'a>(case: &Case, recorded: &'a Recorded) -> Result<Written<'a>, Failure> {
    let text = |key: &str| recorded.part.get(key).and_then(Value::as_str).unwrap_or_default();
    let settings = match &recorded.manifest {
        Some(manifest) if !case.without_settings => {
            let manifest: toml::Table = toml::from_str(manifest)?;
            manifest.get("settings").map(serde_json::to_value).transpose()?
        }
        _ => None,
    };
    Ok(Written {
        name: format!("{}: what {} {} said", case.ticket, text("rule"), text("version")),
        stage: case.stage,
        settings,
        tables: looked_up(recorded),
        input: &recorded.input,
        expect: match recorded.part.get("answer") {
            Some(answer) => Value::Object(flat(answer)),
            None => json!({ "fault": text("outcome") }),
        },
    })
}

/// The rows that the rule looked up, so that it finds the same again.
fn looked_up(recorded: &Recorded) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut tables: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for lookup in recorded.part.get("lookups").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| lookup.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let row = lookup.get("row").cloned().unwrap_or_default();
        tables.entry(text("table")).or_default().insert(text("key"), row);
    }
    tables
}
