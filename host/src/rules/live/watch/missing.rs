//! When a folder that is not there any more is believed to be gone. A directory that shows nothing is likelier to be unmounted
//! than emptied, and a tool that replaces a folder takes it away first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long the rule of a single folder that is away goes on while others are there.
const ONE_FOLDER: Duration = Duration::from_secs(2);

/// The folders that are not there.
#[derive(Default)]
pub struct Missing {
    /// Those whose rules go on.
    since: BTreeMap<PathBuf, Away>,
    /// Those whose rules have ended, until it is believed that they were meant to: since when they are away.
    ended: BTreeMap<PathBuf, Instant>,
}

/// Since when a folder is away.
#[derive(Clone, Copy)]
struct Away {
    since: Instant,
    at: SystemTime,
    /// A person has said that what is not there is gone.
    is_meant: bool,
}

impl Missing {
    /// Notes that a folder is not there; whether that is new.
    pub fn note(&mut self, folder: PathBuf, now: Instant, at: SystemTime) -> bool {
        let known = self.since.contains_key(&folder);
        // Its rules go on, so that it was back since then.
        self.ended.remove(&folder);
        self.since.entry(folder).or_insert(Away { since: now, at, is_meant: false });
        !known
    }

    /// The folder is there again. What has ended with it comes back by itself, once the folder is read.
    pub fn forget(&mut self, folder: &PathBuf) {
        self.since.remove(folder);
    }

    /// The rules of the folder have ended, here or at another host that has missed it as well.
    pub fn end(&mut self, folder: &PathBuf, now: Instant) {
        let away = self.since.remove(folder);
        if !away.is_some_and(|away| away.is_meant) {
            self.ended.entry(folder.clone()).or_insert(away.map_or(now, |away| away.since));
        }
    }

    /// A rule of the folder has ended since another name has taken its place there.
    pub fn replaced(&mut self, folder: &Path, now: Instant) {
        self.ended.insert(folder.to_owned(), now);
    }

    /// The rules of the folder have ended so long ago, when another process looked.
    pub fn ended_before(&mut self, folder: PathBuf, ago: Duration, (patience, now): (Duration, Instant)) {
        if ago < patience {
            self.ended.entry(folder).or_insert(now.checked_sub(ago).unwrap_or(now));
        }
    }

    /// A person says that what is not there is gone: all of it whose rules go on.
    pub fn believe(&mut self) -> Vec<PathBuf> {
        self.ended.clear();
        self.since.values_mut().for_each(|away| away.is_meant = true);
        self.since.keys().cloned().collect()
    }

    /// The folders whose rules have ended and that are not believed to be gone for good.
    pub fn ended(&mut self, patience: Duration, now: Instant) -> Vec<PathBuf> {
        self.ended.retain(|_, since| now.saturating_duration_since(*since) < patience);
        self.ended.keys().cloned().collect()
    }

    /// Whether a folder is missing.
    pub fn has(&self, folder: &PathBuf) -> bool {
        self.since.contains_key(folder)
    }

    /// All of them, with when each was missed first.
    pub fn list(&self) -> Vec<(PathBuf, SystemTime)> {
        self.since.iter().map(|(folder, away)| (folder.clone(), away.at)).collect()
    }

    /// The folders whose rules are to end: `present` others are there, and `patience` is for a directory of which most is missing.
    pub fn believed(&self, present: usize, patience: Duration, now: Instant) -> Vec<PathBuf> {
        let patience = self.patience(present, patience);
        let believed = self.since.iter().filter(|(_, away)| now.saturating_duration_since(away.since) >= patience);
        believed.map(|(folder, _)| folder.clone()).collect()
    }

    /// When the next one is, or when the next one that has ended is believed to be gone for good.
    pub fn next(&self, present: usize, patience: Duration) -> Option<Instant> {
        let first = self.since.values().map(|away| away.since).min();
        let first = first.map(|since| since + self.patience(present, patience));
        let ended = self.ended.values().min().map(|since| *since + patience);
        first.into_iter().chain(ended).min()
    }

    fn patience(&self, present: usize, patience: Duration) -> Duration {
        if present == 0 || self.since.len() > present { patience } else { patience.min(ONE_FOLDER) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the present is as good as any time")]
    fn one_folder_is_soon_believed_to_be_gone_and_a_whole_directory_late() {
        let (now, at, patience) = (Instant::now(), SystemTime::now(), Duration::from_secs(60));
        let mut missing = Missing::default();
        assert!(missing.note(PathBuf::from("a"), now, at));
        assert!(!missing.note(PathBuf::from("a"), now + patience, at), "it has been missed since then");
        let after = |missing: &Missing, present, seconds| {
            missing.believed(present, patience, now + Duration::from_secs(seconds)).len()
        };
        assert_eq!((after(&missing, 3, 1), after(&missing, 3, 2)), (0, 1));
        assert_eq!((after(&missing, 0, 59), after(&missing, 0, 60)), (0, 1), "the directory is empty");
        missing.note(PathBuf::from("b"), now, at);
        assert_eq!((after(&missing, 1, 59), after(&missing, 1, 60)), (0, 2), "most of it is not there");
        missing.forget(&PathBuf::from("a"));
        assert_eq!(after(&missing, 1, 2), 1);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the present is as good as any time")]
    fn what_has_ended_is_not_believed_to_be_meant_before_the_patience_is_over_or_somebody_says_so() {
        let (now, at, patience) = (Instant::now(), SystemTime::now(), Duration::from_secs(60));
        let (one, other) = (PathBuf::from("a"), PathBuf::from("b"));
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut missing = Missing::default();
        missing.note(one.clone(), now, at);
        assert_eq!(missing.ended(patience, after(1)), [""; 0].map(PathBuf::from), "its rule goes on");
        missing.end(&one, after(2));
        missing.end(&other, after(10));
        assert_eq!(missing.next(3, patience), Some(after(60)), "it is away since then");
        missing.end(&one, after(50));
        assert_eq!(missing.ended(patience, after(59)), [one.clone(), other.clone()]);
        assert_eq!(
            missing.ended(patience, after(60)),
            std::slice::from_ref(&other),
            "another host had ended it: nothing was missed here"
        );
        assert_eq!(missing.next(3, patience), Some(after(70)));

        missing.note(one.clone(), after(61), at);
        assert_eq!(missing.believe(), std::slice::from_ref(&one));
        missing.end(&one, after(62));
        assert!(missing.ended(patience, after(62)).is_empty(), "somebody has said so");
        assert_eq!(missing.next(3, patience), None);

        missing.ended_before(one.clone(), Duration::from_secs(50), (patience, after(100)));
        missing.ended_before(other, patience, (patience, after(100)));
        assert_eq!(missing.ended(patience, after(109)), std::slice::from_ref(&one), "the patience began before");
        assert!(missing.ended(patience, after(110)).is_empty());

        missing.replaced(&one, after(200));
        missing.replaced(&one, after(250));
        assert_eq!(
            missing.ended(patience, after(300)),
            std::slice::from_ref(&one),
            "another rule ended there since then"
        );
        assert!(missing.ended(patience, after(310)).is_empty());
    }
}
