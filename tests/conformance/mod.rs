//! One reference rule in every language gives the same answers: `README.md` says what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ruledesk::rules::Rules;
use ruledesk::rules::contract::Attribute;
use ruledesk::rules::contract::packed::MARK;
use ruledesk::rules::load::compile::CompileLimits;
use ruledesk::rules::load::inspect::inspect;
use ruledesk::rules::run::call::{Called, Fault, ask};
use ruledesk::rules::run::examples::flat;
use ruledesk::rules::run::stage::{Input, Stage};
use ruledesk::rules::tables::{Table, Tables};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::languages::build;
use crate::support::components::{PROGRAM, options, put, root, scratch};

mod generate;
mod oracle;

/// The folders with the same rule. What the components of some cost to compile, once for each settings, is in seconds.
const LANGUAGES: [Language; 5] = [
    Language { name: "rust", heavy: false },
    Language { name: "c", heavy: false },
    Language { name: "go", heavy: true },
    Language { name: "javascript", heavy: true },
    Language { name: "python", heavy: true },
];

#[derive(Clone, Copy)]
struct Language {
    name: &'static str,
    heavy: bool,
}

fn language(name: &str) -> Language {
    LANGUAGES.into_iter().find(|language| language.name == name).unwrap()
}

fn folder() -> PathBuf {
    root().join("tests/conformance")
}

fn read(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join("vectors").join(file)).unwrap()).unwrap()
}

fn vectors(stage: Stage) -> Vec<Value> {
    read(&format!("{stage}.json")).as_array().unwrap().clone()
}

/// The component of the rule in a language, built by the author's tools.
fn built(language: &str) -> &'static [u8] {
    static BUILT: Mutex<BTreeMap<String, &'static [u8]>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(language.to_owned()).or_insert_with(|| {
        let name = format!("reference-{language}");
        let source = folder().join(language);
        let out = match language {
            "rust" => build(&name, &[source]),
            _ => build(&name, &[crate::languages::with_tools(&source, &name)]),
        };
        let folder = fs::read_dir(out).unwrap().next().unwrap().unwrap().path();
        fs::read(folder.join("rule.wasm")).unwrap().leak()
    })
}

fn manifest(name: &str, component: &[u8], settings: &Value) -> String {
    let stages = inspect(component, 64 << 20).unwrap().stages;
    let stages: Vec<String> = stages.iter().map(|stage| format!("\"{stage}\"")).collect();
    let whole = toml::Table::from_iter([("settings".to_owned(), toml::Value::try_from(settings).unwrap())]);
    format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\norder = 1\ntables = [\"conformance\"]\nstages = [{}]\n\
         [limits]\nfuel = 2_000_000_000\nmemory-mib = 256\ndeadline-ms = 2000\nlog-kib = 64\n\n{}",
        stages.join(", "),
        toml::to_string(&whole).unwrap()
    )
}

fn tables() -> Tables {
    let rows = generate::rows();
    let rows = rows.as_object().unwrap().iter();
    let rows = rows.map(|(key, row)| (key.clone(), serde_json::from_value::<Vec<Attribute>>(row.clone()).unwrap()));
    [("conformance".to_owned(), rows.collect::<Table>())].into_iter().collect()
}

/// A component with each of these settings, in the desk's own sandbox.
fn run(dir: &Path, component: &[u8], settings: &[(String, Value)]) -> Rules {
    for (name, settings) in settings {
        put(dir, name, &manifest(name, component, settings), component);
    }
    let mut options = options(dir);
    options.component_bytes_max = 64 << 20;
    options.compile_limits = CompileLimits { timeout_s: 600, memory_mib: 4096 };
    options.poll = Duration::from_secs(60);
    Rules::open(&options, tables()).unwrap()
}

/// A component with the settings that the vectors name.
pub fn run_good(dir: &Path, component: &[u8]) -> Rules {
    let good = generate::settings();
    let good: Vec<_> = good.as_object().unwrap().clone().into_iter().collect();
    let rules = run(dir, component, &good);
    for status in rules.catalog().folders().values() {
        assert!(status.error.is_none(), "{}", status.error.as_ref().unwrap().message);
    }
    rules
}

/// The rule in a language with those settings: opened once for all tests, because some take a minute to compile.
fn good(language: &str) -> &'static Rules {
    static OPEN: [OnceLock<Rules>; LANGUAGES.len()] = [const { OnceLock::new() }; LANGUAGES.len()];
    let place = LANGUAGES.iter().position(|known| known.name == language).unwrap();
    OPEN[place].get_or_init(|| {
        let dir = scratch().join(format!("reference-{language}-good"));
        // Of an earlier run, if there is one.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        run_good(&dir, built(language))
    })
}

/// Asks what a vector asks.
fn ask_vector(rules: &Rules, stage: Stage, vector: &Value) -> Called {
    let input = Input::read(stage, vector["input"].clone()).unwrap();
    let generation = rules.generation();
    let rule = generation.rules().iter().find(|rule| vector["settings"] == rule.manifest.name.to_string()).unwrap();
    ask(rule, &input, &rules.tables())
}

