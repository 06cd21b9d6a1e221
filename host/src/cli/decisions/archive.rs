//! `ruledesk decisions archive` and `ruledesk decisions segments`.

use clap::Args;

use crate::app::record::archive::{Deletion, Kept};
use crate::cli::desk::{self, Shell};
use crate::cli::which::{When, counted, thousands};
use crate::cli::{Failure, Place};
use crate::desk::id::PersonId;
use crate::rules::text::shown;

/// Moves records from before a date out of the database into immutable segment files, each anchored in a chain; also while the
/// desk runs. All commands and the desk read them there. With `--delete`, deletes one segment: an act in the same chain.
#[derive(Debug, Args)]
pub struct Archive {
    #[command(flatten)]
    place: Place,
    /// The person in whose name you act; the audit names you as well.
    #[arg(long = "as")]
    person: Option<PersonId>,
    /// Until when, which is left out: `2026-05-01`, `2026-05-01T09:00:00Z`, or so long ago: `365d`, `12h`.
    #[arg(long, value_name = "DATE", required_unless_present = "delete", conflicts_with = "delete")]
    before: Option<When>,
    /// Deletes this segment, with all its records.
    #[arg(long, value_name = "SEGMENT", requires = "why")]
    delete: Option<String>,
    /// Why it is deleted; it stays in the chain.
    #[arg(long, value_name = "TEXT", requires = "delete")]
    why: Option<String>,
}

/// Lists all segments, also deleted ones.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
}

/// Archives or deletes.
pub async fn run(args: Archive) -> Result<(), Failure> {
    let (config, source) = desk::configuration(&args.place, None)?;
    let zone = config.organisation.calendar.zone.clone();
    let Shell { office, actor } = desk::shell_of(config, &source, args.person.as_ref()).await?;
    if let (Some(segment), Some(why)) = (&args.delete, &args.why) {
        let kept = office.delete_segment(&actor, segment, why).await.map_err(desk::told)?;
        println!("{}", line(&kept));
    } else if let Some(before) = args.before {
        let before = before.instant(&zone, office.clock.now())?;
        let mut runs = 0;
        let made = |kept: Kept| {
            runs += kept.facts.runs;
            println!("{}", line(&kept));
        };
        let stopped = office.archive(&actor, before, made).await.map_err(desk::told)?;
        println!("{} records were archived", thousands(runs));
        if let Some(stopped) = stopped {
            return Err(format!("no further records were archived: {stopped}").into());
        }
    }
    office.close().await;
    Ok(())
}

/// Lists segments.
pub async fn list(args: List) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&args.place, None).await?;
    let segments = office.segments(&actor).await.map_err(desk::told)?;
    office.close().await;
    segments.iter().for_each(|kept| println!("{}", line(kept)));
    let left: Vec<_> = segments.iter().filter(|kept| kept.deleted.is_none()).collect();
    let sum = |of: fn(&Kept) -> u64| thousands(left.iter().map(|kept| of(kept)).sum());
    let segments = counted(left.len(), "segment", "segments");
    println!("{segments}, {} records, {} bytes", sum(|k| k.facts.runs), sum(|k| k.facts.bytes));
    Ok(())
}

fn line(kept: &Kept) -> String {
    let Kept { name, archived_at, facts, deleted, .. } = kept;
    let (first, last) = (facts.first.link, facts.last.link);
    let (runs, bytes) = (thousands(facts.runs), thousands(facts.bytes));
    let by = shown(&facts.by);
    let made =
        format!("{name}: runs {first} to {last}, {runs} records, {bytes} bytes, archived by {by} on {archived_at}");
    match deleted {
        Some(Deletion { at, by, why }) => format!("{made}; deleted by {} on {at}: {}", shown(by), shown(why)),
        None => made,
    }
}
