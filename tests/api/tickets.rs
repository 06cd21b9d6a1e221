//! What becomes of a submission.

use serde_json::{Value, json};

use crate::support::client::resolved;
use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

fn incident(subject: &str, more: &Value) -> Value {
    let mut body = json!({
        "request_type": "incident", "subject": subject, "body": "It has not worked since this morning.",
        "fields": { "service": "vpn" },
    });
    body["fields"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_ticket_goes_in_and_the_rules_decide() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        let body = incident("The VPN is down", &json!({ "people-affected": 40 }));
        let answer = amara.post("/api/v1/tickets", &body);
        let ticket = answer.expect(201);
        assert_eq!(ticket["key"], "IT-1");
        assert_eq!(answer.etag.as_deref(), Some("\"1\""));
        assert_eq!(ticket["category"], "network.vpn");
        let ticket = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(ticket["team"], "network");
        assert_eq!(ticket["priority"], "high");
        assert_eq!(ticket["state"], "open");
        assert!(ticket["assignee"].is_string());
        assert!(ticket["resolution"]["due_at"].is_string(), "its clock runs");

        let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions").expect(200);
        let stages = runs[0]["stages"].as_array().unwrap();
        let names: Vec<&str> = stages.iter().map(|s| s["stage"].as_str().unwrap()).collect();
        assert_eq!(names, ["intake", "categorization", "priority", "routing"]);
        for stage in stages {
            assert_eq!(stage["input"]["ticket"]["subject"], "The VPN is down");
            for rule in stage["rules"].as_array().unwrap() {
                assert_eq!(rule["outcome"], "answered", "{rule}");
                assert_eq!(rule["component"].as_str().unwrap().len(), 64);
                assert!(rule["fuel"].as_u64().unwrap() > 0);
            }
        }
        let queued = desk.as_role("kofi").get("/api/v1/tickets/IT-1/messages").expect(200);
        assert_eq!(queued[0]["kind"], "acknowledgement");
        assert_eq!(queued[0]["recipient"], "amara");
    });
}

#[test]
fn a_rejected_submission_names_its_fields_and_leaves_nothing() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        let body = json!({ "request_type": "hardware", "subject": "I need something", "body": "soon" });
        let problem = amara.post("/api/v1/tickets", &body).expect(422);
        assert_eq!(problem["type"], "/problems/rejected");
        let fields: Vec<&str> =
            problem["problems"].as_array().unwrap().iter().map(|p| p["field"].as_str().unwrap()).collect();
        assert!(fields.contains(&"device") && fields.contains(&"justification"), "{problem}");
        let list = desk.as_role("kofi").get("/api/v1/tickets").expect(200);
        assert_eq!(list["tickets"], json!([]));
    });
}

#[test]
fn the_queue_is_in_the_order_of_priority() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        for (subject, impact, urgency) in
            [("one", "low", "low"), ("two", "high", "high"), ("three", "medium", "medium"), ("four", "high", "high")]
        {
            let fields = json!({ "impact": impact, "urgency": urgency, "service": "intranet" });
            amara.post("/api/v1/tickets", &incident(subject, &fields)).expect(201);
        }
        let kofi = desk.as_role("kofi");
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = kofi.get(&format!("/api/v1/tickets?limit=1{after}")).expect(200);
            let ticket = &page["tickets"][0];
            seen.push((
                ticket["priority"].as_str().unwrap().to_owned(),
                ticket["subject"].as_str().unwrap().to_owned(),
            ));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let levels = ["critical", "high", "medium", "low"];
        let ranks: Vec<usize> = seen.iter().map(|(p, _)| levels.iter().position(|l| l == p).unwrap()).collect();
        assert_eq!(seen.len(), 4, "{seen:?}");
        assert!(ranks.is_sorted() && ranks.first() < ranks.last(), "{seen:?}");
        assert_eq!(seen[3].1, "one");
        assert_eq!(
            (seen[0].1.as_str(), seen[1].1.as_str()),
            ("two", "four"),
            "equals are in the order of their numbers"
        );
        let narrowed = kofi.get("/api/v1/tickets?priority=low&state=open,in_progress").expect(200);
        assert_eq!(narrowed["tickets"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn the_same_request_again_makes_no_second_ticket() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara").with("idempotency-key", "k-1");
        let body = incident("Once only", &json!({}));
        let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
            let sends: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let answer = amara.post("/api/v1/tickets", &body);
                        (answer.status, answer.json()["key"].clone())
                    })
                })
                .collect();
            sends.into_iter().map(|send| send.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|(_, key)| *key == answers[0].1), "{answers:?}");
        // Whatever the rules say now, they said something else to the request.
        put(&desk.rules, "01-refuse", &hostile_manifest("refuse", "intake", "reject", ""), hostile());
        until("a rule that refuses everything", || {
            (desk.as_role("amara").post("/api/v1/tickets", &body).status == 422).then_some(())
        });
        assert_eq!(amara.post("/api/v1/tickets", &body).json()["key"], answers[0].1);
        let other = amara.post("/api/v1/tickets", &incident("Another", &json!({})));
        assert_eq!(other.expect(422)["type"], "/problems/idempotency-key-reused");
    });
}

