//! All that the desk keeps of a person is given out, and erased without a break in what the desk can prove.

use std::path::Path;

use jiff::SignedDuration;
use ruledesk::desk::id::PersonId;
use ruledesk::desk::organisation::Organisation;
use ruledesk::store::Target;
use ruledesk::store::db::Db;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::store::fixture::organisation;
use crate::support::client::{Client, resolved};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, copy_demo, in_runtime, on_both, on_both_at_once};
use crate::support::wait::until;

/// The demo in a directory of its own, so that a person can leave.
fn desk(database: Database) -> (House, TempDir) {
    let dir = TempDir::new().unwrap();
    copy_demo(dir.path());
    (House::with_config(database, example_rules(), dir.path()), dir)
}

fn incident(client: &Client, subject: &str) -> String {
    let body = json!({ "request_type": "incident", "subject": subject, "body": "My cat Mitzi sat on it, says Amara Okafor.",
        "fields": { "service": "vpn", "people-affected": 4 } });
    client.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
}

fn act(client: &Client, key: &str, what: &str, body: &Value) {
    let client = if what == "transitions" { client.with("if-match", "*") } else { client.clone() };
    let answer = client.post(&format!("/api/v1/tickets/{key}/{what}"), body);
    assert!(answer.status < 300, "{}", answer.text);
}

/// Lets a person leave.
fn leave(desk: &House, config: &TempDir, person: &str) {
    leave_by(desk, &config.path().join("people.toml"), person);
}

fn leave_by(desk: &House, file: &Path, person: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let line = format!("id = \"{person}\"\n");
    assert!(text.contains(&line));
    std::fs::write(file, text.replace(&line, &format!("{line}active = false\n"))).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
}

#[test]
fn a_person_who_has_left_is_erased_and_the_chains_stay_whole() {
    on_both(|database| {
        let (desk, dir) = desk(database);
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        let (own, other) = (incident(&amara, "Mitzi sat on it"), incident(&desk.as_role("lena"), "hers"));
        act(&amara, &own, "comments", &json!({ "body": "Mitzi again." }));
        act(&kofi, &own, "comments", &json!({ "body": "Which cat?" }));
        kofi.put(&format!("/api/v1/tickets/{other}/watchers/amara"), &json!({})).expect(200);
        act(&amara, &other, "comments", &json!({ "body": "I have it too." }));
        amara.put("/api/v1/preferences", &json!({ "delivery": "digest" })).expect(200);
        let path = |what: &str| format!("/api/v1/people/amara/{what}");
        assert_eq!(kofi.get(&path("export")).status, 403);
        let export = mei.get(&path("export")).expect(200);
        let rows = |name: &str| {
            let found = export.as_array().unwrap().iter().find(|section| section["name"] == name).unwrap();
            found["rows"].as_array().unwrap().len()
        };
        assert_eq!([rows("tickets"), rows("followed"), rows("preferences"), rows("grants")], [1, 1, 1, 0], "{export}");
        assert!(rows("entries") >= 3 && export.to_string().contains("Mitzi again."), "{export}");

        let erase = || mei.post(&path("erasure"), &json!({ "reason": "she asked for it" }));
        let refused = erase().expect(422).to_string();
        assert!(refused.contains("is here") && refused.contains("unfinished"), "{refused}");
        act(&kofi, &own, "transitions", &resolved());
        desk.advance(SignedDuration::from_hours(24 * 8));
        leave(&desk, &dir, "amara");
        let erased = erase().expect(200);
        let name = erased["pseudonym"].as_str().unwrap().to_owned();
        assert!(name.starts_with("erased-") && erased["tickets"] == 2, "{erased}");
        desk.do_what_is_due();
        let whole = |key: &str| {
            let paths = ["", "/timeline", "/watchers", "/messages"].map(|end| format!("/api/v1/tickets/{key}{end}"));
            paths.map(|path| kofi.get(&path).expect(200).to_string()).join("\n")
        };
        for text in [whole(&own), whole(&other)] {
            assert!(!text.contains("amara") && text.contains(&name), "{text}");
        }
        assert!(!whole(&own).contains("Mitzi"), "{}", whole(&own));
        assert!(whole(&own).contains("Which cat?") && whole(&other).contains("I have it too."), "others' words stay");
        let empty = mei.get(&path("export")).expect(200);
        let left = empty.as_array().unwrap().iter().filter(|section| section["rows"] != json!([])).count();
        assert_eq!(left, 0, "{empty}");
        assert_eq!(erase().expect(200)["pseudonym"], name.as_str(), "again, it is the same");

        let check = desk.command(&["decisions", "chain"]);
        let said = String::from_utf8_lossy(&check.stdout).into_owned() + &String::from_utf8_lossy(&check.stderr);
        assert_eq!(check.status.code(), Some(0), "{said}");
    });
}

