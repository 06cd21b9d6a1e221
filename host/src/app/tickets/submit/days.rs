//! Another day for a bundle: its ticket, its parts and its tasks follow together, or nothing does.

use jiff::civil::Date;

use crate::app::error::Busy;
use crate::app::tickets::change::JustRead;
use crate::app::tickets::work::may_read;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::condition::Condition;
use crate::desk::id::TicketNumber;
use crate::desk::permission::{self, MayEdit};
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::days::{self, MoveDay, Stays};
use crate::desk::ticket::lifecycle::alerts;
use crate::desk::ticket::lifecycle::tasks::Task;
use crate::store::db::retry::Turns;
use crate::store::{self, Commit};

/// A bundle that has another day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub field: String,
    /// The day that it had; the same where nothing was to be done.
    pub from: Date,
    pub to: Date,
    pub parts: Vec<MovedPart>,
    /// The tag of its ticket by now, as the one who asked sees it.
    pub tag: String,
}

/// A part of a bundle that has another day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedPart {
    pub ticket: TicketNumber,
    /// Why it stays as it is; `None` where it has followed.
    pub stays: Option<Stays>,
    /// Whether its words, which stay as they were written, name another day.
    pub names_other_day: bool,
}

impl Office {
    /// Gives a bundle another day, where the client's condition holds for its ticket. Where it has that day already, nothing is done,
    /// for whichever version that was asked.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`]; [`Error::Rejected`]; [`Error::Stale`]; [`Error::Busy`] where others change its tickets
    /// all the time.
    pub async fn move_day(
        &self,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        wanted: &MoveDay,
    ) -> Result<Moved, Error> {
        self.count_change(actor)?;
        let mut turns = Turns::default();
        loop {
            let read = self.store.ticket_and_case(number).await?;
            let (whole, case) = read.ok_or_else(|| Error::Missing { what: "ticket", name: number.to_string() })?;
            let sees = may_read(actor, &whole, case.as_ref())?.sees();
            let permit = permission::edit(actor, &whole)?;
            let sight = self.sight(&whole, sees).await?;
            let is_stale = !condition.holds_for(Some(&sight.tag(&whole)));
            let (parts, tasks) = (self.parts_of(number).await?, self.store.tasks(number).await?);
            let made = self.with_day((&whole, &parts), &tasks, wanted, &permit);
            // Who asks once more for what has come about hears that, also by the version of before.
            if is_stale && !made.as_ref().is_ok_and(|(_, commits)| commits.is_empty()) {
                return Err(Error::Stale { version: sight.version(whole.version) });
            }
            let (moved, commits) = made?;
            let Some(first) = commits.first() else { return Ok(Moved { tag: sight.tag(&whole), ..moved }) };
            let tag = sight.tag(first.change.after());
            match self.store.commit_together(commits).await {
                Ok(_) => return Ok(Moved { tag, ..moved }),
                Err(store::Error::Conflict) => {
                    if !turns.again().await {
                        return Err(Busy::Ticket.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The changes that another day makes, all of them as of one instant.
    fn with_day(
        &self,
        (whole, parts): (&Ticket, &[JustRead]),
        tasks: &[Task],
        wanted: &MoveDay,
        permit: &MayEdit,
    ) -> Result<(Moved, Vec<Commit>), Error> {
        let organisation = self.organisation();
        let ids = || self.clock.new_id();
        let at = At::new(self.clock.now(), &organisation, &ids);
        let from = days::days_of(whole, &organisation).into_iter().find(|day| day.field == wanted.field);
        let from = from.map_or(wanted.to, |day| day.day);
        let mut moved =
            Moved { field: wanted.field.clone(), from, to: wanted.to, parts: Vec::new(), tag: String::new() };
        let Some(change) = days::move_whole(whole, tasks, wanted, permit, &at)? else { return Ok((moved, Vec::new())) };
        let author = permit.on(whole)?;
        let mut changes = vec![change];
        for (part, case) in parts {
            let follows = days::move_part(part, case.is_some(), (whole, wanted), author, &at);
            moved.parts.push(MovedPart {
                ticket: part.number,
                stays: follows.as_ref().err().copied(),
                names_other_day: follows.as_ref().is_ok_and(days::names_other_day),
            });
            changes.extend(follows);
        }
        let commit = |change: Change| {
            let mut change = change.telling(&at);
            alerts::keep_time(&mut change, &organisation);
            Commit::from(change)
        };
        Ok((moved, changes.into_iter().map(commit).collect()))
    }
}
