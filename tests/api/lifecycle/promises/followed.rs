//! Open tickets follow the configuration: a calendar, a target and the list of priorities reach those that are there already,
//! once, and each timeline says so. A team that is no more keeps no ticket from being found and given another.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{incident, promise, step, watched};
use crate::support::client::{Client, resolved};
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

/// Changes a file of the configuration and has it read.
fn changes(desk: &House, file: &str, from: &str, to: &str) {
    let path = desk.settings().with_file_name(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file}: {from}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

fn reloads(desk: &House) {
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
}

/// The entries of a kind that a reader sees.
fn entries(client: &Client, key: &str, kind: &str) -> Vec<Value> {
    let timeline = client.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
    timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).cloned().collect()
}

/// A holiday of three days from the day after tomorrow on, in the calendar that is always open.
fn three_days_off(desk: &House) -> String {
    let days = (2..=4).map(|day| desk.clock.now() + SignedDuration::from_hours(24 * day));
    let days: Vec<String> = days.map(|day| format!("\"{}\"", day.strftime("%Y-%m-%d"))).collect();
    format!("id = \"always\"\nholidays = [{}]\n", days.join(", "))
}

#[test]
fn open_tickets_follow_a_changed_calendar_target_and_list_of_priorities_once() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [key, done, waits] =
            ["VPN is down", "VPN is down, and done", "VPN is down, and waits"].map(|subject| incident(&amara, subject));
        step(&kofi, &done, &resolved()).expect(200);
        step(&kofi, &waits, &json!({ "to": "waiting_requester" })).expect(200);
        let before = promise(&kofi, &key, "resolution");
        let level = kofi.get(&format!("/api/v1/tickets/{key}")).expect(200)["priority"].as_str().unwrap().to_owned();
        assert_eq!((level.as_str(), &before["target_minutes"]), ("high", &json!(480)));

        // Long enough for the days off to lie within it.
        changes(&desk, "desk.toml", "resolution = \"8h\"", "resolution = \"60h\"");
        reloads(&desk);
        until("the new target", || (promise(&kofi, &key, "resolution")["target_minutes"] == 3600).then_some(()));
        let longer = promise(&kofi, &key, "resolution");
        changes(&desk, "desk.toml", "id = \"always\"\n", &three_days_off(&desk));
        reloads(&desk);
        let later = until("the days off", || {
            let now = promise(&kofi, &key, "resolution");
            (now["due_at"] != longer["due_at"]).then_some(now)
        });
        let at = |promise: &Value| promise["due_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(at(&later.0).duration_since(at(&longer)), SignedDuration::from_hours(72));
        let told = entries(&amara, &key, "retargeted");
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1]["details"]["from"], longer["due_at"]);
        assert_eq!(told[1]["details"]["to"], later.0["due_at"]);
        // One that waits keeps standing still; what was met stays as it was promised.
        assert_eq!(
            (&promise(&kofi, &waits, "resolution")["due_at"], entries(&kofi, &waits, "retargeted").len()),
            (&Value::Null, 1)
        );
        assert_eq!(promise(&kofi, &done, "resolution")["target_minutes"], 480);

        // The same again changes nothing, nor does a start.
        reloads(&desk);
        let desk = desk.cut_off_and_restart();
        desk.do_what_is_due();
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        assert_eq!(entries(&amara, &key, "retargeted").len(), 2);

        // A level above all others, and a start with it.
        let blocker = "[[priority]]\nid = \"blocker\"\nname = \"Blocker\"\nfirst-response = \"5m\"\nresolution = \"1h\"\n\n[[priority]]\nid = \"critical\"";
        let critical = json!({ "priority": "critical", "reason": "all of Berlin" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &critical).expect(200);
        changes(&desk, "desk.toml", "[[priority]]\nid = \"critical\"", blocker);
        let desk = desk.cut_off_and_restart();
        desk.do_what_is_due();
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let worse = incident(&amara, "All is down");
        let to_blocker = json!({ "priority": "blocker", "reason": "all of it" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{worse}"), &to_blocker).expect(200);
        let queue = kofi.get("/api/v1/tickets?state=new,open,in_progress").expect(200);
        let keys: Vec<&str> = queue["tickets"].as_array().unwrap().iter().map(|t| t["key"].as_str().unwrap()).collect();
        assert_eq!(keys[..2], [worse.as_str(), key.as_str()], "{queue}");
        assert_eq!((entries(&kofi, &key, "reranked").len(), entries(&amara, &key, "reranked").len()), (1, 0));
    });
}

