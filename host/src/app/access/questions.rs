//! The questions of an audit: who has access to an app and why, what a person holds and why, and what became of one grant.

use jiff::{SignedDuration, Timestamp};

use crate::app::{Error, Office};
use crate::desk::access::provisioning::{Holding, Op};
use crate::desk::access::{Grant, LedgerEvent};
use crate::desk::actor::Actor;
use crate::desk::id::{AppId, GrantId, PersonId};
use crate::desk::organisation::App;
use crate::desk::permission;
use crate::desk::sla::earlier;
use crate::store::access::ledger;
pub use crate::store::access::ledger::{Said, StoredEvent};
pub use crate::store::access::questions::{About, Defaults, During, Evidence, Present};
pub use crate::store::access::sign_ins::SignIn;
pub use crate::store::chain::export::{LedgerEnd, LedgerLine, LedgerWalk};
use crate::store::sql::page::Page;

/// All that the ledger says of a grant, and how it stands in the app.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    pub evidence: Evidence,
    /// The ledger's events about the request and the grant, in order.
    pub events: Vec<StoredEvent>,
    /// The orders about it, oldest first.
    pub ops: Vec<Op>,
    /// All that its person holds in the app.
    pub holdings: Vec<Holding>,
}

/// For so long an instant is the present one: the pages of a long list are read one after the other, all as of the first.
const STILL_NOW: SignedDuration = SignedDuration::from_hours(1);
/// The longest that unused access is looked for, in days.
pub const UNUSED_DAYS_MAX: u16 = 3_650;

impl Office {
    /// Notes when a person has signed in last to an app, as the app says.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn saw_sign_in(&self, of: (&PersonId, &AppId), last: Option<Timestamp>) -> Result<(), Error> {
        let now = self.clock.now();
        // A clock of the app's that is ahead makes no access used in the future.
        let last = last.map(|last| last.min(now));
        Ok(self.store.keep_sign_in(of, SignIn { last, looked_at: now }).await?)
    }

    /// The access that is held and was not used for so many days, in apps that say when people sign in. It is a list and no act:
    /// nothing is taken back. For agents, admins and the operator; for those who answer for an app about the app.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn unused(
        &self,
        actor: &Actor,
        (app, days): (Option<&AppId>, u16),
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Page<(Grant, SignIn), GrantId>, Error> {
        let organisation = self.organisation();
        let owner = app.and_then(|app| organisation.apps.get(app)).and_then(|app| app.owner.as_ref());
        if owner.is_none() || owner != actor.person() {
            permission::read_decisions(actor)?;
        }
        let now = self.clock.now();
        let since = earlier(now, SignedDuration::from_hours(24 * i64::from(days)));
        Ok(self.store.unused(app, (since, now), after, limit).await?)
    }

    /// The access that was held at an instant, or at any of some time, with who asked, what the policy said and who approved; of now also
    /// what people keep by default. A person holds it by all accounts of the same human. For agents, admins and the operator; for a person
    /// about themselves; for those who answer for an app about the app.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn who_holds(
        &self,
        actor: &Actor,
        about: &About,
        during: impl Into<During>,
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Page<Evidence, GrantId>, Error> {
        let during = during.into();
        let organisation = self.organisation();
        let person = actor.person();
        let own = match about {
            About::Person(of) => person == Some(of),
            About::App(app) => {
                let app = organisation.apps.get(app);
                person.is_some() && app.is_some_and(|app| app.owner.as_ref() == person)
            }
            About::Accounts(_) | About::All => false,
        };
        if !own {
            permission::read_decisions(actor)?;
        }
        let about = match about {
            About::Person(of) => {
                let mut accounts = organisation.other_accounts(of);
                accounts.push(of.clone());
                About::Accounts(accounts)
            }
            about => about.clone(),
        };
        // What the apps have without a grant is known as it is now, and not as it was.
        let now = self.clock.now();
        let is_now = during.until >= earlier(now, STILL_NOW);
        let default = |app: &App| Some((app.id.clone(), app.default_tier.clone().filter(|_| app.one_tier)?));
        let is_about = |app: &&App| is_now && !matches!(&about, About::App(of) if *of != app.id);
        let defaults: Defaults = organisation.apps.values().filter(is_about).filter_map(default).collect();
        let present = is_now.then_some(Present { now, defaults: &defaults });
        Ok(self.store.held_at(&about, during, (after, limit), present).await?)
    }

    /// The end of the ledger's chain now: what is exported up to there can be checked anywhere.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn ledger_end(&self, actor: &Actor) -> Result<LedgerEnd, Error> {
        permission::read_decisions(actor)?;
        Ok(self.store.ledger_end().await?)
    }

    /// The ledger's events after a place and up to another, some at a time, each as it is chained.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn ledger_lines(&self, actor: &Actor, (after, until): (i64, i64)) -> Result<Vec<LedgerLine>, Error> {
        permission::read_decisions(actor)?;
        Ok(self.store.ledger_lines(after, until).await?)
    }

    /// The whole story of a grant, out of the ledger.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; where the store cannot be read.
    pub async fn story_of_grant(&self, actor: &Actor, id: GrantId) -> Result<Story, Error> {
        let missing = || Error::Missing { what: "grant", name: id.to_string() };
        let grant = self.store.grant(id).await?.ok_or_else(missing)?;
        let organisation = self.organisation();
        let owner = organisation.apps.get(&grant.app).and_then(|app| app.owner.as_ref());
        let is_party = |person: &PersonId| owner == Some(person) || organisation.is_same(person, &grant.subject);
        if !actor.person().is_some_and(is_party) && permission::read_decisions(actor).is_err() {
            return Err(missing());
        }
        let (ticket, case) = self.store.ticket_and_case_by_id(grant.ticket).await?.ok_or_else(missing)?;
        let mut holdings = self.store.holdings_shown(&grant.subject).await?;
        holdings.retain(|holding| holding.app == grant.app);
        Ok(Story {
            events: self.store.ledger(grant.ticket).await?,
            ops: self.store.ops_shown(grant.ticket).await?,
            holdings,
            evidence: Evidence { grant, damaged: Vec::new(), ticket: ticket.number, case, stays: None },
        })
    }
}

/// An event's facts by name, as the ledger keeps them.
pub fn facts(event: &LedgerEvent) -> serde_json::Value {
    serde_json::from_str(&ledger::facts(event)).unwrap_or_default()
}
