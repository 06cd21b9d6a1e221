//! Recorded answers, proved: the version that gave each is asked again, with the exact input and the look-ups of then, and
//! must give the same answer or fault, write the same log and use the same fuel. Answers, faults and logs are the same on every
//! version of the WebAssembly runtime; fuel need not be, so it is compared where the run names this very engine.
//!
//! A call that the wall clock stopped, then or now, proves nothing, because time is the one thing that is not the same on
//! every day; nor does one for which the machine had no instance. Such calls are counted as not comparable. What the desk
//! itself made of an answer, for example that it names a team which does not exist, depends on the organisation of that day
//! and is not asked again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::versions::Versions;
use super::{Filter, Past, Spent, ask_patiently, replay};
use crate::app::record::part::Part;
use crate::app::record::read::ExactInput;
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::rules::run::call::{Called, Fault, limits_for};
use crate::rules::run::engine::ENGINE;
use crate::rules::run::examples::{Difference, compare, flat};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Answer, Input, Stage};
use crate::rules::tables::Tables;
use crate::store::rules::decisions::{RunTexts, StoredDecision};
use crate::store::rules::history::PastRun;

/// Findings that are told one by one; all are counted.
const FINDINGS_MAX: usize = 100;

/// What a verification came to.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// Stages of runs.
    pub decisions: u64,
    /// Rules' parts in them.
    pub answers: u64,
    pub same: u64,
    pub differing: u64,
    pub not_comparable: u64,
    /// Answers that another build of the desk, or another WebAssembly runtime, gave: their fuel is not compared.
    pub other_engine: u64,
    /// Answers of versions that the archive does not have, or not as they were.
    pub without_version: u64,
    /// Decisions whose record cannot be read.
    pub unreadable: u64,
    /// By rule and version: how many answers, and how many of them are the same.
    pub versions: BTreeMap<String, (u64, u64)>,
    /// What was found, by ticket; at most a hundred.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    pub spent: Spent,
}

/// Something that is not as it was recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    pub ticket: String,
    pub run: String,
    pub at: jiff::Timestamp,
    pub stage: String,
    /// Empty, as is the stage, where the whole record cannot be read.
    pub rule: String,
    pub version: String,
    pub component: String,
    pub what: What,
}

/// What is not as it was recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Differs(Vec<Difference>),
    NotComparable(String),
    NoVersion(String),
    Unreadable(String),
}

impl Verified {
    /// Whether everything that could be compared is as it was recorded.
    pub fn holds(&self) -> bool {
        self.differing == 0 && self.without_version == 0 && self.unreadable == 0
    }

    fn add(&mut self, other: Verified) {
        self.decisions += other.decisions;
        self.answers += other.answers;
        self.same += other.same;
        self.differing += other.differing;
        self.not_comparable += other.not_comparable;
        self.other_engine += other.other_engine;
        self.without_version += other.without_version;
        self.unreadable += other.unreadable;
        self.spent.add(other.spent);
        for (version, (answers, same)) in other.versions {
            let sum = self.versions.entry(version).or_default();
            *sum = (sum.0 + answers, sum.1 + same);
        }
        let room = FINDINGS_MAX.saturating_sub(self.findings.len());
        self.findings.extend(other.findings.into_iter().take(room));
    }

