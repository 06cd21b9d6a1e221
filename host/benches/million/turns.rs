//! Creations and replies at several sizes by turns: each turn measures every size, and the sizes are compared within the turn. A
//! machine that is slower for a while is slower for all of them.

use std::path::Path;
use std::time::{Duration, Instant};

use ruledesk::store::Target;

use super::desk::Desk;
use super::lifecycle::{open_tickets, replies_at_once};
use super::measure::creations;
use super::place;

/// Turns, of which the first warms and does not count.
const TURNS: usize = 13;
/// Creations, and replies, of each client in a turn.
const EACH: usize = 20;
/// Tickets that are replied to.
const REPLIED_TO: usize = 640;

/// One size under measure.
struct Side {
    size: u64,
    desk: Desk,
    keys: Vec<String>,
    /// The measures of each turn, in the order of [`NAMES`].
    turns: Vec<[f64; NAMES.len()]>,
}

const NAMES: [&str; 6] = [
    "created a second",
    "a creation, processor time, ms",
    "a creation, 99 of 100 within, ms",
    "replies a second",
    "a reply, processor time, ms",
    "a reply, 99 of 100 within, ms",
];

/// Measures all sizes by turns, and prints the median of each and of the ratios to the first.
pub async fn measure(config: &Path, filled: &[(u64, Target)]) {
    let mut sides = Vec::new();
    for (size, target) in filled {
        let desk = Desk::start_in(&place().join(format!("data-{size}")), config, target);
        let keys = open_tickets(&mut desk.client("demo-kofi").await, REPLIED_TO).await;
        sides.push(Side { size: *size, desk, keys, turns: Vec::new() });
    }
    for turn in 0..TURNS {
        for side in &mut sides {
            let measured = side.turn(turn as u64).await;
            if turn > 0 {
                side.turns.push(measured);
            }
        }
        // Those that came first in this turn come last in the next.
        sides.reverse();
    }
    sides.sort_by_key(|side| side.size);
    for (place, name) in NAMES.iter().enumerate() {
        println!("\n{name}, {} turns", TURNS - 1);
        for side in &sides {
            let own: Vec<f64> = side.turns.iter().map(|turn| turn[place]).collect();
            let ratios: Vec<f64> = own.iter().zip(&sides[0].turns).map(|(own, first)| own / first[place]).collect();
            let (low, middle, high) = spread(own);
            let (ratio_low, ratio, ratio_high) = spread(ratios);
            println!(
                "{:>12}{middle:>12.2} ({low:.2} to {high:.2})   of the first: {ratio:.3} ({ratio_low:.3} to {ratio_high:.3})",
                side.size
            );
        }
    }
    for side in sides {
        side.desk.stop();
    }
}

impl Side {
    async fn turn(&self, turn: u64) -> [f64; NAMES.len()] {
        let (began, before) = (Instant::now(), self.desk.processor_time());
        let [rate, each, slow] = self.since(began, before, creations(&self.desk, EACH, turn).await);
        let (began, before) = (Instant::now(), self.desk.processor_time());
        let replies = replies_at_once(&self.desk, &self.keys, EACH).await;
        let [reply_rate, reply_each, reply_slow] = self.since(began, before, replies);
        [rate, each, slow, reply_rate, reply_each, reply_slow]
    }

    /// How many a second, the processor time of each, and within how long 99 of 100 were done, in milliseconds.
    fn since(&self, began: Instant, before: Duration, mut took: Vec<Duration>) -> [f64; 3] {
        let (elapsed, processor) = (began.elapsed(), self.desk.processor_time() - before);
        took.sort_unstable();
        let (count, slow) = (took.len() as f64, took[took.len() * 99 / 100]);
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        [count / elapsed.as_secs_f64(), ms(processor) / count, ms(slow)]
    }
}

/// The middle half of some numbers around their median: the lower quartile, the median, the upper quartile.
fn spread(mut of: Vec<f64>) -> (f64, f64, f64) {
    of.sort_by(f64::total_cmp);
    let at = |share: f64| of[((of.len() - 1) as f64 * share) as usize];
    (at(0.25), at(0.5), at(0.75))
}
