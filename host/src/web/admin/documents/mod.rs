//! Documents of the configuration: a draft, next to it its problems, its difference and what it touches; keeping it for another
//! day, publishing it with a reason, its history, and going back.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::reference::configuration::{
    Document, DocumentDraft, LiveDocument, Proposed, PublishedVersion, Touched, Wanted,
};
use crate::app::reference::lines::{self, Line, Part};
use crate::desk::change::condition::Condition;
use crate::desk::organisation::difference::Way;
use crate::desk::organisation::form::Problem;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

pub mod draft;
mod preview;

use draft::Kept;

/// Lines of a difference, and things that are touched, that a page shows.
const LINES_MAX: usize = 400;
const TOUCHED_MAX: usize = 100;
/// Versions that a page shows.
const VERSIONS: usize = 20;

/// A problem at its place in the draft.
struct Wrong {
    line: Option<usize>,
    text: String,
    /// Whether it is in the words of the check, which are English.
    is_english: bool,
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
    /// Whether promises of open tickets move with it.
    promises_move: bool,
    rules: String,
    /// That its new `default-tier` is nothing for some, that deliveries wait for it, or which apps are written to by it; may be empty.
    out: String,
}

/// All about a draft.
struct Beside {
    wrong: Vec<Wrong>,
    groups: Vec<Vec<Line>>,
    things: Vec<Thing>,
    more: usize,
    /// The parts that are better seen than read, as they would be: HTML.
    preview: String,
    /// The first thing for which this desk asks for a second person.
    second: Option<String>,
}

/// A version that was published.
pub struct Version {
    pub revision: i64,
    pub who: String,
    pub why: String,
    pub when: When,
    pub again: Option<i64>,
    pub live: bool,
}

impl Version {
    /// A version for its page; `live` is the revision of the one that is live.
    pub fn of(f: &Frame, version: PublishedVersion, live: i64) -> Version {
        Version {
            live: version.revision == live,
            revision: version.revision,
            who: f.name_of(&version.author),
            why: version.why,
            when: f.times.ago(version.at),
            again: version.again,
        }
    }
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
    /// The draft that is kept, and whether it is what the page shows.
    kept: Option<Kept>,
    goes_on: bool,
}

impl Line {
    /// The class of a line on the page, and the sign before it.
    pub(in crate::web) fn mark(&self) -> (&'static str, &'static str) {
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
    /// Whether the draft that is kept is gone on with.
    draft: Option<String>,
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
            Wrong { line: Some(line), text, is_english: true, excerpt }
        }
        None => Wrong { line: None, text: text.to_owned(), is_english: true, excerpt: String::new() },
    }
}

fn thing(f: &Frame, touched: Touched) -> Thing {
    let Touched { difference, open_tickets, promises_move, rules, out_before_default, waiting_deliveries, apps } =
        touched;
    let out = match (out_before_default, waiting_deliveries, difference.way) {
        (0, None, _) if !apps.is_empty() => f.words.t1("document.writes-to", apps.join(", ")),
        (0, None, _) | (0, Some(0), Way::Added | Way::Changed) => String::new(),
        (0, Some(waiting), Way::Removed) => f.words.n("document.deliveries-end", waiting),
        (0, Some(waiting), _) => f.words.n("document.deliveries-follow", waiting),
        (count, ..) => f.words.n("document.out-before-default", count),
    };
    Thing {
        way: difference.way.code(),
        word: f.words.t(&format!("document.{}", difference.way.code())),
        noun: f.words.t(&format!("document.{}", difference.noun.code().replace(' ', "-"))),
        id: difference.id,
        open_tickets,
        promises_move,
        rules: rules.join(", "),
        out,
    }
}

