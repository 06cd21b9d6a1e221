//! Several at once: two hosts of one desk that give the last seat, and people who work while the ledger is checked.

use std::sync::Barrier;

use serde_json::{Value, json};

use super::super::ends::rows;
use super::super::provisioning::{self, hours, in_order};
use super::{access, asks, desk, grants, reconfigure, says_yes};
use crate::support::client::Client;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::ScimApp;

/// How often two ask for the last seat.
const ROUNDS: usize = 5;

/// Does two things at once; what came of them.
fn at_once<T: Send>(one: impl FnOnce() -> T + Send, two: impl FnOnce() -> T) -> [T; 2] {
    let together = Barrier::new(2);
    std::thread::scope(|scope| {
        let one = scope.spawn(|| {
            together.wait();
            one()
        });
        together.wait();
        let two = two();
        [one.join().unwrap(), two]
    })
}

/// A desk where a tier has one seat.
fn with_one_seat(tier: &str) -> House {
    let desk = desk(Database::Postgres);
    let id = format!("id = \"{tier}\"\n");
    reconfigure(&desk, "apps.toml", |text| text.replacen(&id, &format!("{id}seats = 1\n"), 1));
    desk
}

fn held(desk: &House, person: &str) -> Vec<Value> {
    grants(desk, person).into_iter().filter(|grant| grant["effective"] == true).collect()
}

#[test]
fn i23_two_hosts_give_the_last_seat_once() {
    let desk = with_one_seat("user");
    let other = desk.beside();
    let ask = |client: &Client, person: &str| asks(client, "jira", "user", &json!({ "for": person }))["access"].clone();
    let (here, there) = (desk.as_role("kofi"), other.as_role("kofi"));
    for _ in 0..ROUNDS {
        let said = at_once(|| ask(&here, "amara"), || ask(&there, "jonas"));
        let mut states: Vec<&str> = said.iter().map(|access| access["state"].as_str().unwrap()).collect();
        states.sort_unstable();
        assert_eq!(states, ["approved", "denied_by_policy"], "{said:?}");
        let given: Vec<Value> = ["amara", "jonas"].into_iter().flat_map(|person| held(&desk, person)).collect();
        assert_eq!(given.len(), 1, "{given:?}");
        // It is free again for the next two.
        let path = format!("/api/v1/grants/{}/revoke", given[0]["id"].as_str().unwrap());
        desk.as_role("mei").post(&path, &json!({ "reason": "the next may have it" })).expect(200);
    }
    let name = "select name from access_revisions where name like 'seats:%' order by name";
    assert_eq!(rows(&desk, name), ["seats:jira/user"]);
    // Who is given none of the seats makes no other wait that asks for the app at the same moment.
    let revision = "select cast(revision as text) from access_revisions where name = 'seats:jira/user'";
    let before = rows(&desk, revision);
    let waits = asks(&here, "jira", "admin", &json!({ "for": "ben" }));
    assert_eq!(rows(&desk, revision), before, "{waits}");
    assert_eq!(ask(&here, "sofia")["state"], "approved");
    assert_ne!(rows(&desk, revision), before, "it has a seat");
    in_order(&desk);
    desk.do_what_is_due();
}

#[test]
fn i23_two_approvals_at_two_hosts_give_the_last_seat_once() {
    let desk = with_one_seat("write");
    let other = desk.beside();
    for person in ["amara", "jonas"] {
        asks(&desk.as_role("kofi"), "github", "write", &json!({ "for": person }));
    }
    let asked = |key: &str| access(&desk, key)["awaited"][0].as_str().unwrap().to_owned();
    let one = desk.with_roles(&asked("IT-1"), "requester");
    let two = desk.with_roles(&asked("IT-2"), "requester").at(&other.url);
    let said = at_once(|| says_yes(&one, "IT-1"), || says_yes(&two, "IT-2"));
    assert!(said.iter().all(|answer| answer.status < 500), "{said:?}");
    let states = ["IT-1", "IT-2"].map(|key| access(&desk, key)["state"].clone());
    assert_eq!(states.iter().filter(|state| **state == "approved").count(), 1, "{states:?}");
    let given: Vec<Value> = ["amara", "jonas"].into_iter().flat_map(|person| held(&desk, person)).collect();
    assert_eq!(given.len(), 1, "{given:?}");
    in_order(&desk);
    desk.do_what_is_due();
}

/// Orders are carried out, and what is held changes, while the ledger is compared with both: that is no damage.
#[test]
fn i17_the_ledger_is_in_order_at_each_look_while_people_work() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = provisioning::desk(database, &app);
        let work = || {
            for _ in 0..2 {
                for person in ["amara", "jonas", "sofia", "ben"] {
                    asks(&desk.as_role("kofi"), "jira", "user", &json!({ "for": person }));
                    desk.do_what_is_due();
                }
                for person in ["amara", "sofia"] {
                    let path = format!("/api/v1/grants/{}/revoke", held(&desk, person)[0]["id"].as_str().unwrap());
                    desk.as_role("mei").post(&path, &json!({ "reason": "the project is over" })).expect(200);
                    desk.do_what_is_due();
                }
            }
        };
        std::thread::scope(|scope| {
            let works = scope.spawn(work);
            while !works.is_finished() {
                in_order(&desk);
            }
            works.join().unwrap();
        });
        in_order(&desk);
        desk.advance(hours(4));
    });
}