#[test]
fn tickets_are_shared_out_fairly_under_concurrency() {
    on_both(|database| {
        let desk = House::demo(database);
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        // Questions about how-to go to the service desk, which has three members in turn.
        let assignees: Vec<String> = std::thread::scope(|scope| {
            let sends: Vec<_> = (0..60)
                .map(|n| {
                    let (lena, kofi) = (&lena, &kofi);
                    scope.spawn(move || {
                        let subject = format!("How do I do thing {n}?");
                        let body = json!({ "request_type": "question", "subject": subject, "body": "Please tell me.", "fields": { "topic": "howto" } });
                        let made = lena.post("/api/v1/tickets", &body).expect(201);
                        let ticket = kofi.get(&format!("/api/v1/tickets/{}", made["key"].as_str().unwrap())).expect(200);
                        assert_eq!(ticket["team"], "service-desk");
                        ticket["assignee"].as_str().unwrap().to_owned()
                    })
                })
                .collect();
            sends.into_iter().map(|send| send.join().unwrap()).collect()
        });
        for person in ["kofi", "nadia", "samir"] {
            assert_eq!(assignees.iter().filter(|a| *a == person).count(), 20, "{person}");
        }
    });
}

#[test]
fn a_ticket_is_worked_on_by_the_table_and_by_version() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        amara.post("/api/v1/tickets", &incident("Work", &json!({}))).expect(201);
        let go = |client: &crate::support::client::Client, version: u32, to: &str| {
            let client = client.with("if-match", &format!("\"{version}\""));
            let mut step = resolved();
            (step["to"], step["reason"]) = (json!(to), json!("because"));
            client.post("/api/v1/tickets/IT-1/transitions", &step)
        };
        assert_eq!(kofi.post("/api/v1/tickets/IT-1/transitions", &json!({ "to": "in_progress" })).status, 428);
        assert_eq!(go(&kofi, 1, "in_progress").expect(200)["state"], "in_progress");
        assert_eq!(go(&kofi, 1, "resolved").expect(412)["type"], "/problems/stale");
        let paused = go(&kofi, 2, "waiting_requester").expect(200);
        assert_eq!(paused["resolution"]["due_at"], Value::Null, "the requester's time is not ours");
        let answer = amara.post("/api/v1/tickets/IT-1/comments", &json!({ "body": "Here it is." })).expect(201);
        assert_eq!(answer["state"], "in_progress", "the requester's answer brings it back");
        assert!(answer["resolution"]["due_at"].is_string());
        let refused = go(&amara, 4, "resolved").expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("only an agent"), "{refused}");
        assert_eq!(go(&kofi, 4, "resolved").expect(200)["state"], "resolved");
        assert_eq!(go(&kofi, 5, "closed").status, 409, "the requester confirms, not the agent");
        let for_lena =
            json!({ "requester": "lena", "request_type": "question", "subject": "How?", "body": "Please tell me." });
        let key = kofi.post("/api/v1/tickets", &for_lena).expect(201)["key"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/tickets/{key}/transitions");
        let step = |version: &str, step: &Value| kofi.with("if-match", version).post(&path, step);
        step("\"1\"", &json!({ "to": "in_progress", "reason": "r" })).expect(200);
        let category = json!({ "category": "software", "reason": "it is about software" });
        kofi.with("if-match", "\"2\"").patch(&format!("/api/v1/tickets/{key}"), &category).expect(200);
        step("\"3\"", &resolved()).expect(200);
        assert_eq!(step("\"4\"", &json!({ "to": "closed", "reason": "r" })).status, 409, "not even who submitted it");
        assert_eq!(go(&amara, 5, "closed").expect(200)["state"], "closed");
        let refused = go(&kofi, 6, "open").expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("cannot become open"), "{refused}");
    });
}
