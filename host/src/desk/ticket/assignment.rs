//! Who in a team may get a ticket. Which of them does is settled by the store, in the transaction that knows their load.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::lifecycle::alerts;
use super::timeline::{Entry, Event, Visibility};
use super::{Ticket, changed};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::id::{PersonId, Skill, TeamId};
use crate::desk::organisation::{Member, Organisation, Strategy};
use crate::desk::sla::{MINUTE_MS, due};
use crate::desk::verdict::{Routed, can};

/// Why a ticket stays without an assignee though the team has members.
const FULL: &str = "all who could have it have as much as they may: it waits in the team's queue";
/// Why a ticket goes back to its team that a person had.
pub const NOT_TAKEN_UP: &str = "who had it did not take it up in time";
/// Why it does so for the last time, and is given to no one else by the desk.
pub const LEFT_IN_QUEUE: &str =
    "it was given out as often as the team allows and not taken up: it stays in the queue until a person takes it";

/// The facts by which the store picks an assignee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub team: TeamId,
    pub strategy: Strategy,
    /// The one person who should have it.
    pub fixed: Option<PersonId>,
    /// Who may have it otherwise, in the team's order; where the list is empty, it stays in the team's queue.
    pub candidates: Vec<PersonId>,
    /// The most unfinished tickets that those have who may not have more.
    pub capacities: BTreeMap<PersonId, i64>,
    /// Why these, where that is worth saying.
    pub note: Option<Note>,
}

/// Why these people may have a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Said also where all of them have as much as they may.
    Always(&'static str),
    /// Said where one of them has room, or there are none.
    WithRoom(&'static str),
}

impl Assignment {
    /// What the timeline says once it is settled who got the ticket.
    pub fn entry(&self, assignee: Option<&PersonId>, at: Timestamp) -> Entry {
        let reason = match (self.note, &self.fixed) {
            (Some(Note::Always(why)), _) => why,
            _ if assignee.is_none() && !self.candidates.is_empty() => FULL,
            (Some(Note::WithRoom(why)), _) => why,
            (None, Some(_)) => "named by the rule",
            (None, None) => self.strategy.code(),
        };
        Entry {
            at,
            author: Author::System,
            visibility: Visibility::Internal,
            event: Event::Assigned {
                team: self.team.to_string(),
                assignee: assignee.map(ToString::to_string),
                reason: reason.to_owned(),
            },
        }
    }
}

/// The members of the team who may get it: here, with all the skills.
pub fn needed(organisation: &Organisation, routed: &Routed, now: Timestamp) -> Assignment {
    among(organisation, &routed.team.value, routed.strategy, (&routed.skills, routed.assignee.as_ref()), now)
}

/// The members of the team who may get a ticket that comes to it by hand.
pub fn in_team(organisation: &Organisation, team: &TeamId, now: Timestamp) -> Assignment {
    waiting_in_team(organisation, team, &[], now)
}

/// The members of a team who may get one of its tickets that waits, or is handed on: those whom routing asked for, as long as the
/// team has one of them here.
pub fn waiting_in_team(organisation: &Organisation, team: &TeamId, skills: &[Skill], now: Timestamp) -> Assignment {
    let strategy = organisation.teams.get(team).map_or(Strategy::RoundRobin, |team| team.strategy);
    among(organisation, team, strategy, (skills, None), now)
}

fn among(
    organisation: &Organisation,
    team: &TeamId,
    strategy: Strategy,
    (skills, assignee): (&[Skill], Option<&PersonId>),
    now: Timestamp,
) -> Assignment {
    let members = organisation.teams.get(team).map(|t| t.members.as_slice()).unwrap_or_default();
    let here = |member: &&Member| organisation.is_here(member, now);
    let able = |member: &&Member| skills.iter().all(|skill| can(member, skill.as_str()));
    let people = |members: Vec<&Member>| members.into_iter().map(|m| m.person.clone()).collect::<Vec<_>>();
    let present: Vec<&Member> = members.iter().filter(here).collect();
    let skilled: Vec<&Member> = present.iter().copied().filter(able).collect();
    let present_one = |id: &PersonId| present.iter().any(|member| member.person == *id);
    let named = assignee.filter(|id| present_one(id)).cloned();
    // The person named may be away: then the one who stands in for them.
    let away = assignee.and_then(|id| members.iter().find(|member| member.person == *id));
    let deputy = away.and_then(|member| organisation.absence(member, now)?.deputy.clone()).filter(present_one);
    let stands_in = named.is_none() && deputy.is_some();
    let fixed = named.or(deputy);
    let (candidates, note) = if present.is_empty() {
        (Vec::new(), Some("nobody in the team is available: it waits in the team's queue"))
    } else if skilled.is_empty() {
        (people(present.clone()), Some("nobody available has all the skills asked for"))
    } else if stands_in {
        (people(skilled), Some("the person named is away, and this is their deputy"))
    } else if assignee.is_some() && fixed.is_none() {
        (people(skilled), Some("the person named is not available"))
    } else {
        (people(skilled), None)
    };
    let capacity = |member: &&Member| Some((member.person.clone(), i64::from(member.capacity?)));
    let capacities = present.iter().filter_map(capacity).collect();
    Assignment { team: team.clone(), strategy, fixed, candidates, capacities, note: note.map(Note::WithRoom) }
}

/// Why the desk gives a ticket to another person by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandOn {
    /// It has waited for a member of its team who has room, other than one who did not take it up before.
    Waited(Option<PersonId>),
    /// Its assignee has not taken it up in the time that the team allows: it goes back to the team, and to another of it.
    NotTakenUp,
    /// The same once more than the team allows: it stays in the queue until a person takes it, and the lead of the team hears of it.
    LeftInQueue,
    /// Its assignee has left.
    HasLeft,
    /// Its assignee is away, and this person stands in.
    Deputy(PersonId),
}

