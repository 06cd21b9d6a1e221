//! Several rules' answers about the words after a resolution, made into one effect.
//!
//! The table of transitions stands above every rule: an answer that asks for a transition which does not exist is no answer.

use super::Effect;
use crate::desk::actor::RuleRef;
use crate::desk::organisation::RequestType;
use crate::desk::ticket::{Party, State, TRANSITIONS};
use crate::desk::verdict::{By, Decided, Given, Unfit};

/// The effect that words have, by whose word.
#[derive(Debug, Clone, PartialEq)]
pub struct WordsVerdict {
    pub effect: Decided<Effect>,
    /// The rules that gave no answer, or should have been asked and were not.
    pub unanswered: Vec<RuleRef>,
}

/// Refuses an effect that the state of a ticket does not allow, or that its form has no use for; `form` is `None` where the
/// organisation has none of that name any more.
///
/// # Errors
/// [`Unfit`]: what is not possible, and what is.
pub fn check(effect: Effect, state: State, form: Option<&RequestType>) -> Result<Effect, Unfit> {
    let becomes = |to: State| {
        let exists = |(from, end, who): &(State, State, &[Party])| {
            (*from, *end) == (state, to) && who.contains(&Party::Requester)
        };
        if TRANSITIONS.iter().any(exists) {
            return Ok(effect);
        }
        Err(Unfit::Transition { state: state.code(), to: to.code() })
    };
    match effect {
        Effect::Reopens => becomes(State::Reopened),
        Effect::Confirms => becomes(State::Closed),
        Effect::FollowsUp => match form {
            Some(form) if form.grants_access || form.makes_more() => {
                Err(Unfit::OwnRequest { form: form.id.to_string() })
            }
            Some(_) => Ok(effect),
            None => Err(Unfit::NoForm),
        },
        Effect::Kept | Effect::IsNoted | Effect::Refused => Ok(effect),
    }
}

/// The first answer that does not pass, or else the effect by policy.
pub fn combine(policy: Effect, given: &[Given<Option<Effect>>]) -> WordsVerdict {
    let first = given.iter().find_map(|given| Some((given.answer.flatten()?, By::rule(given))));
    let (value, by) = first.unwrap_or((policy, By::RequestType));
    let unanswered = given.iter().filter(|given| given.answer.is_none()).map(|given| given.rule.clone());
    WordsVerdict { effect: Decided { value, by }, unanswered: unanswered.collect() }
}

impl WordsVerdict {
    /// The same where what a rule decided could not be done: the effect is the policy's.
    #[must_use]
    pub fn undone(self, policy: Effect) -> WordsVerdict {
        let WordsVerdict { effect, mut unanswered } = self;
        if let By::Rule { rule, .. } = effect.by {
            unanswered.push(rule);
        }
        WordsVerdict { effect: Decided { value: policy, by: By::RequestType }, unanswered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, answer: Option<Option<Effect>>) -> Given<Option<Effect>> {
        let rule = RuleRef { name: name.to_owned(), version: "1.0.0".to_owned() };
        Given { rule, reason: "because".to_owned(), overrides: false, answer }
    }

    fn said(all: &[Given<Option<Effect>>]) -> (Effect, String, Vec<String>) {
        let WordsVerdict { effect, unanswered } = combine(Effect::Reopens, all);
        let by = match effect.by {
            By::Rule { rule, .. } => rule.name,
            other => format!("{other:?}"),
        };
        (effect.value, by, unanswered.into_iter().map(|rule| rule.name).collect())
    }

    #[test]
    fn the_first_answer_that_does_not_pass_wins_and_none_leaves_it_to_the_policy() {
        let (pass, keep) = (given("a", Some(None)), given("b", Some(Some(Effect::Kept))));
        let (follow_up, failed) = (given("c", Some(Some(Effect::FollowsUp))), given("d", None));
        let policy = || "RequestType".to_owned();
        assert_eq!(said(&[]), (Effect::Reopens, policy(), vec![]));
        assert_eq!(said(std::slice::from_ref(&pass)), (Effect::Reopens, policy(), vec![]));
        let all = [pass.clone(), keep.clone(), follow_up.clone()];
        assert_eq!(said(&all), (Effect::Kept, "b".to_owned(), vec![]));
        assert_eq!(said(&[follow_up.clone(), keep]), (Effect::FollowsUp, "c".to_owned(), vec![]));
        assert_eq!(said(&[failed.clone(), pass]), (Effect::Reopens, policy(), vec!["d".to_owned()]));
        assert_eq!(said(&[failed, follow_up]), (Effect::FollowsUp, "c".to_owned(), vec!["d".to_owned()]));
    }

    #[test]
    fn what_cannot_be_done_is_the_policys_and_says_whose_word_it_was() {
        let verdict = combine(Effect::Reopens, &[given("c", Some(Some(Effect::FollowsUp)))]).undone(Effect::IsNoted);
        assert_eq!((verdict.effect.value, verdict.effect.by), (Effect::IsNoted, By::RequestType));
        assert_eq!(verdict.unanswered.len(), 1);
    }

    #[test]
    fn no_rule_does_what_the_table_of_transitions_does_not_have() {
        for state in State::ALL {
            let is_resolved = state == State::Resolved;
            assert_eq!(check(Effect::Reopens, state, None).is_ok(), is_resolved, "{state}");
            assert_eq!(check(Effect::Confirms, state, None).is_ok(), is_resolved, "{state}");
            assert_eq!(check(Effect::Kept, state, None), Ok(Effect::Kept));
        }
        let refused = check(Effect::Reopens, State::Closed, None).unwrap_err().to_string();
        assert!(refused.starts_with("a ticket that is closed cannot become reopened"), "{refused}");
        assert!(check(Effect::FollowsUp, State::Closed, None).is_err(), "its form is gone");
    }
}