#[test]
fn tickets_of_a_team_that_is_no_more_are_counted_listed_and_given_another() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "Printer");
        let teams = desk.settings().with_file_name("teams.toml");
        let without = std::fs::read_to_string(&teams).unwrap();
        let with = format!("{without}\n[[team]]\nid = \"printing\"\nname = \"Printing\"\ntier = 2\nmember = []\n");
        std::fs::write(&teams, with).unwrap();
        reloads(&desk);
        let to_printing = json!({ "team": "printing", "assignee": null, "reason": "theirs" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &to_printing).expect(200);
        assert_eq!(kofi.get("/api/v1/config/unknown-teams").expect(200), json!([]));
        std::fs::write(&teams, without).unwrap();
        reloads(&desk);

        let ready = desk.stranger().get("/readyz");
        assert_eq!(ready.text, "ready\n1 open tickets are in teams that do not exist\n");
        assert!(desk.stranger().get("/metrics").text.contains("\nruledesk_tickets_in_unknown_teams 1\n"));
        assert_eq!(
            kofi.get("/api/v1/config/unknown-teams").expect(200),
            json!([{ "team": "printing", "open_tickets": 1 }])
        );
        assert_eq!(amara.get("/api/v1/config/unknown-teams").status, 403);
        let listed = kofi.get("/api/v1/tickets?team=printing").expect(200);
        assert_eq!(listed["tickets"][0]["key"], key.as_str(), "{listed}");

        for keeps in [
            json!({ "assignee": "samir", "reason": "take it" }),
            json!({ "team": "printing", "reason": "stays" }),
            json!({ "priority": "low", "reason": "later" }),
        ] {
            let refused = kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &keeps).expect(422);
            let problem = refused["problems"].as_array().unwrap().iter().find(|problem| problem["field"] == "team");
            assert!(problem.is_some_and(|problem| problem["message"].to_string().contains("network")), "{refused}");
        }
        let away = json!({ "team": "network", "reason": "Printing is no more" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &away).expect(200);
        desk.do_what_is_due();
        assert_eq!(desk.stranger().get("/readyz").text, "ready\n");
    });
}

