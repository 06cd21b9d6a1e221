//! Reading tickets and working on them.

use std::collections::BTreeMap;

use super::change::{Changed, JustRead, Key, idempotency};
use super::lifecycle::closing::Heard;
use super::submit::outages::passes_on;
use crate::app::error::Busy;
use crate::app::{Error, Office};
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::condition::Condition;
use crate::desk::id::{AttachmentId, MessageId, NAME_BYTES_MAX, PersonId, TicketNumber};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission::{self, MayRead};
use crate::desk::refusal::Refusal;
use crate::desk::ticket::edit::{EditTicket, edit};
use crate::desk::ticket::intake::attachment::attach;
use crate::desk::ticket::intake::outage;
use crate::desk::ticket::lifecycle::links::Around;
use crate::desk::ticket::lifecycle::time;
use crate::desk::ticket::sight::{PublicState, Sight};
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{self, Move, State, Ticket};
use crate::store::db::retry::Turns;
pub use crate::store::rules::decisions::{RunPlace, RunTexts, StoredRun};
pub use crate::store::sql::page::Page;
pub use crate::store::tickets::StoredMessage;
pub use crate::store::tickets::list::{DuePlace, Filter, NO_ONE, QueuePlace, Start, UpdatedPlace};
pub use crate::store::tickets::summary::TicketSummary;
pub use crate::store::tickets::timeline::StoredEntry;
use crate::store::{self, Commit};

/// Bytes of texts that a page of a list has, before the item with which they get more.
pub(in crate::app) const LIST_BYTES_MAX: usize = 1 << 20;

/// The most people of a department whose tickets are listed together.
const DEPARTMENT_MAX: usize = 5_000;

/// Words on a ticket, with all that comes along with them.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pub body: &'a str,
    pub visibility: Visibility,
    /// Files that the actor has uploaded.
    pub files: &'a [AttachmentId],
    /// How long it took.
    pub minutes: Option<i64>,
    /// The way by which they came.
    pub channel: &'a str,
}

/// The channel of words that say of no other: the pages.
const PORTAL: &str = "portal";

impl<'a> Words<'a> {
    /// Words alone, by the pages.
    pub fn new(body: &'a str, visibility: Visibility) -> Self {
        Self { body, visibility, files: &[], minutes: None, channel: PORTAL }
    }
}

