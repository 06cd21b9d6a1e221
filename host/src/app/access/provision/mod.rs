//! Orders on their way to apps: which of them are due, and what is written before and after each is sent. What talks to the apps
//! is the job's.

use jiff::{SignedDuration, Timestamp};

use crate::app::{Error, Office};
use crate::desk::access::provisioning::progress::{self, Came, Report};
use crate::desk::access::provisioning::{Account, Direction, Entitlement, Holding, Op, OpState};
use crate::desk::access::{Grant, GrantState};
use crate::desk::id::{AppId, GrantId, OpId, PersonId, TicketId};
use crate::desk::organisation::connector::{Connector, Kind};
use crate::desk::organisation::{Organisation, Person};
use crate::desk::sla::later;
pub use crate::store::commit::crash;

mod pauses;

pub use pauses::Pauses;

/// How long no other looks at an order that is being sent: longer than one run of the job may take.
const SENDING: SignedDuration = SignedDuration::from_secs(60);

/// How often it is looked whether a person who has left is here again, as long as their grants have not ended.
const AWAY: SignedDuration = SignedDuration::from_mins(5);

/// An order with all that is needed to carry it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub op: Op,
    /// `None` where the app has none any more.
    pub connector: Option<Connector>,
    pub account: Account,
}

/// The orders of a ticket that can be worked on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Orders {
    pub due: Vec<Order>,
    /// When the next of the others is due.
    pub next: Option<Timestamp>,
}

impl Office {
    /// The orders of a ticket that can be worked on now: an account before what hangs on it, and after it where it goes.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn orders(&self, ticket: TicketId) -> Result<Orders, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let mut own = self.store.ops_of(ticket).await?;
        own.retain(|op| op.state.is_open());
        let Some(first) = own.first() else { return Ok(Orders::default()) };
        // Those of other tickets may come before: when they are done, this ticket's are looked at again.
        let mut open = self.store.open_ops(&first.subject).await?;
        open.retain(|op| op.state.is_open() && op.app == first.app);
        // Nothing is given to a person who has left, also where the brake keeps their grants from ending: it waits for that, or for
        // their return (I5).
        let here = organisation.is_active(&first.subject);
        let waits = |op: &Op| !here && op.direction != Direction::Revoke && progress::may_be_sent(op.state);
        let (waiting, free): (Vec<Op>, Vec<Op>) = own.iter().filter(|op| is_free(op, &open)).cloned().partition(waits);
        let again = (!waiting.is_empty()).then(|| later(now, AWAY));
        let next = free.iter().map(|op| op.not_before).filter(|at| *at > now).chain(again).min();
        let names = self.names_in(&organisation, (&first.subject, &first.app)).await?;
        let due = free.into_iter().filter(|op| op.not_before <= now).map(|op| order(&organisation, op, &names));
        Ok(Orders { due: due.collect(), next })
    }

    /// All that the grants of a ticket give and that is held in the app, as orders to be looked at and never sent.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn held_by_grants_of(&self, ticket: TicketId) -> Result<Vec<Order>, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let mut held = Vec::new();
        for grant in self.store.grants_of_ticket(ticket).await? {
            if grant.has_ended(now) || grant.state != GrantState::Active {
                continue;
            }
            let wanted = grant.entitlements();
            let holdings = self.store.holdings(&grant.subject).await?;
            let of = |holding: &&Holding| holding.app == grant.app && wanted.contains(&holding.entitlement);
            let names = self.names_in(&organisation, (&grant.subject, &grant.app)).await?;
            let as_order = |holding: &Holding| order(&organisation, look_at(&grant, holding, now), &names);
            held.extend(holdings.iter().filter(of).map(as_order));
        }
        Ok(held)
    }

    /// Takes that an app has lost what a grant gives. Where that ends it and very many have ended so within an hour, the app may
    /// have gone wrong: it stays as it is until it is looked at again.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written.
    pub async fn found_missing(&self, grant: GrantId, lost: &[(Entitlement, String)]) -> Result<(), Error> {
        let found = self.store.grant(grant).await?;
        let ends = |grant: &Grant| self.organisation().apps.get(&grant.app).is_some_and(|app| app.ends_when_removed);
        let one_by_one = match found.as_ref().filter(|grant| ends(grant)) {
            Some(grant) => {
                let held = self.ending_removed.lock().await;
                if !self.may_end_removed(grant).await? {
                    return Ok(());
                }
                Some(held)
            }
            None => None,
        };
        let done = self
            .change_in_app(grant, None, |ticket, grant, at| Ok(progress::missing(ticket, grant, lost, at)))
            .await
            .map(drop);
        drop(one_by_one);
        done
    }

    /// Notes that orders are about to be sent; those that may be, with the number of the attempt.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written.
    pub async fn sending(&self, grant: GrantId, ids: &[OpId]) -> Result<Vec<(OpId, u32)>, Error> {
        let until = later(self.clock.now(), SENDING);
        self.change_in_app(grant, None, |ticket, _, at| Ok(progress::sending(ticket, ids, until, at))).await?;
        let mut sent = Vec::new();
        for id in ids {
            let op = self.store.op(*id).await?.filter(|op| op.state == OpState::Sent);
            sent.extend(op.map(|op| (op.id, op.attempt)));
        }
        Ok(sent)
    }

    /// Takes what came of orders.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: then they are looked at again.
    pub async fn take_reports(&self, grant: GrantId, reports: &[Report]) -> Result<(), Error> {
        let grant = self.change_in_app(grant, None, |ticket, _, at| Ok(progress::take(ticket, reports, at))).await?;
        if reports.iter().any(|report| matches!(report.came, Came::Found | Came::Verified)) {
            self.keep_name(&grant).await
        } else {
            Ok(())
        }
    }

    /// Keeps the name by which an app has just been asked for who holds a grant, where it may know people by nothing else.
    async fn keep_name(&self, grant: &Grant) -> Result<(), Error> {
        let organisation = self.organisation();
        let person = organisation.people.get(&grant.subject).filter(|_| asks_by_name(&organisation, &grant.app));
        match person.filter(|person| !person.email.is_empty()) {
            Some(person) => Ok(self.store.keep_known_as(&grant.subject, &grant.app, &person.email).await?),
            None => Ok(()),
        }
    }

    /// The names by which an app was asked for a person before.
    async fn names_in(
        &self,
        organisation: &Organisation,
        (person, app): (&PersonId, &AppId),
    ) -> Result<Vec<String>, Error> {
        if asks_by_name(organisation, app) { Ok(self.store.known_as(person, app).await?) } else { Ok(Vec::new()) }
    }
}

