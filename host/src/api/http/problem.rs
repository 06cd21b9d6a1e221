//! Errors over HTTP: `application/problem+json` (RFC 9457), with a stable `type` for programs, a sentence for people and,
//! where fields are at fault, which. Each `type` is an address that says what it means.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::headers::accept;
use crate::desk::organisation::form;
use crate::desk::text::{beginning, quoted};

/// The most characters of a field's path that an answer repeats.
const PATH_CHARS_MAX: usize = 100;

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
    ($($constant:ident = $status:ident, $kind:literal, $title:literal, $meaning:literal, $remedy:literal;)*) => {
        $(pub const $constant: Kind = Kind {
            status: StatusCode::$status,
            kind: concat!("/problems/", $kind),
            title: $title,
            meaning: $meaning,
            remedy: $remedy,
        };)*

        /// All of them, so that none can be forgotten where they are explained.
        const ALL: &'static [Kind] = &[$(Kind::$constant),*];
    };
}

/// A kind of problem that a client can act on.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    /// How it comes about, and its remedy: the same each time.
    meaning: &'static str,
    remedy: &'static str,
}

impl Kind {
    kinds! {
        BAD_BODY = BAD_REQUEST, "bad-body", "The body is not what was expected",
            "The body is no JSON, or has another shape than the route takes: a key that is missing, unknown or there twice, or a value of another type.",
            "Look at `detail`, and at `problems`, which names the field by its path; compare the body with the operation in /openapi.json, and send it again.";
        BAD_PATH = BAD_REQUEST, "bad-path", "The path is not what was expected",
            "A part of the address is no text that the desk can have, such as one that is no UTF-8 or has a zero character.",
            "Escape the parts of an address as UTF-8 by %, and leave control characters out.";
        BAD_QUERY = BAD_REQUEST, "bad-query", "The query is not what was expected",
            "A parameter of the query is unknown to this route, is there twice, or has a value that it does not take.",
            "Look at `detail`, which names the parameter; /openapi.json lists those of each operation.";
        BAD_HEADER = BAD_REQUEST, "bad-header", "A header is not what was expected",
            "A header has a form that is not read, or asks for something that this route does not look at, such as a precondition or an `Idempotency-Key`.",
            "Mend the header that `detail` names, or leave it out where the route does not take it.";
        NOT_JSON = UNSUPPORTED_MEDIA_TYPE, "not-json", "The body is not JSON",
            "The body says that it has another media type than JSON in UTF-8.",
            "Send JSON in UTF-8 with `Content-Type: application/json`.";
        ENCODED = UNSUPPORTED_MEDIA_TYPE, "encoded", "The body is compressed",
            "The body is compressed or otherwise encoded, and the desk unpacks none.",
            "Send the body as it is, without `Content-Encoding`; a `Transfer-Encoding` may be `chunked` alone.";
        NOT_A_TABLE = UNSUPPORTED_MEDIA_TYPE, "not-a-table", "The body is no table",
            "A table was sent in a media type from which no table is read.",
            "Send CSV as `text/csv`, or TOML as `application/toml`.";
        NOT_SATISFIABLE = RANGE_NOT_SATISFIABLE, "range", "The file has no such part",
            "The `Range` that was asked for begins after the end of the file.",
            "Ask for a range within the size that `Content-Range` says, or for the whole file without `Range`.";
        TOO_LARGE = PAYLOAD_TOO_LARGE, "too-large", "The body is too large",
            "The body, or a file in it, has more bytes than this route takes.",
            "Send less; put what is larger elsewhere, and link to it.";
        UNAUTHENTICATED = UNAUTHORIZED, "unauthenticated", "A valid token is needed",
            "The request has no token, or one that is unknown, has ended or was taken back.",
            "Send `Authorization: Bearer TOKEN` with a token that is valid; `ruledesk token` makes one.";
        FORBIDDEN = FORBIDDEN, "forbidden", "You may not do this",
            "The token is valid, and the person whose it is may not do this.",
            "Ask somebody whose role allows it; sending it again changes nothing.";
        NOT_FOUND = NOT_FOUND, "not-found", "There is no such thing",
            "There is nothing at this address, or nothing that this person may see; the answer is the same for both.",
            "Look whether the address is right, and whose token it is that was sent.";
        NOT_ALLOWED = METHOD_NOT_ALLOWED, "method-not-allowed", "This cannot be done to it",
            "There is something at this address, and it does not take this method.",
            "Use one of the methods that /openapi.json has for this address.";
        MISDIRECTED = MISDIRECTED_REQUEST, "misdirected", "This desk has another name",
            "This desk has tokens that everybody knows, so it answers only to the names of its own machine, and the request has another `Host`.",
            "Ask it as `localhost` on its own machine, or have whoever runs it set up a desk with tokens of its own.";
        CONFLICT = CONFLICT, "conflict", "It is not in a state that allows this",
            "The request is understood and allowed, and the thing is not in a state that allows it: it is over, was decided already, or depends on something else.",
            "Read the thing again, look at `detail`, and decide anew.";
        AMBIGUOUS = CONFLICT, "ambiguous", "Several things are meant",
            "What was named stands for several things.",
            "Name one of them by its whole id.";
        STALE = PRECONDITION_FAILED, "stale", "It has changed since you read it",
            "The thing has another version than the one in `If-Match`, or is there though `If-None-Match` says that it is not: somebody else has changed it meanwhile.",
            "Read it again, look at what has changed, and send the change with the new `ETag`.";
        NEEDS_MATCH = PRECONDITION_REQUIRED, "if-match-required", "Say which version you mean",
            "A change of this thing has to say which version it means, so that nobody overwrites what they have not seen.",
            "Read the thing, and send its `ETag` in `If-Match`, or `*` for any version.";
        KEY_REUSED = UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key belongs to another request",
            "The `Idempotency-Key` came before with another request.",
            "Use a new key for a new request; send the same key only with the same request.";
        REJECTED = UNPROCESSABLE_ENTITY, "rejected", "The submission needs mending",
            "The body has the right shape, and some values of it cannot be taken.",
            "Mend the fields that `problems` names, each with a `code` for programs and a `message` for people, and send it again.";
        RULE_REFUSED = UNPROCESSABLE_ENTITY, "rule-refused", "No desk would take this rule",
            "The rule that was sent would be refused by every desk, so that it is not kept.",
            "Mend what `detail` and `problems` say, build the rule again, and try it by `ruledesk rule check` before it is sent.";
        TOO_LONG = URI_TOO_LONG, "too-long", "The address is too long",
            "The address has more bytes than are read.",
            "Send fewer or shorter parameters; a long list can go in several requests.";
        TOO_MANY = TOO_MANY_REQUESTS, "too-many-requests", "You ask for too much at once",
            "This person, or this network address, asks for more at once than its share.",
            "Wait for as many seconds as `Retry-After` says, and send it again; fewer requests at a time come through sooner.";
        SLOW = REQUEST_TIMEOUT, "slow", "The request did not come to its end in time",
            "The request did not come to its end in time, or the desk was asked to stop meanwhile. Nothing of it was done.",
            "Send it again as a whole, with a connection that is faster.";
        BUSY = SERVICE_UNAVAILABLE, "busy", "The desk is busy",
            "The desk has too much to do, is starting, or its database is away. Nothing of the request was done.",
            "Send it again after as many seconds as `Retry-After` says; /readyz says whether the desk is ready, and why not.";
        TIMED_OUT = GATEWAY_TIMEOUT, "timed-out", "It took too long",
            "The answer took longer than the desk waits for one. What changes something may have been done, or be done yet.",
            "Look before it is sent again, or send it again with the same `Idempotency-Key` where the route takes one; ask for less where it was a read.";
        NO_ROOM = INSUFFICIENT_STORAGE, "no-room", "The desk's disk did not take it",
            "The disk of the desk, or of its database, is full. Nothing of the request is kept.",
            "Whoever runs the desk has to make room; then send it again.";
        DAMAGED = INTERNAL_SERVER_ERROR, "damaged", "What is kept here was changed by somebody else",
            "What is kept of this thing was changed by something else than the desk, so that it cannot be read for what it was.",
            "Give the request's id to whoever runs the desk: the log names the row, and a backup has it as it was.";
        BROKEN = INTERNAL_SERVER_ERROR, "internal", "Something is broken here",
            "Something went wrong in the desk itself that no request should come to.",
            "Give the id of the request, in the `x-request-id` of the answer, to whoever runs the desk: the log has the cause under it.";
    }
}

