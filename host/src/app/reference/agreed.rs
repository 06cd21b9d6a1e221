//! The files of the configuration directory, where the desk asks for two people: those that make access easier to get than the files to
//! which two have agreed last are in force when a second administrator has read them again, and until then the former are; also
//! after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::Conflict;
use crate::app::decide::judge::judge;
use crate::app::office::signatory;
use crate::app::rollout::rules::Source;
use crate::app::{App, Error};
use crate::config::{self, Config, Outgoing};
use crate::desk::actor::{Actor, Role};
use crate::desk::organisation::identity::EVERYONE;
use crate::desk::organisation::looser::looser;
use crate::rules::digest::Digest;
use crate::rules::live::rollout::Signatory;
use crate::store::Store;
use crate::store::people::agreed::WaitingFiles;

/// A configuration as far as two people have agreed to it, where the desk asks for two.
///
/// # Errors
///
/// Where the store cannot be read.
pub async fn settled(config: Config, two: bool, (source, store): (&Source, &Store)) -> Result<Config, Error> {
    if !two {
        return Ok(config);
    }
    let kept = store.agreed_files().await?;
    let Some(agreed) = agreed(kept, source, store).await? else { return Ok(config) };
    let Some(what) = eased(&agreed, &config) else { return Ok(config) };
    warn(&what);
    let outgoing = Outgoing { sign_in: agreed.outgoing.sign_in, ..config.outgoing };
    Ok(Config { organisation: agreed.organisation, outgoing, ..config })
}

fn warn(what: &str) {
    tracing::warn!(
        what,
        "the configuration directory makes access easier to get than two people have agreed to: until two administrators have \
         read it again, the files of before are in force"
    );
}

/// The configuration to which two people have agreed last; `None` before the first time.
pub(super) async fn agreed(
    kept: BTreeMap<String, String>,
    source: &Source,
    store: &Store,
) -> Result<Option<Config>, Error> {
    if kept.is_empty() {
        return Ok(None);
    }
    match load(Some(kept), source, store).await? {
        Ok(config) => Ok(Some(config)),
        Err(problems) => {
            tracing::error!(
                ?problems,
                "this program cannot read the files any more to which two people have agreed: those of the directory are in force"
            );
            Ok(None)
        }
    }
}

/// The configuration of the directory, or of the files that were kept of it, with the documents that are published.
pub(super) async fn load(
    kept: Option<BTreeMap<String, String>>,
    source: &Source,
    store: &Store,
) -> Result<Result<Config, Vec<String>>, Error> {
    let (source, published) = (source.clone(), store.published_documents().await?);
    let published: BTreeMap<String, String> =
        published.into_iter().map(|(document, (_, content))| (document, content)).collect();
    let read = move || match kept {
        Some(kept) => config::load_as(&source.directory, &source.outside, kept, &published),
        None => config::load_with(&source.directory, &source.outside, &published),
    };
    let loaded = tokio::task::spawn_blocking(read).await?;
    Ok(loaded.map_err(|problems| problems.iter().map(ToString::to_string).collect()))
}

/// The first thing by which access is easier to get, in a few words.
pub(super) fn eased(before: &Config, after: &Config) -> Option<String> {
    looser(&before.organisation, &after.organisation).or_else(|| signs_in(before, after))
}

/// The same of those whom the identity provider lets in, and of the parts that their groups play.
fn signs_in(before: &Config, after: &Config) -> Option<String> {
    let now = after.outgoing.sign_in.as_ref()?;
    let Some(was) = before.outgoing.sign_in.as_ref() else {
        return Some("people sign in by an identity provider".to_owned());
    };
    let identity = [
        (&was.issuer, &now.issuer),
        (&was.client_id, &now.client_id),
        (&was.person_claim, &now.person_claim),
        (&was.groups_claim, &now.groups_claim),
    ];
    if identity.iter().any(|(was, now)| was != now) {
        return Some("the identity provider says in another way who people are".to_owned());
    }
    let gains = |(role, groups): (&Role, &BTreeSet<String>)| {
        let had = |group: &String| was.roles.get(role).is_some_and(|had| had.contains(group) || had.contains(EVERYONE));
        let new = groups.iter().find(|group| !had(group))?;
        Some(format!("the group `{new}` of the identity provider plays the part `{}`", role.code()))
    };
    now.roles.iter().find_map(gains)
}

