//! A request type that is a bundle: one submission makes a ticket with tasks and other tickets, or nothing.

use jiff::Span;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::support::client::{Client, resolved};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// A desk, and a Monday two months from now.
fn desk(database: Database) -> (House, Date) {
    let desk = House::demo(database);
    let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date();
    let mut days = (60..67_i64).map(|days| today.checked_add(Span::new().days(days)).unwrap());
    let monday = days.find(|day| day.weekday() == Weekday::Monday).unwrap();
    (desk, monday)
}

/// The day so many days after another.
fn after(day: Date, days: i64) -> String {
    day.checked_add(Span::new().days(days)).unwrap().to_string()
}

fn colleague(first_day: Date, fields: &[(&str, &str)]) -> Value {
    let mut all = json!({ "name": "Zoë Ünal", "first-day": first_day.to_string(), "role": "engineer", "device": "laptop",
        "cost-centre": "4711", "person": "sofia" });
    for (name, value) in fields {
        all[name] = json!(value);
    }
    json!({ "request_type": "new-colleague", "subject": "Zoë joins", "body": "She begins in spring.", "fields": all })
}

fn links(kofi: &Client, key: &str) -> Vec<(String, String)> {
    let links = kofi.get(&format!("/api/v1/tickets/{key}/links")).expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    links.as_array().unwrap().iter().map(|link| (text(&link["link"]), text(&link["ticket"]))).collect()
}

fn count(kofi: &Client) -> usize {
    kofi.get("/api/v1/tickets?limit=200").expect(200)["tickets"].as_array().unwrap().len()
}

#[test]
fn one_submission_makes_a_ticket_with_tasks_and_parts_that_wait_for_each_other() {
    on_both(|database| {
        let (desk, monday) = desk(database);
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        let once = lena.with("idempotency-key", "zoe");
        let person = desk.as_role("mei").get("/api/v1/people/amara/grants").status;
        assert_eq!(person, 200);
        let body = colleague(monday, &[("person", "amara")]);
        let made = once.post("/api/v1/tickets", &body).expect(201);
        let key = made["key"].as_str().unwrap().to_owned();
        let parts: Vec<String> =
            links(&kofi, &key).into_iter().filter(|(link, _)| link == "parent-of").map(|(_, other)| other).collect();
        assert_eq!(parts.len(), 4, "account, device, code and tickets");
        assert_eq!(once.post("/api/v1/tickets", &body).expect(200)["key"], made["key"], "sent again, it is the same");
        assert_eq!(count(&kofi), 5);
        let read = |key: &str| kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
        let of_form = |form: &str| parts.iter().find(|part| read(part)["request_type"] == form).unwrap();
        let (account, device) = (of_form("software"), of_form("hardware"));
        assert_eq!(read(device)["subject"], "A laptop for Zoë Ünal");
        assert_eq!(read(device)["requester"], "lena");
        assert!(links(&kofi, device).contains(&("blocked-by".to_owned(), account.clone())), "the account comes first");
        // The day is the promise, by the end of open time before it is over.
        let due = read(account)["resolution"]["due_at"].as_str().unwrap().to_owned();
        let friday = after(monday, -3);
        assert!(due.starts_with(&friday), "the first day is a Monday, three days before it a Friday: {due}");
        let tasks = kofi.get(&format!("/api/v1/tickets/{key}/tasks")).expect(200);
        assert_eq!(
            (tasks.as_array().unwrap().len(), &tasks[0]["text"]),
            (2, &json!("Welcome Zoë Ünal and show them the desk"))
        );

        let step =
            |key: &str| kofi.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/transitions"), &resolved());
        assert_eq!(step(&key).status, 409, "it waits for its parts");
        assert_eq!(step(device).status, 409, "it waits for the account");
        step(account).expect(200);
        step(device).expect(200);
        let timeline = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string();
        assert!(timeline.contains("blocked-by") && timeline.contains("Welcome"), "{timeline}");
    });
}

#[test]
fn a_bundle_is_refused_whole_if_one_part_cannot_be_made() {
    on_both(|database| {
        let (desk, monday) = desk(database);
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        // The form takes it; the rule at intake wants a number of the cost centre for the device.
        let broken =
            lena.post("/api/v1/tickets", &colleague(monday, &[("name", &"x".repeat(290)), ("person", "amara")]));
        let broken = broken.expect(422);
        let fields: Vec<&str> =
            broken["problems"].as_array().unwrap().iter().map(|problem| problem["field"].as_str().unwrap()).collect();
        assert!(fields.contains(&"device.subject") && fields.contains(&"account.subject"), "{broken}");
        assert_eq!(count(&kofi), 0, "nothing was made");
        // Only what applies is made: no device, no person yet.
        let mut body = colleague(monday, &[("device", "none"), ("role", "office")]);
        body["fields"].as_object_mut().unwrap().remove("person");
        lena.post("/api/v1/tickets", &body).expect(201);
        assert_eq!(count(&kofi), 2);
    });
}

