//! Headers and bodies as the standards have them, and what becomes of those that are not.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::client::Client;
use crate::support::components::example_rules;
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::peers::port;
use crate::support::place::{Database, in_runtime, on_both};

const TICKET: &str = "/api/v1/tickets/IT-1";

fn submit(desk: &House) -> Value {
    let body = json!({ "request_type": "incident", "subject": "VPN is down", "body": "Nobody can reach it.",
        "fields": { "service": "vpn", "people-affected": 40 } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)
}

#[test]
fn preconditions_of_tickets_are_those_of_the_standard() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        submit(&desk);
        let edit = |header: &'static str, tags: &str, n: usize| {
            let urgency = ["low", "medium", "high"][n % 3];
            kofi.with(header, tags).patch(TICKET, &json!({ "urgency": urgency, "reason": "as said" })).status
        };
        for (n, tags) in
            ["*", "\"2\"", "W/\"3\"", "\"9\", \"4\"", "\"5-gzip\"", "\"6;br\", \"1\"", "7"].iter().enumerate()
        {
            assert_eq!(edit("if-match", tags, n), 200, "{tags}");
        }
        for tags in ["\"1\"", "W/\"1\", \"2\"", "\"x\"", "\"\""] {
            assert_eq!(edit("if-match", tags, 7), 412, "{tags}");
        }
        for tags in ["", "\"8", "\"8\" \"9\"", "\u{e4}"] {
            assert_eq!(edit("if-match", tags, 7), 400, "{tags}");
        }
        assert_eq!(edit("if-none-match", "\"1\"", 7), 428, "it has to say which version it means");
        let both = kofi.with("if-match", "*").with("if-none-match", "\"8\"");
        assert_eq!(both.patch(TICKET, &json!({ "urgency": "low", "reason": "r" })).status, 412);
        let read = |tags: &str| kofi.with("if-none-match", tags).get(TICKET);
        for tags in ["\"8\"", "*", "W/\"8\"", "\"1\", \"8-gzip\""] {
            let answer = read(tags);
            assert_eq!(
                (answer.status, answer.text.as_str(), answer.etag.as_deref()),
                (304, "", Some("\"8\"")),
                "{tags}"
            );
        }
        assert_eq!(read("\"7\"").expect(200)["version"], 8);
        // What a reader wants to go on reading is asked before what it has.
        let wanting = |tags: &str| kofi.with("if-match", tags).with("if-none-match", "\"8\"").get(TICKET).status;
        assert_eq!([wanting("\"7\""), wanting("\"8\""), wanting("*")], [412, 304, 304]);
        assert_eq!(kofi.with("if-match", "\"7\"").get(TICKET).expect(412)["type"], "/problems/stale");
    });
}

#[test]
fn preconditions_of_tables_are_those_of_the_standard() {
    on_both(|database| {
        let desk = House::demo(database);
        let mei = desk.as_role("mei");
        let put = |header: &'static str, tags: &str, team: &str| {
            let text = format!("floor,team\n1,{team}\n");
            mei.with(header, tags).put_text("/api/v1/tables/floors?why=test", &text, "text/csv")
        };
        assert_eq!(put("if-match", "*", "a").status, 412, "there is none to replace");
        let first = put("if-none-match", "*", "a");
        let tag = first.etag.clone().unwrap();
        first.expect(200);
        assert_eq!(put("if-none-match", "*", "b").status, 412, "it is there already");
        assert_eq!(put("if-match", "\u{e4}", "b").status, 400, "never ignored");
        put("if-match", "*", "b").expect(200);
        assert_eq!(put("if-match", &tag, "c").status, 412);
        let read = mei.get("/api/v1/tables/floors");
        let tag = read.etag.clone().unwrap();
        put("if-match", &format!("\"0\", W/{tag}"), "c").expect(200);
        let csv = mei.with("accept", "text/csv").get("/api/v1/tables/floors");
        assert_ne!(csv.etag, mei.get("/api/v1/tables/floors").etag, "two forms are two representations");
        let known = mei.with("accept", "text/csv").with("if-none-match", csv.etag.as_deref().unwrap());
        assert_eq!(known.get("/api/v1/tables/floors").status, 304);
        let remove = |tags: &str| mei.with("if-match", tags).delete("/api/v1/tables/floors?why=test").status;
        assert_eq!(remove(&tag), 412);
        assert_eq!(remove(csv.etag.as_deref().unwrap()), 204);
        assert_eq!(remove("*"), 404);
    });
}

