//! Who sees what.

use serde_json::json;

use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

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

/// One who follows the tickets of a department reads the public part of them, in the list and one by one, and changes nothing.
#[test]
fn readers_of_a_department_see_the_public_part_of_its_tickets_and_change_nothing() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let body = json!({ "request_type": "question", "subject": "A matter of Finance", "body": "Please tell me.", "fields": { "topic": "other" } });
        amara.post("/api/v1/tickets", &body).expect(201);
        kofi.post("/api/v1/tickets", &body).expect(201);
        let note = json!({ "body": "She asked twice already", "internal": true });
        kofi.post("/api/v1/tickets/IT-1/comments", &note).expect(201);
        kofi.post("/api/v1/tickets/IT-1/comments", &json!({ "body": "We look into it" })).expect(201);
        let listed = |client: &crate::support::client::Client, query: &str| {
            let list = client.get(&format!("/api/v1/tickets{query}")).expect(200);
            let keys = list["tickets"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap().to_owned());
            keys.collect::<Vec<_>>()
        };
        assert_eq!(
            lena.get("/api/v1/tickets/IT-1").status,
            404,
            "she is of the department, and not one of its readers"
        );
        assert_eq!(lena.get("/api/v1/tickets?department=Finance").status, 404);

        let file = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let readers = "\n[[department-readers]]\ndepartment = \"Finance\"\npeople = [\"lena\"]\n";
        std::fs::write(&file, text + readers).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);

        let seen = lena.get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(seen["subject"], "A matter of Finance");
        assert_eq!(seen.get("team"), amara.get("/api/v1/tickets/IT-1").expect(200).get("team"), "as its requester");
        let timeline = lena.get("/api/v1/tickets/IT-1/timeline").expect_text(200).to_owned();
        assert!(timeline.contains("We look into it") && !timeline.contains("twice already"), "{timeline}");
        assert_eq!(lena.get("/api/v1/tickets/IT-1/attachments").expect(200), json!([]));
        assert_eq!(listed(&lena, "?department=Finance"), ["IT-1"]);
        assert_eq!(listed(&lena, "?department=Finance&state=closed"), [""; 0]);
        assert_eq!(listed(&lena, ""), [""; 0], "her own are as before");
        assert_eq!(listed(&lena, "?requester=amara"), [""; 0]);
        assert_eq!(listed(&kofi, "?department=Finance"), ["IT-1"], "those who work on tickets list by department too");
        assert_eq!(lena.get("/api/v1/tickets?department=Finance&team=network").status, 403);

        // Searched by its public words alone, and only where the department is named.
        let found = |client: &crate::support::client::Client, query: &str| {
            let all = client.get(&format!("/api/v1/search?{query}")).expect(200);
            all.as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        until("the words are found", || (found(&kofi, "q=matter").len() == 2).then_some(()));
        assert_eq!(found(&lena, "q=matter&department=Finance"), ["IT-1"]);
        assert_eq!(found(&lena, "q=twice&department=Finance"), [""; 0], "the private note");
        assert_eq!(found(&kofi, "q=twice&department=Finance"), ["IT-1"]);
        assert_eq!(found(&lena, "q=matter"), [""; 0], "her own are as before");
        assert_eq!(found(&lena, "q=matter&requester=amara"), [""; 0]);
        assert_eq!(lena.get("/api/v1/search?q=matter&department=Support").status, 404);
        assert_eq!(amara.get("/api/v1/search?q=matter&department=Finance").status, 404, "she is no reader of it");

        assert_eq!(lena.get("/api/v1/tickets/IT-2").status, 404, "another department's");
        assert_eq!(lena.get("/api/v1/tickets?department=Support").status, 404);
        assert_eq!(desk.as_role("priya").get("/api/v1/tickets/IT-1").status, 404);
        assert_eq!(lena.post("/api/v1/tickets/IT-1/comments", &json!({ "body": "Me too" })).status, 404);
        let cancel = json!({ "to": "cancelled" });
        assert_eq!(lena.with("if-match", "*").post("/api/v1/tickets/IT-1/transitions", &cancel).status, 404);
        assert_eq!(lena.get("/api/v1/tickets/IT-1/decisions").status, 403);
        desk.do_what_is_due();
    });
}

/// Readers of a department see that access was asked for, and neither who decides about it nor how. They read the tickets of those who
/// are in the department now.
#[test]
fn readers_of_a_department_see_no_decision_and_nothing_of_those_who_have_moved() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, priya) = (desk.as_role("amara"), desk.as_role("priya"));
        let wanted = json!({ "request_type": "access", "subject": "github please", "fields": {
            "app": "github", "tier": "write", "duration-hours": 240, "justification": "I join the data project on Monday" } });
        let own = amara.post("/api/v1/tickets", &wanted).expect(201);
        assert_eq!(own["access"]["awaited"], json!(["lena"]));
        let file = desk.settings().with_file_name("people.toml");
        let before = std::fs::read_to_string(&file).unwrap();
        let readers = "\n[[department-readers]]\ndepartment = \"Finance\"\npeople = [\"priya\"]\n";
        let write = |text: String| {
            std::fs::write(&file, text).unwrap();
            assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        };
        write(before.clone() + readers);
        let seen = priya.get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!((&seen["subject"], &seen["access"]), (&json!("github please"), &serde_json::Value::Null), "{seen}");
        let told = priya.get("/api/v1/tickets/IT-1/explain").expect_text(200).to_owned();
        assert!(!told.contains("lena") && !told.contains("Lena"), "{told}");
        let decides = priya.post("/api/v1/tickets/IT-1/access/decisions", &json!({ "approve": true }));
        assert!((403..=404).contains(&decides.status), "{}", decides.text);
        let follows = priya.post("/api/v1/tickets/IT-1/follow-ups", &json!({ "body": "And hers?" }));
        assert_eq!(follows.status, 404, "{}", follows.text);

        let moved = before.replace(
            "department = \"Finance\"\ntitle = \"Controller\"",
            "department = \"Support\"\ntitle = \"Controller\"",
        );
        assert_ne!(moved, before);
        write(moved + readers);
        assert_eq!(priya.get("/api/v1/tickets/IT-1").status, 404, "she is in another department now");
        desk.do_what_is_due();
    });
}