/// A part is promised for a day. Other targets leave it there, a holiday on that day moves it before the holiday and back again, and
/// another priority by hand takes its place.
#[test]
fn a_part_keeps_its_day_when_targets_and_calendars_change() {
    on_both(|database| {
        let (desk, monday) = desk(database);
        let (lena, kofi, mei) = (desk.as_role("lena"), desk.as_role("kofi"), desk.as_role("mei"));
        let made = lena.post("/api/v1/tickets", &colleague(monday, &[("person", "amara")])).expect(201);
        let read = |key: &str| kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
        let all = links(&kofi, made["key"].as_str().unwrap());
        let parts: Vec<&String> = all.iter().filter(|(link, _)| link == "parent-of").map(|(_, other)| other).collect();
        let account = parts.into_iter().find(|part| read(part)["request_type"] == "software").unwrap();
        let due = || read(account)["resolution"]["due_at"].as_str().unwrap().to_owned();
        let changes = |from: &str, to: &str| {
            let text = std::fs::read_to_string(desk.settings()).unwrap();
            assert!(text.contains(from), "{from}");
            std::fs::write(desk.settings(), text.replace(from, to)).unwrap();
            assert_eq!(mei.post("/api/v1/config/reload", &json!({})).status, 204);
            desk.do_what_is_due();
        };
        let day = due();
        let (friday, thursday) = (after(monday, -3), after(monday, -4));
        assert!(day.starts_with(&friday), "a Friday: {day}");
        let own = lena.post(
            "/api/v1/tickets",
            &json!({ "request_type": "question", "subject": "How do I?", "body": "Tell me.",
            "fields": { "topic": "howto" } }),
        );
        let own = own.expect(201)["key"].as_str().unwrap().to_owned();
        let before = read(&own)["resolution"]["due_at"].clone();

        let levels = ["4h", "8h", "24h", "80h"].map(|hours| format!("resolution = \"{hours}\""));
        levels.iter().for_each(|level| changes(level, &level.replace('h', "h30m")));
        assert_ne!(read(&own)["resolution"]["due_at"], before, "one that goes by its priority follows");
        assert_eq!(due(), day);
        let with_friday = format!("holidays = [\"{friday}\"");
        changes("holidays = [", &with_friday);
        assert!(due().starts_with(&thursday), "the last open time before the day is over: {}", due());
        changes(&with_friday, "holidays = [");
        assert_eq!(due(), day);
        let timeline = lena.get(&format!("/api/v1/tickets/{account}/timeline")).expect(200);
        let moved = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "retargeted").count();
        assert_eq!(moved, 2, "there and back: {timeline}");

        let critical = json!({ "priority": "critical", "reason": "she begins tomorrow" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{account}"), &critical).expect(200);
        assert!(due() < day, "it goes by its priority now: {}", due());
        let soon = due();
        changes("resolution = \"4h30m\"", "resolution = \"5h\"");
        assert_ne!(due(), soon, "and follows it");
        desk.do_what_is_due();
    });
}

#[test]
fn one_who_leaves_is_one_submission_with_what_they_give_back_and_what_is_to_end() {
    on_both(|database| {
        let (desk, monday) = desk(database);
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        let leaves = |device: &str| {
            let fields = json!({ "name": "Jonas Weber", "last-day": monday.to_string(), "device": device });
            let body = json!({ "request_type": "leaving-colleague", "subject": "Jonas leaves", "body": "At the end of winter.",
                "fields": fields });
            lena.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
        };
        let key = leaves("laptop");
        let all = links(&kofi, &key);
        let parts: Vec<&String> = all.iter().filter(|(link, _)| link == "parent-of").map(|(_, other)| other).collect();
        assert_eq!(parts.len(), 1, "{all:?}");
        let part = kofi.get(&format!("/api/v1/tickets/{}", parts[0])).expect(200);
        assert_eq!(
            (&part["subject"], &part["request_type"]),
            (&json!("Jonas Weber gives a laptop back"), &json!("hardware"))
        );
        // Five days after a Monday is a Saturday: the last open time before it is over is on Friday.
        let due = part["resolution"]["due_at"].as_str().unwrap();
        assert!(due.starts_with(&after(monday, 4)), "{due}");
        let path = format!("/api/v1/tickets/{key}/tasks");
        let tasks = kofi.get(&path).expect(200);
        let texts: Vec<&str> = tasks.as_array().unwrap().iter().map(|task| task["text"].as_str().unwrap()).collect();
        let access = format!("End all access of Jonas Weber after {monday}");
        assert_eq!(texts, ["Agree with Jonas Weber on who takes over their files", access.as_str()]);
        let step =
            |key: &str| kofi.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/transitions"), &resolved());
        assert_eq!(step(&key).status, 409, "the laptop is not back");
        step(parts[0]).expect(200);
        assert_eq!(step(&key).status, 409, "there is more to do");
        for task in tasks.as_array().unwrap() {
            kofi.post(&format!("{path}/{}", task["id"].as_str().unwrap()), &json!({ "to": "done" })).expect(200);
        }
        step(&key).expect(200);

        let nothing = leaves("none");
        assert!(links(&kofi, &nothing).iter().all(|(link, _)| link != "parent-of"), "nothing is to be given back");
    });
}

/// A colleague does not come after all. With the ticket for all of it, what is not done yet is cancelled, also a request for access that
/// waits for approval. What is done stays done, and a ticket that a person linked with it goes on.
#[test]
fn a_bundle_that_is_cancelled_takes_its_open_parts_with_it() {
    on_both(|database| {
        let (desk, monday) = desk(database);
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        let made = lena.post("/api/v1/tickets", &colleague(monday, &[("person", "amara")])).expect(201);
        let key = made["key"].as_str().unwrap().to_owned();
        let all = links(&kofi, &key).into_iter();
        let parts: Vec<String> = all.filter(|(link, _)| link == "parent-of").map(|(_, other)| other).collect();
        let read = |key: &str| kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
        let of_form = |form: &str| parts.iter().find(|part| read(part)["request_type"] == form).unwrap();
        let (account, device) = (of_form("software"), of_form("hardware"));
        let goes_to = |client: &Client, key: &str, body: &Value| {
            client.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/transitions"), body).expect(200)
        };
        goes_to(&kofi, account, &resolved());
        let open: Vec<&String> = parts.iter().filter(|part| read(part)["state"] != "resolved").collect();
        assert!(open.contains(&device), "{open:?}");
        let other = json!({ "request_type": "question", "subject": "Where does she sit?", "body": "Tell me.",
            "fields": { "topic": "howto" } });
        let other = lena.post("/api/v1/tickets", &other).expect(201)["key"].as_str().unwrap().to_owned();
        let link = json!({ "link": "child-of", "ticket": key });
        assert!(kofi.post(&format!("/api/v1/tickets/{other}/links"), &link).status < 300);

        goes_to(&lena, &key, &json!({ "to": "cancelled", "reason": "she does not come" }));
        desk.do_what_is_due();
        for part in &open {
            assert_eq!(read(part)["state"], "cancelled", "{part}");
            let timeline = lena.get(&format!("/api/v1/tickets/{part}/timeline")).expect(200).to_string();
            assert!(timeline.contains(&format!("it was a part of {key}, which is cancelled")), "{timeline}");
        }
        assert_eq!(read(account)["state"], "resolved");
        assert_ne!(read(&other)["state"], "cancelled", "it was no part of what was asked for");
        let waiting = desk.as_role("lena").get("/api/v1/access-requests").expect(200).to_string();
        assert!(parts.iter().all(|part| !waiting.contains(&format!("\"{part}\""))), "{waiting}");
        let versions = || parts.iter().map(|part| read(part)["version"].clone()).collect::<Vec<Value>>();
        let before = versions();
        desk.do_what_is_due();
        assert_eq!(versions(), before, "once");
    });
}

/// More links than are shown of a ticket, none of which makes a part.
const MANY_LINKS: &str = "insert into links (ticket, kind, other, at, author) \
    select number, 'a-kind-' || n, number, 0, 'kofi' from tickets, generate_series(1, 600) n";

#[test]
fn many_links_of_a_bundle_hide_none_of_its_parts() {
    let (desk, monday) = desk(Database::Postgres);
    let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
    let made = lena.post("/api/v1/tickets", &colleague(monday, &[("person", "amara")])).expect(201);
    let key = made["key"].as_str().unwrap().to_owned();
    let all = links(&kofi, &key).into_iter();
    let parts: Vec<String> = all.filter(|(link, _)| link == "parent-of").map(|(_, other)| other).collect();
    desk.sql(MANY_LINKS);
    let cancelled = json!({ "to": "cancelled", "reason": "she does not come" });
    lena.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/transitions"), &cancelled).expect(200);
    desk.do_what_is_due();
    let state = |part: &String| kofi.get(&format!("/api/v1/tickets/{part}")).expect(200)["state"].clone();
    let states: Vec<Value> = parts.iter().map(state).collect();
    assert!(states.iter().filter(|state| **state == "cancelled").count() >= 3, "{states:?}");
}

/// Days that a bundle cannot have are refused, each for its reason.
fn refuses_other_days(kofi: &Client, key: &str, monday: Date) {
    let path = format!("/api/v1/tickets/{key}/days/first-day");
    let later = after(monday, 14);
    assert_eq!(kofi.put(&path, &json!({ "to": later, "reason": " " })).status, 422);
    for other in ["soon".to_owned(), later.replace('-', ""), format!("{later}T10:00:00")] {
        assert_eq!(kofi.put(&path, &json!({ "to": other, "reason": "x" })).status, 400, "{other}");
    }
    let far = kofi.put(&path, &json!({ "to": after(monday, 2_000), "reason": "x" })).expect(422);
    assert_eq!(far["problems"][0]["field"], "to", "{far}");
    let wanted = json!({ "to": later, "reason": "Her notice is longer" });
    assert_eq!(kofi.with("if-match", "one two").put(&path, &wanted).status, 400);
    let unknown = kofi.put(&format!("/api/v1/tickets/{key}/days/last-day"), &wanted).expect(422).to_string();
    assert!(unknown.contains("first-day"), "it says which there is: {unknown}");
}

/// How many messages a person has about another day of a ticket.
fn news_of_the_day(kofi: &Client, key: &str, recipient: &str) -> usize {
    let messages = kofi.get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
    let messages = messages.as_array().unwrap().iter();
    messages.filter(|one| one["kind"] == "day-moved" && one["recipient"] == recipient).count()
}

/// A colleague begins two weeks later. One act moves the parts, what their forms say and the tasks; each timeline says why.
#[test]
fn a_bundle_that_gets_another_day_takes_its_parts_with_it() {
    on_both(|database| {
        let (desk, monday) = desk(database);
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        let made = lena.post("/api/v1/tickets", &colleague(monday, &[("person", "amara")])).expect(201);
        let key = made["key"].as_str().unwrap().to_owned();
        let parts: Vec<String> =
            links(&kofi, &key).into_iter().filter(|(link, _)| link == "parent-of").map(|(_, other)| other).collect();
        let read = |key: &str| kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
        let of_form = |form: &str| parts.iter().find(|part| read(part)["request_type"] == form).unwrap();
        let (account, device) = (of_form("software"), of_form("hardware"));
        let due = |key: &str| read(key)["resolution"]["due_at"].as_str().unwrap().to_owned();
        let before = links(&kofi, device);
        let path = format!("/api/v1/tickets/{key}/days/first-day");
        let later = after(monday, 14);
        let wanted = json!({ "to": later, "reason": "Her notice is longer" });

        assert_eq!(lena.put(&path, &wanted).status, 403, "agents move it");
        refuses_other_days(&kofi, &key, monday);
        assert!(due(account).starts_with(&after(monday, -3)), "nothing has moved yet");
        for (name, value) in [("team", "identity"), ("assignee", "ivan")] {
            let edit = json!({ "reason": "he makes accounts", name: value });
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{account}"), &edit).expect(200);
        }
        assert_eq!(kofi.with("if-match", "\"99\"").put(&path, &wanted).status, 412);

        let tag = format!("\"{}\"", read(&key)["version"]);
        let answer = kofi.with("if-match", &tag).put(&path, &wanted);
        assert_eq!(answer.header("etag"), format!("\"{}\"", read(&key)["version"]));
        let moved = answer.expect(200);
        assert_eq!((&moved["from"], &moved["to"]), (&json!(monday.to_string()), &json!(later)));
        let of = |part: &str| {
            let all = moved["parts"].as_array().unwrap();
            all.iter().find(|one| one["ticket"] == part).unwrap_or_else(|| panic!("{moved}")).clone()
        };
        assert_eq!((&of(account)["follows"], &of(device)["follows"]), (&json!(true), &json!(true)), "{moved}");
        assert_eq!(of(account)["names_other_day"], true, "its body was written for the day of before: {moved}");
        assert_eq!(news_of_the_day(&kofi, account, "ivan"), 1, "who works on it hears of it");
        let stay = parts.iter().filter(|part| of(part)["stays"] == "access" || of(part)["stays"] == "over").count();
        assert_eq!(stay, 2, "access is for a time that people approve: {moved}");
        assert!(due(account).starts_with(&after(monday, 11)), "{}", due(account));
        // The day before a Monday is a Sunday: the last open time before it is over is on Friday.
        assert!(due(device).starts_with(&after(monday, 11)), "{}", due(device));
        assert_eq!(links(&kofi, device), before, "the account still comes first");
        assert_eq!(read(&key)["fields"]["first-day"], later.as_str());
        assert!(read(device)["fields"]["justification"].as_str().unwrap().contains(&later), "{}", read(device));
        for ticket in [&key, account, device] {
            let timeline = lena.get(&format!("/api/v1/tickets/{ticket}/timeline")).expect(200).to_string();
            assert!(timeline.contains("Her notice is longer"), "{ticket}: {timeline}");
            let stays = timeline.contains("its words stay as they were written");
            assert_eq!(stays, ticket != &key, "{ticket}: {timeline}");
        }
        let versions = || [&key, account, device].map(|key| read(key)["version"].clone());
        let as_is = versions();
        assert_eq!(kofi.put(&path, &wanted).expect(200)["from"], later.as_str(), "it has that day already");
        assert_eq!(kofi.with("if-match", &tag).put(&path, &wanted).status, 200, "sent again by the version of before");
        let other = json!({ "to": after(monday, 21), "reason": "Who has not seen that it moved" });
        assert_eq!(kofi.with("if-match", &tag).put(&path, &other).status, 412);
        assert_eq!(versions(), as_is);

        // Moved once more, back, at a shell. What an agent gave another priority goes by that.
        let critical = json!({ "priority": "critical", "reason": "it is needed at once" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{device}"), &critical).expect(200);
        let (soon, day) = (due(device), monday.to_string());
        let said = desk.answered("kofi", &["tickets", "day", &key, "first-day", &day, "--why", "She comes after all"]);
        assert!(said.contains("by-priority") && said.contains("follows"), "{said}");
        assert!(due(account).starts_with(&after(monday, -3)), "{}", due(account));
        assert_eq!(due(device), soon);
    });
}

/// The tasks of who leaves name the last day.
#[test]
fn tasks_that_name_a_day_follow_it_and_those_that_are_done_stay() {
    on_both(|database| {
        let (desk, monday) = desk(database);
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        let fields = json!({ "name": "Jonas Weber", "last-day": monday.to_string(), "device": "none" });
        let body = json!({ "request_type": "leaving-colleague", "subject": "Jonas leaves", "body": "Soon.",
            "fields": fields });
        let key = lena.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/tickets/{key}/tasks");
        let texts = || {
            let tasks = kofi.get(&path).expect(200);
            let texts = tasks.as_array().unwrap().iter().map(|task| task["text"].as_str().unwrap().to_owned());
            texts.collect::<Vec<String>>()
        };
        let first = texts()[0].clone();
        let to = |day: &str| {
            let wanted = json!({ "to": day, "reason": "He stays longer" });
            kofi.put(&format!("/api/v1/tickets/{key}/days/last-day"), &wanted).expect(200);
        };
        let (later, latest) = (after(monday, 7), after(monday, 14));
        to(&later);
        assert_eq!(texts(), [first.clone(), format!("End all access of Jonas Weber after {later}")]);
        let tasks = kofi.get(&path).expect(200);
        let access = tasks.as_array().unwrap().iter().find(|task| task["text"] != first.as_str()).unwrap();
        kofi.post(&format!("{path}/{}", access["id"].as_str().unwrap()), &json!({ "to": "done" })).expect(200);
        to(&latest);
        assert_eq!(texts(), [first, format!("End all access of Jonas Weber after {later}")], "what is done is done");
    });
}

/// The parts that gave access are done when the colleague does not come. Who cancels sees that, and ends it, or people are asked.
#[test]
fn access_of_a_cancelled_bundle_ends_with_it_or_is_looked_at() {
    on_both(|database| {
        for ends in [true, false] {
            let (desk, monday) = desk(database);
            let (lena, mei) = (desk.as_role("lena"), desk.as_role("mei"));
            let person = [("role", "office"), ("device", "none")];
            let made = lena.post("/api/v1/tickets", &colleague(monday, &person)).expect(201);
            let key = made["key"].as_str().unwrap().to_owned();
            let path = format!("/api/v1/tickets/{key}/parts");
            let before = lena.get(&path).expect(200);
            let given = before["access"].as_array().unwrap();
            assert_eq!(given.len(), 1, "Jira is given at once: {before}");
            assert_eq!((&given[0]["person"], &given[0]["app"]), (&json!("sofia"), &json!("jira")), "{before}");
            assert_eq!(before["open"].as_array().unwrap().len(), 1, "the account: {before}");
            let step =
                |body: &Value| mei.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/transitions"), body);
            assert_eq!(step(&json!({ "to": "in_progress", "end_access": true })).status, 400);
            let grant = given[0]["grant"].as_str().unwrap().to_owned();
            let is_open = || !lena.get(&path).expect(200)["access"].as_array().unwrap().is_empty();
            assert!(is_open(), "what was refused has ended nothing");
            step(&json!({ "to": "cancelled", "reason": "She does not come", "end_access": ends })).expect(200);
            assert_eq!(is_open(), !ends);
            desk.do_what_is_due();
            assert_eq!(lena.get(&path).expect(200)["open"], json!([]), "the account is not made any more");
            let part = given[0]["ticket"].as_str().unwrap();
            let said = || mei.get(&format!("/api/v1/tickets/{part}/timeline")).expect(200).to_string();
            let why = format!("it was a part of {key}, which is cancelled");
            assert_eq!(said().matches(&why).count(), usize::from(!ends), "{grant}: {}", said());
            desk.do_what_is_due();
            assert_eq!(said().matches(&why).count(), usize::from(!ends), "once");
        }
    });
}

/// Of the two, the bundle goes first: what does not cancel it ends no access. Sent again under its key, the request ends nothing that
/// people have kept since.
#[test]
fn a_bundle_that_is_not_cancelled_keeps_the_access_that_it_gave() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("comments-per-hour = 1_000_000", "comments-per-hour = 1")
    });
    let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date();
    let (amara, mei) = (desk.as_role("amara"), desk.as_role("mei"));
    let person = [("role", "office"), ("device", "none"), ("person", "amara")];
    let body = colleague(today.checked_add(Span::new().days(60)).unwrap(), &person);
    let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
    let given = || amara.get(&format!("/api/v1/tickets/{key}/parts")).expect(200)["access"].as_array().unwrap().len();
    assert_eq!(given(), 1, "Jira is given at once");
    amara.post(&format!("/api/v1/tickets/{key}/comments"), &json!({ "body": "Wait." })).expect(201);
    let path = format!("/api/v1/tickets/{key}/transitions");
    let wanted = json!({ "to": "cancelled", "reason": "I stay away", "end_access": true });
    assert_eq!(amara.with("if-match", "*").post(&path, &wanted).status, 429, "she has changed enough in this hour");
    assert_eq!(given(), 1);
    let long = json!({ "to": "cancelled", "reason": "x".repeat(2_000), "end_access": true });
    assert_eq!(mei.with("if-match", "*").post(&path, &long).status, 422);
    assert_eq!(given(), 1);
    for _ in 0..2 {
        mei.with("if-match", "*").with("idempotency-key", "ends").post(&path, &wanted).expect(200);
        assert_eq!(given(), 0);
    }
    desk.do_what_is_due();
}

/// A day that is too far for a promise is none, until the bundle gets a nearer one. Nothing of it is an agent's priority.
#[test]
fn a_part_whose_day_was_too_far_for_a_promise_follows_a_nearer_one() {
    let (desk, monday) = desk(Database::Sqlite);
    let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
    let far = monday.checked_add(Span::new().days(1_001)).unwrap();
    let made = lena.post("/api/v1/tickets", &colleague(far, &[("device", "none"), ("role", "office")])).expect(201);
    let key = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/tickets/{key}/days/first-day");
    let moved = kofi.put(&path, &json!({ "to": monday.to_string(), "reason": "It was a slip" })).expect(200);
    let all = moved["parts"].as_array().unwrap();
    let account = all.iter().find(|part| part["follows"] == true).unwrap_or_else(|| panic!("{moved}"));
    let account = kofi.get(&format!("/api/v1/tickets/{}", account["ticket"].as_str().unwrap())).expect(200);
    assert_eq!(account["request_type"], "software");
    assert!(account["resolution"]["due_at"].as_str().unwrap().starts_with(&after(monday, -3)), "{account}");
}
