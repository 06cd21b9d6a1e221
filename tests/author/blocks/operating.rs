//! The blocks about a desk in production: what was decided, the life of a rule, the archive, backups, mail that comes in, and work that
//! was given up on.

use std::path::Path;

use ruledesk::store::Target;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::{Shell, block, incident};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, copy};
use crate::support::wait::until;

#[test]
fn the_block_about_recorded_decisions_runs() {
    let desk = House::demo(Database::Sqlite);
    for n in 0..30 {
        desk.as_role("amara").post("/api/v1/tickets", &incident(n)).expect(201);
    }
    let shell = Shell::beside(&desk);
    let rule = example_rules().join("40-team-routing");
    copy(&rule, &shell.folder().join("my-rule"));
    let manifest = std::fs::read_to_string(rule.join("rule.toml")).unwrap();
    let other = manifest.replace("network = \"network\"", "network = \"desktop\"");
    assert_ne!(other, manifest);
    std::fs::write(shell.folder().join("new.toml"), other).unwrap();
    std::fs::create_dir(shell.folder().join("target")).unwrap();
    std::os::unix::fs::symlink(&desk.rules, shell.folder().join("target/rules")).unwrap();

    let lines = block("host/guide/production.md", "ruledesk rules backtest");
    let said = shell.run(&lines);
    assert!(said.contains("network -> desktop"), "other settings, other teams: {said}");
    let set = said.split_once("\n{").unwrap_or_else(|| panic!("the whole set, as JSON: {said}")).1;
    let set = format!("{{{}\n}}", set.rsplit_once("\n}").unwrap().0);
    let set: Value = serde_json::from_str(&set).unwrap_or_else(|error| panic!("{error}: {set}"));
    assert!(set["decisions"].as_u64().unwrap() >= 30 && set["changed"] == 0, "the same set, the same answers: {set}");
    assert!(shell.read("report.html").contains("team-routing"));
    let heads = shell.read("heads.toml");
    assert!(heads.lines().any(|line| line.starts_with("runs 30 ")), "the ends of the chains: {heads}");
}

#[test]
fn the_block_about_the_life_of_a_rule_runs() {
    let desk = House::demo(Database::Sqlite);
    let file = desk.rules.join("40-team-routing/rule.toml");
    let manifest = std::fs::read_to_string(&file).unwrap();
    let next = manifest.replacen("version = \"1.0.0\"", "version = \"1.1.0\"\nmode = \"shadow\"", 1);
    std::fs::write(&file, next).unwrap();
    let rule = || {
        let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
        let mut all = rules["rules"].as_array().unwrap().iter();
        all.find(|rule| rule["folder"] == "40-team-routing").unwrap().clone()
    };
    until("the shadow", || (rule()["candidate"]["state"] == "shadow").then_some(()));
    let said = Shell::at(&desk, "mei").run(&block("host/guide/production.md", "ruledesk rules promote"));
    let listed = said.lines().find(|line| line.starts_with("team-routing ")).unwrap();
    let cells: Vec<&str> = listed.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert!(cells[1].starts_with("1.0.0 (") && cells[4] == "active", "before it was promoted: {listed}");
    assert!(cells[5].starts_with("1.1.0 (") && cells[5].ends_with(" shadow"), "{listed}");
    let events = desk.as_role("mei").get("/api/v1/rules/team-routing/events").expect(200);
    let of = |name: &str| -> Vec<String> {
        let all = events.as_array().unwrap().iter();
        all.map(|event| event[name].as_str().unwrap().to_owned()).take(3).collect()
    };
    assert_eq!(of("event"), ["rolled-back", "promoted", "promoted"]);
    assert_eq!(of("why")[0], "printers went to the network team");
    assert!(said.contains("rolled-back") && said.contains("printers went to the network team"), "{said}");
    assert_eq!(rule()["active"]["version"], "1.0.0", "whatever the folder holds");
}

#[test]
fn the_block_about_the_archive_runs() {
    let desk = House::demo(Database::Sqlite);
    for n in 0..4 {
        desk.as_role("amara").post("/api/v1/tickets", &incident(n)).expect(201);
    }
    let lines = block("host/guide/operating.md", "decisions archive --before");
    // All that was decided so far.
    let said = Shell::beside(&desk).run(&lines.replace("2026-01-01", "2100-01-01"));
    assert!(said.contains("4 records were archived") && said.contains("1 segment, 4 records"), "{said}");
    assert!(said.contains("; deleted by operator:") && said.contains(": kept for a year"), "{said}");
    let chain = desk.command(&["decisions", "chain"]);
    let chain = (chain.status.success(), String::from_utf8(chain.stdout).unwrap());
    assert!(chain.0 && chain.1.contains("  runs 1 to 4: archived, and deleted by"), "{}", chain.1);
}