/// One that only names another, whose id begins alike, stays as it is: it is not counted, and who edits it meets no other version.
#[test]
fn an_erasure_changes_no_ticket_that_has_nothing_of_the_person() {
    on_both(|database| {
        let (desk, dir) = desk(database);
        let (lena, kofi, mei) = (desk.as_role("lena"), desk.as_role("kofi"), desk.as_role("mei"));
        let key = incident(&lena, "hers");
        let said = "Ask @amara2, or mail@amara.example.";
        act(&kofi, &key, "comments", &json!({ "body": said }));
        let path = format!("/api/v1/tickets/{key}");
        desk.do_what_is_due();
        let before = kofi.get(&path).expect(200)["version"].clone();
        leave(&desk, &dir, "amara");
        let erased = mei.post("/api/v1/people/amara/erasure", &json!({ "reason": "she asked for it" })).expect(200);
        assert_eq!(erased["tickets"], 0, "{erased}");
        assert_eq!(kofi.get(&path).expect(200)["version"], before);
        assert!(kofi.get(&format!("{path}/timeline")).expect(200).to_string().contains(said));
    });
}

/// All that the identity provider said, the password, and files go as well.
#[test]
fn an_erased_person_has_no_password_no_place_in_the_directory_and_no_files_left() {
    on_both_at_once(|database| {
        let (desk, dir) = desk(database);
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        let people = dir.path().join("people.toml");
        let text = std::fs::read_to_string(&people).unwrap();
        let provider =
            "\n[[person]]\nid = \"provider\"\nname = \"Identity provider\"\nemail = \"idp@meridian.example\"\n";
        std::fs::write(&people, text + provider).unwrap();
        assert_eq!(mei.post("/api/v1/config/reload", &json!({})).status, 204);
        let provider = desk.with_roles("provider", "directory");
        let says = |method: &str, path: &str, body: Value| {
            let client = provider.with("content-type", "application/scim+json");
            client.send(method, &format!("/scim/v2/{path}"), Some(body.to_string().as_bytes()))
        };
        let user = |active: bool| {
            json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "amara@meridian.example",
                "displayName": "Amara Okafor", "active": active })
        };
        let id = says("POST", "Users", user(true)).expect(201)["id"].as_str().unwrap().to_owned();
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Cat owners",
            "members": [{ "value": id, "display": "Amara Okafor" }] });
        let group = says("POST", "Groups", group).expect(201)["id"].as_str().unwrap().to_owned();
        let mut program = desk.program(&["token", "password", "amara", "--roles", "requester"]);
        let mut child = program.stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"four words in a row\n").unwrap();
        assert!(child.wait().unwrap().success());

        let (own, other) = (incident(&amara, "Mitzi sat on it"), incident(&desk.as_role("lena"), "hers"));
        kofi.put(&format!("/api/v1/tickets/{other}/watchers/amara"), &json!({})).expect(200);
        let file = |key: &str, bytes: &[u8]| {
            let path = format!("/api/v1/tickets/{key}/attachments?name=mitzi.txt");
            amara.send_file(&path, "text/plain", bytes).expect(201)["id"].as_str().unwrap().to_owned()
        };
        let (of_own, of_other) = (file(&own, b"Mitzi"), file(&other, b"a log"));
        act(&kofi, &own, "transitions", &resolved());
        desk.advance(SignedDuration::from_hours(24 * 8));
        says("PUT", &format!("Users/{id}"), user(false)).expect(200);
        let erase = || mei.post("/api/v1/people/amara/erasure", &json!({ "reason": "she asked for it" }));
        let refused = erase().expect(422).to_string();
        assert!(refused.contains("by the configuration"), "what the provider said goes with her: {refused}");
        leave(&desk, &dir, "amara");
        erase().expect(200);

        let export = mei.get("/api/v1/people/amara/export").expect(200);
        let left = export.as_array().unwrap().iter().filter(|section| section["rows"] != json!([])).count();
        assert_eq!(left, 0, "{export}");
        until("the directory to be read again", || {
            (says("GET", &format!("Users/{id}"), json!({})).status == 404).then_some(())
        });
        let group = says("GET", &format!("Groups/{group}"), json!({})).expect(200).to_string();
        assert!(!group.contains("Amara") && !group.contains(&id), "{group}");
        let content = |id: &str| kofi.get(&format!("/api/v1/attachments/{id}/content")).status;
        assert_eq!((content(&of_own), content(&of_other)), (404, 200), "what was sent for another's ticket is theirs");
        let others = kofi.get(&format!("/api/v1/tickets/{other}/attachments")).expect(200).to_string();
        assert!(!others.contains("mitzi") && !others.contains("amara"), "{others}");
        desk.advance(SignedDuration::from_hours(25));
        assert_eq!(desk.sweep_files(), 1, "the content is gone from the store of files");
    });
}

