//! Exports in JSON as rows: an object a line, a list of objects, or a document with such a list, as the interfaces of Zendesk, Jira and
//! Zammad answer. A column is a field of the object, or the way to a field within it, such as `requester.email` or
//! `fields.status.name`; what is a list or an object itself, such as a thread, is a cell with its JSON.

use std::collections::BTreeSet;
use std::fmt;

use csv::ByteRecord;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::thread;
use super::wrong::{ReadError, RowWrong};
use crate::rows::Record;

/// The largest file, in bytes: all of it is in memory.
pub const JSON_BYTES_MAX: u64 = 512 << 20;
/// Names under which a document has its tickets.
const LISTS: [&str; 6] = ["tickets", "issues", "records", "result", "results", "data"];
/// How many of these names may stand within each other, such as `data` and `tickets`.
const LIST_DEPTH_MAX: usize = 2;

/// The field of an object that says which other one the file has twice there: of two, the last would count and nothing say so.
const TWICE: &str = "\0twice";

/// The objects of a file, one by one; the first record is their columns.
pub struct JsonRows {
    columns: Vec<String>,
    begun: bool,
    objects: std::vec::IntoIter<Placed>,
}

/// A value with its line, or its place in the list; or why the line is none.
type Placed = (u64, Result<Value, String>);

impl JsonRows {
    /// Reads the text, and finds which of the `wanted` columns there are.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`]; [`ReadError::NoObjects`].
    pub fn open(text: &str, wanted: &[&str]) -> Result<JsonRows, ReadError> {
        let objects = objects(text, wanted)?;
        let first = objects.iter().find_map(|(_, object)| object.as_ref().ok()?.as_object());
        let first = first.ok_or(ReadError::NoObjects { why: None })?;
        let mut columns: Vec<String> = first.keys().filter(|name| *name != TWICE).cloned().collect();
        let known: BTreeSet<String> = columns.iter().cloned().collect();
        for name in wanted.iter().collect::<BTreeSet<_>>() {
            let is_there =
                || objects.iter().any(|(_, object)| object.as_ref().is_ok_and(|object| at(object, name).is_some()));
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
        let object = match object {
            Ok(object) if object.is_object() => object,
            Ok(_) => return Some(Err((line, RowWrong::NoObject { why: None }))),
            Err(why) => return Some(Err((line, RowWrong::NoObject { why: Some(why) }))),
        };
        if let Some(field) = twice(&object) {
            return Some(Err((line, RowWrong::FieldTwice { field: field.to_owned() })));
        }
        let cells = self.columns.iter().map(|name| match at(&object, name) {
            Some(value) if is_inexact(value) => Err((line, RowWrong::Inexact { column: name.clone() })),
            value => Ok(value.map(cell).unwrap_or_default()),
        });
        let cells = cells.collect::<Result<Vec<String>, _>>();
        Some(cells.map(|cells| Record { line, lines: 1, cells: ByteRecord::from(cells) }))
    }
}

/// The objects of a text: those of one document, else one after the other, else those of its lines that are values. A line within an
/// object that spans several lines may be an object too, such as a comment, and is not a row.
fn objects(text: &str, wanted: &[&str]) -> Result<Vec<Placed>, ReadError> {
    if text.trim().is_empty() {
        return Err(ReadError::Empty);
    }
    let wrong = match serde_json::from_str(text) {
        Ok(Noted(whole)) => return Ok((1..).zip(list(whole, wanted, 0)?.into_iter().map(Ok)).collect()),
        Err(wrong) => wrong,
    };
    // Line ends of old tools, the character that begins a record in RFC 7464, and the byte order marks of files that were joined. JSON
    // has none of them unescaped within a text, so they can be removed.
    let unmarked = text.contains("\n\u{feff}").then(|| text.replace("\n\u{feff}", "\n"));
    let text = unmarked.as_deref().unwrap_or(text);
    let text = if text.contains('\n') { text.replace('\u{1e}', " ") } else { text.replace(['\u{1e}', '\r'], "\n") };
    if let Some(found) = one_behind_the_other(&text)
        && found.iter().any(|(_, value)| value.as_ref().is_ok_and(Value::is_object))
    {
        return Ok(found);
    }
    let lines: Vec<Placed> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| (n, serde_json::from_str(line).map(|Noted(value)| value).map_err(|wrong| why(&wrong))))
        .collect();
    if lines.iter().any(|(_, line)| line.as_ref().is_ok_and(Value::is_object)) {
        return Ok(lines);
    }
    Err(ReadError::NoObjects { why: Some(wrong.to_string()) })
}