/// Writes under preconditions to a thing at its first version, which counts up with each that is done.
fn are_those_of_the_standard(what: &str, write: impl Fn(&str) -> u16) {
    for tags in ["\"0\", \"1\"", "W/\"2\"", "*", "\"4-gzip\", W/\"9\""] {
        assert_eq!(write(tags), 200, "{what}: {tags}");
    }
    for tags in ["\"1\"", "W/\"4\", \"3\"", "\"x\""] {
        assert_eq!(write(tags), 412, "{what}: {tags}");
    }
    for tags in ["", "\"5", "\"5\" \"6\"", "\u{e4}"] {
        assert_eq!(write(tags), 400, "{what}: {tags}: never ignored");
    }
}

#[test]
fn preconditions_of_lists_and_articles_are_those_of_the_standard() {
    let desk = House::demo(Database::Sqlite);
    let kofi = desk.as_role("kofi");
    let count = std::cell::Cell::new(0);
    let next = |what: &str| {
        count.set(count.get() + 1);
        format!("{what} {}", count.get())
    };
    let view = "/api/v1/views/0199c0de-0000-7000-8000-000000000001";
    let list = || json!({ "name": next("mine"), "filter": { "states": ["new"] } });
    kofi.put(view, &list()).expect(200);
    are_those_of_the_standard("a list", |tags| kofi.with("if-match", tags).put(view, &list()).status);
    let article = || json!({ "title": next("How"), "body": "So." });
    let made = kofi.post("/api/v1/articles", &article()).expect(201);
    let path = format!("/api/v1/articles/{}", made["key"].as_str().unwrap());
    are_those_of_the_standard("an article", |tags| kofi.with("if-match", tags).put(&path, &article()).status);
}

#[test]
fn preconditions_of_documents_and_their_drafts_are_those_of_the_standard() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        format!("{text}\n[configuration]\nby-api = [\"teams\"]\n")
    });
    let mei = desk.as_role("mei");
    let teams = "/api/v1/config/documents/teams";
    let all = mei.get("/api/v1/config/documents").expect(200);
    let live = all.as_array().unwrap().iter().find(|one| one["document"] == "teams").unwrap().clone();
    let count = std::cell::Cell::new(0);
    let next = || {
        count.set(count.get() + 1);
        format!("{}\n# {}\n", live["content"].as_str().unwrap(), count.get())
    };
    let body = || json!({ "content": next(), "why": "a comment" });
    mei.with("if-match", "\"0\"").put(teams, &body()).expect(200);
    are_those_of_the_standard("a document", |tags| mei.with("if-match", tags).put(teams, &body()).status);
    let back = |tags: &str| {
        let body = json!({ "revision": 1, "why": "as it was" });
        mei.with("if-match", tags).post(&format!("{teams}/rollback"), &body).status
    };
    assert_eq!(["\"1\"", "\"5", "\"1\", W/\"5\""].map(back), [412, 400, 200], "back to a version");

    let draft = format!("{teams}/draft");
    let body = || json!({ "content": next() });
    mei.with("if-none-match", "*").put(&draft, &body()).expect(200);
    assert_eq!(mei.with("if-none-match", "*").put(&draft, &body()).status, 412, "there is one already");
    are_those_of_the_standard("a draft", |tags| mei.with("if-match", tags).put(&draft, &body()).status);
    let throw = |tags: &str| mei.with("if-match", tags).delete(&draft).status;
    assert_eq!(["\"1\"", "", "\"1\", W/\"5\""].map(throw), [412, 400, 204], "a draft that is thrown away");
}

