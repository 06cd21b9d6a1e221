//! Every id that the files define, gathered first, so that each reference can be checked where it is read.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::desk::by_api::Document;
use super::files::Parsed;
use super::wrong::{Wrong, nearest};

/// The ids of one kind of thing.
pub struct Set {
    what: &'static str,
    ids: BTreeSet<String>,
}

impl Set {
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
            nearest: nearest(id, self.ids.iter().map(String::as_str)),
            known: self.ids.iter().cloned().collect(),
        })
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
            people: Set { what: "person", ids: ids(people, "person") },
            departments: Set { what: "department", ids: texts(people, "departments") },
            groups: Set { what: "group", ids: texts(people, "groups") },
            teams: Set { what: "team", ids: ids(teams, "team") },
            skills: Set { what: "skill", ids: texts(teams, "skills") },
            categories: Set { what: "category", ids: ids(parsed.taxonomy.root.get_ref(), "category") },
            tags: Set { what: "tag", ids: texts(parsed.taxonomy.root.get_ref(), "tags") },
            priorities: Set {
                what: "priority",
                ids: ids(parsed.with(Document::Priorities).root.get_ref(), "priority"),
            },
            calendars: Set {
                what: "calendar",
                ids: ids(parsed.with(Document::Calendars).root.get_ref(), "other-calendar"),
            },
            canned_replies: Set {
                what: "canned reply",
                ids: ids(parsed.with(Document::CannedReplies).root.get_ref(), "canned-reply"),
            },
            risks: Set { what: "risk class", ids: texts(parsed.apps.root.get_ref(), "risks") },
            apps: Set { what: "app", ids: ids(parsed.apps.root.get_ref(), "app") },
            connectors: Set { what: "connector", ids: ids(parsed.apps.root.get_ref(), "connector") },
            request_types: Set { what: "request type", ids: ids(types, "request-type") },
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
    let name = |entry: &DeValue<'_>| match entry {
        DeValue::Table(entry) => text(entry.get("name")?.get_ref()),
        _ => None,
    };
    list(table, key).filter_map(name).collect()
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
    let id = |entry: &DeValue<'_>| match entry {
        DeValue::Table(entry) => text(entry.get("id")?.get_ref()),
        _ => None,
    };
    list(table, key).filter_map(id).collect()
}
