//! Decisions about access, each as the one change that it makes: the case, the grant, the ledger, the ticket, the messages.

use jiff::Timestamp;

use super::campaign::{self, ReviewItem};
use super::ending::{moved_to, set_timers};
use super::provisioning::{Holding, Op, plan};
use super::{
    AccessCase, AccessState, ApproverDecision, EndReason, Grant, GrantState, LedgerEntry, LedgerEvent, NOT_IN_TIME,
    follow,
};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::{Message, MessageKind};
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::id::{GrantId, PersonId, QuestionId, TicketId};
use crate::desk::permission::{MayDecide, MayRevoke};
use crate::desk::refusal::Refusal;
use crate::desk::text::normal;
use crate::desk::ticket::edit::check_reason;
use crate::desk::ticket::timeline::{AccessOutcome, Event};
use crate::desk::ticket::{State, Ticket, WaitingFor, changed, moved};

/// What a change writes about access.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessWrite {
    /// A case that opens with its ticket.
    Open(AccessCase),
    /// A case as it stands afterwards. The first `known` of its decisions are written already.
    Update { case: AccessCase, known: usize },
    /// Access that is given.
    Grant(Grant),
    /// Access that is taken back.
    Revoke { grant: GrantId, at: Timestamp },
    /// Access that ends here because another grant gives the same from now on.
    Replace { grant: GrantId, at: Timestamp },
    /// A grant stands here now.
    Stand { grant: GrantId, state: GrantState, reason: Option<EndReason> },
    /// An effect in an app as it stands now, new or not.
    Op(Op),
    /// A person holds something in an app.
    Hold(Holding),
    /// A person holds something in an app no more.
    Drop(Holding),
    /// The review of a grant as it stands now, new or not.
    Review(ReviewItem),
    /// A question of an approver as it stands now, new or not.
    Question(Question),
}

/// Adds the case that a ticket opens with to the ticket's change, and the grant where it is approved at once.
pub(in crate::desk) fn opened(change: &mut Change, case: &AccessCase, at: &At<'_>) {
    let requested = LedgerEvent::Requested {
        requester: case.requester.clone(),
        submitted_by: case.submitted_by.clone(),
        request: case.request.clone(),
    };
    change.ledger.push(LedgerEntry { at: at.now, ticket: case.ticket, event: requested });
    if let Some(due_at) = case.due_at() {
        change.timers.push(TimerWrite::Set { kind: TimerKind::AccessDeadline, ticket: case.ticket, due_at });
        follow::set_timers(change, case, at.now);
    }
    change.access.push(AccessWrite::Open(case.clone()));
    stands(change, case, at);
}

/// A question that an approver asked back before deciding, and its answer. The time in which the request can be approved goes on
/// meanwhile: asking keeps nothing open, and is no approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub id: QuestionId,
    pub ticket: TicketId,
    pub asked_by: PersonId,
    pub question: String,
    pub asked_at: Timestamp,
    /// Who has answered, what, and when.
    pub answer: Option<(PersonId, String, Timestamp)>,
}

/// Asks something back; the one who has asked for access hears of it.
///
/// # Errors
/// Where the request does not await this person, another question waits for its answer, or it has no words.
pub fn ask_back(
    ticket: &Ticket,
    case: &AccessCase,
    (question, asked): (&str, &[Question]),
    permit: &MayDecide,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let approver = permit.on(ticket.id)?;
    let (now, _) = case.following(at.organisation, at.now);
    if !now.awaited().contains(&approver) {
        return Err(Refusal::NotAnApprover);
    }
    if waiting(asked).is_some() {
        return Err(Refusal::QuestionOpen);
    }
    if let Some(problem) = check_reason("question", question) {
        return Err(problem.into());
    }
    let words = normal(question.trim()).into_owned();
    let mut change = said(ticket, (AccessOutcome::Asked, approver, &words), at);
    let event = LedgerEvent::AskedBack { approver: approver.clone(), question: words.clone() };
    change.ledger.push(LedgerEntry { at: at.now, ticket: ticket.id, event });
    change.messages.push(at.message(ticket.id, MessageKind::StateChanged, &ticket.submitted.requester));
    change.access.push(AccessWrite::Question(Question {
        id: at.question_id(),
        ticket: ticket.id,
        asked_by: approver.clone(),
        question: words,
        asked_at: at.now,
        answer: None,
    }));
    Ok(change)
}

