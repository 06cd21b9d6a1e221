//! A file of rows as a stream of tickets. One bad row is that row's problem and no other's.

use std::collections::{BTreeSet, HashSet};
use std::io::Read;

use csv::ByteRecord;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use crate::desk::id::PersonId;

use super::json::JsonRows;
use super::mapping::{HeldBack, Mapping, Target, slug};
use super::past;
use super::people::People;
use super::thread;
use super::wrong::{ReadError, RowProblem, RowWrong};
use super::{LabelKind, Labels, Past};
use crate::desk::text::{is_blank, is_invisible, normal};
use crate::desk::ticket::State;
use crate::rows::{self, FileRecords, Record, Written};

/// How to read a file.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How the file is written, as far as that is known.
    pub written: Written,
    pub mapping: Mapping,
    /// By what names the rows may call people.
    pub people: People,
    /// The column that tells the rows of a source apart, also where all other cells change.
    pub key: Option<String>,
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
    /// The row's key in its source, where the plan names its column.
    pub key: Option<String>,
    /// That key as earlier versions read it, where they made several of what looks the same: a row may have been imported under it.
    pub earlier_key: Option<String>,
    pub subject: String,
    pub body: String,
    /// The filled-in fields by name.
    pub fields: Vec<(String, String)>,
    pub requester: PersonId,
    pub past: Past,
    pub labels: Labels,
}

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    Ticket(Box<ImportedTicket>),
    Problem(RowProblem),
}

/// Rows that were left out on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Not the first of their key.
    pub repeated: u64,
    /// Not in the share that was asked for.
    pub not_held_back: u64,
}

/// A file as a stream of tickets.
pub struct Tickets<'r> {
    records: Source<'r>,
    columns: Columns,
    plan: Plan,
    seen: HashSet<Vec<u8>>,
    skipped: Skipped,
    given: u64,
    line: u64,
    /// The values of the mapping that a row had.
    met: BTreeSet<(Target, String)>,
}

/// The records of a file in either form.
enum Source<'r> {
    Rows(Box<FileRecords<'r>>),
    Objects(JsonRows),
}

impl Source<'_> {
    fn next_record(&mut self) -> std::io::Result<Option<Result<Record, (u64, RowWrong)>>> {
        match self {
            Source::Rows(records) => {
                let read = records.next_record()?;
                Ok(read.map(|record| record.map_err(|(line, wrong)| (line, wrong.into()))))
            }
            Source::Objects(objects) => Ok(objects.next_record()),
        }
    }

    /// Goes back to the second line of the record that was given last, where records have lines.
    fn back_to_second_line(&mut self) {
        if let Source::Rows(records) = self {
            records.back_to_second_line();
        }
    }
}

/// Where the columns are.
struct Columns {
    count: usize,
    /// The first line, which another file of the same export has as well.
    headings: ByteRecord,
    targets: Vec<(Target, String, usize)>,
    held_back: Option<usize>,
    first_by: Option<usize>,
    key: Option<usize>,
}

impl<'r> Tickets<'r> {
    /// Starts reading, and finds the columns that the plan names.
    ///
    /// # Errors
    ///
    /// The file has no first line, or lacks a column.
    pub fn open(file: impl Read + Send + 'r, plan: Plan) -> Result<Tickets<'r>, ReadError> {
        let wanted: Vec<&str> = plan.wanted();
        let unreadable = |source| ReadError::Unreadable { source };
        let records = rows::open(file, plan.written, &wanted).map_err(unreadable)?;
        Self::begin(Source::Rows(Box::new(records)), plan)
    }

    /// The same for a text in JSON: an object a line, or a list of objects.
    ///
    /// # Errors
    ///
    /// There is no object, or a column is in none of them.
    pub fn of_json(text: &str, plan: Plan) -> Result<Tickets<'r>, ReadError> {
        let objects = JsonRows::open(text, &plan.wanted())?;
        Self::begin(Source::Objects(objects), plan)
    }

