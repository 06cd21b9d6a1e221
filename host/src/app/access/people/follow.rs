//! Access follows the organisation: when the configuration is read again, when a desk starts, and every hour.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::access::unless_gone;
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;
use crate::app::tickets::change::{Retry, Which};
use crate::app::{App, Error, Office};
use crate::desk::access::campaign::{self, AfterMove, ReviewItem};
use crate::desk::access::provisioning::progress;
use crate::desk::access::{self, Grant};
use crate::desk::id::{PersonId, TicketId};
use crate::desk::organisation::{Item, Organisation};
use crate::desk::ticket::timeline::{Event, Visibility};

/// How often open requests and grants are compared with the organisation, besides whenever that changes.
const EVERY: Duration = Duration::from_secs(3600);
/// Open requests that are looked at together.
const PAGE: usize = 200;
impl Office {
    /// Takes open requests to those who may approve them now, and open reviews to those who may answer them, ends what people hold
    /// who have left, has reviewed what one human may not hold together, and orders what is held in apps that have a connector since.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: what was not reached is done with the next look.
    pub async fn follow_people(&self) -> Result<(), Error> {
        self.follow_approvers().await?;
        if self.end_leavers().await? {
            self.take_from_leavers().await?;
            self.take_defaults().await?;
            self.end_delegations_of_leavers().await?;
        }
        self.follow_reviewers().await?;
        self.follow_duties().await?;
        self.follow_connectors().await
    }

    /// Takes from people who have left what they hold by default, with no grant that could end (I14).
    async fn take_defaults(&self) -> Result<(), Error> {
        let organisation = self.organisation();
        if organisation.apps.values().all(|app| app.default_tier.is_none()) {
            return Ok(());
        }
        for (person, grant) in self.store.held_without_grant(self.clock.now()).await? {
            if organisation.is_active(&person) {
                continue;
            }
            let taken = self.change_in_app(grant, None, |ticket, grant, at| Ok(progress::take_rest(ticket, grant, at)));
            unless_gone(taken.await)?;
        }
        Ok(())
    }

