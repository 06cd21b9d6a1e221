//! Whether a rule answers the same whenever it is asked the same.
//!
//! Each of a rule's examples, and an empty question at each of its stages, is asked three times: twice as it will serve, and
//! once of the same component compiled by other means, without optimisation and with another allocation of registers. The
//! answer, the log, the look-ups and the fuel have to be equal. What can differ between two compilations is how much of the
//! machine's stack a function needs: a rule that recurses until its stack is full ends elsewhere, or not at all, on a host
//! with another compiler. A rule for which that is so decides no access. Unoptimised code has frames many times as large, above
//! all an interpreter's, so it gets more of a stack: else a rule that is far from filling its own would fill that one.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::call::{Called, Fault, ask_within};
use super::examples::fill_in;
use super::rule::Rule;
use super::stage::Input;
use crate::rules::limits::{COMPARING_STACK_BYTES, Limits};
use crate::rules::tables::Tables;

/// How much longer than the rule's own a call may take that is compared: unoptimised code is slow, and so is a machine that
/// compiles; fuel bounds the call as ever.
const PATIENCE: u64 = 20;

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

/// Why a rule is not known to answer the same whenever it is asked the same.
#[derive(Debug, PartialEq, Eq)]
pub enum Uncertain {
    /// It did not: that is so wherever and whenever it is asked.
    Differs(String),
    /// The machine was too slow to tell.
    Late(String),
}

/// Asks a rule and the same rule compiled otherwise.
///
/// # Errors
///
/// The question that was answered in two ways, and how the answers differ; or the one that was not answered in time.
pub fn compare(rule: &Rule, otherwise: &Rule, tables: &Arc<Tables>) -> Result<(), Uncertain> {
    std::thread::scope(|scope| {
        let deep = std::thread::Builder::new().name("rules-compare".to_owned()).stack_size(COMPARING_STACK_BYTES);
        let compared = deep.spawn_scoped(scope, || compare_here(rule, otherwise, tables));
        let compared =
            compared.map_err(|error| Uncertain::Late(format!("there is no thread to compare with: {error}")))?;
        compared.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn compare_here(rule: &Rule, otherwise: &Rule, tables: &Arc<Tables>) -> Result<(), Uncertain> {
    let own = rule.manifest.limits;
    let limits = Limits { deadline_ms: own.deadline_ms.saturating_mul(PATIENCE), ..own };
    for (name, input, tables) in questions(rule, tables).map_err(Uncertain::Differs)? {
        let first = ask_within(rule, &input, &tables, limits);
        for (how, asked) in [("asked again", rule), ("compiled otherwise", otherwise)] {
            let other = ask_within(asked, &input, &tables, limits);
            same(&first, &other).map_err(|what| what.within(&format!("{name}: {how}, ")))?;
        }
    }
    Ok(())
}

impl Uncertain {
    fn within(self, place: &str) -> Self {
        match self {
            Uncertain::Differs(how) => Uncertain::Differs(format!("{place}{how}")),
            Uncertain::Late(how) => Uncertain::Late(format!("{place}{how}")),
        }
    }
}

fn questions(rule: &Rule, tables: &Arc<Tables>) -> Result<Vec<(String, Input, Arc<Tables>)>, String> {
    let examples = rule.manifest.examples.iter();
    let examples = examples.map(|example| {
        let (input, tables) = (example.whole()?, example.asked_with(&rule.manifest, tables));
        Ok((format!("example \"{}\"", example.name), input, tables))
    });
    let nothing = toml::Table::new();
    let empty = rule.manifest.stages.iter();
    let empty =
        empty.map(|stage| Ok((format!("an empty question ({stage})"), fill_in(*stage, &nothing)?, Arc::clone(tables))));
    examples.chain(empty).collect()
}

/// Whether two calls came to the same. Where one was stopped by the clock, nobody knows.
fn same(one: &Called, other: &Called) -> Result<(), Uncertain> {
    for called in [one, other] {
        if let Err(late @ Fault::Deadline { .. }) = &called.result {
            return Err(Uncertain::Late(format!("nothing could be compared: {late}")));
        }
    }
    let shown = |called: &Called| match &called.result {
        Ok(answer) => format!("\"{}\"", answer.reason()),
        Err(fault) => fault.to_string(),
    };
    let differs = |how: String| Err(Uncertain::Differs(how));
    if one.result != other.result {
        return differs(format!("it says {} and then {}", shown(one), shown(other)));
    }
    if one.fuel != other.fuel {
        return differs(format!("it uses {} fuel and then {} ({})", one.fuel, other.fuel, shown(one)));
    }
    if (&one.log, one.log_cut, &one.lookups) != (&other.log, other.log_cut, &other.lookups) {
        return differs("it logs or looks up something else".to_owned());
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
        let differs = |one: &Called, other: &Called, how: &str| {
            let Err(Uncertain::Differs(found)) = same(one, other) else { panic!("they differ") };
            assert!(found.contains(how), "{found}");
        };
        differs(&full(7), &full(8), "7 fuel and then 8");
        let gave_up = called(Err(Fault::RuleError { message: "no".to_owned() }), 7);
        differs(&full(7), &gave_up, "gave up: no");
        let late = called(Err(Fault::Deadline { deadline_ms: 1 }), 9);
        for (one, other) in [(&late, &full(7)), (&full(7), &late), (&late, &late)] {
            assert!(matches!(same(one, other), Err(Uncertain::Late(_))), "a slow machine proves nothing");
        }
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
