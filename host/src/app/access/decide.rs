//! People decide about access.

use std::fmt::Display;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::app::access::view::INSIGHTS;
use crate::app::decide::{again, pipeline};
use crate::app::error::{Broken, Busy};
use crate::app::rollout::health::Cause;
use crate::app::tickets::change::{Changed, Key, Retry, Which, idempotency};
use crate::app::tickets::work::{LIST_BYTES_MAX, Sights, may_read};
use crate::app::{App, Error, Office};
use crate::desk::access::{self, AccessCase, AccessState, ApproverDecision, Review, Seen};
use crate::desk::actor::Actor;
use crate::desk::change::AccessSeen;
use crate::desk::id::{PersonId, TicketId, TicketNumber};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::sla::earlier;
use crate::desk::ticket::Ticket;
use crate::desk::verdict::access::AccessVerdict;
pub use crate::store::access::ListedGrant;
pub use crate::store::access::lists::GrantPlace;
use crate::store::sql::page::Page;
use crate::store::tickets::summary::TicketSummary;
use crate::store::{Commit, PackedRun};

/// How long what has ended is among the access that is listed of a person.
const SHOWN_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How often a decision is taken again while others about the same access are written.
const TRIES_MAX: usize = 8;

/// The rules' word in the moment in which access is about to be given, and the record of that.
pub(in crate::app) struct Looked {
    review: Review,
    seen: Vec<AccessSeen>,
    run: Option<PackedRun>,
}

impl Looked {
    /// The rules' word.
    pub(in crate::app) fn verdict(&self) -> Option<&AccessVerdict> {
        self.review.verdict.as_ref()
    }
}

impl App {
    /// Takes an approver's decision, as [`Office::decide_access`]. Before access is given, the rules for access are asked
    /// again: what they know of conflicts and seats has changed with all that was granted since.
    ///
    /// # Errors
    ///
    /// Those of the office's; [`Error::Busy`] where the rules have too much to do.
    pub async fn decide_access(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        mut decision: ApproverDecision,
        key: Option<Key>,
    ) -> Result<(Ticket, AccessCase), Error> {
        // Also what another host has taken a moment ago.
        self.catch_up_delegations().await?;
        // What was shown has gone on by a decision that is only sent again.
        if let Some(seen) = &mut decision.seen
            && !self.is_repeated(actor, key.clone()).await?
        {
            self.check_seen(actor, number, seen).await?;
        }
        let decision = &decision;
        for _ in 0..TRIES_MAX {
            let looked = if decision.approve { self.look_again(actor, number).await? } else { None };
            match self.office.decide_access(actor, number, decision, (looked.as_ref(), key.clone())).await {
                // Access has gone on since the rules were asked.
                Err(Error::Stale { .. }) => {}
                decided => return decided,
            }
        }
        Err(Busy::Ticket.into())
    }

    /// Whether the same was done before under its key.
    pub(super) async fn is_repeated(&self, actor: &Actor, key: Option<Key>) -> Result<bool, Error> {
        let Some(claim) = idempotency(actor, key) else { return Ok(false) };
        Ok(self.store.made_under(&claim, self.clock.now()).await?.is_some())
    }

    /// Takes what an approver says they were shown, where that is what they would be shown now.
    async fn check_seen(self: &Arc<Self>, actor: &Actor, number: TicketNumber, seen: &mut Seen) -> Result<(), Error> {
        let known = |insight: &String| INSIGHTS.contains(&insight.as_str());
        let unknown = seen.insights.iter().find(|insight| !known(insight));
        if let Some(unknown) = unknown.filter(|_| seen.insights.len() <= INSIGHTS.len()) {
            let values: [&dyn Display; 2] = [unknown, &INSIGHTS.join(", ")];
            let problem = Problem::of("insights", "unknown", Fault::NoInsight, &values);
            return Err(problem.into());
        }
        let shown = self.decision_view(actor, number).await?;
        if shown.snapshot != seen.snapshot || seen.insights.len() > INSIGHTS.len() {
            return Err(Refusal::SeenHasChanged.into());
        }
        seen.shown = serde_json::to_string(&shown.view).unwrap_or_default();
        Ok(())
    }

    /// Asks the rules for access again; `None` where the actor may not decide, or there is nothing left to give.
    async fn look_again(self: &Arc<Self>, actor: &Actor, number: TicketNumber) -> Result<Option<Looked>, Error> {
        let organisation = self.organisation();
        let Some((ticket, Some(case))) = self.store.ticket_and_case(number).await? else { return Ok(None) };
        let (case, _) = case.following(&organisation, self.clock.now());
        if permission::decide_access(actor, &ticket, &case).is_err() {
            return Ok(None);
        }
        let lane = actor.person().unwrap_or(&ticket.submitted.submitted_by).clone();
        self.ask_again(&ticket, &case, &lane).await.map(Some)
    }

