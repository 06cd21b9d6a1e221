//! Rules that come by the API, in any order and next to folders: one that is to deny denies, or a person decides.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::doubt::{approving, component, state, table};
use crate::support::components::put;
use crate::support::house::House;
use crate::support::place::Database;

const NAMES: [&str; 2] = ["first", "second"];

/// Something that an admin does, or that happens to the desk.
#[derive(Debug, Clone)]
enum Deed {
    Upload {
        name: usize,
        says: &'static str,
        mode: &'static str,
        stage: &'static str,
        broken: bool,
    },
    /// A step of a rule's life.
    Step {
        name: usize,
        to: &'static str,
    },
    /// A folder of the same name.
    Folder {
        name: usize,
        says: &'static str,
    },
    Restart,
}

fn deed() -> impl Strategy<Value = Deed> {
    let upload = (
        0..2_usize,
        prop::sample::select(vec!["deny", "deny", "approve"]),
        prop::sample::select(vec!["active", "active", "shadow", "off"]),
        prop::sample::select(vec!["access", "access", "priority"]),
        prop::bool::weighted(0.2),
    );
    let upload = upload.prop_map(|(name, says, mode, stage, broken)| Deed::Upload { name, says, mode, stage, broken });
    let to = vec!["suspend", "resume", "rollback", "retire", "promote", "demote"];
    prop_oneof![
        5 => upload,
        3 => (0..2_usize, prop::sample::select(to)).prop_map(|(name, to)| Deed::Step { name, to }),
        1 => (0..2_usize, prop::sample::select(vec!["deny", "approve"])).prop_map(|(name, says)| Deed::Folder { name, says }),
        1 => Just(Deed::Restart),
    ]
}

/// The rules that are to deny: what came last of each is for access, active, denies, and was not taken out since by its name.
type Denying = BTreeMap<usize, bool>;

fn happens(desk: House, number: usize, deed: &Deed, denying: &mut Denying) -> House {
    let mei = desk.as_role("mei");
    match deed {
        Deed::Upload { name, says, mode, stage, broken } => {
            let head = format!("mode = \"{mode}\"");
            let manifest = table(NAMES[*name], &format!("1.0.{number}"), stage, says, &head);
            let bytes = if *broken { b"no wasm".to_vec() } else { component() };
            let parts =
                [("manifest", manifest.as_bytes()), ("component", bytes.as_slice()), ("why", b"a test".as_slice())];
            let answer = mei.send_parts("/api/v1/rules", &parts);
            assert!(answer.status < 500 && (answer.status != 201 || !broken), "{deed:?}: {}", answer.text);
            if answer.status == 201 {
                denying.insert(*name, *says == "deny" && *mode == "active" && *stage == "access");
            }
        }
        Deed::Step { name, to } => {
            let path = format!("/api/v1/rules/{}/{to}", NAMES[*name]);
            let body =
                if *to == "promote" { json!({ "to": "active", "why": "a test" }) } else { json!({ "why": "a test" }) };
            let answer = mei.post(&path, &body);
            assert!(answer.status < 500, "{to}: {}", answer.text);
            // Suspended or resumed it is to deny as before; what the others leave is the admin's word.
            if !matches!(*to, "suspend" | "resume") && answer.status < 300 {
                denying.insert(*name, false);
            }
        }
        Deed::Folder { name, says } => {
            let manifest = table(NAMES[*name], &format!("2.0.{number}"), "access", says, "");
            put(&desk.rules, &format!("folder-{name}"), &manifest, &component());
        }
        Deed::Restart => return desk.cut_off_and_restart(),
    }
    desk
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_deployed_a_rule_that_is_to_deny_denies_or_a_person_decides(
        on_postgres in prop::bool::weighted(0.3),
        deeds in prop::collection::vec(deed(), 2..7),
    ) {
        let mut desk = approving(if on_postgres { Database::Postgres } else { Database::Sqlite });
        let mut denying = Denying::new();
        for (number, deed) in deeds.iter().enumerate() {
            desk = happens(desk, number, deed, &mut denying);
            if denying.values().any(|denies| *denies) {
                let state = state(&desk);
                prop_assert!(state != "approved", "approved after {:?}", &deeds[..=number]);
            }
        }
    }
}
