//! Stage 6's failure point: the ticket is closed and what it taught is lost. Resolving needs a record and a real category; the
//! requester has the last word, for a while; the desk closes what is left, and counts it apart.

use jiff::SignedDuration;
use ruledesk::app::jobs::Outcome;
use ruledesk::desk::change::timer::TimerKind;
use ruledesk::store::Store;
use ruledesk::store::jobs::{Lease, Queue};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{comment, count, incident, messages, state, step};
use crate::support::client::resolved;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{in_runtime, on_both};

/// The demo, with more lines in its `[closing]`.
fn closing(database: crate::support::place::Database, lines: &'static str) -> House {
    House::with_settings(database, example_rules(), |text| {
        text.replace("[closing]\n", &format!("[closing]\n{lines}\n"))
    })
}

/// The demo's settings with a desk that never closes.
pub fn always_open(text: String) -> String {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let text = days.iter().fold(text, |text, day| text.replace(&format!("{day} = [\"08:00-18:00\"]"), ""));
    let week = days.iter().chain(&["saturday", "sunday"]).map(|day| format!("{day} = [\"00:00-24:00\"]\n"));
    text.replace("[calendar]\n", &format!("[calendar]\n{}", week.collect::<String>()))
}

#[test]
fn no_ticket_is_resolved_without_saying_how() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let problem = step(&kofi, &key, &json!({ "to": "resolved", "reason": "done" })).expect(422);
        let fields: Vec<&str> =
            problem["problems"].as_array().unwrap().iter().map(|p| p["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["resolution.symptom", "resolution.cause", "resolution.fix", "resolution.next-time"]);
        step(&kofi, &key, &json!({ "to": "in_progress" })).expect(200);
        assert_eq!(step(&kofi, &key, &resolved()).expect(200)["state"], "resolved");
        let whole = kofi.get(&format!("/api/v1/tickets/{key}/resolutions")).expect(200);
        assert_eq!((&whole[0]["cause"], &whole[0]["resolved_by"]), (&json!("a cable had come off"), &json!("kofi")));
        let seen = amara.get(&format!("/api/v1/tickets/{key}/resolutions")).expect(200);
        assert_eq!((&seen[0]["fix"], seen[0].get("cause")), (&json!("The cable is in again."), None));
        let timeline = amara.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        assert!(!timeline.to_string().contains("come off"), "{timeline}");
        assert!(timeline.to_string().contains("The cable is in again."), "the requester reads what was done");
        assert_eq!(count(&desk, &key, "resolved"), 1);
    });
}

#[test]
fn a_real_category_is_forced_before_a_ticket_is_resolved() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me." });
        let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
        let refused = step(&kofi, &key, &resolved()).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("`miscellaneous`"), "{refused}");
        let category = json!({ "category": "software", "reason": "it is about software" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &category).expect(200);
        step(&kofi, &key, &resolved()).expect(200);

        // One that is taken out of the taxonomy while a ticket has it is no category to be resolved in.
        let taxonomy = desk.settings().with_file_name("taxonomy.toml");
        let without = std::fs::read_to_string(&taxonomy).unwrap();
        std::fs::write(&taxonomy, format!("{without}\n[[category]]\nid = \"telex\"\nname = \"Telex\"\n")).unwrap();
        let reload = || desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status;
        assert_eq!(reload(), 204);
        let key = incident(&amara, "The telex is silent");
        let telex = json!({ "category": "telex", "reason": "it is about that" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &telex).expect(200);
        std::fs::write(&taxonomy, without).unwrap();
        assert_eq!(reload(), 204);
        let refused = step(&kofi, &key, &resolved()).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("`telex`"), "{refused}");
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &category).expect(200);
        step(&kofi, &key, &resolved()).expect(200);
        desk.do_what_is_due();
    });
}

