//! C: new, build, answers, traps, and what is missing.

use std::fs;
use std::process::Command;

use ruledesk::rules::digest::Digest;
use ruledesk::rules::package::CONTRACT;
use ruledesk::rules::run::call::Fault;
use ruledesk::rules::run::stage::Stage;

use super::{asked, build, build_without_tools, new_project, open, run, said, with_tools};
use crate::author::blocks::{Shell, block};
use crate::support::components::{PROGRAM, root, scratch};

#[test]
fn a_new_rule_in_c_answers_and_says_what_went_wrong() {
    let project = new_project("c-words", "c", "intake,categorization,priority,routing,access");
    // The manifest's examples need what is added here not at all.
    let file = project.join("src/rule.c");
    let rule = std::fs::read_to_string(&file).unwrap();
    let head = "bool rd_routing_decide(rd_routing_input_t *input, rd_routing_answer_t *answer, rd_text *failure) {";
    let more = "
    if (rd_is(input->ticket.subject, \"boom\")) RD_ASSERT(input->requester.groups.len > 99);
    if (rd_is(input->ticket.subject, \"stop\")) return rd_fail(failure, rd_str(\"it is too late\"));
    rd_log(RD_LOG_LEVEL_INFO, rd_fill(\"asked about {}\", input->ticket.subject));";
    assert!(rule.contains(head));
    std::fs::write(&file, rule.replace(head, &format!("{head}{more}"))).unwrap();
    let secrets = root().join("example-rules/13-pasted-secrets");
    let rules_dir = build("c-rules", &[project.clone(), secrets]);
    assert!(run(Command::new("make").arg("test").current_dir(&project)).contains("all good"));
    let secrets = with_tools(&root().join("example-rules/13-pasted-secrets"), "pasted-secrets");
    run(Command::new(PROGRAM).args(["rule", "build"]).arg(&secrets));
    assert!(run(Command::new("make").arg("test").current_dir(&secrets)).contains("all good"));
    let rules = open(&rules_dir);

    let ask = |input: &str| asked(&rules, "c-words", Stage::Routing, input);
    let answer = ask("ticket.subject = 'Der DRÜCKER und der Printer'");
    assert_eq!(serde_json::to_value(answer.result.unwrap()).unwrap()["reason"], "it mentions printer");
    assert_eq!(answer.log[0].message, "asked about Der DRÜCKER und der Printer");
    let Err(Fault::Trap { message }) = ask("ticket.subject = 'boom'").result else { panic!("no trap") };
    assert!(
        message.contains("src/rule.c:") && message.contains("input->requester.groups.len > 99 does not hold"),
        "{message}"
    );
    assert_eq!(ask("ticket.subject = 'stop'").result, Err(Fault::RuleError { message: "it is too late".to_owned() }));
    // Larger than what is laid out from the start.
    let long = format!("ticket.subject = 'long'\nticket.body = '{} printer'", "x".repeat(100_000));
    let long = ask(&long);
    assert_eq!(serde_json::to_value(long.result.unwrap()).unwrap()["reason"], "it mentions printer");
}

#[test]
fn the_same_source_in_c_makes_the_same_bytes_anywhere() {
    let bytes = ["same-c", "other-c"].map(|name| {
        let project = new_project(name, "c", "routing");
        let file = project.join("src/rule.c");
        std::fs::write(&file, std::fs::read_to_string(&file).unwrap().replace(name, "same")).unwrap();
        run(Command::new(PROGRAM).args(["rule", "build"]).arg(&project));
        std::fs::read(project.join("rule.wasm")).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn what_keeps_c_from_being_built_is_said() {
    let project = new_project("broken-c", "c", "routing");
    let said_without = build_without_tools(&project);
    assert!(said_without.contains("clang cannot be started") && said_without.contains("wasi-libc"), "{said_without}");
    let file = project.join("src/rule.c");
    let rule = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, rule.replace("input->ticket", "input->tickets")).unwrap();
    let built = Command::new(PROGRAM).args(["rule", "build"]).arg(&project).output().unwrap();
    assert!(!built.status.success());
    assert!(
        said(&built).contains("src/rule.c:") && said(&built).contains("no member named 'tickets'"),
        "{}",
        said(&built)
    );
}

/// As the SDK for Rust does it, whose own test asks the same of it.
#[test]
fn lower_case_in_c_agrees_with_the_standard_tables() {
    let folder = scratch().join("lower-c");
    fs::create_dir_all(&folder).unwrap();
    let main = "#include \"ruledesk.h\"\n#include <stdio.h>\n\
        void rd_configure(const rd_json *settings, rd_problems *problems) { (void)settings, (void)problems; }\n\
        int main(int count, char **names) {\n\
            static uint8_t text[1 << 18];\n\
            FILE *file = fopen(names[count - 1], \"rb\");\n\
            rd_text lower = rd_lower((rd_text){ text, fread(text, 1, sizeof text, file) });\n\
            return fwrite(lower.ptr, 1, lower.len, stdout) != lower.len;\n\
        }\n";
    let (source, program, text) = (folder.join("lower.c"), folder.join("lower"), folder.join("all.txt"));
    fs::write(&source, main).unwrap();
    let letters = || '\0'..='\u{ffff}';
    fs::write(&text, letters().collect::<String>()).unwrap();
    let sdk = root().join("sdk/c");
    let sources = ["ruledesk.c", "json.c", "native.c"].map(|file| sdk.join(file));
    let flags = ["-std=c11", "-g", "-w", "-fsanitize=address,undefined", "-I"];
    run(Command::new("cc").args(flags).arg(&sdk).arg("-o").arg(&program).arg(&source).args(sources));
    let lowered = Command::new(&program).arg(&text).env("ASAN_OPTIONS", "detect_leaks=0").output().unwrap();
    assert!(lowered.status.success(), "{}", said(&lowered));
    let lowered = String::from_utf8(lowered.stdout).unwrap();
    assert_eq!(lowered.chars().count(), letters().count());
    for (c, small) in letters().zip(lowered.chars()) {
        let known = matches!(u32::from(c), 0..0x180 | 0x386..0x3d0 | 0x400..0x557 | 0x1e00..0x1f00);
        let expected = if known && !matches!(c, 'İ' | 'ẞ') { c.to_lowercase().next() } else { Some(c) };
        assert_eq!(Some(small), expected, "{c} {:x}", u32::from(c));
    }
}

/// `sdk/c/contract.sha256` holds the digests of the contract that `contract.h` and `contract.c` were written from.
#[test]
fn the_bindings_in_c_are_those_of_the_contract() {
    let kept = std::fs::read_to_string(root().join("sdk/c/contract.sha256")).unwrap();
    let shell = Shell::new();
    std::fs::create_dir_all(shell.folder().join("sdk/c")).unwrap();
    std::os::unix::fs::symlink(root().join("sdk/wit"), shell.folder().join("sdk/wit")).unwrap();
    shell.run(&block("sdk/c/README.md", "sha256sum"));
    assert_eq!(shell.read("sdk/c/contract.sha256"), kept, "the digests are those that the guide's line writes");
    for (name, text) in CONTRACT {
        let line = format!("{}  {name}", Digest::of(text.as_bytes()));
        assert!(
            kept.lines().any(|kept| kept == line),
            "{name} has changed: sdk/c/README.md says how to write the bindings anew"
        );
    }
    let header = std::fs::read_to_string(root().join("sdk/c/contract.h")).unwrap();
    assert!(header.contains("rd_moment_t") && header.contains("the only clock a rule has"), "names and comments");
}
