//! The lock of the whole database, which another program may hold, such as a backup or a shell: what is known of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Error;

/// For how long a write that was locked out is taken as a sign that the next would be. Nothing asks for the lock in between: who asks
/// stands in the way of those who write.
const BELIEVED: Duration = Duration::from_secs(10);

/// When a write was locked out last, if none was done since. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Lock(Arc<Mutex<Option<Instant>>>);

impl Lock {
    /// Notes how a write has ended.
    #[expect(clippy::disallowed_methods, reason = "it is measured how long ago that was")]
    pub fn note(&self, error: Option<&Error>) {
        let locked_out = match error {
            None => None,
            Some(Error::Slow(_)) => Some(Instant::now()),
            // It says nothing about the lock.
            Some(_) => return,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = locked_out;
    }

    /// Whether writes can be done, as far as is known.
    ///
    /// # Errors
    ///
    /// [`Error::Shut`] where one was locked out a moment ago.
    pub fn check(&self) -> Result<(), Error> {
        let locked_out = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match locked_out.filter(|at| at.elapsed() < BELIEVED) {
            None => Ok(()),
            Some(_) => Err(Error::Shut("another program holds the lock of its file".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_was_locked_out_is_a_sign_until_one_is_done() {
        let lock = Lock::default();
        lock.check().unwrap();
        lock.note(Some(&Error::Slow("database is locked".into())));
        lock.note(Some(&Error::Conflict));
        assert!(matches!(lock.clone().check(), Err(Error::Shut(_))));
        lock.note(None);
        lock.check().unwrap();
    }
}
