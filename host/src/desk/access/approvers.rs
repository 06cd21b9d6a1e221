//! Who may approve: looked up in the organisation as it is now, so that open steps follow changes of managers, groups and
//! people who leave.

use std::fmt;

use jiff::Timestamp;

use super::{AccessCase, AccessState, HumanDecision, Step};
use crate::desk::id::{GroupId, PersonId};
use crate::desk::organisation::Organisation;

/// The people that a step asks, by what makes them approvers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// One person, for as long as they are here.
    Person(PersonId),
    /// The nearest manager of the person who is to have the access who may approve.
    Manager,
    /// The owner of the app.
    Owner,
    /// The members of a group.
    Group(GroupId),
    /// The people whom the desk asks where no other is left.
    AccessApprovers,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Named::Person(person) => write!(f, "person:{person}"),
            Named::Manager => f.write_str("manager"),
            Named::Owner => f.write_str("owner"),
            Named::Group(group) => write!(f, "group:{group}"),
            Named::AccessApprovers => f.write_str("access-approvers"),
        }
    }
}

impl Named {
    /// The approvers that a kept text names.
    pub fn parse(text: &str) -> Option<Named> {
        match (text, text.split_once(':')) {
            ("manager", _) => Some(Named::Manager),
            ("owner", _) => Some(Named::Owner),
            ("access-approvers", _) => Some(Named::AccessApprovers),
            (_, Some(("person", id))) => id.parse().ok().map(Named::Person),
            (_, Some(("group", id))) => id.parse().ok().map(Named::Group),
            _ => None,
        }
    }

    fn people(&self, case: &AccessCase, organisation: &Organisation, now: Timestamp) -> Vec<PersonId> {
        match self {
            Named::Person(person) => vec![person.clone()],
            Named::Manager => nearest_manager(case, organisation, now).into_iter().collect(),
            Named::Owner => {
                let app = organisation.apps.get(&case.request.app);
                app.and_then(|app| app.owner.clone()).into_iter().collect()
            }
            Named::Group(group) => organisation.members_of(group).map(|person| person.id.clone()).collect(),
            Named::AccessApprovers => organisation.defaults.access_approvers.clone(),
        }
    }
}

/// The managers of the person who is to have the access who may approve, nearest first.
fn managers(case: &AccessCase, organisation: &Organisation, now: Timestamp) -> Vec<PersonId> {
    let managers = organisation.managers_of(&case.request.subject);
    managers.into_iter().filter(|person| may_approve(case, organisation, person, now)).collect()
}

/// The manager whom a step for the nearest manager asks. One who has decided about the request stays that manager, also where a party
/// has made them its delegate since: the next above does not come in (I2).
fn nearest_manager(case: &AccessCase, organisation: &Organisation, now: Timestamp) -> Option<PersonId> {
    let managers = organisation.managers_of(&case.request.subject);
    managers.into_iter().find(|one| may_approve(case, organisation, one, now) || case.has_said(one, organisation))
}

/// Approvers are active, and are neither a party to the request, by whichever of their accounts, nor stand in for one (I2).
fn may_approve(case: &AccessCase, organisation: &Organisation, person: &PersonId, now: Timestamp) -> bool {
    organisation.is_active(person) && !organisation.is_party(person, &case.parties(), now)
}

impl HumanDecision {
    /// Those whose word it is: who said it, and in whose place.
    pub fn word_of(&self) -> impl Iterator<Item = &PersonId> {
        std::iter::once(&self.approver).chain(&self.in_place_of)
    }

    /// Whether it is the word of a human, by whichever of their accounts.
    fn is_word_of(&self, person: &PersonId, organisation: &Organisation) -> bool {
        self.word_of().any(|by| organisation.is_same(by, person))
    }
}

impl AccessCase {
    /// Those who have asked for the access, and who is to have it.
    fn parties(&self) -> [&PersonId; 3] {
        [&self.requester, &self.submitted_by, &self.request.subject]
    }

