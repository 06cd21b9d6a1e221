//! The people and groups that the company's identity provider tells of, laid over those of the configuration: one truth for each
//! person and for each group. On a day on which a person does not belong to the organisation they are one who is not here, like one
//! who has left, whichever source says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Organisation, Person};
use crate::desk::id::{GroupId, PersonId};

/// The days on which a person belongs to the organisation, by the desk's zone: from the first to the last of them, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validity {
    /// `None` for one who has been here before all days.
    pub from: Option<Date>,
    /// `None` for one whose end is not known.
    pub until: Option<Date>,
}

impl Validity {
    /// Whether a day is among them.
    fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && !self.is_over_on(day)
    }

    /// Whether the last of them is before a day.
    pub fn is_over_on(&self, day: Date) -> bool {
        self.until.is_some_and(|until| until < day)
    }

    /// Whether they are all among those of another.
    pub fn is_within(&self, other: &Validity) -> bool {
        let begins = other.from.is_none_or(|from| self.from.is_some_and(|own| own >= from));
        begins && other.until.is_none_or(|until| self.until.is_some_and(|own| own <= until))
    }

    /// The first day after this one on which they begin or are over.
    pub(super) fn turns_after(&self, day: Date) -> Option<Date> {
        let over = self.until.and_then(|until| until.tomorrow().ok());
        self.from.into_iter().chain(over).filter(|turn| *turn > day).min()
    }
}

/// Those who read the public part of the tickets that the people of a department request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentReaders {
    pub department: String,
    pub people: Vec<PersonId>,
    /// The groups whose members do as well.
    pub groups: Vec<GroupId>,
}

/// Where the desk knows a person from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The file of the configuration directory.
    Configuration,
    /// A document that was published by API.
    Published,
    /// A CSV file, of which the document was made.
    Csv,
    /// The identity provider, by SCIM.
    Directory,
}

impl Source {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Source::Configuration => "configuration",
            Source::Published => "api",
            Source::Csv => "csv",
            Source::Directory => "directory",
        }
    }
}

/// A kind of thing that a provider keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    User,
    Group,
}

codes! { EntryKind { User => "user", Group => "group" } }

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
    pub valid: Option<Validity>,
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
            person.source = Source::Directory;
            person.valid = provided.valid.unwrap_or(person.valid);
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

    /// Where the desk knows a person from: the provider, or that by which the document of people came.
    pub fn source_of(&self, person: &Person) -> Source {
        match person.source {
            Source::Configuration => self.people_from,
            other => other,
        }
    }

    /// The departments whose tickets a person reads, each once.
    pub fn departments_read_by(&self, reader: &PersonId) -> BTreeSet<&str> {
        let Some(person) = self.people.get(reader).filter(|person| person.active) else { return BTreeSet::new() };
        let reads = |one: &&DepartmentReaders| {
            one.people.contains(reader) || one.groups.iter().any(|group| person.groups.contains(group))
        };
        self.department_readers.iter().filter(reads).map(|one| one.department.as_str()).collect()
    }

    /// Whether a person reads the tickets of another as one of their department's readers. A person's tickets are those of the
    /// department in which they are now.
    pub fn reads_tickets_of(&self, reader: &PersonId, requester: &str) -> bool {
        let department = self.people.get(requester).map(|person| person.department.as_str());
        department.is_some_and(|department| self.departments_read_by(reader).contains(department))
    }

    /// The organisation as it is at an instant, where people are away whose days have not begun or are over and who would be here
    /// else; and the instant at which that is next otherwise for one of them, or for those who stand in for them.
    pub fn at(&self, now: Timestamp) -> (Option<Organisation>, Option<Timestamp>) {
        let zone = &self.calendar.zone;
        let today = zone.to_datetime(now).date();
        let begins_or_ends = |person: &Person| {
            let leave = person.delegations.iter().filter_map(|one| one.turns_after(today));
            leave.chain(person.valid.turns_after(today)).min()
        };
        let turns = self.people.values().filter_map(begins_or_ends).min();
        let turns = turns.and_then(|day| zone.to_timestamp(day.at(0, 0, 0, 0)).ok());
        let is_away = |person: &Person| person.active && !person.valid.holds_on(today);
        if !self.people.values().any(is_away) {
            return (None, turns);
        }
        let mut after = self.clone();
        after.people.values_mut().for_each(|person| person.active &= person.valid.holds_on(today));
        (Some(after), turns)
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
        valid: Validity::default(),
        source: Source::Directory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_of_a_person_are_counted_with_the_first_and_the_last() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let march = Validity { from: Some(day("2026-03-01")), until: Some(day("2026-03-31")) };
        let holds = ["2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"].map(|text| march.holds_on(day(text)));
        assert_eq!(holds, [false, true, true, false]);
        assert_eq!(march.turns_after(day("2026-02-27")), Some(day("2026-03-01")));
        assert_eq!(march.turns_after(day("2026-03-01")), Some(day("2026-04-01")));
        assert_eq!(march.turns_after(day("2026-04-01")), None);
        let always = Validity::default();
        assert!(always.holds_on(day("1970-01-01")) && always.turns_after(day("1970-01-01")).is_none());
        assert!(march.is_within(&always) && march.is_within(&march) && !always.is_within(&march));
        let longer = Validity { until: Some(day("2026-04-01")), ..march };
        assert!(!longer.is_within(&march) && march.is_within(&longer));
    }
}
