//! Access reviews: the people who answer for access say whether it is still needed. Access that none of them keeps in time is taken
//! back. Access that was given in an emergency is reviewed in the same way: the change that gives it asks for the review.

use jiff::{SignedDuration, Timestamp};

use self::reviewers::{may_review, own_reviewers, reviewers, taken_out};
use super::decide::revoked;
use super::{AccessCase, AccessState, AccessWrite, EndReason, Grant, LedgerEntry, LedgerEvent};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::id::{CampaignId, GrantId, PersonId, ReviewItemId, TicketId};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::Value;
use crate::desk::permission::MayReview;
use crate::desk::refusal::Refusal;
use crate::desk::sla::later;
use crate::desk::text::normal;
use crate::desk::ticket::edit::{check_optional_reason, check_reason};
use crate::desk::ticket::timeline::{AccessOutcome, Event};
use crate::desk::ticket::{Submitted, Ticket};
use crate::desk::verdict::access::Heard;

mod reviewers;

/// How long reviewers have for access that was given in an emergency.
const AFTER_EMERGENCY: SignedDuration = SignedDuration::from_hours(24);
/// How long reviewers have to say whether access stays after its holder has moved.
const AFTER_MOVE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Why a grant ends that no reviewer kept in time.
const NOT_KEPT: &str = "no reviewer has kept it in time";
/// Why a campaign asks no one about a grant.
const NONE_TO_ASK: &str = "a campaign has asked no one about it: only its holder is left who could review it";
/// The reason of a request that was granted in an emergency.
const IN_EMERGENCY: &str = "given at once in an emergency, to be reviewed within 24 hours";
/// Added to the reason of a request that has to wait although it is an emergency.
const NOT_HEARD: &str = ", also in an emergency";

/// The review of one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewItem {
    pub id: ReviewItemId,
    /// `None` where the grant was given in an emergency, or its holder has moved.
    pub campaign: Option<CampaignId>,
    pub grant: GrantId,
    pub ticket: TicketId,
    pub reviewers: Vec<PersonId>,
    pub asked_at: Timestamp,
    /// The instant at which access that was not kept ends.
    pub due_at: Timestamp,
    pub answer: Option<ReviewAnswer>,
}

/// The end of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewAnswer {
    pub verdict: ReviewVerdict,
    /// `None` where no reviewer has said it in time.
    pub by: Option<PersonId>,
    /// The reviewers in whose place it was said; empty where the person was a reviewer, too.
    pub in_place_of: Vec<PersonId>,
    pub reason: String,
    pub at: Timestamp,
}

/// The outcome of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewVerdict {
    /// The access is still needed.
    Keep,
    /// It is not, and was taken back.
    Revoke,
    /// No reviewer has said anything in time, so that it was taken back.
    Lapsed,
    /// It ended before a reviewer answered, or before the answer was written.
    Ended,
    /// No person was there to be asked, so that the access is as it was.
    Unasked,
}

codes! {
    ReviewVerdict {
        Keep => "keep",
        Revoke => "revoke",
        Lapsed => "lapsed",
        Ended => "ended",
        Unasked => "unasked",
    }
}

/// The people whom a campaign asks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Those who answer for the app.
    Owner,
    /// The manager of the person who holds the access.
    Manager,
}

codes! { Asks { Owner => "owner", Manager => "manager" } }

/// Asks whether a grant is still needed; `None` where it is over. Where no person is there to be asked, that is noted: the evidence of a
/// campaign has each grant, and nothing stays out of it in silence.
pub fn ask(
    ticket: &Ticket,
    grant: &Grant,
    (campaign, asks, due_at): (CampaignId, Asks, Timestamp),
    at: &At<'_>,
) -> Option<Change> {
    if grant.has_ended(at.now) {
        return None;
    }
    let reviewers = reviewers(at.organisation, grant, asks, at.now);
    if reviewers.is_empty() {
        return Some(unasked(ticket, grant, (campaign, due_at), at));
    }
    let mut change = Change::next(ticket, at, Vec::new());
    asked(&mut change, grant, (Some(campaign), reviewers, due_at), at);
    Some(change)
}

