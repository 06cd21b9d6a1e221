//! Links between tickets, and what follows from them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{comment, incident, state, step};
use crate::support::client::{Answer, Client, resolved};
use crate::support::components::{example_rules, put};
use crate::support::house::House;
use crate::support::place::{Database, on_both};

fn link(client: &Client, key: &str, link: &str, other: &str) -> Answer {
    client.post(&format!("/api/v1/tickets/{key}/links"), &json!({ "link": link, "ticket": other }))
}

#[test]
fn a_ticket_that_waits_for_another_is_not_resolved_before_it() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [waits, blocks] = ["one", "two"].map(|subject| incident(&amara, subject));
        link(&kofi, &waits, "blocked-by", &blocks).expect(200);
        let refused = step(&kofi, &waits, &resolved()).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains(&blocks), "{refused}");
        let circle = link(&kofi, &blocks, "blocked-by", &waits).expect(409);
        assert!(circle["detail"].as_str().unwrap().contains("depends on this"), "{circle}");
        assert_eq!(link(&kofi, &waits, "blocked-by", &waits).status, 409);
        assert_eq!(link(&kofi, &waits, "blocked-by", "IT-99").status, 404);
        assert_eq!(link(&kofi, &waits, "merged-into", &blocks).status, 400, "no link that people make");
        assert_eq!(link(&amara, &waits, "blocked-by", &blocks).status, 403);
        let version = |answer: Answer| answer.expect(200)["version"].clone();
        let before = version(kofi.get(&format!("/api/v1/tickets/{waits}")));
        assert_eq!(version(link(&kofi, &waits, "blocked-by", &blocks)), before, "it is so linked already");
        step(&kofi, &blocks, &resolved()).expect(200);
        step(&kofi, &waits, &resolved()).expect(200);
        assert_eq!(amara.get(&format!("/api/v1/tickets/{waits}/links")).status, 403, "others' tickets are not shown");
    });
}

#[test]
fn opposite_links_at_one_moment_close_no_circle() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let keys: Vec<String> = (0..9).map(|n| incident(&amara, &format!("number {n}"))).collect();
        // Three triangles at once, each of which would be closed by its last link.
        let links = (0..3).flat_map(|n| (0..3).map(move |side| (3 * n + side, 3 * n + (side + 1) % 3)));
        let made: Vec<u16> = std::thread::scope(|scope| {
            let one = |(from, to): (usize, usize)| {
                let (kofi, from, to) = (kofi.clone(), keys[from].clone(), keys[to].clone());
                scope.spawn(move || link(&kofi, &from, "blocked-by", &to).status)
            };
            let running: Vec<_> = links.map(one).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let count = |status: u16| made.iter().filter(|found| **found == status).count();
        assert_eq!((count(200), count(409)), (6, 3), "{made:?}");
        // The other way round at the same moment: one of the two.
        let [one, other] = ["one", "other"].map(|subject| incident(&amara, subject));
        let both = std::thread::scope(|scope| {
            let merge = |from: &str, to: &str| {
                let (kofi, path, body) =
                    (kofi.with("if-match", "*"), format!("/api/v1/tickets/{from}/merge"), json!({ "into": to }));
                scope.spawn(move || kofi.post(&path, &body).status)
            };
            [merge(&one, &other), merge(&other, &one)].map(|one| one.join().unwrap())
        });
        assert_eq!(both.iter().filter(|status| **status == 200).count(), 1, "{both:?}");
        desk.do_what_is_due();
    });
}

#[test]
fn a_link_is_taken_away() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [waits, blocks] = ["one", "two"].map(|subject| incident(&amara, subject));
        link(&kofi, &waits, "blocked-by", &blocks).expect(200);
        let named = json!({ "link": "blocked-by", "ticket": &blocks });
        kofi.post(&format!("/api/v1/tickets/{waits}/unlink"), &named).expect(200);
        assert_eq!(kofi.get(&format!("/api/v1/tickets/{waits}/links")).expect(200), json!([]));
        step(&kofi, &waits, &resolved()).expect(200);
    });
}

