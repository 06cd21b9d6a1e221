//! The beginnings and ends of grants by time, the reminders before, and more time for a grant that is held.

use std::sync::Arc;

use crate::app::jobs::Outcome;
use crate::app::tickets::change::Key;
use crate::app::tickets::submit::CreatedTicket;
use crate::app::{App, Error, Office};
use crate::desk::access::{self, Grant, GrantState};
use crate::desk::actor::Actor;
use crate::desk::id::{GrantId, TicketId};
use crate::desk::organisation::form::Raw;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::intake::Submission;

impl Office {
    /// Ends the access that a ticket gave, if its time is over.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the ticket changes all the time; where the store cannot be read or written.
    pub async fn expire_if_over(&self, ticket: TicketId) -> Result<Outcome, Error> {
        let mut next = None;
        for grant in self.store.grants_of_ticket(ticket).await? {
            let after = self.change_grant(grant.id, None, |ticket, grant, at| Ok(access::expire(ticket, grant, at)));
            let after = after.await?;
            if !after.has_ended(self.clock.now()) {
                next = next.into_iter().chain([after.expires_at]).min();
            }
        }
        Ok(next.map_or(Outcome::Done, Outcome::NotBefore))
    }

    /// Begins the access that a ticket gave for later, if its time has come.
    ///
    /// # Errors
    ///
    /// As [`Office::expire_if_over`].
    pub async fn begin_if_due(&self, ticket: TicketId) -> Result<Outcome, Error> {
        let mut next = None;
        for grant in self.store.grants_of_ticket(ticket).await? {
            let after = self.change_grant(grant.id, None, |ticket, grant, at| Ok(access::begin(ticket, grant, at)));
            let after = after.await?;
            if after.state == GrantState::Scheduled {
                next = next.into_iter().chain([after.granted_at]).min();
            }
        }
        Ok(next.map_or(Outcome::Done, Outcome::NotBefore))
    }

    /// Lets the person who holds what a ticket gave know that it ends soon.
    ///
    /// # Errors
    ///
    /// As [`Office::expire_if_over`].
    pub async fn remind_of_end(&self, ticket: TicketId) -> Result<Outcome, Error> {
        for grant in self.store.grants_of_ticket(ticket).await? {
            self.change_grant(grant.id, None, |ticket, grant, at| Ok(access::remind(ticket, grant, at))).await?;
        }
        Ok(Outcome::Done)
    }
}

impl App {
    /// Asks for more time on a grant that is held: a new request, which the rules decide as any other. Where it is granted, the new
    /// grant takes the place of the old one without a gap.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] where the grant is over; those of [`App::create_ticket`].
    pub async fn extend_grant(
        self: &Arc<Self>,
        actor: &Actor,
        id: GrantId,
        (hours, justification): (u32, String),
        key: Option<Key>,
    ) -> Result<CreatedTicket, Error> {
        let missing = || Error::Missing { what: "grant", name: id.to_string() };
        let grant = self.store.grant(id).await?.ok_or_else(missing)?;
        let (ticket, _) = self.store.ticket_and_case_by_id(grant.ticket).await?.ok_or_else(missing)?;
        let own = actor.person() == Some(&grant.subject);
        if !own && !crate::desk::permission::works_on_tickets(actor) {
            return Err(missing());
        }
        if grant.has_ended(self.clock.now()) {
            return Err(Refusal::GrantEnded.into());
        }
        let submission = Submission {
            request_type: ticket.submitted.request_type.to_string(),
            channel: "api".to_owned(),
            subject: format!("More time for {}/{}", grant.app, grant.tier),
            fields: fields(&grant, hours, justification, own),
            ..Submission::default()
        };
        self.create_ticket(actor, None, submission, key).await
    }
}

fn fields(grant: &Grant, hours: u32, justification: String, own: bool) -> Vec<(String, Raw)> {
    let text = |name: &str, text: String| (name.to_owned(), Raw::Text(text));
    let mut fields = vec![
        text("app", grant.app.to_string()),
        text("tier", grant.tier.to_string()),
        ("duration-hours".to_owned(), Raw::Number(f64::from(hours))),
        text("justification", justification),
    ];
    fields.extend(grant.role.clone().map(|role| text("role", role)));
    fields.extend((!own).then(|| text("for", grant.subject.to_string())));
    fields
}
