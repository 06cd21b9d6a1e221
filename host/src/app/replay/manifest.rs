//! A live rule with another manifest, such as other rows of a decision table, over recorded decisions.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::Filter;
use super::backtest::{Candidates, backtest};
use super::report::{Limits, Report};
use crate::app::error::Broken;
use crate::app::rollout::deploy::Unfit;
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::rules::run::stage::Stage;

/// Decisions about access that a candidate is asked about by one request.
const ACCESS_DECISIONS_MAX: u64 = 20_000;

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

    /// The difference that another manifest of a live rule would have made to recorded decisions. The rule has to pass its
    /// examples first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Unfit`] with what keeps such a rule from going live.
    pub async fn backtest_manifest(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        manifest: String,
        filter: Filter,
    ) -> Result<Report, Error> {
        let component = self.live_component(actor, name)?;
        self.backtest_candidate(actor, manifest, component, filter).await
    }

    /// The difference that another version or another manifest of a rule for access would have made to requests of so many days,
    /// and to what is held today.
    ///
    /// # Errors
    ///
    /// As [`App::backtest_manifest`].
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
        let since = self.clock.now().checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH);
        let filter = Filter {
            since: Some(since),
            limit: Some(ACCESS_DECISIONS_MAX),
            stages: vec![Stage::Access],
            ..Filter::default()
        };
        self.backtest_candidate(actor, manifest, component, filter).await
    }

    async fn backtest_candidate(
        self: &Arc<Self>,
        actor: &Actor,
        manifest: String,
        component: Vec<u8>,
        filter: Filter,
    ) -> Result<Report, Error> {
        let app = Arc::clone(self);
        let prepared =
            tokio::task::spawn_blocking(move || app.rules.prepare(Path::new(""), &manifest, &component)).await?;
        let rule = prepared.map_err(|error| Error::Unfit(Unfit::from(&error)))?;
        let tried = vec![format!("{} {}", rule.manifest.name, rule.manifest.version)];
        let candidates = Candidates { rules: vec![Arc::new(rule)], ..Candidates::default() };
        #[expect(clippy::disallowed_methods, reason = "measures the work; no decision depends on it")]
        let begun = Instant::now();
        let tally = backtest(self, actor, filter, candidates, |_| {}).await?;
        let access = tally.access_report(self).await?;
        Ok(Report { access, ..Report::of(tally, tried, &Limits::default(), begun.elapsed()) })
    }
}
