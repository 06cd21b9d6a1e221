//! Who may approve is who may approve now; what is given is looked at again in the moment in which it is given; what people
//! who have left hold ends.

mod chosen;
mod delegations;
mod hosts;
mod peers;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::smtp::{Relay, decision_page};
use crate::support::place::{Database, on_both};

/// A desk whose configuration the test may change.
fn desk(database: Database) -> House {
    House::with_settings(database, example_rules(), |text| text)
}

/// Changes a file of the configuration and has it read again.
fn reconfigure(desk: &House, file: &str, change: impl FnOnce(String) -> String) {
    let path = desk.settings().with_file_name(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "{file} is as it was");
    std::fs::write(&path, changed).unwrap();
    let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
    assert_eq!(answer.status, 204, "{}", answer.text);
}

/// Changes one line of one person.
fn change_person(desk: &House, person: &str, from: &str, to: &str) {
    reconfigure(desk, "people.toml", |text| {
        let start = text.find(&format!("id = \"{person}\"")).unwrap();
        let end = text[start..].find("[[person]]").map_or(text.len(), |end| start + end);
        let own = text[start..end].replacen(from, to, 1);
        format!("{}{own}{}", &text[..start], &text[end..])
    });
}

fn leave(desk: &House, person: &str) {
    change_person(desk, person, "\n", "\nactive = false\n");
}

fn asks(client: &Client, app: &str, tier: &str, more: &Value) -> Value {
    let mut fields = json!({ "app": app, "tier": tier, "duration-hours": 4,
        "justification": "I move the repositories to the new organisation tonight, change 4711" });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": fields });
    client.post("/api/v1/tickets", &body).expect(201)
}

fn says_yes(client: &Client, key: &str) -> crate::support::client::Answer {
    client.post(&format!("/api/v1/tickets/{key}/access/decisions"), &json!({ "approve": true }))
}

fn access(desk: &House, key: &str) -> Value {
    desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200)["access"].clone()
}

fn grants(desk: &House, person: &str) -> Vec<Value> {
    let grants = desk.as_role("kofi").get(&format!("/api/v1/people/{person}/grants")).expect(200);
    grants.as_array().unwrap().clone()
}

