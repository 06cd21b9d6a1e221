//! Articles of the knowledge base: what one may say, in which state it is, and how one comes of a resolved ticket.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::Ticket;
use super::lifecycle::resolution::ResolutionRecord;
use crate::desk::id::{CategoryId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Fault, Problem, check_characters, check_long};
use crate::desk::refusal::Refusal;
use crate::desk::text::{into_normal, is_blank};

/// The longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 300;
/// The longest body, in characters.
pub const BODY_CHARS_MAX: usize = 50_000;
/// The longest language tag, in characters (RFC 5646, section 4.4.1).
const LANGUAGE_CHARS_MAX: usize = 35;
/// The years of the days on which articles are looked at again.
const REVIEW_YEARS: std::ops::RangeInclusive<i16> = 1970..=9998;

/// The number behind an article's key, such as `KB-7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArticleNumber(pub i64);

/// A text that names no article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an article's key is KB- and a number")]
pub struct NotAnArticle;

impl fmt::Display for ArticleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KB-{}", self.0)
    }
}

impl FromStr for ArticleNumber {
    type Err = NotAnArticle;

    fn from_str(text: &str) -> Result<Self, NotAnArticle> {
        let digits = text.strip_prefix("KB-").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(ArticleNumber).ok_or(NotAnArticle)
    }
}

/// Where an article stands, and who reads it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArticleState {
    /// Those who work on tickets; it is not suggested.
    Draft,
    /// Those who work on tickets.
    Internal,
    /// Everyone.
    Public,
    /// Those who work on tickets, as what held once; it is not found.
    Retired,
}

codes! {
    ArticleState {
        Draft => "draft",
        Internal => "internal",
        Public => "public",
        Retired => "retired",
    }
}

impl ArticleState {
    /// Whether an article may go from this state to another. A retired one is looked over before it is published again.
    pub fn may_become(self, to: ArticleState) -> bool {
        match (self, to) {
            (ArticleState::Retired, to) => to == ArticleState::Draft,
            (from, to) => from != to,
        }
    }
}

/// The text of an article.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArticleText {
    pub title: String,
    pub body: String,
    /// A language tag (RFC 5646), or empty.
    pub language: String,
    pub category: Option<String>,
    /// The day on which it is to be looked at again.
    pub review_on: Option<Date>,
}

impl ArticleText {
    /// The same in the one form in which texts are kept, if it may be kept.
    ///
    /// # Errors
    /// [`Refusal::Problems`] with each field that is missing, too long or names nothing that exists.
    pub fn checked(self, organisation: &Organisation) -> Result<ArticleText, Refusal> {
        let ArticleText { title, body, language, category, review_on } = self;
        let (title, body) = (into_normal(title.trim().to_owned()), into_normal(body));
        let mut problems: Vec<Problem> = Vec::new();
        problems.extend(check_characters("title", &title).or_else(|| required("title", &title, TITLE_CHARS_MAX)));
        problems.extend(check_long("body", &body).or_else(|| required("body", &body, BODY_CHARS_MAX)));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if language.len() > LANGUAGE_CHARS_MAX || !language.chars().all(plain) {
            problems.push(Problem::of("language", "invalid", Fault::Language, &[]));
        }
        let known = category.as_ref().is_none_or(|id| organisation.categories.contains_key(id.as_str()));
        if !known {
            let known: Vec<&str> = organisation.categories.keys().map(CategoryId::as_str).collect();
            problems.push(Problem::of("category", "unknown", Fault::NoneOf, &[&known.join(", ")]));
        }
        if review_on.is_some_and(|day| !REVIEW_YEARS.contains(&day.year())) {
            let (first, last) = (REVIEW_YEARS.start(), REVIEW_YEARS.end());
            problems.push(Problem::of("review_on", "invalid", Fault::ReviewDay, &[first, last]));
        }
        if !problems.is_empty() {
            return Err(Refusal::Problems { problems });
        }
        Ok(ArticleText { title, body, language: language.to_lowercase(), category, review_on })
    }
}

fn required(field: &str, text: &str, chars_max: usize) -> Option<Problem> {
    if is_blank(text) {
        return Some(Problem::of(field, "required", Fault::Empty, &[]));
    }
    let too_long = text.chars().count() > chars_max;
    too_long.then(|| Problem::of(field, "too-long", Fault::Long, &[&chars_max]))
}

/// The draft that the record of a ticket's resolution is, in the category that its own has for articles. It says nothing of who
/// asked: the submission stays with the ticket.
pub fn draft_of(ticket: &Ticket, record: &ResolutionRecord, organisation: &Organisation) -> ArticleText {
    let parts = [
        ("Symptom", &record.symptom),
        ("Cause", &record.cause),
        ("Solution", &record.fix),
        ("Next time", &record.next_time),
    ];
    let parts = parts.iter().filter(|(_, text)| !is_blank(text)).map(|(name, text)| format!("## {name}\n\n{text}\n"));
    let title = if is_blank(&record.symptom) { &ticket.submitted.subject } else { &record.symptom };
    let line = title.lines().next().unwrap_or_default();
    let category = organisation.of_category(&ticket.category, |category| category.knowledge.clone());
    ArticleText {
        title: line.chars().take(TITLE_CHARS_MAX).collect(),
        body: parts.collect::<Vec<_>>().join("\n"),
        language: String::new(),
        category: Some(category.as_ref().unwrap_or(&ticket.category).to_string()),
        review_on: None,
    }
}

/// Refuses a state that an article cannot go to.
///
/// # Errors
/// [`Refusal::ArticleState`].
pub fn check_state(from: ArticleState, to: ArticleState) -> Result<(), Refusal> {
    if from.may_become(to) { Ok(()) } else { Err(Refusal::ArticleState { from, to }) }
}

/// An article as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    pub number: ArticleNumber,
    /// Counts up from 1 with every change.
    pub version: i64,
    pub state: ArticleState,
    pub text: ArticleText,
    pub source: Option<TicketNumber>,
    /// Who wrote this version.
    pub author: String,
    pub created_at: jiff::Timestamp,
    pub updated_at: jiff::Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_keys_read_back() {
        for state in ArticleState::ALL {
            assert_eq!(ArticleState::from_code(state.code()), Some(state));
            assert!(!state.may_become(state));
        }
        assert!(!ArticleState::Retired.may_become(ArticleState::Public));
        assert_eq!("KB-7".parse(), Ok(ArticleNumber(7)));
        for bad in ["KB-", "KB-x", "KB-+1", "IT-7", "7", "KB-99999999999999999999"] {
            assert_eq!(bad.parse::<ArticleNumber>(), Err(NotAnArticle), "{bad}");
        }
    }
}
