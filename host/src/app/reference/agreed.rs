//! The files of the configuration directory on a desk that asks for two people. Files that make access easier to get take effect when
//! a second administrator has read them again. Until then, also after a restart, the files are in force to which two people agreed
//! last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::Conflict;
use crate::app::decide::judge::judge;
use crate::app::error::Broken;
use crate::app::office::signatory;
use crate::app::rollout::rules::Source;
use crate::app::rollout::two_person::tables_of_access;
use crate::app::{App, Error, Office};
use crate::config::{self, Config, Outgoing, Table, Webhook};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::Skill;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::organisation::identity::EVERYONE;
use crate::desk::organisation::looser::looser;
use crate::rules::digest::Digest;
use crate::rules::live::rollout::Signatory;
use crate::store::Store;
use crate::store::people::agreed::WaitingFiles;

/// Why the files are not read: what cannot be compared, one person alone could have made easier.
pub(super) const UNREADABLE: &str = "it cannot be compared: the files to which two people have agreed last do not fit the documents \
     that are published now; two administrators have to read those of the directory again";

/// The files to which two people have agreed last.
pub(super) enum Agreed {
    /// They have not agreed to any yet.
    NotYet,
    To(Box<Config>),
    /// With this program, or with the documents that are published now, they are no longer a valid configuration.
    Unreadable,
}

impl Agreed {
    /// The first way in which `after` makes access easier to get than these files, in a few words. Files that cannot be compared
    /// count as easier.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(super) async fn eased(&self, after: &Config, store: &Store) -> Result<Option<String>, Error> {
        let before = match self {
            Agreed::NotYet => return Ok(None),
            Agreed::Unreadable => return Ok(Some(UNREADABLE.to_owned())),
            Agreed::To(before) => before,
        };
        let tables = tables_of_access(store, &before.organisation).await?;
        let found = looser(&before.organisation, &after.organisation).or_else(|| signs_in(before, after));
        Ok(found.or_else(|| by_tables(before, after, &tables)))
    }
}

/// A configuration that was compared with the files to which two people have agreed last.
pub enum Settled {
    /// Nothing in it makes access easier to get than they have agreed to: where the directory does, their files stand in its place.
    Agreed(Box<Config>),
    /// It is that of the directory as it lies there: their files cannot be read, so it could not be compared.
    NotCompared(Box<Config>),
}

/// A configuration as far as two people have agreed to it, on a desk that asks for two.
///
/// # Errors
///
/// Where the store cannot be read.
pub async fn settled(config: Config, source: &Source, store: &Store) -> Result<Settled, Error> {
    let kept = store.agreed_files().await?;
    let agreed = agreed(kept, source, store).await?;
    let what = agreed.eased(&config, store).await?;
    Ok(match (agreed, what) {
        (Agreed::Unreadable, _) => Settled::NotCompared(Box::new(config)),
        (Agreed::To(agreed), Some(what)) => {
            warn(&what);
            let Config { organisation, outgoing, tables, .. } = *agreed;
            let tables = without_moved(tables, &config.tables, store).await?;
            let outgoing = Outgoing { sign_in: outgoing.sign_in, ..config.outgoing };
            Settled::Agreed(Box::new(Config { organisation, outgoing, tables, ..config }))
        }
        _ => Settled::Agreed(Box::new(config)),
    })
}

/// Tables to which two people have agreed, without those that are the store's by now: there each change is guarded by itself, and a name
/// that belonged to both would keep the desk from its start.
async fn without_moved(
    mut agreed: BTreeMap<String, Table>,
    directory: &BTreeMap<String, Table>,
    store: &Store,
) -> Result<BTreeMap<String, Table>, Error> {
    for (name, ..) in store.live_digests().await? {
        if !directory.contains_key(&name) {
            agreed.remove(&name);
        }
    }
    Ok(agreed)
}

fn warn(what: &str) {
    tracing::warn!(
        what,
        "the configuration directory makes access easier to get than two people have agreed to: until two administrators have \
         read it again, the files of before are in force"
    );
}

/// The configuration to which two people have agreed last.
pub(super) async fn agreed(kept: BTreeMap<String, String>, source: &Source, store: &Store) -> Result<Agreed, Error> {
    if kept.is_empty() {
        return Ok(Agreed::NotYet);
    }
    match load(Some(kept), source, store).await? {
        Ok(config) => Ok(Agreed::To(Box::new(config))),
        Err(problems) => {
            tracing::error!(
                ?problems,
                "the files cannot be read any more to which two people have agreed: two administrators have to read those of the \
                 directory again; a desk that starts goes by the directory, and one that runs stays as it is"
            );
            Ok(Agreed::Unreadable)
        }
    }
}

