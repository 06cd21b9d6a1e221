//! The parameters of reading: a filter, a page of a list, and the attributes that are wanted (RFC 7644, section 3.4.2 and 3.9).

use serde_json::{Map, Value};

use super::answer::Failed;
use super::filter::{Filter, parts};
use super::schema::RESULTS_MAX;

/// Resources of a page where nothing is said.
const COUNT: usize = 100;

/// The parameters.
#[derive(Debug, Default)]
pub struct Asked {
    pub filter: Option<Filter>,
    /// Counts from 1.
    pub start: usize,
    pub count: usize,
    attributes: Vec<String>,
    excluded: Vec<String>,
}

impl Asked {
    /// Reads a query; parameters that are not known are passed over, as the standard wants it.
    pub fn read(query: Option<&str>) -> Result<Asked, Failed> {
        let mut asked = Asked { start: 1, count: COUNT, ..Asked::default() };
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let names = || -> Vec<String> {
                value.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
            };
            let number = || {
                value.trim().parse::<i64>().map_err(|_| Failed::bad("invalidValue", format!("`{name}` is a number")))
            };
            match name.as_ref() {
                "filter" => {
                    let filter = Filter::read(&value);
                    let bad = |_| Failed::bad("invalidFilter", "the filter cannot be read (RFC 7644, 3.4.2.2)");
                    asked.filter = Some(filter.map_err(bad)?);
                }
                "startIndex" => asked.start = usize::try_from(number()?.max(1)).unwrap_or(usize::MAX),
                "count" => asked.count = usize::try_from(number()?.max(0)).unwrap_or(usize::MAX).min(RESULTS_MAX),
                "attributes" => asked.attributes = names(),
                "excludedAttributes" => asked.excluded = names(),
                _ => {}
            }
        }
        Ok(asked)
    }

    /// A resource with the attributes that are wanted.
    pub fn only(&self, resource: Value) -> Value {
        let Value::Object(fields) = resource else { return resource };
        let always = |name: &str| ["id", "schemas"].contains(&name);
        if !self.attributes.is_empty() {
            let mut kept = Map::new();
            for (name, value) in fields {
                if always(&name) {
                    kept.insert(name, value);
                } else if let Some(part) = wanted(&name, value, &self.attributes) {
                    kept.insert(name, part);
                }
            }
            return Value::Object(kept);
        }
        let kept = fields.into_iter().filter_map(|(name, value)| {
            if always(&name) {
                Some((name, value))
            } else {
                Some((name.clone(), without(&name, value, &self.excluded)?))
            }
        });
        Value::Object(kept.collect())
    }
}

fn is(path: &str, name: &str) -> bool {
    parts(path).first().is_some_and(|first| first.eq_ignore_ascii_case(name))
}

/// The parts of an attribute that are named; `None` where none is.
fn wanted(name: &str, value: Value, paths: &[String]) -> Option<Value> {
    let mut named = paths.iter().filter(|path| is(path, name)).peekable();
    named.peek()?;
    let subs: Vec<String> = named.filter_map(|path| parts(path).get(1).map(|sub| sub.to_ascii_lowercase())).collect();
    let whole = paths.iter().any(|path| is(path, name) && parts(path).len() == 1);
    Some(if whole { value } else { keep(value, &|sub: &str| subs.contains(&sub.to_ascii_lowercase())) })
}

/// An attribute without the parts that are named; `None` where all of it is.
fn without(name: &str, value: Value, paths: &[String]) -> Option<Value> {
    if paths.iter().any(|path| is(path, name) && parts(path).len() == 1) {
        return None;
    }
    let subs: Vec<String> = paths
        .iter()
        .filter(|path| is(path, name))
        .filter_map(|path| parts(path).get(1).map(|sub| sub.to_ascii_lowercase()))
        .collect();
    Some(if subs.is_empty() { value } else { keep(value, &|sub: &str| !subs.contains(&sub.to_ascii_lowercase())) })
}

fn keep(value: Value, which: &dyn Fn(&str) -> bool) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(name, _)| which(name)).collect()),
        Value::Array(all) => Value::Array(all.into_iter().map(|one| keep(one, which)).collect()),
        other => other,
    }
}
