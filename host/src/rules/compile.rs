//! From bytes to a component that can be asked: the cache first, a child process where the cache has nothing.
//!
//! Compiled code is machine code, and loading it is trusting it. So it comes only from our own cache, where each file
//! carries a MAC under a key that only this desk has. A file that is damaged, foreign or tampered with is compiled anew.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::compiler::{Means, Reply, write_job};
use super::determinism::Verdict;
use super::digest::Digest;
use super::engine::compatibility;
use super::source::Source;

type HmacSha256 = Hmac<Sha256>;

/// How much of a file is read at a time to check its MAC, in bytes.
const MAC_BLOCK_BYTES: usize = 256 << 10;
/// The most that a child may send back, in bytes: a Python component compiles to some 60 MB.
const REPLY_BYTES_MAX: u64 = 512 << 20;

/// Counts the files that this process has written, so that each has a name of its own until it is whole.
static WRITES: AtomicU64 = AtomicU64::new(0);

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

/// The two files of a cached component: its machine code, and the reply with the MAC (HMAC-SHA-256, RFC 2104) over both
/// and the name.
struct Cached {
    code: PathBuf,
    mac: PathBuf,
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
    pub fn compile(&self, digest: Digest, wasm: &[u8], settings: &str) -> Result<Compiled, CompileError> {
        let name = format!("{digest}-{}-{:016x}", Digest::of(settings.as_bytes()), self.compatibility);
        let cached =
            Cached { code: self.cache.join(format!("{name}.cwasm")), mac: self.cache.join(format!("{name}.mac")) };
        if let Some((reply, component)) = self.load_cached(&cached, &name) {
            return Ok(Compiled { component, configure_each_call: reply == Reply::ConfigureEachCall, cached: true });
        }
        let (reply, code) = self.in_child(wasm, settings, Means::Usual)?;
        if reply == Reply::Refused {
            return Err(CompileError::Refused(String::from_utf8_lossy(&code).into_owned()));
        }
        if let Err(error) = self.write_cached(&cached, &name, reply, &code) {
            tracing::warn!(file = %cached.code.display(), %error, "compiled code was not kept: the next start compiles again");
        }
        // From the file where there is one: what is mapped from a file needs memory only where it is used.
        let from_file = self.load_cached(&cached, &name).map(|(_, component)| component);
        let component = match from_file {
            Some(component) => component,
            None => self.load(&code).map_err(CompileError::NotLoadable)?,
        };
        Ok(Compiled { component, configure_each_call: reply == Reply::ConfigureEachCall, cached: false })
    }

    /// The component with its settings in it, compiled by other means than it serves with. It is not kept.
    ///
    /// # Errors
    ///
    /// Says why it is refused, or what went wrong.
    pub fn compile_plainly(&self, wasm: &[u8], settings: &str) -> Result<Compiled, CompileError> {
        let (reply, code) = self.in_child(wasm, settings, Means::Plain)?;
        if reply == Reply::Refused {
            return Err(CompileError::Refused(String::from_utf8_lossy(&code).into_owned()));
        }
        let component = self.load(&code).map_err(CompileError::NotLoadable)?;
        Ok(Compiled { component, configure_each_call: reply == Reply::ConfigureEachCall, cached: false })
    }

    /// What was found out about a component and its manifest before, by this version of everything.
    pub fn recall(&self, component: Digest, manifest: Digest) -> Option<Verdict> {
        let (name, cached) = self.verdict_file(component, manifest);
        let mac = fs::read(&cached.mac).ok()?;
        let (reply, mac) = mac.split_first()?;
        let text = fs::read(&cached.code).ok()?;
        self.mac_of(&name, *reply, &mut &*text).ok()?.verify_slice(mac).ok()?;
        match Reply::from_byte(*reply)? {
            Reply::Refused => Some(Err(String::from_utf8(text).ok()?)),
            Reply::Ready | Reply::ConfigureEachCall => Some(Ok(())),
        }
    }

    /// Remembers what was found out.
    pub fn remember(&self, component: Digest, manifest: Digest, verdict: &Verdict) {
        let (name, cached) = self.verdict_file(component, manifest);
        let (reply, text) = match verdict {
            Ok(()) => (Reply::Ready, ""),
            Err(why) => (Reply::Refused, why.as_str()),
        };
        if let Err(error) = self.write_cached(&cached, &name, reply, text.as_bytes()) {
            tracing::warn!(file = %cached.code.display(), %error, "a verdict was not kept: the next start finds it again");
        }
    }

    fn verdict_file(&self, component: Digest, manifest: Digest) -> (String, Cached) {
        let name = format!("{component}-{manifest}-{:016x}-determinism", self.compatibility);
        let file = |ending: &str| self.cache.join(format!("{name}.{ending}"));
        let cached = Cached { code: file("verdict"), mac: file("mac") };
        (name, cached)
    }

    /// Keeps a component as it was shipped.
    pub fn keep(&self, wasm: &[u8], digest: Digest) -> Source {
        Source::keep(wasm, digest, &self.cache)
    }

    #[expect(unsafe_code, reason = "loading machine code is unsafe in wasmtime; see SAFETY")]
    fn load(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: the bytes were made by `Engine::precompile_component` in a child process of this very program, and
        // reached us through its pipe.
        unsafe { Component::deserialize(&self.engine, code) }
    }

