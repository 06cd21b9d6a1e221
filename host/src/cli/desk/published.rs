//! `ruledesk config`: parts of the configuration that are published by API, also while a desk runs, which follows within a second.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Shell, configuration, people_csv, reference, shell_of, told};
use crate::app::reference::configuration::{Document, Proposed, PublishedVersion, Wanted};
use crate::app::rollout::rules::Source;
use crate::cli::{Failure, Place, say_file};
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::id::PersonId;
use crate::desk::organisation::difference::Way;
use crate::rules::text::shown;

/// Versions of the configuration.
#[derive(Debug, Args)]
pub struct Published {
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
    /// Lists the documents, and whose they are.
    List,
    /// Prints every key of the configuration with what it means, as Markdown.
    Reference,
    /// Lists the versions of a document, the latest first.
    Versions {
        /// The document, such as `teams`: `config list` shows them.
        document: String,
    },
    /// Prints a document: as it is live, or a version of it.
    Export {
        /// The document, such as `teams`: `config list` shows them.
        document: String,
        /// A version, by its number in `config versions`.
        #[arg(long)]
        revision: Option<i64>,
    },
    /// Shows what a file would change, and what that touches. Nothing is changed.
    Diff {
        /// The document, such as `teams`: `config list` shows them.
        document: String,
        /// The file with its new content.
        file: PathBuf,
    },
    /// The same for a script: ends with 1 where the file would not be published.
    Check {
        /// The document, such as `teams`: `config list` shows them.
        document: String,
        /// The file with its new content.
        file: PathBuf,
    },
    /// Publishes a file: every host goes by it within a second. People may come as CSV, with columns named as the keys of a person; who
    /// reads the tickets of departments stays then as it is.
    Publish {
        /// The document, such as `teams`: `config list` shows them.
        document: String,
        /// The file with its new content.
        file: PathBuf,
        /// Kept with the version.
        #[arg(long)]
        why: String,
    },
    /// Publishes the content of an earlier version again.
    Rollback {
        /// The document, such as `teams`: `config list` shows them.
        document: String,
        /// The version, by its number in `config versions`.
        revision: i64,
        /// Kept with the version.
        #[arg(long)]
        why: String,
    },
}

fn document(code: &str) -> Result<Document, Failure> {
    Document::from_code(code).ok_or_else(|| {
        let known = Document::ALL.map(Document::code).join(", ");
        format!("there is no document `{code}`: there are {known}").into()
    })
}

/// The content of a file: a document as it is, or people of a CSV file.
fn text(code: &str, file: &Path) -> Result<String, Failure> {
    let unread = |error: std::io::Error| format!("{} cannot be read: {error}", file.display());
    if is_people_csv(code, file)? {
        let bytes = std::fs::read(file).map_err(unread)?;
        return people_csv::document(&bytes).map_err(|error| format!("{}: {error}", file.display()).into());
    }
    Ok(std::fs::read_to_string(file).map_err(unread)?)
}

fn is_people_csv(code: &str, file: &Path) -> Result<bool, Failure> {
    let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    Ok(is_csv && document(code)? == Document::People)
}

/// The same, with the part of the live document that no CSV file says.
async fn whole(code: &str, file: &Path, Shell { office, actor }: &Shell, source: &Source) -> Result<String, Failure> {
    let said = text(code, file)?;
    if !is_people_csv(code, file)? {
        return Ok(said);
    }
    let live = office.documents(actor, source).await.map_err(told)?;
    let people = live.iter().find(|live| live.document == Document::People);
    let kept = people.map(|live| people_csv::readers_of(&live.content)).transpose()?;
    Ok(said + &kept.unwrap_or_default())
}

