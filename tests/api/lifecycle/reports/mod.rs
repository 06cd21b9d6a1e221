//! Reports, computed from what happened.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{incident, step};
use crate::support::client::{Client, resolved};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

mod survey;

fn sum(rows: &Value, column: &str) -> i64 {
    rows.as_array().unwrap().iter().map(|row| row[column].as_i64().unwrap()).sum()
}

#[test]
fn resolutions_without_the_requesters_word_are_counted_apart() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let (from, to) = (day(-2), day(20));
        let report = |client: &Client, name: &str, more: &str| {
            client.get(&format!("/api/v1/reports/{name}?from={from}&to={to}{more}"))
        };
        let [confirmed, disputed, silent, left] =
            ["one", "two", "three", "four"].map(|subject| incident(&amara, subject));
        for key in [&confirmed, &disputed, &silent] {
            step(&kofi, key, &resolved()).expect(200);
        }
        step(&amara, &confirmed, &json!({ "to": "closed" })).expect(200);
        step(&amara, &disputed, &json!({ "to": "reopened", "reason": "no" })).expect(200);
        desk.advance(SignedDuration::from_hours(24 * 6));
        let ends = report(&kofi, "resolutions", "").expect(200);
        let expected = json!([{ "group": "", "resolutions": 3, "confirmed": 1, "unanswered": 1, "disputed": 1, "taken-up": 0,
            "open": 0, "reopened-share": 0.333 }]);
        assert_eq!(ends, expected);
        let volume = report(&kofi, "volume", "&by=category").expect(200);
        let sums = ["created", "resolved", "closed"].map(|column| sum(&volume, column));
        assert_eq!(sums, [4, 3, 2], "also the resolution that was disputed: {volume}");
        assert_eq!(volume[0]["group"], "network.vpn");
        let backlog = report(&kofi, "backlog", "&by=team").expect(200);
        let row = &backlog[0];
        assert_eq!((&row["unfinished"], &row["under-3-days"], &row["under-7-days"]), (&json!(2), &json!(0), &json!(2)));
        assert_eq!(row["group"], "network", "{left} and {disputed}");
        let kept = report(&kofi, "sla-attainment", "&by=priority").expect(200);
        let of = |clock: &str| kept.as_array().unwrap().iter().find(|row| row["clock"] == clock).cloned().unwrap();
        assert_eq!((&of("first-response")["kept"], &of("first-response")["broken"]), (&json!(3), &json!(1)));
        assert_eq!(of("resolution")["kept"], 2);
        let csv = report(&kofi, "sla-attainment", "&format=csv");
        assert_eq!((csv.status, csv.media_type.as_str()), (200, "text/csv; charset=utf-8"));
        assert!(csv.text.starts_with("group,clock,settled,kept,broken,kept-share\r\n"), "{}", csv.text);
        assert_eq!(report(&amara, "volume", "").status, 403);
        assert_eq!(report(&kofi, "none", "").status, 404);
        assert_eq!(report(&kofi, "volume", "&by=body").status, 400);
        assert_eq!(kofi.get("/api/v1/reports/volume?from=2026-02-02&to=2026-02-01").status, 422);
    });
}

/// A day is the desk's own: in two zones that never share a date, a ticket of one instant is of two days.
#[test]
fn a_report_counts_by_the_days_of_the_desk_s_zone() {
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let berlin = "time-zone = \"Europe/Berlin\"";
        let there = |text: String| text.replacen(berlin, &format!("time-zone = \"{zone}\""), 1);
        let desk = House::with_settings(Database::Sqlite, example_rules(), there);
        let kofi = desk.as_role("kofi");
        incident(&desk.as_role("amara"), "one");
        let local = desk.clock.now().in_tz(zone).unwrap().date();
        let (from, to) = (local.yesterday().unwrap(), local.tomorrow().unwrap());
        let volume = kofi.get(&format!("/api/v1/reports/volume?from={from}&to={to}")).expect(200);
        let days: Vec<&Value> = volume.as_array().unwrap().iter().filter(|row| row["created"] == 1).collect();
        assert_eq!((days.len(), &days[0]["day"]), (1, &json!(local.to_string())), "{zone}: {volume}");
        let other = kofi.get(&format!("/api/v1/reports/volume?from={from}&to={from}")).expect(200);
        assert_eq!(sum(&other, "created"), 0, "not the day before: {other}");
    }
}

