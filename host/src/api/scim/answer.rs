//! Answers of the SCIM server: resources, lists and errors (RFC 7644, section 3.4.2 and 3.12).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::patch::NoPatch;
use super::query::Asked;
use super::schema::{GROUP, USER};
use crate::api::http::headers::condition::condition;
use crate::api::http::problem::Problem;
use crate::app::Error;
use crate::app::access::people::directory::{ENTERPRISE, Entry, Group, VALIDITY};
use crate::app::tickets::submit::digest;
use crate::desk::organisation::directory::EntryKind;
use crate::desk::refusal::Refusal;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/scim+json");
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Why a request is not done.
pub enum Failed {
    Scim {
        status: StatusCode,
        word: Option<&'static str>,
        detail: String,
    },
    /// Paths that are no matter of SCIM.
    Other(Problem),
}

impl Failed {
    /// A request that is not right, with the SCIM word for why.
    pub fn bad(word: &'static str, detail: impl Into<String>) -> Failed {
        Failed::Scim { status: StatusCode::BAD_REQUEST, word: Some(word), detail: detail.into() }
    }

    /// Something that is not there.
    pub fn missing(detail: impl Into<String>) -> Failed {
        Failed::Scim { status: StatusCode::NOT_FOUND, word: None, detail: detail.into() }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let (detail, plain) = (error.to_string(), |status| (status, None));
        let (status, word) = match &error {
            Error::Rejected { problems } => {
                let detail = problems.first().map_or(detail, |problem| problem.message.clone());
                return Failed::bad("invalidValue", detail);
            }
            Error::Refused(Refusal::NameTaken { .. }) => (StatusCode::CONFLICT, Some("uniqueness")),
            Error::Refused(_) => plain(StatusCode::FORBIDDEN),
            Error::Missing { .. } => plain(StatusCode::NOT_FOUND),
            Error::Stale { .. } => plain(StatusCode::PRECONDITION_FAILED),
            Error::Busy(_) => plain(StatusCode::SERVICE_UNAVAILABLE),
            _ => return Failed::Other(error.into()),
        };
        Failed::Scim { status, word, detail }
    }
}

impl From<NoPatch> for Failed {
    fn from(NoPatch(word, detail): NoPatch) -> Self {
        Failed::bad(word, detail)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match self {
            Failed::Other(problem) => problem.into_response(),
            Failed::Scim { status, word, detail } => {
                let mut body = json!({ "schemas": [ERROR], "status": status.as_u16().to_string(), "detail": detail });
                if let (Some(word), Some(fields)) = (word, body.as_object_mut()) {
                    fields.insert("scimType".to_owned(), word.into());
                }
                sent(status, &body)
            }
        }
    }
}

/// A body as it is sent.
pub fn sent(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response()
}

fn location(entry: &Entry) -> String {
    let place = match entry.kind {
        EntryKind::User => "Users",
        EntryKind::Group => "Groups",
    };
    format!("/scim/v2/{place}/{}", entry.id)
}

/// Hexadecimal digits of the digest of a user's groups in a tag.
const GROUPS_DIGITS: usize = 16;

/// The text of an entry's tag between its quotes: its version, and of a user who is in groups what these are. They follow from the
/// groups' members, which change no version of the user's own.
pub fn version(entry: &Entry, groups: &[Group]) -> String {
    if entry.kind != EntryKind::User || groups.is_empty() {
        return entry.version.to_string();
    }
    let named: Vec<(String, &str)> = groups.iter().map(|(id, name)| (id.to_string(), name.as_str())).collect();
    let digest: String = digest(json!(named).to_string().as_bytes()).chars().take(GROUPS_DIGITS).collect();
    format!("{}.{digest}", entry.version)
}

/// The tag of an entry as it is shown.
fn tag(entry: &Entry, groups: &[Group]) -> String {
    format!("W/\"{}\"", version(entry, groups))
}

/// An entry as it is shown, a user with their groups: those follow from the groups' members, and no client sets them.
pub fn resource(entry: &Entry, groups: &[Group]) -> Value {
    let mut resource = entry.body.clone();
    let (kind, schema) = match entry.kind {
        EntryKind::User => ("User", USER),
        EntryKind::Group => ("Group", GROUP),
    };
    if let Some(fields) = resource.as_object_mut() {
        let mut schemas = vec![schema];
        schemas.extend([ENTERPRISE, VALIDITY].into_iter().filter(|schema| fields.contains_key(*schema)));
        if entry.kind == EntryKind::User {
            fields.retain(|name, _| !name.eq_ignore_ascii_case("groups"));
            let group = |(id, name): &Group| {
                let place = format!("/scim/v2/Groups/{id}");
                json!({ "value": id.to_string(), "$ref": place, "display": name, "type": "direct" })
            };
            let all: Vec<Value> = groups.iter().map(group).collect();
            fields.extend((!all.is_empty()).then(|| ("groups".to_owned(), all.into())));
        }
        fields.insert("schemas".to_owned(), json!(schemas));
        fields.insert("id".to_owned(), entry.id.to_string().into());
        let meta = json!({ "resourceType": kind, "created": entry.created_at, "lastModified": entry.changed_at,
            "location": location(entry), "version": tag(entry, groups) });
        fields.insert("meta".to_owned(), meta);
    }
    resource
}

/// An entry, where the client does not have this version of it.
pub fn shown((entry, groups): (&Entry, &[Group]), asked: &Asked, headers: &HeaderMap) -> Response {
    let tag = tag(entry, groups);
    match condition(headers) {
        Ok(known) if known.has(&version(entry, groups)) => {
            return with_tag(StatusCode::NOT_MODIFIED.into_response(), &tag);
        }
        Ok(_) => {}
        Err(problem) => return Failed::bad("invalidValue", problem.detail()).into_response(),
    }
    with_tag(sent(StatusCode::OK, &asked.only(resource(entry, groups))), &tag)
}

/// An entry that was made: no group has it yet.
pub fn created(entry: &Entry, asked: &Asked) -> Response {
    let mut response = with_tag(sent(StatusCode::CREATED, &asked.only(resource(entry, &[]))), &tag(entry, &[]));
    if let Ok(place) = HeaderValue::from_str(&location(entry)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

fn with_tag(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A page of the resources that fit: of the others, which may be long, each is there only while it is looked at.
pub fn listed(all: impl Iterator<Item = Value>, asked: &Asked) -> Response {
    let (mut total, mut page) = (0_usize, Vec::new());
    for one in all.filter(|one| asked.filter.as_ref().is_none_or(|filter| filter.holds(one))) {
        total += 1;
        if total >= asked.start && page.len() < asked.count {
            page.push(asked.only(one));
        }
    }
    let body = json!({ "schemas": [LIST], "totalResults": total, "startIndex": asked.start,
        "itemsPerPage": page.len(), "Resources": page });
    sent(StatusCode::OK, &body)
}
