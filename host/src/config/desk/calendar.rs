//! `[calendar]` of `desk.toml`: when the desk is open.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::desk::id::CalendarId;
use crate::desk::organisation::{Calendar, OpenHours};

use super::holidays;
use crate::config::files::HOLIDAYS;
use crate::config::read::{Keys, Node};
use crate::config::wrong::Wrong;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Reads the desk's calendar and the others.
pub fn all(
    keys: &mut Keys<'_>,
    texts: &BTreeMap<String, String>,
) -> (Option<Calendar>, BTreeMap<CalendarId, Calendar>) {
    let calendar = keys.table("calendar", |keys| read(keys, texts));
    let others = keys.entries("other-calendar", |keys, id: CalendarId| (id, read(keys, texts)));
    (calendar, others.into_iter().collect())
}

/// Reads the calendar.
///
/// - `time-zone`: the desk's, a name of the IANA database.
/// - `monday` to `sunday`: the open hours, such as `["08:00-12:00", "13:00-18:00"]`; absent is closed.
/// - `holidays`: days on which the desk is closed, such as `2026-12-25`; default none.
/// - `holidays-from`: more of them, from an iCalendar file in the folder `holidays`, such as `germany.ics`; default none.
fn read(keys: &mut Keys<'_>, texts: &BTreeMap<String, String>) -> Calendar {
    let zone = keys.required("time-zone").and_then(|node| {
        node.parsed(|name| TimeZone::get(name).map_err(|_| Wrong::UnknownZone { text: name.to_owned() }))
    });
    let days = DAYS.map(|day| keys.list(day));
    if days.iter().all(Vec::is_empty) {
        keys.report("monday", Wrong::NeverOpen);
    }
    let mut holidays: BTreeSet<_> = keys.list("holidays").iter().filter_map(Node::day).collect();
    let from_file = keys.optional("holidays-from").and_then(|node| node.parsed(|name| from_file(name, texts)));
    holidays.extend(from_file.unwrap_or_default());
    let week = days.map(|day| open_hours(&day));
    Calendar { zone: zone.unwrap_or(TimeZone::UTC), week, holidays }
}

/// The days of an iCalendar file.
fn from_file(name: &str, texts: &BTreeMap<String, String>) -> Result<BTreeSet<Date>, Wrong> {
    let none = || Wrong::NoHolidayFile { text: name.to_owned() };
    let text = texts.get(&format!("{HOLIDAYS}/{name}")).ok_or_else(none)?;
    holidays::read(text).map_err(|why| Wrong::NoHolidays { text: name.to_owned(), why })
}

/// The open hours of one day: sorted, without overlap. Hours that touch are two spans.
fn open_hours(nodes: &[Node<'_>]) -> Vec<OpenHours> {
    let mut day: Vec<(&str, OpenHours)> = Vec::new();
    for node in nodes {
        let Some(hours) = node.parsed(span) else { continue };
        let text = node.text().unwrap_or_default();
        if let Some((earlier, before)) = day.last()
            && (before.end == Time::midnight() || hours.start < before.end)
        {
            let (earlier, later) = ((*earlier).to_owned(), text.to_owned());
            node.report(Wrong::HoursOverlap { earlier, later });
        }
        day.push((text, hours));
    }
    day.into_iter().map(|(_, hours)| hours).collect()
}

/// A span such as `08:00-18:00`; an end of `24:00` is the day's end.
fn span(text: &str) -> Result<OpenHours, Wrong> {
    let bad = || Wrong::NotOpenHours { text: text.to_owned() };
    let (start, end) = text.split_once('-').ok_or_else(bad)?;
    let start = time(start).ok_or_else(bad)?;
    if end == "24:00" {
        return Ok(OpenHours { start, end: Time::midnight() });
    }
    let end = time(end).ok_or_else(bad)?;
    if end <= start {
        return Err(Wrong::HoursBackwards { text: text.to_owned() });
    }
    Ok(OpenHours { start, end })
}

/// `HH:MM` and nothing else.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<i8>().ok()).flatten()
    };
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}
