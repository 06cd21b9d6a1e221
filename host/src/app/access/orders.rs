//! Orders that are on their way, for those who look after them; and what a person says who has done one by hand.

use crate::app::{Error, Office};
use crate::desk::access::provisioning::progress::{self, Came, Report};
use crate::desk::access::provisioning::{Op, OpState};
use crate::desk::actor::{Actor, Author};
use crate::desk::id::OpId;
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::edit::check_reason;

/// The word of a person about an order that was carried out by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Whether it is as it is to be; else it was not done.
    pub done: bool,
    /// How that is known, such as the app's own number for it.
    pub evidence: String,
}

/// How long the end of access may take in an app before it is overdue.
const OVERDUE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

impl Office {
    /// How much access that is over was not read back as gone in time (I13).
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn revocations_overdue(&self) -> Result<i64, Error> {
        let before = self.clock.now().checked_sub(OVERDUE).unwrap_or(jiff::Timestamp::MIN);
        Ok(self.store.revocations_since_before(before).await?)
    }

    /// The orders that are on their way, oldest first, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn open_orders(&self, actor: &Actor, after: Option<OpId>, limit: usize) -> Result<Vec<Op>, Error> {
        permission::read_decisions(actor)?;
        Ok(self.store.all_open_ops(after, limit).await?)
    }

    /// Takes the word of a person who has carried out an order by hand. For those who answer for the app, and admins; never for
    /// the person whom the order is about.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`], also where the order does not wait for a person; [`Error::Rejected`] without
    /// evidence.
    pub async fn attest(&self, actor: &Actor, id: OpId, attestation: &Attestation) -> Result<Op, Error> {
        let missing = || Error::Missing { what: "order", name: id.to_string() };
        let op = self.store.op(id).await?.ok_or_else(missing)?;
        if let Some(problem) = check_reason("evidence", &attestation.evidence) {
            return Err(Error::Rejected { problems: vec![problem] });
        }
        self.change_grant(op.grant, None, |ticket, grant, at| {
            let app = at.organisation.apps.get(&grant.app);
            let permit = permission::revoke_for_others(actor, ticket, app.and_then(|app| app.owner.as_ref()))?;
            let Author::Person(person) = permit.on(ticket)? else { return Err(Refusal::OrderNotByHand.into()) };
            if *person == op.subject {
                return Err(Refusal::OwnAccess.into());
            }
            if op.state != OpState::Waiting {
                return Err(Refusal::OrderNotByHand.into());
            }
            let came = if attestation.done { Came::Verified } else { Came::NotThere };
            let said = format!("{person} says: {}", attestation.evidence.trim());
            let report = Report { op: op.id, attempt: op.attempt, came, said };
            progress::take(ticket, &[report], at).map(Some).ok_or_else(|| Refusal::OrderNotByHand.into())
        })
        .await?;
        self.store.op(id).await?.ok_or_else(missing)
    }
}
