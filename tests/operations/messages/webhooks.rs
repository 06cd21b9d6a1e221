//! Webhooks: signed as receivers check it, with ids that stay, tried again, out of use where an endpoint is dead, and nothing
//! inside the network asked unless it is allowed.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use ruledesk::app::jobs::pace::OnItsWay;
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::incident;
use super::super::jobs::by_hand;
use crate::support::components::example_rules;
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::peers::hook::{Received, Receiver};
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

/// The bytes 0 to 31, and 32 times 7.
pub(super) const OLD: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A desk that tells a receiver what happens.
fn desk(database: Database, receiver: &Receiver, more: &str) -> House {
    House::with_settings(database, example_rules(), |text| text + &settings(receiver, more))
}

pub(super) fn settings(receiver: &Receiver, more: &str) -> String {
    let secrets = std::env::temp_dir().join(format!("ruledesk-secrets-{}", receiver.port));
    std::fs::write(&secrets, format!("{NEW}\n{OLD}\n")).unwrap();
    format!(
        "\n[outgoing]\ninternal-hosts = [\"127.0.0.1\"]\n\n[[webhook]]\nid = \"cmdb\"\nurl = \"http://127.0.0.1:{}/hook\"\n\
         secret-file = \"{}\"\n{more}",
        receiver.port,
        secrets.display()
    )
}

pub(super) fn create(desk: &House) -> String {
    desk.do_what_is_due();
    let key = desk.as_role("amara").post("/api/v1/tickets", &incident("VPN is down")).expect(201);
    desk.do_what_is_due();
    key["key"].as_str().unwrap().to_owned()
}

pub(super) fn id(received: &Received) -> &str {
    &received.headers["webhook-id"]
}

/// An admin's browser that has signed in, with its cookie.
pub(super) fn signed_in(desk: &House) -> (ureq::Agent, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let request = agent.post(format!("{}/sign-in", desk.url)).header("sec-fetch-site", "same-origin");
    let answer = request.send_form([("token", "demo-mei")]).unwrap();
    let cookie = answer.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    (agent, cookie)
}

/// The page of the endpoint, as an admin sees it.
fn page(desk: &House) -> String {
    page_in(desk, "en")
}

/// The same in a language.
fn page_in(desk: &House, language: &str) -> String {
    let (agent, cookie) = signed_in(desk);
    let cookie = format!("{cookie}; ruledesk-language={language}");
    let mut got = agent.get(format!("{}/admin/webhooks/cmdb", desk.url)).header("cookie", cookie).call().unwrap();
    got.body_mut().read_to_string().unwrap()
}

/// A step on that page: the status and the text of the answer.
fn step(desk: &House, step: &str, why: &str) -> (u16, String) {
    let (agent, cookie) = signed_in(desk);
    let request = agent.post(format!("{}/admin/webhooks/cmdb", desk.url)).header("cookie", cookie);
    let mut got = request.header("sec-fetch-site", "same-origin").send_form([("step", step), ("why", why)]).unwrap();
    (got.status().as_u16(), got.body_mut().read_to_string().unwrap())
}

/// Whether a receiver with this secret takes it (Standard Webhooks 1.0.0).
pub(super) fn verifies(received: &Received, secret: &str) -> bool {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap()).unwrap();
    let Received { headers, body } = received;
    mac.update(format!("{}.{}.{body}", headers["webhook-id"], headers["webhook-timestamp"]).as_bytes());
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    headers["webhook-signature"].split(' ').any(|signature| signature == wanted)
}