/// The configuration of the directory, or of the files that were kept of it, with the documents that are published.
pub(super) async fn load(
    kept: Option<BTreeMap<String, String>>,
    source: &Source,
    store: &Store,
) -> Result<Result<Config, Vec<String>>, Error> {
    let published = store.published_documents().await?;
    let published = published.into_iter().map(|(document, (_, content))| (document, content)).collect();
    load_over(kept, source, published).await
}

/// The same with these documents.
async fn load_over(
    kept: Option<BTreeMap<String, String>>,
    source: &Source,
    published: BTreeMap<String, String>,
) -> Result<Result<Config, Vec<String>>, Error> {
    let source = source.clone();
    let read = move || match kept {
        Some(kept) => config::load_as(&source.directory, &source.outside, kept, &published),
        None => config::load_with(&source.directory, &source.outside, &published),
    };
    let loaded = tokio::task::spawn_blocking(read).await?;
    Ok(loaded.map_err(|problems| problems.iter().map(ToString::to_string).collect()))
}

/// The first of these tables that differs, in a few words. Names that begin with `desk.` are tables that the desk makes itself.
pub(super) fn by_tables(before: &Config, after: &Config, tables: &BTreeSet<String>) -> Option<String> {
    let (was, now) = (&before.organisation, &after.organisation);
    let differs = |table: &&String| match table.as_str() {
        "desk.categories" => was.categories != now.categories,
        "desk.teams" => teams(was) != teams(now),
        "desk.agents" => agents(was) != agents(now),
        "desk.people" => names(was) != names(now),
        _ => before.tables.get(*table) != after.tables.get(*table),
    };
    let found = tables.iter().find(differs)?;
    Some(format!("the table `{found}` changes, in which a rule that decides about access looks things up"))
}

/// The first endpoint of a webhook that hears of more that requesters do not see than before, or hears of it at another address, in a
/// few words. It goes on to hear of it when the one who had it sent there is gone, so that on a desk that asks for two people a second
/// one has to agree.
pub(super) fn hears_inside(before: &Config, after: &Config) -> Option<String> {
    let was = |now: &Webhook| before.outgoing.webhooks.iter().find(|was| was.id == now.id && was.internal);
    let more = |now: &&Webhook| now.internal && was(now).is_none_or(|was| was.url != now.url || hears_more(was, now));
    let found = after.outgoing.webhooks.iter().find(more)?;
    Some(format!("the webhook `{}` hears of what requesters do not see", found.id))
}

fn hears_more(was: &Webhook, now: &Webhook) -> bool {
    let heard = |event: &String| {
        let covers = |had: &String| had == event || had.strip_suffix('*').is_some_and(|head| event.starts_with(head));
        was.events.iter().any(covers)
    };
    !was.events.is_empty() && (now.events.is_empty() || !now.events.iter().all(heard))
}

fn teams(organisation: &Organisation) -> Vec<(&str, &str, u8)> {
    organisation.teams.values().map(|team| (team.id.as_str(), team.name.as_str(), team.tier)).collect()
}

fn agents(organisation: &Organisation) -> Vec<(&str, &str, &BTreeSet<Skill>, bool)> {
    let mut agents = Vec::new();
    for team in organisation.teams.values() {
        let id = team.id.as_str();
        agents.extend(team.members.iter().map(|one| (id, one.person.as_str(), &one.skills, one.available)));
    }
    agents
}

/// The part of people that the table `desk.people` has; [`looser`] compares the rest.
fn names(organisation: &Organisation) -> Vec<(&str, &str)> {
    organisation.people.values().map(|person| (person.id.as_str(), person.name.as_str())).collect()
}

/// The first way in which the identity provider lets more people in, or gives a role to more of their groups.
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

