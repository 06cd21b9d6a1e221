//! One call of one rule: a fresh instance, the question, the answer or the fault, and what it cost.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use wasmtime::component::{ComponentExportIndex, ComponentType, Func, Instance, Lift, Lower, TypedFunc};
use wasmtime::{Store, Trap, WasmBacktrace};

use super::engine::clock::ticks;
use super::guest::{Guest, LogLine, Lookup, Stopped};
use super::rule::Rule;
use super::stage::{Answer, Input, Stage};
use super::wasi::{Wasi, WasiStopped};
use crate::rules::contract::packed::{Pack, Packed};
use crate::rules::contract::{access, categorization, closing, intake, priority, routing};
use crate::rules::limits::{ANSWER_JSON_BYTES_MAX, HANDLES_MAX, Limits};
use crate::rules::tables::Tables;
use crate::rules::text::{FAULT_BYTES_MAX, cut, one_line};

/// The fuel that making an instance takes before any code of the guest runs: it is not counted.
const START_FREE_FUEL: u64 = 1_000;
/// How much of a function's name is shown where it trapped, in characters.
const NAME_CHARS_MAX: usize = 200;
/// The engine's words where more crosses from a guest at once than it may.
const HOST_CALLS_EXHAUSTED: &str =
    "too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted";

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    pub result: Result<Answer, Fault>,
    /// The fuel that the decision used; the same for the same input, on any host with this version of wasmtime.
    pub fuel: u64,
    /// Before the instance was made.
    pub started: Instant,
    /// The wall clock from before the instance was made to after it was dropped.
    pub took: Duration,
    /// The most memory that the call has held, in bytes.
    pub memory_peak: usize,
    pub log: Vec<LogLine>,
    /// Whether lines were cut or left out.
    pub log_cut: bool,
    pub lookups: Vec<Lookup>,
}

/// Why a rule gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    #[error("the rule gave up: {message}")]
    RuleError { message: String },
    #[error("the rule trapped: {message}")]
    Trap { message: String },
    #[error("the rule used up its fuel ({fuel})")]
    OutOfFuel { fuel: u64 },
    #[error("the rule took longer than {deadline_ms} ms")]
    Deadline { deadline_ms: u64 },
    #[error("the rule ran out of memory: {message}")]
    OutOfMemory { message: String },
    #[error("the rule called itself too deeply: its stack is full")]
    StackOverflow,
    #[error("the rule's answer is larger than {bytes_max} bytes")]
    AnswerTooLarge { bytes_max: usize },
    #[error("the rule was stopped: {message}")]
    Stopped { message: String },
    #[error("the rule's answer is not valid: {message}")]
    InvalidAnswer { message: String },
    #[error("the rule ended itself: {message}")]
    Exited { message: String },
    #[error("the rule could not be started: {message}")]
    NotStarted { message: String },
}

impl Fault {
    /// A stable word for metrics and programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Fault::RuleError { .. } => "rule-error",
            Fault::Trap { .. } => "trap",
            Fault::OutOfFuel { .. } => "out-of-fuel",
            Fault::Deadline { .. } => "deadline",
            Fault::OutOfMemory { .. } => "out-of-memory",
            Fault::StackOverflow => "stack-overflow",
            Fault::AnswerTooLarge { .. } => "answer-too-large",
            Fault::Stopped { .. } => "stopped",
            Fault::InvalidAnswer { .. } => "invalid-answer",
            Fault::Exited { .. } => "exited",
            Fault::NotStarted { .. } => "not-started",
        }
    }
}

/// Asks one rule. Nothing that the guest does makes this fail or panic: it is in the result.
pub fn ask(rule: &Rule, input: &Input, tables: &Arc<Tables>) -> Called {
    ask_within(rule, input, tables, limits_for(rule, input))
}

/// The limits for an input: the limits of its manifest, and more for a long text.
pub fn limits_for(rule: &Rule, input: &Input) -> Limits {
    rule.manifest.limits.for_text(input.text_bytes())
}

