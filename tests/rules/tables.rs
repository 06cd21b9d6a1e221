//! Rules without code: the decision table's component with each of its example tables, with a wrong one, and in a desk.

use std::fs;

use ruledesk::rules::Rules;
use ruledesk::rules::run::call::ask;
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::{Answer, Stage};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::components::{example_rules, open, put, root};
use crate::support::house::House;
use crate::support::place::Database;

const TABLES: [&str; 5] = ["intake", "categorization", "priority", "routing", "access"];

fn component() -> Vec<u8> {
    fs::read(example_rules().join("60-decision-table/rule.wasm")).unwrap()
}

fn manifest(table: &str) -> String {
    fs::read_to_string(root().join(format!("example-rules/60-decision-table/tables/{table}.toml"))).unwrap()
}

fn errors(rules: &Rules) -> Vec<String> {
    let folders = rules.catalog().folders();
    folders.values().filter_map(|folder| folder.error.as_ref().map(|error| error.message.to_string())).collect()
}

#[test]
fn the_example_tables_go_live_with_their_settings_in_memory() {
    let dir = TempDir::new().unwrap();
    for table in TABLES {
        put(dir.path(), table, &manifest(table), &component());
    }
    let rules = open(dir.path());
    assert_eq!(errors(&rules), [""; 0]);
    let generation = rules.generation();
    assert_eq!(generation.rules().len(), TABLES.len());
    for rule in generation.rules() {
        assert!(rule.configure_each_call.is_none(), "{}", rule.manifest.name);
        assert!(rule.manifest.examples.len() >= 4, "{}", rule.manifest.name);
    }
}

#[test]
fn a_wrong_table_is_refused_with_every_reason() {
    let dir = TempDir::new().unwrap();
    let wrong = manifest("routing")
        .replace("when.so-far.priority = ", "when.so-far.prioriti = ")
        .replace("otherwise = \"pass\"", "")
        .replace("then.assignee = \"paul\"", "then.level = \"high\"");
    put(dir.path(), "wrong", &wrong, &component());
    let rules = open(dir.path());
    assert!(rules.generation().rules().is_empty());
    let error = errors(&rules).join("\n");
    for part in [
        "row 1 (critical and dark outside)",
        "did you mean `so-far.priority`?",
        "row 2 (printers in Paris), `then.level`",
        "`otherwise`: it is missing",
    ] {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

/// Rows of three conditions, of which only the twentieth fits.
fn many_rows(rows: usize) -> String {
    let head = "name = \"twenty\"\nversion = \"1.0.0\"\nstages = [\"routing\"]\norder = 1\n[settings]\nstage = \"routing\"\notherwise = \"pass\"\n";
    let rows = (1..=rows).map(|row| {
        format!(
            "[[settings.row]]\nwhen.so-far.category.within = [\"hardware\", \"network\"]\nwhen.ticket.fields.people-affected.between = [{}, {}]\n\
             when.requester.location = [\"Oslo\", \"Berlin\"]\nthen.team = \"team-{row}\"\nreason = \"{{requester.name}} is one of {{ticket.fields.people-affected}}\"\n",
            row * 10,
            row * 10 + 9,
        )
    });
    head.to_owned() + &rows.collect::<String>()
}

#[test]
fn twenty_rows_cost_little() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "twenty", &many_rows(20), &component());
    put(dir.path(), "one", &many_rows(1).replace("\"twenty\"", "\"z-one\""), &component());
    let rules = open(dir.path());
    assert_eq!(errors(&rules), [""; 0]);
    let sparse = "ticket.fields = { people-affected = 205 }\nso-far.category = \"network.vpn\"";
    let input = fill_in(Stage::Routing, &toml::from_str(sparse).unwrap()).unwrap();
    let generation = rules.generation();
    let first = ask(&generation.rules()[0], &input, &rules.tables());
    let Ok(Answer::Routing(_)) = &first.result else { panic!("{first:?}") };
    let answer = serde_json::to_value(first.result.as_ref().unwrap()).unwrap();
    assert_eq!(answer["reason"], "Amara Okafor is one of 205", "{answer}");
    let best = (0..200).map(|_| ask(&generation.rules()[0], &input, &rules.tables()).took).min().unwrap();
    let one = ask(&generation.rules()[1], &input, &rules.tables());
    println!("one row: fuel {}", one.fuel);
    println!("twenty rows: fuel {}, {} bytes of memory, {best:?} at best", first.fuel, first.memory_peak);
    assert!(first.fuel < 60_000, "{}", first.fuel);
    assert!(first.memory_peak <= 2 << 20, "{}", first.memory_peak);
}

