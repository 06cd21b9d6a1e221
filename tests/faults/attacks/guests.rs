//! All that a guest can say, at length and with escape sequences: a record, an answer, the log and a terminal each have a bound,
//! and words of a guest are never more than text.

use serde_json::{Value, json};

use crate::support::components::{from_text, put};
use crate::support::desk::Desk;
use crate::support::place::Database;
use crate::support::wait::until;

/// An allocator that forgets nothing, as the contract's ABI asks for one.
const REALLOC: &str = "(global $top (mut i32) (i32.const 131072))
    (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
        (global.set $top (i32.add (local.get $at) (local.get 3))) (local.get $at))";

/// Words for a terminal: its title, a clean screen, and a line of a log that was never written.
const WORDS: &str = r"\1b]0;owned\07\1b[2J\0a2026-11-28T10:00:00Z approved by noor\0d\e2\80\ae";

/// A component for `priority` of a memory of so many pages and what `decide` does; 64 is where it says no opinion.
fn guest(pages: usize, more: &str, decide: &str) -> Vec<u8> {
    from_text(&format!(
        r#"(module {more} (memory (export "memory") {pages}) {REALLOC}
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) (local $n i32) {decide}))"#
    ))
}

/// Gives up with the words at a place.
fn gives_up(at: usize, bytes: usize) -> String {
    format!(
        "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 68) (i32.const {at})) \
         (i32.store (i32.const 72) (i32.const {bytes})) (i32.const 64)"
    )
}

/// Functions with names of a hundred thousand characters, the last of which traps.
fn long_names() -> Vec<u8> {
    let name = |n: usize| format!("f{n}{WORDS}{}", "x".repeat(98_000));
    let calls = (0..5).map(|n| format!("(func $\"{}\" (call $\"{}\"))", name(n), name(n + 1)));
    let more = format!("{} (func $\"{}\" unreachable)", calls.collect::<String>(), name(5));
    // Functions come after the memory in the text of a module.
    from_text(&format!(
        r#"(module (memory (export "memory") 4) {REALLOC} {more}
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) (call $"{}") (i32.const 64)))"#,
        name(0)
    ))
}

/// A component that exports nothing but long names.
fn export_names() -> Vec<u8> {
    fn number(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while n > 127 {
            bytes.push((n & 127) as u8 | 128);
            n >>= 7;
        }
        bytes.push(n as u8);
        bytes
    }
    let mut exports = number(60);
    for n in 0..60 {
        let name = format!("e{n}\n2026-11-28T10:00:00Z  INFO never written \u{1b}[2J{}", "x".repeat(99_000));
        exports.extend([vec![0], number(name.len()), name.into_bytes(), vec![5, 0, 0]].concat());
    }
    [b"\0asm\x0d\0\x01\0\x0b".to_vec(), number(exports.len()), exports].concat()
}

fn manifest(name: &str, order: usize, more: &str) -> String {
    format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = {order}\n{more}\n[suspend]\n\
         failures = 10000\nwithin-calls = 10000\n"
    )
}

/// A desk with a rule of each kind, and a table with one very wide row.
fn desk() -> Desk {
    let dir = tempfile::TempDir::new().unwrap();
    let desk = Desk::with_rules(Database::Sqlite, dir.path());
    let columns: String = (0..63).map(|n| format!(",c{n}")).collect();
    let row = format!(",{}", "x".repeat(4096)).repeat(63);
    let table = format!("key{columns}\nk{row}\n");
    desk.as_role("mei").put_text("/api/v1/tables/wide?why=first", &table, "text/csv").expect(200);
    let look = "(local.set $n (i32.const 1000)) (loop $l (global.set $top (i32.const 131072)) \
        (call $lookup (i32.const 1024) (i32.const 4) (i32.const 1040) (i32.const 1) (i32.const 2048)) \
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (i32.const 64)";
    let import = r#"(import "ruledesk:rules/tables@1.0.0" "lookup" (func $lookup (param i32 i32 i32 i32 i32)))"#;
    let lookups = from_text(&format!(
        r#"(module {import} (memory (export "memory") 32) (data (i32.const 1024) "wide") (data (i32.const 1040) "k") {REALLOC}
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) (local $n i32) {look}))"#
    ));
    let fills = "(memory.fill (i32.const 262144) (i32.const 65) (i32.const 4190000))";
    let words = guest(80, "", &format!("{fills} {}", gives_up(262_144, 4_190_000)));
    let escapes = format!(r#"(data (i32.const 1024) "{WORDS}")"#);
    let escapes = from_text(&format!(
        r#"(module (memory (export "memory") 4) {escapes} {REALLOC}
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) {}))"#,
        gives_up(1024, 60)
    ));
    let hides = from_text(&format!(
        r#"(module (memory (export "memory") 4) (data (i32.const 1024) "has no key that is so long") {REALLOC}
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) {}))"#,
        gives_up(1024, 26)
    ));
    let for_ever =
        "(loop $l (memory.fill (i32.const 262144) (i32.const 65) (i32.const 60000000)) (br $l)) (i32.const 64)";
    let calls = "[limits]\nhost-calls = 1000\nfuel = 2000000000\ndeadline-ms = 2000";
    put(&desk.rules, "names", &manifest("names", 1, ""), &long_names());
    put(&desk.rules, "lookups", &manifest("lookups", 2, &format!("tables = [\"wide\"]\n{calls}")), &lookups);
    put(&desk.rules, "words", &manifest("words", 3, "[limits]\noutput-kib = 4096"), &words);
    put(&desk.rules, "escapes", &manifest("escapes", 4, ""), &escapes);
    put(&desk.rules, "hides", &manifest("hides", 5, ""), &hides);
    put(&desk.rules, "fills", &manifest("fills", 6, ""), &guest(1000, "", for_ever));
    put(&desk.rules, "exports", &manifest("exports", 7, ""), &export_names());
    until("the six to be live and the seventh refused", || {
        let rules = desk.as_role("kofi").get("/api/v1/rules").json();
        let rules = rules["rules"].as_array()?.clone();
        let is = |state: &str| rules.iter().filter(|rule| rule["state"] == state).count();
        let exports = rules.iter().any(|rule| rule["last_error"].as_str().is_some_and(|e| e.contains("stage")));
        (is("active") == 6 && exports).then_some(())
    });
    desk
}

