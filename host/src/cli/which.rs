//! Which recorded decisions a command is about, and how it shows that it gets on.

use std::str::FromStr;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use serde_json::Value;

use super::Failure;
use crate::app::replay::{Effort, Filter};
use crate::desk::id::TicketNumber;
use crate::rules::run::stage::Stage;

/// Which recorded decisions; the newest come first.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// From when on: `2026-05-01`, `2026-05-01T09:00:00Z`, or so long ago: `30d`, `12h`, `15m`.
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// Until when, which is left out: written as `--since` is.
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
    /// Only about this ticket.
    #[arg(long, value_name = "KEY")]
    ticket: Option<TicketNumber>,
    /// Only about tickets of this request type.
    #[arg(long, value_name = "TYPE")]
    request_type: Option<String>,
    /// Only about tickets that are in this category now, or below it.
    #[arg(long)]
    category: Option<String>,
    /// Only at this stage; may be given several times.
    #[arg(long)]
    stage: Vec<Stage>,
    /// Only those in which this rule had a part.
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// At most so many decisions; one is one stage of one ticket.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// An instant, as people write it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    At(Timestamp),
    /// A time of the desk's clock; of a day alone, its beginning.
    On(DateTime),
    Ago(SignedDuration),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(When::At(at));
        }
        if let Ok(at) = text.parse::<ZonedDateTime>() {
            return Ok(When::At(at.timestamp()));
        }
        if let Ok(local) = text.parse() {
            return Ok(When::On(local));
        }
        let wrong = || {
            format!(
                "`{text}` is no time: use `2026-05-01`, `2026-05-01T09:00` by the desk's clock, `2026-05-01T09:00:00Z`, `30d`, `12h` or `15m`"
            )
        };
        let seconds = |text: &str| match text.split_at_checked(text.len().saturating_sub(1))? {
            (number, "d") => number.parse::<u32>().ok().map(|n| i64::from(n) * 86_400),
            (number, "h") => number.parse::<u32>().ok().map(|n| i64::from(n) * 3_600),
            (number, "m") => number.parse::<u32>().ok().map(|n| i64::from(n) * 60),
            _ => None,
        };
        seconds(text).map(|s| When::Ago(SignedDuration::from_secs(s))).ok_or_else(wrong)
    }
}

impl When {
    /// The instant, as a desk in this time zone means it.
    pub fn instant(self, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Failure> {
        Ok(match self {
            When::At(at) => at,
            When::On(local) => zone.to_timestamp(local)?,
            When::Ago(long) => {
                let days = long.as_secs() / 86_400;
                now.checked_sub(long).map_err(|_| format!("{days} days ago is before all time that can be said"))?
            }
        })
    }
}

impl Which {
    /// The filter, with times as a desk in this time zone means them.
    pub fn filter(&self, zone: &TimeZone, now: Timestamp) -> Result<Filter, Failure> {
        let instant = |when: Option<When>| when.map(|when| when.instant(zone, now)).transpose();
        Ok(Filter {
            since: instant(self.since)?,
            until: instant(self.until)?,
            ticket: self.ticket,
            request_type: self.request_type.clone(),
            category: self.category.clone(),
            stages: self.stage.clone(),
            rule: self.rule.clone(),
            limit: self.limit,
            effort: Effort::default(),
        })
    }
}

/// A bar that counts; it is not drawn where there is no terminal.
pub fn bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template(&format!("{{spinner}} {{pos}} {what}, {{per_sec}}, {{elapsed}}")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A count with its noun, which is the plural but for one.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{} {}", thousands(count as u64), if count == 1 { one } else { more })
}

/// The items of a list that a desk answers. Where there is none, standard error says so: a script that counts lines reads none.
pub fn list_of<'a>(answer: &'a Value, empty: &str) -> &'a [Value] {
    let items = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        eprintln!("{empty}");
    }
    items
}

/// An id that the desk has made, as its lists show it.
///
/// # Errors
///
/// Where the text is none.
pub fn an_id<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "copy the whole id from the list, such as 0199c0de-0000-7000-8000-000000000001")
}

/// A number with its thousands apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_the_noun_that_fits() {
        for (count, wanted) in [(0, "0 people"), (1, "1 person"), (2, "2 people"), (1_200, "1,200 people")] {
            assert_eq!(counted(count, "person", "people"), wanted);
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-05-10T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<When>().unwrap().instant(&zone, now).unwrap().to_string();
        assert_eq!(at("2026-05-01"), "2026-04-30T22:00:00Z");
        assert_eq!(at("2026-05-01T09:00:00Z"), "2026-05-01T09:00:00Z");
        assert_eq!(at("36h"), "2026-05-09T00:00:00Z");
        // By the desk's clock, also in the hour that it leaves out, and with a zone's own name.
        assert_eq!(at("2026-05-01T19:30"), "2026-05-01T17:30:00Z");
        assert_eq!(at("2026-05-01 19:30:05"), "2026-05-01T17:30:05Z");
        assert_eq!(at("2026-03-29T02:30:00"), "2026-03-29T01:30:00Z");
        assert_eq!(at("2026-05-01T19:30+09:00[Asia/Tokyo]"), "2026-05-01T10:30:00Z");
        let too_far = "99999999d".parse::<When>().unwrap().instant(&zone, now).unwrap_err().to_string();
        assert!(too_far.contains("99999999 days ago"), "{too_far}");
        assert!("soon".parse::<When>().unwrap_err().contains("`soon` is no time"));
        assert!("d".parse::<When>().is_err() && "é".parse::<When>().is_err() && "".parse::<When>().is_err());
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
