//! Lists of what people keep have an end in bytes, and all that is kept counts.

use serde_json::{Value, json};

use super::bounds::bounded;
use crate::support::client::{Client, resolved};
use crate::support::house::House;
use crate::support::place::on_both;

fn draft(body: &str) -> Value {
    json!({ "request_type": "question", "subject": "Later", "body": body, "fields": { "topic": "other" } })
}

fn id(n: u128) -> String {
    format!("/api/v1/drafts/{}", uuid::Uuid::from_u128(n))
}

/// All pages of a list of so many items each: the ids of its items, and the longest page in bytes.
fn pages(client: &Client, path: &str, limit: usize, key: &str) -> (Vec<Value>, usize) {
    let (mut found, mut longest) = (Vec::new(), 0);
    let mut query = format!("?limit={limit}");
    for _ in 0..100 {
        let page = client.get(&format!("{path}{query}"));
        longest = longest.max(page.text.len());
        let items = page.expect(200);
        found.extend(items.as_array().unwrap().iter().map(|item| item[key].clone()));
        let Some(link) = page.link else { return (found, longest) };
        query = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
    }
    panic!("{path} comes to no end");
}

#[test]
fn drafts_are_listed_page_by_page_and_a_page_has_a_bound_in_bytes() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let long = "y".repeat(90_000);
        for n in 1..=40 {
            assert_eq!(amara.put(&id(n), &draft(&long)).status, 200, "{n}");
            desk.clock.advance(jiff::SignedDuration::from_secs(1));
        }
        lena.put(&id(1), &draft("hers")).expect(200);
        let (ids, longest) = pages(&amara, "/api/v1/drafts", 200, "id");
        let expected: Vec<Value> = (1..=40).rev().map(|n| json!(uuid::Uuid::from_u128(n))).collect();
        assert_eq!(ids, expected, "the latest first, each once");
        assert!(longest < 1_200_000, "a page of {longest} bytes");
        let (again, _) = pages(&amara, "/api/v1/drafts", 7, "id");
        assert_eq!(again, expected);
        // Of the same instant, each comes once, too.
        for n in 41..=44 {
            amara.put(&id(n), &draft("short")).expect(200);
        }
        let (ids, _) = pages(&amara, "/api/v1/drafts", 3, "id");
        assert_eq!(ids.len(), 44);
        assert_eq!(ids.iter().filter_map(Value::as_str).collect::<std::collections::BTreeSet<_>>().len(), 44);
        // All of one person's together have a bound, which one that is changed goes by as it is by then.
        let full = (45..=50).map(|n| amara.put(&id(n), &draft(&"y".repeat(99_000))).status).collect::<Vec<_>>();
        assert_eq!((full[0], full[5]), (200, 422), "{full:?}");
        amara.put(&id(1), &draft("short")).expect(200);
        assert_eq!(amara.get("/api/v1/drafts?after=1sx").status, 400);
        assert_eq!(amara.get("/api/v1/drafts?limit=0").status, 400);
    });
}

#[test]
fn a_draft_counts_for_what_it_has_grown_by() {
    on_both(|database| {
        let desk = bounded(database, "mib-per-day = 1");
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let long = "y".repeat(90_000);
        // One that is saved again and again is no more text than it has.
        for _ in 0..30 {
            amara.put(&id(1), &draft(&long)).expect(200);
        }
        let taken = (2..40).take_while(|n| amara.put(&id(*n), &draft(&long)).status == 200).count();
        assert!((9..12).contains(&taken), "{taken} more of 90,000 bytes in a MiB");
        let refused = amara.put(&id(99), &draft(&long));
        assert_eq!((refused.status, refused.retry_after.is_some()), (429, true), "{}", refused.text);
        // Nor is there more room after it was taken away.
        amara.delete(&id(1));
        assert_eq!(amara.put(&id(1), &draft(&long)).status, 429);
        lena.put(&id(1), &draft(&long)).expect(200);
    });
}

#[test]
fn resolutions_and_time_are_listed_page_by_page() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let made = amara.post("/api/v1/tickets", &draft("Please tell me.")).expect(201);
        let path = format!("/api/v1/tickets/{}", made["key"].as_str().unwrap());
        let kofi_any = kofi.with("if-match", "*");
        let category = json!({ "category": "software", "reason": "it is about software" });
        kofi_any.patch(&path, &category).expect(200);
        for _ in 0..3 {
            kofi_any.post(&format!("{path}/transitions"), &resolved()).expect(200);
            let again = json!({ "to": "reopened", "reason": "still down" });
            amara.with("if-match", "*").post(&format!("{path}/transitions"), &again).expect(200);
        }
        let (rounds, _) = pages(&kofi, &format!("{path}/resolutions"), 2, "round");
        assert_eq!(rounds, [1, 2, 3]);
        for minutes in 1..=5 {
            kofi.post(&format!("{path}/time"), &json!({ "minutes": minutes })).expect(200);
        }
        let first = kofi.get(&format!("{path}/time?limit=3")).expect(200);
        let next = first["next"].as_str().unwrap();
        let second = kofi.get(&format!("{path}/time?limit=3&after={next}")).expect(200);
        let minutes = |page: &Value| -> Vec<i64> {
            page["entries"].as_array().unwrap().iter().map(|entry| entry["minutes"].as_i64().unwrap()).collect()
        };
        assert_eq!((minutes(&first), minutes(&second)), (vec![1, 2, 3], vec![4, 5]));
        assert_eq!((&first["total_minutes"], &second["total_minutes"]), (&json!(15), &json!(15)), "of all of them");
        assert!(second.get("next").is_none(), "{second}");
        assert_eq!(kofi.get(&format!("{path}/time?after={}", rounds[0])).status, 400);
    });
}