/// The question that waits for its answer.
fn waiting(asked: &[Question]) -> Option<&Question> {
    asked.iter().rfind(|question| question.answer.is_none())
}

/// Answers what an approver has asked back; those whom the request awaits hear of it.
///
/// # Errors
/// Where the person has not asked for the access and is not to have it, the request is settled, no question waits for its answer,
/// or there are no words.
pub fn answer_back(
    ticket: &Ticket,
    case: &AccessCase,
    asked: &[Question],
    (by, answer): (&PersonId, &str),
    at: &At<'_>,
) -> Result<Change, Refusal> {
    if !case.concerns(by) {
        return Err(Refusal::NotAskedBack);
    }
    if case.state != AccessState::Awaiting {
        return Err(Refusal::AccessSettled { state: case.state.code() });
    }
    let question = waiting(asked).ok_or(Refusal::NotAskedBack)?;
    if let Some(problem) = check_reason("answer", answer) {
        return Err(problem.into());
    }
    let words = normal(answer.trim()).into_owned();
    let mut change = said(ticket, (AccessOutcome::Answered, by, &words), at);
    let event = LedgerEvent::AnsweredBack { by: by.clone(), answer: words.clone() };
    change.ledger.push(LedgerEntry { at: at.now, ticket: ticket.id, event });
    let (now, _) = case.following(at.organisation, at.now);
    change.messages.extend(now.awaited().iter().map(|one| at.message(ticket.id, MessageKind::ApprovalWanted, one)));
    let answer = Some((by.clone(), words, at.now));
    change.access.push(AccessWrite::Question(Question { answer, ..question.clone() }));
    Ok(change)
}

/// A change in which a person says something about a request.
fn said(ticket: &Ticket, (outcome, by, words): (AccessOutcome, &PersonId, &str), at: &At<'_>) -> Change {
    let event = Event::AccessDecided { outcome, detail: words.to_owned() };
    let author = Author::Person(by.clone());
    let entry = at.public(author, event);
    Change::next(ticket, at, vec![entry])
}

/// Takes one approver's decision. The last approval is the provisioning: the grant is in the same change.
///
/// # Errors
/// Where the request does not await this person, the decision is not one that may be given, or the person who is to have
/// the access has left.
pub fn decide(
    ticket: &Ticket,
    case: &AccessCase,
    decision: &ApproverDecision,
    permit: &MayDecide,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    if decision.approve && !at.organisation.is_active(&case.request.subject) {
        return Err(Refusal::SubjectInactive);
    }
    // Who may approve is looked up now, and so is what there is to give.
    let (asked, _) = case.following(at.organisation, at.now);
    let asked = if decision.approve { asked.within(&at.organisation.apps)? } else { asked };
    let mut decided = asked.decided(decision, permit, at.now)?;
    let approver = permit.on(ticket.id)?;
    let in_place_of = asked.stood_in_for(approver, at.organisation, at.now);
    if let Some(decision) = decided.decisions.last_mut() {
        decision.in_place_of.clone_from(&in_place_of);
    }
    let (after, denied) = decided.reviewed(at);
    // Who has approved this step is not asked in the next.
    let (after, _) = after.following(at.organisation, at.now);
    let author = Author::Person(approver.clone());
    let mut change = settled(ticket, case, &after, (author, &normal(&decision.reason)), at);
    if let Some(seen) = &decision.seen {
        let event = LedgerEvent::Seen { approver: approver.clone(), seen: seen.clone() };
        change.ledger.insert(0, LedgerEntry { at: at.now, ticket: ticket.id, event });
    }
    let by_the_desk = |state, detail| {
        let event = Event::AccessDecided { outcome: AccessOutcome::Is(state), detail };
        at.public(Author::System, event)
    };
    if let Some(reason) = denied {
        let place = change.entries.len().min(1);
        change.entries.insert(place, by_the_desk(after.state, reason));
    }
    if !in_place_of.is_empty() {
        let names: Vec<&str> = in_place_of.iter().map(|person| person.as_str()).collect();
        let words = format!("{approver} decides in the place of {}", names.join(" and "));
        // Before the decision itself, which is not the desk's own outcome.
        change.entries.insert(0, by_the_desk(AccessState::Awaiting, words));
    }
    Ok(change)
}

