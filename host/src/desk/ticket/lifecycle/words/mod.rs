//! The effect of words on a ticket that is resolved or over.

use jiff::{SignedDuration, Timestamp};

use crate::desk::change::Change;
use crate::desk::organisation::service::{Closing, Reply};
use crate::desk::refusal::Refusal;
use crate::desk::ticket::{State, Ticket, changed};

pub mod verdict;

/// Words of a requester are thanks only up to this length, in characters.
const THANKS_CHARS_MAX: usize = 80;

/// Words that say nothing but thanks, greeting or agreement, in the languages of Europe's desks. A text of these alone asks for
/// nothing.
const COURTESIES: [&str; 62] = [
    "thanks",
    "thank",
    "you",
    "thx",
    "ty",
    "cheers",
    "great",
    "perfect",
    "ok",
    "okay",
    "super",
    "very",
    "much",
    "so",
    "a",
    "lot",
    "many",
    "all",
    "good",
    "now",
    "it",
    "works",
    "again",
    "fine",
    "for",
    "your",
    "the",
    "quick",
    "help",
    "best",
    "kind",
    "regards",
    "hi",
    "hello",
    "danke",
    "dank",
    "vielen",
    "herzlichen",
    "schön",
    "dir",
    "euch",
    "ihnen",
    "für",
    "die",
    "hilfe",
    "alles",
    "gut",
    "passt",
    "prima",
    "viele",
    "grüße",
    "gruss",
    "merci",
    "beaucoup",
    "gracias",
    "muchas",
    "grazie",
    "mille",
    "obrigado",
    "obrigada",
    "takk",
    "tack",
];
/// One of these has to be among them.
const THANKS: [&str; 16] = [
    "thanks", "thank", "thx", "ty", "cheers", "danke", "dank", "merci", "gracias", "grazie", "obrigado", "obrigada",
    "takk", "tack", "perfect", "prima",
];

/// Whether a text only thanks. It is strict: a question, a number or any other word makes it more than that.
fn only_thanks(text: &str) -> bool {
    if text.chars().count() > THANKS_CHARS_MAX || text.contains('?') || text.chars().any(char::is_numeric) {
        return false;
    }
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    words.iter().all(|word| COURTESIES.contains(word)) && words.iter().any(|word| THANKS.contains(word))
}

/// The effect of a requester's words on a ticket that was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They stand on the timeline and change nothing.
    Kept,
    Reopens,
    /// The assignee hears of them.
    IsNoted,
    /// They open a new ticket, which takes this one up.
    FollowsUp,
    /// They say that the resolution holds.
    Confirms,
    /// The ticket takes none any more.
    Refused,
}

impl Effect {
    /// Every effect.
    pub const ALL: [Effect; 6] =
        [Effect::Kept, Effect::Reopens, Effect::IsNoted, Effect::FollowsUp, Effect::Confirms, Effect::Refused];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Effect::Kept => "keep",
            Effect::Reopens => "reopen",
            Effect::IsNoted => "note",
            Effect::FollowsUp => "follow-up",
            Effect::Confirms => "confirm",
            Effect::Refused => "refuse",
        }
    }
}

/// Words of a requester, as far as a policy goes by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken<'a> {
    /// The state of the ticket.
    pub state: State,
    pub resolved_at: Timestamp,
    pub body: &'a str,
    pub now: Timestamp,
}

