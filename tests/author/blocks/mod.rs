//! The blocks of every README and guide that a shell runs: each is taken out of its file by a test and run as it is written. What a
//! test puts in their place are addresses, ids, days and folders, which are its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::readme::{blocks, readmes};
use crate::support::components::{PROGRAM, compiled, root};
use crate::support::house::House;
use crate::support::place::{Database, Place};

mod access;
mod history;
mod make;
mod operating;

/// Each block by its file and some of its text, and the test that runs it.
const BLOCKS: [(&str, &str, &str); 27] = [
    ("README.md", "make run ", "the_two_commands_of_the_makefile_run"),
    ("README.md", "# Amara submits;", "the_tour_runs_as_it_is_written"),
    ("README.md", "rule new late-shift --lang go", "the_blocks_about_rules_in_go_run"),
    ("host/guide/production.md", "/explain -H", "blocks_about_a_ticket_and_about_drafts_run"),
    ("host/guide/production.md", "ruledesk rules backtest", "the_block_about_recorded_decisions_runs"),
    ("host/guide/production.md", "ruledesk rules promote", "the_block_about_the_life_of_a_rule_runs"),
    ("host/guide/messages.md", "ruledesk mail deliver", "the_block_about_mail_that_comes_in_runs"),
    ("host/guide/history.md", "endava_tickets_47k", "the_block_about_data_of_others_runs_on_files_of_their_form"),
    ("host/guide/rules.md", "ruledesk tables put", "blocks_about_tables_and_outages_run"),
    ("host/guide/access.md", "# An hour later", "the_story_of_access_runs_as_it_is_written"),
    ("host/guide/access.md", "access delegations add", "the_block_about_who_decides_in_ones_place_runs"),
    ("host/guide/access.md", "webhook-signature", "the_block_of_an_app_that_answers_later_runs"),
    ("host/guide/access.md", "ruledesk connector test", "the_block_about_a_connector_of_ones_own_runs"),
    ("host/guide/access.md", "decisions evidence", "the_block_of_an_audit_runs"),
    ("host/guide/installing.md", "vacuum into", "the_blocks_about_a_backup_and_its_restore_run"),
    ("host/guide/installing.md", "systemctl stop", "the_blocks_about_a_backup_and_its_restore_run"),
    ("host/guide/operating.md", "decisions archive --before", "the_block_about_the_archive_runs"),
    ("host/guide/operating.md", "ruledesk jobs dead", "the_block_about_dead_jobs_runs"),
    ("host/guide/tickets.md", "tickets drafts", "blocks_about_a_ticket_and_about_drafts_run"),
    ("host/guide/tickets.md", "tickets outages", "blocks_about_tables_and_outages_run"),
    ("sdk/go/README.md", "--lang go", "the_blocks_about_rules_in_go_run"),
    ("sdk/python/README.md", "--lang python", "the_block_about_a_rule_in_python_runs"),
    ("sdk/c/README.md", "apt-get install", "the_packages_of_the_sdk_in_c_are_those_that_it_needs"),
    ("sdk/c/README.md", "--lang c ", "the_blocks_about_a_rule_in_c_run"),
    ("sdk/c/README.md", "--out target/rules", "the_blocks_about_a_rule_in_c_run"),
    ("sdk/c/README.md", "sha256sum", "the_bindings_in_c_are_those_of_the_contract"),
    ("sdk/js/README.md", "--lang typescript", "the_block_about_a_rule_in_typescript_runs"),
];

#[test]
fn every_block_of_every_readme_is_taken_and_run_by_a_test() {
    let sources = crate::tidy::sources(&root().join("tests"));
    let tests: Vec<String> = sources.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let body_of = |test: &str| {
        let head = format!("fn {test}(");
        let found = tests.iter().find_map(|text| text.split_once(&head)).unwrap_or_else(|| panic!("no test `{test}`"));
        found.1.split("\n}\n").next().unwrap().to_owned()
    };
    let mut files = Vec::new();
    readmes(&root(), &mut files);
    let mut count = 0;
    for file in files {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        for block in blocks(&fs::read_to_string(&file).unwrap()) {
            let of_block = |(of, text, _): &&(&str, &str, &str)| *of == name && block.contains(text);
            let found: Vec<_> = BLOCKS.iter().filter(of_block).collect();
            let [(_, text, test)] = found.as_slice() else { panic!("{name}: named {} times: {block}", found.len()) };
            let taken = format!("block(\"{name}\", \"{text}\")");
            assert!(body_of(test).contains(&taken), "`{test}` takes it by `{taken}`");
            count += 1;
        }
    }
    assert_eq!(count, BLOCKS.len(), "each that is named is there");
}

/// The block of a file that has this text.
pub fn block(file: &str, text: &str) -> String {
    let whole = fs::read_to_string(root().join(file)).unwrap();
    blocks(&whole).into_iter().find(|block| block.contains(text)).unwrap()
}

/// A shell as a reader of a guide has it: in a folder of its own, with the program under its name.
pub struct Shell {
    folder: TempDir,
    /// The address that stands for the one of the guides.
    url: String,
    variables: Vec<(String, String)>,
}