/// No category was found for a ticket that another resolves: it has the other's, on this way as on every other.
#[test]
fn a_duplicate_for_which_no_category_was_found_is_resolved_under_that_of_its_original() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let original = incident(&amara, "VPN is down");
        let vague = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me." });
        let vague = lena.post("/api/v1/tickets", &vague).expect(201)["key"].as_str().unwrap().to_owned();
        let own = incident(&lena, "no VPN");
        let edit = json!({ "category": "network.wifi", "ask_rules": false, "reason": "it is the radio" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{own}"), &edit).expect(200);
        let category = |key: &str| kofi.get(&format!("/api/v1/tickets/{key}")).expect(200)["category"].clone();
        assert_eq!(category(&vague), "miscellaneous");
        for key in [&vague, &own] {
            link(&kofi, key, "duplicate-of", &original).expect(200);
        }
        step(&kofi, &original, &resolved()).expect(200);
        desk.advance(SignedDuration::ZERO);
        assert_eq!((state(&kofi, &vague), category(&vague)), ("resolved".to_owned(), category(&original)));
        assert_eq!(
            (state(&kofi, &own), category(&own)),
            ("resolved".to_owned(), json!("network.wifi")),
            "a real one stays"
        );
        let timeline = lena.get(&format!("/api/v1/tickets/{vague}/timeline")).expect(200);
        let is_it = |entry: &&Value| entry["kind"] == "set" && entry["details"]["from"] == "miscellaneous";
        let set = timeline.as_array().unwrap().iter().find(is_it).unwrap();
        assert_eq!((&set["by"], &set["details"]["to"]), (&json!("system"), &category(&original)), "{set}");
    });
}

#[test]
fn resolving_a_ticket_resolves_its_duplicates_and_theirs() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let original = incident(&amara, "VPN is down");
        let [first, second] = ["no VPN", "VPN??"].map(|subject| incident(&lena, subject));
        link(&kofi, &first, "duplicate-of", &original).expect(200);
        link(&kofi, &second, "duplicate-of", &first).expect(200);
        step(&kofi, &original, &resolved()).expect(200);
        desk.advance(SignedDuration::ZERO);
        for key in [&first, &second] {
            assert_eq!(state(&kofi, key), "resolved");
            let timeline = lena.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string();
            assert!(timeline.contains("The cable is in again.") && !timeline.contains(&original), "{timeline}");
            assert_eq!(super::count(&desk, key, "resolved"), 1);
        }
        step(&lena, &first, &json!({ "to": "reopened", "reason": "still down here" })).expect(200);
        desk.advance(SignedDuration::ZERO);
        assert_eq!(state(&kofi, &first), "reopened", "the requester has the last word");
    });
}

/// A rule proposes that a ticket repeats another; an agent makes that a link, or refuses it.
#[test]
fn a_duplicate_that_a_rule_proposes_is_accepted_or_refused_by_an_agent() {
    const TABLE: &str = "name = \"repeats\"\nversion = \"1.0.0\"\ndescription = \"Words about the first ticket.\"\n\
        stages = [\"intake\"]\norder = 16\n\n[settings]\nstage = \"intake\"\notherwise = \"accept\"\n\n\
        [[settings.row]]\nwhen.ticket.subject.contains = \"still\"\nthen.duplicate-of = \"IT-1\"\nreason = \"it says still\"\n";
    on_both(|database| {
        let desk = House::demo(database);
        let component = std::fs::read(example_rules().join("60-decision-table/rule.wasm")).unwrap();
        put(&desk.rules, "16-repeats", TABLE, &component);
        desk.until_active("repeats");
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let original = incident(&amara, "VPN is down");
        let [accepted, refused] = ["still no VPN", "still without VPN"].map(|subject| incident(&lena, subject));
        let proposal = |key: &str| kofi.get(&format!("/api/v1/tickets/{key}")).expect(200)["duplicate_of"].clone();
        assert_eq!((proposal(&accepted), proposal(&refused)), (json!(original), json!(original)));
        let seen = lena.get(&format!("/api/v1/tickets/{accepted}")).expect(200).to_string();
        assert!(!seen.contains(&format!("\"{original}\"")), "another person's ticket: {seen}");
        link(&kofi, &accepted, "duplicate-of", &original).expect(200);
        let named = json!({ "link": "duplicate-of", "ticket": &original });
        kofi.post(&format!("/api/v1/tickets/{refused}/unlink"), &named).expect(200);
        assert_eq!(proposal(&refused), Value::Null);
        step(&kofi, &original, &resolved()).expect(200);
        desk.advance(SignedDuration::ZERO);
        assert_eq!((state(&kofi, &accepted).as_str(), state(&kofi, &refused).as_str()), ("resolved", "open"));
    });
}