/// The fault in place of a call that is not made, because there is no time left for it.
pub fn not_asked(message: &str) -> Called {
    #[expect(clippy::disallowed_methods, reason = "measures the call; no decision depends on it")]
    let started = Instant::now();
    Called {
        result: Err(Fault::NotStarted { message: message.to_owned() }),
        fuel: 0,
        started,
        took: Duration::ZERO,
        memory_peak: 0,
        log: Vec::new(),
        log_cut: false,
        lookups: Vec::new(),
    }
}

/// The same within other limits than the rule's own.
pub fn ask_within(rule: &Rule, input: &Input, tables: &Arc<Tables>, limits: Limits) -> Called {
    #[expect(clippy::disallowed_methods, reason = "measures the call; no decision depends on it")]
    let start = Instant::now();
    let mut guest = Guest::new(limits, Arc::clone(tables), Arc::clone(&rule.tables_allowed));
    if rule.wasi {
        guest.set_wasi(world_of(input));
    }
    let mut store = store_of(rule, guest);
    let (result, fuel) = in_store(rule, input, &mut store, &limits);
    let mut guest = store.into_data();
    guest.end_lines();
    Called {
        result,
        fuel,
        started: start,
        took: start.elapsed(),
        memory_peak: guest.limiter.peak(),
        log: guest.log,
        log_cut: guest.log_cut,
        lookups: guest.lookups,
    }
}

/// Makes the instance for a call and drops it, with nothing asked: for benchmarks of what isolation alone costs.
///
/// # Errors
///
/// Why there is no instance.
#[doc(hidden)]
pub fn ask_nothing(rule: &Rule, tables: &Arc<Tables>) -> wasmtime::Result<()> {
    let limits = rule.manifest.limits;
    let guest = Guest::new(limits, Arc::clone(tables), Arc::clone(&rule.tables_allowed));
    start(rule, &mut store_of(rule, guest), &limits).map(drop)
}

fn store_of(rule: &Rule, guest: Guest) -> Store<Guest> {
    let output_bytes = rule.manifest.limits.output_bytes;
    let mut store = Store::new(rule.pre.engine(), guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_hostcall_fuel(output_bytes);
    store.set_max_component_handles(HANDLES_MAX);
    store
}

/// The WASI of a decision. Its random numbers come from the input, not from the decision's id: so a decision can be made
/// again from its record alone, and the same input is always answered in the same way.
fn world_of(input: &Input) -> Wasi {
    // An input that cannot be written as JSON is none of the contract's; the seed is then that of no input.
    let bytes = serde_json::to_vec(input).unwrap_or_default();
    Wasi::new(input.at(), &bytes)
}

fn in_store(rule: &Rule, input: &Input, store: &mut Store<Guest>, limits: &Limits) -> (Result<Answer, Fault>, u64) {
    let instance = match start(rule, store, limits) {
        Ok(instance) => instance,
        Err(error) => {
            let fault = fault_of(&error, store.data(), limits);
            return (Err(Fault::NotStarted { message: cut(fault.to_string(), FAULT_BYTES_MAX) }), 0);
        }
    };
    let Some(decide) = rule.decide(input.stage()) else {
        let message = format!("it exports no `{}`", input.stage());
        return (Err(Fault::NotStarted { message }), 0);
    };
    // What starting has used is the call's own; what the decision uses is counted without it, because where the settings are in
    // the component's memory image there is nothing to start, and the figure must be the same either way.
    let started = limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0)).saturating_sub(START_FREE_FUEL);
    let left = limits.fuel.saturating_sub(started);
    let answer = store.set_fuel(left).and_then(|()| put(rule, &instance, store, decide, input));
    let fuel = left.saturating_sub(store.get_fuel().unwrap_or(0));
    let result = match answer {
        Ok(Ok(answer)) => fits(answer),
        Ok(Err(message)) => Err(Fault::RuleError { message: cut(message, FAULT_BYTES_MAX) }),
        Err(error) => Err(fault_of(&error, store.data(), limits)),
    };
    (result, fuel)
}

/// An answer that is short enough to be kept.
fn fits(answer: Answer) -> Result<Answer, Fault> {
    let mut left = ANSWER_JSON_BYTES_MAX;
    match has_room(&mut left, &answer) {
        true => Ok(answer),
        false => Err(Fault::AnswerTooLarge { bytes_max: ANSWER_JSON_BYTES_MAX }),
    }
}

