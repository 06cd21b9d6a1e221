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
    // Headings are names, with which spreadsheets are free.
    let columns: Vec<String> = texts(&head.map_err(at_line)?)?.iter().map(|name| name.to_lowercase()).collect();
    let is_known = |column: &&String| {
        let column = column.as_str();
        TEXTS.contains(&column) || FLAGS.contains(&column) || column == GROUPS
    };
    if let Some(unknown) = columns.iter().find(|column| !is_known(column)) {
        let known = [TEXTS.as_slice(), FLAGS.as_slice(), &[GROUPS]].concat().join(", ");
        return Err(format!("there is no column `{unknown}`: there are {known}").into());
    }
    let twice = columns.iter().enumerate().find(|(at, name)| columns.iter().take(*at).any(|other| other == *name));
    if let Some((_, name)) = twice {
        return Err(format!("the column `{name}` is there twice: leave one out").into());
    }
    let (mut departments, mut groups) = (BTreeSet::new(), BTreeSet::new());
    let (mut people, mut count) = (String::new(), 0);
    while let Some(record) = records.next_record()? {
        let record = record.map_err(at_line)?;
        let cells = texts(&record)?;
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let (line, found, wanted) = (record.line, cells.len(), columns.len());
        if found != wanted {
            // What is missing would stand at its default: one who has left would be here.
            return Err(format!("line {line}: the row has {found} cells, the first line has {wanted}").into());
        }
        count += 1;
        if count > PEOPLE_MAX {
            return Err(format!("the file has more than {PEOPLE_MAX} people").into());
        }
        people.push_str("\n[[person]]\n");
        for (column, text) in columns.iter().zip(cells).filter(|(_, text)| !text.is_empty()) {
            match column.as_str() {
                GROUPS => {
                    let own: Vec<String> = text.split([' ', ',', ';']).map(str::to_owned).collect();
                    let own: Vec<String> = own.into_iter().filter(|group| !group.is_empty()).collect();
                    writeln!(people, "groups = {}", list(own.iter()))?;
                    groups.extend(own);
                }
                flag if FLAGS.contains(&flag) => {
                    let yes = yes(&text).ok_or_else(|| format!("line {line}, {flag}: write true or false"))?;
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

/// The cells of a row.
fn texts(record: &Record) -> Result<Vec<String>, Failure> {
    let text = |cell: &[u8]| {
        let told = |_| format!("line {}: a cell is not UTF-8 text: save the file as UTF-8", record.line);
        std::str::from_utf8(cell).map(|text| text.trim().to_owned()).map_err(told)
    };
    Ok(record.cells.iter().map(text).collect::<Result<Vec<_>, String>>()?)
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

    /// A person of a row that is shifted or cut would be another than the one who is meant.
    #[test]
    fn a_row_that_is_not_whole_is_no_person() {
        let wrong = |file: &[u8]| document(file).unwrap_err().to_string();
        let ragged = "line 3: the row has 4 cells, the first line has 3";
        assert_eq!(wrong(b"id,name,email\nal,Al,al@x.example\nbo,Li, Bo,bo@x.example\n"), ragged);
        assert!(wrong(b"id,name,email,active\nal,Al,al@x.example\n").contains("line 2: the row has 3 cells"));
        assert!(wrong(b"id,ID,name\nal,al,Al\n").contains("the column `id` is there twice"));
        let damaged = [b"id,name\n\xc3\xa4\xc3\xb6,".as_slice(), b"\xff\n"].concat();
        assert!(wrong(&damaged).contains("line 2: a cell is not UTF-8"), "{}", wrong(&damaged));
        // Headings in capitals, and rows of a spreadsheet in which nothing stands, are no mistakes.
        let file = b"ID;Name;Email\r\nal;Al;al@x.example\r\n;;\r\n";
        assert_eq!(document(file).unwrap().matches("[[person]]").count(), 1);
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
