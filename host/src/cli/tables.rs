//! `ruledesk tables`: reference tables, beside a running desk, which follows within a second.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::desk::{self, Shell, at_shell};
use super::{Failure, Place};
use crate::app::reference::diff::diff;
use crate::app::reference::{Changed, Format, Origin, Put, TableStatus};
use crate::app::{Error, Office};
use crate::config::Table;
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::rows;
use crate::rules::live::rollout::Signatory;
use crate::rules::text::shown;

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
    /// Shows the differences between two versions.
    Diff { name: String, from: String, to: String },
    /// Agrees, as a second person (--as), that a proposed version goes live.
    Approve {
        name: String,
        /// The digest of the version that you have looked at, or the beginning of it.
        digest: String,
        /// Kept with the change.
        #[arg(long)]
        why: String,
    },
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
    let configured = config.tables.clone();
    let Shell { office, actor } = desk::shell_of(config, arguments.person.as_ref()).await?;
    let office = match arguments.command {
        Command::List | Command::Get { digest: None, .. } => office.with_tables_of_store(&configured).await?,
        _ => office.with_tables(&configured),
    };
    let done = act(&arguments.command, &office, &actor).await;
    office.close().await;
    done
}

async fn act(command: &Command, office: &Office, actor: &Actor) -> Result<(), Failure> {
    match command {
        Command::List => list(office, actor)?,
        Command::Put { file, name, why } => {
            let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
            let text = rows::text(&bytes).ok_or_else(|| format!("{} is not text: save it as UTF-8", file.display()))?;
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let name = name.as_deref().unwrap_or(&stem);
            let is_toml = file.extension().is_some_and(|extension| extension == "toml");
            let format = if is_toml { Format::Toml } else { Format::Csv };
            let put = Put { name, format, text: &text, expected: None, why };
            print_changed(name, &office.put_table(actor, &put).await.map_err(explained)?);
        }
        Command::Get { name, digest: Some(digest) } => {
            print!("{}", office.table_version(actor, name, digest).await?.1.to_csv());
        }
        Command::Get { name, digest: None } => print!("{}", office.table(actor, name)?.table.to_csv()),
        Command::Versions { name } => versions(office, actor, name).await?,
        Command::Diff { name, from, to } => {
            let (_, from) = office.table_version(actor, name, from).await?;
            let (_, to) = office.table_version(actor, name, to).await?;
            print_diff(&from, &to);
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
    for TableStatus { name, origin, digest, table, since } in office.tables(actor)? {
        let rows = table.rows.len();
        match (origin, since) {
            (Origin::Api, Some(since)) => println!("{name:<24} {rows:>8} rows  {digest} since {since}"),
            (Origin::Api, None) => println!("{name:<24} {rows:>8} rows  {digest}"),
            (Origin::Configuration, _) => println!("{name:<24} {rows:>8} rows  configuration"),
        }
    }
    Ok(())
}

async fn versions(office: &Office, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (versions, events) = office.table_history(actor, name).await?;
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
    Ok(())
}

fn print_diff(from: &Table, to: &Table) {
    let diff = diff(from, to);
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
