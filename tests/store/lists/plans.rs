//! No list sorts or reads a whole table, however it is narrowed: taken from the plans of both databases.

use ruledesk::desk::ticket::State;
use ruledesk::store::Target;
use ruledesk::store::db::Db;
use ruledesk::store::tickets::list::{DuePlace, Filter, NO_ONE, Plan, Start, UpdatedPlace};

use super::many::{COMMON, RARE, filters, on_both_with_many, rows};
use crate::store::fixture::{on_postgres, on_sqlite};

/// A line of a plan that is a scan or a sort.
fn bad(line: &str) -> bool {
    // A walk through a table or its index from end to end, and a sort, in SQLite's words and in PostgreSQL's.
    let sqlite = ["SCAN tickets", "SCAN tagged", "TEMP B-TREE"].iter().any(|word| line.contains(word));
    sqlite || line.contains("Seq Scan") || line.contains("Sort")
}

fn starts() -> Vec<Start> {
    let rows = rows();
    let (one, other) = (&rows[3_000], &rows[3_020]);
    assert!(one.place().finished != other.place().finished, "one in each half of the queue");
    let updated = UpdatedPlace { updated: one.updated, number: one.number };
    vec![
        Start::Queue(None),
        Start::Queue(Some(one.place())),
        Start::Queue(Some(other.place())),
        Start::Number(None),
        Start::Number(Some(3_000)),
        Start::Updated(None),
        Start::Updated(Some(updated)),
        Start::Newest,
        Start::Due(None),
        Start::Due(Some(DuePlace { due: one.due, number: one.number })),
    ]
}

