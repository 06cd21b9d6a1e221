//! The letters by which two people hear that one of them decides in the other's place, or does so no longer.

use super::{Step, name_of};
use crate::app::{Error, Office};
use crate::desk::change::message::MessageKind;
use crate::desk::id::DelegationId;
use crate::desk::organisation::{Organisation, Person};
use crate::messages::facts::{Delegation, Facts};
use crate::messages::words;
use crate::store::jobs::messages::WaitingMessage;

impl Office {
    /// The step for such a message, whose place of a ticket has the id of what was given.
    pub(super) async fn delegation_step(
        &self,
        message: WaitingMessage,
        person: &Person,
        organisation: &Organisation,
    ) -> Result<Step, Error> {
        let Some(found) = self.store.delegation(DelegationId(message.ticket.0)).await? else {
            return Ok(Step::Skip("it is gone"));
        };
        let locale = self.locale_of(person, &self.preference_of(&person.id).await?);
        let about = Delegation {
            person: name_of(organisation, &found.person),
            to: name_of(organisation, &found.to),
            from: words::day(&locale, found.from),
            until: words::day(&locale, found.until),
            ended: found.given.ended.is_some(),
            own: found.person == person.id,
        };
        let link = self.correspondence.load().public_url.as_ref().map(|url| format!("{url}/approvals"));
        let facts = Facts::about_delegation(&organisation.name, &person.name, about, link);
        self.letter_alone(&message, person, MessageKind::Delegation, &facts).await
    }
}
