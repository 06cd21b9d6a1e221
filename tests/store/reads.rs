//! Tickets, lists, timelines, decisions and messages read back alike from both databases.

use ruledesk::desk::actor::{Author, RuleRef};
use ruledesk::desk::id::{TicketId, TicketNumber};
use ruledesk::desk::organisation::form::{Raw, Value};
use ruledesk::desk::ticket::timeline::{Event, Visibility};
use ruledesk::desk::ticket::{State, Ticket};
use ruledesk::store::Store;
use ruledesk::store::tickets::list::{Filter, Start};

use super::fixture::{Wanted, at, on_both, organisation, person, run, uuid};

async fn create(store: &Store, wanted: &Wanted) {
    store.commit(wanted.create(&organisation())).await.unwrap();
}

#[tokio::test]
async fn a_ticket_reads_back_as_it_was_opened() {
    let fields = vec![
        ("device".to_owned(), Raw::Text("Ünïcode \"quotes\" \\ 'single' 🖨\n$1 ?".to_owned())),
        ("count".to_owned(), Raw::Number(-0.125)),
        ("urgent".to_owned(), Raw::Flag(false)),
        ("day".to_owned(), Raw::Text("2026-02-28".to_owned())),
        ("colour".to_owned(), Raw::Text("red".to_owned())),
        ("colours".to_owned(), Raw::List(vec![Raw::Text("blue".to_owned()), Raw::Text("red".to_owned())])),
    ];
    let wanted = Wanted { fields, ..Wanted::new(1) };
    let opened = wanted.create(&organisation()).change.after().clone();
    let (by_number, by_id, nobody) = on_both(async |store| {
        create(&store, &wanted).await;
        (
            store.ticket(TicketNumber(1)).await.unwrap().unwrap(),
            store.ticket_by_id(opened.id).await.unwrap().unwrap(),
            store.ticket(TicketNumber(2)).await.unwrap(),
        )
    })
    .await;
    let expected = Ticket { number: TicketNumber(1), assignee: Some(person("amara")), ..opened };
    assert_eq!(by_number, expected);
    assert_eq!(by_id, expected);
    assert_eq!(nobody, None);
    assert_eq!(expected.submitted.fields.len(), 6);
    assert!(expected.submitted.fields.contains(&("count".to_owned(), Value::Number(-0.125))));
}

/// Tickets 1 to 12: three priorities, two teams, four categories, submitted against the order of the queue.
async fn fill(store: &Store) {
    let priorities = ["low", "medium", "critical"];
    let categories = ["network", "network.vpn", "network-old", "networks"];
    for n in 1..=12_u128 {
        let pick = usize::try_from(n).unwrap();
        let wanted = Wanted {
            priority: priorities[pick % 3],
            category: categories[pick % 4],
            team: if n % 2 == 0 { "even" } else { "solo" },
            requester: if n % 5 == 0 { "Zoe" } else { "eve" },
            // Later numbers come due earlier.
            at: at(i64::try_from(20 - n).unwrap() * 60_000),
            ..Wanted::new(n)
        };
        create(store, &wanted).await;
    }
}

async fn numbers(store: &Store, filter: Filter) -> Vec<i64> {
    let tickets = store.tickets(&filter, Start::default(), 100).await.unwrap().items;
    tickets.iter().map(|ticket| ticket.number.0).collect()
}

#[tokio::test]
async fn a_list_is_in_the_order_of_the_queue_and_its_pages_are_the_list() {
    let pages = on_both(async |store| {
        fill(&store).await;
        let mut pages: Vec<Vec<i64>> = Vec::new();
        let mut next = Some(Start::default());
        while let Some(start) = next {
            let page = store.tickets(&Filter::default(), start, 5).await.unwrap();
            pages.push(page.items.iter().map(|ticket| ticket.number.0).collect());
            next = page.next;
        }
        pages
    })
    .await;
    // Critical, then medium, then low; within each the earliest due first, which is the highest number.
    assert_eq!(pages, [vec![11, 8, 5, 2, 10], vec![7, 4, 1, 12, 9], vec![6, 3]]);
}

#[tokio::test]
async fn every_filter_narrows_the_list_by_itself_and_together() {
    let lists = on_both(async |store| {
        fill(&store).await;
        let any = Filter::default;
        let text = |text: &str| Some(text.to_owned());
        vec![
            numbers(&store, Filter { team: text("solo"), ..any() }).await,
            numbers(&store, Filter { assignee: text("dan"), ..any() }).await,
            numbers(&store, Filter { requester: text("Zoe"), ..any() }).await,
            numbers(&store, Filter { requester: text("zoe"), ..any() }).await,
            numbers(&store, Filter { priority: text("critical"), ..any() }).await,
            numbers(&store, Filter { category: text("network"), ..any() }).await,
            numbers(&store, Filter { category: text("network.vpn"), ..any() }).await,
            numbers(&store, Filter { only: Some(person("Zoe")), ..any() }).await,
            numbers(&store, Filter { states: vec![State::Resolved], ..any() }).await,
            numbers(&store, Filter { states: vec![State::Resolved, State::Open], team: text("even"), ..any() }).await,
            numbers(
                &store,
                Filter { team: text("even"), priority: text("low"), category: text("network-old"), ..any() },
            )
            .await,
        ]
    })
    .await;
    let solo = vec![11, 5, 7, 1, 9, 3];
    let expected = vec![
        solo.clone(),
        solo,
        vec![5, 10],
        vec![],
        vec![11, 8, 5, 2],
        vec![8, 5, 4, 1, 12, 9],
        vec![5, 1, 9],
        vec![5, 10],
        vec![],
        vec![8, 2, 10, 4, 12, 6],
        vec![6],
    ];
    assert_eq!(lists, expected);
}

