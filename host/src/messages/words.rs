//! The states of a ticket, what becomes of access, and days and times, in the languages that the desk ships.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

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

/// A day of the calendar, as pages and messages write it: in German as its readers do; in English, and for a language that the desk does
/// not ship, as in ISO 8601, since readers of English do not agree which of day and month comes first.
pub fn day(locale: &str, day: Date) -> String {
    day.strftime(if is_german(locale) { "%d.%m.%Y" } else { "%Y-%m-%d" }).to_string()
}

/// The same without its year, for an axis that has no room for it.
pub fn short_day(locale: &str, day: Date) -> String {
    day.strftime(if is_german(locale) { "%d.%m." } else { "%m-%d" }).to_string()
}

/// A time with its day and the name of its zone, which tells an hour that comes twice from itself.
pub fn exact(locale: &str, at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned_datetime(zone.clone());
    format!("{} {}", day(locale, local.date()), local.strftime("%H:%M %Z"))
}

pub(super) fn is_german(locale: &str) -> bool {
    locale == "de" || locale.starts_with("de-")
}