fn beside(f: &Frame, live: &LiveDocument, content: &str, proposed: Proposed, form: &Form) -> Result<Beside, Failure> {
    let Proposed { touched, problems, after, looser: second, .. } = proposed;
    let ids: Vec<&str> = touched.iter().map(|touched| touched.difference.id.as_str()).collect();
    let preview = match after {
        Some(after) => preview::shown(&Frame { organisation: after, ..f.clone() }, live.document, &ids, form)?,
        None => String::new(),
    };
    let more = touched.len().saturating_sub(TOUCHED_MAX);
    // A mistake in the file has its place, and the words of its reader; another stands in the reader's.
    let found = |problem: &Problem| match problem.fault {
        Some(_) => Wrong { line: None, text: f.problem(problem), is_english: false, excerpt: String::new() },
        None => wrong(problem, live.document, content),
    };
    Ok(Beside {
        wrong: problems.iter().map(found).collect(),
        groups: lines::changed(&live.content, content, LINES_MAX),
        things: touched.into_iter().take(TOUCHED_MAX).map(|touched| thing(f, touched)).collect(),
        more,
        preview,
        second,
    })
}

/// All about a draft, which is looked at and not published.
async fn looked(visit: &Visit, live: &LiveDocument, content: &str, form: &Form) -> Result<Beside, Failure> {
    let mut proposed = visit.app.look_at_document(&visit.actor, live.document, content).await?;
    proposed.looser = proposed.looser.filter(|_| visit.app.asks_for_two());
    beside(&visit.frame, live, content, proposed, form)
}

/// All that the page shows in the place of the live document, or with it.
#[derive(Default)]
struct Draft {
    content: Option<String>,
    why: String,
    notice: Option<(String, &'static str)>,
    beside: Option<Beside>,
    looked_at: Option<i64>,
    /// The draft that is kept, where it was read already.
    kept: Option<DocumentDraft>,
    goes_on: bool,
}

async fn live(visit: &Visit, document: Document) -> Result<LiveDocument, Failure> {
    let all = visit.app.live_documents(&visit.actor).await?;
    all.into_iter().find(|live| live.document == document).ok_or(Failure::NoPage)
}

async fn render(visit: Visit, live: LiveDocument, draft: Draft, status: StatusCode) -> Result<Response, Failure> {
    let versions = visit.app.document_versions(&visit.actor, live.document).await?;
    let kept = match draft.kept {
        None => draft::read(&visit, live.document).await?,
        kept => kept,
    };
    let f = visit.frame;
    let revision = live.revision.unwrap_or(0);
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
        versions: versions.into_iter().take(VERSIONS).map(|version| Version::of(&f, version, revision)).collect(),
        kept: kept.map(|kept| Kept::of(&f, &kept)),
        goes_on: draft.goes_on,
        f,
    };
    page(status, &page_)
}

/// `GET /admin/documents`.
pub async fn first() -> Response {
    Redirect::to("/admin/documents/request-types").into_response()
}

/// The notice of an act that the page comes after.
pub fn done_notice(f: &Frame, done: &str) -> (String, &'static str) {
    let key = match done {
        "draft" => "kept.is-kept",
        "dropped" => "kept.is-dropped",
        _ => "document.done",
    };
    (f.words.t(key), "good")
}

/// `GET /admin/documents/{document}`: as it is live, as an earlier version of it was, or as its draft has it.
pub async fn show(visit: Visit, Path(code): Path<String>, Query(how): Query<How>) -> Result<Response, Failure> {
    let live = live(&visit, document(&code)?).await?;
    let notice = how.done.as_deref().map(|done| done_notice(&visit.frame, done));
    let mut draft = Draft { notice, ..Draft::default() };
    if let Some(revision) = how.version {
        let content = visit.app.document_version(&visit.actor, live.document, revision).await?;
        let groups = lines::changed(&live.content, &content, LINES_MAX);
        let (wrong, things, preview) = (Vec::new(), Vec::new(), String::new());
        draft.beside = Some(Beside { wrong, groups, things, more: 0, preview, second: None });
        draft.content = Some(content);
        draft.looked_at = Some(revision);
    } else if how.draft.is_some() && live.by_api {
        draft.kept = draft::read(&visit, live.document).await?;
        if let Some(kept) = &draft.kept {
            draft.beside = Some(looked(&visit, &live, &kept.content, &Form::default()).await?);
            draft.content = Some(kept.content.clone());
            draft.goes_on = true;
        }
    }
    render(visit, live, draft, StatusCode::OK).await
}

