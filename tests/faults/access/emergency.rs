//! Access that cannot wait is given at once, for a short time, and looked at afterwards; and where so many leave at once that it is rather the
//! directory that has gone wrong, the desk asks a person.

use jiff::SignedDuration;
use jiff::civil::time;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

/// A desk on which the highest tier of GitHub is given in an emergency, for two hours.
fn desk(database: Database, settings: impl FnOnce(String) -> String) -> House {
    let desk = House::with_settings(database, example_rules(), settings);
    change(&desk, "apps.toml", |text| text.replacen("longest = \"72h\"", "longest = \"72h\"\nemergency = \"2h\"", 1));
    change(&desk, "request-types.toml", |text| {
        let flag = "    { name = \"emergency\", label = \"It cannot wait\", kind = \"flag\" },\n";
        let at = text.find("    { name = \"duration-hours\"").unwrap();
        format!("{}{flag}{}", &text[..at], &text[at..])
    });
    reload(&desk);
    desk
}

fn change(desk: &House, file: &str, change: impl FnOnce(String) -> String) {
    let path = desk.settings().with_file_name(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "{file} is as it was");
    std::fs::write(&path, changed).unwrap();
}

fn reload(desk: &House) {
    let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
    assert_eq!(answer.status, 204, "{}", answer.text);
}

fn asks(client: &Client, app: &str, tier: &str, more: &Value) -> Answer {
    let mut fields = json!({ "app": app, "tier": tier, "duration-hours": 9, "emergency": true,
        "justification": "The deployment has failed and the repository must be rolled back now, incident 4711" });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": fields });
    client.post("/api/v1/tickets", &body)
}

