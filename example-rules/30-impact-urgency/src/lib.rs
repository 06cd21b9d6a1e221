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

use ruledesk_sdk::export;
use ruledesk_sdk::priority::{self, Answer, Input};
use ruledesk_sdk::text::{self, Words};
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
    /// `words`, each split into its words.
    #[serde(skip)]
    phrases: Vec<Words>,
}

impl priority::Rule for Matrix {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        for raise in &mut self.raise {
            raise.phrases = raise.words.iter().map(|phrase| Words::of(phrase)).collect();
        }
        let mut problems = self.missing_cells();
        problems.extend(self.unknown_values());
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let mut impact = self.start(input, self.impact_field.as_deref(), &self.impacts, &self.default_impact);
        let mut urgency = self.start(input, self.urgency_field.as_deref(), &self.urgencies, &self.default_urgency);
        let mut words = Words::of(&input.ticket.subject);
        words.add(&input.ticket.body);
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
        if reasons.is_empty() {
            reason += self.unsaid(input);
        } else {
            reason = format!("{reason}: {}", reasons.join(", "));
        }
        Ok(Answer::rate(level).impact(impact).urgency(urgency).because(reason))
    }
}

impl Matrix {
    /// What the form says if that is on the scale, else the default.
    fn start<'a>(&'a self, input: &Input, field: Option<&str>, scale: &'a [String], default: &'a String) -> &'a String {
        let said = field.and_then(|field| input.ticket.text(field)).map(text::lower);
        said.and_then(|said| scale.iter().find(|value| same(&said, value))).unwrap_or(default)
    }

    /// The part of a reason that says that a value stands by default alone.
    fn unsaid(&self, input: &Input) -> &'static str {
        let says = |field: &Option<String>, scale: &[String]| {
            let said = field.as_deref().and_then(|field| input.ticket.text(field)).map(text::lower);
            said.is_some_and(|said| scale.iter().any(|value| same(&said, value)))
        };
        match (says(&self.impact_field, &self.impacts), says(&self.urgency_field, &self.urgencies)) {
            (true, true) => "",
            (true, false) => " (nothing was said of the urgency)",
            (false, true) => " (nothing was said of the impact)",
            (false, false) => " (nothing was said of either)",
        }
    }

    fn missing_cells(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for impact in &self.impacts {
            for urgency in &self.urgencies {
                if self.matrix.get(impact).is_none_or(|row| !row.contains_key(urgency)) {
                    missing.push(format!("`matrix.{impact}.{urgency}` is missing: name the level"));
                }
            }
        }
        missing
    }

    fn unknown_values(&self) -> Vec<String> {
        let mut used =
            vec![(&self.impacts, Some(&self.default_impact)), (&self.urgencies, Some(&self.default_urgency))];
        for raise in &self.raise {
            used.push((&self.impacts, raise.impact.as_ref()));
            used.push((&self.urgencies, raise.urgency.as_ref()));
        }
        let unknown = used.into_iter().filter_map(|(scale, value)| value.filter(|v| !scale.contains(v)));
        unknown.map(|value| format!("`{value}` is not on its scale: use a value of the scale")).collect()
    }
}

impl Raise {
    fn holds(&self, input: &Input, words: &Words) -> bool {
        let ticket = &input.ticket;
        let large = |field: &String| ticket.number(field).is_some_and(|n| n >= self.at_least.unwrap_or(1.0));
        (self.phrases.is_empty() || self.phrases.iter().any(|phrase| words.has(phrase)))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| input.so_far.has_tag(tag) || ticket.has_tag(tag)))
            && (self.categories.is_empty() || self.categories.iter().any(|c| input.so_far.is_within(c)))
            && self.flag.as_ref().is_none_or(|flag| ticket.flag(flag))
            && self.field.as_ref().is_none_or(large)
            && (!self.vip || input.requester.vip)
    }
}

/// Whether what a form says is this value of the scale; other desks write it as `1 - High`.
fn same(said: &str, value: &str) -> bool {
    said == value || said.rsplit(' ').next() == Some(value)
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

export!(Matrix: priority);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::priority::Rule;
    use ruledesk_sdk::testing::{self, TicketBuilder, person, priority_input, ticket};

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");

    fn rated(ticket: TicketBuilder) -> Answer {
        let rule = testing::shipped::<Matrix>(SHIPPED);
        rule.decide(&priority_input(ticket, person("amara"))).unwrap()
    }

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<Matrix>(SHIPPED), Ok(7));
    }

    #[test]
    fn raises_never_lower() {
        let critical = ticket("incident").field("impact", "high").field("urgency", "high");
        let expected = Answer::rate("critical").impact("high").urgency("high");
        let reason = "impact is high and urgency is high";
        assert_eq!(rated(critical.field("people-affected", 12.0)), expected.because(reason));
    }

    #[test]
    fn words_are_whole_words() {
        let level = |subject| rated(ticket("incident").subject(subject));
        assert_eq!(level("Countdown to launch"), rated(ticket("incident")));
        assert_ne!(level("The site is DOWN!"), rated(ticket("incident")));
    }

    #[test]
    fn a_value_off_the_scale_counts_as_nothing_said() {
        assert_eq!(rated(ticket("incident").field("impact", "galactic")), rated(ticket("incident")));
    }

    #[test]
    fn the_servicenow_matrix_is_complete() {
        let settings = include_str!("../servicenow.toml");
        let rule = testing::shipped::<Matrix>(settings);
        let ticket = ticket("incident").field("impact", "1 - High").field("urgency", "2 - Medium");
        let answer = rule.decide(&priority_input(ticket, person("amara"))).unwrap();
        let expected = Answer::rate("high").impact("high").urgency("medium");
        assert_eq!(answer, expected.because("impact is high and urgency is medium"));
    }

    #[test]
    fn an_incomplete_matrix_is_refused() {
        let settings = r#"
            impacts = ["low", "high"]
            urgencies = ["low"]
            default-impact = "low"
            default-urgency = "middling"
            [matrix]
            low = { low = "low" }
        "#;
        let problems = testing::try_rule::<Matrix>(settings).err().unwrap();
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
