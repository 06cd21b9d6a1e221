//! A row's answer at intake. Several rows: all problems are sent back together; without one, all changes are made, and of
//! two that set the same thing the first stands.

use ruledesk_sdk::intake::{Answer, Changes, Problem};
use ruledesk_sdk::types::Value;

use super::{Answer as Reading, unite};
use crate::stage::Facts;
use crate::table::Chosen;
use crate::template::Template;
use crate::tree::Tree;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Then {
    reject: Vec<Rejected>,
    set: Vec<(String, Set)>,
    tags: Vec<String>,
    signals: Vec<String>,
    subject: Option<Template>,
    body: Option<Template>,
    duplicate_of: Option<Template>,
}

#[derive(Debug, Clone, PartialEq)]
struct Rejected {
    field: String,
    code: String,
    message: Template,
}

/// What a form field is set to.
#[derive(Debug, Clone, PartialEq)]
enum Set {
    Text(Template),
    Choice(String),
    Date(String),
    Plain(Value),
}

impl Then {
    pub fn read(answer: &mut Reading<'_>) -> Self {
        let then = Self {
            reject: rejected(answer),
            set: set(answer),
            tags: answer.texts("tags"),
            signals: answer.texts("signals"),
            subject: answer.template("subject"),
            body: answer.template("body"),
            duplicate_of: answer.template("duplicate-of"),
        };
        if !then.reject.is_empty() && then != (Self { reject: then.reject.clone(), ..Self::default() }) {
            answer.wrong("", "an answer either rejects or changes something: put the changes into another row");
        }
        then
    }
}

/// `reject = { FIELD = "message" }`, or `{ FIELD = { code = "...", message = "..." } }`.
fn rejected(answer: &mut Reading<'_>) -> Vec<Rejected> {
    let entries = match answer.get("reject") {
        None => return Vec::new(),
        Some(Tree::Table(entries)) if !entries.is_empty() => entries.clone(),
        Some(_) => {
            answer.wrong("reject", "it needs a sentence for each field, such as { device = \"Say which device\" }");
            return Vec::new();
        }
    };
    let mut all = Vec::new();
    for (field, value) in entries {
        let key = format!("reject.{field}");
        let message = value.get("message").unwrap_or(&value).text().unwrap_or_default();
        let code = value.get("code").map_or(Some("by-table"), Tree::text);
        match code.filter(|code| !code.is_empty() && !message.is_empty()) {
            Some(code) => {
                if let Some(message) = answer.filled(&key, message) {
                    all.push(Rejected { field, code: code.to_owned(), message });
                }
            }
            None => {
                answer.wrong(&key, "it needs a sentence for the requester, or { code = \"...\", message = \"...\" }")
            }
        }
    }
    all
}

fn set(answer: &mut Reading<'_>) -> Vec<(String, Set)> {
    let entries = match answer.get("set") {
        None => return Vec::new(),
        Some(Tree::Table(entries)) if !entries.is_empty() => entries.clone(),
        Some(_) => {
            answer.wrong("set", "it needs a value for each form field, such as { urgency = \"high\" }");
            return Vec::new();
        }
    };
    let mut all = Vec::new();
    for (field, value) in entries {
        let key = format!("set.{field}");
        let under = |key: &str| value.get(key).and_then(Tree::text).map(str::to_owned);
        let made = match &value {
            Tree::Text(text) => answer.filled(&key, text).map(Set::Text),
            Tree::Number(number) => Some(Set::Plain(Value::Number(*number))),
            Tree::Flag(flag) => Some(Set::Plain(Value::Flag(*flag))),
            Tree::List(_) => {
                value.texts().map(|texts| Set::Plain(Value::Choices(texts.into_iter().map(str::to_owned).collect())))
            }
            Tree::Table(_) => under("choice").map(Set::Choice).or_else(|| under("date").map(Set::Date)),
            Tree::Nothing => None,
        };
        match made {
            Some(made) => all.push((field, made)),
            None if matches!(value, Tree::Text(_)) => {}
            None => answer.wrong(
                &key,
                "it needs a text, a number, true or false, a list of texts, { choice = \"...\" } or { date = \"...\" }",
            ),
        }
    }
    all
}

pub fn decide(chosen: &Chosen<'_>, facts: &Facts<'_>) -> Answer {
    let mut problems: Vec<Problem> = Vec::new();
    let mut changes = Changes::none();
    for row in chosen.rows() {
        let super::Then::Intake(then) = &row.then else { continue };
        for wrong in &then.reject {
            if !problems.iter().any(|p| p.field == wrong.field && p.code == wrong.code) {
                problems.push(Problem::new(&wrong.field, &wrong.code, wrong.message.fill(facts)));
            }
        }
        for (name, value) in &then.set {
            if !changes.fields.iter().any(|field| field.name == *name) {
                changes.set_field(name, value.fill(facts));
            }
        }
        unite(&mut changes.tags, &then.tags);
        unite(&mut changes.signals, &then.signals);
        let fill = |template: &Option<Template>| template.as_ref().map(|t| t.fill(facts));
        changes.subject = changes.subject.or_else(|| fill(&then.subject));
        changes.body = changes.body.or_else(|| fill(&then.body));
        changes.duplicate_of = changes.duplicate_of.or_else(|| fill(&then.duplicate_of));
    }
    let answer = if problems.is_empty() { Answer::accept_with(changes) } else { Answer::reject(problems) };
    answer.because(chosen.reason(facts))
}

impl Set {
    fn fill(&self, facts: &Facts<'_>) -> Value {
        match self {
            Set::Text(template) => Value::Text(template.fill(facts)),
            Set::Choice(option) => Value::Choice(option.clone()),
            Set::Date(day) => Value::Date(day.clone()),
            Set::Plain(value) => value.clone(),
        }
    }
}
