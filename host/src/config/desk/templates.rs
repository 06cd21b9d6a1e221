//! `templates.toml`, or the folder `templates`: the words of messages that are the desk's own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::by_api::Document;
use crate::config::files::{Files, TEMPLATES, whole_file};
use crate::config::problem::Problem;
use crate::config::read::Keys;
use crate::config::wrong::Wrong;
use crate::messages::{self, Mistake, Templates};

/// Shown where a desk has no words of its own.
const NONE_YET: &str = "# The words that come with the program hold. One of your own:\n#\n# [[template]]\n# language = \"en\"\n\
                        # name = \"resolved.txt\"\n# text = \"\"\"\n# Subject: {{ ticket.key }} is solved\n#\n# ...\"\"\"\n";

/// The words of messages: those of the program with the desk's own in their place.
pub fn read(files: &Files, problems: &RefCell<Vec<Problem>>) -> Option<Templates> {
    if files.texts.contains_key(Document::Templates.file()) {
        let document = files.parse_one(Document::Templates.file(), problems)?;
        return document.read(|keys| {
            let given = given(keys);
            match with(&given.iter().map(|one| (one.key(), one.text.as_str())).collect()) {
                Ok(templates) => Some(templates),
                Err(mistakes) => {
                    mistakes.iter().for_each(|mistake| report(keys, mistake));
                    None
                }
            }
        });
    }
    match with(&in_folder(files).collect()) {
        Ok(templates) => Some(templates),
        Err(mistakes) => {
            let problem = |Mistake { file, line, why }| Problem {
                file: format!("{TEMPLATES}/{file}"),
                line,
                column: usize::from(line > 0),
                key: String::new(),
                wrong: Wrong::Template { why: why.to_string() },
            };
            problems.borrow_mut().extend(mistakes.into_iter().map(problem));
            None
        }
    }
}

fn report(keys: &Keys<'_>, Mistake { file, line, why }: &Mistake) {
    keys.report("template", Wrong::Template { why: format!("{file}, line {line}: {why}") });
}

fn with(own: &BTreeMap<String, &str>) -> Result<Templates, Vec<Mistake>> {
    Templates::with(own.iter().filter_map(|(key, text)| {
        let (locale, name) = key.split_once('/')?;
        Some(messages::File { locale, name, text })
    }))
}

/// Refuses a folder where the directory has the file as well, unless the file's words are published by API.
pub fn refuse_both(files: &Files, by_api: &BTreeSet<Document>) -> Option<Problem> {
    let file = Document::Templates.file();
    let both = files.texts.contains_key(file) && in_folder(files).next().is_some();
    (both && !by_api.contains(&Document::Templates)).then(|| whole_file(TEMPLATES, Wrong::HasItsOwnFile { file }))
}

/// One `[[template]]`.
struct Given {
    language: String,
    name: String,
    text: String,
}

impl Given {
    fn key(&self) -> String {
        format!("{}/{}", self.language, self.name)
    }
}

/// Reads each `[[template]]`, which stands for a file of the folder.
///
/// - `language`: the folder's name, such as `de`.
/// - `name`: the file's, such as `resolved.txt`; the first line of its `text` is `Subject: ...`.
fn given(keys: &mut Keys<'_>) -> Vec<Given> {
    let list = keys.list("template");
    if list.len() > messages::FILES_MAX {
        keys.report("template", Wrong::TooMany { found: list.len(), max: messages::FILES_MAX });
        return Vec::new();
    }
    let one = |keys: &mut Keys<'_>| {
        let language = keys.required("language").and_then(|node| node.filled());
        let name = keys.required("name").and_then(|node| node.filled());
        let text = keys.required("text").and_then(|node| node.filled());
        Some(Given { language: language?, name: name?, text: text? })
    };
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for node in list {
        if let Some(given) = node.keys(one).flatten() {
            node.refuse_repeated(&given.key(), &mut seen);
            found.push(given);
        }
    }
    found
}

/// The files of the folder: language and name, and text.
fn in_folder(files: &Files) -> impl Iterator<Item = (String, &str)> {
    files.texts.iter().filter_map(|(file, text)| {
        let key = file.strip_prefix(TEMPLATES)?.strip_prefix('/')?;
        Some((key.to_owned(), text.as_str()))
    })
}

/// The desk's own templates by language and name, such as `de/resolved.txt`.
pub fn own(files: &Files) -> BTreeMap<String, String> {
    let unsaid = RefCell::new(Vec::new());
    match files.parse_one(Document::Templates.file(), &unsaid) {
        Some(document) if files.texts.contains_key(Document::Templates.file()) => {
            document.read(given).into_iter().map(|given| (given.key(), given.text)).collect()
        }
        _ => in_folder(files).map(|(key, text)| (key, text.to_owned())).collect(),
    }
}

/// The folder as `templates.toml` would have it.
pub fn as_document(files: &Files) -> String {
    let one = |(key, text): (String, &str)| {
        let (language, name) = key.split_once('/')?;
        let pairs = [("language", language), ("name", name), ("text", text)];
        Some(Value::Table(
            pairs.map(|(key, value)| (key.to_owned(), Value::String(value.to_owned()))).into_iter().collect(),
        ))
    };
    let list: Vec<Value> = in_folder(files).filter_map(one).collect();
    if list.is_empty() {
        return NONE_YET.to_owned();
    }
    let table = Table::from_iter([("template".to_owned(), Value::Array(list))]);
    toml::to_string_pretty(&table).unwrap_or_default()
}
