//! `desk.toml`, and the organisation put together from all files.
//!
//! - `name`: the organisation's name as people read it.
//! - `[server]` and `[limits]`, `[configuration]`, `[attachments]`, `[telemetry]`, `[outgoing]`, `[mail]`, `[mail-in]`, `[sign-in]`, `[rules]`, `[calendar]`,
//!   `[closing]`, `[promises]`, `[[macro]]`, `[[canned-reply]]`, `[[recurring-ticket]]` and `[[report-by-mail]]`: each has a section of its own.
//! - `[[other-calendar]]` with an `id`: the keys of `[calendar]`, for promises that run by another.
//! - `[scales]`: `impact` and `urgency`, each from the lowest step to the highest.
//! - `[[matrix]]`: the level that an impact and an urgency give together, where an agent sets them and says no level.
//! - `[[priority]]`: the levels, from the most urgent to the least.
//! - `[defaults]`: what stands where no rule has answered.
//! - `[routing]`: when the rules for routing are asked again by themselves.
//! - `[devices]`: where it stands whose a device is.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::desk::id::{ImpactId, NotAnId, PersonId, PriorityId, UrgencyId};
use crate::desk::organisation::service::{Devices, RoutingAgain, Targets};
use crate::desk::organisation::{Defaults, Organisation, Person, PriorityLevel};
use crate::desk::sla::Deadlines;

use by_api::Document;

use crate::config::apps::Catalog;
use crate::config::files::Parsed;
use crate::config::names::Names;
use crate::config::outgoing::{self, Outgoing, mail, mail_in, sign_in, telemetry, webhooks};
use crate::config::read::{Keys, Node, distinct};
use crate::config::server::{self, Archive, Around, Limits, Server};
use crate::config::taxonomy::Taxonomy;
use crate::config::wrong::Wrong;
use crate::config::{apps, duration, people, request_types, taxonomy, teams, trust};

mod attachments;
pub mod by_api;
mod calendar;
pub mod closing;
pub mod holidays;
mod macros;
pub mod parts;
mod promises;
mod schedules;
pub mod section;
pub mod templates;

/// How long an approval may take unless the file says otherwise, in hours.
const ACCESS_DUE_HOURS: u32 = 72;
/// The longest grant where a rule has failed, unless the file says otherwise, in hours.
const ACCESS_FALLBACK_HOURS: u32 = 24;

/// All that the files say, but for the tables and the words of messages.
pub struct Desk {
    pub server: Server,
    pub telemetry: telemetry::Telemetry,
    pub outgoing: Outgoing,
    pub organisation: Organisation,
    /// The documents that are published by API.
    pub by_api: BTreeSet<Document>,
}

/// Reads all files. `None` means that problems were noted; with problems noted, the value must not be used either.
pub fn read(parsed: &Parsed<'_>, names: &Names, around: &Around<'_>) -> Option<Desk> {
    let people::Directory { people, people_from, department_readers } = people::read(&parsed.people, names);
    let teams = parsed.teams.read(|keys| teams::read(keys, names));
    let Taxonomy { categories, tags, requester_tags } = parsed.taxonomy.read(|keys| taxonomy::read(keys, names));
    let mut request_types = parsed.request_types.read(|keys| request_types::read(keys, names, &categories));
    let Catalog { apps, connectors, incompatible, currency } =
        parsed.apps.read(|keys| apps::read(keys, names, around.dir));
    parsed.desk.read(|keys| {
        let server = keys.table("server", |keys| server::read(keys, around));
        let by_api = keys.table("configuration", by_api::read).unwrap_or_default();
        let parts = Parts { parsed, by_api: &by_api };
        let (limits, store, outgoing) = bounds_and_ways(keys, names, around, &parts);
        let telemetry = keys.table("telemetry", telemetry::read);
        let read = |keys: &mut Keys<'_>| (trust::read(keys), trust::withdrawn(keys));
        let (trusted_keys, withdrawn) = keys.table("rules", read).unwrap_or_default();
        let name = keys.required("name").and_then(|node| node.line());
        let (calendar, calendars) = parts.read(Document::Calendars, keys, |keys| calendar::all(keys, around.texts));
        let (closing, watch) = parts.read(Document::Promises, keys, |keys| promises::and_closing(keys, names));
        request_types.values_mut().for_each(|(form, given)| form.closing = std::mem::take(given).over(&closing));
        let macros = parts.read(Document::Macros, keys, |keys| macros::read(keys, names));
        let canned_replies = parts.read(Document::CannedReplies, keys, macros::canned_replies);
        let schedules = schedules::read(keys, names);
        let levels = parts.read(Document::Priorities, keys, |keys| levels(keys, names));
        let defaults = keys.table("defaults", |keys| defaults(keys, names, &people)).flatten();
        let (routing, devices) = routing_and_devices(keys, names);
        let Levels { impacts, urgencies, priorities, matrix } = levels?;
        let organisation = Organisation {
            name: name?,
            calendar: calendar?,
            calendars,
            people,
            people_from,
            department_readers,
            teams,
            categories,
            tags,
            requester_tags,
            impacts,
            urgencies,
            priorities,
            matrix,
            request_types: request_types.into_iter().map(|(id, (form, _))| (id, form)).collect(),
            apps,
            connectors,
            incompatible,
            currency,
            defaults: defaults?,
            routing,
            closing,
            watch,
            macros,
            canned_replies,
            schedules,
            devices,
        };
        let server = server?;
        let attachments = store.unwrap_or_else(|| server.attachments.clone());
        let server = Server { trusted_keys, withdrawn, limits, attachments, ..server };
        Some(Desk { server, telemetry: telemetry?, outgoing, organisation, by_api })
    })
}

