//! Who sees what.

use serde_json::json;

use crate::support::house::House;
use crate::support::place::on_both;

#[test]
fn requesters_see_their_own_tickets_and_no_private_notes() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let body = json!({ "request_type": "question", "subject": "A private matter", "body": "Please tell me.", "fields": { "topic": "other" } });
        amara.post("/api/v1/tickets", &body).expect(201);
        let note = json!({ "body": "She asked twice already", "internal": true });
        kofi.post("/api/v1/tickets/IT-1/comments", &note).expect(201);
        kofi.post("/api/v1/tickets/IT-1/comments", &json!({ "body": "We look into it" })).expect(201);

        let own = amara.get("/api/v1/tickets/IT-1/timeline");
        assert!(own.text.contains("We look into it"));
        assert!(!own.text.contains("twice already"), "a private note leaked");
        assert!(!own.text.contains("internal"));
        assert!(kofi.get("/api/v1/tickets/IT-1/timeline").text.contains("twice already"));

        assert_eq!(lena.get("/api/v1/tickets/IT-1").status, 404, "somebody else's ticket is not there");
        assert_eq!(lena.get("/api/v1/tickets/IT-1/timeline").status, 404);
        assert_eq!(lena.get("/api/v1/tickets").expect(200)["tickets"], json!([]));
        assert_eq!(amara.get("/api/v1/tickets").expect(200)["tickets"][0]["key"], "IT-1");
        assert_eq!(amara.post("/api/v1/tickets/IT-1/comments", &note).status, 403);
        assert_eq!(amara.get("/api/v1/tickets/IT-1/decisions").status, 403);
    });
}

#[test]
fn every_route_asks_who_is_there() {
    on_both(|database| {
        let desk = House::demo(database);
        let document = desk.stranger().get("/openapi.json").expect(200);
        assert_eq!(document["openapi"], "3.1.0");
        let open = ["/healthz", "/readyz", "/metrics"];
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                let path = path.replace("{key}", "IT-1").replace("{id}", "amara").replace("{name}", "team-routing");
                let answer = |client: &crate::support::client::Client| match method.as_str() {
                    "get" => client.get(&path),
                    other => {
                        client.with("content-type", "application/json").send(&other.to_uppercase(), &path, Some(b"{}"))
                    }
                };
                let mut fake = desk.as_role("nobody-has-this");
                let expected = if open.contains(&path.as_str()) { 200 } else { 401 };
                assert_eq!(answer(&desk.stranger()).status, expected, "{method} {path}");
                fake = fake.with("x-test", "1");
                assert_eq!(answer(&fake).status, expected, "{method} {path} with an unknown token");
            }
        }
    });
}

#[test]
fn roles_bound_what_can_be_done() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        assert_eq!(amara.get("/api/v1/rules").status, 403);
        let rules = kofi.get("/api/v1/rules").expect(200);
        assert!(rules["rules"].as_array().unwrap().len() >= 7);
        assert!(rules["generation"].as_u64().unwrap() >= 1);
        assert_eq!(kofi.post("/api/v1/rules/reload", &json!({})).status, 403);
        mei.post("/api/v1/rules/reload", &json!({})).expect(200);
        assert_eq!(mei.post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(amara.get("/api/v1/config/request-types").expect(200).as_array().unwrap().len(), 7);
        let other = json!({ "request_type": "question", "subject": "For Lena", "body": "Please tell me.", "requester": "lena" });
        assert_eq!(amara.post("/api/v1/tickets", &other).status, 403);
        assert_eq!(kofi.post("/api/v1/tickets", &other).expect(201)["requester"], "lena");
    });
}
