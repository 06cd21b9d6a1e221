//! What the columns of a file mean: `subject=title`, `field.urgency=urgency`, `label.category=Topic_group`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::LabelKind;
use super::presets::Preset;

/// What a column becomes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Subject,
    Body,
    /// The requester's id; without a column all tickets are the same person's.
    Requester,
    /// When the ticket arrived; this and the following are of history only.
    CreatedAt,
    ResolvedAt,
    ClosedAt,
    State,
    /// The id of the person who had it last.
    Assignee,
    /// The comments; those that do not say that they are public are private.
    Comments,
    /// The same of a source whose comments are public unless they say otherwise.
    PublicComments,
    /// A field of the request type's form.
    Field(String),
    /// What the ticket came to, to compare decisions with. It is not submitted.
    Label(LabelKind),
}

/// What the columns of a file mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    columns: BTreeMap<Target, String>,
    values: BTreeMap<Target, BTreeMap<String, String>>,
    /// The targets of a preset, whose columns a file may lack.
    optional: BTreeSet<Target>,
    /// The values of a preset, about which nothing else is said.
    usual: BTreeMap<Target, BTreeMap<String, String>>,
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    #[error("`{text}` is not a mapping: write TARGET=COLUMN, such as `subject=title`")]
    NotAMapping { text: String },
    #[error("`{text}` is not a value mapping: write TARGET:FROM=TO, such as `label.category:HR Support=hr`")]
    NotAValueMapping { text: String },
    #[error(
        "`{text}` is no target: use subject, body, requester, created-at, resolved-at, closed-at, state, assignee, \
         comments, public-comments, field.NAME, label.category, label.priority or label.team"
    )]
    UnknownTarget { text: String },
    #[error("`{target}` is mapped twice, to `{first}` and to `{second}`: map it once")]
    Repeated { target: Target, first: String, second: String },
    #[error("values of `{target}` are mapped, but no column is: add `--map {target}=COLUMN`")]
    ValuesWithoutColumn { target: Target },
    #[error(
        "`{target}` is mapped, which says how a ticket fared before it was imported, but what is imported is new: \
         say `--history`, or leave the mapping out"
    )]
    OnlyInHistory { target: Target },
    #[error(
        "`{target}` is mapped, but each row of a log is an event: import the tickets with their comments without `--log`, or \
         leave the mapping out"
    )]
    NotInLog { target: Target },
    #[error("neither `subject` nor `body` is mapped: a ticket needs at least one, such as `--map body=text`")]
    NoText,
    #[error(
        "`{text}` does not select rows: write `sha256:N` or `sha256:N:COLUMN` with N from 1 to 256, \
         which keeps the rows whose text's SHA-256 starts with a byte below N"
    )]
    NotHeldBack { text: String },
}

/// Selects a share of the rows by the hash of one column, so that the same texts are chosen in every run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// Rows are kept whose text's SHA-256 starts with a byte below this: 51 keeps about a fifth.
    pub below: u16,
    /// The column that is hashed; `None` is the body's, else the subject's.
    pub column: Option<String>,
}

impl FromStr for HeldBack {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let bad = || MapError::NotHeldBack { text: text.to_owned() };
        let rest = text.strip_prefix("sha256:").ok_or_else(bad)?;
        let (below, column) = match rest.split_once(':') {
            Some((_, "")) => return Err(bad()),
            Some((below, column)) => (below, Some(column.to_owned())),
            None => (rest, None),
        };
        let below = below.parse().ok().filter(|n| (1..=256).contains(n)).ok_or_else(bad)?;
        Ok(HeldBack { below, column })
    }
}

