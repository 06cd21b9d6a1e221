//! Every id that the files define, gathered first, so that each reference can be checked where it is read.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

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
    pub risks: Set,
    pub apps: Set,
    pub connectors: Set,
}

impl Names {
    /// Gathers the ids. What is no id, or is no text at all, is noted where it is read.
    pub fn collect(parsed: &Parsed<'_>) -> Names {
        let people = parsed.people.root.get_ref();
        let teams = parsed.teams.root.get_ref();
        Names {
            people: Set { what: "person", ids: ids(people, "person") },
            departments: Set { what: "department", ids: texts(people, "departments") },
            groups: Set { what: "group", ids: texts(people, "groups") },
            teams: Set { what: "team", ids: ids(teams, "team") },
            skills: Set { what: "skill", ids: texts(teams, "skills") },
            categories: Set { what: "category", ids: ids(parsed.taxonomy.root.get_ref(), "category") },
            tags: Set { what: "tag", ids: texts(parsed.taxonomy.root.get_ref(), "tags") },
            priorities: Set { what: "priority", ids: ids(parsed.desk.root.get_ref(), "priority") },
            calendars: Set { what: "calendar", ids: ids(parsed.desk.root.get_ref(), "other-calendar") },
            risks: Set { what: "risk class", ids: texts(parsed.apps.root.get_ref(), "risks") },
            apps: Set { what: "app", ids: ids(parsed.apps.root.get_ref(), "app") },
            connectors: Set { what: "connector", ids: ids(parsed.apps.root.get_ref(), "connector") },
        }
    }
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
