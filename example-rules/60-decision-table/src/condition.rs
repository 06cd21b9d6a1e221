//! Conditions, ready to be evaluated: nothing is parsed, looked up by name or copied any more. It knows nothing of settings.

use crate::compare::{self, Pattern};
use crate::field::Field;
use crate::moments::{day_of, days};
use crate::schema::Got;
use crate::stage::{Facts, Record};

/// Something that is so or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// One element of a list fulfils it.
    Element(Field, Box<Condition>),
    Field(Field, Test),
}

/// A question about one field. Texts are in small letters; of several, one has to fit; an absent field never does.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Exists,
    Is(Vec<String>),
    IsNumber(Vec<f64>),
    IsFlag(bool),
    Contains(Vec<String>),
    StartsWith(Vec<String>),
    EndsWith(Vec<String>),
    Mentions(Vec<String>),
    Within(Vec<String>),
    Matches(Vec<Pattern>),
    Between(Range),
    /// Days since 1970, the first and the last included.
    Days(i64, i64),
    /// Minutes of the day, the first included and the last not; past midnight if the last is earlier.
    Clock(f64, f64),
    /// Milliseconds before the decision, from and below.
    Ago(i64, i64),
}

/// Numbers from one to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub least: f64,
    pub most: f64,
    /// Whether `least` itself is outside.
    pub above: bool,
    /// Whether `most` itself is outside.
    pub below: bool,
}

impl Range {
    pub const ALL: Range = Range { least: f64::NEG_INFINITY, most: f64::INFINITY, above: false, below: false };

    pub fn holds(self, number: f64) -> bool {
        let enough = if self.above { number > self.least } else { number >= self.least };
        enough && if self.below { number < self.most } else { number <= self.most }
    }
}

impl Condition {
    /// Whether nothing is asked.
    pub fn is_always(&self) -> bool {
        matches!(self, Condition::All(conditions) if conditions.is_empty())
    }

    /// The highest [`cost`](Self::cost).
    pub const COST_MAX: u8 = 2;

    /// How much work it is, roughly: 0 compares numbers, 1 the beginnings of texts, 2 reads whole texts.
    pub fn cost(&self) -> u8 {
        match self {
            Condition::All(conditions) | Condition::Any(conditions) => {
                conditions.iter().map(Condition::cost).max().unwrap_or(0)
            }
            Condition::Not(condition) => condition.cost(),
            Condition::Element(..) => Self::COST_MAX,
            Condition::Field(_, test) => match test {
                Test::Exists | Test::IsNumber(_) | Test::IsFlag(_) | Test::Between(_) | Test::Clock(..) => 0,
                Test::Is(_) | Test::StartsWith(_) | Test::EndsWith(_) | Test::Within(_) => 1,
                Test::Days(..) | Test::Ago(..) => 1,
                Test::Contains(_) | Test::Mentions(_) | Test::Matches(_) => Self::COST_MAX,
            },
        }
    }

    /// Whether it is so.
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Condition::All(conditions) => conditions.iter().all(|condition| condition.holds(facts)),
            Condition::Any(conditions) => conditions.iter().any(|condition| condition.holds(facts)),
            Condition::Not(condition) => !condition.holds(facts),
            Condition::Element(list, condition) => {
                let holds = |element: Record<'_>| condition.holds(&Facts { element, ..*facts });
                match list.read(facts) {
                    Got::Attachments(all) => all.iter().any(|one| holds(Record::Attachment(one))),
                    Got::Recent(all) => all.iter().any(|one| holds(Record::Recent(one))),
                    Got::Grants(all) => all.iter().any(|one| holds(Record::Grant(one))),
                    _ => false,
                }
            }
            Condition::Field(field, test) => test.holds(field.read(facts), facts),
        }
    }
}

