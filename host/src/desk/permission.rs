//! Who may do what: one table, and the permits that it gives out.
//!
//! A permit is a value that only this module can make, so a use case that holds one has asked.

use std::fmt;

use super::access::AccessCase;
use super::actor::{Actor, Author, Role};
use super::id::{PersonId, TicketId};
use super::organisation::Organisation;
use super::refusal::Refusal;
use super::ticket::timeline::Visibility;
use super::ticket::{Party, State, Ticket, WaitingFor};

/// What can be asked of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    CreateForSelf,
    CreateForOther,
    ReadTicket,
    ReadInternal,
    CommentPublic,
    CommentInternal,
    ChangeState,
    EditTicket,
    ListTickets,
    ReadDecisions,
    DecideAccess,
    RevokeAccess,
    ReadConfiguration,
    ReadRules,
    Administer,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Act::CreateForSelf => "create tickets",
            Act::CreateForOther => "create tickets for somebody else",
            Act::ReadTicket => "read this ticket",
            Act::ReadInternal => "read internal notes",
            Act::CommentPublic => "comment on this ticket",
            Act::CommentInternal => "write internal notes",
            Act::ChangeState => "change this ticket's state",
            Act::EditTicket => "change this ticket by hand",
            Act::ListTickets => "list tickets",
            Act::ReadDecisions => "read how this ticket was decided",
            Act::DecideAccess => "decide access requests",
            Act::RevokeAccess => "take back access to this app",
            Act::ReadConfiguration => "read the configuration",
            Act::ReadRules => "read the rules",
            Act::Administer => "administer the desk",
        })
    }
}

/// What has to be true of a ticket for a role to act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    /// Any ticket, or none at all.
    Any,
    /// A ticket that the actor requested or submitted.
    Own,
    /// A ticket whose access request names the actor as an approver.
    Awaiting,
    /// A ticket that gave access to an app which the actor answers for.
    OwnedApp,
}

/// The one table of permissions. What it does not name is refused.
const TABLE: &[(Act, Role, On)] = &[
    (Act::CreateForSelf, Role::Requester, On::Any),
    (Act::CreateForSelf, Role::Agent, On::Any),
    (Act::CreateForSelf, Role::Approver, On::Any),
    (Act::CreateForSelf, Role::Admin, On::Any),
    (Act::CreateForOther, Role::Agent, On::Any),
    (Act::CreateForOther, Role::Admin, On::Any),
    (Act::ReadTicket, Role::Requester, On::Own),
    (Act::ReadTicket, Role::Requester, On::Awaiting),
    (Act::ReadTicket, Role::Agent, On::Any),
    (Act::ReadTicket, Role::Approver, On::Own),
    (Act::ReadTicket, Role::Approver, On::Awaiting),
    (Act::ReadTicket, Role::Admin, On::Any),
    (Act::ReadInternal, Role::Agent, On::Any),
    (Act::ReadInternal, Role::Admin, On::Any),
    (Act::CommentPublic, Role::Requester, On::Own),
    (Act::CommentPublic, Role::Requester, On::Awaiting),
    (Act::CommentPublic, Role::Agent, On::Any),
    (Act::CommentPublic, Role::Approver, On::Own),
    (Act::CommentPublic, Role::Approver, On::Awaiting),
    (Act::CommentPublic, Role::Admin, On::Any),
    (Act::CommentInternal, Role::Agent, On::Any),
    (Act::CommentInternal, Role::Admin, On::Any),
    (Act::ChangeState, Role::Requester, On::Own),
    (Act::ChangeState, Role::Agent, On::Any),
    (Act::ChangeState, Role::Approver, On::Own),
    (Act::ChangeState, Role::Admin, On::Any),
    (Act::EditTicket, Role::Agent, On::Any),
    (Act::EditTicket, Role::Admin, On::Any),
    (Act::ListTickets, Role::Requester, On::Any),
    (Act::ListTickets, Role::Agent, On::Any),
    (Act::ListTickets, Role::Approver, On::Any),
    (Act::ListTickets, Role::Admin, On::Any),
    (Act::ReadDecisions, Role::Agent, On::Any),
    (Act::ReadDecisions, Role::Admin, On::Any),
    // Being named in the request decides, not the role: a manager approves without being made an approver first.
    (Act::DecideAccess, Role::Requester, On::Awaiting),
    (Act::DecideAccess, Role::Agent, On::Awaiting),
    (Act::DecideAccess, Role::Approver, On::Awaiting),
    (Act::DecideAccess, Role::Admin, On::Awaiting),
    // Answering for the app decides here, whatever the role.
    (Act::RevokeAccess, Role::Requester, On::OwnedApp),
    (Act::RevokeAccess, Role::Agent, On::OwnedApp),
    (Act::RevokeAccess, Role::Approver, On::OwnedApp),
    (Act::RevokeAccess, Role::Admin, On::Any),
    (Act::ReadConfiguration, Role::Requester, On::Any),
    (Act::ReadConfiguration, Role::Agent, On::Any),
    (Act::ReadConfiguration, Role::Approver, On::Any),
    (Act::ReadConfiguration, Role::Admin, On::Any),
    (Act::ReadRules, Role::Agent, On::Any),
    (Act::ReadRules, Role::Admin, On::Any),
    (Act::Administer, Role::Admin, On::Any),
];

