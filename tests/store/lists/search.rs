//! Searches of tickets: words by name find what their beginnings find, no search sorts, and an index is filled from the newest
//! ticket on.

use ruledesk::desk::id::TicketNumber;
use ruledesk::store::db::{Arg, Db, Tx};
use ruledesk::store::sql::search::{FORGET_TICKETS, KEEP_TICKETS, Named, Wanted, indexed};
use ruledesk::store::tickets::list::Filter;
use ruledesk::store::tickets::search::SearchFilter;
use ruledesk::store::{Store, Target};

use super::many::{COMMON, RARE, on_both_with_many, rows};
use crate::store::fixture::{self, on_both, on_postgres, on_sqlite, organisation};

/// Pieces that words are made of: with accents, in several shapes, without spaces between words, and such as no index of SQLite's own
/// making would take for letters.
const PIECES: [&str; 28] = [
    "print",
    "er",
    "ers",
    "toner",
    "Straß",
    "STRASSE",
    "é",
    "cre\u{300}me",
    "οδός",
    "ΟΔΟΣ",
    "東京",
    "プリンターが",
    "壊れた",
    "VPN",
    "🚀",
    "ⓐ",
    "ı",
    "I",
    "İ",
    "\u{1e900}",
    "802",
    "11ac",
    "ſ",
    "ﬁ",
    "ø",
    "\u{301}",
    "นะครับ",
    "\"*",
];
/// More words than a search names, that begin alike.
const ALIKE: usize = 90;

