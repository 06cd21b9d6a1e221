//! The content of a draft: a submission as the interface takes it, so that a page goes on with a draft that a program keeps, and
//! a program with one that a page keeps.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::desk::id::PersonId;
use crate::desk::organisation::form::Raw;
use crate::desk::ticket::Attachment;
use crate::desk::ticket::intake::Submission;

/// A submission that is kept. It has the keys of the body of `POST /api/v1/tickets`, and its JSON is one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DraftContent {
    pub request_type: String,
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub fields: Map<String, Value>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub attachments: Vec<DeclaredFile>,
    #[serde(default)]
    pub uploads: Vec<Uuid>,
    #[serde(default)]
    pub requester: Option<String>,
    #[serde(default)]
    pub channel: Option<String>,
}

/// A file of which only the description is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredFile {
    pub name: String,
    pub media_type: String,
    pub size: u64,
}

impl DraftContent {
    /// Reads the content of a draft.
    ///
    /// # Errors
    ///
    /// Where it is no submission.
    pub fn read(content: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(content)
    }

    /// A submission as a draft keeps it.
    pub fn of(submission: &Submission, requester: Option<&PersonId>) -> Self {
        let field = |(name, raw): &(String, Raw)| (name.clone(), value(raw));
        let file = |file: &Attachment| DeclaredFile {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
        };
        DraftContent {
            request_type: submission.request_type.clone(),
            subject: submission.subject.clone(),
            body: submission.body.clone(),
            fields: submission.fields.iter().map(field).collect(),
            tags: submission.tags.clone(),
            attachments: submission.attachments.iter().map(file).collect(),
            uploads: submission.uploads.iter().map(|id| id.0).collect(),
            requester: requester.map(ToString::to_string),
            channel: submission.channel_named.clone(),
        }
    }

    /// Gives a submission the tags and the described files of this one: a form has no place for them.
    pub fn complete(&self, submission: &mut Submission) {
        let file = |file: &DeclaredFile| Attachment {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            content: None,
        };
        submission.tags.clone_from(&self.tags);
        submission.attachments = self.attachments.iter().map(file).collect();
    }

    /// The text that is kept.
    pub fn text(&self) -> String {
        // Texts, numbers and lists: there is nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn value(raw: &Raw) -> Value {
    match raw {
        Raw::Null | Raw::Other => Value::Null,
        Raw::Text(text) => text.as_str().into(),
        Raw::Number(number) => (*number).into(),
        Raw::Flag(flag) => (*flag).into(),
        Raw::List(items) => items.iter().map(value).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_kept_and_read_again_as_it_was() {
        let fields = [
            ("device", Raw::Text("laptop".to_owned())),
            ("people", Raw::Number(3.0)),
            ("urgent", Raw::Flag(true)),
            ("tools", Raw::List(vec![Raw::Text("a".to_owned()), Raw::Text("b".to_owned())])),
        ];
        let submission = Submission {
            request_type: "hardware".to_owned(),
            channel: "portal".to_owned(),
            channel_named: Some("phone".to_owned()),
            subject: "A laptop".to_owned(),
            fields: fields.into_iter().map(|(name, raw)| (name.to_owned(), raw)).collect(),
            ..Submission::default()
        };
        let kept = DraftContent::of(&submission, Some(&"amara".parse().unwrap()));
        let read = DraftContent::read(&kept.text()).unwrap();
        assert_eq!(read, kept);
        let expected = serde_json::json!({ "device": "laptop", "people": 3.0, "urgent": true, "tools": ["a", "b"] });
        assert_eq!(Value::Object(read.fields), expected);
        assert_eq!((read.requester.as_deref(), read.channel.as_deref()), (Some("amara"), Some("phone")));
        let tagged = DraftContent { tags: vec!["vip".to_owned()], ..kept };
        let mut again = Submission::default();
        tagged.complete(&mut again);
        assert_eq!((again.tags, again.attachments), (vec!["vip".to_owned()], Vec::new()));
        assert!(DraftContent::read("{}").is_err(), "without a request type it is no submission");
    }
}
