//! Lists under a name.

use serde_json::json;
use uuid::Uuid;

use super::super::lifecycle::{incident, step};
use crate::support::client::resolved;
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

#[test]
fn a_list_is_kept_under_a_name_for_oneself_a_team_or_all_who_work_here() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        let path = |n: u128| format!("/api/v1/views/{}", Uuid::from_u128(n));
        let mine = json!({ "name": "Mine", "filter": { "assignee": "@me", "states": ["open", "in_progress"] } });
        assert_eq!(amara.put(&path(1), &mine).status, 403, "by assignee is for those who work here");
        let kept = kofi.put(&path(1), &mine).expect(200);
        assert_eq!((&kept["version"], &kept["owner"]), (&json!(1), &json!("kofi")));
        assert_eq!(mei.get(&path(1)).status, 404, "another person's own");
        assert_eq!(mei.put(&path(1), &mine).status, 404);
        assert_eq!(kofi.put(&path(1), &mine).status, 428, "say which version");
        assert_eq!(kofi.with("if-match", "\"7\"").put(&path(1), &mine).status, 412);
        let shared = json!({ "name": "Ours", "audience": "staff", "filter": { "category": "network" } });
        assert_eq!(kofi.with("if-match", "\"1\"").put(&path(1), &shared).expect(200)["version"], 2);
        assert_eq!(mei.get("/api/v1/views").expect(200)[0]["name"], "Ours");
        assert_eq!(amara.get("/api/v1/views").expect(200), json!([]));
        assert_eq!(mei.get(&path(1)).etag.as_deref(), Some("\"2\""));
        let bad = json!({ "name": "", "audience": "team:none" });
        assert_eq!(kofi.put(&path(2), &bad).status, 422);
        assert_eq!(kofi.put("/api/v1/views/x", &shared).status, 400);
        for part in ["team", "assignee", "requester", "priority", "category", "request_type", "tag"] {
            for text in ["x".repeat(101), "a\u{202e}b".to_owned()] {
                let list = json!({ "name": "Long", "audience": "staff", "filter": { part: text } });
                let refused = kofi.put(&path(2), &list).expect(422);
                assert_eq!(refused["problems"][0]["field"], format!("filter.{part}"));
            }
        }
        let long = json!({ "name": "Long", "filter": { "tag": "\u{fc}".repeat(51) } });
        assert_eq!(kofi.put(&path(2), &long).expect(422)["problems"][0]["message"], "is longer than 100 bytes");

        let key = incident(&amara, "VPN is down");
        let done = incident(&amara, "VPN was down");
        step(&kofi, &done, &resolved()).expect(200);
        let count = |n: u128| mei.get(&format!("{}/count", path(n))).expect(200);
        assert_eq!(count(1), json!({ "count": 2, "or_more": false }));
        let open = json!({ "name": "To do", "audience": "staff", "filter": { "requester": "@me" } });
        amara.put(&path(3), &json!({ "name": "Hers", "filter": { "requester": "@me" } })).expect(200);
        assert_eq!(amara.put(&path(4), &open).status, 403, "sharing is for those who work here");
        let page = amara.get(&format!("{}/tickets?limit=1", path(3))).expect(200);
        assert_eq!(page["tickets"][0]["key"], key.as_str());
        let next = page["next"].as_str().unwrap();
        let rest = amara.get(&format!("{}/tickets?after={next}", path(3))).expect(200);
        assert_eq!(rest["tickets"][0]["key"], done.as_str());
        assert_eq!(kofi.get(&format!("{}/tickets", path(3))).status, 404);

        assert_eq!(mei.delete(&path(1)).status, 428);
        assert_eq!(mei.with("if-match", "*").delete(&path(1)).status, 204, "an admin takes a shared one away");
        assert_eq!(kofi.get(&path(1)).status, 404);
    });
}

