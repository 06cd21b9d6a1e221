//! Who acts, and who is named in the timeline for having acted.
//!
//! It does not know what anybody may do: that is [`super::permission`].

use std::collections::BTreeSet;

use super::id::PersonId;

/// A part that somebody plays at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Requester,
    Agent,
    Approver,
    Admin,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Requester, Role::Agent, Role::Approver, Role::Admin];

    /// The stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Role::Requester => "requester",
            Role::Agent => "agent",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }

    /// The role with this word.
    pub fn from_code(code: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// Whoever asks the desk for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Person {
        id: PersonId,
        roles: BTreeSet<Role>,
    },
    /// The desk itself, such as a timer.
    System,
}

impl Actor {
    /// The person, unless it is the desk itself.
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Actor::Person { id, .. } => Some(id),
            Actor::System => None,
        }
    }

    /// Whether the actor plays this part.
    pub fn has(&self, role: Role) -> bool {
        match self {
            Actor::Person { roles, .. } => roles.contains(&role),
            Actor::System => false,
        }
    }

    /// The name that the timeline keeps.
    pub fn author(&self) -> Author {
        match self {
            Actor::Person { id, .. } => Author::Person(id.clone()),
            Actor::System => Author::System,
        }
    }
}

/// Who did something, as the timeline keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    Person(PersonId),
    System,
    Rule(RuleRef),
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
