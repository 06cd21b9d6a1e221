//! One client has the desk do only so much, and what it sends is only so long.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::{Client, resolved};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

fn question(body: &str) -> Value {
    json!({ "request_type": "question", "subject": "A question", "body": body, "fields": { "topic": "other" } })
}

/// A desk with other bounds than the demo's.
pub(super) fn bounded(database: Database, limits: &str) -> House {
    House::with_settings(database, example_rules(), |text| {
        let (head, rest) = text.split_once("[limits]").unwrap();
        let (_, rest) = rest.split_once("\n\n").unwrap();
        format!("{head}[limits]\n{limits}\n\n{rest}")
    })
}

fn retry_after(client: &Client, path: &str) -> (u16, Option<u64>) {
    let answer = client.get(path);
    (answer.status, answer.retry_after)
}

/// A client that reads them never meets the bound.
#[test]
fn each_answer_says_how_many_requests_are_left_and_when_all_are_there_again() {
    let desk = bounded(Database::Sqlite, "requests-per-minute = 6\naddress-requests-per-minute = 20");
    let amara = desk.as_role("amara");
    let left = || {
        let answer = amara.get("/api/v1/tickets");
        assert_eq!((answer.status, answer.header("ratelimit-policy")), (200, "\"person\";q=6;w=60"));
        answer.header("ratelimit").to_owned()
    };
    assert_eq!([left(), left()], ["\"person\";r=5;t=10", "\"person\";r=4;t=20"]);
    desk.clock.advance(SignedDuration::from_secs(20));
    assert_eq!(left(), "\"person\";r=5;t=10");
    let missing = amara.get("/api/v1/tickets/IT-99");
    assert_eq!((missing.status, missing.header("ratelimit")), (404, "\"person\";r=4;t=20"), "also where it is refused");
    assert_eq!(desk.stranger().get("/api/v1/tickets").header("ratelimit"), "", "there is no person whose they are");
}

#[test]
fn requests_of_one_person_and_from_one_address_come_only_so_fast() {
    let desk = bounded(Database::Sqlite, "requests-per-minute = 6\naddress-requests-per-minute = 20");
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let tickets = "/api/v1/tickets";
    for _ in 0..6 {
        assert_eq!(amara.get(tickets).status, 200);
    }
    assert_eq!(retry_after(&amara, tickets), (429, Some(10)));
    assert_eq!(kofi.get(tickets).status, 200, "another person has requests of their own");
    desk.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(amara.get(tickets).status, 200);
    assert_eq!(amara.get(tickets).expect(429)["type"], "/problems/too-many-requests");
    let mut strangers = 0;
    while desk.stranger().get(tickets).status == 401 {
        strangers += 1;
    }
    assert!((8..20).contains(&strangers), "{strangers} requests without a token");
    assert_eq!(desk.stranger().get(tickets).status, 429);
}

#[test]
fn unknown_tokens_are_looked_for_only_so_often_and_known_ones_pass() {
    let desk = House::demo(Database::Sqlite);
    let lena = desk.with_roles("lena", "requester");
    assert_eq!(lena.get("/api/v1/tickets").status, 200);
    let unknown = |n: usize| desk.stranger().bearing(&format!("rdk_{n}"));
    let refused = (0..200).find(|n| unknown(*n).get("/api/v1/tickets").status == 429);
    assert_eq!(refused, Some(120));
    assert_eq!(unknown(7).get("/api/v1/tickets").status, 401, "one that was looked for is known to be none");
    // The clock of the desk stands still: the store was not asked since.
    desk.clock.advance(SignedDuration::from_secs(6));
    assert_eq!(lena.get("/api/v1/tickets").status, 200, "a token that was seen before is looked for again");
    let again = (0..120).take_while(|n| unknown(*n).get("/api/v1/tickets").status == 401);
    assert_eq!(again.count(), 12, "those that are none come only so often, also where they come again");
}

