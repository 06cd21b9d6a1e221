//! A request that is sent again under its key is done once; a key that cannot be honoured is refused.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

fn keyed(client: &Client, key: &str) -> Client {
    client.with("idempotency-key", key)
}

fn entries(desk: &House, ticket: &str, kind: &str) -> usize {
    let timeline = desk.as_role("kofi").get(&format!("/api/v1/tickets/{ticket}/timeline")).expect(200);
    timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).count()
}

#[test]
fn every_write_about_tickets_is_done_once_under_its_key() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let body = json!({ "request_type": "question", "subject": "Once", "body": "Please tell me." });
        amara.post("/api/v1/tickets", &body).expect(201);

        let comment = json!({ "body": "once please" });
        let path = "/api/v1/tickets/IT-1/comments";
        let send = || keyed(&amara, "k1").post(path, &comment);
        let first = send().expect(201);
        assert_eq!(send().expect(200)["version"], first["version"]);
        assert_eq!(entries(&desk, "IT-1", "commented"), 1);
        let other = keyed(&amara, "k1").post(path, &json!({ "body": "another" })).expect(422);
        assert_eq!(other["type"], "/problems/idempotency-key-reused");
        keyed(&kofi, "k1").post(path, &comment).expect(201);
        assert_eq!(entries(&desk, "IT-1", "commented"), 2, "the same key of another person is another");

        let step = json!({ "to": "in_progress", "reason": "I have it" });
        let seen = keyed(&kofi, "k2").with("if-match", "\"3\"");
        let go = || seen.post("/api/v1/tickets/IT-1/transitions", &step);
        assert_eq!(go().expect(200)["state"], "in_progress");
        assert_eq!(go().expect(200)["state"], "in_progress", "not stale: it was this very request");
        assert_eq!(entries(&desk, "IT-1", "state-changed"), 1);

        let edit = json!({ "priority": "critical", "reason": "all of Berlin" });
        let seen = keyed(&kofi, "k3").with("if-match", "\"4\"");
        let change = || seen.patch("/api/v1/tickets/IT-1", &edit);
        assert_eq!([change().expect(200)["version"].clone(), change().expect(200)["version"].clone()], [5, 5]);

        let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
            "tier": "write", "duration-hours": 24, "justification": "I join the data project on Monday" } });
        amara.post("/api/v1/tickets", &access).expect(201);
        let shown = lena.get("/api/v1/tickets/IT-2/access").expect(200);
        let decision = json!({ "approve": true, "seen": shown["snapshot"] });
        let decide = || keyed(&lena, "k4").post("/api/v1/tickets/IT-2/access/decisions", &decision).expect(200);
        let decided = decide();
        assert_eq!(decide()["access"], decided["access"]);
        let grants = amara.get("/api/v1/people/amara/grants").expect(200);
        if let Some(grant) = grants[0]["id"].as_str() {
            let path = format!("/api/v1/grants/{grant}/revoke");
            let reason = json!({ "reason": "the project is over" });
            let revoke = || keyed(&desk.as_role("mei"), "k5").post(&path, &reason).expect(200);
            assert_eq!(revoke(), revoke());
        }
    });
}

/// The answer to a request does not change with the forms.
#[test]
fn a_ticket_that_is_sent_again_is_there_also_where_its_form_is_another_by_now() {
    on_both(|database| {
        let desk = House::demo(database);
        let send = |key: &str| {
            let body = json!({ "request_type": "incident", "subject": "VPN is down",
                "body": "Nobody in Berlin can reach the VPN since 9.",
                "fields": { "service": "vpn", "people-affected": 40, "impact": "high" } });
            keyed(&desk.as_role("amara"), key).post("/api/v1/tickets", &body)
        };
        let made = send("k1").expect(201);
        let forms = desk.settings().with_file_name("request-types.toml");
        let text = std::fs::read_to_string(&forms).unwrap();
        let changed = text.replacen("\"low\", \"medium\", \"high\"", "\"low\", \"medium\", \"huge\"", 1);
        assert_ne!(changed, text);
        std::fs::write(&forms, changed).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(send("k2").status, 422);
        assert_eq!(send("k1").expect(200)["key"], made["key"]);
    });
}

#[test]
fn the_same_comment_sent_many_times_at_once_is_there_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        let body = json!({ "request_type": "question", "subject": "Once", "body": "Please tell me." });
        amara.post("/api/v1/tickets", &body).expect(201);
        let send = || keyed(&amara, "k").post("/api/v1/tickets/IT-1/comments", &json!({ "body": "once" })).status;
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let sends: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
            sends.into_iter().map(|send| send.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
        assert_eq!(entries(&desk, "IT-1", "commented"), 1);
    });
}

