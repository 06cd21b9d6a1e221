//! Tickets counted by the days of a zone. The database tells the days apart: a row for each day and group is few, where one
//! for each piece of an hour is about as many as there are tickets.

use std::fmt::Write as _;

use jiff::civil::{Date, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span};

use super::{By, Moment, Period};
use crate::store::sql::columns::{DAY_MS, ms};
use crate::store::{Error, Store};

/// Days before 1970 from which on the database counts: it rounds towards zero, and an imported ticket may be older than that year.
const EARLIER: i64 = 1_000_000;
/// When a ticket came back: by a clock that was set back it may be before the resolution, and no ticket is unfinished twice.
const CAME_BACK: &str = "(case when r.ended_at < r.resolved_at then r.resolved_at else r.ended_at end)";

/// The clocks of a zone over a period: how far they are from UTC at its begin, and from each change on, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    at_begin: i64,
    changes: Vec<(i64, i64)>,
    /// The first day of the period and its last.
    days: (Date, Date),
}

impl Clocks {
    /// Those of a zone.
    pub fn of(zone: &TimeZone, period: Period) -> Clocks {
        let from_utc = |offset: Offset| i64::from(offset.seconds()) * 1_000;
        let changes = zone.following(period.from).take_while(|change| change.timestamp() < period.to);
        let end = period.to.checked_sub(SignedDuration::from_millis(1)).unwrap_or(period.to);
        Clocks {
            at_begin: from_utc(zone.to_offset(period.from)),
            changes: changes.map(|change| (ms(change.timestamp()), from_utc(change.offset()))).collect(),
            days: (zone.to_datetime(period.from).date(), zone.to_datetime(end).date()),
        }
    }

    /// The day of an instant of the period, as an expression: its number, counted from [`EARLIER`] days before 1970.
    fn day_of(&self, instant: &str) -> String {
        let shift = |from_utc: i64| from_utc + EARLIER * DAY_MS;
        let (mut cases, mut from_utc) = (String::new(), self.at_begin);
        for (at, next) in &self.changes {
            // Writing to a string does not fail.
            let _ = write!(cases, "when {instant} < {at} then {} ", shift(from_utc));
            from_utc = *next;
        }
        let from_utc = shift(from_utc);
        match cases.is_empty() {
            true => format!("(({instant} + {from_utc}) / {DAY_MS})"),
            false => format!("(({instant} + case {cases}else {from_utc} end) / {DAY_MS})"),
        }
    }

    /// The day with this number. Where clocks go back over a midnight, the end of a day comes again after the next one has begun: that
    /// hour is of the days that the period has.
    fn day(&self, number: i64) -> Date {
        let days = Span::new().try_days(number.saturating_sub(EARLIER));
        let day = days.and_then(|days| date(1970, 1, 1).checked_add(days)).unwrap_or(Date::MAX);
        let (first, last) = self.days;
        day.min(last).max(first)
    }
}

/// Resolutions of a group that did not hold, by the day on which they were made and the one on which their tickets came back, where
/// those are in the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    pub group: String,
    pub resolved: Option<Date>,
    pub came_back: Option<Date>,
    pub count: i64,
}

