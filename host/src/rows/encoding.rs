//! Encodings of text files: named, or guessed from the bytes.

use std::fmt;
use std::io::{Cursor, Error, Read, Result};
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

/// A file as UTF-8. A byte order mark says what it is; else the name that is given; else what its first megabyte looks like.
/// A file that is taken for UTF-8 passes as it is, with the bytes in it that are none.
pub fn decoded<'r>(mut file: Box<dyn Read + Send + 'r>, named: Option<Encoding>) -> Box<dyn Read + Send + 'r> {
    let mut sample = Vec::new();
    // What was read before the file broke is read as ever; it breaks again behind that.
    let broken = file.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample).err();
    let file: Box<dyn Read + Send + 'r> = match broken {
        Some(error) => Box::new(Broken(Some(error))),
        None => file,
    };
    let encoding = named.or_else(|| guessed(&sample));
    let file = Cursor::new(sample).chain(file);
    // UTF-8 is what is left where nothing is said, and only then passes with what is damaged in it.
    let encoding = encoding.map(|Encoding(encoding)| encoding).filter(|encoding| *encoding != UTF_8);
    let decoder = DecodeReaderBytesBuilder::new()
        .encoding(encoding)
        .bom_override(true)
        .utf8_passthru(true)
        .strip_bom(true)
        .build(file);
    Box::new(decoder)
}

/// The end of a file that broke, with its error.
struct Broken(Option<Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The encoding that a text without a byte order mark is in; `None` is UTF-8.
fn guessed(sample: &[u8]) -> Option<Encoding> {
    let zeros = |first: usize| sample.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // Of two bytes of a Latin letter in UTF-16 one is zero; other texts have no zeros at all.
    let most = sample.len() / 4;
    if odd > most && even <= most / 8 {
        return Some(Encoding(UTF_16LE));
    }
    if even > most && odd <= most / 8 {
        return Some(Encoding(UTF_16BE));
    }
    let (mut letters, mut wrong) = (0_usize, 0_usize);
    let mut chunks = sample.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        letters += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        // The sample may end within a letter.
        let cut = chunks.peek().is_none() && sample.len() as u64 == SAMPLE_BYTES;
        wrong += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    (wrong > letters).then_some(Encoding(WINDOWS_1252))
}
