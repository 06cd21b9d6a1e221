//! Several hosts on one PostgreSQL: what is deployed at one is in effect at all, and each ticket says what decided it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{deploy, manifest, rule};
use crate::support::components::{hostile, put};
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::{Database, Place, on_both};
use crate::support::wait::until;

/// The version that decided a ticket which is made now at this host, and the revision that the record names.
fn decided(host: &Place) -> (Option<String>, Option<i64>) {
    let body =
        json!({ "request_type": "question", "subject": "Anything", "body": "at all", "fields": { "topic": "other" } });
    let ticket = host.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let path = format!("/api/v1/tickets/{}/decisions", ticket["key"].as_str().unwrap());
    let runs = host.as_role("kofi").get(&path).expect(200);
    let stages = runs[0]["stages"].as_array().unwrap();
    let priority = stages.iter().find(|stage| stage["stage"] == "priority").unwrap();
    let version = priority["rules"][0]["version"].as_str().map(str::to_owned);
    (version, runs[0]["revision"].as_i64())
}

fn serving(host: &Place) -> i64 {
    host.as_role("kofi").get("/api/v1/rules").expect(200)["revision"]["serving"].as_i64().unwrap()
}

/// Waits until all hosts serve a revision and have decided a ticket by this version of the rule; how long that took them.
fn all_serve(hosts: &[&Desk], revision: i64, version: &str) -> Duration {
    let start = Instant::now();
    for host in hosts {
        until("a host to serve the revision", || (serving(host) >= revision).then_some(()));
    }
    let took = start.elapsed();
    for host in hosts {
        let (decided_by, recorded) = decided(host);
        assert_eq!(decided_by.as_deref(), Some(version));
        assert_eq!(recorded, Some(revision), "the record means the same at each host");
    }
    took
}

fn revision(answer: &Value) -> i64 {
    answer["revision"].as_i64().unwrap()
}

#[test]
fn what_is_deployed_at_one_host_is_in_effect_at_three() {
    let empty = TempDir::new().unwrap();
    let a = Desk::with_rules(Database::Postgres, empty.path());
    let (b, c) = (a.beside(), a.beside());

    let first = deploy(&a, &manifest("one", "1.0.0"), hostile()).expect(201);
    assert_eq!(first["state"], "active");
    let took = all_serve(&[&a, &b, &c], revision(&first), "1.0.0");
    println!("a new component is in effect at all after {took:?}");

    let second = deploy(&b, &manifest("one", "2.0.0"), hostile()).expect(201);
    let took = all_serve(&[&a, &b, &c], revision(&second), "2.0.0");
    println!("a new manifest is in effect at all after {took:?}");

    let back = c.as_role("mei").post("/api/v1/rules/one/rollback", &json!({ "why": "it was better before" }));
    assert_eq!(back.status, 200, "{}", back.text);
    until("all hosts to return", || {
        [&a, &b, &c].into_iter().all(|host| rule(host, "one")["version"] == "1.0.0").then_some(())
    });
    all_serve(&[&a, &b, &c], serving(&c), "1.0.0");

    // A host that is down while something changes has it when it is back.
    let (third, a) = {
        let a = a.crash();
        (deploy(&b, &manifest("one", "3.0.0"), hostile()).expect(201), a.start())
    };
    all_serve(&[&a, &b, &c], revision(&third), "3.0.0");
    let metrics = c.as_role("mei").get("/metrics").text;
    for gauge in ["ruledesk_rules_revision_wanted", "ruledesk_rules_revision_serving"] {
        assert!(metrics.contains(&format!("{gauge} {}", revision(&third))), "{metrics}");
    }
}

#[test]
fn a_version_whose_bytes_were_changed_in_the_archive_is_refused_and_the_older_one_serves() {
    let empty = TempDir::new().unwrap();
    let a = Desk::with_rules(Database::Postgres, empty.path());
    let b = a.beside();
    let first = deploy(&a, &manifest("one", "1.0.0"), hostile()).expect(201);
    all_serve(&[&a, &b], revision(&first), "1.0.0");
    // Whoever can write to the database makes each version that comes another than what was checked.
    a.sql(
        "create function forge() returns trigger language plpgsql as \
         $$ begin new.manifest := new.manifest || '# another'; return new; end $$",
    );
    a.sql("create trigger forge before insert on rule_versions for each row execute function forge()");
    let second = deploy(&a, &manifest("one", "2.0.0"), hostile()).expect(201);
    let (error, _) = until("the forged version to be reported", || {
        let error = rule(&b, "one")["last_error"].as_str()?.to_owned();
        error.contains("digest").then_some(error)
    });
    assert!(error.contains("archive"), "{error}");
    let view = b.as_role("kofi").get("/api/v1/rules").expect(200);
    assert_eq!(view["revision"]["wanted"], second["revision"]);
    assert_ne!(view["revision"]["serving"], second["revision"], "it says that it is behind: {view}");
    let older = (Some("1.0.0".to_owned()), None);
    assert_eq!(decided(&b), older, "the older version serves on, and the record claims no revision");
}

/// Beside a running desk, on either database: a command deploys, and the desk follows.
#[test]
fn what_a_command_deploys_is_in_effect_at_the_desk_beside_it() {
    on_both(|database| {
        let dir = TempDir::new().unwrap();
        let desk = House::with_rules(database, dir.path());
        put(dir.path(), "one", &manifest("one", "1.0.0"), hostile());
        let folder = dir.path().join("one");
        let output = desk.command(&["rules", "deploy", folder.to_str().unwrap(), "--why", "the first"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        until("the desk to follow", || (rule(&desk, "one")["version"] == "1.0.0").then_some(()));
        assert_eq!(decided(&desk).0.as_deref(), Some("1.0.0"));
        let without = desk.command(&["rules", "deploy", folder.to_str().unwrap(), "--why", " "]);
        assert!(!without.status.success(), "a reason is needed");
    });
}

/// Each host has its own clients, and all of them write on one ticket: what one is quicker with is no reason to refuse another.
#[test]
fn comments_at_once_at_three_hosts_are_all_taken() {
    let a = Desk::with_rules(Database::Postgres, TempDir::new().unwrap().path());
    let (b, c) = (a.beside(), a.beside());
    let body = json!({ "request_type": "question", "subject": "Anything", "body": "at all" });
    a.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let hosts = [&a, &b, &c];
    let say = |n: usize| {
        let comment = json!({ "body": format!("word {n}") });
        hosts[n % 3].as_role("amara").post("/api/v1/tickets/IT-1/comments", &comment).status
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let say = &say;
        let sends: Vec<_> = (0..48).map(|n| scope.spawn(move || say(n))).collect();
        sends.into_iter().map(|send| send.join().unwrap()).collect()
    });
    assert_eq!(statuses, [201; 48]);
    let timeline = b.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200);
    let comments = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "commented").count();
    assert_eq!(comments, 48);
}
