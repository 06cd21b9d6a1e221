//! Forms: what a request type asks for, and whether what was given fits.
//!
//! It knows nothing of JSON: a border makes [`Raw`] values of whatever it received.

use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;

use super::{FieldKind, FieldSpec, RequestType};
use crate::desk::id::{AppId, AttachmentId, PersonId};
use crate::desk::text::{are_same, into_normal, is_blank};

mod fault;

pub use fault::{Fault, filled};

/// The longest subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 300;
/// The longest key of a reference table that a field takes, in characters.
const KEY_CHARS_MAX: usize = 200;
/// The longest body, in characters: about twenty printed pages, so that a pasted log fits.
pub const BODY_CHARS_MAX: usize = 100_000;

/// The largest integer that a rule is ever shown: what every language and every reader of JSON takes exactly (RFC 7493,
/// section 2.2). All others that a desk counts lie far below.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A value as it was given, before the form has been asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    Null,
    Text(String),
    Number(f64),
    Flag(bool),
    List(Vec<Raw>),
    /// Something that no field can hold, such as a JSON object.
    Other,
}

impl Raw {
    /// The same with its texts in the one form in which texts are kept.
    pub fn into_normal(self) -> Raw {
        match self {
            Raw::Text(text) => Raw::Text(into_normal(text)),
            Raw::List(items) => Raw::List(items.into_iter().map(Raw::into_normal).collect()),
            other => other,
        }
    }
}

/// What a field of a form holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Number(f64),
    Flag(bool),
    Date(Date),
    Choice(String),
    Choices(Vec<String>),
}

/// A filled-in field: its name in the form, and its value. Empty fields are absent.
pub type Field = (String, Value);

/// Something that has to be mended before a submission can be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The form field, or `subject`, `body`, `request_type` and so on.
    pub field: String,
    /// A stable word for programs, such as `required`.
    pub code: String,
    /// A sentence for people: what is wrong and what to do.
    pub message: String,
    /// The same for other languages, with the values in its places, where the desk itself found it; rules have words of their own.
    pub fault: Option<(Fault, Vec<String>)>,
}

impl Problem {
    /// A problem with one field, in words that are the same in every language.
    pub fn new(field: &str, code: &str, message: impl Into<String>) -> Problem {
        Problem { field: field.to_owned(), code: code.to_owned(), message: message.into(), fault: None }
    }

    /// One that the desk itself found, with the values that stand in the places of its sentence.
    pub fn of(field: &str, code: &str, fault: Fault, values: &[&dyn Display]) -> Problem {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let message = filled(fault.text(), &values);
        Problem { field: field.to_owned(), code: code.to_owned(), message, fault: Some((fault, values)) }
    }
}

