//! Why a desk would not take a file, in words, and with an exit status.

use std::path::Path;

use super::{err, out, printed, ran, shipped};
use crate::support::components::hostile;

/// What `check` says about these bytes.
fn refusal(bytes: &[u8], manifest: Option<&str>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rule.wasm");
    std::fs::write(&file, bytes).unwrap();
    if let Some(manifest) = manifest {
        std::fs::write(dir.path().join("rule.toml"), manifest).unwrap();
    }
    let output = ran(&["check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(err(&output).contains("a desk would not take it"), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("\n  why:  ") && said.contains("\n  mend: "), "{said}");
    said
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).unwrap()
}

#[test]
fn each_kind_of_wrong_file_has_its_words() {
    let says = |bytes: &[u8], words: &[&str]| {
        let said = refusal(bytes, None);
        for word in words {
            assert!(said.contains(word), "`{word}` is not in:\n{said}");
        }
    };
    says(b"fn main() {}", &["it is not WebAssembly", "not its source"]);
    says(&wat::parse_str("(module)").unwrap(), &["a core module, not a component", "ruledesk rule build"]);
    says(&hostile()[..hostile().len() / 2], &["damaged or cut off", "copy or download it again"]);
    says(&component(""), &["it exports no stage", "ruledesk rule new"]);
    let export = |name: &str| format!("(export \"ruledesk:rules/{name}\" (instance $i))");
    let (one, two) = (export("intake@1.0.0"), export("priority@2.0.0"));
    says(&component(&format!("(instance $i) {two}")), &["speaks ruledesk:rules/priority@2.0.0", "with the SDK"]);
    says(
        &component(&format!("(instance $i) {one} {two}")),
        &["two versions of the contract", "second copy of the SDK"],
    );
    let socket = "(import \"wasi:sockets/tcp@0.2.6\" (instance))";
    says(&component(socket), &["wasi:sockets/tcp@0.2.6", "no network", "reference table"]);
    says(&component("(import \"acme:files/read@1.0.0\" (instance))"), &["acme:files/read@1.0.0", "does not offer"]);
}

#[test]
fn what_the_manifest_says_is_tried_too() {
    let rule = shipped("30-impact-urgency");
    let manifest = std::fs::read_to_string(rule.path().join("rule.toml")).unwrap();
    let wasm = std::fs::read(rule.path().join("rule.wasm")).unwrap();
    let settings = refusal(&wasm, Some(&manifest.replace("[settings]", "[settings]\nno-such-setting = 1")));
    assert!(settings.contains("refuses its settings") && settings.contains("no-such-setting"), "{settings}");
    let stage = "name = \"a\"\nversion = \"1.0.0\"\nstages = [\"routing\"]\norder = 1\n";
    let stage = refusal(&wasm, Some(stage));
    assert!(stage.contains("names `routing`, which the component does not export: it exports priority"), "{stage}");
    let key = refusal(&wasm, Some(&manifest.replace("order =", "odrer =")));
    assert!(key.contains("unknown field `odrer`"), "{key}");
    let example = "\n[[example]]\nname = \"never\"\nstage = \"priority\"\nexpect = { decision = \"dance\" }\n";
    let example = refusal(&wasm, Some(&format!("{manifest}{example}")));
    assert!(example.contains("example \"never\"") && example.contains("expected \"dance\""), "{example}");
}

#[test]
fn a_component_alone_is_judged_as_far_as_that_goes() {
    let rule = shipped("40-team-routing");
    let lone = rule.path().join("lone");
    std::fs::create_dir(&lone).unwrap();
    std::fs::rename(rule.path().join("rule.wasm"), lone.join("rule.wasm")).unwrap();
    let wasm = lone.join("rule.wasm");
    let wasm = wasm.to_str().unwrap();
    let said = printed(&ran(&["check", wasm]));
    assert!(said.contains("exports: routing") && said.contains("note: there is no manifest"), "{said}");
    let manifest = rule.path().join("rule.toml");
    let demo = crate::support::components::root().join("host/demo");
    let said =
        printed(&ran(&["check", wasm, "--manifest", manifest.to_str().unwrap(), "--config", demo.to_str().unwrap()]));
    assert!(said.contains("hold") && !said.contains("note:"), "{said}");
    assert!(!ran(&["check", Path::new("/no/such/file").to_str().unwrap()]).status.success());
}

/// The answers of examples, and those of a table, must name what the desk has; an example has rows and an instant of its own.
#[test]
fn names_are_judged_against_the_organisation_and_an_example_brings_its_own_rows_and_time() {
    let config = crate::support::components::root().join("host/demo");
    let config = config.to_str().unwrap();
    let rule = shipped("60-decision-table");
    let (folder, component) = (rule.path().to_str().unwrap(), rule.path().join("rule.wasm"));
    let component = component.to_str().unwrap();
    let write = |team: &str, example: &str| {
        let manifest = format!(
            "name = \"who\"\nversion = \"1.0.0\"\nstages = [\"routing\"]\norder = 1\n[settings]\nstage = \"routing\"\n\
             otherwise = \"pass\"\n[[settings.row]]\nname = \"evenings\"\nwhen.now.time.after = \"18:00\"\nthen.team = \"{team}\"\n\
             reason = \"it is late\"\n{example}"
        );
        std::fs::write(rule.path().join("rule.toml"), manifest).unwrap();
    };
    let example = |at: &str, expect: &str| {
        format!("[[example]]\nname = \"e\"\nstage = \"routing\"\nat = {at}\nexpect = {{ decision = \"{expect}\" }}\n")
    };
    write("network", &example("2026-11-30T19:30:00+01:00", "assign"));
    printed(&ran(&["test", folder, "--config", config]));
    printed(&ran(&["check", component, "--config", config]));
    write("network", &example("\"2026-11-30T12:30:00+01:00\"", "pass"));
    printed(&ran(&["test", folder]));
    for (at, says) in [("2026-11-30", "no instant with an offset"), ("7", "no instant")] {
        write("network", &example(at, "pass"));
        let output = ran(&["test", folder]);
        assert!(!output.status.success() && (out(&output) + &err(&output)).contains(says), "{}", out(&output));
    }
    write("netwrok", &example("2026-11-30T19:30:00+01:00", "assign"));
    printed(&ran(&["test", folder]));
    for (command, of) in [("test", folder), ("check", component)] {
        let output = ran(&[command, of, "--config", config]);
        let said = out(&output) + &err(&output);
        assert!(!output.status.success() && said.contains("netwrok"), "{command}: {said}");
    }
    // Also a name that no example meets.
    write("netwrok", "");
    let output = ran(&["check", component, "--config", config]);
    assert!(!output.status.success(), "{}", out(&output));
}

/// A desk reads the directory, and would refuse it there.
#[test]
fn nothing_is_built_into_a_rules_directory_that_names_what_there_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("settings.toml");
    let write = |team: &str| {
        let row = format!("[[row]]\nname = \"all\"\nthen.team = \"{team}\"\nreason = \"all of it\"\n");
        std::fs::write(&settings, format!("stage = \"routing\"\n{row}")).unwrap();
    };
    let rules = dir.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let (root, settings) = (crate::support::components::root(), settings.to_str().unwrap());
    let (source, config) = (root.join("example-rules/60-decision-table"), root.join("host/demo"));
    let build = || {
        let tail = ["--settings", settings, "--config", config.to_str().unwrap()];
        ran(&[&["build", source.to_str().unwrap(), "--out", rules.to_str().unwrap()], tail.as_slice()].concat())
    };
    write("netwrok");
    let output = build();
    let said = out(&output) + &err(&output);
    assert!(output.status.code() == Some(1) && said.contains("netwrok"), "{said}");
    assert_eq!(std::fs::read_dir(&rules).unwrap().count(), 0, "nothing is there");
    write("network");
    printed(&build());
    assert!(rules.join("60-decision-table/rule.wasm").exists());
}

/// The length is in the words of the check, so that the author knows it before a desk does.
#[test]
fn a_check_names_the_length_of_text_at_which_a_rule_runs_out() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = crate::support::components::hostile_manifest("spins", "priority", "loop", "");
    crate::support::components::put(dir.path(), "spins", &manifest, hostile());
    let said = ran(&["check", dir.path().join("spins/rule.wasm").to_str().unwrap()]);
    let said = out(&said) + &err(&said);
    assert!(said.contains("it does not decide on a text of"), "{said}");
}
