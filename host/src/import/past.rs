//! How a ticket fared before it was imported.

use jiff::civil::{DateTime, date};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use super::thread::Comment;
use crate::desk::id::PersonId;
use crate::desk::ticket::State;

/// The life of a ticket so far, as a file has it; nothing of it is sure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    pub created_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub state: Option<State>,
    /// The person who had it last.
    pub assignee: Option<PersonId>,
    /// The comments, by their times.
    pub comments: Vec<Comment>,
}

impl Past {
    /// The first two of its times that are in no order that a life can have.
    pub fn backwards(&self) -> Option<(Timestamp, Timestamp)> {
        let times: Vec<Timestamp> = [self.created_at, self.resolved_at, self.closed_at].into_iter().flatten().collect();
        times.windows(2).find_map(|pair| match pair {
            [first, second] if second < first => Some((*second, *first)),
            _ => None,
        })
    }
}

/// The name of the form in which spreadsheets keep times: days since the end of 1899, with a part of a day.
const EXCEL: &str = "excel";
/// The last day that a spreadsheet knows, of the year 9999.
const EXCEL_DAYS_MAX: f64 = 2_958_466.0;

/// A text that is no form of times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no form of times: write it as in strptime with a day at least, such as `%d.%m.%Y %H:%M`, or `excel` for the numbers of \
     spreadsheets"
)]
pub struct NotATimeFormat(String);

/// Checks that a form can say a time at all: what it writes, it has to read.
///
/// # Errors
///
/// The form cannot.
pub fn check_format(format: &str) -> Result<(), NotATimeFormat> {
    let some_time = Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
    let written = || strtime::format(format, &some_time).ok();
    let reads = format == EXCEL || written().is_some_and(|text| instant(Some(format), &text, &TimeZone::UTC).is_some());
    if reads { Ok(()) } else { Err(NotATimeFormat(format.to_owned())) }
}

/// The instant that a text names: in RFC 3339 where no form is given, with a zone's name in brackets (RFC 9557) as well.
pub(super) fn instant(format: Option<&str>, text: &str, zone: &TimeZone) -> Option<Timestamp> {
    // Some programs have a narrow blank before `AM`, which no form writes.
    let text = text.trim().replace(|c: char| c.is_whitespace() && !c.is_ascii(), " ");
    let text = text.as_str();
    match format {
        None => {
            let named = || text.parse::<ZonedDateTime>().ok().map(|zoned| zoned.timestamp());
            let plain = || Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok();
            text.parse().ok().or_else(named).or_else(plain)
        }
        // A cell that the spreadsheet took for no time stands there as it was typed.
        Some(EXCEL) => days_of_spreadsheet(text).and_then(|days| in_zone(days, zone)).or_else(|| of_iso(text, zone)),
        Some(format) => {
            let named = Timestamp::strptime(format, text).ok();
            let local = || in_zone(DateTime::strptime(format, text).ok()?, zone);
            named.or_else(local).or_else(|| of_iso(text, zone))
        }
    }
}

/// A time as ISO 8601 has it, from the year to the minute at least: whichever form an export is said to have, it means no other.
fn of_iso(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let begins_with_year = text.len() >= "YYYY-MM-DD HH:MM".len() && text.get(4..5) == Some("-");
    let named = || text.parse().ok();
    let local = || in_zone(text.parse().ok()?, zone);
    begins_with_year.then(|| named().or_else(local)).flatten()
}

/// A time of a wall's clock. One that a change of clocks leaves out, or has twice, is read as RFC 5545 does.
fn in_zone(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

/// A spreadsheet's number as a time, to the second, as it is written with a comma or a point.
fn days_of_spreadsheet(text: &str) -> Option<DateTime> {
    let days: f64 = text.replace(',', ".").parse().ok()?;
    // Below 61 spreadsheets count a day that 1900 did not have.
    if !(61.0..EXCEL_DAYS_MAX).contains(&days) {
        return None;
    }
    let seconds = SignedDuration::try_from_secs_f64((days * 86_400.0).round()).ok()?;
    date(1899, 12, 30).at(0, 0, 0, 0).checked_add(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(format: Option<&str>, text: &str) -> String {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        instant(format, text, &zone).map(|time| time.to_string()).unwrap_or_default()
    }

    #[test]
    fn times_are_read_as_other_programs_write_them() {
        for (format, text, wanted) in [
            (None, " 2025-01-31T09:30:00Z ", "2025-01-31T09:30:00Z"),
            (None, "2025-01-31T09:30:00.000+0100", "2025-01-31T08:30:00Z"),
            (None, "2025-01-31T09:30:00+01:00[Europe/Berlin]", "2025-01-31T08:30:00Z"),
            (None, "2025-01-31 09:30:00", ""),
            (None, "2025-02-30T10:00:00Z", ""),
            // The hour that is left out in spring, and the one that is there twice in autumn.
            (Some("%d.%m.%Y %H:%M"), "30.03.2025 02:30", "2025-03-30T01:30:00Z"),
            (Some("%d.%m.%Y %H:%M"), "26.10.2025 02:30", "2025-10-26T00:30:00Z"),
            // A preset knows one form of several that an export may have.
            (Some("%d/%b/%y %I:%M %p"), "2025-01-31 10:30", "2025-01-31T09:30:00Z"),
            (Some("%Y-%m-%d %H:%M"), "2025-01-31 10:30:00", "2025-01-31T09:30:00Z"),
            (Some("%Y-%m-%d %H:%M"), "2025-01-31T09:30:00Z", "2025-01-31T09:30:00Z"),
            (Some("%Y-%m-%d %H:%M"), "31.01.2025 10:30", ""),
            (Some("%s"), "1738315800", "2025-01-31T09:30:00Z"),
            (Some("%m/%d/%Y, %I:%M:%S %p"), "1/31/2025, 10:30:00\u{202f}AM", "2025-01-31T09:30:00Z"),
            (Some("%d.%m.%Y %H:%M"), "31.01.2025\u{a0}10:30", "2025-01-31T09:30:00Z"),
            (Some("excel"), "45688.4375", "2025-01-31T09:30:00Z"),
            (Some("excel"), "45688,4375", "2025-01-31T09:30:00Z"),
            (Some("excel"), "2025-01-31 10:30", "2025-01-31T09:30:00Z"),
            (Some("excel"), "31.01.2025 10:30", ""),
            (Some("excel"), "NaN", ""),
            (Some("excel"), "1e300", ""),
            (Some("excel"), "-4", ""),
        ] {
            assert_eq!(told(format, text), wanted, "{format:?} {text}");
        }
    }

    #[test]
    fn a_form_that_can_say_no_time_is_refused_before_any_row_is() {
        for good in ["%d.%m.%Y %H:%M", "%Y-%m-%d", "%s", "%d/%b/%y %I:%M %p", "%Y-%m-%dT%H:%M:%S%.f%z", "excel"] {
            assert_eq!(check_format(good), Ok(()), "{good}");
        }
        for bad in ["", "yyyy-mm-dd", "%Q", "%A", "%H:%M", "2025-01-31", "%Y-%m-%d %Z"] {
            assert_eq!(check_format(bad), Err(NotATimeFormat(bad.to_owned())), "{bad}");
        }
    }
}