/// Checks what was given against a request type's form.
///
/// The fields come back in the form's order.
///
/// # Errors
/// Every problem found, not only the first.
pub fn check_form(form: &RequestType, given: &[(String, Raw)]) -> Result<Vec<Field>, Vec<Problem>> {
    let mut problems = unknown_or_repeated(form, given);
    let mut fields = Vec::with_capacity(given.len());
    // What has a problem cannot be gone by yet: the next try shows more.
    let mut unsure: Vec<String> = Vec::new();
    for spec in &form.fields {
        let raw = given.iter().find(|(name, _)| *name == spec.name);
        let checked = check_field(spec, raw.map_or(&Raw::Null, |(_, raw)| raw));
        let is_unsure = spec.show_when.asks_of(&unsure) || spec.require_when.asks_of(&unsure);
        match (checked, spec.show_when.holds(&fields)) {
            (Ok(value), _) if is_unsure => fields.extend(value.map(|value| (spec.name.clone(), value))),
            (Ok(Some(_)) | Err(_), false) if !is_unsure => {
                let values: [&dyn Display; 2] = [&spec.label, &spec.show_when];
                problems.push(Problem::of(&spec.name, "not-asked", Fault::NotAsked, &values));
            }
            (Ok(Some(value)), _) => fields.push((spec.name.clone(), value)),
            (Ok(None), true) if spec.is_required(&fields) => {
                problems.push(Problem::of(&spec.name, "required", Fault::FillIn, &[&spec.label]));
            }
            (Ok(None), _) => {}
            (Err(problem), _) => {
                unsure.push(spec.name.clone());
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() { Ok(fields) } else { Err(problems) }
}

/// The fields that are asked, by what has been filled in so far; each with whether it has to be filled in.
pub fn asked<'a>(form: &'a RequestType, given: &[(String, Raw)]) -> Vec<(&'a FieldSpec, bool)> {
    let (mut fields, mut asked) = (Vec::with_capacity(given.len()), Vec::with_capacity(form.fields.len()));
    for spec in &form.fields {
        if !spec.show_when.holds(&fields) {
            continue;
        }
        asked.push((spec, spec.is_required(&fields)));
        let raw = given.iter().find(|(name, _)| *name == spec.name);
        if let Some((_, Ok(Some(value)))) = raw.map(|(name, raw)| (name, check_field(spec, raw))) {
            fields.push((spec.name.clone(), value));
        }
    }
    asked
}

impl FieldSpec {
    /// Whether it has to be filled in, by what was filled in so far.
    fn is_required(&self, fields: &[Field]) -> bool {
        self.required || (!self.require_when.is_empty() && self.require_when.holds(fields))
    }
}

/// Problems of one kind that are named: an answer is not larger than what was sent by much.
pub const PROBLEMS_MAX: usize = 50;

fn unknown_or_repeated(form: &RequestType, given: &[(String, Raw)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, (name, _)) in given.iter().enumerate() {
        if problems.len() == PROBLEMS_MAX {
            break;
        }
        if !form.fields.iter().any(|spec| spec.name == *name) {
            let known: Vec<&str> = form.fields.iter().map(|spec| spec.name.as_str()).collect();
            let problem = if known.is_empty() {
                Problem::of(name, "unknown-field", Fault::NoFields, &[&form.id])
            } else {
                Problem::of(name, "unknown-field", Fault::NoSuchField, &[&form.id, &known.join(", ")])
            };
            problems.push(problem);
        } else if given.iter().take(index).any(|(earlier, _)| earlier == name) {
            problems.push(Problem::of(name, "repeated", Fault::GivenTwice, &[]));
        }
    }
    problems
}

/// Checks one value against one field; `None` means that the field is empty.
///
/// # Errors
/// What is wrong with the value.
pub fn check_field(spec: &FieldSpec, raw: &Raw) -> Result<Option<Value>, Problem> {
    if is_empty(raw) {
        return Ok(None);
    }
    let value = match &spec.kind {
        FieldKind::Text { chars_max } | FieldKind::LongText { chars_max } => text(spec, raw, *chars_max)?,
        FieldKind::Person => id::<PersonId>(spec, raw, Fault::TakesPerson)?,
        FieldKind::App => id::<AppId>(spec, raw, Fault::TakesApp)?,
        FieldKind::File => id::<AttachmentId>(spec, raw, Fault::TakesFile)?,
        FieldKind::Asset { .. } => text(spec, raw, KEY_CHARS_MAX)?,
        FieldKind::Number { min, max } => number(spec, raw, *min, *max)?,
        FieldKind::Flag => flag(spec, raw)?,
        FieldKind::Date => date(spec, raw)?,
        FieldKind::Choice { options } => match raw {
            Raw::Text(text) => Value::Choice(option(spec, text, options)?),
            _ => return Err(wrong_type(spec, Fault::TakesOption)),
        },
        FieldKind::Choices { options } => choices(spec, raw, options)?,
    };
    Ok(Some(value))
}

fn is_empty(raw: &Raw) -> bool {
    match raw {
        Raw::Null => true,
        Raw::Text(text) => is_blank(text),
        Raw::List(items) => items.is_empty(),
        Raw::Number(_) | Raw::Flag(_) | Raw::Other => false,
    }
}

/// A value that names something.
fn id<I: FromStr + ToString>(spec: &FieldSpec, raw: &Raw, wanted: Fault) -> Result<Value, Problem> {
    let named = match raw {
        Raw::Text(text) => text.trim().parse::<I>().ok(),
        _ => None,
    };
    named.map(|id| Value::Text(id.to_string())).ok_or_else(|| wrong_type(spec, wanted))
}

fn wrong_type(spec: &FieldSpec, wanted: Fault) -> Problem {
    Problem::of(&spec.name, "wrong-type", wanted, &[&spec.label])
}

fn text(spec: &FieldSpec, raw: &Raw, chars_max: usize) -> Result<Value, Problem> {
    let Raw::Text(text) = raw else {
        return Err(wrong_type(spec, Fault::TakesText));
    };
    if let Some(problem) = check_long(&spec.name, text) {
        return Err(problem);
    }
    let chars = text.chars().count();
    if chars > chars_max {
        let values: [&dyn Display; 3] = [&spec.label, &chars_max, &chars];
        return Err(Problem::of(&spec.name, "too-long", Fault::TooManyCharacters, &values));
    }
    Ok(Value::Text(text.clone()))
}

fn number(spec: &FieldSpec, raw: &Raw, min: Option<f64>, max: Option<f64>) -> Result<Value, Problem> {
    let number = match raw {
        Raw::Number(number) => Some(*number),
        Raw::Text(text) => text.trim().parse().ok(),
        Raw::Null | Raw::Flag(_) | Raw::List(_) | Raw::Other => None,
    };
    let number =
        number.filter(|number: &f64| number.is_finite()).ok_or_else(|| wrong_type(spec, Fault::TakesNumber))?;
    if number.abs() > INTEGER_MAX as f64 {
        return Err(Problem::of(&spec.name, "out-of-range", Fault::NotExact, &[&spec.label, &INTEGER_MAX]));
    }
    let (fault, bound) = match (min, max) {
        (Some(min), _) if number < min => (Fault::TooSmall, min),
        (_, Some(max)) if number > max => (Fault::TooBig, max),
        _ => return Ok(Value::Number(number)),
    };
    Err(Problem::of(&spec.name, "out-of-range", fault, &[&spec.label, &bound, &number]))
}

fn flag(spec: &FieldSpec, raw: &Raw) -> Result<Value, Problem> {
    match raw {
        Raw::Flag(flag) => Ok(Value::Flag(*flag)),
        // What a browser's form sends.
        Raw::Text(text) if matches!(text.as_str(), "true" | "on" | "yes") => Ok(Value::Flag(true)),
        Raw::Text(text) if matches!(text.as_str(), "false" | "off" | "no") => Ok(Value::Flag(false)),
        _ => Err(wrong_type(spec, Fault::TakesFlag)),
    }
}

fn date(spec: &FieldSpec, raw: &Raw) -> Result<Value, Problem> {
    let Raw::Text(text) = raw else {
        return Err(wrong_type(spec, Fault::TakesDay));
    };
    // The parser takes more than we promise, such as a date with a time; only the ten characters are ours.
    let date = (text.len() == "YYYY-MM-DD".len()).then(|| text.parse::<Date>().ok()).flatten();
    date.map(Value::Date).ok_or_else(|| Problem::of(&spec.name, "bad-date", Fault::NoDay, &[&spec.label]))
}

fn option(spec: &FieldSpec, text: &str, options: &[String]) -> Result<String, Problem> {
    if let Some(option) = options.iter().find(|option| are_same(option, text)) {
        return Ok(option.clone());
    }
    Err(Problem::of(&spec.name, "not-an-option", Fault::NotAnOption, &[&spec.label, &options.join(", ")]))
}

fn choices(spec: &FieldSpec, raw: &Raw, options: &[String]) -> Result<Value, Problem> {
    let items = match raw {
        Raw::List(items) => items.as_slice(),
        // One box ticked in a browser's form arrives as a single text.
        Raw::Text(_) => std::slice::from_ref(raw),
        _ => return Err(wrong_type(spec, Fault::TakesOptions)),
    };
    let mut chosen: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        let Raw::Text(text) = item else {
            return Err(wrong_type(spec, Fault::TakesOptionTexts));
        };
        let text = option(spec, text, options)?;
        if !chosen.contains(&text) {
            chosen.push(text);
        }
    }
    Ok(Value::Choices(chosen))
}

/// Checks the two texts that every ticket has.
pub fn check_texts(subject: &str, body: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let chars = subject.chars().count();
    // A rule may make a subject of the body's first line.
    if is_blank(subject) && is_blank(body) {
        problems.push(Problem::of("subject", "required", Fault::NoSubject, &[]));
    } else if chars > SUBJECT_CHARS_MAX {
        problems.push(Problem::of("subject", "too-long", Fault::LongSubject, &[&SUBJECT_CHARS_MAX, &chars]));
    }
    problems.extend(check_characters("subject", subject));
    problems.extend(check_long("body", body));
    let chars = body.chars().count();
    if chars > BODY_CHARS_MAX {
        problems.push(Problem::of("body", "too-long", Fault::LongBody, &[&BODY_CHARS_MAX, &chars]));
    }
    problems
}

/// A text of one line has no control characters: PostgreSQL has no zero character, and the others do things to a terminal, or
/// forge a line, wherever the text is shown. So do the other ends of lines that Unicode has, and the overrides of direction, with
/// which a text reads as another.
///
/// The problem, if there is one.
pub fn check_characters(field: &str, text: &str) -> Option<Problem> {
    let is_bad = |character: &char| {
        character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202d}' | '\u{202e}')
    };
    bad_character(field, text.chars().find(is_bad))
}

