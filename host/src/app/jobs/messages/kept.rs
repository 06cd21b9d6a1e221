//! The letter by which a person hears that their mail is no ticket yet, but a draft of theirs.

use serde_json::Value;

use super::{Letter, STALE_AFTER, Step, TOKEN_DIGITS, unworded};
use crate::app::{Error, Office};
use crate::desk::change::message::MessageKind;
use crate::desk::id::DraftId;
use crate::desk::organisation::{Organisation, Person};
use crate::messages::facts::Facts;
use crate::store::jobs::messages::WaitingMessage;

impl Office {
    /// The step for such a message, whose place of a ticket has the id of the draft.
    pub(super) async fn kept_step(
        &self,
        message: WaitingMessage,
        person: &Person,
        organisation: &Organisation,
    ) -> Result<Step, Error> {
        let id = DraftId(message.ticket.0);
        let Some(draft) = self.store.draft(&person.id, id).await? else { return Ok(Step::Skip("its draft is gone")) };
        // A draft that cannot be read any more is a mail of theirs all the same.
        let content: Value = serde_json::from_str(&draft.content).unwrap_or_default();
        let subject = content.get("subject").and_then(Value::as_str).unwrap_or_default().to_owned();
        let link = self.correspondence.load().public_url.as_ref().map(|url| format!("{url}/drafts/{id}"));
        let facts = Facts::about_mail(&organisation.name, &person.name, subject, link);
        self.letter_alone(&message, person, MessageKind::MailKept, &facts).await
    }

    /// The step for a message that is about no ticket, and so in no thread.
    pub(super) async fn letter_alone(
        &self,
        message: &WaitingMessage,
        person: &Person,
        kind: MessageKind,
        facts: &Facts,
    ) -> Result<Step, Error> {
        if self.clock.now().duration_since(message.queued_at) > STALE_AFTER {
            return Ok(Step::Skip("it has waited for more than a week"));
        }
        let locale = self.locale_of(person, &self.preference_of(&person.id).await?);
        let words = self.correspondence.load_full().templates.message(&locale, kind, facts).map_err(unworded)?;
        let id = message.id;
        Ok(Step::Send(Box::new(Letter {
            messages: vec![id],
            id: format!("m.{id}.{}", self.token(&format!("message {id}"), TOKEN_DIGITS).await?),
            to_name: person.name.clone(),
            to_address: person.email.clone(),
            words,
            at: message.queued_at,
            thread: None,
            kind: Some(kind),
        })))
    }
}
