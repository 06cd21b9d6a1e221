//! Every route of the interface's own document, and those of the directory: who may not ask hears so before a body is read, and a key
//! that is not honoured is refused.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::Database;

/// Routes with a body that one without any role but a requester's may use for some thing, so that the body says for which; all others
/// are closed to such a person.
const OPEN: [&str; 25] = [
    "POST /api/v1/access/orders/{id}/attest",
    "POST /api/v1/access/review-items/{id}/answer",
    "POST /api/v1/access/submissions",
    "POST /api/v1/articles/suggestions",
    "POST /api/v1/articles/{key}/votes",
    "POST /api/v1/attachments",
    "POST /api/v1/delegations",
    "PUT /api/v1/drafts/{id}",
    "POST /api/v1/grants/{id}/extend",
    "POST /api/v1/grants/{id}/revoke",
    "PUT /api/v1/preferences",
    "POST /api/v1/provisioning/{id}/answer",
    "POST /api/v1/tickets",
    "POST /api/v1/tickets/{key}/access/answers",
    "POST /api/v1/tickets/{key}/access/decisions",
    "POST /api/v1/tickets/{key}/access/questions",
    "POST /api/v1/tickets/{key}/attachments",
    "POST /api/v1/tickets/{key}/comments",
    "POST /api/v1/tickets/{key}/escalate",
    "POST /api/v1/tickets/{key}/follow-ups",
    "POST /api/v1/tickets/{key}/merge",
    "POST /api/v1/tickets/{key}/steps",
    "PUT /api/v1/tickets/{key}/survey",
    "POST /api/v1/tickets/{key}/transitions",
    "PUT /api/v1/views/{id}",
];
/// Routes of the directory that take a body.
const DIRECTORY: [&str; 7] = [
    "POST /scim/v2/Users",
    "POST /scim/v2/Groups",
    "PUT /scim/v2/Users/{id}",
    "PATCH /scim/v2/Groups/{id}",
    "POST /scim/v2/.search",
    "POST /scim/v2/Users/.search",
    "POST /scim/v2/Groups/.search",
];

/// An operation of the document.
struct Operation {
    route: String,
    takes_body: bool,
    takes_key: bool,
    looks_at_versions: bool,
    is_for_strangers: bool,
}

fn operations(desk: &House) -> Vec<Operation> {
    let document = desk.stranger().get("/openapi.json").expect(200);
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            found.push(Operation {
                route: format!("{} {path}", method.to_uppercase()),
                takes_body: operation.get("requestBody").is_some(),
                takes_key: parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key"),
                looks_at_versions: ["If-Match", "If-None-Match"]
                    .iter()
                    .any(|name| parameters.iter().any(|parameter| parameter["name"] == *name)),
                is_for_strangers: operation["security"].as_array().is_none_or(Vec::is_empty),
            });
        }
    }
    found
}

/// An address of a route: things that are not there.
fn address(route: &str) -> (&str, String) {
    let (method, path) = route.split_once(' ').unwrap();
    let key = if path.starts_with("/api/v1/articles") { "KB-1" } else { "IT-1" };
    let path = path.replace("{key}", key).replace("{id}", "01a22499-78cd-70d3-9968-a16ee98dd302");
    let path = path.replace("{step}", "pause").replace("{document}", "teams").replace("{person}", "lena");
    let parts = path.split('/').map(|part| if part.starts_with('{') { "floors" } else { part });
    (method, parts.collect::<Vec<_>>().join("/"))
}

/// Heads that are sent before the first of their answers is read: the desk waits a second for the body of each.
const AT_ONCE: usize = 32;

/// A head that is sent alone: its route, the token that it bears, and the status that it is answered with.
type Head<'a> = (&'a str, Option<&'a str>, u16);

