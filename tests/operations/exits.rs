//! How commands end: 0, done; 1, not done; 2, arguments that are wrong; 3, done, and what was found should not be.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::support::components::{PROGRAM, root};
use crate::support::house::House;
use crate::support::place::Database;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn commands_end_as_the_readme_says() {
    let desk = House::demo(Database::Postgres);
    let ticket = json!({ "request_type": "question", "subject": "Where is it?", "body": "Nobody knows where it is.", "fields": {} });
    desk.as_role("amara").post("/api/v1/tickets", &ticket).expect(201);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, bad) = (file("good.csv", "text\nWhere is the printer?\n"), file("bad.csv", "text\nWhere is it?,more\n"));
    let (table, no_table) = (file("floors.csv", "floor,room\n1,a\n"), file("rooms.csv", "floor,room\n1\n"));
    let import = |file: &str| {
        ["import", file, "--map", "body=text", "--request-type", "question", "--requester", "amara"]
            .map(str::to_owned)
            .to_vec()
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let walk = [
        (words("rules list"), 0),
        (words("explain IT-1"), 0),
        (words("tables list"), 0),
        (words(&format!("tables put {table} --why new")), 0),
        (words("decisions verify"), 0),
        (words("decisions chain"), 0),
        (words("jobs dead"), 0),
        (import(&good), 0),
        (words("explain IT-999"), 1),
        (words(&format!("tables put {no_table} --why new")), 1),
        (words("tables get no-such-table"), 1),
        (words("rules promote no-such-rule --to active --why because"), 1),
        (import("/no/such/file.csv"), 1),
        (words("explain --no-such-flag"), 2),
        (words("no-such-command"), 2),
        (import(&bad), 3),
    ];
    for (arguments, code) in walk {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = desk.command(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    }
    desk.sql("update runs set hash = '2:00' where link = 1");
    let output = desk.command(&["decisions", "chain"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("the chains break in"), "{}", said(&output));
}

/// A reader that has enough ends a command quietly; a disk that is full has lost the answer.
#[test]
fn an_answer_that_cannot_be_written_is_not_done() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(PROGRAM).arg("openapi").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("the answer cannot be written"), "{}", said(&output));
}

#[test]
fn what_is_tried_is_read_as_editors_write_it() {
    let desk = House::demo(Database::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("submission.json");
    let path = file.to_str().unwrap();
    let body = json!({ "request_type": "question", "subject": "How do I print?", "body": "The printer has no toner.", "fields": {} });
    let wide = |text: String| -> Vec<u8> {
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    };
    let tried = || desk.command(&["rules", "dry-run", "--submission", path, "--as", "amara"]);
    for bytes in [format!("\u{feff}{body}").into_bytes(), wide(body.to_string())] {
        std::fs::write(&file, bytes).unwrap();
        let output = tried();
        assert!(output.status.success() && said(&output).contains("It would become a ticket"), "{}", said(&output));
    }
    std::fs::write(&file, "[]").unwrap();
    let output = tried();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("it is a JSON object") && !said(&output).contains("struct"), "{}", said(&output));
}

#[test]
fn addresses_and_folders_that_are_none_say_what_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    for (arguments, code, wanted) in [
        (vec!["serve", "--listen", "localhost:8080"], 2, "such as `127.0.0.1:8080`"),
        (vec!["rule", "check", folder], 1, "name the component in it"),
        (vec!["rules", "list", "--url", "localhost:8080", "--token", "t"], 1, "with its scheme"),
    ] {
        let output = ran(dir.path(), &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(wanted), "{arguments:?}: {}", said(&output));
    }
}

/// The arguments that a command asks for; one that is not here needs none.
const ASKED_FOR: [(&str, &str); 59] = [
    ("config versions", "teams"),
    ("config export", "teams"),
    ("config diff", "teams teams.toml"),
    ("config check", "teams teams.toml"),
    ("config publish", "teams teams.toml --why because"),
    ("config rollback", "teams 1 --why because"),
    ("import", "rows.csv --map body=text --request-type question --requester mei"),
    ("explain", "IT-1"),
    ("token", "mei --roles agent"),
    ("token password", "mei --roles agent"),
    ("token revoke", "1"),
    ("person export", "mei"),
    ("person unbind", "mei"),
    ("person erase", "mei --reason because"),
    ("access delegations add", "jonas --from 2026-01-01 --until 2026-01-02"),
    ("access delegations end", "0199c0de-0000-7000-8000-000000000001"),
    ("tables put", "rows.csv --why because"),
    ("tables get", "rows"),
    ("tables versions", "rows"),
    ("tables diff", "rows 1 2"),
    ("tables approve", "rows 1 --why because"),
    ("tables rollback", "rows 1 --why because"),
    ("tickets drafts show", "0199c0de-0000-7000-8000-000000000001"),
    ("tickets drafts send", "0199c0de-0000-7000-8000-000000000001"),
    ("tickets drafts discard", "0199c0de-0000-7000-8000-000000000001"),
    ("tickets day", "IT-1 first-day 2027-01-18 --why because"),
    ("tickets outages declare", "IT-1 --announce words"),
    ("tickets outages attached", "IT-1"),
    ("tickets outages attach", "IT-2 IT-1"),
    ("tickets outages detach", "IT-2 IT-1"),
    ("tickets outages answer", "IT-1 words"),
    ("tickets outages end", "IT-1"),
    ("reports", "volume --from 2026-01-01 --to 2026-01-31"),
    ("rule case", "IT-1 --stage priority"),
    ("rules dry-run", "--ticket IT-1"),
    ("rules deploy", "folder --why because"),
    ("rules promote", "a-rule --to shadow --why because"),
    ("rules demote", "a-rule --to shadow --why because"),
    ("rules approve", "a-rule --version 1 --why because"),
    ("rules rollback", "a-rule --why because"),
    ("rules suspend", "a-rule --why because"),
    ("rules resume", "a-rule --why because"),
    ("rules retire", "a-rule --why because"),
    ("rules events", "a-rule"),
    ("rules stats", "a-rule"),
    ("rules versions", "a-rule"),
    ("rules diff", "a-rule 1 2"),
    ("rules download", "a-rule 1 --out folder"),
    ("rules backtest", "folder"),
    ("decisions policy", "--at 2026-01-01 --person mei --app jira --tier user"),
    ("decisions role", "agent"),
    ("decisions evidence export", "--out file"),
    ("decisions archive", "--before 2026-01-01"),
    ("jobs retry", "--all access-deadline"),
    ("jobs schedules history", "a-schedule"),
    ("jobs schedules pause", "a-schedule --why because"),
    ("jobs schedules resume", "a-schedule --why because"),
    ("jobs schedules run-next", "a-schedule --why because"),
    ("messages preview", "digest"),
];