/// Says so many different things on a ticket at once, while something else is done; the statuses.
fn at_once(client: &Client, ticket: &str, count: usize, other: impl Fn() -> u16 + Send + Sync) -> (Vec<u16>, u16) {
    let path = format!("/api/v1/tickets/{ticket}/comments");
    let say = |n: usize| client.post(&path, &json!({ "body": format!("word {n}") })).status;
    std::thread::scope(|scope| {
        let say = &say;
        let sends: Vec<_> = (0..count).map(|n| scope.spawn(move || say(n))).collect();
        let other = scope.spawn(other);
        (sends.into_iter().map(|send| send.join().unwrap()).collect(), other.join().unwrap())
    })
}

/// A comment depends on nothing that others said meanwhile, and an approval on no comment: none is refused for the others.
#[test]
fn different_comments_at_once_are_all_taken_and_so_is_an_approval() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let body = json!({ "request_type": "question", "subject": "At once", "body": "Please tell me." });
        amara.post("/api/v1/tickets", &body).expect(201);
        let read = || amara.get("/api/v1/tickets/IT-1").status;
        assert_eq!(at_once(&amara, "IT-1", 64, read), (vec![201; 64], 200));
        assert_eq!(entries(&desk, "IT-1", "commented"), 64);
        let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
            "tier": "write", "duration-hours": 24, "justification": "I join the data project on Monday" } });
        amara.post("/api/v1/tickets", &access).expect(201);
        let approve = || lena.post("/api/v1/tickets/IT-2/access/decisions", &json!({ "approve": true })).status;
        let (said, approved) = at_once(&amara, "IT-2", 16, approve);
        assert_eq!(approved, 200);
        // After the approval a comment may lead elsewhere by the desk's policy; it is taken all the same.
        assert!(said.iter().all(|status| [200, 201].contains(status)), "{said:?}");
    });
}

/// Each would be right alone; together they take off more than there is, or do what is no more to be done.
#[test]
fn of_changes_that_depend_on_each_other_at_once_each_is_made_of_what_the_one_before_it_leaves() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let body = json!({ "request_type": "question", "subject": "At once", "body": "Please tell me." });
        amara.post("/api/v1/tickets", &body).expect(201);
        let all = |send: &(dyn Fn() -> u16 + Sync)| {
            let mut statuses: Vec<u16> = std::thread::scope(|scope| {
                let sends: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
                sends.into_iter().map(|send| send.join().unwrap()).collect()
            });
            statuses.sort_unstable();
            statuses
        };
        let time = "/api/v1/tickets/IT-1/time";
        kofi.post(time, &json!({ "minutes": 30 })).expect(200);
        let take_off = || kofi.post(time, &json!({ "minutes": -30, "note": "of another ticket" })).status;
        assert_eq!(all(&take_off), [200, 422, 422, 422, 422, 422, 422, 422]);
        assert_eq!(kofi.get(time).expect(200)["total_minutes"], 0);

        let tasks = kofi.post("/api/v1/tickets/IT-1/tasks", &json!({ "text": "order it" })).expect(200);
        let task = format!("/api/v1/tickets/IT-1/tasks/{}", tasks[0]["id"].as_str().unwrap());
        let done = || kofi.post(&task, &json!({ "to": "done" })).status;
        assert_eq!(all(&done), [200; 8]);
        assert_eq!(entries(&desk, "IT-1", "task"), 2, "it was added, and done once");

        let other = amara.post("/api/v1/tickets", &body).expect(201)["key"].clone();
        let named = json!({ "link": "blocked-by", "ticket": other });
        assert_eq!(all(&|| kofi.post("/api/v1/tickets/IT-1/links", &named).status), [200; 8]);
        assert_eq!(entries(&desk, "IT-1", "linked"), 1);
        assert_eq!(all(&|| kofi.post("/api/v1/tickets/IT-1/unlink", &named).status), [200; 8]);
        assert_eq!(entries(&desk, "IT-1", "unlinked"), 1);
    });
}

#[test]
fn routes_that_honour_no_key_refuse_one() {
    let desk = House::demo(Database::Sqlite);
    let mei = keyed(&desk.as_role("mei"), "k");
    let refused = |answer: crate::support::client::Answer, what: &str| {
        assert_eq!(answer.expect(400)["type"], "/problems/bad-header", "{what}");
    };
    refused(mei.put_text("/api/v1/tables/floors?why=test", "floor,team\n1,a\n", "text/csv"), "put");
    refused(mei.delete("/api/v1/tables/floors?why=test"), "delete");
    refused(mei.put("/api/v1/preferences", &json!({ "language": "en" })), "preferences");
    let empty = json!({});
    for path in [
        "rules/reload",
        "config/reload",
        "rules/team-routing/rollback",
        "tables/floors/rollback",
        "jobs/dead/outbox/retry",
        "articles",
        "articles/KB-1/state",
        "articles/KB-1/votes",
        "articles/KB-1/deflections",
        "tickets/IT-1/article",
        "access/orders/01a22499-78cd-70d3-9968-a16ee98dd302/attest",
    ] {
        refused(mei.post(&format!("/api/v1/{path}"), &empty), path);
    }
    assert_eq!(mei.get("/api/v1/tables/floors").status, 404, "nothing was done");
    let submission = json!({ "request_type": "question", "subject": "Once", "body": "Please tell me." });
    mei.post("/api/v1/rules/dry-run", &json!({ "submission": submission })).expect(200);
    for bad in [String::new(), "x".repeat(256)] {
        let amara = keyed(&desk.as_role("amara"), &bad);
        refused(amara.post("/api/v1/tickets", &submission), "a ticket");
    }
    let two = keyed(&keyed(&desk.as_role("amara"), "a"), "b");
    refused(two.post("/api/v1/tickets", &submission), "two keys");
    assert_eq!(desk.as_role("kofi").get("/api/v1/tickets").expect(200)["tickets"], Value::Array(Vec::new()));
}

