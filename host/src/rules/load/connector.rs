//! Connectors that are components: from their bytes to what can be asked for the next step, within the same sandbox as rules.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, InstancePre, Linker, TypedFunc};

use super::compile::{CompileError, CompileLimits, Compiler};
use super::inspect::{Refused, inspect_connector};
use super::trust::{Trust, Untrusted};
use crate::rules::contract::connector::{Exchange, FUNCTION, INTERFACE, Run, Step, Task};
use crate::rules::digest::Digest;
use crate::rules::limits::{HANDLES_MAX, Limits};
use crate::rules::run::call::{Fault, fault_of, set_budget};
use crate::rules::run::engine::{self, Allocation, EngineError, clock};
use crate::rules::run::guest::{self, Guest};
use crate::rules::run::wasi::Wasi;
use crate::rules::text::{FAULT_BYTES_MAX, cut};

/// The largest component that is taken, in bytes.
pub const BYTES_MAX: usize = 32 << 20;
/// Components that are kept ready; beyond that all are forgotten, and made ready again when they are asked.
const READY_MAX: usize = 64;
/// The bounds of one question: more than a rule's, because an answer of an app may be a long list.
const LIMITS: Limits = Limits { fuel: 500_000_000, deadline_ms: 2_000, output_bytes: 2 << 20, ..Limits::DEFAULT };

/// Why no component can be taken as a connector at all.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Compiler(#[from] CompileError),
    #[error("cannot link the contract: {0}")]
    Linker(wasmtime::Error),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Why there is no connector.
#[derive(Debug, thiserror::Error)]
pub enum NotAConnector {
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error("it does not fit {INTERFACE}: {0:#}")]
    Misfit(wasmtime::Error),
}

/// Makes connectors ready, and keeps them. Nothing is set up before the first is asked for.
pub struct Programs {
    /// The program that compiles when it is called with `compile-rule`.
    program: PathBuf,
    /// Where compiled code is kept.
    cache: PathBuf,
    limits: CompileLimits,
    /// Whose signature a connector needs.
    trust: Trust,
    inner: Mutex<Option<Arc<Inner>>>,
    ready: Mutex<BTreeMap<Digest, Arc<Program>>>,
}

struct Inner {
    compiler: Compiler,
    linker: Linker<Guest>,
}

/// A connector that can be asked.
pub struct Program {
    pub digest: Digest,
    pre: InstancePre<Guest>,
    next: ComponentExportIndex,
    wasi: bool,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Programs(..)")
    }
}

impl Programs {
    /// Ready to take components, signed or not.
    pub fn new(program: PathBuf, cache: PathBuf, limits: CompileLimits) -> Programs {
        let trust = Trust::default();
        Programs { program, cache, limits, trust, inner: Mutex::default(), ready: Mutex::default() }
    }

    /// The same, which take only what a desk trusts.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Programs {
        Programs { trust, ..self }
    }

    fn inner(&self) -> Result<Arc<Inner>, NotReady> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(inner) = inner.as_ref() {
            return Ok(Arc::clone(inner));
        }
        let (engine, _) = engine::open(Allocation::OnDemand)?;
        clock::start(&engine).map_err(NotReady::Thread)?;
        let compiler = Compiler::new(&engine, self.program.clone(), self.cache.clone(), self.limits)?;
        let linker = guest::linker(&engine).map_err(NotReady::Linker)?;
        let opened = Arc::new(Inner { compiler, linker });
        *inner = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The connector of these bytes, given its signature's text. It takes seconds where they were never compiled.
    ///
    /// # Errors
    ///
    /// [`NotAConnector`]; where no trusted key has signed it, before anything of it is compiled.
    pub fn load(&self, bytes: &[u8], signature: Option<&str>) -> Result<Arc<Program>, NotAConnector> {
        let digest = Digest::of(bytes);
        self.trust.verify_connector(digest, signature)?;
        let ready = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = ready().get(&digest) {
            return Ok(Arc::clone(program));
        }
        let wasi = inspect_connector(bytes, BYTES_MAX)?;
        let inner = self.inner()?;
        let component = inner.compiler.compile(digest, bytes, "{}")?.component;
        let absent = || NotAConnector::Misfit(wasmtime::Error::msg(format!("it has no function `{FUNCTION}`")));
        let interface = component.get_export_index(None, INTERFACE).ok_or_else(absent)?;
        let next = component.get_export_index(Some(&interface), FUNCTION).ok_or_else(absent)?;
        let pre = inner.linker.instantiate_pre(&component).map_err(NotAConnector::Misfit)?;
        let program = Arc::new(Program { digest, pre, next, wasi });
        let mut store = program.store(&[]);
        program.start(&mut store).map_err(NotAConnector::Misfit)?;
        let mut ready = ready();
        if ready.len() >= READY_MAX {
            ready.clear();
        }
        ready.insert(digest, Arc::clone(&program));
        Ok(program)
    }
}

