//! The states of a ticket, and what becomes of access, in the languages that the desk ships.

use crate::desk::access::AccessState;
use crate::desk::ticket::timeline::AccessOutcome;
use crate::desk::ticket::{State, WaitingFor};

/// A state in words; in English for a language that the desk does not ship.
pub fn state(locale: &str, state: State) -> &'static str {
    let (english, german) = match state {
        State::New => ("new", "neu"),
        State::Open => ("open", "offen"),
        State::InProgress => ("in progress", "in Arbeit"),
        State::Waiting(WaitingFor::Requester) => ("waiting for your answer", "wartet auf Ihre Antwort"),
        State::Waiting(WaitingFor::Approval) => ("waiting for approval", "wartet auf Freigabe"),
        State::Waiting(WaitingFor::Vendor) => ("waiting for a supplier", "wartet auf einen Lieferanten"),
        State::Resolved => ("resolved", "gelöst"),
        State::Reopened => ("open again", "wieder offen"),
        State::Closed => ("closed", "abgeschlossen"),
        State::Cancelled => ("cancelled", "zurückgezogen"),
        State::Merged => ("joined to another ticket", "mit einem anderen Anliegen zusammengelegt"),
    };
    if is_german(locale) { german } else { english }
}

/// The news of access in words; in English for a language that the desk does not ship.
pub fn outcome(locale: &str, outcome: AccessOutcome) -> &'static str {
    let (english, german) = match outcome {
        AccessOutcome::Is(AccessState::Awaiting) => ("waits for approval", "wartet auf Freigabe"),
        AccessOutcome::Is(AccessState::Approved) => ("given", "gegeben"),
        AccessOutcome::Is(AccessState::Denied) => ("refused", "abgelehnt"),
        AccessOutcome::Is(AccessState::DeniedByPolicy) => ("refused by the rules", "nach den Regeln abgelehnt"),
        AccessOutcome::Is(AccessState::Cancelled) => ("called off", "zurückgezogen"),
        AccessOutcome::Revoked => ("taken back", "entzogen"),
        AccessOutcome::Expired => ("ended", "abgelaufen"),
        AccessOutcome::Provisioned => ("set up in the app", "in der Anwendung eingerichtet"),
        AccessOutcome::Gone => ("removed from the app", "aus der Anwendung entfernt"),
        AccessOutcome::Attention => ("needs the eye of a person", "braucht den Blick eines Menschen"),
        AccessOutcome::Asked => ("a question was asked back", "es wurde zurückgefragt"),
        AccessOutcome::Answered => ("a question was answered", "eine Rückfrage wurde beantwortet"),
    };
    if is_german(locale) { german } else { english }
}

pub(super) fn is_german(locale: &str) -> bool {
    locale == "de" || locale.starts_with("de-")
}
