//! `people.toml`: the directory.
//!
//! - `departments`, `groups`: those that exist, so that a misspelt one is found.
//! - `[[person]]`: everybody.
//! - `[[department-readers]]`: those who read the tickets of a department.
//! - `source`: `csv` where the file was made of a CSV file, as `ruledesk config publish` notes; default is a file that people write. It
//!   is said of each person of it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::desk::id::PersonId;
use crate::desk::organisation::accounts::human_among;
use crate::desk::organisation::directory::{DepartmentReaders, Source, Validity};
use crate::desk::organisation::{Delegation, Person};

use super::names::Names;
use super::read::{Document, Keys, Node, distinct};
use super::wrong::Wrong;

/// The people of an organisation.
pub struct Directory {
    pub people: BTreeMap<PersonId, Person>,
    pub people_from: Source,
    pub department_readers: Vec<DepartmentReaders>,
}

/// Reads the directory, and who reads the tickets of its departments.
pub fn read(document: &Document<'_>, names: &Names) -> Directory {
    let (mut managers, mut addresses) = (Managers::default(), Addresses::default());
    let (people, department_readers, source) = document.read(|keys| {
        distinct(keys.list("departments"), Node::filled);
        distinct(keys.list("groups"), Node::id::<crate::desk::id::GroupId>);
        let people = keys.entries("person", |keys, id| person(keys, id, names, (&mut managers, &mut addresses)));
        let list = keys.list("department-readers");
        let readers = list.iter().filter_map(|node| node.keys(|keys| department_readers(keys, names)).flatten());
        let readers: Vec<DepartmentReaders> = readers.collect();
        (people, readers, keys.optional("source").and_then(|node| node.one_of(&[("csv", Source::Csv)])))
    });
    for (span, circle) in managers.circles() {
        let key = circle.first().map(|id| format!("person.{id}.manager")).unwrap_or_default();
        document.report(&span, &key, Wrong::ManagerCircle { circle });
    }
    let people: BTreeMap<_, _> = people.into_iter().map(|person| (person.id.clone(), person)).collect();
    for (span, id, other) in addresses.shared(&people) {
        document.report(&span, &format!("person.{id}.email"), Wrong::AddressOfAnother { other });
    }
    Directory { people, people_from: source.unwrap_or(Source::Configuration), department_readers }
}

/// One `[[department-readers]]`: people who may read the public part of the tickets that those of a department request, as they may
/// read their own; they change nothing about them.
///
/// - `department`: one of `departments`.
/// - `people`: the ids of people who may; `groups`: those whose members may as well. Default none.
fn department_readers(keys: &mut Keys<'_>, names: &Names) -> Option<DepartmentReaders> {
    let department = keys.required("department");
    let department =
        department.and_then(|node| node.parsed(|text| names.departments.check(text).map(|()| text.to_owned())));
    let people = distinct(keys.list("people"), |node| node.known(&names.people));
    let groups = distinct(keys.list("groups"), |node| node.known(&names.groups));
    Some(DepartmentReaders { department: department?, people, groups })
}

/// One `[[person]]`.
///
/// - `id`, `name`, `email`. An address is that of one human who is here: by it they are found where they sign in, write, or are
///   imported.
/// - `department`: one of `departments`; absent if unknown. `title`, `location`: absent if unknown.
/// - `manager`: a person's id; absent at the top.
/// - `groups`: some of the file's `groups`.
/// - `vip`: whether the organisation marks this person for special care; default false.
/// - `active`: false for somebody who has left; default true.
/// - `attributes`: what else rules may see, as texts; default none.
/// - `same-as`: a person's id, where this is another account of theirs, such as for administration: neither decides about the other's
///   requests, and both together are one approver. Absent for one who has no other.
/// - `valid-from`, `valid-until`: the first and the last day, by the desk's zone, on which they belong to the organisation, such as
///   `2026-12-31`; before and after them they are as one who has left. Default without an end.
/// - `[[person.delegation]]`: who may approve in their place: `to`, a person's id, `from` and `until`, days by the desk's zone.
fn person(
    keys: &mut Keys<'_>,
    id: PersonId,
    names: &Names,
    (managers, addresses): (&mut Managers, &mut Addresses),
) -> Person {
    let text = |node: Option<Node<'_>>| node.and_then(|node| node.line()).unwrap_or_default();
    let name = text(keys.required("name"));
    let email = keys.required("email");
    let email = email.and_then(|node| {
        let address = node.parsed(mail)?;
        addresses.0.entry(address.to_ascii_lowercase()).or_default().push((id.clone(), node.span()));
        Some(address)
    });
    let email = email.unwrap_or_default();
    let department = keys
        .optional("department")
        .and_then(|node| node.parsed(|text| names.departments.check(text).map(|()| text.to_owned())));
    let manager = keys.optional("manager");
    let manager = manager.and_then(|node| {
        let manager: PersonId = node.known(&names.people)?;
        managers.0.insert(id.clone(), (manager.clone(), node.span()));
        Some(manager)
    });
    Person {
        id,
        name,
        email,
        department: department.unwrap_or_default(),
        title: text(keys.optional("title")),
        location: text(keys.optional("location")),
        manager,
        groups: distinct(keys.list("groups"), |node| node.known(&names.groups)),
        vip: keys.optional("vip").and_then(|node| node.flag()).unwrap_or(false),
        active: keys.optional("active").and_then(|node| node.flag()).unwrap_or(true),
        attributes: keys.optional("attributes").and_then(|node| node.texts()).unwrap_or_default(),
        delegations: keys
            .list("delegation")
            .iter()
            .filter_map(|node| node.keys(|keys| delegation(keys, names))?)
            .collect(),
        same_as: keys.optional("same-as").and_then(|node| node.known(&names.people)),
        valid: valid(keys),
        source: Source::Configuration,
    }
}

