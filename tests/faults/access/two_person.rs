//! Where the desk asks for two people, no one person makes access easier to get: not by retiring, replacing, rolling back or
//! resuming what decides, not by what settles the request before, and not by a table.

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::components::{example_rules, hostile, hostile_manifest};
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

fn desk(database: Database) -> House {
    let desk = House::with_settings(database, example_rules(), |text| {
        text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
    });
    let noor = noor(&desk);
    approve_all(&desk, &noor);
    desk
}

fn noor(desk: &House) -> Client {
    desk.with_roles("noor", "admin")
}

fn rules(client: &Client) -> Vec<Value> {
    client.get("/api/v1/rules").expect(200)["rules"].as_array().unwrap().clone()
}

fn rule(client: &Client, name: &str) -> Value {
    rules(client).into_iter().find(|rule| rule["name"] == name).unwrap_or_default()
}

fn approve(client: &Client, name: &str, version: &Value) -> Answer {
    client.post(&format!("/api/v1/rules/{name}/approve"), &json!({ "version": version, "why": "read line by line" }))
}

fn approve_all(desk: &House, client: &Client) {
    for rule in rules(client) {
        if rule["candidate"]["proposed_by"].is_string() {
            approve(client, rule["name"].as_str().unwrap(), &rule["candidate"]["id"]).expect(200);
        }
    }
    until("all to be in effect", || {
        let waits = |rule: &Value| rule["candidate"]["proposed_by"].is_string();
        (!rules(&desk.as_role("mei")).iter().any(waits)).then_some(())
    });
}

pub fn table_rule() -> Vec<u8> {
    std::fs::read(example_rules().join("60-decision-table/rule.wasm")).unwrap()
}

const FREEZE: &str = r#"name = "freeze"
version = "1.0.0"
stages = ["access"]
order = 10
[settings]
stage = "access"
otherwise = "pass"
[[settings.row]]
when.request.app = "jira"
then = "deny"
reason = "jira is frozen while it is audited"
"#;

pub fn deploy(client: &Client, manifest: &str, component: &[u8]) -> Answer {
    let parts: [(&str, &[u8]); 3] = [("manifest", manifest.as_bytes()), ("component", component), ("why", b"because")];
    client.send_parts("/api/v1/rules", &parts)
}

fn asks(desk: &House) -> Value {
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": {
        "app": "jira", "tier": "user", "duration-hours": 100, "justification": "I join the data project" } });
    let amara = desk.as_role("amara");
    let ticket = amara.post("/api/v1/tickets", &body).expect(201);
    if ticket["access"]["state"] == "awaiting" {
        let path = format!("/api/v1/tickets/{}/transitions", ticket["key"].as_str().unwrap());
        amara.with("if-match", "\"1\"").post(&path, &json!({ "to": "cancelled" })).expect(200);
    }
    ticket["access"]["state"].clone()
}

/// A desk on which two people have frozen access to Jira.
fn frozen(database: Database) -> (House, Client, Client) {
    let desk = desk(database);
    let (mei, noor) = (desk.as_role("mei"), noor(&desk));
    deploy(&mei, FREEZE, &table_rule()).expect(201);
    approve_all(&desk, &noor);
    assert_eq!(asks(&desk), "denied_by_policy");
    (desk, mei, noor)
}