impl Store {
    /// How many tickets had this moment on each day of a period: the day, the group, and the count.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn count_moments(
        &self,
        moment: Moment,
        (period, clocks): (Period, &Clocks),
        by: Option<By>,
    ) -> Result<Vec<(Date, String, i64)>, Error> {
        let sql = format!(
            "select {} as day, name, count(*) from (select {} as moment, {} as name from {tickets}) as moments \
             where moment >= $1 and moment < $2 group by 1, 2 order by 1, 2",
            clocks.day_of("moment"),
            moment.column(),
            By::group(by),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        rows.iter().map(|row| Ok((clocks.day(row.int(0)?), row.text(1)?, row.int(2)?))).collect()
    }

    /// The resolutions that did not hold, of which some part is in a period: a ticket has only its last one by itself.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn undone(&self, (period, clocks): (Period, &Clocks), by: Option<By>) -> Result<Vec<Undone>, Error> {
        let sql = format!(
            "select {} as name, case when r.resolved_at >= $1 then {} end as made, \
             case when r.ended_at < $2 then {} end as back, count(*) from resolutions r \
             join {tickets} on t.number = r.ticket where r.ended in ('disputed', 'taken-up') \
             and r.ended_at >= $1 and r.resolved_at < $2 group by 1, 2, 3 order by 1, 2, 3",
            By::group(by),
            clocks.day_of("r.resolved_at"),
            clocks.day_of(CAME_BACK),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        let undone = rows.iter().map(|row| {
            Ok(Undone {
                group: row.text(0)?,
                resolved: row.opt_int(1)?.map(|number| clocks.day(number)),
                came_back: row.opt_int(2)?.map(|number| clocks.day(number)),
                count: row.int(3)?,
            })
        });
        undone.collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// The expression, worked out as a database does.
    fn worked_out(clocks: &Clocks, instant: Timestamp) -> Date {
        let at = ms(instant);
        let before = clocks.changes.iter().take_while(|(change, _)| at >= *change).last();
        clocks.day((at + before.map_or(clocks.at_begin, |(_, from_utc)| *from_utc) + EARLIER * DAY_MS) / DAY_MS)
    }

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Each first and last millisecond of the quarters of an hour of a period, with its day.
    fn quarters(zone: &TimeZone, period: Period) -> Vec<(Timestamp, Date)> {
        let clocks = Clocks::of(zone, period);
        let of = |quarter: i64, more: i64| {
            let at = Timestamp::from_millisecond(ms(period.from) + quarter * 900_000 + more).unwrap();
            (at, worked_out(&clocks, at))
        };
        let quarters = 0..(ms(period.to) - ms(period.from)) / 900_000;
        quarters.flat_map(|quarter| [of(quarter, 0), of(quarter, 899_999)]).collect()
    }

    /// Zones on both sides of UTC, some that differ from it by parts of an hour, one whose clocks move by half an hour, some whose
    /// midnights are left out, one that moves them four times a year, and one that left a whole day out; also before 1970.
    #[test]
    fn each_instant_is_of_the_day_on_the_walls_of_its_zone() {
        for name in [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/Santiago",
            "Pacific/Apia",
            "Asia/Kathmandu",
            "Pacific/Chatham",
            "Asia/Kolkata",
            "Africa/Casablanca",
            "UTC",
        ] {
            let zone = TimeZone::get(name).unwrap();
            for (from, to) in
                [("2011-06-30T22:00:00Z", "2013-01-01T12:00:00Z"), ("1969-12-27T22:00:00Z", "1970-01-04T12:00:00Z")]
            {
                let period = Period { from: instant(from), to: instant(to) };
                for (at, day) in quarters(&zone, period) {
                    assert_eq!(day, zone.to_datetime(at).date(), "{name}: {at}");
                }
            }
        }
    }

    /// At one minute past midnight of the 29th of October 2006 the clocks of Newfoundland went back to the 28th: what happened in the
    /// hour that came again is of the day that is asked about, so that no report loses it.
    #[test]
    fn an_hour_that_comes_again_over_a_midnight_is_lost_to_no_day() {
        let zone = TimeZone::get("America/St_Johns").unwrap();
        let begin = |day: i8| zone.to_timestamp(date(2006, 10, day).at(0, 0, 0, 0)).unwrap();
        for day in [27, 28, 29, 30] {
            let period = Period { from: begin(day), to: begin(day + 1) };
            let others: Vec<_> =
                quarters(&zone, period).into_iter().filter(|(_, of)| *of != date(2006, 10, day)).collect();
            assert!(others.is_empty(), "{day}: {others:?}");
        }
        let again = instant("2006-10-29T02:45:00Z");
        assert!(begin(29) <= again && zone.to_datetime(again).date() == date(2006, 10, 28), "the clocks went back");
    }

    #[test]
    fn the_expression_names_each_change_of_the_clocks_once() {
        let days = (date(2026, 1, 1), date(2026, 1, 2));
        let clocks = Clocks { at_begin: 3_600_000, changes: vec![(10, 7_200_000), (20, -3_600_000)], days };
        let expression = "((x + case when x < 10 then 86400003600000 when x < 20 then 86400007200000 \
                          else 86399996400000 end) / 86400000)";
        assert_eq!(clocks.day_of("x"), expression);
        assert_eq!(Clocks { changes: Vec::new(), ..clocks }.day_of("x"), "((x + 86400003600000) / 86400000)");
    }
}
