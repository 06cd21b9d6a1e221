//! The reference rule in Rust. What it does, and why it makes no sense, is in `tests/conformance/README.md`.

use std::collections::BTreeMap;

use canonical::{Canonical, digest};
use ruledesk_sdk::access::{self, ApprovalPlan, ApprovalStep, Scope};
use ruledesk_sdk::intake::{self, Changes, Problem};
use ruledesk_sdk::types::{Attribute, Field, Moment, Person, Ticket, Value};
use ruledesk_sdk::{categorization, closing, export, log, priority, routing, tables};
use settings::{Json, Settings};
use words::{clock, drift, is_day, squeeze, united};

mod canonical;
mod settings;
mod words;

/// The rule: its settings as given until `prepare`, as read after it.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub struct Reference {
    given: BTreeMap<String, Json>,
    #[serde(skip)]
    settings: Settings,
}

/// What every stage works out first.
struct Begun {
    attributes: Vec<Attribute>,
    row: Option<tables::Row>,
}

impl Reference {
    fn begin(
        &self,
        stage: &str,
        input: &dyn Canonical,
        now: &Moment,
        ticket: &Ticket,
        requester: &Person,
    ) -> Result<Begun, String> {
        let row = tables::lookup(&self.settings.table, &requester.id);
        let text = input.text();
        let digest = digest(&text);
        log::info(&format!("{stage} {digest}"));
        if ticket.subject.is_empty() {
            log::warn("no subject");
        }
        if self.settings.trace {
            log::debug(&text);
        }
        if ticket.has_tag("fail") {
            log::error("giving up");
            return Err(format!("asked to fail: {}", ticket.subject));
        }
        let attributes = vec![
            Attribute::new("digest", digest),
            Attribute::new("clock", clock(now)),
            Attribute::new("drift", drift(now).to_string()),
            Attribute::new("row", row.as_ref().map_or_else(|| "none".to_owned(), |row| row.columns().text())),
        ];
        Ok(Begun { attributes, row })
    }

    /// The words that a ticket mentions.
    fn mentioned(&self, ticket: &Ticket) -> Vec<String> {
        let text = format!("{} {}", ticket.subject, ticket.body).to_ascii_lowercase();
        united(self.settings.words.iter().filter(|word| text.contains(word.as_str())))
    }

    fn changed(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(squeeze(text)),
            Value::Number(number) => {
                let product = number * self.settings.factor;
                Value::Number(if product.is_finite() { product } else { *number })
            }
            Value::Flag(flag) => Value::Flag(!flag),
            Value::Date(date) => Value::Date(date.clone()),
            Value::Choice(choice) => Value::Choice(choice.to_ascii_lowercase()),
            Value::Choices(choices) => {
                let mut sorted = choices.clone();
                sorted.sort();
                Value::Choices(sorted)
            }
        }
    }

    fn changes(&self, input: &intake::Input) -> Changes {
        let ticket = &input.ticket;
        let mut changes = Changes::none();
        changes.subject = Some(squeeze(&ticket.subject)).filter(|subject| *subject != ticket.subject);
        changes.body = ticket
            .body
            .char_indices()
            .nth(self.settings.body_max)
            .map(|(at, _)| format!("{}…", ticket.body.get(..at).unwrap_or_default()));
        changes.fields = ticket
            .fields
            .iter()
            .map(|field| Field { name: field.name.clone(), value: self.changed(&field.value) })
            .collect();
        changes.tags = self.mentioned(ticket).first().map(|word| format!("mentions-{word}")).into_iter().collect();
        if input.submitted_by != input.requester.id {
            changes.signals.push("on-behalf".to_owned());
        }
        if !ticket.attachments.is_empty() {
            let size = ticket.attachments.iter().fold(0_u64, |sum, attachment| sum.saturating_add(attachment.size));
            changes.signals.push(format!("size-{size}"));
        }
        let words = |subject: &str| squeeze(subject).to_ascii_lowercase();
        let repeated = input.recent.iter().find(|recent| {
            recent.request_type == ticket.request_type
                && words(&recent.subject) == words(&ticket.subject)
                && recent.state != "closed"
                && input.now.at.checked_sub(recent.created_at).is_some_and(|age| age <= 604_800_000)
        });
        changes.duplicate_of = repeated.map(|recent| recent.key.clone());
        changes
    }
}

fn problem(field: &Field) -> Option<Problem> {
    let name = &field.name;
    match &field.value {
        Value::Text(text) if text.is_empty() => Some(Problem::new(name, "empty", format!("`{name}` is empty"))),
        Value::Date(date) if !is_day(date) => Some(Problem::new(name, "date", format!("`{date}` is no day"))),
        Value::Choices(choices) => {
            let twice = choices.iter().enumerate().find(|(at, choice)| choices.iter().take(*at).any(|c| c == *choice));
            twice.map(|(_, choice)| Problem::new(name, "twice", format!("`{choice}` is chosen twice")))
        }
        _ => None,
    }
}

