//! The knowledge base and searches: who finds what, and articles that come of resolved tickets.

use serde_json::{Value, json};

use super::{comment, incident, step};
use crate::support::client::{Client, resolved};
use crate::support::house::House;
use crate::support::place::{on_both, on_both_at_once};
use crate::support::wait::until;

fn keys(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
}

fn publish(client: &Client, key: &str, to: &str) -> crate::support::client::Answer {
    client.with("if-match", "*").post(&format!("/api/v1/articles/{key}/state"), &json!({ "to": to }))
}

#[test]
fn a_resolution_becomes_an_article_in_one_step_and_spares_the_next_ticket() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let path = format!("/api/v1/tickets/{key}/article");
        assert_eq!(kofi.post(&path, &json!({})).status, 409, "nothing was said yet");
        step(&kofi, &key, &resolved()).expect(200);
        assert_eq!(amara.post(&path, &json!({})).status, 403);
        let draft = kofi.post(&path, &json!({})).expect(201);
        assert_eq!((&draft["state"], &draft["title"]), (&json!("draft"), &json!("it was down")));
        assert!(draft["body"].as_str().unwrap().contains("a cable had come off"), "{draft}");
        assert_eq!(kofi.post(&path, &json!({})).expect(200)["key"], draft["key"], "once");
        let article = draft["key"].as_str().unwrap();
        let text = json!({ "title": "VPN ist ausgefallen", "language": "de", "category": "network.vpn",
            "body": "Prüfe zuerst das Kabel am Gerät im Keller.", "review_on": "2027-01-31" });
        let write = kofi.with("if-match", "\"1\"").put(&format!("/api/v1/articles/{article}"), &text);
        assert_eq!(write.expect(200)["version"], 2);
        assert_eq!(amara.get(&format!("/api/v1/articles/{article}")).status, 404, "a draft is not there");
        let asks = json!({ "subject": "Kein VPN", "body": "Bei uns ist das Netz ausgefallen, das Kabel steckt." });
        assert_eq!(amara.post("/api/v1/articles/suggestions", &asks).expect(200), json!([]));
        publish(&kofi, article, "public").expect(200);
        let found = amara.post("/api/v1/articles/suggestions", &asks).expect(200);
        assert_eq!(keys(&found, "key"), [article]);
        let marked = found[0]["piece"].as_array().unwrap().iter().find(|part| part["found"] == true).cloned();
        assert_eq!(marked.unwrap()["text"], "Kabel");
        for _ in 0..2 {
            amara.post(&format!("/api/v1/articles/{article}/deflections"), &json!({})).expect(200);
            amara.post(&format!("/api/v1/articles/{article}/votes"), &json!({ "helpful": true })).expect(200);
        }
        let whole = amara.get(&format!("/api/v1/articles/{article}")).expect(200);
        assert_eq!(whole["usefulness"], json!({ "helpful": 1, "unhelpful": 0, "deflections": 1 }));
        assert_eq!(whole.get("source"), None, "the ticket that it comes from is another matter");
        let due = kofi.get("/api/v1/articles?review_by=2027-02-01").expect(200);
        assert_eq!(keys(&due, "key"), [article]);
        let versions = kofi.get(&format!("/api/v1/articles/{article}/versions")).expect(200);
        assert_eq!(versions.as_array().unwrap().len(), 3);
    });
}

#[test]
fn each_reader_finds_the_articles_that_are_for_them() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let add = |title: &str, body: &str, state: &str| {
            let article = kofi.post("/api/v1/articles", &json!({ "title": title, "body": body })).expect(201);
            let key = article["key"].as_str().unwrap().to_owned();
            if state != "draft" {
                publish(&kofi, &key, state).expect(200);
            }
            key
        };
        let draft = add("Wireless café", "Not ready.", "draft");
        let internal = add("Wireless controller", "The password is in the safe; café too.", "internal");
        let public = add("Wireless at the cafe", "Choose the guest network.", "public");
        let search = |client: &Client, words: &str| {
            let mut found = keys(&client.get(&format!("/api/v1/articles/search?q={words}")).expect(200), "key");
            found.sort();
            found
        };
        assert_eq!(search(&amara, "WIRELESS"), std::slice::from_ref(&public));
        assert_eq!(search(&kofi, "wire%20caf%C3%A9"), [draft.clone(), internal.clone(), public.clone()]);
        assert_eq!(search(&kofi, "wireless%20safe"), std::slice::from_ref(&internal));
        assert_eq!(search(&amara, "%22%20OR%20*"), [""; 0], "syntax is none");
        assert_eq!(keys(&amara.get("/api/v1/articles").expect(200), "key"), std::slice::from_ref(&public));
        for (state, shown) in [("public", 1), ("internal", 0), ("draft", 0)] {
            let listed = amara.get(&format!("/api/v1/articles?state={state}")).expect(200);
            assert_eq!(listed.as_array().unwrap().len(), shown, "{state}: {listed}");
        }
        assert_eq!(amara.get(&format!("/api/v1/articles/{internal}")).status, 404);
        publish(&kofi, &public, "retired").expect(200);
        assert_eq!(search(&kofi, "guest"), [""; 0], "what is retired is not found");
        assert_eq!(publish(&kofi, &public, "public").status, 409, "it is looked over first");
        let stale = kofi
            .with("if-match", "\"1\"")
            .put(&format!("/api/v1/articles/{public}"), &json!({ "title": "a", "body": "b" }));
        assert_eq!(stale.status, 412);
        let bad = json!({ "title": " ", "body": "b", "category": "none", "language": "en_US" });
        let problem = kofi.post("/api/v1/articles", &bad).expect(422);
        assert_eq!(keys(&problem["problems"], "field"), ["title", "language", "category"]);
        assert_eq!(amara.post("/api/v1/articles", &json!({ "title": "a", "body": "b" })).status, 403);
    });
}

