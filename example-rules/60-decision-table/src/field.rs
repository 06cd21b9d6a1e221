//! From a dotted name, such as `ticket.fields.device`, to the place where a decision reads it. It knows nothing of rows.

use crate::nearest::{hint, nearest};
use crate::schema::{Column, Got, Kind, elements, groups, wide};
use crate::stage::{Facts, Root, Stage};

/// A field that a condition or a reason names.
#[derive(Debug, Clone)]
pub struct Field {
    root: Root,
    pub column: &'static Column,
    /// The form field or attribute; else empty.
    name: String,
    /// How many there are, instead of what they are.
    count: bool,
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.column, other.column)
            && self.root == other.root
            && self.name == other.name
            && self.count == other.count
    }
}

impl Field {
    /// What it holds now.
    pub fn read<'a>(&self, facts: &Facts<'a>) -> Got<'a> {
        let got = (self.column.read)(facts.record(self.root), &self.name);
        if self.count { Got::Number(wide(got.len())) } else { got }
    }

    /// What it can hold.
    pub fn kind(&self) -> Kind {
        if self.count { Kind::Number } else { self.column.kind }
    }
}

impl Got<'_> {
    fn len(&self) -> u64 {
        let len = match self {
            Got::Texts(texts) => texts.len(),
            Got::Attachments(attachments) => attachments.len(),
            Got::Recent(recent) => recent.len(),
            Got::Grants(grants) => grants.len(),
            _ => 0,
        };
        len as u64
    }
}

/// Which fields may be named.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub stage: Stage,
    /// The fields of one element of a list, and no others.
    pub element: Option<Kind>,
}

/// How far a name has been followed.
#[derive(Debug, Clone)]
pub enum Position {
    Top,
    Group(&'static str, Root, &'static [Column]),
    /// The name of a form field or attribute comes next.
    Unnamed(Root, &'static Column),
    Field(Field),
}

impl Scope {
    fn groups(self) -> Vec<(&'static str, Root, &'static [Column])> {
        match self.element {
            Some(kind) => vec![("", Root::Element, elements(kind))],
            None => groups(self.stage),
        }
    }

    /// Follows one part of a name.
    ///
    /// # Errors
    ///
    /// A sentence that says what there is instead.
    pub fn step(self, position: &Position, part: &str) -> Result<Position, String> {
        match position {
            Position::Top => self.top(part),
            Position::Group(group, root, columns) => match columns.iter().find(|column| column.key == part) {
                Some(column) => Ok(reach(*root, column)),
                None => Err(self.unknown(&format!("{group}."), part)),
            },
            Position::Unnamed(root, column) => {
                Ok(Position::Field(Field { root: *root, column, name: part.to_owned(), count: false }))
            }
            Position::Field(field) if part == "count" && field.is_list() => {
                Ok(Position::Field(Field { count: true, ..field.clone() }))
            }
            Position::Field(_) => Err(format!("there is no `{part}` in it{}", self.known_operator(part))),
        }
    }

    fn top(self, part: &str) -> Result<Position, String> {
        for (group, root, columns) in self.groups() {
            if group == part {
                return Ok(Position::Group(group, root, columns));
            }
            if let Some(column) = columns.iter().find(|column| group.is_empty() && column.key == part) {
                return Ok(reach(root, column));
            }
        }
        Err(self.unknown("", part))
    }

    fn known_operator(self, part: &str) -> String {
        nearest(part, crate::operators::ALL).map_or(String::new(), |name| format!("; did you mean `{name}`?"))
    }

    /// Says that there is no such field, and which was perhaps meant.
    fn unknown(self, before: &str, part: &str) -> String {
        let groups = self.groups();
        let mut beside: Vec<&'static str> = Vec::new();
        let mut elsewhere = None;
        for (group, _, columns) in &groups {
            if before.is_empty() && !group.is_empty() {
                beside.push(group);
            }
            for column in *columns {
                if (before.is_empty() && group.is_empty()) || before.strip_suffix('.').is_some_and(|b| b == *group) {
                    beside.push(column.key);
                }
                if elsewhere.is_none() && nearest(part, [column.key]).is_some() {
                    elsewhere = Some((*group, column.key));
                }
            }
        }
        let missing = format!("there is no field `{before}{part}` at {}", self.stage.name());
        match (nearest(part, beside.iter().copied()), elsewhere) {
            (Some(name), _) => format!("{missing}; did you mean `{before}{name}`?"),
            (None, Some(("", key))) => format!("{missing}; did you mean `{key}`?"),
            (None, Some((group, key))) => format!("{missing}; did you mean `{group}.{key}`?"),
            (None, None) => missing + &hint(part, beside.iter().copied()),
        }
    }

    /// The field of a whole name.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with it.
    pub fn field(self, path: &str) -> Result<Field, String> {
        let mut position = Position::Top;
        for part in path.split('.') {
            position = self.step(&position, part)?;
        }
        match position {
            Position::Field(field) => Ok(field),
            other => Err(other.incomplete(path)),
        }
    }
}

impl Position {
    /// Says what is missing after a name that ends too early.
    pub fn incomplete(&self, path: &str) -> String {
        match self {
            Position::Group(_, _, columns) => {
                let example = columns.first().map_or("id", |column| column.key);
                format!("`{path}` is a group of fields: name one of them, such as `{path}.{example}`")
            }
            _ => format!("`{path}` needs the name of a field after it, such as `{path}.NAME`"),
        }
    }
}

impl Field {
    fn is_list(&self) -> bool {
        !self.count && (self.column.kind == Kind::Texts || self.is_list_of_records())
    }

    /// Whether each element has fields of its own.
    pub fn is_list_of_records(&self) -> bool {
        !self.count && !elements(self.column.kind).is_empty()
    }
}

fn reach(root: Root, column: &'static Column) -> Position {
    match column.kind {
        Kind::Form | Kind::Names => Position::Unnamed(root, column),
        _ => Position::Field(Field { root, column, name: String::new(), count: false }),
    }
}
