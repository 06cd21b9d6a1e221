//! Runs Cargo for a rule in Rust: the one place that knows target, profile and fallback.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::Failure;

const TARGET: &str = "wasm32-unknown-unknown";
/// How rules are compiled: small enough to compile quickly in the desk, fast enough to run there. Given on the command
/// line, so that an author's own workspace needs no entry for it.
const PROFILE: [&str; 7] = [
    "profile.rule.inherits=\"release\"",
    "profile.rule.opt-level=3",
    "profile.rule.lto=\"fat\"",
    "profile.rule.codegen-units=1",
    "profile.rule.panic=\"abort\"",
    "profile.rule.strip=true",
    // A megabyte of stack is the default, and all of a component's memory is looked through after every call. What does
    // not fit traps, because the stack lies lowest.
    "target.wasm32-unknown-unknown.rustflags=[\"-Clink-arg=-zstack-size=131072\"]",
];
/// Debian's compiler, which can build the standard library itself where the target cannot be downloaded.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/std";

/// Which compiler builds for WebAssembly here.
pub enum Toolchain {
    /// rustup's, with the target installed.
    Rustup,
    /// Debian's, with the standard library's source.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// Looks for a compiler that can.
    ///
    /// # Errors
    ///
    /// Says what to install.
    pub fn find() -> Result<Self, Failure> {
        let libdir = rustc(&["--print", "target-libdir", "--target", TARGET])?;
        if Path::new(&libdir).is_dir() {
            return Ok(Toolchain::Rustup);
        }
        if Path::new(DEBIAN_RUSTC).exists() && Path::new(DEBIAN_STD).exists() {
            let sysroot = rustc(&["--print", "sysroot"])?;
            let host = rustc(&["--print", "host-tuple"])?;
            let linker = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
            return Ok(Toolchain::Debian { linker });
        }
        Err(format!(
            "this machine cannot compile for {TARGET}: run `rustup target add {TARGET}`, or install Debian's \
             packages rustc-web and rust-web-src"
        )
        .into())
    }

    /// The core module of the package in a directory.
    ///
    /// # Errors
    ///
    /// Where Cargo fails; what it says has been printed already.
    pub fn build(&self, directory: &Path) -> Result<Vec<u8>, Failure> {
        let manifest = directory.join("Cargo.toml");
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--lib", "--profile", "rule", "--target", TARGET]);
        for setting in PROFILE {
            cargo.args(["--config", setting]);
        }
        if let Toolchain::Debian { linker } = self {
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        let output = cargo
            .arg("--message-format=json-render-diagnostics")
            .arg("--manifest-path")
            .arg(&manifest)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| format!("cargo cannot be started: {e}"))?;
        if !output.status.success() {
            return Err(format!("{}: it does not build", directory.display()).into());
        }
        let module = module_of(&output.stdout).ok_or_else(|| {
            format!(
                "{}: Cargo made no .wasm file: set `crate-type = [\"cdylib\", \"rlib\"]` under [lib]",
                manifest.display()
            )
        })?;
        std::fs::read(&module).map_err(|e| format!("{} cannot be read: {e}", module.display()).into())
    }
}

/// The module among Cargo's messages: the last artifact is the package itself.
fn module_of(messages: &[u8]) -> Option<PathBuf> {
    let messages = String::from_utf8_lossy(messages);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let files = message.get("filenames")?.as_array()?;
            files.iter().filter_map(|f| f.as_str()).find(|f| f.ends_with(".wasm")).map(PathBuf::from)
        })
        .next_back()
}

fn rustc(arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new("rustc")
        .args(arguments)
        .output()
        .map_err(|e| format!("rustc cannot be started: {e}: install Rust from rustup.rs"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
