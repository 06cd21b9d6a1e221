//! People let others approve in their place by themselves.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use serde_json::{Value, json};

use super::super::ends::{rows, write};
use super::super::provisioning::in_order;
use super::{access, asks, change_person, desk, grants, leave, says_yes};
use crate::support::client::{Answer, Client};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::smtp::Relay;
use crate::support::place::{Database, on_both};

pub(super) fn today(desk: &House) -> Date {
    TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date()
}

/// The day so many days from today.
pub(super) fn day(desk: &House, days: i32) -> Date {
    today(desk).checked_add(Span::new().days(days)).unwrap()
}

/// The time until the desk's next midnight, and a second.
pub(super) fn to_midnight(desk: &House) -> SignedDuration {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let midnight = zone.to_timestamp(day(desk, 1).at(0, 0, 0, 0)).unwrap();
    midnight.duration_since(desk.clock.now()) + SignedDuration::from_secs(1)
}

pub(super) fn lets(client: &Client, to: &str, (from, until): (Date, Date)) -> Answer {
    let body = json!({ "to": to, "from": from.to_string(), "until": until.to_string() });
    client.post("/api/v1/delegations", &body)
}

pub(super) fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

pub(super) fn ends(client: &Client, id: &str) -> Answer {
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
        says_yes(&lena, "IT-1").expect(200);
        // Who stands in for the requester has no word in what they ask for, and brings no one along.
        let given = lets(&amara, "lena", days).expect(201);
        asks(&amara, "github", "admin", &json!({}));
        let of_amara = || access(&desk, "IT-3")["awaited"].clone();
        let others = of_amara().to_string();
        assert!(!others.contains("lena") && !others.contains("jonas") && others != "[]", "{others}");
        // Who does not want that lays it down.
        assert_eq!(ends(&lena, &id(&given)).expect(200)["ended_by"], "lena");
        let others = of_amara().to_string();
        assert!(others.contains("lena") && others.contains("jonas"), "{others}");
        in_order(&desk);
        desk.do_what_is_due();
    });
}

/// One whom a request asks is not taken out of it by a word of the one it is about: of two approvers, they would choose the kinder.
#[test]
fn i02_who_asks_takes_no_approver_away_by_letting_them_decide_in_ones_place() {
    on_both(|database| {
        let desk = desk(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let days = (today(&desk), day(&desk, 1));
        lets(&desk.as_role("lena"), "jonas", days).expect(201);
        asks(&kofi, "github", "write", &json!({ "for": "amara" }));
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]));
        // Neither the one who is to have it nor the one who has asked, and neither lena nor who decides in her place; another account of
        // amara's is amara.
        change_person(&desk, "sofia", "\n", "\nsame-as = \"amara\"\n");
        let sofia = desk.with_roles("sofia", "requester");
        for (client, to) in [(&amara, "lena"), (&amara, "jonas"), (&kofi, "lena"), (&kofi, "jonas"), (&sofia, "lena")] {
            for days in [days, (day(&desk, 1), day(&desk, 3))] {
                let refused = lets(client, to, days).expect(422);
                assert_eq!(refused["problems"][0]["code"], "own-approver", "{to}: {refused}");
            }
        }
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]));
        let given = lets(&amara, "viktor", days).expect(201);
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]), "who is not asked is free to be named");
        ends(&amara, &id(&given)).expect(200);
        says_yes(&desk.as_role("lena"), "IT-1").expect(200);
        lets(&amara, "lena", days).expect(201);
        in_order(&desk);
        desk.do_what_is_due();
    });
}

#[test]
fn i02_a_decision_in_anothers_place_says_so_wherever_it_is_read() {
    on_both(|database| {
        let desk = desk(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        lets(&desk.as_role("lena"), "jonas", (today(&desk), today(&desk))).expect(201);
        asks(&amara, "github", "write", &json!({}));
        says_yes(&desk.with_roles("jonas", "requester"), "IT-1").expect(200);
        assert_eq!(access(&desk, "IT-1")["decisions"][0]["in_place_of"], json!(["lena"]));
        let timeline = amara.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("jonas decides in the place of lena"), "{timeline}");
        let why = kofi.get("/api/v1/tickets/IT-1/explain").expect(200).to_string();
        assert!(why.contains("jonas in the place of lena"), "{why}");
        let held = kofi.get("/api/v1/access?person=amara").expect(200);
        assert_eq!(held[0]["decisions"][0]["in_place_of"], json!(["lena"]), "{held}");
        let story = kofi.get(&format!("/api/v1/grants/{}", id(&grants(&desk, "amara")[0]))).expect(200);
        let approved = |event: &&Value| event["event"] == "approved-by";
        let approved = story["ledger"].as_array().unwrap().iter().find(approved).unwrap();
        assert_eq!(approved["detail"]["in_place_of"], json!(["lena"]), "{approved}");
        let said = desk.command(&["decisions", "access", "--person", "amara"]);
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("approved by jonas in the place of lena at"), "{said}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("evidence.jsonl");
        let made = desk.command(&["decisions", "evidence", "export", "--out", file.to_str().unwrap()]);
        assert!(made.status.success(), "{made:?}");
        assert!(std::fs::read_to_string(&file).unwrap().contains("in_place_of"));
        // Who decides for themselves has the place of no other.
        asks(&amara, "github", "write", &json!({}));
        says_yes(&desk.as_role("lena"), "IT-2").expect(200);
        assert_eq!(access(&desk, "IT-2")["decisions"][0]["in_place_of"], json!([]));
        in_order(&desk);
        write(&desk, "update access_decisions set in_place_of = '[]' where approver = 'jonas'");
        let chain = desk.command(&["decisions", "chain"]);
        let said = String::from_utf8(chain.stdout).unwrap();
        assert!(
            !chain.status.success() && said.contains("what its approvers said is not what the ledger says"),
            "{said}"
        );
        write(&desk, "update access_decisions set in_place_of = '[\"lena\"]' where approver = 'jonas'");
        in_order(&desk);
        desk.do_what_is_due();
    });
}

