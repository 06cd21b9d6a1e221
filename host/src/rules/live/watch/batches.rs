//! Changes that are made together go live together: folders that were put into the lanes at one moment are shown as one generation,
//! when the last of them is ready.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::rules::live::catalog::Outcome;

/// How long what is ready waits for the rest of what lay in the directory when the process began.
const FIRST_LASTS: Duration = Duration::from_secs(2);

/// The batches that are not complete.
#[derive(Default)]
pub struct Batches {
    last: u64,
    waiting: BTreeMap<u64, Batch>,
}

#[derive(Default)]
struct Batch {
    left: BTreeSet<PathBuf>,
    ready: Vec<(PathBuf, Outcome)>,
    /// From when on each outcome is shown as it comes.
    until: Option<Instant>,
}

impl Batches {
    /// Notes folders that are put into the lanes together. Of the first batch of all, nothing waits for ever.
    pub fn begin(&mut self, folders: &[PathBuf], now: Instant) {
        if folders.is_empty() {
            return;
        }
        let until = (self.last == 0).then(|| now + FIRST_LASTS);
        self.last += 1;
        self.waiting.insert(self.last, Batch { left: folders.iter().cloned().collect(), ready: Vec::new(), until });
    }

    /// Notes a folder's outcome; gives all that is to be shown now, in the order of the folders.
    pub fn finished(&mut self, folder: PathBuf, outcome: Outcome, now: Instant) -> Vec<(PathBuf, Outcome)> {
        let number = self.waiting.iter().find(|(_, batch)| batch.left.contains(&folder)).map(|(number, _)| *number);
        let is_same = matches!(outcome, Outcome::Same);
        for batch in self.waiting.values_mut().filter(|_| !is_same) {
            // An earlier state of the folder that still waits for others is no longer what lies there.
            batch.ready.retain(|(other, _)| *other != folder);
        }
        let Some((number, batch)) = number.and_then(|number| Some((number, self.waiting.get_mut(&number)?))) else {
            return vec![(folder, outcome)];
        };
        batch.left.remove(&folder);
        batch.ready.push((folder, outcome));
        let is_late = batch.until.is_some_and(|until| now >= until);
        if batch.left.is_empty() {
            let ready = self.waiting.remove(&number).map(|batch| batch.ready).unwrap_or_default();
            return in_order(ready);
        }
        if is_late { in_order(std::mem::take(&mut batch.ready)) } else { Vec::new() }
    }

    /// Folders that wait no longer for the rest of the first batch.
    pub fn late(&mut self, now: Instant) -> Vec<(PathBuf, Outcome)> {
        let late = self.waiting.values_mut().filter(|batch| batch.until.is_some_and(|until| now >= until));
        in_order(late.flat_map(|batch| std::mem::take(&mut batch.ready)).collect())
    }

    /// When that is.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.values().filter(|batch| !batch.ready.is_empty()).filter_map(|batch| batch.until).min()
    }

    /// Whether all of the first batch has been loaded or refused.
    pub fn is_first_over(&self) -> bool {
        !self.waiting.contains_key(&1)
    }
}

/// In the order of the folders, so that every start of the same directory comes to the same.
fn in_order(mut outcomes: Vec<(PathBuf, Outcome)>) -> Vec<(PathBuf, Outcome)> {
    outcomes.sort_by(|(a, _), (b, _)| a.cmp(b));
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the present is as good as any time")]
    fn what_is_ready_waits_for_the_rest_of_its_batch_and_is_not_lost_meanwhile() {
        let (now, mut batches) = (Instant::now(), Batches::default());
        let [a, b] = ["a", "b"].map(PathBuf::from);
        let names = |ready: Vec<(PathBuf, Outcome)>| {
            let names = ready.into_iter().map(|(folder, _)| folder.display().to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        batches.begin(std::slice::from_ref(&a), now);
        assert_eq!(names(batches.finished(a.clone(), Outcome::Gone, now)), "a");
        batches.begin(&[a.clone(), b.clone()], now);
        assert!(batches.finished(a.clone(), Outcome::Gone, now).is_empty());
        // It is compared with itself meanwhile.
        batches.begin(std::slice::from_ref(&a), now);
        assert_eq!(names(batches.finished(a.clone(), Outcome::Same, now)), "a");
        assert_eq!(names(batches.finished(b.clone(), Outcome::Gone, now)), "a b");
        // It changes meanwhile: what it was does not come after what it is.
        batches.begin(&[a.clone(), b.clone()], now);
        assert!(batches.finished(a.clone(), Outcome::Gone, now).is_empty());
        batches.begin(std::slice::from_ref(&a), now);
        assert_eq!(names(batches.finished(a.clone(), Outcome::Gone, now)), "a");
        assert_eq!(names(batches.finished(b.clone(), Outcome::Gone, now)), "b");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the present is as good as any time")]
    fn nothing_of_the_first_batch_waits_for_ever() {
        let (now, mut batches) = (Instant::now(), Batches::default());
        let [a, b] = ["a", "b"].map(PathBuf::from);
        batches.begin(&[a.clone(), b.clone()], now);
        assert!(batches.finished(a.clone(), Outcome::Gone, now).is_empty());
        assert!(batches.late(now).is_empty() && !batches.is_first_over());
        assert_eq!(batches.late(now + FIRST_LASTS).len(), 1);
        assert_eq!(batches.finished(b, Outcome::Gone, now + FIRST_LASTS).len(), 1);
        assert!(batches.is_first_over());
    }
}
