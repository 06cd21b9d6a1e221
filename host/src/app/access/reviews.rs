//! Access reviews: campaigns that ask whether access is still needed, the answers, and the end of access that no one has kept.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::unless_gone;
use crate::app::jobs::Outcome;
use crate::app::office::signatory;
use crate::app::tickets::change::{Key, idempotency};
use crate::app::{App, Error, Office};
use crate::desk::access::campaign::{self, Asks, ReviewItem, Said};
use crate::desk::access::{EndReason, Grant};
use crate::desk::actor::Actor;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{AppId, CampaignId, GrantId, PersonId, ReviewItemId, TicketId};
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::sla::later;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::edit::check_reason;
use crate::store::IdempotencyKey;
pub use crate::store::access::reviews::{Campaign, Progress, Reviewed, Which};
use crate::store::sql::page::Page;

/// Grants of one page.
const PAGE: usize = 200;
/// The shortest that a campaign may take: what no one keeps by then ends, so that those who are asked need the time to answer.
const LASTS_MIN: SignedDuration = SignedDuration::from_hours(24);
/// The longest.
const LASTS_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Campaigns that are listed.
const LISTED_MAX: usize = 200;

/// A campaign to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampaign {
    pub name: String,
    /// `None` for all apps.
    pub app: Option<String>,
    pub asks: Asks,
    pub due_at: Timestamp,
}

impl App {
    /// Begins a campaign: asks those who answer for each grant whether it is still needed. Grants that are in an open review already
    /// are left out. Where it is cut off, another campaign asks about the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`]; where the store cannot be read or written.
    pub async fn start_campaign(
        self: &Arc<Self>,
        actor: &Actor,
        new: NewCampaign,
    ) -> Result<(Campaign, Progress), Error> {
        permission::administer(actor)?;
        let campaign = self.campaign_of(actor, &new)?;
        self.store.start_campaign(&campaign).await?;
        let (app, id) = (Arc::clone(self), campaign.id);
        // In a task of its own, so that it goes on to the end when the client goes away.
        tokio::spawn(async move { app.ask_all(&campaign).await }).await??;
        let missing = || Error::Missing { what: "campaign", name: id.to_string() };
        self.store.campaigns(Some(id), 1).await?.pop().ok_or_else(missing)
    }

    fn campaign_of(&self, actor: &Actor, new: &NewCampaign) -> Result<Campaign, Error> {
        let now = self.clock.now();
        let mut problems: Vec<Problem> = check_reason("name", &new.name).into_iter().collect();
        let app: Option<AppId> = match new.app.as_deref() {
            None => None,
            Some(text) => match self.organisation().apps.get_key_value(text) {
                Some((id, _)) => Some(id.clone()),
                None => {
                    problems.push(Problem::new("app", "unknown", format!("`{text}` is no app of the catalog.")));
                    None
                }
            },
        };
        let [first, last] = [LASTS_MIN, LASTS_MAX].map(|lasts| later(now, lasts));
        if !(first..=last).contains(&new.due_at) {
            let message = "Give a time from a day to a year from now: those who are asked need time to answer.";
            problems.push(Problem::new("due_at", "out-of-range", message));
        }
        if !problems.is_empty() {
            return Err(Error::Rejected { problems });
        }
        Ok(Campaign {
            id: CampaignId(self.clock.new_id()),
            name: new.name.trim().to_owned(),
            app,
            asks: new.asks,
            started_by: signatory(actor).to_string(),
            started_at: now,
            due_at: new.due_at,
        })
    }

    async fn ask_all(&self, new: &Campaign) -> Result<(), Error> {
        let mut after: Option<GrantId> = None;
        loop {
            let page = self.store.to_review(new.app.as_ref(), self.clock.now(), after, PAGE).await?;
            for grant in &page.items {
                let about = (new.id, new.asks, new.due_at);
                let asked =
                    self.change_grant(grant.id, None, |ticket, grant, at| Ok(campaign::ask(ticket, grant, about, at)));
                unless_gone(asked.await)?;
            }
            if page.next.is_none() {
                return Ok(());
            }
            after = page.next;
        }
    }
}