impl FromStr for Target {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let unknown = || MapError::UnknownTarget { text: text.to_owned() };
        Ok(match text.split_once('.') {
            None => match text {
                "subject" => Target::Subject,
                "body" => Target::Body,
                "requester" => Target::Requester,
                "created-at" => Target::CreatedAt,
                "resolved-at" => Target::ResolvedAt,
                "closed-at" => Target::ClosedAt,
                "state" => Target::State,
                "assignee" => Target::Assignee,
                "comments" => Target::Comments,
                "public-comments" => Target::PublicComments,
                _ => return Err(unknown()),
            },
            Some(("field", name)) if !name.is_empty() => Target::Field(name.to_owned()),
            Some(("label", name)) => {
                let kind = LabelKind::ALL.into_iter().find(|kind| kind.code() == name);
                Target::Label(kind.ok_or_else(unknown)?)
            }
            Some(_) => return Err(unknown()),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Subject => f.write_str("subject"),
            Target::Body => f.write_str("body"),
            Target::Requester => f.write_str("requester"),
            Target::CreatedAt => f.write_str("created-at"),
            Target::ResolvedAt => f.write_str("resolved-at"),
            Target::ClosedAt => f.write_str("closed-at"),
            Target::State => f.write_str("state"),
            Target::Assignee => f.write_str("assignee"),
            Target::Comments => f.write_str("comments"),
            Target::PublicComments => f.write_str("public-comments"),
            Target::Field(name) => write!(f, "field.{name}"),
            Target::Label(kind) => write!(f, "label.{}", kind.code()),
        }
    }
}

impl Mapping {
    /// A mapping from what was written on the command line: `TARGET=COLUMN` and `TARGET:FROM=TO`.
    ///
    /// # Errors
    ///
    /// The first text that cannot be used, and why.
    pub fn parse<S: AsRef<str>>(columns: &[S], values: &[S]) -> Result<Mapping, MapError> {
        Mapping::default().and(columns, values)
    }

    /// The mapping of a preset, with what was written on the command line in its place or besides it. Without history, what only
    /// history has is left out.
    ///
    /// # Errors
    ///
    /// As [`Mapping::parse`].
    pub fn of_preset<S: AsRef<str>>(
        preset: &Preset,
        history: bool,
        columns: &[S],
        values: &[S],
    ) -> Result<Mapping, MapError> {
        let own: Vec<Target> = columns.iter().filter_map(|text| Some(column(text.as_ref()).ok()?.0)).collect();
        let mut mapping = Mapping::default();
        for (target, column) in preset.columns.iter().filter(|(target, _)| history || !target.is_past()) {
            if !own.contains(target) {
                mapping.optional.insert(target.clone());
                mapping.columns.insert(target.clone(), column.clone());
            }
        }
        for (target, from, to) in &preset.values {
            mapping.usual.entry(target.clone()).or_default().insert(from.clone(), to.clone());
        }
        mapping.and(columns, values)
    }

    fn and<S: AsRef<str>>(self, columns: &[S], values: &[S]) -> Result<Mapping, MapError> {
        let mut mapping = self;
        for text in columns {
            let (target, column) = column(text.as_ref())?;
            if let Some(first) = mapping.columns.get(&target).cloned() {
                return Err(MapError::Repeated { target, first, second: column });
            }
            mapping.columns.insert(target, column);
        }
        for text in values {
            let (target, from, to) = value(text.as_ref())?;
            if !mapping.columns.contains_key(&target) {
                return Err(MapError::ValuesWithoutColumn { target });
            }
            let of_target = mapping.values.entry(target.clone()).or_default();
            if let Some(first) = of_target.insert(from, to.clone()).filter(|first| *first != to) {
                return Err(MapError::Repeated { target, first, second: to });
            }
        }
        if mapping.column(&Target::Subject).or(mapping.column(&Target::Body)).is_none() {
            return Err(MapError::NoText);
        }
        Ok(mapping)
    }

    /// The column of a target.
    pub fn column(&self, target: &Target) -> Option<&str> {
        self.columns.get(target).map(String::as_str)
    }

    /// Whether a file may lack the column of a target.
    pub fn is_optional(&self, target: &Target) -> bool {
        self.optional.contains(target)
    }

