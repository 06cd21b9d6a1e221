//! Idempotency: the same request again is the same ticket, however close together and wherever it arrives.

use ruledesk::desk::id::TicketId;
use ruledesk::store::{Commit, Committed, Error, IdempotencyKey, Store};

use super::fixture::{Wanted, count, on_both, on_postgres, organisation, person, uuid};

fn keyed(n: u128, actor: &str, key: &str, digest: &str) -> Commit {
    // No actor is the desk itself.
    let actor = (!actor.is_empty()).then(|| person(actor));
    let idempotency = IdempotencyKey { actor, key: key.to_owned(), digest: digest.to_owned(), kept_for: None };
    Commit { idempotency: Some(idempotency), ..Wanted::new(n).create(&organisation()) }
}

#[tokio::test]
async fn a_key_means_one_request_of_one_actor() {
    let (again, reused, other, desks, tickets) = on_both(async |store| {
        store.commit(keyed(1, "eve", "k", "d1")).await.unwrap();
        let again = store.commit(keyed(2, "eve", "k", "d1")).await.unwrap();
        let reused = matches!(store.commit(keyed(3, "eve", "k", "d2")).await, Err(Error::KeyReused));
        let other = store.commit(keyed(4, "Zoe", "k", "d2")).await.unwrap();
        let desks = store.commit(keyed(5, "", "k", "d2")).await.unwrap();
        let desks_again = store.commit(keyed(6, "", "k", "d2")).await.unwrap();
        let new = |created: &Committed| matches!(created, Committed::Written { .. });
        (again, reused, new(&other), (new(&desks), desks_again), count(&store).await)
    })
    .await;
    assert_eq!(again, Committed::Before(TicketId(uuid(1, 1))));
    assert!(reused && other);
    assert_eq!(desks, (true, Committed::Before(TicketId(uuid(1, 5)))), "the desk's own keys are nobody else's");
    assert_eq!(tickets, 3);
}

/// Sends each request to a store in turn, all at once, and counts the new tickets.
async fn race(stores: &[Store], creates: Vec<Commit>) -> usize {
    let mut tries = tokio::task::JoinSet::new();
    for (create, store) in creates.into_iter().zip(stores.iter().cycle()) {
        let store = store.clone();
        tries.spawn(async move { store.commit(create).await });
    }
    let mut new = 0;
    while let Some(created) = tries.join_next().await {
        new += usize::from(matches!(created.unwrap().unwrap(), Committed::Written { .. }));
    }
    new
}

#[tokio::test]
async fn of_many_with_one_key_at_once_one_makes_a_ticket() {
    let answer = on_both(async |store| {
        let creates = (0..32).map(|n| keyed(n, "eve", "k", "d")).collect();
        let new = race(std::slice::from_ref(&store), creates).await;
        (new, count(&store).await)
    })
    .await;
    assert_eq!(answer, (1, 1));
}

/// The hosts meet the keys in opposite orders, so that each could wait for what the other holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_share_a_database_agree_on_keys() {
    let (one, target) = on_postgres().await;
    let other = Store::open(&target).await.unwrap();
    for round in 0..20_u128 {
        let mut creates = Vec::new();
        for n in 0..16_u128 {
            for (host, key) in [(0, n), (1, 15 - n)] {
                creates.push(keyed(round * 100 + n * 2 + host, "eve", &format!("{round}-{key}"), "d"));
            }
        }
        assert_eq!(race(&[one.clone(), other.clone()], creates).await, 16, "round {round}");
    }
    assert_eq!(count(&one).await, 320);
}

/// A key is kept for so long, and then means nothing: another request may bear it. An import's is kept for good.
#[tokio::test]
async fn a_key_ends_and_is_forgotten() {
    let hour = std::time::Duration::from_secs(3600);
    let at = |n: u128, at: i64, kept_for| {
        let organisation = organisation();
        let wanted = Wanted { at: super::fixture::at(at), ..Wanted::new(n) };
        let idempotency =
            IdempotencyKey { actor: Some(person("eve")), key: "k".to_owned(), digest: n.to_string(), kept_for };
        Commit { idempotency: Some(idempotency), ..wanted.create(&organisation) }
    };
    let (early, late, forgotten, kept) = on_both(async |store| {
        store.commit(at(1, 0, Some(hour))).await.unwrap();
        let early = matches!(store.commit(at(2, 3_599_000, Some(hour))).await, Err(Error::KeyReused));
        let late = store.commit(at(3, 3_600_000, Some(hour))).await.unwrap();
        let claim = at(3, 0, None).idempotency.unwrap();
        let forgotten = [7_199_999, 7_200_000].map(super::fixture::at);
        let known = [
            store.made_under(&claim, forgotten[0]).await.unwrap().is_some(),
            store.made_under(&claim, forgotten[1]).await.unwrap().is_some(),
        ];
        let counts = [store.forget_keys(forgotten[0]).await.unwrap(), store.forget_keys(forgotten[1]).await.unwrap()];
        store.commit(at(4, 7_200_000, None)).await.unwrap();
        let kept = store.forget_keys(super::fixture::at(1_000_000_000_000)).await.unwrap();
        (early, matches!(late, Committed::Written { .. }), (known, counts), kept)
    })
    .await;
    assert!(early && late);
    assert_eq!(forgotten, ([true, false], [0, 1]));
    assert_eq!(kept, 0, "what an import has taken stays taken");
}