#[test]
fn one_person_is_one_of_two_approvers() {
    on_both(|database| {
        let desk = desk(database);
        // Viktor's manager is the only other security officer.
        asks(&desk.as_role("kofi"), "github", "admin", &json!({ "for": "viktor" }));
        let priya = desk.as_role("priya");
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["priya"]));
        says_yes(&priya, "IT-1").expect(200);
        let left = access(&desk, "IT-1");
        assert_eq!((&left["state"], &left["awaited"]), (&json!("awaiting"), &json!(["tomas", "yuki"])));
        let refused = says_yes(&priya, "IT-1").expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("another step"), "{refused}");
        assert!(grants(&desk, "viktor").is_empty());
        says_yes(&desk.with_roles("yuki", "requester"), "IT-1").expect(200);
        assert_eq!(access(&desk, "IT-1")["state"], "approved");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn who_is_awaited_hears_of_it_again_and_what_still_waits_goes_to_more_people() {
    on_both(|database| {
        let desk = desk(database);
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        let awaited = || access(&desk, "IT-1")["awaited"].as_array().unwrap().clone();
        let heard = |person: &str| {
            let messages = desk.as_role("kofi").get("/api/v1/tickets/IT-1/messages").expect(200);
            let to = |one: &&Value| one["kind"] == "approval-wanted" && one["recipient"] == person;
            messages.as_array().unwrap().iter().filter(to).count()
        };
        assert_eq!((awaited(), heard("lena")), (vec![json!("lena")], 1));
        // The policy gives three days.
        desk.advance(SignedDuration::from_hours(36));
        assert_eq!((awaited(), heard("lena")), (vec![json!("lena")], 2));
        desk.advance(SignedDuration::from_hours(18));
        let more: Vec<Value> = awaited().into_iter().filter(|person| person != "lena").collect();
        assert!(!more.is_empty(), "the desk's own approvers are asked as well");
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("three quarters of its time are over"), "{timeline}");
        let other = desk.with_roles(more[0].as_str().unwrap(), "requester");
        assert_eq!(heard(more[0].as_str().unwrap()), 1);
        assert_eq!(says_yes(&other, "IT-1").status, 200, "silence approves nothing, another person does");
        desk.advance(SignedDuration::from_hours(24));
        assert_eq!(heard("lena"), 2, "what is decided reminds no one");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn a_desk_may_let_one_person_approve_several_steps() {
    let several = |text: String| text.replace("[defaults]\n", "[defaults]\none-approver-for-several-steps = true\n");
    let desk = House::with_settings(Database::Sqlite, example_rules(), several);
    asks(&desk.as_role("kofi"), "github", "admin", &json!({ "for": "viktor" }));
    says_yes(&desk.as_role("priya"), "IT-1").expect(200);
    says_yes(&desk.as_role("priya"), "IT-1").expect(200);
    assert_eq!(access(&desk, "IT-1")["state"], "approved");
}

#[test]
fn open_steps_follow_groups_managers_and_people_who_leave() {
    on_both(|database| {
        let desk = desk(database);
        let (amara, lena, viktor) =
            (desk.as_role("amara"), desk.as_role("lena"), desk.with_roles("viktor", "requester"));
        asks(&amara, "github", "admin", &json!({}));
        says_yes(&lena, "IT-1").expect(200);
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["priya", "viktor"]));
        change_person(&desk, "viktor", ", \"security-officers\"", "");
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["priya"]));
        assert_eq!(says_yes(&viktor, "IT-1").status, 403, "he is no security officer any more");

        asks(&amara, "github", "write", &json!({}));
        assert_eq!(access(&desk, "IT-2")["awaited"], json!(["lena"]));
        leave(&desk, "lena");
        assert_eq!(access(&desk, "IT-2")["awaited"], json!(["omar"]), "the next manager");
        let told = desk.as_role("kofi").get("/api/v1/tickets/IT-2/messages").expect(200);
        let wanted = |who: &str| {
            let of = |m: &&Value| m["kind"] == "approval-wanted" && m["recipient"] == who;
            told.as_array().unwrap().iter().filter(of).count()
        };
        assert_eq!((wanted("lena"), wanted("omar")), (1, 1), "{told}");
        let timeline = amara.get("/api/v1/tickets/IT-2/timeline").expect(200);
        assert!(timeline.to_string().contains("step 1 asks omar now"), "{timeline}");
        change_person(&desk, "amara", "manager = \"lena\"", "manager = \"clara\"");
        assert_eq!(access(&desk, "IT-2")["awaited"], json!(["clara"]));
        says_yes(&desk.with_roles("clara", "requester"), "IT-2").expect(200);
        assert_eq!(access(&desk, "IT-2")["state"], "approved");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// Old messages stay with people who have left. Their links show nothing, also where the step has not moved on yet.
#[test]
fn the_link_of_an_old_message_shows_nothing_to_an_approver_who_has_left() {
    let relay = Relay::start();
    let settings = relay.settings() + "\n[outgoing]\npublic-url = \"https://desk.example/\"\n";
    let desk = House::with_settings(Database::Postgres, example_rules(), |text| text + &settings);
    asks(&desk.as_role("amara"), "github", "write", &json!({}));
    desk.do_what_is_due();
    let page = decision_page(&relay.taken());
    let browser = desk.stranger().with("sec-fetch-site", "same-origin");
    assert!(browser.get(&page).expect_text(200).contains("GitHub"));
    desk.sql("create table steps_before as select ticket, steps from access_cases");
    leave(&desk, "lena");
    let decide = || {
        let sent = browser.send_text(&page, "decision=approve&reason=", "application/x-www-form-urlencoded");
        let shown = browser.get(&page);
        assert!(!shown.text.contains("GitHub") && !shown.text.contains("Amara"), "{}", shown.text);
        (sent.status, shown.status)
    };
    assert_eq!(decide(), (404, 404), "another person is asked now");
    desk.sql("update access_cases set steps = b.steps from steps_before b where b.ticket = access_cases.ticket");
    assert_eq!(decide(), (404, 404), "as on a host that has not followed yet");
    assert_eq!(access(&desk, "IT-1")["state"], "awaiting");
    desk.do_what_is_due();
}

#[test]
fn i02_i03_several_accounts_of_one_human_are_one_party_and_one_approver() {
    on_both(|database| {
        let desk = desk(database);
        change_person(&desk, "viktor", "\n", "\nsame-as = \"lena\"\n");
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        asks(&amara, "github", "admin", &json!({}));
        says_yes(&lena, "IT-1").expect(200);
        assert_eq!(
            access(&desk, "IT-1")["awaited"],
            json!(["priya"]),
            "the other officer has approved by another account"
        );
        assert_eq!(says_yes(&desk.with_roles("viktor", "requester"), "IT-1").status, 403);
        change_person(&desk, "lena", "\n", "\nsame-as = \"amara\"\n");
        asks(&amara, "github", "write", &json!({}));
        assert_eq!(access(&desk, "IT-2")["awaited"], json!(["omar"]), "her manager is herself");
        assert_ne!(says_yes(&lena, "IT-2").status, 200);
    });
}

#[test]
fn i02_a_delegate_decides_in_ones_place_for_the_days_named_and_never_for_a_party() {
    on_both(|database| {
        let desk = desk(database);
        let today = jiff::tz::TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date();
        let tomorrow = today.tomorrow().unwrap();
        let leave = format!("\n[[person.delegation]]\nto = \"jonas\"\nfrom = {today}\nuntil = {tomorrow}\n");
        let end = |text: &str, person: &str| {
            let start = text.find(&format!("id = \"{person}\"")).unwrap();
            text[start..].find("[[person]]").map_or(text.len(), |end| start + end)
        };
        reconfigure(&desk, "people.toml", |mut text| {
            let at = end(&text, "lena");
            text.insert_str(at, &(leave.clone() + "\n"));
            text
        });
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["jonas", "lena"]));
        says_yes(&desk.with_roles("jonas", "requester"), "IT-1").expect(200);
        assert_eq!(access(&desk, "IT-1")["state"], "approved");
        // The person who stands in for the requester decides nothing that they ask for.
        reconfigure(&desk, "people.toml", |mut text| {
            let at = end(&text, "amara");
            text.insert_str(at, &(leave.replace("jonas", "lena") + "\n"));
            text
        });
        asks(&desk.as_role("amara"), "github", "admin", &json!({}));
        let awaited = access(&desk, "IT-2")["awaited"].clone();
        assert!(!awaited.to_string().contains("lena"), "{awaited}");
        desk.advance(jiff::SignedDuration::from_hours(4));
    });
}

