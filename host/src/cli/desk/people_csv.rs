//! People of a CSV file, such as a personnel system exports, as the document `people`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::cli::Failure;
use crate::rows::{self, Record, Written, Wrong};

/// The columns that are texts. The first three are needed.
const TEXTS: [&str; 9] =
    ["id", "name", "email", "department", "title", "location", "manager", "valid-from", "valid-until"];
/// The columns that say yes or no.
const FLAGS: [&str; 2] = ["vip", "active"];
/// The column of groups, with spaces, commas or semicolons between them.
const GROUPS: &str = "groups";
/// The most people of a file.
const PEOPLE_MAX: usize = 500_000;

/// The document that a file says. The desk checks it as any other.
///
/// # Errors
///
/// Where a column or a row is not right, with its line.
pub fn document(file: &[u8]) -> Result<String, Failure> {
    let mut records = rows::open(file, Written::default(), &TEXTS)?;
    let head = records.next_record()?.ok_or("the file is empty: its first line names the columns")?;
    let columns = texts(&head.map_err(at_line)?);
    let is_known = |column: &&String| {
        let column = column.as_str();
        TEXTS.contains(&column) || FLAGS.contains(&column) || column == GROUPS
    };
    if let Some(unknown) = columns.iter().find(|column| !is_known(column)) {
        let known = [TEXTS.as_slice(), FLAGS.as_slice(), &[GROUPS]].concat().join(", ");
        return Err(format!("there is no column `{unknown}`: there are {known}").into());
    }
    let (mut departments, mut groups) = (BTreeSet::new(), BTreeSet::new());
    let (mut people, mut count) = (String::new(), 0);
    while let Some(record) = records.next_record()? {
        let record = record.map_err(at_line)?;
        count += 1;
        if count > PEOPLE_MAX {
            return Err(format!("the file has more than {PEOPLE_MAX} people").into());
        }
        people.push_str("\n[[person]]\n");
        for (column, text) in columns.iter().zip(texts(&record)).filter(|(_, text)| !text.is_empty()) {
            match column.as_str() {
                GROUPS => {
                    let own: Vec<String> = text.split([' ', ',', ';']).map(str::to_owned).collect();
                    let own: Vec<String> = own.into_iter().filter(|group| !group.is_empty()).collect();
                    writeln!(people, "groups = {}", list(own.iter()))?;
                    groups.extend(own);
                }
                flag if FLAGS.contains(&flag) => {
                    let yes = yes(&text).ok_or_else(|| format!("line {}, {flag}: write true or false", record.line))?;
                    writeln!(people, "{flag} = {yes}")?;
                }
                name => {
                    writeln!(people, "{name} = {}", quoted(&text))?;
                    departments.extend((name == "department").then_some(text));
                }
            }
        }
    }
    let (departments, groups) = (list(departments.iter()), list(groups.iter()));
    Ok(format!("source = \"csv\"\ndepartments = {departments}\ngroups = {groups}\n{people}"))
}

/// The part of a document of people that no CSV file says: who reads the tickets of departments.
///
/// # Errors
///
/// Where the document is no TOML.
pub fn readers_of(document: &str) -> Result<String, Failure> {
    let document: toml::Table = document.parse()?;
    let readers = document.get("department-readers").and_then(toml::Value::as_array);
    let mut kept = String::new();
    for table in readers.into_iter().flatten().filter_map(toml::Value::as_table) {
        kept.push_str("\n[[department-readers]]\n");
        for (key, value) in table {
            writeln!(kept, "{key} = {value}")?;
        }
    }
    Ok(kept)
}

fn at_line((line, wrong): (u64, Wrong)) -> String {
    format!("line {line}: {wrong}")
}

fn texts(record: &Record) -> Vec<String> {
    record.cells.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
}

fn yes(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    format!("[{}]", texts.map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_people_becomes_the_document_of_people() {
        let file = "id;name;email;department;manager;groups;active;valid-until\nbo;\"Bo \"\"B\"\" Li\";bo@x.example;IT;;staff admins;yes;\n\
                    al;Al;al@x.example;Sales;bo;staff;no;2026-12-31\n";
        let expected = "source = \"csv\"\ndepartments = [\"IT\", \"Sales\"]\ngroups = [\"admins\", \"staff\"]\n\n[[person]]\nid = \"bo\"\n\
            name = 'Bo \"B\" Li'\nemail = \"bo@x.example\"\ndepartment = \"IT\"\ngroups = [\"staff\", \"admins\"]\nactive = true\n\n\
            [[person]]\nid = \"al\"\nname = \"Al\"\nemail = \"al@x.example\"\ndepartment = \"Sales\"\nmanager = \"bo\"\n\
            groups = [\"staff\"]\nactive = false\nvalid-until = \"2026-12-31\"\n";
        assert_eq!(document(file.as_bytes()).unwrap(), expected);
        let wrong = |file: &str| document(file.as_bytes()).unwrap_err().to_string();
        assert!(wrong("id,colour\nbo,red\n").contains("`colour`"));
        assert_eq!(wrong("id,vip\nbo,perhaps\n"), "line 2, vip: write true or false");
        assert!(wrong("").contains("empty"));
    }

    #[test]
    fn the_readers_of_departments_are_kept_with_a_file_of_people() {
        let readers =
            "\n[[department-readers]]\ndepartment = \"Sales\"\ngroups = [\"staff\"]\npeople = [\"bo\", \"al\"]\n";
        let live = format!("departments = [\"Sales\"]\n\n[[person]]\nid = \"bo\"\n{readers}");
        assert_eq!(readers_of(&live).unwrap(), readers);
        assert_eq!(readers_of("departments = []\n").unwrap(), "");
        assert!(readers_of("[[").is_err());
    }
}
