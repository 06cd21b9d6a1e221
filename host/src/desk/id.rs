//! Names and ids as types of their own, so that a team can never be passed where a person is meant.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::text::{normal, quoted};

/// The longest id that an organisation may give to anything, in bytes.
pub const NAME_BYTES_MAX: usize = 100;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not an id: use 1 to {NAME_BYTES_MAX} letters, digits, `-`, `_`, `.` or `@`", quoted(.text))]
pub struct NotAnId {
    text: String,
}

fn check(text: &str) -> Result<(), NotAnId> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.chars().all(allowed) {
        // One more than is shown of it, so that it says that there is more.
        let text = text.chars().take(NAME_BYTES_MAX + 1).collect();
        return Err(NotAnId { text });
    }
    Ok(())
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let text = normal(text);
                check(&text)?;
                Ok(Self(Arc::from(&*text)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// Somebody in the organisation: a requester, an agent, an approver.
    PersonId;
    /// A team, which is also a queue.
    TeamId;
    /// A category in the taxonomy; `hardware.laptop` lies below `hardware`.
    CategoryId;
    /// A tag in the taxonomy.
    Tag;
    /// A step of the impact scale.
    ImpactId;
    /// A step of the urgency scale.
    UrgencyId;
    /// A priority level.
    PriorityId;
    /// A request type, which has a form.
    RequestTypeId;
    /// What a member of a team can do.
    Skill;
    /// A user of the machine's system, who works at its shell.
    OperatorName;
    /// A group in the organisation's directory.
    GroupId;
    /// An app in the catalog.
    AppId;
    /// A licence tier of an app.
    TierId;
    /// Another system that hears of what happens.
    WebhookId;
    /// A calendar of open hours.
    CalendarId;
    /// A macro, or a canned reply.
    MacroId;
    /// Something that comes again by the calendar.
    ScheduleId;
    /// A connector, by which the desk writes to apps.
    ConnectorId;
}

impl CategoryId {
    /// Whether this is `other` or lies below it.
    pub fn is_within(&self, other: &CategoryId) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

macro_rules! uuids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )*};
}

uuids! {
    /// A ticket's id, UUID version 7 (RFC 9562).
    TicketId;
    /// One run of the rules for one ticket, UUID version 7.
    RunId;
    /// A message to somebody outside, UUID version 7.
    MessageId;
    /// A comment, UUID version 7.
    CommentId;
    /// A file that is attached to a ticket, or is to be, UUID version 7.
    AttachmentId;
    /// A task of a ticket.
    TaskId;
    /// Time that was worked on a ticket, UUID version 7.
    TimeId;
    /// A list under a name, UUID version 7.
    ViewId;
    /// A grant of access, UUID version 7.
    GrantId;
    /// One effect in an app, UUID version 7.
    OpId;
    /// A campaign of access reviews, UUID version 7.
    CampaignId;
    /// Access that was found in an app, UUID version 7.
    FindingId;
    /// The review of one grant, UUID version 7.
    ReviewItemId;
    /// Leave that a person gave another to approve in their place, UUID version 7.
    DelegationId;
    /// A question that an approver asked back, UUID version 7.
    QuestionId;
    /// A submission that its author goes on with later; the author's own UUID.
    DraftId;
}

/// The number behind a ticket's short key: 1042 is `IT-1042`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketNumber(pub i64);

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IT-{}", self.0)
    }
}

/// Why a text is not a ticket's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a ticket's key looks like `IT-1042`")]
pub struct NotAKey;

impl FromStr for TicketNumber {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let digits = text.strip_prefix("IT-").ok_or(NotAKey)?;
        // A ticket has one key: another spelling of it would be another address of the same thing.
        if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAKey);
        }
        digits.parse().map(Self).map_err(|_| NotAKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_written() {
        assert_eq!("IT-1042".parse(), Ok(TicketNumber(1042)));
        assert_eq!(TicketNumber(7).to_string(), "IT-7");
        for bad in ["", "IT-", "IT-x", "1042", "IT--1", "IT-0", "IT-01", "it-1", "IT-99999999999999999999"] {
            assert_eq!(bad.parse::<TicketNumber>(), Err(NotAKey), "{bad}");
        }
    }

    #[test]
    fn an_id_has_no_spaces_and_an_end() {
        assert!("amara.okafor@example.org".parse::<PersonId>().is_ok());
        assert_eq!("Zoe\u{308}".parse::<PersonId>(), "Zo\u{eb}".parse(), "however it is composed");
        for bad in ["", "two words", "a/b", &"x".repeat(NAME_BYTES_MAX + 1)] {
            assert!(bad.parse::<PersonId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_category_lies_within_its_parents_only() {
        let id = |s: &str| s.parse::<CategoryId>().unwrap();
        assert!(id("hardware.laptop").is_within(&id("hardware")));
        assert!(id("hardware").is_within(&id("hardware")));
        assert!(!id("hardware2").is_within(&id("hardware")));
        assert!(!id("hardware").is_within(&id("hardware.laptop")));
    }
}
