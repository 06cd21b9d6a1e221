//! The configuration: one to start from, whether one is right, and documents that are published by API.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use ruledesk::desk::organisation::difference::differences;
use ruledesk::desk::organisation::service::Devices;
use serde_json::{Value, json};

use super::incident;
use crate::store::fixture::organisation;
use crate::support::client::{Answer, Client};
use crate::support::components::{PROGRAM, example_rules};
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

const TEAMS: &str = "/api/v1/config/documents/teams";
const PRINTING: &str = "\n[[team]]\nid = \"printing\"\nname = \"Printing\"\ntier = 2\nmember = []\n";

fn ruledesk(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM).args(arguments).env_remove("DATABASE_URL").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn a_configuration_to_start_from_is_right_and_a_check_says_all_that_is_wrong_with_one() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("desk");
    let place = place.to_str().unwrap();
    let (done, said) = ruledesk(&["init", place]);
    assert!(done && said.contains(&format!("ruledesk serve --config {place}\n")), "it says what comes next: {said}");
    let (done, said) = ruledesk(&["init", place]);
    assert!(!done && said.contains("is there already"), "{said}");
    let (done, said) = ruledesk(&["check", "--config", place]);
    assert!(done && said.contains("2 people, 1 team, 2 categories, 1 request type, 0 apps"), "{said}");
    let data = dir.path().join("data");
    let mut desk = Command::new(PROGRAM)
        .args(["serve", "--config", place, "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"])
        .env_remove("DATABASE_URL")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(desk.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = said.take_while(|line| !line.contains("/openapi.json")).collect();
    desk.kill().unwrap();
    desk.wait().unwrap();
    assert!(said.iter().any(|line| line.contains("/ has the pages; `ruledesk token password")), "{said:?}");
    let teams = std::path::Path::new(place).join("teams.toml");
    let text = std::fs::read_to_string(&teams).unwrap();
    std::fs::write(&teams, text.replace("person = \"alex\"", "person = \"alec\", colour = \"red\"")).unwrap();
    let (done, said) = ruledesk(&["check", "--config", place]);
    assert!(!done && said.contains("alec") && said.contains("alex") && said.contains("colour"), "{said}");
}

/// People come as a personnel system exports them, also while a desk runs: a version like any other.
#[test]
fn people_are_published_from_a_csv_file() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("desk").to_str().unwrap().to_owned();
    assert!(ruledesk(&["init", &place]).0);
    let settings = std::path::Path::new(&place).join("desk.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}\n[configuration]\nby-api = [\"people\"]\n")).unwrap();
    let own = std::path::Path::new(&place).join("people.toml");
    let readers = "[[department-readers]]\ndepartment = \"Sales\"\npeople = [\"alex\"]\n";
    std::fs::write(&own, format!("{}\n{readers}", std::fs::read_to_string(&own).unwrap())).unwrap();
    let data = dir.path().join("data").to_str().unwrap().to_owned();
    let file = dir.path().join("people.csv");
    let config = |arguments: &[&str]| {
        let own = ["--config", &place, "--data", &data];
        ruledesk(&[["config"].as_slice(), arguments, &own].concat())
    };
    let rows = "id;name;email;department;title;manager;groups\nalex;Alex Example;alex@example.com;IT;Head of IT;;staff\n\
                sam;Sam Example;sam@example.com;Sales;;alex;staff\nkim;Kim Example;kim@example.com;Sales;;sam;staff\n";
    std::fs::write(&file, rows).unwrap();
    let file = file.to_str().unwrap();
    let (done, said) = config(&["publish", "people", file, "--why", "the export of today"]);
    assert!(done && said.contains("published as revision 1") && said.contains("added    person kim"), "{said}");
    let (done, said) = config(&["export", "people"]);
    assert!(done && said.contains("id = \"kim\""), "{said}");
    assert!(said.contains(readers), "no CSV file says them, and they stay: {said}");
    let other = dir.path().join("people.toml");
    std::fs::write(&other, said.replace("people = [\"alex\"]", "people = [\"alex\", \"kim\"]")).unwrap();
    let (done, said) = config(&["diff", "people", other.to_str().unwrap()]);
    assert!(done && said.contains("department readers Sales"), "{said}");
    std::fs::write(file, rows.replace("alex;staff", "nobody-we-know;staff")).unwrap();
    let (done, said) = config(&["check", "people", file]);
    assert!(!done && said.contains("nobody-we-know"), "{said}");
}

