//! `ruledesk explain`.

use clap::Args;
use serde_json::Value;

use crate::app::explain::{ByHand, Explanation, Proposal, Story};
use crate::cli::desk::remote::{part, word};
use crate::cli::desk::{self, Shell};
use crate::cli::{Failure, Place};
use crate::desk::id::TicketNumber;
use crate::rules::text::{in_json, shown, shown_lines};

/// Says why a ticket is as it is: which rule set each field, what overrode what, who changed it since.
#[derive(Debug, Args)]
pub struct Explain {
    /// The ticket, such as IT-1042.
    ticket: TicketNumber,
    /// One field, such as `team` or `tags.vip`.
    #[arg(long)]
    field: Option<String>,
    /// Prints JSON, as `GET /api/v1/tickets/{key}/explain` answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Reads the records and prints what they say.
pub async fn run(command: Explain) -> Result<(), Failure> {
    if let Some(elsewhere) = command.place.remote()? {
        let field = command.field.as_deref().map_or_else(String::new, |field| format!("?field={}", part(field)));
        return print_of(&elsewhere.get(&format!("/tickets/{}/explain{field}", command.ticket))?, command.json);
    }
    let Shell { office, actor } = desk::shell(&command.place, None).await?;
    let found = office.explain(&actor, command.ticket, command.field.as_deref()).await;
    office.close().await;
    let explanation = found?;
    if command.json {
        println!("{}", in_json(&serde_json::to_string_pretty(&explanation)?));
    } else {
        print(&explanation);
    }
    Ok(())
}

/// Prints what a desk elsewhere says.
fn print_of(explanation: &Value, json: bool) -> Result<(), Failure> {
    if json {
        println!("{}", in_json(&serde_json::to_string_pretty(explanation)?));
        return Ok(());
    }
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    println!("{}\n", shown_lines(&text(explanation, "text")));
    for story in explanation.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let value = text(story, "value");
        println!("{} = {}", word(story, "field"), shown(value.lines().next().unwrap_or_default()));
        if let Some(by) = story.get("set_by") {
            println!("    set by {}{}", word(by, "name"), reason(&text(by, "reason")));
        }
    }
    Ok(())
}

fn print(explanation: &Explanation) {
    println!("{}\n", shown_lines(&explanation.text));
    for story in explanation.fields.iter().flatten() {
        print_story(story);
    }
}

fn print_story(story: &Story) {
    let value = story.value.as_deref().unwrap_or("-").lines().next().unwrap_or_default();
    println!("{} = {}", story.field, shown(value));
    println!("    set by {}{}", shown(&story.set_by.name), reason(&story.set_by.reason));
    // Rules that had nothing to say about this field would only be in the way.
    let mut spoke = story.proposals.iter().filter(|p| p.value.is_some() || p.fault.is_some()).peekable();
    if let Some(law) = story.law.filter(|_| spoke.peek().is_some()) {
        println!("    law: {law}");
    }
    spoke.for_each(print_proposal);
    story.changes.iter().for_each(print_change);
}

fn print_proposal(proposal: &Proposal) {
    let Proposal { rule, version, value, fault, effect, stood, .. } = proposal;
    let said = match (fault, value) {
        (Some(fault), _) => format!("failed: {}", shown(fault)),
        (None, Some(value)) => shown(value),
        (None, None) => "nothing".to_owned(),
    };
    let mark = if *stood { "*" } else { " " };
    let note = if *effect { "" } else { " [without effect]" };
    let digest = proposal.component.get(..12).unwrap_or_default();
    println!("  {mark} {rule} {version} ({digest}): {said}{note}{}", reason(&proposal.reason));
}

fn print_change(change: &ByHand) {
    let from = change.from.as_ref().map_or_else(String::new, |from| format!("from {from} "));
    let to = change.to.as_deref().unwrap_or("nobody");
    let (from, to, by) = (shown(&from), shown(to), shown(&change.by));
    println!("    changed {from}to {to} by {by} at {}{}", change.at, reason(&change.reason));
}

fn reason(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {}", shown(reason)) }
}
