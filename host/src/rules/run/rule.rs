//! A rule that is ready to be asked.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::determinism::Determinism;
use super::examples::largest::RunsOut;
use super::guest::Guest;
use super::manifest::Manifest;
use super::stage::Stage;
use crate::rules::contract::{PACKAGE, VERSION};
use crate::rules::digest::Digest;
use crate::rules::source::Source;

/// A rule that is ready to be asked, as of one state of its folder.
pub struct Rule {
    pub manifest: Manifest,
    /// The component's digest: the rule's identity in every record.
    pub digest: Digest,
    /// The digest of the manifest's text, which holds the settings.
    pub manifest_digest: Digest,
    /// The component as shipped.
    pub component: Source,
    /// The manifest as written.
    pub manifest_text: Arc<str>,
    pub folder: PathBuf,
    /// Set where the settings could not be put into the component's memory image, so that each instance is handed them.
    pub configure_each_call: Option<ComponentExportIndex>,
    /// Whether it answers the same whenever it is asked the same.
    pub determinism: Determinism,
    /// The limit that stops it on the largest text that a form takes, once that is known.
    pub largest: OnceLock<Option<RunsOut>>,
    /// Whether the component imports WASI.
    pub wasi: bool,
    /// Whether it takes its input in one block.
    pub takes_one_block: bool,
    /// The desk's name for the key that vouches for it; none where the desk asks for no signature.
    pub signed_by: Option<Arc<str>>,
    /// The text of its signature, if it came with one.
    pub signature: Option<Arc<str>>,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) tables_allowed: Arc<[String]>,
    pub(crate) exports: Exports,
}

impl Rule {
    /// Whether it may answer the same question about access in two ways, so that no such answer may count.
    pub fn is_uncertain_about_access(&self) -> bool {
        self.manifest.is_asked_at(Stage::Access) && !self.determinism.is_certain()
    }

    pub(crate) fn decide(&self, stage: Stage) -> Option<ComponentExportIndex> {
        self.exports.decide(stage)
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rule({} {} {})", self.manifest.name, self.manifest.version, self.digest)
    }
}

/// Where a component's functions are, so that a call need not look for them by name.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// In the order of [`Stage::ALL`].
    decide: [Option<ComponentExportIndex>; Stage::ALL.len()],
    pub(crate) configure: Option<ComponentExportIndex>,
}

impl Exports {
    /// Looks for the contract's functions in a component: each by the version that had it first, which finds that of a later
    /// version too.
    pub fn of(component: &Component) -> Self {
        let function = |interface: &str, version: &str, name: &str| {
            let interface = format!("{PACKAGE}/{interface}@{version}");
            let interface = component.get_export_index(None, &interface)?;
            component.get_export_index(Some(&interface), name)
        };
        Self {
            decide: Stage::ALL.map(|stage| function(stage.name(), stage.since(), "decide")),
            configure: function("settings", VERSION, "configure"),
        }
    }

    fn decide(&self, stage: Stage) -> Option<ComponentExportIndex> {
        self.decide.get(stage as usize).copied().flatten()
    }
}
