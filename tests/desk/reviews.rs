//! Campaigns of access reviews: those who answer for access keep it or take it back, and what none keeps in time ends.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

fn asks(client: &Client, app: &str, person: &str) {
    let fields = json!({ "app": app, "tier": if app == "jira" { "user" } else { "viewer" }, "for": person,
        "duration-hours": 2000, "justification": "I work with it each day" });
    let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": fields });
    let ticket = client.post("/api/v1/tickets", &body).expect(201);
    assert_eq!(ticket["access"]["state"], "approved", "{ticket}");
}

fn grants(desk: &House, person: &str) -> Vec<Value> {
    desk.as_role("kofi").get(&format!("/api/v1/people/{person}/grants")).expect(200).as_array().unwrap().clone()
}

fn waiting(client: &Client) -> Vec<Value> {
    client.get("/api/v1/access/review-items").expect(200).as_array().unwrap().clone()
}

fn says(client: &Client, item: &Value, answer: &Value) -> u16 {
    client.post(&format!("/api/v1/access/review-items/{}/answer", item["id"].as_str().unwrap()), answer).status
}

#[test]
fn a_campaign_asks_owners_keeps_what_they_keep_and_ends_the_rest() {
    on_both(|database| {
        let desk = House::demo(database);
        let (kofi, mei) = (desk.as_role("kofi"), desk.as_role("mei"));
        for person in ["amara", "jonas", "sofia", "chloe"] {
            asks(&kofi, "jira", person);
        }
        asks(&kofi, "datadog", "amara");
        let due = desk.clock.now() + SignedDuration::from_hours(14 * 24);
        let campaign = json!({ "name": "Jira, fourth quarter", "app": "jira", "due_at": due });
        assert_eq!(kofi.post("/api/v1/access/reviews", &campaign).status, 403, "an admin's to begin");
        let started = mei.post("/api/v1/access/reviews", &campaign).expect(201);
        assert_eq!((&started["open"], &started["reviewers"]), (&json!(4), &json!("owner")), "{started}");
        let again = mei.post("/api/v1/access/reviews", &campaign).expect(201);
        assert_eq!(again["open"], 0, "what is in a review is asked about once");
        // The owner of Jira is Chloe, who does not review herself: her manager does.
        let chloe = desk.with_roles("chloe", "requester");
        let own = waiting(&chloe);
        let mut of: Vec<&str> = own.iter().map(|item| item["grant"]["subject"].as_str().unwrap()).collect();
        of.sort_unstable();
        assert_eq!(of, ["amara", "jonas", "sofia"]);
        let item = |person: &str| own.iter().find(|item| item["grant"]["subject"] == person).unwrap();
        assert_eq!(says(&desk.as_role("amara"), item("amara"), &json!({ "keep": true })), 403, "it does not ask her");
        assert_eq!(says(&chloe, item("amara"), &json!({ "keep": true, "reason": "still in the project" })), 200);
        assert_eq!(
            says(&chloe, item("jonas"), &json!({ "keep": false, "reason": "has not signed in since May" })),
            200
        );
        assert_eq!(grants(&desk, "jonas")[0]["end_reason"], "reviewed");
        // More time, asked for meanwhile, does not escape the review.
        let path = format!("/api/v1/grants/{}/extend", item("sofia")["grant"]["id"].as_str().unwrap());
        let more = json!({ "hours": 3000, "justification": "I work with it each day" });
        kofi.post(&path, &more).expect(201);
        desk.advance(SignedDuration::from_hours(14 * 24));
        let sofia = grants(&desk, "sofia");
        assert!(sofia.iter().all(|grant| grant["effective"] == false), "{sofia:?}");
        assert_eq!(grants(&desk, "amara").iter().filter(|grant| grant["effective"] == true).count(), 2);
        let id = started["id"].as_str().unwrap();
        let listed = kofi.get("/api/v1/access/reviews").expect(200);
        let done = listed.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
        let counts = ["open", "kept", "revoked", "lapsed", "ended"].map(|name| done[name].as_i64().unwrap());
        assert_eq!(counts, [0, 1, 1, 2, 0], "{done}");
        let evidence = kofi.get(&format!("/api/v1/access/review-items?campaign={id}")).expect(200);
        let of_jonas = evidence.as_array().unwrap().iter().find(|item| item["grant"]["subject"] == "jonas").unwrap();
        assert_eq!(
            (&of_jonas["decided_by"], &of_jonas["reason"]),
            (&json!("chloe"), &json!("has not signed in since May"))
        );
        assert_eq!(desk.as_role("amara").get(&format!("/api/v1/access/review-items?campaign={id}")).status, 403);
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// Access of which only the holder is left to review it is in the evidence of a campaign, and stays as it is.
#[test]
fn what_no_one_is_left_to_review_is_in_the_evidence_of_a_campaign() {
    on_both(|database| {
        let own = |text: String| text.replace("[\"priya\", \"tomas\", \"yuki\"]", "[\"amara\"]");
        let desk = House::with_settings(database, example_rules(), own);
        for (file, from, to) in [
            ("apps.toml", "owner = \"chloe\"", "owner = \"amara\""),
            (
                "people.toml",
                "title = \"Controller\"\nlocation = \"Berlin\"\nmanager = \"lena\"\n",
                "title = \"Controller\"\n",
            ),
        ] {
            changes(&desk, file, from, to);
        }
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        for person in ["amara", "jonas"] {
            asks(&desk.as_role("kofi"), "jira", person);
        }
        let due = desk.clock.now() + SignedDuration::from_hours(14 * 24);
        let new = json!({ "name": "Jira, fourth quarter", "app": "jira", "due_at": due });
        let started = desk.as_role("mei").post("/api/v1/access/reviews", &new).expect(201);
        assert_eq!((&started["open"], &started["unasked"]), (&json!(1), &json!(1)), "{started}");
        let path = format!("/api/v1/access/review-items?campaign={}", started["id"].as_str().unwrap());
        let evidence = desk.as_role("mei").get(&path).expect(200);
        let all = evidence.as_array().unwrap();
        let found = |person: &str| all.iter().find(|item| item["grant"]["subject"] == person).unwrap();
        assert_eq!((&found("jonas")["verdict"], &found("jonas")["reviewers"]), (&Value::Null, &json!(["amara"])));
        let (left, reviewers) = (&found("amara")["verdict"], &found("amara")["reviewers"]);
        assert_eq!((left, reviewers), (&json!("unasked"), &json!([])));
        desk.advance(SignedDuration::from_hours(14 * 24));
        assert_eq!(grants(&desk, "amara")[0]["effective"], true, "it is for people to look at");
        assert_eq!(grants(&desk, "jonas")[0]["effective"], false);
        let listed = desk.command(&["decisions", "reviews"]);
        assert!(String::from_utf8_lossy(&listed.stdout).contains("1 with no one to ask"));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn where_the_reviewer_leaves_another_is_asked_and_has_the_same_time() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text);
        asks(&desk.as_role("kofi"), "jira", "amara");
        let due = desk.clock.now() + SignedDuration::from_hours(14 * 24);
        let campaign = json!({ "name": "Jira, fourth quarter", "app": "jira", "due_at": due });
        desk.as_role("mei").post("/api/v1/access/reviews", &campaign).expect(201);
        let (chloe, lena) = (desk.with_roles("chloe", "requester"), desk.as_role("lena"));
        assert_eq!((waiting(&chloe).len(), waiting(&lena).len()), (1, 0), "the owner of the app is asked");
        let file = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replacen("id = \"chloe\"\n", "id = \"chloe\"\nactive = false\n", 1);
        std::fs::write(&file, text).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let own = waiting(&lena);
        let until: jiff::Timestamp = own[0]["due_at"].as_str().unwrap().parse().unwrap();
        assert_eq!((own.len(), until.as_second()), (1, due.as_second()), "then the manager");
        assert_eq!(says(&lena, &own[0], &json!({ "keep": true, "reason": "still in the project" })), 200);
        desk.advance(SignedDuration::from_hours(14 * 24));
        assert_eq!(grants(&desk, "amara")[0]["effective"], true);
        let checked = desk.command(&["decisions", "chain"]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    });
}

/// Who answers in a reviewer's place finds it in the same list, and the answer says in whose place it is wherever it is read.
#[test]
fn i02_an_answer_in_a_reviewers_place_says_so_wherever_it_is_read() {
    on_both(|database| {
        let desk = House::demo(database);
        let (kofi, mei) = (desk.as_role("kofi"), desk.as_role("mei"));
        for person in ["amara", "jonas", "sofia"] {
            asks(&kofi, "jira", person);
        }
        let (chloe, sofia) = (desk.with_roles("chloe", "requester"), desk.with_roles("sofia", "requester"));
        let due = desk.clock.now() + SignedDuration::from_hours(14 * 24);
        let campaign = json!({ "name": "Jira, fourth quarter", "app": "jira", "due_at": due });
        let started = mei.post("/api/v1/access/reviews", &campaign).expect(201);
        assert_eq!(waiting(&sofia), Vec::<Value>::new());
        let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date().to_string();
        let leave = json!({ "to": "sofia", "from": today, "until": today });
        chloe.post("/api/v1/delegations", &leave).expect(201);
        let own = waiting(&sofia);
        let mut of: Vec<&str> = own.iter().map(|item| item["grant"]["subject"].as_str().unwrap()).collect();
        of.sort_unstable();
        assert_eq!(of, ["amara", "jonas"], "and not what is sofia's");
        let item = |person: &str| own.iter().find(|item| item["grant"]["subject"] == person).unwrap();
        assert_eq!(says(&sofia, item("amara"), &json!({ "keep": true })), 200);
        assert_eq!(says(&chloe, item("jonas"), &json!({ "keep": false, "reason": "has left the project" })), 200);

        let id = started["id"].as_str().unwrap();
        let evidence = kofi.get(&format!("/api/v1/access/review-items?campaign={id}")).expect(200);
        let places = |person: &str| {
            let mut all = evidence.as_array().unwrap().iter();
            all.find(|item| item["grant"]["subject"] == person).map(|item| item["in_place_of"].clone())
        };
        assert_eq!((places("amara"), places("jonas")), (Some(json!(["chloe"])), Some(json!([]))));
        let printed = desk.command(&["decisions", "reviews", id]);
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        assert!(printed.contains("keep by sofia in the place of chloe"), "{printed}");
        let grant = grants(&desk, "amara")[0]["id"].as_str().unwrap().to_owned();
        let story = kofi.get(&format!("/api/v1/grants/{grant}")).expect(200);
        let reviewed = story["ledger"].as_array().unwrap().iter().find(|event| event["event"] == "reviewed").unwrap();
        assert_eq!(reviewed["detail"]["in_place_of"], json!(["chloe"]), "{reviewed}");
        assert!(desk.command(&["decisions", "chain"]).status.success());
        if database == Database::Postgres {
            desk.sql("update review_items set in_place_of = '' where decided_by = 'sofia'");
            assert!(!desk.command(&["decisions", "chain"]).status.success(), "an answer that was changed is found");
        }
        desk.do_what_is_due();
    });
}

/// Who has asked for access, or for more time of it, and answers in a reviewer's place finds no review that they have no word in.
#[test]
fn i02_a_list_has_no_review_that_its_reader_has_asked_for_and_answers_in_anothers_place() {
    on_both(|database| {
        let desk = House::demo(database);
        let (kofi, chloe) = (desk.as_role("kofi"), desk.with_roles("chloe", "requester"));
        asks(&kofi, "jira", "amara");
        asks(&desk.with_roles("sofia", "requester"), "jira", "sofia");
        campaign(&desk);
        let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date().to_string();
        let leave = json!({ "to": "kofi", "from": today, "until": today });
        chloe.post("/api/v1/delegations", &leave).expect(201);
        let (own, all) = (waiting(&kofi), waiting(&chloe));
        assert_eq!((own.len(), all.len()), (1, 2), "{own:?}");
        assert_eq!(own[0]["grant"]["subject"], "sofia", "and not amara's, for whom kofi has asked");
        let amaras = all.iter().find(|item| item["grant"]["subject"] == "amara").unwrap();
        assert_eq!(says(&kofi, amaras, &json!({ "keep": true })), 403);
        let path = format!("/api/v1/grants/{}/extend", own[0]["grant"]["id"].as_str().unwrap());
        let more = json!({ "hours": 1000, "justification": "I work with it each day" });
        kofi.post(&path, &more).expect(201);
        assert_eq!(waiting(&kofi), Vec::<Value>::new(), "more time that kofi has asked for is no other's");
        assert_eq!(says(&kofi, &own[0], &json!({ "keep": true })), 403);
        assert_eq!(says(&chloe, &own[0], &json!({ "keep": true })), 200);
        assert_eq!(says(&chloe, amaras, &json!({ "keep": true })), 200);
        desk.do_what_is_due();
    });
}

/// A reviewer who stands in for the holder finds no review that they have no word in.
#[test]
fn i02_a_list_has_no_review_of_one_for_whom_its_reader_stands_in() {
    on_both(|database| {
        let desk = House::demo(database);
        for person in ["amara", "jonas"] {
            asks(&desk.as_role("kofi"), "jira", person);
        }
        campaign(&desk);
        let chloe = desk.with_roles("chloe", "requester");
        let all = waiting(&chloe);
        assert_eq!(all.len(), 2);
        let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date().to_string();
        let leave = json!({ "to": "chloe", "from": today, "until": today });
        desk.with_roles("amara", "requester").post("/api/v1/delegations", &leave).expect(201);
        let own = waiting(&chloe);
        assert_eq!((own.len(), &own[0]["grant"]["subject"]), (1, &json!("jonas")), "{own:?}");
        let amaras = all.iter().find(|item| item["grant"]["subject"] == "amara").unwrap();
        assert_eq!(says(&chloe, amaras, &json!({ "keep": true })), 403);
        assert_eq!(says(&chloe, &own[0], &json!({ "keep": true })), 200);
        desk.do_what_is_due();
    });
}

/// By leave of their own a holder neither chooses who reviews their access nor keeps it out of a campaign.
#[test]
fn i02_a_holder_chooses_no_reviewer_by_letting_others_decide_in_their_place() {
    on_both(|database| {
        let desk = House::demo(database);
        let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date().to_string();
        let lets = |person: &str, to: &str| {
            let leave = json!({ "to": to, "from": today, "until": today });
            desk.with_roles(person, "requester").post("/api/v1/delegations", &leave).expect(201)["id"].clone()
        };
        for person in ["amara", "jonas"] {
            asks(&desk.as_role("kofi"), "jira", person);
        }
        lets("amara", "chloe");
        let given = lets("jonas", "chloe");
        lets("jonas", "priya");
        campaign(&desk);
        let of = |person: &str| {
            let items = waiting(&desk.with_roles(person, "requester"));
            items.iter().map(|item| item["grant"]["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for (person, asked) in [("chloe", vec![]), ("lena", vec![]), ("priya", vec!["amara"]), ("tomas", vec!["amara"])]
        {
            assert_eq!(of(person), asked, "{person}");
        }
        // Jonas has taken out one of the desk's own as well: it is asked of Chloe, who may lay down what he gave her, and else it ends.
        let chloe = desk.with_roles("chloe", "requester");
        chloe.post(&format!("/api/v1/delegations/{}/end", given.as_str().unwrap()), &json!({})).expect(200);
        let own = waiting(&chloe);
        assert_eq!((own.len(), &own[0]["grant"]["subject"]), (1, &json!("jonas")));
        assert_eq!(says(&chloe, &own[0], &json!({ "keep": true })), 200);
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.do_what_is_due();
    });
}

/// A reviewer who turns out to be the holder of the access by another account lets no one answer in their place.
#[test]
fn i02_a_reviewer_who_has_become_a_party_lets_no_one_answer_in_their_place() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text);
        asks(&desk.as_role("kofi"), "jira", "amara");
        let due = desk.clock.now() + SignedDuration::from_hours(14 * 24);
        let campaign = json!({ "name": "Jira, fourth quarter", "app": "jira", "due_at": due });
        desk.as_role("mei").post("/api/v1/access/reviews", &campaign).expect(201);
        let (chloe, viktor) = (desk.with_roles("chloe", "requester"), desk.with_roles("viktor", "requester"));
        let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date().to_string();
        let leave = json!({ "to": "viktor", "from": today, "until": today });
        chloe.post("/api/v1/delegations", &leave).expect(201);
        let own = waiting(&viktor);
        assert_eq!(own.len(), 1);
        let file = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen("id = \"chloe\"\n", "id = \"chloe\"\nsame-as = \"amara\"\n", 1)).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        for client in [&viktor, &chloe] {
            assert_eq!(says(client, &own[0], &json!({ "keep": true })), 403);
        }
        desk.do_what_is_due();
    });
}

/// The holder leaves, or the access is taken back, while a reviewer looks at it.
#[test]
fn what_has_ended_while_it_was_reviewed_is_neither_kept_nor_taken_back_by_the_answer() {
    on_both(|database| {
        let desk = House::demo(database);
        let mei = desk.as_role("mei");
        for person in ["amara", "jonas"] {
            asks(&desk.as_role("kofi"), "jira", person);
        }
        let due = desk.clock.now() + SignedDuration::from_hours(14 * 24);
        let campaign = json!({ "name": "Jira, fourth quarter", "app": "jira", "due_at": due });
        let started = mei.post("/api/v1/access/reviews", &campaign).expect(201);
        let chloe = desk.with_roles("chloe", "requester");
        let own = waiting(&chloe);
        assert_eq!(own.len(), 2);
        for item in &own {
            let path = format!("/api/v1/grants/{}/revoke", item["grant"]["id"].as_str().unwrap());
            mei.post(&path, &json!({ "reason": "the account is misused" })).expect(200);
        }
        assert_eq!(says(&chloe, &own[0], &json!({ "keep": true })), 200);
        assert_eq!(says(&chloe, &own[1], &json!({ "keep": false, "reason": "has left the project" })), 200);
        let id = started["id"].as_str().unwrap();
        let listed = mei.get("/api/v1/access/reviews").expect(200);
        let done = listed.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
        let counts = ["open", "kept", "revoked", "ended"].map(|name| done[name].as_i64().unwrap());
        assert_eq!(counts, [0, 0, 0, 2], "{done}");
        for person in ["amara", "jonas"] {
            assert_eq!(grants(&desk, person)[0]["end_reason"], "revoked", "{person}");
        }
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.do_what_is_due();
    });
}

/// Says by the directory that an account of a person is another's as well.
fn links(desk: &House, person: &str, human: &str) {
    let id = format!("id = \"{person}\"\n");
    changes(desk, "people.toml", &id, &format!("{id}same-as = \"{human}\"\n"));
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
}

fn changes(desk: &House, file: &str, from: &str, to: &str) {
    let path = desk.settings().with_file_name(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

/// Whose access it is that a person holds, as an audit lists it.
fn held(client: &Client, person: &str, at: &str) -> Vec<String> {
    let held = client.get(&format!("/api/v1/access?person={person}{at}")).expect(200);
    held.as_array().unwrap().iter().map(|one| one["grant"]["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_person_holds_is_what_one_human_holds_by_all_accounts() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text);
        let (kofi, amara) = (desk.as_role("kofi"), desk.as_role("amara"));
        asks(&kofi, "jira", "amara");
        asks(&kofi, "datadog", "sofia");
        assert_eq!(held(&kofi, "amara", ""), ["amara"]);
        links(&desk, "sofia", "amara");
        for client in [&kofi, &amara] {
            assert_eq!(held(client, "amara", ""), ["amara", "sofia"]);
        }
        assert_eq!(held(&kofi, "sofia", ""), ["amara", "sofia"]);
        assert_eq!(held(&kofi, "jonas", ""), Vec::<String>::new());
        // Who leaves by one of them is still here by the other.
        let leaves = kofi.get("/api/v1/people/sofia/offboarding").expect(200);
        assert_eq!(leaves["accounts"], json!(["amara"]), "{leaves}");
        desk.do_what_is_due();
    });
}

/// A clock that is set back gives no one what has ended, and takes nothing from what is known of the past.
#[test]
fn i08_what_has_ended_by_a_later_clock_is_held_by_no_one_and_was_held_before() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        asks(&kofi, "jira", "amara");
        let given = desk.clock.now();
        desk.advance(SignedDuration::from_hours(10));
        let path = format!("/api/v1/grants/{}/revoke", grants(&desk, "amara")[0]["id"].as_str().unwrap());
        desk.as_role("mei").post(&path, &json!({ "reason": "the project is over" })).expect(200);
        desk.clock.advance(SignedDuration::from_hours(-2));
        assert_eq!(held(&kofi, "amara", ""), Vec::<String>::new(), "it has ended in two hours");
        let then = format!("&at={}", given + SignedDuration::from_hours(5));
        assert_eq!(held(&kofi, "amara", &then), ["amara"]);
        desk.clock.advance(SignedDuration::from_hours(2));
        assert_eq!(held(&kofi, "amara", ""), Vec::<String>::new());
        desk.do_what_is_due();
    });
}

