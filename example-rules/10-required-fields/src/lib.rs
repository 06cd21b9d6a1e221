//! # required-fields
//!
//! Sends a submission back when its form is incomplete, with a sentence for each thing to mend.
//!
//! `[settings.forms]` has a list of checks for each request type; types that it does not name are accepted.
//!
//! | setting | meaning |
//! |---|---|
//! | `field` | the form field, or `subject` or `body` |
//! | `message` | the sentence for the requester: what is missing and what to do |
//! | `required` | whether the field must be filled in; yes unless said otherwise |
//! | `min-chars` | the text's least length, in characters without white space at its ends |
//! | `one-of` | the texts allowed |
//! | `at-least`, `at-most` | the number's range, both ends included |
//! | `when.field`, `when.is` | check only if that field holds one of these texts |
//!
//! Codes for programs: `required`, `too-short`, `not-allowed`, `out-of-range`.

use std::collections::BTreeMap;

use ruledesk_sdk::export;
use ruledesk_sdk::intake::{self, Answer, Input, Problem};
use ruledesk_sdk::types::{Ticket, Value};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RequiredFields {
    forms: BTreeMap<String, Vec<Check>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Check {
    field: String,
    message: String,
    #[serde(default = "yes")]
    required: bool,
    min_chars: Option<usize>,
    #[serde(default)]
    one_of: Vec<String>,
    at_least: Option<f64>,
    at_most: Option<f64>,
    when: Option<When>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct When {
    field: String,
    is: Vec<String>,
}

fn yes() -> bool {
    true
}

impl intake::Rule for RequiredFields {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        let checks = self.forms.iter().flat_map(|(form, checks)| checks.iter().map(move |c| (form, c)));
        let silent = checks.filter(|(_, check)| check.message.trim().is_empty());
        let problems: Vec<String> =
            silent.map(|(form, c)| format!("`forms.{form}`: the check of `{}` needs a message", c.field)).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let Some(checks) = self.forms.get(&input.ticket.request_type) else {
            return Ok(Answer::accept().because("this request type has no checks"));
        };
        let problems: Vec<Problem> = checks.iter().filter_map(|c| c.problem(&input.ticket)).collect();
        let reason = match problems.len() {
            0 => "the form is complete".to_owned(),
            1 => "one field has to be mended".to_owned(),
            count => format!("{count} fields have to be mended"),
        };
        Ok(Answer::reject(problems).because(reason))
    }
}

impl Check {
    fn problem(&self, ticket: &Ticket) -> Option<Problem> {
        if self.when.as_ref().is_some_and(|when| !when.holds(ticket)) {
            return None;
        }
        let code = match self.field.as_str() {
            "subject" => self.text_code(&ticket.subject),
            "body" => self.text_code(&ticket.body),
            field => match ticket.field(field) {
                None => self.required.then_some("required"),
                Some(Value::Number(number)) => self.number_code(*number),
                Some(Value::Choices(options)) => options.iter().find_map(|o| self.text_code(o)),
                Some(value) => value.as_text().and_then(|text| self.text_code(text)),
            },
        };
        code.map(|code| Problem::new(&self.field, code, &self.message))
    }

    fn text_code(&self, text: &str) -> Option<&'static str> {
        let text = text.trim();
        if text.is_empty() {
            return self.required.then_some("required");
        }
        if self.min_chars.is_some_and(|min| text.chars().count() < min) {
            return Some("too-short");
        }
        let is_allowed = self.one_of.is_empty() || self.one_of.iter().any(|allowed| allowed == text);
        (!is_allowed).then_some("not-allowed")
    }

    fn number_code(&self, number: f64) -> Option<&'static str> {
        let low = self.at_least.is_some_and(|least| number < least);
        let high = self.at_most.is_some_and(|most| number > most);
        (low || high || number.is_nan()).then_some("out-of-range")
    }
}

impl When {
    fn holds(&self, ticket: &Ticket) -> bool {
        ticket.text(&self.field).is_some_and(|text| self.is.iter().any(|is| is == text))
    }
}

export!(RequiredFields: intake);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::intake::{Decision, Rule};
    use ruledesk_sdk::testing::{self, TicketBuilder, intake_input, person, ticket};

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");

    fn codes(ticket: TicketBuilder) -> Vec<(String, String)> {
        let rule = testing::shipped::<RequiredFields>(SHIPPED);
        match rule.decide(&intake_input(ticket, person("amara"))).unwrap().decision {
            Decision::Accept(_) => vec![],
            Decision::Reject(problems) => problems.into_iter().map(|p| (p.field, p.code)).collect(),
        }
    }

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<RequiredFields>(SHIPPED), Ok(5));
    }

    #[test]
    fn white_space_does_not_fill_a_field() {
        let ticket = ticket("hardware").field("device", "  ").field("justification", "broken hinge");
        let ticket = ticket.field("urgency", "low");
        assert_eq!(codes(ticket), [("device".to_owned(), "required".to_owned())]);
    }

    #[test]
    fn a_number_outside_its_range() {
        let access = || {
            let ticket = ticket("access").field("app", "jira").field("tier", "user");
            ticket.field("justification", "I join the billing project on Monday")
        };
        assert_eq!(codes(access().field("duration-hours", 24.0)), []);
        let wrong = [("duration-hours".to_owned(), "out-of-range".to_owned())];
        assert_eq!(codes(access().field("duration-hours", 0.0)), wrong);
        assert_eq!(codes(access().field("duration-hours", f64::NAN)), wrong);
    }

    #[test]
    fn a_check_without_a_message_is_refused() {
        let problems = testing::try_rule::<RequiredFields>("[[forms.access]]\nfield = \"app\"\nmessage = \" \"");
        assert_eq!(problems.err().unwrap(), ["`forms.access`: the check of `app` needs a message"]);
    }
}
