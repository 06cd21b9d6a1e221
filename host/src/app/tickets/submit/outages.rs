//! Outages: declared and ended by agents, read by all, and the tickets that are attached to them.

use crate::app::tickets::change::{Changed, Retry, Which};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::outage::{self, CHILDREN_MAX, Declaration, OUTAGES_MAX, Outage};
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::desk::ticket::timeline::Visibility;
use crate::store::tickets::endings::outages::WordsToPass;
use crate::store::{self, IdempotencyKey};

/// How long it is known which child has which words: longer than the desk tries.
const PASSED_KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// An outage with what those who work on tickets see besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenOutage {
    pub outage: Outage,
    /// How many tickets are attached; `None` for readers who see only the announcement.
    pub children: Option<i64>,
}

/// A comment's author, where words on an outage go to its children.
pub(in crate::app::tickets) fn passes_on(actor: &Actor, visibility: Visibility) -> Option<PersonId> {
    let goes = visibility == Visibility::Public && permission::list_internally(actor).is_ok();
    actor.person().filter(|_| goes).cloned()
}

impl Office {
    /// The outages that are declared now: their announcements for all, and which tickets they are for those who work on tickets.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn outages(&self, actor: &Actor) -> Result<Vec<SeenOutage>, Error> {
        permission::list(actor)?;
        if permission::list_internally(actor).is_err() {
            let announced = self.store.outages().await?.into_iter();
            return Ok(announced.map(|outage| SeenOutage { outage, children: None }).collect());
        }
        let all = self.store.outages_with_children().await?.into_iter();
        Ok(all.map(|(outage, children)| SeenOutage { outage, children: Some(children) }).collect())
    }

    /// Declares a ticket to be an outage, or changes what is said of it; the outage.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`]; [`Error::Rejected`] with what is wrong, and where there are too many.
    pub async fn declare_outage(
        &self,
        actor: &Actor,
        number: TicketNumber,
        declaration: Declaration,
    ) -> Result<SeenOutage, Error> {
        let declaration = declaration.into_normal();
        let facts = || self.outage_and_others(number);
        let declared =
            self.change_by((actor, number), None, facts, |facts: &(Option<Outage>, usize), ticket, case, at| {
                let (before, others) = facts;
                let permits =
                    (permission::edit(actor, ticket)?, permission::comment(actor, ticket, case, Visibility::Public)?);
                if *others >= OUTAGES_MAX {
                    let problem = Problem::of("announcement", "too-many", Fault::ManyOutages, &[&OUTAGES_MAX]);
                    return Err(problem.into());
                }
                Ok(outage::declare(ticket, &declaration, before.as_ref(), (&permits.0, &permits.1), at)?)
            });
        declared.await?;
        self.jobs.wake();
        let missing = || Error::Missing { what: "outage", name: number.to_string() };
        let outage = self.store.outage(number).await?.ok_or_else(missing)?;
        Ok(SeenOutage { outage, children: Some(self.store.children_of(number).await?) })
    }

    /// The outage that a ticket is or was, and how many others there are now.
    async fn outage_and_others(&self, number: TicketNumber) -> Result<(Option<Outage>, usize), store::Error> {
        let others = self.store.outages().await?.iter().filter(|outage| outage.ticket != number).count();
        Ok((self.store.outage(number).await?, others))
    }

    /// Lets an outage take no more submissions.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn end_outage(&self, actor: &Actor, number: TicketNumber) -> Result<Changed, Error> {
        let before = || self.store.outage(number);
        self.change_by((actor, number), None, before, |before: &Option<Outage>, ticket, _, at| {
            let permit = permission::edit(actor, ticket)?;
            let missing = || Error::Missing { what: "outage", name: number.to_string() };
            Ok(outage::end(ticket, before.as_ref().ok_or_else(missing)?, &permit, at)?)
        })
        .await
    }

    /// The outages that take submissions now and have room for one more.
    pub(super) async fn outages_with_room(&self) -> Result<Vec<Outage>, Error> {
        let mut all = self.store.outages_with_children().await?;
        all.retain(|(outage, children)| {
            let has_room = *children < CHILDREN_MAX;
            if !has_room {
                tracing::warn!(outage = %outage.ticket, CHILDREN_MAX, "an outage takes no more tickets");
            }
            has_room
        });
        Ok(all.into_iter().map(|(outage, _)| outage).collect())
    }

    /// Gives the children of an outage the words that were said on it since, some of them; each once, however often it is done. Whether
    /// more are to be passed on.
    pub(in crate::app::tickets) async fn pass_words_on(&self, parent: &Ticket) -> Result<bool, Error> {
        let page = self.store.words_to_pass(parent.number).await?;
        // Where none of them can be read, the next time finds the same.
        let more = page.next.is_some() && !page.items.is_empty();
        for words in page.items {
            let WordsToPass { comment, at, by, body } = words;
            for child in self.unfinished_linked((LinkKind::Child, parent.number), at).await? {
                let key = format!("{comment} for {child}");
                let digest = key.clone();
                let key = IdempotencyKey { actor: None, key, digest, kept_for: Some(PASSED_KEPT_FOR) };
                let change = self.change(Which::Number(child), Retry::Commutes, Some(key), |ticket, _, at| {
                    Ok(outage::hears(ticket, (&by, &body), at))
                });
                change.await?;
            }
            self.store.words_passed(parent.number, comment).await?;
        }
        Ok(more)
    }
}
