//! The table of permissions, and the one function that reads it.

use std::fmt;

use crate::desk::access::AccessCase;
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::Ticket;

/// An act that can be asked of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    CreateForSelf,
    CreateForOther,
    ImportHistory,
    ReadTicket,
    ReadInternal,
    CommentPublic,
    CommentInternal,
    ChangeState,
    EditTicket,
    ChangeWatchers,
    AnswerSurvey,
    Escalate,
    ReadKnowledge,
    ReadInternalKnowledge,
    WriteKnowledge,
    ListTickets,
    ListInternally,
    ReadDecisions,
    ReadReports,
    DecideAccess,
    RevokeAccess,
    ReviewAccess,
    DelegateApprovals,
    ManageDirectory,
    TakeMail,
    ReadConfiguration,
    ReadRules,
    Administer,
    CheckRecords,
    ManageTokens,
    EndTokens,
}

impl Act {
    /// Every act there is.
    pub const ALL: [Act; 31] = [
        Act::CreateForSelf,
        Act::CreateForOther,
        Act::ImportHistory,
        Act::ReadTicket,
        Act::ReadInternal,
        Act::CommentPublic,
        Act::CommentInternal,
        Act::ChangeState,
        Act::EditTicket,
        Act::ChangeWatchers,
        Act::AnswerSurvey,
        Act::Escalate,
        Act::ReadKnowledge,
        Act::ReadInternalKnowledge,
        Act::WriteKnowledge,
        Act::ListTickets,
        Act::ListInternally,
        Act::ReadDecisions,
        Act::ReadReports,
        Act::DecideAccess,
        Act::RevokeAccess,
        Act::ReviewAccess,
        Act::DelegateApprovals,
        Act::ManageDirectory,
        Act::TakeMail,
        Act::ReadConfiguration,
        Act::ReadRules,
        Act::Administer,
        Act::CheckRecords,
        Act::ManageTokens,
        Act::EndTokens,
    ];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Act::CreateForSelf => "create-for-self",
            Act::CreateForOther => "create-for-other",
            Act::ImportHistory => "import-history",
            Act::ReadTicket => "read-ticket",
            Act::ReadInternal => "read-internal",
            Act::CommentPublic => "comment-public",
            Act::CommentInternal => "comment-internal",
            Act::ChangeState => "change-state",
            Act::EditTicket => "edit-ticket",
            Act::ChangeWatchers => "change-watchers",
            Act::AnswerSurvey => "answer-survey",
            Act::Escalate => "escalate",
            Act::ReadKnowledge => "read-knowledge",
            Act::ReadInternalKnowledge => "read-internal-knowledge",
            Act::WriteKnowledge => "write-knowledge",
            Act::ListTickets => "list-tickets",
            Act::ListInternally => "list-internally",
            Act::ReadDecisions => "read-decisions",
            Act::ReadReports => "read-reports",
            Act::DecideAccess => "decide-access",
            Act::RevokeAccess => "revoke-access",
            Act::ReviewAccess => "review-access",
            Act::DelegateApprovals => "delegate-approvals",
            Act::ManageDirectory => "manage-directory",
            Act::TakeMail => "take-mail",
            Act::ReadConfiguration => "read-configuration",
            Act::ReadRules => "read-rules",
            Act::Administer => "administer",
            Act::CheckRecords => "check-records",
            Act::ManageTokens => "manage-tokens",
            Act::EndTokens => "end-tokens",
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Act::CreateForSelf => "create tickets",
            Act::CreateForOther => "create tickets for another person",
            Act::ImportHistory => "take over tickets of another desk",
            Act::ReadTicket => "read this ticket",
            Act::ReadInternal => "read internal notes",
            Act::CommentPublic => "comment on this ticket",
            Act::CommentInternal => "write internal notes",
            Act::ChangeState => "change this ticket's state",
            Act::EditTicket => "change this ticket by hand",
            Act::AnswerSurvey => "say for its requester how it went",
            Act::ChangeWatchers => "say who follows this ticket",
            Act::ReadKnowledge => "read the knowledge base",
            Act::ReadInternalKnowledge => "read internal articles",
            Act::WriteKnowledge => "write articles",
            Act::Escalate => "escalate this ticket",
            Act::ListTickets => "list tickets",
            Act::ListInternally => "list tickets by team, assignee or last change",
            Act::ReadDecisions => "read how this ticket was decided",
            Act::ReadReports => "read reports",
            Act::DecideAccess => "decide access requests",
            Act::RevokeAccess => "take back access to this app",
            Act::ReviewAccess => "review access",
            Act::DelegateApprovals => "let others approve in one's place",
            Act::ManageDirectory => "look after the directory",
            Act::TakeMail => "hand over mail",
            Act::ReadConfiguration => "read the configuration",
            Act::ReadRules => "read the rules",
            Act::Administer => "administer the desk",
            Act::CheckRecords => "check the records",
            Act::ManageTokens => "give out tokens",
            Act::EndTokens => "see tokens and sessions and end them",
        })
    }
}

