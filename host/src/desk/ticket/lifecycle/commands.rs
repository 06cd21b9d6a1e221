//! Several changes of a ticket in one step: all of them, or none. People give them one by one, macros have them by name; they
//! are the same commands.

use super::links::Around;
use super::time;
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::PersonId;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::service::{Macro, Variable};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::edit::{EditTicket, Found, edit, edit_with};
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{Move, State, Ticket, comment, transition};

/// The most commands in one step.
pub const COMMANDS_MAX: usize = 10;

/// A change of a ticket, as it is asked for.
#[derive(Debug, Clone)]
pub enum Command {
    Edit(EditTicket),
    Comment { body: String, visibility: Visibility, minutes: Option<i64> },
    Move(Move),
}

/// Does all of them in their order, each on the ticket as the one before leaves it; `None` where nothing changes. The rules may have been
/// asked about the ticket as the first edit leaves it.
///
/// # Errors
/// The refusal of the first that is refused; then none is done.
pub fn run(
    ticket: &Ticket,
    case: Option<&AccessCase>,
    (commands, mut found): (&[Command], Option<&Found>),
    around: &Around,
    actor: &Actor,
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let mut whole: Option<Change> = None;
    for command in commands {
        let now = whole.as_ref().map_or(ticket, Change::after).clone();
        let change = match command {
            Command::Edit(wanted) => {
                let permit = permission::edit(actor, &now)?;
                match found.take() {
                    Some(found) => edit_with(&now, wanted, found, &permit, at)?,
                    None => edit(&now, wanted, &permit, at)?,
                }
            }
            Command::Comment { body, visibility, minutes } => {
                let said = comment(&now, body, &permission::comment(actor, &now, case, *visibility)?, at)?;
                Some(match minutes {
                    Some(minutes) => time::along(said, *minutes, actor, at)?,
                    None => said,
                })
            }
            Command::Move(wanted) => {
                let permit = permission::transition(actor, &now)?;
                Some(transition(&now, case, wanted.clone(), around, &permit, at)?)
            }
        };
        whole = match (whole, change) {
            (Some(whole), Some(change)) => Some(whole.then(change)),
            (whole, change) => whole.or(change),
        };
    }
    Ok(whole)
}

/// The commands of a macro for one ticket, its texts filled in.
pub fn of_macro(step: &Macro, ticket: &Ticket, agent: Option<&PersonId>, organisation: &Organisation) -> Vec<Command> {
    let filled = |text: &String| fill(text, ticket, agent, organisation);
    let mut commands: Vec<Command> = edit_of_macro(step, agent).map(Command::Edit).into_iter().collect();
    let texts = [(&step.reply, Visibility::Public), (&step.note, Visibility::Internal)];
    for (text, visibility) in texts {
        commands.extend(text.as_ref().map(|text| Command::Comment { body: filled(text), visibility, minutes: None }));
    }
    if let Some(to) = step.to.as_deref().and_then(State::from_code) {
        let mut record = ResolutionRecord::default();
        for (part, text) in &step.record {
            *record.part_mut(*part) = filled(text);
        }
        commands.push(Command::Move(Move { record, ..Move::to(to) }));
    }
    commands
}

/// The edit of a macro, where it has one.
pub fn edit_of_macro(step: &Macro, agent: Option<&PersonId>) -> Option<EditTicket> {
    let Macro { category, priority, team, tags, .. } = step;
    let edits = category.is_some() || priority.is_some() || team.is_some() || tags.is_some() || step.take;
    edits.then(|| EditTicket {
        category: category.clone(),
        priority: priority.clone(),
        team: team.clone(),
        tags: tags.clone(),
        assignee: agent.filter(|_| step.take).map(|agent| Some(agent.to_string())),
        reason: format!("by the macro {}", step.name),
        ..EditTicket::default()
    })
}

/// A text with its variables filled in.
pub fn fill(text: &str, ticket: &Ticket, agent: Option<&PersonId>, organisation: &Organisation) -> String {
    let named = |person: &PersonId| {
        organisation.people.get(person).map_or_else(|| person.to_string(), |person| person.name.clone())
    };
    let value = |variable: Variable| match variable {
        Variable::Key => ticket.number.to_string(),
        Variable::Subject => ticket.submitted.subject.clone(),
        Variable::Requester => named(&ticket.submitted.requester),
        Variable::Agent => agent.map(named).unwrap_or_default(),
        Variable::Desk => organisation.name.clone(),
    };
    // What a value says is not looked into again.
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (variable, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, Variable::at_start(rest)?)))
    {
        filled.push_str(before);
        filled.push_str(&value(variable));
        rest = after;
    }
    filled + rest
}
