//! From bytes to a component that can be asked: the cache first, a child process where the cache has nothing.
//!
//! Compiled code is machine code, and loading it is trusting it. So it comes only from our own cache; a file there that is
//! damaged, foreign or tampered with is compiled again.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::{Cache, CacheError, Entry};
use super::compiler::{Means, Reply, Task, write_job};
use crate::rules::digest::Digest;
use crate::rules::run::determinism::Verdict;
use crate::rules::run::engine::compatibility;
use crate::rules::source::Source;

/// The most that a child may send back, in bytes: a Python component compiles to some 60 MB.
const REPLY_BYTES_MAX: u64 = 512 << 20;

/// The program that runs, even when its file was replaced by another version: what that one compiles does not load here.
pub const THIS_PROGRAM: &str = "/proc/self/exe";

/// Why a component could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    #[error("{0}")]
    Refused(String),
    #[error("it took longer than {0} s to compile")]
    TooLong(u64),
    #[error("the compiler died ({status}): it needed more than its limits of memory or processor time allow")]
    Died { status: String },
    #[error("the compiler cannot be started from {program}: {source}", program = program.display())]
    NotStarted { program: PathBuf, source: io::Error },
    #[error("the compiled code does not load: {0:#}")]
    NotLoadable(wasmtime::Error),
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl CompileError {
    /// Whether it says nothing about the component: the machine had no room for a compiler, or the program was being replaced.
    /// Then it is worth trying again.
    pub fn is_passing(&self) -> bool {
        matches!(self, CompileError::NotStarted { .. })
    }
}

/// A component, and whether each of its instances has to be handed its settings.
pub struct Compiled {
    pub component: Component,
    pub configure_each_call: bool,
    /// Whether the cache had it.
    pub cached: bool,
}

/// The memory of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It has passed its manifest's examples.
    Examples,
    /// It decides on the largest text that a form takes.
    Largest,
}

/// What the compiling process may use.
#[derive(Debug, Clone, Copy)]
pub struct CompileLimits {
    pub timeout_s: u64,
    pub memory_mib: u64,
}

/// Compiles, and remembers what it has compiled.
pub struct Compiler {
    engine: Engine,
    /// The program that, called with `compile-rule`, is [`super::compiler::run_child`].
    program: PathBuf,
    limits: CompileLimits,
    cache: Cache,
    compatibility: u64,
}

impl Compiler {
    /// Makes the cache where it is missing.
    ///
    /// # Errors
    ///
    /// [`CompileError::Cache`] if it cannot be used, or not safely.
    pub fn new(engine: &Engine, program: PathBuf, cache: PathBuf, limits: CompileLimits) -> Result<Self, CompileError> {
        let cache = Cache::open(cache)?;
        let compatibility = compatibility(engine);
        Ok(Self { engine: engine.clone(), program, limits, cache, compatibility })
    }

    /// The component with its settings in it.
    ///
    /// # Errors
    ///
    /// Says why it is refused, or what went wrong.
    pub fn compile(&self, digest: Digest, wasm: &[u8], settings: &str) -> Result<Compiled, CompileError> {
        let name = format!("{digest}-{}-{:016x}", Digest::of(settings.as_bytes()), self.compatibility);
        let entry = self.cache.entry(name, "cwasm");
        if let Some((reply, component)) = self.load_cached(&entry) {
            return Ok(Compiled { component, configure_each_call: reply == Reply::ConfigureEachCall, cached: true });
        }
        let (reply, code) = self.machine_code(wasm, settings, Means::Usual)?;
        if let Err(error) = self.cache.keep(&entry, reply as u8, &code) {
            tracing::warn!(file = %entry.file.display(), %error, "compiled code was not kept: the next start compiles again");
        }
        // As the next start will have it.
        let from_file = self.load_cached(&entry).map(|(_, component)| component);
        let component = match from_file {
            Some(component) => component,
            None => load(&self.engine, &code).map_err(CompileError::NotLoadable)?,
        };
        Ok(Compiled { component, configure_each_call: reply == Reply::ConfigureEachCall, cached: false })
    }

