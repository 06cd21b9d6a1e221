//! Links between tickets: made by hand, by merging, follow-ups and splitting, and what the desk does because of them.

use std::sync::Arc;

use jiff::Timestamp;

use super::change::{Changed, Key, Retry, Which, idempotency};
use super::submit::{Coming, CreatedTicket};
use super::work::may_read;
use crate::app::jobs::Outcome;
use crate::app::{App, Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::id::{PersonId, TicketId, TicketNumber};
use crate::desk::organisation::form::Raw;
use crate::desk::organisation::parts::raw;
use crate::desk::permission;
use crate::desk::ticket::intake::{Submission, outage};
use crate::desk::ticket::lifecycle::links::{self, Around, LinkKind, Origin, Reach};
use crate::desk::ticket::lifecycle::merge;
use crate::desk::ticket::lifecycle::resolution::resolve_duplicate;
use crate::desk::ticket::lifecycle::watchers;
use crate::desk::ticket::{State, Submitted, Ticket};
pub use crate::store::tickets::endings::StoredLink;
use crate::store::{self, Commit, IdempotencyKey};

/// A new ticket that comes from another one, which fills in what is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Branch {
    pub request_type: Option<String>,
    pub subject: Option<String>,
    pub body: String,
    /// The form's fields; with another form, those of the ticket stay behind.
    pub fields: Option<Vec<(String, Raw)>>,
}

impl Office {
    /// The links of a ticket in both directions. They name other people's tickets, so that they are for those who work on
    /// tickets.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn links(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<StoredLink>, Error> {
        let (ticket, case) = self.ticket(actor, number).await?;
        may_read(actor, &ticket, case.as_ref())?;
        permission::list_internally(actor)?;
        Ok(self.store.links(ticket.number).await?)
    }

    /// Links a ticket with another, on which it then depends; the ticket after it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for either ticket; [`Error::Refused`] where they would depend on each other.
    pub async fn link(
        &self,
        actor: &Actor,
        number: TicketNumber,
        (kind, other): (LinkKind, TicketNumber),
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        self.find(other).await?;
        let reach = || self.reach(number, (kind, other));
        self.change_by((actor, number), key, reach, |reach: &Reach, ticket, _, at| {
            let permit = permission::edit(actor, ticket)?;
            Ok(links::link(ticket, (kind, other), *reach, &permit, at)?)
        })
        .await
    }

    async fn reach(&self, number: TicketNumber, to: (LinkKind, TicketNumber)) -> Result<Reach, store::Error> {
        let (kind, other) = to;
        Ok(Reach {
            leads_back: self.store.leads(kind, other, number).await?,
            exists: self.store.has_link(number, to).await?,
        })
    }

    /// Takes a link of a ticket away, or a rule's proposal that it repeats another; the ticket after it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn unlink(
        &self,
        actor: &Actor,
        number: TicketNumber,
        (kind, other): (LinkKind, TicketNumber),
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let facts = || self.attached(number, (kind, other));
        self.change_by((actor, number), key, facts, |facts: &(bool, bool), ticket, _, at| {
            let (exists, detaches) = *facts;
            let permit = permission::edit(actor, ticket)?;
            let unlinked = links::unlink(ticket, (kind, other), exists, &permit, at)?;
            Ok(if detaches { unlinked.map(|change| outage::detached(change, ticket, at)) } else { unlinked })
        })
        .await
    }

    /// Whether a ticket has this link, and whether that attaches it to an outage.
    async fn attached(&self, number: TicketNumber, to: (LinkKind, TicketNumber)) -> Result<(bool, bool), store::Error> {
        let exists = self.store.has_link(number, to).await?;
        Ok((exists, exists && to.0 == LinkKind::Child && self.store.is_outage(to.1).await?))
    }

    /// Merges a ticket into another of the same requester, if it is still at the version that the actor has seen; the merged
    /// ticket after it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for either ticket; [`Error::Stale`]; [`Error::Refused`].
    pub async fn merge(
        &self,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        (target, reason): (TicketNumber, &str),
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let target = self.ticket(actor, target).await?.0;
        let may = |ticket: &Ticket| Ok(permission::transition(actor, ticket).map(drop)?);
        let changed = self.commit_if((actor, number), condition, idempotency(actor, key), may, |ticket, case, at| {
            let permit = permission::transition(actor, ticket)?;
            Ok(Some(Commit::from(merge::merge(ticket, case, &target, reason, &permit, at)?)))
        });
        let changed = changed.await?;
        self.jobs.wake();
        Ok(changed)
    }

    /// Lets the tickets that are linked with one follow what has become of it: its duplicates are resolved with it, its parts are
    /// cancelled with it, and the ticket that it was merged into says so. Done again, it changes nothing more.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where one of them changes all the time; where the store cannot be read or written.
    pub async fn follow_links(&self, id: TicketId) -> Result<Outcome, Error> {
        let Some(ticket) = self.store.ticket_by_id(id).await? else { return Ok(Outcome::Done) };
        // The rest comes at once, and before anything else: who is resolved with it hears all that was said until then.
        if self.pass_words_on(&ticket).await? {
            return Ok(Outcome::NotBefore(self.clock.now()));
        }
        match ticket.state {
            State::Resolved | State::Closed => self.resolve_along(&ticket).await?,
            State::Merged => self.note_merge(&ticket).await?,
            State::Cancelled => Box::pin(self.cancel_parts(&ticket)).await?,
            _ => {}
        }
        Ok(Outcome::Done)
    }

    /// Resolves the duplicates of a ticket that is resolved, and the children of an outage.
    async fn resolve_along(&self, resolved: &Ticket) -> Result<(), Error> {
        let Some(last) = self.store.last_resolution(resolved.number).await? else { return Ok(()) };
        let mut along = self.unfinished_linked((LinkKind::Duplicate, resolved.number), Timestamp::MAX).await?;
        if self.store.is_outage(resolved.number).await? {
            along.extend(self.unfinished_linked((LinkKind::Child, resolved.number), Timestamp::MAX).await?);
        }
        let desk = Actor::System;
        for number in along {
            let around = || self.store.around(number);
            let follow = self.change_by((&desk, number), None, around, |around: &Around, ticket, _, at| {
                Ok(resolve_duplicate(ticket, (&resolved.category, &last.record), around, at))
            });
            follow.await?;
        }
        Ok(())
    }

    /// The unfinished tickets from which links of a kind led to one at some time.
    pub(super) async fn unfinished_linked(
        &self,
        to: (LinkKind, TicketNumber),
        at: Timestamp,
    ) -> Result<Vec<TicketNumber>, Error> {
        let mut all = Vec::new();
        loop {
            let after = all.last().copied().unwrap_or(TicketNumber(0));
            let more = self.store.unfinished_linked(to, at, after).await?;
            if more.is_empty() {
                return Ok(all);
            }
            all.extend(more);
        }
    }

    async fn note_merge(&self, merged: &Ticket) -> Result<(), Error> {
        for target in self.store.linked_from(merged.number, LinkKind::MergedInto).await? {
            // By its key it is written once, however often this is done.
            let key = format!("{} merged into {target}", merged.number);
            let key = IdempotencyKey { actor: None, digest: key.clone(), key, kept_for: None };
            let noted = self.change(Which::Number(target), Retry::Commutes, Some(key), |ticket, _, at| {
                Ok(Some(links::noted(ticket, (LinkKind::MergedInto, merged.number), at)))
            });
            noted.await?;
        }
        self.bring_followers(merged).await
    }

    /// Lets those who follow a merged ticket follow the one that takes its later words, which is the last of several in a row.
    async fn bring_followers(&self, merged: &Ticket) -> Result<(), Error> {
        let (last, _) = self.store.merged_into(merged.number).await?;
        if merged.watchers.is_empty() || last == merged.number {
            return Ok(());
        }
        // Once: who has ceased to follow it since then does not begin again.
        let key = format!("those who follow {} follow {last}", merged.number);
        let key = IdempotencyKey { actor: None, digest: key.clone(), key, kept_for: None };
        let brought = self.change(Which::Number(last), Retry::Commutes, Some(key), |ticket, _, at| {
            Ok(watchers::follow_on(ticket, merged, at))
        });
        brought.await.map(drop)
    }
}

