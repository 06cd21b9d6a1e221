//! A segment file: packed records of one part of the chain of runs, which says itself how it is read.
//!
//! A line of magic, a line of JSON, the dictionaries one after the other, then the records. The JSON names each dictionary with
//! its length, and the fields of a record: so that a program which knows Zstandard and nothing of the desk reads the file.
//! The same records always give the same bytes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::super::packing::Dictionary;
use super::super::packing::dictionary;
use crate::store::sql::columns::hex;

/// The first line.
const MAGIC: &[u8] = b"ruledesk segment 1\n";
/// The bytes of a record before its packed texts.
pub const HEAD_BYTES: usize = 113;
/// How a record is read; it stands in each file.
const LAYOUT: [&str; 11] = [
    "numbers are little-endian",
    "id: 16 bytes",
    "ticket: 16 bytes",
    "at: i64, milliseconds since 1970-01-01T00:00:00Z",
    "generation: i64",
    "revision: i64, -1 for none",
    "link: i64, the place in the chain of runs",
    "hash: 1 byte with the number of the encoding, then 32 bytes",
    "dictionary: i64, its id in `dictionaries`",
    "bytes: u64, then the packed texts",
    "packed: Zstandard (RFC 8878) with that dictionary; texts with a zero character between any two: cause, engine, shared \
     input, then stage, input, verdict and rules of each stage",
];

/// A place of the chain of runs and the hash there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    pub link: i64,
    pub hash: String,
}

/// The JSON of a segment file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Header {
    chain: String,
    runs: usize,
    /// The record before the first one.
    before: At,
    first: At,
    last: At,
    layout: Vec<String>,
    dictionaries: Vec<Listed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    id: i64,
    /// SHA-256 of the dictionary.
    digest: String,
    bytes: usize,
}

/// A run as it stands in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub id: Uuid,
    pub ticket: Uuid,
    pub at: i64,
    pub generation: i64,
    pub revision: Option<i64>,
    pub place: At,
    pub dictionary: i64,
    pub packed: Vec<u8>,
}

/// A segment that is being made.
#[derive(Debug)]
pub struct Making {
    before: At,
    first: Option<At>,
    last: At,
    runs: usize,
    dictionaries: BTreeMap<i64, Arc<Dictionary>>,
    records: Vec<u8>,
}

/// A segment that is made.
pub struct Made {
    pub bytes: Vec<u8>,
    pub digest: String,
    pub before: At,
    pub first: At,
    pub last: At,
    pub runs: usize,
    /// Where the first record begins.
    pub records_at: usize,
}

/// Why bytes are no segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASegment {
    #[error("it does not begin as a segment of this program's form does")]
    Beginning,
    #[error("a dictionary in it is not what its digest says")]
    Dictionary,
    #[error("it ends within a record, or has more records than it says")]
    Cut,
    #[error("a hash in it is none")]
    Hash,
}

impl Making {
    /// Begins a segment behind a place of the chain.
    pub fn behind(before: At) -> Self {
        let last = before.clone();
        Self { before, first: None, last, runs: 0, dictionaries: BTreeMap::new(), records: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.runs == 0
    }

    pub fn runs(&self) -> usize {
        self.runs
    }

    /// The bytes of its records so far.
    pub fn bytes(&self) -> usize {
        self.records.len()
    }

    /// The last record's place; before the first, the one before it.
    pub fn last(&self) -> &At {
        &self.last
    }

    /// Adds a record, with the dictionary that it is packed with.
    ///
    /// # Errors
    ///
    /// Where its hash is none.
    pub fn add(&mut self, record: &Record, dictionary: &Arc<Dictionary>) -> Result<(), NotASegment> {
        let hash = hash_bytes(&record.place.hash).ok_or(NotASegment::Hash)?;
        let out = &mut self.records;
        out.extend_from_slice(record.id.as_bytes());
        out.extend_from_slice(record.ticket.as_bytes());
        for number in [record.at, record.generation, record.revision.unwrap_or(-1), record.place.link] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&hash);
        out.extend_from_slice(&record.dictionary.to_le_bytes());
        out.extend_from_slice(&(record.packed.len() as u64).to_le_bytes());
        out.extend_from_slice(&record.packed);
        self.dictionaries.entry(record.dictionary).or_insert_with(|| Arc::clone(dictionary));
        self.first.get_or_insert_with(|| record.place.clone());
        self.last = record.place.clone();
        self.runs += 1;
        Ok(())
    }

    /// The whole file.
    pub fn made(self) -> Made {
        let Making { before, first, last, runs, dictionaries, records } = self;
        let first = first.unwrap_or_else(|| last.clone());
        let listed = |(id, d): (&i64, &Arc<Dictionary>)| Listed {
            id: *id,
            digest: d.digest().to_owned(),
            bytes: d.bytes().len(),
        };
        let header = Header {
            chain: "runs".to_owned(),
            runs,
            before: before.clone(),
            first: first.clone(),
            last: last.clone(),
            layout: LAYOUT.map(str::to_owned).to_vec(),
            dictionaries: dictionaries.iter().map(listed).collect(),
        };
        let mut bytes = MAGIC.to_vec();
        // Texts and numbers always have a JSON form.
        bytes.extend_from_slice(&serde_json::to_vec(&header).unwrap_or_default());
        bytes.push(b'\n');
        dictionaries.values().for_each(|dictionary| bytes.extend_from_slice(dictionary.bytes()));
        let records_at = bytes.len();
        bytes.extend_from_slice(&records);
        let digest = digest(&bytes);
        Made { bytes, digest, before, first, last, runs, records_at }
    }
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}

