//! Which folders of the directory are read: a bounded number, the known ones first, and what lies beyond is named.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::look::{is_nothing, look_at};
use crate::rules::live::catalog::Outcome;
use crate::rules::load::LoadError;
use crate::rules::run::manifest::Says;

/// How many folders are read; a directory with more is a mistake.
pub const FOLDERS_MAX: usize = 1_000;
/// How many more of them are named one by one.
const NAMED_MAX: usize = 1_000;

/// The folders of a directory.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Those that are read.
    pub read: BTreeSet<PathBuf>,
    /// Those that are not, as far as they are named.
    pub beyond: BTreeSet<PathBuf>,
    /// How many are not.
    pub beyond_count: usize,
}

/// The folders that lie beyond the limit now and did not before, each refused.
pub fn refusals(now: &Found, before: &Found) -> Vec<(PathBuf, Outcome)> {
    let refused = |folder: &PathBuf| {
        let error = LoadError::BeyondLimit { folder: folder.clone(), folders_max: FOLDERS_MAX };
        (folder.clone(), Outcome::Refused { error, says: Says::Unknown })
    };
    now.beyond.iter().filter(|folder| !before.beyond.contains(*folder)).map(refused).collect()
}

/// The folders that hold a rule or something that is meant to be one; those that are known already go first, then by name.
///
/// # Errors
///
/// Where the directory cannot be read.
pub fn folders(root: &Path, is_known: impl Fn(&PathBuf) -> bool) -> io::Result<Found> {
    let (mut known, mut others, mut more) = (BTreeSet::new(), BTreeSet::new(), 0);
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if is_nothing(&look_at(&path)) {
            continue;
        }
        if is_known(&path) {
            known.insert(path);
        } else {
            others.insert(path);
            if others.len() > FOLDERS_MAX + NAMED_MAX {
                others.pop_last();
                more += 1;
            }
        }
    }
    Ok(divide(known, others, more))
}

fn divide(known: BTreeSet<PathBuf>, others: BTreeSet<PathBuf>, more: usize) -> Found {
    let mut found = Found::default();
    let all = known.into_iter().chain(others);
    for path in all {
        if found.read.len() < FOLDERS_MAX {
            found.read.insert(path);
        } else {
            found.beyond_count += 1;
            if found.beyond.len() < NAMED_MAX {
                found.beyond.insert(path);
            }
        }
    }
    found.beyond_count += more;
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_stays_and_what_is_too_much_is_named() {
        let paths = |range: std::ops::Range<usize>| range.map(|n| PathBuf::from(format!("{n:05}"))).collect();
        let found = divide(paths(5_000..5_900), paths(0..200), 7);
        assert_eq!((found.read.len(), found.beyond.len(), found.beyond_count), (1_000, 100, 107));
        assert!(found.read.contains(Path::new("05899")) && found.beyond.contains(Path::new("00199")));
    }
}
