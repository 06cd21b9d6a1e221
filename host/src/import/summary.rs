//! What an import came to: counts, speed and agreement with labels, as text for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::read::Skipped;
use super::score::Agreement;
use super::{LabelKind, Labels};

/// What became of one accepted ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    pub category: &'a str,
    pub priority: &'a str,
    pub team: &'a str,
    /// How many answers of rules it took.
    pub decisions: u64,
}

impl<'a> Outcome<'a> {
    fn get(&self, kind: LabelKind) -> &'a str {
        match kind {
            LabelKind::Category => self.category,
            LabelKind::Priority => self.priority,
            LabelKind::Team => self.team,
        }
    }
}

/// Refused rows that a summary names; all of them are counted.
pub const REFUSED_NAMED_MAX: usize = 1_000;

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    accepted: u64,
    made_before: u64,
    changed_since: u64,
    decisions: u64,
    rejected: BTreeMap<String, u64>,
    /// The line of each and what is wrong with it, the first that were refused.
    refused: BTreeMap<u64, String>,
    counts: BTreeMap<LabelKind, BTreeMap<String, u64>>,
    agreements: BTreeMap<LabelKind, Agreement>,
    /// Rows left out on purpose.
    pub skipped: Skipped,
    /// Values that the mapping names and no row had: a name that was mistyped does nothing, silently.
    pub unmet_values: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// Counts a ticket that was accepted.
    pub fn accept(&mut self, outcome: &Outcome<'_>, labels: &Labels) {
        self.accepted += 1;
        self.decisions += outcome.decisions;
        for kind in LabelKind::ALL {
            let decided = outcome.get(kind);
            *self.counts.entry(kind).or_default().entry(decided.to_owned()).or_default() += 1;
            if let Some(label) = labels.get(kind) {
                self.agreements.entry(kind).or_default().add(label, decided);
            }
        }
    }

    /// Counts a row whose ticket an earlier import made.
    pub fn found_before(&mut self) {
        self.made_before += 1;
    }

    /// Counts a row whose ticket an earlier import made by the same key from other words: the ticket stays as it is.
    pub fn changed_since(&mut self) {
        self.changed_since += 1;
    }

    /// Counts a row that became no ticket, by a reason of a few words, and keeps what is wrong with it.
    pub fn reject(&mut self, line: u64, reason: &str, wrong: String) {
        *self.rejected.entry(reason.to_owned()).or_default() += 1;
        if self.refused.len() < REFUSED_NAMED_MAX {
            self.refused.insert(line, wrong);
        }
    }

    /// Tickets that were accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Rows that became no ticket.
    pub fn rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    fn per_second(&self, count: u64) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (seconds > 0.0).then(|| count as f64 / seconds)
    }

    /// For programs: every figure unrounded, `null` where there is none.
    pub fn json(&self) -> Value {
        let agreement = |(kind, agreement): (&LabelKind, &Agreement)| {
            let value = json!({
                "labelled": agreement.labelled(),
                "agreed": agreement.agreed(),
                "accuracy": agreement.accuracy(),
                "macro_f1": agreement.macro_f1(),
                "labels": agreement.scores(),
            });
            (kind.code().to_owned(), value)
        };
        let rows = self.refused.iter().map(|(line, wrong)| json!({ "line": line, "wrong": wrong }));
        let counts = |(kind, counts): (&LabelKind, &BTreeMap<String, u64>)| (kind.code().to_owned(), json!(counts));
        json!({
            "accepted": self.accepted,
            "made_before": self.made_before,
            "changed_since": self.changed_since,
            "unmet_values": self.unmet_values,
            "rejected": { "total": self.rejected(), "reasons": self.rejected, "rows": rows.collect::<Vec<_>>() },
            "skipped": { "repeated": self.skipped.repeated, "not_held_back": self.skipped.not_held_back },
            "decisions": self.decisions,
            "seconds": self.elapsed.as_secs_f64(),
            "tickets_per_second": self.per_second(self.accepted),
            "decisions_per_second": self.per_second(self.decisions),
            "counts": Value::Object(self.counts.iter().map(counts).collect::<Map<_, _>>()),
            "agreement": Value::Object(self.agreements.iter().map(agreement).collect::<Map<_, _>>()),
        })
    }

    /// For people: aligned columns, the most frequent first.
    pub fn text(&self, show: impl Fn(&str) -> String) -> String {
        let mut text = self.totals();
        if !self.refused.is_empty() {
            let rows = self.refused.iter().map(|(line, wrong)| format!("line {line}: {}\n", show(wrong)));
            text.push_str("\nrefused\n");
            text.extend(rows);
            let more = self.rejected().saturating_sub(u64::try_from(self.refused.len()).unwrap_or(u64::MAX));
            if more > 0 {
                _ = writeln!(text, "and {more} more");
            }
        }
        if !self.unmet_values.is_empty() {
            _ = writeln!(text, "\nno row has these mapped values: {}", show(&self.unmet_values.join(", ")));
        }
        for (kind, counts) in &self.counts {
            let mut rows: Vec<(&String, &u64)> = counts.iter().collect();
            rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let rows = rows.into_iter().map(|(name, count)| {
                vec![show(name), count.to_string(), percent(Some(*count as f64 / self.accepted as f64))]
            });
            text.push('\n');
            text.push_str(&table(&[kind.code(), "tickets", "share"], rows));
        }
        for (kind, agreement) in &self.agreements {
            text.push('\n');
            text.push_str(&agreement_text(*kind, agreement, &show));
        }
        text
    }

    fn totals(&self) -> String {
        let number = |name: &str, count: u64| vec![name.to_owned(), count.to_string()];
        let rate = |name: &str, rate: Option<f64>| {
            vec![name.to_owned(), rate.map_or("-".to_owned(), |rate| format!("{rate:.1}"))]
        };
        let mut rows = vec![number("accepted", self.accepted), number("rejected", self.rejected())];
        rows.extend(self.rejected.iter().map(|(reason, count)| number(&format!("  {reason}"), *count)));
        let skipped = [
            ("made before", self.made_before),
            ("changed since, left as made", self.changed_since),
            ("repeated, left out", self.skipped.repeated),
            ("not held back, left out", self.skipped.not_held_back),
        ];
        rows.extend(skipped.iter().filter(|(_, count)| *count > 0).map(|(name, count)| number(name, *count)));
        rows.push(number("decisions", self.decisions));
        rows.push(rate("seconds", Some(self.elapsed.as_secs_f64())));
        rows.push(rate("tickets per second", self.per_second(self.accepted)));
        rows.push(rate("decisions per second", self.per_second(self.decisions)));
        table(&["import", ""], rows.into_iter())
    }
}

fn agreement_text(kind: LabelKind, agreement: &Agreement, show: &impl Fn(&str) -> String) -> String {
    let mut text = format!(
        "{} agrees with {} of {} labels: accuracy {}, macro-F1 {}\n",
        kind.code(),
        agreement.agreed(),
        agreement.labelled(),
        ratio(agreement.accuracy()),
        ratio(agreement.macro_f1()),
    );
    let mut scores = agreement.scores();
    scores.sort_by_key(|score| std::cmp::Reverse(score.labelled));
    let rows = scores.into_iter().map(|score| {
        let counts = [score.labelled, score.decided, score.agreed].map(|n| n.to_string());
        let ratios = [score.precision, score.recall, Some(score.f1)].map(ratio);
        std::iter::once(show(&score.label)).chain(counts).chain(ratios).collect()
    });
    text.push_str(&table(&["label", "labelled", "decided", "agreed", "precision", "recall", "F1"], rows));
    text
}

fn ratio(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// Rows under a head, the first column to the left and the others to the right.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|&name| name.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (at, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            _ = match at {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