#[test]
fn the_requester_confirms_or_disputes_and_silence_is_counted_apart() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let ended = |key: &str| {
            let all = kofi.get(&format!("/api/v1/tickets/{key}/resolutions")).expect(200);
            all.as_array().unwrap().iter().map(|one| one["ended"].clone()).collect::<Vec<Value>>()
        };
        let [confirmed, disputed, silent] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        for key in [&confirmed, &disputed, &silent] {
            step(&kofi, key, &resolved()).expect(200);
        }
        step(&amara, &confirmed, &json!({ "to": "closed" })).expect(200);
        step(&amara, &disputed, &json!({ "to": "reopened", "reason": "still down" })).expect(200);
        step(&kofi, &disputed, &resolved()).expect(200);
        assert_eq!(ended(&confirmed), ["confirmed"]);
        assert_eq!(ended(&disputed), [json!("disputed"), Value::Null]);
        // Two working days of ten hours, which a week has at Easter, too; and one reminder at half of it.
        desk.advance(SignedDuration::from_hours(7 * 24));
        assert_eq!((state(&kofi, &silent), ended(&silent)), ("closed".to_owned(), vec![json!("unanswered")]));
        assert_eq!(
            (state(&kofi, &confirmed), ended(&disputed)),
            ("closed".to_owned(), vec![json!("disputed"), json!("unanswered")])
        );
        assert_eq!((count(&desk, &silent, "closed"), count(&desk, &confirmed, "closed")), (1, 0));
        desk.advance(SignedDuration::from_hours(30 * 24));
        assert_eq!(count(&desk, &silent, "closed"), 1);
    });
}

#[test]
fn the_requester_is_reminded_once_before_the_desk_closes() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), always_open);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        step(&kofi, &key, &resolved()).expect(200);
        let reminders = || count(&desk, &key, "confirmation-reminder");
        desk.advance(SignedDuration::from_hours(9));
        assert_eq!((reminders(), state(&kofi, &key).as_str()), (0, "resolved"));
        for _ in 0..5 {
            desk.advance(SignedDuration::from_hours(2));
            assert_eq!((reminders(), state(&kofi, &key).as_str()), (1, "resolved"));
        }
        desk.advance(SignedDuration::from_hours(1));
        assert_eq!((reminders(), state(&kofi, &key).as_str()), (1, "closed"));
        let last = amara.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        let last = last.as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["by"], &last["details"]["to"]), (&json!("system"), &json!("closed")));
    });
}

#[test]
fn words_on_a_ticket_that_is_resolved_or_over_go_where_the_policy_says() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        step(&kofi, &key, &resolved()).expect(200);
        assert_eq!(
            comment(&amara, &key, "Thank you very much!").expect(201)["state"],
            "resolved",
            "thanks change nothing"
        );
        assert_eq!(comment(&kofi, &key, "You are welcome.").expect(201)["state"], "resolved");
        let again = comment(&amara, &key, "It is down again.").expect(201);
        assert_eq!(again["state"], "reopened");
        assert!(again["resolution"]["due_at"].is_string(), "the promise runs on");
        assert_eq!(count(&desk, &key, "requester-wrote"), 1, "the assignee hears of it");
        step(&kofi, &key, &resolved()).expect(200);
        step(&amara, &key, &json!({ "to": "closed" })).expect(200);
        for client in [&amara, &kofi] {
            let refused = comment(client, &key, "And now?").expect(409);
            assert!(refused["detail"].as_str().unwrap().contains("/follow-ups"), "{refused}");
        }
        let note = json!({ "body": "The provider has called.", "internal": true });
        kofi.post(&format!("/api/v1/tickets/{key}/comments"), &note).expect(201);
        let path = format!("/api/v1/tickets/{key}/follow-ups");
        let next = amara.post(&path, &json!({ "body": "It is down again." })).expect(201);
        assert_eq!((&next["subject"], &next["request_type"]), (&json!("VPN is down"), &json!("incident")));
        assert_eq!(next["fields"]["people-affected"], 40);
        let links = kofi.get(&format!("/api/v1/tickets/{key}/links")).expect(200);
        assert_eq!((&links[0]["link"], &links[0]["ticket"]), (&json!("followed-up-by"), &next["key"]));
        assert_eq!(desk.as_role("lena").post(&path, &json!({ "body": "Me too." })).status, 404, "not hers");
    });
}

