//! Where two versions of one rule answer the same question differently: the decisions compared, not the words about them.

use serde_json::Value;

use crate::app::record::part::Difference;
use crate::app::record::write::RuleCall;
use crate::rules::run::call::Fault;

/// Differences that are kept of one pair of answers.
const DIFFERENCES_MAX: usize = 20;

/// Writes into each candidate's part where it differs from its stable version.
pub fn compare(parts: &mut [RuleCall]) {
    let found: Vec<(usize, Vec<Difference>)> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.role.is_candidate())
        .filter_map(|(place, candidate)| {
            let name = &candidate.rule.manifest.name;
            let stable = parts.iter().find(|part| !part.role.is_candidate() && part.rule.manifest.name == *name)?;
            Some((place, differences(&decision(stable), &decision(candidate))))
        })
        .collect();
    for (place, differences) in found {
        if let Some(part) = parts.get_mut(place) {
            part.disagrees = differences;
        }
    }
}

/// An answer without its reason and attributes; a fault by its kind.
fn decision(part: &RuleCall) -> Value {
    if let Some(fault) = &part.fault {
        return serde_json::json!({ "fault": Fault::code(fault) });
    }
    let answer = part.called.result.as_ref().ok().and_then(|answer| serde_json::to_value(answer).ok());
    let mut answer = answer.unwrap_or_default();
    if let Value::Object(fields) = &mut answer {
        fields.remove("reason");
        fields.remove("attributes");
    }
    answer
}

fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk("", from, to, &mut found);
    found.truncate(DIFFERENCES_MAX);
    found
}

fn walk(path: &str, from: &Value, to: &Value, found: &mut Vec<Difference>) {
    if let (Value::Object(a), Value::Object(b)) = (from, to) {
        let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            walk(&path, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), found);
        }
    } else if from != to {
        found.push(Difference { field: path.to_owned(), from: from.clone(), to: to.clone() });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_that_differs_is_named_with_both_values() {
        let from = json!({ "decision": { "assign": { "team": "a", "tier": 1 } } });
        let to = json!({ "decision": { "assign": { "team": "b", "tier": 1 } } });
        let found = differences(&from, &to);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].field.as_str(), &found[0].from, &found[0].to),
            ("decision.assign.team", &json!("a"), &json!("b"))
        );
        assert_eq!(differences(&from, &from), []);
        assert_eq!(differences(&from, &json!({ "fault": "trap" })).len(), 2);
    }
}
