//! Files of the repository that are part of the program, such as a language's SDK, and how they get into a rule's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the SDK of a rule's language lies, below the rule's folder. `new` tells version control to leave it out.
pub const FOLDER: &str = ".ruledesk";

/// Files below a folder of the repository as pairs of path and text: `embedded!("sdk/src/": "lib.rs", "text.rs")`.
macro_rules! embedded {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        [$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $folder, $path)))),+]
    };
}
pub(crate) use embedded;

/// Writes files below a folder. A file that is the same already is left alone, so that no tool sees a change.
///
/// # Errors
///
/// The file that cannot be written, and why.
pub fn lay_out<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), (PathBuf, io::Error)> {
    for (path, text) in files {
        let path = folder.join(path);
        if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|source| (path, source))?;
    }
    Ok(())
}
