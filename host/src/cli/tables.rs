//! `ruledesk tables`: reference tables, beside a running desk, which follows within a second.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Failure, Place, desk};
use crate::app::Clock;
use crate::app::reference::diff::diff;
use crate::app::reference::{self, Format, Put};
use crate::config::{Config, Table};
use crate::desk::id::PersonId;
use crate::store::Store;
use crate::store::tables::By;

/// Reference tables that rules look things up in.
#[derive(Debug, Args)]
pub struct Tables {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
    /// The person who acts; without it, the machine's administrator does.
    #[arg(long = "as", global = true)]
    person: Option<PersonId>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the tables that are live.
    List,
    /// Makes a table live: FILE.csv or FILE.toml, under the file's name.
    Put {
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
        name: String,
        /// A digest, or the beginning of one.
        #[arg(long)]
        digest: Option<String>,
    },
    /// Lists the versions of a table, and who changed it.
    Versions { name: String },
    /// Tells what is different between two versions.
    Diff { name: String, from: String, to: String },
    /// Makes an earlier version live again.
    Rollback {
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
    let (config, _) = desk::configuration(&arguments.place, None)?;
    let store = desk::store(&config.server).await?;
    let done = act(&arguments, &config, &store).await;
    store.close().await;
    done
}

async fn act(arguments: &Tables, config: &Config, store: &Store) -> Result<(), Failure> {
    let configured = |name: &str| config.tables.contains_key(name);
    let now = Clock::System.now();
    let actor = desk::acting(config, arguments.person.as_ref())?;
    match &arguments.command {
        Command::List => list(config, store).await?,
        Command::Put { file, name, why } => {
            let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let name = name.as_deref().unwrap_or(&stem);
            let is_toml = file.extension().is_some_and(|extension| extension == "toml");
            let format = if is_toml { Format::Toml } else { Format::Csv };
            let put = Put { name, format, text: &text, expected: None, why };
            let digest = reference::put(store, &put, configured, &actor, now).await.map_err(explained)?;
            println!("{name} {digest}");
        }
        Command::Get { name, digest: Some(digest) } => {
            print!("{}", reference::version(store, name, digest).await?.content);
        }
        Command::Get { name, digest: None } => print!("{}", live(config, store, name).await?.to_csv()),
        Command::Versions { name } => versions(store, name).await?,
        Command::Diff { name, from, to } => {
            let from = version(store, name, from).await?;
            print_diff(&from, &version(store, name, to).await?);
        }
        Command::Rollback { name, digest, why } => {
            let by = By { actor: &actor, why };
            let digest = reference::roll_back(store, name, digest, configured, by, now).await.map_err(explained)?;
            println!("{name} {digest}");
        }
    }
    Ok(())
}

/// Each thing that is wrong on a line of its own.
fn explained(error: crate::app::Error) -> Failure {
    match error {
        crate::app::Error::Rejected { problems } => {
            let lines: Vec<String> = problems.iter().map(|p| format!("  {}: {}", p.field, p.message)).collect();
            format!("the table is not right:\n{}", lines.join("\n")).into()
        }
        other => other.into(),
    }
}

async fn list(config: &Config, store: &Store) -> Result<(), Failure> {
    for (name, table) in &config.tables {
        println!("{name:<24} {:>8} rows  configuration", table.rows.len());
    }
    for live in store.live_tables().await? {
        let version = live.version;
        println!("{:<24} {:>8} rows  {} since {}", version.name, version.rows, version.digest, live.since);
    }
    Ok(())
}

async fn live(config: &Config, store: &Store, name: &str) -> Result<Table, Failure> {
    if let Some(table) = config.tables.get(name) {
        return Ok(table.clone());
    }
    let live = store.live_tables().await?.into_iter().find(|live| live.version.name == name);
    let live = live.ok_or_else(|| format!("there is no table `{name}`"))?;
    version(store, name, &live.version.digest).await
}

async fn version(store: &Store, name: &str, digest: &str) -> Result<Table, Failure> {
    let version = reference::version(store, name, digest).await?;
    Ok(reference::checked(&version)?)
}

async fn versions(store: &Store, name: &str) -> Result<(), Failure> {
    for version in store.table_versions(name).await? {
        println!("{}  {:>8} rows  first seen {}", version.digest, version.rows, version.first_seen);
    }
    for event in store.table_events(name).await? {
        let what = event.digest.as_deref().map_or("removed".to_owned(), |digest| format!("{digest:.12} went live"));
        println!("{}  {what}  by {}: {}", event.at, event.actor, event.why);
    }
    Ok(())
}

fn print_diff(from: &Table, to: &Table) {
    let diff = diff(from, to);
    diff.columns_added.iter().for_each(|column| println!("+ column {column}"));
    diff.columns_removed.iter().for_each(|column| println!("- column {column}"));
    diff.added.first.iter().for_each(|key| println!("+ {key}"));
    diff.removed.first.iter().for_each(|key| println!("- {key}"));
    for row in &diff.changed.first {
        let cells: Vec<String> =
            row.cells.iter().map(|(column, from, to)| format!("{column}: {from} -> {to}")).collect();
        println!("~ {}  {}", row.key, cells.join(", "));
    }
    println!("{} added, {} removed, {} changed", diff.added.count, diff.removed.count, diff.changed.count);
}
