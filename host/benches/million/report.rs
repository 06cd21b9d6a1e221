//! What was measured: kept in a file for each database and size, and printed as one table of all there are.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Database, place};

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Line {
    pub name: String,
    pub value: String,
}

/// Two percentiles of what took so long, in milliseconds.
pub fn percentiles(name: &str, mut took: Vec<Duration>, high: f64) -> Line {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    Line { name: name.to_owned(), value: format!("{:.2} / {:.2}", at(0.5), at(high)) }
}

pub fn save(database: Database, size: u64, lines: &[Line]) {
    let text: String = lines.iter().map(|Line { name, value }| format!("{name}\t{value}\n")).collect();
    std::fs::write(place().join(format!("measured-{}-{size:07}.tsv", database.name())), text).unwrap();
}

/// Prints a table for each database, with a column for each size.
pub fn print() {
    let mut files: Vec<String> = std::fs::read_dir(place())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("measured-") && name.ends_with(".tsv"))
        .collect();
    files.sort();
    for database in [Database::Sqlite, Database::Postgres] {
        let mut names: Vec<String> = Vec::new();
        let mut columns: Vec<(String, BTreeMap<String, String>)> = Vec::new();
        let prefix = format!("measured-{}-", database.name());
        for file in files.iter().filter(|file| file.starts_with(&prefix)) {
            let text = std::fs::read_to_string(place().join(file)).unwrap();
            let lines: Vec<(String, String)> = text
                .lines()
                .filter_map(|line| line.split_once('\t'))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            names.extend(
                lines.iter().map(|(name, _)| name.clone()).filter(|name| !names.contains(name)).collect::<Vec<_>>(),
            );
            let size = file.trim_start_matches(&prefix).trim_end_matches(".tsv").trim_start_matches('0').to_owned();
            columns.push((size, lines.into_iter().collect()));
        }
        if columns.is_empty() {
            continue;
        }
        println!("\n{}", database.name());
        print!("{:44}", "tickets");
        columns.iter().for_each(|(size, _)| print!("{size:>20}"));
        println!();
        for name in names {
            print!("{name:44}");
            columns.iter().for_each(|(_, values)| print!("{:>20}", values.get(&name).map_or("", String::as_str)));
            println!();
        }
    }
}