impl Test {
    fn holds(&self, got: Got<'_>, facts: &Facts<'_>) -> bool {
        let any = |wanted: &[String], fits: fn(&str, &str) -> bool| {
            got.any_text(|text| wanted.iter().any(|wanted| fits(text, wanted)))
        };
        match self {
            Test::Exists => got.exists(),
            Test::Is(wanted) => any(wanted, compare::equal),
            Test::Contains(wanted) => any(wanted, compare::contains),
            Test::StartsWith(wanted) => any(wanted, compare::starts_with),
            Test::EndsWith(wanted) => any(wanted, compare::ends_with),
            Test::Mentions(wanted) => any(wanted, compare::mentions),
            Test::Within(wanted) => any(wanted, compare::within),
            Test::Matches(patterns) => got.any_text(|text| patterns.iter().any(|pattern| pattern.matches(text))),
            Test::IsNumber(wanted) => got.number().is_some_and(|number| wanted.contains(&number)),
            Test::IsFlag(wanted) => got.flag() == Some(*wanted),
            Test::Between(range) => got.number().is_some_and(|number| range.holds(number)),
            Test::Days(first, last) => got.day(facts).is_some_and(|day| (*first..=*last).contains(&day)),
            Test::Clock(from, to) => got.number().is_some_and(|minute| {
                if from < to { minute >= *from && minute < *to } else { minute >= *from || minute < *to }
            }),
            Test::Ago(from, below) => got.ago_ms(facts).is_some_and(|ago| (*from..*below).contains(&ago)),
        }
    }
}

impl<'a> Got<'a> {
    fn any_text(&self, fits: impl Fn(&str) -> bool) -> bool {
        match self {
            Got::Text(text) => fits(text),
            Got::Both(one, other) => fits(one) || fits(other),
            Got::Texts(texts) => texts.iter().any(|text| fits(text)),
            _ => false,
        }
    }

    fn as_text(&self) -> Option<&'a str> {
        match self {
            Got::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether there is anything: an empty text or list is nothing.
    fn exists(&self) -> bool {
        match self {
            Got::Absent => false,
            Got::Both(one, other) => !one.is_empty() || !other.is_empty(),
            Got::Texts(texts) => !texts.is_empty(),
            Got::Attachments(all) => !all.is_empty(),
            Got::Recent(all) => !all.is_empty(),
            Got::Grants(all) => !all.is_empty(),
            other => other.as_text().is_none_or(|text| !text.is_empty()),
        }
    }

    /// The number; a text that is one counts, because attributes and some channels have nothing but texts.
    fn number(&self) -> Option<f64> {
        match self {
            Got::Number(number) => Some(*number),
            other => other.as_text().and_then(number),
        }
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Got::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The day, in days since 1970 in the desk's time zone.
    fn day(&self, facts: &Facts<'_>) -> Option<i64> {
        match self {
            Got::Day(day) => Some(i64::from(*day)),
            Got::Time(at) => Some(day_of(*at, facts.now)),
            other => other.as_text().and_then(days),
        }
    }

    /// How long before the decision; of a day, how long ago it began in the desk's time zone.
    fn ago_ms(&self, facts: &Facts<'_>) -> Option<i64> {
        const DAY_MS: i64 = 86_400_000;
        let whole = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        match self {
            Got::Time(at) => Some(whole(facts.now.at).saturating_sub(whole(*at))),
            other => {
                let days = i64::from(facts.now.local_day).saturating_sub(other.day(facts)?);
                let today = i64::from(facts.now.minute_of_day).saturating_mul(60_000);
                Some(days.saturating_mul(DAY_MS).saturating_add(today))
            }
        }
    }
}

/// The number that a text is, such as `12`, `-3` or `0.5`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let value = |digits: &str| digits.bytes().fold(0.0, |value, byte| value * 10.0 + f64::from(byte - b'0'));
    let scale = fraction.bytes().fold(1.0, |scale, _| scale * 10.0);
    Some(sign * (value(whole) + value(fraction) / scale))
}
