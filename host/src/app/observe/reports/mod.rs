//! Reports: tables of numbers about tickets, for those who work on them and those who look after the desk.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::organisation::form::{Fault, Problem};
pub use crate::desk::organisation::schedule::{By, Per, Report};
use crate::desk::permission;
use crate::desk::sla::MINUTE_MS;
use crate::store::sql::columns::DAY_MS;
use crate::store::tickets::reports::days::Clocks;
use crate::store::tickets::reports::{Counted, Moment, Period};

pub mod html;
mod per;
mod trend;
mod work;

/// The longest period of a report, in days.
const DAYS_MAX: i64 = 3_700;
/// The ages at which a backlog is divided, in days.
const AGES: [i64; 4] = [1, 3, 7, 30];
/// An hour, in milliseconds.
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The times at which those that promises took are divided, in hours in which the desk is open.
const TIMES: [i64; 4] = [1, 4, 8, 24];

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(i64),
    /// A share in thousandths; `None` where there is nothing to have a share of.
    Share(Option<i64>),
}

/// A table of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportTable {
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
}

/// The days of a report, the last included, in the desk's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    pub from: Date,
    pub to: Date,
}

/// The first counts of a row; 0 for one that it does not have.
fn first_of<const N: usize>(counts: &[i64]) -> [i64; N] {
    std::array::from_fn(|place| counts.get(place).copied().unwrap_or_default())
}

fn share(part: i64, whole: i64) -> Cell {
    Cell::Share((whole > 0).then(|| part * 1_000 / whole))
}

impl Office {
    /// A report over some days of the desk's calendar.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] for days that are none, or too many.
    pub async fn report(
        &self,
        actor: &Actor,
        report: Report,
        days: Days,
        by: Option<By>,
    ) -> Result<ReportTable, Error> {
        permission::read_reports(actor)?;
        let period = self.period(days)?;
        let now = self.clock.now();
        Ok(match report {
            Report::Volume => self.volume(period, by).await?,
            Report::Backlog => backlog(self.store.backlog(now, &AGES.map(|days| days * DAY_MS), by).await?),
            Report::Trend => self.trend(days, period, by).await?,
            Report::Attainment => attainment(self.store.attainment(period, now, by).await?),
            Report::Taken => {
                let bounds = TIMES.map(|hours| hours * HOUR_MS);
                work::time_taken(self.store.times_taken(period, &bounds, by).await?)
            }
            Report::Resolutions => resolutions(self.store.resolution_ends(period, by).await?),
            Report::Deflection => ReportTable {
                columns: vec!["article", "deflections"],
                rows: self.store.deflections(period).await?.into_iter().map(plain).collect(),
            },
            Report::Satisfaction => work::satisfaction(self.store.scores(period, by).await?),
            Report::Handling => work::handling(self.store.time_by(period, by).await?),
            Report::FirstContact => work::first_contact(self.store.first_contact(period, by).await?),
            Report::Handovers => ReportTable {
                columns: vec!["group", "tickets", "handovers", "came-back"],
                rows: self.store.handovers(period, by).await?.into_iter().map(plain).collect(),
            },
            Report::PromiseEvents => work::promise_events(self.store.clock_event_counts(period, now, by).await?),
            Report::Corrections => work::corrections(self.store.decided(period, by).await?, by, &self.organisation()),
        })
    }

    fn period(&self, Days { from, to }: Days) -> Result<Period, Error> {
        let organisation = self.organisation();
        let zone = &organisation.calendar.zone;
        let first = |day: Date| zone.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok();
        let after = to.checked_add(1.day()).ok();
        let period = first(from).zip(after.and_then(first)).map(|(from, to)| Period { from, to });
        let fits = |period: &Period| {
            let length = period.to.as_millisecond() - period.from.as_millisecond();
            length > 0 && length <= DAYS_MAX * DAY_MS
        };
        period.filter(fits).ok_or_else(|| Error::Rejected {
            problems: vec![Problem::of("from", "invalid", Fault::Period, &[&DAYS_MAX])],
        })
    }

