//! How a rule's folder looks from outside, without reading what is in it.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::rules::load::files::{Identity, identity};
use crate::rules::load::folder::Content;
use crate::rules::load::trust::SIGNATURE_FILE;
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};

/// The moment at which a changed folder is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    AtOnce,
    /// When it looks the same at two looks, so that it is not read while it is being written.
    OnceSettled,
}

/// The files of a folder that are a rule's; all others are none of its business.
pub const FILES: [&str; 3] = [MANIFEST_FILE, COMPONENT_FILE, SIGNATURE_FILE];

/// What a folder's manifest, component and signature looked like when they were last read.
pub type Seen = [Option<Identity>; 3];

/// A folder as it was last loaded or refused.
pub struct Read {
    pub looks: Seen,
    /// Its content then, where it could be read.
    pub content: Option<Content>,
}

/// There is something that cannot be looked at: not the same as nothing, which would retire the rule.
const UNKNOWN: Option<Identity> = Some((0, 0, 0, 0, 0, 0));

/// How a folder looks now. A link to nowhere or to itself is something: it was meant to be a rule.
pub fn look_at(folder: &Path) -> Seen {
    if leads_nowhere(folder) {
        return if is_lock(folder.file_name().unwrap_or_default()) { [None; 3] } else { [UNKNOWN; 3] };
    }
    FILES.map(|file| {
        let file = folder.join(file);
        match fs::metadata(&file) {
            Ok(metadata) => Some(identity(&metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound && !leads_nowhere(&file) => None,
            // What should be a folder is a file, such as a guide.
            Err(error) if error.kind() == ErrorKind::NotADirectory => None,
            Err(error) if is_of_the_system(folder.file_name().unwrap_or_default(), error.kind()) => None,
            Err(_) => UNKNOWN,
        }
    })
}

/// Whether there is no rule in a folder that looks like this.
pub fn is_nothing(looks: &Seen) -> bool {
    matches!(looks, [None, None, _])
}

/// Whether a file has one of the names that count.
pub fn is_of_a_rule(file: &Path) -> bool {
    file.file_name().is_some_and(|name| FILES.iter().any(|known| name == *known))
}

fn leads_nowhere(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) && fs::metadata(path).is_err()
}

/// Whether an editor locks a file by a link to nowhere of this name, as Emacs does.
fn is_lock(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".#")
}

/// Whether it is the folder that file systems keep for themselves at the root of a volume, and let no one else look into.
fn is_of_the_system(name: &OsStr, error: ErrorKind) -> bool {
    error == ErrorKind::PermissionDenied && name == "lost+found"
}

/// Whether one of a rule's two files is another than it was and the other one is not: the rest of a change may be under way.
pub fn is_half_changed(before: &Seen, now: &Seen) -> bool {
    let ([Some(manifest), Some(component), _], [Some(new_manifest), Some(new_component), _]) = (before, now) else {
        return false;
    };
    (manifest == new_manifest) != (component == new_component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_volume_has_a_folder_that_is_no_rule_s() {
        let is = |name: &str, error| is_of_the_system(OsStr::new(name), error);
        assert!(is("lost+found", ErrorKind::PermissionDenied));
        assert!(!is("50-access-policy", ErrorKind::PermissionDenied) && !is("lost+found", ErrorKind::InvalidInput));
    }
}
