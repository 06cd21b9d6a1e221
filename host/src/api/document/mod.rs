//! The OpenAPI 3.1 document: what the handlers say of themselves, with what holds for all routes, so that it is valid and every
//! answer that is sent is in it.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::http::problem::Problem;
use super::tickets::list::Sort;

mod answers;
mod example;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "RuleDesk",
        description = "An IT service desk whose decisions are made by WebAssembly components. \
                       Errors are `application/problem+json` (RFC 9457) with a stable `type`. \
                       Keys of a body and parameters of a query that an operation does not name are refused with 400 or 422."
    ),
    components(schemas(Problem, Sort)),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_with(Default::default).add_security_scheme("token", scheme);
    }
}

/// Each group of operations, in a sentence.
const TAGS: [(&str, &str); 7] = [
    ("tickets", "Submit tickets, read them, and work on them."),
    ("access", "Decide requests for access, and look after what was granted."),
    ("rules", "See the rules that decide, and put versions of them into effect."),
    ("tables", "Reference tables that rules look things up in."),
    ("config", "The organisation that the desk serves, as it is configured."),
    ("people", "The people of the organisation."),
    ("operations", "For those who run the desk: is it well, and what has it done."),
];

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The document as text.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&whole()).unwrap_or_default();
    text.push('\n');
    text
}

/// The document.
pub fn whole() -> Value {
    let mut described = Document::openapi();
    described.merge(super::described());
    let mut document = serde_json::to_value(described).unwrap_or_default();
    let Some(root) = document.as_object_mut() else { return document };
    root.insert("servers".to_owned(), json!([{ "url": "/", "description": "the desk that served this document" }]));
    if let Some(info) = root.get_mut("info").and_then(Value::as_object_mut) {
        info.insert("license".to_owned(), json!({ "name": "Apache-2.0", "identifier": "Apache-2.0" }));
    }
    let mut paths = root.remove("paths").unwrap_or_default();
    let schemas = root.get("components").and_then(|parts| parts.get("schemas")).cloned().unwrap_or_default();
    let mut used = Vec::new();
    for (path, methods) in paths.as_object_mut().into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut().filter(|_| METHODS.contains(&method.as_str())) {
                complete(path, method, operation, &schemas);
                used.extend(
                    operation.get("tags").and_then(|tags| tags.get(0)).and_then(Value::as_str).map(str::to_owned),
                );
            }
        }
    }
    let is_used = |tag: &str| used.iter().any(|used| used == tag);
    let tag = |(name, description): (&str, &str)| json!({ "name": name, "description": description });
    root.insert("tags".to_owned(), TAGS.into_iter().filter(|(name, _)| is_used(name)).map(tag).collect());
    root.insert("paths".to_owned(), paths);
    open_objects(&mut document);
    document
}

/// Says of objects whose members are not named that they may have any: generators take them for empty otherwise.
fn open_objects(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let is_object = members.get("type").is_some_and(|kind| match kind {
                Value::String(kind) => kind == "object",
                Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
                _ => false,
            });
            if is_object && !members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(Value::Bool(true));
            }
            members.values_mut().for_each(open_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(open_objects),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds to an operation what holds for all of its kind.
fn complete(path: &str, method: &str, operation: &mut Map<String, Value>, schemas: &Value) {
    operation.insert("operationId".to_owned(), id(path, method).into());
    if !operation.contains_key("description") {
        let summary = operation.get("summary").cloned().unwrap_or_default();
        operation.insert("description".to_owned(), summary);
    }
    operation.entry("security").or_insert_with(|| json!([]));
    answers::complete(path, method, operation, schemas);
    for content in contents(operation.get_mut("requestBody")) {
        example::add(content, schemas);
    }
}

/// The contents of a body, by media type.
fn contents(body: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let content = body.and_then(|body| body.get_mut("content")).and_then(Value::as_object_mut);
    content.into_iter().flatten().filter_map(|(_, content)| content.as_object_mut())
}

/// A name for an operation that no other has: the method, and the path's words.
fn id(path: &str, method: &str) -> String {
    let words = path.trim_start_matches("/api/v1").split('/').filter(|word| !word.is_empty());
    let word = |word: &str| match word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(parameter) => format!("by_{parameter}"),
        None => word.replace('-', "_"),
    };
    [method.to_owned()].into_iter().chain(words.map(word)).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_named_described_and_shown_by_an_example() {
        let document = whole();
        let mut ids = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let name = format!("{method} {path}");
                ids.push(operation["operationId"].as_str().unwrap().to_owned());
                assert!(!operation["description"].as_str().unwrap_or_default().is_empty(), "{name} is not described");
                let answers = operation["responses"].as_object().unwrap();
                for (status, answer) in answers {
                    assert!(!answer["description"].as_str().unwrap_or_default().is_empty(), "{name} {status}");
                }
                let has_example = |body: &Value| body["content"].to_string().contains("\"example\"");
                let shown = answers.values().any(has_example) || has_example(&operation["requestBody"]);
                assert!(shown, "{name} has no example");
            }
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "two operations have one name");
        assert!(count > 40);
        assert_eq!(id("/api/v1/tickets/{key}/access/decisions", "post"), "post_tickets_by_key_access_decisions");
    }

    #[test]
    fn every_reference_leads_somewhere_and_no_two_types_share_a_name() {
        let document = whole();
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document["components"]["schemas"].get(reference).is_some(), "{reference}");
        }
        let mut names: Vec<&str> = Vec::new();
        for source in [
            include_str!("../rules/mod.rs"),
            include_str!("../rules/versions.rs"),
            include_str!("../rules/deployments.rs"),
            include_str!("../rules/stats.rs"),
            include_str!("../tables.rs"),
            include_str!("../tickets/views.rs"),
            include_str!("../admin/config.rs"),
        ] {
            let types = source.split("ToSchema)]").skip(1).filter(|rest| !rest.trim_start().starts_with("#[schema(as"));
            names.extend(types.filter_map(|rest| rest.split("pub struct ").nth(1)?.split([' ', ';']).next()));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "the document would have one of two types: {names:?}");
    }
}
