//! How soon a change of a rule is in effect: the real program, real components, one desk on SQLite and three hosts on one
//! PostgreSQL. Not a Criterion benchmark: each measurement changes what the next one starts from.
//!
//! In effect means that the desk says so when asked, and it says so once tickets are decided by it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, not an interface"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

use support::components::{example_rules, hostile, hostile_manifest};
use support::desk::{Answer, Database, Desk};
use support::wait::until;

/// The measurements of one kind.
const TIMES: u32 = 15;

fn main() {
    // Tests share compiled code; here it is what is measured.
    let caches = tempfile::tempdir().unwrap();
    let own = |name: &str| vec![("RULEDESK_CACHE", caches.path().join(name).to_string_lossy().into_owned())];
    let desk = Desk::with_environment(Database::Sqlite, example_rules(), own("one"));
    println!("one desk on SQLite, the example rules, medians of {TIMES} (and the longest):");
    by_api(&desk);
    for (what, folder) in [("a rule for routing", "40-team-routing"), ("a rule for access", "50-access-policy")] {
        reload(&desk, what, folder);
    }
    let a = Desk::with_environment(Database::Postgres, tempfile::tempdir().unwrap().path(), own("first of three"));
    let (b, c) = (a.beside(), a.beside());
    println!("three hosts on one PostgreSQL:");
    hosts([&a, &b, &c]);
}

