//! How two manifests differ: line by line as they are written, and key by key as they are meant.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use similar::TextDiff;

/// Unchanged lines that are shown around changed ones.
const CONTEXT_LINES: usize = 3;

/// A key whose value is another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The path of the key, such as `settings.weights.vpn`.
    pub key: String,
    /// Nothing where the key is new.
    pub from: Option<Value>,
    /// Nothing where the key is gone.
    pub to: Option<Value>,
}

/// How long the shortest difference of two texts is looked for; after that, a longer one will do.
const LOOKED_FOR_MAX: Duration = Duration::from_millis(300);

/// The lines that differ, as a unified diff; empty where the texts are the same.
pub fn lines(from: &str, to: &str) -> String {
    TextDiff::configure()
        .timeout(LOOKED_FOR_MAX)
        .diff_lines(from, to)
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .to_string()
}

/// The keys that differ, in the order of their names. Order, comments and spelling of a manifest are no difference.
///
/// # Errors
///
/// Where a text is not TOML.
pub fn changes(from: &str, to: &str) -> Result<Vec<Change>, toml::de::Error> {
    let (mut from, mut to) = (flat(from)?, flat(to)?);
    let keys: Vec<String> = from.keys().chain(to.keys()).cloned().collect();
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    for key in keys {
        let (from, to) = (from.remove(&key), to.remove(&key));
        if from != to {
            changes.insert(key.clone(), Change { key, from, to });
        }
    }
    Ok(changes.into_values().collect())
}

fn flat(text: &str) -> Result<BTreeMap<String, Value>, toml::de::Error> {
    let mut flat = BTreeMap::new();
    flatten(String::new(), &toml::Value::Table(toml::from_str(text)?), &mut flat);
    Ok(flat)
}

/// Tables are entered, and so are lists of tables, by their names where they have some; all else is a value.
fn flatten(key: String, value: &toml::Value, into: &mut BTreeMap<String, Value>) {
    match value {
        toml::Value::Table(table) if !table.is_empty() => {
            for (name, value) in table {
                let below = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(below, value, into);
            }
        }
        toml::Value::Array(items) if !items.is_empty() && items.iter().all(toml::Value::is_table) => {
            let name_of = |item: &'_ toml::Value| item.get("name").and_then(toml::Value::as_str).map(str::to_owned);
            // Counted once: a list may have thousands of tables.
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for name in items.iter().filter_map(name_of) {
                *counts.entry(name).or_default() += 1;
            }
            for (number, item) in items.iter().enumerate() {
                let place = match name_of(item).filter(|name| counts.get(name) == Some(&1)) {
                    Some(name) => format!("{key}[\"{name}\"]"),
                    None => format!("{key}[{number}]"),
                };
                flatten(place, item, into);
            }
        }
        other => {
            into.insert(key, json(other));
        }
    }
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(instant) => instant.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "name = \"a\"\norder = 1\n[settings]\nlist = [1, 2]\nold = true\n\
                       [[example]]\nname = \"first\"\nstage = \"routing\"\n[[example]]\nname = \"second\"\nstage = \"access\"\n";
    const OTHER: &str = "# moved about\norder = 1\nname = \"a\"\n[settings]\nlist = [1, 2, 3]\nnew = { deep = 1 }\n\
                         [[example]]\nname = \"second\"\nstage = \"priority\"\n[[example]]\nname = \"first\"\nstage = \"routing\"\n";

    #[test]
    fn keys_are_compared_wherever_they_stand() {
        let changes = changes(ONE, OTHER).unwrap();
        let told: Vec<String> = changes.iter().map(|c| format!("{} {:?} {:?}", c.key, c.from, c.to)).collect();
        assert_eq!(
            changes.iter().map(|c| c.key.as_str()).collect::<Vec<_>>(),
            ["example[\"second\"].stage", "settings.list", "settings.new.deep", "settings.old"],
            "{told:?}"
        );
        assert_eq!((&changes[1].from, &changes[1].to), (&Some([1, 2].into()), &Some([1, 2, 3].into())));
        assert_eq!((&changes[2].from, &changes[3].to), (&None, &None));
        assert_eq!(super::changes(ONE, ONE).unwrap(), []);
    }

    #[test]
    fn lines_are_a_unified_diff() {
        assert_eq!(lines("a\nb\nc\n", "a\nB\nc\n"), "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
        assert_eq!(lines(ONE, ONE), "");
    }
}
