//! What can be wrong with a configuration: the facts as data, their wording in one place.
//!
//! Each sentence follows the key it is about, and says what is allowed.

use std::fmt::Write as _;

use super::desk::holidays::NoHolidays;
use super::tables::Kind;
use crate::desk::id::{NotAnId, PersonId};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("the file cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error("the file is not UTF-8 text: save it as UTF-8")]
    NotUtf8,
    #[error("the file is larger than {bytes_max} bytes")]
    FileTooLarge { bytes_max: usize },
    #[error("{message}")]
    Syntax { message: String },

    #[error("there is no such key; {}", suggestion(nearest.as_deref(), allowed, allowed.len()))]
    UnknownKey { nearest: Option<String>, allowed: Vec<&'static str> },
    #[error("is missing")]
    Missing,
    #[error("takes {wanted}, not {found}")]
    WrongType { wanted: &'static str, found: &'static str },
    #[error("is empty")]
    Blank,
    #[error("has a control character (U+{:04X}): leave it out", u32::from(*character))]
    ControlCharacter { character: char },
    #[error("has a line end: write it on one line")]
    NotOneLine,
    #[error("has {found} entries; allowed are at most {max}")]
    TooMany { found: usize, max: usize },

    #[error(transparent)]
    NotAnId(#[from] NotAnId),
    #[error("`{text}` is given twice, first in line {line}")]
    Repeated { text: String, line: usize },
    #[error("there is no {what} `{text}`; {}", suggestion(nearest.as_deref(), &known.listed, known.count))]
    Unknown { what: &'static str, text: String, nearest: Option<String>, known: Known },
    #[error("is `{text}`; {}", suggestion(None, allowed, allowed.len()))]
    NotOneOf { text: String, allowed: Vec<&'static str> },
    #[error("is {found}; allowed is {min} to {max}")]
    OutOfRange { found: String, min: u64, max: u64 },
    #[error("is not a finite number")]
    NotFinite,

    #[error("is `{text}`; write hours and minutes, such as `30m`, `8h` or `1h30m`")]
    NotADuration { text: String },
    #[error("is `{text}`; write whole hours, such as `72h`")]
    NotWholeHours { text: String },
    #[error("`{text}` is not a day; write `YYYY-MM-DD`")]
    NotADay { text: String },
    #[error("there is no time zone `{text}`; write a name of the IANA database, such as `Europe/Berlin`")]
    UnknownZone { text: String },
    #[error("`{text}` is not a span of hours; write `08:00-18:00`, or `00:00-24:00` for the whole day")]
    NotOpenHours { text: String },
    #[error("`{text}` ends before it starts; a night goes to `24:00` and on from `00:00` of the next day")]
    HoursBackwards { text: String },
    #[error("`{later}` starts before `{earlier}` ends; sort the hours and let none overlap")]
    HoursOverlap { earlier: String, later: String },
    #[error("there is no file `holidays/{text}`")]
    NoHolidayFile { text: String },
    #[error("`holidays/{text}` gives no days off: {why}")]
    NoHolidays { text: String, why: NoHolidays },
    #[error("no day has open hours, so no deadline would ever come")]
    NeverOpen,
    #[error("is {response} minutes, longer than the {resolution} minutes for the resolution")]
    ResponseAfterResolution { response: u32, resolution: u32 },

    #[error("`{{{text}` begins no variable; there are {}", allowed.join(", "))]
    UnknownVariable { text: String, allowed: Vec<&'static str> },
    #[error("is `{form}`, which has parts of its own; name a request type that has none")]
    PartWithParts { form: String },
    #[error("is `{text}`; write an address and a port, such as `127.0.0.1:8080`")]
    NotAnAddress { text: String },
    #[error("`{text}` is not the address of a machine; write one such as `10.0.0.7`")]
    NotAHost { text: String },
    #[error("is `{text}`; write the address of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`")]
    NotACollector { text: String },
    // The text is left out: it may hold a password.
    #[error("is neither `sqlite:FILE` nor `postgres://USER:PASSWORD@HOST/NAME`")]
    NotADatabase,
    #[error("is neither a directory nor `s3://BUCKET/PREFIX`")]
    NotAnArchive,
    #[error("is one question about the field: give one of `is`, `not`, `at-least`, `at-most` and `filled`")]
    NotOneTest,
    #[error("is `{text}`; write a media type such as `application/pdf` or `image/*`")]
    NotAMediaType { text: String },
    #[error("is `{text}`; write the address of a clamd, such as `127.0.0.1:3310` or `unix:/run/clamav/clamd.ctl`")]
    NotAScanner { text: String },
    #[error("is no address of pages; write one such as `https://desk.example.org`")]
    NotAPage,
    #[error("needs `[outgoing] public-url`, the address to which the provider sends people back")]
    NeedsPublicUrl,
    #[error("is `{text}`; write a time of day, such as `08:00`")]
    NotATime { text: String },
    #[error("is for reports that have days, `volume` and `backlog-over-time`: leave it out of `{report}`")]
    NoDays { report: &'static str },
    #[error("`{text}` is no event; write one such as `ticket.commented`, `ticket.*` for all of a kind, or `*`")]
    NotAnEvent { text: String },
    #[error("is an address that is not asked: {why}")]
    NotAsked { why: String },
    #[error("or `directory` is needed, one of the two")]
    NotOneWay,
    #[error("{why}")]
    Template { why: String },
    #[error("stands in `{file}` as well: keep one of the two")]
    HasItsOwnFile { file: &'static str },
    #[error("`{text}` is no key; write a name, a colon and the 44 characters that `ruledesk rule keygen` printed")]
    NotATrustedKey { text: String },
    #[error("`{text}` is no digest; write the 64 hexadecimal digits that `ruledesk rules versions` shows")]
    NotADigest { text: String },
    #[error("`{text}` is not the address of an app; write one such as `https://app.example/scim/v2`")]
    NotAnAppAddress { text: String },
    #[error(
        "`{text}` names no calls; write a method and a path such as `GET /seats/*`, where `*` is one part and `**` at the end all that is left"
    )]
    NotAnAllowance { text: String },
    #[error("`{text}` is no JSON pointer; write one such as `/lastSignIn`, which begins with a slash (RFC 6901)")]
    NotAPointer { text: String },
    #[error(
        "`{text}` is not a clock's name: use 1 to 24 lower-case letters, digits and hyphens, but none of the desk's own clocks"
    )]
    NotAClockName { text: String },
    #[error("is so whenever the clock would start, which therefore never runs: leave out of it what is in `starts`")]
    MetAtTheStart,
    #[error("comes when no work is owed any more, when no clock starts; name a state in which it is")]
    StartsWhenOver,
    #[error("names every state in which work is owed, so that the clock never runs")]
    NeverRuns,
    #[error("`{text}` is not a mail address; write one such as `amara@example.org`")]
    NotAMailAddress { text: String },
    #[error(
        "is the address of `{other}`, too: give each their own, say `same-as` where they are one human, or `active = false` of one who has left"
    )]
    AddressOfAnother { other: PersonId },

    #[error("is before the first day, which is {from}")]
    DaysBackwards { from: String },
    #[error("the managers go in a circle: {}", chain(circle))]
    ManagerCircle { circle: Vec<PersonId> },
    #[error("`{person}` has left (active = false); name somebody who is there")]
    HasLeft { person: PersonId },
    #[error("lies below `{parent}`, which is no category; add it")]
    NoParent { parent: String },

    #[error(
        "`{text}` is not a field's name: use 1 to 60 lower-case letters, digits and hyphens, but none of subject, body, request-type"
    )]
    NotAFieldName { text: String },
    #[error("is only for fields of kind {kinds}")]
    NotForThisKind { kinds: &'static str },
    #[error("needs at least one option")]
    NoOptions,
    #[error("is {min}, more than `max`, which is {max}")]
    BoundsBackwards { min: String, max: String },
    #[error("is true, but the form has no field `{field}` of kind {kind}")]
    AccessFormLacks { field: &'static str, kind: &'static str },
    #[error("is true, but the type has no `category` of its own: name one that is no catch-all")]
    AccessWithoutCategory,
    #[error("`{category}` is a catch-all, in which nothing is resolved: requests for access need another")]
    AccessInCatchAll { category: String },

    #[error("the row has {found} cells, the first line has {wanted}")]
    Ragged { found: usize, wanted: usize },
    #[error("column {column} has no name")]
    UnnamedColumn { column: usize },
    #[error("the table has no columns; its first line names them")]
    NoColumns,
    #[error("`{text}` is not a table's name: use lower-case letters, digits and hyphens before `.csv` or `.toml`")]
    NotATableName { text: String },
    #[error("is `{text}`; this column takes {}", wanted.wanted())]
    NotOfColumn { text: String, wanted: Kind },
    #[error("is `{text}`; this column takes a number that is exact: at most 9007199254740991")]
    NotExact { text: String },
    #[error("is longer than {bytes_max} bytes")]
    CellTooLong { bytes_max: usize },
    #[error(
        "the columns' names have more than {mib_max} MiB, each counted with every row: give them shorter names, or make two tables of it"
    )]
    NamesTooLong { mib_max: usize },
    #[error("has a zero character, which no text may have")]
    ZeroCharacter,
    #[error("is no column of this table; `columns` names them")]
    NoSuchColumn,
    #[error("there are two tables `{text}`, one in CSV and one in TOML: remove one")]
    TwoTables { text: String },
}

