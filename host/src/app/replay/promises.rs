//! The consequences of other priorities: by how many hours resolutions would be promised sooner or later, in total and by the team
//! that has the ticket. Hours are those in which the calendar of the priority is open, as in the promise itself.

use std::collections::BTreeMap;

use serde::Serialize;

use super::verdict::Verdict;
use crate::desk::id::{PriorityId, TicketNumber};
use crate::desk::organisation::{Organisation, PriorityLevel};

/// Tickets that are named, the newest first.
const TICKETS_MAX: usize = 100;
const MINUTES_PER_HOUR: f64 = 60.0;

/// The count of promises that move.
#[derive(Debug, Default)]
pub struct PromiseTally {
    /// By team.
    teams: BTreeMap<String, Moved>,
    /// Of the newest tickets, by number.
    tickets: BTreeMap<TicketNumber, PromisedTicket>,
}

/// Promises that move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moved {
    tickets: u64,
    sooner: u64,
    minutes_sooner: u64,
    later: u64,
    minutes_later: u64,
}

/// A ticket that would have had another priority.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PromisedTicket {
    pub ticket: String,
    pub team: String,
    pub from: String,
    pub to: String,
    /// How much longer its resolution would take by its promise; below zero where it is promised sooner.
    pub hours: f64,
}

/// The sum of promises that move.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PromiseSum {
    /// `None` for all teams together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Decisions whose priority is another.
    pub tickets: u64,
    pub sooner: u64,
    pub hours_sooner: f64,
    pub later: u64,
    pub hours_later: f64,
}

/// The meaning of other priorities for promises.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PromiseReport {
    pub total: PromiseSum,
    pub teams: Vec<PromiseSum>,
    /// Of these at most a hundred, the newest first.
    pub tickets: Vec<PromisedTicket>,
}

impl Moved {
    fn add(&mut self, other: Moved) {
        self.tickets += other.tickets;
        self.sooner += other.sooner;
        self.minutes_sooner = self.minutes_sooner.saturating_add(other.minutes_sooner);
        self.later += other.later;
        self.minutes_later = self.minutes_later.saturating_add(other.minutes_later);
    }

    fn sum(&self, team: Option<&str>) -> PromiseSum {
        PromiseSum {
            team: team.map(str::to_owned),
            tickets: self.tickets,
            sooner: self.sooner,
            hours_sooner: self.minutes_sooner as f64 / MINUTES_PER_HOUR,
            later: self.later,
            hours_later: self.minutes_later as f64 / MINUTES_PER_HOUR,
        }
    }
}

impl PromiseTally {
    /// Counts one decision about a priority, by what the organisation promises today.
    pub fn take(
        &mut self,
        organisation: &Organisation,
        (ticket, team): (TicketNumber, &str),
        before: &Verdict,
        after: &Verdict,
    ) {
        let (Some(from), Some(to)) = (level(organisation, before), level(organisation, after)) else { return };
        if from.id == to.id {
            return;
        }
        let (was, is) = (u64::from(from.resolution_minutes), u64::from(to.resolution_minutes));
        let moved = Moved {
            tickets: 1,
            sooner: u64::from(is < was),
            minutes_sooner: was.saturating_sub(is),
            later: u64::from(is > was),
            minutes_later: is.saturating_sub(was),
        };
        self.teams.entry(team.to_owned()).or_default().add(moved);
        let one = PromisedTicket {
            ticket: ticket.to_string(),
            team: team.to_owned(),
            from: from.id.to_string(),
            to: to.id.to_string(),
            hours: (f64::from(to.resolution_minutes) - f64::from(from.resolution_minutes)) / MINUTES_PER_HOUR,
        };
        self.keep(ticket, one);
    }

    /// Counts what another has counted.
    pub fn merge(&mut self, other: PromiseTally) {
        for (team, moved) in other.teams {
            self.teams.entry(team).or_default().add(moved);
        }
        for (number, ticket) in other.tickets {
            self.keep(number, ticket);
        }
    }

    fn keep(&mut self, number: TicketNumber, ticket: PromisedTicket) {
        self.tickets.insert(number, ticket);
        if self.tickets.len() > TICKETS_MAX {
            self.tickets.pop_first();
        }
    }

    /// The report; `None` where no priority would have been another.
    pub fn report(self) -> Option<PromiseReport> {
        let mut total = Moved::default();
        self.teams.values().for_each(|moved| total.add(*moved));
        let teams = self.teams.iter().map(|(team, moved)| moved.sum(Some(team))).collect();
        let tickets = self.tickets.into_values().rev().collect();
        (total.tickets > 0).then(|| PromiseReport { total: total.sum(None), teams, tickets })
    }
}

/// The priority that a verdict comes to, where the organisation still has it.
fn level<'o>(organisation: &'o Organisation, verdict: &Verdict) -> Option<&'o PriorityLevel> {
    let (_, value) = verdict.told.fields.iter().find(|(name, _)| *name == "priority")?;
    let id: PriorityId = value.parse().ok()?;
    organisation.priority(&id).map(|(_, level)| level)
}
