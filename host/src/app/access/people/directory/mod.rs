//! The company's directory: users and groups that its identity provider keeps here. A user who is deactivated has left, and all
//! that follows for one who has left follows at once.

mod attributes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use self::attributes::still_away;
use self::attributes::{flag, is_active, memberships, with_names};
use crate::app::error::{Busy, accept};
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;
use crate::app::office::signatory;
use crate::app::{App, Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{GroupId, PersonId};
use crate::desk::organisation::directory::{Directory, EntryKind, Provided, Validity};
use crate::desk::organisation::form::{Problem, check_characters, check_long};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::text::is_blank;
use crate::store::chain::audit;
pub use crate::store::people::directory::Entry;
use crate::store::people::directory::Kept as Written;

/// The schema of a user's place in the company (RFC 7643, section 4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of the days on which a user belongs to the company. It is the desk's own: the standard has none.
pub const VALIDITY: &str = "urn:ruledesk:params:scim:schemas:extension:validity:1.0:User";
/// Its attributes.
pub const FIRST_AND_LAST: [&str; 2] = ["validFrom", "validUntil"];
/// The most users and groups together.
const ENTRIES_MAX: usize = 200_000;
/// The largest entry, in bytes: a group of some ten thousand members.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 256;
/// How often a change is made again while other hosts change the directory.
const TRIES_MAX: usize = 8;
/// How often a host looks whether another has changed it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The directory as it was read last.
#[derive(Debug, Default)]
pub struct Kept {
    pub revision: i64,
    pub entries: BTreeMap<Uuid, Entry>,
    pub directory: Directory,
    /// The groups of each user, by the ids of both, with the groups' names.
    memberships: BTreeMap<Uuid, Vec<Group>>,
}

/// A group of a user: its id and name.
pub type Group = (Uuid, String);

impl Kept {
    fn of(revision: i64, entries: Vec<Entry>) -> Kept {
        let entries: BTreeMap<Uuid, Entry> = entries.into_iter().map(|entry| (entry.id, entry)).collect();
        Kept { revision, directory: directory(&entries), memberships: memberships(&entries), entries }
    }

    fn live(&self, kind: EntryKind) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(move |entry| entry.kind == kind && entry.deleted_at.is_none())
    }
}

fn directory(entries: &BTreeMap<Uuid, Entry>) -> Directory {
    let mut found = Directory::default();
    let live = entries.values().filter(|entry| entry.kind == EntryKind::User && entry.deleted_at.is_none());
    let here: BTreeSet<&str> = live.map(|entry| entry.stands_for.as_str()).collect();
    // One who was deleted and made again is who they are by the newer user, in whichever order the two are read.
    let made_again = |entry: &Entry| entry.deleted_at.is_some() && here.contains(entry.stands_for.as_str());
    for entry in entries.values() {
        match entry.kind {
            EntryKind::User if made_again(entry) => {}
            EntryKind::User => {
                let Ok(id) = entry.stands_for.parse::<PersonId>() else { continue };
                let manager = text(entry.body.get(ENTERPRISE), "manager/value");
                let manager = manager.and_then(|id| user(entries, &id)).filter(|manager| !made_again(manager));
                let manager = manager.and_then(|manager| manager.stands_for.parse().ok());
                let active = entry.deleted_at.is_none() && is_active(&entry.body);
                found.people.insert(id, Provided { active, manager, ..described(&entry.body) });
            }
            EntryKind::Group if entry.deleted_at.is_none() => {
                let Ok(id) = entry.stands_for.parse::<GroupId>() else { continue };
                let members = entry.body.get("members").and_then(Value::as_array).into_iter().flatten();
                let members = members.filter_map(|member| user(entries, member.get("value")?.as_str()?));
                // A user who was deleted is in no group, also where the group still names them: who is made again under the same
                // name gets none of what they had by it.
                let members = members.filter(|member| member.deleted_at.is_none());
                found.groups.insert(id, members.filter_map(|member| member.stands_for.parse().ok()).collect());
            }
            EntryKind::Group => {}
        }
    }
    found
}

