//! How long apps are left alone: those that ask for it, those that let the desk do nothing, and those that do not answer. After a pause one
//! order is tried at a time; until the app has answered one, no other is begun with, and the pauses grow.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::desk::id::{ConnectorId, OpId};
use crate::desk::organisation::connector::Connector;
use crate::desk::sla::later;

/// How long orders are counted together.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// So many orders in a row that an app does not let the desk do say that it lets it do none.
const FORBIDDEN_MAX: u32 = 5;
/// So many orders in a row to which an app does not answer say that it answers none.
const UNANSWERED_MAX: u32 = 5;
/// The shortest pause; it doubles with each further one without an answer in between.
const PAUSE_MIN: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause, where an app does not ask for a longer one.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(15);
/// How long others wait for the one order that is tried.
const TRIAL: SignedDuration = SignedDuration::from_secs(20);
/// From so many pauses in a row on, what waits is spread over some time after the pause, so that very many orders to one app do not come
/// all at once before those to others.
const SPREAD_FROM: u32 = 4;
/// Into so many parts that time is divided.
const PARTS: u16 = 1_024;

/// The connectors whose apps are left alone, and until when. Each host keeps its own.
#[derive(Debug, Default)]
pub struct Pauses(Mutex<BTreeMap<ConnectorId, Pause>>);

/// How an app wants to be asked.
#[derive(Debug, Clone, Copy, Default)]
struct Pause {
    /// While it is left alone.
    alone: Option<Span>,
    /// The pauses in a row without an answer in between.
    row: u32,
    /// The orders in a row to which it did not answer.
    unanswered: u32,
    /// The orders in a row that it did not let the desk do.
    forbidden: u32,
    /// The order that was tried last after a pause, and while others wait for it.
    trial: Option<(OpId, Span)>,
    /// Whether others have waited since.
    others_wait: bool,
    /// When the minute began that is counted, and with how many orders the desk has begun in it.
    minute: Option<(Timestamp, u32)>,
}

/// Some time. By a clock that was set back to before it, it is over.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Timestamp,
    until: Timestamp,
}

impl Span {
    fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

impl Pauses {
    /// Until when an order waits for its app; `None` where it is begun with now.
    pub fn until(&self, connector: &ConnectorId, op: OpId, now: Timestamp) -> Option<Timestamp> {
        let mut until = None;
        self.change(connector, |pause| until = pause.until(op, now));
        until
    }

    /// Until when an app is left alone, for those that read it and order nothing; `None` where it is not.
    pub fn alone_until(&self, connector: &ConnectorId, now: Timestamp) -> Option<Timestamp> {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = pauses.get(connector).and_then(|pause| pause.alone).filter(|alone| alone.holds(now));
        alone.map(|alone| alone.until)
    }

    /// Notes that an app wants to be left alone, or cannot be reached.
    pub fn leave_alone(&self, connector: &ConnectorId, now: Timestamp, until: Timestamp) {
        self.change(connector, |pause| pause.leave_alone(now, until));
    }

    /// Notes that an app has not answered an order: where it has answered none for long, it is left alone.
    pub fn has_not_answered(&self, connector: &ConnectorId, now: Timestamp) {
        self.change(connector, |pause| {
            pause.unanswered += 1;
            if pause.row > 0 || pause.unanswered >= UNANSWERED_MAX {
                pause.leave_alone(now, now);
            }
        });
    }

    /// Notes that an app does not let the desk do an order: where it has let it do none for long, it is left alone.
    pub fn was_forbidden(&self, connector: &ConnectorId, now: Timestamp, until: Timestamp) {
        self.change(connector, |pause| {
            pause.has_answered();
            pause.forbidden += 1;
            if pause.forbidden >= FORBIDDEN_MAX {
                // It may want to be left alone for longer already.
                let until = pause.alone.filter(|alone| alone.holds(now)).map_or(until, |alone| alone.until.max(until));
                (pause.alone, pause.forbidden) = (Some(Span { from: now, until }), 0);
            }
        });
    }

    /// Notes that an app has answered about an order, be it that it refuses.
    pub fn has_answered(&self, connector: &ConnectorId) {
        self.change(connector, Pause::has_answered);
    }

