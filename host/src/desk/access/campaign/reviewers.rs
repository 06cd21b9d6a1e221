//! Who reviews access: those who answer for it, and never one whom its holder has chosen.

use jiff::Timestamp;

use super::Asks;
use crate::desk::access::Grant;
use crate::desk::id::PersonId;
use crate::desk::organisation::Organisation;

/// The reviewers of a grant: never the person who holds it, nor one who stands in for them. Where those who are asked first are not
/// here, the others are asked, and without them the desk's own approvers; these also where the holder lets one who would be asked decide
/// in their own place: they choose no other by that, and no review is left out by it (I2).
pub(super) fn reviewers(organisation: &Organisation, grant: &Grant, asks: Asks, now: Timestamp) -> Vec<PersonId> {
    let parties = [&grant.subject];
    let may = |person: &PersonId| may_review(organisation, &parties, person, now);
    let is_taken = taken_out(organisation, &parties, now);
    let asked = |person: &PersonId| may(person) || is_taken(person);
    let owner = organisation.apps.get(&grant.app).and_then(|app| app.owner.clone()).filter(|owner| asked(owner));
    let manager = organisation.managers_of(&grant.subject).into_iter().find(|manager| asked(manager));
    let first = match asks {
        Asks::Owner => owner.or(manager),
        Asks::Manager => manager.or(owner),
    };
    let own = match &first {
        Some(person) if may(person) => Vec::new(),
        _ => own_reviewers(organisation, &parties, now),
    };
    let is_chosen = own.iter().any(&is_taken);
    match first {
        Some(person) if own.is_empty() || is_chosen => vec![person],
        _ => own,
    }
}

pub(super) fn may_review(
    organisation: &Organisation,
    parties: &[&PersonId],
    person: &PersonId,
    now: Timestamp,
) -> bool {
    organisation.is_active(person) && !organisation.is_party(person, parties, now)
}

/// Whether a person would be asked, had not one of these parties let them decide in their own place by themselves.
pub(super) fn taken_out(
    organisation: &Organisation,
    parties: &[&PersonId],
    now: Timestamp,
) -> impl Fn(&PersonId) -> bool {
    let given = organisation.own_delegates_of(parties, now);
    move |person: &PersonId| {
        given.iter().any(|to| organisation.is_same(to, person))
            && !parties.iter().any(|party| organisation.is_same(party, person))
            && organisation.is_active(person)
    }
}

/// The desk's own approvers as reviewers. Where a party has taken one out, only those who were, who may lay down what they were given:
/// of those who are left the party would have chosen, and what none keeps ends.
pub(super) fn own_reviewers(organisation: &Organisation, parties: &[&PersonId], now: Timestamp) -> Vec<PersonId> {
    let own = organisation.defaults.access_approvers.iter();
    let is_taken = taken_out(organisation, parties, now);
    let taken: Vec<PersonId> = own.clone().filter(|person| is_taken(person)).cloned().collect();
    if taken.is_empty() {
        own.filter(|person| may_review(organisation, parties, person, now)).cloned().collect()
    } else {
        taken
    }
}
