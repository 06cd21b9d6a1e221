//! The rules' work, summed up by the hour, and written in the transactions that write their records.
//!
//! Who writes keeps the sums of its last hours and writes each as a whole into rows of its own: so nothing is read before it is
//! written, and no two hosts wait for one row. Whoever reads adds the rows of all writers.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::histogram::Histogram;
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{corrupt, ms};
use crate::store::{Error, Store};

/// The length of an hour, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// Hours whose sums are kept: requests that began in one hour may be written in the next.
const HOURS_KEPT: usize = 3;
/// Sums that are kept apart in an hour. Of further ones the answers are left out.
const SUMS_MAX: usize = 4_096;

/// What is summed up together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    pub rule: String,
    pub stage: String,
    /// The word for what its answer was given for, such as `active` or `shadow`.
    pub mode: String,
    /// `answered`, or the fault's code.
    pub outcome: String,
    /// What was chosen; empty where no answer counted.
    pub answer: String,
    /// The version's name, then the digests of component and manifest.
    pub version: String,
    pub component: String,
    pub manifest: String,
}

/// One call of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub key: CallKey,
    /// Whether it chose something else than its stage came to.
    pub differs: bool,
    pub log_cut: bool,
    /// The most memory that it held, in bytes.
    pub memory_peak: u64,
    pub fuel: u64,
    /// How long it took, its instance included, in microseconds.
    pub micros: u64,
}

/// Calls, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sum {
    pub calls: u64,
    pub differences: u64,
    pub log_cuts: u64,
    pub memory_peak: u64,
    pub fuel: Histogram,
    pub micros: Histogram,
}

impl Sum {
    fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.differences += u64::from(call.differs);
        self.log_cuts += u64::from(call.log_cut);
        self.memory_peak = self.memory_peak.max(call.memory_peak);
        self.fuel.add(call.fuel);
        self.micros.add(call.micros);
    }
}

/// The sums of one who writes.
#[derive(Debug, Default)]
pub struct Rollups {
    /// The number of its rows, once it has some.
    writer: Option<i64>,
    hours: BTreeMap<i64, HashMap<CallKey, Kept>>,
    /// The last hour whose sums are not kept any more.
    forgotten: Option<i64>,
}

/// A sum, and whether the database has another.
#[derive(Debug, Default)]
struct Kept {
    sum: Sum,
    changed: bool,
}

/// The hour of an instant, from 1970 on.
pub fn hour_of(at: Timestamp) -> i64 {
    ms(at).div_euclid(HOUR_MS)
}

impl Rollups {
    /// Counts calls and writes the sums that they change.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written to: then the sums are not what was written, and the caller forgets them.
    pub async fn write<'a>(
        &mut self,
        tx: &mut Tx,
        runs: impl Iterator<Item = (Timestamp, &'a [Call])> + Clone,
    ) -> Result<(), Error> {
        let hours = runs.clone().filter(|(_, calls)| !calls.is_empty()).map(|(at, _)| hour_of(at));
        let Some(first) = hours.min() else { return Ok(()) };
        if self.forgotten.is_some_and(|forgotten| first <= forgotten) {
            // Its rows of that hour would be written over: it begins with rows of its own again.
            *self = Self::default();
        }
        for (at, calls) in runs {
            let hour = hour_of(at);
            calls.iter().for_each(|call| self.count(hour, call));
        }
        let writer = match self.writer {
            Some(writer) => writer,
            None => {
                let sql = "insert into rule_hour_writers (since) values ($1) returning id";
                let row = tx.optional(sql, vec![(first * HOUR_MS).into()]).await?;
                row.ok_or_else(|| corrupt("rule_hour_writers", "id", "nothing"))?.int(0)?
            }
        };
        self.writer = Some(writer);
        let mut rows = Vec::new();
        for (hour, sums) in &mut self.hours {
            for (key, kept) in sums.iter_mut().filter(|(_, kept)| kept.changed) {
                kept.changed = false;
                rows.push(row(writer, *hour, key, &kept.sum));
            }
        }
        let head = "insert into rule_hours (rule, hour, writer, stage, mode, outcome, answer, version, component, manifest, \
                    calls, differences, log_cuts, memory_peak, fuel, micros)";
        let tail = "on conflict (rule, hour, writer, stage, mode, outcome, answer, version, component, manifest) do update set \
                    calls = excluded.calls, differences = excluded.differences, log_cuts = excluded.log_cuts, \
                    memory_peak = excluded.memory_peak, fuel = excluded.fuel, micros = excluded.micros";
        tx.insert_later(head, 16, tail, rows).await?;
        while self.hours.len() > HOURS_KEPT {
            self.forgotten = self.hours.pop_first().map(|(hour, _)| hour);
        }
        Ok(())
    }