impl Office {
    /// Why documents cannot be published in the place of those that are live: with them, the files to which two people have agreed last
    /// would be no configuration any more, and the next start would go by files to which they have not.
    pub(super) async fn spoils_agreed_files(
        &self,
        source: &Source,
        (live, new): (BTreeMap<String, String>, BTreeMap<String, String>),
    ) -> Result<Option<Problem>, Error> {
        let kept = if self.two_person_access { self.store.agreed_files().await? } else { BTreeMap::new() };
        if kept.is_empty() {
            return Ok(None);
        }
        let Err(problems) = load_over(Some(kept.clone()), source, new).await? else { return Ok(None) };
        // Those that are none already wait for two people as they are.
        if load_over(Some(kept), source, live).await?.is_err() {
            return Ok(None);
        }
        let first = problems.into_iter().next().unwrap_or_default();
        Ok(Some(Problem::of("content", "invalid", Fault::SpoilsAgreed, &[&first])))
    }
}

impl App {
    /// At the start of a desk that asks for two people: takes the agreed files where those of the directory make access easier to
    /// get. Where none are agreed to yet, the files of the directory are kept as the first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written; where the directory cannot be read any more, since it was read a moment ago and is in
    /// force: nothing would compare that with the agreed files.
    pub(in crate::app) async fn begin_with_agreed_files(self: &Arc<Self>) -> Result<(), Error> {
        let mut read = load(None, &self.source, &self.store).await?;
        if read.is_err() {
            // Documents that are published and do not fit the directory any more are not in force.
            read = load_over(None, &self.source, BTreeMap::new()).await?;
        }
        let config = match read {
            Ok(config) => config,
            Err(problems) => return Err(Broken::Directory { problems }.into()),
        };
        let kept = self.store.agreed_files().await?;
        if kept.is_empty() {
            return self.begin_with(&config.files.deciding()).await;
        }
        // Earlier versions kept no tables: those that are there now are kept with the rest, this once.
        if !self.store.agreed_with_tables().await? {
            let is_table = |path: &String| config::is_table_file(path);
            let mut tables = config.files.deciding();
            tables.retain(|path, _| is_table(path) && !kept.keys().any(is_table));
            self.begin_with(&kept.clone().into_iter().chain(tables).collect()).await?;
        }
        let agreed = agreed(kept, &self.source, &self.store).await?;
        let what = agreed.eased(&config, &self.store).await?;
        if let (Agreed::To(before), Some(what)) = (agreed, what) {
            warn(&what);
            let Config { organisation, tables, .. } = *before;
            let tables = without_moved(tables, &config.tables, &self.store).await?;
            self.set_organisation(organisation);
            self.tell_access_forms();
            self.begin_with_tables(&tables).await?;
            self.rules.set_judge(judge(self.organisation()));
        }
        Ok(())
    }

    /// Keeps files as agreed to which were in force before two people were asked.
    async fn begin_with(&self, files: &BTreeMap<String, String>) -> Result<(), Error> {
        let detail = json!({ "by": Signatory::Desk.to_string(), "digest": digest(files) });
        Ok(self.store.agree_to_files(files, &detail, self.clock.now()).await?)
    }

    /// Takes an administrator's agreement to the files of the directory, on a desk that asks for two people; gives the problems of the
    /// files. An agreement from the page comes with the digest of the files that were shown there, and with a reason.
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
        let what = agreed(kept, &self.source, &self.store).await?.eased(&config, &self.store).await?;
        let first = match &what {
            None => None,
            Some(what) => Some(self.first_of_two((&digest, what), &me).await?),
        };
        let why = read.map(|(_, why)| why);
        let detail = json!({ "by": me.to_string(), "first": first, "what": what, "digest": digest, "why": why });
        self.store.agree_to_files(&files, &detail, self.clock.now()).await?;
        Ok(Vec::new())
    }

    /// The other person, who agreed to these files before. Without one, the files wait for a second.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_hears_more_by_other_events_and_not_by_fewer() {
        let hears = |events: &[&str]| Webhook {
            id: "cmdb".parse().unwrap(),
            url: "https://cmdb.example.com/".to_owned(),
            secret_file: None,
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            internal: true,
        };
        let more = |was: &[&str], now: &[&str]| hears_more(&hears(was), &hears(now));
        assert!(more(&["ticket.created"], &["ticket.commented"]) && more(&["ticket.created"], &["ticket.*"]));
        assert!(more(&["ticket.*"], &[]) && more(&["ticket.*"], &["access.decided"]) && more(&["ticket.*"], &["*"]));
        assert!(!more(&["ticket.*"], &["ticket.commented"]) && !more(&["*"], &["access.decided", "ticket.*"]));
        assert!(!more(&[], &["ticket.*"]) && !more(&[], &[]) && !more(&["ticket.created"], &["ticket.created"]));
    }
}