/// Whether an answer has room in so many bytes of JSON, from which it takes its own.
pub fn has_room(left: &mut usize, answer: &Answer) -> bool {
    serde_json::to_writer(Room(left), answer).is_ok()
}

/// Takes as many bytes as are left, and keeps none.
struct Room<'a>(&'a mut usize);

impl io::Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A fresh instance that has its settings. Fuel and time are those of the whole call, this included.
fn start(rule: &Rule, store: &mut Store<Guest>, limits: &Limits) -> wasmtime::Result<Instance> {
    set_budget(store, limits.fuel, limits.deadline_ms)?;
    let instance = rule.pre.instantiate(&mut *store)?;
    if let Some(configure) = rule.configure_each_call {
        configure_instance(&instance, store, configure, &rule.manifest.settings)?
            .map_err(|problems| wasmtime::Error::msg(cut(problems.join("; "), FAULT_BYTES_MAX)))?;
    }
    Ok(instance)
}

/// Hands a rule its settings: the outer error is a trap, the inner one the rule's own complaints.
pub fn configure_instance(
    instance: &Instance,
    store: &mut Store<Guest>,
    configure: ComponentExportIndex,
    settings: &str,
) -> wasmtime::Result<Result<(), Vec<String>>> {
    type Configured = (Result<(), Vec<String>>,);
    let configure = instance.get_typed_func::<(&str,), Configured>(&mut *store, configure)?;
    Ok(configure.call(&mut *store, (settings,))?.0)
}

/// Gives a store so much fuel and time from now on.
pub fn set_budget(store: &mut Store<Guest>, fuel: u64, deadline_ms: u64) -> wasmtime::Result<()> {
    store.set_fuel(fuel)?;
    store.set_epoch_deadline(ticks(deadline_ms));
    #[expect(clippy::disallowed_methods, reason = "a call has a time limit; what is stopped by it is never compared")]
    let now = Instant::now();
    store.data_mut().set_until(now + Duration::from_millis(deadline_ms));
    Ok(())
}

fn put(
    rule: &Rule,
    instance: &Instance,
    store: &mut Store<Guest>,
    decide: ComponentExportIndex,
    input: &Input,
) -> wasmtime::Result<Result<Answer, String>> {
    let decide = instance.get_func(&mut *store, decide).ok_or_else(|| wasmtime::Error::msg("`decide` is gone"))?;
    Ok(match input {
        Input::Intake(input) => typed(rule, store, decide, input)?.map(Answer::Intake),
        Input::Categorization(input) => typed(rule, store, decide, input)?.map(Answer::Categorization),
        Input::Priority(input) => typed(rule, store, decide, input)?.map(Answer::Priority),
        Input::Routing(input) => typed(rule, store, decide, input)?.map(Answer::Routing),
        Input::Access(input) => typed(rule, store, decide, &**input)?.map(Answer::Access),
        Input::Closing(input) => typed(rule, store, decide, &**input)?.map(Answer::Closing),
    })
}

