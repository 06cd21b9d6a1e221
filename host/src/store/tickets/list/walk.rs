//! Walks along indexes as one statement, and what they have found in one order.

use crate::store::Error;
use crate::store::db::{Arg, Row};

/// The arguments of a statement; each has a place by which the text names it.
#[derive(Debug, Clone, Default)]
pub struct Args(pub Vec<Arg>);

impl Args {
    /// Adds an argument; its place.
    pub fn place(&mut self, arg: impl Into<Arg>) -> String {
        self.0.push(arg.into());
        format!("${}", self.0.len())
    }
}

/// What an index does not hold and is looked at entry by entry: a condition, and the columns that it names.
#[derive(Debug, Clone, Default)]
pub struct Residual {
    pub columns: Vec<&'static str>,
    pub conditions: Vec<String>,
}

impl Residual {
    /// Whether everything matches.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Adds a condition on one or two columns.
    pub fn add(&mut self, columns: &[&'static str], condition: String) {
        for column in columns {
            if !self.columns.contains(column) {
                self.columns.push(column);
            }
        }
        self.conditions.push(condition);
    }
}

/// Where in its order a ticket stands.
pub type Key = [i64; 3];

/// Walks that together find the entries of a list.
#[derive(Debug)]
pub struct Walks {
    /// The columns of a [`Key`]; the first may be a constant.
    pub keys: [&'static str; 3],
    /// The order in which an index has the entries of each range.
    pub order: &'static str,
    /// The table of the entries, or what stands for one.
    pub source: &'static str,
    /// The same where only keys are read.
    pub keys_of: &'static str,
    /// Each walk's range of an index, as a `where` with a space before it, or nothing.
    pub ranges: Vec<String>,
    pub residual: Residual,
    /// Entries that each walk gives at most.
    pub wanted: usize,
    /// Entries that each walk looks at, at most: it says where it stopped. `None` where all that it looks at is wanted.
    pub looked_at: Option<usize>,
}

impl Walks {
    /// One statement for all of them. It sorts nothing: each walk is in order, and [`merged`] makes one of them.
    pub fn sql(&self) -> String {
        let [a, b, c] = self.keys;
        let Walks { order, source, keys_of, wanted, residual, .. } = self;
        let mut parts = Vec::with_capacity(2 * self.ranges.len());
        for (n, range) in self.ranges.iter().enumerate() {
            let walk = |mark: u8, more: &str, limit: &str| {
                let from = if more.is_empty() { keys_of } else { source };
                format!(
                    "select cast({mark} as bigint) as mark, {a} as a, {b} as b, {c} as c{more} \
                     from {from}{range} order by {order} limit {limit}"
                )
            };
            let Some(looked_at) = self.looked_at else {
                parts.push(format!("select * from ({}) as w{n}", walk(0, "", &wanted.to_string())));
                continue;
            };
            let more: String = residual.columns.iter().map(|column| format!(", {column}")).collect();
            let matches = residual.conditions.join(" and ");
            let matches = if residual.is_empty() { "1 = 1" } else { &matches };
            parts.push(format!(
                "select * from (select mark, a, b, c from ({}) as w{n} where {matches} limit {wanted}) as m{n}",
                walk(0, &more, &looked_at.to_string()),
            ));
            // The last entry that the walk looks at, where there are so many.
            parts.push(format!("select * from ({}) as e{n}", walk(1, "", &format!("1 offset {}", looked_at - 1))));
        }
        parts.join(" union all ")
    }
}

/// What walks have found, in order, up to the first place at which one of them stopped before its end; and that place.
pub fn merged(rows: &[Row]) -> Result<(Vec<Key>, Option<Key>), Error> {
    let (mut found, mut stopped): (Vec<Key>, Option<Key>) = (Vec::with_capacity(rows.len()), None);
    for row in rows {
        let key = [row.int(1)?, row.int(2)?, row.int(3)?];
        if row.int(0)? == 0 {
            found.push(key);
        } else {
            stopped = Some(stopped.map_or(key, |first| first.min(key)));
        }
    }
    found.retain(|key| stopped.is_none_or(|stopped| *key <= stopped));
    found.sort_unstable();
    Ok((found, stopped))
}