impl Kind {
    /// The kind for a program that looks its `type` up.
    fn as_json(&self) -> Value {
        json!({ "type": self.kind, "title": self.title, "status": self.status.as_u16(), "meaning": self.meaning,
            "remedy": self.remedy })
    }

    /// The same for people.
    fn as_text(&self) -> String {
        let Kind { kind, title, meaning, remedy, .. } = self;
        let status = self.status.as_u16();
        format!("{kind} (status {status})\n{title}.\n\nIt means: {meaning}\nTo mend it: {remedy}\n")
    }
}

/// The address of the list of all kinds.
pub const LIST: &str = "/problems";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

fn wants_json(headers: &HeaderMap) -> bool {
    accept::prefers(headers, "text/plain", JSON)
}

fn shown(media_type: &'static str, body: String) -> Response {
    let headers =
        [(header::CONTENT_TYPE, media_type), (header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::VARY, "accept")];
    (headers, body).into_response()
}

/// `GET /problems`: every kind, what it means and what to do.
pub async fn explain_all(headers: HeaderMap) -> Response {
    if wants_json(&headers) {
        return shown(JSON, Kind::ALL.iter().map(Kind::as_json).collect::<Value>().to_string());
    }
    shown(TEXT, Kind::ALL.iter().map(Kind::as_text).collect::<Vec<_>>().join("\n"))
}

