//! The words that every stage shares, with the questions that rules ask of them most. It knows nothing of single stages.

pub use crate::bindings::ruledesk::rules::types::{
    Attachment, Attribute, Field, Moment, Person, SoFar, Ticket, Timestamp, Value,
};

impl Ticket {
    /// What the form field `name` holds; `None` if it was left empty.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|field| field.name == name).map(|field| &field.value)
    }

    /// The text, chosen option or day in a field. Texts and options are alike here, because what a portal offers as
    /// options arrives as text from other channels.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_text()
    }

    /// The number in a field.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.field(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether a yes-or-no field says yes; an empty field says no.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.field(name), Some(Value::Flag(true)))
    }

    /// The options chosen in a field that allows several; none if it was left empty.
    pub fn choices(&self, name: &str) -> &[String] {
        match self.field(name) {
            Some(Value::Choices(options)) => options,
            _ => &[],
        }
    }

    /// Whether the ticket came with the tag, or intake added it.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }

    /// Whether intake raised the signal, such as `possible-duplicate`.
    pub fn has_signal(&self, signal: &str) -> bool {
        self.signals.iter().any(|s| s == signal)
    }
}

impl Value {
    /// The text, chosen option or day; `None` for other kinds.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Choice(text) | Value::Date(text) => Some(text),
            _ => None,
        }
    }
}

impl Person {
    /// Whether this person is a member of the group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }

    /// What the directory says under `name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name == name).map(|a| a.value.as_str())
    }
}

impl SoFar {
    /// Whether the category is `parent` or lies below it: `hardware.laptop` lies below `hardware`.
    pub fn is_within(&self, parent: &str) -> bool {
        self.category.as_deref().is_some_and(|category| is_within(category, parent))
    }

    /// Whether the tag stands.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }
}

/// Whether `category` is `parent` or lies below it.
pub fn is_within(category: &str, parent: &str) -> bool {
    let rest = category.strip_prefix(parent);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Attribute {
    /// An attribute of an answer, such as a score, kept with the decision.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ticket;

    #[test]
    fn texts_and_options_are_alike() {
        let ticket =
            ticket("hardware").field("a", "x").field("b", Value::Choice("y".to_owned())).field("c", 4.0).build();
        assert_eq!((ticket.text("a"), ticket.text("b"), ticket.text("c")), (Some("x"), Some("y"), None));
        assert_eq!((ticket.number("c"), ticket.flag("c")), (Some(4.0), false));
    }

    #[test]
    fn a_category_lies_within_its_parents_only() {
        assert!(is_within("hardware.laptop", "hardware") && is_within("hardware", "hardware"));
        assert!(!is_within("hardware-store", "hardware") && !is_within("hardware", "hardware.laptop"));
    }
}
