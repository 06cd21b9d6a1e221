//! The budget of the rules of one ticket: time, and room in its record. All of them share both.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stages::ask_within_limits;
use crate::app::clock;
use crate::rules::limits::{ANSWERS_JSON_BYTES_MAX, Limits};
use crate::rules::run::call::{Called, Fault, limits_for, not_asked};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Input;
use crate::rules::tables::Tables;

/// The words of the record about a rule that was not asked.
const NO_TIME: &str = "the rules before it have used up the ticket's time";
/// The same for one whose answer has no room beside the others'.
const NO_ROOM: &str = "the answers of the rules before it have used up the room of the ticket's record";

/// The rest of it.
pub struct Left {
    until: Instant,
    json_bytes: usize,
    /// Whether a rule was left unasked.
    pub has_starved: bool,
}

impl Left {
    /// So much time from now on.
    pub fn of(budget: Duration) -> Self {
        Self { until: clock::instant() + budget, json_bytes: ANSWERS_JSON_BYTES_MAX, has_starved: false }
    }

    /// Asks a rule, if there is time for it.
    pub fn ask(&mut self, rule: &Rule, input: &Input, tables: &Arc<Tables>) -> Called {
        let left = self.until.saturating_duration_since(clock::instant());
        let Ok(left_ms @ 1..) = u64::try_from(left.as_millis()) else {
            self.has_starved = true;
            return not_asked(NO_TIME);
        };
        let limits = limits_for(rule, input);
        let limits = Limits { deadline_ms: limits.deadline_ms.min(left_ms), ..limits };
        let called = ask_within_limits(rule, input, tables, limits);
        match &called.result {
            Ok(answer) if serde_json::to_writer(Room(&mut self.json_bytes), answer).is_err() => {
                Called { result: Err(Fault::NotStarted { message: NO_ROOM.to_owned() }), ..called }
            }
            _ => called,
        }
    }
}

/// Takes as many bytes as are left, and keeps none.
struct Room<'a>(&'a mut usize);

impl io::Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