/// `GET /problems/{kind}`: one of them.
pub async fn explain(uri: Uri, headers: HeaderMap) -> Response {
    match Kind::ALL.iter().find(|kind| kind.kind == uri.path()) {
        Some(kind) if wants_json(&headers) => shown(JSON, kind.as_json().to_string()),
        Some(kind) => shown(TEXT, kind.as_text()),
        None => Problem::new(Kind::NOT_FOUND, format!("there is no such problem; {LIST} has them all")).into_response(),
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

    /// The query asks for what cannot be answered.
    pub fn bad_query(detail: impl Into<String>) -> Self {
        Self::new(Kind::BAD_QUERY, detail)
    }

    /// One field of the body is not of the right shape. Its path may have keys that the client has made up.
    pub fn bad_field(path: &str, message: &str) -> Self {
        let (field, code) = (beginning(path, PATH_CHARS_MAX), "invalid".to_owned());
        let field = FieldProblem { field, code, message: message.to_owned() };
        Self::new(Kind::BAD_BODY, format!("{}: {message}", quoted(path))).with_fields(vec![field])
    }

    /// One text has a zero character, which no text of the desk has.
    pub fn zero_character(kind: Kind, field: &str) -> Self {
        let field = &beginning(field, PATH_CHARS_MAX);
        let found = form::check_characters(field, "\0").map(FieldProblem::from);
        let shown = field.replace('\0', "\u{fffd}");
        Self::new(kind, format!("`{shown}` has a zero character (U+0000): leave it out"))
            .with_fields(found.into_iter().collect())
    }

    /// The body says that it is something else than JSON.
    pub fn not_json(given: &str) -> Self {
        let detail = format!("send `Content-Type: application/json`; this request says {}", quoted(given));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own_and_says_how_it_is_mended() {
        let names: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.kind).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let sentences = [kind.meaning, kind.remedy];
            assert!(sentences.iter().all(|text| text.len() > 20 && text.ends_with('.')), "{}", kind.kind);
        }
    }
}
