//! Records one by one. What is wrong with one is its own matter: reading goes on at the next line.

use std::io::{Error, Read, Result};

use csv::ByteRecord;
use csv_core::ReadRecordResult;

use super::extent::{Extent, MARK, RECORD_BYTES_MAX, Scan};
use super::separator::Separator;

/// How much is read at once, in bytes.
const PIECE_BYTES: usize = 1 << 16;
/// How many bytes of a file may be looked at again because of quotes that are never closed. After that, each further quote has to
/// close on its own line: otherwise a file of such lines would take time by the square of its length.
const AGAIN_BYTES_MAX: usize = 64 << 20;

/// One record of a file.
#[derive(Debug, Clone)]
pub struct Record {
    /// The line on which it starts, counted from 1.
    pub line: u64,
    /// How many lines it takes.
    pub lines: u64,
    pub cells: ByteRecord,
}

/// A line from which no record can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("a quote that opens on line {line} is never closed")]
    NeverClosed { line: u64 },
    #[error("the row has more than {} MiB", RECORD_BYTES_MAX >> 20)]
    TooLong,
}

/// The records of a file.
pub struct Records<R> {
    text: R,
    separator: u8,
    /// The part of the text that is in memory; the next record begins at `at`, which is on `line`.
    part: Vec<u8>,
    at: usize,
    line: u64,
    ended: bool,
    /// The error behind the part that was read.
    broken: Option<Error>,
    /// Where the record that was given last begins.
    given: (usize, u64),
    /// The bytes that were looked at in vain, because a quote was never closed.
    again: usize,
    parser: csv_core::Reader,
}

impl<R: Read> Records<R> {
    /// Before the first record: which separator it is follows from a first line `sep=;`, else from the first record.
    ///
    /// # Errors
    ///
    /// The text cannot be read.
    pub fn begin(text: R, separator: Option<Separator>, wanted: &[&str]) -> Result<Self> {
        let [comma, ..] = Separator::USUAL;
        let mut records = Records {
            text,
            separator: separator.unwrap_or(comma).byte(),
            part: Vec::new(),
            at: 0,
            line: 1,
            ended: false,
            broken: None,
            given: (0, 1),
            again: 0,
            parser: csv_core::Reader::new(),
        };
        let mut first = records.first_line()?;
        // What stands above the headings and says nothing is no record, and tells no separator.
        while first.len() > 1 && first.iter().all(|byte| matches!(byte, b' ' | b'\n')) {
            records.skip(first.len());
            first = records.first_line()?;
        }
        let named = Separator::named_by(&first);
        if named.is_some() {
            records.skip(first.len());
        }
        match separator.or(named) {
            Some(separator) => records.separate_by(separator),
            // It is said to be too long when it is read; to try separators on it would lose it.
            None if first.len() > RECORD_BYTES_MAX => {}
            None => records.choose(wanted)?,
        }
        Ok(records)
    }

    /// The next record, with its line if it cannot be one; `None` at the end. Empty lines are none.
    ///
    /// # Errors
    ///
    /// The text cannot be read.
    pub fn next_record(&mut self) -> Result<Option<std::result::Result<Record, (u64, Wrong)>>> {
        loop {
            self.let_go();
            let (from, line) = (self.at, self.line);
            self.given = (from, line);
            let mut scan = Scan::new(self.separator).on_one_line(self.again > AGAIN_BYTES_MAX);
            let extent = loop {
                if let Some(extent) = scan.go_on(self.part.get(from..).unwrap_or_default()) {
                    break extent;
                }
                if !self.read_more()? {
                    break scan.ended();
                }
            };
            match extent {
                Extent::Record { bytes: 0, .. } => return Ok(None),
                Extent::Record { bytes, lines } => {
                    let cells = self.parse(from, bytes);
                    (self.at, self.line) = (from + bytes, line + lines);
                    if bytes > 1 {
                        return Ok(Some(Ok(Record { line, lines, cells })));
                    }
                }
                Extent::NeverClosed { below } => {
                    self.at = from + scan.seen();
                    self.back_to_second_line();
                    return Ok(Some(Err((line, Wrong::NeverClosed { line: line + below }))));
                }
                Extent::TooLong => {
                    self.drop_line()?;
                    return Ok(Some(Err((line, Wrong::TooLong))));
                }
            }
        }
    }

