//! Stage 4 again: a ticket that finds no person waits in sight and is given out when an agent has room; those of people who are
//! gone are handed on.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{count, incident, step};
use crate::support::client::resolved;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, copy_demo, on_both};

/// The demo with its teams changed, and a calendar that is always open.
pub fn with_teams(database: Database, change: impl FnOnce(String) -> String) -> (House, TempDir) {
    let dir = TempDir::new().unwrap();
    copy_demo(dir.path());
    let file = dir.path().join("teams.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, change(text)).unwrap();
    let settings = dir.path().join("desk.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let open = days.map(|day| format!("{day} = [\"00:00-24:00\"]\n")).concat();
    std::fs::write(&settings, format!("{text}\n[[other-calendar]]\nid = \"always\"\ntime-zone = \"UTC\"\n{open}"))
        .unwrap();
    let desk = House::with_config(database, example_rules(), dir.path());
    // What has to be taken up in a time is what is assigned after the desk has seen to it that it has to.
    desk.do_what_is_due();
    (desk, dir)
}

/// The person who has a ticket; null where none has.
pub fn with(desk: &House, key: &str) -> Value {
    desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200)["assignee"].clone()
}

#[test]
fn a_full_team_takes_the_most_urgent_first_when_somebody_has_room() {
    on_both(|database| {
        let (desk, _dir) = with_teams(database, |text| {
            let zoe = "{ person = \"zoe\", skills = [\"vpn\", \"wifi\", \"voip\"] }";
            let akira = "{ person = \"akira\", skills = [\"vpn\", \"wifi\"] }";
            assert!(text.contains(zoe) && text.contains(akira));
            let text = text.replace(zoe, "{ person = \"zoe\", available = false }");
            text.replace(akira, "{ person = \"akira\", capacity = 1 }")
        });
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [first, low, urgent] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        assert_eq!(
            [with(&desk, &first), with(&desk, &low), with(&desk, &urgent)],
            [json!("akira"), Value::Null, Value::Null]
        );
        let timeline = kofi.get(&format!("/api/v1/tickets/{low}/timeline")).expect(200).to_string();
        assert!(timeline.contains("as much as they may"), "{timeline}");
        for (key, priority) in [(&low, "low"), (&urgent, "critical")] {
            let edit = json!({ "priority": priority, "reason": "as it is" });
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &edit).expect(200);
        }
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!(with(&desk, &urgent), Value::Null, "no room yet");
        step(&kofi, &first, &resolved()).expect(200);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!([with(&desk, &low), with(&desk, &urgent)], [Value::Null, json!("akira")], "the most urgent first");
        let back = json!({ "assignee": null, "reason": "for the night" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{urgent}"), &back).expect(200);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!(
            [with(&desk, &low), with(&desk, &urgent)],
            [json!("akira"), Value::Null],
            "what an agent puts back stays"
        );
    });
}

#[test]
fn a_deputy_has_what_an_absent_agent_had() {
    on_both(|database| {
        let (desk, _dir) = with_teams(database, |text| {
            let akira = "{ person = \"akira\", skills = [\"vpn\", \"wifi\"] }";
            let zoe = "{ person = \"zoe\", skills = [\"vpn\", \"wifi\", \"voip\"] }";
            // The day after tomorrow by any zone, for three days.
            let now = jiff::Timestamp::from_second(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64).unwrap();
            let day = |n: i64| (now + SignedDuration::from_hours(24 * n)).to_string()[..10].to_owned();
            let absent = format!("absent = [{{ from = {}, to = {}, deputy = \"zoe\" }}]", day(2), day(5));
            let text = text.replace(zoe, "{ person = \"zoe\", available = true, capacity = 1 }");
            text.replace(akira, &format!("{{ person = \"akira\", {absent} }}"))
        });
        let amara = desk.as_role("amara");
        let keys = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        let akira: Vec<&String> = keys.iter().filter(|key| with(&desk, key) == "akira").collect();
        assert!(!akira.is_empty());
        desk.advance(SignedDuration::from_hours(24 * 3));
        assert!(akira.iter().all(|key| with(&desk, key) == "zoe"), "all of them, whatever her capacity");
        let while_away = incident(&amara, "four");
        assert_eq!(with(&desk, &while_away), Value::Null, "nobody has room");
        desk.advance(SignedDuration::from_hours(24 * 4));
        assert_eq!(with(&desk, &while_away), "akira", "back again");
    });
}

