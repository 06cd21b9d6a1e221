//! The directory of compiled code. Loading machine code is trusting it, so a directory that other users may write to is not
//! used, and each file carries a MAC under a key that only this user has. What was used longest ago goes first when it is full.

use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use sha2::Sha256;

use crate::rules::digest::Digest;
use crate::rules::source::Source;

mod trim;

type HmacSha256 = Hmac<Sha256>;

/// How much of a file is read at a time to check its MAC, in bytes.
const MAC_BLOCK_BYTES: usize = 256 << 10;
/// What the directory may hold, in bytes: a Python component compiles to some 60 MB.
const BYTES_MAX: u64 = 2 << 30;
/// The most of one file that is read, in bytes: more than a compiler may send.
const COPY_BYTES_MAX: u64 = 1 << 30;
/// How much may be added before the directory is looked through again, in bytes.
const BYTES_UNTRIMMED_MAX: u64 = 64 << 20;

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("the cache at {path} cannot be used: {source}", path = path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error(
        "the cache at {path} is not used, because compiled code in it is trusted and it belongs to another user: remove it, \
         or name another with --cache",
        path = path.display()
    )]
    OtherOwner { path: PathBuf },
    #[error(
        "the cache at {path} is not used, because compiled code in it is trusted and other users may write to it: run \
         `chmod go-w {path}`, or name another with --cache",
        path = path.display()
    )]
    WritableByOthers { path: PathBuf },
}

/// The two files of something kept: its bytes, and a byte about them with the MAC (HMAC-SHA-256, RFC 2104) over all and the
/// name.
pub struct Entry {
    name: String,
    pub file: PathBuf,
    mac: PathBuf,
}

/// Keeps what this program has made, and knows it again.
pub struct Cache {
    directory: PathBuf,
    key: [u8; 32],
    /// Bytes added since the directory was looked through.
    added: AtomicU64,
}

impl Cache {
    /// Makes the directory and its key where they are missing, for the owner's eyes only.
    ///
    /// # Errors
    ///
    /// Where it cannot be made, read or written, or is not this user's alone.
    pub fn open(directory: PathBuf) -> Result<Self, CacheError> {
        let unusable = |source| CacheError::Unusable { path: directory.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(unusable)?;
        let metadata = fs::metadata(&directory).map_err(unusable)?;
        check_owner(&directory, metadata.uid(), metadata.permissions().mode())?;
        let key = key(&directory).map_err(unusable)?;
        trim::trim(&directory, BYTES_MAX);
        Ok(Self { directory, key, added: AtomicU64::new(0) })
    }

    /// Where something of a name is kept, which begins with a digest.
    pub fn entry(&self, name: String, ending: &str) -> Entry {
        let file = |ending: &str| self.directory.join(format!("{name}.{ending}"));
        Entry { file: file(ending), mac: file("mac"), name }
    }

    /// The kept code, if it is whole and ours: the byte about it, and a copy of its file that is in memory and this process's own,
    /// to be read from the start. The file itself may be cut off or written over at any time, by a backup that is put back, say;
    /// code that is mapped from it would change, or end the process.
    pub fn find(&self, entry: &Entry) -> Option<(u8, File)> {
        let mac = fs::read(&entry.mac).ok()?;
        let (about, mac) = mac.split_first()?;
        let file = File::open(&entry.file).ok()?;
        let is_ours_alone = file.metadata().is_ok_and(|metadata| metadata.mode() & 0o022 == 0);
        let mut copy = copied(&file).ok()?;
        let expected = self.mac_of(&entry.name, *about, &mut copy).ok()?;
        if !is_ours_alone || expected.verify_slice(mac).is_err() {
            tracing::warn!(file = %entry.file.display(), "a file in the cache is damaged or not ours: it is made anew");
            return None;
        }
        copy.rewind().ok()?;
        used(&file);
        Some((*about, copy))
    }

    /// Keeps some bytes and a byte about them.
    ///
    /// # Errors
    ///
    /// Where they cannot be written.
    pub fn keep(&self, entry: &Entry, about: u8, bytes: &[u8]) -> io::Result<()> {
        let mut mac = vec![about];
        mac.extend(self.mac_of(&entry.name, about, &mut &*bytes)?.finalize().into_bytes());
        // A MAC without its bytes, or with others, is no MAC: so the order does not matter.
        for (file, bytes) in [(&entry.file, bytes), (&entry.mac, mac.as_slice())] {
            let temporary = write_beside(file, bytes)?;
            fs::rename(&temporary, file).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        }
        self.has_grown(bytes.len());
        Ok(())
    }

    /// Keeps a component as it was shipped.
    pub fn keep_source(&self, wasm: &[u8], digest: Digest) -> Source {
        let source = Source::keep(wasm, digest, &self.directory);
        if let Source::File { file, .. } = &source {
            used(file);
            self.has_grown(wasm.len());
        }
        source
    }

    fn has_grown(&self, bytes: usize) {
        let bytes = trim::on_disk(bytes as u64);
        if self.added.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > BYTES_UNTRIMMED_MAX {
            self.added.store(0, Ordering::Relaxed);
            trim::trim(&self.directory, BYTES_MAX);
        }
    }

    fn mac_of(&self, name: &str, about: u8, bytes: &mut impl Read) -> io::Result<HmacSha256> {
        // The key has the length that HMAC takes; a slice of any length is allowed, so this cannot fail.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
        let mut mac = HmacSha256::new_from_slice(&self.key).expect("HMAC takes any key");
        mac.update(name.as_bytes());
        mac.update(&[about]);
        let mut block = vec![0; MAC_BLOCK_BYTES];
        loop {
            let read = bytes.read(&mut block)?;
            match block.get(..read) {
                None | Some([]) => return Ok(mac),
                Some(bytes) => mac.update(bytes),
            }
        }
    }
}

/// A copy of a file in memory that cannot be written to any more, under no name.
fn copied(file: &File) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut copy = File::from(memfd_create("ruledesk-compiled", flags)?);
    io::copy(&mut file.take(COPY_BYTES_MAX), &mut copy)?;
    fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    copy.rewind()?;
    Ok(copy)
}

