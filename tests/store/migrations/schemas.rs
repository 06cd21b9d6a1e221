//! Databases of every earlier schema: each migrates, reads as it did, and proves its records; also where the migration was
//! killed.
//!
//! `fixtures/rows-N.sql` is what a program of schema N wrote. A database of schema N has lived through all before it: each
//! migration up to N ran, and after each the rows of its time were written.

use std::fs;
use std::process::Stdio;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::raw::{Raw, SCHEMA_MAX, fill};
use crate::support::components::root;
use crate::support::desk::limited;
use crate::support::house::House;
use crate::support::place::{Database, Place, in_runtime, on_both, on_both_at_once};
use crate::support::wait::until;

/// A desk without rules on a database of an earlier schema.
fn old(database: Database, schema: i64) -> Place {
    let no_rules = TempDir::new().unwrap();
    let place = Place::demo(database, no_rules.path()).before_its_first_start();
    fs::create_dir_all(place.data_dir()).unwrap();
    in_runtime(fill(&place.target(), schema));
    place
}

/// All that is said about a ticket.
fn all_about(desk: &House, key: &str) -> Value {
    let kofi = desk.as_role("kofi");
    let ticket = kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
    let of = |what: &str| kofi.get(&format!("/api/v1/tickets/{key}/{what}")).expect(200);
    json!([ticket, of("timeline"), of("decisions"), of("messages"), of("explain")])
}

/// The records of both chains, which hold.
fn chained(desk: &House) -> String {
    let output = desk.command(&["decisions", "chain"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

/// Reads everything that a database of this schema holds; what it says of the tickets that were there before it migrated.
fn read(desk: &House, schema: i64) -> Vec<Value> {
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let tickets = match schema {
        1 => 2,
        2 | 3 => 3,
        4 | 5 => 4,
        _ => 5,
    };
    // What was overdue is denied, what has time waits.
    desk.advance(SignedDuration::ZERO);
    let about: Vec<Value> = (1..=tickets).map(|n| all_about(desk, &format!("IT-{n}"))).collect();
    assert!(about[0][1].to_string().contains("The gateway was restarted"), "{}", about[0][1]);
    for (n, one) in about.iter().enumerate() {
        let stages = one[2][0]["stages"].as_array().map(Vec::len);
        assert_eq!(stages, Some(if n == 0 || n == 3 { 4 } else { 5 }), "IT-{}: {one}", n + 1);
    }
    let access: Vec<&Value> = about.iter().map(|one| &one[0]["access"]["state"]).collect();
    let states = [json!(null), json!("denied"), json!("approved"), json!(null), json!("awaiting")];
    assert_eq!(access, states.iter().take(tickets).collect::<Vec<_>>());
    let granted = amara.get("/api/v1/people/amara/grants").expect(200);
    assert_eq!(granted.as_array().unwrap().len(), usize::from(schema >= 2), "{granted}");

    let mut of_old = kofi.clone();
    of_old.token = Some("rdk_of_old".to_owned());
    of_old.get("/api/v1/tickets/IT-1").expect(200);
    let versions = kofi.get("/api/v1/rules/old-rule/versions").expect(200);
    assert_eq!((&versions[0]["version"], &versions[0]["damage"]), (&json!("1.0.0"), &Value::Null));
    if schema >= 3 {
        let events = kofi.get("/api/v1/rules/old-rule/events").expect(200);
        assert_eq!(events.as_array().unwrap().len(), if schema >= 7 { 2 } else { 1 }, "{events}");
    }
    if schema >= 5 {
        assert_eq!(kofi.get("/api/v1/tables/assets").expect(200)["rows"][0]["team"], "network");
    }
    let runs = tickets - 2;
    assert!(chained(desk).contains(&format!("runs: {runs} chained records")), "{}", chained(desk));

    // Life goes on: the next ticket has the next number, and is chained to what was there.
    let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": { "topic": "other" } });
    let next = amara.post("/api/v1/tickets", &body).expect(201);
    assert_eq!(next["key"], format!("IT-{}", tickets + 1));
    assert!(chained(desk).contains(&format!("runs: {} chained records", runs + 1)), "{}", chained(desk));
    about
}

/// Without the times at which the desk did something just now.
fn same_whenever(mut about: Value) -> Value {
    about[0]["updated_at"].take();
    // The promises of an old ticket follow the configuration of today.
    let entries = about[1].as_array_mut().unwrap();
    entries.iter_mut().filter(|entry| entry["kind"] == "retargeted").for_each(|entry| drop(entry["at"].take()));
    about
}

#[test]
fn a_database_of_every_earlier_schema_reads_as_it_did() {
    let newest = read(&old(Database::Sqlite, SCHEMA_MAX).open(), SCHEMA_MAX);
    on_both_at_once(|database| {
        for schema in 1..=SCHEMA_MAX {
            let about = read(&old(database, schema).open(), schema);
            assert_eq!(same_whenever(about[0].clone()), same_whenever(newest[0].clone()), "schema {schema}");
        }
    });
}

#[test]
fn tickets_of_an_earlier_program_are_found_by_their_words() {
    on_both(|database| {
        let desk = old(database, SCHEMA_MAX).open();
        let kofi = desk.as_role("kofi");
        until("the words of the oldest ticket to be found", || {
            let answer = kofi.get("/api/v1/search?q=gateway");
            let found = answer.expect(200);
            found.as_array().unwrap().iter().any(|ticket| ticket["key"] == "IT-1").then_some(())
        });
        desk.advance(SignedDuration::ZERO);
    });
}

#[test]
fn tickets_of_an_earlier_program_are_found_by_their_tags() {
    on_both(|database| {
        let desk = old(database, SCHEMA_MAX).open();
        let kofi = desk.as_role("kofi");
        for sort in ["queue", "number"] {
            let page = kofi.get(&format!("/api/v1/tickets?tag=vpn&sort={sort}")).expect(200);
            let keys: Vec<&Value> = page["tickets"].as_array().unwrap().iter().map(|ticket| &ticket["key"]).collect();
            assert_eq!(keys, ["IT-1"], "{sort}: {page}");
        }
        desk.do_what_is_due();
    });
}

#[test]
fn a_migration_that_is_killed_goes_on_with_the_next_start() {
    let newest = i64::try_from(fs::read_dir(root().join("migrations/sqlite")).unwrap().count()).unwrap();
    on_both_at_once(|database| {
        for kill_after in (1..=newest).step_by(3) {
            let place = old(database, 1);
            let mut program = place.program(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
            let mut child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            in_runtime(async {
                let mut raw = Raw::to(&place.target()).await;
                // Polled without a pause: the migrations take some milliseconds in all.
                while raw.applied().await < kill_after && child.try_wait().unwrap().is_none() {}
                child.kill().unwrap();
                child.wait().unwrap();
                println!("killed with {} of {newest} migrations applied", raw.applied().await);
                raw.close().await;
            });
            read(&place.open(), 1);
        }
    });
}

#[test]
fn a_disk_that_is_full_during_the_migration_leaves_the_database_usable() {
    // Blocks of 512 bytes: before the first migration is in the log, and somewhere among them.
    for blocks in [8, 64, 256] {
        let place = old(Database::Sqlite, 1);
        let output = limited(&place.program(&["decisions", "chain"]), blocks).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() || blocks > 8, "{said}");
        println!("with {blocks} blocks: {said}");
        read(&place.open(), 1);
    }
}
