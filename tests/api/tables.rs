//! Reference tables: put by API and command line, in versions, followed by the rules and by other processes.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::components::asset_owner;
use crate::support::house::House;
use crate::support::place::{copy, on_both};
use crate::support::wait::until;

const CSV: &str = "text/csv";
const ASSETS: &str = "/api/v1/tables/assets";

fn put(client: &Client, text: &str, why: &str) -> crate::support::client::Answer {
    client.put_text(&format!("{ASSETS}?why={why}"), text, CSV)
}

/// Where a ticket about the ERP goes, and its key.
fn routed(desk: &House) -> (String, String) {
    let body =
        json!({ "request_type": "question", "subject": "erp", "body": "Please look.", "fields": { "topic": "other" } });
    let made = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let ticket = desk.as_role("kofi").get(&format!("/api/v1/tickets/{}", made["key"].as_str().unwrap())).expect(200);
    (ticket["team"].as_str().unwrap().to_owned(), ticket["key"].as_str().unwrap().to_owned())
}

fn lookup(desk: &House, key: &str) -> Value {
    let runs = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/decisions")).expect(200);
    let stages = runs[0]["stages"].as_array().unwrap();
    let routing = stages.iter().find(|stage| stage["stage"] == "routing").unwrap();
    routing["rules"][0]["lookups"][0].clone()
}

fn rule_is_live(desk: &House) -> Option<()> {
    let rules = desk.as_role("mei").get("/api/v1/rules").json();
    (rules["rules"][0]["state"] == "active").then_some(())
}

#[test]
fn a_table_put_while_the_desk_runs_decides_and_its_versions_stay() {
    on_both(|database| {
        let desk = House::with_rules(database, asset_owner());
        let mei = desk.as_role("mei");
        let refused = mei.get("/api/v1/rules").expect(200)["rules"][0]["last_error"].to_string();
        assert!(refused.contains("assets"), "{refused}");

        // The rule was refused for want of the table, and goes live with it.
        let first = put(&mei, "asset,team,cost:number\nerp,applications,12.50\n", "the%20first%20list").expect(200);
        until("the rule to be live", || rule_is_live(&desk));
        let (team, key) = routed(&desk);
        assert_eq!(team, "applications");
        let seen = lookup(&desk, &key);
        assert_eq!(seen["digest"], first["digest"]);
        assert_eq!(seen["row"][2], json!({ "name": "cost", "value": "12.5" }));

        let second =
            put(&mei, "asset,team,cost:number\nerp,security,12.5\nvpn,network,1\n", "security%20runs%20it").expect(200);
        assert_eq!(routed(&desk).0, "security");
        // What was decided before keeps what it saw.
        assert_eq!(lookup(&desk, &key), seen);

        let (from, to) = (first["digest"].as_str().unwrap(), second["digest"].as_str().unwrap());
        let diff = mei.get(&format!("{ASSETS}/diff?from={}&to={}", &from[..10], &to[..10])).expect(200);
        assert_eq!((&diff["added"], &diff["changed_count"]), (&json!(["vpn"]), &json!(1)));
        assert_eq!(
            diff["changed"][0]["cells"][0],
            json!({ "column": "team", "from": "applications", "to": "security" })
        );

        // In place of a version that is gone already: refused, and nothing has changed.
        let stale = mei.with("if-match", &format!("\"{from}\""));
        assert_eq!(put(&stale, "asset,team\nerp,network\n", "x").status, 412);
        assert_eq!(routed(&desk).0, "security");

        let back = json!({ "digest": from, "why": "a mistake" });
        assert_eq!(mei.post(&format!("{ASSETS}/rollback"), &back).expect(200)["digest"], first["digest"]);
        assert_eq!(routed(&desk).0, "applications");
        let history = mei.get(&format!("{ASSETS}/versions")).expect(200);
        let whys: Vec<&str> =
            history["events"].as_array().unwrap().iter().map(|e| e["why"].as_str().unwrap()).collect();
        assert_eq!(whys, ["a mistake", "security runs it", "the first list"]);
        assert_eq!(history["events"][0]["actor"], "mei");
        assert_eq!(history["versions"].as_array().unwrap().len(), 2);
        let old = mei.get(&format!("{ASSETS}/versions/{to}"));
        assert_eq!(old.text, "asset,team,cost:number\nerp,security,12.5\nvpn,network,1\n");

        // A table that a live rule needs stays.
        let refused = mei.delete(&format!("{ASSETS}?why=unused"));
        assert!(refused.status == 409 && refused.text.contains("asset-owner"), "{}", refused.text);
        std::fs::remove_dir_all(desk.rules.join("asset-owner")).unwrap();
        until("the rule to be gone", || (mei.get("/api/v1/rules").json()["rules"] == json!([])).then_some(()));
        assert_eq!(mei.delete(&format!("{ASSETS}?why=unused")).status, 204);
        assert_eq!(mei.get(ASSETS).status, 404);

        // Both survive a sudden end.
        put(&mei, "asset,team\nerp,network\n", "again").expect(200);
        let desk = desk.cut_off_and_restart();
        assert_eq!(desk.as_role("kofi").get(ASSETS).expect(200)["rows"][0]["team"], "network");
    });
}

