//! Segments in a bucket that speaks S3: a store in the test's process answers as much of it as the archive uses.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{import, said};
use crate::support::components::example_rules;
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::Database;

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

async fn s3(State(objects): State<Objects>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    assert!(headers.contains_key("authorization"), "{method} {uri}");
    let mut objects = objects.lock().unwrap();
    let (name, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
    match method {
        // What is sent in parts is one object when the last has come.
        Method::POST if query.contains("uploads") => {
            "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>".into_response()
        }
        Method::PUT if query.contains("partNumber=") => {
            let number: u32 = query.split("partNumber=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
            objects.insert(format!("{name}#{number:05}"), body);
            [("etag", format!("\"{number}\""))].into_response()
        }
        Method::POST if query.contains("uploadId=") => {
            let parts: Vec<String> =
                objects.keys().filter(|key| key.starts_with(&format!("{name}#"))).cloned().collect();
            let whole = parts.iter().flat_map(|part| objects.remove(part).unwrap()).collect::<Vec<u8>>();
            objects.insert(name, whole.into());
            "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>".into_response()
        }
        Method::PUT => {
            objects.insert(name, body);
            [("etag", "\"1\"")].into_response()
        }
        Method::DELETE => {
            objects.remove(&name).map_or(StatusCode::NOT_FOUND, |_| StatusCode::NO_CONTENT).into_response()
        }
        // Several at once (DeleteObjects).
        Method::POST if uri.query().is_some_and(|query| query.starts_with("delete")) => {
            let asked = String::from_utf8(body.to_vec()).unwrap();
            let keys = asked.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
            let deleted = keys.map(|key| {
                // One that is not there is deleted as well.
                objects.remove(&format!("/b/{key}"));
                format!("<Deleted><Key>{key}</Key></Deleted>")
            });
            format!("<DeleteResult>{}</DeleteResult>", deleted.collect::<String>()).into_response()
        }
        _ if uri.query().is_some_and(|query| query.contains("list-type=2")) => listed(&objects),
        _ => objects.get(&name).map_or(StatusCode::NOT_FOUND.into_response(), |found| part(found, &headers)),
    }
}

fn listed(objects: &BTreeMap<String, Bytes>) -> Response {
    let entry = |(name, bytes): (&String, &Bytes)| {
        let (key, size) = (name.trim_start_matches("/b/"), bytes.len());
        format!(
            "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        )
    };
    let all: String = objects.iter().map(entry).collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{all}</ListBucketResult>").into_response()
}

fn part(found: &Bytes, headers: &HeaderMap) -> Response {
    let range = headers["range"].to_str().unwrap().trim_start_matches("bytes=");
    let (from, to) = range.split_once('-').unwrap();
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    let to = to.min(found.len() - 1);
    let said = [
        ("content-range", format!("bytes {from}-{to}/{}", found.len())),
        ("etag", "\"1\"".to_owned()),
        ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned()),
    ];
    (StatusCode::PARTIAL_CONTENT, said, found.slice(from..=to)).into_response()
}

/// A store that speaks S3, its address, and what it runs on.
fn bucket() -> (Objects, String, Runtime) {
    let runtime = Runtime::new().unwrap();
    let objects = Objects::default();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(s3).with_state(Arc::clone(&objects));
    runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (objects, endpoint, runtime)
}

/// The variables by which a process finds the store.
fn variables(endpoint: &str) -> Vec<(&'static str, String)> {
    let said = [("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "here"), ("AWS_ACCESS_KEY_ID", "key")];
    let said = said.into_iter().chain([("AWS_ENDPOINT", endpoint), ("AWS_SECRET_ACCESS_KEY", "secret")]);
    said.map(|(name, value)| (name, value.to_owned())).collect()
}

#[test]
fn files_of_tickets_are_kept_in_a_bucket_once_and_given_out_of_it() {
    let (objects, endpoint, _runtime) = bucket();
    let desk = Desk::with_settings_and_environment(example_rules(), variables(&endpoint), |text| {
        format!("{text}\n[attachments]\nstore = \"s3://b/files\"\n")
    });
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let plan = "The gateway in Berlin.\n".repeat(20_000);
    let upload = |name: &str| {
        let path = format!("/api/v1/attachments?name={name}");
        amara.send_file(&path, "text/plain", plan.as_bytes()).expect(201)["id"].as_str().unwrap().to_owned()
    };
    let (file, again) = (upload("plan.txt"), upload("same.txt"));
    let names: Vec<String> = objects.lock().unwrap().keys().cloned().collect();
    assert!(names.len() == 1 && names[0].starts_with("/b/files/"), "the same content is there once: {names:?}");
    let body = json!({ "request_type": "incident", "subject": "VPN is down", "body": "See the plan.",
        "fields": { "service": "vpn", "people-affected": 40 }, "uploads": [file, again] });
    amara.post("/api/v1/tickets", &body).expect(201);
    for id in [&file, &again] {
        let (status, bytes) = kofi.get_bytes(&format!("/api/v1/attachments/{id}/content"));
        assert!(status == 200 && bytes == plan.as_bytes(), "{status}, {} bytes", bytes.len());
    }
}

#[test]
fn segments_in_a_bucket_are_written_read_listed_and_deleted() {
    let (objects, endpoint, runtime) = bucket();
    let archive = |text: String| text.replace("[server]", "[server]\narchive = \"s3://b/p/q\"");
    let desk = House::with_settings(Database::Sqlite, example_rules(), archive);
    let command = |arguments: &[&str]| -> Output {
        let mut program = desk.program(arguments);
        program.envs(variables(&endpoint)).output().unwrap()
    };
    let succeeded = |arguments: &[&str]| {
        let output = command(arguments);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    import(&desk, 6);
    succeeded(&["decisions", "archive", "--before", "2100-01-01"]);
    let names: Vec<String> = objects.lock().unwrap().keys().cloned().collect();
    assert!(names.len() == 1 && names[0].starts_with("/b/p/q/runs-000000000001-000000000006-"), "{names:?}");
    succeeded(&["decisions", "verify"]);
    succeeded(&["decisions", "chain"]);
    let kept = objects.lock().unwrap().remove(&names[0]).unwrap();
    let missing = said(&command(&["decisions", "chain"]));
    assert!(missing.contains("is missing in s3://b/p/q"), "{missing}");
    objects.lock().unwrap().insert(names[0].clone(), kept);
    let segment = names[0].rsplit('/').next().unwrap();
    succeeded(&["decisions", "archive", "--delete", segment, "--why", "old"]);
    assert!(objects.lock().unwrap().is_empty());
    assert!(succeeded(&["decisions", "chain"]).contains("archived, and deleted by"));
    succeeded(&["decisions", "archive", "--delete", segment, "--why", "old"]);

    import(&desk, 1);
    runtime.shutdown_background();
    let away = command(&["decisions", "archive", "--before", "2100-01-01"]);
    assert!(!away.status.success());
    assert!(
        said(&away).contains("cannot be reached in s3://b/p/q") && said(&away).contains("desk.toml"),
        "{}",
        said(&away)
    );
}