/// The demo with an endpoint that takes nothing, and a form that asks for a person.
fn desk_with_a_webhook(database: Database) -> House {
    let desk = House::with_settings(database, example_rules(), |text| {
        let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let (process, thread) = (std::process::id(), std::thread::current().id());
        let file = std::env::temp_dir().join(format!("ruledesk-secrets-{process}-{thread:?}-{database:?}"));
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        format!(
            "{text}\n[outgoing]\ninternal-hosts = [\"127.0.0.1\"]\n\n[[webhook]]\nid = \"cmdb\"\n\
             url = \"http://127.0.0.1:9/hook\"\nsecret-file = \"{}\"\ninternal = true\n",
            file.display()
        )
    });
    let types = desk.settings().with_file_name("request-types.toml");
    let text = std::fs::read_to_string(&types).unwrap();
    let visit = "\n[[request-type]]\nid = \"visit\"\nname = \"A visit\"\nkind = \"request\"\n\
                 field = [{ name = \"guest\", label = \"Who\", kind = \"person\" }, \
                 { name = \"floor\", label = \"Where\", kind = \"text\" }]\n";
    std::fs::write(&types, text + visit).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    desk
}

/// The columns of the database that name a person, but for those that are kept as proof.
fn naming(desk: &House, person: &str) -> Vec<String> {
    const PROOF: [&str; 6] = ["audit", "ledger", "tokens", "runs", "decisions", "record_dictionaries"];
    const SQLITE: &str =
        "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table'";
    const POSTGRES: &str = "select table_name::text, column_name::text from information_schema.columns \
                            where table_schema = 'public'";
    in_runtime(async {
        let (db, columns) = match desk.target() {
            Target::Sqlite(file) => (Db::open_sqlite(&file).await.unwrap(), SQLITE),
            Target::Postgres(url) => (Db::open_postgres(&url).await.unwrap(), POSTGRES),
        };
        let mut found = Vec::new();
        for row in db.all(columns, Vec::new()).await.unwrap() {
            let (table, column) = (row.text(0).unwrap(), row.text(1).unwrap());
            // The indexes of words hold no texts, and what they hold is looked for by a search.
            if PROOF.contains(&table.as_str()) || table.contains("_text") {
                continue;
            }
            let sql = format!("select count(*) from {table} where cast(\"{column}\" as text) like '%{person}%'");
            let count = db.all(&sql, Vec::new()).await.unwrap()[0].int(0).unwrap();
            found.extend((count > 0).then(|| format!("{table}.{column}")));
        }
        db.close().await;
        found
    })
}

