//! The learners of the example rules take an organisation's own files, and settings that leave to others what they do not know.

use std::path::Path;
use std::process::{Command, Output};

use ruledesk::rules::digest::Digest;

use crate::support::components::root;

fn learns(rule: &str, arguments: &[&str]) -> Output {
    let script = root().join("example-rules").join(rule).join("learn.py");
    Command::new("python3").arg(script).args(arguments).output().unwrap()
}

/// Tickets as a spreadsheet saves them: semicolons, Windows-1252, and labels of its own.
fn tickets(file: &Path) {
    let kinds = [("Netz; VPN", ["vpn", "tunnel", "netz"], "Köln"), ("Drucker", ["drucker", "toner", "papier"], "Bonn")];
    let mut text = "Betreff;Text;Gruppe;Ort;Team\r\n".to_owned();
    for n in 0..400 {
        let (label, words, site) = kinds[n % 2];
        let (one, other) = (words[n % 3], words[(n / 3) % 3]);
        text += &format!("hallo {one} {n};{other} geht für uns nicht;\"{label}\";{site};Team {}\r\n", n % 2);
    }
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn the_learners_take_any_file_and_leave_what_they_do_not_know_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("tickets.csv"), dir.path().join("settings.toml"));
    tickets(&file);
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let said =
        |output: &Output| String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    let settings = || std::fs::read_to_string(out).unwrap();

    let basics = [file, out, "--text", "Betreff", "--text", "Text", "--category", "Gruppe"];
    let done = learns("22-keyword-category", &[&basics[..], &["--map", "Drucker=hardware.printer"]].concat());
    assert!(done.status.success() && said(&done).contains("held back: decides"), "{}", said(&done));
    let found: toml::Table = settings().parse().unwrap();
    let categories = found["settings"]["categories"].as_table().unwrap();
    assert_eq!(categories.keys().collect::<Vec<_>>(), ["hardware.printer", "netz-vpn"]);
    assert_eq!(found["settings"]["threshold"].as_integer(), Some(1), "a text without a keyword is left to others");
    let wrong = learns("22-keyword-category", &[file, out, "--text", "Subject", "--category", "Gruppe"]);
    assert!(!wrong.status.success() && said(&wrong).contains("Subject: there are Betreff"), "{}", said(&wrong));

    let team = ["--team", "Team", "--field", "category=Gruppe", "--field", "location=Ort"];
    let done = learns("40-team-routing", &[&[file, out][..], &team].concat());
    assert!(done.status.success() && settings().contains("\"Drucker\" = \"team-1\""), "{} {}", said(&done), settings());

    let done = learns("21-similar-words", &[file, "--text", "Betreff", "--category", "Gruppe"]);
    assert!(done.status.success() && said(&done).contains("[settings.model.\"Netz; VPN\"]"), "{}", said(&done));
    let tests = Command::new("python3")
        .args(["-m", "unittest", "tests.test_rule"])
        .current_dir(root().join("example-rules/21-similar-words"))
        .env("PYTHONPATH", format!("{}:src", root().join("sdk/python").display()))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output();
    let tests = tests.unwrap();
    assert!(tests.status.success(), "{}", said(&tests));
}

/// The first byte of a text's hash, by which the learners hold rows back.
fn first_byte(text: &str) -> u8 {
    Digest::of(text.as_bytes()).as_bytes()[0]
}

/// Below this, a row is held back; and of texts, below the second it is of the half by which the margin is chosen.
const HELD_BACK_BELOW: u8 = 51;
const CHOOSES_BELOW: u8 = 26;