/// The decision that is written down: by load, who comes back catches up, and capacity is the bound to it.
#[test]
fn by_load_who_comes_back_gets_the_next_ones_until_all_have_as_many() {
    on_both(|database| {
        let away = "{ person = \"paul\", available = false, capacity = 3, skills";
        let here = away.replace("available = false, ", "");
        let (desk, dir) = with_teams(database, |text| text.replace("{ person = \"paul\", skills", away));
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let give = |count: usize| -> Vec<Value> {
            let one = |_| {
                let key = incident(&amara, "Printer");
                let body = json!({ "team": "desktop", "reason": "theirs" });
                kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &body).expect(200);
                with(&desk, &key)
            };
            (0..count).map(one).collect()
        };
        assert_eq!(give(4), ["emma"; 4]);
        let file = dir.path().join("teams.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(away));
        std::fs::write(&file, text.replace(away, &here)).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(give(5), ["paul", "paul", "paul", "emma", "emma"], "three are his most");
    });
}

/// A line of `people.toml` that is taken out says the same as one who has left.
#[test]
fn tickets_of_one_who_has_left_or_is_in_no_list_any_more_are_handed_on() {
    for is_removed in [false, true] {
        on_both(|database| {
            let (desk, dir) = with_teams(database, |text| text);
            let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
            let [over, running] = ["one", "two"].map(|subject| incident(&amara, subject));
            for key in [&over, &running] {
                let edit = json!({ "assignee": "akira", "reason": "his" });
                kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &edit).expect(200);
            }
            step(&kofi, &over, &resolved()).expect(200);
            leaves(&desk, &dir, "akira", is_removed);
            desk.advance(SignedDuration::from_mins(1));
            assert_ne!(with(&desk, &running), "akira", "removed: {is_removed}");
            // What they had ended comes back to another.
            step(&amara, &over, &json!({ "to": "reopened", "reason": "still down" })).expect(200);
            desk.advance(SignedDuration::from_mins(1));
            assert_ne!(with(&desk, &over), "akira", "removed: {is_removed}");
        });
    }
}

