//! # impact-urgency
//!
//! Rates a ticket by a matrix of impact and urgency.
//!
//! Impact and urgency begin with what the form says (`impact-field`, `urgency-field`), or else with `default-impact` and
//! `default-urgency`. Then each `[[settings.raise]]` whose conditions all hold raises one or both to a value, never lowers
//! them. The matrix gives the level; the reason names the raises that counted.
//!
//! | setting | meaning |
//! |---|---|
//! | `impacts`, `urgencies` | the scales, lowest first |
//! | `default-impact`, `default-urgency` | where the form says nothing |
//! | `impact-field`, `urgency-field` | form fields that hold a value of the scale; both optional |
//! | `matrix.IMPACT.URGENCY` | the level's id; every combination is needed |
//! | `raise.because` | words for the reason |
//! | `raise.impact`, `raise.urgency` | raise at least to this; one is needed |
//! | `raise.words` | any of these words or phrases stands in subject or body |
//! | `raise.tags` | any of these tags stands |
//! | `raise.flag` | this yes-or-no field says yes |
//! | `raise.field`, `raise.at-least` | this number field is at least so large |
//! | `raise.vip` | the requester is a VIP |
//! | `raise.categories` | the category is one of these or lies below one |

use std::collections::BTreeMap;

use ruledesk_sdk::priority::{self, Answer, Input};
use ruledesk_sdk::{export, text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Matrix {
    impacts: Vec<String>,
    urgencies: Vec<String>,
    default_impact: String,
    default_urgency: String,
    impact_field: Option<String>,
    urgency_field: Option<String>,
    matrix: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    raise: Vec<Raise>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Raise {
    because: String,
    impact: Option<String>,
    urgency: Option<String>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    flag: Option<String>,
    field: Option<String>,
    at_least: Option<f64>,
    #[serde(default)]
    vip: bool,
}

impl priority::Rule for Matrix {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        for words in self.raise.iter_mut().flat_map(|raise| &mut raise.words) {
            *words = padded(words);
        }
        let problems: Vec<String> = self.missing_cells().chain(self.unknown_values()).collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let mut impact = self.start(
            input,
            self.impact_field.as_deref(),
            &self.impacts,
            &self.default_impact,
        );
        let mut urgency = self.start(
            input,
            self.urgency_field.as_deref(),
            &self.urgencies,
            &self.default_urgency,
        );
        let words = padded(&format!("{} {}", input.ticket.subject, input.ticket.body));
        let mut reasons = Vec::new();
        for raise in self.raise.iter().filter(|raise| raise.holds(input, &words)) {
            let raised_impact = lift(&mut impact, raise.impact.as_ref(), &self.impacts);
            let raised_urgency = lift(&mut urgency, raise.urgency.as_ref(), &self.urgencies);
            if raised_impact || raised_urgency {
                reasons.push(raise.because.as_str());
            }
        }
        let level = self.matrix.get(impact).and_then(|row| row.get(urgency));
        let level = level.ok_or_else(|| format!("the matrix has no cell {impact}.{urgency}"))?;
        let mut reason = format!("impact is {impact} and urgency is {urgency}");
        if !reasons.is_empty() {
            reason = format!("{reason}: {}", reasons.join(", "));
        }
        Ok(Answer::rate(level)
            .impact(impact)
            .urgency(urgency)
            .because(reason))
    }
}

impl Matrix {
    /// What the form says if that is on the scale, else the default.
    fn start<'a>(
        &'a self,
        input: &Input,
        field: Option<&str>,
        scale: &'a [String],
        default: &'a String,
    ) -> &'a String {
        let said = field
            .and_then(|field| input.ticket.text(field))
            .map(text::lower);
        said.and_then(|said| scale.iter().find(|value| **value == said))
            .unwrap_or(default)
    }

    fn missing_cells(&self) -> impl Iterator<Item = String> {
        let cells = self
            .impacts
            .iter()
            .flat_map(|i| self.urgencies.iter().map(move |u| (i, u)));
        cells
            .filter(|(i, u)| self.matrix.get(*i).is_none_or(|row| !row.contains_key(*u)))
            .map(|(i, u)| format!("`matrix.{i}.{u}` is missing: name the level"))
    }

    fn unknown_values(&self) -> impl Iterator<Item = String> {
        let raises = || self.raise.iter();
        let impacts = raises()
            .filter_map(|r| r.impact.as_ref())
            .chain([&self.default_impact]);
        let urgencies = raises()
            .filter_map(|r| r.urgency.as_ref())
            .chain([&self.default_urgency]);
        let unknown_impacts = impacts.filter(|i| !self.impacts.contains(i));
        let unknown_urgencies = urgencies.filter(|u| !self.urgencies.contains(u));
        let unknown = unknown_impacts.chain(unknown_urgencies);
        unknown.map(|value| format!("`{value}` is not on its scale: use a value of the scale"))
    }
}

impl Raise {
    fn holds(&self, input: &Input, words: &str) -> bool {
        let ticket = &input.ticket;
        let large = |field: &String| {
            ticket
                .number(field)
                .is_some_and(|n| n >= self.at_least.unwrap_or(1.0))
        };
        (self.words.is_empty()
            || self
                .words
                .iter()
                .any(|phrase| words.contains(phrase.as_str())))
            && (self.tags.is_empty()
                || self
                    .tags
                    .iter()
                    .any(|tag| input.so_far.has_tag(tag) || ticket.has_tag(tag)))
            && (self.categories.is_empty()
                || self.categories.iter().any(|c| input.so_far.is_within(c)))
            && self.flag.as_ref().is_none_or(|flag| ticket.flag(flag))
            && self.field.as_ref().is_none_or(large)
            && (!self.vip || input.requester.vip)
    }
}

/// Raises `value` to `to` if that is higher on the scale; whether it did.
fn lift<'a>(value: &mut &'a String, to: Option<&'a String>, scale: &[String]) -> bool {
    let rank = |value: &String| scale.iter().position(|v| v == value);
    match to {
        Some(to) if rank(to) > rank(value) => {
            *value = to;
            true
        }
        _ => false,
    }
}

/// The words of a text in lower case, each between spaces, so that a phrase is found by looking for it.
fn padded(text: &str) -> String {
    format!(" {} ", text::words(text).join(" "))
}

export!(Matrix: priority);