/// The keys that the code of a file asks for by their names.
fn keys_of(code: &str) -> Vec<String> {
    let calls = ["optional(", "required(", "list(", "table(", "entries(", "(keys, ", "(keys,"];
    calls.into_iter().flat_map(|call| keys_after(code, call)).collect()
}

/// Those that stand behind one of the calls.
fn keys_after(code: &str, call: &str) -> Vec<String> {
    let key = |at: usize| {
        let rest = code[at + call.len()..].trim_start();
        let key = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(key, _)| key)?;
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        is_key.then(|| key.to_owned())
    };
    code.match_indices(call).filter_map(|(at, _)| key(at)).collect()
}

#[test]
fn the_reference_explains_every_key_that_the_code_reads() {
    let (done, reference) = ruledesk(&["config", "reference"]);
    assert!(done && !reference.contains(".rs`"), "operators have no files of ours to look into: {reference}");
    // Each second piece between backticks is code.
    let explained: Vec<&str> = reference.split('`').skip(1).step_by(2).collect();
    let words = |code: &str| {
        code.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').map(str::to_owned).collect::<Vec<_>>()
    };
    let explained: std::collections::BTreeSet<String> = explained.into_iter().flat_map(words).collect();
    let mut count = 0;
    for file in crate::tidy::sources(&crate::support::components::root().join("host/src/config")) {
        if file.to_string_lossy().contains("tests") {
            continue;
        }
        for key in keys_of(&std::fs::read_to_string(&file).unwrap()) {
            assert!(explained.contains(&key), "`{key}` of {} is not explained", file.display());
            count += 1;
        }
    }
    assert!(count > 150, "only {count} keys were found");
}

/// The explanations in the comments of a file: each begins with keys between backticks, and goes on over the lines below.
fn explanations(code: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in code.lines().map(str::trim_start) {
        let comment = line.strip_prefix("//!").or_else(|| line.strip_prefix("///")).map_or("", str::trim);
        if comment.starts_with("- `") || (comment.starts_with('`') && !goes_on) {
            found.push(comment.to_owned());
            goes_on = true;
        } else if comment.is_empty() {
            goes_on = false;
        } else if let Some(last) = found.last_mut().filter(|_| goes_on) {
            last.extend([" ", comment]);
        }
    }
    found
}

/// The words by which an explanation says what holds where its key is left out.
const LEFT_OUT: [&str; 7] = ["default", "absent", "without", "none", "needed", "empty", "at least one"];

/// A key that may be left out says what holds then. Tables are left out of this: one that is not there does nothing.
#[test]
fn the_reference_says_of_each_key_that_may_be_left_out_what_holds_without_it() {
    let read = |file: std::path::PathBuf| (file.display().to_string(), std::fs::read_to_string(&file).unwrap());
    let files = crate::tidy::sources(&crate::support::components::root().join("host/src/config"));
    let files: Vec<(String, String)> =
        files.into_iter().map(read).filter(|(file, _)| !file.contains("tests")).collect();
    let all: Vec<String> = files.iter().flat_map(|(_, code)| explanations(code)).collect();
    let whole: String = files.iter().map(|(_, code)| code.as_str()).collect();
    let mut count = 0;
    for (file, code) in &files {
        let own = explanations(code);
        for key in ["optional(", "list("].into_iter().flat_map(|call| keys_after(code, call)) {
            let is_table = [format!(".{key}]"), format!("`[{key}]"), format!("[[{key}]]")];
            if is_table.iter().any(|table| whole.contains(table)) {
                continue;
            }
            let names = |text: &&String| text.contains(&format!("`{key}`"));
            let here: Vec<&String> = own.iter().filter(names).collect();
            let explained = if here.is_empty() { all.iter().filter(names).collect() } else { here };
            let says = |text: &&String| LEFT_OUT.iter().any(|word| text.to_lowercase().contains(word));
            assert!(explained.iter().any(says), "`{key}` of {file} does not say what holds without it: {explained:?}");
            count += 1;
        }
    }
    assert!(count > 100, "only {count} keys were found");
}

fn publish(client: &Client, revision: i64, content: &str, why: &str) -> Answer {
    let client = client.with("if-match", &format!("\"{revision}\""));
    client.put(TEAMS, &json!({ "content": content, "why": why }))
}

fn has_printing(client: &Client) -> bool {
    let teams = client.get("/api/v1/config/teams").expect(200);
    teams.as_array().unwrap().iter().any(|team| team["id"] == "printing")
}

fn move_to(client: &Client, team: &str) {
    let body = json!({ "team": team, "reason": "they know" });
    client.with("if-match", "*").patch("/api/v1/tickets/IT-1", &body).expect(200);
}