/// The holder of a row: a role of a person, or the operator at the machine's shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Role(Role),
    Operator,
}

const REQUESTER: Holder = Holder::Role(Role::Requester);
const AGENT: Holder = Holder::Role(Role::Agent);
const APPROVER: Holder = Holder::Role(Role::Approver);
const ADMIN: Holder = Holder::Role(Role::Admin);
const DIRECTORY: Holder = Holder::Role(Role::Directory);
const MAIL: Holder = Holder::Role(Role::Mail);
const OPERATOR: Holder = Holder::Operator;

impl Holder {
    fn is(self, actor: &Actor) -> bool {
        match (self, actor) {
            (Holder::Role(role), Actor::Person { roles, .. }) => roles.contains(&role),
            (Holder::Operator, Actor::Operator { .. }) => true,
            (Holder::Role(_), Actor::Operator { .. } | Actor::System) | (Holder::Operator, _) => false,
        }
    }
}

/// The condition on a ticket under which a row applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    /// Any ticket, or none at all.
    Any,
    /// A ticket that the actor requested or submitted.
    Own,
    /// A ticket that the actor follows.
    Watched,
    /// A ticket whose access request names the actor as an approver.
    Awaiting,
    /// A ticket that gave access to an app which the actor answers for.
    OwnedApp,
    /// A ticket that gave access which the actor holds.
    Held,
    /// A ticket of a department whose tickets the actor reads.
    Department,
}

impl On {
    /// The stable word for programs.
    const fn code(self) -> &'static str {
        match self {
            On::Any => "any",
            On::Own => "own",
            On::Watched => "watched",
            On::Awaiting => "awaiting",
            On::OwnedApp => "owned-app",
            On::Held => "held",
            On::Department => "department",
        }
    }
}