/// Writes a file for this user's eyes only under a name of its own, until it is whole: a file is never written to once it
/// may be mapped. The name is a random one, because desks in containers that share a cache have one process id.
pub fn write_beside(file: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let temporary = file.with_extension(format!("{:032x}.tmp", u128::from_le_bytes(name)));
    let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    // What is not whole is of no use, and would stay.
    open.write_all(bytes).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    Ok(temporary)
}

/// Notes that a file was used now. One that cannot be marked is removed earlier than need be, and made again.
#[expect(clippy::disallowed_methods, reason = "files of all desks that share the cache are ordered by real time")]
fn used(file: &File) {
    let _ = file.set_times(FileTimes::new().set_modified(std::time::SystemTime::now()));
}

fn check_owner(directory: &Path, owner: u32, mode: u32) -> Result<(), CacheError> {
    if owner != rustix::process::geteuid().as_raw() {
        return Err(CacheError::OtherOwner { path: directory.to_owned() });
    }
    if mode & 0o022 != 0 {
        return Err(CacheError::WritableByOthers { path: directory.to_owned() });
    }
    Ok(())
}

/// The key that lies in the directory; a new one where there is none, or one that others have seen or made.
fn key(cache: &Path) -> io::Result<[u8; 32]> {
    let file = cache.join("key");
    let read_key = || {
        let mut open = File::open(&file).ok()?;
        let metadata = open.metadata().ok()?;
        let is_secret = metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0;
        let mut key = Vec::new();
        open.read_to_end(&mut key).ok()?;
        <[u8; 32]>::try_from(key).ok().filter(|_| is_secret)
    };
    if let Some(key) = read_key() {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let temporary = write_beside(&file, &key)?;
    // Desks that share a cache may be started at the same moment: the first one's key stays, unless it is damaged.
    let linked = fs::hard_link(&temporary, &file);
    match (linked, read_key()) {
        (Err(_), Some(theirs)) => key = theirs,
        (Err(_), None) => return fs::rename(&temporary, &file).map(|()| key),
        (Ok(()), _) => {}
    }
    fs::remove_file(&temporary)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn whoever_opens_a_cache_at_the_same_moment_gets_one_key() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = dir.path().join("cache");
        let open = || Cache::open(cache.clone()).unwrap().key;
        let keys: Vec<[u8; 32]> = thread::scope(|scope| {
            let opening: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
            opening.into_iter().map(|opening| opening.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        assert_eq!(open(), keys[0]);
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 1, "nothing but the key is left");

        fs::write(cache.join("key"), [1; 7]).unwrap();
        let mended = open();
        assert_ne!(mended, keys[0]);
        assert_eq!(open(), mended);
        set_mode(&cache.join("key"), 0o644);
        assert_ne!(open(), mended, "others have seen it");
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_not_used() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = dir.path().join("new/cache");
        Cache::open(cache.clone()).unwrap();
        assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);
        for mode in [0o770, 0o702, 0o777] {
            set_mode(&cache, mode);
            let refused = Cache::open(cache.clone()).err().unwrap();
            assert!(matches!(refused, CacheError::WritableByOthers { .. }), "{mode:o}: {refused}");
            assert!(refused.to_string().contains("chmod go-w"), "{refused}");
        }
        set_mode(&cache, 0o755);
        let metadata = fs::metadata(&cache).unwrap();
        assert!(check_owner(&cache, metadata.uid(), metadata.mode()).is_ok());
        let other = check_owner(&cache, metadata.uid() + 1, metadata.mode());
        assert!(matches!(other, Err(CacheError::OtherOwner { .. })));
    }

    #[test]
    fn what_is_kept_is_found_until_somebody_touches_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = Cache::open(dir.path().join("cache")).unwrap();
        let entry = cache.entry(Digest::of(b"x").to_string(), "cwasm");
        assert!(cache.find(&entry).is_none());
        cache.keep(&entry, 7, b"code").unwrap();
        let (about, mut file) = cache.find(&entry).unwrap();
        let mut code = String::new();
        file.read_to_string(&mut code).unwrap();
        assert_eq!((about, code.as_str()), (7, "code"));
        let modes =
            fs::read_dir(&cache.directory).unwrap().map(|file| file.unwrap().metadata().unwrap().mode() & 0o777);
        assert_eq!(modes.collect::<Vec<_>>(), [0o600; 3], "the key, the code and its MAC, whatever the umask says");
        set_mode(&entry.file, 0o620);
        assert!(cache.find(&entry).is_none(), "others may write to it");
        set_mode(&entry.file, 0o600);
        assert!(cache.find(&entry).is_some());
        fs::write(&entry.file, b"evil").unwrap();
        assert!(cache.find(&entry).is_none());
    }
}
