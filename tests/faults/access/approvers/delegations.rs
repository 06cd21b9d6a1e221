//! People let others approve in their place by themselves.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use serde_json::{Value, json};

use super::super::ends::{rows, write};
use super::super::provisioning::in_order;
use super::{access, asks, change_person, desk, leave, says_yes};
use crate::support::client::{Answer, Client};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::smtp::Relay;
use crate::support::place::{Database, on_both};

fn today(desk: &House) -> Date {
    TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date()
}

/// The day so many days from today.
fn day(desk: &House, days: i32) -> Date {
    today(desk).checked_add(Span::new().days(days)).unwrap()
}

/// The time until the desk's next midnight, and a second.
fn to_midnight(desk: &House) -> SignedDuration {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let midnight = zone.to_timestamp(day(desk, 1).at(0, 0, 0, 0)).unwrap();
    midnight.duration_since(desk.clock.now()) + SignedDuration::from_secs(1)
}

fn lets(client: &Client, to: &str, (from, until): (Date, Date)) -> Answer {
    let body = json!({ "to": to, "from": from.to_string(), "until": until.to_string() });
    client.post("/api/v1/delegations", &body)
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

fn ends(client: &Client, id: &str) -> Answer {
    client.post(&format!("/api/v1/delegations/{id}/end"), &json!({}))
}

fn awaited(desk: &House) -> Value {
    access(desk, "IT-1")["awaited"].clone()
}

#[test]
fn i02_a_person_lets_another_approve_in_their_place_and_ends_it_by_themselves() {
    on_both(|database| {
        let desk = desk(database);
        let (lena, jonas, amara) = (desk.as_role("lena"), desk.with_roles("jonas", "requester"), desk.as_role("amara"));
        asks(&amara, "github", "write", &json!({}));
        assert_eq!(awaited(&desk), json!(["lena"]));
        let days = (today(&desk), day(&desk, 1));
        let made = lets(&lena, "jonas", days).expect(201);
        assert_eq!((&made["person"], &made["to"], &made["ended_at"]), (&json!("lena"), &json!("jonas"), &Value::Null));
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]), "the open step asks both at once");
        let timeline = amara.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("jonas, lena now: its approvers have changed"), "{timeline}");
        assert_eq!(id(&lets(&lena, "jonas", days).expect(201)), id(&made), "the same once more is the same");
        let told = || rows(&desk, "select recipient from outbox where kind = 'delegation' order by recipient, id");
        assert_eq!(told(), ["jonas", "lena"]);
        for (person, count) in [(&lena, 1), (&jonas, 1), (&amara, 0)] {
            let listed = person.get("/api/v1/delegations").expect(200);
            assert_eq!(listed.as_array().unwrap().len(), count, "{listed}");
        }
        assert_eq!(ends(&amara, &id(&made)).status, 404, "it is a matter of two others");

        let ended = ends(&lena, &id(&made)).expect(200);
        assert_eq!(ended["ended_by"], "lena");
        assert_eq!(ends(&lena, &id(&made)).expect(200), ended, "it ends once");
        assert_eq!(told(), ["jonas", "jonas", "lena", "lena"]);
        assert_eq!(awaited(&desk), json!(["lena"]));
        let refused = says_yes(&jonas, "IT-1");
        assert!((403..=404).contains(&refused.status), "{}", refused.text);
        // It is given once more and holds again, and one who was given it decides.
        lets(&lena, "jonas", days).expect(201);
        says_yes(&jonas, "IT-1").expect(200);
        assert_eq!(access(&desk, "IT-1")["state"], "approved");
        in_order(&desk);
        desk.do_what_is_due();
    });
}

/// Another host has ended it, and this one has not heard of that yet.
#[test]
fn i02_who_stands_in_is_looked_up_in_the_moment_of_a_decision() {
    on_both(|database| {
        let desk = desk(database);
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        lets(&desk.as_role("lena"), "jonas", (today(&desk), today(&desk))).expect(201);
        write(&desk, "update delegations set ended_at = made_at, ended_by = 'lena'");
        write(&desk, "update delegation_revision set revision = revision + 1");
        let refused = says_yes(&desk.with_roles("jonas", "requester"), "IT-1");
        assert!((403..=404).contains(&refused.status), "{}", refused.text);
        says_yes(&desk.as_role("lena"), "IT-1").expect(200);
        desk.do_what_is_due();
    });
}

