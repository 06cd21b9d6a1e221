//! Logs of states, a row for each event: each legal history is lived through again, and its promises are what a person with a calendar
//! counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::support::components::root;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// The words of the log, and the states that they are here.
const WORDS: [(&str, &str); 6] = [
    ("New", "new"),
    ("Active", "in_progress"),
    ("Awaiting User Info", "waiting_requester"),
    ("Awaiting Problem", "waiting_vendor"),
    ("Resolved", "resolved"),
    ("Closed", "closed"),
];

/// One event: of which ticket, when by the wall's clock, and the word of its state.
type Event = (String, DateTime, &'static str);

/// Histories of sixty tickets around the change to summer time, in no order: each begins as new and is closed, some come back once.
fn made_up() -> Vec<Event> {
    let mut seed = 42_u64;
    let mut below = |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % most
    };
    let mut all = Vec::new();
    for ticket in 0..60 {
        let begun: DateTime = "2026-03-23T00:00".parse().unwrap();
        let mut at = begun.saturating_add(jiff::Span::new().minutes(below(6 * 1_440) as i64));
        let mut state = "New";
        all.push((format!("INC{ticket:04}"), at, state));
        let mut came_back = false;
        while state != "Closed" {
            at = at.saturating_add(jiff::Span::new().minutes(1 + below(1_500) as i64));
            let next: &[&'static str] = match state {
                "Resolved" if !came_back => &["Closed", "Closed", "Active"],
                "Resolved" => &["Closed"],
                "New" => &["Active", "Awaiting User Info", "Resolved"],
                "Active" => &["Awaiting User Info", "Awaiting Problem", "Resolved"],
                _ => &["Active", "Resolved", "Awaiting Problem", "Awaiting User Info"],
            };
            let to = next[below(next.len() as u64) as usize];
            came_back |= state == "Resolved";
            state = to;
            all.push((format!("INC{ticket:04}"), at, state));
        }
    }
    all.sort_by_key(|(ticket, at, _)| (ticket.bytes().map(u64::from).sum::<u64>() % 7, *at));
    all
}

/// The minutes that the demo's desk is open between two times of the wall's clock, one by one: it opens from eight to six on the
/// first five days of the week, and has no holiday here. The clock jumps in a night, when it is closed.
fn open_minutes(from: DateTime, to: DateTime) -> i64 {
    let (mut at, mut open) = (from, 0);
    while at < to {
        let works = !matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) && (8..18).contains(&at.hour());
        open += i64::from(works);
        at = at.saturating_add(jiff::Span::new().minutes(1));
    }
    open
}

/// The open time until each ticket was resolved for the last time, but for what its requester and its end took.
fn counted(events: &[Event]) -> BTreeMap<String, i64> {
    let mut histories: BTreeMap<String, Vec<(DateTime, &str)>> = BTreeMap::new();
    for (ticket, at, state) in events {
        histories.entry(ticket.clone()).or_default().push((*at, state));
    }
    let used = |mut history: Vec<(DateTime, &str)>| {
        history.sort_by_key(|(at, _)| *at);
        let runs = |state: &str| matches!(state, "New" | "Active" | "Awaiting Problem");
        history.windows(2).filter(|pair| runs(pair[0].1)).map(|pair| open_minutes(pair[0].0, pair[1].0)).sum()
    };
    histories.into_iter().map(|(ticket, history)| (ticket, used(history))).collect()
}

fn import(desk: &House, file: &std::path::Path, columns: [&str; 3], format: &str) -> (Value, Option<i32>) {
    let maps: Vec<String> =
        [("subject", 0), ("created-at", 1), ("state", 2)].map(|(to, at)| format!("{to}={}", columns[at])).into();
    let values: Vec<String> = WORDS.iter().map(|(from, to)| format!("state:{from}={to}")).collect();
    let mut arguments = vec!["import", file.to_str().unwrap(), "--request-type", "incident", "--requester", "amara"];
    arguments.extend(["--json", "--history", "--log", "--key", columns[0], "--time-format", format]);
    maps.iter().for_each(|map| arguments.extend(["--map", map.as_str()]));
    values.iter().for_each(|value| arguments.extend(["--map-value", value.as_str()]));
    let output = desk.command(&arguments);
    let told = serde_json::from_slice(&output.stdout);
    (told.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.code())
}

