//! `ruledesk rules backtest`: what would have changed, by how much, and whether people would have liked it better.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{edit, import, in_queue, is, read, said};
use crate::support::client::resolved;
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::records::into_old_shape;

/// The report of a backtest that ends with this exit status.
fn tried(desk: &House, arguments: &[&str], status: i32) -> Value {
    let dir = TempDir::new().unwrap();
    let (json, html) = (dir.path().join("report.json"), dir.path().join("report.html"));
    let files = ["--json", json.to_str().unwrap(), "--html", html.to_str().unwrap()];
    let output = desk.command(&[&["rules", "backtest"], arguments, &files].concat());
    assert_eq!(output.status.code(), Some(status), "{}", said(&output));
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n") && !page.contains("<script"));
    read(&json)
}

/// The shipped rule for routing, with settings that send what is about the network to the wrong team.
fn wrong_settings(dir: &Path) -> PathBuf {
    let manifest = std::fs::read_to_string(example_rules().join("40-team-routing/rule.toml")).unwrap();
    let wrong = manifest.replace("network = \"network\"", "network = \"desktop\"");
    assert_ne!(wrong, manifest);
    let file = dir.join("settings.toml");
    std::fs::write(&file, wrong).unwrap();
    file
}

fn stage<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == name).expect("the stage")
}

fn field<'a>(report: &'a Value, of: &str, name: &str) -> &'a Value {
    stage(report, of)["fields"].as_array().unwrap().iter().find(|field| field["field"] == name).expect("the field")
}

/// From, to and how often, of those that change.
fn moves(field: &Value) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let moves = field["moves"].as_array().unwrap().iter();
    let moves = moves.map(|m| (text(&m["from"]), text(&m["to"]), m["count"].as_u64().unwrap()));
    moves.filter(|(from, to, _)| from != to).collect()
}

/// A person sets a ticket's field, long after the rules did.
fn set(desk: &House, key: &str, field: &str, to: &str) {
    let sql = format!(
        "insert into timeline (ticket, seq, at, author_kind, author, visibility, kind, details) \
         select number, 1000, created_at, 1, 'kofi', 1, 'set', \
         '[\"{field}\", null, \"{to}\", \"it belongs there\"]' from tickets where {}",
        is(key)
    );
    assert_eq!(edit(desk, &sql), 1);
}