/// A ticket as far as permissions look at it.
#[derive(Debug, Clone, Copy)]
struct About<'a> {
    ticket: &'a Ticket,
    access: Option<&'a AccessCase>,
    /// Who answers for the app that it gave access to.
    app_owner: Option<&'a PersonId>,
}

fn allowed(actor: &Actor, act: Act, about: Option<About<'_>>) -> bool {
    let Actor::Person { id, roles } = actor else {
        return true;
    };
    TABLE.iter().any(|(row_act, role, on)| {
        *row_act == act
            && roles.contains(role)
            && match on {
                On::Any => true,
                On::Own => about.is_some_and(|about| about.ticket.belongs_to(id)),
                On::OwnedApp => about.and_then(|about| about.app_owner) == Some(id),
                On::Awaiting => about.and_then(|about| about.access).is_some_and(|case| case.names_approver(id)),
            }
    })
}

fn ask(actor: &Actor, act: Act, about: Option<About<'_>>) -> Result<(), Refusal> {
    if allowed(actor, act, about) { Ok(()) } else { Err(Refusal::Forbidden { act }) }
}

/// Permission to create a ticket for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayCreate {
    requester: PersonId,
    submitted_by: PersonId,
}

impl MayCreate {
    pub fn requester(&self) -> &PersonId {
        &self.requester
    }

    pub fn submitted_by(&self) -> &PersonId {
        &self.submitted_by
    }
}

/// Permission to read one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayRead {
    ticket: TicketId,
    internal: bool,
}

impl MayRead {
    pub fn ticket(&self) -> TicketId {
        self.ticket
    }

    /// Whether private notes and internal entries may be shown.
    pub fn internal(&self) -> bool {
        self.internal
    }
}

/// Permission to comment on one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayComment {
    pub(super) ticket: TicketId,
    pub(super) visibility: Visibility,
    pub(super) author: Author,
    /// Whether the comment speaks for the desk, so that it answers the requester.
    pub(super) as_agent: bool,
}

/// Permission to ask for another state; the transition table has the last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayTransition {
    pub(super) ticket: TicketId,
    pub(super) parties: Vec<Party>,
    pub(super) author: Author,
}

/// Permission to change one ticket by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayEdit {
    pub(super) ticket: TicketId,
    pub(super) author: Author,
}

/// Permission to take back the access that a ticket gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayRevoke {
    author: Author,
}

impl MayRevoke {
    /// Whom the timeline names.
    pub fn author(&self) -> &Author {
        &self.author
    }
}

/// Permission to list tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayList {
    only: Option<PersonId>,
}

impl MayList {
    /// Whose tickets the list is confined to; `None` is the whole desk.
    pub fn only(&self) -> Option<&PersonId> {
        self.only.as_ref()
    }
}

/// Permission to decide one access request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayDecide {
    pub(super) ticket: TicketId,
    pub(super) approver: PersonId,
}

macro_rules! permits {
    ($($(#[$doc:meta])* $permit:ident by $function:ident for $act:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $permit(());

        #[doc = concat!("Gives out [`", stringify!($permit), "`].")]
        ///
        /// # Errors
        /// [`Refusal::Forbidden`].
        pub fn $function(actor: &Actor) -> Result<$permit, Refusal> {
            ask(actor, Act::$act, None).map(|()| $permit(()))
        }
    )*};
}

permits! {
    /// Permission to read the rules and how tickets were decided.
    MayReadRules by read_rules for ReadRules;
    /// Permission to read request types, taxonomy, teams and the catalog.
    MayReadConfiguration by read_configuration for ReadConfiguration;
    /// Permission to read decision records.
    MayReadDecisions by read_decisions for ReadDecisions;
    /// Permission to administer the desk.
    MayAdminister by administer for Administer;
}

/// Permission for `actor` to create a ticket, for themselves unless `requester` names somebody else.
///
/// # Errors
/// [`Refusal::Forbidden`], also where the actor is not an active person of the organisation.
pub fn create(organisation: &Organisation, actor: &Actor, requester: Option<&PersonId>) -> Result<MayCreate, Refusal> {
    let act = match (actor.person(), requester) {
        (Some(own), Some(other)) if own != other => Act::CreateForOther,
        (None, _) => Act::CreateForOther,
        (Some(_), _) => Act::CreateForSelf,
    };
    ask(actor, act, None)?;
    let forbidden = Refusal::Forbidden { act };
    let Some(submitted_by) = actor.person().or(requester) else {
        return Err(forbidden);
    };
    // An agent need not be in the directory, but whoever asks for themselves has to be. Whom the desk itself asks for is
    // looked at as any requester is.
    let acts = actor.person().and_then(|own| organisation.people.get(own));
    if acts.is_some_and(|person| !person.active) {
        return Err(forbidden);
    }
    Ok(MayCreate { requester: requester.unwrap_or(submitted_by).clone(), submitted_by: submitted_by.clone() })
}

/// Permission to read a ticket.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn read(actor: &Actor, ticket: &Ticket, access: Option<&AccessCase>) -> Result<MayRead, Refusal> {
    let about = Some(About { ticket, access, app_owner: None });
    ask(actor, Act::ReadTicket, about)?;
    Ok(MayRead { ticket: ticket.id, internal: allowed(actor, Act::ReadInternal, about) })
}

