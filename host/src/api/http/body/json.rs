//! A request's body as a value: our own answers where it is none, and our own bound on its size.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::headers::header_text;
use super::super::problem::{Kind, Problem};
use crate::desk::text::{normal, with_quoted};
use crate::desk::ticket::intake::attachment::essence;

mod objects;
mod repeated;

/// A JSON body.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                Problem::too_large()
            } else {
                Problem::bad_body("the body could not be read to its end")
            }
        })?;
        object(&bytes).and_then(parse).map(Json)
    }
}

/// A body that can be an object, without the byte order mark that some editors write (RFC 8259, section 8.1). A list would be taken
/// for the fields of one in their order, which no document says.
fn object(bytes: &[u8]) -> Result<&[u8], Problem> {
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            Err(Problem::bad_body("the body is to be a JSON object, which begins with `{`"))
        }
        _ => Ok(body),
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = header_text(headers, header::CONTENT_TYPE).unwrap_or_default();
    // JSON is UTF-8 between programs (RFC 8259, section 8.1).
    if is_json(&essence(given)) && says_utf8(given) { Ok(()) } else { Err(Problem::not_json(given)) }
}

/// Whether a media type says that its letters are UTF-8, or says nothing of them.
pub fn says_utf8(media_type: &str) -> bool {
    let is_utf8 = |text: &str| ["utf-8", "utf8"].iter().any(|name| text.trim_matches('"').eq_ignore_ascii_case(name));
    let parts = media_type.split(';').skip(1).filter_map(|part| part.split_once('='));
    let mut charset = parts.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charset.all(|(_, text)| is_utf8(text.trim()))
}

/// Whether a media type is JSON's, or one that is written in it (RFC 6839, section 3.1).
fn is_json(media_type: &str) -> bool {
    let suffixed = media_type.strip_suffix("+json").and_then(|rest| rest.split_once('/'));
    media_type == "application/json" || suffixed.is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty())
}

/// The most values of a body: each takes far more memory than its few bytes.
const VALUES_MAX: usize = 200_000;

/// At least as many as a body has values: those that begin a list or an object, and those that another comes after.
fn values(body: &[u8]) -> usize {
    let (mut count, mut in_text, mut is_escaped) = (1, false, false);
    for byte in body {
        match (in_text, is_escaped, byte) {
            (true, true, _) => is_escaped = false,
            (true, false, b'\\') => is_escaped = true,
            (_, _, b'"') => in_text = !in_text,
            (false, _, b',' | b'[' | b'{') => count += 1,
            _ => {}
        }
    }
    count
}

/// The value of a body, its texts in the one form in which they are kept.
///
/// # Errors
///
/// Where it is no JSON of this form.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.len() > VALUES_MAX && values(bytes) > VALUES_MAX {
        return Err(Problem::bad_body(&format!("a body has at most {VALUES_MAX} values")));
    }
    let composed = composed(bytes);
    let mut deserializer = serde_json::Deserializer::from_slice(composed.as_deref().unwrap_or(bytes));
    let value = serde_path_to_error::deserialize(objects::Strict(&mut deserializer)).map_err(|error| {
        let path = error.path().to_string();
        let message = with_quoted(&error.inner().to_string());
        match path.as_str() {
            // A key that could not be read has a question mark for its name.
            "." | "?" if error.inner().is_data() => Problem::bad_body(&message),
            "." | "?" => Problem::bad_body(&format!("it cannot be read as JSON: {message}")),
            _ => Problem::bad_field(&path, &message),
        }
    })?;
    deserializer.end().map_err(|error| Problem::bad_body(&error.to_string()))?;
    if let Some(path) = repeated::key(bytes) {
        return Err(Problem::bad_field(&path, "it is there twice: send it once"));
    }
    match zero_character(bytes) {
        Some(path) => Err(Problem::zero_character(Kind::REJECTED, &path)),
        None => Ok(value),
    }
}
/// The body with its texts composed, where one is not. It may be written as escapes, so that a body with some is read twice.
fn composed(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if !text.contains("\\u") && matches!(normal(text), Cow::Borrowed(_)) {
        return None;
    }
    let mut value: Value = serde_json::from_str(text).ok()?;
    if compose(&mut value) { serde_json::to_vec(&value).ok() } else { None }
}

