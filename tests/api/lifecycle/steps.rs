//! Several changes in one step, macros, bulk changes with an outcome for each ticket, and tasks.

use serde_json::{Value, json};

use super::{incident, messages, state, step};
use crate::support::client::{Answer, Client, resolved};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

fn run(client: &Client, key: &str, body: &Value) -> Answer {
    client.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/steps"), body)
}

fn version(client: &Client, key: &str) -> i64 {
    client.get(&format!("/api/v1/tickets/{key}")).expect(200)["version"].as_i64().unwrap()
}

const MACROS: &str = r#"
[[macro]]
id = "cable"
name = "The cable was off"
category = "network.vpn"
priority = "low"
take = false
reply = "Dear {requester}, {key} is about a cable. {agent}, {desk}"
note = "again"
to = "resolved"
resolution = { symptom = "no VPN", cause = "a cable", fix = "The cable of {subject} is in.", next-time = "look first" }

[[canned-reply]]
id = "hello"
name = "Greeting"
body = "Dear {requester}, we have {key}."
"#;

fn with_macros(database: Database) -> House {
    House::with_settings(database, example_rules(), |text| format!("{text}\n{MACROS}"))
}

#[test]
fn a_step_is_done_whole_or_not_at_all() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let edit = json!({ "edit": { "priority": "low", "reason": "it can wait" } });
        let say = json!({ "comment": { "body": "We are at it." } });
        let work = json!({ "transition": { "to": "in_progress" } });
        let unready = json!({ "transition": { "to": "resolved" } });
        let before = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        assert_eq!(run(&kofi, &key, &json!({ "commands": [edit, say, work, unready] })).status, 422);
        assert_eq!(kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200), before, "nothing of it");
        let done = run(&kofi, &key, &json!({ "commands": [edit, say, work] })).expect(200);
        assert_eq!(
            (&done["state"], &done["priority"], &done["version"]),
            (&json!("in_progress"), &json!("low"), &json!(2))
        );
        assert!(done["first_response"]["met_at"].is_string());
        assert_eq!(run(&amara, &key, &json!({ "commands": [edit] })).status, 403);
        assert_eq!(run(&kofi, &key, &json!({ "commands": [] })).status, 400);
        let path = format!("/api/v1/tickets/{key}/steps");
        assert_eq!(kofi.post(&path, &json!({ "commands": [say] })).status, 428);
    });
}

#[test]
fn a_macro_is_the_same_commands_with_the_ticket_filled_in() {
    on_both(|database| {
        let desk = with_macros(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "{agent} is down");
        let macros = kofi.get("/api/v1/macros").expect(200);
        assert!(
            macros.as_array().unwrap().contains(&json!({ "id": "cable", "name": "The cable was off" })),
            "{macros}"
        );
        let replies = kofi.get(&format!("/api/v1/tickets/{key}/canned-replies")).expect(200);
        let greeting = json!(format!("Dear Amara Okafor, we have {key}."));
        assert!(replies.as_array().unwrap().iter().any(|reply| reply["body"] == greeting), "{replies}");
        assert_eq!(amara.get("/api/v1/macros").status, 403);
        for named in ["cable", "none"] {
            assert_eq!(
                run(&amara, &key, &json!({ "macro": named })).status,
                403,
                "nor is it found out which there are"
            );
        }
        assert_eq!(run(&kofi, &key, &json!({ "macro": "none" })).status, 404);
        let done = run(&kofi, &key, &json!({ "macro": "cable" })).expect(200);
        assert_eq!((&done["state"], &done["priority"]), (&json!("resolved"), &json!("low")));
        let seen = amara.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string();
        assert!(
            seen.contains("is about a cable. Kofi") && seen.contains("The cable of {agent} is down is in."),
            "{seen}"
        );
        assert!(!seen.contains("again"), "{seen}");
        assert_eq!(messages(&desk, &key).iter().filter(|(kind, _)| kind == "resolved").count(), 1);
    });
}

