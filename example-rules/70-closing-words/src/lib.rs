//! # closing-words
//!
//! Says what becomes of the words that a requester writes on a ticket that was resolved.
//!
//! A text that says that it broke again reopens the ticket at once, or opens another where it is closed. One that says nothing but
//! thanks is kept; one that says nothing but that it works, and thanks perhaps, confirms the resolution. Words that come late are
//! about something else: they open a ticket of their own. Everything else is for the policy of the request type to settle.
//!
//! | setting | meaning |
//! |---|---|
//! | `broken` | phrases that say that it broke again |
//! | `solved` | phrases that say that it works |
//! | `thanks` | words that thank |
//! | `courtesies` | words that may stand with them and say nothing by themselves |
//! | `follow-up-days` | from so many days after the resolution on, words open a ticket of their own |
//!
//! Capitals do not matter, and neither does what stands between the words of a phrase. A question is never mere courtesy.

use ruledesk_sdk::closing::{self, Answer, Input};
use ruledesk_sdk::export;
use ruledesk_sdk::index::Index;
use ruledesk_sdk::text::Words;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ClosingWords {
    broken: Vec<String>,
    solved: Vec<String>,
    thanks: Vec<String>,
    courtesies: Vec<String>,
    follow_up_days: u32,
    /// The phrases by their words.
    #[serde(skip)]
    phrases: Phrases,
    /// Every word of courtesy, and whether it thanks.
    #[serde(skip)]
    words: Index<bool>,
}

#[derive(Default)]
struct Phrases {
    broken: Vec<Vec<String>>,
    solved: Vec<Vec<String>>,
}

/// A text of nothing but courtesy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Courtesy {
    Thanks,
    Solved,
}

impl closing::Rule for ClosingWords {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        let mut split = |setting: &str, all: &[String]| {
            let split = |text: &String| -> Vec<String> { Words::of(text).iter().map(str::to_owned).collect() };
            let phrases: Vec<Vec<String>> = all.iter().map(split).collect();
            if phrases.iter().any(Vec::is_empty) {
                problems.push(format!("`{setting}` has a phrase without a word"));
            }
            phrases
        };
        let phrases = Phrases { broken: split("broken", &self.broken), solved: split("solved", &self.solved) };
        let (thanks, courtesies) = (split("thanks", &self.thanks), split("courtesies", &self.courtesies));
        for (phrases, thanks) in [(courtesies, false), (thanks, true)] {
            for word in phrases.into_iter().flatten() {
                self.words.insert(word, thanks);
            }
        }
        self.phrases = phrases;
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let said = Words::of(&input.words.text);
        let said: Vec<&str> = said.iter().collect();
        if let Some(phrase) = find(&said, &self.phrases.broken) {
            let answer = if input.is_closed() { Answer::follow_up() } else { Answer::reopen() };
            return Ok(answer.because(format!("it says `{}`", phrase.join(" "))));
        }
        let is_question = input.words.text.contains(['?', '？', '؟']);
        match self.courtesy(&said).filter(|_| !is_question) {
            Some(Courtesy::Solved) if !input.is_closed() => {
                return Ok(Answer::confirm().because("it says that it works, and nothing else"));
            }
            Some(_) => return Ok(Answer::keep().because("it asks for nothing")),
            None => {}
        }
        let days = input.resolution.days_since;
        if days >= self.follow_up_days {
            return Ok(Answer::follow_up().because(format!("it comes {days} days after the resolution")));
        }
        Ok(Answer::pass("the policy of the request type settles it"))
    }
}

impl ClosingWords {
    /// The courtesy of a text that has no word of anything else.
    fn courtesy(&self, said: &[&str]) -> Option<Courtesy> {
        let (mut left, mut thanks, mut solved) = (said, false, false);
        while let Some((word, rest)) = left.split_first() {
            if let Some(phrase) = begins(left, &self.phrases.solved) {
                solved = true;
                left = left.get(phrase.len()..).unwrap_or_default();
                continue;
            }
            thanks |= *self.words.get(*word)?;
            left = rest;
        }
        match (solved, thanks) {
            (true, _) => Some(Courtesy::Solved),
            (false, true) => Some(Courtesy::Thanks),
            (false, false) => None,
        }
    }
}

/// The first phrase that stands somewhere in a text.
fn find<'p>(said: &[&str], phrases: &'p [Vec<String>]) -> Option<&'p Vec<String>> {
    (0..said.len()).find_map(|at| begins(said.get(at..).unwrap_or_default(), phrases))
}

/// The longest phrase that a text begins with.
fn begins<'p>(said: &[&str], phrases: &'p [Vec<String>]) -> Option<&'p Vec<String>> {
    let stands =
        |phrase: &&Vec<String>| phrase.len() <= said.len() && phrase.iter().zip(said).all(|(word, said)| word == said);
    phrases.iter().filter(stands).max_by_key(|phrase| phrase.len())
}

export!(ClosingWords: closing);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::closing::{Decision, Rule};
    use ruledesk_sdk::testing;

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");

    fn decided(text: &str, days: u32) -> Decision {
        let rule: ClosingWords = testing::shipped(SHIPPED);
        let input = testing::closing_input(testing::ticket("incident"), testing::person("amara"), text, days);
        rule.decide(&input).unwrap().decision
    }

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<ClosingWords>(SHIPPED), Ok(9));
    }

    #[test]
    fn courtesy_is_nothing_but_courtesy() {
        for text in ["Thanks!", "MERCI beaucoup", "Teşekkürler", "谢谢", "Дякую за допомогу!", "Kiitos paljon"]
        {
            assert_eq!(decided(text, 0), Decision::Keep, "{text}");
        }
        for text in ["It works now.", "Super, es funktioniert wieder, danke!", "Thank you, solved"] {
            assert_eq!(decided(text, 0), Decision::Confirm, "{text}");
        }
        for text in ["", "ok", "Thanks?", "thanks, but the mouse is slow", "It works on the other laptop", "12"] {
            assert_eq!(decided(text, 0), Decision::Pass, "{text}");
        }
    }

    #[test]
    fn what_broke_again_comes_back_however_late_and_however_polite() {
        for text in ["Thanks, but it is down again", "Leider geht es immer noch nicht, danke", "It still does not work"]
        {
            assert_eq!((decided(text, 0), decided(text, 100)), (Decision::Reopen, Decision::Reopen), "{text}");
        }
    }

    #[test]
    fn a_phrase_without_words_is_named() {
        let refused = testing::try_rule::<ClosingWords>(
            "broken = [\"!\"]\nsolved = []\nthanks = []\ncourtesies = []\nfollow-up-days = 14",
        );
        assert_eq!(refused.err(), Some(vec!["`broken` has a phrase without a word".to_owned()]));
    }
}