/// Publishes a document over the one that is live; the changes that it makes.
fn replace(mei: &Client, document: &str, from: &str, to: &str) -> Value {
    let documents = mei.get("/api/v1/config/documents").expect(200);
    let live = documents.as_array().unwrap().iter().find(|one| one["document"] == document).unwrap().clone();
    let before = live["content"].as_str().unwrap();
    assert!(before.contains(from), "{document}: {before}");
    let body = json!({ "content": before.replacen(from, to, 1), "why": "it is time" });
    let path = format!("/api/v1/config/documents/{document}");
    let look = mei.post(&format!("{path}/check"), &json!({ "content": body["content"] })).expect(200);
    let done = mei.with("if-match", &format!("\"{}\"", live["revision"])).put(&path, &body);
    match done.status {
        200 => assert_eq!(look["changes"], done.json()["changes"], "a look says before what will be"),
        _ => assert_eq!(look["problems"], done.expect(422)["problems"], "and why it will not be"),
    }
    look
}

/// The parts of the configuration that stand in `desk.toml` are published one by one, and open tickets follow them.
fn parts_of_the_desk(desk: &House) {
    let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
    let ticket = || kofi.get("/api/v1/tickets/IT-1").expect(200);
    let due = || ticket()["resolution"]["due_at"].clone();
    let follow = || _ = desk.do_what_is_due();

    let level =
        "[[priority]]\nid = \"now\"\nname = \"Now\"\nfirst-response = \"5m\"\nresolution = \"1h\"\n\n[[priority]]";
    let added = replace(&mei, "priorities", "[[priority]]", level);
    let moved = |way: &str| json!({ "kind": "priority", "id": "now", "change": way, "open_tickets": 0, "rules": [] });
    assert!(added["changes"].as_array().unwrap().contains(&moved("added")), "{added}");
    let edit = json!({ "priority": "now", "reason": "the board waits" });
    kofi.with("if-match", "*").patch("/api/v1/tickets/IT-1", &edit).expect(200);
    let gone = replace(&mei, "priorities", "id = \"now\"", "id = \"soon\"");
    let said = gone["problems"][0]["message"].as_str().unwrap();
    assert!(said.starts_with("1 open tickets have the priority `now`"), "{gone}");
    let before = due();
    let looser = replace(&mei, "priorities", "resolution = \"1h\"", "resolution = \"3h\"")["changes"][0].clone();
    assert_eq!((&looser["open_tickets"], &looser["promises_move"]), (&json!(1), &json!(true)), "{looser}");
    until("the ticket follows its priority", || {
        follow();
        (due() != before).then_some(())
    });
    let (before, zone) = (due(), "time-zone = \"Europe/Berlin\"");
    let other = replace(&mei, "calendars", zone, "time-zone = \"Asia/Tokyo\"")["changes"][0].clone();
    assert_eq!((&other["kind"], &other["id"], &other["open_tickets"]), (&json!("calendar"), &json!("desk"), &json!(1)));
    until("the ticket follows the calendar", || {
        follow();
        (due() != before).then_some(())
    });
    let told = kofi.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
    assert!(told.matches("\"retargeted\"").count() >= 2, "{told}");

    let other = replace(&mei, "promises", "confirm-within = \"20h\"", "confirm-within = \"10h\"");
    let all = other["changes"].as_array().unwrap();
    assert!(all.iter().any(|one| one["kind"] == "promises") && all.iter().any(|one| one["kind"] == "request type"));
    replace(&mei, "macros", "Hand over to Network", "To the network team");
    assert!(kofi.get("/api/v1/macros").expect(200).to_string().contains("To the network team"));
    replace(&mei, "canned-replies", "Known outage", "Outage");
    let replies = kofi.get("/api/v1/tickets/IT-1/canned-replies").expect(200).to_string();
    assert!(replies.contains("\"Outage\"") && !replies.contains("Known outage"), "{replies}");
    templates(&mei);
}

/// The words of messages are published like the rest, and what is no template is refused.
fn templates(mei: &Client) {
    let one = |text: &str| {
        format!("[[template]]\nlanguage = \"en\"\nname = \"closed.txt\"\ntext = \"\"\"\nSubject: {text}\"\"\"\n")
    };
    let path = "/api/v1/config/documents/templates";
    let check = |content: String| mei.post(&format!("{path}/check"), &json!({ "content": content })).expect(200);
    let wrong = check(one("{{ ticket.kye }}"));
    let said = wrong["problems"][0]["message"].as_str().unwrap();
    assert!(said.contains("en/closed.txt, line 1"), "{wrong}");
    let body = json!({ "content": one("{{ ticket.key }} is over"), "why": "shorter" });
    let done = mei.with("if-match", "*").put(path, &body).expect(200);
    let change =
        json!({ "kind": "template", "id": "en/closed.txt", "change": "added", "open_tickets": 0, "rules": [] });
    assert_eq!(done["changes"], json!([change]), "{done}");
}