#[test]
fn a_subtly_wrong_rule_is_caught_with_what_it_would_have_moved() {
    on_both(|database| {
        let desk = House::demo(database);
        let summary = import(&desk, 300);
        let network = summary["counts"]["team"]["network"].as_u64().expect("some tickets are about the network");
        // Of two that went to the network team, one should not have; that the other should is what somebody said too.
        let keys = in_queue(&desk, "network");
        set(&desk, &keys[0], "team", "desktop");
        set(&desk, &keys[1], "team", "network");
        let dir = TempDir::new().unwrap();
        let settings = wrong_settings(dir.path());
        let arguments = [
            "--rule",
            "team-routing",
            "--settings",
            settings.to_str().unwrap(),
            "--max-changed",
            "2%",
            "--max-failures",
            "0",
        ];
        let report = tried(&desk, &arguments, 3);
        assert_eq!((&report["decisions"], &report["changed"]), (&json!(300), &json!(network)), "{report}");
        let differs: Vec<&str> =
            report["differs"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert!(differs.iter().any(|one| one.ends_with("\"network\" -> \"desktop\"")), "{differs:?}");
        let team = field(&report, "routing", "team");
        assert_eq!(moves(team), [("network".to_owned(), "desktop".to_owned(), network)]);
        let people = json!({ "words": 2, "agreed-before": 1, "agree-after": 1, "better": 1, "worse": 1 });
        assert_eq!(team["people"], people, "{team}");
        let limits = report["limits"].as_array().unwrap();
        let held: Vec<(&Value, &Value)> = limits.iter().map(|limit| (&limit["limit"], &limit["holds"])).collect();
        assert_eq!(held, [(&json!("changed decisions"), &json!(false)), (&json!("new failures"), &json!(true))]);
        // The examples that people had a word on come first, with both reasons.
        let first = &report["examples"][0];
        assert!(first["people"].to_string().contains("team: "), "{first}");
        assert!(first["before-reason"].to_string().contains("network"), "{first}");
        assert_eq!(
            (&first["before-by"], &first["stage"]),
            (&json!("team-routing 1.0.0"), &json!("routing")),
            "{first}"
        );
        assert_eq!(report["costs"][0]["candidate"]["calls"], 300, "{report}");
        assert_eq!(report["costs"][0]["not-reproduced"], 0, "{report}");
    });
}

/// What people say is taken from where they say it: a decision about access, a grant taken back, a ticket opened again.
#[test]
fn what_people_did_about_access_and_after_the_resolution_counts() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let ask = |app: &str, tier: &str| {
            let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": {
                "app": app, "tier": tier, "duration-hours": 100, "justification": "I join the data project on Monday" } });
            let ticket = amara.post("/api/v1/tickets", &body).expect(201);
            format!("/api/v1/tickets/{}/access/decisions", ticket["key"].as_str().unwrap())
        };
        // The rules approved it, and somebody thought better of it; of two that people were asked about, they approved one.
        ask("jira", "user");
        let grant = amara.get("/api/v1/people/amara/grants").expect(200)[0]["id"].as_str().unwrap().to_owned();
        let why = json!({ "reason": "the project is over" });
        desk.as_role("mei").post(&format!("/api/v1/grants/{grant}/revoke"), &why).expect(200);
        let no = json!({ "approve": false, "reason": "not needed" });
        lena.post(&ask("github", "write"), &no).expect(200);
        lena.post(&ask("github", "write"), &json!({ "approve": true })).expect(200);
        let manifest = std::fs::read_to_string(example_rules().join("50-access-policy/rule.toml")).unwrap();
        let deny =
            "[[settings.policies]]\ndecide = \"deny\"\nbecause = \"nobody gets anything\"\n\n[[settings.policies]]";
        let dir = TempDir::new().unwrap();
        let strict = dir.path().join("strict.toml");
        std::fs::write(&strict, manifest.replacen("[[settings.policies]]", deny, 1)).unwrap();
        let report = tried(&desk, &["--rule", "access-policy", "--settings", strict.to_str().unwrap()], 0);
        let people = json!({ "words": 3, "agreed-before": 0, "agree-after": 2, "better": 2, "worse": 1 });
        assert_eq!(field(&report, "access", "outcome")["people"], people, "{report}");

        let vpn = json!({ "request_type": "incident", "subject": "VPN is down", "body": "Nobody can reach the VPN.",
            "fields": { "service": "vpn" } });
        let ticket = amara.post("/api/v1/tickets", &vpn).expect(201);
        amara.post("/api/v1/tickets", &vpn).expect(201);
        let path = format!("/api/v1/tickets/{}/transitions", ticket["key"].as_str().unwrap());
        let steps = [(&kofi, "in_progress"), (&kofi, "resolved"), (&amara, "reopened")];
        for ((who, to), version) in steps.into_iter().zip(1..) {
            let mut step = resolved();
            (step["to"], step["reason"]) = (json!(to), json!("because"));
            who.with("if-match", &format!("\"{version}\"")).post(&path, &step).expect(200);
        }
        let settings = wrong_settings(dir.path());
        let report = tried(&desk, &["--rule", "team-routing", "--settings", settings.to_str().unwrap()], 0);
        assert_eq!(report["reopened"], json!({ "decisions": 1, "changed": 1 }), "{report}");
    });
}

#[test]
fn the_same_rules_change_nothing() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 60);
        let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": {
            "app": "github", "tier": "write", "duration-hours": 240, "justification": "I join the data project" } });
        desk.as_role("amara").post("/api/v1/tickets", &access).expect(201);
        let nothing = ["--max-changed", "0", "--max-failures", "0"];
        let one = example_rules().join("22-keyword-category");
        let report = tried(&desk, &[&[one.to_str().unwrap()], nothing.as_slice()].concat(), 0);
        assert_eq!((&report["changed"], &report["drifted"]), (&json!(0), &json!(0)), "{report}");
        assert_eq!(report["stages"].as_array().unwrap().len(), 1, "{report}");
        // A whole set is asked at every stage.
        let set = example_rules().to_str().unwrap();
        let report = tried(&desk, &[&["--rules-dir", set], nothing.as_slice()].concat(), 0);
        assert_eq!((&report["changed"], &report["drifted"]), (&json!(0), &json!(0)), "{report}");
        assert_eq!((&report["decisions"], &report["not-judged"]), (&json!(61 * 4 + 1), &json!({})), "{report}");
        assert!(report["costs"].as_array().unwrap().iter().all(|cost| cost["fuel-ratio"] == 1.0), "{report}");
    });
}

