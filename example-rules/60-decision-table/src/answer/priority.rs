//! A row's answer at priority. Several rows: the highest level, by the order in `levels`; the first of equals.

use ruledesk_sdk::priority::{Answer, Decision, Rating};

use super::Answer as Reading;
use crate::nearest::hint;
use crate::stage::Facts;
use crate::table::{Chosen, Hit, Row};

#[derive(Debug, Clone, PartialEq)]
pub struct Then {
    level: String,
    impact: Option<String>,
    urgency: Option<String>,
    /// Where the level stands in `levels`: 0 is the most urgent.
    rank: usize,
}

impl Then {
    pub fn read(answer: &mut Reading<'_>) -> Self {
        if answer.get("level").is_none() {
            answer.wrong("level", "an answer at priority needs a level");
        }
        let level = answer.text("level").unwrap_or_default();
        let levels = &answer.settings.levels;
        let rank = levels.iter().position(|l| *l == level);
        if rank.is_none() && !levels.is_empty() && !level.is_empty() {
            let message = format!("`{level}` is not among `levels`{}", hint(&level, levels.iter().map(String::as_str)));
            answer.wrong("level", &message);
        }
        Self { level, impact: answer.text("impact"), urgency: answer.text("urgency"), rank: rank.unwrap_or(usize::MAX) }
    }
}

pub fn decide(chosen: &Chosen<'_>, facts: &Facts<'_>) -> Answer {
    let mut highest: Option<(&Row, &Then)> = None;
    for row in chosen.rows() {
        if let super::Then::Priority(then) = &row.then
            && highest.is_none_or(|(_, best)| then.rank < best.rank)
        {
            highest = Some((row, then));
        }
    }
    let Some((row, then)) = highest else { return Answer::pass(chosen.reason(facts)) };
    let rating = Rating { impact: then.impact.clone(), urgency: then.urgency.clone(), level: then.level.clone() };
    let reason = if chosen.hit == Hit::Highest { row.reason.fill(facts) } else { chosen.reason(facts) };
    Answer { decision: Decision::Rate(rating), ..Answer::pass(reason) }
}
