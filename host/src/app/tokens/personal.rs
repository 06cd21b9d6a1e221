//! Everything that the desk keeps of a person: given out on request, and erased (GDPR, articles 15 and 17).

use std::collections::BTreeSet;

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::desk::organisation::form::Problem;
use crate::desk::organisation::{FieldKind, Organisation, Person};
use crate::desk::permission;
use crate::desk::ticket::edit::check_reason;
use crate::store::people::personal::Erasure;
pub use crate::store::people::personal::Kept;

/// Hexadecimal digits of the name in an erased person's place: 64 bits.
const PSEUDONYM_DIGITS: usize = 16;

/// A person was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedPerson {
    /// The name in the person's place, which leads back to no one.
    pub pseudonym: String,
    pub tickets: usize,
    /// Entries of timelines that were changed.
    pub entries: usize,
}

/// The fields of all forms that hold no person.
fn texts(organisation: &Organisation) -> BTreeSet<(String, String)> {
    let forms = organisation.request_types.values();
    let fields = forms.flat_map(|form| form.fields.iter().map(move |spec| (form, spec)));
    let others = fields.filter(|(_, spec)| !matches!(spec.kind, FieldKind::Person));
    others.map(|(form, spec)| (form.id.to_string(), spec.name.clone())).collect()
}

impl Office {
    /// Everything that the desk keeps of a person, also of one who has left.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for all but admins and the operator.
    pub async fn export_person(&self, actor: &Actor, person: &PersonId) -> Result<Vec<Kept>, Error> {
        permission::administer(actor)?;
        Ok(self.store.kept_of(person).await?)
    }

    /// Puts another name in the place of a person who has left, and takes away the words of their own tickets. What proves who had
    /// access and how rules decided stays. Done again, it goes on where it was cut off.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] for a person who is here, has unfinished tickets or holds access, and without a
    /// reason.
    pub async fn erase_person(&self, actor: &Actor, person: &PersonId, reason: &str) -> Result<ErasedPerson, Error> {
        permission::administer(actor)?;
        let mut problems: Vec<Problem> = check_reason("reason", reason).into_iter().collect();
        let mut refuse = |message: &str| problems.push(Problem::new("person", "in-use", message.to_owned()));
        let here = self.organisation().is_active(person);
        if here {
            refuse("is here: let the directory say first that the person has left");
        }
        let configured = self.configured();
        let today = configured.calendar.zone.to_datetime(self.clock.now()).date();
        let stays = |known: &Person| known.active && !known.valid.is_over_on(today);
        if !here && configured.people.get(person).is_some_and(stays) {
            // What the provider said against it goes with the person.
            refuse("is here by the configuration: let people.toml say first that the person has left");
        }
        if self.store.work_left_with(person).await? > 0 {
            refuse("has unfinished tickets: end them, or give them to another person");
        }
        if !self.store.grants_in_force(person, self.clock.now()).await?.is_empty() {
            refuse("holds access: take it back first");
        }
        if !problems.is_empty() {
            return Err(Error::Rejected { problems });
        }
        let by = crate::app::office::signatory(actor).to_string();
        // One who may erase a person may end what lets the person in, without the right over others' tokens.
        for token in self.store.tokens(Some(person)).await?.into_iter().filter(|token| token.revoked_at.is_none()) {
            let hash = self.token_of_id(&token.id).await?;
            self.store.revoke_token(&hash, &by, self.clock.now()).await?;
        }
        let pseudonym = format!("erased-{}", self.token(&format!("person {person}"), PSEUDONYM_DIGITS).await?);
        let texts = texts(&self.organisation());
        let erasure = Erasure { person, pseudonym: &pseudonym, texts: &texts, by: &by, now: self.clock.now() };
        let done = self.store.erase_person(erasure).await?;
        Ok(ErasedPerson { tickets: done.tickets, entries: done.entries, pseudonym })
    }
}
