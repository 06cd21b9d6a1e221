//! Reads a rule's files: each whole, unchanged while it was read, below the rules directory, and nothing that only looks
//! like a file.

use std::fs::{self, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::trust::SIGNATURE_FILE;
use super::{COMPONENT_FILE, LoadError, MANIFEST_FILE};

/// Without waiting for whoever would write into a pipe.
const NO_WAITING: i32 = OFlags::NONBLOCK.bits() as i32;

/// A file's bytes, at most `bytes_max` of them, if it stayed the same while it was read. One that says of itself that it is
/// longer is not read at all: it may have a length and no bytes.
///
/// # Errors
///
/// Where it lies outside of `root`, is no file, is too long, cannot be read, or changed meanwhile.
pub fn read(root: &Path, file: &Path, bytes_max: usize) -> Result<Vec<u8>, LoadError> {
    let unreadable = |source| LoadError::Unreadable { file: file.to_owned(), source };
    let real = fs::canonicalize(file).map_err(unreadable)?;
    // Looked up each time: the directory may be a link, and lead elsewhere a moment later.
    if !real.starts_with(fs::canonicalize(root).map_err(unreadable)?) {
        return Err(LoadError::Outside { file: file.to_owned() });
    }
    // Before it is opened, which does something to some devices; and after, because another may be there by then.
    check_is_file(file, &fs::metadata(&real).map_err(unreadable)?)?;
    let mut open = OpenOptions::new().read(true).custom_flags(NO_WAITING).open(&real).map_err(unreadable)?;
    let metadata = open.metadata().map_err(unreadable)?;
    check_is_file(file, &metadata)?;
    let too_long = |bytes| LoadError::TooLong { file: file.to_owned(), bytes, bytes_max };
    if metadata.len() > bytes_max as u64 {
        return Err(too_long(metadata.len()));
    }
    let mut bytes = Vec::new();
    open.by_ref().take((bytes_max as u64).saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > bytes_max {
        return Err(too_long(bytes.len() as u64));
    }
    let after = fs::metadata(&real).map_err(unreadable)?;
    if identity(&metadata) != identity(&after) {
        return Err(LoadError::Unstable { file: file.to_owned() });
    }
    Ok(bytes)
}

fn check_is_file(file: &Path, metadata: &Metadata) -> Result<(), LoadError> {
    let kind = metadata.file_type();
    let is = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a named pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(LoadError::NoFile { file: file.to_owned(), is })
}

/// How a file looks from outside.
pub type Identity = (u64, u64, i64, i64, i64, i64);

/// The marks that change when a file is written to or replaced. Any program may set the time of the content; that of the last change
/// of any kind is not.
pub fn identity(metadata: &Metadata) -> Identity {
    let (changed, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
    (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec(), changed, nanoseconds)
}

/// How a rule's files look, with where links lead.
pub fn look(folder: &Path) -> [Option<Identity>; 3] {
    [MANIFEST_FILE, COMPONENT_FILE, SIGNATURE_FILE]
        .map(|file| fs::metadata(folder.join(file)).ok().map(|metadata| identity(&metadata)))
}
