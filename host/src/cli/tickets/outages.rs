//! `ruledesk tickets outages`: a ticket that stands for many, from its declaration to its end.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::cli::Failure;
use crate::cli::desk::remote::{Remote, word};
use crate::cli::which::list_of;
use crate::desk::id::TicketNumber;

/// A command about outages.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the outages that are declared now, with how many tickets are attached to each and what their requesters read.
    List,
    /// Lists the tickets that are attached to one.
    Attached {
        /// The outage's ticket, such as IT-1042.
        outage: TicketNumber,
    },
    /// Declares a ticket to be an outage, or changes what is said of it. Submissions attach themselves for which all that is named holds.
    Declare(Declare),
    /// Attaches a ticket by hand.
    Attach {
        /// The ticket, such as IT-1042.
        ticket: TicketNumber,
        /// The outage's ticket, such as IT-1042.
        outage: TicketNumber,
    },
    /// Detaches a ticket that is about something else: an agent gets it.
    Detach {
        /// The ticket, such as IT-1042.
        ticket: TicketNumber,
        /// The outage's ticket, such as IT-1042.
        outage: TicketNumber,
    },
    /// Says something to all: on the outage, and on each ticket that is attached.
    Answer {
        /// The outage's ticket, such as IT-1042.
        outage: TicketNumber,
        /// The words, in quotes.
        words: String,
    },
    /// Lets it take no more submissions; those that it has stay with it, and are resolved with its ticket.
    End {
        /// The outage's ticket, such as IT-1042.
        outage: TicketNumber,
    },
}

/// An outage, and the submissions that are like it.
#[derive(Debug, Args)]
pub struct Declare {
    /// The ticket, such as IT-1042.
    ticket: TicketNumber,
    /// The words that each person reads who is hit by it.
    #[arg(long, value_name = "WORDS")]
    announce: String,
    /// Those in this category, or below it.
    #[arg(long)]
    category: Option<String>,
    /// Those of this request type.
    #[arg(long)]
    request_type: Option<String>,
    /// Those with one of these words in the subject or the text; several separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "WORD")]
    words: Vec<String>,
    /// Those with this in a field of the form, such as `service=vpn`.
    #[arg(long, value_parser = field, value_name = "NAME=VALUE")]
    field: Option<(String, String)>,
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write the field's name, `=` and what it says: `service=vpn`")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Does it at a desk that runs.
pub fn run(command: &Command, desk: &Remote) -> Result<(), Failure> {
    match command {
        Command::List => list_of(&desk.get("/outages")?, "no outage is declared").iter().for_each(print),
        Command::Attached { outage } => {
            let links = desk.get(&format!("/tickets/{outage}/links"))?;
            let links = links.as_array().map(Vec::as_slice).unwrap_or_default();
            let children: Vec<&Value> = links.iter().filter(|link| word(link, "link") == "parent-of").collect();
            if children.is_empty() {
                eprintln!("no ticket is attached to {outage}");
            }
            for link in children {
                println!("{:<8} {:<12} {}", word(link, "ticket"), word(link, "state"), word(link, "subject"));
            }
        }
        Command::Declare(declare) => {
            print(&desk.put(&format!("/tickets/{}/outage", declare.ticket), &declare.body())?);
        }
        Command::Attach { ticket, outage } => {
            desk.post(&format!("/tickets/{ticket}/links"), &child_of(*outage))?;
            println!("{ticket} is attached to {outage}");
        }
        Command::Detach { ticket, outage } => {
            desk.post(&format!("/tickets/{ticket}/unlink"), &child_of(*outage))?;
            println!("{ticket} goes its own way");
        }
        Command::Answer { outage, words } => {
            desk.post(&format!("/tickets/{outage}/comments"), &json!({ "body": words }))?;
            println!("{outage} is answered, and so are the tickets that are attached");
        }
        Command::End { outage } => {
            desk.delete(&format!("/tickets/{outage}/outage"))?;
            println!("{outage} takes no more submissions");
        }
    }
    Ok(())
}

fn child_of(outage: TicketNumber) -> Value {
    json!({ "link": "child-of", "ticket": outage.to_string() })
}

fn print(outage: &Value) {
    let count = outage.get("children").and_then(Value::as_i64).unwrap_or_default();
    let (ticket, since) = (word(outage, "ticket"), word(outage, "since"));
    println!("{ticket:<8} since {since}, {count} attached: {}", word(outage, "announcement"));
}

impl Declare {
    fn body(&self) -> Value {
        let mut like = Map::new();
        let texts = [("category", &self.category), ("request_type", &self.request_type)];
        like.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text.as_deref()?.into()))));
        if !self.words.is_empty() {
            like.insert("words".to_owned(), json!(self.words));
        }
        if let Some((name, value)) = &self.field {
            like.insert("field".to_owned(), json!({ name: value }));
        }
        json!({ "announcement": self.announce, "like": like })
    }
}
