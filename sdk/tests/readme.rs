//! The README's rule keeps what the README's manifest promises. The rule itself is compiled as a documentation test.

use ruledesk_sdk::priority::{self, Answer, Input};
use ruledesk_sdk::{export, testing};
use serde::Deserialize;

const README: &str = include_str!("../README.md");

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WeekendHardware {
    level: String,
}

impl priority::Rule for WeekendHardware {
    fn decide(&self, input: &Input) -> Result<Answer, String> {
        if input.now.in_business_hours || input.ticket.flag("customer-facing") {
            return Ok(Answer::pass("it does not wait"));
        }
        Ok(Answer::rate(&self.level).because("hardware can wait until the desk is open"))
    }
}

export!(WeekendHardware: priority);

#[test]
fn the_manifest_of_the_readme_holds() {
    let mut blocks = README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let manifest = blocks.find(|block| block.contains("[[example]]")).unwrap();
    assert_eq!(testing::examples::<WeekendHardware>(manifest), Ok(2));
}