/// Notes that a campaign had no one to ask about a grant.
fn unasked(ticket: &Ticket, grant: &Grant, (campaign, due_at): (CampaignId, Timestamp), at: &At<'_>) -> Change {
    let event = Event::AccessDecided { outcome: AccessOutcome::Attention, detail: NONE_TO_ASK.to_owned() };
    let entry = at.internal(Author::System, event);
    let mut change = Change::next(ticket, at, vec![entry]);
    let item = ReviewItem {
        id: at.review_item_id(),
        campaign: Some(campaign),
        grant: grant.id,
        ticket: grant.ticket,
        reviewers: Vec::new(),
        asked_at: at.now,
        due_at,
        answer: None,
    };
    let reason = NONE_TO_ASK.to_owned();
    let answer =
        ReviewAnswer { verdict: ReviewVerdict::Unasked, by: None, in_place_of: Vec::new(), reason, at: at.now };
    let asked = LedgerEvent::ReviewAsked { item: item.clone() };
    let noted = LedgerEvent::Reviewed { item: item.id, grant: item.grant, answer: answer.clone() };
    change.ledger.extend([asked, noted].map(|event| LedgerEntry { at: at.now, ticket: item.ticket, event }));
    change.access.push(AccessWrite::Review(ReviewItem { answer: Some(answer), ..item }));
    change
}

fn asked(
    change: &mut Change,
    grant: &Grant,
    (campaign, reviewers, due_at): (Option<CampaignId>, Vec<PersonId>, Timestamp),
    at: &At<'_>,
) {
    let (id, ticket) = (at.review_item_id(), grant.ticket);
    change.messages.extend(reviewers.iter().map(|person| at.message(ticket, MessageKind::ReviewWanted, person)));
    let item = ReviewItem { id, campaign, grant: grant.id, ticket, reviewers, asked_at: at.now, due_at, answer: None };
    change.timers.push(TimerWrite::Set { kind: TimerKind::AccessReview, ticket, due_at });
    change.ledger.push(LedgerEntry { at: at.now, ticket, event: LedgerEvent::ReviewAsked { item: item.clone() } });
    change.access.push(AccessWrite::Review(item));
}

/// Asks other reviewers where none of those who were asked may answer any more: they have left, or they are by another account the
/// holder, or who asked for the access in an emergency. The review keeps its deadline. `None` where one of them is left, where it was
/// answered or is over, and where no other is there to be asked.
pub fn follow(ticket: &Ticket, grant: &Grant, item: &ReviewItem, at: &At<'_>) -> Option<Change> {
    let here = |person: &PersonId| at.organisation.is_active(person);
    let asked = [&ticket.submitted.requester, &ticket.submitted.submitted_by];
    // Only accounts count: by letting a reviewer decide in their place a holder chooses no other.
    let is = |person: &PersonId, parties: &[&PersonId]| parties.iter().any(|one| at.organisation.is_same(person, one));
    let own = |person: &PersonId| {
        is(person, &[&grant.subject]) || (is_emergency(item, &ticket.submitted) && is(person, &asked))
    };
    if item.answer.is_some() || item.due_at <= at.now || item.reviewers.iter().any(|one| here(one) && !own(one)) {
        return None;
    }
    let mut parties = vec![&grant.subject];
    if item.campaign.is_none() {
        parties.extend(asked);
    }
    let may = |person: &PersonId| may_review(at.organisation, &parties, person, at.now);
    let mut people = reviewers(at.organisation, grant, Asks::Owner, at.now);
    people.retain(|person| may(person));
    if people.is_empty() {
        people = own_reviewers(at.organisation, &parties, at.now);
    }
    if people.is_empty() {
        return None;
    }
    let mut change = Change::next(ticket, at, Vec::new());
    change.messages.extend(people.iter().map(|person| at.message(item.ticket, MessageKind::ReviewWanted, person)));
    let item = ReviewItem { reviewers: people, ..item.clone() };
    let event = LedgerEvent::ReviewAsked { item: item.clone() };
    change.ledger.push(LedgerEntry { at: at.now, ticket: item.ticket, event });
    change.access.push(AccessWrite::Review(item));
    Some(change)
}

