//! Request types that are bundles: one submission makes a ticket with tasks, and other tickets that are its parts, in an order and
//! with days by which they are due.

use super::condition::Condition;
use super::form::{Field, Raw, Value};
use crate::desk::id::RequestTypeId;

/// The most parts, and the most tasks, of one request type.
pub const PARTS_MAX: usize = 20;

/// A text in which `{NAME}` stands for a field of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern(pub String);

impl Pattern {
    /// The pieces of the text: those in braces are names.
    fn pieces(&self) -> Vec<(&str, Option<&str>)> {
        let mut pieces = Vec::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, next)) = after.split_once('}') else { break };
            pieces.push((before, Some(name)));
            rest = next;
        }
        pieces.push((rest, None));
        pieces
    }

    /// The names in it.
    pub fn names(&self) -> Vec<&str> {
        self.pieces().into_iter().filter_map(|(_, name)| name).collect()
    }

    /// The text with what was filled in; a field that is empty is no text.
    pub fn fill(&self, fields: &[Field]) -> String {
        let mut filled = String::new();
        for (before, name) in self.pieces() {
            filled.push_str(before);
            let value = name.and_then(|name| fields.iter().find(|(field, _)| field == name));
            filled.push_str(&value.map(|(_, value)| text(value)).unwrap_or_default());
        }
        filled
    }

    /// The value for a field of another form: where the pattern is one name and nothing else, that field's as it is.
    pub fn value(&self, fields: &[Field]) -> Raw {
        let is_name = self.pieces().as_slice() == [("", self.names().first().copied()), ("", None)];
        if !is_name {
            return Raw::Text(self.fill(fields));
        }
        let name = self.names();
        let value = fields.iter().find(|(field, _)| name.contains(&field.as_str()));
        value.map_or(Raw::Null, |(_, value)| raw(value))
    }
}

/// A value as it is submitted.
pub fn raw(value: &Value) -> Raw {
    match value {
        Value::Choices(chosen) => Raw::List(chosen.iter().cloned().map(Raw::Text).collect()),
        Value::Number(number) => Raw::Number(*number),
        Value::Flag(flag) => Raw::Flag(*flag),
        Value::Text(_) | Value::Choice(_) | Value::Date(_) => Raw::Text(text(value)),
    }
}

/// A value as a text.
pub fn text(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Choice(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Choices(chosen) => chosen.join(", "),
    }
}

/// The day by which a part is due: so many days after a date that the form asks for; fewer than none is before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub field: String,
    pub days: i32,
}

/// A ticket that a submission of the type makes besides its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name within the type.
    pub id: String,
    pub request_type: RequestTypeId,
    pub subject: Pattern,
    pub body: Pattern,
    pub fields: Vec<(String, Pattern)>,
    /// Where it is made; empty is always.
    pub when: Condition,
    /// The parts before it that have to be resolved first.
    pub after: Vec<String>,
    pub due: Option<Due>,
}

/// A task that the ticket itself begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPattern {
    pub text: Pattern,
    /// Where it is to be done; empty is always.
    pub when: Condition,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_what_was_filled_in() {
        let fields = [
            ("name".to_owned(), Value::Text("Zoë".to_owned())),
            ("hours".to_owned(), Value::Number(24.0)),
            ("apps".to_owned(), Value::Choices(vec!["a".to_owned(), "b".to_owned()])),
        ];
        let pattern = |text: &str| Pattern(text.to_owned());
        assert_eq!(pattern("For {name}, {hours} h: {apps}{none}.").fill(&fields), "For Zoë, 24 h: a, b.");
        assert_eq!(pattern("{hours}").value(&fields), Raw::Number(24.0));
        assert_eq!(pattern("{none}").value(&fields), Raw::Null);
        assert_eq!(pattern("{hours} h").value(&fields), Raw::Text("24 h".to_owned()));
        let list = ["a", "b"].map(|text| Raw::Text(text.to_owned()));
        assert_eq!(pattern("{apps}").value(&fields), Raw::List(list.into()));
        assert_eq!(pattern("{a} and {b} {").names(), ["a", "b"]);
    }
}