    /// Every target with its column.
    pub fn columns(&self) -> impl Iterator<Item = (&Target, &str)> {
        self.columns.iter().map(|(target, column)| (target, column.as_str()))
    }

    /// Every value that is mapped: of which target, and from what.
    pub fn values(&self) -> impl Iterator<Item = (&Target, &str)> {
        self.values.iter().flat_map(|(target, values)| values.keys().map(move |from| (target, from.as_str())))
    }

    /// Checks that nothing is mapped which tickets that are new have not.
    ///
    /// # Errors
    ///
    /// The first target that only history has.
    pub fn of_new_tickets(&self) -> Result<(), MapError> {
        let past = self.columns.keys().find(|target| target.is_past());
        past.map_or(Ok(()), |target| Err(MapError::OnlyInHistory { target: target.clone() }))
    }

    /// Checks that nothing is mapped by hand that the rows of a log have not.
    ///
    /// # Errors
    ///
    /// The first such target.
    pub fn of_log(&self) -> Result<(), MapError> {
        let of_thread = self.columns.keys().find(|target| target.is_thread() && !self.is_optional(target));
        of_thread.map_or(Ok(()), |target| Err(MapError::NotInLog { target: target.clone() }))
    }

    /// The value of a cell's text: as the values say; else a label becomes a slug, and all else stays.
    pub fn value(&self, target: &Target, text: &str) -> Mapped {
        let values = self.values.get(target);
        // As it is written, else without regard to case and to what surrounds it.
        let exact = values.and_then(|values| values.get_key_value(text));
        let found = exact.or_else(|| {
            let folded = text.trim().to_lowercase();
            values.and_then(|values| values.iter().find(|(from, _)| from.trim().to_lowercase() == folded))
        });
        if let Some((from, to)) = found {
            return Mapped { text: to.clone(), from: Some(from.clone()) };
        }
        let folded = text.trim().to_lowercase();
        let mut usual = self.usual.get(target).into_iter().flatten();
        if let Some((_, to)) = usual.find(|(from, _)| from.to_lowercase() == folded) {
            return Mapped { text: to.clone(), from: None };
        }
        let text = if matches!(target, Target::Label(_)) { slug(text) } else { text.to_owned() };
        Mapped { text, from: None }
    }
}

/// A cell's value after the mapping of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    pub text: String,
    /// The text that the mapping of values has for it, where it has one.
    pub from: Option<String>,
}

impl Target {
    /// Whether only a ticket that was worked on before has it.
    const fn is_past(&self) -> bool {
        use Target::{Assignee, ClosedAt, CreatedAt, ResolvedAt, State};
        self.is_thread() || matches!(self, CreatedAt | ResolvedAt | ClosedAt | State | Assignee)
    }

    /// Whether it is of comments, which may have several columns of one name.
    pub(super) const fn is_thread(&self) -> bool {
        matches!(self, Target::Comments | Target::PublicComments)
    }
}

pub(super) fn column(text: &str) -> Result<(Target, String), MapError> {
    let bad = || MapError::NotAMapping { text: text.to_owned() };
    let (target, column) = text.split_once('=').ok_or_else(bad)?;
    if column.is_empty() {
        return Err(bad());
    }
    Ok((target.parse()?, column.to_owned()))
}

pub(super) fn value(text: &str) -> Result<(Target, String, String), MapError> {
    let bad = || MapError::NotAValueMapping { text: text.to_owned() };
    let (target, rest) = text.split_once(':').ok_or_else(bad)?;
    // What the text becomes is an id or an option, and so has no `=`; what it was may have one.
    let (from, to) = rest.rsplit_once('=').ok_or_else(bad)?;
    Ok((target.parse()?, from.to_owned(), to.to_owned()))
}

/// An id made of a text: lower-case, hyphens for spaces. `HR Support` becomes `hr-support`.
pub fn slug(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join("-")
}
