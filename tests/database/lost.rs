//! A connection that is lost: before the commit, the whole transaction is made again; during it, nobody claims to know.

use std::time::Duration;

use ruledesk::store::{Committed, Error, IdempotencyKey, Store, Target};

use super::proxy::Proxy;
use crate::store::fixture::{Wanted, count, organisation};
use crate::support::postgres;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_before_the_commit_costs_nothing_and_one_lost_during_it_is_told() {
    let url = postgres::fresh_database();
    let proxy = Proxy::before(&url, Duration::ZERO);
    let store = Store::open(&Target::Postgres(proxy.url(&url))).await.unwrap();
    let create = |n| Wanted::new(n).create(&organisation());
    let before = store.commit(create(1)).await.unwrap();
    assert!(matches!(before, Committed::Written { .. }));
    for text in ["begin", "insert into timeline", "update chain_heads"] {
        let ticket = u128::try_from(text.len()).unwrap() * 10;
        // Statements that were prepared before have no text: a new connection has prepared none.
        let store = Store::open(&Target::Postgres(proxy.url(&url))).await.unwrap();
        proxy.cut_after(text);
        let created = store.commit(create(ticket)).await.unwrap();
        assert!(matches!(created, Committed::Written { .. }), "{text}: {created:?}");
        assert!(proxy.has_cut(), "{text}");
        store.close().await;
    }
    assert_eq!(count(&store).await, 4);
    let key = |n| IdempotencyKey { actor: None, key: format!("key {n}"), digest: "d".to_owned(), kept_for: None };
    let (mut asked, mut sent_again) = (create(5), create(6));
    asked.idempotency = Some(key(5));
    sent_again.idempotency = Some(key(5));
    proxy.cut_after("commit");
    let told = store.commit(asked.clone()).await.unwrap_err();
    assert!(matches!(told, Error::MayBeDone(_)), "{told}");
    // The server had it: sent again under its key, it gives the ticket that there is.
    let again = store.commit(sent_again).await.unwrap();
    assert!(matches!(again, Committed::Before(ticket) if ticket == asked.change.after().id), "{again:?}");
    assert_eq!(count(&store).await, 5);
    store.close().await;
}
