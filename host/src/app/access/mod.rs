//! Access requests: people decide, and the desk denies what is not decided in time.

use super::Error;

pub mod catalog;
pub mod deadlines;
pub mod decide;
pub mod ending;
pub mod orders;
pub mod people;
pub mod provision;
pub mod questions;
pub mod reviews;
mod revoke;
pub mod view;

/// The outcome for one of many; `None` where it is gone, or its row is damaged, which is logged and keeps no other waiting.
fn unless_gone<T>(done: Result<T, Error>) -> Result<Option<T>, Error> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Error::Missing { .. } | Error::Damaged(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
