//! The question how it went: by a link in the letter, or signed in; and what reports make of it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::resolution::always_open;
use super::super::{comment, incident, step};
use crate::support::client::{Client, resolved};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::smtp::Relay;
use crate::support::place::{Database, on_both};

/// The path of the first link to a question in a letter, whose long lines are wrapped (RFC 2045, section 6.7).
fn link(text: &str) -> String {
    let text = text.replace("=\n", "");
    let (_, rest) = text.split_once("/survey/").unwrap_or_else(|| panic!("no link in\n{text}"));
    let end: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    format!("/survey/{end}")
}

#[test]
fn the_letters_before_and_at_the_end_say_what_was_done_and_no_more() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = House::with_settings(database, example_rules(), |text| text + &relay.settings());
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        step(&kofi, &key, &resolved()).expect(200);
        // In steps that come to the reminder before the end.
        (0..12).for_each(|_| desk.advance(SignedDuration::from_hours(12)));
        let letters: Vec<String> = relay.taken().into_iter().map(|taken| taken.text.replace("=\n", "")).collect();
        for words in ["you have not said yet whether that holds", "is closed."] {
            let letter = letters.iter().find(|text| text.contains(words)).unwrap_or_else(|| panic!("{letters:#?}"));
            assert!(letter.contains("What was done: The cable is in again."), "{letter}");
            assert!(!letter.contains("had come off"), "the cause is for those who work here: {letter}");
        }
    });
}

fn report(desk: &House, client: &Client, name: &str, more: &str) -> Value {
    let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
    client.get(&format!("/api/v1/reports/{name}?from={}&to={}{more}", day(-40), day(2))).expect(200)
}

#[test]
fn the_requester_says_how_it_went_by_a_link_that_answers_nothing_when_it_is_only_opened() {
    on_both(|database| {
        let relay = Relay::start();
        let url = "\n[outgoing]\npublic-url = \"https://desk.example/\"\n";
        let desk = House::with_settings(database, example_rules(), |text| text + &relay.settings() + url);
        let (amara, kofi, lena) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("lena"));
        let key = incident(&amara, "VPN is down");
        let path = format!("/api/v1/tickets/{key}/survey");
        assert_eq!(amara.put(&path, &json!({ "score": 5 })).status, 409, "it is not closed");
        step(&kofi, &key, &resolved()).expect(200);
        step(&amara, &key, &json!({ "to": "closed" })).expect(200);
        assert_eq!(amara.get(&path).expect(200)["open"], true);
        // Who closes a ticket hears nothing of it: this one closes by itself.
        let silent = incident(&amara, "VPN was down");
        step(&kofi, &silent, &resolved()).expect(200);
        desk.advance(SignedDuration::from_hours(24 * 6));
        let letter = relay.taken().into_iter().find(|taken| taken.text.contains("/survey/")).unwrap();
        let page = link(&letter.text);
        let stranger = desk.as_role("amara").bearing("none");
        for _ in 0..3 {
            let shown = stranger.get(&page);
            assert_eq!((shown.status, shown.text.contains("VPN was down")), (200, true), "{}", shown.text);
        }
        // As a scanner of mail does, which looks before the person does.
        stranger.with("user-agent", "mail-scanner").send("HEAD", &page, None);
        assert_eq!(report(&desk, &kofi, "satisfaction", ""), json!([]), "looking is no answer");
        let form = stranger.with("sec-fetch-site", "same-origin");
        let send = |path: &str, score: &str| {
            form.send_text(path, &format!("score={score}&comment=Quick."), "application/x-www-form-urlencoded")
        };
        assert_eq!(send(&page, "2").status, 200);
        assert_eq!(send(&page, "9").status, 422);
        assert_eq!(send(&format!("{page}0"), "1").status, 404);
        assert_eq!(stranger.get(&page.replace(".1.", ".2.")).status, 404);
        let foreign = stranger.with("sec-fetch-site", "cross-site");
        assert_ne!(foreign.send_text(&page, "score=1", "application/x-www-form-urlencoded").status, 200);
        assert_eq!(send(&page, "4").status, 200, "one changes one's mind");
        assert_eq!(amara.get(&format!("/api/v1/tickets/{silent}/survey")).expect(200)["comment"], "Quick.");

        for (client, status) in [(&lena, 404), (&kofi, 403)] {
            assert_eq!(client.put(&path, &json!({ "score": 1 })).status, status, "not theirs");
        }
        assert_eq!(amara.put(&path, &json!({ "score": 1, "comment": "It came back." })).expect(200)["score"], 1);
        let row = report(&desk, &kofi, "satisfaction", "&by=category")[0].clone();
        let counted = ["answers", "score-1", "score-2", "score-4"].map(|column| row[column].as_i64().unwrap());
        assert_eq!(
            (counted, &row["satisfied-share"], &row["group"]),
            ([2, 1, 0, 1], &json!(0.5), &json!("network.vpn"))
        );
        desk.advance(SignedDuration::from_hours(25));
        assert_eq!(send(&page, "1").status, 404, "after a day the answer stands");
        assert_eq!(amara.put(&path, &json!({ "score": 5 })).status, 409);
        let timeline = kofi.get(&format!("/api/v1/tickets/{silent}/timeline")).expect(200);
        let answers = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "survey-answered").count();
        assert_eq!(answers, 2, "what was said first stays in the record");
    });
}