    /// The component with its settings in it, compiled by other means than it serves with, for an engine of
    /// [`crate::rules::run::engine::open_plain`]. It is not kept.
    ///
    /// # Errors
    ///
    /// Says why it is refused, or what went wrong.
    pub fn compile_plainly(&self, engine: &Engine, wasm: &[u8], settings: &str) -> Result<Compiled, CompileError> {
        let (reply, code) = self.machine_code(wasm, settings, Means::Plain)?;
        let component = load(engine, &code).map_err(CompileError::NotLoadable)?;
        Ok(Compiled { component, configure_each_call: reply == Reply::ConfigureEachCall, cached: false })
    }

    /// Whether something is known of a component and its manifest, under this version of everything. It need not be found out
    /// again: what reference tables hold now has no say in whether a rule may serve.
    pub fn is_known(&self, component: Digest, manifest: Digest, known: Known) -> bool {
        self.cache.find(&self.proof(component, manifest, known)).is_some()
    }

    /// Remembers something of a component and its manifest.
    pub fn know(&self, component: Digest, manifest: Digest, known: Known) {
        let entry = self.proof(component, manifest, known);
        if let Err(error) = self.cache.keep(&entry, Reply::Ready as u8, &[]) {
            tracing::warn!(file = %entry.file.display(), %error, "a proof was not kept: the next start asks for it again");
        }
    }

    fn proof(&self, component: Digest, manifest: Digest, known: Known) -> Entry {
        let what = match known {
            Known::Examples => "examples",
            Known::Largest => "largest",
        };
        self.cache.entry(format!("{component}-{manifest}-{:016x}-{what}", self.compatibility), "proof")
    }

    /// What was found out about a component and its manifest before, by this version of everything.
    pub fn recall(&self, component: Digest, manifest: Digest) -> Option<Verdict> {
        let (about, mut file) = self.cache.find(&self.verdict(component, manifest))?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        match Reply::from_byte(about)? {
            Reply::Refused => Some(Err(text)),
            Reply::Ready | Reply::ConfigureEachCall => Some(Ok(())),
        }
    }

    /// Remembers what was found out.
    pub fn remember(&self, component: Digest, manifest: Digest, verdict: &Verdict) {
        let entry = self.verdict(component, manifest);
        let (reply, text) = match verdict {
            Ok(()) => (Reply::Ready, ""),
            Err(why) => (Reply::Refused, why.as_str()),
        };
        if let Err(error) = self.cache.keep(&entry, reply as u8, text.as_bytes()) {
            tracing::warn!(file = %entry.file.display(), %error, "a verdict was not kept: the next start finds it again");
        }
    }

    fn verdict(&self, component: Digest, manifest: Digest) -> Entry {
        let name = format!("{component}-{manifest}-{:016x}-compared", self.compatibility);
        self.cache.entry(name, "verdict")
    }

    /// Keeps a component as it was shipped.
    pub fn keep(&self, wasm: &[u8], digest: Digest) -> Source {
        self.cache.keep_source(wasm, digest)
    }

    /// A cached component, if its file is whole and ours.
    fn load_cached(&self, entry: &Entry) -> Option<(Reply, Component)> {
        let (reply, file) = self.cache.find(entry)?;
        Some((Reply::from_byte(reply)?, self.map(&file).ok()?))
    }

