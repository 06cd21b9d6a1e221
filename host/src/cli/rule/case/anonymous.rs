//! Makes the people of a case unrecognisable, each the same wherever the case has them, so that the rule decides as it did.
//!
//! The words that people wrote stay, because rules go by its words; names and addresses of the organisation's people in it, other mail
//! addresses, and long numbers such as those of telephones are replaced.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::desk::id::PersonId;
use crate::desk::organisation::Person;

/// Digits in a row that may be a number of a person.
const DIGITS_MIN: usize = 6;
/// The shortest part of a name that is replaced by itself.
const NAME_CHARS_MIN: usize = 3;

/// Replaces the people in a case.
pub fn make(case: &mut Value, people: &BTreeMap<PersonId, Person>) {
    let text = case.to_string();
    let mut words: Vec<(String, String)> = Vec::new();
    let here = people.values().filter(|person| {
        [person.id.as_str(), &person.name, &person.email].iter().any(|word| !word.is_empty() && text.contains(*word))
    });
    for (number, person) in (1..).zip(here) {
        let id = format!("person-{number}");
        words.push((person.email.clone(), format!("{id}@example.org")));
        words.push((person.name.clone(), format!("Person {number}")));
        words.push((person.id.to_string(), id));
        let parts = person.name.split_whitespace().filter(|part| part.chars().count() >= NAME_CHARS_MIN);
        words.extend(parts.map(|part| (part.to_owned(), format!("Person{number}"))));
    }
    words.retain(|(word, _)| !word.is_empty());
    // A name may be a part of another.
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    replace(case, &words);
}

fn replace(value: &mut Value, words: &[(String, String)]) {
    match value {
        Value::String(text) => *text = replaced(text, words),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, words)),
        Value::Object(fields) => {
            let all = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                replace(&mut value, words);
                (replaced(&name, words), value)
            });
            *fields = all.collect::<Map<_, _>>();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replaced(text: &str, words: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (word, by) in words {
        text = whole_words(&text, word, by);
    }
    without_numbers(&without_addresses(&text))
}

/// Replaces a word where it is not a part of a longer one.
fn whole_words(text: &str, word: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(word) {
        let within = before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        out.push_str(before);
        out.push_str(if within { word } else { by });
        rest = after;
    }
    out + rest
}

/// Replaces mail addresses of others.
fn without_addresses(text: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '@');
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !is_part(c)) {
        let word = piece.trim_end_matches(|c: char| !is_part(c) || c == '.');
        let is_address = word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        if is_address && !word.ends_with("@example.org") {
            out.push_str("somebody@example.org");
            out.push_str(piece.get(word.len()..).unwrap_or_default());
        } else {
            out.push_str(piece);
        }
    }
    out
}

/// Makes long numbers zeros.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let (digits, after) = number.split_at(end);
        out.push_str(before);
        out.push_str(&if end >= DIGITS_MIN { "0".repeat(end) } else { digits.to_owned() });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_the_same_wherever_they_are_and_no_longer_themselves() {
        let person = |id: &str, name: &str, email: &str| Person {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            email: email.to_owned(),
            department: String::new(),
            title: String::new(),
            location: String::new(),
            manager: None,
            groups: Vec::new(),
            vip: false,
            active: true,
            attributes: Default::default(),
            delegations: Vec::new(),
            same_as: None,
            valid: Default::default(),
            source: crate::desk::organisation::directory::Source::Configuration,
        };
        let people = [
            person("amara", "Amara Okafor", "amara@meridian.example"),
            person("wei", "Wei Li", "wei@meridian.example"),
        ];
        let people = people.into_iter().map(|person| (person.id.clone(), person)).collect();
        let mut case = serde_json::json!({
            "input": { "requester": { "id": "amara", "name": "Amara Okafor", "email": "amara@meridian.example" },
                "ticket": { "body": "Call Okafor on 0151234567, or bob.x@other.example. The weights are 12." } },
            "tables": { "vips": { "amara": { "since": "2020" } } },
        });
        make(&mut case, &people);
        assert_eq!(
            case,
            serde_json::json!({
                "input": { "requester": { "id": "person-1", "name": "Person 1", "email": "person-1@example.org" },
                    "ticket": { "body": "Call Person1 on 0000000000, or somebody@example.org. The weights are 12." } },
                "tables": { "vips": { "person-1": { "since": "2020" } } },
            })
        );
    }
}