#[test]
fn reading_a_whole_text_costs_little() {
    let body = "The printer on the third floor is out of toner and the people there wait for it. ".repeat(8);
    let sparse = toml::Table::from_iter([(
        "ticket".to_owned(),
        toml::Value::Table([("body".to_owned(), body[..600].into())].into_iter().collect()),
    )]);
    let input = fill_in(Stage::Routing, &sparse).unwrap();
    for (operator, value) in [("contains", "vpn"), ("mentions", "vpn down"), ("matches", "*inc-####*")] {
        let dir = TempDir::new().unwrap();
        let head = "name = \"text\"\nversion = \"1.0.0\"\nstages = [\"routing\"]\norder = 1\n[settings]\nstage = \"routing\"\notherwise = \"pass\"\n";
        let row = format!("[[settings.row]]\nwhen.ticket.body.{operator} = \"{value}\"\nthen.team = \"x\"\n");
        put(dir.path(), "text", &format!("{head}{row}"), &component());
        let rules = open(dir.path());
        assert_eq!(errors(&rules), [""; 0]);
        let called = ask(&rules.generation().rules()[0], &input, &rules.tables());
        println!("{operator} over 600 bytes: fuel {}", called.fuel);
        assert!(called.result.is_ok() && called.fuel < 60_000, "{operator}: {called:?}");
    }
}

#[test]
fn five_hundred_rows_are_compared_with_each_other_and_go_live() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "many", &many_rows(500), &component());
    let rules = open(dir.path());
    assert_eq!(errors(&rules), [""; 0]);
    let generation = rules.generation();
    assert!(generation.rules()[0].configure_each_call.is_none());
    let nothing = fill_in(Stage::Routing, &toml::Table::new()).unwrap();
    let called = ask(&generation.rules()[0], &nothing, &rules.tables());
    assert!(called.result.is_ok() && called.fuel < 500_000, "{called:?}");
    println!("five hundred rows: fuel {}", called.fuel);
}

#[test]
fn a_table_dropped_into_a_running_desk_decides() {
    let desk = House::demo(Database::Sqlite);
    let kofi = desk.as_role("kofi");
    let printer = json!({
        "request_type": "hardware", "subject": "The printer jams", "body": "It eats every second page since Monday.",
        "requester": "hugo", "fields": { "device": "printer", "urgency": "low", "justification": "Contracts are printed here" },
    });
    let before = kofi.post("/api/v1/tickets", &printer).expect(201);
    put(&desk.rules, "35-routing-table", &manifest("routing"), &component());
    desk.until_active("routing-table");
    let after = kofi.post("/api/v1/tickets", &printer).expect(201);
    assert_eq!(after["assignee"], "paul", "{after}");
    let reason = |key: &Value| {
        let runs = kofi.get(&format!("/api/v1/tickets/{}/decisions", key.as_str().unwrap())).expect(200);
        runs[0]["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == "routing").unwrap().to_string()
    };
    assert!(reason(&after["key"]).contains("Paul looks after the printers in Paris"));
    assert!(!reason(&before["key"]).contains("Paul looks after"));
}

/// Rules of one stage are shown the ticket as the stage before left it: the word of one is no news to another, whichever is asked first.
/// The next stage is shown what they came to.
#[test]
fn rules_of_one_stage_see_the_same_frozen_ticket_and_the_next_stage_sees_what_they_came_to() {
    let table = |(name, stage, order, more, row): (&str, &str, u8, &str, &str)| {
        format!(
            "name = \"{name}\"\nversion = \"1.0.0\"\ndescription = \"One of three.\"\nstages = [\"{stage}\"]\norder = {order}\n\n\
             [settings]\nstage = \"{stage}\"\notherwise = \"pass\"\n{more}\n[[settings.row]]\n{row}\nreason = \"by the table\"\n"
        )
    };
    for (first, second) in [(10, 20), (20, 10)] {
        let rules = TempDir::new().unwrap();
        let levels = "levels = [\"critical\", \"high\", \"medium\", \"low\"]\n";
        for one in [
            (
                "tags",
                "categorization",
                first,
                "",
                "when.ticket.text.mentions = [\"vpn\"]\nthen.tags = [\"compliance\"]",
            ),
            ("looks", "categorization", second, "", "when.so-far.tags = \"compliance\"\nthen.category = \"security\""),
            ("rates", "priority", 30, levels, "when.so-far.tags = \"compliance\"\nthen.level = \"critical\""),
        ] {
            put(rules.path(), one.0, &table(one), &component());
        }
        let desk = House::with_rules(Database::Sqlite, rules.path());
        let kofi = desk.as_role("kofi");
        let incident = json!({ "request_type": "incident", "subject": "The VPN is slow", "body": "Since noon.",
            "fields": { "service": "vpn" } });
        let made = kofi.post("/api/v1/tickets", &incident).expect(201);
        assert_eq!(made["tags"], json!(["compliance"]), "{made}");
        assert_ne!(made["category"], "security", "asked {second}th, it was not told of the tag: {made}");
        assert_eq!(made["priority"], "critical", "and the next stage was: {made}");
        assert!(desk.command(&["decisions", "verify"]).status.success());
    }
}
