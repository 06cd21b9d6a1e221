//! A CSV file as a stream of tickets, gzipped or not. One bad row is that row's problem and no other's.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};

use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use crate::desk::id::{NotAnId, PersonId};

use super::lines::{PlainLines, first_line};
use super::mapping::{HeldBack, Mapping, Target};
use super::{LabelKind, Labels};

/// How to read a file.
#[derive(Debug, Clone)]
pub struct Plan {
    pub mapping: Mapping,
    /// Who submits the tickets whose row names nobody.
    pub requester: PersonId,
    /// Keep only a share of the rows.
    pub held_back: Option<HeldBack>,
    /// Keep only the first row of each text in this column, where a file has one row an update.
    pub first_by: Option<String>,
    /// A cell that stands for no value, such as `?`.
    pub missing: Option<String>,
    /// How times are written, as in strptime, such as `%d/%m/%Y %H:%M`; `None` is RFC 3339.
    pub time_format: Option<String>,
    /// The zone of times that do not name one.
    pub zone: TimeZone,
    /// Stop after this many tickets.
    pub limit: Option<u64>,
}

/// A ticket as the file has it; nothing is checked against a form yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTicket {
    /// The line on which its row starts, counted from 1.
    pub line: u64,
    pub subject: String,
    pub body: String,
    /// The filled-in fields by name.
    pub fields: Vec<(String, String)>,
    pub requester: PersonId,
    pub created_at: Option<Timestamp>,
    pub labels: Labels,
}

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    Ticket(Box<ImportedTicket>),
    Problem(RowProblem),
}

/// A row that is no ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {wrong}")]
pub struct RowProblem {
    /// Counted from 1.
    pub line: u64,
    pub wrong: RowWrong,
}

/// Why a row is no ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowWrong {
    #[error("the row has {found} cells, the first line has {wanted}")]
    Ragged { found: usize, wanted: usize },
    #[error("the cell of `{column}` is not UTF-8 text")]
    NotUtf8 { column: String },
    #[error("subject and body are both empty")]
    NoText,
    #[error("`{text}` is not a time of the form {format}")]
    BadTime { text: String, format: String },
    #[error("the requester {0}")]
    Requester(#[from] NotAnId),
}

impl RowWrong {
    /// A few words that are the same for every such row, to count by.
    pub fn reason(&self) -> &'static str {
        match self {
            RowWrong::Ragged { .. } => "wrong number of cells",
            RowWrong::NotUtf8 { .. } => "not UTF-8",
            RowWrong::NoText => "neither subject nor body",
            RowWrong::BadTime { .. } => "bad time",
            RowWrong::Requester(_) => "bad requester",
        }
    }
}

/// Why a file cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the file is empty: its first line has to name the columns")]
    Empty,
    #[error("the first line, which names the columns, is not UTF-8 text")]
    HeaderNotUtf8,
    #[error("there is no column `{column}`; there are {}", columns.join(", "))]
    NoColumn { column: String, columns: Vec<String> },
    #[error("the column `{column}` is there twice; rename one")]
    ColumnTwice { column: String },
    #[error("reading stopped near line {line}: {source}")]
    Broken { line: u64, source: csv::Error },
    #[error("the file cannot be read: {source}")]
    Unreadable { source: std::io::Error },
}

/// Rows that were left out on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Not the first of their key.
    pub repeated: u64,
    /// Not in the share that was asked for.
    pub not_held_back: u64,
}

/// A CSV file as a stream of tickets.
pub struct Tickets<'r> {
    reader: csv::Reader<Box<dyn Read + Send + 'r>>,
    columns: Columns,
    plan: Plan,
    seen: HashSet<Vec<u8>>,
    skipped: Skipped,
    given: u64,
}

/// Where the columns are.
struct Columns {
    count: usize,
    targets: Vec<(Target, String, usize)>,
    held_back: Option<usize>,
    first_by: Option<usize>,
}

impl<'r> Tickets<'r> {
    /// Starts reading: unpacks if the first bytes are gzip's, and finds the columns that the plan names.
    ///
    /// # Errors
    ///
    /// The file has no first line, or lacks a column.
    pub fn open(file: impl Read + Send + 'r, plan: Plan) -> Result<Tickets<'r>, ReadError> {
        let mut file = BufReader::with_capacity(1 << 16, file);
        let start = file.fill_buf().map_err(|source| ReadError::Unreadable { source })?;
        let text: Box<dyn Read + Send + 'r> = if start.starts_with(&[0x1f, 0x8b]) {
            Box::new(PlainLines::new(BufReader::new(MultiGzDecoder::new(file))))
        } else {
            Box::new(PlainLines::new(file))
        };
        // Flexible, so that a row with too few cells is that row's problem; the reader drops a byte order mark.
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let header = reader.byte_headers().map_err(|source| ReadError::Broken { line: 1, source })?;
        let columns = Columns::find(header, &plan)?;
        let (seen, skipped) = (HashSet::new(), Skipped::default());
        Ok(Tickets { reader, columns, plan, seen, skipped, given: 0 })
    }

