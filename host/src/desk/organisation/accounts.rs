//! Who acts for whom: people with several accounts, who are one human by all of them, and those who stand in for others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

use super::directory::Validity;
use super::form::Problem;
use super::{Delegation, Organisation, Person};
use crate::desk::id::{DelegationId, PersonId};
use crate::desk::sla::earlier;

/// The most accounts of one human that lead on to each other.
const ACCOUNTS_MAX: usize = 8;
/// The most days, with the first and the last, for which a person lets another approve in their place.
pub const DELEGATION_DAYS_MAX: i32 = 92;
/// The most days from today on which that may begin.
pub const DELEGATION_AHEAD_MAX: i32 = 366;
/// The most of them that a person has in force or to come.
pub const DELEGATIONS_MAX: usize = 10;
/// The most that a person gives within a day, those included that have ended: each sends letters to another.
pub const DELEGATIONS_A_DAY_MAX: usize = 20;

/// The instants between which leave was in force that a person gave themselves, as far as its days let it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    pub at: Timestamp,
    /// The instant at which it was ended before its last day was over.
    pub ended: Option<Timestamp>,
}

/// Leave that a person gave another by themselves to approve in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDelegation {
    pub id: DelegationId,
    pub person: PersonId,
    pub to: PersonId,
    pub from: Date,
    pub until: Date,
    pub given: Given,
    /// Who has ended it.
    pub ended_by: Option<String>,
}

impl OwnDelegation {
    /// Whether it is in force on a day, or to come after it.
    pub fn is_open(&self, today: Date) -> bool {
        self.given.ended.is_none() && self.until >= today
    }

    /// The same as the organisation has it.
    fn leave(&self) -> Delegation {
        Delegation { to: self.to.clone(), from: self.from, until: self.until, given: Some(self.given) }
    }
}

impl Delegation {
    /// Whether it is in force at an instant, which is on this day.
    fn holds(&self, at: Timestamp, day: Date) -> bool {
        let given = |given: Given| given.at <= at && given.ended.is_none_or(|ended| at < ended);
        self.given.is_none_or(given) && (self.from..=self.until).contains(&day)
    }

    /// Whether it is in force on a day or to come after it, as far as is known now.
    pub fn is_open(&self, today: Date) -> bool {
        self.given.is_none_or(|given| given.ended.is_none()) && self.until >= today
    }

    /// The first day after this one on which it begins or is over; none where it was ended.
    pub(super) fn turns_after(&self, day: Date) -> Option<Date> {
        let days = Validity { from: Some(self.from), until: Some(self.until) };
        days.turns_after(day).filter(|_| self.is_open(day))
    }
}

