//! One submission for several items or several people. Each item for each person is a request of its own, with a decision of its
//! own: one that is denied holds up no other. What cannot be asked for as it stands is refused as a whole, before any request is
//! made. Sent again with the same key, it makes what is still missing, and nothing twice.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::app::tickets::change::{Key, idempotency};
use crate::app::tickets::submit::digest;
use crate::app::{App, Error};
use crate::desk::access::AccessRequest;
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Fault, Problem, Raw};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::intake::{NewTicket, Submission};
pub use crate::store::access::submissions::{AccessSubmission, SubmissionPart};

/// The most requests of one submission.
const PARTS_MAX: usize = 50;
/// The bytes that the desk keeps of each besides its ticket, also where none comes of it: they count as text of the one who asks.
const PART_BYTES: usize = 1_000;

/// All that one submission asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionRequest {
    /// The people who are to have it; empty for the one who asks.
    pub people: Vec<String>,
    pub items: Vec<SubmissionItem>,
    pub justification: String,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionItem {
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    pub hours: Option<u32>,
    /// The day or the instant at which it is to begin, as the form takes it; `None` for at once.
    pub starts: Option<String>,
}

/// The form of a desk that has none for access any more: what is asked for by it is refused.
const NO_FORM: &str = "access";

impl App {
    /// Makes a request of each item for each person.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] where a part cannot be asked for as it stands: then none is made. [`Error::KeyReused`]; where the store
    /// cannot be written, or the rules have too much to do: then the same request, sent again with its key, makes the rest.
    pub async fn ask_for_several(
        self: &Arc<Self>,
        actor: &Actor,
        request: &SubmissionRequest,
        key: Option<Key>,
    ) -> Result<AccessSubmission, Error> {
        let no_person = || rejected(vec![Problem::of("people", "required", Fault::AsksAsPerson, &[])]);
        let requester = actor.person().ok_or_else(no_person)?.clone();
        let kept = match self.begun_before(&requester, key.as_ref()).await? {
            Some(kept) => kept,
            None => self.begin_submission(actor, &requester, request, key).await?,
        };
        let organisation = self.organisation();
        let form = organisation.request_types.values().find(|form| form.grants_access);
        let wanted = asked(form.map_or(NO_FORM, |form| form.id.as_str()), &requester, request);
        for (number, ((_, wanted), part)) in wanted.into_iter().zip(&kept.parts).enumerate() {
            if part.ticket.is_none() && part.problem.is_none() {
                self.make_part(actor, (kept.id, number), wanted).await?;
            }
        }
        let missing = || Error::Missing { what: "submission", name: kept.id.to_string() };
        self.store.submission(kept.id).await?.ok_or_else(missing)
    }

    /// The submission of this key that was begun before, also where not all of it could be asked for by now.
    async fn begun_before(&self, requester: &PersonId, key: Option<&Key>) -> Result<Option<AccessSubmission>, Error> {
        let Some((key, digest)) = key else { return Ok(None) };
        let kept = self.store.submission(id_of(requester, key)).await?;
        if kept.as_ref().is_some_and(|kept| kept.digest != *digest) {
            return Err(Error::KeyReused);
        }
        Ok(kept)
    }

    /// Keeps a submission of which each part can be asked for; nothing of it is made yet.
    async fn begin_submission(
        &self,
        actor: &Actor,
        requester: &PersonId,
        request: &SubmissionRequest,
        key: Option<Key>,
    ) -> Result<AccessSubmission, Error> {
        let parts = check(&self.organisation(), actor, requester, request)?;
        self.count_text(actor, parts.len().saturating_mul(PART_BYTES))?;
        let id = key.as_ref().map_or_else(|| self.clock.new_id(), |(key, _)| id_of(requester, key));
        let digest = key.map_or_else(String::new, |(_, digest)| digest);
        let new = AccessSubmission { id, requester: requester.clone(), digest, asked_at: self.clock.now(), parts };
        self.store.keep_submission(&new).await?;
        let missing = || Error::Missing { what: "submission", name: id.to_string() };
        let kept = self.store.submission(id).await?.ok_or_else(missing)?;
        if kept.digest != new.digest || kept.parts.len() != new.parts.len() {
            return Err(Error::KeyReused);
        }
        Ok(kept)
    }

    /// Makes one part, or notes why it cannot be: the submission comes to its end also where the catalog or the form is another by now.
    async fn make_part(
        self: &Arc<Self>,
        actor: &Actor,
        (whole, part): (Uuid, usize),
        submission: Submission,
    ) -> Result<(), Error> {
        // A host that dies between the request and the note of it finds the request again. The word is that of earlier releases, whose
        // requests are found as well.
        let key = (format!("bundle {whole}/{part}"), digest(format!("{whole}/{part}").as_bytes()));
        let made = match self.create_ticket(actor, None, submission, Some(key.clone())).await {
            // The same submission, sent twice at once, may have made it meanwhile: of one access, one request may wait.
            Err(refused @ (Error::Rejected { .. } | Error::Refused(_))) => {
                self.made_meanwhile(actor, key).await?.ok_or(refused)
            }
            made => made.map(|made| made.ticket.number),
        };
        let outcome = match made {
            Ok(number) => Ok(number),
            Err(Error::Rejected { problems } | Error::Refused(Refusal::Problems { problems })) => {
                Err(problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join(" "))
            }
            Err(Error::Refused(refusal)) => Err(refusal.to_string()),
            Err(error) => return Err(error),
        };
        Ok(self.store.settle_part((whole, part), outcome.as_ref().map(|n| *n).map_err(String::as_str)).await?)
    }