fn user<'e>(entries: &'e BTreeMap<Uuid, Entry>, id: &str) -> Option<&'e Entry> {
    entries.get(&id.parse::<Uuid>().ok()?).filter(|entry| entry.kind == EntryKind::User)
}

fn text(body: Option<&Value>, path: &str) -> Option<String> {
    let found = body?.pointer(&format!("/{path}"))?.as_str()?.trim();
    (!found.is_empty()).then(|| found.to_owned())
}

fn described(body: &Value) -> Provided {
    let given = [text(Some(body), "name/givenName"), text(Some(body), "name/familyName")];
    let given: Vec<String> = given.into_iter().flatten().collect();
    let whole = (!given.is_empty()).then(|| given.join(" "));
    let name = text(Some(body), "displayName").or_else(|| text(Some(body), "name/formatted")).or(whole);
    let city = body.get("addresses").and_then(Value::as_array).and_then(|all| text(all.first(), "locality"));
    Provided {
        active: true,
        name: name.or_else(|| text(Some(body), "userName")),
        email: email(body),
        department: text(body.get(ENTERPRISE), "department"),
        title: text(Some(body), "title"),
        location: city,
        manager: None,
        valid: body.get(VALIDITY).map(|days| {
            let [from, until] = FIRST_AND_LAST.map(|name| day(days, name).unwrap_or_default());
            Validity { from, until }
        }),
    }
}

/// A day of the schema of validity, where one is named; the attribute where that is none.
fn day(days: &Value, name: &'static str) -> Result<Option<Date>, &'static str> {
    match days.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() == "YYYY-MM-DD".len() => text.parse().map(Some).map_err(|_| name),
        Some(_) => Err(name),
    }
}

/// The primary address, else the first, else the name where it is one.
fn email(body: &Value) -> Option<String> {
    let all = body.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let primary = all.iter().find(|one| one.get("primary") == Some(&Value::Bool(true))).or(all.first());
    text(primary, "value").or_else(|| text(Some(body), "userName").filter(|name| name.contains('@')))
}

impl Office {
    /// The person whose user in the directory has this external id, which the provider gives (RFC 7643, 3.1).
    pub(in crate::app) fn person_of_external(&self, id: &str) -> Option<PersonId> {
        let kept = self.directory.load();
        let mut found =
            kept.live(EntryKind::User).filter(|entry| entry.body.get("externalId").is_some_and(|own| own == id));
        let person = found.next().and_then(|entry| entry.stands_for.parse().ok());
        person.filter(|_| found.next().is_none())
    }