/// The people who look at what a request in an emergency gave: the owner of the app and the desk's approvers, none of them a party.
/// Where a party lets one of them decide in their own place, only those, who may lay that down: so none is chosen by it.
fn after_emergency(case: &AccessCase, at: &At<'_>) -> Vec<PersonId> {
    let parties = [&case.requester, &case.submitted_by, &case.request.subject];
    let owner = at.organisation.apps.get(&case.request.app).and_then(|app| app.owner.clone());
    let mut people: Vec<PersonId> =
        owner.into_iter().chain(at.organisation.defaults.access_approvers.iter().cloned()).collect();
    let is_taken = taken_out(at.organisation, &parties, at.now);
    let is_chosen = people.iter().any(&is_taken);
    people.retain(
        |person| if is_chosen { is_taken(person) } else { may_review(at.organisation, &parties, person, at.now) },
    );
    people.sort_unstable();
    people.dedup();
    people
}

/// Whether there are people who may look at what a request in an emergency gives.
fn is_looked_at(case: &AccessCase, at: &At<'_>) -> bool {
    let parties = [&case.requester, &case.submitted_by, &case.request.subject];
    after_emergency(case, at).iter().any(|person| may_review(at.organisation, &parties, person, at.now))
}

/// The case as it is decided where it cannot wait: approved at once for a short time, where the tier allows that and there are
/// people to look at it afterwards. A denial of the rules stands; and what waits because a rule was not heard waits on, since the
/// one that is missing might deny.
pub(super) fn broken_glass(case: AccessCase, heard: Heard, at: &At<'_>) -> AccessCase {
    let tier = |app: &crate::desk::organisation::App| {
        let tier = case.scope.as_ref().and_then(|scope| app.tier(scope.tier.as_str()));
        tier.and_then(|(_, tier)| tier.emergency_hours)
    };
    let hours = at.organisation.apps.get(&case.request.app).and_then(tier).filter(|_| case.request.emergency);
    let Some(hours) = hours.filter(|_| is_looked_at(&case, at)) else { return case };
    let mut case = case;
    if let Some(scope) = &mut case.scope {
        scope.duration_hours = scope.duration_hours.min(hours);
    }
    if case.state == AccessState::Awaiting && heard == Heard::NotAll {
        case.reason.push_str(NOT_HEARD);
    } else if case.state == AccessState::Awaiting {
        case.state = AccessState::Approved;
        case.steps.clear();
        let why = std::mem::take(&mut case.reason);
        case.reason = if why.is_empty() { IN_EMERGENCY.to_owned() } else { format!("{IN_EMERGENCY}; {why}") };
        case.own_words = case.own_words.map(|own| own.max(IN_EMERGENCY.len()));
    }
    case
}

/// Has people look at what was given in an emergency.
pub(super) fn ask_after_emergency(change: &mut Change, case: &AccessCase, grant: &Grant, at: &At<'_>) {
    let due_at = later(at.now, AFTER_EMERGENCY);
    asked(change, grant, (None, after_emergency(case, at), due_at), at);
}

/// The outcome for access that the rules would not give a person who has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterMove {
    /// People are asked whether it stays; what none keeps in time ends.
    Ask,
    /// The same, of the desk's own approvers first: those who have agreed to it may be the ones in doubt.
    AskDesk,
    /// It ends.
    End,
}

