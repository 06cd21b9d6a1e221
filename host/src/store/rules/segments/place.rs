//! Where segment files are kept: a directory, or a bucket that speaks S3.
//!
//! A file is written whole or not at all, under a name that its content gives, and never changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::store::Words;
use crate::store::db::private;

#[cfg(feature = "s3")]
mod bucket;

/// The end of a name under which a file is written first.
const TEMPORARY: &str = ".tmp";
/// The file that one who archives holds locked.
const LOCK: &str = ".lock";

/// Where segments are kept.
#[derive(Debug, Clone)]
pub enum Archive {
    Directory(PathBuf),
    #[cfg(feature = "s3")]
    Bucket(bucket::Bucket),
}

/// Why a file of the archive cannot be had or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    #[error("is missing in {place}")]
    Missing { place: String },
    #[error("is shorter than it was when it was written")]
    Short,
    #[error("cannot be reached in {place} ({words})")]
    Away { place: String, words: Words },
    #[error("has no room left in {place} ({words})")]
    NoRoom { place: String, words: Words },
    #[error("is in an archive, and the desk was opened without one")]
    NoArchive,
}

impl Lost {
    /// What an error of the system about this place means.
    pub(in crate::store) fn of(error: &io::Error, place: String) -> Lost {
        let words = error.to_string().into();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Lost::NoRoom { place, words }
            }
            _ => Lost::Away { place, words },
        }
    }

    /// Whether it is that no more fits.
    pub fn is_full(&self) -> bool {
        matches!(self, Lost::NoRoom { .. })
    }
}

/// Why a bucket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoBucket {
    #[error(
        "this build of the program does not speak S3: build it with `--features s3`, or name a directory as `archive`"
    )]
    NotBuilt,
    #[error(
        "the bucket `{bucket}` cannot be used ({words}): the variables AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY \
         say how, and AWS_ENDPOINT where it is not Amazon's"
    )]
    Refused { bucket: String, words: Words },
}

/// Keeps others from archiving into the same directory, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Archive {
    /// The directory.
    pub fn directory(path: &Path) -> Archive {
        Archive::Directory(path.to_owned())
    }

    /// A bucket that speaks S3, and the beginning of all names in it.
    ///
    /// # Errors
    ///
    /// [`NoBucket`].
    #[cfg(feature = "s3")]
    pub fn bucket(bucket: &str, prefix: &str) -> Result<Archive, NoBucket> {
        bucket::Bucket::open(bucket, prefix).map(Archive::Bucket)
    }

    /// The same in a program that does not speak S3.
    ///
    /// # Errors
    ///
    /// [`NoBucket::NotBuilt`].
    #[cfg(not(feature = "s3"))]
    pub fn bucket(_: &str, _: &str) -> Result<Archive, NoBucket> {
        Err(NoBucket::NotBuilt)
    }

    /// How people know it.
    pub fn shown(&self) -> String {
        match self {
            Archive::Directory(directory) => directory.display().to_string(),
            #[cfg(feature = "s3")]
            Archive::Bucket(bucket) => bucket.shown(),
        }
    }

    /// Keeps others from archiving into a directory at the same time, and removes what was being written there when one who
    /// held this was cut off. `None` where another holds it.
    ///
    /// # Errors
    ///
    /// Where the directory cannot be made or read.
    pub async fn lock(&self) -> Result<Option<Lock>, Lost> {
        match self {
            Archive::Directory(directory) => self.blocking(directory, lock).await,
            // A bucket takes each file whole: there is nothing to remove, and the transaction keeps two from one part.
            #[cfg(feature = "s3")]
            Archive::Bucket(_) => Ok(Some(Lock { _file: None })),
        }
    }

    /// Keeps a file: when this is done it is on the disk.
    ///
    /// # Errors
    ///
    /// [`Lost`].
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Lost> {
        match self {
            Archive::Directory(directory) => {
                let name = name.to_owned();
                self.blocking(directory, move |directory| write(directory, &name, &bytes)).await
            }
            #[cfg(feature = "s3")]
            Archive::Bucket(bucket) => bucket.put(name, bytes).await,
        }
    }

    /// Keeps a file that is on this host's disk already, under another name; it may be gone from there afterwards.
    ///
    /// # Errors
    ///
    /// [`Lost`].
    pub async fn put_file(&self, name: &str, file: &Path) -> Result<(), Lost> {
        match self {
            Archive::Directory(directory) => {
                let (name, file) = (name.to_owned(), file.to_owned());
                self.blocking(directory, move |directory| take_over(directory, &name, &file)).await
            }
            #[cfg(feature = "s3")]
            Archive::Bucket(bucket) => bucket.put_file(name, file).await,
        }
    }

    /// A part of a file: as much of it as there is.
    ///
    /// # Errors
    ///
    /// [`Lost`].
    pub async fn read(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>, Lost> {
        match self {
            Archive::Directory(directory) => {
                let name = name.to_owned();
                self.blocking(directory, move |directory| part(&directory.join(name), &range)).await
            }
            #[cfg(feature = "s3")]
            Archive::Bucket(bucket) => bucket.read(name, range).await,
        }
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    ///
    /// [`Lost`].
    pub async fn remove(&self, name: &str) -> Result<(), Lost> {
        let removed = match self {
            Archive::Directory(directory) => {
                let name = name.to_owned();
                self.blocking(directory, move |directory| fs::remove_file(directory.join(name))).await
            }
            #[cfg(feature = "s3")]
            Archive::Bucket(bucket) => bucket.remove(name).await,
        };
        match removed {
            Err(Lost::Missing { .. }) => Ok(()),
            other => other,
        }
    }

    /// The files whose names begin so.
    ///
    /// # Errors
    ///
    /// [`Lost`].
    pub async fn list(&self, beginning: &str) -> Result<Vec<String>, Lost> {
        let mut names = match self {
            Archive::Directory(directory) => self.blocking(directory, names).await?,
            #[cfg(feature = "s3")]
            Archive::Bucket(bucket) => bucket.names().await?,
        };
        names.retain(|name| name.starts_with(beginning));
        Ok(names)
    }

    /// Works on the directory on a thread that may wait for a disk.
    async fn blocking<T: Send + 'static>(
        &self,
        directory: &Path,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Lost> {
        let directory = directory.to_owned();
        let done = tokio::task::spawn_blocking(move || work(&directory)).await;
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(Lost::Missing { place: self.shown() }),
            Ok(Err(error)) => Err(Lost::of(&error, self.shown())),
            Err(error) => Err(Lost::Away { place: self.shown(), words: error.to_string().into() }),
        }
    }
}