/// A word about why something was not published or kept; other failures are pages of their own.
pub fn not_done(f: &Frame, error: Error, stale: &str) -> Result<(String, &'static str), Failure> {
    match error {
        Error::Rejected { problems } if problems.iter().any(|problem| problem.field == "why") => {
            Ok((f.words.t("document.why-needed"), "bad"))
        }
        Error::Rejected { .. } => Ok((f.words.t("document.rejected"), "bad")),
        Error::Stale { .. } => Ok((f.words.t(stale), "warn")),
        error @ Error::Table(_) => Ok((f.why_not(&error), "bad")),
        other => Err(other.into()),
    }
}

/// The condition that a form has seen the version that is live.
pub fn seen(form: &Form) -> Condition {
    Condition::version(form.text("revision"))
}

/// The outcome of what a form asks for.
pub enum Act {
    /// It is done; the query of the page that says so.
    Done(&'static str),
    /// It is not, and why.
    Not((String, &'static str)),
    /// It only looks.
    Look,
}

/// Does what a form asks for.
async fn act(visit: &Visit, live: &LiveDocument, form: &Form) -> Result<Act, Failure> {
    let (content, why, document) = (form.text("content"), form.text("why"), live.document);
    let (asked, again) = (form.text("do"), form.text("again").parse::<i64>().ok());
    let wanted = match (asked.as_str(), again) {
        ("again", Some(revision)) => Some(Wanted::Again(revision)),
        ("publish", _) => Some(Wanted::Content(&content)),
        _ => None,
    };
    let (done, way, stale) = match (wanted, asked.as_str()) {
        (Some(wanted), _) => {
            let published = visit.app.publish(&visit.actor, (document, wanted, &why), &seen(form)).await;
            (published.map(drop), "done=1", "document.stale")
        }
        (None, "keep") => {
            let kept = visit.app.keep_document_draft(&visit.actor, (document, &content), &draft::seen(form)).await;
            (kept.map(drop), "draft=1&done=draft", "kept.stale")
        }
        (None, "drop") => (draft::forget(visit, document, form).await, "done=dropped", "kept.stale"),
        _ => return Ok(Act::Look),
    };
    match done {
        Ok(()) => Ok(Act::Done(way)),
        Err(error) => Ok(Act::Not(not_done(&visit.frame, error, stale)?)),
    }
}

/// `POST /admin/documents/{document}`: looks at a draft, keeps it or forgets it, publishes it, or publishes an earlier version again.
pub async fn run(visit: Visit, Path(code): Path<String>, form: Form) -> Result<Response, Failure> {
    let live = live(&visit, document(&code)?).await?;
    let content = form.text("content");
    let mut draft = Draft { content: Some(content.clone()), why: form.text("why"), ..Draft::default() };
    match act(&visit, &live, &form).await? {
        Act::Done(way) => return Ok(Redirect::to(&format!("/admin/documents/{code}?{way}")).into_response()),
        Act::Not(notice) => draft.notice = Some(notice),
        Act::Look => {}
    }
    if matches!(form.text("do").as_str(), "again" | "drop") {
        draft.content = None;
    } else if live.by_api {
        draft.beside = Some(looked(&visit, &live, &content, &form).await?);
    }
    draft.goes_on = form.has("goes-on");
    let status = if draft.notice.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    render(visit, live, draft, status).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stands_at_its_line() {
        let problem = Problem::new("content", "invalid", "teams.toml:2:5: tier: is no number");
        let Wrong { line, text, excerpt, .. } = wrong(&problem, Document::Teams, "a = 1\ntier = x\n");
        assert_eq!((line, text.as_str(), excerpt.as_str()), (Some(2), "tier: is no number", "tier = x"));
        let other = Problem::new("content", "invalid", "people.toml:2: name: is empty");
        let Wrong { line, text, .. } = wrong(&other, Document::Teams, "");
        assert_eq!((line, text), (None, other.message));
    }
}
