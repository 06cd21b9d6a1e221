//! The blocks of every README and guide that a shell runs: each is run as it is written, or is named here with what shows it instead,
//! or with why nothing does.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::readme::{blocks, readmes};
use crate::support::components::{PROGRAM, root};
use crate::support::house::House;
use crate::support::place::Database;

/// How a block is shown to do what it says.
enum Shown {
    /// A test takes it from its file and runs it.
    Runs(&'static str),
    /// A test does the same, with names and places of its own.
    Same(&'static str),
    /// Nothing does, because it needs this.
    Needs(&'static str),
}

use Shown::{Needs, Runs, Same};

/// Each block by its file and some of its text.
const BLOCKS: [(&str, &str, Shown); 23] = [
    ("README.md", "make run ", Needs("it builds the program, and serves until it is stopped")),
    ("README.md", "# Amara submits;", Runs("the_tour_runs_as_it_is_written")),
    ("README.md", "rule new late-shift --lang python", Same("a_new_rule_in_python_answers_and_says_what_went_wrong")),
    ("host/guide/production.md", "/explain -H", Runs("blocks_about_a_ticket_and_about_drafts_run")),
    (
        "host/guide/production.md",
        "ruledesk rules backtest",
        Same("a_subtly_wrong_rule_is_caught_with_what_it_would_have_moved"),
    ),
    (
        "host/guide/production.md",
        "ruledesk rules promote",
        Same("a_shadow_has_no_effect_is_promoted_and_rolled_back_with_a_broken_file"),
    ),
    (
        "host/guide/history.md",
        "endava_tickets_47k",
        Needs("it reads files of others, which are not in this repository"),
    ),
    ("host/guide/rules.md", "ruledesk tables put", Runs("blocks_about_tables_and_outages_run")),
    ("host/guide/access.md", "# An hour later", Runs("the_story_of_access_runs_as_it_is_written")),
    ("host/guide/access.md", "webhook-signature", Same("an_order_is_answered_later_by_a_signed_word_and_read_back")),
    (
        "host/guide/access.md",
        "ruledesk connector test",
        Same("a_component_gives_and_takes_through_faults_and_its_runs_can_be_asked_again"),
    ),
    ("host/guide/access.md", "decisions evidence", Same("i16_an_audit_asks_who_has_access_and_why_as_of_any_day")),
    (
        "host/guide/operating.md",
        "decisions archive --before",
        Same("a_deletion_is_an_act_in_the_chain_and_the_chain_holds_across_it"),
    ),
    (
        "host/guide/operating.md",
        "ruledesk jobs dead",
        Same("an_admin_sees_what_the_desk_has_given_up_on_and_has_it_done_again"),
    ),
    ("host/guide/tickets.md", "tickets drafts", Runs("blocks_about_a_ticket_and_about_drafts_run")),
    ("host/guide/tickets.md", "tickets outages", Runs("blocks_about_tables_and_outages_run")),
    ("sdk/go/README.md", "--lang go", Same("a_new_rule_in_go_answers_and_says_what_went_wrong")),
    ("sdk/python/README.md", "--lang python", Same("a_new_rule_in_python_answers_and_says_what_went_wrong")),
    ("sdk/c/README.md", "apt-get install", Needs("it installs packages of the system")),
    ("sdk/c/README.md", "--lang c ", Same("a_new_rule_in_c_answers_and_says_what_went_wrong")),
    ("sdk/c/README.md", "--out RULES", Same("rules_in_five_languages_join_a_running_desk_and_each_answer_is_proved")),
    ("sdk/c/README.md", "wit-bindgen", Same("the_bindings_in_c_are_those_of_the_contract")),
    (
        "sdk/js/README.md",
        "--lang typescript",
        Same("new_rules_in_javascript_and_typescript_answer_and_say_what_went_wrong"),
    ),
];

#[test]
fn every_block_is_run_or_says_what_shows_it() {
    let tests: String =
        crate::tidy::sources(&root().join("tests")).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut files = Vec::new();
    readmes(&root(), &mut files);
    let mut count = 0;
    for file in files {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        for block in blocks(&std::fs::read_to_string(&file).unwrap()) {
            let of_block = |(of, text, _): &&(&str, &str, Shown)| *of == name && block.contains(text);
            let found: Vec<_> = BLOCKS.iter().filter(of_block).collect();
            let [(_, _, shown)] = found.as_slice() else { panic!("{name}: named {} times: {block}", found.len()) };
            match shown {
                Runs(test) | Same(test) => assert!(tests.contains(&format!("fn {test}(")), "there is no test `{test}`"),
                Needs(why) => assert!(why.starts_with("it "), "{why}"),
            }
            count += 1;
        }
    }
    assert_eq!(count, BLOCKS.len(), "each that is named is there");
}

/// The block of a file that has this text.
fn block(file: &str, text: &str) -> String {
    let whole = std::fs::read_to_string(root().join(file)).unwrap();
    blocks(&whole).into_iter().find(|block| block.contains(text)).unwrap()
}

/// Runs lines of a shell to the first that fails, with the program under its name, at a desk and in a person's name.
fn run(desk: &House, person: &str, folder: &Path, lines: &str) -> String {
    let program = folder.join("ruledesk");
    if !program.exists() {
        std::os::unix::fs::symlink(PROGRAM, &program).unwrap();
    }
    let lines = lines.replace("http://127.0.0.1:8080", &desk.url).replace("curl -s ", "curl -sS --fail-with-body ");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", &lines]).current_dir(folder).env("PATH", path);
    shell.env("RULEDESK_URL", &desk.url).env("RULEDESK_TOKEN", format!("demo-{person}"));
    let output = shell.env_remove("DATABASE_URL").env_remove("RULEDESK_CONFIG").output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{lines}\n{said}");
    said
}

fn incident(n: usize) -> serde_json::Value {
    json!({ "request_type": "incident", "subject": format!("VPN is down in room {n}"), "body": "Since this morning.",
        "fields": { "service": "vpn", "people-affected": 1 } })
}

#[test]
fn blocks_about_a_ticket_and_about_drafts_run() {
    let desk = House::demo(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let amara = desk.as_role("amara");
    amara.post("/api/v1/tickets", &incident(1)).expect(201);
    // What the block goes on from.
    let tour = "desk=http://127.0.0.1:8080/api/v1 json='Content-Type: application/json'\n\
                kofi='Authorization: Bearer demo-kofi' vpn=IT-1\n";
    let told =
        run(&desk, "kofi", folder.path(), &format!("{tour}{}", block("host/guide/production.md", "/explain -H")));
    assert!(told.contains("\"priority\":\"critical\""), "{told}");

    let draft = json!({ "request_type": "question", "subject": "Later", "body": "Please tell me.", "fields": { "topic": "other" } });
    let keep = || amara.put("/api/v1/drafts/0199c0de-0000-7000-8000-000000000001", &draft).expect(200);
    let drafts = block("host/guide/tickets.md", "tickets drafts");
    let (before, thrown) = drafts.split_once("ruledesk tickets drafts discard").unwrap();
    keep();
    let told = run(&desk, "amara", folder.path(), before);
    assert!(told.contains("Later") && told.contains("is IT-2 now"), "{told}");
    keep();
    run(&desk, "amara", folder.path(), &format!("ruledesk tickets drafts discard{thrown}"));
    assert_eq!(amara.get("/api/v1/drafts").expect(200), json!([]));
    desk.do_what_is_due();
}

#[test]
fn blocks_about_tables_and_outages_run() {
    let desk = House::demo(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let mei = desk.as_role("mei");
    let put = |text: &str| {
        let made = mei.put_text("/api/v1/tables/assets?why=before", text, "text/csv").expect(200);
        made["digest"].as_str().unwrap().to_owned()
    };
    let (first, march) = (put("asset,owner\nlaptop-1,amara\n"), "asset,owner\nlaptop-1,kofi\n");
    let second = put(march);
    put("asset,owner\nlaptop-1,lena\n");
    std::fs::write(folder.path().join("assets.csv"), march).unwrap();
    let tables = block("host/guide/rules.md", "ruledesk tables put");
    let tables = tables.replace("3f8a", &first).replace("91c0", &second);
    run(&desk, "mei", folder.path(), &tables);
    assert_eq!(mei.get("/api/v1/tables/assets").expect(200)["rows"][0]["owner"], "amara", "it went back");

    for n in 0..9 {
        desk.as_role("amara").post("/api/v1/tickets", &incident(n)).expect(201);
    }
    let told = run(&desk, "kofi", folder.path(), &block("host/guide/tickets.md", "tickets outages"));
    assert!(told.contains("No VPN in Berlin"), "{told}");
    desk.do_what_is_due();
}
