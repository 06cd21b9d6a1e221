//! The commands and links of every README are there as they are written, and the tour of the first one runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::blocks::block;
use crate::support::components::{PROGRAM, example_rules, root};
use crate::support::desk::{Database, Desk};
use crate::support::scim::ScimApp;

/// Every README of ours, and every guide.
pub(super) fn readmes(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_str()) {
            readmes(&path, found);
        } else if name == "README.md" || folder.ends_with("guide") {
            found.push(path);
        }
    }
}

/// The blocks of a README that a shell runs.
pub(super) fn blocks(text: &str) -> Vec<String> {
    text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// The words of a README without its blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The commands that the words of a README name, and those in blocks that no shell runs. A word in capitals stands for any.
fn named(text: &str) -> Vec<Vec<String>> {
    let blocks = text.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let prose = prose(text);
    let spans = prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " "));
    let all = blocks.map(str::to_owned).chain(spans).flat_map(|text| commands(&text));
    let any = |word: String| {
        let stands_for_any = word.chars().all(|c| c.is_ascii_uppercase());
        if stands_for_any { word.to_lowercase() } else { word }
    };
    all.map(|command| command.into_iter().map(any).collect()).collect()
}

/// The anchor of a heading, as a page of the repository has it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// The commands of the program in a block: a line each, without comments and what shells do with them.
fn commands(block: &str) -> Vec<Vec<String>> {
    let lines = block.replace("\\\n", " ");
    let lines = lines.lines().map(str::trim).filter(|line| line.starts_with("ruledesk "));
    lines
        .map(|line| {
            words(line)
                .into_iter()
                .skip(1)
                .take_while(|word| !["|", ">", "&&", ";", "<"].contains(&word.as_str()))
                .collect()
        })
        .collect()
}

/// The words of a line, as a shell divides them.
fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if word.is_empty() => break,
            (None, c) if c.is_whitespace() => {
                all.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()))
            }
            (_, c) => word.push(c),
        }
    }
    all.extend(Some(word).filter(|word| !word.is_empty()));
    all
}

#[test]
fn every_command_of_every_readme_is_there_with_its_options() {
    let mut files = Vec::new();
    readmes(&root(), &mut files);
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for command in blocks(&text).iter().flat_map(|block| commands(block)).chain(named(&text)) {
            // What stands before it is read, and nothing is done. A shell puts an id in the place of this name.
            let command: Vec<String> = command
                .into_iter()
                .map(|word| word.replace("$given", "0199c0de-0000-7000-8000-000000000001"))
                .collect();
            let output = Command::new(PROGRAM).args(&command).arg("--help").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: ruledesk {}: {said}", file.display(), command.join(" "));
            count += 1;
        }
    }
    assert!(count > 120, "{count} commands");
}

#[test]
fn every_link_of_every_readme_leads_to_a_file_and_a_heading() {
    let read = |file: &Path| std::fs::read_to_string(file).unwrap();
    let mut files = Vec::new();
    readmes(&root(), &mut files);
    let mut count = 0;
    for file in files {
        let text = prose(&read(&file));
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http")) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link}", file.display());
            if !heading.is_empty() {
                let there = prose(&read(&target));
                let mut headings = there.lines().filter(|line| line.starts_with('#'));
                assert!(headings.any(|line| anchor(line) == heading), "{}: {link}", file.display());
            }
            count += 1;
        }
    }
    assert!(count > 100, "{count} links");
}

/// How a path begins that a guide names without a verb.
const BEGINNINGS: [&str; 7] = ["/api/", "/admin", "/access/", "/approvals", "/queue", "/account", "/mine"];

/// The path of the interface or of a page that a span of a guide names, if it does.
fn path_of(span: &str) -> Option<&str> {
    let path = match span.split_once(' ') {
        Some(("GET" | "POST" | "PUT" | "PATCH" | "DELETE", path)) => path,
        _ => BEGINNINGS.iter().any(|beginning| span.starts_with(beginning)).then_some(span)?,
    };
    path.split([' ', '?']).next().filter(|path| path.starts_with('/'))
}

/// Whether a route is the one of a path, in which any word stands for what a route has in braces.
fn leads(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(&path).all(|(own, other)| own == other || own.starts_with('{'))
}

#[test]
fn every_path_that_a_guide_names_is_served() {
    let rooms = ["api", "web"].map(|room| crate::tidy::sources(&root().join("host/src").join(room)));
    let texts: Vec<String> = rooms.iter().flatten().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let routes = texts.iter().flat_map(|text| text.split("\"/").skip(1)).filter_map(|rest| rest.split('"').next());
    let routes: Vec<String> = routes.map(|route| format!("/{route}")).collect();
    let mut files = Vec::new();
    readmes(&root(), &mut files);
    let mut count = 0;
    for file in files {
        let text = prose(&std::fs::read_to_string(&file).unwrap());
        for span in text.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")) {
            let Some(path) = path_of(&span) else { continue };
            let whole = format!("/api/v1{path}");
            let is_served = routes.iter().any(|route| leads(route, path) || leads(route, &whole));
            assert!(is_served, "{}: {span}", file.display());
            count += 1;
        }
    }
    assert!(count > 80, "{count} paths");
}