impl Office {
    /// The campaigns, newest first. For agents, admins and the operator.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn campaigns(&self, actor: &Actor) -> Result<Vec<(Campaign, Progress)>, Error> {
        permission::read_decisions(actor)?;
        Ok(self.store.campaigns(None, LISTED_MAX).await?)
    }

    /// The reviews of a list, each with its grant and its last use: those that wait for the actor, also in the place of others who let
    /// them; all others for agents, admins and the operator.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn reviews(
        &self,
        actor: &Actor,
        which: &Which,
        after: Option<ReviewItemId>,
        limit: usize,
    ) -> Result<Page<Reviewed, ReviewItemId>, Error> {
        let own = |people: &[PersonId]| people.iter().all(|person| actor.person() == Some(person));
        let Some(person) = actor.person().filter(|_| matches!(which, Which::Awaiting(people) if own(people))) else {
            permission::read_decisions(actor)?;
            return Ok(self.store.reviews(which, after, limit).await?);
        };
        // Also what another host has taken a moment ago.
        self.catch_up_delegations().await?;
        let (organisation, now) = (self.organisation(), self.clock.now());
        let lets = |one: &&PersonId| organisation.delegates_of(one, now).any(|to| to == person);
        let mut people: Vec<PersonId> = organisation.people.keys().filter(lets).cloned().collect();
        // Who has one account and stands in for no one is no party to what a campaign asks them about.
        let is_alone = people.is_empty() && !organisation.linked().contains(person);
        people.push(person.clone());
        let page = self.store.reviews(&Which::Awaiting(people), after, limit).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for reviewed in page.items {
            let (item, ..) = &reviewed;
            let is_asked = is_alone && item.campaign.is_some() && item.reviewers.contains(person);
            // Most are asked about what they have a word in, and no request has to be read for it.
            if is_asked || Box::pin(self.may_answer(&reviewed, person)).await? {
                items.push(reviewed);
            }
        }
        Ok(Page { items, next: page.next })
    }

    /// Whether a person who finds a review in their list has a word in it: by the same rule as their answer is taken.
    async fn may_answer(&self, (item, grant, _): &Reviewed, person: &PersonId) -> Result<bool, Error> {
        let held = match unless_gone(self.reviewed_grant(item).await)? {
            Some(id) if id != grant.id => self.store.grant(id).await?,
            Some(_) | None => None,
        };
        let held = held.as_ref().unwrap_or(grant);
        let tickets = self.store.tickets_by_ids(&[item.ticket, held.ticket]).await?;
        let of = |id: TicketId| tickets.iter().find(|ticket| ticket.id == id).map(|ticket| &*ticket.submitted);
        // A request that is damaged is in no list, either.
        let (Some(first), Some(last)) = (of(item.ticket), of(held.ticket)) else { return Ok(false) };
        let about = (item, held, [first, last]);
        Ok(campaign::places(about, person, &self.organisation(), self.clock.now()).is_some())
    }

    /// Takes a reviewer's answer about a grant: access that is not kept is taken back at once.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`], also where the review does not ask the actor or is over; [`Error::Rejected`] without
    /// a reason where it is not kept.
    pub async fn answer_review(
        &self,
        actor: &Actor,
        id: ReviewItemId,
        (keep, reason): (bool, String),
        key: Option<Key>,
    ) -> Result<ReviewItem, Error> {
        let missing = || Error::Missing { what: "review", name: id.to_string() };
        let permit = permission::review_access(actor)?;
        let by = actor.person().ok_or(Refusal::NotAReviewer)?.clone();
        // Also what another host has taken a moment ago.
        self.catch_up_delegations().await?;
        let said = Said { by, keep, reason };
        let item = self.store.review(id).await?.ok_or_else(missing)?;
        // A submission never changes, whichever change of its ticket is the last.
        let about = self.store.ticket_by_id(item.ticket).await?.ok_or_else(missing)?.submitted;
        self.change_reviewed(&item, idempotency(actor, key), |ticket, grant, item, at| {
            Ok(Some(campaign::answer(ticket, grant, (item, &said, &about), &permit, at)?))
        })
        .await?;
        self.store.review(id).await?.ok_or_else(missing)
    }

    /// Ends the overdue reviews of the access that a ticket gave.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the ticket changes all the time; where the store cannot be read or written.
    pub async fn end_reviews(&self, ticket: TicketId) -> Result<Outcome, Error> {
        let mut next = None;
        for item in self.store.open_reviews(ticket).await? {
            if item.due_at > self.clock.now() {
                next = next.into_iter().chain([item.due_at]).min();
                continue;
            }
            self.change_reviewed(&item, None, |ticket, grant, item, at| Ok(campaign::lapse(ticket, grant, item, at)))
                .await?;
        }
        Ok(next.map_or(Outcome::Done, Outcome::NotBefore))
    }

    /// Asks others about access where all have left who were asked, or are the one who holds it by another account.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: what was not reached is done with the next look.
    pub(super) async fn follow_reviewers(&self) -> Result<(), Error> {
        let organisation = self.organisation();
        let linked = organisation.linked();
        let stays = |person: &PersonId| organisation.is_active(person) && !linked.contains(person);
        let mut after = None;
        loop {
            let page = self.store.all_open_reviews(after, PAGE).await?;
            let left: Vec<&ReviewItem> = page.items.iter().filter(|item| !item.reviewers.iter().any(stays)).collect();
            for item in left {
                unless_gone(self.ask_others(item).await)?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn ask_others(&self, item: &ReviewItem) -> Result<(), Error> {
        self.change_reviewed(item, None, |ticket, grant, item, at| Ok(campaign::follow(ticket, grant, item, at))).await
    }

    /// Changes a review with the grant that gives the access now. If the access was extended between the look for that grant and the
    /// change, the new grant is looked for once more, so that an extension does not escape the review.
    async fn change_reviewed(
        &self,
        item: &ReviewItem,
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, &Grant, &ReviewItem, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<(), Error> {
        let mut before = None;
        loop {
            let grant = self.reviewed_grant(item).await?;
            // Found a second time, it is the last grant: it has ended, and no other took its place.
            let is_last = before.replace(grant) == Some(grant);
            let changed = self.change_review((grant, item.id), key.clone(), |ticket, grant, item, at| {
                if grant.end_reason == Some(EndReason::Replaced) && !is_last {
                    return Err(Error::Stale { version: ticket.version });
                }
                make(ticket, grant, item, at)
            });
            match Box::pin(changed).await {
                Err(Error::Stale { .. }) if !is_last => {}
                changed => return changed,
            }
        }
    }

    /// The grant that gives the access of a review now: more time for it, which came meanwhile, does not escape the review.
    pub(super) async fn reviewed_grant(&self, item: &ReviewItem) -> Result<GrantId, Error> {
        let missing = || Error::Missing { what: "grant", name: item.grant.to_string() };
        let grant = self.store.grant(item.grant).await?.ok_or_else(missing)?;
        let now = self.clock.now();
        if !grant.has_ended(now) {
            return Ok(grant.id);
        }
        let held = self.store.held(&grant.subject, now).await?;
        let same = |other: &&Grant| {
            (&other.app, &other.tier, &other.role) == (&grant.app, &grant.tier, &grant.role)
                && grant.end_reason == Some(EndReason::Replaced)
        };
        Ok(held.iter().find(same).map_or(grant.id, |other| other.id))
    }
}
