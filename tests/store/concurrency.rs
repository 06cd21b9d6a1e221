//! Whose turn it is, under load, on one host and on several.

use std::collections::BTreeMap;

use ruledesk::desk::id::{PersonId, TeamId};
use ruledesk::store::{Error, Store};

use super::fixture::{
    Wanted, assignee, count, on_both, on_postgres, on_sqlite, on_strict_postgres, organisation, person,
};

/// Creates tickets at once, in turn on each store and for each team, and counts whom each team's went to.
async fn share(stores: &[Store], teams: &[&'static str], count: u128, first: u128) -> BTreeMap<PersonId, usize> {
    let mut creates = tokio::task::JoinSet::new();
    let organisation = organisation();
    for (n, store) in (first..first + count).zip(stores.iter().cycle()) {
        let team = teams[usize::try_from(n).unwrap() / stores.len() % teams.len()];
        let (create, store) = (Wanted { team, ..Wanted::new(n) }.create(&organisation), store.clone());
        creates.spawn(async move { store.commit(create).await });
    }
    let mut shares = BTreeMap::new();
    while let Some(created) = creates.join_next().await {
        *shares.entry(assignee(&created.unwrap().unwrap()).unwrap()).or_default() += 1;
    }
    shares
}

fn assert_fair(shares: &BTreeMap<PersonId, usize>) {
    let organisation = organisation();
    for team in ["even", "odd"] {
        let members = &organisation.teams.get(&team.parse::<TeamId>().unwrap()).unwrap().members;
        let counts: Vec<usize> = members.iter().map(|m| shares.get(&m.person).copied().unwrap_or(0)).collect();
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most - least <= 1, "{team}: {counts:?}");
    }
}

#[tokio::test]
async fn sixty_four_at_once_are_shared_out_fairly() {
    let (even, odd) = on_both(async |store| {
        let stores = [store];
        let shares = share(&stores, &["even"], 64, 0).await;
        assert_fair(&shares);
        let odd = share(&stores, &["odd"], 64, 100).await;
        assert_fair(&odd);
        let [store] = stores;
        for (person, kept, counted) in store.loads().await.unwrap() {
            assert_eq!(kept, counted, "{person}");
        }
        (shares.values().sum::<usize>(), odd.values().sum::<usize>())
    })
    .await;
    assert_eq!((even, odd), (64, 64));
}

#[tokio::test]
async fn one_after_the_other_takes_turns_in_the_teams_order() {
    let people = on_both(async |store| {
        let mut people = Vec::new();
        for n in 0..6 {
            let created = store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
            people.push(assignee(&created).unwrap());
        }
        people
    })
    .await;
    assert_eq!(people, ["amara", "Bo", "bo.li", "bo-li", "amara", "Bo"].map(person));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_on_one_database_share_out_fairly_without_deadlock() {
    let (one, target) = on_postgres().await;
    let stores = [one, Store::open(&target).await.unwrap(), Store::open(&target).await.unwrap()];
    let mut total: BTreeMap<PersonId, usize> = BTreeMap::new();
    for round in 0..10 {
        for (person, count) in share(&stores, &["even", "odd", "solo"], 180, round * 1_000).await {
            *total.entry(person).or_default() += count;
        }
        assert_fair(&total);
    }
    assert_eq!(total.values().sum::<usize>(), 1_800);
    let [store, ..] = &stores;
    for (person, kept, counted) in store.loads().await.unwrap() {
        assert_eq!(kept, counted, "{person}");
    }
}

/// Hosts that meet at the same rows fail where their transactions are serializable, and try again until they do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_with_serializable_transactions_share_out_fairly() {
    let (one, target) = on_strict_postgres().await;
    let stores = [one, Store::open(&target).await.unwrap(), Store::open(&target).await.unwrap()];
    let total = share(&stores, &["even", "odd", "solo"], 180, 0).await;
    assert_fair(&total);
    assert_eq!(total.values().sum::<usize>(), 180);
    for (person, kept, counted) in stores[0].loads().await.unwrap() {
        assert_eq!(kept, counted, "{person}");
    }
}

/// A skill that one member has must not cost the others their turn.
#[tokio::test]
async fn tickets_for_some_members_leave_the_others_their_share() {
    let shares = on_both(async |store| {
        let mut shares: BTreeMap<PersonId, usize> = BTreeMap::new();
        for n in 0..24 {
            let mut organisation = organisation();
            if n % 2 == 0 {
                let team = organisation.teams.get_mut(&"even".parse::<TeamId>().unwrap()).unwrap();
                team.members.retain(|member| member.person == person("amara"));
            }
            let created = store.commit(Wanted::new(n).create(&organisation)).await.unwrap();
            *shares.entry(assignee(&created).unwrap()).or_default() += 1;
        }
        shares
    })
    .await;
    let others = ["Bo", "bo.li", "bo-li"].map(|id| shares.get(&person(id)).copied().unwrap_or(0));
    assert_eq!(others, [4, 4, 4], "{shares:?}");
}

/// A batch in which one ticket cannot be written: here because its id is taken.
#[tokio::test]
async fn a_ticket_that_cannot_be_written_takes_no_other_with_it() {
    let (failed, written) = on_both(async |store| {
        store.commit(Wanted::new(7).create(&organisation())).await.unwrap();
        let mut creates = tokio::task::JoinSet::new();
        for n in 0..16 {
            let (create, store) = (Wanted::new(n).create(&organisation()), store.clone());
            creates.spawn(async move { store.commit(create).await });
        }
        let mut failed = 0;
        while let Some(created) = creates.join_next().await {
            failed += usize::from(created.unwrap().is_err());
        }
        for (person, kept, counted) in store.loads().await.unwrap() {
            assert_eq!(kept, counted, "{person}");
        }
        (failed, count(&store).await)
    })
    .await;
    assert_eq!((failed, written), (1, 16));
}

#[tokio::test]
async fn more_than_can_wait_is_refused_at_once_and_the_rest_is_written() {
    let (store, _dir) = on_sqlite().await;
    let mut creates = tokio::task::JoinSet::new();
    for n in 0..3_000 {
        let (create, store) = (Wanted::new(n).create(&organisation()), store.clone());
        creates.spawn(async move { store.commit(create).await });
    }
    let (mut written, mut full) = (0, 0);
    while let Some(created) = creates.join_next().await {
        match created.unwrap() {
            Ok(_) => written += 1,
            Err(Error::Full) => full += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(full > 0 && written >= 1_000, "{written} written, {full} refused");
    assert_eq!(count(&store).await, written);
}
