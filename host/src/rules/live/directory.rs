//! The rules directory as it was last looked at: what an operator has to know of it.

use std::path::PathBuf;
use std::time::SystemTime;

/// The state of the directory as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Why it cannot be read, where it cannot: then nothing is believed to be gone.
    pub unreadable: Option<String>,
    /// Folders that hold a rule, or something that is meant to be one.
    pub present: usize,
    /// Folders beyond the number that is read.
    pub beyond: usize,
    /// Folders whose rules are in effect and that are not there: since when. They are believed to be gone after a while.
    pub missing: Vec<(PathBuf, SystemTime)>,
    /// Folders whose rules have ended not long ago, with them or since they have another name there. That is believed to be for good
    /// after a while.
    pub ended: Vec<PathBuf>,
    /// Folders that are being read, compiled and tried, or wait for that.
    pub unread: usize,
    /// Those of them that are being read, compiled and tried.
    pub loading: Vec<PathBuf>,
    /// Whether all that lay there when this process began has been read.
    pub is_read: bool,
}

impl Directory {
    /// One that has not been looked at yet.
    pub const NEVER_SEEN: Directory = Directory {
        unreadable: None,
        present: 0,
        beyond: 0,
        missing: Vec::new(),
        ended: Vec::new(),
        unread: 0,
        loading: Vec::new(),
        is_read: false,
    };

    /// Its problems, a sentence each.
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Some(why) = &self.unreadable {
            troubles.push(format!("the rules directory cannot be read ({why}): the rules of before go on"));
        }
        if self.beyond > 0 {
            troubles.push(format!(
                "the rules directory has {} folders more than are read: a person decides about access",
                self.beyond
            ));
        }
        if !self.missing.is_empty() {
            let how_many = self.missing.len();
            let what = if self.present == 0 { "the rules directory is empty: " } else { "" };
            troubles.push(format!(
                "{what}the folders of {how_many} live rules are not there: the rules go on until that is believed"
            ));
        }
        troubles
    }

    /// Whether a folder is away, or a rule of it, and not believed to be gone for good.
    pub fn has_lost(&self, folder: &str) -> bool {
        let lost = self.missing.iter().map(|(missing, _)| missing).chain(&self.ended);
        lost.filter_map(|lost| lost.file_name()).any(|lost| lost == folder)
    }

    /// Whether it shows no rule at all.
    pub fn is_empty(&self) -> bool {
        self.unreadable.is_some() || self.present == 0
    }
}
