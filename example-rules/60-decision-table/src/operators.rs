//! What may be asked of a field: from an operator and its value, as written, to a test. It knows nothing of rows.

use ruledesk_sdk::text::Words;

use crate::compare::Pattern;
use crate::condition::{Range, Test};
use crate::moments::{days, minute, weekday};
use crate::nearest::{hint, listed};
use crate::schema::Kind;
use crate::tree::Tree;
use crate::values::{first, flag, pair, rising, span, texts};

const TEXT: &[&str] = &[
    "is",
    "is-not",
    "in",
    "not-in",
    "contains",
    "starts-with",
    "ends-with",
    "mentions",
    "matches",
    "within",
    "exists",
];
const NUMBER: &[&str] = &["is", "is-not", "in", "not-in", "at-least", "at-most", "above", "below", "between", "exists"];
const FLAG: &[&str] = &["is", "is-not", "exists"];
const TIME: &[&str] =
    &["older-than", "newer-than", "due-within", "is", "is-not", "before", "after", "between", "exists"];
const DAY: &[&str] = &["is", "is-not", "before", "after", "between"];
const WEEKDAY: &[&str] = &["is", "is-not", "in", "not-in"];
const CLOCK: &[&str] = &["between", "before", "after"];
const LIST: &[&str] = &["count", "exists"];

/// Every operator.
pub const ALL: [&str; 23] = [
    "is",
    "is-not",
    "in",
    "not-in",
    "contains",
    "starts-with",
    "ends-with",
    "mentions",
    "matches",
    "within",
    "exists",
    "at-least",
    "at-most",
    "above",
    "below",
    "between",
    "older-than",
    "newer-than",
    "due-within",
    "before",
    "after",
    "not",
    "count",
];

/// What can be asked of a field of this kind, and what such a field is called. Attributes are texts, which may be numbers.
fn of(kind: Kind) -> (Vec<&'static str>, &'static str) {
    let both = |one: &[&'static str], other: &[&'static str]| {
        let mut all = one.to_vec();
        all.extend(other.iter().filter(|name| !one.contains(name)));
        all
    };
    match kind {
        Kind::Text => (TEXT.to_vec(), "a text"),
        Kind::Texts => (both(TEXT, &["count"]), "a list of texts"),
        Kind::Names => (both(TEXT, NUMBER), "a text"),
        Kind::Form => (both(&both(TEXT, NUMBER), TIME), "a form field"),
        Kind::Number => (NUMBER.to_vec(), "a number"),
        Kind::Flag => (FLAG.to_vec(), "true or false"),
        Kind::Time => (TIME.to_vec(), "an instant"),
        Kind::Day => (DAY.to_vec(), "a day"),
        Kind::Weekday => (WEEKDAY.to_vec(), "a weekday"),
        Kind::Clock => (CLOCK.to_vec(), "a time of day"),
        Kind::Attachments | Kind::Recent | Kind::Grants => (LIST.to_vec(), "a list"),
    }
}

/// A test, and whether it has to fail instead of hold.
pub type Asked = (Test, bool);

/// What a value alone asks: to be it, or to be one of a list.
///
/// # Errors
///
/// A sentence that says why the value does not fit the field.
pub fn plain(value: &Tree, kind: Kind) -> Result<Asked, String> {
    let operator = if matches!(value, Tree::List(_)) { "in" } else { "is" };
    if of(kind).0.contains(&operator) || matches!(kind, Kind::Time | Kind::Day) {
        return same(value, kind).map(|test| (test, false));
    }
    Err(format!("it is {}: say what to ask of it, such as {}", of(kind).1, listed(of(kind).0.into_iter().take(4))))
}

/// What an operator asks.
///
/// # Errors
///
/// A sentence that says that there is no such operator, or why it does not fit the field or its value.
pub fn operator(name: &str, value: &Tree, kind: Kind) -> Result<Asked, String> {
    let (known, what) = of(kind);
    if !ALL.contains(&name) {
        return Err(format!("there is no operator `{name}`{}", hint(name, known.iter().copied())));
    }
    if !known.contains(&name) {
        return Err(format!("`{name}` does not fit {what}: use one of {}", listed(known)));
    }
    let test = match name {
        "is" | "in" => same(value, kind)?,
        "is-not" | "not-in" => return Ok((same(value, kind)?, true)),
        "exists" => return flag(name, value).map(|exists| (Test::Exists, !exists)),
        "contains" => Test::Contains(texts(name, value)?),
        "starts-with" => Test::StartsWith(texts(name, value)?),
        "ends-with" => Test::EndsWith(texts(name, value)?),
        "within" => Test::Within(texts(name, value)?),
        "matches" => Test::Matches(texts(name, value)?.iter().map(|text| Pattern::new(text)).collect()),
        "mentions" => mentions(value)?,
        "older-than" => Test::Ago(span(name, value)?.saturating_add(1), i64::MAX),
        "newer-than" => Test::Ago(i64::MIN, span(name, value)?),
        "due-within" => Test::Ago(-span(name, value)?, 1),
        _ => ranged(name, value, kind)?,
    };
    Ok((test, false))
}

