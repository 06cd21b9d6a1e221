//! Whether one organisation lets people have access more easily than another: where a desk asks for two people, one of them alone
//! makes it only stricter.

use super::connector::Connector;
use super::{App, Incompatible, Organisation, Person, RequestType, Tier};
use crate::desk::id::TierId;

/// The first difference by which access may be easier to get, or an approver be another, in a few words. What rules go by, such
/// as a person's department, counts whichever way it changes; `None` is what is stricter for certain, or has no part in it.
pub fn looser(before: &Organisation, after: &Organisation) -> Option<String> {
    let found = people(before, after).or_else(|| apps(before, after)).or_else(|| connectors(before, after));
    let found = found.or_else(|| forms(before, after));
    found.or_else(|| duties(before, after)).or_else(|| defaults(before, after)).or_else(|| {
        let tag = after.requester_tags.iter().find(|tag| !before.requester_tags.contains(*tag))?;
        Some(format!("requesters may set the tag `{tag}`"))
    })
}

fn people(before: &Organisation, after: &Organisation) -> Option<String> {
    let differs = |person: &Person| match before.people.get(&person.id) {
        None => person.active.then(|| format!("the person `{}` is new", person.id)),
        Some(was) => of_person(was, person).map(|what| format!("the {what} of `{}` changes", person.id)),
    };
    // Accounts of one human that lead on to each other by this one would be two people.
    let linked = |person: &&Person| person.same_as.is_some() && !after.people.contains_key(&person.id);
    let gone = || before.people.values().find(linked).map(|person| format!("the account `{}` goes", person.id));
    after.people.values().find_map(differs).or_else(gone)
}

fn of_person(was: &Person, now: &Person) -> Option<&'static str> {
    let differences = [
        ("manager", was.manager != now.manager),
        ("groups", was.groups != now.groups),
        ("state", now.active && !was.active),
        ("validity", now.active && !now.valid.is_within(&was.valid)),
        ("other account", was.same_as.is_some() && was.same_as != now.same_as),
        ("delegation", now.delegations.iter().any(|delegation| !was.delegations.contains(delegation))),
        // By its address, an account of the identity provider is found.
        ("address", was.email != now.email),
        ("department", was.department != now.department),
        ("title", was.title != now.title),
        ("location", was.location != now.location),
        ("standing", was.vip != now.vip),
        ("attributes", was.attributes != now.attributes),
    ];
    differences.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what)
}

fn apps(before: &Organisation, after: &Organisation) -> Option<String> {
    after.apps.values().find_map(|app| match before.apps.get(&app.id) {
        None => Some(format!("the app `{}` is new", app.id)),
        Some(was) => of_app(was, app).map(|what| format!("the {what} of `{}` changes", app.id)),
    })
}

fn of_app(was: &App, now: &App) -> Option<String> {
    let narrower = was.requestable_by.is_empty() || subset(&now.requestable_by, &was.requestable_by);
    let may_ask = was.requestable_by == now.requestable_by || (narrower && !now.requestable_by.is_empty());
    let differences = [
        ("owner", was.owner != now.owner),
        ("list of those who may ask for it", !may_ask),
        ("name", was.name != now.name),
        ("attributes", was.attributes != now.attributes),
        ("connector", was.connector != now.connector),
        ("way of holding its tiers", was.one_tier != now.one_tier),
        ("default tier", was.default_tier != now.default_tier),
        ("order of tiers", order(was, now) != order(now, was)),
    ];
    let own = differences.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what.to_owned());
    own.or_else(|| {
        now.tiers.iter().find_map(|tier| match was.tier(tier.id.as_str()) {
            None => Some(format!("list of tiers, which has `{}` now,", tier.id)),
            Some((_, before)) => of_tier(before, tier).map(|what| format!("{what} of the tier `{}`", tier.id)),
        })
    })
}

/// A connector that changes: what it writes is what a grant comes to in the app, where a tier may be another group by it.
fn connectors(before: &Organisation, after: &Organisation) -> Option<String> {
    let other = |now: &&Connector| before.connectors.get(&now.id).is_some_and(|was| was != *now);
    after.connectors.values().find(other).map(|now| format!("the connector `{}` changes", now.id))
}

/// The tiers of one that the other has too, in their order.
fn order<'a>(one: &'a App, other: &App) -> Vec<&'a TierId> {
    one.tiers.iter().map(|tier| &tier.id).filter(|id| other.tier(id.as_str()).is_some()).collect()
}

fn of_tier(was: &Tier, now: &Tier) -> Option<&'static str> {
    let more_seats = was.seats.is_some_and(|seats| now.seats.is_none_or(|now| now > seats));
    let emergency = now.emergency_hours.is_some_and(|hours| was.emergency_hours.is_none_or(|was| hours > was));
    let differences = [
        ("risk", was.risk != now.risk),
        ("longest grant", now.hours_max > was.hours_max),
        ("groups", !subset(&now.groups, &was.groups)),
        ("roles", !subset(&now.roles, &was.roles)),
        ("number of seats", more_seats),
        ("emergency", emergency),
    ];
    differences.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what)
}

fn subset<T: PartialEq>(some: &[T], all: &[T]) -> bool {
    some.iter().all(|one| all.contains(one))
}

/// A form that asks for access says what is asked for, and in which category.
fn forms(before: &Organisation, after: &Organisation) -> Option<String> {
    let asks = |form: &RequestType| (form.grants_access, form.kind, form.category.clone(), form.fields.clone());
    let differs = after.request_types.values().find(|form| match before.request_types.get(&form.id) {
        None => form.grants_access,
        Some(was) => (was.grants_access || form.grants_access) && asks(was) != asks(form),
    });
    differs.map(|form| format!("the form `{}` asks for access in another way", form.id))
}

fn duties(before: &Organisation, after: &Organisation) -> Option<String> {
    let stays = |set: &&Incompatible| after.incompatible.iter().any(|now| now.one == set.one && now.other == set.other);
    let gone = before.incompatible.iter().find(|set| !stays(set));
    gone.map(|set| format!("what may not be held together changes (`{}`)", set.name))
}

/// The desk's own part in approvals.
fn defaults(before: &Organisation, after: &Organisation) -> Option<String> {
    let (was, now) = (&before.defaults, &after.defaults);
    let differences = [
        ("list of those who approve access where no one else does", was.access_approvers != now.access_approvers),
        ("longest grant where a rule has failed", now.access_fallback_hours > was.access_fallback_hours),
        (
            "number of people who approve several steps",
            now.one_approver_for_several_steps && !was.one_approver_for_several_steps,
        ),
        ("end of access of people who move", was.ends_on_move && !now.ends_on_move),
    ];
    differences.into_iter().find(|(_, differs)| *differs).map(|(what, _)| format!("the {what} changes"))
}
