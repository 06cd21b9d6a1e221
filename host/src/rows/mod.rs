//! Files of rows as the world has them: with any usual separator, encoding and line end, gzipped or not, and with quotes that
//! were never closed.
//!
//! It gives records of texts with their lines, and knows nothing of what they are for.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read, Result};

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
    let text = encoding::decoded(unpacked(file)?, written.encoding)?;
    Records::begin(PlainLines::new(BufReader::with_capacity(1 << 16, text)), written.separator, wanted)
}

/// Bytes of a text in which its first character is looked for.
const BEGINNING_BYTES: u64 = 64 << 10;

/// How files begin that are no text of any encoding that is read, and what they are.
const NO_TEXTS: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "a workbook of a spreadsheet, or another archive"),
    (b"\xd0\xcf\x11\xe0", "a workbook of an old spreadsheet"),
    (b"SQLite format 3\0", "a database"),
    (b"%PDF-", "a PDF"),
    (b"BZh91AY&SY", "packed by bzip2"),
    (b"\xfd7zXZ", "packed by xz"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd"),
    (b"\xff\xfe\0\0", "text in UTF-32"),
    (b"\0\0\xfe\xff", "text in UTF-32"),
];

/// The bytes of a file, which is unpacked if its first bytes are gzip's, and refused if they are those of no text.
fn unpacked<'r>(file: impl Read + Send + 'r) -> Result<Box<dyn Read + Send + 'r>> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let first = file.fill_buf()?;
    if let Some((_, what)) = NO_TEXTS.iter().find(|(begin, _)| first.starts_with(begin)) {
        let told = format!("it is {what}: save it as text with separators (CSV), in UTF-8");
        return Err(Error::new(ErrorKind::InvalidData, told));
    }
    let packed = first.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// The whole text of a file that is read from its beginning, unpacked and in UTF-8.
///
/// # Errors
///
/// The file cannot be read, is no text, or has more than so many bytes.
pub fn whole(file: impl Read + Send, encoding: Option<Encoding>, bytes_max: u64) -> Result<String> {
    let mut text = String::new();
    let read =
        encoding::decoded(unpacked(file)?, encoding)?.take(bytes_max.saturating_add(1)).read_to_string(&mut text)?;
    if read as u64 > bytes_max {
        let told = format!("it has more than {} MiB: take it in parts", bytes_max >> 20);
        return Err(Error::new(ErrorKind::FileTooLarge, told));
    }
    Ok(text)
}

/// The first byte of a file, unpacked and in UTF-8, that is no blank; `None` where there is none in its beginning.
pub fn first(file: impl Read + Send, encoding: Option<Encoding>) -> Option<u8> {
    let mut beginning = Vec::new();
    // Those who read a file that breaks off, or is no text, find that out: what comes before is enough here.
    drop(encoding::decoded(unpacked(file).ok()?, encoding).ok()?.take(BEGINNING_BYTES).read_to_end(&mut beginning));
    beginning.into_iter().find(|byte| !byte.is_ascii_whitespace())
}

/// The whole text of a file in memory, in any encoding that can be found out; `None` where it is taken for UTF-8 and is not, or is
/// in an encoding that cannot be.
pub fn text(file: &[u8]) -> Option<String> {
    let mut text = Vec::new();
    encoding::decoded(Box::new(file), None).ok()?.read_to_end(&mut text).ok()?;
    String::from_utf8(text).ok()
}