    /// Goes back to the second line of the record that was given last: the record was none.
    pub fn back_to_second_line(&mut self) {
        let (at, line) = self.given;
        self.again = self.again.saturating_add(self.at.saturating_sub(at));
        let rest = self.part.get(at..).unwrap_or_default();
        let first = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        (self.at, self.line) = (at + first, line + 1);
    }

    /// Drops the records that were given, once they are most of the buffer, so that the rest is not moved for each record.
    fn let_go(&mut self) {
        if self.at >= self.part.len() / 2 {
            self.part.drain(..self.at.min(self.part.len()));
            self.at = 0;
        }
    }

    /// Reads a further piece; false at the end.
    fn read_more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if let Some(broken) = self.broken.take() {
            return Err(broken);
        }
        let before = self.part.len();
        let read = self.text.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut self.part);
        // The records above the place where a file breaks are records.
        self.broken = read.err();
        self.ended = self.broken.is_none() && self.part.len() == before;
        Ok(!self.ended)
    }

    /// The first line with its end, as far as it is within the bound of a record.
    fn first_line(&mut self) -> Result<Vec<u8>> {
        loop {
            let end = self.part.iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                return Ok(self.part.get(..=end).unwrap_or_default().to_vec());
            }
            if self.part.len() > RECORD_BYTES_MAX || !self.read_more()? {
                return Ok(self.part.clone());
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.part.drain(..bytes.min(self.part.len()));
        self.line += 1;
    }

    /// Leaves out the rest of a line that is too long for memory.
    fn drop_line(&mut self) -> Result<()> {
        let mut from = self.given.0;
        loop {
            let rest = self.part.get(from..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                (self.at, self.line) = (from + end + 1, self.line + 1);
                return Ok(());
            }
            self.part.clear();
            (self.at, from) = (0, 0);
            if !self.read_more()? {
                return Ok(());
            }
        }
    }

    fn separate_by(&mut self, separator: Separator) {
        self.separator = separator.byte();
        self.parser = csv_core::ReaderBuilder::new().delimiter(separator.byte()).build();
    }

    /// Chooses the separator under which the first record names most of the wanted columns, and then has most cells.
    fn choose(&mut self, wanted: &[&str]) -> Result<()> {
        let mut best = None;
        for separator in Separator::USUAL {
            self.separate_by(separator);
            let cells = match self.next_record()? {
                Some(Ok(record)) => record.cells,
                Some(Err(_)) | None => ByteRecord::new(),
            };
            (self.at, self.line) = self.given;
            let names = |column: &str| cells.iter().any(|cell| is_named(cell, column));
            let worth = (wanted.iter().filter(|column| names(column)).count(), cells.len());
            if best.is_none_or(|(most, _)| worth > most) {
                best = Some((worth, separator));
            }
        }
        if let Some((_, separator)) = best {
            self.separate_by(separator);
        }
        Ok(())
    }

    /// The cells of the record that the next bytes are.
    fn parse(&mut self, from: usize, bytes: usize) -> ByteRecord {
        let text = self.part.get(from..from + bytes).unwrap_or_default();
        let text = text.strip_prefix(&MARK).unwrap_or(text);
        let mut cells = vec![0; text.len()];
        let mut ends = vec![0; text.iter().filter(|byte| **byte == self.separator).count() + 2];
        self.parser.reset();
        let (result, _, _, count) = self.parser.read_record(text, &mut cells, &mut ends);
        // The whole record is there, and neither cells nor ends can be more than these.
        debug_assert!(matches!(result, ReadRecordResult::Record | ReadRecordResult::InputEmpty), "{result:?}");
        let mut record = ByteRecord::with_capacity(bytes, count);
        let mut start = 0;
        for &end in ends.iter().take(count) {
            record.push_field(cells.get(start..end).unwrap_or_default());
            start = end;
        }
        record
    }
}

/// Whether a heading is that column's, without regard to case and to blanks of any kind.
fn is_named(cell: &[u8], column: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    std::str::from_utf8(cell).is_ok_and(|cell| words(cell) == words(column))
}
