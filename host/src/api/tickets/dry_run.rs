//! `/api/v1/rules/dry-run`.

use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::NewTicketBody;
use super::views::{RunView, TicketView};
use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::app::replay::dry_run::{Candidate, Trial, What, Would};
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::ticket::sight::Sight;

/// What to try: a submission, or the one that a ticket was made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRunBody {
    #[serde(default)]
    submission: Option<NewTicketBody>,
    /// The key of a ticket whose recorded submission is tried, such as `IT-7`.
    #[serde(default)]
    ticket: Option<String>,
    /// Who submits it; you, or the one of the record, where nobody is named.
    #[serde(default)]
    submitted_by: Option<String>,
    /// Rules to add, or to put in the place of the live ones of the same name. One with a component of its own whose manifest
    /// says `shadow` is asked beside the live one.
    #[serde(default)]
    with: Vec<CandidateBody>,
    /// Names of live rules to leave out.
    #[serde(default)]
    without: Vec<String>,
    /// When it is submitted (RFC 3339); now, where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// A rule to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateBody {
    /// The text of its `rule.toml`.
    manifest: String,
    /// Its component in Base64 (RFC 4648, section 4); left out, it is the live rule's of the same name.
    #[serde(default)]
    component: Option<String>,
    /// The text of its `rule.sig`, where the desk takes signed rules only and the component is not the live rule's.
    #[serde(default)]
    signature: Option<String>,
}

/// What would become of it. Nothing was written.
#[derive(Serialize, ToSchema)]
pub struct DryRunView {
    /// The ticket, with `IT-?` for its key and the assignee whose turn it would be if nobody comes between.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<TicketView>,
    /// What would have to be mended, where there would be no ticket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FieldProblem>,
    /// What each rule said, as a ticket's decisions have it.
    run: RunView,
    /// Who would be told.
    messages: Vec<WouldTell>,
}

/// A message that would be sent.
#[derive(Serialize, ToSchema)]
pub struct WouldTell {
    kind: &'static str,
    recipient: String,
}

impl DryRunView {
    /// The same answer for HTTP and for the command line.
    pub fn new(would: Would) -> Self {
        let run = RunView::from(would.run);
        match would.outcome {
            Err(problems) => {
                let problems = problems.into_iter().map(FieldProblem::from).collect();
                Self { ticket: None, problems, run, messages: Vec::new() }
            }
            Ok(would_be) => {
                let messages = would_be.messages.iter();
                let messages = messages.map(|m| WouldTell { kind: m.kind.code(), recipient: m.to.to_string() });
                let messages = messages.collect();
                let ticket = TicketView {
                    key: "IT-?".to_owned(),
                    ..TicketView::new(would_be.ticket, would_be.access, &Sight::All)
                };
                Self { ticket: Some(ticket), problems: Vec::new(), run, messages }
            }
        }
    }
}

impl DryRunBody {
    /// What the body asks to be tried.
    pub fn trial(self) -> Result<Trial, Problem> {
        let what = match (self.submission, self.ticket) {
            (Some(submission), None) => {
                let (requester, submission) = submission.submission()?;
                What::Given { requester, submission: Box::new(submission) }
            }
            (None, Some(key)) => {
                let number = key.parse::<TicketNumber>();
                What::Of(number.map_err(|e| Problem::bad_field("ticket", &e.to_string()))?)
            }
            _ => return Err(Problem::bad_body("name either a `submission` or a `ticket`")),
        };
        let submitted_by = self.submitted_by.map(|id| id.parse::<PersonId>()).transpose();
        let submitted_by = submitted_by.map_err(|e| Problem::bad_field("submitted_by", &e.to_string()))?;
        let with = self.with.into_iter().map(CandidateBody::candidate).collect::<Result<_, _>>()?;
        Ok(Trial { what, submitted_by, with, without: self.without, at: self.at })
    }
}

impl CandidateBody {
    fn candidate(self) -> Result<Candidate, Problem> {
        let component = self.component.map(|text| BASE64_STANDARD.decode(text)).transpose();
        let component = component.map_err(|e| Problem::bad_field("with.component", &e.to_string()))?;
        Ok(Candidate { manifest: self.manifest, component, signature: self.signature })
    }
}

/// Try what would become of a submission, with the live rules or with others. It has no effect.
#[utoipa::path(post, path = "/api/v1/rules/dry-run", tag = "rules", security(("token" = [])),
    request_body = DryRunBody,
    responses((status = 200, body = DryRunView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn dry_run(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<DryRunBody>,
) -> Result<axum::Json<DryRunView>, Problem> {
    Ok(axum::Json(DryRunView::new(app.dry_run(&actor, body.trial()?).await?)))
}
