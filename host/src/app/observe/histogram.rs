//! How values are spread: quantiles of any number of values in a fixed amount of memory.

/// Values below this are counted one by one; above, 64 counters share each doubling.
const EXACT: u64 = 128;
/// Binary digits that tell counters of one doubling apart.
const DIGITS: u32 = 6;
/// Enough for every 64-bit value.
const COUNTERS: usize = 128 + 57 * 64;

/// Counted values. A quantile is off by less than 1 %; the least and the greatest are exact.
#[derive(Debug, Clone)]
pub struct Spread {
    counters: Vec<u64>,
    values: u64,
    least: u64,
    greatest: u64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { counters: vec![0; COUNTERS], values: 0, least: u64::MAX, greatest: 0 }
    }
}

impl Spread {
    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        if let Some(counter) = self.counters.get_mut(place(value)) {
            *counter += 1;
        }
        self.values += 1;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    /// The least value; `None` where there is none.
    pub fn least(&self) -> Option<u64> {
        (self.values > 0).then_some(self.least)
    }

    /// The greatest value.
    pub fn greatest(&self) -> Option<u64> {
        (self.values > 0).then_some(self.greatest)
    }

    /// The value that `percent` of all do not exceed, by nearest rank.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(self.values) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0_u128;
        let found = self.counters.iter().position(|counter| {
            seen += u128::from(*counter);
            seen >= rank
        });
        found.map(|place| middle(place).clamp(self.least, self.greatest))
    }
}

/// The counter of a value.
fn place(value: u64) -> usize {
    if value < EXACT {
        return usize::try_from(value).unwrap_or(usize::MAX);
    }
    let doubling = value.ilog2();
    // From 64 to 127: the leading digits.
    let leading = value >> (doubling - DIGITS);
    let above = u64::from(doubling - DIGITS) * 64 + leading;
    usize::try_from(above).unwrap_or(usize::MAX)
}

/// The middle of what a counter counts.
fn middle(place: usize) -> u64 {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    if place < EXACT {
        return place;
    }
    let above = place - 64;
    let (shift, leading) = (above / 64, 64 + above % 64);
    let width = 1_u64 << shift;
    leading * width + width / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_has_no_quantiles() {
        let spread = Spread::default();
        assert_eq!((spread.least(), spread.percentile(50), spread.greatest()), (None, None, None));
    }

    #[test]
    fn small_values_are_exact() {
        let mut spread = Spread::default();
        (1..=100).for_each(|value| spread.add(value));
        let at = |percent| spread.percentile(percent);
        assert_eq!([at(50), at(95), at(99), at(100)], [Some(50), Some(95), Some(99), Some(100)]);
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_a_hundredth(mut values in prop::collection::vec(any::<u64>(), 1..200), percent in 1_u64..=100) {
            let mut spread = Spread::default();
            values.iter().for_each(|value| spread.add(*value));
            values.sort_unstable();
            let rank = (values.len() * usize::try_from(percent).unwrap()).div_ceil(100).max(1);
            let (exact, found) = (values[rank - 1], spread.percentile(percent).unwrap());
            prop_assert!(exact.abs_diff(found) <= exact / 100, "{found} for {exact}");
            prop_assert_eq!(spread.least(), values.first().copied());
            prop_assert_eq!(spread.greatest(), values.last().copied());
        }

        #[test]
        fn greater_values_have_no_earlier_place(one: u64, other: u64) {
            prop_assert!((one <= other) <= (place(one) <= place(other)));
            prop_assert!(place(one) < COUNTERS);
        }
    }
}