/// Sends heads, whose bodies are announced and never come, and compares the status of each answer.
fn are_answered(desk: &House, heads: &[Head<'_>]) {
    for some in heads.chunks(AT_ONCE) {
        let sent: Vec<TcpStream> = some.iter().map(|(route, token, _)| send_head(desk, route, *token)).collect();
        for ((route, token, status), mut stream) in some.iter().zip(sent) {
            assert_eq!(status_of(route, &mut stream), *status, "{route}, with the token {token:?}");
        }
    }
}

/// Sends a head alone.
fn send_head(desk: &House, route: &str, token: Option<&str>) -> TcpStream {
    let (method, path) = address(route);
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
    );
    let mut stream = TcpStream::connect(desk.url.trim_start_matches("http://")).unwrap();
    // Shorter than the desk waits for a body.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The status of the answer to a head alone.
fn status_of(route: &str, stream: &mut TcpStream) -> u16 {
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap_or_else(|error| panic!("{route}: no answer before the body: {error}"));
    std::str::from_utf8(&begin[9..]).unwrap().parse().unwrap()
}

#[test]
fn who_may_not_use_a_route_hears_so_before_a_body_is_read_on_every_route() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("[server]\n", "[server]\nrequest-timeout-ms = 120000\n")
    });
    let all = operations(&desk);
    let with_body: Vec<&Operation> = all.iter().filter(|operation| operation.takes_body).collect();
    assert!(with_body.len() > 40, "{} routes with a body", with_body.len());
    for open in OPEN {
        assert!(with_body.iter().any(|operation| operation.route == open), "there is no route {open}");
    }
    let mut heads: Vec<Head<'_>> = Vec::new();
    for operation in with_body {
        let route = operation.route.as_str();
        if !operation.is_for_strangers {
            heads.push((route, None, 401));
        }
        if !OPEN.contains(&route) {
            heads.push((route, Some("demo-amara"), 403));
        }
    }
    for route in DIRECTORY {
        heads.extend([(route, None, 401), (route, Some("demo-amara"), 403), (route, Some("demo-kofi"), 403)]);
    }
    are_answered(&desk, &heads);
}

/// As an unknown key of a body is refused. Without a name that is right, a filter that does nothing would look like one that does.
#[test]
fn a_parameter_that_a_route_does_not_know_is_refused_by_name_on_every_route() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei").with("content-type", "application/json");
    let mut count = 0;
    for operation in operations(&desk).into_iter().filter(|operation| operation.route.contains(" /api/v1/")) {
        let (method, path) = address(&operation.route);
        let body = operation.takes_body.then_some(b"{}".as_slice());
        let answer = mei.send(method, &format!("{path}?colour=red"), body);
        let problem = serde_json::from_str::<Value>(&answer.text).unwrap_or_default();
        let kind = problem["type"].as_str();
        assert_eq!((answer.status, kind), (400, Some("/problems/bad-query")), "{}: {}", operation.route, answer.text);
        assert!(problem.to_string().contains("colour"), "{}: {}", operation.route, answer.text);
        count += 1;
    }
    assert!(count > 120, "{count} routes");
}

/// Also to what has nothing to do with what the route is for: a header, a query, a form that no route reads.
#[test]
fn every_answer_to_a_request_that_is_wrong_anywhere_is_in_the_document() {
    let desk = House::demo(Database::Sqlite);
    let document = desk.stranger().get("/openapi.json").expect(200);
    let (mei, long) = (desk.as_role("mei"), format!("?{}", "a".repeat(9_000)));
    let packed = mei.with("content-encoding", "gzip");
    for operation in operations(&desk) {
        let (method, template) = operation.route.split_once(' ').unwrap();
        let declared = &document["paths"][template][method.to_lowercase()]["responses"];
        let (method, path) = address(&operation.route);
        for (who, query, wanted) in [(&mei, long.as_str(), 414), (&mei, "?a=%FF", 400), (&packed, "", 415)] {
            let answer = who.send(method, &format!("{path}{query}"), None);
            assert_eq!(answer.status, wanted, "{} {query:.9}: {}", operation.route, answer.text);
            assert!(declared.get(answer.status.to_string()).is_some(), "{} {}", operation.route, answer.status);
        }
    }
}

