//! The budget of the rules of one ticket: time, and room in its record. All of them share both, and those whose answers have no
//! effect may use a part of it only: what is tried takes nothing from what counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stages::ask_within_limits;
use crate::app::clock;
use crate::rules::limits::{ANSWERS_JSON_BYTES_MAX, Limits};
use crate::rules::live::generation::Role;
use crate::rules::run::call::{Called, Fault, has_room, limits_for, not_asked};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Answer, Input};
use crate::rules::tables::Tables;

/// The words of the record about a rule that was not asked.
const NO_TIME: &str = "the rules before it have used up the ticket's time";
/// The same for one whose answer has no room beside the others'.
const NO_ROOM: &str = "the answers of the rules before it have used up the room of the ticket's record";

/// Of the ticket's time, rules without effect together may use one part of so many.
const TRIED_PART: u32 = 4;
/// The most that the answers of rules without effect take together, in bytes of JSON.
const TRIED_JSON_BYTES_MAX: usize = ANSWERS_JSON_BYTES_MAX / 4;

/// The rest of it.
pub struct Left {
    until: Instant,
    json_bytes: usize,
    /// What is left of both for rules without effect: those in the shadow, and the stable version of a ticket in a canary's share.
    tried: Duration,
    tried_json_bytes: usize,
    /// Whether a rule was left unasked whose answer would have counted.
    pub has_starved: bool,
}

impl Left {
    /// So much time from now on.
    pub fn of(budget: Duration) -> Self {
        Self {
            until: clock::instant() + budget,
            json_bytes: ANSWERS_JSON_BYTES_MAX,
            tried: budget / TRIED_PART,
            tried_json_bytes: TRIED_JSON_BYTES_MAX,
            has_starved: false,
        }
    }

    /// Asks a rule in its role, if there is time for it.
    pub fn ask(&mut self, rule: &Rule, role: Role, input: &Input, tables: &Arc<Tables>) -> Called {
        let begun = clock::instant();
        let left = self.until.saturating_duration_since(begun);
        let left = if role.counts() { left } else { left.min(self.tried) };
        let Ok(left_ms @ 1..) = u64::try_from(left.as_millis()) else {
            self.has_starved |= role.counts();
            return not_asked(NO_TIME);
        };
        let limits = limits_for(rule, input);
        let limits = Limits { deadline_ms: limits.deadline_ms.min(left_ms), ..limits };
        let called = ask_within_limits(rule, input, tables, limits);
        if !role.counts() {
            self.tried = self.tried.saturating_sub(clock::instant().saturating_duration_since(begun));
        }
        match &called.result {
            Ok(answer) if !self.has_room_for(answer, role) => {
                Called { result: Err(Fault::NotStarted { message: NO_ROOM.to_owned() }), ..called }
            }
            _ => called,
        }
    }

    /// Whether an answer has room in the record, which it takes.
    fn has_room_for(&mut self, answer: &Answer, role: Role) -> bool {
        let before = if role.counts() { self.json_bytes } else { self.json_bytes.min(self.tried_json_bytes) };
        let mut left = before;
        let has_room = has_room(&mut left, answer);
        let taken = before - left;
        self.json_bytes -= taken;
        if !role.counts() {
            self.tried_json_bytes -= taken;
        }
        has_room
    }
}