fn valid(keys: &mut Keys<'_>) -> Validity {
    let from = keys.optional("valid-from").and_then(|node| node.day());
    let last = keys.optional("valid-until");
    let until = last.as_ref().and_then(Node::day);
    if let (Some(node), Some(from), Some(until)) = (&last, from, until)
        && until < from
    {
        node.report(Wrong::DaysBackwards { from: from.to_string() });
    }
    Validity { from, until }
}

fn delegation(keys: &mut Keys<'_>, names: &Names) -> Option<Delegation> {
    let to = keys.required("to").and_then(|node| node.known(&names.people));
    let (from, until) = (keys.required("from"), keys.required("until"));
    let from = from.and_then(|node| node.day());
    let until = until.and_then(|node| node.day());
    Some(Delegation { to: to?, from: from?, until: until?, given: None })
}

/// A mail address as far as a glance can tell; the mail server knows the rest.
fn mail(text: &str) -> Result<String, Wrong> {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;".contains(c));
    match text.split_once('@') {
        Some((name, host)) if plain && !name.is_empty() && !host.is_empty() && !host.contains('@') => {
            Ok(text.to_owned())
        }
        _ => Err(Wrong::NotAMailAddress { text: text.to_owned() }),
    }
}

/// Those who have each address, in lower case, and where that is written.
#[derive(Default)]
struct Addresses(BTreeMap<String, Vec<(PersonId, Range<usize>)>>);

impl Addresses {
    /// Those who are here and have the address of another human who is here, and comes before them.
    fn shared(&self, people: &BTreeMap<PersonId, Person>) -> Vec<(Range<usize>, PersonId, PersonId)> {
        let mut found = Vec::new();
        for owners in self.0.values().filter(|owners| owners.len() > 1) {
            let is_here = |id: &PersonId| people.get(id).is_some_and(|person| person.active);
            let mut here = owners.iter().filter(|(id, _)| is_here(id));
            let Some((first, _)) = here.next() else { continue };
            let others = here.filter(|(id, _)| human_among(people, id) != human_among(people, first));
            found.extend(others.map(|(id, span)| (span.clone(), id.clone(), first.clone())));
        }
        found
    }
}

/// Everybody's manager, and where that is written.
#[derive(Default)]
struct Managers(BTreeMap<PersonId, (PersonId, Range<usize>)>);

impl Managers {
    /// Each circle once, from its first member by id back to that member.
    fn circles(&self) -> Vec<(Range<usize>, Vec<PersonId>)> {
        let mut done: BTreeMap<&PersonId, &PersonId> = BTreeMap::new();
        let mut circles = Vec::new();
        for start in self.0.keys() {
            let mut at = start;
            // Each walk stops where an earlier one, or this one, has been: linear in all.
            while let (Some((manager, _)), None) = (self.0.get(at), done.get(at)) {
                done.insert(at, start);
                at = manager;
            }
            if done.get(at) == Some(&start) {
                circles.extend(self.circle_through(at));
            }
        }
        circles
    }

    fn circle_through(&self, member: &PersonId) -> Option<(Range<usize>, Vec<PersonId>)> {
        let mut circle = vec![member.clone()];
        let mut at = &self.0.get(member)?.0;
        while at != member {
            circle.push(at.clone());
            at = &self.0.get(at)?.0;
        }
        let first = circle.iter().enumerate().min_by_key(|(_, id)| *id)?.0;
        circle.rotate_left(first);
        let start = circle.first()?.clone();
        let span = self.0.get(&start)?.1.clone();
        circle.push(start);
        Some((span, circle))
    }
}
