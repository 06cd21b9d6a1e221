//! `ruledesk rules stats`.

use std::collections::BTreeMap;

use clap::Args;

use super::{Failure, Place, desk};
use crate::app::observe::stats::{RuleStats, Window};
use crate::cli::desk::Shell;
use crate::rules::text::shown;

/// Answers that are listed.
const ANSWERS_LISTED: usize = 10;

/// Sums up what a rule did, from the records.
#[derive(Debug, Args)]
pub struct Stats {
    /// The rule's name.
    name: String,
    /// How far back: `hour`, `day` or `week`.
    #[arg(long, default_value = "day")]
    window: Window,
    #[command(flatten)]
    place: Place,
}

/// Reads the records and prints the sum.
pub async fn run(stats: Stats) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&stats.place, None).await?;
    let found = office.rule_stats(&actor, &stats.name, stats.window).await;
    office.close().await;
    print(&stats, &found?);
    Ok(())
}

fn print(asked: &Stats, stats: &RuleStats) {
    println!("{} over the last {}, since {}", asked.name, asked.window.name(), stats.since);
    println!("  calls        {}", stats.calls);
    if stats.calls == 0 {
        return;
    }
    println!("  outcomes     {}", counts(&stats.outcomes));
    println!("  modes        {}", counts(&stats.modes));
    println!("  versions     {}", counts(&stats.versions));
    let (micros, fuel) = (&stats.micros, &stats.fuel);
    let at = |percent| micros.percentile(percent).unwrap_or_default();
    let slowest = micros.greatest().unwrap_or_default();
    println!("  latency      p50 {} µs, p95 {} µs, p99 {} µs, max {slowest} µs", at(50), at(95), at(99));
    let (least, greatest) = (fuel.least().unwrap_or_default(), fuel.greatest().unwrap_or_default());
    println!("  fuel         min {least}, median {}, max {greatest}", fuel.percentile(50).unwrap_or_default());
    println!("  memory peak  {} KiB", stats.memory_peak >> 10);
    println!("  differences  {} answers chose something else than their stage came to", stats.differences);
    println!("  logs cut     {}", stats.log_cuts);
    let (answers, others) = stats.commonest(ANSWERS_LISTED);
    println!("  answers");
    for (stage, answer, count) in answers {
        println!("    {count:>8}  {stage}: {}", shown(answer));
    }
    if others > 0 {
        println!("    {others:>8}  others");
    }
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let each: Vec<String> = counts.iter().map(|(word, count)| format!("{word} {count}")).collect();
    each.join(", ")
}
