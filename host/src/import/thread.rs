//! The comments of a ticket, as other desks export them: a cell with a JSON list, as Zendesk, Zammad and the interfaces of Jira and
//! Freshservice write them, or a cell for each comment with `TIME;AUTHOR;TEXT`, as Jira's CSV has it.
//!
//! Comments that a list says are private stay private, by whichever of its words it says so. What says nothing is private as well, unless
//! the mapping says otherwise: a note that a requester reads cannot be taken back.

use jiff::Timestamp;
use serde_json::Value;

use super::read::Plan;
use crate::desk::id::{NotAnId, PersonId};

/// The most comments of one ticket.
pub const COMMENTS_MAX: usize = 2_000;

/// Names under which exports have a comment's text; what has no markup first.
const BODIES: [&str; 6] = ["plain_body", "body_text", "body", "text", "content", "html_body"];
const TIMES: [&str; 4] = ["created_at", "created", "createdAt", "time"];
const AUTHORS: [&str; 6] = ["author", "created_by", "from_email", "author_id", "user_id", "from"];
/// Names by which an object says who it is.
const NAMES: [&str; 6] = ["email", "emailAddress", "login", "name", "displayName", "id"];
/// Names of a truth that the comment is public, and of one that it is not.
const PUBLIC: [&str; 3] = ["public", "jsdPublic", "is_public"];
const PRIVATE: [&str; 4] = ["private", "internal", "is_private", "is_internal"];

/// A comment, as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub at: Timestamp,
    /// `None` where the file names no one.
    pub author: Option<PersonId>,
    pub body: String,
    pub is_public: bool,
}

/// Why the comments of a row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThreadWrong {
    #[error("a cell of comments is neither a JSON list of objects nor `TIME;AUTHOR;TEXT`")]
    NoThread,
    #[error("comment {n} of its cell does not say when it was written, in a form that is known")]
    NoTime { n: usize },
    #[error("the author of comment {n} of its cell {wrong}")]
    Author { n: usize, wrong: NotAnId },
    #[error("the ticket has more than {COMMENTS_MAX} comments")]
    TooMany,
}

/// The comments of a cell; `is_public` is what holds for those that do not say it.
pub(super) fn read(cell: &str, is_public: bool, plan: &Plan) -> Result<Vec<Comment>, ThreadWrong> {
    let cell = cell.trim();
    if !cell.starts_with(['[', '{']) {
        return Ok(vec![line(cell, is_public, plan)?]);
    }
    let value: Value = serde_json::from_str(cell).map_err(|_| ThreadWrong::NoThread)?;
    let inner = ["comments", "articles", "conversations"].into_iter().find_map(|name| value.get(name));
    let list = inner.unwrap_or(&value).as_array().ok_or(ThreadWrong::NoThread)?;
    if list.len() > COMMENTS_MAX {
        return Err(ThreadWrong::TooMany);
    }
    let mut comments = Vec::with_capacity(list.len());
    for (n, value) in (1..).zip(list) {
        if !value.is_object() {
            return Err(ThreadWrong::NoThread);
        }
        let body = BODIES.into_iter().find_map(|name| body(value.get(name)?)).unwrap_or_default();
        // Such as one that has only a file.
        if body.trim().is_empty() {
            continue;
        }
        let author = AUTHORS.into_iter().find_map(|name| who(value.get(name)?));
        comments.push(Comment {
            at: time(value, plan).ok_or(ThreadWrong::NoTime { n })?,
            author: author.map(|text| person(&text, n, plan)).transpose()?,
            body,
            is_public: says(value).unwrap_or(is_public),
        });
    }
    Ok(comments)
}

/// A cell with one comment, whose text may have semicolons.
fn line(cell: &str, is_public: bool, plan: &Plan) -> Result<Comment, ThreadWrong> {
    let mut parts = cell.splitn(3, ';');
    let (Some(at), Some(author), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(ThreadWrong::NoThread);
    };
    let at = plan.instant(at.trim()).ok_or(ThreadWrong::NoTime { n: 1 })?;
    let author = Some(author.trim()).filter(|text| !text.is_empty()).map(|text| person(text, 1, plan)).transpose()?;
    Ok(Comment { at, author, body: body.trim().to_owned(), is_public })
}

/// Whether a comment says that it is public; of two words that differ, the one that hides it counts. One that is shown to some
/// only, as in Jira, is not public.
fn says(comment: &Value) -> Option<bool> {
    let truth =
        |names: &[&str], wanted: bool| names.iter().any(|name| comment.get(*name).and_then(truth_of) == Some(wanted));
    let restricted =
        comment.get("visibility").is_some_and(|visibility| !visibility.is_null() && visibility != "public");
    if restricted || truth(&PUBLIC, false) || truth(&PRIVATE, true) {
        return Some(false);
    }
    let public =
        truth(&PUBLIC, true) || truth(&PRIVATE, false) || comment.get("visibility").is_some_and(|v| v == "public");
    public.then_some(true)
}

/// A truth, also where a table has passed it on as a text or as a number.
fn truth_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn time(comment: &Value, plan: &Plan) -> Option<Timestamp> {
    TIMES.into_iter().find_map(|name| {
        let value = comment.get(name)?;
        let text = value.as_str().or_else(|| value.get("iso8601")?.as_str())?;
        let plain = || Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok();
        text.parse().ok().or_else(plain).or_else(|| plan.instant(text))
    })
}

/// The text that names a person: an address where there is one.
fn who(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Object(fields) => return NAMES.into_iter().find_map(|name| who(fields.get(name)?)),
        _ => return None,
    };
    // `Amara Okafor <amara@meridian.example>`
    let address = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    Some(address.unwrap_or(&text).trim().to_owned()).filter(|text| !text.is_empty())
}

fn person(text: &str, n: usize, plan: &Plan) -> Result<PersonId, ThreadWrong> {
    plan.people.person(text).map_err(|wrong| ThreadWrong::Author { n, wrong })
}

/// A text, or the text of a document in Jira's format: a tree whose leaves have `text`.
pub(super) fn body(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(node) => {
            if let Some(text) = node.get("text").and_then(Value::as_str) {
                return Some(text.to_owned());
            }
            let inner: Vec<String> = node.get("content")?.as_array()?.iter().filter_map(body).collect();
            let is_block = inner.len() > 1 && node.get("type").is_some_and(|kind| kind == "doc");
            Some(inner.join(if is_block { "\n" } else { "" }))
        }
        _ => None,
    }
}

/// The comments in the order of their times, without the one that is the ticket's own text, with which some exports begin.
pub(super) fn in_order(mut comments: Vec<Comment>, body: &str) -> Result<Vec<Comment>, ThreadWrong> {
    if comments.len() > COMMENTS_MAX {
        return Err(ThreadWrong::TooMany);
    }
    comments.sort_by_key(|comment| comment.at);
    if comments.first().is_some_and(|first| !body.is_empty() && first.body.trim() == body.trim()) {
        comments.remove(0);
    }
    Ok(comments)
}
