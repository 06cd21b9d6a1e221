//! Drafts of documents: kept between one sitting and the next, and shared by administrators, none of whom overwrites what they have not
//! seen. A draft that is published is gone.

use super::Conflict;
use crate::app::office::signatory;
use crate::app::{Error, Office};
use crate::config::Document;
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::text::normal;
use crate::rules::live::rollout::Signatory;
use crate::store;
pub use crate::store::people::configuration::DocumentDraft;

/// The largest draft, in bytes.
pub const DRAFT_BYTES_MAX: usize = 8 << 20;

impl Office {
    /// The draft of a document.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where there is none.
    pub async fn draft_of(&self, actor: &Actor, document: Document) -> Result<DocumentDraft, Error> {
        permission::administer(actor)?;
        self.store.draft_of_document(document.code()).await?.ok_or_else(|| missing(document))
    }

    /// Keeps a draft, which need not be right, in the place of the one that the actor has seen.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Table`] for a document that is the directory's; [`Error::NeedsMatch`], [`Error::Stale`];
    /// [`Error::Rejected`] where it is too large.
    pub async fn keep_draft_of(
        &self,
        actor: &Actor,
        (document, content): (Document, &str),
        condition: &Condition,
        by_api: bool,
    ) -> Result<DocumentDraft, Error> {
        permission::administer(actor)?;
        if !by_api {
            return Err(Conflict::NotByApi { document: document.code(), file: document.file() }.into());
        }
        if content.len() > DRAFT_BYTES_MAX {
            let problem = Problem::of("content", "too-large", Fault::ManyBytes, &[&DRAFT_BYTES_MAX]);
            return Err(problem.into());
        }
        let version = self.seen_draft(document, condition).await?;
        let draft = self.drafted(actor, (document, content), version).await?;
        let kept = self.store.keep_draft_of_document(document.code(), &draft).await;
        kept.map_err(|error| stale(error, version))?;
        Ok(DocumentDraft { version: version + 1, ..draft })
    }

    /// The draft that a content makes. What is kept again as it is stays the draft of the one who has written it.
    async fn drafted(
        &self,
        actor: &Actor,
        (document, content): (Document, &str),
        version: i64,
    ) -> Result<DocumentDraft, Error> {
        let content = normal(content).into_owned();
        let same = self.store.draft_of_document(document.code()).await?.filter(|draft| draft.content == content);
        let author = same.map_or_else(|| signatory(actor).to_string(), |draft| draft.author);
        Ok(DocumentDraft { version, content, author, saved_at: self.clock.now() })
    }

    /// Whether two people have to agree to what makes access easier to get, or has more sent to another system.
    pub fn asks_for_two(&self) -> bool {
        self.two_person_access
    }

    /// Refuses what would make access easier to get on one person's word, where the desk asks for two: the one whose draft it is
    /// and the one who publishes it. Gives the first of the two. Where there is no draft, what is refused becomes one.
    ///
    /// # Errors
    ///
    /// [`Error::Table`].
    pub(super) async fn second_person(
        &self,
        actor: &Actor,
        (document, content): (Document, &str),
        looser: Option<String>,
    ) -> Result<Option<String>, Error> {
        let Some(what) = looser.filter(|_| self.two_person_access) else { return Ok(None) };
        let there = self.store.draft_of_document(document.code()).await?;
        if there.is_none() && content.len() <= DRAFT_BYTES_MAX {
            let draft = self.drafted(actor, (document, content), 0).await?;
            let kept = self.store.keep_draft_of_document(document.code(), &draft).await;
            kept.map_err(|error| stale(error, 0))?;
            return Err(Conflict::OwnDraft { what }.into());
        }
        match there.filter(|draft| draft.content == *normal(content)) {
            None => Err(Conflict::NeedsSecond { document: document.code(), what }.into()),
            Some(draft) => match self.let_approve(&Signatory::parse(&draft.author), &signatory(actor)) {
                Ok(()) => Ok(Some(draft.author)),
                Err(_) => Err(Conflict::OwnDraft { what }.into()),
            },
        }
    }

    /// Forgets a draft that the actor has seen.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::NeedsMatch`], [`Error::Stale`].
    pub async fn drop_draft_of(&self, actor: &Actor, document: Document, condition: &Condition) -> Result<(), Error> {
        permission::administer(actor)?;
        let version = self.seen_draft(document, condition).await?;
        if version == 0 {
            return Err(missing(document));
        }
        self.store.drop_draft_of_document(document.code(), version).await.map_err(|error| stale(error, version))
    }

    /// The version of the draft that is there, 0 for none, where the condition holds for it.
    async fn seen_draft(&self, document: Document, condition: &Condition) -> Result<i64, Error> {
        if condition.matches.is_none() && condition.none_matches.is_none() {
            return Err(Error::NeedsMatch { what: "draft" });
        }
        let version = self.store.draft_of_document(document.code()).await?.map(|draft| draft.version);
        if !condition.holds_for(version.map(|version| version.to_string()).as_deref()) {
            return Err(Error::Stale { version: version.unwrap_or(0) });
        }
        Ok(version.unwrap_or(0))
    }
}

fn stale(error: store::Error, version: i64) -> Error {
    match error {
        store::Error::Conflict => Error::Stale { version },
        other => other.into(),
    }
}

fn missing(document: Document) -> Error {
    Error::Missing { what: "draft of the document", name: document.code().to_owned() }
}