fn grants(desk: &House, person: &str) -> Vec<Value> {
    desk.as_role("kofi").get(&format!("/api/v1/people/{person}/grants")).expect(200).as_array().unwrap().clone()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn i18_an_emergency_is_short_heard_of_at_once_reviewed_afterwards_and_taken_back_where_it_is_not() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        let amara = desk.as_role("amara");
        assert_eq!(asks(&amara, "github", "write", &json!({})).status, 422, "only where the tier allows it");
        let ticket = asks(&amara, "github", "admin", &json!({})).expect(201);
        assert_eq!(ticket["access"]["state"], "approved", "{ticket}");
        assert!(ticket["access"]["reason"].as_str().unwrap().contains("in an emergency"), "{ticket}");
        let grant = grants(&desk, "amara")[0].clone();
        let instant = |name: &str| grant[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(instant("expires_at").duration_since(instant("granted_at")).as_hours(), 2);
        // The owner of the app and the security officers hear of it, none of them a party.
        let told = desk.as_role("kofi").get("/api/v1/tickets/IT-1/messages").expect(200);
        let mut heard: Vec<&str> = told
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["kind"] == "review-wanted")
            .map(|message| message["recipient"].as_str().unwrap())
            .collect();
        heard.sort_unstable();
        assert_eq!(heard, ["priya", "ravi", "tomas", "yuki"]);
        let priya = desk.as_role("priya");
        let waiting = priya.get("/api/v1/access/review-items").expect(200);
        assert_eq!((&waiting[0]["grant"]["subject"], &waiting[0]["campaign"]), (&json!("amara"), &Value::Null));
        let path = format!("/api/v1/access/review-items/{}/answer", waiting[0]["id"].as_str().unwrap());
        assert_eq!(amara.post(&path, &json!({ "keep": true })).status, 403, "no party looks at it");
        assert_eq!(priya.post(&path, &json!({ "keep": false })).status, 422, "say why");
        let why = json!({ "keep": false, "reason": "a rollback needs no admin" });
        assert_eq!(priya.post(&path, &why).expect(200)["verdict"], "revoke");
        assert_eq!((&grants(&desk, "amara")[0]["end_reason"], grants(&desk, "amara").len()), (&json!("reviewed"), 1));
        assert_eq!(priya.post(&path, &why).status, 409, "an answer stands");
        // One that no person looks at: it is over after two hours, and that none has looked is to be seen.
        assert_eq!(asks(&amara, "github", "admin", &json!({})).expect(201)["access"]["state"], "approved");
        desk.advance(hours(25));
        assert!(grants(&desk, "amara").iter().all(|grant| grant["effective"] == false));
        let all = desk.as_role("kofi").get("/api/v1/access/review-items?emergencies=true").expect(200);
        let verdicts: Vec<&Value> = all.as_array().unwrap().iter().map(|item| &item["verdict"]).collect();
        assert_eq!(verdicts, [&json!("revoke"), &json!("lapsed")]);
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn i18_what_the_rules_deny_is_not_given_in_an_emergency() {
    let desk = desk(Database::Sqlite, |text| text);
    change(&desk, "people.toml", |text| {
        let at = text.find("id = \"jonas\"").unwrap();
        format!("{}{}", &text[..at], text[at..].replacen("[\"staff\"]", "[\"contractors\"]", 1))
    });
    reload(&desk);
    let denied = asks(&desk.as_role("kofi"), "github", "admin", &json!({ "for": "jonas" })).expect(201);
    assert_eq!(denied["access"]["state"], "denied_by_policy", "{denied}");
    assert_eq!(grants(&desk, "jonas"), Vec::<Value>::new());
}

/// The rule that is missing might deny.
#[test]
fn i18_an_emergency_stands_in_for_no_rule_that_was_not_heard() {
    for what in ["suspended", "failing", "refused", "failing before access"] {
        let desk = desk(Database::Sqlite, |text| text);
        let mei = desk.as_role("mei");
        let fails = |stage: &str| {
            put(&desk.rules, "60-fails", &hostile_manifest("fails", stage, "give-up", ""), hostile());
            desk.until_active("fails");
        };
        match what {
            "suspended" => {
                let why = json!({ "why": "a doubt" });
                mei.post("/api/v1/rules/access-policy/suspend", &why).expect(200);
            }
            "failing" => fails("access"),
            "refused" => {
                put(&desk.rules, "60-refused", &hostile_manifest("refused", "access", "pass", ""), b"no wasm");
                until("the refusal", || {
                    let rules = mei.get("/api/v1/rules").expect(200);
                    let mut all = rules["rules"].as_array()?.iter();
                    all.any(|rule| rule["folder"] == "60-refused" && rule["last_error"].is_string()).then_some(())
                });
            }
            _ => fails("categorization"),
        }
        let ticket = asks(&desk.as_role("amara"), "github", "admin", &json!({})).expect(201);
        assert_eq!(ticket["access"]["state"], "awaiting", "{what}: {ticket}");
        assert_eq!(grants(&desk, "amara"), Vec::<Value>::new(), "{what}");
    }
}

#[test]
fn i15_where_too_many_leave_at_once_a_person_is_asked_and_what_ends_by_its_time_is_not_held_up() {
    on_both(|database| {
        let desk = desk(database, |text| text.replace("[defaults]\n", "[defaults]\nleavers-max = 2\n"));
        let kofi = desk.as_role("kofi");
        for person in ["amara", "jonas", "sofia"] {
            let more = json!({ "for": person, "emergency": false });
            assert_eq!(asks(&kofi, "jira", "user", &more).expect(201)["access"]["state"], "approved");
        }
        let short = json!({ "for": "lena", "emergency": false, "duration-hours": 1 });
        asks(&kofi, "jira", "user", &short).expect(201);
        change(&desk, "people.toml", |mut text| {
            for person in ["amara", "jonas", "sofia"] {
                text =
                    text.replacen(&format!("id = \"{person}\"\n"), &format!("id = \"{person}\"\nactive = false\n"), 1);
            }
            text
        });
        reload(&desk);
        let mei = desk.as_role("mei");
        let brake = mei.get("/api/v1/access/brake").expect(200);
        assert_eq!((&brake["stopped"], &brake["people"]), (&json!(true), &json!(3)), "{brake}");
        for person in ["amara", "jonas", "sofia"] {
            let grant = grants(&desk, person)[0].clone();
            assert_eq!((&grant["state"], &grant["effective"]), (&json!("active"), &json!(false)), "{person}");
        }
        desk.advance(hours(1));
        assert_eq!(grants(&desk, "lena")[0]["end_reason"], "expired", "an end by time is never held up");
        reload(&desk);
        assert_eq!(grants(&desk, "amara")[0]["state"], "active", "it stays stopped");
        assert_eq!(kofi.post("/api/v1/access/brake/resume", &json!({ "reason": "x" })).status, 403);
        assert_eq!(mei.post("/api/v1/access/brake/resume", &json!({ "reason": " " })).status, 422);
        let why = json!({ "reason": "the branch in Milan has closed, as announced" });
        let resumed = mei.post("/api/v1/access/brake/resume", &why).expect(200);
        assert_eq!((&resumed["stopped"], &resumed["resumed_by"]), (&json!(false), &json!("mei")), "{resumed}");
        for person in ["amara", "jonas", "sofia"] {
            assert_eq!(grants(&desk, person)[0]["end_reason"], "left", "{person}");
        }
        assert_eq!(mei.post("/api/v1/access/brake/resume", &why).status, 409);
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn i02_who_has_asked_in_an_emergency_does_not_look_at_it_in_a_reviewers_place() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        let today = jiff::tz::TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date();
        let until = today.tomorrow().unwrap();
        change(&desk, "people.toml", |text| {
            let at = text.find("id = \"priya\"").unwrap();
            let end = text[at..].find("[[person]]").map_or(text.len(), |end| at + end);
            let away = format!("\n[[person.delegation]]\nto = \"kofi\"\nfrom = {today}\nuntil = {until}\n\n");
            format!("{}{away}{}", &text[..end], &text[end..])
        });
        reload(&desk);
        let (kofi, priya) = (desk.as_role("kofi"), desk.as_role("priya"));
        let ticket = asks(&kofi, "github", "admin", &json!({ "for": "amara" })).expect(201);
        assert_eq!(ticket["access"]["state"], "approved", "{ticket}");
        let waiting = priya.get("/api/v1/access/review-items").expect(200);
        let path = format!("/api/v1/access/review-items/{}/answer", waiting[0]["id"].as_str().unwrap());
        let keep = json!({ "keep": true, "reason": "it was needed" });
        assert_eq!(kofi.get("/api/v1/access/review-items").expect(200), json!([]), "nor finds it in their list");
        kofi.post(&path, &keep).expect(403);
        assert_eq!(priya.post(&path, &keep).expect(200)["verdict"], "keep");
        desk.advance(hours(2));
    });
}

/// Of those who look at it afterwards none is chosen by leave that its requester gave the others: then people decide before.
#[test]
fn i18_what_its_requester_has_chosen_the_reviewers_of_is_not_given_in_an_emergency() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        let (amara, jonas) = (desk.as_role("amara"), desk.with_roles("jonas", "requester"));
        let today = TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date().to_string();
        let leave = json!({ "to": "priya", "from": today, "until": today });
        amara.post("/api/v1/delegations", &leave).expect(201);
        let ticket = asks(&amara, "github", "admin", &json!({})).expect(201);
        assert_eq!(ticket["access"]["state"], "awaiting", "{ticket}");
        let other = asks(&jonas, "github", "admin", &json!({})).expect(201);
        assert_eq!(other["access"]["state"], "approved", "{other}");
        desk.advance(hours(2));
    });
}