/// The parts of the desk that may have a file of their own.
struct Parts<'a> {
    parsed: &'a Parsed<'a>,
    by_api: &'a BTreeSet<Document>,
}

impl Parts<'_> {
    /// Reads a part from its own file where there is one, else from `desk.toml`. Where it is published by API, its keys in
    /// `desk.toml` mean nothing any more; else a directory that has both is refused.
    fn read<T>(&self, part: Document, desk: &mut Keys<'_>, read: impl FnOnce(&mut Keys<'_>) -> T) -> T {
        match self.parsed.apart.get(&part) {
            None => read(desk),
            Some(own) => {
                desk.leave_out(part.keys(), part.file(), !self.by_api.contains(&part));
                own.read(read)
            }
        }
    }
}

/// The steps of impact and urgency, the levels, and which level two steps give together.
struct Levels {
    impacts: Vec<ImpactId>,
    urgencies: Vec<UrgencyId>,
    priorities: Vec<PriorityLevel>,
    matrix: BTreeMap<(ImpactId, UrgencyId), PriorityId>,
}

fn levels(keys: &mut Keys<'_>, names: &Names) -> Option<Levels> {
    let scales = keys.table("scales", |keys| (scale(keys, "impact"), scale(keys, "urgency")));
    let priorities = keys.entries("priority", |keys, id| priority(keys, id, names));
    if priorities.is_empty() {
        keys.report("priority", Wrong::Missing);
    }
    let (impacts, urgencies) = scales?;
    let matrix = matrix(keys, &impacts, &urgencies, names);
    Some(Levels { impacts, urgencies, priorities, matrix })
}

/// The bounds of what people do, where files are kept, and everything that leaves the desk.
fn bounds_and_ways(
    keys: &mut Keys<'_>,
    names: &Names,
    around: &Around<'_>,
    parts: &Parts<'_>,
) -> (Limits, Option<Archive>, Outgoing) {
    let limits = keys.table("limits", server::limits).unwrap_or_default();
    let (attachments, store) = keys.table("attachments", |keys| attachments::read(keys, around)).unwrap_or_default();
    let scanner = attachments.scanner.clone().map(|scanner| (scanner, attachments.scanner_timeout));
    (Limits { attachments, ..limits }, store, Outgoing { scanner, ..outgoing(keys, names, around, parts) })
}

