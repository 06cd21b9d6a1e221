//! How a request for access should go, sentence by sentence: from a catalog, by a policy, straight into the app, with a record that
//! takes it all away again. The whole of each has its tests elsewhere; these say the one thing, through a real app.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{ScimApp, TOKEN};

/// A desk that writes to the apps for code and for issues; write access to the code has a role and a group by the configuration.
fn desk(database: Database, app: &ScimApp) -> House {
    let desk = House::with_settings(database, example_rules(), |text| text);
    std::fs::write(desk.settings().with_file_name("app.token"), format!("{TOKEN}\n")).unwrap();
    let file = desk.settings().with_file_name("apps.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for id in ["github", "jira"] {
        text = text.replacen(&format!("id = \"{id}\"\n"), &format!("id = \"{id}\"\nconnector = \"peer\"\n"), 1);
    }
    let write = "id = \"write\"\nname = \"Write\"\n";
    assert!(text.contains(write), "{text}");
    let more = format!("{write}roles = [\"maintainer\"]\ngroups = [\"contractors\"]\n");
    text = text.replacen(write, &more, 1);
    let url = &app.url;
    text += &format!(
        "\n[[connector]]\nid = \"peer\"\nkind = \"scim\"\nurl = \"{url}\"\ninternal = true\ntoken-file = \"app.token\"\n"
    );
    std::fs::write(&file, text).unwrap();
    reload(&desk);
    desk
}

fn reload(desk: &House) {
    let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
    assert_eq!(answer.status, 204, "{}", answer.text);
}

fn app() -> ScimApp {
    ScimApp::start(&["user", "admin", "write", "maintainer", "contractors"])
}

fn asks(desk: &House, item: &Value, hours: u32) -> Value {
    let mut fields = json!({ "duration-hours": hours,
        "justification": "I move the repositories to the new organisation tonight, change 4711" });
    fields.as_object_mut().unwrap().extend(item.as_object().unwrap().clone());
    let body = json!({ "request_type": "access", "subject": "access please", "fields": fields });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)
}

fn routine() -> Value {
    json!({ "app": "jira", "tier": "user" })
}

fn to_decide() -> Value {
    json!({ "app": "github", "tier": "write", "role": "maintainer" })
}

fn grants(desk: &House) -> Vec<Value> {
    desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200).as_array().unwrap().clone()
}

/// Does what is due, up to the answers of the app.
fn settled(desk: &House) {
    for _ in 0..4 {
        desk.advance(SignedDuration::from_secs(2));
    }
}

fn approves(desk: &House, key: &str) {
    let path = format!("/api/v1/tickets/{key}/access");
    let lena = desk.as_role("lena");
    let seen = lena.get(&path).expect(200)["snapshot"].clone();
    let yes = json!({ "approve": true, "seen": seen, "insights": ["peers", "history"] });
    lena.post(&format!("{path}/decisions"), &yes).expect(200);
}

fn story(desk: &House) -> Value {
    let id = grants(desk)[0]["id"].as_str().unwrap().to_owned();
    desk.as_role("mei").get(&format!("/api/v1/grants/{id}")).expect(200)
}

/// Access is asked for from a catalog of apps, with the licence tier, the role and how long.
#[test]
fn what_one_asks_for_is_an_app_of_the_catalog_with_tier_role_and_duration() {
    on_both(|database| {
        let desk = desk(database, &app());
        let amara = desk.as_role("amara");
        let catalog = amara.get("/api/v1/catalog?search=code").expect(200).to_string();
        for word in ["\"github\"", "\"write\"", "\"maintainer\"", "\"contractors\"", "max_duration_hours"] {
            assert!(catalog.contains(word), "{word}: {catalog}");
        }
        let ticket = asks(&desk, &to_decide(), 48);
        let (case, scope) = (&ticket["access"], &ticket["access"]["scope"]);
        assert_eq!((&case["app"], &case["tier"]), (&json!("github"), &json!("write")), "{case}");
        assert_eq!((&scope["role"], &scope["duration_hours"]), (&json!("maintainer"), &json!(48)), "{case}");
        let refused = json!({ "request_type": "access", "subject": "x", "fields": { "app": "github", "tier": "all of it",
            "duration-hours": 48, "justification": "I move the repositories to the new organisation" } });
        assert_eq!(amara.post("/api/v1/tickets", &refused).status, 422, "and nothing else is");
    });
}

