//! `ruledesk decisions verify`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::{Failure, desk};
use crate::app::replay::verify::{Finding, Verified, What, verify};
use crate::cli::which::{Which, bar, thousands};
use crate::cli::{Found, Place};
use crate::rules::text::{in_json, shown};

/// Asks the rules that decided again, each in the version of then, with the exact input and the look-ups of then, and proves
/// that they give the recorded answer or fault, write the same log and use the same fuel. Exits with 3 where they do not.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    which: Which,
    /// Prints the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Verifies, and says what is not as it was recorded.
pub async fn run(args: Verify) -> Result<(), Failure> {
    let (config, source) = desk::configuration(&args.place, None)?;
    let zone = config.organisation.calendar.zone.clone();
    let actor = desk::actor(&config, None)?;
    let app = desk::open_to_read(config, source).await?;
    let filter = args.which.filter(&zone, app.clock.now())?;
    let bar = bar("answers");
    #[expect(clippy::disallowed_methods, reason = "measures the verification")]
    let start = Instant::now();
    let verified = verify(&app, &actor, filter, |answers| bar.inc(answers)).await;
    let took = start.elapsed();
    bar.finish_and_clear();
    app.close().await;
    let verified = verified?;
    if args.json {
        println!("{}", in_json(&format!("{:#}", as_json(&verified, took)?)));
    } else {
        print!("{}", text(&verified, took));
    }
    if verified.holds() {
        return Ok(());
    }
    let Verified { differing, without_version, unreadable, .. } = verified;
    Err(Found(format!(
        "{differing} answers differ, {without_version} have no version in the archive, {unreadable} decisions cannot be read"
    ))
    .into())
}

fn per_second(verified: &Verified, took: Duration) -> u64 {
    (verified.answers as f64 / took.as_secs_f64().max(1e-9)) as u64
}

fn as_json(verified: &Verified, took: Duration) -> Result<serde_json::Value, Failure> {
    let mut whole = serde_json::to_value(verified)?;
    if let Some(whole) = whole.as_object_mut() {
        whole.insert("holds".to_owned(), json!(verified.holds()));
        whole.insert("seconds".to_owned(), json!(took.as_secs_f64()));
        whole.insert("answers-per-second".to_owned(), json!(per_second(verified, took)));
        whole.insert("overhead-us".to_owned(), json!(verified.spent.overhead_us(verified.answers)));
    }
    Ok(whole)
}

fn text(verified: &Verified, took: Duration) -> String {
    let mut out = String::new();
    verified.findings.iter().for_each(|found| finding(&mut out, found));
    let Verified { answers, decisions, same, differing, not_comparable, without_version, unreadable, .. } = verified;
    let all = differing + without_version + unreadable + not_comparable;
    let told = verified.findings.len() as u64;
    if all > told {
        let _ = writeln!(out, "... and {} more", thousands(all - told));
    }
    for (version, (answers, same)) in &verified.versions {
        let word = if answers == same { "the same" } else { "NOT all the same" };
        let _ = writeln!(out, "{}: {} of {} {word}", shown(version), thousands(*same), thousands(*answers));
    }
    let _ = writeln!(
        out,
        "{} answers in {} decisions: {} the same, {} differ, {} not comparable, {} without a version; {} decisions unreadable",
        thousands(*answers),
        thousands(*decisions),
        thousands(*same),
        thousands(*differing),
        thousands(*not_comparable),
        thousands(*without_version),
        thousands(*unreadable),
    );
    if verified.other_engine > 0 {
        let others = thousands(verified.other_engine);
        let _ =
            writeln!(out, "note: {others} of them were given by another engine, so that their fuel was not compared");
    }
    let (speed, overhead) = (per_second(verified, took), verified.spent.overhead_us(*answers));
    let _ = writeln!(out, "{} answers/s; beside the rules {overhead:.1} µs an answer", thousands(speed));
    out
}

fn finding(out: &mut String, finding: &Finding) {
    let _ = write!(out, "{} {} at {}", finding.ticket, finding.stage, finding.at);
    if !finding.rule.is_empty() {
        let _ = write!(out, ", {} {}", shown(&finding.rule), shown(&finding.version));
    }
    let _ = match &finding.what {
        What::Differs(_) => writeln!(out, ": it is not what was recorded"),
        What::NotComparable(why) => writeln!(out, ": not comparable: {}", shown(why)),
        What::NoVersion(why) => {
            writeln!(out, ": it cannot be asked again: {} (component {})", shown(why), finding.component)
        }
        What::Unreadable(why) => writeln!(out, ": the record cannot be read: {}", shown(why)),
    };
    if let What::Differs(differences) = &finding.what {
        for difference in differences {
            let _ = writeln!(out, "  {}:", shown(&difference.path));
            let _ = writeln!(out, "    recorded {}", shown(&difference.expected.to_string()));
            let _ = writeln!(out, "    now      {}", shown(&difference.got.to_string()));
        }
    }
}
