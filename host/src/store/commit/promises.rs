//! The events that a change brings to the promises of its ticket.

use jiff::Timestamp;

use super::Writing;
use crate::desk::change::TicketWrite;
use crate::desk::change::clock_events::{ClockEvent, events};
use crate::desk::ticket::State;
use crate::store::Error;
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::ms;

/// The most events of one version of a ticket: two for each of the desk's own clocks and for each of 16 further ones, and one for each
/// of as many that these take the place of. Versions that were written when there was room for fewer come before all that follow.
const OF_A_VERSION: i64 = 64;

/// Writes the events of all changes.
pub(super) async fn write(tx: &mut Tx, writing: &[Writing<'_>]) -> Result<(), Error> {
    let mut rows: Vec<Vec<Arg>> = Vec::new();
    for Writing { commit, after, .. } in writing {
        let before = match commit.change.ticket() {
            TicketWrite::Open(_) => None,
            TicketWrite::Update { before, .. } if before.clocks == after.clocks => continue,
            TicketWrite::Update { before, .. } => Some(&before.clocks),
        };
        let over = matches!(after.state, State::Closed | State::Cancelled | State::Merged);
        let past = commit.change.past_promises();
        let now = |event| (after.updated_at, event);
        let all = match past {
            [] => events(before, &after.clocks, over).into_iter().map(now).collect(),
            past => past.to_vec(),
        };
        // What was before this desk has negative numbers, so that it comes before all that follows.
        let first = if past.is_empty() { after.version.saturating_mul(OF_A_VERSION) } else { -length(past) };
        for (seq, (at, event)) in (first..).zip(all) {
            rows.push(vec![
                after.number.0.into(),
                seq.into(),
                event.kind.code().into(),
                event.step.code().into(),
                ms(at).into(),
                event.clock.target_ms.into(),
                event.clock.used_ms.into(),
                event.clock.due_at.map(ms).into(),
            ]);
        }
    }
    tx.insert_later("insert into clock_events (ticket, seq, clock, step, at, target, used, due)", 8, "", rows).await
}

fn length(past: &[(Timestamp, ClockEvent)]) -> i64 {
    i64::try_from(past.len()).unwrap_or(i64::MAX)
}
