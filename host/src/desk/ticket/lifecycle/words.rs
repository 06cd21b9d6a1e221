//! The effect of words on a ticket that is resolved or over.

use jiff::{SignedDuration, Timestamp};

use crate::desk::organisation::service::{Closing, Reply};
use crate::desk::refusal::Refusal;
use crate::desk::ticket::{State, Ticket};

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
pub fn only_thanks(text: &str) -> bool {
    if text.chars().count() > THANKS_CHARS_MAX || text.contains('?') || text.chars().any(char::is_numeric) {
        return false;
    }
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    words.iter().all(|word| COURTESIES.contains(word)) && words.iter().any(|word| THANKS.contains(word))
}

/// The effect of a requester's words on a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They stand on the timeline and change nothing.
    None,
    Reopens,
    /// The assignee hears of them.
    IsNoted,
}

/// Refuses public words on a ticket that takes none any more.
///
/// # Errors
/// [`Refusal::Over`].
pub fn check_open(ticket: &Ticket) -> Result<(), Refusal> {
    match ticket.state {
        State::Closed | State::Cancelled | State::Merged => Err(Refusal::Over { state: ticket.state }),
        _ => Ok(()),
    }
}

/// The effect of a requester's public words on a resolved ticket.
///
/// # Errors
/// [`Refusal::Over`] where they come later than the ticket can be reopened.
pub fn on_resolved(ticket: &Ticket, body: &str, closing: &Closing, now: Timestamp) -> Result<Effect, Refusal> {
    if closing.ignores_thanks && only_thanks(body) {
        return Ok(Effect::None);
    }
    let resolved_at = ticket.resolved_at.unwrap_or(ticket.updated_at);
    let days = |days: u32| SignedDuration::from_hours(i64::from(days) * 24);
    if closing.reopen_days.is_some_and(|most| now.duration_since(resolved_at) > days(most)) {
        return Err(Refusal::Over { state: ticket.state });
    }
    Ok(match closing.reply {
        Reply::Reopens => Effect::Reopens,
        Reply::IsNoted => Effect::IsNoted,
    })
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
}
