//! A rule arrives by API: before anything is kept it passes every check that a rule in the directory has to pass.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::steps::Reason;
use crate::app::error::Busy;
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::permission::{self, MayAdminister};
use crate::rules::live::slots::version_of;
use crate::rules::live::view::MESSAGE_BYTES_MAX;
use crate::rules::load::inspect::inspect;
use crate::rules::load::{LoadError, MANIFEST_FILE};
use crate::rules::remedies;
use crate::rules::run::manifest::{MANIFEST_BYTES_MAX, ManifestError, RuleName};
use crate::rules::run::rule::Rule;
use crate::rules::text::cut;
use crate::store::rules::deployments::Brought;
use crate::store::rules::versions::RuleVersion;

/// Uploads that are read and compiled at once. Each may take as much memory as a component and its compiler are allowed.
pub const UPLOADS_AT_ONCE: usize = 2;

/// The files of one rule as they came, and why it is deployed.
#[derive(Debug, Clone)]
pub struct Upload {
    /// `rule.toml`.
    pub manifest: Vec<u8>,
    /// `rule.wasm`.
    pub component: Vec<u8>,
    /// `rule.sig`.
    pub signature: Option<String>,
    pub why: String,
}

/// Why an uploaded rule is refused, as its author needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unfit {
    /// `manifest`, `component` or `signature`.
    pub part: &'static str,
    /// A stable code for programs.
    pub code: &'static str,
    pub what: String,
    pub mend: &'static str,
}

impl From<&LoadError> for Unfit {
    fn from(error: &LoadError) -> Self {
        let (part, code) = remedies::code_of(error);
        // A manifest may name anything at any length.
        Unfit { part, code, what: cut(error.to_string(), MESSAGE_BYTES_MAX), mend: remedies::of_load(error) }
    }
}

impl Unfit {
    /// For a manifest of another rule than the one that is meant.
    pub fn of_another(name: &RuleName, meant: &str) -> Unfit {
        let what = format!("rule.toml: it is of the rule `{name}`, and not of `{meant}`");
        Unfit { part: "manifest", code: "another-rule", what, mend: "leave `name` as it is" }
    }
}

/// The right to send a rule now; held until it is in or refused.
pub struct Uploading {
    _permit: MayAdminister,
    _place: OwnedSemaphorePermit,
}

/// A rule that was checked, with the findings of its inspection.
struct Admitted {
    rule: Rule,
    imports: Vec<String>,
    component: Vec<u8>,
}

/// A rule that was taken.
pub struct Deployed {
    pub rule: Arc<Rule>,
    /// The interfaces that the component imports.
    pub imports: Vec<String>,
    /// The component's size.
    pub bytes: usize,
    /// The part that it plays now.
    pub state: &'static str,
    /// The revision of the deployments that it came with.
    pub revision: i64,
}

impl App {
    /// Lets an administrator begin an upload; asked before the body is read.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for others; [`Error::Busy`] while as many as the desk takes at once are under way.
    pub fn begin_upload(&self, actor: &Actor) -> Result<Uploading, Error> {
        let permit = permission::administer(actor)?;
        let place = Arc::clone(&self.uploads).try_acquire_owned();
        let place = place.map_err(|_| Busy::Uploads)?;
        Ok(Uploading { _permit: permit, _place: place })
    }

    /// Takes an uploaded rule: its bytes, its place among the deployments and the audit are written at once or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] where it fails a check, [`Error::NotTaken`] where its name belongs to the directory,
    /// [`Error::Rejected`] without a reason; then nothing of it is kept, and what served before serves on.
    pub async fn deploy_rule(
        self: &Arc<Self>,
        actor: &Actor,
        _uploading: Uploading,
        upload: Upload,
    ) -> Result<Deployed, Error> {
        let reason = Reason::given(actor, upload.why.clone())?;
        let Admitted { rule, imports, component } = self.admit(upload).await?;
        let bytes = component.len();
        let step = self.rules.catalog().slots().offer_by_api(&rule, reason.by.clone());
        let version = version_of(&rule);
        let rule = Arc::new(rule);
        let verified = rule.signed_by.is_some();
        let signature = rule.signature.as_deref().map(|text| (text.to_owned(), verified));
        let brought = Brought { version: archived(&rule, component), signature };
        let name = rule.manifest.name.as_str();
        let (rollout, revision) = self.take_step_with(name, &step, &reason, Some(brought)).await?;
        self.install_here(vec![Arc::clone(&rule)], &BTreeMap::new()).await?;
        Ok(Deployed { state: rollout.part_of(version).unwrap_or("loaded"), rule, imports, bytes, revision })
    }

    /// Checks, compiles and tries an uploaded rule, as one in the directory.
    async fn admit(self: &Arc<Self>, upload: Upload) -> Result<Admitted, Error> {
        let app = Arc::clone(self);
        let checked = tokio::task::spawn_blocking(move || app.admit_blocking(upload)).await;
        checked?.map_err(|error| Error::Unfit(Unfit::from(&error)))
    }

    fn admit_blocking(&self, upload: Upload) -> Result<Admitted, LoadError> {
        // Named in messages: it lies in no folder.
        let from = Path::new("");
        let file = || from.join(MANIFEST_FILE);
        if upload.manifest.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge { file: file() }.into());
        }
        let manifest = String::from_utf8(upload.manifest)
            .map_err(|_| ManifestError::Unreadable { file: file(), message: "it is not UTF-8".to_owned() })?;
        let rule = self.rules.admit(from, &manifest, &upload.component, upload.signature.as_deref())?;
        let imports = inspect(&upload.component, usize::MAX).map(|found| found.imports).unwrap_or_default();
        Ok(Admitted { rule, imports, component: upload.component })
    }
}

/// A rule as the archive keeps it.
pub(crate) fn archived(rule: &Rule, component: Vec<u8>) -> RuleVersion {
    RuleVersion {
        component_digest: rule.digest.to_string(),
        manifest_digest: rule.manifest_digest.to_string(),
        name: rule.manifest.name.as_str().to_owned(),
        version: rule.manifest.version.clone(),
        manifest: rule.manifest_text.to_string(),
        component,
    }
}