    fn begin(mut records: Source<'r>, plan: Plan) -> Result<Tickets<'r>, ReadError> {
        let header = loop {
            match records.next_record().map_err(|source| ReadError::Broken { line: 1, source })? {
                None => return Err(ReadError::Empty),
                Some(Err((_, wrong))) => return Err(ReadError::BrokenHeader(wrong)),
                // A line of blanks above the headings names nothing.
                Some(Ok(above)) if above.cells.iter().all(|cell| cell.trim_ascii().is_empty()) => {}
                Some(Ok(header)) => break header,
            }
        };
        let columns = Columns::find(&header.cells, &plan)?;
        let line = header.line;
        let (seen, skipped, met) = (HashSet::new(), Skipped::default(), BTreeSet::new());
        Ok(Tickets { records, columns, plan, seen, skipped, given: 0, line, met })
    }

    /// The next row that was not left out; `None` at the end or the limit.
    ///
    /// # Errors
    ///
    /// The file itself ends in the middle or cannot be read; there is nothing after that.
    pub fn next_row(&mut self) -> Result<Option<Row>, ReadError> {
        while self.plan.limit.is_none_or(|limit| self.given < limit) {
            let read =
                self.records.next_record().map_err(|source| ReadError::Broken { line: self.line + 1, source })?;
            let record = match read {
                None => return Ok(None),
                Some(Err((line, wrong))) => return Ok(Some(self.problem(line, wrong))),
                Some(Ok(record)) => record,
            };
            let (found, wanted, lines) = (record.cells.len(), self.columns.count, record.lines);
            if found != wanted {
                let wrong = if lines > 1 {
                    // The rows below are read by themselves: a forgotten quote may have taken them in.
                    self.records.back_to_second_line();
                    RowWrong::RaggedLines { found, wanted, lines }
                } else {
                    RowWrong::Ragged { found, wanted }
                };
                return Ok(Some(self.problem(record.line, wrong)));
            }
            if wanted > 1 && record.cells == self.columns.headings {
                return Ok(Some(self.problem(record.line, RowWrong::Headings)));
            }
            self.line = record.line;
            if self.leave_out(&record.cells) {
                continue;
            }
            return Ok(Some(match self.ticket(&record.cells, record.line) {
                Ok(ticket) => {
                    self.given += 1;
                    Row::Ticket(Box::new(ticket))
                }
                Err(wrong) => self.problem(record.line, wrong),
            }));
        }
        Ok(None)
    }

    fn problem(&mut self, line: u64, wrong: RowWrong) -> Row {
        self.line = line;
        Row::Problem(RowProblem { line, wrong })
    }

    /// The values of the mapping that no row has had so far.
    pub fn unmet_values(&self) -> Vec<String> {
        let unmet = self
            .plan
            .mapping
            .values()
            .filter(|(target, from)| !self.met.contains(&((*target).clone(), (*from).to_owned())));
        unmet.map(|(target, from)| format!("{target}:{from}")).collect()
    }

    /// The rows that were left out so far.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn leave_out(&mut self, record: &ByteRecord) -> bool {
        if let Some(key) = self.columns.first_by.and_then(|at| record.get(at))
            // Of rows that say nothing there, none is an update of another.
            && !key.trim_ascii().is_empty()
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

    fn ticket(&mut self, record: &ByteRecord, line: u64) -> Result<ImportedTicket, RowWrong> {
        let (key, earlier_key) = self.key(record)?.unzip();
        let mut ticket = ImportedTicket {
            line,
            key,
            earlier_key: earlier_key.flatten(),
            subject: String::new(),
            body: String::new(),
            fields: Vec::new(),
            requester: self.plan.requester.clone(),
            past: Past::default(),
            labels: Labels::default(),
        };
        for (target, column, at) in &self.columns.targets {
            let text = text_of(record, *at, column)?;
            if is_blank(text) || self.plan.missing.as_deref().is_some_and(|none| none.trim() == text.trim()) {
                continue;
            }
            let value = self.plan.mapping.value(target, text);
            self.met.extend(value.from.map(|from| (target.clone(), from)));
            self.plan.fill(&mut ticket, target, value.text)?;
        }
        if ticket.subject.is_empty() && ticket.body.is_empty() {
            return Err(RowWrong::NoText);
        }
        ticket.past.comments = thread::in_order(ticket.past.comments, &ticket.body)?;
        match ticket.past.backwards() {
            Some((earlier, later)) => Err(RowWrong::Backwards { earlier, later }),
            None => Ok(ticket),
        }
    }

    /// The key of a row, and the one that earlier versions read there, where that is another.
    fn key(&self, record: &ByteRecord) -> Result<Option<(String, Option<String>)>, RowWrong> {
        let (Some(at), Some(column)) = (self.columns.key, &self.plan.key) else { return Ok(None) };
        let text = text_of(record, at, column)?;
        let key = as_drawn(text);
        if key.is_empty() {
            return Err(RowWrong::NoKey { column: column.clone() });
        }
        let earlier = Some(text.trim()).filter(|earlier| *earlier != key).map(str::to_owned);
        Ok(Some((key, earlier)))
    }
}

fn text_of<'c>(record: &'c ByteRecord, at: usize, column: &str) -> Result<&'c str, RowWrong> {
    let cell = std::str::from_utf8(record.get(at).unwrap_or_default());
    cell.map_err(|_| RowWrong::NotUtf8 { column: column.to_owned() })
}

impl Plan {
    /// The columns that are named anywhere.
    fn wanted(&self) -> Vec<&str> {
        let of_targets = self.mapping.columns().map(|(_, column)| column);
        let held_back = self.held_back.as_ref().and_then(|held| held.column.as_deref());
        of_targets.chain(held_back).chain(self.first_by.as_deref()).chain(self.key.as_deref()).collect()
    }