pub(super) fn digest(files: &BTreeMap<String, String>) -> String {
    Digest::of(json!(files).to_string().as_bytes()).to_string()
}

impl App {
    /// Goes by the files to which two people have agreed, where those of the directory make access easier to get; where none are agreed to
    /// yet, it begins with what is there. For the start of a desk that asks for two people.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written.
    pub(in crate::app) async fn begin_with_agreed_files(self: &Arc<Self>) -> Result<(), Error> {
        let Ok(config) = load(None, &self.source, &self.store).await? else { return Ok(()) };
        let kept = self.store.agreed_files().await?;
        if kept.is_empty() {
            let files = config.files.deciding();
            let detail = json!({ "by": Signatory::Desk.to_string(), "digest": digest(&files) });
            return Ok(self.store.agree_to_files(&files, &detail, self.clock.now()).await?);
        }
        let Some(before) = agreed(kept, &self.source, &self.store).await? else { return Ok(()) };
        if let Some(what) = eased(&before, &config) {
            warn(&what);
            self.set_organisation(before.organisation);
            self.tell_access_forms();
            self.show_organisation().await?;
            self.rules.set_judge(judge(self.organisation()));
        }
        Ok(())
    }

    /// Takes an administrator's word that the files of the directory are to be in force, where the desk asks for two people; gives the
    /// problems of the files. Who has read them on their page gives the digest of what was read there, and why.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] where they make access easier to get and wait for another administrator, or are others than those that were
    /// read; where the store cannot be read or written.
    pub(in crate::app) async fn agree_to_files(
        &self,
        actor: &Actor,
        read: Option<(&str, &str)>,
    ) -> Result<Vec<String>, Error> {
        if !self.two_person_access {
            return Ok(Vec::new());
        }
        let config = match load(None, &self.source, &self.store).await? {
            Ok(config) => config,
            Err(problems) => return Ok(problems),
        };
        let (kept, files) = (self.store.agreed_files().await?, config.files.deciding());
        if kept == files {
            return Ok(Vec::new());
        }
        let (digest, me) = (digest(&files), signatory(actor));
        if read.is_some_and(|(seen, _)| seen != digest) {
            return Err(Conflict::OtherFiles.into());
        }
        let before = agreed(kept, &self.source, &self.store).await?;
        let what = before.and_then(|before| eased(&before, &config));
        let first = match &what {
            None => None,
            Some(what) => Some(self.first_of_two((&digest, what), &me).await?),
        };
        let why = read.map(|(_, why)| why);
        let detail = json!({ "by": me.to_string(), "first": first, "what": what, "digest": digest, "why": why });
        self.store.agree_to_files(&files, &detail, self.clock.now()).await?;
        Ok(Vec::new())
    }

    /// The one who has read these files again before, and is another person; where there is none, they wait.
    async fn first_of_two(&self, (digest, what): (&str, &str), me: &Signatory) -> Result<String, Error> {
        let waiting = self.store.waiting_files().await?.filter(|waiting| waiting.digest == digest);
        match waiting {
            Some(waiting) if self.let_approve(&Signatory::parse(&waiting.author), me).is_ok() => {
                return Ok(waiting.author);
            }
            Some(_) => {}
            None => {
                let (digest, what, author) = (digest.to_owned(), what.to_owned(), me.to_string());
                let waiting = WaitingFiles { digest, what, author, at: self.clock.now() };
                self.store.keep_waiting_files(&waiting).await?;
            }
        }
        Err(Conflict::FilesNeedSecond { what: what.to_owned() }.into())
    }
}
