//! Where a record ends: quoted cells may hold line ends (RFC 4180, section 2).

/// The longest record, in bytes: several times what the longest ticket takes.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

/// A byte order mark in UTF-8.
pub const MARK: [u8; 3] = *b"\xef\xbb\xbf";

/// How far a record reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It ends after so many bytes and so many line ends, the last of them included.
    Record { bytes: usize, lines: u64 },
    /// A quote that opens so many lines below the record's first is never closed, as far as can be seen.
    NeverClosed { below: u64 },
    /// It is longer than [`RECORD_BYTES_MAX`].
    TooLong,
}

/// Looks for the end of one record, as far as its text is there.
#[derive(Debug, Clone, Copy)]
pub struct Scan {
    separator: u8,
    /// Whether a quote has to close on the line on which it opens.
    on_one_line: bool,
    seen: usize,
    lines: u64,
    within: Within,
    /// On which line the quote opened, counted from 0.
    opened: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Nothing of the cell has been seen.
    Start,
    Plain,
    Quotes,
    /// A quote within quotes: it closes them, or the next byte makes it a letter.
    MaybeClosed,
}

impl Scan {
    /// Before the first byte of a record.
    pub fn new(separator: u8) -> Scan {
        Scan { separator, on_one_line: false, seen: 0, lines: 0, within: Within::Start, opened: 0 }
    }

    /// The same, where a quote may have to close on the line on which it opens.
    pub fn on_one_line(self, on_one_line: bool) -> Scan {
        Scan { on_one_line, ..self }
    }

    /// How many bytes were looked at.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// Goes on in the record's text, whose first bytes were seen before. `None` where its end is not in the text.
    pub fn go_on(&mut self, text: &[u8]) -> Option<Extent> {
        for &byte in text.iter().skip(self.seen) {
            self.seen += 1;
            let found = match self.within {
                Within::Quotes => self.in_quotes(byte),
                _ => self.outside(byte),
            };
            if found.is_some() {
                return found;
            }
            if self.seen > RECORD_BYTES_MAX {
                // Only its length tells a text on many lines from a quote that was forgotten.
                return Some(self.too_long());
            }
        }
        None
    }

    /// The extent of a record whose text has ended.
    pub fn ended(&self) -> Extent {
        match self.within {
            Within::Quotes => Extent::NeverClosed { below: self.opened },
            _ => Extent::Record { bytes: self.seen, lines: self.lines },
        }
    }

    fn too_long(&self) -> Extent {
        if self.lines > 0 { Extent::NeverClosed { below: self.opened } } else { Extent::TooLong }
    }

    fn in_quotes(&mut self, byte: u8) -> Option<Extent> {
        match byte {
            b'"' => self.within = Within::MaybeClosed,
            b'\n' if self.on_one_line => return Some(Extent::NeverClosed { below: self.opened }),
            b'\n' => self.lines += 1,
            _ => {}
        }
        None
    }

    fn outside(&mut self, byte: u8) -> Option<Extent> {
        match (self.within, byte) {
            (_, b'\n') => {
                self.lines += 1;
                return Some(Extent::Record { bytes: self.seen, lines: self.lines });
            }
            (Within::MaybeClosed, b'"') => self.within = Within::Quotes,
            (Within::Start, b'"') => {
                self.within = Within::Quotes;
                self.opened = self.lines;
            }
            // A byte order mark in front of a record, as where files were put behind each other, is no part of its first cell.
            (Within::Start, byte) if self.seen <= MARK.len() && MARK.get(self.seen - 1) == Some(&byte) => {}
            (_, byte) if byte == self.separator => self.within = Within::Start,
            // Text right behind a closing quote: on one line that is a careless writer. Lines below the opening one, it is
            // the quote that opens another cell, and the first was never closed.
            (Within::MaybeClosed, _) if self.lines > self.opened => {
                return Some(Extent::NeverClosed { below: self.opened });
            }
            _ => self.within = Within::Plain,
        }
        None
    }
}