/// How much came in that no rule could name: the categories that only say so stand apart in each report by category.
#[test]
fn a_report_by_category_says_how_much_is_under_other() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        incident(&amara, "VPN is down");
        let vague = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": {} });
        for _ in 0..2 {
            amara.post("/api/v1/tickets", &vague).expect(201);
        }
        let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let path = format!("/api/v1/reports/volume?from={}&to={}&by=category", day(-1), day(1));
        let volume = kofi.get(&path).expect(200);
        let of = |group: &str| {
            let rows = volume.as_array().unwrap().iter().filter(|row| row["group"] == group);
            rows.map(|row| row["created"].as_i64().unwrap()).sum::<i64>()
        };
        assert_eq!((of("miscellaneous"), of("network.vpn")), (2, 1), "{volume}");
    });
}

const REPORTS: [&str; 13] = [
    "volume",
    "backlog",
    "backlog-over-time",
    "sla-attainment",
    "time-taken",
    "resolutions",
    "deflection",
    "satisfaction",
    "handling-time",
    "first-contact",
    "handovers",
    "sla-events",
    "corrections",
];
const BY: [&str; 8] = ["", "category", "team", "assignee", "priority", "channel", "request_type", "state"];
/// Columns that count, so that those of the groups add up.
static COUNTS: [&str; 11] = [
    "created",
    "resolved",
    "closed",
    "unfinished",
    "resolutions",
    "confirmed",
    "disputed",
    "kept",
    "answers",
    "minutes",
    "started",
];

/// A desk to which each kind of thing that is counted has happened.
fn much_has_happened(desk: &House) {
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let [confirmed, disputed, moved] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
    let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": { "topic": "other" } });
    amara.post("/api/v1/tickets", &body).expect(201);
    for key in [&confirmed, &disputed] {
        kofi.post(&format!("/api/v1/tickets/{key}/time"), &json!({ "minutes": 10 })).expect(200);
        step(&kofi, key, &resolved()).expect(200);
    }
    step(&amara, &confirmed, &json!({ "to": "closed" })).expect(200);
    amara.put(&format!("/api/v1/tickets/{confirmed}/survey"), &json!({ "score": 4 })).expect(200);
    step(&amara, &disputed, &json!({ "to": "reopened", "reason": "no" })).expect(200);
    let edit = json!({ "team": "desktop", "priority": "low", "reason": "It is the computer" });
    kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{moved}"), &edit).expect(200);
    desk.advance(SignedDuration::from_hours(1));
}

/// The file has the columns and lines of the rows, and the page stands by itself.
fn says_the_same(rows: &Value, csv: &str, page: &str, which: &str) {
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + rows.as_array().unwrap().len(), "{which}: {csv}");
    if let Some(row) = rows[0].as_object() {
        let mut columns: Vec<&str> = lines[0].split(',').collect();
        columns.sort_unstable();
        let mut keys: Vec<&str> = row.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(columns, keys, "{which}");
        assert!(page.contains("<td"), "{which}: {page}");
    }
    assert!(!page.contains("<script") && !page.contains(" src="), "{which}: {page}");
}

/// A file can be read by a program, a page by a person, and both say what the interface says; and by each column the groups make the
/// whole.
#[test]
fn every_report_comes_by_every_column_and_in_every_form_and_its_groups_make_the_whole() {
    on_both(|database| {
        let desk = House::demo(database);
        much_has_happened(&desk);
        let kofi = desk.as_role("kofi");
        let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let read = |name: &str, by: &str, form: &str| {
            let by = if by.is_empty() { String::new() } else { format!("&by={by}") };
            kofi.get(&format!("/api/v1/reports/{name}?from={}&to={}{by}&format={form}", day(-2), day(2)))
        };
        let mut filled = Vec::new();
        for name in REPORTS {
            let whole = read(name, "", "json").expect(200);
            for by in BY {
                let which = format!("{name} by {by}");
                let rows = read(name, by, "json").expect(200);
                let (csv, page) = (read(name, by, "csv"), read(name, by, "html"));
                says_the_same(&rows, csv.expect_text(200), page.expect_text(200), &which);
                for count in COUNTS.iter().filter(|count| whole[0][**count].is_i64()) {
                    assert_eq!(sum(&rows, count), sum(&whole, count), "{which}: {count}");
                    filled.push(*count);
                }
            }
        }
        let never: Vec<&&str> = COUNTS.iter().filter(|count| !filled.contains(*count)).collect();
        assert!(never.is_empty(), "nothing was counted as {never:?}");
    });
}

