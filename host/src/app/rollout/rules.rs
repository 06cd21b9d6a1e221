//! The rules as admins see them, and the reference tables that rules see.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::office::signatory;
use crate::app::{App, Error};
use crate::config;
use crate::desk::actor::Actor;
use crate::desk::organisation::Organisation;
use crate::desk::permission;
use crate::rules::contract::Attribute;
use crate::rules::live::catalog::View;
use crate::rules::live::rollout::Rollout;
use crate::rules::live::slots::Slot;
pub use crate::rules::live::slots::version_of;
pub use crate::rules::run::manifest::Mode;
pub use crate::rules::run::rule::Rule;
use crate::rules::tables::{Table, Tables};

/// The state of a folder, or of a rule that is in none.
pub struct RuleStatus {
    pub folder: String,
    /// Which of its versions plays which part.
    pub rollout: Option<Rollout>,
    /// The active version, if it is in memory.
    pub active: Option<Arc<Rule>>,
    pub candidate: Option<Arc<Rule>>,
    pub health: Vec<Figures>,
    pub live: Option<Arc<Rule>>,
    /// The state of the content of the folder now; nothing for a rule that is in none.
    pub content: Option<Content>,
    pub since_generation: u64,
    /// Why its present content is not live, and since when.
    pub error: Option<(String, Timestamp)>,
}

/// How long a folder that is new has been compiled before it is listed.
const COMPILING_SHOWN_AFTER: Duration = Duration::from_secs(2);

/// The state of the content of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// It is what plays a part, or played one.
    Taken,
    /// It is being compiled and tried, or waits for that.
    Compiling,
    Refused,
    /// The folder is not there, and its rules go on until that is believed.
    Missing,
    /// The folder is not there and its rules have ended; they are missed until it is believed that they were meant to.
    Gone,
}

/// How one version has done since this process began.
pub struct Figures {
    pub version: String,
    /// The part that it plays now, if any.
    pub now: Option<&'static str>,
    pub role: &'static str,
    pub calls: u64,
    pub failures: u64,
    pub mean_micros: u64,
    pub disagreements: u64,
    pub kinds: BTreeMap<String, u64>,
}

/// Where the configuration is read from when it is read again.
#[derive(Debug, Clone)]
pub struct Source {
    pub directory: std::path::PathBuf,
    pub outside: config::Outside,
}

impl App {
    /// The generation that is live, and the folders in the order in which their rules are asked.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub fn rules_status(&self, actor: &Actor) -> Result<(u64, Vec<RuleStatus>), Error> {
        permission::read_rules(actor)?;
        // One view for all of it: what is shown here is what is asked.
        let view = self.rules.catalog().view();
        let slots = &view.slots;
        let mut folders: Vec<RuleStatus> = Vec::new();
        for status in view.folders.values() {
            let folder = status.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let of_folder = slots.iter().find(|(_, slot)| slot.rollout.folder.as_deref() == Some(folder.as_str()));
            let mut found = self.status_of(of_folder);
            found.content = Some(content(&view, &status.folder, status.error.is_some()));
            found.folder = folder;
            found.live = status.live.clone().or(found.live);
            found.since_generation = status.since_generation;
            let of_folder = status.error.as_ref().map(|error| {
                (error.message.to_string(), Timestamp::try_from(error.at).unwrap_or(Timestamp::UNIX_EPOCH))
            });
            found.error = of_folder.or(found.error);
            folders.push(found);
        }
        // Most are ready before they are asked for.
        let slow = view.unread.iter().filter(|(_, unread)| unread.since.elapsed() >= COMPILING_SHOWN_AFTER);
        for (folder, _) in slow.filter(|(folder, _)| !view.folders.contains_key(*folder)) {
            let mut new = self.status_of(None);
            new.folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            new.content = Some(Content::Compiling);
            folders.push(new);
        }
        // One that is back already and is being read is listed above.
        let gone = view.gone().into_iter();
        let gone: Vec<_> = gone.filter(|gone| folders.iter().all(|status| status.folder != *gone)).collect();
        for folder in gone {
            let (content, none) = (Some(Content::Gone), self.status_of(None));
            folders.push(RuleStatus { folder, content, ..none });
        }
        let shown: Vec<String> = folders.iter().map(|status| status.folder.clone()).collect();
        let elsewhere = slots.iter().filter(|(_, slot)| {
            let is_live = slot.rollout.needed().next().is_some();
            is_live && slot.rollout.folder.as_ref().is_none_or(|folder| !shown.contains(folder))
        });
        folders.extend(elsewhere.map(|found| self.status_of(Some(found))));
        folders.sort_by_key(|status| {
            let manifest = status.live.as_ref().map(|rule| &rule.manifest);
            (manifest.map_or(i32::MAX, |m| m.order), manifest.map(|m| m.name.clone()))
        });
        Ok((view.generation.number, folders))
    }

    fn status_of(&self, found: Option<(&str, &Slot)>) -> RuleStatus {
        let slot = found.map(|(_, slot)| slot);
        let version = |version: Option<_>| slot.and_then(|slot| slot.rule(version?)).cloned();
        let active = version(slot.and_then(|slot| slot.rollout.active));
        let candidate =
            version(slot.and_then(|slot| slot.rollout.candidate.as_ref()).map(|candidate| candidate.version));
        // What is suspended with none in its place is shown by its name all the same.
        let suspended = version(slot.and_then(|slot| slot.rollout.suspended));
        let health = found.map(|(name, _)| self.health.of(name)).unwrap_or_default();
        RuleStatus {
            folder: String::new(),
            live: active.clone().or_else(|| candidate.clone()).or(suspended),
            rollout: slot.map(|slot| slot.rollout.clone()),
            active,
            candidate,
            content: None,
            health: health
                .into_iter()
                .map(|(version, role, figures)| Figures {
                    now: slot.and_then(|slot| slot.rollout.part_of(version)),
                    version: version.to_string(),
                    role: role.code(),
                    calls: figures.calls,
                    failures: figures.failures,
                    mean_micros: figures.micros.checked_div(figures.calls).unwrap_or_default(),
                    disagreements: figures.disagreements,
                    kinds: figures.kinds,
                })
                .collect(),
            since_generation: 0,
            error: slot.and_then(|slot| self.not_had(slot)),
        }
    }

    /// Why a version of a rule that should be in effect cannot be had.
    fn not_had(&self, slot: &Slot) -> Option<(String, Timestamp)> {
        let refused = self.following.refused();
        let why = slot.wanted().needed().find_map(|version| refused.get(&version).cloned());
        why.map(|refused| (refused.why, refused.at))
    }

    /// Looks at every rule's folder again and waits until that is done. What is not there is gone for good: a restart goes by that word,
    /// too.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read or written.
    pub async fn reload_rules(self: &Arc<Self>, actor: &Actor) -> Result<(), Error> {
        permission::administer(actor)?;
        let app = Arc::clone(self);
        tokio::task::spawn_blocking(move || app.rules.reload_and_believe()).await?;
        {
            // What has ended by it stands before the word that it was meant to.
            let _only_one = self.archiving.lock().await;
            if let Err(error) = Box::pin(self.settle()).await {
                // The rules are read again all the same; without the word, what has ended is missed again after a restart.
                tracing::error!(%error, "the rules were read again, and what came of it is not written down yet");
                return Ok(());
            }
        }
        // Of a directory that cannot be read, nothing was taken to be gone.
        if self.rules.catalog().directory().unreadable.is_some() {
            return Ok(());
        }
        Ok(self.store.note_reload(&signatory(actor).to_string(), self.clock.now()).await?)
    }

    /// Reads the configuration directory again; gives its problems, in which case nothing changes.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Table`] where it makes access easier to get, and waits for another administrator.
    pub async fn reload_configuration(self: &Arc<Self>, actor: &Actor) -> Result<Vec<String>, Error> {
        permission::administer(actor)?;
        let problems = self.agree_to_files(actor, None).await?;
        if problems.is_empty() { self.read_configuration().await } else { Ok(problems) }
    }
}

