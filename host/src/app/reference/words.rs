//! The words of one message: a template in the document of all of them, which is kept as a draft and published while the others stay as
//! they are written.

use std::sync::Arc;

use super::configuration::{Document, DocumentDraft, LiveDocument, Proposed, PublishedVersion, Wanted};
use crate::app::{App, Error};
use crate::config::{template_words_in, with_template_words};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::change::message::MessageKind;
use crate::desk::organisation::form::{Fault, Problem};
pub use crate::messages::reasons::{Named, in_words};
pub use crate::messages::shipped_text;
pub use crate::messages::words::{day, exact, short_day};

/// The latest versions of the document that are looked at for those that changed a message.
const VERSIONS_MAX: usize = 20;
/// Messages that wait are counted up to this.
pub const WAITING_MAX: i64 = 1_000;

/// The words of one message as they are live, and as a draft has them.
#[derive(Debug, Clone)]
pub struct LiveWords {
    /// The document of all words.
    pub document: LiveDocument,
    /// The desk's own; `None` where the program's hold.
    pub own: Option<String>,
    pub draft: Option<DocumentDraft>,
    /// The draft's; `None` where it leaves them to the program, or cannot be read.
    pub drafted: Option<String>,
    /// Messages of this kind that have not left.
    pub waiting: i64,
}

impl LiveWords {
    /// Whether a draft has other words for this message than are live.
    pub fn is_drafted(&self) -> bool {
        self.draft.is_some() && self.drafted != self.own
    }
}

/// A template by its language and name, such as `en/closed.txt`, and the words that it gets; none for the program's.
pub type NewWords<'a> = (&'a str, Option<&'a str>);

fn changed(document: &str, (key, text): NewWords<'_>) -> Result<String, Error> {
    with_template_words(document, key, text).ok_or_else(|| Error::Rejected {
        problems: vec![Problem::of("content", "invalid", Fault::UnreadableDraft, &[])],
    })
}

impl App {
    async fn templates(&self, actor: &Actor) -> Result<LiveDocument, Error> {
        let all = self.live_documents(actor).await?;
        let missing = || Error::Missing { what: "document", name: Document::Templates.code().to_owned() };
        all.into_iter().find(|live| live.document == Document::Templates).ok_or_else(missing)
    }

    /// The words of one message, by the language and name of its template.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for all who do not administer the desk.
    pub async fn live_words(&self, actor: &Actor, key: &str, kind: Option<MessageKind>) -> Result<LiveWords, Error> {
        let document = self.templates(actor).await?;
        let draft = match self.draft_of(actor, Document::Templates).await {
            Err(Error::Missing { .. }) => None,
            found => Some(found?),
        };
        let waiting = match kind {
            Some(kind) => self.store.waiting_of_kind(kind.code(), WAITING_MAX).await?,
            None => 0,
        };
        let own = template_words_in(&document.content, key);
        let drafted = draft.as_ref().and_then(|draft| template_words_in(&draft.content, key));
        Ok(LiveWords { document, own, draft, drafted, waiting })
    }

    /// The words that a version has for a message; `None` where it leaves them to the program.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`].
    pub async fn words_of_version(&self, actor: &Actor, key: &str, revision: i64) -> Result<Option<String>, Error> {
        let content = self.document_version(actor, Document::Templates, revision).await?;
        Ok(template_words_in(&content, key))
    }

    /// Those of the latest versions that changed the words of a message, the latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn versions_of_words(&self, actor: &Actor, key: &str) -> Result<Vec<PublishedVersion>, Error> {
        let mut versions = self.document_versions(actor, Document::Templates).await?;
        versions.truncate(VERSIONS_MAX);
        let (mut found, mut before) = (Vec::new(), None);
        for version in versions.into_iter().rev() {
            let words = self.words_of_version(actor, key, version.revision).await?;
            if words != before {
                found.push(version);
            }
            before = words;
        }
        found.reverse();
        Ok(found)
    }

    /// Keeps other words for a message in the draft of all words, which begins with those that are live.
    ///
    /// # Errors
    ///
    /// As [`App::keep_document_draft`]; [`Error::Rejected`] where the draft cannot be read.
    pub async fn keep_words(
        &self,
        actor: &Actor,
        words: NewWords<'_>,
        condition: &Condition,
    ) -> Result<DocumentDraft, Error> {
        let before = match self.draft_of(actor, Document::Templates).await {
            Ok(draft) => draft.content,
            Err(Error::Missing { .. }) => self.templates(actor).await?.content,
            Err(other) => return Err(other),
        };
        self.keep_document_draft(actor, (Document::Templates, &changed(&before, words)?), condition).await
    }

    /// Publishes other words for a message; the words of all others stay as they are live.
    ///
    /// # Errors
    ///
    /// As [`App::publish`].
    pub async fn publish_words(
        self: &Arc<Self>,
        actor: &Actor,
        (words, why): (NewWords<'_>, &str),
        condition: &Condition,
    ) -> Result<Proposed, Error> {
        let content = changed(&self.templates(actor).await?.content, words)?;
        self.publish(actor, (Document::Templates, Wanted::Content(&content), why), condition).await
    }

    /// Takes what a draft has of a message's words back to those that are live; a draft that has nothing else then is forgotten.
    ///
    /// # Errors
    ///
    /// As [`App::keep_words`].
    pub async fn forget_words(&self, actor: &Actor, key: &str, condition: &Condition) -> Result<(), Error> {
        let LiveWords { document, own, draft, .. } = self.live_words(actor, key, None).await?;
        let Some(draft) = draft else { return Ok(()) };
        let content = changed(&draft.content, (key, own.as_deref()))?;
        if content.trim_end() == document.content.trim_end() {
            return self.drop_draft_of(actor, Document::Templates, condition).await;
        }
        self.keep_document_draft(actor, (Document::Templates, &content), condition).await.map(drop)
    }
}