#[test]
fn one_person_does_not_retire_replace_or_move_what_decides() {
    on_both(|database| {
        let (desk, mei, noor) = frozen(database);
        let why = json!({ "why": "x" });
        mei.post("/api/v1/rules/freeze/retire", &why).expect(200);
        assert_eq!(rule(&mei, "freeze")["retire_proposed_by"], "mei");
        assert_eq!(asks(&desk), "denied_by_policy", "it stands until a second person agrees");
        let version = rule(&mei, "freeze")["active"]["id"].clone();
        assert_eq!(approve(&mei, "freeze", &version).status, 409);
        let demote = json!({ "to": "loaded", "why": "I take it back" });
        mei.post("/api/v1/rules/freeze/demote", &demote).expect(200);
        assert!(rule(&mei, "freeze")["retire_proposed_by"].is_null());

        let off = FREEZE.replace("1.0.0", "1.0.1").replace("order = 10", "order = 10\nmode = \"off\"");
        let elsewhere = FREEZE.replace("1.0.0", "1.0.2").replace("stages = [\"access\"]", "stages = [\"intake\"]");
        let elsewhere = elsewhere.replace("stage = \"access\"", "stage = \"intake\"");
        let elsewhere = elsewhere
            .replace("otherwise = \"pass\"", "otherwise = \"accept\"")
            .replace("request.app = \"jira\"", "ticket.subject.contains = \"qqqq\"");
        let elsewhere = elsewhere
            .replace("then = \"deny\"", "then = \"accept\"")
            .replace("reason = \"jira is frozen while it is audited\"", "");
        let other_match = FREEZE
            .replace("1.0.0", "1.0.3")
            .replace("[settings]", "[match]\nrequest-types = [\"question\"]\n[settings]");
        for manifest in [off, elsewhere, other_match] {
            let deployed = deploy(&mei, &manifest, &table_rule());
            assert_eq!(deployed.status, 201, "{}", deployed.text);
            assert_eq!(rule(&mei, "freeze")["candidate"]["proposed_by"], "mei", "{manifest}");
            assert_eq!(asks(&desk), "denied_by_policy", "{manifest}");
        }
        mei.post("/api/v1/rules/freeze/retire", &why).expect(200);
        approve(&noor, "freeze", &version).expect(200);
        assert_eq!(asks(&desk), "approved", "two people have agreed");
    });
}

#[test]
fn one_person_does_not_roll_back_or_resume_and_may_only_make_it_stricter() {
    on_both(|database| {
        let (desk, mei, noor) = frozen(database);
        let open = FREEZE.replace("1.0.0", "1.1.0").replace("request.app = \"jira\"", "request.app = \"vpn\"");
        let shut = FREEZE.replace("1.0.0", "1.2.0");
        for manifest in [&open, &shut] {
            deploy(&mei, manifest, &table_rule()).expect(201);
            approve_all(&desk, &noor);
        }
        let why = json!({ "why": "x" });
        mei.post("/api/v1/rules/freeze/rollback", &why).expect(200);
        assert_eq!(rule(&mei, "freeze")["active"]["version"], "1.2.0");
        assert_eq!(asks(&desk), "denied_by_policy");
        mei.post("/api/v1/rules/freeze/suspend", &why).expect(200);
        assert_eq!(asks(&desk), "awaiting", "people decide");
        mei.post("/api/v1/rules/freeze/resume", &why).expect(200);
        assert_eq!(asks(&desk), "awaiting", "they do until a second person agrees");
        let proposed = rule(&mei, "freeze")["candidate"]["id"].clone();
        assert_eq!(approve(&mei, "freeze", &proposed).status, 409);
        approve(&noor, "freeze", &proposed).expect(200);
        assert_eq!(asks(&desk), "denied_by_policy");
        let events = mei.get("/api/v1/rules/freeze/events").expect(200);
        let words: Vec<&str> = events.as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
        assert_eq!(words[..4], ["approved", "resume-proposed", "suspended", "rollback-proposed"]);
    });
}

#[test]
fn what_settles_the_request_before_waits_for_a_second_person() {
    on_both(|database| {
        let desk = desk(database);
        let (mei, noor) = (desk.as_role("mei"), noor(&desk));
        let intake = hostile_manifest("sets-the-tier", "intake", "pass", "");
        deploy(&mei, &intake, hostile()).expect(201);
        assert_eq!(rule(&mei, "sets-the-tier")["candidate"]["proposed_by"], "mei");
        let incidents = hostile_manifest("incidents", "intake", "pass", "[match]\nrequest-types = [\"incident\"]");
        assert_eq!(deploy(&mei, &incidents, hostile()).expect(201)["state"], "active", "it sees no request for access");
        for stage in ["categorization", "priority", "routing"] {
            let feeds = hostile_manifest(&format!("feeds-{stage}"), stage, "pass", "");
            deploy(&mei, &feeds, hostile()).expect(201);
            assert_eq!(
                rule(&mei, &format!("feeds-{stage}"))["candidate"]["proposed_by"],
                "mei",
                "rules for access see it"
            );
        }

        let version = rule(&mei, "sets-the-tier")["candidate"]["id"].clone();
        approve(&noor, "sets-the-tier", &version).expect(200);
        until("it to count", || rule(&mei, "sets-the-tier")["active"].is_object().then_some(()));
        assert_eq!(asks(&desk), "approved");
        mei.post("/api/v1/rules/sets-the-tier/suspend", &json!({ "why": "x" })).expect(200);
        assert_eq!(asks(&desk), "awaiting", "who is to have what is not settled as two people agreed");
    });
}