/// While the desk runs, and what came after the backup is not in it.
#[test]
fn the_blocks_about_a_backup_and_its_restore_run() {
    let desk = House::demo(Database::Sqlite);
    desk.as_role("amara").post("/api/v1/tickets", &incident(1)).expect(201);
    let shell = Shell::beside(&desk);
    let shown = |path: &Path| path.display().to_string();
    let (settings, rules) = (desk.settings(), shown(&desk.rules));
    let (config, data) = (shown(settings.parent().unwrap()), shown(&desk.data_dir()));
    let backups = shown(&shell.folder().join("backups"));
    let here = |lines: String| {
        let of_this_desk = format!("--config {config} --rules {rules} --data {data}");
        let lines = lines.replace("--config /etc/ruledesk", &of_this_desk).replace("/etc/ruledesk", &config);
        lines.replace("/var/lib/ruledesk", &data).replace("/var/backups/ruledesk", &backups)
    };
    let said = shell.run(&here(block("host/guide/installing.md", "vacuum into")));
    assert!(said.contains("runs: 1 chained records"), "{said}");
    desk.as_role("amara").post("/api/v1/tickets", &incident(2)).expect(201);

    let place = desk.cut_off();
    // The service and its user are the machine's.
    shell.put_program("systemctl", "#!/bin/sh\n");
    shell.put_program("chown", "#!/bin/sh\n");
    let said = shell.run(&here(block("host/guide/installing.md", "systemctl stop")));
    assert!(said.contains("runs: 1 chained records"), "{said}");
    let is_there = |ticket: &str| place.command(&["explain", ticket]).status.success();
    assert!(is_there("IT-1") && !is_there("IT-2"), "all is as it was at the backup");
}

#[test]
fn the_block_about_dead_jobs_runs() {
    let desk = House::demo(Database::Sqlite);
    for person in ["amara", "jonas"] {
        let fields = json!({ "app": "github", "tier": "write", "duration-hours": 240, "for": person,
            "justification": "I join the data project" });
        let body = json!({ "request_type": "access", "subject": "github please", "fields": fields });
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    }
    desk.do_what_is_due();
    let bury = "update timers set dead_at = 1785744000000, attempts = 12, last_error = 'out of paper' \
                where kind = 'access-deadline'";
    assert_eq!(edit(&desk, bury), 2);
    let dead = || desk.as_role("mei").get("/api/v1/jobs/dead").expect(200)["jobs"].as_array().unwrap().clone();
    let jobs: Vec<Value> = dead();
    let id = jobs[0]["id"].as_str().unwrap();
    let lines = block("host/guide/operating.md", "ruledesk jobs dead");
    let said = Shell::beside(&desk).run(&lines.replace("access-deadline.01980000-0000-7000-8000-000000000001", id));
    assert_eq!(said.matches("after 12 attempts: out of paper").count(), 2, "{said}");
    assert!(said.contains(&format!("{id} is tried again")) && said.contains("1 dead job is tried again"), "{said}");
    assert!(dead().is_empty(), "all are tried again");
    desk.do_what_is_due();
}

#[test]
fn the_block_about_mail_that_comes_in_runs() {
    let settings = "\n[mail-in]\nrequest-type = \"question\"\n";
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + settings);
    let lines = block("host/guide/messages.md", "ruledesk mail deliver");
    let lines = lines.replace("/etc/ruledesk-mail-token", "mail-token").replace("@example.com", "@meridian.example");
    Shell::beside(&desk).run(&lines);
    let tickets = desk.as_role("amara").get("/api/v1/tickets").expect(200);
    assert_eq!(tickets["tickets"][0]["subject"], "The printer", "{tickets}");
    desk.do_what_is_due();
}

/// Runs a statement on a desk's database, behind its back; how many rows it changed.
fn edit(desk: &House, sql: &'static str) -> u64 {
    let Target::Sqlite(file) = desk.target() else { panic!("the desk is on SQLite") };
    crate::support::place::in_runtime(async {
        let url = format!("sqlite:{}", file.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected()
    })
}