/// The most names that a message lists.
const LISTED_MAX: usize = 30;

/// The names that exist: the first of them, and how many. Each of a hundred thousand mistakes would otherwise list all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    listed: Vec<String>,
    count: usize,
}

impl Known {
    /// The number of names, of which not all are looked at.
    pub fn of<'n>(names: impl Iterator<Item = &'n String>, count: usize) -> Known {
        Known { listed: names.take(LISTED_MAX).map(|name| beginning(name.as_str())).collect(), count }
    }
}

impl FromIterator<String> for Known {
    fn from_iter<N: IntoIterator<Item = String>>(names: N) -> Known {
        let mut names = names.into_iter();
        let listed: Vec<String> = names.by_ref().take(LISTED_MAX).map(|name| beginning(&name)).collect();
        let count = listed.len() + names.count();
        Known { listed, count }
    }
}

/// A name as a message lists it, cut where it is longer than any valid one.
fn beginning(name: &str) -> String {
    name.chars().take(COMPARED_MAX).collect()
}

/// What the writer may have meant, and what there is.
fn suggestion<T: AsRef<str>>(nearest: Option<&str>, known: &[T], count: usize) -> String {
    let mut text = nearest.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let listed: Vec<&str> = known.iter().take(LISTED_MAX).map(AsRef::as_ref).collect();
    match (listed.is_empty(), count.saturating_sub(listed.len())) {
        (true, _) => text.push_str("none is defined"),
        (false, 0) => _ = write!(text, "allowed: {}", listed.join(", ")),
        (false, more) => _ = write!(text, "allowed: {} and {more} more", listed.join(", ")),
    }
    text
}

