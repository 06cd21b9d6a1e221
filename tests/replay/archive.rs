//! `ruledesk decisions archive`: records that have left the database are read as before, and a deletion is an act.

use std::path::PathBuf;
use std::process::Output;

use jiff::Timestamp;
use ruledesk::store::Store;
use ruledesk::store::rules::segments::place::Archive;
use ruledesk::store::rules::segments::{Bounds, Step};
use serde_json::{Value, json};

use super::{edit, import, said};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

const BY: &str = "operator:test";
const ALL: &str = "2100-01-01";
const HEAD: &str = "insert into chain_heads (chain, link, hash, unchained) values ('archive', 0, '', 0)";

fn folder(desk: &House) -> PathBuf {
    desk.data_dir().join("archive")
}

/// The names of the files in a desk's archive.
fn files(desk: &House) -> Vec<String> {
    let entries = std::fs::read_dir(folder(desk)).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// Puts the oldest records into a segment of at most so many; its name, or why there is none.
fn archive_some(desk: &House, runs: usize) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&desk.target()).await.unwrap().with_archive(Archive::directory(&folder(desk)));
        let before: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
        let bounds = Bounds { runs, ..Bounds::default() };
        let step = store.archive_segment(before, desk.clock.now(), BY, bounds).await;
        store.close().await;
        match step {
            Ok(Step::Archived(kept)) => Ok(kept.name),
            Ok(Step::Ended(stopped)) => Err(format!("{stopped:?}")),
            Err(error) => Err(error.to_string()),
        }
    })
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    said(output)
}

/// All that a desk tells of its records: each ticket's decisions and explanation, the proof, and the chain of runs.
fn told(desk: &House, tickets: usize) -> Vec<String> {
    let kofi = desk.as_role("kofi");
    let mut told = Vec::new();
    for ticket in 1..=tickets {
        for about in ["decisions", "explain"] {
            told.push(kofi.get(&format!("/api/v1/tickets/IT-{ticket}/{about}")).expect(200).to_string());
        }
    }
    let verified = verified(desk, 0);
    told.push(["decisions", "answers", "same", "findings", "holds"].map(|key| verified[key].to_string()).join(" "));
    let chain = succeeded(&desk.command(&["decisions", "chain"]));
    told.extend(chain.lines().filter(|line| line.starts_with("runs") || line.starts_with("ledger")).map(str::to_owned));
    told
}

fn verified(desk: &House, status: i32) -> Value {
    let output = desk.command(&["decisions", "verify", "--json"]);
    assert_eq!(output.status.code(), Some(status), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many recorded decisions a backtest of all rules judged, and why not the others.
fn judged(desk: &House) -> (Value, Value) {
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    let set = example_rules().to_str().unwrap();
    let to = file.path().to_str().unwrap();
    succeeded(&desk.command(&["rules", "backtest", "--rules-dir", set, "--json", to]));
    let report = super::read(file.path());
    (report["decisions"].clone(), report["not-judged"].clone())
}

#[test]
fn what_has_left_the_database_is_read_proved_and_tried_as_before() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 12);
        let (before, tried) = (told(&desk, 12), judged(&desk));
        assert_eq!(tried.0, 12 * 4);
        let first = archive_some(&desk, 5).unwrap();
        assert!(first.starts_with("runs-000000000001-000000000005-"), "{first}");
        assert_eq!(edit(&desk, "update runs set packed = packed where length(packed) = 0"), 5);
        assert_eq!(told(&desk, 12), before, "some are in a segment");
        let none = succeeded(&desk.command(&["decisions", "archive", "--before", "1d"]));
        assert!(none.contains("0 records were archived"), "{none}");
        let rest = succeeded(&desk.command(&["decisions", "archive", "--before", ALL]));
        assert!(rest.contains("runs 6 to 12, 7 records") && rest.contains("7 records were archived"), "{rest}");
        assert_eq!(edit(&desk, "update runs set packed = packed where length(packed) = 0"), 12);
        assert_eq!((told(&desk, 12), judged(&desk)), (before, tried), "all are in segments");
        let listed = succeeded(&desk.command(&["decisions", "segments"]));
        assert!(
            listed.contains(&first) && listed.contains(BY) && listed.contains("2 segments, 12 records"),
            "{listed}"
        );
        // New records go on behind them.
        import(&desk, 2);
        assert_eq!(verified(&desk, 0)["decisions"], 14 * 4);
        succeeded(&desk.command(&["decisions", "archive", "--before", ALL]));
        assert_eq!(files(&desk).len(), 3);
        assert_eq!(verified(&desk, 0)["decisions"], 14 * 4);
        succeeded(&desk.command(&["decisions", "chain"]));
    });
}

