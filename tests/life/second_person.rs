//! Where the desk asks for a second person, a version that decides access counts only after another admin has agreed.

use serde_json::{Value, json};

use crate::support::components::example_rules;
use crate::support::desk::{Desk, on_both};
use crate::support::wait::until;

fn access_policy(desk: &Desk) -> Value {
    let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
    let all = rules["rules"].as_array().unwrap();
    all.iter().find(|rule| rule["name"] == "access-policy").unwrap().clone()
}

fn asked_for_access(desk: &Desk) -> Value {
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": {
        "app": "jira", "tier": "user", "duration-hours": 100, "justification": "I join the data project" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)["access"]["state"].clone()
}

#[test]
fn a_rule_for_access_counts_when_a_second_person_has_agreed() {
    on_both(|database| {
        let desk = Desk::with_settings(database, example_rules(), |text| {
            text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
        });
        // The directory is nobody: an admin has to agree, and until then a person decides about access.
        assert!(access_policy(&desk)["candidate"]["proposed_by"].is_string(), "{}", access_policy(&desk));
        assert_eq!(asked_for_access(&desk), "awaiting");
        let mei = desk.as_role("mei");
        let path = |act: &str| format!("/api/v1/rules/access-policy/{act}");
        desk.as_role("kofi").post(&path("approve"), &json!({ "why": "it looks fine" })).expect(403);
        mei.post(&path("approve"), &json!({ "why": "read line by line" })).expect(200);
        until("the rule to count", || (asked_for_access(&desk) == "approved").then_some(()));

        // The next version, too; whoever proposed it cannot be the second.
        let file = desk.rules.join("50-access-policy/rule.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let next = text
            .replace("version = \"1.0.0\"", "version = \"1.1.0\"")
            .replace("order = 50", "order = 50\nmode = \"shadow\"");
        std::fs::write(&file, next).unwrap();
        until("the candidate", || (access_policy(&desk)["candidate"]["version"] == "1.1.0").then_some(()));
        mei.post(&path("promote"), &json!({ "to": "active", "why": "a quiet day" })).expect(200);
        assert_eq!(access_policy(&desk)["active"]["version"], "1.0.0", "one word is not enough");
        mei.post(&path("approve"), &json!({ "why": "my own" })).expect(409);
        let nobody =
            desk.command(&["rules", "approve", "access-policy", "--as", "nooor", "--why", "I have read it too"]);
        assert!(String::from_utf8_lossy(&nobody.stderr).contains("knows nobody called `nooor`"));
        let second =
            desk.command(&["rules", "approve", "access-policy", "--as", "noor", "--why", "I have read it too"]);
        assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
        until("the new version", || (access_policy(&desk)["active"]["version"] == "1.1.0").then_some(()));
        assert_eq!(asked_for_access(&desk), "approved");
    });
}
