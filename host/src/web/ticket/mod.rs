//! A ticket's page: the story to the left, the facts to the right, and why each fact is so. The one who asked sees the story in
//! plain words.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use super::frame::PEOPLE_MAX;
use super::frame::failure::Failure;
use super::frame::form::Form;
use super::frame::{Frame, page};
use super::session::Visit;
use crate::app::observe::presence::Doing;
use crate::app::tickets::work::StoredEntry;
use crate::desk::access::AccessCase;
use crate::desk::actor::Author;
use crate::desk::id::TicketNumber;
use crate::desk::organisation::service::RecordPart;
use crate::desk::permission;
use crate::desk::ticket::sight::Sight;
use crate::desk::ticket::{State, Ticket};

pub mod acts;
pub mod days;
mod facts;
pub mod files;
pub mod followers;
pub mod next;
pub mod outage;
pub mod record;
mod story;
pub mod tools;
pub mod trial;

use facts::Facts;
use story::Item;

/// The last entries of a story, among which is the one that another person made last.
const LATEST: usize = 10;
/// The last pieces of the story, which a page shows at once; each click shows as many of the older ones.
const SHOWN: usize = 60;
/// The pieces that one page shows at most.
const SHOWN_MAX: usize = 10_000;

/// A ticket's key in a path.
pub fn number(key: &str) -> Result<TicketNumber, Failure> {
    key.parse().map_err(|_| Failure::NoPage)
}

/// The way by which one came to the page.
#[derive(Debug, Default, Deserialize)]
pub struct How {
    sent: Option<String>,
    done: Option<String>,
    /// How often older pieces of the story were asked for.
    older: Option<usize>,
    /// How its fields were before a macro that was just run.
    was: Option<String>,
    /// The canned reply with which the answer begins.
    canned: Option<String>,
}

/// A word about what has just happened, above the ticket.
#[derive(Debug, Clone, Default)]
pub struct Notice {
    pub text: String,
    /// `good`, `warn` or `bad`.
    pub tone: &'static str,
    /// The acts of others meanwhile.
    pub meanwhile: Vec<String>,
    /// The fields of the form that takes it back; none where there is nothing that could be.
    pub undo: Vec<(String, String)>,
    /// The fields that were not as they have to be, each with what is wrong.
    pub problems: Vec<(String, String)>,
}

/// All that is read about a ticket for its page.
pub struct Seen {
    pub ticket: Ticket,
    pub case: Option<AccessCase>,
    pub sight: Sight,
    /// The day until which it waits.
    pub until: Option<Date>,
}

/// The pieces of a story that are not shown.
pub struct Older {
    /// How many there are.
    left: i64,
    /// How often some of them will have been asked for, with the next click.
    next: usize,
}

/// A step that the reader may take with the ticket's state.
pub struct StateOption {
    code: &'static str,
    text: String,
    chosen: bool,
}

/// The words of the form that was sent: they stand in it again where the act was refused, and what is wrong stands at its field.
struct Typed {
    /// The act, as the address of its form ends; the ticket's key where none was refused.
    act: String,
    /// The fields that were not as they have to be, each with what is wrong.
    problems: Vec<(String, String)>,
    body: String,
    /// The state that was wanted; empty where another form was sent.
    to: String,
    /// The reason, but of an escalation.
    reason: String,
    /// The reason of an escalation.
    escalate: String,
    /// The day until which it was to wait.
    until: String,
    /// Whether access was to end with a bundle.
    ends_access: bool,
    /// The other ticket of a link.
    other: String,
    /// A new task.
    task: String,
    /// A person who was to follow it.
    person: String,
}

impl Typed {
    fn of(f: &Frame, form: &Form, notice: Option<&Notice>) -> Self {
        let act = f.path.rsplit('/').next().unwrap_or_default().to_owned();
        let problems = notice.map(|notice| notice.problems.clone()).unwrap_or_default();
        let (reason, none) = (form.text("reason"), String::new());
        // Forms call their reason alike, and have addresses of their own.
        let (reason, escalate) = if f.path.ends_with("/escalate") { (none, reason) } else { (reason, none) };
        let (body, to, until) = (form.text("body"), form.text("to"), form.text("until"));
        let (other, task, person) = (form.text("other"), form.text("text"), form.text("person"));
        let ends_access = form.has("end-access");
        Self { act, problems, body, to, reason, escalate, until, ends_access, other, task, person }
    }

