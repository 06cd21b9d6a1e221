//! Guards against access that rules and approvers cannot give: asked when a request opens and when access is given (I5).

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{AccessCase, AccessState, Grant, GrantState};
use crate::desk::change::at::At;
use crate::desk::id::{AppId, PersonId, TierId};
use crate::desk::organisation::Incompatible;
use crate::desk::sla::later;
use crate::desk::verdict::access::ALL_PARTY;

/// Why an approved case is not granted; `None` where no guard stands in its way.
pub(super) fn refuses(case: &AccessCase, at: &At<'_>) -> Option<String> {
    let scope = case.scope.as_ref()?;
    let own = at.review().held.iter().filter(|grant| grant.subject == case.request.subject);
    let held = own.chain(&at.review().elsewhere).filter(|grant| !grant.has_ended(at.now));
    let held = held.map(|grant| (&grant.app, &grant.tier));
    let incompatible = &at.organisation.incompatible;
    not_for_them(&case.request.subject, &case.request.app, at)
        .or_else(|| taken_back(case, at))
        .or_else(|| conflict((&case.request.app, &scope.tier), held, incompatible))
}

/// Why more time is not given: what was to go on was taken back after that was asked for. To give it once more is another decision than
/// to give more time (I7). What has only run out meanwhile is no reason.
fn taken_back(case: &AccessCase, at: &At<'_>) -> Option<String> {
    let item = (&case.request.subject, &case.request.app, &case.request.tier);
    let same = |grant: &&Grant| (&grant.subject, &grant.app, &grant.tier) == item;
    let ended = |grant: &Grant| (!grant.has_ended(at.now), grant.revoked_at.unwrap_or(grant.expires_at));
    let last = at.review().held.iter().filter(same).max_by_key(|grant| ended(grant))?;
    let taken = last.revoked_at.filter(|_| case.request.extends)?;
    Some(format!("what was to go on was taken back at {taken:.0}: it may be asked for anew"))
}

/// Why a person may not have an app that is only for certain groups: they may have left those since it was asked for.
fn not_for_them(subject: &PersonId, app: &AppId, at: &At<'_>) -> Option<String> {
    let app = at.organisation.apps.get(app).filter(|app| !at.organisation.may_request(subject, app))?;
    Some(format!("{} is only for those of certain groups, and {subject} is in none of them", app.name))
}

/// Why a case does not wait for approval: the same, with what is asked for besides; and it waits for no one where a party lets all decide
/// in their own place who could decide.
pub(super) fn refuses_request(case: &AccessCase, at: &At<'_>) -> Option<String> {
    if case.state != AccessState::Awaiting {
        return None;
    }
    let asked = at.review().open.iter().map(|(app, tier)| (app, tier));
    let own = (&case.request.app, &case.request.tier);
    let all_party = || case.has_none_left(at.organisation, at.now).then(|| ALL_PARTY.to_owned());
    refuses(case, at).or_else(|| conflict(own, asked, &at.organisation.incompatible)).or_else(all_party)
}

/// How far ahead access may begin.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Why a case does not wait or is not given that is to begin later; `None` where it may.
pub(super) fn begins_too_late(case: &AccessCase, at: &At<'_>) -> Option<String> {
    let latest = later(at.now, AHEAD_MAX);
    let late = case.request.starts.is_some_and(|starts| starts > latest) && case.state != AccessState::DeniedByPolicy;
    late.then(|| "access begins within a year from the request".to_owned())
}

/// Why a grant that was given for later does not begin; `None` where no guard stands in its way.
pub(super) fn refuses_begin(grant: &Grant, holders: &[(PersonId, TierId)], at: &At<'_>) -> Option<String> {
    let organisation = at.organisation;
    if !organisation.is_active(&grant.subject) {
        return Some("the person who was to have the access has left".to_owned());
    }
    let tier = organisation.apps.get(&grant.app).and_then(|app| app.tier(grant.tier.as_str()));
    if tier.is_none() {
        return Some(format!("the catalog has the tier `{}` of `{}` no more", grant.tier, grant.app));
    }
    let own = at.review().held.iter().filter(|held| held.subject == grant.subject && held.id != grant.id);
    let others = own.chain(&at.review().elsewhere);
    let others = others.filter(|held| held.state != GrantState::Scheduled && !held.has_ended(at.now));
    let others = others.map(|held| (&held.app, &held.tier));
    not_for_them(&grant.subject, &grant.app, at)
        .or_else(|| conflict((&grant.app, &grant.tier), others, &organisation.incompatible))
        .or_else(|| no_seat(grant, holders, at))
}

/// Why there is no seat for a grant that begins: there may be fewer than when it was given for later (I23).
fn no_seat(grant: &Grant, holders: &[(PersonId, TierId)], at: &At<'_>) -> Option<String> {
    let app = at.organisation.apps.get(&grant.app)?;
    let (_, tier) = app.tier(grant.tier.as_str())?;
    let seats = tier.seats?;
    let others = holders.iter().filter(|(person, held)| *held == tier.id && *person != grant.subject);
    let others: BTreeSet<&PersonId> = others.map(|(person, _)| person).collect();
    let full = u32::try_from(others.len()).is_ok_and(|taken| taken >= seats);
    full.then(|| format!("all {seats} seats of {} in {} are taken", tier.name, app.name))
}

/// Of what one human holds by all their accounts, all that may not be held together with something older, each with the reason.
/// Finds what was given by two accounts that were taken for two people, or before a set was made.
pub fn held_together<'g>(held: &'g [Grant], sets: &[Incompatible]) -> Vec<(&'g Grant, String)> {
    let mut by_age: Vec<&Grant> = held.iter().collect();
    by_age.sort_by_key(|grant| (grant.granted_at, grant.id));
    let found = by_age.iter().enumerate().filter_map(|(place, grant)| {
        let older = by_age.iter().take(place).map(|older| (&older.app, &older.tier));
        let why = conflict((&grant.app, &grant.tier), older, sets)?;
        Some((*grant, format!("{why}; both are held by now")))
    });
    found.collect()
}

/// The first set of which the item and one of the others are in different halves (separation of duties).
fn conflict<'a>(
    (app, tier): (&AppId, &TierId),
    others: impl Iterator<Item = (&'a AppId, &'a TierId)>,
    sets: &[Incompatible],
) -> Option<String> {
    let others: Vec<(&AppId, &TierId)> = others.collect();
    sets.iter().find_map(|set| {
        let halves = [(&set.one, &set.other), (&set.other, &set.one)];
        let (_, theirs) = halves.into_iter().find(|(half, _)| half.iter().any(|item| item.is(app, tier)))?;
        let (other, held) = others.iter().find(|(other, held)| theirs.iter().any(|item| item.is(other, held)))?;
        Some(format!("nobody may hold {app}/{tier} together with {other}/{held}: {}", set.name))
    })
}