/// A tag may go while tickets have it, and they keep it: how many those are is said before.
#[test]
fn a_tag_that_goes_is_named_with_the_open_tickets_that_have_it() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            format!("{text}\n[configuration]\nby-api = [\"taxonomy\"]\n")
        });
        let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
        desk.as_role("amara").post("/api/v1/tickets", &incident("The VPN is down")).expect(201);
        let edit = json!({ "tags": ["customer-facing"], "reason": "a customer waits" });
        kofi.with("if-match", "*").patch("/api/v1/tickets/IT-1", &edit).expect(200);
        let gone = replace(&mei, "taxonomy", "\"customer-facing\", ", "");
        let named = |look: &Value| {
            let all = look["changes"].as_array().unwrap().iter();
            let one = |tag: &Value| json!([tag["kind"], tag["id"], tag["change"], tag["open_tickets"]]);
            all.map(one).collect::<Vec<Value>>()
        };
        assert_eq!(named(&gone), [json!(["tag", "customer-facing", "removed", 1])], "{gone}");
        assert_eq!(gone["problems"], json!([]), "{gone}");
        let kept = kofi.get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(kept["tags"], json!(["customer-facing"]), "{kept}");
        let added = replace(&mei, "taxonomy", "tags = [\"printer\", ", "tags = [\"printer\", \"fax\", ");
        assert_eq!(named(&added), [json!(["tag", "fax", "added", 0])], "{added}");
    });
}

/// A draft need not be right, is shared, is not overwritten unseen, and is gone when it is published.
fn drafts(mei: &Client, kofi: &Client) {
    let path = format!("{TEAMS}/draft");
    assert_eq!((mei.get(&path).status, kofi.get(&path).status), (404, 403));
    let keep = |content: &str| json!({ "content": content });
    assert_eq!(mei.put(&path, &keep("half")).status, 428);
    let first = mei.with("if-none-match", "*").put(&path, &keep("[[team]"));
    assert_eq!((first.etag.as_deref(), first.expect(200)["author"].clone()), (Some("\"1\""), json!("mei")));
    assert_eq!(mei.with("if-none-match", "*").put(&path, &keep("another")).status, 412, "another is there");
    let live = mei.get("/api/v1/config/documents").expect(200);
    let teams = live.as_array().unwrap().iter().find(|one| one["document"] == "teams").unwrap().clone();
    let whole = format!("{}{PRINTING}", teams["content"].as_str().unwrap());
    assert_eq!(mei.with("if-match", "\"1\"").put(&path, &keep(&whole)).expect(200)["version"], 2);
    assert_eq!(mei.with("if-match", "\"1\"").put(&path, &keep("late")).status, 412);
    assert!(!has_printing(kofi), "nothing of it is live");
    let draft = mei.get(&path).expect(200);
    publish(mei, teams["revision"].as_i64().unwrap(), draft["content"].as_str().unwrap(), "as drafted").expect(200);
    assert!(has_printing(kofi) && mei.get(&path).status == 404, "what is published is no draft any more");
    mei.with("if-none-match", "*").put(&path, &keep("for another day")).expect(200);
    assert_eq!(mei.with("if-match", "\"1\"").delete(&path).status, 204);
    let people = "/api/v1/config/documents/people/draft";
    assert_eq!(mei.with("if-none-match", "*").put(people, &keep("x")).status, 409, "it is the directory's");
}