#[test]
fn an_endpoint_that_hangs_keeps_its_own_deliveries_waiting_and_no_others() {
    on_both(|database| {
        let (slow, quick) = (Receiver::start(), Receiver::start());
        let secrets = std::env::temp_dir().join(format!("ruledesk-secrets-{}", slow.port));
        let more = format!(
            "\n[[webhook]]\nid = \"quick\"\nurl = \"http://127.0.0.1:{}/hook\"\nsecret-file = \"{}\"\n",
            quick.port,
            secrets.display()
        );
        let desk = desk(database, &slow, &more);
        let paces = desk.paces();
        let on_their_way: Vec<OnItsWay> = (0..2).filter_map(|_| paces.begin("cmdb")).collect();
        on_their_way.iter().for_each(|one| one.answered(Duration::from_secs(20), false));
        create(&desk);
        let events = quick.received().len();
        assert!(events > 0);
        drop(on_their_way);
        desk.do_what_is_due();
        assert_eq!(slow.received().len(), 0, "what was due to it waits for a moment");
        desk.advance(SignedDuration::from_secs(5));
        assert_eq!(slow.received().len(), events);
        let log = desk.as_role("mei").get("/api/v1/webhooks/cmdb/deliveries").expect(200);
        assert!(!log.to_string().contains("\"attempts\":2"), "to wait is no attempt: {log}");
    });
}