/// The values of a text in which they stand without a list around them, on however many lines; `None` where one is broken.
fn one_behind_the_other(text: &str) -> Option<Vec<Placed>> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Noted>();
    let (mut found, mut line, mut from) = (Vec::new(), 1, 0);
    loop {
        let rest = text.get(stream.byte_offset()..)?;
        let begins = text.len() - rest.trim_start().len();
        line += text.get(from..begins)?.bytes().filter(|byte| *byte == b'\n').count() as u64;
        from = begins;
        match stream.next() {
            None => return Some(found),
            Some(value) => found.push((line, Ok(value.ok()?.0))),
        }
    }
}

/// The list of objects in a document: itself, under a name that other desks use for it, or the only one where the document itself is
/// none of what is wanted.
fn list(whole: Value, wanted: &[&str], depth: usize) -> Result<Vec<Value>, ReadError> {
    let mut fields = match whole {
        Value::Array(list) => return Ok(list),
        Value::Object(fields) => fields,
        _ => return Err(ReadError::NoObjects { why: None }),
    };
    let field = fields.get(TWICE).and_then(Value::as_str);
    let twice = field.map(|field| ReadError::FieldTwice { field: field.to_owned() });
    match LISTS.into_iter().find_map(|name| fields.remove(name)) {
        Some(Value::Array(list)) => return twice.map_or(Ok(list), Err),
        Some(inner @ Value::Object(_)) if depth < LIST_DEPTH_MAX => {
            return twice.map_or_else(|| list(inner, wanted, depth + 1), Err);
        }
        Some(_) => return Err(ReadError::NoObjects { why: None }),
        None => {}
    }
    let is_list = |value: &Value| value.as_array().is_some_and(|list| list.iter().any(Value::is_object));
    let lists: Vec<String> = fields.iter().filter(|(_, value)| is_list(value)).map(|(name, _)| name.clone()).collect();
    let whole = Value::Object(fields);
    // A file with one line.
    let itself = wanted.is_empty() || wanted.iter().any(|name| at(&whole, name).is_some());
    match (itself, lists.as_slice(), whole) {
        (false, [only], Value::Object(mut fields)) => match fields.remove(only) {
            Some(Value::Array(list)) => twice.map_or(Ok(list), Err),
            _ => Err(ReadError::NoObjects { why: None }),
        },
        (_, _, whole) => Ok(vec![whole]),
    }
}

/// A value as it stands in a text, in which an object with a field twice says so: see [`TWICE`].
struct Noted(Value);

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Noting).map(Noted)
    }
}

struct Noting;

impl<'de> Visitor<'de> for Noting {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Noted(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let (mut found, mut twice) = (Map::new(), None);
        while let Some((name, Noted(value))) = fields.next_entry::<String, Noted>()? {
            if twice.is_none() && found.contains_key(&name) {
                twice = Some(name.clone());
            }
            found.insert(name, value);
        }
        found.extend(twice.map(|name| (TWICE.to_owned(), Value::String(name))));
        Ok(found.into())
    }
}

/// The first field that an object has twice, which may lie within another.
fn twice(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => {
            let here = fields.get(TWICE).and_then(Value::as_str);
            here.or_else(|| fields.values().find_map(twice))
        }
        Value::Array(items) => items.iter().find_map(twice),
        _ => None,
    }
}

/// Why a line is no JSON, without the number of the line, which is said of the row.
fn why(wrong: &serde_json::Error) -> String {
    let text = wrong.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("{what}, in column {}", wrong.column())
}

/// A field of an object: as it is named, else step by step; a step into a list is a number, from 0.
fn at<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    let step = |value: &'v Value, step: &str| match value {
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    };
    object.get(name).or_else(|| name.split('.').try_fold(object, step))
}

/// Whole numbers from here on are rounded to the nearest floating point number, so that two keys could become one.
const INEXACT: f64 = (1_u64 << 53) as f64;

