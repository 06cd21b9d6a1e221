//! `apps.toml`: the catalog of apps that access can be requested to. The file may be absent.
//!
//! - `risks`: the risk classes that exist, from the lowest to the highest.
//! - `[[app]]`: the apps.

use std::collections::BTreeMap;

use crate::desk::id::{AppId, TierId};
use crate::desk::organisation::{App, Tier};

use super::duration;
use super::names::Names;
use super::read::{Keys, Node, distinct};
use super::wrong::Wrong;

/// The most licences of one tier.
const SEATS_MAX: u64 = 10_000_000;

/// Reads the catalog.
pub fn read(keys: &mut Keys<'_>, names: &Names) -> BTreeMap<AppId, App> {
    distinct(keys.list("risks"), Node::filled);
    let apps = keys.entries("app", |keys, id| app(keys, id, names));
    apps.into_iter().map(|app| (app.id.clone(), app)).collect()
}

/// One `[[app]]`.
///
/// - `id`, `name`.
/// - `owner`: who answers for the app, a person's id; absent if nobody does.
/// - `attributes`: what else rules may see, as texts.
/// - `[[app.tier]]`: the licence tiers from the lowest to the highest, at least one.
fn app(keys: &mut Keys<'_>, id: AppId, names: &Names) -> App {
    let tiers = keys.entries("tier", |keys, id| tier(keys, id, names));
    if tiers.is_empty() {
        keys.report("tier", Wrong::Missing);
    }
    App {
        id,
        name: keys.required("name").and_then(|node| node.filled()).unwrap_or_default(),
        owner: keys.optional("owner").and_then(|node| node.known(&names.people)),
        tiers,
        attributes: keys.optional("attributes").and_then(|node| node.texts()).unwrap_or_default(),
    }
}

/// One `[[app.tier]]`.
///
/// - `id`, `name`.
/// - `risk`: one of the file's `risks`.
/// - `longest`: the longest grant, in whole hours such as `720h`.
/// - `groups`: the groups that the tier gives.
/// - `roles`: roles that may be asked for.
/// - `seats`: licences that exist; absent where they are not counted.
fn tier(keys: &mut Keys<'_>, id: TierId, names: &Names) -> Tier {
    let risk =
        keys.required("risk").and_then(|node| node.parsed(|text| names.risks.check(text).map(|()| text.to_owned())));
    let seats = keys.optional("seats").and_then(|node| node.whole(0, SEATS_MAX));
    Tier {
        id,
        name: keys.required("name").and_then(|node| node.filled()).unwrap_or_default(),
        risk: risk.unwrap_or_default(),
        hours_max: keys.required("longest").and_then(|node| duration::hours(&node)).unwrap_or_default(),
        groups: distinct(keys.list("groups"), |node| node.known(&names.groups)),
        roles: distinct(keys.list("roles"), Node::filled),
        seats: seats.and_then(|seats| u32::try_from(seats).ok()),
    }
}
