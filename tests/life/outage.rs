//! An outage: submissions like it attach themselves to one ticket, hear what is said on it, and are resolved with it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client, resolved};
use crate::support::house::House;
use crate::support::place::{Database, on_both};

fn submit(client: &Client, subject: &str, service: &str) -> String {
    let body = json!({ "request_type": "incident", "subject": subject, "body": "It does not answer since this morning.",
        "fields": { "service": service, "people-affected": 1 } });
    client.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
}

fn step(client: &Client, key: &str, body: &Value) -> Answer {
    client.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/transitions"), body)
}

fn read(client: &Client, key: &str) -> Value {
    client.get(&format!("/api/v1/tickets/{key}")).expect(200)
}

fn timeline(client: &Client, key: &str) -> String {
    client.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string()
}

fn parent(kofi: &Client, key: &str) -> Option<String> {
    let links = kofi.get(&format!("/api/v1/tickets/{key}/links")).expect(200);
    let child = links.as_array().unwrap().iter().find(|link| link["link"] == "child-of").cloned();
    child.map(|link| link["ticket"].as_str().unwrap().to_owned())
}

#[test]
fn tickets_like_an_outage_attach_themselves_are_answered_together_and_resolved_together() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let outage = submit(&amara, "VPN is down", "vpn");
        let path = format!("/api/v1/tickets/{outage}/outage");
        let known = "The VPN is down for all of Berlin. We work on it, next word at noon.";
        let declare = json!({ "announcement": known, "like": { "request_type": "incident", "words": ["vpn"] } });
        assert_eq!(amara.put(&path, &declare).status, 403, "agents declare");
        let all = json!({ "announcement": known, "like": {} });
        assert_eq!(kofi.put(&path, &all).expect(422)["problems"][0]["field"], "like");
        assert_eq!(kofi.put(&path, &json!({ "announcement": " ", "like": { "words": ["vpn"] } })).status, 422);
        assert_eq!(kofi.put(&path, &declare).expect(200)["children"], 0);
        assert!(timeline(&amara, &outage).contains(known), "the one whose ticket it is reads it, too");

        let child = submit(&lena, "No VPN, please help", "remote work");
        let other = submit(&lena, "Printer jams", "printer");
        assert_eq!((parent(&kofi, &child), parent(&kofi, &other)), (Some(outage.clone()), None));
        let seen = read(&kofi, &child);
        assert!(seen["assignee"].is_null() && !seen["first_response"]["met_at"].is_null(), "no agent's turn: {seen}");
        let read_by_lena = timeline(&lena, &child);
        assert!(read_by_lena.contains(known) && !read_by_lena.contains(&outage), "{read_by_lena}");
        let listed = lena.get("/api/v1/outages").expect(200);
        assert_eq!((&listed[0]["announcement"], listed[0].get("ticket")), (&json!(known), None), "{listed}");
        assert_eq!(kofi.get("/api/v1/outages").expect(200)[0]["children"], 1);

        let words = "A new gateway is on its way.";
        kofi.post(&format!("/api/v1/tickets/{outage}/comments"), &json!({ "body": words })).expect(201);
        let note = json!({ "body": "The old one smells burnt.", "internal": true });
        kofi.post(&format!("/api/v1/tickets/{outage}/comments"), &note).expect(201);
        desk.advance(SignedDuration::from_mins(1));
        desk.do_what_is_due();
        let late = submit(&lena, "vpn again", "vpn");
        assert_eq!(timeline(&lena, &child).matches(words).count(), 1);
        assert!(!timeline(&kofi, &child).contains("burnt") && !timeline(&lena, &late).contains(words));

        // An agent sees that one is about something else: it goes its own way, with a person who works on it.
        let link = json!({ "link": "child-of", "ticket": &outage });
        kofi.post(&format!("/api/v1/tickets/{late}/unlink"), &link).expect(200);
        assert!(!read(&kofi, &late)["assignee"].is_null());
        step(&kofi, &outage, &resolved()).expect(200);
        desk.advance(SignedDuration::ZERO);
        assert_eq!(read(&kofi, &child)["state"], "resolved");
        assert_ne!(read(&kofi, &late)["state"], "resolved");
        assert!(timeline(&lena, &child).contains("The cable is in again."));
        assert_eq!(kofi.get("/api/v1/outages").expect(200), json!([]), "it ends with its resolution");
        assert_eq!(parent(&kofi, &submit(&lena, "VPN is slow", "vpn")), None);
    });
}