fn ranged(name: &str, value: &Tree, kind: Kind) -> Result<Test, String> {
    if kind == Kind::Clock {
        return clock(name, value);
    }
    let as_day = |value: &Tree| value.text().and_then(days);
    let is_day = matches!(kind, Kind::Day | Kind::Time)
        || (kind == Kind::Form && name == "between" && as_day(first(value)).is_some());
    if is_day || matches!(name, "before" | "after") {
        let day = |value: &Tree| as_day(value).ok_or(format!("`{name}` needs a day, such as \"2026-12-24\""));
        return Ok(match name {
            "before" => Test::Days(i64::MIN, day(value)? - 1),
            "after" => Test::Days(day(value)? + 1, i64::MAX),
            _ => pair(name, value, day).and_then(|(from, to)| rising(from, to, Test::Days(from, to)))?,
        });
    }
    let number = |value: &Tree| match value {
        Tree::Number(number) => Ok(*number),
        other => Err(format!("`{name}` needs a number, and this is {}", other.kind())),
    };
    let range = match name {
        "at-least" => Range { least: number(value)?, ..Range::ALL },
        "above" => Range { least: number(value)?, above: true, ..Range::ALL },
        "at-most" => Range { most: number(value)?, ..Range::ALL },
        "below" => Range { most: number(value)?, below: true, ..Range::ALL },
        _ => {
            let (least, most) = pair(name, value, number)?;
            rising(least, most, Range { least, most, ..Range::ALL })?
        }
    };
    Ok(Test::Between(range))
}

fn clock(name: &str, value: &Tree) -> Result<Test, String> {
    let time = |value: &Tree| match value.text().and_then(minute) {
        Some(minute) => Ok(f64::from(minute)),
        None => Err(format!("`{name}` needs a time of day, such as \"18:00\"")),
    };
    let (from, to) = match name {
        "before" => (0.0, time(value)?),
        "after" => (time(value)?, 1_440.0),
        _ => pair(name, value, time)?,
    };
    if from.to_bits() == to.to_bits() {
        return Err(format!("`{name}` leaves no time: from and to are the same"));
    }
    Ok(Test::Clock(from, to))
}

fn mentions(value: &Tree) -> Result<Test, String> {
    let phrases: Vec<String> = texts("mentions", value)?.iter().map(|phrase| one_space(&Words::of(phrase))).collect();
    if phrases.iter().any(String::is_empty) {
        return Err("`mentions` needs words: letters or digits".to_owned());
    }
    Ok(Test::Mentions(phrases))
}

/// Equality, with a value of the field's kind or one of several.
fn same(value: &Tree, kind: Kind) -> Result<Test, String> {
    let items = value.items();
    let mismatch = |item: &Tree| format!("it is {}, and the value is {}", of(kind).1, item.kind());
    let numbers = || {
        let number = |item: &Tree| if let Tree::Number(n) = item { Ok(*n) } else { Err(mismatch(item)) };
        items.iter().map(number).collect::<Result<Vec<f64>, String>>()
    };
    match (kind, first(value)) {
        _ if items.is_empty() => Err("the list is empty, so nothing is ever in it".to_owned()),
        (Kind::Flag | Kind::Form, Tree::Flag(flag)) if items.len() == 1 => Ok(Test::IsFlag(*flag)),
        (Kind::Number | Kind::Form | Kind::Names, Tree::Number(_)) => Ok(Test::IsNumber(numbers()?)),
        (Kind::Weekday, _) => {
            let day = |item: &Tree| match item {
                Tree::Text(name) => weekday(name).map(f64::from),
                Tree::Number(number) => (1_u8..=7).map(f64::from).find(|day| day.to_bits() == number.to_bits()),
                _ => None,
            };
            let days: Option<Vec<f64>> = items.iter().map(day).collect();
            Ok(Test::IsNumber(days.ok_or("it is a weekday, such as \"monday\" or \"sat\"")?))
        }
        (Kind::Day | Kind::Time, item) => {
            let day = item.text().and_then(days).filter(|_| items.len() == 1);
            day.map(|day| Test::Days(day, day))
                .ok_or(format!("it is {}: give one day, such as \"2026-12-24\"", of(kind).1))
        }
        (Kind::Text | Kind::Texts | Kind::Names | Kind::Form, Tree::Text(_)) => {
            match items.iter().find(|i| i.text().is_none()) {
                Some(other) => Err(mismatch(other)),
                None => texts("is", value).map(Test::Is),
            }
        }
        (_, item) => Err(mismatch(item)),
    }
}

/// The words with one space between.
fn one_space(words: &Words) -> String {
    words.iter().collect::<Vec<_>>().join(" ")
}
