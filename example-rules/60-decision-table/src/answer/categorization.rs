//! A row's answer at categorization. Several rows: the first category and kind stand, all tags are united.

use ruledesk_sdk::categorization::{Answer, Classification, Decision};

use super::{Answer as Reading, unite};
use crate::stage::Facts;
use crate::table::Chosen;

#[derive(Debug, Clone, PartialEq)]
pub struct Then {
    category: Option<String>,
    tags: Vec<String>,
    kind: Option<String>,
}

impl Then {
    pub fn read(answer: &mut Reading<'_>) -> Self {
        let kind = answer.one_of("kind", &["incident", "request", "problem", "change"]);
        Self { category: answer.text("category"), tags: answer.texts("tags"), kind }
    }
}

pub fn decide(chosen: &Chosen<'_>, facts: &Facts<'_>) -> Answer {
    let mut united = Classification { category: None, tags: Vec::new(), kind: None };
    let mut answered = false;
    for row in chosen.rows() {
        let super::Then::Categorization(then) = &row.then else { continue };
        answered = true;
        united.category = united.category.or_else(|| then.category.clone());
        united.kind = united.kind.or_else(|| then.kind.clone());
        unite(&mut united.tags, &then.tags);
    }
    let answer = Answer::pass(chosen.reason(facts));
    if answered { Answer { decision: Decision::Classify(united), ..answer } } else { answer }
}
