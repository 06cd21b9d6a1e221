//! `ruledesk rules stats`.

use clap::Args;
use serde_json::Value;

use super::{Failure, Place, desk};
use crate::api::rules::stats::RuleStatsView;
use crate::app::observe::stats::Window;
use crate::cli::desk::Shell;
use crate::cli::desk::remote::{part, word};
use crate::rules::text::shown;

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

/// Reads the sum, or asks a desk elsewhere for it, and prints it.
pub async fn run(stats: Stats) -> Result<(), Failure> {
    if let Some(elsewhere) = stats.place.remote()? {
        let path = format!("/rules/{}/stats?window={}", part(&stats.name), stats.window.name());
        print(&elsewhere.get(&path)?);
        return Ok(());
    }
    let Shell { office, actor } = desk::shell(&stats.place, None).await?;
    let found = office.rule_stats(&actor, &stats.name, stats.window).await;
    office.close().await;
    print(&serde_json::to_value(RuleStatsView::new(stats.name, stats.window, found?))?);
    Ok(())
}

/// Prints the sum as the interface has it.
fn print(stats: &Value) {
    let number = |pointer: &str| stats.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    println!("{} over the last {}, since {}", word(stats, "rule"), word(stats, "window"), word(stats, "since"));
    println!("  calls        {}", number("/calls"));
    if number("/calls") == 0 {
        return;
    }
    println!("  outcomes     {}", counts(stats, "outcomes"));
    println!("  modes        {}", counts(stats, "modes"));
    println!("  versions     {}", counts(stats, "versions"));
    let at = |name: &str| number(&format!("/latency_us/{name}"));
    println!("  latency      p50 {} µs, p95 {} µs, p99 {} µs, max {} µs", at("p50"), at("p95"), at("p99"), at("max"));
    let fuel = |name: &str| number(&format!("/fuel/{name}"));
    println!("  fuel         min {}, median {}, max {}", fuel("min"), fuel("median"), fuel("max"));
    println!("  memory peak  {} KiB", number("/memory_peak_bytes") >> 10);
    println!("  differences  {} answers chose something else than their stage came to", number("/differences"));
    println!("  logs cut     {}", number("/log_cuts"));
    println!("  answers");
    for answer in stats.get("answers").and_then(Value::as_array).into_iter().flatten() {
        let count = answer.get("count").and_then(Value::as_u64).unwrap_or_default();
        println!("    {count:>8}  {}: {}", word(answer, "stage"), word(answer, "answer"));
    }
    if number("/other_answers") > 0 {
        println!("    {:>8}  others", number("/other_answers"));
    }
}

fn counts(stats: &Value, key: &str) -> String {
    let counts = stats.get(key).and_then(Value::as_object).into_iter().flatten();
    let each: Vec<String> = counts.map(|(word, count)| format!("{} {count}", shown(word))).collect();
    each.join(", ")
}