/// A segment file that was read.
pub struct Segment {
    pub before: At,
    pub first: At,
    pub last: At,
    pub runs: usize,
    pub dictionaries: BTreeMap<i64, Arc<Dictionary>>,
    records: Range<usize>,
}

impl Segment {
    /// Reads the head of a segment.
    ///
    /// # Errors
    ///
    /// [`NotASegment`].
    pub fn read(bytes: &[u8]) -> Result<Segment, NotASegment> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(NotASegment::Beginning)?;
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or(NotASegment::Beginning)?;
        let header = rest.get(..end).and_then(|text| serde_json::from_slice::<Header>(text).ok());
        let header = header.ok_or(NotASegment::Beginning)?;
        let mut at = MAGIC.len() + end + 1;
        let mut dictionaries = BTreeMap::new();
        for listed in header.dictionaries {
            let until = at.checked_add(listed.bytes).ok_or(NotASegment::Dictionary)?;
            let found = bytes.get(at..until).and_then(|bytes| dictionary::Dictionary::of(bytes.to_vec()));
            let found = found.filter(|found| found.digest() == listed.digest).ok_or(NotASegment::Dictionary)?;
            dictionaries.insert(listed.id, found);
            at = until;
        }
        let Header { before, first, last, runs, .. } = header;
        Ok(Segment { before, first, last, runs, dictionaries, records: at..bytes.len() })
    }

    /// Walks through the records of the same bytes, each with the place at which its packed texts begin.
    ///
    /// # Errors
    ///
    /// [`NotASegment`], or what `each` finds.
    pub fn walk<E: From<NotASegment>>(
        &self,
        bytes: &[u8],
        mut each: impl FnMut(usize, Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut at = self.records.start;
        for _ in 0..self.runs {
            let (record, next) = record_at(bytes, at).ok_or(NotASegment::Cut)?;
            each(at + HEAD_BYTES, record)?;
            at = next;
        }
        if at == self.records.end { Ok(()) } else { Err(NotASegment::Cut.into()) }
    }
}

/// The record at a place and the place of the next.
fn record_at(bytes: &[u8], at: usize) -> Option<(Record, usize)> {
    let mut rest = bytes.get(at..)?;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at_checked(count)?;
        rest = left;
        Some(taken)
    };
    let id = Uuid::from_slice(take(16)?).ok()?;
    let ticket = Uuid::from_slice(take(16)?).ok()?;
    let mut numbers = [0_i64; 4];
    for number in &mut numbers {
        *number = i64::from_le_bytes(take(8)?.try_into().ok()?);
    }
    let [at_ms, generation, revision, link] = numbers;
    let hash = take(33)?;
    let (encoding, digest) = hash.split_first()?;
    let hash = format!("{encoding}:{}", hex(digest.try_into().ok()?));
    let dictionary = i64::from_le_bytes(take(8)?.try_into().ok()?);
    let length = usize::try_from(u64::from_le_bytes(take(8)?.try_into().ok()?)).ok()?;
    let packed = take(length)?.to_vec();
    let record = Record {
        id,
        ticket,
        at: at_ms,
        generation,
        revision: (revision >= 0).then_some(revision),
        place: At { link, hash },
        dictionary,
        packed,
    };
    Some((record, at + HEAD_BYTES + length))
}

/// A hash of the chain in 33 bytes: the number of its encoding, then the digest.
fn hash_bytes(hash: &str) -> Option<[u8; 33]> {
    let (encoding, digits) = hash.split_once(':')?;
    let mut bytes = [0; 33];
    let (first, rest) = bytes.split_first_mut()?;
    *first = encoding.parse().ok()?;
    if digits.len() != 64 {
        return None;
    }
    for (place, byte) in rest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(link: i64, packed: &[u8]) -> Record {
        let place = At { link, hash: format!("2:{}", digest(&link.to_le_bytes())) };
        let (id, ticket) = (Uuid::from_u128(7), Uuid::from_u128(9));
        let revision = (link % 2 == 0).then_some(link);
        Record { id, ticket, at: 5, generation: 1, revision, place, dictionary: 3, packed: packed.to_vec() }
    }

    fn made(records: &[Record]) -> Made {
        let mut making = Making::behind(At { link: 0, hash: "1:00".to_owned() });
        records.iter().for_each(|record| making.add(record, &Dictionary::shipped()).unwrap());
        making.made()
    }

    #[test]
    fn a_segment_is_read_back_as_it_was_written_and_each_place_is_where_the_texts_are() {
        let records = [record(1, b"one"), record(2, b""), record(3, b"three")];
        let made = made(&records);
        let read = Segment::read(&made.bytes).unwrap();
        assert_eq!((read.runs, read.first.link, read.last.link), (3, 1, 3));
        assert_eq!(read.dictionaries[&3].digest(), Dictionary::shipped().digest());
        let mut found = Vec::new();
        let walked: Result<(), NotASegment> = read.walk(&made.bytes, |place, record| {
            assert_eq!(&made.bytes[place..place + record.packed.len()], record.packed.as_slice());
            found.push(record);
            Ok(())
        });
        assert_eq!((walked, found.as_slice()), (Ok(()), records.as_slice()));
        assert_eq!(super::tests::made(&records).digest, made.digest, "the same records give the same bytes");
    }

    #[test]
    fn a_segment_that_was_cut_or_changed_is_refused_and_nothing_panics() {
        let made = made(&[record(1, b"one"), record(2, b"two")]);
        for end in 0..made.bytes.len() {
            let cut = &made.bytes[..end];
            let walked = Segment::read(cut).and_then(|read| read.walk(cut, |_, _| Ok(())));
            assert!(walked.is_err(), "cut at {end}");
        }
    }
}
