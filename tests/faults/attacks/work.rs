//! Work that a client asks for and that gets longer with what it names.

use serde_json::Value;

use crate::support::components::from_text;
use crate::support::house::House;
use crate::support::place::Database;

/// Tables in the settings of a manifest: compared each with each they would take long.
const TABLES: usize = 4_000;

fn manifest(version: usize) -> String {
    let tables: String = (0..TABLES).map(|n| format!("[[settings.t]]\nname = \"n{n}\"\n")).collect();
    format!("name = \"long\"\nversion = \"1.0.{version}\"\nstages = [\"priority\"]\norder = 90\n{tables}")
}

/// A rule that takes any settings and never has an opinion.
fn quiet() -> Vec<u8> {
    from_text(
        r#"(module (memory (export "memory") 64) (global $top (mut i32) (i32.const 131072))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.set $top (i32.add (local.get $at) (local.get 3))) (local.get $at))
            (func (export "ruledesk:rules/settings@1.0.0#configure") (param i32 i32) (result i32) (i32.const 64))
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) (i32.const 64)))"#,
    )
}

#[test]
fn long_manifests_are_compared_while_others_are_served() {
    let dir = tempfile::TempDir::new().unwrap();
    let desk = House::with_rules(Database::Sqlite, dir.path());
    let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
    let component = quiet();
    let deploy = |version: usize| {
        let text = manifest(version);
        let parts =
            [("manifest", text.as_bytes()), ("component", component.as_slice()), ("why", b"because".as_slice())];
        mei.send_parts("/api/v1/rules", &parts).expect(201)["manifest_digest"].as_str().unwrap().to_owned()
    };
    let (from, to) = (deploy(1), deploy(2));
    let path = format!("/api/v1/rules/long/versions/diff?from={from}&to={to}");
    std::thread::scope(|scope| {
        // A request that takes longer than all may is answered 504.
        let comparing: Vec<_> = (0..2).map(|_| scope.spawn(|| kofi.get(&path).expect(200))).collect();
        assert_eq!(desk.stranger().get("/healthz").status, 200);
        for compared in comparing {
            let compared: Value = compared.join().unwrap();
            assert!(compared.to_string().contains("1.0.2"), "{compared}");
        }
    });
}
