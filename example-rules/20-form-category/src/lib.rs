//! # form-category
//!
//! Categorizes by what was selected in the form: the surest sign of what a ticket is about.
//!
//! `[[settings.rows]]` is read from the top; the first row whose conditions all hold decides.
//!
//! | setting | meaning |
//! |---|---|
//! | `request-type` | only for this request type |
//! | `field`, `is` | the field holds one of these texts, capitals or not; without `is` it is merely filled in |
//! | `flag` | this yes-or-no field says yes |
//! | `category` | the category's id; a row may also only add tags |
//! | `tags` | tags to add |
//! | `kind` | `incident`, `request`, `problem` or `change`, where the request type's own is not right |

use ruledesk_sdk::categorization::{self, Answer, Classification, Decision, Input};
use ruledesk_sdk::types::Ticket;
use ruledesk_sdk::{export, text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FormCategory {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Row {
    request_type: Option<String>,
    field: Option<String>,
    #[serde(default)]
    is: Vec<String>,
    flag: Option<String>,
    category: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    kind: Option<String>,
}

impl categorization::Rule for FormCategory {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        for (index, row) in self.rows.iter_mut().enumerate() {
            if row.category.is_none() && row.tags.is_empty() && row.kind.is_none() {
                problems.push(format!("`rows[{index}]`: name a category, tags or a kind"));
            }
            if row.field.is_none() && !row.is.is_empty() {
                problems.push(format!("`rows[{index}]`: `is` needs a `field`"));
            }
            for value in &mut row.is {
                *value = text::lower(value);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let Some(row) = self.rows.iter().find(|row| row.holds(&input.ticket)) else {
            return Ok(Answer::pass("nothing selected in the form tells the category"));
        };
        let reason = match (&row.field, input.ticket.text(row.field.as_deref().unwrap_or_default())) {
            (Some(field), Some(value)) => format!("{field} is {value}"),
            _ => format!("the request type is {}", input.ticket.request_type),
        };
        let decision = Decision::Classify(Classification {
            category: row.category.clone(),
            tags: row.tags.clone(),
            kind: row.kind.clone(),
        });
        Ok(Answer { decision, reason, attributes: Vec::new() })
    }
}

impl Row {
    fn holds(&self, ticket: &Ticket) -> bool {
        self.request_type.as_ref().is_none_or(|wanted| *wanted == ticket.request_type)
            && self.field.as_ref().is_none_or(|field| self.is_in(ticket, field))
            && self.flag.as_ref().is_none_or(|flag| ticket.flag(flag))
    }

    fn is_in(&self, ticket: &Ticket, field: &str) -> bool {
        let is_wanted = |value: &str| self.is.is_empty() || self.is.contains(&text::lower(value.trim()));
        ticket.text(field).is_some_and(is_wanted) || ticket.choices(field).iter().any(|c| is_wanted(c))
    }
}

export!(FormCategory: categorization);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::categorization::Rule;
    use ruledesk_sdk::testing::{self, categorization_input, person, ticket};
    use ruledesk_sdk::types::Value;

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<FormCategory>(SHIPPED), Ok(5));
    }

    #[test]
    fn the_first_row_that_holds_decides() {
        let rows = r#"
            [[rows]]
            field = "device"
            is = ["Laptop"]
            category = "hardware.laptop"
            [[rows]]
            field = "device"
            category = "hardware"
        "#;
        let rule = testing::rule::<FormCategory>(rows);
        let asked = |device| {
            let ticket = ticket("hardware").field("device", device);
            rule.decide(&categorization_input(ticket, person("amara"))).unwrap()
        };
        assert_eq!(
            asked(Value::Choice("laptop".to_owned())),
            Answer::category("hardware.laptop").because("device is laptop")
        );
        assert_eq!(asked(Value::from("robot")), Answer::category("hardware").because("device is robot"));
        assert_eq!(asked(Value::from(true)).decision, Decision::Pass);
    }

    #[test]
    fn a_row_that_says_nothing_is_refused() {
        let problems = testing::try_rule::<FormCategory>("[[rows]]\nis = [\"x\"]").err().unwrap();
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
