//! `/api/v1/rules/{name}/...`: what admins do with the versions of a rule, and the audit of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RulesView, list};
use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::page::{self, List, PageQuery, Paged};
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::rollout::steps::{Command, DeploymentEvent, LifeTrial, Part, Signatory};
use crate::desk::actor::Actor;

/// Where the candidate is to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// `loaded`, `shadow`, `canary` or `active`.
    to: To,
    /// The canary's share of tickets, 1 to 99.
    percent: Option<u8>,
    /// The candidate that is meant: its `id`, or the beginning of its digests. Without it, whichever is there now.
    version: Option<String>,
    /// Kept in the audit.
    why: String,
}

/// A part that a version can play.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum To {
    Loaded,
    Shadow,
    Canary,
    Active,
}

/// A command's reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Kept in the audit.
    why: String,
}

/// Which version is meant, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Meant {
    /// The active version that is meant: its `id`, or the beginning of its digests. Without it, whichever is there now.
    version: Option<String>,
    /// Kept in the audit.
    why: String,
}

/// What is agreed to, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The version that was looked at: the candidate's `id`, or that of a rule that is to be retired; or the beginning of its
    /// digests. Another that took its place since is not agreed to.
    version: String,
    /// Kept in the audit.
    why: String,
}

/// An entry of a rule's audit.
#[derive(Serialize, ToSchema)]
pub struct EventView {
    seq: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `offered`, `gone`, `promoted`, `demoted`, `approved`, `rolled-back`, `suspended`, `resumed` or `retired`; where a second
    /// person has yet to agree, `rollback-proposed`, `resume-proposed` or `retire-proposed`.
    event: String,
    /// The version that it was about, as `COMPONENT/MANIFEST`; none where it was about the rule.
    version: Option<String>,
    /// The parts before and after.
    #[schema(value_type = Object)]
    before: serde_json::Value,
    #[schema(value_type = Object)]
    after: serde_json::Value,
    /// A person's id, `directory`, `desk` for what the desk did by itself, or `operator:NAME` for who works at its shell.
    actor: String,
    /// The user at the shell, where it was done there, whether or not in a person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    why: String,
}

impl From<DeploymentEvent> for EventView {
    fn from(event: DeploymentEvent) -> Self {
        let by = Signatory::parse(&event.actor);
        let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Self {
            seq: event.seq,
            at: event.at,
            before: json(&event.before),
            after: json(&event.after),
            event: event.event,
            version: event.version,
            actor: by.name(),
            operator: by.operator().map(str::to_owned),
            why: event.why,
        }
    }
}

impl Move {
    fn part(&self) -> Result<Part, Problem> {
        Ok(match (self.to, self.percent) {
            (To::Canary, Some(percent)) => Part::Trial(LifeTrial::Canary(percent)),
            (To::Canary, None) => return Err(Problem::bad_field("percent", "a canary needs a share of 1 to 99")),
            (_, Some(_)) => return Err(Problem::bad_field("percent", "is for a canary only")),
            (To::Active, None) => Part::Active,
            (To::Shadow, None) => Part::Trial(LifeTrial::Shadow),
            (To::Loaded, None) => Part::Trial(LifeTrial::Loaded),
        })
    }
}

async fn done(
    app: State<Arc<App>>,
    actor: Actor,
    name: &str,
    command: &Command,
    why: String,
) -> Result<axum::Json<RulesView>, Problem> {
    app.0.command_rule(&actor, name, command, why).await?;
    list(app, Caller(actor)).await
}

/// Let the candidate play a higher part: `shadow`, `canary` or `active`.
#[utoipa::path(post, path = "/api/v1/rules/{name}/promote", tag = "rules", security(("token" = [])),
    params(("name" = String, Path)), request_body = Move,
    responses((status = 200, body = RulesView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn promote(
    app: State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Json(body): Json<Move>,
) -> Result<axum::Json<RulesView>, Problem> {
    let command = Command::Promote { part: body.part()?, version: body.version };
    done(app, actor, &name, &command, body.why).await
}

/// Let the candidate step back: to `loaded`, `shadow` or a smaller `canary`.
#[utoipa::path(post, path = "/api/v1/rules/{name}/demote", tag = "rules", security(("token" = [])),
    params(("name" = String, Path)), request_body = Move,
    responses((status = 200, body = RulesView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn demote(
    app: State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Json(body): Json<Move>,
) -> Result<axum::Json<RulesView>, Problem> {
    let Part::Trial(trial) = body.part()? else {
        return Err(Problem::bad_field("to", "nothing is demoted to `active`: use promote"));
    };
    done(app, actor, &name, &Command::Demote { trial, version: body.version }, body.why).await
}

macro_rules! commands {
    ($($(#[$doc:meta])* $function:ident at $path:literal takes $body:ident { $($said:ident)? } is $command:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "rules", security(("token" = [])),
            params(("name" = String, Path)), request_body = $body,
            responses((status = 200, body = RulesView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
        pub async fn $function(
            app: State<Arc<App>>,
            Caller(actor): Caller,
            Path(name): Path<String>,
            Json($body { why, $($said)? }): Json<$body>,
        ) -> Result<axum::Json<RulesView>, Problem> {
            done(app, actor, &name, &$command, why).await
        }
    )*};
}

commands! {
    /// Agree, as a second person, that the proposed version that you have looked at becomes active, or that the rule whose
    /// version it is be retired.
    approve at "/api/v1/rules/{name}/approve" takes Approval { version } is Command::Approve { version };
    /// Return to the version before, also where the directory holds another. A rule that decides about access waits for a
    /// second person, where the desk asks for two; so do `resume` and `retire`.
    rollback at "/api/v1/rules/{name}/rollback" takes Why {} is Command::RollBack;
    /// Take the active version out; the version before takes over.
    suspend at "/api/v1/rules/{name}/suspend" takes Meant { version } is Command::Suspend { version };
    /// Put a suspended version back.
    resume at "/api/v1/rules/{name}/resume" takes Why {} is Command::Resume;
    /// End a rule: none of its versions is asked any more.
    retire at "/api/v1/rules/{name}/retire" takes Why {} is Command::Retire;
}

/// What happened to a rule's versions, the latest first.
#[utoipa::path(get, path = "/api/v1/rules/{name}/events", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), PageQuery), responses((status = 200, body = Vec<EventView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 404, body = Problem)))]
pub async fn events(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<EventView>, Problem> {
    let limit = query.limit()?;
    let before = query.after.as_deref().map(|text| List::RuleEvents.read_whole(text)).transpose()?;
    let page = app.rule_events(&actor, &name, before.map(|[seq]| seq), limit).await?;
    let next = page.next.map(|seq| List::RuleEvents.write([page::whole(seq)]));
    Ok(Paged { items: page.items.into_iter().map(EventView::from).collect(), next, limit })
}
