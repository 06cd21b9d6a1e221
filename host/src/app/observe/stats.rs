//! The statistics of a rule over some time, from the records that every host of the desk wrote.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::histogram::Spread;
use crate::app::decide::headline;
use crate::app::error::Broken;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::rules::run::stage::Stage;
use crate::store::rules::rule_history::Place;

/// Records that are read at once.
const PAGE: i64 = 500;
/// Answers that are told apart; further ones are counted together.
const ANSWERS_MAX: usize = 1_000;

/// How far back the records are read.
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
#[error("`{0}` is not a window: use hour, day or week")]
pub struct NotAWindow(String);

impl FromStr for Window {
    type Err = NotAWindow;

    fn from_str(text: &str) -> Result<Self, NotAWindow> {
        let all = [Window::Hour, Window::Day, Window::Week];
        all.into_iter().find(|window| window.name() == text).ok_or_else(|| NotAWindow(text.to_owned()))
    }
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
    pub micros: Spread,
    pub fuel: Spread,
    /// The most memory that a call has held, in bytes.
    pub memory_peak: u64,
    /// Calls whose log was longer than the rule may write.
    pub log_cuts: u64,
}

/// One rule's part of a record; what is not there counts as nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Part {
    rule: String,
    version: String,
    mode: String,
    outcome: String,
    answer: Option<Answered>,
    fuel: u64,
    micros: u64,
    memory_peak: u64,
    log_cut: bool,
}

#[derive(Debug, Deserialize)]
struct Answered {
    decision: Value,
}

impl Office {
    /// The sum of what a rule did over some time, page by page over the records, in a fixed amount of memory.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where there has never been such a rule.
    pub async fn rule_stats(&self, actor: &Actor, rule: &str, window: Window) -> Result<RuleStats, Error> {
        permission::read_rules(actor)?;
        if rule.contains('\0') || !self.store.has_rule(rule).await? {
            return Err(Error::Missing { what: "rule", name: rule.escape_debug().to_string() });
        }
        let since = self
            .clock
            .now()
            .saturating_sub(SignedDuration::from_hours(window.hours()))
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let mut stats = RuleStats { since, ..RuleStats::default() };
        let mut place = Place::at(since);
        loop {
            let page = self.store.stages_asking(rule, &place, PAGE).await?;
            for asked in &page {
                stats.add(rule, &asked.stage, &asked.verdict, &asked.rules)?;
            }
            match page.into_iter().next_back() {
                Some(last) => place = last.place(),
                None => return Ok(stats),
            }
        }
    }
}

impl RuleStats {
    fn add(&mut self, rule: &str, stage: &str, verdict: &str, parts: &str) -> Result<(), Error> {
        let unreadable = |source| Broken::Record { rule: rule.to_owned(), source };
        let parts: Vec<Part> = serde_json::from_str(parts).map_err(unreadable)?;
        let verdict: Value = serde_json::from_str(verdict).map_err(unreadable)?;
        for part in parts.into_iter().filter(|part| part.rule == rule) {
            self.add_part(stage, &verdict, part);
        }
        Ok(())
    }

    fn add_part(&mut self, stage: &str, verdict: &Value, part: Part) {
        self.calls += 1;
        self.micros.add(part.micros);
        self.fuel.add(part.fuel);
        self.memory_peak = self.memory_peak.max(part.memory_peak);
        self.log_cuts += u64::from(part.log_cut);
        let counted = part.outcome == "answered";
        for (counts, word) in
            [(&mut self.outcomes, part.outcome), (&mut self.modes, part.mode), (&mut self.versions, part.version)]
        {
            *counts.entry(word).or_default() += 1;
        }
        let (Some(answer), Ok(at), true) = (&part.answer, stage.parse::<Stage>(), counted) else { return };
        let chosen = headline::of_recorded(at, &answer.decision);
        let came_to = headline::of_verdict(at, verdict);
        self.differences += u64::from(chosen.is_some_and(|chosen| came_to.is_some_and(|came_to| came_to != chosen)));
        let word = chosen.or_else(|| headline::case(&answer.decision)).unwrap_or("unknown");
        let key = (stage.to_owned(), word.to_owned());
        if self.answers.len() < ANSWERS_MAX || self.answers.contains_key(&key) {
            *self.answers.entry(key).or_default() += 1;
        } else {
            self.answers_others += 1;
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
