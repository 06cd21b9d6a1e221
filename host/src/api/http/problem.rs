//! Errors over HTTP: `application/problem+json` (RFC 9457), with a stable `type` for programs, a sentence for people and,
//! where fields are at fault, which.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::desk::organisation::form;

/// A problem, as it is sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// A stable URI reference for programs, such as `/problems/rejected`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind of problem in a few words.
    title: &'static str,
    /// The HTTP status code.
    status: u16,
    /// What was wrong this time, and what to do.
    detail: String,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FieldProblem>,
    /// What an operator needs to know and nobody else may; logged, never sent.
    #[serde(skip)]
    internal: Option<String>,
    /// When it is worth trying again, in seconds; sent as `Retry-After`.
    #[serde(skip)]
    retry_after_s: u64,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field's name, or its path in the body.
    pub field: String,
    /// A stable word for programs, such as `required`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $constant:ident = $status:ident, $kind:literal, $title:literal;)*) => {$(
        $(#[$doc])*
        pub const $constant: Kind = Kind {
            status: StatusCode::$status,
            kind: concat!("/problems/", $kind),
            title: $title,
        };
    )*};
}

/// A kind of problem that a client can act on.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
}

impl Kind {
    kinds! {
        BAD_BODY = BAD_REQUEST, "bad-body", "The body is not what was expected";
        BAD_PATH = BAD_REQUEST, "bad-path", "The path is not what was expected";
        BAD_QUERY = BAD_REQUEST, "bad-query", "The query is not what was expected";
        BAD_HEADER = BAD_REQUEST, "bad-header", "A header is not what was expected";
        NOT_JSON = UNSUPPORTED_MEDIA_TYPE, "not-json", "The body is not JSON";
        ENCODED = UNSUPPORTED_MEDIA_TYPE, "encoded", "The body is compressed";
        NOT_A_TABLE = UNSUPPORTED_MEDIA_TYPE, "not-a-table", "The body is no table";
        NOT_SATISFIABLE = RANGE_NOT_SATISFIABLE, "range", "The file has no such part";
        TOO_LARGE = PAYLOAD_TOO_LARGE, "too-large", "The body is too large";
        UNAUTHENTICATED = UNAUTHORIZED, "unauthenticated", "A valid token is needed";
        FORBIDDEN = FORBIDDEN, "forbidden", "You may not do this";
        NOT_FOUND = NOT_FOUND, "not-found", "There is no such thing";
        NOT_ALLOWED = METHOD_NOT_ALLOWED, "method-not-allowed", "This cannot be done to it";
        MISDIRECTED = MISDIRECTED_REQUEST, "misdirected", "This desk has another name";
        CONFLICT = CONFLICT, "conflict", "It is not in a state that allows this";
        AMBIGUOUS = CONFLICT, "ambiguous", "Several things are meant";
        STALE = PRECONDITION_FAILED, "stale", "It has changed since you read it";
        NEEDS_MATCH = PRECONDITION_REQUIRED, "if-match-required", "Say which version you mean";
        KEY_REUSED = UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key belongs to another request";
        REJECTED = UNPROCESSABLE_ENTITY, "rejected", "The submission needs mending";
        RULE_REFUSED = UNPROCESSABLE_ENTITY, "rule-refused", "No desk would take this rule";
        TOO_LONG = URI_TOO_LONG, "too-long", "The address is too long";
        TOO_MANY = TOO_MANY_REQUESTS, "too-many-requests", "You ask for too much at once";
        SLOW = REQUEST_TIMEOUT, "slow", "The request did not come to its end in time";
        BUSY = SERVICE_UNAVAILABLE, "busy", "The desk is busy";
        TIMED_OUT = GATEWAY_TIMEOUT, "timed-out", "It took too long";
        NO_ROOM = INSUFFICIENT_STORAGE, "no-room", "The desk's disk did not take it";
        DAMAGED = INTERNAL_SERVER_ERROR, "damaged", "What is kept here was changed by somebody else";
        BROKEN = INTERNAL_SERVER_ERROR, "internal", "Something is broken here";
    }
}

impl Problem {
    /// A problem of that kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.kind,
            title: kind.title,
            status: kind.status.as_u16(),
            detail: detail.into(),
            problems: Vec::new(),
            internal: None,
            retry_after_s: 1,
        }
    }

    /// The same, with the fields at fault.
    #[must_use]
    pub fn with_fields(mut self, problems: Vec<FieldProblem>) -> Self {
        self.problems = problems;
        self
    }

    /// The same, with what only an operator may see.
    #[must_use]
    pub fn with_internal(mut self, internal: impl Into<String>) -> Self {
        self.internal = Some(internal.into());
        self
    }

    /// There is too much of it for now; after a while it may be tried again.
    pub fn wait(detail: &str, wait: Duration) -> Self {
        // A part of a second is rounded up: what comes too early is refused again.
        let retry_after_s = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let problem = Self::new(Kind::TOO_MANY, format!("{detail}: wait {retry_after_s} s"));
        Self { retry_after_s: retry_after_s.max(1), ..problem }
    }

    /// The body is larger than allowed.
    pub fn too_large() -> Self {
        Self::new(Kind::TOO_LARGE, "send less, or attach it elsewhere and link to it")
    }

    /// The body is no JSON, or not of the right shape as a whole.
    pub fn bad_body(message: &str) -> Self {
        Self::new(Kind::BAD_BODY, message)
    }

    /// One field of the body is not of the right shape.
    pub fn bad_field(path: &str, message: &str) -> Self {
        let field = FieldProblem { field: path.to_owned(), code: "invalid".to_owned(), message: message.to_owned() };
        Self::new(Kind::BAD_BODY, format!("`{path}`: {message}")).with_fields(vec![field])
    }

    /// One text has a zero character, which no text of the desk has.
    pub fn zero_character(kind: Kind, field: &str) -> Self {
        let found = form::check_characters(field, "\0").map(FieldProblem::from);
        let shown = field.replace('\0', "\u{fffd}");
        Self::new(kind, format!("`{shown}` has a zero character (U+0000): leave it out"))
            .with_fields(found.into_iter().collect())
    }

    /// The body says that it is something else than JSON.
    pub fn not_json(given: &str) -> Self {
        let detail = format!("send `Content-Type: application/json`; this request says `{given}`");
        Self::new(Kind::NOT_JSON, detail)
    }

    /// Whether it is of this kind.
    pub fn is_of(&self, kind: Kind) -> bool {
        self.kind == kind.kind
    }

    /// What was wrong this time, and what to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What only an operator may see.
    pub fn internal(&self) -> Option<&str> {
        self.internal.as_deref()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after_s));
        }
        if self.kind == Kind::ENCODED.kind {
            // The encodings that are taken (RFC 9110, section 12.5.3).
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if status == StatusCode::REQUEST_TIMEOUT {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // One layer logs it; converting has no side effect.
        response.extensions_mut().insert(self);
        response
    }
}
