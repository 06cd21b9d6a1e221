//! A row's answer at routing. Several rows: the first team, person and strategy, all skills, the highest tier.

use ruledesk_sdk::routing::{Answer, Decision, Destination};

use super::{Answer as Reading, unite};
use crate::stage::Facts;
use crate::table::Chosen;
use crate::template::Template;

#[derive(Debug, Clone, PartialEq)]
pub struct Then {
    team: Option<Template>,
    assignee: Option<Template>,
    skills: Vec<String>,
    strategy: Option<String>,
    tier: Option<u8>,
}

impl Then {
    pub fn read(answer: &mut Reading<'_>) -> Self {
        let tier = answer.whole("tier", 1, u32::from(u8::MAX)).and_then(|tier| u8::try_from(tier).ok());
        let strategy = answer.one_of("strategy", &["round-robin", "least-loaded"]);
        let (team, assignee) = (answer.template("team"), answer.template("assignee"));
        Self { team, assignee, skills: answer.texts("skills"), strategy, tier }
    }

    /// Whether it says where to; a row that only adds a strategy or tier needs another row beside it.
    pub fn is_destination(&self) -> bool {
        self.team.is_some() || self.assignee.is_some() || !self.skills.is_empty()
    }
}

pub fn decide(chosen: &Chosen<'_>, facts: &Facts<'_>) -> Answer {
    let mut to = Destination { team: None, assignee: None, skills: Vec::new(), strategy: None, tier: None };
    let mut is_destination = false;
    for row in chosen.rows() {
        let super::Then::Routing(then) = &row.then else { continue };
        is_destination |= then.is_destination();
        let fill = |template: &Option<Template>| template.as_ref().map(|t| t.fill(facts));
        to.team = to.team.or_else(|| fill(&then.team));
        to.assignee = to.assignee.or_else(|| fill(&then.assignee));
        to.strategy = to.strategy.or_else(|| then.strategy.clone());
        to.tier = to.tier.max(then.tier);
        unite(&mut to.skills, &then.skills);
    }
    let answer = Answer::pass(chosen.reason(facts));
    if is_destination { Answer { decision: Decision::Assign(to), ..answer } } else { answer }
}