/// A link that is opened in two windows, and the portal besides.
#[test]
fn answers_at_one_moment_are_one_answer_and_each_stays_in_the_record() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        step(&kofi, &key, &resolved()).expect(200);
        step(&amara, &key, &json!({ "to": "closed" })).expect(200);
        let path = format!("/api/v1/tickets/{key}/survey");
        let statuses = std::thread::scope(|scope| {
            let say = |score: i64| {
                let (amara, path) = (amara.clone(), path.clone());
                let body = json!({ "score": score, "comment": format!("{score} it is") });
                scope.spawn(move || amara.put(&path, &body).status)
            };
            [1, 2, 3, 4].map(say).map(|one| one.join().unwrap())
        });
        assert_eq!(statuses, [200; 4]);
        let kept = amara.get(&path).expect(200);
        assert_eq!(kept["comment"], format!("{} it is", kept["score"]), "of one of them: {kept}");
        let timeline = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        let said = timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "survey-answered");
        let said: Vec<&str> = said.map(|entry| entry["details"]["score"].as_str().unwrap()).collect();
        assert_eq!((said.len(), said.last().copied()), (4, Some(kept["score"].to_string().as_str())), "{timeline}");
        assert_eq!(report(&desk, &kofi, "satisfaction", "")[0]["answers"], 1);
    });
}

/// Old letters stay with people who have left.
#[test]
fn the_link_of_an_old_letter_shows_nothing_to_a_requester_who_has_left() {
    let relay = Relay::start();
    let url = "\n[outgoing]\npublic-url = \"https://desk.example/\"\n";
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &relay.settings() + url);
    let key = incident(&desk.as_role("amara"), "VPN is down");
    step(&desk.as_role("kofi"), &key, &resolved()).expect(200);
    desk.advance(SignedDuration::from_hours(24 * 6));
    let letter = relay.taken().into_iter().find(|taken| taken.text.contains("/survey/")).unwrap();
    let page = link(&letter.text);
    let browser = desk.stranger().with("sec-fetch-site", "same-origin");
    assert!(browser.get(&page).expect_text(200).contains("VPN is down"));
    let file = desk.settings().with_file_name("people.toml");
    let people = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, people.replacen("id = \"amara\"\n", "id = \"amara\"\nactive = false\n", 1)).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    let shown = browser.get(&page);
    assert!(shown.status == 404 && !shown.text.contains("VPN is down"), "{}", shown.text);
    let sent = browser.send_text(&page, "score=1&comment=Bye.", "application/x-www-form-urlencoded");
    assert_eq!(sent.status, 404);
}

