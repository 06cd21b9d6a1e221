//! A dictionary made of records: text that many of them have, for the compressor to point into.

use std::sync::Arc;

use super::part::Part;
use crate::store::rules::decisions::StoredRun;
use crate::store::rules::history::Wanted;
use crate::store::rules::packing::dictionary::{self, Dictionary};
use crate::store::{Error, Store};

/// The latest runs that a dictionary is made of.
const RUNS_MAX: usize = 2_000;
/// Runs that are read at once.
const PAGE: i64 = 250;

/// Makes a dictionary of a desk's latest records; `None` where there are too few, or nothing in them repeats.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn train(store: &Store) -> Result<Option<Arc<Dictionary>>, Error> {
    let (mut samples, mut before) = (Vec::new(), None);
    while samples.len() < RUNS_MAX {
        let page = store.history(&Wanted::default(), before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.run.id);
        samples.extend(page.iter().filter_map(|past| sample(&past.run)));
    }
    Ok(dictionary::train(&samples))
}

/// A record's texts without digests, which are particular to a version of a rule and have no place in a dictionary for all.
fn sample(run: &StoredRun) -> Option<String> {
    let texts = run.recorded.as_ref().ok()?;
    let mut sample = [texts.cause.as_str(), &texts.engine, &texts.common].join("\0");
    for decision in &texts.decisions {
        let mut rules = decision.rules.clone();
        for part in Part::all(&decision.rules).ok()? {
            rules = rules.replace(part.component.as_ref(), "").replace(part.manifest.as_ref(), "");
        }
        for text in [&decision.stage, &decision.input, &decision.verdict, &rules] {
            sample.push('\0');
            sample.push_str(text);
        }
    }
    Some(sample)
}