/// Begins a campaign about Jira, whose owner is Chloe.
fn campaign(desk: &House) {
    let due = desk.clock.now() + SignedDuration::from_hours(14 * 24);
    let campaign = json!({ "name": "Jira, fourth quarter", "app": "jira", "due_at": due });
    desk.as_role("mei").post("/api/v1/access/reviews", &campaign).expect(201);
}

/// A reviewer who has kept access and turns out to be its holder by another account has kept nothing.
#[test]
fn i02_what_a_party_has_kept_in_a_review_is_looked_at_again() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text);
        let (chloe, priya) = (desk.with_roles("chloe", "requester"), desk.as_role("priya"));
        for person in ["amara", "jonas"] {
            asks(&desk.as_role("kofi"), "jira", person);
        }
        campaign(&desk);
        let own = waiting(&chloe);
        assert_eq!(own.len(), 2);
        assert!(own.iter().all(|item| says(&chloe, item, &json!({ "keep": true })) == 200));
        // More time that came since is the same access.
        let path = format!("/api/v1/grants/{}/extend", grants(&desk, "amara")[0]["id"].as_str().unwrap());
        let more = json!({ "hours": 1000, "justification": "I work with it each day" });
        desk.as_role("kofi").post(&path, &more).expect(201);
        assert_eq!(waiting(&priya), Vec::<Value>::new());
        for _ in 0..2 {
            if waiting(&priya).is_empty() {
                links(&desk, "chloe", "amara");
            } else {
                assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
            }
            let again = waiting(&priya);
            let of: Vec<&str> = again.iter().map(|item| item["grant"]["subject"].as_str().unwrap()).collect();
            assert_eq!(of, ["amara"], "it is asked once, and what is another's stays kept");
            assert_eq!(again[0]["grant"]["effective"], true, "the grant that gives it now");
        }
        let again = waiting(&priya);
        assert_eq!(says(&priya, &again[0], &json!({ "keep": true, "reason": "still in the project" })), 200);
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(waiting(&priya), Vec::<Value>::new(), "who has kept it now has read why");
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.do_what_is_due();
    });
}

