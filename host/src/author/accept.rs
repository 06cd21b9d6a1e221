//! Writes new expected answers where the old ones stand, and leaves every other byte of the file as it is.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::case::{CaseError, parse, typed};
use super::trial::{Outcome, Place, Report, accepted};
use crate::rules::load::MANIFEST_FILE;

/// Why an answer was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error("{file} cannot be written: {source}", file = file.display())]
    File { file: PathBuf, source: io::Error },
    #[error(
        "{file}: the example \"{example}\" does not write `expect = {{ ... }}` on its own: change it by hand to {expect}",
        file = file.display()
    )]
    ByHand { file: PathBuf, example: String, expect: String },
}

/// A place in a file and what is to stand there.
type Edit = (Range<usize>, String);

/// Records what the rule said in each case that it was asked and that differs; how many.
///
/// # Errors
///
/// The first file that cannot be read or written.
pub fn accept(folder: &Path, report: &Report) -> Result<usize, AcceptError> {
    let mut files: BTreeMap<PathBuf, Vec<(usize, &super::trial::Tried)>> = BTreeMap::new();
    let mut count = 0;
    for tried in &report.tried {
        if let Outcome::Differs(_) = tried.outcome {
            let (file, index) = match &tried.place {
                Place::Example(index) => (folder.join(MANIFEST_FILE), *index),
                Place::File(file, index) => (file.clone(), *index),
            };
            files.entry(file).or_default().push((index, tried));
            count += 1;
        }
    }
    for (file, changed) in files {
        let text = fs::read_to_string(&file).map_err(|source| CaseError::File { file: file.clone(), source })?;
        let in_manifest = file.ends_with(MANIFEST_FILE);
        let spans = if in_manifest { spans_of_examples(&text) } else { spans_of_cases(&file, &text)? };
        let mut edits: Vec<Edit> = Vec::new();
        for (index, tried) in changed {
            let new = accepted(&tried.expect, &tried.said);
            let written = if in_manifest { inline(&new) } else { pretty(&new) };
            let Some(Some(span)) = spans.get(index).cloned() else {
                return Err(AcceptError::ByHand { file, example: tried.name.clone(), expect: written });
            };
            edits.push((span, written));
        }
        fs::write(&file, edited(text, edits)).map_err(|source| AcceptError::File { file: file.clone(), source })?;
    }
    Ok(count)
}

fn edited(mut text: String, mut edits: Vec<Edit>) -> String {
    // From the end, so that what comes before keeps its place.
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, new) in edits {
        if text.get(span.clone()).is_some() {
            text.replace_range(span, &new);
        }
    }
    text
}

/// Where each case's `expect` stands in a file.
fn spans_of_cases(file: &Path, text: &str) -> Result<Vec<Option<Range<usize>>>, CaseError> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        expect: Option<&'a RawValue>,
    }
    parse(file, text)?;
    let raw: Vec<Raw<'_>> =
        if text.trim_start().starts_with('[') { typed(file, text)? } else { vec![typed(file, text)?] };
    let start = text.as_ptr() as usize;
    Ok(raw
        .iter()
        .map(|raw| {
            let expect = raw.expect?.get();
            let from = (expect.as_ptr() as usize).checked_sub(start)?;
            Some(from..from + expect.len())
        })
        .collect())
}

/// Where each example's `expect` stands in a manifest, if it is written as one value.
fn spans_of_examples(text: &str) -> Vec<Option<Range<usize>>> {
    #[derive(Deserialize)]
    struct Raw {
        #[serde(default, rename = "example")]
        examples: Vec<RawExample>,
    }
    #[derive(Deserialize)]
    struct RawExample {
        expect: toml::Spanned<toml::Value>,
    }
    let Ok(raw) = toml::from_str::<Raw>(text) else { return Vec::new() };
    raw.examples
        .iter()
        .map(|example| {
            Some(example.expect.span()).filter(|span| text.get(span.clone()).is_some_and(|t| t.starts_with('{')))
        })
        .collect()
}

/// JSON as it is written by hand: two levels deep below its key.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', "\n  ")
}

/// A value as an inline table; TOML has no null, so what is null is left out.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let pairs: Vec<String> = fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| format!("{key} = {}", inline(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Null => "\"\"".to_owned(),
        // JSON's strings, numbers and flags are TOML's too, but for the escaped slash, which is never written.
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_expectation_changes() {
        let text = "{\n  \"name\": \"a\",   \"stage\": \"intake\",\n  \"expect\": { \"b\": 1 },\n  \"input\": {}\n}\n";
        let spans = spans_of_cases(Path::new("a.json"), text).unwrap();
        let changed = edited(text.to_owned(), vec![(spans[0].clone().unwrap(), pretty(&json!({ "c": 2 })))]);
        assert_eq!(
            changed,
            "{\n  \"name\": \"a\",   \"stage\": \"intake\",\n  \"expect\": {\n    \"c\": 2\n  },\n  \"input\": {}\n}\n"
        );
    }

    #[test]
    fn examples_change_in_place_too() {
        let text = "[[example]]\nname = \"a\" # first\nexpect = { decision = \"pass\" }\n[[example]]\n[example.expect]\nx = 1\n";
        let spans = spans_of_examples(text);
        assert_eq!(spans[1], None);
        let new = inline(&json!({ "decision": "rate", "impact": null, "tags": ["a", "b"] }));
        let changed = edited(text.to_owned(), vec![(spans[0].clone().unwrap(), new)]);
        assert!(changed.starts_with(
            "[[example]]\nname = \"a\" # first\nexpect = { decision = \"rate\", tags = [\"a\", \"b\"] }\n[[example]]"
        ), "{changed}");
        toml::from_str::<toml::Table>(&changed).unwrap();
    }
}