#[test]
fn a_type_may_note_words_or_send_late_ones_to_a_new_ticket() {
    on_both(|database| {
        let desk = closing(database, "reply = \"note\"\nreopen-days = 1");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        step(&kofi, &key, &resolved()).expect(200);
        assert_eq!(comment(&amara, &key, "And the printer?").expect(201)["state"], "resolved");
        assert_eq!(count(&desk, &key, "requester-wrote"), 1);
        desk.advance(SignedDuration::from_hours(25));
        if state(&kofi, &key) == "resolved" {
            assert_eq!(comment(&amara, &key, "And the printer?").status, 409);
        }
        assert_eq!(comment(&amara, &key, "Thanks!").status, if state(&kofi, &key) == "resolved" { 201 } else { 409 });
    });
}

#[test]
fn a_requester_who_does_not_answer_is_reminded_once_and_then_the_ticket_ends() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            always_open(text).replace("[closing]\n", "[closing]\nanswer-within = \"20h\"\n")
        });
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [silent, answered, asked_again, shown] =
            ["one", "two", "three", "four"].map(|subject| incident(&amara, subject));
        for key in [&silent, &answered, &asked_again, &shown] {
            step(&kofi, key, &json!({ "to": "waiting_requester", "reason": "Which office?" })).expect(200);
        }
        let stands = |key: &str| (count(&desk, key, "answer-reminder"), state(&kofi, key));
        let waits = "waiting_requester".to_owned();
        desk.advance(SignedDuration::from_hours(9));
        assert_eq!(stands(&silent), (0, waits.clone()));
        comment(&amara, &answered, "Berlin.").expect(201);
        // A file that was asked for is an answer without a word.
        let file = format!("/api/v1/tickets/{shown}/attachments?name=office.txt");
        amara.send_file(&file, "text/plain", b"Berlin, as the sign says").expect(201);
        // One who is asked once more has the whole time from then on.
        comment(&kofi, &asked_again, "And which floor?").expect(201);
        desk.advance(SignedDuration::from_hours(2));
        assert_eq!((stands(&silent), stands(&asked_again)), ((1, waits.clone()), (0, waits.clone())));
        desk.advance(SignedDuration::from_mins(8 * 60 + 30));
        assert_eq!((stands(&silent), stands(&asked_again)), ((1, waits.clone()), (1, waits)));
        desk.advance(SignedDuration::from_hours(1));
        assert_eq!(stands(&silent), (1, "cancelled".to_owned()));
        desk.advance(SignedDuration::from_hours(30 * 24));
        assert_eq!(stands(&asked_again), (1, "cancelled".to_owned()));
        for key in [&answered, &shown] {
            assert_eq!(stands(key), (0, "in_progress".to_owned()), "what was answered is the desk's to do");
        }
        let hers = messages(&desk, &silent).into_iter().filter(|(kind, to)| kind == "state-changed" && to == "amara");
        assert_eq!(hers.count(), 2, "that something is asked, and that it has ended");
        let timeline = amara.get(&format!("/api/v1/tickets/{silent}/timeline")).expect(200);
        let last = timeline.as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["by"], &last["details"]["to"]), (&json!("system"), &json!("cancelled")));
        let late = comment(&amara, &silent, "Berlin!").expect(409);
        assert!(late["detail"].as_str().unwrap().contains("/follow-ups"), "{late}");
        assert_eq!(kofi.get(&format!("/api/v1/tickets/{silent}/resolutions")).expect(200), json!([]));
    });
}