/// Lists that others keep, submissions that they have begun, fields and words of their tickets, files, and what is still to be
/// delivered to webhooks.
#[test]
fn an_erased_person_is_named_by_nothing_of_others() {
    on_both_at_once(|database| {
        let desk = desk_with_a_webhook(database);
        let [amara, kofi, mei] = ["amara", "kofi", "mei"].map(|person| desk.as_role(person));
        let akira = desk.with_roles("akira", "agent");
        desk.do_what_is_due();
        let with = incident(&amara, "VPN is down");
        let path = format!("/api/v1/tickets/{with}");
        let edit = json!({ "assignee": "akira", "reason": "knows it" });
        kofi.with("if-match", "*").patch(&path, &edit).expect(200);
        act(&kofi, &with, "comments", &json!({ "body": "Ask @akira. Or @akira-" }));
        let bytes = b"a log";
        akira.send_file(&format!("{path}/attachments?name=akira.txt"), "text/plain", bytes).expect(201);
        akira.post(&format!("{path}/time"), &json!({ "minutes": 5, "note": "akira looked" })).expect(200);
        let upload = akira.send_file("/api/v1/attachments?name=akira.txt", "text/plain", bytes).expect(201);
        let rang = json!({ "request_type": "incident", "subject": "hers", "body": "She rang.", "requester": "lena",
            "fields": { "service": "vpn", "people-affected": 1 }, "uploads": [upload["id"]] });
        let rang = akira.post("/api/v1/tickets", &rang).expect(201)["key"].as_str().unwrap().to_owned();
        let visit = json!({ "request_type": "visit", "subject": "A visit", "body": "Tomorrow.", "fields": { "guest": "akira" } });
        let visit = amara.post("/api/v1/tickets", &visit).expect(201)["key"].as_str().unwrap().to_owned();
        let [list, draft] = ["views", "drafts"].map(|what| format!("/api/v1/{what}/{}", uuid::Uuid::from_u128(1)));
        kofi.put(&list, &json!({ "name": "His", "filter": { "assignee": "akira" } })).expect(200);
        let begun = json!({ "request_type": "visit", "subject": "Later", "body": "x", "requester": "akira",
            "fields": { "guest": "akira" } });
        kofi.put(&draft, &begun).expect(200);
        desk.do_what_is_due();
        let elsewhere = || {
            let tickets = [&with, &rang, &visit];
            let paths = tickets.iter().flat_map(|key| {
                ["", "/timeline", "/attachments", "/time"].map(|end| format!("/api/v1/tickets/{key}{end}"))
            });
            let of_kofi = paths.chain([list.clone(), draft.clone()]).map(|path| (kofi.get(&path).expect(200), path));
            let log = "/api/v1/webhooks/cmdb/deliveries";
            let all = of_kofi.chain([(mei.get(log).expect(200), log.to_owned())]);
            all.map(|(found, path)| (path, found.to_string())).collect::<Vec<_>>()
        };
        let there = elsewhere().into_iter().filter(|(_, text)| text.contains("akira")).map(|(path, _)| path);
        let there: Vec<String> = there.collect();
        assert!(there.len() >= 10 && there.iter().any(|path| path.contains("webhooks")), "{there:?}");
        let is_found = |expected: bool| {
            until("the index of words", || {
                let text = kofi.get("/api/v1/search?q=akira").expect(200).to_string();
                (text.contains(&format!("\"{with}\"")) == expected).then_some(())
            });
        };
        is_found(true);
        for key in [&with, &rang] {
            act(&kofi, key, "transitions", &resolved());
        }
        desk.advance(SignedDuration::from_hours(24 * 8));
        leave_by(&desk, &desk.settings().with_file_name("people.toml"), "akira");
        desk.do_what_is_due();
        let erased = mei.post("/api/v1/people/akira/erasure", &json!({ "reason": "he asked for it" })).expect(200);
        let name = erased["pseudonym"].as_str().unwrap();
        for (path, text) in elsewhere() {
            assert!(!text.contains("akira"), "{path}: {text}");
        }
        let timeline = kofi.get(&format!("{path}/timeline")).expect(200).to_string();
        assert!(timeline.contains(&format!("Ask @{name}. Or @{name}-")), "{timeline}");
        assert_eq!(kofi.get(&list).expect(200)["filter"]["assignee"], name);
        assert_eq!(kofi.get(&format!("/api/v1/tickets/{visit}")).expect(200)["fields"]["guest"], name);
        desk.do_what_is_due();
        is_found(false);
        let check = desk.command(&["decisions", "chain"]);
        assert_eq!(check.status.code(), Some(0), "{check:?}");
        assert_eq!(naming(&desk, "akira"), [""; 0]);
    });
}

