//! Assignment after submission. Tickets that wait in a queue get a person when one has room, is back or begins their shift. Tickets of
//! people who have left, or are away with a deputy, are handed on. Tickets that are not taken up in time go back to the team.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use super::change::{Retry, Which};
use crate::app::{App, Error, Office};
use crate::desk::id::{PersonId, Skill, TeamId, TicketNumber};
use crate::desk::organisation::{Organisation, Team};
use crate::desk::sla::earlier;
use crate::desk::ticket::assignment::{HandOn, hand_on, to_be_taken_up_by, waiting_in_team};
use crate::store::tickets::waiting::{Given, Place, TakeUp, Waits};

/// The most pages of waiting tickets that one round reads: the tickets of a full team must not keep other teams from theirs.
const LOOKS_MAX: usize = 50;

/// How many tickets were handed on or given out, and how many of them because they were not taken up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedOut {
    pub tickets: usize,
    pub not_taken_up: usize,
}

impl App {
    /// As [`Office::share_out`]; what was not taken up is counted.
    ///
    /// # Errors
    ///
    /// Those of [`Office::share_out`].
    pub async fn share_out(&self) -> Result<usize, Error> {
        let shared_out = self.office.share_out().await?;
        self.metrics.count_not_taken_up(u64::try_from(shared_out.not_taken_up).unwrap_or_default());
        Ok(shared_out.tickets)
    }
}

impl Office {
    /// Assigns waiting tickets, hands on those that have to be, and counts both. Several hosts may do so at once: each change
    /// is made for the version that was read.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written.
    pub async fn share_out(&self) -> Result<SharedOut, Error> {
        self.count_astray().await?;
        let handed_on = self.hand_on_all().await?;
        let not_taken_up = self.take_back_all().await?;
        let given_out = self.give_out_waiting().await?;
        Ok(SharedOut { tickets: handed_on + not_taken_up + given_out, not_taken_up })
    }