#[test]
fn a_bulk_change_says_for_each_ticket_what_came_of_it() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [one, over, two] = ["one", "over", "two"].map(|subject| incident(&amara, subject));
        step(&amara, &over, &json!({ "to": "cancelled" })).expect(200);
        let commands = json!({ "commands": [{ "edit": { "priority": "low", "reason": "all can wait" } },
            { "transition": { "to": "in_progress" } }] });
        let body = json!({ "tickets": [&one, &over, "IT-99", &two], "step": commands });
        let outcomes = kofi.post("/api/v1/bulk", &body).expect(200);
        let done: Vec<bool> = outcomes.as_array().unwrap().iter().map(|one| one["done"].as_bool().unwrap()).collect();
        assert_eq!(done, [true, false, false, true]);
        assert_eq!(outcomes[1]["problem"]["status"], 409);
        assert_eq!(outcomes[2]["problem"]["status"], 404);
        assert_eq!((state(&kofi, &one), version(&kofi, &two)), ("in_progress".to_owned(), 2));
        let with_key = kofi.with("idempotency-key", "bulk-1");
        let note = json!({ "tickets": [&one, &two], "step": { "commands": [{ "comment": { "body": "Soon.", "internal": true } }] } });
        with_key.post("/api/v1/bulk", &note).expect(200);
        with_key.post("/api/v1/bulk", &note).expect(200);
        assert_eq!(version(&kofi, &one), 3, "the same request is done once");
        let twice = json!({ "tickets": [&one, &two, &one], "step": &note["step"] });
        let outcomes = kofi.post("/api/v1/bulk", &twice).expect(200);
        assert_eq!(outcomes.as_array().unwrap().len(), 2, "one outcome for each ticket");
        assert_eq!(version(&kofi, &one), 4, "a ticket that is named twice is changed once");
        let many: Vec<String> = (1..=101).map(|n| format!("IT-{n}")).collect();
        assert_eq!(kofi.post("/api/v1/bulk", &json!({ "tickets": many, "step": commands })).status, 400);
    });
}

/// Several agents change the same tickets at one moment, in one order and in the other: nothing is lost, nothing waits for ever, and
/// what can be done once is done once.
#[test]
fn bulk_changes_of_the_same_tickets_at_one_moment_lose_nothing_and_end_each_ticket_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let keys: Vec<String> = (0..6).map(|n| incident(&amara, &format!("number {n}"))).collect();
        let backwards: Vec<String> = keys.iter().rev().cloned().collect();
        let at_once = |steps: &[Value]| -> Vec<Value> {
            std::thread::scope(|scope| {
                let one = |(n, step): (usize, &Value)| {
                    let tickets = if n % 2 == 0 { &keys } else { &backwards };
                    let (kofi, body) = (kofi.clone(), json!({ "tickets": tickets, "step": step }));
                    scope.spawn(move || kofi.post("/api/v1/bulk", &body).expect(200))
                };
                let running: Vec<_> = steps.iter().enumerate().map(one).collect();
                running.into_iter().map(|one| one.join().unwrap()).collect()
            })
        };
        let done = |outcomes: &[Value], key: &str| {
            let of_ticket = outcomes.iter().flat_map(|outcome| outcome.as_array().unwrap());
            of_ticket.filter(|one| one["ticket"] == key && one["done"] == true).count()
        };
        let note =
            |n: usize| json!({ "commands": [{ "comment": { "body": format!("note {n}."), "internal": true } }] });
        let notes = at_once(&[0, 1, 2, 3].map(note));
        for key in &keys {
            assert_eq!(done(&notes, key), 4, "{notes:?}");
            let timeline = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string();
            assert!((0..4).all(|n| timeline.contains(&format!("note {n}."))), "{timeline}");
        }
        let cancel = json!({ "commands": [{ "transition": { "to": "cancelled", "reason": "it is over" } }] });
        let ends = at_once(&[cancel.clone(), cancel]);
        for key in &keys {
            assert_eq!((done(&ends, key), state(&kofi, key).as_str()), (1, "cancelled"), "{ends:?}");
        }
    });
}