/// Everything that leaves the desk.
fn outgoing(keys: &mut Keys<'_>, names: &Names, around: &Around<'_>, parts: &Parts<'_>) -> Outgoing {
    let requests = keys.table("outgoing", |keys| outgoing::requests(keys, around.dir)).unwrap_or_default();
    // Versions are looked at when they are published: what the operator changes later keeps no desk from its start.
    let may_be_asked = around.outside.may_be_asked.filter(|_| !parts.by_api.contains(&Document::Webhooks));
    let asked = |text: &str| match may_be_asked {
        Some(may_be_asked) => may_be_asked(&requests.internal_hosts, text).map_err(|why| Wrong::NotAsked { why }),
        None => Ok(()),
    };
    let webhooks = parts.read(Document::Webhooks, keys, |keys| webhooks::all(keys, around.dir, &asked));
    let mail = keys.optional("mail");
    let mail = mail.and_then(|node| node.keys(|keys| mail::read(keys, around.dir, around.outside)).flatten());
    let mail_in = keys.optional("mail-in");
    let mail_in = mail_in.and_then(|node| node.keys(|keys| mail_in::read(keys, names, mail.as_ref())).flatten());
    let provider = keys.optional("sign-in");
    let sign_in = provider.as_ref().and_then(|node| node.keys(|keys| sign_in::read(keys, around.dir)).flatten());
    if let (Some(node), None) = (&provider, &requests.public_url) {
        node.report(Wrong::NeedsPublicUrl);
    }
    Outgoing { requests, mail, mail_in, webhooks, sign_in, scanner: None }
}

/// The steps of a scale: at least one, each once.
fn scale<I: FromStr<Err = NotAnId>>(keys: &mut Keys<'_>, key: &'static str) -> Vec<I> {
    distinct(keys.filled_list(key), Node::id)
}

/// The levels that impacts and urgencies give together.
fn matrix(
    keys: &mut Keys<'_>,
    impacts: &[ImpactId],
    urgencies: &[UrgencyId],
    names: &Names,
) -> BTreeMap<(ImpactId, UrgencyId), PriorityId> {
    let cells = keys.list("matrix");
    cells.iter().filter_map(|node| node.keys(|keys| cell(keys, impacts, urgencies, names)).flatten()).collect()
}

/// One `[[matrix]]`: an `impact` and an `urgency`, and the `priority` that they give together.
fn cell(
    keys: &mut Keys<'_>,
    impacts: &[ImpactId],
    urgencies: &[UrgencyId],
    names: &Names,
) -> Option<((ImpactId, UrgencyId), PriorityId)> {
    let impact = keys.required("impact").and_then(|node| step(&node, impacts, "impact"));
    let urgency = keys.required("urgency").and_then(|node| step(&node, urgencies, "urgency"));
    let priority = keys.required("priority").and_then(|node| node.known(&names.priorities));
    Some(((impact?, urgency?), priority?))
}

/// A step of a scale.
fn step<I: ToString + Clone>(node: &Node<'_>, steps: &[I], what: &'static str) -> Option<I> {
    node.parsed(|text| {
        steps.iter().find(|step| step.to_string() == text).cloned().ok_or_else(|| Wrong::Unknown {
            what,
            text: text.to_owned(),
            nearest: None,
            known: steps.iter().map(ToString::to_string).collect(),
        })
    })
}

/// One `[[priority]]`.
///
/// - `id`, `name`.
/// - `first-response`: the longest open time until an agent first answers, such as `15m`.
/// - `resolution`: the longest open time until it is resolved, such as `4h`; no shorter than the first response.
/// - `next-update`: the longest open time between two public answers of the desk, such as `4h`; absent promises nothing.
/// - `calendar`: the `[[other-calendar]]` that these run by; absent is the desk's.
fn priority(keys: &mut Keys<'_>, id: crate::desk::id::PriorityId, names: &Names) -> PriorityLevel {
    let name = keys.required("name").and_then(|node| node.line()).unwrap_or_default();
    let Targets { first_response, resolution, update } = duration::targets(keys);
    PriorityLevel {
        id,
        name,
        first_response_minutes: first_response,
        resolution_minutes: resolution,
        update_minutes: update,
        calendar: keys.optional("calendar").and_then(|node| node.known(&names.calendars)),
    }
}

fn routing_and_devices(keys: &mut Keys<'_>, names: &Names) -> (RoutingAgain, Option<Devices>) {
    let routing = keys.table("routing", |keys| routing(keys, names)).unwrap_or_default();
    let devices = keys.optional("devices").and_then(|node| node.keys(devices).flatten());
    (routing, devices)
}

