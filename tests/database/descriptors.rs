//! A system that has no descriptor to give says nothing about the disk.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::desk::{Database, Desk};
use crate::support::wait::until;

/// A connection that is there already, and is kept.
struct Kept(BufReader<TcpStream>);

impl Kept {
    fn to(desk: &Desk) -> Kept {
        Kept(BufReader::new(TcpStream::connect(desk.url.strip_prefix("http://").unwrap()).unwrap()))
    }

    /// The status and the body.
    fn send(&mut self, head: &str, token: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut status = 0;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }
}

fn limit(desk: &Desk, descriptors: Option<u64>) -> Option<u64> {
    let pid = Pid::from_raw(i32::try_from(desk.pid()).unwrap());
    let now = rustix::process::getrlimit(Resource::Nofile);
    let was = prlimit(pid, Resource::Nofile, Rlimit { current: descriptors, maximum: now.maximum }).unwrap();
    was.current
}

#[test]
fn a_desk_that_is_out_of_descriptors_goes_on_writing() {
    let desk = Desk::with_rules(Database::Sqlite, example_rules());
    let ticket = json!({ "request_type": "question", "subject": "x", "body": "Please tell me.", "fields": { "topic": "other" } });
    let ticket = ticket.to_string();
    let mut kept = Kept::to(&desk);
    assert_eq!(kept.send("POST /api/v1/tickets", "demo-amara", &ticket).0, 201);
    // Fewer than it has open: from now on, it can open nothing.
    let was = limit(&desk, Some(4));
    let soft = rustix::process::getrlimit(Resource::Nofile);
    let most = soft.maximum.unwrap_or(u64::MAX).min(65_536);
    assert_eq!(
        was,
        Some(most.max(soft.current.unwrap_or_default().min(most))),
        "it has raised its soft limit at the start"
    );
    for n in 0..40 {
        let (status, body) = kept.send("POST /api/v1/tickets", "demo-amara", &ticket);
        assert_eq!(status, 201, "{n}: {body}");
    }
    assert_eq!(kept.send("GET /readyz", "demo-mei", "").0, 200);
    limit(&desk, was);
    let list: Value = desk.as_role("kofi").get("/api/v1/tickets?limit=200").expect(200);
    assert_eq!(list["tickets"].as_array().unwrap().len(), 41);
}

/// A version that is replaced leaves no file open and no code mapped, however often that happens.
#[test]
fn changes_of_a_rule_keep_no_descriptors_and_no_memory() {
    let rules = tempfile::TempDir::new().unwrap();
    let manifest =
        |n: usize| hostile_manifest("often", "priority", "pass", "").replacen("1.0.0", &format!("1.0.{n}"), 1);
    put(rules.path(), "often", &manifest(0), hostile());
    let desk = Desk::with_rules(Database::Sqlite, rules.path());
    let change = |n: usize| {
        std::fs::write(desk.rules.join("often/rule.toml"), manifest(n)).unwrap();
        until("the next version to be active", || {
            let rules = desk.as_role("kofi").get("/api/v1/rules").json();
            let is_next = |rule: &Value| rule["active"]["version"] == format!("1.0.{n}");
            rules["rules"].as_array()?.iter().any(is_next).then_some(())
        });
    };
    let open = || std::fs::read_dir(format!("/proc/{}/fd", desk.pid())).unwrap().count();
    let of_process = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", desk.pid())).unwrap();
    let mapped = || of_process("maps").lines().count();
    let resident_mib = || {
        let status = of_process("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
    };
    // By then, as many versions are kept as ever are.
    (1..=12).for_each(change);
    let (files, mappings, resident) = (open(), mapped(), resident_mib());
    (13..=52).for_each(change);
    // Connections come and go meanwhile, and one that is over stays open for a moment; one for each change would be forty, and stay.
    until(&format!("no more than some above {files} descriptors"), || (open() < files + 9).then_some(()));
    // The code of a version has three mappings at least, so that forty that stay would show; threads that come and go have some, too.
    until(&format!("no more than some above {mappings} mappings"), || (mapped() < mappings + 120).then_some(()));
    assert!(resident_mib() < resident + 32, "{resident} MiB, then {}", resident_mib());
}
