//! Runs Cargo for a rule in Rust: the one place that knows target, profile and fallback.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{BuildError, componentize};

mod sdk;

pub use sdk::prepare;

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

/// The component of the package in a directory.
///
/// # Errors
///
/// Says what to install, or that Cargo failed; what it says has been printed already.
pub fn build(directory: &Path) -> Result<Vec<u8>, BuildError> {
    let toolchain = Toolchain::find()?;
    prepare(directory)?;
    let module = toolchain.build(directory)?;
    componentize(directory, &module)
}

/// Which compiler builds for WebAssembly here.
enum Toolchain {
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
    fn find() -> Result<Self, BuildError> {
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
        Err(BuildError::Tool {
            tool: "rustc",
            why: format!("cannot compile for {TARGET}"),
            install: format!(
                "run `rustup target add {TARGET}`, or install Debian's packages rustc-web and rust-web-src"
            ),
        })
    }

    /// The core module of the package in a directory.
    ///
    /// # Errors
    ///
    /// Where Cargo fails; what it says has been printed already.
    fn build(&self, directory: &Path) -> Result<Vec<u8>, BuildError> {
        let manifest = directory.join("Cargo.toml");
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--lib", "--profile", "rule", "--target", TARGET]);
        for setting in PROFILE {
            cargo.args(["--config", setting]);
        }
        // In continuous integration, the lock file is what is built; at a desk, Cargo may add what the author has just named.
        if std::env::var_os("CI").is_some() && has_lock_file(&manifest) {
            cargo.arg("--locked");
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
            .map_err(|e| no_rust("cargo", &e))?;
        let refused =
            |message: &str| BuildError::Source { directory: directory.to_owned(), message: message.to_owned() };
        if !output.status.success() {
            return Err(refused("Cargo says why above"));
        }
        let module = module_of(&output.stdout).ok_or_else(|| {
            refused("Cargo made no .wasm file: set `crate-type = [\"cdylib\", \"rlib\"]` under [lib]")
        })?;
        std::fs::read(&module).map_err(|source| BuildError::File { path: module, source })
    }
}

/// Whether the project's workspace has a lock file: then what it names is built, and nothing else.
fn has_lock_file(manifest: &Path) -> bool {
    let said = Command::new("cargo")
        .args(["locate-project", "--workspace", "--message-format", "plain", "--manifest-path"])
        .arg(manifest)
        .output();
    let root = said.ok().filter(|output| output.status.success());
    root.is_some_and(|output| {
        Path::new(String::from_utf8_lossy(&output.stdout).trim()).with_file_name("Cargo.lock").is_file()
    })
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

fn rustc(arguments: &[&str]) -> Result<String, BuildError> {
    let output = Command::new("rustc").args(arguments).output().map_err(|e| no_rust("rustc", &e))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn no_rust(tool: &'static str, error: &std::io::Error) -> BuildError {
    BuildError::Tool {
        tool,
        why: format!("cannot be started: {error}"),
        install: "install Rust from https://rustup.rs".to_owned(),
    }
}
