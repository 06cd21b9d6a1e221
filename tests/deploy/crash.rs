//! An upload that is cut off, by SIGKILL or by a full disk, leaves what was there before or what it brought.

use serde_json::Value;
use tempfile::TempDir;

use super::{deploy, manifest, rule};
use crate::support::components::hostile;
use crate::support::desk::Desk;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

#[test]
fn killed_while_rules_arrive_a_desk_has_the_old_or_the_new_one() {
    on_both(|database| {
        let empty = TempDir::new().unwrap();
        let mut desk = Desk::with_rules(database, empty.path());
        deploy(&desk, &manifest("one", "1.0.0"), hostile()).expect(201);
        for round in 1..=4_u32 {
            let before = rule(&desk, "one")["version"].clone();
            let mut last_acknowledged = before.as_str().unwrap().to_owned();
            let mut last_sent = last_acknowledged.clone();
            let pid = rustix::process::Pid::from_raw(i32::try_from(desk.pid()).unwrap()).unwrap();
            std::thread::scope(|scope| {
                let killer = scope.spawn(|| {
                    until("an upload under way", || (rule(&desk, "one")["version"] != before).then_some(()));
                    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                });
                for n in 0.. {
                    last_sent = format!("{round}.{n}.1");
                    let (desk, toml) = (&desk, manifest("one", &last_sent));
                    let sent = std::panic::catch_unwind(|| deploy(desk, &toml, hostile()));
                    match sent {
                        Ok(answer) if answer.status == 201 => last_acknowledged.clone_from(&last_sent),
                        _ => break,
                    }
                }
                killer.join().unwrap();
            });
            desk = desk.crash_and_restart();
            let live = rule(&desk, "one")["version"].as_str().unwrap().to_owned();
            assert!(
                live == last_acknowledged || live == last_sent,
                "{live} is neither {last_acknowledged} nor {last_sent}"
            );
        }
    });
}

#[test]
fn a_rule_that_cannot_be_kept_is_not_activated() {
    let empty = TempDir::new().unwrap();
    let desk = Desk::with_rules(Database::Sqlite, empty.path());
    deploy(&desk, &manifest("one", "1.0.0"), hostile()).expect(201);
    let desk = desk.restart_with_a_full_disk(8 << 20);
    // A custom section: more bytes to keep, and nothing to compile.
    let padding = 12_u32 << 20;
    let mut large = hostile().to_vec();
    large.push(0);
    large.extend(leb128(padding + 2));
    large.extend([1, b'x']);
    large.extend(vec![7; padding as usize]);
    let answer = deploy(&desk, &manifest("one", "2.0.0"), &large);
    assert_eq!(answer.expect(507)["type"], "/problems/no-room");
    assert_eq!(rule(&desk, "one")["version"], "1.0.0", "the old rule serves on");
    // Nor is a file, and of where files are nothing is said.
    let file = vec![b'x'; 9 << 20];
    let kofi = desk.as_role("kofi").with("content-type", "text/plain");
    let refused = kofi.send("POST", "/api/v1/attachments?name=log.txt", Some(&file));
    assert_eq!(refused.status, 507, "{}", refused.text);
    assert!(refused.text.contains("/problems/no-room") && !refused.text.contains("incoming"), "{}", refused.text);
    // What fits is taken, so the desk has not come to a halt.
    let next = deploy(&desk, &manifest("one", "1.0.1"), hostile()).expect(201);
    assert_eq!(next["state"], "active");
    let desk = desk.crash_and_restart();
    assert_eq!(rule(&desk, "one")["version"], "1.0.1");
    let kept: Value = desk.as_role("mei").get("/api/v1/rules").expect(200);
    assert!(!kept.to_string().contains("2.0.0"), "{kept}");
}

/// An unsigned number as WebAssembly writes it.
fn leb128(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