impl Office {
    /// One ticket, as far as the actor may see it. Somebody else's ticket is not there, so that its number tells nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn ticket(&self, actor: &Actor, number: TicketNumber) -> Result<(Ticket, Option<AccessCase>), Error> {
        self.readable(actor, number).await.map(|(ticket, case, _)| (ticket, case))
    }

    /// The same, with what the actor sees of it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn seen_ticket(
        &self,
        actor: &Actor,
        number: TicketNumber,
    ) -> Result<(Ticket, Option<AccessCase>, Sight), Error> {
        let (ticket, case, permit) = self.readable(actor, number).await?;
        let sight = self.sight(&ticket, permit.sees()).await?;
        Ok((ticket, case, sight))
    }

    /// The actor's sight of a ticket that was changed.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a ticket that the actor may not read.
    pub async fn sight_of(&self, actor: &Actor, ticket: &Ticket, case: Option<&AccessCase>) -> Result<Sight, Error> {
        let permit = may_read(actor, ticket, case)?;
        self.sight(ticket, permit.sees()).await
    }

    pub(super) async fn sight(&self, ticket: &Ticket, sees: Visibility) -> Result<Sight, Error> {
        if sees == Visibility::Internal {
            return Ok(Sight::All);
        }
        let state = self.store.public_states(&[ticket.number]).await?.remove(&ticket.number);
        // A ticket begins with a public entry.
        let none = PublicState { version: 1, updated_at: ticket.submitted.at };
        Ok(Sight::Public(state.unwrap_or(none)))
    }

    /// The actor's sight of each ticket of a list.
    pub(in crate::app) async fn sights(
        &self,
        actor: &Actor,
        tickets: impl Iterator<Item = TicketNumber>,
    ) -> Result<Sights, Error> {
        if permission::works_on_tickets(actor) {
            return Ok(Sights(None));
        }
        let tickets: Vec<TicketNumber> = tickets.collect();
        Ok(Sights(Some(self.store.public_states(&tickets).await?)))
    }

    /// A ticket with what the actor may read of it: one of their own kind, or of a department whose tickets they read. How access is
    /// decided is no matter of a department's readers.
    pub(super) async fn readable(
        &self,
        actor: &Actor,
        number: TicketNumber,
    ) -> Result<(Ticket, Option<AccessCase>, MayRead), Error> {
        let found = self.store.ticket_and_case(number).await?;
        let (ticket, case) = found.ok_or_else(|| Error::Missing { what: "ticket", name: number.to_string() })?;
        match may_read(actor, &ticket, case.as_ref()) {
            Ok(permit) => Ok((ticket, case, permit)),
            Err(missing) => {
                let permit = permission::read_of_department(&self.organisation(), actor, &ticket);
                permit.map_err(|_| missing).map(|permit| (ticket, None, permit))
            }
        }
    }

    /// The people of a department whose tickets the actor may list.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a department that is not there, and for one whose tickets the actor does not read; [`Error::Rejected`]
    /// for one with too many people.
    pub fn department(&self, actor: &Actor, name: &str) -> Result<Vec<String>, Error> {
        let permit = permission::list(actor)?;
        let organisation = self.organisation();
        let may = permit.only().is_none_or(|reader| organisation.departments_read_by(reader).contains(name));
        let people = organisation.people.values().filter(|person| may && person.department == name);
        let people: Vec<String> = people.map(|person| person.id.to_string()).collect();
        if people.is_empty() {
            return Err(Error::Missing { what: "department", name: name.chars().take(NAME_BYTES_MAX).collect() });
        }
        if people.len() > DEPARTMENT_MAX {
            let problem = Problem::of("department", "too-large", Fault::LargeDepartment, &[&DEPARTMENT_MAX]);
            return Err(problem.into());
        }
        Ok(people)
    }

    /// Whether a person reads the tickets of each of these people, of whom there are some, as one of their department's readers.
    pub(super) fn reads_tickets_of_all(&self, reader: &PersonId, requesters: &[String]) -> bool {
        let organisation = self.organisation();
        !requesters.is_empty() && requesters.iter().all(|one| organisation.reads_tickets_of(reader, one))
    }

    /// A page of the tickets that the actor may see, without their texts. What the people of a department requested is among them
    /// where the filter names them alone, and the actor reads it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn tickets(
        &self,
        actor: &Actor,
        mut filter: Filter,
        start: Start,
        limit: usize,
    ) -> Result<(Page<TicketSummary, Start>, Sights), Error> {
        let permit = permission::list(actor)?;
        // What is not shown must not be found out by asking for it.
        if filter.is_internal() || matches!(start, Start::Updated(_) | Start::Newest) {
            permission::list_internally(actor)?;
        }
        let only = permit.only().filter(|reader| !self.reads_tickets_of_all(reader, &filter.requesters));
        filter.only = only.cloned();
        let page = self.store.tickets(&filter, start, limit).await?;
        let sights = self.sights(actor, page.items.iter().map(|ticket| ticket.number)).await?;
        Ok((page, sights))
    }

    /// What happened to a ticket after an entry, the first page after 0; a requester is not shown what is internal.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn timeline(
        &self,
        actor: &Actor,
        number: TicketNumber,
        after: i64,
        limit: usize,
    ) -> Result<Page<StoredEntry, i64>, Error> {
        let (ticket, _, permit) = self.readable(actor, number).await?;
        Ok(self.store.timeline_page(ticket.number, permit.sees(), after, limit).await?)
    }

    /// The last entries of what happened to a ticket, in order, at most `limit`; and how many come before them. A requester is not shown
    /// what is internal.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn timeline_end(
        &self,
        actor: &Actor,
        number: TicketNumber,
        limit: usize,
    ) -> Result<(Vec<StoredEntry>, i64), Error> {
        let (ticket, _, permit) = self.readable(actor, number).await?;
        Ok(self.store.timeline_end(ticket.number, permit.sees(), limit).await?)
    }

    /// How a ticket was decided, with the exact input of each stage: the runs of the rules after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for those who may see the ticket but not this.
    pub async fn decisions(
        &self,
        actor: &Actor,
        number: TicketNumber,
        after: Option<RunPlace>,
        limit: usize,
    ) -> Result<Page<StoredRun, RunPlace>, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::read_decisions(actor)?;
        Ok(self.store.runs_page(ticket.id, after, limit).await?)
    }

    /// The messages that a ticket has queued, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn messages(
        &self,
        actor: &Actor,
        number: TicketNumber,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<StoredMessage, MessageId>, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::read_decisions(actor)?;
        Ok(self.store.messages(ticket.id, after, limit).await?)
    }

    /// Adds a comment; the ticket after it. A comment commutes with all else that happens to the ticket. Words on a ticket that
    /// was merged go to the one that took it up, which is then the answer. Those who work on tickets may write down how many minutes
    /// it took. Files are seen by those who see the comment.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`]; [`Error::Rejected`] for an empty one, and for a file that is not there, not theirs, or
    /// another ticket's.
    pub async fn comment(
        &self,
        actor: &Actor,
        number: TicketNumber,
        words: Words<'_>,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        self.count_comment(actor, words.body.len())?;
        self.say(actor, (number, None), words, key, None).await
    }

    /// The same for words that are counted already, and about which the rules may have been asked; with the ticket where it was read a
    /// moment ago.
    ///
    /// # Errors
    ///
    /// As [`Office::comment`]; [`Error::Stale`] where the ticket is not as it was when the rules were asked.
    pub(super) async fn say(
        &self,
        actor: &Actor,
        (number, read): (TicketNumber, Option<JustRead>),
        Words { body, visibility, files, minutes, .. }: Words<'_>,
        key: Option<Key>,
        heard: Option<&Heard>,
    ) -> Result<Changed, Error> {
        let key = idempotency(actor, key);
        let passes_on = passes_on(actor, visibility);
        // Where it makes no difference whether the ticket is an outage, the ticket itself says where the words go, and is read once.
        let read = match read {
            None if passes_on.is_none() => self.store.ticket_and_case(number).await?,
            read => read,
        };
        let read = read.filter(|(ticket, _)| ticket.state != State::Merged);
        let (number, is_outage) = match &read {
            // It went nowhere, and whether it is an outage makes no difference.
            Some((ticket, _)) if passes_on.is_none() => (ticket.number, false),
            _ => self.store.merged_into(number).await?,
        };
        if let Some(before) = self.repeated(number, key.as_ref()).await? {
            return Ok(before);
        }
        let files = self.uploads(actor, files).await?;
        let passes_on = passes_on.filter(|_| is_outage);
        let read = read.filter(|(ticket, _)| ticket.number == number);
        let changed = self.commit_to(number, read, key, |ticket, case, at| {
            may_read(actor, ticket, case)?;
            let permit = permission::comment(actor, ticket, case, visibility)?;
            let effect = heard.map(|heard| heard.effect_on(ticket)).transpose()?;
            let mut said = ticket::judged_comment(ticket, body, effect, &permit, at)?;
            attach(&mut said, &files, (&actor.author(), visibility), at);
            if let Some(by) = &passes_on {
                said = outage::pass_on(said, by, at);
            }
            let change = match minutes {
                Some(minutes) => time::along(said, minutes, actor, at)?,
                None => said,
            };
            Ok(Some(Commit { change, run: heard.map(Heard::run), idempotency: None }))
        });
        let changed = changed.await?;
        if passes_on.is_some() {
            self.jobs.wake();
        }
        Ok(changed)
    }

    /// Changes a ticket by facts that hang on it, such as its tasks; the ticket after it. They are read after the ticket, of which a
    /// change of them makes another version: where others are quicker, both are read once more.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(super) async fn change_by<T, R: Future<Output = Result<T, store::Error>>>(
        &self,
        (actor, number): (&Actor, TicketNumber),
        key: Option<Key>,
        facts: impl Fn() -> R,
        make: impl Fn(&T, &Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<Changed, Error> {
        let key = idempotency(actor, key);
        if let Some(before) = self.repeated(number, key.as_ref()).await? {
            return Ok(before);
        }
        let mut turns = Turns::default();
        loop {
            let ticket = self.ticket(actor, number).await?;
            let known = facts().await?;
            let made = self.commit_as_read(ticket, key.clone(), |ticket, case, at| {
                may_read(actor, ticket, case)?;
                Ok(make(&known, ticket, case, at)?.map(Commit::from))
            });
            if let Some(changed) = made.await? {
                return Ok(changed);
            }
            if !turns.again().await {
                return Err(Busy::Ticket.into());
            }
        }
    }

    /// Changes a ticket by hand, if it is still at the version that the actor has seen; the ticket after it.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`]; [`Error::Rejected`] with what does not exist; [`Error::Refused`].
    pub async fn edit_ticket(
        &self,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        wanted: EditTicket,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let wanted = wanted.into_normal();
        let may = |ticket: &Ticket| Ok(permission::edit(actor, ticket).map(drop)?);
        self.commit_if((actor, number), condition, idempotency(actor, key), may, |ticket, _, at| {
            let permit = permission::edit(actor, ticket)?;
            Ok(edit(ticket, &wanted, &permit, at)?.map(Commit::from))
        })
        .await
    }

    /// Puts a ticket into another state, if it is still at the version that the actor has seen.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`]; [`Error::Refused`] where the table has no such transition for the actor.
    pub async fn transition(
        &self,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        wanted: Move,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        self.count_change(actor)?;
        let (key, around) = (idempotency(actor, key), || self.store.around(number));
        let may = |ticket: &Ticket| Ok(permission::transition(actor, ticket).map(drop)?);
        let make = |around: &Around, ticket: &Ticket, case: Option<&AccessCase>, at: &At<'_>| {
            let permit = permission::transition(actor, ticket)?;
            Ok(Some(Commit::from(ticket::transition(ticket, case, wanted.clone(), around, &permit, at)?)))
        };
        let (changed, around) = self.commit_if_by((actor, number), condition, key, may, around, make).await?;
        if around.is_some_and(|around| around.has_duplicates) || changed.ticket.state == State::Cancelled {
            self.jobs.wake();
        }
        Ok(changed)
    }
}

/// A reader's sight of each ticket of a list; `None` where that is all.
#[derive(Debug)]
pub struct Sights(Option<BTreeMap<TicketNumber, PublicState>>);

impl Sights {
    /// The reader's sight of one of the tickets.
    pub fn of(&self, ticket: &TicketSummary) -> Sight {
        let none = PublicState { version: 1, updated_at: ticket.created_at };
        match &self.0 {
            None => Sight::All,
            Some(states) => Sight::Public(states.get(&ticket.number).copied().unwrap_or(none)),
        }
    }
}

/// Whether the actor may read a ticket. Another person's ticket is not there, so that its number tells nothing.
///
/// # Errors
///
/// [`Error::Missing`].
pub(crate) fn may_read(actor: &Actor, ticket: &Ticket, case: Option<&AccessCase>) -> Result<MayRead, Error> {
    permission::read(actor, ticket, case).map_err(|refusal| match refusal {
        Refusal::Forbidden { .. } => Error::Missing { what: "ticket", name: ticket.number.to_string() },
        other => other.into(),
    })
}