/// Does it.
pub async fn run(arguments: Published) -> Result<(), Failure> {
    if let Command::Reference = arguments.command {
        print!("{}", reference::text());
        return Ok(());
    }
    let (config, source) = configuration(&arguments.place, None)?;
    let shell = shell_of(config, &source, arguments.person.as_ref()).await?;
    let Shell { office, actor } = &shell;
    let any = Condition { matches: Some(Tags::Any), none_matches: None };
    let from = (&source, None);
    let done = match &arguments.command {
        Command::Reference => Ok(()),
        Command::List => office.documents(actor, &source).await.map(|documents| {
            for live in documents {
                let whose = match (live.by_api, live.revision) {
                    (false, _) => "of the directory".to_owned(),
                    (true, None) => "by API; the directory's until the first version".to_owned(),
                    (true, Some(revision)) => format!("by API; revision {revision}"),
                };
                println!("{:<16} {whose}", live.document.code());
            }
        }),
        Command::Versions { document: code } => {
            office.document_versions(actor, document(code)?).await.map(|versions| list(code, &versions))
        }
        Command::Export { document: code, revision: Some(revision) } => {
            office.document_version(actor, document(code)?, *revision).await.map(|content| say_file(&content))
        }
        Command::Export { document: code, revision: None } => {
            let wanted = document(code)?;
            let found = office.documents(actor, &source).await;
            found.map(|all| all.iter().filter(|live| live.document == wanted).for_each(|live| say_file(&live.content)))
        }
        Command::Diff { document: code, file } | Command::Check { document: code, file } => {
            let proposed =
                office.check_document(actor, (document(code)?, &whole(code, file, &shell, &source).await?), from).await;
            let strict = matches!(arguments.command, Command::Check { .. });
            match proposed {
                Ok(proposed) => {
                    show(&proposed);
                    if strict && !proposed.problems.is_empty() {
                        office.close().await;
                        return Err("it would not be published".into());
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            }
        }
        Command::Publish { document: code, file, why } => {
            let wanted = (document(code)?, Wanted::Content(&whole(code, file, &shell, &source).await?), why.as_str());
            office.publish_document(actor, wanted, &any, from).await.map(|proposed| show(&proposed))
        }
        Command::Rollback { document: code, revision, why } => {
            let wanted = (document(code)?, Wanted::Again(*revision), why.as_str());
            office.publish_document(actor, wanted, &any, from).await.map(|proposed| show(&proposed))
        }
    };
    office.close().await;
    done.map_err(told)
}

/// Prints the versions of a document.
fn list(code: &str, versions: &[PublishedVersion]) {
    if versions.is_empty() {
        eprintln!("{code} has no versions: it was not published by API or by `ruledesk config publish`");
    }
    for version in versions {
        let again = version.again.map(|again| format!(" (again {again})")).unwrap_or_default();
        let (author, why) = (shown(&version.author), shown(&version.why));
        println!("{:>6}  {}  {author}  {why}{again}", version.revision, version.at);
    }
}

/// Prints what a document changes.
fn show(proposed: &Proposed) {
    if let Some(revision) = proposed.revision {
        println!("published as revision {revision}");
    }
    if proposed.touched.is_empty() && proposed.problems.is_empty() {
        println!("it changes nothing");
    }
    for touched in &proposed.touched {
        let difference = &touched.difference;
        let tickets = match touched.open_tickets {
            0 => String::new(),
            count => format!("; {count} open tickets have it"),
        };
        let rules = if touched.rules.is_empty() {
            String::new()
        } else {
            format!("; named by the rules {}", touched.rules.join(", "))
        };
        let out = match touched.out_before_default {
            0 => String::new(),
            count => format!("; its default-tier orders nothing for {count} people whose last grant has ended"),
        };
        let waiting = match (touched.waiting_deliveries, difference.way) {
            (None, _) | (Some(0), Way::Added | Way::Changed) => String::new(),
            (Some(count), Way::Removed) => {
                format!("; {count} deliveries wait for it and are not sent any more; a secret that is kept for it ends")
            }
            (Some(count), _) => {
                format!("; {count} deliveries wait for it and go where it says then, if it still hears of such events")
            }
        };
        let (way, noun) = (difference.way.code(), difference.noun.code());
        let apps = if touched.apps.is_empty() {
            String::new()
        } else {
            format!("; the apps {} are written to by it", touched.apps.join(", "))
        };
        println!("{way:<8} {noun} {}{tickets}{rules}{out}{waiting}{apps}", shown(&difference.id));
    }
    for problem in &proposed.problems {
        println!("problem: {}", shown(&problem.message));
    }
}