/// The same for a text of several lines, which may have line ends and tabs.
pub fn check_long(field: &str, text: &str) -> Option<Problem> {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let ends_line = character == '\r' && characters.peek() == Some(&'\n');
        if character.is_control() && !matches!(character, '\n' | '\t') && !ends_line {
            return bad_character(field, Some(character));
        }
    }
    None
}

fn bad_character(field: &str, found: Option<char>) -> Option<Problem> {
    let of = |fault, values: &[&dyn Display]| Some(Problem::of(field, "bad-character", fault, values));
    match found? {
        '\0' => of(Fault::ZeroCharacter, &[]),
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => of(Fault::OneLine, &[]),
        other => of(Fault::ControlCharacter, &[&format!("U+{:04X}", u32::from(other))]),
    }
}

/// Checks a comment.
///
/// # Errors
/// It is empty or too long.
pub fn check_comment(body: &str) -> Result<(), Problem> {
    if let Some(problem) = check_long("body", body) {
        return Err(problem);
    }
    if is_blank(body) {
        return Err(Problem::of("body", "required", Fault::Empty, &[]));
    }
    if body.chars().count() > BODY_CHARS_MAX {
        return Err(Problem::of("body", "too-long", Fault::Long, &[&BODY_CHARS_MAX]));
    }
    Ok(())
}