/// The keys in a line of a block of configuration, also one that is left out by a comment.
fn keys(line: &str) -> Vec<&str> {
    let pieces = line.split("  ").map(|piece| piece.trim_matches(['#', ' ']));
    let keys = pieces.filter_map(|piece| piece.split_once(" = ")).map(|(key, _)| key);
    keys.filter(|key| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '-')).collect()
}

#[test]
fn every_key_in_the_blocks_of_the_guides_is_read() {
    let sources = crate::tidy::sources(&root().join("host/src/config"));
    let code: String = sources.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut files = Vec::new();
    readmes(&root().join("host/guide"), &mut files);
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        for key in blocks.flat_map(str::lines).flat_map(keys) {
            let is_read = code.contains(&format!("\"{key}\"")) || code.contains(&format!("`{key}`"));
            assert!(is_read, "{}: no code reads `{key}`", file.display());
            count += 1;
        }
    }
    assert!(count > 60, "{count} keys");
}

/// The features that the README lists name the tests that show them, and those are there.
#[test]
fn every_feature_names_a_test_that_is_there_or_says_that_it_is_missing() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let table = text.split("\n## Features\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let tests: String = ["tests", "host/src"]
        .iter()
        .flat_map(|folder| crate::tidy::sources(&root().join(folder)))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 25, "{rows:?}");
    for row in rows {
        let named: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty() || row.contains("not yet"), "{row}");
        for name in named {
            assert!(tests.contains(&format!("fn {name}(")), "there is no test `{name}`: {row}");
        }
    }
}

/// As it is written, but for the address and the place of the desk, which are the test's own.
#[test]
fn the_tour_runs_as_it_is_written() {
    let desk = Desk::with_rules(Database::Sqlite, example_rules());
    let tour = block("README.md", "# Amara submits;");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("target")).unwrap();
    std::os::unix::fs::symlink(&desk.rules, folder.path().join("target/rules")).unwrap();
    let tour =
        tour.replace("http://127.0.0.1:8080", &desk.url).replace("curl -s ", "curl -sS --fail-with-body -w '\\n' ");
    let output = Command::new("bash").args(["-c", &tour]).current_dir(folder.path()).output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    assert_eq!(said.matches("\"/problems/").count(), 1, "the one that is meant to be refused: {said}");
    assert_eq!(wrong.matches("error").count(), 1, "{wrong}");
    for wanted in
        ["\"key\":\"IT-1\"", "\"key\":\"IT-2\"", "\"state\":\"approved\"", "\"effective\":true", "\"generation\":"]
    {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

/// The story of the guide on access: asked for, approved at once, provisioned in an app that speaks SCIM, expired, gone.
#[test]
fn the_story_of_access_runs_as_it_is_written() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = crate::faults::access::provisioning::desk(Database::Sqlite, &app);
    let story = block("host/guide/access.md", "# An hour later");
    let (before, after) = story.split_once("# An hour later").unwrap();
    let head: String = before.lines().take(2).map(|line| format!("{line}\n")).collect();
    let run = |part: &str| {
        let part =
            part.replace("http://127.0.0.1:8080", &desk.url).replace("curl -s ", "curl -sS --fail-with-body -w '\\n' ");
        let output = Command::new("bash").args(["-c", &part]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (ask, look) = before.split_once("# A moment later").unwrap();
    let asked = run(ask);
    assert!(asked.contains("\"durations\":") && asked.contains("\"state\":\"approved\""), "{asked}");
    desk.advance(jiff::SignedDuration::ZERO);
    let looked = run(&(head.clone() + "#" + look));
    assert!(looked.contains("\"state\":\"active\"") && looked.contains("\"effective\":true"), "{looked}");
    assert_eq!((app.members("user"), app.active("amara")), (vec!["amara".to_owned()], Some(true)));
    desk.advance(jiff::SignedDuration::from_hours(1));
    let gone = run(&(head + "#" + after));
    assert!(gone.contains("\"state\":\"ended\"") && gone.contains("\"end_reason\":\"expired\""), "{gone}");
    assert!(gone.contains("read back") && gone.contains("\"event\":\"granted\""), "the living record: {gone}");
    assert_eq!((app.members("user"), app.active("amara")), (vec![], Some(false)));
}

/// A reader that has enough ends a command without a word, and a command prints its answer and no log.
#[test]
fn commands_answer_and_end_quietly() {
    let desk = Desk::demo(Database::Sqlite);
    let body = serde_json::json!({ "request_type": "question", "subject": "x", "body": "Please tell me." });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let mut openapi = Command::new(PROGRAM);
    openapi.arg("openapi").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = openapi.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(141));
    for command in [
        &["explain", "IT-1"][..],
        &["rules", "list"],
        &["decisions", "verify"],
        &["rule", "case", "IT-1", "--stage", "routing", "--rule", "team-routing", "--keep-people"],
    ] {
        let output = desk.command(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{command:?}: {said}");
        assert!(!output.stdout.is_empty(), "{command:?}");
    }
    let list = String::from_utf8(desk.command(&["rules", "list"]).stdout).unwrap();
    let head: Vec<&str> = list.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["NAME", "VERSION", "STAGES", "MODE", "STATE", "CANDIDATE", "FROM"]);
    let row = list.lines().find(|line| line.starts_with("team-routing ")).unwrap();
    assert!(row.contains(" 1.0.0 (") && row.contains(" routing ") && row.contains(" active "), "{row}");
    let case = String::from_utf8(
        desk.command(&["rule", "case", "IT-1", "--stage", "routing", "--rule", "team-routing"]).stdout,
    )
    .unwrap();
    assert!(!case.to_lowercase().contains("amara") && case.contains("person-"), "{case}");

    // The same desk, found by a file above the working directory, and asked over HTTP.
    let place = tempfile::tempdir().unwrap();
    let settings = desk.settings();
    let file =
        format!("config = {:?}\nrules = {:?}\ndata = {:?}\n", settings.parent().unwrap(), desk.rules, desk.data_dir());
    std::fs::write(place.path().join("ruledesk.toml"), file).unwrap();
    let below = place.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let run = |arguments: &[&str], token: Option<&str>| {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(&below);
        for name in ["DATABASE_URL", "RULEDESK_CONFIG", "RULEDESK_URL", "RULEDESK_TOKEN"] {
            command.env_remove(name);
        }
        if let Some(token) = token {
            command.env("RULEDESK_URL", &desk.url).env("RULEDESK_TOKEN", token);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), String::from_utf8(output.stdout).unwrap() + &said)
    };
    let (done, told) = run(&["explain", "IT-1"], None);
    assert!(done && told.contains("IT-1: x"), "{told}");
    let (done, elsewhere) = run(&["explain", "IT-1"], Some("demo-kofi"));
    assert!(done && elsewhere.contains("IT-1: x") && elsewhere.contains("team = "), "{elsewhere}");
    assert!(run(&["rules", "list"], Some("demo-kofi")).1.contains("team-routing"));
    let (done, refused) = run(&["rules", "retire", "team-routing", "--why", "no"], Some("demo-kofi"));
    assert!(!done && refused.contains("may not administer"), "{refused}");
    std::fs::write(below.join("floors.csv"), "floor,team\n1,a\n").unwrap();
    assert!(run(&["tables", "put", "floors.csv", "--why", "test"], Some("demo-mei")).0);
    assert_eq!(run(&["tables", "get", "floors"], Some("demo-mei")).1, "floor,team\n1,a\n");
    assert!(!run(&["decisions", "chain"], Some("demo-mei")).0, "it is no command over HTTP");
}

