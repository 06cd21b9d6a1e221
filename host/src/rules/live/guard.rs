//! The rules that no one person may change alone, where two are asked for: those that decide about access, and those that
//! settle what is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rules::run::manifest::{Manifest, Mode};
use crate::rules::run::stage::Stage;

/// The stages before access: what is decided there, the rules for access see.
const BEFORE_ACCESS: [Stage; 4] = [Stage::Intake, Stage::Categorization, Stage::Priority, Stage::Routing];
/// Those of them that settle which access is asked for and which rules for access are asked: one that should be live there and is
/// not leaves every request for access to a person. At the others only a rule that fails on the request itself does.
pub const SETTLE_ACCESS: [Stage; 2] = [Stage::Intake, Stage::Categorization];

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
    /// to have it; categorization says which rules for access are asked; and these see all that was decided before them, so that
    /// one of them may let people in by a priority, a team or a tag.
    pub fn covers(&self, manifest: &Manifest) -> bool {
        let decides = manifest.stages.contains(&Stage::Access);
        let feeds = || BEFORE_ACCESS.iter().any(|stage| manifest.stages.contains(stage)) && self.sees_access(manifest);
        self.two_person && manifest.mode != Mode::Off && (decides || feeds())
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
