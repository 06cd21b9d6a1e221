//! How long a rule's decisions take, and how much of its limits they use: each in a fresh instance, as in the desk.

use std::sync::Arc;
use std::time::Duration;

use crate::rules::limits::Limits;
use crate::rules::run::call::{Fault, ask};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Input, Stage};
use crate::rules::tables::Tables;

/// Calls before those that are measured: the first ones lay out memory that the others find.
const WARM_UP: usize = 10;

/// What one input costs.
#[derive(Debug)]
pub struct Measured {
    pub name: String,
    pub stage: Stage,
    /// Sorted.
    took: Vec<Duration>,
    /// The fuel of every call; more than one number tells of a rule that is not a pure function.
    pub fuel: Fuel,
    /// In bytes.
    pub memory_peak: usize,
    pub fault: Option<Fault>,
    pub limits: Limits,
}

/// The fuel of the cheapest and of the dearest call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuel {
    pub min: u64,
    pub max: u64,
}

/// Asks a rule the same thing many times.
pub fn measure(rule: &Rule, name: &str, input: &Input, tables: &Arc<Tables>, calls: usize) -> Measured {
    let mut measured = Measured {
        name: name.to_owned(),
        stage: input.stage(),
        took: Vec::with_capacity(calls),
        fuel: Fuel { min: u64::MAX, max: 0 },
        memory_peak: 0,
        fault: None,
        limits: rule.manifest.limits,
    };
    for call in 0..WARM_UP + calls.max(1) {
        let called = ask(rule, input, tables);
        if call >= WARM_UP {
            measured.took.push(called.took);
        }
        measured.fuel = Fuel { min: measured.fuel.min.min(called.fuel), max: measured.fuel.max.max(called.fuel) };
        measured.memory_peak = measured.memory_peak.max(called.memory_peak);
        measured.fault = measured.fault.or(called.result.err());
    }
    measured.took.sort_unstable();
    measured
}

impl Measured {
    /// The time that so many percent of the calls stay within; 0 is the shortest, 100 the longest.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.took.len() * percent).div_ceil(100).saturating_sub(1);
        self.took.get(rank).copied().unwrap_or_default()
    }

    /// How many calls were measured.
    pub fn calls(&self) -> usize {
        self.took.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let measured = Measured {
            name: String::new(),
            stage: Stage::Intake,
            took: (1..=200).map(Duration::from_micros).collect(),
            fuel: Fuel { min: 0, max: 0 },
            memory_peak: 0,
            fault: None,
            limits: Limits::DEFAULT,
        };
        let micros = [0, 50, 90, 99, 100].map(|percent| measured.percentile(percent).as_micros());
        assert_eq!(micros, [1, 100, 180, 198, 200]);
    }
}
