//! Times as people read them: how long ago, or in how long, with the exact time next to it for those who want it. Days are written as
//! in messages.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::words::Words;
use crate::app::reference::words;

/// How times are shown to one reader at one instant.
#[derive(Debug, Clone)]
pub struct Times {
    pub now: Timestamp,
    pub zone: TimeZone,
    pub words: Words,
}

/// A time on a page. Displayed, it is an element of HTML in which nothing comes from people.
#[derive(Debug, Clone)]
pub struct When {
    iso: String,
    exact: String,
    text: String,
    /// For the script that keeps it up to date.
    kind: &'static str,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { iso, exact, text, kind } = self;
        write!(f, "<time datetime=\"{iso}\" title=\"{exact}\" data-time=\"{kind}\">{text}</time>")
    }
}

/// Minutes of an hour, and of a day.
const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

impl Times {
    /// The time of day and date in the reader's zone.
    pub fn exact(&self, at: Timestamp) -> String {
        words::exact(self.words.0.tag(), at, &self.zone)
    }

    /// The date in the reader's zone.
    pub fn date(&self, at: Timestamp) -> String {
        self.day(at.to_zoned_datetime(self.zone.clone()).date())
    }

    /// A day of the calendar, as all pages write it. Fields in which a day is chosen, addresses and files have it as in ISO 8601.
    pub fn day(&self, day: Date) -> String {
        words::day(self.words.0.tag(), day)
    }

    /// The same without its year, for an axis that has no room for it.
    pub fn short_day(&self, day: Date) -> String {
        words::short_day(self.words.0.tag(), day)
    }

    fn when(&self, at: Timestamp, text: String, kind: &'static str) -> When {
        When { iso: at.to_string(), exact: self.exact(at), text, kind }
    }

    /// How long a number of minutes is, in at most two units.
    pub fn span(&self, minutes: i64) -> String {
        let words = &self.words;
        let (days, hours, minutes) = (minutes / DAY, minutes % DAY / HOUR, minutes % HOUR);
        let two = |first: String, second: Option<String>| match second {
            Some(second) => format!("{first} {second}"),
            None => first,
        };
        if days > 0 {
            two(words.n("time.days", days), (hours > 0 && days < 7).then(|| words.n("time.hours", hours)))
        } else if hours > 0 {
            two(words.n("time.hours", hours), (minutes > 0).then(|| words.n("time.minutes", minutes)))
        } else {
            words.n("time.minutes", minutes)
        }
    }

    /// A time that has passed: "3 min ago".
    pub fn ago(&self, at: Timestamp) -> When {
        let minutes = (self.now.as_second() - at.as_second()) / 60;
        let text = match minutes {
            ..1 => self.words.t("time.now"),
            1..=20_160 => self.words.t1("time.ago", self.span(minutes)),
            _ => self.date(at),
        };
        self.when(at, text, "ago")
    }

    /// A time until which something is due: "due in 2 h 10 min".
    pub fn due(&self, at: Timestamp) -> When {
        let minutes = (at.as_second() - self.now.as_second()) / 60;
        let text = match minutes {
            0.. => self.words.t1("time.due-in", self.span(minutes)),
            _ => self.words.t1("time.overdue", self.span(-minutes)),
        };
        self.when(at, text, "due")
    }

    /// A time until which something lasts: "for 3 days more".
    pub fn until(&self, at: Timestamp) -> When {
        let minutes = (at.as_second() - self.now.as_second()) / 60;
        let text = match minutes {
            0.. => self.words.t1("time.left", self.span(minutes)),
            _ => self.date(at),
        };
        self.when(at, text, "left")
    }

    /// How much of the time to a due date is over, in four steps: a bar under it.
    pub fn risk(&self, begun: Timestamp, due: Timestamp) -> u8 {
        let (whole, used) = (due.as_second() - begun.as_second(), self.now.as_second() - begun.as_second());
        match used.saturating_mul(4).checked_div(whole.max(1)).unwrap_or_default() {
            ..1 => 0,
            1 => 1,
            2 => 2,
            3 => 3,
            _ => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::Language;
    use super::*;

    #[test]
    fn times_are_said_in_two_units_at_most() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let times = Times { now, zone: TimeZone::get("Europe/Berlin").unwrap(), words: Words(Language::English) };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(times.ago(at("2026-11-29T11:57:30Z")).text, "2 min ago");
        assert_eq!(times.ago(at("2026-11-28T09:30:00Z")).text, "1 day 2 h ago");
        assert_eq!(times.ago(at("2026-10-01T09:30:00Z")).text, "2026-10-01");
        assert_eq!(times.due(at("2026-11-29T14:10:00Z")).text, "due in 2 h 10 min");
        assert_eq!(times.due(at("2026-11-29T11:00:00Z")).text, "overdue by 1 h");
        assert_eq!(times.exact(at("2026-07-01T10:00:00Z")), "2026-07-01 12:00 CEST");
        // An hour that comes twice says which of the two it is, and no span is longer or shorter for it.
        assert_eq!(times.exact(at("2026-10-25T00:30:00Z")), "2026-10-25 02:30 CEST");
        assert_eq!(times.exact(at("2026-10-25T01:30:00Z")), "2026-10-25 02:30 CET");
        let before = Times { now: at("2026-10-24T23:30:00Z"), ..times.clone() };
        assert_eq!(before.due(at("2026-10-25T01:30:00Z")).text, "due in 2 h");
        assert_eq!(times.risk(at("2026-11-29T11:00:00Z"), at("2026-11-29T13:00:00Z")), 2);
        let german = Times { words: Words(Language::German), ..times };
        assert_eq!(german.ago(at("2026-11-29T11:57:30Z")).text, "vor 2 Min.");
        assert_eq!(german.ago(at("2026-11-28T09:30:00Z")).text, "vor 1 Tag 2 Std.");
        assert_eq!(german.due(at("2026-12-02T14:10:00Z")).text, "fällig in 3 Tg. 2 Std.");
        assert_eq!(german.due(at("2026-11-29T11:00:00Z")).text, "überfällig seit 1 Std.");
        assert_eq!(german.ago(at("2026-10-01T23:30:00Z")).text, "02.10.2026", "a day of the reader's zone");
        assert_eq!(german.exact(at("2026-07-01T10:00:00Z")), "01.07.2026 12:00 CEST");
        assert_eq!(german.short_day(jiff::civil::date(2026, 10, 2)), "02.10.");
        assert_eq!(german.until(at("2026-11-01T10:00:00Z")).text, "01.11.2026", "over");
    }
}
