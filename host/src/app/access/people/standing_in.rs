//! People let others approve in their place, from a day to a day: what one's manager, the desk or an admin need not be asked for. The
//! two get a letter, open requests go to who may decide them now, and where one of the two leaves it ends.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::app::error::Busy;
use crate::app::{App, Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{DelegationId, MessageId, PersonId};
use crate::desk::organisation::accounts::{Given, OwnDelegation};
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::desk::sla::earlier;
use crate::store::people::delegations::Notice;

/// How often it is tried again while others give and end the same.
const TRIES_MAX: usize = 8;
/// How long what is over is still known: for longer than steps are open, whose approvals are counted by it.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(180 * 24);
/// Those of one list.
const LISTED_MAX: usize = 200;
/// Who ends what a person has given who is here no longer.
const DESK: &str = "desk";

/// The code and the words of a refusal: a person does not choose who decides about them.
const OWN_APPROVER: &str = "own-approver";
const OWN_APPROVER_WORDS: &str = "They are asked to decide about a request of yours, and would have no word in it then. Name another person, or \
                                  wait until it is decided.";

/// All that people have given others, as it was read last.
#[derive(Debug, Default)]
pub struct Kept {
    revision: i64,
    /// The newest first.
    pub(in crate::app) all: Vec<OwnDelegation>,
}

impl Office {
    fn today(&self, now: Timestamp) -> Date {
        self.organisation().calendar.zone.to_datetime(now).date()
    }

    /// Reads who stands in for whom where that has changed since it was read last; whether it has.
    pub(in crate::app) async fn catch_up_delegations(&self) -> Result<bool, Error> {
        let revision = self.store.delegation_revision().await?;
        if self.delegations.load().revision == revision {
            return Ok(false);
        }
        let since = earlier(self.clock.now(), KNOWN_FOR);
        let all = self.store.delegations(self.today(since)).await?;
        self.delegations.store(Arc::new(Kept { revision, all }));
        self.lay_over();
        Ok(true)
    }

    /// All whom the actor lets approve in their place, and who lets the actor; the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn delegations(&self, actor: &Actor) -> Result<Vec<OwnDelegation>, Error> {
        let person = permission::delegate_approvals(actor)?;
        self.catch_up_delegations().await?;
        let kept = self.delegations.load_full();
        let of_them = kept.all.iter().filter(|one| one.person == person || one.to == person);
        Ok(of_them.take(LISTED_MAX).cloned().collect())
    }

    /// Ends what people have given others where one of the two has left: who comes back gives it again.
    pub(super) async fn end_delegations_of_leavers(&self) -> Result<(), Error> {
        self.catch_up_delegations().await?;
        let (organisation, today) = (self.organisation(), self.today(self.clock.now()));
        let kept = self.delegations.load_full();
        let over = |one: &&OwnDelegation| {
            one.is_open(today) && !(organisation.is_active(&one.person) && organisation.is_active(&one.to))
        };
        for one in kept.all.iter().filter(over) {
            self.end_one(one, DESK).await?;
            tracing::info!(person = %one.person, to = %one.to, "nobody decides in a person's place any more: one of the two has left");
        }
        self.catch_up_delegations().await.map(drop)
    }

    /// Ends one, which is a matter of once: the second of two changes nothing.
    async fn end_one(&self, one: &OwnDelegation, by: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let ended = OwnDelegation {
            given: Given { ended: Some(now), ..one.given },
            ended_by: Some(by.to_owned()),
            ..one.clone()
        };
        self.store.end_delegation(&ended, &self.notices(one)).await?;
        Ok(())
    }

    /// Whether an open request of a person asks one whom they would let approve in their place: it would go to another by that.
    async fn steers(&self, person: &PersonId, to: &PersonId) -> Result<bool, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let mut accounts = organisation.other_accounts(person);
        accounts.push(person.clone());
        let mut after = None;
        // All of them, however many: of those that are not looked at one could be chosen for.
        loop {
            let page = self.store.own_open_requests(&accounts, after).await?;
            let Some(last) = page.last() else { return Ok(false) };
            after = Some(*last);
            for ticket in page {
                let case = match self.store.ticket_and_case_by_id(ticket).await.map_err(Error::from) {
                    Ok(found) => found.and_then(|(_, case)| case),
                    // One that is damaged is decided by no one, and keeps no person from being away.
                    Err(Error::Damaged(_)) => None,
                    Err(error) => return Err(error),
                };
                if case.is_some_and(|case| case.is_steered_by((person, to), &organisation, now)) {
                    return Ok(true);
                }
            }
        }
    }

    /// The letters to the two.
    fn notices(&self, one: &OwnDelegation) -> Vec<Notice> {
        let to = |person: &PersonId| Notice { id: MessageId(self.clock.new_id()), to: person.clone() };
        [&one.person, &one.to].map(to).to_vec()
    }
}