/// Nothing that a terminal would take for a command, and no line that the program did not write.
fn is_text(from: &str, output: &[u8]) {
    let text = String::from_utf8(output.to_vec()).unwrap();
    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(bad), "{from}: {:?}", text.chars().take(2000).collect::<String>());
    assert!(!text.lines().any(|line| line.starts_with("2026-11-28T10:00:00Z")), "{from}: {text:.2000}");
    assert!(text.len() < 256 << 10, "{from}: {} bytes", text.len());
}

#[test]
fn what_guests_say_has_a_bound_and_is_text() {
    let desk = desk();
    let before = desk.as_role("mei").get("/metrics").text.len();
    let body = json!({ "request_type": "incident", "subject": "VPN is down again", "body": "x" });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let decisions = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions");
    assert!(decisions.text.len() < 2 << 20, "the record has {} bytes", decisions.text.len());
    let runs = decisions.expect(200);
    let stages = runs[0]["stages"].as_array().unwrap();
    let parts: Vec<&Value> = stages.iter().flat_map(|stage| stage["rules"].as_array().unwrap()).collect();
    let part = |name: &str| *parts.iter().find(|part| part["rule"] == name).unwrap_or_else(|| panic!("{name}: {runs}"));
    for name in ["names", "words", "escapes", "hides"] {
        let fault = part(name)["fault"].as_str().unwrap();
        assert!(fault.len() <= 5 << 10, "{name}: a fault of {} bytes", fault.len());
    }
    assert_eq!(part("names")["outcome"], "trap", "{}", part("names"));
    assert!(["out-of-fuel", "deadline"].map(Value::from).contains(&part("fills")["outcome"]), "{}", part("fills"));
    assert!(part("lookups").to_string().len() < 1 << 20);
    // Lists and metrics repeat none of it at length.
    for path in ["/api/v1/rules", "/api/v1/tickets/IT-1/explain", "/api/v1/tickets/IT-1/timeline", "/api/v1/tickets"] {
        let answer = desk.as_role("kofi").get(path);
        assert!(answer.status == 200 && answer.text.len() < 128 << 10, "{path}: {} bytes", answer.text.len());
    }
    assert!(desk.as_role("mei").get("/metrics").text.len() < before + (64 << 10));
    let log: usize = desk.log().iter().map(|line| line.to_string().len()).sum();
    assert!(log < 512 << 10, "the log has {log} bytes");
    for command in [
        ["explain", "IT-1"].as_slice(),
        &["decisions", "verify"],
        &["rules", "list"],
        &["rules", "events", "escapes"],
        &["rules", "stats", "escapes"],
    ] {
        let output = desk.command(command);
        is_text(&command.join(" "), &[output.stdout, output.stderr].concat());
    }
    for folder in ["exports", "names", "escapes"] {
        let folder = desk.rules.join(folder);
        let output = std::process::Command::new(crate::support::components::PROGRAM)
            .env("RULEDESK_CACHE", crate::support::components::compiled())
            .args(["rule", "check"])
            .arg(&folder)
            .output()
            .unwrap();
        is_text("rule check", &[output.stdout, output.stderr].concat());
    }
    let verified = desk.command(&["decisions", "verify"]);
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(said.contains("hides 1.0.0: 1 of 1 the same"), "{said}");
}
