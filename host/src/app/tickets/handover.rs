//! Tickets that wait for a person get one when one has room, is back or begins their shift; those of people who have left, or are
//! away with a deputy, are handed on.

use super::change::{Retry, Which};
use crate::app::{Error, Office};
use crate::desk::id::{PersonId, Skill, TeamId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::ticket::assignment::{HandOn, hand_on, waiting_in_team};
use crate::store::tickets::waiting::Place;

/// The most looks at what waits of one round: a team that is full keeps no other from getting its tickets.
const LOOKS_MAX: usize = 50;

impl Office {
    /// Gives out what waits and hands on what has to be; how many tickets that were. Several hosts may do so at once: each change
    /// is made for the version that was read.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written.
    pub async fn share_out(&self) -> Result<usize, Error> {
        self.count_astray().await?;
        Ok(self.hand_on_all().await? + self.give_out_waiting().await?)
    }

    async fn give_out_waiting(&self) -> Result<usize, Error> {
        let organisation = self.organisation();
        let (mut given, mut full) = (0, Vec::new());
        let mut next = Some(Place::FIRST);
        for _ in 0..LOOKS_MAX {
            let Some(place) = next else { break };
            let waiting = self.store.waiting(place).await?;
            next = waiting.next;
            given += self.give_out(waiting.tickets, &mut full, &organisation).await?;
        }
        Ok(given)
    }

    /// Gives out those of some tickets that a member can have; `full` are the teams, with the skills that are asked for, in which none
    /// has room any more.
    async fn give_out(
        &self,
        waiting: Vec<(TicketNumber, TeamId, Vec<Skill>)>,
        full: &mut Vec<(TeamId, Vec<Skill>)>,
        organisation: &Organisation,
    ) -> Result<usize, Error> {
        let mut given = 0;
        for (number, team, skills) in waiting {
            // A team may have room for those of its tickets that other members can have.
            let of = (team, skills);
            if full.contains(&of) {
                continue;
            }
            let (team, skills) = &of;
            let assignment = waiting_in_team(organisation, team, skills, self.clock.now());
            match self.store.would_pick(&assignment).await? {
                Some(_) => {
                    self.give(number, team, None, &HandOn::Waited).await?;
                    given += 1;
                }
                None => full.push(of),
            }
        }
        Ok(given)
    }

    async fn hand_on_all(&self) -> Result<usize, Error> {
        let organisation = self.organisation();
        let mut handed_on = 0;
        for person in self.store.busy_people().await? {
            // One whom neither the configuration nor the directory knows any more has left as well.
            let is_known = organisation.people.get(&person).is_some_and(|known| known.active);
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

    /// Hands a ticket on that is still with this person, or with none, in this team.
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
