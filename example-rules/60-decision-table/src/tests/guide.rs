//! What the guide shows is so: its first table, and each condition in it.

use ruledesk_sdk::testing;

use super::one_row;
use crate::DecisionTable;
use crate::operators;
use crate::stage::Stage;

const GUIDE: &str = include_str!("../../README.md");

#[test]
fn the_first_table_works() {
    let (_, rest) = GUIDE.split_once("```toml\n").unwrap();
    let (manifest, _) = rest.split_once("```").unwrap();
    assert_eq!(testing::examples::<DecisionTable>(manifest), Ok(1));
}

#[test]
fn every_condition_and_every_operator_is_one() {
    let snippets = GUIDE.split(['`', '\n']).filter_map(|snippet| snippet.strip_prefix("when."));
    let conditions: Vec<&str> = snippets.filter(|snippet| snippet.contains('=')).collect();
    assert!(conditions.len() >= 30, "{}", conditions.len());
    for condition in &conditions {
        let condition = condition.split('#').next().filter(|_| !condition.contains("INC-")).unwrap_or(condition);
        let loads = |stage: Stage| {
            let answer = match stage {
                Stage::Intake => "tags = [\"x\"]",
                Stage::Access => "approve = true",
                Stage::Priority => "level = \"x\"",
                Stage::Categorization => "category = \"x\"",
                Stage::Routing => "team = \"x\"",
            };
            testing::try_rule::<DecisionTable>(&one_row(stage.name(), condition, answer)).is_ok()
        };
        assert!(Stage::ALL.into_iter().any(loads), "{condition}");
    }
    for operator in operators::ALL {
        assert!(
            GUIDE.contains(&format!("| `{operator}`")) || GUIDE.contains(&format!(", `{operator}` |")),
            "{operator}"
        );
    }
}