/// A category promises in the place of its tickets' priority, also for those below it; a ticket that gets another category or priority
/// follows with what it has used, and so do open tickets when the promise changes.
#[test]
fn a_category_has_promises_of_its_own_or_those_of_its_nearest_parent() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let own = "id = \"network\"\npromise = [{ priority = \"high\", first-response = \"10m\", resolution = \"2h\", next-update = \"30m\" }]\n";
        changes(&desk, "taxonomy.toml", "id = \"network\"\n", own);
        reloads(&desk);
        let taxonomy = kofi.get("/api/v1/config/taxonomy").expect(200);
        let network = taxonomy["categories"].as_array().unwrap().iter().find(|one| one["id"] == "network").unwrap();
        let said = json!([{ "priority": "high", "first_response_minutes": 10, "resolution_minutes": 120, "next_update_minutes": 30 }]);
        assert_eq!(network["promises"], said);
        let key = incident(&amara, "VPN is down");
        let path = format!("/api/v1/tickets/{key}");
        let ticket = kofi.get(&path).expect(200);
        assert_eq!((&ticket["category"], &ticket["priority"]), (&json!("network.vpn"), &json!("high")));
        let target = |clock: &str| promise(&kofi, &key, clock)["target_minutes"].clone();
        assert_eq!((target("first-response"), target("resolution")), (json!(10), json!(120)));
        let told = kofi.get(&format!("{path}/explain?field=resolution")).expect(200);
        assert_eq!(told["fields"][0]["set_by"]["name"], "the policy of priority high for category network", "{told}");

        desk.advance(SignedDuration::from_mins(5));
        kofi.post(&format!("{path}/comments"), &json!({ "body": "We look into it." })).expect(201);
        assert_eq!(target("next-update"), 30);
        desk.advance(SignedDuration::from_mins(5));
        let edit = |body: &Value| kofi.with("if-match", "*").patch(&path, body).expect(200);
        edit(&json!({ "category": "hardware.printer", "reason": "a printer", "ask_rules": false }));
        assert_eq!((target("resolution"), target("next-update")), (json!(480), json!(120)));
        assert_eq!(target("first-response"), 10, "what was kept stays as it was promised");
        assert_eq!(promise(&kofi, &key, "resolution")["used_minutes"], 10);
        edit(&json!({ "category": "network.wifi", "reason": "it is not", "ask_rules": false }));
        assert_eq!((target("resolution"), target("next-update")), (json!(120), json!(30)));
        edit(&json!({ "priority": "critical", "reason": "all of Berlin" }));
        assert_eq!(target("resolution"), 240, "the category says nothing of this priority");
        edit(&json!({ "priority": "high", "reason": "not all" }));
        assert_eq!(target("resolution"), 120);
        let events = kofi.get(&format!("{path}/promises/events")).expect(200);
        let moved = events.as_array().unwrap().iter().filter(|one| one["clock"] == "resolution");
        assert_eq!(moved.filter(|one| one["event"] == "retarget").count(), 4, "{events}");

        changes(&desk, "taxonomy.toml", "resolution = \"2h\"", "resolution = \"3h\"");
        reloads(&desk);
        desk.do_what_is_due();
        assert_eq!(target("resolution"), 180, "open tickets follow");
        assert_eq!(promise(&kofi, &key, "resolution")["used_minutes"], 10);
        changes(&desk, "taxonomy.toml", "first-response = \"10m\"", "first-response = \"4h\"");
        assert_eq!(
            desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status,
            422,
            "later than its resolution"
        );
    });
}

/// Days off out of an iCalendar file count, and open tickets follow when the file changes.
#[test]
fn open_tickets_follow_the_days_of_a_calendar_file() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        changes(&desk, "desk.toml", "resolution = \"8h\"", "resolution = \"60h\"");
        reloads(&desk);
        let key = incident(&amara, "VPN is down");
        let due = || promise(&kofi, &key, "resolution")["due_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let before = due();
        let day =
            |ahead: i64| (desk.clock.now() + SignedDuration::from_hours(24 * ahead)).strftime("%Y%m%d").to_string();
        let folder = desk.settings().with_file_name("holidays");
        std::fs::create_dir_all(&folder).unwrap();
        let writes = |until: i64| {
            let (from, end) = (day(1), day(until));
            let text = format!(
                "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{from}\r\nDTEND;VALUE=DATE:{end}\r\n\
                 RRULE:FREQ=YEARLY\r\nSUMMARY:Closed\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            );
            std::fs::write(folder.join("closed.ics"), text).unwrap();
        };
        writes(2);
        changes(&desk, "desk.toml", "id = \"always\"\n", "id = \"always\"\nholidays-from = \"closed.ics\"\n");
        reloads(&desk);
        desk.do_what_is_due();
        assert_eq!(due().duration_since(before), SignedDuration::from_hours(24), "tomorrow is closed");
        writes(4);
        reloads(&desk);
        desk.do_what_is_due();
        assert_eq!(due().duration_since(before), SignedDuration::from_hours(72), "and the two days after it");
        // In the last hour of a day the first answer is due on the next one, and moves as well.
        let all = entries(&amara, &key, "retargeted");
        assert_eq!(all.iter().filter(|entry| entry["details"]["clock"] == "resolution").count(), 2, "{all:?}");
    });
}
