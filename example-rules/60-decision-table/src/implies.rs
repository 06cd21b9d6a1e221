//! Whether one condition can only hold where another does: it finds rows that are never reached. It is careful: what it
//! cannot see, it does not claim.

use crate::compare;
use crate::condition::{Condition, Range, Test};
use crate::field::Field;
use crate::schema::Kind;

/// Whether `b` holds wherever `a` does.
pub fn implies(a: &Condition, b: &Condition) -> bool {
    match (a, b) {
        (_, Condition::All(all)) => all.iter().all(|b| implies(a, b)),
        (Condition::Any(any), _) => !any.is_empty() && any.iter().all(|a| implies(a, b)),
        (Condition::All(all), Condition::Any(any)) => {
            all.iter().any(|a| implies(a, b)) || any.iter().any(|b| implies(a, b))
        }
        (Condition::All(all), _) => all.iter().any(|a| implies(a, b)),
        (_, Condition::Any(any)) => any.iter().any(|b| implies(a, b)),
        (Condition::Not(a), Condition::Not(b)) => implies(b, a),
        (Condition::Field(field, a), Condition::Not(b)) => match &**b {
            Condition::Field(other, b) => field == other && excludes(field, a, b),
            _ => false,
        },
        (Condition::Element(list, a), Condition::Element(other, b)) => list == other && implies(a, b),
        (Condition::Element(list, _), Condition::Field(other, Test::Exists)) => list == other,
        (Condition::Field(field, a), Condition::Field(other, b)) => field == other && (a == b || narrower(a, b)),
        _ => false,
    }
}

/// Two of these conditions that can never hold together, if there are.
pub fn contradiction(condition: &Condition) -> bool {
    let Condition::All(all) = condition else { return false };
    all.iter().enumerate().any(|(index, a)| {
        all.iter().skip(index + 1).any(|b| match (a, b) {
            (Condition::Field(one, a), Condition::Field(other, b)) => one == other && excludes(one, a, b),
            (Condition::Not(a), b) | (b, Condition::Not(a)) => implies(b, a),
            _ => false,
        })
    })
}

/// Whether a field that passes `a` always passes `b`.
fn narrower(a: &Test, b: &Test) -> bool {
    let each =
        |fits: fn(&str, &str) -> bool, a: &[String], b: &[String]| a.iter().all(|a| b.iter().any(|b| fits(a, b)));
    match (a, b) {
        (Test::Matches(_), Test::Exists) => false,
        (_, Test::Exists) => true,
        (Test::Is(a), Test::Is(b)) => each(compare::equal, a, b),
        (Test::Is(a) | Test::Contains(a) | Test::StartsWith(a) | Test::EndsWith(a), Test::Contains(b)) => {
            each(compare::contains, a, b)
        }
        (Test::Is(a) | Test::StartsWith(a), Test::StartsWith(b)) => each(compare::starts_with, a, b),
        (Test::Is(a) | Test::EndsWith(a), Test::EndsWith(b)) => each(compare::ends_with, a, b),
        (Test::Is(a) | Test::Mentions(a), Test::Mentions(b)) => each(compare::mentions, a, b),
        (Test::Is(a) | Test::Within(a), Test::Within(b)) => each(compare::within, a, b),
        (Test::Is(a), Test::Matches(b)) => a.iter().all(|a| b.iter().any(|pattern| pattern.matches(a))),
        (Test::IsNumber(a), Test::IsNumber(b)) => a.iter().all(|a| b.contains(a)),
        (Test::IsNumber(a), Test::Between(range)) => a.iter().all(|a| range.holds(*a)),
        (Test::Between(a), Test::Between(b)) => inside(*a, *b),
        (Test::Days(from, to), Test::Days(least, most)) => least <= from && to <= most,
        (Test::Ago(from, to), Test::Ago(least, most)) => least <= from && to <= most,
        (Test::Clock(from, to), Test::Clock(least, most)) => {
            let after = |from: f64, to: f64| if to > from { to - from } else { to - from + 1_440.0 };
            let offset = if from < least { from - least + 1_440.0 } else { from - least };
            offset + after(*from, *to) <= after(*least, *most)
        }
        _ => false,
    }
}

fn inside(a: Range, b: Range) -> bool {
    let least = a.least > b.least || (a.least >= b.least && (a.above || !b.above));
    let most = a.most < b.most || (a.most <= b.most && (a.below || !b.below));
    least && most
}

/// Whether a field can never pass both.
fn excludes(field: &Field, a: &Test, b: &Test) -> bool {
    let one_text = matches!(field.kind(), Kind::Text | Kind::Names) && field.column.key != "text";
    match (a, b) {
        (Test::Is(a), Test::Is(b)) => one_text && !a.iter().any(|a| b.contains(a)),
        (Test::IsFlag(a), Test::IsFlag(b)) => a != b,
        (Test::IsNumber(a), Test::IsNumber(b)) => !a.iter().any(|a| b.contains(a)),
        (Test::IsNumber(a), Test::Between(range)) | (Test::Between(range), Test::IsNumber(a)) => {
            !a.iter().any(|a| range.holds(*a))
        }
        (Test::Between(a), Test::Between(b)) => apart(*a, *b) || apart(*b, *a),
        (Test::Days(a, b), Test::Days(c, d)) => b < c || d < a,
        (Test::Ago(a, b), Test::Ago(c, d)) => b <= c || d <= a,
        _ => false,
    }
}

/// Whether `a` ends before `b` begins.
fn apart(a: Range, b: Range) -> bool {
    a.most < b.least || (a.most <= b.least && (a.below || b.above))
}