/// Whether a value is a number that was rounded while it was read.
fn is_inexact(value: &Value) -> bool {
    value.is_f64() && value.as_f64().is_some_and(|number| number.abs() >= INEXACT)
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

    #[test]
    fn objects_may_stand_as_other_tools_put_them() {
        let two = [["1", "a"], ["2", "b"]];
        let cells = |text: &str, wanted: &[&str]| -> Vec<Vec<String>> {
            records(text, wanted).into_iter().skip(1).map(|(_, cells)| cells).collect()
        };
        for text in [
            // One behind the other, on one line and on several, with the line ends of old tools, and as RFC 7464 has it.
            "{\"id\":1,\"t\":\"a\"}{\"id\":2,\"t\":\"b\"}",
            "{\n \"id\": 1,\n \"t\": \"a\"\n}\n{\n \"id\": 2,\n \"t\": \"b\"\n}\n",
            "{\"id\":1,\"t\":\"a\"}\r{\"id\":2,\"t\":\"b\"}\r",
            "{\"id\":1,\"t\":\"a\"}\n\u{feff}{\"id\":2,\"t\":\"b\"}\n",
            "\u{1e}{\"id\":1,\"t\":\"a\"}\n\u{1e}{\"id\":2,\"t\":\"b\"}\n",
            // In a document: deeper, and under an unknown name.
            "{\"data\":{\"tickets\":[{\"id\":1,\"t\":\"a\"},{\"id\":2,\"t\":\"b\"}]}}",
            "{\"count\":2,\"items\":[{\"id\":1,\"t\":\"a\"},{\"id\":2,\"t\":\"b\"}]}",
        ] {
            assert_eq!(cells(text, &["id", "t"]), two.map(|row| texts(&row)), "{text}");
        }
        // A ticket of its own keeps its lists.
        assert_eq!(cells("{\"id\":1,\"comments\":[{\"t\":\"a\"}]}", &["id", "comments.0.t"]).len(), 1);
        assert_eq!(cells("{\"id\":1,\"comments\":[{\"t\":\"a\"}]}", &["id", "comments.0.t"])[0][2], "a");
        // A line of an object on several that is an object itself is no row.
        let lists = "{\n \"id\": 1,\n \"t\": \"a\",\n \"of\": [\n  {\"t\": \"inner\"}\n ]\n}\n{\n \"id\": 2,\n \"t\": \"b\"\n}\n";
        let found: Vec<Vec<String>> =
            cells(lists, &["id", "t"]).into_iter().map(|row| [row[0].clone(), row[2].clone()].to_vec()).collect();
        assert_eq!(found, two.map(|row| texts(&row)));
        // The lines of objects on several lines are those where they begin.
        let lines: Vec<u64> = records("{\n}\n\n{\n}", &[]).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 1, 4]);
    }

    #[test]
    fn a_number_that_is_not_kept_as_it_is_written_is_refused() {
        let lines = "{\"id\":18446744073709551615}\n{\"id\":12345678901234567890123}\n{\"id\":9.5}\n";
        let found = records(lines, &["id"]);
        assert_eq!(found[1], (1, texts(&["18446744073709551615"])));
        assert!(found[2].1[0].contains("the number in `id` has more digits"), "{found:?}");
        assert_eq!(found[3], (3, texts(&["9.5"])));
    }

    #[test]
    fn a_field_that_is_there_twice_is_no_guess() {
        let lines = "{\"id\":1,\"id\":2}\n{\"id\":3,\"of\":[{\"a\":1,\"\\u0061\":1}]}\n{\"id\":4}\n";
        for (text, lines) in
            [(lines.to_owned(), [1, 2, 3]), (format!("[{}]", lines.trim().replace('\n', ",")), [1, 2, 3])]
        {
            let found = records(&text, &["id"]);
            assert_eq!(found[0].1, ["id"], "no column of its own");
            assert!(found[1].1[0].contains("the field `id` is there twice"), "{found:?}");
            assert!(found[2].1[0].contains("the field `a` is there twice"), "{found:?}");
            assert_eq!(found[3].1, ["4"]);
            assert_eq!(found.iter().skip(1).map(|row| row.0).collect::<Vec<_>>(), lines);
        }
        for document in [
            "{\"tickets\":[{\"id\":1}],\"tickets\":[{\"id\":2}]}",
            "{\"data\":{\"tickets\":[]},\"data\":{\"tickets\":[{\"id\":2}]}}",
            "{\"items\":[{\"id\":1}],\"items\":[{\"id\":2}]}",
        ] {
            let refused = JsonRows::open(document, &["id"]).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains("of the document is there twice: leave"), "{refused}");
        }
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place() {
        let broken = "{\"id\":1}\n{\"id\":\n{\"id\":3}\n";
        assert_eq!(
            records(broken, &[])[2],
            (2, texts(&["it is no JSON object: EOF while parsing a value, in column 6"]))
        );
        let refused = JsonRows::open("[\n{\"id\":1},\n]", &[]).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("trailing comma at line 3 column 1"), "{refused}");
    }
}
