//! Endpoints of webhooks as versions: checked with what waits for them, published with a reason, rolled back, followed by every host
//! without a restart, and signed for with secrets that no version has.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::incident;
use super::webhooks::{OLD, create, id, settings, signed_in, verifies};
use crate::support::client::{Answer, Client};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::hook::Receiver;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

const DOCUMENT: &str = "/api/v1/config/documents/webhooks";
const BY_API: &str = "\n[configuration]\nby-api = [\"webhooks\"]\n";

/// A desk whose endpoints are published by API, and that may ask this machine.
fn desk(database: Database) -> House {
    House::with_settings(database, example_rules(), |text| {
        format!("{text}\n[outgoing]\ninternal-hosts = [\"127.0.0.1\"]\n{BY_API}")
    })
}

fn endpoint(id: &str, url: &str) -> String {
    format!("[[webhook]]\nid = \"{id}\"\nurl = \"{url}\"\nevents = [\"ticket.created\"]\n")
}

fn at(receiver: &Receiver) -> String {
    endpoint("cmdb", &format!("http://127.0.0.1:{}/hooks/S3cret", receiver.port))
}

fn publish(mei: &Client, revision: i64, content: &str) -> Answer {
    let body = json!({ "content": content, "why": "the inventory moves" });
    mei.with("if-match", &format!("\"{revision}\"")).put(DOCUMENT, &body)
}

fn check(mei: &Client, content: &str) -> Value {
    mei.post(&format!("{DOCUMENT}/check"), &json!({ "content": content })).expect(200)
}

/// The document as it is live.
fn live(mei: &Client) -> Value {
    let documents = mei.get("/api/v1/config/documents").expect(200);
    documents.as_array().unwrap().iter().find(|one| one["document"] == "webhooks").unwrap().clone()
}

fn make_secret(mei: &Client) -> String {
    let made = mei.post("/api/v1/webhooks/cmdb/secret", &json!({ "why": "the receiver asks for one" }));
    assert_eq!(made.header("cache-control"), "no-store");
    made.expect(200)["secret"].as_str().unwrap().to_owned()
}

/// The first problem of a document.
fn problem(look: &Value) -> &str {
    look["problems"][0]["message"].as_str().unwrap()
}

#[test]
fn an_endpoint_is_published_moved_rolled_back_and_taken_away_with_what_waits_for_it_said_before() {
    on_both(|database| {
        let (first, second) = (Receiver::start(), Receiver::start());
        let desk = desk(database);
        let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
        let counts = || (first.received().len(), second.received().len());
        let begins = live(&mei);
        assert_eq!((&begins["by_api"], &begins["revision"], &begins["content"]), (&json!(true), &json!(0), &json!("")));
        assert_eq!(kofi.post(&format!("{DOCUMENT}/check"), &json!({ "content": "" })).status, 403);
        let change = json!({ "kind": "webhook", "id": "cmdb", "change": "added", "open_tickets": 0, "rules": [] });
        assert_eq!(check(&mei, &at(&first))["changes"], json!([change]));
        create(&desk);
        assert_eq!(publish(&mei, 0, &at(&first)).expect(200)["changes"], json!([change]));
        assert_eq!(publish(&mei, 0, &at(&second)).status, 412, "another version is live");

        // Nothing leaves unsigned: what happens from now on waits for the first secret.
        create(&desk);
        assert_eq!(counts(), (0, 0));
        let waits = &check(&mei, "")["changes"][0].clone();
        assert_eq!((&waits["change"], &waits["waiting_deliveries"]), (&json!("removed"), &json!(1)));
        let secret = make_secret(&mei);
        desk.do_what_is_due();
        assert_eq!(counts(), (1, 0), "only what happened since it is there");
        assert!(verifies(&first.received()[0], &secret));

        let moved = publish(&mei, 1, &at(&second)).expect(200)["changes"][0].clone();
        assert_eq!((&moved["change"], &moved["waiting_deliveries"]), (&json!("changed"), &json!(0)));
        create(&desk);
        assert_eq!(counts(), (1, 1));
        let back = mei.with("if-match", "\"2\"");
        let body = json!({ "revision": 1, "why": "the new one is not ready" });
        back.post(&format!("{DOCUMENT}/rollback"), &body).expect(200);
        create(&desk);
        assert_eq!(counts(), (2, 1));
        let history = mei.get(&format!("{DOCUMENT}/versions")).expect(200);
        let again: Vec<&Value> = history.as_array().unwrap().iter().map(|version| &version["again"]).collect();
        assert_eq!(again, [&json!(1), &Value::Null, &Value::Null]);

        first.answer_next(1, "500 Internal Server Error", "");
        create(&desk);
        assert_eq!(counts(), (3, 1));
        assert_eq!(check(&mei, "")["changes"][0]["waiting_deliveries"], 1);
        let another = endpoint("other", "https://hooks.example.com/");
        let gone = publish(&mei, 3, &another).expect(200)["changes"].clone();
        let gone = gone.as_array().unwrap().iter().find(|one| one["id"] == "cmdb").unwrap().clone();
        assert_eq!((&gone["change"], &gone["waiting_deliveries"]), (&json!("removed"), &json!(1)));
        desk.advance(SignedDuration::from_hours(12));
        assert_eq!(counts(), (3, 1), "it is not asked any more");
        let log = mei.get("/api/v1/webhooks/cmdb/deliveries").expect(200);
        assert_eq!(log[0]["state"], "given-up");
        assert!(log[0]["last_error"].as_str().unwrap().contains("no webhook `cmdb` any more"), "{log}");
    });
}

