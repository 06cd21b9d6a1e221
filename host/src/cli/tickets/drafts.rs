//! `ruledesk tickets drafts`: one's own requests that are not sent yet.

use clap::Subcommand;
use serde_json::Value;

use crate::cli::Failure;
use crate::cli::desk::remote::{Remote, word};
use crate::cli::which::{an_id, list_of};
use crate::desk::id::DraftId;
use crate::rules::text::in_json;

/// A command about drafts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists them, the latest first, with how much was wrong when they were sent.
    List,
    /// Prints one as JSON, with what was wrong when it was sent.
    Show {
        /// The draft's id, as `tickets drafts list` shows it.
        #[arg(value_parser = an_id::<DraftId>)]
        id: DraftId,
    },
    /// Sends one. Where it is refused, it stays, with what is wrong.
    Send {
        /// The draft's id, as `tickets drafts list` shows it.
        #[arg(value_parser = an_id::<DraftId>)]
        id: DraftId,
    },
    /// Throws one away.
    Discard {
        /// The draft's id, as `tickets drafts list` shows it.
        #[arg(value_parser = an_id::<DraftId>)]
        id: DraftId,
    },
}

/// Does it at a desk that runs.
pub fn run(command: &Command, desk: &Remote) -> Result<(), Failure> {
    match command {
        Command::List => {
            let drafts = desk.get("/drafts")?;
            list_of(&drafts, "you have no drafts").iter().for_each(print);
        }
        Command::Show { id } => {
            let draft = desk.get(&format!("/drafts/{id}"))?;
            println!("{}", in_json(&serde_json::to_string_pretty(&draft)?));
        }
        Command::Send { id } => {
            let made = desk.post(&format!("/drafts/{id}/submit"), &Value::Object(serde_json::Map::new()))?;
            println!("{id} is {} now", word(&made, "key"));
        }
        Command::Discard { id } => {
            desk.delete(&format!("/drafts/{id}"))?;
            println!("{id} is thrown away");
        }
    }
    Ok(())
}

fn print(draft: &Value) {
    let submission = draft.get("submission").unwrap_or(&Value::Null);
    let problems = draft.get("problems").and_then(Value::as_array).map_or(0, Vec::len);
    let wrong = if problems == 0 { String::new() } else { format!("  ({problems} to correct)") };
    let (id, saved) = (word(draft, "id"), word(draft, "saved_at"));
    println!("{id}  {saved}  {:<12} {}{wrong}", word(submission, "request_type"), word(submission, "subject"));
}