    fn fill(&self, ticket: &mut ImportedTicket, target: &Target, text: String) -> Result<(), RowWrong> {
        match target {
            Target::Subject => ticket.subject = text,
            Target::Body => ticket.body = text,
            Target::Requester => ticket.requester = self.people.person(&text).map_err(RowWrong::Requester)?,
            Target::Assignee => ticket.past.assignee = Some(self.people.person(&text).map_err(RowWrong::Assignee)?),
            Target::CreatedAt => ticket.past.created_at = Some(self.time(text)?),
            Target::ResolvedAt => ticket.past.resolved_at = Some(self.time(text)?),
            Target::ClosedAt => ticket.past.closed_at = Some(self.time(text)?),
            Target::State => {
                let word = slug(&text).replace('-', "_");
                let state = State::from_code(&word).ok_or(RowWrong::BadState { text })?;
                ticket.past.state = Some(state);
            }
            Target::Comments => ticket.past.comments.extend(thread::read(&text, false, self)?),
            Target::PublicComments => ticket.past.comments.extend(thread::read(&text, true, self)?),
            Target::Field(name) => ticket.fields.push((name.clone(), text)),
            Target::Label(LabelKind::Category) => ticket.labels.category = Some(text),
            Target::Label(LabelKind::Priority) => ticket.labels.priority = Some(text),
            Target::Label(LabelKind::Team) => ticket.labels.team = Some(text),
        }
        Ok(())
    }

    fn time(&self, text: String) -> Result<Timestamp, RowWrong> {
        let format = || self.time_format.clone().unwrap_or_else(|| "2026-01-31T09:30:00Z".to_owned());
        self.instant(&text).ok_or_else(|| RowWrong::BadTime { format: format(), text })
    }

    /// The instant that a text names in the plan's format.
    pub(super) fn instant(&self, text: &str) -> Option<Timestamp> {
        past::instant(self.time_format.as_deref(), text, &self.zone)
    }
}

/// A heading or a key as it is compared: what is not drawn says nothing, and what looks the same is the same, as blanks of any kind do.
fn as_drawn(text: &str) -> String {
    let drawn: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = drawn.split_whitespace().collect();
    normal(&words.join(" ")).into_owned()
}

impl Columns {
    fn find(header: &ByteRecord, plan: &Plan) -> Result<Columns, ReadError> {
        let names: Option<Vec<String>> =
            header.iter().map(|name| Some(as_drawn(std::str::from_utf8(name).ok()?))).collect();
        let names = names.ok_or(ReadError::HeaderNotUtf8)?;
        if names.is_empty() {
            return Err(ReadError::Empty);
        }
        let places = |alike: &dyn Fn(&str) -> bool| {
            let mut places = names.iter().enumerate().filter(|(_, name)| alike(name));
            (places.next(), places.next())
        };
        // As it is written, else without regard to case.
        let find = |column: &str| {
            let wanted = as_drawn(column);
            let exact = places(&|name| name == wanted);
            let lower = wanted.to_lowercase();
            let found = if exact.0.is_some() { exact } else { places(&|name| name.to_lowercase() == lower) };
            match found {
                (Some((at, _)), None) => Ok(at),
                (Some(_), Some(_)) => Err(ReadError::ColumnTwice { column: column.to_owned() }),
                (None, _) => Err(ReadError::NoColumn { column: column.to_owned(), columns: names.clone() }),
            }
        };
        let mapping = &plan.mapping;
        let text = mapping.column(&Target::Body).or(mapping.column(&Target::Subject));
        let hashed = plan.held_back.as_ref().and_then(|held| held.column.as_deref().or(text));
        let mut targets = Vec::new();
        for (target, name) in mapping.columns() {
            // An export may have a column of the same name for each comment.
            let alike =
                names.iter().enumerate().filter(|(_, other)| other.to_lowercase() == as_drawn(name).to_lowercase());
            let several: Vec<usize> = alike.filter(|_| target.is_thread()).map(|(place, _)| place).collect();
            let places = match find(name) {
                Err(ReadError::ColumnTwice { .. }) if !several.is_empty() => several,
                Err(ReadError::NoColumn { .. }) if mapping.is_optional(target) => continue,
                found => vec![found?],
            };
            targets.extend(places.into_iter().map(|place| (target.clone(), name.to_owned(), place)));
        }
        Ok(Columns {
            count: names.len(),
            headings: header.clone(),
            targets,
            held_back: hashed.map(find).transpose()?,
            first_by: plan.first_by.as_deref().map(find).transpose()?,
            key: plan.key.as_deref().map(find).transpose()?,
        })
    }
}