/// Documents after a restart, and published at a shell.
fn from_another_process(desk: &House, seed: &str) {
    let kofi = desk.as_role("kofi");
    assert!(has_printing(&kofi), "it is there after a restart");
    let file = desk.data_dir().join("teams.toml");
    std::fs::write(&file, seed).unwrap();
    let output = desk.command(&["config", "publish", "teams", file.to_str().unwrap(), "--why", "by hand"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("revision 4"), "{said} {output:?}");
    until("the desk follows what another process published", || (!has_printing(&kofi)).then_some(()));
    parts_of_the_desk(desk);
    drafts(&desk.as_role("mei"), &kofi);
    let output = desk.command(&["config", "versions", "teams"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("by hand"), "{output:?}");
}

#[test]
fn a_document_is_published_with_a_reason_goes_back_and_leaves_no_ticket_behind() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            format!(
                "{text}\n[configuration]\nby-api = [\"teams\", \"calendars\", \"priorities\", \"promises\", \"macros\", \"canned-replies\", \"templates\"]\n"
            )
        });
        let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
        let documents = mei.get("/api/v1/config/documents").expect(200);
        let of = |code: &str| documents.as_array().unwrap().iter().find(|one| one["document"] == code).unwrap().clone();
        assert_eq!((&of("teams")["by_api"], &of("teams")["revision"]), (&json!(true), &json!(0)));
        assert_eq!(of("people")["by_api"], false);
        let seed = of("teams")["content"].as_str().unwrap().to_owned();
        let more = format!("{seed}{PRINTING}");

        let people = json!({ "content": "", "why": "x" });
        let refused = mei.with("if-match", "*").put("/api/v1/config/documents/people", &people).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("people.toml"), "{refused}");
        assert_eq!(publish(&kofi, 0, &more, "printers").status, 403);
        let look = mei.post(&format!("{TEAMS}/check"), &json!({ "content": more })).expect(200);
        let added = json!({ "kind": "team", "id": "printing", "change": "added", "open_tickets": 0, "rules": [] });
        assert_eq!((&look["changes"], &look["problems"]), (&json!([added]), &json!([])));
        assert!(!has_printing(&kofi), "it was only looked at");
        let bad = format!("{more}tier = [\n");
        assert_eq!(publish(&mei, 0, &bad, "printers").expect(422)["problems"][0]["code"], "invalid");
        assert_eq!(publish(&mei, 0, &more, " ").status, 422, "it needs a reason");
        assert_eq!(mei.put(TEAMS, &json!({ "content": more, "why": "x" })).status, 428);

        assert_eq!(publish(&mei, 0, &more, "printers are theirs").expect(200)["revision"], 1);
        assert!(has_printing(&kofi), "at once, without a restart");
        assert_eq!(publish(&mei, 0, &seed, "late").status, 412);
        let ticket = json!({ "request_type": "incident", "subject": "VPN is down", "body": "Since 9 in Berlin.",
            "fields": { "service": "vpn" } });
        desk.as_role("amara").post("/api/v1/tickets", &ticket).expect(201);
        move_to(&kofi, "printing");
        let problem = publish(&mei, 1, &seed, "they are gone").expect(422)["problems"][0].clone();
        let said = problem["message"].as_str().unwrap();
        assert!(
            problem["code"] == "in-use" && said.starts_with("1 open tickets have the team `printing`"),
            "{problem}"
        );
        let agreed = more.replace("name = \"Printing\"", "resolution = \"8h\"\nname = \"Printing\"");
        let look = mei.post(&format!("{TEAMS}/check"), &json!({ "content": agreed })).expect(200)["changes"][0].clone();
        assert_eq!((&look["open_tickets"], &look["promises_move"]), (&json!(1), &json!(true)), "{look}");
        move_to(&kofi, "service-desk");
        let gone = publish(&mei, 1, &seed, "they are gone").expect(200);
        assert_eq!((&gone["revision"], &gone["changes"][0]["change"]), (&json!(2), &json!("removed")));
        assert!(!has_printing(&kofi));

        let back = json!({ "revision": 1, "why": "they are back" });
        let back = mei.with("if-match", "\"2\"").post(&format!("{TEAMS}/rollback"), &back).expect(200);
        assert_eq!(back["revision"], 3);
        let versions = mei.get(&format!("{TEAMS}/versions")).expect(200);
        let of = |n: usize| (versions[n]["revision"].clone(), versions[n]["why"].clone(), versions[n]["again"].clone());
        assert_eq!(of(0), (json!(3), json!("they are back"), json!(1)));
        assert_eq!(of(2), (json!(1), json!("printers are theirs"), Value::Null));
        assert_eq!(mei.get(&format!("{TEAMS}/versions/2")).expect_text(200), seed);

        from_another_process(&desk.cut_off_and_restart(), &seed);
    });
}

#[test]
fn what_a_desk_has_one_of_is_among_the_differences() {
    let before = organisation();
    let mut after = before.clone();
    after.routing.after_team = !before.routing.after_team;
    after.devices = Some(Devices { table: "laptops".to_owned(), owner: "owner".to_owned(), show: Vec::new() });
    let found = differences(&before, &after);
    let found: Vec<_> = found.iter().map(|one| (one.noun.code(), one.id.as_str(), one.way.code())).collect();
    assert_eq!(found, [("routing", "desk", "changed"), ("devices", "desk", "changed")]);
    assert_eq!(differences(&after, &after), []);
}
