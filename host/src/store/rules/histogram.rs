//! A histogram of any number of values in a bounded amount of memory, which can be merged and kept as a few bytes.
//!
//! Values below 128 are counted one by one; above, 64 counters share each doubling, as in HdrHistogram. Only counters that have
//! counted something take room.

use std::collections::BTreeMap;

/// Values below this have a counter each.
const EXACT: u64 = 128;
/// Binary digits that tell counters of one doubling apart.
const DIGITS: u32 = 6;
/// One more than the greatest place of a 64-bit value.
const PLACES: u16 = 128 + 57 * 64;
/// Bars of a plot for each doubling.
const BARS: f64 = 8.0;
/// How much greater each bar's values are than those of the one before: two to the power of one by eight.
pub const BAR_STEP: f64 = 1.090_507_732_665_257_7;

/// Counted values. A quantile is off by less than 1 %; the least and the greatest value are exact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    counters: BTreeMap<u16, u64>,
    count: u64,
    least: u64,
    greatest: u64,
    /// Stays at the greatest number where it would be greater.
    sum: u64,
}

impl Histogram {
    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        *self.counters.entry(place(value)).or_default() += 1;
        self.least = if self.count == 0 { value } else { self.least.min(value) };
        self.greatest = self.greatest.max(value);
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Counts all values of another.
    pub fn merge(&mut self, other: &Histogram) {
        if other.count == 0 {
            return;
        }
        for (place, count) in &other.counters {
            *self.counters.entry(*place).or_default() += count;
        }
        self.least = if self.count == 0 { other.least } else { self.least.min(other.least) };
        self.greatest = self.greatest.max(other.greatest);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The least value; `None` where there is none.
    pub fn least(&self) -> Option<u64> {
        (self.count > 0).then_some(self.least)
    }

    /// The greatest value.
    pub fn greatest(&self) -> Option<u64> {
        (self.count > 0).then_some(self.greatest)
    }

    /// The mean; 0 where there are no values.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// The value that `percent` of all do not exceed, by nearest rank.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0_u128;
        let found = self.counters.iter().find(|(_, count)| {
            seen += u128::from(**count);
            seen >= rank
        });
        found.map(|(place, _)| middle(*place).clamp(self.least, self.greatest))
    }

    /// A plot's bars, eight for each doubling: where each begins, and how many values it has.
    pub fn bars(&self) -> Vec<(f64, u64)> {
        let mut bars: BTreeMap<u16, u64> = BTreeMap::new();
        for (place, count) in &self.counters {
            let bar = (middle(*place).max(1) as f64).log2() * BARS;
            *bars.entry(bar as u16).or_default() += count;
        }
        bars.into_iter().map(|(bar, count)| ((f64::from(bar) / BARS).exp2(), count)).collect()
    }

    /// As bytes: least, greatest and sum, then each counter's distance from the one before and its count, all as LEB128.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 + 3 * self.counters.len());
        for number in [self.least, self.greatest, self.sum] {
            write_number(&mut bytes, number);
        }
        let mut before = 0;
        for (place, count) in &self.counters {
            write_number(&mut bytes, u64::from(place - before));
            write_number(&mut bytes, *count);
            before = *place;
        }
        bytes
    }

    /// Reads what [`Histogram::encode`] wrote; `None` where the bytes are something else.
    pub fn decode(bytes: &[u8]) -> Option<Histogram> {
        let mut rest = bytes;
        let mut next = || read_number(&mut rest);
        let (least, greatest, sum) = (next()?, next()?, next()?);
        let mut read = Histogram { least, greatest, sum, ..Histogram::default() };
        let mut place = 0_u16;
        while !rest.is_empty() {
            place = place.checked_add(u16::try_from(read_number(&mut rest)?).ok()?).filter(|place| *place < PLACES)?;
            let count = read_number(&mut rest)?;
            *read.counters.entry(place).or_default() = count;
            read.count = read.count.checked_add(count)?;
        }
        Some(read)
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(number);
        }
    }
    None
}

/// The counter of a value.
fn place(value: u64) -> u16 {
    if value < EXACT {
        return value as u16;
    }
    let doubling = value.ilog2();
    // From 64 to 127: the leading digits.
    let leading = value >> (doubling - DIGITS);
    (u64::from(doubling - DIGITS) * 64 + leading) as u16
}

/// The middle of what a counter counts.
fn middle(place: u16) -> u64 {
    let place = u64::from(place);
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

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.add(*value));
        histogram
    }

    #[test]
    fn nothing_has_no_quantiles() {
        let none = Histogram::default();
        assert_eq!((none.least(), none.percentile(50), none.greatest(), none.mean()), (None, None, None, 0.0));
        assert_eq!(Histogram::decode(&none.encode()), Some(none));
    }

    #[test]
    fn small_values_are_exact() {
        let histogram = of(&(1..=100).collect::<Vec<_>>());
        let at = |percent| histogram.percentile(percent);
        assert_eq!([at(50), at(95), at(99), at(100)], [Some(50), Some(95), Some(99), Some(100)]);
        assert_eq!(histogram.mean(), 50.5);
    }

    #[test]
    fn bars_hold_all_values_and_begin_a_step_apart() {
        assert!((BAR_STEP.powf(BARS) - 2.0).abs() < 1e-12);
        let bars = of(&(1..=1_000).collect::<Vec<_>>()).bars();
        assert_eq!(bars.iter().map(|(_, count)| count).sum::<u64>(), 1_000);
        assert!(bars.iter().all(|(start, _)| *start >= 1.0 && *start < 1_000.0), "{bars:?}");
    }

    #[test]
    fn bytes_that_are_no_histogram_are_refused() {
        let bytes = of(&[1, 500, 70_000]).encode();
        assert_eq!(Histogram::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Histogram::decode(&[255; 40]), None);
        assert_eq!(Histogram::decode(&[]), None);
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_a_hundredth(mut values in prop::collection::vec(any::<u64>(), 1..200), percent in 1_u64..=100) {
            let histogram = of(&values);
            values.sort_unstable();
            let rank = (values.len() * usize::try_from(percent).unwrap()).div_ceil(100).max(1);
            let (exact, found) = (values[rank - 1], histogram.percentile(percent).unwrap());
            prop_assert!(exact.abs_diff(found) <= exact / 100, "{found} for {exact}");
            prop_assert_eq!(histogram.least(), values.first().copied());
            prop_assert_eq!(histogram.greatest(), values.last().copied());
        }

        #[test]
        fn greater_values_have_no_earlier_place(one: u64, other: u64) {
            prop_assert!((one <= other) <= (place(one) <= place(other)));
            prop_assert!(place(one) < PLACES);
        }

        #[test]
        fn merging_is_counting_all_and_bytes_keep_everything(
            one in prop::collection::vec(any::<u64>(), 0..50), other in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            prop_assert_eq!(&merged, &of(&[one, other].concat()));
            prop_assert_eq!(Histogram::decode(&merged.encode()), Some(merged));
        }
    }
}