/// The log of the endpoint, the newest first.
fn log(mei: &Client) -> Vec<Value> {
    mei.get("/api/v1/webhooks/cmdb/deliveries").expect(200).as_array().unwrap().clone()
}

/// One may have been taken away because others knew its secret: that never signs again, nor is anything sent that waited before. All that
/// happens from its publication on is its own.
#[test]
fn an_endpoint_that_comes_again_under_its_name_is_a_new_one_and_misses_nothing_from_then_on() {
    on_both(|database| {
        let (first, second) = (Receiver::start(), Receiver::start());
        let desk = desk(database);
        let mei = desk.as_role("mei");
        publish(&mei, 0, &at(&first)).expect(200);
        let known_to_others = make_secret(&mei);
        create(&desk);
        first.answer_next(1, "500 Internal Server Error", "");
        create(&desk);
        assert_eq!(first.received().len(), 2);
        assert_eq!(mei.post("/api/v1/webhooks/cmdb/pause", &json!({ "why": "a secret is lost" })).status, 204);
        // The last endpoint goes: nothing is left to look at what waits, and it is given up all the same.
        publish(&mei, 1, "").expect(200);
        let given_up = log(&mei).into_iter().find(|delivery| delivery["state"] == "given-up").unwrap();
        assert_eq!(given_up["attempts"], 1, "{given_up}");
        assert!(given_up["last_error"].as_str().unwrap().contains("no webhook `cmdb` any more"), "{given_up}");
        create(&desk);

        publish(&mei, 2, &at(&second)).expect(200);
        assert_eq!(mei.get("/api/v1/webhooks").expect(200)[0]["enabled"], true, "it is not paused any more");
        // No host has looked at what happens since.
        desk.as_role("amara").post("/api/v1/tickets", &incident("The VPN is down again")).expect(201);
        desk.do_what_is_due();
        assert_eq!((first.received().len(), second.received().len()), (2, 0), "no secret signs for it");
        let secret = make_secret(&mei);
        desk.do_what_is_due();
        desk.advance(SignedDuration::from_hours(12));
        let counts = (first.received().len(), second.received().len());
        assert_eq!(counts, (2, 1), "neither the events of before nor those between");
        let sent = &second.received()[0];
        assert!(verifies(sent, &secret) && !verifies(sent, &known_to_others));

        let (agent, cookie) = signed_in(&desk);
        let page = agent.get(format!("{}/admin/webhooks/cmdb", desk.url)).header("cookie", &cookie).call();
        let page = page.unwrap().body_mut().read_to_string().unwrap();
        for (step, count) in [("Taken into use", 2), ("Taken out of the configuration", 1)] {
            let step = format!("{step}</span> <span class=\"quiet\">by Mei Lin");
            assert_eq!(page.matches(&step).count(), count, "{step}: {page}");
        }
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// Deliveries that wait, or are made again, go only where the configuration sends them now.
#[test]
fn an_endpoint_that_hears_less_gets_no_more_than_that_of_what_waits_or_is_sent_again() {
    on_both(|database| {
        let receiver = Receiver::start();
        let desk = desk(database);
        let mei = desk.as_role("mei");
        let all = at(&receiver).replace("ticket.created", "ticket.*");
        publish(&mei, 0, &format!("{all}internal = true\n")).expect(200);
        let key = create(&desk);
        let note = json!({ "body": "She never has.", "internal": true });
        desk.as_role("kofi").post(&format!("/api/v1/tickets/{key}/comments"), &note).expect(201);
        desk.do_what_is_due();
        let internal = |delivery: &&Value| delivery["body"].as_str().unwrap().contains("\"visibility\":\"internal\"");
        assert!(log(&mei).iter().any(|delivery| internal(&delivery)), "it waits for a secret");

        publish(&mei, 1, &all).expect(200);
        make_secret(&mei);
        desk.do_what_is_due();
        let since = json!({ "since": "2020-01-01T00:00:00Z" });
        assert_ne!(mei.post("/api/v1/webhooks/cmdb/replay", &since).expect(200)["replayed"], 0);
        desk.do_what_is_due();
        let received = receiver.received();
        assert!(!received.is_empty() && received.iter().all(|r| r.body.contains("\"visibility\":\"public\"")));
        // They are left to hosts whose files may say otherwise, and given up when they are too old.
        desk.advance(SignedDuration::from_hours(8 * 24));
        let log = log(&mei);
        let kept_back: Vec<&Value> = log.iter().filter(internal).collect();
        assert!(kept_back.iter().all(|delivery| delivery["state"] == "given-up"), "{kept_back:?}");
        assert!(kept_back[0]["last_error"].as_str().unwrap().contains("does not send it to this webhook any more"));
    });
}

#[test]
fn an_endpoint_without_a_secret_gathers_the_events_of_seven_days_and_no_more() {
    let receiver = Receiver::start();
    let desk = desk(Database::Sqlite);
    let mei = desk.as_role("mei");
    publish(&mei, 0, &at(&receiver)).expect(200);
    create(&desk);
    let event = log(&mei)[0]["event"].clone();
    let first = || log(&mei).into_iter().find(|delivery| delivery["event"] == event).unwrap();
    desk.advance(SignedDuration::from_hours(6 * 24));
    assert_eq!(first()["state"], "waiting");
    desk.advance(SignedDuration::from_hours(2 * 24));
    let given_up = first();
    assert_eq!(given_up["state"], "given-up", "{given_up}");
    assert!(given_up["last_error"].as_str().unwrap().contains("within seven days"), "{given_up}");
    make_secret(&mei);
    create(&desk);
    let received = receiver.received();
    assert!(!received.is_empty() && received.iter().all(|request| event != id(request)), "{received:?}");
}

/// Internal events go on to leave when the one who had them sent is gone: where the desk asks for two people, a second one agrees.
#[test]
fn an_endpoint_hears_more_of_what_requesters_do_not_see_when_two_people_agree() {
    let receiver = Receiver::start();
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        let text = text.replace("[server]\n", "[server]\ntwo-person-access = true\n");
        format!("{text}\n[outgoing]\ninternal-hosts = [\"127.0.0.1\"]\n{BY_API}")
    });
    let (mei, noor) = (desk.as_role("mei"), desk.with_roles("noor", "admin"));
    let public = at(&receiver);
    let internal = format!("{public}internal = true\n");
    assert_eq!(check(&mei, &public)["eases_access"], Value::Null);
    publish(&mei, 0, &public).expect(200);
    assert_eq!(check(&mei, &internal)["eases_access"], "the webhook `cmdb` hears of what requesters do not see");
    let (agent, cookie) = signed_in(&desk);
    let request = agent.post(format!("{}/admin/documents/webhooks", desk.url)).header("cookie", &cookie);
    let form = [("do", "look"), ("content", internal.as_str()), ("revision", "1"), ("draft", "0")];
    let mut looked = request.header("sec-fetch-site", "same-origin").send_form(form).unwrap();
    let looked = looked.body_mut().read_to_string().unwrap();
    assert!(looked.contains("This desk asks for two people here (the webhook `cmdb` hears"), "{looked}");
    let refused = publish(&mei, 1, &internal).expect(409);
    let why = "sends more to another system (the webhook `cmdb`";
    assert!(refused["detail"].as_str().unwrap().contains(why), "{refused}");
    assert_eq!(publish(&mei, 1, &internal).status, 409, "one person twice is one person");
    publish(&noor, 1, &internal).expect(200);

    // So for another address and for other events; back to less, one is enough, and to more again by a roll back it is not.
    let moved = format!("{}internal = true\n", endpoint("cmdb", "https://hooks.example.com/"));
    let wider = internal.replace("ticket.created", "ticket.*");
    assert!(check(&mei, &moved)["eases_access"].is_string() && check(&mei, &wider)["eases_access"].is_string());
    publish(&mei, 2, &public).expect(200);
    let back = json!({ "revision": 2, "why": "as it was" });
    assert_eq!(mei.with("if-match", "\"3\"").post(&format!("{DOCUMENT}/rollback"), &back).status, 409);
    noor.with("if-match", "\"3\"").post(&format!("{DOCUMENT}/rollback"), &back).expect(200);
}

#[test]
fn a_secret_is_shown_once_follows_another_and_stands_nowhere_else() {
    on_both(|database| {
        let receiver = Receiver::start();
        let desk = desk(database);
        let mei = desk.as_role("mei");
        publish(&mei, 0, &at(&receiver)).expect(200);
        create(&desk);
        let path = "/api/v1/webhooks/cmdb/secret";
        let why = json!({ "why": "x" });
        assert_eq!(desk.as_role("kofi").post(path, &why).status, 403);
        assert_eq!(mei.post(path, &json!({ "why": " " })).expect(422)["problems"][0]["field"], "why");
        assert_eq!(mei.post("/api/v1/webhooks/unheard-of/secret", &why).status, 404);
        let mut secrets = Vec::new();
        for count in 1..=3 {
            secrets.push(make_secret(&mei));
            create(&desk);
            let all = receiver.received();
            let signs: Vec<bool> = secrets.iter().map(|secret| verifies(all.last().unwrap(), secret)).collect();
            // The one before signs as well, and the one before that no more.
            let expected: Vec<bool> = (1..=count).map(|made| made + 1 >= count).collect();
            assert_eq!(signs, expected);
        }
        let (agent, cookie) = signed_in(&desk);
        let seen = |path: &str| {
            let request = agent.get(format!("{}{path}", desk.url)).header("cookie", &cookie);
            request.call().unwrap().body_mut().read_to_string().unwrap()
        };
        let page = seen("/admin/webhooks/cmdb");
        assert!(page.contains("with each of 2 secrets, which the desk keeps"), "{page}");
        assert_eq!(page.matches("New secret</span> <span class=\"quiet\">by Mei Lin").count(), 3, "{page}");
        let shown = [
            page,
            seen("/admin/audit"),
            seen("/admin/documents/webhooks"),
            live(&mei).to_string(),
            mei.get(&format!("{DOCUMENT}/versions/1")).text,
            mei.get("/api/v1/webhooks/cmdb/deliveries").text,
        ];
        assert!(shown.iter().all(|text| !text.contains("whsec_")), "{shown:?}");
    });
}

#[test]
fn an_address_inside_and_the_secret_file_of_another_are_not_published() {
    let receiver = Receiver::start();
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text + &settings(&receiver, "events = [\"ticket.created\"]\n") + BY_API
    });
    let mei = desk.as_role("mei");
    // Until the first version, the endpoints of the directory hear what happens, with the secrets of their files.
    create(&desk);
    assert!(verifies(&receiver.received()[0], OLD));
    for (url, why) in [
        ("https://169.254.169.254/latest/meta-data", "is not a public address"),
        ("https://10.0.0.7/", "is not a public address"),
        ("http://hooks.example/", "does not begin with https://"),
        ("https://me:pw@hooks.example/", "names a user or a password"),
        ("ftp://hooks.example/", "webhooks.toml:3:"),
    ] {
        let content = endpoint("cmdb", url);
        let look = check(&mei, &content);
        assert!(problem(&look).starts_with("webhooks.toml:") && problem(&look).contains(why), "{url}: {look}");
        assert_eq!(publish(&mei, 0, &content).status, 422, "{url}");
    }
    let twice = format!("{0}{0}", at(&receiver));
    assert!(problem(&check(&mei, &twice)).contains("`cmdb` is given twice"));
    let many: String = (0..101).map(|n| endpoint(&format!("e{n}"), "https://hooks.example.com/")).collect();
    assert!(problem(&check(&mei, &many)).contains("101"), "each reads all that happens for itself");
    let seed = live(&mei)["content"].as_str().unwrap().to_owned();
    let file = seed.lines().find(|line| line.starts_with("secret-file")).unwrap();
    for content in [
        // The file of another endpoint, and any other that this machine has.
        format!("{seed}\n{}{file}\n", endpoint("mine", "https://hooks.example.com/")),
        format!("{}secret-file = \"/etc/hostname\"\n", at(&receiver)),
    ] {
        let look = check(&mei, &content);
        assert!(problem(&look).contains("names no such file for this endpoint"), "{look}");
        assert_eq!(publish(&mei, 0, &content).status, 422);
    }
    // Its own stays with it.
    publish(&mei, 0, &format!("{}{file}\n", at(&receiver))).expect(200);
    create(&desk);
    assert_eq!(receiver.received().len(), 2);
    assert!(verifies(&receiver.received()[1], OLD));
    let refused = mei.post("/api/v1/webhooks/cmdb/secret", &json!({ "why": "x" })).expect(422);
    assert_eq!(refused["problems"][0]["code"], "secret-file", "{refused}");
    // On its page it is said as what it is, and not as a reason that is missing.
    let (agent, cookie) = signed_in(&desk);
    let form = agent.post(format!("{}/admin/webhooks/cmdb", desk.url)).header("sec-fetch-site", "same-origin");
    let form = form.header("cookie", format!("{cookie}; ruledesk-language=de"));
    let mut got = form.send_form([("step", "secret"), ("why", "x")]).unwrap();
    let text = got.body_mut().read_to_string().unwrap();
    assert!(got.status() == 422 && text.contains("Seine Geheimnisse stehen in der Datei"), "{text}");
}