/// Whether an app is asked for people by their names where it does not know them by their ids.
fn asks_by_name(organisation: &Organisation, app: &AppId) -> bool {
    organisation.connector_of(app).is_some_and(|connector| matches!(connector.kind, Kind::Scim(_)))
}

fn order(organisation: &Organisation, op: Op, names: &[String]) -> Order {
    let person = organisation.people.get(&op.subject);
    let email = person.map(|person| person.email.clone()).unwrap_or_default();
    let shares = |other: &&Person| {
        !email.is_empty() && other.email.eq_ignore_ascii_case(&email) && !organisation.is_same(&other.id, &op.subject)
    };
    let sharing: Vec<&Person> = organisation.people.values().filter(shares).collect();
    // Nothing is taken from one who is here because another had their address before.
    let is_anothers = op.direction == Direction::Revoke && sharing.iter().any(|other| other.active);
    let same_address: Vec<PersonId> = sharing.iter().map(|other| other.id.clone()).collect();
    let others = |name: &&String| {
        let is_theirs = |other: &Person| other.id != op.subject && other.email.eq_ignore_ascii_case(name);
        organisation.people.values().any(is_theirs)
    };
    let (taken, former): (Vec<&String>, Vec<&String>) =
        names.iter().filter(|name| !name.eq_ignore_ascii_case(&email)).partition(others);
    let account = Account {
        id: op.subject.clone(),
        name: person.map(|person| person.name.clone()).unwrap_or_default(),
        email: if is_anothers && asks_by_name(organisation, &op.app) { String::new() } else { email },
        former: former.into_iter().cloned().collect(),
        another_has: is_anothers || !taken.is_empty(),
        same_address,
    };
    Order { connector: organisation.connector_of(&op.app).cloned(), account, op }
}

/// A holding as an order that is done: only to be looked at.
fn look_at(grant: &Grant, holding: &Holding, now: Timestamp) -> Op {
    Op {
        id: OpId(grant.id.0),
        ticket: grant.ticket,
        grant: grant.id,
        subject: holding.subject.clone(),
        app: holding.app.clone(),
        entitlement: holding.entitlement.clone(),
        direction: Direction::Grant,
        replaces: None,
        generation: 0,
        state: OpState::Verified,
        attempt: 0,
        not_before: now,
        said: String::new(),
        planned_at: holding.since,
        changed_at: holding.since,
    }
}

/// Whether nothing has to come before an order.
fn is_free(op: &Op, open: &[Op]) -> bool {
    // Nothing hangs on an account of which it is not known whether it is there; to look takes nothing away.
    let is_to_come = |op: &Op| op.direction == Direction::Grant || progress::is_looked_for(op);
    let account = |other: &&Op| other.entitlement == Entitlement::Account && is_to_come(other);
    match (&op.entitlement, op.direction) {
        (Entitlement::Account, Direction::Revoke) => {
            progress::is_looked_for(op) || open.iter().all(|other| other.id == op.id)
        }
        (Entitlement::Account, _) | (_, Direction::Revoke) => true,
        (_, Direction::Grant | Direction::Replace) => !open.iter().any(|other| account(&other)),
    }
}
