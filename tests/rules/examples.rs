//! The example rules as a whole: each loads, passes its own examples, and is asked where it says.

use ruledesk::rules::run::stage::Stage;

use crate::support::components::{example_rules, open};

#[test]
fn all_example_rules_go_live_and_cover_every_stage() {
    let rules = open(example_rules());
    for status in rules.catalog().folders().values() {
        assert!(status.error.is_none(), "{}", status.error.as_ref().unwrap().message);
    }
    let generation = rules.generation();
    assert!(generation.rules().len() >= 7);
    for stage in Stage::ALL {
        let asked = generation.asked(stage, "access", Some("access.grant")).count();
        assert!(asked > 0, "no rule is asked at {stage}");
    }
    for rule in generation.rules() {
        let name = &rule.manifest.name;
        assert!(rule.configure_each_call.is_none(), "{name} starts with its settings in its memory");
        assert!(!rule.manifest.examples.is_empty(), "{name} has examples");
        assert!(!rule.manifest.description.is_empty(), "{name} says what it does");
    }
}
