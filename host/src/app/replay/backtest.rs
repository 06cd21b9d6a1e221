//! Candidates over recorded decisions: what would have been decided if they had been the rules.
//!
//! Each stage is judged by itself, over the input that was recorded for it. A candidate replaces the rule of its name, or is added
//! where there is none. The answers of the other rules are taken from the record, or asked again where a whole set is tried. The
//! desk's own code checks and combines the answers, with and without the candidate, under the present organisation. A decision that
//! differs by the organisation alone is counted as drift and not as the candidate's doing. The version that a candidate replaces is
//! asked again in the same run, so that both are timed on the same machine under the same load.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::tally::{Compared, Costs, Failure, Tally};
use super::verdict::{ReplayCase, ReplayedAnswer, Verdict};
use super::verify::tables_of;
use super::versions::Versions;
use super::{Filter, Past, Spent, ask_patiently, replay};
use crate::app::record::part::Part;
use crate::app::record::read::ExactInput;
use crate::app::record::verdict::RecordedVerdict;
use crate::app::record::write::rule_ref;
use crate::app::{App, Error};
use crate::desk::actor::{Actor, RuleRef};
use crate::desk::organisation::Organisation;
use crate::desk::permission;
use crate::rules::run::call::{Called, Fault};
use crate::rules::run::manifest::Mode;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Input, Stage};
use crate::rules::tables::Tables;
use crate::store::rules::decisions::{RunTexts, StoredDecision};

/// Why a decision is not judged.
const UNREADABLE: &str = "its record cannot be read";
const DELETED: &str = "its record was archived and deleted";

/// What is tried.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Ready to be asked. A candidate counts, whatever mode its manifest says: what is asked is what it would do.
    pub rules: Vec<Arc<Rule>>,
    /// Whether these are all the rules, in the modes that they say.
    pub whole: bool,
    /// Rules that are taken out.
    pub without: BTreeSet<String>,
}

impl Candidates {
    /// The stages at which anything can change; none narrows nothing.
    pub fn stages(&self) -> Vec<Stage> {
        if self.whole || !self.without.is_empty() {
            return Vec::new();
        }
        let is_asked = |stage: &Stage| self.rules.iter().any(|rule| rule.manifest.stages.contains(stage));
        Stage::ALL.into_iter().filter(is_asked).collect()
    }

    /// Whether what a rule of this name said then is set aside.
    fn replaces(&self, name: &str) -> bool {
        self.whole || self.without.contains(name) || self.rules.iter().any(|rule| rule.manifest.name.as_str() == name)
    }

    /// The candidates that are asked about such a ticket.
    fn asked<'a>(
        &'a self,
        stage: Stage,
        request_type: &'a str,
        category: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Rule>> {
        self.rules.iter().filter(move |rule| {
            let manifest = &rule.manifest;
            (!self.whole || manifest.mode == Mode::Active)
                && manifest.stages.contains(&stage)
                && manifest.matches.admits(request_type, category)
                && !self.without.contains(manifest.name.as_str())
        })
    }
}

/// Asks candidates about recorded decisions; `progress` is told of each piece of work, by its number of decisions.
///
/// # Errors
///
/// Where the store cannot be read.
pub async fn backtest(
    app: &Arc<App>,
    actor: &Actor,
    mut filter: Filter,
    candidates: Candidates,
    mut progress: impl FnMut(u64),
) -> Result<Tally, Error> {
    permission::read_decisions(actor)?;
    if filter.stages.is_empty() {
        filter.stages = candidates.stages();
    }
    let trial = Trial {
        organisation: app.organisation(),
        tables: app.rules.tables(),
        versions: Versions::new(Arc::clone(app)),
        candidates,
    };
    let mut tally = Tally::default();
    let work = move |runs: Vec<Past>| trial.runs(&runs);
    let bounded = replay(app, filter, true, work, |piece: Tally| {
        progress(piece.decisions);
        tally.merge(piece);
    })
    .await?;
    tally.bounded = bounded;
    tally.failures.examples.sort();
    Ok(tally)
}

/// What is the same for all decisions.
struct Trial {
    organisation: Arc<Organisation>,
    /// The tables of today, for what was not looked up then.
    tables: Arc<Tables>,
    versions: Versions,
    candidates: Candidates,
}

/// One decision, put together.
struct Scened<'a> {
    past: &'a Past,
    stage: Stage,
    input: &'a Input,
    parts: &'a [Part<'a>],
}