/// Takes up a grant that would not be given any more: its holder has moved, or may not have it together with something else. `None`
/// where it is over.
pub fn after_move(ticket: &Ticket, grant: &Grant, (why, what): (&str, AfterMove), at: &At<'_>) -> Option<Change> {
    if grant.has_ended(at.now) {
        return None;
    }
    if what == AfterMove::End {
        return Some(revoked(ticket, grant, (Author::System, why.to_owned()), EndReason::Moved, at));
    }
    let event = Event::AccessDecided { outcome: AccessOutcome::Attention, detail: why.to_owned() };
    let entry = at.internal(Author::System, event);
    let mut change = Change::next(ticket, at, vec![entry]);
    // Who has asked for what could not wait has no word in the review, so that others are asked.
    let mut parties = vec![&grant.subject];
    if could_not_wait(&ticket.submitted) {
        parties.extend([&ticket.submitted.requester, &ticket.submitted.submitted_by]);
    }
    let may = |person: &PersonId| may_review(at.organisation, &parties, person, at.now);
    let of = |asks: Asks| {
        let mut people = reviewers(at.organisation, grant, asks, at.now);
        people.retain(|person| may(person));
        people
    };
    let own = own_reviewers(at.organisation, &parties, at.now);
    let first = if what == AfterMove::AskDesk { own.clone() } else { Vec::new() };
    let choices = [first, of(Asks::Manager), of(Asks::Owner), own];
    let reviewers = choices.into_iter().find(|people| !people.is_empty()).unwrap_or_default();
    if !reviewers.is_empty() {
        let due_at = later(at.now, AFTER_MOVE);
        asked(&mut change, grant, (None, reviewers, due_at), at);
    }
    Some(change)
}

/// A reviewer's word about a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub by: PersonId,
    pub keep: bool,
    /// Needed where it is not kept.
    pub reason: String,
}

/// Whether a review is about what was given in an emergency, on a request that had no other's word.
fn is_emergency(item: &ReviewItem, request: &Submitted) -> bool {
    item.campaign.is_none() && could_not_wait(request)
}

/// Whether a request says that it is an emergency.
fn could_not_wait(request: &Submitted) -> bool {
    let flagged = |(name, value): &(String, Value)| name == "emergency" && *value == Value::Flag(true);
    request.fields.iter().any(flagged)
}

/// The reviewers in whose place a person may answer a review, none of them where it asks the person; `None` where they have no word
/// in it, since it asks others or is theirs (I2). `requests` are the one that the review is about, and the one by which the access is
/// held now.
pub fn places(
    (item, grant, requests): (&ReviewItem, &Grant, [&Submitted; 2]),
    person: &PersonId,
    organisation: &Organisation,
    now: Timestamp,
) -> Option<Vec<PersonId>> {
    let asked = requests.into_iter().flat_map(|request| [&request.requester, &request.submitted_by]);
    let asked: Vec<&PersonId> = asked.collect();
    // Who has asked for what was given in an emergency does not look at it by another account, either.
    let is_own =
        |one: &PersonId| is_emergency(item, requests[0]) && asked.iter().any(|party| organisation.is_same(one, party));
    let may = |one: &PersonId| may_review(organisation, &[&grant.subject], one, now) && !is_own(one);
    if item.reviewers.contains(person) {
        return may(person).then(Vec::new);
    }
    let lets = |one: &&PersonId| may(one) && organisation.delegates_of(one, now).any(|to| to == person);
    let places: Vec<PersonId> = item.reviewers.iter().filter(lets).cloned().collect();
    // Who stands in for a reviewer may be the one who has asked for the access.
    let parties: Vec<&PersonId> = std::iter::once(&grant.subject).chain(asked.iter().copied()).collect();
    (!places.is_empty() && may_review(organisation, &parties, person, now)).then_some(places)
}

/// Takes a reviewer's word: what is not kept is taken back by the same change. `grant` is the one that gives the access now, and
/// `request` the one that the review is about.
///
/// # Errors
/// [`Refusal::NotAReviewer`]; [`Refusal::ReviewEnded`]; [`Refusal::Problems`] without a reason where it is not kept.
pub fn answer(
    ticket: &Ticket,
    grant: &Grant,
    (item, said, request): (&ReviewItem, &Said, &Submitted),
    _permit: &MayReview,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let about = (item, grant, [request, &*ticket.submitted]);
    let Some(in_place_of) = places(about, &said.by, at.organisation, at.now) else {
        return Err(Refusal::NotAReviewer);
    };
    if item.answer.is_some() || item.due_at <= at.now {
        return Err(Refusal::ReviewEnded);
    }
    let problem =
        if said.keep { check_optional_reason("reason", &said.reason) } else { check_reason("reason", &said.reason) };
    if let Some(problem) = problem {
        return Err(problem.into());
    }
    let reason = normal(said.reason.trim()).into_owned();
    // A word about what has ended meanwhile keeps nothing and takes nothing back, and the evidence of a campaign does not say so.
    let over = item.campaign.is_some() && grant.has_ended(at.now);
    let verdict = if over {
        ReviewVerdict::Ended
    } else if said.keep {
        ReviewVerdict::Keep
    } else {
        ReviewVerdict::Revoke
    };
    let answer = ReviewAnswer { verdict, by: Some(said.by.clone()), in_place_of, reason, at: at.now };
    Ok(ended(ticket, grant, item, answer, at))
}