    /// Day by day in the desk's zone: a day is as long as the clocks on its walls say. Each resolution counts on its day, also one
    /// after which the ticket came back.
    async fn volume(&self, period: Period, by: Option<By>) -> Result<ReportTable, Error> {
        let organisation = self.organisation();
        let clocks = Clocks::of(&organisation.calendar.zone, period);
        let count = |moment| self.store.count_moments(moment, (period, &clocks), by);
        // Each walks through all tickets of the period: two at once take half of the time, and leave room for lists of others.
        let (created, mut resolved) = tokio::try_join!(count(Moment::Created), count(Moment::Resolved))?;
        let undone = self.store.undone((period, &clocks), by);
        let (closed, undone) = tokio::try_join!(count(Moment::Closed), undone)?;
        resolved.extend(undone.into_iter().filter_map(|of| Some((of.resolved?, of.group, of.count))));
        let mut days: BTreeMap<(Date, String), [i64; 3]> = BTreeMap::new();
        for (place, counted) in [created, resolved, closed].into_iter().enumerate() {
            for (day, group, count) in counted {
                let counts = days.entry((day, group)).or_default();
                if let Some(sum) = counts.get_mut(place) {
                    *sum += count;
                }
            }
        }
        let row = |((day, group), [created, resolved, closed]): ((Date, String), [i64; 3])| {
            let numbers = [created, resolved, closed].map(Cell::Number);
            [Cell::Text(day.to_string()), Cell::Text(group)].into_iter().chain(numbers).collect()
        };
        let columns = vec!["day", "group", "created", "resolved", "closed"];
        Ok(ReportTable { columns, rows: days.into_iter().map(row).collect() })
    }
}

fn plain(Counted { group, counts, .. }: Counted) -> Vec<Cell> {
    std::iter::once(Cell::Text(group)).chain(counts.into_iter().map(Cell::Number)).collect()
}

/// The count of each age: the database counts all that are younger.
fn backlog(counted: Vec<Counted>) -> ReportTable {
    let row = |Counted { group, counts, .. }: Counted| {
        let [total] = first_of(&counts);
        let mut row = vec![Cell::Text(group), Cell::Number(total)];
        let mut before = 0;
        for younger in counts.iter().skip(1).copied().chain([total]) {
            row.push(Cell::Number(younger - before));
            before = younger;
        }
        row
    };
    let columns = vec!["group", "unfinished", "under-1-day", "under-3-days", "under-7-days", "under-30-days", "older"];
    ReportTable { columns, rows: counted.into_iter().map(row).collect() }
}

fn attainment(counted: Vec<Counted>) -> ReportTable {
    let row = |Counted { group, of, counts }: Counted| {
        let [settled, kept] = first_of(&counts);
        let numbers = [Cell::Number(settled), Cell::Number(kept), Cell::Number(settled - kept), share(kept, settled)];
        [Cell::Text(group), Cell::Text(of)].into_iter().chain(numbers).collect()
    };
    let columns = vec!["group", "clock", "settled", "kept", "broken", "kept-share"];
    ReportTable { columns, rows: counted.into_iter().map(row).collect() }
}

fn resolutions(counted: Vec<Counted>) -> ReportTable {
    const ENDS: [&str; 5] = ["confirmed", "unanswered", "disputed", "taken-up", ""];
    let mut groups: BTreeMap<String, [i64; 5]> = BTreeMap::new();
    for Counted { group, of, counts } in counted {
        let place = ENDS.iter().position(|end| *end == of);
        let sums = groups.entry(group).or_default();
        if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
            let [count] = first_of(&counts);
            *sum += count;
        }
    }
    let row = |(group, [confirmed, unanswered, disputed, taken_up, open]): (String, [i64; 5])| {
        let total = confirmed + unanswered + disputed + taken_up + open;
        let numbers = [total, confirmed, unanswered, disputed, taken_up, open].map(Cell::Number);
        let reopened = share(disputed + taken_up, total);
        std::iter::once(Cell::Text(group)).chain(numbers).chain([reopened]).collect()
    };
    let columns =
        vec!["group", "resolutions", "confirmed", "unanswered", "disputed", "taken-up", "open", "reopened-share"];
    ReportTable { columns, rows: groups.into_iter().map(row).collect() }
}
