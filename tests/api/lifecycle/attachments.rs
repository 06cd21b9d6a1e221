//! Files of tickets: how they come, who sees them, what is not taken, quarantine, and those that no ticket gets.

use std::io::Write as _;
use std::net::TcpStream;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::incident;
use crate::support::client::{Answer, Client};
use crate::support::house::House;
use crate::support::peers::clamd::{Scanner, eicar};
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

const PLAN: &[u8] = "The plan of the 3rd floor in Zürich.\n".as_bytes();

fn upload(client: &Client, name: &str, media_type: &str, bytes: &[u8]) -> Answer {
    client.send_file(&format!("/api/v1/attachments?name={name}"), media_type, bytes)
}

/// The id of a text that a person uploads.
fn text(client: &Client, name: &str, bytes: &[u8]) -> String {
    id(&upload(client, name, "text/plain", bytes).expect(201))
}

fn id(view: &Value) -> String {
    view["id"].as_str().unwrap().to_owned()
}

fn content(client: &Client, id: &str) -> Answer {
    client.get(&format!("/api/v1/attachments/{id}/content"))
}

fn names(client: &Client, key: &str) -> Vec<String> {
    let list = client.get(&format!("/api/v1/tickets/{key}/attachments")).expect(200);
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// The names of the files that a reader's timeline tells of.
fn told(client: &Client, key: &str) -> Vec<String> {
    let timeline = client.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
    let attached = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "attached");
    attached.map(|entry| entry["details"]["name"].as_str().unwrap().to_owned()).collect()
}

fn with_attachments(database: Database, keys: &str) -> House {
    let rules = crate::support::components::example_rules();
    House::with_settings(database, rules, |text| format!("{text}\n[attachments]\n{keys}\n"))
}

#[test]
fn files_come_with_a_submission_with_words_and_alone_and_those_of_private_notes_are_never_shown() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi, lena) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("lena"));
        let plan = upload(&amara, "..%2F..%2FZ%C3%BCrich%E2%80%AE.txt", "text/plain; charset=utf-8", PLAN).expect(201);
        assert_eq!((&plan["name"], &plan["found_type"]), (&json!("Zürich.txt"), &json!("text/plain")));
        assert_eq!((&plan["scan"], &plan["ticket"]), (&json!("unscanned"), &Value::Null));
        assert_eq!(content(&kofi, &id(&plan)).status, 404, "until a ticket has it, it is its sender's alone");
        let asks = json!({ "request_type": "incident", "subject": "VPN is down", "body": "See the plan.",
            "fields": { "service": "vpn", "people-affected": 40 }, "uploads": [id(&plan)] });
        let again = amara.post(
            "/api/v1/tickets",
            &json!({ "request_type": "incident", "subject": "x", "body": "y",
            "fields": { "service": "vpn" }, "uploads": [text(&kofi, "his.txt", b"his")] }),
        );
        assert_eq!(again.expect(422)["problems"][0]["code"], "unknown", "another person's");
        let key = amara.post("/api/v1/tickets", &asks).expect(201)["key"].as_str().unwrap().to_owned();
        assert_eq!(amara.post("/api/v1/tickets", &asks).expect(422)["problems"][0]["code"], "taken");
        let decisions = kofi.get(&format!("/api/v1/tickets/{key}/decisions")).text;
        assert!(decisions.contains("attachment-1-digest") && decisions.contains(plan["digest"].as_str().unwrap()));

        let comments = format!("/api/v1/tickets/{key}/comments");
        let secret = text(&kofi, "secret.txt", b"the password is on the router");
        kofi.post(&comments, &json!({ "body": "not for her", "internal": true, "uploads": [secret] })).expect(201);
        let answer = json!({ "body": "Do as it says.", "uploads": [text(&kofi, "how.txt", b"turn it off and on")] });
        let keyed = kofi.with("idempotency-key", "answer-1");
        keyed.post(&comments, &answer).expect(201);
        keyed.post(&comments, &answer).expect(200);
        let alone = format!("/api/v1/tickets/{key}/attachments?name=log.txt");
        amara.send_file(&alone, "text/plain", b"12:00 down").expect(201);

        assert_eq!(names(&amara, &key), ["Zürich.txt", "how.txt", "log.txt"]);
        assert_eq!(told(&amara, &key), ["Zürich.txt", "how.txt", "log.txt"]);
        assert_eq!(names(&kofi, &key), ["Zürich.txt", "secret.txt", "how.txt", "log.txt"]);
        assert_eq!(told(&kofi, &key), ["Zürich.txt", "secret.txt", "how.txt", "log.txt"]);
        for path in ["", "/content"] {
            assert_eq!(amara.get(&format!("/api/v1/attachments/{secret}{path}")).status, 404);
            assert_eq!(lena.get(&format!("/api/v1/attachments/{}{path}", id(&plan))).status, 404);
        }
        assert_eq!(amara.send_file(&format!("{alone}&internal=true"), "text/plain", b"x").status, 403);
        assert_eq!(lena.send_file(&alone, "text/plain", b"x").status, 404);
        assert_eq!(content(&kofi, &secret).expect_text(200), "the password is on the router");
        let list = amara.get(&format!("/api/v1/tickets/{key}/attachments")).expect(200);
        assert!(list[0]["comment"].is_null() && list[1]["comment"].is_string(), "{list}");
    });
}