/// Numbers in an order without a rule, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn word(&mut self) -> String {
        if self.below(4) == 0 {
            return format!("alike{}", self.below(ALIKE));
        }
        (0..=self.below(3)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    fn text(&mut self, words: usize) -> String {
        (0..=self.below(words)).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn beginning(&mut self) -> String {
        let word = self.word();
        let chars = 1 + self.below(word.chars().count());
        word.chars().take(chars).collect()
    }

    /// The beginnings of some words.
    fn query(&mut self) -> String {
        (0..=self.below(2)).map(|_| self.beginning()).collect::<Vec<_>>().join(" ")
    }
}

async fn put(db: &Db, rows: Vec<(i64, String)>) {
    let mut tx = db.begin().await.unwrap();
    let (head, tail) = FORGET_TICKETS;
    let old = rows.iter().map(|(id, _)| vec![Arg::from(*id)]).collect();
    tx.insert(head.text(db), 1, tail, old).await.unwrap();
    let (head, tail) = KEEP_TICKETS;
    let new = rows.into_iter().map(|(id, text)| vec![Arg::from(id), indexed(&text).into()]).collect();
    tx.insert(head.text(db), 2, tail.text(db), new).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
}

async fn named(tx: &mut Tx, wanted: &Wanted) -> Named {
    let beginnings = wanted.beginnings();
    let (sql, ends) = Named::statement(&beginnings);
    let rows = tx.all(&sql, ends.into_iter().map(Arg::from).collect()).await.unwrap();
    let rows = rows.iter().map(|row| (usize::try_from(row.int(0).unwrap()).unwrap(), row.text(1).unwrap()));
    Named::of(&beginnings, rows)
}

async fn having(tx: &mut Tx, text: &str) -> Vec<i64> {
    let sql = "select rowid from tickets_text where tickets_text match $1 order by rowid desc";
    tx.all(sql, vec![text.into()]).await.unwrap().iter().map(|row| row.int(0).unwrap()).collect()
}

#[tokio::test]
async fn words_by_name_find_what_their_beginnings_find() {
    let (store, dir) = on_sqlite().await;
    let db = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    let mut dice = Dice(7);
    // Several pieces of an index, whose rows are in part replaced later.
    for from in (0..600).step_by(100) {
        put(&db, (from..from + 100).map(|id| (id, dice.text(6))).collect()).await;
    }
    put(&db, (0..600).step_by(7).map(|id| (id, dice.text(6))).collect()).await;
    let (mut found, mut none, mut gathered) = (0, 0, 0);
    let mut tx = db.begin_searching().await.unwrap();
    for _ in 0..800 {
        let query = dice.query();
        let Some(wanted) = Wanted::all(&query) else { continue };
        let text = wanted.text_by_name(&named(&mut tx, &wanted).await);
        let (by_name, by_beginning) = (having(&mut tx, &text).await, having(&mut tx, &wanted.text(true)).await);
        assert_eq!(by_name, by_beginning, "{query}: {text}");
        found += usize::from(!by_name.is_empty());
        none += usize::from(by_name.is_empty());
        gathered += usize::from(text.contains('*'));
    }
    assert!(found > 100 && none > 20 && gathered > 20, "{found} {none} {gathered}");
    tx.end().await.unwrap();
    // All of a word's letters are in the index, whichever they are.
    put(&db, vec![(9_000, "\u{1e900}\u{1e901}qq ⓐqq ΟΔΟΣqq ſqq".to_owned())]).await;
    let mut tx = db.begin_searching().await.unwrap();
    for query in ["\u{1e922}\u{1e923}q", "ⓐq", "οδοσqq", "sqq"] {
        let wanted = Wanted::all(query).unwrap();
        let text = wanted.text_by_name(&named(&mut tx, &wanted).await);
        assert_eq!(having(&mut tx, &text).await, [9_000], "{query}: {text}");
    }
    tx.end().await.unwrap();
    db.close().await;
    store.close().await;
}

#[tokio::test]
async fn a_search_gives_the_same_as_looking_at_every_ticket() {
    let rows = rows();
    on_both_with_many(async |store, _| {
        for (words, every) in [("pri TONER", 1), ("zeppelin", 1_000), ("printer zep", 1_000), ("zz", i64::MAX)] {
            for (team, before, limit) in [(None, None, 200), (Some("big"), None, 50), (Some("big"), Some(3_001), 7)] {
                let filter = SearchFilter { team: team.map(str::to_owned), before, ..SearchFilter::default() };
                let found = store.search_tickets(Wanted::all(words).unwrap(), &filter, limit).await.unwrap();
                let found: Vec<i64> = found.iter().map(|ticket| ticket.number.0).collect();
                let fits = rows.iter().rev().filter(|row| row.number % every == 0);
                let fits = fits.filter(|row| team.is_none_or(|team| row.team == team));
                let fits = fits.filter(|row| before.is_none_or(|before| row.number < before));
                assert_eq!(found, fits.take(limit).map(|row| row.number).collect::<Vec<_>>(), "{words} {filter:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_search_for_what_many_tickets_have_sorts_nothing() {
    on_both_with_many(async |store, sqlite| {
        for team in [None, Some("big".to_owned())] {
            let filter = SearchFilter { team, ..SearchFilter::default() };
            let wanted = Wanted::all("printer toner").unwrap();
            let (text, lines) = store.search_plan(&wanted, &filter).await.unwrap();
            let plan = lines.join("\n");
            let sorts = plan.contains("TEMP B-TREE") || plan.contains("Sort");
            if sqlite {
                assert_eq!(text, "(\"printer\" OR \"printers\") AND \"toner\"");
                assert!(plan.contains("SEARCH t USING") && !sorts, "{filter:?}\n{plan}");
            } else if filter.team.is_none() {
                assert!(plan.contains("Backward") && !sorts, "it goes through the newest first: {plan}");
            } else {
                // The tickets of the team are what it goes through, and never all rows that have the words.
                assert!(plan.contains("tickets_text_pkey") && !plan.contains("Bitmap Index"), "{plan}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn private_words_are_found_by_those_who_read_them_also_within_a_filter() {
    let (sqlite, dir) = on_sqlite().await;
    let db = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    private(&sqlite, &db).await;
    let (postgres, target) = on_postgres().await;
    let Target::Postgres(url) = target else { panic!("not on PostgreSQL") };
    let db = Db::open_postgres(&url).await.unwrap();
    private(&postgres, &db).await;
}

/// As many tickets have the words as make a search within a filter go through the tickets.
async fn private(store: &Store, db: &Db) {
    for n in 1..=12 {
        create(store, n, "Zeppelin gateway").await;
    }
    index_all(store).await;
    put(db, (1..=12).map(|number| (2 * number + 1, "blimp".to_owned())).collect()).await;
    for (words, in_public, newest) in
        [("blimp", false, Some(6)), ("blimp", true, None), ("zeppelin", false, Some(6)), ("zeppelin", true, Some(6))]
    {
        let (requester, before) = (Some("eve".to_owned()), Some(7));
        let filter = SearchFilter { requester, before, in_public, ..SearchFilter::default() };
        let found = store.search_tickets(Wanted::all(words).unwrap(), &filter, 200).await.unwrap();
        assert_eq!(found.first().map(|ticket| ticket.number.0), newest, "{words} {in_public}");
        assert_eq!(found.len(), if newest.is_some() { 6 } else { 0 }, "{words} {in_public}");
    }
    store.close().await;
    db.close().await;
}

/// Few have it, or many, or all, or none.
#[tokio::test]
async fn a_search_within_a_tag_gives_the_same_as_looking_at_every_ticket() {
    let rows = rows();
    on_both_with_many(async |store, _| {
        for (words, every) in [("pri TONER", 1), ("zeppelin", 1_000), ("zz", i64::MAX)] {
            for tag in ["none-such", RARE.0, "vip", "outage", COMMON] {
                for (team, before, limit) in [(None, None, 200), (Some("big"), None, 50), (None, Some(3_001), 7)] {
                    let (tag, team) = (Some(tag.to_owned()), team.map(str::to_owned));
                    let of_list = Filter { tag: tag.clone(), team: team.clone(), ..Filter::default() };
                    let filter = SearchFilter { tag, team, before, ..SearchFilter::default() };
                    let found = store.search_tickets(Wanted::all(words).unwrap(), &filter, limit).await.unwrap();
                    let found: Vec<i64> = found.iter().map(|ticket| ticket.number.0).collect();
                    let fits = rows.iter().rev().filter(|row| row.number % every == 0 && row.fits(&of_list));
                    let fits = fits.filter(|row| before.is_none_or(|before| row.number < before));
                    assert_eq!(found, fits.take(limit).map(|row| row.number).collect::<Vec<_>>(), "{words} {filter:?}");
                }
            }
        }
    })
    .await;
}

/// Of words that each ticket has, in a tag that one has: not all of them are gone through for that one.
#[tokio::test]
async fn a_search_within_a_rare_tag_goes_through_the_tickets_of_the_tag() {
    on_both_with_many(async |store, sqlite| {
        let wanted = Wanted::all("printer toner").unwrap();
        for (tag, is_rare) in [(RARE.0, true), (COMMON, false)] {
            let filter = SearchFilter { tag: Some(tag.to_owned()), ..SearchFilter::default() };
            let (_, lines) = store.search_plan(&wanted, &filter).await.unwrap();
            let plan = lines.join("\n");
            if sqlite {
                let by = if is_rare { "SEARCH g USING PRIMARY KEY (tag=?)" } else { "SCAN x VIRTUAL TABLE" };
                assert!(lines.first().is_some_and(|line| line.contains(by)), "{tag}\n{plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{tag}\n{plan}");
            } else {
                let by_words = plan.contains("Bitmap Index Scan on tickets_text");
                assert!(plan.contains("tagged") && plan.contains("tickets_text_pkey") && !by_words, "{tag}\n{plan}");
            }
        }
    })
    .await;
}

async fn index_all(store: &Store) {
    while store.index_pending().await.unwrap() > 0 {}
}

async fn find(store: &Store, words: &str) -> Vec<i64> {
    let found = store.search_tickets(Wanted::all(words).unwrap(), &SearchFilter::default(), 200).await.unwrap();
    found.iter().map(|ticket| ticket.number.0).collect()
}

async fn create(store: &Store, n: u128, subject: &str) {
    let wanted = fixture::Wanted { subject: subject.to_owned(), ..fixture::Wanted::new(n) };
    store.commit(wanted.create(&organisation())).await.unwrap();
}

#[tokio::test]
async fn tickets_with_new_words_are_put_into_the_index_together() {
    on_both(async |store| {
        for n in 1..=3 {
            create(&store, n, "Zeppelin gateway").await;
        }
        assert_eq!(find(&store, "zepp").await, [0; 0], "the index is behind");
        assert_eq!(store.index_pending().await.unwrap(), 3);
        assert_eq!(store.index_pending().await.unwrap(), 0);
        assert_eq!(find(&store, "zepp gate").await, [3, 2, 1]);
        assert_eq!(find(&store, "zepp work").await, [3, 2, 1], "the body has a word of it");
    })
    .await;
}

#[tokio::test]
async fn pieces_of_the_index_are_merged_until_there_is_nothing_to_merge() {
    let (store, _dir) = on_sqlite().await;
    for n in 1..=6 {
        create(&store, n, "Zeppelin gateway").await;
        index_all(&store).await;
    }
    assert!(store.merge_index().await.unwrap(), "six pieces");
    while store.merge_index().await.unwrap() {}
    assert_eq!(find(&store, "zepp").await, [6, 5, 4, 3, 2, 1]);
    store.close().await;
    let (postgres, _) = on_postgres().await;
    assert!(!postgres.merge_index().await.unwrap(), "PostgreSQL has one index");
    postgres.close().await;
}

/// As after a migration that built the index again.
async fn forget_all(db: &Db, last: i64) {
    let mut tx = db.begin().await.unwrap();
    let forget = match db {
        Db::Sqlite(_) => "insert into tickets_text (tickets_text) values ('delete-all')",
        Db::Postgres(_) => "delete from tickets_text",
    };
    tx.execute(forget, Vec::new()).await.unwrap();
    tx.execute("insert into search_filling (up_to) values ($1)", vec![last.into()]).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
}

#[tokio::test]
async fn an_index_is_filled_from_the_newest_ticket_on_and_says_which_are_missing() {
    let (sqlite, dir) = on_sqlite().await;
    let db = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    filled(&sqlite, &db).await;
    let (postgres, target) = on_postgres().await;
    let Target::Postgres(url) = target else { panic!("not on PostgreSQL") };
    let db = Db::open_postgres(&url).await.unwrap();
    filled(&postgres, &db).await;
}

async fn filled(store: &Store, db: &Db) {
    for n in 1..=300 {
        create(store, n, "Zeppelin gateway").await;
    }
    index_all(store).await;
    forget_all(db, 300).await;
    assert_eq!(store.filled_down_to().await.unwrap(), Some(TicketNumber(300)));
    create(store, 301, "Zeppelin of today").await;
    assert_eq!(store.index_pending().await.unwrap(), 1, "what is new comes first");
    assert_eq!(find(store, "zepp").await, [301]);
    while store.filled_down_to().await.unwrap() == Some(TicketNumber(300)) {
        store.index_pending().await.unwrap();
    }
    store.index_pending().await.unwrap();
    let left = store.filled_down_to().await.unwrap().unwrap();
    assert!(left < TicketNumber(300), "{left}");
    let (newest, found) = (find(store, "zepp").await, find(store, "gateway").await);
    assert_eq!((newest[0], found[0], found.len()), (301, 300, 200));
    let oldest = SearchFilter { before: Some(left.0 + 1), ..SearchFilter::default() };
    let search = async || store.search_tickets(Wanted::all("gateway").unwrap(), &oldest, 1).await.unwrap().len();
    assert_eq!(search().await, 0, "those up to {left} are missing");
    index_all(store).await;
    assert_eq!((search().await, store.filled_down_to().await.unwrap()), (1, None));
    store.close().await;
    db.close().await;
}
