//! JavaScript and TypeScript: new, build, answers, errors, and what is missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ruledesk::author::build::javascript::{PACKAGES, TYPESCRIPT};
use ruledesk::rules::run::call::Fault;
use ruledesk::rules::run::stage::Stage;

use super::{asked, build, build_without_tools, lend, new_project, open, run};
use crate::support::components::scratch;

const EVERY_STAGE: &str = "intake,categorization,priority,routing,access";

/// A rule in two files that prints, throws, and asks for time and chance.
const RULE: &str = r##"
import { assign, defineRule, pass } from "#ruledesk";
import { fail } from "./fail.js";

export default defineRule({
  settings: (given) => ({ words: given.texts("words"), team: given.text("team") }),
  routing({ ticket }, settings) {
    console.log("asked about", { subject: ticket.subject });
    if (ticket.subject === "boom") fail(ticket);
    if (ticket.subject === "nothing") return undefined;
    if (ticket.subject === "now") return pass(`${Date.now()} ${new Date().toISOString()} ${Math.random()} ${Math.random()}`);
    if (settings.words.some((word) => ticket.subject.toLowerCase().includes(word))) {
      return assign(settings.team).because(`it mentions ${settings.words[0]}`);
    }
    return pass("none of its words");
  },
});
"##;

/// The packages of all projects, installed once.
pub fn packages() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = scratch().join("toolchains/javascript");
        std::fs::create_dir_all(&folder).unwrap();
        let mut wanted: Vec<String> = PACKAGES.iter().chain([&TYPESCRIPT]).map(|(n, v)| format!("{n}@{v}")).collect();
        wanted.push("@types/node@22.19.1".to_owned());
        let mark = folder.join("installed.txt");
        if std::fs::read_to_string(&mark).ok().as_deref() != Some(&wanted.join("\n")) {
            std::fs::write(folder.join("package.json"), "{}").unwrap();
            run(Command::new("npm").args(["install", "--no-audit", "--no-fund"]).args(&wanted).current_dir(&folder));
            std::fs::write(mark, wanted.join("\n")).unwrap();
        }
        folder.join("node_modules")
    })
}

fn project(name: &str, language: &str, stages: &str) -> PathBuf {
    let project = new_project(name, language, stages);
    lend(packages(), &project, "node_modules");
    project
}

#[test]
fn new_rules_in_javascript_and_typescript_answer_and_say_what_went_wrong() {
    let typescript = project("typed-words", "typescript", EVERY_STAGE);
    let javascript = project("plain-words", "javascript", "routing");
    for project in [&typescript, &javascript] {
        let said = run(Command::new("npm").arg("test").current_dir(project));
        assert!(said.contains("pass 2") || said.contains("pass 3"), "{said}");
    }
    std::fs::write(javascript.join("src/rule.js"), RULE).unwrap();
    std::fs::write(javascript.join("src/fail.js"), "export function fail(ticket) {\n  ticket.no.such();\n}\n").unwrap();
    let rules = open(&build("javascript-rules", &[typescript, javascript]));

    // The engine's own reading of so large a number is negative, and so it would be approved.
    let long = asked(&rules, "typed-words", Stage::Access, "item.max-duration-hours = 3_000_000_000");
    assert_eq!(serde_json::to_value(long.result.unwrap()).unwrap()["reason"], "longer than 72 hours");

    let ask = |input: &str| asked(&rules, "plain-words", Stage::Routing, input);
    let answer = ask("ticket.subject = 'The printer is jammed'");
    assert_eq!(serde_json::to_value(answer.result.unwrap()).unwrap()["reason"], "it mentions printer");
    assert_eq!(answer.log[0].message, r#"asked about {"subject":"The printer is jammed"}"#);

    let Err(Fault::RuleError { message }) = ask("ticket.subject = 'boom'").result else { panic!("it throws") };
    assert!(message.starts_with("TypeError: cannot read property 'such' of undefined\n"), "{message}");
    assert!(message.contains("at fail (") && message.contains("at routing ("), "{message}");
    let Err(Fault::RuleError { message }) = ask("ticket.subject = 'nothing'").result else { panic!("no answer") };
    assert!(message.contains("`routing` has returned no answer"), "{message}");

    let now = ask("ticket.subject = 'now'");
    let text = format!("{:?}", now.result);
    assert!(text.contains("1767614400000 2026-01-05T12:00:00.000Z 0."), "{text}");
    for _ in 0..20 {
        let again = ask("ticket.subject = 'now'");
        assert_eq!((&again.result, again.fuel), (&now.result, now.fuel), "the same question, the same answer and fuel");
    }
    let other = ask("ticket.subject = 'now'\nrequester.id = 'kofi'");
    assert_ne!(other.result, now.result, "chance depends on the decision");
}

#[test]
fn what_keeps_javascript_from_being_built_is_said() {
    let project = project("broken-words", "typescript", "routing");
    let said = build_without_tools(&project);
    assert!(said.contains("node cannot be started") && said.contains("install Node.js 18 or newer"), "{said}");

    let refused = |rule: &str| {
        std::fs::write(project.join("src/rule.ts"), rule).unwrap();
        let built = Command::new(crate::support::components::PROGRAM).args(["rule", "build"]).arg(&project).output();
        let built = built.unwrap();
        assert!(!built.status.success());
        super::said(&built)
    };
    let said = refused(
        "import { pass, defineRule } from '#ruledesk';\nexport default defineRule({ routing: (input) => pass(input.tickets) });\n",
    );
    assert!(said.contains("rule.ts") && said.contains("'tickets' does not exist"), "{said}");
    let said = refused(
        "import { pass, defineRule } from '#ruledesk';\nexport default defineRule({ intake: () => pass() as never });\n",
    );
    assert!(said.contains("the rule has no function `routing`"), "{said}");
}
