//! `templates.toml`, or the folder `templates`: the words of messages that are the desk's own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::DeTable;
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
    let list: BTreeMap<String, String> = in_folder(files).map(|(key, text)| (key, text.to_owned())).collect();
    written_again(&list)
}

/// A document with these templates, by language and name.
fn written_again(list: &BTreeMap<String, String>) -> String {
    let one = |(key, text): (&String, &String)| {
        let (language, name) = key.split_once('/')?;
        let pairs = [("language", language), ("name", name), ("text", text)];
        Some(Value::Table(
            pairs.map(|(key, value)| (key.to_owned(), Value::String(value.to_owned()))).into_iter().collect(),
        ))
    };
    let list: Vec<Value> = list.iter().filter_map(one).collect();
    if list.is_empty() {
        return NONE_YET.to_owned();
    }
    let table = Table::from_iter([("template".to_owned(), Value::Array(list))]);
    toml::to_string_pretty(&table).unwrap_or_default()
}

/// A `[[template]]` at its place in a document.
struct Placed {
    key: String,
    text: String,
    /// The bytes of the text's value, and the first byte of any value.
    at: Range<usize>,
    first: usize,
}

/// The templates of a document at their places; `None` where it cannot be read.
fn placed(document: &str) -> Option<Vec<Placed>> {
    let root = DeTable::parse(document).ok()?;
    let Some(list) = root.get_ref().get("template") else { return Some(Vec::new()) };
    let one = |entry: &DeTable<'_>| {
        let said = |key: &str| Some((entry.get(key)?.get_ref().as_str()?.to_owned(), entry.get(key)?.span()));
        let ((language, one), (name, other), (text, at)) = (said("language")?, said("name")?, said("text")?);
        Some(Placed { key: format!("{language}/{name}"), text, first: one.start.min(other.start).min(at.start), at })
    };
    list.get_ref().as_array()?.iter().map(|entry| one(entry.get_ref().as_table()?)).collect()
}

/// The words of one template in a document, by language and name such as `en/closed.txt`; `None` where the program's hold.
pub fn words_in(document: &str, key: &str) -> Option<String> {
    placed(document)?.into_iter().find(|one| one.key == key).map(|one| one.text)
}

/// The document with other words for one template, or with none of its own for it. All else of it stays as it is written, as far as
/// it is written in tables under headings; `None` where it cannot be read.
pub fn with_words(document: &str, key: &str, text: Option<&str>) -> Option<String> {
    let before = placed(document)?;
    let mut wanted: BTreeMap<String, String> = before.iter().map(|one| (one.key.clone(), one.text.clone())).collect();
    match text {
        Some(text) => drop(wanted.insert(key.to_owned(), text.to_owned())),
        None => drop(wanted.remove(key)),
    }
    let edited = edited(document, &before, (key, text));
    let is_meant = |edited: &String| {
        let after = placed(edited).unwrap_or_default();
        after.len() == wanted.len() && after.iter().all(|one| wanted.get(&one.key) == Some(&one.text))
    };
    Some(edited.filter(is_meant).unwrap_or_else(|| written_again(&wanted)))
}

/// The text of a document with one template changed in its place, put in at its end, or cut out.
fn edited(document: &str, before: &[Placed], (key, text): (&str, Option<&str>)) -> Option<String> {
    let found = before.iter().find(|one| one.key == key);
    let (range, put) = match (found, text) {
        (Some(one), Some(text)) => (one.at.clone(), as_value(text)),
        (Some(one), None) => (heading(document, one)?..end(document, before, one)?, String::new()),
        (None, Some(text)) => {
            let (language, name) = key.split_once('/')?;
            let gap = if document.is_empty() || document.ends_with("\n\n") { "" } else { "\n" };
            let line = if document.is_empty() || document.ends_with('\n') { "" } else { "\n" };
            let (language, name) = (Value::from(language), Value::from(name));
            let head = format!("{line}{gap}[[template]]\nlanguage = {language}\nname = {name}\ntext = ");
            (document.len()..document.len(), format!("{head}{}\n", as_value(text)))
        }
        (None, None) => return Some(document.to_owned()),
    };
    let (head, tail) = (document.get(..range.start)?, document.get(range.end..)?);
    Some(format!("{head}{put}{tail}"))
}

/// A text of several lines as it stands in a file that people read.
fn as_value(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace("\"\"\"", "\"\"\\\"");
    let shown = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"\"\"\n{}\"\"\"", plain.chars().map(shown).collect::<String>())
}

/// The byte at which the heading of a template begins.
fn heading(document: &str, one: &Placed) -> Option<usize> {
    let before = document.get(..one.first)?;
    let at = before.rfind("[[template]]")?;
    (at == 0 || before.get(..at)?.ends_with('\n')).then_some(at)
}

/// The byte at which the next template's heading begins, or the end of the document.
fn end(document: &str, all: &[Placed], one: &Placed) -> Option<usize> {
    let next = all.iter().filter(|other| other.first > one.at.start).min_by_key(|other| other.first);
    next.map_or(Some(document.len()), |next| heading(document, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "# Ours.\n[[template]]\nlanguage = \"en\"\nname = \"closed.txt\"\ntext = \"\"\"\nSubject: over\n\n\
                       Bye\"\"\"\n\n# The German one.\n[[template]]\nname = \"closed.txt\"\nlanguage = \"de\"\ntext = 'Subject: aus'\n";

    #[test]
    fn one_template_changes_and_all_else_stays_as_it_is_written() {
        assert_eq!(words_in(TWO, "en/closed.txt").as_deref(), Some("Subject: over\n\nBye"));
        let other = with_words(TWO, "de/closed.txt", Some("Subject: \"zu\"\n\nC:\\x \"\"\"\u{7}")).unwrap();
        assert_eq!(words_in(&other, "de/closed.txt").as_deref(), Some("Subject: \"zu\"\n\nC:\\x \"\"\"\u{7}"));
        assert!(other.starts_with(TWO.split("text = 'S").next().unwrap()), "{other}");
        let more = with_words(TWO, "en/reply.txt", Some("Subject: x")).unwrap();
        assert!(more.starts_with(TWO) && words_in(&more, "en/reply.txt").is_some(), "{more}");
        let less = with_words(&more, "de/closed.txt", None).unwrap();
        assert!(
            less.starts_with("# Ours.") && !less.contains("aus") && words_in(&less, "en/reply.txt").is_some(),
            "{less}"
        );
        assert_eq!(with_words(TWO, "fr/closed.txt", None).as_deref(), Some(TWO));
    }

    #[test]
    fn a_document_without_headings_is_written_again_and_one_that_cannot_be_read_is_none() {
        let inline = "template = [{ language = \"en\", name = \"closed.txt\", text = \"Subject: x\" }]\n";
        let less = with_words(inline, "en/closed.txt", None).unwrap();
        assert_eq!(placed(&less).unwrap().len(), 0, "{less}");
        let more = with_words(inline, "en/reply.txt", Some("Subject: y")).unwrap();
        assert_eq!(placed(&more).unwrap().len(), 2, "{more}");
        let first = with_words(NONE_YET, "en/reply.txt", Some("Subject: y")).unwrap();
        assert!(first.starts_with(NONE_YET) && words_in(&first, "en/reply.txt").is_some(), "{first}");
        assert_eq!(with_words("[[template", "en/reply.txt", None), None);
    }
}