/// However many that is, and whichever names come first.
#[test]
fn what_others_share_takes_no_place_from_ones_own_lists() {
    on_both(|database| {
        let desk = House::demo(database);
        let (kofi, mei, lena) = (desk.as_role("kofi"), desk.as_role("mei"), desk.with_roles("lena", "agent"));
        let path = |n: u128| format!("/api/v1/views/{}", Uuid::from_u128(n));
        for n in 0..100 {
            let shared = json!({ "name": format!("A {n}"), "audience": "staff", "filter": {} });
            kofi.put(&path(n), &shared).expect(200);
            mei.put(&path(1_000 + n), &shared).expect(200);
        }
        let own = json!({ "name": "Zurich", "filter": { "category": "network" } });
        lena.put(&path(5_000), &own).expect(200);
        let lists = lena.get("/api/v1/views").expect(200);
        let lists = lists.as_array().unwrap();
        assert_eq!((lists.len(), &lists[199]["name"]), (200, &json!("Zurich")));
    });
}

/// The first list that a service desk looks at in the morning.
#[test]
fn tickets_that_no_person_has_are_listed_kept_counted_and_searched() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [taken, left] = ["VPN is down", "VPN is down again"].map(|subject| incident(&amara, subject));
        let back = json!({ "assignee": null, "reason": "for the night" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{left}"), &back).expect(200);
        let keys = |path: &str| {
            let found = kofi.get(path).expect(200);
            let list = found.get("tickets").unwrap_or(&found).as_array().unwrap().clone();
            list.iter().map(|ticket| ticket["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for more in ["", "&sort=number", "&sort=updated", "&sort=due", "&team=network"] {
            assert_eq!(keys(&format!("/api/v1/tickets?assignee=@none{more}")), [left.as_str()], "{more}");
        }
        for internal in ["assignee=@none", "tag=vip"] {
            assert_eq!(amara.get(&format!("/api/v1/tickets?{internal}")).status, 403, "{internal}");
        }
        let tagged = json!({ "tags": ["vip"], "reason": "the board" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{taken}"), &tagged).expect(200);
        assert_eq!(keys("/api/v1/tickets?tag=vip&request_type=incident"), [taken.as_str()]);
        assert_eq!(keys("/api/v1/tickets?tag=vip&request_type=question"), [""; 0]);
        let of_vips = format!("/api/v1/views/{}", Uuid::from_u128(8));
        kofi.put(&of_vips, &json!({ "name": "VIP", "filter": { "tag": "vip", "request_type": "incident" } }))
            .expect(200);
        assert_eq!(keys(&format!("{of_vips}/tickets")), [taken.as_str()]);
        let hers = json!({ "name": "Mine", "filter": { "tag": "vip" } });
        assert_eq!(amara.put(&format!("/api/v1/views/{}", Uuid::from_u128(9)), &hers).status, 403);
        let path = format!("/api/v1/views/{}", Uuid::from_u128(7));
        kofi.put(&path, &json!({ "name": "Whose?", "filter": { "assignee": "@none" } })).expect(200);
        assert_eq!(keys(&format!("{path}/tickets")), [left.as_str()]);
        assert_eq!(kofi.get(&format!("{path}/count")).expect(200)["count"], 1);
        until("the index of words", || (keys("/api/v1/search?q=down").len() == 2).then_some(()));
        assert_eq!(keys("/api/v1/search?q=down&assignee=@none"), [left.as_str()], "and not {taken}");
        for (more, expected) in [
            ("tag=vip", vec![taken.as_str()]),
            ("tag=vip&request_type=incident", vec![taken.as_str()]),
            ("tag=vip&assignee=@none", Vec::new()),
            ("request_type=question", Vec::new()),
            ("request_type=incident&assignee=@none", vec![left.as_str()]),
        ] {
            assert_eq!(keys(&format!("/api/v1/search?q=down&{more}")), expected, "{more}");
        }
        for internal in ["assignee=@none", "tag=vip", "tag=none-such"] {
            assert_eq!(amara.get(&format!("/api/v1/search?q=down&{internal}")).status, 403, "{internal}");
        }
        assert_eq!(keys("/api/v1/search?q=down&request_type=incident").len(), 2);
        let hers = amara.get("/api/v1/search?q=down&request_type=incident").expect(200);
        assert_eq!(hers.as_array().unwrap().len(), 2, "her own, by what she chose herself");
        let none = amara.get("/api/v1/search?q=down&request_type=no-such-form").expect(200);
        assert_eq!(none, json!([]), "which forms others have is not found out");
    });
}