#[test]
fn i03_whose_word_another_has_given_decides_no_other_step() {
    on_both(|database| {
        let desk = desk(database);
        let (priya, jonas) = (desk.as_role("priya"), desk.with_roles("jonas", "requester"));
        lets(&priya, "jonas", (today(&desk), today(&desk))).expect(201);
        // Viktor's manager is the only other security officer.
        asks(&desk.as_role("kofi"), "github", "admin", &json!({ "for": "viktor" }));
        assert_eq!(awaited(&desk), json!(["jonas", "priya"]));
        says_yes(&jonas, "IT-1").expect(200);
        assert_eq!(awaited(&desk), json!(["tomas", "yuki"]), "priya's word is in the first step");
        for client in [&priya, &jonas] {
            let refused = says_yes(client, "IT-1");
            assert!((403..=409).contains(&refused.status), "{}", refused.text);
        }
        assert_eq!(access(&desk, "IT-1")["state"], "awaiting");
        says_yes(&desk.with_roles("yuki", "requester"), "IT-1").expect(200);
        assert_eq!(access(&desk, "IT-1")["state"], "approved");
        in_order(&desk);
        desk.do_what_is_due();
    });
}

#[test]
fn i02_what_was_decided_in_the_place_of_one_who_is_a_party_by_now_is_looked_at_again() {
    on_both(|database| {
        let desk = desk(database);
        lets(&desk.as_role("lena"), "jonas", (today(&desk), today(&desk))).expect(201);
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        says_yes(&desk.with_roles("jonas", "requester"), "IT-1").expect(200);
        let reviewed =
            || rows(&desk, "select g.app from review_items i join grants g on g.id = i.grant_id order by i.id");
        assert_eq!(reviewed(), Vec::<String>::new());
        change_person(&desk, "lena", "\n", "\nsame-as = \"amara\"\n");
        assert_eq!(reviewed(), ["github"]);
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("in whose place another approved it"), "{timeline}");
        in_order(&desk);
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn i02_what_is_to_come_counts_for_those_who_are_asked_then_and_a_party_of_later_is_out() {
    on_both(|database| {
        let desk = desk(database);
        let jonas = desk.with_roles("jonas", "requester");
        lets(&desk.as_role("lena"), "jonas", (day(&desk, 1), day(&desk, 1))).expect(201);
        desk.advance(to_midnight(&desk) - SignedDuration::from_hours(1));
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        change_person(&desk, "amara", "manager = \"lena\"", "manager = \"clara\"");
        desk.advance(to_midnight(&desk));
        assert_eq!(awaited(&desk), json!(["clara"]), "lena is not asked any more, and so is not jonas");
        change_person(&desk, "amara", "manager = \"clara\"", "manager = \"lena\"");
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]));
        // He turns out to be the one who has asked.
        change_person(&desk, "jonas", "\n", "\nsame-as = \"amara\"\n");
        assert_eq!(awaited(&desk), json!(["lena"]));
        let refused = says_yes(&jonas, "IT-1");
        assert!((403..=409).contains(&refused.status), "{}", refused.text);
        in_order(&desk);
        desk.do_what_is_due();
    });
}