/// Two agents have seen a ticket at the same version and move it at one moment; on PostgreSQL each by another host.
#[test]
fn of_two_who_move_a_ticket_at_one_moment_one_does_and_the_other_hears_that_it_has_changed() {
    on_both(|database| {
        let desk = House::demo(database);
        let beside = (database == Database::Postgres).then(|| desk.beside());
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let there = beside.as_ref().map_or_else(|| kofi.clone(), |other| other.as_role("kofi"));
        for n in 0..6 {
            let key = incident(&amara, &format!("number {n}"));
            let etag = kofi.get(&format!("/api/v1/tickets/{key}")).etag.unwrap();
            let statuses = std::thread::scope(|scope| {
                let move_to = |client: &Client, to: &str| {
                    let (client, path) = (client.with("if-match", &etag), format!("/api/v1/tickets/{key}/transitions"));
                    let body = json!({ "to": to, "reason": "at once" });
                    scope.spawn(move || client.post(&path, &body).status)
                };
                [move_to(&kofi, "in_progress"), move_to(&there, "cancelled")].map(|one| one.join().unwrap())
            });
            let won = match statuses {
                [200, 412] => "in_progress",
                [412, 200] => "cancelled",
                _ => panic!("{statuses:?}"),
            };
            assert_eq!(state(&kofi, &key), won);
            let timeline = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
            let moves = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "state-changed");
            assert_eq!(moves.count(), 1, "{timeline}");
        }
    });
}

#[test]
fn a_ticket_with_open_tasks_is_not_resolved() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let path = format!("/api/v1/tickets/{key}/tasks");
        assert_eq!(amara.post(&path, &json!({ "text": "Call me" })).status, 403);
        assert_eq!(kofi.post(&path, &json!({ "text": " " })).status, 422);
        kofi.post(&path, &json!({ "text": "Call the provider" })).expect(200);
        let tasks = kofi.post(&path, &json!({ "text": "Swap the cable" })).expect(200);
        let refused = step(&kofi, &key, &resolved()).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("2 of its tasks"), "{refused}");
        let mark = |n: usize, to: &str| {
            kofi.post(&format!("{path}/{}", tasks[n]["id"].as_str().unwrap()), &json!({ "to": to }))
        };
        assert_eq!(mark(0, "done").expect(200)[0]["done_by"], "kofi");
        mark(1, "removed").expect(200);
        assert_eq!(mark(1, "done").status, 404);
        step(&kofi, &key, &resolved()).expect(200);
        assert!(!amara.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string().contains("provider"));
    });
}

#[test]
fn a_category_has_its_template_and_its_articles_category_or_those_of_its_nearest_parent() {
    on_both(|database| {
        let desk = with_macros(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let replies = || {
            let all = kofi.get(&format!("/api/v1/tickets/{key}/canned-replies")).expect(200);
            let one = |reply: &Value| (reply["id"].as_str().unwrap().to_owned(), reply["of_category"] == true);
            all.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
        };
        assert!(replies()[0].0 != "hello" && replies().iter().all(|(_, of_category)| !of_category));
        let file = desk.settings().with_file_name("taxonomy.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let of_network = "id = \"network\"\nname = \"Network\"\n";
        assert!(text.contains(of_network));
        let with = |more: &str| {
            std::fs::write(&file, text.replace(of_network, &format!("{of_network}{more}"))).unwrap();
            desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status
        };
        assert_eq!(with("template = \"hello\"\nknowledge = \"software\"\n"), 204);
        assert_eq!(replies()[0], ("hello".to_owned(), true), "the parent's, since network.vpn has none");
        let taxonomy = kofi.get("/api/v1/config/taxonomy").expect(200);
        let network = taxonomy["categories"].as_array().unwrap().iter().find(|one| one["id"] == "network").unwrap();
        assert_eq!((&network["template"], &network["knowledge"]), (&json!("hello"), &json!("software")));
        step(&kofi, &key, &resolved()).expect(200);
        let draft = kofi.post(&format!("/api/v1/tickets/{key}/article"), &json!({})).expect(201);
        assert_eq!(draft["category"], "software");
        assert_ne!(with("template = \"no-such-reply\"\n"), 204, "a template that is none is refused");
        assert_eq!(replies()[0].0, "hello");
        desk.do_what_is_due();
    });
}