/// More is said on an outage than is passed on at once, and then it is over: its children have heard all of it before.
#[test]
fn all_that_was_said_on_an_outage_is_heard_before_its_end() {
    let desk = House::demo(Database::Postgres);
    let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
    let outage = submit(&amara, "VPN is down", "vpn");
    let declare = json!({ "announcement": "No VPN.", "like": { "words": ["vpn"] } });
    kofi.put(&format!("/api/v1/tickets/{outage}/outage"), &declare).expect(200);
    let child = submit(&lena, "No VPN, please help", "vpn");
    kofi.post(&format!("/api/v1/tickets/{outage}/comments"), &json!({ "body": "We look at it." })).expect(201);
    desk.sql(
        "insert into outage_words select ticket, md5(n::text)::uuid, at + n, author, 'The end is near: ' || n \
         from (select * from outage_words limit 1) w, generate_series(1, 120) n",
    );
    step(&kofi, &outage, &resolved()).expect(200);
    desk.do_what_is_due();
    assert_eq!(desk.rows()["outage_words"], 0);
    let heard = lena.get(&format!("/api/v1/tickets/{child}/timeline?limit=200")).expect(200).to_string();
    assert_eq!(heard.matches("The end is near").count(), 120, "{heard}");
    assert_eq!(read(&kofi, &child)["state"], "resolved");
}

#[test]
fn an_outage_goes_by_category_and_field_and_is_ended_by_hand() {
    let desk = House::demo(Database::Sqlite);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let outage = submit(&amara, "The mail server is gone", "mail");
    let path = format!("/api/v1/tickets/{outage}/outage");
    let by_field = json!({ "announcement": "No mail.", "like": { "field": { "service": "Mail" } } });
    kofi.put(&path, &by_field).expect(200);
    assert_eq!(parent(&kofi, &submit(&amara, "I get nothing", "mail")), Some(outage.clone()));
    let category = read(&kofi, &submit(&amara, "VPN is down", "vpn"))["category"].clone();
    let above = category.as_str().unwrap().split('.').next().unwrap().to_owned();
    let by_category = json!({ "announcement": "No network.", "like": { "category": above } });
    kofi.put(&path, &by_category).expect(200);
    assert_eq!(parent(&kofi, &submit(&amara, "VPN is down", "vpn")), Some(outage.clone()));
    assert_eq!(parent(&kofi, &submit(&amara, "I get nothing", "mail")), None, "it goes by the last declaration");
    let unknown = json!({ "announcement": "x", "like": { "category": "no-such" } });
    assert_eq!(kofi.put(&path, &unknown).expect(422)["problems"][0]["field"], "like.category");
    assert_eq!(kofi.delete(&path).status, 204);
    assert_eq!(kofi.delete(&path).status, 204, "it is over already");
    assert_eq!(parent(&kofi, &submit(&amara, "VPN is down", "vpn")), None);
    assert_eq!(kofi.delete("/api/v1/tickets/IT-1/outage").status, 204);
    desk.do_what_is_due();
}

/// An outage from its declaration to its end by the command line, at the desk's address and in an agent's name.
#[test]
fn an_outage_is_declared_answered_and_ended_by_commands() {
    let desk = House::demo(Database::Sqlite);
    let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
    let outage = submit(&amara, "VPN is down", "vpn");
    let outages = |arguments: &[&str]| desk.answered("kofi", &[["tickets", "outages"].as_slice(), arguments].concat());
    let declare = ["declare", &outage, "--announce", "No VPN in Berlin.", "--words", "vpn,tunnel"];
    let refused = desk.asked("amara", &[["tickets", "outages"].as_slice(), &declare].concat());
    assert!(!refused.status.success(), "agents declare");
    let unlike = desk.asked("kofi", &["tickets", "outages", "declare", &outage, "--announce", "x"]);
    assert!(String::from_utf8_lossy(&unlike.stderr).contains("like: "), "it says which tickets are like it");
    assert!(outages(&declare).contains("0 attached: No VPN in Berlin."));
    let (child, other) = (submit(&lena, "My tunnel is shut", "vpn"), submit(&lena, "The printer jams", "printer"));
    let attached = |key: &str| outages(&["attached", &outage]).contains(key);
    assert_eq!((attached(&child), attached(&other)), (true, false));
    outages(&["attach", &other, &outage]);
    assert!(outages(&["list"]).contains("2 attached"));
    outages(&["detach", &other, &outage]);
    assert!(!attached(&other));
    outages(&["answer", &outage, "A new gateway is on its way."]);
    desk.advance(SignedDuration::from_mins(1));
    desk.do_what_is_due();
    assert!(timeline(&lena, &child).contains("A new gateway is on its way."));
    // By category and by a field as well; then it is over, and the next ticket is one of its own.
    outages(&["declare", &outage, "--announce", "Still none.", "--request-type", "incident", "--field", "service=vpn"]);
    let by_field = submit(&lena, "Nothing works", "vpn");
    assert!(attached(&by_field));
    outages(&["end", &outage]);
    assert_eq!(outages(&["list"]), "");
    assert!(!attached(&submit(&lena, "Nothing works again", "vpn")));
    desk.do_what_is_due();
}
