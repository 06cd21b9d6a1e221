//! Days off out of an iCalendar file (RFC 5545), as the calendars of countries and companies come: whole days, once or every year.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;

/// For how many years a day is taken that comes every year.
const YEARS: i16 = 50;
/// The longest event, in days.
const DAYS_MAX: usize = 400;

/// Why a file gives no days off, and in which of its lines; counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoHolidays {
    #[error("line {line} has no day such as `20261225`")]
    NoDay { line: usize },
    #[error("line {line} repeats in a way that is not every year: list the days one by one")]
    OtherRepetition { line: usize },
    #[error("line {line} ends before it begins, or more than {DAYS_MAX} days later")]
    NoSpan { line: usize },
    #[error("it has no event")]
    Empty,
}

/// One event while it is read.
#[derive(Default)]
struct Event {
    start: Option<Date>,
    /// The day after its last.
    end: Option<Date>,
    yearly: bool,
    until: Option<Date>,
    count: Option<i16>,
}

/// The days of a calendar's events.
///
/// # Errors
///
/// The first line that cannot be understood: a day that is left out would be a promise that is not kept.
pub fn read(text: &str) -> Result<BTreeSet<Date>, NoHolidays> {
    let (mut days, mut event) = (BTreeSet::new(), None::<Event>);
    for (line, content) in unfolded(text) {
        let (name, value) = content.split_once(':').unwrap_or((content.as_str(), ""));
        let name = name.split(';').next().unwrap_or_default().to_ascii_uppercase();
        match (name.as_str(), &mut event) {
            ("BEGIN", _) if value.eq_ignore_ascii_case("VEVENT") => event = Some(Event::default()),
            ("END", Some(ended)) if value.eq_ignore_ascii_case("VEVENT") => {
                days.extend(ended.days(line)?);
                event = None;
            }
            ("DTSTART", Some(event)) => event.start = Some(day(value).ok_or(NoHolidays::NoDay { line })?),
            ("DTEND", Some(event)) => event.end = Some(day(value).ok_or(NoHolidays::NoDay { line })?),
            ("RRULE", Some(event)) => event.repeat(value).ok_or(NoHolidays::OtherRepetition { line })?,
            ("RDATE", Some(_)) => return Err(NoHolidays::OtherRepetition { line }),
            _ => {}
        }
    }
    if days.is_empty() { Err(NoHolidays::Empty) } else { Ok(days) }
}

/// The lines of content with the number of each: a line that begins with a space goes on with the one before (section 3.1).
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        match (content.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ => lines.push((line, content.trim_end().to_owned())),
        }
    }
    lines
}

/// `20261225`, perhaps with a time, which is left out.
fn day(value: &str) -> Option<Date> {
    let digits = value.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    let (month, day) = (i8::try_from(number(4..6)?).ok()?, i8::try_from(number(6..8)?).ok()?);
    Date::new(number(0..4)?, month, day).ok()
}

impl Event {
    /// Takes a rule of repetition; `None` where it is not plainly every year.
    fn repeat(&mut self, rule: &str) -> Option<()> {
        for part in rule.split(';') {
            match part.split_once('=')? {
                ("FREQ", "YEARLY") => self.yearly = true,
                ("INTERVAL", "1") => {}
                ("UNTIL", value) => self.until = Some(day(value)?),
                ("COUNT", value) => self.count = Some(value.parse().ok()?),
                _ => return None,
            }
        }
        self.yearly.then_some(())
    }

    fn days(&self, line: usize) -> Result<Vec<Date>, NoHolidays> {
        let start = self.start.ok_or(NoHolidays::NoDay { line })?;
        let mut first = Vec::new();
        let mut next = start;
        loop {
            first.push(next);
            next = next.checked_add(Span::new().days(1)).map_err(|_| NoHolidays::NoSpan { line })?;
            match self.end {
                // An event of whole days that says no end is one day (section 3.6.1); one that ends on its day is that day.
                None => break,
                Some(end) if next >= end => break,
                Some(_) if first.len() >= DAYS_MAX => return Err(NoHolidays::NoSpan { line }),
                Some(_) => {}
            }
        }
        if self.end.is_some_and(|end| end < start) {
            return Err(NoHolidays::NoSpan { line });
        }
        if !self.yearly {
            return Ok(first);
        }
        let years = 0..self.count.unwrap_or(YEARS).clamp(1, YEARS);
        // A leap day comes in leap years only (section 3.3.10).
        let in_year = |day: &Date, years: i16| Date::new(day.year() + years, day.month(), day.day()).ok();
        let all = years.flat_map(|years| first.iter().filter_map(move |day| in_year(day, years)));
        Ok(all.filter(|day| self.until.is_none_or(|until| *day <= until)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_days(text: &str) -> Vec<String> {
        read(text).unwrap().iter().map(ToString::to_string).collect()
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    }

    #[test]
    fn days_come_once_for_some_days_or_every_year() {
        assert_eq!(read_days(&event("DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christ\r\n mas")), ["2026-12-25"]);
        let days = "DTSTART;VALUE=DATE:20261230\r\nDTEND;VALUE=DATE:20270102";
        assert_eq!(read_days(&event(days)), ["2026-12-30", "2026-12-31", "2027-01-01"]);
        let yearly = "DTSTART:20240229T000000Z\r\nRRULE:FREQ=YEARLY;UNTIL=20321231";
        assert_eq!(read_days(&event(yearly)), ["2024-02-29", "2028-02-29", "2032-02-29"]);
        assert_eq!(read_days(&event("DTSTART:20260501\r\nRRULE:FREQ=YEARLY;COUNT=2")), ["2026-05-01", "2027-05-01"]);
    }

    #[test]
    fn what_is_not_understood_is_said_with_its_line() {
        assert_eq!(read(&event("DTSTART:2026-12-25")), Err(NoHolidays::NoDay { line: 3 }));
        assert_eq!(read(&event("SUMMARY:x")), Err(NoHolidays::NoDay { line: 4 }));
        let weekly = event("DTSTART:20261225\r\nRRULE:FREQ=WEEKLY");
        assert_eq!(read(&weekly), Err(NoHolidays::OtherRepetition { line: 4 }));
        let by_day = event("DTSTART:20261126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH");
        assert_eq!(read(&by_day), Err(NoHolidays::OtherRepetition { line: 4 }));
        assert_eq!(read(&event("DTSTART:20261225\r\nDTEND:20261224")), Err(NoHolidays::NoSpan { line: 5 }));
        assert_eq!(read("BEGIN:VCALENDAR\r\nEND:VCALENDAR"), Err(NoHolidays::Empty));
    }
}
