//! The largest text that a form takes, in several scripts: every rule that ships, and every table, decides on it.

use std::sync::Arc;

use ruledesk::desk::organisation::form::BODY_CHARS_MAX;
use ruledesk::rules::Rules;
use ruledesk::rules::run::call::{ask, limits_for};
use ruledesk::rules::run::examples::fill_in_json;
use ruledesk::rules::tables::Tables;
use serde_json::json;
use tempfile::TempDir;

use crate::support::components::{example_rules, open, put, root};

/// Bodies of the greatest length, such as make rules work hardest.
fn bodies() -> Vec<(&'static str, String)> {
    let cycle = |text: &str| text.chars().cycle().take(BODY_CHARS_MAX).collect::<String>();
    vec![
        ("one letter", cycle("n")),
        ("short words", cycle("wi ")),
        ("a letter and a space", cycle("a ")),
        ("almost a keyword", cycle("phishin ")),
        ("digits", cycle("4111 ")),
        ("CJK", cycle("\u{4e2d}")),
        ("CJK and spaces", cycle("\u{4e2d} ")),
        ("emoji", cycle("\u{1f600}")),
        ("Deseret and spaces", cycle("\u{10400} ")),
        ("mathematical letters", cycle("\u{1d400} ")),
        ("line ends", cycle("\n")),
        ("lines", cycle("a\n")),
        ("dashes", cycle("-")),
        ("capitals with dots", cycle("\u{130}")),
        ("combining marks", cycle("e\u{301}")),
    ]
}

#[test]
fn every_shipped_rule_and_table_decides_on_the_largest_text() {
    let dir = TempDir::new().unwrap();
    for table in ["intake", "categorization", "priority", "routing", "access"] {
        let manifest = root().join(format!("example-rules/60-decision-table/tables/{table}.toml"));
        let component = std::fs::read(example_rules().join("60-decision-table/rule.wasm")).unwrap();
        put(dir.path(), &format!("table-{table}"), &std::fs::read_to_string(manifest).unwrap(), &component);
    }
    crate::support::place::copy(example_rules(), dir.path());
    let rules = open(dir.path());
    assert!(rules.generation().rules().len() >= 11, "{:?}", rules.generation().rules());
    decided(&rules);
}

/// Asks each rule about each of the largest bodies; fails where one has no answer, and says how much each needs.
pub fn decided(rules: &Rules) {
    let generation = rules.generation();
    let (mut failed, mut worst) = (Vec::new(), Vec::new());
    for rule in generation.rules() {
        let mut most = (0, 0, "");
        for (name, body) in bodies() {
            for stage in &rule.manifest.stages {
                let ticket = json!({ "request-type": "incident", "subject": "x".repeat(200), "body": body });
                let input = fill_in_json(*stage, json!({ "ticket": ticket })).unwrap();
                let called = ask(rule, &input, &Arc::new(Tables::default()));
                let took = u64::try_from(called.took.as_millis()).unwrap();
                most = most.max((called.fuel, took, name));
                if let Err(fault) = called.result {
                    failed.push(format!("{} at {stage} on {name}: {fault}", rule.manifest.name));
                }
            }
        }
        let given = limits_for(
            rule,
            &fill_in_json(rule.manifest.stages[0], json!({ "ticket": { "body": bodies()[7].1 } })).unwrap(),
        );
        worst.push(format!(
            "{} {} of {} fuel, {} of {} ms on {}",
            rule.manifest.name, most.0, given.fuel, most.1, given.deadline_ms, most.2
        ));
    }
    assert!(failed.is_empty(), "{failed:#?}\n{worst:#?}");
}
