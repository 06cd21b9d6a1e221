//! The file that is imported: on disk, or what comes down a pipe.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::import::JSON_BYTES_MAX;
use crate::rows::{self, Encoding, PlainLines};
use crate::rules::digest::Digest;

/// The most that is taken from a pipe, in bytes: it can be read only once, and so is in memory.
const PIPE_BYTES_MAX: u64 = 512 << 20;

/// A file as the command line names it.
pub struct Given {
    path: PathBuf,
    /// All of it, where it can be read only once.
    piped: Option<Vec<u8>>,
}

impl Given {
    /// Finds the file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// It is not there, or is a pipe that cannot be read.
    pub fn open(path: &Path) -> Result<Given, Failure> {
        let standard_input = path.as_os_str() == "-";
        let opened = |e: std::io::Error| format!("{} cannot be opened: {e}", path.display());
        if !standard_input && std::fs::metadata(path).map_err(opened)?.is_file() {
            return Ok(Given { path: path.to_owned(), piped: None });
        }
        let from: Box<dyn Read> = if standard_input {
            Box::new(std::io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(opened)?)
        };
        let mut bytes = Vec::new();
        let read = from.take(PIPE_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        if bytes.len() as u64 > PIPE_BYTES_MAX {
            let most = PIPE_BYTES_MAX >> 20;
            return Err(format!("{} has more than {most} MiB: write it to a file first", path.display()).into());
        }
        Ok(Given { path: path.to_owned(), piped: Some(bytes) })
    }

    /// Its bytes, from the first.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub fn reader(&self) -> Result<Box<dyn Read + Send + '_>, Failure> {
        if let Some(bytes) = &self.piped {
            return Ok(Box::new(Cursor::new(bytes.as_slice())));
        }
        let file = File::open(&self.path).map_err(|e| format!("{} cannot be opened: {e}", self.path.display()))?;
        Ok(Box::new(file))
    }

    /// Its text where it is JSON: by its name, or, of a pipe, by its first character.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is too large.
    pub fn json(&self, encoding: Option<Encoding>) -> Result<Option<String>, Failure> {
        let name = self.path.to_string_lossy().to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let named = [".json", ".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending));
        let first = self.piped.as_ref().and_then(|bytes| rows::first(bytes.as_slice(), encoding));
        if !named && !matches!(first, Some(b'{' | b'[')) {
            return Ok(None);
        }
        let text = rows::whole(self.reader()?, encoding, JSON_BYTES_MAX);
        Ok(Some(text.map_err(|e| format!("{} cannot be read: {e}", self.path.display()))?))
    }

    /// The digest of its text, of which neither the form of line ends nor empty lines at the end are a part: an editor or a
    /// tool that saves it again does not make another file of it.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn digest(&self) -> Result<Digest, Failure> {
        let mut bytes = Vec::new();
        let read = self.reader()?.read_to_end(&mut bytes);
        read.map_err(|e| format!("{} cannot be read: {e}", self.path.display()))?;
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Ok(Digest::of(&bytes));
        }
        let mut text = Vec::with_capacity(bytes.len());
        PlainLines::new(bytes.as_slice()).read_to_end(&mut text)?;
        text.truncate(text.trim_ascii_end().len());
        text.push(b'\n');
        Ok(Digest::of(&text))
    }
}
