//! The learners of the example rules take an organisation's own files, and settings that leave to others what they do not know.

use std::path::Path;
use std::process::{Command, Output};

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