#[test]
fn a_file_is_given_out_so_that_no_browser_takes_it_for_a_page() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    let page = "<html><script>alert(1)</script></html>".repeat(20_000);
    let id = id(&upload(&amara, "Z%C3%BCrich%22.html", "text/html", page.as_bytes()).expect(201));
    let whole = content(&amara, &id);
    assert!(whole.status == 200 && whole.text == page, "{} bytes", whole.text.len());
    assert_eq!(whole.media_type, "application/octet-stream");
    assert_eq!(
        whole.header("content-disposition"),
        "attachment; filename=\"Z_rich_.html\"; filename*=UTF-8''Z%C3%BCrich_.html"
    );
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.header("content-security-policy"), "sandbox; default-src 'none'");
    assert_eq!(whole.header("content-length"), page.len().to_string());
    let known = amara.with("if-none-match", whole.etag.as_deref().unwrap());
    assert_eq!(content(&known, &id).status, 304);
    let part = content(&amara.with("range", "bytes=300000-300009"), &id);
    assert_eq!((part.status, part.text.as_str()), (206, &page[300_000..300_010]));
    assert_eq!(content(&amara.with("range", "Bytes=0-4"), &id).text, "<html");
    assert_eq!(part.header("content-range"), format!("bytes 300000-300009/{}", page.len()));
    assert_eq!(content(&amara.with("range", "bytes=99999999-"), &id).status, 416);
    // Who asks only about a file hears of all of it.
    for range in ["bytes=0-4", "bytes=99999999-"] {
        let about = amara.with("range", range).send("HEAD", &format!("/api/v1/attachments/{id}/content"), None);
        assert_eq!((about.status, about.header("content-length")), (200, page.len().to_string().as_str()), "{range}");
        assert!(!about.headers.contains_key("content-range"), "{range}");
    }
}

#[test]
fn files_that_are_too_large_too_many_or_of_a_type_that_is_not_taken_are_refused_with_the_reason() {
    let keys = "mib-max = 1\nmib-per-person = 2\ntypes = [\"text/plain\", \"image/*\", \"application/x-executable\"]";
    let desk = with_attachments(Database::Sqlite, keys);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let mib = vec![b'a'; 1 << 20];
    assert_eq!(upload(&amara, "a.txt", "text/plain", &[mib.as_slice(), b"a"].concat()).status, 413);
    let refused = |name, media_type, bytes: &[u8]| {
        let problems = upload(&amara, name, media_type, bytes).expect(422);
        problems["problems"][0]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("a.txt", "text/plain", b"%PDF-1.7 but says that it is a text"), "type-refused");
    assert_eq!(refused("a.txt", "text/html", b"only a text"), "type-refused");
    assert_eq!(refused("a.png", "image/png", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0"), "type-refused");
    assert_eq!(refused("a.txt", "text/plain", b""), "empty");
    upload(&amara, "a.png", "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").expect(201);
    upload(&amara, "a.txt", "text/plain", &mib).expect(201);
    assert_eq!(upload(&amara, "b.txt", "text/plain", &mib).status, 429, "2 MiB are all that one person may have");
    for _ in 0..3 {
        upload(&kofi, "a.txt", "text/plain", &mib).expect(201);
    }
    let key = incident(&amara, "VPN is down");
    let ids = vec![text(&kofi, "b.txt", b"b"); 51];
    let body = json!({ "body": "all of them", "uploads": ids });
    let many = kofi.post(&format!("/api/v1/tickets/{key}/comments"), &body).expect(422);
    assert_eq!(many["problems"][0]["code"], "too-many");
    let twice = json!({ "body": "the same", "uploads": [ids[0], ids[0]] });
    let twice = kofi.post(&format!("/api/v1/tickets/{key}/comments"), &twice).expect(422);
    assert_eq!(twice["problems"][0]["code"], "taken");
}

/// Each has a row and an object, so that many short ones fill a disk as a few long ones do.
#[test]
fn one_person_has_so_many_files_that_no_ticket_has() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let send = |n: usize| upload(&amara, "a.txt", "text/plain", n.to_string().as_bytes());
        let ids: Vec<String> = (0..200).map(|n| id(&send(n).expect(201))).collect();
        let refused = send(200).expect(429);
        assert!(refused["detail"].as_str().unwrap().contains("files that no ticket has"), "{refused}");
        text(&kofi, "b.txt", b"another person's");
        let body = json!({ "body": "here", "uploads": [ids[0]] });
        amara.post(&format!("/api/v1/tickets/{key}/comments"), &body).expect(201);
        send(200).expect(201);
    });
}