#[test]
fn a_candidate_that_fails_or_names_what_does_not_exist_is_a_new_failure() {
    let desk = House::demo(Database::Sqlite);
    import(&desk, 30);
    for (deed, word) in [("panic", "a cow stands on the runway"), ("unknown-name", "is not a team")] {
        let dir = TempDir::new().unwrap();
        let candidate = dir.path().join("candidate");
        put(dir.path(), "candidate", &hostile_manifest("team-routing", "routing", deed, ""), hostile());
        let report = tried(&desk, &[candidate.to_str().unwrap(), "--max-failures", "0"], 3);
        assert_eq!((&report["failures"]["new"], &report["failures"]["mended"]), (&json!(30), &json!(0)), "{report}");
        assert!(report["failures"]["examples"][0]["message"].to_string().contains(word), "{report}");
    }
}

#[test]
fn a_rule_that_joins_counts_beside_the_others_and_one_can_be_taken_out() {
    let desk = House::demo(Database::Sqlite);
    import(&desk, 30);
    let dir = TempDir::new().unwrap();
    let manifest = hostile_manifest("turns-away", "intake", "reject", "[match]\nrequest-types = [\"incident\"]");
    put(dir.path(), "joins", &manifest, hostile());
    let report = tried(&desk, &[dir.path().join("joins").to_str().unwrap()], 0);
    let acceptance = moves(field(&report, "intake", "acceptance"));
    assert_eq!(acceptance, [("accepted".to_owned(), "rejected".to_owned(), 30)], "{report}");
    assert_eq!(report["costs"][0]["before"], Value::Null, "{report}");

    let report = tried(&desk, &["--without", "impact-urgency", "--stage", "priority"], 0);
    assert!(report["changed"].as_u64().unwrap() > 0, "{report}");
    let moved = moves(field(&report, "priority", "priority"));
    assert!(!moved.is_empty() && report["examples"][0]["after-by"] == "the desk's default", "{report}");
    // Each move in hours of what the demo promises, in total and by team.
    let hours = |priority: &str| match priority {
        "critical" => 4.0,
        "high" => 8.0,
        "medium" => 24.0,
        "low" => 80.0,
        other => panic!("the demo has no {other}"),
    };
    let by = |way: f64| {
        let moves = moved.iter().map(|(from, to, count)| *count as f64 * way * (hours(to) - hours(from)));
        moves.filter(|hours| *hours > 0.0).sum::<f64>()
    };
    let promises = &report["promises"];
    let total = &promises["total"];
    assert_eq!(total["tickets"].as_u64().unwrap(), moved.iter().map(|(_, _, count)| count).sum::<u64>(), "{promises}");
    let sums = [("hours-later", by(1.0)), ("hours-sooner", by(-1.0))];
    for (name, expected) in sums {
        assert_eq!(total[name].as_f64(), Some(expected), "{name}: {promises}");
        let teams: f64 = promises["teams"].as_array().unwrap().iter().map(|team| team[name].as_f64().unwrap()).sum();
        assert_eq!(teams, expected, "{name}: {promises}");
    }
    let named = &promises["tickets"][0];
    let difference = hours(named["to"].as_str().unwrap()) - hours(named["from"].as_str().unwrap());
    assert_eq!(named["hours"].as_f64(), Some(difference), "{named}");
}

