//! # keyword-category
//!
//! Categorizes by words and phrases that stand in the subject or the body.
//!
//! Each category's score is its bias plus the weights of its keywords that stand in the ticket, each counted once however
//! often it stands there. The category with the highest score wins if the score reaches `threshold` and leads the second
//! by `margin`; otherwise the rule has no opinion about the category. Tags are added in any case.
//!
//! | setting | meaning |
//! |---|---|
//! | `threshold` | the least score that decides |
//! | `margin` | the least lead over the second category |
//! | `categories.ID.bias` | the score without any keyword; 0 unless given |
//! | `categories.ID.keywords` | words, or phrases of two words, with their weights; capitals do not matter |
//! | `tags.ID` | words or phrases any of which adds the tag |
//!
//! Weights are whole numbers and may be negative. Scores appear in the decision's record.

use std::collections::BTreeMap;

use ruledesk_sdk::categorization::{self, Answer, Input};
use ruledesk_sdk::export;
use ruledesk_sdk::index::Index;
use ruledesk_sdk::text::Words;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KeywordCategory {
    threshold: i32,
    margin: i32,
    categories: BTreeMap<String, Category>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
    /// What is known of each word and of each pair of words.
    #[serde(skip)]
    places: Index<Place>,
    #[serde(skip)]
    keywords: Vec<Keyword>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Category {
    #[serde(default)]
    bias: i32,
    #[serde(default)]
    keywords: BTreeMap<String, i32>,
}

#[derive(Clone, Copy, Default)]
struct Place {
    /// The place of the keyword in `keywords`, if this is one.
    keyword: Option<usize>,
    /// Whether a keyword of two words begins with it.
    begins_pair: bool,
}

struct Keyword {
    text: String,
    effects: Vec<Effect>,
}

/// What the presence of a keyword does. Categories and tags are named by their place in the settings.
#[derive(Clone, Copy)]
enum Effect {
    Weight { category: usize, weight: i32 },
    Tag(usize),
}

impl categorization::Rule for KeywordCategory {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        let (places, keywords) = (&mut self.places, &mut self.keywords);
        let mut problems = Vec::new();
        let mut learn = |keyword: &str, effect| {
            let (words, next) = (Words::of(keyword), keywords.len());
            let text = match words.len() {
                1 => words.iter().next(),
                2 => words.pair(0),
                _ => None,
            };
            let Some(text) = text.map(str::to_owned) else {
                problems.push(format!("the keyword `{keyword}` must have one or two words"));
                return;
            };
            if words.len() == 2 {
                let first = words.iter().next().unwrap_or_default();
                places.entry(first.to_owned()).or_default().begins_pair = true;
            }
            let place = *places.entry(text.clone()).or_default().keyword.get_or_insert(next);
            match keywords.get_mut(place) {
                Some(keyword) => keyword.effects.push(effect),
                None => keywords.push(Keyword { text, effects: vec![effect] }),
            }
        };
        for (category, settings) in self.categories.values().enumerate() {
            for (keyword, &weight) in &settings.keywords {
                learn(keyword, Effect::Weight { category, weight });
            }
        }
        for (tag, keywords) in self.tags.values().enumerate() {
            keywords.iter().for_each(|keyword| learn(keyword, Effect::Tag(tag)));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let mut scores: Vec<i32> = self.categories.values().map(|c| c.bias).collect();
        let mut tagged = vec![false; self.tags.len()];
        let mut because = Vec::new();
        for keyword in self.present(&[&input.ticket.subject, &input.ticket.body]) {
            for effect in &keyword.effects {
                match *effect {
                    Effect::Weight { category, weight } => {
                        because.push((category, weight, keyword.text.as_str()));
                        if let Some(score) = scores.get_mut(category) {
                            *score = score.saturating_add(weight);
                        }
                    }
                    Effect::Tag(tag) => tagged.iter_mut().skip(tag).take(1).for_each(|t| *t = true),
                }
            }
        }
        let tags: Vec<&String> =
            self.tags.keys().zip(tagged).filter_map(|(tag, stands)| stands.then_some(tag)).collect();
        let answer = match self.winner(&scores, &because) {
            Ok(answer) => answer,
            Err(unclear) if tags.is_empty() => return Ok(Answer::pass(unclear)),
            Err(unclear) => Answer::tags_only().because(unclear),
        };
        Ok(tags.into_iter().fold(answer, Answer::tag))
    }
}

impl KeywordCategory {
    /// The keywords that stand in these texts, each once. No phrase reaches from one text into the next.
    fn present(&self, texts: &[&str]) -> Vec<&Keyword> {
        let mut seen = vec![false; self.keywords.len()];
        let mut present = Vec::new();
        for text in texts {
            let words = Words::of(text);
            // A pair counts when its second word is reached, after that word itself.
            let mut before = None;
            for (at, word) in words.iter().enumerate() {
                let place = self.places.get(word).copied().unwrap_or_default();
                let pair = before.and_then(|before| self.places.get(words.pair(before)?)?.keyword);
                for place in [place.keyword, pair].into_iter().flatten() {
                    if seen.get_mut(place).is_some_and(|seen| !std::mem::replace(seen, true)) {
                        present.extend(self.keywords.get(place));
                    }
                }
                before = place.begins_pair.then_some(at);
            }
        }
        present
    }

    /// The category that reaches the threshold and leads by the margin; or why there is none.
    fn winner(&self, scores: &[i32], because: &[(usize, i32, &str)]) -> Result<Answer, String> {
        let nothing = || "no keyword stands in the text".to_owned();
        let ranked = best(scores);
        let (at, score) = ranked.first().copied().ok_or_else(nothing)?;
        let (second_at, second) = ranked.get(1).copied().unwrap_or((at, i32::MIN));
        let name = |at: usize| self.categories.keys().nth(at).map_or("", String::as_str);
        let is_clear = score.saturating_sub(second) >= self.margin;
        if because.is_empty() && (score < self.threshold || !is_clear) {
            return Err(nothing());
        }
        if score < self.threshold {
            return Err(format!("what the text speaks of is too little for {}", name(at)));
        }
        if !is_clear {
            return Err(format!("the text speaks as much of {} as of {}", name(at), name(second_at)));
        }
        let strongest = telling(because, at, second_at);
        let reason = match strongest.as_slice() {
            [] => format!("no keyword speaks against {}", name(at)),
            strongest => format!("the text speaks of {}", strongest.join(", ")),
        };
        Ok(Answer::category(name(at)).because(reason).attribute("score", score.to_string()))
    }
}

/// The keywords that speak most for one category against another: those that speak for both alike say nothing.
fn telling<'a>(because: &[(usize, i32, &'a str)], at: usize, second_at: usize) -> Vec<&'a str> {
    const MOST: usize = 3;
    let against = |text: &str| {
        let other = because.iter().find(|(category, _, other)| *category == second_at && *other == text);
        other.filter(|_| second_at != at).map_or(0, |(_, weight, _)| *weight)
    };
    let own = because.iter().filter(|(category, weight, _)| *category == at && *weight > 0);
    let mut leads: Vec<(i32, &str)> = own
        .map(|(_, weight, text)| (weight.saturating_sub(against(text)), *text))
        .filter(|(lead, _)| *lead > 0)
        .collect();
    leads.sort_by_key(|(lead, _)| std::cmp::Reverse(*lead));
    leads.into_iter().take(MOST).map(|(_, text)| text).collect()
}