impl Trial {
    fn runs(&self, runs: &[Past]) -> Tally {
        #[expect(clippy::disallowed_methods, reason = "measures the work; no decision depends on it")]
        let start = Instant::now();
        let mut tally = Tally::default();
        for past in runs {
            let texts = match &past.past.run.recorded {
                Ok(texts) => texts,
                Err(damage) => {
                    let why = if damage.is_deletion() { DELETED } else { UNREADABLE };
                    *tally.not_judged.entry(why.to_owned()).or_default() += 1;
                    continue;
                }
            };
            for decision in &texts.decisions {
                if let Err(reason) = self.decision(past, texts, decision, &mut tally) {
                    *tally.not_judged.entry(reason).or_default() += 1;
                }
            }
        }
        tally.spent.threads += start.elapsed();
        tally
    }

    /// Counts one decision, or says why it cannot be judged.
    fn decision(
        &self,
        past: &Past,
        texts: &RunTexts,
        decision: &StoredDecision,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let stage: Stage = decision.stage.parse().map_err(|_| format!("`{}` is no stage", decision.stage))?;
        let unreadable = |_| UNREADABLE.to_owned();
        let parts = Part::all(&decision.rules).map_err(unreadable)?;
        let exact = ExactInput::of(&texts.common, &decision.input).map_err(unreadable)?;
        let input = exact.input(stage).map_err(unreadable)?;
        let scene = ReplayCase::of(&self.organisation, &input, &past.past.submitted_by).map_err(|e| e.to_string())?;
        let (request_type, category) = scene.matched_by();
        let asked: Vec<&Arc<Rule>> = self.candidates.asked(stage, request_type, category).collect();
        let counting = || parts.iter().filter(|part| part.counts());
        if asked.is_empty() && !counting().any(|part| self.candidates.replaces(&part.rule)) {
            return Ok(());
        }
        let said: Vec<ReplayedAnswer> = counting().map(|part| self.said(stage, part)).collect::<Result<_, _>>()?;
        let (before, _) = scene.verdict(said.clone()).map_err(|e| e.to_string())?;
        tally.drifted += u64::from(drifted(stage, &before, &decision.verdict));
        let whole = Scened { past, stage, input: &input, parts: &parts };
        let after = self.after(&whole, &scene, &asked, said, tally)?;
        let Past { past: run, aftermath } = past;
        let (ticket, at, aftermath) = (run.number, run.run.at, aftermath.as_ref());
        tally.take(&Compared { ticket, at, stage, before: &before, after: &after, aftermath });
        if stage == Stage::Priority {
            tally.promises.take(&self.organisation, (ticket, run.team.as_str()), &before, &after);
        }
        Ok(())
    }

    /// What comes of it with the candidates in the place of what they replace.
    fn after(
        &self,
        whole: &Scened<'_>,
        scene: &ReplayCase<'_>,
        asked: &[&Arc<Rule>],
        said: Vec<ReplayedAnswer>,
        tally: &mut Tally,
    ) -> Result<Verdict, String> {
        let mut new: Vec<ReplayedAnswer> =
            said.into_iter().filter(|said| !self.candidates.replaces(&said.rule.name)).collect();
        let mut faults: Vec<(RuleRef, String)> = Vec::new();
        for rule in asked {
            let called = self.ask(whole, rule, tally);
            new.push(said_now(rule, &called));
            if let Err(fault) = called.result {
                faults.push((rule_ref(rule), fault.to_string()));
            }
        }
        // As the desk asks them: by order, then by name.
        new.sort_by(|a, b| (a.order, &a.rule.name).cmp(&(b.order, &b.rule.name)));
        let (after, refused) = scene.verdict(new).map_err(|e| e.to_string())?;
        faults.extend(refused);
        count_faults(whole, asked, &faults, tally);
        Ok(after)
    }

    /// What a rule said then.
    fn said(&self, stage: Stage, part: &Part<'_>) -> Result<ReplayedAnswer, String> {
        let answer = if part.answered() { part.read_answer(stage).transpose() } else { Ok(None) };
        // A manifest that is not in the archive leaves its rule where most are, and without privileges.
        let manifest = self.versions.manifest(&part.component, &part.manifest).ok();
        Ok(ReplayedAnswer {
            rule: RuleRef { name: part.rule.to_string(), version: part.version.to_string() },
            order: manifest.as_ref().map_or(0, |manifest| manifest.order),
            overrides: manifest.is_some_and(|manifest| manifest.overrides),
            answer: answer.map_err(|_| "an answer of then cannot be read".to_owned())?,
        })
    }

