//! `ruledesk tickets day`: another day for a bundle, such as the first one of a new colleague.

use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::desk::remote::{Remote, word};
use crate::desk::id::TicketNumber;

/// A bundle, and the day that it is to go by.
#[derive(Debug, Args)]
pub struct MoveDay {
    /// The bundle's ticket, such as IT-1042.
    ticket: TicketNumber,
    /// The date of its form, such as `first-day`.
    field: String,
    /// The day, such as 2027-01-18.
    to: Date,
    /// The reason, which all who read the tickets read.
    #[arg(long)]
    why: String,
}

/// Does it at a desk that runs.
pub fn run(MoveDay { ticket, field, to, why }: &MoveDay, desk: &Remote) -> Result<(), Failure> {
    let body = json!({ "to": to.to_string(), "reason": why });
    let moved = desk.put(&format!("/tickets/{ticket}/days/{field}"), &body)?;
    if word(&moved, "from") == word(&moved, "to") {
        println!("{ticket} goes by {to} already");
        return Ok(());
    }
    println!("{ticket} goes by {to}, no more by {}", word(&moved, "from"));
    for part in moved.get("parts").and_then(Value::as_array).into_iter().flatten() {
        let stays = match part.get("stays") {
            None if part.get("names_other_day") == Some(&Value::Bool(true)) => {
                "follows; its words name another day".to_owned()
            }
            None => "follows".to_owned(),
            Some(_) => format!("stays: {}", word(part, "stays")),
        };
        println!("{:<8} {stays}", word(part, "ticket"));
    }
    Ok(())
}
