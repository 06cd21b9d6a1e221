//! Lists over HTTP: what their items have, how they page, and what is refused.

mod views;

use serde_json::{Value, json};

use crate::support::desk::{Client, Database, Desk, on_both};

fn question(n: usize) -> Value {
    json!({ "request_type": "question", "subject": format!("How do I do thing {n}?"), "body": "Please tell me.",
        "fields": { "topic": "howto" } })
}

fn access(person: &str, app: &str, tier: &str) -> Value {
    json!({ "request_type": "access", "subject": format!("{app} please"), "fields": {
        "app": app, "tier": tier, "for": person, "duration-hours": 100, "justification": "I join the data project on Monday" } })
}

/// All items of a list that is an array, by following its links; and how many pages those were. The path may have a query.
fn followed(client: &Client, path: &str, limit: usize) -> (Vec<Value>, usize) {
    let (path, narrowed) = path.split_once('?').map_or((path, String::new()), |(path, by)| (path, format!("{by}&")));
    let (mut all, mut pages, mut query) = (Vec::new(), 0, format!("?{narrowed}limit={limit}"));
    loop {
        let answer = client.get(&format!("{path}{query}"));
        let items = answer.expect(200);
        let items = items.as_array().unwrap();
        assert!(items.len() <= limit, "{answer:?}");
        all.extend(items.iter().cloned());
        pages += 1;
        let Some(link) = answer.link else { return (all, pages) };
        query = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
}

#[test]
fn items_of_a_list_have_what_a_list_shows_and_no_texts() {
    on_both(|database| {
        let desk = Desk::demo(database);
        desk.as_role("amara").post("/api/v1/tickets", &question(1)).expect(201);
        let ticket = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200);
        let list = desk.as_role("kofi").get("/api/v1/tickets").expect(200);
        let item = list["tickets"][0].as_object().unwrap();
        for text in ["body", "fields", "attachments", "signals"] {
            assert!(!item.contains_key(text), "{text}: {list}");
        }
        assert_eq!(item["due_at"], ticket["resolution"]["due_at"]);
        for (name, value) in item.iter().filter(|(name, _)| *name != "due_at") {
            assert_eq!(*value, ticket[name], "{name}");
        }
    });
}

#[test]
fn every_list_that_is_an_array_links_its_next_page() {
    on_both(|database| {
        let desk = Desk::demo(database);
        let (amara, kofi, lena) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("lena"));
        let waits = [("amara", "github", "write"), ("jonas", "github", "write"), ("sofia", "github", "write")];
        for (person, app, tier) in waits.into_iter().chain([("amara", "jira", "admin"), ("jonas", "jira", "admin")]) {
            amara.post("/api/v1/tickets", &access(person, app, tier)).expect(201);
            let granted = amara.post("/api/v1/tickets", &access("amara", "jira", "user")).expect(201);
            assert_eq!(granted["access"]["state"], "approved");
        }
        let (waiting, pages) = followed(&lena, "/api/v1/access-requests", 2);
        let keys: Vec<&str> = waiting.iter().map(|ticket| ticket["key"].as_str().unwrap()).collect();
        assert_eq!((keys, pages), (vec!["IT-1", "IT-3", "IT-5", "IT-7", "IT-9"], 3));
        assert_eq!(waiting[0]["access"]["justification"], "I join the data project on Monday");
        assert_eq!(waiting[0]["access"]["awaited"], json!(["lena"]));

        // What narrows a list narrows all of its pages.
        lena.post("/api/v1/tickets", &access("lena", "jira", "user")).expect(201);
        let ids = |held: &[Value]| held.iter().map(|held| held["grant"]["id"].clone()).collect::<Vec<_>>();
        for (narrowed, others) in [("person=amara", "lena"), ("person=lena", "amara"), ("app=jira", "no one")] {
            let path = format!("/api/v1/access?{narrowed}");
            let (held, _) = followed(&kofi, &path, 1);
            assert!(
                !held.is_empty() && held.iter().all(|held| held["grant"]["subject"] != others),
                "{narrowed}: {held:?}"
            );
            assert_eq!(ids(&held), ids(kofi.get(&path).expect(200).as_array().unwrap()), "{narrowed}");
        }

        let (grants, pages) = followed(&amara, "/api/v1/people/amara/grants", 2);
        assert_eq!((grants.len(), pages), (5, 3));
        let whole = amara.get("/api/v1/people/amara/grants");
        assert_eq!((whole.link.as_deref(), whole.expect(200)), (None, Value::Array(grants)));

        for n in 0..4 {
            kofi.post("/api/v1/tickets/IT-1/comments", &json!({ "body": format!("{n}"), "internal": n % 2 == 0 }))
                .expect(201);
        }
        for client in [&kofi, &amara] {
            let whole = client.get("/api/v1/tickets/IT-1/timeline").expect(200);
            let (entries, pages) = followed(client, "/api/v1/tickets/IT-1/timeline", 3);
            assert_eq!((pages, Value::Array(entries)), (whole.as_array().unwrap().len().div_ceil(3), whole));
        }
        let whole = kofi.get("/api/v1/tickets/IT-1/messages").expect(200);
        let (messages, pages) = followed(&kofi, "/api/v1/tickets/IT-1/messages", 1);
        assert_eq!(messages.len(), pages, "an acknowledgement, and what lena is asked");
        assert_eq!((pages > 1, Value::Array(messages)), (true, whole));
    });
}

