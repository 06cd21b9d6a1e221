//! Documents of the configuration by API: checked beforehand, published with a reason, rolled back. A document comes from the
//! directory or by API, never from both: `[configuration] by-api` says which.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Conflict;
use super::agreed::{Settled, UNREADABLE, by_tables, hears_inside, settled};
pub use super::drafts::DocumentDraft;
use super::foreign::reached_for;
pub use super::touched::Touched;
use super::touched::come_and_go;
use crate::app::decide::judge::judge;
use crate::app::office::signatory;
use crate::app::rollout::rules::Source;
use crate::app::rollout::two_person::tables_of_access;
use crate::app::{App, Error, Office};
pub use crate::config::Document;
use crate::config::{self, Config};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::Problem;
use crate::desk::organisation::looser::looser;
use crate::desk::permission;
use crate::rules::digest::Digest;
use crate::rules::live::catalog::Generation;
use crate::store::people::configuration::NewVersion;
pub use crate::store::people::configuration::PublishedVersion;
use crate::store::{self, Store};

/// Differences that the audit keeps of one publication.
const AUDITED_MAX: usize = 50;

/// A document as it is live.
#[derive(Debug, Clone)]
pub struct LiveDocument {
    pub document: Document,
    /// Whether it is published by API.
    pub by_api: bool,
    /// Of the version that is live; `None` where the directory's file is.
    pub revision: Option<i64>,
    pub content: String,
}

/// The outcome of a look or of a publication.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// Of the version that was published; `None` after a look.
    pub revision: Option<i64>,
    pub touched: Vec<Touched>,
    /// Why it would not be published.
    pub problems: Vec<Problem>,
    /// The organisation as it would be; none where the document cannot be read.
    pub after: Option<Arc<Organisation>>,
    /// The first thing by which access would be easier to get, or by which another system hears of more that requesters do not see:
    /// where the desk asks for two people, two have to agree.
    pub looser: Option<String>,
}

/// The content that is to be published.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    Content(&'a str),
    /// That of an earlier version.
    Again(i64),
}

/// A configuration with the documents that are published.
///
/// # Errors
///
/// Where the store cannot be read; every problem of the configuration, as text.
pub async fn with_published(source: &Source, store: &Store) -> Result<Result<Config, Vec<String>>, Error> {
    let published = store.published_documents().await?;
    let texts = published.into_iter().map(|(document, (_, content))| (document, content)).collect();
    load(source, texts).await
}

async fn load(source: &Source, published: BTreeMap<String, String>) -> Result<Result<Config, Vec<String>>, Error> {
    let source = source.clone();
    let load = move || config::load_with(&source.directory, &source.outside, &published);
    let loaded = tokio::task::spawn_blocking(load).await?;
    Ok(loaded.map_err(|problems| problems.iter().map(ToString::to_string).collect()))
}

fn rejected(problems: Vec<Problem>) -> Error {
    Error::Rejected { problems }
}

fn invalid(problems: Vec<String>) -> Vec<Problem> {
    problems.into_iter().map(|message| Problem::new("content", "invalid", message)).collect()
}

impl Office {
    /// All documents as they are live.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] where the directory is not right.
    pub async fn documents(&self, actor: &Actor, source: &Source) -> Result<Vec<LiveDocument>, Error> {
        permission::administer(actor)?;
        let mut published = self.store.published_documents().await?;
        let config = load(source, BTreeMap::new()).await?.map_err(|problems| rejected(invalid(problems)))?;
        let one = |document: Document| {
            let by_api = config.by_api.contains(&document);
            let of_store = published.remove(document.code()).filter(|_| by_api);
            let (revision, content) = match of_store {
                Some((revision, content)) => (Some(revision), content),
                None => (None, config::text_of(&config.files, document)),
            };
            // Administrators read whole addresses of endpoints only where these are theirs to change; an operator has the files.
            let hides = document == Document::Webhooks && !by_api && !matches!(actor, Actor::Operator { .. });
            let content = if hides { config::without_paths(&content) } else { content };
            LiveDocument { document, by_api, revision, content }
        };
        Ok(Document::ALL.into_iter().map(one).collect())
    }