/// A client that closes its sending side has hung up, and does not know whether it was done: under its key it is done once.
#[test]
fn a_request_whose_client_has_closed_its_side_is_sent_again_under_its_key() {
    on_both(|database| {
        let desk = House::demo(database);
        let body = json!({ "request_type": "question", "subject": "Once", "body": "Please tell me." });
        let text = body.to_string();
        let head = format!(
            "POST /api/v1/tickets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer demo-amara\r\n\
             Content-Type: application/json\r\nIdempotency-Key: hung-up\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        let mut stream = TcpStream::connect(desk.url.trim_start_matches("http://")).unwrap();
        stream.write_all((head + &text).as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        // Where it was cut off, there may be nothing to read at all.
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 201"), "{answer}");
        let amara = keyed(&desk.as_role("amara"), "hung-up");
        until("the ticket", || [200, 201].contains(&amara.post("/api/v1/tickets", &body).status).then_some(()));
        let list = desk.as_role("kofi").get("/api/v1/tickets").expect(200);
        let subjects = list["tickets"].as_array().unwrap().iter().filter(|ticket| ticket["subject"] == "Once");
        assert_eq!(subjects.count(), 1, "{list}");
    });
}

/// A submission of several requests was cut off, and what is left of it cannot be asked for any more: it comes to its end all the same.
#[test]
fn a_submission_that_was_cut_off_ends_also_where_the_rest_cannot_be_asked_for_any_more() {
    let desk = House::demo(Database::Postgres);
    let amara = desk.as_role("amara").with("idempotency-key", "half");
    let body = json!({ "people": ["amara", "jonas"], "items": [{ "app": "jira", "tier": "user", "duration_hours": 24 }],
        "justification": "the audit begins on Monday" });
    let post = || amara.post("/api/v1/access/submissions", &body);
    let made = post().expect(201);
    desk.sql("update access_bundle_parts set ticket = null where part = 1");
    desk.sql("delete from idempotency where key like 'bundle %/1'");
    let people = desk.settings().with_file_name("people.toml");
    let text = std::fs::read_to_string(&people).unwrap();
    std::fs::write(&people, text.replace("id = \"jonas\"\n", "id = \"jonas\"\nactive = false\n")).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    let ended = post().expect(201);
    assert_eq!(ended["requests"][0]["ticket"], made["requests"][0]["ticket"], "{ended}");
    let rest = &ended["requests"][1];
    assert!(rest["ticket"].is_null() && rest["problem"].as_str().is_some_and(|why| !why.is_empty()), "{ended}");
    assert_eq!(post().expect(201), ended, "and stays so");
    // It is kept in English, as programs read it; its page says it in the reader's language.
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let sign_in = agent.post(format!("{}/sign-in", desk.url)).header("sec-fetch-site", "same-origin");
    let answer = sign_in.send_form([("token", "demo-amara")]).unwrap();
    let cookie = answer.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = agent.get(format!("{}/access/submissions/{}", desk.url, ended["id"].as_str().unwrap()));
    let mut got = page.header("cookie", format!("{cookie}; ruledesk-language=de")).call().unwrap();
    let page = got.body_mut().read_to_string().unwrap();
    assert!(page.contains("Verzeichnis") && !page.contains(" directory"), "{page}");
}

/// Whichever of them makes a request, the others find it: none notes that the access is asked for already.
#[test]
fn the_same_submission_sent_many_times_at_once_names_the_tickets_that_were_made() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = keyed(&desk.as_role("amara"), "at-once");
        let body = json!({ "people": ["amara", "jonas"], "justification": "the audit begins on Monday",
            "items": [{ "app": "github", "tier": "write", "duration_hours": 240 }] });
        let post = || amara.post("/api/v1/access/submissions", &body);
        let send = || post().status;
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let sends: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
            sends.into_iter().map(|send| send.join().unwrap()).collect()
        });
        assert!(statuses.contains(&201), "{statuses:?}");
        let made = post().expect(201);
        for part in made["requests"].as_array().unwrap() {
            assert!(part["ticket"].is_string() && part["problem"].is_null(), "{made}");
        }
    });
}
