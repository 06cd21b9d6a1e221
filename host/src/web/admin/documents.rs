//! Documents of the configuration: a draft, next to it its problems, its difference and what it touches; publishing it with
//! a reason, its history, and going back.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::reference::configuration::{Document, LiveDocument, Proposed, PublishedVersion, Touched, Wanted};
use crate::app::reference::lines::{self, Line, Part};
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::organisation::form::Problem;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::portal::request::{Preview, preview};
use crate::web::session::Visit;

/// Lines of a difference, and things that are touched, that a page shows.
const LINES_MAX: usize = 400;
const TOUCHED_MAX: usize = 100;
/// Versions that a page shows.
const VERSIONS: usize = 20;

/// A problem at its place in the draft.
struct Wrong {
    line: Option<usize>,
    text: String,
    /// The line itself.
    excerpt: String,
}

/// A thing that differs.
struct Thing {
    way: &'static str,
    word: String,
    noun: String,
    id: String,
    open_tickets: i64,
    rules: String,
}

/// All about a draft.
struct Beside {
    wrong: Vec<Wrong>,
    groups: Vec<Vec<Line>>,
    things: Vec<Thing>,
    more: usize,
    preview: Option<Preview>,
}

struct Version {
    revision: i64,
    who: String,
    why: String,
    when: When,
    again: Option<i64>,
    live: bool,
}