/// The one table of permissions. An act that it does not name is refused.
const TABLE: &[(Act, Holder, On)] = &[
    (Act::CreateForSelf, REQUESTER, On::Any),
    (Act::CreateForSelf, AGENT, On::Any),
    (Act::CreateForSelf, APPROVER, On::Any),
    (Act::CreateForSelf, ADMIN, On::Any),
    (Act::CreateForOther, AGENT, On::Any),
    (Act::CreateForOther, ADMIN, On::Any),
    (Act::ReadTicket, REQUESTER, On::Own),
    (Act::ReadTicket, REQUESTER, On::Awaiting),
    (Act::ReadTicket, REQUESTER, On::Watched),
    (Act::ReadTicket, REQUESTER, On::Department),
    (Act::ReadTicket, AGENT, On::Any),
    (Act::ReadTicket, APPROVER, On::Own),
    (Act::ReadTicket, APPROVER, On::Awaiting),
    (Act::ReadTicket, APPROVER, On::Watched),
    (Act::ReadTicket, APPROVER, On::Department),
    (Act::ReadTicket, ADMIN, On::Any),
    (Act::ReadInternal, AGENT, On::Any),
    (Act::ReadInternal, ADMIN, On::Any),
    (Act::CommentPublic, REQUESTER, On::Own),
    (Act::CommentPublic, REQUESTER, On::Awaiting),
    (Act::CommentPublic, REQUESTER, On::Watched),
    (Act::CommentPublic, AGENT, On::Any),
    (Act::CommentPublic, APPROVER, On::Own),
    (Act::CommentPublic, APPROVER, On::Awaiting),
    (Act::CommentPublic, APPROVER, On::Watched),
    (Act::CommentPublic, ADMIN, On::Any),
    (Act::CommentInternal, AGENT, On::Any),
    (Act::CommentInternal, ADMIN, On::Any),
    (Act::ChangeState, REQUESTER, On::Own),
    (Act::ChangeState, AGENT, On::Any),
    (Act::ChangeState, APPROVER, On::Own),
    (Act::ChangeState, ADMIN, On::Any),
    (Act::EditTicket, AGENT, On::Any),
    (Act::EditTicket, ADMIN, On::Any),
    // Those who follow a ticket read its public part, so that its requester may ask them to.
    (Act::ChangeWatchers, REQUESTER, On::Own),
    (Act::ChangeWatchers, AGENT, On::Any),
    (Act::ChangeWatchers, APPROVER, On::Own),
    (Act::ChangeWatchers, ADMIN, On::Any),
    // Of those whose ticket it is, the requester alone: `permission::answer` looks at that.
    (Act::AnswerSurvey, REQUESTER, On::Own),
    (Act::AnswerSurvey, AGENT, On::Own),
    (Act::AnswerSurvey, APPROVER, On::Own),
    (Act::AnswerSurvey, ADMIN, On::Own),
    (Act::Escalate, REQUESTER, On::Own),
    (Act::Escalate, AGENT, On::Any),
    (Act::Escalate, APPROVER, On::Own),
    (Act::Escalate, ADMIN, On::Any),
    (Act::ReadKnowledge, REQUESTER, On::Any),
    (Act::ReadKnowledge, AGENT, On::Any),
    (Act::ReadKnowledge, APPROVER, On::Any),
    (Act::ReadKnowledge, ADMIN, On::Any),
    (Act::ReadInternalKnowledge, AGENT, On::Any),
    (Act::ReadInternalKnowledge, ADMIN, On::Any),
    (Act::WriteKnowledge, AGENT, On::Any),
    (Act::WriteKnowledge, ADMIN, On::Any),
    (Act::ListTickets, REQUESTER, On::Any),
    (Act::ListTickets, AGENT, On::Any),
    (Act::ListTickets, APPROVER, On::Any),
    (Act::ListTickets, ADMIN, On::Any),
    (Act::ListInternally, AGENT, On::Any),
    (Act::ListInternally, ADMIN, On::Any),
    (Act::ReadDecisions, AGENT, On::Any),
    (Act::ReadDecisions, ADMIN, On::Any),
    (Act::ReadReports, AGENT, On::Any),
    (Act::ReadReports, ADMIN, On::Any),
    // Being named in the request decides, not the role: a manager approves without being made an approver first.
    (Act::DecideAccess, REQUESTER, On::Awaiting),
    (Act::DecideAccess, AGENT, On::Awaiting),
    (Act::DecideAccess, APPROVER, On::Awaiting),
    (Act::DecideAccess, ADMIN, On::Awaiting),
    // Answering for the app decides here, in every role.
    (Act::RevokeAccess, REQUESTER, On::OwnedApp),
    (Act::RevokeAccess, AGENT, On::OwnedApp),
    (Act::RevokeAccess, APPROVER, On::OwnedApp),
    (Act::RevokeAccess, ADMIN, On::Any),
    // Access is given back by the person who holds it, in every role.
    (Act::RevokeAccess, REQUESTER, On::Held),
    (Act::RevokeAccess, AGENT, On::Held),
    (Act::RevokeAccess, APPROVER, On::Held),
    // Being named as a reviewer decides, which is the question of the review.
    (Act::ReviewAccess, REQUESTER, On::Any),
    (Act::ReviewAccess, AGENT, On::Any),
    (Act::ReviewAccess, APPROVER, On::Any),
    (Act::ReviewAccess, ADMIN, On::Any),
    // Each for what they are themselves asked to approve, which every person may be.
    (Act::DelegateApprovals, REQUESTER, On::Any),
    (Act::DelegateApprovals, AGENT, On::Any),
    (Act::DelegateApprovals, APPROVER, On::Any),
    (Act::DelegateApprovals, ADMIN, On::Any),
    // The company's identity provider, and no person by any other role.
    (Act::ManageDirectory, DIRECTORY, On::Any),
    // A mail system alone: one who hands mail over says who wrote it, and so could write as anyone.
    (Act::TakeMail, MAIL, On::Any),
    (Act::ReadConfiguration, REQUESTER, On::Any),
    (Act::ReadConfiguration, AGENT, On::Any),
    (Act::ReadConfiguration, APPROVER, On::Any),
    (Act::ReadConfiguration, ADMIN, On::Any),
    (Act::ReadRules, AGENT, On::Any),
    (Act::ReadRules, ADMIN, On::Any),
    (Act::Administer, ADMIN, On::Any),
    (Act::CheckRecords, ADMIN, On::Any),
    // One who could give them out could act as anyone, also as the second of two persons: that is the operator's alone.
    (Act::EndTokens, ADMIN, On::Any),
    // The operator looks after the desk and takes no part in its work: no comment, no state, no decision, no grant.
    (Act::CreateForOther, OPERATOR, On::Any),
    (Act::ImportHistory, OPERATOR, On::Any),
    (Act::ReadTicket, OPERATOR, On::Any),
    (Act::ReadInternal, OPERATOR, On::Any),
    (Act::ReadDecisions, OPERATOR, On::Any),
    (Act::ReadReports, OPERATOR, On::Any),
    (Act::ReadRules, OPERATOR, On::Any),
    (Act::Administer, OPERATOR, On::Any),
    (Act::CheckRecords, OPERATOR, On::Any),
    (Act::ManageTokens, OPERATOR, On::Any),
    (Act::EndTokens, OPERATOR, On::Any),
];