/// The account by which a human counts, of several among these people.
pub fn human_among<'a>(people: &'a BTreeMap<PersonId, Person>, account: &'a PersonId) -> &'a PersonId {
    let mut at = account;
    // A circle ends somewhere, too.
    for _ in 0..ACCOUNTS_MAX {
        match people.get(at).and_then(|person| person.same_as.as_ref()) {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}

impl Organisation {
    /// Whether a person is here: known, and not one who has left.
    pub fn is_active(&self, person: &PersonId) -> bool {
        self.people.get(person).is_some_and(|known| known.active)
    }

    /// Whether two accounts are of one human.
    pub fn is_same(&self, one: &PersonId, other: &PersonId) -> bool {
        self.human(one) == self.human(other)
    }

    /// The account by which a human counts who has several.
    pub fn human<'a>(&'a self, account: &'a PersonId) -> &'a PersonId {
        human_among(&self.people, account)
    }

    /// The other accounts of the same human.
    pub fn other_accounts(&self, account: &PersonId) -> Vec<PersonId> {
        if self.people.values().all(|person| person.same_as.is_none()) {
            return Vec::new();
        }
        let human = self.human(account);
        let others = self.people.keys().filter(|other| *other != account && self.human(other) == human);
        others.cloned().collect()
    }

    /// The accounts of humans who have several.
    pub fn linked(&self) -> BTreeSet<&PersonId> {
        self.people.values().filter_map(|one| Some([&one.id, self.human(one.same_as.as_ref()?)])).flatten().collect()
    }

    /// Whether a person is one of these parties by any account, or may approve in the place of one of them.
    pub fn is_party(&self, person: &PersonId, parties: &[&PersonId], now: Timestamp) -> bool {
        let of_party = |account: &PersonId| parties.iter().any(|party| self.is_same(account, party));
        let away = self.people.values().filter(|one| !one.delegations.is_empty() && of_party(&one.id));
        let mut stands_in = away.flat_map(|one| self.delegates_of(&one.id, now));
        of_party(person) || stands_in.any(|delegate| self.is_same(delegate, person))
    }

    /// The people who may approve in a person's place at an instant.
    pub fn delegates_of(&self, person: &PersonId, now: Timestamp) -> impl Iterator<Item = &PersonId> {
        let today = self.calendar.zone.to_datetime(now).date();
        let delegations = self.people.get(person).map(|person| person.delegations.as_slice()).unwrap_or_default();
        delegations.iter().filter(move |one| one.holds(now, today)).map(|one| &one.to)
    }

    /// Those who may approve at an instant in the place of one of these parties because that one has said so, by whichever account, and
    /// not the configuration.
    pub fn own_delegates_of(&self, parties: &[&PersonId], now: Timestamp) -> Vec<&PersonId> {
        let today = self.calendar.zone.to_datetime(now).date();
        let of_party = |account: &PersonId| parties.iter().any(|party| self.is_same(account, party));
        let away = self.people.values().filter(|one| !one.delegations.is_empty() && of_party(&one.id));
        let leave = away.flat_map(|one| &one.delegations).filter(|leave| leave.given.is_some());
        leave.filter(|leave| leave.holds(now, today)).map(|leave| &leave.to).collect()
    }

    /// Whether one of two accounts may approve in the place of the other at an instant, by whichever accounts of the two humans.
    pub fn stand_in(&self, one: &PersonId, other: &PersonId, at: Timestamp) -> bool {
        let for_whom = |away: &PersonId, delegate: &PersonId| {
            let mut of_human = self.other_accounts(away);
            of_human.push(away.clone());
            of_human.iter().any(|account| self.delegates_of(account, at).any(|to| self.is_same(to, delegate)))
        };
        for_whom(one, other) || for_whom(other, one)
    }

    /// The organisation with what people have given others by themselves, besides what the configuration says.
    #[must_use]
    pub fn with_delegations(&self, own: &[OwnDelegation]) -> Organisation {
        let mut after = self.clone();
        for one in own {
            if let Some(person) = after.people.get_mut(&one.person) {
                person.delegations.push(one.leave());
            }
        }
        after
    }

    /// Everything that keeps a person from letting another approve in their place for these days, `own` being what they have given
    /// already.
    pub fn check_delegation(
        &self,
        (person, to): (&PersonId, &PersonId),
        (from, until): (Date, Date),
        own: &[&OwnDelegation],
        now: Timestamp,
    ) -> Vec<Problem> {
        let today = self.calendar.zone.to_datetime(now).date();
        let mut problems = Vec::new();
        let mut problem = |field: &str, code: &str, words: String| problems.push(Problem::new(field, code, words));
        match self.people.get(to).filter(|one| one.active) {
            None => problem("to", "unknown", format!("There is no `{to}` here who could decide.")),
            Some(_) if self.is_same(person, to) => {
                problem("to", "oneself", "Name another person than yourself.".to_owned());
            }
            Some(_) => {}
        }
        let after = |day: Date, days: i32| day.checked_add(Span::new().days(days)).unwrap_or(Date::MAX);
        if from < today {
            problem("from", "past", format!("The first day is before today, {today}."));
        } else if from > after(today, DELEGATION_AHEAD_MAX) {
            problem("from", "too-far", format!("The first day is at most {DELEGATION_AHEAD_MAX} days from now."));
        }
        if until < from {
            problem("until", "backwards", format!("The last day is before the first, {from}."));
        } else if until >= after(from, DELEGATION_DAYS_MAX) {
            problem("until", "too-long", format!("It is for at most {DELEGATION_DAYS_MAX} days."));
        }
        if own.iter().filter(|one| one.is_open(today)).count() >= DELEGATIONS_MAX {
            let words = format!("You have {DELEGATIONS_MAX} in force or to come, which is the most: end one first.");
            problem("to", "too-many", words);
        }
        let a_day_ago = earlier(now, SignedDuration::from_hours(24));
        if own.iter().filter(|one| one.given.at > a_day_ago).count() >= DELEGATIONS_A_DAY_MAX {
            let words = format!("You have given {DELEGATIONS_A_DAY_MAX} within a day, which is the most: wait a day.");
            problem("to", "too-often", words);
        }
        problems
    }
}
