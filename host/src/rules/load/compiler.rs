//! The compiling child processes: from a component and its settings to machine code, under limits of their own.
//!
//! A component can be made to compile for minutes or to need gigabytes, and the runtime promises nothing about that. So
//! it happens in a process that can be killed. One child hands the rule its settings and gives back a component whose initial
//! memory is what this leaves, so that a decision starts where the settings have been read already. It has run a stranger's
//! code, so what it gives back is WebAssembly, which is checked as all WebAssembly is. Another child, which runs nothing of
//! the rule, makes the machine code that is mapped here.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use wasmtime::component::{Component, Instance};
use wasmtime::{Config, Engine, Store};
use wasmtime_wizer::Wizer;

use super::confinement;
use super::snapshot::{Peek, run_ready};
use crate::rules::limits::{CONFIGURE_DEADLINE_MS, CONFIGURE_FUEL_FACTOR, CONFIGURE_STACK_BYTES_MAX, Limits};
use crate::rules::run::call::{configure_instance, fault_of, set_budget};
use crate::rules::run::engine::{self, clock};
use crate::rules::run::guest::{self, Guest};
use crate::rules::run::rule::Exports;
use crate::rules::tables::Tables;
use crate::rules::text::{cut, shown};

/// The longest that a rule's complaints about its settings are shown, in bytes: a table may have many rows that are wrong.
const COMPLAINTS_BYTES_MAX: usize = 32 << 10;

/// What the child sends before its machine code or its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reply {
    /// A sentence: why the rule was refused.
    Refused = 0,
    /// Machine code that has its settings, or needs none.
    Ready = 1,
    /// Machine code whose instances must each be handed their settings.
    ConfigureEachCall = 2,
}

/// The part of the work that a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Hands the rule its settings; replies with the component that has them in its memory, or with nothing where the one that
    /// it was given stands.
    Settle,
    /// Makes machine code, and runs nothing.
    Compile(Means),
}

/// How a component is compiled. The code of either does the same, or the component is not deterministic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// As it serves.
    Usual,
    /// Without optimisation: to be compared with the other.
    Plain,
}

impl Reply {
    /// The reply that a byte stands for.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Reply::Refused),
            1 => Some(Reply::Ready),
            2 => Some(Reply::ConfigureEachCall),
            _ => None,
        }
    }
}

/// Writes a job for the child.
pub fn write_job(to: &mut impl Write, settings: &str, component: &[u8]) -> io::Result<()> {
    to.write_all(&(settings.len() as u64).to_le_bytes())?;
    to.write_all(settings.as_bytes())?;
    to.write_all(component)
}

fn read_job(from: &mut impl Read) -> io::Result<(String, Vec<u8>)> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let mut settings = String::new();
    from.take(u64::from_le_bytes(length)).read_to_string(&mut settings)?;
    let mut component = Vec::new();
    from.read_to_end(&mut component)?;
    Ok((settings, component))
}

