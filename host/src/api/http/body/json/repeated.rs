//! Keys that one object of a JSON text has twice. Readers differ in which of the two counts (RFC 8259, section 4), so a body
//! with one is refused.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The path of the first key that is repeated, in a text that is JSON.
pub fn key(json: &[u8]) -> Option<String> {
    let mut steps = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // It fails where one is found; a text that is no JSON has been refused before.
    let _ = Look { steps: &mut steps }.deserialize(&mut deserializer);
    steps.reverse();
    (!steps.is_empty()).then(|| steps.concat().trim_start_matches('.').to_owned())
}

/// Looks through one value, and stops with an error at the first key that is repeated.
struct Look<'a> {
    /// The path to it, from its end.
    steps: &'a mut Vec<String>,
}

impl Look<'_> {
    /// Notes a step of the path where something was found below it.
    fn note<T, E>(&mut self, below: Result<T, E>, step: impl FnOnce() -> String) -> Result<T, E> {
        if below.is_err() && !self.steps.is_empty() {
            self.steps.push(step());
        }
        below
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        for place in 0_usize.. {
            let item = items.next_element_seed(Look { steps: self.steps });
            if self.note(item, || format!("[{place}]"))?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let mut known = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            if known.contains(&name) {
                self.steps.push(format!(".{name}"));
                return Err(A::Error::custom("a key is repeated"));
            }
            let value = fields.next_value_seed(Look { steps: self.steps });
            self.note(value, || format!(".{name}"))?;
            known.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_is_found_at_every_depth_and_spelling() {
        let found = |json: &str| key(json.as_bytes());
        assert_eq!(found(r#"{"a": 1, "b": {"a": [1, 2.5, null, true, "x"]}, "c": [{"a": -1}, {"a": 2}]}"#), None);
        assert_eq!(found(r#"{"a": 1, "a": 1}"#).as_deref(), Some("a"));
        assert_eq!(found(r#"{"x": {"a": 1, "\u0061": 2}}"#).as_deref(), Some("x.a"));
        assert_eq!(found(r#"{"x": [0, {"y": {"a": {}, "a": {}}}]}"#).as_deref(), Some("x[1].y.a"));
    }
}
