//! A rule in another version or with another manifest, such as other rows of a decision table, over recorded decisions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::backtest::{Candidates, backtest};
use super::report::{Limits, Report};
use super::{Effort, Filter};
use crate::app::error::{Broken, Busy};
use crate::app::rollout::deploy::Unfit;
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::desk::sla::earlier;
use crate::rules::digest::Digest;
use crate::rules::load::difference::changes;
use crate::rules::load::{LoadError, MANIFEST_FILE};
use crate::rules::run::manifest::{MANIFEST_BYTES_MAX, ManifestError};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;

/// Decisions about access that a candidate is asked about by one request.
const ACCESS_DECISIONS_MAX: u64 = 20_000;
/// Decisions that a candidate is asked about while a reader waits for it.
pub const DECISIONS_MAX: u64 = 20_000;
/// How long that may take.
pub const WITHIN: Duration = Duration::from_secs(30);
/// Backtests that a desk does at once while it serves.
pub const BACKTESTS_AT_ONCE: usize = 2;
/// The differences that are shown.
const DIFFERENCES_MAX: usize = 20;

/// The candidate in the place of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// A version in the archive, by its name or the beginning of its digests.
    Version(String),
    /// The component that is live with another manifest.
    Manifest(String),
    /// No rule at all.
    Nothing,
}

/// An example that a rule does not live up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedExample {
    pub name: String,
    /// The answer that it expects, and the one that the rule gives.
    pub message: String,
}

impl App {
    /// The component of a rule that is live.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where no such rule is live.
    pub fn live_component(&self, actor: &Actor, name: &str) -> Result<Vec<u8>, Error> {
        permission::administer(actor)?;
        let generation = self.rules.generation();
        let rule =
            generation.named(name).ok_or_else(|| Error::Missing { what: "live rule called", name: name.to_owned() })?;
        let unreadable = |source| Broken::Component { rule: name.to_owned(), source };
        Ok(rule.component.read().map_err(unreadable)?)
    }

    /// The difference that another manifest of a live rule would have made to recorded decisions, also where the rule does not do
    /// any more what an example of the manifest expects: which one stands next to it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Unfit`] with what else keeps such a rule from going live.
    pub async fn backtest_manifest(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        manifest: String,
        filter: Filter,
    ) -> Result<(Report, Option<FailedExample>), Error> {
        let component = self.live_component(actor, name)?;
        let app = Arc::clone(self);
        let prepared = tokio::task::spawn_blocking(move || app.of_draft(&manifest, &component)).await?;
        let (rule, failed) = prepared.map_err(|error| Error::Unfit(Unfit::from(&error)))?;
        Ok((self.backtest_prepared(actor, name, rule, filter).await?, failed))
    }

    /// The difference that another version or another manifest of a rule for access would have made to requests of so many days,
    /// and to what is held today.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Unfit`] with what keeps such a rule from going live.
    pub async fn backtest_access(
        self: &Arc<Self>,
        actor: &Actor,
        (name, manifest, version): (&str, Option<String>, Option<String>),
        days: u16,
    ) -> Result<Report, Error> {
        permission::administer(actor)?;
        let (manifest, component) = match (manifest, version) {
            (Some(manifest), _) => (manifest, self.live_component(actor, name)?),
            (None, version) => {
                let (_, version) = self.rule_version(actor, name, &version.unwrap_or_default()).await?;
                (version.manifest, version.component)
            }
        };
        let back = SignedDuration::from_hours(i64::from(days) * 24);
        let since = earlier(self.clock.now(), back);
        let filter = Filter {
            since: Some(since),
            limit: Some(ACCESS_DECISIONS_MAX),
            stages: vec![Stage::Access],
            ..Filter::default()
        };
        self.backtest_candidate(actor, name, (manifest, component), filter).await
    }

    /// The difference that something else in the place of a rule would have made to decisions of so many days, for an administrator who
    /// waits for it: the newest decisions, on one thread, and no longer than half a minute. Where the one who asked leaves, it ends.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Unfit`] with what keeps such a rule from going live, also where it is another
    /// rule; [`Error::Busy`] while as many as the desk does at once are under way.
    pub async fn backtest_rule(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        instead: Instead,
        days: u16,
    ) -> Result<Report, Error> {
        permission::administer(actor)?;
        let _place = self.backtests.try_acquire().map_err(|_| Busy::Backtests)?;
        let back = SignedDuration::from_hours(i64::from(days) * 24);
        let since = earlier(self.clock.now(), back);
        let effort = Effort { within: Some(WITHIN), gently: true };
        let filter = Filter { since: Some(since), limit: Some(DECISIONS_MAX), effort, ..Filter::default() };
        let (manifest, component) = match instead {
            Instead::Manifest(manifest) => (manifest, self.live_component(actor, name)?),
            Instead::Version(version) => {
                let (_, version) = self.rule_version(actor, name, &version).await?;
                (version.manifest, version.component)
            }
            Instead::Nothing => {
                // Without a rule that never was nothing would be otherwise, and no reader would see why.
                if self.rules.generation().named(name).is_none() {
                    self.rule_versions(actor, name, 0, 1).await?;
                }
                let candidates = Candidates { without: BTreeSet::from([name.to_owned()]), ..Candidates::default() };
                let filter = Filter { rule: Some(name.to_owned()), ..filter };
                return self.report_of(actor, candidates, Vec::new(), filter).await;
            }
        };
        self.backtest_candidate(actor, name, (manifest, component), filter).await
    }