impl intake::Rule for Reference {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        self.settings = settings::read(&self.given)?;
        Ok(())
    }

    fn decide(&self, input: &intake::Input) -> Result<intake::Answer, String> {
        let mut begun = self.begin("intake", input, &input.now, &input.ticket, &input.requester)?;
        let header = input.headers.iter().find(|header| header.name == "message-id");
        begun.attributes.push(Attribute::new("header", header.map_or("", |header| &header.value)));
        let problems: Vec<Problem> = input.ticket.fields.iter().filter_map(problem).collect();
        let (decision, reason) = if problems.is_empty() {
            (intake::Decision::Accept(self.changes(input)), format!("accepted at {}", clock(&input.now)))
        } else {
            let reason = format!("problems: {}", problems.len());
            (intake::Decision::Reject(problems), reason)
        };
        Ok(intake::Answer { decision, reason, attributes: begun.attributes })
    }
}

impl categorization::Rule for Reference {
    fn decide(&self, input: &categorization::Input) -> Result<categorization::Answer, String> {
        use categorization::{Answer, Classification, Decision};
        let begun = self.begin("categorization", input, &input.now, &input.ticket, &input.requester)?;
        let (decision, reason) = if let Some(word) = self.mentioned(&input.ticket).first() {
            let tags = united(input.ticket.tags.iter().chain(&input.so_far.tags).chain([word]));
            let kind = (!input.now.in_business_hours).then(|| "incident".to_owned());
            let category = Some(self.settings.category.clone());
            (Decision::Classify(Classification { category, tags, kind }), format!("it mentions {word}"))
        } else if input.requester.vip {
            let kind = Some(input.so_far.kind.clone());
            let only_kind = Classification { category: None, tags: Vec::new(), kind };
            (Decision::Classify(only_kind), "only the kind".to_owned())
        } else {
            (Decision::Pass, "nothing to say".to_owned())
        };
        Ok(Answer { decision, reason, attributes: begun.attributes })
    }
}

impl priority::Rule for Reference {
    fn decide(&self, input: &priority::Input) -> Result<priority::Answer, String> {
        use priority::{Answer, Decision, Rating};
        let mut begun = self.begin("priority", input, &input.now, &input.ticket, &input.requester)?;
        let mut numbers = 0;
        let mut sum = 0.0;
        for field in &input.ticket.fields {
            if let Value::Number(number) = field.value {
                numbers += 1;
                sum += number;
            }
        }
        let x = sum * self.settings.factor;
        let score = match x {
            x if x >= 1_000_000.0 => 1_000_000,
            x if x > -1_000_000.0 => (x + 0.5).floor() as i32,
            _ => -1_000_000,
        };
        begun.attributes.push(Attribute::new("score", score.to_string()));
        let (decision, reason) = if numbers == 0 && self.mentioned(&input.ticket).is_empty() {
            (Decision::Pass, "nothing to rate".to_owned())
        } else {
            let level = match score {
                100.. => "critical",
                10.. => &self.settings.level,
                _ => "low",
            };
            let (impact, urgency) = (input.so_far.urgency.clone(), input.so_far.impact.clone());
            (Decision::Rate(Rating { impact, urgency, level: level.to_owned() }), format!("score {score}"))
        };
        Ok(Answer { decision, reason, attributes: begun.attributes })
    }
}

impl routing::Rule for Reference {
    fn decide(&self, input: &routing::Input) -> Result<routing::Answer, String> {
        use routing::{Answer, Decision, Destination};
        let begun = self.begin("routing", input, &input.now, &input.ticket, &input.requester)?;
        let team = begun.row.as_ref().and_then(|row| row.get("team")).unwrap_or(&self.settings.team);
        let manager = input.so_far.assignee.as_ref().filter(|who| input.requester.managers.contains(who));
        let nothing = Destination { team: None, assignee: None, skills: Vec::new(), strategy: None, tier: None };
        let (decision, reason) = if input.so_far.team.as_deref() == Some(team) {
            (Decision::Pass, "it is there already".to_owned())
        } else if let Some(manager) = manager {
            let destination = Destination { assignee: Some(manager.clone()), tier: Some(255), ..nothing };
            (Decision::Assign(destination), "a manager has it".to_owned())
        } else {
            let destination = Destination {
                team: Some(team.to_owned()),
                skills: self.mentioned(&input.ticket),
                strategy: (input.now.weekday >= 6).then(|| "least-loaded".to_owned()),
                tier: u8::try_from(input.ticket.tags.len() % 255 + 1).ok(),
                ..nothing
            };
            (Decision::Assign(destination), format!("{team} at {}", clock(&input.now)))
        };
        Ok(Answer { decision, reason, attributes: begun.attributes })
    }
}

