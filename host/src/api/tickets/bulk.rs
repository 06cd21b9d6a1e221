//! Several changes in one step over HTTP: of one ticket or many, by macros, and the tasks of a ticket.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::edits::EditBody;
use super::views::TicketView;
use super::{CommentBody, TransitionBody, changed, number};
use crate::api::http::auth::Caller;
use crate::api::http::headers::condition::condition;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::tickets::bulk::{BULK_MAX, FilledReply, Step};
use crate::desk::id::{MacroId, TaskId, TicketNumber};
use crate::desk::text::quoted;
use crate::desk::ticket::lifecycle::commands::{COMMANDS_MAX, Command};
use crate::desk::ticket::lifecycle::tasks::{Task, TaskStep};
use crate::desk::ticket::timeline::Visibility;

/// One change of a ticket: one of the three.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CommandBody {
    Edit(EditBody),
    Comment(CommentBody),
    Transition(TransitionBody),
}

/// Several changes in their order, or a macro.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBody {
    /// Up to 10.
    #[serde(default)]
    commands: Vec<CommandBody>,
    /// The id of a macro, instead.
    #[serde(default, rename = "macro")]
    by_macro: Option<String>,
}

impl CommandBody {
    fn command(self) -> Result<Command, Problem> {
        Ok(match self {
            CommandBody::Edit(body) => Command::Edit(crate::desk::ticket::edit::EditTicket::from(body).into_normal()),
            CommandBody::Comment(CommentBody { uploads, .. }) if !uploads.is_empty() => {
                return Err(Problem::bad_field("uploads", "go with a comment of their own, to one ticket"));
            }
            CommandBody::Comment(CommentBody { body, internal, minutes, .. }) => {
                let visibility = if internal { Visibility::Internal } else { Visibility::Public };
                Command::Comment { body, visibility, minutes }
            }
            CommandBody::Transition(body) => Command::Move(body.wanted()?),
        })
    }
}

impl StepBody {
    fn step(self) -> Result<Step, Problem> {
        if let Some(id) = &self.by_macro {
            if !self.commands.is_empty() {
                return Err(Problem::bad_field("macro", "stands alone: leave the commands out"));
            }
            let id: MacroId = id.parse().map_err(|e| Problem::bad_field("macro", &format!("is none: {e}")))?;
            return Ok(Step::Macro(id));
        }
        if !(1..=COMMANDS_MAX).contains(&self.commands.len()) {
            return Err(Problem::bad_field("commands", &format!("are 1 to {COMMANDS_MAX}")));
        }
        self.commands.into_iter().map(CommandBody::command).collect::<Result<_, _>>().map(Step::Commands)
    }
}

/// Change a ticket in several ways in one step: all of them, or none. A macro is such a step under a name.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/steps", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("If-Match" = String, Header, description = "ETags that you mean, or *"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = StepBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem),
        (status = 428, body = Problem), (status = 429, body = Problem)))]
pub async fn step(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<StepBody>,
) -> Result<Response, Problem> {
    let (condition, key) = (condition(&headers)?, key_of(&headers, &format!("step {ticket}"), &body)?);
    let done = app.run_step(&actor, number(&ticket)?, &condition, &body.step()?, key).await?;
    changed(&app, &actor, StatusCode::OK, done).await
}

/// A step on each of some tickets.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// Keys, 1 to 100; one that is named twice is changed once and has one outcome.
    tickets: Vec<String>,
    step: StepBody,
}

/// The outcome for one ticket.
#[derive(Serialize, ToSchema)]
pub struct OutcomeView {
    ticket: String,
    /// Whether the step was done on it.
    done: bool,
    state: Option<&'static str>,
    /// Why it was not done; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// Do a step on each of some tickets, as they are now: each as a whole or not at all, with an outcome for each.
#[utoipa::path(post, path = "/api/v1/bulk", tag = "tickets", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = BulkBody,
    responses((status = 200, body = Vec<OutcomeView>), (status = 400, body = Problem)))]
pub async fn bulk(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    headers: HeaderMap,
    Json(body): Json<BulkBody>,
) -> Result<axum::Json<Vec<OutcomeView>>, Problem> {
    let key = key_of(&headers, "bulk", &body)?;
    let named = |key: &String| key.parse().map_err(|e| Problem::bad_field("tickets", &format!("{}: {e}", quoted(key))));
    let tickets = body.tickets.iter().map(named).collect::<Result<Vec<TicketNumber>, _>>()?;
    if !(1..=BULK_MAX).contains(&tickets.len()) {
        return Err(Problem::bad_field("tickets", &format!("are 1 to {BULK_MAX}")));
    }
    let outcomes = app.run_on_each(&actor, &tickets, &body.step.step()?, key).await;
    Ok(axum::Json(outcomes.into_iter().map(OutcomeView::from).collect()))
}