/// Why the word that has kept access counts for nothing by the accounts as they are linked now; `None` where it counts, or has not kept
/// it (I2).
pub fn kept_by_party(ticket: &Ticket, grant: &Grant, item: &ReviewItem, organisation: &Organisation) -> Option<String> {
    let answer = item.answer.as_ref().filter(|answer| answer.verdict == ReviewVerdict::Keep)?;
    let own = |by: &PersonId, parties: &[&PersonId]| parties.iter().any(|party| organisation.is_same(by, party));
    let by = answer.by.as_ref()?;
    let mut parties = vec![&grant.subject];
    if let Some(one) = answer.in_place_of.iter().find(|one| own(one, &parties)) {
        let holder = &grant.subject;
        return Some(format!(
            "{one}, in whose place it was kept in a review, and {holder}, who holds it, are one person"
        ));
    }
    // Who stands in for a reviewer has no word about what they have asked for, either, nor who looks at an emergency.
    if !answer.in_place_of.is_empty() || is_emergency(item, &ticket.submitted) {
        parties.extend([&ticket.submitted.requester, &ticket.submitted.submitted_by]);
    }
    let party = parties.into_iter().find(|party| organisation.is_same(by, party))?;
    Some(format!("{by}, who has kept it in a review, and {party}, who holds it or has asked for it, are one person"))
}

/// Ends the review of a grant whose time is over; `None` where there is time, or it has ended.
pub fn lapse(ticket: &Ticket, grant: &Grant, item: &ReviewItem, at: &At<'_>) -> Option<Change> {
    if item.answer.is_some() || at.now < item.due_at {
        return None;
    }
    // That none has looked at what was given in an emergency is to be seen also where it is over.
    let over = grant.has_ended(at.now) && item.campaign.is_some();
    let verdict = if over { ReviewVerdict::Ended } else { ReviewVerdict::Lapsed };
    let reason = if over { String::new() } else { NOT_KEPT.to_owned() };
    let answer = ReviewAnswer { verdict, by: None, in_place_of: Vec::new(), reason, at: at.now };
    Some(ended(ticket, grant, item, answer, at))
}

fn ended(ticket: &Ticket, grant: &Grant, item: &ReviewItem, answer: ReviewAnswer, at: &At<'_>) -> Change {
    let takes = matches!(answer.verdict, ReviewVerdict::Revoke | ReviewVerdict::Lapsed) && !grant.has_ended(at.now);
    let mut change = if takes {
        let author = answer.by.clone().map_or(Author::System, Author::Person);
        revoked(ticket, grant, (author, answer.reason.clone()), EndReason::Reviewed, at)
    } else {
        Change::next(ticket, at, Vec::new())
    };
    let event = LedgerEvent::Reviewed { item: item.id, grant: item.grant, answer: answer.clone() };
    change.ledger.push(LedgerEntry { at: at.now, ticket: item.ticket, event });
    change.access.push(AccessWrite::Review(ReviewItem { answer: Some(answer), ..item.clone() }));
    change.timers.push(TimerWrite::Cancel { kind: TimerKind::AccessReview, ticket: item.ticket });
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for verdict in ReviewVerdict::ALL {
            assert_eq!(ReviewVerdict::from_code(verdict.code()), Some(verdict));
        }
        for asks in [Asks::Owner, Asks::Manager] {
            assert_eq!(Asks::from_code(asks.code()), Some(asks));
        }
    }
}
