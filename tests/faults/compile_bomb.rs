//! A small component that takes minutes or gigabytes to compile is refused within the limits, and the rules serve meanwhile.

use std::fmt::Write as _;
use std::time::Instant;

use ruledesk::rules::Rules;
use ruledesk::rules::run::call::ask;
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::Stage;
use ruledesk::rules::tables::Tables;
use tempfile::TempDir;

use crate::support::components::{from_text, hostile, hostile_manifest, options, put};
use crate::support::desk::Desk;
use crate::support::place::{Database, Place};
use crate::support::wait::until;

/// Some jump into each of so many nested blocks, behind each of which another variable is set: so every variable may have
/// one of two values at every later place, and a compiler that keeps track of that has the square of it to keep.
const BLOCKS: usize = 6_000;

fn bomb() -> Vec<u8> {
    let mut body = String::new();
    for _ in 0..BLOCKS {
        body.push_str("block ");
    }
    body.push_str("local.get 0 br_table ");
    for target in 0..BLOCKS {
        write!(body, "{target} ").unwrap();
    }
    for variable in 1..=BLOCKS {
        write!(body, "end local.get 0 i32.const {variable} i32.add local.set {variable} ").unwrap();
    }
    body.push_str("local.get 0 ");
    for variable in 1..=BLOCKS {
        write!(body, "local.get {variable} i32.xor ").unwrap();
    }
    let locals = "i32 ".repeat(BLOCKS);
    from_text(&format!(
        "(module (memory (export \"memory\") 1)
          (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export \"ruledesk:rules/priority@1.0.0#decide\") (param i32) (result i32) (local {locals}) {body}))"
    ))
}

/// Of a process that works: whose child it is, and how much of the processor it has had, in ticks.
fn parent_and_ticks(pid: u32) -> Option<(u32, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything; proc(5).
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
    let ticks = fields.nth(9)?.parse().ok()?;
    (state != "Z").then_some((parent, ticks))
}

#[test]
fn a_compiler_ends_with_the_desk_that_asked() {
    let empty = TempDir::new().unwrap();
    let desk = Desk::with_rules(Database::Sqlite, empty.path());
    put(&desk.rules, "bomb", "name = \"bomb\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 2\n", &bomb());
    let (compiler, _) = until("a compiler at work", || {
        let pids =
            std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        pids.into_iter()
            .find(|pid| parent_and_ticks(*pid).is_some_and(|(parent, ticks)| parent == desk.pid() && ticks > 20))
    });
    drop(desk.crash());
    until("its end", || parent_and_ticks(compiler).is_none().then_some(()));
}

#[test]
fn a_small_component_that_compiles_for_ever_is_refused_while_others_serve() {
    let dir = TempDir::new().unwrap();
    let rules_dir = dir.path().join("rules");
    std::fs::create_dir(&rules_dir).unwrap();
    put(&rules_dir, "good", &hostile_manifest("good", "priority", "pass", ""), hostile());
    let mut options = options(&rules_dir);
    options.cache_dir = dir.path().join("cache");
    options.compile_limits.timeout_s = 10;
    let rules = Rules::open(&options, Tables::default()).unwrap();
    let wrong: Vec<_> = rules.catalog().folders().values().filter_map(|folder| folder.error.clone()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let component = bomb();
    assert!(component.len() < 200_000, "{} bytes", component.len());
    let start = Instant::now();
    put(&rules_dir, "bomb", "name = \"bomb\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 2\n", &component);
    let input = fill_in(Stage::Priority, &toml::Table::new()).unwrap();
    let mut answers = 0_u32;
    let (message, _) = until("the bomb to be refused", || {
        let called = ask(&rules.generation().rules()[0], &input, &rules.tables());
        answers += u32::from(called.result.is_ok());
        rules.catalog().folders().values().find_map(|folder| Some(folder.error.as_ref()?.message.to_string()))
    });
    assert!(message.contains("it took longer than 10 s") || message.contains("the compiler died"), "{message}");
    assert!(answers > 10, "{answers} answers in {:?}", start.elapsed());
    assert_eq!(rules.generation().rules().len(), 1);
}

#[test]
fn a_desk_serves_at_once_though_a_component_that_compiles_for_ever_lies_in_its_directory() {
    let rules = TempDir::new().unwrap();
    put(rules.path(), "good", &hostile_manifest("good", "priority", "pass", ""), hostile());
    put(rules.path(), "bomb", "name = \"bomb\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 2\n", &bomb());
    let desk = Place::demo(Database::Sqlite, rules.path()).serve();
    let kofi = desk.as_role("kofi");
    let (bomb, _) = until("the good rule to be active, and the other to be listed", || {
        let rules = kofi.get("/api/v1/rules").expect(200);
        let state = |folder: &str| {
            let found = rules["rules"].as_array()?.iter().find(|rule| rule["folder"] == folder)?;
            Some(found["state"].clone())
        };
        let (good, bomb) = (state("good")?, state("bomb")?);
        (good == "active").then_some(bomb)
    });
    assert_eq!(bomb, "compiling", "it compiles for a minute");
    assert!(desk.as_role("mei").get("/metrics").text.contains("ruledesk_rules_folders{state=\"compiling\"} 1"));
}