fn learned(rule: &str, arguments: &[&str]) -> String {
    let output = learns(rule, arguments);
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// An incident goes from one team to another: which of the two is learned is what is asked for, and it is judged by either. What is
/// held back is chosen by the hash of its number, and nothing of it is learned.
#[test]
fn the_learner_of_teams_learns_the_one_that_is_asked_for_from_what_is_not_held_back() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("log.csv"), dir.path().join("settings.toml"));
    let mut log = "number,category,assignment_group\n".to_owned();
    let numbers: Vec<String> = (0..300).map(|n| format!("INC{n:04}")).collect();
    let mut held_back = 0;
    for number in &numbers {
        let is_held_back = first_byte(number) < HELD_BACK_BELOW;
        held_back += usize::from(is_held_back);
        // What is held back has a category of its own too, which no settings may know.
        let category = if is_held_back && number.ends_with(['0', '2', '4', '6', '8']) { "Kept" } else { "Printer" };
        log += &format!("{number},{category},First Line\n{number},{category},Desktop\n");
    }
    assert!(held_back > 20 && log.matches("Kept").count() > 10, "{held_back}");
    std::fs::write(&file, log).unwrap();
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let basics = [file, out, "--number", "number", "--field", "category=category"];
    for (take, team, by_last, by_first) in
        [("last", "desktop", "1.0000", "0.0000"), ("first", "first-line", "0.0000", "1.0000")]
    {
        let said = learned("40-team-routing", &[&basics[..], &["--take", take]].concat());
        let settings = std::fs::read_to_string(out).unwrap();
        assert!(settings.contains(&format!("\"Printer\" = \"{team}\"")) && !settings.contains("Kept"), "{settings}");
        let parts = format!("learned from {}, held back {held_back}, rows 1", numbers.len() - held_back);
        assert!(said.contains(&parts), "{parts}: {said}");
        assert!(
            said.contains(&format!("learned: right {by_last}, by the first team {by_first}, no opinion 0.0000")),
            "{said}"
        );
        // Of the category that is not known the settings say nothing, where the learner would have been right by heart.
        let measured = said.lines().find(|line| line.starts_with("held back:")).unwrap();
        assert!(!measured.ends_with("no opinion 0.0000"), "{said}");
    }
}

/// The margin is chosen by the held-back rows alone: where people's labels of these are wrong, the words weigh what they weighed, and
/// the margin is another.
#[test]
fn the_learner_of_keywords_chooses_its_margin_by_rows_that_it_did_not_learn_from() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("tickets.csv"), dir.path().join("settings.toml"));
    let settings = |doubtful: bool| {
        let kinds = [("network", ["vpn", "tunnel", "gateway"]), ("printer", ["toner", "paper", "tray"])];
        let mut text = "text,topic\n".to_owned();
        for n in 0..600_usize {
            let (one, other) = (kinds[n % 2].1[n % 3], kinds[n % 2].1[(n / 3) % 3]);
            let words = format!("{one} and {other} number {n}");
            let wrong = doubtful && first_byte(&words) < CHOOSES_BELOW && (n / 2) % 2 == 0;
            text += &format!("{words},{}\n", kinds[(n + usize::from(wrong)) % 2].0);
        }
        std::fs::write(&file, text).unwrap();
        let arguments = [file.to_str().unwrap(), out.to_str().unwrap(), "--text", "text", "--category", "topic"];
        let said = learned("22-keyword-category", &arguments);
        let found: toml::Table = std::fs::read_to_string(&out).unwrap().parse().unwrap();
        (found["settings"]["margin"].as_integer().unwrap(), found["settings"]["categories"].clone(), said)
    };
    let ((margin, weights, said), (careful, same, _)) = (settings(false), settings(true));
    assert!(said.contains(", held back ") && said.contains("of these right 1.0000"), "{said}");
    assert_eq!(weights, same, "nothing is learned from what is held back");
    assert_eq!(margin, 0, "where all of them are right, none is too close");
    assert!(careful > 0, "where they are not, the rule leaves more to others");
}

/// The least margin with which so many are right, by hand.
#[test]
fn a_margin_is_the_least_that_keeps_the_share() {
    let script = "import learn\n\
        clear, close = [(9, True)] * 30, [(5, True)] * 10 + [(5, False)] * 10\n\
        assert learn.margin_for(clear + close, 0.9) == 9\n\
        assert learn.margin_for(clear + close, 0.8) == 0\n\
        assert learn.margin_for(clear + close + [(1, False)] * 50, 0.8) == 5\n\
        assert learn.margin_for([(9, True)] * 3 + [(5, False)] * 30, 0.99) == 9\n\
        assert learn.margin_for([(9, False)] * 3 + [(5, True)] * 30, 0.99) == 5\n";
    let done = Command::new("python3")
        .args(["-c", script])
        .env("PYTHONPATH", root().join("example-rules/22-keyword-category"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