/// A ticket is in the list and in the group of each of its tags, and one without tags in none. No other ticket has these.
#[test]
fn reports_by_tag_count_a_ticket_under_each_of_its_tags() {
    on_both(|database| {
        let desk = House::demo(database);
        much_has_happened(&desk);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [both, one] = ["four", "five"].map(|subject| incident(&amara, subject));
        for (key, tags) in [(&both, json!(["licence", "storage"])), (&one, json!(["storage"]))] {
            let edit = json!({ "tags": tags, "reason": "the gateway" });
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &edit).expect(200);
        }
        let list = |more: &str| {
            let page = kofi.get(&format!("/api/v1/tickets?tag=storage{more}")).expect(200);
            let keys =
                page["tickets"].as_array().unwrap().iter().map(|ticket| ticket["key"].as_str().unwrap().to_owned());
            keys.collect::<Vec<_>>()
        };
        assert_eq!(list(""), [both.as_str(), one.as_str()]);
        step(&kofi, &both, &resolved()).expect(200);
        assert_eq!(
            (list(""), list("&sort=number")),
            (vec![one.clone(), both.clone()], vec![both.clone(), one.clone()])
        );
        let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let read = |name: &str, form: &str| {
            let path = format!("/api/v1/reports/{name}?from={}&to={}&by=tag&format={form}", day(-2), day(2));
            kofi.get(&path)
        };
        let of = |rows: &Value, tag: &str, count: &str| {
            let rows = rows.as_array().unwrap().iter().filter(|row| row["group"] == tag);
            rows.map(|row| row[count].as_i64().unwrap()).sum::<i64>()
        };
        let volume = read("volume", "json").expect(200);
        for (tag, created, resolved) in [("licence", 1, 1), ("storage", 2, 1), ("", 0, 0)] {
            let counts = (of(&volume, tag, "created"), of(&volume, tag, "resolved"));
            assert_eq!(counts, (created, resolved), "{tag}: {volume}");
        }
        let backlog = read("backlog", "json").expect(200);
        assert_eq!((of(&backlog, "storage", "unfinished"), of(&backlog, "licence", "unfinished")), (1, 0), "{backlog}");
        let ends = read("resolutions", "json").expect(200);
        assert_eq!((of(&ends, "licence", "resolutions"), of(&ends, "storage", "resolutions")), (1, 1), "{ends}");
        for name in REPORTS {
            let rows = read(name, "json").expect(200);
            let (csv, page) = (read(name, "csv"), read(name, "html"));
            says_the_same(&rows, csv.expect_text(200), page.expect_text(200), name);
        }
    });
}

/// An entry that nothing of ours wrote is left out, and says nothing of all others.
#[test]
fn a_damaged_entry_keeps_no_report_from_being_read() {
    let desk = House::demo(Database::Postgres);
    much_has_happened(&desk);
    let kofi = desk.as_role("kofi");
    let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
    let read = |name: &str| kofi.get(&format!("/api/v1/reports/{name}?from={}&to={}", day(-2), day(2)));
    let before = read("corrections").expect(200).as_array().unwrap().len();
    assert!(sum(&read("handovers").expect(200), "handovers") > 0);
    desk.sql("update timeline set details = '[\"team\",\"' where kind = 'set' and details like '[\"team\",%'");
    assert_eq!(read("handovers").expect(200), json!([]));
    let rest = read("corrections").expect(200).as_array().unwrap().len();
    assert!(0 < rest && rest < before, "all that rules said but of teams: {rest} of {before}");
    for name in REPORTS {
        read(name).expect(200);
    }
}

/// A part of a time would be passed over without a word.
#[test]
fn a_day_of_a_report_is_a_day() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei");
    for bad in ["2026-03-29T02:30:00", "2026-02-30", "x", ""] {
        let told = mei.get(&format!("/api/v1/reports/volume?from={bad}&to=2026-04-30")).expect(400);
        assert!(told["detail"].as_str().unwrap().contains("is no day"), "{bad}: {told}");
    }
    mei.get("/api/v1/reports/volume?from=2026-03-29&to=2026-03-29").expect(200);
}

