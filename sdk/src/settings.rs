//! Turns the settings' JSON into the rule's own struct through serde, with errors that name the setting.
//! It knows nothing of stages.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::json::{self, Node};

mod wrong;

pub use wrong::Wrong;
use wrong::mismatch;

/// Reads settings.
///
/// # Errors
///
/// One sentence that names the setting that is wrong, such as ``"`levels[2].name`: missing field `id`"``.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let node = json::parse(text).map_err(|error| error.to_string())?;
    T::deserialize(&node).map_err(|error: Wrong| error.to_string())
}

impl Node {
    fn kind(&self) -> &'static str {
        match self {
            Node::Null => "nothing",
            Node::Flag(_) => "true or false",
            Node::Negative(_) => "a number below zero",
            Node::Whole(_) => "a whole number",
            Node::Fraction(_) => "a fraction",
            Node::Text(_) => "a text",
            Node::List(_) => "a list",
            Node::Table(_) => "a table",
        }
    }
}

/// A method that takes nodes of one kind only. If every method took any kind, each struct would carry the code to read
/// itself from each of them.
macro_rules! only {
    ($($method:ident),+: $pattern:pat => $visit:expr) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self {
                $pattern => $visit(visitor),
                other => Err(mismatch(other.kind(), &visitor)),
            }
        })+
    };
}

/// A method for numbers, which the visitor checks for range.
macro_rules! number {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self {
                Node::Negative(value) => visitor.visit_i64(*value),
                Node::Whole(value) => visitor.visit_u64(*value),
                Node::Fraction(value) => visitor.visit_f64(*value),
                other => Err(mismatch(other.kind(), &visitor)),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Flag(value) => visitor.visit_bool(*value),
            Node::Negative(value) => visitor.visit_i64(*value),
            Node::Whole(value) => visitor.visit_u64(*value),
            Node::Fraction(value) => visitor.visit_f64(*value),
            Node::Text(value) => visitor.visit_str(value),
            Node::List(nodes) => visitor.visit_seq(Items::of(nodes)),
            Node::Table(entries) => visitor.visit_map(Entries::of(entries)),
        }
    }

    number!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    number!(deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    number!(deserialize_f32 deserialize_f64);

    only!(deserialize_bool: Node::Flag(value) => |visitor: V| visitor.visit_bool(*value));
    only!(deserialize_str, deserialize_string, deserialize_char, deserialize_identifier:
        Node::Text(text) => |visitor: V| visitor.visit_str(text));
    only!(deserialize_seq: Node::List(nodes) => |visitor: V| visitor.visit_seq(Items::of(nodes)));
    only!(deserialize_map: Node::Table(entries) => |visitor: V| visitor.visit_map(Entries::of(entries)));

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Node::Null => visitor.visit_none(),
            other => visitor.visit_some(other),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self {
            Node::Text(name) => visitor.visit_enum(Case { name, content: &Node::Null }),
            Node::Table(entries) => match entries.as_slice() {
                [(name, content)] => visitor.visit_enum(Case { name, content }),
                _ => Err(mismatch("a table with several keys", &visitor)),
            },
            other => Err(mismatch(other.kind(), &visitor)),
        }
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct ignored_any }
}

/// The items of a list.
struct Items<'de> {
    nodes: std::slice::Iter<'de, Node>,
    index: usize,
}

impl<'de> Items<'de> {
    fn of(nodes: &'de [Node]) -> Self {
        Self { nodes: nodes.iter(), index: 0 }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let Some(node) = self.nodes.next() else {
            return Ok(None);
        };
        self.index += 1;
        seed.deserialize(node).map(Some).map_err(|error| error.below_index(self.index - 1))
    }
}

/// The entries of a table; `value` belongs to the key that was read last.
struct Entries<'de> {
    entries: std::slice::Iter<'de, (String, Node)>,
    value: Option<&'de (String, Node)>,
}

impl<'de> Entries<'de> {
    fn of(entries: &'de [(String, Node)]) -> Self {
        Self { entries: entries.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        self.value = self.entries.next();
        let Some((key, _)) = self.value else {
            return Ok(None);
        };
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        match self.value.take() {
            Some((key, node)) => seed.deserialize(node).map_err(|error| error.below_key(key)),
            None => seed.deserialize(&Node::Null),
        }
    }
}

/// An enum's case with what it holds.
struct Case<'de> {
    name: &'de str,
    content: &'de Node,
}

impl<'de> EnumAccess<'de> for Case<'de> {
    type Error = Wrong;
    type Variant = &'de Node;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, &'de Node), Wrong> {
        Ok((seed.deserialize(StrDeserializer::new(self.name))?, self.content))
    }
}

impl<'de> VariantAccess<'de> for &'de Node {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self {
            Node::Null => Ok(()),
            other => Err(mismatch(other.kind(), &"a text")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Wrong> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
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
        assert_eq!(desk.levels[1], Level { id: "b".to_owned(), mode: Mode::AtMost(3) });
        assert_eq!((desk.weights["x"], desk.weights["y"], desk.hours), (2.0, 0.5, None));
    }

    #[test]
    fn errors_name_the_setting() {
        let wrong_type = error(r#"{"levels":[{"id":"a","mode":"off"},{"id":7,"mode":"off"}]}"#);
        assert_eq!(wrong_type, "`levels[1].id`: expected a string, found a whole number");
        let unknown = error(r#"{"levels":[],"weigths":{}}"#);
        assert!(unknown.contains("unknown field `weigths`, expected one of `levels`"), "{unknown}");
        assert_eq!(error("{}"), "missing field `levels`");
        assert!(error(r#"{"levels":[],"hours":300}"#).starts_with("`hours`: "));
        assert!(error(r#"{"levels":[{"id":"a","mode":"on"}]}"#).starts_with("`levels[0].mode`: unknown variant `on`"));
        assert!(error("{").starts_with("the settings are not JSON at byte 1"));
    }
}