/// An open review asks no one who turns out to be the holder of the access: it would end by a word that no person could give.
#[test]
fn where_the_only_reviewer_becomes_the_holder_another_is_asked() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text);
        asks(&desk.as_role("kofi"), "jira", "amara");
        campaign(&desk);
        let (chloe, lena) = (desk.with_roles("chloe", "requester"), desk.as_role("lena"));
        assert_eq!((waiting(&chloe).len(), waiting(&lena).len()), (1, 0));
        links(&desk, "chloe", "amara");
        let own = waiting(&lena);
        assert_eq!((waiting(&chloe).len(), own.len()), (0, 1), "then the manager");
        assert_eq!(says(&lena, &own[0], &json!({ "keep": true })), 200);
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.do_what_is_due();
    });
}

/// A clock that is set back opens no review again whose time was over, and changes no answer.
#[test]
fn i08_a_clock_that_is_set_back_leaves_reviews_as_they_are() {
    on_both(|database| {
        let desk = House::demo(database);
        for person in ["amara", "jonas"] {
            asks(&desk.as_role("kofi"), "jira", person);
        }
        campaign(&desk);
        let chloe = desk.with_roles("chloe", "requester");
        let own = waiting(&chloe);
        let of = |person: &str| own.iter().find(|item| item["grant"]["subject"] == person).unwrap();
        desk.clock.advance(SignedDuration::from_hours(-1));
        assert_eq!(says(&chloe, of("amara"), &json!({ "keep": true })), 200, "it was asked an hour from now");
        desk.advance(SignedDuration::from_hours(14 * 24 + 1));
        desk.clock.advance(SignedDuration::from_hours(-48));
        assert_eq!(waiting(&chloe), Vec::<Value>::new());
        assert_eq!(says(&chloe, of("jonas"), &json!({ "keep": true })), 409, "its time was over");
        assert_eq!(says(&chloe, of("amara"), &json!({ "keep": false, "reason": "after all" })), 409);
        desk.do_what_is_due();
        let effective = |person: &str| grants(&desk, person)[0]["effective"].clone();
        assert_eq!((effective("amara"), effective("jonas")), (json!(true), json!(false)));
        desk.advance(SignedDuration::from_hours(48));
        assert_eq!((effective("amara"), effective("jonas")), (json!(true), json!(false)));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}
