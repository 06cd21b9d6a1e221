//! A live rule with another manifest, such as other rows of a decision table, over recorded decisions.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::Filter;
use super::backtest::{Candidates, backtest};
use super::report::{Limits, Report};
use crate::app::error::Broken;
use crate::app::rollout::deploy::Unfit;
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::permission;

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
        let app = Arc::clone(self);
        let prepared =
            tokio::task::spawn_blocking(move || app.rules.prepare(Path::new(""), &manifest, &component)).await?;
        let rule = prepared.map_err(|error| Error::Unfit(Unfit::from(&error)))?;
        let tried = vec![format!("{} {}", rule.manifest.name, rule.manifest.version)];
        let candidates = Candidates { rules: vec![Arc::new(rule)], ..Candidates::default() };
        #[expect(clippy::disallowed_methods, reason = "measures the work; no decision depends on it")]
        let begun = Instant::now();
        let tally = backtest(self, actor, filter, candidates, |_| {}).await?;
        Ok(Report::of(tally, tried, &Limits::default(), begun.elapsed()))
    }
}