#[expect(unsafe_code, reason = "comparing the types at each call costs a twentieth of it; see SAFETY")]
fn typed<I, A>(rule: &Rule, store: &mut Store<Guest>, decide: Func, input: &I) -> wasmtime::Result<Result<A, String>>
where
    I: Pack + Lower,
    A: ComponentType + Lift + 'static,
{
    let decided = if rule.takes_one_block {
        // SAFETY: as below; `Packed` is the same argument.
        let decide = unsafe { TypedFunc::<(Packed<'_, I>,), Decided<A>>::new_unchecked(decide) };
        decide.call(&mut *store, (Packed(input),))?
    } else {
        // SAFETY: `check_types` compared the types of each stage's function with just these when the rule was loaded, and
        // an instance of the same component has the same types.
        let decide = unsafe { TypedFunc::<(&I,), Decided<A>>::new_unchecked(decide) };
        decide.call(&mut *store, (input,))?
    };
    Ok(decided.0)
}

/// Compares the types of every function that will be asked with the contract's, before any ticket asks it.
///
/// # Errors
///
/// Names the function and how its type differs.
pub fn check_types(rule: &Rule) -> wasmtime::Result<()> {
    let limits = rule.manifest.limits;
    let mut store = store_of(rule, Guest::new(limits, Arc::default(), Arc::clone(&rule.tables_allowed)));
    let instance = start(rule, &mut store, &limits)?;
    if let Some(stage) = rule.manifest.stages.iter().find(|stage| rule.decide(**stage).is_none()) {
        return Err(wasmtime::Error::msg(format!("`{stage}` has no function `decide`")));
    }
    // Of every stage that could be asked, in the manifest or not.
    for stage in Stage::ALL {
        let Some(decide) = rule.decide(stage).and_then(|decide| instance.get_func(&mut store, decide)) else {
            continue;
        };
        let fits = match stage {
            Stage::Intake => decide.typed::<(&intake::Input,), Decided<intake::Answer>>(&store).map(drop),
            Stage::Categorization => {
                decide.typed::<(&categorization::Input,), Decided<categorization::Answer>>(&store).map(drop)
            }
            Stage::Priority => decide.typed::<(&priority::Input,), Decided<priority::Answer>>(&store).map(drop),
            Stage::Routing => decide.typed::<(&routing::Input,), Decided<routing::Answer>>(&store).map(drop),
            Stage::Access => decide.typed::<(&access::Input,), Decided<access::Answer>>(&store).map(drop),
            Stage::Closing => decide.typed::<(&closing::Input,), Decided<closing::Answer>>(&store).map(drop),
        };
        fits.map_err(|error| error.context(format!("`{stage}.decide` has other types than the contract's")))?;
    }
    Ok(())
}

/// What every `decide` returns.
type Decided<A> = (Result<A, String>,);

/// What an error of the engine means for the rule.
pub fn fault_of(error: &wasmtime::Error, guest: &Guest, limits: &Limits) -> Fault {
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        let message = stopped.to_string();
        return match stopped {
            Stopped::Memory { .. } | Stopped::TableElements { .. } => Fault::OutOfMemory { message },
            Stopped::HostCalls { .. } | Stopped::Table { .. } | Stopped::Lookups => Fault::Stopped { message },
        };
    }
    if let Some(stopped) = error.downcast_ref::<WasiStopped>() {
        let message = stopped.to_string();
        return match stopped {
            WasiStopped::Exited { .. } => Fault::Exited { message: guest.last_words().unwrap_or(message) },
            WasiStopped::Calls | WasiStopped::Random { .. } | WasiStopped::Absent(_) => Fault::Stopped { message },
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Fault::OutOfFuel { fuel: limits.fuel },
        Some(Trap::Interrupt) => Fault::Deadline { deadline_ms: limits.deadline_ms },
        Some(Trap::StackOverflow) => Fault::StackOverflow,
        Some(trap) => Fault::Trap { message: trap_message(trap, error, guest) },
        None => outside_of_code(error, limits),
    }
}

/// The guest's own words where it left some, else the trap's, and the innermost functions.
fn trap_message(trap: &Trap, error: &wasmtime::Error, guest: &Guest) -> String {
    let said = guest.last_words().unwrap_or_else(|| trap.to_string());
    let frames: Vec<&str> = error
        .downcast_ref::<WasmBacktrace>()
        .map(|backtrace| backtrace.frames().iter().filter_map(|f| f.func_name()).take(5).collect())
        .unwrap_or_default();
    let frames: Vec<String> = frames.into_iter().map(|name| one_line(name, NAME_CHARS_MAX)).collect();
    let said = cut(said, FAULT_BYTES_MAX);
    if frames.is_empty() { said } else { format!("{said} (in {})", frames.join(" < ")) }
}

/// An error that no instruction raised: the answer could not be read out of the guest's memory.
fn outside_of_code(error: &wasmtime::Error, limits: &Limits) -> Fault {
    // The engine's error for this has no public type; what it says is always the same, and none of it is the guest's.
    if error.root_cause().to_string() == HOST_CALLS_EXHAUSTED {
        return Fault::AnswerTooLarge { bytes_max: limits.output_bytes };
    }
    Fault::InvalidAnswer { message: cut(format!("{error:#}"), FAULT_BYTES_MAX) }
}
