//! Orders that are on their way, for those who look after them; and what a person says who has done one by hand.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use crate::app::error::accept;
use crate::app::jobs::endpoints::secrets_in;
use crate::app::{Error, Office};
use crate::desk::access::provisioning::Op;
use crate::desk::access::provisioning::progress::{self, Came, Report};
use crate::desk::actor::{Actor, Author};
use crate::desk::id::{GrantId, OpId};
use crate::desk::organisation::connector::Kind;
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::sla::{earlier, later};
use crate::desk::ticket::edit::{check_optional_reason, check_reason};
pub use crate::signing::Signed;
pub use crate::store::access::runs::ConnectorRun;
use crate::store::sql::page::Page;

/// The word of a person about an order that was carried out by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Whether it is as it is to be; else it was not done.
    pub done: bool,
    /// How that is known, such as the app's own number for it.
    pub evidence: String,
}

/// The word of an app about an order that it has accepted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppAnswer {
    /// The order that was signed with it: a word about one says nothing about another. `None` where it is no id.
    pub order: Option<OpId>,
    /// The attempt that it answers; one of an earlier attempt is passed over.
    pub attempt: u32,
    pub outcome: AppOutcome,
    /// How that is known, such as the app's own number for it.
    pub evidence: String,
}

/// The outcome of an order, as its app says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppOutcome {
    Done,
    /// It refuses it for good.
    Refused,
    /// It has done nothing, and wants to be asked again in so many seconds.
    Later(u32),
}

/// An order about which its app has signed a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOrder {
    op: OpId,
    grant: GrantId,
    /// Whether what is there can be read back.
    reads: bool,
}

/// The longest that an app may ask to be left alone, in seconds: a day.
const LATER_S_MAX: u32 = 24 * 3600;

/// How long the end of access may take in an app before it is overdue.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

impl Office {
    /// How much access that is over was not read back as gone in time (I13).
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn revocations_overdue(&self) -> Result<i64, Error> {
        let before = earlier(self.clock.now(), OVERDUE);
        Ok(self.store.revocations_since_before(before).await?)
    }

    /// Keeps runs of an order's connector: each as JSON, and with whether it has looked only.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn keep_runs(&self, (op, attempt): (OpId, u32), runs: Vec<(bool, String)>) -> Result<(), Error> {
        let (at, id) = (self.clock.now(), || self.clock.new_id());
        let run = |(looked, record)| ConnectorRun { id: id(), op, attempt, at, looked, record };
        Ok(self.store.keep_runs(&runs.into_iter().map(run).collect::<Vec<_>>()).await?)
    }

    /// The last runs of an order's connector, where that is a component; oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; where the store cannot be read.
    pub async fn runs_of(&self, actor: &Actor, op: OpId) -> Result<Vec<ConnectorRun>, Error> {
        permission::read_decisions(actor)?;
        let missing = || Error::Missing { what: "order", name: op.to_string() };
        self.store.op(op).await?.ok_or_else(missing)?;
        Ok(self.store.runs_of(op).await?)
    }

    /// The orders that are on their way, oldest first, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn open_orders(&self, actor: &Actor, after: Option<OpId>, limit: usize) -> Result<Page<Op, OpId>, Error> {
        permission::read_decisions(actor)?;
        Ok(self.store.all_open_ops(after, limit).await?)
    }

    /// The order that an app sends its word about, where one of its connector's secrets has signed it: before anything of it is read.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where no secret of the order's app has signed it, or there is no such order, which look the same; where
    /// the store cannot be read.
    pub async fn signed_by_app(&self, id: OpId, (signed, body): (&Signed<'_>, &[u8])) -> Result<SignedOrder, Error> {
        let op = self.store.op(id).await?.ok_or(Refusal::NotSigned)?;
        let organisation = self.organisation();
        let Some(Kind::Webhook(hook)) = organisation.connector_of(&op.app).map(|connector| &connector.kind) else {
            return Err(Refusal::NotSigned.into());
        };
        // Nothing is read for a word that cannot be signed.
        if !signed.is_of(self.clock.now()) {
            return Err(Refusal::NotSigned.into());
        }
        let (file, reads) = (hook.secret_file.clone(), hook.reads);
        // Not on a thread that serves requests.
        let secrets = tokio::task::spawn_blocking(move || secrets_in(&file)).await?.unwrap_or_else(|why| {
            tracing::error!(app = %op.app, %why, "the word of an app is refused: what it has signed cannot be checked");
            Vec::new()
        });
        if !signed.is_by(&secrets, body, self.clock.now()) {
            return Err(Refusal::NotSigned.into());
        }
        Ok(SignedOrder { op: op.id, grant: op.grant, reads })
    }

    /// Takes the word of an app about an order. Where the app can be asked, its word is a hint, and what is there is read back; else
    /// the word is what counts. Whether it was taken: one about an order that has come to its end, or about an earlier attempt,
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the word is about another order; [`Error::Rejected`] where the evidence is too long; where the store
    /// cannot be read or written.
    pub async fn answered(&self, order: &SignedOrder, answer: &AppAnswer) -> Result<(Op, bool), Error> {
        if answer.order != Some(order.op) {
            return Err(Refusal::NotSigned.into());
        }
        accept(check_optional_reason("evidence", &answer.evidence))?;
        let came = match answer.outcome {
            AppOutcome::Done if order.reads => Came::Applied,
            AppOutcome::Done => Came::Verified,
            AppOutcome::Refused => Came::Rejected,
            AppOutcome::Later(seconds) => {
                let wait = SignedDuration::from_secs(i64::from(seconds.min(LATER_S_MAX)));
                Came::Later(later(self.clock.now(), wait))
            }
        };
        let said = format!("the app says: {}", answer.evidence.trim());
        let reports = [Report { op: order.op, attempt: answer.attempt, came, said }];
        let taken = AtomicBool::new(false);
        self.change_in_app(order.grant, None, |ticket, _, at| {
            let change = progress::take(ticket, &reports, at);
            taken.store(change.is_some(), Ordering::Relaxed);
            Ok(change)
        })
        .await?;
        let op = self.store.op(order.op).await?.ok_or(Refusal::NotSigned)?;
        Ok((op, taken.into_inner()))
    }

    /// Takes the word of a person who has carried out an order by hand. For those who answer for the app, and admins; never for
    /// the person whom the order is about, by whichever of their accounts, nor for one who stands in for them.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`], also where the order does not wait for a person; [`Error::Rejected`] without
    /// evidence.
    pub async fn attest(&self, actor: &Actor, id: OpId, attestation: &Attestation) -> Result<Op, Error> {
        let missing = || Error::Missing { what: "order", name: id.to_string() };
        let op = self.store.op(id).await?.ok_or_else(missing)?;
        accept(check_reason("evidence", &attestation.evidence))?;
        self.change_in_app(op.grant, None, |ticket, grant, at| {
            let app = at.organisation.apps.get(&grant.app);
            let permit = permission::revoke_for_others(actor, ticket, app.and_then(|app| app.owner.as_ref()))?;
            let Author::Person(person) = permit.on(ticket)? else { return Err(Refusal::OrderNotByHand.into()) };
            // By whichever account, and not for one in whose place they decide either: else an end would be proved by its own holder.
            if at.organisation.is_party(person, &[&op.subject], at.now) {
                return Err(Refusal::OwnAccess.into());
            }
            if !progress::takes_word(&op, at.organisation) {
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
