//! Keeps the cache from growing without end.
//!
//! Whatever is removed may be in use: compiled code is mapped and a component as shipped is held open, here and in every
//! desk that shares the cache, and both outlive their names.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What a file takes at least, in bytes.
const BLOCK_BYTES: u64 = 4 << 10;
/// The ends of the names that this program gives to what it keeps.
const ENDINGS: [&str; 6] = ["cwasm", "mac", "verdict", "proof", "wasm", "tmp"];

/// Files that are of use together or not at all.
#[derive(Default)]
struct Group {
    used: Option<SystemTime>,
    bytes: u64,
    files: Vec<PathBuf>,
}

/// What a file of this length takes on a disk, in bytes.
pub fn on_disk(bytes: u64) -> u64 {
    bytes.max(1).next_multiple_of(BLOCK_BYTES)
}

/// Removes what was used longest ago until the rest fits into `bytes_max`. Files that cannot be removed stay, and so do those
/// whose names this program never gives.
pub fn trim(directory: &Path, bytes_max: u64) {
    let mut groups: HashMap<String, Group> = HashMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(group) = name.to_str().and_then(group_of) else { continue };
        // Not followed, if it is a link.
        let Some(metadata) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
        let group = groups.entry(group.to_owned()).or_default();
        group.used = group.used.max(metadata.modified().ok());
        group.bytes = group.bytes.saturating_add(on_disk(metadata.len()));
        group.files.push(entry.path());
    }
    let mut total: u64 = groups.values().map(|group| group.bytes).sum();
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| group.used);
    for group in groups {
        if total <= bytes_max {
            return;
        }
        // Another desk may be faster, which is as good.
        group.files.iter().for_each(|file| drop(fs::remove_file(file)));
        total = total.saturating_sub(group.bytes);
    }
}

/// What a file of ours belongs to: compiled code to its MAC, and what was never finished to nothing.
fn group_of(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    let is_ours = stem.get(..64)?.bytes().all(|byte| byte.is_ascii_hexdigit()) && ENDINGS.contains(&ending);
    is_ours.then_some(if ending == "tmp" { name } else { stem })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rules::digest::Digest;

    #[test]
    fn what_was_used_longest_ago_goes_first_and_what_is_not_ours_stays() {
        let dir = tempfile::TempDir::new().unwrap();
        let put = |name: &str, bytes: usize, age_s: u64| {
            let path = dir.path().join(name);
            fs::write(&path, vec![0; bytes]).unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age_s);
            fs::File::open(&path).unwrap().set_times(fs::FileTimes::new().set_modified(used)).unwrap();
        };
        let names = [b"a", b"b", b"c"].map(|name| Digest::of(name).to_string());
        let [old, used, new] = &names;
        put(&format!("{old}.cwasm"), 8192, 300);
        put(&format!("{old}.mac"), 33, 300);
        // Its code is marked when it is used, its MAC is not.
        put(&format!("{used}-1-2.cwasm"), 8192, 100);
        put(&format!("{used}-1-2.mac"), 33, 900);
        put(&format!("{new}.wasm"), 8192, 0);
        put(&format!("{new}.12-3.tmp"), 4096, 400);
        let others = ["key", "rule.wasm", "notes.tmp", "letters.mac"];
        others.iter().for_each(|name| put(name, 1 << 20, 999));
        fs::create_dir(dir.path().join(format!("{old}.verdict"))).unwrap();
        let left = || {
            let left = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut left: Vec<String> = left.filter(|name| !others.contains(&name.as_str())).collect();
            left.sort();
            left
        };
        let expect = |names: &[String]| {
            let mut names = names.to_vec();
            names.push(format!("{old}.verdict"));
            names.sort();
            names
        };
        let all = left();
        trim(dir.path(), 36 << 10);
        assert_eq!(left(), all, "it fits");
        trim(dir.path(), 20 << 10);
        let kept = [format!("{used}-1-2.cwasm"), format!("{used}-1-2.mac"), format!("{new}.wasm")];
        assert_eq!(left(), expect(&kept));
        trim(dir.path(), 19 << 10);
        assert_eq!(left(), expect(&[format!("{new}.wasm")]));
        trim(dir.path(), 0);
        assert_eq!(left(), expect(&[]));
        assert!(others.iter().all(|name| dir.path().join(name).exists()));
    }
}
