//! The letters by which two people hear that one of them decides in the other's place, or does so no longer.

use super::{Letter, STALE_AFTER, Step, TOKEN_DIGITS, name_of, unworded};
use crate::app::{Error, Office};
use crate::desk::change::message::MessageKind;
use crate::desk::id::DelegationId;
use crate::desk::organisation::{Organisation, Person};
use crate::messages::facts::{Delegation, Facts};
use crate::store::jobs::messages::WaitingMessage;

impl Office {
    /// The step for such a message, whose place of a ticket has the id of what was given.
    pub(super) async fn delegation_step(
        &self,
        message: WaitingMessage,
        person: &Person,
        organisation: &Organisation,
    ) -> Result<Step, Error> {
        if self.clock.now().duration_since(message.queued_at) > STALE_AFTER {
            return Ok(Step::Skip("it has waited for more than a week"));
        }
        let Some(found) = self.store.delegation(DelegationId(message.ticket.0)).await? else {
            return Ok(Step::Skip("it is gone"));
        };
        let locale = self.locale_of(person, &self.preference_of(&person.id).await?);
        let correspondence = self.correspondence.load_full();
        let about = Delegation {
            person: name_of(organisation, &found.person),
            to: name_of(organisation, &found.to),
            from: found.from.to_string(),
            until: found.until.to_string(),
            ended: found.given.ended.is_some(),
            own: found.person == person.id,
        };
        let link = correspondence.public_url.as_ref().map(|url| format!("{url}/approvals"));
        let facts = Facts::about_delegation(&organisation.name, &person.name, about, link);
        let words = correspondence.templates.message(&locale, MessageKind::Delegation, &facts).map_err(unworded)?;
        let id = message.id;
        Ok(Step::Send(Box::new(Letter {
            messages: vec![id],
            id: format!("m.{id}.{}", self.token(&format!("message {id}"), TOKEN_DIGITS).await?),
            to_name: person.name.clone(),
            to_address: person.email.clone(),
            words,
            at: message.queued_at,
            thread: None,
            kind: Some(MessageKind::Delegation),
        })))
    }
}