/// Says that a person has left, or says no more of them at all.
fn leaves(desk: &House, dir: &TempDir, person: &str, is_removed: bool) {
    let file = dir.path().join("people.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, people) = text.split_once("[[person]]").unwrap();
    let is = |entry: &&str| entry.contains(&format!("id = \"{person}\""));
    let own = people.split("[[person]]").find(is).unwrap();
    let rest: String =
        people.split("[[person]]").filter(|entry| !is(entry)).map(|entry| format!("[[person]]{entry}")).collect();
    let left = if is_removed { String::new() } else { format!("[[person]]{own}\nactive = false\n") };
    std::fs::write(&file, format!("{head}{rest}{left}")).unwrap();
    let teams = dir.path().join("teams.toml");
    let text = std::fs::read_to_string(&teams).unwrap();
    let without = |line: &&str| !line.contains(&format!("person = \"{person}\""));
    std::fs::write(&teams, text.lines().filter(without).collect::<Vec<_>>().join("\n")).unwrap();
    let reloaded = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
    assert_eq!(reloaded.status, 204, "{}", reloaded.text);
}

/// A shift that has not begun gives nothing to those who work in it; when it begins, what has waited is theirs.
#[test]
fn a_ticket_waits_for_the_shift_that_can_have_it() {
    on_both(|database| {
        let dir = TempDir::new().unwrap();
        copy_demo(dir.path());
        let desk = House::with_config(database, example_rules(), dir.path());
        // Its own day, also where midnight is near.
        let today = desk.clock.now().in_tz("UTC").unwrap().weekday();
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let others = days.iter().enumerate().filter(|(day, _)| *day as i8 != today.to_monday_zero_offset());
        let open: String = others.map(|(_, day)| format!("{day} = [\"00:00-24:00\"]\n")).collect();
        let change = |file: &str, change: &dyn Fn(String) -> String| {
            let file = dir.path().join(file);
            let text = std::fs::read_to_string(&file).unwrap();
            let changed = change(text.clone());
            assert_ne!(changed, text);
            std::fs::write(&file, changed).unwrap();
        };
        change("desk.toml", &|text| {
            text + &format!("\n[[other-calendar]]\nid = \"not-today\"\ntime-zone = \"UTC\"\n{open}")
        });
        change("teams.toml", &|text| {
            let zoe = "{ person = \"zoe\", skills = [\"vpn\", \"wifi\", \"voip\"] }";
            let akira = "{ person = \"akira\", skills = [\"vpn\", \"wifi\"] }";
            let text = text.replace(zoe, "{ person = \"zoe\", available = false }");
            text.replace(akira, "{ person = \"akira\", shift = \"not-today\" }")
        });
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let key = incident(&desk.as_role("amara"), "VPN is down");
        assert_eq!(with(&desk, &key), Value::Null, "his shift is on another day");
        desk.advance(SignedDuration::from_hours(24));
        assert_eq!(with(&desk, &key), "akira");
    });
}

/// Routing asks for an agent who can do VPN. While all who can are full, the ticket is not given to one who has room and cannot.
#[test]
fn a_ticket_waits_for_the_skill_that_it_needs_also_where_others_have_room() {
    on_both(|database| {
        let zoe = "{ person = \"zoe\", skills = [\"vpn\", \"wifi\", \"voip\"] }";
        let unskilled = "{ person = \"zoe\", skills = [\"voip\"] }";
        let (desk, dir) = with_teams(database, |text| {
            let akira = "{ person = \"akira\", skills = [\"vpn\", \"wifi\"] }";
            assert!(text.contains(zoe) && text.contains(akira));
            text.replace(zoe, unskilled)
                .replace(akira, "{ person = \"akira\", capacity = 1, skills = [\"vpn\", \"wifi\"] }")
        });
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [first, second, third] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        let who = || [&first, &second, &third].map(|key| with(&desk, key));
        assert_eq!(who(), [json!("akira"), Value::Null, Value::Null]);
        desk.advance(SignedDuration::from_mins(5));
        assert_eq!(who(), [json!("akira"), Value::Null, Value::Null], "she has room, and cannot do it");
        step(&kofi, &first, &resolved()).expect(200);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!(who(), [json!("akira"), json!("akira"), Value::Null], "he has room again");

        // A ticket that a person sends there by hand asks for nothing.
        let other = incident(&amara, "four");
        let by_hand = |team: &str| json!({ "team": team, "ask_rules": false, "reason": "as it is" });
        for team in ["service-desk", "network"] {
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{other}"), &by_hand(team)).expect(200);
        }
        assert_eq!(with(&desk, &other), "zoe", "whoever has room may have it");

        let file = dir.path().join("teams.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(unskilled));
        std::fs::write(&file, text.replace(unskilled, zoe)).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!(who(), [json!("akira"), json!("akira"), json!("zoe")], "the skill has come");
    });
}

/// Who gets a ticket and does nothing on it has it until the time of their team is over, once; another gets it, and where there is none
/// it waits in the queue for one. Who has taken it up, or took it themselves, keeps it.
#[test]
fn what_is_not_taken_up_in_time_goes_back_to_the_team_and_to_another() {
    on_both(|database| {
        let (desk, _dir) = with_teams(database, |text| {
            let line = "id = \"network\"\n";
            assert!(text.contains(line));
            text.replace(line, &format!("{line}take-up-within = \"1h\"\ncalendar = \"always\"\n"))
        });
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [left, kept] = ["left", "kept"].map(|subject| incident(&amara, subject));
        let first = with(&desk, &left).as_str().unwrap().to_owned();
        let other = if first == "zoe" { "akira" } else { "zoe" };
        assert_eq!(with(&desk, &kept), other, "one each");
        let [hers, his] = [other, first.as_str()].map(|person| desk.with_roles(person, "agent"));
        step(&hers, &kept, &json!({ "to": "in_progress" })).expect(200);
        desk.advance(SignedDuration::from_mins(59));
        assert_eq!(with(&desk, &left), json!(first), "there is a minute left");
        desk.advance(SignedDuration::from_mins(2));
        assert_eq!([with(&desk, &left), with(&desk, &kept)], [json!(other), json!(other)]);
        let assigned = || {
            let timeline = kofi.get(&format!("/api/v1/tickets/{left}/timeline")).expect(200);
            let entries = timeline.as_array().unwrap().clone().into_iter();
            entries.filter(|entry| entry["kind"] == "assigned").collect::<Vec<Value>>()
        };
        let said = assigned().last().unwrap().to_string();
        assert!(said.contains("did not take it up in time"), "{said}");
        assert_eq!((count(&desk, &left, "not-taken-up"), count(&desk, &left, "assigned")), (1, 2), "both hear of it");
        let counted = || desk.stranger().get("/metrics").text.contains("\nruledesk_tickets_not_taken_up_total 1\n");
        assert!(counted());
        desk.do_what_is_due();
        assert_eq!(assigned().len(), 2, "an assignment ends once");

        // Words on it take it up as well; who takes a ticket by hand has done so.
        let note = json!({ "body": "I look at the router.", "internal": true });
        hers.post(&format!("/api/v1/tickets/{left}/comments"), &note).expect(201);
        let edit = json!({ "assignee": first, "reason": "mine" });
        his.with("if-match", "*").patch(&format!("/api/v1/tickets/{kept}"), &edit).expect(200);
        desk.advance(SignedDuration::from_hours(2));
        assert_eq!([with(&desk, &left), with(&desk, &kept)], [json!(other), json!(first)]);
        assert!(counted(), "no other");
    });
}

/// Each host looks by itself. Of several that look at one moment, one takes a ticket back, and the next has it for as long as any.
#[test]
fn what_is_not_taken_up_goes_back_once_where_several_hosts_look() {
    let (desk, _dir) = with_teams(Database::Postgres, |text| {
        let line = "id = \"network\"\n";
        assert!(text.contains(line));
        text.replace(line, &format!("{line}take-up-within = \"1h\"\ncalendar = \"always\"\n"))
    });
    let hosts = [desk.beside(), desk.beside()];
    let amara = desk.as_role("amara");
    let keys: Vec<String> = (0..6).map(|n| incident(&amara, &format!("VPN {n}"))).collect();
    let had: Vec<Value> = keys.iter().map(|key| with(&desk, key)).collect();
    assert!(had.iter().all(Value::is_string), "{had:?}");
    desk.clock.advance(SignedDuration::from_mins(61));
    std::thread::scope(|scope| {
        for host in [&desk, &hosts[0], &hosts[1]] {
            scope.spawn(move || host.do_what_is_due());
        }
    });
    // What one of them began may be done by any.
    let to_the_end = || while [&desk, &hosts[0], &hosts[1]].into_iter().any(|host| host.do_what_is_due() > 0) {};
    to_the_end();
    for (key, before) in keys.iter().zip(&had) {
        let now = with(&desk, key);
        assert!(now.is_string() && now != *before, "{key}: {before} and {now}");
        assert_eq!((count(&desk, key, "not-taken-up"), count(&desk, key, "assigned")), (1, 2), "{key}");
    }
    let counted = |host: &House| {
        let metrics = host.stranger().get("/metrics").text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("ruledesk_tickets_not_taken_up_total "));
        line.map_or(0, |count| count.parse::<usize>().unwrap())
    };
    let all: usize = [&desk, &hosts[0], &hosts[1]].into_iter().map(counted).sum();
    assert_eq!(all, keys.len(), "each is counted by the host that took it back");
    desk.clock.advance(SignedDuration::from_mins(59));
    to_the_end();
    assert!(keys.iter().all(|key| count(&desk, key, "not-taken-up") == 1), "who got it then has an hour as well");
}

#[test]
fn what_nobody_else_can_have_waits_in_the_queue_and_goes_not_back_to_who_let_it_lie() {
    on_both(|database| {
        let zoe = "{ person = \"zoe\", skills = [\"vpn\", \"wifi\", \"voip\"] }";
        let (desk, dir) = with_teams(database, |text| {
            let line = "id = \"network\"\n";
            assert!(text.contains(line) && text.contains(zoe));
            text.replace(line, &format!("{line}take-up-within = \"1h\"\ncalendar = \"always\"\n"))
                .replace(zoe, "{ person = \"zoe\", available = false }")
        });
        let key = incident(&desk.as_role("amara"), "VPN is down");
        assert_eq!(with(&desk, &key), "akira");
        for _ in 0..3 {
            desk.advance(SignedDuration::from_mins(61));
            assert_eq!(with(&desk, &key), Value::Null, "the queue has it, and not the one who let it lie");
        }
        assert_eq!((count(&desk, &key, "not-taken-up"), count(&desk, &key, "assigned")), (1, 1));
        let file = dir.path().join("teams.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("{ person = \"zoe\", available = false }", zoe)).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!(with(&desk, &key), "zoe", "another has come");
    });
}

/// More tickets wait for a full team than the desk looks at together, all before the one of another team.
#[test]
fn a_full_team_with_a_long_queue_keeps_no_other_team_from_its_tickets() {
    on_both(|database| {
        let (paul, away) = ("{ person = \"paul\", skills", "{ person = \"paul\", available = false, skills");
        let (desk, dir) = with_teams(database, |text| {
            let others = [("emma", "windows"), ("zoe", "vpn")];
            let gone = |text: String, (person, skill): &(&str, &str)| {
                let here = format!("{{ person = \"{person}\", skills = [\"{skill}\"");
                assert!(text.contains(&here), "{here}");
                text.replace(&here, &here.replace("skills", "available = false, skills"))
            };
            let text = others.iter().fold(text, gone).replace(paul, away);
            text.replace("{ person = \"akira\", skills", "{ person = \"akira\", capacity = 1, skills")
        });
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let queue: Vec<String> = (0..102).map(|n| incident(&amara, &format!("VPN {n}"))).collect();
        let printer = incident(&amara, "Printer");
        let theirs = json!({ "team": "desktop", "ask_rules": false, "reason": "theirs" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{printer}"), &theirs).expect(200);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!([with(&desk, &queue[101]), with(&desk, &printer)], [Value::Null, Value::Null]);
        let file = dir.path().join("teams.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(away, paul)).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!([with(&desk, &queue[101]), with(&desk, &printer)], [Value::Null, json!("paul")]);
    });
}

/// A ticket that waits for its requester weighs half: by load, and within what a member may have.
#[test]
fn what_waits_for_the_requester_weighs_half() {
    on_both(|database| {
        let paul = "{ person = \"paul\", skills";
        let (desk, _dir) = with_teams(database, |text| text.replace(paul, "{ person = \"paul\", capacity = 2, skills"));
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let give = || {
            let key = incident(&amara, "Printer");
            let body = json!({ "team": "desktop", "reason": "theirs" });
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &body).expect(200);
            (with(&desk, &key), key)
        };
        let given: Vec<(Value, String)> = (0..4).map(|_| give()).collect();
        let count = |person: &str| given.iter().filter(|(who, _)| who == person).count();
        assert_eq!((count("emma"), count("paul")), (2, 2), "{given:?}");
        assert_eq!(give().0, "emma", "two are his most");
        // One of his two waits: he has one and a half, and room for another.
        let his = &given.iter().find(|(who, _)| who == "paul").unwrap().1;
        step(&kofi, his, &json!({ "to": "waiting_requester", "reason": "which printer?" })).expect(200);
        assert_eq!(give().0, "paul", "one and a half against three");
        assert_eq!(give().0, "emma", "two and a half are more than his most");
        super::comment(&amara, his, "The one at the window.").expect(201);
        assert_eq!(give().0, "emma", "three are, too");
        desk.do_what_is_due();
    });
}
