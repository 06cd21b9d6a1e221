//! The command that begins every ticket, whichever channel it came by.

use std::fmt::Display;

use attachment::Attachment;
use bundle::Place;

use super::lifecycle::links::Origin;
use crate::desk::id::{AttachmentId, PersonId, RequestTypeId};
use crate::desk::organisation::form::{
    Fault, Field, INTEGER_MAX, PROBLEMS_MAX, Problem, Raw, Value, check_characters, check_form, check_texts,
};
use crate::desk::organisation::{FieldKind, Organisation, RequestType};
use crate::desk::permission::MayCreate;
use crate::desk::refusal::Refusal;
use crate::desk::text::{into_normal, is_blank, quoted};

pub mod attachment;
pub mod bundle;
pub mod days;
pub mod outage;

/// Attachments that one submission may have.
pub const ATTACHMENTS_MAX: usize = 50;
/// Tags that a submission may come with.
pub const TAGS_MAX: usize = 50;
/// The longest name of a channel, in characters.
pub const CHANNEL_CHARS_MAX: usize = 64;
/// The longest name of an attached file, in characters: as long as file systems take, in bytes.
pub const ATTACHMENT_NAME_CHARS_MAX: usize = 255;
/// The longest media type, in characters (RFC 6838, section 4.2: two names of 127).
pub const MEDIA_TYPE_CHARS_MAX: usize = 255;

/// A submission, unchecked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Submission {
    pub request_type: String,
    /// The way by which it came in.
    pub channel: String,
    /// The channel that those who work on tickets say it came by, such as a call that they took.
    pub channel_named: Option<String>,
    pub subject: String,
    pub body: String,
    pub fields: Vec<(String, Raw)>,
    pub tags: Vec<String>,
    pub attachments: Vec<Attachment>,
    /// Files that the desk keeps already, which the ticket is to have.
    pub uploads: Vec<AttachmentId>,
    /// What the channel knows about the message, such as a mail's headers in lower case.
    pub headers: Vec<(String, String)>,
}

/// A submission that has passed the form: what the rules are asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTicket {
    pub request_type: RequestTypeId,
    pub channel: String,
    pub requester: PersonId,
    pub submitted_by: PersonId,
    pub subject: String,
    pub body: String,
    pub fields: Vec<Field>,
    pub tags: Vec<String>,
    pub attachments: Vec<Attachment>,
    /// Files that the desk keeps already and that are not among the attachments yet.
    pub uploads: Vec<AttachmentId>,
    pub headers: Vec<(String, String)>,
    /// The ticket that it comes from, where it does.
    pub origin: Option<Origin>,
    /// Its place among the tickets that are made with it.
    pub place: Place,
}

impl NewTicket {
    /// The bytes of all text in it.
    pub fn text_bytes(&self) -> usize {
        let fields = self.fields.iter().map(|(_, value)| match value {
            Value::Text(text) | Value::Choice(text) => text.len(),
            Value::Choices(texts) => texts.iter().map(String::len).sum(),
            Value::Number(_) | Value::Flag(_) | Value::Date(_) => 0,
        });
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        let tags = self.tags.iter().map(String::len);
        self.subject.len() + self.body.len() + fields.chain(headers).chain(tags).sum::<usize>()
    }

    /// The bytes of all that is kept of it.
    pub fn stored_bytes(&self) -> usize {
        let attachments = self.attachments.iter().map(|a| a.name.len() + a.media_type.len());
        self.text_bytes() + self.channel.len() + attachments.sum::<usize>()
    }

    /// Checks a submission against the request type's form.
    ///
    /// # Errors
    /// [`Refusal::Problems`] with every problem found.
    pub fn check(organisation: &Organisation, permit: &MayCreate, given: Submission) -> Result<NewTicket, Refusal> {
        let given = given.into_normal();
        let mut problems = check_people(organisation, permit);
        let form = match check_request_type(organisation, &given.request_type) {
            Ok(form) => form,
            Err(problem) => {
                problems.push(problem);
                return Err(Refusal::Problems { problems });
            }
        };
        problems.extend(check_texts(&given.subject, &given.body));
        problems.extend(check_channel(permit, &given));
        problems.extend(given.attachments.iter().find_map(check_attachment));
        problems.extend(check_counts(&given));
        problems.extend(check_tags(organisation, permit, &given.tags));
        let fields = match check_form(form, &given.fields) {
            Ok(fields) => {
                problems.extend(check_named(organisation, form, &fields));
                fields
            }
            Err(found) => {
                problems.extend(found);
                Vec::new()
            }
        };
        if !problems.is_empty() {
            return Err(Refusal::Problems { problems });
        }
        Ok(NewTicket {
            request_type: form.id.clone(),
            channel: given.channel_named.unwrap_or(given.channel),
            requester: permit.requester().clone(),
            submitted_by: permit.submitted_by().clone(),
            subject: given.subject,
            body: given.body,
            tags: given.tags,
            attachments: given.attachments,
            uploads: with_files(form, &fields, given.uploads),
            fields,
            headers: given.headers,
            origin: None,
            place: Place::default(),
        })
    }
}

impl Submission {
    /// The same in the one form in which texts are kept.
    fn into_normal(self) -> Self {
        let fields = self.fields.into_iter().map(|(name, raw)| (into_normal(name), raw.into_normal()));
        let attachment =
            |a: Attachment| Attachment { name: into_normal(a.name), media_type: into_normal(a.media_type), ..a };
        Self {
            request_type: into_normal(self.request_type),
            channel: self.channel,
            channel_named: self.channel_named.map(into_normal),
            subject: seen(into_normal(self.subject)),
            body: into_normal(self.body),
            fields: fields.collect(),
            tags: self.tags.into_iter().map(into_normal).collect(),
            attachments: self.attachments.into_iter().map(attachment).collect(),
            uploads: self.uploads,
            headers: self.headers.into_iter().map(|(name, value)| (into_normal(name), into_normal(value))).collect(),
        }
    }
}