#[test]
fn a_change_of_the_configuration_is_drift_and_not_the_candidates_doing() {
    let desk = House::demo(Database::Sqlite);
    import(&desk, 12);
    // As if the team had been another on that day.
    into_old_shape(&desk.target());
    let sql = "update decisions set verdict = replace(verdict, '\"team\":\"network\"', '\"team\":\"networks\"') where stage = 'routing'";
    edit(&desk, sql);
    let same = example_rules().join("40-team-routing");
    let report = tried(&desk, &[same.to_str().unwrap(), "--max-changed", "0"], 0);
    assert_eq!((&report["changed"], &report["drifted"]), (&json!(0), &json!(2)), "{report}");
}

/// A limit leaves older decisions out: each form of the report says so, and none where all of them were asked about.
#[test]
fn a_report_says_that_its_limit_left_decisions_out() {
    let desk = House::demo(Database::Sqlite);
    import(&desk, 20);
    let dir = TempDir::new().unwrap();
    let (settings, html) = (wrong_settings(dir.path()), dir.path().join("report.html"));
    let told = |limit: &str| {
        let tried = ["rules", "backtest", "--rule", "team-routing", "--settings", settings.to_str().unwrap()];
        let output = desk.command(&[&tried[..], &["--limit", limit, "--html", html.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        (said(&output), std::fs::read_to_string(&html).unwrap())
    };
    let (text, page) = told("7");
    assert!(
        text.contains("note: `--limit` let through the newest 7 decisions; older ones were not asked about"),
        "{text}"
    );
    assert!(page.contains("`--limit` let through the newest 7 decisions"), "{page}");
    let (text, page) = told("1000");
    assert!(!text.contains("--limit") && !page.contains("--limit"), "{text}");
}

#[test]
fn what_cannot_be_tried_is_said() {
    let desk = House::demo(Database::Sqlite);
    import(&desk, 1);
    let refused = |arguments: &[&str]| {
        let output = desk.command(&[&["rules", "backtest"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    assert!(refused(&[]).contains("nothing is tried: name a candidate's folder"));
    let folder = TempDir::new().unwrap();
    assert!(refused(&[folder.path().to_str().unwrap()]).contains("holds neither a rule.toml nor folders that do"));
    let settings = wrong_settings(folder.path());
    let settings = settings.to_str().unwrap();
    assert!(refused(&["--settings", settings]).contains("the rule's name with --rule"));
    assert!(refused(&["--settings", settings, "--rule", "nobody"]).contains("no rule `nobody` is live"));
    let same = example_rules().join("40-team-routing");
    let nothing = refused(&[same.to_str().unwrap(), "--until", "2020-01-01"]);
    assert!(nothing.contains("nothing was compared"), "{nothing}");
}

/// The decisions of people in another desk come in with the file, and candidates are judged by them.
#[test]
fn a_candidate_is_judged_by_what_people_had_decided_in_the_desk_before() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("labelled.csv");
        let rows: String = (0..6)
            .map(|n| format!("VPN is down ({n}),The VPN is down.,{}\n", ["desktop", "network", ""][n % 3]))
            .collect();
        std::fs::write(&file, format!("title,text,group\n{rows}")).unwrap();
        let arguments = ["import", file.to_str().unwrap(), "--request-type", "incident", "--requester", "amara"];
        let maps = ["--map", "subject=title", "--map", "body=text", "--map", "label.team=group"];
        // A second time, no label is there twice.
        for _ in 0..2 {
            let output = desk.command(&[&arguments[..], &maps].concat());
            assert!(output.status.success(), "{}", said(&output));
        }
        let settings = wrong_settings(dir.path());
        let report = tried(&desk, &["--rule", "team-routing", "--settings", settings.to_str().unwrap()], 0);
        let people = json!({ "words": 4, "agreed-before": 2, "agree-after": 2, "better": 2, "worse": 2 });
        assert_eq!(field(&report, "routing", "team")["people"], people, "{report}");
        // The word of one who works here stands above what was said elsewhere.
        let keys = in_queue(&desk, "network");
        keys.iter().for_each(|key| set(&desk, key, "team", "desktop"));
        let report = tried(&desk, &["--rule", "team-routing", "--settings", settings.to_str().unwrap()], 0);
        let people = json!({ "words": 6, "agreed-before": 0, "agree-after": 6, "better": 6, "worse": 0 });
        assert_eq!(field(&report, "routing", "team")["people"], people, "{report}");
    });
}
