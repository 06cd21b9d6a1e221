//! Letters as files: a desk without a relay leaves them where a person can open them.

use std::io;
use std::path::{Path, PathBuf};

use super::Failure;

/// A directory for letters.
#[derive(Debug, Clone)]
pub struct Directory(PathBuf);

impl Directory {
    /// This directory; it is made with the first letter.
    pub fn new(directory: &Path) -> Directory {
        Directory(directory.to_owned())
    }

    /// Puts a letter into the file of its id. A letter that is put again takes the place of the one before.
    ///
    /// # Errors
    ///
    /// [`Failure::Later`] where the disk does not take it.
    pub async fn put(&self, id: &str, bytes: Vec<u8>) -> Result<String, Failure> {
        let (directory, file) = (self.0.clone(), self.0.join(format!("{id}.eml")));
        let shown = file.display().to_string();
        let written = tokio::task::spawn_blocking(move || write(&directory, &file, &bytes)).await;
        match written.map_err(io::Error::other).and_then(|written| written) {
            Ok(()) => Ok(format!("written to {shown}")),
            Err(error) => Err(Failure::Later { words: format!("{shown} cannot be written: {error}") }),
        }
    }
}

/// Writes a file whole: none sees half of it.
fn write(directory: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let half = file.with_extension("tmp");
    std::fs::write(&half, bytes)?;
    std::fs::rename(&half, file)
}