/// Composes the texts of a value; whether one was not. Names stay as they are: they are compared with those that are known.
fn compose(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let composed = match normal(text) {
                Cow::Borrowed(_) => return false,
                Cow::Owned(composed) => composed,
            };
            *text = composed;
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| compose(item) | any),
        Value::Object(fields) => fields.values_mut().fold(false, |any, field| compose(field) | any),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The path of the first text with a zero character, of which PostgreSQL has none. JSON can only write it as an escape, which
/// hardly any body has, so that hardly any is read twice.
fn zero_character(bytes: &[u8]) -> Option<String> {
    const ESCAPE: &[u8] = b"\\u0000";
    if !bytes.windows(ESCAPE.len()).any(|found| found == ESCAPE) {
        return None;
    }
    let value: Value = serde_json::from_slice(bytes).ok()?;
    path_to_zero(&value).map(|path| path.trim_start_matches('.').to_owned())
}

fn path_to_zero(value: &Value) -> Option<String> {
    let below = |step: String, value| path_to_zero(value).map(|rest| format!("{step}{rest}"));
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items.iter().zip(0..).find_map(|(item, n)| below(format!("[{n}]"), item)),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let here = name.contains('\0').then(|| format!(".{name}"));
            here.or_else(|| below(format!(".{name}"), value))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_where_they_stand_and_not_within_texts() {
        let of = |json: &str| values(json.as_bytes());
        assert_eq!([of("1"), of("[1,2]"), of("[[],[]]"), of(r#"{"a":1,"b":[2]}"#)], [1, 3, 5, 4]);
        assert_eq!([of(r#""a,b[{""#), of(r##"["\",[","]]"]"##), of(r#"["\\",1]"#)], [1, 3, 3]);
        let many = format!("[{}1]", "1,".repeat(VALUES_MAX));
        assert!(parse::<Value>(many.as_bytes()).is_err(), "too many");
        assert!(parse::<Value>(format!("[\"{}\"]", ",".repeat(2 * VALUES_MAX)).as_bytes()).is_ok(), "one long text");
    }

    #[test]
    fn a_body_is_an_object() {
        let told = |body: &[u8]| object(body).map(<[u8]>::to_vec).map_err(|_| ());
        assert_eq!(told(b"\xef\xbb\xbf{}"), Ok(b"{}".to_vec()));
        assert_eq!(told(b" \n{\"a\":1}"), Ok(b" \n{\"a\":1}".to_vec()));
        for list in [b"[1]".as_slice(), b" [", b"\"x\"", b"null", b"7", b"\xef\xbb\xbf[]"] {
            assert_eq!(told(list), Err(()));
        }
    }

    #[test]
    fn texts_are_composed_and_all_else_stays() {
        let read = |json: &str| parse(json.as_bytes()).ok().map(|value: Value| value.to_string()).unwrap_or_default();
        let kept = "[1,2.5,18446744073709551615,{\"a\":\"Z\u{fc}rich\"}]";
        assert_eq!(read("[1, 2.5, 18446744073709551615, {\"a\": \"Zu\u{308}rich\"}]"), kept);
        assert_eq!(read(r#"[1, 2.5, 18446744073709551615, {"a": "Zu\u0308rich"}]"#), kept);
        assert_eq!(read(r#"{"why": "u\\u0308"}"#), r#"{"why":"u\\u0308"}"#, "a backslash and five letters");
        assert!(composed(b"{\"a\": \"plain\"}").is_none() && composed("[\"\u{fc}\"]".as_bytes()).is_none());
        assert!(parse::<Value>("{\"a\": \"u\u{308}\", \"a\": 1}".as_bytes()).is_err(), "a key twice");
    }

    #[test]
    fn a_zero_character_is_found_where_it_is_and_nowhere_else() {
        let found = |json: &str| zero_character(json.as_bytes());
        assert_eq!(found(r#"{"why": "x\u0000"}"#).as_deref(), Some("why"));
        assert_eq!(found(r#"{"a": {"b": [1, "x", "\u0000"]}}"#).as_deref(), Some("a.b[2]"));
        assert_eq!(found(r#"{"a\u0000": 1}"#).as_deref(), Some("a\0"));
        assert_eq!(found(r#"{"why": "x\\u0000", "other": "\u00001"}"#).as_deref(), Some("other"));
        assert_eq!(found(r#"{"why": "x\\u0000"}"#), None, "a backslash and six letters");
    }
}
