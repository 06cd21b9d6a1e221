//! What a guest sees that needs WASI: the decision's time, random numbers of the input, its log, and nothing else.

use std::sync::Arc;

use ruledesk::rules::contract::Level;
use ruledesk::rules::package::componentize;
use ruledesk::rules::run::call::{Called, Fault, ask};
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::Stage;
use ruledesk::rules::tables::Tables;
use tempfile::TempDir;

use crate::support::components::{open, put};

const MANIFEST: &str = "name = \"guest\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 1\n";

/// A module as a C or Go compiler leaves it, which speaks the WASI of before components. Its answer is an error whose
/// message is the bytes from 1024 to 1024 + `length`, two letters each.
fn guest(body: &str, length: u32) -> Vec<u8> {
    let text = format!(
        r#"(module
          (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
          (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 8)
          (data (i32.const 64) "first\nsec") (data (i32.const 96) "ond\n") (data (i32.const 128) "I give up")
          ;; Pairs of pointer and length, as fd_write takes them.
          (data (i32.const 200) "\40\00\00\00\09\00\00\00") (data (i32.const 208) "\60\00\00\00\04\00\00\00")
          (data (i32.const 216) "\80\00\00\00\09\00\00\00")
          (global $free (mut i32) (i32.const 8192))
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
            (local.set $at (i32.and
              (i32.add (global.get $free) (i32.sub (local.get 2) (i32.const 1)))
              (i32.sub (i32.const 0) (local.get 2))))
            (global.set $free (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
          (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) (local $i i32) (local $byte i32)
            {body}
            (block $done (loop $next
              (br_if $done (i32.ge_u (local.get $i) (i32.const {length})))
              (local.set $byte (i32.load8_u (i32.add (i32.const 1024) (local.get $i))))
              (i32.store8 (i32.add (i32.const 2048) (i32.mul (local.get $i) (i32.const 2)))
                (i32.add (i32.const 97) (i32.shr_u (local.get $byte) (i32.const 4))))
              (i32.store8 (i32.add (i32.const 2049) (i32.mul (local.get $i) (i32.const 2)))
                (i32.add (i32.const 97) (i32.and (local.get $byte) (i32.const 15))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br $next)))
            (i32.store8 (i32.const 4096) (i32.const 1))
            (i32.store (i32.const 4100) (i32.const 2048))
            (i32.store (i32.const 4104) (i32.mul (i32.const 2) (i32.const {length})))
            (i32.const 4096)))"#
    );
    componentize(&wat::parse_str(text).unwrap()).unwrap()
}

/// What the guest came to, asked about a ticket with a subject.
fn asked(component: &[u8], subject: &str) -> Called {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "guest", MANIFEST, component);
    let rules = open(dir.path());
    let folders = rules.catalog().folders();
    assert_eq!(folders.values().next().unwrap().error.as_ref().map(|e| e.message.to_string()), None);
    let generation = rules.generation();
    let rule = generation.rules().first().unwrap();
    let input = toml::Table::from_iter([("ticket".to_owned(), toml::Value::Table(subject_only(subject)))]);
    ask(rule, &fill_in(Stage::Priority, &input).unwrap(), &Arc::new(Tables::default()))
}

fn subject_only(subject: &str) -> toml::Table {
    toml::Table::from_iter([("subject".to_owned(), subject.into())])
}

/// The bytes that a guest reported.
fn reported(called: &Called) -> Vec<u8> {
    let Err(Fault::RuleError { message }) = &called.result else { panic!("{:?}", called.result) };
    message.as_bytes().chunks(2).map(|pair| (pair[0] - b'a') << 4 | (pair[1] - b'a')).collect()
}

#[test]
fn the_clock_stands_at_the_decisions_time() {
    let body = "(drop (call $clock (i32.const 0) (i64.const 1) (i32.const 1024)))";
    let nanoseconds = u64::from_le_bytes(reported(&asked(&guest(body, 8), "")).try_into().unwrap());
    // The time of an example that says nothing else.
    assert_eq!(nanoseconds, 1_767_614_400_000 * 1_000_000);
}

#[test]
fn random_numbers_are_those_of_the_input() {
    let component = guest("(drop (call $random (i32.const 1024) (i32.const 16)))", 16);
    let (first, again, other) = (asked(&component, "a"), asked(&component, "a"), asked(&component, "b"));
    assert_eq!((&first.result, first.fuel), (&again.result, again.fuel));
    assert_ne!(reported(&first), reported(&other));
    assert_ne!(reported(&first), vec![0; 16]);
}

#[test]
fn there_are_no_arguments_no_environment_and_no_files() {
    let body = "(i32.store8 (i32.const 1024) (i32.const 9)) (i32.store8 (i32.const 1032) (i32.const 9))
        (drop (call $environ (i32.const 1024) (i32.const 1028)))
        (drop (call $args (i32.const 1032) (i32.const 1036)))
        (i32.store8 (i32.const 1040) (call $prestat (i32.const 3) (i32.const 1044)))";
    let bytes = reported(&asked(&guest(body, 17), ""));
    assert_eq!(&bytes[..16], [0; 16]);
    // `badf` of WASI: there is no file 3.
    assert_eq!(bytes[16], 8);
}

#[test]
fn what_it_prints_is_in_the_log() {
    let body = "(drop (call $write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 1024)))
        (drop (call $write (i32.const 1) (i32.const 208) (i32.const 1) (i32.const 1024)))
        (drop (call $write (i32.const 2) (i32.const 216) (i32.const 1) (i32.const 1024)))";
    let called = asked(&guest(body, 0), "");
    let lines: Vec<_> = called.log.iter().map(|line| (line.level, line.message.as_str())).collect();
    assert_eq!(lines, [(Level::Info, "first"), (Level::Info, "second"), (Level::Warn, "I give up")]);
}

#[test]
fn sleeping_takes_no_time_and_moves_only_the_guests_own_clock() {
    // A subscription to the monotonic clock, in an hour from now.
    let body = "(i32.store (i32.const 516) (i32.const 0)) (i32.store (i32.const 528) (i32.const 1))
        (i64.store (i32.const 536) (i64.const 3600000000000))
        (drop (call $poll (i32.const 512) (i32.const 600) (i32.const 1) (i32.const 700)))
        (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 1024)))
        (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 1032)))";
    let bytes = reported(&asked(&guest(body, 16), ""));
    let at = |from: usize| u64::from_le_bytes(bytes[from..from + 8].try_into().unwrap());
    assert_eq!(at(0), 3_600_000_000_000);
    assert_eq!(at(8), 1_767_614_400_000 * 1_000_000);
}

#[test]
fn ending_itself_is_an_outcome_with_its_last_words() {
    let called = asked(&guest("(call $exit (i32.const 3))", 0), "");
    assert_eq!(called.result, Err(Fault::Exited { message: "it ended itself and reported a failure".to_owned() }));
    let body = "(drop (call $write (i32.const 2) (i32.const 216) (i32.const 1) (i32.const 1024)))
        (call $exit (i32.const 3))";
    assert_eq!(asked(&guest(body, 0), "").result, Err(Fault::Exited { message: "I give up".to_owned() }));
}

#[test]
fn a_flood_of_wasi_calls_is_stopped() {
    let body = "(loop $for_ever (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 1024))) (br $for_ever))";
    let Err(Fault::Stopped { message }) = asked(&guest(body, 0), "").result else { panic!("not stopped") };
    assert!(message.contains("10000 times"), "{message}");
}