    /// Whether this act was refused: then its form stays open.
    fn is(&self, act: &str) -> bool {
        self.act == act
    }

    /// The problem with a field of an act; use cases may name the field within a part: `resolution.fix`.
    fn problem(&self, act: &str, field: &str) -> Option<&str> {
        let named = |known: &str| known == field || known.rsplit('.').next() == Some(field);
        let mut found = self.problems.iter().filter(|_| self.is(act));
        found.find(|(known, _)| named(known)).map(|(_, problem)| problem.as_str())
    }

    /// The attributes by which a field points to what is wrong with it, which stands under it.
    fn marks(&self, act: &str, field: &str) -> String {
        let wrong = self.problem(act, field);
        wrong.map(|_| format!(" aria-invalid=\"true\" aria-describedby=\"{act}-{field}-problem\"")).unwrap_or_default()
    }

    fn cancels(&self) -> bool {
        self.to == State::Cancelled.code()
    }

    fn disputes(&self) -> bool {
        self.to == State::Reopened.code()
    }
}

#[derive(Template)]
#[template(path = "ticket/plain.html")]
struct PlainPage {
    f: Frame,
    facts: Facts,
    items: Vec<Item>,
    older: Older,
    files: Vec<files::Shown>,
    why: Vec<String>,
    next: Vec<StateOption>,
    cancels: days::Cancels,
    followers: followers::Followers,
    notice: Option<Notice>,
    typed: Typed,
    key: String,
}

