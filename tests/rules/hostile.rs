//! Whatever a rule does, the call comes back with a fault that says what it was, and the next call is as good as new.

use ruledesk::rules::contract::packed::MARK;
use ruledesk::rules::limits::Limits;
use ruledesk::rules::load::inspect::inspect;
use ruledesk::rules::run::call::{Called, Fault, ask};
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::Stage;
use tempfile::TempDir;

use crate::support::components::{from_text, hostile, hostile_manifest, open, put};
use crate::support::wait::until;

/// Asks a rule that does something once, for priority, under limits that keep the test short.
fn priority(does: &str) -> Called {
    call(hostile(), does)
}

fn call(component: &[u8], does: &str) -> Called {
    let dir = TempDir::new().unwrap();
    let settings = hostile_manifest("bad", "priority", does, "[limits]\nfuel = 5_000_000\ndeadline-ms = 2000");
    // A component made from text takes no settings.
    let plain = settings.split("[settings]").next().unwrap();
    let manifest = if does.is_empty() { plain } else { &settings };
    put(dir.path(), "bad", manifest, component);
    let rules = open(dir.path());
    let generation = rules.generation();
    let rule = generation.rules().first().unwrap_or_else(|| {
        panic!("not loaded: {:?}", rules.catalog().folders().values().next().map(|f| f.error.clone()))
    });
    let input = fill_in(Stage::Priority, &toml::Table::new()).unwrap();
    let first = ask(rule, &input, &rules.tables());
    // The same again in a fresh instance: nothing of the first call is left, and fuel tells the same.
    let second = ask(rule, &input, &rules.tables());
    assert_eq!((&first.result, first.fuel), (&second.result, second.fuel));
    first
}

#[test]
fn a_good_rule_answers() {
    let called = priority("pass");
    assert!(called.result.is_ok(), "{called:?}");
    assert!(called.fuel > 0 && called.fuel < 100_000, "{} fuel", called.fuel);
}

#[test]
fn a_loop_runs_out_of_fuel() {
    let called = priority("loop");
    assert_eq!(called.result, Err(Fault::OutOfFuel { fuel: 5_000_000 }));
    assert_eq!(called.fuel, 5_000_000);
}

#[test]
fn a_loop_with_fuel_for_ever_meets_the_wall_clock() {
    let dir = TempDir::new().unwrap();
    let limits = "[limits]\nfuel = 2_000_000_000\ndeadline-ms = 20";
    put(dir.path(), "bad", &hostile_manifest("bad", "priority", "loop", limits), hostile());
    let rules = open(dir.path());
    let input = fill_in(Stage::Priority, &toml::Table::new()).unwrap();
    let called = ask(&rules.generation().rules()[0], &input, &rules.tables());
    assert_eq!(called.result, Err(Fault::Deadline { deadline_ms: 20 }));
}

#[test]
fn deep_recursion_fills_the_guests_stack_only() {
    let fault = priority("recurse").result.unwrap_err();
    assert!(matches!(fault, Fault::StackOverflow | Fault::Trap { .. }), "{fault}");
}

#[test]
fn a_hoarder_is_stopped_at_its_memory_limit() {
    let called = priority("hoard-memory");
    let Err(Fault::OutOfMemory { message }) = &called.result else { panic!("{called:?}") };
    assert!(message.contains("allowed are 67108864"), "{message}");
    assert!(called.memory_peak <= Limits::DEFAULT.memory_bytes);
}

#[test]
fn a_panic_arrives_with_its_own_message() {
    let fault = priority("panic").result.unwrap_err();
    let Fault::Trap { message } = &fault else { panic!("{fault}") };
    assert!(message.contains("a cow stands on the runway"), "{message}");
}

#[test]
fn a_flood_of_log_lines_is_cut_and_the_cut_recorded() {
    let called = priority("flood-log");
    assert!(called.result.is_ok(), "{called:?}");
    assert!(called.log_cut);
    let bytes: usize = called.log.iter().map(|line| line.message.len()).sum();
    assert!(bytes > 0 && bytes <= Limits::DEFAULT.log_bytes, "{bytes}");
}

#[test]
fn host_calls_without_end_are_stopped() {
    let fault = priority("call-host").result.unwrap_err();
    assert!(matches!(fault, Fault::OutOfFuel { .. }), "lines of a log are cut, and paid for: {fault}");
}

