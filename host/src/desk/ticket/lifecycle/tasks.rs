//! Checklists: the tasks of a ticket, of which none may be open when it is resolved.

use jiff::Timestamp;

use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::TaskId;
use crate::desk::organisation::form::{Fault, Problem, check_characters};
use crate::desk::permission::MayEdit;
use crate::desk::refusal::Refusal;
use crate::desk::text::{is_blank, normal};
use crate::desk::ticket::Ticket;
use crate::desk::ticket::timeline::Event;

/// The longest text of a task, in characters.
const TEXT_CHARS_MAX: usize = 500;
/// The most tasks of a ticket.
pub const TASKS_MAX: usize = 100;

/// A task of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    pub text: String,
    pub at: Timestamp,
    /// Who asked for it.
    pub author: String,
    /// Who did it and when; `None` while it is open.
    pub done: Option<(String, Timestamp)>,
}

/// A task as a change leaves it, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskWrite {
    Add(Task),
    /// Done by this person, or open again.
    Mark {
        id: TaskId,
        done: Option<(String, Timestamp)>,
    },
    Remove {
        id: TaskId,
    },
}

/// The change of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskStep {
    Done,
    Open,
    Removed,
}

codes! { TaskStep { Done => "done", Open => "open", Removed => "removed" } }

/// Adds a task to a ticket that has so many.
///
/// # Errors
/// [`Refusal::Problems`] for a text that is empty or too long, and for too many; [`Refusal::Finished`].
pub fn add(ticket: &Ticket, text: &str, count: usize, permit: &MayEdit, at: &At<'_>) -> Result<Change, Refusal> {
    let author = permit.on(ticket)?;
    if !ticket.state.is_unfinished() {
        return Err(Refusal::Finished { state: ticket.state });
    }
    let text = normal(text.trim()).into_owned();
    let problem = check_characters("text", &text).or_else(|| {
        let (blank, long) = (is_blank(&text), text.chars().count() > TEXT_CHARS_MAX);
        let blank = blank.then(|| Problem::of("text", "required", Fault::NoTask, &[]));
        blank.or_else(|| long.then(|| Problem::of("text", "too-long", Fault::Long, &[&TEXT_CHARS_MAX])))
    });
    let many = || Problem::of("text", "too-many", Fault::ManyTasks, &[&TASKS_MAX]);
    if let Some(problem) = problem.or_else(|| (count >= TASKS_MAX).then(many)) {
        return Err(problem.into());
    }
    let task = Task { id: at.task_id(), text: text.clone(), at: at.now, author: name(author), done: None };
    Ok(change(ticket, author, ("added", text), TaskWrite::Add(task), at))
}

/// Gives a ticket that opens a task.
pub(in crate::desk) fn begin_with(opening: &mut Change, text: &str, author: &Author, at: &At<'_>) {
    let text = as_kept(text);
    let event = Event::Task { step: "added".to_owned(), text: text.clone() };
    let task = Task { id: at.task_id(), text, at: at.now, author: name(author), done: None };
    opening.entries.push(at.internal(author.clone(), event));
    opening.tasks.push(TaskWrite::Add(task));
}

/// The text of a task that the desk itself makes, as it is kept.
pub(in crate::desk) fn as_kept(text: &str) -> String {
    normal(text.trim()).chars().take(TEXT_CHARS_MAX).collect()
}

/// Puts another task in the place of an open one, whose text is not right any more.
pub(in crate::desk) fn replace(change: &mut Change, task: &Task, text: &str, author: &Author, at: &At<'_>) {
    let event = Event::Task { step: TaskStep::Removed.code().to_owned(), text: task.text.clone() };
    change.entries.push(at.internal(author.clone(), event));
    change.tasks.push(TaskWrite::Remove { id: task.id });
    begin_with(change, text, author, at);
}

/// Marks a task done or open, or takes it away; `None` where it is so already.
///
/// # Errors
/// [`Refusal::Forbidden`] where the permit is for another ticket.
pub fn mark(
    ticket: &Ticket,
    task: &Task,
    step: TaskStep,
    permit: &MayEdit,
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    let id = task.id;
    let write = match (step, &task.done) {
        (TaskStep::Done, Some(_)) | (TaskStep::Open, None) => return Ok(None),
        (TaskStep::Done, None) => TaskWrite::Mark { id, done: Some((name(author), at.now)) },
        (TaskStep::Open, Some(_)) => TaskWrite::Mark { id, done: None },
        (TaskStep::Removed, _) => TaskWrite::Remove { id },
    };
    Ok(Some(change(ticket, author, (step.code(), task.text.clone()), write, at)))
}

fn name(author: &Author) -> String {
    match author {
        Author::Person(person) => person.to_string(),
        Author::System | Author::Rule(_) => String::new(),
    }
}

fn change(ticket: &Ticket, author: &Author, (step, text): (&str, String), write: TaskWrite, at: &At<'_>) -> Change {
    let event = Event::Task { step: step.to_owned(), text };
    let entry = at.internal(author.clone(), event);
    let mut change = Change::next(ticket, at, vec![entry]);
    change.tasks.push(write);
    change
}
