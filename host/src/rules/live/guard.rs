//! The rules that no one person may change alone, where two are asked for: those that decide about access, and those that
//! settle what is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rules::run::manifest::{Manifest, Mode};
use crate::rules::run::stage::Stage;

/// Which versions of rules need two people.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Whether any does.
    pub two_person: bool,
    /// The request types whose tickets ask for access; all types while they are not known.
    pub access_forms: Option<Arc<BTreeSet<String>>>,
}

impl Guard {
    /// Whether a version decides about access, or feeds what is decided. Intake may set the app, the tier and the person who is
    /// to have it; with `by_category`, a rule for access looks at some categories only, and categorization says which rule is
    /// asked.
    pub fn covers(&self, manifest: &Manifest, by_category: impl FnOnce() -> bool) -> bool {
        let has = |stage| manifest.stages.contains(&stage);
        let feeds = || has(Stage::Intake) || (has(Stage::Categorization) && by_category());
        self.two_person && manifest.mode != Mode::Off && (has(Stage::Access) || (self.sees_access(manifest) && feeds()))
    }

    /// Whether it is asked about tickets that ask for access.
    fn sees_access(&self, manifest: &Manifest) -> bool {
        let types = &manifest.matches.request_types;
        match &self.access_forms {
            Some(forms) if !types.is_empty() => types.iter().any(|name| forms.contains(name)),
            Some(forms) => !forms.is_empty(),
            None => true,
        }
    }
}

/// Whether a version decides about the access of some categories only.
pub fn is_by_category(manifest: &Manifest) -> bool {
    manifest.stages.contains(&Stage::Access) && !manifest.matches.categories.is_empty()
}