/// Commands that do something themselves and have others below them.
const BOTH: [&str; 1] = ["token"];

/// Commands that read a configuration and no database; and one that reads neither.
const NO_DATABASE: [&str; 4] = ["check", "messages preview", "jobs connectors", NOTHING];
const NOTHING: &str = "config reference";

/// Runs the program where no desk is near, with nothing to read.
fn ran(here: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    for variable in ["RULEDESK_CONFIG", "RULEDESK_URL", "RULEDESK_TOKEN", "DATABASE_URL"] {
        command.env_remove(variable);
    }
    command.args(arguments).current_dir(here).stdin(Stdio::null()).output().unwrap()
}

/// The commands below one, as its help lists them: each that does something, with its own help.
fn leaves(here: &Path, above: &[&str], found: &mut Vec<(String, String)>) {
    let help = ran(here, &[above, &["-h"]].concat());
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
    let listed: Vec<&str> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    for name in &listed {
        leaves(here, &[above, &[*name]].concat(), found);
    }
    let path = above.join(" ");
    if listed.is_empty() || BOTH.contains(&path.as_str()) {
        found.push((path, help));
    }
}

/// The arguments and options of a help of which it says nothing.
fn silent(help: &str) -> Vec<&str> {
    let lines: Vec<&str> = help.lines().collect();
    let begins = |line: &str| ["  <", "  [", "      --"].iter().any(|start| line.starts_with(start));
    let is_silent = |pair: &[&str]| {
        // Words stand after two spaces, or on the next line, further in.
        let next_has_words = pair[1].starts_with("          ");
        begins(pair[0]) && !pair[0].trim().contains("  ") && !next_has_words
    };
    lines.windows(2).filter(|pair| is_silent(pair)).map(|pair| pair[0].trim()).collect()
}

/// Every command in the tree of commands ends as the README says: with 2 where an option is unknown, with 1 where the desk, its
/// database or its address is not there.
#[test]
fn every_command_ends_as_the_readme_says_where_it_cannot_do_its_work() {
    let here = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    leaves(here.path(), &[], &mut found);
    assert!(found.len() > 55, "{}", found.len());
    found.iter().for_each(|(path, help)| assert_eq!(silent(help), Vec::<&str>::new(), "of `{path}`: say what it is"));
    let (demo, data) = (root().join("host/demo"), here.path().join("data"));
    let (demo, data) = (demo.to_str().unwrap(), data.to_str().unwrap());
    let no_desk = ["--config", "/no/such/desk"];
    let no_database = ["--config", demo, "--data", data, "--rules", data, "--database-url", "sqlite:/proc/no/such.db"];
    let no_address = ["--url", "http://127.0.0.1:1", "--token", "rdk_none"];
    let mut wrong = Vec::new();
    for (path, help) in &found {
        let command: Vec<&str> = path.split(' ').collect();
        let mut ends = |arguments: &[&str], code: i32| {
            let output = ran(here.path(), &[&command[..], arguments].concat());
            if output.status.code() != Some(code) {
                let said = said(&output);
                wrong.push(format!(
                    "{path} {}: {:?} instead of {code}: {said}",
                    arguments.join(" "),
                    output.status.code()
                ));
            }
        };
        ends(&["--no-such-option"], 2);
        if !help.contains("--database-url") {
            continue;
        }
        let asked = ASKED_FOR.iter().find(|(known, _)| known == path).map_or("", |(_, asked)| *asked);
        let asked: Vec<&str> = asked.split_whitespace().collect();
        let reads = i32::from(path != NOTHING);
        ends(&[&asked[..], &no_desk].concat(), reads);
        ends(&[&asked[..], &no_address].concat(), reads);
        // A desk that is started waits for its database, and other tests see to that.
        if path != "serve" && !NO_DATABASE.contains(&path.as_str()) {
            ends(&[&asked[..], &no_database].concat(), 1);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unknown: Vec<&str> = ASKED_FOR
        .iter()
        .map(|(known, _)| *known)
        .filter(|known| !found.iter().any(|(path, _)| path == known))
        .collect();
    assert!(unknown.is_empty(), "these commands are gone: {unknown:?}");
}