#[derive(Template)]
#[template(path = "admin/document.html")]
struct DocumentPage {
    f: Frame,
    documents: Vec<(&'static str, String, bool)>,
    code: &'static str,
    title: String,
    file: &'static str,
    by_api: bool,
    revision: i64,
    content: String,
    why: String,
    notice: Option<(String, &'static str)>,
    beside: Option<Beside>,
    versions: Vec<Version>,
    /// The earlier version that is looked at.
    looked_at: Option<i64>,
}

impl Line {
    /// The class of a line on the page, and the sign before it.
    fn mark(&self) -> (&'static str, &'static str) {
        match self.part {
            Part::Same => ("same", " "),
            Part::Added => ("added", "+"),
            Part::Removed => ("removed", "-"),
        }
    }
}

/// How one came to the page.
#[derive(Debug, Default, Deserialize)]
pub struct How {
    done: Option<String>,
    /// An earlier version, to look at.
    version: Option<i64>,
}

fn document(code: &str) -> Result<Document, Failure> {
    Document::from_code(code).ok_or(Failure::NoPage)
}

/// A problem of a configuration at its place: they begin with the file, the line and the column.
fn wrong(problem: &Problem, document: Document, content: &str) -> Wrong {
    let text = problem.message.as_str();
    let of_file = text.strip_prefix(document.file()).and_then(|rest| rest.strip_prefix(':'));
    let placed = of_file.and_then(|rest| {
        let (line, rest) = rest.split_once(':')?;
        let line: usize = line.trim().parse().ok()?;
        let said = match rest.split_once(": ") {
            Some((column, said)) if column.trim().parse::<usize>().is_ok() => said,
            _ => rest,
        };
        Some((line, said.trim().to_owned()))
    });
    match placed {
        Some((line, text)) => {
            let excerpt = content.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
            Wrong { line: Some(line), text, excerpt }
        }
        None => Wrong { line: None, text: text.to_owned(), excerpt: String::new() },
    }
}

fn thing(f: &Frame, touched: Touched) -> Thing {
    let Touched { difference, open_tickets, rules } = touched;
    Thing {
        way: difference.way.code(),
        word: f.words.t(&format!("document.{}", difference.way.code())),
        noun: f.words.t(&format!("document.{}", difference.noun.code().replace(' ', "-"))),
        id: difference.id,
        open_tickets,
        rules: rules.join(", "),
    }
}

fn beside(f: &Frame, live: &LiveDocument, content: &str, proposed: Proposed, form: &Form) -> Beside {
    let Proposed { touched, problems, after, .. } = proposed;
    let shapes_forms = live.document == Document::RequestTypes;
    let first = touched.iter().find(|touched| {
        after.as_ref().is_some_and(|after| after.request_types.contains_key(touched.difference.id.as_str()))
    });
    let first = first.map(|touched| touched.difference.id.clone());
    let preview = after.filter(|_| shapes_forms).and_then(|after| preview(f, after, first.as_deref(), form));
    let more = touched.len().saturating_sub(TOUCHED_MAX);
    Beside {
        wrong: problems.iter().map(|problem| wrong(problem, live.document, content)).collect(),
        groups: lines::changed(&live.content, content, LINES_MAX),
        things: touched.into_iter().take(TOUCHED_MAX).map(|touched| thing(f, touched)).collect(),
        more,
        preview,
    }
}

/// All that the page shows in the place of the live document, or with it.
#[derive(Default)]
struct Draft {
    content: Option<String>,
    why: String,
    notice: Option<(String, &'static str)>,
    beside: Option<Beside>,
    looked_at: Option<i64>,
}

async fn live(visit: &Visit, document: Document) -> Result<LiveDocument, Failure> {
    let all = visit.app.live_documents(&visit.actor).await?;
    all.into_iter().find(|live| live.document == document).ok_or(Failure::NoPage)
}

async fn render(visit: Visit, live: LiveDocument, draft: Draft, status: StatusCode) -> Result<Response, Failure> {
    let versions = visit.app.document_versions(&visit.actor, live.document).await?;
    let f = visit.frame;
    let revision = live.revision.unwrap_or(0);
    let version = |version: PublishedVersion| Version {
        live: version.revision == revision,
        revision: version.revision,
        who: f.name_of(&version.author),
        why: version.why,
        when: f.times.ago(version.at),
        again: version.again,
    };
    let name = |document: Document| f.words.t(&format!("document.{}", document.code()));
    let page_ = DocumentPage {
        documents: Document::ALL.map(|one| (one.code(), name(one), one == live.document)).to_vec(),
        code: live.document.code(),
        title: name(live.document),
        file: live.document.file(),
        by_api: live.by_api,
        revision,
        content: draft.content.unwrap_or(live.content),
        why: draft.why,
        notice: draft.notice,
        beside: draft.beside,
        looked_at: draft.looked_at,
        versions: versions.into_iter().take(VERSIONS).map(version).collect(),
        f,
    };
    page(status, &page_)
}

/// `GET /admin/documents`.
pub async fn first() -> Response {
    Redirect::to("/admin/documents/request-types").into_response()
}

/// `GET /admin/documents/{document}`: as it is live, or an earlier version of it.
pub async fn show(visit: Visit, Path(code): Path<String>, Query(how): Query<How>) -> Result<Response, Failure> {
    let live = live(&visit, document(&code)?).await?;
    let notice = how.done.map(|_| (visit.frame.words.t("document.done"), "good"));
    let mut draft = Draft { notice, ..Draft::default() };
    if let Some(revision) = how.version {
        let content = visit.app.document_version(&visit.actor, live.document, revision).await?;
        let groups = lines::changed(&live.content, &content, LINES_MAX);
        draft.beside = Some(Beside { wrong: Vec::new(), groups, things: Vec::new(), more: 0, preview: None });
        draft.content = Some(content);
        draft.looked_at = Some(revision);
    }
    render(visit, live, draft, StatusCode::OK).await
}

/// `POST /admin/documents/{document}`: looks at a draft, publishes it, or publishes an earlier version again.
pub async fn run(visit: Visit, Path(code): Path<String>, form: Form) -> Result<Response, Failure> {
    let live = live(&visit, document(&code)?).await?;
    let (content, why) = (form.text("content"), form.text("why"));
    let again = form.text("again").parse::<i64>().ok();
    let condition = Condition { matches: Some(Tags::OneOf(vec![form.text("revision")])), none_matches: None };
    let words = visit.frame.words;
    let mut draft = Draft { content: Some(content.clone()), why: why.clone(), ..Draft::default() };
    let wanted = match (form.text("do").as_str(), again) {
        ("again", Some(revision)) => Some(Wanted::Again(revision)),
        ("publish", _) => Some(Wanted::Content(&content)),
        _ => None,
    };
    if let Some(wanted) = wanted {
        match visit.app.publish(&visit.actor, (live.document, wanted, &why), &condition).await {
            Ok(_) => return Ok(Redirect::to(&format!("/admin/documents/{code}?done=1")).into_response()),
            Err(Error::Rejected { problems }) if problems.iter().any(|problem| problem.field == "why") => {
                draft.notice = Some((words.t("document.why-needed"), "bad"));
            }
            Err(Error::Rejected { .. }) => draft.notice = Some((words.t("document.rejected"), "bad")),
            Err(Error::Stale { .. }) => draft.notice = Some((words.t("document.stale"), "warn")),
            Err(error @ Error::Table(_)) => draft.notice = Some((error.to_string(), "bad")),
            Err(other) => return Err(other.into()),
        }
    }
    if matches!(wanted, Some(Wanted::Again(_))) {
        draft.content = None;
    } else if live.by_api {
        let proposed = visit.app.look_at_document(&visit.actor, live.document, &content).await?;
        draft.beside = Some(beside(&visit.frame, &live, &content, proposed, &form));
    }
    let status = if draft.notice.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    render(visit, live, draft, status).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stands_at_its_line() {
        let problem = Problem::new("content", "invalid", "teams.toml:2:5: tier: is no number");
        let Wrong { line, text, excerpt } = wrong(&problem, Document::Teams, "a = 1\ntier = x\n");
        assert_eq!((line, text.as_str(), excerpt.as_str()), (Some(2), "tier: is no number", "tier = x"));
        let other = Problem::new("content", "invalid", "people.toml:2: name: is empty");
        let Wrong { line, text, .. } = wrong(&other, Document::Teams, "");
        assert_eq!((line, text), (None, other.message));
    }
}
