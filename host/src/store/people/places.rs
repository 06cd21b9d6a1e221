//! Where people who hold access stood in the organisation when their access was last held against the rules.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::desk::id::PersonId;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{ms, parsed};
use crate::store::{Error, Store};

const T: &str = "access_places";
/// People that are read; those beyond are taken as new.
const READ_MAX: usize = 200_000;

impl Store {
    /// The places of all people that are kept.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn access_places(&self) -> Result<BTreeMap<PersonId, String>, Error> {
        let sql = format!("select person, place from access_places order by person limit {READ_MAX}");
        let rows = self.db.all_of_history(&sql, Vec::new()).await?;
        let place = |row: &Row| Ok((parsed(T, "person", &row.text(0)?)?, row.text(1)?));
        Ok(self.readable(T, &rows, place).into_iter().collect())
    }

    /// Keeps the places of people.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn keep_access_places(&self, places: &[(PersonId, String)], at: Timestamp) -> Result<(), Error> {
        let row = |(person, place): &(PersonId, String)| {
            vec![person.as_str().into(), place.as_str().into(), Arg::from(ms(at))]
        };
        let rows: Vec<Vec<Arg>> = places.iter().map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let head = "insert into access_places (person, place, seen_at)";
        let tail = "on conflict (person) do update set place = excluded.place, seen_at = excluded.seen_at";
        let written = self.db.durably(async |mut tx| {
            tx.insert(head, 3, tail, rows.clone()).await?;
            Ok(((), tx))
        });
        written.await
    }
}
