//! Every id that the files define, gathered first, so that each reference can be checked where it is read.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::desk::by_api::Document;
use super::files::Parsed;
use super::wrong::{Known, Wrong, nearest};

/// The ids of one kind of thing.
pub struct Set {
    what: &'static str,
    ids: BTreeSet<String>,
    /// The names that may still be looked at to find one that was meant.
    looks: Cell<usize>,
}

/// How many names of a set are looked at in all for suggestions. Otherwise a file with many names and many mistakes would take time by
/// the square of its length.
const LOOKS_MAX: usize = 1_000_000;

impl Set {
    fn of(what: &'static str, ids: BTreeSet<String>) -> Set {
        Set { what, ids, looks: Cell::new(LOOKS_MAX) }
    }

    /// Whether something of that id exists.
    pub fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Refuses an id that nothing has.
    ///
    /// # Errors
    ///
    /// [`Wrong::Unknown`] with the nearest id and those that exist.
    pub fn check(&self, id: &str) -> Result<(), Wrong> {
        if self.has(id) {
            return Ok(());
        }
        Err(Wrong::Unknown {
            what: self.what,
            text: id.to_owned(),
            nearest: self.nearest(id),
            known: Known::of(self.ids.iter(), self.ids.len()),
        })
    }

    fn nearest(&self, id: &str) -> Option<String> {
        self.looks.set(self.looks.get().checked_sub(self.ids.len())?);
        nearest(id, self.ids.iter().map(String::as_str))
    }
}

/// Every id that the files define.
pub struct Names {
    pub people: Set,
    pub departments: Set,
    pub groups: Set,
    pub teams: Set,
    pub skills: Set,
    pub categories: Set,
    pub tags: Set,
    pub priorities: Set,
    pub calendars: Set,
    pub canned_replies: Set,
    pub risks: Set,
    pub apps: Set,
    pub connectors: Set,
    pub request_types: Set,
    /// The request types that have parts.
    pub bundles: BTreeSet<String>,
    /// The names of the fields of each request type.
    forms: BTreeMap<String, Vec<String>>,
}

impl Names {
    /// Gathers the ids. What is no id, or is no text at all, is noted where it is read.
    pub fn collect(parsed: &Parsed<'_>) -> Names {
        let people = parsed.people.root.get_ref();
        let teams = parsed.teams.root.get_ref();
        let types = parsed.request_types.root.get_ref();
        Names {
            people: Set::of("person", ids(people, "person")),
            departments: Set::of("department", texts(people, "departments")),
            groups: Set::of("group", texts(people, "groups")),
            teams: Set::of("team", ids(teams, "team")),
            skills: Set::of("skill", texts(teams, "skills")),
            categories: Set::of("category", ids(parsed.taxonomy.root.get_ref(), "category")),
            tags: Set::of("tag", texts(parsed.taxonomy.root.get_ref(), "tags")),
            priorities: Set::of("priority", ids(parsed.with(Document::Priorities).root.get_ref(), "priority")),
            calendars: Set::of("calendar", ids(parsed.with(Document::Calendars).root.get_ref(), "other-calendar")),
            canned_replies: Set::of(
                "canned reply",
                ids(parsed.with(Document::CannedReplies).root.get_ref(), "canned-reply"),
            ),
            risks: Set::of("risk class", texts(parsed.apps.root.get_ref(), "risks")),
            apps: Set::of("app", ids(parsed.apps.root.get_ref(), "app")),
            connectors: Set::of("connector", ids(parsed.apps.root.get_ref(), "connector")),
            request_types: Set::of("request type", ids(types, "request-type")),
            bundles: forms(types).filter(|(_, form)| form.contains_key("part")).map(|(id, _)| id).collect(),
            forms: forms(types).map(|(id, form)| (id, names(form, "field"))).collect(),
        }
    }
}

impl Names {
    /// The names of the fields of a request type, where there is one.
    pub fn fields_of(&self, form: &str) -> Option<&[String]> {
        self.forms.get(form).map(Vec::as_slice)
    }
}

/// The request types with their ids.
fn forms<'a>(table: &'a DeTable<'a>) -> impl Iterator<Item = (String, &'a DeTable<'a>)> {
    list(table, "request-type").filter_map(|entry| match entry {
        DeValue::Table(form) => Some((text(form.get("id")?.get_ref())?, form)),
        _ => None,
    })
}

/// The names of the entries of a list.
fn names(table: &DeTable<'_>, key: &str) -> Vec<String> {
    each(table, key, "name").collect()
}

/// The same text of each entry of a list.
fn each<'a>(table: &'a DeTable<'a>, key: &str, of: &str) -> impl Iterator<Item = String> {
    list(table, key).filter_map(move |entry| match entry {
        DeValue::Table(entry) => text(entry.get(of)?.get_ref()),
        _ => None,
    })
}

fn list<'a>(table: &'a DeTable<'a>, key: &str) -> impl Iterator<Item = &'a DeValue<'a>> {
    let items = match table.get(key).map(toml::Spanned::get_ref) {
        Some(DeValue::Array(items)) => Some(items.iter().map(toml::Spanned::get_ref)),
        _ => None,
    };
    items.into_iter().flatten()
}

fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    }
}

fn texts<'a>(table: &'a DeTable<'a>, key: &str) -> BTreeSet<String> {
    list(table, key).filter_map(text).collect()
}

fn ids<'a>(table: &'a DeTable<'a>, key: &str) -> BTreeSet<String> {
    each(table, key, "id").collect()
}