#[test]
fn preconditions_and_bodies_of_the_directory_are_those_of_all_others() {
    on_both(|database| {
        let desk = House::demo(database);
        let keeper = desk.with_roles("mei", "directory");
        let send = |method: &str, path: &str, body: &str| keeper.send(method, path, Some(body.as_bytes()));
        let twice =
            send("POST", "/scim/v2/Users", r#"{"userName":"zo@a.example","name":{"givenName":"Zo","givenName":"X"}}"#);
        assert!(twice.expect(400).to_string().contains("name.givenName"), "{}", twice.text);
        let made =
            send("POST", "/scim/v2/Users", r#"{"userName":"zo@a.example","displayName":"Zoe\u0308"}"#).expect(201);
        assert_eq!(made["displayName"], "Zo\u{eb}", "composed, as every text");
        let user = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
        let body = json!({ "userName": "zo@a.example", "displayName": "Zo" });
        let put = |tags: &str, name: &str| {
            let mut body = body.clone();
            body["displayName"] = json!(name);
            keeper.with("if-match", tags).put(&user, &body).status
        };
        let tag = || keeper.get(&user).etag.unwrap();
        let first = tag();
        assert_eq!(put(&format!("\"0\", {first}"), "one"), 200, "one of a list");
        assert_eq!(put(&first, "two"), 412);
        assert_eq!(put("*", "two"), 200);
        assert_eq!(put(tag().trim_start_matches("W/"), "three"), 200, "compared weakly");
        for bad in ["", "\"8", "\u{e4}"] {
            assert_eq!(put(bad, "four"), 400, "{bad}: never ignored");
            assert_eq!(keeper.with("if-none-match", bad).get(&user).status, 400, "{bad}");
        }
        let known = keeper.with("if-none-match", tag().trim_start_matches("W/")).get(&user);
        assert_eq!((known.status, known.etag.is_some()), (304, true));
        assert_eq!(keeper.with("if-match", &format!("{first}, \"0\"")).delete(&user).status, 412);
        assert_eq!(keeper.with("if-match", &format!("{first}, {}", tag())).delete(&user).status, 204);
    });
}

#[test]
fn the_form_of_a_table_is_the_one_that_is_wanted_more() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei");
    mei.put_text("/api/v1/tables/floors?why=test", "floor,team\n1,a\n", "text/csv").expect(200);
    let form = |accept: &str| mei.with("accept", accept).get("/api/v1/tables/floors").media_type;
    for csv in ["text/csv", "TEXT/CSV", "application/json;q=0.1, text/csv"] {
        assert_eq!(form(csv), "text/csv; charset=utf-8", "{csv}");
    }
    for json in ["*/*", "text/csvx", "text/csv;q=0, application/json", "text/csv;q=0.2, application/json;q=0.3"] {
        assert_eq!(form(json), "application/json", "{json}");
    }
    // A text is read as UTF-8, and taken only where it does not say to be something else.
    let put = |media_type: &str| mei.put_text("/api/v1/tables/floors?why=test", "floor,team\n1,b\n", media_type).status;
    assert_eq!((put("text/csv; header=present; charset=\"UTF-8\""), put("text/csv;charset=windows-1252")), (200, 415));
}

#[test]
fn a_body_is_json_in_utf_8_as_it_is_and_has_each_key_once() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    let body = json!({ "request_type": "question", "subject": "x", "body": "Please tell me." }).to_string();
    let send = |media_type: &str| amara.send_text("/api/v1/tickets", &body, media_type).status;
    for good in [
        "application/json",
        "application/json; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "Application/Merge-Patch+JSON",
    ] {
        assert_eq!(send(good), 201, "{good}");
    }
    for bad in ["+json", "/+json", "application/+json", "application/json; charset=utf-16", "text/plain", ""] {
        assert_eq!(send(bad), 415, "{bad}");
    }
    let zipped = amara.with("content-encoding", "gzip").send_bytes("/api/v1/tickets", b"\x1f\x8b\x08");
    assert_eq!(zipped.expect(415)["type"], "/problems/encoded");
    amara.with("content-encoding", "identity").send_text("/api/v1/tickets", &body, "application/json").expect(201);
    for (twice, field) in [
        (r#"{"request_type":"question","subject":"x","fields":{"topic":"howto","topic":"other"}}"#, "fields.topic"),
        (r#"{"request_type":"question","subject":"x","fields":{"topic":[{"a":1,"\u0061":2}]}}"#, "fields.topic[0].a"),
        (r#"{"request_type":"question","subject":"x","subject":"y"}"#, "subject"),
    ] {
        let refused = amara.send_text("/api/v1/tickets", twice, "application/json").expect(400);
        assert!(refused.to_string().contains(field), "{refused}");
    }
}

#[test]
fn whole_numbers_stay_whole_and_exact() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        let send = |number: &str| {
            let body = format!(
                r#"{{"request_type":"incident","subject":"VPN","body":"It is down.","fields":{{"service":"vpn","people-affected":{number}}}}}"#
            );
            amara.send_text("/api/v1/tickets", &body, "application/json")
        };
        for (sent, kept) in
            [("40", "40"), ("40.0", "40"), ("4e1", "40"), ("\"40\"", "40"), ("2.5", "2.5"), ("0", "0"), ("-0.0", "0")]
        {
            let answer = send(sent);
            assert!(answer.text.contains(&format!("\"people-affected\":{kept},")), "{sent}: {}", answer.text);
            answer.expect(201);
        }
        for beyond in [
            "9007199254740992",
            "9007199254740993",
            "-9007199254740992",
            "1e300",
            "\"9007199254740993\"",
            "18446744073709551615",
        ] {
            let refused = send(beyond).expect(422);
            assert_eq!(refused["problems"][0]["code"], "out-of-range", "{beyond}: {refused}");
        }
        let mei = desk.as_role("mei");
        let put = |column: &str, cell: &str| {
            mei.put_text("/api/v1/tables/numbers?why=test", &format!("k,{column}\n1,{cell}\n"), "text/csv").status
        };
        assert_eq!(put("n:number", "9007199254740993"), 422);
        assert_eq!(put("n:whole", "9007199254740993"), 200);
        assert_eq!(mei.get("/api/v1/tables/numbers").expect(200)["rows"][0]["n"], "9007199254740993");
        let toml = |number: &str| {
            let text = format!("columns = [\"k\", \"n:whole\"]\n[[row]]\nk = \"1\"\nn = {number}\n");
            mei.put_text("/api/v1/tables/numbers?why=test", &text, "application/toml").status
        };
        assert_eq!(["9007199254740993.0", "1e300", "inf", "9007199254740994"].map(toml), [422, 422, 422, 200]);
    });
}

