//! The differences between two organisations: things that are there afterwards and were not, that are gone, and that changed.

use std::collections::BTreeMap;

use super::service::CannedReply;
use super::{Organisation, PriorityLevel};
use crate::desk::id::{MacroId, PriorityId};

/// A kind of thing that an organisation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    Person,
    Team,
    Category,
    RequestType,
    App,
    Calendar,
    Priority,
    Impact,
    Urgency,
    Matrix,
    Promises,
    Macro,
    CannedReply,
    Template,
}

impl Noun {
    /// The word for programs and people.
    pub const fn code(self) -> &'static str {
        match self {
            Noun::Person => "person",
            Noun::Team => "team",
            Noun::Category => "category",
            Noun::RequestType => "request type",
            Noun::App => "app",
            Noun::Calendar => "calendar",
            Noun::Priority => "priority",
            Noun::Impact => "impact",
            Noun::Urgency => "urgency",
            Noun::Matrix => "matrix",
            Noun::Promises => "promises",
            Noun::Macro => "macro",
            Noun::CannedReply => "canned reply",
            Noun::Template => "template",
        }
    }
}

/// The id of the desk's own calendar, matrix and promises, of which there is one each.
pub const OF_THE_DESK: &str = "desk";

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
    let desk = |noun| Difference { noun, id: OF_THE_DESK.to_owned(), way: Way::Changed };
    found.extend((before.calendar != after.calendar).then(|| desk(Noun::Calendar)));
    compare(Noun::Calendar, &before.calendars, &after.calendars, &mut found);
    compare(Noun::Priority, &levels(before), &levels(after), &mut found);
    compare(Noun::Impact, &steps(&before.impacts), &steps(&after.impacts), &mut found);
    compare(Noun::Urgency, &steps(&before.urgencies), &steps(&after.urgencies), &mut found);
    found.extend((before.matrix != after.matrix).then(|| desk(Noun::Matrix)));
    let promises = (before.watch == after.watch, before.closing == after.closing);
    found.extend((promises != (true, true)).then(|| desk(Noun::Promises)));
    compare(Noun::Macro, &before.macros, &after.macros, &mut found);
    compare(Noun::CannedReply, &replies(before), &replies(after), &mut found);
    found
}

/// The levels by their ids, each with its place.
fn levels(organisation: &Organisation) -> BTreeMap<&PriorityId, (usize, &PriorityLevel)> {
    organisation.priorities.iter().enumerate().map(|(place, level)| (&level.id, (place, level))).collect()
}

/// The steps of a scale, each with its place.
fn steps<I: Ord>(scale: &[I]) -> BTreeMap<&I, usize> {
    scale.iter().zip(0..).collect()
}

/// The canned replies by their ids, each with its place.
fn replies(organisation: &Organisation) -> BTreeMap<&MacroId, (usize, &CannedReply)> {
    organisation.canned_replies.iter().enumerate().map(|(place, reply)| (&reply.id, (place, reply))).collect()
}

/// The differences between two sets of things of one kind, by their ids.
pub fn compare<K: Ord + ToString, V: PartialEq>(
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
