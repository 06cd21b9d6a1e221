//! Files of rows as the world has them: with any usual separator, encoding and line end, gzipped or not, and with quotes that
//! were never closed.
//!
//! It gives records of texts with their lines, and knows nothing of what they are for.

use std::io::{BufRead as _, BufReader, Read, Result};

use flate2::bufread::MultiGzDecoder;

pub mod encoding;
mod extent;
mod lines;
mod records;
pub mod separator;
#[cfg(test)]
mod tests;

pub use encoding::Encoding;
pub use lines::PlainLines;
pub use records::{Record, Records, Wrong};
pub use separator::Separator;

/// How a file is written, as far as that is known; the rest is found out from the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub encoding: Option<Encoding>,
    pub separator: Option<Separator>,
}

/// The records of a file.
pub type FileRecords<'r> = Records<PlainLines<BufReader<Box<dyn Read + Send + 'r>>>>;

/// Starts reading a file, which is unpacked if its first bytes are gzip's. Of the separators that are possible, the one is
/// taken under which the first line names most of the `wanted` columns.
///
/// # Errors
///
/// The file cannot be read.
pub fn open<'r>(file: impl Read + Send + 'r, written: Written, wanted: &[&str]) -> Result<FileRecords<'r>> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let bytes: Box<dyn Read + Send + 'r> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let text = encoding::decoded(bytes, written.encoding);
    Records::begin(PlainLines::new(BufReader::with_capacity(1 << 16, text)), written.separator, wanted)
}

/// The whole text of a file in memory, in any encoding that can be found out; `None` where it is taken for UTF-8 and is not.
pub fn text(file: &[u8]) -> Option<String> {
    let mut text = Vec::new();
    encoding::decoded(Box::new(file), None).read_to_end(&mut text).ok()?;
    String::from_utf8(text).ok()
}