#[test]
fn a_merged_ticket_sends_its_later_words_on() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let [one, two, three] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        let other = incident(&lena, "hers");
        let merge = |key: &str, into: &str| {
            kofi.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/merge"), &json!({ "into": into }))
        };
        assert_eq!(step(&kofi, &one, &json!({ "to": "merged" })).status, 409, "into which?");
        assert_eq!(merge(&one, &other).status, 409, "another person's");
        assert_eq!(merge(&one, &one).status, 409);
        assert_eq!(merge(&one, &two).expect(200)["state"], "merged");
        assert_eq!(merge(&three, &one).status, 409, "it has gone up in another itself");
        assert_eq!(merge(&two, &three).expect(200)["state"], "merged");
        desk.advance(SignedDuration::ZERO);
        let taken = comment(&amara, &one, "Here is a picture.").expect(201);
        assert_eq!(taken["key"], three.as_str(), "the last of the chain takes it");
        let timeline = kofi.get(&format!("/api/v1/tickets/{three}/timeline")).expect(200);
        let linked = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "linked").count();
        assert_eq!(linked, 1, "{timeline}");
        assert!(timeline.to_string().contains("Here is a picture."));
        let due = kofi.get(&format!("/api/v1/tickets/{one}")).expect(200)["resolution"]["due_at"].clone();
        assert!(due.is_null(), "a merged ticket promises nothing");
    });
}

/// More links than are shown of a ticket.
const MANY_LINKS: &str = "insert into links (ticket, kind, other, at, author) \
    select number, 'a-kind-' || n, number, 0, 'kofi' from tickets, generate_series(1, 600) n";

#[test]
fn many_links_of_a_merged_ticket_do_not_hide_where_it_went() {
    let desk = House::demo(Database::Postgres);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let [one, two] = ["one", "two"].map(|subject| incident(&amara, subject));
    desk.sql(MANY_LINKS);
    kofi.with("if-match", "*").post(&format!("/api/v1/tickets/{one}/merge"), &json!({ "into": two })).expect(200);
    desk.advance(SignedDuration::ZERO);
    let timeline = kofi.get(&format!("/api/v1/tickets/{two}/timeline")).expect(200);
    let linked = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "linked").count();
    assert_eq!(linked, 1, "{timeline}");
}

#[test]
fn a_part_of_a_ticket_is_split_off() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN and a monitor");
        let path = format!("/api/v1/tickets/{key}/split");
        let body = json!({ "request_type": "hardware", "subject": "A monitor", "body": "My monitor flickers too.",
            "fields": { "device": "monitor", "justification": "it hurts the eyes", "urgency": "low" } });
        assert_eq!(amara.post(&path, &body).status, 403);
        let part = kofi.with("idempotency-key", "split-1").post(&path, &body).expect(201);
        assert_eq!((&part["requester"], &part["submitted_by"]), (&json!("amara"), &json!("kofi")));
        let again = kofi.with("idempotency-key", "split-1").post(&path, &body).expect(200);
        assert_eq!(part["key"], again["key"]);
        let links = kofi.get(&format!("/api/v1/tickets/{key}/links")).expect(200);
        assert_eq!((&links[0]["link"], &links[0]["ticket"]), (&json!("split-into"), &part["key"]));
        assert_eq!(links.as_array().unwrap().len(), 1);
    });
}