/// The places of the two highest scores (of equals the first), with them.
fn best(scores: &[i32]) -> Vec<(usize, i32)> {
    let mut ranked: Vec<(usize, i32)> = scores.iter().copied().enumerate().collect();
    ranked.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    ranked.truncate(2);
    ranked
}

export!(KeywordCategory: categorization);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::categorization::{Decision, Rule};
    use ruledesk_sdk::testing::{self, categorization_input, person, ticket};

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");
    const SETTINGS: &str = r#"
        threshold = 2
        margin = 2
        [categories.a.keywords]
        printer = 3
        "paper jam" = 2
        [categories.b.keywords]
        paper = 2
        [tags]
        printer = ["printer", "toner"]
    "#;

    fn category(subject: &str, body: &str) -> Option<String> {
        let rule = testing::rule::<KeywordCategory>(SETTINGS);
        let input = categorization_input(ticket("incident").subject(subject).body(body), person("amara"));
        match rule.decide(&input).unwrap().decision {
            Decision::Classify(classification) => classification.category,
            Decision::Pass => None,
        }
    }

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<KeywordCategory>(SHIPPED), Ok(5));
    }

    #[test]
    fn a_keyword_counts_once_and_capitals_do_not_matter() {
        assert_eq!(category("PRINTER", "printer"), Some("a".to_owned()));
        assert_eq!(category("paper, paper, paper", ""), Some("b".to_owned()));
        // 3 against 2: the lead is too small.
        assert_eq!(category("paper in the printer", ""), None);
    }

    #[test]
    fn nothing_found_and_two_alike_are_told_apart() {
        let rule = testing::rule::<KeywordCategory>(SETTINGS);
        let reason = |subject: &str| {
            let input = categorization_input(ticket("incident").subject(subject), person("amara"));
            rule.decide(&input).unwrap().reason
        };
        assert_eq!(reason("hello"), "no keyword stands in the text");
        assert_eq!(reason("paper in the printer"), "the text speaks as much of a as of b");
        assert_eq!(reason("printer: paper jam"), "the text speaks of printer, paper jam");
    }

    #[test]
    fn phrases_need_neighbours_in_one_text() {
        assert_eq!(category("printer: paper jam", ""), Some("a".to_owned()));
        assert_eq!(category("paper", "jam"), Some("b".to_owned()));
    }

    #[test]
    fn the_learned_settings_tell_topics_apart() {
        let rule = testing::shipped::<KeywordCategory>(include_str!("../endava.toml"));
        let category = |body| {
            let input = categorization_input(ticket("incident").body(body), person("amara"));
            rule.decide(&input).unwrap().decision
        };
        let password = category("password expired please reset access to account");
        let order = category("purchase order po for new items");
        assert!(matches!(password, Decision::Classify(c) if c.category.as_deref() == Some("access")));
        assert!(matches!(order, Decision::Classify(c) if c.category.as_deref() == Some("purchase")));
    }

    #[test]
    fn a_phrase_of_three_words_is_refused() {
        let wrong = "threshold = 1\nmargin = 0\n[categories.a.keywords]\n\"a b c\" = 1\n\"-\" = 2";
        assert_eq!(testing::try_rule::<KeywordCategory>(wrong).err().unwrap().len(), 2);
    }
}
