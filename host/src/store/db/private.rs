//! Files that only their owner may read: people's words, grants and the hashes of tokens are in them.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The rights of group and others.
const OTHERS: u32 = 0o077;
/// The bit of a directory in which everybody keeps files of their own, as `/tmp`.
const STICKY: u32 = 0o1000;

/// Makes a directory that is its owner's alone, or makes one that exists private.
///
/// # Errors
///
/// Where it cannot be made. One that cannot be made private is logged and used all the same.
pub fn directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mode = fs::metadata(directory)?.mode();
    if mode & STICKY != 0 {
        tracing::warn!(
            directory = %directory.display(),
            "the data directory is one that everybody shares: give the desk one of its own"
        );
        return Ok(());
    }
    tighten(directory, mode, 0o700);
    Ok(())
}

/// Makes a database's file, if there is none, and it and what SQLite keeps beside it private. What SQLite makes later takes
/// its permissions from the file.
///
/// # Errors
///
/// Where the file cannot be made.
pub fn database(file: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    for file in [file.to_owned(), beside(file, "-wal"), beside(file, "-shm")] {
        match fs::metadata(&file) {
            Ok(found) if found.is_file() => tighten(&file, found.mode(), 0o600),
            // Something else than a file is for SQLite to refuse.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// The file that has the database's name and an ending.
pub fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    PathBuf::from(name)
}

fn tighten(path: &Path, mode: u32, to: u32) {
    if mode & OTHERS == 0 {
        return;
    }
    let was = format!("{:o}", mode & 0o777);
    let path_shown = path.display();
    match fs::set_permissions(path, Permissions::from_mode(to)) {
        Ok(()) => {
            tracing::warn!(path = %path_shown, was, now = format!("{to:o}"), "others could read it: now only its owner can")
        }
        Err(error) => {
            tracing::warn!(path = %path_shown, %error, "others can read it, and that cannot be changed: run `chmod go=` on it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_others_could_read_is_made_private_and_what_they_cannot_stays() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
        directory(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        let file = data.join("desk.db");
        for (path, was) in [(file.clone(), 0o644), (beside(&file, "-wal"), 0o664), (beside(&file, "-shm"), 0o400)] {
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(was)).unwrap();
        }
        database(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(&beside(&file, "-wal")), 0o600);
        assert_eq!(mode(&beside(&file, "-shm")), 0o400);
    }

    #[test]
    fn what_is_made_is_private_from_the_first_moment() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        directory(&data).unwrap();
        database(&data.join("desk.db")).unwrap();
        assert_eq!((mode(&data), mode(&data.join("desk.db"))), (0o700, 0o600));
    }

    #[test]
    fn a_directory_that_everybody_shares_stays_shared() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        directory(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o777);
    }
}