    /// Notes that an app has let the desk do an order.
    pub fn has_let(&self, connector: &ConnectorId) {
        self.change(connector, |pause| {
            pause.has_answered();
            pause.forbidden = 0;
        });
    }

    /// Until when no order more is begun with, since there were as many within a minute as the connector says; `None` where this one is.
    pub fn full_until(&self, connector: &Connector, now: Timestamp) -> Option<Timestamp> {
        let most = connector.orders_per_minute?;
        let mut full = None;
        self.change(&connector.id, |pause| {
            // A clock that was set back begins a new minute.
            let (start, count) = pause
                .minute
                .filter(|(start, _)| Span { from: *start, until: later(*start, MINUTE) }.holds(now))
                .unwrap_or((now, 0));
            if count >= most {
                full = Some(later(start, MINUTE));
            } else {
                pause.minute = Some((start, count + 1));
            }
        });
        full
    }

    fn change(&self, connector: &ConnectorId, change: impl FnOnce(&mut Pause)) {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(pauses.entry(connector.clone()).or_default());
    }
}

impl Pause {
    fn until(&mut self, op: OpId, now: Timestamp) -> Option<Timestamp> {
        let is_last = self.trial.is_some_and(|(last, _)| last == op);
        if let Some(alone) = self.alone.filter(|alone| alone.holds(now)) {
            self.others_wait |= !is_last;
            return Some(later(alone.until, self.spread(&alone, op)));
        }
        if self.row == 0 {
            return None;
        }
        match self.trial {
            Some((_, trial)) if !is_last && trial.holds(now) => {
                self.others_wait = true;
                return Some(trial.until);
            }
            // Another comes first, so that an order to which the app never answers keeps no other waiting.
            Some(_) if is_last && self.others_wait => {
                self.others_wait = false;
                return Some(later(now, TRIAL));
            }
            _ => {}
        }
        self.trial = Some((op, Span { from: now, until: later(now, TRIAL) }));
        None
    }

    fn leave_alone(&mut self, now: Timestamp, asked: Timestamp) {
        let holds = self.alone.filter(|alone| alone.holds(now));
        // Orders that were on their way together say the same, and it counts once.
        if holds.is_none() {
            self.row = self.row.saturating_add(1);
        }
        let times = 1_i32.checked_shl(self.row.saturating_sub(1).min(20)).unwrap_or(i32::MAX);
        let wait = PAUSE_MIN.checked_mul(times).map_or(PAUSE_MAX, |wait| wait.min(PAUSE_MAX));
        let until = later(now, wait).max(asked).max(holds.map_or(now, |alone| alone.until));
        (self.alone, self.unanswered) = (Some(Span { from: now, until }), 0);
        // The order that was tried has come to its end.
        self.trial = self.trial.map(|(last, _)| (last, Span { from: now, until: now }));
    }

    fn has_answered(&mut self) {
        (self.row, self.unanswered, self.trial, self.others_wait) = (0, 0, None, false);
    }