    /// Has reviewed what one human holds by now that no person may hold together, and what one human has approved or asked for by
    /// accounts that were taken for several people, or kept in a review: they were linked since, or a set was made (I2, I3, I5).
    async fn follow_duties(&self) -> Result<(), Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let mut humans = BTreeSet::new();
        for set in &organisation.incompatible {
            let one = self.humans_with(&organisation, &set.one, now).await?;
            let other = self.humans_with(&organisation, &set.other, now).await?;
            humans.extend(one.intersection(&other).cloned());
        }
        for human in humans {
            let mut held = Vec::new();
            for account in [human.clone()].iter().chain(&organisation.other_accounts(&human)) {
                held.extend(self.store.grants_as_far_as_known(account, now, None).await?);
            }
            held.retain(|grant| grant.state.supports() && !grant.has_ended(now));
            for (grant, why) in access::held_together(&held, &organisation.incompatible) {
                unless_damaged(self.doubted(grant, &why).await)?;
            }
        }
        let linked: Vec<&PersonId> = organisation.linked().into_iter().collect();
        for some in linked.chunks(PAGE) {
            for ticket in self.store.approved_by(some, now).await? {
                unless_damaged(self.follow_approvals(&organisation, ticket).await)?;
            }
            for item in self.store.kept_by(some, now).await? {
                unless_damaged(self.follow_kept(&organisation, &item).await)?;
            }
        }
        Ok(())
    }

    async fn follow_approvals(&self, organisation: &Organisation, ticket: TicketId) -> Result<(), Error> {
        let Some((_, Some(case))) = self.store.ticket_and_case_by_id(ticket).await? else { return Ok(()) };
        let Some(why) = case.approved_by_one(organisation) else { return Ok(()) };
        for grant in self.store.grants_of_ticket(ticket).await? {
            self.doubted(&grant, &why).await?;
        }
        Ok(())
    }

    /// Has access reviewed once more that was kept by the word of one who is a party to it by now.
    async fn follow_kept(&self, organisation: &Organisation, item: &ReviewItem) -> Result<(), Error> {
        let Some((ticket, _)) = self.store.ticket_and_case_by_id(item.ticket).await? else { return Ok(()) };
        let grant = self.reviewed_grant(item).await?;
        let Some(grant) = self.store.grant(grant).await? else { return Ok(()) };
        match campaign::kept_by_party(&ticket, &grant, item, organisation) {
            Some(why) => self.doubted(&grant, &why).await,
            None => Ok(()),
        }
    }

    /// The humans who hold one of these by any account.
    async fn humans_with(
        &self,
        organisation: &Organisation,
        items: &[Item],
        now: Timestamp,
    ) -> Result<BTreeSet<PersonId>, Error> {
        let mut humans = BTreeSet::new();
        for item in items {
            let Some(app) = organisation.apps.get(&item.app) else { continue };
            let tiers: Vec<_> = app.tiers.iter().map(|tier| &tier.id).filter(|tier| item.is(&app.id, tier)).collect();
            let holders = self.store.holders(&app.id, &tiers, now).await?;
            humans.extend(holders.iter().map(|(person, _)| organisation.human(person).clone()));
        }
        Ok(humans)
    }

    /// Has a grant reviewed for a reason that came up after it was given, once for each.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written, or others change the ticket all the time.
    pub(in crate::app) async fn doubted(&self, grant: &Grant, why: &str) -> Result<(), Error> {
        let open = self.store.open_reviews(grant.ticket).await?;
        let Some((ticket, _)) = self.store.ticket_and_case_by_id(grant.ticket).await? else { return Ok(()) };
        if grant.has_ended(self.clock.now()) || open.iter().any(|item| item.grant == grant.id) {
            return Ok(());
        }
        // A reviewer who has kept it has read the same words.
        let is_it = |event: &Event| matches!(event, Event::AccessDecided { detail, .. } if detail == why);
        let entries = self.store.timeline(ticket.number, Visibility::Internal).await?;
        if entries.iter().any(|said| is_it(&said.entry.event)) {
            return Ok(());
        }
        tracing::warn!(person = %grant.subject, grant = %grant.id, why, "access is looked at again that may not be held so");
        let asked = self.change_in_app(grant.id, None, |ticket, grant, at| {
            Ok(campaign::after_move(ticket, grant, (why, AfterMove::AskDesk), at))
        });
        asked.await.map(drop)
    }

    /// Orders what grants give in apps that have a connector since.
    async fn follow_connectors(&self) -> Result<(), Error> {
        for app in self.organisation().apps.values().filter(|app| app.connector.is_some()) {
            let mut after = None;
            loop {
                let page = self.store.not_in_app(&app.id, self.clock.now(), after, PAGE).await?;
                for id in &page {
                    let adopted =
                        self.change_in_app(*id, None, |ticket, grant, at| Ok(progress::adopt(ticket, grant, at)));
                    unless_damaged(adopted.await)?;
                }
                after = page.last().copied();
                if page.len() < PAGE {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes open requests to those who may approve them now.
    pub(super) async fn follow_approvers(&self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.store.open_cases(after, PAGE).await?;
            for id in &page {
                let followed = self.change(Which::Id(*id), Retry::Commutes, None, |ticket, case, at| {
                    Ok(case.and_then(|case| access::follow(ticket, case, at)))
                });
                unless_gone(followed.await)?;
            }
            after = page.last().copied();
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Ends what people hold who have left; whether the brake let it.
    async fn end_leavers(&self) -> Result<bool, Error> {
        let organisation = self.organisation();
        let holders = self.store.all_holders(self.clock.now()).await?;
        let left = |person: &&PersonId| !organisation.is_active(person);
        let left: Vec<&PersonId> = holders.iter().filter(left).collect();
        if !left.is_empty() && !self.may_end(left.len(), holders.len()).await? {
            return Ok(false);
        }
        for person in left {
            self.end_together(person).await?;
            for grant in self.store.held_ids(person, self.clock.now()).await? {
                let ended = self.change_in_app(grant, None, |ticket, grant, at| Ok(access::end(ticket, grant, at)));
                if unless_damaged(ended.await)?.is_some() {
                    tracing::info!(%person, %grant, "a grant has ended: the person has left");
                }
            }
        }
        Ok(true)
    }
}

/// As [`unless_gone`], where none of them can be gone.
fn unless_damaged<T>(done: Result<T, Error>) -> Result<Option<T>, Error> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Error::Damaged(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl App {
    /// As [`Office::follow_people`], to the end also where the request that asked for it is dropped.
    ///
    /// # Errors
    ///
    /// Those of the office's.
    pub(in crate::app) async fn follow_people(self: &Arc<Self>) -> Result<(), Error> {
        let app = Arc::clone(self);
        tokio::spawn(async move {
            app.office.follow_people().await?;
            app.follow_moves_for_now().await;
            Ok(())
        })
        .await?
    }

    /// Lets people come and go whose days have begun or are over, with all that follows for one who has left; whether that was due.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: what was not reached is done within the hour.
    pub async fn follow_days(self: &Arc<Self>) -> Result<bool, Error> {
        // The second of two finds it done to the end.
        let _only_one = self.changing_directory.lock().await;
        if !self.turn_the_day() {
            return Ok(false);
        }
        tracing::info!("people came or went, as the days on which they belong to the organisation say");
        self.show_organisation().await?;
        self.follow_people().await?;
        Ok(true)
    }

    /// As [`App::follow_moves`]; what is not reached is done with the next look.
    async fn follow_moves_for_now(self: &Arc<Self>) {
        if let Err(error) = self.follow_moves().await {
            tracing::warn!(%error, "access of people who have moved was not held against the rules: tried again within the hour");
        }
    }

    /// Follows the organisation until it is asked to stop.
    pub async fn keep_following_people(self: Arc<Self>, stop: Stop) {
        let mut looks = Looks::every(EVERY, stop);
        while looks.next().await {
            if let Err(error) = self.office.follow_people().await {
                tracing::warn!(%error, "open requests and grants were not compared with the organisation: tried again");
            }
            self.follow_moves_for_now().await;
            if let Ok(Some(by)) = self.office.clock_is_behind().await {
                let minutes = by.as_mins();
                tracing::warn!(
                    minutes,
                    "the clock shows less than it did: access, tokens and deadlines end later by that"
                );
            }
        }
    }
}
