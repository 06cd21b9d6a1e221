//! # team-routing
//!
//! Sends a ticket to the team that answers for it, and says what the person who gets it must be able to do.
//!
//! The team comes from the first of these that names one:
//! 1. `[[settings.tables]]`, in order: the values of the form fields named by `fields`, joined by ` / `, looked up in `teams`;
//! 2. `[settings.categories]`: the ticket's category or the nearest category above it.
//!
//! Then a `[[settings.locations]]` may put a local team in its place. If no team is named, the rule has no opinion.
//!
//! | setting | meaning |
//! |---|---|
//! | `tables.fields`, `tables.teams` | which fields to join, and the team for each value |
//! | `categories.ID` | the team of a category and of all below it |
//! | `locations` | `at` a location, `instead-of` a team: `team` |
//! | `skills` | `skills` needed where `categories`, `tags`, or `field` and `is` hold, all of those given; `is`, and whether a skill is named already, regardless of case |
//! | `tiers` | the escalation `tier` where the priority is one of `priorities`, or the requester is a `vip`; first wins |
//! | `strategy` | `round-robin` or `least-loaded`; the team's own unless given |

use std::collections::BTreeMap;

use ruledesk_sdk::index::Index;
use ruledesk_sdk::routing::{self, Answer, Decision, Destination, Input};
use ruledesk_sdk::{export, text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TeamRouting {
    #[serde(default)]
    tables: Vec<Table>,
    #[serde(default)]
    categories: BTreeMap<String, String>,
    #[serde(default)]
    locations: Vec<Location>,
    #[serde(default)]
    skills: Vec<Skills>,
    #[serde(default)]
    tiers: Vec<Tier>,
    strategy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    fields: Vec<String>,
    teams: Index<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Location {
    at: String,
    instead_of: String,
    team: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Skills {
    skills: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    field: Option<String>,
    #[serde(default)]
    is: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Tier {
    tier: u8,
    #[serde(default)]
    priorities: Vec<String>,
    #[serde(default)]
    vip: bool,
}

impl routing::Rule for TeamRouting {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        // As what it is compared with will be.
        for value in self.skills.iter_mut().flat_map(|skills| &mut skills.is) {
            *value = text::lower(value);
        }
        match self.strategy.as_deref() {
            None | Some("round-robin" | "least-loaded") => Ok(()),
            Some(other) => Err(vec![format!("`strategy` is `{other}`: use round-robin or least-loaded")]),
        }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let Some((team, mut reason)) = self.by_field(input).or_else(|| self.by_category(input)) else {
            return Ok(Answer::pass("neither the form nor the category names a team"));
        };
        let local = self.locations.iter().find(|l| l.at == input.requester.location && l.instead_of == *team);
        if let Some(local) = local {
            reason = format!("{reason}, and the requester is in {}", local.at);
        }
        let destination = Destination {
            team: Some(local.map_or(team, |local| &local.team).clone()),
            assignee: None,
            skills: self.skills_needed(input),
            strategy: self.strategy.clone(),
            tier: self.tiers.iter().find(|tier| tier.holds(input)).map(|tier| tier.tier),
        };
        Ok(Answer { decision: Decision::Assign(destination), reason, attributes: Vec::new() })
    }
}

impl TeamRouting {
    fn skills_needed(&self, input: &Input) -> Vec<String> {
        let mut needed: Vec<String> = Vec::new();
        for skill in self.skills.iter().filter(|s| s.hold(input)).flat_map(|s| &s.skills) {
            if !needed.iter().any(|other| text::lower(other) == text::lower(skill)) {
                needed.push(skill.clone());
            }
        }
        needed
    }

    fn by_field(&self, input: &Input) -> Option<(&String, String)> {
        self.tables.iter().find_map(|table| {
            let values: Option<Vec<&str>> = table.fields.iter().map(|field| input.ticket.text(field)).collect();
            let value = values?.join(" / ");
            let team = table.teams.get(&value)?;
            Some((team, format!("{} is {value}", table.fields.join(" / "))))
        })
    }

    fn by_category(&self, input: &Input) -> Option<(&String, String)> {
        let mut category = input.so_far.category.as_deref()?;
        loop {
            if let Some(team) = self.categories.get(category) {
                return Some((team, format!("{team} answers for {category}")));
            }
            category = category.rsplit_once('.')?.0;
        }
    }
}

impl Skills {
    fn hold(&self, input: &Input) -> bool {
        let so_far = &input.so_far;
        let is_wanted = |value: &str| self.is.is_empty() || self.is.contains(&text::lower(value));
        (self.categories.is_empty() || self.categories.iter().any(|c| so_far.is_within(c)))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| so_far.has_tag(tag)))
            && self.field.as_ref().is_none_or(|field| input.ticket.text(field).is_some_and(is_wanted))
    }
}

impl Tier {
    fn holds(&self, input: &Input) -> bool {
        let priority = input.so_far.priority.as_ref();
        priority.is_some_and(|p| self.priorities.contains(p)) || (self.vip && input.requester.vip)
    }
}

export!(TeamRouting: routing);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::routing::Rule;
    use ruledesk_sdk::testing::{self, person, routing_input, so_far, ticket};

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");
    const SETTINGS: &str = r#"
        [[tables]]
        fields = ["category", "subcategory"]
        teams = { "a / b" = "group-1" }
        [[tables]]
        fields = ["category"]
        teams = { a = "group-2" }
        [categories]
        hardware = "desktop"
        "hardware.printer" = "printers"
        [[locations]]
        at = "Zürich"
        instead-of = "desktop"
        team = "desktop-zurich"
    "#;

    fn team(fields: &[(&str, &str)], category: &str, location: &str) -> Option<String> {
        let mut ticket = ticket("incident");
        for (name, value) in fields {
            ticket = ticket.field(name, *value);
        }
        let person = person("amara").location(location);
        let rule = testing::rule::<TeamRouting>(SETTINGS);
        match rule.decide(&routing_input(ticket, person, so_far(category))).unwrap().decision {
            Decision::Assign(destination) => destination.team,
            Decision::Pass => None,
        }
    }

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<TeamRouting>(SHIPPED), Ok(5));
    }

    #[test]
    fn the_first_table_that_knows_the_value_decides() {
        let both = [("category", "a"), ("subcategory", "b")];
        assert_eq!(team(&both, "hardware", "").unwrap(), "group-1");
        assert_eq!(team(&[("category", "a"), ("subcategory", "x")], "", "").unwrap(), "group-2");
        assert_eq!(team(&[("category", "x")], "hardware", "").unwrap(), "desktop");
    }

    #[test]
    fn the_nearest_category_above_decides() {
        assert_eq!(team(&[], "hardware.printer.laser", "").unwrap(), "printers");
        assert_eq!(team(&[], "hardware.laptop", "").unwrap(), "desktop");
        assert_eq!(team(&[], "hardwarestore", ""), None);
        assert_eq!(team(&[], "", ""), None);
    }

    #[test]
    fn a_local_team_stands_in() {
        assert_eq!(team(&[], "hardware", "Zürich").unwrap(), "desktop-zurich");
        assert_eq!(team(&[], "hardware.printer", "Zürich").unwrap(), "printers");
    }

    #[test]
    fn the_learned_settings_name_groups() {
        let rule = testing::shipped::<TeamRouting>(include_str!("../servicenow.toml"));
        let ticket = ticket("incident").field("category", "Category 26");
        let input = routing_input(ticket, person("amara"), so_far(""));
        let decision = rule.decide(&input).unwrap().decision;
        assert!(matches!(decision, Decision::Assign(d) if d.team.as_deref() == Some("group-70")));
    }

    #[test]
    fn skills_are_compared_without_regard_to_case() {
        let rule = testing::rule::<TeamRouting>(
            r#"
            categories = { hardware = "desktop" }
            [[skills]]
            field = "system"
            is = ["macOS", "ÜBUNTU"]
            skills = ["Unix"]
            [[skills]]
            categories = ["hardware"]
            skills = ["unix", "Repair"]
        "#,
        );
        let skills = |system: &str| {
            let ticket = ticket("incident").field("system", system);
            match rule.decide(&routing_input(ticket, person("amara"), so_far("hardware"))).unwrap().decision {
                Decision::Assign(destination) => destination.skills,
                Decision::Pass => Vec::new(),
            }
        };
        for system in ["MacOS", "macOS", "übuntu"] {
            assert_eq!(skills(system), ["Unix", "Repair"], "{system}");
        }
        assert_eq!(skills("Windows"), ["unix", "Repair"]);
    }

    #[test]
    fn an_unknown_strategy_is_refused() {
        let problems = testing::try_rule::<TeamRouting>("strategy = \"random\"").err().unwrap();
        assert_eq!(problems, ["`strategy` is `random`: use round-robin or least-loaded"]);
    }
}