#[test]
fn a_folder_that_is_gone_leaves_people_to_decide() {
    let desk = desk(Database::Sqlite);
    let mei = desk.as_role("mei");
    assert_eq!(asks(&desk), "approved");
    let (folder, aside) = (desk.rules.join("50-access-policy"), desk.rules.parent().unwrap().join("aside"));
    std::fs::rename(&folder, &aside).unwrap();
    until("people to decide", || (asks(&desk) == "awaiting").then_some(()));
    std::fs::rename(&aside, &folder).unwrap();
    until("the rule to be back", || (asks(&desk) == "approved").then_some(()));
    std::fs::rename(&folder, &aside).unwrap();
    until("people to decide", || (asks(&desk) == "awaiting").then_some(()));
    let version = rule(&mei, "access-policy")["suspended"].clone();
    approve(&mei, "access-policy", &version).expect(200);
    assert!(rule(&mei, "access-policy")["suspended"].is_null(), "the directory proposed it, one person agreed");
}

#[test]
fn a_table_that_decides_about_access_waits_for_a_second_person() {
    on_both(|database| {
        let desk = desk(database);
        let (mei, noor) = (desk.as_role("mei"), noor(&desk));
        let put = |rows: &str| mei.put_text("/api/v1/tables/assets?why=x", rows, "text/csv");
        let first = put("asset,owner\nerp,lena\n").expect(200);
        let looks_up = FREEZE.replace("order = 10", "order = 10\ntables = [\"assets\"]");
        let deployed = deploy(&mei, &looks_up, &table_rule());
        assert_eq!(deployed.status, 201, "{}", deployed.text);
        approve_all(&desk, &noor);

        let answer = put("asset,owner\nerp,mei\n");
        let proposed = answer.expect(202);
        assert_eq!((&proposed["proposed_by"], &proposed["name"]), (&json!("mei"), &json!("assets")));
        let live = || mei.get("/api/v1/tables/assets").expect(200)["digest"].clone();
        assert_eq!(live(), first["digest"]);
        let agree = json!({ "digest": proposed["digest"], "why": "compared with the register" });
        assert_eq!(mei.post("/api/v1/tables/assets/approve", &agree).status, 409);
        // What waits is put in place of the version that was meant, or not at all.
        let stale = mei.with("if-match", "\"0000\"");
        stale.put_text("/api/v1/tables/assets?why=x", "key,value\na,9\n", "text/csv").expect(412);
        noor.post("/api/v1/tables/assets/approve", &agree).expect(200);
        assert_eq!(live(), proposed["digest"]);
        let back = json!({ "digest": first["digest"], "why": "x" });
        assert_eq!(mei.post("/api/v1/tables/assets/rollback", &back).status, 202);
        assert_eq!(mei.delete("/api/v1/tables/assets?why=x").status, 409);
        assert_eq!(live(), proposed["digest"], "nothing has changed");
        let history = mei.get("/api/v1/tables/assets/versions").expect(200);
        let events: Vec<&str> =
            history["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["proposed", "live", "proposed", "live"]);
    });
}

/// Says in people.toml that one has the other's account as well.
fn one_human(desk: &House, account: &str, human: &str) {
    let path = desk.settings().with_file_name("people.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let id = format!("id = \"{account}\"\n");
    let linked = text.replacen(&id, &format!("{id}same-as = \"{human}\"\n"), 1);
    assert_ne!(linked, text);
    std::fs::write(&path, linked).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
}

#[test]
fn two_accounts_of_one_human_are_one_person() {
    on_both(|database| {
        let (desk, mei, noor) = frozen(database);
        let omar = desk.with_roles("omar", "admin");
        one_human(&desk, "noor", "mei");
        let put = |rows: &str| mei.put_text("/api/v1/tables/assets?why=x", rows, "text/csv");
        put("asset,owner\nerp,lena\n").expect(200);
        let looks_up = FREEZE.replace("1.0.0", "1.0.1").replace("order = 10", "order = 10\ntables = [\"assets\"]");
        deploy(&mei, &looks_up, &table_rule()).expect(201);
        let next = rule(&mei, "freeze")["candidate"]["id"].clone();
        let refused = approve(&noor, "freeze", &next).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("cannot approve it"), "{refused}");
        approve_all(&desk, &omar);
        let proposed = put("asset,owner\nerp,mei\n").expect(202);
        let agree = json!({ "digest": proposed["digest"], "why": "compared with the register" });
        assert_eq!(noor.post("/api/v1/tables/assets/approve", &agree).status, 409);
        omar.post("/api/v1/tables/assets/approve", &agree).expect(200);

        mei.post("/api/v1/rules/freeze/retire", &json!({ "why": "x" })).expect(200);
        assert_eq!(approve(&noor, "freeze", &next).status, 409);
        assert_eq!(asks(&desk), "denied_by_policy");
        approve(&omar, "freeze", &next).expect(200);
        assert_eq!(asks(&desk), "approved");
    });
}

