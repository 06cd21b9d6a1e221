//! Where the desk asks for a second person, a version that decides access counts only after another admin has agreed.

use ruledesk::store::Target;
use ruledesk::store::db::Db;
use serde_json::{Value, json};

use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, in_runtime, on_both, on_both_at_once};
use crate::support::wait::until;

fn access_policy(desk: &House) -> Value {
    let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
    let all = rules["rules"].as_array().unwrap();
    all.iter().find(|rule| rule["name"] == "access-policy").cloned().unwrap_or_default()
}

/// Ships another version of the rule in its folder.
fn ship(desk: &House, version: &str, mode: &str) {
    let file = desk.rules.join("50-access-policy/rule.toml");
    let text = std::fs::read_to_string(example_rules().join("50-access-policy/rule.toml")).unwrap();
    let next = text
        .replace("version = \"1.0.0\"", &format!("version = \"{version}\""))
        .replace("order = 50", &format!("order = 50\nmode = \"{mode}\""));
    std::fs::write(file, next).unwrap();
}

/// The candidate's version.
fn proposed(desk: &House) -> String {
    access_policy(desk)["candidate"]["id"].as_str().unwrap().to_owned()
}

fn asked_for_access(desk: &House) -> Value {
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": {
        "app": "jira", "tier": "user", "duration-hours": 100, "justification": "I join the data project" } });
    let amara = desk.as_role("amara");
    let ticket = amara.post("/api/v1/tickets", &body).expect(201);
    let state = ticket["access"]["state"].clone();
    if state == "awaiting" {
        // Of one access, one request may wait.
        let path = format!("/api/v1/tickets/{}/transitions", ticket["key"].as_str().unwrap());
        amara.with("if-match", "\"1\"").post(&path, &json!({ "to": "cancelled" })).expect(200);
    }
    state
}

#[test]
fn a_rule_for_access_counts_when_a_second_person_has_agreed() {
    on_both_at_once(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
        });
        // The directory is nobody: an admin has to agree, and until then a person decides about access.
        assert!(access_policy(&desk)["candidate"]["proposed_by"].is_string(), "{}", access_policy(&desk));
        assert_eq!(asked_for_access(&desk), "awaiting");
        let mei = desk.as_role("mei");
        let path = |act: &str| format!("/api/v1/rules/access-policy/{act}");
        let first = proposed(&desk);
        let approval = |version: &str, why: &str| json!({ "version": version, "why": why });
        desk.as_role("kofi").post(&path("approve"), &approval(&first, "it looks fine")).expect(403);
        mei.post(&path("approve"), &json!({ "why": "whatever it is" })).expect(400);
        mei.post(&path("approve"), &approval(&first[..8], "read line by line")).expect(200);
        until("the rule to count", || (asked_for_access(&desk) == "approved").then_some(()));

        // The next version, too; whoever proposed it cannot be the second.
        ship(&desk, "1.1.0", "shadow");
        until("the candidate", || (access_policy(&desk)["candidate"]["version"] == "1.1.0").then_some(()));
        let late = json!({ "to": "active", "version": first, "why": "read before the file changed" });
        let refused = mei.post(&path("promote"), &late).expect(409);
        let second = proposed(&desk);
        for version in [&first, &second] {
            let (component, manifest) = version.split_once('/').unwrap();
            let short = format!("{}-{}", &component[..12], &manifest[..12]);
            assert!(refused["detail"].as_str().unwrap().contains(&short), "{refused}");
        }
        mei.post(&path("promote"), &json!({ "to": "active", "why": "a quiet day" })).expect(200);
        assert_eq!(access_policy(&desk)["active"]["version"], "1.0.0", "one word is not enough");
        mei.post(&path("approve"), &approval(&second, "my own")).expect(409);
        let (component, _) = second.split_once('/').unwrap();
        let both = mei.post(&path("approve"), &approval(component, "one of the two")).expect(409);
        assert_eq!(both["type"], "/problems/ambiguous", "one component, two manifests: {both}");
        let approve = |person: &str, version: &str| {
            let said = ["--version", version, "--as", person, "--why", "I have read it too"];
            let output = desk.command(&[&["rules", "approve", "access-policy"], said.as_slice()].concat());
            (output.status.success(), String::from_utf8(output.stderr).unwrap())
        };
        assert!(approve("nooor", &second).1.contains("knows nobody called `nooor`"));
        assert!(approve("noor", &first).1.contains("its candidate is "), "she has read another");
        let (agreed, said) = approve("noor", &second);
        assert!(agreed, "{said}");
        until("the new version", || (access_policy(&desk)["active"]["version"] == "1.1.0").then_some(()));
        assert_eq!(asked_for_access(&desk), "approved");
        let events = mei.get(&path("events")).expect(200);
        let steps = events.as_array().unwrap().iter().take(2);
        let steps: Vec<_> = steps.map(|step| (step["event"].as_str().unwrap(), &step["version"])).collect();
        let version = json!(second);
        assert_eq!(steps, [("approved", &version), ("promoted", &version)], "each step names its version");
    });
}