impl App {
    /// Lets another person approve in the actor's place, from the beginning of one day to the end of another. The same once more is the
    /// one that there is.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] where it may not be given so; [`Error::Busy`] where others do the same all the time.
    pub async fn delegate(
        self: &Arc<Self>,
        actor: &Actor,
        to: &str,
        (from, until): (Date, Date),
    ) -> Result<OwnDelegation, Error> {
        let person = permission::delegate_approvals(actor)?;
        let unknown = || Problem::new("to", "unknown", "Name a person who is here, by their id.");
        let to: PersonId = to.parse().map_err(|_| unknown())?;
        for _ in 0..TRIES_MAX {
            self.catch_up_delegations().await?;
            let (kept, now) = (self.delegations.load_full(), self.clock.now());
            let today = self.today(now);
            let own: Vec<&OwnDelegation> = kept.all.iter().filter(|one| one.person == person).collect();
            let same = |one: &&&OwnDelegation| one.to == to && (one.from, one.until) == (from, until);
            if let Some(same) = own.iter().filter(|one| one.is_open(today)).find(same) {
                return Ok(OwnDelegation::clone(same));
            }
            let mut problems = self.organisation().check_delegation((&person, &to), (from, until), &own, now);
            if problems.is_empty() && Box::pin(self.steers(&person, &to)).await? {
                problems.push(Problem::new("to", OWN_APPROVER, OWN_APPROVER_WORDS.to_owned()));
            }
            if !problems.is_empty() {
                return Err(Error::Rejected { problems });
            }
            let given = Given { at: now, ended: None };
            let id = DelegationId(self.clock.new_id());
            let (person, to) = (person.clone(), to.clone());
            let made = OwnDelegation { id, person, to, from, until, given, ended_by: None };
            if self.store.keep_delegation(&made, kept.revision, &self.notices(&made)).await? {
                self.follow_delegations().await;
                return Ok(made);
            }
        }
        Err(Busy::Delegations.into())
    }

    /// Ends what the actor has given another, or lays down what they were given; one that is over already stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`], also where it is a matter of two others.
    pub async fn end_delegation(self: &Arc<Self>, actor: &Actor, id: DelegationId) -> Result<OwnDelegation, Error> {
        let person = permission::delegate_approvals(actor)?;
        let missing = || Error::Missing { what: "delegation", name: id.to_string() };
        let found = self.store.delegation(id).await?.filter(|one| one.person == person || one.to == person);
        let found = found.ok_or_else(missing)?;
        if !found.is_open(self.today(self.clock.now())) {
            return Ok(found);
        }
        self.end_one(&found, person.as_str()).await?;
        self.follow_delegations().await;
        self.store.delegation(id).await?.ok_or_else(missing)
    }

    /// Takes open requests to those who may decide them by now, and has the letters sent. What is not reached is done within the hour,
    /// and looked up in any case where a person decides.
    async fn follow_delegations(self: &Arc<Self>) {
        self.jobs.wake();
        let app = Arc::clone(self);
        let followed = tokio::spawn(async move {
            app.office.catch_up_delegations().await?;
            app.office.follow_approvers().await
        });
        let failed = match followed.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(error) => error.into(),
        };
        tracing::warn!(error = %failed, "not all open requests were taken to who may decide them now: tried again within the hour");
    }
}
