//! The archive of rules: what has decided can be listed, compared and fetched, and what was tampered with cannot be used.

use std::fs;

use ruledesk::rules::digest::Digest;
use serde_json::{Value, json};

use crate::store::by_hand;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

fn submit(desk: &House) {
    let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": { "topic": "other" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
}

const VERSIONS: &str = "/api/v1/rules/required-fields/versions";

/// Two versions of one component: the second has another version number and another order.
fn with_two_versions(database: Database) -> House {
    let desk = House::demo(database);
    submit(&desk);
    let file = desk.rules.join("10-required-fields/rule.toml");
    let first = fs::read_to_string(&file).unwrap();
    fs::write(&file, first.replace("version = \"1.0.0\"", "version = \"1.1.0\"").replace("order = 10", "order = 9"))
        .unwrap();
    desk.as_role("mei").post("/api/v1/rules/reload", &json!({})).expect(200);
    submit(&desk);
    desk
}

fn listed(desk: &House) -> (Value, Value) {
    let versions = desk.as_role("kofi").get(VERSIONS).expect(200);
    assert_eq!(versions.as_array().unwrap().len(), 2, "{versions}");
    let of = |number: &str| versions.as_array().unwrap().iter().find(|v| v["version"] == number).unwrap().clone();
    (of("1.0.0"), of("1.1.0"))
}

#[test]
fn what_has_decided_is_listed_compared_and_fetched() {
    on_both(|database| {
        let desk = with_two_versions(database);
        let (kofi, (old, new)) = (desk.as_role("kofi"), listed(&desk));
        let wasm = fs::read(desk.rules.join("10-required-fields/rule.wasm")).unwrap();
        assert_eq!(old["digest"], Digest::of(&wasm).to_string());
        assert_eq!((&old["digest"], &old["stages"]), (&new["digest"], &json!(["intake"])));
        assert_eq!((&old["component_bytes"], &old["damage"]), (&json!(wasm.len()), &Value::Null));

        let [from, to] = [&old, &new].map(|v| v["manifest_digest"].as_str().unwrap().get(..12).unwrap().to_owned());
        let diff = kofi.get(&format!("{VERSIONS}/diff?from={from}&to={to}")).expect(200);
        assert_eq!(diff["component_changed"], false);
        let changes =
            json!([{ "key": "order", "from": 10, "to": 9 }, { "key": "version", "from": "1.0.0", "to": "1.1.0" }]);
        assert_eq!(diff["changes"], changes);
        assert!(diff["lines"].as_str().unwrap().contains("-version = \"1.0.0\"\n+version = \"1.1.0\"\n"), "{diff}");

        let component = old["digest"].as_str().unwrap();
        let both = kofi.get(&format!("{VERSIONS}/{component}")).expect(409);
        assert_eq!(both["type"], "/problems/ambiguous", "one component, two manifests: {both}");
        let one = format!("{VERSIONS}/{}-{to}", &component[..8]);
        assert_eq!(kofi.get(&one).expect(200)["version"], "1.1.0");
        let manifest = kofi.get(&format!("{one}/manifest"));
        assert_eq!((manifest.status, manifest.media_type.as_str()), (200, "application/toml"));
        assert_eq!(manifest.text, fs::read_to_string(desk.rules.join("10-required-fields/rule.toml")).unwrap());
        assert_eq!(kofi.get_bytes(&format!("{one}/component")), (200, wasm));
        kofi.get(&format!("{VERSIONS}/{}", &to[..3])).expect(404);
        assert_eq!(kofi.get(&one).expect(200)["signature"], Value::Null);
        kofi.get(&format!("{one}/signature")).expect(404);
        kofi.get("/api/v1/rules/nobody/versions").expect(404);
        kofi.get(&format!("{VERSIONS}/diff?from={from}")).expect(400);
        desk.as_role("amara").get(VERSIONS).expect(403);
    });
}

#[test]
fn the_commands_say_the_same_and_a_download_is_a_rule() {
    let desk = with_two_versions(Database::Sqlite);
    let (old, new) = listed(&desk);
    let [from, to] = [&old, &new].map(|v| v["manifest_digest"].as_str().unwrap().to_owned());
    let said = |arguments: &[&str]| {
        let output = desk.command(arguments);
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (good, versions, _) = said(&["rules", "versions", "required-fields"]);
    assert!(good && versions.lines().count() == 2 && versions.contains(&from[..12]), "{versions}");
    let (good, diff, _) = said(&["rules", "diff", "required-fields", &from, &to]);
    assert!(good && diff.contains("component: the same") && diff.contains("order: 10 -> 9"), "{diff}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("old");
    let (good, _, wrong) = said(&["rules", "download", "required-fields", &from, "--out", out.to_str().unwrap()]);
    assert!(good, "{wrong}");
    assert_eq!(Digest::of(&fs::read(out.join("rule.toml")).unwrap()).to_string(), from);
    assert_eq!(Digest::of(&fs::read(out.join("rule.wasm")).unwrap()).to_string(), old["digest"].as_str().unwrap());
}

#[test]
fn what_was_tampered_with_in_the_archive_is_named_and_never_handed_out() {
    on_both(|database| {
        let desk = with_two_versions(database);
        let (kofi, (old, new)) = (desk.as_role("kofi"), listed(&desk));
        let [from, to] = [&old, &new].map(|v| v["manifest_digest"].as_str().unwrap().to_owned());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let manifest =
            format!("update rule_versions set manifest = manifest || '# x' where manifest_digest = '{from}'");
        // Both versions have one component, so that it is damaged for both.
        let component = format!(
            "update components set bytes = \
             (select c.bytes from components c join rule_versions v on v.component_digest = c.digest where v.name = 'tidy-text') \
             where digest in (select component_digest from rule_versions where manifest_digest = '{to}')"
        );
        for (digest, part, change) in [(&from, "manifest", manifest), (&to, "component", component)] {
            runtime.block_on(by_hand(&desk.target(), &[&change]));
            for path in ["", "/manifest", "/component"] {
                let problem = kofi.get(&format!("{VERSIONS}/{digest}{path}")).expect(500);
                assert_eq!(problem["type"], "/problems/damaged");
                let detail = problem["detail"].as_str().unwrap();
                assert!(detail.contains(part) && detail.contains("required-fields"), "{detail}");
            }
        }
        kofi.get(&format!("{VERSIONS}/diff?from={from}&to={to}")).expect(500);
        assert!(listed(&desk).0["damage"].as_str().unwrap().contains(&from));
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bad");
        let download = desk.command(&["rules", "download", "required-fields", &to, "--out", out.to_str().unwrap()]);
        assert!(!download.status.success() && !out.exists());
        submit(&desk);
    });
}