/// Where two values differ, a line each. Numbers are compared bit by bit: a negative zero is not zero.
fn differences(at: &str, expected: &Value, given: &Value, out: &mut Vec<String>) {
    match (expected, given) {
        (Value::Object(e), Value::Object(g)) if e.keys().eq(g.keys()) => {
            e.iter().for_each(|(key, value)| differences(&format!("{at}.{key}"), value, &g[key], out));
        }
        (Value::Array(e), Value::Array(g)) if e.len() == g.len() => {
            e.iter().zip(g).enumerate().for_each(|(i, (e, g))| differences(&format!("{at}[{i}]"), e, g, out));
        }
        _ => {
            let (expected, given) = (expected.to_string(), given.to_string());
            if expected != given {
                out.push(format!("{at}: expected {expected}, got {given}"));
            }
        }
    }
}

/// The stages that a rule has: all those of the version of the contract that its language's SDK speaks.
fn stages(rules: &Rules) -> Vec<Stage> {
    rules.generation().rules()[0].manifest.stages.clone()
}

/// The differences from the vectors, over all stages of the rule.
pub fn misses(rules: &Rules) -> Vec<String> {
    let mut out = Vec::new();
    for stage in stages(rules) {
        for vector in vectors(stage) {
            let called = ask_vector(rules, stage, &vector);
            let given = match &called.result {
                Ok(answer) => json!({ "ok": answer }),
                // A language may add to an error's text what it knows more, such as a traceback.
                Err(Fault::RuleError { message }) => match vector["expected"]["err"].as_str() {
                    Some(expected) if message.contains(expected) => vector["expected"].clone(),
                    _ => json!({ "err": message }),
                },
                Err(fault) => json!({ "fault": fault.to_string() }),
            };
            let name = vector["name"].as_str().unwrap();
            differences(name, &vector["expected"], &given, &mut out);
            differences(&format!("{name}.log"), &vector["log"], &json!(called.log), &mut out);
            assert!(!called.log_cut, "{name}");
        }
    }
    out
}

fn agrees(language: &str) {
    let misses = misses(good(language));
    assert!(misses.is_empty(), "{language}: {} differences\n{}", misses.len(), misses.join("\n"));
}