    /// Why the approvals of a settled request would not be enough by the accounts as they are linked now; `None` where they
    /// are (I2, I3).
    pub fn approved_by_one(&self, organisation: &Organisation) -> Option<String> {
        let parties = self.parties();
        let approvals: Vec<&HumanDecision> = self.decisions.iter().filter(|decision| decision.approve).collect();
        let own = |account: &PersonId| parties.into_iter().find(|party| organisation.is_same(account, party));
        let of_party =
            approvals.iter().find_map(|approval| approval.word_of().find_map(|by| Some((approval, by, own(by)?))));
        if let Some((approval, by, party)) = of_party {
            let part = if *by == approval.approver { "who" } else { "in whose place another" };
            return Some(format!(
                "{by}, {part} approved it, and {party}, who is to have it or has asked for it, are one person"
            ));
        }
        let several = organisation.defaults.one_approver_for_several_steps;
        approvals.iter().enumerate().find_map(|(place, later)| {
            let same = |before: &HumanDecision| {
                let both =
                    before.word_of().flat_map(|by| later.word_of().map(move |other| (by.clone(), other.clone())));
                let mut both = both.filter(|(by, other)| by != other && organisation.is_same(by, other));
                both.next().filter(|_| before.step == later.step || !several)
            };
            let (before, later) = approvals.iter().take(place).find_map(|before| same(before))?;
            Some(format!("{before} and {later}, who approved it, are one person"))
        })
    }
}

/// An open step whose approvers are others than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassigned {
    pub step: usize,
    pub approvers: Vec<PersonId>,
    /// Whether too few of those were left whom the step names, so that the desk's own approvers stand in.
    pub stands_in: bool,
    /// Whether that is so because a party to the request lets one of them decide in their own place.
    pub is_chosen: bool,
}

impl AccessCase {
    /// The case with the approvers of its open steps as the organisation has them now, and which steps that has changed. A
    /// person who has approved one step is not asked in another, unless the desk lets one person approve several. Where too few
    /// are left, the desk's access approvers stand in, then the managers above.
    #[must_use]
    pub fn following(&self, organisation: &Organisation, now: Timestamp) -> (AccessCase, Vec<Reassigned>) {
        let (mut after, mut changes) = (self.clone(), Vec::new());
        if self.state != AccessState::Awaiting {
            return (after, changes);
        }
        let open: Vec<usize> = self.open_steps().map(|(number, _)| number).collect();
        for (number, step) in after.steps.iter_mut().enumerate().filter(|(number, _)| open.contains(number)) {
            let (approvers, stands_in) = self.approvers_now(number, step, organisation, now);
            let same = approvers.len() == step.approvers.len() && approvers.iter().all(|p| step.approvers.contains(p));
            if same {
                continue;
            }
            let left = step.approvers.iter().filter(|person| !approvers.contains(person));
            let left: Vec<PersonId> = left.filter(|person| !step.former.contains(person)).cloned().collect();
            step.former.extend(left);
            step.former.retain(|person| !approvers.contains(person));
            step.approvers.clone_from(&approvers);
            let is_chosen = stands_in && self.names_chosen((number, &*step), organisation, now);
            changes.push(Reassigned { step: number, approvers, stands_in, is_chosen });
        }
        (after, changes)
    }

