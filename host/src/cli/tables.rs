//! `ruledesk tables`: reference tables, beside a running desk, which follows within a second.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::remote::{Remote, part, word};
use super::desk::{self, Shell, at_shell};
use super::which::{list_of, thousands};
use super::{Failure, Place, say_file};
use crate::app::reference::diff::TableDiff;
use crate::app::reference::{Changed, Format, History, Origin, Put, TABLE_BYTES_MAX, TableStatus};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::id::PersonId;
use crate::rows;
use crate::rules::live::rollout::Signatory;
use crate::rules::text::{in_json, shown};

/// Said where a list of tables is empty.
const NO_TABLE: &str = "no table is live: `ruledesk tables put FILE.csv --why TEXT` makes one, or a file in `tables/` of the configuration";
/// Versions and changes of a table that are shown.
const HISTORY_MAX: usize = 1000;
/// The most bytes that are read of a table's file: UTF-16 takes twice what its text does as it is kept.
const FILE_BYTES_MAX: usize = 2 * TABLE_BYTES_MAX;

/// Reference tables that rules look things up in.
#[derive(Debug, Args)]
pub struct Tables {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
    /// The person in whose name you act; the audit names you as well.
    #[arg(long = "as", global = true)]
    person: Option<PersonId>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the tables that are live.
    List,
    /// Makes a table live: FILE.csv or FILE.toml, under the file's name.
    Put {
        /// The file, with the columns' names in its first line where it is CSV.
        file: PathBuf,
        /// Another name than the file's.
        #[arg(long)]
        name: Option<String>,
        /// Kept with the change.
        #[arg(long)]
        why: String,
    },
    /// Prints a table as CSV: the live version, or the one named.
    Get {
        /// The table's name, as `tables list` shows it.
        name: String,
        /// A digest, or the beginning of one.
        #[arg(long)]
        digest: Option<String>,
    },
    /// Lists the versions of a table, and who changed it.
    Versions {
        /// The table's name, as `tables list` shows it.
        name: String,
    },
    /// Shows the differences between two versions.
    Diff {
        /// The table's name, as `tables list` shows it.
        name: String,
        /// The digest of the earlier version, or the beginning of it.
        from: String,
        /// The digest of the later one.
        to: String,
    },
    /// Agrees, as a second person (--as), that a proposed version goes live.
    Approve {
        /// The table's name, as `tables list` shows it.
        name: String,
        /// The digest of the version that you have looked at, or the beginning of it.
        digest: String,
        /// Kept with the change.
        #[arg(long)]
        why: String,
    },
    /// Makes an earlier version live again.
    Rollback {
        /// The table's name, as `tables list` shows it.
        name: String,
        /// A digest, or the beginning of one.
        digest: String,
        /// Kept with the change.
        #[arg(long)]
        why: String,
    },
}

/// Does it.
pub async fn run(arguments: Tables) -> Result<(), Failure> {
    if let Some(elsewhere) = arguments.place.remote()? {
        return act_elsewhere(&arguments.command, &elsewhere);
    }
    let (config, source) = desk::configuration(&arguments.place, None)?;
    let configured = config.tables.clone();
    let Shell { office, actor } = desk::shell_of(config, &source, arguments.person.as_ref()).await?;
    let office = match arguments.command {
        Command::List | Command::Get { digest: None, .. } => office.with_tables_of_store(&configured).await?,
        _ => office.with_tables(&configured),
    };
    let done = act(&arguments.command, &office, &actor).await;
    office.close().await;
    done
}

/// Does it at a desk elsewhere: prints what it answers.
fn act_elsewhere(command: &Command, desk: &Remote) -> Result<(), Failure> {
    let of = |name: &str| format!("/tables/{}", part(name));
    let answer = match command {
        Command::List => {
            print_tables(&desk.get("/tables")?);
            return Ok(());
        }
        Command::Put { file, name, why } => {
            let (name, text, format) = file_of(file, name.as_deref())?;
            let media_type = if format == Format::Toml { "application/toml" } else { "text/csv" };
            let path = format!("{}?why={}", of(&name), part(why));
            serde_json::from_str(&desk.ask(("PUT", &path), "application/json", Some((media_type, text.as_bytes())))?)?
        }
        Command::Get { name, digest } => {
            let version = digest.as_deref().map_or_else(String::new, |digest| format!("/versions/{}", part(digest)));
            say_file(&desk.ask(("GET", &format!("{}{version}", of(name))), "text/csv", None)?);
            return Ok(());
        }
        Command::Versions { name } => desk.get(&format!("{}/versions", of(name)))?,
        Command::Diff { name, from, to } => {
            desk.get(&format!("{}/diff?from={}&to={}", of(name), part(from), part(to)))?
        }
        Command::Rollback { name, digest, why } => {
            desk.post(&format!("{}/rollback", of(name)), &json!({ "digest": digest, "why": why }))?
        }
        Command::Approve { name, digest, why } => {
            desk.post(&format!("{}/approve", of(name)), &json!({ "digest": digest, "why": why }))?
        }
    };
    println!("{}", in_json(&serde_json::to_string_pretty(&answer)?));
    Ok(())
}

/// A list of tables that a desk answers, as a command at the desk's own machine prints it.
fn print_tables(answer: &Value) {
    for table in list_of(answer.get("tables").unwrap_or(&Value::Null), NO_TABLE) {
        let rows = table.get("row_count").and_then(Value::as_u64).unwrap_or_default();
        let (digest, since) = (word(table, "digest"), word(table, "since"));
        let from = match (word(table, "origin").as_str(), since.as_str()) {
            ("configuration", _) => "configuration".to_owned(),
            (_, "") => digest,
            (_, since) => format!("{digest} since {since}"),
        };
        println!("{}", line(&word(table, "name"), rows, &from));
    }
}

