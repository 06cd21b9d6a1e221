//! Turns the settings' JSON into the rule's own struct through serde, with errors that name the setting.
//! It knows nothing of stages.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::json::{self, Node};

/// Reads settings.
///
/// # Errors
///
/// One sentence that names the setting that is wrong, such as ``"`levels[2].name`: missing field `id`"``.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let node = json::parse(text).map_err(|error| error.to_string())?;
    T::deserialize(node).map_err(|error: Wrong| error.to_string())
}

/// What is wrong with the settings, and where.
#[derive(Debug)]
pub struct Wrong {
    /// The setting, such as `levels[2].name`; empty for the whole table.
    path: String,
    message: String,
}

impl Wrong {
    fn below(mut self, parent: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, parent);
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            path: String::new(),
            message: message.to_string(),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self {
            path: String::new(),
            message: format!("expected {expected}, found {}", kind(found)),
        }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }
}

/// The kind alone: to write out a fraction would add fifteen kilobytes to every rule.
fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) => "a whole number",
        Unexpected::Signed(_) => "a number below zero",
        Unexpected::Float(_) => "a fraction",
        Unexpected::Str(_) | Unexpected::Char(_) => "a text",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Flag(value) => visitor.visit_bool(value),
            Node::Negative(value) => visitor.visit_i64(value),
            Node::Whole(value) => visitor.visit_u64(value),
            Node::Fraction(value) => visitor.visit_f64(value),
            Node::Text(value) => visitor.visit_string(value),
            Node::List(nodes) => visitor.visit_seq(Items {
                nodes: nodes.into_iter(),
                index: 0,
            }),
            Node::Table(entries) => visitor.visit_map(Entries {
                entries: entries.into_iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Node::Null => visitor.visit_none(),
            other => visitor.visit_some(other),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let (name, content) = match self {
            Node::Text(name) => (name, Node::Null),
            Node::Table(entries) => match <[_; 1]>::try_from(entries) {
                Ok([entry]) => entry,
                Err(_) => return Err(de::Error::custom("expected a table with one key")),
            },
            _ => return Err(de::Error::custom("expected a text or a table with one key")),
        };
        visitor.visit_enum(Case { name, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

/// The items of a list.
struct Items {
    nodes: std::vec::IntoIter<Node>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        let Some(node) = self.nodes.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(node)
            .map(Some)
            .map_err(|error| error.below(&format!("[{index}]")))
    }
}

/// The entries of a table; `value` belongs to the key that was read last.
struct Entries {
    entries: std::vec::IntoIter<(String, Node)>,
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        let Some((key, node)) = self.entries.next() else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Wrong> = key.as_str().into_deserializer();
        let found = seed.deserialize(name)?;
        self.value = Some((key, node));
        Ok(Some(found))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let (key, node) = self
            .value
            .take()
            .unwrap_or_else(|| (String::new(), Node::Null));
        seed.deserialize(node).map_err(|error| error.below(&key))
    }
}

/// An enum's case with what it holds.
struct Case {
    name: String,
    content: Node,
}

impl<'de> EnumAccess<'de> for Case {
    type Error = Wrong;
    type Variant = Node;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Node), Wrong> {
        let name: StrDeserializer<'_, Wrong> = self.name.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Node {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self {
            Node::Null => Ok(()),
            _ => Err(de::Error::custom("expected a text")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Wrong> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::from_json;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct Desk {
        levels: Vec<Level>,
        #[serde(default)]
        weights: BTreeMap<String, f64>,
        hours: Option<u8>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Level {
        id: String,
        mode: Mode,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        Off,
        AtMost(u8),
    }

    fn error(text: &str) -> String {
        from_json::<Desk>(text).unwrap_err()
    }

    #[test]
    fn a_struct_with_all_kinds() {
        let text = r#"{"levels":[{"id":"a","mode":"off"},{"id":"b","mode":{"at-most":3}}],"weights":{"x":2,"y":0.5}}"#;
        let desk: Desk = from_json(text).unwrap();
        assert_eq!(
            desk.levels[1],
            Level {
                id: "b".to_owned(),
                mode: Mode::AtMost(3)
            }
        );
        assert_eq!(
            (desk.weights["x"], desk.weights["y"], desk.hours),
            (2.0, 0.5, None)
        );
    }

    #[test]
    fn errors_name_the_setting() {
        let wrong_type = error(r#"{"levels":[{"id":"a","mode":"off"},{"id":7,"mode":"off"}]}"#);
        assert_eq!(
            wrong_type,
            "`levels[1].id`: expected a string, found a whole number"
        );
        let unknown = error(r#"{"levels":[],"weigths":{}}"#);
        assert!(
            unknown.contains("unknown field `weigths`, expected one of `levels`"),
            "{unknown}"
        );
        assert_eq!(error("{}"), "missing field `levels`");
        assert!(error(r#"{"levels":[],"hours":300}"#).starts_with("`hours`: "));
        assert!(
            error(r#"{"levels":[{"id":"a","mode":"on"}]}"#)
                .starts_with("`levels[0].mode`: unknown variant `on`")
        );
        assert!(error("{").starts_with("the settings are not JSON at byte 1"));
    }
}