impl Shell {
    /// One that knows of no desk.
    pub fn new() -> Shell {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(PROGRAM, folder.path().join("bin/ruledesk")).unwrap();
        let shell = Shell { folder, url: String::new(), variables: Vec::new() };
        shell.with("RULEDESK_CACHE", compiled().display().to_string())
    }

    /// One at a desk, in a person's name. The variables are those that the guides set at their beginning.
    pub fn at(desk: &Place, person: &str) -> Shell {
        let mut shell = Shell::new().with("RULEDESK_URL", &desk.url).with("RULEDESK_TOKEN", format!("demo-{person}"));
        shell.url.clone_from(&desk.url);
        shell.with_the_variables_of_guides(desk)
    }

    /// One next to a desk, which its commands find by a file in the folder.
    pub fn beside(desk: &Place) -> Shell {
        let mut shell = Shell::new();
        let (settings, data) = (desk.settings(), desk.data_dir());
        let config = settings.parent().unwrap();
        let file = format!("config = {config:?}\nrules = {:?}\ndata = {data:?}\n", desk.rules);
        fs::write(shell.folder().join("ruledesk.toml"), file).unwrap();
        shell.url.clone_from(&desk.url);
        shell.with_the_variables_of_guides(desk)
    }

    fn with_the_variables_of_guides(self, desk: &Place) -> Shell {
        let shell = self.with("desk", format!("{}/api/v1", desk.url)).with("json", "Content-Type: application/json");
        shell.with("kofi", "Authorization: Bearer demo-kofi")
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Shell {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a program before those of the system.
    pub fn put_program(&self, name: &str, script: &str) {
        let file = self.folder().join("bin").join(name);
        let _ = fs::remove_file(&file);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs lines to the first that fails.
    pub fn command(&self, lines: &str) -> Command {
        let lines = lines.replace("http://127.0.0.1:8080", &self.url);
        let lines = lines.replace("curl -s ", "curl -sS --fail-with-body ");
        let path = format!("{}:{}", self.folder().join("bin").display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-e", "-c", &lines]).current_dir(self.folder()).env("PATH", path).stdin(Stdio::null());
        for name in ["DATABASE_URL", "RULEDESK_CONFIG", "RULEDESK_URL", "RULEDESK_TOKEN", "CI"] {
            shell.env_remove(name);
        }
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        shell
    }

    /// All that lines say, each of which has to work.
    pub fn run(&self, lines: &str) -> String {
        let output = self.command(lines).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{lines}\n{said}");
        said
    }

    /// The content of a file in the folder.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

fn incident(n: usize) -> serde_json::Value {
    json!({ "request_type": "incident", "subject": format!("VPN is down in room {n}"), "body": "Since this morning.",
        "fields": { "service": "vpn", "people-affected": 1 } })
}

#[test]
fn blocks_about_a_ticket_and_about_drafts_run() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    amara.post("/api/v1/tickets", &incident(1)).expect(201);
    let explained = block("host/guide/production.md", "/explain -H");
    let said = Shell::at(&desk, "kofi").with("vpn", "IT-1").run(&explained);
    assert!(said.contains("\"priority\":\"critical\""), "{said}");

    let draft = json!({ "request_type": "question", "subject": "Later", "body": "Please tell me.", "fields": { "topic": "other" } });
    let keep = || amara.put("/api/v1/drafts/0199c0de-0000-7000-8000-000000000001", &draft).expect(200);
    let drafts = block("host/guide/tickets.md", "tickets drafts");
    let shell = Shell::at(&desk, "amara");
    // What was sent is no draft any more that could be thrown away.
    let (before, thrown) = drafts.split_once("ruledesk tickets drafts discard").unwrap();
    keep();
    let said = shell.run(before);
    assert!(said.contains("Later") && said.contains("is IT-2 now"), "{said}");
    keep();
    shell.run(&format!("ruledesk tickets drafts discard{thrown}"));
    assert_eq!(amara.get("/api/v1/drafts").expect(200), json!([]));
    desk.do_what_is_due();
}

#[test]
fn blocks_about_tables_and_outages_run() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei");
    let put = |text: &str| {
        let made = mei.put_text("/api/v1/tables/assets?why=before", text, "text/csv").expect(200);
        made["digest"].as_str().unwrap().to_owned()
    };
    let (first, march) = (put("asset,owner\nlaptop-1,amara\n"), "asset,owner\nlaptop-1,kofi\n");
    let second = put(march);
    put("asset,owner\nlaptop-1,lena\n");
    let shell = Shell::at(&desk, "mei");
    fs::write(shell.folder().join("assets.csv"), march).unwrap();
    let tables = block("host/guide/rules.md", "ruledesk tables put");
    shell.run(&tables.replace("3f8a", &first).replace("91c0", &second));
    assert_eq!(mei.get("/api/v1/tables/assets").expect(200)["rows"][0]["owner"], "amara", "it went back");

    for n in 0..9 {
        desk.as_role("amara").post("/api/v1/tickets", &incident(n)).expect(201);
    }
    let said = Shell::at(&desk, "kofi").run(&block("host/guide/tickets.md", "tickets outages"));
    assert!(said.contains("No VPN in Berlin"), "{said}");
    desk.do_what_is_due();
}
