//! Texts with fields in them, such as `{requester.name} asks for {ticket.fields.device|a device}`. It knows nothing of rows.

use ruledesk_sdk::types::Moment;

use crate::field::{Field, Scope};
use crate::moments::{WEEKDAYS, date, local_minutes};
use crate::schema::{Got, Kind};
use crate::stage::Facts;

/// A text whose fields have been found.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// A field, and what stands there if it holds nothing.
    Field(Field, String),
}

impl Template {
    /// A text without fields.
    pub fn text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// Reads a template. `{{` and `}}` are braces.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with it.
    pub fn read(scope: Scope, written: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let (mut text, mut rest) = (String::new(), written);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                text.push_str(from.get(..1).unwrap_or_default());
                rest = after;
                continue;
            }
            let inner = from.strip_prefix('{').ok_or("a `}` has no `{` before it: write `}}` for a brace")?;
            let (name, after) = inner.split_once('}').ok_or("a `{` is never closed: write `{{` for a brace")?;
            let (path, instead) = name.split_once('|').unwrap_or((name, "nothing"));
            let field = scope.field(path.trim())?;
            if field.is_list_of_records() {
                return Err(format!("`{path}` is a list of records: use `{path}.count`"));
            }
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Field(field, instead.trim().to_owned()));
            rest = after;
        }
        text.push_str(rest);
        parts.push(Part::Text(text));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self(parts))
    }

    /// The text for one decision.
    pub fn fill(&self, facts: &Facts<'_>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field(field, instead) => {
                    let before = text.len();
                    write(&mut text, field, facts);
                    if text.len() == before {
                        text.push_str(instead);
                    }
                }
            }
        }
        text
    }
}

fn write(text: &mut String, field: &Field, facts: &Facts<'_>) {
    match (field.read(facts), field.kind()) {
        (Got::Text(one), _) => text.push_str(one),
        (Got::Both(one, other), _) => {
            text.push_str(one);
            text.push(' ');
            text.push_str(other);
        }
        (Got::Number(number), Kind::Clock) => {
            #[expect(clippy::cast_possible_truncation, reason = "a minute of the day")]
            let minute = number as i64;
            clock(text, minute);
        }
        (Got::Number(number), Kind::Weekday) => {
            let name = WEEKDAYS.iter().zip(1_u8..).find(|(_, day)| f64::from(*day).to_bits() == number.to_bits());
            text.push_str(name.map_or("", |(name, _)| name));
        }
        (Got::Number(number), _) => push_number(text, number),
        (Got::Flag(flag), _) => text.push_str(if flag { "yes" } else { "no" }),
        (Got::Day(day), _) => push_date(text, i64::from(day)),
        (Got::Time(at), _) => instant(text, at, facts.now),
        (Got::Texts(texts), _) => text.push_str(&texts.join(", ")),
        (Got::Absent | Got::Attachments(_) | Got::Recent(_) | Got::Grants(_), _) => {}
    }
}

fn instant(text: &mut String, at: u64, now: &Moment) {
    let minutes = local_minutes(at, now);
    push_date(text, minutes.div_euclid(1_440));
    text.push(' ');
    clock(text, minutes.rem_euclid(1_440));
}

fn push_date(text: &mut String, days: i64) {
    let (year, month, day) = date(days);
    text.push_str(&year.to_string());
    for part in [month, day] {
        text.push('-');
        two(text, part);
    }
}

fn clock(text: &mut String, minute: i64) {
    two(text, minute / 60);
    text.push(':');
    two(text, minute % 60);
}

fn two(text: &mut String, number: i64) {
    if number < 10 {
        text.push('0');
    }
    text.push_str(&number.to_string());
}

/// A number with at most two places after the point. The standard way would add 25 kilobytes.
fn push_number(text: &mut String, number: f64) {
    if !number.is_finite() || number.abs() >= 1e15 {
        text.push_str("a very large number");
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is below 10^17")]
    let hundredths = (number.abs() * 100.0 + 0.5) as i64;
    if number < 0.0 && hundredths > 0 {
        text.push('-');
    }
    text.push_str(&(hundredths / 100).to_string());
    let fraction = hundredths % 100;
    if fraction > 0 {
        text.push('.');
        two(text, fraction);
        if fraction % 10 == 0 {
            text.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::push_number;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for (number, expected) in
            [(0.0, "0"), (12.0, "12"), (-3.5, "-3.5"), (0.05, "0.05"), (2.999, "3"), (-0.001, "0")]
        {
            let mut text = String::new();
            push_number(&mut text, number);
            assert_eq!(text, expected);
        }
    }
}
