//! Those whom the company's identity provider lets in: which person they are, and what they may do.

use std::collections::{BTreeMap, BTreeSet};

use super::{Organisation, Person};
use crate::desk::actor::Role;
use crate::desk::id::PersonId;

/// The group that stands for all whom the provider lets in.
pub const EVERYONE: &str = "*";

/// Someone whom a provider has identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The provider's address, as it names itself.
    pub issuer: String,
    /// It stands for them for ever, and for no one else.
    pub subject: String,
    /// The provider's own session.
    pub session: Option<String>,
    /// The person's id, mail address, or external id in the directory, where the provider vouches for it.
    pub name: Option<String>,
    pub groups: Vec<String>,
}

/// Someone whose sign-in a provider has ended: all of a subject's, or those of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub issuer: String,
    pub subject: Option<String>,
    pub session: Option<String>,
}

/// The groups whose members play each part.
pub type Parts = BTreeMap<Role, BTreeSet<String>>;

impl Organisation {
    /// The person with this id or mail address.
    pub fn person_named(&self, name: &str) -> Option<&Person> {
        let by_id = name.parse::<PersonId>().ok().and_then(|id| self.people.get(&id));
        by_id.or_else(|| self.person_at(name))
    }

    /// The person with this mail address, wherever one is looked for by it. Of several it is the only one who is here, and of the accounts
    /// of one human the one by which they count; an address that several people have names none of them.
    pub fn person_at(&self, address: &str) -> Option<&Person> {
        let has_it = |person: &&Person| !address.is_empty() && person.email.eq_ignore_ascii_case(address);
        self.one_of(self.people.values().filter(has_it).collect())
    }

    /// All who are found by their addresses, by these in lower case: as [`Organisation::person_at`], for many at once.
    pub fn by_address(&self) -> BTreeMap<String, &Person> {
        let mut found: BTreeMap<String, Vec<&Person>> = BTreeMap::new();
        for person in self.people.values().filter(|person| !person.email.is_empty()) {
            found.entry(person.email.to_ascii_lowercase()).or_default().push(person);
        }
        found.into_iter().filter_map(|(address, people)| Some((address, self.one_of(people)?))).collect()
    }

    /// The one whom an address names that these have.
    fn one_of<'a>(&'a self, mut found: Vec<&'a Person>) -> Option<&'a Person> {
        if found.len() > 1 {
            found.retain(|person| person.active);
        }
        let first = found.first().copied()?;
        if !found.iter().all(|other| self.is_same(&first.id, &other.id)) {
            return None;
        }
        let human = self.human(&first.id);
        Some(found.iter().copied().find(|person| person.id == *human).unwrap_or(first))
    }

    /// The others who are here and have the address of this person, by other accounts than those of the same human.
    pub fn at_the_same_address(&self, person: &PersonId) -> Vec<&PersonId> {
        let Some(own) = self.people.get(person).filter(|own| own.active && !own.email.is_empty()) else {
            return Vec::new();
        };
        let others = self.people.values().filter(|other| other.active && other.email.eq_ignore_ascii_case(&own.email));
        others.map(|other| &other.id).filter(|other| !self.is_same(person, other)).collect()
    }

    /// The parts that a person plays who is in these groups of the provider's, and in those of the organisation.
    pub fn roles_in(&self, parts: &Parts, person: &PersonId, groups: &[String]) -> BTreeSet<Role> {
        let own = self.people.get(person).map(|person| person.groups.as_slice()).unwrap_or_default();
        let is_in =
            |group: &String| group == EVERYONE || groups.contains(group) || own.iter().any(|own| own.as_str() == group);
        parts.iter().filter(|(_, wanted)| wanted.iter().any(is_in)).map(|(role, _)| *role).collect()
    }
}
