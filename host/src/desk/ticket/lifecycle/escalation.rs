//! Escalation: a ticket goes to the team that its own team turns to, one tier up, each tier once.

use crate::desk::actor::Author;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::change::{Change, TicketWrite};
use crate::desk::id::PersonId;
use crate::desk::organisation::service::{Turn, TurnEscalation};
use crate::desk::organisation::{Organisation, Team};
use crate::desk::permission::MayEscalate;
use crate::desk::refusal::Refusal;
use crate::desk::text::normal;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::assignment::in_team;
use crate::desk::ticket::edit::check_reason;
use crate::desk::ticket::lifecycle::clocks;
use crate::desk::ticket::sight::Part;
use crate::desk::ticket::timeline::{Entry, Event, Field};

/// The most members of a team who hear that a ticket has come up to them.
const RECIPIENTS_MAX: usize = 20;

/// Takes a ticket one tier up because a person asks for it.
///
/// # Errors
/// [`Refusal::Problems`] without a reason; [`Refusal::Finished`]; [`Refusal::HighestTier`] where no team is above.
pub fn escalate(ticket: &Ticket, reason: &str, permit: &MayEscalate, at: &At<'_>) -> Result<Change, Refusal> {
    let author = permit.on(ticket)?;
    if !ticket.state.is_unfinished() {
        return Err(Refusal::Finished { state: ticket.state });
    }
    let reason = &*normal(reason.trim());
    if let Some(problem) = check_reason("reason", reason) {
        return Err(problem.into());
    }
    let event = Event::EscalationAsked { reason: reason.to_owned() };
    let asked = at.public(author.clone(), event);
    let mut change = Change::next(ticket, at, vec![asked]);
    if !raise(&mut change, (author.clone(), reason), at) {
        return Err(Refusal::HighestTier);
    }
    Ok(change)
}

/// The team above the ticket's. A team of the same tier or a lower one is none, so that no tier is reached twice.
fn above<'o>(ticket: &Ticket, organisation: &'o Organisation) -> Option<&'o Team> {
    let next = organisation.teams.get(&ticket.team)?.escalates_to.as_ref()?;
    organisation.teams.get(next).filter(|team| team.tier > ticket.tier)
}

/// The change, and that its ticket goes up one tier where it comes to a turn at which the configuration says so: once for one change,
/// and not to another team than one that a person names in it.
#[must_use]
pub fn at_a_turn(mut change: Change, at: &At<'_>) -> Change {
    let is_settled = |entry: &Entry| match &entry.event {
        Event::Escalated { .. } => true,
        Event::Set { field: Field::Team, .. } => matches!(entry.author, Author::Person(_)),
        _ => false,
    };
    let after = change.after();
    if !after.state.is_unfinished() || change.entries().iter().any(is_settled) {
        return change;
    }
    let before = match change.ticket() {
        TicketWrite::Open(_) => None,
        TicketWrite::Update { before, .. } => Some(&**before),
    };
    let has_come = |one: &&TurnEscalation| {
        let is_new = before.is_none_or(|before| !has(&one.on, before));
        one.is_for(&after.submitted.request_type) && is_new && has(&one.on, after)
    };
    let Some(turn) = at.organisation.watch.escalate_on.iter().find(has_come) else { return change };
    let reason = match &turn.on {
        Turn::Tag(tag) => format!("it has got the tag `{}`", tag.as_str()),
        Turn::Priority(priority) => format!("it has got the priority `{priority}`"),
    };
    raise(&mut change, (Author::System, &reason), at);
    change
}

fn has(turn: &Turn, ticket: &Ticket) -> bool {
    match turn {
        Turn::Tag(tag) => ticket.tags.contains(tag),
        Turn::Priority(priority) => ticket.priority == *priority,
    }
}

/// Adds to a change that its ticket goes up one tier; whether there is one above.
pub(super) fn raise(change: &mut Change, (author, reason): (Author, &str), at: &At<'_>) -> bool {
    let (TicketWrite::Open(after) | TicketWrite::Update { after, .. }) = &mut change.ticket;
    let Some(team) = above(after, at.organisation) else { return false };
    let event = Event::Escalated {
        from: after.team.to_string(),
        to: team.id.to_string(),
        tier: team.tier,
        reason: reason.to_owned(),
    };
    // Explanations go by what was set. It is the desk that sets it, so that it does not read as an agent's correction of a rule.
    let set = |field, from: String, to: String| {
        let event = Event::Set { field, from: Some(from), to, reason: format!("escalated: {reason}") };
        at.entry(Author::System, Part::Set(field).visibility(), event)
    };
    change.entries.push(set(Field::Team, after.team.to_string(), team.id.to_string()));
    change.entries.push(set(Field::Tier, after.tier.to_string(), team.tier.to_string()));
    after.team = team.id.clone();
    after.tier = team.tier;
    after.assignee = None;
    after.skills.clear();
    clocks::enter_team(after, at);
    let ticket = after.id;
    change.entries.push(at.internal(author, event));
    change.assignment = Some(in_team(at.organisation, &team.id, at.now));
    let active = |person: &&PersonId| at.organisation.is_active(person);
    let members = team.members.iter().map(|member| &member.person).filter(active);
    change
        .messages
        .extend(members.take(RECIPIENTS_MAX).map(|person| at.message(ticket, MessageKind::Escalated, person)));
    true
}
