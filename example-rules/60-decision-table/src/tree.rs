//! Settings of any shape, so that all that is wrong with them can be said at once. It knows nothing of tables.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// How TOML's own dates and times arrive.
const TOML_DATE: &str = "$__toml_private_datetime";

/// A setting as it is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Nothing,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
}

impl Tree {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Tree::Nothing => "nothing",
            Tree::Flag(_) => "true or false",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "a text",
            Tree::List(_) => "a list",
            Tree::Table(_) => "a table",
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; anything else is a list of one.
    pub fn items(&self) -> &[Tree] {
        match self {
            Tree::List(items) => items,
            one => std::slice::from_ref(one),
        }
    }

    /// The texts of a list, or one text; `None` if anything else is among them.
    pub fn texts(&self) -> Option<Vec<&str>> {
        self.items().iter().map(Tree::text).collect()
    }

    /// The whole number from `least` to 4,294,967,295, if it is one.
    pub fn whole(&self, least: u32) -> Option<u32> {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked, and a fraction differs from what is left of it"
            )]
            Tree::Number(number) if (f64::from(least)..=f64::from(u32::MAX)).contains(number) => {
                let whole = *number as u32;
                (f64::from(whole).to_bits() == number.to_bits()).then_some(whole)
            }
            _ => None,
        }
    }

    /// What a table holds under `key`.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        match self {
            Tree::Table(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree, E> {
        Ok(Tree::Flag(flag))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers in a table are far below 2^53")]
    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers in a table are far below 2^53")]
    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries: Vec<(String, Tree)> = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        match entries.as_slice() {
            [(key, Tree::Text(date))] if key == TOML_DATE => Ok(Tree::Text(date.clone())),
            _ => Ok(Tree::Table(entries)),
        }
    }
}