/// The child's whole life: limits itself, reads a job from standard input, writes the reply to standard output.
pub fn run_child(memory_mib: u64, cpu_s: u64, task: Task) -> ExitCode {
    let reply = limit_self(memory_mib, cpu_s).and_then(|()| {
        confinement::confine_self();
        let (settings, component) = read_job(&mut io::stdin().lock())?;
        let done = match task {
            Task::Settle => settle(&component, &settings),
            Task::Compile(means) => compile(&component, means).map(|code| (Reply::Ready, code)),
        };
        let (reply, bytes) = match done {
            Ok(done) => done,
            Err(message) => (Reply::Refused, message.into_bytes()),
        };
        let mut out = io::stdout().lock();
        out.write_all(&[reply as u8])?;
        out.write_all(&bytes)?;
        out.flush()
    });
    match reply {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Lets this process end with its parent, which alone reads the result, and bounds its memory and time. Of memory it bounds the
/// data and not the address space: an untouched range costs nothing, and the engine reserves a lot.
fn limit_self(memory_mib: u64, cpu_s: u64) -> io::Result<()> {
    let at_most = |n: u64| Rlimit { current: Some(n), maximum: Some(n) };
    set_parent_process_death_signal(Some(Signal::KILL))?;
    setrlimit(Resource::Data, at_most(memory_mib << 20))?;
    setrlimit(Resource::Cpu, at_most(cpu_s))?;
    setrlimit(Resource::Core, at_most(0))?;
    Ok(())
}

fn settle(component: &[u8], settings: &str) -> Result<(Reply, Vec<u8>), String> {
    Ok(match with_settings(component, settings)? {
        Settled::InMemory(component) => (Reply::Ready, component),
        Settled::NotNeeded => (Reply::Ready, Vec::new()),
        Settled::EachCall => (Reply::ConfigureEachCall, Vec::new()),
    })
}

fn compile(component: &[u8], means: Means) -> Result<Vec<u8>, String> {
    let config = match means {
        Means::Usual => engine::code_config(),
        Means::Plain => engine::plain_config(),
    };
    let engine = Engine::new(&config).map_err(|e| format!("{e:#}"))?;
    engine.precompile_component(component).map_err(|e| format!("it does not compile: {e:#}"))
}

enum Settled {
    /// The component as it is after `configure`.
    InMemory(Vec<u8>),
    NotNeeded,
    EachCall,
}

fn with_settings(component: &[u8], settings: &str) -> Result<Settled, String> {
    let mut wizer = Wizer::new();
    wizer.keep_init_func(true);
    // Some components cannot be taken apart like this (several memories, for one): those are configured at each call.
    let instrumented = wizer.instrument_component(component).ok();
    let bytes = instrumented.as_ref().map_or(component, |(_, bytes)| bytes.as_slice());
    let (engine, runnable) = to_run_once(bytes).map_err(|e| format!("it does not compile: {e:#}"))?;
    clock::start(&engine).map_err(|e| e.to_string())?;
    let Some((mut store, instance)) = configured(&engine, &runnable, settings)? else {
        return Ok(Settled::NotNeeded);
    };
    let Some((context, _)) = &instrumented else {
        return Ok(Settled::EachCall);
    };
    let mut peek = Peek::new(&mut store, instance);
    let snapshot = run_ready(wizer.snapshot_component(context, &mut peek));
    match (snapshot, peek.failure()) {
        (Some(Ok(bytes)), None) => Ok(Settled::InMemory(bytes)),
        _ => Ok(Settled::EachCall),
    }
}

/// A component that is compiled once more, to be run once: quickly is better than well.
fn to_run_once(component: &[u8]) -> wasmtime::Result<(Engine, Component)> {
    let by = |mut config: Config| {
        config.async_stack_size(CONFIGURE_STACK_BYTES_MAX).max_wasm_stack(CONFIGURE_STACK_BYTES_MAX);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, component)?;
        Ok((engine, component))
    };
    by(engine::baseline_config()).or_else(|_| by(engine::plain_config()))
}

/// An instance that has taken its settings; `None` if the component takes none.
fn configured(
    engine: &Engine,
    component: &Component,
    settings: &str,
) -> Result<Option<(Store<Guest>, Instance)>, String> {
    let Some(configure) = Exports::of(component).configure else {
        return if settings == "{}" {
            Ok(None)
        } else {
            Err("its manifest has [settings], and the component takes none: it does not export \
                 `settings`"
                .to_owned())
        };
    };
    let limits = Limits::DEFAULT;
    let guest = Guest::new(Limits::CEILING, Arc::new(Tables::default()), Arc::from([]));
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.limiter);
    let fuel = limits.fuel.saturating_mul(CONFIGURE_FUEL_FACTOR);
    let run = |store: &mut Store<Guest>| {
        set_budget(store, fuel, CONFIGURE_DEADLINE_MS)?;
        let instance = guest::linker(engine)?.instantiate(&mut *store, component)?;
        let answer = configure_instance(&instance, store, configure, settings)?;
        Ok((instance, answer))
    };
    match run(&mut store) {
        Ok((instance, Ok(()))) => Ok(Some((store, instance))),
        Ok((_, Err(problems))) => Err(format!("it refuses its settings: {}", told(&problems))),
        Err(error) => {
            let fault = fault_of(&error, store.data(), &Limits { fuel, deadline_ms: CONFIGURE_DEADLINE_MS, ..limits });
            Err(format!("it failed on its settings: {fault}"))
        }
    }
}

/// The complaints of a rule, as far as a person reads it.
fn told(problems: &[String]) -> String {
    let mut text = String::new();
    for problem in problems {
        text += if text.is_empty() { "" } else { "; " };
        text += problem.get(..problem.floor_char_boundary(COMPLAINTS_BYTES_MAX)).unwrap_or_default();
        if text.len() > COMPLAINTS_BYTES_MAX {
            break;
        }
    }
    cut(shown(&text), COMPLAINTS_BYTES_MAX)
}