    /// A cached component, if its file is whole and ours.
    fn load_cached(&self, cached: &Cached, name: &str) -> Option<(Reply, Component)> {
        let mac = fs::read(&cached.mac).ok()?;
        let (reply, mac) = mac.split_first()?;
        let mut file = fs::File::open(&cached.code).ok()?;
        let expected = self.mac_of(name, *reply, &mut file).ok()?;
        if expected.verify_slice(mac).is_err() {
            tracing::warn!(file = %cached.code.display(), "compiled code in the cache is damaged or not ours: it is compiled anew");
            return None;
        }
        Some((Reply::from_byte(*reply)?, self.map(&file).ok()?))
    }

    /// Maps the file that was just checked: by its descriptor, so that nobody can put another in its place.
    #[expect(unsafe_code, reason = "loading machine code is unsafe in wasmtime; see SAFETY")]
    fn map(&self, file: &fs::File) -> wasmtime::Result<Component> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: the MAC over this file's bytes was checked, so `Engine::precompile_component` of this very program made
        // them. The file lies in a directory that only this user may enter, is never written to after it got its name,
        // and whoever could write to it as this user could as well write to this process.
        unsafe { Component::deserialize_file(&self.engine, path) }
    }

    fn mac_of(&self, name: &str, reply: u8, code: &mut impl Read) -> io::Result<HmacSha256> {
        // The key has the length that HMAC takes; a slice of any length is allowed, so this cannot fail.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
        let mut mac = HmacSha256::new_from_slice(&self.key).expect("HMAC takes any key");
        mac.update(name.as_bytes());
        mac.update(&[reply]);
        let mut block = vec![0; MAC_BLOCK_BYTES];
        loop {
            let read = code.read(&mut block)?;
            match block.get(..read) {
                None | Some([]) => return Ok(mac),
                Some(bytes) => mac.update(bytes),
            }
        }
    }

    fn write_cached(&self, cached: &Cached, name: &str, reply: Reply, code: &[u8]) -> io::Result<()> {
        let mut mac = vec![reply as u8];
        mac.extend(self.mac_of(name, reply as u8, &mut &*code)?.finalize().into_bytes());
        // A MAC without its code, or with another's, is no MAC: so the order does not matter.
        for (file, bytes) in [(&cached.code, code), (&cached.mac, mac.as_slice())] {
            // A name of its own for each: a file is never written to once it may be mapped.
            let number = WRITES.fetch_add(1, Ordering::Relaxed);
            let temporary = file.with_extension(format!("{}-{number}.tmp", std::process::id()));
            fs::write(&temporary, bytes)?;
            fs::rename(&temporary, file)?;
        }
        Ok(())
    }

    fn in_child(&self, wasm: &[u8], settings: &str, means: Means) -> Result<(Reply, Vec<u8>), CompileError> {
        let mut child = self.spawn(means)?;
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
            // A child that was killed while it wrote has sent a part, which is nothing.
            Some(bytes) => Some(bytes)
                .filter(|bytes| status.as_ref().is_ok_and(|s| s.success()) && (bytes.len() as u64) < REPLY_BYTES_MAX)
                .and_then(split_reply)
                .ok_or_else(|| CompileError::Died { status: status.map_or_else(|e| e.to_string(), |s| s.to_string()) }),
        }
    }

    fn spawn(&self, means: Means) -> Result<Child, CompileError> {
        Command::new(&self.program)
            .arg("compile-rule")
            .arg("--memory-mib")
            .arg(self.limits.memory_mib.to_string())
            .arg("--cpu-s")
            // Two threads compile at once where there are two cores.
            .arg(self.limits.timeout_s.saturating_mul(2).to_string())
            .args((means == Means::Plain).then_some("--plainly"))
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
    let read_key = || <[u8; 32]>::try_from(fs::read(&file).ok()?).ok();
    if let Some(key) = read_key() {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let temporary = cache.join(format!("key-{}-{number}.tmp", std::process::id()));
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?.write_all(&key)?;
    // Desks that share a cache may be started at the same moment: the first one's key stays, unless it is damaged.
    let linked = fs::hard_link(&temporary, &file);
    match (linked, read_key()) {
        (Err(_), Some(theirs)) => key = theirs,
        (Err(_), None) => return fs::rename(&temporary, &file).map(|()| key),
        (Ok(()), _) => {}
    }
    fs::remove_file(&temporary)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_opens_a_cache_at_the_same_moment_gets_one_key() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = dir.path().join("cache");
        let keys: Vec<[u8; 32]> = thread::scope(|scope| {
            let opening: Vec<_> = (0..16).map(|_| scope.spawn(|| open_cache(&cache).unwrap())).collect();
            opening.into_iter().map(|opening| opening.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        assert_eq!(open_cache(&cache).unwrap(), keys[0]);
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 1, "nothing but the key is left");

        fs::write(cache.join("key"), [1; 7]).unwrap();
        let mended = open_cache(&cache).unwrap();
        assert_ne!(mended, keys[0]);
        assert_eq!(open_cache(&cache).unwrap(), mended);
    }
}
