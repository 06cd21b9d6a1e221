//! A team's own agreement with the others: it runs while the team has a ticket, and no requester reads of it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{incident, promise, step, watched};
use crate::support::client::{Client, resolved};
use crate::support::place::on_both;

/// `teams.toml` with a time within which a team is done with its tickets.
fn agreed(text: &str, team: &str, within: &str) -> String {
    let line = format!("id = \"{team}\"\n");
    assert!(text.contains(&line), "{team}");
    text.replace(&line, &format!("{line}resolution = \"{within}\"\ncalendar = \"always\"\n"))
}

#[test]
fn a_team_s_own_agreement_runs_while_it_has_the_ticket_and_begins_anew_with_the_next_team() {
    on_both(|database| {
        let desk = watched(database, "");
        let teams = desk.settings().with_file_name("teams.toml");
        let text = std::fs::read_to_string(&teams).unwrap();
        std::fs::write(&teams, agreed(&agreed(&text, "network", "4h"), "desktop", "1h")).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let own = || promise(&kofi, &key, "team-resolution");
        let stands = || {
            let own = own();
            let number = |name: &str| own[name].as_i64().unwrap();
            (own["state"].as_str().unwrap().to_owned(), number("used_minutes"), number("target_minutes"))
        };
        assert_eq!(stands(), ("running".to_owned(), 0, 240));
        desk.advance(SignedDuration::from_mins(60));
        step(&kofi, &key, &json!({ "to": "waiting_requester" })).expect(200);
        desk.advance(SignedDuration::from_hours(5));
        assert_eq!(stands(), ("paused".to_owned(), 60, 240), "the requester's time is not the team's");
        step(&kofi, &key, &json!({ "to": "in_progress" })).expect(200);
        desk.advance(SignedDuration::from_mins(60));
        assert_eq!((stands(), &own()["alerted_percent"]), (("running".to_owned(), 120, 240), &json!(50)));

        let hand = json!({ "team": "desktop", "reason": "It is the computer" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &hand).expect(200);
        assert_eq!(stands(), ("running".to_owned(), 0, 60), "what the others have used is not theirs");
        desk.advance(SignedDuration::from_mins(61));
        assert_eq!((&own()["broken"], &own()["alerted_percent"]), (&json!(true), &json!(100)));
        step(&kofi, &key, &resolved()).expect(200);
        assert_eq!(stands().0, "met");

        let of_team = |client: &Client, path: &str| -> Vec<Value> {
            let all = client.get(&format!("/api/v1/tickets/{key}/{path}")).expect(200);
            let is_it = |one: &&Value| [&one["clock"], &one["details"]["clock"]].contains(&&json!("team-resolution"));
            all.as_array().unwrap().iter().filter(is_it).cloned().collect()
        };
        let events: Vec<Value> = of_team(&kofi, "promises/events").iter().map(|event| event["event"].clone()).collect();
        assert_eq!(events, ["start", "pause", "resume", "cancel", "start", "breach", "meet"]);
        let shares = of_team(&kofi, "timeline");
        let shares: Vec<&Value> = shares.iter().map(|entry| &entry["details"]["percent"]).collect();
        assert_eq!(shares, ["50", "50", "100"], "each team's shares, each once");
        for path in ["promises", "promises/events", "timeline"] {
            let hers = of_team(&amara, path);
            assert!(hers.is_empty(), "{path}: a requester is promised the ticket, not a part of it: {hers:?}");
        }
        let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let kept = kofi.get(&format!("/api/v1/reports/sla-attainment?from={}&to={}", day(-3), day(2))).expect(200);
        let row = kept.as_array().unwrap().iter().find(|row| row["clock"] == "team-resolution").unwrap();
        assert_eq!((&row["settled"], &row["kept"], &row["broken"]), (&json!(1), &json!(0), &json!(1)), "{kept}");
    });
}
