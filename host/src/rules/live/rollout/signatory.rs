//! The one who takes a step of a rollout, as the audit names them, and whether two of them are two people.

use std::fmt;

use serde::{Serialize, Serializer};

use super::NotTaken;

/// The prefix of an operator's name.
const OPERATOR: &str = "operator:";
/// The words between a person and the operator who acted in their name. No person's id has a space.
const VIA: &str = " via operator:";

/// The one who takes a step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signatory {
    /// The rules directory.
    Directory,
    /// The desk by itself.
    Desk,
    /// A person, by their id.
    Person(String),
    /// A user at the shell of the machine, perhaps in a person's name.
    Operator { operator: String, person: Option<String> },
}

impl Signatory {
    /// The signatory that a kept text names. The empty text is the directory as one who proposes.
    pub fn parse(text: &str) -> Self {
        let owned = str::to_owned;
        match (text, text.split_once(VIA)) {
            ("" | "directory", _) => Signatory::Directory,
            ("desk", _) => Signatory::Desk,
            (_, Some((person, operator))) => {
                Signatory::Operator { operator: owned(operator), person: Some(owned(person)) }
            }
            (text, None) => match text.strip_prefix(OPERATOR) {
                Some(operator) => Signatory::Operator { operator: owned(operator), person: None },
                None => Signatory::Person(owned(text)),
            },
        }
    }

    /// The text that is kept of one who proposes: as in the audit, but the directory proposes by no name.
    pub fn as_proposer(&self) -> String {
        if *self == Signatory::Directory { String::new() } else { self.to_string() }
    }

    /// The name without the operator who acted in it.
    pub fn name(&self) -> String {
        match self {
            Signatory::Operator { person: Some(person), .. } => person.clone(),
            other => other.to_string(),
        }
    }

    /// The operator, where the step was taken at the shell.
    pub fn operator(&self) -> Option<&str> {
        match self {
            Signatory::Operator { operator, .. } => Some(operator),
            Signatory::Directory | Signatory::Desk | Signatory::Person(_) => None,
        }
    }

    /// The person whose step it is, where it is one's.
    pub fn person(&self) -> Option<&str> {
        match self {
            Signatory::Person(person) => Some(person),
            Signatory::Operator { person, .. } => person.as_deref(),
            Signatory::Directory | Signatory::Desk => None,
        }
    }

    /// Lets another approve what this one proposed, if they are two people, however they came in. One operator is one person,
    /// in whosever name they act.
    ///
    /// # Errors
    ///
    /// [`NotTaken::SamePerson`]; [`NotTaken::SameOperator`].
    pub fn let_approve(&self, approver: &Signatory) -> Result<(), NotTaken> {
        if self == approver || (self.person().is_some() && self.person() == approver.person()) {
            return Err(NotTaken::SamePerson);
        }
        match self.operator() {
            Some(operator) if approver.operator() == Some(operator) => {
                Err(NotTaken::SameOperator { operator: operator.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Signatory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signatory::Directory => f.write_str("directory"),
            Signatory::Desk => f.write_str("desk"),
            Signatory::Person(person) => f.write_str(person),
            Signatory::Operator { operator, person: None } => write!(f, "{OPERATOR}{operator}"),
            Signatory::Operator { operator, person: Some(person) } => write!(f, "{person}{VIA}{operator}"),
        }
    }
}

impl Serialize for Signatory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.as_proposer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(operator: &str, person: Option<&str>) -> Signatory {
        Signatory::Operator { operator: operator.to_owned(), person: person.map(str::to_owned) }
    }

    fn mei() -> Signatory {
        Signatory::Person("mei".to_owned())
    }

    #[test]
    fn a_signatory_reads_back_as_written() {
        let texts = ["directory", "desk", "mei", "operator:root", "mei via operator:root"];
        let all = [Signatory::Directory, Signatory::Desk, mei(), operator("root", None), operator("root", Some("mei"))];
        for (signatory, text) in all.into_iter().zip(texts) {
            assert_eq!(signatory.to_string(), text);
            assert_eq!(Signatory::parse(text), signatory);
        }
        assert_eq!(Signatory::parse(&Signatory::Directory.as_proposer()), Signatory::Directory);
        assert_eq!(
            (operator("root", Some("mei")).name(), operator("root", None).name()),
            ("mei".into(), "operator:root".into())
        );
    }

    #[test]
    fn one_operator_is_one_person_in_whosever_name() {
        let same_operator = || Err(NotTaken::SameOperator { operator: "root".to_owned() });
        let by_root = [operator("root", None), operator("root", Some("mei"))];
        for proposer in &by_root {
            assert_eq!(proposer.let_approve(&operator("root", Some("noor"))), same_operator());
            assert_eq!(proposer.let_approve(&operator("kiwi", Some("noor"))), Ok(()));
            assert_eq!(proposer.let_approve(&Signatory::Person("noor".to_owned())), Ok(()));
        }
        assert_eq!(operator("root", Some("mei")).let_approve(&operator("root", None)), same_operator());
        assert_eq!(operator("root", None).let_approve(&operator("root", None)), Err(NotTaken::SamePerson));
        // One person is one person, whichever way they come in.
        for (proposer, approver) in [
            (mei(), mei()),
            (mei(), operator("root", Some("mei"))),
            (operator("root", Some("mei")), mei()),
            (operator("root", Some("mei")), operator("kiwi", Some("mei"))),
        ] {
            assert_eq!(proposer.let_approve(&approver), Err(NotTaken::SamePerson));
        }
        assert_eq!(Signatory::Directory.let_approve(&operator("root", None)), Ok(()));
    }
}
