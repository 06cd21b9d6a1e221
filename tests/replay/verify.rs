//! `ruledesk decisions verify`: green where nothing was touched, and it finds what was.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{edit, import, in_queue, is, said};
use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{Database, copy_demo, on_both};
use crate::support::records::into_old_shape;

/// The result, of a verification that ends with this exit status.
fn verified(desk: &House, arguments: &[&str], status: i32) -> Value {
    let output = desk.command(&[&["decisions", "verify", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(status), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn access_ticket(desk: &House) {
    let body = json!({ "request_type": "access", "subject": "GitHub please", "fields": {
        "app": "github", "tier": "write", "duration-hours": 240.5, "justification": "I join the data project" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
}

#[test]
fn what_nobody_touched_is_proved_at_every_stage() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 60);
        access_ticket(&desk);
        let all = verified(&desk, &[], 0);
        assert_eq!(
            (&all["holds"], &all["same"], &all["findings"]),
            (&json!(true), &all["answers"], &json!([])),
            "{all}"
        );
        // Intake, categorization, priority and routing for each, and access for one.
        assert_eq!(all["decisions"], 61 * 4 + 1, "{all}");
        let versions: Vec<&str> = all["versions"].as_object().unwrap().keys().map(String::as_str).collect();
        for rule in ["access-policy 1.0.0", "impact-urgency 1.0.0", "keyword-category 1.0.0", "tidy-text 1.0.0"] {
            assert!(versions.contains(&rule), "{versions:?}");
        }
        // Filters narrow it, and the newest come first.
        assert_eq!(verified(&desk, &["--stage", "access"], 0)["decisions"], 1);
        assert_eq!(verified(&desk, &["--ticket", "IT-1"], 0)["decisions"], 4);
        assert_eq!(verified(&desk, &["--limit", "7"], 0)["decisions"], 7);
        assert_eq!(verified(&desk, &["--request-type", "access"], 0)["decisions"], 5);
        assert_eq!(verified(&desk, &["--until", "1d"], 0)["decisions"], 0);
        assert_eq!(verified(&desk, &["--since", "1d", "--rule", "team-routing"], 0)["decisions"], 61);
    });
}

/// Changes what is recorded of one ticket.
fn edit_decision(desk: &House, key: &str, stage: &str, from: &str, to: &str) {
    let changed = edit(
        desk,
        &format!(
            "update decisions set rules = replace(rules, '{from}', '{to}') where stage = '{stage}' and \
             run in (select r.id from runs r join tickets t on t.id = r.ticket where {})",
            is(key)
        ),
    );
    assert_eq!(changed, 1);
}

#[test]
fn whatever_was_edited_is_found_and_said_field_by_field() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 12);
        into_old_shape(&desk.target());
        let (network, mail) = (in_queue(&desk, "network"), in_queue(&desk, "applications"));
        edit_decision(&desk, &network[0], "routing", "\"team\":\"network\"", "\"team\":\"desktop\"");
        edit_decision(&desk, &network[1], "priority", "\"fuel\":", "\"fuel\":1");
        let input = "update runs set common = replace(common, 'Outlook', 'Printer') where ticket in";
        assert_eq!(edit(&desk, &format!("{input} (select id from tickets where {})", is(&mail[0]))), 1);
        let found = verified(&desk, &[], 3);
        let of = |ticket: &str| {
            let findings = found["findings"].as_array().unwrap().iter();
            findings.filter(|f| f["ticket"] == ticket).map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert!(of(&network[0]).contains(r#"{"expected":"desktop","got":"network","path":"team"}"#), "{found}");
        assert!(of(&network[1]).contains(r#""path":"fuel""#) && !of(&network[1]).contains("level"), "{found}");
        assert!(of(&mail[0]).contains("categorization"), "{found}");
        assert_eq!(of(&mail[1]), "", "{found}");
        assert_eq!(found["holds"], false);

        let text = desk.command(&["decisions", "verify", "--ticket", &network[0]]);
        let said = said(&text);
        assert!(said.contains("  team:\n    recorded \"desktop\"\n    now      \"network\"\n"), "{said}");
        assert!(said.contains("team-routing 1.0.0: 0 of 1 NOT all the same"), "{said}");
    });
}

#[test]
fn a_record_that_cannot_be_unpacked_is_named_and_stops_no_other() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 4);
        let cut = "update runs set packed = substr(packed, 1, length(packed) - 5) where link = 2";
        assert_eq!(edit(&desk, cut), 1);
        let found = verified(&desk, &[], 3);
        assert_eq!(
            (&found["unreadable"], &found["decisions"], &found["same"]),
            (&json!(1), &json!(12), &found["answers"])
        );
        let finding = &found["findings"][0];
        let run = finding["run"].as_str().unwrap();
        assert!(
            finding["what"]["unreadable"].as_str().unwrap().contains(&format!("the record of run {run} is damaged"))
        );
        let (kofi, ticket) = (desk.as_role("kofi"), finding["ticket"].as_str().unwrap());
        let runs = kofi.get(&format!("/api/v1/tickets/{ticket}/decisions")).expect(200);
        assert_eq!((&runs[0]["id"], &runs[0]["stages"]), (&json!(run), &json!([])), "{runs}");
        assert!(runs[0]["damage"].as_str().unwrap().contains(run), "{runs}");
        let explained = kofi.get(&format!("/api/v1/tickets/{ticket}/explain"));
        assert_eq!(explained.status, 200, "what else is known of the ticket is told all the same");
    });
}