/// A room, a device or a word may be called as the person is: the form says which fields hold people.
#[test]
fn an_erasure_leaves_texts_alone_that_only_read_as_the_person_s_id() {
    on_both(|database| {
        let desk = desk_with_a_webhook(database);
        let [amara, kofi, mei] = ["amara", "kofi", "mei"].map(|person| desk.as_role(person));
        let visit = |subject: &str, fields: Value| {
            let body = json!({ "request_type": "visit", "subject": subject, "body": "Tomorrow.", "fields": fields });
            amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
        };
        let text = visit("of a room", json!({ "floor": "akira" }));
        let both = visit("of both", json!({ "guest": "akira", "floor": "akira" }));
        let draft = format!("/api/v1/drafts/{}", uuid::Uuid::from_u128(2));
        let begun = json!({ "request_type": "visit", "subject": "Later", "body": "x",
            "fields": { "guest": "akira", "floor": "akira" } });
        kofi.put(&draft, &begun).expect(200);
        desk.do_what_is_due();
        let ticket = |key: &str| kofi.get(&format!("/api/v1/tickets/{key}")).expect(200)["fields"].clone();
        leave_by(&desk, &desk.settings().with_file_name("people.toml"), "akira");
        desk.do_what_is_due();
        let erased = mei.post("/api/v1/people/akira/erasure", &json!({ "reason": "he asked for it" })).expect(200);
        let name = erased["pseudonym"].as_str().unwrap();
        assert_eq!(erased["tickets"], 1, "{erased}");
        assert_eq!(ticket(&text), json!({ "floor": "akira" }));
        assert_eq!(ticket(&both), json!({ "guest": name, "floor": "akira" }));
        let kept = kofi.get(&draft).expect(200)["submission"]["fields"].clone();
        assert_eq!(kept, json!({ "guest": name, "floor": "akira" }));
    });
}

/// The people of the demo as a personnel system exports them.
fn as_csv(document: &str) -> String {
    const COLUMNS: [&str; 9] = ["id", "name", "email", "department", "title", "location", "manager", "groups", "vip"];
    let document: toml::Table = document.parse().unwrap();
    let mut rows = COLUMNS.join(";") + "\n";
    for person in document["person"].as_array().unwrap() {
        let cell = |column: &str| match person.get(column) {
            Some(toml::Value::String(text)) => text.clone(),
            Some(toml::Value::Array(groups)) => {
                groups.iter().map(|group| group.as_str().unwrap()).collect::<Vec<_>>().join(" ")
            }
            Some(other) => other.to_string(),
            None => String::new(),
        };
        rows += &(COLUMNS.map(cell).join(";") + "\n");
    }
    rows
}

/// The same people by each way in which an organisation tells the desk of them: it says of each by which.
#[test]
fn a_person_says_whether_a_file_the_api_a_csv_file_or_the_provider_told_of_them() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            format!("{text}\n[configuration]\nby-api = [\"people\"]\n")
        });
        let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
        let source =
            |person: &str| kofi.get(&format!("/api/v1/people/{person}/offboarding")).expect(200)["source"].clone();
        assert_eq!((source("amara"), source("nobody-we-know")), (json!("configuration"), Value::Null));

        let documents = mei.get("/api/v1/config/documents").expect(200);
        let live = documents.as_array().unwrap().iter().find(|one| one["document"] == "people").unwrap().clone();
        let text = live["content"].as_str().unwrap();
        let body = json!({ "content": format!("# looked through\n{text}"), "why": "by API from now on" });
        let done = mei.with("if-match", "*").put("/api/v1/config/documents/people", &body).expect(200);
        assert_eq!(done["changes"], json!([]), "the way in which people come changes none of them");
        assert_eq!(source("amara"), "api");

        let file = desk.data_dir().join("people.csv");
        std::fs::write(&file, as_csv(text)).unwrap();
        let output =
            desk.command(&["config", "publish", "people", file.to_str().unwrap(), "--why", "the export of today"]);
        assert!(output.status.success(), "{output:?}");
        until("the desk follows the file", || (source("amara") == "csv").then_some(()));

        let provider = desk.with_roles("mei", "directory").with("content-type", "application/scim+json");
        let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "amara@meridian.example",
            "active": true, "displayName": "Amara Okafor" });
        assert_eq!(provider.send("POST", "/scim/v2/Users", Some(user.to_string().as_bytes())).status, 201);
        assert_eq!((source("amara"), source("lena")), (json!("directory"), json!("csv")));
        let desk = desk.cut_off_and_restart();
        let read = desk.as_role("kofi").get("/api/v1/people/lena/offboarding").expect(200);
        assert_eq!(read["source"], "csv", "also after a start");
    });
}