#[tokio::test]
async fn a_timeline_without_internal_entries_lacks_nothing_else() {
    let id = TicketNumber(1);
    let (all, public, nothing) = on_both(async |store| {
        create(&store, &Wanted::new(1)).await;
        create(&store, &Wanted::new(2)).await;
        (
            store.timeline(id, Visibility::Internal).await.unwrap(),
            store.timeline(id, Visibility::Public).await.unwrap(),
            store.timeline(TicketNumber(3), Visibility::Internal).await.unwrap(),
        )
    })
    .await;
    let seqs: Vec<i64> = all.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=i64::try_from(all.len()).unwrap()).collect::<Vec<_>>());
    assert!(all.iter().any(|entry| entry.entry.visibility == Visibility::Internal));
    let expected: Vec<_> = all.iter().filter(|entry| entry.entry.visibility == Visibility::Public).cloned().collect();
    assert_eq!(public, expected);
    assert_eq!(nothing, []);
    assert_eq!(all[0].entry.author, Author::Person(person("eve")));
    let rule = RuleRef { name: "a-rule".to_owned(), version: "1.0.0".to_owned() };
    assert!(all.iter().any(|entry| entry.entry.author == Author::Rule(rule.clone())));
    let assigned = all.iter().find_map(|entry| match &entry.entry.event {
        Event::Assigned { assignee, .. } => assignee.as_deref(),
        _ => None,
    });
    assert_eq!(assigned, Some("amara"));
}

#[tokio::test]
async fn runs_and_messages_belong_to_their_ticket() {
    let wanted = Wanted::new(3);
    let written = run(wanted.n, wanted.at, 40);
    let (runs, messages, none) = on_both(async |store| {
        create(&store, &Wanted::new(1)).await;
        create(&store, &wanted).await;
        let id = TicketId(uuid(1, 3));
        (
            store.runs(id).await.unwrap(),
            store.messages(id, None, 10).await.unwrap().items,
            store.runs(TicketId(uuid(1, 9))).await.unwrap(),
        )
    })
    .await;
    let [run] = runs.as_slice() else { panic!("one run, not {}", runs.len()) };
    let texts = run.recorded.as_ref().unwrap();
    assert_eq!((run.id, run.ticket, run.at, run.generation), (written.id, written.ticket, written.at, 7));
    assert_eq!((texts.cause.as_str(), texts.engine.as_str()), ("created", "a test"));
    assert_eq!(texts.common, written.common);
    assert_eq!(texts.decisions.len(), 5);
    for decision in &texts.decisions {
        let same = written.decisions.iter().find(|d| d.stage == decision.stage).unwrap();
        assert_eq!((&decision.input, &decision.verdict, &decision.rules), (&same.input, &same.verdict, &same.rules));
    }
    assert_eq!(none, []);
    let [message, assigned] = messages.as_slice() else { panic!("two messages, not {}", messages.len()) };
    assert_eq!(assigned.kind, "assigned");
    assert_eq!((message.kind.as_str(), message.recipient.as_str()), ("acknowledgement", "eve"));
    assert_eq!((message.queued_at, message.sent_at), (wanted.at, None));
}

#[tokio::test]
async fn whoever_asks_at_the_same_time_is_told_of_their_own_tickets() {
    let told = on_both(async |store| {
        fill(&store).await;
        let (eve, zoe, nobody) = (person("eve"), person("Zoe"), person("nobody"));
        // More than one statement holds, so that some wait for the next.
        let asks: Vec<_> = [&eve, &zoe, &nobody].into_iter().cycle().take(50).cloned().collect();
        let asks = asks.into_iter().map(|who| {
            let store = store.clone();
            tokio::spawn(async move { (store.recent(&who, at(15 * 60_000), 50).await.unwrap(), who) })
        });
        let mut told = Vec::new();
        for ask in asks.collect::<Vec<_>>() {
            let (tickets, who) = ask.await.unwrap();
            told.push((who.to_string(), tickets.iter().map(|ticket| ticket.number.0).collect::<Vec<_>>()));
        }
        told
    })
    .await;
    assert_eq!(told.len(), 50);
    for (who, numbers) in told {
        let own: &[i64] = match who.as_str() {
            "eve" => &[1, 2, 3, 4],
            "Zoe" => &[5],
            _ => &[],
        };
        assert_eq!(numbers, own, "{who}");
    }
}

#[tokio::test]
async fn recent_tickets_are_one_requesters_newest_first() {
    let recent = on_both(async |store| {
        fill(&store).await;
        let recent = store.recent(&person("eve"), at(15 * 60_000), 2).await.unwrap();
        let all = store.recent(&person("eve"), at(15 * 60_000), 50).await.unwrap();
        let keys: Vec<i64> = all.iter().map(|ticket| ticket.number.0).collect();
        (recent.first().cloned(), recent.len(), keys)
    })
    .await;
    let (first, count, keys) = recent;
    // Ticket n was submitted 20 - n minutes after the start: 5 was Zoe's, and 6 came too early.
    assert_eq!(keys, [1, 2, 3, 4]);
    assert_eq!(count, 2);
    let first = first.unwrap();
    assert_eq!((first.subject.as_str(), first.state.as_str(), first.created_at), ("ticket 1", "open", at(19 * 60_000)));
}