#[test]
fn a_huge_answer_is_not_taken() {
    let fault = priority("huge-answer").result.unwrap_err();
    let expected = matches!(fault, Fault::AnswerTooLarge { .. } | Fault::OutOfFuel { .. });
    assert!(expected, "{fault}");
}

#[test]
fn a_rule_that_gives_up_says_why() {
    let fault = priority("give-up").result.unwrap_err();
    assert_eq!(fault, Fault::RuleError { message: "I do not know".to_owned() });
}

#[test]
fn an_undeclared_table_is_out_of_reach() {
    let fault = priority("look-up-forbidden").result.unwrap_err();
    let Fault::Stopped { message } = &fault else { panic!("{fault}") };
    assert!(message.contains("`secrets`"), "{message}");
}

/// A core module with the contract's ABI for `priority.decide`: the body leaves a pointer to the answer.
fn core(declarations: &str, body: &str) -> String {
    format!(
        r#"(module
            (memory (export "memory") 2)
            (global $top (mut i32) (i32.const 4096))
            {declarations}
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.set $top (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32)
                {body}))"#
    )
}

#[test]
fn a_table_that_grows_without_end_is_stopped() {
    let grow = r"(loop $more
        (drop (table.grow $t (ref.null func) (i32.const 4096)))
        (br $more))
        (i32.const 0)";
    let fault = call(&from_text(&core("(table $t 1 funcref)", grow)), "").result.unwrap_err();
    let Fault::OutOfMemory { message } = &fault else { panic!("{fault}") };
    assert!(message.contains("table elements"), "{message}");
}

#[test]
fn a_case_that_the_contract_does_not_have_is_an_invalid_answer() {
    // result.ok at 64, then the decision's case at 68: 9, where there are two.
    let body = "(i32.store8 (i32.const 68) (i32.const 9)) (i32.const 64)";
    let fault = call(&from_text(&core("", body)), "").result.unwrap_err();
    assert!(matches!(fault, Fault::InvalidAnswer { .. }), "{fault}");
}

#[test]
fn an_answer_outside_of_memory_is_an_invalid_answer() {
    let fault = call(&from_text(&core("", "(i32.const 0x7ffffff0)")), "").result.unwrap_err();
    assert!(matches!(fault, Fault::InvalidAnswer { .. }), "{fault}");
}

#[test]
fn a_block_that_is_no_memory_of_the_guests_is_refused() {
    let whole = core(&format!("(@custom \"{MARK}\" \"\")"), "(unreachable)");
    for address in ["(i32.const -8)", "(i32.const 131064)", "(i32.const 4097)"] {
        let component = from_text(&whole.replace("(local.get $at))", &format!("{address})")));
        assert!(inspect(&component, 1 << 20).unwrap().takes_one_block);
        let fault = call(&component, "").result.unwrap_err();
        let Fault::InvalidAnswer { message } = &fault else { panic!("{fault}") };
        assert!(message.contains("realloc return: "), "{message}");
    }
    let fault = call(&from_text(&whole), "").result.unwrap_err();
    assert!(matches!(fault, Fault::Trap { .. }), "it is asked: {fault}");
}

#[test]
fn memory_returns_after_many_bad_calls() {
    let dir = TempDir::new().unwrap();
    put(
        dir.path(),
        "bad",
        &hostile_manifest("bad", "priority", "hoard-memory", "[limits]\ndeadline-ms = 2000"),
        hostile(),
    );
    let rules = open(dir.path());
    let generation = rules.generation();
    let input = fill_in(Stage::Priority, &toml::Table::new()).unwrap();
    let hoard = |times| {
        for _ in 0..times {
            let called = ask(&generation.rules()[0], &input, &rules.tables());
            assert!(matches!(called.result, Err(Fault::OutOfMemory { .. })), "{called:?}");
        }
        resident_kib()
    };
    // Twenty calls hoard 1,280 MiB: were it kept, no round would leave so little. What other tests hold comes and goes.
    until("twenty calls that leave less than one has hoarded", || {
        let before = hoard(2);
        (hoard(20) < before + 64 * 1024).then_some(())
    });
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