#[test]
fn endpoints_of_the_directory_are_its_own_and_no_one_reads_the_path_of_their_addresses() {
    let receiver = Receiver::start();
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &settings(&receiver, ""));
    let mei = desk.as_role("mei");
    let shown = live(&mei);
    let content = shown["content"].as_str().unwrap();
    assert_eq!((&shown["by_api"], &shown["revision"]), (&json!(false), &json!(0)));
    let host = format!("http://127.0.0.1:{}\"", receiver.port);
    assert!(content.contains(&host) && !content.contains("/hook"), "{content}");
    assert_eq!(publish(&mei, 0, &at(&receiver)).status, 409);
    assert_eq!(mei.post(&format!("{DOCUMENT}/check"), &json!({ "content": "" })).status, 409);
}

/// A host that has not published follows one that has.
#[test]
fn another_host_sends_to_an_endpoint_that_was_published_here() {
    let receiver = Receiver::start();
    let desk = desk(Database::Postgres);
    let other = desk.beside();
    let mei = desk.as_role("mei");
    publish(&mei, 0, &at(&receiver)).expect(200);
    let secret = make_secret(&mei);
    assert_eq!(mei.get("/api/v1/webhooks").expect(200)[0]["name"], "cmdb", "it is in use from its publication on");
    create(&other);
    until("the other host to follow, and to send also what happened before it did", || {
        other.do_what_is_due();
        (receiver.received().len() == 1).then_some(())
    });
    assert!(verifies(&receiver.received()[0], &secret));
    // Where a version was taken over, a desk that starts again goes by it as well.
    drop(other);
    let desk = desk.cut_off_and_restart();
    create(&desk);
    assert_eq!(receiver.received().len(), 2);
}