    fn count(&mut self, hour: i64, call: &Call) {
        let sums = self.hours.entry(hour).or_default();
        let full = sums.len() >= SUMS_MAX;
        let kept = match sums.get_mut(&call.key) {
            Some(kept) => kept,
            None if full => sums.entry(CallKey { answer: String::new(), ..call.key.clone() }).or_default(),
            None => sums.entry(call.key.clone()).or_default(),
        };
        kept.sum.add(call);
        kept.changed = true;
    }
}

fn row(writer: i64, hour: i64, key: &CallKey, sum: &Sum) -> Vec<Arg> {
    let number = |number: u64| Arg::from(i64::try_from(number).unwrap_or(i64::MAX));
    vec![
        key.rule.as_str().into(),
        hour.into(),
        writer.into(),
        key.stage.as_str().into(),
        key.mode.as_str().into(),
        key.outcome.as_str().into(),
        key.answer.as_str().into(),
        key.version.as_str().into(),
        key.component.as_str().into(),
        key.manifest.as_str().into(),
        number(sum.calls),
        number(sum.differences),
        number(sum.log_cuts),
        number(sum.memory_peak),
        sum.fuel.encode().into(),
        sum.micros.encode().into(),
    ]
}

impl Store {
    /// A rule's work since the beginning of an hour, in the sums of all hosts, each with its hour.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read. Sums that the desk did not write are left out.
    pub async fn rule_hours(&self, rule: &str, since_hour: i64) -> Result<Vec<(i64, CallKey, Sum)>, Error> {
        let sql = "select stage, mode, outcome, answer, version, component, manifest, calls, differences, log_cuts, \
                   memory_peak, fuel, micros, hour from rule_hours where rule = $1 and hour >= $2";
        let rows = self.db.all(sql, vec![rule.into(), since_hour.into()]).await?;
        let with_hour = |row: &Row| read(rule, row).and_then(|(key, sum)| Ok((row.int(13)?, key, sum)));
        Ok(self.readable("rule_hours", &rows, with_hour))
    }
}

fn read(rule: &str, row: &Row) -> Result<(CallKey, Sum), Error> {
    let number = |place| row.int(place).map(|number| u64::try_from(number).unwrap_or_default());
    let histogram = |place, column| {
        Histogram::decode(&row.bytes(place)?)
            .ok_or_else(|| corrupt("rule_hours", column, "bytes that are no histogram"))
    };
    let key = CallKey {
        rule: rule.to_owned(),
        stage: row.text(0)?,
        mode: row.text(1)?,
        outcome: row.text(2)?,
        answer: row.text(3)?,
        version: row.text(4)?,
        component: row.text(5)?,
        manifest: row.text(6)?,
    };
    let sum = Sum {
        calls: number(7)?,
        differences: number(8)?,
        log_cuts: number(9)?,
        memory_peak: number(10)?,
        fuel: histogram(11, "fuel")?,
        micros: histogram(12, "micros")?,
    };
    Ok((key, sum))
}
