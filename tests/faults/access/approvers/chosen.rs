//! No one who asks for access chooses who decides about it, by leave that they gave before they asked.

use serde_json::{Value, json};

use super::super::provisioning::in_order;
use super::delegations::{day, ends, id, lets, to_midnight, today};
use super::{access, asks, desk, says_yes};
use crate::support::house::House;
use crate::support::place::on_both;

fn awaited(desk: &House, key: &str) -> Value {
    access(desk, key)["awaited"].clone()
}

/// The desk's own approvers.
fn own() -> Value {
    json!(["priya", "tomas", "yuki"])
}

#[test]
fn i02_leave_given_before_the_request_or_beginning_while_it_is_open_chooses_no_approver() {
    on_both(|database| {
        let desk = desk(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let given = lets(&amara, "lena", (today(&desk), day(&desk, 1))).expect(201);
        asks(&amara, "github", "write", &json!({}));
        assert_eq!(awaited(&desk, "IT-1"), own(), "and not the manager above");
        assert!((403..=409).contains(&says_yes(&lena, "IT-1").status));
        asks(&desk.as_role("kofi"), "jira", "user", &json!({ "for": "amara" }));
        assert_eq!(access(&desk, "IT-2")["state"], "approved", "what no person decides goes on as ever");
        ends(&lena, &id(&given)).expect(200);
        assert_eq!(awaited(&desk, "IT-1"), json!(["lena"]));
        says_yes(&lena, "IT-1").expect(200);

        let tomorrow = day(&desk, 1);
        let sofia = desk.with_roles("sofia", "requester");
        lets(&sofia, "lena", (tomorrow, tomorrow)).expect(201);
        asks(&sofia, "github", "write", &json!({}));
        assert_eq!(awaited(&desk, "IT-3"), json!(["lena"]));
        desk.advance(to_midnight(&desk));
        assert_eq!(awaited(&desk, "IT-3"), own(), "it has begun");
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-3/timeline").expect(200).to_string();
        assert!(timeline.contains("now: one who asks for it lets an approver decide in their place"), "{timeline}");
        assert!((403..=409).contains(&says_yes(&lena, "IT-3").status));
        says_yes(&desk.as_role("priya"), "IT-3").expect(200);
        assert_eq!(access(&desk, "IT-3")["state"], "approved");
        in_order(&desk);
        desk.do_what_is_due();
    });
}

#[test]
fn i02_who_lets_all_decide_in_their_place_who_could_decide_is_denied_at_once_and_reads_why() {
    on_both(|database| {
        let desk = desk(database);
        let (amara, days) = (desk.as_role("amara"), (today(&desk), day(&desk, 1)));
        let given = lets(&amara, "lena", days).expect(201);
        lets(&amara, "priya", days).expect(201);
        asks(&amara, "github", "write", &json!({}));
        let denied = access(&desk, "IT-1");
        assert_eq!(denied["state"], "denied_by_policy", "{denied}");
        assert!(denied["reason"].as_str().unwrap().contains("everybody who may is party to the request"), "{denied}");
        ends(&amara, &id(&given)).expect(200);
        asks(&amara, "github", "write", &json!({}));
        assert_eq!(awaited(&desk, "IT-2"), json!(["lena"]));
        says_yes(&desk.as_role("lena"), "IT-2").expect(200);
        in_order(&desk);
        desk.do_what_is_due();
    });
}
