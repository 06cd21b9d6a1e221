//! One person without rights at the newer doors: what they send is bounded and is text, stays their own, and leads no other away.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::house::House;
use crate::support::place::Database;

fn incident(body: &str) -> Value {
    json!({ "request_type": "incident", "subject": "VPN is down", "body": body })
}

fn id(n: u128) -> String {
    uuid::Uuid::from_u128(n).to_string()
}

/// A text as it stands in a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Drafts, lists and outages: those of others are not there, and each person has only so many.
fn keeps_little(desk: &House) {
    let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
    let draft = |n: u128, body: &str| amara.put(&format!("/api/v1/drafts/{}", id(n)), &incident(body)).status;
    assert_eq!(draft(1, &"y".repeat(900_000)), 422);
    assert_eq!((1..80).take_while(|n| draft(*n, "It is down.") == 200).count(), 50);
    assert_eq!(lena.get(&format!("/api/v1/drafts/{}", id(1))).status, 404);
    let list = |client: &Client, name: &str| {
        let body = json!({ "name": name, "audience": "staff", "filter": {} });
        client.put(&format!("/api/v1/views/{}", id(1)), &body).status
    };
    assert_eq!(list(&amara, "Ours"), 403);
    for name in ["a\u{202e}b", "\u{200b}", &"x".repeat(10_000)] {
        assert_eq!(list(&kofi, name), 422, "{name:.20}");
    }
    let outage = json!({ "announcement": "All is down", "like": { "words": ["vpn"] } });
    assert_eq!(amara.put("/api/v1/tickets/IT-1/outage", &outage).status, 403);
    let many = json!({ "announcement": "All is down", "like": { "words": vec!["vpn"; 10_000] } });
    assert_eq!(kofi.put("/api/v1/tickets/IT-1/outage", &many).status, 422);
    // Words and fields are shown to those who look at outages.
    for bad in ["vpn\u{1b}[2J", "npv\u{202e}", "two\nlines"] {
        let likes =
            [json!({ "words": [bad] }), json!({ "field": { "service": bad } }), json!({ "field": { bad: "vpn" } })];
        for like in likes {
            let outage = json!({ "announcement": "All is down", "like": like });
            let refused = kofi.put("/api/v1/tickets/IT-1/outage", &outage).expect(422);
            assert_eq!(refused["problems"][0]["code"], "bad-character", "{outage}: {refused}");
        }
    }
}

/// Submissions for many people, and questions back without end.
fn asks_for_little(desk: &House) {
    let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
    let justification = "I join the data project on Monday";
    let items = |n: usize| vec![json!({ "app": "github", "tier": "write" }); n];
    let many = json!({ "items": items(1000), "people": vec!["amara"; 1000], "justification": justification });
    assert_eq!(amara.post("/api/v1/access/submissions", &many).status, 422);
    let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
        "tier": "write", "duration-hours": 24, "justification": justification } });
    let key = amara.post("/api/v1/tickets", &access).expect(201)["key"].as_str().unwrap().to_owned();
    let ask = |client: &Client, question: &str| {
        client.post(&format!("/api/v1/tickets/{key}/access/questions"), &json!({ "question": question })).status
    };
    assert_eq!(ask(&amara, "Why me?"), 403);
    assert_eq!(ask(&lena, &"x".repeat(100_000)), 422);
    assert_eq!([ask(&lena, "Why?"), ask(&lena, "And why now?")], [204, 409], "one question at a time");
}

/// A clock that goes back by an hour, and on again: work goes on meanwhile, and no promise has run for less than no time.
fn clocks_go_back(desk: &House) {
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    desk.clock.advance(SignedDuration::from_hours(-1));
    kofi.post("/api/v1/tickets/IT-1/comments", &json!({ "body": "We look." })).expect(201);
    kofi.with("if-match", "*").post("/api/v1/tickets/IT-1/transitions", &json!({ "to": "in_progress" })).expect(200);
    amara.post("/api/v1/tickets", &incident("Now the other one, too.")).expect(201);
    for path in ["tickets", "tickets/IT-1/timeline", "tickets/IT-1/promises", "tickets/IT-1/explain", "views"] {
        kofi.get(&format!("/api/v1/{path}")).expect(200);
    }
    desk.clock.advance(SignedDuration::from_hours(1));
    let events = kofi.get("/api/v1/tickets/IT-1/promises/events").expect(200);
    let used = |event: &Value| {
        event.as_object().unwrap().iter().any(|(name, n)| name.contains("used") && n.as_i64() < Some(0))
    };
    assert!(!events.as_array().unwrap().iter().any(used), "{events}");
}

#[test]
fn one_without_rights_keeps_asks_and_finds_little_and_leads_no_one_away() {
    let desk = House::demo(Database::Sqlite);
    let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
    amara.post("/api/v1/tickets", &incident("It is down.")).expect(201);
    keeps_little(&desk);
    asks_for_little(&desk);
    // Days that no calendar has, and more of them than anyone reads.
    for days in ["from=0001-01-01&to=9999-12-31", "from=2026-11-30&to=2026-01-01", "from=9999-12-31&to=9999-12-31"] {
        assert_eq!(kofi.get(&format!("/api/v1/reports/volume?{days}")).status, 422, "{days}");
    }
    for day in ["9999-12-31", "-000001-01-01", "1969-12-31"] {
        let article = json!({ "title": "How", "body": "So", "review_on": day });
        assert_eq!(kofi.post("/api/v1/articles", &article).expect(422)["problems"][0]["field"], "review_on", "{day}");
    }
    assert_eq!(kofi.get("/api/v1/articles?review_by=9999-12-31").status, 200);
    // Filters that are deep, in a query and in a body.
    let deep = |n: usize| format!("{}userName pr{}", "(".repeat(n), ")".repeat(n));
    let keeper = desk.with_roles("mei", "directory");
    assert_eq!(mei.get("/scim/v2/Users").status, 403, "it is the provider's, and no person's");
    assert_eq!(keeper.get(&format!("/scim/v2/Users?filter={}", encoded(&deep(1000)))).status, 400);
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": deep(100_000) });
    assert_eq!(keeper.send_text("/scim/v2/.search", &search.to_string(), "application/scim+json").status, 400);
    // After signing in one stays here.
    for next in ["//evil.test", "/\\evil.test", "https://evil.test", "javascript:alert(1)", "/\t/evil.test", "\\\\evil"]
    {
        let page = desk.stranger().get(&format!("/sign-in?next={}", encoded(next))).text;
        assert!(page.contains("name=\"next\" value=\"/\""), "{next}");
    }
    assert_eq!(desk.stranger().with("accept", "text/html").get("/survey/IT-1.x").status, 404);
    clocks_go_back(&desk);
}
