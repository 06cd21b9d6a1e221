//! What a desk takes as an upload, and what it says to the rest.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::{Answer, Client};
use crate::support::components::{from_text, hostile, root};
use crate::support::house::House;
use crate::support::place::Database;

const RULES: &str = "/api/v1/rules";
const DRY_RUN: &str = "/api/v1/rules/dry-run";

/// A desk without a rule in its directory.
fn empty(change: impl FnOnce(String) -> String) -> House {
    let rules = TempDir::new().unwrap();
    House::with_settings(Database::Sqlite, rules.path(), change)
}

fn manifest(name: &str) -> String {
    super::manifest(name, "1.0.0")
}

fn send(client: &Client, manifest: &str, component: &[u8]) -> Answer {
    let parts: [(&str, &[u8]); 3] =
        [("manifest", manifest.as_bytes()), ("component", component), ("why", b"a test of uploads")];
    client.send_parts(RULES, &parts)
}

/// The refusal's part, code, and what it says.
fn refused(answer: &Answer) -> (String, String, String) {
    let problem = answer.expect(422);
    assert_eq!(problem["type"], "/problems/rule-refused", "{problem}");
    let field = &problem["problems"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&field["field"]), text(&field["code"]), text(&problem["detail"]))
}

fn nothing_is_live_or_on_disk(desk: &House) {
    let rules = desk.as_role("mei").get(RULES).expect(200);
    assert_eq!(rules["rules"], Value::Array(Vec::new()), "{rules}");
    assert_eq!(std::fs::read_dir(&desk.rules).unwrap().count(), 0, "an upload touches no rules directory");
}

#[test]
fn a_refusal_repeats_some_of_a_long_name_and_not_all_of_it() {
    let desk = empty(|toml| toml);
    let mei = desk.as_role("mei");
    let long = "x".repeat(900_000);
    for more in [format!("tables = [\"{long}\"]"), format!("wants = [\"{long}\"]"), format!("{long} = 1")] {
        let manifest = manifest("one").replace("order = 1", &format!("order = 1\n{more}"));
        let answer = send(&mei, &manifest, hostile());
        assert_eq!(refused(&answer).0, "manifest", "{:.2000}", answer.text);
        assert!(answer.text.len() < 128 << 10, "{} bytes", answer.text.len());
    }
}

#[test]
fn what_no_desk_would_take_is_refused_with_the_reason_and_leaves_nothing() {
    let desk = empty(|toml| toml.replace("[server]", "[server]\ncomponent-mib-max = 1\n"));
    let mei = desk.as_role("mei");
    let core = wat::parse_str("(module)").unwrap();
    let large = [hostile(), &vec![0; 1 << 20]].concat();
    let precompiled = b"\x7fELF and so on".as_slice();
    let wrong_table = manifest("one").replace("order = 1", "order = 1\ntables = [\"prices\"]");
    let example =
        "[[example]]\nname = \"never\"\nstage = \"priority\"\n[example.input]\n[example.expect]\nlevel = \"high\"\n";
    let example = format!("{}{example}", manifest("one"));
    let cases: [(&str, &[u8], &str, &str, &str); 11] = [
        (&manifest("../../etc"), hostile(), "manifest", "invalid", "`name` is `../../etc`"),
        (&manifest("a/b"), hostile(), "manifest", "invalid", "lower-case letters, digits and hyphens"),
        (&manifest("one").replace("order", "odor"), hostile(), "manifest", "invalid", "unknown field `odor`"),
        (&"#".repeat((1 << 20) + 1), hostile(), "manifest", "invalid", "larger than 1048576 bytes"),
        (&manifest("one").replace("priority", "routing"), &core, "component", "core-module", "a core module"),
        (&manifest("one"), b"PK\x03\x04 an archive", "component", "not-wasm", "not WebAssembly"),
        (&manifest("one"), precompiled, "component", "precompiled", "machine code compiled beforehand"),
        (&manifest("one"), &hostile()[..hostile().len() / 2], "component", "malformed", "damaged or cut off"),
        (&manifest("one"), &large, "component", "too-large", "allowed are 1048576"),
        (&wrong_table, hostile(), "manifest", "no-such-table", "prices"),
        (&example, hostile(), "manifest", "example-failed", "never"),
    ];
    for (manifest, component, part, code, says) in cases {
        let (found_part, found_code, detail) = refused(&send(&mei, manifest, component));
        assert_eq!((found_part.as_str(), found_code.as_str()), (part, code), "{detail}");
        assert!(detail.contains(says), "{detail}");
    }
    let huge = send(&mei, &manifest("one"), &vec![0; 4 << 20]);
    assert_eq!(huge.status, 413, "{}", huge.text);
    nothing_is_live_or_on_disk(&desk);
}