/// Gives a ticket to another person of its team; the store settles whose turn it is where none is named.
pub fn hand_on(ticket: &Ticket, why: &HandOn, at: &At<'_>) -> Change {
    let mut after = changed(ticket, at.now);
    let (note, but) = match why {
        HandOn::Waited(but) => (Note::WithRoom("it has waited in the team's queue"), but.as_ref()),
        HandOn::NotTakenUp => (Note::Always(NOT_TAKEN_UP), ticket.assignee.as_ref()),
        HandOn::LeftInQueue => (Note::Always(LEFT_IN_QUEUE), None),
        HandOn::HasLeft => (Note::WithRoom("the assignee has left"), None),
        HandOn::Deputy(person) => {
            after.assignee = Some(person.clone());
            let event = Event::Assigned {
                team: ticket.team.to_string(),
                assignee: Some(person.to_string()),
                reason: "the assignee is away, and this is their deputy".to_owned(),
            };
            let entry = at.internal(Author::System, event);
            return Change::update(ticket, after, vec![entry]);
        }
    };
    after.assignee = None;
    let stays = *why == HandOn::LeftInQueue;
    let leads = if stays { leads(&after, ticket.assignee.as_ref(), at) } else { Vec::new() };
    let mut change = Change::update(ticket, after, Vec::new());
    let mut assignment = waiting_in_team(at.organisation, &ticket.team, &ticket.skills, at.now);
    assignment.candidates.retain(|candidate| !stays && Some(candidate) != but);
    change.assignment = Some(Assignment { note: Some(note), ..assignment });
    if let (HandOn::NotTakenUp | HandOn::LeftInQueue, Some(person)) = (why, &ticket.assignee) {
        change.messages.push(at.message(ticket.id, MessageKind::NotTakenUp, person));
    }
    let hear = leads.iter().filter(|person| Some(*person) != ticket.assignee.as_ref());
    change.messages.extend(hear.map(|person| at.message(ticket.id, MessageKind::LeftInQueue, person)));
    change
}

/// Those who hear that a ticket stays in the queue of its team: the lead, or the deputy of a lead who is away; all members where neither
/// is here, or it is the one who had it.
fn leads(ticket: &Ticket, had: Option<&PersonId>, at: &At<'_>) -> Vec<PersonId> {
    let organisation = at.organisation;
    let all = || alerts::responsible(ticket, organisation);
    let Some(team) = organisation.teams.get(&ticket.team) else { return all() };
    let away = |person: &PersonId| {
        let member = team.members.iter().find(|member| member.person == *person);
        member.and_then(|member| organisation.absence(member, at.now))
    };
    let hears = team.lead.as_ref().and_then(|lead| match away(lead) {
        None => Some(lead),
        Some(absence) => absence.deputy.as_ref().filter(|deputy| away(deputy).is_none()),
    });
    let one = hears.filter(|person| Some(*person) != had && organisation.is_active(person));
    one.map_or_else(all, |person| vec![person.clone()])
}

/// When one who got a ticket of a team at this instant has to have taken it up; `None` where the team sets no time.
pub fn to_be_taken_up_by(organisation: &Organisation, team: &TeamId, given: Timestamp) -> Option<Timestamp> {
    let minutes = organisation.teams.get(team)?.take_up_minutes?;
    due(organisation.calendar_of_team(team), given, i64::from(minutes) * MINUTE_MS)
}