#[test]
fn a_requester_may_take_as_long_as_they_like_where_the_desk_sets_no_end() {
    on_both(|database| {
        let desk = closing(database, "answer-within = \"never\"");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        step(&kofi, &key, &json!({ "to": "waiting_requester", "reason": "Which office?" })).expect(200);
        desk.advance(SignedDuration::from_hours(60 * 24));
        assert_eq!((count(&desk, &key, "answer-reminder"), state(&kofi, &key).as_str()), (0, "waiting_requester"));
    });
}

/// Work that goes on only on some day is not forgotten until then, and not looked at each morning.
#[test]
fn a_ticket_that_waits_until_a_day_is_worked_on_again_when_it_has_come() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), always_open);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [until, otherwise, over] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        let begin = desk.clock.now();
        let day = |days: i64| (begin + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let waits = |day: &str| json!({ "to": "waiting_vendor", "reason": "A new disk is ordered", "until": day });
        for (body, status) in [
            (waits(&day(-1)), 422),
            (waits(&day(400)), 422),
            (json!({ "to": "in_progress", "until": day(3) }), 422),
            (waits(&format!("{}T10:00", day(3))), 400),
        ] {
            let refused = step(&kofi, &until, &body).expect(status);
            assert!(refused.to_string().contains("until"), "{body}: {refused}");
        }
        for key in [&until, &otherwise, &over] {
            assert_eq!(step(&kofi, key, &waits(&day(3))).expect(200)["waits_until"], day(3));
        }
        let until_when = |key: &str| amara.get(&format!("/api/v1/tickets/{key}")).expect(200)["waits_until"].clone();
        assert_eq!(until_when(&until), day(3), "who waits reads it too");
        // It went on before the day, and waits now for as long as it takes.
        step(&kofi, &otherwise, &json!({ "to": "in_progress" })).expect(200);
        step(&kofi, &otherwise, &json!({ "to": "waiting_vendor" })).expect(200);
        step(&kofi, &over, &json!({ "to": "cancelled", "reason": "bought elsewhere" })).expect(200);
        assert_eq!([&otherwise, &over].map(|key| until_when(key)), [Value::Null, Value::Null]);
        let timeline = amara.get(&format!("/api/v1/tickets/{until}/timeline")).expect(200);
        assert!(timeline.to_string().contains(&format!("A new disk is ordered (→ {})", day(3))), "{timeline}");

        desk.advance(SignedDuration::from_hours(24));
        assert_eq!(state(&kofi, &until), "waiting_vendor");
        let heard = || {
            let all = messages(&desk, &until).into_iter();
            all.filter(|(kind, to)| kind == "state-changed" && to != "amara").count()
        };
        let before = heard();
        desk.advance(SignedDuration::from_hours(3 * 24));
        assert_eq!(state(&kofi, &until), "in_progress");
        assert!(heard() > before, "{:?}", messages(&desk, &until));
        assert_eq!([&otherwise, &over].map(|key| state(&kofi, key)), ["waiting_vendor", "cancelled"]);
        let timeline = kofi.get(&format!("/api/v1/tickets/{until}/timeline")).expect(200);
        let by_desk = |entry: &&Value| entry["by"] == "system" && entry["details"]["to"] == "in_progress";
        assert_eq!(timeline.as_array().unwrap().iter().filter(by_desk).count(), 1, "{timeline}");
        assert_eq!(until_when(&until), Value::Null);
    });
}