    /// The versions of a document, the latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn document_versions(&self, actor: &Actor, document: Document) -> Result<Vec<PublishedVersion>, Error> {
        permission::administer(actor)?;
        Ok(self.store.published_versions(document.code()).await?)
    }

    /// The content of a version.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`].
    pub async fn document_version(&self, actor: &Actor, document: Document, revision: i64) -> Result<String, Error> {
        permission::administer(actor)?;
        let found = self.store.published_content(document.code(), revision).await?;
        found.ok_or_else(|| Error::Missing { what: "version", name: revision.to_string() })
    }

    /// The configuration as it would be, and what that touches.
    async fn propose(
        &self,
        (document, content): (Document, &str),
        source: &Source,
        generation: Option<&Generation>,
    ) -> Result<(i64, Proposed), Error> {
        // The revision first: a publication that comes meanwhile makes this one stale.
        let revision = self.store.configuration_revision().await?;
        let published = self.store.published_documents().await?;
        let mut texts: BTreeMap<String, String> =
            published.into_iter().map(|(document, (_, content))| (document, content)).collect();
        let live = texts.clone();
        texts.insert(document.code().to_owned(), content.to_owned());
        let (before, after) = match (load(source, live.clone()).await?, load(source, texts.clone()).await?) {
            (Ok(before), Ok(after)) => (before, after),
            (_, Err(problems)) | (Err(problems), _) => {
                let (touched, problems) = (Vec::new(), invalid(problems));
                return Ok((revision, Proposed { revision: None, touched, problems, after: None, looser: None }));
            }
        };
        if !before.by_api.contains(&document) {
            return Err(Conflict::NotByApi { document: document.code(), file: document.file() }.into());
        }
        let touched = self.touched(&before, &after, generation).await?;
        let mut problems: Vec<Problem> = touched.iter().filter_map(Touched::orphans).collect();
        if matches!(document, Document::Apps | Document::Webhooks) {
            let own = load(source, BTreeMap::new()).await?.ok();
            problems.extend(reached_for(document, source, &[Some(&before), own.as_ref()], &after));
        }
        problems.extend(self.spoils_agreed_files(source, (live, texts)).await?);
        let tables = tables_of_access(&self.store, &before.organisation).await?;
        let looser = looser(&before.organisation, &after.organisation).or_else(|| by_tables(&before, &after, &tables));
        let looser = looser.or_else(|| hears_inside(&before, &after));
        Ok((
            revision,
            Proposed { revision: None, touched, problems, after: Some(Arc::new(after.organisation)), looser },
        ))
    }

    /// Publishes a document: from then on it is live on every host, and kept with the actor and the reason. Nothing is published
    /// that is not right, or that would leave open tickets with what is gone; and nothing on one person's word that makes access
    /// easier to get, or has internal events sent to another system, where the desk asks for two. Endpoints of webhooks that are new
    /// by it hear of what happens from then on; those that go end with what waits for them and with their secrets.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`]; [`Error::Table`] for a document that is the directory's; [`Error::NeedsMatch`],
    /// [`Error::Stale`].
    pub async fn publish_document(
        &self,
        actor: &Actor,
        (document, wanted, why): (Document, Wanted<'_>, &str),
        condition: &Condition,
        (source, generation): (&Source, Option<&Generation>),
    ) -> Result<Proposed, Error> {
        permission::administer(actor)?;
        super::change::check_why(why)?;
        let live = self.store.published_versions(document.code()).await?.first().map(|version| version.revision);
        let live = live.unwrap_or(0);
        if condition.matches.is_none() {
            return Err(Error::NeedsMatch { what: "document" });
        }
        if !condition.holds_for(Some(&live.to_string())) {
            return Err(Error::Stale { version: live });
        }
        let (content, again) = match wanted {
            Wanted::Content(content) => (content.to_owned(), None),
            Wanted::Again(revision) => (self.document_version(actor, document, revision).await?, Some(revision)),
        };
        let (seen, proposed) = self.propose((document, &content), source, generation).await?;
        if !proposed.problems.is_empty() {
            return Err(rejected(proposed.problems));
        }
        let drafted_by = self.second_person(actor, (document, &content), proposed.looser.clone()).await?;
        let digest = Digest::of(content.as_bytes()).to_string();
        let author = signatory(actor).to_string();
        let (document, content) = (document.code(), content.as_str());
        let shown = proposed.touched.iter().take(AUDITED_MAX);
        let shown = shown.map(|t| json!([t.difference.noun.code(), t.difference.id, t.difference.way.code()]));
        let differences: Value = shown.collect();
        let (digest, author, drafted_by) = (digest.as_str(), author.as_str(), drafted_by.as_deref());
        let (differences, endpoints) = (&differences, &come_and_go(&proposed.touched));
        let new = NewVersion { document, content, digest, author, drafted_by, why, again, differences, endpoints };
        let revision = match self.store.publish_document(&new, seen, self.clock.now()).await {
            Err(store::Error::Conflict) => {
                return Err(Error::Stale { version: self.store.configuration_revision().await? });
            }
            published => published?,
        };
        Ok(Proposed { revision: Some(revision), ..proposed })
    }

    /// Looks at what a document would do, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Table`] for a document that is the directory's.
    pub async fn check_document(
        &self,
        actor: &Actor,
        (document, content): (Document, &str),
        (source, generation): (&Source, Option<&Generation>),
    ) -> Result<Proposed, Error> {
        permission::administer(actor)?;
        Ok(self.propose((document, content), source, generation).await?.1)
    }
}

