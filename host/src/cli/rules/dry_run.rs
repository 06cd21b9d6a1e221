//! `ruledesk rules dry-run`.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::desk;
use crate::api::tickets::dry_run::{DryRunBody, DryRunView};
use crate::app::App;
use crate::app::replay::dry_run::Candidate;
use crate::author::ship::with_settings;
use crate::cli::which::When;
use crate::cli::{Failure, Place};
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketNumber};
use crate::rows;
use crate::rules::load::MANIFEST_FILE;
use crate::rules::text::{in_json, shown};

/// Says what would become of a submission, with the live rules or with others, and writes nothing.
#[derive(Debug, Args)]
pub struct DryRun {
    /// The submission: a JSON file with the body of `POST /api/v1/tickets`; `-` is standard input.
    #[arg(long, required_unless_present = "ticket", requires = "submitter", conflicts_with = "ticket")]
    submission: Option<PathBuf>,
    /// The ticket whose recorded submission is tried, such as IT-7.
    #[arg(long)]
    ticket: Option<TicketNumber>,
    /// Who submits it.
    #[arg(long = "as", id = "submitter")]
    submitter: Option<PersonId>,
    /// A rule's folder: added, or put in the place of the live rule of the same name; in the mode `shadow`, asked beside it. May be
    /// repeated.
    #[arg(long)]
    with: Vec<PathBuf>,
    /// The name of a live rule that is left out. May be repeated.
    #[arg(long)]
    without: Vec<String>,
    /// Other settings for a live rule: NAME=FILE, a TOML file. May be repeated.
    #[arg(long, value_parser = named_file)]
    settings: Vec<(String, PathBuf)>,
    /// When it is submitted: `2026-05-01T18:30:00Z`, `2026-05-01`, or so long ago: `12h`. Now, where nothing is said.
    #[arg(long, value_name = "WHEN")]
    at: Option<When>,
    /// Prints JSON, as `POST /api/v1/rules/dry-run` answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write NAME=FILE")?;
    Ok((name.to_owned(), PathBuf::from(file)))
}

/// Opens the desk, tries it and prints what would be.
pub async fn run(command: DryRun) -> Result<(), Failure> {
    let body = body(&command)?;
    let (config, source) = desk::configuration(&command.place, None)?;
    let actor = desk::actor(&config, None)?;
    let app = desk::open_to_read(config, source).await?;
    // The versions that are live, whatever the directory holds.
    app.follow().await?;
    let tried = tried(&app, &actor, &command, body).await;
    app.close().await;
    let tried = tried?;
    if command.json {
        println!("{}", in_json(&serde_json::to_string_pretty(&tried)?));
    } else {
        print(&serde_json::to_value(&tried)?);
    }
    Ok(())
}

async fn tried(app: &Arc<App>, actor: &Actor, command: &DryRun, body: DryRunBody) -> Result<DryRunView, Failure> {
    let mut trial = body.trial().map_err(|problem| problem.detail().to_owned())?;
    let zone = app.organisation().calendar.zone.clone();
    trial.at = command.at.map(|at| at.instant(&zone, app.clock.now())).transpose()?;
    for folder in &command.with {
        let component = fs::read(folder.join("rule.wasm")).map_err(|e| unreadable(&folder.join("rule.wasm"), &e))?;
        trial.with.push(Candidate {
            manifest: read(&folder.join("rule.toml"))?,
            component: Some(component),
            signature: None,
        });
    }
    for (name, file) in &command.settings {
        let generation = app.rules.generation();
        let live = generation.named(name).ok_or_else(|| format!("there is no live rule `{name}`"))?;
        let manifest = with_settings(&live.folder.join(MANIFEST_FILE), &live.manifest_text, file)?;
        trial.with.push(Candidate { manifest, component: None, signature: None });
    }
    app.dry_run(actor, trial).await.map(DryRunView::new).map_err(desk::told)
}

fn body(command: &DryRun) -> Result<DryRunBody, Failure> {
    let submission: Value = match &command.submission {
        Some(file) => {
            let text = submission(file)?;
            serde_json::from_str(&text).map_err(|e| format!("{} is no JSON: {e}", file.display()))?
        }
        None => Value::Null,
    };
    if command.submission.is_some() && !submission.is_object() {
        return Err("the submission is not right: it is a JSON object, as `POST /api/v1/tickets` takes it".into());
    }
    let body = json!({
        "submission": submission,
        "ticket": command.ticket.map(|number| number.to_string()),
        "submitted_by": command.submitter.as_ref().map(ToString::to_string),
        "without": command.without,
    });
    Ok(serde_json::from_value(body).map_err(|e| format!("the submission is not right: {e}"))?)
}

/// The largest submission, in bytes.
const SUBMISSION_BYTES_MAX: u64 = 64 << 20;

/// The text of a submission in any usual encoding; `-` is standard input.
fn submission(file: &Path) -> Result<String, Failure> {
    let from: Box<dyn Read + Send> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(fs::File::open(file).map_err(|e| unreadable(file, &e))?)
    };
    rows::whole(from, None, SUBMISSION_BYTES_MAX).map_err(|e| unreadable(file, &e))
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|e| unreadable(file, &e))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    format!("{} cannot be read: {error}", file.display()).into()
}

fn print(tried: &Value) {
    let text = |value: &Value, key: &str| shown(value.get(key).and_then(Value::as_str).unwrap_or("-"));
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(ticket) = tried.get("ticket") {
        println!("It would become a ticket:");
        for field in ["subject", "category", "impact", "urgency", "priority", "team", "state"] {
            println!("  {field:<10} {}", text(ticket, field));
        }
        println!("  {:<10} {} (if nobody comes between)", "assignee", text(ticket, "assignee"));
        for clock in ["first_response", "resolution"] {
            let due = ticket.get(clock).map(|clock| text(clock, "due_at")).unwrap_or_default();
            println!("  {:<10} due {due}", clock.replace('_', " "));
        }
        if let Some(access) = ticket.get("access") {
            println!("  {:<10} {}: {}", "access", text(access, "state"), text(access, "reason"));
        }
    } else {
        println!("It would be rejected:");
        for problem in list(tried, "problems") {
            println!("  {}: {}", text(&problem, "field"), text(&problem, "message"));
        }
    }
    for message in list(tried, "messages") {
        println!("  would tell {}: {}", text(&message, "recipient"), text(&message, "kind"));
    }
    println!("What the rules said:");
    for stage in tried.get("run").map(|run| list(run, "stages")).unwrap_or_default() {
        for rule in list(&stage, "rules") {
            let reason = rule.get("answer").map_or_else(|| text(&rule, "fault"), |answer| text(answer, "reason"));
            println!("  {:<15} {} {}: {reason}", text(&stage, "stage"), text(&rule, "rule"), text(&rule, "version"));
        }
    }
}