#[derive(Template)]
#[template(path = "ticket/console.html")]
struct ConsolePage {
    f: Frame,
    facts: Facts,
    items: Vec<Item>,
    older: Older,
    files: Vec<files::Shown>,
    stories: Vec<facts::Why>,
    card: facts::Card,
    links: Vec<facts::Linked>,
    followers: followers::Followers,
    edit: facts::Edit,
    tools: tools::Tools,
    may_become_article: bool,
    next: Vec<StateOption>,
    cancels: days::Cancels,
    notice: Option<Notice>,
    reply: String,
    note: String,
    typed: Typed,
    /// The parts of the record of how it was resolved: name, label, and what was filled in.
    record: Vec<(&'static str, String, String)>,
    key: String,
    note_key: String,
}

/// `GET /tickets/{key}`.
pub async fn show(visit: Visit, Path(key): Path<String>, Query(how): Query<How>) -> Result<Response, Failure> {
    let words = visit.frame.words;
    let text = match (&how.sent, how.done.as_deref()) {
        (Some(_), _) => Some("ticket.sent".to_owned()),
        (
            None,
            Some(
                act @ ("reply" | "new-ticket" | "note" | "state" | "edit" | "take" | "next" | "escalate" | "macro"
                | "task" | "link" | "file" | "outage" | "outage-ended" | "hand-over" | "day" | "follow"),
            ),
        ) => Some(format!("ticket.done.{act}")),
        _ => None,
    };
    let notice = text.map(|key| Notice { text: words.t(&key), tone: "good", ..Notice::default() });
    let undo = how.was.as_deref().map(tools::undo).unwrap_or_default();
    let notice = notice.map(|notice| Notice { undo, ..notice });
    let number = number(&key)?;
    let form = match how.canned {
        Some(id) if visit.frame.works() => {
            let all = visit.app.canned_replies(&visit.actor, number).await?;
            let chosen = all.into_iter().find(|reply| reply.id.as_str() == id);
            Form(chosen.into_iter().map(|reply| ("body".to_owned(), reply.body)).collect())
        }
        _ => Form(how.older.map(|older| ("older".to_owned(), older.to_string())).into_iter().collect()),
    };
    render(visit, number, &form, notice, StatusCode::OK).await
}

/// The version of a ticket, for the script that says when it has changed.
#[derive(Debug, Serialize)]
pub struct Version {
    version: String,
    /// The last act of another person, in a line.
    by: Option<String>,
}

/// `GET /tickets/{key}/version`.
pub async fn version(visit: Visit, Path(key): Path<String>) -> Result<Json<Version>, Failure> {
    let number = number(&key)?;
    let (ticket, _, sight) = visit.app.seen_ticket(&visit.actor, number).await?;
    let (latest, _) = visit.app.timeline_end(&visit.actor, number, LATEST).await?;
    let of_another = |stored: &&StoredEntry| matches!(&stored.entry.author, Author::Person(id) if id != visit.person());
    let last = latest.iter().rev().find(of_another);
    Ok(Json(Version { version: sight.tag(&ticket), by: last.map(|last| acts::happened(&visit.frame, last)) }))
}

/// Another who is at the ticket.
#[derive(Debug, Serialize)]
pub struct AtIt {
    name: String,
    doing: &'static str,
}

/// `POST /tickets/{key}/presence`: how the reader is at the ticket, `left` where they go; the others who are there.
pub async fn presence(visit: Visit, Path(key): Path<String>, form: Form) -> Result<Json<Vec<AtIt>>, Failure> {
    let doing = Doing::from_code(&form.text("doing"));
    let others = visit.app.at_ticket(&visit.actor, number(&key)?, doing).await?;
    let f = &visit.frame;
    Ok(Json(others.into_iter().map(|(id, doing)| AtIt { name: f.name(&id), doing: doing.code() }).collect()))
}

/// The states into which the reader may put a ticket, the one that was chosen before among them.
fn next_states(visit: &Visit, seen: &Seen, form: &Form) -> Vec<StateOption> {
    let (f, wanted) = (&visit.frame, form.given("to"));
    let words = if f.works() { "state" } else { "act" };
    let next = permission::next_states(&visit.actor, &seen.ticket).into_iter().map(|state| StateOption {
        code: state.code(),
        text: f.words.t(&format!("{words}.{}", state.code())),
        chosen: wanted.as_deref() == Some(state.code()),
    });
    next.collect()
}

/// The page of a ticket, with what was filled in before and a word about it.
pub async fn render(
    visit: Visit,
    number: TicketNumber,
    form: &Form,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let (ticket, case, sight) = visit.app.seen_ticket(&visit.actor, number).await?;
    let until = visit.app.waits_until(&ticket).await?;
    let seen = Seen { ticket, case, sight, until };
    let asked = form.text("older").parse::<usize>().unwrap_or(0).min(SHOWN_MAX / SHOWN);
    let (entries, left) = visit.app.timeline_end(&visit.actor, number, SHOWN * (asked + 1)).await?;
    let older = Older { left, next: asked + 1 };
    let files = files::all(&visit, number).await?;
    let explained = visit.app.explain(&visit.actor, number, None).await?;
    let f = &visit.frame;
    let items = story::items(f, &seen, &entries);
    let why = explained.text.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect();
    let facts = Facts::of(f, &seen);
    let plain = !f.works();
    let next = next_states(&visit, &seen, form);
    let cancels = days::cancels(&visit, &seen, &next).await?;
    let typed = Typed::of(f, form, notice.as_ref());
    let followers = followers::read(&visit, &seen);
    let fresh = |app: &Arc<crate::app::App>| app.clock.new_id().to_string();
    if plain {
        let (key, f) = (fresh(&visit.app), visit.frame);
        let page_ = PlainPage { facts, items, older, files, why, next, cancels, followers, notice, typed, key, f };
        return page(status, &page_);
    }
    let stories = facts::whys(f, explained.fields.unwrap_or_default());
    let card = facts::card(&visit, &seen).await?;
    let links = facts::links(&visit, &seen).await?;
    let tools = tools::read(&visit, &seen, form).await?;
    let may_become_article = tools::may_become_article(seen.ticket.state);
    let edit = facts::Edit::of(f, &seen, form);
    let internal = form.has("internal");
    let body = form.text("body");
    let (reply, note) = if internal { (String::new(), body) } else { (body, String::new()) };
    let (key, note_key) = (fresh(&visit.app), fresh(&visit.app));
    let record = RecordPart::ALL
        .map(|part| (part.code(), f.words.t(&format!("record.{}", part.code())), form.text(part.code())));
    let record = record.to_vec();
    page(
        status,
        &ConsolePage {
            facts,
            items,
            older,
            files,
            stories,
            card,
            links,
            followers,
            edit,
            tools,
            may_become_article,
            next,
            cancels,
            notice,
            reply,
            note,
            typed,
            record,
            key,
            note_key,
            f: visit.frame,
        },
    )
}