/// All items of a list, by its links; none of its pages is much longer than a megabyte.
fn followed(client: &Client, path: &str) -> Vec<Value> {
    let address = path.split('?').next().unwrap();
    let (mut all, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = client.get(&next);
        assert!(page.text.len() < 3 << 19, "{next}: {} bytes", page.text.len());
        let link = page.link.clone();
        all.extend(page.expect(200).as_array().unwrap().iter().cloned());
        let Some(link) = link else { return all };
        let query = link.strip_prefix('<').and_then(|link| Some(link.split_once('>')?.0)).unwrap();
        next = format!("{address}{query}");
    }
}

#[test]
fn a_page_of_long_articles_ends_early_and_says_where_the_next_begins() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        let text = |n: usize| json!({ "title": format!("Part {n}"), "body": "\u{6f22}\u{5b57} ".repeat(16_000) });
        let first = kofi.post("/api/v1/articles", &text(0)).expect(201)["key"].as_str().unwrap().to_owned();
        for n in 1..20 {
            kofi.post("/api/v1/articles", &text(n)).expect(201);
            kofi.with("if-match", "*").put(&format!("/api/v1/articles/{first}"), &text(n)).expect(200);
        }
        let all = followed(&kofi, "/api/v1/articles?state=draft&limit=200");
        assert_eq!(all.len(), 20, "{:?}", all.iter().map(|article| &article["key"]).collect::<Vec<_>>());
        let versions = followed(&kofi, &format!("/api/v1/articles/{first}/versions"));
        let counted: Vec<i64> = versions.iter().filter_map(|version| version["version"].as_i64()).collect();
        assert_eq!(counted, (1..=20).rev().collect::<Vec<_>>());
    });
}

#[test]
fn tickets_are_found_by_their_words_and_private_ones_by_nobody_else() {
    on_both_at_once(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let [hers, theirs] = [incident(&amara, "Zeppelin gateway"), incident(&lena, "Zeppelin printer")];
        comment(&amara, &hers, "The crème is off.").expect(201);
        let note = json!({ "body": "Quixotic password inside.", "internal": true });
        kofi.post(&format!("/api/v1/tickets/{hers}/comments"), &note).expect(201);
        let search =
            |client: &Client, query: &str| keys(&client.get(&format!("/api/v1/search?q={query}")).expect(200), "key");
        until("the words to be found", || (search(&kofi, "quixotic") == std::slice::from_ref(&hers)).then_some(()));
        assert_eq!(search(&kofi, "zeppelin"), [theirs.clone(), hers.clone()], "the newest first");
        assert_eq!(search(&amara, "zeppelin"), std::slice::from_ref(&hers), "only her own");
        assert_eq!(search(&amara, "quixotic"), [""; 0], "a private note is nobody's find but the desk's");
        assert_eq!(
            search(&amara, "zepp%20creme%20berlin"),
            std::slice::from_ref(&hers),
            "all words of one ticket, wherever they stand"
        );
        assert_eq!(search(&kofi, "zeppelin&requester=lena"), std::slice::from_ref(&theirs));
        comment(&amara, &hers, "Große Straße, ÇALIŞMIYOR, 東京のプリンターが壊れた").expect(201);
        for query in ["GROSSE strasse", "Straße", "çalışmıyor", "Calismiyor", "壊れた", "プリンターが壊れた"]
        {
            let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
            until("the words to be found as they are written", || {
                (search(&kofi, &query) == std::slice::from_ref(&hers)).then_some(())
            });
        }
        assert_eq!(search(&kofi, &format!("zeppelin&before={theirs}")), std::slice::from_ref(&hers));
        assert_eq!(amara.get("/api/v1/search?q=zeppelin&team=network").status, 403);
        assert_eq!(kofi.get("/api/v1/search?q=zeppelin&state=nirvana").status, 400, "no state, as in a list");
        assert_eq!(search(&kofi, "zzofxx"), [""; 0]);
        step(&kofi, &hers, &resolved()).expect(200);
        until("the record to be found", || {
            (search(&kofi, "cable%20come") == std::slice::from_ref(&hers)).then_some(())
        });
        assert_eq!(search(&amara, "come"), [""; 0], "the cause is the desk's matter");
        until("the fix to be found", || (search(&amara, "cable%20again") == std::slice::from_ref(&hers)).then_some(()));
    });
}