    async fn backtest_candidate(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        (manifest, component): (String, Vec<u8>),
        filter: Filter,
    ) -> Result<Report, Error> {
        let app = Arc::clone(self);
        let prepared = tokio::task::spawn_blocking(move || app.of_manifest(&manifest, &component)).await?;
        let rule = prepared.map_err(|error| Error::Unfit(Unfit::from(&error)))?;
        self.backtest_prepared(actor, name, rule, filter).await
    }

    /// The same with a rule that is ready to be asked.
    async fn backtest_prepared(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        rule: Rule,
        filter: Filter,
    ) -> Result<Report, Error> {
        if rule.manifest.name.as_str() != name {
            return Err(Error::Unfit(Unfit::of_another(&rule.manifest.name, name)));
        }
        let candidates = Candidates { rules: vec![Arc::new(rule)], ..Candidates::default() };
        let live = self.rules.generation();
        let differs = candidates.rules.iter().filter_map(|rule| {
            let live = live.named(rule.manifest.name.as_str())?;
            Some(differences(&live.manifest_text, &live.digest, rule))
        });
        let differs = differs.flatten().collect();
        self.report_of(actor, candidates, differs, filter).await
    }

    fn of_manifest(&self, manifest: &str, component: &[u8]) -> Result<Rule, LoadError> {
        // Named in messages: it lies in no folder.
        let from = Path::new("");
        if manifest.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge { file: from.join(MANIFEST_FILE) }.into());
        }
        self.rules.prepare(from, manifest, component)
    }

    /// The rule of a manifest that is being written, and the first of its examples that it does not live up to.
    fn of_draft(&self, manifest: &str, component: &[u8]) -> Result<(Rule, Option<FailedExample>), LoadError> {
        match self.of_manifest(manifest, component) {
            // All that a rule is asked before its examples is in order.
            Err(LoadError::Example { source, .. }) => {
                let rule = self.rules.revive_settled(Path::new(""), manifest, component)?;
                Ok((rule, Some(FailedExample { name: source.name, message: source.message })))
            }
            other => Ok((other?, None)),
        }
    }

    async fn report_of(
        self: &Arc<Self>,
        actor: &Actor,
        candidates: Candidates,
        differs: Vec<String>,
        filter: Filter,
    ) -> Result<Report, Error> {
        let named = |rule: &Arc<Rule>| format!("{} {}", rule.manifest.name, rule.manifest.version);
        let mut tried: Vec<String> = candidates.rules.iter().map(named).collect();
        tried.extend(candidates.without.iter().map(|name| format!("without {name}")));
        #[expect(clippy::disallowed_methods, reason = "measures the work; no decision depends on it")]
        let begun = Instant::now();
        let tally = backtest(self, actor, filter, candidates, |_| {}).await?;
        let access = tally.access_report(self).await?;
        Ok(Report { access, differs, ..Report::of(tally, tried, &Limits::default(), begun.elapsed()) })
    }
}

/// In what a candidate differs from another version of its rule, by that one's manifest and the digest of its component.
pub fn differences(manifest: &str, component: &Digest, rule: &Rule) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    found.extend((*component != rule.digest).then(|| "its component is another".to_owned()));
    let value = |value: Option<&serde_json::Value>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    // Two manifests that were read as such are TOML.
    let changes = changes(manifest, &rule.manifest_text).unwrap_or_default();
    // Examples decide nothing.
    for change in changes.into_iter().filter(|change| !change.key.starts_with("example")) {
        found.push(format!("{}: {} -> {}", change.key, value(change.from.as_ref()), value(change.to.as_ref())));
    }
    let more = found.len().saturating_sub(DIFFERENCES_MAX);
    found.truncate(DIFFERENCES_MAX);
    found.extend((more > 0).then(|| format!("and {more} more")));
    let name = &rule.manifest.name;
    found.into_iter().map(|one| format!("{name}: {one}")).collect()
}
