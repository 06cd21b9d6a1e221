//! Tickets that were worked on elsewhere, before this desk: taken over as they stood. Nothing is decided, promised, granted or
//! sent about them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{CategoryId, PersonId, PriorityId, TeamId, TicketId, TicketNumber};
use crate::desk::organisation::form::{Field, PROBLEMS_MAX, Problem, Raw, check_comment, check_field, check_texts};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::permission::MayImport;
use crate::desk::refusal::Refusal;
use crate::desk::sla::{Clock, Clocks};
use crate::desk::text::normal;
use crate::desk::ticket::intake::check_request_type;
use crate::desk::ticket::timeline::{Entry, Event, Field as Set, Visibility};
use crate::desk::ticket::{State, Submitted, Ticket};

pub mod log;

/// A ticket of another desk, as its file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    pub request_type: String,
    pub channel: String,
    /// The person may have left, or never have been in the directory.
    pub requester: PersonId,
    pub subject: String,
    pub body: String,
    pub fields: Vec<(String, Raw)>,
    pub created_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    /// Where it stood; `None` follows from its times.
    pub state: Option<State>,
    pub assignee: Option<PersonId>,
    /// The decisions of people about it; `None` is the organisation's default.
    pub category: Option<String>,
    pub priority: Option<String>,
    pub team: Option<String>,
    /// The thread, in the order of its times.
    pub comments: Vec<PastComment>,
}

/// A comment of another desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastComment {
    pub at: Timestamp,
    /// `None` where no one is named. The person may have left.
    pub author: Option<PersonId>,
    pub body: String,
    /// Internal for a private note, which its requester never sees.
    pub visibility: Visibility,
}

/// The decisions of people about it, in the terms of this organisation.
struct Decided {
    category: CategoryId,
    priority: PriorityId,
    rank: usize,
    team: TeamId,
    tier: u8,
}

/// Takes a ticket over.
///
/// # Errors
/// [`Refusal::Problems`] with every problem found. What is only missing is none: forms change, and the past does not.
pub fn take_over(past: Past, _permit: &MayImport, id: TicketId, at: &At<'_>) -> Result<Change, Refusal> {
    let mut problems = check_texts(&past.subject, &past.body);
    let form = check_request_type(at.organisation, &past.request_type).map_err(|problem| problems.push(problem)).ok();
    let fields = form.map(|form| check_fields(form, &past.fields, &mut problems)).unwrap_or_default();
    let decided = decided(at.organisation, form, &past, &mut problems);
    let state = past.state.unwrap_or(match (past.closed_at, past.resolved_at) {
        (Some(_), _) => State::Closed,
        (None, Some(_)) => State::Resolved,
        (None, None) => State::Open,
    });
    problems.extend(check_times(&past, at.now));
    problems.extend(check_thread(&past, at.now));
    let (Some(form), Some(decided), true) = (form, decided, problems.is_empty()) else {
        return Err(Refusal::Problems { problems });
    };
    let ended = past.closed_at.or(past.resolved_at).filter(|_| !state.is_unfinished());
    let mut entries = entries(&past, &decided, state, ended);
    entries.extend(thread(&past, at));
    entries.sort_by_key(|entry| entry.at);
    let updated_at = past.comments.iter().map(|comment| comment.at).fold(ended.unwrap_or(past.created_at), Ord::max);
    let clocks = clocks(&past, &decided, state, ended, at);
    let is_dropped = matches!(state, State::Cancelled | State::Merged);
    let submitted = Submitted {
        request_type: form.id.clone(),
        channel: past.channel,
        submitted_by: past.requester.clone(),
        requester: past.requester,
        at: past.created_at,
        subject: past.subject,
        body: past.body,
        fields,
        attachments: Vec::new(),
        signals: Vec::new(),
    };
    let mut change = Change::open(Ticket {
        id,
        number: TicketNumber(0),
        version: 1,
        submitted: Arc::new(submitted),
        kind: form.kind,
        tags: Vec::new(),
        category: decided.category,
        impact: None,
        urgency: None,
        priority: decided.priority,
        rank: i64::try_from(decided.rank).unwrap_or(i64::MAX),
        team: decided.team,
        assignee: past.assignee,
        skills: Vec::new(),
        tier: decided.tier,
        state,
        duplicate_of: None,
        watchers: Vec::new(),
        updated_at,
        // What was cancelled was not resolved by that.
        resolved_at: past.resolved_at.or(past.closed_at.filter(|_| !is_dropped)).filter(|_| !state.is_unfinished()),
        closed_at: past.closed_at.filter(|_| state == State::Closed || is_dropped),
        clocks,
    });
    change.entries = entries;
    Ok(change)
}

/// The fields that are filled in and fit; those that are not filled in are no problem here, though the form asks for them.
fn check_fields(form: &RequestType, given: &[(String, Raw)], problems: &mut Vec<Problem>) -> Vec<Field> {
    let mut fields = Vec::with_capacity(given.len());
    for (name, raw) in given {
        let Some(spec) = form.fields.iter().find(|spec| spec.name == *name) else {
            let known: Vec<&str> = form.fields.iter().map(|spec| spec.name.as_str()).collect();
            let message = format!("The form `{}` has the fields {}.", form.id, known.join(", "));
            problems.push(Problem::new(name, "unknown-field", message));
            continue;
        };
        match check_field(spec, raw) {
            Ok(value) => fields.extend(value.map(|value| (name.clone(), value))),
            Err(problem) => problems.push(problem),
        }
    }
    fields
}

