//! How many tickets were unfinished at the end of each day.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{By, Cell, Days, ReportTable, first_of};
use crate::app::{Error, Office};
use crate::desk::organisation::form::{Fault, Problem};
use crate::store::tickets::reports::days::{Clocks, Undone};
use crate::store::tickets::reports::{Moment, Period};

/// The most rows of such a table: one for each day and each group.
const ROWS_MAX: usize = 100_000;
/// The column of counts that stand at the end of a day, so that those of several days are not added up.
pub(super) const UNFINISHED: &str = "unfinished";

/// The unfinished tickets of each group as a period begins, and by how many that changes on each of its days.
#[derive(Default)]
struct Counts {
    open: BTreeMap<String, i64>,
    changes: BTreeMap<(Date, String), i64>,
}

impl Counts {
    /// Adds, or with a sign of -1 takes away, what was counted on some days. A group begins with none where it had none before.
    fn add(&mut self, counted: Vec<(Date, String, i64)>, sign: i64) {
        for (day, group, count) in counted {
            self.open.entry(group.clone()).or_default();
            *self.changes.entry((day, group)).or_default() += sign * count;
        }
    }

    /// Takes tickets that came back out of the count between their resolution and that.
    fn add_undone(&mut self, Undone { group, resolved, came_back, count }: Undone) {
        let at_begin = self.open.entry(group.clone()).or_default();
        if resolved.is_none() {
            // Those were finished as the period began.
            *at_begin -= count;
        }
        for (day, sign) in [(resolved, -1), (came_back, 1)] {
            let Some(day) = day else { continue };
            *self.changes.entry((day, group.clone())).or_default() += sign * count;
        }
    }
}

impl Office {
    /// Day by day in the desk's zone, up to today. A ticket that came back is not in it between its resolution and that.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for more than [`ROWS_MAX`] rows.
    pub(super) async fn trend(&self, days: Days, period: Period, by: Option<By>) -> Result<ReportTable, Error> {
        let organisation = self.organisation();
        let zone = &organisation.calendar.zone;
        let clocks = Clocks::of(zone, period);
        let count = |moment| self.store.count_moments(moment, (period, &clocks), by);
        let (created, ended) = tokio::try_join!(count(Moment::Created), count(Moment::Ended))?;
        let before = self.store.unfinished_at(period.from, by);
        let (before, undone) = tokio::try_join!(before, self.store.undone((period, &clocks), by))?;
        let mut counts = Counts::default();
        for counted in before {
            let [count] = first_of(&counted.counts);
            counts.open.insert(counted.group, count);
        }
        counts.add(created, 1);
        counts.add(ended, -1);
        for undone in undone {
            counts.add_undone(undone);
        }
        let Counts { mut open, mut changes } = counts;
        let last = days.to.min(zone.to_datetime(self.clock.now()).date());
        // A zone that changes sides of the date line leaves a day out.
        let is_there = |day: &Date| {
            let begin = zone.to_timestamp(day.at(0, 0, 0, 0));
            begin.is_ok_and(|begin| zone.to_datetime(begin).date() == *day)
        };
        let all: Vec<Date> = days.from.series(1.day()).take_while(|day| *day <= last).filter(is_there).collect();
        if all.len().saturating_mul(open.len()) > ROWS_MAX {
            let problem = Problem::of("by", "too-much", Fault::ManyGroups, &[&open.len(), &all.len()]);
            return Err(problem.into());
        }
        let mut rows = Vec::with_capacity(all.len() * open.len());
        for day in all {
            for (group, count) in &mut open {
                *count += changes.remove(&(day, group.clone())).unwrap_or_default();
                rows.push(vec![Cell::Text(day.to_string()), Cell::Text(group.clone()), Cell::Number(*count)]);
            }
        }
        Ok(ReportTable { columns: vec!["day", "group", UNFINISHED], rows })
    }
}
