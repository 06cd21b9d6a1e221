//! Killed while it archives a large rule, the desk has it whole or not at all, and archives it with the next ticket; and
//! where the archive cannot be written, tickets are taken all the same.

use serde_json::json;
use tempfile::TempDir;

use crate::store::by_hand;
use crate::support::components::{from_text, put};
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::{Place, on_both};
use crate::support::wait::until;

/// A rule for priority of some ten megabytes: nearly all of it is data, so that it compiles at once.
fn large() -> Vec<u8> {
    let data = "0123456789abcdef".repeat(10 << 16);
    from_text(&format!(
        "(module (memory (export \"memory\") 200)
          (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export \"ruledesk:rules/priority@1.0.0#decide\") (param i32) (result i32) unreachable)
          (data (i32.const 65536) \"{data}\"))"
    ))
}

#[test]
fn a_version_is_in_the_archive_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let component = large();
    assert!(component.len() > 10 << 20);
    put(
        folder.path(),
        "large",
        "name = \"large\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 1\n",
        &component,
    );
    let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": { "topic": "other" } });
    on_both(|database| {
        let mut desk = Desk::with_rules(database, folder.path());
        for _ in 0..3 {
            let amara = desk.as_role("amara");
            std::thread::scope(|scope| {
                // The first ticket archives the rule; the kill comes while it does, or before, or after.
                let asked = scope.spawn(|| std::panic::catch_unwind(|| amara.post("/api/v1/tickets", &body)));
                let pid = rustix::process::Pid::from_raw(i32::try_from(desk.pid()).unwrap()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                drop(asked.join());
            });
            desk = desk.crash_and_restart();
            let kept = desk.as_role("kofi").get("/api/v1/rules/large/versions");
            if kept.status != 404 {
                assert_eq!(kept.expect(200)[0]["component_bytes"], component.len());
            }
        }
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
        let kofi = desk.as_role("kofi");
        let digest = kofi.get("/api/v1/rules/large/versions").expect(200)[0]["digest"].as_str().unwrap().to_owned();
        let (status, bytes) = kofi.get_bytes(&format!("/api/v1/rules/large/versions/{digest}/component"));
        assert_eq!((status, bytes.len()), (200, component.len()));
        assert!(bytes == component, "what comes back is what was shipped");
    });
}

#[test]
fn tickets_are_taken_while_the_archive_cannot_be_written() {
    let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": { "topic": "other" } });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        runtime.block_on(rename(&desk, "rule_versions", "elsewhere"));
        let file = desk.rules.join("12-tidy-text/rule.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("version = \"1.0.0\"", "version = \"1.0.1\"")).unwrap();
        desk.as_role("mei").post("/api/v1/rules/reload", &json!({})).expect(200);
        amara.post("/api/v1/tickets", &body).expect(201);
        runtime.block_on(rename(&desk, "elsewhere", "rule_versions"));
        // It is tried again.
        until("the version to be archived", || {
            amara.post("/api/v1/tickets", &body).expect(201);
            let versions = kofi.get("/api/v1/rules/tidy-text/versions").expect(200);
            (versions[0]["version"] == "1.0.1").then_some(())
        });
    });
}

async fn rename(desk: &Place, from: &str, to: &str) {
    by_hand(&desk.target(), &[&format!("alter table {from} rename to {to}")]).await;
}

/// A desk serves before all of its rules are compiled: those that come later are kept as well, before any ticket asks them.
#[test]
fn rules_that_load_while_a_desk_starts_are_in_the_archive() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        let folders = std::fs::read_dir(&desk.rules).unwrap().count();
        let names = || {
            let rules = kofi.get("/api/v1/rules").expect(200);
            let names = rules["rules"].as_array().unwrap().iter().filter_map(|rule| rule["name"].as_str());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let (names, _) = until("all rules to be live", || Some(names()).filter(|names| names.len() == folders));
        for name in names {
            until("the version to be kept", || {
                let kept = kofi.get(&format!("/api/v1/rules/{name}/versions"));
                (kept.status == 200 && !kept.json().as_array()?.is_empty()).then_some(())
            });
        }
    });
}
