//! The people and groups that the company's identity provider tells of, laid over those of the configuration: one truth for each
//! person and for each group.

use std::collections::{BTreeMap, BTreeSet};

use super::{Organisation, Person};
use crate::desk::id::{GroupId, PersonId};

/// A kind of thing that a provider keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    User,
    Group,
}

impl EntryKind {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            EntryKind::User => "user",
            EntryKind::Group => "group",
        }
    }

    /// The kind with this word.
    pub fn from_code(code: &str) -> Option<EntryKind> {
        [EntryKind::User, EntryKind::Group].into_iter().find(|kind| kind.code() == code)
    }
}

/// A person as the provider describes them. Where it says nothing of something, the configuration's word stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provided {
    pub active: bool,
    pub name: Option<String>,
    pub email: Option<String>,
    pub department: Option<String>,
    pub title: Option<String>,
    pub location: Option<String>,
    pub manager: Option<PersonId>,
}

/// All that the provider tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    pub people: BTreeMap<PersonId, Provided>,
    /// The members of each group that it keeps.
    pub groups: BTreeMap<GroupId, BTreeSet<PersonId>>,
}

impl Organisation {
    /// The organisation with the provider's people and groups: a person whom it knows is as it says, and a group that it keeps has
    /// the members that it names and no others. All else stays as the configuration has it.
    #[must_use]
    pub fn with_directory(&self, directory: &Directory) -> Organisation {
        let mut after = self.clone();
        for (id, provided) in &directory.people {
            let person = after.people.entry(id.clone()).or_insert_with(|| unknown(id));
            let take = |own: &mut String, said: &Option<String>| {
                if let Some(said) = said {
                    own.clone_from(said);
                }
            };
            take(&mut person.name, &provided.name);
            take(&mut person.email, &provided.email);
            take(&mut person.department, &provided.department);
            take(&mut person.title, &provided.title);
            take(&mut person.location, &provided.location);
            person.active = provided.active;
            if provided.manager.is_some() {
                person.manager.clone_from(&provided.manager);
            }
        }
        for (group, members) in &directory.groups {
            for person in after.people.values_mut() {
                person.groups.retain(|own| own != group);
                if members.contains(&person.id) {
                    person.groups.push(group.clone());
                }
            }
        }
        after
    }
}

fn unknown(id: &PersonId) -> Person {
    Person {
        id: id.clone(),
        name: String::new(),
        email: String::new(),
        department: String::new(),
        title: String::new(),
        location: String::new(),
        manager: None,
        groups: Vec::new(),
        vip: false,
        active: false,
        attributes: BTreeMap::new(),
        delegations: Vec::new(),
        same_as: None,
    }
}
