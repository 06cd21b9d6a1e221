//! A dictionary made of records: text that many of them have, for the compressor to point into.

use std::sync::Arc;

use super::part::Part;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::store::rules::decisions::StoredRun;
use crate::store::rules::history::RunFilter;
use crate::store::rules::packing::dictionary::{self, Dictionary};

/// The latest runs that a dictionary is made of.
const RUNS_MAX: usize = 2_000;
/// Runs that are read at once.
const PAGE: i64 = 250;

impl Office {
    /// Makes a dictionary of the desk's latest records; `None` where there are too few, or nothing in them repeats.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn train(&self, actor: &Actor) -> Result<Option<Arc<Dictionary>>, Error> {
        permission::administer(actor)?;
        let (mut samples, mut before) = (Vec::new(), None);
        while samples.len() < RUNS_MAX {
            let page = self.store.history(&RunFilter::default(), before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.run.id);
            samples.extend(page.iter().filter_map(|past| sample(&past.run)));
        }
        Ok(dictionary::train(&samples))
    }

    /// Keeps a dictionary, with which new records are packed from the next start of the desk on; its id.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn keep_dictionary(&self, actor: &Actor, dictionary: &Dictionary) -> Result<i64, Error> {
        permission::administer(actor)?;
        Ok(self.store.keep_dictionary(dictionary).await?)
    }
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