fn chain(circle: &[PersonId]) -> String {
    let ids: Vec<&str> = circle.iter().map(PersonId::as_str).collect();
    ids.join(" -> ")
}

/// The name that is most like a text, if any is close enough to be what was meant.
pub(super) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let letters = text.chars().count();
    // An edit changes the length by one at most, so most names are ruled out without the comparison, whose time is quadratic.
    let may_be = |name: &&str| {
        let others = name.chars().count();
        others <= COMPARED_MAX && letters.abs_diff(others) <= edits_max(name)
    };
    known
        .filter(may_be)
        .map(|name| (distance(text, name), name))
        .filter(|(distance, name)| *distance <= edits_max(name))
        .min()
        .map(|(_, name)| name.to_owned())
}

/// How many edits away a name is still close.
fn edits_max(name: &str) -> usize {
    1 + name.chars().count() / 4
}

/// The longest name that is suggested or listed, in characters.
const COMPARED_MAX: usize = 200;

/// How many letters have to be added, removed or changed to make one text of the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above_left, a) in from.chars().enumerate() {
        let mut diagonal = above_left;
        let mut left = above_left + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = changed.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above_left + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits() {
        for (from, to, edits) in
            [("", "abc", 3), ("abc", "", 3), ("lina", "lena", 1), ("kitten", "sitting", 3), ("same", "same", 0)]
        {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }

    #[test]
    fn only_a_close_name_is_suggested() {
        let known = ["service-desk", "security"];
        assert_eq!(nearest("servicedesk", known.into_iter()).as_deref(), Some("service-desk"));
        assert_eq!(nearest("legal", known.into_iter()), None);
        let long = "x".repeat(5_000_000);
        assert_eq!(nearest(&long, [long.as_str(), "short"].into_iter()), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        let known: Vec<String> = (0..33).map(|n| n.to_string()).collect();
        assert!(suggestion(None, &known, known.len()).ends_with("29 and 3 more"));
        let cut: Known = known.clone().into_iter().collect();
        assert_eq!((cut.listed.len(), cut.count), (LISTED_MAX, 33));
        assert_eq!(cut, Known::of(known.iter(), known.len()));
        assert_eq!(suggestion::<String>(None, &[], 0), "none is defined");
    }
}