#[test]
fn things_have_one_address_and_what_is_not_there_is_404() {
    let desk = House::demo(Database::Sqlite);
    let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
    submit(&desk);
    for other in ["IT-01", "it-1", "IT-+1", "IT-1 ", "1"] {
        assert_eq!(kofi.get(&format!("/api/v1/tickets/{}", other.replace(' ', "%20"))).status, 404, "{other}");
    }
    for path in ["/rules/nope/events", "/rules/nope/versions", "/rules/nope/stats", "/people/nobody/grants"] {
        assert_eq!(kofi.get(&format!("/api/v1{path}")).status, 404, "{path}");
    }
    assert_eq!(amara.get("/api/v1/people/nobody/grants").status, 403, "who may not ask learns nothing");
    // Permission comes before the version.
    let step = json!({ "to": "in_progress", "reason": "r" });
    for client in [lena.clone(), lena.with("if-match", "\"77\""), lena.with("if-match", "*")] {
        assert_eq!(client.post(&format!("{TICKET}/transitions"), &step).status, 404);
    }
    for client in [amara.clone(), amara.with("if-match", "\"77\"")] {
        assert_eq!(client.patch(TICKET, &json!({ "priority": "low", "reason": "r" })).status, 403);
    }
    assert_eq!(kofi.patch(TICKET, &json!({ "priority": "low", "reason": "r" })).status, 428);
}

