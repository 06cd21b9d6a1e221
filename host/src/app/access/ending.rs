//! The beginnings and ends of grants by time, the reminders before, and more time for a grant that is held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::app::jobs::Outcome;
use crate::app::tickets::change::Key;
use crate::app::tickets::submit::CreatedTicket;
use crate::app::{App, Error, Office};
use crate::desk::access::{self, Grant, GrantState};
use crate::desk::actor::Actor;
use crate::desk::change::at::At;
use crate::desk::change::{AccessSeen, Change};
use crate::desk::id::{AppId, GrantId, PersonId, TicketId};
use crate::desk::organisation::form::Raw;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::Submission;
use crate::desk::ticket::lifecycle::alerts;
use crate::store::access::current::Changing;
use crate::store::{Commit, Error as StoreError};

/// The most ends that are written in one transaction.
pub const ENDS_TOGETHER_MAX: usize = 256;
/// How often they are read and written together before each is tried by itself: of two batches that are written at once and end what the
/// same people hold, one overtakes the other.
const TOGETHER_TRIES_MAX: usize = 3;

impl Office {
    /// Ends the access that a ticket gave, if its time is over.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the ticket changes all the time; where the store cannot be read or written.
    pub async fn expire_if_over(&self, ticket: TicketId) -> Result<Outcome, Error> {
        let mut next = None;
        for grant in self.store.grants_of_ticket(ticket).await? {
            let after = self.change_in_app(grant.id, None, |ticket, grant, at| Ok(access::expire(ticket, grant, at)));
            let after = after.await?;
            if !after.has_ended(self.clock.now()) {
                next = next.into_iter().chain([after.expires_at]).min();
            }
        }
        Ok(next.map_or(Outcome::Done, Outcome::NotBefore))
    }

    /// Ends the access that these tickets gave, as far as its time is over, in one transaction: all of it or none. Gives the
    /// tickets with which that was done. The others are for [`Office::expire_if_over`]: those that are not due, the second ticket
    /// of one person about one app, and all of them where one cannot be written.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or one of the rows is damaged.
    pub async fn expire_together(&self, tickets: &[TicketId]) -> Result<BTreeSet<TicketId>, Error> {
        let some = tickets.get(..ENDS_TOGETHER_MAX).unwrap_or(tickets);
        for _ in 0..TOGETHER_TRIES_MAX {
            let found = self.store.changing(some, self.clock.now()).await?;
            let commits = self.ends_of(found, access::expire);
            if commits.is_empty() {
                break;
            }
            let done = commits.iter().map(|commit| commit.change.after().id).collect();
            match self.store.commit_together(commits).await {
                Ok(_) => return Ok(done),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(BTreeSet::new())
    }

    /// Ends what a person holds who has left, as much of it in one transaction as can be. What is left is for one by one: more than
    /// one grant of one app, what is in the app of one that is damaged, and all of them where one cannot be written.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(super) async fn end_together(&self, person: &PersonId) -> Result<(), Error> {
        let now = self.clock.now();
        for some in self.store.tickets_of_held(person, now).await?.chunks(ENDS_TOGETHER_MAX) {
            // One that cannot be read is met again one by one, where it keeps no other waiting.
            let Ok(found) = self.store.changing(some, now).await else { return Ok(()) };
            let commits = self.ends_of(found, access::end);
            let grants = commits.len();
            if grants == 0 {
                continue;
            }
            match self.store.commit_together(commits).await {
                Ok(_) => tracing::info!(%person, grants, "grants have ended together: the person has left"),
                Err(StoreError::Conflict) => {}
                Err(error) => {
                    tracing::warn!(%error, %person, grants, "ends were not written together: each is tried by itself");
                }
            }
        }
        Ok(())
    }

    /// The ends of those of these grants that end, of each person one in each app: what is held in one app is no part of what is
    /// decided about another.
    fn ends_of(&self, found: Vec<Changing>, end: impl Fn(&Ticket, &Grant, &At<'_>) -> Option<Change>) -> Vec<Commit> {
        let organisation = self.organisation();
        let ids = || self.clock.new_id();
        let at = At::new(self.clock.now(), &organisation, &ids);
        let (mut ended, mut commits) = (BTreeMap::<PersonId, BTreeSet<AppId>>::new(), Vec::new());
        for Changing { ticket, grant, seen, review } in found {
            let at = at.reviewing(review);
            let Some(change) = end(&ticket, &grant, &at) else { continue };
            let apps = ended.entry(grant.subject.clone()).or_default();
            // How far a person's access has come was read once: each change holds for what the one before it leaves.
            let revision = seen.revision.saturating_add(i64::try_from(apps.len()).unwrap_or(i64::MAX));
            if apps.insert(grant.app.clone()) {
                let mut change = change.telling(&at).only_while(vec![AccessSeen { revision, ..seen }]);
                alerts::keep_time(&mut change, &organisation);
                commits.push(Commit::from(change));
            }
        }
        commits
    }

    /// Begins the access that a ticket gave for later, if its time has come.
    ///
    /// # Errors
    ///
    /// As [`Office::expire_if_over`].
    pub async fn begin_if_due(&self, ticket: TicketId) -> Result<Outcome, Error> {
        let mut next = None;
        for grant in self.store.grants_of_ticket(ticket).await? {
            let holders = match self.organisation().apps.get(&grant.app) {
                Some(app) => self.store.holders(&app.id, &app.seated(), self.clock.now()).await?,
                None => Vec::new(),
            };
            let begins =
                self.change_grant(grant.id, None, |ticket, grant, at| Ok(access::begin(ticket, grant, &holders, at)));
            let after = begins.await?;
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
            self.change_in_app(grant.id, None, |ticket, grant, at| Ok(access::remind(ticket, grant, at))).await?;
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
