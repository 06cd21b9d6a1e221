//! The draft of a document, which all who look after the desk share: none of them overwrites one that they have not seen.

use crate::app::Error;
use crate::app::reference::configuration::{Document, DocumentDraft};
use crate::desk::change::condition::Condition;
use crate::web::frame::Frame;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::session::Visit;

/// A draft, as its page names it.
pub struct Kept {
    pub version: i64,
    pub who: String,
    pub when: When,
}

impl Kept {
    /// The draft with its author's name.
    pub fn of(f: &Frame, draft: &DocumentDraft) -> Kept {
        Kept { version: draft.version, who: f.name_of(&draft.author), when: f.times.ago(draft.saved_at) }
    }
}

/// The draft of a document, where there is one.
pub async fn read(visit: &Visit, document: Document) -> Result<Option<DocumentDraft>, Failure> {
    match visit.app.draft_of(&visit.actor, document).await {
        Ok(draft) => Ok(Some(draft)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// The condition that a form has seen the draft that is there, or that there is none.
pub fn seen(form: &Form) -> Condition {
    form.given("draft").filter(|version| version != "0").map_or_else(Condition::absent, Condition::version)
}

/// Forgets the draft that a form has seen; one that is gone already is forgotten.
pub async fn forget(visit: &Visit, document: Document, form: &Form) -> Result<(), Error> {
    match visit.app.drop_draft_of(&visit.actor, document, &seen(form)).await {
        Err(Error::Missing { .. }) => Ok(()),
        done => done,
    }
}