#[test]
fn a_segment_that_is_damaged_or_missing_is_named_and_keeps_no_other_from_being_read() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 12);
        let names = [(); 3].map(|()| archive_some(&desk, 4).unwrap());
        let damaged = folder(&desk).join(&names[0]);
        let mut bytes = std::fs::read(&damaged).unwrap();
        let last = bytes.len() - 40;
        bytes[last] ^= 0x55;
        std::fs::write(&damaged, bytes).unwrap();
        std::fs::remove_file(folder(&desk).join(&names[1])).unwrap();
        let chain = desk.command(&["decisions", "chain"]);
        assert!(!chain.status.success());
        let chain = said(&chain);
        let broken: Vec<&str> = chain.lines().filter(|line| line.starts_with("  runs ")).collect();
        assert_eq!(broken.len(), 5, "{chain}");
        assert!(broken[0].starts_with("  runs 4 ") && broken[0].contains(&names[0]), "{chain}");
        let missing = format!("the segment `{}` is missing in {}", names[1], folder(&desk).display());
        assert!(broken[1..].iter().all(|line| line.contains(&missing)), "{chain}");
        let found = verified(&desk, 3);
        assert_eq!((&found["unreadable"], &found["decisions"]), (&json!(5), &json!(7 * 4)), "{found}");
        let kofi = desk.as_role("kofi");
        let all = (1..=12).map(|n| kofi.get(&format!("/api/v1/tickets/IT-{n}/decisions")).expect(200).to_string());
        assert_eq!(all.filter(|told| told.contains("put the file back from a backup")).count(), 5);
        let again = desk.command(&["decisions", "archive", "--before", ALL]);
        assert!(succeeded(&again).contains("0 records were archived"));
    });
}

#[test]
fn a_deletion_is_an_act_in_the_chain_and_the_chain_holds_across_it() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 9);
        let names = [(); 3].map(|()| archive_some(&desk, 3).unwrap());
        let delete = ["decisions", "archive", "--as", "mei", "--delete", &names[1], "--why", "kept\u{2066} for a year"];
        let without = desk.command(&delete[..6]);
        assert!(!without.status.success(), "a deletion needs a reason");
        let unseen = desk.command(&[&delete[..7], &["\u{200b}\u{2060}"]].concat());
        assert!(!unseen.status.success() && files(&desk).len() == 3, "one that can be seen: {}", said(&unseen));
        let unknown = desk.command(&["decisions", "archive", "--delete", "x.segment", "--why", "old"]);
        assert!(said(&unknown).contains("there is no segment `x.segment`"), "{}", said(&unknown));
        let deleted = succeeded(&desk.command(&delete));
        assert!(
            deleted.contains("; deleted by mei") && deleted.contains(r": kept\u{2066} for a year"),
            "as text: {deleted}"
        );
        assert_eq!(files(&desk), [names[0].as_str(), &names[2]]);
        succeeded(&desk.command(&delete));
        let chain = succeeded(&desk.command(&["decisions", "chain"]));
        assert!(chain.contains("  runs 4 to 6: archived, and deleted by mei"), "{chain}");
        assert!(chain.contains(r": kept\u{2066} for a year") && !chain.contains('\u{2066}'), "as text: {chain}");
        assert!(chain.contains("archive: 4 chained records"), "three files and one deletion: {chain}");
        let found = verified(&desk, 0);
        assert_eq!((&found["not-comparable"], &found["decisions"]), (&json!(3), &json!(6 * 4)), "{found}");
        let kofi = desk.as_role("kofi");
        let all = (1..=9).map(|n| kofi.get(&format!("/api/v1/tickets/IT-{n}/decisions")).expect(200).to_string());
        let of_deleted: Vec<String> = all.filter(|told| told.contains("was archived, and deleted by mei")).collect();
        assert_eq!(of_deleted.len(), 3);
        assert!(of_deleted[0].contains("for a year") && !of_deleted[0].contains("backup"), "{}", of_deleted[0]);

        let (judged, not_judged) = judged(&desk);
        assert_eq!((judged, &not_judged["its record was archived and deleted"]), (json!(6 * 4), &json!(3)));

        // A record of another segment is not hidden by the deletion, and the act cannot be made another.
        edit(&desk, "update runs set segment = 2 where link = 8");
        let hidden = said(&desk.command(&["decisions", "chain"]));
        assert!(hidden.contains("runs 8") && hidden.contains("that segment never had it"), "{hidden}");
        edit(&desk, "update runs set segment = 3 where link = 8");
        edit(&desk, "update runs set hash = '2:00' where link = 6");
        let changed = said(&desk.command(&["decisions", "chain"]));
        assert!(changed.contains("runs 6") && changed.contains("has another hash for its place"), "{changed}");
        edit(&desk, "update archive set detail = replace(detail, 'a year', 'a day') where link = 4");
        let other = said(&desk.command(&["decisions", "chain"]));
        assert!(other.contains("  archive 4: it is not what was written here"), "{other}");
    });
}

