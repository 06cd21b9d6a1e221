//! Changes of the rules that decide about access: one person alone may only make them stricter, two people may make any change.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::rows::rollout_of;
use crate::app::{App, Error, Office};
use crate::desk::organisation::Organisation;
use crate::rules::live::guard::Guard;
use crate::rules::live::rollout::{Needs, Rollout, RolloutStep, VersionId};
use crate::rules::run::manifest::{self, Manifest};
use crate::rules::run::stage::Stage;
use crate::store::Store;
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
                return Ok(step.clone().guarded(Needs::TwoPeople));
            }
        }
        Ok(step.clone())
    }

    /// Whether a rule that decides about access, or feeds it, looks things up in a table: then the table decides, too.
    pub(in crate::app) async fn table_decides_access(&self, table: &str) -> Result<bool, Error> {
        if !self.two_person_access {
            return Ok(false);
        }
        Ok(tables_of_access(&self.store, &self.organisation()).await?.contains(table))
    }

    /// Whether a version needs a second person before it counts for any ticket.
    pub(super) async fn needs_two(&self, version: VersionId) -> Result<bool, Error> {
        let guard = self.guard();
        Ok(self.manifest_of(version).await?.is_none_or(|manifest| guard.covers(&manifest)))
    }

    fn guard(&self) -> Guard {
        let access_forms = Some(Arc::new(access_forms(&self.organisation())));
        Guard { two_person: self.two_person_access, access_forms }
    }

    async fn manifest_of(&self, version: VersionId) -> Result<Option<Manifest>, Error> {
        manifest_of(&self.store, version).await
    }
}

/// The reference tables of the rules that decide about access or feed such a rule: of the versions that count, are tried, or are
/// suspended without another in their place.
///
/// # Errors
///
/// Where the store cannot be read.
pub(in crate::app) async fn tables_of_access(
    store: &Store,
    organisation: &Organisation,
) -> Result<BTreeSet<String>, Error> {
    let guard = Guard { two_person: true, access_forms: Some(Arc::new(access_forms(organisation))) };
    let mut tables = BTreeSet::new();
    for row in store.deployments().await? {
        for version in rollout_of(&row)?.needed() {
            let manifest = manifest_of(store, version).await?.filter(|manifest| guard.covers(manifest));
            tables.extend(manifest.into_iter().flat_map(|manifest| manifest.tables));
        }
    }
    Ok(tables)
}

async fn manifest_of(store: &Store, version: VersionId) -> Result<Option<Manifest>, Error> {
    let kept = store.manifest(&version.component.to_string(), &version.manifest.to_string()).await?;
    Ok(kept.as_deref().and_then(parsed))
}

fn parsed(text: &str) -> Option<Manifest> {
    manifest::parse(Path::new("rule.toml"), text).ok()
}
