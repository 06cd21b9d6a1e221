//! Drafts: requests that are not sent yet. The desk keeps them, so that their authors go on with them on another day, or at
//! another device, with what was wrong when they were sent.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::files;
use super::request::{self, FIELD, FILES};
use crate::app::Error;
use crate::app::tickets::submit::CreatedTicket;
use crate::app::tickets::submit::draft_content::DraftContent;
use crate::app::tickets::submit::drafts::{DRAFTS_MAX, StoredDraft};
use crate::desk::id::{AttachmentId, DraftId, PersonId};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::organisation::{FieldKind, RequestType};
use crate::desk::ticket::intake::Submission;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// The name under which a form carries the draft that it goes on with.
const DRAFT: &str = "draft";
/// The code of the problem that a draft is kept no longer.
const GONE: &str = "gone";

/// A draft of the list.
struct Listed {
    id: String,
    title: String,
    /// The name of its form; `None` where that is not offered any more, or where the draft cannot be read.
    form: Option<String>,
    saved: When,
    /// How many problems were found when it was sent.
    problems: usize,
}

#[derive(Template)]
#[template(path = "portal/drafts.html")]
struct DraftsPage {
    f: Frame,
    rows: Vec<Listed>,
    /// The key of what was done just now.
    done: Option<&'static str>,
}

/// The act that leads here.
#[derive(Debug, Deserialize)]
pub struct Done {
    done: Option<String>,
}

/// `GET /drafts`.
pub async fn list(visit: Visit, Query(Done { done }): Query<Done>) -> Result<Response, Failure> {
    let drafts = visit.app.drafts(&visit.actor).await?;
    let f = visit.frame;
    let row = |draft: StoredDraft| {
        let content = DraftContent::read(&draft.content).inspect_err(|_| visit.app.leave_out_draft(draft.id)).ok();
        let form = content.as_ref().and_then(|c| f.organisation.request_types.get(c.request_type.as_str()));
        let form = form.map(|form| form.name.clone());
        let subject = content.map(|content| content.subject).filter(|subject| !subject.trim().is_empty());
        let title = subject.or_else(|| form.clone()).unwrap_or_else(|| f.words.t("drafts.unreadable"));
        let (saved, problems) = (f.times.ago(draft.saved_at), draft.problems.len());
        Listed { id: draft.id.to_string(), title, form, saved, problems }
    };
    let rows = drafts.into_iter().map(row).collect();
    let done = done.and_then(|done| match done.as_str() {
        "kept" => Some("drafts.kept"),
        "gone" => Some("drafts.gone"),
        _ => None,
    });
    page(StatusCode::OK, &DraftsPage { rows, done, f })
}

/// `GET /drafts/{id}`: the form as it was left, with what was wrong when it was sent.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id.parse().map(DraftId).map_err(|_| Failure::NoPage)?;
    let StoredDraft { content, mut problems, .. } = visit.app.draft(&visit.actor, id).await?;
    let content = DraftContent::read(&content).map_err(|_| Failure::NoPage)?;
    let organisation = visit.frame.organisation.clone();
    let spec = organisation.request_types.get(content.request_type.as_str()).ok_or(Failure::NoPage)?;
    let (mut pairs, missing) = kept_files(&visit, spec, &content).await;
    pairs.extend(texts(spec, &content));
    pairs.push((DRAFT.to_owned(), id.to_string()));
    if missing {
        problems.push(Problem::of("attachments", "unknown", Fault::GoneFile, &[]));
    }
    request::show(visit, &content.request_type, &Form(pairs), &problems, StatusCode::OK)
}

/// `POST /drafts/{id}`: throws it away. Thrown away again, it is as gone as it was.
pub async fn discard(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id.parse().map(DraftId).map_err(|_| Failure::NoPage)?;
    match visit.app.forget_draft(&visit.actor, id).await {
        Ok(()) | Err(Error::Missing { .. }) => Ok(Redirect::to("/drafts?done=gone").into_response()),
        Err(other) => Err(other.into()),
    }
}

/// The draft that a form goes on with, but for one that is found to be gone.
pub fn named(form: &Form, problems: &[Problem]) -> Option<DraftId> {
    let is_gone = problems.iter().any(|problem| (problem.field.as_str(), problem.code.as_str()) == (DRAFT, GONE));
    let id = form.given(DRAFT).filter(|_| !is_gone)?;
    id.trim().parse().ok().map(DraftId)
}

