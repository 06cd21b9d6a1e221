//! Rows that nothing of the desk's wrote: each list shows them as damaged, and all others as they are.

use serde_json::{Value, json};

use super::damaged_lists::each_list_has_what_is_whole;
use crate::store::chain::by_hand;
use crate::support::client::Client;
use crate::support::house::House;
use crate::support::place::{Database, in_runtime, on_both};
use crate::support::wait::until;

fn asks(desk: &House, app: &str, tier: &str) {
    let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": {
        "app": app, "tier": tier, "duration-hours": 10, "justification": "I join the project that moves all data to the new organisation" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
}

/// A desk with two incidents, two grants, and two requests that wait for lena.
fn lived_in(database: Database) -> House {
    let desk = House::demo(database);
    for subject in ["VPN is down", "VPN is slow"] {
        let body = json!({ "request_type": "incident", "subject": subject, "fields": { "service": "vpn" } });
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    }
    asks(&desk, "jira", "user");
    asks(&desk, "github", "write");
    desk.as_role("lena").post("/api/v1/tickets/IT-4/access/decisions", &json!({ "approve": true })).expect(200);
    asks(&desk, "github", "admin");
    asks(&desk, "workday", "manager");
    for (view, name) in [(1, "Ours"), (2, "Theirs")] {
        let path = format!("/api/v1/views/{}", uuid::Uuid::from_u128(view));
        desk.as_role("kofi")
            .put(&path, &json!({ "name": name, "audience": "staff", "filter": { "team": "network" } }))
            .expect(200);
    }
    let link = json!({ "link": "related-to", "ticket": "IT-1" });
    assert!(desk.as_role("kofi").post("/api/v1/tickets/IT-2/links", &link).status < 300);
    until("the rules to be written down", || {
        let kofi = desk.as_role("kofi");
        let has_some = |path: &str| {
            let answer = kofi.get(&format!("/api/v1/rules/team-routing/{path}"));
            answer.status == 200 && answer.json().as_array().is_some_and(|items| !items.is_empty())
        };
        (has_some("events") && has_some("versions")).then_some(())
    });
    desk
}

fn list(client: &Client, path: &str) -> Vec<Value> {
    let answer = client.get(path).expect(200);
    let items = if answer.is_array() { &answer } else { &answer["tickets"] };
    items.as_array().unwrap_or_else(|| panic!("{path}: {answer}")).clone()
}

/// Which of a list's items are damaged, by a field of theirs.
fn damaged(items: &[Value], named: &str) -> Vec<String> {
    let of = |item: &Value| item[named].to_string().trim_matches('"').to_owned();
    items.iter().filter(|item| item["damage"].is_string() || item["kind"] == "unreadable").map(of).collect()
}

/// Kept lists and links, of which one each is damaged.
fn what_is_around_tickets(kofi: &Client) {
    let views = list(kofi, "/api/v1/views");
    assert_eq!((views.len(), damaged(&views, "name")), (2, vec!["Ours".to_owned()]), "{views:?}");
    let links = list(kofi, "/api/v1/tickets/IT-2/links");
    assert_eq!(damaged(&links, "ticket"), ["IT-1"], "{links:?}");
}

#[test]
fn a_damaged_row_is_shown_as_damaged_and_spoils_no_list() {
    on_both(|database| {
        let desk = lived_in(database);
        let (amara, lena, kofi, mei) =
            (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"), desk.as_role("mei"));
        let far = |sql: &str| sql.replace("FAR", "9000000000000000000");
        let run = "(select id from tickets where number = 2)";
        for edit in [
            far(
                "update tickets set kind = 'upside down', state = 'inside out', team = '', updated_at = FAR, tags = 'none' where number = 1",
            ),
            "update grants set state = 'lost', groups = '{' where tier = 'write'".to_owned(),
            "update access_cases set steps = 'nonsense', state = 'upside down' where tier = 'manager'".to_owned(),
            "update timeline set details = 'nonsense', author_kind = 9 where ticket = 2 and seq = 2".to_owned(),
            far(&format!("update runs set at = FAR where ticket = {run}")),
            far(&format!("update outbox set queued_at = FAR where ticket = {run}")),
            far("update deployment_events set at = FAR"),
            far("update deployments set changed_at = -FAR where name = 'team-routing'"),
            far("update rule_versions set first_seen = FAR where name = 'team-routing'"),
            "update views set filter = 'nonsense' where name = 'Ours'".to_owned(),
        ] {
            in_runtime(by_hand(&desk.target(), &[&edit]));
        }
        for (client, path) in [
            (&kofi, "/api/v1/tickets"),
            (&kofi, "/api/v1/tickets?sort=number"),
            (&kofi, "/api/v1/tickets?sort=updated"),
            (&kofi, "/api/v1/tickets?requester=amara"),
            (&amara, "/api/v1/tickets"),
            (&mei, "/api/v1/tickets"),
        ] {
            let items = list(client, path);
            assert_eq!((items.len(), damaged(&items, "key")), (6, vec!["IT-1".to_owned()]), "{path}: {items:?}");
        }
        what_is_around_tickets(&kofi);
        let waiting = list(&lena, "/api/v1/access-requests");
        assert_eq!((waiting.len(), damaged(&waiting, "key")), (2, vec!["IT-6".to_owned()]), "{waiting:?}");
        let held = list(&amara, "/api/v1/people/amara/grants");
        assert_eq!((held.len(), damaged(&held, "tier")), (2, vec!["write".to_owned()]), "{held:?}");
        assert!(held.iter().all(|grant| grant["effective"] == (grant["tier"] == "user")), "{held:?}");
        let who: Vec<Value> = list(&mei, "/api/v1/access?person=amara").iter().map(|w| w["grant"].clone()).collect();
        assert_eq!((who.len(), damaged(&who, "tier")), (2, vec!["write".to_owned()]), "{who:?}");
        let timeline = list(&kofi, "/api/v1/tickets/IT-2/timeline");
        assert!(timeline.len() > 3 && damaged(&timeline, "seq") == ["2"], "{timeline:?}");
        let runs = list(&kofi, "/api/v1/tickets/IT-2/decisions");
        assert_eq!((runs.len(), damaged(&runs, "generation").len()), (1, 1), "{runs:?}");
        assert!(!list(&kofi, "/api/v1/tickets/IT-2/messages").is_empty());
        for path in ["tickets/IT-2/explain", "rules", "rules/team-routing/events", "rules/team-routing/versions"] {
            kofi.get(&format!("/api/v1/{path}")).expect(200);
        }
        each_list_has_what_is_whole(&desk, database);
        // The ticket by itself says what is wrong with it, and tells none of what stands there.
        let problem = kofi.get("/api/v1/tickets/IT-1").expect(500);
        assert_eq!(problem["type"], "/problems/damaged", "{problem}");
        assert!(!problem.to_string().contains("upside down"), "{problem}");
        // Work goes on.
        let jira = json!({ "request_type": "access", "subject": "jira please", "fields": { "app": "jira", "tier": "user",
            "duration-hours": 10, "justification": "I join the data project on Monday" } });
        lena.post("/api/v1/tickets", &jira).expect(201);
        // Who may hold something that cannot be read is given nothing more meanwhile.
        assert_eq!(amara.post("/api/v1/tickets", &jira).expect(500)["type"], "/problems/damaged");
        kofi.post("/api/v1/tickets/IT-2/comments", &json!({ "body": "we look at it" })).expect(201);
        desk.do_what_is_due();
    });
}
