//! `desk.toml`, and the organisation put together from all files.
//!
//! - `name`: the organisation's name as people read it.
//! - `[server]`: see [`Server`].
//! - `[limits]`: see [`server::Limits`].
//! - `[telemetry]`, `[outgoing]`, `[mail]`: see `outgoing`.
//! - `[rules]`: see `trust.rs`.
//! - `[calendar]`: see `calendar.rs`.
//! - `[scales]`: `impact` and `urgency`, each from the lowest step to the highest.
//! - `[[priority]]`: the levels, from the most urgent to the least.
//! - `[defaults]`: what stands where no rule has answered.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::desk::id::{NotAnId, PersonId};
use crate::desk::organisation::{Defaults, Organisation, Person, PriorityLevel};

use super::files::Parsed;
use super::names::Names;
use super::outgoing::{self, Outgoing, mail, telemetry, webhooks};
use super::read::{Keys, Node, distinct};
use super::server::{self, Around, Server};
use super::taxonomy::Taxonomy;
use super::wrong::Wrong;
use super::{apps, calendar, duration, people, request_types, taxonomy, teams, trust};

/// How long an approval may take unless the file says otherwise, in hours.
const ACCESS_DUE_HOURS: u32 = 72;
/// The longest grant where a rule has failed, unless the file says otherwise, in hours.
const ACCESS_FALLBACK_HOURS: u32 = 24;

/// Reads all files. `None` means that problems were noted; with problems noted, the value must not be used either.
pub fn read(
    parsed: &Parsed<'_>,
    names: &Names,
    around: &Around<'_>,
) -> Option<(Server, telemetry::Telemetry, Outgoing, Organisation)> {
    let people = people::read(&parsed.people, names);
    let teams = parsed.teams.read(|keys| teams::read(keys, names));
    let Taxonomy { categories, tags, requester_tags } = parsed.taxonomy.read(|keys| taxonomy::read(keys, names));
    let request_types = parsed.request_types.read(|keys| request_types::read(keys, names));
    let apps = parsed.apps.read(|keys| apps::read(keys, names));
    parsed.desk.read(|keys| {
        let server = keys.table("server", |keys| server::read(keys, around));
        let limits = keys.table("limits", server::limits).unwrap_or_default();
        let telemetry = keys.table("telemetry", telemetry::read);
        let requests = keys.table("outgoing", |keys| outgoing::requests(keys, around.dir)).unwrap_or_default();
        let webhooks = keys.entries("webhook", |keys, id| webhooks::read(keys, id, around.dir));
        let mail = keys.optional("mail");
        let mail = mail.and_then(|node| node.keys(|keys| mail::read(keys, around.dir, around.outside)).flatten());
        let read = |keys: &mut Keys<'_>| (trust::read(keys), trust::withdrawn(keys));
        let (trusted_keys, withdrawn) = keys.table("rules", read).unwrap_or_default();
        let name = keys.required("name").and_then(|node| node.filled());
        let calendar = keys.table("calendar", calendar::read);
        let scales = keys.table("scales", |keys| (scale(keys, "impact"), scale(keys, "urgency")));
        let priorities = keys.entries("priority", priority);
        if priorities.is_empty() {
            keys.report("priority", Wrong::Missing);
        }
        let defaults = keys.table("defaults", |keys| defaults(keys, names, &people)).flatten();
        let (impacts, urgencies) = scales?;
        let organisation = Organisation {
            name: name?,
            calendar: calendar?,
            people,
            teams,
            categories,
            tags,
            requester_tags,
            impacts,
            urgencies,
            priorities,
            request_types,
            apps,
            defaults: defaults?,
        };
        Some((
            Server { trusted_keys, withdrawn, limits, ..server? },
            telemetry?,
            Outgoing { requests, mail, webhooks },
            organisation,
        ))
    })
}

/// The steps of a scale: at least one, each once.
fn scale<I: FromStr<Err = NotAnId>>(keys: &mut Keys<'_>, key: &'static str) -> Vec<I> {
    let Some(node) = keys.required(key) else { return Vec::new() };
    let items = node.list();
    if items.is_empty() {
        node.report(Wrong::Blank);
    }
    distinct(items, Node::id)
}

/// One `[[priority]]`.
///
/// - `id`, `name`.
/// - `first-response`: the longest open time until an agent first answers, such as `15m`.
/// - `resolution`: the longest open time until it is resolved, such as `4h`; no shorter than the first response.
fn priority(keys: &mut Keys<'_>, id: crate::desk::id::PriorityId) -> PriorityLevel {
    let name = keys.required("name").and_then(|node| node.filled()).unwrap_or_default();
    let response = keys.required("first-response");
    let response_minutes = response.as_ref().and_then(duration::minutes);
    let resolution = keys.required("resolution").and_then(|node| duration::minutes(&node));
    if let (Some(node), Some(response), Some(resolution)) = (&response, response_minutes, resolution)
        && response > resolution
    {
        node.report(Wrong::ResponseAfterResolution { response, resolution });
    }
    PriorityLevel {
        id,
        name,
        first_response_minutes: response_minutes.unwrap_or_default(),
        resolution_minutes: resolution.unwrap_or_default(),
    }
}

/// `[defaults]`.
///
/// - `team`, `priority`, `category`: where no rule has answered.
/// - `access-approvers`: who approves access where a rule has failed and the requester has no manager; at least one.
/// - `access-due`: how long such an approval may take, in whole hours such as `72h`, which is the default;
///   the desk denies what is not decided by then.
/// - `access-fallback`: the longest grant where a rule has failed and people decide in its place, in whole hours such as `24h`,
///   which is the default.
/// - `one-approver-for-several-steps`: whether one person may approve several steps of a request. Default false: each step asks
///   another person.
fn defaults(keys: &mut Keys<'_>, names: &Names, people: &BTreeMap<PersonId, Person>) -> Option<Defaults> {
    let team = keys.required("team").and_then(|node| node.known(&names.teams));
    let priority = keys.required("priority").and_then(|node| node.known(&names.priorities));
    let category = keys.required("category").and_then(|node| node.known(&names.categories));
    let approvers = keys.required("access-approvers");
    let due = keys.optional("access-due").and_then(|node| duration::hours(&node));
    let fallback = keys.optional("access-fallback").and_then(|node| duration::hours(&node));
    let several = keys.optional("one-approver-for-several-steps").and_then(|node| node.flag());
    let list = approvers.as_ref().map(Node::list).unwrap_or_default();
    if let (Some(node), true) = (&approvers, list.is_empty()) {
        node.report(Wrong::Blank);
    }
    let access_approvers = distinct(list, |node| {
        let id: PersonId = node.known(&names.people)?;
        if people.get(&id).is_some_and(|person| !person.active) {
            node.report(Wrong::HasLeft { person: id.clone() });
        }
        Some(id)
    });
    Some(Defaults {
        team: team?,
        priority: priority?,
        category: category?,
        access_approvers,
        access_due_hours: due.unwrap_or(ACCESS_DUE_HOURS),
        access_fallback_hours: fallback.unwrap_or(ACCESS_FALLBACK_HOURS),
        one_approver_for_several_steps: several.unwrap_or(false),
    })
}
