//! Files as they come: down pipes, packed, cut off, in other encodings, and such as are no rows at all.

use std::io::Write as _;
use std::process::{Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::tickets;
use crate::support::house::House;
use crate::support::place::Database;

const BASICS: [&str; 8] =
    ["--request-type", "question", "--requester", "amara", "--map", "subject=title", "--map", "body=text"];

fn house() -> (House, tempfile::TempDir) {
    (House::demo(Database::Sqlite), tempfile::tempdir().unwrap())
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Imports what a file of that name has.
fn import(desk: &House, dir: &tempfile::TempDir, name: &str, bytes: &[u8], more: &[&str]) -> Output {
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    desk.command(&[&["import", file.to_str().unwrap()], &BASICS[..], more].concat())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// The first line of the summary with that word, without its blanks.
fn count(said: &str, word: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix(word)?.trim().parse().ok())
}

#[test]
fn what_comes_down_a_pipe_is_known_by_all_that_it_is() {
    let (desk, _) = house();
    let piped = |text: &str| {
        let mut program = desk.program(&[&["import", "-"], &BASICS[..]].concat());
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        words(&child.wait_with_output().unwrap())
    };
    let rows = "title,text\nHow do I print?,The printer has no toner.\n";
    assert_eq!(count(&piped(rows), "accepted"), Some(1));
    let again = piped(rows);
    assert_eq!((count(&again, "accepted"), count(&again, "made before")), (Some(0), Some(1)), "{again}");
    // Another text is another file, whose rows are new, and objects are known by their first character.
    let other = piped("title,text\nHow do I scan?,The scanner has no light.\n");
    assert_eq!(count(&other, "accepted"), Some(1), "{other}");
    let objects = piped("{\"title\":\"How do I copy?\",\"text\":\"The copier has no paper.\"}\n");
    assert_eq!(count(&objects, "accepted"), Some(1), "{objects}");
    let marked = piped("\u{feff}[{\"title\":\"How do I fax?\",\"text\":\"The fax has no line.\"}]");
    assert_eq!(count(&marked, "accepted"), Some(1), "{marked}");
    assert_eq!(tickets(&desk), 4);
}

#[test]
fn json_is_read_in_the_encodings_and_packings_of_csv() {
    let (desk, dir) = house();
    let line = |n: u32| format!("{{\"title\":\"Wo ist Drücker {n}?\",\"text\":\"Niemand weiß, wo er ist.\"}}\n");
    let wide = |text: &str| -> Vec<u8> {
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    };
    let (western, ..) =
        encoding_rs::WINDOWS_1252.encode("{\"title\":\"Müll\",\"text\":\"Wohin mit dem Müll hier?\"}\n");
    let files = [
        ("marked.jsonl", [b"\xef\xbb\xbf", line(1).as_bytes()].concat(), vec![]),
        ("wide.json", wide(&line(2)), vec![]),
        ("packed.jsonl.gz", packed(line(3).as_bytes()), vec![]),
        ("LARGE.JSONL", line(4).into_bytes(), vec![]),
        ("western.ndjson", western.to_vec(), vec!["--encoding", "windows-1252"]),
    ];
    for (name, bytes, more) in files {
        let output = import(&desk, &dir, name, &bytes, &more);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", words(&output));
        assert_eq!(count(&words(&output), "accepted"), Some(1), "{name}");
    }
}

#[test]
fn a_file_that_breaks_off_says_what_has_come_of_it() {
    let (desk, dir) = house();
    let rows: String = (0..3_000).map(|n| format!("Question {n},How do I use number {n} of them?\n")).collect();
    let whole = packed(format!("title,text\n{rows}").as_bytes());
    let output = import(&desk, &dir, "cut.csv.gz", &whole[..whole.len() / 2], &[]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let accepted = count(&said, "accepted").unwrap();
    assert!(accepted > 10 && said.contains("reading stopped near line"), "{said}");
}

#[test]
fn what_is_no_text_is_named() {
    let (desk, dir) = house();
    for (bytes, wanted) in [
        (b"PK\x03\x04\x14\x00\x06\x00".as_slice(), "a workbook of a spreadsheet"),
        (b"\xff\xfe\x00\x00t\x00\x00\x00".as_slice(), "UTF-32"),
        (b"{\"title\":\"a\",\"text\":\"b\"}\n".as_slice(), "It looks like JSON"),
        (b"title:text\na:b\n".as_slice(), "name it by `--delimiter`"),
    ] {
        let output = import(&desk, &dir, "tickets.csv", bytes, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", words(&output));
        assert!(words(&output).contains(wanted), "{wanted}: {}", words(&output));
    }
    let many: String = (0..10_000).map(|n| format!(",column {n}")).collect();
    let output = import(&desk, &dir, "tickets.csv", format!("no{many}\n").as_bytes(), &[]);
    assert!(words(&output).len() < 2_000, "{}", words(&output).len());
}

#[test]
fn one_row_without_a_time_stops_no_other() {
    let (desk, dir) = house();
    let rows = "title,text,n,at\nA,The first of them.,1,2025-01-31T09:30:00Z\nB,The second of them.,2,\n\
                C,The third of them.,3,2025-01-31T10:30:00Z\n";
    for more in [vec!["--history"], vec!["--history", "--log", "--key", "n"]] {
        let more = [more.as_slice(), &["--map", "created-at=at"]].concat();
        let output = import(&desk, &dir, "tickets.csv", rows.as_bytes(), &more);
        let said = words(&output);
        assert_eq!((output.status.code(), count(&said, "accepted")), (Some(3), Some(2)), "{said}");
        assert!(said.contains("line 3: it does not say when its ticket was created"), "{said}");
    }
}

/// A log of which the end is left out would leave its ticket where it never stood.
#[test]
fn a_log_that_is_too_long_is_refused_whole() {
    let (desk, dir) = house();
    let begun: jiff::Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let event = |n: i64| {
        let at = begun + jiff::SignedDuration::from_mins(n);
        let state = if n % 2 == 0 { "open" } else { "in_progress" };
        format!("A,The first of them.,1,{at},{state}\n")
    };
    let rows: String = (0..10_001).map(event).collect();
    let more = ["--history", "--log", "--key", "n", "--map", "created-at=at", "--map", "state=state"];
    let output = import(&desk, &dir, "log.csv", format!("title,text,n,at,state\n{rows}").as_bytes(), &more);
    let said = words(&output);
    assert_eq!((output.status.code(), count(&said, "accepted")), (Some(3), Some(0)), "{said}");
    assert!(said.contains("has 10001 events"), "{said}");
}

#[test]
fn what_no_row_could_ever_fit_is_refused_at_once() {
    let (desk, dir) = house();
    let rows = b"title,text,at\nA,The first of them.,2025-01-31\n";
    let long = "x".repeat(65);
    for (more, code, wanted) in [
        (vec!["--history", "--map", "created-at=at", "--time-format", "yyyy-mm-dd"], 1, "is no form of times"),
        (vec!["--history", "--map", "created-at=at", "--time-format", "%H:%M"], 1, "is no form of times"),
        (vec!["--channel", ""], 2, "a channel's name"),
        (vec!["--channel", "a\u{1b}[31m"], 2, "a channel's name"),
        (vec!["--channel", long.as_str()], 2, "a channel's name"),
        (vec!["--preset", "zendesk"], 1, "export of the desk that `--preset` names"),
    ] {
        let output = import(&desk, &dir, "tickets.csv", rows, &more);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {}", words(&output));
        assert!(words(&output).contains(wanted), "{more:?}: {}", words(&output));
    }
    assert_eq!(tickets(&desk), 0);
}

/// Whoever reads what went wrong may have enough of it; the status stays.
#[test]
fn a_reader_of_errors_that_ends_changes_no_status() {
    let (desk, dir) = house();
    let file = dir.path().join("tickets.csv");
    std::fs::write(&file, "title,text\nonly one\n").unwrap();
    let mut program = desk.program(&[&["import", file.to_str().unwrap()], &BASICS[..]].concat());
    let mut child = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn letters_that_could_be_several_are_read_when_it_is_said_what_they_are() {
    let (desk, dir) = house();
    // Of an old Macintosh. By the encoding of an old Windows, each would be another letter.
    let rows = b"title,text\nSt\x9arung,Der Drucker st\x9art.\n";
    let output = import(&desk, &dir, "old.csv", rows, &[]);
    let said = words(&output);
    assert!(output.status.code() == Some(1) && said.contains("cannot be found out"), "{said}");
    let output = import(&desk, &dir, "old.csv", rows, &["--encoding", "macintosh"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_eq!(desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["subject"], "St\u{f6}rung");
}

#[test]
fn headings_that_look_the_same_are_the_same() {
    let (desk, dir) = house();
    let rows = "   \n\u{200b}TITLE\u{a0},Te\u{301}xt\nHow do I print?,The printer has no toner.\n";
    let file = dir.path().join("tickets.csv");
    std::fs::write(&file, rows).unwrap();
    let maps = ["--map", "subject=title", "--map", "body=T\u{e9}xt"];
    let basics = ["import", file.to_str().unwrap(), "--request-type", "question", "--requester", "amara", "--json"];
    let output = desk.command(&[&basics, maps.as_slice()].concat());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", words(&output)));
    assert_eq!((&told["accepted"], output.status.code()), (&Value::from(1), Some(0)), "{told}");
}

/// A column that does not tell the rows apart is no key, and no row is lost without a word.
#[test]
fn a_key_that_rows_share_is_named() {
    let (desk, dir) = house();
    let rows = "title,text,n\nA,The printer has no toner one.,1\nB,The printer has no toner two.,1\n\
                A,The printer has no toner one.,1\nC,The printer has no toner three.,2\n";
    let output = import(&desk, &dir, "tickets.csv", rows.as_bytes(), &["--key", "n"]);
    let said = words(&output);
    assert_eq!((output.status.code(), count(&said, "accepted")), (Some(3), Some(2)), "{said}");
    assert!(said.contains("line 3: its key is that of line 2"), "{said}");
    assert_eq!(count(&said, "made before"), Some(1), "the same row again is the same ticket: {said}");
}
