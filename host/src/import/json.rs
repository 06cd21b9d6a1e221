//! Exports in JSON as rows: an object a line, a list of objects, or a document with such a list, as the interfaces of Zendesk, Jira and
//! Zammad answer. A column is a field of the object, or the way to a field within it, such as `requester.email` or
//! `fields.status.name`; what is a list or an object itself, such as a thread, is a cell with its JSON.

use std::collections::BTreeSet;

use csv::ByteRecord;
use serde_json::Value;

use super::read::{ReadError, RowWrong};
use super::thread;
use crate::rows::Record;

/// The largest file, in bytes: all of it is in memory.
pub const JSON_BYTES_MAX: u64 = 512 << 20;
/// Names under which a document has its tickets.
const LISTS: [&str; 6] = ["tickets", "issues", "records", "result", "results", "data"];

/// The objects of a file, one by one; the first record is their columns.
pub struct JsonRows {
    columns: Vec<String>,
    begun: bool,
    /// Each with its line, or its place in the list; none for a line that is no object.
    objects: std::vec::IntoIter<(u64, Option<Value>)>,
}

impl JsonRows {
    /// Reads the text, and finds which of the `wanted` columns there are.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`]; [`ReadError::NoObjects`].
    pub fn open(text: &str, wanted: &[&str]) -> Result<JsonRows, ReadError> {
        let objects = objects(text)?;
        let first = objects.iter().find_map(|(_, object)| object.as_ref()?.as_object()).ok_or(ReadError::NoObjects)?;
        let mut columns: Vec<String> = first.keys().cloned().collect();
        let known: BTreeSet<String> = columns.iter().cloned().collect();
        for name in wanted.iter().collect::<BTreeSet<_>>() {
            let is_there =
                || objects.iter().any(|(_, object)| object.as_ref().is_some_and(|object| at(object, name).is_some()));
            if !known.contains(*name) && is_there() {
                columns.push((*name).to_owned());
            }
        }
        Ok(JsonRows { columns, begun: false, objects: objects.into_iter() })
    }

    /// The next record, with its line where it cannot be one; `None` at the end.
    pub fn next_record(&mut self) -> Option<Result<Record, (u64, RowWrong)>> {
        if !std::mem::replace(&mut self.begun, true) {
            let cells = ByteRecord::from(self.columns.iter().map(String::as_str).collect::<Vec<_>>());
            return Some(Ok(Record { line: 1, lines: 1, cells }));
        }
        let (line, object) = self.objects.next()?;
        let Some(object) = object.filter(Value::is_object) else { return Some(Err((line, RowWrong::NoObject))) };
        let cells = self.columns.iter().map(|name| at(&object, name).map(cell).unwrap_or_default());
        Some(Ok(Record { line, lines: 1, cells: ByteRecord::from(cells.collect::<Vec<String>>()) }))
    }
}

/// The objects of a text: of one document, else of its lines.
fn objects(text: &str) -> Result<Vec<(u64, Option<Value>)>, ReadError> {
    if text.trim().is_empty() {
        return Err(ReadError::Empty);
    }
    let Ok(whole) = serde_json::from_str::<Value>(text) else {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        return Ok(lines.map(|(line, text)| (line, serde_json::from_str(text).ok())).collect());
    };
    let list = match whole {
        Value::Array(list) => list,
        Value::Object(mut fields) => match LISTS.into_iter().find_map(|name| fields.remove(name)) {
            Some(Value::Array(list)) => list,
            Some(_) => return Err(ReadError::NoObjects),
            // A file with one line.
            None => vec![Value::Object(fields)],
        },
        _ => return Err(ReadError::NoObjects),
    };
    Ok((1..).zip(list.into_iter().map(Some)).collect())
}

/// A field of an object: as it is named, else step by step.
fn at<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.get(name).or_else(|| name.split('.').try_fold(object, |value, step| value.get(step)))
}

/// A value as the text of a cell.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.get("type").is_some_and(|kind| kind == "doc") => {
            thread::body(value).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The records, each with its line and its cells.
    fn records(text: &str, wanted: &[&str]) -> Vec<(u64, Vec<String>)> {
        let mut rows = JsonRows::open(text, wanted).unwrap();
        let mut found = Vec::new();
        while let Some(record) = rows.next_record() {
            found.push(match record {
                Ok(Record { line, cells, .. }) => {
                    (line, cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect())
                }
                Err((line, wrong)) => (line, vec![wrong.to_string()]),
            });
        }
        found
    }

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn objects_are_rows_and_ways_to_fields_are_columns() {
        let lines = "{\"id\": 7, \"requester\": {\"email\": \"amara\"}, \"closed\": null}\n\n[1]\n{\"id\": 8, \"spam\": true}\n";
        let header = texts(&["closed", "id", "requester", "requester.email", "spam"]);
        assert_eq!(
            records(lines, &["requester.email", "spam", "nowhere", "id"]),
            [
                (1, header),
                (1, texts(&["", "7", "{\"email\":\"amara\"}", "amara", ""])),
                (3, texts(&["it is no JSON object"])),
                (4, texts(&["", "8", "", "", "true"])),
            ]
        );
    }

    #[test]
    fn documents_have_their_list_where_other_desks_put_it() {
        let text = json!({ "type": "doc", "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": "Since nine." }] }] });
        let comments = json!({ "comments": [{ "body": "a" }] });
        let jira = json!({ "total": 1, "issues": [
            { "key": "ITSD-1", "fields": { "summary": "VPN", "description": text, "comment": comments } }] });
        let wanted = ["fields.summary", "fields.description", "fields.comment"];
        let found = records(&jira.to_string(), &wanted);
        assert_eq!(found[0].1, ["fields", "key", "fields.comment", "fields.description", "fields.summary"]);
        assert_eq!(found[1].1[2..], [comments.to_string(), "Since nine.".to_owned(), "VPN".to_owned()]);
        assert_eq!(records("[{\"a\": 1}, {\"a\": 2}]", &[]).len(), 3);
        assert_eq!(records("{\"a\": 1}", &[]).len(), 2);
        for (text, wanted) in
            [(" ", "the file is empty"), ("[1, 2]", "no JSON objects"), ("{\"tickets\": 3}", "no JSON objects")]
        {
            let refused = JsonRows::open(text, &[]).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains(wanted), "{refused}");
        }
    }
}
