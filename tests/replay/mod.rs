//! Recorded decisions, asked again: proved by the rules that made them, and tried under other rules.

use std::path::Path;
use std::process::Output;

use ruledesk::store::Target;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::house::House;

mod archive;
mod backtest;
#[cfg(feature = "s3")]
mod bucket;
mod called_off;
mod verify;

/// Tickets whose words and fields the example rules judge in different ways.
const KINDS: [(&str, &str, &str); 6] = [
    ("The VPN is down", "Nobody in Berlin can reach the VPN since this morning.", "40"),
    ("The printer jams", "The printer on the third floor eats every second page.", "3"),
    ("Outlook does not start", "My mailbox in Outlook shows an error when I open it.", "1"),
    ("Slow laptop", "My laptop needs ten minutes to start.", "1"),
    ("Salary statement", "Workday shows no payslip for May.", "1"),
    ("Nothing works", "Please help me.", ""),
];

/// Imports so many tickets; what became of them.
fn import(desk: &House, count: usize) -> Value {
    let mut rows = "title,text,people\n".to_owned();
    for number in 0..count {
        let (subject, body, people) = KINDS[number % KINDS.len()];
        rows += &format!("{subject} ({number}),{body},{people}\n");
    }
    let file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    std::fs::write(file.path(), rows).unwrap();
    let map = ["--map", "subject=title", "--map", "body=text", "--map", "field.people-affected=people"];
    let head =
        ["import", file.path().to_str().unwrap(), "--request-type", "incident", "--requester", "amara", "--json"];
    let output = desk.command(&[&head, map.as_slice()].concat());
    assert!(output.status.success(), "{}", said(&output));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["accepted"], count, "{summary}");
    summary
}

/// The tickets in a team's queue: an import numbers its tickets in no certain order.
fn in_queue(desk: &House, team: &str) -> Vec<String> {
    let tickets = desk.as_role("mei").get(&format!("/api/v1/tickets?team={team}")).expect(200);
    let keys = tickets["tickets"].as_array().unwrap().iter().map(|ticket| ticket["key"].as_str().unwrap().to_owned());
    keys.collect()
}

/// A condition that a ticket's row meets.
fn is(key: &str) -> String {
    format!("number = {}", key.trim_start_matches("IT-"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a statement on a desk's database, behind its back; how many rows it changed.
fn edit(desk: &House, sql: &str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match desk.target() {
            Target::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap().rows_affected()
            }
            Target::Sqlite(file) => {
                let url = format!("sqlite:{}", file.display());
                let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
                sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap().rows_affected()
            }
        }
    })
}

/// A JSON file's content.
fn read(file: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}