#[test]
fn reports_say_how_long_it_took_what_the_first_contact_solved_and_what_people_corrected() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [first, passed, disputed] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        let edit = |key: &str, body: Value| {
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &body).expect(200);
        };
        for minutes in [10, 20] {
            kofi.post(&format!("/api/v1/tickets/{first}/time"), &json!({ "minutes": minutes })).expect(200);
        }
        kofi.post(&format!("/api/v1/tickets/{passed}/time"), &json!({ "minutes": 30 })).expect(200);
        for team in ["service-desk", "network", "service-desk"] {
            edit(&passed, json!({ "team": team, "reason": "whose is it?" }));
        }
        edit(&disputed, json!({ "category": "network.wifi", "reason": "it is the radio" }));
        for key in [&first, &passed, &disputed] {
            step(&kofi, key, &resolved()).expect(200);
        }
        step(&amara, &disputed, &json!({ "to": "reopened", "reason": "no" })).expect(200);
        let handling = report(&desk, &kofi, "handling-time", "");
        assert_eq!(handling, json!([{ "group": "", "tickets": 2, "minutes": 60, "minutes-per-ticket": 30 }]));
        let of_people = report(&desk, &kofi, "handling-time", "&by=assignee");
        let his = json!([{ "group": "kofi", "tickets": 2, "minutes": 60, "minutes-per-ticket": 30 }]);
        assert_eq!(of_people, his, "he worked, on tickets that others have");
        let contact = report(&desk, &kofi, "first-contact", "");
        assert_eq!(
            contact,
            json!([{ "group": "", "resolved": 3, "by-first-contact": 1, "first-contact-share": 0.333 }])
        );
        let moves = report(&desk, &kofi, "handovers", "");
        assert_eq!(moves, json!([{ "group": "", "tickets": 1, "handovers": 3, "came-back": 1 }]));
        let corrections = report(&desk, &kofi, "corrections", "");
        let of = |field: &str| {
            let rows = corrections.as_array().unwrap();
            rows.iter().find(|row| row["field"] == field && row["decided"] == 3).cloned().unwrap_or_default()
        };
        assert_eq!(
            (&of("category")["corrected"], &of("category")["found-none"]),
            (&json!(1), &json!(0)),
            "{corrections}"
        );
        assert_eq!(
            (&of("team")["corrected"], &of("team")["agreed-share"]),
            (&json!(1), &json!(0.666)),
            "{corrections}"
        );
        assert!(of("category")["version"].as_str().is_some_and(|version| !version.is_empty()), "{corrections}");
        // By team, and by channel, the same decisions are in the groups of their tickets.
        for (by, groups) in [("team", ["network", "service-desk"].as_slice()), ("channel", ["api"].as_slice())] {
            let grouped = report(&desk, &kofi, "corrections", &format!("&by={by}"));
            let of_team = grouped.as_array().unwrap().iter().filter(|row| row["field"] == "team");
            let found: Vec<(&str, i64)> =
                of_team.map(|row| (row["group"].as_str().unwrap(), row["decided"].as_i64().unwrap())).collect();
            assert_eq!(found.iter().map(|(group, _)| *group).collect::<Vec<_>>(), groups, "{grouped}");
            assert_eq!(found.iter().map(|(_, decided)| decided).sum::<i64>(), 3, "{grouped}");
        }
        // Days of reports are those of the organisation.
        let day = desk.clock.now().in_tz("Europe/Berlin").unwrap().date();
        let page = kofi.get(&format!("/api/v1/reports/volume?from={day}&to={day}&format=html"));
        assert_eq!((page.status, page.media_type.as_str()), (200, "text/html; charset=utf-8"));
        assert!(page.text.contains("<svg") && !page.text.contains("<script"), "{}", page.text);
    });
}

/// How long requesters waited for a first answer and for the solution: the mean, and how many waited how long.
#[test]
fn a_report_says_how_long_the_first_answer_and_the_resolution_took() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), always_open);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [slow, quick, open] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        step(&kofi, &quick, &resolved()).expect(200);
        desk.advance(SignedDuration::from_mins(30));
        comment(&kofi, &slow, "I look at it.").expect(201);
        desk.advance(SignedDuration::from_hours(5));
        step(&kofi, &slow, &resolved()).expect(200);
        let rows = report(&desk, &kofi, "time-taken", "");
        let of = |clock: &str| {
            let row = rows.as_array().unwrap().iter().find(|row| row["clock"] == clock);
            let row = row.unwrap_or_else(|| panic!("{clock}: {rows}"));
            ["met", "mean-minutes", "under-1-hour", "under-4-hours", "under-8-hours", "under-24-hours", "longer"]
                .map(|column| row[column].as_i64().unwrap())
        };
        assert_eq!(of("first-response"), [2, 15, 2, 0, 0, 0, 0], "{rows}");
        assert_eq!(of("resolution"), [2, 165, 1, 0, 1, 0, 0], "{rows}: {open} is not solved yet");
        let by_type = report(&desk, &kofi, "time-taken", "&by=request_type");
        assert!(by_type.as_array().unwrap().iter().all(|row| row["group"] == "incident"), "{by_type}");
    });
}
