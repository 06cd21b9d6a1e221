//! A database of the schema before tickets were kept in parts: it migrates, every ticket, entry and event reads as it did, and
//! both chains still hold.
//!
//! `fixtures/rows-N.sql` is what a program of schema N wrote: each migration up to 7 runs, and after each the rows of its time.

use ruledesk::desk::actor::{Author, RuleRef};
use ruledesk::desk::id::TicketNumber;
use ruledesk::desk::ticket::State;
use ruledesk::desk::ticket::timeline::{Event, Field, Visibility};
use ruledesk::store::access::ledger::Said;
use ruledesk::store::chain::Chain;
use ruledesk::store::{Store, Target};

use super::raw::{SCHEMA_MAX, fill};
use crate::store::fixture::person;
use crate::support::postgres;

#[tokio::test]
async fn a_ticket_of_one_row_reads_as_it_did_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for target in [Target::Sqlite(dir.path().join("desk.db")), Target::Postgres(postgres::fresh_database())] {
        fill(&target, SCHEMA_MAX).await;
        let store = Store::open(&target).await.unwrap();
        let ticket = store.ticket(TicketNumber(1)).await.unwrap().unwrap();
        assert_eq!(ticket.submitted.body, "Nobody in Berlin can reach the VPN since 9.");
        assert_eq!((ticket.submitted.fields.len(), ticket.state, ticket.version), (2, State::Open, 3));
        assert!(ticket.clocks.first_response.met_at.is_some() && ticket.clocks.resolution.due_at.is_some());

        let timeline = store.timeline(TicketNumber(1), Visibility::Internal).await.unwrap();
        assert_eq!(timeline.iter().map(|stored| stored.seq).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
        let events: Vec<_> = timeline.iter().map(|stored| (&stored.entry.author, &stored.entry.event)).collect();
        let rule = RuleRef { name: "form-category".to_owned(), version: "1.0.0".to_owned() };
        let (reason, to) = ("service is vpn".to_owned(), "network.vpn".to_owned());
        assert_eq!(events[1], (&Author::Rule(rule), &Event::Set { field: Field::Category, from: None, to, reason }));
        assert_eq!(events[4], (&Author::System, &Event::Acknowledged { to: "amara".to_owned() }));
        let comment =
            |event: &Event| matches!(event, Event::Commented { body, .. } if body == "The gateway was restarted");
        assert!(events[7].0 == &Author::Person(person("kofi")) && comment(events[7].1));
        assert_eq!(timeline[7].entry.visibility, Visibility::Internal);
        let public = store.timeline(TicketNumber(1), Visibility::Public).await.unwrap();
        assert!(!public.is_empty() && !public.iter().any(|stored| comment(&stored.entry.event)));

        let request = store.ticket(TicketNumber(2)).await.unwrap().unwrap();
        let ledger = store.ledger(request.id).await.unwrap();
        let sentences = ledger.iter().all(|event| matches!(event.said, Said::Sentence { .. }));
        assert!(sentences && ledger[0].said.code() == "requested", "{ledger:?}");
        for chain in [Chain::Runs, Chain::Ledger] {
            let checked = store.check_chain(chain, None).await.unwrap();
            assert!(checked.breaks.is_empty() && checked.end.link > 0, "{:?}", checked.breaks);
        }
        // All that is said of all tickets, which is the same on both databases.
        let mut all = Vec::new();
        for number in 1..=5 {
            let number = TicketNumber(number);
            let entries = store.timeline(number, Visibility::Internal).await.unwrap();
            all.push((store.ticket(number).await.unwrap().unwrap(), entries));
        }
        seen.push(all);
        store.close().await;
    }
    assert_eq!(seen[0], seen[1], "left SQLite, right PostgreSQL");
}