#[test]
fn an_export_has_every_ticket_once_by_number_and_the_changed_ones_by_time() {
    on_both(|database| {
        let desk = Desk::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        for n in 1..=5 {
            amara.post("/api/v1/tickets", &question(n)).expect(201);
        }
        let keys = |client: &Client, query: &str| {
            let (mut keys, mut after) = (Vec::new(), String::new());
            loop {
                let page = client.get(&format!("/api/v1/tickets?limit=2&{query}{after}")).expect(200);
                let tickets = page["tickets"].as_array().unwrap();
                keys.extend(tickets.iter().map(|ticket| ticket["key"].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { return keys };
                after = format!("&after={next}");
            }
        };
        let all = ["IT-1", "IT-2", "IT-3", "IT-4", "IT-5"];
        assert_eq!(keys(&kofi, "sort=number"), all);
        assert_eq!(keys(&amara, "sort=number"), all, "a requester exports their own");
        assert_eq!(keys(&desk.as_role("lena"), "sort=number"), [""; 0], "and nobody else's");
        kofi.post("/api/v1/tickets/IT-2/comments", &json!({ "body": "Like this." })).expect(201);
        assert_eq!(keys(&kofi, "sort=updated"), ["IT-1", "IT-3", "IT-4", "IT-5", "IT-2"]);
        let changed = kofi.get("/api/v1/tickets/IT-2").expect(200)["updated_at"].as_str().unwrap().to_owned();
        assert_eq!(keys(&kofi, &format!("sort=updated&updated_since={changed}")), ["IT-2"]);
    });
}

#[test]
fn what_a_list_cannot_do_is_refused_with_what_to_do() {
    let desk = Desk::demo(Database::Sqlite);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    for n in 1..=2 {
        amara.post("/api/v1/tickets", &question(n)).expect(201);
    }
    let next = kofi.get("/api/v1/tickets?limit=1").expect(200)["next"].as_str().unwrap().to_owned();
    for (query, says) in [
        ("limit=0".to_owned(), "1 to 200"),
        ("limit=-1".to_owned(), "1 to 200"),
        ("limit=201".to_owned(), "1 to 200"),
        (format!("sort=number&after={next}"), "same `sort`"),
        (format!("after=2{}", &next[1..]), "begin again"),
        ("sort=age".to_owned(), "queue"),
        ("colour=red".to_owned(), "unknown field `colour`"),
        ("updated_since=2026-01-01T00:00:00Z".to_owned(), "sort=updated"),
        ("sort=updated&updated_since=yesterday".to_owned(), "updated_since"),
    ] {
        let problem = kofi.get(&format!("/api/v1/tickets?{query}")).expect(400);
        assert_eq!(problem["type"], "/problems/bad-query", "{query}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says) && !detail.contains("deserialize"), "{query}: {problem}");
    }
    for list in ["tickets/IT-1/timeline", "tickets/IT-1/messages", "access-requests", "people/kofi/grants"] {
        for query in ["limit=0", "limit=201", "after=zzz", "colour=red"] {
            assert_eq!(kofi.get(&format!("/api/v1/{list}?{query}")).status, 400, "{list}?{query}");
        }
    }
}
