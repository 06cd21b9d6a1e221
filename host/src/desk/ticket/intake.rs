//! The command that begins every ticket, whichever channel it came by.

use super::Attachment;
use crate::desk::id::{PersonId, RequestTypeId};
use crate::desk::organisation::form::{
    Field, PROBLEMS_MAX, Problem, Raw, Value, check_characters, check_form, check_texts,
};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::permission::MayCreate;
use crate::desk::refusal::Refusal;

/// Attachments that one submission may have.
pub const ATTACHMENTS_MAX: usize = 50;
/// Tags that a submission may come with.
pub const TAGS_MAX: usize = 50;

/// What somebody submits, unchecked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Submission {
    pub request_type: String,
    pub channel: String,
    pub subject: String,
    pub body: String,
    pub fields: Vec<(String, Raw)>,
    pub tags: Vec<String>,
    pub attachments: Vec<Attachment>,
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
    pub headers: Vec<(String, String)>,
}

impl NewTicket {
    /// The bytes of all text in it.
    pub fn text_bytes(&self) -> usize {
        let fields = self.fields.iter().map(|(_, value)| match value {
            Value::Text(text) | Value::Choice(text) => text.len(),
            _ => 0,
        });
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        let tags = self.tags.iter().map(String::len);
        self.subject.len() + self.body.len() + fields.chain(headers).chain(tags).sum::<usize>()
    }

    /// Checks a submission against the request type's form.
    ///
    /// # Errors
    /// [`Refusal::Problems`] with every problem found.
    pub fn check(organisation: &Organisation, permit: &MayCreate, given: Submission) -> Result<NewTicket, Refusal> {
        let mut problems = check_people(organisation, permit);
        let form = match check_request_type(organisation, &given.request_type) {
            Ok(form) => form,
            Err(problem) => {
                problems.push(problem);
                return Err(Refusal::Problems { problems });
            }
        };
        problems.extend(check_texts(&given.subject, &given.body));
        problems.extend(check_characters("channel", &given.channel));
        problems.extend(given.attachments.iter().find_map(|a| check_characters("attachments", &a.name)));
        problems.extend(given.attachments.iter().find_map(check_size));
        problems.extend(check_counts(&given));
        problems.extend(check_tags(organisation, &given.tags));
        let fields = match check_form(form, &given.fields) {
            Ok(fields) => fields,
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
            channel: given.channel,
            requester: permit.requester().clone(),
            submitted_by: permit.submitted_by().clone(),
            subject: given.subject,
            body: given.body,
            fields,
            tags: given.tags,
            attachments: given.attachments,
            headers: given.headers,
        })
    }
}

/// The largest integer that a rule is ever shown: what every language and every reader of JSON takes exactly (RFC 7493,
/// section 2.2). All others that a desk counts lie far below.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The request type with this name.
///
/// # Errors
/// The problem that there is none.
pub(super) fn check_request_type<'o>(organisation: &'o Organisation, name: &str) -> Result<&'o RequestType, Problem> {
    organisation.request_types.get(name).ok_or_else(|| {
        let known: Vec<&str> = organisation.request_types.keys().map(|id| id.as_str()).collect();
        let message = format!("is not a request type: use one of {}", known.join(", "));
        Problem::new("request_type", "unknown", message)
    })
}

fn check_size(attachment: &Attachment) -> Option<Problem> {
    let message = || format!("`{}` has {} bytes: at most {INTEGER_MAX}", attachment.name, attachment.size);
    (attachment.size > INTEGER_MAX).then(|| Problem::new("attachments", "too-large", message()))
}

fn check_people(organisation: &Organisation, permit: &MayCreate) -> Vec<Problem> {
    match organisation.people.get(permit.requester()) {
        Some(person) if person.active => Vec::new(),
        Some(_) => vec![Problem::new("requester", "inactive", "has left the organisation")],
        None => {
            let message = format!("`{}` is nobody in the directory", permit.requester());
            vec![Problem::new("requester", "unknown", message)]
        }
    }
}

fn check_tags(organisation: &Organisation, tags: &[String]) -> Vec<Problem> {
    let unknown = tags.iter().filter(|tag| !organisation.tags.contains(tag.as_str()));
    let problem = |tag| Problem::new("tags", "unknown", format!("`{tag}` is not a tag of the taxonomy"));
    unknown.take(PROBLEMS_MAX).map(problem).collect()
}

fn check_counts(given: &Submission) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut at_most = |field: &str, count: usize, max: usize| {
        if count > max {
            problems.push(Problem::new(field, "too-many", format!("has {count}: at most {max}")));
        }
    };
    at_most("attachments", given.attachments.len(), ATTACHMENTS_MAX);
    at_most("tags", given.tags.len(), TAGS_MAX);
    problems
}
