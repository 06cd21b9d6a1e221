//! An agent's tools on a ticket: canned replies, macros that show what they will change, tasks, and links to other tickets.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};

use super::acts::{answer, seen};
use super::days::{self, ShownDay};
use super::outage::{self, Shown};
use super::{Seen, number};
use crate::app::Error;
use crate::app::tickets::bulk::{FilledReply, Step};
use crate::desk::id::{TaskId, TicketNumber};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::ticket::lifecycle::commands::{Command, of_macro};
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::desk::ticket::lifecycle::tasks::TaskStep;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{State, Ticket};
use crate::web::frame::Frame;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode, ticket_named};
use crate::web::session::Visit;

/// A macro, and what it will do to this ticket.
pub struct ShownMacro {
    pub id: String,
    pub name: String,
    /// Each change in a line: its name, and what it will be.
    pub lines: Vec<(String, String)>,
}

/// A task on the page.
pub struct Task {
    pub id: String,
    pub text: String,
    pub done: Option<String>,
}

/// The tools of a ticket's page.
pub struct Tools {
    pub macros: Vec<ShownMacro>,
    pub canned: Vec<FilledReply>,
    pub tasks: Vec<Task>,
    pub links: Vec<(&'static str, String)>,
    /// Whether it may be merged into another.
    pub merges: bool,
    pub outage: Shown,
    /// The days that it goes by, where it is a bundle.
    pub days: Vec<ShownDay>,
    /// The note of a handover that was refused, and whether one was.
    pub handover: String,
    pub handed: bool,
    /// The team that was chosen for it.
    pub hand_to: String,
}

/// Reads the tools for a ticket.
///
/// # Errors
///
/// Where they cannot be read.
pub async fn read(visit: &Visit, seen: &Seen, form: &Form) -> Result<Tools, Failure> {
    let (f, ticket) = (&visit.frame, &seen.ticket);
    let canned = visit.app.canned_replies(&visit.actor, ticket.number).await?;
    let tasks = visit.app.tasks(&visit.actor, ticket.number).await?;
    let macros = f.organisation.macros.iter().map(|(id, step)| ShownMacro {
        id: id.to_string(),
        name: step.name.clone(),
        lines: lines(f, &of_macro(step, ticket, visit.actor.person(), &f.organisation)),
    });
    let word = |kind: LinkKind| (kind.code(), f.words.t(&format!("link.{}", kind.code())));
    Ok(Tools {
        macros: macros.collect(),
        canned,
        tasks: tasks
            .into_iter()
            .map(|task| Task {
                id: task.id.to_string(),
                text: task.text,
                done: task.done.map(|(who, _)| f.name_of(&who)),
            })
            .collect(),
        links: LinkKind::BY_HAND.into_iter().map(word).collect(),
        merges: ticket.state.is_unfinished(),
        outage: outage::read(visit, seen, form).await?,
        days: days::read(visit, ticket, form),
        handover: form.text("handover"),
        handed: form.has("handover"),
        hand_to: form.text("hand-to"),
    })
}

/// The changes of a macro in words.
fn lines(f: &Frame, commands: &[Command]) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut say = |key: &str, text: String| lines.push((f.words.t(key), text));
    for command in commands {
        match command {
            Command::Edit(wanted) => {
                let named = [
                    ("field.category", wanted.category.as_deref().map(|id| f.category(id))),
                    ("field.priority", wanted.priority.as_deref().map(|id| priority(f, id))),
                    ("field.team", wanted.team.as_deref().map(|id| f.team(id))),
                    ("field.tags", wanted.tags.as_ref().map(|tags| tags.join(", "))),
                    ("field.assignee", wanted.assignee.as_ref().map(|id| assignee(f, id.as_deref()))),
                ];
                for (key, text) in named {
                    text.into_iter().for_each(|text| say(key, text));
                }
            }
            Command::Comment { body, visibility: Visibility::Internal, .. } => say("note.tag", body.clone()),
            Command::Comment { body, .. } => say("reply.label", body.clone()),
            Command::Move(wanted) => say("queue.state", f.state(wanted.to).text),
        }
    }
    lines
}

fn priority(f: &Frame, id: &str) -> String {
    id.parse().map_or_else(|_| id.to_owned(), |id| f.priority(&id).name)
}

fn assignee(f: &Frame, id: Option<&str>) -> String {
    id.map_or_else(|| f.words.t("facts.no-assignee"), |id| f.name_of(id))
}