/// Files of hosts differ while they are being changed: what one has queued is not given up by another that does not know of it yet.
#[test]
fn a_host_whose_files_do_not_name_an_endpoint_leaves_its_deliveries_to_the_others() {
    let receiver = Receiver::start();
    let desk = House::with_settings(Database::Postgres, example_rules(), |text| {
        text + &settings(&receiver, "events = [\"ticket.created\"]\n")
    });
    let text = std::fs::read_to_string(desk.settings()).unwrap();
    std::fs::write(desk.settings(), text.replace("id = \"cmdb\"", "id = \"another\"")).unwrap();
    let other = desk.beside();
    receiver.answer_next(1, "500 Internal Server Error", "");
    create(&desk);
    assert_eq!(receiver.received().len(), 1);
    other.advance(SignedDuration::from_hours(5));
    let mei = desk.as_role("mei");
    assert_eq!((&log(&mei)[0]["state"], receiver.received().len()), (&json!("waiting"), 1));
    desk.advance(SignedDuration::from_mins(5));
    assert_eq!((&log(&mei)[0]["state"], receiver.received().len()), (&json!("delivered"), 2));
}

/// All of it by plain forms, as a browser without scripts sends them.
#[test]
fn endpoints_are_drafted_published_and_rolled_back_on_their_pages_without_scripts() {
    let (first, second) = (Receiver::start(), Receiver::start());
    let desk = desk(Database::Sqlite);
    let (agent, cookie) = signed_in(&desk);
    let post = |path: &str, form: &[(&str, &str)]| {
        let request = agent.post(format!("{}{path}", desk.url)).header("cookie", &cookie);
        let mut got = request.header("sec-fetch-site", "same-origin").send_form(form.iter().copied()).unwrap();
        (got.status().as_u16(), got.body_mut().read_to_string().unwrap())
    };
    let get = |path: &str| {
        let request = agent.get(format!("{}{path}", desk.url)).header("cookie", &cookie);
        request.call().unwrap().body_mut().read_to_string().unwrap()
    };
    let page = "/admin/documents/webhooks";
    let content = at(&first);
    let form = |act: &'static str, content: &str, revision: &str, draft: &str| {
        let pairs = [("do", act), ("content", content), ("revision", revision), ("draft", draft), ("why", "It is new")];
        post(page, &pairs)
    };
    assert!(get("/admin/webhooks").contains(&format!("href=\"{page}\"")), "the list leads to it");
    let (status, looked) = form("look", &content, "0", "0");
    assert!(status == 200 && looked.contains("webhook <code>cmdb</code>"), "{looked}");
    assert_eq!(form("keep", &content, "0", "0").0, 303);
    assert!(get(&format!("{page}?draft=1")).contains("/hooks/S3cret"), "the draft is kept");
    assert_eq!(form("publish", &content, "0", "1").0, 303);
    create(&desk);

    let waits = get("/admin/webhooks/cmdb");
    assert!(waits.contains("There is no secret yet") && waits.contains("Waiting for it now: 1."), "{waits}");
    let (_, looked) = form("look", &at(&second), "1", "0");
    assert!(looked.contains("1 delivery waits for it and goes where it says then, if it still"), "{looked}");
    let (_, looked) = form("look", "", "1", "0");
    let ends = "1 delivery waits for it and is not sent any more. A secret that the desk keeps for it ends.";
    assert!(looked.contains(ends), "{looked}");
    let ask = |why: &str| post("/admin/webhooks/cmdb", &[("step", "secret"), ("why", why)]);
    assert_eq!(ask(" ").0, 422);
    let (status, made) = ask("The receiver asks for one");
    assert!(status == 200 && made.contains("It is not shown again."), "{made}");
    let secret = made.split("<code>").find(|part| part.starts_with("whsec_")).unwrap();
    let secret = secret.split('<').next().unwrap();
    assert!(!get("/admin/webhooks/cmdb").contains("whsec_"));
    desk.do_what_is_due();
    assert!(verifies(&first.received()[0], secret));

    assert_eq!(form("publish", &at(&second), "1", "0").0, 303);
    let old = get(&format!("{page}?version=1"));
    assert!(old.contains("name=\"again\" value=\"1\""), "{old}");
    let again = [("do", "again"), ("again", "1"), ("revision", "2"), ("why", "Not ready")];
    assert_eq!(post(page, &again).0, 303);
    create(&desk);
    assert_eq!((first.received().len(), second.received().len()), (2, 0));
    let (status, refused) = form("publish", &endpoint("cmdb", "https://10.0.0.7/"), "3", "0");
    assert!(status == 422 && refused.contains("is not a public address"), "{refused}");
}