#[test]
fn an_address_names_the_one_who_is_here_or_nobody() {
    let mut known = organisation();
    let gives = |known: &mut Organisation, id: &str| {
        known.people.get_mut(id).unwrap().email = "Team@example.org".to_owned();
    };
    let named = |known: &Organisation| {
        let at_once = known.by_address().get("team@example.org").map(|person| person.id.to_string());
        let person = known.person_named("team@example.org").map(|person| person.id.to_string());
        assert_eq!(person, at_once, "one by one or all at once");
        person
    };
    let [amara, dan]: [PersonId; 2] = ["amara", "dan"].map(|id| id.parse().unwrap());
    assert_eq!(named(&known), None);
    assert!(known.person_named("").is_none(), "no address is none of those who have none");
    gives(&mut known, "amara");
    assert_eq!(named(&known).as_deref(), Some("amara"));
    gives(&mut known, "dan");
    assert_eq!(named(&known), None, "of several it names none");
    assert_eq!(known.at_the_same_address(&amara), [&dan]);
    known.people.get_mut("dan").unwrap().active = false;
    assert_eq!(named(&known).as_deref(), Some("amara"), "the other has left");
    assert_eq!(known.at_the_same_address(&amara), Vec::<&PersonId>::new());
    let other = known.people.get_mut("dan").unwrap();
    (other.active, other.same_as) = (true, Some(amara.clone()));
    assert_eq!(named(&known).as_deref(), Some("amara"), "one human, by the account by which they count");
    assert_eq!(known.at_the_same_address(&amara), Vec::<&PersonId>::new());
}

#[test]
fn two_people_with_one_address_are_refused_unless_one_has_left() {
    let (desk, dir) = desk(Database::Sqlite);
    let mei = desk.as_role("mei");
    let people = dir.path().join("people.toml");
    let text = std::fs::read_to_string(&people).unwrap();
    let reload = |more: &str| {
        let other = "\n[[person]]\nid = \"amara-2\"\nname = \"Amara\"\nemail = \"AMARA@meridian.example\"\n";
        std::fs::write(&people, format!("{text}{other}{more}")).unwrap();
        mei.post("/api/v1/config/reload", &json!({}))
    };
    let refused = reload("");
    assert!(
        (400..500).contains(&refused.status) && refused.text.contains("is the address of `amara`, too"),
        "{}",
        refused.text
    );
    assert_eq!(reload("active = false\n").status, 204);
    assert_eq!(reload("same-as = \"amara\"\n").status, 204);
}

/// One who was taken for the first of several would get what that one holds.
#[test]
fn a_user_of_the_directory_is_a_person_by_an_address_that_is_no_others() {
    on_both(|database| {
        let (desk, dir) = desk(database);
        let people = dir.path().join("people.toml");
        let text = std::fs::read_to_string(&people).unwrap();
        let more = "\n[[person]]\nid = \"provider\"\nname = \"Identity provider\"\nemail = \"idp@meridian.example\"\n";
        std::fs::write(&people, text + more).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let provider = desk.with_roles("provider", "directory").with("content-type", "application/scim+json");
        let user = |name: &str| {
            let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": true,
                "emails": [{ "value": "Amara@meridian.example" }] });
            provider.send("POST", "/scim/v2/Users", Some(user.to_string().as_bytes())).expect(201);
        };
        user("a.okafor");
        user("amara.other");
        let asks_for = |person: &str| {
            let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.",
                "fields": { "topic": "other" }, "requester": person });
            desk.as_role("kofi").post("/api/v1/tickets", &body).status
        };
        assert_eq!(asks_for("a.okafor"), 422, "the first is who has the address already");
        assert_eq!(asks_for("amara.other"), 201, "the second is somebody else");
    });
}
