//! How much one person may have the desk do: unfinished tickets, comments, and text that is kept.
//!
//! Those who work on tickets are not bound: they write for many. What is counted over time is counted by each host for itself
//! and forgotten with it; unfinished tickets are counted in the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::app::{Error, Office};
use crate::config::{Attachments, Limits};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::desk::permission;
use crate::desk::ticket::timeline::Visibility;

/// Buckets that are remembered at once.
const BUCKETS_MAX: usize = 100_000;
/// Refused submissions of one person that are kept in an hour.
const REFUSALS_PER_HOUR: u64 = 60;
/// Files of one person that come in at once: a part of the places that there are for those of all.
const FILES_AT_ONCE_MAX: usize = 8;
/// How soon one more is worth a try.
const FILE_AGAIN: Duration = Duration::from_secs(5);
/// Files of one person that no ticket has: four times what a submission takes. Each has a row and an object, however short it is.
const LOOSE_FILES_MAX: u64 = 200;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// So much in so long a time, and all of it at once where nothing was used before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    most: u64,
    within: Duration,
}

impl Rate {
    /// So many a minute.
    pub const fn per_minute(most: u32) -> Self {
        Self { most: most as u64, within: Duration::from_secs(60) }
    }

    /// So much in an hour.
    pub const fn per_hour(most: u64) -> Rate {
        Rate { most, within: HOUR }
    }
}

/// A bucket for each name, which fills again with time.
#[derive(Debug, Default)]
pub struct Buckets(Mutex<HashMap<String, Bucket>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    used: f64,
    at: Duration,
}

impl Bucket {
    /// The amount in use at an instant: it runs out evenly.
    fn used(self, rate: Rate, now: Duration) -> f64 {
        let share = now.saturating_sub(self.at).as_secs_f64() / rate.within.as_secs_f64();
        (self.used - share * rate.most as f64).max(0.0)
    }

    /// The amount in use under a name with some more, of which it has this bucket so far.
    ///
    /// # Errors
    ///
    /// How long it takes until there is so much.
    fn with(so_far: Option<&Bucket>, rate: Rate, amount: u64, now: Duration) -> Result<f64, Duration> {
        let used = so_far.map_or(0.0, |bucket| bucket.used(rate, now));
        let (wanted, most) = (used + amount as f64, rate.most as f64);
        // One that is larger than all that there is passes where nothing is used: else it never would.
        if wanted > most && used > 0.0 {
            let over = (wanted - most).min(used);
            return Err(rate.within.mul_f64(over / most.max(1.0)));
        }
        Ok(wanted)
    }
}

impl Buckets {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes some of what is there under a name. `now` is an instant of a clock that only goes on.
    ///
    /// # Errors
    ///
    /// How long it takes until there is enough; nothing is taken then.
    pub fn take(&self, name: &str, rate: Rate, amount: u64, now: Duration) -> Result<(), Duration> {
        let mut buckets = self.all();
        let bucket = Bucket { used: Bucket::with(buckets.get(name), rate, amount, now)?, at: now };
        if let Some(known) = buckets.get_mut(name) {
            *known = bucket;
            return Ok(());
        }
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, bucket| bucket.used(rate, now) > 0.0);
            if buckets.len() >= BUCKETS_MAX {
                buckets.clear();
            }
        }
        buckets.insert(name.to_owned(), bucket);
        Ok(())
    }

    /// Gives back what was taken under a name and not used.
    pub fn give_back(&self, name: &str, rate: Rate, amount: u64, now: Duration) {
        if let Some(bucket) = self.all().get_mut(name) {
            *bucket = Bucket { used: (bucket.used(rate, now) - amount as f64).max(0.0), at: now };
        }
    }

    /// Looks whether there is so much, and takes none of it.
    ///
    /// # Errors
    ///
    /// As [`Buckets::take`].
    pub fn look(&self, name: &str, rate: Rate, amount: u64, now: Duration) -> Result<(), Duration> {
        Bucket::with(self.all().get(name), rate, amount, now).map(drop)
    }

    /// The amount that is left under a name, and how long it takes until nothing of it is in use any more.
    pub fn left(&self, name: &str, rate: Rate, now: Duration) -> (u64, Duration) {
        let used = self.all().get(name).map_or(0.0, |bucket| bucket.used(rate, now));
        let most = rate.most as f64;
        // What is left is whole, whichever way the last digit was rounded.
        ((most - used + 1e-6).max(0.0) as u64, rate.within.mul_f64(used / most.max(1.0)))
    }
}