impl App {
    /// As [`Office::documents`].
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn live_documents(&self, actor: &Actor) -> Result<Vec<LiveDocument>, Error> {
        self.documents(actor, &self.source).await
    }

    /// As [`Office::keep_draft_of`].
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn keep_document_draft(
        &self,
        actor: &Actor,
        (document, content): (Document, &str),
        condition: &Condition,
    ) -> Result<DocumentDraft, Error> {
        let live = self.documents(actor, &self.source).await?;
        let by_api = live.iter().any(|live| live.document == document && live.by_api);
        self.keep_draft_of(actor, (document, content), condition, by_api).await
    }

    /// As [`Office::check_document`], with the rules that name what changes.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn look_at_document(&self, actor: &Actor, document: Document, content: &str) -> Result<Proposed, Error> {
        let generation = self.rules.generation();
        self.check_document(actor, (document, content), (&self.source, Some(&*generation))).await
    }

    /// As [`Office::publish_document`]; when it is done, this host goes by it, and the others do within a second.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn publish(
        self: &Arc<Self>,
        actor: &Actor,
        document: (Document, Wanted<'_>, &str),
        condition: &Condition,
    ) -> Result<Proposed, Error> {
        let generation = self.rules.generation();
        let proposed = self.publish_document(actor, document, condition, (&self.source, Some(&*generation))).await?;
        self.catch_up_configuration().await?;
        Ok(proposed)
    }

    /// Reads the configuration, with what was published of it; gives its problems, in which case nothing changes.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(in crate::app) async fn read_configuration(self: &Arc<Self>) -> Result<Vec<String>, Error> {
        // One at a time: two at once could each put a part of what they read into effect.
        let _only_one = self.changing_tables.lock().await;
        let config = match with_published(&self.source, &self.store).await? {
            Ok(config) if !self.two_person_access => config,
            Ok(config) => match settled(config, &self.source, &self.store).await? {
                Settled::Agreed(config) => *config,
                Settled::NotCompared(_) => return Ok(vec![UNREADABLE.to_owned()]),
            },
            Err(problems) => return Ok(problems),
        };
        let (before, webhooks) = (self.configured(), config.outgoing.webhooks);
        self.set_organisation(config.organisation);
        self.set_templates(config.templates);
        match self.take_tables(&config.tables).await {
            Ok(()) => {
                self.set_webhooks(webhooks);
                self.tell_access_forms();
                self.follow_people().await?;
                self.follow_what_was_read().await?;
                self.rules.set_judge(judge(self.organisation()));
                Ok(Vec::new())
            }
            Err(Error::Table(conflict)) => {
                self.set_organisation(before);
                Ok(vec![conflict.to_string()])
            }
            Err(error) => {
                self.set_organisation(before);
                Err(error)
            }
        }
    }

    /// Takes over documents that were published since, if there are any.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read. Mistakes in a document are logged, and everything stays as it is.
    pub async fn catch_up_configuration(self: &Arc<Self>) -> Result<(), Error> {
        use std::sync::atomic::Ordering;
        let revision = self.store.configuration_revision().await?;
        if self.configuration.load(Ordering::Acquire) == revision {
            return Ok(());
        }
        let problems = self.read_configuration().await?;
        if !problems.is_empty() {
            tracing::error!(
                ?problems,
                "the configuration that was published does not fit this host's directory: it stays as it was"
            );
        }
        self.configuration.store(revision, Ordering::Release);
        Ok(())
    }
}