#[test]
fn no_canary_decides_access_on_one_word() {
    on_both_at_once(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text);
        ship(&desk, "1.1.0", "canary");
        let events = |desk: &House| desk.as_role("mei").get("/api/v1/rules/access-policy/events").expect(200);
        until("the canary", || (access_policy(&desk)["candidate"]["state"] == "canary").then_some(()));
        until("it to be written down", || (events(&desk).as_array()?.len() == 2).then_some(()));
        // Who asks what the policy of that time allowed reads that not all requests were answered by one version.
        let at = desk.clock.now();
        let then = format!("/api/v1/access/policy/at?at={at}&person=amara&app=jira&tier=user&hours=48");
        let then = desk.as_role("mei").get(&then).expect(200);
        let (rule, trial) = (&then["rules"][0], &then["trials"][0]);
        assert_eq!((&rule["version"], &trial["version"]), (&json!("1.0.0"), &json!("1.1.0")), "{then}");
        assert!((1..100).contains(&trial["percent"].as_u64().unwrap()), "{then}");
        let (settings, place) = (desk.settings(), desk.cut_off());
        let text = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(&settings, text.replace("[server]\n", "[server]\ntwo-person-access = true\n")).unwrap();
        let desk = place.open();
        let held = access_policy(&desk);
        assert_eq!((&held["active"]["version"], &held["candidate"]["state"]), (&json!("1.0.0"), &json!("shadow")));
        let mei = desk.as_role("mei");
        let events = events(&desk);
        assert_eq!((&events[0]["event"], &events[0]["actor"]), (&json!("demoted"), &json!("desk")), "{events}");
        assert!(events[0]["why"].as_str().unwrap().contains("two-person-access"), "{events}");

        // Nor is one made: not by an admin, not by the directory.
        let canary = json!({ "to": "canary", "percent": 10, "why": "only a few" });
        let refused = mei.post("/api/v1/rules/access-policy/promote", &canary).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("on one word"), "{refused}");
        ship(&desk, "1.2.0", "canary");
        let error = || access_policy(&desk)["last_error"].as_str().unwrap_or_default().to_owned();
        until("the folder's refusal", || error().contains("on one word").then_some(()));
        let after = access_policy(&desk);
        assert_eq!((&after["active"], &after["candidate"]), (&held["active"], &held["candidate"]));

        // A folder that was refused takes with it what it offered before.
        std::fs::remove_dir_all(desk.rules.join("50-access-policy")).unwrap();
        until("the rule to be retired", || access_policy(&desk)["active"].is_null().then_some(()));
        assert_eq!(asked_for_access(&desk), "awaiting", "a person decides");
    });
}

#[test]
fn one_operator_is_not_two_persons() {
    on_both_at_once(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
        });
        let mei = desk.as_role("mei");
        let events = || mei.get("/api/v1/rules/access-policy/events").expect(200);
        let command = |arguments: &[&str]| {
            let output = desk.command(&[&["rules"], arguments].concat());
            (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
        };
        let approve = |version: &str, person: &[&str]| {
            let said = ["approve", "access-policy", "--version", version, "--why", "I have read it"];
            command(&[said.as_slice(), person].concat())
        };
        let promote = |person: &[&str]| {
            command(&[&["promote", "access-policy", "--to", "active", "--why", "a quiet day"], person].concat())
        };
        let active = |version: &str| {
            until("the version", || (access_policy(&desk)["active"]["version"] == version).then_some(()));
        };
        // The directory proposed the first version, so that one operator is enough.
        let (approved, said) = approve(&proposed(&desk), &["--as", "mei"]);
        assert!(approved, "{said}");
        active("1.0.0");
        let (by, operator) = (events()[0]["actor"].clone(), events()[0]["operator"].as_str().unwrap().to_owned());
        assert!(by == "mei" && !operator.is_empty(), "the audit names both: {}", events()[0]);

        ship(&desk, "1.1.0", "shadow");
        until("the candidate", || (access_policy(&desk)["candidate"]["version"] == "1.1.0").then_some(()));
        until("it to be written down", || (events()[0]["version"] == proposed(&desk).as_str()).then_some(()));
        let (promoted, said) = promote(&["--as", "mei"]);
        assert!(promoted, "{said}");
        let second = proposed(&desk);
        let both = format!("mei via operator:{operator}");
        until("the proposal", || (access_policy(&desk)["candidate"]["proposed_by"] == both.as_str()).then_some(()));
        for person in [&["--as", "noor"][..], &[]] {
            let (approved, said) = approve(&second, person);
            assert!(!approved && said.contains("one operator is one person"), "{person:?}: {said}");
        }
        let approval = json!({ "version": second, "why": "my own" });
        let own = mei.post("/api/v1/rules/access-policy/approve", &approval).expect(409);
        assert!(own["detail"].as_str().unwrap().contains("cannot approve it"), "one person, whichever way: {own}");
        assert_eq!(access_policy(&desk)["active"]["version"], "1.0.0", "nothing of it counted");
        desk.with_roles("noor", "admin").post("/api/v1/rules/access-policy/approve", &approval).expect(200);
        active("1.1.0");
        assert_eq!((&events()[0]["actor"], &events()[0]["operator"]), (&json!("noor"), &Value::Null));

        // Without --as the operator acts under their own name.
        let (back, said) = command(&["rollback", "access-policy", "--why", "too strict"]);
        assert!(back, "{said}");
        assert_eq!(events()[0]["actor"], format!("operator:{operator}"));
        let (_, printed) = command(&["events", "access-policy"]);
        assert!(printed.contains(&format!("by operator:{operator}: too strict")), "{printed}");
        assert!(printed.contains(&format!("by mei: a quiet day  [at the shell: {operator}]")), "{printed}");
    });
}

