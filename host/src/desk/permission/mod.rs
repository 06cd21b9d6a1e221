//! Permissions: one table of who may do what, and the permits that are given out by it.
//!
//! A permit is a value that only this module can make, so a use case that holds one has asked.

use super::access::AccessCase;
use super::actor::{Actor, Role};
use super::id::PersonId;
use super::organisation::Organisation;
use super::refusal::Refusal;
use super::ticket::timeline::Visibility;
use super::ticket::{Party, State, TRANSITIONS, Ticket, WaitingFor};

mod permits;
mod table;

pub use permits::{
    Comment, MayAnswer, MayComment, MayCreate, MayDecide, MayEdit, MayEscalate, MayList, MayRead, MayReadKnowledge,
    MayRevoke, MayTransition, MayWatch, MayWriteKnowledge,
};
use table::{About, allowed, ask};
pub use table::{Act, rows_of};

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
    /// Permission to list tickets by what requesters do not see of them.
    MayListInternally by list_internally for ListInternally;
    /// Permission to change tickets by hand, before it is known which.
    MayEditTickets by edit_tickets for EditTicket;
    /// Permission to read reports.
    MayReadReports by read_reports for ReadReports;
    /// Permission to read decision records.
    MayReadDecisions by read_decisions for ReadDecisions;
    /// Permission to administer the desk.
    MayAdminister by administer for Administer;
    /// Permission to check the chains over all records, and to ask again the rules that decided.
    MayCheckRecords by check_records for CheckRecords;
    /// Permission to take over tickets of another desk, about which nothing is decided here.
    MayImport by import for ImportHistory;
    /// Permission to say whether access is still needed; whether a grant's review awaits the actor is the review's question.
    MayReview by review_access for ReviewAccess;
    /// Permission to tell the desk who works here.
    MayManageDirectory by manage_directory for ManageDirectory;
    /// Permission to hand over mail that was written to the desk.
    MayTakeMail by take_mail for TakeMail;
    /// Permission to give out tokens and passwords.
    MayManageTokens by manage_tokens for ManageTokens;
    /// Permission to see which tokens and sessions there are, without their secrets, and to end them.
    MayEndTokens by end_tokens for EndTokens;
}

/// Permission for `actor` to create a ticket, for themselves unless `requester` names another person.
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
    // An agent need not be in the directory, but a person who asks for themselves has to be. A person for whom the desk or
    // its operator asks is checked as any requester is.
    let acts = actor.person().and_then(|own| organisation.people.get(own));
    if acts.is_some_and(|person| !person.active) {
        return Err(forbidden);
    }
    Ok(MayCreate {
        requester: requester.unwrap_or(submitted_by).clone(),
        submitted_by: submitted_by.clone(),
        by_desk: works_on_tickets(actor),
    })
}

/// Permission to read a ticket.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn read(actor: &Actor, ticket: &Ticket, access: Option<&AccessCase>) -> Result<MayRead, Refusal> {
    let about = Some(About { access, ..About::of(ticket) });
    ask(actor, Act::ReadTicket, about)?;
    let sees = if allowed(actor, Act::ReadInternal, about) { Visibility::Internal } else { Visibility::Public };
    Ok(MayRead { ticket: ticket.id, sees })
}

/// Permission to read the public part of a ticket that a person of a department has requested whose tickets the actor reads.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn read_of_department(organisation: &Organisation, actor: &Actor, ticket: &Ticket) -> Result<MayRead, Refusal> {
    let requester = ticket.submitted.requester.as_str();
    let of_department = actor.person().is_some_and(|reader| organisation.reads_tickets_of(reader, requester));
    ask(actor, Act::ReadTicket, Some(About { of_department, ..About::of(ticket) }))?;
    Ok(MayRead { ticket: ticket.id, sees: Visibility::Public })
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
    ask(actor, act, Some(About { access, ..About::of(ticket) }))?;
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
    let about = About::of(ticket);
    ask(actor, Act::ChangeState, Some(about))?;
    Ok(MayTransition { ticket: ticket.id, parties: parties(actor, ticket), author: actor.author() })
}

/// The states that the actor may put a ticket into now, in the order of the table.
pub fn next_states(actor: &Actor, ticket: &Ticket) -> Vec<State> {
    if transition(actor, ticket).is_err() {
        return Vec::new();
    }
    let parties = parties(actor, ticket);
    // A merge names the ticket that takes this one up, which is an act of its own.
    let here = TRANSITIONS.iter().filter(|(from, to, _)| *from == ticket.state && *to != State::Merged);
    here.filter(|(_, _, who)| parties.iter().any(|party| who.contains(party))).map(|(_, to, _)| *to).collect()
}

/// Permission to change a ticket by hand.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn edit(actor: &Actor, ticket: &Ticket) -> Result<MayEdit, Refusal> {
    ask(actor, Act::EditTicket, Some(About::of(ticket)))?;
    Ok(MayEdit { ticket: ticket.id, author: actor.author() })
}