    fn approvers_now(
        &self,
        number: usize,
        step: &Step,
        organisation: &Organisation,
        now: Timestamp,
    ) -> (Vec<PersonId>, bool) {
        let elsewhere = |person: &PersonId| self.has_word_elsewhere(number, person, organisation);
        let by_another = |person: &PersonId| {
            // A person and their delegate are one approver, also where the delegation has ended between their two decisions.
            let one_word = |d: &HumanDecision| {
                d.is_word_of(person, organisation)
                    || [d.at, now].into_iter().any(|at| organisation.stand_in(&d.approver, person, at))
            };
            self.decisions.iter().any(|d| d.step == number && d.approver != *person && one_word(d))
        };
        let may = |person: &PersonId| {
            may_approve(self, organisation, person, now) && !elsewhere(person) && !by_another(person)
        };
        let said = |person: &PersonId| self.decisions.iter().any(|d| d.step == number && d.approver == *person);
        let agreed = self.decisions.iter().filter(|d| d.step == number && d.approve).count();
        let mut people = self.asked_by_name((number, step), organisation, now);
        // A delegate may decide as well as the approver, unless the approver has left or may not decide. A delegate's own delegates
        // may not. Of several delegates of one approver, the first to decide has decided for the approver.
        let delegates = |people: &[PersonId]| -> Vec<PersonId> {
            let has_word = |person: &&PersonId| may_approve(self, organisation, person, now) && !elsewhere(person);
            // Older requests keep the people whom they ask, with the delegates among them.
            let present = people.iter().filter(|_| !step.named.is_empty()).filter(has_word);
            let of = present.flat_map(|person| {
                let open = !self.has_word_in(number, person, organisation);
                organisation.delegates_of(person, now).filter(move |to| open || said(to))
            });
            of.cloned().collect()
        };
        let in_their_place = delegates(&people);
        people.extend(in_their_place);
        people.retain(|person| may(person));
        let enough = |people: &[PersonId]| {
            let fresh: std::collections::BTreeSet<&PersonId> = people.iter().filter(|person| !said(person)).collect();
            agreed + fresh.len() >= step.needed as usize
        };
        let stands_in = !enough(&people);
        for more in self.asked_instead(number, organisation, now) {
            if !enough(&people) {
                let for_them = delegates(&more);
                people.extend(more.into_iter().chain(for_them).filter(|person| may(person)));
            }
        }
        people.sort_unstable();
        people.dedup();
        (people, stands_in)
    }

    /// The people whom a step names, before it is asked which of them may approve; none of them where a party has taken one out.
    fn asked_by_name(
        &self,
        (number, step): (usize, &Step),
        organisation: &Organisation,
        now: Timestamp,
    ) -> Vec<PersonId> {
        match step.named.as_slice() {
            [] => step.approvers.clone(),
            _ if self.names_chosen((number, step), organisation, now) => Vec::new(),
            named => named.iter().flat_map(|named| named.people(self, organisation, now)).collect(),
        }
    }

    /// Whether a party has taken out one of those whom a step names.
    fn names_chosen(&self, (number, step): (usize, &Step), organisation: &Organisation, now: Timestamp) -> bool {
        step.named.iter().any(|named| self.is_chosen_from((number, named), organisation, now))
    }

    /// The people who are asked where too few are left of those whom a step names: first the desk's own approvers, then the managers
    /// above. Where a party has taken out one of the desk's own, there are none: the managers would be the party's choice.
    fn asked_instead(&self, number: usize, organisation: &Organisation, now: Timestamp) -> [Vec<PersonId>; 2] {
        let is_chosen = |named: Named| self.is_chosen_from((number, &named), organisation, now);
        if is_chosen(Named::AccessApprovers) {
            return [Vec::new(), Vec::new()];
        }
        let above = if is_chosen(Named::Manager) { Vec::new() } else { managers(self, organisation, now) };
        [organisation.defaults.access_approvers.clone(), above]
    }

    /// Whether a party to the request has taken out one of those who are asked for a reason, by letting them approve in their own place:
    /// then none of the others decides, whom the party would have chosen by that, also where it was given before the request (I2).
    pub(super) fn is_chosen_from(
        &self,
        (number, named): (usize, &Named),
        organisation: &Organisation,
        now: Timestamp,
    ) -> bool {
        let parties = self.parties();
        let given = organisation.own_delegates_of(&parties, now);
        if given.is_empty() {
            return false;
        }
        let is_taken = |one: &PersonId| {
            organisation.is_active(one)
                && given.iter().any(|to| organisation.is_same(to, one))
                && !parties.iter().any(|party| organisation.is_same(party, one))
                && !self.has_word_in(number, one, organisation)
                && !self.has_word_elsewhere(number, one, organisation)
        };
        if *named != Named::Manager {
            return named.people(self, organisation, now).iter().any(is_taken);
        }
        // Of managers the nearest is asked who may approve.
        let managers = organisation.managers_of(&self.request.subject);
        let is_asked = |one: &&PersonId| {
            is_taken(one) || may_approve(self, organisation, one, now) || self.has_said(one, organisation)
        };
        managers.iter().find(is_asked).is_some_and(is_taken)
    }

