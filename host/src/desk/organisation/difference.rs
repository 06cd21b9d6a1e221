//! The differences between two organisations: things that are there afterwards and were not, that are gone, and that changed.

use std::collections::{BTreeMap, BTreeSet};

use super::Organisation;
use super::directory::DepartmentReaders;
use crate::desk::id::Tag;

/// A kind of thing that an organisation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    Person,
    DepartmentReaders,
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
    Routing,
    Devices,
    Macro,
    CannedReply,
    Template,
    Webhook,
    Connector,
    Incompatible,
    Tag,
}

impl Noun {
    /// The word for programs and people.
    pub const fn code(self) -> &'static str {
        match self {
            Noun::Person => "person",
            Noun::DepartmentReaders => "department readers",
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
            Noun::Routing => "routing",
            Noun::Devices => "devices",
            Noun::Macro => "macro",
            Noun::CannedReply => "canned reply",
            Noun::Template => "template",
            Noun::Webhook => "webhook",
            Noun::Connector => "connector",
            Noun::Incompatible => "incompatible access",
            Noun::Tag => "tag",
        }
    }
}

/// The id of the desk's own calendar, matrix, promises, routing and devices, of which there is one each.
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
    compare(Noun::DepartmentReaders, &readers(before), &readers(after), &mut found);
    compare(Noun::Team, &before.teams, &after.teams, &mut found);
    compare(Noun::Category, &before.categories, &after.categories, &mut found);
    compare(Noun::Tag, &tags(before), &tags(after), &mut found);
    compare(Noun::RequestType, &before.request_types, &after.request_types, &mut found);
    compare(Noun::App, &before.apps, &after.apps, &mut found);
    compare(Noun::Connector, &before.connectors, &after.connectors, &mut found);
    in_order(Noun::Incompatible, &before.incompatible, &after.incompatible, |set| set.name.clone(), &mut found);
    let desk = |noun| Difference { noun, id: OF_THE_DESK.to_owned(), way: Way::Changed };
    found.extend((before.calendar != after.calendar).then(|| desk(Noun::Calendar)));
    compare(Noun::Calendar, &before.calendars, &after.calendars, &mut found);
    in_order(Noun::Priority, &before.priorities, &after.priorities, |level| level.id.to_string(), &mut found);
    in_order(Noun::Impact, &before.impacts, &after.impacts, ToString::to_string, &mut found);
    in_order(Noun::Urgency, &before.urgencies, &after.urgencies, ToString::to_string, &mut found);
    found.extend((before.matrix != after.matrix).then(|| desk(Noun::Matrix)));
    let promises = (before.watch == after.watch, before.closing == after.closing);
    found.extend((promises != (true, true)).then(|| desk(Noun::Promises)));
    found.extend((before.routing != after.routing).then(|| desk(Noun::Routing)));
    found.extend((before.devices != after.devices).then(|| desk(Noun::Devices)));
    compare(Noun::Macro, &before.macros, &after.macros, &mut found);
    in_order(
        Noun::CannedReply,
        &before.canned_replies,
        &after.canned_replies,
        |reply| reply.id.to_string(),
        &mut found,
    );
    found
}

/// The tags, each with whether requesters may set it.
fn tags(of: &Organisation) -> BTreeMap<&Tag, bool> {
    of.tags.iter().map(|tag| (tag, of.requester_tags.contains(tag))).collect()
}

/// Those who read the tickets of each department that has readers.
fn readers(of: &Organisation) -> BTreeMap<&str, Vec<&DepartmentReaders>> {
    let mut by_department: BTreeMap<&str, Vec<&DepartmentReaders>> = BTreeMap::new();
    for one in &of.department_readers {
        by_department.entry(&one.department).or_default().push(one);
    }
    by_department
}

/// Compares two lists whose order counts: a thing has its place among those that both have, so that one that comes or goes changes no
/// other.
fn in_order<V: PartialEq>(
    noun: Noun,
    before: &[V],
    after: &[V],
    id: impl Fn(&V) -> String,
    found: &mut Vec<Difference>,
) {
    let ids = |list: &[V]| list.iter().map(&id).collect::<BTreeSet<String>>();
    let (had, has) = (ids(before), ids(after));
    let placed = |list: &[V], other: &BTreeSet<String>| {
        let mut place = 0;
        let mut all = BTreeMap::new();
        for (at, thing) in list.iter().enumerate() {
            place += usize::from(other.contains(&id(thing)));
            all.insert(id(thing), (place, at));
        }
        all
    };
    let (before_by_id, after_by_id) = (placed(before, &has), placed(after, &had));
    let same = |one: (usize, usize), other: (usize, usize)| one.0 == other.0 && before.get(one.1) == after.get(other.1);
    let mut note = |id: &String, way| found.push(Difference { noun, id: id.clone(), way });
    for (id, one) in &before_by_id {
        match after_by_id.get(id) {
            None => note(id, Way::Removed),
            Some(other) if !same(*one, *other) => note(id, Way::Changed),
            Some(_) => {}
        }
    }
    after_by_id.keys().filter(|id| !before_by_id.contains_key(*id)).for_each(|id| note(id, Way::Added));
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
