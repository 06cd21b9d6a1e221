//! Whether a rule answers the same whenever it is asked the same.
//!
//! Each of a rule's examples, and an empty question at each of its stages, is asked three times: twice as it will serve, and
//! once of the same component compiled by other means, without optimisation and with another allocation of registers. The
//! answer, the log, the look-ups and the fuel have to be equal. What can differ between two compilations is how much of the
//! machine's stack a function needs: a rule that recurses until its stack is full ends elsewhere, or not at all, on a host
//! with another compiler. A rule for which that is so decides no access.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::call::{Called, Fault, ask};
use super::examples::fill_in;
use super::rule::Rule;
use super::stage::Input;
use super::tables::Tables;

/// What is known about a rule: nothing at first, then a verdict that stays.
#[derive(Debug, Default)]
pub struct Determinism {
    taken: AtomicBool,
    verdict: OnceLock<Verdict>,
}

/// Whether a rule is deterministic, or why it is not or could not be found to be.
pub type Verdict = Result<(), String>;

impl Determinism {
    /// The verdict, if there is one yet.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.get()
    }

    /// Whether the rule was found to answer the same whenever it is asked the same.
    pub fn is_certain(&self) -> bool {
        matches!(self.verdict(), Some(Ok(())))
    }

    /// Notes a verdict; the first one stays.
    pub fn settle(&self, verdict: Verdict) {
        self.taken.store(true, Ordering::Release);
        let _ = self.verdict.set(verdict);
    }

    /// Whether nobody has found out or is finding out.
    pub fn is_open(&self) -> bool {
        !self.taken.load(Ordering::Acquire)
    }

    /// Leaves it to others to find out, after [`Determinism::take`].
    pub fn give_back(&self) {
        self.taken.store(false, Ordering::Release);
    }

    /// Whether the caller is the one to find out: true once, until it is given back.
    pub fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }
}

/// Asks a rule and the same rule compiled otherwise.
///
/// # Errors
///
/// The question that was answered in two ways, and how the answers differ.
pub fn compare(rule: &Rule, otherwise: &Rule, tables: &Arc<Tables>) -> Verdict {
    for (name, input) in questions(rule)? {
        let first = ask(rule, &input, tables);
        let again = ask(rule, &input, tables);
        same(&first, &again).map_err(|how| format!("{name}: asked again, {how}"))?;
        let other = ask(otherwise, &input, tables);
        same(&first, &other).map_err(|how| format!("{name}: compiled otherwise, {how}"))?;
    }
    Ok(())
}

fn questions(rule: &Rule) -> Result<Vec<(String, Input)>, String> {
    let examples = rule.manifest.examples.iter();
    let examples = examples.map(|e| Ok((format!("example \"{}\"", e.name), fill_in(e.stage, &e.input)?)));
    let nothing = toml::Table::new();
    let empty = rule.manifest.stages.iter();
    let empty = empty.map(|stage| Ok((format!("an empty question ({stage})"), fill_in(*stage, &nothing)?)));
    examples.chain(empty).collect()
}

/// Whether two calls came to the same; time and what a slow machine makes of it are no part of that.
fn same(one: &Called, other: &Called) -> Result<(), String> {
    let late = |called: &Called| matches!(called.result, Err(Fault::Deadline { .. }));
    if late(one) || late(other) {
        return Ok(());
    }
    let shown = |called: &Called| match &called.result {
        Ok(answer) => format!("\"{}\"", answer.reason()),
        Err(fault) => fault.to_string(),
    };
    if one.result != other.result {
        return Err(format!("it says {} and then {}", shown(one), shown(other)));
    }
    if one.fuel != other.fuel {
        return Err(format!("it uses {} fuel and then {} ({})", one.fuel, other.fuel, shown(one)));
    }
    if (&one.log, one.log_cut, &one.lookups) != (&other.log, other.log_cut, &other.lookups) {
        return Err("it logs or looks up something else".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn called(result: Result<super::super::stage::Answer, Fault>, fuel: u64) -> Called {
        let took = Duration::from_micros(fuel);
        #[expect(clippy::disallowed_methods, reason = "the instant is none of the answer")]
        let started = std::time::Instant::now();
        Called { started, result, fuel, took, memory_peak: 0, log: Vec::new(), log_cut: false, lookups: Vec::new() }
    }

    #[test]
    fn calls_differ_by_result_and_fuel_and_not_by_time() {
        let full = |fuel| called(Err(Fault::StackOverflow), fuel);
        assert_eq!(same(&full(7), &full(7)), Ok(()));
        assert!(same(&full(7), &full(8)).unwrap_err().contains("7 fuel and then 8"));
        let gave_up = called(Err(Fault::RuleError { message: "no".to_owned() }), 7);
        assert!(same(&full(7), &gave_up).unwrap_err().contains("gave up: no"));
        let late = called(Err(Fault::Deadline { deadline_ms: 1 }), 9);
        assert_eq!(same(&late, &full(7)), Ok(()), "a slow machine is no fault of the rule");
    }

    #[test]
    fn a_verdict_is_sought_once_and_stays() {
        let determinism = Determinism::default();
        assert!(determinism.take() && !determinism.take());
        determinism.give_back();
        assert!(determinism.is_open() && determinism.take() && !determinism.is_open());
        determinism.settle(Err("no".to_owned()));
        determinism.settle(Ok(()));
        assert_eq!((determinism.verdict(), determinism.is_certain()), (Some(&Err("no".to_owned())), false));
    }
}