    /// Whether the step that is asked now has no one left to ask because a party lets them approve in their own place.
    pub(super) fn has_none_left(&self, organisation: &Organisation, now: Timestamp) -> bool {
        let taken = |named: &Named, number| self.is_chosen_from((number, named), organisation, now);
        let is_by_party = |(number, step): (usize, &Step)| {
            step.named.iter().chain([&Named::AccessApprovers, &Named::Manager]).any(|named| taken(named, number))
        };
        self.state == AccessState::Awaiting && self.awaited().is_empty() && self.current_step().is_some_and(is_by_party)
    }

    /// Whether any step has the word of a person who is here, of themselves or of another in their place.
    fn has_said(&self, person: &PersonId, organisation: &Organisation) -> bool {
        organisation.is_active(person) && self.decisions.iter().any(|d| d.is_word_of(person, organisation))
    }

    /// Whether a step has a human's word, of themselves or of another in their place.
    fn has_word_in(&self, number: usize, person: &PersonId, organisation: &Organisation) -> bool {
        self.decisions.iter().any(|d| d.step == number && d.is_word_of(person, organisation))
    }

    /// Whether a human has approved another step, by any of their accounts or by a delegate, and so may not decide this one.
    fn has_word_elsewhere(&self, number: usize, person: &PersonId, organisation: &Organisation) -> bool {
        let theirs = |d: &HumanDecision| d.step != number && d.approve && d.is_word_of(person, organisation);
        !organisation.defaults.one_approver_for_several_steps && self.decisions.iter().any(theirs)
    }

    /// In whose place a person decides the step that is asked now: all who let them and have a word in it. None where it asks the person
    /// as well.
    pub(super) fn stood_in_for(&self, person: &PersonId, organisation: &Organisation, now: Timestamp) -> Vec<PersonId> {
        let Some((number, step)) = self.current_step() else { return Vec::new() };
        let more = self.asked_instead(number, organisation, now).concat();
        for asked in [self.asked_by_name((number, step), organisation, now), more] {
            if asked.contains(person) {
                return Vec::new();
            }
            let lets = |one: &&PersonId| {
                may_approve(self, organisation, one, now)
                    && !self.has_word_elsewhere(number, one, organisation)
                    && !self.has_word_in(number, one, organisation)
                    && organisation.delegates_of(one, now).any(|to| to == person)
            };
            let mut of: Vec<PersonId> = asked.iter().filter(lets).cloned().collect();
            if !of.is_empty() {
                of.sort_unstable();
                of.dedup();
                return of;
            }
        }
        Vec::new()
    }

    /// Whether a person has approved another step than this one.
    pub(super) fn approved_another(&self, number: usize, person: &PersonId) -> bool {
        self.decisions.iter().any(|d| d.step != number && d.approve && d.word_of().any(|by| by == person))
    }

    /// Whether a person would choose who decides about them by letting `to` approve in their place: the request is theirs and asks
    /// `to`, who would have no word in it then, by whichever accounts of the two (I2).
    pub fn is_steered_by(
        &self,
        (person, to): (&PersonId, &PersonId),
        organisation: &Organisation,
        now: Timestamp,
    ) -> bool {
        let is_theirs = self.parties().into_iter().any(|party| organisation.is_same(party, person));
        let (asked, _) = self.following(organisation, now);
        let mut approvers = asked.open_steps().flat_map(|(_, step)| &step.approvers);
        is_theirs && self.state == AccessState::Awaiting && approvers.any(|one| organisation.is_same(one, to))
    }

    /// Whether a person was asked for a decision before others took their place.
    pub fn asked_before(&self, person: &PersonId) -> bool {
        self.steps.iter().any(|step| step.former.contains(person))
    }
}
