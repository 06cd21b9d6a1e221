//! The file that is imported: on disk, or what comes down a pipe.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Cursor, Read};
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
        let unreadable = |e: io::Error| format!("{} cannot be read: {e}", self.path.display());
        let mut file = BufReader::new(self.reader()?);
        let is_packed = file.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        // Piece by piece: the file may be larger than the memory.
        let digest =
            if is_packed { Digest::of_reader(file) } else { Digest::of_reader(OneEnd::new(PlainLines::new(file))) };
        Ok(digest.map_err(unreadable)?)
    }
}

/// Bytes of a text that are read at a time.
const BLOCK_BYTES: usize = 64 << 10;

/// A text with one line end at its end, and no other blanks.
struct OneEnd<R> {
    text: R,
    /// Blanks that are a part of the text if anything follows them.
    blanks: Vec<u8>,
    /// The bytes that are given next.
    next: VecDeque<u8>,
    ended: bool,
}

impl<R: Read> OneEnd<R> {
    fn new(text: R) -> Self {
        Self { text, blanks: Vec::new(), next: VecDeque::new(), ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        self.text.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            self.ended = true;
            self.next.push_back(b'\n');
            return Ok(());
        }
        let blanks = block.split_off(block.trim_ascii_end().len());
        if !block.is_empty() {
            self.next.extend(self.blanks.drain(..));
            self.next.extend(block);
        }
        self.blanks.extend(blanks);
        Ok(())
    }
}

impl<R: Read> Read for OneEnd<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.next.is_empty() && !self.ended {
            self.fill()?;
        }
        self.next.read(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_with_one_line_end_however_many_blanks_it_ended_with() {
        let read = |text: &str| io::read_to_string(OneEnd::new(text.as_bytes())).unwrap();
        for end in ["", "\n", "\n\n \t\n"] {
            assert_eq!(read(&format!("a,b\n\n c{end}")), "a,b\n\n c\n");
        }
        assert_eq!(read(" \n"), "\n");
        let (words, blanks) = ("x".repeat(BLOCK_BYTES - 1), " \n".repeat(BLOCK_BYTES));
        assert_eq!(read(&format!("{words}{blanks}y{blanks}")), format!("{words}{blanks}y\n"));
    }
}