    /// The ticket of a part that was made under its key.
    async fn made_meanwhile(&self, actor: &Actor, key: Key) -> Result<Option<TicketNumber>, Error> {
        let made = self.made_under_key(idempotency(actor, Some(key)).as_ref()).await?;
        Ok(made.map(|made| made.ticket.number))
    }

    /// A submission with where each of its requests stands. For the one who has asked, agents and admins.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; where the store cannot be read.
    pub async fn access_submission(&self, actor: &Actor, id: Uuid) -> Result<AccessSubmission, Error> {
        let missing = || Error::Missing { what: "submission", name: id.to_string() };
        let found = self.store.submission(id).await?.ok_or_else(missing)?;
        if actor.person() != Some(&found.requester) && permission::read_decisions(actor).is_err() {
            return Err(missing());
        }
        Ok(found)
    }
}

/// The id of the submission with a person's key: the same key is the same submission.
fn id_of(requester: &PersonId, key: &str) -> Uuid {
    // The word is that of earlier releases, so that what was sent to them is still the same submission.
    let hash = Sha256::digest(format!("access bundle\n{requester}\n{key}").as_bytes());
    let bytes: [u8; 16] = hash.first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// All parts, where each can be asked for as it stands.
fn check(
    organisation: &Organisation,
    actor: &Actor,
    requester: &PersonId,
    request: &SubmissionRequest,
) -> Result<Vec<SubmissionPart>, Error> {
    let count = request.people.len().max(1).saturating_mul(request.items.len());
    if !(1..=PARTS_MAX).contains(&count) {
        return Err(rejected(vec![Problem::of("items", "out-of-range", Fault::ManyRequests, &[&count, &PARTS_MAX])]));
    }
    let form = organisation.request_types.values().find(|form| form.grants_access);
    let Some(form) = form else {
        return Err(rejected(vec![Problem::of("items", "no-form", Fault::NoAccessForm, &[])]));
    };
    let permit = permission::create(organisation, actor, None)?;
    let (mut checked, mut problems) = (Vec::new(), Vec::new());
    for ((at, of), submission) in asked(form.id.as_str(), requester, request) {
        let place = |problem: Problem| {
            let name = problem.field.strip_prefix("fields.").unwrap_or(&problem.field);
            let field = match name {
                "for" => format!("people[{of}]"),
                "justification" => "justification".to_owned(),
                field => format!("items[{at}].{field}"),
            };
            Problem { field, ..problem }
        };
        match part(organisation, &permit, requester, submission) {
            Ok(one) if checked.contains(&one) => {
                let field = format!("items[{at}]");
                problems.push(Problem::of(&field, "repeated", Fault::AskedTwice, &[&one.app, &one.tier, &one.subject]));
            }
            Ok(one) => checked.push(one),
            Err(found) => problems.extend(found.into_iter().map(place)),
        }
    }
    problems.dedup();
    if problems.is_empty() { Ok(checked) } else { Err(rejected(problems)) }
}

fn rejected(problems: Vec<Problem>) -> Error {
    Error::Rejected { problems }
}

fn part(
    organisation: &Organisation,
    permit: &permission::MayCreate,
    requester: &PersonId,
    submission: Submission,
) -> Result<SubmissionPart, Vec<Problem>> {
    let new = NewTicket::check(organisation, permit, submission).map_err(|refusal| match refusal {
        Refusal::Problems { problems } => problems,
        other => vec![Problem::new("app", "refused", other.to_string())],
    })?;
    let AccessRequest { subject, app, tier, .. } = AccessRequest::from_fields(organisation, requester, &new.fields)?;
    Ok(SubmissionPart { subject, app, tier, ticket: None, problem: None, state: None })
}

/// The submission of each part, in order, with the places of its item and its person.
fn asked(form: &str, requester: &PersonId, request: &SubmissionRequest) -> Vec<((usize, usize), Submission)> {
    let own = [requester.to_string()];
    let people = if request.people.is_empty() { &own[..] } else { &request.people };
    let items = request.items.iter().enumerate();
    let each = items.flat_map(|(at, item)| people.iter().enumerate().map(move |(of, person)| ((at, of), item, person)));
    let whole = |(place, item, person): ((usize, usize), &SubmissionItem, &String)| {
        (place, submission(form, item, (person, requester), &request.justification))
    };
    each.map(whole).collect()
}

fn submission(
    form: &str,
    item: &SubmissionItem,
    (person, requester): (&str, &PersonId),
    justification: &str,
) -> Submission {
    let text = |name: &str, text: &str| (name.to_owned(), Raw::Text(text.to_owned()));
    let mut fields = vec![text("app", &item.app), text("tier", &item.tier), text("justification", justification)];
    fields.extend(item.hours.map(|hours| ("duration-hours".to_owned(), Raw::Number(f64::from(hours)))));
    fields.extend(item.starts.as_deref().map(|starts| text("starts", starts)));
    fields.extend(item.role.as_deref().map(|role| text("role", role)));
    fields.extend((person != requester.as_str()).then(|| text("for", person)));
    Submission {
        request_type: form.to_owned(),
        channel: "api".to_owned(),
        subject: format!("Access to {}/{}", item.app, item.tier),
        fields,
        ..Submission::default()
    }
}
