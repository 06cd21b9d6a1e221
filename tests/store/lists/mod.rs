//! Lists: what is in them, in which order, page by page, however they are narrowed; and what happens to a ticket that moves
//! meanwhile.

use ruledesk::desk::ticket::edit::EditTicket as Edit;
use ruledesk::store::Store;
use ruledesk::store::tickets::list::{DuePlace, Filter, Start, UpdatedPlace};

use super::edits::change;
use super::fixture::{Wanted, at, on_both, organisation};
use many::{APART, Row, filters, instant, on_both_with_many, rows};

mod many;
mod plans;
mod search;

/// Pages that a list may need for so few tickets as there are here.
const PAGES_MAX: usize = 12;

/// So many numbers from a place on, or all that there are.
async fn read(store: &Store, filter: &Filter, start: Start, limit: usize, wanted: usize) -> Vec<i64> {
    let (mut found, mut next, mut pages) = (Vec::new(), Some(start), 0);
    while let Some(start) = next.filter(|_| found.len() < wanted) {
        let page = store.tickets(filter, start, limit).await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items.iter().map(|ticket| ticket.number.0));
        next = page.next;
        pages += 1;
        assert!(pages <= PAGES_MAX, "{filter:?} {start:?}: {pages} pages for {} tickets", found.len());
    }
    found.truncate(wanted);
    found
}

fn numbers(rows: &[&Row]) -> Vec<i64> {
    rows.iter().map(|row| row.number).collect()
}

/// A list from its beginning, from its middle and from near its end.
async fn compare(store: &Store, filter: &Filter, expected: &[&Row], start: impl Fn(Option<&Row>) -> Start) {
    const WANTED: usize = 30;
    let places = [None, Some(expected.len() / 3), Some(expected.len().saturating_sub(9))];
    for place in places {
        let after = place.and_then(|place| expected.get(place)).copied();
        let rest: Vec<&Row> = match (place, after) {
            (Some(place), Some(_)) => expected.iter().skip(place + 1).take(WANTED).copied().collect(),
            _ => expected.iter().take(WANTED).copied().collect(),
        };
        let found = read(store, filter, start(after), 12, WANTED).await;
        assert_eq!(found, numbers(&rest), "{filter:?} after {after:?}");
    }
}

#[tokio::test]
async fn every_filter_and_pair_gives_the_same_list_as_looking_at_every_ticket() {
    let rows = rows();
    on_both_with_many(async |store, _| {
        for filter in filters() {
            let mut expected: Vec<&Row> = rows.iter().filter(|row| row.fits(&filter)).collect();
            compare(store, &filter, &expected, |after| Start::Number(after.map(|row| row.number))).await;
            expected.sort_by_key(|row| row.place());
            compare(store, &filter, &expected, |after| Start::Queue(after.map(Row::place))).await;
            let updated = |row: &Row| UpdatedPlace { updated: row.updated, number: row.number };
            expected.sort_by_key(|row| updated(row));
            compare(store, &filter, &expected, |after| Start::Updated(after.map(updated))).await;
            let due = |row: &Row| DuePlace { due: row.due, number: row.number };
            expected.retain(|row| row.state.is_unfinished());
            expected.sort_by_key(|row| due(row));
            compare(store, &filter, &expected, |after| Start::Due(after.map(due))).await;
        }
    })
    .await;
}

#[tokio::test]
async fn pages_of_any_size_make_the_whole_list() {
    let rows = rows();
    let filter = Filter { team: Some("team-4".to_owned()), ..Filter::default() };
    let mut expected: Vec<&Row> = rows.iter().filter(|row| row.fits(&filter)).collect();
    expected.sort_by_key(|row| row.place());
    on_both_with_many(async |store, _| {
        for limit in [37, 50, 77, 200] {
            assert_eq!(read(store, &filter, Start::default(), limit, 10_000).await, numbers(&expected), "{limit}");
        }
    })
    .await;
}