/// The rows of a role: what it lets a person do, and the word for the condition under which it does.
pub fn rows_of(role: Role) -> impl Iterator<Item = (Act, &'static str)> {
    TABLE.iter().filter(move |(_, holder, _)| *holder == Holder::Role(role)).map(|(act, _, on)| (*act, on.code()))
}

/// A ticket as far as permissions look at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub ticket: &'a Ticket,
    pub access: Option<&'a AccessCase>,
    /// Who answers for the app that it gave access to.
    pub app_owner: Option<&'a PersonId>,
    /// Who holds what it gave.
    pub holder: Option<&'a PersonId>,
    /// Whether it is of a department whose tickets the actor reads.
    pub of_department: bool,
}

impl<'a> About<'a> {
    /// A ticket of which nothing else is looked at.
    pub const fn of(ticket: &'a Ticket) -> About<'a> {
        About { ticket, access: None, app_owner: None, holder: None, of_department: false }
    }
}

/// Whether the table lets the actor do it. The desk itself acts by its own code and asks for nothing.
pub(super) fn allowed(actor: &Actor, act: Act, about: Option<About<'_>>) -> bool {
    if *actor == Actor::System {
        return true;
    }
    let applies = |on: On| match on {
        On::Any => true,
        On::Own => about.zip(actor.person()).is_some_and(|(about, person)| about.ticket.belongs_to(person)),
        On::Watched => about.zip(actor.person()).is_some_and(|(about, person)| about.ticket.is_watched_by(person)),
        On::Department => about.is_some_and(|about| about.of_department),
        On::Held => about.and_then(|about| about.holder).is_some_and(|holder| actor.person() == Some(holder)),
        On::OwnedApp => about.and_then(|about| about.app_owner).is_some_and(|owner| actor.person() == Some(owner)),
        On::Awaiting => about
            .and_then(|about| about.access)
            .zip(actor.person())
            .is_some_and(|(case, person)| case.names_approver(person)),
    };
    TABLE.iter().any(|(row, holder, on)| *row == act && holder.is(actor) && applies(*on))
}

/// Refuses what the table does not allow.
pub(super) fn ask(actor: &Actor, act: Act, about: Option<About<'_>>) -> Result<(), Refusal> {
    if allowed(actor, act, about) { Ok(()) } else { Err(Refusal::Forbidden { act }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_that_are_listed_are_those_that_are_asked() {
        for role in Role::ALL {
            let actor = Actor::Person { id: "mei".parse().unwrap(), roles: [role].into() };
            let always: Vec<Act> = rows_of(role).filter(|(_, on)| *on == "any").map(|(act, _)| act).collect();
            for (act, _, _) in TABLE {
                assert_eq!(allowed(&actor, *act, None), always.contains(act), "{} {act}", role.code());
            }
        }
        assert_eq!(rows_of(Role::Directory).collect::<Vec<_>>(), [(Act::ManageDirectory, "any")]);
        assert_eq!(rows_of(Role::Mail).collect::<Vec<_>>(), [(Act::TakeMail, "any")]);
    }

    #[test]
    fn the_operator_has_the_rows_of_the_table_and_no_others() {
        let operator = |person: Option<&str>| Actor::Operator {
            name: "root".parse().unwrap(),
            person: person.map(|person| person.parse().unwrap()),
        };
        let may = [Act::ReadRules, Act::Administer, Act::CheckRecords, Act::ManageTokens, Act::CreateForOther];
        let may_not = [Act::CreateForSelf, Act::CommentPublic, Act::CommentInternal, Act::ChangeState, Act::EditTicket];
        // Acting in a person's name gives none of that person's rows.
        for actor in [operator(None), operator(Some("mei"))] {
            for act in may {
                assert!(allowed(&actor, act, None), "{act}");
            }
            for act in may_not.into_iter().chain([Act::DecideAccess, Act::RevokeAccess, Act::ListTickets]) {
                assert_eq!(ask(&actor, act, None), Err(Refusal::Forbidden { act }), "{act}");
            }
        }
        let admin = Actor::Person { id: "mei".parse().unwrap(), roles: [Role::Admin].into() };
        assert!(!allowed(&admin, Act::ManageTokens, None), "an operator's row is no admin's");
        assert!(allowed(&admin, Act::EndTokens, None), "but taking back is");
    }
}