#[test]
fn a_requester_has_so_many_open_tickets_comments_and_bytes() {
    on_both(|database| {
        let desk = bounded(database, "open-tickets = 2\ncomments-per-hour = 3\nmib-per-day = 1");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let create = |client: &Client| client.post("/api/v1/tickets", &question("Please tell me."));
        create(&amara).expect(201);
        create(&amara).expect(201);
        let refused = create(&amara);
        assert!(refused.expect(429)["detail"].as_str().unwrap().contains("not finished"), "{}", refused.text);
        (0..4).for_each(|_| drop(create(&kofi).expect(201)));
        let category = json!({ "category": "software", "reason": "it is about software" });
        kofi.with("if-match", "\"1\"").patch("/api/v1/tickets/IT-1", &category).expect(200);
        kofi.with("if-match", "\"2\"").post("/api/v1/tickets/IT-1/transitions", &resolved()).expect(200);
        create(&amara).expect(201);

        let comment = |body: &str| amara.post("/api/v1/tickets/IT-2/comments", &json!({ "body": body }));
        (0..3).for_each(|_| drop(comment("And?").expect(201)));
        assert!(comment("And?").expect(429)["detail"].as_str().unwrap().contains("comments in one hour"));
        // What leaves an entry otherwise counts with them.
        let follows = amara.put("/api/v1/tickets/IT-2/watchers/lena", &json!({}));
        assert!(follows.expect(429)["detail"].as_str().unwrap().contains("changes of tickets"), "{}", follows.text);
        let moves = amara.with("if-match", "*").post("/api/v1/tickets/IT-2/transitions", &json!({ "to": "cancelled" }));
        assert_eq!((moves.status, moves.retry_after.is_some()), (429, true));
        assert_eq!(amara.post("/api/v1/tickets/IT-2/escalate", &json!({ "reason": "now" })).status, 429);
        for command in [json!({ "comment": { "body": "And?" } }), json!({ "transition": { "to": "cancelled" } })] {
            let steps = json!({ "commands": [command] });
            let step = amara.with("if-match", "*").post("/api/v1/tickets/IT-2/steps", &steps);
            assert_eq!((step.status, step.retry_after.is_some()), (429, true), "{}", step.text);
        }
        let file = amara.send_file("/api/v1/tickets/IT-2/attachments?name=a.txt", "text/plain", b"and this");
        assert_eq!(file.status, 429, "{}", file.text);
        kofi.post("/api/v1/tickets/IT-2/comments", &json!({ "body": "Soon." })).expect(201);
        desk.advance(SignedDuration::from_hours(1));
        let long = "\u{1f600}".repeat(90_000);
        let taken = (0..3).take_while(|_| comment(&long).status == 201).count();
        assert_eq!(taken, 2, "a MiB a day");
        desk.advance(SignedDuration::from_hours(24));
        comment(&long).expect(201);
    });
}

#[test]
fn every_text_has_an_end() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi, mei) =
            (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"), desk.as_role("mei"));
        let long = |chars: usize| "c".repeat(chars);
        let with = |more: Value| {
            let mut body = question("Please tell me.");
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let file = |name: usize, media_type: usize| json!({ "attachments": [{ "name": long(name), "media_type": long(media_type), "size": 1 }] });
        for (body, field) in [
            (with(json!({ "channel": long(65) })), "channel"),
            (with(file(256, 3)), "attachments"),
            (with(file(3, 256)), "attachments"),
        ] {
            assert_eq!(kofi.post("/api/v1/tickets", &body).expect(422)["problems"][0]["field"], field);
        }
        kofi.post("/api/v1/tickets", &with(json!({ "channel": long(64) }))).expect(201);
        kofi.post("/api/v1/tickets", &with(file(255, 255))).expect(201);

        let step = |chars: usize| json!({ "to": "in_progress", "reason": long(chars) });
        let seen = kofi.with("if-match", "\"1\"");
        assert_eq!(
            seen.post("/api/v1/tickets/IT-1/transitions", &step(1001)).expect(422)["problems"][0]["field"],
            "reason"
        );
        seen.post("/api/v1/tickets/IT-1/transitions", &step(1000)).expect(200);

        let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
            "tier": "write", "duration-hours": 24, "justification": "I join the data project on Monday" } });
        let key = amara.post("/api/v1/tickets", &access).expect(201)["key"].as_str().unwrap().to_owned();
        let decide = |chars: usize| {
            let path = format!("/api/v1/tickets/{key}/access/decisions");
            lena.post(&path, &json!({ "approve": true, "reason": long(chars) }))
        };
        assert_eq!(decide(1001).expect(422)["problems"][0]["field"], "reason");
        decide(1000).expect(200);

        let put = |chars: usize| {
            mei.put_text(&format!("/api/v1/tables/floors?why={}", long(chars)), "floor,team\n1,a\n", "text/csv")
        };
        assert_eq!(put(1001).expect(422)["problems"][0]["field"], "why");
        put(1000).expect(200);
        assert_eq!(mei.delete(&format!("/api/v1/tables/floors?why={}", long(1001))).status, 422);
    });
}