/// Neither is rare, and they never meet: the first page gives up after a while and says where to go on.
#[tokio::test]
async fn what_is_found_nowhere_is_looked_for_a_bounded_while() {
    let (team, category) = APART;
    let filter = Filter { team: Some(team.to_owned()), category: Some(category.to_owned()), ..Filter::default() };
    assert!(!rows().iter().any(|row| row.fits(&filter)));
    on_both_with_many(async |store, _| {
        for (begin, pages) in [(Start::Number(None), 2), (Start::Updated(None), 2)] {
            let (mut next, mut seen) = (Some(begin), 0);
            while let Some(start) = next {
                let page = store.tickets(&filter, start, 50).await.unwrap();
                assert_eq!(page.items, []);
                assert_ne!(page.next, Some(start), "it goes on");
                next = page.next;
                seen += 1;
            }
            assert_eq!(seen, pages, "{begin:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn changes_since_an_instant_are_those_and_no_others() {
    let rows = rows();
    let since = rows[100].updated;
    let mut expected: Vec<&Row> = rows.iter().filter(|row| row.updated >= since).collect();
    expected.sort_by_key(|row| (row.updated, row.number));
    expected.truncate(50);
    on_both_with_many(async |store, _| {
        let start = Start::Updated(Some(UpdatedPlace::before(instant(since))));
        assert_eq!(read(store, &Filter::default(), start, 50, 50).await, numbers(&expected));
    })
    .await;
}

#[tokio::test]
async fn the_last_changed_come_first_where_the_newest_are_wanted() {
    let rows = rows();
    let filters = [Filter::default(), Filter { team: Some("team-4".to_owned()), ..Filter::default() }];
    on_both_with_many(async |store, _| {
        for filter in &filters {
            let mut expected: Vec<&Row> = rows.iter().filter(|row| row.fits(filter)).collect();
            expected.sort_by_key(|row| std::cmp::Reverse((row.updated, row.number)));
            expected.truncate(50);
            assert_eq!(read(store, filter, Start::Newest, 50, 50).await, numbers(&expected), "{filter:?}");
        }
    })
    .await;
}

/// An export that turns pages while tickets move: by number and by change nothing is missed; in the queue something is.
#[tokio::test]
async fn a_ticket_that_moves_between_two_pages_is_in_an_export() {
    let seen = on_both(async |store| {
        let mut seen = Vec::new();
        let starts = [Start::Queue(None), Start::Number(None), Start::Updated(None)];
        for (round, begin) in starts.into_iter().enumerate() {
            let first = u128::try_from(round * 6).unwrap();
            for n in 1..=6 {
                let wanted = Wanted { team: ["solo", "odd", "even"][round], ..Wanted::new(first + n) };
                store.commit(wanted.create(&organisation())).await.unwrap();
            }
            let filter = Filter { team: Some(["solo", "odd", "even"][round].to_owned()), ..Filter::default() };
            let page = store.tickets(&filter, begin, 2).await.unwrap();
            let mut found: Vec<String> = page.items.iter().map(|ticket| ticket.subject.clone()).collect();
            // The last of the list becomes its first.
            let critical = Edit { priority: Some("critical".to_owned()), ..Edit::default() };
            change(&store, i64::try_from(first + 6).unwrap(), critical).await;
            let mut next = page.next;
            while let Some(start) = next {
                let page = store.tickets(&filter, start, 2).await.unwrap();
                found.extend(page.items.iter().map(|ticket| ticket.subject.clone()));
                next = page.next;
            }
            seen.push((found.len(), found.contains(&format!("ticket {}", first + 6))));
        }
        seen
    })
    .await;
    assert_eq!(seen, [(5, false), (6, true), (6, true)]);
}

/// Its rows by tag are written with the ticket: when it opens, when it moves, and when it gets other tags.
#[tokio::test]
async fn a_ticket_is_found_by_the_tags_that_it_has_and_where_it_stands() {
    let seen = on_both(async |store| {
        for n in 1..=3 {
            store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
        }
        let lists = async |store: &Store| {
            let mut found = Vec::new();
            for (tag, start) in
                [("vip", Start::Queue(None)), ("vip", Start::Number(None)), ("site", Start::Queue(None))]
            {
                let filter = Filter { tag: Some(tag.to_owned()), ..Filter::default() };
                found.push(read(store, &filter, start, 2, 10).await);
            }
            found
        };
        let tags = |tags: &[&str]| Some(tags.iter().map(|tag| (*tag).to_owned()).collect());
        let mut seen = vec![lists(&store).await];
        change(&store, 3, Edit { priority: Some("critical".to_owned()), ..Edit::default() }).await;
        change(&store, 1, Edit { tags: tags(&["site", "vip"]), ..Edit::default() }).await;
        seen.push(lists(&store).await);
        change(&store, 3, Edit { tags: tags(&["site"]), ..Edit::default() }).await;
        change(&store, 2, Edit { tags: tags(&[]), ..Edit::default() }).await;
        seen.push(lists(&store).await);
        seen
    })
    .await;
    assert_eq!(seen[0], [vec![1, 2, 3], vec![1, 2, 3], vec![]]);
    assert_eq!(seen[1], [vec![3, 1, 2], vec![1, 2, 3], vec![1]]);
    assert_eq!(seen[2], [vec![1], vec![1], vec![3, 1]]);
}

/// A long text is on a page, but not many of them.
#[tokio::test]
async fn a_page_of_a_timeline_has_a_bound_in_bytes_and_in_entries() {
    use ruledesk::desk::actor::Author;
    use ruledesk::desk::change::Change;
    use ruledesk::desk::id::{CommentId, TicketNumber};
    use ruledesk::desk::ticket::timeline::{Entry, Event, Visibility};
    let pages = on_both(async |store| {
        let opened = Wanted::new(1).create(&organisation()).change;
        let (mut said, entries) = (opened.entries().to_vec(), opened.entries().len());
        for n in 0..30_u128 {
            let body = "ü".repeat(100_000);
            let event = Event::Commented { comment: CommentId(super::fixture::uuid(5, n)), body };
            let visibility = if n % 10 == 0 { Visibility::Internal } else { Visibility::Public };
            said.push(Entry { at: at(0), author: Author::System, visibility, event });
        }
        let assignment = opened.assignment().cloned();
        store.commit(Change::of_parts(opened.ticket().clone(), assignment, said, Vec::new())).await.unwrap();
        let ticket = TicketNumber(1);
        let mut all = Vec::new();
        for (sees, limit) in [(Visibility::Internal, 200), (Visibility::Public, 200), (Visibility::Internal, 3)] {
            let (mut next, mut pages, mut seqs) = (Some(0), 0, Vec::new());
            while let Some(after) = next {
                let page = store.timeline_page(ticket, sees, after, limit).await.unwrap();
                let bytes = |entry: &Entry| match &entry.event {
                    Event::Commented { body, .. } => body.len(),
                    _ => 0,
                };
                let bytes: usize = page.items.iter().map(|item| bytes(&item.entry)).sum();
                assert!(page.items.len() <= limit && bytes < 1_300_000, "{bytes} bytes");
                seqs.extend(page.items.iter().map(|entry| entry.seq));
                next = page.next;
                pages += 1;
            }
            let whole = store.timeline(ticket, sees).await.unwrap();
            // Public entries count among themselves: a gap would tell of those that are left out.
            let places = whole.iter().zip(1_i64..).map(|(entry, n)| match sees {
                Visibility::Internal => entry.seq,
                Visibility::Public => n,
            });
            assert_eq!(seqs, places.collect::<Vec<_>>());
            all.push(pages);
        }
        (entries, all)
    })
    .await;
    // 30 comments of 200 kB are 6 MB; with the others, 36 entries by threes.
    assert_eq!((pages.0, pages.1), (5, vec![6, 5, 12]));
}
