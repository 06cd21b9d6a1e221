//! Conditions on the fields of a form that come before: the one language of them, for the fields that are asked and those that
//! have to be filled in. The desk itself holds to them, whichever way a submission came by.

use std::fmt;

use super::form::{Field, Value};
use crate::desk::text::are_same;

/// Clauses that one condition may have.
pub const CLAUSES_MAX: usize = 20;

/// A condition: it holds where each of its clauses does, so that one without clauses always does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition(pub Vec<Clause>);

/// One thing that is asked of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The name of a field that comes before.
    pub field: String,
    /// The name by which people know that field.
    pub label: String,
    pub test: Test,
}

/// The question about a field's value. A field that is empty, or not asked itself, passes only `Filled(false)` and `Not`.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Filled(bool),
    /// It is one of these, or has one of them among its choices.
    Is(Vec<String>),
    Not(Vec<String>),
    AtLeast(f64),
    AtMost(f64),
}

impl Condition {
    /// Whether there is nothing that it asks for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the condition holds for what was filled in so far.
    pub fn holds(&self, fields: &[Field]) -> bool {
        self.0.iter().all(|clause| clause.holds(fields))
    }

    /// Whether one of these fields has a part in it.
    pub fn asks_of(&self, names: &[String]) -> bool {
        self.0.iter().any(|clause| names.contains(&clause.field))
    }
}

impl Clause {
    fn holds(&self, fields: &[Field]) -> bool {
        let value = fields.iter().find(|(name, _)| *name == self.field).map(|(_, value)| value);
        match (&self.test, value) {
            (Test::Filled(filled), value) => value.is_some() == *filled,
            (Test::Is(texts), value) => value.is_some_and(|value| is_one_of(value, texts)),
            (Test::Not(texts), value) => !value.is_some_and(|value| is_one_of(value, texts)),
            (Test::AtLeast(least), Some(Value::Number(number))) => number >= least,
            (Test::AtMost(most), Some(Value::Number(number))) => number <= most,
            (Test::AtLeast(_) | Test::AtMost(_), _) => false,
        }
    }
}

fn is_one_of(value: &Value, texts: &[String]) -> bool {
    let among = |text: &str| texts.iter().any(|one| are_same(one, text));
    match value {
        Value::Text(text) | Value::Choice(text) => among(text),
        Value::Choices(chosen) => chosen.iter().any(|text| among(text)),
        Value::Flag(flag) => among(if *flag { "true" } else { "false" }),
        Value::Number(number) => among(&number.to_string()),
        Value::Date(date) => among(&date.to_string()),
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, clause) in self.0.iter().enumerate() {
            let and = if place == 0 { "" } else { " and " };
            write!(f, "{and}{clause}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = &self.label;
        match &self.test {
            Test::Filled(true) => write!(f, "{label} is filled in"),
            Test::Filled(false) => write!(f, "{label} is empty"),
            Test::Is(texts) => write!(f, "{label} is {}", texts.join(" or ")),
            Test::Not(texts) => write!(f, "{label} is not {}", texts.join(" or ")),
            Test::AtLeast(least) => write!(f, "{label} is at least {least}"),
            Test::AtMost(most) => write!(f, "{label} is at most {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(test: Test) -> Condition {
        Condition(vec![Clause { field: "a".to_owned(), label: "A".to_owned(), test }])
    }

    #[test]
    fn each_question_holds_where_it_says_so() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let given = |value: Value| vec![("a".to_owned(), value)];
        let laptop = given(Value::Choice("laptop".to_owned()));
        assert!(clause(Test::Is(texts(&["phone", "laptop"]))).holds(&laptop));
        assert!(!clause(Test::Is(texts(&["phone"]))).holds(&laptop));
        assert!(clause(Test::Not(texts(&["phone"]))).holds(&laptop) && clause(Test::Not(texts(&["phone"]))).holds(&[]));
        assert!(clause(Test::Filled(true)).holds(&laptop) && clause(Test::Filled(false)).holds(&[]));
        assert!(!clause(Test::Is(texts(&["laptop"]))).holds(&[]), "nothing was said");
        assert!(clause(Test::Is(texts(&["b"]))).holds(&given(Value::Choices(texts(&["a", "b"])))));
        assert!(clause(Test::Is(texts(&["true"]))).holds(&given(Value::Flag(true))));
        assert!(clause(Test::Is(texts(&["2"]))).holds(&given(Value::Number(2.0))));
        assert!(clause(Test::AtLeast(2.0)).holds(&given(Value::Number(2.0))));
        assert!(!clause(Test::AtMost(1.5)).holds(&given(Value::Number(2.0))));
        assert!(!clause(Test::AtMost(1.5)).holds(&laptop), "it is no number");
        assert!(Condition::default().holds(&[]), "nothing is asked for");
        let both = Condition([clause(Test::Filled(true)).0, clause(Test::Not(texts(&["b", "c"]))).0].concat());
        assert_eq!(both.to_string(), "A is filled in and A is not b or c");
    }
}
