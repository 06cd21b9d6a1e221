//! Mistakes of a file, and of one of its rows.

use jiff::Timestamp;

use super::thread::ThreadWrong;
use crate::desk::id::NotAnId;
use crate::desk::text::beginning;
use crate::desk::ticket::State;
use crate::rows;

/// The most columns that are named where one is missing.
const NAMED_MAX: usize = 40;
/// The longest heading that is named whole, in characters.
const NAMED_CHARS_MAX: usize = 60;

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
    #[error(transparent)]
    NoRow(#[from] rows::Wrong),
    #[error("it is no JSON object{}", why.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    NoObject { why: Option<String> },
    #[error("it has the headings again, as where files were put behind each other: it is no ticket")]
    Headings,
    #[error("the number in `{column}` has more digits than are kept exactly: write it as text, in quotes")]
    Inexact { column: String },
    #[error("the field `{field}` is there twice in one object: readers differ in which of the two counts, leave one")]
    FieldTwice { field: String },
    #[error("the row has {found} cells, the first line has {wanted}")]
    Ragged { found: usize, wanted: usize },
    #[error("the row has {found} cells on {lines} lines, the first line has {wanted}: a quote that was not closed?")]
    RaggedLines { found: usize, wanted: usize, lines: u64 },
    #[error("the cell of `{column}`, which tells the rows apart, is empty")]
    NoKey { column: String },
    #[error("its key is that of line {above}, and it says something else: does another column tell the rows apart?")]
    KeyTwice { above: u64 },
    #[error("the cell of `{column}` is not UTF-8 text: where the file has another encoding, name it")]
    NotUtf8 { column: String },
    #[error("subject and body are both empty")]
    NoText,
    #[error("`{text}` is not a time of the form {format}; name the form that it has by `--time-format`")]
    BadTime { text: String, format: String },
    #[error("it does not say when its ticket was created, which history has to")]
    NoTime,
    #[error("the requester {0}")]
    Requester(NotAnId),
    #[error("the assignee {0}")]
    Assignee(NotAnId),
    #[error("`{text}` is no state: map it to one of {}", State::ALL.map(State::code).join(", "))]
    BadState { text: String },
    #[error(transparent)]
    Thread(#[from] ThreadWrong),
    #[error("it ends before it begins: {earlier} is before {later}")]
    Backwards { earlier: Timestamp, later: Timestamp },
}

impl RowWrong {
    /// A few words that are the same for every such row, to count by.
    pub fn reason(&self) -> &'static str {
        match self {
            RowWrong::NoRow(rows::Wrong::NeverClosed { .. }) => "a quote that is never closed",
            RowWrong::NoRow(rows::Wrong::TooLong) => "too long",
            RowWrong::Ragged { .. } | RowWrong::RaggedLines { .. } => "wrong number of cells",
            RowWrong::NoObject { .. } => "no object",
            RowWrong::Headings => "headings again",
            RowWrong::Inexact { .. } => "a number that is not exact",
            RowWrong::FieldTwice { .. } => "a field twice",
            RowWrong::NoKey { .. } => "no key",
            RowWrong::KeyTwice { .. } => "a key twice",
            RowWrong::NotUtf8 { .. } => "not UTF-8",
            RowWrong::NoText => "neither subject nor body",
            RowWrong::BadTime { .. } => "bad time",
            RowWrong::NoTime => "no time",
            RowWrong::Requester(_) => "bad requester",
            RowWrong::Assignee(_) => "bad assignee",
            RowWrong::BadState { .. } => "unknown state",
            RowWrong::Thread(_) => "bad comments",
            RowWrong::Backwards { .. } => "ends before it begins",
        }
    }
}

/// Why a file cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the file is empty: its first line has to name the columns")]
    Empty,
    #[error(
        "the file has no JSON objects: neither one a line, nor a list, nor a list in a field such as `tickets` or `issues`{}",
        why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
    )]
    NoObjects { why: Option<String> },
    #[error("the field `{field}` of the document is there twice: leave the one with the tickets")]
    FieldTwice { field: String },
    #[error("the first line, which names the columns, is not UTF-8 text")]
    HeaderNotUtf8,
    #[error("there is no column `{column}`; there {}", those_there(columns))]
    NoColumn { column: String, columns: Vec<String> },
    #[error("the column `{column}` is there twice; rename one")]
    ColumnTwice { column: String },
    #[error("the first line, which names the columns, cannot be read: {0}")]
    BrokenHeader(RowWrong),
    #[error("reading stopped near line {line}: {source}")]
    Broken { line: u64, source: std::io::Error },
    #[error("the file cannot be read: {source}")]
    Unreadable { source: std::io::Error },
}

/// The columns that there are, and what to look at where they are hardly columns.
fn those_there(columns: &[String]) -> String {
    let short = |name: &String| beginning(name, NAMED_CHARS_MAX);
    let named: Vec<String> = columns.iter().take(NAMED_MAX).map(short).collect();
    let more = columns.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let first = columns.first().map_or("", |name| name.trim_start());
    match columns {
        [] => "are none".to_owned(),
        _ if first.starts_with(['{', '[']) => {
            format!("are {}{more}. It looks like JSON: let its name end with `.json` or `.jsonl`", named.join(", "))
        }
        [_] => format!("is only {}. If another character parts the cells, name it by `--delimiter`", named.join(", ")),
        _ => format!("are {}{more}", named.join(", ")),
    }
}
