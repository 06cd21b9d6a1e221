//! The exports of other desks: what their columns and values mean, as files that come with the program. They say the same as the
//! options of the command line, a line each.

use std::str::FromStr;

use super::mapping::{MapError, Target, column, value};

macro_rules! shipped {
    ($($name:literal)*) => { &[$(($name, include_str!(concat!($name, ".txt")))),*] };
}

/// Every preset: its name and its text.
const SHIPPED: &[(&str, &str)] = shipped!("freshservice" "glpi" "jira" "otrs" "servicenow" "zammad" "zendesk");

/// The meaning of another desk's export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preset {
    pub columns: Vec<(Target, String)>,
    /// Of which target, from what, to what.
    pub values: Vec<(Target, String, String)>,
    /// The column that tells the rows apart.
    pub key: Option<String>,
    pub time_format: Option<String>,
    /// A cell that stands for no value.
    pub missing: Option<String>,
}

/// Why there is no such preset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPreset {
    #[error("there is no preset `{name}`; there are {}", Preset::names().collect::<Vec<_>>().join(", "))]
    Unknown { name: String },
    #[error(transparent)]
    Wrong(#[from] MapError),
}

impl Preset {
    /// The names of all presets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }
}

impl FromStr for Preset {
    type Err = NoPreset;

    fn from_str(name: &str) -> Result<Self, NoPreset> {
        let found = SHIPPED.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| NoPreset::Unknown { name: name.to_owned() })?;
        let mut preset = Preset::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((word, rest)) = line.split_once(' ') else { continue };
            match word {
                "map" => preset.columns.push(column(rest)?),
                "map-value" => preset.values.push(value(rest)?),
                "key" => preset.key = Some(rest.to_owned()),
                "time-format" => preset.time_format = Some(rest.to_owned()),
                "missing" => preset.missing = Some(rest.to_owned()),
                _ => return Err(MapError::NotAMapping { text: line.to_owned() }.into()),
            }
        }
        Ok(preset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ticket::State;

    #[test]
    fn every_preset_is_read_and_names_states_that_there_are() {
        for name in Preset::names() {
            let preset: Preset = name.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(preset.columns.iter().any(|(target, _)| *target == Target::Subject), "{name}");
            for (target, from, to) in &preset.values {
                assert!(preset.columns.iter().any(|(known, _)| known == target), "{name}: {target} has no column");
                let known = *target != Target::State || State::from_code(to).is_some();
                assert!(known, "{name}: {from} becomes {to}, which is no state");
            }
        }
        assert!("remedy".parse::<Preset>().unwrap_err().to_string().contains("zendesk"));
    }
}
