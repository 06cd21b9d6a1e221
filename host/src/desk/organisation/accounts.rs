//! Who acts for whom: people with several accounts, who are one human by all of them, and those who stand in for others.

use jiff::Timestamp;

use super::Organisation;
use crate::desk::id::PersonId;

/// The most accounts of one human that lead on to each other.
const ACCOUNTS_MAX: usize = 8;

impl Organisation {
    /// Whether two accounts are of one human.
    pub fn is_same(&self, one: &PersonId, other: &PersonId) -> bool {
        self.human(one) == self.human(other)
    }

    /// The account by which a human counts who has several.
    pub fn human<'a>(&'a self, account: &'a PersonId) -> &'a PersonId {
        let mut at = account;
        // A circle ends somewhere, too.
        for _ in 0..ACCOUNTS_MAX {
            match self.people.get(at).and_then(|person| person.same_as.as_ref()) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
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
        delegations.iter().filter(move |one| (one.from..=one.until).contains(&today)).map(|one| &one.to)
    }
}
