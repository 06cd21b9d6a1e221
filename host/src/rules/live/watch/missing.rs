//! When a folder that is not there any more is believed to be gone. A directory that shows nothing is likelier to be unmounted
//! than emptied, and a tool that replaces a folder takes it away first.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// How long a single folder may be away while others are there.
const ONE_FOLDER: Duration = Duration::from_secs(2);

/// The folders that are not there and whose rules go on.
#[derive(Default)]
pub struct Missing {
    since: BTreeMap<PathBuf, (Instant, SystemTime)>,
}

impl Missing {
    /// Notes that a folder is not there; whether that is new.
    pub fn note(&mut self, folder: PathBuf, now: Instant, at: SystemTime) -> bool {
        let known = self.since.contains_key(&folder);
        self.since.entry(folder).or_insert((now, at));
        !known
    }

    /// The folder is there again, or its rules have ended.
    pub fn forget(&mut self, folder: &PathBuf) {
        self.since.remove(folder);
    }

    /// Whether a folder is missing.
    pub fn has(&self, folder: &PathBuf) -> bool {
        self.since.contains_key(folder)
    }

    /// All of them, with when each was missed first.
    pub fn list(&self) -> Vec<(PathBuf, SystemTime)> {
        self.since.iter().map(|(folder, (_, at))| (folder.clone(), *at)).collect()
    }

    /// The folders that are believed to be gone: `present` others are there, and `patience` is for a directory of which most is
    /// missing.
    pub fn believed(&self, present: usize, patience: Duration, now: Instant) -> Vec<PathBuf> {
        let patience = self.patience(present, patience);
        let believed = self.since.iter().filter(|(_, (since, _))| now.saturating_duration_since(*since) >= patience);
        believed.map(|(folder, _)| folder.clone()).collect()
    }

    /// When the next one is.
    pub fn next(&self, present: usize, patience: Duration) -> Option<Instant> {
        let first = self.since.values().map(|(since, _)| *since).min()?;
        Some(first + self.patience(present, patience))
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
}