#[test]
fn i02_who_stands_in_for_one_who_has_left_decides_nothing() {
    on_both(|database| {
        let desk = desk(database);
        let today = jiff::tz::TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date();
        let until = today.tomorrow().unwrap();
        reconfigure(&desk, "people.toml", |text| {
            let start = text.find("id = \"grace\"").unwrap();
            let end = text[start..].find("[[person]]").map_or(text.len(), |end| start + end);
            let away = format!("\n[[person.delegation]]\nto = \"jonas\"\nfrom = {today}\nuntil = {until}\n\n");
            format!("{}{away}{}", &text[..end], &text[end..])
        });
        asks(&desk.as_role("amara"), "salesforce", "user", &json!({}));
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["grace", "jonas"]));
        leave(&desk, "grace");
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["priya", "tomas", "yuki"]));
        let refused = says_yes(&desk.with_roles("jonas", "requester"), "IT-1");
        assert!((403..=404).contains(&refused.status), "{}", refused.text);
        says_yes(&desk.as_role("priya"), "IT-1").expect(200);
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn where_no_approver_is_left_the_access_approvers_stand_in() {
    on_both(|database| {
        let desk = desk(database);
        asks(&desk.as_role("amara"), "salesforce", "user", &json!({}));
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["grace"]), "the owner decides");
        leave(&desk, "grace");
        assert_eq!(access(&desk, "IT-1")["awaited"], json!(["priya", "tomas", "yuki"]));
        says_yes(&desk.as_role("priya"), "IT-1").expect(200);
        assert_eq!(access(&desk, "IT-1")["state"], "approved");
    });
}