fn refuses_wrong_settings(name: &str) {
    let mut wrong = read("settings.json")["wrong"].as_array().unwrap().clone();
    if language(name).heavy {
        // Nothing at all, and everything wrong at once.
        wrong = vec![wrong.first().unwrap().clone(), wrong.last().unwrap().clone()];
    }
    let named: Vec<_> = wrong.iter().enumerate().map(|(n, w)| (format!("wrong-{n}"), w["settings"].clone())).collect();
    let dir = TempDir::new().unwrap();
    let rules = run(dir.path(), built(name), &named);
    let folders = rules.catalog().folders();
    for ((folder, _), wrong) in named.iter().zip(&wrong) {
        let status = folders.values().find(|status| status.folder.ends_with(folder)).unwrap();
        let message = &status.error.as_ref().unwrap_or_else(|| panic!("{name} takes {wrong}")).message;
        let problems: Vec<&str> = wrong["problems"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        assert!(message.ends_with(&format!("settings: {}", problems.join("; "))), "{name}: {wrong}\n{message}");
    }
}

/// The same question a hundred times, each in a fresh instance, and once more in another process: one answer, one count of
/// fuel.
fn repeats_itself(language: &str) {
    let rules = good(language);
    for stage in stages(rules) {
        // The first that is answered.
        let vectors = vectors(stage);
        let vector = vectors.iter().find(|vector| vector["expected"].get("ok").is_some()).unwrap();
        let first = ask_vector(rules, stage, vector);
        for _ in 1..100 {
            let again = ask_vector(rules, stage, vector);
            assert_eq!(
                (&again.result, &again.log, again.fuel),
                (&first.result, &first.log, first.fuel),
                "{language} {stage}"
            );
        }
        let elsewhere = in_another_process(language, stage, vector);
        let here = json!({ "fuel": first.fuel, "log": first.log, "lookups": first.lookups });
        for part in ["fuel", "log", "lookups"] {
            assert_eq!(elsewhere[part], here[part], "{language} {stage}");
        }
        let answer = serde_json::to_value(first.result.unwrap()).unwrap();
        assert_eq!(elsewhere["answer"], Value::Object(flat(&answer)), "{language} {stage}");
    }
}

/// What `ruledesk rule run` shows of a vector.
fn in_another_process(language: &str, stage: Stage, vector: &Value) -> Value {
    let dir = TempDir::new().unwrap();
    let settings = generate::settings()[vector["settings"].as_str().unwrap()].clone();
    put(dir.path(), "rule", &manifest("reference", built(language), &settings), built(language));
    let case =
        json!({ "name": "x", "stage": stage, "input": vector["input"], "tables": { "conformance": generate::rows() } });
    fs::write(dir.path().join("case.json"), case.to_string()).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["rule", "run", "rule/rule.wasm", "--input", "case.json", "--json", "--cache"]);
    let output = command.arg(scratch().join("cache")).current_dir(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

macro_rules! languages {
    ($($language:ident)+) => {
        $(mod $language {
            #[test]
            fn gives_the_answers_of_the_vectors() {
                super::agrees(stringify!($language));
            }

            #[test]
            fn reports_each_wrong_setting() {
                super::refuses_wrong_settings(stringify!($language));
            }

            #[test]
            fn gives_the_same_answer_for_the_same_fuel() {
                super::repeats_itself(stringify!($language));
            }
        })+
    };
}

languages!(rust c go javascript python);

/// The same component, with a mark that means nothing.
#[test]
fn a_rule_is_told_the_same_in_one_block_as_in_pieces() {
    let mark = MARK.as_bytes();
    let mut pieces = built("rust").to_vec();
    let places: Vec<usize> = (0..pieces.len() - mark.len()).filter(|&at| pieces[at..].starts_with(mark)).collect();
    assert_eq!(places.len(), 1, "the SDK marks its rules once");
    pieces[places[0]..][..mark.len()].make_ascii_uppercase();
    let dir = TempDir::new().unwrap();
    let (whole, pieces) = (good("rust"), run_good(dir.path(), &pieces));
    let taking = |rules: &Rules| rules.generation().rules().iter().filter(|rule| rule.takes_one_block).count();
    assert_eq!((taking(whole), taking(&pieces)), (generate::settings().as_object().unwrap().len(), 0));
    for stage in Stage::ALL {
        for vector in vectors(stage) {
            let (whole, pieces) = (ask_vector(whole, stage, &vector), ask_vector(&pieces, stage, &vector));
            assert_eq!(
                (whole.result, whole.log, whole.lookups),
                (pieces.result, pieces.log, pieces.lookups),
                "{}",
                vector["name"]
            );
            assert!(whole.fuel < pieces.fuel, "fewer calls of its allocator: {} and {}", whole.fuel, pieces.fuel);
        }
    }
}

/// `cargo test` asks the same examples natively, with inputs that the SDK fills in.
#[test]
fn the_desk_fills_in_an_example_as_the_sdk_for_rust_does() {
    let dir = TempDir::new().unwrap();
    let own = fs::read_to_string(folder().join("rust/rule.toml")).unwrap();
    put(dir.path(), "rust", &own, built("rust"));
    let empty = [("conformance".to_owned(), Table::default())].into_iter().collect();
    let rules = Rules::open(&options(dir.path()), empty).unwrap();
    let folders = rules.catalog().folders();
    let status = folders.values().next().unwrap();
    assert!(status.error.is_none(), "{}", status.error.as_ref().unwrap().message);
    assert_eq!(status.live.as_ref().unwrap().manifest.examples.len(), 12);
}

#[test]
fn the_vectors_are_what_the_generator_writes() {
    let fresh = scratch().join("vectors");
    fs::create_dir_all(&fresh).unwrap();
    let mut files = vec![("settings.json".to_owned(), generate::settings_file())];
    files.extend(Stage::ALL.map(|stage| (format!("{stage}.json"), generate::vectors(stage.name()))));
    files.iter().for_each(|(name, text)| fs::write(fresh.join(name), text).unwrap());
    for (name, text) in files {
        let committed = fs::read_to_string(folder().join("vectors").join(&name)).unwrap_or_default();
        assert!(committed == text, "{name} is not what the generator writes: {} has that", fresh.display());
    }
}

#[test]
fn the_vectors_meet_every_case_of_the_contract() {
    let mut cases = BTreeSet::new();
    let mut refusals = 0;
    for stage in Stage::ALL {
        let vectors = vectors(stage);
        assert!(vectors.len() >= 60);
        for vector in &vectors {
            refusals += usize::from(vector["expected"].get("err").is_some());
            match &vector["expected"]["ok"]["decision"] {
                Value::Object(decision) => cases.insert(format!("{stage} {}", decision.keys().next().unwrap())),
                case => cases.insert(format!("{stage} {}", case.as_str().unwrap_or("error"))),
            };
            for field in vector["expected"]["ok"]["decision"]["accept"]["fields"].as_array().into_iter().flatten() {
                cases.insert(field["value"].as_object().unwrap().keys().next().unwrap().clone());
            }
        }
    }
    let every = [
        "access approve",
        "access deny",
        "access error",
        "access pass",
        "access require-approval",
        "categorization classify",
        "categorization error",
        "categorization pass",
        "choice",
        "choices",
        "closing confirm",
        "closing error",
        "closing follow-up",
        "closing keep",
        "closing pass",
        "closing reopen",
        "date",
        "flag",
        "intake accept",
        "intake error",
        "intake reject",
        "number",
        "priority error",
        "priority pass",
        "priority rate",
        "routing assign",
        "routing error",
        "routing pass",
        "text",
    ];
    assert_eq!(cases.iter().map(String::as_str).collect::<Vec<_>>(), every);
    assert!(refusals >= 10);
}