impl App {
    /// Takes up a ticket that is over in a new one, which is linked with it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; as [`App::create_ticket`].
    pub async fn follow_up(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        branch: Branch,
        key: Option<Key>,
    ) -> Result<CreatedTicket, Error> {
        let (ticket, case) = self.ticket(actor, number).await?;
        may_read(actor, &ticket, case.as_ref())?;
        self.branch_off(actor, &ticket, LinkKind::FollowUp, branch, key).await
    }

    /// Splits a part of a ticket off into a new one of the same requester, which is linked with it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for an actor who may not change the ticket; as [`App::create_ticket`].
    pub async fn split(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        branch: Branch,
        key: Option<Key>,
    ) -> Result<CreatedTicket, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::edit(actor, &ticket)?;
        self.branch_off(actor, &ticket, LinkKind::SplitFrom, branch, key).await
    }

    async fn branch_off(
        self: &Arc<Self>,
        actor: &Actor,
        ticket: &Ticket,
        kind: LinkKind,
        branch: Branch,
        key: Option<Key>,
    ) -> Result<CreatedTicket, Error> {
        let submission = submission(&ticket.submitted, branch);
        let requester: Option<PersonId> = Some(ticket.submitted.requester.clone());
        let coming = Coming { origin: Origin { kind, of: ticket.number }, beside: None };
        self.create_from(actor, requester, submission, Some(coming), key).await
    }
}

/// The submission of a ticket that comes from another: the fields go with the form.
pub(super) fn submission(from: &Submitted, branch: Branch) -> Submission {
    let same_form = branch.request_type.as_deref().is_none_or(|name| name == from.request_type.as_str());
    let kept = from.fields.iter().filter(|_| same_form).map(|(name, value)| (name.clone(), raw(value)));
    let fields = branch.fields.unwrap_or_else(|| kept.collect());
    Submission {
        request_type: branch.request_type.unwrap_or_else(|| from.request_type.to_string()),
        channel: from.channel.clone(),
        subject: branch.subject.unwrap_or_else(|| from.subject.clone()),
        body: branch.body,
        fields,
        ..Submission::default()
    }
}