#[test]
fn a_version_that_the_archive_lost_or_holds_damaged_is_never_asked() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 6);
        assert_eq!(edit(&desk, "delete from rule_versions where name = 'tidy-text'"), 1);
        assert_eq!(edit(&desk, "update rule_versions set manifest = manifest || ' ' where name = 'team-routing'"), 1);
        let found = verified(&desk, &[], 3);
        assert_eq!((&found["without-version"], &found["differing"]), (&json!(12), &json!(0)), "{found}");
        let what = found["findings"].to_string();
        assert!(what.contains("the archive does not have this version"), "{what}");
        assert!(what.contains("the archive's manifest of the rule `team-routing` is not what was archived"), "{what}");
    });
}

#[test]
fn what_the_clock_stopped_is_counted_and_proves_nothing() {
    let desk = House::demo(Database::Sqlite);
    import(&desk, 1);
    into_old_shape(&desk.target());
    edit_decision(&desk, "IT-1", "routing", "\"outcome\":\"answered\"", "\"outcome\":\"deadline\"");
    let found = verified(&desk, &[], 0);
    // Two rules are asked about routing.
    assert_eq!((&found["not-comparable"], &found["holds"]), (&json!(2), &json!(true)), "{found}");
}

#[test]
fn faults_are_proved_too() {
    let rules = TempDir::new().unwrap();
    let deeds = ["panic", "recurse", "hoard-memory", "flood-log", "huge-answer", "unknown-name", "give-up", "loop"];
    for deed in deeds {
        // Little memory and fuel, and much time: on a machine with too much to do the clock must not come first.
        let fuel = if deed == "loop" { "fuel = 200000" } else { "" };
        let limits = format!("[limits]\ndeadline-ms = 2000\nmemory-mib = 16\n{fuel}");
        put(rules.path(), deed, &hostile_manifest(deed, "categorization", deed, &limits), hostile());
    }
    let desk = House::with_rules(Database::Sqlite, rules.path());
    import(&desk, 3);
    let found = verified(&desk, &[], 0);
    assert_eq!((&found["answers"], &found["same"]), (&json!(24), &json!(24)), "{found}");
}

#[test]
fn look_ups_are_found_again_when_the_table_has_changed_or_gone() {
    let config = TempDir::new().unwrap();
    copy_demo(config.path());
    let table = config.path().join("tables/secrets.csv");
    std::fs::write(&table, "name,value\nroot,the old value\n").unwrap();
    let rules = TempDir::new().unwrap();
    let manifest = hostile_manifest("looks-up", "routing", "look-up-forbidden", "tables = [\"secrets\"]");
    put(rules.path(), "looks-up", &manifest, hostile());
    let desk = House::with_config(Database::Sqlite, rules.path(), config.path());
    desk.until_active("looks-up");
    import(&desk, 2);
    let decisions = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions").expect(200).to_string();
    assert!(decisions.contains("the old value"), "{decisions}");

    std::fs::write(&table, "name,value\nroot,another value\n").unwrap();
    assert_eq!(verified(&desk, &["--rule", "looks-up"], 0)["same"], 2);
    std::fs::remove_file(&table).unwrap();
    assert_eq!(verified(&desk, &["--rule", "looks-up"], 0)["same"], 2);
}