async fn exchange(address: SocketAddr, sent: &[u8]) -> (String, bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A client that writes all before it reads: it notices a broken connection by what it writes.
    let written = stream.write_all(sent).await.is_ok();
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut text)).await;
    (String::from_utf8_lossy(&text).into_owned(), written && read.is_ok_and(|read| read.is_ok()))
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

#[test]
fn an_early_answer_reaches_a_client_that_sends_all_first() {
    let desk = House::demo(Database::Sqlite);
    let large = 48 << 20;
    for (token, media_type, path, length, status) in [
        ("demo-kofi", "multipart/form-data; boundary=x", "/api/v1/rules", 12 << 20, 403),
        ("nobody-has-this", "multipart/form-data; boundary=x", "/api/v1/rules", 12 << 20, 401),
        ("demo-mei", "text/plain", "/api/v1/rules", 12 << 20, 400),
        ("demo-mei", "multipart/form-data; boundary=x", "/api/v1/rules", large, 413),
        ("demo-amara", "application/json", "/api/v1/tickets", large, 413),
        ("demo-amara", "text/plain", "/api/v1/tickets", 900_000, 415),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut sent = head.into_bytes();
        sent.resize(sent.len() + length, b'x');
        let (answer, whole) = in_runtime(exchange(address(&desk.url), &sent));
        assert!(whole && answer.starts_with(&format!("HTTP/1.1 {status}")), "{path} {token}: {answer}");
    }
    // Where a body ends is said in one way, and it comes as it is.
    for (framing, status) in [
        ("Transfer-Encoding: gzip, chunked", 415),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        ("Content-Length: 5\r\nContent-Length: 6", 400),
        ("Content-Length: +5", 400),
        ("Content-Length : 5", 400),
    ] {
        let head = "POST /api/v1/tickets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer demo-amara\r\n\
                    Content-Type: application/json\r\n";
        let sent = format!("{head}{framing}\r\n\r\n0\r\n\r\n");
        let (answer, _) = in_runtime(exchange(address(&desk.url), sent.as_bytes()));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{framing}: {answer}");
    }
}

#[test]
fn a_client_that_is_slow_hears_so_and_an_orderly_stop_is_quick_and_quiet() {
    let mut desk = Desk::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("[server]\n", "[server]\nrequest-timeout-ms = 1500\n")
    });
    let head = "POST /api/v1/tickets HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer demo-amara\r\n\
                Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"request_type\"";
    let (answer, _) = in_runtime(exchange(address(&desk.url), head.as_bytes()));
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("/problems/slow"), "{answer}");
    desk.as_role("amara")
        .post("/api/v1/tickets", &json!({ "request_type": "question", "subject": "x", "body": "Please tell me." }))
        .expect(201);

    // One that waits for a request for a minute shows whether its stop does.
    desk.stop();
    let place = desk.crash();
    let patient = std::fs::read_to_string(place.settings()).unwrap();
    let patient = patient.replace("request-timeout-ms = 1500\n", "request-timeout-ms = 60000\n");
    std::fs::write(place.settings(), patient).unwrap();
    let mut desk = place.start();
    let url = address(&desk.url);
    let halves = in_runtime(async {
        let mut halves = Vec::new();
        for sent in ["", "GET / HTTP/1.1\r\nX-A: b\r\n", head] {
            let mut stream = TcpStream::connect(url).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            halves.push(stream.into_std().unwrap());
        }
        halves
    });
    // A request that was answered afterwards shows that those before were taken.
    assert_eq!(desk.stranger().get("/healthz").status, 200);
    let begun = std::time::Instant::now();
    desk.stop();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    drop(halves);
    let loud: Vec<Value> =
        desk.log().into_iter().filter(|line| ["ERROR", "WARN"].contains(&line["level"].as_str().unwrap())).collect();
    assert!(loud.is_empty(), "{loud:?}");
}

