//! How a desk follows the deployments in the database, which this process, another host or a command may change.
//!
//! A change that needs no new version takes effect at once. A version that is not in memory is taken from the archive, checked, and
//! compiled here, while the version before goes on serving; a version that cannot be loaded never takes its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::{Mutex, Notify};

use super::rows::rollout_of;
use crate::app::jobs::stop::Stop;
use crate::app::{App, Error};
use crate::rules::live::rollout::{Rollout, RolloutStep, VersionId};
use crate::rules::run::rule::Rule;
use crate::store;
use crate::store::db::notices::Notices;

/// How often another process's changes are looked for, also where notices come. One row is read each time.
const POLL: Duration = Duration::from_millis(200);
/// How long the database has to come back before notices are asked for again.
const NOTICES_AGAIN: Duration = Duration::from_secs(5);
/// How long a version that could not be had is left alone, in seconds: trying may cost a minute of compiling.
const AGAIN_S: i64 = 60;

/// How far this process has followed.
pub struct Following {
    /// Held while versions are taken from the archive in the background, so that none is compiled twice.
    fetching: Arc<Mutex<()>>,
    /// The revision of the deployments as last seen in the database.
    wanted: AtomicI64,
    /// The revision whose every rule is in effect here.
    serving: AtomicI64,
    /// The revision that was followed last, as far as its versions could be loaded.
    tried: AtomicI64,
    /// Versions that should be in effect and cannot be had.
    refused: ArcSwap<BTreeMap<VersionId, Refused>>,
}

impl Default for Following {
    fn default() -> Self {
        let never = || AtomicI64::new(-1);
        let (wanted, serving, tried) = (never(), never(), never());
        Self { fetching: Arc::default(), wanted, serving, tried, refused: ArcSwap::default() }
    }
}

/// A version that should be in effect and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub why: String,
    pub at: Timestamp,
}

impl Refused {
    fn is_recent(&self, now: Timestamp) -> bool {
        now.as_second() - self.at.as_second() < AGAIN_S
    }
}

/// The revision that this process should serve and the one that it serves; both count up with every change of any deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revisions {
    pub wanted: i64,
    pub serving: i64,
}

impl Following {
    /// How far this process has followed.
    pub fn revisions(&self) -> Revisions {
        let number = |revision: &AtomicI64| revision.load(Ordering::Acquire).max(0);
        Revisions { wanted: number(&self.wanted), serving: number(&self.serving) }
    }

    /// The versions that should be in effect here and cannot be had, with the reason.
    pub fn refused(&self) -> Arc<BTreeMap<VersionId, Refused>> {
        self.refused.load_full()
    }

    /// Whether there is something to do at this revision.
    fn is_behind(&self, revision: i64, now: Timestamp) -> bool {
        let new = revision != self.serving.load(Ordering::Acquire) && revision != self.tried.load(Ordering::Acquire);
        new || self.refused.load().values().any(|refused| !refused.is_recent(now))
    }

    /// Whether a version could not be had a moment ago.
    fn is_left_alone(&self, version: VersionId, now: Timestamp) -> bool {
        self.refused.load().get(&version).is_some_and(|refused| refused.is_recent(now))
    }

    fn refuse(&self, version: VersionId, refused: Option<Refused>) {
        let mut all = BTreeMap::clone(&self.refused.load());
        match refused {
            Some(refused) => all.insert(version, refused),
            None => all.remove(&version),
        };
        self.refused.store(Arc::new(all));
    }
}