/// Whether a folder is taken as it is now.
fn content(view: &View, folder: &Path, is_refused: bool) -> Content {
    if view.directory.missing.iter().any(|(missing, _)| missing == folder) {
        Content::Missing
    } else if view.unread.contains_key(folder) {
        Content::Compiling
    } else if is_refused {
        Content::Refused
    } else {
        Content::Taken
    }
}

/// The reference tables: the admins' own, each with the digest of its content, and the desk's under `desk.`.
pub fn tables(organisation: &Organisation, own: &BTreeMap<String, (Arc<config::Table>, Arc<str>)>) -> Tables {
    let row = |pairs: Vec<(&str, String)>| {
        pairs.into_iter().map(|(name, value)| Attribute { name: name.to_owned(), value }).collect::<Vec<_>>()
    };
    let categories = organisation.categories.values().map(|category| {
        let team = category.team.as_ref().map(ToString::to_string).unwrap_or_default();
        (category.id.to_string(), row(vec![("name", category.name.clone()), ("team", team)]))
    });
    let teams = organisation.teams.values().map(|team| {
        let columns = vec![("name", team.name.clone()), ("tier", team.tier.to_string())];
        (team.id.to_string(), row(columns))
    });
    let members = organisation.teams.values().flat_map(|team| team.members.iter().map(move |member| (team, member)));
    let agents = members.map(|(team, member)| {
        let skills: Vec<&str> = member.skills.iter().map(|skill| skill.as_str()).collect();
        let available = member.available.to_string();
        let columns = vec![("team", team.id.to_string()), ("skills", skills.join(" ")), ("available", available)];
        (member.person.to_string(), row(columns))
    });
    let people = organisation.people.values().map(|person| {
        let columns = vec![
            ("name", person.name.clone()),
            ("department", person.department.clone()),
            ("title", person.title.clone()),
            ("location", person.location.clone()),
        ];
        (person.id.to_string(), row(columns))
    });
    let of_the_desk: [(String, Table); 4] = [
        ("desk.categories".to_owned(), categories.collect()),
        ("desk.teams".to_owned(), teams.collect()),
        ("desk.agents".to_owned(), agents.collect()),
        ("desk.people".to_owned(), people.collect()),
    ];
    let of_admins = own.iter().map(|(name, (table, digest))| {
        let rows = table.rows.iter().map(|(key, cells)| {
            let columns = table.named(cells).map(|(name, cell)| (name, cell.to_owned()));
            (key.clone(), row(columns.collect()))
        });
        (name.clone(), rows.collect::<Table>().with_digest(Arc::clone(digest)))
    });
    of_the_desk.into_iter().chain(of_admins).collect()
}