/// Permission to comment on a ticket.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn comment(
    actor: &Actor,
    ticket: &Ticket,
    access: Option<&AccessCase>,
    visibility: Visibility,
) -> Result<MayComment, Refusal> {
    let act = match visibility {
        Visibility::Public => Act::CommentPublic,
        Visibility::Internal => Act::CommentInternal,
    };
    ask(actor, act, Some(About { ticket, access, app_owner: None }))?;
    Ok(MayComment {
        ticket: ticket.id,
        visibility,
        author: actor.author(),
        as_agent: works_on(actor) && !ticket_is_of(actor, ticket),
    })
}

/// Permission to ask for another state of a ticket.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn transition(actor: &Actor, ticket: &Ticket) -> Result<MayTransition, Refusal> {
    let about = About { ticket, access: None, app_owner: None };
    ask(actor, Act::ChangeState, Some(about))?;
    Ok(MayTransition { ticket: ticket.id, parties: parties(actor, ticket), author: actor.author() })
}

/// Permission to change a ticket by hand.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn edit(actor: &Actor, ticket: &Ticket) -> Result<MayEdit, Refusal> {
    ask(actor, Act::EditTicket, Some(About { ticket, access: None, app_owner: None }))?;
    Ok(MayEdit { ticket: ticket.id, author: actor.author() })
}

/// Permission to take back the access that `ticket` gave to an app.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn revoke(actor: &Actor, ticket: &Ticket, app_owner: Option<&PersonId>) -> Result<MayRevoke, Refusal> {
    ask(actor, Act::RevokeAccess, Some(About { ticket, access: None, app_owner }))?;
    Ok(MayRevoke { author: actor.author() })
}

fn works_on(actor: &Actor) -> bool {
    actor.has(Role::Agent) || actor.has(Role::Admin)
}

fn ticket_is_of(actor: &Actor, ticket: &Ticket) -> bool {
    actor.person().is_some_and(|person| ticket.submitted.requester == *person)
}

/// Agents may do with their own tickets what a requester may, but not confirm for others what those have to confirm.
fn parties(actor: &Actor, ticket: &Ticket) -> Vec<Party> {
    match actor {
        Actor::System => vec![Party::System],
        Actor::Person { .. } => {
            let agent = works_on(actor).then_some(Party::Agent);
            let own = ticket_is_of(actor, ticket).then_some(Party::Requester);
            agent.into_iter().chain(own).collect()
        }
    }
}

/// Permission to list tickets.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn list(actor: &Actor) -> Result<MayList, Refusal> {
    ask(actor, Act::ListTickets, None)?;
    let only = actor.person().filter(|_| !works_on(actor)).cloned();
    Ok(MayList { only })
}

/// Permission to decide an access request; whether the present step awaits the actor is [`super::access`]'s question.
///
/// # Errors
/// [`Refusal::Forbidden`]; [`Refusal::OwnAccess`] for whoever asked, or is to have the access.
pub fn decide_access(actor: &Actor, ticket: &Ticket, case: &AccessCase) -> Result<MayDecide, Refusal> {
    let act = Act::DecideAccess;
    let Some(approver) = actor.person() else {
        return Err(Refusal::Forbidden { act });
    };
    if case.concerns(approver) {
        return Err(Refusal::OwnAccess);
    }
    // A ticket that was cancelled no longer asks for anything, whatever its case still says.
    if ticket.state != State::Waiting(WaitingFor::Approval) {
        return Err(Refusal::AccessSettled { state: ticket.state.code() });
    }
    let access = Some(case);
    ask(actor, act, Some(About { ticket, access, app_owner: None }))?;
    Ok(MayDecide { ticket: ticket.id, approver: approver.clone() })
}