/// A year in days is hundreds of rows, which are read by no one.
#[test]
fn what_came_in_is_counted_by_week_and_by_month_as_well() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let today = |desk: &House| desk.clock.now().to_string()[..10].to_owned();
        let from = today(&desk);
        for (subject, days) in [("one", 7), ("two", 35), ("three", 1)] {
            incident(&amara, subject);
            desk.advance(SignedDuration::from_hours(24 * days));
        }
        let to = today(&desk);
        let read = |more: &str| kofi.get(&format!("/api/v1/reports/volume?from={from}&to={to}{more}"));
        let by_day = read("").expect(200);
        assert!(sum(&by_day, "created") >= 3, "{by_day}");
        for (per, at_least, long) in [("day", 3, 10), ("week", 3, 8), ("month", 2, 7)] {
            let rows = read(&format!("&per={per}")).expect(200);
            for column in ["created", "resolved", "closed"] {
                assert_eq!(sum(&rows, column), sum(&by_day, column), "{per}: {rows}");
            }
            assert!(rows.as_array().unwrap().len() >= at_least, "{per}: {rows}");
            assert_eq!(rows[0][per].as_str().unwrap().len(), long, "{per}: {rows}");
            let csv = read(&format!("&per={per}&format=csv"));
            assert!(csv.expect_text(200).starts_with(&format!("{per},group,created")), "{}", csv.text);
        }
        assert_eq!(read("&per=day").expect(200), by_day);
        let months = read("&per=month&by=team&format=html");
        assert!(months.expect_text(200).contains(&from[..7]), "{}", months.text);
        assert_eq!(read("&per=year").status, 400);
        assert_eq!(kofi.get(&format!("/api/v1/reports/backlog?from={from}&to={to}&per=week")).status, 400);
    });
}

/// For scripts and spreadsheets.
#[test]
fn a_report_is_printed_at_a_shell_in_each_form() {
    let desk = House::demo(Database::Sqlite);
    incident(&desk.as_role("amara"), "one");
    let today = desk.clock.now().in_tz("Europe/Berlin").unwrap().date().to_string();
    let days = ["--from", today.as_str(), "--to", today.as_str()];
    let ask = |person: &str, more: &[&str]| {
        desk.asked(person, &[["reports", "volume"].as_slice(), days.as_slice(), more].concat())
    };
    let printed = |more: &[&str]| {
        let output = ask("kofi", more);
        assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let address = format!("/api/v1/reports/volume?from={today}&to={today}");
    let kofi = desk.as_role("kofi");
    assert_eq!(printed(&[]), kofi.get(&format!("{address}&format=csv")).expect_text(200));
    let json: Value = serde_json::from_str(&printed(&["--by", "team", "--per", "week", "--format", "json"])).unwrap();
    assert_eq!(json, kofi.get(&format!("{address}&by=team&per=week")).expect(200));
    assert!(printed(&["--format", "html", "--per", "month"]).starts_with("<!doctype html>"));
    for bad in [&["--per", "year"], &["--by", "body"]] {
        assert_eq!(ask("kofi", bad.as_slice()).status.code(), Some(2), "{bad:?}");
    }
    let refused = ask("amara", &[]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0), "requesters read no reports");
}

/// The team that a ticket comes back to may have had it before the period, such as in the year before.
#[test]
fn a_ticket_comes_back_also_to_a_team_that_had_it_before_the_period() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "one");
        let path = format!("/api/v1/tickets/{key}");
        let team = kofi.get(&path).expect(200)["team"].as_str().unwrap().to_owned();
        let goes_to = |team: &str| {
            let edit = json!({ "team": team, "reason": "theirs" });
            kofi.with("if-match", "*").patch(&path, &edit).expect(200);
        };
        let today = || desk.clock.now().in_tz("Europe/Berlin").unwrap().date();
        let came_back = |day: jiff::civil::Date| {
            let rows = kofi.get(&format!("/api/v1/reports/handovers?from={day}&to={day}")).expect(200);
            sum(&rows, "came-back")
        };
        let first = today();
        goes_to("desktop");
        desk.advance(SignedDuration::from_hours(48));
        goes_to(&team);
        assert_eq!([came_back(first), came_back(today())], [0, 1]);
    });
}

