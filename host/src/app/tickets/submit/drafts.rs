//! Drafts: submissions that their authors go on with later, also where the desk has refused them.

use std::sync::Arc;

use super::{CreatedTicket, change};
use crate::app::{App, Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{DraftId, PersonId};
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::desk::permission::Act;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::intake::Submission;
use crate::store;
pub use crate::store::people::drafts::StoredDraft;

/// The most drafts of one person.
pub const DRAFTS_MAX: usize = 50;
/// The largest draft, in bytes.
const DRAFT_BYTES_MAX: usize = 512 << 10;

impl Office {
    /// One's own drafts, the latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for those who create no tickets of their own.
    pub async fn drafts(&self, actor: &Actor) -> Result<Vec<StoredDraft>, Error> {
        let person = self.author(actor)?;
        Ok(self.store.drafts(person, i64::try_from(DRAFTS_MAX).unwrap_or(i64::MAX)).await?)
    }

    /// Notes a draft whose content cannot be read, and which a list goes on without.
    pub fn leave_out_draft(&self, id: DraftId) {
        let (table, column) = ("drafts", "content");
        self.store.leave_out(table, &id.0, &store::Error::Corrupt { table, column, found: "no submission".to_owned() });
    }

    /// One of one's own drafts.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn draft(&self, actor: &Actor, id: DraftId) -> Result<StoredDraft, Error> {
        let person = self.author(actor)?;
        self.store.draft(person, id).await?.ok_or_else(|| missing(id))
    }

    /// Keeps a draft, in the place of what was kept under its id.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] where it is too large, or there are too many.
    pub async fn keep_draft(&self, actor: &Actor, id: DraftId, content: String) -> Result<StoredDraft, Error> {
        let draft = StoredDraft { id, content, problems: Vec::new(), saved_at: self.clock.now() };
        self.keep_within_bounds(actor, &draft).await?;
        Ok(draft)
    }

    async fn keep_within_bounds(&self, actor: &Actor, draft: &StoredDraft) -> Result<(), Error> {
        let person = self.author(actor)?;
        let problem = |message: String| Error::Rejected { problems: vec![Problem::new("draft", "too-much", message)] };
        if draft.content.len() > DRAFT_BYTES_MAX {
            return Err(problem(format!("has more than {DRAFT_BYTES_MAX} bytes")));
        }
        let all = self.drafts(actor).await?;
        if all.len() >= DRAFTS_MAX && !all.iter().any(|known| known.id == draft.id) {
            return Err(problem(format!("is one of more than {DRAFTS_MAX}: send or remove another first")));
        }
        Ok(self.store.keep_draft(person, draft).await?)
    }

    /// Forgets a draft.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn forget_draft(&self, actor: &Actor, id: DraftId) -> Result<(), Error> {
        let person = self.author(actor)?;
        if self.store.forget_draft(person, id).await? { Ok(()) } else { Err(missing(id)) }
    }

    /// The person whose drafts an actor's are.
    fn author<'a>(&self, actor: &'a Actor) -> Result<&'a PersonId, Error> {
        permission::create(&self.organisation(), actor, None)?;
        Ok(actor.person().ok_or(Refusal::Forbidden { act: Act::CreateForSelf })?)
    }
}

impl App {
    /// The ticket that was made of a draft before, if one was.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn made_of_draft(&self, actor: &Actor, id: DraftId) -> Result<Option<CreatedTicket>, Error> {
        let Some(claim) = change::idempotency(actor, Some(key(id))) else { return Ok(None) };
        match self.store.made_under(&claim, self.clock.now()).await? {
            Some(made) => self.made_before(made).await.map(Some),
            None => Ok(None),
        }
    }

    /// Submits a draft, which is forgotten then. Where it is refused, it stays, with the problems that were found.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; as [`App::create_ticket`].
    pub async fn submit_draft(
        self: &Arc<Self>,
        actor: &Actor,
        draft: StoredDraft,
        (requester, submission): (Option<PersonId>, Submission),
    ) -> Result<CreatedTicket, Error> {
        let person = self.author(actor)?;
        match self.create_ticket(actor, requester, submission, Some(key(draft.id))).await {
            Ok(made) => {
                self.store.forget_draft(person, draft.id).await?;
                Ok(made)
            }
            Err(Error::Rejected { problems }) => {
                let kept = StoredDraft { problems: problems.clone(), ..draft };
                match self.keep_within_bounds(actor, &kept).await {
                    // Where there is no room for it, what is wrong with the submission is still the answer.
                    Ok(()) | Err(Error::Rejected { .. }) => Err(Error::Rejected { problems }),
                    Err(other) => Err(other),
                }
            }
            Err(error) => Err(error),
        }
    }
}

/// The key under which a draft makes one ticket, however often it is sent.
fn key(id: DraftId) -> (String, String) {
    (format!("draft {id}"), "draft".to_owned())
}

fn missing(id: DraftId) -> Error {
    Error::Missing { what: "draft", name: id.to_string() }
}