/// The draft of a form as it is kept; `None` where it is kept no longer.
async fn kept(visit: &Visit, id: DraftId) -> Result<Option<StoredDraft>, Error> {
    match visit.app.draft(&visit.actor, id).await {
        Ok(draft) => Ok(Some(draft)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Leaves a draft of a program what the page has no field for.
fn complete(draft: &StoredDraft, submission: &mut Submission) {
    if let Ok(content) = DraftContent::read(&draft.content) {
        content.complete(submission);
    }
}

/// Keeps what was filled in, in the place of the draft that it was; the page that comes next.
///
/// # Errors
///
/// [`Error::Rejected`] where there is no room for it.
pub async fn keep(
    visit: &Visit,
    form: &Form,
    (requester, mut submission): (Option<PersonId>, Submission),
) -> Result<String, Error> {
    let before = match named(form, &[]) {
        Some(id) => kept(visit, id).await?,
        None => None,
    };
    // The id of a draft that was sent names the ticket that it made, so that it is no other's.
    let id = before.as_ref().map_or_else(|| DraftId(visit.app.clock.new_id()), |draft| draft.id);
    if let Some(draft) = &before {
        complete(draft, &mut submission);
    }
    let content = DraftContent::of(&submission, requester.as_ref()).text();
    match visit.app.keep_draft(&visit.actor, id, content).await {
        Ok(_) => Ok("/drafts?done=kept".to_owned()),
        Err(Error::Rejected { .. }) => {
            let problem = Problem::of(DRAFT, "too-much", Fault::ManyDrafts, &[&DRAFTS_MAX]);
            Err(Error::Rejected { problems: vec![problem] })
        }
        Err(other) => Err(other),
    }
}

/// Sends a draft as it was filled in now; where it is refused, it is kept with what is wrong. One that was sent or thrown away
/// meanwhile makes no second ticket unseen: the form comes again and says so.
///
/// # Errors
///
/// As the use case.
pub async fn send(
    visit: &Visit,
    id: DraftId,
    (requester, mut submission): (Option<PersonId>, Submission),
) -> Result<CreatedTicket, Error> {
    let Some(before) = kept(visit, id).await? else {
        return Err(Error::Rejected { problems: vec![Problem::of(DRAFT, GONE, Fault::GoneDraft, &[])] });
    };
    complete(&before, &mut submission);
    let content = DraftContent::of(&submission, requester.as_ref()).text();
    let draft = StoredDraft { id, content, problems: Vec::new(), saved_at: visit.app.clock.now() };
    visit.app.submit_draft(&visit.actor, draft, (requester, submission)).await
}

/// The texts of a draft, as the form sends them.
fn texts(spec: &RequestType, content: &DraftContent) -> Vec<(String, String)> {
    let own = [
        ("subject", Some(&content.subject)),
        ("body", Some(&content.body)),
        ("requester", content.requester.as_ref()),
        ("channel", content.channel.as_ref()),
    ];
    let own = own.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.clone())));
    let fields = content.fields.iter().filter(|(name, _)| !is_file(spec, name));
    let fields =
        fields.flat_map(|(name, value)| plain(value).into_iter().map(move |text| (format!("{FIELD}{name}"), text)));
    own.chain(fields).collect()
}

fn is_file(spec: &RequestType, name: &str) -> bool {
    spec.fields.iter().any(|field| field.name == name && matches!(field.kind, FieldKind::File))
}

/// The texts of a value.
fn plain(value: &Value) -> Vec<String> {
    match value {
        Value::Null | Value::Bool(false) | Value::Object(_) => Vec::new(),
        Value::Bool(true) => vec!["true".to_owned()],
        Value::String(text) => vec![text.clone()],
        // A whole number has no fraction, also where it was kept with one.
        Value::Number(number) => vec![number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())],
        Value::Array(items) => items.iter().flat_map(plain).collect(),
    }
}

/// The files of a draft that are still kept, as the form names them, and whether others are not.
async fn kept_files(visit: &Visit, spec: &RequestType, content: &DraftContent) -> (Vec<(String, String)>, bool) {
    let of_fields = content.fields.iter().filter(|(name, _)| is_file(spec, name));
    let of_fields = of_fields.filter_map(|(name, id)| {
        let id = id.as_str()?.parse::<AttachmentId>().ok()?;
        Some((format!("{FIELD}{name}"), id))
    });
    let loose = content.uploads.iter().map(|id| (FILES.to_owned(), AttachmentId(*id)));
    let all: Vec<(String, AttachmentId)> = of_fields.chain(loose).collect();
    let (mut pairs, mut missing) = (Vec::new(), false);
    for (field, id) in all {
        match visit.app.attachment(&visit.actor, id).await {
            Ok(file) if file.ticket.is_none() => pairs.push(files::pair(&field, id, &file.name)),
            _ => missing = true,
        }
    }
    (pairs, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_the_texts_that_a_form_sends() {
        let value =
            serde_json::json!({ "a": "x", "b": 40.0, "c": 2.5, "d": true, "e": false, "f": ["m", "n"], "g": null });
        let all: Vec<Vec<String>> = value.as_object().unwrap().values().map(plain).collect();
        let expected: [&[&str]; 7] = [&["x"], &["40"], &["2.5"], &["true"], &[], &["m", "n"], &[]];
        assert_eq!(all, expected);
    }
}
