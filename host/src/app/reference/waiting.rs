//! Files of the configuration directory that wait for a second administrator, as both look at them: the lines in which they differ from
//! those to which two people have agreed last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::agreed::{agreed, digest, load};
use super::lines::{Line, changed};
use crate::app::office::signatory;
use crate::app::{App, Error};
use crate::config::with_addresses_cut;
use crate::desk::actor::Actor;
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::rules::live::rollout::Signatory;

/// The most lines of all differences together.
const LINES_MAX: usize = 600;

/// Files that make access easier to get, and to which two people have not agreed.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// SHA-256 of all of them: who agrees says what they have read.
    pub digest: String,
    /// The first thing by which access would be easier to get.
    pub what: String,
    /// Who has asked for it, and when; `None` where the files only lie in the directory.
    pub asked: Option<(String, Timestamp)>,
    /// Whether the reader may be the one whose word is awaited.
    pub may_agree: bool,
    /// Each file that differs, with the lines.
    pub files: Vec<(String, Vec<Vec<Line>>)>,
}

/// The files that differ, without those whose documents are published by API. Addresses of webhooks that are the directory's are cut off
/// behind their hosts, as administrators read them elsewhere.
fn differences(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    published: &BTreeSet<&'static str>,
) -> Vec<(String, Vec<Vec<Line>>)> {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut left = LINES_MAX;
    let mut files = Vec::new();
    for path in paths.into_iter().filter(|path| !published.contains(path.as_str())) {
        let text = |files: &BTreeMap<String, String>| files.get(path).cloned().unwrap_or_default();
        let (was, is) = (text(before), text(after));
        if was != is {
            // Of what is not shown, no lines are compared.
            let groups = match left {
                0 => Vec::new(),
                left => changed(&with_addresses_cut(&was), &with_addresses_cut(&is), left),
            };
            left = left.saturating_sub(groups.iter().map(Vec::len).sum());
            files.push((path.clone(), groups));
        }
    }
    files
}

impl App {
    /// Whether an administrator has asked for files that wait for a second one; without a look at the directory.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn files_wait(&self, actor: &Actor) -> Result<bool, Error> {
        permission::administer(actor)?;
        Ok(self.two_person_access && self.store.waiting_files().await?.is_some())
    }

    /// The files of the directory that wait for a second administrator; `None` where none do, or the desk does not ask for two people.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] where the directory is not right; where the store cannot be read.
    pub async fn waiting_files(&self, actor: &Actor) -> Result<Option<Waiting>, Error> {
        permission::administer(actor)?;
        if !self.two_person_access {
            return Ok(None);
        }
        let config = match load(None, &self.source, &self.store).await? {
            Ok(config) => config,
            Err(problems) => {
                let problem = |message: String| Problem::new("configuration", "invalid", message);
                return Err(Error::Rejected { problems: problems.into_iter().map(problem).collect() });
            }
        };
        let (kept, files) = (self.store.agreed_files().await?, config.files.deciding());
        let agreed = agreed(kept.clone(), &self.source, &self.store).await?;
        let Some(what) = agreed.eased(&config, &self.store).await? else { return Ok(None) };
        let (digest, me) = (digest(&files), signatory(actor));
        let first = self.store.waiting_files().await?.filter(|first| first.digest == digest);
        let may_agree =
            first.as_ref().is_none_or(|first| self.let_approve(&Signatory::parse(&first.author), &me).is_ok());
        let published: BTreeSet<&'static str> = config.by_api.iter().map(|document| document.file()).collect();
        let files = self.apart(move || differences(&kept, &files, &published)).await?;
        let asked = first.map(|first| (first.author, first.at));
        Ok(Some(Waiting { digest, what, asked, may_agree, files }))
    }

    /// Gives an administrator's word for the files that they have read, by their digest, with a reason: the first asks, the second
    /// agrees, and then they are in force. Gives the problems of the files, in which case nothing changes.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] without a reason; [`Error::Table`] where they wait now for another administrator, or are
    /// others than those that were read.
    pub async fn agree_to_waiting_files(
        self: &Arc<Self>,
        actor: &Actor,
        (digest, why): (&str, &str),
    ) -> Result<Vec<String>, Error> {
        permission::administer(actor)?;
        super::change::check_why(why)?;
        let problems = self.agree_to_files(actor, Some((digest, why))).await?;
        if problems.is_empty() { self.read_configuration().await } else { Ok(problems) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_address_of_a_webhook_is_named_by_its_file_and_not_shown() {
        let files = |url: &str, team: &str| {
            let webhooks = format!("[[webhook]]\nid = \"cmdb\"\nurl = \"{url}\"\n");
            let texts = [("teams.toml", format!("[[team]]\nid = \"{team}\"\n")), ("webhooks.toml", webhooks)];
            texts.map(|(file, text)| (file.to_owned(), text)).into_iter().collect::<BTreeMap<String, String>>()
        };
        let (before, after) = (files("https://a.example.com/S3", "one"), files("https://b.example.com/K3", "two"));
        let shown = differences(&before, &after, &BTreeSet::new());
        let names: Vec<&str> = shown.iter().map(|(file, _)| file.as_str()).collect();
        assert_eq!(names, ["teams.toml", "webhooks.toml"]);
        let text = format!("{shown:?}");
        assert!(text.contains("https://b.example.com") && text.contains("two"), "{text}");
        assert!(!text.contains("S3") && !text.contains("K3"), "{text}");
        assert_eq!(differences(&before, &after, &BTreeSet::from(["webhooks.toml"])).len(), 1);
    }
}