#[test]
fn a_demo_answers_only_to_the_names_of_this_machine() {
    let desk = Desk::demo(Database::Sqlite);
    let ask = |host: &str| {
        let request = format!(
            "GET /api/v1/tickets HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer demo-mei\r\n\r\n"
        );
        in_runtime(exchange(address(&desk.url), request.as_bytes())).0
    };
    for own in ["127.0.0.1", "localhost:8080", "[::1]:80"] {
        assert!(ask(own).starts_with("HTTP/1.1 200"), "{own}");
    }
    for other in ["rebound.example.org", "10.0.0.1:80", ""] {
        let answer = ask(other);
        assert!(answer.starts_with("HTTP/1.1 421") && answer.contains("/problems/misdirected"), "{other}: {answer}");
    }
    let absolute = |host: &str, header: &str| {
        let request = format!("GET http://{host}/healthz HTTP/1.1\r\nHost: {header}\r\nConnection: close\r\n\r\n");
        in_runtime(exchange(address(&desk.url), request.as_bytes())).0
    };
    assert!(absolute("rebound.example.org", "localhost").starts_with("HTTP/1.1 421"));
    assert!(absolute("localhost", "rebound.example.org").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_request_is_named_by_its_client_in_plain_text_only() {
    let desk = House::demo(Database::Sqlite);
    let named = |id: &str| desk.stranger().with("x-request-id", id).get("/healthz").header("x-request-id").to_owned();
    assert_eq!(named("from-the-client:7"), "from-the-client:7");
    for other in ["", "two words", "\u{e4}", "x".repeat(65).as_str()] {
        assert_eq!(named(other).len(), 36, "{other}: the desk's own");
    }
}

#[test]
fn where_a_request_goes_and_who_asks_is_said_once() {
    let desk = Desk::demo(Database::Sqlite);
    let ask = |more: &str| {
        let request = format!(
            "GET /api/v1/tickets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer demo-amara\r\n{more}\
             Connection: close\r\n\r\n"
        );
        in_runtime(exchange(address(&desk.url), request.as_bytes())).0
    };
    assert!(ask("").starts_with("HTTP/1.1 200"));
    // Whom it asks, at least: only before 1.1 that went without saying.
    let nowhere = |version: &str| {
        in_runtime(exchange(
            address(&desk.url),
            format!("GET /healthz {version}\r\nConnection: close\r\n\r\n").as_bytes(),
        ))
        .0
    };
    let answer = nowhere("HTTP/1.1");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("/problems/bad-header"), "{answer}");
    assert!(nowhere("HTTP/1.0").contains(" 421 "), "a demo is asked by name: {}", nowhere("HTTP/1.0"));
    for twice in [
        "Host: rebound.example.org\r\n",
        "Authorization: Bearer demo-mei\r\n",
        "Content-Type: text/csv\r\nContent-Type: application/json\r\n",
    ] {
        let answer = ask(twice);
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("/problems/bad-header"), "{twice}: {answer}");
    }
}

#[test]
fn what_the_desk_counts_is_for_those_whom_the_configuration_names() {
    let with = |metrics: &str| {
        let metrics = format!("[server]\nmetrics = \"{metrics}\"\n");
        move |text: String| text.replace("[server]\n", &metrics)
    };
    let desk = House::with_settings(Database::Sqlite, example_rules(), with("staff"));
    let status = |client: &Client| client.get("/metrics").status;
    let asked = [desk.stranger(), desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei")];
    assert_eq!(asked.map(|client| status(&client)), [401, 403, 200, 200]);

    let free = format!("127.0.0.1:{}", port::own());
    let desk = Desk::with_settings(Database::Sqlite, example_rules(), with(&free));
    assert_eq!(status(&desk.as_role("mei")), 404);
    let elsewhere = desk.stranger().at(&format!("http://{free}"));
    assert_eq!((status(&elsewhere), elsewhere.get("/readyz").status), (200, 200));
    assert_eq!(elsewhere.get("/api/v1/tickets").status, 404);
}
