//! `apps.toml`: the catalog of apps that access can be requested to. The file may be absent.
//!
//! - `risks`: the risk classes that exist, from the lowest to the highest; default none.
//! - `currency`: of all costs, such as `EUR`; needed where there is one.
//! - `[[app]]`: the apps.
//! - `[[connector]]`: by what the desk writes to them; it has a section of its own.
//! - `[[incompatible]]`: what no person may hold together.

use std::collections::BTreeMap;
use std::path::Path;

use crate::desk::id::{AppId, ConnectorId, TierId};
use crate::desk::organisation::connector::Connector;
use crate::desk::organisation::{App, Incompatible, Item, Tier};
use crate::desk::sla::Deadlines;

use super::duration;
use super::names::Names;
use super::read::{Keys, Node, distinct};
use super::wrong::{Known, Wrong};

mod connectors;

/// The most licences of one tier.
const SEATS_MAX: u64 = 10_000_000;
/// The highest cost of a seat, in whole units of the currency.
const COST_MAX: u64 = 1_000_000;

/// The whole of `apps.toml`.
#[derive(Debug, Default)]
pub struct Catalog {
    pub apps: BTreeMap<AppId, App>,
    pub connectors: BTreeMap<ConnectorId, Connector>,
    pub incompatible: Vec<Incompatible>,
    pub currency: String,
}

/// Reads the catalog; relative paths start from `dir`.
pub fn read(keys: &mut Keys<'_>, names: &Names, dir: &Path) -> Catalog {
    distinct(keys.list("risks"), Node::filled);
    let currency = keys.optional("currency").and_then(|node| node.filled());
    let apps: BTreeMap<AppId, App> =
        keys.entries("app", |keys, id| app(keys, id, names)).into_iter().map(|app| (app.id.clone(), app)).collect();
    let costs = apps.values().flat_map(|app| &app.tiers).any(|tier| tier.monthly_cost.is_some());
    if costs && currency.is_none() {
        keys.report("currency", Wrong::Missing);
    }
    let connectors = keys.entries("connector", |keys, id| connectors::read(keys, id, dir));
    let connectors = connectors.into_iter().flatten().map(|one| (one.id.clone(), one)).collect();
    let incompatible = keys.list("incompatible").into_iter().filter_map(|node| node.keys(|keys| together(keys, &apps)));
    let incompatible = incompatible.flatten().collect();
    Catalog { apps, connectors, incompatible, currency: currency.unwrap_or_default() }
}

/// One `[[incompatible]]`.
///
/// - `name`: the reason, as people read it.
/// - `one`, `other`: apps such as `workday`, or tiers such as `workday/manager`; nothing of the one may be held together with
///   anything of the other.
fn together(keys: &mut Keys<'_>, apps: &BTreeMap<AppId, App>) -> Option<Incompatible> {
    let name = keys.required("name").and_then(|node| node.filled());
    let mut half = |key| keys.required(key).map(|node| distinct(node.list(), |node| item(node, apps)));
    let (one, other) = (half("one"), half("other"));
    Some(Incompatible { name: name?, one: one?, other: other? })
}

fn item(node: &Node<'_>, apps: &BTreeMap<AppId, App>) -> Option<Item> {
    node.parsed(|text| {
        let (app, tier) = text.split_once('/').map_or((text, None), |(app, tier)| (app, Some(tier)));
        let unknown =
            |what, text: &str, known: Known| Wrong::Unknown { what, text: text.to_owned(), nearest: None, known };
        let found = apps.get(app);
        let found = found.ok_or_else(|| unknown("app", app, apps.keys().map(ToString::to_string).collect()))?;
        let tier = match tier {
            None => None,
            Some(tier) => {
                let known = || found.tiers.iter().map(|tier| tier.id.to_string()).collect();
                Some(found.tier(tier).ok_or_else(|| unknown("tier", tier, known()))?.1.id.clone())
            }
        };
        Ok(Item { app: found.id.clone(), tier })
    })
}

