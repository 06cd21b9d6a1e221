//! `ruledesk messages`: the words of messages, as a configuration has them.

use clap::{Args, Subcommand};

use crate::cli::desk::configuration;
use crate::cli::{Failure, Place};
use crate::desk::change::message::MessageKind;
use crate::messages::facts::{Digest, Facts};
use crate::messages::{DIGEST, Rendered};
use crate::rules::text::{shown, shown_lines};

/// The words of messages.
#[derive(Debug, Args)]
pub struct Messages {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows a message with made-up facts.
    Preview {
        /// The kind of message, such as `resolved`, or `digest`.
        #[arg(value_parser = kind)]
        kind: Kind,
        /// The language, such as `de`.
        #[arg(long, default_value = "en")]
        locale: String,
        /// Shows the HTML.
        #[arg(long)]
        html: bool,
    },
}

/// A kind of message; none for a digest.
type Kind = Option<MessageKind>;

fn kind(name: &str) -> Result<Kind, String> {
    if name == DIGEST {
        return Ok(None);
    }
    let known: Vec<&str> = MessageKind::ALL.iter().map(|kind| kind.code()).chain([DIGEST]).collect();
    MessageKind::from_code(name).map(Some).ok_or_else(|| format!("use one of {}", known.join(", ")))
}

/// Does it.
pub fn run(arguments: &Messages) -> Result<(), Failure> {
    let (config, _) = configuration(&arguments.place, None)?;
    let Command::Preview { kind, locale, html } = &arguments.command;
    let facts = Facts { organisation: config.organisation.name.clone(), ..Facts::sample() };
    let templates = &config.templates;
    let rendered = match kind {
        Some(kind) => templates.message(locale, *kind, &facts)?,
        None => {
            let Facts { organisation, recipient, .. } = facts.clone();
            templates.digest(locale, &Digest { organisation, recipient, items: vec![facts.clone(), facts] })?
        }
    };
    let Rendered { subject, text, html: page } = rendered;
    match html {
        true => println!("{}", shown_lines(&page)),
        false => print!("Subject: {}\n\n{}", shown(&subject), shown_lines(&text)),
    }
    Ok(())
}
