//! Tickets counted by the days of a zone. The database tells the days apart: a row for each day and group is few, where one
//! for each piece of an hour is about as many as there are tickets.

use std::fmt::Write as _;

use jiff::Span;
use jiff::civil::{Date, date};
use jiff::tz::{Offset, TimeZone};

use super::{By, Moment, Period};
use crate::store::sql::columns::ms;
use crate::store::{Error, Store};

/// A day of 24 hours, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The clocks of a zone over a period: how far they are from UTC at its begin, and from each change on, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    at_begin: i64,
    changes: Vec<(i64, i64)>,
}

impl Clocks {
    /// Those of a zone.
    pub fn of(zone: &TimeZone, period: Period) -> Clocks {
        let from_utc = |offset: Offset| i64::from(offset.seconds()) * 1_000;
        let changes = zone.following(period.from).take_while(|change| change.timestamp() < period.to);
        Clocks {
            at_begin: from_utc(zone.to_offset(period.from)),
            changes: changes.map(|change| (ms(change.timestamp()), from_utc(change.offset()))).collect(),
        }
    }

    /// The day of an instant of the period, as an expression: its number, counted from the first of January 1970.
    fn day_of(&self, instant: &str) -> String {
        let (mut cases, mut from_utc) = (String::new(), self.at_begin);
        for (at, next) in &self.changes {
            // Writing to a string does not fail.
            let _ = write!(cases, "when {instant} < {at} then {from_utc} ");
            from_utc = *next;
        }
        match cases.is_empty() {
            true => format!("(({instant} + {from_utc}) / {DAY_MS})"),
            false => format!("(({instant} + case {cases}else {from_utc} end) / {DAY_MS})"),
        }
    }
}

/// The day with this number.
fn day(number: i64) -> Date {
    let days = Span::new().try_days(number);
    days.and_then(|days| date(1970, 1, 1).checked_add(days)).unwrap_or(Date::MAX)
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
            "select {} as day, name, count(*) from (select {} as moment, {} as name from tickets t) as moments \
             where moment >= $1 and moment < $2 group by 1, 2 order by 1, 2",
            clocks.day_of("moment"),
            moment.column(),
            By::group(by)
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        rows.iter().map(|row| Ok((day(row.int(0)?), row.text(1)?, row.int(2)?))).collect()
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
             join tickets t on t.number = r.ticket where r.ended in ('disputed', 'taken-up') \
             and r.ended_at >= $1 and r.resolved_at < $2 group by 1, 2, 3 order by 1, 2, 3",
            By::group(by),
            clocks.day_of("r.resolved_at"),
            clocks.day_of("r.ended_at")
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        let undone = rows.iter().map(|row| {
            Ok(Undone {
                group: row.text(0)?,
                resolved: row.opt_int(1)?.map(day),
                came_back: row.opt_int(2)?.map(day),
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
        day((at + before.map_or(clocks.at_begin, |(_, from_utc)| *from_utc)) / DAY_MS)
    }

    /// Two zones on both sides of UTC, one whose clocks move by half an hour, one whose midnights are left out, and one that left a
    /// whole day out.
    #[test]
    fn each_instant_is_of_the_day_on_the_walls_of_its_zone() {
        for name in
            ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia", "UTC"]
        {
            let zone = TimeZone::get(name).unwrap();
            let instant = |text: &str| text.parse::<Timestamp>().unwrap();
            let period = Period { from: instant("2011-06-30T22:00:00Z"), to: instant("2013-01-01T12:00:00Z") };
            let clocks = Clocks::of(&zone, period);
            for quarter in 0..(ms(period.to) - ms(period.from)) / 900_000 {
                for more in [0, 899_999] {
                    let at = Timestamp::from_millisecond(ms(period.from) + quarter * 900_000 + more).unwrap();
                    assert_eq!(worked_out(&clocks, at), zone.to_datetime(at).date(), "{name}: {at}");
                }
            }
        }
    }

    #[test]
    fn the_expression_names_each_change_of_the_clocks_once() {
        let clocks = Clocks { at_begin: 3_600_000, changes: vec![(10, 7_200_000), (20, -3_600_000)] };
        let expression = "((x + case when x < 10 then 3600000 when x < 20 then 7200000 else -3600000 end) / 86400000)";
        assert_eq!(clocks.day_of("x"), expression);
        assert_eq!(Clocks { changes: Vec::new(), ..clocks }.day_of("x"), "((x + 3600000) / 86400000)");
    }
}