/// The limits that the contract's page gives, by the constants that hold them.
const LIMITS: [(&str, &str, &str); 13] = [
    ("desk/organisation/form/mod.rs", "SUBJECT_CHARS_MAX: usize = 300", "300 and 100,000 characters"),
    ("desk/organisation/form/mod.rs", "BODY_CHARS_MAX: usize = 100_000", "300 and 100,000 characters"),
    ("config/request_types.rs", "CHARS_MAX: u64 = 2000", "2,000 characters"),
    ("config/request_types.rs", "LONG_CHARS_MAX: u64 = 20_000", "20,000 in several lines"),
    ("desk/ticket/intake/mod.rs", "TAGS_MAX: usize = 50", "50 that a client sends"),
    ("desk/ticket/intake/mod.rs", "CHANNEL_CHARS_MAX: usize = 64", "64 characters"),
    ("app/tickets/submit/mod.rs", "RECENT_MAX: i64 = 5", "5 tickets of 72 hours"),
    ("app/tickets/submit/mod.rs", "RECENT_HOURS: i64 = 72", "5 tickets of 72 hours"),
    ("app/tickets/submit/mod.rs", "HISTORY_DAYS: i64 = 365", "those of 365 days"),
    ("rules/limits.rs", "LOOKUP_BYTES_MAX: usize = 512 << 10", "524,288 bytes"),
    ("rules/limits.rs", "LOG_LINES_MAX: usize = 100", "100 lines of 4,096 bytes"),
    ("desk/verdict/check.rs", "LIST_MAX: usize = 100", "100 entries"),
    ("desk/verdict/access.rs", "DUE_HOURS_MAX: u32 = 366 * 24", "8,784 hours"),
];

#[test]
fn the_page_of_the_contract_gives_the_limits_that_hold() {
    let page = std::fs::read_to_string(root().join("sdk/wit/README.md")).unwrap();
    for (file, constant, words) in LIMITS {
        let code = std::fs::read_to_string(root().join("host/src").join(file)).unwrap();
        assert!(code.contains(&format!("const {constant};")), "{file}: {constant}");
        assert!(page.contains(words), "{words}");
    }
}