/// A subject of which nothing can be seen is none: a list would show a line that cannot be opened, and a rule that counts characters
/// would take it for one. What is no text at all is left for the check of characters, which names it.
fn seen(subject: String) -> String {
    let is_none = is_blank(&subject) && check_characters("subject", &subject).is_none();
    if is_none { String::new() } else { subject }
}

/// The request type with this name.
///
/// # Errors
/// The problem that there is none.
pub(super) fn check_request_type<'o>(organisation: &'o Organisation, name: &str) -> Result<&'o RequestType, Problem> {
    organisation.request_types.get(name).ok_or_else(|| {
        let known: Vec<&str> = organisation.request_types.keys().map(|id| id.as_str()).collect();
        Problem::of("request_type", "unknown", Fault::NoRequestType, &[&known.join(", ")])
    })
}

/// A requester's submission came as it came: rules may go by the channel, so that only those who work on tickets name another.
fn check_channel(permit: &MayCreate, given: &Submission) -> Option<Problem> {
    let named = given.channel_named.as_ref().filter(|named| **named != given.channel)?;
    if !permit.by_desk() {
        return Some(Problem::of("channel", "not-yours", Fault::ChannelNotYours, &[&given.channel]));
    }
    let blank = || Problem::of("channel", "required", Fault::NoChannel, &[]);
    let too_long = check_length("channel", named, CHANNEL_CHARS_MAX);
    check_characters("channel", named).or(too_long).or_else(|| is_blank(named).then(blank))
}

fn check_length(field: &str, text: &str, chars_max: usize) -> Option<Problem> {
    let chars = text.chars().count();
    (chars > chars_max).then(|| Problem::of(field, "too-long", Fault::LongText, &[&chars, &chars_max]))
}

fn check_attachment(attachment: &Attachment) -> Option<Problem> {
    let Attachment { name, media_type, size, .. } = attachment;
    let field = "attachments";
    let too_large = || {
        let values: [&dyn Display; 3] = [name, size, &INTEGER_MAX];
        (*size > INTEGER_MAX).then(|| Problem::of(field, "too-large", Fault::LargeFile, &values))
    };
    let bad = |text: &str, chars_max| check_characters(field, text).or_else(|| check_length(field, text, chars_max));
    let blank = || is_blank(name).then(|| Problem::of(field, "required", Fault::NamelessFile, &[]));
    bad(name, ATTACHMENT_NAME_CHARS_MAX)
        .or_else(blank)
        .or_else(|| bad(media_type, MEDIA_TYPE_CHARS_MAX))
        .or_else(too_large)
}

/// The files that a submission is to have, with those that its fields name.
fn with_files(form: &RequestType, fields: &[Field], mut uploads: Vec<AttachmentId>) -> Vec<AttachmentId> {
    let is_file = |name: &str| form.fields.iter().any(|spec| spec.name == name && spec.kind == FieldKind::File);
    for (name, value) in fields {
        if let Value::Text(text) = value
            && is_file(name)
            && let Ok(id) = text.parse::<AttachmentId>()
            && !uploads.contains(&id)
        {
            uploads.push(id);
        }
    }
    uploads
}

/// The fields that name a person or an app that is not there.
fn check_named(organisation: &Organisation, form: &RequestType, fields: &[Field]) -> Vec<Problem> {
    let wrong = |(name, value): &Field| {
        let spec = form.fields.iter().find(|spec| spec.name == *name)?;
        let Value::Text(text) = value else { return None };
        let (is_there, fault) = match &spec.kind {
            FieldKind::Person => {
                (organisation.people.get(text.as_str()).is_some_and(|person| person.active), Fault::NoSuchPerson)
            }
            FieldKind::App => (organisation.apps.contains_key(text.as_str()), Fault::NoSuchApp),
            _ => return None,
        };
        (!is_there).then(|| Problem::of(name, "unknown", fault, &[&spec.label, text]))
    };
    fields.iter().filter_map(wrong).collect()
}

fn check_people(organisation: &Organisation, permit: &MayCreate) -> Vec<Problem> {
    match organisation.people.get(permit.requester()) {
        Some(person) if person.active => Vec::new(),
        Some(_) => vec![Problem::of("requester", "inactive", Fault::Left, &[])],
        None => vec![Problem::of("requester", "unknown", Fault::NoRequester, &[permit.requester()])],
    }
}

fn check_tags(organisation: &Organisation, permit: &MayCreate, tags: &[String]) -> Vec<Problem> {
    let problem = |tag: &String| {
        if !organisation.tags.contains(tag.as_str()) {
            return Some(Problem::of("tags", "unknown", Fault::NoTag, &[&quoted(tag)]));
        }
        let allowed = permit.by_desk() || organisation.requester_tags.contains(tag.as_str());
        (!allowed).then(|| Problem::of("tags", "not-yours", Fault::TagNotYours, &[tag]))
    };
    tags.iter().filter_map(problem).take(PROBLEMS_MAX).collect()
}

fn check_counts(given: &Submission) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut at_most = |field: &str, count: usize, max: usize| {
        if count > max {
            problems.push(Problem::of(field, "too-many", Fault::TooMany, &[&count, &max]));
        }
    };
    at_most("attachments", given.attachments.len() + given.uploads.len(), ATTACHMENTS_MAX);
    at_most("tags", given.tags.len(), TAGS_MAX);
    problems
}