/// A ticket that is put off is not cancelled before its day for want of an answer, and an answer before it is taken up at once. Put off
/// once more, it has its new day alone.
#[test]
fn a_ticket_that_is_put_off_waits_for_its_day_and_not_for_less() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            always_open(text).replace("[closing]\n", "[closing]\nanswer-within = \"20h\"\n")
        });
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [silent, answered, again] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        let begin = desk.clock.now();
        let day = |days: i64| (begin + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let asks = |days: i64| json!({ "to": "waiting_requester", "reason": "When you are back?", "until": day(days) });
        for key in [&silent, &answered, &again] {
            step(&kofi, key, &asks(4)).expect(200);
        }
        comment(&kofi, &silent, "There is no hurry.").expect(201);
        comment(&amara, &answered, "I am back already.").expect(201);
        step(&kofi, &again, &json!({ "to": "in_progress" })).expect(200);
        step(&kofi, &again, &asks(8)).expect(200);
        desk.advance(SignedDuration::from_hours(2 * 24));
        let states = || [&silent, &answered, &again].map(|key| state(&kofi, key));
        assert_eq!(states(), ["waiting_requester", "in_progress", "waiting_requester"]);
        desk.advance(SignedDuration::from_hours(3 * 24));
        assert_eq!(states(), ["in_progress", "in_progress", "waiting_requester"]);
        desk.advance(SignedDuration::from_hours(4 * 24));
        assert_eq!(states(), ["in_progress", "in_progress", "in_progress"]);
        assert_eq!(count(&desk, &silent, "answer-reminder"), 0);
    });
}

/// Work in the store of a desk, as another of its hosts does it.
fn in_store<T>(desk: &House, work: impl AsyncFnOnce(&Store) -> T) -> T {
    in_runtime(async {
        let store = Store::open(&desk.target()).await.unwrap();
        let done = work(&store).await;
        store.close().await;
        done
    })
}

/// A host has claimed the timer of a day that has come. Before it acts, the one ticket is put off once more, and the other is over.
#[test]
fn a_day_with_which_a_host_has_begun_counts_no_more_where_the_ticket_is_put_off_meanwhile() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), always_open);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [again, over] = ["one", "two"].map(|subject| incident(&amara, subject));
        let begin = desk.clock.now();
        let day = |days: i64| (begin + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let waits = |days: i64| json!({ "to": "waiting_vendor", "reason": "A disk is ordered", "until": day(days) });
        for key in [&again, &over] {
            step(&kofi, key, &waits(3)).expect(200);
        }
        desk.clock.advance(SignedDuration::from_hours(24 * 4));
        let now = desk.clock.now();
        let lease = Lease { fence: Uuid::from_u128(7), now, until: now + SignedDuration::from_hours(1) };
        let queue = Queue::Timers(TimerKind::WaitsUntil);
        let claimed = in_store(&desk, async |store| store.claim(queue, lease, 10).await.unwrap());
        assert_eq!(claimed.len(), 2, "{claimed:?}");

        step(&kofi, &again, &json!({ "to": "in_progress" })).expect(200);
        step(&kofi, &again, &waits(9)).expect(200);
        step(&kofi, &over, &json!({ "to": "cancelled", "reason": "bought elsewhere" })).expect(200);
        let ends: Vec<Outcome> = claimed.iter().map(|one| desk.go_on_with(one.ticket)).collect();
        let done = ends.iter().filter(|end| **end == Outcome::Done).count();
        assert_eq!(done, 1, "the other is not due before its new day: {ends:?}");
        let states = || [&again, &over].map(|key| state(&kofi, key));
        assert_eq!(states(), ["waiting_vendor", "cancelled"]);
        let struck_off = in_store(&desk, async |store| {
            let mut count = 0;
            for one in &claimed {
                count += usize::from(store.finish(one, now).await.unwrap());
            }
            count
        });
        assert_eq!(struck_off, 1, "its claim of the timer that was set again holds no longer");

        desk.do_what_is_due();
        assert_eq!(states(), ["waiting_vendor", "cancelled"]);
        assert_eq!(amara.get(&format!("/api/v1/tickets/{again}")).expect(200)["waits_until"], day(9));
        desk.advance(SignedDuration::from_hours(24 * 6));
        assert_eq!(states(), ["in_progress", "cancelled"]);
    });
}
