//! Python: new, build, answers, errors, and what is missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ruledesk::author::build::python::COMPONENTIZE;
use ruledesk::rules::run::call::Fault;
use ruledesk::rules::run::stage::Stage;

use super::{asked, build, build_without_tools, lend, new_project, open, run};
use crate::support::components::scratch;

/// What is put before the routing of the new rule: it prints, raises, and asks for time and chance.
const MORE: &str = r#"
        print("asked about", input.ticket.subject)
        if input.ticket.subject == "boom":
            self.fail(input.ticket)
        if input.ticket.subject == "now":
            return no_opinion(f"{time.time()} {datetime.datetime.now()} {random.random()} {random.random()}")
"#;

/// componentize-py, installed once for all projects.
pub fn environment() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = scratch().join("toolchains/python");
        let mark = folder.join("installed.txt");
        if std::fs::read_to_string(&mark).ok().as_deref() != Some(COMPONENTIZE) {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            run(Command::new(folder.join("bin/python")).args(["-m", "pip", "install", "--quiet", COMPONENTIZE]));
            std::fs::write(mark, COMPONENTIZE).unwrap();
        }
        folder
    })
}

#[test]
fn a_new_rule_in_python_answers_and_says_what_went_wrong() {
    let project = new_project("python-words", "python", "intake,categorization,priority,routing,access");
    lend(environment(), &project, ".ruledesk/venv");
    let said = run(Command::new("python3").args(["-m", "unittest"]).current_dir(&project));
    assert!(said.contains("Ran 6 tests") && said.contains("OK"), "{said}");

    let file = project.join("src/rule.py");
    let rule = std::fs::read_to_string(&file).unwrap();
    let head = "\"\"\"Who takes this ticket?\"\"\"";
    assert!(rule.contains(head));
    let rule = rule
        .replace("from ruledesk import (", "import datetime\nimport random\nimport time\n\nfrom ruledesk import (")
        .replace(head, &format!("{head}{MORE}"))
        .replace("    def mentioned(", "    def fail(self, ticket):\n        ticket.no.such()\n\n    def mentioned(");
    std::fs::write(&file, rule).unwrap();
    let rules = open(&build("python-rules", &[project]));

    let ask = |input: &str| asked(&rules, "python-words", Stage::Routing, input);
    let answer = ask("ticket.subject = 'The printer is jammed'");
    assert_eq!(serde_json::to_value(answer.result.unwrap()).unwrap()["reason"], "it mentions printer");
    assert_eq!(answer.log[0].message, "asked about The printer is jammed");

    let Err(Fault::RuleError { message }) = ask("ticket.subject = 'boom'").result else { panic!("it raises") };
    assert!(message.starts_with("AttributeError: 'Ticket' object has no attribute 'no'\nTraceback"), "{message}");
    assert!(message.contains("File \"rule.py\", line ") && message.contains("in fail"), "{message}");

    let now = ask("ticket.subject = 'now'");
    let text = format!("{:?}", now.result);
    assert!(text.contains("1767614400.0 2026-01-05 12:00:00 0."), "{text}");
    for _ in 0..20 {
        let again = ask("ticket.subject = 'now'");
        assert_eq!((&again.result, again.fuel), (&now.result, now.fuel), "the same question, the same answer and fuel");
    }
    let other = ask("ticket.subject = 'now'\nrequester.id = 'kofi'");
    assert_ne!(other.result, now.result, "chance depends on the decision");
}

#[test]
fn what_keeps_python_from_being_built_is_said() {
    let project = new_project("broken-python", "python", "routing");
    let said = build_without_tools(&project);
    assert!(said.contains("python3 cannot be started") && said.contains("install Python 3.10 or newer"), "{said}");

    lend(environment(), &project, ".ruledesk/venv");
    let file = project.join("src/rule.py");
    let rule = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, rule.replace("rule = WordRule()", "")).unwrap();
    let built =
        Command::new(crate::support::components::PROGRAM).args(["rule", "build"]).arg(&project).output().unwrap();
    assert!(!built.status.success());
    assert!(super::said(&built).contains("has no rule: end it with `rule = MyRule()`"), "{}", super::said(&built));
}
