//! The block about data of others, which are not in this repository: on files with the same columns, and rows of which it is known
//! what people said about them.

use std::fmt::Write as _;

use ruledesk::rules::digest::Digest;

use super::{Shell, block};
use crate::support::components::root;

/// Below this first byte of its hash, a row is held back.
const HELD_BACK_BELOW: u8 = 51;

fn is_held_back(text: &str) -> bool {
    Digest::of(text.as_bytes()).as_bytes()[0] < HELD_BACK_BELOW
}

/// The topics of the first file.
const TOPICS: [&str; 8] = [
    "Hardware",
    "HR Support",
    "Access",
    "Miscellaneous",
    "Storage",
    "Purchase",
    "Internal Project",
    "Administrative rights",
];

/// Impact, urgency and the priority that follows from them, in the second one.
const LEVELS: [(&str, &str, &str); 4] = [
    ("1 - High", "1 - High", "1 - Critical"),
    ("1 - High", "2 - Medium", "2 - High"),
    ("2 - Medium", "2 - Medium", "3 - Moderate"),
    ("3 - Low", "3 - Low", "4 - Low"),
];

/// How many tickets each import has accepted.
fn accepted(said: &str) -> Vec<usize> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("accepted "));
    lines.map(|count| count.trim().parse().unwrap()).collect()
}

#[test]
fn the_block_about_data_of_others_runs_on_files_of_their_form() {
    let (mut tickets, mut log) = ("Document,Topic_group\n".to_owned(), String::new());
    let mut held_back = [0, 0];
    for n in 0..160 {
        let text = format!("please look at laptop number {n} and the monitor next to it");
        held_back[0] += usize::from(is_held_back(&text));
        writeln!(tickets, "{text},{}", TOPICS[n % 8]).unwrap();
        let number = format!("INC{n:07}");
        held_back[1] += usize::from(is_held_back(&number));
        let (impact, urgency, priority) = LEVELS[n % 4];
        // The log has a row for each event of an incident; the first one counts.
        for group in ["Group 70", "Group 24"] {
            let what = "Category 26,Subcategory 174,?,Location 143";
            writeln!(log, "{number},{what},{impact},{urgency},{priority},{group}").unwrap();
        }
    }
    let head = "number,category,subcategory,u_symptom,location,impact,urgency,priority,assignment_group\n";
    assert!(held_back.iter().all(|count| (10..60).contains(count)), "a fifth of them: {held_back:?}");

    let shell = Shell::new();
    std::os::unix::fs::symlink(root().join("host"), shell.folder().join("host")).unwrap();
    for (file, text) in [
        ("endava_tickets_47k/dev.csv", tickets),
        ("uci_servicenow_incidents/dev_opened_before_2016-05-01.csv", head.to_owned() + &log),
    ] {
        let file = shell.folder().join(file);
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    shell.run("gzip endava_tickets_47k/dev.csv uci_servicenow_incidents/dev_opened_before_2016-05-01.csv");
    let lines = block("host/guide/history.md", "endava_tickets_47k");
    let lines = lines.replace("example-rules/", &format!("{}/example-rules/", root().display()));
    let said = shell.run(&lines);
    assert_eq!(accepted(&said), held_back, "{said}");
    let all = held_back[1];
    assert!(said.contains(&format!("priority agrees with {all} of {all} labels")), "impact and urgency tell: {said}");
    assert!(said.contains("category agrees with"), "{said}");
    assert!(!said.contains("no row has these mapped values"), "all that the block maps is met: {said}");
}