/// `POST /tickets/{key}/macro`.
pub async fn run(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let step = Step::Macro(form.text("macro").parse().map_err(|_| Failure::BadForm)?);
    let key = form.once(&format!("macro {id}"));
    let (before, _) = visit.app.ticket(&visit.actor, number).await?;
    let done = visit.app.run_step(&visit.actor, number, &seen(&form), &step, key).await.map(drop);
    if done.is_ok() {
        let (after, _) = visit.app.ticket(&visit.actor, number).await?;
        let was = was(&before, &after);
        let was = serde_json::to_string(&was).unwrap_or_default();
        let to = format!("/tickets/{number}?{}", encode(&[("done", "macro"), ("was", &was)]));
        return Ok(Redirect::to(&to).into_response());
    }
    answer(visit, number, ("macro", &form), done).await
}

/// The fields that a macro has changed, as they were before: words that were said, and a state, are not taken back.
fn was(before: &Ticket, after: &Ticket) -> Vec<(&'static str, String)> {
    let tags = |ticket: &Ticket| ticket.tags.iter().map(ToString::to_string).collect::<Vec<_>>();
    let person = |ticket: &Ticket| ticket.assignee.as_ref().map(ToString::to_string).unwrap_or_default();
    let fields = [
        ("category", before.category.to_string(), after.category.to_string()),
        ("priority", before.priority.to_string(), after.priority.to_string()),
        ("team", before.team.to_string(), after.team.to_string()),
        ("assignee", person(before), person(after)),
    ];
    let changed = fields.into_iter().filter(|(_, before, after)| before != after);
    let mut was: Vec<(&'static str, String)> = changed.map(|(name, before, _)| (name, before)).collect();
    if tags(before) != tags(after) {
        was.push(("tagged", "1".to_owned()));
        was.extend(tags(before).into_iter().map(|tag| ("tag", tag)));
    }
    was
}

/// The fields of an address that say how a ticket was before a macro, for the form that takes it back.
pub fn undo(was: &str) -> Vec<(String, String)> {
    const KNOWN: [&str; 6] = ["category", "priority", "team", "assignee", "tagged", "tag"];
    const MAX: usize = 60;
    let pairs = serde_json::from_str::<Vec<(String, String)>>(was).unwrap_or_default();
    pairs.into_iter().filter(|(name, _)| KNOWN.contains(&name.as_str())).take(MAX).collect()
}

/// `POST /tickets/{key}/tasks`: adds one, or marks one.
pub async fn task(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let key = form.once(&format!("task {id}"));
    let done = match form.given("task") {
        None => visit.app.add_task(&visit.actor, number, &form.text("text"), key).await.map(drop),
        Some(task) => {
            let task: TaskId = task.parse().map_err(|_| Failure::BadForm)?;
            let step = TaskStep::from_code(&form.text("step")).ok_or(Failure::BadForm)?;
            visit.app.mark_task(&visit.actor, number, (task, step), key).await.map(drop)
        }
    };
    answer(visit, number, ("task", &form), done).await
}

/// The other ticket that a form names.
pub fn other(form: &Form) -> Result<TicketNumber, Failure> {
    ticket_named(&form.text("other")).ok_or(Failure::BadForm)
}

/// `POST /tickets/{key}/link`: links it, takes a link away, or merges it.
pub async fn link(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let Ok(other) = other(&form) else {
        let problem = Problem::of("other", "invalid", Fault::UnreadTicket, &[]);
        return answer(visit, number, ("link", &form), Err(Error::Rejected { problems: vec![problem] })).await;
    };
    let key = form.once(&format!("link {id}"));
    let kind = LinkKind::from_code(&form.text("kind"));
    let done = match (form.text("do").as_str(), kind) {
        ("merge", _) => {
            let reason = form.text("reason");
            visit.app.merge(&visit.actor, number, &seen(&form), (other, &reason), key).await.map(drop)
        }
        ("unlink", Some(kind)) => visit.app.unlink(&visit.actor, number, (kind, other), key).await.map(drop),
        ("link", Some(kind)) => visit.app.link(&visit.actor, number, (kind, other), key).await.map(drop),
        _ => return Err(Failure::BadForm),
    };
    answer(visit, number, ("link", &form), done).await
}

/// Whether how it was resolved may become an article.
pub const fn may_become_article(state: State) -> bool {
    matches!(state, State::Resolved | State::Closed)
}