/// Permission to say how a ticket went: its requester's alone.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn answer(actor: &Actor, ticket: &Ticket) -> Result<MayAnswer, Refusal> {
    let act = Act::AnswerSurvey;
    ask(actor, act, Some(About::of(ticket)))?;
    if ticket_is_of(actor, ticket) {
        Ok(MayAnswer { ticket: ticket.id, author: actor.author() })
    } else {
        Err(Refusal::Forbidden { act })
    }
}

/// Permission to let a person follow a ticket.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn watch(actor: &Actor, ticket: &Ticket) -> Result<MayWatch, Refusal> {
    ask(actor, Act::ChangeWatchers, Some(About::of(ticket)))?;
    Ok(MayWatch { ticket: ticket.id, author: actor.author() })
}

/// Permission to let a person follow a ticket no more: one's own following ends at one's own wish.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn unwatch(actor: &Actor, ticket: &Ticket, person: &PersonId) -> Result<MayWatch, Refusal> {
    let permit = MayWatch { ticket: ticket.id, author: actor.author() };
    if actor.person() == Some(person) { Ok(permit) } else { watch(actor, ticket) }
}

/// Permission to take a ticket up to the next tier.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn escalate(actor: &Actor, ticket: &Ticket) -> Result<MayEscalate, Refusal> {
    ask(actor, Act::Escalate, Some(About::of(ticket)))?;
    Ok(MayEscalate { ticket: ticket.id, author: actor.author() })
}

/// Permission to read the knowledge base.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn read_knowledge(actor: &Actor) -> Result<MayReadKnowledge, Refusal> {
    ask(actor, Act::ReadKnowledge, None)?;
    Ok(MayReadKnowledge { internal: allowed(actor, Act::ReadInternalKnowledge, None) })
}

/// The person who may let others approve in their place: each for themselves.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn delegate_approvals(actor: &Actor) -> Result<PersonId, Refusal> {
    let act = Act::DelegateApprovals;
    ask(actor, act, None)?;
    actor.person().cloned().ok_or(Refusal::Forbidden { act })
}

/// Permission to write articles.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn write_knowledge(actor: &Actor) -> Result<MayWriteKnowledge, Refusal> {
    let act = Act::WriteKnowledge;
    ask(actor, act, None)?;
    let author = actor.person().ok_or(Refusal::Forbidden { act })?.clone();
    Ok(MayWriteKnowledge { author })
}

/// Permission to take back the access that `ticket` gave to an app, whose owner that is and whom it was given to.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn revoke(
    actor: &Actor,
    ticket: &Ticket,
    app_owner: Option<&PersonId>,
    holder: &PersonId,
) -> Result<MayRevoke, Refusal> {
    ask(actor, Act::RevokeAccess, Some(About { app_owner, holder: Some(holder), ..About::of(ticket) }))?;
    Ok(MayRevoke { ticket: ticket.id, author: actor.author() })
}

/// Permission to say what was done in an app for the access that `ticket` gave: as [`revoke`], but none to the person who holds
/// it.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn revoke_for_others(actor: &Actor, ticket: &Ticket, app_owner: Option<&PersonId>) -> Result<MayRevoke, Refusal> {
    ask(actor, Act::RevokeAccess, Some(About { app_owner, ..About::of(ticket) }))?;
    Ok(MayRevoke { ticket: ticket.id, author: actor.author() })
}

/// Whether the actor works on tickets of others, or looks after the desk: no bound that is meant for one requester holds for
/// such an actor.
pub fn works_on_tickets(actor: &Actor) -> bool {
    !matches!(actor, Actor::Person { .. }) || works_on(actor)
}

fn works_on(actor: &Actor) -> bool {
    actor.has(Role::Agent) || actor.has(Role::Admin)
}

fn ticket_is_of(actor: &Actor, ticket: &Ticket) -> bool {
    actor.person().is_some_and(|person| ticket.submitted.requester == *person)
}

/// The parties to a ticket that an actor is. Agents may do with their own tickets what a requester may, but not confirm for
/// others what those have to confirm.
fn parties(actor: &Actor, ticket: &Ticket) -> Vec<Party> {
    match actor {
        Actor::System => vec![Party::System],
        Actor::Operator { .. } => Vec::new(),
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

/// Permission to decide an access request; whether the present step awaits the actor is the question of [`super::access`].
///
/// # Errors
/// [`Refusal::Forbidden`]; [`Refusal::OwnAccess`] for the person who asked, or is to have the access.
pub fn decide_access(actor: &Actor, ticket: &Ticket, case: &AccessCase) -> Result<MayDecide, Refusal> {
    let act = Act::DecideAccess;
    let Some(approver) = actor.person() else {
        return Err(Refusal::Forbidden { act });
    };
    if case.concerns(approver) {
        return Err(Refusal::OwnAccess);
    }
    // A ticket that was cancelled no longer asks for anything, even where its case still says so.
    if ticket.state != State::Waiting(WaitingFor::Approval) {
        return Err(Refusal::AccessSettled { state: ticket.state.code() });
    }
    let access = Some(case);
    ask(actor, act, Some(About { access, ..About::of(ticket) }))?;
    Ok(MayDecide { ticket: ticket.id, approver: approver.clone() })
}