#[test]
fn the_command_line_changes_a_running_desk() {
    on_both(|database| {
        let desk = House::with_rules(database, asset_owner());
        let file = desk.rules.with_file_name("assets.toml");
        let text = "columns = [\"asset\", \"team\", \"until:date\"]\n[[row]]\nasset = \"erp\"\nteam = \"network\"\nuntil = 2027-01-31\n";
        std::fs::write(&file, text).unwrap();
        let put = desk.command(&["tables", "put", file.to_str().unwrap(), "--why", "from a file", "--as", "noor"]);
        assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
        until("the rule to be live", || rule_is_live(&desk));
        let (team, key) = routed(&desk);
        assert_eq!(team, "network");
        assert_eq!(lookup(&desk, &key)["row"][2]["value"], "2027-01-31");
        let printed = |arguments: &[&str]| {
            let output = desk.command(arguments);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(printed(&["tables", "get", "assets"]), "asset,team,until:date\nerp,network,2027-01-31\n");
        assert!(printed(&["tables", "versions", "assets"]).contains("by noor: from a file"));
        let history = desk.as_role("kofi").get(&format!("{ASSETS}/versions")).expect(200);
        let (event, operator) = (&history["events"][0], history["events"][0]["operator"].as_str().unwrap_or_default());
        assert!(event["actor"] == "noor" && !operator.is_empty(), "the audit names the operator beside them: {event}");
        let shown = format!("by noor: from a file  [at the shell: {operator}]");
        assert!(printed(&["tables", "versions", "assets"]).contains(&shown));
        assert!(printed(&["tables", "list"]).contains("vips"));
        std::fs::write(&file, text.replace("2027-01-31", "\"tomorrow\"")).unwrap();
        let wrong = desk.command(&["tables", "put", file.to_str().unwrap(), "--why", "x"]);
        let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
        assert!(!wrong.status.success() && said.contains("line 2, until: is `tomorrow`"), "{said}");
        // A file that goes on for ever is not read for ever.
        let endless = desk.command(&["tables", "put", "/dev/zero", "--name", "assets", "--why", "x"]);
        let said = String::from_utf8_lossy(&endless.stderr).into_owned();
        assert!(
            !endless.status.success() && said.contains("/dev/zero is larger than a table may be (16 MiB)"),
            "{said}"
        );
    });
}

#[test]
fn a_wrong_table_changes_nothing_and_says_where() {
    on_both(|database| {
        let desk = House::demo(database);
        let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
        put(&mei, "asset,cost:number\nerp,1\n", "good").expect(200);
        let before = kofi.get(ASSETS).expect(200);

        let wrong = put(&mei, "asset,cost:number\nerp,much\nerp\n,3\nvpn,1\nvpn,2\n", "wrong").expect(422);
        let fields: Vec<String> = wrong["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| format!("{}: {}", p["field"].as_str().unwrap(), p["message"].as_str().unwrap()))
            .collect();
        assert_eq!(
            fields,
            [
                "line 2, cost: is `much`; this column takes a number, such as `2.5`",
                "line 3: the row has 1 cells, the first line has 2",
                "line 4: is empty",
                "line 6: `vpn` is given twice, first in line 5",
            ]
        );
        assert_eq!(put(&mei, "asset,asset:money\n", "x").status, 422);
        assert_eq!(put(&mei, "", "x").status, 422);
        assert_eq!(put(&mei, "asset\nerp\n", "%20").expect(422)["problems"][0]["field"], "why");
        let bytes = mei.with("content-type", CSV).send("PUT", &format!("{ASSETS}?why=x"), Some(b"asset\n\xff\n"));
        assert!(bytes.status == 400 && bytes.text.contains("UTF-8"), "{}", bytes.text);
        assert_eq!(mei.put_text(&format!("{ASSETS}?why=x"), "{}", "application/json").status, 415);
        assert_eq!(mei.put_text("/api/v1/tables/Assets?why=x", "a\n", CSV).status, 422);
        assert_eq!(put(&mei, &format!("asset\n{}\n", "x".repeat(17 << 20)), "x").status, 413);
        // One place of truth: a file of the configuration is changed there.
        let taken = mei.put_text("/api/v1/tables/vips?why=x", "person\nlena\n", CSV);
        assert!(taken.status == 409 && taken.text.contains("tables/vips"), "{}", taken.text);
        assert_eq!(put(&kofi, "asset\nerp\n", "x").status, 403);
        assert_eq!(desk.as_role("amara").get("/api/v1/tables").status, 403);
        assert_eq!(kofi.get(ASSETS).expect(200), before);

        let all = kofi.get("/api/v1/tables").expect(200);
        let origins: Vec<(&str, &str)> = all["tables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| (t["name"].as_str().unwrap(), t["origin"].as_str().unwrap()))
            .collect();
        assert_eq!(origins, [("assets", "api"), ("systems", "configuration"), ("vips", "configuration")]);
        let page = kofi.get("/api/v1/tables/systems?limit=2").expect(200);
        assert_eq!(page["next_after"], "erp");
        assert_eq!(kofi.get("/api/v1/tables/systems?limit=2&after=erp").expect(200)["rows"][0]["system"], "intranet");
    });
}

#[test]
fn a_quote_that_is_never_closed_is_named_by_its_line() {
    on_both(|database| {
        let desk = House::with_rules(database, asset_owner());
        let mei = desk.as_role("mei");
        let refused = put(&mei, "asset,team\nerp,\"finance", "half");
        assert!(refused.status == 422 && refused.text.contains("line 2"), "{}", refused.text);
        assert!(refused.text.contains("never closed"), "{}", refused.text);
        assert_eq!(mei.get(ASSETS).status, 404, "nothing of it was kept");
    });
}

/// An example leans on a row that changes afterwards: the version has passed it, and a start is no reason to ask it again.
#[test]
fn a_row_that_changes_takes_out_no_version_that_has_passed_its_examples() {
    on_both(|database| {
        let rules = tempfile::TempDir::new().unwrap();
        copy(asset_owner(), rules.path());
        let file = rules.path().join("asset-owner/rule.toml");
        let example = "\n[[example]]\nname = \"the ERP\"\nstage = \"routing\"\ninput.ticket.subject = \"erp\"\n\
             expect = { decision = \"assign\", team = \"applications\" }\n";
        let manifest = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, manifest + example).unwrap();
        let desk = House::with_rules(database, rules.path());
        let mei = desk.as_role("mei");
        put(&mei, "asset,team\nerp,applications\n", "first").expect(200);
        until("the rule to be live", || rule_is_live(&desk));
        put(&mei, "asset,team\nerp,security\n", "moved").expect(200);
        assert_eq!(routed(&desk).0, "security");
        let desk = desk.cut_off_and_restart();
        until("the rule to be live after a start", || rule_is_live(&desk));
        assert_eq!(routed(&desk).0, "security");
    });
}
