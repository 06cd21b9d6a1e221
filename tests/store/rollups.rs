//! Sums by the hour: the sums of several writers add up, and an hour that comes late writes over nothing.

use ruledesk::store::rules::packing::Dictionary;
use ruledesk::store::rules::rollups::{Call, CallKey, hour_of};
use ruledesk::store::{Commit, Store};

use super::fixture::{Wanted, at, on_both, on_postgres, organisation, run};

fn call(answer: &str, micros: u64) -> Call {
    let text = |text: &str| text.to_owned();
    let key = CallKey {
        rule: text("vip"),
        stage: text("priority"),
        mode: text("active"),
        outcome: text("answered"),
        answer: text(answer),
        version: text("1.0.0"),
        component: text("c"),
        manifest: text("m"),
    };
    Call { key, differs: micros % 2 == 1, log_cut: false, memory_peak: micros, fuel: 10 * micros, micros }
}

/// A ticket at so many hours after the fixture's time, at which these calls were made.
fn ticket(n: u128, hour: i64, calls: Vec<Call>) -> Commit {
    let wanted = Wanted { at: at(hour * 3_600_000), ..Wanted::new(n) };
    let run = run(n, wanted.at, 40).pack(&Dictionary::shipped(), calls).unwrap();
    Commit { run: Some(run), ..wanted.create(&organisation()) }
}

/// Calls, differences, the greatest memory, and the count and the greatest of the times, of all that the answer was given.
async fn sums(store: &Store, answer: &str, since: i64) -> (u64, u64, u64, u64, u64) {
    let mut all = ruledesk::store::rules::rollups::Sum::default();
    for (_, key, sum) in store.rule_hours("vip", hour_of(at(0)) + since).await.unwrap() {
        if key.answer == answer {
            all.calls += sum.calls;
            all.differences += sum.differences;
            all.memory_peak = all.memory_peak.max(sum.memory_peak);
            all.micros.merge(&sum.micros);
        }
    }
    (all.calls, all.differences, all.memory_peak, all.micros.count(), all.micros.greatest().unwrap_or_default())
}

#[tokio::test]
async fn what_one_writer_writes_in_many_transactions_is_summed_and_a_late_hour_is_added() {
    let found = on_both(async |store| {
        // Hours that pass, one that comes again when it is forgotten already, and the last one again.
        for (n, hour) in [0, 0, 1, 5, 6, 7, 8, 0, 8].into_iter().enumerate() {
            let n = n as u128 + 1;
            store.commit(ticket(n, hour, vec![call("high", 3), call("low", n as u64)])).await.unwrap();
        }
        (sums(&store, "high", 0).await, sums(&store, "low", 0).await, sums(&store, "low", 8).await)
    })
    .await;
    assert_eq!(found.0, (9, 9, 3, 9, 3));
    assert_eq!(found.1, (9, 5, 9, 9, 9));
    assert_eq!(found.2, (2, 2, 9, 2, 9), "the seventh and the ninth");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sums_of_three_hosts_add_up() {
    let (one, target) = on_postgres().await;
    let stores = [one, Store::open(&target).await.unwrap(), Store::open(&target).await.unwrap()];
    let mut creates = tokio::task::JoinSet::new();
    for (n, store) in (1..=90_u64).zip(stores.iter().cycle()) {
        let (store, create) = (store.clone(), ticket(u128::from(n), 0, vec![call("high", n)]));
        creates.spawn(async move { store.commit(create).await });
    }
    while let Some(created) = creates.join_next().await {
        created.unwrap().unwrap();
    }
    assert_eq!(sums(&stores[0], "high", 0).await, (90, 45, 90, 90, 90));
}

/// A batch that cannot be written as a whole is tried ticket by ticket: nothing is counted twice, and nothing is forgotten.
#[tokio::test]
async fn a_transaction_that_fails_counts_nothing() {
    let counted = on_both(async |store| {
        store.commit(ticket(1, 0, vec![call("high", 1)])).await.unwrap();
        // The same run again cannot be written.
        let again = Commit { run: ticket(1, 0, vec![call("high", 7)]).run, ..ticket(2, 0, Vec::new()) };
        assert!(store.commit(again).await.is_err());
        store.commit(ticket(3, 0, vec![call("high", 2)])).await.unwrap();
        sums(&store, "high", 0).await
    })
    .await;
    assert_eq!(counted, (2, 1, 2, 2, 2));
}
