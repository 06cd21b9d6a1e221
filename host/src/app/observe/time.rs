//! A clock that was set back: nothing that has ended begins again, but all that is to end at a time ends later.

use jiff::SignedDuration;

use crate::app::{Error, Office};

/// How far apart the clocks of a desk's hosts may be.
const APART_MAX: SignedDuration = SignedDuration::from_mins(5);

impl Office {
    /// By how much the clock is behind the instants that the desk has written, where that is more than the clocks of its hosts may
    /// be apart. Time is not held at the latest of them: a clock that was once a year ahead would stop the desk for a year.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn clock_is_behind(&self) -> Result<Option<SignedDuration>, Error> {
        let shown = self.store.clock_has_shown().await?;
        let behind = shown.map(|shown| shown.duration_since(self.clock.now()));
        Ok(behind.filter(|behind| *behind > APART_MAX))
    }
}