#[test]
fn a_crash_between_the_file_and_the_database_leaves_everything_readable_and_the_next_run_clears_up() {
    on_both(|database| {
        let desk = House::demo(database);
        import(&desk, 8);
        let before = told(&desk, 8);
        // Without an end of the chain, the transaction fails when the file is written.
        edit(&desk, "delete from chain_heads where chain = 'archive'");
        archive_some(&desk, 5).unwrap_err();
        let left = files(&desk);
        assert_eq!(left.len(), 1, "{left:?}");
        std::fs::write(folder(&desk).join("half.segment.tmp"), "half").unwrap();
        std::fs::write(folder(&desk).join("runs-000000000001-of-another.segment"), "another desk's").unwrap();
        edit(&desk, HEAD);
        assert_eq!(told(&desk, 8), before);
        succeeded(&desk.command(&["decisions", "archive", "--before", ALL]));
        let now = files(&desk);
        assert_eq!(now.len(), 2, "the whole one, and the one that is not ours: {now:?}");
        assert!(!now.contains(&left[0]) && now[0].starts_with("runs-000000000001-000000000008-"), "{now:?}");
        assert_eq!(told(&desk, 8), before);
    });
}

#[test]
fn what_the_chain_does_not_prove_stays_in_the_database() {
    let desk = House::demo(Database::Sqlite);
    import(&desk, 6);
    edit(&desk, "update runs set generation = generation + 1 where link = 4");
    let stopped = desk.command(&["decisions", "archive", "--before", ALL]);
    assert!(!stopped.status.success());
    let stopped = said(&stopped);
    assert!(stopped.contains("runs 1 to 3") && stopped.contains("is not what was written"), "{stopped}");
    edit(&desk, "update runs set generation = generation - 1 where link = 4");
    assert!(succeeded(&desk.command(&["decisions", "archive", "--before", ALL])).contains("runs 4 to 6"));
    let refused = desk.command(&["decisions", "archive", "--before", "yesterday"]);
    assert!(said(&refused).contains("is no time"), "{}", said(&refused));
}

#[test]
fn an_archive_that_cannot_be_reached_is_said_with_what_to_do() {
    let archive = |text: String| text.replace("[server]", "[server]\narchive = \"/proc/none\"");
    let desk = House::with_settings(Database::Sqlite, example_rules(), archive);
    import(&desk, 2);
    let away = desk.command(&["decisions", "archive", "--before", ALL]);
    assert!(!away.status.success());
    let away = said(&away);
    assert!(away.contains("/proc/none") && away.contains("`archive` in [server] of desk.toml"), "{away}");
    assert_eq!(verified(&desk, 0)["decisions"], 8);
}