#[test]
fn i02_who_stands_in_decides_for_no_party_and_gives_nothing_on() {
    on_both(|database| {
        let desk = desk(database);
        let (amara, lena, jonas) = (desk.as_role("amara"), desk.as_role("lena"), desk.with_roles("jonas", "requester"));
        let days = (today(&desk), day(&desk, 1));
        lets(&lena, "jonas", days).expect(201);
        lets(&jonas, "viktor", days).expect(201);
        asks(&amara, "github", "write", &json!({}));
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]), "and not viktor");
        assert!((403..=404).contains(&says_yes(&desk.with_roles("viktor", "requester"), "IT-1").status));
        // No one decides about themselves.
        asks(&jonas, "github", "write", &json!({}));
        let of_jonas = access(&desk, "IT-2")["awaited"].clone();
        assert!(!of_jonas.to_string().contains("jonas"), "{of_jonas}");
        // Who stands in for the requester has no word in what they ask for, and brings no one along.
        let given = lets(&amara, "lena", days).expect(201);
        let others = awaited(&desk).to_string();
        assert!(!others.contains("lena") && !others.contains("jonas") && others != "[]", "{others}");
        // Who does not want that lays it down.
        assert_eq!(ends(&lena, &id(&given)).expect(200)["ended_by"], "lena");
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]));
        in_order(&desk);
        desk.do_what_is_due();
    });
}

#[test]
fn what_one_gives_another_is_bounded() {
    let desk = desk(Database::Sqlite);
    let lena = desk.as_role("lena");
    let now = today(&desk);
    let code = |answer: Answer| answer.expect(422)["problems"][0]["code"].as_str().unwrap().to_owned();
    let refused = [
        ("lena", (now, now), "oneself"),
        ("nobody-here", (now, now), "unknown"),
        ("jonas", (day(&desk, -1), now), "past"),
        ("jonas", (day(&desk, 367), day(&desk, 368)), "too-far"),
        ("jonas", (day(&desk, 2), day(&desk, 1)), "backwards"),
        ("jonas", (now, day(&desk, 92)), "too-long"),
    ];
    for (to, days, why) in refused {
        assert_eq!(code(lets(&lena, to, days)), why, "{to} {days:?}");
    }
    for n in 0..10 {
        lets(&lena, "jonas", (day(&desk, n), day(&desk, n + 91))).expect(201);
    }
    assert_eq!(code(lets(&lena, "viktor", (now, now))), "too-many");
    assert_eq!(lets(&desk.with_roles("lena", "directory"), "jonas", (now, now)).status, 403);
    let open = lena.get("/api/v1/delegations").expect(200);
    ends(&lena, &id(&open[0])).expect(200);
    // To give and end it over and over would be letters without an end.
    let mut last = id(&lets(&lena, "viktor", (now, now)).expect(201));
    for _ in 11..20 {
        ends(&lena, &last).expect(200);
        last = id(&lets(&lena, "viktor", (now, now)).expect(201));
    }
    ends(&lena, &last).expect(200);
    assert_eq!(code(lets(&lena, "viktor", (now, now))), "too-often");
    desk.clock.advance(SignedDuration::from_hours(25));
    lets(&lena, "viktor", (day(&desk, 1), day(&desk, 1))).expect(201);
    in_order(&desk);
    desk.do_what_is_due();
}

#[test]
fn what_one_gives_begins_and_ends_with_its_days_and_open_steps_follow() {
    on_both(|database| {
        let desk = desk(database);
        let tomorrow = day(&desk, 1);
        lets(&desk.as_role("lena"), "jonas", (tomorrow, tomorrow)).expect(201);
        desk.advance(to_midnight(&desk) - SignedDuration::from_hours(1));
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        assert_eq!(awaited(&desk), json!(["lena"]), "not before its first day");
        desk.advance(to_midnight(&desk));
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]));
        let asked = rows(&desk, "select recipient from outbox where kind = 'approval-wanted' order by recipient");
        assert_eq!(asked, ["jonas", "lena"], "who is asked now hears of it");
        desk.advance(to_midnight(&desk));
        asks(&desk.with_roles("sofia", "requester"), "github", "write", &json!({}));
        assert!(!access(&desk, "IT-2")["awaited"].to_string().contains("jonas"), "nor after its last");
    });
}