    /// Asks a candidate, and the version that it replaces beside it.
    fn ask(&self, whole: &Scened<'_>, rule: &Arc<Rule>, tally: &mut Tally) -> Called {
        let name = rule.manifest.name.as_str();
        let part = replaced(whole.parts, name);
        let then = part.and_then(|part| Some((part, self.versions.rule(&part.component, &part.manifest).ok()?)));
        let tables = self.tables(rule, whole.parts);
        // Taking turns in who comes first, so that neither always finds the processor's caches warmed by the other.
        let candidate_first = whole.past.past.number.0 % 2 == 0;
        let ask_then = |spent: &mut Spent| {
            then.as_ref().map(|(part, rule)| ask_patiently(rule, whole.input, &tables_of(part), spent))
        };
        let (called, again) = if candidate_first {
            let called = ask_patiently(rule, whole.input, &tables, &mut tally.spent);
            (called, ask_then(&mut tally.spent))
        } else {
            let again = ask_then(&mut tally.spent);
            (ask_patiently(rule, whole.input, &tables, &mut tally.spent), again)
        };
        tally.calls += 1 + u64::from(again.is_some());
        // What the clock stops says nothing about what a rule costs or says.
        let again =
            again.filter(|again| !matches!(again.result, Err(Fault::Deadline { .. } | Fault::NotStarted { .. })));
        if !tally.costs.contains_key(name) {
            tally.costs.insert(name.to_owned(), Costs::default());
        }
        if let Some(costs) = tally.costs.get_mut(name) {
            count_costs(costs, rule, part, &called, again.as_ref(), whole.stage);
        }
        called
    }

    /// The tables as a candidate sees them: what was looked up then, by any rule, as it was found then; today's otherwise.
    fn tables(&self, rule: &Rule, parts: &[Part<'_>]) -> Arc<Tables> {
        let lookups = || parts.iter().flat_map(|part| part.lookups.iter());
        if rule.manifest.tables.is_empty() || lookups().next().is_none() {
            return Arc::clone(&self.tables);
        }
        let found = lookups().map(|l| (l.table.as_str(), l.key.as_str(), l.row.as_ref()));
        Arc::new(self.tables.as_found(found))
    }
}

/// The part of the rule of that name which counted then.
fn replaced<'a>(parts: &'a [Part<'a>], name: &str) -> Option<&'a Part<'a>> {
    parts.iter().find(|part| part.rule == name && part.counts())
}

fn said_now(rule: &Rule, called: &Called) -> ReplayedAnswer {
    ReplayedAnswer {
        rule: rule_ref(rule),
        order: rule.manifest.order,
        overrides: rule.manifest.overrides,
        answer: called.result.as_ref().ok().cloned(),
    }
}

/// Whether what was recorded as decided is not what the same answers come to today. Who decided is said by version, and a reason
/// may say what is not recorded, such as a rule that was not live.
fn drifted(stage: Stage, before: &Verdict, recorded: &str) -> bool {
    RecordedVerdict::read(stage, recorded).map_or(true, |recorded| !recorded.is_same_decision(&before.record))
}

fn count_costs(
    costs: &mut Costs,
    rule: &Rule,
    part: Option<&Part<'_>>,
    called: &Called,
    again: Option<&Called>,
    stage: Stage,
) {
    if costs.after.is_empty() {
        costs.after.clone_from(&rule.manifest.version);
    }
    let (Some(part), Some(again)) = (part, again) else {
        costs.alone.add(called.fuel, called.took);
        return;
    };
    if costs.before.is_empty() {
        costs.before = part.version.to_string();
    }
    costs.recorded.add(part.fuel, Duration::from_micros(part.micros));
    costs.now.add(again.fuel, again.took);
    costs.candidate.add(called.fuel, called.took);
    let then = part.read_answer(stage);
    let same = match (then, &again.result) {
        (Some(Ok(then)), Ok(now)) => then == *now,
        (None, Err(fault)) => part.outcome == fault.code(),
        _ => false,
    };
    costs.not_reproduced += u64::from(!same);
}

/// Counts the candidates that fail where no version failed then, and those that do not where one did.
fn count_faults(whole: &Scened<'_>, asked: &[&Arc<Rule>], faults: &[(RuleRef, String)], tally: &mut Tally) {
    for rule in asked {
        let name = rule.manifest.name.as_str();
        let failed_then = replaced(whole.parts, name).is_some_and(|part| !part.answered());
        let fault = faults.iter().find(|(rule, _)| rule.name == name);
        match (fault, failed_then) {
            (Some((rule, message)), false) => tally.failures.found(Failure {
                ticket: whole.past.past.number.to_string(),
                stage: whole.stage,
                rule: rule.to_string(),
                message: message.clone(),
            }),
            (None, true) => tally.failures.mended += 1,
            (Some(_), true) | (None, false) => {}
        }
    }
}