fn decided(
    organisation: &Organisation,
    form: Option<&RequestType>,
    past: &Past,
    problems: &mut Vec<Problem>,
) -> Option<Decided> {
    let defaults = &organisation.defaults;
    let mut unknown = |field: &str, name: &str| {
        let message = format!("`{name}` is none of this organisation's: map it to one that is");
        problems.push(Problem::new(field, "unknown", message));
    };
    let category = match past.category.as_deref() {
        None => Some(form.and_then(|form| form.category.clone()).unwrap_or_else(|| defaults.category.clone())),
        Some(name) => organisation.categories.keys().find(|id| id.as_str() == name).cloned().or_else(|| {
            unknown("category", name);
            None
        }),
    };
    let wanted = past.priority.as_deref().unwrap_or(defaults.priority.as_str());
    let level = organisation.priorities.iter().enumerate().find(|(_, level)| level.id.as_str() == wanted);
    if level.is_none() {
        unknown("priority", wanted);
    }
    let wanted = past.team.as_deref().unwrap_or(defaults.team.as_str());
    let team = organisation.teams.values().find(|team| team.id.as_str() == wanted);
    if team.is_none() {
        unknown("team", wanted);
    }
    let ((rank, level), team) = level.zip(team)?;
    Some(Decided { category: category?, priority: level.id.clone(), rank, team: team.id.clone(), tier: team.tier })
}

fn check_times(past: &Past, now: Timestamp) -> Option<Problem> {
    let times =
        [("created-at", Some(past.created_at)), ("resolved-at", past.resolved_at), ("closed-at", past.closed_at)];
    let later = times.into_iter().find(|(_, time)| time.is_some_and(|time| time > now));
    later.map(|(field, _)| Problem::new(field, "in-the-future", "History has happened: this time is still to come."))
}

/// The problem of each comment that this desk would not take either.
fn check_thread(past: &Past, now: Timestamp) -> Vec<Problem> {
    let check = |(n, comment): (usize, &PastComment)| {
        let numbered = |problem: Problem| {
            Problem::new("comments", &problem.code, format!("comment {n}, by its time: {}", problem.message))
        };
        let wrong = check_comment(&comment.body).err();
        let early = || Problem::new("comments", "in-the-future", "its time is still to come".to_owned());
        wrong.or_else(|| (comment.at > now).then(early)).map(numbered)
    };
    (1..).zip(&past.comments).filter_map(check).take(PROBLEMS_MAX).collect()
}

/// The thread as entries. A source whose times have no seconds may have a comment before its ticket.
fn thread(past: &Past, at: &At<'_>) -> Vec<Entry> {
    let entry = |comment: &PastComment| Entry {
        at: comment.at.max(past.created_at),
        author: comment.author.clone().map_or(Author::System, Author::Person),
        visibility: comment.visibility,
        event: Event::Commented { comment: at.comment_id(), body: normal(&comment.body).into_owned() },
    };
    past.comments.iter().map(entry).collect()
}

/// When another than the requester first said something that the requester could read.
fn answered_at(past: &Past) -> Option<Timestamp> {
    let answers = past.comments.iter().filter(|comment| {
        comment.visibility == Visibility::Public && comment.author.as_ref().is_some_and(|by| *by != past.requester)
    });
    answers.map(|comment| comment.at.max(past.created_at)).min()
}

/// The promises: of what is over, as it was kept by today's calendar; of what is not, running since it began. When it was
/// first answered is known from its thread; without one, nothing is said about it.
fn clocks(past: &Past, decided: &Decided, state: State, ended: Option<Timestamp>, at: &At<'_>) -> Clocks {
    let calendar = at.organisation.calendar_of(&decided.priority);
    let promise = at.organisation.targets(&decided.category, &decided.priority);
    let clock = |minutes: Option<u32>| Clock::start(calendar, minutes.unwrap_or(u32::MAX), past.created_at);
    let first_response = clock(promise.map(|targets| targets.first_response))
        .meet(calendar, answered_at(past).unwrap_or(past.created_at));
    let resolution = clock(promise.map(|targets| targets.resolution));
    let resolution = match (ended, state) {
        (Some(ended), _) => resolution.meet(calendar, past.resolved_at.unwrap_or(ended)),
        (None, State::Waiting(_)) => resolution.pause(calendar, at.now),
        (None, _) if state.is_unfinished() => resolution,
        // It is over, and since when is not known.
        (None, _) => resolution.meet(calendar, past.created_at),
    };
    Clocks::of(first_response, resolution)
}

/// Why a ticket that was taken over is as it is, in the words of its timeline.
pub const REASON: &str = "as it was taken over";

fn entries(past: &Past, decided: &Decided, state: State, ended: Option<Timestamp>) -> Vec<Entry> {
    let entry = |at, author, visibility, event| Entry { at, author, visibility, event };
    let set = |field, to: &str, visibility| {
        let event = Event::Set { field, from: None, to: to.to_owned(), reason: REASON.to_owned() };
        entry(past.created_at, Author::System, visibility, event)
    };
    let submitted = Event::Submitted { channel: past.channel.clone() };
    let mut entries = vec![
        entry(past.created_at, Author::Person(past.requester.clone()), Visibility::Public, submitted),
        set(Set::Category, decided.category.as_str(), Visibility::Public),
        set(Set::Priority, decided.priority.as_str(), Visibility::Public),
        set(Set::Team, decided.team.as_str(), Visibility::Internal),
    ];
    if state != State::New {
        let event = Event::StateChanged { from: State::New, to: state, reason: REASON.to_owned() };
        entries.push(entry(ended.unwrap_or(past.created_at), Author::System, Visibility::Public, event));
    }
    entries
}
