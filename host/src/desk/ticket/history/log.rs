//! Tickets of another desk with the log of their states: each is lived through again, with the clock at the time of each event, so
//! that its promises are what they would have been here.
//!
//! Other desks step over states that this one has: such a jump is taken as the way through the table of transitions that it stands
//! for. A jump for which there is none is illegal, and named with its line.

use jiff::Timestamp;

use super::{Past, REASON, take_over};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::clock_events::events;
use crate::desk::id::{TeamId, TicketId};
use crate::desk::organisation::form::Problem;
use crate::desk::permission::MayImport;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::lifecycle::clocks;
use crate::desk::ticket::timeline::{Entry, Event, Field, Visibility};
use crate::desk::ticket::{State, TRANSITIONS, Ticket, moved};

/// The most events of one ticket.
pub const EVENTS_MAX: usize = 10_000;
/// The most steps that one jump of another desk stands for.
const STEPS_MAX: usize = 3;
/// Jumps that are named.
const PROBLEMS_MAX: usize = 50;

/// One row of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Its line in the file.
    pub line: u64,
    pub at: Timestamp,
    /// Where the ticket stood from then on; `None` for as before.
    pub state: Option<State>,
    /// The team that had it from then on; `None` for as before.
    pub team: Option<String>,
}

/// Takes a ticket over with its log, which is lived through in the order of its times.
///
/// # Errors
/// [`Refusal::Problems`] with every problem found; an illegal jump is filed under its line.
pub fn replay(past: Past, log: &[LogEvent], permit: &MayImport, id: TicketId, at: &At<'_>) -> Result<Change, Refusal> {
    if log.len() > EVENTS_MAX {
        // Without its last events a ticket would stand where it never stood.
        let message = format!("has {} events; a ticket has at most {EVENTS_MAX}", log.len());
        return Err(Problem::new("log", "too-long", message).into());
    }
    let mut log: Vec<&LogEvent> = log.iter().collect();
    log.sort_by_key(|event| (event.at, event.line));
    let begun = log.first().map_or(past.created_at, |first| first.at.min(past.created_at));
    let new = Past { created_at: begun, state: Some(State::New), resolved_at: None, closed_at: None, ..past };
    let mut change = take_over(new, permit, id, at)?;
    let mut life = Life { ticket: change.after().clone(), entries: Vec::new(), problems: Vec::new() };
    let mut promises: Vec<_> =
        events(None, &life.ticket.clocks, false).into_iter().map(|event| (begun, event)).collect();
    for event in log {
        let before = life.ticket.clocks.clone();
        life.goes_on(event, at);
        let over = matches!(life.ticket.state, State::Closed | State::Cancelled | State::Merged);
        promises.extend(events(Some(&before), &life.ticket.clocks, over).into_iter().map(|step| (event.at, step)));
    }
    let Life { mut ticket, entries, problems } = life;
    if !problems.is_empty() {
        return Err(Refusal::Problems { problems });
    }
    // No requester is asked here whether it holds, or anything else.
    (ticket.clocks.confirmation, ticket.clocks.answer) = (None, None);
    ticket.version = 1;
    change.on_ticket(|after| *after = ticket);
    change.entries.extend(entries);
    change.past_promises = promises;
    Ok(change)
}

/// A ticket that is lived through.
struct Life {
    ticket: Ticket,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Life {
    fn goes_on(&mut self, event: &LogEvent, at: &At<'_>) {
        if event.at > at.now {
            self.wrong(event, "in-the-future", "it is still to come".to_owned());
            return;
        }
        let then = at.when(event.at);
        if let Some(name) = &event.team {
            self.comes_to(event, name, &then);
        }
        let Some(to) = event.state.filter(|to| *to != self.ticket.state) else { return };
        let from = self.ticket.state;
        let Some(way) = way(from, to) else {
            self.wrong(event, "illegal-jump", format!("a ticket that is {from} cannot become {to}"));
            // From there on, so that later jumps are judged by themselves.
            self.ticket.state = to;
            return;
        };
        for to in way {
            let event = Event::StateChanged { from: self.ticket.state, to, reason: REASON.to_owned() };
            self.entries.push(Entry { at: then.now, author: Author::System, visibility: Visibility::Public, event });
            self.ticket = moved(&self.ticket, to, &then);
        }
    }

    fn comes_to(&mut self, event: &LogEvent, name: &str, then: &At<'_>) {
        let known: Option<TeamId> = then.organisation.teams.keys().find(|id| id.as_str() == name).cloned();
        let Some(team) = known else {
            self.wrong(event, "unknown", format!("`{name}` is no team of this organisation: map it to one that is"));
            return;
        };
        if team == self.ticket.team {
            return;
        }
        let from = Some(self.ticket.team.to_string());
        let event = Event::Set { field: Field::Team, from, to: team.to_string(), reason: REASON.to_owned() };
        self.entries.push(Entry { at: then.now, author: Author::System, visibility: Visibility::Internal, event });
        self.ticket.team = team;
        self.ticket.updated_at = then.now;
        clocks::enter_team(&mut self.ticket, then);
    }

    fn wrong(&mut self, event: &LogEvent, code: &str, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem::new(&format!("line {}", event.line), code, message));
        }
    }
}

/// The shortest way from a state to another; between the two, a ticket is only worked on or comes back, and is resolved only on the way
/// to its end.
pub fn way(from: State, to: State) -> Option<Vec<State>> {
    let passes = |state: State| match state {
        State::Open | State::InProgress | State::Reopened => true,
        State::Resolved => to == State::Closed,
        State::New | State::Waiting(_) | State::Closed | State::Cancelled | State::Merged => false,
    };
    let mut ways: Vec<Vec<State>> = vec![Vec::new()];
    for _ in 0..STEPS_MAX {
        let mut longer = Vec::new();
        for way in &ways {
            let here = way.last().copied().unwrap_or(from);
            for (_, next, _) in TRANSITIONS.iter().filter(|(start, ..)| *start == here) {
                let mut more = way.clone();
                more.push(*next);
                if *next == to {
                    return Some(more);
                }
                if passes(*next) {
                    longer.push(more);
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ticket::WaitingFor;

    #[test]
    fn a_jump_is_the_shortest_way_through_the_table_or_none() {
        let (user, vendor) = (State::Waiting(WaitingFor::Requester), State::Waiting(WaitingFor::Vendor));
        let steps = |from, to| way(from, to).map(|way| way.iter().map(|state| state.code()).collect::<Vec<_>>());
        assert_eq!(steps(State::New, State::InProgress), Some(vec!["open", "in_progress"]));
        assert_eq!(steps(user, vendor), Some(vec!["in_progress", "waiting_vendor"]));
        assert_eq!(steps(State::Resolved, State::InProgress), Some(vec!["reopened", "in_progress"]));
        assert_eq!(steps(State::Resolved, State::Open), Some(vec!["reopened", "in_progress", "open"]));
        assert_eq!(steps(State::InProgress, State::Closed), Some(vec!["resolved", "closed"]));
        for (from, to) in [
            (State::Closed, State::InProgress),
            (State::Closed, State::Reopened),
            (State::Cancelled, State::Open),
            (State::Open, State::Reopened),
            (State::Open, State::New),
        ] {
            assert_eq!(steps(from, to), None, "{from} to {to}");
        }
    }
}
