//! The forms in which providers write the attributes of users and groups, as the desk reads them: names in one case, flags as flags.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Entry, Group};
use crate::app::Office;
use crate::desk::id::PersonId;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::directory::EntryKind;

/// Whether a user may work: where nothing is said, they may.
pub(super) fn is_active(body: &Value) -> bool {
    // Also as earlier releases have kept it, with the name in the provider's own case.
    let mut said = body.as_object().into_iter().flatten().filter(|(name, _)| name.eq_ignore_ascii_case("active"));
    !said.any(|(_, value)| flag(value) == Some(false))
}

/// The body of a user that takes the place of another: of one who has left, and of whom it does not say that they may work, they are away
/// as before. A provider that writes a whole user for the sake of a name brings no one back.
pub fn still_away(before: &Value, mut body: Value) -> Value {
    let says = |(name, value): (&String, &Value)| name.eq_ignore_ascii_case("active") && !value.is_null();
    if !is_active(before)
        && let Some(fields) = body.as_object_mut()
        && !fields.iter().any(says)
    {
        fields.retain(|name, _| !name.eq_ignore_ascii_case("active"));
        fields.insert("active".to_owned(), Value::Bool(false));
    }
    body
}

/// The attributes that the desk reads. The case of a name does not matter (RFC 7643, section 2.1); they are kept in this one.
const NAMES: [&str; 17] = [
    "userName",
    "displayName",
    "externalId",
    "active",
    "name",
    "emails",
    "addresses",
    "title",
    "members",
    "value",
    "primary",
    "givenName",
    "familyName",
    "formatted",
    "locality",
    "department",
    "manager",
];

/// A value with the names of attributes and of these schemas as the desk reads them; `None` where one is there in two forms of its
/// name.
pub(super) fn with_names(value: Value, schemas: &[&'static str]) -> Option<Value> {
    match value {
        Value::Array(all) => {
            let all: Option<Vec<Value>> = all.into_iter().map(|one| with_names(one, schemas)).collect();
            all.map(Value::Array)
        }
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, value) in fields {
                let mut known = NAMES.iter().chain(schemas).copied();
                let known = known.find(|known| known.eq_ignore_ascii_case(&name));
                let name = known.map_or(name, str::to_owned);
                if kept.insert(name, with_names(value, schemas)?).is_some() {
                    return None;
                }
            }
            Some(Value::Object(kept))
        }
        other => Some(other),
    }
}

/// A flag, also in the forms that providers write it: Entra sends it as a text, and has sent it as a list of one value.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Array(all) if all.len() == 1 => all.first().and_then(flag),
        Value::Object(fields) => flag(fields.get("value")?),
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The groups of each user, as their members say, by the ids of both, with the groups' names.
pub(super) fn memberships(entries: &BTreeMap<Uuid, Entry>) -> BTreeMap<Uuid, Vec<Group>> {
    let mut found: BTreeMap<Uuid, Vec<Group>> = BTreeMap::new();
    for group in entries.values().filter(|entry| entry.kind == EntryKind::Group && entry.deleted_at.is_none()) {
        let name = group.body.get("displayName").and_then(Value::as_str).unwrap_or_default();
        let members = group.body.get("members").and_then(Value::as_array).into_iter().flatten();
        for member in members.filter_map(|member| member.get("value")?.as_str()?.parse::<Uuid>().ok()) {
            found.entry(member).or_default().push((group.id, name.to_owned()));
        }
    }
    found
}

/// The person of the configuration whom a new user is: by an id as it is or in another case, or by an address that is no other's. One
/// who was taken for the first of several would get what that one holds.
pub(super) fn person_of(configured: &Organisation, name: &str, email: &str) -> Option<String> {
    let is_id = |id: &PersonId| [name, email].iter().any(|text| id.as_str().eq_ignore_ascii_case(text));
    let by_id = configured.people.keys().find(|id| is_id(id));
    let by_address = || [name, email].into_iter().find_map(|text| configured.person_at(text)).map(|person| &person.id);
    by_id.or_else(by_address).map(PersonId::to_string)
}

impl Office {
    /// Says in the log where others have the address of a user: the provider may have it so, and no person is found by it any more.
    pub(super) fn say_whose_address_it_is(&self, entry: &Entry) {
        let Ok(person) = entry.stands_for.parse::<PersonId>() else { return };
        if entry.kind != EntryKind::User {
            return;
        }
        let organisation = self.organisation();
        let others = organisation.at_the_same_address(&person);
        if !others.is_empty() {
            let others: Vec<&str> = others.iter().map(|other| other.as_str()).collect();
            tracing::warn!(%person, others = others.join(", "), "several people have one mail address: none of them is found by it");
        }
    }
}
