//! `/api/v1/mail`: mail systems hand over what was written to the desk.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::tickets::submit::mail::TakenMail;

/// The outcome of a mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailView {
    /// `opened` a ticket, `said` on one, `repeated` where it had come before, `came-back` for a report about letters of the desk,
    /// `kept` as a draft where form or rules refuse it, `ignored` where no person wrote it.
    outcome: &'static str,
    /// Where it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    /// The sign by which no person wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<&'static str>,
}

impl From<TakenMail> for MailView {
    fn from(taken: TakenMail) -> Self {
        let (outcome, ticket, sign) = match taken {
            TakenMail::Opened(ticket) => ("opened", Some(ticket), None),
            TakenMail::Said(ticket) => ("said", Some(ticket), None),
            TakenMail::Repeated(ticket) => ("repeated", Some(ticket), None),
            TakenMail::Kept(_) => ("kept", None, None),
            TakenMail::CameBack(_) => ("came-back", None, None),
            TakenMail::Ignored { sign } => ("ignored", None, Some(sign)),
        };
        Self { outcome, ticket: ticket.map(|ticket| ticket.to_string()), sign }
    }
}

/// Hand over a mail: the message as it is (RFC 5322), with the fields that the mail system has added.
///
/// It is a new ticket of its author's, or their words on the ticket that it answers. The same mail handed over again is done once. A mail
/// is no larger than an attachment may be. Only for mail systems, by tokens with the role `mail`.
#[utoipa::path(post, path = "/api/v1/mail", tag = "tickets", security(("token" = [])),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = MailView), (status = 200, body = MailView, description = "no ticket and no words came of it now"),
        (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "the desk takes no mail"), (status = 413, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn deliver(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    body: Body,
) -> Result<(StatusCode, Json<MailView>), Problem> {
    app.may_take_mail(&actor)?;
    let raw = whole(body, app.mail_bytes_max()).await?;
    let taken = Box::pin(app.take_mail(&actor, raw)).await?;
    let is_new = matches!(taken, TakenMail::Opened(_) | TakenMail::Said(_));
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(taken.into())))
}

/// A body to its end, of no more bytes than these.
async fn whole(mut body: Body, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let mut raw = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Problem::bad_body(&format!("the mail did not come to its end: {e}")))?;
        let piece = frame.data_ref().map_or(&[][..], Bytes::as_ref);
        if raw.len().saturating_add(piece.len()) > bytes_max {
            return Err(Problem::too_large());
        }
        raw.extend_from_slice(piece);
    }
    Ok(raw)
}