    /// Takes tickets back that their assignees have not taken up in the time of their team.
    async fn take_back_all(&self) -> Result<usize, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let minutes = |(id, team): (&TeamId, &Team)| Some((id.clone(), i64::from(team.take_up_minutes?)));
        let set: BTreeMap<TeamId, i64> = organisation.teams.iter().filter_map(minutes).collect();
        let begun = self.store.take_up(&set, now).await?;
        let mut taken_back = 0;
        for (team, TakeUp { since, set_at }) in &begun {
            // Open time is never longer than time by the clock, so this finds all that could be due.
            let minutes = set.get(team).copied().unwrap_or_default();
            let given_by = earlier(now, SignedDuration::from_mins(minutes));
            if given_by < *set_at {
                continue;
            }
            let mut next = Some(TicketNumber(0));
            for _ in 0..LOOKS_MAX {
                let Some(after) = next else { break };
                let untouched = self.store.untouched(team, (*since, given_by), after).await?;
                next = untouched.next;
                for given in untouched.tickets {
                    let by = to_be_taken_up_by(&organisation, team, given.at.max(*set_at));
                    if by.is_some_and(|by| by <= now) && self.take_back(team, &given).await? {
                        taken_back += 1;
                    }
                }
            }
        }
        Ok(taken_back)
    }

    /// Takes a ticket back if it has the version that was looked at; gives whether it had. Each change makes another version, so no
    /// assignment is taken back twice, and none that was taken up meanwhile.
    async fn take_back(&self, team: &TeamId, given: &Given) -> Result<bool, Error> {
        let allowed = self.organisation().teams.get(team).map_or(0, |team| team.take_up_times);
        let before = self.store.times_not_taken_up(given.ticket, team).await?;
        let why = if before + 1 < allowed { HandOn::NotTakenUp } else { HandOn::LeftInQueue };
        let took = AtomicBool::new(false);
        let changed = self.change(Which::Number(given.ticket), Retry::Commutes, None, |ticket, _, at| {
            let as_seen = ticket.team == *team
                && ticket.version == given.version
                && ticket.assignee.as_ref() == Some(&given.to)
                && ticket.state.is_unfinished();
            took.store(as_seen, Ordering::Relaxed);
            Ok(as_seen.then(|| hand_on(ticket, &why, at)))
        });
        changed.await?;
        Ok(took.load(Ordering::Relaxed))
    }

    async fn give_out_waiting(&self) -> Result<usize, Error> {
        let organisation = self.organisation();
        let (mut given, mut full) = (0, BTreeSet::new());
        let mut next = Some(Place::FIRST);
        for _ in 0..LOOKS_MAX {
            let Some(place) = next else { break };
            let waiting = self.store.waiting(place).await?;
            next = waiting.next;
            given += self.give_out(waiting.tickets, &mut full, &organisation).await?;
        }
        Ok(given)
    }

    /// Assigns those of some tickets for which a member has room. `full` remembers in which teams none has, by the skills that are asked
    /// for and the former assignee who must not get it again.
    async fn give_out(
        &self,
        waiting: Vec<Waits>,
        full: &mut BTreeSet<(TeamId, Vec<Skill>, Option<PersonId>)>,
        organisation: &Organisation,
    ) -> Result<usize, Error> {
        let mut given = 0;
        for Waits { number, team, skills, let_lie } in waiting {
            // The team may still have room for tickets that ask for other skills.
            let of = (team, skills, let_lie);
            if full.contains(&of) {
                continue;
            }
            let (team, skills, let_lie) = &of;
            let mut assignment = waiting_in_team(organisation, team, skills, self.clock.now());
            assignment.candidates.retain(|candidate| Some(candidate) != let_lie.as_ref());
            match self.store.would_pick(&assignment).await? {
                Some(_) => {
                    self.give(number, team, None, &HandOn::Waited(let_lie.clone())).await?;
                    given += 1;
                }
                None => _ = full.insert(of),
            }
        }
        Ok(given)
    }

    async fn hand_on_all(&self) -> Result<usize, Error> {
        let organisation = self.organisation();
        let mut handed_on = 0;
        for person in self.store.busy_people().await? {
            // A person whom neither the configuration nor the directory knows any more has left as well.
            let is_known = organisation.is_active(&person);
            let away = |team: &TeamId| deputy(&organisation, team, &person, self.clock.now());
            let is_member_away = || organisation.teams.keys().any(|team| away(team).is_some());
            if is_known && !is_member_away() {
                continue;
            }
            for (number, team) in self.store.unfinished_with(&person).await? {
                let why = if is_known { away(&team).map(HandOn::Deputy) } else { Some(HandOn::HasLeft) };
                if let Some(why) = why {
                    self.give(number, &team, Some(&person), &why).await?;
                    handed_on += 1;
                }
            }
        }
        Ok(handed_on)
    }

    /// Hands a ticket on if it is still in this team, and with this person or no one.
    async fn give(
        &self,
        number: TicketNumber,
        team: &TeamId,
        from: Option<&PersonId>,
        why: &HandOn,
    ) -> Result<(), Error> {
        let changed = self.change(Which::Number(number), Retry::Commutes, None, |ticket, _, at| {
            let as_seen = ticket.team == *team && ticket.assignee.as_ref() == from && ticket.state.is_unfinished();
            Ok(as_seen.then(|| hand_on(ticket, why, at)))
        });
        changed.await.map(drop)
    }
}

/// The deputy of a member of a team who is away now, if the deputy is here.
fn deputy(organisation: &Organisation, team: &TeamId, person: &PersonId, now: jiff::Timestamp) -> Option<PersonId> {
    let members = &organisation.teams.get(team)?.members;
    let away = members.iter().find(|member| member.person == *person)?;
    let deputy = organisation.absence(away, now)?.deputy.as_ref()?;
    let deputy = members.iter().find(|member| member.person == *deputy)?;
    organisation.is_here(deputy, now).then(|| deputy.person.clone())
}