#[test]
fn what_a_leaver_gave_or_was_given_ends_for_good() {
    on_both(|database| {
        let desk = desk(database);
        let lena = desk.as_role("lena");
        lets(&lena, "jonas", (today(&desk), day(&desk, 3))).expect(201);
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        leave(&desk, "jonas");
        assert_eq!(awaited(&desk), json!(["lena"]));
        assert_eq!(lena.get("/api/v1/delegations").expect(200)[0]["ended_by"], "desk");
        change_person(&desk, "jonas", "\nactive = false\n", "\n");
        assert_eq!(awaited(&desk), json!(["lena"]), "who comes back is not given it back");
        // All of it goes with one who is erased, and the record stays whole.
        lets(&lena, "tomas", (today(&desk), day(&desk, 3))).expect(201);
        leave(&desk, "jonas");
        let body = json!({ "reason": "he asked for it" });
        desk.as_role("mei").post("/api/v1/people/jonas/erasure", &body).expect(200);
        let left = lena.get("/api/v1/delegations").expect(200);
        assert_eq!((left.as_array().unwrap().len(), &left[0]["to"]), (1, &json!("tomas")), "{left}");
        in_order(&desk);
        desk.do_what_is_due();
    });
}

#[test]
fn who_stands_in_for_whom_is_compared_with_the_audit() {
    on_both(|database| {
        let desk = desk(database);
        let lena = desk.as_role("lena");
        let made = lets(&lena, "jonas", (today(&desk), day(&desk, 3))).expect(201);
        in_order(&desk);
        let named = |what: &str| {
            let chain = desk.command(&["decisions", "chain"]);
            let said = String::from_utf8(chain.stdout).unwrap();
            assert!(!chain.status.success() && said.contains(what), "{what}: {said}");
        };
        let last = day(&desk, 3);
        for (edit, back) in [
            ("last_day = '2099-12-31'".to_owned(), format!("last_day = '{last}'")),
            ("delegate = 'amara'".to_owned(), "delegate = 'jonas'".to_owned()),
            ("person = 'mei'".to_owned(), "person = 'lena'".to_owned()),
            ("made_at = made_at + 1".to_owned(), "made_at = made_at - 1".to_owned()),
            ("ended_at = 1, ended_by = 'lena'".to_owned(), "ended_at = null, ended_by = null".to_owned()),
        ] {
            write(&desk, &format!("update delegations set {edit}"));
            named("is not what the audit says: it was changed or added");
            write(&desk, &format!("update delegations set {back}"));
            in_order(&desk);
        }
        ends(&lena, &id(&made)).expect(200);
        in_order(&desk);
        write(&desk, "update delegations set ended_at = null, ended_by = null");
        named("is not what the audit says: it was changed or added");
        write(&desk, "delete from delegations");
        named("is missing: it was removed");
    });
}

#[test]
fn both_read_in_their_letters_what_was_given_and_that_it_has_ended() {
    let relay = Relay::start();
    let settings = relay.settings() + "\n[outgoing]\npublic-url = \"https://desk.example/\"\n";
    let desk = House::with_settings(Database::Postgres, example_rules(), |text| text + &settings);
    let lena = desk.as_role("lena");
    let days = (today(&desk), day(&desk, 3));
    let made = lets(&lena, "jonas", days).expect(201);
    desk.do_what_is_due();
    assert_eq!(relay.taken().len(), 2);
    let said = || relay.taken().iter().map(|one| one.text.replace("=\n", "")).collect::<String>();
    let all = said();
    assert!(all.contains("decides in your place, too") && all.contains(&days.1.to_string()), "{all}");
    assert!(all.contains("you decide in the place of Lena Fischer, too"), "{all}");
    ends(&lena, &id(&made)).expect(200);
    desk.do_what_is_due();
    let all = said();
    assert!(
        all.contains("no longer decides in your place") && all.contains("you no longer decide in the place"),
        "{all}"
    );
}