    /// The users or the groups, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub fn directory_entries(&self, actor: &Actor, kind: EntryKind) -> Result<Vec<Entry>, Error> {
        permission::manage_directory(actor)?;
        let kept = self.directory.load();
        let mut found: Vec<Entry> = kept.live(kind).cloned().collect();
        found.sort_by_key(|entry| (entry.created_at, entry.id));
        Ok(found)
    }

    /// The groups in which the directory has one of its users.
    pub fn groups_of_user(&self, id: Uuid) -> Vec<Group> {
        self.directory.load().memberships.get(&id).cloned().unwrap_or_default()
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`].
    pub fn directory_entry(&self, actor: &Actor, kind: EntryKind, id: &str) -> Result<Entry, Error> {
        permission::manage_directory(actor)?;
        let missing = || Error::Missing { what: kind.code(), name: id.chars().take(NAME_CHARS_MAX).collect() };
        let kept = self.directory.load();
        let entry = id.parse().ok().and_then(|id: Uuid| kept.entries.get(&id));
        let entry = entry.filter(|entry| entry.kind == kind && entry.deleted_at.is_none());
        entry.cloned().ok_or_else(missing)
    }

    /// Reads the directory where it has changed since it was read last; whether it has.
    async fn catch_up_directory(&self) -> Result<bool, Error> {
        let revision = self.store.directory_revision().await?;
        if self.directory.load().revision == revision {
            return Ok(false);
        }
        let entries = self.store.directory_entries().await?;
        self.directory.store(Arc::new(Kept::of(revision, entries)));
        self.lay_over();
        Ok(true)
    }

    /// Reads the directory for the first time, before anything is decided, and who stands in for whom.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn read_directory(&self) -> Result<(), Error> {
        self.catch_up_directory().await?;
        self.catch_up_delegations().await.map(drop)
    }

    /// The id in the organisation for a new entry: a person or a group of the configuration that it is, or one who was here before,
    /// else an id made of its name.
    fn stands_for(&self, kept: &Kept, kind: EntryKind, body: &Value, name: &str) -> String {
        let taken = |id: &str| kept.live(kind).any(|entry| entry.stands_for == id);
        let gone = kept.entries.values().filter(|entry| entry.kind == kind && entry.deleted_at.is_some());
        let before = gone.filter(|entry| entry.name == name).map(|entry| entry.stands_for.clone()).next();
        let configured = self.configured();
        let known = match kind {
            EntryKind::User => attributes::person_of(&configured, name, &email(body).unwrap_or_default()),
            EntryKind::Group => None,
        };
        if let Some(id) = before.or(known).filter(|id| !taken(id)) {
            return id;
        }
        let local = name.split('@').next().unwrap_or(name);
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let id: String = local.chars().map(allowed).take(80).collect();
        let id = id.trim_matches('-').to_owned();
        let id = if id.is_empty() { kind.code().to_owned() } else { id };
        let is_person = |id: &str| kind == EntryKind::User && configured.people.contains_key(id);
        // The place of one who is gone stays theirs, by whichever name they went: only the same name comes back to it.
        let was_anothers = |id: &str| {
            kind == EntryKind::User && kept.entries.values().any(|entry| entry.kind == kind && entry.stands_for == id)
        };
        let free = |id: &String| !taken(id) && !is_person(id) && !was_anothers(id);
        let numbered = (2..).map(|n: u32| format!("{id}-{n}"));
        let found = std::iter::once(id.clone()).chain(numbered).find(free);
        found.unwrap_or(id)
    }
}

/// A change of the directory, as it is noted.
#[derive(Debug, Clone, Copy)]
enum Did {
    Created,
    Changed,
    Deleted,
}

impl Did {
    const fn code(self) -> &'static str {
        match self {
            Did::Created => "created",
            Did::Changed => "changed",
            Did::Deleted => "deleted",
        }
    }
}

impl App {
    /// Takes a new user or group.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], also where another has the name; [`Error::Rejected`]; [`Error::Busy`] where other hosts change the
    /// directory all the time.
    pub async fn add_entry(self: &Arc<Self>, actor: &Actor, kind: EntryKind, body: Value) -> Result<Entry, Error> {
        permission::manage_directory(actor)?;
        self.write_entry(actor, Did::Created, |kept| {
            let body = checked(kind, body.clone())?;
            if kept.entries.len() >= ENTRIES_MAX {
                let message = format!("The directory has {ENTRIES_MAX} entries, which is the most.");
                return Err(Problem::new("id", "too-many", message).into());
            }
            let (name, now) = (name_of(kind, &body), self.clock.now());
            let stands_for = self.stands_for(kept, kind, &body, &name);
            let id = self.clock.new_id();
            Ok(Entry {
                id,
                kind,
                name,
                stands_for,
                body,
                version: 1,
                created_at: now,
                changed_at: now,
                deleted_at: None,
            })
        })
        .await
    }

    /// Changes a user or a group: `change` makes the new body of the old one. `version` is the one that is meant, where one is.
    ///
    /// # Errors
    ///
    /// As [`App::add_entry`]; [`Error::Missing`]; [`Error::Stale`]; what `change` refuses.
    pub async fn change_entry(
        self: &Arc<Self>,
        actor: &Actor,
        (kind, id): (EntryKind, &str),
        version: Option<i64>,
        change: impl Fn(&Value) -> Result<Value, Error>,
    ) -> Result<Entry, Error> {
        permission::manage_directory(actor)?;
        self.write_entry(actor, Did::Changed, |_| {
            let before = self.directory_entry(actor, kind, id)?;
            if version.is_some_and(|version| version != before.version) {
                return Err(Error::Stale { version: before.version });
            }
            let body = checked(kind, change(&before.body)?)?;
            if body == before.body {
                return Ok(before);
            }
            let name = name_of(kind, &body);
            Ok(Entry { name, body, version: before.version + 1, changed_at: self.clock.now(), ..before })
        })
        .await
    }

    /// Deletes a user, who has left by that and whose ways in are closed, or a group.
    ///
    /// # Errors
    ///
    /// As [`App::change_entry`].
    pub async fn delete_entry(
        self: &Arc<Self>,
        actor: &Actor,
        (kind, id): (EntryKind, &str),
        version: Option<i64>,
    ) -> Result<(), Error> {
        permission::manage_directory(actor)?;
        let now = self.clock.now();
        let gone = self.directory_entry(actor, kind, id)?;
        let meant = version.is_none_or(|version| version == gone.version);
        // First, so that a deletion that was answered has done it.
        if let (EntryKind::User, true, Ok(person)) = (kind, meant, gone.stands_for.parse::<PersonId>()) {
            self.close_ways_in(&person, &signatory(actor).to_string()).await?;
        }
        self.write_entry(actor, Did::Deleted, |_| {
            let before = self.directory_entry(actor, kind, id)?;
            if version.is_some_and(|version| version != before.version) {
                return Err(Error::Stale { version: before.version });
            }
            Ok(Entry { deleted_at: Some(now), changed_at: now, version: before.version + 1, ..before })
        })
        .await
        .map(drop)
    }

    async fn write_entry(
        self: &Arc<Self>,
        actor: &Actor,
        did: Did,
        make: impl Fn(&Kept) -> Result<Entry, Error>,
    ) -> Result<Entry, Error> {
        let _only_one = self.changing_directory.lock().await;
        for _ in 0..TRIES_MAX {
            self.catch_up_directory().await?;
            let kept = self.directory.load_full();
            let entry = make(&kept)?;
            let same = |other: &&Entry| other.id != entry.id && other.name == entry.name;
            if entry.deleted_at.is_none() && kept.live(entry.kind).any(|other| same(&other)) {
                return Err(Refusal::NameTaken { kind: entry.kind.code(), name: entry.name }.into());
            }
            let before = kept.entries.get(&entry.id);
            if before == Some(&entry) {
                return Ok(entry);
            }
            let detail = json!({ "did": did.code(), "kind": entry.kind.code(), "entry": entry.id.to_string(),
                "active": entry.deleted_at.is_none() && is_active(&entry.body), "by": signatory(actor).to_string() });
            let (at, about) = (self.clock.now(), entry.stands_for.clone());
            let noted = audit::Entry { at, event: audit::DIRECTORY, about, detail };
            if self.store.keep_entry(&entry, kept.revision, noted).await? == Written::Overtaken {
                continue;
            }
            self.catch_up_directory().await?;
            self.show_organisation().await?;
            self.say_whose_address_it_is(&entry);
            // One who is new holds nothing yet, and no open request waits for them.
            if before.is_some() || entry.kind == EntryKind::Group {
                self.follow_people().await?;
            }
            return Ok(entry);
        }
        Err(Busy::Directory.into())
    }

    /// Follows the directory as other hosts change it, until it is asked to stop.
    pub async fn follow_directory(self: Arc<Self>, stop: Stop) {
        let mut looks = Looks::every(LOOK_EVERY, stop);
        while looks.next().await {
            let shown = match self.office.catch_up_directory().await {
                Ok(true) => self.show_organisation().await,
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = shown {
                tracing::warn!(%error, "the directory was not read: it stays as it is, and is looked at again soon");
            }
            if let Err(error) = self.office.catch_up_delegations().await {
                tracing::warn!(%error, "who stands in for whom was not read: it stays as it is, and is looked at again soon");
            }
            if let Err(error) = self.follow_days().await {
                tracing::warn!(%error, "not all was ended for people whose last day is over: done within the hour");
            }
        }
    }
}

fn name_of(kind: EntryKind, body: &Value) -> String {
    let attribute = match kind {
        EntryKind::User => "userName",
        EntryKind::Group => "displayName",
    };
    text(Some(body), attribute).unwrap_or_default().to_lowercase()
}

/// A body as it is kept: without what only the desk says, with flags as flags.
fn checked(kind: EntryKind, body: Value) -> Result<Value, Error> {
    let rejected = |field: &str, code: &str, message: String| Error::Rejected {
        problems: vec![Problem::new(field, code, message)],
    };
    let [first, last] = FIRST_AND_LAST;
    let Some(body) = with_names(body, &[ENTERPRISE, VALIDITY, first, last]) else {
        return Err(rejected("", "repeated", "An attribute is there twice, in two forms of its name.".to_owned()));
    };
    let Value::Object(fields) = body else {
        return Err(rejected("", "not-an-object", "Send a JSON object.".to_owned()));
    };
    let mut kept = Map::new();
    for (name, mut value) in fields {
        let plain = name.to_ascii_lowercase();
        // The groups of a user are the groups' own.
        if ["id", "meta", "schemas"].contains(&plain.as_str()) || (kind == EntryKind::User && plain == "groups") {
            continue;
        }
        if plain == "active" {
            value = Value::Bool(
                flag(&value)
                    .ok_or_else(|| rejected("active", "not-a-flag", "`active` is true or false.".to_owned()))?,
            );
        }
        if !value.is_null() {
            kept.insert(name, value);
        }
    }
    let body = Value::Object(kept);
    let name = name_of(kind, &body);
    let field = if kind == EntryKind::User { "userName" } else { "displayName" };
    if is_blank(&name) || name.chars().count() > NAME_CHARS_MAX {
        return Err(rejected(field, "required", format!("`{field}` is a text of 1 to {NAME_CHARS_MAX} characters.")));
    }
    let days = body.get(VALIDITY).filter(|_| kind == EntryKind::User);
    match days.map(|days| FIRST_AND_LAST.map(|name| day(days, name))) {
        Some([Err(name), _] | [_, Err(name)]) => {
            return Err(rejected(name, "not-a-day", format!("`{name}` is a day as YYYY-MM-DD.")));
        }
        Some([Ok(Some(from)), Ok(Some(until))]) if until < from => {
            return Err(rejected("validUntil", "backwards", format!("`validUntil` is before the first day, {from}.")));
        }
        _ => {}
    }
    accept(unfit("", &body))?;
    if body.to_string().len() > BODY_BYTES_MAX {
        return Err(rejected("", "too-large", format!("An entry has at most {BODY_BYTES_MAX} bytes.")));
    }
    Ok(body)
}

/// The first text of an entry, or name of an attribute, with characters that do more than be read. A postal address alone is written
/// in lines.
fn unfit(attribute: &str, value: &Value) -> Option<Problem> {
    match value {
        Value::String(text) if attribute == "formatted" => check_long(attribute, text),
        Value::String(text) => check_characters(attribute, text),
        Value::Array(items) => items.iter().find_map(|item| unfit(attribute, item)),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| check_characters("", name).or_else(|| unfit(&name.to_ascii_lowercase(), value))),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