fn lock(directory: &Path) -> io::Result<Option<Lock>> {
    private::directory(directory)?;
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(directory.join(LOCK))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    for name in names(directory)?.iter().filter(|name| name.ends_with(TEMPORARY)) {
        fs::remove_file(directory.join(name))?;
    }
    Ok(Some(Lock { _file: Some(file) }))
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = directory.join(format!("{name}{TEMPORARY}"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, directory.join(name))?;
    File::open(directory)?.sync_all()
}

/// Moves a file, which is on the disk already, into a directory; copies it where that is on another one.
fn take_over(directory: &Path, name: &str, file: &Path) -> io::Result<()> {
    private::directory(directory)?;
    let place = directory.join(name);
    match fs::rename(file, &place) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let temporary = directory.join(format!("{name}{TEMPORARY}"));
            let mut to = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            io::copy(&mut File::open(file)?, &mut to)?;
            to.sync_all()?;
            fs::rename(&temporary, &place)?;
        }
        moved => moved?,
    }
    File::open(directory)?.sync_all()
}

fn part(file: &Path, range: &Range<u64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    file.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[tokio::test]
    async fn a_directory_keeps_files_private_and_forgets_what_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("archive");
        let archive = Archive::directory(&place);
        assert!(matches!(archive.read("a", 0..1).await, Err(Lost::Missing { .. })));
        let lock = archive.lock().await.unwrap();
        assert!(lock.is_some());
        assert!(archive.lock().await.unwrap().is_none(), "one at a time");
        archive.put("a", b"0123456789".to_vec()).await.unwrap();
        fs::write(place.join("b.tmp"), "half").unwrap();
        drop(lock);
        assert!(archive.lock().await.unwrap().is_some());
        assert_eq!(archive.read("a", 8..20).await.unwrap(), b"89");
        assert_eq!(archive.list("").await.unwrap().iter().filter(|name| !name.starts_with('.')).count(), 1);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&place), mode(&place.join("a"))), (0o700, 0o600));
        archive.remove("a").await.unwrap();
        archive.remove("a").await.unwrap();
        assert_eq!(archive.list("a").await.unwrap(), [""; 0]);
    }
}