/// Reviewers who turn out to be the one who has asked, by another account: before they answer, and after it.
#[test]
fn i02_a_reviewer_of_an_emergency_who_becomes_its_requester_has_no_word_in_it() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        let ticket = asks(&desk.as_role("kofi"), "github", "admin", &json!({ "for": "amara" })).expect(201);
        assert_eq!(ticket["access"]["state"], "approved", "{ticket}");
        let [priya, ravi, tomas] = ["priya", "ravi", "tomas"].map(|who| desk.with_roles(who, "requester"));
        let waiting = |client: &Client| client.get("/api/v1/access/review-items").expect(200);
        let answer = |client: &Client, item: &Value| {
            let path = format!("/api/v1/access/review-items/{}/answer", item["id"].as_str().unwrap());
            client.post(&path, &json!({ "keep": true, "reason": "it was needed" }))
        };
        let is_kofi = |person: &str| {
            let id = format!("id = \"{person}\"\n");
            change(&desk, "people.toml", |text| text.replacen(&id, &format!("{id}same-as = \"kofi\"\n"), 1));
            reload(&desk);
        };
        let item = waiting(&ravi)[0].clone();
        is_kofi("ravi");
        assert_eq!(waiting(&ravi), json!([]));
        assert_eq!(answer(&ravi, &item).status, 403);
        assert_eq!(answer(&priya, &item).expect(200)["verdict"], "keep");
        assert_eq!(waiting(&tomas), json!([]));
        is_kofi("priya");
        let again = waiting(&tomas);
        assert_eq!((&again[0]["grant"]["subject"], &again[0]["grant"]["effective"]), (&json!("amara"), &json!(true)));
        let sent = desk.as_role("mei").get("/api/v1/tickets/IT-1/messages").expect(200);
        let to_priya = |one: &&Value| one["kind"] == "review-wanted" && one["recipient"] == "priya";
        let asked = sent.as_array().unwrap().iter().filter(to_priya).count();
        assert_eq!(asked, 1, "who has no word in it is not asked for one: {sent}");
        for client in [&priya, &ravi] {
            assert_eq!(waiting(client), json!([]));
            assert_eq!(answer(client, &again[0]).status, 403);
        }
        assert_eq!(answer(&tomas, &again[0]).expect(200)["verdict"], "keep");
        desk.advance(hours(2));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn i18_one_emergency_follows_another_only_when_that_was_looked_at() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        let (amara, priya) = (desk.as_role("amara"), desk.as_role("priya"));
        assert_eq!(asks(&amara, "github", "admin", &json!({})).expect(201)["access"]["state"], "approved");
        desk.advance(hours(2));
        assert_eq!(grants(&desk, "amara")[0]["effective"], false);
        let refused = asks(&amara, "github", "admin", &json!({})).expect(422);
        assert!(refused.to_string().contains("is not looked at yet"), "{refused}");
        let waiting = priya.get("/api/v1/access/review-items").expect(200);
        let path = format!("/api/v1/access/review-items/{}/answer", waiting[0]["id"].as_str().unwrap());
        priya.post(&path, &json!({ "keep": true, "reason": "the deployment had failed" })).expect(200);
        assert_eq!(asks(&amara, "github", "admin", &json!({})).expect(201)["access"]["state"], "approved");
        desk.advance(hours(2));
        // People decide, also while it is not looked at.
        let waits = asks(&amara, "github", "admin", &json!({ "emergency": false })).expect(201);
        assert_eq!(waits["access"]["state"], "awaiting", "{waits}");
    });
}

