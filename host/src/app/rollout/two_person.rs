//! Changes of what decides about access: one person alone may only make it stricter, two people may make any.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::rows::rollout_of;
use crate::app::{App, Error, Office};
use crate::desk::organisation::Organisation;
use crate::rules::live::guard::Guard;
use crate::rules::live::rollout::{Rollout, RolloutStep, VersionId};
use crate::rules::run::manifest::{self, Manifest};
use crate::rules::run::stage::Stage;
use crate::store::rules::deployments::Brought;

/// The request types whose tickets ask for access.
pub fn access_forms(organisation: &Organisation) -> BTreeSet<String> {
    let forms = organisation.request_types.values().filter(|form| form.grants_access);
    forms.map(|form| form.id.to_string()).collect()
}

impl App {
    /// Lets the rules know which request types of the organisation ask for access.
    pub(in crate::app) fn tell_access_forms(&self) {
        self.rules.catalog().set_access_forms(access_forms(&self.organisation()));
    }
}

impl Office {
    /// Whether a version is asked about access; one that cannot be read could be.
    pub(super) async fn is_for_access(&self, version: VersionId) -> Result<bool, Error> {
        let manifest = self.manifest_of(version).await?;
        Ok(manifest.is_none_or(|manifest| manifest.stages.contains(&Stage::Access)))
    }

    /// A step of a rollout as far as one person may take it. What is `brought` is not in the archive yet.
    pub(super) async fn guarded(
        &self,
        rollout: &Rollout,
        step: &RolloutStep,
        brought: Option<&Brought>,
    ) -> Result<RolloutStep, Error> {
        if !self.two_person_access {
            return Ok(step.clone());
        }
        let guard = self.guard();
        for version in rollout.at_stake(step) {
            let here = brought.filter(|_| step.version() == Some(version));
            let manifest = match here {
                Some(brought) => parsed(&brought.version.manifest),
                None => self.manifest_of(version).await?,
            };
            if manifest.is_none_or(|manifest| guard.covers(&manifest)) {
                return Ok(step.clone().guarded(true));
            }
        }
        Ok(step.clone())
    }

    /// Whether a rule that decides about access, or feeds it, looks things up in a table: then the table decides, too.
    pub(in crate::app) async fn table_decides_access(&self, table: &str) -> Result<bool, Error> {
        if !self.two_person_access {
            return Ok(false);
        }
        let (guard, in_force) = (self.guard(), self.in_force().await?);
        let looks_up = |manifest: &Manifest| manifest.tables.iter().any(|name| name == table);
        Ok(in_force.iter().any(|manifest| looks_up(manifest) && guard.covers(manifest)))
    }

    /// Whether a version may not count on one word alone, for no ticket.
    pub(super) async fn needs_two(&self, version: VersionId) -> Result<bool, Error> {
        let guard = self.guard();
        Ok(self.manifest_of(version).await?.is_none_or(|manifest| guard.covers(&manifest)))
    }

    fn guard(&self) -> Guard {
        let access_forms = Some(Arc::new(access_forms(&self.organisation())));
        Guard { two_person: self.two_person_access, access_forms }
    }

    /// The manifests of the versions that count, are tried, or are suspended with none in their place.
    async fn in_force(&self) -> Result<Vec<Manifest>, Error> {
        let mut manifests = Vec::new();
        for row in self.store.deployments().await? {
            for version in rollout_of(&row)?.needed() {
                manifests.extend(self.manifest_of(version).await?);
            }
        }
        Ok(manifests)
    }

    async fn manifest_of(&self, version: VersionId) -> Result<Option<Manifest>, Error> {
        let kept = self.store.manifest(&version.component.to_string(), &version.manifest.to_string()).await?;
        Ok(kept.as_deref().and_then(parsed))
    }
}

fn parsed(text: &str) -> Option<Manifest> {
    manifest::parse(Path::new("rule.toml"), text).ok()
}
