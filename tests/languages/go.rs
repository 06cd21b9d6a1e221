//! Go: new, build, answers, errors, and what is missing.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ruledesk::author::build::go::SDK;
use ruledesk::rules::run::call::Fault;
use ruledesk::rules::run::stage::Stage;

use super::{asked, build, build_without_tools, new_project, open, run, said};
use crate::support::components::{PROGRAM, root, scratch};

/// What is put before the routing of the new rule: it prints, panics, uses much memory, and asks for time and chance.
const MORE: &str = r#"
	fmt.Println("asked about", in.Ticket.Subject)
	switch in.Ticket.Subject {
	case "boom":
		fail(nil)
	case "stop":
		return routing.Answer{}, ruledesk.Failure("it is too late")
	case "nothing":
		return routing.Answer{}, nil
	case "much":
		sum := 0
		for n := range 80 {
			sum += len(bytes.Repeat([]byte{1}, 100_000)) + n
		}
		return routing.Pass().Because(fmt.Sprint(sum)), nil
	case "long":
		return routing.Pass().Because(fmt.Sprint(len(in.Ticket.Body))), nil
	case "now":
		return routing.Pass().Because(fmt.Sprint(time.Now().UTC(), " ", rand.Text())), nil
	}
"#;

#[test]
fn a_new_rule_in_go_answers_and_says_what_went_wrong() {
    let project = new_project("go-words", "go", "intake,categorization,priority,routing,access");
    let unformatted = run(Command::new("gofmt").args(["-l", "rule.go", "rule_test.go"]).current_dir(&project));
    assert_eq!(unformatted, "");
    run(go(&project).arg("vet"));
    assert!(run(go(&project).arg("test")).contains("ok"));

    let file = project.join("rule.go");
    let rule = std::fs::read_to_string(&file).unwrap();
    let head = "func decideRouting(in *routing.Input) (routing.Answer, error) {";
    assert!(rule.contains(head));
    let rule = rule
        .replace("import (\n", "import (\n\t\"bytes\"\n\t\"fmt\"\n\t\"crypto/rand\"\n\t\"time\"\n")
        .replace(head, &format!("func fail(list []int) int {{ return list[2] }}\n\n{head}{MORE}"));
    std::fs::write(&file, rule).unwrap();
    let roster = copied(&root().join("example-rules/42-on-call-roster"));
    let rules = open(&build("go-rules", &[project, roster]));

    let ask = |input: &str| asked(&rules, "go-words", Stage::Routing, input);
    let reason = |input: &str| serde_json::to_value(ask(input).result.unwrap()).unwrap()["reason"].clone();
    let answer = ask("ticket.subject = 'The printer is jammed'");
    assert_eq!(serde_json::to_value(answer.result.unwrap()).unwrap()["reason"], "it mentions printer");
    assert_eq!(answer.log[0].message, "asked about The printer is jammed");
    assert_eq!(reason("ticket.subject = 'much'"), "8003160", "the collector runs");
    // Inputs have room of their own, beside the heap.
    let long = format!("ticket.subject = 'long'\nticket.body = '{}'", "x".repeat(5 << 20));
    assert_eq!(reason(&long), (5 << 20).to_string());

    let failed = |input: &str| match ask(input).result {
        Err(Fault::RuleError { message }) => message,
        other => panic!("{other:?}"),
    };
    let message = failed("ticket.subject = 'boom'");
    assert!(message.starts_with("panic: runtime error: index out of range [2] with length 0\n"), "{message}");
    assert!(message.contains("at main.fail(") && message.contains("at main.decideRouting("), "{message}");
    assert!(message.contains("rule.go:"), "{message}");
    assert_eq!(failed("ticket.subject = 'stop'"), "it is too late");
    assert!(failed("ticket.subject = 'nothing'").contains("the answer has no decision"));

    let now = ask("ticket.subject = 'now'");
    let text = format!("{:?}", now.result);
    assert!(text.contains("2026-01-05 12:00:00 +0000 UTC "), "{text}");
    for _ in 0..20 {
        let again = ask("ticket.subject = 'now'");
        assert_eq!((&again.result, again.fuel), (&now.result, now.fuel), "the same question, the same answer and fuel");
    }
    let other = ask("ticket.subject = 'now'\nrequester.id = 'kofi'");
    assert_ne!(other.result, now.result, "chance depends on the decision");
}

#[test]
fn the_same_source_in_go_makes_the_same_bytes_anywhere() {
    let first = new_project("same-words", "go", "routing");
    let second = copied(&first);
    let bytes = [&first, &second].map(|project| {
        run(Command::new(PROGRAM).args(["rule", "build"]).arg(project));
        std::fs::read(project.join("rule.wasm")).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn what_keeps_go_from_being_built_is_said() {
    let project = new_project("broken-go", "go", "routing");
    let said_without = build_without_tools(&project);
    assert!(
        said_without.contains("go cannot be started") && said_without.contains("install Go 1.24"),
        "{said_without}"
    );

    let old = scratch().join("languages/old-go");
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("go"), "#!/bin/sh\necho go1.19.8\n").unwrap();
    std::fs::set_permissions(old.join("go"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let built = Command::new(PROGRAM).args(["rule", "build"]).arg(&project).env("PATH", &old).output().unwrap();
    assert!(!built.status.success());
    assert!(said(&built).contains("go is too old: it is go1.19.8: install Go 1.24"), "{}", said(&built));

    let file = project.join("rule.go");
    let rule = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, rule.replace("in.Ticket", "in.Tickets")).unwrap();
    let built = Command::new(PROGRAM).args(["rule", "build"]).arg(&project).output().unwrap();
    assert!(!built.status.success());
    assert!(said(&built).contains("rule.go:") && said(&built).contains("in.Tickets undefined"), "{}", said(&built));
}

#[test]
fn the_sdk_in_go_is_whole_and_the_example_holds_its_own_tests() {
    let folder = root().join("sdk/go");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(std::fs::read_dir(entry).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(entry);
        }
    }
    for file in files {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        assert!(name == "README.md" || SDK.iter().any(|(own, _)| *own == name), "{name} is not in the program");
    }
    run(go(&folder).args(["vet", "./..."]));
    let roster = copied(&root().join("example-rules/42-on-call-roster"));
    run(Command::new(PROGRAM).args(["rule", "build"]).arg(&roster));
    assert!(run(go(&roster).arg("test")).contains("ok"));
}

fn go(directory: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(directory);
    command
}

/// A project in a folder of its own: building leaves the SDK beside the source.
fn copied(project: &Path) -> PathBuf {
    static COPIES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let copies = COPIES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let copy = scratch().join(format!("languages/go-copy-{copies}")).join(project.file_name().unwrap());
    let _ = std::fs::remove_dir_all(&copy);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    run(Command::new("cp").arg("-r").arg(project).arg(&copy));
    let _ = std::fs::remove_dir_all(copy.join(".ruledesk"));
    copy
}
