//! `[promises]` of `desk.toml`: when the desk raises its voice about promises that run out.

use super::closing::{self, whole};
use crate::config::names::Names;
use crate::config::read::{Keys, distinct};
use crate::desk::organisation::service::{Closing, Escalation, Watch};
use crate::desk::sla::ClockKind;

/// The largest share of a promise, in percent: ten times what was promised.
const SHARE_MAX: u64 = 1_000;

/// Reads how tickets end, and which promises are watched.
pub fn and_closing(keys: &mut Keys<'_>, names: &Names) -> (Closing, Watch) {
    let closing = keys.table("closing", closing::read).unwrap_or_default().over(&Closing::default());
    (closing, keys.table("promises", |keys| read(keys, names)).unwrap_or_default())
}

/// Reads the table.
///
/// - `alert-at`: the shares of each promise at which the assignee, or the team where there is none, is alerted, in percent, such
///   as `[75, 100]`; 100 is the breach. Default none.
/// - `[[promises.escalate]]`: `clock`, one of `first-response`, `resolution`, `next-update` and `team-resolution`, and `at`, the
///   share of it at which a ticket goes up to the team that its own escalates to; with `request-types`, only tickets of these.
fn read(keys: &mut Keys<'_>, names: &Names) -> Watch {
    let kinds = ClockKind::ALL.map(|kind| (kind.code(), kind));
    let of_work = kinds.get(..4).unwrap_or_default();
    let mut alert_at: Vec<u16> = keys.list("alert-at").iter().filter_map(|node| whole(node, 1, SHARE_MAX)).collect();
    alert_at.sort_unstable();
    alert_at.dedup();
    let escalation = |keys: &mut Keys<'_>| {
        let clock = keys.required("clock").and_then(|node| node.one_of(of_work));
        let share = keys.required("at").and_then(|node| whole(&node, 1, SHARE_MAX));
        let request_types = distinct(keys.list("request-types"), |node| node.known(&names.request_types));
        clock.zip(share).map(|(clock, percent)| Escalation { clock, percent, request_types })
    };
    let list = keys.list("escalate");
    let escalate_at = list.iter().filter_map(|node| node.keys(escalation).flatten()).collect();
    Watch { alert_at, escalate_at }
}
