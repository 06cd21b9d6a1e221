//! What a change does to the promises of its ticket, event by event.

use super::Writing;
use crate::desk::change::TicketWrite;
use crate::desk::sla::events::events;
use crate::desk::ticket::State;
use crate::store::Error;
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::ms;

/// The most events of one version of a ticket: two for each kind of clock, and some to spare.
const OF_A_VERSION: i64 = 16;

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
        for (place, event) in (0..OF_A_VERSION).zip(events(before, &after.clocks, over)) {
            rows.push(vec![
                after.number.0.into(),
                (after.version.saturating_mul(OF_A_VERSION) + place).into(),
                event.kind.code().into(),
                event.step.code().into(),
                ms(after.updated_at).into(),
                event.clock.target_ms.into(),
                event.clock.used_ms.into(),
                event.clock.due_at.map(ms).into(),
            ]);
        }
    }
    tx.insert("insert into clock_events (ticket, seq, clock, step, at, target, used, due)", 8, "", rows).await.map(drop)
}
