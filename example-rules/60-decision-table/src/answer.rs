//! What a row answers: what the stages have in common. Each stage has a file of its own.

use crate::field::Scope;
use crate::nearest::{hint, listed};
use crate::problems::Problems;
use crate::stage::Stage;
use crate::table::Settings;
use crate::template::Template;
use crate::tree::Tree;

pub mod access;
pub mod categorization;
pub mod intake;
pub mod priority;
pub mod routing;

/// The answer of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Then {
    /// No opinion; at intake: accept as it is.
    Pass,
    Intake(intake::Then),
    Categorization(categorization::Then),
    Priority(priority::Then),
    Routing(routing::Then),
    Access(access::Then),
}

/// The keys of a stage's answer.
fn keys(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Intake => &["reject", "set", "tags", "signals", "subject", "body", "duplicate-of"],
        Stage::Categorization => &["category", "tags", "kind"],
        Stage::Priority => &["level", "impact", "urgency"],
        Stage::Routing => &["team", "assignee", "skills", "strategy", "tier"],
        Stage::Access => &["approve", "ask", "due-in-hours", "hours", "tier", "role", "groups"],
    }
}

/// The answers that are one word.
fn words(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Intake => &["accept", "pass"],
        Stage::Access => &["pass", "approve", "deny"],
        _ => &["pass"],
    }
}

impl Then {
    /// Reads an answer.
    pub fn read(settings: &Settings, tree: &Tree, at: &str, problems: &mut Problems) -> Then {
        let stage = settings.stage;
        match tree {
            Tree::Text(word) if words(stage).contains(&word.as_str()) => match word.as_str() {
                "approve" => Then::Access(access::Then::approve()),
                "deny" => Then::Access(access::Then::Deny),
                _ => Then::Pass,
            },
            Tree::Text(word) => {
                let message =
                    format!("`{word}` is no answer at {}{}", stage.name(), hint(word, words(stage).iter().copied()));
                problems.add(at, &message);
                Then::Pass
            }
            Tree::Table(entries) => {
                let answer = Answer { settings, entries, at, problems };
                answer.of_stage(stage)
            }
            other => {
                problems.add(
                    at,
                    &format!(
                        "an answer is a table or one of {}, and this is {}",
                        listed(words(stage).iter().copied()),
                        other.kind()
                    ),
                );
                Then::Pass
            }
        }
    }
}

/// An answer that is being read.
pub struct Answer<'a> {
    pub settings: &'a Settings,
    entries: &'a [(String, Tree)],
    at: &'a str,
    pub problems: &'a mut Problems,
}

impl Answer<'_> {
    fn of_stage(mut self, stage: Stage) -> Then {
        self.check_keys(stage);
        match stage {
            Stage::Intake => Then::Intake(intake::Then::read(&mut self)),
            Stage::Categorization => Then::Categorization(categorization::Then::read(&mut self)),
            Stage::Priority => Then::Priority(priority::Then::read(&mut self)),
            Stage::Routing => Then::Routing(routing::Then::read(&mut self)),
            Stage::Access => Then::Access(access::Then::read(&mut self)),
        }
    }

    fn check_keys(&mut self, stage: Stage) {
        if self.entries.is_empty() {
            self.wrong("", &format!("the answer is empty: it can have {}", listed(keys(stage).iter().copied())));
        }
        for (key, _) in self.entries {
            if keys(stage).contains(&key.as_str()) {
                continue;
            }
            let other = Stage::ALL.into_iter().find(|other| keys(*other).contains(&key.as_str()));
            let message = match other {
                Some(other) => format!(
                    "it belongs to answers at {}, and this table is for {}, whose answers have {}",
                    other.name(),
                    stage.name(),
                    listed(keys(stage).iter().copied())
                ),
                None => format!(
                    "there is no such part of an answer at {}{}",
                    stage.name(),
                    hint(key, keys(stage).iter().copied())
                ),
            };
            self.wrong(key, &message);
        }
    }

    /// Says what is wrong with a key.
    pub fn wrong(&mut self, key: &str, message: &str) {
        let at = if key.is_empty() { self.at.to_owned() } else { format!("{}.{key}", self.at) };
        self.problems.add(&at, message);
    }

    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.entries.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// A text that is not empty.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        match value.text().filter(|text| !text.is_empty()).map(str::to_owned) {
            None => {
                let message = format!(
                    "it needs a text, and this is {}",
                    if value.text().is_some() { "empty" } else { value.kind() }
                );
                self.wrong(key, &message);
                None
            }
            text => text,
        }
    }

    /// A text that is one of these.
    pub fn one_of(&mut self, key: &str, allowed: &[&str]) -> Option<String> {
        let text = self.text(key)?;
        if !allowed.contains(&text.as_str()) {
            self.wrong(key, &format!("there is no `{text}`{}", hint(&text, allowed.iter().copied())));
        }
        Some(text)
    }

    /// Texts, none of them empty. One text is a list of one.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.texts().filter(|texts| texts.iter().all(|text| !text.is_empty())) {
            Some(texts) => texts.into_iter().map(str::to_owned).collect(),
            None => {
                self.wrong(key, "it needs a list of texts, none of them empty");
                Vec::new()
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&mut self, key: &str, least: u32, most: u32) -> Option<u32> {
        let value = self.get(key)?;
        let number = value.whole(least).filter(|number| *number <= most);
        if number.is_none() {
            self.wrong(key, &format!("it needs a whole number from {least} to {most}"));
        }
        number
    }

    /// A text that may have fields in it.
    pub fn template(&mut self, key: &str) -> Option<Template> {
        let text = self.text(key)?;
        self.filled(key, &text)
    }

    /// A template from its text; `key` is where it stands.
    pub fn filled(&mut self, key: &str, text: &str) -> Option<Template> {
        let scope = Scope { stage: self.settings.stage, element: None };
        match Template::read(scope, text) {
            Ok(template) => Some(template),
            Err(message) => {
                self.wrong(key, &message);
                None
            }
        }
    }
}

/// Adds what is not there yet.
pub fn unite(all: &mut Vec<String>, more: &[String]) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}