#[test]
fn of_many_who_review_the_same_at_one_moment_one_is_heard() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        asks(&desk.as_role("amara"), "github", "admin", &json!({})).expect(201);
        let reviewers = ["priya", "ravi", "tomas", "yuki"].map(|who| desk.with_roles(who, "requester"));
        let waiting = reviewers[0].get("/api/v1/access/review-items").expect(200);
        let path = format!("/api/v1/access/review-items/{}/answer", waiting[0]["id"].as_str().unwrap());
        let mut statuses: Vec<u16> = std::thread::scope(|scope| {
            let says = |(number, client): (usize, &Client)| {
                client
                    .post(&path, &json!({ "keep": number % 2 == 0, "reason": "as the log of the night has it" }))
                    .status
            };
            let all: Vec<_> = reviewers.iter().enumerate().map(|one| scope.spawn(move || says(one))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409]);
        let verdict = reviewers[0].get("/api/v1/access/review-items").expect(200);
        assert_eq!(verdict, json!([]), "it waits for none of them");
        desk.advance(hours(2));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn i23_the_seats_of_those_who_have_left_are_taken_until_what_they_held_has_ended() {
    on_both(|database| {
        let desk = desk(database, |text| text.replace("[defaults]\n", "[defaults]\nleavers-max = 1\n"));
        change(&desk, "apps.toml", |text| {
            let (before, jira) = text.split_once("id = \"jira\"").unwrap();
            format!("{before}id = \"jira\"{}", jira.replacen("risk = \"low\"\n", "risk = \"low\"\nseats = 2\n", 1))
        });
        reload(&desk);
        let (kofi, mei) = (desk.as_role("kofi"), desk.as_role("mei"));
        let asked = |person: &str| {
            let more = json!({ "for": person, "emergency": false });
            asks(&kofi, "jira", "user", &more).expect(201)["access"]["state"].clone()
        };
        assert_eq!((asked("amara"), asked("jonas")), (json!("approved"), json!("approved")));
        change(&desk, "people.toml", |mut text| {
            for person in ["amara", "jonas"] {
                let id = format!("id = \"{person}\"\n");
                text = text.replacen(&id, &format!("{id}active = false\n"), 1);
            }
            text
        });
        reload(&desk);
        assert_eq!(grants(&desk, "amara")[0]["state"], "active", "the brake keeps it, and the app has it");
        assert_eq!(asked("sofia"), "denied_by_policy", "no more seats are given than there are");
        mei.post("/api/v1/access/brake/resume", &json!({ "reason": "both have left, as announced" })).expect(200);
        assert_eq!(asked("sofia"), "approved");
        desk.advance(hours(9));
    });
}

#[test]
fn a_campaign_keeps_what_is_kept_and_ends_the_rest_at_its_instant_also_over_a_change_of_the_clocks() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        change(&desk, "apps.toml", |text| text.replacen("owner = \"chloe\"", "owner = \"lena\"", 1));
        reload(&desk);
        // Up to the day before the next change of the clocks in Berlin: a day later it is another time of day there.
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (now, day) = (desk.clock.now(), SignedDuration::from_hours(24));
        let same = |days: i32| zone.to_datetime(now + day * days).time() == zone.to_datetime(now).time();
        let before = (1..400).find(|days| !same(*days)).unwrap() - 1;
        desk.clock.advance(day * before);
        let morning = zone.to_datetime(desk.clock.now() + day * 2).date();
        let due = zone.to_timestamp(morning.to_datetime(time(9, 0, 0, 0))).unwrap();
        let due_at = due.to_zoned_datetime(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        for person in ["amara", "jonas", "priya"] {
            let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 96, "for": person,
                "justification": "I join the data project" });
            let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
            let made = desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
            assert_eq!(made["access"]["state"], "approved", "{made}");
        }
        let soon = desk.clock.now() + SignedDuration::from_hours(23);
        let soon = json!({ "name": "who is in Jira?", "app": "jira", "due_at": soon.to_string() });
        let refused = desk.as_role("mei").post("/api/v1/access/reviews", &soon).expect(422);
        assert_eq!(refused["problems"][0]["field"], "due_at", "no one could answer in time: {refused}");
        let campaign = json!({ "name": "who is in Jira?", "app": "jira", "due_at": due_at });
        let campaign = desk.as_role("mei").post("/api/v1/access/reviews", &campaign).expect(201)["id"].clone();
        let lena = desk.as_role("lena");
        let items = lena.get("/api/v1/access/review-items").expect(200);
        assert_eq!(items.as_array().map(Vec::len), Some(3), "the owner is asked: {items}");
        for item in items.as_array().unwrap() {
            let path = format!("/api/v1/access/review-items/{}/answer", item["id"].as_str().unwrap());
            match item["grant"]["subject"].as_str().unwrap() {
                "amara" => drop(lena.post(&path, &json!({ "keep": true })).expect(200)),
                "jonas" => {
                    drop(lena.post(&path, &json!({ "keep": false, "reason": "not in the project" })).expect(200))
                }
                _ => {}
            }
        }
        let of = |person: &str| grants(&desk, person)[0].clone();
        assert_eq!((&of("amara")["state"], &of("jonas")["end_reason"]), (&json!("active"), &json!("reviewed")));
        desk.advance(due.duration_since(desk.clock.now()) - SignedDuration::from_mins(1));
        assert_eq!(of("priya")["state"], "active", "there is a minute left");
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!(of("priya")["end_reason"], "reviewed", "at nine in Berlin, by the clock of that day");
        assert_eq!(of("amara")["state"], "active");
        let evidence = format!("/api/v1/access/review-items?campaign={}", campaign.as_str().unwrap());
        let evidence = desk.as_role("kofi").get(&evidence).expect(200);
        let mut verdicts: Vec<(&str, &str)> = evidence
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["grant"]["subject"].as_str().unwrap(), item["verdict"].as_str().unwrap()))
            .collect();
        verdicts.sort_unstable();
        assert_eq!(verdicts, [("amara", "keep"), ("jonas", "revoke"), ("priya", "lapsed")]);
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}
