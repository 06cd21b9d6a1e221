//! Peers are of the department, and those with the same title among them are counted apart, for approvers and for rules.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::two_person::{deploy, table_rule};
use super::{access, asks, change_person, desk, says_yes};
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

/// Jonas has Amara's title, asks for access, and all who have to approve it do.
fn jonas_of_the_same_title_has_it(desk: &House) {
    let asked = asks(&desk.with_roles("jonas", "requester"), "github", "write", &json!({}));
    let key = asked["key"].as_str().unwrap();
    let who = access(desk, key)["awaited"][0].as_str().unwrap().to_owned();
    says_yes(&desk.with_roles(&who, "requester"), key).expect(200);
    assert_eq!(access(desk, key)["state"], "approved");
}

#[test]
fn an_approver_sees_how_many_of_the_same_title_hold_it() {
    on_both(|database| {
        let desk = desk(database);
        change_person(&desk, "jonas", "title = \"Accountant\"", "title = \"Controller\"");
        jonas_of_the_same_title_has_it(&desk);
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        let alike = || {
            let shown = desk.as_role("lena").get("/api/v1/tickets/IT-2/access").expect(200)["shown"].clone();
            ["title_holders", "title_size", "department_holders"].map(|fact| shown[fact].as_u64().unwrap())
        };
        assert_eq!(alike(), [1, 1, 1]);
        change_person(&desk, "jonas", "\n", "\nactive = false\n");
        assert_eq!(alike(), [0, 0, 0], "who has left is none of them");
        desk.advance(SignedDuration::from_hours(4));
    });
}

const ONE_OF_A_TITLE: &str = r#"name = "one-of-a-title"
version = "1.0.0"
stages = ["access"]
order = 10
[settings]
stage = "access"
otherwise = "pass"
[[settings.row]]
when.so-far.attributes.peers-title-size = "1"
when.so-far.attributes.peers-title-holders.at-least = 1
then = "deny"
reason = "one of each title in the department may write"
"#;

#[test]
fn a_rule_decides_by_how_many_of_the_same_title_hold_it() {
    on_both(|database| {
        let desk = desk(database);
        change_person(&desk, "jonas", "title = \"Accountant\"", "title = \"Controller\"");
        let (mei, amara) = (desk.as_role("mei"), desk.as_role("amara"));
        deploy(&mei, ONE_OF_A_TITLE, &table_rule()).expect(201);
        until("the rule to be live", || {
            let rules = mei.get("/api/v1/rules").expect(200);
            let live = |rule: &Value| rule["name"] == "one-of-a-title" && rule["active"].is_object();
            rules["rules"].as_array().unwrap().iter().any(live).then_some(())
        });
        let asked = asks(&amara, "github", "write", &json!({}));
        assert_eq!(asked["access"]["state"], "awaiting", "no one of the title has it: {asked}");
        let cancel = json!({ "to": "cancelled" });
        amara.with("if-match", "\"1\"").post("/api/v1/tickets/IT-1/transitions", &cancel).expect(200);
        jonas_of_the_same_title_has_it(&desk);
        let denied = asks(&amara, "github", "write", &json!({}));
        assert_eq!(denied["access"]["state"], "denied_by_policy", "{denied}");
        let explained = desk.as_role("kofi").get("/api/v1/tickets/IT-3/explain").expect(200).to_string();
        assert!(explained.contains("one of each title"), "{explained}");
        desk.advance(SignedDuration::from_hours(4));
    });
}