/// A routine request is approved by the policy and provisioned, and no one has touched it.
#[test]
fn a_routine_request_is_in_the_app_with_no_person_between() {
    on_both(|database| {
        let app = app();
        let desk = desk(database, &app);
        assert_eq!(asks(&desk, &routine(), 48)["access"]["state"], "approved");
        settled(&desk);
        assert_eq!((&grants(&desk)[0]["state"], app.members("user")), (&json!("active"), vec!["amara".to_owned()]));
        let record = story(&desk);
        assert_eq!(record["evidence"]["decisions"], json!([]), "no person has decided: {record}");
        let ticket = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(ticket["assignee"], Value::Null, "and none had to work on it: {ticket}");
    });
}

/// What is not routine comes to an approver with what peers have, how earlier requests went and the level of access: one decision, and
/// the licence, the role and the groups of the configuration are in the app, with no separate step.
#[test]
fn an_approver_sees_peers_history_and_level_and_one_decision_is_all_that_is_left_to_do() {
    on_both(|database| {
        let app = app();
        let desk = desk(database, &app);
        assert_eq!(asks(&desk, &to_decide(), 48)["access"]["state"], "awaiting");
        settled(&desk);
        assert_eq!(app.requests(), Vec::<String>::new(), "before that nothing is sent");
        let shown = desk.as_role("lena").get("/api/v1/tickets/IT-1/access").expect(200)["shown"].clone();
        for fact in [
            "department_size",
            "department_holders",
            "title_size",
            "title_holders",
            "requested",
            "approved",
            "denied",
            "revoked",
        ] {
            assert!(shown[fact].is_u64(), "{fact}: {shown}");
        }
        assert_eq!((&shown["risk"], &shown["recommendation"]), (&json!("medium"), &json!("review")), "{shown}");
        let all = json!(["account", "tier:write", "role:maintainer", "group:contractors"]);
        assert_eq!(shown["provisions"], all, "what is approved is what is written: {shown}");
        approves(&desk, "IT-1");
        settled(&desk);
        for group in ["write", "maintainer", "contractors"] {
            assert_eq!(app.members(group), ["amara"], "{group}");
        }
        assert_eq!(grants(&desk)[0]["state"], "active");
    });
}

/// The grant is a living record: who has it, by which policy, who approved it seeing what, what was sent, when, and until when.
#[test]
fn the_record_of_a_grant_says_who_by_which_policy_who_approved_what_when_and_until_when() {
    on_both(|database| {
        let app = app();
        let desk = desk(database, &app);
        asks(&desk, &to_decide(), 48);
        approves(&desk, "IT-1");
        settled(&desk);
        let record = story(&desk);
        let evidence = &record["evidence"];
        let grant = &evidence["grant"];
        assert_eq!((&evidence["requester"], &grant["subject"]), (&json!("amara"), &json!("amara")), "{record}");
        assert!(evidence["policy"].as_str().is_some_and(|policy| !policy.is_empty()), "{record}");
        assert_eq!(evidence["decisions"][0]["approver"], "lena", "{record}");
        assert_eq!(
            (&grant["tier"], &grant["role"], &grant["groups"]),
            (&json!("write"), &json!("maintainer"), &json!(["contractors"]))
        );
        let at = |name: &str| grant[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(at("expires_at").duration_since(at("granted_at")), SignedDuration::from_hours(48));
        let events =
            |name: &str| record["ledger"].as_array().unwrap().iter().filter(|event| event["event"] == name).count();
        assert!(events("seen") == 1 && events("op") > 0, "what the approver saw and what was sent: {record}");
        // It lives: the end is on the same record, with its reason.
        desk.advance(SignedDuration::from_hours(48));
        settled(&desk);
        let ended = story(&desk)["evidence"]["grant"].clone();
        assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("expired")), "{ended}");
        assert_eq!(app.members("write"), Vec::<String>::new());
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// Who leaves loses all that the record says they have, in every app, and the desk says when that is so.
#[test]
fn offboarding_takes_all_of_it_by_the_record() {
    on_both(|database| {
        let app = app();
        let desk = desk(database, &app);
        asks(&desk, &routine(), 96);
        asks(&desk, &to_decide(), 48);
        approves(&desk, "IT-2");
        settled(&desk);
        assert_eq!(grants(&desk).iter().filter(|grant| grant["state"] == "active").count(), 2);
        let file = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen("id = \"amara\"\n", "id = \"amara\"\nactive = false\n", 1)).unwrap();
        reload(&desk);
        settled(&desk);
        for group in ["user", "write", "maintainer", "contractors"] {
            assert_eq!(app.members(group), Vec::<String>::new(), "{group}");
        }
        assert_eq!(app.active("amara"), Some(false));
        let report = desk.as_role("mei").get("/api/v1/people/amara/offboarding").expect(200);
        let left = ["grants", "holdings", "orders", "findings"].map(|list| report[list].as_array().unwrap().len());
        assert_eq!(left, [0; 4], "{report}");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}
