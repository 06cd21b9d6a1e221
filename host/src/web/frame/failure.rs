//! Errors as pages: what happened, what was kept, what to do, and the request's id to name to others.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::Frame;
use crate::app::Error;
use crate::app::tickets::submit::attachments::NotThis;
use crate::desk::refusal::Refusal;

/// Why a page is not what was asked for.
#[derive(Debug, Clone)]
pub enum Failure {
    /// A use case's answer.
    Use(Arc<Error>),
    /// The reader has to say who they are first; then they come back here.
    SignIn { next: String },
    /// Another site sent it.
    Elsewhere,
    /// There is no such page.
    NoPage,
    /// A form that no page of this desk sends.
    BadForm,
    /// It was refused before it came to a use case.
    Status(StatusCode),
}

/// A failure on its way to becoming a page.
#[derive(Debug, Clone)]
pub struct Shown(pub Failure);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Use(Arc::new(error))
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "a page cannot be written");
        Failure::Status(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Failure::SignIn { next } = &self {
            let next: String = super::form::encode(&[("next", next)]);
            return Redirect::to(&format!("/sign-in?{next}")).into_response();
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Shown(self));
        response
    }
}

impl Failure {
    /// The status that programs see.
    fn status(&self) -> StatusCode {
        match self {
            Failure::SignIn { .. } => StatusCode::SEE_OTHER,
            Failure::Elsewhere => StatusCode::FORBIDDEN,
            Failure::NoPage => StatusCode::NOT_FOUND,
            Failure::BadForm => StatusCode::BAD_REQUEST,
            Failure::Status(status) => *status,
            Failure::Use(error) => match &**error {
                Error::Rejected { .. } | Error::KeyReused | Error::Unfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Error::Refused(
                    Refusal::Forbidden { .. } | Refusal::OwnAccess | Refusal::NotAnApprover | Refusal::NotAReviewer,
                ) => StatusCode::FORBIDDEN,
                Error::Missing { .. } | Error::NoField { .. } => StatusCode::NOT_FOUND,
                Error::Attachment(NotThis::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
                Error::Attachment(NotThis::NotScanned | NotThis::Infected { .. }) => StatusCode::CONFLICT,
                Error::Stale { .. } | Error::StaleTable { .. } => StatusCode::PRECONDITION_FAILED,
                Error::Refused(_)
                | Error::Ambiguous { .. }
                | Error::NotTaken { .. }
                | Error::Table(_)
                | Error::NeedsMatch { .. } => StatusCode::CONFLICT,
                Error::TooMuch { .. } => StatusCode::TOO_MANY_REQUESTS,
                Error::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
                Error::MayBeDone(_) => StatusCode::GATEWAY_TIMEOUT,
                Error::NoRoom(_) => StatusCode::INSUFFICIENT_STORAGE,
                Error::Damaged(_) | Error::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// The key of its title and of its advice.
    fn key(&self) -> &'static str {
        match self.status().as_u16() {
            400 => "bad-form",
            403 if matches!(self, Failure::Elsewhere) => "elsewhere",
            403 => "forbidden",
            404 => "missing",
            405 => "method",
            409 => "conflict",
            412 => "stale",
            413 => "large",
            422 => "rejected",
            429 => "too-many",
            503 => "busy",
            504 => "unsure",
            507 => "no-room",
            _ => "broken",
        }
    }

    /// The words about what to do: who has used up a day's or an hour's share does not try again in a minute.
    fn advice(&self, f: &Frame) -> String {
        if let Failure::Use(error) = self
            && let Error::TooMuch { wait, .. } = &**error
            && let Some((key, number)) = long(*wait)
        {
            return f.words.t1(key, number);
        }
        f.words.t(&format!("error.{}.advice", self.key()))
    }

    /// The desk's own words about it, where they say more; nothing of what only an operator may see.
    fn detail(&self, f: &Frame) -> String {
        match self {
            Failure::Use(error) => f.why_not(error),
            _ => String::new(),
        }
    }
}

/// The advice to wait for longer than a minute, and how many minutes or hours that is; `None` where it is not so long.
fn long(wait: Duration) -> Option<(&'static str, u64)> {
    match wait.as_secs() {
        0..=60 => None,
        seconds @ 61..=7_200 => Some(("error.too-many.minutes", seconds.div_ceil(60))),
        seconds => Some(("error.too-many.hours", seconds.div_ceil(3_600))),
    }
}

/// What was found; none where there is no such thing, or none for this reader. Anything else that goes wrong is no answer.
pub fn if_any<T>(found: Result<T, Error>) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Missing { .. } | Error::Refused(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    f: Frame,
    title: String,
    advice: String,
    detail: String,
    id: &'a str,
    status: u16,
}

/// The page of a failure. What only an operator may see goes to the log.
pub fn page(f: Frame, failure: &Failure, id: &str) -> Response {
    let page = ErrorPage {
        title: f.words.t(&format!("error.{}.title", failure.key())),
        advice: failure.advice(&f),
        detail: failure.detail(&f),
        id,
        status: failure.status().as_u16(),
        f,
    };
    // A page about a page that cannot be written is not tried again.
    let text = page.render().unwrap_or_else(|_| page.title.clone());
    answer(failure, id, "text/html; charset=utf-8", text)
}

/// The same for a script of a page, in the form in which programs get it.
pub fn problem(f: &Frame, failure: &Failure, id: &str) -> Response {
    let problem = json!({
        "type": "about:blank",
        "title": f.words.t(&format!("error.{}.title", failure.key())),
        "detail": failure.detail(f),
        "status": failure.status().as_u16(),
        "request_id": id,
    });
    answer(failure, id, "application/problem+json", problem.to_string())
}

fn answer(failure: &Failure, id: &str, media_type: &'static str, text: String) -> Response {
    let status = failure.status();
    if let (Failure::Use(error), true) = (failure, status.is_server_error()) {
        tracing::error!(%error, request_id = id, "a page failed");
    }
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let wait_s = match failure {
        Failure::Use(error) => match &**error {
            Error::TooMuch { wait, .. } => Some(wait.as_secs() + 1),
            Error::Busy(_) => Some(1),
            _ => None,
        },
        _ => None,
    };
    if let Some(wait_s) = wait_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_asked_for_a_word_is_refused_it() {
        for refusal in [Refusal::OwnAccess, Refusal::NotAnApprover, Refusal::NotAReviewer] {
            assert_eq!(Failure::from(Error::Refused(refusal)).status(), StatusCode::FORBIDDEN);
        }
        assert_eq!(Failure::from(Error::Refused(Refusal::ReviewEnded)).status(), StatusCode::CONFLICT);
    }

    #[test]
    fn who_has_used_up_a_day_is_not_asked_to_wait_a_minute() {
        let advice = |wait_s| long(Duration::from_secs(wait_s));
        assert_eq!((advice(0), advice(60)), (None, None));
        assert_eq!(advice(61), Some(("error.too-many.minutes", 2)));
        assert_eq!(advice(3_599), Some(("error.too-many.minutes", 60)));
        assert_eq!(advice(7_201), Some(("error.too-many.hours", 3)));
        assert_eq!(advice(86_400), Some(("error.too-many.hours", 24)));
    }

    #[test]
    fn only_what_is_not_there_is_left_out_of_a_page() {
        let missing = Error::Missing { what: "rule", name: "none".to_owned() };
        assert!(matches!(if_any::<u8>(Err(missing)), Ok(None)));
        assert!(matches!(if_any(Ok(7)), Ok(Some(7))));
        assert!(if_any::<u8>(Err(Error::KeyReused)).is_err());
    }
}