/// Each ticket's key by the number that it had.
pub(super) fn keys(desk: &House) -> BTreeMap<String, String> {
    let (kofi, mut found, mut after) = (desk.as_role("kofi"), BTreeMap::new(), String::new());
    loop {
        let page = kofi.get(&format!("/api/v1/tickets?limit=200&sort=number{after}")).expect(200);
        for ticket in page["tickets"].as_array().unwrap() {
            let text = |name: &str| ticket[name].as_str().unwrap().to_owned();
            found.insert(text("subject"), text("key"));
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

/// Compares what the desk says of each promise with what was counted.
fn compare(desk: &House, wanted: &BTreeMap<String, i64>, target: i64) -> usize {
    let (kofi, keys) = (desk.as_role("kofi"), keys(desk));
    let mut broken = 0;
    for (ticket, minutes) in wanted {
        let path = format!("/api/v1/tickets/{}", keys[ticket]);
        let promises = kofi.get(&format!("{path}/promises")).expect(200);
        let one = promises.as_array().unwrap().iter().find(|promise| promise["clock"] == "resolution").unwrap().clone();
        assert_eq!(one["used_minutes"], json!(minutes), "{ticket}: {one}");
        assert_eq!((&one["broken"], &one["state"]), (&json!(*minutes > target), &json!("met")), "{ticket}: {one}");
        broken += usize::from(*minutes > target);
        let events = kofi.get(&format!("{path}/promises/events")).expect(200);
        let breaches =
            events.as_array().unwrap().iter().filter(|e| e["clock"] == "resolution" && e["event"] == "breach");
        assert_eq!(breaches.count(), usize::from(*minutes > target), "{ticket}: {events}");
    }
    broken
}

#[test]
fn each_legal_history_of_a_log_is_lived_through_and_its_promises_are_as_a_person_counts_them() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let events = made_up();
        let mut text = "number,at,state\n".to_owned();
        for (ticket, at, state) in &events {
            writeln!(text, "{ticket},{},{state}", at.strftime("%Y-%m-%d %H:%M")).unwrap();
        }
        // A ticket that is closed comes back, which none can: in the lines 3 and 4 after those.
        let lines = text.lines().count();
        text += "INC9999,2026-03-02 09:00,New\nINC9999,2026-03-02 10:00,Closed\nINC9999,2026-03-02 11:00,Active\n";
        let file = dir.path().join("log.csv");
        std::fs::write(&file, &text).unwrap();
        let (told, ended) = import(&desk, &file, ["number", "at", "state"], "%Y-%m-%d %H:%M");
        assert_eq!((&told["accepted"], ended), (&json!(60), Some(3)), "{told}");
        let rejected = told["rejected"].to_string();
        assert!(
            rejected.contains(&(lines + 3).to_string()) && rejected.contains("closed cannot become in_progress"),
            "{told}"
        );
        let wanted = counted(&events);
        let broken = compare(&desk, &wanted, 24 * 60);
        assert!(broken > 0 && broken < wanted.len(), "{broken} of {} are broken", wanted.len());
        let (again, _) = import(&desk, &file, ["number", "at", "state"], "%Y-%m-%d %H:%M");
        assert_eq!((&again["accepted"], &again["made_before"]), (&json!(0), &json!(60)), "none twice: {again}");
        // Nothing of the past is due now, and no one hears of it.
        assert_eq!(desk.do_what_is_due(), 0);
        let kofi = desk.as_role("kofi");
        let report = kofi.get("/api/v1/reports/sla-events?from=2026-03-01&to=2026-06-30").expect(200);
        let row = report.as_array().unwrap().iter().find(|row| row["clock"] == "resolution").unwrap().clone();
        assert_eq!((&row["started"], &row["broken"]), (&json!(60), &json!(broken)), "{report}");
    });
}

#[test]
fn the_log_of_a_real_desk_is_lived_through() {
    let near = "shared/data/uci_servicenow_incidents/sample_200_incidents.csv";
    let Some(file) = root().ancestors().map(|folder| folder.join(near)).find(|path| path.is_file()) else {
        eprintln!("left out: the log is not near the repository; one that is made up is in the test before");
        return;
    };
    let desk = House::demo(Database::Sqlite);
    let (told, ended) = import(&desk, &file, ["number", "sys_updated_at", "incident_state"], "%d/%m/%Y %H:%M");
    // One of them is logged as new after it was resolved.
    let named = told["rejected"]["rows"].to_string();
    assert_eq!((&told["accepted"], ended), (&json!(199), Some(3)), "{told}");
    assert!(named.contains("359") && named.contains("resolved cannot become new"), "{told}");
    let text = std::fs::read_to_string(&file).unwrap();
    let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let events: Vec<Event> = rows
        .map(|row| {
            let at = jiff::fmt::strtime::parse("%d/%m/%Y %H:%M", row[13]).unwrap().to_datetime().unwrap();
            let word = WORDS.iter().find(|(word, _)| *word == row[1]).unwrap().0;
            (row[0].to_owned(), at, word)
        })
        .collect();
    assert!(TimeZone::get("Europe/Berlin").is_ok());
    let mut wanted = counted(&events);
    wanted.remove(text.lines().nth(358).unwrap().split(',').next().unwrap());
    assert_eq!(wanted.len(), 199);
    compare(&desk, &wanted, 24 * 60);
}
