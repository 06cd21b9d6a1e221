//! Lists for an audit, which come in pages: printed as text, as CSV, or as lines of JSON.

use std::io;

use clap::Args;
use serde::Serialize;

use crate::app::Error;
use crate::app::tickets::work::Page;
use crate::cli::{Failure, desk};
use crate::rules::text::in_json;

/// Rows that are read at a time.
pub const PAGE: usize = 500;

/// The form of a list.
#[derive(Debug, Clone, Copy, Args)]
pub struct Printed {
    /// One row for each, with a line of names first (RFC 4180).
    #[arg(long, group = "form")]
    csv: bool,
    /// One JSON object a line.
    #[arg(long, group = "form")]
    json: bool,
}

impl Printed {
    /// Whether it is read by people.
    pub fn is_text(self) -> bool {
        !self.csv && !self.json
    }

    /// Prints all pages of a list: the first after nothing, each further one after the end of the one before.
    ///
    /// # Errors
    ///
    /// Where a page cannot be read, or nothing can be written.
    pub async fn print<T, K, R: Row>(
        self,
        page: impl AsyncFn(Option<K>) -> Result<Page<T, K>, Error>,
        row: impl Fn(T) -> Option<R>,
    ) -> Result<(), Failure> {
        let mut csv = self.csv.then(|| csv::Writer::from_writer(io::stdout().lock()));
        let (mut after, mut is_empty) = (None, true);
        loop {
            let Page { items, next } = page(after).await.map_err(desk::told)?;
            for row in items.into_iter().filter_map(&row) {
                is_empty = false;
                match &mut csv {
                    Some(csv) => csv.serialize(row.for_a_sheet())?,
                    None if self.json => println!("{}", in_json(&serde_json::to_string(&row)?)),
                    None => row.say(),
                }
            }
            after = next;
            if after.is_none() {
                if is_empty {
                    eprintln!("there is none");
                }
                return csv.as_mut().map_or(Ok(()), |csv| Ok(csv.flush()?));
            }
        }
    }
}

/// A row of such a list.
pub trait Row: Serialize + Sized {
    /// Prints it for people.
    fn say(&self);

    /// The same where it may be opened as a sheet: no text that people wrote is taken for a formula (OWASP, CSV injection).
    fn for_a_sheet(self) -> Self;
}
