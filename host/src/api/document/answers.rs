//! The answers of an operation: those that its handler names, and those that may come before it, each with its media type.

use serde_json::{Map, Value, json};

use super::example;

/// A problem's status, its words, and a `type` that it comes with.
type Kind = (u16, &'static str, &'static str);

/// Problems that any request may be answered with, also by what it has besides: a query, headers, a body that is not asked for.
const ALWAYS: [Kind; 9] = [
    (400, "path, query, header or body is not what was expected", "bad-query"),
    (413, "the body is too large", "too-large"),
    (414, "the address is too long", "too-long"),
    (415, "the body has another media type, or is compressed", "not-json"),
    (421, "this desk has tokens that everybody knows, and answers only to the names of its own machine", "misdirected"),
    (429, "you, or your address, ask for too much at once: `Retry-After` says when to try again", "too-many-requests"),
    (500, "something is broken here", "internal"),
    (503, "the desk has too much to do, or its database is away: `Retry-After` says when to try again", "busy"),
    (504, "it took too long", "timed-out"),
];
/// Problems of those who have to say who they are.
const KNOWN: [Kind; 2] =
    [(401, "a valid token is needed", "unauthenticated"), (403, "you may not do this", "forbidden")];
/// Problems of requests that name a thing.
const NAMED: [Kind; 1] = [(404, "there is no such thing, or none that you may see", "not-found")];
/// Problems of requests with a body.
const WITH_BODY: [Kind; 2] = [
    (408, "the body did not come to its end in time", "slow"),
    (422, "what was sent needs to be changed; `problems` says where", "rejected"),
];
/// Problems of requests that change something.
const WRITING: [Kind; 2] =
    [(409, "it is not in a state that allows this", "conflict"), (507, "the desk's disk did not take it", "no-room")];

/// Completes the answers of an operation.
pub fn complete(path: &str, method: &str, operation: &mut Map<String, Value>, schemas: &Value) {
    let has_token = operation.get("security").and_then(Value::as_array).is_some_and(|security| !security.is_empty());
    let has_body = operation.contains_key("requestBody");
    let mut kinds: Vec<Kind> = ALWAYS.to_vec();
    kinds.extend(KNOWN.into_iter().filter(|_| has_token));
    kinds.extend(NAMED.into_iter().filter(|_| path.contains('{') || path == "/metrics"));
    kinds.extend(WITH_BODY.into_iter().filter(|_| has_body));
    kinds.extend(WRITING.into_iter().filter(|_| method != "get"));
    let Some(answers) = operation.entry("responses").or_insert_with(|| json!({})).as_object_mut() else { return };
    // What has a version may be asked for by it, and have another.
    if answers.contains_key("304") {
        answers.entry("412").or_insert_with(|| json!({}));
    }
    for (status, words, _) in &kinds {
        answers.entry(status.to_string()).or_insert_with(|| json!({ "description": words }));
    }
    for (status, answer) in answers.iter_mut() {
        let Some(answer) = answer.as_object_mut() else { continue };
        let status: u16 = status.parse().unwrap_or_default();
        if status >= 400 {
            problem(status, &kinds, answer);
        } else {
            success(status, answer, schemas);
        }
    }
}

fn problem(status: u16, kinds: &[Kind], answer: &mut Map<String, Value>) {
    let kind = kinds.iter().find(|(of, ..)| *of == status);
    let (words, code) = kind.map_or_else(|| others(status), |(_, words, code)| (*words, *code));
    let described = answer.get("description").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !described {
        answer.insert("description".to_owned(), words.into());
    }
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    let example = json!({ "type": format!("/problems/{code}"), "title": words, "status": status, "detail": words });
    answer
        .insert("content".to_owned(), json!({ "application/problem+json": { "schema": schema, "example": example } }));
    if matches!(status, 429 | 503) {
        let header =
            json!({ "description": "seconds until it is worth trying again", "schema": { "type": "integer" } });
        answer.insert("headers".to_owned(), json!({ "Retry-After": header }));
    }
}

/// Problems that only some handlers name.
fn others(status: u16) -> (&'static str, &'static str) {
    match status {
        404 => ("there is no such thing, or none that you may see", "not-found"),
        412 => ("it has changed since you read it", "stale"),
        422 => ("what was sent needs to be changed; `problems` says where", "rejected"),
        428 => ("say which version you mean, in `If-Match`", "if-match-required"),
        _ => ("it cannot be done", "conflict"),
    }
}

fn success(status: u16, answer: &mut Map<String, Value>, schemas: &Value) {
    let described = answer.get("description").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !described {
        let words = match status {
            201 => "it was made",
            204 => "it is done",
            304 => "you have it already",
            _ => "as asked for",
        };
        answer.insert("description".to_owned(), words.into());
    }
    let content = answer.get_mut("content").and_then(Value::as_object_mut);
    for content in content.into_iter().flatten().filter_map(|(_, content)| content.as_object_mut()) {
        example::add(content, schemas);
    }
}
