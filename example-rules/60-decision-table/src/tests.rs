//! Tests of the table as a whole, without Wasm.

use ruledesk_sdk::routing::{self, Answer, Rule};
use ruledesk_sdk::testing::{self, TicketBuilder, person, routing_input, so_far, ticket};
use ruledesk_sdk::types::Person;

use crate::DecisionTable;

mod answers;
mod conditions;
mod guide;
mod laws;
mod problems;

#[test]
fn the_manifests_examples_hold() {
    let tables: [(&str, usize); 6] = [
        (include_str!("../rule.toml"), 3),
        (include_str!("../tables/intake.toml"), 4),
        (include_str!("../tables/categorization.toml"), 4),
        (include_str!("../tables/priority.toml"), 5),
        (include_str!("../tables/routing.toml"), 5),
        (include_str!("../tables/access.toml"), 6),
    ];
    for (manifest, examples) in tables {
        assert_eq!(testing::examples::<DecisionTable>(manifest), Ok(examples));
    }
}

/// A routing table with one row of these conditions, in TOML.
fn when(conditions: &str) -> DecisionTable {
    testing::rule(&one_row("routing", conditions, "team = \"x\""))
}

fn one_row(stage: &str, when: &str, then: &str) -> String {
    format!("stage = \"{stage}\"\notherwise = \"pass\"\n[[row]]\nwhen = {{ {when} }}\nthen = {{ {then} }}\n")
}

/// Whether the row of such a table fits.
fn fits(conditions: &str, ticket: &TicketBuilder, requester: impl Into<Person>) -> bool {
    fits_input(conditions, &routing_input(ticket.clone(), requester, so_far("hardware.laptop")))
}

fn fits_input(conditions: &str, input: &routing::Input) -> bool {
    let answer = when(conditions).decide(input).unwrap();
    match answer.decision {
        routing::Decision::Assign(_) => true,
        routing::Decision::Pass => false,
    }
}

/// What a routing table answers about an incident of Amara's.
fn routed(settings: &str, ticket: TicketBuilder) -> Answer {
    let table: DecisionTable = testing::rule(settings);
    table.decide(&routing_input(ticket, person("amara"), so_far("network.vpn"))).unwrap()
}

fn incident() -> TicketBuilder {
    ticket("incident")
}
