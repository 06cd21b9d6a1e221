//! Links by which approvers decide out of a message, without signing in. Each is for one step and one person and only this desk can
//! make it: so it is good for one decision, and only while the request waits for that person. Opening a link decides nothing, since
//! programs that check mail open every link.

use std::sync::Arc;

use crate::app::access::view::Shown;
use crate::app::tickets::change::Key;
use crate::app::tickets::lifecycle::survey::same;
use crate::app::{App, Error, Office};
use crate::desk::access::{AccessCase, ApproverDecision};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::ticket::Ticket;

/// Hexadecimal digits of the token in a link: 128 bits.
const TOKEN_DIGITS: usize = 32;

/// The decision that a link asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ByLink {
    /// The approver to whom the link went.
    pub approver: PersonId,
    pub number: TicketNumber,
    pub shown: Shown,
}

/// The step of a request that waits for a person; `None` where none does.
fn awaits(case: &AccessCase, person: &PersonId) -> Option<usize> {
    case.current_step().filter(|_| case.awaited().contains(&person)).map(|(number, _)| number)
}

impl Office {
    /// The last part of the link by which a person decides about a request; `None` where the request does not wait for them.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(in crate::app) async fn decision_link(
        &self,
        ticket: &Ticket,
        case: &AccessCase,
        to: &PersonId,
    ) -> Result<Option<String>, Error> {
        let Some(step) = awaits(case, to) else { return Ok(None) };
        let token = self.decision_token(ticket, step, to).await?;
        Ok(Some(format!("{}.{step}.{token}.{to}", ticket.number)))
    }

    async fn decision_token(&self, ticket: &Ticket, step: usize, to: &PersonId) -> Result<String, Error> {
        self.token(&format!("decide {} {step} {to}", ticket.id), TOKEN_DIGITS).await
    }

    /// The person whom a link is for, and the request, which still waits for them.
    async fn behind(&self, link: &str) -> Result<(PersonId, TicketNumber), Error> {
        let signed = self.signed(link).await?;
        let waits = signed.case.as_ref().and_then(|case| awaits(case, &signed.to));
        if waits == Some(signed.step) { Ok((signed.to, signed.number)) } else { Err(no_decision()) }
    }

    /// Checks that this desk made a link, and that its person is still here.
    async fn signed(&self, link: &str) -> Result<Signed, Error> {
        let mut parts = link.splitn(4, '.');
        let (number, step, token, to) = (parts.next(), parts.next(), parts.next(), parts.next());
        let number = number.and_then(|number| number.parse::<TicketNumber>().ok()).ok_or_else(no_decision)?;
        let to = to.and_then(|to| to.parse::<PersonId>().ok()).ok_or_else(no_decision)?;
        // Old messages stay with people who have left.
        if !self.organisation().is_active(&to) {
            return Err(no_decision());
        }
        let (ticket, case) = self.store.ticket_and_case(number).await?.ok_or_else(no_decision)?;
        let digits = step.unwrap_or_default();
        let step = digits.parse::<usize>().ok().filter(|step| step.to_string() == digits).ok_or_else(no_decision)?;
        let expected = self.decision_token(&ticket, step, &to).await?;
        if !same(&expected, token.unwrap_or_default()) {
            return Err(no_decision());
        }
        Ok(Signed { to, number, step, case })
    }
}

/// A link that this desk made: for whom, and for which step of the request.
struct Signed {
    to: PersonId,
    number: TicketNumber,
    step: usize,
    case: Option<AccessCase>,
}

fn no_decision() -> Error {
    Error::Missing { what: "decision", name: String::new() }
}

fn as_approver(id: PersonId) -> Actor {
    Actor::Person { id, roles: [Role::Approver].into() }
}

impl App {
    /// The decision that a link asks for. To look at it decides nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a link that this desk has not made, and for a request that does not wait for its person any more.
    pub async fn decision_behind(self: &Arc<Self>, link: &str) -> Result<ByLink, Error> {
        let (approver, number) = self.behind(link).await?;
        let shown = self.decision_view(&as_approver(approver.clone()), number).await?;
        Ok(ByLink { approver, number, shown })
    }

    /// Takes the decision of the person whom a link is for, as [`App::decide_access`]. The same decision sent again is answered as the
    /// first time, although the request no longer waits.
    ///
    /// # Errors
    ///
    /// As [`App::decision_behind`]; those of [`App::decide_access`].
    pub async fn decide_by_link(
        self: &Arc<Self>,
        link: &str,
        decision: ApproverDecision,
        key: Option<Key>,
    ) -> Result<(Ticket, AccessCase), Error> {
        let Signed { to, number, .. } = self.signed(link).await?;
        let approver = as_approver(to);
        if !self.is_repeated(&approver, key.clone()).await? {
            self.behind(link).await?;
        }
        self.decide_access(&approver, number, decision, key).await
    }
}