    /// How long after a long pause an order comes.
    fn spread(&self, alone: &Span, op: OpId) -> SignedDuration {
        if self.row < SPREAD_FROM {
            return SignedDuration::ZERO;
        }
        let half = (alone.until.duration_since(alone.from) / 2).min(PAUSE_MAX / 2);
        let (_, number) = op.0.as_u64_pair();
        let part = i32::try_from((number >> 32) % u64::from(PARTS)).unwrap_or_default();
        half / i32::from(PARTS) * part
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn op(n: u128) -> OpId {
        OpId(Uuid::from_u128(n << 16))
    }

    fn app() -> (Pauses, ConnectorId) {
        (Pauses::default(), "peer".parse().unwrap())
    }

    #[test]
    fn an_app_that_does_not_answer_is_tried_once_a_pause_and_the_pauses_grow() {
        let (pauses, app) = app();
        for n in 1..UNANSWERED_MAX {
            pauses.has_not_answered(&app, at(0));
            assert_eq!(pauses.until(&app, op(1), at(0)), None, "after {n} it is still asked");
        }
        let mut now = 0;
        for wait in [5, 10, 20, 40, 80, 160, 320, 640, 900, 900] {
            pauses.has_not_answered(&app, at(now));
            // Those that were on their way at the same time change nothing.
            pauses.has_not_answered(&app, at(now));
            assert_eq!(pauses.until(&app, op(0), at(now + wait - 1)), Some(at(now + wait)));
            now += wait;
            let tried = [op(1), op(2)].map(|op| pauses.until(&app, op, at(now)).is_none());
            assert_eq!(tried.iter().filter(|tried| **tried).count(), 1, "one of them, after {wait} s");
        }
        pauses.has_answered(&app);
        for n in 0..5 {
            assert_eq!(pauses.until(&app, op(n), at(now)), None, "all of them");
        }
    }

    #[test]
    fn an_order_to_which_an_app_never_answers_lets_others_go_first() {
        let (pauses, app) = app();
        pauses.leave_alone(&app, at(0), at(30));
        assert_eq!((pauses.until(&app, op(1), at(1)), pauses.until(&app, op(2), at(1))), (Some(at(30)), Some(at(30))));
        assert_eq!(pauses.until(&app, op(1), at(30)), None);
        assert_eq!(pauses.until(&app, op(2), at(31)), Some(at(50)), "one at a time");
        pauses.has_not_answered(&app, at(32));
        assert_eq!(pauses.until(&app, op(1), at(60)), Some(at(80)), "its turn was the last");
        assert_eq!(pauses.until(&app, op(2), at(60)), None);
        pauses.has_not_answered(&app, at(60));
        // It is alone by now.
        assert_eq!((pauses.until(&app, op(2), at(100)), pauses.until(&app, op(2), at(130))), (None, None));
    }

    #[test]
    fn an_app_is_left_alone_for_as_long_as_it_asks_and_no_longer_by_a_clock_that_was_set_back() {
        let (pauses, app) = app();
        pauses.leave_alone(&app, at(0), at(7_200));
        assert_eq!(pauses.until(&app, op(1), at(7_199)), Some(at(7_200)));
        assert_eq!(pauses.until(&app, op(1), at(-1)), None, "the clock was set back to before it asked");
        pauses.leave_alone(&app, at(-1), at(-1));
        assert_eq!(pauses.until(&app, op(1), at(0)), Some(at(9)));
    }

    #[test]
    fn what_an_app_forbids_five_times_in_a_row_is_left_alone() {
        let (pauses, app) = app();
        for _ in 1..FORBIDDEN_MAX {
            pauses.was_forbidden(&app, at(0), at(300));
            assert_eq!(pauses.until(&app, op(1), at(0)), None);
        }
        pauses.has_let(&app);
        for _ in 0..FORBIDDEN_MAX {
            assert_eq!(pauses.until(&app, op(1), at(0)), None);
            pauses.was_forbidden(&app, at(0), at(300));
        }
        assert_eq!(pauses.until(&app, op(1), at(0)), Some(at(300)));
        assert_eq!((pauses.until(&app, op(1), at(300)), pauses.until(&app, op(2), at(300))), (None, None));
        pauses.leave_alone(&app, at(300), at(7_200));
        // Some were on their way at the same time.
        (0..FORBIDDEN_MAX).for_each(|_| pauses.was_forbidden(&app, at(301), at(601)));
        assert_eq!(pauses.until(&app, op(1), at(700)), Some(at(7_200)));
    }

    #[test]
    fn very_many_that_wait_for_one_app_come_spread_over_some_time() {
        let (pauses, app) = app();
        (0..i64::from(SPREAD_FROM)).for_each(|n| pauses.leave_alone(&app, at(100 * n), at(100 * n + 100)));
        let now = at(100 * i64::from(SPREAD_FROM) - 50);
        let waits = (0..1_000).map(|n| pauses.until(&app, OpId(Uuid::from_u128(n << 32)), now).unwrap());
        let waits: std::collections::BTreeSet<Timestamp> = waits.collect();
        let (first, last) = (*waits.first().unwrap(), *waits.last().unwrap());
        assert!(waits.len() > 900 && first == at(400) && last <= at(450), "{} from {first} to {last}", waits.len());
    }
}
