//! The states of a ticket in the languages that the desk ships.

use crate::desk::ticket::{State, WaitingFor};

/// A state in words; in English for a language that the desk does not ship.
pub fn state(locale: &str, state: State) -> &'static str {
    let (english, german) = match state {
        State::New => ("new", "neu"),
        State::Open => ("open", "offen"),
        State::InProgress => ("in progress", "in Arbeit"),
        State::Waiting(WaitingFor::Requester) => ("waiting for your answer", "wartet auf Ihre Antwort"),
        State::Waiting(WaitingFor::Approval) => ("waiting for approval", "wartet auf Genehmigung"),
        State::Waiting(WaitingFor::Vendor) => ("waiting for a supplier", "wartet auf einen Lieferanten"),
        State::Resolved => ("resolved", "gelöst"),
        State::Reopened => ("open again", "wieder offen"),
        State::Closed => ("closed", "abgeschlossen"),
        State::Cancelled => ("cancelled", "zurückgezogen"),
        State::Merged => ("joined to another ticket", "mit einem anderen Ticket zusammengelegt"),
    };
    if locale == "de" || locale.starts_with("de-") { german } else { english }
}