impl App {
    /// Brings the catalog to the state of the database, and waits for it.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn follow(&self) -> Result<(), Error> {
        self.install_here(Vec::new(), &BTreeMap::new()).await?;
        self.fetch_missing().await
    }

    /// Takes the missing versions from the archive, one version after the other, and puts each into effect.
    pub(crate) async fn fetch_missing(&self) -> Result<(), Error> {
        while !self.background.is_closing() {
            let (_, rollouts) = self.kept_rollouts().await?;
            let now = self.clock.now();
            let missing = self.rules.catalog().missing(&rollouts);
            let Some(version) = missing.into_iter().find(|version| !self.following.is_left_alone(*version, now)) else {
                return Ok(());
            };
            match self.out_of_archive(version).await? {
                Ok(rule) => {
                    self.following.refuse(version, None);
                    self.install_here(vec![Arc::new(rule)], &BTreeMap::new()).await?;
                }
                Err(why) => {
                    tracing::error!(%version, why, "a rule's version does not come out of the archive: the version before serves on");
                    self.following.refuse(version, Some(Refused { why, at: self.clock.now() }));
                }
            }
        }
        Ok(())
    }

    /// As [`App::install`], for a caller that does not hold the lock.
    pub(crate) async fn install_here(
        &self,
        rules: Vec<Arc<Rule>>,
        settled: &BTreeMap<String, RolloutStep>,
    ) -> Result<(), Error> {
        let _only_one = self.archiving.lock().await;
        self.install(rules, settled).await
    }

    /// Takes the rollouts as they are kept, as far as their versions are in memory or among `rules`: a rule whose new version is
    /// not there yet stays as it is. Nothing here takes long.
    pub(crate) async fn install(
        &self,
        rules: Vec<Arc<Rule>>,
        settled: &BTreeMap<String, RolloutStep>,
    ) -> Result<(), Error> {
        let (revision, rollouts) = self.kept_rollouts().await?;
        let whole = self.rules.catalog().install(rollouts, rules, settled, revision);
        self.following.wanted.store(revision, Ordering::Release);
        if whole {
            self.following.serving.store(revision, Ordering::Release);
            self.following.refused.store(Arc::default());
        }
        let (generation, pending) = self.rules.catalog().pending();
        if pending.is_empty() {
            // Whatever is live came out of the archive, or went there when it was written down.
            self.archived.fetch_max(generation, Ordering::Release);
        }
        Ok(())
    }

    async fn kept_rollouts(&self) -> Result<(i64, BTreeMap<String, Rollout>), Error> {
        // The revision first: a change that comes while the rows are read is then noticed at the next look.
        let revision = self.store.deployment_revision().await?;
        let rows = self.store.deployments().await?;
        let rollouts = rows.iter().map(|row| Ok((row.name.clone(), rollout_of(row)?)));
        Ok((revision, rollouts.collect::<Result<_, Error>>()?))
    }

    /// A version out of the archive: its bytes against its digests, its signature against the keys that are trusted now, and
    /// everything else that is asked of a rule but its examples, which it passed when it was archived.
    async fn out_of_archive(&self, version: VersionId) -> Result<Result<Rule, String>, Error> {
        let (component, manifest) = (version.component.to_string(), version.manifest.to_string());
        let kept = match self.store.rule_version(&component, &manifest).await {
            Ok(Some(kept)) => kept,
            Ok(None) => return Ok(Err(format!("the archive does not have {version}"))),
            Err(error @ store::Error::Damaged { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let signature = self.store.signature(&component, &manifest).await?;
        let from = Path::new("archive").join(&kept.name);
        let loader = self.rules.preparer();
        let ready = tokio::task::spawn_blocking(move || {
            loader.readmit(&from, &kept.manifest, &kept.component, signature.as_deref())
        });
        Ok(ready.await?.map_err(|error| error.to_string()))
    }

    /// Follows the database until it is asked to stop: at once where it sends notices, and within a look anyway.
    pub async fn keep_following(self: Arc<Self>, mut stop: Stop) {
        let told = Notify::new();
        let listening = listen(&self, &told);
        // It may be cut off anywhere: it only passes notices on.
        tokio::select! {
            () = listening => {}
            () = self.look_now_and_then(&told, &mut stop) => {}
        }
    }

    async fn look_now_and_then(self: &Arc<Self>, told: &Notify, stop: &mut Stop) {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.told() => return,
                _ = ticks.tick() => {}
                () = told.notified() => {}
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "the deployments of rules cannot be followed: tried again soon");
            }
        }
    }

    /// Follows as far as that takes no time; a version that has to be compiled takes effect once it is compiled.
    async fn look(self: &Arc<Self>) -> Result<(), Error> {
        self.archive(&self.rules.generation()).await?;
        let revision = self.store.deployment_revision().await?;
        if !self.following.is_behind(revision, self.clock.now()) {
            return Ok(());
        }
        self.install_here(Vec::new(), &BTreeMap::new()).await?;
        // A fetch that is under way looks again before it ends.
        if let Ok(fetching) = Arc::clone(&self.following.fetching).try_lock_owned() {
            self.following.tried.store(revision, Ordering::Release);
            let app = Arc::clone(self);
            self.begin(async move {
                if let Err(error) = app.fetch_missing().await {
                    tracing::warn!(%error, "the archive of rules cannot be read: tried again soon");
                    app.following.tried.store(-1, Ordering::Release);
                }
                drop(fetching);
            });
        }
        Ok(())
    }
}

/// Passes notices on for as long as the desk runs.
async fn listen(app: &App, told: &Notify) {
    let mut again = tokio::time::interval(NOTICES_AGAIN);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        match app.store.notices().await {
            Ok(notices) => pass_on(notices, told).await,
            Err(error) => tracing::warn!(%error, "no notices from the database: deployments are polled meanwhile"),
        }
    }
}

async fn pass_on(mut notices: Notices, told: &Notify) {
    loop {
        match notices.next().await {
            Ok(()) => told.notify_one(),
            Err(error) => {
                tracing::warn!(%error, "notices from the database have ended: deployments are polled meanwhile");
                return;
            }
        }
    }
}
