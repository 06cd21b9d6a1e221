//! Encodings of text files: named, or guessed from the bytes.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Cursor, Error, ErrorKind, Read, Result};
use std::str::FromStr;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

/// How much of a file is looked at to find its encoding, in bytes.
const SAMPLE_BYTES: u64 = 1 << 20;

/// An encoding by a name of the Encoding Standard (WHATWG), such as `windows-1252`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// A name that no encoding has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no encoding: use a name such as utf-8, utf-16le, windows-1252 or iso-8859-2")]
pub struct NotAnEncoding(String);

impl FromStr for Encoding {
    type Err = NotAnEncoding;

    fn from_str(name: &str) -> std::result::Result<Self, NotAnEncoding> {
        let found = encoding_rs::Encoding::for_label_no_replacement(name.as_bytes());
        found.map(Encoding).ok_or_else(|| NotAnEncoding(name.to_owned()))
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// The message about a file whose letters could be of several encodings.
const UNKNOWN: &str = "it is neither UTF-8 nor of Western Europe, and what else its letters are cannot be found out: save it as UTF-8, or \
                       name its encoding where it is imported";

/// A file as UTF-8. A byte order mark says what it is; else the name that is given; else what its first megabyte looks like.
/// A file that is taken for UTF-8 passes as it is, with the bytes in it that are none.
///
/// # Errors
///
/// Nothing says which encoding it is, and its bytes fit several: a wrong guess would turn letters into others.
pub fn decoded<'r>(mut file: Box<dyn Read + Send + 'r>, named: Option<Encoding>) -> Result<Box<dyn Read + Send + 'r>> {
    let mut sample = Vec::new();
    // The part before a read error is used, and the error follows it.
    let broken = file.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample).err();
    let file: Box<dyn Read + Send + 'r> = match broken {
        Some(error) => Box::new(Broken(Some(error))),
        None => file,
    };
    let is_marked = encoding_rs::Encoding::for_bom(&sample).is_some();
    let encoding = match named {
        None if !is_marked => guessed(&sample)?,
        named => named,
    };
    let file = Cursor::new(sample).chain(file);
    // Text without any mark or name is taken as UTF-8, and only then its damaged bytes pass.
    let encoding = encoding.map(|Encoding(encoding)| encoding).filter(|encoding| *encoding != UTF_8);
    let decoder = DecodeReaderBytesBuilder::new()
        .encoding(encoding)
        .bom_override(true)
        .utf8_passthru(true)
        .strip_bom(true)
        .build(file);
    Ok(Box::new(decoder))
}

/// The end of a file that broke, with its error.
struct Broken(Option<Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The encoding that a text without a byte order mark is in; `None` is UTF-8.
fn guessed(sample: &[u8]) -> Result<Option<Encoding>> {
    let zeros = |first: usize| sample.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // In UTF-16 one of the two bytes of a Latin letter is zero, and so is one of a line end in any script. Texts of other encodings
    // have no zeros at all.
    let (most, few) = (sample.len() / 4, sample.len() / 200);
    let have = |unit: [u8; 2]| sample.chunks_exact(2).any(|two| two.starts_with(&unit));
    let is_wide = |zeros: usize, others: usize, line_ends: [[u8; 2]; 2]| {
        let is_latin = zeros > most && others <= most / 8;
        let has_line_ends = zeros > few && others <= zeros / 8 && line_ends.into_iter().any(have);
        is_latin || has_line_ends
    };
    if is_wide(odd, even, [*b"\n\0", *b"\r\0"]) {
        return Ok(Some(Encoding(UTF_16LE)));
    }
    if is_wide(even, odd, [*b"\0\n", *b"\0\r"]) {
        return Ok(Some(Encoding(UTF_16BE)));
    }
    let (mut letters, mut wrong) = (0_usize, 0_usize);
    let mut chunks = sample.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        letters += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        // The sample may end within a letter.
        let cut = chunks.peek().is_none() && sample.len() as u64 == SAMPLE_BYTES;
        wrong += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    match wrong > letters {
        false => Ok(None),
        true if is_western(sample) => Ok(Some(Encoding(WINDOWS_1252))),
        true => Err(Error::new(ErrorKind::InvalidData, UNKNOWN)),
    }
}

/// The fewest letters in a row that a language of Western Europe writes without one of ASCII among them.
const ROW_MIN: usize = 4;

/// Whether bytes that are not UTF-8 read as a text of Western Europe. There, letters that are not of ASCII stand alone or in twos, and
/// what Windows-1252 has from 0x80 on is signs, hardly any of which stands within a word: other systems have their letters there.
fn is_western(sample: &[u8]) -> bool {
    let (mut far, mut in_rows) = (0, 0);
    for row in sample.split(u8::is_ascii).filter(|row| !row.is_empty()) {
        far += row.len();
        // Of dashes and blanks that draw a line all are the same.
        let kinds = row.iter().collect::<BTreeSet<_>>().len();
        in_rows += if row.len() >= ROW_MIN && kinds > 2 { row.len() } else { 0 };
    }
    let within_word = |three: &&[u8]| {
        // Apostrophes and dashes do stand there.
        let is_sign = |byte: u8| matches!(byte, 0x80..=0x9f) && !matches!(byte, 0x85 | 0x91 | 0x92 | 0x96 | 0x97);
        // French writes its ligature oe before these. In Central Europe the same bytes are a soft s, before which i stands for both.
        let is_ligature = |byte: u8, after: u8| matches!((byte, after), (0x8c | 0x9c, b'i' | b'u' | b'I' | b'U'));
        let [before, sign, after] = **three else { return false };
        let is_within = before.is_ascii_alphabetic() && after.is_ascii_alphabetic();
        is_within && is_sign(sign) && !is_ligature(sign, after)
    };
    let signs = sample.windows(3).filter(within_word).count();
    let letters = sample.iter().filter(|byte| **byte >= 0xc0).count();
    in_rows * 2 <= far && (signs < 2 || signs <= letters)
}
