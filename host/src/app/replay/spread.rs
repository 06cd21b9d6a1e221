//! How durations are spread, in a fixed amount of memory: counts by size, each size some nine per cent above the one before.

use std::time::Duration;

/// Sizes for each doubling.
const STEPS: f64 = 8.0;
/// How much larger each size is than the one before: two to the power of one by [`STEPS`].
pub const STEP: f64 = 1.090_507_732_665_257_7;
/// From a nanosecond to some twenty minutes.
const SIZES: usize = 328;

/// Durations, counted by size.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    counts: Vec<u64>,
    count: u64,
    sum: Duration,
}

impl Default for Spread {
    fn default() -> Self {
        Self { counts: vec![0; SIZES], count: 0, sum: Duration::ZERO }
    }
}

impl Spread {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let size = ((took.as_nanos().max(1) as f64).log2() * STEPS) as usize;
        if let Some(count) = self.counts.get_mut(size.min(SIZES - 1)) {
            *count += 1;
        }
        self.count += 1;
        self.sum += took;
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Spread) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean, in microseconds.
    pub fn mean_us(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum.as_secs_f64() * 1e6 / self.count as f64 }
    }

    /// The duration that a share of them do not exceed, in microseconds, to about nine per cent.
    pub fn quantile_us(&self, share: f64) -> f64 {
        let wanted = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (size, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return size_us(size as f64 + 0.5);
            }
        }
        0.0
    }

    /// The sizes that occur, in microseconds, and how many there are of each; a plot's bars.
    pub fn bars(&self) -> Vec<(f64, u64)> {
        let occurs = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        occurs.map(|(size, count)| (size_us(size as f64), *count)).collect()
    }
}

fn size_us(size: f64) -> f64 {
    (size / STEPS).exp2() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_the_truth_and_merging_adds() {
        let (mut low, mut high) = (Spread::default(), Spread::default());
        for us in 1..=500 {
            low.add(Duration::from_micros(us));
            high.add(Duration::from_micros(500 + us));
        }
        low.merge(&high);
        assert!((STEP.powf(STEPS) - 2.0).abs() < 1e-12);
        assert_eq!(low.count(), 1_000);
        assert!((low.mean_us() - 500.5).abs() < 0.1, "{}", low.mean_us());
        for (share, truth) in [(0.5, 500.0), (0.95, 950.0)] {
            let found = low.quantile_us(share);
            assert!((found / truth - 1.0).abs() < 0.1, "{share}: {found}");
        }
    }
}
