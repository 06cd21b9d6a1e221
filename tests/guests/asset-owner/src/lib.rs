//! A rule that knows nothing: the team is in the table `assets`, under the ticket's subject.

use ruledesk_sdk::routing::{self, Answer, Input};
use ruledesk_sdk::{export, tables};

/// Without settings.
#[derive(serde::Deserialize)]
pub struct AssetOwner {}

impl routing::Rule for AssetOwner {
    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let Some(row) = tables::lookup("assets", &input.ticket.subject) else {
            return Ok(Answer::pass("no such asset"));
        };
        let team = row.get("team").ok_or("the table has no column `team`")?;
        let cost = row.get("cost").unwrap_or("unknown");
        Ok(Answer::to_team(team).because(format!("the cost centre pays {cost}")))
    }
}

export!(AssetOwner: routing);
