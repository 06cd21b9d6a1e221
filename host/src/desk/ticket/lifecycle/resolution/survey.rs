//! The question to the requester how it went, once a ticket is closed: one answer for each closure.

use jiff::{SignedDuration, Timestamp};

use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::organisation::form::{Fault, Problem, check_long};
use crate::desk::permission::MayAnswer;
use crate::desk::refusal::Refusal;
use crate::desk::text::normal;
use crate::desk::ticket::timeline::Event;
use crate::desk::ticket::{State, Ticket};

/// The best score; the worst is 1.
pub const SCORE_MAX: i64 = 5;
/// From this score on a requester counts as satisfied.
pub const SATISFIED_FROM: i64 = 4;
/// The longest comment, in characters.
const COMMENT_CHARS_MAX: usize = 2_000;
/// How long after the closure the question stands.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long an answer can be changed.
const CHANGEABLE_FOR: SignedDuration = SignedDuration::from_hours(24);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyAnswer {
    /// The resolution that was closed.
    pub round: i64,
    /// 1 to [`SCORE_MAX`].
    pub score: i64,
    pub comment: String,
    /// When it was given first.
    pub answered_at: Timestamp,
    pub changed_at: Timestamp,
}

/// Whether the question is put about a ticket now, and can be answered or the answer changed.
///
/// # Errors
/// [`Refusal::NoSurvey`] where the ticket is not closed; [`Refusal::SurveyOver`] where it is too late.
pub fn check_open(ticket: &Ticket, before: Option<&SurveyAnswer>, now: Timestamp) -> Result<(), Refusal> {
    let closed_at = ticket.closed_at.filter(|_| ticket.state == State::Closed);
    let closed_at = closed_at.ok_or(Refusal::NoSurvey { state: ticket.state })?;
    let end = match before {
        Some(answer) => answer.answered_at.saturating_add(CHANGEABLE_FOR),
        None => closed_at.saturating_add(OPEN_FOR),
    };
    let end = end.unwrap_or(Timestamp::MAX);
    if now > end { Err(Refusal::SurveyOver { end }) } else { Ok(()) }
}

/// Answers, or changes the answer; `None` where it says the same already.
///
/// # Errors
/// As [`check_open`]; [`Refusal::Problems`] for a score that there is not, and a comment that is too long.
pub fn answer(
    ticket: &Ticket,
    (round, before): (i64, Option<&SurveyAnswer>),
    (score, comment): (i64, &str),
    permit: &MayAnswer,
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    check_open(ticket, before, at.now)?;
    let comment = normal(comment.trim()).into_owned();
    let mut problems: Vec<Problem> = check_long("comment", &comment).into_iter().collect();
    if !(1..=SCORE_MAX).contains(&score) {
        problems.push(Problem::of("score", "out-of-range", Fault::Score, &[&SCORE_MAX]));
    }
    if comment.chars().count() > COMMENT_CHARS_MAX {
        problems.push(Problem::of("comment", "too-long", Fault::Long, &[&COMMENT_CHARS_MAX]));
    }
    if !problems.is_empty() {
        return Err(Refusal::Problems { problems });
    }
    if before.is_some_and(|before| (before.score, &before.comment) == (score, &comment)) {
        return Ok(None);
    }
    let event = Event::SurveyAnswered { score, comment: comment.clone() };
    let entry = at.internal(author.clone(), event);
    let mut change = Change::next(ticket, at, vec![entry]);
    let answered_at = before.map_or(at.now, |before| before.answered_at);
    change.survey = Some(SurveyAnswer { round, score, comment, answered_at, changed_at: at.now });
    Ok(Some(change))
}
