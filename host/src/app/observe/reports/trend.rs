//! How many tickets were unfinished at the end of each day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::{By, Cell, Days, ReportTable};
use crate::app::{Error, Office};
use crate::desk::organisation::form::Problem;
use crate::store::tickets::reports::{Moment, Period, QUARTER_MS};

/// The most rows of such a table: one for each day and each group.
const ROWS_MAX: usize = 100_000;

impl Office {
    /// Day by day in the desk's zone, up to today. A ticket that was reopened counts as unfinished all the time up to its last end.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for more than [`ROWS_MAX`] rows.
    pub(super) async fn trend(&self, days: Days, period: Period, by: Option<By>) -> Result<ReportTable, Error> {
        let organisation = self.organisation();
        let zone = &organisation.calendar.zone;
        let begin = self.store.unfinished_at(period.from, by).await?;
        let count = |moment| self.store.count_moments(moment, period, by);
        let (created, ended) = tokio::try_join!(count(Moment::Created), count(Moment::Ended))?;
        let mut groups: BTreeSet<String> = begin.iter().map(|counted| counted.group.clone()).collect();
        let mut changes: BTreeMap<(Date, String), i64> = BTreeMap::new();
        for (counted, sign) in [(created, 1), (ended, -1)] {
            for (quarter, group, count) in counted {
                let at = Timestamp::from_millisecond(quarter.saturating_mul(QUARTER_MS)).unwrap_or(Timestamp::MAX);
                groups.insert(group.clone());
                *changes.entry((zone.to_datetime(at).date(), group)).or_default() += sign * count;
            }
        }
        let last = days.to.min(zone.to_datetime(self.clock.now()).date());
        let all: Vec<Date> = days.from.series(1.day()).take_while(|day| *day <= last).collect();
        if all.len().saturating_mul(groups.len()) > ROWS_MAX {
            let message = format!("has {} groups on each of {} days: name fewer days", groups.len(), all.len());
            return Err(Error::Rejected { problems: vec![Problem::new("by", "too-much", message)] });
        }
        let mut open: BTreeMap<String, i64> = groups.into_iter().map(|group| (group, 0)).collect();
        for counted in begin {
            open.insert(counted.group, counted.counts.first().copied().unwrap_or_default());
        }
        let mut rows = Vec::with_capacity(all.len() * open.len());
        for day in all {
            for (group, count) in &mut open {
                *count += changes.remove(&(day, group.clone())).unwrap_or_default();
                rows.push(vec![Cell::Text(day.to_string()), Cell::Text(group.clone()), Cell::Number(*count)]);
            }
        }
        Ok(ReportTable { columns: vec!["day", "group", "unfinished"], rows })
    }
}