impl<'a> Spoken<'a> {
    /// Of words on a ticket.
    pub fn on(ticket: &Ticket, body: &'a str, now: Timestamp) -> Spoken<'a> {
        Spoken { state: ticket.state, resolved_at: resolved_at(ticket), body, now }
    }

    fn is_later_than(&self, days: u32) -> bool {
        self.now.duration_since(self.resolved_at) > SignedDuration::from_hours(i64::from(days) * 24)
    }
}

/// The change of a ticket whose requester's words have become another ticket: it is seen to have changed, and has the record of
/// why. The link is the other ticket's.
pub fn followed_up(ticket: &Ticket, now: Timestamp) -> Change {
    Change::update(ticket, changed(ticket, now), Vec::new())
}

/// The time of a ticket's last resolution, as far as the desk knows it.
pub fn resolved_at(ticket: &Ticket) -> Timestamp {
    ticket.resolved_at.unwrap_or(ticket.updated_at)
}

/// Refuses public words on a ticket that takes none any more.
///
/// # Errors
/// [`Refusal::Over`].
pub fn check_open(ticket: &Ticket) -> Result<(), Refusal> {
    match ticket.state {
        State::Closed | State::Cancelled | State::Merged => Err(Refusal::Over { state: ticket.state }),
        State::New | State::Open | State::InProgress | State::Waiting(_) | State::Resolved | State::Reopened => Ok(()),
    }
}

/// The effect of a requester's public words by the policy of the request type alone.
pub fn by_policy(spoken: &Spoken<'_>, closing: &Closing) -> Effect {
    if spoken.state != State::Resolved {
        return Effect::Refused;
    }
    if closing.ignores_thanks && only_thanks(spoken.body) {
        return Effect::Kept;
    }
    if closing.reopen_days.is_some_and(|most| spoken.is_later_than(most)) {
        return Effect::Refused;
    }
    match closing.reply {
        Reply::Reopens => Effect::Reopens,
        Reply::IsNoted => Effect::IsNoted,
    }
}

/// Whether rules may be asked about words: on a ticket that is resolved, and on one that is closed while the days for reopening
/// are not over.
pub fn may_be_judged(spoken: &Spoken<'_>, closing: &Closing) -> bool {
    match spoken.state {
        State::Resolved => true,
        State::Closed => closing.reopen_days.is_some_and(|most| !spoken.is_later_than(most)),
        State::New | State::Open | State::InProgress | State::Waiting(_) | State::Reopened => false,
        State::Cancelled | State::Merged => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thanks_are_thanks_and_nothing_else() {
        for text in [
            "Thanks!",
            "thank you very much",
            "Vielen Dank, alles gut",
            "Perfect, it works again. Cheers",
            "Merci beaucoup !",
        ] {
            assert!(only_thanks(text), "{text}");
        }
        for text in [
            "",
            "ok",
            "Thanks, but it is still slow",
            "Thanks?",
            "thanks for 2 weeks",
            "no thanks",
            "It does not work",
            "danke, geht nicht",
        ] {
            assert!(!only_thanks(text), "{text}");
        }
    }

    fn spoken(state: State, days: i64) -> Spoken<'static> {
        let (resolved_at, body) = (Timestamp::UNIX_EPOCH, "And the printer?");
        Spoken { state, resolved_at, body, now: resolved_at + SignedDuration::from_hours(days * 24) }
    }

    #[test]
    fn a_policy_takes_words_for_as_long_as_it_says() {
        let (always, week) = (Closing::default(), Closing { reopen_days: Some(7), ..Closing::default() });
        let noted = Closing { reply: Reply::IsNoted, ..Closing::default() };
        for (state, days, closing, effect) in [
            (State::Resolved, 100, &always, Effect::Reopens),
            (State::Resolved, 7, &week, Effect::Reopens),
            (State::Resolved, 8, &week, Effect::Refused),
            (State::Resolved, 0, &noted, Effect::IsNoted),
            (State::Closed, 0, &always, Effect::Refused),
            (State::Merged, 0, &always, Effect::Refused),
        ] {
            assert_eq!(by_policy(&spoken(state, days), closing), effect, "{state} {days}");
        }
        let thanks = Spoken { body: "Thanks!", ..spoken(State::Resolved, 8) };
        assert_eq!(by_policy(&thanks, &week), Effect::Kept, "thanks come at any time");
    }

    #[test]
    fn rules_judge_words_on_what_is_resolved_and_on_what_was_closed_within_the_days_for_reopening() {
        let (always, week) = (Closing::default(), Closing { reopen_days: Some(7), ..Closing::default() });
        for state in State::ALL {
            let judged = |days, closing| may_be_judged(&spoken(state, days), closing);
            let (is_resolved, is_closed) = (state == State::Resolved, state == State::Closed);
            assert_eq!((judged(0, &always), judged(8, &week)), (is_resolved, is_resolved), "{state}");
            assert_eq!(judged(7, &week), is_resolved || is_closed, "{state}");
        }
    }
}
