//! Logs of states: each row is one event of a ticket.

use std::collections::HashMap;

use super::{Claim, Flight, Past};
use crate::cli::Failure;
use crate::desk::ticket::history::log::LogEvent;
use crate::import::{ImportedTicket, Row, RowWrong, Tickets};
use crate::rules::digest::Digest;

/// The most rows of one log, which are gathered before tickets are made of them.
const ROWS_MAX: usize = 5_000_000;

/// A ticket with all its events.
pub struct Logged {
    /// Of its first event, by time: what is said of the ticket itself.
    pub past: Past,
    /// Its line.
    pub line: u64,
    pub events: Vec<LogEvent>,
    /// The key under which it is taken over, and the digest of all that it is made of.
    pub(super) claim: Claim,
}

/// Reads a whole log and takes its tickets over.
pub async fn take_over(flight: &mut Flight, tickets: &mut Tickets<'_>) -> Result<(), Failure> {
    let (mut places, mut all): (HashMap<String, usize>, Vec<Vec<ImportedTicket>>) = (HashMap::new(), Vec::new());
    let mut rows = 0;
    while let Some(row) = tickets.next_row()? {
        rows += 1;
        if rows > ROWS_MAX {
            return Err(
                format!("the log has more than {ROWS_MAX} rows: import it in parts, each with whole tickets").into()
            );
        }
        match row {
            Row::Ticket(ticket) if ticket.past.created_at.is_none() => flight.refuse(ticket.line, &RowWrong::NoTime),
            Row::Ticket(ticket) => {
                let Some(key) = ticket.key.clone() else {
                    return Err("a log needs `--key COLUMN`, which says whose event a row is".into());
                };
                let place = *places.entry(key).or_insert(all.len());
                match all.get_mut(place) {
                    Some(events) => events.push(*ticket),
                    None => all.push(vec![*ticket]),
                }
            }
            Row::Problem(problem) => flight.refuse(problem.line, &problem.wrong),
        }
    }
    for rows in all {
        if let Some(logged) = flight.logged(rows) {
            flight.take_over(logged).await?;
        }
    }
    Ok(())
}

impl Flight {
    /// The rows of one ticket, as they are lived through.
    fn logged(&self, mut rows: Vec<ImportedTicket>) -> Option<Logged> {
        rows.sort_by_key(|row| (row.past.created_at, row.line));
        let event = |row: &ImportedTicket| {
            let (at, team) = (row.past.created_at?, row.labels.team.clone());
            Some(LogEvent { line: row.line, at, state: row.past.state, team })
        };
        let events: Vec<LogEvent> = rows.iter().filter_map(event).collect();
        let first = rows.into_iter().next()?;
        let line = first.line;
        let told: Vec<_> = events.iter().map(|e| (e.at.to_string(), e.state.map(|s| s.code()), &e.team)).collect();
        let whole = serde_json::json!([String::from_utf8_lossy(&self.request(&first)), told]).to_string();
        let claim = Claim::of("import-log", &first, &Digest::of(whole.as_bytes()).to_string())?;
        Some(Logged { past: self.past(first)?, line, events, claim })
    }
}

/// The line that a problem of a log is filed under.
pub fn line_of(field: &str) -> Option<u64> {
    field.strip_prefix("line ")?.parse().ok()
}