fn report(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
    println!("  {what:<66} {:>7.1} ms  ({:.1})", millis(median), millis(longest));
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

fn rule(desk: &Desk, name: &str) -> Value {
    let rules = desk.as_role("kofi").get("/api/v1/rules").expect(200);
    let found = rules["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == name);
    found.cloned().unwrap_or_default()
}

fn active(desk: &Desk, name: &str) -> String {
    rule(desk, name)["version"].as_str().unwrap_or_default().to_owned()
}

fn upload(desk: &Desk, manifest: &str, component: &[u8]) -> Answer {
    let parts: [(&str, &[u8]); 3] =
        [("manifest", manifest.as_bytes()), ("component", component), ("why", b"to see how long it takes")];
    desk.as_role("mei").send_parts("/api/v1/rules", &parts)
}

/// Promoted and rolled back, each measured from the request to the first ticket that it decided.
fn by_api(desk: &Desk) {
    let mei = desk.as_role("mei");
    let ticket = || {
        let body = json!({ "request_type": "question", "subject": "Anything", "body": "at all",
            "fields": { "topic": "other" } });
        desk.as_role("amara").post("/api/v1/tickets", &body).status
    };
    let manifest = |version: &str, does: &str| {
        hostile_manifest("one", "intake", does, "mode = \"shadow\"").replace("1.0.0", version)
    };
    upload(desk, &hostile_manifest("one", "intake", "pass", ""), hostile()).expect(201);
    let (mut promoted, mut rolled_back) = (Vec::new(), Vec::new());
    for n in 1..=TIMES {
        upload(desk, &manifest(&format!("1.{n}.0"), "reject"), hostile()).expect(201);
        assert_eq!(ticket(), 201);
        let start = Instant::now();
        mei.post("/api/v1/rules/one/promote", &json!({ "to": "active", "why": "to see" })).expect(200);
        assert_eq!(ticket(), 422, "the promoted version decides");
        promoted.push(start.elapsed());
        let start = Instant::now();
        mei.post("/api/v1/rules/one/rollback", &json!({ "why": "it rejects all" })).expect(200);
        assert_eq!(ticket(), 201, "the earlier version decides");
        rolled_back.push(start.elapsed());
    }
    report("promoted by API, until the first ticket that it decided", promoted);
    report("rolled back by API, until the first ticket that it decided", rolled_back);

    let mut by_command = Vec::new();
    for n in 1..=TIMES {
        upload(desk, &manifest(&format!("2.{n}.0"), "reject"), hostile()).expect(201);
        mei.post("/api/v1/rules/one/promote", &json!({ "to": "active", "why": "to see" })).expect(200);
        let start = Instant::now();
        let output = desk.command(&["rules", "rollback", "one", "--why", "it rejects all"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        until("the desk to follow", || (ticket() == 201).then_some(()));
        by_command.push(start.elapsed());
    }
    report("rolled back by command beside the desk, the command's start included", by_command);
}

/// A file is written, and the desk has taken it over by itself.
fn reload(desk: &Desk, what: &str, folder: &str) {
    let folder = desk.rules.join(folder);
    let text = std::fs::read_to_string(folder.join("rule.toml")).unwrap();
    let component = std::fs::read(example_rules().join(folder.file_name().unwrap()).join("rule.wasm")).unwrap();
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap().trim_end_matches('"').to_owned();
    let version = |version: &str| text.replacen("version = \"1.0.0\"", &format!("version = \"{version}\""), 1);
    let in_effect = |wanted: &str| {
        let start = Instant::now();
        until("the new version", || (active(desk, &name) == wanted).then_some(()));
        start.elapsed()
    };
    let mut manifests = Vec::new();
    for n in 1..=TIMES {
        let wanted = format!("1.{n}.0");
        std::fs::write(folder.join("rule.toml"), version(&wanted)).unwrap();
        manifests.push(in_effect(&wanted));
    }
    report(&format!("{what}: another manifest in the directory"), manifests);
    let digest = || rule(desk, &name)["digest"].clone();
    // What is compiled a second time, to see whether the rule answers the same, is no part of the next measurement.
    let settled = || until("the comparison", || rule(desk, &name)["deterministic"].is_boolean().then_some(()));
    let mut components = Vec::new();
    for n in 1..=TIMES {
        settled();
        let before = digest();
        let start = Instant::now();
        write_over(&folder.join("rule.wasm"), &other(&component, &n.to_string()));
        until("the new component", || (digest() != before).then_some(()));
        components.push(start.elapsed());
    }
    report(&format!("{what}: another component in the directory, compiled anew"), components);
}

/// As whoever deploys files does it: complete before it has its name.
fn write_over(file: &Path, bytes: &[u8]) {
    let beside = file.with_extension("new");
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(beside, file).unwrap();
}

/// The same component with another digest: a custom section more.
fn other(component: &[u8], text: &str) -> Vec<u8> {
    let name = "x";
    let content = [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), text.as_bytes()].concat();
    [component, &[0, u8::try_from(content.len()).unwrap()], &content].concat()
}

/// Uploaded at one host, until all three serve it.
fn hosts(hosts: [&Desk; 3]) {
    let serving = |host: &Desk| host.as_role("kofi").get("/api/v1/rules").expect(200)["revision"]["serving"].as_i64();
    let manifest = |version: &str| hostile_manifest("one", "priority", "pass", "").replace("1.0.0", version);
    let all_serve = |version: &str, component: &[u8]| {
        let start = Instant::now();
        let revision = upload(hosts[0], &manifest(version), component).expect(201)["revision"].as_i64();
        for host in hosts {
            until("a host to serve it", || (serving(host) >= revision).then_some(()));
        }
        let took = start.elapsed();
        hosts.iter().for_each(|host| assert_eq!(active(host, "one"), version));
        took
    };
    all_serve("1.0.0", hostile());
    let manifests = (1..=TIMES).map(|n| all_serve(&format!("1.{n}.0"), hostile())).collect();
    report("another manifest uploaded at one, until all serve it", manifests);
    let components = (1..=TIMES).map(|n| {
        let version = format!("2.{n}.0");
        all_serve(&version, &other(hostile(), &version))
    });
    report("another component uploaded at one, until all serve it", components.collect());
    let mut rolled_back = Vec::new();
    for n in 1..=TIMES {
        all_serve(&format!("3.{n}.0"), hostile());
        let start = Instant::now();
        hosts[1].as_role("mei").post("/api/v1/rules/one/rollback", &json!({ "why": "to see" })).expect(200);
        let wanted = active(hosts[1], "one");
        assert_ne!(wanted, format!("3.{n}.0"));
        for host in hosts {
            until("a host to return", || (active(host, "one") == wanted).then_some(()));
        }
        rolled_back.push(start.elapsed());
    }
    report("rolled back at one, until all serve the earlier version", rolled_back);
}
