//! How a rule ends with its folder, by a folder that is gone or by its name in another one, and how it comes back.

use super::{Needs, Rollout, Signatory, Source, VersionId};

impl Rollout {
    /// Whether it ended because its folder went away, and was not retired since then.
    pub fn is_gone(&self) -> bool {
        let has_ended = !self.is_live() && self.previous.is_some();
        has_ended && self.source == Source::Directory && self.folder.is_none() && self.offered.is_none()
    }

    /// Whether its name passes to another folder with this offer. Then it has ended with the folder before, also where nobody has
    /// written that down: what decides about access lies in a folder that says so. A folder that offers the same as the one before
    /// is that one under another name.
    pub(super) fn passes_to(&self, folder: Option<&str>, version: VersionId) -> bool {
        let is_another = self.folder.is_some() && self.folder.as_deref() != folder;
        self.is_live() && is_another && self.offered != Some(version)
    }

    /// Whether the directory has a version back that counted until its folder was gone, and which has not been retired since.
    pub(super) fn is_back(&self, version: VersionId) -> bool {
        self.is_to_go(version) && self.offered.is_none()
    }

    fn is_to_go(&self, version: VersionId) -> bool {
        self.retiring == Some(Signatory::Directory) && self.active.is_none() && self.suspended == Some(version)
    }

    /// Its folder is back with a version: all is as it was before it was gone.
    pub(super) fn come_back(&mut self, version: VersionId) {
        if self.is_back(version) {
            self.active = self.suspended.take();
            // A proposal that it count again is answered by that.
            self.candidate = self.candidate.take().filter(|candidate| candidate.version != version);
            self.retiring = None;
            self.offered = Some(version);
        } else if self.is_to_go(version) && self.offered == Some(version) {
            // It was suspended before, and a folder is not the people who let it count again.
            self.retiring = None;
        }
    }

    /// Whether it was suspended before its folder was gone. Where another version was offered since, that is not known: then it counts as
    /// suspended.
    fn was_suspended(&self) -> bool {
        let is_gone_already = self.retiring == Some(Signatory::Directory) && self.offered.is_none();
        self.active.is_none() && self.suspended.is_some() && !is_gone_already
    }

    /// Its folder is gone. Where that needs two people, people decide in its place until a person agrees that it is retired.
    pub(super) fn gone(&mut self, needs: Needs) {
        let was_suspended = self.was_suspended();
        // One that was retired stays so: the same content in its folder again changes nothing.
        if self.is_live() {
            self.offered = None;
        }
        match needs {
            Needs::OnePerson => self.retire(),
            Needs::TwoPeople => {
                // Nor does it to one that is suspended.
                self.offered = self.suspended.filter(|_| was_suspended).or(self.offered);
                self.suspended = self.active.take().or(self.suspended);
                self.candidate = None;
                self.retiring = self.suspended.map(|_| Signatory::Directory);
            }
        }
        self.folder = None;
    }
}
