//! The circumstances of a change: everything that a pure function would otherwise have to ask the world for.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::message::{About, Message, MessageKind};
use crate::desk::access::Review;
use crate::desk::actor::Author;
use crate::desk::id::{
    CommentId, GrantId, MessageId, OpId, PersonId, QuestionId, ReviewItemId, TaskId, TicketId, TimeId,
};
use crate::desk::organisation::Organisation;
use crate::desk::ticket::timeline::{Entry, Event, Visibility};

/// When something happens, in which organisation, and where its fresh ids come from.
pub struct At<'a> {
    pub now: Timestamp,
    pub organisation: &'a Organisation,
    /// Gives an id that nothing else has, UUID version 7 (RFC 9562).
    ids: &'a dyn Fn() -> Uuid,
    review: Arc<Review>,
}

impl<'a> At<'a> {
    /// A change at this instant, in this organisation.
    pub fn new(now: Timestamp, organisation: &'a Organisation, ids: &'a dyn Fn() -> Uuid) -> Self {
        Self { now, organisation, ids, review: Arc::default() }
    }

    /// The same, with what is looked at again where access is given. It may be shared by all changes of one person's grants.
    #[must_use]
    pub fn reviewing(&self, review: impl Into<Arc<Review>>) -> At<'a> {
        At { now: self.now, organisation: self.organisation, ids: self.ids, review: review.into() }
    }

    /// The same at another instant.
    #[must_use]
    pub(in crate::desk) fn when(&self, now: Timestamp) -> At<'a> {
        At { now, organisation: self.organisation, ids: self.ids, review: Arc::default() }
    }

    pub(in crate::desk) fn review(&self) -> &Review {
        &self.review
    }

    pub(in crate::desk) fn comment_id(&self) -> CommentId {
        CommentId((self.ids)())
    }

    pub(in crate::desk) fn task_id(&self) -> TaskId {
        TaskId((self.ids)())
    }

    pub(in crate::desk) fn time_id(&self) -> TimeId {
        TimeId((self.ids)())
    }

    pub(in crate::desk) fn grant_id(&self) -> GrantId {
        GrantId((self.ids)())
    }

    pub(in crate::desk) fn message_id(&self) -> MessageId {
        MessageId((self.ids)())
    }

    pub(in crate::desk) fn op_id(&self) -> OpId {
        OpId((self.ids)())
    }

    pub(in crate::desk) fn review_item_id(&self) -> ReviewItemId {
        ReviewItemId((self.ids)())
    }

    pub(in crate::desk) fn question_id(&self) -> QuestionId {
        QuestionId((self.ids)())
    }

    pub(in crate::desk) fn entry(&self, author: Author, visibility: Visibility, event: Event) -> Entry {
        Entry { at: self.now, author, visibility, event }
    }

    /// An entry that its requester reads.
    pub(in crate::desk) fn public(&self, author: Author, event: Event) -> Entry {
        self.entry(author, Visibility::Public, event)
    }

    /// An entry that only those read who work on tickets.
    pub(in crate::desk) fn internal(&self, author: Author, event: Event) -> Entry {
        self.entry(author, Visibility::Internal, event)
    }

    pub(in crate::desk) fn message(&self, ticket: TicketId, kind: MessageKind, to: &PersonId) -> Message {
        Message { id: self.message_id(), ticket, kind, to: to.clone(), at: self.now, about: About::default() }
    }
}