/// Shown with its buttons in the morning, and pressed when the one who was away is back.
#[test]
fn i02_what_was_shown_while_one_stood_in_is_not_decided_when_they_do_no_more() {
    on_both(|database| {
        let desk = desk(database);
        let (lena, jonas) = (desk.as_role("lena"), desk.with_roles("jonas", "requester"));
        let given = lets(&lena, "jonas", (today(&desk), today(&desk))).expect(201);
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        let shown = jonas.get("/api/v1/tickets/IT-1/access").expect(200);
        ends(&lena, &id(&given)).expect(200);
        let body = json!({ "approve": true, "seen": shown["snapshot"] });
        let refused = jonas.post("/api/v1/tickets/IT-1/access/decisions", &body);
        assert!((400..=422).contains(&refused.status), "{}", refused.text);
        assert_eq!((&access(&desk, "IT-1")["state"], awaited(&desk)), (&json!("awaiting"), json!(["lena"])));
        in_order(&desk);
        desk.do_what_is_due();
    });
}

/// Only approvals of access are given on: who stands in for an admin is none.
#[test]
fn i02_an_admins_approval_of_rules_is_not_given_to_another() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
    });
    lets(&desk.with_roles("noor", "admin"), "jonas", (today(&desk), today(&desk))).expect(201);
    let body = json!({ "version": "1.0.0", "why": "in noor's place" });
    for role in ["requester", "approver", "agent"] {
        let refused = desk.with_roles("jonas", role).post("/api/v1/rules/access-policy/approve", &body);
        assert_eq!(refused.status, 403, "{role}: {}", refused.text);
    }
    desk.do_what_is_due();
}

#[test]
fn who_decides_in_ones_place_is_listed_given_and_ended_by_commands() {
    let desk = desk(Database::Sqlite);
    let (first, last) = (today(&desk).to_string(), day(&desk, 3).to_string());
    let of = |person: &str, arguments: &[&str]| {
        desk.answered(person, &[["access", "delegations"].as_slice(), arguments].concat())
    };
    let made = of("lena", &["add", "priya", "--from", &first, "--until", &last]);
    let id = made.split_whitespace().next().unwrap().to_owned();
    assert!(made.contains("priya") && made.contains("in the place of lena") && made.contains(&last), "{made}");
    assert_eq!(of("lena", &["list"]), made);
    assert_eq!(of("priya", &["list"]), made);
    assert_eq!(of("amara", &["list"]), "");
    let listed: Value = serde_json::from_str(&of("lena", &["list", "--json"])).unwrap();
    assert_eq!((&listed[0]["id"], &listed[0]["to"]), (&json!(id), &json!("priya")));
    let refused = desk.asked("lena", &["access", "delegations", "add", "lena", "--from", &first, "--until", &last]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("to: "), "{said}");
    assert!(!desk.asked("amara", &["access", "delegations", "end", &id]).status.success());
    assert!(of("priya", &["end", &id]).contains("by priya"));
    let nowhere = desk.command(&["access", "delegations", "list"]);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("--url"), "a desk has to be named");
    desk.do_what_is_due();
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
    let (lena, jonas) = (desk.as_role("lena"), desk.with_roles("jonas", "requester"));
    jonas.put("/api/v1/preferences", &json!({ "delivery": "immediately", "locale": "de" })).expect(200);
    let days = (today(&desk), day(&desk, 3));
    let made = lets(&lena, "jonas", days).expect(201);
    desk.do_what_is_due();
    assert_eq!(relay.taken().len(), 2);
    let said = || relay.taken().iter().map(|one| one.text.replace("=\n", "")).collect::<String>();
    let all = said();
    assert!(all.contains("decides in your place, too") && all.contains(&days.1.to_string()), "{all}");
    let german = format!("bis zum {} auch an der Stelle von Lena Fischer", days.1.strftime("%d.%m.%Y"));
    assert!(all.contains(&german), "{all}");
    ends(&lena, &id(&made)).expect(200);
    desk.do_what_is_due();
    let all = said();
    assert!(
        all.contains("no longer decides in your place") && all.contains("Sie entscheiden nicht mehr an der Stelle"),
        "{all}"
    );
}

/// A clock that is set back gives nothing back that was ended: neither the leave nor what was decided by it.
#[test]
fn i08_leave_that_was_ended_stays_ended_where_the_clock_goes_back() {
    on_both(|database| {
        let desk = desk(database);
        let (lena, jonas) = (desk.as_role("lena"), desk.with_roles("jonas", "requester"));
        asks(&desk.as_role("amara"), "github", "write", &json!({}));
        let given = lets(&lena, "jonas", (today(&desk), day(&desk, 1))).expect(201);
        assert_eq!(awaited(&desk), json!(["jonas", "lena"]));
        ends(&lena, &id(&given)).expect(200);
        desk.clock.advance(SignedDuration::from_mins(-10));
        let other = desk.cut_off_and_restart();
        assert_eq!(awaited(&other), json!(["lena"]), "it was ended in ten minutes");
        let refused = says_yes(&jonas.at(&other.url), "IT-1");
        assert!((403..=404).contains(&refused.status), "{}", refused.text);
        says_yes(&other.as_role("lena"), "IT-1").expect(200);
        other.clock.advance(SignedDuration::from_mins(10));
        in_order(&other);
        other.do_what_is_due();
    });
}
