//! Who in a team may get a ticket. Which of them does is settled by the store, in the transaction that knows their load.

use jiff::Timestamp;

use super::timeline::{Entry, Event, Visibility};
use crate::desk::actor::Author;
use crate::desk::id::{PersonId, Skill, TeamId};
use crate::desk::organisation::{Member, Organisation, Strategy};
use crate::desk::verdict::Routed;

/// What the store needs to pick somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub team: TeamId,
    pub strategy: Strategy,
    /// The one person who should have it.
    pub fixed: Option<PersonId>,
    /// Who may have it otherwise, in the team's order; nobody leaves it in the team's queue.
    pub candidates: Vec<PersonId>,
    /// Why these, where that is worth saying.
    pub note: Option<&'static str>,
}

impl Assignment {
    /// What the timeline says once it is settled who got the ticket.
    pub fn entry(&self, assignee: Option<&PersonId>, at: Timestamp) -> Entry {
        let reason = match (self.note, &self.fixed) {
            (Some(note), _) => note,
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

/// The members of the team who may get it: available, active, with all the skills.
pub fn needed(organisation: &Organisation, routed: &Routed) -> Assignment {
    among(organisation, &routed.team.value, routed.strategy, &routed.skills, routed.assignee.as_ref())
}

/// The members of the team who may get a ticket that comes to it by hand.
pub fn in_team(organisation: &Organisation, team: &TeamId) -> Assignment {
    let strategy = organisation.teams.get(team).map_or(Strategy::RoundRobin, |team| team.strategy);
    among(organisation, team, strategy, &[], None)
}

fn among(
    organisation: &Organisation,
    team: &TeamId,
    strategy: Strategy,
    skills: &[Skill],
    assignee: Option<&PersonId>,
) -> Assignment {
    let members = organisation.teams.get(team).map(|t| t.members.as_slice()).unwrap_or_default();
    let active = |id: &PersonId| organisation.people.get(id).is_some_and(|p| p.active);
    let here = |member: &&Member| member.available && active(&member.person);
    let able = |member: &&Member| skills.iter().all(|skill| member.skills.contains(skill));
    let people = |members: Vec<&Member>| members.into_iter().map(|m| m.person.clone()).collect::<Vec<_>>();
    let present: Vec<&Member> = members.iter().filter(here).collect();
    let skilled: Vec<&Member> = present.iter().copied().filter(able).collect();
    let fixed = assignee.filter(|id| members.iter().filter(here).any(|m| m.person == **id)).cloned();
    let (candidates, note) = if present.is_empty() {
        (Vec::new(), Some("nobody in the team is available: it waits in the team's queue"))
    } else if skilled.is_empty() {
        (people(present), Some("nobody available has all the skills asked for"))
    } else if assignee.is_some() && fixed.is_none() {
        (people(skilled), Some("the person named is not available"))
    } else {
        (people(skilled), None)
    };
    Assignment { team: team.clone(), strategy, fixed, candidates, note }
}