/// The first tables of a directory are no exception: only those are kept without a word that a version before tables were kept has met.
#[test]
fn the_first_tables_of_a_directory_are_not_agreed_to_by_a_restart() {
    let tables = |desk: &House| {
        let Target::Postgres(url) = desk.target() else { panic!("it is on PostgreSQL") };
        in_runtime(async {
            let db = Db::open_postgres(&url).await.unwrap();
            let sql = "select count(*) from configuration_agreed where file like 'tables/%' and with_tables = 1";
            let count = db.all(sql, Vec::new()).await.unwrap()[0].int(0).unwrap();
            db.close().await;
            count
        })
    };
    let desk = House::with_settings(Database::Postgres, example_rules(), |text| {
        text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
    });
    let all = tables(&desk);
    assert!(all > 0, "a desk that begins with two people begins with all of its files");
    desk.sql("delete from configuration_agreed where file like 'tables/%'");
    let desk = desk.cut_off_and_restart();
    assert_eq!(tables(&desk), 0);
    desk.sql("update configuration_agreed set with_tables = 0");
    let desk = desk.cut_off_and_restart();
    assert_eq!(tables(&desk), all, "as an earlier version has left it");
}

/// Between its two looks at the directory a desk that starts would go by files that nothing compares with the agreed ones.
#[test]
fn a_desk_that_asks_for_two_people_does_not_start_on_a_directory_that_breaks_meanwhile() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
    });
    desk.begin_again().unwrap();
    let apps = desk.settings().with_file_name("apps.toml");
    let text = std::fs::read_to_string(&apps).unwrap();
    std::fs::write(&apps, format!("{text}\n[[app]]\n")).unwrap();
    let refused = desk.begin_again().unwrap_err().to_string();
    assert!(refused.contains("apps.toml") && refused.contains("start again"), "{refused}");
    std::fs::write(&apps, text).unwrap();
    desk.begin_again().unwrap();
}

/// A document that was published and does not fit the directory any more is not in force, as on any other desk, and says nothing against
/// the directory: it is published again while the desk runs.
#[test]
fn a_published_document_that_does_not_fit_any_more_keeps_no_desk_of_two_people_from_its_start() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            let text = text.replace("[server]\n", "[server]\ntwo-person-access = true\n");
            format!("{text}\n[configuration]\nby-api = [\"teams\"]\n")
        });
        let file = |name: &str| desk.settings().with_file_name(name);
        let team = |id: &str| {
            format!(
                "\n[[team]]\nid = \"{id}\"\nname = \"{id}\"\ntier = 1\nstrategy = \"round-robin\"\n\
                 member = [{{ person = \"kofi\" }}]\n"
            )
        };
        let teams = std::fs::read_to_string(file("teams.toml")).unwrap();
        let body = json!({ "content": format!("{teams}{}", team("t0")), "why": "another team" });
        desk.as_role("mei").with("if-match", "*").put("/api/v1/config/documents/teams", &body).expect(200);
        std::fs::write(file("teams.toml"), format!("{teams}{}", team("t1"))).unwrap();
        let taxonomy = std::fs::read_to_string(file("taxonomy.toml")).unwrap();
        let more = format!("{taxonomy}\n[[category]]\nid = \"c1\"\nname = \"C 1\"\nteam = \"t1\"\n");
        std::fs::write(file("taxonomy.toml"), more).unwrap();
        let desk = desk.cut_off_and_restart();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 422, "it does not fit");
    });
}