#[test]
fn what_conflicts_is_found_when_it_is_given_also_where_both_were_asked_for_at_once() {
    on_both(|database| {
        let desk = desk(database);
        let amara = desk.as_role("amara");
        asks(&amara, "workday", "manager", &json!({}));
        asks(&amara, "salesforce", "admin", &json!({}));
        let approve = |key: &str| {
            for _ in 0..4 {
                let awaited = access(&desk, key)["awaited"].clone();
                let Some(who) = awaited.as_array().and_then(|all| all.first()).and_then(Value::as_str) else { return };
                says_yes(&desk.with_roles(who, "requester"), key).expect(200);
            }
        };
        approve("IT-1");
        approve("IT-2");
        let states = (access(&desk, "IT-1")["state"].clone(), access(&desk, "IT-2")["state"].clone());
        assert_eq!(states, (json!("approved"), json!("denied")));
        assert_eq!(grants(&desk, "amara").len(), 1);
        let timeline = amara.get("/api/v1/tickets/IT-2/timeline").expect(200).to_string();
        assert!(timeline.contains("nobody may hold salesforce/admin together with workday/manager"), "{timeline}");
        let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-2/decisions").expect(200);
        assert_eq!(runs.as_array().unwrap().len(), 2, "what the rules said then is recorded, too");
        let verified = desk.command(&["decisions", "verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    });
}

#[test]
fn seats_are_counted_when_access_is_given() {
    on_both(|database| {
        let desk = desk(database);
        reconfigure(&desk, "apps.toml", |text| {
            text.replacen(
                "id = \"user\"\nname = \"User\"\nrisk = \"low\"",
                "id = \"user\"\nname = \"User\"\nrisk = \"low\"\nseats = 1",
                1,
            )
        });
        let amara = desk.as_role("amara");
        assert_eq!(asks(&amara, "jira", "user", &json!({}))["access"]["state"], "approved");
        let second = asks(&amara, "jira", "user", &json!({ "for": "jonas" }));
        assert_eq!(second["access"]["state"], "denied_by_policy", "{second}");
        assert!(second["access"]["reason"].as_str().unwrap().contains("seats"), "{second}");
        assert_eq!(asks(&amara, "jira", "user", &json!({}))["access"]["state"], "approved", "one's own seat is there");
        leave(&desk, "amara");
        let third = asks(&desk.as_role("kofi"), "jira", "user", &json!({ "for": "jonas" }));
        assert_eq!(third["access"]["state"], "approved", "who has left needs no seat: {third}");
    });
}

#[test]
fn what_a_person_holds_ends_when_they_leave() {
    on_both(|database| {
        let desk = desk(database);
        asks(&desk.as_role("kofi"), "jira", "user", &json!({ "for": "amara" }));
        asks(&desk.as_role("kofi"), "github", "write", &json!({ "for": "amara" }));
        assert_eq!(grants(&desk, "amara")[0]["effective"], true);
        leave(&desk, "amara");
        let ended = grants(&desk, "amara");
        assert_eq!((&ended[0]["effective"], ended[0]["revoked_at"].is_string()), (&json!(false), true), "{ended:?}");
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200);
        assert!(timeline.to_string().contains("has left"), "{timeline}");
        assert_eq!(access(&desk, "IT-2")["state"], "denied", "nothing waits for who has left");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn the_same_access_is_asked_for_once_and_held_once() {
    on_both(|database| {
        let desk = desk(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        asks(&amara, "github", "write", &json!({}));
        let fields = json!({ "app": "github", "tier": "write", "role": "no such role", "duration-hours": 9,
            "justification": "once more, please" });
        let again = json!({ "request_type": "access", "subject": "again", "fields": fields });
        let refused = amara.post("/api/v1/tickets", &again).expect(422);
        assert!(refused["problems"][0]["message"].as_str().unwrap().contains("IT-1"), "{refused}");
        says_yes(&lena, "IT-1").expect(200);

        let longer = asks(&amara, "github", "write", &json!({ "duration-hours": 100 }));
        let key = longer["key"].as_str().unwrap();
        says_yes(&lena, key).expect(200);
        let live =
            |desk: &House| grants(desk, "amara").into_iter().filter(|g| g["effective"] == true).collect::<Vec<_>>();
        let held = live(&desk);
        assert_eq!(held.len(), 1, "{held:?}");
        let why = json!({ "reason": "the project is over" });
        let path = format!("/api/v1/grants/{}/revoke", held[0]["id"].as_str().unwrap());
        desk.as_role("mei").post(&path, &why).expect(200);
        assert_eq!(live(&desk), Vec::<Value>::new(), "taking it back takes it");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// Clocks of hosts differ, and clocks are set back.
#[test]
fn a_grant_that_begins_later_can_be_taken_back() {
    on_both(|database| {
        let desk = desk(database);
        asks(&desk.as_role("amara"), "jira", "user", &json!({}));
        desk.clock.advance(jiff::SignedDuration::from_mins(-10));
        let grant = grants(&desk, "amara")[0].clone();
        assert_eq!(grant["effective"], false, "it begins in ten minutes");
        let path = format!("/api/v1/grants/{}/revoke", grant["id"].as_str().unwrap());
        desk.as_role("mei").post(&path, &json!({ "reason": "a mistake" })).expect(200);
        desk.clock.advance(jiff::SignedDuration::from_mins(20));
        assert_eq!(grants(&desk, "amara")[0]["effective"], false);
    });
}

#[test]
fn of_many_who_ask_for_the_same_at_once_one_is_taken() {
    on_both(|database| {
        let desk = desk(database);
        let fields =
            json!({ "app": "github", "tier": "write", "duration-hours": 9, "justification": "at once, please" });
        let body = json!({ "request_type": "access", "subject": "at once", "fields": fields });
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let asks = || desk.as_role("amara").post("/api/v1/tickets", &body).status;
            let all: Vec<_> = (0..6).map(|_| scope.spawn(asks)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let taken = statuses.iter().filter(|status| **status == 201).count();
        assert_eq!((taken, statuses.iter().filter(|status| **status == 422).count()), (1, 5), "{statuses:?}");

        let low = json!({ "request_type": "access", "subject": "at once", "fields": {
            "app": "jira", "tier": "user", "duration-hours": 9, "justification": "at once, please" } });
        std::thread::scope(|scope| {
            let asks = || drop(desk.as_role("amara").post("/api/v1/tickets", &low).expect(201));
            let all: Vec<_> = (0..4).map(|_| scope.spawn(asks)).collect();
            all.into_iter().for_each(|one| one.join().unwrap());
        });
        let live = grants(&desk, "amara").into_iter().filter(|grant| grant["effective"] == true).count();
        assert_eq!(live, 1, "one grant, however often it was extended");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}
