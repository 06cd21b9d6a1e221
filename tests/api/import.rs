//! A file of tickets, taken through the whole pipeline by the command line.

use serde_json::Value;

use crate::support::desk::{Desk, on_both};

fn import(desk: &Desk, file: &str) -> Value {
    let map = ["--map", "subject=title", "--map", "body=text", "--map", "label.category=topic"];
    let output = desk.command(
        &[&["import", file, "--request-type", "question", "--requester", "amara", "--json"], map.as_slice()].concat(),
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_import_that_is_run_again_doubles_nothing() {
    on_both(|database| {
        let desk = Desk::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.csv");
        let rows = "title,text,topic\nHow do I print?,The printer has no toner.,hardware.printer\n\
                    \"How do I print?\",The printer has no toner.,hardware.printer\nVPN,\"How do I use\nthe VPN?\",network\n\
                    ,,network\n";
        std::fs::write(&file, rows).unwrap();
        let file = file.to_str().unwrap();
        let first = import(&desk, file);
        let again = import(&desk, file);
        assert_eq!((&first["accepted"], &first["rejected"]["total"]), (&Value::from(3), &Value::from(1)), "{first}");
        assert_eq!((&again["accepted"], &again["rejected"]["total"]), (&Value::from(3), &Value::from(1)), "{again}");
        let tickets = desk.as_role("kofi").get("/api/v1/tickets").expect(200);
        assert_eq!(tickets["tickets"].as_array().unwrap().len(), 3, "alike rows are tickets of their own: {tickets}");
    });
}
