//! Access that is in an app although no grant gives it: found there, and settled by a person.

use jiff::Timestamp;

use super::plan::{bring_in_line, hold};
use super::{Entitlement, Holding};
use crate::desk::access::Grant;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{AppId, FindingId, GrantId, PersonId};
use crate::desk::ticket::Ticket;

/// Access that no grant gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub id: FindingId,
    pub app: AppId,
    pub entitlement: Entitlement,
    /// As the app names who has it.
    pub account: String,
    /// The person that this is; `None` where it is none whom the desk knows.
    pub person: Option<PersonId>,
    /// The grant that had given it and has ended: then it has come back. `None` where no grant ever did.
    pub grant: Option<GrantId>,
    pub found_at: Timestamp,
    /// The last time that it was seen there.
    pub seen_at: Timestamp,
    pub end: Option<FindingEnd>,
}

/// How a finding was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingEnd {
    pub verdict: FindingVerdict,
    /// `None` where it went by itself, and no person had accepted it, and where its person has left.
    pub by: Option<PersonId>,
    pub reason: String,
    pub at: Timestamp,
}

/// The outcome of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingVerdict {
    /// It may stay, and is not found again as long as it is there.
    Accepted,
    /// The desk takes it away.
    Removed,
    /// It was there no more at the next look, or a grant gives it.
    Gone,
}

codes! { FindingVerdict { Accepted => "accepted", Removed => "removed", Gone => "gone" } }

impl Finding {
    /// The stable word for what it is.
    pub const fn kind(&self) -> &'static str {
        if self.grant.is_some() { "resurrected" } else { "extra" }
    }
}

/// Orders that what has come back is taken away again, for the grant that had given it. `None` where a grant gives it by now.
pub fn take_away(ticket: &Ticket, grant: &Grant, entitlement: &Entitlement, at: &At<'_>) -> Option<Change> {
    let mut books = at.review().books().with(grant);
    let key = (&grant.subject, &grant.app);
    let mut change = Change::next(ticket, at, Vec::new());
    let open = books.ops.len();
    let holding = Holding {
        subject: grant.subject.clone(),
        app: grant.app.clone(),
        entitlement: entitlement.clone(),
        preexisting: false,
        grant: grant.id,
        ticket: grant.ticket,
        since: at.now,
    };
    hold(&mut change, &mut books, holding);
    bring_in_line(&mut change, &mut books, key, at);
    (books.ops.len() > open).then_some(change)
}
