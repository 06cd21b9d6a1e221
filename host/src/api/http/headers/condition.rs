//! Preconditions: which version of a thing a client means (RFC 9110, section 13).
//!
//! Tags are compared weakly: a proxy that compresses weakens a tag or adds to it, and the client only sends back what it got.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::super::address::operations;
use super::super::problem::{Kind, Problem};
use crate::desk::change::condition::{Condition, Tags};

/// Endings that proxies add within a tag for the form in which they send it.
const ADDED: [&str; 6] = ["-gzip", "--gzip", ";gzip", "-br", ";br", "-zstd"];

/// The characters between the members of a list.
const EMPTY: [char; 3] = [',', ' ', '\t'];

/// The preconditions of a request.
///
/// # Errors
///
/// 400 where a header is no list of entity tags.
pub fn condition(headers: &HeaderMap) -> Result<Condition, Problem> {
    Ok(Condition { matches: tags(headers, &IF_MATCH)?, none_matches: tags(headers, &IF_NONE_MATCH)? })
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut all = None;
    for value in headers.get_all(name) {
        let found = value.to_str().ok().and_then(|text| read(text.trim()));
        all = match (all, found) {
            (None, Some(found)) => Some(found),
            (Some(Tags::OneOf(mut tags)), Some(Tags::OneOf(more))) => {
                tags.extend(more);
                Some(Tags::OneOf(tags))
            }
            // `*` is a whole value and no member of a list, however many headers that has.
            (Some(_), Some(_)) | (_, None) => {
                let detail = format!("`{name}` takes entity tags, such as \"3\", separated by commas, or * alone");
                return Err(Problem::new(Kind::BAD_HEADER, detail));
            }
        };
    }
    Ok(all)
}

/// A list of entity tags; `None` where it is none.
fn read(text: &str) -> Option<Tags> {
    if text == "*" {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    // Empty members are left out, the first included (RFC 9110, section 5.6.1.2).
    let mut rest = text.trim_start_matches(EMPTY);
    while !rest.is_empty() {
        let (tag, after) = one(rest)?;
        tags.push(without_added(tag).to_owned());
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start_matches(EMPTY),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    (!tags.is_empty()).then_some(Tags::OneOf(tags))
}

/// The tag with which a text begins, and what comes after it. Without quotes it is no tag by the letter; tools that take the
/// quotes off are understood all the same.
fn one(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("W/").unwrap_or(text);
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let end = text.find(',').unwrap_or(text.len());
    let (tag, rest) = text.split_at_checked(end)?;
    let tag = tag.trim_end();
    let plain = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    plain.then_some((tag, rest))
}

fn without_added(tag: &str) -> &str {
    ADDED.into_iter().find_map(|added| tag.strip_suffix(added)).unwrap_or(tag)
}

/// The answer to a read where the client has this version already: 304.
///
/// # Errors
///
/// As [`condition`]; 412 where the client wants to read other versions only, which is asked first (RFC 9110, section 13.2.2).
pub fn unless_known(headers: &HeaderMap, tag: &str) -> Result<Option<Response>, Problem> {
    let condition = condition(headers)?;
    if condition.matches.as_ref().is_some_and(|tags| !tags.have(tag)) {
        let detail = format!("it is at version \"{tag}\", which is none of those in `If-Match`");
        return Err(Problem::new(Kind::STALE, detail));
    }
    if !condition.has(tag) {
        return Ok(None);
    }
    let tag = HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    Ok(Some((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()))
}

/// The operations of a document that look at preconditions, as `PUT /api/v1/tables/{name}`.
pub fn looked_at(document: &Value) -> BTreeSet<String> {
    let is_one = |parameter: &Value| {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        name.eq_ignore_ascii_case("If-Match") || name.eq_ignore_ascii_case("If-None-Match")
    };
    operations(document, |_, parameters| parameters.iter().any(is_one))
}

/// Refuses a precondition of a write on routes that look at none, so that one is honoured or refused, and no client believes that it
/// overwrites nothing.
pub async fn refuse(State(looked_at): State<Arc<BTreeSet<String>>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let method = request.method();
    let is_write = !method.is_safe() && path.starts_with("/api/");
    let ignores = is_write && !looked_at.contains(&format!("{method} {path}"));
    let sent = [IF_MATCH, IF_NONE_MATCH].into_iter().find(|name| request.headers().contains_key(name));
    match sent.filter(|_| ignores) {
        Some(name) => {
            let detail = format!("this route looks at no `{name}`: send it without one");
            Problem::new(Kind::BAD_HEADER, detail).into_response()
        }
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_proxies_and_clients_write_them() {
        let some = |tags: &[&str]| Some(Tags::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        assert_eq!(read("*"), Some(Tags::Any));
        assert_eq!(read("\"3\""), some(&["3"]));
        assert_eq!(read("W/\"3\""), some(&["3"]));
        assert_eq!(read("\"1\", W/\"2\" ,\"3-gzip\""), some(&["1", "2", "3"]));
        assert_eq!(read("\"a, b\", \"c;gzip\""), some(&["a, b", "c"]));
        assert_eq!(read("3"), some(&["3"]), "quotes were taken off");
        assert_eq!(read("\"\""), some(&[""]));
        assert_eq!(read(", \"3\",, \"4\" ,"), some(&["3", "4"]), "empty members");
        for bad in ["", ",", "\"3", "\"3\" \"4\"", "W/", "one two", "\"3\";x", "*, \"3\""] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn several_headers_are_one_list_and_what_is_no_text_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append(IF_MATCH, HeaderValue::from_static("\"1\""));
        headers.append(IF_MATCH, HeaderValue::from_static("\"2\""));
        let found = condition(&headers).unwrap();
        assert!(found.matches.is_some_and(|tags| tags.have("1") && tags.have("2") && !tags.have("3")));
        headers.append(IF_MATCH, HeaderValue::from_static("*"));
        assert!(condition(&headers).is_err(), "* beside tags");
        headers.insert(IF_MATCH, HeaderValue::from_static("*"));
        assert!(condition(&headers).is_ok_and(|found| found.matches == Some(Tags::Any)));
        headers.append(IF_NONE_MATCH, HeaderValue::from_bytes(b"\xe4").unwrap());
        assert!(condition(&headers).is_err());
    }
}
