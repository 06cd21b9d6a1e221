//! Rules that should have been heard about a ticket and were not. Access is not decided as if they had nothing to say: neither the
//! rules for access themselves, nor those before them that settle what these are asked and go by.

use std::path::Path;

use crate::desk::actor::RuleRef;
use crate::desk::verdict::Given;
use crate::rules::live::catalog::Generation;

/// A rule that should have been asked and is not there, as one that has failed.
pub fn missing<A>(place: &Path) -> Given<A> {
    failed(named(place))
}

fn named(place: &Path) -> RuleRef {
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    RuleRef { name, version: "not live".to_owned() }
}

fn failed<A>(rule: RuleRef) -> Given<A> {
    Given { rule, reason: String::new(), overrides: false, answer: None }
}

/// A rule of an earlier stage that has said nothing about this ticket, though its answer would have counted.
#[derive(Debug, Default)]
pub struct Unheard(Option<RuleRef>);

impl Unheard {
    /// Takes in the answers of a stage that count.
    pub fn note<A>(&mut self, given: &[Given<A>]) {
        if self.0.is_none() {
            self.0 = given.iter().find(|given| given.answer.is_none()).map(|given| given.rule.clone());
        }
    }

    /// Takes in what should be live at an earlier stage and is not.
    pub fn miss(&mut self, generation: &Generation) {
        if self.0.is_none() {
            self.0 = generation.feed_in_doubt().map(named);
        }
    }

    /// The doubt as a rule for access that has failed, where such rules go by what came before: then a person decides. Whether
    /// one of them matches may hang on a category that no rule has given, and each of them sees all that was decided so far.
    pub fn about_access<A>(&self, generation: &Generation, request_type: &str) -> Option<Given<A>> {
        let rule = self.0.clone().filter(|_| generation.decides_access(request_type))?;
        tracing::warn!(rule = %rule, "access goes by what this rule would have said, and it said nothing: a person decides");
        Some(failed(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_says_nothing_is_kept() {
        let rule = |name: &str| RuleRef { name: name.to_owned(), version: "1.0.0".to_owned() };
        let given = |name: &str, answer| Given { rule: rule(name), reason: String::new(), overrides: false, answer };
        let mut unheard = Unheard::default();
        unheard.note(&[given("a", Some(1))]);
        assert_eq!(unheard.0, None);
        unheard.note(&[given("b", Some(1)), given("c", None), given("d", None)]);
        unheard.note(&[given("e", None)]);
        assert_eq!(unheard.0, Some(rule("c")));
    }
}