#[test]
fn every_write_honours_a_key_or_refuses_it() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei").with("idempotency-key", "k").with("content-type", "application/json");
    let refused = |route: &str| {
        let (method, path) = address(route);
        let answer = mei.send(method, &path, Some(b"{}"));
        let kind = serde_json::from_str::<Value>(&answer.text).unwrap_or_default()["type"].clone();
        assert_eq!((answer.status, kind.as_str()), (400, Some("/problems/bad-header")), "{route}: {}", answer.text);
    };
    let mut count = 0;
    for operation in operations(&desk) {
        let is_write = !operation.route.starts_with("GET ") && !operation.route.ends_with("/dry-run");
        if is_write && !operation.takes_key {
            refused(&operation.route);
            count += 1;
        }
    }
    assert!(count > 30, "{count} routes");
    for route in DIRECTORY.into_iter().filter(|route| !route.ends_with("/.search")) {
        refused(route);
    }
}

/// Where it was ignored, what another has written meanwhile would be overwritten.
#[test]
fn every_write_looks_at_a_precondition_or_refuses_it() {
    let desk = House::demo(Database::Sqlite);
    let mut count = 0;
    for operation in operations(&desk) {
        let is_read = operation.route.starts_with("GET ");
        if is_read || operation.looks_at_versions || !operation.route.contains(" /api/v1/") {
            continue;
        }
        let (method, path) = address(&operation.route);
        for (header, tag) in [("if-match", "\"77\""), ("if-none-match", "*")] {
            let mei = desk.as_role("mei").with(header, tag).with("content-type", "application/json");
            let answer = mei.send(method, &path, Some(b"{}"));
            let kind = serde_json::from_str::<Value>(&answer.text).unwrap_or_default()["type"].clone();
            let found = (answer.status, kind.as_str());
            assert_eq!(found, (400, Some("/problems/bad-header")), "{}: {}", operation.route, answer.text);
        }
        count += 1;
    }
    assert!(count > 40, "{count} routes");
}

/// A body in which a list stands in the place of an object, and the path of that place; `None` where the property is no object
/// and no list of them.
fn list_for(document: &Value, name: &str, schema: &Value) -> Option<(Value, String)> {
    let is_object = |schema: &Value| {
        let named = schema["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#')));
        named.unwrap_or(schema)["properties"].is_object()
    };
    if schema["items"].is_object() {
        return is_object(&schema["items"]).then(|| (json!({ name: [[1]] }), format!("{name}[0]")));
    }
    let alternatives = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
    alternatives.iter().any(is_object).then(|| (json!({ name: [1] }), name.to_owned()))
}

/// It would be taken for the fields of the object in their order, which no document says.
#[test]
fn a_list_in_the_place_of_an_object_is_refused_by_its_path_on_every_route() {
    let desk = House::demo(Database::Sqlite);
    let document = desk.stranger().get("/openapi.json").expect(200);
    let mei = desk.as_role("mei").with("content-type", "application/json");
    let mut count = 0;
    for operation in operations(&desk) {
        let (method, path) = operation.route.split_once(' ').unwrap();
        let body = &document["paths"][path][method.to_lowercase()]["requestBody"]["content"]["application/json"];
        let Some(name) = body["schema"]["$ref"].as_str() else { continue };
        let properties = &document.pointer(name.trim_start_matches('#')).unwrap()["properties"];
        for (name, schema) in properties.as_object().into_iter().flatten() {
            let Some((body, place)) = list_for(&document, name, schema) else { continue };
            let (method, path) = address(&operation.route);
            let answer = mei.send(method, &path, Some(body.to_string().as_bytes()));
            let problem = serde_json::from_str::<Value>(&answer.text).unwrap_or_default();
            let found = (answer.status, problem["problems"][0]["field"].as_str());
            assert_eq!(found, (400, Some(place.as_str())), "{}: {}", operation.route, answer.text);
            assert!(answer.text.contains("in the place of an object"), "{}: {}", operation.route, answer.text);
            count += 1;
        }
    }
    assert!(count > 4, "{count} places");
}
