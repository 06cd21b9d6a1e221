//! Whatever is sent, the answer is a problem that says what was wrong, and nothing is half-created.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

#[test]
fn every_malformed_request_gets_a_problem_that_names_what_was_wrong() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    let post = |body: &str| amara.send_text("/api/v1/tickets", body, "application/json");
    let cases: [(&str, u16, &str, &str); 12] = [
        ("{", 400, "/problems/bad-body", "EOF"),
        ("{x", 400, "/problems/bad-body", "it cannot be read as JSON: "),
        ("[]", 400, "/problems/bad-body", "begins with"),
        // The fields in their order are no object.
        (r#"["question","How do I print?","It has no toner."]"#, 400, "/problems/bad-body", "begins with"),
        ("\u{feff}{\"subject\":\"x\"}", 400, "/problems/bad-body", "request_type"),
        (r#"{"request_type":"incident","subject":"x","colour":"red"}"#, 400, "/problems/bad-body", "colour"),
        (r#"{"subject":"x"}"#, 400, "/problems/bad-body", "request_type"),
        (r#"{"request_type":7}"#, 400, "/problems/bad-body", "request_type"),
        (r#"{"request_type":"spoon","subject":"x"}"#, 422, "/problems/rejected", "request_type"),
        (r#"{"request_type":"question","subject":""}"#, 422, "/problems/rejected", "subject"),
        (r#"{"request_type":"question","subject":"x","fields":{"topic":{"a":1}}}"#, 422, "/problems/rejected", "topic"),
        (
            r#"{"request_type":"question","subject":"x","attachments":[{"name":"big","media_type":"a/b","size":9007199254740992}]}"#,
            422,
            "/problems/rejected",
            "attachments",
        ),
    ];
    for (body, status, kind, names) in cases {
        let answer = post(body);
        assert_eq!((answer.status, &answer.json()["type"]), (status, &Value::from(kind)), "{body}: {}", answer.text);
        assert!(answer.text.contains(names) && !answer.text.contains("`?`"), "{body}: {}", answer.text);
        assert_eq!(answer.media_type, "application/problem+json");
    }
    let latin1 = b"{\"request_type\":\"question\",\"subject\":\"caf\xe9\"}";
    assert_eq!(amara.send_bytes("/api/v1/tickets", latin1).status, 400);
    assert_eq!(amara.send_text("/api/v1/tickets", "x", "text/plain").status, 415);
    let kofi = desk.as_role("kofi");
    let nobody =
        json!({ "request_type": "question", "subject": "x", "body": "Please tell me.", "requester": "nobody" });
    assert_eq!(kofi.post("/api/v1/tickets", &nobody).expect(422)["problems"][0]["field"], "requester");
    assert_eq!(kofi.get("/api/v1/tickets").expect(200)["tickets"], json!([]), "nothing was half-created");
}

#[test]
fn large_bodies_are_refused_without_being_kept() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    let sized = |bytes: usize| json!({ "request_type": "question", "subject": "x", "body": "y".repeat(bytes) });
    let answer = amara.post("/api/v1/tickets", &sized(10 << 20));
    assert_eq!((answer.status, &answer.json()["type"]), (413, &json!("/problems/too-large")));
    let answer = amara.post("/api/v1/tickets", &sized(200_000)).expect(422);
    assert_eq!(answer["problems"][0]["field"], "body");
    amara.post("/api/v1/tickets", &sized(90_000)).expect(201);
}

#[test]
fn strange_paths_queries_and_headers_are_answered() {
    let desk = House::demo(Database::Sqlite);
    let kofi = desk.as_role("kofi");
    for (path, status) in [
        ("/api/v1/tickets/IT-999", 404),
        ("/api/v1/tickets/IT-x", 404),
        ("/api/v1/tickets?after=zzz", 400),
        ("/api/v1/tickets?state=asleep", 400),
        ("/api/v1/tickets?state=", 400),
        // No ticket has these names, and nothing is configured under them.
        ("/api/v1/tickets?team=netwrok", 400),
        ("/api/v1/tickets?category=network.vpm", 400),
        ("/api/v1/tickets?priority=urgentest&sort=number", 400),
        ("/api/v1/search?q=printer&team=netwrok", 400),
        ("/api/v1/tickets?tag=vpi", 400),
        ("/api/v1/tickets?request_type=incidnet", 400),
        ("/api/v1/search?q=printer&tag=vpi", 400),
        ("/api/v1/search?q=printer&request_type=incidnet", 400),
        ("/api/v1/tickets?colour=red", 400),
        ("/api/v1/tickets?limit=many", 400),
        ("/api/v1/tickets?team=%00", 400),
        ("/api/v1/tickets?team=caf%e9", 400),
        ("/api/v1/tickets?requester=%ed%a0%80", 400),
        ("/api/v1/tickets/IT-1?%ff=x", 400),
        ("/api/v2/tickets", 404),
        ("/api/v1/people/%20/grants", 404),
    ] {
        let answer = kofi.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(answer.media_type, "application/problem+json", "{path}");
    }
    let typo = kofi.get("/api/v1/tickets?team=netwrok").expect(400);
    assert!(typo["detail"].as_str().unwrap().contains("team `netwrok`"), "{typo}");
    for there in
        ["team=network", "category=network", "category=network.vpn", "priority=low", "tag=vip", "request_type=incident"]
    {
        assert_eq!(kofi.get(&format!("/api/v1/tickets?{there}")).expect(200)["tickets"], json!([]), "{there}");
        assert_eq!(kofi.get(&format!("/api/v1/search?q=printer&{there}")).expect(200), json!([]), "{there}");
    }
    let long = kofi.with("idempotency-key", &"k".repeat(300));
    let body = json!({ "request_type": "question", "subject": "x", "body": "Please tell me." });
    assert_eq!(long.post("/api/v1/tickets", &body).expect(400)["type"], "/problems/bad-header");
}

/// PostgreSQL has no zero character in a text: none comes that far, and both databases answer alike.
#[test]
fn a_zero_character_is_refused_wherever_it_stands() {
    on_both(|database| {
        let desk = House::demo(database);
        let (kofi, mei) = (desk.as_role("kofi"), desk.as_role("mei"));
        let submission =
            json!({ "request_type": "question", "subject": "x", "body": "Please.", "fields": { "topic": "other" } });
        kofi.post("/api/v1/tickets", &submission).expect(201);
        let refused = |answer: &Answer, status: u16, field: &str, what: &str| {
            assert_eq!((answer.status, answer.media_type.as_str()), (status, "application/problem+json"), "{what}");
            assert_eq!(answer.json()["problems"][0]["field"], field, "{what}: {}", answer.text);
        };
        for (path, field) in [
            ("/tickets/IT-%00", "key"),
            ("/tickets/IT-1%00/timeline", "key"),
            ("/tickets/IT-1/explain?field=%00", "field"),
            ("/tickets?team=%00", "team"),
            ("/tickets?requester=a%00b", "requester"),
            ("/people/%00/grants", "id"),
            ("/rules/%00/versions", "name"),
            ("/rules/a/versions/%00", "digest"),
            ("/rules/a/versions/diff?from=abcd&to=%00", "to"),
            ("/rules/%00/events", "name"),
            ("/rules/%00/stats", "name"),
            ("/tables/%00", "name"),
            ("/tables/%00/versions/abcd", "name"),
        ] {
            refused(&mei.get(&format!("/api/v1{path}")), 400, field, path);
        }
        let latin1 = mei.get("/api/v1/rules/caf%e9/versions").expect(400);
        assert_eq!(latin1["type"], "/problems/bad-path");

        let zero = "x\0";
        let seen = kofi.with("if-match", "\"1\"");
        for (path, body, field) in [
            ("/tickets/IT-1/comments", json!({ "body": zero }), "body"),
            ("/tickets/IT-1/transitions", json!({ "to": "in_progress", "reason": zero }), "reason"),
            ("/tickets/IT-1/access/decisions", json!({ "approve": false, "reason": zero }), "reason"),
            (
                "/tickets",
                json!({ "request_type": "question", "subject": "x", "fields": { "topic": zero } }),
                "fields.topic",
            ),
            ("/tickets", json!({ "request_type": "question", "subject": "x", "tags": ["vip", zero] }), "tags[1]"),
        ] {
            let client = if path.ends_with("/transitions") { &seen } else { &kofi };
            refused(&client.post(&format!("/api/v1{path}"), &body), 422, field, path);
        }
        let why = json!({ "why": zero });
        let of_a_version = json!({ "why": zero, "version": "abcd" });
        for (step, body) in [("rollback", &why), ("suspend", &why), ("resume", &why), ("approve", &of_a_version)] {
            let path = format!("/api/v1/rules/tidy-text/{step}");
            refused(&mei.post(&path, body), 422, "why", &path);
        }
        let put = |table: &str| mei.put_text("/api/v1/tables/assets?why=new", table, "text/csv");
        refused(&put("asset,own\0er\na,b\n"), 422, "line 1, own\0er", "a heading");
        refused(&put("asset,owner\na,b\0\n"), 422, "line 2, owner", "a cell");
        let why = mei.put_text("/api/v1/tables/assets?why=new%00", "asset,owner\na,b\n", "text/csv");
        refused(&why, 400, "why", "a reason");
        for part in ["manifest", "signature", "why"] {
            let parts = ["manifest", "component", "signature", "why"];
            let text = |name: &str| if name == part { &b"x\0"[..] } else { &b"x"[..] };
            let parts = parts.map(|name| (name, text(name)));
            refused(&mei.send_parts("/api/v1/rules", &parts), 422, part, part);
        }
        assert_eq!(kofi.get("/api/v1/tickets").expect(200)["tickets"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_configuration_that_is_wrong_says_where_and_changes_nothing() {
    let output = std::process::Command::new(crate::support::components::PROGRAM)
        .args(["serve", "--config"])
        .arg({
            let dir = crate::support::components::scratch().join("bad-config");
            std::fs::create_dir_all(&dir).unwrap();
            let demo = crate::support::components::root().join("host/demo");
            for file in ["desk", "people", "teams", "taxonomy", "request-types", "apps"] {
                let text = std::fs::read_to_string(demo.join(format!("{file}.toml"))).unwrap();
                let text = text.replace("team = \"service-desk\"", "team = \"servce-desk\"");
                std::fs::write(dir.join(format!("{file}.toml")), text).unwrap();
            }
            dir
        })
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("desk.toml:") && text.contains("servce-desk"), "{text}");
    assert!(text.contains("taxonomy.toml:"), "all problems at once: {text}");
    assert!(text.contains("service-desk"), "it says what is allowed: {text}");
}

/// Every text of a value that is the address of a problem.
fn kinds_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("/problems/") => drop(found.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| kinds_in(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| kinds_in(field, found)),
        _ => {}
    }
}

#[test]
fn the_type_of_a_problem_leads_everybody_to_what_it_means() {
    let desk = House::demo(Database::Sqlite);
    let anybody = desk.stranger();
    let program = anybody.with("accept", "application/json");
    let all = program.get("/problems").expect(200);
    let all = all.as_array().unwrap();
    let people = anybody.get("/problems");
    assert_eq!(people.media_type, "text/plain; charset=utf-8");
    for kind in all {
        let address = kind["type"].as_str().unwrap();
        assert_eq!(&program.get(address).expect(200), kind);
        let page = anybody.with("accept", "text/html, */*;q=0.8").get(address);
        assert_eq!((page.status, page.media_type.as_str()), (200, "text/plain; charset=utf-8"), "{address}");
        for part in ["title", "meaning", "remedy"] {
            let text = kind[part].as_str().unwrap();
            assert!(page.text.contains(text) && people.text.contains(text), "{address}: {text}");
        }
    }
    // Those that answers have, and those that the document shows.
    let mut shown = BTreeSet::new();
    kinds_in(&anybody.get("/openapi.json").expect(200), &mut shown);
    kinds_in(&anybody.get("/api/v1/tickets").expect(401), &mut shown);
    kinds_in(&anybody.get("/problems/spoon").expect(404), &mut shown);
    kinds_in(&anybody.post("/problems/stale", &json!({})).expect(405), &mut shown);
    assert!(shown.len() > 10, "{shown:?}");
    for address in shown {
        assert!(all.iter().any(|kind| kind["type"] == address.as_str()), "{address}");
    }
}

/// A log or a page that shows an answer shows as much of a stranger's text as one may send.
#[test]
fn no_answer_repeats_all_of_a_name_that_it_does_not_know() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei");
    let document = desk.stranger().get("/openapi.json").expect(200);
    let (long, most) = ("z".repeat(600), "z".repeat(101));
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(read) = methods.get("get").filter(|_| path.starts_with("/api/v1/")) else { continue };
        let parameters = read["parameters"].as_array().cloned().unwrap_or_default();
        let of = |place: &str| -> Vec<String> {
            let some = parameters.iter().filter(|parameter| parameter["in"] == place);
            some.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
        };
        let whole = |but: &str| {
            let parts =
                path.split('/').map(|part| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) if name == but => long.as_str(),
                    Some(_) => "x",
                    None => part,
                });
            parts.collect::<Vec<_>>().join("/")
        };
        let paths = of("path").into_iter().map(|name| whole(&name));
        for asked in paths.chain(of("query").into_iter().map(|name| format!("{}?{name}={long}", whole("")))) {
            let answer = mei.get(&asked);
            assert!(answer.status < 400 || !answer.text.contains(&most), "{asked}: {}", answer.text);
            count += usize::from(answer.status >= 400);
        }
    }
    assert!(count > 60, "{count} names");
    for (path, body) in [
        ("/api/v1/rules/access-policy/demote", json!({ "to": long, "why": "x" })),
        ("/api/v1/access/submissions", json!({ "items": long, "justification": "x" })),
    ] {
        let answer = mei.post(path, &body);
        assert!(answer.status == 400 && !answer.text.contains(&most), "{path}: {}", answer.text);
    }
    let zero = json!({ "request_type": "question", "subject": "x", "fields": { (long.as_str()): "\0" } });
    let answer = mei.post("/api/v1/tickets", &zero);
    assert!(answer.status == 422 && !answer.text.contains(&most), "{}", answer.text);
    let twice = format!(r#"{{"request_type": "question", "subject": "x", "fields": {{"{long}": 1, "{long}": 2}}}}"#);
    let answer = mei.send_text("/api/v1/tickets", &twice, "application/json");
    assert!(answer.status == 400 && !answer.text.contains(&most), "{}", answer.text);
}