/// One `[[app]]`.
///
/// - `id`, `name`.
/// - `owner`: who answers for the app, a person's id; absent if there is none.
/// - `description`, `keywords`: for those who look for it; default none.
/// - `alternatives`: apps that may do as well; default none.
/// - `requestable-by`: the groups whose members may ask for it. Default: everybody may.
/// - `connector`: by which of the `[[connector]]` the desk writes to it. Without one it only keeps who may have it.
/// - `one-tier`: whether a person holds one tier at a time, the highest that any grant gives. Default true.
/// - `access-deadlines`: the hours that its approvers have, as in `[defaults]` of `desk.toml`, which holds where this is absent.
/// - `when-removed`: what becomes of a grant that was taken away in the app itself: `give-again`, which is the default, or `end`.
/// - `sessions-last`: how long sessions may go on in the app after access has ended there, in whole hours such as `12h`, where it
///   does not end them with it: the record of each end says until when, and so does the report about one who has left, except where
///   `end-sessions` of the connector ended them. Absent says nothing.
/// - `default-tier`: the tier that those keep whose last grant has ended, as long as they are here. Default: they keep nothing.
/// - `attributes`: what else rules may see, as texts; default none.
/// - `[[app.tier]]`: the licence tiers from the lowest to the highest, at least one.
fn app(keys: &mut Keys<'_>, id: AppId, names: &Names) -> App {
    let tiers = keys.entries("tier", |keys, id| tier(keys, id, names));
    if tiers.is_empty() {
        keys.report("tier", Wrong::Missing);
    }
    let removed = keys.optional("when-removed");
    let default_tier = keys.optional("default-tier").and_then(|node| {
        let known = || tiers.iter().map(|tier| tier.id.to_string()).collect();
        node.parsed(|text| {
            let found = tiers.iter().find(|tier| tier.id.as_str() == text).map(|tier| tier.id.clone());
            found.ok_or_else(|| Wrong::Unknown { what: "tier", text: text.to_owned(), nearest: None, known: known() })
        })
    });
    App {
        id,
        name: keys.required("name").and_then(|node| node.filled()).unwrap_or_default(),
        owner: keys.optional("owner").and_then(|node| node.known(&names.people)),
        tiers,
        attributes: keys.optional("attributes").and_then(|node| node.texts()).unwrap_or_default(),
        description: keys.optional("description").and_then(|node| node.filled()).unwrap_or_default(),
        keywords: distinct(keys.list("keywords"), Node::filled),
        alternatives: distinct(keys.list("alternatives"), |node| node.known(&names.apps)),
        requestable_by: distinct(keys.list("requestable-by"), |node| node.known(&names.groups)),
        connector: keys.optional("connector").and_then(|node| node.known(&names.connectors)),
        default_tier,
        deadlines: keys.optional("access-deadlines").and_then(|node| deadlines(&node, names)),
        ends_when_removed: removed
            .and_then(|node| node.one_of(&[("give-again", false), ("end", true)]))
            .unwrap_or(false),
        sessions_hours: keys.optional("sessions-last").and_then(|node| duration::hours(&node)),
        one_tier: keys.optional("one-tier").and_then(|node| node.flag()).unwrap_or(true),
    }
}

/// The hours that approvers have: `clock` for all, `business-hours` for those in which the desk is open, or the id of an
/// `[[other-calendar]]`.
pub(super) fn deadlines(node: &Node<'_>, names: &Names) -> Option<Deadlines> {
    let word = node.parsed(|text| {
        Ok(match text {
            "clock" => Some(Deadlines::Clock),
            "business-hours" => Some(Deadlines::Open(None)),
            _ => None,
        })
    })?;
    word.or_else(|| node.known(&names.calendars).map(|id| Deadlines::Open(Some(id))))
}

/// One `[[app.tier]]`.
///
/// - `id`, `name`.
/// - `risk`: one of the file's `risks`.
/// - `longest`: the longest grant, in whole hours such as `720h`.
/// - `groups`: the groups that the tier gives; default none.
/// - `roles`: roles that may be asked for; default none.
/// - `seats`: licences that exist; absent where they are not counted.
/// - `monthly-cost`: of a seat, such as `12.50`; absent is not known.
/// - `durations`: what a form offers, in whole hours such as `24h`, none longer than `longest`.
/// - `emergency`: the longest grant that is given at once in an emergency, such as `4h`, and reviewed afterwards. Without it none is.
/// - `access-deadlines`: the hours that its approvers have, as in `[[app]]`, which holds where this is absent.
fn tier(keys: &mut Keys<'_>, id: TierId, names: &Names) -> Tier {
    let risk =
        keys.required("risk").and_then(|node| node.parsed(|text| names.risks.check(text).map(|()| text.to_owned())));
    let seats = keys.optional("seats").and_then(|node| node.whole(0, SEATS_MAX));
    let hours_max = keys.required("longest").and_then(|node| duration::hours(&node)).unwrap_or_default();
    let presets = distinct(keys.list("durations"), |node| {
        let hours = duration::hours(node)?;
        if hours > hours_max {
            let (found, max) = (format!("{hours} hours"), u64::from(hours_max));
            node.report(Wrong::OutOfRange { found, min: 1, max });
        }
        Some(hours)
    });
    Tier {
        id,
        name: keys.required("name").and_then(|node| node.filled()).unwrap_or_default(),
        risk: risk.unwrap_or_default(),
        hours_max,
        groups: distinct(keys.list("groups"), |node| node.known(&names.groups)),
        roles: distinct(keys.list("roles"), Node::filled),
        seats: seats.and_then(|seats| u32::try_from(seats).ok()),
        monthly_cost: keys.optional("monthly-cost").and_then(|node| cost(&node)),
        presets,
        emergency_hours: keys.optional("emergency").and_then(|node| duration::hours(&node)).map(|h| h.min(hours_max)),
        deadlines: keys.optional("access-deadlines").and_then(|node| deadlines(&node, names)),
    }
}

/// An amount in hundredths of the currency.
fn cost(node: &Node<'_>) -> Option<u64> {
    let amount = node.number()?;
    // Within the range, so that the cast is exact.
    let hundredths = (amount * 100.0).round();
    if !(0.0..=COST_MAX as f64).contains(&amount) {
        node.report(Wrong::OutOfRange { found: amount.to_string(), min: 0, max: COST_MAX });
        return None;
    }
    Some(hundredths as u64)
}