/// The desk's own denial of a request that no approver decided in time; `None` while there is time, and where the ticket
/// does not wait for approval.
pub fn lapse(ticket: &Ticket, case: &AccessCase, at: &At<'_>) -> Option<Change> {
    let waits = ticket.state == State::Waiting(WaitingFor::Approval);
    let after = case.denial(at.now).filter(|_| waits)?;
    Some(settled(ticket, case, &after, (Author::System, NOT_IN_TIME), at))
}

/// Takes a grant back: from now on it gives no access, and the person who had it hears of it. Where the desk writes to the app,
/// what it gave there is taken away by orders of the same change. The ticket that gave it keeps its state.
///
/// # Errors
/// [`Refusal::Problems`] without a reason; [`Refusal::GrantEnded`] where it gives no access already.
pub fn revoke(
    ticket: &Ticket,
    grant: &Grant,
    reason: &str,
    permit: &MayRevoke,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    if let Some(problem) = check_reason("reason", reason) {
        return Err(problem.into());
    }
    if grant.has_ended(at.now) {
        return Err(Refusal::GrantEnded);
    }
    let author = permit.on(ticket)?.clone();
    let own = matches!(&author, Author::Person(person) if *person == grant.subject);
    let why = if own { EndReason::GivenBack } else { EndReason::Revoked };
    Ok(revoked(ticket, grant, (author, normal(reason.trim()).into_owned()), why, at))
}

/// The change that takes a grant back.
pub(super) fn revoked(
    ticket: &Ticket,
    grant: &Grant,
    (author, reason): (Author, String),
    why: EndReason,
    at: &At<'_>,
) -> Change {
    let event = Event::AccessDecided { outcome: AccessOutcome::Revoked, detail: reason.clone() };
    let entry = at.public(author.clone(), event);
    let mut change = Change::next(ticket, at, vec![entry]);
    change.access.push(AccessWrite::Revoke { grant: grant.id, at: at.now });
    let event = LedgerEvent::Revoked {
        grant: grant.id,
        subject: grant.subject.clone(),
        app: grant.app.clone(),
        tier: grant.tier.clone(),
        by: author,
        reason,
    };
    change.ledger.push(LedgerEntry { at: at.now, ticket: ticket.id, event });
    change.messages.push(at.message(ticket.id, MessageKind::StateChanged, &grant.subject));
    moved_to(&mut change, grant, GrantState::Deprovisioning, Some(why), at);
    change
}

/// Adds to the change of a ticket that is cancelled that its request is taken back; a settled request stays as it is.
pub(in crate::desk) fn cancelled(change: &mut Change, case: &AccessCase, at: &At<'_>) {
    if case.state == AccessState::Awaiting {
        write_case(change, case, &case.cancelled(), at);
    }
}

/// The change that a decision about a case makes.
pub(super) fn settled(
    ticket: &Ticket,
    before: &AccessCase,
    after: &AccessCase,
    (author, reason): (Author, &str),
    at: &At<'_>,
) -> Change {
    let outcome = AccessOutcome::Is(after.state);
    let mut entries = vec![at.public(author, Event::AccessDecided { outcome, detail: reason.to_owned() })];
    let ticket_after = if after.state == AccessState::Awaiting {
        changed(ticket, at.now)
    } else {
        let reason = format!("the access request is {}", after.state.code());
        let event = Event::StateChanged { from: ticket.state, to: State::Resolved, reason };
        entries.push(at.public(Author::System, event));
        moved(ticket, State::Resolved, at)
    };
    let mut change = Change::update(ticket, ticket_after, entries);
    change.messages = messages(ticket, before, after, at);
    write_case(&mut change, before, after, at);
    change
}

