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
pub use crate::store::people::drafts::{DraftPlace, StoredDraft};
use crate::store::sql::page::Page;

/// The most drafts of one person.
pub const DRAFTS_MAX: usize = 50;
/// The largest draft, in bytes.
const DRAFT_BYTES_MAX: usize = 512 << 10;
/// All drafts of one person together, in bytes: some hundred times what a submission has.
const DRAFTS_BYTES_MAX: u64 = 4 << 20;

/// The place of a refused submission among its author's drafts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It is kept now.
    Kept,
    /// It was kept before.
    Known,
    /// There is none.
    Full,
}

impl Office {
    /// One's own drafts, the latest first, as many as a page of them has.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for those who create no tickets of their own.
    pub async fn drafts(&self, actor: &Actor) -> Result<Vec<StoredDraft>, Error> {
        Ok(self.drafts_after(actor, None, DRAFTS_MAX).await?.items)
    }

    /// A page of one's own drafts, the latest first: those behind a place, at most `limit`, and fewer where they are long.
    ///
    /// # Errors
    ///
    /// As [`Office::drafts`].
    pub async fn drafts_after(
        &self,
        actor: &Actor,
        after: Option<DraftPlace>,
        limit: usize,
    ) -> Result<Page<StoredDraft, DraftPlace>, Error> {
        let person = self.author(actor)?;
        Ok(self.store.drafts_page(person, after, limit).await?)
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
    /// [`Error::Refused`]; [`Error::Rejected`] where it is too large, or there are too many; [`Error::TooMuch`] for more text than one
    /// may have the desk keep in a day.
    pub async fn keep_draft(&self, actor: &Actor, id: DraftId, content: String) -> Result<StoredDraft, Error> {
        let draft = StoredDraft { id, content, problems: Vec::new(), saved_at: self.clock.now() };
        self.keep_within_bounds(actor, &draft).await?;
        Ok(draft)
    }

    /// Keeps a submission that came by another way and was refused, where it is not kept yet.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::TooMuch`].
    pub(super) async fn keep_refused(&self, actor: &Actor, draft: &StoredDraft) -> Result<Room, Error> {
        if self.store.draft(self.author(actor)?, draft.id).await?.is_some() {
            return Ok(Room::Known);
        }
        match self.keep_within_bounds(actor, draft).await {
            Ok(()) => Ok(Room::Kept),
            Err(Error::Rejected { .. }) => Ok(Room::Full),
            Err(other) => Err(other),
        }
    }

    async fn keep_within_bounds(&self, actor: &Actor, draft: &StoredDraft) -> Result<(), Error> {
        let person = self.author(actor)?;
        let problem = |message: String| Error::from(Problem::new("draft", "too-much", message));
        if draft.content.len() > DRAFT_BYTES_MAX {
            return Err(problem(format!("has more than {DRAFT_BYTES_MAX} bytes")));
        }
        // The others' sizes are enough: their texts may be long.
        let (own, others): (Vec<_>, Vec<_>) =
            self.store.draft_sizes(person).await?.into_iter().partition(|known| known.id == draft.id);
        if others.len() >= DRAFTS_MAX {
            return Err(problem(format!("is one of more than {DRAFTS_MAX}: send or remove another first")));
        }
        let bytes = u64::try_from(draft.content.len()).unwrap_or(u64::MAX);
        let with_others = others.iter().map(|known| known.bytes).fold(bytes, u64::saturating_add);
        if with_others > DRAFTS_BYTES_MAX {
            let message = format!("makes {with_others} bytes of all your drafts: {DRAFTS_BYTES_MAX} are kept at most");
            return Err(problem(format!("{message}; send or remove another first")));
        }
        // One that is saved again and again counts for what it has grown by.
        let before = own.first().map_or(0, |known| known.bytes);
        self.count_text(actor, usize::try_from(bytes.saturating_sub(before)).unwrap_or(usize::MAX))?;
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
        self.made_under_key(change::idempotency(actor, Some(key(id))).as_ref()).await
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