type Answered = (Result<Step, String>,);

impl Program {
    /// Asks for the next step. Each question is put to a fresh instance.
    ///
    /// # Errors
    ///
    /// The connector's own sentence, or what has stopped it.
    pub fn next(&self, task: &Task, so_far: &[Exchange]) -> Result<Step, Fault> {
        // Random numbers that a language's runtime asks for come from the question, so that it is answered the same again.
        let seed = serde_json::to_vec(&(task, so_far)).unwrap_or_default();
        let mut store = self.store(&seed);
        let asked = self.start(&mut store).and_then(|next| next.call(&mut store, (task, so_far)));
        match asked {
            Ok((Ok(step),)) => Ok(step),
            Ok((Err(message),)) => Err(Fault::RuleError { message: cut(message, FAULT_BYTES_MAX) }),
            Err(error) => Err(fault_of(&error, store.data(), &LIMITS)),
        }
    }

    fn store(&self, seed: &[u8]) -> Store<Guest> {
        let mut guest = Guest::new(LIMITS, Arc::default(), Arc::from([]));
        if self.wasi {
            guest.set_wasi(Wasi::new(0, seed));
        }
        let mut store = Store::new(self.pre.engine(), guest);
        store.limiter(|guest| &mut guest.limiter);
        store.set_hostcall_fuel(LIMITS.output_bytes);
        store.set_max_component_handles(HANDLES_MAX);
        store
    }

    fn start(&self, store: &mut Store<Guest>) -> wasmtime::Result<TypedFunc<(&Task, &[Exchange]), Answered>> {
        set_budget(store, LIMITS.fuel, LIMITS.deadline_ms)?;
        let instance = self.pre.instantiate(&mut *store)?;
        instance.get_typed_func(&mut *store, self.next)
    }

    /// Asks again what was asked in a run, with the answers that came then.
    ///
    /// # Errors
    ///
    /// The first thing that is otherwise than it was.
    pub fn replay(&self, run: &Run) -> Result<(), Difference> {
        let mut made = 0;
        loop {
            let so_far = run.exchanges.get(..made).unwrap_or_default();
            let step =
                self.next(&run.task, so_far).map_err(|fault| Difference { at: made, what: fault.to_string() })?;
            let calls = match step {
                Step::Finished(finding) => {
                    let left = run.exchanges.len().saturating_sub(made);
                    let same = left == 0 && run.finding.as_ref() == Some(&finding);
                    let what =
                        format!("it finished with {finding:?}; recorded are {left} more calls and {:?}", run.finding);
                    return if same { Ok(()) } else { Err(Difference { at: made, what }) };
                }
                Step::Calls(calls) => calls,
            };
            if calls.is_empty() {
                return Err(Difference { at: made, what: "it asks for no call, and has not finished".to_owned() });
            }
            for call in calls {
                match run.exchanges.get(made) {
                    Some(exchange) if exchange.call == call => made += 1,
                    // A run that was stopped has no answer to this one.
                    None if run.finding.is_none() => return Ok(()),
                    recorded => {
                        let recorded = recorded.map(|exchange| &exchange.call);
                        let what = format!("it asks for {call:?}; recorded is {recorded:?}");
                        return Err(Difference { at: made, what });
                    }
                }
            }
        }
    }
}

/// The place where a run is otherwise than it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("after {at} calls {what}")]
pub struct Difference {
    /// After so many calls.
    pub at: usize,
    pub what: String,
}
