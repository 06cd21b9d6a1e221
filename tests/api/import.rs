//! A file of tickets, taken through the whole pipeline by the command line.

use ruledesk::rules::digest::Digest;
use serde_json::{Value, json};

use crate::support::house::House;
use crate::support::place::on_both;

/// What the import says of itself, and how its process ended.
fn import(desk: &House, file: &str, more: &[&str]) -> (Value, Option<i32>) {
    let map =
        ["--map", "subject=title", "--map", "body=text", "--map", "label.category=topic", "--map", "requester=who"];
    let basics = ["import", file, "--request-type", "question", "--requester", "amara", "--json"];
    let output = desk.command(&[basics.as_slice(), map.as_slice(), more].concat());
    let told = serde_json::from_slice(&output.stdout);
    (told.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.code())
}

const ROWS: &str = "title,text,topic,who\nHow do I print?,The printer has no toner.,hardware.printer,\n\
                    \"How do I print?\",The printer has no toner.,hardware.printer,\n\
                    VPN,\"How do I use\nthe VPN?\",network,kofi\n";

fn tickets(desk: &House) -> usize {
    let tickets = desk.as_role("kofi").get("/api/v1/tickets").expect(200);
    tickets["tickets"].as_array().unwrap().len()
}

#[test]
fn an_import_that_is_run_again_doubles_nothing_and_says_so() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.csv");
        std::fs::write(&file, ROWS).unwrap();
        let file = file.to_str().unwrap();
        let counts = |told: &Value| ["accepted", "made_before", "decisions"].map(|name| told[name].as_u64().unwrap());
        let (first, ended) = import(&desk, file, &[]);
        assert_eq!((counts(&first)[..2].to_vec(), ended), (vec![3, 0], Some(0)), "{first}");
        let (again, ended) = import(&desk, file, &[]);
        assert_eq!((counts(&again), ended), ([0, 3, 0], Some(0)), "{again}");
        assert_eq!(tickets(&desk), 3, "alike rows are tickets of their own");

        // The same rows by other arguments are other requests.
        let (other, ended) = import(&desk, file, &["--channel", "another"]);
        assert_eq!((&other["rejected"]["total"], ended, tickets(&desk)), (&Value::from(3), Some(3), 3), "{other}");
    });
}

/// A requester may use any key, also one that an import would choose.
#[test]
fn a_requesters_own_key_does_not_keep_a_row_out() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.csv");
        std::fs::write(&file, ROWS).unwrap();
        let amara = desk.as_role("amara").with("idempotency-key", &format!("import-{}-2", Digest::of(ROWS.as_bytes())));
        let own = json!({ "request_type": "question", "subject": "Mine", "body": "Not the row's." });
        amara.post("/api/v1/tickets", &own).expect(201);
        let (told, ended) = import(&desk, file.to_str().unwrap(), &[]);
        assert_eq!((&told["accepted"], ended, tickets(&desk)), (&Value::from(3), Some(0), 4), "{told}");
    });
}

#[test]
fn refused_rows_are_named_and_the_others_are_imported() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.csv");
        let zero = "a\0zero,text,network,\n";
        std::fs::write(
            &file,
            format!("{ROWS},,network,\nWho?,Nobody.,network,nobody-at-all\n{zero}Last,How do I print on both sides?,network,\n"),
        )
        .unwrap();
        let (told, ended) = import(&desk, file.to_str().unwrap(), &[]);
        assert_eq!((&told["accepted"], &told["rejected"]["total"], ended), (&json!(4), &json!(3), Some(3)), "{told}");
        let lines: Vec<_> = told["rejected"]["rows"].as_array().unwrap().iter().map(|row| &row["line"]).collect();
        assert_eq!(lines, [6, 7, 8], "{told}");
        assert!(told["rejected"]["rows"][1]["wrong"].as_str().unwrap().contains("nobody-at-all"), "{told}");
        assert_eq!(tickets(&desk), 4);
    });
}
