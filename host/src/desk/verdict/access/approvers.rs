//! The people who are asked: those whom a rule names, and those who stand in for them.

use std::collections::BTreeSet;

use super::{ApprovalStep, Asked, DUE_HOURS_MAX, Heard, RawStep};
use crate::desk::access::Named;
use crate::desk::id::PersonId;
use crate::desk::verdict::Unfit;
use crate::desk::verdict::check::check_length;

/// The risk classes for which the manager and the app's owner are enough, where a rule has failed.
const LOWER_RISKS: [&str; 2] = ["low", "medium"];

/// Approvers are people or groups; who asks, and who is to have the access, are taken out (I2). Where too few are left of those
/// whom a rule names, the desk's access approvers stand in; the rule's other steps stay as they are.
pub(super) fn check_step(asked: &Asked<'_>, raw: &RawStep) -> Result<ApprovalStep, Unfit> {
    check_length("approvers in one step", raw.approvers.len())?;
    if raw.due_in_hours == 0 || raw.due_in_hours > DUE_HOURS_MAX {
        return Err(Unfit::DueIn { hours: raw.due_in_hours, hours_max: DUE_HOURS_MAX });
    }
    if raw.needed == 0 {
        return Err(Unfit::NoApproval);
    }
    let names: BTreeSet<&String> = raw.approvers.iter().collect();
    let named: Vec<Named> = names.into_iter().filter_map(|name| named(asked, name)).collect();
    let approvers = people(asked, &named);
    if raw.needed as usize <= approvers.len() {
        return Ok(ApprovalStep { approvers, needed: raw.needed, due_in_hours: raw.due_in_hours, named });
    }
    let named = vec![Named::AccessApprovers];
    let approvers = people(asked, &named);
    let needed = raw.needed.min(u32::try_from(approvers.len()).unwrap_or(u32::MAX));
    if needed == 0 {
        return Err(Unfit::NoApprovers { needed: raw.needed });
    }
    Ok(ApprovalStep { approvers, needed, due_in_hours: raw.due_in_hours, named })
}

/// The meaning of a name in a rule's answer: the manager and the owner are followed where they change.
fn named(asked: &Asked<'_>, name: &str) -> Option<Named> {
    if let Some(group) = name.strip_prefix("group:") {
        return group.parse().ok().map(Named::Group);
    }
    let person = asked.organisation.people.get(name).filter(|person| person.active)?;
    if manager(asked).as_ref() == Some(&person.id) {
        return Some(Named::Manager);
    }
    if asked.app.owner.as_ref() == Some(&person.id) {
        return Some(Named::Owner);
    }
    Some(Named::Person(person.id.clone()))
}

/// Those who may approve of the people that are named.
fn people(asked: &Asked<'_>, named: &[Named]) -> Vec<PersonId> {
    let mut people: Vec<PersonId> = named.iter().flat_map(|named| of(asked, named)).collect();
    people.retain(|person| may_approve(asked, person));
    people.sort_unstable();
    people.dedup();
    people
}

fn of(asked: &Asked<'_>, named: &Named) -> Vec<PersonId> {
    match named {
        Named::Person(person) => vec![person.clone()],
        Named::Manager => manager(asked).into_iter().collect(),
        Named::Owner => asked.app.owner.clone().into_iter().collect(),
        Named::Group(group) => asked.organisation.members_of(group).map(|person| person.id.clone()).collect(),
        Named::AccessApprovers => asked.organisation.defaults.access_approvers.clone(),
    }
}

/// The subject's nearest manager who may approve.
fn manager(asked: &Asked<'_>) -> Option<PersonId> {
    let managers = asked.organisation.managers_of(&asked.request.subject);
    managers.into_iter().find(|person| may_approve(asked, person))
}

/// Approvers are active, and are no party to the request.
fn may_approve(asked: &Asked<'_>, person: &PersonId) -> bool {
    let parties = [asked.requester, asked.submitted_by, &asked.request.subject];
    !parties.contains(&person) && asked.organisation.is_active(person)
}

/// The people who decide where no rule does: the manager, or where there is none, the desk's access approvers. A rule that was not
/// heard could have asked for more, so the app's owner is asked as well, and from the third class of risk on the desk's access
/// approvers, too. A configuration is refused whose list of them is so short that none could be left.
pub(super) fn fallback(asked: &Asked<'_>, heard: Heard) -> Vec<ApprovalStep> {
    let is_there = |named: &Named| !people(asked, std::slice::from_ref(named)).is_empty();
    let first = Some(Named::Manager).filter(is_there).unwrap_or(Named::AccessApprovers);
    let owner = Some(Named::Owner).filter(is_there).filter(|owner| of(asked, owner) != of(asked, &first));
    let mut named = vec![first];
    if heard == Heard::NotAll {
        let lower = LOWER_RISKS.contains(&asked.tier.risk.as_str());
        let approvers = Some(Named::AccessApprovers).filter(|_| !lower || owner.is_none());
        named.extend(owner.into_iter().chain(approvers));
    }
    let due_in_hours = asked.organisation.defaults.access_due_hours;
    let step = |named: Named| {
        let named = vec![named];
        ApprovalStep { approvers: people(asked, &named), needed: 1, due_in_hours, named }
    };
    named.into_iter().map(step).collect()
}
