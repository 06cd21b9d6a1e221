//! A component as it was shipped, for the archive. A small one stays in memory; one of megabytes, which would stay there
//! unused for the rest of the process, waits in a file.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::digest::Digest;
use super::load::cache::write_beside;

/// From this size on a component is kept in a file, in bytes.
const FILE_BYTES_MIN: usize = 1 << 20;

/// Where a component's bytes are.
#[derive(Debug, Clone)]
pub enum Source {
    Memory(Arc<[u8]>),
    /// Held open, because its name may be gone before the bytes are needed.
    File {
        path: PathBuf,
        file: Arc<File>,
        digest: Digest,
    },
}

impl Source {
    /// Keeps a component; its file, where it gets one, lies in `directory`.
    pub fn keep(wasm: &[u8], digest: Digest, directory: &Path) -> Self {
        if wasm.len() < FILE_BYTES_MIN {
            return Source::Memory(Arc::from(wasm));
        }
        let path = directory.join(format!("{digest}.wasm"));
        match found(&path, digest).map_or_else(|| written(&path, wasm), Ok) {
            Ok(file) => Source::File { path, file: Arc::new(file), digest },
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "a component stays in memory because its file cannot be written");
                Source::Memory(Arc::from(wasm))
            }
        }
    }

    /// The bytes.
    ///
    /// # Errors
    ///
    /// Where the file is no longer what it was.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Source::Memory(bytes) => Ok(bytes.to_vec()),
            Source::File { path, file, digest } => {
                let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?];
                file.read_exact_at(&mut bytes, 0)?;
                if Digest::of(&bytes) == *digest {
                    Ok(bytes)
                } else {
                    Err(io::Error::other(format!("{} is damaged: it is not what was loaded", path.display())))
                }
            }
        }
    }
}

/// The file, if it is there and whole.
fn found(path: &Path, digest: Digest) -> Option<File> {
    let file = File::open(path).ok()?;
    Digest::of_reader(&file).is_ok_and(|found| found == digest).then_some(file)
}

fn written(path: &Path, wasm: &[u8]) -> io::Result<File> {
    let temporary = write_beside(path, wasm)?;
    let file = File::open(&temporary)?;
    fs::rename(&temporary, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_component_waits_in_a_file_and_is_checked_when_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let small = Source::keep(b"small", Digest::of(b"small"), dir.path());
        assert!(matches!(small, Source::Memory(_)));
        let bytes = vec![7; FILE_BYTES_MIN];
        let large = Source::keep(&bytes, Digest::of(&bytes), dir.path());
        let Source::File { path, .. } = &large else { panic!("{large:?}") };
        assert_eq!(large.read().unwrap(), bytes);
        fs::remove_file(path).unwrap();
        assert_eq!(large.read().unwrap(), bytes, "it outlives its name");
        let again = Source::keep(&bytes, Digest::of(&bytes), dir.path());
        fs::write(path, b"other").unwrap();
        assert!(again.read().is_err());
        assert_eq!(large.read().unwrap(), bytes);
    }
}
