//! The ledger of access: every event about a request or a grant, as facts with names. Sentences are made where people read
//! them.

use jiff::Timestamp;

use super::campaign::{ReviewAnswer, ReviewItem};
use super::provisioning::{Entitlement, Op};
use super::{AccessRequest, AccessState, EndReason, Grant, GrantState, Seen, Step};
use crate::desk::actor::Author;
use crate::desk::id::{AppId, GrantId, PersonId, ReviewItemId, TicketId, TierId};
use crate::desk::verdict::access::Scope;

/// One event of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    pub at: Timestamp,
    pub ticket: TicketId,
    pub event: LedgerEvent,
}

/// An event about access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerEvent {
    /// A person asked.
    Requested { requester: PersonId, submitted_by: PersonId, request: AccessRequest },
    /// An approver was shown this before they decided.
    Seen { approver: PersonId, seen: Seen },
    /// An approver asked something back before deciding.
    AskedBack { approver: PersonId, question: String },
    /// That was answered.
    AnsweredBack { by: PersonId, answer: String },
    /// One approver agreed to a step, or did not, for themselves or in the place of others. Steps count from 0.
    Decided { approver: PersonId, in_place_of: Vec<PersonId>, step: usize, approve: bool, reason: String },
    /// No approver decided in time, so that the desk denies.
    Lapsed,
    /// An open step asks these people from now on: who may approve has changed.
    Reassigned { step: usize, approvers: Vec<PersonId> },
    /// The desk denies what cannot be given any more; why is in the timeline.
    Invalidated,
    /// The request came to stand here, for this reason of the rules; what is given once all agree, and whom its steps ask.
    Stands { state: AccessState, reason: String, scope: Option<Scope>, steps: Vec<Step> },
    /// Access was given.
    Granted { grant: Grant },
    /// Another grant gives the same access from now on.
    Replaced { grant: GrantId, by: GrantId },
    /// Access was taken back before its time.
    Revoked { grant: GrantId, subject: PersonId, app: AppId, tier: TierId, by: Author, reason: String },
    /// A grant stands here now.
    GrantStands { grant: GrantId, state: GrantState, reason: Option<EndReason> },
    /// A grant has ended, and sessions that were open in its app may go on until then.
    SessionsUntil { grant: GrantId, until: Timestamp },
    /// An effect in an app stands here now, with what was sent and what came back.
    Op { op: Op },
    /// A person holds this in an app from now on, as it was read back there; `preexisting` where no grant had given it.
    Holds { grant: GrantId, subject: PersonId, app: AppId, entitlement: Entitlement, preexisting: bool },
    /// A person holds this in an app no more; `kept` where it is left there because it was there before any grant.
    HoldsNoMore { grant: GrantId, subject: PersonId, app: AppId, entitlement: Entitlement, kept: bool },
    /// People were asked whether a grant is still needed.
    ReviewAsked { item: ReviewItem },
    /// A review has come to its end.
    Reviewed { item: ReviewItemId, grant: GrantId, answer: ReviewAnswer },
}

impl LedgerEvent {
    /// The stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            LedgerEvent::Requested { .. } => "requested",
            LedgerEvent::Seen { .. } => "seen",
            LedgerEvent::AskedBack { .. } => "asked-back",
            LedgerEvent::AnsweredBack { .. } => "answered-back",
            LedgerEvent::Decided { approve: true, .. } => "approved-by",
            LedgerEvent::Decided { approve: false, .. } => "denied-by",
            LedgerEvent::Lapsed => "lapsed",
            LedgerEvent::Reassigned { .. } => "reassigned",
            LedgerEvent::Invalidated => "invalidated",
            LedgerEvent::Replaced { .. } => "replaced",
            LedgerEvent::Stands { state, .. } => state.code(),
            LedgerEvent::Granted { .. } => "granted",
            LedgerEvent::Revoked { .. } => "revoked",
            LedgerEvent::GrantStands { .. } => "grant-stands",
            LedgerEvent::SessionsUntil { .. } => "sessions-until",
            LedgerEvent::Op { .. } => "op",
            LedgerEvent::Holds { .. } => "holds",
            LedgerEvent::HoldsNoMore { .. } => "holds-no-more",
            LedgerEvent::ReviewAsked { .. } => "review-asked",
            LedgerEvent::Reviewed { .. } => "reviewed",
        }
    }
}
