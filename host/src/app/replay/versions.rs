//! The versions that decided, out of the archive: each read once, checked by its digests, and kept ready.
//!
//! It is asked on the rules' threads, which may wait for the store without holding up requests.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::runtime::Handle;

use crate::app::App;
use crate::rules::load::MANIFEST_FILE;
use crate::rules::run::manifest::{self, Manifest};
use crate::rules::run::rule::Rule;
use crate::store::rules::versions::RuleVersion;

/// Versions that are kept ready. Beyond this number all are dropped and made again as they are needed, so that a long
/// history needs no more memory than a short one.
const READY_MAX: usize = 256;

/// Why a version cannot be asked any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    #[error("the archive does not have this version")]
    Missing,
    #[error("it cannot be made ready: {0}")]
    Unusable(Arc<str>),
    /// For a reason that has nothing to do with the version, so that the next attempt may succeed.
    #[error("it cannot be made ready now: {0}")]
    NotNow(Arc<str>),
    /// The archive cannot be read, or what it holds is damaged.
    #[error("{0}")]
    Unreadable(Arc<str>),
}

/// Component and manifest, as digests.
type Key = (String, String);

/// The versions that were needed so far.
pub struct Versions {
    app: Arc<App>,
    runtime: Handle,
    ready: RwLock<HashMap<Key, Result<Arc<Rule>, Gone>>>,
    manifests: RwLock<HashMap<Key, Result<Arc<Manifest>, Gone>>>,
    /// Held while one is made, so that each is made once.
    making: Mutex<()>,
}

impl Versions {
    /// None yet. It must be made within the runtime that the store lives in.
    pub fn new(app: Arc<App>) -> Self {
        let runtime = Handle::current();
        Self { app, runtime, ready: RwLock::default(), manifests: RwLock::default(), making: Mutex::default() }
    }

    /// The rule of a component and a manifest, ready to be asked.
    ///
    /// # Errors
    ///
    /// [`Gone`], the same each time but for [`Gone::NotNow`].
    pub fn rule(&self, component: &str, manifest: &str) -> Result<Arc<Rule>, Gone> {
        cached(&self.ready, &self.making, component, manifest, || {
            let version = self.archived(component, manifest)?;
            let from = Path::new(&version.name).join(MANIFEST_FILE);
            let rule = self.app.rules.revive(&from, &version.manifest, &version.component);
            rule.map(Arc::new).map_err(|error| {
                let why = Arc::from(error.to_string());
                if error.is_passing() { Gone::NotNow(why) } else { Gone::Unusable(why) }
            })
        })
    }

    /// The manifest of a component and a manifest's digest: cheaper than the rule, where nothing is asked of it.
    ///
    /// # Errors
    ///
    /// [`Gone`], the same each time.
    pub fn manifest(&self, component: &str, manifest: &str) -> Result<Arc<Manifest>, Gone> {
        cached(&self.manifests, &self.making, component, manifest, || {
            let version = self.archived(component, manifest)?;
            let parsed = manifest::parse(Path::new(MANIFEST_FILE), &version.manifest);
            parsed.map(Arc::new).map_err(|error| Gone::Unusable(Arc::from(error.to_string())))
        })
    }

    /// What the archive has; it hands out nothing whose digests are not those that the record names.
    fn archived(&self, component: &str, manifest: &str) -> Result<RuleVersion, Gone> {
        let found = self.runtime.block_on(self.app.store.rule_version(component, manifest));
        found.map_err(|error| Gone::Unreadable(Arc::from(error.to_string())))?.ok_or(Gone::Missing)
    }
}

fn cached<T: Clone>(
    kept: &RwLock<HashMap<Key, Result<T, Gone>>>,
    making: &Mutex<()>,
    component: &str,
    manifest: &str,
    make: impl FnOnce() -> Result<T, Gone>,
) -> Result<T, Gone> {
    let key = (component.to_owned(), manifest.to_owned());
    // Whoever panicked while holding a lock has left a map that is whole.
    let find = |key: &Key| kept.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
    if let Some(found) = find(&key) {
        return found;
    }
    let _only_one = making.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = find(&key) {
        return found;
    }
    let made = make();
    if matches!(made, Err(Gone::NotNow(_))) {
        return made;
    }
    let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= READY_MAX {
        kept.clear();
    }
    kept.insert(key, made.clone());
    made
}
