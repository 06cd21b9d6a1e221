//! The values of operators, as written: texts, pairs, spans. It knows nothing of fields.

use ruledesk_sdk::text::lower;

use crate::moments::span_ms;
use crate::tree::Tree;

pub fn first(value: &Tree) -> &Tree {
    value.items().first().unwrap_or(value)
}

pub fn pair<T>(name: &str, value: &Tree, read: impl Fn(&Tree) -> Result<T, String>) -> Result<(T, T), String> {
    match value {
        Tree::List(items) => match items.as_slice() {
            [from, to] => Ok((read(from)?, read(to)?)),
            _ => Err(format!("`{name}` needs two values, from and to")),
        },
        _ => Err(format!("`{name}` needs a list of two values, from and to")),
    }
}

pub fn rising<T: PartialOrd + Copy, R>(from: T, to: T, range: R) -> Result<R, String> {
    if from <= to { Ok(range) } else { Err("`between` needs the smaller value first".to_owned()) }
}

pub fn flag(name: &str, value: &Tree) -> Result<bool, String> {
    match value {
        Tree::Flag(flag) => Ok(*flag),
        other => Err(format!("`{name}` needs true or false, and this is {}", other.kind())),
    }
}

pub fn span(name: &str, value: &Tree) -> Result<i64, String> {
    value
        .text()
        .and_then(span_ms)
        .ok_or(format!("`{name}` needs a span, such as \"36 hours\", \"3 days\" or \"2 weeks\""))
}

/// Texts in small letters, at least one, none of them empty.
pub fn texts(name: &str, value: &Tree) -> Result<Vec<String>, String> {
    match value.texts() {
        Some(texts) if !texts.is_empty() && texts.iter().all(|text| !text.is_empty()) => {
            Ok(texts.into_iter().map(lower).collect())
        }
        Some(_) => Err(format!("`{name}` needs at least one text, and none of them empty")),
        None => Err(format!("`{name}` needs a text or a list of texts, and this is {}", first(value).kind())),
    }
}