/// One who sends slowly holds a few of the places that there are for the files of all.
#[test]
fn files_that_come_in_slowly_keep_only_their_sender_waiting() {
    let desk = House::demo(Database::Sqlite);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let (address, token) = (desk.url.strip_prefix("http://").unwrap(), amara.token.as_deref().unwrap());
    let head = format!(
        "POST /api/v1/attachments?name=slow.txt HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: text/plain\r\ncontent-length: 100\r\n\r\nnot all of it"
    );
    let slow = || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut open = Vec::new();
    // One that comes while a quick one has the last place is refused, and another has to come.
    until("the slow ones to hold their places", || {
        open.push(slow());
        upload(&amara, "a.txt", "text/plain", PLAN).text.contains("files that come in at once").then_some(())
    });
    text(&kofi, "b.txt", PLAN);
    drop(open);
    until("the places to be free again", || (upload(&amara, "a.txt", "text/plain", PLAN).status == 201).then_some(()));
}

#[test]
fn a_file_stays_in_quarantine_until_it_is_scanned_also_while_the_scanner_is_away() {
    on_both(|database| {
        let scanner = Scanner::start();
        let desk = with_attachments(database, &format!("scanner = \"127.0.0.1:{}\"", scanner.port));
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let state = |id: &str| amara.get(&format!("/api/v1/attachments/{id}")).expect(200)["scan"].clone();
        scanner.die(true);
        let plan = text(&amara, "plan.txt", PLAN);
        for _ in 0..3 {
            desk.advance(SignedDuration::from_secs(60));
            assert_eq!(state(&plan), "pending");
            let refused = content(&amara, &plan).expect(409);
            assert!(refused["detail"].as_str().unwrap().contains("quarantine"), "{refused}");
        }
        scanner.die(false);
        desk.advance(SignedDuration::from_secs(60));
        assert_eq!(state(&plan), "clean");
        assert_eq!(content(&amara, &plan).status, 200);
        let bad = text(&amara, "bad.txt", eicar().as_bytes());
        desk.do_what_is_due();
        assert_eq!(state(&bad), "infected");
        let refused = content(&amara, &bad).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("Eicar-Test-Signature"), "{refused}");
        let scanned = scanner.scanned();
        let same = text(&amara, "same.txt", eicar().as_bytes());
        desk.do_what_is_due();
        assert_eq!((state(&same), scanner.scanned()), (json!("infected"), scanned), "the content is known");
        let asks = json!({ "request_type": "incident", "subject": "VPN is down", "body": "See there.",
            "fields": { "service": "vpn" }, "uploads": [same, plan] });
        let key = amara.post("/api/v1/tickets", &asks).expect(201)["key"].as_str().unwrap().to_owned();
        let decisions = kofi.get(&format!("/api/v1/tickets/{key}/decisions")).text;
        let tells = |n: u8, scan: &str| {
            let compact = decisions.replace([' ', '\n'], "");
            compact.contains(&format!("{{\"name\":\"attachment-{n}-scan\",\"value\":\"{scan}\"}}"))
        };
        assert!(tells(1, "infected") && tells(2, "clean"), "rules read it: {decisions}");
    });
}

#[test]
fn a_content_is_kept_once_and_what_no_ticket_gets_is_swept_away() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let objects = || std::fs::read_dir(desk.data_dir().join("attachments")).unwrap().count();
        let (one, two) = (text(&amara, "a.txt", PLAN), text(&kofi, "b.txt", PLAN));
        assert_eq!(objects(), 1);
        desk.advance(SignedDuration::from_hours(23));
        assert_eq!(desk.sweep_files(), 0);
        text(&amara, "c.txt", b"another");
        desk.advance(SignedDuration::from_hours(2));
        assert_eq!(desk.sweep_files(), 1);
        assert_eq!((objects(), content(&amara, &one).status, content(&kofi, &two).status), (1, 404, 404));
        let key = incident(&amara, "VPN is down");
        let three = text(&amara, "a.txt", PLAN);
        let body = json!({ "body": "here", "uploads": [three] });
        amara.post(&format!("/api/v1/tickets/{key}/comments"), &body).expect(201);
        desk.advance(SignedDuration::from_hours(25));
        assert_eq!((desk.sweep_files(), objects()), (1, 1));
        assert_eq!(content(&kofi, &three).status, 200);
    });
}