#[tokio::test]
async fn every_list_is_served_by_an_index() {
    on_both_with_many(async |store, sqlite| {
        let mut seen = 0;
        for filter in filters() {
            for start in starts() {
                for Plan { statement, lines } in store.list_plans(&filter, start, 50).await.unwrap() {
                    let plan = lines.join("\n");
                    assert!(!lines.iter().any(|line| bad(line)), "{filter:?} {start:?}\n{statement}\n{plan}");
                    let by_index: &[&str] =
                        if sqlite { &["SEARCH tickets USING", "SEARCH tagged USING"] } else { &["Index"] };
                    let is_by_index = by_index.iter().any(|word| plan.contains(word));
                    assert!(is_by_index, "{filter:?} {start:?}\n{statement}\n{plan}");
                    // Each walk has an end, also where nothing matches; what is asked for by number has one anyway.
                    let walks = statement.matches("from tickets").count() + statement.matches("from tagged").count();
                    let bounded = statement.contains("number in (") || walks <= statement.matches(" limit ").count();
                    assert!(bounded, "{filter:?} {start:?}\n{statement}");
                    let texts = ["contents", " body", "details"];
                    assert!(!texts.iter().any(|text| statement.contains(text)), "it reads a text: {statement}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 2 * filters().len() * starts().len(), "{seen} plans");
    })
    .await;
}

/// However far one turns the pages, none costs more than the second did: no more walks, each with its end.
#[tokio::test]
async fn the_last_page_costs_no_more_than_the_second() {
    on_both_with_many(async |store, _| {
        let (filter, mut next, mut pages) = (Filter::default(), Some(Start::default()), Vec::new());
        while let Some(start) = next {
            next = store.tickets(&filter, start, 50).await.unwrap().next;
            pages.push(start);
        }
        assert!(pages.len() >= 120, "{} pages", pages.len());
        let mut costs = Vec::new();
        for start in [pages[1], pages[60], pages[pages.len() - 2]] {
            let plans = store.list_plans(&filter, start, 50).await.unwrap();
            costs.push(plans.iter().map(|plan| plan.statement.matches("from tickets").count()).sum::<usize>());
            assert!(!plans.iter().flat_map(|plan| &plan.lines).any(|line| bad(line)), "{plans:?}");
        }
        assert!(
            costs.iter().all(|cost| *cost <= costs[0]),
            "walks of the second page, of one in the middle, of the last: {costs:?}"
        );
        // Counts stop, however many there are.
        assert_eq!(store.count_tickets(&filter, 999).await.unwrap(), (999, true));
    })
    .await;
}

/// Also where there are more tickets than are looked at for one page: a mistake in such a name is found at once, and no page is short.
#[tokio::test]
async fn what_no_person_has_and_what_came_by_a_form_is_found_whole_or_known_not_to_be() {
    on_both_with_many(async |store, _| {
        let by_form = |name: &str| Filter { request_type: Some(name.to_owned()), ..Filter::default() };
        let no_one = Filter { assignee: Some(NO_ONE.to_owned()), ..Filter::default() };
        for start in [Start::Queue(None), Start::Number(None), Start::Updated(None)] {
            let page = store.tickets(&by_form("none-such"), start, 50).await.unwrap();
            assert!(page.items.is_empty() && page.next.is_none(), "{start:?}");
            for filter in [by_form("wish"), no_one.clone()] {
                let page = store.tickets(&filter, start, 50).await.unwrap();
                assert_eq!((page.items.len(), page.next.is_some()), (50, true), "{filter:?} {start:?}");
            }
        }
    })
    .await;
}

/// However rare a tag is: its list has no short page and no end that is only an end of looking, in any order; and what its tickets have
/// in common with others is found among them and not among those others.
#[tokio::test]
async fn what_has_a_tag_is_found_whole_or_known_not_to_be() {
    on_both_with_many(async |store, _| {
        let tagged = |name: &str| Filter { tag: Some(name.to_owned()), ..Filter::default() };
        let starts = [Start::Queue(None), Start::Number(None), Start::Updated(None), Start::Due(None), Start::Newest];
        for start in starts {
            for filter in [tagged("none-such"), Filter { team: Some("big".to_owned()), ..tagged("rare-not") }] {
                let page = store.tickets(&filter, start, 50).await.unwrap();
                assert!(page.items.is_empty() && page.next.is_none(), "{filter:?} {start:?}");
            }
            let of_team = Filter { team: Some(RARE.1.to_owned()), ..tagged(RARE.0) };
            for filter in [tagged(RARE.0), of_team] {
                let page = store.tickets(&filter, start, 50).await.unwrap();
                let numbers: Vec<i64> = page.items.iter().map(|ticket| ticket.number.0).collect();
                assert_eq!((numbers, page.next.is_some()), (vec![RARE.2], false), "{filter:?} {start:?}");
            }
        }
        for start in [Start::Queue(None), Start::Number(None)] {
            let page = store.tickets(&tagged("outage"), start, 50).await.unwrap();
            assert_eq!((page.items.len(), page.next.is_some()), (50, true), "{start:?}");
        }
        assert_eq!(store.count_tickets(&tagged(RARE.0), 999).await.unwrap(), (1, false));
        let outages = rows().iter().filter(|row| row.fits(&tagged("outage"))).count();
        assert!(outages < 999, "{outages}");
        assert_eq!(store.count_tickets(&tagged("outage"), 999).await.unwrap(), (outages, false));
    })
    .await;
}

/// Of a tag with more tickets than are gathered: a page is full in any order, what few of them have is looked for until it is found, and
/// where something else narrows the list as well, that is what they are found by.
#[tokio::test]
async fn what_has_a_common_tag_is_in_whole_pages_too() {
    let is_merged = State::from_code("merged").unwrap();
    on_both_with_many(async |store, _| {
        let of_all = Filter { tag: Some(COMMON.to_owned()), ..Filter::default() };
        let starts = [Start::Queue(None), Start::Number(None), Start::Updated(None), Start::Due(None), Start::Newest];
        for start in starts {
            let page = store.tickets(&of_all, start, 50).await.unwrap();
            let goes_on = !matches!(start, Start::Newest);
            assert_eq!((page.items.len(), page.next.is_some()), (50, goes_on), "{start:?}");
        }
        let merged = Filter { states: vec![is_merged], ..of_all.clone() };
        let expected = rows().iter().filter(|row| row.fits(&merged)).count();
        assert!((1..50).contains(&expected), "{expected}");
        for start in [Start::Updated(None), Start::Newest] {
            let page = store.tickets(&merged, start, 50).await.unwrap();
            assert_eq!((page.items.len(), page.next.is_some()), (expected, false), "{start:?}");
        }
        let of_team = Filter { team: Some("team-4".to_owned()), ..of_all.clone() };
        let plans = store.list_plans(&of_team, Start::default(), 50).await.unwrap();
        let by_tag = plans.iter().filter(|plan| plan.statement.contains("from tagged")).count();
        assert_eq!(by_tag, 1, "only that the tag is common is seen there: {plans:?}");
    })
    .await;
}

/// The check of plans sees what it is there for.
#[tokio::test]
async fn a_scan_and_a_sort_show_in_a_plan() {
    let (_, dir) = on_sqlite().await;
    let sqlite = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    let (_, target) = on_postgres().await;
    let Target::Postgres(url) = target else { panic!("not on PostgreSQL") };
    let postgres = Db::open_postgres(&url).await.unwrap();
    for db in [sqlite, postgres] {
        let mut tx = db.begin_reading().await.unwrap();
        let scan = "select number from tickets where subject = $1 limit 50";
        let lines = tx.plan(scan, vec!["a subject".into()]).await.unwrap();
        assert!(lines.iter().any(|line| bad(line)), "{lines:?}");
        let sort = "select number from tickets where number > $1 order by subject limit 50";
        let lines = tx.plan(sort, vec![1.into()]).await.unwrap();
        assert!(lines.iter().any(|line| line.contains("B-TREE") || line.contains("Sort")), "{lines:?}");
        tx.end().await.unwrap();
        db.close().await;
    }
}
