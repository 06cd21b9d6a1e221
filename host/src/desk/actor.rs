//! Who acts, and who is named in the timeline for having acted.
//!
//! It does not know what an actor may do: that is [`super::permission`].

use std::collections::BTreeSet;

use super::id::{OperatorName, PersonId};

/// A part that a person plays at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Requester,
    Agent,
    Approver,
    Admin,
    /// The company's identity provider, which says who works here.
    Directory,
    /// A mail system, which hands over what was written to the desk.
    Mail,
}

codes! {
    Role {
        Requester => "requester",
        Agent => "agent",
        Approver => "approver",
        Admin => "admin",
        Directory => "directory",
        Mail => "mail",
    }
}

/// The one who asks the desk for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Person {
        id: PersonId,
        roles: BTreeSet<Role>,
    },
    /// The user at the shell of the machine, who looks after the desk. It has rows of its own in the table of permissions.
    Operator {
        name: OperatorName,
        /// The person in whose name the operator acts. It gives none of that person's permissions.
        person: Option<PersonId>,
    },
    /// The desk itself, such as a timer.
    System,
}

impl Actor {
    /// The person who acts, or in whose name the operator does.
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Actor::Person { id, .. } => Some(id),
            Actor::Operator { person, .. } => person.as_ref(),
            Actor::System => None,
        }
    }

    /// Whether the actor plays this part.
    pub fn has(&self, role: Role) -> bool {
        match self {
            Actor::Person { roles, .. } => roles.contains(&role),
            Actor::Operator { .. } | Actor::System => false,
        }
    }

    /// The author that the timeline keeps. An operator writes no timeline: the table of permissions gives them no act that does.
    pub fn author(&self) -> Author {
        match self {
            Actor::Person { id, .. } => Author::Person(id.clone()),
            Actor::Operator { .. } | Actor::System => Author::System,
        }
    }
}

/// The author of a change, as the timeline keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    Person(PersonId),
    System,
    Rule(RuleRef),
}

impl Author {
    /// The person who made the change; `None` where it was the desk or a rule.
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Author::Person(person) => Some(person),
            Author::System | Author::Rule(_) => None,
        }
    }
}

/// A rule in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleRef {
    pub name: String,
    pub version: String,
}

impl std::fmt::Display for RuleRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}