#[test]
fn the_reason_is_the_one_that_the_author_s_own_check_gives() {
    let desk = empty(|toml| toml);
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("rule.toml"), manifest("one")).unwrap();
    std::fs::write(dir.path().join("rule.wasm"), wat::parse_str("(module)").unwrap()).unwrap();
    let check = |dir: &Path| {
        let program = crate::support::components::PROGRAM;
        let output = std::process::Command::new(program).args(["rule", "check"]).arg(dir.join("rule.wasm")).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let said = check(dir.path());
    let answer = send(&desk.as_role("mei"), &manifest("one"), &wat::parse_str("(module)").unwrap());
    let (_, _, detail) = refused(&answer);
    let why = detail.split_once(": ").unwrap().1;
    assert!(said.contains(why), "{why} is not in {said}");
    let mend = answer.json()["problems"][0]["message"].as_str().unwrap().replace("to mend it: ", "");
    assert!(said.contains(&mend), "{mend} is not in {said}");
}

/// One function of half a megabyte without a loop: small to send, and no compiler is done with it within a second.
#[test]
fn a_small_file_that_compiles_for_long_ends_with_its_compiler() {
    let desk = empty(|toml| toml.replace("[server]", "[server]\ncompile-timeout-s = 1\n"));
    let nest = "(block (br_if 0 (local.get 0)) (local.set 0 (i32.add (local.get 0) (local.get 0))))".repeat(60_000);
    let bomb = from_text(&format!(
        "(module (memory (export \"memory\") 1)
          (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export \"ruledesk:rules/priority@1.0.0#decide\") (param i32) (result i32) {nest} (i32.const 64)))"
    ));
    assert!(bomb.len() < 2 << 20, "{} bytes", bomb.len());
    let no_settings = manifest("bomb").split("[settings]").next().unwrap().to_owned();
    let (part, code, detail) = refused(&send(&desk.as_role("mei"), &no_settings, &bomb));
    assert_eq!((part.as_str(), code.as_str()), ("component", "compiles-too-long"), "{detail}");
    nothing_is_live_or_on_disk(&desk);
}

#[test]
fn only_admins_upload_and_only_whole_forms_are_read() {
    let desk = empty(|toml| toml);
    let (kofi, mei) = (desk.as_role("kofi"), desk.as_role("mei"));
    assert_eq!(send(&kofi, &manifest("one"), hostile()).status, 403);
    assert_eq!(send(&desk.stranger(), &manifest("one"), hostile()).status, 401);
    let toml = manifest("one");
    let (manifest, component, why) =
        (("manifest", toml.as_bytes()), ("component", hostile()), ("why", b"x".as_slice()));
    for (parts, says) in [
        (vec![manifest, why], "the bytes of rule.wasm"),
        (vec![component, why], "the text of rule.toml"),
        (vec![manifest, component, component], "`component`: it is there twice"),
        (vec![manifest, component, ("why", b"\xff".as_slice())], "`why`: it is not UTF-8"),
        (vec![manifest, component, ("colour", b"red".as_slice())], "`colour`: there is no such part"),
    ] {
        let answer = mei.send_parts(RULES, &parts);
        assert_eq!((answer.status, &answer.json()["type"]), (400, &Value::from("/problems/bad-body")));
        assert!(answer.text.contains(says), "{}", answer.text);
    }
    assert_eq!(mei.send_text(RULES, "{}", "application/json").status, 400);
    let cut = mei.send_text(
        RULES,
        "--x\r\nContent-Disposition: form-data; name=\"why\"\r\n\r\nbec",
        "multipart/form-data; boundary=x",
    );
    assert_eq!(cut.status, 400, "{}", cut.text);
    nothing_is_live_or_on_disk(&desk);
}

#[test]
fn a_desk_that_trusts_a_key_takes_no_other_upload() {
    let dir = TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let program = crate::support::components::PROGRAM;
        let output = std::process::Command::new(program).args(arguments).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let public = run(&["rule", "keygen", "--out", "release.key"]);
    assert!(public.starts_with("release:"), "{public}");
    let desk = empty(|toml| format!("{toml}\n[rules]\ntrusted-keys = [\"{public}\"]\n"));
    let mei = desk.as_role("mei");
    let (_, code, detail) = refused(&send(&mei, &manifest("one"), hostile()));
    assert_eq!(code, "unsigned", "{detail}");
    // Nor does it run one to see what would become of a ticket.
    let component = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, hostile());
    let submission = json!({ "request_type": "question", "subject": "Anything", "fields": { "topic": "other" } });
    let tries = |with: Value| json!({ "submission": submission, "submitted_by": "amara", "with": [with] });
    let tried = mei.post(DRY_RUN, &tries(json!({ "manifest": manifest("one"), "component": component }))).expect(422);
    assert!(tried["problems"][0]["message"].as_str().unwrap().contains("not signed"), "{tried}");

    std::fs::create_dir(dir.path().join("one")).unwrap();
    std::fs::write(dir.path().join("one/rule.toml"), manifest("one")).unwrap();
    std::fs::write(dir.path().join("one/rule.wasm"), hostile()).unwrap();
    run(&["rule", "sign", "one", "--key", "release.key"]);
    let signature = std::fs::read(dir.path().join("one/rule.sig")).unwrap();
    let signed_try = json!({ "manifest": manifest("one"), "component": component,
        "signature": String::from_utf8_lossy(&signature) });
    mei.post(DRY_RUN, &tries(signed_try)).expect(200);
    let signed = |manifest: &str| {
        let parts: [(&str, &[u8]); 4] = [
            ("manifest", manifest.as_bytes()),
            ("component", hostile()),
            ("signature", &signature),
            ("why", b"signed"),
        ];
        mei.send_parts(RULES, &parts)
    };
    let (part, code, _) = refused(&signed(&manifest("one").replace("1.0.0", "1.0.1")));
    assert_eq!((part.as_str(), code.as_str()), ("signature", "other-manifest"));
    let taken = signed(&manifest("one")).expect(201);
    assert_eq!(taken["signed_by"], "release");

    // What is fetched can be trusted elsewhere too.
    let version = format!("{RULES}/one/versions/{}", taken["digest"].as_str().unwrap());
    let fetched = mei.get(&format!("{version}/signature"));
    assert_eq!((fetched.status, fetched.text.as_bytes()), (200, signature.as_slice()));
    assert_eq!(mei.get(&version).expect(200)["signature"], fetched.text);
    let out = dir.path().join("fetched");
    let digest = taken["digest"].as_str().unwrap();
    let download = desk.command(&["rules", "download", "one", digest, "--out", out.to_str().unwrap()]);
    assert!(download.status.success(), "{}", String::from_utf8_lossy(&download.stderr));
    for file in ["rule.toml", "rule.wasm", "rule.sig"] {
        let [there, here] =
            [out.join(file), dir.path().join("one").join(file)].map(|file| std::fs::read(file).unwrap());
        assert!(there == here, "{file}");
    }
}

#[test]
fn the_interface_describes_the_upload() {
    let output =
        std::process::Command::new(crate::support::components::PROGRAM).arg("openapi").current_dir(root()).output();
    let document: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let path = &document["paths"][RULES];
    assert!(path["get"].is_object(), "listing is still there");
    assert!(path["post"]["requestBody"]["content"]["multipart/form-data"]["schema"].is_object(), "{path}");
}
