//! Which files of a rule's folder are its source: what a person writes, not what tools make of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};

/// Folders that tools fill.
const MADE: [&str; 7] = ["target", "node_modules", "dist", "build", "__pycache__", "venv", "cases"];
/// How many files are looked at; a folder with more is not the source of one rule.
const FILES_MAX: usize = 10_000;

/// What a source looks like: its files with their times and sizes.
pub type Looks = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Whether tools fill the folder, so that nothing in it is source. Test cases are not what a component is built from.
fn is_made(name: &str) -> bool {
    name.starts_with('.') || MADE.contains(&name)
}

/// The folders of a rule that hold source, itself first.
pub fn folders(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![directory.to_owned()];
    let mut next = 0;
    while let Some(folder) = found.get(next).cloned() {
        next += 1;
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let below = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if below && !is_made(&entry.file_name().to_string_lossy()) && found.len() < FILES_MAX {
                found.push(entry.path());
            }
        }
    }
    found
}

/// What the source looks like now.
pub fn look(directory: &Path) -> Looks {
    let mut looks = Looks::new();
    for folder in folders(directory) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let made = name == COMPONENT_FILE || name.starts_with('.') || name.ends_with('~') || name.ends_with(".new");
            if made || looks.len() >= FILES_MAX {
                continue;
            }
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
                && let Ok(modified) = metadata.modified()
            {
                looks.insert(entry.path(), (modified, metadata.len()));
            }
        }
    }
    looks
}

/// Why a folder's component has to be built before it can be used, if it has to be.
pub fn stale(directory: &Path) -> Option<String> {
    let component = directory.join(COMPONENT_FILE);
    let Ok(built) = fs::metadata(&component).and_then(|metadata| metadata.modified()) else {
        return Some(format!("there is no {COMPONENT_FILE} yet"));
    };
    // The manifest is read beside the component and needs no build; nor do files for people.
    let matters = |path: &Path| path.extension().is_none_or(|e| e != "md") && !path.ends_with(MANIFEST_FILE);
    let newer = look(directory).into_iter().find(|(path, (modified, _))| *modified > built && matters(path))?;
    Some(format!("{} is newer than {COMPONENT_FILE}", newer.0.strip_prefix(directory).unwrap_or(&newer.0).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_make_is_no_source() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["src/lib.rs", "target/x.rs", ".ruledesk/sdk/lib.rs", "node_modules/a/b.js", "cases/a.json"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(dir.path().join("rule.wasm"), "x").unwrap();
        let looks = look(dir.path());
        let paths: Vec<_> = looks.keys().map(|path| path.strip_prefix(dir.path()).unwrap()).collect();
        assert_eq!(paths, [Path::new("src/lib.rs")]);
        assert_eq!(folders(dir.path()).len(), 2);
    }

    #[test]
    fn a_component_older_than_its_source_is_stale() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.rs"), "x").unwrap();
        assert_eq!(stale(dir.path()).unwrap(), "there is no rule.wasm yet");
        let wasm = fs::File::create(dir.path().join("rule.wasm")).unwrap();
        assert_eq!(stale(dir.path()), None);
        wasm.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(stale(dir.path()).unwrap(), "a.rs is newer than rule.wasm");
    }
}
