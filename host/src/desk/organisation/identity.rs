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
    /// The person with this id or mail address. An address that several people have names none of them.
    pub fn person_named(&self, name: &str) -> Option<&Person> {
        let by_id = name.parse::<PersonId>().ok().and_then(|id| self.people.get(&id));
        by_id.or_else(|| {
            let mut found = self.people.values().filter(|person| person.email.eq_ignore_ascii_case(name));
            found.next().filter(|_| found.next().is_none())
        })
    }

    /// The parts that a person plays who is in these groups of the provider's, and in those of the organisation.
    pub fn roles_in(&self, parts: &Parts, person: &PersonId, groups: &[String]) -> BTreeSet<Role> {
        let own = self.people.get(person).map(|person| person.groups.as_slice()).unwrap_or_default();
        let is_in =
            |group: &String| group == EVERYONE || groups.contains(group) || own.iter().any(|own| own.as_str() == group);
        parts.iter().filter(|(_, wanted)| wanted.iter().any(is_in)).map(|(role, _)| *role).collect()
    }
}