    /// The next row that was not left out; `None` at the end or the limit.
    ///
    /// # Errors
    ///
    /// The file itself ends in the middle or cannot be read; there is nothing after that.
    pub fn next_row(&mut self) -> Result<Option<Row>, ReadError> {
        let mut record = ByteRecord::new();
        while self.plan.limit.is_none_or(|limit| self.given < limit) {
            let more = self.reader.read_byte_record(&mut record);
            let read_to = self.reader.position().line();
            if !more.map_err(|source| ReadError::Broken { line: read_to, source })? {
                return Ok(None);
            }
            let line = first_line(&self.reader, &record);
            if record.len() != self.columns.count {
                let wrong = RowWrong::Ragged { found: record.len(), wanted: self.columns.count };
                return Ok(Some(Row::Problem(RowProblem { line, wrong })));
            }
            if self.leave_out(&record) {
                continue;
            }
            return Ok(Some(match self.ticket(&record, line) {
                Ok(ticket) => {
                    self.given += 1;
                    Row::Ticket(Box::new(ticket))
                }
                Err(wrong) => Row::Problem(RowProblem { line, wrong }),
            }));
        }
        Ok(None)
    }

    /// The rows that were left out so far.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn leave_out(&mut self, record: &ByteRecord) -> bool {
        if let Some(key) = self.columns.first_by.and_then(|at| record.get(at))
            && !self.seen.insert(key.to_owned())
        {
            self.skipped.repeated += 1;
            return true;
        }
        let text = self.columns.held_back.and_then(|at| record.get(at));
        if let (Some(held_back), Some(text)) = (&self.plan.held_back, text) {
            let first = Sha256::digest(text).first().copied().unwrap_or_default();
            if u16::from(first) >= held_back.below {
                self.skipped.not_held_back += 1;
                return true;
            }
        }
        false
    }

    fn ticket(&self, record: &ByteRecord, line: u64) -> Result<ImportedTicket, RowWrong> {
        let mut ticket = ImportedTicket {
            line,
            subject: String::new(),
            body: String::new(),
            fields: Vec::new(),
            requester: self.plan.requester.clone(),
            created_at: None,
            labels: Labels::default(),
        };
        for (target, column, at) in &self.columns.targets {
            let cell = std::str::from_utf8(record.get(*at).unwrap_or_default());
            let text = cell.map_err(|_| RowWrong::NotUtf8 { column: column.clone() })?;
            if !text.trim().is_empty() && self.plan.missing.as_deref() != Some(text) {
                self.fill(&mut ticket, target, self.plan.mapping.value(target, text))?;
            }
        }
        if ticket.subject.is_empty() && ticket.body.is_empty() {
            return Err(RowWrong::NoText);
        }
        Ok(ticket)
    }

    fn fill(&self, ticket: &mut ImportedTicket, target: &Target, text: String) -> Result<(), RowWrong> {
        match target {
            Target::Subject => ticket.subject = text,
            Target::Body => ticket.body = text,
            Target::Requester => ticket.requester = text.parse()?,
            Target::CreatedAt => ticket.created_at = Some(self.time(text)?),
            Target::Field(name) => ticket.fields.push((name.clone(), text)),
            Target::Label(LabelKind::Category) => ticket.labels.category = Some(text),
            Target::Label(LabelKind::Priority) => ticket.labels.priority = Some(text),
            Target::Label(LabelKind::Team) => ticket.labels.team = Some(text),
        }
        Ok(())
    }

    fn time(&self, text: String) -> Result<Timestamp, RowWrong> {
        let found = match &self.plan.time_format {
            None => text.parse().ok(),
            Some(format) => time_of(format, &text, &self.plan.zone),
        };
        let format = || self.plan.time_format.clone().unwrap_or_else(|| "2026-01-31T09:30:00Z".to_owned());
        found.ok_or_else(|| RowWrong::BadTime { format: format(), text })
    }
}

/// A time that names its zone, else one of the given zone.
fn time_of(format: &str, text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(time) = Timestamp::strptime(format, text) {
        return Some(time);
    }
    let local = DateTime::strptime(format, text).ok()?;
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

impl Columns {
    fn find(header: &ByteRecord, plan: &Plan) -> Result<Columns, ReadError> {
        let names: Option<Vec<String>> =
            header.iter().map(|name| Some(std::str::from_utf8(name).ok()?.trim().to_owned())).collect();
        let names = names.ok_or(ReadError::HeaderNotUtf8)?;
        if names.is_empty() {
            return Err(ReadError::Empty);
        }
        let find = |column: &str| {
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == column);
            match (places.next(), places.next()) {
                (Some((at, _)), None) => Ok(at),
                (Some(_), Some(_)) => Err(ReadError::ColumnTwice { column: column.to_owned() }),
                (None, _) => Err(ReadError::NoColumn { column: column.to_owned(), columns: names.clone() }),
            }
        };
        let mapping = &plan.mapping;
        let text = mapping.column(&Target::Body).or(mapping.column(&Target::Subject));
        let hashed = plan.held_back.as_ref().and_then(|held| held.column.as_deref().or(text));
        let targets = mapping.columns().map(|(target, name)| Ok((target.clone(), name.to_owned(), find(name)?)));
        Ok(Columns {
            count: names.len(),
            targets: targets.collect::<Result<_, ReadError>>()?,
            held_back: hashed.map(find).transpose()?,
            first_by: plan.first_by.as_deref().map(find).transpose()?,
        })
    }
}
