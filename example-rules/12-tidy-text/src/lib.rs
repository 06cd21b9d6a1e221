//! # tidy-text
//!
//! Cleans subject and body, and notices a submission that seems to repeat a recent ticket of the same requester.
//!
//! The subject loses reply prefixes and superfluous white space; an empty one is filled from the body's first line. The
//! body loses white space at the ends of lines and runs of empty lines. If the subject shares enough words with a recent
//! ticket, the submission is accepted all the same: it gets a hint for agents and a signal for later rules.
//!
//! | setting | meaning |
//! |---|---|
//! | `prefixes` | words that mail programs put before a colon, such as `re` |
//! | `subject-chars-max` | longer subjects are cut to so many characters |
//! | `no-subject` | the subject where the body is empty too |
//! | `duplicate-hours` | how far back a ticket counts as recent; 0 looks for none |
//! | `duplicate-percent` | how many of the words of both subjects have to be the same |
//! | `ended-states` | states of tickets that nobody repeats |
//! | `signal` | the signal for a likely duplicate |

use ruledesk_sdk::export;
use ruledesk_sdk::intake::{self, Answer, Changes, Input, RecentTicket};
use ruledesk_sdk::text::{Words, cut, lower, squeeze};
use serde::Deserialize;

const HOUR_MS: u64 = 3_600_000;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TidyText {
    prefixes: Vec<String>,
    subject_chars_max: usize,
    no_subject: String,
    duplicate_hours: u64,
    duplicate_percent: usize,
    ended_states: Vec<String>,
    signal: String,
}

impl intake::Rule for TidyText {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        for prefix in &mut self.prefixes {
            *prefix = lower(prefix);
        }
        match self.duplicate_percent {
            1..=100 => Ok(()),
            _ => Err(vec!["`duplicate-percent` must be from 1 to 100".to_owned()]),
        }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        let body = tidy_lines(&input.ticket.body);
        let subject = self.subject(&input.ticket.subject, &body);
        let mut changes = Changes::none();
        let mut reason = "subject and body are tidy".to_owned();
        if let Some(duplicate) = self.duplicate(&subject, input) {
            reason = format!("the subject is like that of {}", duplicate.key);
            changes.duplicate_of = Some(duplicate.key.clone());
            changes.signals.push(self.signal.clone());
        }
        changes.subject = (subject != input.ticket.subject).then_some(subject);
        changes.body = (body != input.ticket.body).then_some(body);
        Ok(Answer::accept_with(changes).because(reason))
    }
}

impl TidyText {
    fn subject(&self, subject: &str, body: &str) -> String {
        let mut tidy = self.without_prefixes(&squeeze(subject)).to_owned();
        if tidy.is_empty() {
            tidy = squeeze(body.lines().next().unwrap_or_default());
        }
        if tidy.is_empty() {
            tidy.clone_from(&self.no_subject);
        }
        cut(&tidy, self.subject_chars_max).trim_end().to_owned()
    }

    /// Takes off `Re:`, `Fwd: AW:` and the like, but never everything before a colon.
    fn without_prefixes<'a>(&self, mut subject: &'a str) -> &'a str {
        while let Some((before, after)) = subject.split_once(':') {
            // Some programs count: `Re[2]:`.
            let word = before.split('[').next().unwrap_or(before).trim();
            if !self.prefixes.contains(&lower(word)) {
                break;
            }
            subject = after.trim_start();
        }
        subject
    }

    /// The newest recent ticket with nearly the same subject.
    fn duplicate<'a>(&self, subject: &str, input: &'a Input) -> Option<&'a RecentTicket> {
        let since = input.now.at.saturating_sub(self.duplicate_hours.saturating_mul(HOUR_MS));
        let wanted = distinct_words(subject);
        input.recent.iter().find(|recent| {
            let seen = distinct_words(self.without_prefixes(&squeeze(&recent.subject)));
            recent.created_at > since
                && recent.request_type == input.ticket.request_type
                && !self.ended_states.contains(&recent.state)
                && alike_percent(&wanted, &seen) >= self.duplicate_percent
        })
    }
}

fn distinct_words(text: &str) -> Vec<String> {
    let mut distinct = Vec::new();
    for word in Words::of(text).iter() {
        if !distinct.iter().any(|seen| seen == word) {
            distinct.push(word.to_owned());
        }
    }
    distinct
}

/// How many of the words of both are common to them, in per cent.
fn alike_percent(a: &[String], b: &[String]) -> usize {
    let common = a.iter().filter(|word| b.contains(word)).count();
    (common * 100).checked_div(a.len() + b.len() - common).unwrap_or(0)
}

fn tidy_lines(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty_lines = 0;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        if !tidy.is_empty() {
            tidy.push_str(if empty_lines > 0 { "\n\n" } else { "\n" });
        }
        empty_lines = 0;
        tidy.push_str(line);
    }
    tidy
}

export!(TidyText: intake);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::testing;

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");

    fn shipped() -> TidyText {
        testing::shipped(SHIPPED)
    }

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<TidyText>(SHIPPED), Ok(6));
    }

    #[test]
    fn only_known_prefixes_go() {
        let rule = shipped();
        assert_eq!(rule.subject(" RE: Fwd:  AW[3]: Printer:  jam ", ""), "Printer: jam");
        assert_eq!(rule.subject("Re:", "  first line \nsecond"), "first line");
        assert_eq!(rule.subject("Re:", " \n"), "(no subject)");
    }

    #[test]
    fn long_subjects_are_cut_between_characters() {
        assert_eq!(shipped().subject(&"é".repeat(500), "").chars().count(), 160);
    }

    #[test]
    fn lines_are_trimmed_and_gaps_closed() {
        assert_eq!(tidy_lines("\r\n a  \r\n\r\n\n\n b\t\n\n"), " a\n\n b");
        assert_eq!(tidy_lines(""), "");
    }

    #[test]
    fn likeness_counts_words() {
        let percent = |a, b| alike_percent(&distinct_words(a), &distinct_words(b));
        assert_eq!(percent("VPN is down", "vpn down is!"), 100);
        assert_eq!(percent("vpn is down", "wifi is down"), 50);
        assert_eq!(percent("", ""), 0);
    }
}
