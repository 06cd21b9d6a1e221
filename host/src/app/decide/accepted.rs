//! A submission as intake leaves it: what the stages after it begin with.

use jiff::Timestamp;

use super::translate;
use crate::desk::access::AccessRequest;
use crate::desk::organisation::form::{Field, Problem};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::ticket::intake::NewTicket;
use crate::desk::verdict::Changes;
use crate::rules::contract;

/// The state before the first stage has decided: the tags are the ticket's own, and the kind is the form's.
pub fn nothing_so_far(tags: &[String], form: &RequestType) -> contract::SoFar {
    contract::SoFar { tags: tags.to_vec(), kind: form.kind.code().to_owned(), ..contract::SoFar::default() }
}

/// Puts intake's changes into the submission; whether there were any that rules see.
pub fn apply(new: &mut NewTicket, changes: &Changes) -> bool {
    if let Some(subject) = &changes.subject {
        new.subject.clone_from(subject);
    }
    if let Some(body) = &changes.body {
        new.body.clone_from(body);
    }
    for (name, value) in &changes.fields {
        new.fields.retain(|(other, _): &Field| other != name);
        new.fields.push((name.clone(), value.clone()));
    }
    let own: Vec<String> = changes.tags.iter().map(ToString::to_string).collect();
    new.tags.extend(own.into_iter().filter(|tag| !new.tags.contains(tag)).collect::<Vec<_>>());
    changes.subject.is_some()
        || changes.body.is_some()
        || !changes.fields.is_empty()
        || !changes.tags.is_empty()
        || !changes.signals.is_empty()
}

/// A submission with intake's changes, as the later stages see it.
pub fn after_intake(new: &NewTicket, changes: &Changes, now: Timestamp) -> contract::Ticket {
    let mut ticket = translate::ticket(new, now);
    ticket.signals.clone_from(&changes.signals);
    ticket
}

/// The access that a submission asks for, where its form grants any.
///
/// # Errors
///
/// The parts of it that cannot be asked for.
pub fn access_request(
    organisation: &Organisation,
    form: &RequestType,
    new: &NewTicket,
) -> Result<Option<AccessRequest>, Vec<Problem>> {
    if !form.grants_access {
        return Ok(None);
    }
    AccessRequest::from_fields(organisation, &new.requester, &new.fields).map(Some)
}