/// How many things of each person go on at once, such as requests, or files that come in.
#[derive(Debug, Clone, Default)]
pub struct AtOnce(Arc<Mutex<HashMap<String, usize>>>);

/// One of the things of a person that go on, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    all: AtOnce,
    person: String,
}

impl AtOnce {
    /// Begins one more thing of a person; `None` where there are `most`.
    pub fn begin(&self, person: &str, most: usize) -> Option<Turn> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(person.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Turn { all: self.clone(), person: person.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.person) {
            *count -= 1;
            // A person without any takes no room.
            if *count == 0 {
                running.remove(&self.person);
            }
        }
    }
}

/// The amounts that people have used.
#[derive(Debug, Default)]
pub struct Quotas {
    limits: ArcSwap<Limits>,
    comments: Buckets,
    mails: Buckets,
    bytes: Buckets,
    refusals: Buckets,
    files: AtOnce,
    /// How many refusals of each person were not kept since the last that was.
    left_out: Mutex<HashMap<String, u64>>,
    /// How many more tickets each person may open before their unfinished ones are counted again.
    unfinished: Mutex<HashMap<String, u64>>,
}

impl Quotas {
    /// The bounds on attachments.
    pub fn attachments(&self) -> Attachments {
        self.limits.load().attachments.clone()
    }

    /// How many requests of one person may come in a minute.
    pub fn requests_per_minute(&self) -> u32 {
        self.limits.load().requests_per_minute
    }

    /// Takes other limits.
    pub fn limit(&self, limits: Limits) {
        self.limits.store(limits.into());
    }

    /// Whether one more refused submission of a person is kept; if so, how many before it were not.
    pub fn keeps_refusal(&self, person: &str, now: Duration) -> Option<u64> {
        let rate = Rate { most: REFUSALS_PER_HOUR, within: HOUR };
        let keeps = self.refusals.take(person, rate, 1, now).is_ok();
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        if keeps {
            return Some(left_out.remove(person).unwrap_or_default());
        }
        if left_out.len() < BUCKETS_MAX || left_out.contains_key(person) {
            *left_out.entry(person.to_owned()).or_default() += 1;
        }
        None
    }

    /// Whether a person may open one more ticket without a count.
    fn needs_no_count(&self, person: &str) -> bool {
        let mut left = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left.get_mut(person).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }

    /// Notes how many may be opened before the next count: half of what is left, so that none costs as much as all together.
    fn counted(&self, person: &str, left: u64) {
        let mut all = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= BUCKETS_MAX {
            all.clear();
        }
        all.insert(person.to_owned(), left.saturating_sub(1) / 2);
    }
}

impl Office {
    /// Counts text that a person has the desk keep.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`] where it is more than one person may in a day.
    pub(in crate::app) fn count_text(&self, actor: &Actor, bytes: usize) -> Result<(), Error> {
        let Some(person) = bound(actor) else { return Ok(()) };
        let rate = Rate { most: self.quotas.limits.load().bytes_per_day, within: DAY };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let counted = self.quotas.bytes.take(person, rate, bytes, self.clock.elapsed());
        counted.map_err(|wait| Error::TooMuch { what: "text in one day", wait })
    }

    /// A place for one more file of a person that comes in. Also those who work on tickets have only so many: one who sends slowly would
    /// hold the places of all.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`].
    pub(super) fn begin_file(&self, actor: &Actor) -> Result<Option<Turn>, Error> {
        let Some(person) = actor.person() else { return Ok(None) };
        let turn = self.quotas.files.begin(person.as_str(), FILES_AT_ONCE_MAX);
        turn.map(Some).ok_or(Error::TooMuch { what: "files that come in at once", wait: FILE_AGAIN })
    }

    /// Refuses one more file of a person who has many that no ticket has, or whose files of this visibility have too many bytes with it:
    /// mails as they came, which only those who work on tickets see, take no place from the files that a person adds.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`].
    pub(super) async fn check_files(&self, actor: &Actor, visibility: Visibility, more: u64) -> Result<(), Error> {
        let Some(person) = bound(actor) else { return Ok(()) };
        let most = self.quotas.limits.load().attachments.person_bytes_max;
        let (bytes, loose) = self.store.attachments_of(person, visibility).await?;
        if loose >= LOOSE_FILES_MAX {
            return Err(Error::TooMuch { what: "files that no ticket has", wait: DAY });
        }
        if bytes.saturating_add(more) > most {
            Err(Error::TooMuch { what: "the bytes of all your files", wait: DAY })
        } else {
            Ok(())
        }
    }

    /// Counts a comment of a person.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`].
    pub(super) fn count_comment(&self, actor: &Actor, bytes: usize) -> Result<(), Error> {
        self.count_entry(actor, "comments in one hour")?;
        self.count_text(actor, bytes)
    }

