//! Tickets that people get and leave untouched: how often they go round, and from when on that counts.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{count, incident};
use crate::api::lifecycle::handover::{with, with_teams};
use crate::support::place::{Database, on_both};

/// Two who do nothing are given a ticket as often as their team allows. Then it stays in the queue, also while both have room, until a
/// person gives it to one; the lead of the team hears of it once, or all of the team where it has none or theirs is away, in their own
/// languages.
#[test]
fn what_is_never_taken_up_stays_in_the_queue_and_the_lead_hears_of_it() {
    on_both(|database| {
        let away = ", absent = [{ from = 2020-01-01, to = 2099-12-31 }]";
        for (lead, absent, hear) in [(None, "", 2), (Some("emma"), "", 1), (Some("emma"), away, 2)] {
            let (desk, _dir) = with_teams(database, |text| {
                let line = "id = \"network\"\n";
                let lead = lead.map(|lead| format!("lead = \"{lead}\"\n")).unwrap_or_default();
                let more = format!("take-up-within = \"1h\"\ntake-up-times = 2\ncalendar = \"always\"\n{lead}");
                let zoe = "{ person = \"zoe\", skills = [\"vpn\", \"wifi\", \"voip\"] },";
                assert!(text.contains(line) && text.contains(zoe));
                let text =
                    text.replace(zoe, &format!("{zoe}\n    {{ person = \"emma\", available = false{absent} }},"));
                text.replace(line, &format!("{line}{more}"))
            });
            let key = incident(&desk.as_role("amara"), "VPN is down");
            let first = with(&desk, &key);
            desk.advance(SignedDuration::from_mins(61));
            let second = with(&desk, &key);
            assert!(first.is_string() && second.is_string() && first != second, "{first} and {second}");
            for _ in 0..6 {
                desk.advance(SignedDuration::from_mins(61));
                assert_eq!(with(&desk, &key), Value::Null, "neither gets it a second time");
            }
            assert_eq!(
                (count(&desk, &key, "not-taken-up"), count(&desk, &key, "left-in-queue")),
                (2, hear),
                "{lead:?}"
            );
            let timeline = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string();
            assert!(timeline.contains("it stays in the queue until a person takes it"), "{timeline}");

            // A person gives it to one: it is theirs to take up, and the count begins again.
            let edit = json!({ "assignee": "akira", "reason": "yours" });
            let kofi = desk.as_role("kofi");
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &edit).expect(200);
            desk.advance(SignedDuration::from_mins(61));
            assert_eq!(with(&desk, &key), json!("zoe"));
            assert_eq!(count(&desk, &key, "left-in-queue"), hear, "it went on to another");
        }
    });
}

/// A team that asks for it from today on asks nothing of what was given out before; and a shorter time than before is not over for
/// what people got while it was longer.
#[test]
fn what_was_given_out_before_the_team_set_a_time_stays_where_it_is() {
    on_both(|database| {
        let (desk, dir) = with_teams(database, |text| text);
        let file = dir.path().join("teams.toml");
        let before = std::fs::read_to_string(&file).unwrap();
        let line = "id = \"network\"\n";
        let sets = |within: &str| {
            let more = format!("{line}take-up-within = \"{within}\"\ncalendar = \"always\"\n");
            std::fs::write(&file, before.replace(line, &more)).unwrap();
            assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
            desk.do_what_is_due();
        };
        let amara = desk.as_role("amara");
        let old: Vec<String> = (0..4).map(|n| incident(&amara, &format!("old {n}"))).collect();
        let had: Vec<Value> = old.iter().map(|key| with(&desk, key)).collect();
        desk.advance(SignedDuration::from_hours(200));
        sets("10h");
        let new = incident(&amara, "new");
        let first = with(&desk, &new);
        desk.advance(SignedDuration::from_hours(9));
        sets("2h");
        assert_eq!(with(&desk, &new), first, "two hours are left from now on");
        desk.advance(SignedDuration::from_mins(119));
        assert_eq!(with(&desk, &new), first);
        desk.advance(SignedDuration::from_mins(2));
        assert_ne!(with(&desk, &new), first);
        desk.advance(SignedDuration::from_hours(100));
        let have: Vec<Value> = old.iter().map(|key| with(&desk, key)).collect();
        assert_eq!(have, had, "nothing is taken back of what was there before");
    });
}

/// The lead of a team is one of it, and the number of times is not none: a configuration that says otherwise is refused at its line.
#[test]
fn a_lead_is_a_member_and_a_ticket_goes_back_once_at_least() {
    let (desk, dir) = with_teams(Database::Sqlite, |text| text);
    let file = dir.path().join("teams.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let line = "id = \"network\"\n";
    for (more, said) in [("lead = \"kofi\"", "there is no member `kofi`"), ("take-up-times = 0", "allowed is 1 to 100")]
    {
        std::fs::write(&file, before.replace(line, &format!("{line}{more}\n"))).unwrap();
        let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
        assert_eq!(answer.status, 422, "{more}");
        assert!(answer.text.contains(said), "{}", answer.text);
    }
}