fn publish(client: &Client, document: &str, content: &str) -> Answer {
    let body = json!({ "content": content, "why": "because" });
    client.with("if-match", "*").put(&format!("/api/v1/config/documents/{document}"), &body)
}

fn document(client: &Client, document: &str) -> String {
    let all = client.get("/api/v1/config/documents").expect(200);
    let found = all.as_array().unwrap().iter().find(|one| one["document"] == document).unwrap().clone();
    found["content"].as_str().unwrap().to_owned()
}

fn change(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from}");
    changed
}

#[test]
fn one_person_publishes_only_what_makes_access_harder_to_get() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            let text = text.replace("[server]\n", "[server]\ntwo-person-access = true\n");
            format!("{text}\n[configuration]\nby-api = [\"apps\", \"people\"]\n")
        });
        let (mei, noor) = (desk.as_role("mei"), noor(&desk));
        let apps = change(&document(&mei, "apps"), "longest = \"72h\"", "longest = \"48h\"");
        let apps = format!(
            "{apps}\n[[incompatible]]\nname = \"who pays does not sell\"\none = [\"workday\"]\nother = [\"salesforce\"]\n\
             [[connector]]\nid = \"crm\"\nkind = \"scim\"\nurl = \"https://crm.example/scim/v2\"\n\
             groups = {{ \"tier:user\" = \"Users\" }}\n"
        );
        publish(&mei, "apps", &apps).expect(200);
        let people = document(&mei, "people");
        let looser = [
            ("apps", change(&apps, "risk = \"critical\"", "risk = \"low\"")),
            ("apps", change(&apps, "longest = \"48h\"", "longest = \"72h\"")),
            ("apps", change(&apps, "longest = \"48h\"", "longest = \"48h\"\nemergency = \"2h\"")),
            ("apps", change(&apps, "owner = \"ravi\"", "owner = \"mei\"")),
            ("apps", change(&apps, "= \"Users\"", "= \"Administrators\"")),
            ("apps", change(&apps, "other = [\"salesforce\"]", "other = [\"salesforce/user\"]")),
            ("people", change(&people, "manager = \"lena\"", "manager = \"mei\"")),
            ("people", change(&people, "groups = [\"staff\"]", "groups = [\"staff\", \"security-officers\"]")),
        ];
        for (code, content) in &looser {
            let look = mei.post(&format!("/api/v1/config/documents/{code}/check"), &json!({ "content": content }));
            assert!(look.expect(200)["eases_access"].is_string(), "{content}");
            assert_eq!(publish(&mei, code, content).status, 409, "{content}");
        }
        assert_eq!((document(&mei, "apps"), document(&mei, "people")), (apps.clone(), people.clone()));
        // What was refused first is the draft; a second person publishes that, and nothing else.
        let (_, first) = &looser[0];
        assert_eq!(mei.get("/api/v1/config/documents/apps/draft").expect(200)["content"], first.as_str());
        assert_eq!(publish(&mei, "apps", first).status, 409, "it is her own");
        let (_, other) = &looser[1];
        assert_eq!(publish(&noor, "apps", other).status, 409, "it is one person's");
        publish(&noor, "apps", first).expect(200);
        assert_eq!(document(&mei, "apps"), *first);
        // To go back is a change as any other.
        let back = json!({ "revision": 1, "why": "x" });
        let back = mei.with("if-match", "*").post("/api/v1/config/documents/apps/rollback", &back);
        assert_eq!(back.status, 409, "{}", back.text);
        // One person alone may make it stricter at any time.
        publish(&mei, "people", &change(&people, "id = \"amara\"\n", "id = \"amara\"\nactive = false\n")).expect(200);
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn files_that_make_access_easier_to_get_are_in_force_when_two_have_read_them_again() {
    on_both(|database| {
        let desk = desk(database);
        let path = desk.settings().with_file_name("apps.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        let more = format!(
            "{before}\n[[app]]\nid = \"a0\"\nname = \"A 0\"\n[[app.tier]]\nid = \"user\"\nname = \"User\"\nrisk = \"low\"\nlongest = \"720h\"\n"
        );
        let reload = |client: &Client| client.post("/api/v1/config/reload", &json!({}));
        let is_there = |desk: &House| {
            let apps = desk.as_role("mei").get("/api/v1/config/apps").expect(200);
            apps.to_string().contains("\"a0\"")
        };
        std::fs::write(&path, &more).unwrap();
        for again in [false, true] {
            let refused = reload(&desk.as_role("mei")).expect(409);
            assert!(refused["detail"].as_str().unwrap().contains("the app `a0` is new"), "{again}: {refused}");
        }
        assert!(!is_there(&desk), "one person twice is one person");
        let desk = desk.cut_off_and_restart();
        assert!(!is_there(&desk), "a restart is no second person");
        std::fs::write(&path, more.replace("720h", "700h")).unwrap();
        assert_eq!(reload(&noor(&desk)).status, 409, "other files are another thing to agree to");
        std::fs::write(&path, &more).unwrap();
        assert_eq!(reload(&desk.as_role("mei")).status, 409);
        assert_eq!(reload(&noor(&desk)).status, 204);
        assert!(is_there(&desk));
        let desk = desk.cut_off_and_restart();
        assert!(is_there(&desk), "it stays agreed to");
        std::fs::write(&path, &before).unwrap();
        assert_eq!(reload(&desk.as_role("mei")).status, 204, "one person makes it stricter");
        assert!(!is_there(&desk));
        std::fs::write(&path, &more).unwrap();
        assert_eq!(reload(&noor(&desk)).status, 409, "and back are two");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// A file is no way round the two who agree to a table: the desk goes by the rows of before, also after a restart.
#[test]
fn a_table_of_the_directory_that_decides_about_access_waits_for_a_second_person() {
    on_both(|database| {
        let desk = desk(database);
        let (mei, noor) = (desk.as_role("mei"), noor(&desk));
        let looks_up = FREEZE.replace("order = 10", "order = 10\ntables = [\"vips\"]");
        deploy(&mei, &looks_up, &table_rule()).expect(201);
        approve_all(&desk, &noor);
        let add = |name: &str, row: &str| {
            let path = desk.settings().with_file_name("tables").join(name);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text + row).unwrap();
        };
        let reload = |client: &Client| client.post("/api/v1/config/reload", &json!({}));
        let digest = |client: &Client, name: &str| {
            client.get(&format!("/api/v1/tables/{name}")).expect(200)["digest"].as_str().unwrap().to_owned()
        };
        let (vips, systems) = (digest(&mei, "vips"), digest(&mei, "systems"));
        add("systems.csv", "fax,kofi,low\n");
        assert_eq!(reload(&mei).status, 204, "no rule for access looks things up there");
        assert_ne!(digest(&mei, "systems"), systems);
        add("vips.csv", "amara,executive\n");
        for again in [false, true] {
            let refused = reload(&mei).expect(409);
            assert!(refused["detail"].as_str().unwrap().contains("the table `vips` changes"), "{again}: {refused}");
        }
        assert_eq!(digest(&mei, "vips"), vips);
        let desk = desk.cut_off_and_restart();
        let noor = desk.with_roles("noor", "admin");
        assert_eq!(digest(&noor, "vips"), vips, "a restart is no second person");
        assert_eq!(reload(&noor).status, 204);
        assert_ne!(digest(&noor, "vips"), vips);
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// A name that is the store's by now is not the agreed files' as well: that would keep the desk from its start.
#[test]
fn a_table_that_has_moved_from_the_files_to_the_store_stays_there() {
    on_both(|database| {
        let desk = desk(database);
        std::fs::remove_file(desk.settings().with_file_name("tables").join("systems.csv")).unwrap();
        let desk = desk.cut_off_and_restart();
        let path = "/api/v1/tables/systems";
        let put = format!("{path}?why=x");
        let live = desk.as_role("mei").put_text(&put, "key,value\nmoved,1\n", "text/csv").expect(200);
        let apps = desk.settings().with_file_name("apps.toml");
        let tier = "id = \"user\"\nname = \"User\"\nrisk = \"low\"\nlongest = \"720h\"\n";
        let more = format!("\n[[app]]\nid = \"a0\"\nname = \"A 0\"\n[[app.tier]]\n{tier}");
        std::fs::write(&apps, std::fs::read_to_string(&apps).unwrap() + &more).unwrap();
        let desk = desk.cut_off_and_restart();
        let mei = desk.as_role("mei");
        assert!(!mei.get("/api/v1/config/apps").expect(200).to_string().contains("\"a0\""), "files of before hold");
        assert_eq!(mei.get(path).expect(200)["digest"], live["digest"]);
    });
}

/// Files that cannot be compared any more with those of before could say anything.
#[test]
fn one_person_does_not_make_unreadable_to_what_two_have_agreed() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            let text = text.replace("[server]\n", "[server]\ntwo-person-access = true\n");
            format!("{text}\n[configuration]\nby-api = [\"teams\"]\n")
        });
        let (mei, noor) = (desk.as_role("mei"), noor(&desk));
        let file = |name: &str| desk.settings().with_file_name(name);
        let reload = |client: &Client| client.post("/api/v1/config/reload", &json!({}));
        let is_there = || mei.get("/api/v1/config/apps").expect(200).to_string().contains("\"a0\"");
        // A team, and a category that names it.
        let teams = document(&mei, "teams");
        let team =
            "id = \"t0\"\nname = \"T 0\"\ntier = 1\nstrategy = \"round-robin\"\nmember = [{ person = \"kofi\" }]\n";
        publish(&mei, "teams", &format!("{teams}\n[[team]]\n{team}")).expect(200);
        let taxonomy = std::fs::read_to_string(file("taxonomy.toml")).unwrap();
        let more = format!("{taxonomy}\n[[category]]\nid = \"c0\"\nname = \"C 0\"\nteam = \"t0\"\n");
        std::fs::write(file("taxonomy.toml"), more).unwrap();
        assert_eq!(reload(&mei).status, 204, "it is no matter of access");
        // Files without the two, and with an app to which no two have agreed; then the team goes.
        std::fs::write(file("taxonomy.toml"), taxonomy).unwrap();
        let apps = std::fs::read_to_string(file("apps.toml")).unwrap();
        let tier = "id = \"user\"\nname = \"User\"\nrisk = \"low\"\nlongest = \"720h\"\n";
        let more = format!("{apps}\n[[app]]\nid = \"a0\"\nname = \"A 0\"\n[[app.tier]]\n{tier}");
        std::fs::write(file("apps.toml"), more).unwrap();
        assert_eq!(reload(&mei).status, 409);
        let refused = publish(&mei, "teams", &teams).expect(422);
        assert!(refused.to_string().contains("two people have agreed last do not fit this document"), "{refused}");
        let look = mei.post("/api/v1/config/documents/teams/check", &json!({ "content": teams })).expect(200);
        assert!(look.to_string().contains("read again first"), "{look}");
        assert!(!is_there());
        // The way on: the second person agrees to the files, or the first takes the app out of them.
        assert_eq!(reload(&noor).status, 204);
        assert!(is_there());
        publish(&mei, "teams", &teams).expect(200);
    });
}