    fn found(&mut self, finding: Finding) {
        match &finding.what {
            What::Differs(_) => self.differing += 1,
            What::NotComparable(_) => self.not_comparable += 1,
            What::NoVersion(_) => self.without_version += 1,
            What::Unreadable(_) => self.unreadable += 1,
        }
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// Asks recorded decisions again and compares; `progress` is told of each piece of work, by its number of answers.
///
/// # Errors
///
/// Where the store cannot be read. What does not compare is no error but a finding.
pub async fn verify(
    app: &Arc<App>,
    actor: &Actor,
    filter: Filter,
    mut progress: impl FnMut(u64),
) -> Result<Verified, Error> {
    permission::check_records(actor)?;
    let versions = Versions::new(Arc::clone(app));
    let mut verified = Verified::default();
    let work = move |runs: Vec<Past>| check_runs(&versions, &runs);
    replay(app, filter, false, work, |piece: Verified| {
        progress(piece.answers);
        verified.add(piece);
    })
    .await?;
    verified.findings.sort_by(|a, b| (&a.ticket, a.at, &a.run).cmp(&(&b.ticket, b.at, &b.run)));
    Ok(verified)
}

fn check_runs(versions: &Versions, runs: &[Past]) -> Verified {
    #[expect(clippy::disallowed_methods, reason = "measures the work; no decision depends on it")]
    let start = Instant::now();
    let mut verified = Verified::default();
    for Past { past, .. } in runs {
        match &past.run.recorded {
            Ok(texts) => {
                for decision in &texts.decisions {
                    check_decision(versions, past, texts, decision, &mut verified);
                }
            }
            Err(damage) if damage.is_deletion() => {
                verified.found(finding(past, What::NotComparable(damage.to_string())));
            }
            Err(damage) => verified.found(finding(past, What::Unreadable(damage.to_string()))),
        }
    }
    verified.spent.threads += start.elapsed();
    verified
}

/// A finding about a whole run.
fn finding(past: &PastRun, what: What) -> Finding {
    Finding {
        ticket: past.number.to_string(),
        run: past.run.id.to_string(),
        at: past.run.at,
        stage: String::new(),
        rule: String::new(),
        version: String::new(),
        component: String::new(),
        what,
    }
}

fn check_decision(
    versions: &Versions,
    past: &PastRun,
    texts: &RunTexts,
    decision: &StoredDecision,
    verified: &mut Verified,
) {
    let finding = |rule: &str, version: &str, component: &str, what: What| Finding {
        stage: decision.stage.clone(),
        rule: rule.to_owned(),
        version: version.to_owned(),
        component: component.to_owned(),
        ..finding(past, what)
    };
    verified.decisions += 1;
    let (input, parts) = match read(&decision.stage, &texts.common, &decision.input, &decision.rules) {
        Ok(whole) => whole,
        Err(message) => return verified.found(finding("", "", "", What::Unreadable(message))),
    };
    // What is older than the record of engines counts as this one's.
    let engine = texts.engine.as_str();
    let same_engine = [ENGINE, ""].contains(&engine);
    for part in &parts {
        let what = check_part(versions, &input, part, engine, &mut verified.spent);
        verified.other_engine += u64::from(!same_engine);
        let count = verified.versions.entry(format!("{} {}", part.rule, part.version)).or_default();
        *count = (count.0 + 1, count.1 + u64::from(what.is_none()));
        verified.answers += 1;
        match what {
            None => verified.same += 1,
            Some(what) => verified.found(finding(&part.rule, &part.version, &part.component, what)),
        }
    }
}

/// The exact input and the parts of a decision.
fn read<'a>(stage: &str, common: &'a str, own: &'a str, rules: &'a str) -> Result<(Input, Vec<Part<'a>>), String> {
    let stage: Stage = stage.parse().map_err(|error: crate::rules::run::stage::NotAStage| error.to_string())?;
    let input = ExactInput::of(common, own).and_then(|exact| exact.input(stage));
    let input = input.map_err(|error| format!("its input: {error}"))?;
    let parts = Part::all(rules).map_err(|error| format!("its rules: {error}"))?;
    Ok((input, parts))
}

/// Whether a part was stopped by a limit that earlier programs had and this one has not: its whole fault is what they wrote, and
/// nothing of it is the rule's own words.
fn is_of_old_limit(part: &Part<'_>, rule: &Rule, input: &Input) -> bool {
    let Some(fault) = part.fault.as_deref() else { return false };
    let limits = rule.manifest.limits;
    match part.outcome.as_ref() {
        "stopped" => is_old_stop(fault, limits.host_calls, &rule.manifest.tables),
        // It had no more fuel for a longer text.
        "out-of-fuel" => {
            limits_for(rule, input).fuel != limits.fuel && fault == Fault::OutOfFuel { fuel: limits.fuel }.to_string()
        }
        _ => false,
    }
}

/// Whether this is the whole text with which earlier programs stopped a rule for its host calls or for the length of a key.
fn is_old_stop(fault: &str, host_calls: u32, tables: &[String]) -> bool {
    let is = |stopped: String| fault == Fault::Stopped { message: stopped }.to_string();
    let too_long =
        |table: &String| is(format!("it looked something up in the table `{table}`, which has no key that is so long"));
    is(format!("it made more than {host_calls} host calls")) || tables.iter().any(too_long)
}

/// Asks the version of a part again; `None` where everything is the same.
fn check_part(versions: &Versions, input: &Input, part: &Part<'_>, engine: &str, spent: &mut Spent) -> Option<What> {
    if matches!(part.outcome.as_ref(), "deadline" | "not-started") {
        return Some(What::NotComparable(format!(
            "it was stopped then: {}",
            part.fault.as_deref().unwrap_or_default()
        )));
    }
    let rule = match versions.rule(&part.component, &part.manifest) {
        Ok(rule) => rule,
        Err(gone) => return Some(What::NoVersion(gone.to_string())),
    };
    if engine != ENGINE && is_of_old_limit(part, &rule, input) {
        return Some(What::NotComparable("a limit stopped it then that is there no longer".to_owned()));
    }
    let called = ask_patiently(&rule, input, &tables_of(part), spent);
    if let Err(fault @ (Fault::Deadline { .. } | Fault::NotStarted { .. })) = &called.result {
        return Some(What::NotComparable(format!("it was stopped now: {fault}")));
    }
    let differences = differences(input.stage(), part, &called, [ENGINE, ""].contains(&engine));
    (!differences.is_empty()).then_some(What::Differs(differences))
}

/// The tables as far as the rule looked into them, and as they were then.
pub fn tables_of(part: &Part<'_>) -> Arc<Tables> {
    if part.lookups.is_empty() {
        return Arc::default();
    }
    let found = part.lookups.iter().map(|l| (l.table.as_str(), l.key.as_str(), l.row.as_ref()));
    Arc::new(Tables::default().as_found(found))
}

fn differences(stage: Stage, part: &Part<'_>, called: &Called, same_engine: bool) -> Vec<Difference> {
    let mut out = said(stage, part, called);
    let mut differ = |path: &str, same: bool, expected: Json, got: Json| {
        if !same {
            out.push(Difference { path: path.to_owned(), expected, got });
        }
    };
    differ("fuel", !same_engine || part.fuel == called.fuel, json!(part.fuel), json!(called.fuel));
    let lines = part.log.iter().map(|line| (line.level, line.message.as_str()));
    let same = lines.eq(called.log.iter().map(|line| (line.level, line.message.as_str())));
    let log = part.log.iter().map(|line| json!({ "level": line.level, "message": line.message }));
    differ("log", same, Json::Array(log.collect()), json!(called.log));
    differ("log-cut", part.log_cut == called.log_cut, json!(part.log_cut), json!(called.log_cut));
    let lookups = part.lookups.iter().map(|l| (&l.table, &l.key, &l.row));
    let same = lookups.eq(called.lookups.iter().map(|l| (&l.table, &l.key, &l.row)));
    let keys = part.lookups.iter().map(|l| json!([l.table, l.key]));
    let keys_now: Vec<Json> = called.lookups.iter().map(|l| json!([l.table, l.key])).collect();
    differ("lookups", same, Json::Array(keys.collect()), Json::Array(keys_now));
    out
}

/// Where answer or fault are not the same.
fn said(stage: Stage, part: &Part<'_>, called: &Called) -> Vec<Difference> {
    let differs = |path: &str, expected: Json, got: Json| vec![Difference { path: path.to_owned(), expected, got }];
    let json_of = |answer: &Answer| serde_json::to_value(answer).unwrap_or_default();
    match (part.answer.as_deref(), &called.result) {
        (Some(raw), Ok(answer)) => {
            if Answer::read(stage, raw).is_ok_and(|recorded| recorded == *answer) {
                return Vec::new();
            }
            // Some numbers have no form in JSON and are not read back; as JSON they are the same.
            let recorded: Json = serde_json::from_str(raw.get()).unwrap_or_default();
            let now = json_of(answer);
            if recorded == now {
                return Vec::new();
            }
            let found = compare(&recorded, &now);
            if found.is_empty() { differs("answer", recorded, now) } else { found }
        }
        (None, Err(fault)) => {
            let mut found = Vec::new();
            if part.outcome != fault.code() {
                found.extend(differs("outcome", json!(part.outcome), json!(fault.code())));
            }
            if part.fault.as_deref() != Some(fault.to_string().as_str()) {
                found.extend(differs("fault", json!(part.fault), json!(fault.to_string())));
            }
            found
        }
        (Some(raw), Err(fault)) => {
            let recorded: Json = serde_json::from_str(raw.get()).unwrap_or_default();
            differs(
                "answer",
                Json::Object(flat(&recorded)),
                json!({ "fault": fault.code(), "message": fault.to_string() }),
            )
        }
        (None, Ok(answer)) => {
            let fault = json!({ "fault": part.outcome, "message": part.fault });
            differs("answer", fault, Json::Object(flat(&json_of(answer))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule that says nearly these words is compared all the same.
    #[test]
    fn no_words_of_a_rule_keep_it_from_being_compared() {
        let old =
            "the rule was stopped: it looked something up in the table `assets`, which has no key that is so long";
        let is_old = |fault: &str| is_old_stop(fault, 64, &["assets".to_owned()]);
        assert!(is_old(old) && is_old("the rule was stopped: it made more than 64 host calls"));
        let other_table = old.replace("assets", "x");
        let behind = format!("{old}`, which its manifest does not name under `tables`");
        for fault in [&other_table, &behind, &format!("{old} "), &format!("x{old}")] {
            assert!(!is_old(fault), "{fault}");
        }
        for fault in ["has no key that is so long", "the rule was stopped: it made more than 65 host calls"] {
            assert!(!is_old(fault), "{fault}");
        }
    }
}
