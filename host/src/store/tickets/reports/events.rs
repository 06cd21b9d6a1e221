//! The events of promises, as they are read and counted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{By, Counted, Period};
use crate::desk::change::clock_events::ClockStep;
use crate::desk::id::TicketNumber;
use crate::desk::sla::ClockKind;
use crate::store::db::Row;
use crate::store::sql::columns::{at, corrupt, ms};
use crate::store::{Error, Store};

/// The most events of a ticket that are read.
const EVENTS_MAX: i64 = 2_000;
const T: &str = "clock_events";

/// One event of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredClockEvent {
    pub kind: ClockKind,
    pub step: ClockStep,
    pub at: Timestamp,
    pub target_ms: i64,
    pub used_ms: i64,
    pub due_at: Option<Timestamp>,
}

fn event(row: &Row) -> Result<StoredClockEvent, Error> {
    let (kind, step) = (row.text(0)?, row.text(1)?);
    Ok(StoredClockEvent {
        kind: ClockKind::from_code(&kind).ok_or_else(|| corrupt(T, "clock", kind))?,
        step: ClockStep::from_code(&step).ok_or_else(|| corrupt(T, "step", step))?,
        at: at(T, "at", row.int(2)?)?,
        target_ms: row.int(3)?,
        used_ms: row.int(4)?,
        due_at: row.opt_int(5)?.map(|due| at(T, "due", due)).transpose()?,
    })
}

impl Store {
    /// The events of a ticket's promises, in order.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn clock_events(&self, ticket: TicketNumber) -> Result<Vec<StoredClockEvent>, Error> {
        let sql = format!(
            "select clock, step, at, target, used, due from clock_events where ticket = $1 order by seq limit {EVENTS_MAX}"
        );
        Ok(self.readable(T, &self.db.quick(&sql, vec![ticket.0.into()]).await?, event))
    }

    /// How many events of each step there were in a period, by group and clock; and last how many promises were broken.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn clock_event_counts(
        &self,
        period: Period,
        now: Timestamp,
        by: Option<By>,
    ) -> Result<Vec<Counted>, Error> {
        let (group, tickets) = (By::group(by), By::tickets(by));
        let steps = format!(
            "select {group} as name, e.clock, e.step, count(*) from clock_events e join {tickets} on t.number = e.ticket \
             where e.at >= $1 and e.at < $2 group by 1, 2, 3 order by 1, 2, 3"
        );
        // One that had used up its time before was broken then.
        let broken = format!(
            "select {group} as name, e.clock, 'broken', count(*) from clock_events e join {tickets} on t.number = e.ticket \
             where e.due >= $1 and e.due < $2 and e.due < {now} and e.used < e.target and not exists \
             (select 1 from clock_events n where n.ticket = e.ticket and n.clock = e.clock and n.seq > e.seq \
             and n.at <= e.due) group by 1, 2 order by 1, 2",
            now = ms(now)
        );
        let places: Vec<&str> = ClockStep::ALL.iter().map(|step| step.code()).chain(["broken"]).collect();
        let mut counts: BTreeMap<(String, String), Vec<i64>> = BTreeMap::new();
        for sql in [steps, broken] {
            for row in self.db.all_of_history(&sql, period.args()).await? {
                let step = row.text(2)?;
                let of_group = counts.entry((row.text(0)?, row.text(1)?)).or_insert_with(|| vec![0; places.len()]);
                if let Some(count) = places.iter().position(|place| *place == step).and_then(|at| of_group.get_mut(at))
                {
                    *count += row.int(3)?;
                }
            }
        }
        Ok(counts.into_iter().map(|((group, of), counts)| Counted { group, of, counts }).collect())
    }
}
