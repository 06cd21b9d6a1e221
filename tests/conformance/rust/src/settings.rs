//! The settings, checked one by one, so that every problem is reported.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Any JSON, as far as the rule has use for it.
#[derive(Clone)]
pub enum Json {
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Other,
}

/// The settings that hold.
#[derive(Default)]
pub struct Settings {
    pub words: Vec<String>,
    pub category: String,
    pub level: String,
    pub team: String,
    pub table: String,
    pub factor: f64,
    pub body_max: usize,
    pub max_hours: u32,
    pub trace: bool,
}

/// Reads them.
///
/// # Errors
///
/// One sentence for each setting that is wrong.
pub fn read(given: &BTreeMap<String, Json>) -> Result<Settings, Vec<String>> {
    let mut problems = Vec::new();
    let words = given.get("words").and_then(words).unwrap_or_default();
    if words.is_empty() {
        problems.push("`words` must be a list of texts, none of them empty".to_owned());
    }
    let mut text = |name: &str| match given.get(name) {
        Some(Json::Text(text)) if !text.is_empty() => text.clone(),
        _ => {
            problems.push(format!("`{name}` must be a text, not empty"));
            String::new()
        }
    };
    let (category, level, team, table) = (text("category"), text("level"), text("team"), text("table"));
    let factor = if let Some(Json::Number(factor)) = given.get("factor") {
        *factor
    } else {
        problems.push("`factor` must be a number".to_owned());
        0.0
    };
    let mut whole = |name: &str, most: u16| match given.get(name) {
        Some(Json::Number(n)) if *n >= 1.0 && *n <= f64::from(most) && n.fract() == 0.0 => *n as u16,
        _ => {
            problems.push(format!("`{name}` must be a whole number from 1 to {most}"));
            0
        }
    };
    let (body_max, max_hours) = (usize::from(whole("body-max", 1000)), u32::from(whole("max-hours", 8784)));
    let trace = match given.get("trace") {
        None => false,
        Some(Json::Flag(trace)) => *trace,
        Some(_) => {
            problems.push("`trace` must be true or false".to_owned());
            false
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Settings { words, category, level, team, table, factor, body_max, max_hours, trace })
}

fn words(json: &Json) -> Option<Vec<String>> {
    let Json::List(items) = json else {
        return None;
    };
    items
        .iter()
        .map(|item| match item {
            Json::Text(word) if !word.is_empty() => Some(word.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        while entries.next_entry::<String, Json>()?.is_some() {}
        Ok(Json::Other)
    }
}
