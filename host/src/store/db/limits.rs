//! How long anything may wait for the database, and how many connections there are.

use std::time::Duration;

/// The bounds of the use of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest wait for a free connection.
    pub connection: Duration,
    /// The longest wait for a row or a lock that another transaction holds.
    pub lock: Duration,
    /// The longest that a write may have waited for the turn of its ticket, and again in line behind one that was locked out, and be begun
    /// still: its own wait for a lock, and its answer, are to end before the request does.
    pub turn: Duration,
    /// The longest that one statement may take.
    pub statement: Duration,
    /// The longest that one statement of a command over the whole history may take, such as `decisions chain`.
    pub long_statement: Duration,
    /// How long a transaction that writes may stand still between two statements before the server ends it. A host that is
    /// paused in the middle of one holds what all others need, so this is the longest that it stops them. A transaction that
    /// is ended this way is tried again.
    pub idle_writing: Duration,
    /// The same for a transaction that only reads, which holds nothing that others need.
    pub idle_reading: Duration,
    /// Connections to PostgreSQL, all in all, and 8 of SQLite's readers at most.
    pub connections: u32,
}

/// Connections of a store whose opener has no wish.
const CONNECTIONS: u32 = 12;
/// With fewer, one kind of statement would have none.
const CONNECTIONS_MIN: u32 = 4;
/// Connections that write: the one writer, and what changes reference tables.
pub(super) const WRITERS: u32 = 2;
/// No limit that follows from the request's is shorter than this.
const LEAST: Duration = Duration::from_millis(250);

impl Limits {
    /// Limits that all end before a request may have taken as long as it may: so a client gets to read why.
    pub fn within(request: Duration, connections: u32) -> Limits {
        Limits {
            connection: (request / 5).max(LEAST),
            lock: (request / 3).max(LEAST),
            turn: request / 4,
            statement: (request * 3 / 4).max(LEAST),
            long_statement: Duration::from_secs(600),
            idle_writing: Duration::from_millis(500),
            idle_reading: (request / 2).max(LEAST),
            connections: connections.max(CONNECTIONS_MIN),
        }
    }

    /// Of the connections that do not write: for short reads that everybody waits for, and for the rest.
    pub(super) fn shares(&self) -> (u32, u32) {
        let reading = self.connections.saturating_sub(WRITERS).max(2);
        let quick = (reading * 2 / 5).max(1);
        (quick, reading - quick)
    }
}

impl Default for Limits {
    /// Those of a desk whose configuration says nothing else.
    fn default() -> Self {
        Limits::within(Duration::from_secs(10), CONNECTIONS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_ends_before_the_request_does() {
        for seconds in [1, 2, 10, 600] {
            let request = Duration::from_secs(seconds);
            let limits = Limits::within(request, CONNECTIONS);
            for wait in [limits.connection, limits.lock, limits.statement, limits.idle_reading, limits.idle_writing] {
                assert!(wait < request, "{limits:?}");
            }
            // For the turn of its ticket, in line, and for a lock: one after the other.
            assert!(2 * limits.turn + limits.lock < request, "{limits:?}");
        }
    }

    #[test]
    fn every_kind_of_read_has_connections_of_its_own() {
        for connections in [0, CONNECTIONS_MIN, CONNECTIONS, 500] {
            let limits = Limits::within(Duration::from_secs(10), connections);
            let (quick, lists) = limits.shares();
            assert!(quick >= 1 && lists >= 1);
            assert_eq!(quick + lists + WRITERS, limits.connections);
        }
    }
}
