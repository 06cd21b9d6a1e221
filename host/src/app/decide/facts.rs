//! Facts about a request for access: what is held, what is open, and how far all that had come.

use crate::desk::access::provisioning::{Holding, Op};
use crate::desk::access::{AccessRequest, Grant, Review};
use crate::desk::change::AccessSeen;
use crate::desk::id::{AppId, PersonId, TicketNumber, TierId};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::organisation::{App, Organisation, Person, Tier};
use crate::desk::verdict::access::AccessVerdict;
use crate::store::access::History;

/// The people of a person's department who are here, without that person, and how many of them hold an app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers {
    /// How many they are.
    pub size: u32,
    /// How many of them hold each tier or a higher one, in the order of the tiers.
    pub holders: Vec<u32>,
}

impl Peers {
    /// The peers of a person. Those of whom no department is known have none.
    pub fn people<'o>(organisation: &'o Organisation, of: &PersonId) -> Vec<&'o PersonId> {
        let department = organisation.people.get(of).map(|person| person.department.as_str());
        let Some(department) = department.filter(|department| !department.is_empty()) else { return Vec::new() };
        let is_peer = |person: &&Person| person.active && person.id != *of && person.department == department;
        organisation.people.values().filter(is_peer).map(|person| &person.id).collect()
    }

    /// Those of them who have the person's title as well. Those of whom no title is known have none.
    pub fn alike<'o>(organisation: &'o Organisation, of: &PersonId) -> Vec<&'o PersonId> {
        let title = |person: &PersonId| organisation.people.get(person).map_or("", |person| person.title.as_str());
        let own = title(of);
        let mut people = Peers::people(organisation, of);
        people.retain(|person| !own.is_empty() && title(person) == own);
        people
    }

    /// How many of them hold a tier of the app or a higher one.
    pub fn holders_of(&self, app: &App, tier: &Tier) -> u32 {
        let order = app.tier(tier.id.as_str()).map_or(0, |(order, _)| order);
        self.holders.get(order).copied().unwrap_or_default()
    }

    /// So many people, and how many of them have each tier as their highest.
    pub fn counted(people: usize, by_highest: &[u32]) -> Peers {
        let mut holders = by_highest.to_vec();
        let mut higher = 0_u32;
        for count in holders.iter_mut().rev() {
            higher = higher.saturating_add(*count);
            *count = higher;
        }
        Peers { size: u32::try_from(people).unwrap_or(u32::MAX), holders }
    }
}

/// Facts about a request for access, read before the rules are asked.
#[derive(Debug, Clone)]
pub struct AccessFacts {
    pub request: AccessRequest,
    pub grants: Vec<Grant>,
    pub history: History,
    /// Who holds the app in a tier that has seats, and in which; also those who have left, until their access has ended.
    pub holders: Vec<(PersonId, TierId)>,
    /// The people of the subject's department, and how many of them hold the app.
    pub peers: Peers,
    /// Those of them who have the subject's title, and how many of these hold the app.
    pub alike: Peers,
    /// The ticket that asks for the same access and waits for approval.
    pub asked_in: Option<TicketNumber>,
    /// All requests for the person that wait for approval, by whichever account.
    pub open: Vec<(AppId, TierId)>,
    /// All that the person holds in apps that the desk writes to, and the orders about it that are on their way.
    pub in_apps: (Vec<Holding>, Vec<Op>),
    /// All that the same human holds by other accounts.
    pub elsewhere: Vec<Grant>,
    /// How far access had come when all this was read.
    pub seen: Vec<AccessSeen>,
}

impl AccessFacts {
    /// The state of things that is looked at again where access is given.
    pub fn review(&self, verdict: Option<AccessVerdict>) -> Review {
        let (holdings, ops) = self.in_apps.clone();
        let (held, holders, open) = (self.grants.clone(), self.holders.clone(), self.open.clone());
        Review { held, holders, verdict, open, holdings, ops, elsewhere: self.elsewhere.clone() }
    }

    /// The problem with asking for what is asked for already.
    pub(super) fn asked_already(&self) -> Option<Problem> {
        let number = self.asked_in?;
        Some(Problem::of("tier", "asked-already", Fault::AskedAlready, &[&number]))
    }
}