/// `[routing]`.
///
/// - `ask-again`: the changes by hand after which the rules for routing are asked again by themselves, any of `category` and `team`.
///   After another category the ticket goes where they say, unless a person names its team or had set it by hand before; after
///   another team for which no person is named, they say who of that team can have it. Default both; `[]` asks them only on request.
/// - `not-for`: the request types for whose tickets they are not asked by themselves. Default none.
fn routing(keys: &mut Keys<'_>, names: &Names) -> RoutingAgain {
    let default = RoutingAgain::default();
    let words = [("category", "category"), ("team", "team")];
    let given = keys.optional("ask-again").map(|node| distinct(node.list(), |node| node.one_of(&words)));
    let is_after = |word: &str, default: bool| given.as_ref().map_or(default, |given| given.contains(&word));
    RoutingAgain {
        after_category: is_after("category", default.after_category),
        after_team: is_after("team", default.after_team),
        not_for: distinct(keys.list("not-for"), |node| node.known(&names.request_types)),
    }
}

/// `[devices]`, without which no devices are shown.
///
/// - `table`: the reference table that says whose a device is; its key names the device.
/// - `owner`: the column with the id of the person. Default `owner`.
/// - `show`: the columns that those who help the person see. Default all of them.
fn devices(keys: &mut Keys<'_>) -> Option<Devices> {
    let table = keys.required("table").and_then(|node| node.filled());
    let owner = keys.optional("owner").and_then(|node| node.filled());
    let show = distinct(keys.list("show"), Node::filled);
    Some(Devices { table: table?, owner: owner.unwrap_or_else(|| "owner".to_owned()), show })
}

/// `[defaults]`.
///
/// - `team`, `priority`, `category`: where no rule has answered.
/// - `access-approvers`: who approves access where a rule has failed and the requester has no manager; at least one.
/// - `access-due`: how long such an approval may take, in whole hours such as `72h`, which is the default;
///   the desk denies what is not decided by then.
/// - `access-deadlines`: the hours that approvers have: `clock`, which is the default, counts all, `business-hours` those in which the
///   desk is open by its calendar, and the id of an `[[other-calendar]]` those of that. An app may say it for itself.
/// - `access-fallback`: the longest grant where a rule has failed and people decide in its place, in whole hours such as `24h`,
///   which is the default.
/// - `one-approver-for-several-steps`: whether one person may approve several steps of a request. Default false: each step asks
///   another person.
/// - `leavers-max`: how many people who hold access may leave within an hour before the desk ends no more of it until a person says that
///   it is so. Default 20, or half of those who hold any.
/// - `on-move`: what becomes of access that the rules deny a person whose department, title or groups have changed: `review`, which is
///   the default, asks people whether it stays, and `end` ends it at once.
fn defaults(keys: &mut Keys<'_>, names: &Names, people: &BTreeMap<PersonId, Person>) -> Option<Defaults> {
    let team = keys.required("team").and_then(|node| node.known(&names.teams));
    let priority = keys.required("priority").and_then(|node| node.known(&names.priorities));
    let category = keys.required("category").and_then(|node| node.known(&names.categories));
    let approvers = keys.required("access-approvers");
    let due = keys.optional("access-due").and_then(|node| duration::hours(&node));
    let fallback = keys.optional("access-fallback").and_then(|node| duration::hours(&node));
    let deadlines = keys.optional("access-deadlines").and_then(|node| apps::deadlines(&node, names));
    let several = keys.optional("one-approver-for-several-steps").and_then(|node| node.flag());
    let leavers_max = keys.optional("leavers-max").and_then(|node| node.whole(0, u64::from(u32::MAX)));
    let on_move = keys.optional("on-move").and_then(|node| node.one_of(&[("review", false), ("end", true)]));
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
        deadlines: deadlines.unwrap_or(Deadlines::Clock),
        access_fallback_hours: fallback.unwrap_or(ACCESS_FALLBACK_HOURS),
        one_approver_for_several_steps: several.unwrap_or(false),
        leavers_max: leavers_max.and_then(|most| u32::try_from(most).ok()),
        ends_on_move: on_move.unwrap_or(false),
    })
}