    /// Asks the rules for access about a request as things are now, in a person's lane.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the rules have too much to do; where the store cannot be read.
    pub(in crate::app) async fn ask_again(
        self: &Arc<Self>,
        ticket: &Ticket,
        case: &AccessCase,
        lane: &PersonId,
    ) -> Result<Looked, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let facts = self.access_facts(&organisation, &case.request, now).await?;
        let generation = self.rules.generation();
        let new = again::submitted(ticket);
        let cause = Cause::new(organisation.human(&new.submitted_by), new.text_bytes());
        let (shown, so_far) = (again::shown(ticket), again::so_far(ticket));
        let about = self.question((organisation, generation), new, (ticket.id, now));
        let asked = self.rules.workers().run(lane.as_str(), move || {
            let reviewed = pipeline::review(about, shown, &so_far, &facts);
            (reviewed, facts)
        });
        let (reviewed, facts) = asked.await?;
        self.judge(&reviewed.samples, cause);
        let run = reviewed.packed.map_err(Broken::Unpacked)?;
        let review = facts.review(reviewed.verdict);
        Ok(Looked { review, seen: facts.seen, run: Some(run) })
    }
}

impl Office {
    /// Takes an approver's decision; `looked` is what the rules said a moment ago. The last approval is the provisioning: the
    /// grant is in the same transaction. Who may approve is looked up in the organisation as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the request does not await the actor, also because another approver was quicker;
    /// [`Error::Stale`] where access has gone on since the rules were asked.
    async fn decide_access(
        &self,
        actor: &Actor,
        number: TicketNumber,
        decision: &ApproverDecision,
        (looked, key): (Option<&Looked>, Option<Key>),
    ) -> Result<(Ticket, AccessCase), Error> {
        let missing = || Error::Missing { what: "access request", name: number.to_string() };
        let retry = if looked.is_some() { Retry::Never } else { Retry::Commutes };
        let key = idempotency(actor, key);
        let decided = self.commit_change(Which::Number(number), retry, key, |ticket, case, at| {
            let asked_before = case.zip(actor.person()).is_some_and(|(case, person)| case.asked_before(person));
            if let Err(error) = may_read(actor, ticket, case) {
                return Err(if asked_before { Refusal::NotAnApprover.into() } else { error });
            }
            let case = case.ok_or_else(missing)?;
            let (now, _) = case.following(at.organisation, at.now);
            let permit = permission::decide_access(actor, ticket, &now)?;
            let at = &at.reviewing(looked.map(|looked| looked.review.clone()).unwrap_or_default());
            let change = access::decide(ticket, case, decision, &permit, at)?;
            let settles = change.case().is_some_and(|case| case.state != AccessState::Awaiting);
            let looked = looked.filter(|_| settles);
            let seen = looked.map(|looked| looked.seen.clone()).unwrap_or_default();
            let run = looked.and_then(|looked| looked.run.clone());
            Ok(Some(Commit { change: change.only_while(seen), run, idempotency: None }))
        });
        let Changed { ticket, case, .. } = decided.await?;
        let case = case.ok_or_else(missing)?;
        // What is given now is provisioned at once.
        if case.state == AccessState::Approved {
            self.jobs.wake();
        }
        Ok((ticket, case))
    }

    /// The tickets whose access requests await the actor, after one of them, oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn awaiting(
        &self,
        actor: &Actor,
        after: Option<TicketId>,
        limit: usize,
    ) -> Result<(Page<(TicketSummary, Option<AccessCase>), TicketId>, Sights), Error> {
        let page = match actor.person() {
            Some(person) => self.store.awaiting(person, after, limit).await?,
            None => Page { items: Vec::new(), next: None },
        };
        let page = page.within(
            LIST_BYTES_MAX,
            |(_, case)| case.as_ref().map_or(0, AccessCase::text_bytes),
            |(ticket, _)| ticket.id,
        );
        let sights = self.sights(actor, page.items.iter().map(|(ticket, _)| ticket.number)).await?;
        Ok((page, sights))
    }

    /// The grants that a person holds and has held in the last year, after one of them: one's own, or those of any person for
    /// agents and admins. Each with whether it gives access now.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn grants(
        &self,
        actor: &Actor,
        person: &PersonId,
        after: Option<GrantPlace>,
        limit: usize,
    ) -> Result<Page<(ListedGrant, bool), GrantPlace>, Error> {
        if actor.person() != Some(person) {
            permission::read_decisions(actor)?;
        }
        let is_new = after.is_none();
        let now = self.clock.now();
        let page = self.store.grants_page(person, earlier(now, SHOWN_FOR), after, limit).await?;
        // One who has left the directory may have held something all the same.
        if is_new && page.items.is_empty() && !self.organisation().people.contains_key(person) {
            return Err(Error::Missing { what: "person", name: person.to_string() });
        }
        let organisation = self.organisation();
        Ok(page.map(|listed| {
            let effective = listed.grant.gives_access(&organisation, now);
            (listed, effective)
        }))
    }
}
