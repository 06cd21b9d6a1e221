//! Work that comes again by the calendar: tickets that are opened and reports that are sent, each once.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::smtp::Relay;
use crate::support::place::on_both;

const TICKET: &str = r#"
[[recurring-ticket]]
id = "backups"
request-type = "question"
requester = "mei"
subject = "Check the backups of {date}"
body = "Read the log of {date} and say what is missing."
fields = { topic = "other" }
every = "day"
at = "07:00"
"#;

const REPORT: &str = r#"
[[report-by-mail]]
id = "weekly"
report = "volume"
by = "team"
per = "week"
over = "day"
to = ["mei", "kofi"]
every = "day"
at = "07:00"
"#;

fn subjects(desk: &House) -> Vec<String> {
    let found = desk.as_role("kofi").get("/api/v1/tickets?limit=200").expect(200);
    let subject = |ticket: &Value| ticket["subject"].as_str().unwrap().to_owned();
    found["tickets"].as_array().unwrap().iter().map(subject).collect()
}

#[test]
fn a_ticket_comes_again_each_day_once_on_any_number_of_hosts_and_after_an_outage() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text + TICKET);
        desk.do_what_is_due();
        assert_eq!(subjects(&desk), [""; 0], "nothing is made up for that was before the entry");
        // Four at once look at what is due after some days without a desk.
        desk.clock.advance(SignedDuration::from_hours(72));
        std::thread::scope(|scope| {
            let looks: Vec<_> = (0..4).map(|_| scope.spawn(|| desk.do_what_is_due())).collect();
            looks.into_iter().for_each(|look| _ = look.join().unwrap());
        });
        let made = subjects(&desk);
        let distinct: BTreeSet<&String> = made.iter().collect();
        assert!((3..=4).contains(&made.len()) && distinct.len() == made.len(), "one for each day: {made:?}");
        let count = made.len();
        let desk = desk.cut_off_and_restart();
        desk.do_what_is_due();
        assert_eq!(subjects(&desk).len(), count, "none again");
        let all = desk.as_role("mei").get("/api/v1/schedules").expect(200);
        assert_eq!(
            (&all[0]["name"], &all[0]["last_error"]),
            (&Value::from("ticket:backups"), &Value::from("")),
            "{all}"
        );
        assert!(all[0]["next_at"].is_string(), "{all}");
        assert_eq!(desk.as_role("kofi").get("/api/v1/schedules").status, 403);
        let first = desk.as_role("mei").get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!((&first["requester"], &first["channel"]), (&Value::from("mei"), &Value::from("recurring")));
        steps(&desk, count);
    });
}

/// An administrator has the next one made before its time, stops what comes again, and lets it come again from then on.
fn steps(desk: &House, count: usize) {
    let mei = desk.as_role("mei");
    let path = "/api/v1/schedules/ticket:backups";
    let step = |step: &str| mei.post(&format!("{path}/{step}"), &json!({ "why": "the holidays" }));
    let next = mei.get("/api/v1/schedules").expect(200)[0]["next_at"].clone();
    assert_eq!(desk.as_role("kofi").post(&format!("{path}/pause"), &json!({ "why": "x" })).status, 403);
    assert_eq!(mei.post(&format!("{path}/pause"), &json!({ "why": " " })).expect(422)["problems"][0]["field"], "why");
    assert_eq!(step("stop").status, 404);
    assert_eq!(mei.get("/api/v1/schedules/ticket:none/runs").status, 404);

    assert_eq!(step("run-next").expect(200)["wanted"], true);
    desk.do_what_is_due();
    assert_eq!(subjects(desk).len(), count + 1, "before its time");
    let runs = mei.get(&format!("{path}/runs")).expect(200);
    assert_eq!((&runs[0]["at"], runs.as_array().unwrap().len()), (&next, count + 1), "{runs}");
    let output = desk.command(&["jobs", "schedules", "pause", "ticket:backups", "--why", "the holidays"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("ticket:backups") && said.contains("paused since"), "{output:?}");
    assert_eq!(step("run-next").expect(422)["problems"][0]["code"], "paused");
    desk.advance(SignedDuration::from_hours(72));
    assert_eq!(subjects(desk).len(), count + 1, "nothing comes of it");
    assert!(step("resume").expect(200)["next_at"].is_string());
    desk.do_what_is_due();
    assert_eq!(subjects(desk).len(), count + 1, "and nothing is made up for");
    desk.advance(SignedDuration::from_hours(24));
    assert_eq!(subjects(desk).len(), count + 2, "from then on it comes again");
}

#[test]
fn a_report_is_sent_to_each_person_once_as_a_page_and_as_a_table() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = House::with_settings(database, example_rules(), |text| text + &relay.settings() + REPORT);
        desk.as_role("kofi")
            .put("/api/v1/preferences", &json!({ "delivery": "immediately", "locale": "de" }))
            .expect(200);
        desk.do_what_is_due();
        desk.advance(SignedDuration::from_hours(24));
        desk.do_what_is_due();
        let of =
            |person: &str| relay.taken().into_iter().filter(|taken| taken.to.starts_with(person)).collect::<Vec<_>>();
        let (mei, kofi) = (of("mei"), of("kofi"));
        assert!((1..=2).contains(&mei.len()) && mei.len() == kofi.len(), "{} and {}", mei.len(), kofi.len());
        let letter = &mei[0];
        assert!(letter.header("Subject").contains("Volume"), "{}", letter.text);
        assert!(letter.text.contains("text/csv") && letter.text.contains("multipart/mixed"), "{}", letter.text);
        assert!(letter.text.contains("volume-") && letter.text.contains(".csv"), "{}", letter.text);
        // As it is, or in base64.
        let by_week = ["week,group,created", "d2Vlayxncm91cCxjcmVhdGVk"];
        assert!(by_week.iter().any(|head| letter.text.contains(head)), "{}", letter.text);
        // Each in the language of its reader: the words, and the page that comes with them.
        let german = &kofi[0];
        let subject = german.header("Subject");
        assert!(subject.contains("Aufkommen, ") && subject.contains(" bis "), "{subject}");
        let (_, last) = subject.split_once(" bis ").unwrap();
        let form: String = last.chars().take(10).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(form, "00.00.0000", "{subject}");
        let page = ["<html lang=\"de\">", "<html lang=3D\"de\">", "PCFkb2N0eXBlIGh0bWw+CjxodG1sIGxhbmc9ImRl"];
        let has_page = |text: &str| page.iter().any(|beginning| text.contains(beginning));
        assert!(has_page(&german.text) && !has_page(&letter.text), "{}", german.text);
        let ids: BTreeSet<String> = mei.iter().chain(&kofi).map(|letter| letter.header("Message-ID")).collect();
        assert_eq!(ids.len(), mei.len() + kofi.len(), "each is a letter of its own");
    });
}
