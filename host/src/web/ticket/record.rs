//! The decision record of a ticket: each run of the rules, what each stage was asked, and what each rule said.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::number;
use crate::app::tickets::work::RunPlace;
use crate::desk::id::RunId;
use crate::web::frame::failure::Failure;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// One rule's part.
struct Part {
    rule: String,
    version: String,
    text: String,
}

/// One stage of a run.
struct StageRecord {
    name: String,
    verdict: String,
    input: String,
    parts: Vec<Part>,
}

struct Run {
    id: String,
    when: When,
    cause: String,
    engine: String,
    damage: Option<String>,
    stages: Vec<StageRecord>,
}

#[derive(Template)]
#[template(path = "ticket/record.html")]
struct RecordPage {
    f: Frame,
    key: String,
    runs: Vec<Run>,
    /// Where the page after this one begins.
    next: Option<String>,
}

/// Runs on a page.
const RUNS_MAX: usize = 20;

/// Which page of a record.
#[derive(serde::Deserialize)]
pub struct RecordQuery {
    after: Option<String>,
}

/// A place among the runs, as the address of a page has it; what is none begins at the start.
fn place(text: &str) -> Option<RunPlace> {
    let (at, id) = text.split_once('.')?;
    Some(RunPlace { at: at.parse().ok()?, id: RunId(id.parse().ok()?) })
}

/// JSON as people read it; what is none stays as it is.
fn pretty(text: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(text);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| text.to_owned())
}

fn parts(text: &str) -> Vec<Part> {
    let all: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let field = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    all.iter()
        .map(|value| Part {
            rule: field(value, "rule"),
            version: field(value, "version"),
            text: serde_json::to_string_pretty(value).unwrap_or_default(),
        })
        .collect()
}

/// `GET /tickets/{key}/record`.
pub async fn show(
    visit: Visit,
    Path(key): Path<String>,
    Query(RecordQuery { after }): Query<RecordQuery>,
) -> Result<Response, Failure> {
    let after = after.as_deref().and_then(place);
    let read = visit.app.decisions(&visit.actor, number(&key)?, after, RUNS_MAX).await?;
    let f = visit.frame;
    let next = read.next.map(|RunPlace { at, id }| format!("?after={at}.{id}"));
    let runs = read.items.into_iter().map(|run| {
        let (texts, damage) = match run.recorded {
            Ok(texts) => (texts, None),
            Err(damage) => (Default::default(), Some(damage.to_string())),
        };
        let common: serde_json::Map<String, Value> = serde_json::from_str(&texts.common).unwrap_or_default();
        // What a stage was asked is its own part laid over what all stages share.
        let input = |own: &str| {
            let own: serde_json::Map<String, Value> = serde_json::from_str(own).unwrap_or_default();
            let mut whole = common.clone();
            whole.extend(own);
            serde_json::to_string_pretty(&whole).unwrap_or_default()
        };
        let stages = texts.decisions.iter().map(|decision| StageRecord {
            name: f.words.t(&format!("stage.{}", decision.stage)),
            verdict: pretty(&decision.verdict),
            input: input(&decision.input),
            parts: parts(&decision.rules),
        });
        let stages = stages.collect();
        Run {
            id: run.id.to_string(),
            when: f.times.ago(run.at),
            cause: texts.cause,
            engine: texts.engine,
            damage,
            stages,
        }
    });
    let runs = runs.collect();
    page(StatusCode::OK, &RecordPage { key, runs, next, f })
}