impl access::Rule for Reference {
    fn decide(&self, input: &access::Input) -> Result<access::Answer, String> {
        use access::{Answer, Decision};
        let mut begun = self.begin("access", input, &input.now, &input.ticket, &input.requester)?;
        let at = input.now.at;
        let in_force = input.grants.iter().filter(|grant| {
            grant.state == "active" && grant.app == input.request.app && grant.granted_at <= at && grant.expires_at > at
        });
        let remaining = in_force.map(|grant| grant.expires_at - at).max();
        let history = &input.history;
        let total: u64 =
            [history.requested, history.approved, history.denied, history.revoked].into_iter().map(u64::from).sum();
        let share = input.peers.share();
        begun.attributes.push(Attribute::new("remaining", remaining.unwrap_or(0).to_string()));
        begun.attributes.push(Attribute::new("history", total.to_string()));
        begun.attributes.push(Attribute::new("share", share.text()));

        let longest = input.item.max_duration_hours;
        let mut groups = united(input.item.groups.iter().chain(&input.request.groups));
        groups.sort();
        let scope = Scope {
            tier: input.request.tier.clone(),
            role: input.request.role.clone(),
            groups,
            duration_hours: input.request.duration_hours.unwrap_or(longest).min(longest).min(self.settings.max_hours),
        };
        let (decision, reason) = if input.item.seats_left == Some(0) {
            (Decision::Deny, "no seats left".to_owned())
        } else if input.item.risk == "high" {
            let steps = steps(input);
            let reason = format!("approvals: {}", steps.len());
            (Decision::RequireApproval(ApprovalPlan { steps, scope }), reason)
        } else if (input.request.kind == "extend" && remaining.is_some()) || share >= 0.5 {
            (Decision::Approve(scope), "common or held".to_owned())
        } else {
            (Decision::Pass, "not common".to_owned())
        };
        Ok(Answer { decision, reason, attributes: begun.attributes })
    }
}

fn steps(input: &access::Input) -> Vec<ApprovalStep> {
    let alone = |manager: &String| ApprovalStep::any_of(vec![manager.clone()], 24);
    let mut steps: Vec<ApprovalStep> = input.subject.managers.iter().map(alone).collect();
    if let Some(owner) = &input.item.owner {
        let approvers = vec![owner.clone(), format!("group:{}", input.item.app)];
        let due_in_hours = input.item.max_duration_hours.saturating_mul(2);
        steps.push(ApprovalStep { approvers, needed: 2, due_in_hours });
    }
    if steps.is_empty() {
        steps.push(ApprovalStep::any_of(vec!["group:desk".to_owned()], 4));
    }
    steps
}

impl closing::Rule for Reference {
    fn decide(&self, input: &closing::Input) -> Result<closing::Answer, String> {
        use closing::{Answer, Decision};
        let mut begun = self.begin("closing", input, &input.now, &input.ticket, &input.requester)?;
        let said = &input.words;
        let kept = squeeze(&said.text);
        let sizes = said.attachments.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        begun.attributes.push(Attribute::new("characters", kept.chars().count().to_string()));
        begun.attributes.push(Attribute::new("files", sizes.to_string()));
        let text = said.text.to_ascii_lowercase();
        let word = self.settings.words.iter().find(|word| text.contains(word.as_str()));
        let days = input.resolution.days_since;
        let (decision, reason) = if kept.is_empty() {
            (Decision::Pass, "no words".to_owned())
        } else if let Some(word) = word {
            let decision = if input.is_closed() { Decision::FollowUp } else { Decision::Reopen };
            (decision, format!("it mentions {word}"))
        } else if input.resolution.resolved_by.as_ref() == Some(&input.requester.id) {
            (Decision::Keep, "their own".to_owned())
        } else if days < self.settings.max_hours {
            (Decision::Confirm, format!("after {days} days"))
        } else {
            (Decision::Pass, format!("reopened {} times", input.reopened))
        };
        Ok(Answer { decision, reason, attributes: begun.attributes })
    }
}

export!(Reference: intake, categorization, priority, routing, access, closing);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::testing;

    use super::*;

    /// Their digests are of whole inputs, and a desk asks the same examples: so both fill in the same.
    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<Reference>(include_str!("../rule.toml")), Ok(12));
    }
}