/// Writes a case as it stands afterwards, with what the ledger has to say about it.
pub(super) fn write_case(change: &mut Change, before: &AccessCase, after: &AccessCase, at: &At<'_>) {
    let mut say = |event| change.ledger.push(LedgerEntry { at: at.now, ticket: after.ticket, event });
    for decision in after.decisions.iter().skip(before.decisions.len()) {
        say(LedgerEvent::Decided {
            approver: decision.approver.clone(),
            in_place_of: decision.in_place_of.clone(),
            step: decision.step,
            approve: decision.approve,
            reason: decision.reason.clone(),
        });
    }
    let denied_by_a_person = after.decisions.iter().any(|decision| !decision.approve);
    if after.state == AccessState::Denied && !denied_by_a_person {
        say(if before.lapsed(at.now) { LedgerEvent::Lapsed } else { LedgerEvent::Invalidated });
    }
    follow::reassigned(change, before, after, at);
    if after.due_at() != before.due_at() {
        change.timers.push(TimerWrite::due(TimerKind::AccessDeadline, after.ticket, after.due_at()));
    }
    if (after.state, after.current_step().map(|(number, _)| number))
        != (before.state, before.current_step().map(|(number, _)| number))
    {
        follow::set_timers(change, after, at.now);
    }
    change.access.push(AccessWrite::Update { case: after.clone(), known: before.decisions.len() });
    stands(change, after, at);
}

/// Says in the ledger where a case stands now, and gives the grant where it is approved.
fn stands(change: &mut Change, case: &AccessCase, at: &At<'_>) {
    let entry = |event| LedgerEntry { at: at.now, ticket: case.ticket, event };
    change.ledger.push(entry(LedgerEvent::Stands {
        state: case.state,
        reason: case.reason.clone(),
        scope: case.scope.clone(),
        steps: case.steps.clone(),
    }));
    let Some(mut grant) = case.grant(at.grant_id(), at.now) else { return };
    // One grant gives one access: what is held already is extended, and taking the grant back takes all of it.
    let same =
        |held: &&Grant| !held.has_ended(at.now) && case.scope.as_ref().is_some_and(|s| held.is_of(&grant.app, s));
    // A grant that begins later replaces none, and no grant of now replaces it.
    let scheduled = grant.state == GrantState::Scheduled;
    let begun = |held: &&Grant| !scheduled && held.state != GrantState::Scheduled;
    // An extension gives its time only to what it was decided for: where the old grant lasts longer and has fewer groups, each ends at
    // its own time (I6).
    let covers = |held: &&Grant| {
        held.expires_at <= grant.expires_at || grant.groups.iter().all(|group| held.groups.contains(group))
    };
    let replaced: Vec<&Grant> = at.review().held.iter().filter(same).filter(begun).filter(covers).collect();
    grant.expires_at = replaced.iter().map(|held| held.expires_at).fold(grant.expires_at, Timestamp::max);
    let mut books = at.review().books();
    for held in &replaced {
        change.ledger.push(entry(LedgerEvent::Replaced { grant: held.id, by: grant.id }));
        change.access.push(AccessWrite::Replace { grant: held.id, at: at.now });
        let event =
            LedgerEvent::GrantStands { grant: held.id, state: GrantState::Ended, reason: Some(EndReason::Replaced) };
        change.ledger.push(LedgerEntry { at: at.now, ticket: held.ticket, event });
        let (state, reason) = (GrantState::Ended, Some(EndReason::Replaced));
        change.access.push(AccessWrite::Stand { grant: held.id, state, reason });
        books.stands(held.id, state, reason);
    }
    if !scheduled && plan::is_connected(&grant.app, at.organisation) {
        grant.state = GrantState::Provisioning;
    }
    change.ledger.push(entry(LedgerEvent::Granted { grant: grant.clone() }));
    change.access.push(AccessWrite::Grant(grant.clone()));
    set_timers(change, &grant, at.now);
    if case.request.emergency {
        campaign::ask_after_emergency(change, case, &grant, at);
    }
    books.grants.push(grant.clone());
    plan::bring_in_line(change, &mut books, (&grant.subject, &grant.app), at);
}

/// The people who are awaited next hear of it, and the requester when it is settled.
fn messages(ticket: &Ticket, before: &AccessCase, after: &AccessCase, at: &At<'_>) -> Vec<Message> {
    if after.state != AccessState::Awaiting {
        return vec![at.message(ticket.id, MessageKind::StateChanged, &ticket.submitted.requester)];
    }
    let known = before.awaited();
    let new = after.awaited().into_iter().filter(|person| !known.contains(person));
    new.map(|person| at.message(ticket.id, MessageKind::ApprovalWanted, person)).collect()
}
