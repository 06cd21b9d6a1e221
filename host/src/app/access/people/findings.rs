//! Access that apps have and no grant gives: found by a look at each app, and settled by the people who answer for it.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::app::access::unless_gone;
use crate::app::error::accept;
use crate::app::{Error, Office};
use crate::desk::access::provisioning::Entitlement;
use crate::desk::access::provisioning::finding::{self, Finding, FindingEnd, FindingVerdict};
use crate::desk::actor::Actor;
use crate::desk::id::{AppId, FindingId, PersonId};
use crate::desk::organisation::Organisation;
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::edit::check_reason;

/// How often apps are looked at.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Findings about one app that are kept open at most.
const OPEN_MAX: usize = 1_000;
/// Why the desk takes away what was found, without a person's word.
const LEFT: &str = "the person has left";
/// Findings of one list.
const LISTED_MAX: usize = 1_000;

impl Office {
    /// Whether apps are to be looked at now; from now on they were, for a day.
    pub fn looks_for_findings(&self) -> bool {
        let now = self.clock.now().as_second();
        let last = self.looked_at.load(Ordering::Acquire);
        // By a clock that was set back, the last look may be one of a day that is still to come.
        let due = last == 0 || now < last || now.saturating_sub(last) >= EVERY.as_secs();
        due && self.looked_at.compare_exchange(last, now, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Takes note of the accounts that were seen with an entitlement in an app: access that no grant gives becomes a finding, and a
    /// finding whose access is gone is settled. Of accounts that are doubtful, nothing is settled.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: then the next look finds the same.
    pub async fn found_in_app(
        &self,
        app: &AppId,
        entitlement: &Entitlement,
        (accounts, doubtful): (&[String], &[String]),
    ) -> Result<usize, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let held: BTreeSet<PersonId> = self.store.holders_of(app, entitlement).await?.into_iter().collect();
        let known = self.store.standing_findings(Some(app), OPEN_MAX).await?;
        let mut found = 0;
        for account in accounts {
            let person = person_of(&organisation, account);
            let on_its_way = match &person {
                Some(person) => {
                    self.store.open_ops(person).await?.iter().any(|op| op.app == *app && op.state.is_open())
                }
                None => false,
            };
            if person.as_ref().is_some_and(|person| held.contains(person)) || on_its_way {
                continue;
            }
            let same = known.iter().find(|one| one.entitlement == *entitlement && one.account == *account);
            if let Some(same) = same {
                self.store.keep_finding(&Finding { seen_at: now, ..same.clone() }).await?;
            } else if known.len() + found < OPEN_MAX {
                found += 1;
                self.store.keep_finding(&self.new_finding((app, entitlement), account, person, now).await?).await?;
            }
        }
        for gone in known.iter().filter(|one| one.entitlement == *entitlement) {
            if !accounts.contains(&gone.account) && !doubtful.contains(&gone.account) {
                // That it may stay was said of what was there then, and by whom is kept: what comes again is found again.
                let (by, reason) = gone.end.clone().map(|end| (end.by, end.reason)).unwrap_or_default();
                let end = Some(FindingEnd { verdict: FindingVerdict::Gone, by, reason, at: now });
                self.store.keep_finding(&Finding { end, ..gone.clone() }).await?;
            }
        }
        Ok(found)
    }

    async fn new_finding(
        &self,
        (app, entitlement): (&AppId, &Entitlement),
        account: &str,
        person: Option<PersonId>,
        now: Timestamp,
    ) -> Result<Finding, Error> {
        let grant = match &person {
            Some(person) => self.store.taken_away_for(person, app, entitlement).await?,
            None => None,
        };
        let finding = Finding {
            id: FindingId(self.clock.new_id()),
            app: app.clone(),
            entitlement: entitlement.clone(),
            account: account.to_owned(),
            person,
            grant,
            found_at: now,
            seen_at: now,
            end: None,
        };
        tracing::warn!(kind = finding.kind(), %app, %entitlement, account, "an app has access that no grant gives");
        Ok(finding)
    }

    /// Takes away again what has come back in apps for people who have left, also where it was accepted (I14): a grant of the desk's
    /// had given it. What no grant ever gave is left to a person, and to the report of who leaves.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: what was not reached is done with the next look.
    pub(super) async fn take_from_leavers(&self) -> Result<(), Error> {
        let organisation = self.organisation();
        for found in self.store.standing_findings(None, LISTED_MAX).await? {
            let (Some(person), Some(grant)) = (found.person.clone(), found.grant) else { continue };
            if organisation.is_active(&person) {
                continue;
            }
            let entitlement = &found.entitlement;
            let taken = self
                .change_in_app(grant, None, |ticket, grant, at| Ok(finding::take_away(ticket, grant, entitlement, at)));
            if unless_gone(taken.await)?.is_none() {
                continue;
            }
            tracing::info!(%person, app = %found.app, %entitlement, "what had come back is taken away: the person has left");
            let (verdict, reason) = (FindingVerdict::Removed, LEFT.to_owned());
            let end = FindingEnd { verdict, by: None, reason, at: self.clock.now() };
            self.store.settle_finding(&found, &end).await?;
        }
        Ok(())
    }

    /// The findings that are open, and those that were accepted; for agents and admins.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn findings(&self, actor: &Actor) -> Result<Vec<Finding>, Error> {
        permission::read_decisions(actor)?;
        Ok(self.store.standing_findings(None, LISTED_MAX).await?)
    }

    /// Settles a finding: it may stay, or it is taken away again, which the desk does where a grant of its own had given it. For admins.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], also where it is settled, no grant ever gave it, or it is to stay and is the actor's own;
    /// [`Error::Missing`]; [`Error::Rejected`] without a reason.
    pub async fn settle_finding(
        &self,
        actor: &Actor,
        id: FindingId,
        (stays, reason): (bool, &str),
    ) -> Result<Finding, Error> {
        permission::administer(actor)?;
        let missing = || Error::Missing { what: "finding", name: id.to_string() };
        accept(check_reason("reason", reason))?;
        let found = self.store.finding(id).await?.ok_or_else(missing)?;
        if found.end.is_some() {
            return Err(Refusal::FindingSettled.into());
        }
        // To let access stay is to approve it: not for oneself, by whichever account, nor for one in whose place one decides (I2).
        let own = actor.person().zip(found.person.as_ref());
        if own.is_some_and(|(by, of)| stays && self.organisation().is_party(by, &[of], self.clock.now())) {
            return Err(Refusal::OwnAccess.into());
        }
        let verdict = if stays { FindingVerdict::Accepted } else { FindingVerdict::Removed };
        if !stays {
            let grant = found.grant.ok_or(Refusal::NeverGranted)?;
            let entitlement = &found.entitlement;
            self.change_in_app(grant, None, |ticket, grant, at| Ok(finding::take_away(ticket, grant, entitlement, at)))
                .await?;
        }
        let end =
            FindingEnd { verdict, by: actor.person().cloned(), reason: reason.trim().to_owned(), at: self.clock.now() };
        self.store.settle_finding(&found, &end).await?;
        Ok(Finding { end: Some(end), ..found })
    }
}

/// The person that an account is, by the id that the desk gave it or by its name.
fn person_of(organisation: &Organisation, account: &str) -> Option<PersonId> {
    organisation.person_named(account).map(|person| person.id.clone())
}