    /// Maps the copy that was just checked, by its descriptor.
    #[expect(unsafe_code, reason = "loading machine code is unsafe in wasmtime; see SAFETY")]
    fn map(&self, file: &File) -> wasmtime::Result<Component> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: the MAC over these bytes was checked, so `Engine::precompile_component` of this very program made them. They
        // are in a file of this process's own memory, which has no name and is sealed: it cannot be written to or cut off.
        unsafe { Component::deserialize_file(&self.engine, path) }
    }

    /// The machine code of a component, and whether its instances must each be handed their settings.
    fn machine_code(&self, wasm: &[u8], settings: &str, means: Means) -> Result<(Reply, Vec<u8>), CompileError> {
        let refused = |why: Vec<u8>| CompileError::Refused(String::from_utf8_lossy(&why).into_owned());
        let (settled, with_settings) = self.in_child(wasm, settings, Task::Settle)?;
        if settled == Reply::Refused {
            return Err(refused(with_settings));
        }
        let component = if with_settings.is_empty() { wasm } else { &with_settings };
        match self.in_child(component, "{}", Task::Compile(means))? {
            (Reply::Refused, why) => Err(refused(why)),
            (_, code) => Ok((settled, code)),
        }
    }

    fn in_child(&self, wasm: &[u8], settings: &str, task: Task) -> Result<(Reply, Vec<u8>), CompileError> {
        let mut child = self.spawn(task)?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CompileError::Died { status: "it has no pipes".to_owned() });
        };
        let timeout = Duration::from_secs(self.limits.timeout_s);
        let reply = thread::scope(|scope| {
            // A child that dies early breaks this pipe; its exit status tells more than the broken pipe would.
            let writer = thread::Builder::new().spawn_scoped(scope, move || write_job(&mut stdin, settings, wasm));
            writer.and_then(|_| read_reply(stdout, timeout, &mut child))
        });
        if reply.is_err() {
            // It may have ended by itself, which is as good.
            let _ = child.kill();
        }
        let status = child.wait();
        match reply.map_err(|source| self.not_started(source))? {
            None => Err(CompileError::TooLong(self.limits.timeout_s)),
            // A child that was killed while it wrote has sent a part, which is nothing.
            Some(bytes) => Some(bytes)
                .filter(|bytes| status.as_ref().is_ok_and(|s| s.success()) && (bytes.len() as u64) < REPLY_BYTES_MAX)
                .and_then(split_reply)
                .ok_or_else(|| CompileError::Died { status: status.map_or_else(|e| e.to_string(), |s| s.to_string()) }),
        }
    }

    fn spawn(&self, task: Task) -> Result<Child, CompileError> {
        Command::new(&self.program)
            .arg0("ruledesk")
            .arg("compile-rule")
            .arg("--memory-mib")
            .arg(self.limits.memory_mib.to_string())
            .arg("--cpu-s")
            // Two threads compile at once where there are two cores.
            .arg(self.limits.timeout_s.saturating_mul(2).to_string())
            .args(match task {
                Task::Settle => Some("--settle"),
                Task::Compile(Means::Plain) => Some("--plainly"),
                Task::Compile(Means::Usual) => None,
            })
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| self.not_started(source))
    }

    fn not_started(&self, source: io::Error) -> CompileError {
        CompileError::NotStarted { program: self.program.clone(), source }
    }
}

#[expect(unsafe_code, reason = "loading machine code is unsafe in wasmtime; see SAFETY")]
fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes were made by `Engine::precompile_component` in a child process of this very program that has run
    // nothing of the rule, and reached us through its pipe.
    unsafe { Component::deserialize(engine, code) }
}

/// All that the child sends; `None`, and the child killed, if it takes too long. An error where there is no thread to read
/// with.
fn read_reply(stdout: ChildStdout, timeout: Duration, child: &mut Child) -> io::Result<Option<Vec<u8>>> {
    let (send, receive) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is cut off, and so refused below.
        let _ = stdout.take(REPLY_BYTES_MAX).read_to_end(&mut bytes);
        let _ = send.send(bytes);
    })?;
    let reply = receive.recv_timeout(timeout).ok();
    if reply.is_none() {
        // It may have ended by itself in the meantime, which is as good.
        let _ = child.kill();
    }
    Ok(reply)
}

fn split_reply(mut bytes: Vec<u8>) -> Option<(Reply, Vec<u8>)> {
    let reply = Reply::from_byte(*bytes.first()?)?;
    Some((reply, bytes.split_off(1)))
}