    /// Counts another change of a ticket by a person, which leaves an entry on its timeline as a comment does, and may go to
    /// others.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`].
    pub(super) fn count_change(&self, actor: &Actor) -> Result<(), Error> {
        self.count_entry(actor, "changes of tickets in one hour")
    }

    /// Counts a mail of a person, so many of whom may come in an hour.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`].
    pub(super) fn count_mail(&self, person: &PersonId, most: u64) -> Result<(), Error> {
        let counted = self.quotas.mails.take(person.as_str(), Rate::per_hour(most), 1, self.clock.elapsed());
        counted.map_err(|wait| Error::TooMuch { what: "mails in one hour", wait })
    }

    fn count_entry(&self, actor: &Actor, what: &'static str) -> Result<(), Error> {
        let Some(person) = bound(actor) else { return Ok(()) };
        let rate = Rate { most: self.quotas.limits.load().comments_per_hour, within: HOUR };
        let counted = self.quotas.comments.take(person, rate, 1, self.clock.elapsed());
        counted.map_err(|wait| Error::TooMuch { what, wait })
    }

    /// Refuses one more ticket of a person who has too many that are unfinished.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`].
    pub(super) async fn check_open_tickets(&self, actor: &Actor) -> Result<(), Error> {
        let Some(person) = bound(actor) else { return Ok(()) };
        if self.quotas.needs_no_count(person) {
            return Ok(());
        }
        let most = self.quotas.limits.load().open_tickets;
        let left = most.saturating_sub(self.store.unfinished_of(person, most).await?);
        if left == 0 {
            return Err(Error::TooMuch { what: "tickets that are not finished", wait: HOUR });
        }
        self.quotas.counted(person, left);
        Ok(())
    }
}

/// The person whom limits bind, if they bind the actor.
fn bound(actor: &Actor) -> Option<&str> {
    actor.person().filter(|_| !permission::works_on_tickets(actor)).map(|person| person.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_it_has_and_fills_with_time() {
        let buckets = Buckets::default();
        let rate = Rate::per_minute(60);
        let at = Duration::from_secs;
        for _ in 0..60 {
            assert_eq!(buckets.take("amara", rate, 1, at(0)), Ok(()));
        }
        assert_eq!(buckets.take("amara", rate, 1, at(0)), Err(at(1)));
        assert_eq!(buckets.take("kofi", rate, 1, at(0)), Ok(()), "each has a bucket");
        assert_eq!(buckets.left("amara", rate, at(2)), (2, at(58)));
        assert_eq!(buckets.left("lena", rate, at(2)), (60, at(0)));
        assert_eq!(buckets.look("amara", rate, 2, at(2)), Ok(()));
        assert_eq!(buckets.take("amara", rate, 2, at(2)), Ok(()));
        assert_eq!(buckets.look("amara", rate, 1, at(2)), Err(at(1)));
        assert_eq!(buckets.take("amara", rate, 1_000, at(62)), Ok(()), "all at once, since nothing was used");
        assert!(buckets.take("amara", rate, 1, at(63)).is_err());
    }

    #[test]
    fn unfinished_tickets_are_counted_seldom_far_from_the_bound_and_always_near_it() {
        let quotas = Quotas::default();
        let (mut open, mut counts) = (0, 0);
        for _ in 0..1000 {
            if !quotas.needs_no_count("amara") {
                counts += 1;
                quotas.counted("amara", 1000 - open);
            }
            open += 1;
        }
        assert!((9..20).contains(&counts), "{counts} counts");
        assert!(!quotas.needs_no_count("amara") && !quotas.needs_no_count("kofi"));
    }

    #[test]
    fn one_person_has_so_many_at_once_and_another_has_as_many() {
        let all = AtOnce::default();
        let mut turns: Vec<Turn> = (0..5).filter_map(|_| all.begin("amara", 3)).collect();
        assert_eq!(turns.len(), 3);
        assert!(all.begin("kofi", 3).is_some());
        turns.pop();
        assert!(all.begin("amara", 3).is_some());
        turns.clear();
        assert!(all.0.lock().unwrap().is_empty());
    }

    #[test]
    fn no_more_names_are_kept_than_there_is_room_for() {
        let buckets = Buckets::default();
        for n in 0..=BUCKETS_MAX {
            let _ = buckets.take(&n.to_string(), Rate::per_minute(1), 1, Duration::ZERO);
        }
        assert!(buckets.0.lock().unwrap().len() <= BUCKETS_MAX);
    }
}
