//! A desk that dies (SIGKILL) at a named point between a commit and what follows from it: the ticket is there once, everybody hears of
//! it, and what was on its way comes again under its own id, or not at all.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::incident;
use super::super::jobs::by_hand;
use super::webhooks::{id, settings};
use crate::support::client::{Answer, Client};
use crate::support::components::example_rules;
use crate::support::peers::hook::Receiver;
use crate::support::peers::smtp::Relay;
use crate::support::place::{Database, Place};
use crate::support::wait::{side_by_side, until};

fn submits(client: &Client) -> Answer {
    client.with("idempotency-key", "once").post("/api/v1/tickets", &incident("VPN is down"))
}

/// How often each of some ids came.
fn counted(ids: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    ids.for_each(|id| *counts.entry(id).or_default() += 1);
    counts
}

fn killed_at(database: Database, point: &'static str) {
    let (relay, receiver) = (Relay::start(), Receiver::start());
    let mut place = Place::with_settings(database, example_rules(), |text| {
        text + &relay.settings() + &settings(&receiver, "events = [\"ticket.created\"]\n")
    });
    place.set_environment(vec![("RULEDESK_CRASH_AT", point.to_owned())]);
    let mut desk = place.start();
    until("the webhook to be in use", || {
        let webhooks = desk.as_role("mei").get("/api/v1/webhooks").expect(200);
        (webhooks.as_array().unwrap().len() == 1).then_some(())
    });
    // Whether it is answered depends on the point.
    drop(catch_unwind(AssertUnwindSafe(|| submits(&desk.as_role("amara")))));
    desk.wait_for_its_death(point);
    let mut place = desk.crash();
    place.set_environment(Vec::new());
    // Another host takes them up when the leases of the one that died are over; here they are over at once.
    by_hand(&place.target(), &["update outbox set not_before = 0", "update webhook_deliveries set not_before = 0"]);
    let desk = place.start();

    // The client knows no answer and sends the same again.
    let again = submits(&desk.as_role("amara"));
    assert!([200, 201].contains(&again.status), "{point}: {}", again.text);
    let kofi = desk.as_role("kofi");
    let all = kofi.get("/api/v1/tickets").expect(200);
    assert_eq!(all["tickets"].as_array().unwrap().len(), 1, "{point}: {all}");
    let key = again.expect(again.status)["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/tickets/{key}/messages");
    let (messages, _) = until("all messages to leave", || {
        let messages = kofi.get(&path).expect(200).as_array().unwrap().clone();
        let is_sent = messages.iter().all(|message| message["state"] == "sent");
        (is_sent && !messages.is_empty()).then_some(messages)
    });
    until("the event", || (!receiver.received().is_empty()).then_some(()));
    until("the event to be written down", || {
        let log = desk.as_role("mei").get("/api/v1/webhooks/cmdb/deliveries").expect(200);
        log.as_array().unwrap().iter().any(|delivery| delivery["state"] == "delivered").then_some(())
    });
    let letters = counted(relay.taken().iter().map(|taken| taken.header("Message-ID")));
    let events = counted(receiver.received().iter().map(|received| id(received).to_owned()));
    assert_eq!((letters.len(), events.len()), (messages.len(), 1), "{point}: {letters:?} {events:?}");
    // What was in the hands of the process when it died comes once more, and nothing oftener.
    assert!(letters.values().chain(events.values()).all(|count| *count <= 2), "{point}: {letters:?} {events:?}");
    match point {
        "mail-after:1" => assert!(letters.values().any(|count| *count == 2), "{point}: {letters:?}"),
        "post-after:1" => assert_eq!(events.values().max(), Some(&2), "{point}: {events:?}"),
        _ => {}
    }
    assert!(desk.command(&["decisions", "chain"]).status.success(), "{point}");
}

#[test]
fn killed_between_a_commit_and_what_follows_a_ticket_is_there_once_and_everybody_hears_of_it() {
    let points = [
        (Database::Sqlite, "write-before:1"),
        (Database::Sqlite, "write-after:1"),
        (Database::Sqlite, "mail-before:1"),
        (Database::Sqlite, "mail-after:1"),
        (Database::Sqlite, "post-before:1"),
        (Database::Sqlite, "post-after:1"),
        (Database::Postgres, "write-after:1"),
        (Database::Postgres, "mail-before:1"),
        (Database::Postgres, "mail-after:1"),
        (Database::Postgres, "post-after:1"),
    ];
    side_by_side(&points, |&(database, point)| killed_at(database, point));
}