/// Up to today: of days to come nothing is known.
#[test]
fn the_backlog_of_each_day_follows_from_what_came_and_what_ended() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let today = || desk.clock.now().in_tz("Europe/Berlin").unwrap().date();
        let (from, to) = (today(), today().checked_add(jiff::Span::new().days(9)).unwrap());
        let read = |name: &str, more: &str| {
            let path = format!("/api/v1/reports/{name}?from={from}&to={to}&by=request_type{more}");
            let rows = kofi.get(&path).expect(200);
            let own = rows.as_array().unwrap().iter().filter(|row| row["group"] == "incident").cloned();
            own.collect::<Vec<Value>>()
        };
        let unfinished =
            |rows: Vec<Value>| rows.iter().map(|row| row["unfinished"].as_i64().unwrap()).collect::<Vec<_>>();
        let [ended, came_back] = ["one", "two"].map(|subject| incident(&amara, subject));
        desk.advance(SignedDuration::from_hours(24));
        for key in [&ended, &came_back] {
            step(&kofi, key, &resolved()).expect(200);
        }
        step(&amara, &came_back, &json!({ "to": "reopened", "reason": "no" })).expect(200);
        desk.advance(SignedDuration::from_hours(24));
        incident(&amara, "three");
        let rows = read("backlog-over-time", "");
        assert_eq!(rows[0]["day"], from.to_string());
        assert_eq!(unfinished(rows), [2, 1, 2]);
        assert_eq!(unfinished(read("backlog", "")), [2], "the last day is as things stand");
        assert_eq!(unfinished(read("backlog-over-time", "&per=month")).last(), Some(&2));
        let by_week = unfinished(read("backlog-over-time", "&per=week"));
        assert!(by_week.len() <= 2 && by_week.last() == Some(&2), "the last week is as its last day: {by_week:?}");
    });
}

/// A day that is over is counted by what happened on it, and not by how tickets stand now.
#[test]
fn a_ticket_that_comes_back_changes_nothing_of_the_days_before() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let today = || desk.clock.now().in_tz("Europe/Berlin").unwrap().date();
        let day = SignedDuration::from_hours(24);
        let (from, to) = (today(), today().checked_add(jiff::Span::new().days(9)).unwrap());
        let read = |name: &str, from: jiff::civil::Date, more: &str| {
            kofi.get(&format!("/api/v1/reports/{name}?from={from}&to={to}{more}")).expect(200)
        };
        // Of each day from the first, that of this column.
        let of_days = |name: &str, from: jiff::civil::Date, column: &str| {
            let rows = read(name, from, "&by=request_type");
            let own = rows.as_array().unwrap().iter().filter(|row| row["group"] == "incident");
            own.map(|row| row[column].as_i64().unwrap()).collect::<Vec<i64>>()
        };
        let key = incident(&amara, "one");
        desk.advance(day);
        step(&kofi, &key, &resolved()).expect(200);
        desk.advance(day);
        let within = today();
        assert_eq!(of_days("backlog-over-time", from, "unfinished"), [1, 0, 0]);
        step(&amara, &key, &json!({ "to": "reopened", "reason": "no" })).expect(200);
        assert_eq!(of_days("backlog-over-time", from, "unfinished"), [1, 0, 1]);
        assert_eq!(of_days("backlog-over-time", within, "unfinished"), [1], "once, where it was resolved before");
        assert_eq!(of_days("volume", from, "resolved"), [0, 1]);
        desk.advance(day);
        let edit = json!({ "assignee": "zoe", "reason": "hers" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &edit).expect(200);
        step(&kofi, &key, &resolved()).expect(200);
        assert_eq!(of_days("backlog-over-time", from, "unfinished"), [1, 0, 1, 0]);
        assert_eq!(of_days("volume", from, "resolved"), [0, 1, 1]);
        for name in ["resolutions", "first-contact"] {
            let rows = read(name, from, "&by=assignee");
            let groups: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["group"]).collect();
            assert_eq!(groups, [&json!("kofi")], "who resolved it, and not who has it: {name} {rows}");
        }
        assert_eq!(sum(&read("resolutions", from, "&by=assignee"), "resolutions"), 2);
    });
}

/// The clock of its host may be set back between the two.
#[test]
fn a_ticket_that_comes_back_before_its_resolution_by_the_clock_is_unfinished_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let from = desk.clock.now().in_tz("Europe/Berlin").unwrap().date();
        let key = incident(&amara, "one");
        desk.advance(SignedDuration::from_hours(24));
        step(&kofi, &key, &resolved()).expect(200);
        desk.clock.advance(SignedDuration::from_hours(-24));
        step(&amara, &key, &json!({ "to": "reopened", "reason": "no" })).expect(200);
        desk.advance(SignedDuration::from_hours(24));
        let to = desk.clock.now().in_tz("Europe/Berlin").unwrap().date();
        let rows = kofi.get(&format!("/api/v1/reports/backlog-over-time?from={from}&to={to}")).expect(200);
        let unfinished: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["unfinished"].clone()).collect();
        assert_eq!(unfinished, [1, 1], "{rows}");
    });
}
