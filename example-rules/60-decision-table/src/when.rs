//! From the `when` of a row, as written, to a condition. It knows nothing of answers.

use crate::condition::{Condition, Test};
use crate::field::{Field, Position, Scope};
use crate::operators;
use crate::problems::Problems;
use crate::tree::Tree;

/// The condition that everything in this table is so.
///
/// What is wrong goes to `problems`, and counts as so, so that the rest is still looked at.
pub fn block(scope: Scope, table: &Tree, at: &str, problems: &mut Problems) -> Condition {
    let Tree::Table(entries) = table else {
        problems.add(at, &format!("it needs a table of conditions, and this is {}", table.kind()));
        return Condition::All(Vec::new());
    };
    let mut all = Vec::new();
    for (key, value) in entries {
        let at = format!("{at}.{key}");
        match key.as_str() {
            "all" => all.extend(blocks(scope, value, &at, problems)),
            "any" => all.push(Condition::Any(blocks(scope, value, &at, problems))),
            "none" => all.push(not(Condition::Any(blocks(scope, value, &at, problems)))),
            "not" => all.push(not(block(scope, value, &at, problems))),
            _ => follow(scope, &Position::Top, key, value, &at, problems, &mut all),
        }
    }
    one(all)
}

fn blocks(scope: Scope, value: &Tree, at: &str, problems: &mut Problems) -> Vec<Condition> {
    let items = value.items();
    if items.is_empty() {
        problems.add(at, "the list is empty: put at least one table of conditions into it");
    }
    items.iter().map(|item| block(scope, item, at, problems)).collect()
}

/// Follows a key, which may have dots and an operator after its field, and what lies below it.
fn follow(
    scope: Scope,
    from: &Position,
    key: &str,
    value: &Tree,
    at: &str,
    problems: &mut Problems,
    all: &mut Vec<Condition>,
) {
    let mut position = from.clone();
    let mut rest = Some(key);
    while let Some((part, after)) = rest.map(|rest| rest.split_once('.').map_or((rest, None), |(a, b)| (a, Some(b)))) {
        if let (Position::Field(field), Some(operator)) = (&position, rest)
            && part != "count"
        {
            let below = |inner, part: &str| Tree::Table(vec![(part.to_owned(), inner)]);
            let operator = operator.rsplit('.').fold(value.clone(), below);
            return of_field(scope, field, &operator, at, problems, all);
        }
        rest = after;
        match scope.step(&position, part) {
            Ok(next) => position = next,
            Err(message) => return problems.add(at, &message),
        }
    }
    match (&position, value) {
        (Position::Field(field), _) => of_field(scope, field, value, at, problems, all),
        (_, Tree::Table(entries)) if !entries.is_empty() => {
            for (key, value) in entries {
                follow(scope, &position, key, value, &format!("{at}.{key}"), problems, all);
            }
        }
        _ => problems.add(at, &position.incomplete(at.strip_prefix("when.").unwrap_or(at))),
    }
}

fn of_field(scope: Scope, field: &Field, value: &Tree, at: &str, problems: &mut Problems, all: &mut Vec<Condition>) {
    let Tree::Table(entries) = value else {
        match operators::plain(value, field.kind()) {
            Ok((test, negated)) => all.push(tested(field, test, negated)),
            Err(message) => problems.add(at, &message),
        }
        return;
    };
    if entries.is_empty() {
        problems.add(at, "nothing is asked of it");
    }
    let mut of_element = Vec::new();
    for (key, value) in entries {
        let below = format!("{at}.{key}");
        match key.as_str() {
            "not" => {
                let mut inner = Vec::new();
                of_field(scope, field, value, &below, problems, &mut inner);
                all.push(not(one(inner)));
            }
            key if key == "count" || key.starts_with("count.") => {
                follow(scope, &Position::Field(field.clone()), key, value, &below, problems, all);
            }
            key if field.is_list_of_records() && key != "exists" => of_element.push((key.to_owned(), value.clone())),
            key => match operators::operator(key, value, field.kind()) {
                Ok((test, negated)) => all.push(tested(field, test, negated)),
                Err(message) => problems.add(&below, &message),
            },
        }
    }
    if !of_element.is_empty() {
        let scope = Scope { element: Some(field.kind()), ..scope };
        let condition = block(scope, &Tree::Table(of_element), at, problems);
        all.push(Condition::Element(field.clone(), Box::new(condition)));
    }
}

fn tested(field: &Field, test: Test, negated: bool) -> Condition {
    let condition = Condition::Field(field.clone(), test);
    if negated { not(condition) } else { condition }
}

/// The opposite. Two of them are none.
fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

/// All of them, without needless wrapping, the cheap ones first: most rows do not fit, and those end early.
fn one(mut all: Vec<Condition>) -> Condition {
    let mut ordered = Vec::with_capacity(all.len());
    for cost in 0..=Condition::COST_MAX {
        ordered.extend(all.extract_if(.., |condition| condition.cost() == cost));
    }
    match (ordered.pop(), ordered.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            ordered.push(last);
            Condition::All(ordered)
        }
        (None, _) => Condition::All(ordered),
    }
}