#[test]
fn an_endpoint_is_told_what_happens_signed_with_each_secret_and_without_anybodys_words() {
    on_both(|database| {
        let receiver = Receiver::start();
        let desk = desk(database, &receiver, "");
        let key = create(&desk);
        let kofi = desk.as_role("kofi");
        let comment = |text: &str, internal: bool| {
            kofi.post(&format!("/api/v1/tickets/{key}/comments"), &json!({ "body": text, "internal": internal }))
                .expect(201);
        };
        comment("Have you tried turning it off?", false);
        comment("She never has.", true);
        desk.do_what_is_due();
        let received = receiver.received();
        let types: Vec<String> = received
            .iter()
            .map(|r| serde_json::from_str::<Value>(&r.body).unwrap()["type"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(types.first().unwrap(), "ticket.created");
        assert_eq!(
            types.iter().filter(|kind| *kind == "ticket.commented").count(),
            1,
            "the note is not told: {types:?}"
        );
        let ids: BTreeSet<&str> = received.iter().map(id).collect();
        assert_eq!(ids.len(), received.len(), "each has an id of its own");
        for request in &received {
            assert!(verifies(request, OLD) && verifies(request, NEW), "{request:?}");
            assert!(!verifies(request, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
            assert!(!request.body.contains("turning it off") && !request.body.contains("VPN"), "{}", request.body);
            let body: Value = serde_json::from_str(&request.body).unwrap();
            assert_eq!(body["data"]["ticket"], key.as_str());
            assert_eq!(body["data"]["visibility"], "public");
        }
    });
}

#[test]
fn a_failed_delivery_is_tried_again_under_its_id_and_waits_as_long_as_it_is_asked_to() {
    on_both(|database| {
        let receiver = Receiver::start();
        let desk = desk(database, &receiver, "events = [\"ticket.created\"]\n");
        receiver.answer_next(1, "429 Too Many Requests", "retry-after: 7200\r\n");
        receiver.answer_next(1, "302 Found", "location: http://127.0.0.1:1/elsewhere\r\n");
        receiver.answer_nonsense(1);
        create(&desk);
        assert_eq!(receiver.received().len(), 1);
        desk.advance(SignedDuration::from_mins(119));
        assert_eq!(receiver.received().len(), 1, "it was asked to wait for two hours");
        for count in 2..=4 {
            desk.advance(SignedDuration::from_hours(5));
            assert_eq!(receiver.received().len(), count);
        }
        desk.advance(SignedDuration::from_hours(5));
        let received = receiver.received();
        assert_eq!(received.len(), 4, "it was taken");
        assert!(received.iter().all(|r| id(r) == id(&received[0])), "one id");
        let stamps: BTreeSet<&String> = received.iter().map(|r| &r.headers["webhook-timestamp"]).collect();
        assert_eq!(stamps.len(), 4, "each attempt has its time");
        let log = desk.as_role("mei").get("/api/v1/webhooks/cmdb/deliveries").expect(200);
        assert_eq!((&log[0]["state"], &log[0]["status"]), (&json!("delivered"), &json!(204)));
        assert_eq!(log[0]["attempts"], 4);
    });
}

#[test]
fn a_dead_endpoint_goes_out_of_use_and_misses_nothing_when_it_is_taken_back() {
    on_both(|database| {
        let receiver = Receiver::start();
        let desk = desk(database, &receiver, "events = [\"ticket.created\"]\n");
        let mei = desk.as_role("mei");
        receiver.answer_next(1, "410 Gone", "");
        create(&desk);
        let webhook = || mei.get("/api/v1/webhooks").expect(200)[0].clone();
        assert_eq!((&webhook()["enabled"], &webhook()["why"]), (&json!(false), &json!("it answered 410 Gone")));
        create(&desk);
        desk.advance(SignedDuration::from_hours(1));
        assert_eq!(receiver.received().len(), 1, "it is out of use");
        let out = page(&desk);
        assert!(out.contains("Taken out of use</span> <span class=\"quiet\">by The desk"), "{out}");
        assert!(out.contains("with 0 events that wait for it and up to "), "{out}");
        assert!(!out.contains("up to 0 that happened"), "{out}");
        let german = page_in(&desk, "de");
        assert!(german.contains("der Empfänger hat mit 410 (Gone) geantwortet"), "{german}");
        assert_eq!(desk.as_role("kofi").get("/api/v1/webhooks").status, 403);
        assert_eq!(mei.post("/api/v1/webhooks/cmdb/enable", &json!({})).status, 204);
        desk.do_what_is_due();
        assert_eq!(receiver.received().len(), 2, "what happened meanwhile");
        let again = page(&desk);
        assert!(again.contains("Taken into use again</span> <span class=\"quiet\">by Mei Lin"), "{again}");
        assert!(!again.contains("that wait for it"), "it is in use");
        // What was given up on is delivered again on request, as is all since some time, under the same ids.
        let log = mei.get("/api/v1/webhooks/cmdb/deliveries").expect(200);
        let given_up = log.as_array().unwrap().iter().find(|delivery| delivery["state"] == "given-up").unwrap();
        let path = format!("/api/v1/webhooks/cmdb/deliveries/{}/replay", given_up["id"].as_str().unwrap());
        assert_eq!(mei.post(&path, &json!({})).expect(200)["replayed"], 1);
        desk.do_what_is_due();
        assert_eq!(
            mei.post("/api/v1/webhooks/cmdb/replay", &json!({ "since": "2020-01-01T00:00:00Z" })).expect(200)["replayed"],
            2
        );
        desk.do_what_is_due();
        assert_eq!(page(&desk).matches("Delivered again").count(), 2);
        let received = receiver.received();
        assert_eq!(received.len(), 5);
        let ids: BTreeSet<&str> = received.iter().map(id).collect();
        assert_eq!(ids.len(), 2, "two events, however often");
    });
}

/// An endpoint is paused and taken into use again, each for a reason that its page keeps; what happens meanwhile waits for it.
#[test]
fn an_admin_pauses_an_endpoint_for_a_reason_and_it_misses_nothing() {
    on_both(|database| {
        let receiver = Receiver::start();
        let desk = desk(database, &receiver, "events = [\"ticket.created\"]\n");
        create(&desk);
        assert_eq!(receiver.received().len(), 1);
        let shown = page(&desk);
        let host = format!("<code>http://127.0.0.1:{}</code>", receiver.port);
        for said in ["Waiting for it now: 0.", &host, "<dd>ticket.created</dd>", "with each of 2 secrets"] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
        assert!(!shown.contains("whsec_") && !shown.contains("/hook<"), "no secret, and no path: {shown}");
        let pause =
            |who: &str, why: &str| desk.as_role(who).post("/api/v1/webhooks/cmdb/pause", &json!({ "why": why })).status;
        assert_eq!((pause("kofi", "x"), pause("mei", " ")), (403, 422));
        assert_eq!(pause("mei", "It moves to another machine"), 204);
        assert_eq!(pause("mei", "It still moves"), 204, "it is paused, and no step is taken");
        create(&desk);
        assert_eq!(receiver.received().len(), 1, "it is paused");
        let paused = page(&desk);
        let said =
            "Paused</span> <span class=\"quiet\">by Mei Lin</span> <span dir=\"auto\">It moves to another machine";
        assert!(paused.contains(said) && !paused.contains("It still moves"), "{paused}");
        // On the page a step has a reason; one that has none is not taken, and what was typed stays.
        let (status, refused) = step(&desk, "enable", " ");
        assert!(status == 422 && refused.contains("say why"), "{refused}");
        let (status, refused) = step(&desk, "enable", &"x".repeat(1_001));
        assert!(status == 422 && refused.contains(&"x".repeat(1_001)), "{refused}");
        desk.do_what_is_due();
        assert_eq!(receiver.received().len(), 1, "it is still paused");
        assert_eq!(step(&desk, "enable", "It has moved").0, 303);
        desk.do_what_is_due();
        assert_eq!(receiver.received().len(), 2, "what happened meanwhile");
        let again = page(&desk);
        let said =
            "Taken into use again</span> <span class=\"quiet\">by Mei Lin</span> <span dir=\"auto\">It has moved";
        assert!(again.contains(said) && again.contains(">Pause</button>"), "{again}");
        assert_eq!(step(&desk, "pause", "").0, 422);
        assert_eq!(step(&desk, "pause", "For a day").0, 303);
        let webhook = desk.as_role("mei").get("/api/v1/webhooks").expect(200)[0].clone();
        assert_eq!((&webhook["enabled"], &webhook["why"]), (&json!(false), &json!("For a day")));
        assert_eq!(step(&desk, "stop", "x").0, 400);
        assert_eq!(desk.as_role("mei").post("/api/v1/webhooks/cmdb/enable", &json!({})).status, 204);
        desk.do_what_is_due();
    });
}

#[test]
fn a_desk_that_is_killed_while_it_delivers_delivers_again_under_the_same_ids() {
    on_both(|database| {
        let receiver = Receiver::start();
        let desk = Desk::with_settings(database, example_rules(), |text| {
            text + &settings(&receiver, "events = [\"ticket.created\"]\n")
        });
        until("the webhook to be in use", || {
            let webhooks = desk.as_role("mei").get("/api/v1/webhooks").expect(200);
            (webhooks.as_array().unwrap().len() == 1).then_some(())
        });
        for n in 0..5 {
            desk.as_role("amara").post("/api/v1/tickets", &incident(&format!("Number {n}"))).expect(201);
        }
        let cut_off = desk.crash();
        by_hand(&cut_off.target(), &["update webhook_deliveries set not_before = 0"]);
        let _desk = cut_off.start();
        let (ids, _) = until("all events", || {
            let received = receiver.received();
            let ids: BTreeSet<String> = received.iter().map(|r| id(r).to_owned()).collect();
            (ids.len() == 5).then_some(ids)
        });
        assert_eq!(ids.len(), 5, "none is lost");
    });
}

#[test]
fn an_address_inside_is_refused_when_a_desk_starts_and_when_a_name_leads_there() {
    let receiver = Receiver::start();
    let refused = |url: &str| {
        let place = settings(&receiver, "").replace(&format!("http://127.0.0.1:{}/hook", receiver.port), url);
        place.replace("internal-hosts = [\"127.0.0.1\"]\n", "")
    };
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text);
    let text = std::fs::read_to_string(desk.settings()).unwrap();
    for (url, why) in [
        ("https://169.254.169.254/latest/meta-data", "is not a public address"),
        ("http://hooks.example/", "does not begin with https://"),
    ] {
        std::fs::write(desk.settings(), text.clone() + &refused(url)).unwrap();
        let output = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{url}: {said}");
    }
    std::fs::write(desk.settings(), text + &refused(&format!("https://localhost:{}/", receiver.port))).unwrap();
    let desk = desk.cut_off_and_restart();
    create(&desk);
    let log = desk.as_role("mei").get("/api/v1/webhooks/cmdb/deliveries").expect(200);
    assert!(log[0]["last_error"].as_str().unwrap().contains("is not a public address"), "{log}");
    assert_eq!(receiver.received(), []);
}
