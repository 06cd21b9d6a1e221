//! A message as it would be: in the words that are in force or in a draft of them, about a ticket of the desk or a made-up one.
//! Nothing is sent, and nothing is kept.

use super::{Correspondence, Ready, facts};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::message::{About, AccessNews, MessageKind, Moved, NewDay, Reply};
use crate::desk::id::{MessageId, PersonId, TicketNumber};
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::sight::of_recipient;
use crate::desk::ticket::timeline::{Entry, Event, Field, Visibility};
use crate::messages::facts::{Digest, Facts};
pub use crate::messages::{DIGEST, Mistake, Rendered};
use crate::messages::{File, NotATemplate, Templates};
use crate::store::jobs::messages::WaitingMessage;

/// The message that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// `None` for a digest.
    pub kind: Option<MessageKind>,
    pub locale: &'a str,
    /// The ticket that it is about; a made-up one where there is none.
    pub ticket: Option<TicketNumber>,
    /// The words in the place of those that are in force.
    pub draft: Option<&'a str>,
}

/// A message as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The template's text that is in force.
    pub source: String,
    /// The message, or everything that is wrong with its template.
    pub message: Result<Rendered, Vec<Mistake>>,
}

impl Wanted<'_> {
    /// The name of the template.
    pub fn template(&self) -> String {
        format!("{}.txt", self.kind.map_or(DIGEST, MessageKind::code))
    }

    /// Whether it goes to those who work on tickets or decide about them.
    const fn is_for_staff(&self) -> bool {
        matches!(
            self.kind,
            Some(
                MessageKind::ApprovalWanted
                    | MessageKind::RequesterWrote
                    | MessageKind::Mentioned
                    | MessageKind::Escalated
                    | MessageKind::Assigned
                    | MessageKind::DayMoved
                    | MessageKind::NotTakenUp
                    | MessageKind::LeftInQueue
                    | MessageKind::PromiseBroken
                    | MessageKind::PromiseRunsOut
                    | MessageKind::ReviewWanted
                    | MessageKind::Delegation
            )
        )
    }
}

impl Office {
    /// Shows a message before it is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for all who do not administer the desk; [`Error::Missing`] for a ticket that there is not.
    pub async fn preview_message(&self, actor: &Actor, wanted: Wanted<'_>) -> Result<Preview, Error> {
        permission::administer(actor)?;
        let correspondence = self.correspondence.load_full();
        let facts = match wanted.ticket {
            Some(number) => self.facts_of(actor, number, &wanted, &correspondence).await?,
            None => Facts { organisation: self.organisation().name.clone(), ..Facts::sample() },
        };
        let Correspondence { templates, .. } = &*correspondence;
        let name = wanted.template();
        let source = templates.source(wanted.locale, &name).unwrap_or_default();
        let tried = match wanted.draft {
            Some(text) => templates.with_draft(&File { locale: wanted.locale, name: &name, text }),
            None => Ok(templates.clone()),
        };
        let message = tried.and_then(|templates| worded(&templates, &wanted, facts));
        Ok(Preview { source, message })
    }

    /// The facts of a ticket for the one who would get the message: what was said and done last on it.
    async fn facts_of(
        &self,
        actor: &Actor,
        number: TicketNumber,
        wanted: &Wanted<'_>,
        correspondence: &Correspondence,
    ) -> Result<Facts, Error> {
        let missing = || Error::Missing { what: "ticket", name: number.to_string() };
        let organisation = self.organisation();
        let (ticket, case) = self.store.ticket_and_case(number).await?.ok_or_else(missing)?;
        let entries = self.store.timeline(number, Visibility::Public).await?;
        let about = entries.iter().fold(About::default(), |about, stored| after(about, &stored.entry));
        let to = recipient(&ticket, wanted.is_for_staff(), actor);
        let person = organisation.people.get(&to).ok_or_else(missing)?;
        let sees = of_recipient(&organisation, &ticket, case.as_ref(), &to).unwrap_or(Visibility::Public);
        let kind = wanted.kind.unwrap_or(MessageKind::StateChanged);
        // The links of a message act for the one whom it is for, and this is another person: these lead nowhere.
        let shown = |shows: bool| shows.then(|| format!("{}.example", ticket.number));
        let (survey, decide) = (shown(kind == MessageKind::Closed), shown(kind == MessageKind::ApprovalWanted));
        let solution = self.solution(kind, &ticket).await?;
        let (id, queued_at) = (MessageId(self.clock.new_id()), self.clock.now());
        let message = WaitingMessage { id, ticket: ticket.id, kind: Some(kind), to, queued_at, about };
        let ready = Ready { message, kind, ticket, case, sees, solution, survey, decide };
        Ok(facts::facts(&ready, person, &organisation, (correspondence, wanted.locale)))
    }
}

/// The last words and the last step, after one more thing has happened.
fn after(mut about: About, entry: &Entry) -> About {
    match &entry.event {
        Event::Commented { body, .. } => {
            about.reply = Some(Reply { by: entry.author.person().cloned(), body: body.clone() });
        }
        Event::StateChanged { from, to, reason } => {
            let by_desk = entry.says_the_desk_why();
            about.moved = Some(Moved { from: *from, to: *to, reason: reason.clone(), by_desk });
        }
        Event::AccessDecided { outcome, detail } => {
            let by_desk = entry.says_the_desk_why();
            about.access = Some(AccessNews { outcome: *outcome, reason: detail.clone(), by_desk });
        }
        Event::Set { field: Field::Day, to, reason, .. } if !entry.says_the_desk_why() => {
            about.day = Some(NewDay { to: to.clone(), reason: reason.clone() });
        }
        _ => {}
    }
    about
}

/// The person who would get it: its requester, or the one who works on it, or else the one who looks.
fn recipient(ticket: &Ticket, for_staff: bool, actor: &Actor) -> PersonId {
    let works = ticket.assignee.as_ref().or(actor.person()).filter(|_| for_staff);
    works.unwrap_or(&ticket.submitted.requester).clone()
}

fn worded(templates: &Templates, wanted: &Wanted<'_>, facts: Facts) -> Result<Rendered, Vec<Mistake>> {
    let rendered = match wanted.kind {
        Some(kind) => templates.message(wanted.locale, kind, &facts),
        None => {
            let Facts { organisation, recipient, .. } = facts.clone();
            templates.digest(wanted.locale, &Digest { organisation, recipient, items: vec![facts.clone(), facts] })
        }
    };
    rendered.map_err(|failed| {
        vec![Mistake { file: failed.template, line: 0, why: NotATemplate::Wrong { words: failed.words } }]
    })
}
