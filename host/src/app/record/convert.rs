//! Records from before they were packed are put into the new shape while the desk runs, and what their rules did is counted.
//!
//! Each few are one transaction, which changes nothing that is read or hashed: it can end at any point, and begins again with
//! what is left. Where the disk is full, the records stay as they are.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::part::Part;
use super::verdict::RecordedVerdict;
use super::write::beginning;
use crate::app::App;
use crate::desk::id::RunId;
use crate::rules::run::stage::Stage;
use crate::store::rules::decisions::{StoredDecision, StoredRun};
use crate::store::rules::recorder::{Packed, Recorder};
use crate::store::rules::rollups::Call;
use crate::store::{Error, Store};

/// Runs of one transaction: so few that other writers wait for some milliseconds only.
const BATCH: i64 = 64;
/// The pause between two transactions, in which others write.
const PAUSE: Duration = Duration::from_millis(5);
/// Versions whose beginnings a dictionary for old records has.
const VERSIONS_MAX: usize = 128;

/// The outcome of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Converted {
    pub runs: usize,
    /// Runs that stay in the old shape, because something is wrong with them.
    pub left: usize,
}

/// Puts all old records into the new shape; `go_on` is asked before each few.
///
/// # Errors
///
/// Where the database cannot be read or written to: what was converted stays so.
pub async fn convert(store: &Store, go_on: impl Fn() -> bool) -> Result<Converted, Error> {
    let mut work = Conversion::default();
    while go_on() && work.step(store).await? {
        pause().await;
    }
    Ok(work.done)
}

impl App {
    /// Begins to put old records into the new shape, behind all that requests wait for.
    pub fn convert_records(self: &Arc<Self>) {
        let app = Arc::clone(self);
        self.begin(async move {
            match convert(&app.store, || !app.background.is_closing()).await {
                Ok(Converted { runs: 0, left: 0 }) => {}
                Ok(Converted { runs, left }) => tracing::info!(runs, left, "old records were put into the small shape"),
                Err(error) => tracing::error!(
                    %error,
                    "the old records that are left stay as they are, and are read so: tried again when the desk is next started"
                ),
            }
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "gives way to whoever writes; no decision depends on it")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

/// A conversion under way.
#[derive(Debug, Default)]
pub struct Conversion {
    recorder: Recorder,
    after: Option<RunId>,
    /// The versions that the records so far name: their dictionary is used again until others come.
    versions: BTreeSet<String>,
    pub done: Converted,
}

impl Conversion {
    /// Converts a few records in one transaction; gives whether there may be more.
    ///
    /// # Errors
    ///
    /// As [`convert`].
    pub async fn step(&mut self, store: &Store) -> Result<bool, Error> {
        let runs = store.unpacked_runs(self.after, BATCH).await?;
        let Some(last) = runs.last() else { return Ok(false) };
        let after = last.id;
        self.learn(&runs);
        let extension: String = self.versions.iter().map(String::as_str).collect();
        let dictionary = store.dictionary(extension.as_bytes());
        let mut packed: Vec<(RunId, Timestamp, Packed)> = Vec::with_capacity(runs.len());
        let mut left = 0;
        for run in &runs {
            match run.pack(&dictionary, calls(run)) {
                Ok(Some(texts)) => packed.push((run.id, run.at, texts)),
                Ok(None) => left += 1,
                Err(error) => {
                    tracing::warn!(run = %run.id, %error, "an old record stays in its old shape");
                    left += 1;
                }
            }
        }
        self.done.runs += store.convert_runs(&mut self.recorder, &packed).await?;
        self.done.left += left;
        self.after = Some(after);
        Ok(true)
    }

    /// Takes note of the versions that records name.
    fn learn(&mut self, runs: &[StoredRun]) {
        let before = self.versions.len();
        let parts = runs.iter().flat_map(StoredRun::decisions).filter_map(|decision| Part::all(&decision.rules).ok());
        let found: BTreeSet<String> = parts
            .flatten()
            .map(|part| beginning(&part.rule, &part.version, &part.component, &part.manifest))
            .filter(|version| !self.versions.contains(version))
            .collect();
        if before + found.len() > VERSIONS_MAX {
            self.versions.clear();
        }
        self.versions.extend(found.into_iter().take(VERSIONS_MAX));
    }
}

/// The calls that are counted of a record.
pub fn calls(run: &StoredRun) -> Vec<Call> {
    run.decisions().iter().flat_map(calls_of).collect()
}

/// The calls that are counted of a stage; none where it cannot be read.
fn calls_of(decision: &StoredDecision) -> Vec<Call> {
    let (Ok(stage), Ok(parts)) = (decision.stage.parse::<Stage>(), Part::all(&decision.rules)) else {
        return Vec::new();
    };
    let verdict = RecordedVerdict::read(stage, &decision.verdict).ok();
    let chosen = verdict.as_ref().and_then(RecordedVerdict::choice);
    parts.iter().map(|part| part.call(stage, chosen)).collect()
}