/// A table in a list: how many rows it has, and what made it live.
fn line(name: &str, rows: u64, from: &str) -> String {
    format!("{name:<24} {:>8} {:<4}  {from}", thousands(rows), if rows == 1 { "row" } else { "rows" })
}

/// The name, the text and the format of a table's file.
fn file_of(file: &Path, name: Option<&str>) -> Result<(String, String, Format), Failure> {
    let unreadable = |e: std::io::Error| format!("{}: {e}", file.display());
    let mut bytes = Vec::new();
    // One byte more than allowed tells a full file from one that goes on.
    let mut most = File::open(file).map_err(unreadable)?.take(FILE_BYTES_MAX as u64 + 1);
    most.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > FILE_BYTES_MAX {
        let (file, mib) = (file.display(), TABLE_BYTES_MAX >> 20);
        return Err(format!("{file} is larger than a table may be ({mib} MiB): leave out what no rule looks up").into());
    }
    let text = rows::text(&bytes).ok_or_else(|| format!("{} is not text: save it as UTF-8", file.display()))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_toml = file.extension().is_some_and(|extension| extension == "toml");
    Ok((name.map_or(stem, str::to_owned), text, if is_toml { Format::Toml } else { Format::Csv }))
}

async fn act(command: &Command, office: &Office, actor: &Actor) -> Result<(), Failure> {
    match command {
        Command::List => list(office, actor)?,
        Command::Put { file, name, why } => {
            let (name, text, format) = file_of(file, name.as_deref())?;
            let put = Put { name: &name, format, text: text.into(), condition: Condition::default(), why };
            print_changed(&name, &office.put_table(actor, &put).await.map_err(explained)?);
        }
        Command::Get { name, digest: Some(digest) } => {
            say_file(&office.table_version(actor, name, digest).await?.1);
        }
        Command::Get { name, digest: None } => say_file(&office.table(actor, name)?.table.to_csv()),
        Command::Versions { name } => versions(office, actor, name).await?,
        Command::Diff { name, from, to } => {
            print_diff(&office.table_difference(actor, name, from, to).await?);
        }
        Command::Rollback { name, digest, why } => {
            print_changed(name, &office.roll_back_table(actor, name, digest, why).await.map_err(explained)?);
        }
        Command::Approve { name, digest, why } => {
            println!("{name} {}", office.approve_table(actor, name, digest, why).await.map_err(explained)?);
        }
    }
    Ok(())
}

fn print_changed(name: &str, Changed { digest, live }: &Changed) {
    println!("{name} {digest}");
    if !live {
        println!("it decides about access, so it waits: a second person approves it by `ruledesk tables approve`");
    }
}

/// Each thing that is wrong on a line of its own.
fn explained(error: Error) -> Failure {
    match error {
        Error::Rejected { problems } => {
            let lines: Vec<String> = problems.iter().map(|p| format!("  {}: {}", p.field, p.message)).collect();
            format!("the table is not right:\n{}", lines.join("\n")).into()
        }
        other => other.into(),
    }
}

fn list(office: &Office, actor: &Actor) -> Result<(), Failure> {
    let tables = office.tables(actor)?;
    if tables.is_empty() {
        eprintln!("{NO_TABLE}");
    }
    for TableStatus { name, origin, digest, table, since } in tables {
        let from = match (origin, since) {
            (Origin::Api, Some(since)) => format!("{digest} since {since}"),
            (Origin::Api, None) => digest,
            (Origin::Configuration, _) => "configuration".to_owned(),
        };
        println!("{}", line(&name, table.rows.len() as u64, &from));
    }
    Ok(())
}

async fn versions(office: &Office, actor: &Actor, name: &str) -> Result<(), Failure> {
    let History { versions, events, next } = office.table_history(actor, name, 0, HISTORY_MAX).await?;
    for version in versions {
        println!("{}  {:>8} rows  first seen {}", version.digest, version.rows, version.first_seen);
    }
    for event in events {
        let what = match (event.event.as_str(), event.digest.as_deref()) {
            ("proposed", Some(digest)) => format!("{digest:.12} was proposed"),
            (_, Some(digest)) => format!("{digest:.12} went live"),
            (_, None) => "removed".to_owned(),
        };
        let by = Signatory::parse(&event.actor);
        println!("{}  {what}  by {}: {}{}", event.at, shown(&by.name()), shown(&event.why), at_shell(&by));
    }
    if next.is_some() {
        println!("(the newest {HISTORY_MAX} of each)");
    }
    Ok(())
}

fn print_diff(diff: &TableDiff) {
    diff.columns_added.iter().for_each(|column| println!("+ column {}", shown(column)));
    diff.columns_removed.iter().for_each(|column| println!("- column {}", shown(column)));
    diff.added.first.iter().for_each(|key| println!("+ {}", shown(key)));
    diff.removed.first.iter().for_each(|key| println!("- {}", shown(key)));
    for row in &diff.changed.first {
        let cells: Vec<String> =
            row.cells.iter().map(|(column, from, to)| format!("{column}: {from} -> {to}")).collect();
        println!("~ {}  {}", shown(&row.key), shown(&cells.join(", ")));
    }
    println!("{} added, {} removed, {} changed", diff.added.count, diff.removed.count, diff.changed.count);
}
