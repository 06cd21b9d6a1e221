//! How far decisions agree with labels: accuracy, and precision and recall of each label.

use std::collections::{BTreeMap, BTreeSet};

/// Labels against what was decided, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// By label, then by what was decided.
    pairs: BTreeMap<String, BTreeMap<String, u64>>,
}

/// How one label fared.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ClassScore {
    pub label: String,
    /// Tickets that have the label.
    pub labelled: u64,
    /// Tickets that were decided so.
    pub decided: u64,
    /// Tickets of which both is true.
    pub agreed: u64,
    /// The share of `decided` that agreed; `None` where nothing was decided so.
    pub precision: Option<f64>,
    /// The share of `labelled` that agreed; `None` where nothing is labelled so.
    pub recall: Option<f64>,
    /// The harmonic mean of the two; 0 where nothing agreed.
    pub f1: f64,
}

impl Agreement {
    /// Counts one ticket.
    pub fn add(&mut self, label: &str, decided: &str) {
        // Entry by reference: a ticket rarely brings a new pair, and this runs for every ticket.
        if let Some(count) = self.pairs.get_mut(label).and_then(|row| row.get_mut(decided)) {
            *count += 1;
            return;
        }
        self.pairs.entry(label.to_owned()).or_default().insert(decided.to_owned(), 1);
    }

    /// Tickets that have a label.
    pub fn labelled(&self) -> u64 {
        self.pairs.values().flat_map(BTreeMap::values).sum()
    }

    /// Tickets of which label and decision agree.
    pub fn agreed(&self) -> u64 {
        self.counts().map(|(label, decided, count)| if label == decided { count } else { 0 }).sum()
    }

    /// The share that agrees; `None` without labels.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.agreed(), self.labelled())
    }

    /// The mean of the F1 of all labels that occur, each weighing the same; `None` without labels.
    ///
    /// A decision that is nobody's label has no F1 of its own: it lowers the recall of what it should have been.
    pub fn macro_f1(&self) -> Option<f64> {
        let scores: Vec<f64> = self.scores().into_iter().filter(|s| s.labelled > 0).map(|s| s.f1).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }

    /// Each label and each decision, by name.
    pub fn scores(&self) -> Vec<ClassScore> {
        let mut tallies: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
        for (label, decided, count) in self.counts() {
            let [labelled, _, agreed] = tallies.entry(label).or_default();
            *labelled += count;
            if label == decided {
                *agreed += count;
            }
            let [_, of_decided, _] = tallies.entry(decided).or_default();
            *of_decided += count;
        }
        let score = |(label, [labelled, decided, agreed]): (&str, [u64; 3])| ClassScore {
            label: label.to_owned(),
            labelled,
            decided,
            agreed,
            precision: share(agreed, decided),
            recall: share(agreed, labelled),
            // 2pr / (p + r), written so that it is 0 and not undefined where both are 0.
            f1: share(2 * agreed, labelled + decided).unwrap_or_default(),
        };
        tallies.into_iter().map(score).collect()
    }

    /// Each pair of a label and a decision, the decision raised to the nearest label at or above it.
    ///
    /// A file may label `hardware` what the desk calls `hardware.laptop`: that is agreement.
    fn counts(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let labels: BTreeSet<&str> = self.pairs.keys().map(String::as_str).collect();
        self.pairs.iter().flat_map(move |(label, row)| {
            let labels = labels.clone();
            row.iter().map(move |(decided, count)| (label.as_str(), raised(decided, &labels), *count))
        })
    }
}

fn raised<'a>(decided: &'a str, labels: &BTreeSet<&str>) -> &'a str {
    let mut id = decided;
    while !labels.contains(id) {
        match id.rsplit_once('.') {
            Some((parent, _)) => id = parent,
            None => return decided,
        }
    }
    id
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
