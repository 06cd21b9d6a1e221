//! Rows of lists that nothing of the desk's wrote: each is left out of its list, counted and logged once, and spoils no other.
//!
//! That is for lists that people read and for queues. Where a row decides who may do or hold something, the whole is refused
//! as long as it cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::page::Page;
use crate::store::db::Row;
use crate::store::{Error, Store};

/// The most damaged rows that are counted each by itself; those beyond are left out and not counted.
const REMEMBERED_MAX: usize = 10_000;
/// The longest name of a damaged row, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// The damaged rows that lists came upon, by table and name.
#[derive(Debug, Default)]
pub struct Damaged(Mutex<BTreeSet<(&'static str, String)>>);

tokio::task_local! {
    static LEFT_OUT: AtomicUsize;
}

/// The outcome of work, and how many rows its lists left out in its own task.
pub async fn left_out<T>(work: impl Future<Output = T>) -> (T, usize) {
    let all = async {
        let value = work.await;
        (value, LEFT_OUT.try_with(|count| count.load(Ordering::Relaxed)).unwrap_or_default())
    };
    LEFT_OUT.scope(AtomicUsize::new(0), all).await
}

impl Damaged {
    fn note(&self, table: &'static str, row: &impl Display, error: &Error) {
        // Outside of a request there is nothing to count for.
        let _ = LEFT_OUT.try_with(|count| count.fetch_add(1, Ordering::Relaxed));
        let mut name = format!("{row}: {error}");
        name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < REMEMBERED_MAX && known.insert((table, name)) {
            tracing::error!(table, %row, %error, "a damaged row is left out of lists: put it back from a backup");
        }
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (table, _) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *counts.entry(*table).or_default() += 1;
        }
        counts
    }
}

/// The first column, by which people find a row.
fn name(row: &Row) -> String {
    let id = row.uuid(0).map(|id: Uuid| id.to_string());
    id.or_else(|_| row.int(0).map(|n| n.to_string())).or_else(|_| row.text(0)).unwrap_or_default()
}

impl Store {
    /// How many damaged rows lists have come upon since the start, by table.
    pub fn damaged_rows(&self) -> BTreeMap<&'static str, u64> {
        self.damaged.counts()
    }

    /// Notes a damaged row that something goes on without.
    pub fn leave_out(&self, table: &'static str, row: &impl Display, error: &Error) {
        self.damaged.note(table, row, error);
    }

    /// The items of a list, without the rows that cannot be read.
    pub(in crate::store) fn readable<T>(
        &self,
        table: &'static str,
        rows: &[Row],
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Vec<T> {
        let one = |row: &Row| read(row).map_err(|error| self.leave_out(table, &name(row), &error)).ok();
        rows.iter().filter_map(one).collect()
    }

    /// A page of at most `limit` of the rows, which are one more where there are more: those that cannot be read are missing
    /// from it, and it is followed by the next all the same.
    pub(in crate::store) fn readable_page<T, P>(
        &self,
        table: &'static str,
        (rows, limit): (&[Row], usize),
        read: impl Fn(&Row) -> Result<T, Error>,
        place: impl Fn(&Row) -> Result<P, Error>,
    ) -> Page<T, P> {
        let page = rows.get(..limit).unwrap_or(rows);
        // A place that cannot be read is passed over: what stood there comes once more, and the pages come to an end.
        let last = || page.iter().rev().find_map(|row| place(row).ok());
        Page { items: self.readable(table, page, read), next: (rows.len() > limit).then(last).flatten() }
    }
}
