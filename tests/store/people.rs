//! Tokens and kept rules, alike on both databases; and what a store does about a schema that it does not know.

use ruledesk::desk::actor::Role;
use ruledesk::rules::digest::Digest;
use ruledesk::store::people::Token;
use ruledesk::store::rules::versions::RuleVersion;
use ruledesk::store::{Error, Store, Target};

use super::fixture::{at, on_both, person};

fn token(hash: &str, id: &str, roles: &[Role]) -> Token {
    Token {
        hash: hash.to_owned(),
        person: person(id),
        roles: roles.iter().copied().collect(),
        label: "laptop".to_owned(),
        created_at: at(0),
        expires_at: None,
        revoked_at: None,
    }
}

#[tokio::test]
async fn a_token_is_known_until_it_is_revoked() {
    let eve = token("aa", "eve", &[Role::Requester, Role::Agent]);
    let nobody = token("bb", "Zoe", &[]);
    let answers = on_both(async |store| {
        store.add_token(&eve, "root").await.unwrap();
        store.add_token(&nobody, "root").await.unwrap();
        // The same hash again changes nothing, so that nobody can take a token over.
        store.add_token(&token("aa", "Zoe", &[Role::Admin]), "root").await.unwrap();
        let known = (store.token("aa", at(5)).await.unwrap(), store.token("bb", at(5)).await.unwrap());
        let revoked = (
            store.revoke_token("aa", "root", at(1)).await.unwrap(),
            store.revoke_token("aa", "root", at(2)).await.unwrap(),
        );
        (known, revoked, store.token("aa", at(5)).await.unwrap(), store.token("cc", at(5)).await.unwrap())
    })
    .await;
    assert_eq!(answers, ((Some(eve), Some(nobody)), (true, false), None, None));
}

#[tokio::test]
async fn a_rule_is_kept_once_with_all_its_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    let component = Digest::of(&all).to_string();
    let digest = |manifest: &str| Digest::of(format!("# {manifest}").as_bytes()).to_string();
    let version = |manifest: &str, bytes: &[u8]| RuleVersion {
        component_digest: component.clone(),
        manifest_digest: digest(manifest),
        name: "vip".to_owned(),
        version: "1.2.0".to_owned(),
        manifest: format!("# {manifest}"),
        component: bytes.to_vec(),
    };
    let (kept, other, none) = on_both(async |store| {
        store.keep_rule_version(version("m1", &all), at(0)).await.unwrap();
        store.keep_rule_version(version("m2", &all), at(1)).await.unwrap();
        store.keep_rule_version(version("m1", b"else"), at(2)).await.unwrap();
        let read = async |manifest: &str| {
            let found = store.rule_version(&component, &digest(manifest)).await.unwrap();
            found.map(|v| (v.name, v.version, v.manifest, v.component))
        };
        (read("m1").await, read("m2").await.map(|v| v.2), read("m3").await)
    })
    .await;
    assert_eq!(kept, Some(("vip".to_owned(), "1.2.0".to_owned(), "# m1".to_owned(), all)));
    assert_eq!((other, none), (Some("# m2".to_owned()), None));
}

/// Each change of a manifest is a version, and the component of all of them is kept once.
#[tokio::test]
async fn sixty_manifests_of_one_component_keep_it_once() {
    let component = vec![7_u8; 100_000];
    let digest = Digest::of(&component).to_string();
    let version = |n: usize| RuleVersion {
        component_digest: digest.clone(),
        manifest_digest: Digest::of(format!("# {n}").as_bytes()).to_string(),
        name: "vip".to_owned(),
        version: format!("1.{n}.0"),
        manifest: format!("# {n}"),
        component: component.clone(),
    };
    let dir = tempfile::tempdir().unwrap();
    let targets =
        [Target::Sqlite(dir.path().join("desk.db")), Target::Postgres(crate::support::postgres::fresh_database())];
    for target in targets {
        let store = Store::open(&target).await.unwrap();
        for n in 0..60 {
            store.keep_rule_version(version(n), at(0)).await.unwrap();
        }
        let listed = store.rule_versions("vip").await.unwrap();
        assert_eq!(listed.len(), 60);
        assert!(listed.iter().all(|version| version.component_bytes == 100_000));
        let last = store.rule_version(&digest, &version(59).manifest_digest).await.unwrap().unwrap();
        assert_eq!(last, version(59));
        store.close().await;
        let db = crate::support::records::open(&target).await;
        let kept =
            db.all("select count(*), cast(sum(length(bytes)) as bigint) from components", Vec::new()).await.unwrap();
        assert_eq!((kept[0].int(0).unwrap(), kept[0].int(1).unwrap()), (1, 100_000));
        db.close().await;
    }
}

#[tokio::test]
async fn opening_again_keeps_everything_and_a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let targets =
        [Target::Sqlite(dir.path().join("desk.db")), Target::Postgres(crate::support::postgres::fresh_database())];
    for target in targets {
        let store = Store::open(&target).await.unwrap();
        store.add_token(&token("aa", "eve", &[Role::Agent]), "root").await.unwrap();
        store.close().await;
        let store = Store::open(&target).await.unwrap();
        assert!(store.token("aa", at(5)).await.unwrap().is_some());
        let sql = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                   values (9999, 'from the future', true, $1, 0)";
        let db = match &target {
            Target::Sqlite(file) => ruledesk::store::db::Db::open_sqlite(file).await.unwrap(),
            Target::Postgres(url) => ruledesk::store::db::Db::open_postgres(url).await.unwrap(),
        };
        let mut tx = db.begin().await.unwrap();
        tx.execute(sql, vec![vec![0_u8].into()]).await.unwrap();
        tx.commit().await.unwrap().done().await.unwrap();
        store.close().await;
        let refused = Store::open(&target).await.map(drop).unwrap_err();
        assert!(matches!(refused, Error::Later { migration: 9999 }), "{target:?}: {refused}");
        assert!(refused.to_string().contains("put back the backup"), "it says what to do: {refused}");
    }
}

/// A signature that a trusted key has made is not replaced by one that no key was asked about: another desk on the database may trust that key.
#[tokio::test]
async fn a_verified_signature_gives_way_to_no_unverified_one() {
    let bytes = b"a component".to_vec();
    let (component, manifest) = (Digest::of(&bytes).to_string(), Digest::of(b"# m").to_string());
    let kept = on_both(async |store| {
        let version = RuleVersion {
            component_digest: component.clone(),
            manifest_digest: manifest.clone(),
            name: "vip".to_owned(),
            version: "1.0.0".to_owned(),
            manifest: "# m".to_owned(),
            component: bytes.clone(),
        };
        store.keep_rule_version(version, at(0)).await.unwrap();
        let mut kept = Vec::new();
        for (text, verified) in [("a", false), ("b", false), ("ours", true), ("theirs", false), ("ours again", true)] {
            store.keep_signature(&component, &manifest, text, verified, at(1)).await.unwrap();
            kept.push(store.signature(&component, &manifest).await.unwrap().unwrap_or_default());
        }
        kept
    })
    .await;
    assert_eq!(kept, ["a", "b", "ours", "ours", "ours again"]);
}
