//! The differences between two organisations: things that are there afterwards and were not, that are gone, and that changed.

use std::collections::BTreeMap;

use super::Organisation;

/// A kind of thing that an organisation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    Person,
    Team,
    Category,
    RequestType,
    App,
}

impl Noun {
    /// Every kind.
    pub const ALL: [Noun; 5] = [Noun::Person, Noun::Team, Noun::Category, Noun::RequestType, Noun::App];

    /// The word for programs and people.
    pub const fn code(self) -> &'static str {
        match self {
            Noun::Person => "person",
            Noun::Team => "team",
            Noun::Category => "category",
            Noun::RequestType => "request type",
            Noun::App => "app",
        }
    }
}

/// The way in which a thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Added,
    Changed,
    Removed,
}

impl Way {
    /// The word for programs and people.
    pub const fn code(self) -> &'static str {
        match self {
            Way::Added => "added",
            Way::Changed => "changed",
            Way::Removed => "removed",
        }
    }
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub noun: Noun,
    pub id: String,
    pub way: Way,
}

/// All that differs, by kind and id.
pub fn differences(before: &Organisation, after: &Organisation) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(Noun::Person, &before.people, &after.people, &mut found);
    compare(Noun::Team, &before.teams, &after.teams, &mut found);
    compare(Noun::Category, &before.categories, &after.categories, &mut found);
    compare(Noun::RequestType, &before.request_types, &after.request_types, &mut found);
    compare(Noun::App, &before.apps, &after.apps, &mut found);
    found
}

fn compare<K: Ord + ToString, V: PartialEq>(
    noun: Noun,
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    found: &mut Vec<Difference>,
) {
    let mut note = |id: &K, way| found.push(Difference { noun, id: id.to_string(), way });
    for (id, thing) in before {
        match after.get(id) {
            None => note(id, Way::Removed),
            Some(other) if other != thing => note(id, Way::Changed),
            Some(_) => {}
        }
    }
    for id in after.keys().filter(|id| !before.contains_key(id)) {
        note(id, Way::Added);
    }
}