type Outcome = (crate::desk::id::TicketNumber, Result<crate::app::tickets::change::Changed, crate::app::Error>);

impl From<Outcome> for OutcomeView {
    fn from((number, outcome): Outcome) -> Self {
        let ticket = number.to_string();
        match outcome {
            Ok(changed) => Self { ticket, done: true, state: Some(changed.ticket.state.code()), problem: None },
            Err(error) => Self { ticket, done: false, state: None, problem: Some(error.into()) },
        }
    }
}

/// A macro or a canned reply.
#[derive(Serialize, ToSchema)]
pub struct MacroView {
    id: String,
    name: String,
}

/// List the macros. For agents and admins.
#[utoipa::path(get, path = "/api/v1/macros", tag = "tickets", security(("token" = [])),
    responses((status = 200, body = Vec<MacroView>), (status = 403, body = Problem)))]
pub async fn macros(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<Vec<MacroView>>, Problem> {
    let macros = app.macros(&actor)?.into_iter().map(|(id, name)| MacroView { id: id.to_string(), name });
    Ok(axum::Json(macros.collect()))
}

/// A canned reply, filled in.
#[derive(Serialize, ToSchema)]
pub struct ReplyView {
    id: String,
    name: String,
    body: String,
    /// Whether it is the template of the ticket's category.
    of_category: bool,
}

impl From<FilledReply> for ReplyView {
    fn from(FilledReply { id, name, body, of_category }: FilledReply) -> Self {
        Self { id: id.to_string(), name, body, of_category }
    }
}

/// Read the canned replies, filled in for a ticket: first the template of its category. For agents and admins.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/canned-replies", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = Vec<ReplyView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn canned_replies(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<ReplyView>>, Problem> {
    let replies = app.canned_replies(&actor, number(&key)?).await?;
    Ok(axum::Json(replies.into_iter().map(ReplyView::from).collect()))
}

/// A task of a ticket.
#[derive(Serialize, ToSchema)]
pub struct TaskView {
    id: String,
    text: String,
    author: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Null while it is open.
    done_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
}

impl From<Task> for TaskView {
    fn from(Task { id, text, at, author, done }: Task) -> Self {
        let (done_by, done_at) = done.unzip();
        Self { id: id.to_string(), text, author, at, done_by, done_at }
    }
}

fn views(tasks: Vec<Task>) -> axum::Json<Vec<TaskView>> {
    axum::Json(tasks.into_iter().map(TaskView::from).collect())
}

/// Read the tasks of a ticket. For agents and admins.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/tasks", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = Vec<TaskView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn tasks(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<TaskView>>, Problem> {
    Ok(views(app.tasks(&actor, number(&key)?).await?))
}

/// A task to add.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskBody {
    /// Up to 500 characters.
    text: String,
}

/// Add a task to a ticket, which is not resolved before it is done.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/tasks", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = TaskBody,
    responses((status = 200, body = Vec<TaskView>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn add_task(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<TaskBody>,
) -> Result<axum::Json<Vec<TaskView>>, Problem> {
    let key = key_of(&headers, &format!("task {ticket}"), &body)?;
    Ok(views(app.add_task(&actor, number(&ticket)?, &body.text, key).await?))
}

/// The change of a task.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkBody {
    /// `done`, `open` or `removed`.
    to: String,
}

/// Mark a task done or open, or take it away.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/tasks/{id}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = MarkBody,
    responses((status = 200, body = Vec<TaskView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn mark_task(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((ticket, id)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<MarkBody>,
) -> Result<axum::Json<Vec<TaskView>>, Problem> {
    let key = key_of(&headers, &format!("mark {ticket} {id}"), &body)?;
    let id: TaskId = id.parse().map_err(|_| Problem::new(Kind::NOT_FOUND, "a task's id is a UUID"))?;
    let step = TaskStep::from_code(&body.to);
    let step = step.ok_or_else(|| Problem::bad_field("to", "is `done`, `open` or `removed`"))?;
    Ok(views(app.mark_task(&actor, number(&ticket)?, (id, step), key).await?))
}
