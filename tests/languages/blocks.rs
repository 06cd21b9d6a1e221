//! The blocks of the READMEs about rules in each language run as they are written. What a tool installs once is lent to each project.

use ruledesk::rules::run::stage::Stage;
use serde_json::Value;

use super::{asked, javascript, open, python};
use crate::author::blocks::{Shell, block};
use crate::support::components::{PROGRAM, put};
use crate::support::house::House;
use crate::support::place::Database;

/// The program, which puts the tools of a language where a new project looks for them, as if they had been installed before.
fn with_tools(shell: Shell) -> Shell {
    let (python, packages) = (python::environment().display(), javascript::packages().display());
    shell.put_program(
        "ruledesk",
        &format!(
            "#!/bin/sh\n\
             '{PROGRAM}' \"$@\" || exit $?\n\
             case \"$1 $2 $5\" in\n\
             'rule new python') mkdir -p \"$3/.ruledesk\" && ln -s '{python}' \"$3/.ruledesk/venv\" ;;\n\
             'rule new typescript') ln -s '{packages}' \"$3/node_modules\" ;;\n\
             esac\n"
        ),
    );
    shell
}

/// A rule that lies in a folder of the shell's says of a ticket about a printer that it mentions its word.
fn mentions_printer(shell: &Shell, folder: &str, name: &str) {
    let rules = tempfile::tempdir().unwrap();
    let component = std::fs::read(shell.folder().join(folder).join("rule.wasm")).unwrap();
    put(rules.path(), name, &shell.read(&format!("{folder}/rule.toml")), &component);
    let answer = asked(&open(rules.path()), name, Stage::Routing, "ticket.subject = 'The printer is jammed'");
    let answer: Value = serde_json::to_value(answer.result.unwrap()).unwrap();
    assert_eq!(answer["reason"], "it mentions printer");
}

#[test]
fn the_blocks_about_rules_in_go_run() {
    let shell = Shell::new();
    let said = shell.run(&block("sdk/go/README.md", "--lang go"));
    assert!(said.contains("ok  \t"), "its own tests, in Go: {said}");
    assert!(said.contains("routing: ") && said.contains("  fuel    "), "it was measured: {said}");
    mentions_printer(&shell, "printer-first", "printer-first");

    // Into a desk that runs.
    let desk = House::demo(Database::Sqlite);
    let ticket = serde_json::json!({ "request_type": "incident", "subject": "VPN is down", "body": "Since this morning.",
        "fields": { "service": "vpn", "people-affected": 1 } });
    desk.as_role("amara").post("/api/v1/tickets", &ticket).expect(201);
    let shell = Shell::beside(&desk);
    std::fs::create_dir(shell.folder().join("target")).unwrap();
    std::os::unix::fs::symlink(&desk.rules, shell.folder().join("target/rules")).unwrap();
    let said = shell.run(&block("README.md", "rule new late-shift --lang go"));
    assert!(said.contains("A desk would take it.") && said.contains("  memory  "), "checked and measured: {said}");
    desk.until_active("late-shift");
    let case: Value = serde_json::from_str(&shell.read("case.json")).unwrap();
    assert_eq!(case["stage"], "routing", "{case}");
    assert!(!case.to_string().to_lowercase().contains("amara"), "without its people: {case}");
    desk.do_what_is_due();
}

#[test]
fn the_block_about_a_rule_in_python_runs() {
    let shell = with_tools(Shell::new());
    let said = shell.run(&block("sdk/python/README.md", "--lang python"));
    assert!(said.contains("Ran ") && said.contains("OK"), "its own tests, in Python: {said}");
    mentions_printer(&shell, "rules/printer-first", "printer-first");
}

#[test]
fn the_block_about_a_rule_in_typescript_runs() {
    let shell = with_tools(Shell::new());
    let said = shell.run(&block("sdk/js/README.md", "--lang typescript"));
    assert!(said.contains("pass 2") || said.contains("pass 3"), "its own tests, in Node: {said}");
    mentions_printer(&shell, "rules/printer-first", "printer-first");
}

#[test]
fn the_blocks_about_a_rule_in_c_run() {
    let shell = Shell::new();
    let said = shell.run(&block("sdk/c/README.md", "--lang c "));
    assert!(said.contains("all good"), "its own tests, by the machine's compiler: {said}");
    let said = shell.run(&block("sdk/c/README.md", "--out target/rules"));
    assert!(said.contains("late-shift 0.1.0: "), "{said}");
    mentions_printer(&shell, "target/rules/late-shift", "late-shift");
}