#[test]
fn pages_end_where_they_get_long() {
    on_both(|database| {
        let desk = House::demo(database);
        let mei = desk.as_role("mei");
        // 400 rows of 8 KiB.
        let cell = "x".repeat(4000);
        let rows: String = (0..400).map(|n| format!("{n:04},{cell},{cell}\n")).collect();
        mei.put_text("/api/v1/tables/wide?why=test", &format!("k,a,b\n{rows}"), "text/csv").expect(200);
        let (mut after, mut keys, mut longest) = (String::new(), Vec::new(), 0);
        loop {
            let page = mei.get(&format!("/api/v1/tables/wide?limit=1000{after}"));
            longest = longest.max(page.text.len());
            let page = page.expect(200);
            keys.extend(page["rows"].as_array().unwrap().iter().map(|row| row["k"].as_str().unwrap().to_owned()));
            match page["next_after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert!(keys.len() == 400 && keys.is_sorted(), "{} rows", keys.len());
        assert!(longest < 1_200_000, "{longest} bytes");

        for n in 0..7 {
            let row = format!("k,a,b\n1,{n},{n}\n");
            mei.put_text(&format!("/api/v1/tables/wide?why=version+{n}"), &row, "text/csv").expect(200);
        }
        let first = mei.get("/api/v1/tables/wide/versions?limit=5").expect(200);
        let next = format!("/api/v1/tables/wide/versions?limit=5&after={}", first["next"].as_str().unwrap());
        let second = mei.get(&next).expect(200);
        let count = |page: &Value, list: &str| page[list].as_array().unwrap().len();
        assert_eq!([count(&first, "versions"), count(&first, "events")], [5, 5]);
        assert_eq!([count(&second, "versions"), count(&second, "events")], [3, 3]);
        assert!(second.get("next").is_none());
        let whole = mei.get("/api/v1/tables/wide/diff?from=00&to=00");
        assert_eq!(whole.status, 404, "no version, or several");
    });
}

#[test]
fn the_names_of_a_tables_columns_count_with_each_row_that_is_listed() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei");
    let put = |text: &str| mei.put_text("/api/v1/tables/wide?why=test", text, "text/csv");
    let names: Vec<String> = (0..60).map(|n| format!("{n}{}", "x".repeat(4_000))).collect();
    let rows: String = (0..40).map(|n| format!("{n:02}{}\n", ",".repeat(60))).collect();
    put(&format!("k,{}\n{rows}", names.join(","))).expect(200);
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let page = mei.get(&format!("/api/v1/tables/wide?limit=1000{after}"));
        assert!(page.text.len() < 2 << 20, "{} bytes", page.text.len());
        let page = page.expect(200);
        count += page["rows"].as_array().unwrap().len();
        match page["next_after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(count, 40);
    let long = "x".repeat(900_000);
    let many: String = (0..3_000).map(|n| format!("{n}{}\n", ",".repeat(60))).collect();
    let many = format!("k,{}\n{many}", names.join(","));
    let of_one = |end: &str| format!("k,{long}{end}\n1,2\n");
    for text in [of_one(""), of_one("\0"), of_one(":money"), many] {
        let refused = put(&text);
        assert!(refused.status == 422 && refused.text.len() < 40_000, "{}: {:.2000}", refused.status, refused.text);
    }
}

#[test]
fn limits_outside_what_is_documented_are_refused_everywhere() {
    let desk = House::demo(Database::Sqlite);
    let (amara, mei) = (desk.as_role("amara"), desk.as_role("mei"));
    amara.post("/api/v1/tickets", &question("Please tell me.")).expect(201);
    mei.put_text("/api/v1/tables/floors?why=test", "floor,team\n1,a\n", "text/csv").expect(200);
    let lists = [
        "/api/v1/tickets",
        "/api/v1/tickets/IT-1/timeline",
        "/api/v1/tickets/IT-1/messages",
        "/api/v1/access-requests",
        "/api/v1/people/amara/grants",
        "/api/v1/tables/floors",
        "/api/v1/tables/floors/versions",
        "/api/v1/rules/team-routing/versions",
        "/api/v1/rules/team-routing/events",
        "/api/v1/jobs/dead",
        "/api/v1/drafts",
        "/api/v1/tickets/IT-1/resolutions",
        "/api/v1/tickets/IT-1/time",
        "/api/v1/articles",
    ];
    for list in lists {
        for limit in ["0", "-1", "1e9", "1001", "1000000000", "99999999999999999999", "x", ""] {
            let answer = mei.get(&format!("{list}?limit={limit}"));
            assert_eq!(answer.status, 400, "{list} {limit}: {}", answer.text);
        }
        assert_eq!(mei.get(&format!("{list}?limit=200")).status, 200, "{list}");
    }
}
