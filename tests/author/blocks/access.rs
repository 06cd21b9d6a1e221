//! The blocks about access: an app that answers later, a connector of one's own, and the questions of an audit.

use serde_json::{Value, json};

use super::{Shell, block};
use crate::faults::access::provisioning::{asks, connected, desk, hours, now, states};
use crate::support::components::{root, seat_connector};
use crate::support::house::House;
use crate::support::peers::orders::{OrderApp, SECRET, Takes, signature};
use crate::support::peers::seats::{SeatApp, TOKEN};
use crate::support::place::Database;
use crate::support::scim::ScimApp;

#[test]
fn the_block_of_an_app_that_answers_later_runs() {
    let app = OrderApp::start();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("payroll.secret");
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let (url, secret) = (&app.url, secret.display());
    let kind = format!("kind = \"webhook\"\nurl = \"{url}\"\ninternal = true\nsecret-file = \"{secret}\"\n");
    let desk = connected(Database::Sqlite, &format!("{kind}answer-within = \"4h\""));
    app.takes_next(&[Takes::Later]);
    asks(&desk.as_role("amara"), "user", 48);
    now(&desk);
    let order = app.orders().pop().unwrap();
    let order = order["answer_to"].as_str().unwrap().trim_start_matches("/api/v1/provisioning/");

    let word = block("host/guide/access.md", "webhook-signature");
    let order = order.trim_end_matches("/answer");
    // As the shell puts it together.
    let (_, body) = word.split_once("-d '").unwrap();
    let body = format!("{}}}", body.split_once("}'").unwrap().0).replace("'$order'", order);
    let second = desk.clock.now().as_second();
    let mac = signature("1", second, &body);
    let shell = Shell::at(&desk, "kofi").with("order", order);
    let shell = shell.with("now", second.to_string()).with("mac", mac.trim_start_matches("v1,"));
    let said = shell.run(&word);
    assert!(said.contains("\"state\":\"applied\"") && said.contains("\"taken\":true"), "{said}");
    desk.do_what_is_due();
}

#[test]
fn the_block_about_who_decides_in_ones_place_runs() {
    let desk = House::demo(Database::Sqlite);
    let said = Shell::at(&desk, "lena").run(&block("host/guide/access.md", "access delegations add"));
    assert!(said.contains("jonas") && said.contains("in the place of lena") && said.contains("by lena"), "{said}");
    assert_eq!(said.lines().count(), 2, "listed, and ended: {said}");
    desk.do_what_is_due();
}

/// The orders that a person's access has come to.
fn orders(desk: &House) -> Vec<String> {
    let kofi = desk.as_role("kofi");
    let grant = kofi.get("/api/v1/people/amara/grants").expect(200)[0]["id"].as_str().unwrap().to_owned();
    let story = kofi.get(&format!("/api/v1/grants/{grant}")).expect(200);
    let ops = story["ledger"].as_array().unwrap().iter().filter(|event| event["event"] == "op");
    ops.map(|event| event["detail"]["op"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_block_about_a_connector_of_ones_own_runs() {
    let app = SeatApp::start();
    let (url, component) = (&app.url, seat_connector().display());
    let desk = connected(
        Database::Sqlite,
        &format!(
            "kind = \"component\"\ncomponent = \"{component}\"\nurl = \"{url}\"\ninternal = true\n\
             token-file = \"app.token\"\nallow = [\"GET /seats/*\", \"PUT /seats/*\"]"
        ),
    );
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    let orders = orders(&desk);
    let shell = Shell::at(&desk, "kofi").with("order", orders.first().expect("an order"));
    let lines = block("host/guide/access.md", "ruledesk connector test");
    let said = shell.run(&lines.replace("example-rules/", &format!("{}/example-rules/", root().display())));
    let recorded: Value = serde_json::from_str(&shell.read("runs.json")).unwrap();
    let recorded = recorded.as_array().unwrap();
    assert!(!recorded.is_empty() && recorded.iter().all(Value::is_object), "{recorded:?}");
    assert_eq!(said.matches("runs are as recorded").count(), 2, "those of the example and those of the order: {said}");
    assert!(said.contains(&format!("{} runs are as recorded", recorded.len())), "{said}");
    assert!(!shell.read("runs.json").contains(TOKEN), "nobody sees the token");
    // What it said is not there in another's name.
    let others = shell.read("runs.json").replace("/seats/amara", "/seats/jonas");
    std::fs::write(shell.folder().join("runs.json"), others).unwrap();
    assert!(!shell.command("ruledesk connector test seats.wasm runs.json").output().unwrap().status.success());
    desk.advance(hours(4));
}

#[test]
fn the_block_of_an_audit_runs() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = desk(Database::Sqlite, &app);
    asks(&desk.as_role("amara"), "user", 240);
    now(&desk);
    assert_eq!(states(&desk), ["active"]);
    let due_at = (desk.clock.now() + hours(48)).to_string();
    let campaign = json!({ "name": "who is in Jira?", "app": "jira", "due_at": due_at });
    let campaign = desk.as_role("mei").post("/api/v1/access/reviews", &campaign).expect(201);
    let grants = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);

    let lines = block("host/guide/access.md", "decisions evidence");
    let lines = lines.replace("0199d2f0-4a5b-7c6d-8e9f-001122334455", campaign["id"].as_str().unwrap());
    // The day is over everywhere by then.
    let day = (desk.clock.now() + hours(24)).to_string();
    let lines = lines.replace("2026-03-01T00:00:00Z", &desk.clock.now().to_string());
    let lines = lines.replace("2026-03-01", day.split('T').next().unwrap());
    let shell = Shell::beside(&desk).with("grant", grants[0]["id"].as_str().unwrap());
    let said = shell.run(&lines);
    assert_eq!(said.matches("amara has jira/user until").count(), 2, "of the app, and of the person then: {said}");
    for wanted in [
        "jira/admin gives an account",
        "who is in Jira?: 0 of 1 answered",
        "by the rules that were live at",
        "read internal notes",
        "are whole, signed by audit",
        "peer (scim)",
        "\"event\":\"granted\"",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    for file in ["evidence.csv", "reviews.csv"] {
        assert!(shell.read(file).contains("amara,jira,user"), "{file}: {}", shell.read(file));
    }
    let evidence = shell.read("evidence.jsonl");
    std::fs::write(shell.folder().join("evidence.jsonl"), evidence.replacen("amara", "jonas", 1)).unwrap();
    let again = "ruledesk decisions evidence check evidence.jsonl --key \"$(cat audit.public)\"";
    assert!(!shell.command(again).output().unwrap().status.success(), "one name is another");
    desk.do_what_is_due();
}
