//! From bytes to a component that can be asked: the cache first, a child process where the cache has nothing.
//!
//! Compiled code is machine code, and loading it is trusting it. So it comes only from our own cache, where each file
//! carries a MAC under a key that only this desk has. A file that is damaged, foreign or tampered with is compiled anew.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::compiler::{Reply, write_job};
use super::digest::Digest;
use super::engine::compatibility;

type HmacSha256 = Hmac<Sha256>;

/// Bytes of a MAC (HMAC-SHA-256, RFC 2104).
const MAC_BYTES: usize = 32;
/// The most that a child may send back, in bytes: a Python component compiles to some 60 MB.
const REPLY_BYTES_MAX: u64 = 512 << 20;

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
    #[error("the cache at {path} cannot be used: {source}", path = path.display())]
    Cache { path: PathBuf, source: io::Error },
}

/// A component, and whether each of its instances has to be handed its settings.
pub struct Compiled {
    pub component: Component,
    pub configure_each_call: bool,
    /// Whether the cache had it.
    pub cached: bool,
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
    cache: PathBuf,
    key: [u8; 32],
    compatibility: u64,
}

impl Compiler {
    /// Makes the cache directory and its key where they are missing.
    ///
    /// # Errors
    ///
    /// [`CompileError::Cache`] if the directory cannot be made, read or written.
    pub fn new(engine: &Engine, program: PathBuf, cache: PathBuf, limits: CompileLimits) -> Result<Self, CompileError> {
        let key = open_cache(&cache).map_err(|source| CompileError::Cache { path: cache.clone(), source })?;
        let compatibility = compatibility(engine);
        Ok(Self { engine: engine.clone(), program, limits, cache, key, compatibility })
    }

    /// The component with its settings in it.
    ///
    /// # Errors
    ///
    /// Says why it is refused, or what went wrong.
    pub fn compile(&self, wasm: &[u8], settings: &str) -> Result<Compiled, CompileError> {
        let name =
            format!("{}-{}-{:016x}.cwasm", Digest::of(wasm), Digest::of(settings.as_bytes()), self.compatibility);
        let file = self.cache.join(&name);
        if let Some((reply, code)) = self.read_cached(&file, &name)
            && let Ok(component) = self.load(&code)
        {
            let configure_each_call = reply == Reply::ConfigureEachCall;
            return Ok(Compiled { component, configure_each_call, cached: true });
        }
        let (reply, code) = self.in_child(wasm, settings)?;
        if reply == Reply::Refused {
            return Err(CompileError::Refused(String::from_utf8_lossy(&code).into_owned()));
        }
        let component = self.load(&code).map_err(CompileError::NotLoadable)?;
        if let Err(error) = self.write_cached(&file, &name, reply, &code) {
            tracing::warn!(file = %file.display(), %error, "compiled code was not kept: the next start compiles again");
        }
        Ok(Compiled { component, configure_each_call: reply == Reply::ConfigureEachCall, cached: false })
    }

    #[expect(unsafe_code, reason = "loading machine code is unsafe in wasmtime; see SAFETY")]
    fn load(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: the bytes were made by `Engine::precompile_component` in a child process of this very program, and
        // reached us through its pipe or from a cache file whose MAC was checked over these same bytes in memory.
        unsafe { Component::deserialize(&self.engine, code) }
    }

    fn mac(&self, name: &str, body: &[u8]) -> HmacSha256 {
        // The key has the length that HMAC takes; a slice of any length is allowed, so this cannot fail.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
        let mut mac = HmacSha256::new_from_slice(&self.key).expect("HMAC takes any key");
        mac.update(name.as_bytes());
        mac.update(body);
        mac
    }

    /// A cached file's reply and code, if it is whole and ours.
    fn read_cached(&self, file: &Path, name: &str) -> Option<(Reply, Vec<u8>)> {
        let mut bytes = fs::read(file).ok()?;
        let (mac, body) = bytes.split_at_checked(MAC_BYTES)?;
        if self.mac(name, body).verify_slice(mac).is_err() {
            tracing::warn!(file = %file.display(), "compiled code in the cache is damaged or not ours: it is compiled anew");
            return None;
        }
        let reply = Reply::from_byte(*body.first()?)?;
        Some((reply, bytes.split_off(MAC_BYTES + 1)))
    }

    fn write_cached(&self, file: &Path, name: &str, reply: Reply, code: &[u8]) -> io::Result<()> {
        let mut body = Vec::with_capacity(code.len() + 1);
        body.push(reply as u8);
        body.extend_from_slice(code);
        let temporary = file.with_extension(format!("{}.tmp", std::process::id()));
        let mut out = fs::File::create(&temporary)?;
        out.write_all(&self.mac(name, &body).finalize().into_bytes())?;
        out.write_all(&body)?;
        fs::rename(&temporary, file)
    }

    fn in_child(&self, wasm: &[u8], settings: &str) -> Result<(Reply, Vec<u8>), CompileError> {
        let mut child = self.spawn()?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CompileError::Died { status: "it has no pipes".to_owned() });
        };
        let reply = thread::scope(|scope| {
            // A child that dies early breaks this pipe; its exit status tells more than the broken pipe would.
            scope.spawn(move || write_job(&mut stdin, settings, wasm));
            read_reply(stdout, Duration::from_secs(self.limits.timeout_s), &mut child)
        });
        let status = child.wait();
        match reply {
            None => Err(CompileError::TooLong(self.limits.timeout_s)),
            Some(bytes) => split_reply(bytes)
                .ok_or_else(|| CompileError::Died { status: status.map_or_else(|e| e.to_string(), |s| s.to_string()) }),
        }
    }

    fn spawn(&self) -> Result<Child, CompileError> {
        Command::new(&self.program)
            .arg("compile-rule")
            .arg("--memory-mib")
            .arg(self.limits.memory_mib.to_string())
            .arg("--cpu-s")
            // Two threads compile at once where there are two cores.
            .arg(self.limits.timeout_s.saturating_mul(2).to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| CompileError::NotStarted { program: self.program.clone(), source })
    }
}

/// All that the child sends; `None`, and the child killed, if it takes too long.
fn read_reply(stdout: ChildStdout, timeout: Duration, child: &mut Child) -> Option<Vec<u8>> {
    let (send, receive) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is cut off, and so refused below.
        let _ = stdout.take(REPLY_BYTES_MAX).read_to_end(&mut bytes);
        let _ = send.send(bytes);
    });
    let reply = receive.recv_timeout(timeout).ok();
    if reply.is_none() {
        // It may have ended by itself in the meantime, which is as good.
        let _ = child.kill();
    }
    reply
}

fn split_reply(mut bytes: Vec<u8>) -> Option<(Reply, Vec<u8>)> {
    let reply = Reply::from_byte(*bytes.first()?)?;
    Some((reply, bytes.split_off(1)))
}

/// Makes the directory and the key, for the owner's eyes only.
fn open_cache(cache: &Path) -> io::Result<[u8; 32]> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(cache)?;
    let file = cache.join("key");
    if let Ok(bytes) = fs::read(&file)
        && let Ok(key) = <[u8; 32]>::try_from(bytes)
    {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file)?;
    out.write_all(&key)?;
    Ok(key)
}
