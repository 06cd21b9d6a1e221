//! A change by hand after which the rules are asked again, with a record of what they were asked and said.
//!
//! Where a person asks for that, a ticket that gets another category gets the priority and the team that the rules find for that. By
//! itself only routing is asked, where the configuration has it so:
//!
//! - when a ticket gets another category and the person names no team: it goes where the rules say. A team that a person has set by
//!   hand before stays, as the timeline says by whom and why;
//! - when a ticket goes to another team and the person names no one there: the team stays as it was named, and the rules say who of it
//!   can have the ticket, where they would have sent it there too.
//!
//! The edit of a macro or of a bulk change is one by hand, ticket by ticket: the rules are asked after it as after any other.

use std::sync::Arc;

use crate::app::decide::{again, pipeline};
use crate::app::error::{Broken, Busy};
use crate::app::rollout::health::Cause;
use crate::app::tickets::bulk::{Asked, Step};
use crate::app::tickets::change::{Changed, Key, idempotency};
use crate::app::{App, Error};
use crate::desk::actor::{Actor, Author};
use crate::desk::change::condition::Condition;
use crate::desk::id::{CategoryId, TicketNumber};
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::edit::{EditTicket, Found, edit_with};
use crate::desk::ticket::timeline::{Event, Field, Visibility};
use crate::rules::contract::SoFar;
use crate::store::{Commit, PackedRun};

/// The stages that are asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    PriorityAndRouting,
    Routing,
}

impl App {
    /// Changes a ticket by hand as [`crate::app::Office::edit_ticket`] does. The rules are asked for its priority and its team again, as
    /// far as the person names neither, where `asks` says so; where it says nothing, they are asked as the configuration has it.
    ///
    /// # Errors
    ///
    /// As [`crate::app::Office::edit_ticket`]; [`Error::Busy`] where the rules have too much to do and `asks` wants them, or the category
    /// has changed meanwhile.
    pub async fn edit_by_hand(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        (wanted, asks): (EditTicket, Option<bool>),
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let wanted = wanted.into_normal();
        let routes = match asks {
            Some(true) => {
                let asked = (wanted, Again::PriorityAndRouting);
                return self.edit_and_ask((actor, number), condition, asked, key).await;
            }
            Some(false) => false,
            None => self.routes_again(actor, number, &wanted).await?,
        };
        if routes {
            let asked = (wanted.clone(), Again::Routing);
            let changed = self.edit_and_ask((actor, number), condition, asked, key.clone()).await;
            // Rules that have too much to do keep no person from changing a ticket.
            if !matches!(changed, Err(Error::Busy(Busy::Workers(_)))) {
                return changed;
            }
        }
        self.edit_ticket(actor, number, condition, wanted, key).await
    }

    async fn edit_and_ask(
        self: &Arc<Self>,
        (actor, number): (&Actor, TicketNumber),
        condition: &Condition,
        (wanted, again): (EditTicket, Again),
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let key = idempotency(actor, key);
        if let Some(before) = self.repeated(number, key.as_ref()).await? {
            return Ok(before);
        }
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::edit(actor, &ticket)?;
        let category = self.category_of(&ticket, &wanted);
        let (found, run) = self.reconsider(actor, &ticket, &category, again).await?;
        let may = |ticket: &Ticket| Ok(permission::edit(actor, ticket).map(drop)?);
        self.commit_if((actor, number), condition, key, may, |ticket, _, at| {
            if self.category_of(ticket, &wanted) != category {
                return Err(Busy::Ticket.into());
            }
            let permit = permission::edit(actor, ticket)?;
            let change = edit_with(ticket, &wanted, &found, &permit, at)?;
            Ok(change.map(|change| Commit { run: run.clone(), ..Commit::from(change) }))
        })
        .await
    }

    /// Whether routing is asked again by itself after this change.
    async fn routes_again(&self, actor: &Actor, number: TicketNumber, wanted: &EditTicket) -> Result<bool, Error> {
        let names_none = wanted.category.is_none() && wanted.team.is_none();
        if names_none || wanted.assignee.is_some() {
            return Ok(false);
        }
        let Some(ticket) = self.store.ticket(number).await? else { return Ok(false) };
        let organisation = self.organisation();
        let policy = &organisation.routing;
        let is_asked = !policy.not_for.contains(&ticket.submitted.request_type) && ticket.state.is_unfinished();
        if !is_asked || permission::edit(actor, &ticket).is_err() {
            return Ok(false);
        }
        if let Some(team) = &wanted.team {
            return Ok(policy.after_team && team != ticket.team.as_str());
        }
        let changes = self.category_of(&ticket, wanted) != ticket.category;
        Ok(policy.after_category && changes && !self.is_routed_by_hand(number).await?)
    }

    /// The rules' word on a ticket as the edit of a step leaves it, where they are asked after such an edit by itself.
    pub(in crate::app::tickets) async fn ask_about_step(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        step: &Step,
    ) -> Result<Option<Asked>, Error> {
        let Some(wanted) = step.edit(actor, &self.organisation()) else { return Ok(None) };
        if !self.routes_again(actor, number, &wanted).await? {
            return Ok(None);
        }
        let Some(ticket) = self.store.ticket(number).await? else { return Ok(None) };
        let category = self.category_of(&ticket, &wanted);
        let (found, run) = self.reconsider(actor, &ticket, &category, Again::Routing).await?;
        Ok(Some(Asked { category, found, run }))
    }

    /// Whether it was a person who set a ticket's team last.
    async fn is_routed_by_hand(&self, number: TicketNumber) -> Result<bool, Error> {
        let settings = self.store.settings(number, Visibility::Internal).await?;
        let of_team = settings.iter().rfind(|one| matches!(one.entry.event, Event::Set { field: Field::Team, .. }));
        Ok(of_team.is_some_and(|one| matches!(one.entry.author, Author::Person(_))))
    }

    /// The category that a ticket is to have; its own where there is no such category, which the change itself refuses.
    fn category_of(&self, ticket: &Ticket, wanted: &EditTicket) -> CategoryId {
        wanted.category_on(ticket, &self.organisation())
    }

    /// Asks these stages about a ticket with this category, in the lane of the one who wants to know. There is no record of routing
    /// alone where no rule was asked.
    async fn reconsider(
        self: &Arc<Self>,
        actor: &Actor,
        ticket: &Ticket,
        category: &CategoryId,
        again: Again,
    ) -> Result<(Found, Option<PackedRun>), Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let new = again::submitted(ticket);
        let cause = Cause::new(&new.submitted_by, new.text_bytes());
        let ticket = Ticket { category: category.clone(), ..ticket.clone() };
        let rates = again == Again::PriorityAndRouting;
        let so_far = match again {
            Again::PriorityAndRouting => again::classified(&ticket),
            Again::Routing => SoFar { team: None, assignee: None, ..again::so_far(&ticket) },
        };
        let shown = again::shown(&ticket);
        let case = self.question((organisation, self.rules.generation()), new, (ticket.id, now));
        let lane = actor.person().unwrap_or(&ticket.submitted.submitted_by);
        let category = category.clone();
        let asked = self
            .rules
            .workers()
            .run(lane.as_str(), move || pipeline::reconsider(case, shown, so_far, (&category, rates)));
        let pipeline::Reconsidered { rated, routed, samples, packed } = asked.await?;
        let is_recorded = rates || !samples.is_empty();
        self.metrics.count_calls(&samples);
        self.judge(&samples, cause);
        let packed = packed.map_err(Broken::Unpacked)?;
        Ok((Found { rated, routed }, is_recorded.then_some(packed)))
    }
}
