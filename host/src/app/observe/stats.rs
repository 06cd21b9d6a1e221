//! The statistics of a rule over some time, from the sums that are written with the records: those of every host of the desk.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::app::record::part::ANSWERED;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::desk::sla::earlier;
use crate::desk::text::quoted;
use crate::store::rules::histogram::Histogram;
use crate::store::rules::rollups::{CallKey, HOUR_MS, Sum, hour_of};

/// Answers that are told apart; further ones are counted together.
const ANSWERS_MAX: usize = 1_000;

/// How far back it goes. The sums are by the hour, so it begins with the hour in which the time began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Hour,
    Day,
    Week,
}

impl Window {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Window::Hour => "hour",
            Window::Day => "day",
            Window::Week => "week",
        }
    }

    const fn hours(self) -> i64 {
        match self {
            Window::Hour => 1,
            Window::Day => 24,
            Window::Week => 7 * 24,
        }
    }
}

/// Why a text is not a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a window: use hour, day or week", quoted(.0))]
pub struct NotAWindow(String);

impl FromStr for Window {
    type Err = NotAWindow;

    fn from_str(text: &str) -> Result<Self, NotAWindow> {
        let all = [Window::Hour, Window::Day, Window::Week];
        all.into_iter().find(|window| window.name() == text).ok_or_else(|| NotAWindow(text.to_owned()))
    }
}

/// The calls of a rule in one hour.
#[derive(Debug, Clone, Default)]
pub struct HourStats {
    pub calls: u64,
    pub failures: u64,
    /// Of a call, as in [`RuleStats`].
    pub micros: Histogram,
    pub fuel: Histogram,
}

/// The statistics of a rule.
#[derive(Debug, Clone, Default)]
pub struct RuleStats {
    /// From when on.
    pub since: Timestamp,
    pub calls: u64,
    /// Calls by outcome: `answered`, or the fault's code.
    pub outcomes: BTreeMap<String, u64>,
    pub modes: BTreeMap<String, u64>,
    pub versions: BTreeMap<String, u64>,
    /// By stage and by what was chosen: the category, the level, the team, or the decision's name.
    pub answers: BTreeMap<(String, String), u64>,
    /// Answers that are not told apart, because there are too many.
    pub answers_others: u64,
    /// Answers that chose something else than their stage came to.
    pub differences: u64,
    /// Of a call, its instance included, in microseconds.
    pub micros: Histogram,
    pub fuel: Histogram,
    /// The most memory that a call has held, in bytes.
    pub memory_peak: u64,
    /// Calls whose log was longer than the rule may write.
    pub log_cuts: u64,
    /// By the hour, counted from 1970 on, of those in which it was called.
    pub hours: BTreeMap<i64, HourStats>,
}

impl Office {
    /// The sum of what a rule did over some time.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where there has never been such a rule.
    pub async fn rule_stats(&self, actor: &Actor, rule: &str, window: Window) -> Result<RuleStats, Error> {
        permission::read_rules(actor)?;
        if rule.contains('\0') || !self.store.has_rule(rule).await? {
            return Err(Error::Missing { what: "rule", name: rule.to_owned() });
        }
        let length = SignedDuration::from_hours(window.hours());
        let begun = earlier(self.clock.now(), length);
        let hour = hour_of(begun);
        let since = Timestamp::from_millisecond(hour.saturating_mul(HOUR_MS)).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut stats = RuleStats { since, ..RuleStats::default() };
        for (hour, key, sum) in self.store.rule_hours(rule, hour).await? {
            stats.hours.entry(hour).or_default().add(&key, &sum);
            stats.add(key, &sum);
        }
        Ok(stats)
    }
}

impl HourStats {
    fn add(&mut self, key: &CallKey, sum: &Sum) {
        self.calls += sum.calls;
        self.failures += if key.outcome == ANSWERED { 0 } else { sum.calls };
        self.micros.merge(&sum.micros);
        self.fuel.merge(&sum.fuel);
    }
}

impl RuleStats {
    fn add(&mut self, key: CallKey, sum: &Sum) {
        self.calls += sum.calls;
        self.differences += sum.differences;
        self.log_cuts += sum.log_cuts;
        self.memory_peak = self.memory_peak.max(sum.memory_peak);
        self.micros.merge(&sum.micros);
        self.fuel.merge(&sum.fuel);
        let counted = key.outcome == ANSWERED;
        for (counts, word) in
            [(&mut self.outcomes, key.outcome), (&mut self.modes, key.mode), (&mut self.versions, key.version)]
        {
            *counts.entry(word).or_default() += sum.calls;
        }
        if !counted {
            return;
        }
        let answer = (key.stage, key.answer);
        let told_apart = !answer.1.is_empty();
        if told_apart && (self.answers.len() < ANSWERS_MAX || self.answers.contains_key(&answer)) {
            *self.answers.entry(answer).or_default() += sum.calls;
        } else {
            self.answers_others += sum.calls;
        }
    }

    /// The commonest answers, and how many others there were.
    pub fn commonest(&self, most: usize) -> (Vec<(&str, &str, u64)>, u64) {
        let mut answers: Vec<(&str, &str, u64)> =
            self.answers.iter().map(|((stage, word), count)| (stage.as_str(), word.as_str(), *count)).collect();
        answers.sort_by_key(|(stage, word, count)| (std::cmp::Reverse(*count), *stage, *word));
        let others = answers.iter().skip(most).map(|(_, _, count)| count).sum::<u64>();
        answers.truncate(most);
        (answers, self.answers_others + others)
    }
}
